"""Multiplication of points on one parameter set, with its tables."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Protocol

from medsign.gost.affine import Affine, Entry, Point, add_each, double_each
from medsign.gost.edwards import Edwards
from medsign.gost.params import ParamSet
from medsign.gost.scalar import Random, blinded, draw, odd, windows, wnaf
from medsign.gost.weierstrass import Weierstrass

# Bits of a window. Each wider one doubles a table and saves less and less time; these cost about
# 15 and 40 ms for the base point (256 and 512 bits) and some 5 and 20 ms for a public key.
_BASE_WIDTH = {32: 7, 64: 6}
_KEY_WIDTH = 5


class Group(Protocol):
    """One form of a curve with its coordinates."""

    def entries(self, points: Sequence[Affine]) -> Sequence[Entry]: ...
    def negative(self, entry: Entry) -> Entry: ...
    def neutral(self, z: int) -> Point: ...
    def double(self, point: Point, times: int) -> Point: ...
    def add(self, point: Point, entries: Iterable[Entry]) -> Point: ...
    def affine(self, points: Sequence[Point]) -> list[Affine]: ...
    def has_abscissa(self, point: Point, r: int, q: int) -> bool: ...


class Comb:
    """Multiples of one point that make its multiplication a sum, with no doublings.

    Row i holds every odd digit times 2^(width * i) times the point, in the order of `windows`.

    Args:
        group: Where the sum is made.
        weierstrass: The same curve in Jacobian coordinates.
        point: Of order q.
        width: Bits of a window.
        bits: Length of the longest scalar.
    """

    def __init__(
        self, group: Group, weierstrass: Weierstrass, point: Affine, width: int, bits: int
    ) -> None:
        self.width = width
        powers: list[Point] = [(*point, 1)]
        while len(powers) * width < bits:
            powers.append(weierstrass.double(powers[-1], width))
        column = weierstrass.affine(powers)
        twice = double_each(column, weierstrass.a, weierstrass.p)
        positive = [group.entries(column)]
        for _ in range((1 << (width - 1)) - 1):
            column = add_each(column, twice, weierstrass.p)
            positive.append(group.entries(column))
        self._rows = [
            (*map(group.negative, reversed(row)), *row) for row in zip(*positive, strict=True)
        ]

    def __len__(self) -> int:
        return len(self._rows)

    def terms(self, scalar: int, count: int) -> Iterable[Entry]:
        """Return the table entries that add up to an odd scalar times the point.

        Args:
            scalar: Odd, below 2^(width * count).
            count: How many rows to use.
        """
        return [
            row[index]
            for row, index in zip(self._rows, windows(scalar, self.width, count), strict=False)
        ]


class Curve:
    """The arithmetic of one parameter set; get it from `curve_of`."""

    def __init__(self, params: ParamSet) -> None:
        self.params = params
        self.weierstrass = Weierstrass(params)
        self.group: Group = (
            Edwards(params.p, params.d)
            if params.e == 1 and params.d is not None
            else self.weierstrass
        )
        # One bit more than q, because `odd` may add q once.
        self._public_bits = params.q.bit_length() + 1

    @functools.cached_property
    def _base(self) -> Comb:
        params = self.params
        bits = self._public_bits + params.q.bit_length() // 2
        width = _BASE_WIDTH[params.size]
        return Comb(self.group, self.weierstrass, (params.x, params.y), width, bits)

    def comb(self, point: Affine) -> Comb:
        """Return a table for a point of order q that is multiplied often."""
        return Comb(self.group, self.weierstrass, point, _KEY_WIDTH, self._public_bits)

    def multiply_base(self, secret: int, random: Random) -> Affine:
        """Return a secret scalar of [1, q) times the base point.

        Both the scalar and the coordinates are blinded: nothing that is multiplied twice has the
        same digits twice, so repeated measurements of time do not add up.
        """
        scalar = blinded(secret, self.params.q, random)
        start = self.group.neutral(draw(self.params.p, random))
        point = self.group.add(start, self._base.terms(scalar, len(self._base)))
        return self.group.affine([point])[0]

    def add_base(self, point: Point, scalar: int) -> Point:
        """Add a public scalar times the base point to a point."""
        return self._add(point, self._base, scalar)

    def multiply(self, point: Affine, scalar: int, comb: Comb | None = None) -> Point:
        """Return a public scalar of [0, q) times a point of order q, with its table if any."""
        start = self.group.neutral(1)
        if comb:
            return self._add(start, comb, scalar)
        multiples, p = [point], self.params.p
        (step,) = double_each(multiples, self.params.a, p)
        for _ in range(3):
            multiples += add_each(multiples, [step] * len(multiples), p)
            (step,) = double_each([step], self.params.a, p)
        return self._ladder(wnaf(scalar, 5), self.group.entries(multiples))

    def has_order_q(self, point: Affine) -> bool:
        """Tell whether q times a point of the curve, of whatever order, is infinity."""
        total = self.weierstrass.neutral(1)
        for doublings, digit in wnaf(self.params.q, 2):
            total = self.weierstrass.double(total, doublings)
            if digit:
                entry = point if digit > 0 else self.weierstrass.negative(point)
                total = self.weierstrass.add(total, (entry,))
        return total[2] == 0

    def _add(self, point: Point, comb: Comb, scalar: int) -> Point:
        count = -(-self._public_bits // comb.width)
        return self.group.add(point, comb.terms(odd(scalar, self.params.q), count))

    def _ladder(self, steps: Iterable[tuple[int, int]], entries: Sequence[Entry]) -> Point:
        total = self.group.neutral(1)
        for doublings, digit in steps:
            total = self.group.double(total, doublings)
            if digit:
                entry = entries[abs(digit) >> 1]
                total = self.group.add(total, (entry if digit > 0 else self.group.negative(entry),))
        return total


@functools.lru_cache(maxsize=32)
def curve_of(params: ParamSet) -> Curve:
    """Return the arithmetic of a parameter set, the same object each time."""
    return Curve(params)
