"""One suite over every provider that the machine has, with the portable one as a stranger."""

from __future__ import annotations

import array
import gc
import os
import secrets
import weakref
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medsign.errors import Unavailable, UsageError
from medsign.gost import (
    PARAM_SETS,
    PROVIDERS,
    DigestAlgorithm,
    PortableProvider,
    PrivateKey,
    Provider,
    choose,
    digest,
    digest_file,
    param_set,
    self_test,
)
from medsign.gost.native import nettle
from medsign.gost.params import EXAMPLE_256, EXAMPLE_512
from medsign.gost.streebog import Streebog

STRANGER = PortableProvider()
KEYS = {params: STRANGER.generate(params) for params in PARAM_SETS}
CRYPTOPRO_A = param_set("1.2.643.2.2.35.1")
NETTLE_KNOWS = [
    params
    for params in PARAM_SETS
    if params.numbers in {CRYPTOPRO_A.numbers, param_set("1.2.643.7.1.2.1.2.1").numbers}
]
SIGNERS = {"nettle": NETTLE_KNOWS, "openssl": PARAM_SETS, "portable": PARAM_SETS}
algorithms = pytest.mark.parametrize("algorithm", DigestAlgorithm, ids=lambda each: each.name)


def installed(name: str) -> Provider:
    try:
        return choose(name)
    except Unavailable as error:
        reason = f"needs {error.install}: {error.what}"
    if os.environ.get("MEDSIGN_INTEROP") == "require":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def native(name: str) -> list[pytest.MarkDecorator]:
    return [] if name == "portable" else [pytest.mark.interop]


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=native(name)) for name in PROVIDERS]
)
def provider(request) -> Provider:
    return installed(request.param)


@pytest.fixture(scope="module")
def signer(request) -> Provider:
    return installed(request.param)


def signers(knows):
    """Run a test with each provider that signs and each set of its own that `knows` picks."""
    return pytest.mark.parametrize(
        "signer, params",
        [
            pytest.param(name, params, marks=native(name), id=f"{name}-{params.name}")
            for name, sets in SIGNERS.items()
            for params in sets
            if knows(params)
        ],
        indirect=["signer"],
    )


every_set = signers(lambda params: True)
on_one_set = signers(lambda params: params is CRYPTOPRO_A)


def test_it_passes_its_self_test(provider):
    self_test(provider, every_curve=provider.name != "portable")


@pytest.mark.interop
def test_nettle_has_two_curves_under_all_their_names():
    known = [params for params in PARAM_SETS if installed("nettle").supports(params)]
    assert known == NETTLE_KNOWS
    assert len(known) == 4


@pytest.mark.interop
def test_openssl_has_every_curve_and_the_examples():
    assert all(map(installed("openssl").supports, (*PARAM_SETS, EXAMPLE_256, EXAMPLE_512)))


@pytest.mark.interop
@pytest.mark.parametrize("name", ["nettle", "gostprov", "libgcrypt"])
def test_a_curve_that_is_not_there_is_a_mistake_of_the_caller(name):
    provider, strange = installed(name), EXAMPLE_256
    key = PrivateKey(strange, 1)
    for call in (
        lambda: provider.generate(strange),
        lambda: provider.sign(key, bytes(32)),
        lambda: provider.verify(key.public_key(), bytes(32), bytes(64)),
    ):
        with pytest.raises(UsageError, match=strange.name):
            call()


@every_set
def test_what_it_signs_a_stranger_verifies(params, signer):
    key, message = KEYS[params], secrets.token_bytes(params.size)
    signature = signer.sign(key, message)
    assert len(signature) == 2 * params.size
    assert STRANGER.verify(key.public_key(), message, signature)
    assert signature != signer.sign(key, message)


@every_set
def test_what_a_stranger_signs_it_verifies(params, signer):
    key, message = KEYS[params], secrets.token_bytes(params.size)
    signature = STRANGER.sign(key, message)
    half = params.size
    assert signer.verify(key.public_key(), message, signature)
    assert not signer.verify(key.public_key(), message[::-1], signature)
    assert not signer.verify(key.public_key(), message, signature[half:] + signature[:half])
    assert not signer.verify(STRANGER.generate(params).public_key(), message, signature)


@every_set
def test_keys_that_it_makes_are_good(params, signer):
    key = signer.generate(params)
    message = bytes(params.size)
    assert key.value != signer.generate(params).value
    assert STRANGER.verify(key.public_key(), message, signer.sign(key, message))


@every_set
@pytest.mark.parametrize("value", [1, 2, -2, -1])
def test_keys_at_the_edges_sign(params, signer, value):
    key = PrivateKey(params, value % params.q)
    message = secrets.token_bytes(params.size)
    signature = signer.sign(key, message)
    assert STRANGER.verify(key.public_key(), message, signature)
    assert signer.verify(key.public_key(), message, signature)


@every_set
def test_digests_at_the_edges_are_signed(params, signer):
    key = KEYS[params]
    for number in (0, 1, params.q - 1, params.q, params.q + 1, 256**params.size - 1):
        message = (number % 256**params.size).to_bytes(params.size, "little")
        assert STRANGER.verify(key.public_key(), message, signer.sign(key, message))
        assert signer.verify(key.public_key(), message, STRANGER.sign(key, message))


@every_set
def test_halves_out_of_range_are_refused(params, signer):
    key, q, size = KEYS[params].public_key(), params.q, params.size
    signature = STRANGER.sign(KEYS[params], bytes(size))
    s, r = (int.from_bytes(half, "big") for half in (signature[:size], signature[size:]))
    for bad_s, bad_r in [(0, r), (s, 0), (0, 0), (q, r), (s, q), (s + q, r), (s, r + q)]:
        if max(bad_s, bad_r) < 256**size:
            octets = bad_s.to_bytes(size, "big") + bad_r.to_bytes(size, "big")
            assert not signer.verify(key, bytes(size), octets)


@every_set
def test_a_signature_of_a_wrong_length_is_refused(params, signer):
    key, size = KEYS[params], params.size
    signature = STRANGER.sign(key, bytes(size))
    for octets in (b"", signature[:size], signature[:-1], signature[1:], signature + b"\0"):
        assert not signer.verify(key.public_key(), bytes(size), octets)


@every_set
@pytest.mark.parametrize("change", [-1, 1, -32, 32])
def test_a_digest_of_a_wrong_length_is_a_mistake_of_the_caller(params, signer, change):
    wrong = bytes(params.size + change)
    with pytest.raises(UsageError):
        signer.sign(KEYS[params], wrong)
    with pytest.raises(UsageError):
        signer.verify(KEYS[params].public_key(), wrong, bytes(2 * params.size))


@on_one_set
@settings(max_examples=60)
@given(bit=st.integers(0, 767))
def test_a_flipped_bit_is_refused(signer, params, bit):
    key, message = KEYS[params], bytes(range(32))
    flipped = bytearray(message + STRANGER.sign(key, message))
    flipped[bit // 8] ^= 1 << bit % 8
    assert not signer.verify(key.public_key(), bytes(flipped[:32]), bytes(flipped[32:]))


@every_set
def test_a_forgery_that_makes_the_point_vanish_is_refused(params, signer):
    # With Q = P and s = r the sum s/e·P - r/e·Q is infinity, which has no abscissa.
    one = (1).to_bytes(params.size, "big")
    key = PrivateKey(params, 1).public_key()
    assert not signer.verify(key, secrets.token_bytes(params.size), one + one)


@algorithms
@given(message=st.binary(max_size=400), cuts=st.lists(st.integers(0, 400), max_size=4))
def test_any_message_in_any_pieces_has_the_same_digest(provider, algorithm, message, cuts):
    hasher = provider.hasher(algorithm)
    for start, end in pairwise([0, *sorted(min(cut, len(message)) for cut in cuts), len(message)]):
        hasher.update(message[start:end])
    assert hasher.algorithm is algorithm
    assert hasher.digest() == Streebog(algorithm, message).digest()


@algorithms
def test_threads_hash_at_once(provider, algorithm):
    messages = [bytes([number]) * 40 * number for number in range(150)]
    expected = [Streebog(algorithm, message).digest() for message in messages]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda each: provider.hash(algorithm, each), messages)) == expected


@algorithms
@pytest.mark.parametrize("length", [63, 64, 65, 96, 127, 128, 129, 5000])
def test_block_edges_and_carries_come_out(provider, algorithm, length):
    message = b"\xff" * length
    assert digest(algorithm, message, provider=provider) == Streebog(algorithm, message).digest()


@algorithms
def test_a_copy_goes_its_own_way(provider, algorithm):
    one = provider.hasher(algorithm)
    one.update(b"a" * 70)
    other = one.copy()
    one.update(b"b")
    other.update(b"c" * 70)
    assert one.digest() == Streebog(algorithm, b"a" * 70 + b"b").digest()
    assert other.digest() == Streebog(algorithm, b"a" * 70 + b"c" * 70).digest()


@algorithms
def test_a_digest_may_be_taken_in_the_middle(provider, algorithm):
    hasher = provider.hasher(algorithm)
    hasher.update(b"a")
    assert hasher.digest() == hasher.digest() == Streebog(algorithm, b"a").digest()
    hasher.update(b"b")
    assert hasher.digest() == Streebog(algorithm, b"ab").digest()


@pytest.mark.parametrize(
    "data",
    [
        bytearray(b"octets"),
        memoryview(b"octets"),
        memoryview(b"o.c.t.e.t.s.")[::2],
        memoryview(array.array("B", b"octets")),
    ],
    ids=["bytearray", "memoryview", "strided", "array"],
)
def test_any_kind_of_buffer_is_hashed_by_its_octets(provider, data):
    algorithm = DigestAlgorithm.STREEBOG_256
    hasher = provider.hasher(algorithm)
    hasher.update(data)
    assert hasher.digest() == Streebog(algorithm, b"octets").digest()


def test_text_is_not_octets(provider):
    with pytest.raises(TypeError):
        provider.hasher(DigestAlgorithm.STREEBOG_256).update("text")


def test_a_file_is_hashed(provider, tmp_path):
    (tmp_path / "file").write_bytes(b"\xff" * 3000)
    answer = digest_file(DigestAlgorithm.STREEBOG_512, tmp_path / "file", provider=provider)
    assert answer == Streebog(DigestAlgorithm.STREEBOG_512, b"\xff" * 3000).digest()


@pytest.mark.interop
@pytest.mark.parametrize("name", ["nettle", "openssl", "gostprov", "libgcrypt"])
def test_threads_that_feed_one_hasher_lose_nothing(name):
    # Equal pieces, so that their order does not matter; the GIL is released inside each.
    hasher = installed(name).hasher(DigestAlgorithm.STREEBOG_256)
    piece = b"x" * 4099
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hasher.update, [piece] * 200))
    assert hasher.digest() == digest(DigestAlgorithm.STREEBOG_256, piece * 200)


@on_one_set
def test_threads_share_a_provider(params, signer):
    keys = [STRANGER.generate(params) for _ in range(3)]

    def work(number: int) -> bool:
        key, message = keys[number % 3], secrets.token_bytes(32)
        signature = signer.sign(key, message)
        good = signer.verify(key.public_key(), message, signature)
        return good and not signer.verify(key.public_key(), message[::-1], signature)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(60)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@on_one_set
def test_parent_and_child_work_and_draw_different_nonces_after_a_fork(params, signer):
    key, algorithm = KEYS[params], DigestAlgorithm.STREEBOG_256
    hasher = signer.hasher(algorithm)
    hasher.update(b"before")
    signer.sign(key, bytes(32))
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            hasher.update(b"after")
            os.write(writer, hasher.digest() + signer.sign(key, bytes(32)))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reader, 96)
    os.close(reader)
    os.close(writer)
    ours = signer.sign(key, bytes(32))
    assert theirs[:32] == Streebog(algorithm, b"beforeafter").digest()
    assert hasher.digest() == Streebog(algorithm, b"before").digest()
    assert signer.verify(key.public_key(), bytes(32), theirs[32:])
    assert theirs[64:] != ours[32:]


@pytest.mark.interop
def test_nettle_leaves_no_working_memory_of_a_signature(monkeypatch):
    provider, seen = installed("nettle"), []
    curve = provider._curves[CRYPTOPRO_A]

    def remembered():
        seen.append(curve.sign_scratch())
        return seen[-1]

    watched = attrs.evolve(curve, sign_scratch=remembered)
    monkeypatch.setitem(provider._curves, CRYPTOPRO_A, watched)
    provider.sign(KEYS[CRYPTOPRO_A], bytes(32))
    assert [any(buffer.raw) for buffer in seen] == [False]


@pytest.mark.interop
def test_openssl_forgets_a_private_key_with_its_object():
    provider = installed("openssl")
    key = provider.generate(CRYPTOPRO_A)
    provider.sign(key, bytes(32))
    (context,) = provider._idle[key]
    native = weakref.ref(context)
    del context
    del key
    gc.collect()
    assert native() is None


@pytest.mark.interop
def test_nettle_signs_nothing_when_randomness_fails():
    def broken(size):
        raise OSError("no entropy")

    installed("nettle")
    with pytest.raises(OSError, match="no entropy"):
        nettle.NettleProvider(random=broken).sign(KEYS[CRYPTOPRO_A], bytes(32))
