"""Fields of forms, levels of signature and the block after repeated errors."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.clock import ManualClock
from medsign.errors import UsageError
from medsign.gosuslugi import (
    EXAMINATION_FORM,
    ORDER_FORM,
    REFERRAL_FORM,
    REGISTRATION_FORM,
    REQUIRED_LEVEL,
    SICK_LEAVE_FORM,
    TREATMENT_FORM,
    Action,
    Blocking,
    FormField,
    Gosuslugi,
    SignatureLevel,
    check_form,
    check_signature,
    sick_leave_days,
)
from medsign.gosuslugi.forms import email, icd10, iso_date, latin, licence_number

NOON = datetime(2026, 6, 25, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
REGISTRATION = {
    "surname": "Тестова",
    "given_name": "Анна",
    "patronymic": "Петровна",
    "birth_date": "1990-05-17",
    "birth_place": "г. Примерск",
    "snils": "999-000-001 15",
    "licence": "ЛО-99-01-000001",
    "speciality": "терапия",
    "phone": "+7 999 000-00-01",
    "email": "doctor@clinic.test",
    "credential": "диплом",
}


@pytest.mark.req("F332", "F333", "F334", "F335", "F336", "F337")
def test_a_filled_registration_form_has_no_faults():
    assert check_form(REGISTRATION, REGISTRATION_FORM) == ()


@pytest.mark.req("F332", "F333", "F334", "F335", "F336", "F337", "F398", "F394")
@pytest.mark.parametrize("field", [field for field in REGISTRATION_FORM if field.mandatory])
def test_a_missing_mandatory_field_is_told_by_its_label(field: FormField):
    [found] = check_form({**REGISTRATION, field.name: "  "}, REGISTRATION_FORM)
    assert (found.code, found.path) == ("field.missing", field.label)


def test_a_person_may_have_no_patronymic():
    assert check_form({**REGISTRATION, "patronymic": ""}, REGISTRATION_FORM) == ()


@pytest.mark.req("F334", "F336")
@pytest.mark.parametrize(
    ("field", "value"),
    [("snils", "999-000-001 16"), ("phone", "12345"), ("email", "doctor"), ("email", "д@к.рф")],
)
def test_a_wrong_value_is_told_without_being_repeated(field: str, value: str):
    [found] = check_form({**REGISTRATION, field: value}, REGISTRATION_FORM)
    assert found.code == "field.invalid"
    assert value not in repr(found)


def test_a_field_that_the_form_does_not_have_is_told():
    [found] = check_form({**REGISTRATION, "fax": "1"}, REGISTRATION_FORM)
    assert (found.code, found.path) == ("field.unknown", "fax")


@pytest.mark.req("F344", "F345", "F398")
@pytest.mark.parametrize("form", [TREATMENT_FORM, REFERRAL_FORM])
def test_each_field_of_a_medical_form_is_mandatory(form: tuple[FormField, ...]):
    assert [found.path for found in check_form({}, form)] == [field.label for field in form]


@pytest.mark.req("F379", "F387", "F399")
def test_an_order_needs_its_diagnosis_purpose_and_term():
    filled = {
        "patient": "17",
        "document_type": "направление",
        "diagnosis": "J6.9",
        "term": "завтра",
    }
    found = {finding.path: finding.code for finding in check_form(filled, ORDER_FORM)}
    assert found == {
        "Диагноз": "field.invalid",
        "Цель": "field.missing",
        "Срок": "field.invalid",
    }
    assert [finding.path for finding in check_form({}, EXAMINATION_FORM)] == [
        "Дата",
        "Причина обращения",
        "Рекомендации",
    ]


@pytest.mark.req("F380")
def test_a_sick_leave_needs_a_patient_a_code_of_disease_and_both_days():
    leave = {
        "patient": "2156792",
        "diagnosis": "J06.9",
        "first_day": "2026-06-25",
        "last_day": "2026-07-03",
    }
    assert check_form(leave, SICK_LEAVE_FORM) == ()
    [found] = check_form({**leave, "diagnosis": "простуда"}, SICK_LEAVE_FORM)
    assert (found.path, found.message) == ("Код заболевания", "Неверный формат кода МКБ")
    for name in leave:
        [found] = check_form({**leave, name: ""}, SICK_LEAVE_FORM)
        assert found.code == "field.missing"


@pytest.mark.req("F380")
@pytest.mark.parametrize(
    ("last_day", "faults"),
    [
        ("2026-06-24", {"Дата окончания": "Дата раньше, чем в поле «Дата начала»"}),
        ("2026-06-01", {"Дата окончания": "Дата раньше, чем в поле «Дата начала»"}),
        ("2026-06-25", {}),
        ("01.06.2026", {"Дата окончания": "Неверный формат даты"}),
    ],
)
def test_a_sick_leave_that_ends_before_it_begins_is_found_in_the_form(
    last_day: str, faults: dict[str, str]
):
    leave = {
        "patient": "2156792",
        "diagnosis": "J06.9",
        "first_day": "2026-06-25",
        "last_day": last_day,
    }
    assert {f.path: f.message for f in check_form(leave, SICK_LEAVE_FORM)} == faults
    [found] = check_form(
        {**leave, "first_day": "завтра", "last_day": "2026-01-01"}, SICK_LEAVE_FORM
    )
    assert found.path == "Дата начала"


@pytest.mark.req("F399")
@pytest.mark.parametrize("code", ["С50.9", "А09", "М54.5"])
def test_a_code_typed_in_cyrillic_is_told_how_to_mend_it(code: str):
    assert "латинской" in (icd10()(code) or "")
    assert icd10()("простуда") == "Неверный формат кода МКБ"


@pytest.mark.req("F380")
@given(st.dates(max_value=date(9000, 1, 1)), st.integers(1, 365))
def test_a_sick_leave_counts_both_its_ends(first: date, days: int):
    assert sick_leave_days(first, first + timedelta(days=days - 1)) == days


@pytest.mark.req("F380")
def test_a_sick_leave_does_not_end_before_it_begins():
    with pytest.raises(UsageError):
        sick_leave_days(date(2026, 6, 26), date(2026, 6, 25))


@pytest.mark.req("F400")
@pytest.mark.parametrize("form", [REGISTRATION_FORM, EXAMINATION_FORM, ORDER_FORM, SICK_LEAVE_FORM])
def test_every_field_with_a_format_has_a_hint(form: tuple[FormField, ...]):
    assert [field.name for field in form if bool(field.rules) != bool(field.hint)] == []


@pytest.mark.req("F396", "F401")
def test_a_date_in_the_order_of_people_is_refused_in_the_words_of_the_cabinet():
    [found] = check_form({**REGISTRATION, "birth_date": "17.05.1990"}, REGISTRATION_FORM)
    assert found.quoted == "«Неверный формат даты»"


@pytest.mark.req("F396")
@given(st.dates(min_value=date(1900, 1, 1)))
def test_every_date_is_taken_in_one_order_only(day: date):
    assert iso_date(f"{day:%Y-%m-%d}") is None
    assert iso_date(f"{day:%d.%m.%Y}") == "Неверный формат даты"


@pytest.mark.req("F396")
@pytest.mark.parametrize("text", ["2026-02-30", "20260225", "2026-W09-3", "2026-2-5", ""])
def test_what_is_no_date_is_refused(text: str):
    assert iso_date(text) == "Неверный формат даты"


@pytest.mark.req("F395")
@given(st.text(st.characters(max_codepoint=0x7F)), st.sampled_from("асеорхАВСЕНКМОРТХёЁіҐ"))
def test_one_cyrillic_twin_among_latin_letters_is_found(text: str, twin: str):
    assert latin(text) is None
    assert latin(text + twin) == "Допустима только латиница"


@pytest.mark.req("F397")
def test_a_licence_number_is_checked_by_the_sum_of_the_deployment():
    rule = licence_number(lambda number: number.endswith("7"))
    assert rule("ЛО-99-7") is None
    assert rule("ЛО-99-8") == "Неверная контрольная сумма номера лицензии"
    assert licence_number()("лицензия") == "Неверный номер лицензии"


@pytest.mark.req("F399")
@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("J06.9", None),
        ("J06.8", "Такого кода МКБ нет в справочнике"),
        ("j06.9", "Неверный формат кода МКБ"),
        ("М54.5", "Неверный формат кода МКБ: первая буква должна быть латинской"),
        ("J06.", "Неверный формат кода МКБ"),
    ],
)
def test_a_code_of_a_disease_must_exist(code: str, fault: str | None):
    assert icd10({"J06.9"}.__contains__)(code) == fault


def test_without_a_reference_table_only_the_shape_of_the_code_is_checked():
    assert icd10()("J06.8") is None


@pytest.mark.parametrize("address", ["a@b@c.test", "a b@c.test", "a@test", "@c.test", "a@c..test"])
def test_what_is_no_address_is_refused(address: str):
    assert email(address) is not None


@pytest.mark.req("F320", "F321", "F322", "F323", "F324", "F325", "F326", "F381")
@pytest.mark.parametrize(
    ("action", "level"),
    [
        (Action.INTERNAL_QUERY, SignatureLevel.SIMPLE),
        (Action.SERVICE_NOTICE, SignatureLevel.SIMPLE),
        (Action.MEDICAL_ACT, SignatureLevel.ENHANCED),
        (Action.ANALYTICS, SignatureLevel.ENHANCED),
        (Action.PROFILE_SETTINGS, SignatureLevel.ENHANCED),
        (Action.PRESCRIPTION, SignatureLevel.QUALIFIED),
        (Action.REFERRAL, SignatureLevel.QUALIFIED),
        (Action.OFFICIAL_DOCUMENT, SignatureLevel.QUALIFIED),
        (Action.PATIENT_DATA, SignatureLevel.QUALIFIED),
    ],
)
def test_an_action_takes_its_level_and_every_higher_one(action: Action, level: SignatureLevel):
    for offered in SignatureLevel:
        found = check_signature(action, offered)
        assert (found is None) == (offered >= level)
        assert found is None or level.label in found.message


@pytest.mark.req("F320", "F321", "F322", "F323", "F324", "F325", "F326")
def test_every_action_has_a_level():
    assert set(REQUIRED_LEVEL) == set(Action)


BLOCKING = Blocking(errors=3, within=5 * MINUTE, lasts=30 * MINUTE)


@pytest.mark.req("F402")
@given(st.integers(0, 600))
def test_three_errors_close_the_cabinet_only_when_they_are_close_together(gap: int):
    errors = [NOON, NOON + timedelta(seconds=gap / 2), NOON + timedelta(seconds=gap)]
    until = BLOCKING.blocked_until(reversed(errors), errors[-1])
    assert until == (errors[-1] + BLOCKING.lasts if gap <= 300 else None)


@pytest.mark.req("F402")
def test_the_cabinet_opens_when_the_block_is_over():
    errors = [NOON] * 3
    assert BLOCKING.blocked_until(errors, NOON + 30 * MINUTE - timedelta(seconds=1))
    assert BLOCKING.blocked_until(errors, NOON + 30 * MINUTE) is None


@pytest.mark.req("F402")
def test_errors_yet_to_come_do_not_count():
    assert BLOCKING.blocked_until([NOON, NOON, NOON + MINUTE], NOON) is None


@pytest.mark.req("F402")
def test_blocking_is_a_setting_of_the_deployment():
    clock = ManualClock(NOON)
    assert Gosuslugi(clock=clock).blocked_until([NOON] * 99) is None
    assert Gosuslugi(clock=clock, blocking=BLOCKING).blocked_until([NOON] * 3) is not None


@pytest.mark.parametrize(("errors", "lasts"), [(0, MINUTE), (1, timedelta(0))])
def test_a_block_that_means_nothing_is_refused(errors: int, lasts: timedelta):
    with pytest.raises(UsageError):
        Blocking(errors=errors, within=MINUTE, lasts=lasts)
