"""The Russian profile of a qualified certificate: whose it is, and what it must hold.

Sources: приказ ФСБ от 27.12.2011 №795 (ред. от 29.01.2021 №31), RFC 9215 §5-6; the reading rules
are those that accounting software in production follows.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Literal

import attrs

from medsign.codec.asn1 import Certificate, CertificateRequest, Name, oids

HolderKind = Literal["person", "sole_trader", "legal_entity", "impersonal"]

#: ОГРН in the issuer's name of certificates of УЦ ФНС.
FNS_OGRN = "1047707030513"

#: Since when identificationKind and ИННЮЛ are demanded (приказ ФСБ от 29.01.2021 №31).
REVISION_2021 = datetime(2021, 8, 31, 21, tzinfo=UTC)  # 01.09.2021 in Moscow

_PATRONYMIC = re.compile(r"(?:ич|вна|чна|\b(?:оглы|оглу|угли|кызы|гызы|кизи|улы|уулу))$")

#: Classes of the signature tool, the lowest first, by policy OID.
TOOL_CLASSES: Mapping[str, str] = MappingProxyType(
    {
        oids.POLICY_KC1: "КС1",
        oids.POLICY_KC2: "КС2",
        oids.POLICY_KC3: "КС3",
        oids.POLICY_KB1: "КВ1",
        oids.POLICY_KB2: "КВ2",
        oids.POLICY_KA1: "КА1",
    }
)


@attrs.frozen(kw_only=True)
class Holder:
    """Whose certificate it is; numbers are digits without separators.

    Attributes:
        kind: ``impersonal`` when no person is named; such a certificate makes nobody a
            representative.
        serial_number: Serial number of the certificate.
        surname: Фамилия.
        given_name: Имя.
        patronymic: Отчество: what follows the first word of the names; see
            `looks_like_patronymic`.
        inn: ИНН of the person, 12 digits.
        snils: СНИЛС, 11 digits.
        inn_legal: ИНН of the organisation, 10 digits.
        ogrn: ОГРН of the organisation.
        ogrnip: ОГРНИП of a sole trader.
        organization: Name of the organisation, possibly a short one.
        position: Должность; only of a person.
        email: Address of electronic mail.
        region_code: Two digits of the region at the beginning of the region's name.
    """

    kind: HolderKind
    serial_number: int | None = None
    surname: str | None = attrs.field(default=None, repr=False)
    given_name: str | None = attrs.field(default=None, repr=False)
    patronymic: str | None = attrs.field(default=None, repr=False)
    inn: str | None = attrs.field(default=None, repr=False)
    snils: str | None = attrs.field(default=None, repr=False)
    inn_legal: str | None = None
    ogrn: str | None = None
    ogrnip: str | None = attrs.field(default=None, repr=False)
    organization: str | None = attrs.field(default=None, repr=False)
    position: str | None = attrs.field(default=None, repr=False)
    email: str | None = attrs.field(default=None, repr=False)
    region_code: str | None = None


def holder_of(certificate: Certificate | CertificateRequest) -> Holder:
    """Read the holder out of a certificate, or out of a request for one (F176).

    Example:
        >>> from medsign.codec.asn1 import make_name
        >>> name = make_name([(oids.SURNAME, "Тестова"), (oids.GIVEN_NAME, "Анна Петровна")])
        >>> holder_of_name(name).patronymic
        'Петровна'
    """
    serial = certificate.serial_number if isinstance(certificate, Certificate) else None
    return _holder(certificate.subject, serial)


def holder_of_name(name: Name) -> Holder:
    """Read the holder out of the subject's name.

    An ИНН that has not 12 digits or starts with 00 is no person's; of the latter, as certificates
    before 01.09.2021 have it, the last ten digits are taken for the ИНН of the organisation.
    """
    return _holder(name, None)


def _holder(name: Name, serial: int | None) -> Holder:
    def text(oid: str) -> str | None:
        return (name.get(oid) or "").strip() or None

    def number(oid: str, *lengths: int) -> str | None:
        value = (name.get(oid) or "").strip()
        return value if value.isascii() and value.isdigit() and len(value) in lengths else None

    inn = number(oids.INN, 10, 12)
    is_of_person = inn is not None and len(inn) == 12 and not inn.startswith("00")
    foreign = inn[-10:] if inn and not is_of_person else None
    inn_legal = number(oids.INN_LEGAL_ENTITY, 10) or foreign
    ogrnip, snils = number(oids.OGRNIP, 15), number(oids.SNILS, 11)
    organization, position = text(oids.ORGANIZATION), text(oids.TITLE)

    surname = text(oids.SURNAME)
    given, _, patronymic = (text(oids.GIVEN_NAME) or "").partition(" ")
    if surname is None and (ogrnip or position or snils or is_of_person):
        surname, given, patronymic = _split(text(oids.COMMON_NAME), {organization, position})

    kind: HolderKind = "person"
    if surname is None:
        kind = "impersonal"
    elif ogrnip:
        kind = "sole_trader"
    elif inn_legal:
        kind = "legal_entity"
    region = re.match(r"[0-9]{2}(?!\d)", text(oids.STATE) or "")
    return Holder(
        kind=kind,
        serial_number=serial,
        surname=surname,
        given_name=given.strip() or None,
        patronymic=patronymic.strip() or None,
        inn=inn if is_of_person else None,
        snils=snils,
        inn_legal=inn_legal,
        ogrn=number(oids.OGRN, 13),
        ogrnip=ogrnip,
        organization=organization,
        position=position if surname else None,
        email=text(oids.EMAIL),
        region_code=region[0] if region else None,
    )


def looks_like_patronymic(text: str) -> bool:
    """Tell whether a word ends as patronymics do, Russian or Turkic.

    A certificate has the given name and the patronymic in one field, so of «Анна Мария» nobody
    can tell whether she has a patronymic: a person has to look.

    Example:
        >>> [looks_like_patronymic(each) for each in ("Петровна", "Ильич", "Ахмед оглы", "Мария")]
        [True, True, True, False]
    """
    return _PATRONYMIC.search(text.strip().casefold()) is not None


class ProfileRule(enum.Enum):
    """What a qualified certificate must hold.

    Attributes:
        code: A stable code.
        russian: What is wrong when the rule is broken.
        mandatory: Whether the certificate is not qualified then; the others are habits of the
            authorities.
    """

    SUBJECT_SIGN_TOOL = "profile.subject_sign_tool", "не указано средство ЭП владельца"
    ISSUER_SIGN_TOOL = "profile.issuer_sign_tool", "не указаны средства ЭП и УЦ издателя"
    IDENTIFICATION_KIND = (
        "profile.identification_kind",
        "не указано, как УЦ установил личность владельца",
    )
    TOOL_CLASS = "profile.tool_class", "не указан класс средства ЭП (КС1 и выше)"
    KEY_USAGE = (
        "profile.key_usage",
        "ключ не предназначен для подписи и подтверждения авторства",
    )
    COMMON_NAME = "profile.common_name", "не указано общее имя владельца"
    PERSON_NUMBERS = "profile.person_numbers", "не указаны ИНН или СНИЛС физического лица"
    LEGAL_NUMBERS = "profile.legal_numbers", "не указаны ИНН или ОГРН организации"
    ORGANIZATION = "profile.organization", "не указаны ни физическое лицо, ни организация"
    KEY_PERIOD = "profile.key_period", "не указан срок действия ключа подписи", False

    def __init__(self, code: str, russian: str, mandatory: bool = True) -> None:  # noqa: FBT001, FBT002
        self.code = code
        self.russian = russian
        self.mandatory = mandatory


def profile_findings(certificate: Certificate) -> tuple[ProfileRule, ...]:
    """Return the rules of приказ ФСБ 795 that a certificate breaks.

    Whether the issuer is accredited is a question of the chain, not of these rules.
    """
    return tuple(_broken(certificate))


def is_qualified_profile(certificate: Certificate) -> bool:
    """Tell whether a certificate holds all that a qualified one must."""
    return not any(rule.mandatory for rule in _broken(certificate))


def tool_class(certificate: Certificate) -> str | None:
    """Return the highest class of the signature tool that the policies name, such as ``КС2``."""
    named = {policy.oid for policy in certificate.policies}
    return next((name for oid, name in reversed(tuple(TOOL_CLASSES.items())) if oid in named), None)


def _broken(certificate: Certificate) -> Iterator[ProfileRule]:
    holder = holder_of(certificate)
    usage = certificate.key_usage or frozenset()
    is_ca = certificate.basic_constraints is not None and certificate.basic_constraints.ca
    if not certificate.subject_sign_tool:
        yield ProfileRule.SUBJECT_SIGN_TOOL
    if certificate.issuer_sign_tool is None:
        yield ProfileRule.ISSUER_SIGN_TOOL
    if (
        certificate.identification_kind is None
        and certificate.not_before >= REVISION_2021
        and not is_ca
    ):
        yield ProfileRule.IDENTIFICATION_KIND
    if tool_class(certificate) is None:
        yield ProfileRule.TOOL_CLASS
    if not is_ca and not usage >= {"digitalSignature", "nonRepudiation"}:
        yield ProfileRule.KEY_USAGE
    if not certificate.subject.get(oids.COMMON_NAME):
        yield ProfileRule.COMMON_NAME
    if holder.kind in {"person", "sole_trader"} and not (holder.inn and holder.snils):
        yield ProfileRule.PERSON_NUMBERS
    # 63-ФЗ, ст. 17 ч. 2: where no person is named, it is a certificate of an organisation.
    if holder.kind in {"legal_entity", "impersonal"} and not (holder.inn_legal and holder.ogrn):
        yield ProfileRule.LEGAL_NUMBERS
    if holder.kind == "impersonal" and not holder.organization:
        yield ProfileRule.ORGANIZATION
    if certificate.private_key_usage_period is None:
        yield ProfileRule.KEY_PERIOD


def _split(common_name: str | None, other_names: set[str | None]) -> tuple[str | None, str, str]:
    """Split «Фамилия Имя Отчество»; four words and more could be anything."""
    words = (common_name or "").split()
    if not 0 < len(words) < 4 or common_name in other_names:
        return None, "", ""
    surname, given, patronymic, *_ = (*words, "", "")
    return surname, given, patronymic
