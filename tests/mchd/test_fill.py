"""From two certificates to a power of attorney, and back to whose certificate it is."""

from __future__ import annotations

from datetime import date
from typing import Any

import attrs
import pytest

from medsign import mchd
from medsign.errors import InvalidDocument, UsageError
from medsign.mchd.model import PrincipalKind, RepresentativeKind
from medsign.pki.profile import FNS_OGRN


@pytest.mark.req("F176")
def test_a_representative_is_filled_from_his_certificate(doctor: Any):
    draft = mchd.representative_from(doctor)
    person = draft.build().party.person
    assert draft.kind is RepresentativeKind.PERSON
    assert (person.inn, person.snils) == ("999900000234", "999-000-002 16")
    assert person.details.name.surname == "Образцов"
    assert person.details.name.patronymic == "Тестович"
    assert person.details.email == "doctor@clinic.test"


@pytest.mark.req("F176")
def test_a_principal_is_filled_from_the_certificate_of_the_head(head: Any):
    draft = mchd.principal_from(head)
    assert draft.kind is PrincipalKind.ORGANIZATION
    party = draft.build().party.organization
    assert (party.organization.inn, party.organization.ogrn) == ("9999000006", "9999990000000")
    assert party.organization.address.region == "78"
    assert party.executives[0].person.position == "Главный врач"
    assert party.led_by_person


@pytest.mark.req("F177")
def test_what_a_certificate_cannot_give_is_listed_with_the_reason(doctor: Any, head: Any):
    asked = {
        field.path: (field.label_ru, field.mandatory)
        for field in mchd.representative_from(doctor).missing
    }
    assert asked == {
        "Пред/СведФизЛ/СведФЛ/@ДатаРожд": ("Дата рождения", True),
        "Пред/СведФизЛ/СведФЛ/УдЛичнФЛ": (
            "Сведения о документе, удостоверяющем личность физического лица",
            False,
        ),
    }
    missing = mchd.principal_from(head).missing
    assert [field.path.rpartition("/")[2] for field in missing] == ["@КПП", "АдрРФ"]
    assert "ЕГРЮЛ" in missing[0].why


def test_what_one_certificate_left_empty_is_listed_too(doctor: Any):
    draft = mchd.representative_from(attrs.evolve(doctor, snils=None))
    assert "Пред/СведФизЛ/@СНИЛС" in [field.path for field in draft.missing]


@pytest.mark.parametrize("kind", ["person", "sole_trader", "legal_entity"])
def test_a_patronymic_that_may_be_a_second_name_is_to_be_checked(doctor: Any, head: Any, kind: str):
    holder = attrs.evolve(head, kind=kind, ogrnip="999900000000012", patronymic="Мария")
    drafts = [mchd.principal_from(holder), mchd.representative_from(holder)]
    for draft in drafts:
        [asked] = [field for field in draft.missing if field.path.endswith("/ФИО/@Отчество")]
        assert (asked.label_ru, asked.mandatory) == ("Отчество", False)
        assert "проверьте отчество" in asked.why
        none = attrs.evolve(draft, person=attrs.evolve(draft.person, patronymic=None))
        assert asked.path not in [field.path for field in none.missing]


def test_an_empty_draft_misses_number_dates_and_powers(head: Any, doctor: Any):
    draft = mchd.Draft(
        principals=(mchd.principal_from(head),),
        representatives=(mchd.representative_from(doctor),),
    )
    root = "Доверенность/Документ/Довер"
    assert [field.path for field in draft.missing] == [
        f"{root}/СвДов/@НомДовер",
        f"{root}/СвДов/@ВнНомДовер",
        f"{root}/СвДов/@ДатаВыдДовер",
        f"{root}/СвДов/@СрокДейст",
        f"{root}/СвПолн",
        f"{root}/СвДоверит[1]/Доверит/РосОргДовер/СвРосОрг/@КПП",
        f"{root}/СвДоверит[1]/Доверит/РосОргДовер/СвРосОрг/АдрРег/АдрРФ",
        f"{root}/СвУпПред[1]/Пред/СведФизЛ/СведФЛ/@ДатаРожд",
        f"{root}/СвУпПред[1]/Пред/СведФизЛ/СведФЛ/УдЛичнФЛ",
    ]


@pytest.mark.req("F177")
def test_an_incomplete_draft_is_not_issued_and_the_refusal_lists_everything(head: Any, doctor: Any):
    draft = mchd.Draft(
        principals=(mchd.principal_from(head),),
        representatives=(mchd.representative_from(doctor),),
    )
    with pytest.raises(InvalidDocument) as caught:
        mchd.issue(draft)
    mandatory = [field.path for field in draft.missing if field.mandatory]
    assert [path for path, _ in caught.value.problems] == mandatory
    assert "«Дата рождения»" in caught.value.diagnostics()


def test_a_draft_with_a_wrong_value_is_not_issued(draft: mchd.Draft):
    wrong = attrs.evolve(draft, valid_until=date(2026, 1, 1))
    with pytest.raises(InvalidDocument) as caught:
        mchd.issue(wrong)
    assert caught.value.problems[0][0].endswith("СвДов/@СрокДейст")


def test_a_draft_without_parties_is_not_issued(draft: mchd.Draft):
    with pytest.raises(InvalidDocument) as caught:
        mchd.issue(attrs.evolve(draft, representatives=()))
    assert [path for path, _ in caught.value.problems] == ["Доверенность/Документ/Довер/СвУпПред"]


@pytest.mark.req("F022")
def test_a_complete_draft_is_issued_without_findings(draft: mchd.Draft):
    assert draft.missing == ()
    assert mchd.validate(mchd.encode(mchd.issue(draft))) == ()


def test_the_strict_profile_demands_the_passport_at_issue(draft: mchd.Draft):
    person = attrs.evolve(draft.representatives[0].person, identity=None)
    bare = attrs.evolve(
        draft, representatives=(attrs.evolve(draft.representatives[0], person=person),)
    )
    assert mchd.issue(bare).terms.number == draft.number
    with pytest.raises(InvalidDocument):
        mchd.issue(bare, profile=mchd.STRICT)


@pytest.mark.parametrize("kind", ["person", "sole_trader"])
def test_persons_and_sole_traders_are_principals_too(draft: mchd.Draft, doctor: Any, kind: str):
    ogrnip = "999999900000002" if kind == "sole_trader" else None
    own = attrs.evolve(doctor, kind=kind, ogrnip=ogrnip)
    principal = mchd.principal_from(own)
    assert principal.missing == ()
    poa = mchd.issue(attrs.evolve(draft, principals=(principal,)))
    assert mchd.matches(poa.document.grant.principals[0], own).verdict == "matches"


@pytest.mark.parametrize("fill", [mchd.representative_from, mchd.principal_from])
def test_an_impersonal_certificate_fills_nobody(head: Any, fill: Any):
    with pytest.raises(UsageError):
        fill(attrs.evolve(head, kind="impersonal"))


def principal_of(poa: mchd.PowerOfAttorney) -> Any:
    return poa.document.grant.principals[0]


def test_the_head_signs_for_the_organization(poa: mchd.PowerOfAttorney, head: Any):
    result = mchd.matches(principal_of(poa), head)
    assert (result.verdict, result.rule) == (mchd.MatchVerdict.MATCHES, "ЮЛ")


@pytest.mark.parametrize(
    "changes,verdict,differing",
    [
        ({"inn_legal": "9999000007"}, "differs", ("ИННЮЛ",)),
        ({"ogrn": "9999990000001"}, "differs", ("ОГРН",)),
        ({"inn": "999900000234"}, "differs", ("ИННФЛ",)),
        ({"snils": "99900000216", "inn": "999900000234"}, "differs", ("ИННФЛ", "СНИЛС")),
        ({"ogrn": None}, "matches", ()),
        ({"snils": None}, "matches", ()),
        ({"inn": None}, "matches", ()),
        ({"inn": None, "snils": None}, "undecided", ()),
    ],
)
def test_a_certificate_of_an_organization_is_compared_by_its_numbers(
    poa: mchd.PowerOfAttorney,
    head: Any,
    changes: dict[str, Any],
    verdict: str,
    differing: tuple[str, ...],
):
    result = mchd.matches(principal_of(poa), attrs.evolve(head, **changes))
    assert (result.verdict, result.differing) == (verdict, differing)


def test_a_person_is_compared_by_inn_and_snils_and_not_by_name(
    poa: mchd.PowerOfAttorney, doctor: Any
):
    renamed = attrs.evolve(doctor, surname="Иначева")
    assert mchd.matches(poa.representatives[0], renamed).verdict == "matches"
    other = attrs.evolve(doctor, snils="99900000115")
    assert mchd.matches(poa.representatives[0], other).differing == ("СНИЛС",)


def test_a_missing_number_leaves_a_person_undecided(poa: mchd.PowerOfAttorney, doctor: Any):
    result = mchd.matches(poa.representatives[0], attrs.evolve(doctor, snils=None))
    assert (result.verdict, result.absent) == ("undecided", ("СНИЛС",))


def test_a_notary_certificate_is_compared_by_full_name(poa: mchd.PowerOfAttorney, doctor: Any):
    notary = attrs.evolve(doctor, position="Нотариус", surname="ОБРАЗЦОВ", inn=None, snils=None)
    result = mchd.matches(poa.representatives[0], notary, issuer_ogrn=FNS_OGRN)
    assert (result.verdict, result.rule) == ("matches", "нотариус")


def test_the_best_of_several_executives_counts(poa: mchd.PowerOfAttorney, head: Any, doctor: Any):
    principal = principal_of(poa)
    own = principal.party.organization
    second = attrs.evolve(own.executives[0], person=poa.representatives[0].party.person)
    party = attrs.evolve(
        principal.party, organization=attrs.evolve(own, executives=(second, own.executives[0]))
    )
    assert mchd.matches(attrs.evolve(principal, party=party), head).verdict == "matches"


def test_a_result_holds_no_personal_data(poa: mchd.PowerOfAttorney, doctor: Any):
    shown = str(mchd.matches(poa.representatives[0], attrs.evolve(doctor, snils="99900000115")))
    assert "999" not in shown
