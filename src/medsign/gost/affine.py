"""Affine arithmetic on many points at once, to build tables with one inversion per column.

An affine point is a pair (x, y) on the Weierstrass form. The formulas are the chord and the
tangent and never meet infinity: callers pass points of a large prime order, none of them opposite
to the one it is added to.
"""

from __future__ import annotations

from collections.abc import Sequence

Affine = tuple[int, int]
Point = tuple[int, ...]
"""A point in the coordinates of a group: (X, Y, Z) or (X, Y, Z, T)."""
Entry = tuple[int, ...]
"""A point as a group stores it in tables to add it fast: (x, y) or (u, v, duv)."""


def invert_each(values: Sequence[int], p: int) -> list[int]:
    """Return the inverses modulo p; one inversion in all (Montgomery's trick)."""
    products: list[int] = []
    product = 1
    for value in values:
        products.append(product)
        product = product * value % p
    inverse = pow(product, -1, p)
    inverses: list[int] = []
    for value, before in zip(reversed(values), reversed(products), strict=True):
        inverses.append(inverse * before % p)
        inverse = inverse * value % p
    inverses.reverse()
    return inverses


def add_each(left: Sequence[Affine], right: Sequence[Affine], a: int, p: int) -> list[Affine]:
    """Return the sums of the pairs of points; a pair of equal points is doubled."""
    denominators = [(x2 - x1) or 2 * y1 for (x1, y1), (x2, _) in zip(left, right, strict=True)]
    sums: list[Affine] = []
    for (x1, y1), (x2, y2), inverse in zip(left, right, invert_each(denominators, p), strict=True):
        slope = (y2 - y1 if x1 != x2 else 3 * x1 * x1 + a) * inverse % p
        x = (slope * slope - x1 - x2) % p
        sums.append((x, (slope * (x1 - x) - y1) % p))
    return sums
