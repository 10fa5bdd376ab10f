"""Signed data: CMS with the attributes of CAdES (RFC 5652, 5035, 5126), reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import attrs

from medsign.codec.asn1 import oids
from medsign.codec.asn1.ber import to_der
from medsign.codec.asn1.crl import RevocationList, read_crl
from medsign.codec.asn1.door import (
    OCTET_STRING,
    OID,
    SEQUENCE,
    SET,
    TIMES,
    Element,
    Fields,
    Limits,
    constructed,
    context,
    open_der,
)
from medsign.codec.asn1.encoded import Encoded
from medsign.codec.asn1.keys import AlgorithmIdentifier, read_algorithm
from medsign.codec.asn1.names import GeneralName, Name, read_general_names, read_name
from medsign.codec.asn1.ocsp import BasicOcspResponse, read_ocsp_response
from medsign.codec.asn1.x509 import Attribute, Certificate, read_attributes, read_certificate
from medsign.errors import MalformedError

CMS_LIMITS = Limits(max_bytes=1 << 28, max_elements=1_000_000)


@attrs.frozen
class IssuerAndSerial:
    """Which certificate, by its issuer and serial number."""

    issuer: Name
    serial_number: int


@attrs.frozen(kw_only=True)
class EssCertId:
    """A reference to a certificate (RFC 5035).

    Attributes:
        hash_oid: The digest algorithm; SHA-1 in the first version of the attribute.
        digest: Digest of the whole certificate.
        issuer: Name of the issuer, empty when the reference has none.
        serial_number: Serial number, ``None`` when the reference has none.
    """

    hash_oid: str
    digest: bytes
    issuer: tuple[GeneralName, ...] = ()
    serial_number: int | None = None


@attrs.frozen(kw_only=True)
class SignerInfo:
    """One signature, fully read.

    Attributes:
        version: 1 by issuer and serial number, 3 by key identifier.
        sid: Whose key signed: issuer and serial number, or the subject key identifier.
        digest_algorithm: How the content was hashed.
        signature_algorithm: How it was signed. Real signatures often name the key's algorithm
            (1.2.643.7.1.1.1.1) instead of the signature's (1.2.643.7.1.1.3.2).
        signature: The signature; for GOST s‖r, big-endian.
        signed_attributes: Signed attributes in order; empty when there are none.
        signed_attributes_der: What was hashed for the signature: the attributes as they came,
            under the tag of SET. ``None`` when there are none and the content itself was hashed.
        unsigned_attributes: Unsigned attributes in order.
        content_type: The content-type attribute.
        message_digest: The message-digest attribute.
        signing_time: The signing-time attribute: the signer's own word, not a proof.
        signing_certificates: References to the signer's certificate: the first one of each
            signing-certificate attribute, which may be there in both versions.
    """

    version: int
    sid: IssuerAndSerial | bytes
    digest_algorithm: AlgorithmIdentifier
    signature_algorithm: AlgorithmIdentifier
    signature: bytes
    signed_attributes: tuple[Attribute, ...] = ()
    signed_attributes_der: bytes | None = attrs.field(default=None, repr=False)
    unsigned_attributes: tuple[Attribute, ...] = ()
    content_type: str | None = None
    message_digest: bytes | None = None
    signing_time: datetime | None = None
    signing_certificates: tuple[EssCertId, ...] = ()

    @property
    def time_stamp_tokens(self) -> tuple[bytes, ...]:
        """DER of the time stamps on the signature, for `decode_signed_data`."""
        return self.unsigned_values(oids.SIGNATURE_TIME_STAMP)

    def unsigned_values(self, oid: str) -> tuple[bytes, ...]:
        """Return DER of all the values of an unsigned attribute."""
        return tuple(v for each in self.unsigned_attributes if each.oid == oid for v in each.values)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SignedData(Encoded):
    """A CMS message of the type signed-data, fully read.

    Attributes:
        der: The whole ContentInfo in DER; BER input is normalised. What is not read here, such as
            the inside of unknown attributes, may still be BER when all the rest was DER.
        version: Version of the structure.
        digest_algorithms: Algorithms that the signers used.
        content_type: Type of what is signed, usually `oids.DATA`.
        content: What is signed; ``None`` when the signature is detached.
        certificates: Certificates that came along; attribute certificates are skipped.
        crls: Revocation lists that came along.
        ocsp_responses: OCSP answers that came along (RFC 5940).
        signers: The signatures.
    """

    der: bytes
    version: int
    digest_algorithms: tuple[AlgorithmIdentifier, ...]
    content_type: str
    content: bytes | None
    certificates: tuple[Certificate, ...]
    crls: tuple[RevocationList, ...]
    ocsp_responses: tuple[BasicOcspResponse, ...]
    signers: tuple[SignerInfo, ...]


def decode_signed_data(data: bytes, limits: Limits = CMS_LIMITS) -> SignedData:
    """Decode a signature or a time stamp token: ContentInfo with SignedData, DER or BER.

    Raises:
        MalformedError: It is something else.
        BudgetExceeded: It is too large or too complex.
    """
    what = "signed data"
    try:
        return read_signed_data(open_der(what, data, limits))
    except MalformedError:
        # Nearly all files are DER where it is read, and to make sure of it beforehand costs as much
        # as reading.
        return read_signed_data(open_der(what, to_der(what, data, limits), limits))


@attrs.frozen(kw_only=True)
class SignedDataFields:
    """The elements of a ``SignedData`` by name."""

    version: int
    digest_algorithms: Element
    content_type: str
    content: Element | None
    certificates: Element | None
    revocations: Element | None
    signers: Element


def signed_data_fields(element: Element) -> SignedDataFields:
    """Open a ``ContentInfo`` that must hold ``SignedData``."""
    with element.fields() as fields:
        kind = fields.take(OID, "contentType")
        if kind.oid() != oids.SIGNED_DATA:
            raise kind.error("not signed data")
        signed_data = fields.take(constructed(0), "content").only(SEQUENCE, "signedData")
    with signed_data.fields() as fields:
        version = fields.integer("version")
        digests = fields.take(SET, "digestAlgorithms")
        with fields.sequence("encapContentInfo").fields() as content_info:
            content_type = content_info.oid("eContentType")
            content = content_info.maybe(constructed(0), "eContent")
        return SignedDataFields(
            version=version,
            digest_algorithms=digests,
            content_type=content_type,
            content=content,
            certificates=fields.maybe(constructed(0), "certificates"),
            revocations=fields.maybe(constructed(1), "crls"),
            signers=fields.take(SET, "signerInfos"),
        )


def read_signed_data(element: Element) -> SignedData:
    """Read a ``ContentInfo`` that must hold ``SignedData``."""
    fields = signed_data_fields(element)
    # PKCS#7 puts content of other types bare; its contents octets are what is hashed
    tag = OCTET_STRING if fields.content_type == oids.DATA else None
    crls, ocsp_responses = _read_revocations(fields.revocations)
    certificates = fields.certificates
    return SignedData(
        der=element.der,
        version=fields.version,
        digest_algorithms=tuple(
            map(read_algorithm, fields.digest_algorithms.each(SEQUENCE, "digestAlgorithm"))
        ),
        content_type=fields.content_type,
        content=fields.content.only(tag, "content").contents if fields.content else None,
        certificates=tuple(
            read_certificate(each)
            for each in (certificates.each(None, "certificate") if certificates else ())
            if each.tag == SEQUENCE
        ),
        crls=crls,
        ocsp_responses=ocsp_responses,
        signers=tuple(map(_read_signer, fields.signers.each(SEQUENCE, "signerInfo"))),
    )


def _read_revocations(
    element: Element | None,
) -> tuple[tuple[RevocationList, ...], tuple[BasicOcspResponse, ...]]:
    crls: list[RevocationList] = []
    answers: list[BasicOcspResponse] = []
    for each in element.each(None, "revocation") if element else ():
        if each.tag == SEQUENCE:
            crls.append(read_crl(each))
        elif each.tag == constructed(1):
            with each.fields() as fields:
                form, value = fields.oid("otherRevInfoFormat"), fields.take(None, "otherRevInfo")
            if form == oids.OTHER_REVOCATION_OCSP and (basic := read_ocsp_response(value).basic):
                answers.append(basic)
    return tuple(crls), tuple(answers)


def _read_signer(element: Element) -> SignerInfo:
    with element.fields() as fields:
        version = fields.integer("version")
        sid = _read_sid(fields)
        digest = read_algorithm(fields.sequence("digestAlgorithm"))
        signed = fields.maybe(constructed(0), "signedAttrs")
        algorithm = read_algorithm(fields.sequence("signatureAlgorithm"))
        signature = fields.octets("signature")
        unsigned = fields.maybe(constructed(1), "unsignedAttrs")
    signed_attributes, known = _read_signed_attributes(signed)
    return SignerInfo(
        version=version,
        sid=sid,
        digest_algorithm=digest,
        signature_algorithm=algorithm,
        signature=signature,
        signed_attributes=signed_attributes,
        signed_attributes_der=bytes((SET,)) + signed.der[1:] if signed else None,
        unsigned_attributes=read_attributes(unsigned),
        **known,
    )


def _read_sid(fields: Fields) -> IssuerAndSerial | bytes:
    if identifier := fields.maybe(context(0), "subjectKeyIdentifier"):
        return identifier.contents
    return read_issuer_and_serial(fields.sequence("issuerAndSerialNumber"))


def read_issuer_and_serial(element: Element) -> IssuerAndSerial:
    """Read an ``IssuerAndSerialNumber``."""
    with element.fields() as fields:
        return IssuerAndSerial(read_name(fields.sequence("issuer")), fields.integer("serialNumber"))


def read_issuer_serial(element: Element | None) -> tuple[tuple[GeneralName, ...], int | None]:
    """Read an ``IssuerSerial`` of a reference; an absent one is no names and no number."""
    if element is None:
        return (), None
    with element.fields() as fields:
        return read_general_names(fields.sequence("issuer")), fields.integer("serialNumber")


def _read_signed_attributes(
    element: Element | None,
) -> tuple[tuple[Attribute, ...], dict[str, Any]]:
    attributes: list[Attribute] = []
    known: dict[str, Any] = {}
    for each in element.each(SEQUENCE, "attribute") if element else ():
        with each.fields() as fields:
            oid, values = fields.oid("type"), fields.take(SET, "values")
        attributes.append(Attribute(oid, tuple(v.der for v in values.each(None, "value"))))
        if (reader := _ATTRIBUTES.get(oid)) is None:
            continue
        field, tags, read = reader
        if field in known and field != "signing_certificates":
            raise each.error("the same attribute twice")
        with values.fields() as fields:
            value = read(fields.one_of(tags, oids.describe(oid)))
        known[field] = known[field] + value if field in known else value
    return tuple(attributes), known


def _read_signing_certificate(value: Element) -> tuple[EssCertId, ...]:
    return _read_ess(value, oids.SHA1)


def _read_signing_certificate_v2(value: Element) -> tuple[EssCertId, ...]:
    return _read_ess(value, oids.SHA256)


def _read_ess(value: Element, default_hash: str) -> tuple[EssCertId, ...]:
    with value.fields() as fields:
        certificates = fields.sequence("certs")
        fields.maybe(SEQUENCE, "policies")
    references: list[EssCertId] = []
    for each in certificates.each(SEQUENCE, "certID"):
        with each.fields() as fields:
            algorithm = fields.maybe(SEQUENCE, "hashAlgorithm")
            digest = fields.octets("certHash")
            issuer, serial = read_issuer_serial(fields.maybe(SEQUENCE, "issuerSerial"))
        references.append(
            EssCertId(
                hash_oid=read_algorithm(algorithm).oid if algorithm else default_hash,
                digest=digest,
                issuer=issuer,
                serial_number=serial,
            )
        )
    return tuple(references[:1])  # the others are of authorities above (RFC 5035 §5.4)


_ATTRIBUTES: Mapping[str, tuple[str, tuple[int, ...], Callable[[Element], Any]]] = MappingProxyType(
    {
        oids.CONTENT_TYPE: ("content_type", (OID,), Element.oid),
        oids.MESSAGE_DIGEST: ("message_digest", (OCTET_STRING,), lambda value: value.contents),
        oids.SIGNING_TIME: ("signing_time", TIMES, Element.time),
        oids.SIGNING_CERTIFICATE: ("signing_certificates", (SEQUENCE,), _read_signing_certificate),
        oids.SIGNING_CERTIFICATE_V2: (
            "signing_certificates",
            (SEQUENCE,),
            _read_signing_certificate_v2,
        ),
    }
)
