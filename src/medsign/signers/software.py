"""A private key in the memory of this process: for tests, the sandbox and УНЭП.

It is no certified средство электронной подписи: qualified signatures of real documents are made by
DSS, CryptoPro CSP or a token.
"""

from __future__ import annotations

import attrs

from medsign.codec.asn1 import Certificate, decode_certificate, decode_private_key, to_binary
from medsign.errors import InvalidKey
from medsign.gost import (
    DigestAlgorithm,
    ParamSet,
    PrivateKey,
    Provider,
    PublicKey,
    default_provider,
    param_set,
)
from medsign.pki.keys import private_key, public_key

CRYPTOPRO_A = "1.2.643.2.2.35.1"


@attrs.frozen(eq=False)
class SoftwareKey:
    """A key without a certificate: it signs requests for one, or roots.

    Args:
        key: The private key.
        provider: Who computes; by default `medsign.gost.default_provider`.

    Example:
        >>> key = SoftwareKey.generate()
        >>> len(key.sign_digest(bytes(32)))
        64
    """

    key: PrivateKey = attrs.field(repr=False)
    provider: Provider = attrs.field(factory=default_provider, repr=False, kw_only=True)

    @classmethod
    def generate(
        cls, params: ParamSet | str = CRYPTOPRO_A, *, provider: Provider | None = None
    ) -> SoftwareKey:
        """Make a new key.

        Args:
            params: The curve, or its OID or name; by default the one most software has.
            provider: Who computes.

        Raises:
            UsageError: No curve has this OID or name.
        """
        provider = provider or default_provider()
        curve = param_set(params) if isinstance(params, str) else params
        return cls(provider.generate(curve), provider=provider)

    @property
    def public_key(self) -> PublicKey:
        """The key that verifies what this one signs."""
        return self.key.public_key()

    @property
    def digest_algorithm(self) -> DigestAlgorithm:
        """The digest that goes with the length of the key."""
        return self.key.params.digest

    def sign_digest(self, digest: bytes) -> bytes:
        """Sign a digest: s‖r, each big-endian (RFC 9215 §2).

        Raises:
            UsageError: The digest has another length.
        """
        return self.provider.sign(self.key, digest)

    def certified(self, certificate: Certificate) -> SoftwareSigner:
        """Return the signer of this key and its certificate.

        Raises:
            InvalidKey: The certificate is of another key.
        """
        return SoftwareSigner(self.key, certificate, provider=self.provider)


@attrs.frozen(eq=False)
class SoftwareSigner(SoftwareKey):
    """A key with its certificate.

    Args:
        key: The private key.
        certificate: The certificate of its public key.
        provider: Who computes; by default `medsign.gost.default_provider`.

    Raises:
        InvalidKey: The certificate is of another key.
        Unavailable: The certificate holds no GOST key.
    """

    certificate: Certificate

    def __attrs_post_init__(self) -> None:
        if public_key(self.certificate.public_key) != self.public_key:
            raise InvalidKey("the certificate is of another key")


def load_key(data: bytes, *, provider: Provider | None = None) -> SoftwareKey:
    """Read an unencrypted PKCS#8 key.

    Args:
        data: PEM, DER or bare base64.
        provider: Who will compute; by default `medsign.gost.default_provider`.

    Raises:
        MalformedError: It is no such key.
        InvalidKey: The number fails its checks.
        Unavailable: The curve is not known.
    """
    key = private_key(decode_private_key(to_binary(data)))
    return SoftwareKey(key, provider=provider or default_provider())


def load_signer(
    key: bytes, certificate: bytes, *, provider: Provider | None = None
) -> SoftwareSigner:
    """Read an unencrypted PKCS#8 key and its certificate.

    Args:
        key: PEM, DER or bare base64.
        certificate: PEM, DER or bare base64.
        provider: Who will compute; by default `medsign.gost.default_provider`.

    Raises:
        MalformedError: One of them is something else.
        InvalidKey: The key fails its checks, or is not that of the certificate.
        Unavailable: The curve is not known.
    """
    return load_key(key, provider=provider).certified(decode_certificate(to_binary(certificate)))
