"""What hid keys before PBES2: PKCS#12 by itself (RFC 7292 appendix B), and CryptoPro's PFX.

CryptoPro CSP exports keys under a scheme of its own, which no document of CryptoPro describes: the
password hashed over and over by ГОСТ Р 34.11-94, and the key wrapped as RFC 4357 §6.3 says, with
the key of RFC 7836 §4.4 in place of that of §6.5. The certificates beside it are under Triple DES
or RC2, and the code of the whole is an HMAC with SHA-1. Such files are only read.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator

from medsign.codec.asn1 import PrivateKeyInfo, encode_private_key, oids, pkcs12
from medsign.codec.asn1.pkcs12 import ElderScheme, PfxMac
from medsign.errors import InvalidKey, MalformedError, Unavailable
from medsign.gost import Provider
from medsign.gost.ciphers import Gost28147, cfb_decrypt, gost94, kdf_tree
from medsign.gost.ciphers.magma import CRYPTOPRO_A
from medsign.signers.legacy_pfx_ciphers import cbc_decrypt, rc2_40, triple_des

DIGESTS = {"1.3.14.3.2.26": "sha1", "2.16.840.1.101.3.4.2.1": "sha256"}
"""Digests in the code of a PFX for which the key is made as RFC 7292 appendix B says."""

_KEY, _IV, _MAC = 1, 2, 3
_BLOCK = 64
_EXPORT_LABEL = bytes.fromhex("26bdb878")
_CIPHERS = {pkcs12.TRIPLE_DES: (triple_des, 24), pkcs12.RC2_40: (rc2_40, 5)}
_SIZES = {oids.GOST_KEY_256: 32, oids.GOST_KEY_512: 64}


def macs(mac: PfxMac, safe: bytes, password: str) -> Iterator[bytes]:
    """Yield the codes that a PFX may have; programs write an empty password in two ways.

    Args:
        mac: How it is made, with one of `DIGESTS`.
        safe: What is under the code.
        password: The password.
    """
    digest = DIGESTS[mac.digest_oid]
    size = hashlib.new(digest, usedforsecurity=False).digest_size
    for octets in _spellings(password):
        key = _derived(octets, mac.salt, mac.iterations, _MAC, size, digest)
        yield hmac.digest(key, safe, digest)


def plain(
    scheme: ElderScheme, octets: bytes, password: str, provider: Provider | None = None
) -> Iterator[bytes]:
    """Yield what may have been hidden, the likeliest first; nothing when the password is wrong.

    Args:
        scheme: How it is hidden.
        octets: The hidden octets.
        password: The password.
        provider: Who hashes.

    Raises:
        Unavailable: It is a key of another algorithm than GOST R 34.10-2012.
    """
    if scheme.oid == pkcs12.CRYPTOPRO:
        yield from _unwrapped(scheme, octets, password, provider)
        return
    cipher, size = _CIPHERS[scheme.oid]
    for spelling in _spellings(password):
        key = _derived(spelling, scheme.salt, scheme.iterations, _KEY, size)
        iv = _derived(spelling, scheme.salt, scheme.iterations, _IV, 8)
        try:
            yield cbc_decrypt(cipher(key), iv, octets)
        except InvalidKey:
            continue


def _unwrapped(
    scheme: ElderScheme, octets: bytes, password: str, provider: Provider | None
) -> Iterator[bytes]:
    """Yield PKCS#8 of the key that CryptoPro wrapped."""
    key = password.encode("utf-16-le")
    for number in range(1, scheme.iterations + 1):
        key = gost94(key + scheme.salt + (number & 0xFFFF).to_bytes(2))
    iv = scheme.salt[:8].ljust(8, b"\0")
    try:
        exported = pkcs12.decode_exported_key(cfb_decrypt(key, iv, octets, CRYPTOPRO_A))
    except MalformedError:  # noise: the password is another one
        return
    if exported.algorithm_oid not in _SIZES:
        raise Unavailable(f"keys of {exported.algorithm_oid} (GOST R 34.10-2012 only)")
    (wrapping,) = kdf_tree(key, _EXPORT_LABEL, exported.ukm, 1, provider=provider)
    cipher = Gost28147(wrapping, CRYPTOPRO_A)
    blocks = (exported.wrapped[at : at + 8] for at in range(0, len(exported.wrapped), 8))
    scalar = b"".join(map(cipher.decrypt, blocks))
    fits = len(scalar) == _SIZES[exported.algorithm_oid]
    if fits and secrets.compare_digest(cipher.mac(exported.ukm, scalar), exported.code):
        yield encode_private_key(
            PrivateKeyInfo(
                exported.algorithm_oid,
                exported.param_set_oid,
                exported.digest_oid,
                int.from_bytes(scalar, "little"),
            )
        )


def _spellings(password: str) -> Iterator[bytes]:
    """Yield the octets of a password in PKCS#12: UTF-16 and a zero; without it when it is empty."""
    yield password.encode("utf-16-be") + b"\0\0"
    if not password:
        yield b""


def _derived(
    password: bytes, salt: bytes, iterations: int, purpose: int, size: int, digest: str = "sha1"
) -> bytes:
    """Make a key of a password (RFC 7292 §B.2)."""
    mixed = _filled(salt) + _filled(password)
    result = b""
    while len(result) < size:
        link = bytes([purpose]) * _BLOCK + mixed
        for _ in range(iterations):
            link = hashlib.new(digest, link, usedforsecurity=False).digest()
        result += link
        added = int.from_bytes(_filled(link)[:_BLOCK]) + 1
        mixed = b"".join(
            ((int.from_bytes(mixed[at : at + _BLOCK]) + added) % (1 << 8 * _BLOCK)).to_bytes(_BLOCK)
            for at in range(0, len(mixed), _BLOCK)
        )
    return result[:size]


def _filled(octets: bytes) -> bytes:
    """Return octets repeated to whole blocks."""
    size = -(-len(octets) // _BLOCK) * _BLOCK
    return (octets * (size // len(octets) + 1))[:size] if octets else b""
