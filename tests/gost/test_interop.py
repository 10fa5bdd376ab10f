"""OpenSSL with the GOST engine as a stranger: raw digests and signatures both ways."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from medsign.gost import (
    PARAM_SETS,
    DigestAlgorithm,
    ParamSet,
    PortableProvider,
    PrivateKey,
    PublicKey,
)
from medsign.gost.streebog import Streebog

pytestmark = pytest.mark.interop
every_set = pytest.mark.parametrize("params", PARAM_SETS, ids=lambda params: params.name)
PROVIDER = PortableProvider()


def tlv(tag: int, *contents: bytes) -> bytes:
    body = b"".join(contents)
    length = bytes([len(body)]) if len(body) < 128 else b"\x81" + bytes([len(body)])
    return bytes([tag]) + length + body


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    octets = bytearray([40 * first + second])
    for arc in rest:
        group = [arc & 127]
        while arc := arc >> 7:
            group.append(arc & 127 | 128)
        octets += bytes(reversed(group))
    return tlv(6, bytes(octets))


def algorithm(params: ParamSet) -> bytes:
    """Return the AlgorithmIdentifier of a key (RFC 9215 §4.2)."""
    kind = "1.2.643.7.1.1.1.1" if params.size == 32 else "1.2.643.7.1.1.1.2"
    old = params.oid.startswith("1.2.643.2.2.")
    inner = tlv(0x30, oid(params.oid), oid(params.digest.oid) if old else b"")
    return tlv(0x30, oid(kind), inner)


def spki(key: PublicKey) -> bytes:
    return tlv(0x30, algorithm(key.params), tlv(3, b"\0", tlv(4, key.to_octets())))


def pkcs8(key: PrivateKey) -> bytes:
    return tlv(0x30, tlv(2, b"\0"), algorithm(key.params), tlv(4, tlv(4, key.to_octets())))


@every_set
def test_openssl_verifies_what_we_sign(params, openssl, tmp_path: Path):
    key = PROVIDER.generate(params)
    digest = secrets.token_bytes(params.size)
    (tmp_path / "key.der").write_bytes(spki(key.public_key()))
    (tmp_path / "digest").write_bytes(digest)
    (tmp_path / "signature").write_bytes(PROVIDER.sign(key, digest))
    done = openssl(
        *("pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", tmp_path / "key.der"),
        *("-in", tmp_path / "digest", "-sigfile", tmp_path / "signature"),
    )
    assert b"Signature Verified Successfully" in done.stdout


@every_set
def test_we_verify_what_openssl_signs(params, openssl, tmp_path: Path):
    key = PROVIDER.generate(params)
    digest = secrets.token_bytes(params.size)
    (tmp_path / "key.der").write_bytes(pkcs8(key))
    (tmp_path / "digest").write_bytes(digest)
    done = openssl(
        *("pkeyutl", "-sign", "-keyform", "DER", "-inkey", tmp_path / "key.der"),
        *("-in", tmp_path / "digest"),
    )
    assert PROVIDER.verify(key.public_key(), digest, done.stdout)
    assert not PROVIDER.verify(key.public_key(), digest[::-1], done.stdout)


@every_set
def test_openssl_derives_the_same_public_key(params, openssl, tmp_path: Path):
    key = PROVIDER.generate(params)
    (tmp_path / "key.der").write_bytes(pkcs8(key))
    done = openssl(
        "pkey", "-inform", "DER", "-in", tmp_path / "key.der", "-pubout", "-outform", "DER"
    )
    assert done.stdout.endswith(key.public_key().to_octets())


@pytest.mark.parametrize("algorithm", DigestAlgorithm, ids=lambda each: each.name)
@pytest.mark.parametrize("length", [0, 63, 64, 65, 96, 1000, 1 << 16])
def test_openssl_hashes_alike(algorithm, length, openssl):
    for message in (secrets.token_bytes(length), b"\xff" * length):
        done = openssl("dgst", f"-md_gost12_{8 * algorithm.size}", "-binary", input=message)
        assert done.stdout == Streebog(algorithm, message).digest()
