"""OCSP (RFC 6960): the question, what an answer says, and the answer of a service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

import attrs

from medsign.codec.asn1 import (
    BasicOcspResponse,
    CertId,
    Certificate,
    Name,
    SingleResponse,
    assemble_ocsp_response,
    encode_ocsp_request,
    encode_ocsp_response_data,
    oids,
)
from medsign.errors import Unavailable
from medsign.gost import Provider
from medsign.pki.claims import Claim, EvidencePolicy, Status, age_problems
from medsign.pki.problems import Problem, ProblemCode
from medsign.pki.signatures import hash_octets, verify_signature
from medsign.pki.signing import Signer, sign, signature_algorithm

# Certificates of the right name that are tried: an answer may bring any number of them.
_MAX_RESPONDERS = 8
_GRAVEST: tuple[Status, ...] = ("revoked", "unknown", "good")
# Those of CryptoPro say only where the answer comes from and how soon revocations are known.
_PROCESSED = frozenset(
    {
        oids.OCSP_NONCE,
        oids.OCSP_ARCHIVE_CUTOFF,
        oids.CRYPTOPRO_CRL_LOCATOR,
        oids.CRYPTOPRO_INSTANT_REVOCATION,
        oids.CRYPTOPRO_REVOCATION_ANNOUNCEMENT,
    }
)


def ocsp_cert_id(
    certificate: Certificate,
    issuer: Certificate,
    hash_oid: str = oids.SHA1,
    *,
    provider: Provider | None = None,
) -> CertId:
    """Return how OCSP names a certificate.

    Args:
        certificate: The certificate asked about.
        issuer: Its issuer.
        hash_oid: The digest: SHA-1, which nearly all services know, or Streebog.
        provider: Who computes; by default `medsign.gost.default_provider`.

    Raises:
        Unavailable: The digest is not known.
    """
    return CertId(
        hash_oid=hash_oid,
        issuer_name_hash=hash_octets(hash_oid, certificate.issuer.der, provider=provider),
        issuer_key_hash=hash_octets(hash_oid, issuer.public_key.octets, provider=provider),
        serial_number=certificate.serial_number,
    )


def ocsp_request(
    certificate: Certificate,
    issuer: Certificate,
    nonce: bytes | None = None,
    *,
    hash_oid: str = oids.SHA1,
    provider: Provider | None = None,
) -> bytes:
    """Return DER of a question about one certificate.

    Args:
        certificate: The certificate asked about.
        issuer: Its issuer.
        nonce: Random octets that the answer must repeat: 1 to 32 by RFC 8954.
        hash_oid: The digest of the names in it; see `ocsp_cert_id`.
        provider: Who computes; by default `medsign.gost.default_provider`.

    Raises:
        Unavailable: The digest is not known.
    """
    item = ocsp_cert_id(certificate, issuer, hash_oid, provider=provider)
    return encode_ocsp_request((item,), nonce)


def ocsp_response(
    statuses: Iterable[SingleResponse],
    signer: Signer,
    *,
    produced_at: datetime,
    nonce: bytes | None = None,
    by_name: bool = False,
    provider: Provider | None = None,
) -> bytes:
    """Return DER of a signed answer: the side of the service.

    Args:
        statuses: What is known.
        signer: The issuer itself, or whom it charged with answering.
        produced_at: The moment of signing; aware.
        nonce: The nonce of the request.
        by_name: Whether the service names itself by its subject and not by its key.
        provider: Who hashes; by default `medsign.gost.default_provider`.
    """
    own = signer.certificate
    data = encode_ocsp_response_data(
        responder=own.subject if by_name else hash_octets(oids.SHA1, own.public_key.octets),
        produced_at=produced_at,
        single_responses=statuses,
        nonce=nonce,
    )
    signature = sign(signer, data, provider=provider)
    return assemble_ocsp_response(data, signature_algorithm(signer), signature, (own.der,))


@attrs.frozen(kw_only=True)
class Responders:
    """Who may answer for an issuer.

    Attributes:
        issuer: The issuer of the certificate asked about.
        trusted: Services that are trusted by a decision of the caller (RFC 6960 §4.2.2.2, 1).
        at_hand: Where to look for the service's certificate besides the answer: those of Russian
            services often come without it.
    """

    issuer: Certificate
    trusted: tuple[Certificate, ...] = ()
    at_hand: tuple[Certificate, ...] = ()


def claim_of_ocsp(
    answer: BasicOcspResponse,
    certificate: Certificate,
    responders: Responders,
    *,
    at: datetime,
    now: datetime,
    policy: EvidencePolicy,
    nonce: bytes | None = None,
    provider: Provider | None = None,
) -> Claim | None:
    """Return what an answer says, ``None`` when it is not about this certificate.

    Args:
        answer: The answer.
        certificate: The certificate asked about.
        responders: Who may answer.
        at: The moment asked about; aware.
        now: The moment of asking; aware.
        policy: What is fresh.
        nonce: The nonce of the request, ``None`` when there was no request or none in it.
        provider: Who computes; by default `medsign.gost.default_provider`.
    """
    single = single_response(answer, certificate, responders.issuer, provider=provider)
    if single is None:
        return None
    print_ = answer.fingerprint
    unfit = [
        *age_problems(single.this_update, single.next_update, print_, at=at, now=now, policy=policy)
    ]
    if answer.produced_at - now > policy.skew:
        unfit.append(Problem(ProblemCode.FROM_THE_FUTURE, print_, "producedAt"))
    if single.this_update > certificate.not_after and not (
        single.archive_cutoff and single.archive_cutoff <= certificate.not_after
    ):
        unfit.append(Problem(ProblemCode.AFTER_EXPIRY, print_))
    unfit += (
        Problem(ProblemCode.EVIDENCE_EXTENSION, print_, each.oid)
        for each in (*answer.extensions, *single.extensions)
        if each.critical and each.oid not in _PROCESSED
    )
    if single.status == "unknown":
        unfit.append(Problem(ProblemCode.UNKNOWN_STATUS, print_))
    if nonce is not None and answer.nonce is None and policy.nonce_required:
        unfit.append(Problem(ProblemCode.NONCE_MISSING, print_))
    if nonce is not None and answer.nonce not in {None, nonce}:
        unfit.append(Problem(ProblemCode.NONCE_MISMATCH, print_))
    responder, forged = _origin(answer, responders, provider)
    return Claim(
        source="ocsp",
        fingerprint=print_,
        status=single.status,
        this_update=single.this_update,
        next_update=single.next_update,
        revoked_at=single.revoked_at,
        reason=single.reason,
        responder=responder,
        forged=forged,
        unfit=tuple(unfit),
    )


def single_response(
    answer: BasicOcspResponse,
    certificate: Certificate,
    issuer: Certificate,
    *,
    provider: Provider | None = None,
) -> SingleResponse | None:
    """Return the part of an answer that is about a certificate, by whatever digest it names it.

    Of several, as an answer with two digests may have, it is the gravest: a revocation goes before
    all else, one for good before a suspension, the earliest first.
    """

    def is_about(single: SingleResponse) -> bool:
        named = single.cert_id
        if named.serial_number != certificate.serial_number:
            return False
        try:
            return named == ocsp_cert_id(certificate, issuer, named.hash_oid, provider=provider)
        except Unavailable:
            return False

    def gravity(single: SingleResponse) -> tuple[int, bool, datetime]:
        since = single.revoked_at or single.this_update
        return _GRAVEST.index(single.status), single.reason == "certificateHold", since

    return min(filter(is_about, answer.single_responses), key=gravity, default=None)


def _origin(
    answer: BasicOcspResponse, responders: Responders, provider: Provider | None
) -> tuple[Certificate | None, tuple[Problem, ...]]:
    """Return who answered, and why that one may not be believed.

    Of several certificates with the name of the service the one is taken with which the answer
    is best, because old and new ones may be at hand together.
    """
    named = answer.responder

    def fits(each: Certificate) -> bool:
        if isinstance(named, Name):
            return each.subject.matches(named)
        return hash_octets(oids.SHA1, each.public_key.octets) == named

    at_hand = (responders.issuer, *responders.trusted, *answer.certificates, *responders.at_hand)
    tried = (
        (each, tuple(_origin_problems(answer, each, responders, provider)))
        for each in filter(fits, dict.fromkeys(at_hand))
    )
    nobody = (None, (Problem(ProblemCode.NO_RESPONDER, answer.fingerprint),))
    return min(islice(tried, _MAX_RESPONDERS), key=lambda each: len(each[1]), default=nobody)


def _origin_problems(
    answer: BasicOcspResponse,
    responder: Certificate,
    responders: Responders,
    provider: Provider | None,
) -> Iterator[Problem]:
    check = verify_signature(
        responder.public_key,
        answer.signature_algorithm,
        answer.tbs_der,
        answer.signature,
        provider=provider,
    )
    if code := check.problem(ProblemCode.EVIDENCE_SIGNATURE):
        yield Problem(code, answer.fingerprint)
    if answer.produced_at < responder.not_before:
        yield Problem(ProblemCode.NOT_YET_VALID, responder.fingerprint)
    if answer.produced_at > responder.not_after:
        yield Problem(ProblemCode.EXPIRED, responder.fingerprint)
    if responder != responders.issuer and responder not in responders.trusted:
        yield from _delegation_problems(responder, responders.issuer, provider)


def _delegation_problems(
    responder: Certificate, issuer: Certificate, provider: Provider | None
) -> Iterator[Problem]:
    """Yield why a responder may not answer for the issuer (RFC 6960 §4.2.2.2, 3)."""

    def refused(detail: str) -> Problem:
        return Problem(ProblemCode.RESPONDER_REFUSED, responder.fingerprint, detail)

    if not responder.issuer.matches(issuer.subject) or not verify_signature(
        issuer.public_key,
        responder.signature_algorithm,
        responder.tbs_der,
        responder.signature,
        provider=provider,
    ):
        yield refused("the same authority did not issue it")
    if oids.OCSP_SIGNING not in (responder.extended_key_usage or ()):
        yield refused("it has no purpose id-kp-OCSPSigning")
    usage = responder.key_usage
    if usage is not None and usage.isdisjoint({"digitalSignature", "nonRepudiation"}):
        yield Problem(ProblemCode.KEY_USAGE, responder.fingerprint, "digitalSignature")
