"""Extended coordinates on the twisted Edwards form eu² + v² = 1 + du²v².

u = X / Z, v = Y / Z, uv = T / Z (Hisil, Wong, Carter and Dawson, Asiacrypt 2008). With e a square
and d none, as in both sets that have this form (RFC 7836 §5.2), the addition has no exceptions.
The map to the Weierstrass form is that of RFC 7836 §5.2, with s = (e - d) / 4, t = (e + d) / 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from medsign.gost.affine import Affine, Entry, Point, invert_each


class Edwards:
    """The Edwards form of a parameter set; a table entry is (u, v, duv).

    Only e = 1 is implemented, because no published set has another.
    """

    def __init__(self, p: int, d: int) -> None:
        self.p = p
        self.d = d
        self.s = (1 - d) * pow(4, -1, p) % p
        self.t = (1 + d) * pow(6, -1, p) % p

    def entries(self, points: Sequence[Affine]) -> Sequence[Entry]:
        """Map points of the Weierstrass form, of order q, to table entries."""
        p, s, t = self.p, self.s, self.t
        inverses = invert_each([y * (x - t + s) % p for x, y in points], p)
        result: list[Entry] = []
        for (x, y), inverse in zip(points, inverses, strict=True):
            u = (x - t) * (x - t + s) * inverse % p
            v = (x - t - s) * y * inverse % p
            result.append((u, v, u * v % p * self.d % p))
        return result

    def negative(self, entry: Entry) -> Entry:
        """Return the opposite of a table entry."""
        u, v, duv = entry
        return self.p - u, v, self.p - duv

    def neutral(self, z: int) -> Point:
        """Return the neutral point (0, 1), scaled by z."""
        return 0, z, z, 0

    def double(self, point: Point, times: int) -> Point:
        """Double a point `times` times."""
        x, y, z, t = point
        p = self.p
        e = h = 0
        for _ in range(times):
            xx = x * x
            yy = y * y
            e = 2 * x * y % p
            g = (xx + yy) % p
            f = (g - 2 * z * z) % p
            h = (xx - yy) % p
            x, y, z = e * f % p, g * h % p, f * g % p
        # Doubling reads no T, so only the last one makes it.
        return x, y, z, e * h % p if times else t

    def add(self, point: Point, entries: Iterable[Entry]) -> Point:
        """Add table entries to a point, one after another."""
        x, y, z, t = point
        p = self.p
        for u, v, duv in entries:
            xu = x * u
            yv = y * v
            c = t * duv % p
            e = ((x + y) * (u + v) - xu - yv) % p
            f = z - c
            g = z + c
            h = (yv - xu) % p
            x, y, z, t = e * f % p, g * h % p, f * g % p, e * h % p
        return x, y, z, t

    def affine(self, points: Sequence[Point]) -> list[Affine]:
        """Return points of order q in affine coordinates of the Weierstrass form."""
        p = self.p
        inverses = invert_each([x * (z - y) % p for x, y, z, _ in points], p)
        result: list[Affine] = []
        for (x, y, z, _), inverse in zip(points, inverses, strict=True):
            numerator = self.s * (z + y) * inverse % p
            result.append(((self.t + numerator * x) % p, numerator * z % p))
        return result

    def has_abscissa(self, point: Point, r: int, q: int) -> bool:
        """Tell whether the Weierstrass x of a point is r modulo q, without inverting anything."""
        _, y, z, _ = point
        denominator = z - y
        # Of the neutral point the denominator is zero and the numerator is not: no r fits.
        numerator = self.s * (z + y) + self.t * denominator
        return any((c * denominator - numerator) % self.p == 0 for c in range(r, self.p, q))
