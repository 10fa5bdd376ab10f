"""The port behind which an implementation of the GOST algorithms stands."""

from __future__ import annotations

from typing import Protocol

from medsign.gost.keys import PrivateKey, PublicKey
from medsign.gost.params import DigestAlgorithm, Octets, ParamSet


class Hasher(Protocol):
    """A running digest."""

    @property
    def algorithm(self) -> DigestAlgorithm:
        """Which digest it makes."""
        ...

    def update(self, data: Octets, /) -> None:
        """Add octets to the message."""
        ...

    def digest(self) -> bytes:
        """Return the digest of what was added so far; more may be added."""
        ...

    def copy(self) -> Hasher:
        """Return an independent hasher of the same octets."""
        ...


class Provider(Protocol):
    """GOST R 34.11-2012 and GOST R 34.10-2012, done by somebody.

    Implementations are safe to use from many threads and after a fork.
    """

    @property
    def name(self) -> str:
        """A short name for reports, such as ``portable``."""
        ...

    def supports(self, params: ParamSet) -> bool:
        """Tell whether keys on this curve can sign and verify here."""
        ...

    def hasher(self, algorithm: DigestAlgorithm) -> Hasher:
        """Return a new hasher."""
        ...

    def hash(self, algorithm: DigestAlgorithm, data: bytes) -> bytes:
        """Return the digest of octets that are all at hand, as `hasher` would make it."""
        ...

    def generate(self, params: ParamSet) -> PrivateKey:
        """Return a new private key, drawn from a cryptographic source."""
        ...

    def sign(self, key: PrivateKey, digest: bytes) -> bytes:
        """Sign a digest (GOST R 34.10-2012 §6.1).

        Args:
            key: The private key.
            digest: The octets as the hash gives them, as many as `ParamSet.digest` makes.

        Returns:
            s‖r, each big-endian, 64 or 128 octets in all (RFC 9215 §2).

        Raises:
            UsageError: The digest has another length, or the curve is not supported.
        """
        ...

    def verify(self, key: PublicKey, digest: bytes, signature: bytes) -> bool:
        """Tell whether a signature of a digest is good (GOST R 34.10-2012 §6.2).

        A signature of a wrong length is simply not good.

        Raises:
            UsageError: The digest has another length, or the curve is not supported.
        """
        ...
