"""From evidence to facts: the only part of a verification that computes.

Nothing here decides. Whatever depends on the moment of the verdict, on freshness or on taste is
left to `medsign.cms.decide`, so that stored facts can be judged again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import attrs

from medsign.clock import aware
from medsign.cms.content import ContentDigest, digest_of
from medsign.cms.decide import decide
from medsign.cms.evidence import Evidence
from medsign.cms.facts import (
    CertificateFacts,
    ChainFacts,
    Facts,
    Reference,
    SignatureFacts,
    StampFacts,
    StatusFacts,
)
from medsign.cms.policy import DEFAULT, Policy
from medsign.cms.report import Report
from medsign.codec.asn1 import (
    Certificate,
    SignedData,
    SignerInfo,
    decode_certificate_values,
    decode_revocation_values,
    decode_signed_data,
    der,
    oids,
    to_binary,
)
from medsign.errors import BudgetExceeded, MalformedError
from medsign.gost import DigestAlgorithm, Provider
from medsign.pki.path import PathFacts, build_path
from medsign.pki.problems import Problem, ProblemCode
from medsign.pki.profile import holder_of, profile_findings
from medsign.pki.revocation import RevocationEvidence, check_revocation
from medsign.pki.signatures import SignatureCheck
from medsign.pki.signed import SignerFacts, check_signer
from medsign.pki.timestamp import check_timestamp

# What one message may cost; further stamps of a signature are not looked at.
MAX_SIGNATURES = 64
MAX_STAMPS = 8

# Whether these hold is for `decide` to say, out of the dates and the chain itself.
_TIMELY = {ProblemCode.NOT_YET_VALID, ProblemCode.EXPIRED, ProblemCode.NO_ANCHOR}
_AGE = {ProblemCode.STALE, ProblemCode.FROM_THE_FUTURE}
# These have a field of their own in `SignatureFacts`.
_STATED = {
    ProblemCode.SIGNER_UNKNOWN,
    ProblemCode.CONTENT_MISSING,
    ProblemCode.DIGEST_MISMATCH,
    ProblemCode.SIGNATURE_INVALID,
    ProblemCode.ALGORITHM_UNSUPPORTED,
    ProblemCode.SIGNING_CERTIFICATE_MISMATCH,
}


def collect(evidence: Evidence, *, at: datetime, provider: Provider | None = None) -> Facts:
    """Find out all that can be found out about a signed message.

    Args:
        evidence: The signature and what there is to judge it by.
        at: The moment for which chains are searched; aware. The verdict may be for another one.
        provider: Who computes; by default `medsign.gost.default_provider`.

    Returns:
        The facts. A file that is no signature gives facts too, with `Facts.malformed`.

    Raises:
        UsageError: The moment has no time zone.
    """
    at = aware(at)
    fingerprint = hashlib.sha256(evidence.signature).hexdigest()
    try:
        message = decode_signed_data(to_binary(evidence.signature))
    except (MalformedError, BudgetExceeded) as error:
        return Facts(fingerprint=fingerprint, malformed=str(error))
    if len(message.signers) > MAX_SIGNATURES:
        return Facts(fingerprint=fingerprint, malformed=f"more than {MAX_SIGNATURES} signatures")
    collector = _Collector(evidence=evidence, message=message, at=at, provider=provider)
    return Facts(
        fingerprint=fingerprint, signatures=tuple(map(collector.signature, message.signers))
    )


def verify(
    evidence: Evidence,
    *,
    policy: Policy = DEFAULT,
    at: datetime,
    provider: Provider | None = None,
) -> Report:
    """Collect the facts about a signed message and judge it.

    Args:
        evidence: The signature and what there is to judge it by.
        policy: What is required.
        at: The moment of the verdict; aware.
        provider: Who computes; by default `medsign.gost.default_provider`.

    Example:
        >>> from datetime import UTC, datetime
        >>> new_year = datetime(2026, 1, 1, tzinfo=UTC)
        >>> report = verify(Evidence(signature=b"not a signature"), at=new_year)
        >>> report.indication.value, report.sub_indication.value
        ('TOTAL-FAILED', 'FORMAT_FAILURE')
    """
    return decide(collect(evidence, at=at, provider=provider), policy, at=at)


@attrs.define(kw_only=True)
class _Collector:
    """The evidence, with what the message itself brings along."""

    evidence: Evidence
    message: SignedData
    at: datetime
    provider: Provider | None
    content: bytes | Mapping[str, bytes] | None = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.content = self._content()

    def signature(self, signer: SignerInfo) -> SignatureFacts:
        """Return the facts about one signature."""
        brought = _Brought.of(signer)
        tokens = [(each, _token(each)) for each in signer.time_stamp_tokens[:MAX_STAMPS]]
        for _, token in tokens:
            if token:
                brought = brought.with_stamp(token)
        pool = (*self.message.certificates, *self.evidence.certificates, *brought.certificates)
        known = RevocationEvidence(
            crls=(*self.message.crls, *self.evidence.crls),
            responses=(*self.message.ocsp_responses, *self.evidence.ocsp_responses),
        )
        chains = _Chains(self.evidence, pool, known | brought.revocation, self.at, self.provider)
        stamps = tuple(chains.stamp(each, token, signer.signature) for each, token in tokens)
        checked = check_signer(
            self.message, signer, self.content, candidates=pool, provider=self.provider
        )
        codes = {each.code for each in checked.problems}
        moment = min((each.stamped_at for each in stamps if each.stamped_at), default=self.at)
        certificate = checked.certificate
        return SignatureFacts(
            algorithms=tuple(
                dict.fromkeys(
                    (
                        signer.digest_algorithm.oid,
                        signer.signature_algorithm.oid,
                        *((certificate.public_key.algorithm.oid,) if certificate else ()),
                    )
                )
            ),
            content_present=ProblemCode.CONTENT_MISSING not in codes,
            content_intact=_content_intact(checked, codes),
            signature_valid=_settled(checked.signature),
            signed_attributes=signer.signed_attributes_der is not None,
            problems=tuple(each for each in checked.problems if each.code not in _STATED),
            header_sound=_header_sound(self.message, signer, certificate),
            certificate_reference=_reference(signer, codes),
            claimed_at=signer.signing_time,
            holder=holder_of(certificate) if certificate else None,
            profile=tuple(rule.code for rule in profile_findings(certificate) if rule.mandatory)
            if certificate
            else (),
            key_until=_key_until(certificate),
            chain=chains.chain(chains.path(certificate, moment)) if certificate else None,
            stamps=stamps,
        )

    def _content(self) -> bytes | Mapping[str, bytes] | None:
        match self.evidence.content:
            case ContentDigest(algorithm, value):
                return {algorithm.oid: value}
            case Path() as file:
                wanted = {each.digest_algorithm.oid for each in self.message.signers}
                return {
                    each.oid: digest_of(file, each, provider=self.provider) or b""
                    for each in DigestAlgorithm
                    if each.oid in wanted
                }
            case content:
                return content


@attrs.frozen
class _Brought:
    """Certificates and revocation evidence among the unsigned attributes of a signature."""

    certificates: tuple[Certificate, ...] = ()
    revocation: RevocationEvidence = attrs.field(factory=RevocationEvidence)

    @classmethod
    def of(cls, signer: SignerInfo) -> _Brought:
        """Read the attributes; one that cannot be read brings nothing."""
        certificates: list[Certificate] = []
        revocation = RevocationEvidence()
        for value in signer.unsigned_values(oids.CERTIFICATE_VALUES):
            try:
                certificates += decode_certificate_values(value)
            except (MalformedError, BudgetExceeded):
                continue
        for value in signer.unsigned_values(oids.REVOCATION_VALUES):
            try:
                read = decode_revocation_values(value)
            except (MalformedError, BudgetExceeded):
                continue
            revocation |= RevocationEvidence(crls=read.crls, responses=read.ocsp_responses)
        return cls(tuple(certificates), revocation)

    def with_stamp(self, token: SignedData) -> _Brought:
        """Add what a time stamp brings; CryptoPro puts it into the stamp's own attributes."""
        inner = [_Brought.of(each) for each in token.signers]
        revocation = RevocationEvidence(crls=token.crls, responses=token.ocsp_responses)
        for each in inner:
            revocation |= each.revocation
        return _Brought(
            (
                *self.certificates,
                *token.certificates,
                *(certificate for each in inner for certificate in each.certificates),
            ),
            self.revocation | revocation,
        )


@attrs.frozen
class _Chains:
    """Chains of certificates with what is known about their revocation."""

    evidence: Evidence
    pool: tuple[Certificate, ...]
    revocation: RevocationEvidence
    at: datetime
    provider: Provider | None

    def path(self, certificate: Certificate, moment: datetime) -> PathFacts:
        """Return the best chain for a moment."""
        return build_path(
            certificate, self.evidence.trust, self.pool, at=moment, provider=self.provider
        )

    def chain(self, path: PathFacts) -> ChainFacts:
        """Return a chain as plain data."""
        problems = [each for each in path.problems if each.code not in _TIMELY]
        usage = path.chain[0].key_usage
        if usage is not None and usage.isdisjoint({"digitalSignature", "nonRepudiation"}):
            problems.append(Problem(ProblemCode.KEY_USAGE, path.chain[0].fingerprint))
        return ChainFacts(
            certificates=tuple(
                CertificateFacts(
                    fingerprint=each.fingerprint,
                    serial_number=f"{each.serial_number:x}",
                    name=each.subject.get(oids.COMMON_NAME) or "",
                    not_before=each.not_before,
                    not_after=each.not_after,
                    algorithm=each.signature_algorithm.oid,
                    statuses=tuple(self._statuses(each, path.issuer_of(each))),
                )
                for each in path.chain
            ),
            anchored=path.anchor is not None,
            problems=tuple(problems),
        )

    def stamp(self, octets: bytes, token: SignedData | None, stamped: bytes) -> StampFacts:
        """Return the facts about a time stamp."""
        fingerprint = hashlib.sha256(octets).hexdigest()
        if token is None:
            return StampFacts(fingerprint=fingerprint)
        facts = check_timestamp(
            token, stamped, self.evidence.trust, intermediates=self.pool, provider=self.provider
        )
        info, path = facts.info, facts.path
        of_path = path.problems if path else ()
        return StampFacts(
            fingerprint=fingerprint,
            stamped_at=info.gen_time if info else None,
            not_later_than=_latest(info.gen_time, info.accuracy) if info else None,
            problems=tuple(each for each in facts.problems if each not in of_path),
            chain=self.chain(path) if path else None,
        )

    def _statuses(
        self, certificate: Certificate, issuer: Certificate | None
    ) -> Iterator[StatusFacts]:
        if issuer is None or certificate in self.evidence.trust:
            return
        facts = check_revocation(
            certificate,
            issuer,
            self.revocation,
            at=self.at,
            candidates=self.pool,
            provider=self.provider,
        )
        for claim in facts.claims:
            unfit = {each.code for each in claim.unfit} - _AGE
            if claim.forged or (unfit and claim.status != "revoked"):
                continue
            yield StatusFacts(
                status=claim.status,
                source=claim.source,
                fingerprint=claim.fingerprint,
                this_update=claim.this_update,
                next_update=claim.next_update,
                revoked_at=claim.revoked_at,
                reason=claim.reason,
            )


def _token(octets: bytes) -> SignedData | None:
    try:
        return decode_signed_data(octets)
    except (MalformedError, BudgetExceeded):
        return None


def _latest(moment: datetime, accuracy: timedelta | None) -> datetime:
    try:
        return moment + (accuracy or timedelta(0))
    except OverflowError:
        return moment.max.replace(tzinfo=moment.tzinfo)


def _key_until(certificate: Certificate | None) -> datetime | None:
    period = certificate.private_key_usage_period if certificate else None
    return period.not_after if period else None


def _settled(check: SignatureCheck | None) -> bool | None:
    return None if check in {None, SignatureCheck.UNSUPPORTED} else bool(check)


def _content_intact(checked: SignerFacts, codes: set[ProblemCode]) -> bool | None:
    if ProblemCode.DIGEST_MISMATCH in codes:
        return False
    if codes & {ProblemCode.CONTENT_MISSING, ProblemCode.ALGORITHM_UNSUPPORTED}:
        return None
    # Without attributes the value is over the content itself, and only a good one tells.
    bare = checked.signer.signed_attributes_der is None
    return None if bare and not checked.signature else True


def _header_sound(message: SignedData, signer: SignerInfo, certificate: Certificate | None) -> bool:
    """Tell whether nothing was changed where no signature would notice (RFC 5652 5.1, 5.3)."""
    sid = signer.sid
    later = message.content_type != oids.DATA or any(each.version == 3 for each in message.signers)
    version = 5 if message.ocsp_responses else 3 if later else 1
    named = None if isinstance(sid, bytes) else sid.issuer
    exact = named is None or certificate is None or named == certificate.issuer
    listed = signer.digest_algorithm.oid in {each.oid for each in message.digest_algorithms}
    algorithms = (*message.digest_algorithms, signer.digest_algorithm, signer.signature_algorithm)
    plain = all(each.parameters in {None, der.null()} for each in algorithms)
    # Attribute certificates, which are not read, ask for version 4.
    versions = message.version in {version, 4} and signer.version == (1 if named else 3)
    return exact and listed and plain and versions


def _reference(signer: SignerInfo, codes: set[ProblemCode]) -> Reference:
    if not signer.signing_certificates:
        return "absent"
    return "mismatch" if ProblemCode.SIGNING_CERTIFICATE_MISMATCH in codes else "match"
