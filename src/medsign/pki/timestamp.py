"""Time stamps (RFC 3161, Р 1323565.1.044-2022): the request, the check, and the service's side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import attrs

from medsign.clock import Clock
from medsign.codec.asn1 import (
    AlgorithmIdentifier,
    Certificate,
    GeneralName,
    MessageImprint,
    Name,
    SignedData,
    TimeStampRequest,
    TimeStampResponse,
    TstInfo,
    decode_tst_info,
    encode_signed_data,
    encode_timestamp_request,
    encode_timestamp_response,
    encode_tst_info,
    oids,
)
from medsign.errors import MalformedError, Unavailable, UsageError
from medsign.gost import DigestAlgorithm, Provider, digest
from medsign.pki.path import PathBudget, PathFacts, build_path
from medsign.pki.problems import Problem, ProblemCode
from medsign.pki.signatures import hash_octets
from medsign.pki.signed import SignerFacts, check_signer, make_signer_info
from medsign.pki.signing import Signer
from medsign.pki.trust import TrustStore


@attrs.frozen(kw_only=True)
class TimestampFacts:
    """What a time stamp turned out to be.

    Attributes:
        info: What the stamp says, ``None`` when there is none that can be read.
        signer: The service's signature.
        path: The chain of the service's certificate at the time of the stamp. Its revocation is
            not looked at here.
        problems: Everything found, those of the signature and of the chain included.
    """

    info: TstInfo | None
    signer: SignerFacts | None
    path: PathFacts | None
    problems: tuple[Problem, ...]

    @property
    def is_valid(self) -> bool:
        """Whether it proves that the data existed at `gen_time`, revocation aside."""
        return self.info is not None and not self.problems

    @property
    def gen_time(self) -> datetime | None:
        """The time of the stamp, UTC."""
        return self.info.gen_time if self.info else None

    @property
    def certificate(self) -> Certificate | None:
        """The certificate of the service."""
        return self.signer.certificate if self.signer else None


def message_imprint(
    data: bytes,
    algorithm: DigestAlgorithm = DigestAlgorithm.STREEBOG_256,
    *,
    provider: Provider | None = None,
) -> MessageImprint:
    """Hash what is to be stamped.

    Example:
        >>> message_imprint(b"value of a signature").digest.hex()[:8]
        '3518510f'
    """
    hashed = digest(algorithm, data, provider=provider)
    return MessageImprint(AlgorithmIdentifier(algorithm.oid), hashed)


def timestamp_request(
    imprint: MessageImprint, *, nonce: int | None, policy: str | None = None, cert_req: bool = True
) -> bytes:
    """Return DER of a request for a time stamp.

    Args:
        imprint: What to stamp; see `message_imprint`.
        nonce: A random number that the stamp must repeat, ``None`` to do without.
        policy: The policy wanted; ``None`` for the service's own.
        cert_req: Whether the service's certificate must come along.
    """
    return encode_timestamp_request(imprint, policy=policy, nonce=nonce, cert_req=cert_req)


def check_timestamp_response(
    response: TimeStampResponse,
    request: TimeStampRequest,
    trust: TrustStore,
    *,
    intermediates: Iterable[Certificate] = (),
    budget: PathBudget | None = None,
    clock: Clock | None = None,
    provider: Provider | None = None,
) -> TimestampFacts:
    """Check what a service answered to a request (RFC 3161 §2.4.2).

    Args:
        response: The answer.
        request: The request.
        trust: Whom to trust.
        intermediates: Certificates at hand besides those in the stamp.
        budget: How much the search for a chain may cost.
        clock: Measures the cost in time.
        provider: Who computes; by default `medsign.gost.default_provider`.
    """
    if response.status not in {"granted", "grantedWithMods"} or response.token is None:
        detail = " ".join((response.status, *sorted(response.failure)))
        refused = Problem(ProblemCode.NOT_GRANTED, detail=detail)
        return TimestampFacts(info=None, signer=None, path=None, problems=(refused,))
    facts = check_timestamp(
        response.token,
        request.imprint,
        trust,
        intermediates=intermediates,
        budget=budget,
        clock=clock,
        provider=provider,
    )
    if facts.info is None:
        return facts
    return attrs.evolve(facts, problems=(*facts.problems, *_request_problems(facts.info, request)))


def check_timestamp(
    token: SignedData,
    stamped: bytes | MessageImprint,
    trust: TrustStore,
    *,
    intermediates: Iterable[Certificate] = (),
    budget: PathBudget | None = None,
    clock: Clock | None = None,
    provider: Provider | None = None,
) -> TimestampFacts:
    """Check a time stamp token against what it is said to stamp.

    Args:
        token: The stamp.
        stamped: The octets stamped, for instance the value of a signature; or their imprint.
        trust: Whom to trust.
        intermediates: Certificates at hand besides those in the stamp.
        budget: How much the search for a chain may cost.
        clock: Measures the cost in time.
        provider: Who computes; by default `medsign.gost.default_provider`.
    """
    intermediates = tuple(intermediates)
    info = _read(token)
    if info is None or len(token.signers) != 1:
        broken = Problem(ProblemCode.NOT_A_TIMESTAMP)
        return TimestampFacts(info=None, signer=None, path=None, problems=(broken,))
    signer = check_signer(token, token.signers[0], candidates=intermediates, provider=provider)
    problems = [*signer.problems, *_imprint_problems(info, stamped, provider)]
    if not signer.signer.signing_certificates:
        problems.append(Problem(ProblemCode.NO_SIGNING_CERTIFICATE))
    path = None
    if (certificate := signer.certificate) is not None:
        problems += _purpose_problems(certificate)
        if info.tsa and not _is_named(certificate, info.tsa):
            mismatch = ProblemCode.SIGNING_CERTIFICATE_MISMATCH
            problems.append(Problem(mismatch, certificate.fingerprint, "tsa"))
        path = build_path(
            certificate,
            trust,
            (*token.certificates, *intermediates),
            at=info.gen_time,
            budget=budget,
            clock=clock,
            provider=provider,
        )
        problems += path.problems
    return TimestampFacts(info=info, signer=signer, path=path, problems=tuple(problems))


def timestamp_response(
    request: TimeStampRequest,
    signer: Signer,
    *,
    policy: str,
    serial_number: int,
    gen_time: datetime,
    accuracy: timedelta | None = timedelta(seconds=1),
    provider: Provider | None = None,
) -> bytes:
    """Return DER of the service's answer: a stamp, or a refusal when it cannot stamp that.

    Args:
        request: The request.
        signer: The key of the service; its certificate has the sole purpose ``timeStamping``.
        policy: The policy of the service.
        serial_number: Number of the stamp; none may be given twice.
        gen_time: The time; aware.
        accuracy: How far off the time may be.
        provider: Who hashes; by default `medsign.gost.default_provider`.
    """
    try:
        hashing = DigestAlgorithm.from_oid(request.imprint.algorithm.oid)
    except UsageError:
        return encode_timestamp_response(status="rejection", failure="badAlg")
    if len(request.imprint.digest) != hashing.size:
        return encode_timestamp_response(status="rejection", failure="badDataFormat")
    if request.policy not in {None, policy}:
        return encode_timestamp_response(status="rejection", failure="unacceptedPolicy")
    if request.extensions:
        return encode_timestamp_response(status="rejection", failure="unacceptedExtension")
    content = encode_tst_info(
        policy=policy,
        imprint=request.imprint,
        serial_number=serial_number,
        gen_time=gen_time,
        accuracy=accuracy,
        nonce=request.nonce,
    )
    info = make_signer_info(
        signer,
        content_type=oids.TST_INFO,
        content_digest=digest(signer.digest_algorithm, content, provider=provider),
        signing_time=gen_time,
        provider=provider,
    )
    token = encode_signed_data(
        (info,),
        content=content,
        content_type=oids.TST_INFO,
        certificates=(signer.certificate.der,) if request.cert_req else (),
    )
    return encode_timestamp_response(token)


def _read(token: SignedData) -> TstInfo | None:
    if token.content_type != oids.TST_INFO or token.content is None:
        return None
    try:
        return decode_tst_info(token.content)
    except MalformedError:
        return None


def _request_problems(info: TstInfo, request: TimeStampRequest) -> Iterator[Problem]:
    if info.nonce != request.nonce:
        missing = info.nonce is None
        yield Problem(ProblemCode.NONCE_MISSING if missing else ProblemCode.NONCE_MISMATCH)
    if request.policy not in {None, info.policy}:
        yield Problem(ProblemCode.POLICY_MISMATCH, detail=info.policy)


def _imprint_problems(
    info: TstInfo, stamped: bytes | MessageImprint, provider: Provider | None
) -> Iterator[Problem]:
    oid = info.imprint.algorithm.oid
    if oid == oids.SHA1:
        yield Problem(ProblemCode.ALGORITHM_WEAK, detail="SHA-1")
    if isinstance(stamped, MessageImprint):
        expected = stamped.digest if stamped.algorithm.oid == oid else None
    else:
        try:
            expected = hash_octets(oid, stamped, provider=provider)
        except Unavailable:
            yield Problem(ProblemCode.ALGORITHM_UNSUPPORTED, detail=oid)
            return
    if expected != info.imprint.digest:
        yield Problem(ProblemCode.IMPRINT_MISMATCH)


def _is_named(certificate: Certificate, name: GeneralName) -> bool:
    """Tell whether a service bears the name that its stamp gives it (RFC 3161 §2.4.2, tsa)."""
    if isinstance(name.value, Name) and certificate.subject.matches(name.value):
        return True
    return any(
        each == name
        or (
            isinstance(each.value, Name)
            and isinstance(name.value, Name)
            and each.value.matches(name.value)
        )
        for each in certificate.subject_alternative_names
    )


def _purpose_problems(certificate: Certificate) -> Iterator[Problem]:
    """Yield why a certificate is not that of a time stamp service (RFC 3161 §2.3)."""
    extension = certificate.extension(oids.EXTENDED_KEY_USAGE)
    if certificate.extended_key_usage != (oids.TIME_STAMPING,):
        yield Problem(ProblemCode.PURPOSE, certificate.fingerprint, "timeStamping must be alone")
    elif extension is not None and not extension.critical:
        yield Problem(ProblemCode.PURPOSE, certificate.fingerprint, "timeStamping not critical")
    usage = certificate.key_usage
    if usage is not None and usage.isdisjoint({"digitalSignature", "nonRepudiation"}):
        yield Problem(ProblemCode.KEY_USAGE, certificate.fingerprint, "digitalSignature")
