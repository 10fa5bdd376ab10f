"""Checking XML signatures: what each covers, and whether digests and values are right.

The input comes from strangers. Nothing is fetched, no transform but removing the signature and
canonicalising is run, an identifier that two elements claim is refused, and work is bounded.
"""

from __future__ import annotations

import copy
import hmac
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping

import attrs

from medsign.codec.asn1 import Certificate, decode_certificate
from medsign.codec.xml import Node, canonical, parse
from medsign.errors import BudgetExceeded, InvalidIdentifier, MalformedError
from medsign.gost import Provider, digest
from medsign.identifiers import PowerOfAttorneyNumber
from medsign.pki.signatures import SignatureCheck, verify_signature
from medsign.xmldsig import names
from medsign.xmldsig.facts import (
    PowerOfAttorneyLink,
    ReferenceFacts,
    XmlProblem,
    XmlSignatureFacts,
)
from medsign.xmldsig.names import DS, SFR_POWERS, SOAP, WHAT, WSSE

MAX_SIGNATURES = 64
MAX_REFERENCES = 16
MAX_CERTIFICATES = 16
# How much may be copied and digested, in documents of the largest size.
_WORK = 4
_XML_SPACE = re.compile(r"[ \t\r\n]+")


def verify(
    document: bytes, *, max_bytes: int = names.MAX_BYTES, provider: Provider | None = None
) -> tuple[XmlSignatureFacts, ...]:
    """Find out what is true about every signature of a document or of a SOAP message.

    Certificates are not judged, and neither is whether the right element was signed: compare
    `ReferenceFacts.path`, or read on from `XmlSignatureFacts.signed` only.

    Args:
        document: The XML, untouched.
        max_bytes: Largest size that is looked at.
        provider: Who computes; by default `medsign.gost.default_provider`.

    Returns:
        Facts of each signature, in document order; never empty.

    Raises:
        MalformedError: Not XML, no signature in it, a signature that breaks the schema of
            XMLDSig, or a reference to an identifier that no element or several elements have.
        BudgetExceeded: Too large, too deep, or too many signatures or references.

    Example:
        >>> verify(b"<order/>")
        Traceback (most recent call last):
        ...
        medsign.errors.MalformedError: malformed XML signature at document: there is no signature
    """
    root = parse(document, what="signed XML", max_bytes=max_bytes)
    signatures = list(root.iter(f"{{{DS}}}Signature"))
    if not signatures:
        raise MalformedError(WHAT, "document", "there is no signature")
    if len(signatures) > MAX_SIGNATURES:
        raise BudgetExceeded("signatures in an XML document", MAX_SIGNATURES)
    index = names.by_identifier(root)
    check = _Check(root, index, provider, len(document), work=_WORK * max_bytes)
    return tuple(check.signature(each) for each in signatures)


@attrs.define
class _Check:
    root: Node
    index: Mapping[str, Node | None]
    provider: Provider | None
    size: int
    work: int
    spent: int = 0

    def signature(self, signature: Node) -> XmlSignatureFacts:
        info = _child(signature, "SignedInfo")
        listed = info.findall(f"{{{DS}}}Reference")
        uris = [each.get("URI") for each in listed]
        if not listed or len(set(uris)) < len(uris):
            raise MalformedError(WHAT, "SignedInfo", "no reference, or two to one element")
        if len(listed) > MAX_REFERENCES:
            raise BudgetExceeded("references of an XML signature", MAX_REFERENCES)
        sources = self._sources(signature)
        references = tuple(self._reference(each, signature) for each in listed)
        certificate, problem = self._whose(signature, info, sources)
        covered = {each.uri for each in references if each.digest_matches and problem is None}
        return XmlSignatureFacts(
            algorithm=_algorithm(_child(info, "SignatureMethod")),
            references=references,
            problem=problem,
            certificate=certificate,
            actor=_actor(signature),
            power_of_attorney=self._power_of_attorney(signature, covered),
        )

    def _whose(
        self, signature: Node, info: Node, sources: list[Node]
    ) -> tuple[Certificate | None, XmlProblem | None]:
        """Return the certificate whose key signed; authorities may stand around it in any order.

        When there is none: the first that can be read, and what is wrong.
        """
        if not sources:
            return None, XmlProblem.CERTIFICATE_ABSENT
        certificates = list(filter(None, map(_certificate, sources)))
        if not certificates:
            return None, XmlProblem.CERTIFICATE_UNREADABLE
        value = _octets(_child(signature, "SignatureValue"))
        algorithm = names.SIGNATURES.get(_algorithm(_child(info, "SignatureMethod")))
        method = _child(info, "CanonicalizationMethod")
        if algorithm is None or _algorithm(method) not in names.CANONICAL:
            return certificates[0], XmlProblem.ALGORITHM_UNSUPPORTED
        signed = self._canonical(info, method, comments=names.CANONICAL[_algorithm(method)][1])
        problem = XmlProblem.ALGORITHM_UNSUPPORTED
        for each in certificates:
            check = verify_signature(
                each.public_key, algorithm, signed, value, provider=self.provider
            )
            if check:
                return each, None
            if check is not SignatureCheck.UNSUPPORTED:
                problem = XmlProblem.SIGNATURE_INVALID
        return certificates[0], problem

    def _reference(self, reference: Node, signature: Node) -> ReferenceFacts:
        uri = reference.get("URI")
        method = _algorithm(_child(reference, "DigestMethod"))
        stated = _octets(_child(reference, "DigestValue"))
        if uri is None or (uri and not uri.startswith("#")):
            return ReferenceFacts(uri=uri or "", problem=XmlProblem.EXTERNAL_REFERENCE)
        target = names.identified(self.index, uri[1:]) if uri else self.root
        facts = ReferenceFacts(
            uri=uri, element=str(target.tag), path=self.root.getroottree().getelementpath(target)
        )
        algorithm = names.DIGESTS.get(method)
        if algorithm is None:
            return attrs.evolve(facts, problem=XmlProblem.ALGORITHM_UNSUPPORTED)
        octets = self._transformed(reference, signature, target)
        if octets is None:
            return attrs.evolve(facts, problem=XmlProblem.TRANSFORM_UNSUPPORTED)
        if not hmac.compare_digest(digest(algorithm, octets, provider=self.provider), stated):
            return attrs.evolve(facts, problem=XmlProblem.DIGEST_MISMATCH)
        return attrs.evolve(facts, octets=octets)

    def _transformed(self, reference: Node, signature: Node, target: Node) -> bytes | None:
        """Run the transforms; `None` when they are not at most these two, in this order."""
        listed = reference.find(f"{{{DS}}}Transforms")
        steps = [] if listed is None else listed.findall(f"{{{DS}}}Transform")
        if steps and _algorithm(steps[0]) == names.ENVELOPED:
            if target not in signature.iterancestors():
                raise MalformedError(WHAT, "Reference", "the signature is not in what it signs")
            self._spend(self.size)
            target, steps = _without(signature, target), steps[1:]
        whole = not reference.get("URI")
        if not steps:
            return self._canonical(target, None, whole=whole)
        if len(steps) > 1 or _algorithm(steps[0]) not in names.CANONICAL:
            return None
        return self._canonical(target, steps[0], whole=whole)

    def _canonical(
        self, node: Node, method: Node | None, *, comments: bool = False, whole: bool = False
    ) -> bytes:
        """Canonicalise as a method says, or inclusively when there is none (XMLDSig 4.4.3.2).

        References by an identifier select no comments, so comments stay out whatever the method
        says; a SignedInfo is canonicalised with them when asked to.
        """
        exclusive = method is not None and names.CANONICAL[_algorithm(method)][0]
        kept = None if method is None else method.find(f"{{{names.EXC_C14N}}}InclusiveNamespaces")
        prefixes = [] if kept is None else (kept.get("PrefixList") or "").split()
        octets = canonical(
            node,
            exclusive=exclusive,
            prefixes=prefixes,
            comments=comments,
            whole=whole,
            max_bytes=self.work - self.spent,
        )
        self._spend(len(octets))
        return octets

    def _spend(self, octets: int) -> None:
        """Count what is copied or digested: references to one large element are cheap to write."""
        self.spent += octets
        if self.spent > self.work:
            raise BudgetExceeded("octets under XML signatures", self.work)

    def _sources(self, signature: Node) -> list[Node]:
        """Return the elements in which the signer's certificate may be (XMLDSig 4.5.4)."""
        path = f"{{{WSSE}}}SecurityTokenReference/{{{WSSE}}}Reference"
        key_info = signature.find(f"{{{DS}}}KeyInfo")
        if key_info is None:
            return []
        if (token := key_info.find(path)) is not None:
            uri = token.get("URI") or ""
            source = names.identified(self.index, uri.removeprefix("#"))
            if source.tag != f"{{{WSSE}}}BinarySecurityToken":
                raise MalformedError(WHAT, "KeyInfo", "the token is not a BinarySecurityToken")
            return [source]
        listed = key_info.findall(f"{{{DS}}}X509Data/{{{DS}}}X509Certificate")
        if len(listed) > MAX_CERTIFICATES:
            raise BudgetExceeded("certificates of an XML signature", MAX_CERTIFICATES)
        return listed

    def _power_of_attorney(self, signature: Node, covered: set[str]) -> PowerOfAttorneyLink | None:
        link = next(signature.iter(f"{{{SFR_POWERS}}}powerOfAttorneyLink"), None)
        if link is None:
            return None
        try:
            number = PowerOfAttorneyNumber(link.findtext(f"{{{SFR_POWERS}}}uuid") or "")
        except InvalidIdentifier:
            raise MalformedError(WHAT, "powerOfAttorneyLink", "not a number of a МЧД") from None
        inside = signature.iterdescendants()
        around = {link, *link.iterancestors()}.intersection(inside)
        return PowerOfAttorneyLink(
            number, any(self.index.get(uri[1:]) in around for uri in covered)
        )


def _without(signature: Node, target: Node) -> Node:
    """Return a copy of an element from which the signature inside it is cut."""
    tree = target.getroottree()
    copied = list(copy.deepcopy(tree).getroot().iter())
    twins = dict(zip(tree.getroot().iter(), copied, strict=True))
    cut, parent = twins[signature], twins[next(signature.iterancestors())]
    # Removing an element takes the text after it away as well, and that text is signed.
    if (before := cut.getprevious()) is not None:
        before.tail = (before.tail or "") + (cut.tail or "")
    else:
        parent.text = (parent.text or "") + (cut.tail or "")
    parent.remove(cut)
    return twins[target]


def _child(node: Node, name: str) -> Node:
    found = node.findall(f"{{{DS}}}{name}")
    if len(found) != 1:
        raise MalformedError(WHAT, name, "exactly one is needed")
    return found[0]


def _algorithm(node: Node) -> str:
    return node.get("Algorithm") or ""


def _octets(node: Node) -> bytes:
    if len(node):  # a comment would hide a part of the text from other readers
        raise MalformedError(WHAT, str(node.tag), "not base64")
    try:
        return b64decode(_XML_SPACE.sub("", node.text or ""), validate=True)
    except (Base64Error, ValueError):
        raise MalformedError(WHAT, str(node.tag), "not base64") from None


def _certificate(source: Node) -> Certificate | None:
    try:
        return decode_certificate(_octets(source))
    except MalformedError:
        return None


def _actor(signature: Node) -> str | None:
    header = signature.getparent()
    return header.get(f"{{{SOAP}}}actor") if header is not None else None
