"""What a piece of revocation evidence says about one certificate, before anybody weighs it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

import attrs

from medsign.codec.asn1 import Certificate
from medsign.pki.problems import Problem, ProblemCode

Source = Literal["crl", "ocsp"]
Status = Literal["good", "revoked", "unknown"]


@attrs.frozen(kw_only=True)
class EvidencePolicy:
    """When evidence of status is fresh enough.

    Attributes:
        skew: How far the clocks of services may be off.
        max_age: How old evidence may be that names no next update.
        nonce_required: Whether an answer must repeat the nonce of the request, not only never
            contradict it.
        lists_by_key: Whether a revocation list covers only what the key that signed it has
            issued: authorities in Russia keep a list for each of their keys, where RFC 5280 lets
            one list cover all of them.
        max_statements: How many lists and answers about one certificate are weighed. Where there
            are more, none of them shows that the certificate is good.
    """

    skew: timedelta = timedelta(minutes=5)
    max_age: timedelta = timedelta(days=1)
    nonce_required: bool = True
    lists_by_key: bool = True
    max_statements: int = 64


@attrs.frozen(kw_only=True)
class Claim:
    """One statement about one certificate.

    Attributes:
        source: Where it comes from.
        fingerprint: Fingerprint of the list or answer.
        status: What is said.
        this_update: When it was known to be true.
        next_update: When newer information comes.
        revoked_at: Since when it is revoked.
        reason: Why, a value of `medsign.codec.asn1.crl.REASONS`.
        invalidity_date: Since when the key was probably in bad hands.
        reasons: The reasons that a partial list covers; ``None`` for all of them.
        responder: The certificate of the OCSP service.
        forged: Problems because of which it may not come from who should say it.
        unfit: Problems because of which it does not show that the certificate is good.
    """

    source: Source
    fingerprint: str
    status: Status
    this_update: datetime
    next_update: datetime | None
    revoked_at: datetime | None = None
    reason: str | None = None
    invalidity_date: datetime | None = None
    reasons: frozenset[str] | None = None
    responder: Certificate | None = None
    forged: tuple[Problem, ...] = ()
    unfit: tuple[Problem, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything against it."""
        return self.forged + self.unfit


def age_problems(
    this_update: datetime,
    next_update: datetime | None,
    fingerprint: str,
    *,
    at: datetime,
    now: datetime,
    policy: EvidencePolicy,
) -> Iterator[Problem]:
    """Yield what is wrong with the age of evidence.

    Evidence made after ``at`` is welcome: it knows more. It must not come from after ``now``.

    Args:
        this_update: When the evidence was made.
        next_update: When newer comes.
        fingerprint: Which evidence it is.
        at: The moment asked about.
        now: The moment of asking.
        policy: What is fresh.
    """
    # Differences only: a sum with the last moment of the calendar, "never", is none.
    if this_update - now > policy.skew:
        yield Problem(ProblemCode.FROM_THE_FUTURE, fingerprint)
    term = policy.max_age if next_update is None else next_update - this_update
    if at - this_update > term + policy.skew:
        yield Problem(ProblemCode.STALE, fingerprint)
    elif term < timedelta(0):
        yield Problem(ProblemCode.STALE, fingerprint, "nextUpdate is before thisUpdate")
