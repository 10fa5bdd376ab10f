"""Parameters of RSASSA-PSS (RFC 4055 §3.1)."""

from __future__ import annotations

import attrs

from medsign.codec.asn1 import oids
from medsign.codec.asn1.der import null
from medsign.codec.asn1.door import (
    INTEGER,
    SEQUENCE,
    Element,
    Fields,
    Limits,
    constructed,
    open_der,
)
from medsign.codec.asn1.keys import read_algorithm

MGF1 = "1.2.840.113549.1.1.8"
_LIMITS = Limits(max_bytes=1 << 10, max_elements=50)


@attrs.frozen(kw_only=True)
class PssParameters:
    """How a message is padded before RSA signs it; the defaults are those of the standard.

    Attributes:
        hash_oid: The digest of the message.
        mask_oid: The mask generation function.
        mask_hash_oid: The digest inside it.
        salt_length: Octets of salt.
        trailer: 1 for the trailer 0xBC; nothing else is defined.
    """

    hash_oid: str = oids.SHA1
    mask_oid: str = MGF1
    mask_hash_oid: str = oids.SHA1
    salt_length: int = 20
    trailer: int = 1


def decode_pss_parameters(data: bytes, limits: Limits = _LIMITS) -> PssParameters:
    """Decode ``RSASSA-PSS-params``.

    Raises:
        MalformedError: They are something else.
        BudgetExceeded: They are too large.

    Example:
        >>> decode_pss_parameters(bytes.fromhex("3000")).salt_length
        20
    """
    found = PssParameters()
    with open_der("RSASSA-PSS parameters", data, limits).fields() as fields:
        if hashing := fields.maybe(constructed(0), "hashAlgorithm"):
            found = attrs.evolve(found, hash_oid=_digest(hashing.only(SEQUENCE, "hash")))
        if masking := fields.maybe(constructed(1), "maskGenAlgorithm"):
            with masking.only(SEQUENCE, "maskGen").fields() as inner:
                mask = inner.oid("algorithm")
                hashed = _digest(inner.sequence("parameters"))
            found = attrs.evolve(found, mask_oid=mask, mask_hash_oid=hashed)
        salt = _number(fields, 2, "saltLength", found.salt_length)
        trailer = _number(fields, 3, "trailerField", found.trailer)
    return attrs.evolve(found, salt_length=salt, trailer=trailer)


def _digest(element: Element) -> str:
    algorithm = read_algorithm(element)
    # No signature covers these octets: what means nothing must not be free to change (§2.1).
    if algorithm.parameters not in (None, null()):
        raise element.error("a digest with parameters")
    return algorithm.oid


def _number(fields: Fields, number: int, name: str, default: int) -> int:
    wrapped = fields.maybe(constructed(number), name)
    return wrapped.only(INTEGER, name).integer() if wrapped else default
