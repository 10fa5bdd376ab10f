"""One signature of a CMS message: what a time stamp and a CAdES signature have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from medsign.codec.asn1 import (
    AlgorithmIdentifier,
    Attribute,
    Certificate,
    EssCertId,
    GeneralName,
    IssuerAndSerial,
    Name,
    SignedData,
    SignerInfo,
    encode_signed_attributes,
    oids,
)
from medsign.errors import Unavailable
from medsign.gost import Provider
from medsign.pki.foreign import scheme_of
from medsign.pki.problems import Problem, ProblemCode
from medsign.pki.signatures import (
    SignatureCheck,
    digest_of_signature,
    hash_octets,
    verify_digest,
    verify_signature,
)
from medsign.pki.signing import Signer, sign, signature_algorithm


@attrs.frozen(kw_only=True)
class SignerFacts:
    """What one signature of a CMS message turned out to be.

    Attributes:
        signer: The signature.
        certificate: The signer's certificate, ``None`` when it is not at hand.
        signature: Whether the value is good; ``None`` when there was nothing to check it with.
        problems: Everything found; empty when the signature is good. The chain of the certificate
            and its revocation are no part of it.
    """

    signer: SignerInfo
    certificate: Certificate | None
    signature: SignatureCheck | None
    problems: tuple[Problem, ...]

    @property
    def is_intact(self) -> bool:
        """Whether the certificate's key signed exactly this content."""
        return self.signature is SignatureCheck.VALID and not self.problems


def check_signer(
    signed_data: SignedData,
    signer: SignerInfo,
    content: bytes | Mapping[str, bytes] | None = None,
    *,
    candidates: Iterable[Certificate] = (),
    provider: Provider | None = None,
) -> SignerFacts:
    """Check one signature of a message (RFC 5652 §5.4-5.6, RFC 5035 §5).

    Args:
        signed_data: The message.
        signer: One of ``signed_data.signers``.
        content: What was signed, when it is not in the message; or its digests by OID of the
            algorithm, when it is too large to be held.
        candidates: Where to look for the signer's certificate besides the message.
        provider: Who computes; by default `medsign.gost.default_provider`.
    """
    problems: list[Problem] = []

    def note(code: ProblemCode, detail: str = "") -> None:
        problems.append(Problem(code, detail=detail))

    content = signed_data.content if content is None else content
    certificate, meant = _signer_certificate(
        signer, (*signed_data.certificates, *candidates), provider
    )
    if certificate is None:
        note(ProblemCode.SIGNER_UNKNOWN)
    found = _content_digest(signer, content, provider)
    hashed = None
    if isinstance(found, ProblemCode):
        note(found)
    else:
        hashed = found
    digest_oid = signer.digest_algorithm.oid
    hashing = _digest_oid(signer) or digest_oid
    if hashing != digest_oid:
        note(ProblemCode.ALGORITHM_MISMATCH, "the digest is not that of the signature algorithm")
    if oids.SHA1 in {hashing, digest_oid}:
        note(ProblemCode.ALGORITHM_WEAK, "SHA-1")
    if signer.signed_attributes_der is not None:
        if signer.content_type != signed_data.content_type:
            note(ProblemCode.CONTENT_TYPE_MISMATCH)
        if hashed is not None and signer.message_digest != hashed:
            note(ProblemCode.DIGEST_MISMATCH)
    elif signed_data.content_type != oids.DATA:
        note(ProblemCode.CONTENT_TYPE_MISMATCH, "content of this type needs signed attributes")
    signature = None
    if certificate is not None:
        signature = _check_value(certificate, signer, content, hashed, provider)
    if signature is not None and (code := signature.problem()):
        note(code)
    if certificate and not meant:
        note(ProblemCode.SIGNING_CERTIFICATE_MISMATCH)
    return SignerFacts(
        signer=signer, certificate=certificate, signature=signature, problems=tuple(problems)
    )


def _digest_oid(signer: SignerInfo) -> str:
    """Return the digest that the signature algorithm names; empty when it leaves it open."""
    if named := digest_of_signature(signer.signature_algorithm):
        return named.oid
    scheme = scheme_of(signer.signature_algorithm, signer.digest_algorithm.oid)
    return scheme.digest_oid if scheme else ""


def _check_value(
    certificate: Certificate,
    signer: SignerInfo,
    content: bytes | Mapping[str, bytes] | None,
    hashed: bytes | None,
    provider: Provider | None,
) -> SignatureCheck | None:
    """Check the value over the attributes, or over the content when there are none."""
    key, algorithm = certificate.public_key, signer.signature_algorithm
    signed = signer.signed_attributes_der
    if signed is None and hashed is None:
        return None
    if signed is None and hashed and digest_of_signature(algorithm):
        return verify_digest(key, algorithm, hashed, signer.signature, provider=provider)
    octets = content if signed is None else signed
    if not isinstance(octets, bytes):
        return SignatureCheck.UNSUPPORTED  # foreign ones are not over a digest made elsewhere
    return verify_signature(
        key,
        algorithm,
        octets,
        signer.signature,
        digest_oid=signer.digest_algorithm.oid,
        weak=True,
        provider=provider,
    )


def find_signer_certificate(
    signer: SignerInfo,
    candidates: Iterable[Certificate],
    *,
    provider: Provider | None = None,
) -> Certificate | None:
    """Return the signer's certificate out of those at hand.

    Several may fit the identifier (a re-issued one with the same key, or a planted one); the one
    that the signed references name goes first.
    """
    return _signer_certificate(signer, candidates, provider)[0]


def _signer_certificate(
    signer: SignerInfo, candidates: Iterable[Certificate], provider: Provider | None
) -> tuple[Certificate | None, bool]:
    """Return the signer's certificate, and whether all signed references, if any, name it."""
    fitting = [each for each in candidates if _fits(signer.sid, each)]
    references = signer.signing_certificates
    for each in fitting:
        told = {_names(one, each, provider) for one in references}
        # Real stamps name it by SHA-1 and once more by GOST 94, which nobody here computes.
        if not references or (True in told and False not in told):
            return each, True
    return (fitting[0] if fitting else None), not references


def refers_to(
    reference: EssCertId, certificate: Certificate, *, provider: Provider | None = None
) -> bool:
    """Tell whether a reference is to this certificate; an unknown digest fits nothing."""
    return _names(reference, certificate, provider) is True


def _names(
    reference: EssCertId, certificate: Certificate, provider: Provider | None
) -> bool | None:
    """Tell whether a reference is to this certificate; ``None`` if only the digest is not known."""
    serial = reference.serial_number
    if serial is not None and serial != certificate.serial_number:
        return False
    names = [each.value for each in reference.issuer if isinstance(each.value, Name)]
    if names and not any(name.matches(certificate.issuer) for name in names):
        return False
    try:
        found = hash_octets(reference.hash_oid, certificate.der, provider=provider)
    except Unavailable:
        return None
    return found == reference.digest


def certificate_reference(
    certificate: Certificate, hash_oid: str, *, provider: Provider | None = None
) -> EssCertId:
    """Return the reference to a certificate that its signer signs (signing-certificate-v2).

    Args:
        certificate: The signer's certificate.
        hash_oid: The digest algorithm.
        provider: Who computes; by default `medsign.gost.default_provider`.
    """
    return EssCertId(
        hash_oid=hash_oid,
        digest=hash_octets(hash_oid, certificate.der, provider=provider),
        issuer=(GeneralName("directory", certificate.issuer),),
        serial_number=certificate.serial_number,
    )


def make_signer_info(
    signer: Signer,
    *,
    content_type: str,
    content_digest: bytes,
    signing_time: datetime | None = None,
    others: Iterable[Attribute] = (),
    provider: Provider | None = None,
) -> SignerInfo:
    """Sign the digest of some content with the attributes of CAdES-BES (ETSI EN 319 122-1).

    Args:
        signer: Whose key and certificate.
        content_type: Type of the content, usually `oids.DATA`.
        content_digest: The content hashed by ``signer.digest_algorithm``.
        signing_time: When, by the signer's clock; aware.
        others: Further signed attributes.
        provider: Who hashes; by default `medsign.gost.default_provider`.

    Returns:
        The signature, for `medsign.codec.asn1.encode_signed_data`.
    """
    certificate, hashing = signer.certificate, signer.digest_algorithm
    attributes = encode_signed_attributes(
        content_type=content_type,
        message_digest=content_digest,
        signing_time=signing_time,
        signing_certificate=certificate_reference(certificate, hashing.oid, provider=provider),
        others=others,
    )
    return SignerInfo(
        version=1,
        sid=IssuerAndSerial(certificate.issuer, certificate.serial_number),
        digest_algorithm=AlgorithmIdentifier(hashing.oid),
        signature_algorithm=signature_algorithm(signer),
        signature=sign(signer, attributes, provider=provider),
        signed_attributes_der=attributes,
    )


def _fits(sid: IssuerAndSerial | bytes, certificate: Certificate) -> bool:
    if isinstance(sid, bytes):
        return certificate.subject_key_identifier == sid
    return certificate.serial_number == sid.serial_number and certificate.issuer.matches(sid.issuer)


def _content_digest(
    signer: SignerInfo, content: bytes | Mapping[str, bytes] | None, provider: Provider | None
) -> bytes | ProblemCode:
    oid = signer.digest_algorithm.oid
    if isinstance(content, Mapping):
        return content.get(oid, ProblemCode.CONTENT_MISSING)
    if content is None:
        return ProblemCode.CONTENT_MISSING
    try:
        return hash_octets(oid, content, provider=provider)
    except Unavailable:
        return ProblemCode.ALGORITHM_UNSUPPORTED
