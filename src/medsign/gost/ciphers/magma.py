"""Magma, the block cipher of 64 bits (ГОСТ Р 34.12-2015, RFC 8891), and its elder, ГОСТ 28147-89.

Both are one cipher: since 2015 its substitution is fixed and its octets are big-endian.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterable, Sequence

from medsign.errors import UsageError

TC26_Z = "1.2.643.7.1.2.5.1.1"
"""The substitution of Magma, also that of ГОСТ 28147-89 since 2014 (RFC 7836 appendix C)."""
CRYPTOPRO_A = "1.2.643.2.2.31.1"
"""The substitution that most software took before 2014 (RFC 4357 §11.1)."""
CRYPTOPRO_HASH = "1.2.643.2.2.30.1"
"""The substitution inside ГОСТ Р 34.11-94 (RFC 4357 §11.2)."""

# For the lowest four bits of a word first.
SUBSTITUTIONS = {
    TC26_Z: """
        c462a5b9e8d703f1 68239a5c1e47bd0f b3582fade174c960 c821d4f670a53e9b
        7f5a816d093eb42c 5df692cab78143e0 8e25691cf4b0da37 17ed05834fa69cb2
    """,
    CRYPTOPRO_A: """
        96328b17a4efc0d5 37e98af0526cb4d1 e462b3d8cf5a0719 e7acd13902b4f856
        b5198df0e423c7a6 3adc120b75948fe6 1d297a608c45f3be baf50ce8623917d4
    """,
    CRYPTOPRO_HASH: """
        a4568137dce092bf 5f402db91763cea8 7fce94103b526a8d 4a7c0f28e165db93
        764b9c2a180efd35 7624d9f0a15b8ec3 de41705a3c8f629b 13a95b4f867ed02c
    """,
}


@functools.cache
def _tables(substitution: str) -> Sequence[Sequence[int]]:
    """Return what each octet of a word adds to the word, substituted and rotated by 11 bits."""
    rows = [[int(digit, 16) for digit in row] for row in SUBSTITUTIONS[substitution].split()]

    def rotated(word: int) -> int:
        return (word << 11 | word >> 21) & 0xFFFFFFFF

    return [
        [
            rotated((rows[2 * place][v & 15] | rows[2 * place + 1][v >> 4] << 4) << 8 * place)
            for v in range(256)
        ]
        for place in range(4)
    ]


class Magma:
    """Magma under one key.

    Args:
        key: 32 octets.

    Raises:
        UsageError: The key has another length.

    Example:
        >>> Magma(bytes(32)).encrypt(bytes(8)).hex()
        '78b6bd4a81726659'
    """

    block_size = 8
    section_size = 8 << 10

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise UsageError("a key of Magma has 32 octets")
        words = struct.unpack(">8I", key)
        self._keys, self._tables = [*words * 3, *reversed(words)], _tables(TC26_Z)

    def encrypt(self, block: bytes) -> bytes:
        """Encrypt one block of 8 octets."""
        left, right = struct.unpack(">2I", block)
        return struct.pack(">2I", *_rounds(self._tables, self._keys, left, right))

    def decrypt(self, block: bytes) -> bytes:
        """Decrypt one block of 8 octets."""
        left, right = struct.unpack(">2I", block)
        return struct.pack(">2I", *_rounds(self._tables, reversed(self._keys), left, right))


def _rounds(
    tables: Sequence[Sequence[int]], keys: Iterable[int], left: int, right: int
) -> tuple[int, int]:
    """Return the halves after a round with each key; the last round does not swap them."""
    t0, t1, t2, t3 = tables
    for key in keys:
        word = right + key
        shared = t0[word & 255] ^ t1[word >> 8 & 255] ^ t2[word >> 16 & 255] ^ t3[word >> 24 & 255]
        left, right = right, left ^ shared
    return right, left


class Gost28147:
    """ГОСТ 28147-89: Magma with its octets the other way round and a substitution to choose.

    Args:
        key: 32 octets.
        substitution: One of `SUBSTITUTIONS`.

    Raises:
        UsageError: The key has another length.

    Example:
        >>> cipher = Gost28147(bytes(32))
        >>> cipher.decrypt(cipher.encrypt(b"8 octets"))
        b'8 octets'
    """

    block_size = 8

    def __init__(self, key: bytes, substitution: str = TC26_Z) -> None:
        if len(key) != 32:
            raise UsageError("a key of ГОСТ 28147-89 has 32 octets")
        self._words, self._tables = struct.unpack("<8I", key), _tables(substitution)

    def encrypt(self, block: bytes) -> bytes:
        """Encrypt one block of 8 octets."""
        return self._under((*self._words * 3, *reversed(self._words)), block)

    def decrypt(self, block: bytes) -> bytes:
        """Decrypt one block of 8 octets."""
        return self._under((*self._words, *reversed(self._words * 3)), block)

    def mac(self, iv: bytes, data: bytes) -> bytes:
        """Return the imitation insert of whole blocks, 4 octets (RFC 5830 §8, RFC 4357 §1.2)."""
        low, high = struct.unpack("<2I", iv)
        for one, other in struct.iter_unpack("<2I", data):
            low, high = _rounds(self._tables, self._words * 2, high ^ other, low ^ one)
        return struct.pack("<I", low)

    def _under(self, keys: Iterable[int], block: bytes) -> bytes:
        low, high = struct.unpack("<2I", block)
        high, low = _rounds(self._tables, keys, high, low)
        return struct.pack("<2I", low, high)
