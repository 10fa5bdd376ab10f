"""Whether a certificate is revoked, out of the evidence at hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain, pairwise
from typing import Literal

import attrs

from medsign.clock import aware
from medsign.codec.asn1 import BasicOcspResponse, Certificate, RevocationList
from medsign.gost import Provider
from medsign.pki.claims import Claim, EvidencePolicy, Status
from medsign.pki.crl import claim_of_crl, is_about, join_partial
from medsign.pki.ocsp import Responders, claim_of_ocsp
from medsign.pki.path import build_path
from medsign.pki.problems import Problem, ProblemCode
from medsign.pki.trust import TrustStore

# Reasons that leave what the key signed before in force.
RETIREMENTS = frozenset({"superseded", "cessationOfOperation", "affiliationChanged"})
# What may be wrong with a statement about later that nevertheless tells of what was before.
_TELLS_OF_BEFORE = frozenset({ProblemCode.FROM_THE_FUTURE, ProblemCode.AFTER_EXPIRY})


@attrs.frozen(kw_only=True)
class RevocationEvidence:
    """Lists and answers at hand, useful or not.

    Attributes:
        crls: Revocation lists.
        responses: OCSP answers.
    """

    crls: tuple[RevocationList, ...] = ()
    responses: tuple[BasicOcspResponse, ...] = ()

    def __or__(self, other: RevocationEvidence) -> RevocationEvidence:
        return RevocationEvidence(
            crls=self.crls + other.crls, responses=self.responses + other.responses
        )


@attrs.frozen(kw_only=True)
class RevocationFacts:
    """The status of a certificate at a moment.

    Attributes:
        at: The moment.
        status: ``good``, ``revoked``, or ``unknown`` when no fit evidence says either.
        claim: The statement that decided; ``None`` when nothing did.
        revoked_at: Since when it is revoked. It may be later than ``at``: then it was good.
        reason: Why, a value of `medsign.codec.asn1.crl.REASONS`.
        claims: Everything that the evidence says, the deciding statement included.
        problems: `ProblemCode.REVOKED`, or why the status is unknown; empty when it is good.
    """

    at: datetime
    status: Status
    claim: Claim | None
    revoked_at: datetime | None
    reason: str | None
    claims: tuple[Claim, ...]
    problems: tuple[Problem, ...]

    @property
    def source(self) -> Literal["crl", "ocsp"] | None:
        """Where the deciding statement comes from."""
        return self.claim.source if self.claim else None

    @property
    def evidence_time(self) -> datetime | None:
        """When the deciding statement was known to be true."""
        return self.claim.this_update if self.claim else None


def check_revocation(
    certificate: Certificate,
    issuer: Certificate,
    evidence: RevocationEvidence,
    *,
    at: datetime,
    now: datetime | None = None,
    policy: EvidencePolicy | None = None,
    nonce: bytes | None = None,
    responders: Iterable[Certificate] = (),
    candidates: Iterable[Certificate] = (),
    trust: TrustStore | None = None,
    provider: Provider | None = None,
) -> RevocationFacts:
    """Weigh the evidence about a certificate (RFC 5280 §6.3, RFC 6960 §3.2).

    Genuine evidence that says "revoked" is always used: also when it is stale, and whatever places
    the certificate names. Only a suspension gives way, to good evidence that is newer and not
    later than ``at``.

    Args:
        certificate: The certificate asked about.
        issuer: Its issuer: the next one in a valid chain.
        evidence: Lists and answers at hand.
        at: The moment asked about; aware. Revocations after it do not count.
        now: The moment of asking, for evidence must not come from the future; by default ``at``.
        policy: What is fresh.
        nonce: The nonce of the OCSP request, when there was one.
        responders: OCSP services that the caller trusts though the issuer did not charge them.
        candidates: Where to look for the certificate of an OCSP service besides its answer, and
            for those of other keys and authorities that sign lists.
        trust: Whom to trust for those: the anchor of the chain. Without it only the key that
            signed the certificate is believed to sign lists about it.
        provider: Who computes; by default `medsign.gost.default_provider`.

    Raises:
        UsageError: A moment has no time zone.
    """
    at = aware(at)
    now = at if now is None else aware(now)
    policy = policy or EvidencePolicy()
    authorised = Responders(issuer=issuer, trusted=tuple(responders), at_hand=tuple(candidates))
    lists = [each for each in dict.fromkeys(evidence.crls) if is_about(each, certificate)]
    answers = [each for each in dict.fromkeys(evidence.responses) if _may_answer(each, certificate)]
    authors = _ListSigners(
        trust=trust or TrustStore(),
        pool=tuple(dict.fromkeys(candidates)),
        evidence=evidence,
        now=now,
        policy=policy,
        provider=provider,
    )
    deltas = [each for each in lists if each.is_delta]
    said = [
        claim_of_crl(
            each,
            certificate,
            issuer,
            at=at,
            now=now,
            policy=policy,
            signers=authors.of(each),
            deltas=deltas,
            provider=provider,
        )
        for each in lists[: policy.max_statements]
    ]
    answered = [
        _without_revoked_responder(
            claim_of_ocsp(
                each,
                certificate,
                authorised,
                at=at,
                now=now,
                policy=policy,
                nonce=nonce,
                provider=provider,
            ),
            each.produced_at,
            authorised,
            evidence,
            now=now,
            policy=policy,
            provider=provider,
        )
        for each in answers[: policy.max_statements]
    ]
    claims = tuple(each for each in (*said, *answered) if each is not None)
    if joint := join_partial(claims):
        claims = (*claims, joint)
    if max(len(lists), len(answers)) > policy.max_statements:
        claims = tuple(map(_of_a_crowd, claims))
    return decide_revocation(claims, at=at)


def decide_revocation(claims: tuple[Claim, ...], *, at: datetime) -> RevocationFacts:
    """Decide by statements alone.

    Args:
        claims: What the evidence says.
        at: The moment asked about; aware.

    Example:
        >>> from datetime import UTC
        >>> decide_revocation((), at=datetime(2026, 1, 1, tzinfo=UTC)).problems[0].code.russian
        'нет сведений о статусе сертификата'
    """
    genuine = [each for each in claims if not each.forged]
    revoked = [each for each in genuine if each.status == "revoked"]
    good = [each for each in genuine if each.status == "good" and not each.unfit]

    def lifted(hold: Claim) -> bool:
        return hold.reason == "certificateHold" and any(
            hold.this_update < each.this_update <= at for each in good
        )

    def since(claim: Claim) -> datetime:
        return claim.revoked_at or claim.this_update

    standing = sorted((each for each in revoked if not lifted(each)), key=since)
    first = standing[0] if standing else None
    # revoked later means good before, unless the statement leaves other revocations open
    before = (each for each in standing if {why.code for why in each.unfit} <= _TELLS_OF_BEFORE)
    decided: Claim | None
    status: Status
    problems: tuple[Problem, ...] = ()
    if first is not None and since(first) <= at:
        decided, status = first, "revoked"
        problems = (Problem(ProblemCode.REVOKED, first.fingerprint, first.reason or ""),)
    elif decided := max(good, key=lambda each: each.this_update, default=next(before, None)):
        status = "good"
    else:
        status = "unknown"
        problems = tuple(problem for each in claims for problem in each.problems)
        problems = problems or (Problem(ProblemCode.NO_EVIDENCE),)
    return RevocationFacts(
        at=at,
        status=status,
        claim=decided,
        revoked_at=since(first) if first else None,
        reason=first.reason if first else None,
        claims=claims,
        problems=problems,
    )


def _without_revoked_responder(
    claim: Claim | None,
    produced_at: datetime,
    responders: Responders,
    evidence: RevocationEvidence,
    *,
    now: datetime,
    policy: EvidencePolicy,
    provider: Provider | None,
) -> Claim | None:
    """Refuse an answer whose service was revoked by the issuer of both (RFC 6960 §4.2.2.2.1)."""
    own = claim.responder if claim else None
    if (
        claim is None
        or claim.forged
        or own is None
        or own in {responders.issuer, *responders.trusted}
        or not _is_void(
            own, responders, evidence, produced_at, now=now, policy=policy, provider=provider
        )
    ):
        return claim
    refused = Problem(ProblemCode.RESPONDER_REFUSED, own.fingerprint, "revoked")
    return attrs.evolve(claim, forged=(*claim.forged, refused))


def _is_void(
    certificate: Certificate,
    authorised: Responders,
    evidence: RevocationEvidence,
    signed_at: datetime,
    *,
    now: datetime,
    policy: EvidencePolicy,
    provider: Provider | None,
) -> bool:
    """Tell whether lists and answers of its issuer make void what a key has signed.

    What it signed before it was retired stays good; not so when it got into bad hands. Only
    revocations count, because nobody can clear itself. Where there is too much to weigh, it is
    void as well.
    """
    lists = [each for each in evidence.crls if is_about(each, certificate)]
    answers = [each for each in evidence.responses if _may_answer(each, certificate)]
    if max(len(lists), len(answers)) > policy.max_statements:
        return True
    said = (
        claim_of_crl(
            each,
            certificate,
            authorised.issuer,
            at=now,
            now=now,
            policy=policy,
            provider=provider,
        )
        for each in lists
    )
    answered = (
        claim_of_ocsp(
            each, certificate, authorised, at=now, now=now, policy=policy, provider=provider
        )
        for each in answers
    )
    revoked = (
        each
        for each in chain(said, answered)
        if each and not each.forged and each.status == "revoked"
    )
    return any(
        each.reason not in RETIREMENTS or each.revoked_at is None or each.revoked_at <= signed_at
        for each in revoked
    )


def _may_answer(answer: BasicOcspResponse, certificate: Certificate) -> bool:
    serials = (each.cert_id.serial_number for each in answer.single_responses)
    return certificate.serial_number in serials


def _of_a_crowd(claim: Claim) -> Claim:
    """Let a statement not say good: among those that were not weighed may be a revocation."""
    crowd = Problem(ProblemCode.BUDGET_EXCEEDED, claim.fingerprint, "lists and answers")
    return attrs.evolve(claim, unfit=(*claim.unfit, crowd))


@attrs.define(kw_only=True)
class _ListSigners:
    """Who may sign lists besides the issuer: certificates whose own chain is good.

    Attributes:
        left: How many chains may still be built.
    """

    trust: TrustStore
    pool: tuple[Certificate, ...]
    evidence: RevocationEvidence
    now: datetime
    policy: EvidencePolicy
    provider: Provider | None
    left: int = 16
    known: dict[tuple[Certificate, datetime], bool] = attrs.field(
        factory=dict[tuple[Certificate, datetime], bool]
    )

    def of(self, crl: RevocationList) -> Iterator[Certificate]:
        """Yield who may have signed a list."""
        for each in self.pool:
            if each.subject.matches(crl.issuer) and self.is_vouched(each, crl.this_update):
                yield each

    def is_vouched(self, certificate: Certificate, at: datetime) -> bool:
        """Tell whether a chain is good and its own issuers revoke no part of it."""
        key = certificate, at
        if key not in self.known:
            if not self.trust.anchors or not self.left:
                return False
            self.left -= 1
            path = build_path(certificate, self.trust, self.pool, at=at, provider=self.provider)
            self.known[key] = path.is_valid and not any(
                _is_void(
                    each,
                    Responders(issuer=issuer),
                    self.evidence,
                    at,
                    now=self.now,
                    policy=self.policy,
                    provider=self.provider,
                )
                for each, issuer in pairwise(path.chain)
            )
        return self.known[key]
