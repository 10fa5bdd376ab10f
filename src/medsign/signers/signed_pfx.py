"""A PFX that its sender signed for the owner of another key, without any password (RFC 9548 §4)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from datetime import datetime

import attrs

from medsign.cms.sign import sign
from medsign.codec.asn1 import Certificate, decode_signed_data, pkcs12
from medsign.codec.asn1.cms import IssuerAndSerial
from medsign.codec.asn1.envelope import (
    Envelope,
    Recipient,
    decode_nonce,
    with_agreement,
    with_nonce,
)
from medsign.codec.asn1.pkcs12 import Bag, CertificateBag, KeyBag
from medsign.errors import BudgetExceeded, InvalidKey, MalformedError, Unavailable
from medsign.gost import Provider
from medsign.gost.ciphers import BlockCipher, Kuznyechik, Magma, ctr_acpkm, keg, kexp15, kimp15
from medsign.pki.keys import private_key_info, public_key
from medsign.pki.signed import check_signer
from medsign.signers.passwords import Password, Random
from medsign.signers.pfx import owned
from medsign.signers.software import SoftwareKey, SoftwareSigner

MAX_RECIPIENTS = 16
"""How many keys may be tried: each costs a multiplication of a point."""

_KEXP15 = "1.2.643.7.1.1.7.2.1"
_AGREEMENTS = {32: "1.2.643.7.1.1.6.1", 64: "1.2.643.7.1.1.6.2"}
_WRAPS: dict[str, type[BlockCipher]] = {
    "1.2.643.7.1.1.7.1.1": Magma,
    _KEXP15: Kuznyechik,
}
_CIPHERS: dict[str, type[BlockCipher]] = {
    pkcs12.MAGMA_CTR_ACPKM: Magma,
    pkcs12.KUZNYECHIK_CTR_ACPKM: Kuznyechik,
}


@attrs.frozen
class SignedPfx:
    """What a signed PFX held.

    Attributes:
        signer: The key with its certificate.
        chain: The other certificates.
        sender: Whose signature the file has. The signature is good; whether he is to be believed
            is for `medsign.pki` to say.
    """

    signer: SoftwareSigner
    chain: tuple[Certificate, ...]
    sender: Certificate


def load_signed_pfx(
    data: bytes,
    recipient: SoftwareKey,
    *,
    senders: Iterable[Certificate] = (),
    provider: Provider | None = None,
) -> SignedPfx:
    """Read a PFX that is signed, and hidden for the owner of a key.

    Args:
        data: DER or BER.
        recipient: The key of the one whom it was sent to.
        senders: Certificates of who may have sent it, when they are not in the file.
        provider: Who computes; by default `medsign.gost.default_provider`.

    Raises:
        MalformedError: It is no PFX with a signature.
        InvalidKey: The signature is not good, it was sent to somebody else, or there is no key with
            its certificate inside.
        BudgetExceeded: It is too large.
        Unavailable: It is hidden by something that is none of GOST.
    """
    signature = pkcs12.decode_signed_pfx(data)
    if signature is None:
        raise MalformedError("PFX", "authSafe", "not signed")
    signed = decode_signed_data(signature, pkcs12.PFX_LIMITS)
    if signed.content is None or len(signed.signers) != 1:
        raise MalformedError("PFX", "authSafe", "not one signature with its content")
    found = check_signer(signed, signed.signers[0], candidates=senders, provider=provider)
    if found.certificate is None or not found.is_intact:
        raise InvalidKey("the signature of the file is not good, or nobody knows its sender")
    opener = Password("", 0, provider)
    bags = _bags(signed.content, recipient, opener, provider)
    signer, chain = owned(bags, opener, provider)
    return SignedPfx(signer, chain, found.certificate)


def save_signed_pfx(
    signer: SoftwareSigner,
    recipient: Certificate,
    sender: SoftwareSigner,
    *,
    at: datetime,
    chain: Iterable[Certificate] = (),
    random: Random = secrets.token_bytes,
) -> bytes:
    """Write a PFX for the owner of a certificate, signed by its sender.

    Args:
        signer: The key with its certificate.
        recipient: Whose key opens the file.
        sender: Who signs it; his key is on the curve of the recipient's.
        at: The time of signing; aware.
        chain: Further certificates.
        random: Where nonces come from.

    Returns:
        DER.

    Raises:
        UsageError: The keys of the sender and of the recipient are on two curves.
        Unavailable: The recipient's certificate holds no GOST key.

    Example:
        >>> from datetime import UTC
        >>> from medsign.pki.issuing import ROOT_CA, issue_root, subject_name
        >>> now, people = datetime(2026, 1, 1, tzinfo=UTC), []
        >>> for number in range(2):
        ...     key, name = SoftwareKey.generate(), subject_name(organization=f"Тест {number}")
        ...     made = issue_root(ROOT_CA, subject=name, signer=key, not_before=now)
        ...     people.append(key.certified(made))
        >>> clinic, doctor = people
        >>> file = save_signed_pfx(clinic, doctor.certificate, clinic, at=now)
        >>> opened = load_signed_pfx(file, doctor)
        >>> opened.signer.certificate == clinic.certificate == opened.sender
        True
    """
    ukm, nonce, content_key = random(32), random(8) + bytes(8), random(32)
    other = public_key(recipient.public_key)
    code_key, key = keg(sender.key, other, ukm, provider=sender.provider)
    key_id = hashlib.sha1(signer.certificate.der, usedforsecurity=False).digest()
    bags = pkcs12.encode_bags([KeyBag(private_key_info(signer.key))], key_id=key_id)
    way = Recipient(
        sender=_named(sender.certificate),
        owner=_named(recipient),
        ukm=ukm,
        algorithm=with_agreement(_KEXP15, _AGREEMENTS[other.params.size]),
        hidden=kexp15(Kuznyechik, content_key, code_key, key, ukm[24:]),
    )
    envelope = Envelope(
        certificates=(sender.certificate,),
        recipients=(way,),
        algorithm=with_nonce(pkcs12.KUZNYECHIK_CTR_ACPKM, nonce),
        octets=ctr_acpkm(Kuznyechik, content_key, nonce[:8], bags),
    )
    own = [CertificateBag(each.der) for each in (signer.certificate, *chain)]
    safe = pkcs12.encode_safe([pkcs12.encode_bags(own, key_id=key_id), envelope])
    return pkcs12.encode_signed_pfx(sign(safe, sender, at=at, detached=False))


def _bags(
    safe: bytes, recipient: SoftwareKey, opener: Password, provider: Provider | None
) -> Iterator[Bag]:
    for part in pkcs12.decode_safe(safe):
        if isinstance(part, Envelope):
            yield from pkcs12.decode_bags(_opened(part, recipient, provider))
        else:
            yield from opener.open(part, pkcs12.decode_bags)


def _opened(envelope: Envelope, recipient: SoftwareKey, provider: Provider | None) -> bytes:
    cipher = _CIPHERS.get(envelope.algorithm.oid)
    if cipher is None:
        raise Unavailable(f"content under {envelope.algorithm.oid} (CTR-ACPKM only)")
    if len(envelope.recipients) > MAX_RECIPIENTS:
        raise BudgetExceeded("recipients of a PFX", MAX_RECIPIENTS)
    iv = decode_nonce(envelope.algorithm)[: cipher.block_size // 2]
    for each in envelope.recipients:
        try:
            key = _content_key(each, envelope.certificates, recipient, provider)
        except InvalidKey:  # it is for another one
            continue
        if len(key) == 32 and len(iv) == cipher.block_size // 2:
            return ctr_acpkm(cipher, key, iv, envelope.octets)
    raise InvalidKey("the file was sent to the owner of another key")


def _content_key(
    way: Recipient,
    certificates: Iterable[Certificate],
    recipient: SoftwareKey,
    provider: Provider | None,
) -> bytes:
    cipher = _WRAPS.get(way.algorithm.oid)
    if cipher is None:
        raise Unavailable(f"keys under {way.algorithm.oid} (KExp15 only (RFC 9189))")
    for certificate in certificates:
        if not _is_of(way.sender, certificate):
            continue
        other = public_key(certificate.public_key)
        iv = way.ukm[24 : 24 + cipher.block_size // 2]
        if other.params != recipient.key.params or len(way.ukm) != 32:
            break
        code_key, key = keg(recipient.key, other, way.ukm, provider=provider)
        return kimp15(cipher, way.hidden, code_key, key, iv)
    raise InvalidKey("the sender has no key that agrees with this one")


def _named(certificate: Certificate) -> IssuerAndSerial:
    return IssuerAndSerial(certificate.issuer, certificate.serial_number)


def _is_of(owner: IssuerAndSerial, certificate: Certificate) -> bool:
    same = certificate.serial_number == owner.serial_number
    return same and certificate.issuer.matches(owner.issuer)
