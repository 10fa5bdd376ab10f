"""Certificate policies along a chain: RFC 5280 §6.1 with the graph of RFC 9618.

The tree of RFC 5280 doubles with every certificate that an attacker makes; the graph keeps one
node for a policy at a level, so that its size is that of the certificates.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence

import attrs

from medsign.codec.asn1 import Certificate, oids
from medsign.pki.problems import Problem, ProblemCode

Qualifiers = tuple[tuple[str, bytes], ...]


@attrs.frozen(kw_only=True)
class PolicyRules:
    """Which policies a chain must have; the inputs of RFC 5280 §6.1.1 (c), (e), (f), (g).

    Attributes:
        acceptable: Policies one of which is wanted; ``anyPolicy`` among them lets all pass.
        required: Whether the chain must be valid for one of them. A certificate of the chain may
            demand it as well.
        mapping_inhibited: Whether an authority may not name a policy of another one equal to its
            own.
        any_inhibited: Whether ``anyPolicy`` in a certificate stands for nothing.

    Example:
        >>> from datetime import UTC, datetime
        >>> from medsign.pki import ROOT_CA, TrustStore, build_path, issue_root, subject_name
        >>> from medsign.signers import SoftwareKey
        >>> today, name = datetime(2026, 1, 1, tzinfo=UTC), subject_name(organization="Тест")
        >>> root = issue_root(
        ...     ROOT_CA, subject=name, signer=SoftwareKey.generate(), not_before=today
        ... )
        >>> at_least_kc3 = PolicyRules(acceptable=frozenset({oids.POLICY_KC3}), required=True)
        >>> path = build_path(root, TrustStore([root]), at=today, rules=at_least_kc3)
        >>> path.problems[0].code.value
        'certificate.policy'
        >>> build_path(root, TrustStore([root]), at=today).tool_classes
        ('КС1', 'КС2')
    """

    acceptable: frozenset[str] = frozenset({oids.ANY_POLICY})
    required: bool = False
    mapping_inhibited: bool = False
    any_inhibited: bool = False


@attrs.frozen(kw_only=True)
class PolicyFacts:
    """What a chain is valid for.

    Attributes:
        policies: The acceptable policies, as the topmost authority names them, for which every
            certificate of the chain is valid; ``anyPolicy`` when all of them leave it open.
        qualifiers: What the certificates say along with them (RFC 5280 §4.2.1.4), such as a
            notice: pairs of a type and DER, those of the first certificate first.
        problems: Which certificate breaks a demand.
    """

    policies: frozenset[str]
    qualifiers: Qualifiers
    problems: tuple[Problem, ...]


@attrs.define(eq=False)
class _Node:
    """A policy at a level."""

    policy: str
    parents: list[_Node]
    qualifiers: Qualifiers
    mapped: frozenset[str] = frozenset()

    @property
    def expected(self) -> frozenset[str]:
        """Its names in the next certificate."""
        return self.mapped or frozenset({self.policy})

    @property
    def is_any(self) -> bool:
        return self.policy == oids.ANY_POLICY

    @property
    def is_top(self) -> bool:
        """Whether a policy of the topmost authority begins here."""
        return not self.is_any and any(each.is_any for each in self.parents)


_Level = dict[str, _Node]


def process_policies(
    chain: Sequence[Certificate], anchor: Certificate | None, rules: PolicyRules | None = None
) -> PolicyFacts:
    """Process the policies of a chain.

    Args:
        chain: From the certificate in question upwards.
        anchor: The trusted end of the chain. Its policies grant nothing and take nothing away,
            its constraints on policies hold (RFC 5937 §3.2).
        rules: What is wanted; by default nothing.
    """
    rules = rules or PolicyRules()
    below = chain[:-1] if anchor and len(chain) > 1 else chain
    walk = _Walk.begin(rules, len(below))
    if len(below) < len(chain):
        walk.constrain(chain[-1])
    for certificate in reversed(below):
        walk.step(certificate, is_last=certificate is below[0])
    return walk.end(below[0], rules.acceptable)


@attrs.define(kw_only=True)
class _Walk:
    """The state variables of RFC 5280 §6.1.2: counters of certificates, and the graph's levels."""

    explicit: int
    mapping: int
    any_policy: int
    levels: list[_Level]
    problems: list[Problem] = attrs.field(factory=list[Problem])

    @classmethod
    def begin(cls, rules: PolicyRules, length: int) -> _Walk:
        def after(at_once: bool) -> int:  # noqa: FBT001 - it is the value itself
            return 0 if at_once else length + 1

        return cls(
            explicit=after(rules.required),
            mapping=after(rules.mapping_inhibited),
            any_policy=after(rules.any_inhibited),
            levels=[{oids.ANY_POLICY: _Node(oids.ANY_POLICY, [], ())}],
        )

    def step(self, certificate: Certificate, *, is_last: bool) -> None:
        """Process one certificate (§6.1.3 d-f) and prepare for the next one (§6.1.4)."""
        any_counts = self.any_policy > 0 or (not is_last and certificate.is_self_issued)
        self.levels.append(_next_level(certificate, self.levels[-1], any_counts=any_counts))
        if not self.explicit and not self.levels[-1] and not self.problems:
            self.refuse(certificate, "no policy is left")
        if is_last:
            return
        self.map(certificate)
        if not certificate.is_self_issued:
            self.explicit = max(self.explicit - 1, 0)
            self.mapping = max(self.mapping - 1, 0)
            self.any_policy = max(self.any_policy - 1, 0)
        self.constrain(certificate)

    def map(self, certificate: Certificate) -> None:
        """Let the next certificates call a policy by another name (§6.1.4 a-b)."""
        names: defaultdict[str, set[str]] = defaultdict(set)
        for own, other in certificate.policy_mappings:
            if oids.ANY_POLICY in {own, other}:
                self.refuse(certificate, "anyPolicy is mapped")
            names[own].add(other)
        above, level = self.levels[-2:]
        for own, others in names.items():
            if not self.mapping:
                level.pop(own, None)
            elif own in level:
                level[own].mapped = frozenset(others)
            elif wild := level.get(oids.ANY_POLICY):
                parents = [above[oids.ANY_POLICY]]
                level[own] = _Node(own, parents, wild.qualifiers, frozenset(others))

    def constrain(self, certificate: Certificate) -> None:
        """Take over what a certificate demands of those below (§6.1.4 i-j)."""
        if (limits := certificate.policy_constraints) is not None:
            self.explicit = _lower(self.explicit, limits.require_explicit_policy)
            self.mapping = _lower(self.mapping, limits.inhibit_policy_mapping)
        self.any_policy = _lower(self.any_policy, certificate.inhibit_any_policy)

    def end(self, certificate: Certificate, acceptable: frozenset[str]) -> PolicyFacts:
        """Compare what is left with what is wanted (§6.1.5 a, b, g)."""
        limits = certificate.policy_constraints
        at_once = limits is not None and limits.require_explicit_policy == 0
        explicit = 0 if at_once else max(self.explicit - 1, 0)
        wanted = self.wanted(acceptable)
        if not explicit and not wanted and not self.problems:
            self.refuse(certificate, "no acceptable policy is left")
        descent = _descent(wanted)
        policies = {each.policy for each in descent if each.is_top}
        if any(each.is_any for each in wanted):
            policies |= acceptable
        if oids.ANY_POLICY not in acceptable:
            policies &= acceptable
        return PolicyFacts(
            policies=frozenset(policies),
            qualifiers=tuple(dict.fromkeys(each for node in descent for each in node.qualifiers)),
            problems=tuple(self.problems),
        )

    def wanted(self, acceptable: frozenset[str]) -> list[_Node]:
        """Return the policies of the last certificate that stand for an acceptable one."""
        last = list(self.levels[-1].values())
        if oids.ANY_POLICY in acceptable:
            return last
        kept: set[_Node] = set()
        for level in self.levels:
            for node in level.values():
                begins = node.is_top and node.policy in acceptable
                if begins or not kept.isdisjoint(node.parents):
                    kept.add(node)
        survivors = [each for each in last if each in kept]
        named = {each.policy for each in _descent(survivors) if each.is_top}
        wild = self.levels[-1].get(oids.ANY_POLICY)
        return [*survivors, wild] if wild and not acceptable <= named else survivors

    def refuse(self, certificate: Certificate, detail: str) -> None:
        """Note which certificate ends the policies, and why."""
        self.problems.append(Problem(ProblemCode.POLICY, certificate.fingerprint, detail))


def _next_level(certificate: Certificate, above: _Level, *, any_counts: bool) -> _Level:
    """Return the policies of a certificate that one of those above stands for (§6.1.3 d)."""
    awaiting: defaultdict[str, list[_Node]] = defaultdict(list)
    for node in above.values():
        for name in node.expected:
            awaiting[name].append(node)
    wild = above.get(oids.ANY_POLICY)
    level: _Level = {}
    own = {each.oid: each.qualifiers for each in certificate.policies}
    for policy, qualifiers in own.items():
        parents = awaiting.get(policy) or ([wild] if wild else [])
        if policy != oids.ANY_POLICY and parents:
            level[policy] = _Node(policy, parents, qualifiers)
    if oids.ANY_POLICY in own and any_counts:
        for name, parents in awaiting.items():
            level.setdefault(name, _Node(name, parents, own[oids.ANY_POLICY]))
    return level


def _descent(nodes: Iterable[_Node]) -> dict[_Node, None]:
    """Return nodes and all they descend from, the nearest first."""
    seen, waiting = dict[_Node, None](), deque(nodes)
    while waiting:
        if (node := waiting.popleft()) not in seen:
            seen[node] = None
            waiting += node.parents
    return seen


def _lower(counter: int, limit: int | None) -> int:
    return counter if limit is None else min(counter, limit)
