"""Building blocks of TLS against RFC 9189 appendix A.1: keys of records, codes, encryption.

There is no TLS here: the blocks are those that key files use, put together as TLS does.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from medsign.gost.ciphers import Kuznyechik, Magma, ctr_acpkm, kdf_tree, omac

ROOT = bytes.fromhex("00112233445566778899aabbcceeff0a112233445566778899aabbcceeff0a00")
# RFC 9189 §8.1: which bits of the number of a record each level of the tree looks at.
MASKS = {
    Magma: (0xFFFFFFC000000000, 0xFFFFFFFFFE000000, 0xFFFFFFFFFFFFF000),
    Kuznyechik: (0xFFFFFFFF00000000, 0xFFFFFFFFFFF80000, 0xFFFFFFFFFFFFFFC0),
}
SECTIONS = {Magma: "1", Kuznyechik: "2"}


def levels(cipher, number: int) -> list[bytes]:
    """Return the keys of TLSTREE from the root down."""
    keys, key = [], ROOT
    for level, mask in enumerate(MASKS[cipher], 1):
        seed = (number & mask).to_bytes(8)
        (key,) = kdf_tree(key, f"level{level}".encode(), seed, 1)
        keys.append(key)
    return keys


@pytest.mark.parametrize("cipher", MASKS)
def test_the_keys_of_records_are_those_of_a_1_1(shared_data: Path, cipher):
    text = (shared_data / "real" / "08_vectors" / "rfc" / "rfc9189.txt").read_text("utf-8")
    start = text.rindex(f"\nA.1.1.{SECTIONS[cipher]}.  TLS")
    text = text[start : text.index("\nA.1", start + 1)]
    examples = re.findall(r"seqnum = (\d+)((?:(?!seqnum).)*)", text, re.DOTALL)
    assert len(examples) >= 4
    for number, rest in examples:
        octets = re.findall(r"(?m)^ +((?:[0-9A-F]{2} ){15}[0-9A-F]{2})\s*$", rest)
        expected = [bytes.fromhex("".join(octets[at : at + 2])) for at in range(0, 6, 2)]
        assert levels(cipher, int(number)) == expected


def records(shared_data: Path, cipher):
    """Yield the number of each record and its labelled values."""
    path = shared_data / "real" / "11_tls" / "rfc9189_appendix_a.json"
    items = json.loads(path.read_text("utf-8"))["items"]
    number, values = 0, {}
    for item in items:
        if item["section"] != f"A.1.2.{SECTIONS[cipher]}":
            continue
        label, _, suffix = item["label"].rpartition("_")
        if label in {"K_MAC", "K_ENC", "IV"}:
            number = int(suffix)
            values[label] = bytes.fromhex(item["hex"])
        else:
            values[item["label"]] = bytes.fromhex(item["hex"])
        if item["label"] == "TLSCiphertext":
            yield number, dict(values)


@pytest.mark.parametrize("cipher", MASKS)
def test_records_are_coded_and_encrypted_as_in_a_1_2(shared_data: Path, cipher):
    held = 0
    for number, values in records(shared_data, cipher):
        plain, hidden = values["TLSPlaintext"], values["TLSCiphertext"]
        length = int.from_bytes(plain[3:5])
        if len(plain) != 5 + length or len(hidden) != 5 + length + cipher.block_size:
            continue  # the RFC shows long records shortened
        code = omac(cipher(values["K_MAC"]), number.to_bytes(8) + plain)
        assert code == values["MAC value"]
        again = ctr_acpkm(cipher, values["K_ENC"], values["IV"], plain[5:] + code)
        assert again == hidden[5:]
        held += 1
    assert held


@pytest.mark.parametrize("cipher", MASKS)
def test_the_keys_of_records_stand_at_the_end_of_the_tree(shared_data: Path, cipher):
    found = list(records(shared_data, cipher))
    assert len(found) == 3
    for number, values in found:
        assert values["MAC key"] == ROOT
        assert levels(cipher, number)[-1] == values["K_MAC"]
