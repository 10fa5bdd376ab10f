"""GOST by nettle and hogweed, which GnuTLS and APT bring to nearly every Linux."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from typing import Any

import attrs

from medsign.errors import Unavailable
from medsign.gost.keys import PrivateKey, PublicKey
from medsign.gost.native.base import NativeHasher, NativeProvider
from medsign.gost.native.library import INT, POINTER, SIZE, open_library
from medsign.gost.params import PARAM_SETS, DigestAlgorithm, ParamSet, param_set
from medsign.gost.scalar import Random, draw

INSTALL = "libhogweed6 (Debian, Ubuntu)"
# struct streebog512_ctx has 264 octets and no pointer, so a copy of the octets is a copy.
_State = ctypes.c_char * 512
_SPARE = 448  # where a digest finds room behind it
# So few octets take microseconds, and who lets go of the GIL may wait for it far longer.
_BRIEF = 1 << 12
_LIMB = 8  # octets, at most
_CURVES = {
    "nettle_get_gost_gc256b": "1.2.643.7.1.2.1.1.2",
    "nettle_get_gost_gc512a": "1.2.643.7.1.2.1.2.1",
}
_NETTLE = {
    "nettle_streebog256_init": (None, POINTER),
    "nettle_streebog512_init": (None, POINTER),
    "nettle_streebog512_update": (None, POINTER, SIZE, POINTER),
    "nettle_streebog256_digest": (None, POINTER, SIZE, POINTER),
    "nettle_streebog512_digest": (None, POINTER, SIZE, POINTER),
}
_HOGWEED: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(_CURVES, (POINTER,)),
    "nettle_ecc_gostdsa_sign_itch": (SIZE, POINTER),
    "nettle_ecc_gostdsa_verify_itch": (SIZE, POINTER),
    "nettle_ecc_gostdsa_sign": (
        *(None, POINTER, POINTER, POINTER, SIZE, POINTER),
        *(POINTER, POINTER, POINTER),
    ),
    "nettle_ecc_gostdsa_verify": (
        *(INT, POINTER, POINTER, SIZE, POINTER),
        *(POINTER, POINTER, POINTER),
    ),
}


class NettleProvider(NativeProvider):
    """Streebog, and signatures on CryptoPro-A (256-B) and 512-A under all their names.

    Numbers pass as arrays of limbs, so no GMP object ever holds a secret; the working memory of a
    signature is zeroed.

    Args:
        random: Where nonces come from.

    Raises:
        Unavailable: The libraries are missing, or the machine is big-endian.
    """

    name = "nettle"

    def __init__(self, *, random: Random = os.urandom) -> None:
        if sys.byteorder != "little":
            raise Unavailable("nettle on a big-endian machine", "another provider")
        self._random = random
        nettle = open_library("libnettle.so.8", INSTALL, _NETTLE)
        brief = open_library("libnettle.so.8", INSTALL, _NETTLE, releases_gil=False)
        self._hashing = {each: _Hashing.of(nettle, brief, each) for each in DigestAlgorithm}
        self._hogweed = hogweed = open_library("libhogweed.so.6", INSTALL, _HOGWEED)
        self._sign_with = hogweed.nettle_ecc_gostdsa_sign
        self._verify_with = hogweed.nettle_ecc_gostdsa_verify
        curves = {
            param_set(oid).numbers: self._curve(getattr(hogweed, name)(), param_set(oid).size)
            for name, oid in _CURVES.items()
        }
        self._curves = {
            params: curves[params.numbers] for params in PARAM_SETS if params.numbers in curves
        }

    def supports(self, params: ParamSet) -> bool:
        """Tell whether this is one of the two curves."""
        return params in self._curves

    def hasher(self, algorithm: DigestAlgorithm) -> NettleHasher:
        """Return a new hasher."""
        hashing = self._hashing[algorithm]
        state = _State()
        hashing.init(state)
        return NettleHasher(algorithm, hashing, state)

    def hash(self, algorithm: DigestAlgorithm, data: bytes) -> bytes:
        """Return the digest of octets that are all at hand."""
        hashing = self._hashing[algorithm]
        # A state serves one thread at a time: who finds none makes another one.
        try:
            state = hashing.idle.pop()
        except IndexError:
            hashing.init(state := _State())
        address, size, length = ctypes.addressof(state), algorithm.size, len(data)
        update = hashing.brief_update if length <= _BRIEF else hashing.update
        update(address, length, data)
        hashing.digest(address, size, address + _SPARE)  # which also starts anew
        answer = state.raw[_SPARE : _SPARE + size]
        hashing.idle.append(state)
        return answer

    def _sign(self, key: PrivateKey, e: bytes) -> bytes:
        size, q = key.params.size, key.params.q
        curve = self._curves[key.params]
        secret, scratch = key.to_octets(), curve.sign_scratch()
        answer = curve.signature()
        r, s = answer, ctypes.byref(answer, size)
        signature = b""
        # Zero has no meaning here and no chance to occur; the standard asks to look.
        while not (any(signature[:size]) and any(signature[size:])):
            nonce = draw(q, self._random).to_bytes(size, "little")
            self._sign_with(curve.address, secret, nonce, size, e, r, s, scratch)
            signature = answer.raw
        scratch.raw = bytes(len(scratch))
        return signature[::-1]

    def _verify(self, key: PublicKey, e: bytes, signature: bytes) -> bool:
        size = key.params.size
        curve = self._curves[key.params]
        s, r = signature[:size][::-1], signature[size:][::-1]
        return bool(
            self._verify_with(curve.address, key.to_octets(), size, e, r, s, curve.verify_scratch())
        )

    def _curve(self, address: int, size: int) -> _Curve:
        return _Curve(
            POINTER(address),
            ctypes.c_char * (_LIMB * self._hogweed.nettle_ecc_gostdsa_sign_itch(address)),
            ctypes.c_char * (_LIMB * self._hogweed.nettle_ecc_gostdsa_verify_itch(address)),
            ctypes.c_char * (2 * size),
        )


@attrs.frozen
class _Curve:
    """A curve in hogweed, and what makes the memory that it works in."""

    address: ctypes.c_void_p
    sign_scratch: Callable[[], ctypes.Array[ctypes.c_char]]
    verify_scratch: Callable[[], ctypes.Array[ctypes.c_char]]
    signature: Callable[[], ctypes.Array[ctypes.c_char]]


@attrs.frozen
class _Hashing:
    """One of the two digests in nettle: its functions, and what makes the memory of its answer."""

    init: Callable[..., None]
    update: Callable[..., None]
    brief_update: Callable[..., None]
    digest: Callable[..., None]
    answer: Callable[[], ctypes.Array[ctypes.c_char]]
    idle: list[ctypes.Array[ctypes.c_char]] = attrs.field(
        init=False, factory=list[ctypes.Array[ctypes.c_char]]
    )

    @classmethod
    def of(cls, nettle: ctypes.CDLL, brief: ctypes.CDLL, algorithm: DigestAlgorithm) -> _Hashing:
        bits = 8 * algorithm.size
        return cls(
            getattr(brief, f"nettle_streebog{bits}_init"),
            nettle.nettle_streebog512_update,
            brief.nettle_streebog512_update,
            getattr(brief, f"nettle_streebog{bits}_digest"),
            ctypes.c_char * algorithm.size,
        )


class NettleHasher(NativeHasher):
    """A running Streebog of nettle."""

    def __init__(
        self, algorithm: DigestAlgorithm, hashing: _Hashing, state: ctypes.Array[ctypes.c_char]
    ) -> None:
        super().__init__(algorithm)
        self._hashing = hashing
        self._state = state

    def _absorb(self, piece: bytes) -> None:
        self._hashing.update(self._state, len(piece), piece)

    def _twin(self) -> NettleHasher:
        state = _State.from_buffer_copy(self._state)
        return NettleHasher(self.algorithm, self._hashing, state)

    def _result(self) -> bytes:
        answer = self._hashing.answer()
        state = _State.from_buffer_copy(self._state)
        self._hashing.digest(state, self.algorithm.size, answer)
        return answer.raw
