"""CMS for the owner of a key: EnvelopedData with an agreed key (RFC 5652 §6, RFC 9548 §4.1).

Only the kind that key files have: sender and recipient are named by their certificates.
"""

from __future__ import annotations

import attrs

from medsign.codec.asn1 import der, oids
from medsign.codec.asn1.cms import IssuerAndSerial
from medsign.codec.asn1.door import (
    INTEGER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    Element,
    constructed,
    context,
    open_der,
)
from medsign.codec.asn1.keys import (
    KEY_LIMITS,
    AlgorithmIdentifier,
    encode_algorithm,
    read_algorithm,
)
from medsign.codec.asn1.names import read_name
from medsign.codec.asn1.x509 import Certificate, read_certificate

_WHAT = "content for the owner of a key"


@attrs.frozen(kw_only=True)
class Recipient:
    """How one owner gets the key of the content.

    Attributes:
        sender: Whose key his own agrees with.
        owner: Whose key it takes.
        ukm: What makes the agreed key different each time.
        algorithm: How the key of the content is hidden.
        hidden: The hidden key of the content.
    """

    sender: IssuerAndSerial
    owner: IssuerAndSerial
    ukm: bytes
    algorithm: AlgorithmIdentifier
    hidden: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Envelope:
    """Octets for the owners of some keys.

    Attributes:
        certificates: Those that came along, the sender's among them.
        recipients: Who can open it.
        algorithm: How the content is hidden.
        octets: The hidden content.
    """

    certificates: tuple[Certificate, ...]
    recipients: tuple[Recipient, ...]
    algorithm: AlgorithmIdentifier
    octets: bytes = attrs.field(repr=False)


def read_envelope(element: Element) -> Envelope:
    """Read an ``EnvelopedData``; recipients of other kinds are left out."""
    with element.fields() as fields:
        fields.integer("version")
        originator = fields.maybe(constructed(0), "originatorInfo")
        recipients = fields.take(SET, "recipientInfos")
        content = fields.sequence("encryptedContentInfo")
        fields.skip()  # unprotected attributes
    with content.fields() as fields:
        fields.oid("contentType")
        algorithm = read_algorithm(fields.sequence("contentEncryptionAlgorithm"))
        octets = fields.take(context(0), "encryptedContent").contents
    return Envelope(
        certificates=_certificates(originator) if originator else (),
        recipients=tuple(
            each
            for info in recipients.each(None, "recipient")
            if info.tag == constructed(1)
            for each in _recipients(info)
        ),
        algorithm=algorithm,
        octets=octets,
    )


def _certificates(originator: Element) -> tuple[Certificate, ...]:
    with originator.fields() as fields:
        listed = fields.maybe(constructed(0), "certs")
        fields.skip()  # revocation lists
    if listed is None:
        return ()
    return tuple(
        read_certificate(each) for each in listed.each(None, "certificate") if each.tag == SEQUENCE
    )


def _recipients(info: Element) -> list[Recipient]:
    with info.fields() as fields:
        fields.integer("version")
        sender = fields.take(constructed(0), "originator").only(None, "sender")
        ukm = fields.take(constructed(1), "ukm").only(OCTET_STRING, "ukm").contents
        algorithm = read_algorithm(fields.sequence("keyEncryptionAlgorithm"))
        keys = fields.sequence("recipientEncryptedKeys")
    found: list[Recipient] = []
    for key in keys.each(SEQUENCE, "recipientEncryptedKey"):
        with key.fields() as fields:
            owner = fields.take(None, "rid")
            hidden = fields.octets("encryptedKey")
        if owner.tag == sender.tag == SEQUENCE:
            found.append(
                Recipient(
                    sender=_owner(sender),
                    owner=_owner(owner),
                    ukm=ukm,
                    algorithm=algorithm,
                    hidden=hidden,
                )
            )
    return found


def _owner(element: Element) -> IssuerAndSerial:
    with element.fields() as fields:
        issuer = read_name(fields.sequence("issuer"))
        return IssuerAndSerial(issuer, fields.take(INTEGER, "serialNumber").integer())


def encode_envelope(envelope: Envelope) -> bytes:
    """Encode an ``EnvelopedData``: what `read_envelope` reads."""
    ways = [
        der.tlv(
            constructed(1),
            der.integer(3),
            der.explicit(0, _encoded(way.sender)),
            der.explicit(1, der.octets(way.ukm)),
            encode_algorithm(way.algorithm),
            der.sequence(der.sequence(_encoded(way.owner), der.octets(way.hidden))),
        )
        for way in envelope.recipients
    ]
    certificates = der.tlv(constructed(0), *(each.der for each in envelope.certificates))
    content = der.sequence(
        der.oid(oids.DATA),
        encode_algorithm(envelope.algorithm),
        der.implicit(0, der.octets(envelope.octets)),
    )
    return der.sequence(
        der.integer(2), der.tlv(constructed(0), certificates), der.set_of(ways), content
    )


def decode_nonce(algorithm: AlgorithmIdentifier) -> bytes:
    """Decode the ``ukm`` of a cipher (RFC 9337 §7.3).

    Raises:
        MalformedError: It is something else.
    """
    with open_der(_WHAT, algorithm.parameters or b"", KEY_LIMITS).fields() as fields:
        return fields.octets("ukm")


def with_nonce(oid: str, nonce: bytes) -> AlgorithmIdentifier:
    """Return a cipher with its ``ukm``: what `decode_nonce` reads."""
    return AlgorithmIdentifier(oid, der.sequence(der.octets(nonce)))


def with_agreement(oid: str, agreement_oid: str) -> AlgorithmIdentifier:
    """Return a way to hide keys under an agreed key (RFC 9548 §4.1)."""
    return AlgorithmIdentifier(oid, der.sequence(der.oid(agreement_oid)))


def _encoded(owner: IssuerAndSerial) -> bytes:
    return der.sequence(owner.issuer.der, der.integer(owner.serial_number))
