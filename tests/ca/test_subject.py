from __future__ import annotations

import attrs
import pytest

from medsign.ca import (
    CERTIFICATE_STATUS,
    CHECK_STATUS,
    CHECKS,
    ESIA_STATUS,
    REQUEST_STATUS,
    REQUIRED_DOCUMENTS,
    SCENARIOS,
    ApplicantKind,
    Authority,
    CertificateState,
    CheckState,
    EsiaState,
    RenewalObstacle,
    RequestState,
    certificate_subject,
    mixed_alphabets,
)
from medsign.errors import InvalidDocument, InvalidIdentifier
from medsign.pki.profile import holder_of_name, looks_like_patronymic


def test_a_worker_s_certificate_names_no_organisation(head):
    holder = holder_of_name(certificate_subject(ApplicantKind.WORKER, head))
    assert (holder.kind, holder.organization, holder.position) == ("person", None, None)


@pytest.mark.req("F154", "F161")
def test_a_head_s_certificate_names_organisation_and_position(head):
    holder = holder_of_name(certificate_subject(ApplicantKind.HEAD, head))
    assert holder.inn_legal == head.organisation.inn.value
    assert (holder.position, holder.surname) == ("Главный врач", head.surname)


def test_an_entrepreneur_s_certificate_has_the_ogrnip(trader):
    holder = holder_of_name(certificate_subject(ApplicantKind.ENTREPRENEUR, trader))
    assert (holder.kind, holder.ogrnip) == ("sole_trader", trader.ogrnip.value)


def test_a_person_without_a_patronymic_has_a_certificate(anna):
    subject = attrs.evolve(anna, patronymic=None)
    assert holder_of_name(certificate_subject(ApplicantKind.WORKER, subject)).patronymic is None


@pytest.mark.parametrize("field", ["surname", "given_name"])
@pytest.mark.parametrize("blank", ["", " "])
def test_nobody_gets_a_certificate_without_a_name(anna, field, blank):
    with pytest.raises(InvalidDocument) as error:
        certificate_subject(ApplicantKind.WORKER, attrs.evolve(anna, **{field: blank}))
    assert [path for path, _ in error.value.problems] == [f"subject.{field}"]


@pytest.mark.parametrize(
    "changes, fields",
    [
        ({}, ()),
        ({"surname": "Tестова"}, ("subject.surname",)),
        (
            {"surname": "Oбразцова", "patronymic": "Пeтровна"},
            ("subject.surname", "subject.patronymic"),
        ),
        ({"given_name": "Аннa"}, ("subject.given_name",)),
        ({"given_name": "Анна-Maria", "patronymic": None}, ()),
        ({"surname": "O'Testova", "given_name": "Anna"}, ()),
    ],
)
def test_a_latin_letter_in_a_russian_word_is_shown(anna, changes, fields):
    subject = attrs.evolve(anna, **changes)
    assert mixed_alphabets(subject) == fields
    assert certificate_subject(ApplicantKind.WORKER, subject)


@pytest.mark.parametrize(
    "field, value",
    [
        ("series", "99 99"),
        ("series", "٩٩٩٩"),
        ("number", "99999"),
        ("number", "999999\n"),
        ("issuer_code", "999001"),
        ("issuer_code", "٩٩٩-٠٠١"),
    ],
)
def test_a_wrong_passport_is_refused_and_not_shown(anna, field, value):
    with pytest.raises(InvalidIdentifier) as error:
        attrs.evolve(anna.passport, **{field: value})
    assert value not in str(error.value) + repr(error.value.args) + error.value.diagnostics()


@pytest.mark.parametrize(
    "names, certain",
    [
        ("Анна Петровна", True),
        ("Ольга Ильинична", True),
        ("Пётр Кузьмич", True),
        ("АННА ПЕТРОВНА", True),
        ("Али Ахмед оглы", True),
        ("Айгуль Нурлан кызы", True),
        ("Анна Мария", False),
        ("Жан Поль", False),
    ],
)
def test_a_second_given_name_does_not_look_like_a_patronymic(anna, names, certain):
    given, _, second = names.partition(" ")
    subject = attrs.evolve(anna, given_name=given, patronymic=second)
    holder = holder_of_name(certificate_subject(ApplicantKind.WORKER, subject))
    assert looks_like_patronymic(holder.patronymic) == certain


def test_a_region_code_has_digits_of_this_alphabet(anna):
    for region, code in (("78 г. Санкт-Петербург", "78"), ("٧٨ г. Санкт-Петербург", None)):
        subject = attrs.evolve(anna, region=region)
        assert (
            holder_of_name(certificate_subject(ApplicantKind.WORKER, subject)).region_code == code
        )


def test_an_obstacle_speaks_of_an_entrepreneur_too():
    assert RenewalObstacle.OTHER_AUTHORITY.label == "для руководителя и ИП нужен сертификат УЦ ФНС"


@pytest.mark.req("F090")
@pytest.mark.parametrize(
    "applicant, fields",
    [
        (ApplicantKind.HEAD, {"subject.organisation", "subject.position"}),
        (ApplicantKind.ENTREPRENEUR, {"subject.ogrnip"}),
    ],
)
def test_missing_data_are_named(anna, applicant, fields):
    with pytest.raises(InvalidDocument) as error:
        certificate_subject(applicant, anna)
    assert {path for path, _ in error.value.problems} == fields


def test_the_tables_have_a_row_for_each_kind():
    assert set(CHECKS) == set(REQUIRED_DOCUMENTS) == set(ApplicantKind)
    assert set(SCENARIOS) == set(Authority)


@pytest.mark.parametrize(
    "model, states",
    [
        (REQUEST_STATUS, RequestState),
        (CERTIFICATE_STATUS, CertificateState),
        (CHECK_STATUS, CheckState),
        (ESIA_STATUS, EsiaState),
    ],
)
def test_every_state_is_in_its_table(model, states):
    assert set(model.states) == set(states)


@pytest.mark.req("F109")
@pytest.mark.parametrize(
    "letter, state",
    [
        ("Q", RequestState.DOCUMENTS_CHECK),
        ("A", RequestState.IDENTIFICATION),
        ("P", RequestState.ISSUING),
        ("C", RequestState.ISSUED),
        ("K", RequestState.INSTALLED),
        ("R", RequestState.REJECTED),
        ("D", RequestState.REJECTED),
        ("E", RequestState.ERROR),
    ],
)
def test_the_letters_of_cryptopro_ca_are_known(letter, state):
    assert REQUEST_STATUS.recognise(letter).code == state


def test_a_state_never_seen_is_kept():
    assert REQUEST_STATUS.recognise("Передана в архив").label.endswith("«Передана в архив»")
