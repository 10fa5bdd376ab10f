"""What all decoded structures have in common: they are their bytes."""

from __future__ import annotations

import hashlib


class Encoded:
    """A structure that equals another one when the bytes do, and shows no personal data."""

    __slots__ = ()
    der: bytes

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the DER, hexadecimal, 64 characters."""
        return hashlib.sha256(self.der).hexdigest()

    def __eq__(self, other: object) -> bool:
        return self.der == other.der if isinstance(other, type(self)) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.der)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(sha256={self.fingerprint[:16]}…, {len(self.der)} octets)"
