"""Numbers that other implementations publish and that no room's tests take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from medsign.gost import DigestAlgorithm, digest
from medsign.gost.ciphers import Kuznyechik


@pytest.fixture(scope="module")
def vectors(shared_data: Path) -> Path:
    folder = shared_data / "real" / "08_vectors"
    if not folder.is_dir():
        pytest.skip("no vectors of others among the public samples")
    return folder


def blobs(data: bytes) -> Iterator[bytes]:
    """Yield what a blobby file of RustCrypto holds: how many, the common ones, then all."""
    at = 0

    def number() -> int:
        nonlocal at
        value = data[at] & 127
        while data[at] & 128:
            at += 1
            value = (value + 1 << 7) | data[at] & 127
        at += 1
        return value

    def octets(size: int) -> bytes:
        nonlocal at
        at += size
        return data[at - size : at]

    count = number()
    common = [octets(number()) for _ in range(number())]
    for _ in range(count):
        which = number()
        yield common[which >> 1] if which & 1 else octets(which >> 1)


@pytest.mark.parametrize("algorithm", DigestAlgorithm)
def test_the_hashes_of_rustcrypto_come_out(vectors, algorithm):
    read = list(blobs((vectors / f"rustcrypto/streebog{8 * algorithm.size}_kat.blb").read_bytes()))
    pairs = list(zip(read[::2], read[1::2], strict=True))
    assert len(pairs) >= 5
    for message, expected in pairs:
        assert digest(algorithm, message) == expected


def test_the_blocks_of_botan_come_out(vectors):
    text = (vectors / "botan" / "kuznyechik.vec").read_text()
    cases = re.findall(r"Key = (\w+)\nIn = (\w+)\nOut = (\w+)", text)
    assert len(cases) >= 65
    for key, block, expected in cases:
        cipher = Kuznyechik(bytes.fromhex(key))
        assert cipher.encrypt(bytes.fromhex(block)) == bytes.fromhex(expected)
