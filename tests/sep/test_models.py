"""Rules, labels and channels of СЭП without any service."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.clock import MOSCOW
from medsign.codec.json import decode, encode
from medsign.errors import (
    IllegalTransition,
    InvalidDocument,
    InvalidIdentifier,
    MalformedError,
    UsageError,
)
from medsign.sep import (
    CHANNELS,
    FORM_CODE,
    MAX,
    MILA,
    SEP_STATUS,
    SMS,
    DocumentState,
    IdentityFlag,
    InsurancePolicy,
    Package,
    Patient,
    PrintForm,
    Representative,
    ServiceLine,
    Sex,
    Source,
    SourceKind,
    channel,
    check,
    find_forms,
)

NOON = datetime(2026, 6, 25, 12, tzinfo=MOSCOW)


def faults(package: Package, at: datetime = NOON, **settings: Any) -> list[str]:
    try:
        check(package, package.documents[0], at, **settings)
    except InvalidDocument as refused:
        return [path for path, _ in refused.problems]
    return []


@pytest.mark.req("F224", "F225", "F226", "F231")
def test_labels_are_those_of_the_source(shared_data: Path):
    table = json.loads((shared_data / "wire_enums.json").read_text(encoding="utf-8"))
    labels = [state.label for state in SEP_STATUS.states.values()]
    assert labels == table["sep_status_from_seed"]["values"]


@pytest.mark.req("F224", "F225", "F226", "F231")
def test_the_only_way_is_forward():
    assert SEP_STATUS.path(DocumentState.FORMED, DocumentState.SIGNED) == (
        "send",
        "dispatch",
        "sign",
    )
    with pytest.raises(IllegalTransition):
        SEP_STATUS.apply(DocumentState.CREATED, "sign")


@pytest.mark.req("F207")
def test_there_are_three_source_documents_and_no_other(package: Package):
    assert {kind.value for kind in SourceKind} == {
        "Талон на прием",
        "Заказ на платное лечение",
        "Карточка пациента",
    }
    other = encode(package).replace("Талон на прием".encode(), "Рецепт".encode())
    with pytest.raises(MalformedError):
        decode(Package, other)


@pytest.mark.req("F186")
@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("МАХ", MAX),
        ("MAX", MAX),
        ("мах", MAX),
        ("МAХ", MAX),
        ("Mila", MILA),
        ("личный кабинет Mila", MILA),
        ("СМС-код", SMS),
        ("sms", SMS),
        ("мессенджер МАХ", MAX),
    ],
)
def test_a_channel_is_known_in_every_spelling(text: str, known: str, package: Package):
    assert channel(text) == known
    assert attrs.evolve(package, channel=text).channel == known


@pytest.mark.req("F227")
def test_a_channel_never_heard_of_is_kept():
    assert channel(" mta ") == "mta"
    assert "mta" not in CHANNELS


@pytest.mark.req("F203")
@pytest.mark.parametrize(
    "code", ["KAV.0049", "MAA.0260", "ИКА.0208", "PR/O.0580", "KAV.0661", "MAA.0311"]
)
def test_codes_of_both_alphabets_are_taken(code: str, package: Package, document: Any):
    assert FORM_CODE.fullmatch(code)
    assert faults(attrs.evolve(package, documents=(document("d", form_code=code),))) == []


@pytest.mark.req("F203")
@pytest.mark.parametrize(
    "code", ["KAV0049", "KAV.٠٠٤٩", "kav.0049", "KAV.49", "KAV.00490", ".0049", ""]
)
def test_other_codes_are_refused(code: str, package: Package, document: Any):
    package = attrs.evolve(package, documents=(document("d", form_code=code),))
    assert faults(package) == ["document.formCode"]


@pytest.mark.parametrize(
    ("changes", "path"),
    [({"content": b"PK\x03\x04"}, "document.content"), ({"name": " "}, "document.name")],
)
def test_what_is_no_document_is_refused(
    changes: dict[str, Any], path: str, package: Package, document: Any
):
    assert faults(attrs.evolve(package, documents=(document("d", **changes),))) == [path]


def test_a_document_of_another_package_is_refused(package: Package, document: Any):
    with pytest.raises(InvalidDocument):
        check(package, document("other"), NOON)


@pytest.mark.req("F213")
@given(days=st.integers(-800, 800))
def test_a_minor_signs_by_a_representative(days: int, family: tuple[Package, Representative]):
    package, mother = family
    birthday = date(2008, 6, 25)
    patient = attrs.evolve(package.patient, birth_date=birthday + timedelta(days=days))
    alone = attrs.evolve(package, patient=patient)
    assert faults(alone) == (["representative"] if days > 0 else [])
    assert faults(attrs.evolve(alone, representative=mother)) == []
    assert faults(alone, adult=15) == []


@pytest.fixture(scope="module")
def family() -> tuple[Package, Representative]:
    from medsign.identifiers import Phone
    from medsign.sep import Document

    phone = Phone("+79990000001")
    born = date(1990, 5, 17)
    package = Package(
        id="p",
        source=Source(kind=SourceKind.PATIENT_CARD, number="1", created_at=NOON),
        patient=Patient(id="1", surname="Тестова", given_name="Анна", birth_date=born, phone=phone),
        channel="СМС",
        documents=(
            Document(id="d", name="ИДС", form_code="A.0001", content=b"%PDF-", added_at=NOON),
        ),
    )
    mother = Representative(
        surname="Образцова", given_name="Мария", birth_date=born, phone=phone, relation="мать"
    )
    return package, mother


@pytest.mark.req("F213")
def test_a_minor_represents_nobody(package: Package, mother: Representative):
    young = attrs.evolve(mother, birth_date=date(2010, 1, 1))
    package = attrs.evolve(package, representative=young)
    assert faults(package) == ["representative.birthDate"]


@pytest.mark.req("F212")
def test_who_refused_a_phone_cannot_get_a_code(package: Package, mother: Representative):
    silent = attrs.evolve(package, patient=attrs.evolve(package.patient, phone=None))
    assert faults(silent) == ["patient.phone"]
    assert faults(attrs.evolve(silent, representative=mother)) == []


def test_every_fault_is_told_at_once(package: Package, document: Any):
    bad = document("d", content=b"", form_code="?")
    patient = attrs.evolve(package.patient, phone=None)
    with pytest.raises(InvalidDocument) as refused:
        check(attrs.evolve(package, patient=patient, documents=(bad,)), bad, NOON)
    assert "нет телефона" in refused.value.diagnostics()
    assert len(refused.value.problems) == 3


@pytest.mark.req("F209", "F210", "F211", "F212", "F213", "F434", "F435", "F436", "F439", "F441")
def test_a_package_comes_back_from_the_wire_as_it_was(package: Package, mother: Representative):
    package = attrs.evolve(
        package,
        representative=mother,
        patient=attrs.evolve(
            package.patient, policies=(POLICY,), employment="Неработающий", sex=Sex.FEMALE
        ),
        source=ORDER,
    )
    back = decode(Package, encode(package))
    assert back == package
    assert back.source.services[0].cost == 11000


POLICY = InsurancePolicy(
    kind="ЕНП",
    number="9999000000000001",
    insurer="СК «Пример»",
    region="Примерская область",
    valid_from=date(2026, 1, 1),
    valid_until=date(2026, 12, 31),
)
ORDER = Source(
    kind=SourceKind.PAID_ORDER,
    number="17",
    created_at=NOON,
    urgent=True,
    payment_kind="Наличные",
    visit_kind="Посещение по заболеванию",
    department="Терапия",
    doctor="doctor-7",
    cabinet="12",
    service="Приём терапевта",
    starts_at=NOON,
    case_number="114445",
    case_date=date(2026, 6, 25),
    contract_from=date(2026, 6, 25),
    contract_until=date(2026, 12, 31),
    services=(
        ServiceLine(name="Приём", price=10000, quantity=1, markup=1000, diagnosis="J06.9", uet=168),
        ServiceLine(name="Анализ", price=5000, quantity=2, discount=1000, uet=31),
    ),
    paid=11000,
)


@pytest.mark.req("F441", "F442")
def test_a_paid_order_adds_up():
    assert [line.cost for line in ORDER.services] == [11000, 9000]
    assert (ORDER.total, ORDER.paid, ORDER.debt, ORDER.uet) == (20000, 11000, 9000, 230)


@pytest.mark.req("F446")
@pytest.mark.parametrize(
    ("on", "valid"),
    [
        (date(2025, 12, 31), False),
        (date(2026, 1, 1), True),
        (date(2026, 12, 31), True),
        (date(2027, 1, 1), False),
    ],
)
def test_a_policy_is_valid_from_its_first_day_to_its_last(on: date, valid: bool):
    assert POLICY.in_force(on) == valid
    assert attrs.evolve(POLICY, valid_from=None, valid_until=None).in_force(on)


@pytest.mark.req("F447")
def test_the_flags_have_the_labels_of_the_source():
    assert [flag.value for flag in IdentityFlag] == [
        "Анонимно",
        "Неизвестный",
        "Отсутствует",
        "Не разделять ФИО",
        "Известен только год",
        "Дата неизвестна",
    ]


@pytest.mark.req("F447", "F211")
@pytest.mark.parametrize(
    ("flag", "changes", "alone", "represented"),
    [
        (IdentityFlag.ANONYMOUS, {}, ["patient.flags"], ["patient.flags"]),
        (IdentityFlag.UNKNOWN, {"surname": ""}, ["patient.flags"], ["patient.flags"]),
        (IdentityFlag.NO_DOCUMENT, {}, [], []),
        (IdentityFlag.NO_DOCUMENT, {"identity": "Паспорт"}, *[["patient.identity"]] * 2),
        (None, {"identity": "Паспорт"}, [], []),
        (IdentityFlag.WHOLE_NAME, {"surname": "Тестова Анна", "given_name": ""}, [], []),
        (None, {"surname": "Тестова Анна", "given_name": ""}, *[["patient.givenName"]] * 2),
        (IdentityFlag.WHOLE_NAME, {"surname": " "}, *[["patient.surname"]] * 2),
        (IdentityFlag.DATE_UNKNOWN, {}, ["representative"], []),
        (IdentityFlag.YEAR_ONLY, {"birth_date": date(2008, 1, 1)}, ["representative"], []),
        (None, {"birth_date": date(2008, 1, 1)}, [], []),
        (IdentityFlag.YEAR_ONLY, {"birth_date": date(2007, 12, 31)}, [], []),
    ],
)
def test_what_is_not_known_of_a_patient_limits_who_signs(
    package: Package,
    mother: Representative,
    flag: IdentityFlag | None,
    changes: dict[str, Any],
    alone: list[str],
    represented: list[str],
):
    patient = attrs.evolve(package.patient, flags=(flag,) if flag else (), **changes)
    package = attrs.evolve(package, patient=patient)
    assert faults(package) == alone
    assert faults(attrs.evolve(package, representative=mother)) == represented


@pytest.mark.req("F447")
@pytest.mark.parametrize(("at", "found"), [(date(2026, 12, 30), True), (date(2026, 12, 31), False)])
def test_of_a_birth_year_the_last_day_counts(package: Package, at: date, found: bool):
    patient = attrs.evolve(
        package.patient, birth_date=date(2008, 1, 1), flags=(IdentityFlag.YEAR_ONLY,)
    )
    noon = datetime(at.year, at.month, at.day, 12, tzinfo=MOSCOW)
    assert bool(faults(attrs.evolve(package, patient=patient), noon)) == found


def test_the_age_of_a_patient_without_a_birth_date_does_not_matter_where_no_age_does(
    package: Package,
):
    patient = attrs.evolve(package.patient, flags=(IdentityFlag.DATE_UNKNOWN,))
    assert faults(attrs.evolve(package, patient=patient), adult=0) == []


@pytest.mark.req("F435")
@pytest.mark.parametrize("number", ["12", "999900000000001", "99990000000000011", ""])
def test_a_policy_of_one_kind_has_a_number_of_16_digits(number: str):
    with pytest.raises(InvalidIdentifier) as refused:
        InsurancePolicy(kind="ЕНП", number=number)
    assert not number or number not in str(refused.value)
    assert InsurancePolicy(kind="ДМС", number=number).number == number


@pytest.mark.req("F204", "F205", "F433")
def test_a_form_is_passed_on_only_when_its_setting_is_on():
    form = PrintForm(
        code="KAV.0661",
        name="Договор",
        to_pdf=True,
        pdf_type="бухгалтерские",
        pdf_target="ЭлНетМед",
    )
    printed = form.document("d1", b"%PDF-", NOON)
    assert (printed.form_code, printed.name, printed.pdf_type, printed.pdf_target) == (
        "KAV.0661",
        "Договор",
        "бухгалтерские",
        "ЭлНетМед",
    )
    for unset in (attrs.evolve(form, to_pdf=False), attrs.evolve(form, pdf_type=None)):
        with pytest.raises(UsageError, match="Передавать в PDF"):
            unset.document("d1", b"%PDF-", NOON)


@pytest.mark.req("F430", "F203", "F202")
@pytest.mark.parametrize(
    ("text", "found"),
    [("договор", [0]), ("MAA.0311", [1, 2]), ("МАА.0311", [1, 2]), ("ика", [3]), ("нет", [])],
)
def test_forms_are_found_by_name_or_code(text: str, found: list[int]):
    forms = [
        PrintForm(code="KAV.0661", name="Договор на оказание платных мед услуг"),
        PrintForm(code="MAA.0311", name="ИДС Привики детям"),
        PrintForm(code="MAA.0311", name="ИДС Прививки взрослым"),
        PrintForm(code="ИКА.0208", name="Согласие"),
    ]
    assert find_forms(forms, text) == tuple(forms[number] for number in found)


def test_people_are_not_shown(package: Package):
    assert not re.search("Тестова|Анна|9990|2156792", repr(package))
