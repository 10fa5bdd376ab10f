"""Magma, the block cipher of 64 bits (ГОСТ Р 34.12-2015, RFC 8891), and its elder, ГОСТ 28147-89.

Both are one cipher: since 2015 its substitution is fixed and its octets are big-endian.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterable, Sequence

from medsign.errors import UsageError

# Substitutions as RFC 8891 §4.1 lists them: for the lowest four bits of a word first.
_TC26_Z = """
    c462a5b9e8d703f1 68239a5c1e47bd0f b3582fade174c960 c821d4f670a53e9b
    7f5a816d093eb42c 5df692cab78143e0 8e25691cf4b0da37 17ed05834fa69cb2
"""
TC26_Z = "1.2.643.7.1.2.5.1.1"
"""The substitution of Magma, also that of ГОСТ 28147-89 since 2014 (RFC 7836 appendix C)."""


@functools.cache
def _tables() -> Sequence[Sequence[int]]:
    """Return what each octet of a word adds to the word, substituted and rotated by 11 bits."""
    rows = [[int(digit, 16) for digit in row] for row in _TC26_Z.split()]

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
        self._keys = [*words * 3, *reversed(words)]

    def encrypt(self, block: bytes) -> bytes:
        """Encrypt one block of 8 octets."""
        return _rounds(self._keys, block)

    def decrypt(self, block: bytes) -> bytes:
        """Decrypt one block of 8 octets."""
        return _rounds(reversed(self._keys), block)


def _rounds(keys: Iterable[int], block: bytes) -> bytes:
    t0, t1, t2, t3 = _tables()
    left, right = struct.unpack(">2I", block)
    for key in keys:
        word = right + key
        shared = t0[word & 255] ^ t1[word >> 8 & 255] ^ t2[word >> 16 & 255] ^ t3[word >> 24 & 255]
        left, right = right, left ^ shared
    return struct.pack(">2I", right, left)  # the last round does not swap the halves


class Gost28147:
    """ГОСТ 28147-89 with the substitution `TC26_Z`: Magma with its octets the other way round.

    Args:
        key: 32 octets.

    Raises:
        UsageError: The key has another length.

    Example:
        >>> cipher = Gost28147(bytes(32))
        >>> cipher.decrypt(cipher.encrypt(b"8 octets"))
        b'8 octets'
    """

    block_size = 8

    def __init__(self, key: bytes) -> None:
        self._magma = Magma(b"".join(key[at : at + 4][::-1] for at in range(0, len(key), 4)))

    def encrypt(self, block: bytes) -> bytes:
        """Encrypt one block of 8 octets."""
        return self._magma.encrypt(block[::-1])[::-1]

    def decrypt(self, block: bytes) -> bytes:
        """Decrypt one block of 8 octets."""
        return self._magma.decrypt(block[::-1])[::-1]
