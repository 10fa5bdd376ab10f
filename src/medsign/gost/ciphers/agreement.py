"""Keys that two owners agree on, and keys sent under them (RFC 7836 §4.3, RFC 9189 §8)."""

from __future__ import annotations

import secrets

from medsign.errors import InvalidKey, UsageError
from medsign.gost.ciphers.modes import BlockCipher, ctr_acpkm, omac
from medsign.gost.ciphers.passwords import kdf_tree
from medsign.gost.curve import curve_of
from medsign.gost.default import digest
from medsign.gost.keys import PrivateKey, PublicKey
from medsign.gost.params import DigestAlgorithm
from medsign.gost.provider import Provider
from medsign.gost.scalar import Random


def vko(
    key: PrivateKey,
    other: PublicKey,
    ukm: int,
    algorithm: DigestAlgorithm = DigestAlgorithm.STREEBOG_256,
    *,
    provider: Provider | None = None,
    random: Random = secrets.token_bytes,
) -> bytes:
    """Return the common key of two owners (VKO_GOSTR3410_2012, RFC 7836 §4.3).

    Args:
        key: One's own key.
        other: The key of the other one.
        ukm: What makes the common key different each time.
        algorithm: Which Streebog; a key of 256 bits has the shorter one only.
        provider: Who hashes.
        random: What hides the key while it is multiplied.

    Raises:
        UsageError: The keys are of two curves, or the number is a multiple of the order.

    Example:
        >>> from medsign.gost import param_set
        >>> ours, theirs = (PrivateKey(param_set("1.2.643.2.2.35.1"), n) for n in (3, 5))
        >>> vko(ours, theirs.public_key(), 7) == vko(theirs, ours.public_key(), 7)
        True
    """
    params = key.params
    scalar = params.cofactor * ukm * key.value % params.q
    if other.params != params or not scalar:
        raise UsageError("the keys are of two curves, or the number is a multiple of the order")
    x, y = curve_of(params).multiply_secret((other.x, other.y), scalar, random)
    octets = x.to_bytes(params.size, "little") + y.to_bytes(params.size, "little")
    return digest(algorithm, octets, provider=provider)


def keg(
    key: PrivateKey, other: PublicKey, ukm: bytes, *, provider: Provider | None = None
) -> tuple[bytes, bytes]:
    """Return the keys of the code and of the encryption for `kexp15` (RFC 9189 §8.3.1).

    Args:
        key: One's own key.
        other: The key of the other one.
        ukm: 24 octets or more.
        provider: Who hashes.

    Raises:
        UsageError: The keys are of two curves.
    """
    number = int.from_bytes(ukm[:16]) or 1
    if key.params.size == 64:
        both = vko(key, other, number, DigestAlgorithm.STREEBOG_512, provider=provider)
        return both[:32], both[32:]
    common = vko(key, other, number, provider=provider)
    code, encryption = kdf_tree(common, b"kdf tree", ukm[16:24], 2, provider=provider)
    return code, encryption


def kexp15(
    cipher: type[BlockCipher], secret: bytes, code_key: bytes, key: bytes, iv: bytes
) -> bytes:
    """Hide a key under another one, with a code (RFC 9189 §8.2.1).

    Args:
        cipher: The block cipher.
        secret: What is hidden.
        code_key: The key of the code.
        key: The key of the encryption.
        iv: Half a block; never twice with one key.

    Raises:
        UsageError: A key or the initial vector has another length.

    Example:
        >>> from medsign.gost.ciphers import Magma
        >>> hidden = kexp15(Magma, b"secret", bytes(32), bytes(32), bytes(4))
        >>> kimp15(Magma, hidden, bytes(32), bytes(32), bytes(4))
        b'secret'
    """
    return ctr_acpkm(cipher, key, iv, secret + omac(cipher(code_key), iv + secret))


def kimp15(
    cipher: type[BlockCipher], hidden: bytes, code_key: bytes, key: bytes, iv: bytes
) -> bytes:
    """Return what `kexp15` hid.

    Raises:
        InvalidKey: The keys are others, or the octets are damaged.
        UsageError: A key or the initial vector has another length.
    """
    plain = ctr_acpkm(cipher, key, iv, hidden)
    secret, code = plain[: -cipher.block_size], plain[-cipher.block_size :]
    if not secrets.compare_digest(omac(cipher(code_key), iv + secret), code):
        raise InvalidKey("the key is hidden under other keys, or damaged")
    return secret
