"""Making signatures: CAdES-BES and CAdES-T (ETSI EN 319 122-1, RFC 5652, RFC 5035).

The key may be far away: on a token, in a phone, in a service that answers tomorrow. So signing is
two halves, `prepare` and `finish`, and what lies between them can be stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from medsign.cms.content import Content, ContentDigest, digest_of
from medsign.codec import json
from medsign.codec.asn1 import (
    AlgorithmIdentifier,
    Attribute,
    Certificate,
    IssuerAndSerial,
    SignedData,
    SignerInfo,
    add_unsigned_attribute,
    decode_certificate,
    decode_signed_data,
    decode_timestamp_response,
    decode_tst_info,
    encode_signed_attributes,
    encode_signed_data,
    oids,
)
from medsign.errors import MalformedError, UsageError
from medsign.gost import DigestAlgorithm, Provider, digest
from medsign.pki.keys import public_key
from medsign.pki.signatures import hash_octets, verify_digest
from medsign.pki.signed import certificate_reference
from medsign.pki.signing import Signer


@attrs.frozen(kw_only=True)
class Prepared:
    """A signature that only lacks its value.

    Attributes:
        certificate: DER of the signer's certificate.
        attributes: DER of the signed attributes: what is hashed and signed.
        content: The content of an attached signature, ``None`` for a detached one.
        chain: DER of further certificates to send along.
        beside: DER of the signed message to which this signature is added.
    """

    certificate: bytes = attrs.field(repr=False)
    attributes: bytes = attrs.field(repr=False)
    content: bytes | None = attrs.field(default=None, repr=False)
    chain: tuple[bytes, ...] = attrs.field(default=(), repr=False)
    beside: bytes | None = attrs.field(default=None, repr=False)

    @property
    def digest_algorithm(self) -> DigestAlgorithm:
        """Streebog of the length of the key."""
        return _digest_algorithm(decode_certificate(self.certificate))

    @property
    def digest(self) -> bytes:
        """What the key has to sign: 32 or 64 octets, as the hash gives them."""
        return digest(self.digest_algorithm, self.attributes)

    def to_json(self) -> bytes:
        """Return everything as JSON in UTF-8; an attached content is in it."""
        return json.encode(self)

    @classmethod
    def from_json(cls, data: bytes) -> Prepared:
        """Read what `to_json` wrote.

        Raises:
            MalformedError: It is not such JSON.
            BudgetExceeded: It is too large.
        """
        return json.decode(cls, data, what="prepared signature")


def prepare(
    content: Content,
    certificate: Certificate,
    *,
    at: datetime | None,
    detached: bool = True,
    chain: Iterable[Certificate] = (),
    beside: bytes | None = None,
    provider: Provider | None = None,
) -> Prepared:
    """Do all of the signing but the signature itself.

    Args:
        content: What is signed: octets, a file, or its digest by the algorithm of the key.
        certificate: The signer's certificate.
        at: When, by the signer's clock; aware. It becomes the signing-time attribute; ``None``
            leaves that out, as PAdES wants it, for a PDF has a place of its own.
        detached: Whether the content stays out of the signature.
        chain: Further certificates to send along, the root not among them.
        beside: A message with signatures of the same content, to which this one is added; its
            own content, or the lack of it, stays as it is. Without a content it is told by the
            digests in it, if one is by the algorithm of the key.
        provider: Who hashes; by default `medsign.gost.default_provider`.

    Raises:
        UsageError: The moment has no time zone, the digest is of the other length, a digest was
            to be attached, or ``beside`` is of another content.
        Unavailable: The key of the certificate is not one of GOST R 34.10-2012.
        MalformedError: ``beside`` is no signed message.
    """
    algorithm = _digest_algorithm(certificate)
    hashed = digest_of(content, algorithm, provider=provider)
    if hashed is None:
        raise UsageError(f"this key needs a {algorithm.name} digest of the content")
    others = decode_signed_data(beside) if beside else None
    if others and _is_of_another(others, algorithm, hashed, provider):
        raise UsageError(
            "the message beside is of another content",
            "Прежняя подпись поставлена под другим файлом. Выберите тот, под которым она стоит.",
        )
    attributes = encode_signed_attributes(
        content_type=others.content_type if others else oids.DATA,
        message_digest=hashed,
        signing_time=at,
        signing_certificate=certificate_reference(certificate, algorithm.oid, provider=provider),
    )
    return Prepared(
        certificate=certificate.der,
        attributes=attributes,
        content=None if detached or others else _octets(content),
        chain=tuple(each.der for each in chain),
        beside=beside,
    )


def finish(prepared: Prepared, signature: bytes, *, provider: Provider | None = None) -> bytes:
    """Join a prepared signature with its value.

    Args:
        prepared: What `prepare` returned.
        signature: s‖r, each big-endian, 64 or 128 octets: the signature of `Prepared.digest`.
        provider: Who checks the value; by default `medsign.gost.default_provider`.

    Returns:
        DER of the ContentInfo, a ``.p7s`` or ``.sig`` file.

    Raises:
        UsageError: The value is not a signature by the certificate's key.
    """
    certificate = decode_certificate(prepared.certificate)
    key = certificate.public_key
    # Every verifier takes the key's algorithm here, and OpenSSL and CryptoPro write it.
    algorithm = AlgorithmIdentifier(key.algorithm.oid)
    # A token with another key inserted would otherwise make a bad signature that nobody notices.
    if not verify_digest(key, algorithm, prepared.digest, signature, provider=provider):
        raise UsageError(
            "the value is not a signature by the key of the certificate",
            "Ключ не подходит к выбранному сертификату. Выберите другой.",
        )
    signer = SignerInfo(
        version=1,
        sid=IssuerAndSerial(certificate.issuer, certificate.serial_number),
        digest_algorithm=AlgorithmIdentifier(prepared.digest_algorithm.oid),
        signature_algorithm=algorithm,
        signature=signature,
        signed_attributes_der=prepared.attributes,
    )
    others = decode_signed_data(prepared.beside) if prepared.beside else None
    certificates = dict.fromkeys((prepared.certificate, *prepared.chain))
    if others is None:
        return encode_signed_data([signer], content=prepared.content, certificates=certificates)
    return _joined(others, signer, certificates)


def sign(
    content: Content,
    signer: Signer,
    *,
    at: datetime,
    detached: bool = True,
    chain: Iterable[Certificate] = (),
    beside: bytes | None = None,
    provider: Provider | None = None,
) -> bytes:
    """Sign a content as CAdES-BES; see `prepare` for the arguments and errors.

    Returns:
        DER of the ContentInfo, a ``.p7s`` or ``.sig`` file.
    """
    prepared = prepare(
        content,
        signer.certificate,
        at=at,
        detached=detached,
        chain=chain,
        beside=beside,
        provider=provider,
    )
    return finish(prepared, signer.sign_digest(prepared.digest), provider=provider)


def signature_value(signature: bytes, signer_index: int = 0) -> bytes:
    """Return the octets that a time stamp on the signature must cover.

    Raises:
        MalformedError: It is no signed message.
        UsageError: There is no such signature in it.
    """
    return signer_of(signature, signer_index).signature


def add_timestamp(
    signature: bytes, token: bytes, *, signer_index: int = 0, provider: Provider | None = None
) -> bytes:
    """Add a time stamp to a signature: CAdES-BES becomes CAdES-T.

    Args:
        signature: DER or BER of the signed message.
        token: The time stamp token on `signature_value`, or the whole response of the service.
        signer_index: To which of the signatures.
        provider: Who computes; by default `medsign.gost.default_provider`.

    Raises:
        MalformedError: One of the two is something else.
        UsageError: The response holds no stamp, the stamp is on something else, or there is no
            such signature.
        Unavailable: The digest algorithm of the stamp is not known.
    """
    stamp = stamp_on(signature_value(signature, signer_index), token, provider=provider)
    attribute = Attribute(oids.SIGNATURE_TIME_STAMP, (stamp,))
    return add_unsigned_attribute(signature, signer_index, attribute)


def signer_of(signature: bytes, signer_index: int) -> SignerInfo:
    """Return one signature of a message.

    Raises:
        MalformedError: It is no signed message.
        UsageError: There is no such signature in it.
    """
    signers = decode_signed_data(signature).signers
    if not 0 <= signer_index < len(signers):
        raise UsageError(f"there is no signature number {signer_index}")
    return signers[signer_index]


def stamp_on(value: bytes, token: bytes, *, provider: Provider | None = None) -> bytes:
    """Return DER of a time stamp, bare or in the response of the service, that covers the octets.

    Raises:
        MalformedError: It is something else.
        UsageError: The response holds no stamp, or the stamp is on something else.
        Unavailable: The digest algorithm of the stamp is not known.
    """
    stamp = _token(token)
    imprint = decode_tst_info(stamp.content or b"").imprint
    if hash_octets(imprint.algorithm.oid, value, provider=provider) != imprint.digest:
        raise UsageError("the time stamp is on another signature")
    return stamp.der


def _octets(content: Content) -> bytes:
    if isinstance(content, ContentDigest):
        raise UsageError("a digest cannot be attached, only a content can")
    return content if isinstance(content, bytes) else content.read_bytes()


def _token(data: bytes) -> SignedData:
    try:
        token = decode_signed_data(data)
    except MalformedError:
        response = decode_timestamp_response(data)
        if response.token is None:
            raise UsageError(
                f"the service gave no time stamp: {response.status}",
                "Служба штампов времени не выдала штамп. Повторите позже.",
            ) from None
        token = response.token
    if token.content_type != oids.TST_INFO:
        raise MalformedError("time stamp", "encapContentInfo.eContentType", "not a time stamp")
    return token


def _is_of_another(
    message: SignedData, algorithm: DigestAlgorithm, hashed: bytes, provider: Provider | None
) -> bool:
    if message.content is not None:
        return digest(algorithm, message.content, provider=provider) != hashed
    return any(
        each.digest_algorithm.oid == algorithm.oid and each.message_digest not in {None, hashed}
        for each in message.signers
    )


def _joined(others: SignedData, signer: SignerInfo, certificates: Iterable[bytes]) -> bytes:
    if others.ocsp_responses:
        raise UsageError(
            "a message with OCSP answers in it cannot take a further signature",
            "К этой подписи нельзя добавить ещё одну. Подпишите документ отдельно.",
        )
    present = (each.der for each in others.certificates)
    return encode_signed_data(
        [*others.signers, signer],
        content=others.content,
        content_type=others.content_type,
        certificates=dict.fromkeys((*present, *certificates)),
        crls=(each.der for each in others.crls),
    )


def _digest_algorithm(certificate: Certificate) -> DigestAlgorithm:
    return public_key(certificate.public_key).params.digest
