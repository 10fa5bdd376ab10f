"""Keys of passwords against the public vectors and the standard library."""

from __future__ import annotations

import hmac
import json
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.gost import DigestAlgorithm
from medsign.gost.ciphers import Hmac, kdf_tree, pbkdf2
from medsign.gost.streebog import Streebog


@pytest.fixture
def vectors(shared_data: Path):
    path = shared_data / "real" / "08_vectors" / "core_vectors.json"
    return json.loads(path.read_text("utf-8"))["vectors"]


@given(key=st.binary(max_size=130), message=st.binary(max_size=130))
@pytest.mark.parametrize("algorithm", DigestAlgorithm)
def test_hmac_is_that_of_the_standard_library(algorithm, key, message):
    expected = hmac.new(key, message, partial(Streebog, algorithm)).digest()
    assert Hmac(key, algorithm)(message) == expected


def test_hmac_gives_the_vectors_of_rfc_7836(vectors):
    for row in vectors["hmac_rfc7836"]:
        key, data = bytes.fromhex(row["key"]), bytes.fromhex(row["data"])
        assert Hmac(key, DigestAlgorithm.STREEBOG_256)(data).hex() == row["hmac256"]
        assert Hmac(key, DigestAlgorithm.STREEBOG_512)(data).hex() == row["hmac512"]


def test_pbkdf2_gives_the_public_vectors(vectors):
    rows = [row for row in vectors["pbkdf2_hmac_streebog512"] if row["iterations"] <= 4096]
    assert len(rows) > 3
    for row in rows:
        password, salt = bytes.fromhex(row["password"]), bytes.fromhex(row["salt"])
        key = pbkdf2(password, salt, row["iterations"], octets=slice(0, row["dkLen"]))
        assert key.hex() == row["dk"]


@given(start=st.integers(0, 150), size=st.integers(1, 100))
@pytest.mark.parametrize("algorithm", DigestAlgorithm)
def test_any_octets_of_the_key_are_those_of_the_whole(algorithm, start, size):
    whole = pbkdf2(b"password", b"salt", 1, octets=slice(0, 250), algorithm=algorithm)
    part = pbkdf2(b"password", b"salt", 1, octets=slice(start, start + size), algorithm=algorithm)
    assert part == whole[start : start + size]


def test_the_tree_of_keys_gives_the_vectors_of_rfc_7836():
    key = bytes(range(32))
    label, seed = bytes.fromhex("26bdb878"), bytes.fromhex("af21434145656378")
    assert [each.hex() for each in kdf_tree(key, label, seed, 2)] == [
        "22b6837845c6bef65ea71672b265831086d3c76aebe6dae91cad51d83f79d16b",
        "074c9330599d7f8d712fca54392f4ddde93751206b3584c8f43f9e6dc51531f9",
    ]
    assert kdf_tree(key, label, seed, 1)[0].hex()[:16] == "a1aa5f7de402d7b3"
