"""Multiplication of points on one parameter set, with its tables."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Protocol

from medsign.gost.affine import Affine, Entry, Point, add_each
from medsign.gost.edwards import Edwards
from medsign.gost.params import PARAM_SETS, ParamSet
from medsign.gost.scalar import Random, blinded, blinded_bits, draw, odd, windows, wnaf
from medsign.gost.weierstrass import Weierstrass

# Bits of a window. Each wider one doubles a table and saves less and less time. These cost some
# 20 to 80 ms once for the base point and 4 to 30 ms for a public key; the Edwards form most.
_BASE_WIDTH = {32: 8, 64: 6}
_EXAMPLE_WIDTH = 4  # for curves that only the self-test uses, twice
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
        twice = add_each(column, column, weierstrass.a, weierstrass.p)
        positive = [group.entries(column)]
        for _ in range((1 << (width - 1)) - 1):
            column = add_each(column, twice, weierstrass.a, weierstrass.p)
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
        self._base: Comb | None = None

    def base(self) -> Comb:
        """Return the table of the base point, built at the first call."""
        # Not a cached_property: that of Python 3.11 holds a lock, and a fork may copy it locked.
        if self._base is None:
            params = self.params
            width = _BASE_WIDTH[params.size] if params in PARAM_SETS else _EXAMPLE_WIDTH
            point, bits = (params.x, params.y), blinded_bits(params.q)
            self._base = Comb(self.group, self.weierstrass, point, width, bits)
        return self._base

    def comb(self, point: Affine) -> Comb:
        """Return a table for a point of order q that is multiplied often."""
        return Comb(self.group, self.weierstrass, point, _KEY_WIDTH, self._public_bits)

    def multiply_base(self, secret: int, random: Random) -> Affine:
        """Return a secret scalar of [1, q) times the base point.

        Both the scalar and the coordinates are blinded: nothing that is multiplied twice has the
        same digits twice, so repeated measurements of time do not add up.
        """
        return self._blinded(secret, self.base(), random)

    def multiply_secret(self, point: Affine, secret: int, random: Random) -> Affine:
        """Return a secret scalar of [1, q) times a point of order q, as `multiply_base` does."""
        bits = blinded_bits(self.params.q)
        comb = Comb(self.group, self.weierstrass, point, _KEY_WIDTH, bits)
        return self._blinded(secret, comb, random)

    def add_base(self, point: Point, scalar: int) -> Point:
        """Add a public scalar times the base point to a point."""
        return self._add(point, self.base(), scalar)

    def multiply(self, point: Affine, scalar: int, comb: Comb | None = None) -> Point:
        """Return a public scalar of [0, q) times a point of order q, with its table if any."""
        start = self.group.neutral(1)
        if comb:
            return self._add(start, comb, scalar)
        return self._ladder(wnaf(scalar, 5), self.group.entries(self._odd_multiples(point, 3)))

    def has_order_q(self, point: Affine) -> bool:
        """Tell whether q times a point of the curve, of whatever order, is infinity."""
        total = self.weierstrass.neutral(1)
        for doublings, digit in wnaf(self.params.q, 2):
            total = self.weierstrass.double(total, doublings)
            if digit:
                entry = point if digit > 0 else self.weierstrass.negative(point)
                total = self.weierstrass.add(total, (entry,))
        return total[2] == 0

    def _blinded(self, secret: int, comb: Comb, random: Random) -> Affine:
        scalar = blinded(secret, self.params.q, random)
        start = self.group.neutral(draw(self.params.p, random))
        return self.group.affine([self.group.add(start, comb.terms(scalar, len(comb)))])[0]

    def _add(self, point: Point, comb: Comb, scalar: int) -> Point:
        count = -(-self._public_bits // comb.width)
        return self.group.add(point, comb.terms(odd(scalar, self.params.q), count))

    def _odd_multiples(self, point: Affine, times: int) -> list[Affine]:
        """Return 1, 3, 5, … times a point, 2^times of them."""
        a, p = self.params.a, self.params.p
        multiples = [point]
        (step,) = add_each(multiples, multiples, a, p)
        for _ in range(times):
            *more, step = add_each([*multiples, step], [step] * (len(multiples) + 1), a, p)
            multiples += more
        return multiples

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
