"""Writing DER: each function returns the bytes of one element.

``None`` among the parts is an absent optional field, so that structures read like their ASN.1.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from medsign.clock import aware
from medsign.codec.asn1.door import (
    BIT_STRING,
    BOOLEAN,
    ENUMERATED,
    INTEGER,
    NULL,
    OCTET_STRING,
    SEQUENCE,
    SET,
    STRINGS,
    constructed,
    core,
    framed,
)
from medsign.errors import UsageError

UTF8, NUMERIC, PRINTABLE, IA5 = 0x0C, 0x12, 0x13, 0x16
_ASKED = {
    NUMERIC: "ИНН, СНИЛС и ОГРН пишутся только цифрами. Исправьте их.",
    PRINTABLE: "Код страны пишется латинскими буквами, например RU. Исправьте его.",
    IA5: "Адрес электронной почты пишется латинскими буквами. Исправьте его.",
}


def tlv(tag: int, *parts: bytes | None) -> bytes:
    """Return an element with a one-octet tag and the parts as contents."""
    return framed(bytes((tag,)), b"".join(part for part in parts if part is not None))


def sequence(*parts: bytes | None) -> bytes:
    """Return a ``SEQUENCE`` of the parts."""
    return tlv(SEQUENCE, *parts)


def optional_sequence(parts: Iterable[bytes]) -> bytes | None:
    """Return a ``SEQUENCE OF`` that is left out when it is empty."""
    listed = tuple(parts)
    return sequence(*listed) if listed else None


def set_of(parts: Iterable[bytes]) -> bytes:
    """Return a ``SET OF`` in the order of DER (X.690 11.6)."""
    return tlv(SET, *sorted(parts))


def explicit(number: int, element: bytes | None) -> bytes | None:
    """Return ``[number] EXPLICIT`` around an element; an absent one stays absent."""
    return None if element is None else tlv(constructed(number), element)


def implicit(number: int, element: bytes | None) -> bytes | None:
    """Return an element under ``[number] IMPLICIT``; an absent one stays absent."""
    return None if element is None else bytes((0x80 | (element[0] & 0x20) | number,)) + element[1:]


def integer(value: int, tag: int = INTEGER) -> bytes:
    """Return an integer in the fewest octets."""
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return tlv(tag, value.to_bytes(size, signed=True))


def enumerated(value: int) -> bytes:
    """Return an ``ENUMERATED``."""
    return integer(value, ENUMERATED)


def true_or_absent(value: bool) -> bytes | None:  # noqa: FBT001 - it is the value itself
    """Return a ``BOOLEAN DEFAULT FALSE``."""
    return tlv(BOOLEAN, b"\xff") if value else None


def null() -> bytes:
    """Return a ``NULL``."""
    return tlv(NULL)


def octets(value: bytes) -> bytes:
    """Return an octet string."""
    return tlv(OCTET_STRING, value)


def bits(value: bytes) -> bytes:
    """Return a bit string of whole octets."""
    return tlv(BIT_STRING, b"\x00", value)


def named_bits(numbers: Iterable[int]) -> bytes:
    """Return a list of named bits; DER drops the zeros at the end."""
    value, last = 0, -1
    for number in numbers:
        value |= 1 << (63 - number)
        last = max(last, number)
    size = last // 8 + 1
    return tlv(BIT_STRING, bytes((8 * size - 1 - last,)), value.to_bytes(8)[:size])


def oid(dotted: str) -> bytes:
    """Return an object identifier.

    Raises:
        UsageError: The text is not a dotted identifier.
    """
    return _dumped(core.ObjectIdentifier, dotted)


def text(value: str, tag: int = UTF8) -> bytes:
    """Return a character string of the type of the tag.

    Raises:
        UsageError: The string type cannot hold the text.
    """
    return _dumped(STRINGS[tag], value, _ASKED.get(tag, ""))


def time(moment: datetime) -> bytes:
    """Return a ``Time`` by RFC 5280 4.1.2.5: UTCTime through 2049; whole seconds."""
    moment = aware(moment).replace(microsecond=0)
    return _dumped(core.UTCTime if 1950 <= moment.year < 2050 else core.GeneralizedTime, moment)


def generalized_time(moment: datetime, *, fraction: bool = False) -> bytes:
    """Return a ``GeneralizedTime`` in UTC, without the fraction of a second unless asked."""
    moment = aware(moment)
    return _dumped(core.GeneralizedTime, moment if fraction else moment.replace(microsecond=0))


def _dumped(kind: Any, value: object, asked: str = "") -> bytes:
    try:
        element = kind(value)
        return bytes(element.dump())
    except (ValueError, TypeError, AttributeError):
        raise UsageError(f"the value does not fit an ASN.1 {kind.__name__}", asked) from None
