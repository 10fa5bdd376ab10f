"""What a file says, as labelled facts: the same for people and for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, TypeAlias

import attrs

from medsign.codec import asn1
from medsign.codec.asn1 import describe, oids
from medsign.errors import MalformedError
from medsign.mchd import Severity, decode, validate
from medsign.pdf import read_pdf_signatures
from medsign.pki import is_qualified_profile, tool_class

Value: TypeAlias = str | int | bool | datetime | tuple[str, ...] | None


@attrs.frozen
class Fact:
    """One line about a file.

    Attributes:
        key: Its name for a program.
        label: Its name for people, in Russian.
        value: What the file says; ``None`` when it says nothing.
    """

    key: str
    label: str
    value: Value = attrs.field(repr=False)


class NothingKnown(MalformedError):
    """A file of no kind that medsign reads."""

    def __init__(self) -> None:
        super().__init__("file", "", "nothing known")

    def diagnostics(self) -> str:
        return (
            "В файле нет ничего известного: это не сертификат, не подпись, не PDF и не МЧД "
            f"(код {self.code})"
        )


@attrs.frozen
class Description:
    """What a file is and says.

    Attributes:
        kind: A stable word: ``certificate``, ``request``, ``crl``, ``cms``, ``ocsp-response``,
            ``ocsp-request``, ``tsp-response``, ``tsp-request``, ``time-stamp``, ``public-key``,
            ``private-key``, ``mchd``, ``pdf``.
        title: The same in Russian.
        facts: What it says; of a private key nothing but its kind.
    """

    kind: str
    title: str
    facts: tuple[Fact, ...] = attrs.field(converter=tuple[Fact, ...], repr=False)


def describe_file(data: bytes) -> Description:
    """Tell what some bytes are by looking at them.

    Args:
        data: DER, PEM, base64, the XML of a МЧД, or a PDF.

    Raises:
        NothingKnown: It is nothing known.
        MalformedError: It is damaged.
        BudgetExceeded: It is too large.
    """
    if is_pdf(data):
        return Description("pdf", "PDF", _pdf(data))
    if data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return Description("mchd", "Машиночитаемая доверенность", _poa(data))
    try:
        found = asn1.recognise(data)
    except MalformedError as error:
        if error.where:
            raise
        raise NothingKnown from None
    if isinstance(found, asn1.SignedData) and found.content_type == oids.TST_INFO:
        found = asn1.decode_tst_info(found.content or b"")
    return next(
        Description(kind, title, facts(found))
        for structure, kind, title, facts in _KINDS
        if isinstance(found, structure)
    )


def is_pdf(data: bytes) -> bool:
    """Tell whether a file is a PDF; viewers let other octets stand before it."""
    return b"%PDF-" in data[:1024]


def _pdf(data: bytes) -> Iterator[Fact]:
    signatures = len(read_pdf_signatures(data))
    yield Fact("signatures", "Подписей внутри", signatures)
    yield Fact("check", "Проверить их", "medsign verify" if signatures else None)


def _certificate(one: asn1.Certificate) -> Iterator[Fact]:
    yield Fact("subject", "Владелец", _name(one.subject))
    yield Fact("issuer", "Издатель", _name(one.issuer))
    yield Fact("serialNumber", "Серийный номер", f"{one.serial_number:x}")
    yield Fact("notBefore", "Действует с", one.not_before)
    yield Fact("notAfter", "Действует до", one.not_after)
    period = one.private_key_usage_period
    yield Fact("keyNotAfter", "Ключ подписывает до", period.not_after if period else None)
    yield from _key(one.public_key)
    yield Fact("keyUsage", "Назначение ключа", tuple(sorted(one.key_usage or ())))
    yield Fact("toolClass", "Класс средства ЭП", tool_class(one))
    yield Fact("qualifiedProfile", "Состав квалифицированного", is_qualified_profile(one))
    yield Fact("ocspUrls", "OCSP", one.ocsp_urls)
    lists = tuple(url for point in one.crl_distribution_points for url in point.urls)
    yield Fact("crlUrls", "Списки отозванных", lists)
    yield Fact("sha256", "SHA-256", one.fingerprint)


def _request(one: asn1.CertificateRequest) -> Iterator[Fact]:
    yield Fact("subject", "Владелец", _name(one.subject))
    yield from _key(one.public_key)
    yield Fact("sha256", "SHA-256", one.fingerprint)


def _crl(one: asn1.RevocationList) -> Iterator[Fact]:
    yield Fact("issuer", "Издатель", _name(one.issuer))
    yield Fact("number", "Номер списка", one.crl_number)
    yield Fact("thisUpdate", "Составлен", one.this_update)
    yield Fact("nextUpdate", "Следующий не позже", one.next_update)
    yield Fact("delta", "Разностный", one.is_delta)
    yield Fact("revoked", "Отозвано сертификатов", len(one.entries))


def _cms(message: asn1.SignedData) -> Iterator[Fact]:
    yield Fact("detached", "Отсоединённая", message.content is None)
    yield Fact("contentType", "Тип содержимого", describe(message.content_type))
    yield Fact("certificates", "Сертификаты внутри", _names(message.certificates))
    yield Fact("signatures", "Число подписей", len(message.signers))
    yield Fact("check", "Проверить их", "medsign verify")
    for number, signer in enumerate(message.signers, 1):
        key, label = f"signature{number}", f"Подпись {number}"
        digest = describe(signer.digest_algorithm.oid)
        yield Fact(f"{key}.digest", f"{label}: хэш", digest)
        yield Fact(f"{key}.claimedAt", f"{label}: время со слов автора", signer.signing_time)
        yield Fact(f"{key}.stamps", f"{label}: штампов времени", len(signer.time_stamp_tokens))


def _ocsp(response: asn1.OcspResponse) -> Iterator[Fact]:
    yield Fact("status", "Служба ответила", response.status)
    if response.basic is not None:
        yield from _answers(response.basic)


def _answers(answer: asn1.BasicOcspResponse) -> Iterator[Fact]:
    yield Fact("producedAt", "Ответ подписан", answer.produced_at)
    yield Fact("certificates", "Сертификаты внутри", _names(answer.certificates))
    for number, one in enumerate(answer.single_responses, 1):
        key, label = f"certificate{number}", f"Сертификат {number}"
        yield Fact(f"{key}.serialNumber", f"{label}: номер", f"{one.cert_id.serial_number:x}")
        yield Fact(f"{key}.status", f"{label}: статус", one.status)
        yield Fact(f"{key}.thisUpdate", f"{label}: на момент", one.this_update)
        yield Fact(f"{key}.revokedAt", f"{label}: отозван", one.revoked_at)


def _questions(request: asn1.OcspRequest) -> Iterator[Fact]:
    asked = tuple(f"{item.serial_number:x}" for item in request.items)
    yield Fact("serialNumbers", "Спрошены сертификаты", asked)


def _tsp(response: asn1.TimeStampResponse) -> Iterator[Fact]:
    yield Fact("status", "Служба ответила", response.status)
    yield Fact("failure", "Причина отказа", tuple(sorted(response.failure)))
    if response.token is not None and response.token.content is not None:
        yield from _stamp(asn1.decode_tst_info(response.token.content))


def _stamp(stamp: asn1.TstInfo) -> Iterator[Fact]:
    yield Fact("genTime", "Время", stamp.gen_time)
    yield Fact("policy", "Политика", stamp.policy)
    yield Fact("serialNumber", "Номер штампа", f"{stamp.serial_number:x}")
    yield from _imprint(stamp.imprint)


def _imprint(imprint: asn1.MessageImprint) -> Iterator[Fact]:
    yield Fact("imprintAlgorithm", "Хэш документа", describe(imprint.algorithm.oid))
    yield Fact("imprint", "Значение хэша", imprint.digest.hex())


def _key(key: asn1.SubjectPublicKeyInfo) -> Iterator[Fact]:
    yield Fact("algorithm", "Алгоритм ключа", describe(key.algorithm.oid))
    yield Fact("curve", "Кривая", describe(key.gost.param_set_oid) if key.gost else None)


def _poa(data: bytes) -> Iterator[Fact]:
    poa = decode(data)
    terms, powers = poa.terms, poa.content.powers
    yield Fact("number", "Номер доверенности", terms.number)
    yield Fact("issued", "Выдана", terms.issued.isoformat())
    yield Fact("validUntil", "Действует по", terms.valid_until.isoformat())
    yield Fact("representatives", "Представителей", len(poa.representatives))
    codes = tuple(power.code for power in powers.machine)
    yield Fact("powers", "Полномочия", codes or powers.text)
    errors = sum(each.severity is Severity.ERROR for each in validate(data))
    yield Fact("errors", "Ошибок (medsign mchd validate)", errors)


def _names(certificates: Iterable[asn1.Certificate]) -> tuple[str, ...]:
    return tuple(one.subject.get(oids.COMMON_NAME) or one.fingerprint for one in certificates)


def _name(name: asn1.Name) -> tuple[str, ...]:
    return tuple(f"{describe(each.oid)}: {each.value}" for each in name.attributes)


def _private_key(key: asn1.PrivateKeyInfo) -> Iterator[Fact]:
    # Nothing else: not even a digest of a key belongs on a screen.
    yield Fact("algorithm", "Алгоритм ключа", describe(key.algorithm_oid))


_KINDS: tuple[tuple[type, str, str, Callable[[Any], Iterable[Fact]]], ...] = (
    (asn1.Certificate, "certificate", "Сертификат", _certificate),
    (asn1.CertificateRequest, "request", "Запрос на сертификат (PKCS#10)", _request),
    (asn1.RevocationList, "crl", "Список отозванных сертификатов", _crl),
    (asn1.SignedData, "cms", "Подпись CMS", _cms),
    (asn1.OcspRequest, "ocsp-request", "Запрос OCSP", _questions),
    (asn1.OcspResponse, "ocsp-response", "Ответ OCSP", _ocsp),
    (asn1.BasicOcspResponse, "ocsp-response", "Ответ OCSP", _answers),
    (asn1.TimeStampRequest, "tsp-request", "Запрос штампа времени", lambda r: _imprint(r.imprint)),
    (asn1.TimeStampResponse, "tsp-response", "Ответ службы штампов времени", _tsp),
    (asn1.TstInfo, "time-stamp", "Штамп времени", _stamp),
    (asn1.SubjectPublicKeyInfo, "public-key", "Открытый ключ", _key),
    (asn1.PrivateKeyInfo, "private-key", "Закрытый ключ", _private_key),
)
