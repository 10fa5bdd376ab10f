"""Certificate status on line: OCSP (RFC 6960)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import attrs

from medsign.codec.asn1 import der, oids
from medsign.codec.asn1.crl import read_reason, reason_number
from medsign.codec.asn1.door import (
    BIT_STRING,
    ENUMERATED,
    GENERALIZED_TIME,
    OCTET_STRING,
    SEQUENCE,
    Element,
    Limits,
    constructed,
    context,
    open_der,
)
from medsign.codec.asn1.encoded import Encoded
from medsign.codec.asn1.extensions import Extension, read_extension_elements
from medsign.codec.asn1.keys import AlgorithmIdentifier, encode_algorithm, read_algorithm
from medsign.codec.asn1.names import Name, read_name
from medsign.codec.asn1.x509 import Certificate, encode_extension, read_certificate
from medsign.errors import UsageError

OCSP_LIMITS = Limits(max_bytes=1 << 22, max_elements=200_000)

CertificateStatus = Literal["good", "revoked", "unknown"]

#: Names of ``OCSPResponseStatus`` by number; 8 is an addition of CryptoPro.
RESPONSE_STATUSES = {
    0: "successful",
    1: "malformedRequest",
    2: "internalError",
    3: "tryLater",
    5: "sigRequired",
    6: "unauthorized",
    8: "badCRL",
}


@attrs.frozen(kw_only=True)
class CertId:
    """Which certificate is asked about.

    Attributes:
        hash_oid: The digest of the two hashes; responders know SHA-1, some know Streebog.
        issuer_name_hash: Digest of the DER of the issuer's name.
        issuer_key_hash: Digest of the issuer's public key: `SubjectPublicKeyInfo.octets`.
        serial_number: Serial number of the certificate.
        hash_parameters: DER of the parameters of the digest, ``None`` when they are absent.
    """

    hash_oid: str
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial_number: int
    hash_parameters: bytes | None = attrs.field(default=None, eq=False)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class OcspRequest(Encoded):
    """A question about certificates.

    Attributes:
        der: The whole request.
        items: The certificates asked about.
        nonce: The octets that the answer must repeat, without their octet string.
        extensions: All the extensions of the request.
    """

    der: bytes
    items: tuple[CertId, ...]
    nonce: bytes | None
    extensions: tuple[Extension, ...]


@attrs.frozen(kw_only=True)
class SingleResponse:
    """The status of one certificate.

    Attributes:
        cert_id: The certificate.
        status: ``good`` also means "not known to be revoked".
        this_update: When the status was known to be true, UTC.
        next_update: When newer information comes; ``None``: it is always at hand.
        revoked_at: Since when it is revoked.
        reason: A value of `medsign.codec.asn1.crl.REASONS`.
        archive_cutoff: How far into the past the responder keeps revocations.
        extensions: All the extensions as they came, those of CryptoPro among them.
    """

    cert_id: CertId
    status: CertificateStatus
    this_update: datetime
    next_update: datetime | None = None
    revoked_at: datetime | None = None
    reason: str | None = None
    archive_cutoff: datetime | None = None
    extensions: tuple[Extension, ...] = ()


@attrs.frozen(kw_only=True, eq=False, repr=False)
class BasicOcspResponse(Encoded):
    """An answer with its signature, fully read.

    Attributes:
        der: The whole BasicOCSPResponse.
        tbs_der: The part that is signed.
        responder: Who answered: a name, or SHA-1 of the responder's public key.
        produced_at: When it was signed, UTC.
        single_responses: The statuses.
        nonce: The nonce of the request, repeated.
        signature_algorithm: The algorithm of the signature.
        signature: The signature; for GOST s‖r, big-endian.
        certificates: Certificates that came along, the responder's usually among them.
        extensions: All the extensions of the answer.
    """

    der: bytes
    tbs_der: bytes
    responder: Name | bytes
    produced_at: datetime
    single_responses: tuple[SingleResponse, ...]
    nonce: bytes | None
    signature_algorithm: AlgorithmIdentifier
    signature: bytes
    certificates: tuple[Certificate, ...]
    extensions: tuple[Extension, ...]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class OcspResponse(Encoded):
    """What the responder sent.

    Attributes:
        der: The whole response.
        status: A value of `RESPONSE_STATUSES`, or the number as text when it is not there.
        basic: The answer; ``None`` unless the status is ``successful``.
    """

    der: bytes
    status: str
    basic: BasicOcspResponse | None


def decode_ocsp_request(data: bytes, limits: Limits = OCSP_LIMITS) -> OcspRequest:
    """Decode an OCSP request; a signature of the requester is not looked at.

    Raises:
        MalformedError: It is something else.
        BudgetExceeded: It is too large.
    """
    root = open_der("OCSP request", data, limits)
    with root.fields() as fields:
        tbs = fields.sequence("tbsRequest")
        fields.maybe(constructed(0), "optionalSignature")
    with tbs.fields() as fields:
        fields.maybe(constructed(0), "version")
        fields.maybe(constructed(1), "requestorName")
        requests = fields.sequence("requestList")
        extensions, nonce = _read_extensions(fields.maybe(constructed(2), "requestExtensions"))
    items: list[CertId] = []
    for each in requests.each(SEQUENCE, "request"):
        with each.fields() as fields:
            items.append(_read_cert_id(fields.sequence("reqCert")))
            fields.maybe(constructed(0), "singleRequestExtensions")
    return OcspRequest(der=root.der, items=tuple(items), nonce=nonce, extensions=extensions)


def decode_ocsp_response(data: bytes, limits: Limits = OCSP_LIMITS) -> OcspResponse:
    """Decode an OCSP response.

    Raises:
        MalformedError: It is something else, or holds an answer of an unknown type.
        BudgetExceeded: It is too large.
    """
    return read_ocsp_response(open_der("OCSP response", data, limits))


def decode_basic_ocsp_response(data: bytes, limits: Limits = OCSP_LIMITS) -> BasicOcspResponse:
    """Decode a bare BasicOCSPResponse, the form that signatures carry.

    Raises:
        MalformedError: It is something else.
        BudgetExceeded: It is too large.
    """
    return read_basic_ocsp_response(open_der("OCSP answer", data, limits))


def read_ocsp_response(element: Element) -> OcspResponse:
    """Read an ``OCSPResponse``."""
    with element.fields() as fields:
        number = fields.take(ENUMERATED, "responseStatus").integer()
        wrapped = fields.maybe(constructed(0), "responseBytes")
    basic = None
    if wrapped:
        with wrapped.only(SEQUENCE, "responseBytes").fields() as fields:
            kind, answer = fields.oid("responseType"), fields.take(OCTET_STRING, "response")
        if kind != oids.OCSP_BASIC:
            raise answer.error("an unknown type of answer")
        basic = read_basic_ocsp_response(answer.only(SEQUENCE, "basicOCSPResponse"))
    elif number == 0:
        raise element.error("a successful response without an answer")
    status = RESPONSE_STATUSES.get(number, str(number))
    return OcspResponse(der=element.der, status=status, basic=basic)


def read_basic_ocsp_response(element: Element) -> BasicOcspResponse:
    """Read a ``BasicOCSPResponse``."""
    with element.fields() as fields:
        tbs = fields.sequence("tbsResponseData")
        algorithm = read_algorithm(fields.sequence("signatureAlgorithm"))
        signature = fields.take(BIT_STRING, "signature").bits()
        certificates = fields.maybe(constructed(0), "certs")
    with tbs.fields() as fields:
        fields.maybe(constructed(0), "version")
        responder = read_responder(fields.take(None, "responderID"))
        produced_at = fields.take(GENERALIZED_TIME, "producedAt").time()
        responses = fields.sequence("responses")
        extensions, nonce = _read_extensions(fields.maybe(constructed(1), "responseExtensions"))
    listed = certificates.only(SEQUENCE, "list") if certificates else None
    return BasicOcspResponse(
        der=element.der,
        tbs_der=tbs.der,
        responder=responder,
        produced_at=produced_at,
        single_responses=tuple(map(_read_single, responses.each(SEQUENCE, "singleResponse"))),
        nonce=nonce,
        signature_algorithm=algorithm,
        signature=signature,
        certificates=tuple(map(read_certificate, listed.each(SEQUENCE, "certificate")))
        if listed
        else (),
        extensions=extensions,
    )


def read_responder(element: Element) -> Name | bytes:
    """Read a ``ResponderID``."""
    if element.tag == constructed(1):
        return read_name(element.only(SEQUENCE, "byName"))
    if element.tag == constructed(2):
        return element.only(OCTET_STRING, "byKey").contents
    raise element.error("neither a name nor a key")


def encode_responder(responder: Name | bytes) -> bytes:
    """Encode a ``ResponderID``."""
    if isinstance(responder, Name):
        return der.tlv(constructed(1), responder.der)
    return der.tlv(constructed(2), der.octets(responder))


def encode_ocsp_request(items: Iterable[CertId], nonce: bytes | None = None) -> bytes:
    """Encode an unsigned OCSP request.

    Args:
        items: The certificates asked about.
        nonce: Octets that the answer must repeat: 1 to 32 by RFC 8954.
    """
    requests = der.sequence(*(der.sequence(_cert_id(each)) for each in items))
    return der.sequence(der.sequence(requests, der.explicit(2, _extensions(nonce))))


def encode_ocsp_response_data(
    *,
    responder: Name | bytes,
    produced_at: datetime,
    single_responses: Iterable[SingleResponse],
    nonce: bytes | None = None,
) -> bytes:
    """Encode the part of an OCSP answer that is signed.

    Of a single response everything is written but ``extensions``.

    Raises:
        UsageError: A moment has no time zone.
    """
    return der.sequence(
        encode_responder(responder),
        der.generalized_time(produced_at),
        der.sequence(*map(_single, single_responses)),
        der.explicit(1, _extensions(nonce)),
    )


def assemble_ocsp_response(
    response_data: bytes,
    algorithm: AlgorithmIdentifier,
    signature: bytes,
    certificates: Iterable[bytes] = (),
) -> bytes:
    """Join the signed part of an answer with its signature into a successful OCSP response.

    Args:
        response_data: From `encode_ocsp_response_data`.
        algorithm: The algorithm of the signature.
        signature: The signature over ``response_data``.
        certificates: DER of certificates to send along, the responder's first.
    """
    basic = der.sequence(
        response_data,
        encode_algorithm(algorithm),
        der.bits(signature),
        der.explicit(0, der.optional_sequence(certificates)),
    )
    answer = der.sequence(der.oid(oids.OCSP_BASIC), der.octets(basic))
    return der.sequence(der.enumerated(0), der.explicit(0, answer))


def encode_ocsp_error(status: str) -> bytes:
    """Encode an OCSP response that refuses to answer.

    Args:
        status: A value of `RESPONSE_STATUSES` other than ``successful``.

    Example:
        >>> decode_ocsp_response(encode_ocsp_error("tryLater")).status
        'tryLater'
    """
    numbers = {name: number for number, name in RESPONSE_STATUSES.items()}
    return der.sequence(der.enumerated(numbers[status]))


def _read_single(element: Element) -> SingleResponse:
    with element.fields() as fields:
        cert_id = _read_cert_id(fields.sequence("certID"))
        choice = fields.take(None, "certStatus")
        this_update = fields.take(GENERALIZED_TIME, "thisUpdate").time()
        following = fields.maybe(constructed(0), "nextUpdate")
        wrapped = fields.maybe(constructed(1), "singleExtensions")
    status, revoked_at, reason = _read_status(choice)
    found = _found(wrapped)
    cutoff = found.get(oids.OCSP_ARCHIVE_CUTOFF)
    return SingleResponse(
        cert_id=cert_id,
        status=status,
        this_update=this_update,
        next_update=following.only(GENERALIZED_TIME, "time").time() if following else None,
        revoked_at=revoked_at,
        reason=reason,
        archive_cutoff=cutoff[1].only(GENERALIZED_TIME, "time").time() if cutoff else None,
        extensions=tuple(extension for extension, _ in found.values()),
    )


def _read_status(
    choice: Element,
) -> tuple[CertificateStatus, datetime | None, str | None]:
    if choice.tag == context(0):
        return "good", None, None
    if choice.tag == context(2):
        return "unknown", None, None
    if choice.tag != constructed(1):
        raise choice.error("an unknown status")
    with choice.fields() as fields:
        revoked_at = fields.take(GENERALIZED_TIME, "revocationTime").time()
        reason = fields.maybe(constructed(0), "revocationReason")
    return "revoked", revoked_at, read_reason(reason.only(ENUMERATED, "reason")) if reason else None


def _read_cert_id(element: Element) -> CertId:
    with element.fields() as fields:
        algorithm = read_algorithm(fields.sequence("hashAlgorithm"))
        return CertId(
            hash_oid=algorithm.oid,
            issuer_name_hash=fields.octets("issuerNameHash"),
            issuer_key_hash=fields.octets("issuerKeyHash"),
            serial_number=fields.integer("serialNumber"),
            hash_parameters=algorithm.parameters,
        )


def _found(wrapped: Element | None) -> dict[str, tuple[Extension, Element]]:
    return read_extension_elements(wrapped.only(SEQUENCE, "list")) if wrapped else {}


def _read_extensions(wrapped: Element | None) -> tuple[tuple[Extension, ...], bytes | None]:
    found = _found(wrapped)
    nonce = found.get(oids.OCSP_NONCE)
    return (
        tuple(extension for extension, _ in found.values()),
        _read_nonce(nonce[1]) if nonce else None,
    )


def _read_nonce(value: Element) -> bytes:
    contents = value.contents
    # RFC 6960 wraps the nonce once more; old responders repeat or send it bare.
    wrapped = contents[:1] == b"\x04" and len(contents) == 2 + contents[1]
    return contents[2:] if wrapped else contents


def _cert_id(cert_id: CertId) -> bytes:
    return der.sequence(
        encode_algorithm(AlgorithmIdentifier(cert_id.hash_oid, cert_id.hash_parameters)),
        der.octets(cert_id.issuer_name_hash),
        der.octets(cert_id.issuer_key_hash),
        der.integer(cert_id.serial_number),
    )


def _extensions(nonce: bytes | None) -> bytes | None:
    if nonce is None:
        return None
    return der.sequence(encode_extension(Extension(oids.OCSP_NONCE, False, der.octets(nonce))))


def _single(response: SingleResponse) -> bytes:
    following, cutoff = response.next_update, response.archive_cutoff
    extension = (
        Extension(oids.OCSP_ARCHIVE_CUTOFF, False, der.generalized_time(cutoff)) if cutoff else None
    )
    return der.sequence(
        _cert_id(response.cert_id),
        _status(response),
        der.generalized_time(response.this_update),
        der.explicit(0, der.generalized_time(following)) if following else None,
        der.explicit(1, der.sequence(encode_extension(extension))) if extension else None,
    )


def _status(response: SingleResponse) -> bytes:
    if response.status != "revoked":
        return der.tlv(context(0 if response.status == "good" else 2))
    if response.revoked_at is None:
        raise UsageError("a revoked certificate needs the moment of revocation")
    reason = response.reason
    return der.tlv(
        constructed(1),
        der.generalized_time(response.revoked_at),
        der.explicit(0, der.enumerated(reason_number(reason))) if reason else None,
    )
