"""What time stamps of a signature cover, octet for octet (ETSI EN 319 122-1 5.5 and A.1.5)."""

from __future__ import annotations

from medsign.codec.asn1 import SignerInfo, der, oids
from medsign.codec.asn1.door import SET

_UNDER_EVIDENCE_STAMP = (oids.SIGNATURE_TIME_STAMP, oids.CERTIFICATE_REFS, oids.REVOCATION_REFS)


def under_evidence_stamp(signer: SignerInfo) -> bytes:
    """Return what the CAdES-C time stamp covers: the value, its stamp and the references.

    Of each attribute the type and the set of values are taken, without the SEQUENCE around them.
    """
    return b"".join(
        (
            signer.signature,
            *(
                der.oid(oid) + der.tlv(SET, *each.values)
                for oid in _UNDER_EVIDENCE_STAMP
                for each in signer.unsigned_attributes
                if each.oid == oid
            ),
        )
    )
