"""Making XML signatures (XMLDSig 1.1; WS-Security 1.1 X.509 token profile).

The key may be far away, so signing is two halves, `prepare_message` or `prepare_enveloped` and
`finish`, and what lies between them can be stored.
"""

from __future__ import annotations

from base64 import b64encode

import attrs

from medsign.codec import json
from medsign.codec.asn1 import Certificate, decode_certificate
from medsign.codec.xml import Node, canonical, parse, serialize
from medsign.errors import MalformedError, UsageError
from medsign.gost import DigestAlgorithm, Provider, digest
from medsign.identifiers import PowerOfAttorneyNumber
from medsign.pki.keys import public_key
from medsign.pki.signatures import verify_digest
from medsign.pki.signing import Signer
from medsign.xmldsig import names
from medsign.xmldsig.names import DS, SOAP, WSSE, WSU

# The signature and its certificate come on top of the largest document.
_PREPARED_BYTES = names.MAX_BYTES + 1024 * 1024


@attrs.frozen(kw_only=True)
class PreparedXml:
    """An XML document with a signature that only lacks its value.

    Attributes:
        document: The document; the value of the signature is empty.
        number: Which of the signatures of the document it is, from 0 in document order.
        signed_info: The canonical ``SignedInfo``: what is hashed and signed.
        certificate: DER of the signer's certificate.
    """

    document: bytes = attrs.field(repr=False)
    number: int
    signed_info: bytes = attrs.field(repr=False)
    certificate: bytes = attrs.field(repr=False)

    @property
    def digest_algorithm(self) -> DigestAlgorithm:
        """Streebog of the length of the key."""
        return _digest_algorithm(decode_certificate(self.certificate))

    @property
    def digest(self) -> bytes:
        """What the key has to sign: 32 or 64 octets, as the hash gives them."""
        return digest(self.digest_algorithm, self.signed_info)

    def to_json(self) -> bytes:
        """Return everything as JSON in UTF-8, the document included."""
        return json.encode(self)

    @classmethod
    def from_json(cls, data: bytes) -> PreparedXml:
        """Read what `to_json` wrote.

        Raises:
            MalformedError: It is not such JSON.
            BudgetExceeded: It is too large.
        """
        return json.decode(cls, data, what="prepared XML")


def prepare_message(
    message: bytes,
    element_id: str,
    actor: str,
    certificate: Certificate,
    *,
    power_of_attorney: PowerOfAttorneyNumber | None = None,
    provider: Provider | None = None,
) -> PreparedXml:
    """Do all of `sign_message` but the signature itself; see there for the arguments and errors.

    Args:
        certificate: The signer's certificate.
    """
    root = parse(message, what="SOAP message", max_bytes=names.MAX_BYTES)
    if root.tag != f"{{{SOAP}}}Envelope":
        raise MalformedError("SOAP message", "root element", "not an envelope of SOAP 1.1")
    index = names.by_identifier(root)
    target = names.identified(index, element_id)
    if actor in index:
        raise UsageError(
            "the message has a signature of this actor already",
            "От этого участника подпись уже стоит.",
        )
    header = root.find(f"{{{SOAP}}}Header")
    if header is None:
        header = root.makeelement(f"{{{SOAP}}}Header")
        root.insert(0, header)
    security = _add(header, WSSE, "Security", prefix="wsse")
    security.set(f"{{{SOAP}}}actor", actor)
    token = _add(security, WSSE, "BinarySecurityToken", b64encode(certificate.der))
    token.attrib.update({"EncodingType": names.BASE64, "ValueType": names.X509_TOKEN})
    token.set(f"{{{WSU}}}Id", actor)
    signature = _add(security, DS, "Signature", prefix="ds")
    octets, transforms = canonical(target), [names.EXC_C14N]
    info = _signed_info(signature, f"#{element_id}", transforms, octets, certificate, provider)
    reference = _add(
        _add(_add(signature, DS, "KeyInfo"), WSSE, "SecurityTokenReference"), WSSE, "Reference"
    )
    reference.attrib.update({"URI": f"#{actor}", "ValueType": names.X509_TOKEN})
    if power_of_attorney is not None:
        # Lower-case "object", unlike the Object of XMLDSig: so СФР's clients write it.
        authority = _add(_add(signature, DS, "object"), names.SFR_SIGNATURE, "authority")
        link = _add(authority, names.SFR_POWERS, "powerOfAttorneyLink")
        _add(link, names.SFR_POWERS, "uuid", power_of_attorney.value)
    return _prepared(root, signature, info, certificate)


def prepare_enveloped(
    document: bytes,
    certificate: Certificate,
    *,
    element_id: str | None = None,
    provider: Provider | None = None,
) -> PreparedXml:
    """Do all of `sign_enveloped` but the signature itself; see there for the arguments and errors.

    Args:
        certificate: The signer's certificate.
    """
    root = parse(document, what="XML document", max_bytes=names.MAX_BYTES)
    target = root if element_id is None else names.identified(names.by_identifier(root), element_id)
    octets = canonical(target, whole=element_id is None)
    transforms = [names.ENVELOPED, names.EXC_C14N]
    signature = _add(target, DS, "Signature", prefix="ds")
    uri = "" if element_id is None else f"#{element_id}"
    info = _signed_info(signature, uri, transforms, octets, certificate, provider)
    data = _add(_add(signature, DS, "KeyInfo"), DS, "X509Data")
    _add(data, DS, "X509Certificate", b64encode(certificate.der))
    return _prepared(root, signature, info, certificate)


def finish(prepared: PreparedXml, value: bytes, *, provider: Provider | None = None) -> bytes:
    """Join a prepared signature with its value.

    Args:
        prepared: What `prepare_message` or `prepare_enveloped` returned.
        value: s‖r, each big-endian, 64 or 128 octets: the signature of `PreparedXml.digest`.
        provider: Who checks the value; by default `medsign.gost.default_provider`.

    Returns:
        The document in UTF-8, not laid out anew.

    Raises:
        UsageError: The value is not a signature by the certificate's key.
        MalformedError: What was prepared has been damaged.
    """
    key = decode_certificate(prepared.certificate).public_key
    algorithm = names.SIGNATURES[names.signature_name(prepared.digest_algorithm)]
    # A token with another key inserted would otherwise make a bad signature that nobody notices.
    if not verify_digest(key, algorithm, prepared.digest, value, provider=provider):
        raise UsageError(
            "the value is not a signature by the key of the certificate",
            "Ключ не подходит к выбранному сертификату. Выберите другой.",
        )
    root = parse(prepared.document, what="prepared XML", max_bytes=_PREPARED_BYTES)
    for number, signature in enumerate(root.iter(f"{{{DS}}}Signature")):
        empty = signature.find(f"{{{DS}}}SignatureValue")
        if number == prepared.number and empty is not None and not empty.text:
            empty.text = b64encode(value).decode("ascii")
            return serialize(root, indent=False)
    raise MalformedError("prepared XML", "Signature", "there is no place for the value")


def sign_message(
    message: bytes,
    element_id: str,
    actor: str,
    signer: Signer,
    *,
    power_of_attorney: PowerOfAttorneyNumber | None = None,
    provider: Provider | None = None,
) -> bytes:
    """Add a signature to a SOAP 1.1 message, in a WS-Security header of its own.

    Call it once for each signer: an organisation, a doctor, a medical commission. A signature
    does not touch the others.

    Args:
        message: The envelope; a missing ``Header`` is added.
        element_id: Identifier (``wsu:Id``) of the element that is signed.
        actor: Whose signature it is, for instance `organisation_actor`; also the identifier of
            the certificate in the message.
        signer: The key and its certificate.
        power_of_attorney: The МЧД by which the signer acts. It is written beside the signature
            and is not covered by it, as СФР wants it.
        provider: Who hashes; by default `medsign.gost.default_provider`.

    Returns:
        The message in UTF-8, not laid out anew.

    Raises:
        UsageError: The actor is used already, or the signer's key is not that of his certificate.
        MalformedError: Not a SOAP message, or not exactly one element has the identifier.
        BudgetExceeded: The message is too large or too deep.

    Example:
        >>> from medsign.sandbox import Sandbox
        >>> from medsign.sandbox.pki import Pki
        >>> doctor = Sandbox().world.part(Pki).enrol(
        ...     "commercial", surname="Тестова", given_names="Анна Петровна",
        ...     inn="999900000160", snils="99900000115")
        >>> message = b'''<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">
        ... <s:Body><period Id="ELN_999000000001_3_doc"/></s:Body></s:Envelope>'''
        >>> actor = "http://eln.fss.ru/actor/doc/ELN_999000000001_3_doc"
        >>> b"SignatureValue" in sign_message(message, "ELN_999000000001_3_doc", actor, doctor)
        True
    """
    prepared = prepare_message(
        message,
        element_id,
        actor,
        signer.certificate,
        power_of_attorney=power_of_attorney,
        provider=provider,
    )
    return finish(prepared, signer.sign_digest(prepared.digest), provider=provider)


def sign_enveloped(
    document: bytes,
    signer: Signer,
    *,
    element_id: str | None = None,
    provider: Provider | None = None,
) -> bytes:
    """Put a signature into the element that it signs (transform ``enveloped-signature``).

    Args:
        document: The document.
        signer: The key and its certificate, which goes along as ``X509Data``.
        element_id: Identifier of the element; ``None`` signs the whole document.
        provider: Who hashes; by default `medsign.gost.default_provider`.

    Returns:
        The document in UTF-8, not laid out anew; the signature is the last child of the element.

    Raises:
        UsageError: The signer's key is not that of his certificate.
        MalformedError: Not XML, or not exactly one element has the identifier.
        BudgetExceeded: The document is too large or too deep.

    Example:
        >>> from medsign.sandbox import Sandbox
        >>> from medsign.sandbox.pki import Pki
        >>> from medsign.xmldsig import verify
        >>> doctor = Sandbox().world.part(Pki).enrol(
        ...     "commercial", surname="Тестова", given_names="Анна Петровна",
        ...     inn="999900000160", snils="99900000115")
        >>> (facts,) = verify(sign_enveloped(b"<order><drug/></order>", doctor))
        >>> facts.signed
        (b'<order><drug></drug></order>',)
    """
    prepared = prepare_enveloped(
        document, signer.certificate, element_id=element_id, provider=provider
    )
    return finish(prepared, signer.sign_digest(prepared.digest), provider=provider)


def _add(
    parent: Node, namespace: str, name: str, text: str | bytes | None = None, *, prefix: str = ""
) -> Node:
    child = parent.makeelement(f"{{{namespace}}}{name}", nsmap={prefix or None: namespace})
    child.text = text.decode("ascii") if isinstance(text, bytes) else text
    parent.append(child)
    return child


def _signed_info(
    signature: Node,
    uri: str,
    transforms: list[str],
    octets: bytes,
    certificate: Certificate,
    provider: Provider | None,
) -> Node:
    """Add a SignedInfo with one reference, and an empty value under it."""
    algorithm = _digest_algorithm(certificate)
    info = _add(signature, DS, "SignedInfo")
    _add(info, DS, "CanonicalizationMethod").set("Algorithm", names.EXC_C14N)
    _add(info, DS, "SignatureMethod").set("Algorithm", names.signature_name(algorithm))
    reference = _add(info, DS, "Reference")
    reference.set("URI", uri)
    listed = _add(reference, DS, "Transforms")
    for each in transforms:
        _add(listed, DS, "Transform").set("Algorithm", each)
    _add(reference, DS, "DigestMethod").set("Algorithm", names.digest_name(algorithm))
    hashed = digest(algorithm, octets, provider=provider)
    _add(reference, DS, "DigestValue", b64encode(hashed))
    _add(signature, DS, "SignatureValue")
    return info


def _prepared(root: Node, signature: Node, info: Node, certificate: Certificate) -> PreparedXml:
    return PreparedXml(
        document=serialize(root, indent=False),
        number=list(root.iter(f"{{{DS}}}Signature")).index(signature),
        signed_info=canonical(info),
        certificate=certificate.der,
    )


def _digest_algorithm(certificate: Certificate) -> DigestAlgorithm:
    return public_key(certificate.public_key).params.digest
