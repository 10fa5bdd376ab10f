"""Block ciphers and modes against the standards, the public vectors and another implementation."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medsign.errors import UsageError
from medsign.gost.ciphers import (
    Gost28147,
    Kuznyechik,
    Magma,
    cfb_decrypt,
    cfb_encrypt,
    ctr_acpkm,
    omac,
)
from medsign.gost.ciphers.modes import _ACPKM, _blocks

KUZNYECHIK_KEY = bytes.fromhex("8899aabbccddeeff0011223344556677fedcba98765432100123456789abcdef")
MAGMA_KEY = bytes.fromhex("ffeeddccbbaa99887766554433221100f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
# The messages of the examples of ГОСТ Р 34.13-2015.
LONG = bytes.fromhex(
    "1122334455667700ffeeddccbbaa9988 00112233445566778899aabbcceeff0a"
    "112233445566778899aabbcceeff0a00 2233445566778899aabbcceeff0a0011"
)
SHORT = bytes.fromhex("92def06b3c130a59 db54c704f8189d20 4a98fb2e67a8024c 8912409b17b57e41")

keys = st.binary(min_size=32, max_size=32)


@pytest.fixture(scope="session")
def gostcrypto() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("gostcrypto")


def test_kuznyechik_encrypts_the_example_of_rfc_7801():
    block = bytes.fromhex("1122334455667700ffeeddccbbaa9988")
    assert Kuznyechik(KUZNYECHIK_KEY).encrypt(block).hex() == "7f679d90bebc24305a468d42b9d4edcd"


def test_magma_encrypts_the_example_of_rfc_8891_and_back():
    block = bytes.fromhex("fedcba9876543210")
    assert Magma(MAGMA_KEY).encrypt(block).hex() == "4ee901e5c2d8ca3d"
    assert Magma(MAGMA_KEY).decrypt(Magma(MAGMA_KEY).encrypt(block)) == block


@pytest.mark.parametrize("name, cipher", [("kuznechik", Kuznyechik), ("magma", Magma)])
@settings(max_examples=8)  # the other one is slow
@given(key=keys, block=st.binary(min_size=16, max_size=16))
def test_another_implementation_encrypts_alike(gostcrypto, name, cipher, key, block):
    block = block[: cipher.block_size]
    other = gostcrypto.gostcipher.new(
        name,
        bytearray(key),
        gostcrypto.gostcipher.MODE_ECB,
        pad_mode=gostcrypto.gostcipher.PAD_MODE_1,
    )
    assert cipher(key).encrypt(block) == bytes(other.encrypt(bytearray(block)))


@pytest.mark.parametrize("cipher", [Kuznyechik, Magma, Gost28147])
def test_a_key_of_another_length_is_refused(cipher):
    with pytest.raises(UsageError):
        cipher(bytes(31))


@pytest.mark.parametrize(
    "cipher, message, code",
    [
        (Kuznyechik(KUZNYECHIK_KEY), LONG, "336f4d296059fbe3"),
        (Magma(MAGMA_KEY), SHORT, "154e7210"),
    ],
)
def test_omac_gives_the_examples_of_the_standard(cipher, message, code):
    assert omac(cipher, message).hex().startswith(code)


@given(message=st.binary(max_size=40))
def test_omac_tells_a_cut_message_from_a_padded_one(message):
    cipher = Magma(MAGMA_KEY)
    assert omac(cipher, message) != omac(cipher, message + b"\x80")


@pytest.mark.parametrize(
    "cipher, key, iv, message, hidden",
    [
        (
            Kuznyechik,
            KUZNYECHIK_KEY,
            "1234567890abcef0",
            LONG,
            bytes.fromhex(
                "f195d8bec10ed1dbd57b5fa240bda1b8 85eee733f6a13e5df33ce4b33c45dee4"
                "a5eae88be6356ed3d5e877f13564a3a5 cb91fab1f20cbab6d1c6d15820bdba73"
            ),
        ),
        (
            Magma,
            MAGMA_KEY,
            "12345678",
            SHORT,
            bytes.fromhex("4e98110c97b7b93c3e250d93d6e85d69136d868807b2dbef568eb680ab52a12d"),
        ),
    ],
)
def test_the_first_section_is_counter_mode_of_the_standard(cipher, key, iv, message, hidden):
    assert ctr_acpkm(cipher, key, bytes.fromhex(iv), message) == hidden


@pytest.mark.parametrize(
    "cipher, case",
    [
        (Kuznyechik, "TestVectorACPKM.test_kuznechik_ctr_acpkm"),
        (Magma, "TestVectorACPKM.test_magma_ctr_acpkm"),
    ],
)
def test_acpkm_makes_the_keys_of_the_public_vectors(shared_data: Path, cipher, case):
    path = shared_data / "real" / "08_vectors" / "pygost_tests" / "gost3413.json"
    cases = {each["case"]: each for each in json.loads(path.read_text("utf-8"))["cases"]}
    key = KUZNYECHIK_KEY
    for expected in cases[case]["asserts"]:
        key = b"".join(map(cipher(key).encrypt, _blocks(_ACPKM, cipher.block_size)))
        assert key.hex() == expected["args"][1]["value"]["hex"]


@pytest.mark.parametrize("cipher", [Kuznyechik, Magma])
def test_a_section_is_encrypted_under_the_key_that_acpkm_makes(cipher):
    size, iv = cipher.block_size, bytes(cipher.block_size // 2)
    message = bytes(4 * size)
    hidden = ctr_acpkm(cipher, KUZNYECHIK_KEY, iv, message, section=2 * size)
    key = b"".join(map(cipher(KUZNYECHIK_KEY).encrypt, _blocks(_ACPKM, size)))
    assert hidden[: 2 * size] == ctr_acpkm(cipher, KUZNYECHIK_KEY, iv, message)[: 2 * size]
    assert hidden[2 * size :] == ctr_acpkm(cipher, key, iv, message)[2 * size :]


def test_an_initial_vector_of_another_length_is_refused():
    with pytest.raises(UsageError):
        ctr_acpkm(Kuznyechik, KUZNYECHIK_KEY, bytes(16), b"")


@given(key=keys, message=st.binary(max_size=50), repeated=st.integers(1, 60))
def test_cfb_is_undone(key, message, repeated):
    message *= repeated
    assert cfb_decrypt(key, bytes(8), cfb_encrypt(key, bytes(8), message)) == message
