"""A key, its certificate and the chain in one file: PFX, also known as PKCS#12 (RFC 9548)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator

import attrs

from medsign.codec.asn1 import Certificate, decode_certificate, decode_private_key, oids, pkcs12
from medsign.codec.asn1.envelope import Envelope
from medsign.codec.asn1.pkcs12 import Bag, CertificateBag, KeyBag, Pfx, PfxMac
from medsign.errors import InvalidKey, Unavailable
from medsign.gost import Provider, default_provider
from medsign.pki.keys import private_key, private_key_info, public_key
from medsign.signers.passwords import (
    ITERATIONS,
    MAX_ITERATIONS,
    KeyCipher,
    Password,
    Random,
)
from medsign.signers.software import SoftwareKey, SoftwareSigner


def load_pfx(
    data: bytes,
    password: str,
    *,
    provider: Provider | None = None,
    max_iterations: int = MAX_ITERATIONS,
) -> tuple[SoftwareSigner, tuple[Certificate, ...]]:
    """Read a PFX file: as RFC 9548 says, or as CryptoPro CSP exports it.

    Args:
        data: DER or BER.
        password: Its password.
        provider: Who computes; by default `medsign.gost.default_provider`.
        max_iterations: How many iterations of the password all of the file may cost; a second of
            pure Python for about 2000.

    Returns:
        The key with its certificate, and the other certificates of the file in their order.

    Raises:
        MalformedError: It is no PFX, or an open key in it is none of GOST R 34.10-2012.
        WrongPassword: The password is wrong or the file is damaged, which look the same.
        InvalidKey: There is no key with its certificate inside.
        BudgetExceeded: It is too large or asks for too many iterations.
        Unavailable: It is protected by something that is none of GOST; its curve is not known.
    """
    if pkcs12.decode_signed_pfx(data):
        raise InvalidKey("the file is signed, and for the owner of a key: load_signed_pfx")
    pfx = pkcs12.decode_pfx(data)
    opener = Password(password, max_iterations, provider)
    if pfx.mac is None:
        raise InvalidKey("nothing proves that the file is whole")
    opener.check(pfx.mac, pfx.safe)
    return owned(_bags(pfx.safe, opener), opener, provider)


def owned(
    bags: Iterable[Bag], opener: Password, provider: Provider | None
) -> tuple[SoftwareSigner, tuple[Certificate, ...]]:
    """Return the first key whose certificate lies beside it, and the other certificates.

    Raises:
        InvalidKey: There is none.
    """
    bags = list(bags)
    certificates = [
        decode_certificate(bag.certificate) for bag in bags if isinstance(bag, CertificateBag)
    ]
    for bag in bags:
        if not isinstance(bag, KeyBag):
            continue
        key = SoftwareKey(
            private_key(opener.open(bag.key, decode_private_key)),
            provider=provider or default_provider(),
        )
        for certificate in certificates:
            if _is_of(certificate, key):
                chain = tuple(each for each in certificates if each != certificate)
                return key.certified(certificate), chain
    raise InvalidKey("there is no key with its certificate in the file")


def save_pfx(
    signer: SoftwareSigner,
    password: str,
    *,
    chain: Iterable[Certificate] = (),
    name: str | None = None,
    cipher: KeyCipher = KeyCipher.KUZNYECHIK,
    iterations: int = ITERATIONS,
    random: Random = secrets.token_bytes,
) -> bytes:
    """Write a PFX file.

    Args:
        signer: The key with its certificate.
        password: What the file is to be opened with.
        chain: Further certificates.
        name: How programs show the key to people.
        cipher: What hides the key and the certificates. OpenSSL's engine 3.0 opens no OMAC, of
            `KeyCipher.KUZNYECHIK` only up to 4096 octets of certificates, and
            `KeyCipher.GOST_28147` always.
        iterations: How often the password is hashed, three times over.
        random: Where salts come from.

    Returns:
        DER.

    Raises:
        UsageError: The number of iterations is not positive.

    Example:
        >>> from datetime import UTC, datetime
        >>> from medsign.pki.issuing import ROOT_CA, issue_root, subject_name
        >>> key, since = SoftwareKey.generate(), datetime(2026, 1, 1, tzinfo=UTC)
        >>> name = subject_name(organization="Тест")
        >>> root = issue_root(ROOT_CA, subject=name, signer=key, not_before=since)
        >>> file = save_pfx(key.certified(root), "secret", iterations=1)
        >>> signer, chain = load_pfx(file, "secret")
        >>> signer.certificate == root, chain
        (True, ())
    """
    closer = Password(password, 3 * iterations, signer.provider)
    own = signer.certificate
    key_id = hashlib.sha1(own.der, usedforsecurity=False).digest()
    key = closer.close(private_key_info(signer.key), cipher, iterations=iterations, random=random)
    certificates = pkcs12.encode_bags(
        [CertificateBag(each.der) for each in (own, *chain)], key_id=key_id, name=name
    )
    safe = pkcs12.encode_safe(
        [
            closer.close(certificates, cipher, iterations=iterations, random=random),
            pkcs12.encode_bags([KeyBag(key)], key_id=key_id, name=name),
        ]
    )
    mac = PfxMac(digest_oid=oids.STREEBOG_512, value=b"", salt=random(32), iterations=iterations)
    return pkcs12.encode_pfx(Pfx(safe, attrs.evolve(mac, value=closer.mac(mac, safe))))


def _bags(safe: bytes, opener: Password) -> Iterator[Bag]:
    for part in pkcs12.decode_safe(safe):
        if isinstance(part, Envelope):
            raise InvalidKey("a part of the file is for the owner of a key, not for a password")
        yield from opener.open(part, pkcs12.decode_bags)


def _is_of(certificate: Certificate, key: SoftwareKey) -> bool:
    try:
        return public_key(certificate.public_key) == key.public_key
    except Unavailable:
        return False
