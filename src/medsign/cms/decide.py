"""From facts to a verdict: a pure function (ETSI EN 319 102-1 clause 5, in its words).

All the time logic is here. The best signature time is the earliest moment that a trustworthy time
stamp proves, else the moment of the verdict; certificates are judged at it, so that one which
expired or was revoked after the stamp does no harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import attrs

from medsign.clock import aware
from medsign.cms.facts import (
    COMMITMENT,
    SIGNATURE_POLICY,
    CertificateFacts,
    ChainFacts,
    Facts,
    Layer,
    SignatureFacts,
    StampFacts,
    StatusFacts,
)
from medsign.cms.messages import MESSAGES, NON_QUALIFYING, Indication, Qualification, SubIndication
from medsign.cms.policy import DEFAULT, Level, Policy
from medsign.cms.report import Exhibit, Finding, ProofOfExistence, Report, SignatureReport
from medsign.codec.asn1 import oids
from medsign.pki.problems import Problem
from medsign.pki.profile import ProfileRule
from medsign.pki.revocation import RevocationFacts, decide_revocation

_PROFILE = {rule.code: rule.russian for rule in ProfileRule}
_NAMES = {SIGNATURE_POLICY: "Правила подписи", COMMITMENT: "Что означает подпись"}
_ORDER = {code: number for number, code in enumerate(MESSAGES)}


def decide(facts: Facts, policy: Policy = DEFAULT, *, at: datetime) -> Report:
    """Judge a signed message by what is known about it.

    Args:
        facts: What `medsign.cms.collect` found, now or years ago.
        policy: What is required.
        at: The moment of the verdict, aware. Evidence and stamps later than it do not count.

    Returns:
        The report; a bad signature is a report too, never an exception.

    Raises:
        UsageError: The moment has no time zone.

    Example:
        >>> from datetime import UTC, datetime
        >>> facts = Facts(fingerprint="00" * 32, malformed="contentType: not signed data")
        >>> decide(facts, at=datetime(2026, 1, 1, tzinfo=UTC)).sub_indication.value
        'FORMAT_FAILURE'
    """
    at = aware(at)
    judge = _Judge(policy, at)
    readable, why = facts.malformed is None, facts.malformed or ""
    checks = [judge.finding("FORMAT", readable, source=facts.fingerprint, detail=why)]
    if readable:
        checks.append(judge.finding("SIGNATURE_PRESENT", bool(facts.signatures)))
    signers = tuple(map(judge.signature, facts.signatures))
    verdicts = [_verdict(checks), *((each.indication, each.sub_indication) for each in signers)]
    indication, sub_indication = max(verdicts, key=lambda verdict: _SEVERITY[verdict[0]])
    return Report(
        indication=indication,
        sub_indication=sub_indication,
        signers=signers,
        findings=tuple(checks),
        policy=policy.name,
        policy_digest=policy.digest,
        fingerprint=facts.fingerprint,
        at=at,
    )


def judge_existing(
    facts: SignatureFacts, policy: Policy, proof: ProofOfExistence, *, at: datetime
) -> SignatureReport:
    """Judge one signature as one that existed at a moment, whatever its own time stamps prove.

    Args:
        facts: What is known about it.
        policy: What is required.
        proof: When it existed, and by whose word.
        at: The moment of the verdict, aware: what came to be known up to it counts.
    """
    return _Judge(policy, aware(at), proof).signature(facts)


_SEVERITY = {
    Indication.TOTAL_PASSED: 0,
    Indication.INDETERMINATE: 1,
    Indication.TOTAL_FAILED: 2,
}


def _verdict(findings: Iterable[Finding]) -> tuple[Indication, SubIndication | None]:
    # The table lists what is proved bad before what is only not proved good.
    failed = [each for each in findings if not each.passed and each.severity is Level.FAIL]
    if not failed:
        return Indication.TOTAL_PASSED, None
    sub_indication = min(failed, key=lambda each: _ORDER[each.code]).message.sub_indication
    return sub_indication.indication, sub_indication


@attrs.frozen
class _Judge:
    """A policy at a moment.

    Attributes:
        proof: When the signature is taken to have existed; ``None`` for what is proved.
        sealed: Since when lists and answers are proved to exist, by fingerprint.
    """

    policy: Policy
    at: datetime
    proof: ProofOfExistence | None = None
    sealed: Mapping[str, datetime] = attrs.field(factory=dict[str, datetime])

    def finding(
        self,
        code: str,
        passed: bool,  # noqa: FBT001 - what the check says
        certificate: CertificateFacts | None = None,
        *,
        source: str | None = None,
        path: tuple[CertificateFacts, ...] = (),
        moment: datetime | None = None,
        detail: str = "",
    ) -> Finding:
        """Return the outcome of one check."""
        return Finding(
            code=code,
            passed=passed,
            severity=self.policy.level(code),
            evidence=Exhibit(
                certificate=certificate.fingerprint if certificate else None,
                source=source,
                path=tuple([each.fingerprint for each in path]) if path else (),
                moment=moment,
                detail=detail,
            ),
        )

    def signature(self, facts: SignatureFacts) -> SignatureReport:
        """Return the verdict on one signature."""
        stamps = self._stamps(facts.stamps)
        proofs = [
            each.not_later_than
            for each, finding in zip(facts.stamps, stamps, strict=True)
            if finding.passed and each.not_later_than
        ]
        existed = self.proof or ProofOfExistence(
            at=min([self.at, *proofs]),
            by="time stamp" if any(map(self._past, proofs)) else "verification",
        )
        proved_at = existed.at
        informed = self._with_seals(facts.stamps, stamps)
        order = tuple(self._order(facts, stamps))
        refuted = any(not each.passed for each in order)
        findings = [
            *self._integrity(facts, proved_at),
            *(() if refuted else self._claim(facts)),
            *(informed._chain(facts.chain, proved_at) if facts.chain else ()),
            *self._qualified(facts, proved_at),
            *order,
            *stamps,
            self.finding("STAMP_PRESENT", bool(proofs), moment=min(proofs, default=None)),
        ]
        kept = [each for each in findings if each.passed or each.severity is not Level.IGNORE]
        indication, sub_indication = _verdict(kept)
        return SignatureReport(
            indication=indication,
            sub_indication=sub_indication,
            proved_at=proved_at,
            proved_by=existed.by,
            claimed_at=facts.claimed_at,
            holder=facts.holder,
            certificate=facts.chain.certificates[0].fingerprint if facts.chain else None,
            name=facts.chain.certificates[0].name if facts.chain else "",
            qualification=self._qualification(findings, indication),
            tool_classes=facts.tool_classes,
            findings=tuple(sorted(kept, key=lambda each: _ORDER[each.code])),
            countersigners=tuple(
                map(_Judge(self.policy, self.at).signature, facts.countersignatures)
            ),
        )

    def _integrity(self, facts: SignatureFacts, proved_at: datetime) -> Iterator[Finding]:
        signer = facts.chain.certificates[0] if facts.chain else None
        if facts.malformed:
            yield self.finding("FORMAT", False, detail=facts.malformed)
        yield self.finding("SIGNING_CERTIFICATE", signer is not None, signer)
        yield self.finding("CONTENT_PRESENT", facts.content_present)
        if facts.content_intact is not None:
            yield self.finding("CONTENT_INTACT", facts.content_intact)
        if facts.signature_valid is not None:
            yield self.finding("SIGNATURE_INTACT", facts.signature_valid, signer)
        if signer and facts.content_present and not facts.malformed:
            computed = (facts.content_intact, facts.signature_valid)
            known = False in computed or None not in computed
            yield self.finding("ALGORITHM_IMPLEMENTED", known)
        yield from self._algorithms(facts.algorithms, proved_at)
        yield self.finding("SIGNED_ATTRIBUTES", facts.signed_attributes)
        yield self.finding("SIGNATURE_RULES", not facts.problems, detail=_words(facts.problems))
        yield self.finding("HEADER", facts.header_sound)
        if facts.unjudged:
            names = "; ".join(_NAMES.get(each) or oids.describe(each) for each in facts.unjudged)
            yield self.finding("EVIDENCE_JUDGED", False, detail=names)
        if SIGNATURE_POLICY in facts.unjudged:
            yield self.finding("SIGNATURE_POLICY", False)
        present = facts.certificate_reference != "absent"
        yield self.finding("CERTIFICATE_REFERENCE_PRESENT", present)
        if present:
            matches = facts.certificate_reference == "match"
            yield self.finding("CERTIFICATE_REFERENCE", matches, signer)

    def _algorithms(
        self,
        algorithms: Iterable[str],
        moment: datetime,
        certificate: CertificateFacts | None = None,
    ) -> Iterator[Finding]:
        for oid in algorithms:
            allowed = oid in self.policy.algorithms
            yield self.finding("ALGORITHM_ALLOWED", allowed, certificate, detail=oid)
            if allowed and (until := self.policy.algorithms[oid]):
                yield self.finding(
                    "ALGORITHM_IN_TIME", moment < until, certificate, moment=until, detail=oid
                )

    def _claim(self, facts: SignatureFacts) -> Iterator[Finding]:
        """The signer's own word proves nothing for him, but what it admits speaks against him."""
        if facts.chain is None or (claimed := facts.claimed_at) is None:
            return
        signer, skew = facts.chain.certificates[0], self.policy.clock_skew
        expired = claimed > signer.not_after
        yield self.finding(
            "CERTIFICATE_EXPIRED_AT_SIGNING", not expired, signer, moment=signer.not_after
        )
        early = signer.not_before - claimed > skew
        yield self.finding(
            "CERTIFICATE_NOT_YET_VALID_AT_SIGNING", not early, signer, moment=signer.not_before
        )
        if facts.key_until:
            rested = claimed > facts.key_until
            yield self.finding("KEY_IN_TIME", not rested, signer, moment=facts.key_until)
        known = self._revocation(signer, claimed)
        if known.revoked_at:
            yield self.finding(
                "CERTIFICATE_REVOKED_AT_SIGNING",
                known.status != "revoked",
                signer,
                source=known.claim.fingerprint if known.claim else None,
                moment=known.revoked_at,
            )

    def _qualified(self, facts: SignatureFacts, proved_at: datetime) -> Iterator[Finding]:
        """What makes a certificate a qualified one (63-ФЗ, ст. 11 and 17)."""
        if facts.chain is None:
            return
        signer, *authorities = facts.chain.certificates
        broken = "; ".join(_PROFILE.get(each, each) for each in facts.profile)
        yield self.finding("QUALIFIED_PROFILE", not facts.profile, signer, detail=broken)
        classes = ", ".join(facts.tool_classes)
        yield self.finding("TOOL_CLASS", bool(classes), signer, detail=classes)
        at_issue = facts.accredited_at_issue
        known = at_issue is not None and not at_issue.is_outdated
        yield self.finding(
            "ACCREDITATION_KNOWN",
            known,
            source=at_issue.source if at_issue else None,
            moment=at_issue.as_of if at_issue else None,
        )
        moments = {
            "ACCREDITED": at_issue if known else None,
            "ACCREDITED_AT_SIGNING": max(
                (each for each in facts.accredited_at_signing if each.at <= proved_at),
                key=lambda each: each.at,
                default=None,
            ),
        }
        for code, listed in moments.items():
            if listed is not None:
                words = filter(None, (listed.authority, listed.status))
                yield self.finding(
                    code,
                    listed.accredited,
                    next(iter(authorities), signer),
                    source=listed.source,
                    moment=listed.at,
                    detail=": ".join(words) or "в перечне такого удостоверяющего центра нет",
                )

    def _qualification(self, findings: Iterable[Finding], indication: Indication) -> Qualification:
        """Call a signature qualified only when nothing at all speaks against it."""
        failed = {each.code for each in findings if not each.passed}
        if failed & NON_QUALIFYING:
            return Qualification.NON_QUALIFIED
        passed = indication is Indication.TOTAL_PASSED and not self.policy.is_unsafe
        known = passed and "ACCREDITATION_KNOWN" not in failed
        return Qualification.QUALIFIED if known else Qualification.UNKNOWN

    def _chain(
        self, chain: ChainFacts, moment: datetime, *, made_at: datetime | None = None
    ) -> Iterator[Finding]:
        """Judge a chain at a moment.

        Args:
            chain: The chain.
            moment: The moment.
            made_at: When the key of the first certificate was used by the word of its owner, who
                is believed as long as the key was only retired (RFC 3161 4, 1).
        """
        signer, *authorities = chain.certificates
        yield self.finding(
            "CHAIN_FOUND", chain.anchored, chain.certificates[-1], path=chain.certificates
        )
        broken = {each.subject for each in chain.problems}
        yield self.finding(
            "CHAIN_RULES",
            not chain.problems,
            next((each for each in chain.certificates if each.fingerprint in broken), None),
            path=chain.certificates,
            detail=_words(chain.problems),
        )
        started = signer.not_before <= moment
        yield self.finding("CERTIFICATE_NOT_YET_VALID", started, signer, moment=signer.not_before)
        ended = moment > signer.not_after
        yield self.finding("CERTIFICATE_IN_TIME", not ended, signer, moment=signer.not_after)
        for each in authorities:
            early = moment < each.not_before
            yield self.finding(
                "CHAIN_IN_TIME",
                each.not_before <= moment <= each.not_after,
                each,
                moment=each.not_before if early else each.not_after,
            )
        # The root is trusted by itself: its own signature and its revocation mean nothing.
        for each in chain.certificates[:-1] if chain.anchored else chain.certificates:
            yield from self._algorithms((each.algorithm,), moment, each)
            own = each is signer
            code = "CERTIFICATE_NOT_REVOKED" if own else "CHAIN_NOT_REVOKED"
            retired = made_at is not None and self._is_only_retired(each)
            yield from self._not_revoked(
                code, each, chain.above(each), made_at if made_at and retired else moment
            )

    def _not_revoked(
        self,
        code: str,
        certificate: CertificateFacts,
        above: Iterable[CertificateFacts],
        moment: datetime,
    ) -> Iterator[Finding]:
        known = self._revocation(certificate, moment)
        decided = known.claim
        if known.revoked_at:
            yield self.finding(
                code,
                known.status != "revoked",
                certificate,
                source=decided.fingerprint if decided else None,
                moment=known.revoked_at,
            )
        if known.status == "revoked":
            return
        ended = min(filter(None, map(self._void_since, above)), default=None)
        believed = tuple(each for each in self._statuses(certificate) if self._holds(each, ended))
        good = tuple(each for each in believed if each.status == "good")
        # A revocation after the moment can show that the certificate was good at the moment.
        later = (each.claim() for each in believed if each.status == "revoked")
        before = any(decide_revocation((each,), at=moment).status == "good" for each in later)
        yield self.finding(
            "REVOCATION_KNOWN",
            before or self.policy.revocation.met_by(good, moment),
            certificate,
            source=decided.fingerprint if decided else None,
            moment=decided.this_update if decided else None,
            detail="" if ended is None else "удостоверяющий центр отозван",
        )

    def _void_since(self, authority: CertificateFacts) -> datetime | None:
        """Return since when anybody may have had the key of an authority."""
        if self._revocation(authority, self.at).status != "revoked":
            return None
        revoked = (each for each in self._statuses(authority) if each.status == "revoked")
        leaks = (each for each in revoked if not each.is_retirement)
        return min((each.revoked_at or each.this_update for each in leaks), default=None)

    def _holds(self, status: StatusFacts, ended: datetime | None) -> bool:
        """Tell whether the word of an authority counts, though its key ended in bad hands.

        Whoever has the key can name any date, so only a time stamp shows that it was said before
        (ETSI EN 319 102-1 5.6.2.2).
        """
        sealed = self.sealed.get(status.fingerprint)
        return ended is None or (sealed is not None and sealed < ended)

    def _is_only_retired(self, certificate: CertificateFacts) -> bool:
        revoked = [each for each in self._statuses(certificate) if each.status == "revoked"]
        return bool(revoked) and all(each.is_retirement for each in revoked)

    def _revocation(self, certificate: CertificateFacts, moment: datetime) -> RevocationFacts:
        claims = tuple(each.claim() for each in self._statuses(certificate))
        return decide_revocation(claims, at=moment)

    def _statuses(self, certificate: CertificateFacts) -> Iterator[StatusFacts]:
        return (each for each in certificate.statuses if self._past(each.this_update))

    def _stamps(self, stamps: tuple[StampFacts, ...]) -> list[Finding]:
        """Judge the outer stamps first: a good one proves that those inside are as old as it."""
        moment, judge = self.at, self
        found: dict[StampFacts, Finding] = {}
        for wave in _outermost_first(stamps):
            judged = {each: judge._stamp(each, moment) for each in wave}
            judge = judge._with_seals(judged, judged.values())
            good = [each.not_later_than for each in judged if judged[each].passed]
            moment = min([moment, *(each for each in good if each)])
            found |= judged
        return [found[each] for each in stamps]

    def _stamp(self, stamp: StampFacts, moment: datetime) -> Finding:
        faults = [each.code.russian for each in stamp.problems]
        if stamp.stamped_at is None:
            faults.append("штамп не читается")
        elif not self._past(stamp.stamped_at):
            faults.append("штамп датирован будущим")
        if not stamp.header_sound and self.policy.level("HEADER") is Level.FAIL:
            faults.append("служебные поля штампа изменены или записаны с ошибкой")
        if stamp.chain is None:
            faults.append("сертификат службы штампов не найден")
        elif stamp.stamped_at:
            if any(stamp.stamped_at < each.not_before for each in stamp.chain.certificates):
                faults.append("штамп датирован раньше, чем начал действовать сертификат службы")
            own = self.policy.stamp_at_its_own_time
            judged_at = stamp.stamped_at if own else moment
            checks = (
                *self._algorithms(stamp.algorithms, judged_at),
                *self._chain(stamp.chain, judged_at, made_at=stamp.stamped_at),
            )
            faults += [
                each.text_ru for each in checks if not each.passed and each.severity is Level.FAIL
            ]
        return self.finding(
            "STAMP_TRUSTED",
            not faults,
            stamp.chain.certificates[0] if stamp.chain else None,
            source=stamp.fingerprint,
            path=stamp.chain.certificates if stamp.chain else (),
            moment=stamp.stamped_at,
            detail="; ".join(faults),
        )

    def _with_seals(self, stamps: Iterable[StampFacts], judged: Iterable[Finding]) -> _Judge:
        sealed = dict(self.sealed)
        for stamp, finding in zip(stamps, judged, strict=True):
            if finding.passed and (moment := stamp.not_later_than):
                for each in stamp.covers:
                    sealed[each] = min(moment, sealed.get(each, moment))
        return attrs.evolve(self, sealed=sealed)

    def _order(self, facts: SignatureFacts, stamps: Iterable[Finding]) -> Iterator[Finding]:
        for stamp, trusted in zip(facts.stamps, stamps, strict=True):
            if trusted.passed and facts.claimed_at and stamp.not_later_than:
                yield self.finding(
                    "STAMP_ORDER",
                    facts.claimed_at - stamp.not_later_than <= self.policy.clock_skew,
                    source=stamp.fingerprint,
                    moment=stamp.stamped_at,
                )

    def _past(self, moment: datetime) -> bool:
        return moment - self.at <= self.policy.clock_skew


def _outermost_first(stamps: Iterable[StampFacts]) -> Iterator[list[StampFacts]]:
    """Yield stamps that stand side by side; of those of the archive each covers the older ones."""
    layers: dict[Layer, list[StampFacts]] = {"archive": [], "evidence": [], "signature": []}
    for each in stamps:
        layers[each.layer].append(each)
    archive = sorted(layers["archive"], key=lambda each: (each.stamped_at is None, each.stamped_at))
    yield from ([each] for each in reversed(archive))
    yield layers["evidence"]
    yield layers["signature"]


def _words(problems: Iterable[Problem]) -> str:
    return "; ".join(each.code.russian for each in problems)
