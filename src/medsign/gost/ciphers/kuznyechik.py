"""Kuznyechik, the block cipher of 128 bits (ГОСТ Р 34.12-2015, RFC 7801)."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

from medsign.errors import UsageError
from medsign.gost.substitution import PI

# Coefficients of the linear transformation l (RFC 7801 §4.2), first octet first.
_L = (148, 32, 133, 16, 194, 192, 1, 251, 1, 192, 194, 16, 133, 32, 148, 1)


def _product(a: int, b: int) -> int:
    """Multiply in GF(2)[x] modulo x⁸+x⁷+x⁶+x+1 (§2.2)."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = a << 1 ^ (0x1C3 if a & 0x80 else 0)
        b >>= 1
    return product


def _sum(terms: Iterable[int]) -> int:
    total = 0
    for term in terms:
        total ^= term
    return total


def _linear(block: int) -> int:
    """Return L of §4.2: sixteen steps of a shift register."""
    octets = block.to_bytes(16)
    for _ in range(16):
        octets = bytes((_sum(map(_product, octets, _L)), *octets[:15]))
    return int.from_bytes(octets)


@functools.cache
def _tables() -> Sequence[Sequence[int]]:
    """Return what each value of each octet adds to L(S(block)), for L is linear."""
    bits = [[_linear(1 << 8 * (15 - place) + bit) for bit in range(8)] for place in range(16)]
    return [
        [_sum(image for bit, image in enumerate(images) if value >> bit & 1) for value in PI]
        for images in bits
    ]


def _round(block: int) -> int:
    """Return L(S(block))."""
    result = 0
    for table, octet in zip(_tables(), block.to_bytes(16), strict=True):
        result ^= table[octet]
    return result


class Kuznyechik:
    """Kuznyechik under one key; it only encrypts, for the modes here need no more.

    Args:
        key: 32 octets.

    Raises:
        UsageError: The key has another length.

    Example:
        >>> Kuznyechik(bytes(32)).encrypt(bytes(16)).hex()
        '98cc6b54dbcf7bd2f0800c1fab0677ef'
    """

    block_size = 16
    section_size = 256 << 10

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise UsageError("a key of Kuznyechik has 32 octets")
        left, right = int.from_bytes(key[:16]), int.from_bytes(key[16:])
        self._keys = [left, right]
        for number in range(1, 33):
            left, right = _round(left ^ _linear(number)) ^ right, left
            if number % 8 == 0:
                self._keys += [left, right]

    def encrypt(self, block: bytes) -> bytes:
        """Encrypt one block of 16 octets."""
        *keys, last = self._keys
        value = int.from_bytes(block)
        for key in keys:
            value = _round(value ^ key)
        return (value ^ last).to_bytes(16)
