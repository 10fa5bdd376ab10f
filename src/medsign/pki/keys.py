"""Keys between their encodings and the objects that compute (RFC 9215 §4, RFC 5958)."""

from __future__ import annotations

from functools import lru_cache

from medsign.codec.asn1 import (
    GostKeyInfo,
    PrivateKeyInfo,
    SubjectPublicKeyInfo,
    decode_spki,
    encode_private_key,
    encode_spki,
    oids,
)
from medsign.errors import InvalidKey, Unavailable, UsageError
from medsign.gost import ParamSet, PrivateKey, PublicKey, param_set

_SIZES = {32: oids.GOST_KEY_256, 64: oids.GOST_KEY_512}
_CRYPTOPRO = "1.2.643.2.2."


# The same few keys come back within a file and from file to file. What fails is not remembered.
@lru_cache(maxsize=1024)
def public_key(info: SubjectPublicKeyInfo) -> PublicKey:
    """Return the key of a certificate or a request, checked.

    Raises:
        Unavailable: It is no key of GOST R 34.10-2012, or its curve is not known.
        InvalidKey: The point fails its checks, or the curve is of another length.
    """
    if info.gost is None:
        raise Unavailable(f"keys of the algorithm {info.algorithm.oid} (GOST keys only)")
    params = _params(info.gost)
    return PublicKey.from_octets(params, info.gost.point)


def public_key_info(key: PublicKey) -> bytes:
    """Return DER of the SubjectPublicKeyInfo.

    The digest is named for the curves of CryptoPro only: there it must be, for all the others it
    should be left out (RFC 9215 §4.2).

    Example:
        >>> from medsign.codec.asn1 import decode_spki
        >>> key = PrivateKey(param_set("1.2.643.7.1.2.1.1.1"), 7).public_key()
        >>> public_key(decode_spki(public_key_info(key))) == key
        True
    """
    params = key.params
    return encode_spki(
        GostKeyInfo(_SIZES[params.size], params.oid, _digest_oid(params), key.to_octets())
    )


def key_octets(key: PublicKey) -> bytes:
    """Return what key identifiers are made of: the contents of the key's bit string."""
    return decode_spki(public_key_info(key)).octets


def private_key(info: PrivateKeyInfo) -> PrivateKey:
    """Return the key of a PKCS#8 file; masks are taken off.

    Raises:
        Unavailable: The curve is not known.
        InvalidKey: The number is outside [1, q), or the curve is of another length.
    """
    params = _params(info)
    secret = info.secret
    for mask in info.masks:
        secret = secret * mask % params.q
    return PrivateKey(params, secret)


def private_key_info(key: PrivateKey) -> bytes:
    """Return DER of the unencrypted PKCS#8 key, as OpenSSL reads it. It is the secret itself.

    Example:
        >>> from medsign.codec.asn1 import decode_private_key
        >>> key = PrivateKey(param_set("1.2.643.7.1.2.1.1.1"), 7)
        >>> private_key(decode_private_key(private_key_info(key))).value
        7
    """
    params = key.params
    return encode_private_key(
        PrivateKeyInfo(_SIZES[params.size], params.oid, _digest_oid(params), key.value)
    )


def _digest_oid(params: ParamSet) -> str | None:
    return params.digest.oid if params.oid.startswith(_CRYPTOPRO) else None


def _params(info: GostKeyInfo | PrivateKeyInfo) -> ParamSet:
    try:
        params = param_set(info.param_set_oid)
    except UsageError:
        raise Unavailable(f"the curve {info.param_set_oid}") from None
    if info.algorithm_oid != _SIZES[params.size]:
        raise InvalidKey(f"{params.name} does not belong to keys of {info.algorithm_oid}")
    return params
