"""Jacobian coordinates on y² = x³ + ax + b: x = X / Z², y = Y / Z³; Z = 0 is infinity.

Formulas: Cohen, Miyaji and Ono, Asiacrypt 1998. Every exceptional case is handled, because an
attacker may choose the points that a verifier adds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from medsign.gost.affine import Affine, Entry, Point, invert_each
from medsign.gost.params import ParamSet


class Weierstrass:
    """The curve of a parameter set in Jacobian coordinates; a table entry is an affine point."""

    def __init__(self, params: ParamSet) -> None:
        self.p = params.p
        self.a = params.a

    def entries(self, points: Sequence[Affine]) -> Sequence[Affine]:
        """Return the points as `add` takes them."""
        return points

    def negative(self, entry: Entry) -> Entry:
        """Return the opposite of a table entry."""
        x, y = entry
        return x, self.p - y

    def neutral(self, z: int) -> Point:
        """Return infinity in such coordinates that a sum begun with it comes out scaled by z²."""
        return z * z % self.p, z * z * z % self.p, 0

    def double(self, point: Point, times: int) -> Point:
        """Double a point `times` times."""
        x, y, z = point
        p, a = self.p, self.a
        minus_3 = a == p - 3
        for _ in range(times):
            zz = z * z % p
            yy = y * y % p
            xyy4 = 4 * x * yy % p
            slope = (3 * (x - zz) * (x + zz) if minus_3 else 3 * x * x + a * (zz * zz % p)) % p
            z = 2 * y * z % p
            x = (slope * slope - 2 * xyy4) % p
            y = (slope * (xyy4 - x) - 8 * yy * yy) % p
        return x, y, z

    def add(self, point: Point, entries: Iterable[Entry]) -> Point:
        """Add table entries to a point, one after another."""
        x, y, z = point
        p = self.p
        for x2, y2 in entries:
            if not z:
                # Infinity is (s², s³, 0) for any s; its x serves as the scale of what comes next.
                z = x
                x, y = x2 * z * z % p, y2 * (z * z * z % p) % p
                continue
            zz = z * z % p
            h = (x2 * zz - x) % p
            r = (y2 * (zz * z % p) - y) % p
            if h:
                hh = h * h % p
                hhh = hh * h % p
                v = x * hh % p
                x = (r * r - hhh - 2 * v) % p
                y = (r * (v - x) - y * hhh) % p
                z = z * h % p
            elif r:
                x, y, z = 1, 1, 0
            else:
                x, y, z = self.double((x, y, z), 1)
        return x, y, z

    def affine(self, points: Sequence[Point]) -> list[Affine]:
        """Return finite points in affine coordinates."""
        p = self.p
        result: list[Affine] = []
        for (x, y, _), inverse in zip(
            points, invert_each([z for _, _, z in points], p), strict=True
        ):
            square = inverse * inverse % p
            result.append((x * square % p, y * (square * inverse % p) % p))
        return result

    def has_abscissa(self, point: Point, r: int, q: int) -> bool:
        """Tell whether the affine x of a point is r modulo q, without inverting anything."""
        x, _, z = point
        zz = z * z % self.p
        # X of infinity is never zero, so infinity has no abscissa here either.
        return any((c * zz - x) % self.p == 0 for c in range(r, self.p, q))
