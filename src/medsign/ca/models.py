"""What is said to a certification authority and what it answers.

No accredited УЦ publishes its API, so this is a contract of medsign's own. It follows what is
public: the documents rule of Контур.Реестро, the states of КриптоПро УЦ 2.0, the checks and
scenarios that the source documents name. An adapter to a real УЦ maps to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

import attrs

from medsign.ca.status import CERTIFICATE_STATUS, CHECK_STATUS, ESIA_STATUS, REQUEST_STATUS
from medsign.errors import InvalidIdentifier
from medsign.identifiers import Inn, InnLegal, Ogrn, Ogrnip, Phone, Snils
from medsign.status import Labelled, State, UnknownStatus


class Authority(Labelled):
    """Who issues."""

    FNS = "fns", "УЦ ФНС"
    COMMERCIAL = "commercial", "коммерческий аккредитованный УЦ"


class ApplicantKind(Labelled):
    """For whom a certificate is made (F001, F002).

    Example:
        >>> ApplicantKind.HEAD.authority.label, ApplicantKind.WORKER.authority.label
        ('УЦ ФНС', 'коммерческий аккредитованный УЦ')
    """

    HEAD = "head", "руководитель организации"
    ENTREPRENEUR = "entrepreneur", "индивидуальный предприниматель"
    WORKER = "worker", "медработник (физическое лицо)"

    @property
    def authority(self) -> Authority:
        """The only УЦ that issues for this kind (F016, F019)."""
        return Authority.COMMERCIAL if self is ApplicantKind.WORKER else Authority.FNS


class CertificateKind(Labelled):
    """Which signature the certificate is for (F109, F110)."""

    QUALIFIED = "qualified", "УКЭП"
    UNQUALIFIED = "unqualified", "УНЭП"


class Scenario(Labelled):
    """How the applicant is identified (F077, F095, F107)."""

    AT_CA = "at_ca", "в УЦ"
    PARTNER = "partner", "через партнёров"
    BY_CERTIFICATE = "by_certificate", "по действующему сертификату"
    EPGU = "epgu", "через ЕПГУ"
    EBS = "ebs", "через ЕБС (скоро)"


SCENARIOS: Mapping[Authority, frozenset[Scenario]] = MappingProxyType(
    {
        Authority.FNS: frozenset({Scenario.AT_CA, Scenario.PARTNER, Scenario.BY_CERTIFICATE}),
        Authority.COMMERCIAL: frozenset(
            {Scenario.AT_CA, Scenario.PARTNER, Scenario.BY_CERTIFICATE, Scenario.EPGU}
        ),
    }
)
"""Which ways each authority offers today (F017, F018, F095); through ЕБС none does yet (F079)."""


class DocumentKind(Labelled):
    """A document that goes with a request."""

    PASSPORT = "passport", "Паспорт"
    STATEMENT = "statement", "Заявление на выпуск сертификата"
    SNILS = "snils", "СНИЛС"
    INN = "inn", "Свидетельство ИНН"
    EGRUL = "egrul", "Выписка из ЕГРЮЛ"
    EGRIP = "egrip", "Выписка из ЕГРИП"


REQUIRED_DOCUMENTS: Mapping[ApplicantKind, tuple[DocumentKind, ...]] = MappingProxyType(
    {
        ApplicantKind.HEAD: (
            DocumentKind.PASSPORT,
            DocumentKind.STATEMENT,
            DocumentKind.EGRUL,
        ),
        ApplicantKind.ENTREPRENEUR: (
            DocumentKind.PASSPORT,
            DocumentKind.STATEMENT,
            DocumentKind.EGRIP,
        ),
        ApplicantKind.WORKER: (DocumentKind.PASSPORT, DocumentKind.STATEMENT),
    }
)
"""Without these a request is not taken; СНИЛС and ИНН are checked through СМЭВ instead."""


class CheckKind(Labelled):
    """What the authority asks state systems through СМЭВ (F128-F132)."""

    PASSPORT = "passport", "Проверка паспортных данных"
    SNILS = "snils", "Проверка СНИЛС"
    INN = "inn", "Проверка ИНН"
    EGRUL = "egrul", "Проверка в ЕГРЮЛ"
    EGRIP = "egrip", "Проверка в ЕГРИП"


CHECKS: Mapping[ApplicantKind, tuple[CheckKind, ...]] = MappingProxyType(
    {
        ApplicantKind.HEAD: (
            CheckKind.PASSPORT,
            CheckKind.SNILS,
            CheckKind.INN,
            CheckKind.EGRUL,
        ),
        ApplicantKind.ENTREPRENEUR: (
            CheckKind.PASSPORT,
            CheckKind.SNILS,
            CheckKind.INN,
            CheckKind.EGRIP,
        ),
        ApplicantKind.WORKER: (CheckKind.PASSPORT, CheckKind.SNILS, CheckKind.INN),
    }
)
"""Which checks are made for whom."""


class Carrier(Labelled):
    """Where the certificate is installed (F093, F094)."""

    MOBILE = "mobile", "мобильное устройство"
    TOKEN = "token", "аппаратный носитель"


class RevocationReason(Labelled):
    """Why a certificate is revoked; the codes are those of RFC 5280 §5.3.1."""

    UNSPECIFIED = "unspecified", "не указана"
    KEY_COMPROMISE = "keyCompromise", "компрометация ключа"
    AFFILIATION_CHANGED = "affiliationChanged", "изменение сведений о владельце"
    SUPERSEDED = "superseded", "замена сертификата"
    CESSATION_OF_OPERATION = "cessationOfOperation", "прекращение деятельности"


def _shaped(pattern: str, kind: str, shape: str) -> Callable[[Any, Any, str], None]:
    def check(_: object, __: object, text: str) -> None:
        if not re.fullmatch(pattern, text):
            raise InvalidIdentifier(kind, f"нужно {shape}")

    return check


@attrs.frozen(kw_only=True, repr=False)
class Passport:
    """Passport of a citizen of Russia.

    Attributes:
        series: 4 digits without a space.
        number: 6 digits.
        issued: When it was issued.
        issuer_code: Who issued it: ``780-001``.

    Raises:
        InvalidIdentifier: A number has another shape; the text does not show it.
    """

    series: str = attrs.field(validator=_shaped("[0-9]{4}", "серия паспорта", "4 цифры"))
    number: str = attrs.field(validator=_shaped("[0-9]{6}", "номер паспорта", "6 цифр"))
    issued: date
    issuer_code: str = attrs.field(
        validator=_shaped("[0-9]{3}-[0-9]{3}", "код подразделения", "цифры вида 000-000")
    )


@attrs.frozen(kw_only=True, repr=False)
class Organisation:
    """The organisation that a head represents (F161).

    Attributes:
        name: Short name, as ЕГРЮЛ has it.
        ogrn: ОГРН.
        inn: ИНН of the organisation.
        street: Street and house of the legal address.
    """

    name: str
    ogrn: Ogrn
    inn: InnLegal
    street: str


@attrs.frozen(kw_only=True, repr=False)
class Subject:
    """Data for the certificate and for the checks (F154, F155, F170).

    Attributes:
        surname: Фамилия.
        given_name: Имя.
        patronymic: Отчество, ``None`` when there is none.
        birth_date: Date of birth.
        snils: СНИЛС.
        inn: ИНН of the person.
        passport: Passport.
        region: Region as certificates write it: ``77 г. Москва``.
        locality: Town or village.
        email: Address for notices, goes into the certificate.
        phone: Telephone for notices.
        organisation: Of a head.
        position: Of a head.
        ogrnip: Of an entrepreneur.
    """

    surname: str
    given_name: str
    patronymic: str | None = None
    birth_date: date
    snils: Snils
    inn: Inn
    passport: Passport
    region: str
    locality: str
    email: str | None = None
    phone: Phone | None = None
    organisation: Organisation | None = None
    position: str | None = None
    ogrnip: Ogrnip | None = None


@attrs.frozen(kw_only=True)
class NewRequest:
    """A request for a certificate, before it is sent.

    Attributes:
        applicant: For whom.
        certificate: Which signature.
        subject: Whose data.
        pkcs10: Request of the key for a certificate (PKCS#10), DER; its subject must be
            `medsign.ca.certificate_subject` of the same data.
    """

    applicant: ApplicantKind
    certificate: CertificateKind = CertificateKind.QUALIFIED
    subject: Subject = attrs.field(repr=False)
    pkcs10: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Correction:
    """Corrected data after a failed check; the key's request carries them too."""

    subject: Subject = attrs.field(repr=False)
    pkcs10: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Upload:
    """A document's file: PDF, JPEG or PNG."""

    content: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Identify:
    """How the applicant wants to be identified.

    Attributes:
        scenario: The way.
        signed_statement: Only by certificate: CMS with the text of `CertificateRequest.statement`
            inside, signed by the valid certificate.
    """

    scenario: Scenario
    signed_statement: bytes | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class Installed:
    """Where the issued certificate was put."""

    carrier: Carrier


@attrs.frozen(kw_only=True)
class Revocation:
    """Why a certificate is no longer to be trusted."""

    reason: RevocationReason = RevocationReason.UNSPECIFIED


@attrs.frozen(kw_only=True)
class Check:
    """One check through СМЭВ.

    Attributes:
        kind: What is checked.
        state: Where it stands, as the authority wrote it.
        reason: Why it did not pass, in Russian, without personal data.
    """

    kind: CheckKind
    state: str
    reason: str | None = None

    @property
    def status(self) -> State | UnknownStatus:
        """Where it stands, by `medsign.ca.CHECK_STATUS`."""
        return CHECK_STATUS.recognise(self.state)


@attrs.frozen(kw_only=True)
class Identification:
    """How the applicant is being identified.

    Attributes:
        scenario: The way.
        confirmed_at: When it was done, or ``None``.
        instructions: What the applicant has to do, in Russian.
    """

    scenario: Scenario
    confirmed_at: datetime | None = None
    instructions: str | None = None


@attrs.frozen(kw_only=True)
class Invoice:
    """A bill and, when it is paid, its closing document (F125, F142, F143, F164).

    Attributes:
        number: Number of the bill.
        kopecks: Sum in kopecks.
        issued_at: When it was made out.
        paid_at: When it was paid, or ``None``.
        closing_document: Number of the УПД that closes it, or ``None``.
    """

    number: str
    kopecks: int
    issued_at: datetime
    paid_at: datetime | None = None
    closing_document: str | None = None


@attrs.frozen(kw_only=True)
class CertificateRequest:
    """A request for a certificate as the authority sees it (F100).

    Attributes:
        id: Its number.
        applicant: For whom.
        authority: Who issues.
        state: Where it stands, as the authority wrote it; see `status`.
        created_at: When it was made.
        changed_at: When its state last changed.
        statement: Text of the statement that a signer of identification by certificate signs.
        documents: Documents received.
        missing: Documents without which it is not taken.
        checks: Checks through СМЭВ.
        identification: How the applicant is identified, or ``None``.
        invoice: The bill, or ``None``.
        serial_number: Serial number of the certificate in hexadecimal, or ``None``.
        esia: State of the registration in ЕСИА (F133), or ``None``.
        reason: Why it came back or was rejected, in Russian, without personal data.
    """

    id: str
    applicant: ApplicantKind
    authority: Authority
    state: str
    created_at: datetime
    changed_at: datetime
    statement: str = attrs.field(repr=False)
    documents: tuple[DocumentKind, ...] = ()
    missing: tuple[DocumentKind, ...] = ()
    checks: tuple[Check, ...] = ()
    identification: Identification | None = None
    invoice: Invoice | None = None
    serial_number: str | None = None
    esia: str | None = None
    reason: str | None = None

    @property
    def status(self) -> State | UnknownStatus:
        """Where it stands, by `medsign.ca.REQUEST_STATUS`."""
        return REQUEST_STATUS.recognise(self.state)

    @property
    def esia_status(self) -> State | UnknownStatus | None:
        """State of the registration in ЕСИА, by `medsign.ca.ESIA_STATUS`."""
        return None if self.esia is None else ESIA_STATUS.recognise(self.esia)


@attrs.frozen(kw_only=True)
class IssuedCertificate:
    """A certificate in the authority's register (F134, F162).

    Attributes:
        serial_number: Serial number in hexadecimal.
        authority: Who issued it.
        request_id: The request it was issued on.
        state: Where it stands, as the authority wrote it; see `status`.
        not_before: First moment of validity.
        not_after: Last moment of validity.
        revoked_at: Since when it is revoked or held, or ``None``.
    """

    serial_number: str
    authority: Authority
    request_id: str
    state: str
    not_before: datetime
    not_after: datetime
    revoked_at: datetime | None = None

    @property
    def status(self) -> State | UnknownStatus:
        """Where it stands, by `medsign.ca.CERTIFICATE_STATUS`."""
        return CERTIFICATE_STATUS.recognise(self.state)
