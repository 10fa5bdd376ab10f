"""Algorithms and keys: SubjectPublicKeyInfo and PKCS#8 of GOST (RFC 9215, RFC 5958)."""

from __future__ import annotations

import attrs

from medsign.codec.asn1 import der, oids
from medsign.codec.asn1.door import (
    BIT_STRING,
    INTEGER,
    OCTET_STRING,
    OID,
    Element,
    Limits,
    open_der,
    remembered,
)
from medsign.codec.asn1.encoded import Encoded

KEY_LIMITS = Limits(max_bytes=1 << 16, max_elements=200)

#: Octets of one coordinate, of a scalar and of half a signature, by the algorithm of the key.
GOST_KEY_OCTETS = {oids.GOST_KEY_256: 32, oids.GOST_KEY_512: 64}


@attrs.frozen
class AlgorithmIdentifier:
    """An algorithm and its parameters.

    Attributes:
        oid: The algorithm.
        parameters: DER of the parameters, ``None`` when they are absent.
    """

    oid: str
    parameters: bytes | None = None


@attrs.frozen
class GostKeyInfo:
    """A public key of GOST R 34.10-2012.

    Attributes:
        algorithm_oid: `oids.GOST_KEY_256` or `oids.GOST_KEY_512`.
        param_set_oid: The curve.
        digest_oid: The digest, ``None`` when the key leaves it to the algorithm.
        point: x and y, each little-endian: 64 or 128 octets.
    """

    algorithm_oid: str
    param_set_oid: str
    digest_oid: str | None
    point: bytes = attrs.field(repr=False)


@attrs.frozen(eq=False, repr=False)
class SubjectPublicKeyInfo(Encoded):
    """A public key of any algorithm.

    Attributes:
        der: The whole structure.
        algorithm: The algorithm with its parameters.
        octets: Contents of the bit string; its SHA-1 is the usual key identifier.
        gost: The key itself when it is a key of GOST R 34.10-2012.
    """

    der: bytes
    algorithm: AlgorithmIdentifier
    octets: bytes
    gost: GostKeyInfo | None


@attrs.frozen
class PrivateKeyInfo:
    """An unencrypted private key of GOST R 34.10-2012.

    Attributes:
        algorithm_oid: `oids.GOST_KEY_256` or `oids.GOST_KEY_512`.
        param_set_oid: The curve.
        digest_oid: The digest, ``None`` when the key leaves it to the algorithm.
        secret: The scalar; when there are masks, it must be multiplied by all of them modulo the
            order of the curve's subgroup.
        masks: Masks of a masked key, usually none.
    """

    algorithm_oid: str
    param_set_oid: str
    digest_oid: str | None
    secret: int = attrs.field(repr=False)
    masks: tuple[int, ...] = attrs.field(default=(), repr=False)


@remembered(64)
def read_algorithm(element: Element) -> AlgorithmIdentifier:
    """Read an ``AlgorithmIdentifier``."""
    with element.fields() as fields:
        oid = fields.oid("algorithm")
        return AlgorithmIdentifier(oid, fields.take(None, "parameters").der if fields else None)


def read_spki(element: Element) -> SubjectPublicKeyInfo:
    """Read a ``SubjectPublicKeyInfo``."""
    with element.fields() as fields:
        algorithm = fields.sequence("algorithm")
        key = fields.take(BIT_STRING, "subjectPublicKey")
    identifier, octets = read_algorithm(algorithm), key.bits()
    gost = None
    if identifier.oid in GOST_KEY_OCTETS:
        point = key.only_in_bits(OCTET_STRING, "point").contents
        if len(point) != 2 * GOST_KEY_OCTETS[identifier.oid]:
            raise key.error("a point of the wrong length")
        gost = GostKeyInfo(identifier.oid, *_read_parameters(algorithm), point)
    return SubjectPublicKeyInfo(element.der, identifier, octets, gost)


def decode_spki(data: bytes, limits: Limits = KEY_LIMITS) -> SubjectPublicKeyInfo:
    """Decode a ``SubjectPublicKeyInfo``.

    Raises:
        MalformedError: It is not one, or a GOST key has the wrong length.
        BudgetExceeded: It is too large.
    """
    return read_spki(open_der("public key", data, limits))


def decode_private_key(data: bytes, limits: Limits = KEY_LIMITS) -> PrivateKeyInfo:
    """Decode an unencrypted PKCS#8 key of GOST R 34.10-2012.

    The scalar may be a bare little-endian string (with masks after it or without), the same inside
    an ``OCTET STRING``, or a big-endian ``INTEGER``: implementations differ.

    Raises:
        MalformedError: It is not such a key.
        BudgetExceeded: It is too large.
    """
    with open_der("private key", data, limits).fields() as fields:
        fields.integer("version")
        algorithm = fields.sequence("privateKeyAlgorithm")
        key = fields.take(OCTET_STRING, "privateKey")
        fields.skip()  # attributes and the public key
    oid = read_algorithm(algorithm).oid
    size = GOST_KEY_OCTETS.get(oid)
    if size is None:
        raise algorithm.error("not a GOST R 34.10-2012 key")
    secret, *masks = _read_scalars(key, size)
    return PrivateKeyInfo(oid, *_read_parameters(algorithm), secret, tuple(masks))


def encode_algorithm(algorithm: AlgorithmIdentifier) -> bytes:
    """Encode an ``AlgorithmIdentifier``."""
    return der.sequence(der.oid(algorithm.oid), algorithm.parameters)


def encode_spki(key: GostKeyInfo) -> bytes:
    """Encode a public key of GOST R 34.10-2012.

    Example:
        >>> key = GostKeyInfo("1.2.643.7.1.1.1.1", "1.2.643.2.2.35.1", None, bytes(64))
        >>> decode_spki(encode_spki(key)).gost == key
        True
    """
    return der.sequence(_gost_algorithm(key), der.bits(der.octets(key.point)))


def encode_private_key(key: PrivateKeyInfo) -> bytes:
    """Encode a private key as PKCS#8 with a bare little-endian scalar, as TC26 and OpenSSL do."""
    size = GOST_KEY_OCTETS[key.algorithm_oid]
    scalars = (scalar.to_bytes(size, "little") for scalar in (key.secret, *key.masks))
    return der.sequence(der.integer(0), _gost_algorithm(key), der.octets(b"".join(scalars)))


def _gost_algorithm(key: GostKeyInfo | PrivateKeyInfo) -> bytes:
    digest = der.oid(key.digest_oid) if key.digest_oid else None
    return der.sequence(
        der.oid(key.algorithm_oid), der.sequence(der.oid(key.param_set_oid), digest)
    )


@remembered(64)
def _read_parameters(algorithm: Element) -> tuple[str, str | None]:
    with algorithm.fields() as fields:
        fields.oid("algorithm")
        parameters = fields.sequence("parameters")
    with parameters.fields() as fields:
        param_set = fields.oid("publicKeyParamSet")
        digest = fields.maybe(OID, "digestParamSet")
        fields.maybe(OID, "encryptionParamSet")  # a relic of RFC 4491 that old tools still write
    return param_set, digest.oid() if digest else None


def _read_scalars(key: Element, size: int) -> list[int]:
    contents = key.contents
    if len(contents) % size:
        inner = key.only(None, "scalar")
        if inner.tag == INTEGER:
            return [inner.integer()]
        if inner.tag != OCTET_STRING:
            raise key.error("neither an octet string nor an integer")
        contents = inner.contents
    if not contents or len(contents) % size:
        raise key.error("a scalar of the wrong length")
    return [
        int.from_bytes(contents[at : at + size], "little") for at in range(0, len(contents), size)
    ]
