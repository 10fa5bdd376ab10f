"""Triple DES and RC2 with 40 bits, which hide the certificates beside CryptoPro's keys.

Only decryption, and only of what is no secret: nobody should hide anything with them any more.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Sequence

from medsign.errors import InvalidKey


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split()]


# FIPS 46-3: the eight substitutions, row after row, and the permutations by numbers of bits.
_S = (
    "e4d12fb83a6c5907 0f74e2d1a6cb9538 41e8d62bfc973a50 fc8249175b3ea06d",
    "f18e6b34972dc05a 3d47f28ec01a69b5 0e7ba4d158c6932f d8a13f42b67c05e9",
    "a09e63f51dc7b428 d709346a285ecbf1 d6498f30b12c5ae7 1ad069874fe3b52c",
    "7de3069a1285bc4f d8b56f03472c1ae9 a690cb7df13e5284 3f06a1d8945bc72e",
    "2c417ab6853fd0e9 eb2c47d150fa3986 421bad78f9c5630e b8c71e2d6f09a453",
    "c1af92680d34e75b af427c9561de0b38 9ef528c3704a1db6 432c95fabe17608d",
    "4b2ef08d3c975a61 d0b7491ae35c2f86 14bdc37eaf680592 6bd814a7950fe23c",
    "d2846fb1a93e50c7 1fd8a374c56b0e92 7b419ce206adf358 21e74a8dfc90356b",
)
_P = _numbers("""
    16 7 20 21 29 12 28 17 1 15 23 26 5 18 31 10 2 8 24 14 32 27 3 9 19 13 30 6 22 11 4 25
""")
_INITIAL = [start - 8 * step for start in (58, 60, 62, 64, 57, 59, 61, 63) for step in range(8)]
_FINAL = [_INITIAL.index(bit) + 1 for bit in range(1, 65)]
_KEY = _numbers("""
    57 49 41 33 25 17 9 1 58 50 42 34 26 18 10 2 59 51 43 35 27 19 11 3 60 52 44 36
    63 55 47 39 31 23 15 7 62 54 46 38 30 22 14 6 61 53 45 37 29 21 13 5 28 20 12 4
""")
_ROUND_KEY = _numbers("""
    14 17 11 24 1 5 3 28 15 6 21 10 23 19 12 4 26 8 16 7 27 20 13 2
    41 52 31 37 47 55 30 40 51 45 33 48 44 49 39 56 34 53 46 42 50 36 29 32
""")
_TURNS = (1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1)

# RFC 2268 §2.
_PITABLE = bytes.fromhex(
    "d978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2179a59f587b34f1361456d8d09817d32"
    "bd8f40eb86b77b0bf09521225c6b4e8254d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626"
    "6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed708e8eade8052eef784aa72ac354d6a2a"
    "961ad2715a1549744b9fd05e0418a4ecc2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731"
    "2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a90d38341bab33ffb0bb480c5fb9b1cd2e"
    "c5f3db47e5a59c770aa62068fe7fc1ad"
)


def triple_des(key: bytes) -> Callable[[bytes], bytes]:
    """Return what decrypts one block of 8 octets under a key of 24 (ANSI X9.52, EDE).

    Example:
        >>> triple_des(bytes(24))(bytes(8)).hex()
        '8ca64de9c1b123a7'
    """
    first, second, third = (_round_keys(int.from_bytes(key[at : at + 8])) for at in (0, 8, 16))
    steps = (third[::-1], second, first[::-1])

    def decrypt(block: bytes) -> bytes:
        value = _picked(int.from_bytes(block), 64, _INITIAL)
        for keys in steps:
            value = _sixteen_rounds(keys, value)
        return _picked(value, 64, _FINAL).to_bytes(8)

    return decrypt


def rc2_40(key: bytes) -> Callable[[bytes], bytes]:
    """Return what decrypts one block of 8 octets under a key of 5 (RFC 2268 §4).

    Example:
        >>> rc2_40(bytes(5))(bytes(8)).hex()
        '58edfeb72689183c'
    """
    size, table = len(key), bytearray(key)
    while len(table) < 128:
        table.append(_PITABLE[(table[-1] + table[-size]) & 255])
    table[128 - size] = _PITABLE[table[128 - size]]
    for at in range(127 - size, -1, -1):
        table[at] = _PITABLE[table[at + 1] ^ table[at + size]]
    keys = struct.unpack("<64H", table)

    def decrypt(block: bytes) -> bytes:
        words = list(struct.unpack("<4H", block))
        for number in range(15, -1, -1):
            for i in (3, 2, 1, 0):
                turn = (1, 2, 3, 5)[i]
                word = words[i] >> turn | words[i] << (16 - turn)
                mixed = (words[i - 1] & words[i - 2]) + (~words[i - 1] & words[i - 3])
                words[i] = (word - keys[4 * number + i] - mixed) & 0xFFFF
            if number in {11, 5}:
                for i in (3, 2, 1, 0):
                    words[i] = (words[i] - keys[words[i - 1] & 63]) & 0xFFFF
        return struct.pack("<4H", *words)

    return decrypt


def cbc_decrypt(decrypt: Callable[[bytes], bytes], iv: bytes, data: bytes) -> bytes:
    """Decrypt blocks that are chained and padded (RFC 8018 §6.1.1).

    Raises:
        InvalidKey: These are no whole blocks or the padding is wrong, as under another key.
    """
    blocks = [data[at : at + 8] for at in range(0, len(data) - 7, 8)]
    chained = zip(map(decrypt, blocks), (iv, *blocks), strict=False)
    plain = b"".join(
        (int.from_bytes(block) ^ int.from_bytes(before)).to_bytes(8) for block, before in chained
    )
    padding = plain[-1:] * (plain[-1] if plain else 0)
    if len(data) % 8 or not 1 <= len(padding) <= 8 or not plain.endswith(padding):
        raise InvalidKey("no padded blocks")
    return plain[: -len(padding)]


def _picked(value: int, size: int, bits: Sequence[int]) -> int:
    """Return chosen bits of a number, which are counted from 1 at its highest end."""
    result = 0
    for bit in bits:
        result = result << 1 | value >> (size - bit) & 1
    return result


@functools.cache
def _tables() -> list[list[int]]:
    """Return what six bits of each place add: substituted and permuted."""
    tables: list[list[int]] = []
    for place, rows in enumerate(_S):
        row = [[int(digit, 16) for digit in each] for each in rows.split()]
        put = [row[six >> 4 & 2 | six & 1][six >> 1 & 15] << (28 - 4 * place) for six in range(64)]
        tables.append([_picked(value, 32, _P) for value in put])
    return tables


def _round_keys(key: int) -> list[tuple[int, ...]]:
    """Return the sixteen keys, each as eight numbers of six bits."""
    both = _picked(key, 64, _KEY)
    left, right, keys = both >> 28, both & 0xFFFFFFF, list[tuple[int, ...]]()
    for turn in _TURNS:
        left = (left << turn | left >> (28 - turn)) & 0xFFFFFFF
        right = (right << turn | right >> (28 - turn)) & 0xFFFFFFF
        picked = _picked(left << 28 | right, 56, _ROUND_KEY)
        keys.append(tuple(picked >> (42 - 6 * place) & 63 for place in range(8)))
    return keys


def _sixteen_rounds(keys: Sequence[tuple[int, ...]], value: int) -> int:
    left, right = value >> 32, value & 0xFFFFFFFF
    tables = _tables()
    for k0, k1, k2, k3, k4, k5, k6, k7 in keys:
        wide = (right & 1) << 33 | right << 1 | right >> 31
        left, right = (
            right,
            left
            ^ tables[0][wide >> 28 ^ k0]
            ^ tables[1][wide >> 24 & 63 ^ k1]
            ^ tables[2][wide >> 20 & 63 ^ k2]
            ^ tables[3][wide >> 16 & 63 ^ k3]
            ^ tables[4][wide >> 12 & 63 ^ k4]
            ^ tables[5][wide >> 8 & 63 ^ k5]
            ^ tables[6][wide >> 4 & 63 ^ k6]
            ^ tables[7][wide & 63 ^ k7],
        )
    return right << 32 | left
