"""Keys of GOST R 34.10-2012; an object of these classes has passed its checks."""

from __future__ import annotations

import functools
import secrets

import attrs

from medsign.errors import InvalidKey
from medsign.gost.curve import curve_of
from medsign.gost.params import ParamSet


@attrs.frozen
class PublicKey:
    """A point that was checked: in range, on the curve and of order q.

    A point off the curve, or of small order on a curve with a cofactor, lets its sender make
    signatures that verify for other messages as well.

    Args:
        params: The curve.
        x: Abscissa.
        y: Ordinate.

    Raises:
        InvalidKey: The point fails a check.
    """

    params: ParamSet
    x: int = attrs.field(repr=hex)
    y: int = attrs.field(repr=hex)

    def __attrs_post_init__(self) -> None:
        _check(self.params, self.x, self.y)

    @classmethod
    def from_octets(cls, params: ParamSet, octets: bytes) -> PublicKey:
        """Read x‖y, each little-endian, as in a SubjectPublicKeyInfo (RFC 9215 §4.3).

        Raises:
            InvalidKey: The length is wrong, or the point fails a check.
        """
        size = params.size
        if len(octets) != 2 * size:
            raise InvalidKey(f"a public key on {params.name} has {2 * size} octets")
        x, y = int.from_bytes(octets[:size], "little"), int.from_bytes(octets[size:], "little")
        return cls(params, x, y)

    def to_octets(self) -> bytes:
        """Return x‖y, each little-endian: 64 or 128 octets."""
        size = self.params.size
        return self.x.to_bytes(size, "little") + self.y.to_bytes(size, "little")


# A chain is checked over and over with the same few keys; a failed check is not remembered.
@functools.lru_cache(maxsize=1024)
def _check(params: ParamSet, x: int, y: int) -> None:
    p = params.p
    if not (0 <= x < p and 0 <= y < p):
        raise InvalidKey(f"a coordinate lies outside the field of {params.name}")
    if (y * y - x * x * x - params.a * x - params.b) % p:
        raise InvalidKey(f"the point is not on {params.name}")
    # With cofactor 1 every point but infinity, which has no coordinates, is of order q.
    if params.cofactor != 1 and not curve_of(params).has_order_q((x, y)):
        raise InvalidKey(f"the point is outside the prime-order subgroup of {params.name}")


@attrs.frozen(eq=False)
class PrivateKey:
    """A secret number of [1, q).

    It is in no repr, and two keys are equal only if they are the same object: comparing numbers
    takes time that depends on them. Compare the public keys.

    Args:
        params: The curve.
        value: The number.

    Raises:
        InvalidKey: The number is outside [1, q).

    Example:
        >>> from medsign.gost.params import param_set
        >>> PrivateKey(param_set("1.2.643.2.2.35.1"), 1).public_key().x
        1
    """

    params: ParamSet
    value: int = attrs.field(repr=False)

    def __attrs_post_init__(self) -> None:
        if not 0 < self.value < self.params.q:
            raise InvalidKey(f"a private key on {self.params.name} lies outside [1, q)")

    @classmethod
    def from_octets(cls, params: ParamSet, octets: bytes) -> PrivateKey:
        """Read a little-endian number of 32 or 64 octets, as PKCS #8 files hold it.

        Raises:
            InvalidKey: The length is wrong, or the number is outside [1, q).
        """
        if len(octets) != params.size:
            raise InvalidKey(f"a private key on {params.name} has {params.size} octets")
        return cls(params, int.from_bytes(octets, "little"))

    def to_octets(self) -> bytes:
        """Return the number little-endian: 32 or 64 octets. They are the secret itself."""
        return self.value.to_bytes(self.params.size, "little")

    def public_key(self) -> PublicKey:
        """Return the key that verifies what this one signs; computed once."""
        return self._public_key

    # In Python even beside native providers: once for a key it costs 0.3 ms (256 bits)
    # or 2 ms (512), and for this alone every provider would have to multiply points.
    @functools.cached_property
    def _public_key(self) -> PublicKey:
        point = curve_of(self.params).multiply_base(self.value, secrets.token_bytes)
        return PublicKey(self.params, *point)
