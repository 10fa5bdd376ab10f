"""Making XML signatures (XMLDSig 1.1; WS-Security 1.1 X.509 token profile)."""

from __future__ import annotations

from base64 import b64encode

from medsign.codec.xml import Node, canonical, parse, serialize
from medsign.errors import MalformedError, UsageError
from medsign.gost import Provider, digest
from medsign.identifiers import PowerOfAttorneyNumber
from medsign.pki.signatures import verify_digest
from medsign.pki.signing import Signer, signature_algorithm
from medsign.xmldsig import names
from medsign.xmldsig.names import DS, SOAP, WSSE, WSU


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
    root = parse(message, what="SOAP message", max_bytes=names.MAX_BYTES)
    if root.tag != f"{{{SOAP}}}Envelope":
        raise MalformedError("SOAP message", "root element", "not an envelope of SOAP 1.1")
    index = names.by_identifier(root)
    target = names.identified(index, element_id)
    if actor in index:
        raise UsageError("the message has a signature of this actor already")
    header = root.find(f"{{{SOAP}}}Header")
    if header is None:
        header = root.makeelement(f"{{{SOAP}}}Header")
        root.insert(0, header)
    security = _add(header, WSSE, "Security", prefix="wsse")
    security.set(f"{{{SOAP}}}actor", actor)
    token = _add(security, WSSE, "BinarySecurityToken", b64encode(signer.certificate.der))
    token.attrib.update({"EncodingType": names.BASE64, "ValueType": names.X509_TOKEN})
    token.set(f"{{{WSU}}}Id", actor)
    signature = _add(security, DS, "Signature", prefix="ds")
    _sign(signature, f"#{element_id}", [names.EXC_C14N], canonical(target), signer, provider)
    reference = _add(
        _add(_add(signature, DS, "KeyInfo"), WSSE, "SecurityTokenReference"), WSSE, "Reference"
    )
    reference.attrib.update({"URI": f"#{actor}", "ValueType": names.X509_TOKEN})
    if power_of_attorney is not None:
        # Lower-case "object", unlike the Object of XMLDSig: so СФР's clients write it.
        authority = _add(_add(signature, DS, "object"), names.SFR_SIGNATURE, "authority")
        link = _add(authority, names.SFR_POWERS, "powerOfAttorneyLink")
        _add(link, names.SFR_POWERS, "uuid", power_of_attorney.value)
    return serialize(root, indent=False)


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
    root = parse(document, what="XML document", max_bytes=names.MAX_BYTES)
    target = root if element_id is None else names.identified(names.by_identifier(root), element_id)
    octets = canonical(target)
    signature = _add(target, DS, "Signature", prefix="ds")
    uri = "" if element_id is None else f"#{element_id}"
    _sign(signature, uri, [names.ENVELOPED, names.EXC_C14N], octets, signer, provider)
    data = _add(_add(signature, DS, "KeyInfo"), DS, "X509Data")
    _add(data, DS, "X509Certificate", b64encode(signer.certificate.der))
    return serialize(root, indent=False)


def _add(
    parent: Node, namespace: str, name: str, text: str | bytes | None = None, *, prefix: str = ""
) -> Node:
    child = parent.makeelement(f"{{{namespace}}}{name}", nsmap={prefix or None: namespace})
    child.text = text.decode("ascii") if isinstance(text, bytes) else text
    parent.append(child)
    return child


def _sign(
    signature: Node,
    uri: str,
    transforms: list[str],
    octets: bytes,
    signer: Signer,
    provider: Provider | None,
) -> None:
    """Add a SignedInfo with one reference, and the value under it."""
    algorithm = signer.digest_algorithm
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
    hashed = digest(algorithm, canonical(info), provider=provider)
    value = signer.sign_digest(hashed)
    key = signer.certificate.public_key
    # A token with another key inserted would otherwise make a bad signature that nobody notices.
    if not verify_digest(key, signature_algorithm(signer), hashed, value, provider=provider):
        raise UsageError("the value is not a signature by the key of the certificate")
    _add(signature, DS, "SignatureValue", b64encode(value))
