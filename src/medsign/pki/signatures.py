"""Digests by their OID, and signatures checked with the key of a certificate."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from medsign.codec.asn1 import AlgorithmIdentifier, SubjectPublicKeyInfo, oids
from medsign.errors import InvalidKey, Unavailable, UsageError
from medsign.gost import DigestAlgorithm, Provider, default_provider, digest, digest_file
from medsign.gost.once import verify_once
from medsign.pki.foreign import verify_foreign
from medsign.pki.keys import public_key
from medsign.pki.problems import ProblemCode

_FOREIGN_HASHES: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        oids.SHA1: partial(hashlib.sha1, usedforsecurity=False),
        oids.SHA256: hashlib.sha256,
        oids.SHA384: hashlib.sha384,
        oids.SHA512: hashlib.sha512,
    }
)

# Real signatures name the algorithm of the key where that of the signature belongs.
_DIGESTS: Mapping[str, DigestAlgorithm] = MappingProxyType(
    {
        oids.GOST_SIGNATURE_256: DigestAlgorithm.STREEBOG_256,
        oids.GOST_KEY_256: DigestAlgorithm.STREEBOG_256,
        oids.GOST_SIGNATURE_512: DigestAlgorithm.STREEBOG_512,
        oids.GOST_KEY_512: DigestAlgorithm.STREEBOG_512,
    }
)


class SignatureCheck(enum.Enum):
    """What came out of checking a signature; true only when it is good."""

    VALID = "valid"
    INVALID = "invalid"
    UNSUPPORTED = "unsupported"

    def __bool__(self) -> bool:
        return self is SignatureCheck.VALID

    def problem(self, invalid: ProblemCode = ProblemCode.SIGNATURE_INVALID) -> ProblemCode | None:
        """Return the problem to report, ``None`` when the signature is good.

        Args:
            invalid: What a bad signature means here.
        """
        if self is SignatureCheck.VALID:
            return None
        unsupported = self is SignatureCheck.UNSUPPORTED
        return ProblemCode.ALGORITHM_UNSUPPORTED if unsupported else invalid


def hash_octets(oid: str, data: bytes | Path, *, provider: Provider | None = None) -> bytes:
    """Return the digest by the algorithm that an OID names: Streebog or SHA.

    Args:
        oid: The algorithm.
        data: Octets, or a file, of which little is held at a time.
        provider: Who computes Streebog; by default `medsign.gost.default_provider`.

    Raises:
        Unavailable: The algorithm is not among them.

    Example:
        >>> hash_octets("1.3.14.3.2.26", b"").hex()[:8]
        'da39a3ee'
    """
    if hashing := _FOREIGN_HASHES.get(oid):
        if isinstance(data, bytes):
            return bytes(hashing(data).digest())
        with data.open("rb") as file:
            return hashlib.file_digest(file, hashing).digest()
    try:
        algorithm = DigestAlgorithm.from_oid(oid)
    except UsageError:
        raise Unavailable(f"the digest algorithm {oid}") from None
    if isinstance(data, bytes):
        return digest(algorithm, data, provider=provider)
    return digest_file(algorithm, data, provider=provider)


def digest_of_signature(algorithm: AlgorithmIdentifier) -> DigestAlgorithm | None:
    """Return how a signature algorithm hashes; ``None`` when it is not GOST R 34.10-2012.

    The OIDs of the keys (1.2.643.7.1.1.1.1 and .2) are taken for those of the signatures.
    """
    return _DIGESTS.get(algorithm.oid)


def verify_signature(
    key: SubjectPublicKeyInfo,
    algorithm: AlgorithmIdentifier,
    signed: bytes,
    signature: bytes,
    *,
    digest_oid: str = "",
    weak: bool = False,
    provider: Provider | None = None,
) -> SignatureCheck:
    """Check a signature over octets (RFC 9215 §2; others by `medsign.pki.foreign`).

    Args:
        key: The key of the signer's certificate.
        algorithm: The algorithm named beside the signature.
        signed: What was signed.
        signature: s‖r, each big-endian; of others as their algorithm encodes it.
        digest_oid: The digest that a CMS names, for foreign algorithms that leave it open.
        weak: Whether to check foreign signatures with SHA-1 too; they count for nothing else.
        provider: Who computes; by default `medsign.gost.default_provider`.
    """
    if (named := digest_of_signature(algorithm)) is None:
        try:
            good = verify_foreign(
                key, algorithm, signed, signature, digest_oid=digest_oid, weak=weak
            )
        except Unavailable:
            return SignatureCheck.UNSUPPORTED
        return SignatureCheck.VALID if good else SignatureCheck.INVALID
    hashed = digest(named, signed, provider=provider)
    return verify_digest(key, algorithm, hashed, signature, provider=provider)


def verify_digest(
    key: SubjectPublicKeyInfo,
    algorithm: AlgorithmIdentifier,
    hashed: bytes,
    signature: bytes,
    *,
    provider: Provider | None = None,
) -> SignatureCheck:
    """Check a signature over a digest.

    A key that fails its checks verifies nothing, and neither does one whose length is not that of
    the digest: both are `SignatureCheck.INVALID`.

    Args:
        key: The key of the signer's certificate.
        algorithm: The algorithm named beside the signature.
        hashed: The digest, 32 or 64 octets.
        signature: s‖r, each big-endian.
        provider: Who computes; by default `medsign.gost.default_provider`.
    """
    provider = provider or default_provider()
    named = digest_of_signature(algorithm)
    try:
        checked = public_key(key)
    except Unavailable:
        return SignatureCheck.UNSUPPORTED
    except InvalidKey:
        return SignatureCheck.INVALID
    if named is None or not provider.supports(checked.params):
        return SignatureCheck.UNSUPPORTED
    if checked.params.digest is not named or len(hashed) != named.size:
        return SignatureCheck.INVALID
    good = verify_once(provider, checked, hashed, signature)
    return SignatureCheck.VALID if good else SignatureCheck.INVALID
