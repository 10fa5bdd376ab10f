"""Layers of validation: each rule by one document that breaks it, with the exact path."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign import mchd
from medsign.codec.xml.binding import table
from medsign.mchd.model import (
    Ancestry,
    CitizenshipKind,
    Delegation,
    Delegator,
    DelegatorParty,
    Document,
    Limit,
    MachinePower,
    Parent,
    ParentForm,
    ParentOrder,
    PowerOfAttorney,
    PowersKind,
    PrincipalKind,
    Redelegation,
    RepresentativeKind,
    Revocability,
    Terms,
)
from medsign.mchd.powers import machine_powers
from medsign.mchd.rules import RULES

GRANT = "Доверенность/Документ/Довер"
ORGANIZATION = f"{GRANT}/СвДоверит[1]/Доверит/РосОргДовер"
PERSON = f"{GRANT}/СвУпПред[1]/Пред/СведФизЛ"


def change(value: Any, route: str, new: Any) -> Any:
    """Return a copy of an object with one value replaced; a number in the route is a position."""
    step, _, rest = route.partition(".")
    if step.isdigit():
        place = int(step)
        inner = change(value[place], rest, new) if rest else new
        return (*value[:place], inner, *value[place + 1 :])
    inner = change(getattr(value, step), rest, new) if rest else new
    return attrs.evolve(value, **{step: inner})


def codes(poa: PowerOfAttorney, **options: Any) -> list[tuple[str, str]]:
    return [(each.code, each.path) for each in mchd.validate(mchd.encode(poa), **options)]


ORG = "document.grant.principals.0.party.organization"
REP = "document.grant.representatives.0.party.person"
TERMS = "document.grant.terms"
POWERS = "document.grant.powers"


@pytest.mark.parametrize(
    "route,new,expected",
    [
        (f"{ORG}.organization.inn", None, ("rule.organization", "/СвРосОрг/@ИННЮЛ")),
        (f"{ORG}.organization.ogrn", None, ("rule.organization", "/СвРосОрг/@ОГРН")),
        (f"{ORG}.organization.address", None, ("rule.organization", "/СвРосОрг/АдрРег")),
        (f"{ORG}.organization.address.text", None, ("rule.address", "/СвРосОрг/АдрРег/АдрРФ")),
        (
            f"{ORG}.executives.0.person.snils",
            None,
            ("rule.executive", "/ЛицоБезДов[1]/СвФЛ/@СНИЛС"),
        ),
        (
            f"{ORG}.executives.0.person.position",
            None,
            ("rule.executive_position", "/ЛицоБезДов[1]/СвФЛ/@Должность"),
        ),
        (f"{ORG}.executives.0.person", None, ("rule.executive", "/ЛицоБезДов[1]/СвФЛ")),
        (f"{ORG}.led_by_person", False, ("rule.executive_kind", "")),
        (f"{ORG}.led_by_company", True, ("rule.executive", "/ЛицоБезДов[1]/СВЮЛ")),
        (f"{ORG}.led_by_sole_trader", True, ("rule.executive", "/ЛицоБезДов[1]/СвИП")),
        (f"{ORG}.organization.inn", "9999000005", ("checksum.innlegal", "/СвРосОрг/@ИННЮЛ")),
        (f"{ORG}.organization.ogrn", "9999990000001", ("checksum.ogrn", "/СвРосОрг/@ОГРН")),
    ],
)
def test_a_rule_about_the_principal_names_its_field(
    poa: PowerOfAttorney, route: str, new: object, expected: tuple[str, str]
):
    code, path = expected
    assert codes(change(poa, route, new)) == [(code, ORGANIZATION + path)]


@pytest.mark.parametrize(
    "route,new,expected",
    [
        (f"{REP}.inn", None, ("rule.representative", "/@ИННФЛ")),
        (f"{REP}.snils", None, ("rule.representative", "/@СНИЛС")),
        (f"{REP}.details.birth_date", None, ("rule.representative", "/СведФЛ/@ДатаРожд")),
        (f"{REP}.details.identity", None, ("rule.identity", "/СведФЛ/УдЛичнФЛ")),
        (
            f"{REP}.details.identity.issuer",
            None,
            ("rule.identity_issuer", "/СведФЛ/УдЛичнФЛ/@ВыдДок"),
        ),
        (
            f"{REP}.details.identity.kind",
            "22",
            ("rule.identity_expiry", "/СведФЛ/УдЛичнФЛ/expDate"),
        ),
        (
            f"{REP}.details.identity.number",
            "9999000001",
            ("rule.passport_number", "/СведФЛ/УдЛичнФЛ/@СерНомДок"),
        ),
        (
            f"{REP}.details.identity.issuer_code",
            "999 001",
            ("rule.passport_issuer_code", "/СведФЛ/УдЛичнФЛ/@КодВыдДок"),
        ),
        (
            f"{REP}.details.citizenship_kind",
            CitizenshipKind.FOREIGN,
            ("rule.citizenship", "/СведФЛ/@Гражданство"),
        ),
        (f"{REP}.details.birth_date", date(2026, 3, 1), ("dates.birth", "/СведФЛ/@ДатаРожд")),
        (f"{REP}.inn", "999900000235", ("checksum.inn", "/@ИННФЛ")),
        (f"{REP}.snils", "999-000-002 17", ("checksum.snils", "/@СНИЛС")),
    ],
)
def test_a_rule_about_the_representative_names_its_field(
    poa: PowerOfAttorney, route: str, new: object, expected: tuple[str, str]
):
    code, path = expected
    assert codes(change(poa, route, new)) == [(code, PERSON + path)]


@pytest.mark.parametrize(
    "route,new,expected",
    [
        (
            "document.grant.principals.0.kind",
            PrincipalKind.PERSON,
            ("rule.party", f"{GRANT}/СвДоверит[1]/Доверит"),
        ),
        (
            "document.grant.representatives.0.kind",
            RepresentativeKind.BRANCH,
            ("rule.party", f"{GRANT}/СвУпПред[1]/Пред"),
        ),
        (f"{POWERS}.text", None, ("rule.powers_text", f"{GRANT}/СвПолн/ТекстПолн")),
        (
            f"{TERMS}.revocability",
            Revocability.IRREVOCABLE,
            ("rule.irrevocable", f"{GRANT}/СвДов/Безотзыв"),
        ),
        (f"{TERMS}.valid_until", date(2026, 2, 28), ("dates.order", f"{GRANT}/СвДов/@СрокДейст")),
        ("flags", "10000000", ("rule.flags", "Доверенность/@ПрЭлФорм")),
        ("flags", "00000001", ("rule.flags", "Доверенность/@ПрЭлФорм")),
        ("flags", "00100000", ("rule.notarization", "Доверенность/@ПрЭлФорм")),
        ("file_id", "ON_EMCHD_1", ("file.id", "Доверенность/@ИдФайл")),
        (
            "file_id",
            "ON_EMCHD_20260301_00000000-0000-4000-8000-000000000001",
            ("file.number", "Доверенность/@ИдФайл"),
        ),
    ],
)
def test_a_rule_about_the_document_names_its_field(
    poa: PowerOfAttorney, route: str, new: object, expected: tuple[str, str]
):
    assert codes(change(poa, route, new)) == [expected]


def test_machine_powers_of_which_there_are_none_are_missing(poa: PowerOfAttorney):
    powers = attrs.evolve(poa.powers, kind=PowersKind.MACHINE, text=None)
    assert codes(change(poa, POWERS, powers)) == [
        ("rule.powers_machine", f"{GRANT}/СвПолн/МашПолн[1]")
    ]


def test_limits_are_numbered_from_one(poa: PowerOfAttorney):
    limit = Limit(ordinal=2, code="LIM_03", name="Лимит по сумме", value_text="100")
    powers = machine_powers([MachinePower(code="KLASS_2.0_SIGN", name="х", limits=(limit,))])
    assert codes(change(poa, POWERS, powers)) == [
        ("rule.limit_order", f"{GRANT}/СвПолн/МашПолн[1]")
    ]


def test_the_tax_flag_brings_its_own_fields(poa: PowerOfAttorney):
    assert set(codes(attrs.evolve(poa, flags="00010000"))) == {
        ("rule.tax_file_id", "Доверенность/@ИдФайлНО"),
        ("rule.tax_form", "Доверенность/Документ/@КНД"),
        ("rule.tax_office", f"{GRANT}/СвДов/@КодНО"),
        ("rule.tax_citizenship", f"{PERSON}/СведФЛ/@ПрГражд"),
        ("rule.tax_citizenship", f"{ORGANIZATION}/ЛицоБезДов[1]/СвФЛ/СведФЛ/@ПрГражд"),
    }


def test_the_passport_is_mandatory_only_by_the_strict_profile(poa: PowerOfAttorney):
    data = mchd.encode(change(poa, f"{REP}.details.identity", None))
    relaxed, strict = (mchd.validate(data, profile=p) for p in (mchd.RELAXED, mchd.STRICT))
    assert [each.severity for each in relaxed] == [mchd.Severity.WARNING]
    assert [each.severity for each in strict] == [mchd.Severity.ERROR]


def test_a_profile_may_leave_a_rule_out(poa: PowerOfAttorney):
    data = mchd.encode(change(poa, f"{REP}.details.identity", None))
    lenient = mchd.Profile(name="без паспорта", severities={"rule.identity": None})
    assert mchd.validate(data, profile=lenient) == ()


def delegation(poa: PowerOfAttorney, **changes: Any) -> PowerOfAttorney:
    """Return a delegation by a clinic within a year of the first power of attorney."""
    grant = poa.document.grant
    assert grant is not None
    fields: dict[str, Any] = {
        "ancestry": Ancestry.FROM_FIRST,
        "first": Parent(
            order=ParentOrder.FIRST,
            form=ParentForm.ELECTRONIC,
            issued=date(2026, 1, 1),
            valid_until=date(2027, 12, 31),
            first_number="00000000-0000-4000-8000-000000000001",
        ),
        "terms": grant.terms,
        "delegators": (
            Delegator(
                kind=RepresentativeKind.ORGANIZATION,
                party=DelegatorParty(organization=grant.principals[0].party.organization),
            ),
        ),
        "representatives": grant.representatives,
        "powers": grant.powers,
        **changes,
    }
    return attrs.evolve(poa, document=Document(delegation=Delegation(**fields)))


def test_a_delegation_by_an_organization_needs_no_notary(poa: PowerOfAttorney):
    assert codes(delegation(poa)) == []


def test_a_delegation_by_a_sole_trader_needs_a_notary(poa: PowerOfAttorney, doctor: Any):
    trader = attrs.evolve(doctor, kind="sole_trader", ogrnip="999999000000000")
    party = mchd.representative_from(trader).build().party.sole_trader
    delegators = (
        Delegator(kind=RepresentativeKind.SOLE_TRADER, party=DelegatorParty(sole_trader=party)),
    )
    found = codes(delegation(poa, delegators=delegators))
    assert ("rule.notary", "Доверенность/Документ/Передов/СвНотУд") in found


def test_a_delegation_of_a_delegation_names_its_parent(poa: PowerOfAttorney):
    assert codes(delegation(poa, ancestry=Ancestry.FROM_REDELEGATED)) == [
        ("rule.parent", "Доверенность/Документ/Передов/СвПередов")
    ]


@pytest.mark.parametrize(
    "terms,path",
    [
        ({"issued": date(2025, 12, 31)}, "@ДатаВыдДовер"),
        ({"valid_until": date(2028, 1, 1)}, "@СрокДейст"),
    ],
)
def test_a_delegation_lies_inside_the_period_of_its_parent(
    poa: PowerOfAttorney, terms: dict[str, date], path: str
):
    found = codes(delegation(poa, terms=attrs.evolve(poa.terms, **terms)))
    assert found == [("dates.parent", f"Доверенность/Документ/Передов/СвПереДовер/{path}")]


@pytest.mark.parametrize(
    "moment,expected",
    [
        (datetime(2026, 2, 28, 20, 59, 59, tzinfo=UTC), ["dates.early"]),
        (datetime(2026, 2, 28, 21, 0, tzinfo=UTC), []),
        (datetime(2027, 2, 28, 20, 59, 59, tzinfo=UTC), []),
        (datetime(2027, 2, 28, 21, 0, tzinfo=UTC), ["dates.expired"]),
    ],
)
def test_the_first_and_the_last_day_count_wholly_in_moscow(
    document: bytes, moment: datetime, expected: list[str]
):
    assert [each.code for each in mchd.validate(document, at=moment)] == expected


TERMS_OF_A_YEAR = Terms(
    revocability=Revocability.REVOCABLE,
    redelegation=Redelegation.FORBIDDEN,
    internal_number="1",
    number="00000000-0000-4000-8000-000000000001",
    issued=date(2026, 3, 1),
    valid_until=date(2027, 2, 28),
    system="нет",
)


@given(st.integers(0, 3 * 365 * 24 * 60))
def test_the_state_follows_from_the_dates(minutes: int):
    at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    terms = TERMS_OF_A_YEAR
    local = (at + timedelta(hours=3)).date()
    state = mchd.state_at(terms, at)
    assert (state == mchd.PoaState.CREATED) == (local < terms.issued)
    assert (state == mchd.PoaState.EXPIRED) == (local > terms.valid_until)


def test_the_file_name_is_the_identifier_of_the_file(poa: PowerOfAttorney, document: bytes):
    good, bad = f"{poa.file_id}.xml", f"{poa.file_id.lower()}.xml"
    assert mchd.validate(document, file_name=good) == ()
    assert [each.code for each in mchd.validate(document, file_name=bad)] == ["file.name"]


def test_a_number_in_another_letter_case_is_only_warned_of(poa: PowerOfAttorney):
    shouted = attrs.evolve(poa, file_id=poa.file_id.upper())
    (finding,) = mchd.validate(mchd.encode(shouted))
    assert (finding.code, finding.severity) == ("file.number", mchd.Severity.WARNING)


def test_a_wrong_first_line_is_warned_of(document: bytes):
    quoted = document.replace(b'version="1.0"', b"version='1.0'", 1)
    assert [each.code for each in mchd.validate(quoted)] == ["file.declaration"]


@pytest.mark.parametrize(
    "data,code",
    [
        (b"<a", "xml.malformed"),
        (b"<!DOCTYPE a><a/>", "xml.malformed"),
        (b"<a>" * 70 + b"</a>" * 70, "xml.budget"),
    ],
)
def test_what_cannot_be_read_is_a_finding_and_not_an_exception(data: bytes, code: str):
    assert [each.code for each in mchd.validate(data)] == [code]


def test_a_broken_structure_leaves_the_later_layers_out(document: bytes):
    broken = document.replace("КПП=".encode(), "кпп=".encode())
    assert [(each.code, each.path) for each in mchd.validate(broken)] == [
        ("structure.unexpected", f"{ORGANIZATION}/СвРосОрг/@кпп"),
        ("structure.missing", f"{ORGANIZATION}/СвРосОрг/@КПП"),
    ]


CLASSIFIER = mchd.PowersClassifier.from_csv(
    "code,name,revoked\nEGISZ_LK_01,Подача заявок,\nOLD_POWER,Прежнее,31.12.2026\n".encode(),
    version="2026-01-01",
)


@pytest.mark.parametrize(
    "power,expected",
    [
        ("EGISZ_LK_01", []),
        ("OLD_POWER", ["powers.revoked"]),
        ("NO_SUCH_POWER", ["powers.unknown"]),
    ],
)
def test_powers_are_checked_against_the_classifier(
    poa: PowerOfAttorney, power: str, expected: list[str]
):
    powers = machine_powers([MachinePower(code=power, name="Полномочие")])
    changed = change(poa, POWERS, powers)
    found = mchd.validate(mchd.encode(changed), classifier=CLASSIFIER)
    assert [each.code for each in found] == expected
    assert all(each.path == f"{GRANT}/СвПолн/МашПолн[1]/@КодПолн" for each in found)


def test_no_message_holds_a_value_of_the_document(poa: PowerOfAttorney):
    secrets = {
        f"{REP}.inn": "999900000239",
        f"{REP}.snils": "999-000-002 99",
        f"{REP}.details.identity.number": "СЕКРЕТНЫЙНОМЕР",
        f"{REP}.details.identity.issuer_code": "СЕКРЕТ7",
        f"{ORG}.organization.inn": "9999000009",
        "file_id": "ON_СЕКРЕТНЫЙФАЙЛ",
    }
    for route, secret in secrets.items():
        poa = change(poa, route, secret)
    found = mchd.validate(mchd.encode(poa), file_name="СЕКРЕТ.xml")
    assert len(found) >= len(secrets)
    shown = str(found)
    assert [secret for secret in (*secrets.values(), "СЕКРЕТ.xml") if secret in shown] == []


@given(st.integers(min_value=0))
def test_no_structural_message_holds_a_value_of_the_document(seed: int):
    rng = random.Random(seed)
    secret = "".join(rng.choices("qwzj", k=12))
    data = (
        f'<Доверенность xmlns="urn://x-artefacts/EMCHD_1" ВерсФорм="{secret}" ПрЭлФорм="{secret}"'
    )
    data += f'><Документ КНД="{secret}">{secret}</Документ></Доверенность>'
    found = mchd.validate(data.encode())
    assert found
    assert secret not in str(found)


def ends(cls: Any, route: str) -> bool:
    for step in route.split("."):
        row = next((row for row in table(cls).fields if row.python == step), None)
        if row is None:
            return False
        cls = row.child
    return True


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_route_of_a_rule_exists_in_the_model(rule: Any):
    routes: tuple[str, ...] = getattr(rule, "fields", None) or (rule.at,)
    assert [route for route in routes if route and not ends(rule.on, route)] == []
