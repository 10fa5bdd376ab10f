"""Policies along a chain: who demands them, who lets them through, what they are called."""

from __future__ import annotations

import time

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.codec.asn1 import PolicyConstraints, PolicyInformation, oids
from medsign.pki.issuing import QUALIFIED, SUBORDINATE_CA
from medsign.pki.path import build_path
from medsign.pki.policies import PolicyRules, process_policies
from medsign.pki.problems import ProblemCode

ANY = oids.ANY_POLICY
KC1, KC2 = oids.POLICY_KC1, oids.POLICY_KC2
P1, P2, P3, P4 = (f"1.2.643.100.999.{number}" for number in range(1, 5))


@pytest.fixture(scope="session")
def bare(authority):
    """Return `bare(*policies, **fields)`: a certificate of which only policies matter."""
    certificate = authority.person.certificate

    def make(*policies, self_issued=False, **fields):
        made = attrs.evolve(
            certificate,
            policies=tuple(
                each if isinstance(each, PolicyInformation) else PolicyInformation(each)
                for each in policies
            ),
            **fields,
        )
        return attrs.evolve(made, issuer=made.subject) if self_issued else made

    return make


def valid(chain, **rules):
    """Return the policies of a chain, owner first, ``None`` when a demand is broken."""
    facts = process_policies(chain, None, PolicyRules(**rules))
    return None if facts.problems else set(facts.policies)


def test_a_policy_counts_when_every_certificate_names_it(bare):
    assert valid([bare(P1, P2), bare(P2, P3)], required=True) == {P2}
    assert valid([bare(P1), bare(P2)], required=True) is None


def test_without_a_demand_a_chain_without_policies_is_good(bare):
    assert valid([bare(), bare(P1)]) == set()
    assert valid([bare(P1), bare()]) == set()


def test_one_of_the_acceptable_policies_is_enough(bare):
    chain = [bare(P1, P2), bare(P1, P2)]
    assert valid(chain, required=True, acceptable=frozenset({P2, P3})) == {P2}
    assert valid(chain, required=True, acceptable=frozenset({P3})) is None
    assert valid(chain, acceptable=frozenset({P3})) == set()


def test_any_policy_stands_for_each(bare):
    assert valid([bare(P1), bare(ANY)], required=True) == {P1}
    assert valid([bare(ANY), bare(P1)], required=True) == {P1}
    assert valid([bare(ANY), bare(ANY)], required=True) == {ANY}
    assert valid([bare(ANY), bare(ANY)], required=True, acceptable=frozenset({P1})) == {P1}


def test_any_policy_may_be_inhibited(bare):
    assert valid([bare(ANY), bare(P1)], required=True, any_inhibited=True) is None
    inhibiting = bare(P1, inhibit_any_policy=0)
    assert valid([bare(ANY), inhibiting], required=True) is None
    later = bare(P1, inhibit_any_policy=1)
    assert valid([bare(ANY), later], required=True) == {P1}
    assert valid([bare(ANY), bare(ANY), later], required=True) is None


def test_an_authority_that_renews_itself_counts_nowhere(bare):
    renewed = bare(ANY, self_issued=True)
    top = bare(P1, inhibit_any_policy=0)
    assert valid([bare(P1), renewed, top], required=True) == {P1}
    assert valid([renewed, top], required=True) is None
    demanding = bare(P1, policy_constraints=PolicyConstraints(require_explicit_policy=2))
    assert valid([bare(P2), bare(P1), demanding]) is None
    assert valid([bare(P2), bare(self_issued=True), demanding]) == set()


def test_a_certificate_may_demand_a_policy(bare):
    for skipped, good in ((0, False), (1, False), (2, True)):
        demand = PolicyConstraints(require_explicit_policy=skipped)
        chain = [bare(P2), bare(P1, policy_constraints=demand)]
        assert (valid(chain) is not None) == good, skipped
    itself = bare(policy_constraints=PolicyConstraints(require_explicit_policy=0))
    assert valid([itself, bare(P1)]) is None
    later = bare(policy_constraints=PolicyConstraints(require_explicit_policy=1))
    assert valid([later, bare(P1)]) == set()


def test_a_policy_is_called_otherwise_below(bare):
    top = bare(P1, policy_mappings=((P1, P2),))
    assert valid([bare(P2), top], required=True) == {P1}
    assert valid([bare(P1), top], required=True) is None
    assert valid([bare(P2), top], required=True, acceptable=frozenset({P1})) == {P1}
    assert valid([bare(P2), top], required=True, acceptable=frozenset({P2})) is None


def test_a_policy_may_have_several_names_below(bare):
    top = bare(P1, P3, policy_mappings=((P1, P2), (P1, P4), (P3, P4)))
    assert valid([bare(P2), top], required=True) == {P1}
    assert valid([bare(P4), top], required=True) == {P1, P3}
    assert valid([bare(P4), top], required=True, acceptable=frozenset({P3})) == {P3}


def test_a_mapping_out_of_any_policy_names_the_policy(bare):
    top = bare(ANY, policy_mappings=((P1, P2),))
    assert valid([bare(P2), top], required=True, acceptable=frozenset({P1})) == {P1}


def test_mappings_may_be_inhibited(bare):
    top = bare(P1, P3, policy_mappings=((P1, P2),))
    assert valid([bare(P2), top], required=True, mapping_inhibited=True) is None
    assert valid([bare(P3), top], required=True, mapping_inhibited=True) == {P3}
    above = bare(ANY, policy_constraints=PolicyConstraints(inhibit_policy_mapping=0))
    assert valid([bare(P2), top, above], required=True) is None


def test_mappings_may_be_inhibited_some_certificates_later(bare):
    top = bare(P1, policy_mappings=((P1, P2),))
    above = bare(ANY, policy_constraints=PolicyConstraints(inhibit_policy_mapping=1))
    assert valid([bare(P2), top, above], required=True) == {P1}
    assert valid([bare(P2), top, bare(ANY), above], required=True) is None


def test_the_demands_of_the_anchor_hold_and_its_policies_do_not(bare):
    demand = PolicyConstraints(require_explicit_policy=0)
    for anchor, problems in ((bare(P2), 0), (bare(P2, policy_constraints=demand), 1)):
        assert len(process_policies([bare(), anchor], anchor).problems) == problems
        assert process_policies([bare(P1), anchor], anchor).policies == {P1}


@pytest.mark.parametrize("mapping", [(ANY, P1), (P1, ANY)])
def test_any_policy_must_not_be_mapped(bare, mapping):
    assert valid([bare(P1), bare(P1, policy_mappings=(mapping,))]) is None


def test_what_the_certificates_say_along_with_a_policy_is_told(bare):
    notices = [(f"1.3.{number}", bytes((5, 0))) for number in range(3)]
    owner = bare(PolicyInformation(P1, notices[:1]), PolicyInformation(P2, notices[1:2]))
    top = bare(PolicyInformation(P1, notices[2:]), P2)
    facts = process_policies([owner, top], None, PolicyRules(acceptable=frozenset({P1})))
    assert facts.qualifiers == (notices[0], notices[2])


def test_what_is_said_along_with_any_policy_is_told_only_where_it_stands_for_one(bare):
    own, general = ((f"1.3.{number}", b"\x05\x00") for number in range(2))
    owner = bare(PolicyInformation(P1, (own,)), PolicyInformation(ANY, (general,)))
    for policy, told in ((P1, own), (P2, general)):
        rules = PolicyRules(acceptable=frozenset({policy}))
        assert process_policies([owner, bare(ANY)], None, rules).qualifiers == (told,)


def test_a_demand_breaks_the_chain_and_names_the_certificate(authority, now):
    ca = authority.certify(
        attrs.evolve(SUBORDINATE_CA, policies=(KC1,)), issuer=authority.root
    ).certificate
    rules = PolicyRules(acceptable=frozenset({KC2}), required=True)
    owner = authority.certify(
        QUALIFIED, issuer=authority.certify(SUBORDINATE_CA, issuer=authority.root)
    )
    facts = build_path(ca, authority.trust, at=now, rules=rules)
    assert [(each.code, each.subject) for each in facts.problems] == [
        (ProblemCode.POLICY, ca.fingerprint)
    ]
    assert facts.links[0].problems == facts.problems
    assert owner.certificate.policies


def test_the_chain_tells_the_classes_of_the_signature_tool(authority, now):
    weak = authority.certify(attrs.evolve(SUBORDINATE_CA, policies=(KC1,)), issuer=authority.root)
    for ca, classes in ((authority.ca, ("КС1", "КС2")), (weak, ("КС1",))):
        owner = authority.certify(QUALIFIED, issuer=ca).certificate
        facts = build_path(owner, authority.trust, [ca.certificate], at=now)
        assert facts.is_valid
        assert facts.tool_classes == classes


def test_the_graph_does_not_grow_out_of_crossed_mappings(bare):
    names = [f"1.2.643.100.999.{number}" for number in range(100)]
    crossed = tuple((own, other) for own in names for other in names)
    chain = [bare(*names), *20 * [bare(*names, policy_mappings=crossed)]]
    start = time.perf_counter()
    assert len(valid(chain, required=True) or ()) == 100
    assert time.perf_counter() - start < 5


POLICIES = st.sets(st.sampled_from([P1, P2, P3, ANY]))


@given(
    chain=st.lists(POLICIES, min_size=1, max_size=4), acceptable=st.sets(st.sampled_from([P1, P2]))
)
def test_without_mappings_the_policies_are_the_intersection(bare, chain, acceptable):
    wanted = frozenset(acceptable) or frozenset({ANY})
    found = valid([bare(*each) for each in chain], acceptable=wanted)
    common = {
        policy
        for policy in (P1, P2, P3)
        if all(policy in each or ANY in each for each in chain)
        and (policy in wanted or (not acceptable and any(policy in each for each in chain)))
    }
    if not acceptable and all(ANY in each for each in chain):
        common.add(ANY)
    assert found == common
