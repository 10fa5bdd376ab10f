"""GOST R 34.10-2012 and 34.11-2012 with nothing but Python.

gmpy2 is left out on purpose. On its numbers signatures become 2 to 4 times faster, hashing not at
all, and hashing is the slow part; its memory keeps secrets and its time depends on them as well.
A native provider is faster than that and leaks less.
"""

from __future__ import annotations

import functools
import hmac
import secrets
from collections.abc import Callable, Iterator
from typing import Any

from medsign.gost.curve import Comb, curve_of
from medsign.gost.keys import PrivateKey, PublicKey
from medsign.gost.params import DigestAlgorithm, ParamSet
from medsign.gost.scalar import Random, blinded, draw
from medsign.gost.streebog import Streebog

# A table costs about three verifications and saves most of each later one.
_VERIFICATIONS_BEFORE_TABLE = 4
_TABLES = 32


class PortableProvider:
    """A `Provider` that runs wherever Python does.

    Python's integers take time that depends on their values. So everything secret is blinded
    with fresh random numbers before it is computed with; a machine whose neighbours can measure
    it precisely should still sign through a native provider.

    Args:
        random: Where nonces, keys and blinding come from.
        deterministic: Derive the nonce from the key and the digest (RFC 6979 with
            HMAC-Streebog), so that a broken random source can't give the key away.

    Example:
        >>> from medsign.gost.params import param_set
        >>> provider = PortableProvider()
        >>> key = provider.generate(param_set("1.2.643.7.1.2.1.1.1"))
        >>> signature = provider.sign(key, bytes(32))
        >>> provider.verify(key.public_key(), bytes(32), signature)
        True
    """

    name = "portable"

    def __init__(
        self, *, random: Random = secrets.token_bytes, deterministic: bool = False
    ) -> None:
        self._random = random
        self._deterministic = deterministic
        # lru_cache holds no Python lock, so a fork can't copy a locked one.
        self._table_of = functools.lru_cache(maxsize=_TABLES)(_KeyTable)

    def supports(self, params: ParamSet) -> bool:
        """Tell whether keys on this curve can sign here: any of the two lengths can."""
        return params.size in {32, 64}

    def hasher(self, algorithm: DigestAlgorithm) -> Streebog:
        """Return a new hasher."""
        return Streebog(algorithm)

    def hash(self, algorithm: DigestAlgorithm, data: bytes) -> bytes:
        """Return the digest of octets that are all at hand."""
        hasher = self.hasher(algorithm)
        hasher.update(data)
        return hasher.digest()

    def generate(self, params: ParamSet) -> PrivateKey:
        """Return a new private key."""
        return PrivateKey(params, draw(params.q, self._random))

    def sign(self, key: PrivateKey, digest: bytes) -> bytes:
        """Sign a digest; see `Provider.sign`."""
        params = key.params
        q, size = params.q, params.size
        e = params.signed_number(digest)
        # The product that holds the key must not have the same operand each time.
        secret = blinded(key.value, q, self._random)
        for nonce in self._nonces(key, digest):
            r = curve_of(params).multiply_base(nonce, self._random)[0] % q
            s = (r * secret + nonce * e) % q
            # Zero has no meaning here and no chance to occur; the standard asks to look.
            if r and s:
                return s.to_bytes(size, "big") + r.to_bytes(size, "big")
        raise AssertionError("nonces never end")

    def verify(self, key: PublicKey, digest: bytes, signature: bytes) -> bool:
        """Tell whether a signature is good; see `Provider.verify`."""
        params = key.params
        q, size = params.q, params.size
        e = params.signed_number(digest)
        s, r = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
        if len(signature) != 2 * size or not (0 < r < q and 0 < s < q):
            return False
        curve = curve_of(params)
        inverse = pow(e, -1, q)
        point = curve.multiply((key.x, key.y), -r * inverse % q, self._table_of(key).when_ready())
        return curve.group.has_abscissa(curve.add_base(point, s * inverse % q), r, q)

    def _nonces(self, key: PrivateKey, digest: bytes) -> Iterator[int]:
        if self._deterministic:
            q, algorithm = key.params.q, key.params.digest
            # RFC 6979 reads its hash big-endian; this curve reads Streebog little-endian.
            yield from rfc6979(q, key.value, digest[::-1], functools.partial(Streebog, algorithm))
        while True:
            yield draw(key.params.q, self._random)


class _KeyTable:
    """The table of a public key, built when the key has been used often enough to repay it."""

    def __init__(self, key: PublicKey) -> None:
        self._key = key
        self._uses = 0
        self._comb: Comb | None = None

    def when_ready(self) -> Comb | None:
        # Two threads may count one use or build one table twice; both outcomes are harmless.
        self._uses += 1
        if self._comb is None and self._uses > _VERIFICATIONS_BEFORE_TABLE:
            self._comb = curve_of(self._key.params).comb((self._key.x, self._key.y))
        return self._comb


def rfc6979(q: int, secret: int, digest: bytes, digestmod: Callable[..., Any]) -> Iterator[int]:
    """Yield the nonces of RFC 6979 §3.2 for a key and a digest.

    Args:
        q: Order of the group.
        secret: The private key.
        digest: Big-endian.
        digestmod: The hash, as `hmac.new` takes it.
    """
    size = (q.bit_length() + 7) // 8

    def number(octets: bytes) -> int:
        return int.from_bytes(octets, "big") >> max(0, 8 * len(octets) - q.bit_length())

    def mac(*parts: bytes) -> bytes:
        return hmac.new(key, b"".join(parts), digestmod).digest()

    seed = secret.to_bytes(size, "big") + (number(digest) % q).to_bytes(size, "big")
    key, value = bytes(len(digest)), b"\1" * len(digest)
    for separator in (b"\0", b"\1"):
        key = mac(value, separator, seed)
        value = mac(value)
    while True:
        octets = b""
        while 8 * len(octets) < q.bit_length():
            value = mac(value)
            octets += value
        nonce = number(octets)
        if 0 < nonce < q:
            yield nonce
        key = mac(value, b"\0")
        value = mac(value)
