"""Chains: each check alone makes a chain bad, and no bag of certificates makes one expensive."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.clock import ManualClock
from medsign.codec.asn1 import BasicConstraints, Extension, GeneralName, NameConstraints
from medsign.codec.asn1 import extension_values as ext
from medsign.errors import UsageError
from medsign.pki.issuing import QUALIFIED, ROOT_CA, SUBORDINATE_CA, issue_root, subject_name
from medsign.pki.path import PathBudget, build_path
from medsign.pki.problems import ProblemCode
from medsign.pki.signatures import SignatureCheck
from medsign.pki.trust import TrustStore
from medsign.signers import SoftwareKey

DAY = timedelta(days=1)


@pytest.fixture
def found(authority, now):
    """Return `found(certificate, *others, **options)`: the codes of the problems of its chain."""

    def codes(certificate, *others, trust=authority.trust, at=now, **options):
        others = others or (authority.ca.certificate,)
        facts = build_path(certificate, trust, others, at=at, **options)
        assert facts.is_valid == (not facts.problems)
        return {problem.code for problem in facts.problems}

    return codes


def test_a_chain_is_built_from_the_owner_to_the_root(authority, now):
    facts = build_path(
        authority.person.certificate, authority.trust, [authority.ca.certificate], at=now
    )
    people = (authority.person, authority.ca, authority.root)
    assert facts.chain == tuple(each.certificate for each in people)
    assert facts.anchor == authority.root.certificate
    assert [link.signature for link in facts.links] == [*2 * [SignatureCheck.VALID], None]
    assert facts.is_valid


def test_the_chain_tells_the_issuer_of_each_certificate(authority, now):
    person, ca, root = (
        each.certificate for each in (authority.person, authority.ca, authority.root)
    )
    facts = build_path(person, authority.trust, [ca], at=now)
    assert [facts.issuer_of(each) for each in (person, ca, root)] == [ca, root, root]


def test_the_order_and_the_company_of_intermediates_do_not_matter(authority, found):
    others = [each.certificate for each in (authority.tsa, authority.root, authority.ca)]
    assert not found(authority.person.certificate, *others, *others)


def test_a_certificate_that_is_an_anchor_needs_no_chain(authority, now):
    person = authority.person.certificate
    assert build_path(person, TrustStore([person]), at=now).chain == (person,)


def test_an_authority_below_the_root_may_be_the_anchor(authority, found):
    trust = TrustStore([authority.ca.certificate])
    assert not found(authority.person.certificate, trust=trust)


def test_an_empty_store_trusts_nobody(authority, found):
    assert found(authority.person.certificate, trust=TrustStore()) == {ProblemCode.NO_ANCHOR}


def test_a_root_that_nobody_trusts_is_no_anchor(authority, found):
    root = authority.root.certificate
    assert found(root, root, trust=TrustStore()) == {ProblemCode.NO_ANCHOR}


def test_a_missing_intermediate_leaves_the_chain_open(authority, now):
    facts = build_path(authority.person.certificate, authority.trust, at=now)
    assert facts.anchor is None
    assert [each.code for each in facts.problems] == [ProblemCode.NO_ANCHOR]


@pytest.mark.parametrize("which", ["person", "ca"])
def test_a_changed_certificate_is_not_signed_by_its_issuer(authority, found, flipped, which):
    changed = {each: getattr(authority, each).certificate for each in ("person", "ca")}
    changed[which] = flipped(changed[which])
    assert found(changed["person"], changed["ca"]) == {
        ProblemCode.ISSUER_SIGNATURE,
        ProblemCode.NO_ANCHOR,
    }


def test_a_namesake_of_the_issuer_did_not_sign(authority, found, now):
    key = SoftwareKey.generate()
    namesake = issue_root(
        ROOT_CA, subject=authority.ca.certificate.subject, signer=key, not_before=now - DAY
    )
    trust = TrustStore([namesake])
    assert ProblemCode.ISSUER_SIGNATURE in found(
        authority.person.certificate, namesake, trust=trust
    )


def test_a_namesake_of_the_issuer_does_not_hide_the_issuer(authority, found, now):
    key = SoftwareKey.generate()
    namesake = issue_root(
        ROOT_CA, subject=authority.ca.certificate.subject, signer=key, not_before=now - DAY
    )
    assert not found(authority.person.certificate, namesake, authority.ca.certificate)


def test_names_are_compared_without_letter_case(authority, found):
    written = subject_name(organization="ТЕСТОВЫЙ  УЦ")
    ca = authority.certify(SUBORDINATE_CA, issuer=authority.root, subject=written)
    person = authority.certify(QUALIFIED, issuer=ca)
    assert not found(person.certificate, ca.certificate)


def test_an_expired_certificate_is_refused(authority, found):
    certificate = authority.person.certificate
    assert not found(certificate, at=certificate.not_after)
    later = certificate.not_after + timedelta(seconds=1)
    assert found(certificate, at=later) == {ProblemCode.EXPIRED}


def test_a_certificate_of_the_future_is_refused(authority, found):
    certificate = authority.person.certificate
    assert not found(certificate, at=certificate.not_before)
    earlier = certificate.not_before - timedelta(seconds=1)
    assert found(certificate, at=earlier) == {ProblemCode.NOT_YET_VALID}


def test_an_expired_authority_is_refused(authority, found, now):
    short = attrs.evolve(SUBORDINATE_CA, lifetime=DAY)
    ca = authority.certify(short, issuer=authority.root, not_before=now - 9 * DAY)
    person = authority.certify(QUALIFIED, issuer=ca)
    assert found(person.certificate, ca.certificate) == {ProblemCode.EXPIRED}


def test_an_expired_root_is_refused(authority, found):
    at = authority.root.certificate.not_after + DAY
    assert ProblemCode.EXPIRED in found(authority.root.certificate, at=at)


def test_an_owner_is_no_authority(authority, found):
    forger = authority.certify(QUALIFIED, issuer=authority.person)
    assert found(forger.certificate, authority.person.certificate, authority.ca.certificate) == {
        ProblemCode.NOT_A_CA,
        ProblemCode.KEY_USAGE,
        ProblemCode.PATH_TOO_LONG,
    }


def test_an_authority_needs_the_right_key_usage(authority, found):
    template = attrs.evolve(SUBORDINATE_CA, key_usage=("digitalSignature", "cRLSign"))
    ca = authority.certify(template, issuer=authority.root)
    person = authority.certify(QUALIFIED, issuer=ca)
    assert found(person.certificate, ca.certificate) == {ProblemCode.KEY_USAGE}


def test_the_length_of_a_chain_is_limited_by_its_authorities(authority, found):
    deep = authority.certify(SUBORDINATE_CA, subject=subject_name(organization="Ниже"))
    person = authority.certify(QUALIFIED, issuer=deep)
    others = (authority.ca.certificate, deep.certificate)
    assert found(person.certificate, *others) == {ProblemCode.PATH_TOO_LONG}


def test_a_longer_limit_lets_a_longer_chain(authority, found):
    wide = attrs.evolve(SUBORDINATE_CA, constraints=BasicConstraints(ca=True, path_length=1))
    upper = authority.certify(
        wide, issuer=authority.root, subject=subject_name(organization="Выше")
    )
    lower = authority.certify(
        SUBORDINATE_CA, issuer=upper, subject=subject_name(organization="Ниже")
    )
    person = authority.certify(QUALIFIED, issuer=lower)
    assert not found(person.certificate, upper.certificate, lower.certificate)


def test_a_critical_extension_that_is_not_processed_stops_the_chain(authority, found):
    extension = Extension("1.2.643.100.999", critical=True, value=b"\x05\x00")
    template = attrs.evolve(SUBORDINATE_CA, others=(extension,))
    ca = authority.certify(template, issuer=authority.root)
    person = authority.certify(QUALIFIED, issuer=ca)
    assert found(person.certificate, ca.certificate) == {ProblemCode.CRITICAL_EXTENSION}


def test_name_constraints_count_though_they_are_not_critical(authority, found):
    constraints = ext.name_constraints(
        NameConstraints(permitted=(GeneralName("rfc822", "other.invalid"),))
    )
    template = attrs.evolve(SUBORDINATE_CA, others=(attrs.evolve(constraints, critical=False),))
    ca = authority.certify(template, issuer=authority.root)
    person = authority.certify(QUALIFIED, issuer=ca)
    assert found(person.certificate, ca.certificate) == {ProblemCode.NAME_CONSTRAINTS}


def test_an_unknown_extension_that_is_not_critical_is_passed_over(authority, found):
    template = attrs.evolve(
        QUALIFIED, others=(Extension("1.2.643.100.999", critical=False, value=b"\x05\x00"),)
    )
    assert not found(authority.certify(template).certificate)


def test_a_better_chain_is_preferred_to_a_flawed_one(authority, found, now):
    key = SoftwareKey.generate()
    old = attrs.evolve(SUBORDINATE_CA, lifetime=DAY)
    subject = subject_name(organization="УЦ с двумя сертификатами")
    expired = authority.certify(
        old, issuer=authority.root, subject=subject, key=key, not_before=now - 9 * DAY
    )
    fresh = authority.certify(SUBORDINATE_CA, issuer=authority.root, subject=subject, key=key)
    person = authority.certify(QUALIFIED, issuer=fresh)
    for order in ((expired, fresh), (fresh, expired)):
        assert not found(person.certificate, *(each.certificate for each in order))


def test_authorities_that_certify_each_other_make_no_endless_chain(authority, found):
    template = attrs.evolve(SUBORDINATE_CA, constraints=BasicConstraints(ca=True))
    names = [subject_name(organization=f"Круг {n}") for n in range(2)]
    keys = [SoftwareKey.generate() for _ in names]
    first = authority.certify(template, subject=names[0], key=keys[0])
    second = authority.certify(template, issuer=first, subject=names[1], key=keys[1])
    back = authority.certify(template, issuer=second, subject=names[0], key=keys[0])
    person = authority.certify(QUALIFIED, issuer=second)
    codes = found(person.certificate, second.certificate, back.certificate, trust=TrustStore())
    assert codes == {ProblemCode.NO_ANCHOR}


@pytest.fixture(scope="session")
def labyrinth(authority):
    """Authorities of one name that all certified each other's keys."""
    subject = subject_name(organization="Лабиринт")
    keys = [SoftwareKey.generate() for _ in range(5)]
    signers = [authority.certify(SUBORDINATE_CA, subject=subject, key=key) for key in keys]
    certificates = [
        authority.certify(SUBORDINATE_CA, issuer=issuer, subject=subject, key=key).certificate
        for issuer in signers
        for key in keys
        if key.key is not issuer.key
    ]
    return authority.certify(QUALIFIED, issuer=signers[0]).certificate, certificates


@pytest.mark.parametrize(
    "budget",
    [PathBudget(signatures=10), PathBudget(links=20, signatures=10_000)],
    ids=["signatures", "links"],
)
def test_a_labyrinth_of_authorities_ends_with_the_budget(found, labyrinth, budget):
    certificate, others = labyrinth
    assert ProblemCode.BUDGET_EXCEEDED in found(certificate, *others, budget=budget)


def test_the_time_for_a_chain_is_limited(authority, found, now):
    class SlowClock(ManualClock):
        def monotonic(self) -> float:
            self.advance(timedelta(seconds=3))
            return super().monotonic()

    codes = found(authority.person.certificate, clock=SlowClock(now))
    assert ProblemCode.BUDGET_EXCEEDED in codes


def test_the_depth_of_a_chain_is_limited(authority, found):
    codes = found(authority.person.certificate, budget=PathBudget(depth=2))
    assert codes == {ProblemCode.BUDGET_EXCEEDED, ProblemCode.NO_ANCHOR}


def test_a_moment_without_a_time_zone_is_refused(authority, now):
    with pytest.raises(UsageError):
        build_path(authority.person.certificate, authority.trust, at=now.replace(tzinfo=None))


@given(offset=st.integers(-400, 400))
def test_a_chain_is_valid_exactly_while_its_certificates_are(authority, now, offset):
    at = now + offset * DAY
    facts = build_path(
        authority.person.certificate, authority.trust, [authority.ca.certificate], at=at
    )
    assert facts.is_valid == all(each.not_before <= at <= each.not_after for each in facts.chain)


def test_a_renewed_key_of_an_authority_does_not_lengthen_the_chain(authority, found):
    subject = authority.ca.certificate.subject
    renewed = authority.certify(SUBORDINATE_CA, subject=subject)
    person = authority.certify(QUALIFIED, issuer=renewed)
    assert not found(person.certificate, renewed.certificate, authority.ca.certificate)


def test_the_two_names_of_the_algorithm_must_agree(authority, found):
    certificate = authority.person.certificate
    other = attrs.evolve(certificate.signature_algorithm, oid="1.2.643.7.1.1.3.3")
    changed = attrs.evolve(certificate, tbs_signature_algorithm=other)
    assert found(changed) == {ProblemCode.ALGORITHM_MISMATCH}
