"""Agreed keys and hidden keys against the examples of RFC 7836 and RFC 9189."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medsign.errors import InvalidKey, UsageError
from medsign.gost import DigestAlgorithm, PrivateKey, PublicKey, param_set
from medsign.gost.ciphers import Kuznyechik, Magma, keg, kexp15, kimp15, vko

CRYPTOPRO_A, TC26_256_A = "1.2.643.2.2.35.1", "1.2.643.7.1.2.1.1.1"
TC26_512_A, TC26_512_C = "1.2.643.7.1.2.1.2.1", "1.2.643.7.1.2.1.2.3"

# RFC 9189 A.1.3.1: the handshake with Magma.
SERVER = 0x5F308355DFD6A8ACAEE0837B100A3B1F6D63FB29B78EF27D3967757F0527144C
EPHEMERAL = 0xA5C77C7482373DE16CE4A6F73CCE7F78471493FF2C0709B8B706C9E8A25E6C1E
HASH = bytes.fromhex("c3ef0428d4b7a1f4c5025f2e65dd2b2ea583aeefdb67c7f4214a6a298e99e325")
COMMON = "1e585490e865ffd18f18d7c0a04d0ee84f1a5d797cefada01b1e3b7fdb90e029"
CODE_KEY = "2d8ba8c84cb232ff41f10c3ad924134223254f71e5696d3d29c3e4c9daa6b293"
KEY = "849eb6340bffae6928a3c3e4ff92eccb1e8f0cf7a188368e6b748e52ea378b0c"
SECRET = bytes.fromhex("a5576ce7924a24f58113808dbd9ef856f5bdc3b183ce5dadca36a53aa077651d")
HIDDEN = bytes.fromhex(
    "d7f0f0422367867b25fa4233a954f58bde92e9c9bbfb8816c99f15e6398722a0b2b7bfe8493e9a5c"
)


def key(curve: str, value: int) -> PrivateKey:
    return PrivateKey(param_set(curve), value)


def test_the_common_key_is_that_of_rfc_7836(shared_data: Path):
    path = shared_data / "real" / "08_vectors" / "core_vectors.json"
    rows = json.loads(path.read_text("utf-8"))["vectors"]["vko_rfc7836"]
    sizes = {256: DigestAlgorithm.STREEBOG_256, 512: DigestAlgorithm.STREEBOG_512}
    for row in rows:
        params, ukm = param_set(TC26_512_A), int.from_bytes(bytes.fromhex(row["ukm"][2:]))
        for own, other in (("prvA", "pubB"), ("prvB", "pubA")):
            public = PublicKey(params, *(int(number, 16) for number in row[other]))
            common = vko(key(TC26_512_A, int(row[own], 16)), public, ukm, sizes[row["bits"]])
            assert common.hex() == row["vko"]


def test_both_sides_make_the_keys_of_the_handshake_of_rfc_9189_a_1_3_1():
    server, client = key(CRYPTOPRO_A, SERVER), key(CRYPTOPRO_A, EPHEMERAL)
    for own, other in ((server, client), (client, server)):
        assert vko(own, other.public_key(), int.from_bytes(HASH[:16])).hex() == COMMON
        assert [each.hex() for each in keg(own, other.public_key(), HASH)] == [CODE_KEY, KEY]


def test_the_secret_is_hidden_as_in_rfc_9189_a_1_3_1():
    code_key, hiding, iv = bytes.fromhex(CODE_KEY), bytes.fromhex(KEY), HASH[24:28]
    assert kexp15(Magma, SECRET, code_key, hiding, iv) == HIDDEN
    assert kimp15(Magma, HIDDEN, code_key, hiding, iv) == SECRET


def of_handshake(shared_data: Path, section: str) -> dict[str, bytes]:
    path = shared_data / "real" / "11_tls" / "rfc9189_appendix_a.json"
    items = json.loads(path.read_text("utf-8"))["items"]
    return {
        each["label"]: bytes.fromhex(each["hex"]) for each in items if each["section"] == section
    }


def test_the_secret_is_hidden_with_kuznyechik_as_in_rfc_9189_a_1_3_2(shared_data: Path):
    given_values = of_handshake(shared_data, "A.1.3.2")
    both = given_values["Export keys K_Exp_MAC | K_Exp_ENC used in KExp15 algorithm"]
    hidden = kexp15(Kuznyechik, given_values["PMS"], both[:32], both[32:], given_values["IV"])
    assert hidden == given_values["PMSEXP"]


@given(own=st.integers(1, 2**254), other=st.integers(1, 2**254), ukm=st.integers(1, 2**64))
@settings(max_examples=10)
@pytest.mark.parametrize("curve", [CRYPTOPRO_A, TC26_256_A, TC26_512_A, TC26_512_C])
def test_two_owners_agree(curve, own, other, ukm):
    first, second = key(curve, own), key(curve, other)
    assert vko(first, second.public_key(), ukm) == vko(second, first.public_key(), ukm)


def test_keys_of_two_curves_agree_on_nothing():
    with pytest.raises(UsageError):
        vko(key(CRYPTOPRO_A, 1), key(TC26_256_A, 1).public_key(), 1)


@given(at=st.integers(0, 39), octet=st.integers(1, 255))
def test_a_damaged_key_is_refused(at, octet):
    damaged = bytearray(HIDDEN)
    damaged[at] ^= octet
    with pytest.raises(InvalidKey):
        kimp15(Magma, bytes(damaged), bytes.fromhex(CODE_KEY), bytes.fromhex(KEY), HASH[24:28])
