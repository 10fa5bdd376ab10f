"""Modes of the block ciphers: CTR-ACPKM (RFC 8645 §6.2.2), OMAC (ГОСТ Р 34.13-2015), CFB."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from medsign.errors import UsageError
from medsign.gost.ciphers.magma import TC26_Z, Gost28147

# Constants of ACPKM (RFC 8645 §6.2.1) and of the key meshing of CryptoPro (RFC 4357 §2.3.2).
_ACPKM = bytes(range(0x80, 0xA0))
_MESHING = bytes.fromhex("6900722264c904238d3adb9646e92ac418feac9400ed0712c086dcc2ef4ca92b")
_MESHING_SECTION = 1024


class BlockCipher(Protocol):
    """A block cipher under one key, made from 32 octets.

    Attributes:
        block_size: Octets of a block.
        section_size: Octets under one key before CTR-ACPKM makes the next (Р 1323565.1.025-2019).
    """

    block_size: int
    section_size: int

    def __init__(self, key: bytes) -> None: ...

    def encrypt(self, block: bytes) -> bytes:
        """Encrypt one block."""
        ...


def ctr_acpkm(
    cipher: type[BlockCipher], key: bytes, iv: bytes, data: bytes, *, section: int | None = None
) -> bytes:
    """Encrypt or decrypt, which are the same.

    Args:
        cipher: The block cipher.
        key: 32 octets.
        iv: Half a block; never twice with one key.
        data: What to encrypt or decrypt.
        section: Octets under one key, whole blocks; by default those of the cipher.

    Raises:
        UsageError: The key or the initial vector has another length.

    Example:
        >>> from medsign.gost.ciphers import Kuznyechik
        >>> hidden = ctr_acpkm(Kuznyechik, bytes(32), bytes(8), b"secret")
        >>> ctr_acpkm(Kuznyechik, bytes(32), bytes(8), hidden)
        b'secret'
    """
    size, section = cipher.block_size, section or cipher.section_size
    if len(iv) != size // 2:
        raise UsageError(f"the initial vector has {size // 2} octets")

    def gamma() -> Iterator[bytes]:
        under = cipher(key)
        counter = int.from_bytes(iv) << 4 * size
        for at in range(0, len(data), size):
            if at and at % section == 0:
                under = cipher(b"".join(map(under.encrypt, _blocks(_ACPKM, size))))
            yield under.encrypt((counter + at // size).to_bytes(size))

    return _xor(data, b"".join(gamma()))


def omac(cipher: BlockCipher, data: bytes) -> bytes:
    """Return the authentication code of a message, one block long (ГОСТ Р 34.13-2015 §5.6).

    Example:
        >>> from medsign.gost.ciphers import Magma
        >>> omac(Magma(bytes(32)), b"message").hex()
        '65c074c4da8df20c'
    """
    size = cipher.block_size
    *whole, last = _blocks(data, size) or [b""]
    state = bytes(size)
    for block in whole:
        state = cipher.encrypt(_xor(state, block))
    key = _doubled(cipher.encrypt(bytes(size)))
    if len(last) < size:
        key, last = _doubled(key), (last + b"\x80").ljust(size, b"\0")
    return cipher.encrypt(_xor(_xor(state, last), key))


def cfb_encrypt(key: bytes, iv: bytes, data: bytes, substitution: str = TC26_Z) -> bytes:
    """Encrypt with ГОСТ 28147-89 in CFB with key meshing (RFC 4357 §2.3.2), as old key files do.

    Args:
        key: 32 octets.
        iv: 8 octets.
        data: What to encrypt.
        substitution: One of `SUBSTITUTIONS`.

    Example:
        >>> cfb_decrypt(bytes(32), bytes(8), cfb_encrypt(bytes(32), bytes(8), b"secret"))
        b'secret'
    """
    return _cfb(key, iv, data, substitution, decrypt=False)


def cfb_decrypt(key: bytes, iv: bytes, data: bytes, substitution: str = TC26_Z) -> bytes:
    """Decrypt what `cfb_encrypt` made."""
    return _cfb(key, iv, data, substitution, decrypt=True)


def _cfb(key: bytes, iv: bytes, data: bytes, substitution: str, *, decrypt: bool) -> bytes:
    cipher, register = Gost28147(key, substitution), iv
    output: list[bytes] = []
    for number, block in enumerate(_blocks(data, 8)):
        if number and number * 8 % _MESHING_SECTION == 0:
            meshed = b"".join(map(cipher.decrypt, _blocks(_MESHING, 8)))
            cipher = Gost28147(meshed, substitution)
            register = cipher.encrypt(register)
        output.append(_xor(block, cipher.encrypt(register)))
        register = block if decrypt else output[-1]
    return b"".join(output)


def _blocks(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def _xor(a: bytes, b: bytes) -> bytes:
    """Return the sum of two strings, as long as the first; the second may be longer."""
    return (int.from_bytes(a) ^ int.from_bytes(b[: len(a)])).to_bytes(len(a))


def _doubled(block: bytes) -> bytes:
    """Multiply by x in GF(2^64) or GF(2^128)."""
    bits = 8 * len(block)
    value = int.from_bytes(block) << 1
    if value >> bits:
        value ^= 1 << bits | (0x87 if bits == 128 else 0x1B)
    return value.to_bytes(len(block))
