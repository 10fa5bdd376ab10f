"""``medsign verify``: the verdict on a signature file."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import attrs
import typer
from rich.markup import escape

from medsign import Config, Endpoint, MedSign, Report, cms
from medsign.cli.facts import is_pdf
from medsign.cli.terminal import ExitCode, console, print_json, read
from medsign.clock import SystemClock, aware, by_moscow_time
from medsign.codec import json
from medsign.codec.asn1 import Certificate
from medsign.errors import BudgetExceeded, MalformedError, UsageError
from medsign.pdf import read_pdf_signatures, verify_pdf
from medsign.pki import TrustStore, read_certificates

_COLOURS = {
    cms.Indication.TOTAL_PASSED: "green",
    cms.Indication.TOTAL_FAILED: "red",
    cms.Indication.INDETERMINATE: "yellow",
}


def verify(
    signature: Annotated[
        Path,
        typer.Argument(
            help="CMS signature: DER, PEM or base64; or a PDF with signatures inside.",
            exists=True,
            dir_okay=False,
        ),
    ],
    content: Annotated[
        Path | None,
        typer.Option(
            help="The signed file; without it the content is taken out of the signature.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    trust: Annotated[
        list[Path] | None,
        typer.Option(help="Trusted certificates, PEM or DER; repeatable.", exists=True),
    ] = None,
    cert: Annotated[
        list[Path] | None,
        typer.Option(help="Further certificates, trusted by nobody; repeatable.", exists=True),
    ] = None,
    crl: Annotated[
        list[Path] | None, typer.Option(help="Revocation list; repeatable.", exists=True)
    ] = None,
    ocsp: Annotated[
        list[Path] | None, typer.Option(help="Saved OCSP answer; repeatable.", exists=True)
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(help="What is required, as JSON.", exists=True, dir_okay=False),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(help="Moment of the verdict, ISO 8601 with a time zone; now by default."),
    ] = None,
    ocsp_url: Annotated[
        str | None,
        typer.Option(
            help="OCSP service to ask. Addresses in certificates are never followed: whoever "
            "made the certificate chose them."
        ),
    ] = None,
    *,
    offline: Annotated[bool, typer.Option(help="Refuse to use the network.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON, holders included.")
    ] = False,
) -> int:
    """Verify a signature and say why (words of ETSI EN 319 102-1).

    Exit codes: 0 passed, 1 failed, 2 indeterminate, 64 wrong usage, 65 a file beside the
    signature is damaged.
    """
    if offline and ocsp_url:
        raise UsageError(
            "--offline and --ocsp-url contradict each other",
            "Параметры --offline и --ocsp-url исключают друг друга.",
        )
    moment = _moment(at)
    file = read(signature)
    inside = is_pdf(file)
    if inside and content:
        raise UsageError(
            "--content: a PDF with signatures inside is its own content",
            "Подписи внутри PDF, отдельный файл не нужен: уберите --content.",
        )
    required = cms.read_policy(read(policy)) if policy else cms.DEFAULT
    evidence = cms.Evidence(
        signature=file,
        content=content,
        trust=TrustStore.from_bytes(*map(read, trust or ())),
        certificates=tuple(_certificates(cert or ())),
    ).with_fetched(crls=map(read, crl or ()), ocsp_responses=map(read, ocsp or ()))
    if ocsp_url:
        parts = _inside(evidence) if inside else [evidence]
        answers = [each for part in parts for each in _asked(part, ocsp_url, moment)]
        evidence = evidence.with_fetched(ocsp_responses=answers)
    # What pyHanko suspects stands in the report; its log would add a traceback to it.
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
    judge = verify_pdf if inside else cms.verify
    report = judge(evidence, policy=required, at=moment)
    if as_json:
        print_json(plain(report))
    else:
        _show(report)
    return ExitCode.of(report.indication)


def plain(report: Report) -> dict[str, Any]:
    """Return a report as JSON values: the keys of the standard, every finding in one list."""
    whole = json.decode(dict[str, Any], report.to_json())
    signers: list[dict[str, Any]] = whole.pop("signers")
    findings = [
        *whole.pop("findings"),
        *(
            {"signature": number} | finding
            for number, signer in enumerate(signers, 1)
            for finding in signer.pop("findings")
        ),
    ]
    return {
        **_renamed(whole),
        "findings": findings,
        "signers": [_renamed(signer) for signer in signers],
    }


def _renamed(verdict: dict[str, Any]) -> dict[str, Any]:
    return {"subindication" if key == "subIndication" else key: verdict[key] for key in verdict}


def _moment(text: str | None) -> datetime:
    if text is None:
        return SystemClock().now()
    try:
        return aware(datetime.fromisoformat(text))
    except ValueError:
        raise UsageError(
            "--at: a moment looks like 2026-07-01T12:00:00+03:00",
            "Время в --at пишется как 2026-07-01T12:00:00+03:00.",
        ) from None


def _certificates(paths: list[Path] | tuple[Path, ...]) -> Iterator[Certificate]:
    for path in paths:
        yield from read_certificates(read(path))


def _inside(evidence: cms.Evidence) -> list[cms.Evidence]:
    """Return the signatures of a PDF as evidence of their own; none when it cannot be read."""
    with suppress(MalformedError, BudgetExceeded):
        return [
            attrs.evolve(evidence, signature=each.signature, content=each.content)
            for each in read_pdf_signatures(evidence.signature)
        ]
    return []


def _asked(evidence: cms.Evidence, url: str, at: datetime) -> tuple[bytes, ...]:
    config = Config(services={"ocsp": Endpoint(url=url)})
    with MedSign(config, trust=evidence.trust, intermediates=evidence.certificates) as window:
        # No answer is no error: the verdict says what is missing.
        asked = window.pki.verify(evidence.signature, evidence.content, at=at, crls=evidence.crls)
    return asked.ocsp_responses


def _show(report: Report) -> None:
    screen = console()
    first, *others = report.explain_trust()
    screen.print(f"[bold {_COLOURS[report.indication]}]{escape(first)}[/]")
    for line in others:
        screen.print(escape(line))
    for signer in report.signers:
        when = by_moscow_time(signer.proved_at)
        proof = "по штампу времени" if signer.proved_by == "time stamp" else "по времени проверки"
        screen.print(f"Подписал: {escape(signer.name or 'неизвестно')}; не позже {when}, {proof}")
    code = report.sub_indication.value if report.sub_indication else ""
    screen.print(f"[dim]{report.indication.value} {code}[/]".replace(" [/]", "[/]"))
