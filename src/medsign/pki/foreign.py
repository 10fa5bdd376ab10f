"""Signatures by algorithms of other countries: RSA, ECDSA and EdDSA, by the extra ``rsa``.

Services of time stamps and statuses abroad sign so, and so do people with whom clinics exchange
documents. Nothing signs with them here.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, cast

import attrs

from medsign.codec.asn1 import AlgorithmIdentifier, SubjectPublicKeyInfo, der, oids
from medsign.codec.asn1.pss import MGF1, PssParameters, decode_pss_parameters
from medsign.errors import BudgetExceeded, MalformedError, MissingExtra, Unavailable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

Kind = Literal["rsa", "pss", "ecdsa", "eddsa"]

# Keys of 1024 bits are factored in practice: to them every signature is an unknown one.
_LEAST_RSA_BITS = 2048
_LEAST_CURVE_BITS = 256
_LONGEST_SALT = 2048  # no key of RSA has room for more

RSA_KEY = "1.2.840.113549.1.1.1"
RSA_PSS = "1.2.840.113549.1.1.10"
CURVE_KEY = "1.2.840.10045.2.1"
ED25519 = "1.3.101.112"
ED448 = "1.3.101.113"

#: Digests by their OID, in the words of ``cryptography``.
HASHES: Mapping[str, str] = MappingProxyType(
    {oids.SHA1: "SHA1", oids.SHA256: "SHA256", oids.SHA384: "SHA384", oids.SHA512: "SHA512"}
)
# RFC 3370, 4055, 5758, 8410.
_WITH_DIGEST: Mapping[str, tuple[Kind, str]] = MappingProxyType(
    {
        "1.2.840.113549.1.1.5": ("rsa", oids.SHA1),
        "1.2.840.113549.1.1.11": ("rsa", oids.SHA256),
        "1.2.840.113549.1.1.12": ("rsa", oids.SHA384),
        "1.2.840.113549.1.1.13": ("rsa", oids.SHA512),
        "1.2.840.10045.4.1": ("ecdsa", oids.SHA1),
        "1.2.840.10045.4.3.2": ("ecdsa", oids.SHA256),
        "1.2.840.10045.4.3.3": ("ecdsa", oids.SHA384),
        "1.2.840.10045.4.3.4": ("ecdsa", oids.SHA512),
        ED25519: ("eddsa", ""),
        ED448: ("eddsa", ""),
    }
)
# In a CMS the digest may be named beside the algorithm of the key (RFC 3370 §3.2).
_BARE: Mapping[str, Kind] = MappingProxyType({RSA_KEY: "rsa", CURVE_KEY: "ecdsa"})

#: Identifiers of signatures, of keys and of digests that are checked here.
ALGORITHMS = frozenset({*_WITH_DIGEST, *_BARE, *HASHES, RSA_PSS})
#: Those of them with SHA-1.
WEAK = frozenset(
    {oids.SHA1, *(oid for oid, (_, used) in _WITH_DIGEST.items() if used == oids.SHA1)}
)


@attrs.frozen
class Scheme:
    """How a signature is made.

    Attributes:
        kind: The family.
        digest_oid: How what is signed is hashed; empty where the family settles it.
        salt_length: Octets of salt; only of ``pss``.
    """

    kind: Kind
    digest_oid: str
    salt_length: int = 0

    @property
    def is_weak(self) -> bool:
        """Whether its digest is SHA-1: two documents can be made to share a signature."""
        return self.digest_oid == oids.SHA1


def scheme_of(algorithm: AlgorithmIdentifier, digest_oid: str = "") -> Scheme | None:
    """Return how an algorithm signs, ``None`` when it is none of those that are checked.

    Args:
        algorithm: The algorithm named beside the signature.
        digest_oid: The digest that a CMS names, for algorithms that leave it open.

    Example:
        >>> scheme_of(AlgorithmIdentifier("1.2.840.113549.1.1.11")).kind
        'rsa'
        >>> scheme_of(AlgorithmIdentifier("1.2.840.113549.1.1.1")) is None
        True
    """
    if algorithm.oid == RSA_PSS:
        return _pss(algorithm.parameters)
    if algorithm.oid in _BARE and digest_oid in HASHES:
        return Scheme(_BARE[algorithm.oid], digest_oid)
    named = _WITH_DIGEST.get(algorithm.oid)
    return Scheme(*named) if named else None


def _pss(parameters: bytes | None) -> Scheme | None:
    """Read the parameters of PSS: one digest for all, and the only trailer there is (RFC 8017)."""
    read = _parameters(parameters)
    if read is None or read.hash_oid not in HASHES:
        return None
    if (read.mask_oid, read.mask_hash_oid, read.trailer) != (MGF1, read.hash_oid, 1):
        return None
    fits = 0 <= read.salt_length <= _LONGEST_SALT
    return Scheme("pss", read.hash_oid, read.salt_length) if fits else None


def _parameters(encoded: bytes | None) -> PssParameters | None:
    try:
        return decode_pss_parameters(encoded) if encoded else None
    except (MalformedError, BudgetExceeded):
        return None


def remedy(algorithm: AlgorithmIdentifier) -> str:
    """Return what to install so that an algorithm is supported; empty when nothing helps.

    Example:
        >>> remedy(AlgorithmIdentifier("1.2.840.10040.4.3"))
        ''
    """
    missing = importlib.util.find_spec("cryptography") is None
    return "pip install 'medsign[rsa]'" if missing and algorithm.oid in ALGORITHMS else ""


def verify_foreign(
    key: SubjectPublicKeyInfo,
    algorithm: AlgorithmIdentifier,
    signed: bytes,
    signature: bytes,
    *,
    digest_oid: str = "",
    weak: bool = False,
) -> bool:
    """Tell whether a signature over octets is good.

    Args:
        key: The key of the signer's certificate.
        algorithm: The algorithm named beside the signature.
        signed: What was signed.
        signature: The value, in the encoding of its algorithm.
        digest_oid: The digest that a CMS names, for algorithms that leave it open.
        weak: Whether to check signatures with SHA-1 too: the caller judges by `Scheme.is_weak`.

    Raises:
        Unavailable: The algorithm or the key is none of those that are checked, or the extra
            ``rsa`` is not installed.
    """
    scheme = scheme_of(algorithm, digest_oid)
    if scheme is None or (scheme.is_weak and not weak) or not _lets(key, scheme):
        raise Unavailable(f"signatures by {algorithm.oid}")
    try:
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
        from cryptography.hazmat.primitives.serialization import load_der_public_key
    except ImportError:
        raise MissingExtra(f"the check of signatures by {algorithm.oid}", "rsa") from None

    def hashing() -> HashAlgorithm:
        return cast("HashAlgorithm", getattr(hashes, HASHES[scheme.digest_oid])())

    try:
        public = load_der_public_key(_plain(key))
    except ValueError:
        return False
    except UnsupportedAlgorithm:
        raise Unavailable(f"keys of {key.algorithm.oid}") from None
    try:
        match scheme.kind, public:
            case "rsa", rsa.RSAPublicKey() if public.key_size >= _LEAST_RSA_BITS:
                public.verify(signature, signed, padding.PKCS1v15(), hashing())
            case "pss", rsa.RSAPublicKey() if public.key_size >= _LEAST_RSA_BITS:
                pss = padding.PSS(padding.MGF1(hashing()), scheme.salt_length)
                public.verify(signature, signed, pss, hashing())
            case "ecdsa", ec.EllipticCurvePublicKey() if public.key_size >= _LEAST_CURVE_BITS:
                public.verify(signature, signed, ec.ECDSA(hashing()))
            case "eddsa", ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
                public.verify(signature, signed)
            case _:
                raise Unavailable(f"keys of {key.algorithm.oid} here")
    except InvalidSignature:
        return False
    return True


def _plain(key: SubjectPublicKeyInfo) -> bytes:
    """Return DER of a key, one for PSS alone as any of RSA: its limits are for `_lets` to keep."""
    if key.algorithm.oid != RSA_PSS:
        return key.der
    return der.sequence(der.sequence(der.oid(RSA_KEY), der.null()), der.bits(key.octets))


def _lets(key: SubjectPublicKeyInfo, scheme: Scheme) -> bool:
    """Tell whether a key that is for PSS alone lets itself be used so (RFC 4055 §1.2, §3.3)."""
    if key.algorithm.oid != RSA_PSS:
        return True
    if key.algorithm.parameters is None:
        return scheme.kind == "pss"
    own = _pss(key.algorithm.parameters)
    return (
        own is not None
        and (own.kind, own.digest_oid) == (scheme.kind, scheme.digest_oid)
        and own.salt_length <= scheme.salt_length
    )
