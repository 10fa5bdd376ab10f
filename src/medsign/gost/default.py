"""The provider that is used when nobody names one, and digests made with it."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from medsign.gost.params import DigestAlgorithm, Octets
from medsign.gost.provider import Provider
from medsign.gost.providers import PROVIDERS, FirstAvailable

_CHUNK = 1 << 16


@functools.cache
def default_provider() -> Provider:
    """Return the provider that is used when nobody names one.

    It leaves each task to the first of `medsign.gost.PROVIDERS` that can do it on this machine;
    each is loaded and tested when it is first needed. The last one, the portable one, is always
    there. To pin another choice, pass what `medsign.gost.choose` returns.

    Example:
        >>> default_provider().name
        'nettle, openssl, gostprov, libgcrypt, portable'
    """
    return FirstAvailable(PROVIDERS)


def digest(
    algorithm: DigestAlgorithm,
    data: Octets | Iterable[Octets],
    *,
    provider: Provider | None = None,
) -> bytes:
    """Return the digest of octets, or of the chunks of an iterable one after another.

    Args:
        algorithm: Streebog-256 or Streebog-512.
        data: The message.
        provider: Who computes; by default `default_provider`.

    Example:
        >>> digest(DigestAlgorithm.STREEBOG_256, [b"one ", b"message"]).hex()[:8]
        '90776cb0'
    """
    provider = provider or default_provider()
    if isinstance(data, bytes):
        return provider.hash(algorithm, data)
    hasher = provider.hasher(algorithm)
    for chunk in (memoryview(data),) if isinstance(data, Octets) else data:
        hasher.update(chunk)
    return hasher.digest()


def digest_file(
    algorithm: DigestAlgorithm,
    file: Path | BinaryIO,
    *,
    provider: Provider | None = None,
) -> bytes:
    """Return the digest of a file, read in pieces so that its size does not matter.

    Args:
        algorithm: Streebog-256 or Streebog-512.
        file: A path, or a binary stream that is read to its end and not closed.
        provider: Who computes; by default `default_provider`.
    """
    if isinstance(file, Path):
        with file.open("rb") as stream:
            return digest_file(algorithm, stream, provider=provider)
    return digest(algorithm, iter(lambda: file.read(_CHUNK), b""), provider=provider)
