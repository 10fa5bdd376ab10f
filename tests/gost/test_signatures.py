"""Signatures: the examples of the standard, gostcrypto as a stranger, and what must not pass."""

from __future__ import annotations

import json
import secrets
from functools import partial
from pathlib import Path

import pytest
from gostcrypto import gostsignature
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from medsign.errors import UsageError
from medsign.gost import PARAM_SETS, PortableProvider, PrivateKey, PublicKey, param_set
from medsign.gost.curve import curve_of
from medsign.gost.params import EXAMPLE_256, EXAMPLE_512
from medsign.gost.portable import rfc6979
from medsign.gost.streebog import Streebog

every_set = pytest.mark.parametrize("params", PARAM_SETS, ids=lambda params: params.name)
A256 = param_set("1.2.643.7.1.2.1.1.1")
CRYPTOPRO_A = param_set("1.2.643.2.2.35.1")
PROVIDER = PortableProvider()
KEYS = {params: PROVIDER.generate(params) for params in PARAM_SETS}

# GOST R 34.10-2012 appendix A.1 (RFC 7091 §7): d, e, k, r, s, x and y of the public key.
EXAMPLE_1 = (
    "7a929ade789bb9be10ed359dd39a72c11b60961f49397eee1d19ce9891ec3b28",
    "2dfbc1b372d89a1188c09c52e0eec61fce52032ab1022e8e67ece6672b043ee5",
    "77105c9b20bcd3122823c8cf6fcc7b956de33814e95b7fe64fed924594dceab3",
    "41aa28d2f1ab148280cd9ed56feda41974053554a42767b83ad043fd39dc0493",
    "01456c64ba4642a1653c235a98a60249bcd6d3f746b631df928014f6c5bf9c40",
    "7f2b49e270db6d90d8595bec458b50c58585ba1d4e9b788f6689dbd8e56fd80b",
    "26f1b489d6701dd185c8413a977b3cbbaf64d1c593d26627dffb101a87ff77da",
)
# Appendix A.2, 512 bits.
EXAMPLE_2 = (
    (
        "0ba6048aadae241ba40936d47756d7c93091a0e8514669700ee7508e508b1020"
        "72e8123b2200a0563322dad2827e2714a2636b7bfd18aadfc62967821fa18dd4"
    ),
    (
        "3754f3cfacc9e0615c4f4a7c4d8dab531b09b6f9c170c533a71d147035b0c591"
        "7184ee536593f4414339976c647c5d5a407adedb1d560c4fc6777d2972075b8c"
    ),
    (
        "0359e7f4b1410feacc570456c6801496946312120b39d019d455986e364f3658"
        "86748ed7a44b3e794434006011842286212273a6d14cf70ea3af71bb1ae679f1"
    ),
    (
        "2f86fa60a081091a23dd795e1e3c689ee512a3c82ee0dcc2643c78eea8fcacd3"
        "5492558486b20f1c9ec197c90699850260c93bcbcd9c5c3317e19344e173ae36"
    ),
    (
        "1081b394696ffe8e6585e7a9362d26b6325f56778aadbc081c0bfbe933d52ff5"
        "823ce288e8c4f362526080df7f70ce406a6eeb1f56919cb92a9853bde73e5b4a"
    ),
    (
        "115dc5bc96760c7b48598d8ab9e740d4c4a85a65be33c1815b5c320c854621dd"
        "5a515856d13314af69bc5b924c8b4ddff75c45415c1d9dd9dd33612cd530efe1"
    ),
    (
        "37c7c90cd40b0f5621dc3ac1b751cfa0e2634fa0503b3d52639f5d7fb72afd61"
        "ea199441d943ffe7f0c70a2759a3cdb84c114e1f9339fdf27f35eca93677beec"
    ),
)
examples = pytest.mark.parametrize(
    "params, example",
    [(EXAMPLE_256, EXAMPLE_1), (EXAMPLE_512, EXAMPLE_2)],
    ids=["A.1", "A.2"],
)


def always(number: int, order: int):
    """Return a random source from which `draw` takes this number."""
    octets = (order.bit_length() + 7) // 8
    drawn = (number << 8 * octets - order.bit_length()).to_bytes(octets, "big")
    return lambda size: drawn[:size].rjust(size, b"\1")


@examples
def test_the_examples_of_the_standard_are_signed_to_the_octet(params, example):
    d, e, k, r, s, *_ = example
    provider = PortableProvider(random=always(int(k, 16), params.q))
    signature = provider.sign(PrivateKey(params, int(d, 16)), bytes.fromhex(e)[::-1])
    assert signature.hex() == s + r


@examples
def test_the_examples_of_the_standard_are_verified(params, example):
    _, e, _, r, s, x, y = example
    key = PublicKey(params, int(x, 16), int(y, 16))
    assert PROVIDER.verify(key, bytes.fromhex(e)[::-1], bytes.fromhex(s + r))
    assert not PROVIDER.verify(key, bytes.fromhex(e)[::-1], bytes.fromhex(r + s))
    assert not PROVIDER.verify(key, bytes.fromhex(e), bytes.fromhex(s + r))


@examples
def test_the_examples_of_the_standard_have_their_public_key(params, example):
    d, *_, x, y = example
    public = PrivateKey(params, int(d, 16)).public_key()
    assert (public.x, public.y) == (int(x, 16), int(y, 16))


@every_set
@settings(max_examples=10)
@given(data=st.data())
def test_what_is_signed_verifies(params, data):
    key = PrivateKey(params, data.draw(st.integers(1, params.q - 1)))
    digest = data.draw(st.binary(min_size=params.size, max_size=params.size))
    signature = PROVIDER.sign(key, digest)
    assert len(signature) == 2 * params.size
    assert PROVIDER.verify(key.public_key(), digest, signature)


@every_set
@pytest.mark.parametrize("value", [1, 2, -2, -1])
def test_keys_at_the_edges_sign(params, value):
    key = PrivateKey(params, value % params.q)
    digest = secrets.token_bytes(params.size)
    assert PROVIDER.verify(key.public_key(), digest, PROVIDER.sign(key, digest))


@every_set
def test_digests_at_the_edges_are_signed(params):
    key = KEYS[params]
    for number in (0, 1, params.q - 1, params.q, params.q + 1, 256**params.size - 1):
        digest = (number % 256**params.size).to_bytes(params.size, "little")
        assert PROVIDER.verify(key.public_key(), digest, PROVIDER.sign(key, digest))


def test_a_digest_of_zero_counts_as_one():
    # GOST R 34.10-2012 §6.1 step 2.
    key = KEYS[A256]
    signature = PROVIDER.sign(key, bytes(32))
    assert PROVIDER.verify(key.public_key(), b"\1" + bytes(31), signature)


@pytest.mark.parametrize("params", [A256, CRYPTOPRO_A], ids=["Edwards", "Weierstrass"])
@pytest.mark.parametrize("uses", [0, 9], ids=["without a table", "with a table"])
@given(data=st.data())
def test_a_flipped_bit_is_refused(params, uses, data):
    key, provider = KEYS[params], PortableProvider()
    digest = bytes(range(32))
    signature = PROVIDER.sign(key, digest)
    for _ in range(uses):
        assert provider.verify(key.public_key(), digest, signature)
    bit = data.draw(st.integers(0, 767))
    flipped = bytearray(digest + signature)
    flipped[bit // 8] ^= 1 << bit % 8
    assert not provider.verify(key.public_key(), bytes(flipped[:32]), bytes(flipped[32:]))


@every_set
def test_another_key_is_refused(params):
    digest = secrets.token_bytes(params.size)
    signature = PROVIDER.sign(KEYS[params], digest)
    assert not PROVIDER.verify(PROVIDER.generate(params).public_key(), digest, signature)


@every_set
def test_halves_out_of_range_are_refused(params):
    key, q = KEYS[params], params.q
    digest = bytes(params.size)
    signature = PROVIDER.sign(key, digest)
    s = int.from_bytes(signature[: params.size], "big")
    r = int.from_bytes(signature[params.size :], "big")
    top = 256**params.size
    for bad_s, bad_r in [(0, r), (s, 0), (0, 0), (q, r), (s, q), (s + q, r), (s, r + q)]:
        if bad_s < top and bad_r < top:
            octets = bad_s.to_bytes(params.size, "big") + bad_r.to_bytes(params.size, "big")
            assert not PROVIDER.verify(key.public_key(), digest, octets)


@every_set
def test_a_signature_of_a_wrong_length_is_refused(params):
    digest = bytes(params.size)
    signature = PROVIDER.sign(KEYS[params], digest)
    public = KEYS[params].public_key()
    s, r = signature[: params.size], signature[params.size :]
    for octets in (b"", s, signature[:-1], signature[1:], signature + b"\0", s + b"\0" + r):
        assert not PROVIDER.verify(public, digest, octets)


@every_set
@pytest.mark.parametrize("change", [-1, 1, -32, 32])
def test_a_digest_of_a_wrong_length_is_a_mistake_of_the_caller(params, change):
    digest = bytes(params.size + change)
    with pytest.raises(UsageError):
        PROVIDER.sign(KEYS[params], digest)
    with pytest.raises(UsageError):
        PROVIDER.verify(KEYS[params].public_key(), digest, bytes(2 * params.size))


def test_a_forgery_that_makes_the_point_vanish_is_refused():
    # With Q = P and s = r the sum s/e·P - r/e·Q is infinity, which has no abscissa.
    for params in (A256, CRYPTOPRO_A):
        one = (1).to_bytes(params.size, "big")
        key = PrivateKey(params, 1).public_key()
        assert not PROVIDER.verify(key, secrets.token_bytes(params.size), one + one)


def test_a_zero_r_is_no_key_to_every_door():
    # The base point of this set has abscissa 0: without the check s = e, r = 0 signs anything.
    params = param_set("1.2.643.2.2.35.3")
    digest = secrets.token_bytes(31) + b"\0"
    forgery = digest[::-1] + bytes(32)
    assert params.x == 0
    assert not PROVIDER.verify(KEYS[params].public_key(), digest, forgery)


def test_a_zero_s_is_refused_even_where_the_equation_holds():
    digest, r, key = with_vanishing_s(CRYPTOPRO_A, nonce=5)
    signature = bytes(32) + r.to_bytes(32, "big")
    assert not PROVIDER.verify(key.public_key(), digest, signature)


def with_vanishing_s(params, nonce):
    """Return a digest, the r of the nonce and the key -ke/r, with which s = rd + ke is zero."""
    x, _ = curve_of(params).multiply_base(nonce, secrets.token_bytes)
    r, e = x % params.q, 1
    key = PrivateKey(params, -nonce * e * pow(r, -1, params.q) % params.q)
    return e.to_bytes(params.size, "little"), r, key


def test_two_signatures_of_one_digest_differ():
    key = KEYS[A256]
    assert PROVIDER.sign(key, bytes(32)) != PROVIDER.sign(key, bytes(32))


def test_a_derived_nonce_makes_equal_signatures_of_equal_digests():
    provider = PortableProvider(deterministic=True)
    key = KEYS[A256]
    signature = provider.sign(key, bytes(32))
    assert signature == provider.sign(key, bytes(32))
    assert provider.verify(key.public_key(), bytes(32), signature)
    assert signature[32:] != provider.sign(key, b"\1" * 32)[32:]


@every_set
def test_a_derived_nonce_takes_the_digest_as_the_number_that_is_signed(params):
    key, digest = KEYS[params], bytes(range(params.size))
    nonces = rfc6979(params.q, key.value, digest[::-1], partial(Streebog, params.digest))
    x, _ = curve_of(params).multiply_base(next(nonces), secrets.token_bytes)
    signature = PortableProvider(deterministic=True).sign(key, digest)
    assert int.from_bytes(signature[params.size :], "big") == x % params.q


def test_a_derived_nonce_does_not_depend_on_the_blinding():
    key = KEYS[CRYPTOPRO_A]
    one, other = (
        PortableProvider(deterministic=True, random=lambda size, octet=octet: octet * size)
        for octet in (b"\x11", b"\x22")
    )
    assert one.sign(key, bytes(32)) == other.sign(key, bytes(32))


def test_a_zero_half_is_drawn_again():
    digest, _, key = with_vanishing_s(CRYPTOPRO_A, nonce=5)
    provider = PortableProvider()
    provider._nonces = lambda *_: iter([5, 7])
    signature = provider.sign(key, digest)
    seventh, _ = curve_of(CRYPTOPRO_A).multiply_base(7, secrets.token_bytes)
    assert int.from_bytes(signature[32:], "big") == seventh % CRYPTOPRO_A.q


def test_generated_keys_differ_and_come_from_the_given_source():
    assert PROVIDER.generate(A256).value != PROVIDER.generate(A256).value
    assert PortableProvider(random=always(42, A256.q)).generate(A256).value == 42


THEIRS = {
    params: gostsignature.new(
        gostsignature.MODE_256 if params.size == 32 else gostsignature.MODE_512,
        gostsignature.CURVES_R_1323565_1_024_2019[name],
    )
    for params in PARAM_SETS
    for name in (params.name, params.name.replace("2012-", "12-", 1))
    if name in gostsignature.CURVES_R_1323565_1_024_2019
}
shared_curves = pytest.mark.parametrize("params", THEIRS, ids=lambda params: params.name)


@shared_curves
@settings(max_examples=3)
@given(data=st.data())
def test_gostcrypto_verifies_what_we_sign(params, data):
    key = PrivateKey(params, data.draw(st.integers(1, params.q - 1)))
    digest = data.draw(st.binary(min_size=params.size, max_size=params.size))
    signature = PROVIDER.sign(key, digest)
    swapped = signature[params.size :] + signature[: params.size]  # it writes r‖s
    public = key.public_key()
    assume(public.x)  # for abscissa 0 it multiplies the base point instead
    point = b"".join(v.to_bytes(params.size, "big") for v in (public.x, public.y))
    theirs = THEIRS[params]
    # It reads the digest big-endian.
    assert theirs.verify(bytearray(point), bytearray(digest[::-1]), bytearray(swapped))


@shared_curves
@settings(max_examples=3)
@given(data=st.data())
def test_we_verify_what_gostcrypto_signs(params, data):
    key = PrivateKey(params, data.draw(st.integers(1, params.q - 1)))
    digest = data.draw(st.binary(min_size=params.size, max_size=params.size))
    secret = bytearray(key.value.to_bytes(params.size, "big"))
    theirs = bytes(THEIRS[params].sign(secret, bytearray(digest[::-1])))
    signature = theirs[params.size :] + theirs[: params.size]
    assert PROVIDER.verify(key.public_key(), digest, signature)


def test_core_vectors_verify(shared_data: Path):
    path = shared_data / "real/08_vectors/core_vectors.json"
    sets = {params.p: params for params in (EXAMPLE_256, EXAMPLE_512)}
    vectors = json.loads(path.read_text())["vectors"]["gost3410_2012"]
    for vector in vectors:
        params = sets[int(vector["curve"]["p"], 16)]
        key = PublicKey(params, *(int(half, 16) for half in vector["pub"]))
        digest = bytes.fromhex(vector["digest"])[::-1]
        assert PROVIDER.verify(key, digest, bytes.fromhex(vector["signature"]))
    assert len(vectors) == 2
