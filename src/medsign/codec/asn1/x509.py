"""Certificates and requests for them (RFC 5280, RFC 2986, RFC 9215)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from medsign.codec.asn1 import der, oids
from medsign.codec.asn1.door import (
    BIT_STRING,
    INTEGER,
    SEQUENCE,
    SET,
    Element,
    Limits,
    constructed,
    context,
    open_der,
    remembered,
)
from medsign.codec.asn1.encoded import Encoded
from medsign.codec.asn1.extensions import Extended, Extension, read_extended
from medsign.codec.asn1.keys import (
    AlgorithmIdentifier,
    SubjectPublicKeyInfo,
    encode_algorithm,
    read_algorithm,
    read_spki,
)
from medsign.codec.asn1.names import Name, read_name

CERTIFICATE_LIMITS = Limits(max_bytes=1 << 18, max_elements=20_000)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Certificate(Encoded, Extended):
    """A certificate of a public key, fully read.

    Equality, hash and repr go by the bytes; the repr shows no personal data. The fields of the
    extensions are those of `Extended`.

    Attributes:
        der: The whole certificate.
        tbs_der: The part that is signed.
        version: 1, 2 or 3.
        serial_number: Serial number.
        issuer: Who issued it.
        subject: Whose it is.
        not_before: First moment of validity, UTC.
        not_after: Last moment of validity, UTC.
        public_key: The key.
        signature_algorithm: The algorithm beside the signature.
        tbs_signature_algorithm: The algorithm under the signature; it must be the same.
        signature: The signature; for GOST s‖r, big-endian.
    """

    der: bytes
    tbs_der: bytes
    version: int
    serial_number: int
    issuer: Name
    subject: Name
    not_before: datetime
    not_after: datetime
    public_key: SubjectPublicKeyInfo
    signature_algorithm: AlgorithmIdentifier
    tbs_signature_algorithm: AlgorithmIdentifier
    signature: bytes

    @property
    def is_self_issued(self) -> bool:
        """Whether the issuer and the subject have the same name."""
        return self.issuer.matches(self.subject)


@attrs.frozen
class Attribute:
    """An attribute of a request or of a signature.

    Attributes:
        oid: What it is.
        values: DER of each value, in order.
    """

    oid: str
    values: tuple[bytes, ...] = attrs.field(repr=False)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CertificateRequest(Encoded, Extended):
    """A request for a certificate (PKCS#10), fully read.

    The extensions that are asked for are in the fields of `Extended`.

    Attributes:
        der: The whole request.
        info_der: The part that is signed.
        subject: Whose certificate is asked for.
        public_key: The key.
        attributes: All the attributes, the extension request among them.
        signature_algorithm: The algorithm of the signature.
        signature: The signature by the key itself.
    """

    der: bytes
    info_der: bytes
    subject: Name
    public_key: SubjectPublicKeyInfo
    attributes: tuple[Attribute, ...]
    signature_algorithm: AlgorithmIdentifier
    signature: bytes


@remembered(64)
def read_certificate(element: Element) -> Certificate:
    """Read a ``Certificate``."""
    tbs, algorithm, signature = read_signed(element, "tbsCertificate")
    with tbs.fields() as fields:
        version = fields.maybe(constructed(0), "version")
        serial = fields.integer("serialNumber")
        tbs_algorithm = read_algorithm(fields.sequence("signature"))
        issuer = read_name(fields.sequence("issuer"))
        with fields.sequence("validity").fields() as validity:
            not_before, not_after = validity.time("notBefore"), validity.time("notAfter")
        subject = read_name(fields.sequence("subject"))
        public_key = read_spki(fields.sequence("subjectPublicKeyInfo"))
        fields.maybe(context(1), "issuerUniqueID")
        fields.maybe(context(2), "subjectUniqueID")
        extensions = fields.maybe(constructed(3), "extensions")
    return Certificate(
        der=element.der,
        tbs_der=tbs.der,
        version=_read_version(version),
        serial_number=serial,
        issuer=issuer,
        subject=subject,
        not_before=not_before,
        not_after=not_after,
        public_key=public_key,
        signature_algorithm=algorithm,
        tbs_signature_algorithm=tbs_algorithm,
        signature=signature,
        **read_extended(extensions.only(SEQUENCE, "list") if extensions else None),
    )


def read_signed(element: Element, name: str) -> tuple[Element, AlgorithmIdentifier, bytes]:
    """Read what certificates, lists and requests share: body, algorithm, signature."""
    with element.fields() as fields:
        return (
            fields.sequence(name),
            read_algorithm(fields.sequence("signatureAlgorithm")),
            fields.take(BIT_STRING, "signature").bits(),
        )


def read_attributes(element: Element | None) -> tuple[Attribute, ...]:
    """Read a ``SET OF Attribute``, tagged or not; an absent one is empty."""
    return tuple(map(_read_attribute, element.each(SEQUENCE, "attribute"))) if element else ()


def decode_certificate(data: bytes, limits: Limits = CERTIFICATE_LIMITS) -> Certificate:
    """Decode a certificate in DER.

    Raises:
        MalformedError: It is not a certificate, or an extension is there twice.
        BudgetExceeded: It is too large.
    """
    return read_certificate(open_der("certificate", data, limits))


def decode_request(data: bytes, limits: Limits = CERTIFICATE_LIMITS) -> CertificateRequest:
    """Decode a request for a certificate (PKCS#10) in DER.

    Raises:
        MalformedError: It is not such a request.
        BudgetExceeded: It is too large.
    """
    root = open_der("certificate request", data, limits)
    info, algorithm, signature = read_signed(root, "certificationRequestInfo")
    with info.fields() as fields:
        fields.integer("version")
        subject = read_name(fields.sequence("subject"))
        public_key = read_spki(fields.sequence("subjectPKInfo"))
        attributes = fields.maybe(constructed(0), "attributes")
    requested = None
    for each in attributes.each(SEQUENCE, "attribute") if attributes else ():
        with each.fields() as fields:
            oid, values = fields.oid("type"), fields.take(SET, "values")
        if oid == oids.EXTENSION_REQUEST:
            if requested:
                raise each.error("the same attribute twice")
            requested = values.only(SEQUENCE, "extensions")
    return CertificateRequest(
        der=root.der,
        info_der=info.der,
        subject=subject,
        public_key=public_key,
        attributes=read_attributes(attributes),
        signature_algorithm=algorithm,
        signature=signature,
        **read_extended(requested),
    )


def encode_certificate_tbs(
    *,
    serial_number: int,
    issuer: Name,
    subject: Name,
    not_before: datetime,
    not_after: datetime,
    public_key: bytes,
    signature_algorithm: AlgorithmIdentifier,
    extensions: Iterable[Extension] = (),
) -> bytes:
    """Encode the part of a certificate that is signed (version 3).

    Args:
        serial_number: Positive, at most 20 octets.
        issuer: Name of the authority.
        subject: Name of the owner.
        not_before: First moment of validity, aware; whole seconds are kept.
        not_after: Last moment of validity, aware.
        public_key: DER of the SubjectPublicKeyInfo.
        signature_algorithm: The algorithm that will sign.
        extensions: In the order wanted; see `medsign.codec.asn1.extension_values`.

    Raises:
        UsageError: A moment has no time zone.
    """
    listed = der.optional_sequence(map(encode_extension, extensions))
    return der.sequence(
        der.explicit(0, der.integer(2)),
        der.integer(serial_number),
        encode_algorithm(signature_algorithm),
        issuer.der,
        der.sequence(der.time(not_before), der.time(not_after)),
        subject.der,
        public_key,
        der.explicit(3, listed),
    )


def encode_request_info(
    subject: Name,
    public_key: bytes,
    extensions: Iterable[Extension] = (),
    attributes: Iterable[Attribute] = (),
) -> bytes:
    """Encode the part of a request that is signed.

    Args:
        subject: Name of the future owner.
        public_key: DER of the SubjectPublicKeyInfo.
        extensions: Extensions asked for.
        attributes: Further attributes.
    """
    listed = der.optional_sequence(map(encode_extension, extensions))
    asked = (Attribute(oids.EXTENSION_REQUEST, (listed,)),) if listed else ()
    encoded = der.set_of(encode_attribute(each) for each in (*asked, *attributes))
    return der.sequence(
        der.integer(0), subject.der, public_key, bytes((constructed(0),)) + encoded[1:]
    )


def assemble_signed(body_der: bytes, algorithm: AlgorithmIdentifier, signature: bytes) -> bytes:
    """Join a signed part with its signature: a certificate, a CRL or a request.

    Args:
        body_der: What was signed.
        algorithm: The algorithm of the signature.
        signature: The signature; for GOST s‖r, big-endian.
    """
    return der.sequence(body_der, encode_algorithm(algorithm), der.bits(signature))


def encode_extension(extension: Extension) -> bytes:
    """Encode an ``Extension``."""
    return der.sequence(
        der.oid(extension.oid), der.true_or_absent(extension.critical), der.octets(extension.value)
    )


def encode_attribute(attribute: Attribute) -> bytes:
    """Encode an ``Attribute``."""
    return der.sequence(der.oid(attribute.oid), der.set_of(attribute.values))


def _read_attribute(element: Element) -> Attribute:
    with element.fields() as fields:
        oid = fields.oid("type")
        return Attribute(
            oid, tuple(each.der for each in fields.take(SET, "values").each(None, "value"))
        )


def _read_version(element: Element | None) -> int:
    if element is None:
        return 1
    version = element.only(INTEGER, "version").integer() + 1
    if version not in {1, 2, 3}:
        raise element.error("an unknown version")
    return version
