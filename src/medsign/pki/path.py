"""Chains from a certificate to a trust anchor (RFC 5280 §6), built within a budget.

The certificates at hand may come from an attacker: names that all match, keys that all fit. So the
search counts what it does, and remembers each signature it has checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import pairwise

import attrs

from medsign.clock import Clock, SystemClock, aware
from medsign.codec.asn1 import Certificate, SubjectPublicKeyInfo, oids
from medsign.errors import BudgetExceeded
from medsign.gost import Provider
from medsign.pki.foreign import remedy
from medsign.pki.names import name_problems
from medsign.pki.policies import PolicyRules, Qualifiers, process_policies
from medsign.pki.problems import Problem, ProblemCode
from medsign.pki.profile import TOOL_CLASSES
from medsign.pki.signatures import SignatureCheck, verify_signature
from medsign.pki.trust import TrustStore

# Extensions whose meaning this module, the profile or the caller's check of purpose carries out.
_PROCESSED = frozenset(
    {
        oids.KEY_USAGE,
        oids.EXTENDED_KEY_USAGE,
        oids.BASIC_CONSTRAINTS,
        oids.SUBJECT_KEY_IDENTIFIER,
        oids.AUTHORITY_KEY_IDENTIFIER,
        oids.SUBJECT_ALTERNATIVE_NAME,
        oids.PRIVATE_KEY_USAGE_PERIOD,
        oids.SUBJECT_SIGN_TOOL,
        oids.ISSUER_SIGN_TOOL,
        oids.IDENTIFICATION_KIND,
        oids.CRL_DISTRIBUTION_POINTS,
        oids.AUTHORITY_INFORMATION_ACCESS,
        oids.OCSP_NO_CHECK,
        oids.CERTIFICATE_POLICIES,
        oids.POLICY_MAPPINGS,
        oids.POLICY_CONSTRAINTS,
        oids.INHIBIT_ANY_POLICY,
        oids.NAME_CONSTRAINTS,
    }
)


@attrs.frozen(kw_only=True)
class PathBudget:
    """How much the search for a chain may cost.

    Attributes:
        depth: Certificates in a chain, the anchor included.
        signatures: Signatures checked.
        links: Pairs of a certificate and a possible issuer looked at.
        seconds: Wall time.
    """

    depth: int = 10
    signatures: int = 64
    links: int = 1000
    seconds: float = 5.0


@attrs.frozen(kw_only=True)
class LinkFacts:
    """One certificate of a chain.

    Attributes:
        certificate: The certificate.
        signature: Whether the next certificate's key signed it; ``None`` for the last one.
        problems: What is wrong with it.
    """

    certificate: Certificate
    signature: SignatureCheck | None
    problems: tuple[Problem, ...]


@attrs.frozen(kw_only=True)
class PathFacts:
    """The best chain that was found.

    Attributes:
        at: The moment it was checked for.
        links: From the certificate in question upwards; always at least one.
        anchor: The trusted end, ``None`` when the chain does not reach one.
        problems: Everything found, those of the links included.
        policies: The policies for which the whole chain is valid, see
            `medsign.pki.policies.PolicyFacts`.
        qualifiers: What the certificates say along with them: pairs of a type and DER.
    """

    at: datetime
    links: tuple[LinkFacts, ...]
    anchor: Certificate | None
    problems: tuple[Problem, ...]
    policies: frozenset[str] = frozenset()
    qualifiers: Qualifiers = ()

    @property
    def chain(self) -> tuple[Certificate, ...]:
        """The certificates, the one in question first."""
        return tuple(each.certificate for each in self.links)

    @property
    def is_valid(self) -> bool:
        """Whether the chain is whole and nothing is wrong with it."""
        return self.anchor is not None and not self.problems

    @property
    def tool_classes(self) -> tuple[str, ...]:
        """Classes of the signature tool that every authority of the chain lets, the lowest first.

        They are policies (1.2.643.100.113.1 to .6): a class that the owner's certificate names
        and an authority above it does not is none of them (приказ ФСБ 795).
        """
        return tuple(name for oid, name in TOOL_CLASSES.items() if oid in self.policies)

    def issuer_of(self, certificate: Certificate) -> Certificate | None:
        """Return the next certificate of the chain; an anchor that issued itself is its own."""
        chain = self.chain
        above = dict(pairwise(chain))
        own = certificate if certificate == self.anchor and certificate.is_self_issued else None
        return above.get(certificate, own)


def build_path(
    certificate: Certificate,
    trust: TrustStore,
    intermediates: Iterable[Certificate] = (),
    *,
    at: datetime,
    rules: PolicyRules | None = None,
    budget: PathBudget | None = None,
    clock: Clock | None = None,
    provider: Provider | None = None,
) -> PathFacts:
    """Find the best chain from a certificate to a trust anchor and check it for a moment.

    Checked are signatures, names, validity, basic constraints, path length, ``keyCertSign``,
    constraints of names and policies, and critical extensions. Revocation and the purpose of the
    first certificate are not. The anchor must be valid too, though RFC 5280 does not ask it.

    A bad chain is no exception: its problems are in the result.

    Args:
        certificate: The certificate in question.
        trust: Whom to trust.
        intermediates: Other certificates at hand, in any order, useful or not.
        at: The moment for which the chain must be valid; aware.
        rules: Which policies the chain must have; by default any or none.
        budget: How much it may cost.
        clock: Measures the cost in time.
        provider: Who computes; by default `medsign.gost.default_provider`.

    Raises:
        UsageError: The moment has no time zone.

    Example:
        >>> from datetime import UTC
        >>> from medsign.pki import ROOT_CA, issue_root, subject_name
        >>> from medsign.signers import SoftwareKey
        >>> today, name = datetime(2026, 1, 1, tzinfo=UTC), subject_name(organization="Тест")
        >>> root = issue_root(
        ...     ROOT_CA, subject=name, signer=SoftwareKey.generate(), not_before=today
        ... )
        >>> build_path(root, TrustStore([root]), at=today).is_valid
        True
        >>> [problem.code.value for problem in build_path(root, TrustStore(), at=today).problems]
        ['path.no_anchor']
    """
    moment = aware(at)
    search = _Search(
        trust=trust,
        pool=tuple(dict.fromkeys((*trust.anchors, *intermediates))),
        at=moment,
        rules=rules,
        budget=budget or PathBudget(),
        clock=clock or SystemClock(),
        provider=provider,
    )
    best: PathFacts | None = None
    exhausted: tuple[Problem, ...] = ()
    try:
        for chain in search.chains((certificate,)):
            facts = search.facts(chain)
            if best is None or len(facts.problems) < len(best.problems):
                best = facts
            if best.is_valid:
                return best
    except BudgetExceeded as error:
        exhausted = (Problem(ProblemCode.BUDGET_EXCEEDED, detail=str(error)),)
    best = best or search.facts(search.longest or (certificate,), tuple(search.refused))
    return attrs.evolve(best, problems=(*best.problems, *exhausted))


@attrs.define(kw_only=True)
class _Search:
    """The state of one search; its budget runs down."""

    trust: TrustStore
    pool: tuple[Certificate, ...]
    at: datetime
    rules: PolicyRules | None
    budget: PathBudget
    clock: Clock
    provider: Provider | None
    deadline: float = attrs.field(init=False)
    links: int = 0
    longest: tuple[Certificate, ...] = ()
    refused: dict[Problem, None] = attrs.field(factory=dict[Problem, None])
    checked: dict[tuple[Certificate, SubjectPublicKeyInfo], SignatureCheck] = attrs.field(
        factory=dict[tuple[Certificate, SubjectPublicKeyInfo], SignatureCheck]
    )

    def __attrs_post_init__(self) -> None:
        self.deadline = self.clock.monotonic() + self.budget.seconds

    def chains(self, below: tuple[Certificate, ...]) -> Iterator[tuple[Certificate, ...]]:
        """Yield chains that end in an anchor, the likeliest first."""
        last = below[-1]
        if len(below) > len(self.longest):
            self.longest = below
        if last in self.trust:
            yield below
            return
        if len(below) >= self.budget.depth:
            self.refused[Problem(ProblemCode.BUDGET_EXCEEDED, detail="the chain is too long")] = (
                None
            )
            return
        for issuer in self.issuers(last):
            # a name with the same key twice is a loop, whatever else differs
            if any(
                issuer.public_key == each.public_key and issuer.subject.matches(each.subject)
                for each in below
            ):
                continue
            check = self.check(last, issuer)
            if check is SignatureCheck.INVALID:
                self.refused[Problem(ProblemCode.ISSUER_SIGNATURE, last.fingerprint)] = None
            elif check is SignatureCheck.UNSUPPORTED:
                unsupported = Problem(
                    ProblemCode.ALGORITHM_UNSUPPORTED,
                    last.fingerprint,
                    remedy(last.signature_algorithm),
                )
                self.refused[unsupported] = None
            else:
                yield from self.chains((*below, issuer))

    def issuers(self, certificate: Certificate) -> list[Certificate]:
        """Return who may have issued it; key identifiers only put them in order."""
        hint = certificate.authority_key_identifier
        wanted = hint.key_identifier if hint else None

        def unlikely(each: Certificate) -> tuple[bool, bool, bool]:
            own = each.subject_key_identifier
            return (
                wanted is not None and own is not None and own != wanted,
                each not in self.trust,
                not each.not_before <= self.at <= each.not_after,
            )

        named = (each for each in self.pool if each.subject.matches(certificate.issuer))
        return sorted(named, key=unlikely)

    def check(self, certificate: Certificate, issuer: Certificate) -> SignatureCheck:
        """Check a signature once, and pay for it."""
        self.links += 1
        if self.links > self.budget.links:
            raise BudgetExceeded("links of chains", self.budget.links)
        if self.clock.monotonic() > self.deadline:
            raise BudgetExceeded("seconds for a chain", self.budget.seconds)
        pair = (certificate, issuer.public_key)
        if pair not in self.checked:
            if len(self.checked) >= self.budget.signatures:
                raise BudgetExceeded("signatures of chains", self.budget.signatures)
            self.checked[pair] = verify_signature(
                issuer.public_key,
                certificate.signature_algorithm,
                certificate.tbs_der,
                certificate.signature,
                provider=self.provider,
            )
        return self.checked[pair]

    def facts(self, chain: tuple[Certificate, ...], refused: tuple[Problem, ...] = ()) -> PathFacts:
        """Check everything but signatures, which are good already."""
        anchor = chain[-1] if chain[-1] in self.trust else None
        policies = process_policies(chain, anchor, self.rules)
        constrained = (*name_problems(chain), *policies.problems)
        links = tuple(
            LinkFacts(
                certificate=each,
                signature=self.checked[each, chain[at + 1].public_key]
                if at + 1 < len(chain)
                else None,
                problems=(
                    *self.problems(chain, at),
                    *(problem for problem in constrained if problem.subject == each.fingerprint),
                ),
            )
            for at, each in enumerate(chain)
        )
        broken = () if anchor else (Problem(ProblemCode.NO_ANCHOR, chain[-1].fingerprint),)
        found = (problem for link in links for problem in link.problems)
        return PathFacts(
            at=self.at,
            links=links,
            anchor=anchor,
            problems=(*found, *refused, *broken),
            policies=policies.policies,
            qualifiers=policies.qualifiers,
        )

    def problems(self, chain: tuple[Certificate, ...], index: int) -> Iterator[Problem]:
        """Yield what is wrong with one certificate of a chain."""
        certificate = chain[index]

        def problem(code: ProblemCode, detail: str = "") -> Problem:
            return Problem(code, certificate.fingerprint, detail)

        if self.at < certificate.not_before:
            yield problem(ProblemCode.NOT_YET_VALID)
        if self.at > certificate.not_after:
            yield problem(ProblemCode.EXPIRED)
        if certificate.signature_algorithm != certificate.tbs_signature_algorithm:
            yield problem(ProblemCode.ALGORITHM_MISMATCH)
        for extension in certificate.extensions:
            if extension.critical and extension.oid not in _PROCESSED:
                yield problem(ProblemCode.CRITICAL_EXTENSION, extension.oid)
        if index == 0:
            return
        constraints, usage = certificate.basic_constraints, certificate.key_usage
        is_old_root = certificate.version < 3 and certificate in self.trust
        if not is_old_root and not (constraints and constraints.ca):
            yield problem(ProblemCode.NOT_A_CA)
        if usage is not None and "keyCertSign" not in usage:
            yield problem(ProblemCode.KEY_USAGE, "keyCertSign")
        below = sum(not each.is_self_issued for each in chain[1:index])
        limit = constraints.path_length if constraints else None
        if limit is not None and below > limit:
            yield problem(ProblemCode.PATH_TOO_LONG)
