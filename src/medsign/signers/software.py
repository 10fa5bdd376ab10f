"""A private key in the memory of this process: for tests, the sandbox and УНЭП.

It is no certified средство электронной подписи: qualified signatures of real documents are made by
DSS, CryptoPro CSP or a token.
"""

from __future__ import annotations

import secrets

import attrs

from medsign.codec.asn1 import (
    Certificate,
    decode_certificate,
    decode_private_key,
    pkcs12,
    to_binary,
)
from medsign.errors import InvalidKey, UsageError
from medsign.gost import (
    DigestAlgorithm,
    ParamSet,
    PrivateKey,
    Provider,
    PublicKey,
    default_provider,
    param_set,
)
from medsign.pki.keys import private_key, private_key_info, public_key
from medsign.signers.passwords import ITERATIONS, MAX_ITERATIONS, KeyCipher, Password, Random

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


def load_key(
    data: bytes,
    password: str | None = None,
    *,
    provider: Provider | None = None,
    max_iterations: int = MAX_ITERATIONS,
) -> SoftwareKey:
    """Read a PKCS#8 key, open or under a password (RFC 9337).

    Args:
        data: PEM, DER or bare base64.
        password: What opens an encrypted key; an open one needs none.
        provider: Who will compute; by default `medsign.gost.default_provider`.
        max_iterations: How many iterations of the password the file may cost.

    Raises:
        MalformedError: It is no such key.
        InvalidKey: The number fails its checks.
        WrongPassword: The password is wrong or the file is damaged, which look the same.
        UsageError: The key is encrypted and there is no password.
        BudgetExceeded: It is too large or asks for too many iterations.
        Unavailable: The curve or the encryption is not known.
    """
    binary = to_binary(data)
    encrypted = pkcs12.decode_encrypted_key(binary)
    if encrypted and password is None:
        raise UsageError(
            "the key is encrypted: it needs a password", "Ключ защищён паролем. Введите пароль."
        )
    opener = Password(password or "", max_iterations, provider)
    key = private_key(opener.open(encrypted or binary, decode_private_key))
    return SoftwareKey(key, provider=provider or default_provider())


def save_key(
    key: SoftwareKey,
    password: str,
    *,
    cipher: KeyCipher = KeyCipher.KUZNYECHIK_OMAC,
    iterations: int = ITERATIONS,
    random: Random = secrets.token_bytes,
) -> bytes:
    """Write a key as PKCS#8 under a password (RFC 9337).

    Args:
        key: The key.
        password: What the file is to be opened with.
        cipher: What hides the key.
        iterations: How often the password is hashed; a second of pure Python for about 2000.
        random: Where the salt comes from.

    Returns:
        DER; the label of its PEM is ``ENCRYPTED PRIVATE KEY``.

    Example:
        >>> key = SoftwareKey.generate()
        >>> file = save_key(key, "secret", iterations=1)
        >>> load_key(file, "secret").public_key == key.public_key
        True
        >>> load_key(file, "another")
        Traceback (most recent call last):
            ...
        medsign.errors.WrongPassword: the password is wrong or the file is damaged
    """
    closer = Password(password, iterations, key.provider)
    hidden = closer.close(private_key_info(key.key), cipher, iterations=iterations, random=random)
    return pkcs12.encode_encrypted_key(hidden)


def load_signer(
    key: bytes,
    certificate: bytes,
    password: str | None = None,
    *,
    provider: Provider | None = None,
) -> SoftwareSigner:
    """Read a PKCS#8 key, open or under a password, and its certificate.

    Args:
        key: PEM, DER or bare base64.
        certificate: PEM, DER or bare base64.
        password: What opens an encrypted key; an open one needs none.
        provider: Who will compute; by default `medsign.gost.default_provider`.

    Raises:
        MalformedError: One of them is something else.
        InvalidKey: As `load_key` says, or the key is not that of the certificate.
        UsageError: The key is encrypted and there is no password.
        BudgetExceeded: One of them is too large.
        Unavailable: The curve or the encryption is not known.
    """
    loaded = load_key(key, password, provider=provider)
    return loaded.certified(decode_certificate(to_binary(certificate)))
