"""The port behind which a signing key stands, as narrow as issuing and CMS need it.

It is here and not in `medsign.signers` because certificates, lists and stamps are signed too.
"""

from __future__ import annotations

from typing import Protocol

from medsign.codec.asn1 import AlgorithmIdentifier, Certificate, oids
from medsign.gost import DigestAlgorithm, Provider, PublicKey, digest


class DigestSigner(Protocol):
    """A private key that signs digests, wherever it is kept."""

    @property
    def public_key(self) -> PublicKey:
        """The key that verifies what this one signs."""
        ...

    @property
    def digest_algorithm(self) -> DigestAlgorithm:
        """How the message is to be hashed for `sign_digest`."""
        ...

    def sign_digest(self, digest: bytes) -> bytes:
        """Sign a digest.

        Args:
            digest: The octets as the hash gives them, 32 or 64.

        Returns:
            s‖r, each big-endian, 64 or 128 octets in all (RFC 9215 §2).

        Raises:
            UsageError: The digest has another length.
        """
        ...


class Signer(DigestSigner, Protocol):
    """A private key with the certificate of its owner."""

    @property
    def certificate(self) -> Certificate:
        """The certificate whose public key this is."""
        ...


_SIGNATURES = {
    DigestAlgorithm.STREEBOG_256: AlgorithmIdentifier(oids.GOST_SIGNATURE_256),
    DigestAlgorithm.STREEBOG_512: AlgorithmIdentifier(oids.GOST_SIGNATURE_512),
}


def signature_algorithm(signer: DigestSigner) -> AlgorithmIdentifier:
    """Return the algorithm to name beside a signature; its parameters are absent (RFC 9215 §2)."""
    return _SIGNATURES[signer.digest_algorithm]


def sign(signer: DigestSigner, data: bytes, *, provider: Provider | None = None) -> bytes:
    """Hash octets and sign the digest.

    Args:
        signer: Whose key.
        data: What to sign, for instance the signed part of a certificate.
        provider: Who hashes; by default `medsign.gost.default_provider`.

    Returns:
        s‖r, each big-endian.
    """
    return signer.sign_digest(digest(signer.digest_algorithm, data, provider=provider))
