"""Lists beside the plain one: of changes, of some reasons, by other keys, by other authorities."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from medsign.codec.asn1 import (
    DistributionPoint,
    Extension,
    GeneralName,
    IssuingDistributionPoint,
    RevokedEntry,
    decode_crl,
    make_name,
    oids,
)
from medsign.codec.asn1 import extension_values as ext
from medsign.codec.asn1.extensions import REASON_FLAGS
from medsign.pki.claims import EvidencePolicy
from medsign.pki.issuing import QUALIFIED, SUBORDINATE_CA, issue_crl, subject_name
from medsign.pki.problems import ProblemCode
from medsign.pki.revocation import RevocationEvidence, check_revocation
from medsign.pki.trust import TrustStore

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ONE_LIST_FOR_ALL_KEYS = EvidencePolicy(lists_by_key=False)
HALVES = [frozenset(REASON_FLAGS[1:4]), frozenset(REASON_FLAGS[4:])]


def directory(certificate):
    return (GeneralName("directory", certificate.subject),)


@pytest.fixture
def crl(authority, now):
    """Return `crl(reason)`: a list of the authority, with the person on it if there is a reason."""

    def make(
        reason=None, *, number=1, made=-HOUR, signer=None, owner=None, of=None, base=None, **scope
    ):
        owner = owner or authority.person
        entry = RevokedEntry(
            serial_number=owner.certificate.serial_number,
            revocation_date=now - 9 * HOUR,
            reason=reason,
            invalidity_date=now - 10 * HOUR if reason else None,
            certificate_issuer=of,
        )
        extensions = []
        if scope:
            extensions.append(ext.issuing_distribution_point(IssuingDistributionPoint(**scope)))
        if base is not None:
            extensions.append(ext.delta_crl_indicator(base))
        return issue_crl(
            signer or authority.ca,
            number=number,
            this_update=now + made,
            next_update=now + made + DAY,
            entries=[entry] if reason else (),
            extensions=extensions,
        )

    return make


@pytest.fixture
def check(authority, now):
    """Return `check(*lists)`: the facts about the person."""

    def checked(*lists, owner=None, issuer=None, **options):
        return check_revocation(
            (owner or authority.person).certificate,
            (issuer or authority.ca).certificate,
            RevocationEvidence(crls=lists),
            at=now,
            **options,
        )

    return checked


def changed(crl):
    return decode_crl(crl.der[:-1] + bytes((crl.der[-1] ^ 1,)))


def codes(facts):
    return {problem.code for problem in facts.problems}


def test_a_list_of_changes_makes_a_full_one_newer(check, crl, now):
    old, delta = crl(made=-2 * DAY), crl(number=2, base=1)
    assert codes(check(old)) == {ProblemCode.STALE}
    facts = check(old, delta)
    assert (facts.status, facts.evidence_time) == ("good", now - HOUR)


def test_a_list_of_changes_revokes(check, crl):
    assert check(crl(), crl("keyCompromise", number=2, base=1)).status == "revoked"


def test_a_list_of_changes_takes_a_suspension_back(check, crl):
    removed = crl("removeFromCRL", number=2, base=1)
    assert check(crl("certificateHold"), removed).status == "good"


def test_a_list_of_changes_takes_nothing_but_a_suspension_back(check, crl):
    removed = crl("removeFromCRL", number=2, base=1)
    assert check(crl("keyCompromise"), removed).status == "revoked"


@pytest.mark.parametrize(
    "number, base", [(3, 2), (1, 1)], ids=["it adds to a newer list", "it is no newer"]
)
def test_a_list_of_changes_adds_only_to_a_list_of_its_time(check, crl, number, base):
    removed = crl("removeFromCRL", number=number, base=base)
    assert check(crl("certificateHold"), removed).status == "revoked"


def test_a_list_of_changes_of_another_scope_adds_nothing(check, crl):
    removed = crl("removeFromCRL", number=2, base=1, only_user_certificates=True)
    assert check(crl("certificateHold"), removed).status == "revoked"


def test_a_list_of_changes_that_names_another_key_or_is_not_understood_adds_nothing(check, crl):
    removed = crl("removeFromCRL", number=2, base=1)
    unknown = Extension("1.2.643.100.999", critical=True, value=b"\x05\x00")
    for other in (
        attrs.evolve(removed, authority_key_identifier=None),
        attrs.evolve(removed, extensions=(*removed.extensions, unknown)),
    ):
        assert check(crl("certificateHold"), other).status == "revoked"


def test_a_forged_or_stale_list_of_changes_adds_nothing(check, crl):
    genuine = crl("removeFromCRL", number=2, base=1)
    forged = changed(genuine)
    stale = crl("removeFromCRL", number=2, base=1, made=-3 * DAY)
    hold = crl("certificateHold")
    assert check(hold, forged).status == "revoked"
    assert check(hold, stale).status == "revoked"
    assert check(hold, forged, genuine).status == "good"


def test_the_newest_list_of_changes_counts(check, crl):
    hold, removed = crl("certificateHold"), crl("removeFromCRL", number=2, base=1)
    assert check(hold, removed, crl("keyCompromise", number=3, base=1)).status == "revoked"
    assert check(crl(), crl(number=2, base=1), crl(number=3, base=1)).status == "good"


def test_lists_of_some_reasons_say_good_together(check, crl, now):
    older, newer = (
        crl(only_reasons=half, made=made)
        for half, made in zip(HALVES, (-2 * HOUR, -HOUR), strict=True)
    )
    assert codes(check(older)) == codes(check(newer)) == {ProblemCode.OUT_OF_SCOPE}
    facts = check(newer, older)
    assert (facts.status, facts.evidence_time) == ("good", now - 2 * HOUR)


def test_a_list_of_some_reasons_counts_only_when_it_is_genuine_and_fresh(check, crl):
    one, other = (crl(only_reasons=half) for half in HALVES)
    assert check(one, changed(other)).status == "unknown"
    assert check(one, crl(only_reasons=HALVES[1], made=-3 * DAY)).status == "unknown"
    assert check(one, crl("superseded", only_reasons=HALVES[1])).status == "revoked"


def test_a_distribution_point_may_be_of_some_reasons(check, crl, authority):
    place = GeneralName("uri", "http://ca.test.invalid/1.crl")
    points = ext.crl_distribution_points(DistributionPoint(names=(place,), reasons=HALVES[0]))
    owner = authority.certify(attrs.evolve(QUALIFIED, others=(points,)))
    assert codes(check(crl(names=(place,)), owner=owner)) == {ProblemCode.OUT_OF_SCOPE}
    assert check(crl(), owner=owner).status == "good"  # the whole list of the issuer


def test_a_place_may_be_named_relative_to_the_issuer(check, crl, authority):
    whole = make_name([(oids.COMMON_NAME, "Список 1")])
    relative = b"\xa1" + whole.der[3:]  # the set inside, under another tag
    points = ext.crl_distribution_points(DistributionPoint(relative_name=relative))
    owner = authority.certify(attrs.evolve(QUALIFIED, others=(points,)))
    ca = authority.ca.certificate.subject
    named = make_name(
        [(each.oid, each.value) for each in ca.attributes] + [(oids.COMMON_NAME, "СПИСОК 1")]
    )
    here = crl(names=(GeneralName("directory", named),))
    assert check(here, owner=owner).status == "good"
    assert check(crl(relative_name=relative), owner=owner).status == "good"
    elsewhere = crl(names=directory(authority.root.certificate))
    assert codes(check(elsewhere, owner=owner)) == {ProblemCode.OUT_OF_SCOPE}


def test_a_relative_place_that_cannot_be_read_is_another_one(check, crl):
    broken = attrs.evolve(
        crl(), issuing_distribution_point=IssuingDistributionPoint(relative_name=b"\xa1\x01\x00")
    )
    assert codes(check(broken)) == {ProblemCode.OUT_OF_SCOPE}


@pytest.fixture
def renewed(authority):
    """The authority's next key."""
    template = attrs.evolve(SUBORDINATE_CA, key_usage=("cRLSign",))
    subject = authority.ca.certificate.subject
    return authority.certify(template, issuer=authority.root, subject=subject)


def test_a_list_by_another_key_revokes_but_says_good_only_where_one_list_is_for_all_keys(
    check, crl, authority, renewed
):
    at_hand = {"candidates": [renewed.certificate], "trust": authority.trust}
    good, revoked = crl(signer=renewed), crl("superseded", signer=renewed)
    assert codes(check(good, **at_hand)) == {ProblemCode.OUT_OF_SCOPE}
    assert check(revoked, **at_hand).status == "revoked"
    assert check(good, policy=ONE_LIST_FOR_ALL_KEYS, **at_hand).status == "good"


def test_another_key_is_believed_only_by_a_good_chain(check, crl, authority, renewed):
    policy = ONE_LIST_FOR_ALL_KEYS
    at_hand = {"candidates": [renewed.certificate], "policy": policy}
    assert codes(check(crl(signer=renewed), **at_hand)) == {ProblemCode.NO_EVIDENCE}
    other = TrustStore([authority.person.certificate])
    facts = check(crl(signer=renewed), trust=other, **at_hand)
    assert codes(facts) == {ProblemCode.NO_EVIDENCE}


def test_another_key_that_is_revoked_is_not_believed(check, crl, authority, renewed):
    at_hand = {
        "candidates": [renewed.certificate],
        "trust": authority.trust,
        "policy": ONE_LIST_FOR_ALL_KEYS,
    }
    gone = crl("keyCompromise", signer=authority.root, owner=renewed)
    assert codes(check(crl(signer=renewed), gone, **at_hand)) == {ProblemCode.NO_EVIDENCE}


@pytest.fixture
def charged(authority):
    """Somebody who keeps the list for the authority, and an owner whose certificate says so."""
    template = attrs.evolve(SUBORDINATE_CA, key_usage=("cRLSign",))
    keeper = authority.certify(
        template, issuer=authority.root, subject=subject_name(organization="Хранитель списков")
    )
    points = ext.crl_distribution_points(
        DistributionPoint(crl_issuer=directory(keeper.certificate))
    )
    return keeper, authority.certify(attrs.evolve(QUALIFIED, others=(points,)))


def test_a_list_may_be_kept_by_whom_the_certificate_names(check, crl, authority, charged):
    keeper, owner = charged
    at_hand = {"owner": owner, "candidates": [keeper.certificate], "trust": authority.trust}
    good = crl(signer=keeper, indirect=True)
    of = authority.ca.certificate.subject
    revoked = crl("superseded", signer=keeper, owner=owner, indirect=True, of=of)
    namesake = crl("superseded", signer=keeper, owner=owner, indirect=True)
    assert check(good, **at_hand).status == "good"
    named = crl(signer=keeper, indirect=True, names=directory(keeper.certificate))
    assert check(named, **at_hand).status == "good"
    assert check(revoked, **at_hand).status == "revoked"
    assert check(namesake, **at_hand).status == "good"  # the same number of another issuer


def test_a_list_kept_by_others_must_say_so_and_be_asked_for(check, crl, authority, charged):
    keeper, owner = charged
    at_hand = {"candidates": [keeper.certificate], "trust": authority.trust}
    of = authority.ca.certificate.subject
    for scope in ({}, {"only_user_certificates": True}):
        plain = crl("superseded", signer=keeper, owner=owner, of=of, **scope)
        assert codes(check(plain, owner=owner, **at_hand)) == {ProblemCode.NO_EVIDENCE}
    foreign = crl("superseded", signer=keeper, indirect=True, of=authority.ca.certificate.subject)
    assert codes(check(foreign, **at_hand)) == {ProblemCode.NO_EVIDENCE}


def test_since_when_the_key_was_in_bad_hands_is_told(check, crl, now):
    facts = check(crl("keyCompromise"))
    assert facts.claim.invalidity_date == now - 10 * HOUR


def test_a_crowd_of_lists_never_says_good(check, crl):
    policy = EvidencePolicy(max_statements=2)
    few = [crl(number=number) for number in (1, 2)]
    assert check(*few, *few, policy=policy).status == "good"
    crowd = [*few, crl("keyCompromise", number=3)]
    assert codes(check(*crowd, policy=policy)) == {ProblemCode.BUDGET_EXCEEDED}
    assert check(*reversed(crowd), policy=policy).status == "revoked"


def test_another_key_about_which_there_is_a_crowd_of_lists_is_not_believed(
    check, crl, authority, renewed
):
    of_root = [crl(number=number, signer=authority.root) for number in (1, 2, 3)]

    def status(*lists):
        return check(
            crl(signer=renewed),
            *lists,
            candidates=[renewed.certificate],
            trust=authority.trust,
            policy=EvidencePolicy(lists_by_key=False, max_statements=2),
        ).status

    assert status(*of_root[:2]) == "good"
    assert status(*of_root) == "unknown"


def test_lists_about_others_make_no_crowd(check, crl, authority):
    others = [crl(number=number, signer=authority.root) for number in range(1, 5)]
    assert check(*others, crl(), policy=EvidencePolicy(max_statements=1)).status == "good"
