"""Evidence that a signature carries in its unsigned attributes (RFC 5126 6.2, 6.3).

References name certificates, revocation lists and OCSP answers by digest; values hold them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from medsign.codec.asn1 import der, oids
from medsign.codec.asn1.cms import EssCertId, read_issuer_serial
from medsign.codec.asn1.cms_write import encode_issuer_serial
from medsign.codec.asn1.crl import RevocationList, read_crl
from medsign.codec.asn1.door import (
    GENERALIZED_TIME,
    INTEGER,
    OCTET_STRING,
    SEQUENCE,
    Element,
    Limits,
    constructed,
    open_der,
)
from medsign.codec.asn1.keys import AlgorithmIdentifier, encode_algorithm, read_algorithm
from medsign.codec.asn1.names import Name, read_name
from medsign.codec.asn1.ocsp import (
    BasicOcspResponse,
    encode_responder,
    read_basic_ocsp_response,
    read_responder,
)
from medsign.codec.asn1.x509 import Certificate, read_certificate

EVIDENCE_LIMITS = Limits(max_bytes=1 << 26, max_elements=8_000_000)


@attrs.frozen(kw_only=True)
class CrlReference:
    """A reference to a revocation list.

    Attributes:
        hash_oid: The digest algorithm.
        digest: Digest of the whole list.
        issuer: Who signed it, ``None`` when the reference does not say.
        issued_at: Its ``thisUpdate``.
        number: Its number.
    """

    hash_oid: str
    digest: bytes
    issuer: Name | None = None
    issued_at: datetime | None = None
    number: int | None = None


@attrs.frozen(kw_only=True)
class OcspReference:
    """A reference to an OCSP answer.

    Attributes:
        responder: Who answered: a name, or SHA-1 of the responder's public key.
        produced_at: When.
        hash_oid: The digest algorithm, ``None`` when the reference has no digest.
        digest: Digest of the BasicOCSPResponse.
    """

    responder: Name | bytes
    produced_at: datetime
    hash_oid: str | None = None
    digest: bytes | None = None


@attrs.frozen(kw_only=True)
class RevocationReferences:
    """What the status of one certificate was proved with; one for each certificate reference."""

    crls: tuple[CrlReference, ...] = ()
    ocsp_responses: tuple[OcspReference, ...] = ()


@attrs.frozen(kw_only=True)
class RevocationValues:
    """Revocation lists and OCSP answers that a signature carries."""

    crls: tuple[RevocationList, ...] = ()
    ocsp_responses: tuple[BasicOcspResponse, ...] = ()


def decode_certificate_references(
    data: bytes, limits: Limits = EVIDENCE_LIMITS
) -> tuple[EssCertId, ...]:
    """Decode a value of the attribute `oids.CERTIFICATE_REFS`.

    Raises:
        MalformedError: It is something else.
        BudgetExceeded: It is too large.
    """
    references: list[EssCertId] = []
    for each in open_der("certificate references", data, limits).each(SEQUENCE, "reference"):
        with each.fields() as fields:
            hash_oid, digest = _read_hash(fields.take(None, "otherCertHash"))
            issuer, serial = read_issuer_serial(fields.maybe(SEQUENCE, "issuerSerial"))
        references.append(
            EssCertId(hash_oid=hash_oid, digest=digest, issuer=issuer, serial_number=serial)
        )
    return tuple(references)


def decode_revocation_references(
    data: bytes, limits: Limits = EVIDENCE_LIMITS
) -> tuple[RevocationReferences, ...]:
    """Decode a value of the attribute `oids.REVOCATION_REFS`.

    Raises:
        MalformedError: It is something else.
        BudgetExceeded: It is too large.
    """
    references: list[RevocationReferences] = []
    for each in open_der("revocation references", data, limits).each(SEQUENCE, "reference"):
        with each.fields() as fields:
            crls = _listed(fields.maybe(constructed(0), "crlids"), nested=True)
            answers = _listed(fields.maybe(constructed(1), "ocspids"), nested=True)
            fields.maybe(constructed(2), "otherRev")
        references.append(
            RevocationReferences(
                crls=tuple(map(_read_crl_reference, crls)),
                ocsp_responses=tuple(map(_read_ocsp_reference, answers)),
            )
        )
    return tuple(references)


def decode_certificate_values(
    data: bytes, limits: Limits = EVIDENCE_LIMITS
) -> tuple[Certificate, ...]:
    """Decode a value of the attribute `oids.CERTIFICATE_VALUES`.

    Raises:
        MalformedError: It is something else.
        BudgetExceeded: It is too large.
    """
    root = open_der("certificate values", data, limits)
    return tuple(map(read_certificate, root.each(SEQUENCE, "certificate")))


def decode_revocation_values(data: bytes, limits: Limits = EVIDENCE_LIMITS) -> RevocationValues:
    """Decode a value of the attribute `oids.REVOCATION_VALUES`.

    Raises:
        MalformedError: It is something else.
        BudgetExceeded: It is too large.
    """
    with open_der("revocation values", data, limits).fields() as fields:
        crls = _listed(fields.maybe(constructed(0), "crlVals"))
        answers = _listed(fields.maybe(constructed(1), "ocspVals"))
        fields.maybe(constructed(2), "otherRevVals")
    return RevocationValues(
        crls=tuple(map(read_crl, crls)),
        ocsp_responses=tuple(map(read_basic_ocsp_response, answers)),
    )


def encode_certificate_references(references: Iterable[EssCertId]) -> bytes:
    """Encode a value of the attribute `oids.CERTIFICATE_REFS`."""
    return der.sequence(*map(_certificate_reference, references))


def encode_revocation_references(references: Iterable[RevocationReferences]) -> bytes:
    """Encode a value of the attribute `oids.REVOCATION_REFS`."""
    return der.sequence(
        *(
            der.sequence(
                _list_of_lists(0, map(_crl_reference, each.crls)),
                _list_of_lists(1, map(_ocsp_reference, each.ocsp_responses)),
            )
            for each in references
        )
    )


def encode_certificate_values(certificates: Iterable[bytes]) -> bytes:
    """Encode a value of the attribute `oids.CERTIFICATE_VALUES` from DER of certificates."""
    return der.sequence(*certificates)


def encode_revocation_values(
    crls: Iterable[bytes] = (), ocsp_responses: Iterable[bytes] = ()
) -> bytes:
    """Encode a value of the attribute `oids.REVOCATION_VALUES`.

    Args:
        crls: DER of revocation lists.
        ocsp_responses: DER of bare BasicOCSPResponse: `BasicOcspResponse.der`.
    """
    return der.sequence(
        der.explicit(0, der.optional_sequence(crls)),
        der.explicit(1, der.optional_sequence(ocsp_responses)),
    )


def _listed(wrapped: Element | None, *, nested: bool = False) -> Iterable[Element]:
    if wrapped is None:
        return ()
    listed = wrapped.only(SEQUENCE, "list")
    return (listed.only(SEQUENCE, "entries") if nested else listed).each(SEQUENCE, "entry")


def _read_hash(element: Element) -> tuple[str, bytes]:
    if element.tag == OCTET_STRING:
        return oids.SHA1, element.contents
    if element.tag != SEQUENCE:
        raise element.error("neither a digest nor an algorithm and a digest")
    with element.fields() as fields:
        algorithm = read_algorithm(fields.sequence("hashAlgorithm"))
        return algorithm.oid, fields.octets("hashValue")


def _read_crl_reference(element: Element) -> CrlReference:
    with element.fields() as fields:
        hash_oid, digest = _read_hash(fields.take(None, "crlHash"))
        identifier = fields.maybe(SEQUENCE, "crlIdentifier")
    if identifier is None:
        return CrlReference(hash_oid=hash_oid, digest=digest)
    with identifier.fields() as fields:
        issuer = read_name(fields.sequence("crlissuer"))
        issued_at = fields.time("crlIssuedTime")
        number = fields.maybe(INTEGER, "crlNumber")
    return CrlReference(
        hash_oid=hash_oid,
        digest=digest,
        issuer=issuer,
        issued_at=issued_at,
        number=number.integer() if number else None,
    )


def _read_ocsp_reference(element: Element) -> OcspReference:
    with element.fields() as fields:
        identifier = fields.sequence("ocspIdentifier")
        digest = fields.take(None, "ocspRepHash") if fields else None
    with identifier.fields() as fields:
        responder = read_responder(fields.take(None, "ocspResponderID"))
        produced_at = fields.take(GENERALIZED_TIME, "producedAt").time()
    hash_oid, octets = _read_hash(digest) if digest else (None, None)
    return OcspReference(
        responder=responder, produced_at=produced_at, hash_oid=hash_oid, digest=octets
    )


def _hash(hash_oid: str, digest: bytes) -> bytes:
    if hash_oid == oids.SHA1:
        return der.octets(digest)
    return der.sequence(encode_algorithm(AlgorithmIdentifier(hash_oid)), der.octets(digest))


def _certificate_reference(reference: EssCertId) -> bytes:
    digest = _hash(reference.hash_oid, reference.digest)
    return der.sequence(digest, encode_issuer_serial(reference))


def _crl_reference(reference: CrlReference) -> bytes:
    identifier = None
    if reference.issuer is not None and reference.issued_at is not None:
        number = None if reference.number is None else der.integer(reference.number)
        identifier = der.sequence(reference.issuer.der, der.time(reference.issued_at), number)
    return der.sequence(_hash(reference.hash_oid, reference.digest), identifier)


def _ocsp_reference(reference: OcspReference) -> bytes:
    produced_at = der.generalized_time(reference.produced_at)
    identifier = der.sequence(encode_responder(reference.responder), produced_at)
    if reference.hash_oid is None or reference.digest is None:
        return der.sequence(identifier)
    return der.sequence(identifier, _hash(reference.hash_oid, reference.digest))


def _list_of_lists(number: int, entries: Iterable[bytes]) -> bytes | None:
    listed = der.optional_sequence(entries)
    return der.explicit(number, der.sequence(listed)) if listed else None
