"""Scalars written as the digits that the point arithmetic consumes."""

from __future__ import annotations

from collections.abc import Callable

Random = Callable[[int], bytes]
"""A source of that many random octets, such as `secrets.token_bytes`."""


def draw(order: int, random: Random) -> int:
    """Return a number of [1, order), each equally likely.

    Rejection, not reduction: a remainder would favour small numbers, and a few bits of bias in
    the nonces of some hundred signatures give the key away.
    """
    octets = (order.bit_length() + 7) // 8
    excess = 8 * octets - order.bit_length()
    while True:
        number = int.from_bytes(random(octets), "big") >> excess
        if 0 < number < order:
            return number


def odd(scalar: int, order: int) -> int:
    """Return the odd one of `scalar` and `scalar + order`; it multiplies a point alike."""
    return scalar + (~scalar & 1) * order


def blinded(scalar: int, order: int, random: Random) -> int:
    """Return an odd random number congruent to `scalar`.

    Time and power show the digits of what is multiplied, so that must be new each time. The
    orders in use lie near a power of two: a multiplier shorter than half of them would leave the
    top bits of the scalar bare.
    """
    mask = int.from_bytes(random(_mask_octets(order)), "big")
    return odd(scalar + mask * order, order)


def blinded_bits(order: int) -> int:
    """Return the length of the longest result of `blinded`."""
    return order.bit_length() + 8 * _mask_octets(order) + 1


def _mask_octets(order: int) -> int:
    return -(-order.bit_length() // 16)


def windows(scalar: int, width: int, count: int) -> list[int]:
    """Split an odd scalar into `count` indices of `width` bits, least significant first.

    Index i stands for the odd digit 2i - 2^width + 1, so no digit is zero and every scalar takes
    the same number of additions (Joye and Tunstall, Africacrypt 2009).

    Args:
        scalar: Odd, below 2^(width * count).

    Example:
        >>> windows(11, 2, 2)
        [1, 3]
        >>> [2 * index - 3 for index in windows(11, 2, 2)]  # 11 = -1 + 3 * 4
        [-1, 3]
    """
    signs = scalar >> 1 | 1 << (width * count - 1)
    mask = (1 << width) - 1
    return [signs >> shift & mask for shift in range(0, width * count, width)]


def wnaf(scalar: int, width: int) -> list[tuple[int, int]]:
    """Return the width-w non-adjacent form of a public scalar as steps, most significant first.

    A step (n, digit) says: double n times, then add digit times the point. Digits are odd and
    less than 2^(width - 1) in magnitude; only the last one may be zero.

    Example:
        >>> wnaf(28, 3)  # 28 = (1 * 2^3 - 1) * 2^2
        [(0, 1), (3, -1), (2, 0)]
    """
    steps: list[tuple[int, int]] = []
    full, half = 1 << width, 1 << (width - 1)
    doublings = (scalar & -scalar).bit_length() - 1 if scalar else 0
    if doublings:
        steps.append((doublings, 0))
        scalar >>= doublings
    while scalar:
        digit = scalar & (full - 1)
        if digit >= half:
            digit -= full
        scalar -= digit
        doublings = (scalar & -scalar).bit_length() - 1 if scalar else 0
        scalar >>= doublings
        steps.append((doublings, digit))
    steps.reverse()
    return steps
