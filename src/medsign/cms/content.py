"""What is signed: octets in memory, a file, or a digest that somebody else made."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

import attrs

from medsign.errors import UsageError
from medsign.gost import DigestAlgorithm, Provider, digest, digest_file


@attrs.frozen
class ContentDigest:
    """A digest in place of a content that is too large, too secret or too far to be read here.

    Attributes:
        algorithm: Streebog-256 or Streebog-512.
        value: Octets of the digest.

    Raises:
        UsageError: The number of octets is not that of the algorithm.

    Example:
        >>> ContentDigest(DigestAlgorithm.STREEBOG_256, bytes(32)).value.hex()[:4]
        '0000'
    """

    algorithm: DigestAlgorithm
    value: bytes

    @classmethod
    def of(
        cls,
        algorithm: DigestAlgorithm,
        pieces: Iterable[bytes],
        *,
        provider: Provider | None = None,
    ) -> ContentDigest:
        """Digest a content that comes in pieces and is read once, such as an upload.

        Args:
            algorithm: That of the key, `medsign.pki.signing.Signer.digest_algorithm`; of a
                signature to be verified, the one that it names.
            pieces: The octets, in order.
            provider: Who hashes; by default `medsign.gost.default_provider`.

        Example:
            >>> pieces = (bytes(1000) for _ in range(1000))
            >>> len(ContentDigest.of(DigestAlgorithm.STREEBOG_256, pieces).value)
            32
        """
        return cls(algorithm, digest(algorithm, pieces, provider=provider))

    def __attrs_post_init__(self) -> None:
        if len(self.value) != self.algorithm.size:
            raise UsageError(f"a {self.algorithm.name} digest has {self.algorithm.size} octets")


Content: TypeAlias = bytes | Path | ContentDigest


def digest_of(
    content: Content, algorithm: DigestAlgorithm, *, provider: Provider | None = None
) -> bytes | None:
    """Return the digest of a content; ``None`` when it was digested with the other algorithm.

    Example:
        >>> digest_of(ContentDigest(DigestAlgorithm.STREEBOG_256, bytes(32)),
        ...           DigestAlgorithm.STREEBOG_512) is None
        True
    """
    match content:
        case ContentDigest():
            return content.value if content.algorithm is algorithm else None
        case Path():
            return digest_file(algorithm, content, provider=provider)
        case _:
            return digest(algorithm, content, provider=provider)
