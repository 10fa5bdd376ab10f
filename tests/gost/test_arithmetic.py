"""Recodings, tables and both forms of a curve against the school book."""

from __future__ import annotations

import hashlib
import itertools
import secrets
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.gost import PARAM_SETS, param_set
from medsign.gost.affine import invert_each
from medsign.gost.curve import curve_of
from medsign.gost.params import EXAMPLE_256
from medsign.gost.portable import rfc6979
from medsign.gost.scalar import blinded, draw, odd, windows, wnaf
from medsign.gost.streebog import Streebog

A256 = param_set("1.2.643.7.1.2.1.1.1")
CRYPTOPRO_A = param_set("1.2.643.2.2.35.1")
forms = pytest.mark.parametrize(
    "params", [A256, CRYPTOPRO_A, EXAMPLE_256], ids=["Edwards", "a = -3", "any a"]
)
every_set = pytest.mark.parametrize("params", PARAM_SETS, ids=lambda params: params.name)


def multiple(params, point, scalar):
    """Multiply in affine coordinates, one inversion per step; None is infinity."""
    total = None
    for bit in f"{scalar:b}":
        total = plain_sum(params, total, total)
        if bit == "1":
            total = plain_sum(params, total, point)
    return total


def plain_sum(params, left, right):
    if left is None or right is None:
        return left or right
    (x1, y1), (x2, y2), p = left, right, params.p
    if x1 == x2 and (y1 + y2) % p == 0:
        return None
    slope = (
        (3 * x1 * x1 + params.a) * pow(2 * y1, -1, p)
        if left == right
        else (y2 - y1) * pow(x2 - x1, -1, p)
    )
    x = (slope * slope - x1 - x2) % p
    return x, (slope * (x1 - x) - y1) % p


@given(st.integers(0, 2**300).map(lambda n: 2 * n + 1), st.integers(2, 8))
def test_windows_add_up_to_the_scalar(scalar, width):
    count = -(-scalar.bit_length() // width)
    digits = [2 * index + 1 - (1 << width) for index in windows(scalar, width, count)]
    assert sum(digit << width * i for i, digit in enumerate(digits)) == scalar
    assert all(digit & 1 for digit in digits)


@given(st.integers(0, 2**300), st.integers(2, 6))
def test_wnaf_adds_up_to_the_scalar(scalar, width):
    total = 0
    for doublings, digit in wnaf(scalar, width):
        total = (total << doublings) + digit
        assert abs(digit) < 1 << (width - 1)
    assert total == scalar


@given(st.integers(1, A256.q - 1))
def test_a_blinded_scalar_is_odd_congruent_and_new(scalar):
    one, other = (blinded(scalar, A256.q, secrets.token_bytes) for _ in range(2))
    assert one % A256.q == other % A256.q == scalar
    assert one & other & 1
    assert one != other


@every_set
def test_a_blinded_scalar_always_fits_the_table(params):
    worst = blinded(params.q - 1, params.q, lambda size: b"\xff" * size)
    comb = curve_of(params).base()
    assert worst.bit_length() <= len(comb) * comb.width


@every_set
def test_blinding_reaches_the_top_bits_of_the_scalar(params):
    """An order close to a power of two would show them through a mask shorter than half of it."""
    power = params.q.bit_length() - 1 if params.cofactor == 4 else params.q.bit_length()
    tops = {blinded(1, params.q, secrets.token_bytes) % 2**power >> power - 8 for _ in range(100)}
    assert len(tops) > 30


@given(st.integers(0, 1000))
def test_odd_is_odd_and_congruent(scalar):
    assert odd(scalar, 101) & 1
    assert odd(scalar, 101) % 101 == scalar % 101


def test_a_draw_rejects_what_is_out_of_range():
    answers = iter([b"\x00", b"\xfe", b"\xca", b"\x0a"])  # with a bit too many: 0, 127, 101, 5
    assert draw(101, lambda _size: next(answers)) == 5


def test_a_draw_reaches_both_edges():
    drawn = {draw(5, secrets.token_bytes) for _ in range(500)}
    assert drawn == {1, 2, 3, 4}


@given(st.lists(st.integers(1, A256.p - 1), min_size=1, max_size=5))
def test_inverses_are_inverses(values):
    inverses = invert_each(values, A256.p)
    assert all(v * i % A256.p == 1 for v, i in zip(values, inverses, strict=True))


@forms
@given(data=st.data())
def test_the_base_point_is_multiplied_right(params, data):
    scalar = data.draw(st.integers(1, params.q - 1))
    ours = curve_of(params).multiply_base(scalar, secrets.token_bytes)
    assert ours == multiple(params, (params.x, params.y), scalar)


@forms
@given(data=st.data())
def test_a_point_is_multiplied_right_with_and_without_a_table(params, data):
    curve = curve_of(params)
    secret, scalar = (data.draw(st.integers(1, params.q - 1)) for _ in range(2))
    point = curve.multiply_base(secret, secrets.token_bytes)
    answer = multiple(params, point, scalar)
    assert curve.group.affine([curve.multiply(point, scalar)]) == [answer]
    comb = curve.comb(point)
    assert curve.group.affine([curve.multiply(point, scalar, comb)]) == [answer]


@every_set
@pytest.mark.parametrize("scalar", [1, 2, 3, -3, -2, -1])
def test_scalars_at_the_edges_are_multiplied_right(params, scalar):
    curve, base = curve_of(params), (params.x, params.y)
    answer = multiple(params, base, scalar % params.q)
    assert curve.multiply_base(scalar % params.q, secrets.token_bytes) == answer
    assert curve.group.affine([curve.multiply(base, scalar % params.q)]) == [answer]


@forms
def test_every_sum_of_small_multiples_is_right(params):
    """Equal, opposite and vanishing points: an attacker may choose them."""
    curve, base = curve_of(params), (params.x, params.y)
    for left, right in itertools.product([0, 1, 2, 3, params.q - 2, params.q - 1], repeat=2):
        total = curve.add_base(curve.multiply(base, left), right)
        answer = multiple(params, base, (left + right) % params.q)
        if answer:
            assert curve.group.affine([total]) == [answer]
        else:
            assert not any(
                curve.group.has_abscissa(total, r, params.q) for r in (0, 1, params.x, params.q)
            )


@forms
def test_doubling_zero_times_changes_nothing(params):
    curve = curve_of(params)
    point = curve.multiply((params.x, params.y), 5)
    assert curve.group.double(point, 0) == point


@forms
def test_the_abscissa_is_compared_modulo_q(params):
    curve = curve_of(params)
    for scalar in range(1, 12):
        x, _ = multiple(params, (params.x, params.y), scalar)
        total = curve.multiply((params.x, params.y), scalar)
        assert curve.group.has_abscissa(total, x % params.q, params.q)
        assert not curve.group.has_abscissa(total, (x + 1) % params.q, params.q)


# RFC 6979 appendices A.1.2 and A.2.5 (SHA-256): q, key, message, nonce.
RFC_6979 = [
    (
        "4000000000000000000020108A2E0CC0D99F8A5EF",
        "09A4D6792295A7F730FC3F2B49CBC0F62E862272F",
        b"sample",
        "23AF4074C90A02B3FE61D286D5C87F425E6BDD81B",
    ),
    (
        "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551",
        "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
        b"sample",
        "A6E3C57DD01ABE90086538398355DD4C3B17AA873382B0F24D6129493D8AAD60",
    ),
    (
        "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551",
        "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
        b"test",
        "D16B6AE827F17175E040871A1C7EC3500192C4C92677336EC2537ACAEE0008E0",
    ),
]


@pytest.mark.parametrize("q, key, message, nonce", RFC_6979)
def test_nonces_are_those_of_rfc_6979(q, key, message, nonce):
    digest = hashlib.sha256(message).digest()
    nonces = rfc6979(int(q, 16), int(key, 16), digest, hashlib.sha256)
    assert next(nonces) == int(nonce, 16)


@every_set
def test_derived_nonces_are_in_range_and_do_not_repeat(params):
    digestmod = partial(Streebog, params.digest)
    nonces = list(itertools.islice(rfc6979(params.q, 1, bytes(params.size), digestmod), 4))
    assert len({*nonces}) == 4
    assert all(0 < nonce < params.q for nonce in nonces)
