"""What a key object promises: its checks were passed, and its secret stays inside."""

from __future__ import annotations

import pickle
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.errors import InvalidKey
from medsign.gost import PARAM_SETS, PrivateKey, PublicKey, param_set
from medsign.gost.curve import curve_of

every_set = pytest.mark.parametrize("params", PARAM_SETS, ids=lambda params: params.name)
with_cofactor = pytest.mark.parametrize(
    "params", [p for p in PARAM_SETS if p.cofactor == 4], ids=lambda params: params.name
)
A256 = param_set("1.2.643.7.1.2.1.1.1")
CRYPTOPRO_A = param_set("1.2.643.2.2.35.1")


@every_set
def test_keys_at_both_edges_are_opposite_points(params):
    first = PrivateKey(params, 1).public_key()
    last = PrivateKey(params, params.q - 1).public_key()
    assert (last.x, last.y) == (first.x, params.p - first.y)


@pytest.mark.parametrize("value", [0, -1, A256.q, A256.q + 1])
def test_a_private_key_outside_its_range_is_refused(value):
    with pytest.raises(InvalidKey):
        PrivateKey(A256, value)


@every_set
def test_octets_of_a_public_key_come_back(params):
    public = PrivateKey(params, 0xC0FFEE).public_key()
    octets = public.to_octets()
    assert len(octets) == 2 * params.size
    assert PublicKey.from_octets(params, octets) == public


def test_a_public_key_is_little_endian_x_then_y():
    octets = PrivateKey(CRYPTOPRO_A, 1).public_key().to_octets()
    assert octets[:32] == b"\1" + bytes(31)
    assert octets[32:] == CRYPTOPRO_A.y.to_bytes(32, "little")


@given(st.integers(1, A256.q - 1))
def test_octets_of_a_private_key_come_back(value):
    key = PrivateKey.from_octets(A256, PrivateKey(A256, value).to_octets())
    assert key.value == value


def test_a_private_key_is_little_endian():
    assert PrivateKey.from_octets(A256, b"\2" + bytes(31)).value == 2


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_private_key_of_a_wrong_length_is_refused(length):
    with pytest.raises(InvalidKey):
        PrivateKey.from_octets(A256, b"\1" * length)


@pytest.mark.parametrize("length", [0, 63, 65, 128])
def test_a_public_key_of_a_wrong_length_is_refused(length):
    with pytest.raises(InvalidKey):
        PublicKey.from_octets(A256, b"\1" * length)


@every_set
def test_a_point_off_the_curve_is_refused(params):
    with pytest.raises(InvalidKey):
        PublicKey(params, params.x, params.y + 1)


@every_set
def test_zeros_are_not_a_public_key(params):
    with pytest.raises(InvalidKey):
        PublicKey.from_octets(params, bytes(2 * params.size))


def test_a_coordinate_is_below_the_modulus():
    with pytest.raises(InvalidKey, match="outside the field"):
        PublicKey(A256, A256.x + A256.p, A256.y)
    with pytest.raises(InvalidKey, match="outside the field"):
        PublicKey(A256, A256.x, A256.y - A256.p)


def test_a_point_of_another_curve_is_refused():
    stranger = PrivateKey(CRYPTOPRO_A, 7).public_key()
    with pytest.raises(InvalidKey):
        PublicKey(A256, stranger.x, stranger.y)


@with_cofactor
def test_the_point_of_order_two_is_refused(params):
    x, y = point_of_order_two(params)
    assert y == 0
    with pytest.raises(InvalidKey, match="subgroup"):
        PublicKey(params, x, y)


@with_cofactor
def test_the_points_of_order_four_are_refused(params):
    for x, y in points_of_order_four(params):
        with pytest.raises(InvalidKey, match="subgroup"):
            PublicKey(params, x, y)


@with_cofactor
def test_a_good_point_shifted_by_a_small_one_is_refused(params):
    good = (params.x, params.y)
    for small in (point_of_order_two(params), *points_of_order_four(params)):
        shifted = plain_sum(params, good, small)
        with pytest.raises(InvalidKey, match="subgroup"):
            PublicKey(params, *shifted)


def test_a_refusal_is_not_remembered_as_a_success():
    for _ in range(2):
        with pytest.raises(InvalidKey):
            PublicKey(A256, 1, 1)


SECRET = 0x5EC2E7_5EC2E7_5EC2E7_5EC2E7


def test_no_text_of_a_private_key_shows_its_number():
    key = PrivateKey(A256, SECRET)
    texts = f"{key!r} {key!s} {key.public_key()!r} {[key]} {key:}"
    assert str(SECRET) not in texts
    assert f"{SECRET:x}" not in texts.lower()


def test_a_refused_private_key_is_not_in_the_error():
    value = A256.q + SECRET
    try:
        PrivateKey.from_octets(A256, value.to_bytes(32, "little"))
    except InvalidKey as error:
        text = "".join(traceback.format_exception(error)) + error.diagnostics()
    assert str(value) not in text
    assert f"{value:x}" not in text.lower()


def test_private_keys_are_not_compared_by_number():
    assert PrivateKey(A256, SECRET) != PrivateKey(A256, SECRET)


def test_the_public_key_is_computed_once():
    key = PrivateKey(A256, SECRET)
    assert key.public_key() is key.public_key()


def test_public_keys_are_compared_by_point():
    key = PrivateKey(A256, SECRET)
    same = PublicKey.from_octets(A256, key.public_key().to_octets())
    assert same == key.public_key()
    assert hash(same) == hash(key.public_key())


def test_keys_cannot_be_changed():
    key = PrivateKey(A256, SECRET)
    for thing, name in ((key, "value"), (key.public_key(), "x")):
        with pytest.raises(AttributeError):
            setattr(thing, name, 1)


def test_a_public_key_survives_pickle():
    public = PrivateKey(A256, SECRET).public_key()
    assert pickle.loads(pickle.dumps(public)) == public


def point_of_order_two(params) -> tuple[int, int]:
    # RFC 7836 §5.2 maps (u, v) = (0, -1) to x = t.
    return (params.e + params.d) * pow(6, -1, params.p) % params.p, 0


def points_of_order_four(params) -> list[tuple[int, int]]:
    # (u, v) = (±1, 0) are of order four when e = 1; they map to (s + t, ±s).
    p = params.p
    s = (params.e - params.d) * pow(4, -1, p) % p
    x = (s + point_of_order_two(params)[0]) % p
    return [(x, s), (x, p - s)]


def plain_sum(params, left, right) -> tuple[int, int]:
    """Add two points by the chord, as a school book does."""
    (x1, y1), (x2, y2), p = left, right, params.p
    slope = (y2 - y1) * pow(x2 - x1, -1, p)
    x = (slope * slope - x1 - x2) % p
    return x, (slope * (x1 - x) - y1) % p


@with_cofactor
def test_the_small_points_are_on_the_curve_indeed(params):
    for x, y in (point_of_order_two(params), *points_of_order_four(params)):
        assert (y * y - x**3 - params.a * x - params.b) % params.p == 0
        assert not curve_of(params).has_order_q((x, y))
