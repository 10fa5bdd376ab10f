"""ГОСТ 28147-89 with its substitutions and ГОСТ Р 34.11-94 against the public vectors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.errors import UsageError
from medsign.gost.ciphers import Gost28147, cfb_decrypt, cfb_encrypt, gost94
from medsign.gost.ciphers.magma import CRYPTOPRO_A, CRYPTOPRO_HASH, SUBSTITUTIONS

blocks = st.binary(min_size=8, max_size=8)
keys = st.binary(min_size=32, max_size=32)


def blocks_of(path: Path, section: str):
    """Yield the cases of a section of a file of vectors."""
    whole = path.read_text("utf-8").split(f"[{section}]")[1].split("\n[")[0]
    for case in whole.strip().split("\n\n"):
        yield {name: bytes.fromhex(value) for name, value in pairs(case)}


def pairs(case: str):
    return (line.split(" = ") for line in case.splitlines() if " = " in line)


def test_the_cipher_with_the_substitution_of_the_hash_gives_the_public_vectors(shared_data: Path):
    path = shared_data / "real" / "08_vectors" / "botan" / "gost_28147.vec"
    cases = list(blocks_of(path, "GOST-28147-89(R3411_CryptoPro)"))
    assert len(cases) >= 10
    for case in cases:
        cipher = Gost28147(case["Key"], CRYPTOPRO_HASH)
        encrypted = b"".join(
            cipher.encrypt(case["In"][at : at + 8]) for at in range(0, len(case["In"]), 8)
        )
        assert encrypted == case["Out"]


def test_the_hash_gives_the_public_vectors(shared_data: Path):
    path = shared_data / "real" / "08_vectors" / "pygost_tests" / "gost341194.json"
    cases = json.loads(path.read_text("utf-8"))["cases"]
    known = {
        each["case"]: each["asserts"][0]["args"][1]["value"]
        for each in cases
        if each["case"].startswith("TestVectorsCryptoPro.")
    }
    messages = {
        "test_empty": b"",
        "test_a": b"a",
        "test_abc": b"abc",
        "test_message_digest": b"message digest",
        "test_32": b"This is message, length=32 bytes",
        "test_50": b"Suppose the original message has length = 50 bytes",
        "test_Us": 128 * b"U",
    }
    for name, message in messages.items():
        assert gost94(message).hex() == known[f"TestVectorsCryptoPro.{name}"]


@pytest.mark.parametrize("substitution", SUBSTITUTIONS)
@given(key=keys, block=blocks)
def test_a_block_is_decrypted_as_it_was_encrypted(substitution, key, block):
    cipher = Gost28147(key, substitution)
    assert cipher.decrypt(cipher.encrypt(block)) == block


def test_every_row_of_a_substitution_is_a_permutation():
    for rows in SUBSTITUTIONS.values():
        assert [sorted(row) for row in rows.split()] == [sorted("0123456789abcdef")] * 8


@given(key=keys, message=st.binary(max_size=2100))
def test_feedback_under_any_substitution_is_undone(key, message):
    hidden = cfb_encrypt(key, bytes(8), message, CRYPTOPRO_A)
    assert cfb_decrypt(key, bytes(8), hidden, CRYPTOPRO_A) == message


@given(key=keys, iv=blocks, first=blocks, second=blocks)
def test_the_imitation_insert_depends_on_every_block_and_their_order(key, iv, first, second):
    cipher = Gost28147(key)
    assert len(cipher.mac(iv, first + second)) == 4
    assert (cipher.mac(iv, first + second) == cipher.mac(iv, second + first)) == (first == second)


def test_a_key_of_another_length_is_refused():
    with pytest.raises(UsageError):
        Gost28147(bytes(16), CRYPTOPRO_A)
