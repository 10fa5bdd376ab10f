"""A provider for the length of one verification."""

from __future__ import annotations

from medsign.gost.keys import PrivateKey, PublicKey
from medsign.gost.params import DigestAlgorithm, ParamSet
from medsign.gost.provider import Hasher, Provider


class Once:
    """A `Provider` that judges no signature twice and leaves all else to another one.

    Two chains through one authority, two answers of one service: the same verification is asked
    for from several sides. It is a pure function of key, digest and signature, so its outcome can
    stand for the next time; this object goes, and the outcomes with it, when the file is judged.

    Args:
        provider: Who computes.
    """

    def __init__(self, provider: Provider) -> None:
        self.name = provider.name
        self._provider = provider
        self._judged: dict[tuple[PublicKey, bytes, bytes], bool] = {}

    def supports(self, params: ParamSet) -> bool:
        """Tell whether the other one knows this curve."""
        return self._provider.supports(params)

    def hasher(self, algorithm: DigestAlgorithm) -> Hasher:
        """Return a new hasher."""
        return self._provider.hasher(algorithm)

    def hash(self, algorithm: DigestAlgorithm, data: bytes) -> bytes:
        """Return the digest of octets that are all at hand."""
        return self._provider.hash(algorithm, data)

    def generate(self, params: ParamSet) -> PrivateKey:
        """Return a new private key."""
        return self._provider.generate(params)

    def sign(self, key: PrivateKey, digest: bytes) -> bytes:
        """Sign a digest; see `Provider.sign`."""
        return self._provider.sign(key, digest)

    def verify(self, key: PublicKey, digest: bytes, signature: bytes) -> bool:
        """Tell whether a signature is good; see `Provider.verify`."""
        asked = key, digest, signature
        if asked not in self._judged:
            self._judged[asked] = self._provider.verify(*asked)
        return self._judged[asked]
