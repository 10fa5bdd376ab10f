"""From evidence to facts: the only part of a verification that computes.

Nothing here decides. Whatever depends on the moment of the verdict, on freshness or on taste is
left to `medsign.cms.decide`, so that stored facts can be judged again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import TypeAlias, TypeVar

import attrs

from medsign.clock import aware
from medsign.cms.content import Content, ContentDigest, digest_of
from medsign.cms.countersign import as_message
from medsign.cms.covered import (
    index_algorithm,
    index_holds,
    listed,
    referred,
    under_archive_stamp,
    under_evidence_stamp,
)
from medsign.cms.decide import decide
from medsign.cms.evidence import Evidence
from medsign.cms.facts import (
    COMMITMENT,
    SIGNATURE_POLICY,
    AccreditationFacts,
    CertificateFacts,
    ChainFacts,
    Facts,
    Layer,
    Reference,
    SignatureFacts,
    StampFacts,
    StatusFacts,
)
from medsign.cms.policy import DEFAULT, Policy
from medsign.cms.report import Report
from medsign.codec.asn1 import (
    BasicOcspResponse,
    Certificate,
    RevocationList,
    SignedData,
    SignerInfo,
    decode_certificate_values,
    decode_revocation_values,
    decode_signed_data,
    decode_tst_info,
    der,
    oids,
    to_binary,
)
from medsign.codec.asn1.encoded import Encoded
from medsign.errors import BudgetExceeded, MalformedError, Unavailable, UsageError
from medsign.gost import DigestAlgorithm, Provider, default_provider
from medsign.pki.accredited import AccreditedList
from medsign.pki.claims import Claim
from medsign.pki.foreign import HASHES, scheme_of
from medsign.pki.path import PathFacts, build_path
from medsign.pki.problems import Problem, ProblemCode
from medsign.pki.profile import holder_of, profile_findings
from medsign.pki.revocation import RevocationEvidence, check_revocation
from medsign.pki.signatures import SignatureCheck, hash_octets
from medsign.pki.signed import SignerFacts, check_signer
from medsign.pki.timestamp import check_timestamp
from medsign.pki.trust import TrustStore

# What one message may cost; what goes beyond the last three is not looked at.
MAX_SIGNATURES = 64
MAX_STAMPS = 8
MAX_COUNTERSIGNATURES = 8
MAX_CARRIED = 1000

T = TypeVar("T")
Carried: TypeAlias = Certificate | RevocationList | BasicOcspResponse
# A certificate, its issuer, and the anchor of their chain.
_Question: TypeAlias = tuple[Certificate, Certificate, Certificate | None]
_STREEBOG = frozenset(each.oid for each in DigestAlgorithm)

# Whether these hold is for `decide` to say, out of the dates and the chain itself.
_TIMELY = {ProblemCode.NOT_YET_VALID, ProblemCode.EXPIRED, ProblemCode.NO_ANCHOR}
_AGE = {ProblemCode.STALE, ProblemCode.FROM_THE_FUTURE}
# TS 101 733 leaves open what exactly the older archive stamps cover, so nothing is read into them.
_UNJUDGED = (oids.ARCHIVE_TIME_STAMP_V2,)
# Purposes of machines; who holds such a certificate can sign no document (RFC 5280 4.2.1.12).
_CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
_OF_SERVICES = {oids.SERVER_AUTH, oids.TIME_STAMPING, oids.OCSP_SIGNING, _CODE_SIGNING}
# These have a field of their own in `SignatureFacts`.
_STATED = {
    ProblemCode.SIGNER_UNKNOWN,
    ProblemCode.CONTENT_MISSING,
    ProblemCode.DIGEST_MISMATCH,
    ProblemCode.SIGNATURE_INVALID,
    ProblemCode.ALGORITHM_UNSUPPORTED,
    ProblemCode.ALGORITHM_WEAK,
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
        return Facts(fingerprint=fingerprint, malformed=error.diagnostics())
    if len(message.signers) > MAX_SIGNATURES:
        return Facts(fingerprint=fingerprint, malformed=f"Подписей больше {MAX_SIGNATURES}.")
    # Stamps are looked into for what they carry, and then judged.
    read_stamp = cache(partial(_readable, decode_signed_data))
    inside = tuple(dict.fromkeys(islice(carried(message, read_stamp=read_stamp), MAX_CARRIED)))
    collector = _Collector(
        message=message,
        content=message.content if evidence.content is None else evidence.content,
        trust=evidence.trust,
        accredited=evidence.accredited,
        pool=tuple(dict.fromkeys((*only(Certificate, inside), *evidence.certificates))),
        revocation=RevocationEvidence(
            crls=(*only(RevocationList, inside), *evidence.crls),
            responses=(*only(BasicOcspResponse, inside), *evidence.ocsp_responses),
        ),
        at=at,
        provider=provider or default_provider(),
        read_stamp=read_stamp,
    )
    signatures = tuple(map(collector.countersigned, message.signers))
    return Facts(fingerprint=fingerprint, signatures=signatures)


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
    """A message, and all that it brings along or that was given with it."""

    message: SignedData
    content: Content | None
    trust: TrustStore
    accredited: AccreditedList | None
    pool: tuple[Certificate, ...]
    revocation: RevocationEvidence
    at: datetime
    provider: Provider
    read_stamp: Callable[[bytes], SignedData | None]
    digests: dict[str, bytes] = attrs.field(init=False)
    # Who opens the message reads the content inside, whatever was given beside it.
    mixed_up: bool = attrs.field(init=False)
    # A list of megabytes is hashed once, however many signatures rest on it.
    known: dict[_Question, tuple[StatusFacts, ...]] = attrs.field(
        init=False, factory=dict[_Question, tuple[StatusFacts, ...]]
    )

    def __attrs_post_init__(self) -> None:
        named = {each.digest_algorithm.oid for each in self.message.signers}
        wanted = [each for each in DigestAlgorithm if each.oid in named]
        self.digests = {}
        self.mixed_up = not self._agrees(self.message.content)
        if (content := self.content) is not None:
            for each in wanted:
                if value := digest_of(content, each, provider=self.provider):
                    self.digests[each.oid] = value
            if isinstance(content, Path):
                for oid in named & HASHES.keys():
                    self.digests[oid] = hash_octets(oid, content)

    def _agrees(self, inside: bytes | None) -> bool:
        """Tell whether the content inside the message, if any, is the one that is looked at."""
        match self.content:
            case _ if inside is None:
                return True
            case Path() as file:
                return hash_octets(oids.SHA256, file) == hash_octets(oids.SHA256, inside)
            case ContentDigest() as made:
                return made.value == digest_of(inside, made.algorithm, provider=self.provider)
            case octets:
                return octets == inside

    def countersigned(self, signer: SignerInfo) -> SignatureFacts:
        """Return the facts about one signature and about those on it."""
        facts, others = self.signature(signer), tuple(self.countersignatures(signer))
        return attrs.evolve(facts, countersignatures=others) if others else facts

    def signature(self, signer: SignerInfo) -> SignatureFacts:
        """Return the facts about one signature."""
        covered: dict[Layer, Callable[[bytes], bytes]] = {
            "signature": lambda _: signer.signature,
            "evidence": lambda _: under_evidence_stamp(signer),
            "archive": lambda token: self.archived(token, signer),
        }
        tokens = _tokens(signer)
        stamps = tuple(self.stamp(each, covered[layer](each), layer) for layer, each in tokens)
        # A content at hand is not "missing" only because its digest is unknown here.
        content = self.content
        foreign = signer.digest_algorithm.oid not in _STREEBOG
        checked = check_signer(
            self.message,
            signer,
            content if foreign and isinstance(content, bytes) else self.digests,
            candidates=self.pool,
            provider=self.provider,
        )
        codes = {each.code for each in checked.problems}
        malformed = _malformed(self.message, signer)
        intact = None if malformed else _content_intact(checked, codes)
        # Anybody can add a stamp on something else, or one of his own making.
        sound = (each for each in stamps if each.chain and each.chain.anchored)
        named = (each.stamped_at for each in sound if not each.problems)
        moments = {self.at, *filter(None, named)}
        facts = SignatureFacts(
            malformed=malformed,
            algorithms=(signer.digest_algorithm.oid, signer.signature_algorithm.oid),
            content_present=ProblemCode.CONTENT_MISSING not in codes,
            content_intact=False if self.mixed_up else intact,
            signature_valid=_settled(checked.signature),
            signed_attributes=signer.signed_attributes_der is not None,
            problems=tuple(each for each in checked.problems if each.code not in _STATED),
            header_sound=_header_sound(self.message, signer, checked.certificate),
            certificate_reference=_reference(signer, codes),
            claimed_at=signer.signing_time,
            stamps=stamps,
            unjudged=(*_restrictions(signer), *filter(signer.unsigned_values, _UNJUDGED)),
        )
        certificate = checked.certificate
        if certificate is None:
            return facts
        path = build_path(
            certificate, self.trust, self.pool, at=min(moments), provider=self.provider
        )
        accredited = (self.accreditation(path, each) for each in sorted(moments))
        period = certificate.private_key_usage_period
        chain = self.chain(path, *_purpose_problems(certificate))
        if any(map(_has_leak, (chain, *(each.chain for each in stamps)))):
            covers = [self.covers(layer, each, signer) for layer, each in tokens]
            pairs = zip(stamps, covers, strict=True)
            stamps = tuple(attrs.evolve(each, covers=proved) for each, proved in pairs)
        return attrs.evolve(
            facts,
            algorithms=(*facts.algorithms, certificate.public_key.algorithm.oid),
            holder=holder_of(certificate),
            profile=tuple(rule.code for rule in profile_findings(certificate) if rule.mandatory),
            tool_classes=path.tool_classes,
            accredited_at_issue=self.accreditation(path, certificate.not_before),
            accredited_at_signing=only(AccreditationFacts, accredited),
            key_until=period.not_after if period else None,
            chain=chain,
            stamps=stamps,
        )

    def countersignatures(self, signer: SignerInfo) -> Iterator[SignatureFacts]:
        """Yield the facts about signatures on a signature; those that cannot be read are none."""
        values = signer.unsigned_values(oids.COUNTERSIGNATURE)[:MAX_COUNTERSIGNATURES]
        for each in values:
            message = _readable(partial(as_message, value=signer.signature), each)
            if message is not None:
                of_value = attrs.evolve(self, message=message, content=signer.signature)
                of_value.known = self.known
                yield of_value.signature(message.signers[0])

    def chain(self, path: PathFacts, *others: Problem) -> ChainFacts:
        """Return a chain as plain data, with what else is wrong with its first certificate."""
        problems = [*others, *(each for each in path.problems if each.code not in _TIMELY)]
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
                    statuses=self.statuses(each, path),
                )
                for each in path.chain
            ),
            anchored=path.anchor is not None,
            problems=tuple(problems),
        )

    def accreditation(self, path: PathFacts, at: datetime) -> AccreditationFacts | None:
        """Return what the list says of the issuer of the first certificate at a moment."""
        issuer = path.issuer_of(path.chain[0])
        if self.accredited is None or issuer is None:
            return None
        found = self.accredited.accreditation(issuer, at=at)
        return AccreditationFacts(
            at=found.at,
            as_of=found.as_of,
            source=found.source,
            authority=found.authority.name if found.authority else "",
            status=found.status.text if found.status else "",
            accredited=found.is_accredited,
        )

    def archived(self, token: bytes, signer: SignerInfo) -> bytes:
        """Return what an archive stamp must cover; nothing when its index does not hold."""
        try:
            stamp = decode_signed_data(token)
            (index,) = _indexes(stamp)
            hash_oid = decode_tst_info(stamp.content or b"").imprint.algorithm.oid
            hashed = (
                None
                if self.content is None
                else digest_of(
                    self.content, DigestAlgorithm.from_oid(hash_oid), provider=self.provider
                )
            )
            holds = index_holds(index, self.message, signer, provider=self.provider)
        except (MalformedError, BudgetExceeded, Unavailable, UsageError, ValueError, IndexError):
            return b""
        return under_archive_stamp(self.message, signer, hashed, index) if hashed and holds else b""

    def stamp(self, token: bytes, stamped: bytes, layer: Layer) -> StampFacts:
        """Return the facts about a time stamp."""
        fingerprint = hashlib.sha256(token).hexdigest()
        if (message := self.read_stamp(token)) is None:
            return StampFacts(fingerprint=fingerprint, layer=layer)
        facts = check_timestamp(
            message, stamped, self.trust, intermediates=self.pool, provider=self.provider
        )
        info, path = facts.info, facts.path
        # Problems of the chain are told with it, and algorithms are for the policy to judge.
        of_path = path.problems if path else ()
        key = facts.certificate and facts.certificate.public_key.algorithm
        used = [info.imprint.algorithm if info else None, key]
        for each in message.signers:
            used += [each.digest_algorithm, each.signature_algorithm]
        indexed = (_readable(index_algorithm, each) for each in _indexes(message))
        return StampFacts(
            fingerprint=fingerprint,
            layer=layer,
            algorithms=tuple(
                dict.fromkeys([*(each.oid for each in used if each), *filter(None, indexed)])
            ),
            stamped_at=info.gen_time if info else None,
            not_later_than=_latest(info.gen_time, info.accuracy) if info else None,
            header_sound=all(
                _header_sound(message, each, facts.certificate) for each in message.signers
            ),
            problems=tuple(
                each
                for each in facts.problems
                if each not in of_path and each.code is not ProblemCode.ALGORITHM_WEAK
            ),
            chain=self.chain(path) if path else None,
        )

    def covers(self, layer: Layer, stamp: bytes, signer: SignerInfo) -> tuple[str, ...]:
        """Return the fingerprints of lists and answers that are as old as a stamp."""
        things: Iterable[Encoded] = ()
        try:
            if layer == "evidence":
                at_hand = (*self.revocation.crls, *self.revocation.responses)
                inside = filter(None, map(self.read_stamp, signer.time_stamp_tokens))
                things = (
                    *referred(signer, at_hand, provider=self.provider),
                    *(each for token in inside for each in carried(token, nested=False)),
                )
            if layer == "archive":
                (index,) = _indexes(decode_signed_data(stamp))
                protected = listed(index, self.message, signer, provider=self.provider)
                things = islice(carried(protected, read_stamp=self.read_stamp), MAX_CARRIED)
            return tuple(each.fingerprint for each in things)
        except (MalformedError, BudgetExceeded, Unavailable, ValueError):
            return ()

    def statuses(self, certificate: Certificate, path: PathFacts) -> tuple[StatusFacts, ...]:
        """Return what genuine evidence says about a certificate of a chain.

        Others than its issuer may speak only under the anchor of the same chain (RFC 5280 6.3.3 f):
        a namesake below another trusted root is somebody else.
        """
        issuer = path.issuer_of(certificate)
        if issuer is None or certificate in self.trust:
            return ()
        question = certificate, issuer, path.anchor
        if question not in self.known:
            facts = check_revocation(
                certificate,
                issuer,
                self.revocation,
                at=self.at,
                candidates=self.pool,
                trust=TrustStore([path.anchor] if path.anchor else []),
                provider=self.provider,
            )
            self.known[question] = tuple(map(_status, filter(_is_usable, facts.claims)))
        return self.known[question]


def carried(
    message: SignedData,
    *,
    nested: bool = True,
    read_stamp: Callable[[bytes], SignedData | None] | None = None,
) -> Iterator[Carried]:
    """Yield what a message brings along; CryptoPro puts much of it into its time stamps."""
    read_stamp = read_stamp or partial(_readable, decode_signed_data)
    yield from message.certificates
    yield from message.crls
    yield from message.ocsp_responses
    for signer in message.signers:
        for value in signer.unsigned_values(oids.CERTIFICATE_VALUES):
            yield from _readable(decode_certificate_values, value) or ()
        for value in signer.unsigned_values(oids.REVOCATION_VALUES):
            if (read := _readable(decode_revocation_values, value)) is not None:
                yield from read.crls
                yield from read.ocsp_responses
        for _, value in _tokens(signer) if nested else ():
            if (token := read_stamp(value)) is not None:
                yield from carried(token, nested=False)


def _tokens(signer: SignerInfo) -> list[tuple[Layer, bytes]]:
    made: dict[Layer, tuple[bytes, ...]] = {
        "signature": signer.time_stamp_tokens,
        "evidence": signer.unsigned_values(oids.ESC_TIME_STAMP),
        "archive": signer.unsigned_values(oids.ARCHIVE_TIME_STAMP_V3),
    }
    return [(layer, each) for layer, tokens in made.items() for each in tokens[:MAX_STAMPS]]


def _indexes(token: SignedData) -> tuple[bytes, ...]:
    return tuple(v for s in token.signers for v in s.unsigned_values(oids.ARCHIVE_HASH_INDEX_V3))


def _readable(decode: Callable[[bytes], T], data: bytes) -> T | None:
    """Decode an unsigned attribute; one that cannot be read brings nothing."""
    try:
        return decode(data)
    except (MalformedError, BudgetExceeded):
        return None


def only(kind: type[T], things: Iterable[object]) -> tuple[T, ...]:
    """Return those of one kind."""
    return tuple(each for each in things if isinstance(each, kind))


def _is_usable(claim: Claim) -> bool:
    """Tell whether a statement is genuine and, if it says "good", shows it."""
    fit = all(each.code in _AGE for each in claim.unfit)
    return not claim.forged and (fit or claim.status == "revoked")


def _status(claim: Claim) -> StatusFacts:
    return StatusFacts(
        status=claim.status,
        source=claim.source,
        fingerprint=claim.fingerprint,
        this_update=claim.this_update,
        next_update=claim.next_update,
        revoked_at=claim.revoked_at,
        reason=claim.reason,
        unfit=tuple(each for each in claim.unfit if each.code not in _AGE),
    )


def _has_leak(path: ChainFacts | None) -> bool:
    """Tell whether the word of an authority of a chain counts only where it is proved old."""
    return path is not None and any(
        each.status == "revoked" and not each.is_retirement
        for authority in path.above(path.certificates[0])
        for each in authority.statuses
    )


def _latest(moment: datetime, accuracy: timedelta | None) -> datetime:
    try:
        return moment + (accuracy or timedelta(0))
    except OverflowError:
        return moment.max.replace(tzinfo=moment.tzinfo)


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


def _restrictions(signer: SignerInfo) -> Iterator[str]:
    for each in signer.signed_attributes:
        implied = each.values == (der.null(),)  # a policy that is not named
        if each.oid in {SIGNATURE_POLICY, COMMITMENT} and not implied:
            yield each.oid


def _malformed(message: SignedData, signer: SignerInfo) -> str | None:
    if message.content_type == oids.TST_INFO:
        return "это штамп времени, а не подпись под документом"
    if signer.signed_attributes_der is not None and signer.message_digest is None:
        return "нет подписанного хэша документа (RFC 5652, 11.2)"
    return None


def _purpose_problems(certificate: Certificate) -> Iterator[Problem]:
    purposes = certificate.extended_key_usage
    if purposes and _OF_SERVICES.issuperset(purposes):
        yield Problem(ProblemCode.PURPOSE, certificate.fingerprint, ", ".join(purposes))


def _header_sound(message: SignedData, signer: SignerInfo, certificate: Certificate | None) -> bool:
    """Tell whether nothing was changed where no signature would notice (RFC 5652 5.1, 5.3)."""
    sid = signer.sid
    later = message.content_type != oids.DATA or any(each.version == 3 for each in message.signers)
    version = 5 if message.ocsp_responses else 3 if later else 1
    named = None if isinstance(sid, bytes) else sid.issuer
    exact = named is None or certificate is None or named == certificate.issuer
    listed = signer.digest_algorithm.oid in {each.oid for each in message.digest_algorithms}
    digests = (*message.digest_algorithms, signer.digest_algorithm)
    plain = all(each.parameters in {None, der.null()} for each in digests)
    signing = signer.signature_algorithm
    known = signing.parameters in {None, der.null()} or scheme_of(signing) is not None
    # Attribute certificates, which are not read, ask for version 4.
    versions = message.version in {version, 4} and signer.version == (1 if named else 3)
    content = message.content
    wrapped = content is None or der.tlv(0xA0, der.octets(content)) in message.der
    return exact and listed and plain and known and versions and wrapped


def _reference(signer: SignerInfo, codes: set[ProblemCode]) -> Reference:
    if not signer.signing_certificates:
        return "absent"
    return "mismatch" if ProblemCode.SIGNING_CERTIFICATE_MISMATCH in codes else "match"
