"""What native providers have in common."""

from __future__ import annotations

import abc
import secrets
import threading
from collections.abc import Iterator

from medsign.errors import UsageError
from medsign.gost.keys import PrivateKey, PublicKey
from medsign.gost.params import DigestAlgorithm, Octets, ParamSet
from medsign.gost.provider import Hasher
from medsign.gost.scalar import draw

_PIECE = 1 << 16


class NativeHasher(abc.ABC):
    """A running digest in native memory.

    The lock is there because the GIL is not while native code runs: two threads in one state
    would write past its buffer, not just mix up a digest.
    """

    def __init__(self, algorithm: DigestAlgorithm) -> None:
        self.algorithm = algorithm
        self._lock = threading.Lock()

    def update(self, data: Octets, /) -> None:
        """Add octets to the message."""
        pieces = (data,) if isinstance(data, bytes) else _pieces(data)
        with self._lock:
            for piece in pieces:
                self._absorb(piece)

    def digest(self) -> bytes:
        """Return the digest of what was added so far; more may be added."""
        with self._lock:
            return self._result()

    def copy(self) -> NativeHasher:
        """Return an independent hasher of the same octets."""
        with self._lock:
            return self._twin()

    @abc.abstractmethod
    def _absorb(self, piece: bytes) -> None: ...

    @abc.abstractmethod
    def _twin(self) -> NativeHasher: ...

    @abc.abstractmethod
    def _result(self) -> bytes:
        """Return the digest, worked out on a copy of the state."""


def _pieces(data: Octets) -> Iterator[bytes]:
    """Yield copies of what ctypes takes as bytes only and others may change meanwhile."""
    view = memoryview(data)
    view = view.cast("B") if view.contiguous else memoryview(view.tobytes())
    for start in range(0, len(view), _PIECE):
        yield bytes(view[start : start + _PIECE])


class NativeProvider(abc.ABC):
    """A `Provider` that leaves the work to a library, and its checks to none."""

    name: str

    @abc.abstractmethod
    def supports(self, params: ParamSet) -> bool:
        """Tell whether keys on this curve can sign and verify here."""

    @abc.abstractmethod
    def hasher(self, algorithm: DigestAlgorithm) -> Hasher:
        """Return a new hasher."""

    @abc.abstractmethod
    def hash(self, algorithm: DigestAlgorithm, data: bytes) -> bytes:
        """Return the digest of octets, in the fewest calls: each costs a part of a microsecond."""

    def generate(self, params: ParamSet) -> PrivateKey:
        """Return a new private key, drawn from the operating system."""
        self._check(params)
        return PrivateKey(params, draw(params.q, secrets.token_bytes))

    def sign(self, key: PrivateKey, digest: bytes) -> bytes:
        """Sign a digest; see `Provider.sign`."""
        return self._sign(key, self._reduced(key.params, digest))

    def verify(self, key: PublicKey, digest: bytes, signature: bytes) -> bool:
        """Tell whether a signature is good; see `Provider.verify`."""
        e = self._reduced(key.params, digest)
        return len(signature) == 2 * key.params.size and self._verify(key, e, signature)

    def _reduced(self, params: ParamSet, digest: bytes) -> bytes:
        # nettle looks for a zero before it reduces, and signing zero gives the key away.
        self._check(params)
        return params.signed_number(digest).to_bytes(params.size, "little")

    def _check(self, params: ParamSet) -> None:
        if not self.supports(params):
            raise UsageError(f"the provider {self.name} does not know {params.name}")

    @abc.abstractmethod
    def _sign(self, key: PrivateKey, e: bytes) -> bytes:
        """Sign a number, little-endian."""

    @abc.abstractmethod
    def _verify(self, key: PublicKey, e: bytes, signature: bytes) -> bool:
        """Judge a signature of the right length."""


class DigestProvider(NativeProvider):
    """A `Provider` that only hashes."""

    def supports(self, params: ParamSet) -> bool:  # noqa: ARG002
        """Tell that no curve is known here."""
        return False

    def _sign(self, key: PrivateKey, e: bytes) -> bytes:
        raise NotImplementedError

    def _verify(self, key: PublicKey, e: bytes, signature: bytes) -> bool:
        raise NotImplementedError
