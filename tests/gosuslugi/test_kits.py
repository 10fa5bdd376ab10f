"""Kits of documents: each refusal by the rule it comes from, at its boundary."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.clock import MOSCOW, ManualClock
from medsign.errors import UsageError
from medsign.gosuslugi import (
    MAX_FILE_BYTES,
    PROFILES,
    Document,
    DocumentKind,
    FileFormat,
    Gosuslugi,
    KitProfile,
    Requirement,
    check_kit,
    file_name,
)

NOON = datetime(2026, 6, 25, 12, tzinfo=MOSCOW)
PDF = b"%PDF-1.7\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF"


def document(kind: DocumentKind, **changes: object) -> Document:
    """A document with which nothing is wrong; the kind makes its content unlike others."""
    usual = Document(
        kind=kind,
        file_name="Тестова_Анна_Документ.pdf",
        content=PDF + kind.encode(),
        issued=date(2025, 1, 15),
        signed=True,
        sealed=True,
    )
    return attrs.evolve(usual, **changes)


def kit_of(profile: str, *, only_mandatory: bool = False) -> list[Document]:
    return [
        document(asked.kind)
        for asked in PROFILES[profile].requirements
        if asked.mandatory or not only_mandatory
    ]


def codes(kit: list[Document], profile: str | KitProfile = "registration") -> list[str]:
    return [finding.code for finding in check_kit(kit, profile, NOON).findings]


def with_one(kind: DocumentKind, profile: str, **changes: object) -> list[str]:
    kit = [attrs.evolve(each, **changes) if each.kind == kind else each for each in kit_of(profile)]
    return codes(kit, profile)


@pytest.mark.req(
    "F305", "F306", "F307", "F308", "F309", "F313", "F315", "F316", "F339", "F340", "F348"
)
@pytest.mark.req("F353", "F414", "F453", "F454", "F458", "F461")
@pytest.mark.parametrize("profile", PROFILES)
def test_a_kit_without_one_mandatory_document_is_refused(profile: str):
    kit = kit_of(profile, only_mandatory=True)
    assert codes(kit, profile) == []
    for absent in kit:
        rest = [each for each in kit if each is not absent]
        [found] = check_kit(rest, profile, NOON).findings
        assert (found.code, found.path) == ("document.missing", absent.kind.label)


@pytest.mark.req("F310", "F311", "F314")
@pytest.mark.parametrize("profile", PROFILES)
def test_additional_documents_are_welcome(profile: str):
    assert check_kit(kit_of(profile), profile, NOON).accepted


def test_a_document_that_nobody_asked_for_is_refused():
    assert codes([*kit_of("registration"), document(DocumentKind.APPOINTMENT_ORDER)]) == [
        "document.unexpected"
    ]


@pytest.mark.req("F349")
@pytest.mark.parametrize(
    ("name", "content"), [("pdf", PDF), ("PDF", PDF), ("jpg", JPEG), ("jpeg", JPEG), ("JPG", JPEG)]
)
def test_pdf_and_jpeg_are_taken(name: str, content: bytes):
    assert (
        with_one(
            DocumentKind.SNILS,
            "registration",
            file_name=f"Тестова_Анна_СНИЛС.{name}",
            content=content,
        )
        == []
    )


@pytest.mark.req("F349", "F312")
@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        ("png", b"\x89PNG\r\n\x1a\n"),
        ("pdf", b"PK\x03\x04"),
        ("docx", PDF),
        ("pdf", b""),
        ("pdf", b" %PDF-1.7"),
    ],
)
def test_other_formats_are_refused(suffix: str, content: bytes):
    assert with_one(
        DocumentKind.SNILS,
        "registration",
        file_name=f"Тестова_Анна_СНИЛС.{suffix}",
        content=content,
    ) == ["file.format"]


@pytest.mark.req("F349")
@pytest.mark.parametrize(("suffix", "content"), [("pdf", JPEG), ("jpg", PDF)])
def test_an_extension_that_lies_about_the_content_is_refused(suffix: str, content: bytes):
    assert with_one(
        DocumentKind.SNILS,
        "registration",
        file_name=f"Тестова_Анна_СНИЛС.{suffix}",
        content=content,
    ) == ["file.extension"]


@pytest.mark.req("F414")
def test_the_status_of_a_doctor_is_proven_in_pdf_only():
    assert with_one(
        DocumentKind.DIPLOMA,
        "faq_doctor_status",
        file_name="Тестова_Анна_Диплом.jpg",
        content=JPEG,
    ) == ["file.format"]


@pytest.mark.req("F350", "F414")
@pytest.mark.parametrize("profile", PROFILES)
@given(excess=st.integers(-2, 2))
def test_five_megabytes_exactly_are_taken_and_one_octet_more_is_not(profile: str, excess: int):
    content = PDF.ljust(MAX_FILE_BYTES + excess, b" ")
    found = with_one(PROFILES[profile].requirements[0].kind, profile, content=content)
    assert found == (["file.size"] if excess > 0 else [])


@pytest.mark.req("F351")
@pytest.mark.parametrize(
    "name",
    [
        "Тестова_Анна_Диплом.pdf",
        "Тестова-Образцова_Анна_Диплом.pdf",
        "Ёлкин_Пётр_СНИЛС.pdf",
        "фон Тестов_Анна Мария_Диплом.pdf",
        "Әбдиева_Анна_Диплом.pdf",
        "O'Testova_Zoë_Диплом.pdf",
        unicodedata.normalize("NFD", "Андрейчук_Алексей_Диплом.pdf"),
    ],
)
def test_names_by_the_template_are_taken(name: str):
    assert with_one(DocumentKind.SNILS, "registration", file_name=name) == []


@pytest.mark.req("F351")
@pytest.mark.parametrize(
    "name",
    [
        "Диплом.pdf",
        "Тестова Анна Диплом.pdf",
        "Тестова_Анна.pdf",
        "Тестова_Анна_.pdf",
        "тестова_анна_Диплом.pdf",
        "Тестова_анна_Диплом.pdf",
        "Тестова _Анна_Диплом.pdf",
        "Тестова1_Анна_Диплом.pdf",
        "Тестова_Анна_Петровна_Диплом.pdf",
        "../Тестова_Анна_Диплом.pdf",
        "Тестова_Анна_Диплом.pdf.pdf",
    ],
)
def test_names_beside_the_template_are_refused(name: str):
    assert with_one(DocumentKind.SNILS, "registration", file_name=name) == ["file.name"]


@pytest.mark.req("F351")
@pytest.mark.parametrize("suffix", [".pdf", ".jpg"])
def test_a_name_made_by_the_template_is_taken(suffix: str):
    name = file_name("Тестова", "Анна", "СНИЛС", suffix)
    content = PDF if suffix == ".pdf" else JPEG
    assert with_one(DocumentKind.SNILS, "registration", file_name=name, content=content) == []


@pytest.mark.parametrize(
    "parts", [("", "Анна", "СНИЛС", ".pdf"), ("Тест", "Анна", "СНИЛС", ".doc")]
)
def test_no_name_is_made_of_wrong_parts(parts: tuple[str, str, str, str]):
    with pytest.raises(UsageError) as refused:
        file_name(*parts)
    assert "Исправьте" in refused.value.diagnostics()


@pytest.mark.parametrize(
    "person", [("фон Тестов", "Анна"), ("Тестова", "Анна Мария"), ("Әбдиева", "Анна")]
)
def test_people_of_any_name_get_a_file_name(person: tuple[str, str]):
    assert file_name(*person, "Диплом", ".pdf") == f"{'_'.join(person)}_Диплом.pdf"


@pytest.mark.req("F317", "F312")
@given(st.dates(date(2005, 1, 1), date(2060, 12, 31)))
def test_courses_count_up_to_five_years_and_not_a_day_longer(issued: date):
    leap = issued.month == 2 and issued.day == 29
    fifth = issued.replace(year=issued.year + 5, day=28 if leap else issued.day)

    def found(day: date) -> list[str]:
        kit = [
            attrs.evolve(each, issued=issued if each.kind == DocumentKind.COURSES else None)
            for each in kit_of("education")
        ]
        at = datetime(day.year, day.month, day.day, 23, 59, tzinfo=MOSCOW)
        return [finding.code for finding in check_kit(kit, "education", at).findings]

    assert found(fifth) == []
    assert found(fifth + timedelta(days=1)) == ["document.outdated"]


@pytest.mark.req("F317")
def test_the_day_in_moscow_decides_the_age():
    kit = [attrs.evolve(each, issued=date(2021, 6, 25)) for each in kit_of("education")]
    late = datetime(2026, 6, 25, 21, 30, tzinfo=UTC)
    assert check_kit(kit, "education", late - timedelta(hours=1)).accepted
    assert not check_kit(kit, "education", late).accepted


@pytest.mark.req("F317")
def test_courses_without_a_date_are_refused():
    assert with_one(DocumentKind.COURSES, "education", issued=None) == ["document.undated"]


def test_a_document_from_the_future_is_refused():
    assert with_one(DocumentKind.SNILS, "registration", issued=date(2026, 6, 26)) == [
        "document.future"
    ]


@pytest.mark.req("F309", "F318")
def test_the_consent_must_be_signed_electronically():
    assert with_one(DocumentKind.CONSENT, "registration", signed=False) == ["document.unsigned"]


@pytest.mark.req("F313", "F318")
def test_the_diploma_must_bear_the_seal():
    assert with_one(DocumentKind.DIPLOMA, "education", sealed=False) == ["document.unsealed"]


@pytest.mark.req("F394")
def test_the_same_file_twice_is_refused():
    assert with_one(
        DocumentKind.INN, "registration", content=PDF + DocumentKind.SNILS.encode()
    ) == ["document.duplicate"]


@pytest.mark.req("F342", "F369")
def test_every_fault_is_told_with_the_document_it_is_in():
    report = check_kit(
        [document(DocumentKind.SNILS, file_name="скан.bmp", content=b"BM")],
        KitProfile(name="own", requirements=(Requirement(kind=DocumentKind.SNILS),)),
        NOON,
    )
    assert not report.accepted
    assert [finding.path for finding in report.findings] == ["Документ 1: СНИЛС"] * 2
    assert all(finding.message for finding in report.findings)


@pytest.mark.req("F064")
def test_a_deployment_may_narrow_the_formats():
    jpeg_only = attrs.evolve(PROFILES["registration"], formats=frozenset({FileFormat.JPEG}))
    assert "file.format" in codes(kit_of("registration"), jpeg_only)


def test_an_unknown_profile_is_an_error_that_names_the_known_ones():
    with pytest.raises(UsageError, match="faq_doctor_status"):
        check_kit([], "other", NOON)


def test_a_naive_moment_is_refused():
    with pytest.raises(UsageError):
        check_kit([], "registration", datetime(2026, 6, 25))  # noqa: DTZ001


def test_names_and_contents_stay_out_of_texts():
    bad = document(
        DocumentKind.SNILS, file_name="Секретова Мария.exe", content=b"Sekret", issued=None
    )
    report = check_kit([bad], "registration", NOON)
    shown = f"{bad!r} {report!r}"
    assert "Секретова" not in shown
    assert "Sekret" not in shown


def test_the_service_judges_by_its_clock():
    kit = [attrs.evolve(each, issued=date(2021, 6, 25)) for each in kit_of("education")]
    clock = ManualClock(NOON)
    service = Gosuslugi(clock=clock)
    assert service.check_kit(kit, "education").accepted
    clock.advance(timedelta(days=1))
    assert not service.check_kit(kit, "education").accepted
