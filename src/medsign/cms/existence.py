"""When a signature is known to have existed, and what it is worth at each of these moments.

A certificate that has expired or was revoked since does no harm to a signature that was there
before. So the question is not only whether a signature is good, but good as of when, and who says
that it was there then (ETSI EN 319 102-1 clause 5.6.2.3, proof of existence).
"""

from __future__ import annotations

from datetime import datetime

from medsign.clock import aware
from medsign.cms.decide import judge_existing
from medsign.cms.facts import SignatureFacts
from medsign.cms.policy import DEFAULT, Policy
from medsign.cms.report import ProofOfExistence, SignatureReport


def proofs_of_existence(
    facts: SignatureFacts, policy: Policy = DEFAULT, *, at: datetime
) -> tuple[ProofOfExistence, ...]:
    """Return the moments at which a signature is said to have existed, the earliest first.

    These are the signing time that the signer claims, the time of each stamp that is trusted under
    the policy, and the moment of the verdict itself.

    Args:
        facts: What is known about the signature.
        policy: What is required, of time stamps too.
        at: The moment of the verdict, aware.

    Raises:
        UsageError: The moment has no time zone.
    """
    now = ProofOfExistence(at=aware(at), by="verification")
    trusted = {
        each.evidence.source
        for each in judge_existing(facts, policy, now, at=now.at).findings
        if each.code == "STAMP_TRUSTED" and each.passed
    }
    stamped = (
        ProofOfExistence(
            at=min(each.not_later_than, now.at), by="time stamp", source=each.fingerprint
        )
        for each in facts.stamps
        if each.not_later_than and each.fingerprint in trusted
    )
    claimed = facts.claimed_at
    claims = () if claimed is None else (ProofOfExistence(at=claimed, by="claim"),)
    return tuple(sorted((*claims, *stamped, now), key=lambda each: each.at))


def judge_at_each_moment(
    facts: SignatureFacts, policy: Policy = DEFAULT, *, at: datetime
) -> dict[ProofOfExistence, SignatureReport]:
    """Return the verdict on a signature as of each moment at which it is said to have existed.

    Everything that is known at the moment of the verdict counts for all of them: a revocation that
    became known later speaks against an earlier moment too, when it dates back before it.

    Args:
        facts: What is known about the signature.
        policy: What is required.
        at: The moment of the verdict, aware.

    Raises:
        UsageError: The moment has no time zone.
    """
    return {
        proof: judge_existing(facts, policy, proof, at=at)
        for proof in proofs_of_existence(facts, policy, at=at)
    }
