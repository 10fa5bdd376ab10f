"""A document signed by a representative: four separate answers, each of three values."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest
from tests.persons import DOCTOR, HEAD

from medsign import cms, mchd
from medsign.ca.models import Authority
from medsign.codec.asn1 import decode_crl
from medsign.errors import UsageError
from medsign.mchd.model import Exercise
from medsign.pki import AccreditedList
from medsign.pki.accredited import Snapshot
from medsign.sandbox import Fault, FaultKind

NOON = datetime(2026, 3, 2, 9, tzinfo=UTC)
LETTER = "Отчёт о диспансеризации".encode()


@pytest.fixture
def verify(people) -> mchd.Verify:
    return verifying(people, NOON)


def verifying(
    people: Any, at: datetime, policy: cms.Policy = cms.DEFAULT, **changes: Any
) -> mchd.Verify:
    known = cms.Evidence(
        signature=b"",
        trust=people.pki.trust,
        certificates=people.pki.intermediates,
        crls=tuple(decode_crl(people.pki.crl(issuer)) for issuer in ("root", *Authority)),
        accredited=people.pki.accredited,
    )

    def verify(signature: bytes, content: bytes) -> cms.Report:
        evidence = attrs.evolve(known, signature=signature, content=content, **changes)
        return cms.verify(evidence, policy=policy, at=at)

    return verify


@pytest.fixture
def letter(people, verify) -> cms.Report:
    return verify(cms.sign(LETTER, people.doctor, at=NOON), LETTER)


@pytest.fixture
def package(document, signature) -> mchd.PoaPackage:
    return mchd.PoaPackage(name="poa.xml", document=document, signatures=(signature,))


@pytest.fixture
def case(package, letter, verify) -> mchd.Representation:
    """A case in which nothing is wrong."""
    case = mchd.Representation.of(package, letter, verify)
    told = mchd.PublicStatus(number=case.poa.terms.number, said="ACTIVE")
    return attrs.evolve(case, status=told)


def codes(part: mchd.Part) -> list[str]:
    return [finding.code for finding in part.findings]


def with_content(case: mchd.Representation, **changes: Any) -> mchd.Representation:
    document = case.poa.document
    grant = attrs.evolve(document.grant, **changes)
    poa = attrs.evolve(case.poa, document=attrs.evolve(document, grant=grant))
    return attrs.evolve(case, poa=poa)


@pytest.fixture
def with_powers(case) -> Callable[..., mchd.Representation]:
    def make(*powers: mchd.model.MachinePower, needed: set[str]) -> mchd.Representation:
        changed = with_content(case, powers=mchd.machine_powers(powers))
        return attrs.evolve(changed, powers=frozenset(needed))

    return make


def power(code: str, *limits: mchd.model.Limit) -> mchd.model.MachinePower:
    return mchd.model.MachinePower(code=code, name="Подписание", limits=limits)


@pytest.mark.req("F025", "F026")
def test_a_document_signed_by_the_representative_in_term_binds_the_principal(case):
    report = mchd.judge(case)
    assert report.answer is mchd.Answer.YES
    assert report.answer.russian == "Подтверждено"


def test_each_result_is_refuted_alone(case, letter):
    broken = attrs.evolve(letter, indication=cms.Indication.TOTAL_FAILED)
    report = mchd.judge(attrs.evolve(case, document=broken))
    assert report.document.answer is mchd.Answer.NO
    assert report.representative.answer is mchd.Answer.YES
    assert report.powers.answer is mchd.Answer.YES
    assert report.power_of_attorney.answer is mchd.Answer.YES
    assert report.answer is mchd.Answer.NO


def test_a_signature_that_is_not_proved_asks_for_a_person(case, letter):
    doubtful = attrs.evolve(letter, indication=cms.Indication.INDETERMINATE)
    report = mchd.judge(attrs.evolve(case, document=doubtful))
    assert report.document.answer is mchd.Answer.MANUAL


NOBODY_ACCREDITED = AccreditedList([Snapshot(version="1", made_at=NOON, authorities=())])


@pytest.fixture
def verified(case, people, package) -> Callable[..., mchd.RepresentationReport]:
    """Judge the case with its signatures verified in another way."""

    def judged(policy: cms.Policy = cms.DEFAULT, **changes: Any) -> mchd.RepresentationReport:
        verify = verifying(people, NOON, policy, **changes)
        letter = verify(cms.sign(LETTER, people.doctor, at=NOON), LETTER)
        other = mchd.Representation.of(package, letter, verify)
        return mchd.judge(attrs.evolve(other, status=case.status))

    return judged


def test_signatures_that_are_not_qualified_bind_nobody(verified):
    report = verified(accredited=NOBODY_ACCREDITED)
    assert codes(report.document) == codes(report.power_of_attorney) == ["signature.unqualified"]
    assert report.answer is mchd.Answer.NO


def test_a_qualification_that_is_not_known_for_want_of_a_list_is_said_and_changes_nothing(verified):
    report = verified(accredited=None)
    assert report.answer is mchd.Answer.YES
    for part in (report.document, report.power_of_attorney):
        [note] = part.notes
        assert note.startswith("Квалифицированная ли подпись, не установлено.")


def test_of_a_qualified_signature_nothing_is_left_to_say(case):
    report = mchd.judge(case)
    assert (report.document.notes, report.power_of_attorney.notes) == ((), ())


def test_what_an_unsafe_policy_lets_pass_is_for_a_person(verified):
    report = verified(cms.UNSAFE_INTEGRITY)
    assert codes(report.document) == codes(report.power_of_attorney) == ["signature.unsafe"]
    assert report.answer is mchd.Answer.MANUAL


def test_a_document_signed_by_another_person_is_not_the_representatives(case, people, verify):
    other = verify(cms.sign(LETTER, people.head, at=NOON), LETTER)
    report = mchd.judge(attrs.evolve(case, document=other))
    assert codes(report.representative) == ["representative.differs"]


def test_representatives_who_act_together_must_all_sign(case):
    grant = case.poa.document.grant
    [representative] = grant.representatives
    person = attrs.evolve(representative.party.person, inn="999900000310")
    other = attrs.evolve(representative, party=attrs.evolve(representative.party, person=person))
    two = (representative, other)
    alone = with_content(case, representatives=two)
    assert mchd.judge(alone).representative.answer is mchd.Answer.YES
    together = with_content(alone, powers=attrs.evolve(grant.powers, exercise=Exercise.TOGETHER))
    assert codes(mchd.judge(together).representative) == ["representative.differs"]


def test_a_power_in_words_is_read_by_a_person(case):
    changed = with_content(case, powers=mchd.text_powers("Подписание документов для СФР"))
    assert mchd.judge(changed).powers.answer is mchd.Answer.MANUAL


@pytest.mark.req("F024")
def test_a_needed_code_must_be_among_the_powers(with_powers):
    assert mchd.judge(with_powers(power("EGISZ_LK_01"), needed={"EGISZ_LK_01"})).powers.answer is (
        mchd.Answer.YES
    )
    lacking = mchd.judge(with_powers(power("EGISZ_LK_01"), needed={"1_FBMSE01"})).powers
    assert codes(lacking) == ["powers.missing"]


def test_without_a_needed_code_nobody_can_say_whether_the_powers_suffice(with_powers):
    assert codes(mchd.judge(with_powers(power("EGISZ_LK_01"), needed=set())).powers) == [
        "powers.unasked"
    ]


def test_a_limit_to_one_certificate_is_checked(with_powers, people):
    serial = people.doctor.certificate.serial_number
    own = power("KLASS_2.0_SIGN", mchd.certificate_limit(serial))
    other = power("KLASS_2.0_SIGN", mchd.certificate_limit(serial + 1))
    assert mchd.judge(with_powers(own, needed={own.code})).powers.answer is mchd.Answer.YES
    assert codes(mchd.judge(with_powers(other, needed={own.code})).powers) == ["powers.certificate"]


@pytest.mark.parametrize("style", ["00{}", "{} ", "0x{}"])
@pytest.mark.parametrize("between", ["", " ", ":"])
def test_the_number_of_a_certificate_counts_and_not_its_spelling(
    with_powers, people, style, between
):
    limit = mchd.certificate_limit(people.doctor.certificate.serial_number)
    octets = bytes.fromhex(limit.value_text)
    spelled = attrs.evolve(
        limit, value_text=style.format(octets.hex(between) if between else octets.hex())
    )
    own = power("KLASS_2.0_SIGN", spelled)
    assert mchd.judge(with_powers(own, needed={own.code})).powers.answer is mchd.Answer.YES


@pytest.mark.parametrize("text", ["Иванова", "", None])
def test_a_limit_to_a_certificate_that_cannot_be_read_is_for_a_person(with_powers, text):
    own = power("KLASS_2.0_SIGN", attrs.evolve(mchd.certificate_limit(1), value_text=text))
    assert codes(mchd.judge(with_powers(own, needed={own.code})).powers) == ["powers.limited"]


def test_any_other_limit_is_compared_by_a_person(with_powers):
    limit = mchd.model.Limit(ordinal=1, code="LIM_03", name="Сумма", value_text="1000")
    limited = with_powers(power("KLASS_2.0_SIGN", limit), needed={"KLASS_2.0_SIGN"})
    assert mchd.judge(limited).powers.answer is mchd.Answer.MANUAL


LIMIT = mchd.model.Limit(ordinal=1, code="LIM_03", name="Сумма", value_text="1000")


@pytest.mark.parametrize(
    "limits, found",
    [
        (((LIMIT,), ()), ["powers.repeated"]),
        (((), (LIMIT,)), ["powers.repeated"]),
        (((), ()), []),
        (((LIMIT,), (LIMIT,)), ["powers.limited"]),
        (((mchd.certificate_limit(1),), ()), ["powers.repeated"]),
        (
            ((mchd.certificate_limit(1),), (mchd.certificate_limit(2),)),
            ["powers.certificate", "powers.repeated"],
        ),
    ],
)
def test_a_power_given_twice_is_judged_alike_in_either_order(with_powers, limits, found):
    given = (power("KLASS_2.0_SIGN", *each) for each in limits)
    judged = mchd.judge(with_powers(*given, needed={"KLASS_2.0_SIGN"}))
    assert codes(judged.powers) == found


def test_a_power_of_attorney_signed_by_somebody_else_is_refuted(case, document, people, verify):
    forged = verify(cms.sign(document, people.doctor, at=NOON), document)
    report = mchd.judge(attrs.evolve(case, poa_reports=(forged,)))
    assert codes(report.power_of_attorney) == ["poa.signer"]


def test_an_organization_is_not_bound_by_a_personal_certificate_of_its_head(
    case, package, people, letter, verify
):
    own = {name: value for name, value in HEAD.items() if name in DOCTOR}
    personal = people.pki.enrol(Authority.COMMERCIAL, **own)
    signed = attrs.evolve(package, signatures=(cms.sign(package.document, personal, at=NOON),))
    other = mchd.Representation.of(signed, letter, verify)
    judged = mchd.judge(attrs.evolve(other, status=case.status))
    assert codes(judged.power_of_attorney) == ["poa.personal"]
    assert judged.answer is mchd.Answer.MANUAL


def led_by_a_trader(case: mchd.Representation) -> mchd.Representation:
    [principal] = case.poa.document.grant.principals
    organization = principal.party.organization
    [head] = organization.executives
    trader = mchd.model.SoleTrader(
        ogrnip="999999900000002",
        inn=head.person.inn,
        snils=head.person.snils,
        details=head.person.details,
    )
    heads = (attrs.evolve(head, person=None, sole_trader=trader),)
    organization = attrs.evolve(organization, executives=heads)
    party = attrs.evolve(principal.party, organization=organization)
    return with_content(case, principals=(attrs.evolve(principal, party=party),))


@pytest.mark.parametrize(
    "changes, found",
    [
        ({}, []),
        ({"inn_legal": None, "ogrn": None, "ogrnip": "999999900000002"}, ["poa.personal"]),
        ({"inn_legal": "9999000007", "ogrnip": "999999900000002"}, ["poa.signer"]),
    ],
)
def test_a_trader_who_leads_an_organization_signs_with_its_certificate_too(case, changes, found):
    [report] = case.poa_reports
    [signer] = report.signers
    made = attrs.evolve(signer, holder=attrs.evolve(signer.holder, **changes))
    led = attrs.evolve(led_by_a_trader(case), poa_reports=(attrs.evolve(report, signers=(made,)),))
    assert codes(mchd.judge(led).power_of_attorney) == found


def with_second_head(case: mchd.Representation, exercise: Exercise) -> mchd.Representation:
    [principal] = case.poa.document.grant.principals
    organization = principal.party.organization
    [first] = organization.executives
    person = attrs.evolve(first.person, inn="999900000316", snils="999-000-003 17")
    heads = tuple(
        attrs.evolve(first, exercise=exercise, person=each) for each in (first.person, person)
    )
    organization = attrs.evolve(organization, executives=heads)
    party = attrs.evolve(principal.party, organization=organization)
    return with_content(case, principals=(attrs.evolve(principal, party=party),))


@pytest.mark.parametrize(
    "exercise, found", [(Exercise.ALONE, []), (Exercise.TOGETHER, ["poa.joint"])]
)
def test_heads_who_act_jointly_and_have_not_all_signed_are_for_a_person(case, exercise, found):
    judged = mchd.judge(with_second_head(case, exercise))
    assert codes(judged.power_of_attorney) == found


def test_heads_who_act_jointly_and_have_all_signed_bind(case):
    joint = with_second_head(case, Exercise.TOGETHER)
    [principal] = joint.poa.document.grant.principals
    second = principal.party.organization.executives[1].person
    [report] = case.poa_reports
    [signer] = report.signers
    holder = attrs.evolve(signer.holder, inn=second.inn, snils="99900000317")
    both = attrs.evolve(report, signers=(signer, attrs.evolve(signer, holder=holder)))
    judged = mchd.judge(attrs.evolve(joint, poa_reports=(both,)))
    assert codes(judged.power_of_attorney) == []


def test_a_power_of_attorney_that_nobody_signed_is_refuted(case):
    judged = mchd.judge(attrs.evolve(case, poa_reports=()))
    assert codes(judged.power_of_attorney) == ["poa.unsigned"]
    assert judged.power_of_attorney.answer is mchd.Answer.NO


def test_a_power_of_attorney_signed_after_the_document_asks_for_a_person(
    case, document, people, sandbox
):
    sandbox.clock.advance(timedelta(days=49))
    later = sandbox.clock.now()
    made = verifying(people, later)(cms.sign(document, people.head, at=later), document)
    judged = mchd.judge(attrs.evolve(case, poa_reports=(made,)))
    assert codes(judged.power_of_attorney) == ["poa.later"]


@pytest.mark.parametrize(
    "created, found",
    [
        ("2026-03-02T12:00:00+03:00", []),
        ("2026-03-02T12:00:01+03:00", ["poa.later"]),
        ("2026-04-20", []),
        (None, []),
    ],
)
def test_a_registration_after_the_document_asks_for_a_person(case, created, found):
    told = attrs.evolve(case.status, created=created)
    judged = mchd.judge(attrs.evolve(case, status=told))
    assert codes(judged.power_of_attorney) == found


NOTARY = mchd.model.Notary(
    position="Нотариус",
    register_number="99/9999",
    name=mchd.model.FullName(surname="Тестова", given_name="Анна", patronymic="Петровна"),
)
STANDING_IN = mchd.model.ActingNotary(
    position="ВРИО нотариуса", register_number="99/999", name=NOTARY.name
)
STRANGER = mchd.model.FullName(surname="Примеров", given_name="Илья")


@pytest.mark.parametrize(
    "position, notary, acting, found",
    [
        ("Нотариус", NOTARY.name, None, []),
        ("ВРИО нотариуса", STRANGER, STANDING_IN, []),
        ("Нотариус", STRANGER, None, ["poa.notary"]),
        ("Врач", NOTARY.name, None, ["poa.notary"]),
        (None, NOTARY.name, None, ["poa.notary"]),
    ],
)
def test_a_notarial_power_of_attorney_is_signed_by_its_notary(
    case, position, notary, acting, found
):
    notarized = with_content(
        case,
        notarization=mchd.model.Notarization(
            place="Тестоград",
            fee=Decimal(0),
            notary=attrs.evolve(NOTARY, name=notary),
            signatures=(),
            acting_notary=acting,
        ),
    )
    [report] = case.poa_reports
    [signer] = report.signers
    numbers = {"inn": "999900000316", "snils": "99900000317", "inn_legal": None, "ogrn": None}
    holder = attrs.evolve(signer.holder, position=position, **numbers)
    made = attrs.evolve(report, signers=(attrs.evolve(signer, holder=holder),))
    judged = mchd.judge(attrs.evolve(notarized, poa_reports=(made,)))
    assert codes(judged.power_of_attorney) == found


def test_a_document_outside_the_term_is_refuted(case):
    terms = attrs.evolve(case.poa.terms, valid_until=date(2026, 3, 1))
    report = mchd.judge(with_content(case, terms=terms))
    assert codes(report.power_of_attorney) == ["poa.term"]


def test_the_whole_last_day_in_moscow_is_in_the_term(case, people):
    last = datetime(2027, 2, 28, 20, 59, 59, tzinfo=UTC)
    for at, answer in ((last, []), (last + timedelta(seconds=1), ["poa.term"])):
        report = verifying(people, at)(cms.sign(LETTER, people.doctor, at=at), LETTER)
        judged = mchd.judge(attrs.evolve(case, document=report))
        assert codes(judged.power_of_attorney) == answer


def test_a_time_that_only_the_signer_claims_asks_for_a_person(case, people):
    later = datetime(2027, 3, 15, tzinfo=UTC)
    report = verifying(people, later)(cms.sign(LETTER, people.doctor, at=NOON), LETTER)
    judged = mchd.judge(attrs.evolve(case, document=report))
    assert codes(judged.power_of_attorney) == ["poa.term_unproved"]


@pytest.mark.parametrize(
    "said, answer",
    [
        ("ACTIVE", mchd.Answer.YES),
        ("EXPIRED", mchd.Answer.YES),
        ("CREATED", mchd.Answer.NO),
        ("REJECTED", mchd.Answer.NO),
        ("PROCESSING", mchd.Answer.NO),
        ("REVOKED", mchd.Answer.MANUAL),
        ("SUSPENDED", mchd.Answer.MANUAL),
    ],
)
def test_the_state_in_the_registry_decides(case, said, answer):
    told = attrs.evolve(case.status, said=said)
    assert mchd.judge(attrs.evolve(case, status=told)).power_of_attorney.answer is answer


@pytest.mark.parametrize(
    "revoked, answer",
    [
        (NOON + timedelta(hours=1), mchd.Answer.YES),
        (NOON, mchd.Answer.NO),
        (NOON - timedelta(hours=1), mchd.Answer.NO),
        (None, mchd.Answer.MANUAL),
    ],
)
def test_a_revocation_counts_from_its_moment(case, revoked, answer):
    change = mchd.StatusChange(said="REVOKED", at=revoked)
    history = mchd.Chronology(number=case.poa.terms.number, current=change, changes=(change,))
    told = attrs.evolve(case.status, said="REVOKED")
    judged = mchd.judge(attrs.evolve(case, status=told, history=history))
    assert judged.power_of_attorney.answer is answer


@pytest.mark.parametrize(
    "hours, answer", [(-5, mchd.Answer.NO), (None, mchd.Answer.MANUAL), (1, mchd.Answer.YES)]
)
@pytest.mark.parametrize("place", ["current", "changes"])
def test_a_revocation_counts_even_where_only_the_history_knows_it(case, place, hours, answer):
    at = None if hours is None else NOON + timedelta(hours=hours)
    lines = {"current": mchd.StatusChange(said="ACTIVE"), "changes": ()}
    revoked = mchd.StatusChange(said="REVOKED", at=at)
    lines[place] = revoked if place == "current" else (revoked,)
    history = mchd.Chronology(number=case.poa.terms.number, **lines)
    judged = mchd.judge(attrs.evolve(case, history=history))
    assert judged.power_of_attorney.answer is answer


def test_a_late_revocation_in_the_history_does_not_hide_a_refusal(case):
    revoked = mchd.StatusChange(said="REVOKED", at=NOON + timedelta(hours=1))
    history = mchd.Chronology(number=case.poa.terms.number, current=revoked)
    refused = attrs.evolve(case.status, said="REJECTED")
    judged = mchd.judge(attrs.evolve(case, status=refused, history=history))
    assert codes(judged.power_of_attorney) == ["registry.state"]


@pytest.mark.parametrize(
    "told, found",
    [
        ({"starts": "2026-03-02", "ends": "2026-03-02"}, []),
        ({"ends": "2026-03-01"}, ["poa.term"]),
        ({"starts": "2026-03-03"}, ["poa.term"]),
        ({"said": "EXPIRED", "changed": "2026-03-02T00:00:00+03:00"}, ["poa.term"]),
        ({"said": "EXPIRED", "changed": "2027-03-01T00:00:00+03:00"}, []),
    ],
)
def test_the_term_that_the_registry_knows_counts_beside_the_documents(case, told, found):
    judged = mchd.judge(attrs.evolve(case, status=attrs.evolve(case.status, **told)))
    assert codes(judged.power_of_attorney) == found


@pytest.mark.parametrize("part", ["status", "history"])
def test_the_registrys_words_about_another_number_are_not_judged_by(case, part):
    other = {
        "status": mchd.PublicStatus(number="0b", said="ACTIVE"),
        "history": mchd.Chronology(number="0b", current=mchd.StatusChange(said="ACTIVE")),
    }
    with pytest.raises(UsageError):
        attrs.evolve(case, **{part: other[part]})


def test_a_signature_that_only_claims_to_be_older_than_the_revocation_asks_for_a_person(
    case, people
):
    later = NOON + timedelta(days=1)
    letter = verifying(people, later)(cms.sign(LETTER, people.doctor, at=NOON), LETTER)
    change = mchd.StatusChange(said="REVOKED", at=NOON + timedelta(hours=1))
    history = mchd.Chronology(number=case.poa.terms.number, current=change, changes=(change,))
    told = attrs.evolve(case.status, said="REVOKED")
    judged = mchd.judge(attrs.evolve(case, document=letter, status=told, history=history))
    assert codes(judged.power_of_attorney) == ["registry.revoked_unproved"]


def test_a_representative_whom_the_certificate_does_not_identify_asks_for_a_person(case):
    [representative] = case.poa.document.grant.representatives
    person = attrs.evolve(representative.party.person, snils=None)
    nameless = attrs.evolve(representative, party=attrs.evolve(representative.party, person=person))
    judged = mchd.judge(with_content(case, representatives=(nameless,)))
    assert codes(judged.representative) == ["representative.undecided"]


def test_further_signatures_on_the_document_are_shown_to_a_person(case, people, verify):
    first = cms.sign(LETTER, people.doctor, at=NOON)
    both = verify(cms.sign(LETTER, people.head, at=NOON, beside=first), LETTER)
    judged = mchd.judge(attrs.evolve(case, document=both))
    assert codes(judged.representative) == ["representative.others"]


def test_a_stranger_beside_one_of_several_representatives_is_shown_to_a_person(
    case, people, verify
):
    [representative] = case.poa.document.grant.representatives
    person = attrs.evolve(representative.party.person, inn="999900000310")
    other = attrs.evolve(representative, party=attrs.evolve(representative.party, person=person))
    first = cms.sign(LETTER, people.doctor, at=NOON)
    both = verify(cms.sign(LETTER, people.head, at=NOON, beside=first), LETTER)
    named = with_content(case, representatives=(representative, other))
    judged = mchd.judge(attrs.evolve(named, document=both))
    assert codes(judged.representative) == ["representative.others"]


def test_a_representative_who_signed_twice_is_no_other_person(case, people, verify):
    first = cms.sign(LETTER, people.doctor, at=NOON)
    twice = verify(cms.sign(LETTER, people.doctor, at=NOON, beside=first), LETTER)
    assert codes(mchd.judge(attrs.evolve(case, document=twice)).representative) == []


def test_the_chain_of_a_delegated_power_of_attorney_is_checked_by_a_person(case):
    grant = case.poa.document.grant
    first = mchd.model.Parent(
        order=mchd.model.ParentOrder.FIRST,
        form=next(iter(mchd.model.ParentForm)),
        issued=grant.terms.issued,
        valid_until=grant.terms.valid_until,
    )
    delegation = mchd.model.Delegation(
        ancestry=next(iter(mchd.model.Ancestry)),
        first=first,
        terms=grant.terms,
        delegators=(),
        representatives=grant.representatives,
        powers=grant.powers,
    )
    document = attrs.evolve(case.poa.document, grant=None, delegation=delegation)
    poa = attrs.evolve(case.poa, document=document)
    judged = mchd.judge(attrs.evolve(case, poa=poa))
    assert codes(judged.power_of_attorney) == ["poa.delegated"]


class TestWithTheRegistry:
    @pytest.fixture
    def checked(self, registry, package, letter, verify) -> Callable[[], Any]:
        return lambda: registry.check(package, letter, verify)

    def test_a_registered_power_of_attorney_confirms(self, registry, checked, document, signature):
        registry.submit_and_wait(document, signature)
        assert checked().answer is mchd.Answer.YES

    @pytest.mark.req("F023")
    def test_a_signature_of_a_person_without_a_registered_one_binds_nobody(self, checked):
        assert codes(checked().power_of_attorney) == ["registry.absent"]

    def test_a_silent_registry_leaves_it_undecided(
        self, registry, sandbox, checked, document, signature
    ):
        registry.submit_and_wait(document, signature)
        sandbox.world.faults.add(Fault(kind=FaultKind.CONNECT, match="mchd.public", times=9))
        assert codes(checked().power_of_attorney) == ["registry.silent"]

    @pytest.mark.parametrize(
        "status, found",
        [(401, "registry.refused"), (403, "registry.refused"), (503, "registry.silent")],
    )
    def test_a_registry_that_refuses_to_answer_is_told_from_a_silent_one(
        self, registry, sandbox, checked, document, signature, status, found
    ):
        registry.submit_and_wait(document, signature)
        sandbox.world.faults.add(
            Fault(kind=FaultKind.STATUS, match="mchd.public", status=status, times=9)
        )
        [finding] = checked().power_of_attorney.findings
        assert finding.code == found
        assert (f"http-{status}" in finding.message) is (found == "registry.refused")

    def test_a_power_of_attorney_dated_back_asks_for_a_person(
        self, registry, sandbox, people, draft, letter, verify
    ):
        sandbox.clock.advance(timedelta(days=49))
        document = mchd.encode(mchd.issue(draft))
        signature = cms.sign(document, people.head, at=NOON)
        registry.submit_and_wait(document, signature)
        package = mchd.PoaPackage(name="poa.xml", document=document, signatures=(signature,))
        report = registry.check(package, letter, verify)
        assert codes(report.power_of_attorney) == ["poa.later"]

    def test_a_revocation_after_the_signature_is_told_from_one_before(
        self, registry, sandbox, people, poa, document, signature, package
    ):
        registry.submit_and_wait(document, signature)
        application = mchd.encode_revocation(mchd.revocation(poa, "Работник уволен"))
        signed = cms.sign(application, people.head, at=NOON)
        assert registry.settled(registry.revoke(application, signed))
        before, after = NOON, NOON + timedelta(hours=1)
        for at, answer in ((before, mchd.Answer.YES), (after, mchd.Answer.NO)):
            verify = verifying(people, at)
            letter = verify(cms.sign(LETTER, people.doctor, at=at), LETTER)
            report = registry.check(package, letter, verifying(people, NOON))
            assert report.power_of_attorney.answer is answer


def test_a_report_shows_no_personal_data(case, people, verify):
    other = verify(cms.sign(LETTER, people.head, at=NOON), LETTER)
    shown = repr(mchd.judge(attrs.evolve(case, document=other)))
    assert "Тестова" not in shown
    assert "999900000160" not in shown
