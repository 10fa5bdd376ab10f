"""Chains at random: medsign, pyhanko-certvalidator and OpenSSL must say the same.

A random chain has policies, mappings, constraints of policies, of names and of length in every
place where RFC 5280 lets them be; nobody wrote down what is right, three readers have to agree.
"""

from __future__ import annotations

import attrs
import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medsign.codec.asn1 import decode_certificate
from medsign.pki import PolicyRules, TrustStore, build_path

from . import foreign
from .foreign import ANY, P1, P2, Maker, alternative, mapping, policies
from .oracle import Question, openssl_verdict, path_verdict

POLICIES = (P1, P2, f"{P1}.3")
NAMES = ("a.test", "x.a.test", "b.test", "y.x.a.test")


@attrs.frozen(kw_only=True)
class Link:
    """What stands in one certificate of a chain."""

    policies: tuple[str, ...] | None
    mapping: tuple[str, str] | None
    explicit: int | None
    unmapped: int | None
    no_any: int | None
    length: int | None
    permitted: str | None
    excluded: str | None
    renewed: bool

    def extensions(self, *, is_authority: bool) -> tuple[list, list]:
        """Return the extensions, those that are critical first."""
        hard, soft = [], []
        if self.policies is not None:
            soft.append(policies(*self.policies))
        if not is_authority:
            return hard, soft
        if self.mapping:
            hard.append(mapping(*self.mapping))
        if self.explicit is not None or self.unmapped is not None:
            hard.append(x509.PolicyConstraints(self.explicit, self.unmapped))
        if self.no_any is not None:
            hard.append(x509.InhibitAnyPolicy(self.no_any))
        if self.permitted or self.excluded:
            lists = ([x509.DNSName(each)] if each else None for each in self._names())
            hard.append(x509.NameConstraints(*lists))
        return hard, soft

    def _names(self) -> tuple[str | None, str | None]:
        return self.permitted, self.excluded


skips = st.none() | st.none() | st.integers(0, 2)
bases = st.none() | st.none() | st.sampled_from(NAMES)
links = st.builds(
    Link,
    policies=st.none()
    | st.lists(st.sampled_from([*POLICIES, ANY]), min_size=1, max_size=3, unique=True).map(tuple),
    mapping=st.none() | st.none() | st.tuples(st.sampled_from(POLICIES), st.sampled_from(POLICIES)),
    explicit=skips,
    unmapped=skips,
    no_any=skips,
    length=skips,
    permitted=bases,
    excluded=bases,
    renewed=st.integers(0, 4).map(lambda n: n == 0),
)
rules = st.builds(
    PolicyRules,
    acceptable=st.sampled_from([*POLICIES, ANY]).map(lambda each: frozenset({each})),
    required=st.booleans(),
    mapping_inhibited=st.integers(0, 3).map(lambda n: n == 0),
    any_inhibited=st.integers(0, 3).map(lambda n: n == 0),
)


@pytest.fixture(scope="module")
def make() -> Maker:
    return Maker("ECDSA")


def chain_of(make: Maker, authorities: list[Link], leaf: Link, name: str) -> list[foreign.Owner]:
    """Return the certificates below the root, the highest first."""
    above, made = make.root, []
    for number, link in enumerate(authorities):
        hard, soft = link.extensions(is_authority=True)
        # an authority that renews its certificate keeps its name and takes another key
        called = made[-1].certificate.subject if made and link.renewed else f"Authority {number}"
        base = [*make.authority(link.length), *hard]
        above = make.issue(called, above, *base, key=1 + number, soft=tuple(soft))
        made.append(above)
    hard, soft = leaf.extensions(is_authority=False)
    own = alternative(x509.DNSName(name))
    return [*made, make.leaf(above, *hard, key=0, soft=(*soft, own))]


any_chain = given(
    authorities=st.lists(links, min_size=1, max_size=4),
    leaf=links,
    name=st.sampled_from(NAMES),
    wanted=rules,
)


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@any_chain
def test_certvalidator_says_the_same(make, authorities, leaf, name, wanted):
    *above, owner = chain_of(make, authorities, leaf, name)
    question = make.question(owner, *above, rules=wanted)
    assert ours(question) == path_verdict(question)


@pytest.mark.interop
@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@any_chain
def test_openssl_says_the_same(openssl, tmp_path_factory, make, authorities, leaf, name, wanted):
    *above, owner = chain_of(make, authorities, leaf, name)
    question = make.question(owner, *above, rules=wanted)
    folder = tmp_path_factory.getbasetemp()
    assert ours(question) == openssl_verdict(openssl, folder, question)


def ours(question: Question) -> bool:
    return build_path(
        decode_certificate(question.peer),
        TrustStore(map(decode_certificate, question.trusted)),
        map(decode_certificate, question.others),
        at=question.at,
        rules=question.rules,
    ).is_valid
