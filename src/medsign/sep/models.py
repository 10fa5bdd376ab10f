"""Packages of documents for a patient to sign, and what СЭП tells about them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

import attrs

from medsign.clock import MOSCOW, compare_age
from medsign.errors import MedsignError
from medsign.gost import DigestAlgorithm, digest, digest_file
from medsign.identifiers import Inn, OmsNumber, Phone, Snils
from medsign.sep.status import SEP_STATUS, channel
from medsign.status import State, UnknownStatus, fold


class SourceKind(StrEnum):
    """Documents of the МИС whose print forms СЭП takes; there are no others (F207)."""

    TALON = "Талон на прием"
    PAID_ORDER = "Заказ на платное лечение"
    PATIENT_CARD = "Карточка пациента"


@attrs.frozen(kw_only=True)
class ServiceLine:
    """A service of a paid order (F441); money is in kopecks.

    Attributes:
        name: What is done.
        quantity: How many times.
        price: Price of one.
        discount: Taken off the whole line.
        markup: Added to the whole line.
        executor: Who does it: an opaque id.
        department: Where.
        diagnosis: Code of МКБ, if any; personal data.
        uet: УЕТ of one, in hundredths.
    """

    name: str
    quantity: int = 1
    price: int
    discount: int = 0
    markup: int = 0
    executor: str | None = None
    department: str | None = None
    diagnosis: str | None = attrs.field(default=None, repr=False)
    uet: int = 0

    @property
    def cost(self) -> int:
        """What the line costs."""
        return self.quantity * self.price - self.discount + self.markup


@attrs.frozen(kw_only=True)
class Source:
    """The document of the МИС out of which a package was formed.

    Attributes:
        kind: Which document.
        number: Its number in the МИС.
        created_at: When it was made.
        urgent: Flag «СИТО».
        visit_kind: «Посещение по заболеванию» and its like, of a talon (F209).
        payment_kind: «ОМС» and its like.
        department: Where the patient goes.
        doctor: To whom: an opaque id.
        cabinet: To which room.
        service: For which service.
        starts_at: When.
        case_number: Number of the outpatient case (F436).
        case_date: Its date.
        contract_from: First day of the contract of a paid order (F439).
        contract_until: Its last day.
        services: What is paid for.
        paid: How much of it is paid, in kopecks.
    """

    kind: SourceKind
    number: str
    created_at: datetime
    urgent: bool = False
    visit_kind: str | None = None
    payment_kind: str | None = None
    department: str | None = None
    doctor: str | None = None
    cabinet: str | None = None
    service: str | None = None
    starts_at: datetime | None = None
    case_number: str | None = None
    case_date: date | None = None
    contract_from: date | None = None
    contract_until: date | None = None
    services: tuple[ServiceLine, ...] = ()
    paid: int = 0

    @property
    def total(self) -> int:
        """«Итого услуг на сумму», in kopecks (F442)."""
        return sum(line.cost for line in self.services)

    @property
    def debt(self) -> int:
        """«Задолженность», in kopecks."""
        return self.total - self.paid

    @property
    def uet(self) -> int:
        """«УЕТ» of all services, in hundredths."""
        return sum(line.quantity * line.uet for line in self.services)


class Sex(StrEnum):
    """Sex as the МИС writes it."""

    MALE = "Муж."
    FEMALE = "Жен."


class IdentityFlag(StrEnum):
    """What the МИС notes when it does not know a patient well (F447).

    The source has the labels alone; how `medsign.sep.check` reads them is medsign's own.

    Attributes:
        ANONYMOUS: Signs nothing.
        UNKNOWN: Signs nothing.
        NO_DOCUMENT: There is no identity document, so none may be named.
        WHOLE_NAME: The whole name stands in `Person.surname`; the other parts may be empty.
        YEAR_ONLY: Of the birth date only the year counts: the last day of it is taken.
        DATE_UNKNOWN: The birth date says nothing; the patient is as young as can be.
    """

    ANONYMOUS = "Анонимно"
    UNKNOWN = "Неизвестный"
    NO_DOCUMENT = "Отсутствует"
    WHOLE_NAME = "Не разделять ФИО"
    YEAR_ONLY = "Известен только год"
    DATE_UNKNOWN = "Дата неизвестна"


@attrs.frozen(kw_only=True)
class InsurancePolicy:
    """A policy of the patient (F435, F446); only of an ЕНП the length is known.

    Attributes:
        kind: «ЕНП», «ДМС», «Стар. образца».
        number: Its number; 16 digits when it is an ЕНП.
        insurer: Name of the insurance company.
        region: Where it was issued.
        valid_from: First day.
        valid_until: Last day, ``None`` when it has no end.

    Raises:
        InvalidIdentifier: The number of an ЕНП has not 16 digits; the text does not show it.
    """

    kind: str
    number: str = attrs.field(repr=False)
    insurer: str | None = None
    region: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None

    def __attrs_post_init__(self) -> None:
        if fold(self.kind) == fold("ЕНП"):
            OmsNumber(self.number)

    def in_force(self, on: date) -> bool:
        """Tell whether the policy is valid on a day."""
        begun = self.valid_from is None or self.valid_from <= on
        return begun and (self.valid_until is None or on <= self.valid_until)


@attrs.frozen(kw_only=True)
class Person:
    """Somebody who may sign; every field is personal data and stays out of the repr.

    Attributes:
        phone: Mobile number, to which links and codes go; ``None`` after a refusal of phone.
    """

    surname: str = attrs.field(repr=False)
    given_name: str = attrs.field(repr=False)
    patronymic: str | None = attrs.field(default=None, repr=False)
    birth_date: date = attrs.field(repr=False)
    phone: Phone | None = attrs.field(default=None, repr=False)
    email: str | None = attrs.field(default=None, repr=False)
    snils: Snils | None = attrs.field(default=None, repr=False)
    identity: str | None = attrs.field(default=None, repr=False)
    """Identity document as one line: kind, series, number."""

    @property
    def full_name(self) -> str:
        """ФИО, personal data."""
        return " ".join(filter(None, (self.surname, self.given_name, self.patronymic)))

    def is_under(self, years: int, on: date) -> bool:
        """Tell whether the person is younger than a number of whole years on a day."""
        return compare_age(years, self.birth_date, on) < 0


@attrs.frozen(kw_only=True)
class Patient(Person):
    """The patient as the МИС knows them (F210-F212, F434).

    Attributes:
        id: Number of the patient in the МИС.
    """

    id: str = attrs.field(repr=False)
    sex: Sex | None = attrs.field(default=None, repr=False)
    birth_place: str | None = attrs.field(default=None, repr=False)
    inn: Inn | None = attrs.field(default=None, repr=False)
    policies: tuple[InsurancePolicy, ...] = attrs.field(default=(), repr=False)
    home_phone: str | None = attrs.field(default=None, repr=False)
    registration_address: str | None = attrs.field(default=None, repr=False)
    actual_address: str | None = attrs.field(default=None, repr=False)
    employment: str | None = attrs.field(default=None, repr=False)
    flags: tuple[IdentityFlag, ...] = ()

    def is_under(self, years: int, on: date) -> bool:
        """Tell whether the patient may be younger than a number of whole years on a day."""
        if IdentityFlag.DATE_UNKNOWN in self.flags:
            return years > 0
        if IdentityFlag.YEAR_ONLY in self.flags:
            return compare_age(years, self.birth_date.replace(month=12, day=31), on) < 0
        return super().is_under(years, on)


@attrs.frozen(kw_only=True)
class Representative(Person):
    """Who signs for a patient, for instance a parent (F213, F440).

    Attributes:
        relation: Who it is to the patient: «мать», «опекун».
    """

    relation: str


@attrs.frozen(kw_only=True)
class Document:
    """A print form to be signed.

    Attributes:
        id: Its number in the МИС, unique there: sending it twice under one number sends it once.
        name: Its name, «Наименование» of the tab «28. СЭП».
        form_code: Code of the print form, for instance ``KAV.0049``.
        content: The PDF, or the file in which it lies: it is read while it is sent, in pieces.
        added_at: When it was put into the package, «Дата добавления».
        pdf_type: «Тип PDF», for instance «бухгалтерские».
        pdf_target: «Передавать PDF в».
    """

    id: str
    name: str
    form_code: str
    content: bytes | Path = attrs.field(repr=False)
    added_at: datetime
    pdf_type: str | None = None
    pdf_target: str | None = None

    @property
    def pdf(self) -> bytes:
        """The whole PDF, wherever it lies."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()

    def begins_with(self, mark: bytes) -> bool:
        """Tell whether the PDF begins with some octets."""
        if isinstance(self.content, bytes):
            return self.content.startswith(mark)
        with self.content.open("rb") as file:
            return file.read(len(mark)) == mark


@attrs.frozen(kw_only=True)
class Package:
    """Documents of one source document for one person to sign.

    Attributes:
        id: Number of the package in the МИС.
        source: Out of what it was formed.
        patient: Whom the documents are about.
        representative: Who signs instead, if anybody.
        channel: How the link goes out: one of `medsign.sep.CHANNELS` in any spelling, or a new
            one.
        documents: What is to be signed.
    """

    id: str
    source: Source
    patient: Patient
    representative: Representative | None = None
    channel: str = attrs.field(converter=channel)
    documents: tuple[Document, ...]

    @property
    def recipient(self) -> Person:
        """Who gets the link and signs."""
        return self.representative or self.patient


@attrs.frozen(kw_only=True)
class DocumentRow:
    """What СЭП tells about a document: a row of the tab «28. СЭП» (F219-F223).

    Attributes:
        number: Number in СЭП, the one to ask by.
        document: Number in the МИС.
        package: Number of the package in the МИС.
        name: «Наименование».
        status: «Статус» as the service wrote it; see `state`.
        added_at: «Дата добавления».
        sent_at: «Дата отправки в СЭП».
        signed_at: «Дата получения подписи».
    """

    number: str
    document: str
    package: str
    name: str
    status: str
    added_at: datetime
    sent_at: datetime | None = None
    signed_at: datetime | None = None

    @property
    def state(self) -> State | UnknownStatus:
        """The state that the status text means; a new text is kept and is neither good nor bad."""
        return SEP_STATUS.recognise(self.status)

    def cells(self) -> tuple[str, str, str, str, str]:
        """Return the row as the tab shows it: name, three moments in Moscow time, status."""
        return (
            self.name,
            _shown(self.added_at),
            _shown(self.sent_at),
            _shown(self.signed_at),
            self.status,
        )


def _shown(moment: datetime | None) -> str:
    return f"{moment.astimezone(MOSCOW):%d.%m.%Y %H:%M:%S}" if moment else ""


@attrs.frozen(kw_only=True)
class Evidence:
    """How a patient's simple signature (ПЭП) came about, without personal data.

    Attributes:
        document_digest: Streebog-256 of the document that was shown, in hexadecimal.
        signer: ``patient`` or ``representative``.
        channel: By which channel the link went out.
        opened_at: When the link was opened first.
        code_sent_at: When the additional code was sent.
        code_id: Identifier of the message that carried the code.
        signed_at: When the right code was entered.
    """

    document_digest: str
    signer: str
    channel: str
    opened_at: datetime
    code_sent_at: datetime
    code_id: str
    signed_at: datetime


@attrs.frozen(kw_only=True)
class SignedDocument:
    """A document that the patient has signed.

    Attributes:
        content: The PDF with the mark of the signature.
        signature: Detached CMS of the operator over `content`, DER; check it with `medsign.cms`.
        evidence: How the patient signed.
    """

    content: bytes = attrs.field(repr=False)
    signature: bytes = attrs.field(repr=False)
    evidence: Evidence

    def is_about(self, original: bytes | Path) -> bool:
        """Tell whether what was signed is the very document that was sent."""
        algorithm = DigestAlgorithm.STREEBOG_256
        if isinstance(original, bytes):
            hashed = digest(algorithm, original)
        else:
            hashed = digest_file(algorithm, original)
        return hashed.hex() == self.evidence.document_digest


@attrs.frozen
class Failure:
    """One document of a batch that failed, and why.

    Attributes:
        id: Number of the document: in the МИС when sending, in СЭП when asking.
        error: What happened to it.
    """

    id: str
    error: MedsignError


@attrs.frozen
class Batch:
    """What became of «Отправить все» or «Получить все»: a failure of one stops no other."""

    rows: tuple[DocumentRow, ...]
    failures: tuple[Failure, ...]

    def __iter__(self) -> Iterator[DocumentRow]:
        """Yield what succeeded."""
        return iter(self.rows)

    @property
    def complete(self) -> bool:
        """Whether nothing failed."""
        return not self.failures
