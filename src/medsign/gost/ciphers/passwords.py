"""Keys made of passwords: HMAC and PBKDF2 with Streebog, KDF_TREE (RFC 7836, RFC 9337)."""

from __future__ import annotations

from medsign.gost.default import default_provider
from medsign.gost.params import DigestAlgorithm
from medsign.gost.provider import Provider

_BLOCK = 64


class Hmac:
    """HMAC with Streebog under one key (RFC 7836 §4.1); the key is hashed once.

    Args:
        key: Of any length.
        algorithm: Which Streebog.
        provider: Who hashes; by default `medsign.gost.default_provider`.

    Example:
        >>> Hmac(b"key", DigestAlgorithm.STREEBOG_256)(b"message").hex()[:16]
        '8300cc14e994200b'
    """

    def __init__(
        self, key: bytes, algorithm: DigestAlgorithm, *, provider: Provider | None = None
    ) -> None:
        provider = provider or default_provider()
        self.size = algorithm.size
        if len(key) > _BLOCK:
            long = provider.hasher(algorithm)
            long.update(key)
            key = long.digest()
        padded = key.ljust(_BLOCK, b"\0")
        self._inner, self._outer = provider.hasher(algorithm), provider.hasher(algorithm)
        self._inner.update(bytes(octet ^ 0x36 for octet in padded))
        self._outer.update(bytes(octet ^ 0x5C for octet in padded))

    def __call__(self, message: bytes) -> bytes:
        """Return the code of a message: 32 or 64 octets."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


def pbkdf2(
    password: bytes,
    salt: bytes,
    iterations: int,
    *,
    octets: slice = slice(0, 32),
    algorithm: DigestAlgorithm = DigestAlgorithm.STREEBOG_512,
    provider: Provider | None = None,
) -> bytes:
    """Make a key of a password (RFC 9337 §4).

    Args:
        password: UTF-8.
        salt: 8 to 32 octets, new for each key.
        iterations: How often it is hashed: a second of pure Python for about 2000.
        octets: Which octets of the endless result; only the blocks that hold them are computed.
        algorithm: Which Streebog.
        provider: Who hashes; by default `medsign.gost.default_provider`.

    Example:
        >>> pbkdf2(b"password", b"salt", 1).hex()[:16]
        '64770af7f748c3b1'
    """
    mac = Hmac(password, algorithm, provider=provider)
    first, last = octets.start // mac.size, (octets.stop - 1) // mac.size
    result = bytes(first * mac.size)
    for number in range(first + 1, last + 2):
        link = mac(salt + number.to_bytes(4))
        block = int.from_bytes(link)
        for _ in range(iterations - 1):
            link = mac(link)
            block ^= int.from_bytes(link)
        result += block.to_bytes(mac.size)
    return result[octets]


def kdf_tree(
    key: bytes, label: bytes, seed: bytes, keys: int, *, provider: Provider | None = None
) -> list[bytes]:
    """Make keys of 32 octets of one (KDF_TREE_GOSTR3411_2012_256 with R = 1, RFC 7836 §4.5).

    Args:
        key: 32 octets.
        label: What for.
        seed: What makes them different each time.
        keys: How many, at most 255.
        provider: Who hashes; by default `medsign.gost.default_provider`.

    Example:
        >>> [len(key) for key in kdf_tree(bytes(32), b"kdf tree", bytes(8), 2)]
        [32, 32]
    """
    mac = Hmac(key, DigestAlgorithm.STREEBOG_256, provider=provider)
    bits = 256 * keys
    length = bits.to_bytes((bits.bit_length() + 7) // 8)
    return [mac(bytes((number,)) + label + b"\0" + seed + length) for number in range(1, keys + 1)]
