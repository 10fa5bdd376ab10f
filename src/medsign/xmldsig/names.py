"""Names that the specifications fix: namespaces, algorithms, attributes that identify."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from medsign.codec.asn1 import AlgorithmIdentifier, oids
from medsign.codec.xml import Node
from medsign.errors import MalformedError
from medsign.gost import DigestAlgorithm

WHAT = "XML signature"
MAX_BYTES = 4 * 1024 * 1024

DS = "http://www.w3.org/2000/09/xmldsig#"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = f"{DS}enveloped-signature"
_WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
WSSE = f"{_WSS}-wssecurity-secext-1.0.xsd"
WSU = f"{_WSS}-wssecurity-utility-1.0.xsd"
X509_TOKEN = f"{_WSS}-x509-token-profile-1.0#X509v3"
BASE64 = f"{_WSS}-soap-message-security-1.0#Base64Binary"
SFR_SIGNATURE = "urn:ru:fss:integration:types:signature:v01"
SFR_POWERS = "urn:ru:fss:integration:types:mchd:v01"

_CRYPTOPRO = "urn:ietf:params:xml:ns:cpxmlsec:algorithms"
# The names of 2001, here and under http://www.w3.org/2001/04/xmldsig-more#, are left out on
# purpose: they mean GOST R 34.10-2001, by which nobody may sign any more.
DIGESTS: Mapping[str, DigestAlgorithm] = MappingProxyType(
    {
        f"{_CRYPTOPRO}:gostr34112012-256": DigestAlgorithm.STREEBOG_256,
        f"{_CRYPTOPRO}:gostr34112012-512": DigestAlgorithm.STREEBOG_512,
    }
)
SIGNATURES: Mapping[str, AlgorithmIdentifier] = MappingProxyType(
    {
        f"{_CRYPTOPRO}:gostr34102012-gostr34112012-256": AlgorithmIdentifier(
            oids.GOST_SIGNATURE_256
        ),
        f"{_CRYPTOPRO}:gostr34102012-gostr34112012-512": AlgorithmIdentifier(
            oids.GOST_SIGNATURE_512
        ),
    }
)
# Whether the form is exclusive, and whether comments stay in it.
CANONICAL: Mapping[str, tuple[bool, bool]] = MappingProxyType(
    {
        EXC_C14N: (True, False),
        f"{EXC_C14N}WithComments": (True, True),
        C14N: (False, False),
        f"{C14N}#WithComments": (False, True),
    }
)

_IDENTIFYING = (
    f"{{{WSU}}}Id",
    "{http://www.w3.org/XML/1998/namespace}id",
    *("Id", "ID", "id"),
)


def digest_name(algorithm: DigestAlgorithm) -> str:
    """Return the URI of a digest."""
    return f"{_CRYPTOPRO}:gostr34112012-{8 * algorithm.size}"


def signature_name(algorithm: DigestAlgorithm) -> str:
    """Return the URI of the signature that goes with a digest."""
    return f"{_CRYPTOPRO}:gostr34102012-gostr34112012-{8 * algorithm.size}"


def elements(root: Node) -> Iterator[Node]:
    """Yield the elements of a tree, leaving out comments and processing instructions."""
    return (node for node in root.iter() if isinstance(node.tag, str))


def by_identifier(root: Node) -> Mapping[str, Node | None]:
    """Return the elements by identifier, ``None`` where several elements claim the same one."""
    found: dict[str, Node | None] = {}
    for node in elements(root):
        for identifier in {value for name in _IDENTIFYING if (value := node.get(name))}:
            found[identifier] = None if identifier in found else node
    return found


def identified(index: Mapping[str, Node | None], identifier: str) -> Node:
    """Return the only element with an identifier.

    Two of them are how a signature over one is passed off as a signature over the other.

    Raises:
        MalformedError: There is none, or there are several.
    """
    if (node := index.get(identifier)) is None:
        why = "several elements have it" if identifier in index else "no element has it"
        raise MalformedError(WHAT, "identifier of a signed element", why)
    return node
