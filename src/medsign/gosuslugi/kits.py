"""Which documents the doctor's cabinet asks for, and what it refuses about them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

import attrs

from medsign.clock import MOSCOW, aware, compare_age
from medsign.errors import UsageError
from medsign.gosuslugi.findings import Finding
from medsign.status import Labelled

MAX_FILE_BYTES = 5 * 1024 * 1024
"""The limit of «5 МБ» (F350). The source does not say which megabyte; the larger one is taken."""

# Фамилия_Имя_ТипДокумента (F351), in letters of either alphabet. A name may be of several words:
# «фон Тестов», «Анна Мария».
_LETTER = "A-Za-zÀ-ÖØ-öø-ɏЀ-ҁҊ-ԯ"
_WORD = rf"[{_LETTER}][{_LETTER}'’-]*"
_NAME = rf"{_WORD}(?: {_WORD})*"
_FILE_NAME = re.compile(rf"({_NAME})_({_NAME})_[{_LETTER}0-9 -]+")


class DocumentKind(Labelled):
    """A document of the cabinet; `label` is its name in the source."""

    PASSPORT = "passport", "Паспорт гражданина РФ"
    SNILS = "snils", "СНИЛС"
    PRACTICE_REGISTRATION = (
        "practice_registration",
        "Свидетельство о государственной регистрации медицинской деятельности",
    )
    INN = "inn", "Идентификационный номер налогоплательщика (ИНН)"
    CONSENT = "consent", "Согласие на обработку персональных данных"
    DIPLOMA = "diploma", "Диплом о высшем медицинском образовании"
    ADVANCED_TRAINING = "advanced_training", "Удостоверение о повышении квалификации"
    RESIDENCY = "residency", "Сертификат о прохождении ординатуры или интернатуры"
    LICENCE = "licence", "Лицензия на осуществление медицинской деятельности"
    QUALIFICATION = "qualification", "Справка о подтверждении квалификации"
    COURSES = "courses", "Документ о прохождении обязательных курсов повышения квалификации"
    INTERNSHIP = "internship", "Справка о стажировке"
    DOCTOR_STATUS = "doctor_status", "Документ, подтверждающий статус врача"
    APPOINTMENT_ORDER = "appointment_order", "Приказ о назначении на должность"


class FileFormat(StrEnum):
    """A format that the cabinet takes."""

    PDF = "PDF"
    JPEG = "JPEG"


_SUFFIXES = {".pdf": FileFormat.PDF, ".jpg": FileFormat.JPEG, ".jpeg": FileFormat.JPEG}
_MAGIC = {b"%PDF-": FileFormat.PDF, b"\xff\xd8\xff": FileFormat.JPEG}


@attrs.frozen(kw_only=True)
class Document:
    """A file that is about to be uploaded.

    Attributes:
        kind: What it is.
        file_name: Its name with the extension; holds a person's name.
        content: Its octets.
        issued: Date on the document, where its age matters.
        signed: Whether it bears an electronic signature that was found valid.
        sealed: Whether the person who scanned it saw the seal: no program can.
    """

    kind: DocumentKind
    file_name: str = attrs.field(repr=False)
    content: bytes = attrs.field(repr=False)
    issued: date | None = None
    signed: bool = False
    sealed: bool = False


@attrs.frozen(kw_only=True)
class Requirement:
    """What a kit asks about one document.

    Attributes:
        kind: The document.
        mandatory: Whether the kit is refused without it.
        signed: Whether it must be signed electronically.
        sealed: Whether it must bear a seal.
        max_age_years: How many whole years ago it may have been issued.
    """

    kind: DocumentKind
    mandatory: bool = True
    signed: bool = False
    sealed: bool = False
    max_age_years: int | None = None


@attrs.frozen(kw_only=True)
class KitProfile:
    """A named reading of what must be uploaded: the sources contradict each other on formats.

    Attributes:
        name: Name of the profile.
        requirements: What is asked about each document; others are refused.
        formats: Formats that are taken.
        max_bytes: Size of one file above which it is refused.
    """

    name: str
    requirements: tuple[Requirement, ...]
    formats: frozenset[FileFormat] = frozenset(FileFormat)
    max_bytes: int = MAX_FILE_BYTES


def _optional(*kinds: DocumentKind) -> Iterator[Requirement]:
    return (Requirement(kind=kind, mandatory=False) for kind in kinds)


PROFILES: Mapping[str, KitProfile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            KitProfile(
                name="registration",
                requirements=(
                    Requirement(kind=DocumentKind.PASSPORT),
                    Requirement(kind=DocumentKind.SNILS),
                    Requirement(kind=DocumentKind.PRACTICE_REGISTRATION),
                    Requirement(kind=DocumentKind.INN),
                    Requirement(kind=DocumentKind.CONSENT, signed=True),
                    *_optional(DocumentKind.DIPLOMA, DocumentKind.ADVANCED_TRAINING),
                ),
            ),
            KitProfile(
                name="education",
                requirements=(
                    Requirement(kind=DocumentKind.DIPLOMA, sealed=True),
                    *_optional(DocumentKind.RESIDENCY),
                    Requirement(kind=DocumentKind.LICENCE),
                    Requirement(kind=DocumentKind.QUALIFICATION),
                    Requirement(kind=DocumentKind.COURSES, max_age_years=5),
                ),
            ),
            KitProfile(
                name="qualification",
                requirements=(
                    Requirement(kind=DocumentKind.DIPLOMA),
                    *_optional(DocumentKind.RESIDENCY, DocumentKind.INTERNSHIP),
                    Requirement(kind=DocumentKind.LICENCE),
                    Requirement(kind=DocumentKind.COURSES, max_age_years=5),
                ),
            ),
            KitProfile(
                name="identity",
                requirements=(
                    Requirement(kind=DocumentKind.PASSPORT),
                    Requirement(kind=DocumentKind.DOCTOR_STATUS),
                ),
            ),
            KitProfile(
                name="faq_doctor_status",
                requirements=(
                    Requirement(kind=DocumentKind.DIPLOMA),
                    Requirement(kind=DocumentKind.ADVANCED_TRAINING),
                    Requirement(kind=DocumentKind.APPOINTMENT_ORDER),
                ),
                formats=frozenset({FileFormat.PDF}),
            ),
        )
    }
)
"""``registration`` (F305-F311), ``education`` (F313-F317), ``qualification`` (F348), ``identity``
(F339, F340), ``faq_doctor_status`` (F414: PDF only).

They are data: a deployment passes a `KitProfile` of its own when the portal asks otherwise.
"""


@attrs.frozen(kw_only=True)
class KitReport:
    """The verdict on a kit.

    Attributes:
        profile: Name of the profile that judged.
        findings: Everything to correct, in the order of the documents; then what is missing.
    """

    profile: str
    findings: tuple[Finding, ...]

    @property
    def accepted(self) -> bool:
        """Whether the kit may be sent as it is."""
        return not self.findings


def check_kit(documents: Iterable[Document], profile: KitProfile | str, at: datetime) -> KitReport:
    r"""Judge a kit of documents before it is uploaded.

    Args:
        documents: The files.
        profile: The reading of the rules, or the name of one in `PROFILES`.
        at: Aware moment at which the age of documents counts; its day in Moscow is taken.

    Raises:
        UsageError: No profile has this name, or the moment is naive.

    Example:
        >>> from datetime import UTC, datetime
        >>> order = Document(
        ...     kind=DocumentKind.APPOINTMENT_ORDER,
        ...     file_name="Тестова_Анна_Приказ.jpg",
        ...     content=b"\xff\xd8\xff\xe0",
        ... )
        >>> report = check_kit([order], "faq_doctor_status", datetime(2026, 6, 25, tzinfo=UTC))
        >>> [finding.code for finding in report.findings]
        ['file.format', 'document.missing', 'document.missing']
    """
    if isinstance(profile, str):
        profile = _profile(profile)
    today = aware(at).astimezone(MOSCOW).date()
    kit = tuple(documents)
    asked = {requirement.kind: requirement for requirement in profile.requirements}
    findings = [
        Finding(code=code, path=f"Документ {number}: {document.kind.label}", message=message)
        for number, document in enumerate(kit, 1)
        for code, message in (
            *_about_file(document, profile),
            *_about_content(document, asked.get(document.kind), today),
            *_about_twins(document, kit[: number - 1]),
        )
    ]
    present = {document.kind for document in kit}
    findings += [
        Finding(code="document.missing", path=kind.label, message="Нет обязательного документа")
        for kind, requirement in asked.items()
        if requirement.mandatory and kind not in present
    ]
    return KitReport(profile=profile.name, findings=tuple(findings))


def file_name(surname: str, given_name: str, document_type: str, suffix: str) -> str:
    """Return a name by the template ``Фамилия_Имя_ТипДокумента`` (F351).

    Raises:
        UsageError: The parts do not make such a name.

    Example:
        >>> file_name("Тестова", "Анна", "Диплом", ".pdf")
        'Тестова_Анна_Диплом.pdf'
    """
    name = f"{surname}_{given_name}_{document_type}"
    if not _follows_template(name) or suffix not in _SUFFIXES:
        raise UsageError(
            "the parts make no name like Фамилия_Имя_ТипДокумента.pdf",
            "Имя файла не составить: фамилию и имя пишут буквами, с заглавной, а файл нужен PDF "
            "или JPEG. Исправьте их.",
        )
    return name + suffix


def format_of(content: bytes) -> FileFormat | None:
    """Return the format that the first octets prove, or ``None``."""
    return next((kind for magic, kind in _MAGIC.items() if content.startswith(magic)), None)


def _profile(name: str) -> KitProfile:
    try:
        return PROFILES[name]
    except KeyError:
        raise UsageError(f"no kit profile {name!r}; known: {', '.join(PROFILES)}") from None


def _about_file(document: Document, profile: KitProfile) -> Iterator[tuple[str, str]]:
    # macOS hands out names in which й is two code points.
    stem, dot, extension = unicodedata.normalize("NFC", document.file_name).rpartition(".")
    claimed, proven = _SUFFIXES.get(dot + extension.lower()), format_of(document.content)
    if proven not in profile.formats or claimed is None:
        yield "file.format", f"Нужен файл {' или '.join(sorted(profile.formats))}"
    elif claimed is not proven:
        yield "file.extension", f"Расширение файла не соответствует содержимому: это {proven}"
    if len(document.content) > profile.max_bytes:
        yield "file.size", f"Файл больше {profile.max_bytes / 1024**2:g} МБ"
    if not _follows_template(stem):
        yield "file.name", "Имя файла не соответствует шаблону «Фамилия_Имя_ТипДокумента»"


def _follows_template(stem: str) -> bool:
    found = _FILE_NAME.fullmatch(stem)
    return found is not None and all(
        any(word[0].isupper() for word in name.split()) for name in found.groups()
    )


def _about_content(
    document: Document, asked: Requirement | None, today: date
) -> Iterator[tuple[str, str]]:
    if asked is None:
        yield "document.unexpected", "Такого документа в комплекте быть не должно"
        return
    if asked.signed and not document.signed:
        yield "document.unsigned", "Нет электронной подписи"
    if asked.sealed and not document.sealed:
        yield "document.unsealed", "Нет печати"
    if document.issued and document.issued > today:
        yield "document.future", "Дата документа ещё не наступила"
    if asked.max_age_years is not None:
        if document.issued is None:
            yield "document.undated", "Не указана дата документа"
        elif compare_age(asked.max_age_years, document.issued, today) > 0:
            yield "document.outdated", f"Документ старше {asked.max_age_years} лет"


def _about_twins(document: Document, earlier: Iterable[Document]) -> Iterator[tuple[str, str]]:
    if any(document.content == other.content for other in earlier):
        yield "document.duplicate", "Этот же файл уже есть в комплекте"
