"""Whether a certificate is revoked, out of the evidence at hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import attrs

from medsign.clock import aware
from medsign.codec.asn1 import BasicOcspResponse, Certificate, RevocationList
from medsign.gost import Provider
from medsign.pki.claims import Claim, EvidencePolicy, Status
from medsign.pki.crl import claim_of_crl
from medsign.pki.ocsp import Responders, claim_of_ocsp
from medsign.pki.problems import Problem, ProblemCode


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
        candidates: Where to look for the certificate of an OCSP service besides its answer.
        provider: Who computes; by default `medsign.gost.default_provider`.

    Raises:
        UsageError: A moment has no time zone.
    """
    at = aware(at)
    now = at if now is None else aware(now)
    policy = policy or EvidencePolicy()
    authorised = Responders(issuer=issuer, trusted=tuple(responders), at_hand=tuple(candidates))
    lists = [
        claim_of_crl(crl, certificate, issuer, at=at, now=now, policy=policy, provider=provider)
        for crl in evidence.crls
    ]
    answers = [
        claim_of_ocsp(
            answer,
            certificate,
            authorised,
            at=at,
            now=now,
            policy=policy,
            nonce=nonce,
            provider=provider,
        )
        for answer in evidence.responses
    ]
    claims = tuple(
        _without_revoked_responder(each, authorised, evidence.crls, now, policy, provider)
        for each in (*lists, *answers)
        if each is not None
    )
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
    decided: Claim | None
    status: Status
    problems: tuple[Problem, ...] = ()
    if first is not None and since(first) <= at:
        decided, status = first, "revoked"
        problems = (Problem(ProblemCode.REVOKED, first.fingerprint, first.reason or ""),)
    elif decided := max(good, key=lambda each: each.this_update, default=first):
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
    claim: Claim,
    responders: Responders,
    crls: Iterable[RevocationList],
    now: datetime,
    policy: EvidencePolicy,
    provider: Provider | None,
) -> Claim:
    """Refuse an answer whose service a list of the same issuer calls revoked."""
    own = claim.responder
    if own is None or own == responders.issuer or own in responders.trusted:
        return claim
    for crl in crls:
        said = claim_of_crl(
            crl, own, responders.issuer, at=now, now=now, policy=policy, provider=provider
        )
        if said and not said.forged and said.status == "revoked":
            refused = Problem(ProblemCode.RESPONDER_REFUSED, own.fingerprint, "revoked")
            return attrs.evolve(claim, forged=(*claim.forged, refused))
    return claim
