"""The evening's folder: everything a sceptic needs to check the day without medsign.

Private keys are not written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import attrs

from medsign.cli.day import Day
from medsign.cli.scene import ISSUERS, Scene
from medsign.codec import json
from medsign.codec.asn1 import (
    Certificate,
    decode_ocsp_response,
    decode_signed_data,
    pem_encode,
)

SPOILT = "spoilt-protocol.pdf"
OPENSSL_CONF = """\
openssl_conf = conf
[conf]
engines = engines
[engines]
gost = gost
[gost]
engine_id = gost
default_algorithms = ALL
init = 1
"""


@attrs.frozen
class Check:
    """A command for OpenSSL, run in the folder.

    Attributes:
        title: What it shows, in Russian.
        arguments: What stands after ``openssl``, without spaces inside words.
        refuses: Whether it has to fail.
    """

    title: str
    arguments: str
    refuses: bool = False


def files(day: Day, scene: Scene) -> dict[str, bytes]:
    """Return the contents of the folder by name.

    Args:
        day: What happened.
        scene: Where; it is asked for its revocation lists.
    """
    lists = {issuer: scene.town.revocation_list(issuer) for issuer in ISSUERS}
    # OpenSSL counts whole seconds, and nothing above may lie in the future.
    at = scene.window.clock.now().replace(microsecond=0) + timedelta(seconds=1)
    return {
        **{f"certificates/{name}.pem": pem for name, pem in _certificates(day, scene)},
        **dict(_documents(day)),
        **{f"evidence/{name}": content for name, content in _evidence(day, lists)},
        **dict(_reports(day)),
        "openssl-gost.cnf": OPENSSL_CONF.encode(),
        "CHECK.md": _instructions(checks(day, at), _own_checks(at)),
    }


def checks(day: Day, at: datetime) -> tuple[Check, ...]:
    """Return the commands by which OpenSSL checks the folder.

    Args:
        day: What happened.
        at: The moment of checking.
    """
    trust = "-CAfile certificates/root.pem"
    moment = f"-attime {int(at.timestamp())}"
    chain = f"-untrusted certificates/authorities.pem {trust} {moment}"
    cms = f"cms -verify -binary -cades -purpose any -inform DER {trust} {moment}"
    cms += " -certfile certificates/authorities.pem -out check.out"
    protocol = f"{cms} -in documents/{day.protocol.name}.sig -content documents"
    return (
        *(
            Check(
                f"Цепочка сертификата {whose}, с проверкой отзыва по спискам",
                f"verify {chain} -crl_check_all -CRLfile evidence/lists.pem"
                f" certificates/{name}.pem",
            )
            for name, whose in (("head", "главного врача"), ("doctor", "врача"))
        ),
        *(
            Check(
                f"Статус сертификата {whose} по ответу OCSP",
                f"ocsp -respin evidence/{name}.ors -issuer certificates/{issuer}.pem"
                f" -cert certificates/{name}.pem -CAfile certificates/chain.pem -no_nonce {moment}"
                # The clock of a sandbox may be ahead of the machine's.
                " -validity_period 31536000",
            )
            for name, issuer, whose in (
                ("head", "fns", "главного врача"),
                ("doctor", "commercial", "врача"),
            )
        ),
        Check(
            "Подпись главного врача под МЧД",
            f"{cms} -in mchd/{day.poa.name}.sig -content mchd/{day.poa.name}",
        ),
        Check(
            "Подпись оператора СЭП под согласием пациента",
            f"{cms} -in documents/{day.consent.name}.sig -content documents/{day.consent.name}",
        ),
        Check("Подпись врача под протоколом", f"{protocol}/{day.protocol.name}"),
        Check(
            "Подпись врача внутри PDF эпикриза",
            f"{cms} -in evidence/epicrisis.p7s -content evidence/epicrisis-signed-part.bin",
        ),
        Check(
            "Штамп времени на согласии",
            f"ts -verify -in evidence/consent.tsr -data documents/{day.consent.name} {chain}",
        ),
        Check(
            "Штамп времени внутри подписи врача",
            "ts -verify -token_in -in evidence/protocol.tst"
            f" -data evidence/protocol-signature-value.bin {chain}",
        ),
        Check(
            "Протокол, в котором изменён один бит",
            f"{protocol}/{SPOILT}",
            refuses=True,
        ),
    )


def write(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write the files; those of an earlier day stay beside them under their own names.

    Raises:
        OSError: The folder cannot be written.
    """
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _certificates(day: Day, scene: Scene) -> Iterator[tuple[str, bytes]]:
    authorities = dict(zip(ISSUERS, (scene.root, *scene.authorities), strict=True))
    people = {"head": day.head, "doctor": day.doctor}
    for name, certificate in (authorities | people).items():
        yield name, _pem([certificate])
    if day.stamp.facts.certificate:
        yield "tsa", _pem([day.stamp.facts.certificate])
    if answer := decode_ocsp_response(day.statuses["doctor"]).basic:
        yield "ocsp", _pem(answer.certificates[:1])
    yield "authorities", _pem(scene.authorities)
    yield "chain", _pem(authorities.values())


def _pem(certificates: Iterable[Certificate]) -> bytes:
    return b"".join(pem_encode("CERTIFICATE", each.der) for each in certificates)


def _documents(day: Day) -> Iterator[tuple[str, bytes]]:
    for folder, document in (
        ("mchd", day.poa),
        ("documents", day.consent),
        ("documents", day.protocol),
    ):
        yield f"{folder}/{document.name}", document.content
        yield f"{folder}/{document.name}.sig", document.signature
    yield f"documents/{SPOILT}", day.spoilt
    yield "documents/epicrisis.pdf", day.epicrisis.content


def _evidence(day: Day, lists: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    for name, answer in day.statuses.items():
        yield f"{name}.ors", answer
    asked = (day.poa, day.consent, day.protocol)
    answers = dict.fromkeys(each for one in asked for each in one.verification.ocsp_responses)
    for number, answer in enumerate(answers, 1):
        yield f"verification-{number}.ors", answer
    for issuer, crl in lists.items():
        yield f"{issuer}.crl", crl
    yield "lists.pem", b"".join(pem_encode("X509 CRL", crl) for crl in lists.values())
    yield "consent.tsr", day.stamp.response
    yield "epicrisis.p7s", day.epicrisis.signature
    yield "epicrisis-signed-part.bin", day.epicrisis.part
    (signer,) = decode_signed_data(day.protocol.signature).signers
    yield "protocol.tst", signer.time_stamp_tokens[0]
    yield "protocol-signature-value.bin", signer.signature


def _reports(day: Day) -> Iterator[tuple[str, bytes]]:
    for name, report in (
        ("report", day.protocol.verification.report),
        ("reports/mchd", day.poa.verification.report),
        ("reports/consent", day.consent.verification.report),
        ("reports/spoilt-protocol", day.refusal),
        ("reports/epicrisis", day.epicrisis.report),
    ):
        yield f"{name}.html", report.to_html().encode()
        yield f"{name}.json", report.to_json()
    yield "reports/representation.json", json.encode(day.representation)
    yield "reports/notices.txt", "".join(f"{each.text}\n" for each in day.notices).encode()


def _instructions(commands: Iterable[Check], own: Mapping[str, str]) -> bytes:
    lines = [_OPENING]
    for check in commands:
        title = f"{check.title}: должно быть отказано" if check.refuses else check.title
        lines.append(f"## {title}\n\n```sh\nopenssl {check.arguments}\n```\n")
    lines += [f"## {title}\n\n```sh\n{command}\n```\n" for title, command in own.items()]
    return "\n".join(lines).encode()


_OPENING = """\
# Проверка без medsign

Команды ниже выполняет OpenSSL 3 с движком gost: в Debian и Ubuntu это пакет
`libengine-gost-openssl`. Запускайте их в этой папке; движок подключает файл
`openssl-gost.cnf`:

```sh
export OPENSSL_CONF=openssl-gost.cnf
```

Проверка идёт на момент `-attime`: часы песочницы могут спешить, а списки отозванных сертификатов
живут полдня. Сертификаты, люди и документы учебные, корню `certificates/root.pem` нигде больше
доверять нельзя.
"""


def _own_checks(at: datetime) -> dict[str, str]:
    trust = "--trust certificates/root.pem --cert certificates/authorities.pem"
    lists = " ".join(f"--crl evidence/{issuer}.crl" for issuer in ISSUERS)
    means = f"{trust} {lists} --ocsp evidence/doctor.ors --at {at.isoformat()} --offline"
    protocol = "documents/protocol.pdf.sig --content documents/protocol.pdf"
    return {
        "Протокол с medsign, без сети": f"medsign verify {protocol} {means}",
        "Подпись внутри PDF с medsign, без сети": (
            f"medsign verify documents/epicrisis.pdf {means}"
        ),
    }
