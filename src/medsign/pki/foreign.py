"""Signatures by algorithms of other countries: RSA, ECDSA and EdDSA, by the extra ``rsa``.

Certificates of foreign time stamp and status services are signed so. Nothing signs with them here.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from medsign.codec.asn1 import AlgorithmIdentifier, SubjectPublicKeyInfo
from medsign.errors import Unavailable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

# SHA-1 and keys of 1024 bits are forged in practice: to them every signature is an unknown one.
_LEAST_RSA_BITS = 2048
_LEAST_CURVE_BITS = 256

#: Pairs of a kind of signature and the name of the digest, by OID (RFC 4055, 5758, 8410).
ALGORITHMS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "1.2.840.113549.1.1.11": ("rsa", "SHA256"),
        "1.2.840.113549.1.1.12": ("rsa", "SHA384"),
        "1.2.840.113549.1.1.13": ("rsa", "SHA512"),
        "1.2.840.10045.4.3.2": ("ecdsa", "SHA256"),
        "1.2.840.10045.4.3.3": ("ecdsa", "SHA384"),
        "1.2.840.10045.4.3.4": ("ecdsa", "SHA512"),
        "1.3.101.112": ("eddsa", ""),
        "1.3.101.113": ("eddsa", ""),
    }
)
_INSTALL = "pip install 'medsign[rsa]'"


def remedy(algorithm: AlgorithmIdentifier) -> str:
    """Return what to install so that an algorithm is supported; empty when nothing helps.

    Example:
        >>> remedy(AlgorithmIdentifier("1.2.840.10040.4.3"))
        ''
    """
    missing = importlib.util.find_spec("cryptography") is None
    return _INSTALL if missing and algorithm.oid in ALGORITHMS else ""


def verify_foreign(
    key: SubjectPublicKeyInfo, algorithm: AlgorithmIdentifier, signed: bytes, signature: bytes
) -> bool:
    """Tell whether a signature over octets is good.

    Args:
        key: The key of the signer's certificate.
        algorithm: The algorithm named beside the signature.
        signed: What was signed.
        signature: The value, in the encoding of its algorithm.

    Raises:
        Unavailable: The algorithm or the key is none of those that are checked, or the extra
            ``rsa`` is not installed.
    """
    if algorithm.oid not in ALGORITHMS:
        raise Unavailable(f"signatures by {algorithm.oid}", "nothing: they are not supported")
    try:
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
        from cryptography.hazmat.primitives.serialization import load_der_public_key
    except ImportError:
        raise Unavailable(f"signatures by {algorithm.oid}", _INSTALL) from None
    kind, name = ALGORITHMS[algorithm.oid]

    def hashing() -> HashAlgorithm:
        return cast("HashAlgorithm", getattr(hashes, name)())

    try:
        public = load_der_public_key(key.der)
    except ValueError:
        return False
    except UnsupportedAlgorithm:
        raise Unavailable(f"keys of {key.algorithm.oid}", "nothing: not supported") from None
    try:
        match kind, public:
            case "rsa", rsa.RSAPublicKey() if public.key_size >= _LEAST_RSA_BITS:
                public.verify(signature, signed, padding.PKCS1v15(), hashing())
            case "ecdsa", ec.EllipticCurvePublicKey() if public.key_size >= _LEAST_CURVE_BITS:
                public.verify(signature, signed, ec.ECDSA(hashing()))
            case "eddsa", ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
                public.verify(signature, signed)
            case _:
                raise Unavailable(f"keys of {key.algorithm.oid} here", "nothing: not supported")
    except InvalidSignature:
        return False
    return True
