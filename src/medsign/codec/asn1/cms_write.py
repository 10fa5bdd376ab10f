"""Signed data, writing (RFC 5652, 5035)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from medsign.codec.asn1 import der, oids
from medsign.codec.asn1.ber import to_der
from medsign.codec.asn1.cms import (
    CMS_LIMITS,
    EssCertId,
    IssuerAndSerial,
    SignerInfo,
    signed_data_fields,
)
from medsign.codec.asn1.door import SEQUENCE, SET, Element, Limits, constructed, context, open_der
from medsign.codec.asn1.keys import AlgorithmIdentifier, encode_algorithm
from medsign.codec.asn1.names import encode_general_name
from medsign.codec.asn1.x509 import Attribute, encode_attribute
from medsign.errors import UsageError


def encode_signed_attributes(
    *,
    content_type: str,
    message_digest: bytes,
    signing_time: datetime | None = None,
    signing_certificate: EssCertId | None = None,
    others: Iterable[Attribute] = (),
) -> bytes:
    """Encode the signed attributes: the bytes to be hashed and signed.

    Args:
        content_type: Type of the content, usually `oids.DATA`.
        message_digest: Digest of the content.
        signing_time: When, by the signer's clock; aware.
        signing_certificate: The signer's certificate; the attribute's second version is written.
        others: Further attributes.

    Returns:
        DER of a ``SET OF Attribute``, for `SignerInfo.signed_attributes_der`.

    Raises:
        UsageError: The moment has no time zone.
    """
    attributes = [
        Attribute(oids.CONTENT_TYPE, (der.oid(content_type),)),
        Attribute(oids.MESSAGE_DIGEST, (der.octets(message_digest),)),
    ]
    if signing_time is not None:
        attributes.append(Attribute(oids.SIGNING_TIME, (der.time(signing_time),)))
    if signing_certificate is not None:
        value = der.sequence(der.sequence(_ess_cert_id(signing_certificate)))
        attributes.append(Attribute(oids.SIGNING_CERTIFICATE_V2, (value,)))
    return der.set_of(encode_attribute(each) for each in (*attributes, *others))


def encode_signed_data(
    signers: Iterable[SignerInfo],
    *,
    content: bytes | None,
    content_type: str = oids.DATA,
    certificates: Iterable[bytes] = (),
    crls: Iterable[bytes] = (),
) -> bytes:
    """Encode a ContentInfo with SignedData.

    Args:
        signers: The signatures. Of the attributes ``signed_attributes_der`` and
            ``unsigned_attributes`` are written.
        content: What is signed; ``None`` for a detached signature.
        content_type: Its type.
        certificates: DER of certificates to send along.
        crls: DER of revocation lists to send along.
    """
    signers = tuple(signers)
    digests = {encode_algorithm(each.digest_algorithm) for each in signers}
    later = content_type != oids.DATA or any(each.version == 3 for each in signers)
    return der.sequence(
        der.oid(oids.SIGNED_DATA),
        der.explicit(
            0,
            der.sequence(
                der.integer(3 if later else 1),
                der.set_of(digests),
                der.sequence(
                    der.oid(content_type),
                    None if content is None else der.explicit(0, der.octets(content)),
                ),
                _tagged_set(0, certificates),
                _tagged_set(1, crls),
                der.set_of(map(_signer_info, signers)),
            ),
        ),
    )


def add_unsigned_attribute(
    signed_data: bytes, signer_index: int, attribute: Attribute, limits: Limits = CMS_LIMITS
) -> bytes:
    """Add an unsigned attribute, a time stamp for instance, to one of the signatures.

    Everything else stays octet for octet, only the lengths around it grow. BER input is first
    normalised to DER.

    Args:
        signed_data: The ContentInfo.
        signer_index: Which of `SignedData.signers`.
        attribute: What to add, after the attributes that are there.
        limits: How much work it may cost.

    Raises:
        MalformedError: The input is no signed data.
        BudgetExceeded: It is too large.
        UsageError: There is no such signature.
    """
    *_, last = _signer(signed_data, signer_index, limits).each(None, "field")
    added = encode_attribute(attribute)
    if last.tag == constructed(1):
        return last.replaced(der.tlv(last.tag, last.contents, added))
    return last.replaced(last.der + der.tlv(constructed(1), added))


def replace_unsigned_value(
    signed_data: bytes, signer_index: int, old: bytes, new: bytes, limits: Limits = CMS_LIMITS
) -> bytes:
    """Put one value of an unsigned attribute in place of another, say a longer time stamp.

    Args:
        signed_data: The ContentInfo.
        signer_index: Which of `SignedData.signers`.
        old: DER of the value that is there.
        new: DER of the other one.
        limits: How much work it may cost.

    Raises:
        MalformedError: The input is no signed data.
        BudgetExceeded: It is too large.
        UsageError: There is no such signature, or no such value in it.
    """
    *_, last = _signer(signed_data, signer_index, limits).each(None, "field")
    for attribute in last.each(SEQUENCE, "attribute") if last.tag == constructed(1) else ():
        with attribute.fields() as fields:
            fields.oid("type")
            for value in fields.take(SET, "values").each(None, "value"):
                if value.der == old:
                    return value.replaced(new)
    raise UsageError("the signature has no such unsigned attribute")


def encode_issuer_serial(reference: EssCertId) -> bytes | None:
    """Encode the ``IssuerSerial`` of a reference, ``None`` when it has none."""
    if reference.serial_number is None:
        return None
    issuer = der.sequence(*map(encode_general_name, reference.issuer))
    return der.sequence(issuer, der.integer(reference.serial_number))


def _signer(signed_data: bytes, index: int, limits: Limits) -> Element:
    root = open_der("signed data", to_der("signed data", signed_data, limits), limits)
    signers = list(signed_data_fields(root).signers.each(SEQUENCE, "signerInfo"))
    if not 0 <= index < len(signers):
        raise UsageError(f"there is no signature number {index}")
    return signers[index]


def _signer_info(signer: SignerInfo) -> bytes:
    signed = signer.signed_attributes_der
    unsigned = map(encode_attribute, signer.unsigned_attributes)
    return der.sequence(
        der.integer(signer.version),
        _sid(signer.sid),
        encode_algorithm(signer.digest_algorithm),
        None if signed is None else bytes((constructed(0),)) + signed[1:],
        encode_algorithm(signer.signature_algorithm),
        der.octets(signer.signature),
        _tagged_set(1, unsigned, ordered=False),
    )


def _sid(sid: IssuerAndSerial | bytes) -> bytes:
    if isinstance(sid, bytes):
        return der.tlv(context(0), sid)
    return der.sequence(sid.issuer.der, der.integer(sid.serial_number))


def _tagged_set(number: int, parts: Iterable[bytes], *, ordered: bool = True) -> bytes | None:
    listed = sorted(parts) if ordered else list(parts)
    return der.tlv(constructed(number), *listed) if listed else None


def _ess_cert_id(reference: EssCertId) -> bytes:
    # SHA-256 is the default of the field, and DER leaves defaults out (RFC 5035 4).
    algorithm = (
        None
        if reference.hash_oid == oids.SHA256
        else encode_algorithm(AlgorithmIdentifier(reference.hash_oid))
    )
    return der.sequence(algorithm, der.octets(reference.digest), encode_issuer_serial(reference))
