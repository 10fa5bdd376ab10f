"""Distinguished names and general names (RFC 5280 4.1.2.4, 4.2.1.6, 7.1)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Literal

import attrs

from medsign.codec.asn1 import der, oids
from medsign.codec.asn1.door import (
    SEQUENCE,
    SET,
    STRINGS,
    Element,
    Limits,
    constructed,
    context,
    open_der,
    remembered,
)
from medsign.codec.asn1.encoded import Encoded

NAME_LIMITS = Limits(max_bytes=1 << 16, max_elements=2_000)

GeneralNameKind = Literal[
    "other", "rfc822", "dns", "x400", "directory", "edi", "uri", "ip", "registered_id"
]
_KINDS: tuple[GeneralNameKind, ...] = (
    "other", "rfc822", "dns", "x400", "directory", "edi", "uri", "ip", "registered_id",
)  # fmt: skip
_TEXT_KINDS = frozenset({"rfc822", "dns", "uri"})
_NUMBERS = frozenset({oids.INN, oids.INN_LEGAL_ENTITY, oids.OGRN, oids.OGRNIP, oids.SNILS})
_STRING_TAGS = {oids.COUNTRY: der.PRINTABLE, oids.EMAIL: der.IA5, oids.DOMAIN_COMPONENT: der.IA5}


@attrs.frozen
class NameAttribute:
    """One attribute of a name.

    Attributes:
        oid: Type of the attribute, see `medsign.codec.asn1.oids`.
        value: The text; a value that is no character string is ``#`` and its DER in hexadecimal.
        tag: ASN.1 tag of the string type the value came in; 0 for what is no string.
    """

    oid: str
    value: str = attrs.field(repr=False)
    tag: int = 0x0C

    @classmethod
    def of(cls, oid: str, value: str) -> NameAttribute:
        """Return an attribute in the string type that приказ ФСБ 795 and RFC 5280 ask for.

        The numbers (ИНН, ИННЮЛ, ОГРН, ОГРНИП, СНИЛС) are ``NumericString``.

        Example:
            >>> NameAttribute.of("1.2.643.100.4", "9909999999").tag
            18
        """
        return cls(oid, value, der.NUMERIC if oid in _NUMBERS else _STRING_TAGS.get(oid, der.UTF8))


@attrs.frozen(eq=False, repr=False)
class Name(Encoded):
    """A distinguished name.

    Names are equal when their bytes are; `matches` compares them as path building must.

    Attributes:
        rdns: Relative names in the order of the encoding; nearly always one attribute in each.
        der: The name as it came.
    """

    rdns: tuple[tuple[NameAttribute, ...], ...]
    der: bytes

    @cached_property
    def attributes(self) -> tuple[NameAttribute, ...]:
        """All the attributes in order."""
        return tuple(attribute for rdn in self.rdns for attribute in rdn)

    def get(self, oid: str) -> str | None:
        """Return the first value of an attribute type, ``None`` when there is none."""
        for each in self.attributes:
            if each.oid == oid:
                return each.value
        return None

    def all(self, oid: str) -> tuple[str, ...]:
        """Return all the values of an attribute type."""
        return tuple(each.value for each in self.attributes if each.oid == oid)

    def matches(self, other: Name) -> bool:
        """Compare by RFC 5280 7.1: letter case, runs of spaces and the string type do not count."""
        return self.der == other.der or self.key() == other.key()

    def key(self) -> tuple[frozenset[tuple[str, str]], ...]:
        """Return a hashable value that is the same for names that `matches` finds equal."""
        return self._key

    @cached_property
    def _key(self) -> tuple[frozenset[tuple[str, str]], ...]:
        return tuple(
            frozenset((each.oid, _folded(each.value)) for each in rdn) for rdn in self.rdns
        )

    def rfc4514(self) -> str:
        """Return the name as text, last component first. It may hold personal data.

        Example:
            >>> print(make_name([("2.5.4.6", "RU"), ("2.5.4.3", "Тестовый УЦ")]).rfc4514())
            CN=Тестовый УЦ,C=RU
        """
        return ",".join("+".join(map(_shown, rdn)) for rdn in reversed(self.rdns))


@attrs.frozen
class GeneralName:
    """One of the forms of a name outside the subject field.

    Attributes:
        kind: The form.
        value: Text for ``rfc822``, ``dns``, ``uri`` and ``registered_id``; a `Name` for
            ``directory``; the contents as they came for the others (4 or 16 octets, or twice
            that in name constraints, for ``ip``).
    """

    kind: GeneralNameKind
    value: str | bytes | Name = attrs.field(repr=False)


@remembered(256)
def read_name(element: Element) -> Name:
    """Read a ``Name``."""
    return Name(
        tuple(
            tuple(_read_attribute(each) for each in rdn.each(SEQUENCE, "attribute"))
            for rdn in element.each(SET, "rdn")
        ),
        element.der,
    )


def read_general_name(element: Element) -> GeneralName:
    """Read a ``GeneralName``."""
    number = element.tag & 0x1F
    if element.tag & 0xC0 != 0x80 or number >= len(_KINDS):
        raise element.error("not a general name")
    kind = _KINDS[number]
    value: str | bytes | Name = element.contents
    if kind in _TEXT_KINDS:
        value = element.ia5()
    elif kind == "directory":
        value = read_name(element.only(SEQUENCE, "directoryName"))
    elif kind == "registered_id":
        value = element.oid()
    return GeneralName(kind, value)


def read_general_names(element: Element) -> tuple[GeneralName, ...]:
    """Read ``GeneralNames``."""
    return tuple(read_general_name(each) for each in element.each(None, "generalName"))


def decode_name(data: bytes, limits: Limits = NAME_LIMITS) -> Name:
    """Decode a ``Name``.

    Raises:
        MalformedError: It is not one.
        BudgetExceeded: It is too large.
    """
    return read_name(open_der("name", data, limits))


def encode_name(rdns: Iterable[Sequence[NameAttribute]]) -> bytes:
    """Encode relative names in the given order.

    Raises:
        UsageError: A value does not fit its string type.
    """
    return der.sequence(*(der.set_of(map(_attribute, rdn)) for rdn in rdns))


def make_name(attributes: Iterable[tuple[str, str]]) -> Name:
    """Make a name of types and values, one attribute to a relative name.

    Example:
        >>> make_name([("2.5.4.3", "Тестовый УЦ"), ("2.5.4.6", "RU")]).get("2.5.4.6")
        'RU'
    """
    rdns = tuple((NameAttribute.of(oid, value),) for oid, value in attributes)
    return Name(rdns, encode_name(rdns))


def encode_general_name(name: GeneralName) -> bytes:
    """Encode a ``GeneralName``."""
    number = _KINDS.index(name.kind)
    value = name.value
    if isinstance(value, Name):
        return der.tlv(constructed(number), value.der)
    if isinstance(value, str):
        element = der.oid(value) if name.kind == "registered_id" else der.text(value, der.IA5)
        return bytes((context(number),)) + element[1:]
    return der.tlv(
        constructed(number) if name.kind in {"other", "x400", "edi"} else context(number), value
    )


def _read_attribute(element: Element) -> NameAttribute:
    with element.fields() as fields:
        oid = fields.oid("type")
        value = fields.take(None, oids.SHORT_NAMES.get(oid, oid))
        if value.tag in STRINGS:
            return NameAttribute(oid, value.text(), value.tag)
        return NameAttribute(oid, f"#{value.der.hex()}", 0)


def _attribute(attribute: NameAttribute) -> bytes:
    value = attribute.value
    encoded = der.text(value, attribute.tag) if attribute.tag else bytes.fromhex(value[1:])
    return der.sequence(der.oid(attribute.oid), encoded)


def _folded(value: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())


def _shown(attribute: NameAttribute) -> str:
    value = attribute.value
    if attribute.tag:
        value = "".join(f"\\{char}" if char in ',+"\\<>;=' else char for char in value)
        if value[:1] in {" ", "#"}:
            value = "\\" + value
        if value.endswith(" ") and len(value) > 1:
            value = value[:-1] + "\\ "
        value = value.replace("\0", "\\00")
    return f"{oids.SHORT_NAMES.get(attribute.oid, attribute.oid)}={value}"
