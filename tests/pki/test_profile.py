"""Holders read by the Russian profile, and what a qualified certificate must hold."""

from __future__ import annotations

from datetime import UTC, datetime

import attrs
import pytest

from medsign.codec.asn1 import make_name, oids
from medsign.mchd.fill import Holder as HolderOfPowers
from medsign.mchd.fill import representative_from
from medsign.pki.issuing import (
    OCSP_SERVICE,
    QUALIFIED,
    ROOT_CA,
    SUBORDINATE_CA,
    TIMESTAMP_SERVICE,
    make_request,
    subject_name,
)
from medsign.pki.profile import (
    ProfileRule,
    holder_of,
    holder_of_name,
    is_qualified_profile,
    profile_findings,
    tool_class,
)

INN, SNILS, INN_LEGAL, OGRN = "999900000097", "99900000115", "9999000006", "1999900000000"


def holder(*attributes, **values):
    return holder_of_name(make_name(attributes) if attributes else subject_name(**values))


@pytest.mark.req("F176")
def test_a_person_is_read_from_a_certificate(authority):
    certificate = authority.person.certificate
    person = holder_of(certificate)
    assert attrs.asdict(person) == {
        "kind": "person",
        "serial_number": certificate.serial_number,
        "surname": "Тестова",
        "given_name": "Анна",
        "patronymic": "Петровна",
        "inn": INN,
        "snils": SNILS,
        "inn_legal": None,
        "ogrn": None,
        "ogrnip": None,
        "organization": None,
        "position": None,
        "email": "anna@test.invalid",
        "region_code": "78",
    }


@pytest.mark.req("F176")
def test_the_holder_fills_a_representative(authority):
    person: HolderOfPowers = holder_of(authority.person.certificate)
    draft = representative_from(person)
    assert (draft.person.surname, draft.person.inn) == ("Тестова", INN)


def test_the_head_of_an_organisation_is_a_person_with_a_position():
    head = holder(
        surname="Тестов",
        given_names="Пётр",
        inn=INN,
        snils=SNILS,
        inn_legal=INN_LEGAL,
        ogrn=OGRN,
        organization="ООО «Тестовая клиника»",
        common_name="ООО «Тестовая клиника»",
        position="Главный врач",
        region="47 Ленинградская область",
    )
    assert (head.kind, head.position, head.patronymic) == ("legal_entity", "Главный врач", None)
    assert (head.inn, head.inn_legal, head.ogrn) == (INN, INN_LEGAL, OGRN)
    assert (head.organization, head.region_code) == ("ООО «Тестовая клиника»", "47")


def test_a_sole_trader_is_known_by_ogrnip():
    trader = holder(surname="Тестов", given_names="Пётр Ильич", inn=INN, ogrnip="999999900000002")
    assert (trader.kind, trader.ogrnip) == ("sole_trader", "999999900000002")


def test_an_organisation_without_a_person_is_impersonal():
    clinic = holder(
        inn_legal=INN_LEGAL, ogrn=OGRN, organization="ООО «Тест»", position="Главный врач"
    )
    assert (clinic.kind, clinic.surname, clinic.position) == ("impersonal", None, None)
    assert clinic.inn_legal == INN_LEGAL


@pytest.mark.parametrize(
    "value, inn, inn_legal",
    [
        (INN, INN, None),
        ("00" + INN_LEGAL, None, INN_LEGAL),
        (INN_LEGAL, None, INN_LEGAL),
        ("9999", None, None),
    ],
)
def test_the_old_attribute_may_hold_the_number_of_an_organisation(value, inn, inn_legal):
    read = holder((oids.SURNAME, "Тестов"), (oids.INN, value))
    assert (read.inn, read.inn_legal) == (inn, inn_legal)
    assert read.kind == ("legal_entity" if inn_legal else "person")


def test_a_number_of_a_wrong_length_is_not_taken_for_the_organisation():
    assert holder((oids.SURNAME, "Т"), (oids.INN_LEGAL_ENTITY, INN)).inn_legal is None


@pytest.mark.parametrize(
    "common_name, names",
    [
        ("Тестова Анна Петровна", ("Тестова", "Анна", "Петровна")),
        ("Тестова Анна", ("Тестова", "Анна", None)),
        ("Тестова Анна Петровна кызы", (None, None, None)),
        ("", (None, None, None)),
    ],
)
def test_a_common_name_of_up_to_three_words_is_split(common_name, names):
    attributes = [(oids.SNILS, SNILS)] + [(oids.COMMON_NAME, common_name)] * bool(common_name)
    read = holder(*attributes)
    assert (read.surname, read.given_name, read.patronymic) == names


@pytest.mark.parametrize("other", [oids.ORGANIZATION, oids.TITLE])
def test_a_common_name_that_is_the_organisation_or_the_position_is_no_person(other):
    read = holder((oids.SNILS, SNILS), (oids.COMMON_NAME, "Тест"), (other, "Тест"))
    assert read.kind == "impersonal"


def test_a_common_name_is_not_split_where_nothing_says_person():
    assert holder((oids.COMMON_NAME, "Тестова Анна Петровна")).kind == "impersonal"


def test_given_names_are_split_at_the_first_space():
    read = holder((oids.SURNAME, "Тестов"), (oids.GIVEN_NAME, "Али Гасан оглы"))
    assert (read.given_name, read.patronymic) == ("Али", "Гасан оглы")


def test_the_holder_of_a_request_has_no_serial_number(authority):
    request = make_request(authority.person.certificate.subject, authority.person)
    assert holder_of(request) == attrs.evolve(
        holder_of(authority.person.certificate), serial_number=None
    )


def test_no_personal_data_is_in_the_repr(authority):
    shown = repr(holder_of(authority.person.certificate))
    assert not any(value in shown for value in ("Тестова", "Анна", INN, SNILS, "anna@"))


def test_our_templates_are_qualified(authority):
    for signer in (authority.person, authority.tsa, authority.responder):
        assert profile_findings(signer.certificate) == ()
    for signer in (authority.root, authority.ca):
        assert is_qualified_profile(signer.certificate)
    assert tool_class(authority.person.certificate) == "КС2"


@pytest.mark.parametrize(
    "change, rule",
    [
        ({"subject_sign_tool": None}, ProfileRule.SUBJECT_SIGN_TOOL),
        ({"issuer_sign_tool": None}, ProfileRule.ISSUER_SIGN_TOOL),
        ({"identification_kind": None}, ProfileRule.IDENTIFICATION_KIND),
        ({"policies": ()}, ProfileRule.TOOL_CLASS),
        ({"policies": ("1.2.3",)}, ProfileRule.TOOL_CLASS),
        ({"key_usage": ("digitalSignature",)}, ProfileRule.KEY_USAGE),
        ({"key_period": None}, ProfileRule.KEY_PERIOD),
    ],
)
def test_what_is_missing_is_named(authority, change, rule):
    certificate = authority.certify(attrs.evolve(QUALIFIED, **change)).certificate
    assert profile_findings(certificate) == (rule,)
    assert is_qualified_profile(certificate) != rule.mandatory


@pytest.mark.parametrize(
    "values, rule",
    [
        ({"surname": "Тестов", "inn": INN}, ProfileRule.PERSON_NUMBERS),
        ({"surname": "Тестов", "snils": SNILS}, ProfileRule.PERSON_NUMBERS),
        ({"surname": "Тестов", "inn_legal": INN_LEGAL}, ProfileRule.LEGAL_NUMBERS),
        ({"organization": "Тест", "ogrn": OGRN}, ProfileRule.LEGAL_NUMBERS),
        ({"organization": "Тест", "inn_legal": INN_LEGAL}, ProfileRule.LEGAL_NUMBERS),
        (
            {"common_name": "Тест", "inn_legal": INN_LEGAL, "ogrn": OGRN},
            ProfileRule.ORGANIZATION,
        ),
        (
            {"surname": "Тестов", "common_name": "", "inn": INN, "snils": SNILS},
            ProfileRule.COMMON_NAME,
        ),
    ],
)
def test_the_numbers_of_the_holder_are_demanded(authority, values, rule):
    certificate = authority.certify(QUALIFIED, subject=subject_name(**values)).certificate
    assert profile_findings(certificate) == (rule,)


def test_a_bare_name_is_nobody(authority):
    subject = make_name([(oids.COMMON_NAME, "Тест")])
    certificate = authority.certify(QUALIFIED, subject=subject).certificate
    broken = (ProfileRule.LEGAL_NUMBERS, ProfileRule.ORGANIZATION)
    assert profile_findings(certificate) == broken
    assert not is_qualified_profile(certificate)


def test_the_kind_of_identification_is_not_demanded_of_old_certificates(authority):
    template = attrs.evolve(QUALIFIED, identification_kind=None)
    old = authority.certify(template, not_before=datetime(2021, 8, 31, 20, 59, tzinfo=UTC))
    new = authority.certify(template, not_before=datetime(2021, 8, 31, 21, tzinfo=UTC))
    assert profile_findings(old.certificate) == ()
    assert profile_findings(new.certificate) == (ProfileRule.IDENTIFICATION_KIND,)


def test_each_rule_has_its_own_code_and_words():
    assert len({rule.code for rule in ProfileRule}) == len(ProfileRule)
    assert all(rule.russian for rule in ProfileRule)


def test_templates_differ_in_what_they_are_for():
    templates = (QUALIFIED, ROOT_CA, SUBORDINATE_CA, TIMESTAMP_SERVICE, OCSP_SERVICE)
    assert len(set(templates)) == len(templates)
