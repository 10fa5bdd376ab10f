"""Countersignatures: signatures on the value of another signature (RFC 5652 11.4)."""

from __future__ import annotations

from datetime import datetime

import attrs

from medsign.cms.sign import signer_of
from medsign.codec.asn1 import (
    AlgorithmIdentifier,
    Attribute,
    IssuerAndSerial,
    SignedData,
    SignerInfo,
    add_unsigned_attribute,
    decode_signed_data,
    der,
    encode_signed_attributes,
    encode_signed_data,
    oids,
)
from medsign.codec.asn1.cms import CMS_LIMITS, signed_data_fields
from medsign.codec.asn1.door import SEQUENCE, SET, constructed, open_der
from medsign.gost import Provider, digest
from medsign.pki.signed import certificate_reference
from medsign.pki.signing import Signer, sign, signature_algorithm


def countersign(
    signature: bytes,
    signer: Signer,
    *,
    at: datetime,
    signer_index: int = 0,
    provider: Provider | None = None,
) -> bytes:
    """Sign a signature, as one who confirms that it was made; the document is not needed.

    Args:
        signature: DER or BER of the signed message.
        signer: The key with its certificate, which is sent along.
        at: When, by the signer's clock; aware.
        signer_index: Which of the signatures is confirmed.
        provider: Who hashes; by default `medsign.gost.default_provider`.

    Raises:
        MalformedError: It is no signed message.
        UsageError: There is no such signature, or the moment has no time zone.
    """
    value = signer_of(signature, signer_index).signature
    hashing, certificate = signer.digest_algorithm, signer.certificate
    hashed = digest(hashing, value, provider=provider)
    attributes = encode_signed_attributes(
        content_type=oids.DATA,
        message_digest=hashed,
        signing_time=at,
        signing_certificate=certificate_reference(certificate, hashing.oid, provider=provider),
    )
    # Who countersigns must not name a type of content: there is none.
    kept = open_der("attributes", attributes, CMS_LIMITS, SET).each(SEQUENCE, "attribute")
    typed = der.oid(oids.CONTENT_TYPE)
    untyped = der.set_of(each.der for each in kept if not each.contents.startswith(typed))
    info = SignerInfo(
        version=1,
        sid=IssuerAndSerial(certificate.issuer, certificate.serial_number),
        digest_algorithm=AlgorithmIdentifier(hashing.oid),
        signature_algorithm=signature_algorithm(signer),
        signature=sign(signer, untyped, provider=provider),
        signed_attributes_der=untyped,
    )
    whole = open_der("message", encode_signed_data([info], content=None), CMS_LIMITS)
    (added,) = signed_data_fields(whole).signers.each(SEQUENCE, "signerInfo")
    attribute = Attribute(oids.COUNTERSIGNATURE, (added.der,))
    return _with_certificate(
        add_unsigned_attribute(signature, signer_index, attribute), certificate.der
    )


def as_message(countersignature: bytes, value: bytes) -> SignedData:
    """Return a countersignature as a message of its own whose content is the value it signs.

    Args:
        countersignature: DER of the SignerInfo.
        value: Value of the signature that it is on.

    Raises:
        MalformedError: It is no SignerInfo.
        BudgetExceeded: It is too large.
    """
    wrapped = encode_signed_data([], content=value)
    signers = signed_data_fields(open_der("message", wrapped, CMS_LIMITS)).signers
    message = decode_signed_data(signers.replaced(der.set_of([countersignature])))
    (signer,) = message.signers
    return attrs.evolve(
        message,
        version=3 if signer.version == 3 else 1,
        digest_algorithms=(signer.digest_algorithm,),
        signers=(_typed(signer),),
    )


def _typed(signer: SignerInfo) -> SignerInfo:
    """Return a countersignature with the type that it must not name itself."""
    named = signer.content_type is not None
    return attrs.evolve(signer, content_type=oids.COUNTERSIGNATURE if named else oids.DATA)


def _with_certificate(signature: bytes, certificate: bytes) -> bytes:
    message = decode_signed_data(signature)
    if any(each.der == certificate for each in message.certificates):
        return signature
    fields = signed_data_fields(open_der("message", message.der, CMS_LIMITS))
    if fields.certificates is not None:
        present = [each.der for each in fields.certificates.each(None, "certificate")]
        return fields.certificates.replaced(
            der.tlv(constructed(0), *sorted([*present, certificate]))
        )
    following = fields.revocations or fields.signers
    return following.replaced(der.tlv(constructed(0), certificate) + following.der)
