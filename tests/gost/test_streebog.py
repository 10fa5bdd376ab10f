"""Streebog against RFC 6986, the vectors of other libraries and gostcrypto."""

from __future__ import annotations

import hmac
import io
import json
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from gostcrypto import gosthash
from hypothesis import given
from hypothesis import strategies as st

from medsign.errors import UsageError
from medsign.gost import DigestAlgorithm, digest, digest_file
from medsign.gost.streebog import Streebog

ALGORITHMS = st.sampled_from(DigestAlgorithm)
S256, S512 = DigestAlgorithm.STREEBOG_256, DigestAlgorithm.STREEBOG_512

# RFC 6986 §10 prints its vectors with the last octet first; these are in the order of the wire.
M1 = b"012345678901234567890123456789012345678901234567890123456789012"
M2 = "Се ветри, Стрибожи внуци, веютъ с моря стрелами на храбрыя плъкы Игоревы".encode("cp1251")
RFC_6986 = [
    (S256, M1, "9d151eefd8590b89daa6ba6cb74af9275dd051026bb149a452fd84e5e57b5500"),
    (
        S512,
        M1,
        (
            "1b54d01a4af5b9d5cc3d86d68d285462b19abc2475222f35c085122be4ba1ffa"
            "00ad30f8767b3a82384c6574f024c311e2a481332b08ef7f41797891c1646f48"
        ),
    ),
    (S256, M2, "9dd2fe4e90409e5da87f53976d7405b0c0cac628fc669a741d50063c557e8f50"),
    (
        S512,
        M2,
        (
            "1e88e62226bfca6f9994f1f2d51569e0daf8475a3b0fe61a5300eee46d961376"
            "035fe83549ada2b8620fcd7c496ce5b33f0cb9dddc2b6460143b03dabac9fb28"
        ),
    ),
]


@pytest.mark.parametrize("algorithm, message, answer", RFC_6986)
def test_the_examples_of_rfc_6986_come_out(algorithm, message, answer):
    assert Streebog(algorithm, message).hexdigest() == answer


def test_a_carry_runs_through_the_whole_checksum():
    # 64 octets FF and then 32 more: the sum overflows into every octet (RustCrypto/hashes#91).
    answer = "cec87784e5b15bb20e1717ff8e940c9ef9a156401f31546f48a4314ad9f34606"
    assert Streebog(S256, b"\xff" * 96).hexdigest() == answer


@pytest.mark.parametrize("length", [63, 64, 65, 127, 128, 129, 191, 192, 193])
@pytest.mark.parametrize("octet", [b"\x00", b"\xee", b"\xff"])
def test_block_edges_agree_with_gostcrypto(octet, length):
    message = octet * length
    assert Streebog(S512, message).digest() == gostcrypto_digest(S512, message)


def test_the_vectors_of_gost_engine_come_out(shared_data: Path):
    folder = shared_data / "real/08_vectors/gost_engine_etalon"
    lines = (folder / "dgst.result").read_text().splitlines()
    checked = 0
    for line in lines:
        head, answer = line.split("= ")
        name, algorithm = head[14:-1], S512 if head.startswith("md_gost12_512") else S256
        if (folder / name).is_file():
            assert digest_file(algorithm, folder / name).hex() == answer.strip(), head
            checked += 1
    assert checked >= 12


def test_the_vectors_of_botan_come_out(shared_data: Path):
    text = (shared_data / "real/08_vectors/botan/streebog.vec").read_text()
    algorithm, message, checked = S256, b"", 0
    for line in text.splitlines():
        name, _, value = line.partition(" =")
        if name.startswith("["):
            algorithm = S512 if "512" in name else S256
        elif name == "In":
            message = bytes.fromhex(value)
        elif name == "Out":
            assert Streebog(algorithm, message).hexdigest() == value.strip().lower()
            checked += 1
    assert checked > 10


@given(ALGORITHMS, st.binary(max_size=200))
def test_any_message_agrees_with_gostcrypto(algorithm, message):
    assert Streebog(algorithm, message).digest() == gostcrypto_digest(algorithm, message)


@given(ALGORITHMS, st.binary(max_size=400), st.lists(st.integers(0, 400)))
def test_the_split_into_updates_does_not_matter(algorithm, message, cuts):
    hasher = Streebog(algorithm)
    for start, end in pairwise([0, *sorted(cuts), 400]):
        hasher.update(message[start:end])
    assert hasher.digest() == Streebog(algorithm, message).digest()


@given(st.binary(max_size=150), st.binary(max_size=150), st.binary(max_size=150))
def test_a_copy_goes_its_own_way(start, left, right):
    hasher = Streebog(S256, start)
    copy = hasher.copy()
    hasher.update(left)
    copy.update(right)
    assert hasher.digest() == Streebog(S256, start + left).digest()
    assert copy.digest() == Streebog(S256, start + right).digest()


def test_a_digest_may_be_taken_in_the_middle():
    hasher = Streebog(S256, b"one")
    assert hasher.digest() == hasher.digest() == Streebog(S256, b"one").digest()
    hasher.update(b"two")
    assert hasher.digest() == Streebog(S256, b"onetwo").digest()


@pytest.mark.parametrize(
    "kind",
    [
        bytes,
        bytearray,
        memoryview,
        pytest.param(lambda data: memoryview(data).cast("H"), id="16-bit items"),
        pytest.param(lambda data: memoryview(data[::-1])[::-1], id="not contiguous"),
    ],
)
def test_any_kind_of_buffer_is_hashed_by_its_octets(kind):
    message = bytes(range(200))
    assert Streebog(S256, kind(message)).digest() == Streebog(S256, message).digest()


def test_text_is_not_octets():
    with pytest.raises(TypeError):
        Streebog(S256).update("text")


def test_hmac_gives_the_answers_of_rfc_7836():
    # RFC 7836 appendix B, examples 1 and 2.
    key, data = bytes(range(32)), bytes.fromhex("0126bdb87800af214341456563780100")
    assert hmac.new(key, data, partial(Streebog, S256)).hexdigest() == (
        "a1aa5f7de402d7b3d323f2991c8d4534013137010a83754fd0af6d7cd4922ed9"
    )
    assert hmac.new(key, data, partial(Streebog, S512)).hexdigest() == (
        "a59bab22ecae19c65fbde6e5f4e9f5d8549d31f037f9df9b905500e171923a77"
        "3d5f1530f2ed7e964cb2eedc29e9ad2f3afe93b2814f79f5000ffc0366c251e6"
    )


def test_a_digest_of_chunks_is_the_digest_of_the_whole():
    whole = Streebog(S256, M1 + M2).digest()
    assert digest(S256, M1 + M2) == digest(S256, iter([M1, M2])) == whole
    assert digest(S256, memoryview(M1 + M2)) == whole


def test_a_file_is_hashed_by_path_and_by_stream(tmp_path: Path):
    path = tmp_path / "document.pdf"
    path.write_bytes(bytes(100_000))
    answer = Streebog(S512, bytes(100_000)).digest()
    assert digest_file(S512, path) == answer
    stream = io.BytesIO(bytes(100_000))
    assert digest_file(S512, stream) == answer
    assert not stream.closed


def test_an_algorithm_is_found_by_its_oid():
    assert [DigestAlgorithm.from_oid(each.oid) for each in DigestAlgorithm] == [S256, S512]
    assert [each.size for each in DigestAlgorithm] == [32, 64]


def test_the_hash_of_1994_is_refused():
    with pytest.raises(UsageError, match=r"1\.2\.643\.2\.2\.9"):
        DigestAlgorithm.from_oid("1.2.643.2.2.9")


def test_core_vectors_come_out(shared_data: Path):
    path = shared_data / "real/08_vectors/core_vectors.json"
    for vector in json.loads(path.read_text())["vectors"]["streebog_rfc6986"]:
        message = bytes.fromhex(vector["msg"])
        assert Streebog(S256, message).hexdigest() == vector["h256"]
        assert Streebog(S512, message).hexdigest() == vector["h512"]


def gostcrypto_digest(algorithm: DigestAlgorithm, message: bytes) -> bytes:
    name = f"streebog{8 * algorithm.size}"
    return bytes(gosthash.new(name, data=bytearray(message)).digest())
