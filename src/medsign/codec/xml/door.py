"""Bytes to an element tree and back, with bounds.

A document type declaration is refused before the parser sees it, so neither entities nor external
subsets exist; the encoding is chosen from a short list instead of being sniffed; size and depth
are bounded.
"""

from __future__ import annotations

import codecs
import copy
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from lxml import etree

from medsign.errors import BudgetExceeded, ConfigError, MalformedError

Node: TypeAlias = etree._Element  # pyright: ignore[reportPrivateUsage]

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 64
MAX_ATTRIBUTES = 1000

_XML_ATTRIBUTE = "{http://www.w3.org/XML/1998/namespace}"
_PARSER_LIMITS = {"ERR_RESOURCE_LIMIT", "ERR_NAME_TOO_LONG", "ERR_ENTITY_LOOP"}
_ENCODINGS = {"ascii", "utf-8", "cp1251"}
_DECLARED = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
# Atomic groups: a crafted prolog must not make the search backtrack.
_LONG_TAG = re.compile(rb"""<(?=[^<]{3000})[^<>"']*+(?:(?:"[^"<]*+"|'[^'<]*+')[^<>"']*+)*+""")
_DOCTYPE = re.compile(
    rb"(?:\xef\xbb\xbf)?(?>\s+|<\?(?>.*?\?>)|<!--(?>.*?-->))*+<!DOCTYPE", re.DOTALL | re.IGNORECASE
)


def parse(
    data: bytes, *, what: str = "XML", max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH
) -> Node:
    """Read a document and return its root element.

    Args:
        data: The document in UTF-8 or windows-1251, with or without a byte order mark.
        what: Name of the expected document, for the error text.
        max_bytes: Largest size that is looked at.
        max_depth: Deepest nesting of elements.

    Raises:
        BudgetExceeded: The document is too large or too deep, or an element has more than
            `MAX_ATTRIBUTES` attributes and namespaces: they are sorted one by one.
        MalformedError: Not well-formed, another encoding, or it has a DOCTYPE.

    Example:
        >>> parse("<a><b/></a>".encode()).tag
        'a'
    """
    if len(data) > max_bytes:
        raise BudgetExceeded(f"size of {what} in bytes", max_bytes)
    if _DOCTYPE.match(data):
        raise MalformedError(what, "prolog", "a DOCTYPE is not accepted")
    if any(tag[0].count(b"=") > MAX_ATTRIBUTES for tag in _LONG_TAG.finditer(data)):
        raise BudgetExceeded(f"attributes of an element of {what}", MAX_ATTRIBUTES)
    parser = etree.XMLParser(
        encoding=_encoding(data, what),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        # The parser's own message may quote the document; the name of the fault does not.
        fault = error.error_log.last_error
        if fault is not None and fault.type_name in _PARSER_LIMITS:
            raise BudgetExceeded(f"parser limits for {what}, in bytes", max_bytes) from None
        name = fault.type_name if fault is not None else "empty"
        raise MalformedError(what, f"line {error.lineno}", f"not well-formed ({name})") from None
    level, depth = [root], 1
    while level := [child for node in level for child in node]:
        depth += 1
        if depth > max_depth:
            raise BudgetExceeded(f"depth of {what}", max_depth)
    return root


def _encoding(data: bytes, what: str) -> str:
    declared = _DECLARED.match(data.removeprefix(codecs.BOM_UTF8))
    name = declared[1].decode("ascii") if declared else "utf-8"
    try:
        normal = codecs.lookup(name).name
    except LookupError:
        normal = ""
    if normal not in _ENCODINGS:
        raise MalformedError(what, "prolog", "the encoding is neither UTF-8 nor windows-1251")
    return "windows-1251" if normal == "cp1251" else "utf-8"


def serialize(root: Node, *, encoding: str = "UTF-8", indent: bool = True) -> bytes:
    r"""Write a document, beginning with its XML declaration on a line of its own.

    Args:
        root: The root element; what stands beside it, such as a style sheet, is written too.
        encoding: ``UTF-8`` or ``windows-1251``.
        indent: Whether to lay the elements out for people; never for what is already signed.

    Example:
        >>> serialize(parse(b"<a><b/></a>"))
        b'<?xml version="1.0" encoding="UTF-8"?>\n<a>\n  <b/>\n</a>\n'
    """
    if indent:
        etree.indent(root)
    body = etree.tostring(root.getroottree(), encoding=encoding, xml_declaration=False)
    return b'<?xml version="1.0" encoding="%s"?>\n%s\n' % (encoding.encode(), body)


def canonical(
    node: Node,
    *,
    exclusive: bool = True,
    prefixes: Iterable[str] = (),
    comments: bool = False,
    whole: bool = False,
    max_bytes: int = MAX_BYTES,
) -> bytes:
    """Return the canonical form of an element: Exclusive C14N 1.0, or inclusive C14N 1.0.

    Args:
        node: The element; its tail text is left out.
        exclusive: Whether to drop namespaces that the element does not use.
        prefixes: The InclusiveNamespaces PrefixList of Exclusive C14N.
        comments: Whether comments stay.
        whole: Whether a root element stands for its document, with the instructions beside it.
        max_bytes: Largest form: each of many elements may repeat a long name of a namespace.

    Raises:
        BudgetExceeded: The form is too large.
        MalformedError: A namespace is a relative reference, so the form is not defined.

    Example:
        >>> canonical(parse(b"<a  c='2' b='1'/>"))
        b'<a b="1" c="2"></a>'
    """
    if node.getparent() is None and not whole:
        node = copy.deepcopy(node)  # without what stands beside it
    inherited = {} if exclusive else _inherited(node)
    form = _Bounded(max_bytes)
    try:
        node.attrib.update(inherited)
        etree.ElementTree(node).write(
            form,
            method="c14n",
            exclusive=exclusive,
            inclusive_ns_prefixes=list(prefixes),
            with_comments=comments,
        )
        return b"".join(form.pieces)
    except etree.C14NError:
        raise MalformedError("XML", str(node.tag), "no canonical form exists") from None
    finally:
        for name in inherited:
            del node.attrib[name]


class _Bounded:
    """A file that stops whoever writes too much."""

    def __init__(self, limit: int) -> None:
        self.pieces: list[bytes] = []
        self._limit = self._left = limit

    def write(self, octets: bytes) -> int:
        self._left -= len(octets)
        if self._left < 0:
            raise BudgetExceeded("canonical form of XML, in bytes", self._limit)
        self.pieces.append(octets)
        return len(octets)


def _inherited(node: Node) -> dict[str, str]:
    """Return the ``xml:`` attributes that inclusive C14N 2.4 takes over from the ancestors."""
    found: dict[str, str] = {}
    for ancestor in node.iterancestors():
        for name, value in ancestor.attrib.items():
            if name.startswith(_XML_ATTRIBUTE) and name not in node.attrib:
                found.setdefault(name, value)
    return found


class Schema:
    """An official XSD file that the user has; the library ships none.

    Args:
        path: The `.xsd` file; imports are resolved next to it and never over the network.

    Raises:
        ConfigError: The file cannot be read or is not a schema.
    """

    def __init__(self, path: Path) -> None:
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        try:
            self._schema = etree.XMLSchema(etree.parse(str(path), parser))
        except (OSError, etree.LxmlError) as error:
            raise ConfigError(f"not a usable XML schema: {path.name}") from error

    def violations(self, root: Node) -> tuple[tuple[int, str], ...]:
        """Return what the schema refuses: line number and name of the broken rule.

        The validator's messages quote values, so only the rule's name is passed on.
        """
        if self._schema.validate(root):
            return ()
        return tuple((entry.line, entry.type_name) for entry in self._schema.error_log)
