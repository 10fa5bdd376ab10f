"""What a verdict misses is gathered, and nothing else.

Evidence that is in the signature or was supplied is never fetched again. What the services of the
settings do not give is looked for where the certificates say, when `PkiContext.follow` asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial
from itertools import chain, islice, pairwise

import attrs

from medsign.cms.collect import MAX_CARRIED, carried, collect, only
from medsign.cms.decide import decide
from medsign.cms.evidence import Evidence
from medsign.cms.facts import ChainFacts, Facts, SignatureFacts
from medsign.cms.messages import Indication
from medsign.cms.policy import Level, Policy
from medsign.cms.report import Finding, Report, SignatureReport
from medsign.codec.asn1 import Certificate, decode_signed_data, to_binary
from medsign.errors import BudgetExceeded, MalformedError
from medsign.exchange import Flow, do
from medsign.pki.fetch import Fetcher
from medsign.pki.path import build_path
from medsign.pki.unfetched import Unfetched

_TOLD_WHY = {"CHAIN_FOUND", "REVOCATION_KNOWN", "STAMP_TRUSTED"}


@attrs.frozen(kw_only=True)
class Gap:
    """What a verdict misses.

    Attributes:
        certificate: SHA-256 of the certificate whose status is unknown, or whose chain is broken.
        issuer: SHA-256 of its issuer; ``None`` when the chain is broken.
    """

    certificate: str
    issuer: str | None = None


def gaps(facts: Facts, policy: Policy, *, at: datetime) -> tuple[Gap, ...]:
    """Return what a verdict misses; nothing for a signature that is bad whatever comes.

    Args:
        facts: What is known.
        policy: What is required.
        at: The moment of the verdict; aware.
    """
    report = decide(facts, policy, at=at)
    pairs = zip(facts.signatures, report.signers, strict=True)
    found = chain.from_iterable(_of_signature(*pair, policy, at) for pair in pairs)
    return tuple(dict.fromkeys(found))


def complete_chain(fetcher: Fetcher, certificate: Certificate, *, at: datetime) -> Flow[None]:
    """Fetch issuers upwards until a trusted one is reached or nothing more comes."""
    asked: set[Certificate] = set()
    while True:
        build = partial(build_path, certificate, fetcher.trust, tuple(fetcher.pool), at=at)
        path = yield from do(partial(build, provider=fetcher.provider))
        last = path.chain[-1]
        if path.anchor is not None or last in asked:
            return
        asked.add(last)
        yield from fetcher.issuers(last)


def complete_chains(
    fetcher: Fetcher, evidence: Evidence, policy: Policy, *, at: datetime
) -> Flow[Evidence]:
    """Return the evidence with the issuers that were missing, as far as they can be fetched."""
    facts = yield from do(partial(collect, evidence, at=at, provider=fetcher.provider))
    known = _by_fingerprint(fetcher, evidence)
    for gap in gaps(facts, policy, at=at):
        if gap.issuer is None and (certificate := known.get(gap.certificate)):
            yield from complete_chain(fetcher, certificate, at=at)
    return attrs.evolve(
        evidence, certificates=tuple(dict.fromkeys((*evidence.certificates, *fetcher.pool)))
    )


def complete_statuses(
    fetcher: Fetcher, evidence: Evidence, policy: Policy, *, at: datetime
) -> Flow[Evidence]:
    """Return the evidence with the statuses that were missing, as far as they can be fetched."""
    full = evidence
    for source in fetcher.follow.sources:
        facts = yield from do(partial(collect, full, at=at, provider=fetcher.provider))
        known = _by_fingerprint(fetcher, evidence)
        for gap in gaps(facts, policy, at=at):
            certificate, issuer = known.get(gap.certificate), known.get(gap.issuer or "")
            if certificate and issuer:
                yield from fetcher.status(certificate, issuer, source)
        full = attrs.evolve(
            evidence,
            crls=(*evidence.crls, *fetcher.crls),
            ocsp_responses=(
                *evidence.ocsp_responses,
                *(each.basic for each in fetcher.responses if each.basic),
            ),
        )
    return full


def explained(report: Report, unfetched: Iterable[Unfetched]) -> Report:
    """Return a report that says at what is not known why it could not be fetched.

    Args:
        report: The verdict.
        unfetched: What could not be had, see `Verification.unfetched`.
    """
    words: dict[str, list[str]] = {}
    for each in unfetched:
        words.setdefault(each.certificate, []).append(each.text_ru)

    def finding(one: Finding) -> Finding:
        why = words.get(one.evidence.certificate or "", [])
        if one.passed or one.code not in _TOLD_WHY or not why:
            return one
        parts = filter(None, (one.evidence.detail, f"не удалось получить: {'; '.join(why)}"))
        return attrs.evolve(one, evidence=attrs.evolve(one.evidence, detail="; ".join(parts)))

    def signer(one: SignatureReport) -> SignatureReport:
        return attrs.evolve(
            one,
            findings=tuple(map(finding, one.findings)),
            countersigners=tuple(map(signer, one.countersigners)),
        )

    return attrs.evolve(report, signers=tuple(map(signer, report.signers))) if words else report


def carried_certificates(signature: bytes) -> tuple[Certificate, ...]:
    """Return the certificates that a signature file brings along; none when it is no such file."""
    try:
        message = decode_signed_data(to_binary(signature))
    except (MalformedError, BudgetExceeded):
        return ()
    inside = only(Certificate, islice(carried(message), MAX_CARRIED))
    return tuple(dict.fromkeys(inside))


def _of_signature(
    facts: SignatureFacts, report: SignatureReport, policy: Policy, at: datetime
) -> Iterator[Gap]:
    if report.indication is Indication.TOTAL_FAILED:
        return
    yield from _of_chain(facts.chain, report.proved_at, policy, at)
    for stamp in facts.stamps:
        own = stamp.stamped_at if policy.stamp_at_its_own_time else None
        yield from _of_chain(stamp.chain, own or at, policy, at)
    for pair in zip(facts.countersignatures, report.countersigners, strict=True):
        yield from _of_signature(*pair, policy, at)


def _of_chain(
    facts: ChainFacts | None, moment: datetime, policy: Policy, at: datetime
) -> Iterator[Gap]:
    if facts is None:
        return
    if not facts.anchored:
        # whom nobody vouches for, nobody is asked about
        if policy.level("CHAIN_FOUND") is Level.FAIL:
            yield Gap(certificate=facts.certificates[0].fingerprint)
        return
    for certificate, issuer in pairwise(facts.certificates):
        past = [each for each in certificate.statuses if each.this_update - at <= policy.clock_skew]
        good = tuple(each for each in past if each.status == "good")
        revoked = any(each.status == "revoked" for each in past)
        if not revoked and not policy.revocation.met_by(good, moment):
            yield Gap(certificate=certificate.fingerprint, issuer=issuer.fingerprint)


def _by_fingerprint(fetcher: Fetcher, evidence: Evidence) -> dict[str, Certificate]:
    at_hand = (*fetcher.pool, *evidence.certificates, *evidence.trust.anchors)
    return {each.fingerprint: each for each in at_hand}
