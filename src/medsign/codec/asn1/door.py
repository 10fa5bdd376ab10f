"""The door: DER comes in, typed values or one `MalformedError` come out.

asn1crypto supplies the primitive types (object identifiers, times, the many strings). Its structure
classes are not used: they know no GOST, their algorithm maps are shared by the whole process, and
they parse on first access, so that hostile bytes explode far from here and as any exception. Here
structures are read element by element and every error names the field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache, wraps
from types import TracebackType
from typing import Any, Self, TypeVar

import asn1crypto.core  # pyright: ignore[reportMissingTypeStubs]
import attrs

from medsign.errors import BudgetExceeded, MalformedError

T = TypeVar("T")


def _untyped(module: Any) -> Any:
    return module


core = _untyped(asn1crypto.core)  # the package has no types

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID, ENUMERATED = 1, 2, 3, 4, 5, 6, 10
UTC_TIME, GENERALIZED_TIME, SEQUENCE, SET = 0x17, 0x18, 0x30, 0x31
TIMES = (UTC_TIME, GENERALIZED_TIME)
STRINGS: dict[int, Any] = {
    0x0C: core.UTF8String,
    0x12: core.NumericString,
    0x13: core.PrintableString,
    0x14: core.TeletexString,
    0x16: core.IA5String,
    0x1A: core.VisibleString,
    0x1B: core.GeneralString,
    0x1C: core.UniversalString,
    0x1E: core.BMPString,
}
_ENCODINGS = {
    0x0C: "utf-8",
    0x12: "latin-1",
    0x13: "latin-1",
    0x14: "teletex",  # a codec of asn1crypto
    0x16: "ascii",
    0x1A: "latin-1",
    0x1B: "latin-1",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}
_CONSTRUCTED_STRINGS = frozenset(tag | 0x20 for tag in (BIT_STRING, OCTET_STRING, *_ENCODINGS))
# By the first octet: whether it is all of the tag, and not that of a string in parts.
_IS_PLAIN = bytes(
    octet & 0x1F != 0x1F and octet not in _CONSTRUCTED_STRINGS for octet in range(256)
)
# No field of ours is longer: the largest is a nonce. Python also refuses to print huge integers.
_TIME = re.compile(rb"\d{12}(?:\d\d)?Z")
_LONGEST_INTEGER = 256
_LONGEST_OID = 64
_LONGEST_REMEMBERED = 1 << 13
_ODD = (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError)


def context(number: int) -> int:
    """Return the tag of a primitive context-specific element, ``[number] IMPLICIT``."""
    return 0x80 | number


def constructed(number: int) -> int:
    """Return the tag of a constructed context-specific element, ``[number]``."""
    return 0xA0 | number


@attrs.frozen(kw_only=True)
class Limits:
    """How much work one input may cost.

    Attributes:
        max_bytes: Longest input, in octets.
        max_depth: Deepest nesting of elements.
        max_elements: Largest number of elements that are looked at.
    """

    max_bytes: int = 1 << 20
    max_depth: int = 48
    max_elements: int = 100_000


def frame(data: bytes, start: int, end: int) -> tuple[int, int, int | None]:
    """Read one identifier and length.

    Returns:
        The identifier octets as a number, the offset of the contents and their length, which is
        ``None`` for the indefinite form.

    Raises:
        ValueError: The header is cut or senseless; the text has no value from the data.
    """
    at = start + 1
    if at >= end:
        raise ValueError("the element is cut short")
    tag = data[start]
    if tag & 0x1F == 0x1F:
        while at < end and data[at] & 0x80:
            at += 1
        at += 1
        if at >= end or at - start > 5:
            raise ValueError("the tag is cut short or too long")
        tag = int.from_bytes(data[start:at])
    length, body = data[at], at + 1
    if length == 0x80:
        return tag, body, None
    if length > 0x80:
        body += length & 0x7F
        if length > 0x88 or body > end:
            raise ValueError("the length is cut short or too long")
        length = int.from_bytes(data[at + 1 : body])
    if body + length > end:
        raise ValueError("the contents are cut short")
    return tag, body, length


def framed(identifier: bytes, contents: bytes) -> bytes:
    """Return an element of the identifier octets, the shortest length and the contents."""
    size = len(contents)
    if size < 0x80:
        return identifier + bytes((size,)) + contents
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return b"".join((identifier, bytes((0x80 | len(length),)), length, contents))


def minimal(start: int, body: int, length: int) -> bool:
    """Tell whether a definite length takes the fewest octets, for single-octet tags."""
    return body - start == 2 + (0 if length < 0x80 else (length.bit_length() + 7) // 8)


class Input:
    """The octets, and what is left of the budget."""

    __slots__ = ("data", "left", "limits", "what")

    def __init__(self, what: str, data: bytes, limits: Limits) -> None:
        if len(data) > limits.max_bytes:
            raise BudgetExceeded(f"{what}: octets", limits.max_bytes)
        self.what, self.data, self.limits, self.left = what, data, limits, limits.max_elements

    def charge(self, elements: int) -> None:
        """Take so many elements off the budget."""
        self.left -= elements
        if self.left < 0:
            raise BudgetExceeded(f"{self.what}: elements", self.limits.max_elements)


class Element:
    """One DER element: where it lies and what it is called.

    The methods that return values do not look at the tag, because an implicit tag hides it:
    `Fields.take` has already checked it.

    Args:
        source: What is read.
        parent: The element around it.
        tag: The tag it must have; ``None`` for any.
        name: What the standard calls it.
        start: Where it begins.
        end: Where the contents of the parent end.
    """

    __slots__ = ("_body", "_depth", "_parent", "_start", "end", "name", "source", "tag")

    def __init__(
        self,
        source: Input,
        parent: Element | None,
        tag: int | None,
        name: str,
        start: int,
        end: int,
    ) -> None:
        if start >= end and parent:
            raise parent.error(f"{name} is missing")
        self.source, self._parent, self.name, self._start = source, parent, name, start
        self._depth: int = parent._depth + 1 if parent else 0
        if self._depth > source.limits.max_depth:
            raise BudgetExceeded(f"{source.what}: depth", source.limits.max_depth)
        source.left -= 1
        if source.left < 0:
            source.charge(0)
        data, self._body = source.data, start + 2
        # Nearly every header is two octets: a call for each would cost as much as all the rest.
        body = self._body
        if body <= end and (length := data[start + 1]) < 0x80 and _IS_PLAIN[data[start]]:
            self.tag, self.end = data[start], body + length
            if self.end > end:
                raise self.error("the contents are cut short")
        else:
            self._read_long_header(end)
        if tag is not None and self.tag != tag:
            raise self.error("another type was expected")

    def _read_long_header(self, end: int) -> None:
        data, start = self.source.data, self._start
        at = start + 2
        if at < end and _IS_PLAIN[data[start]] and data[at]:
            body = at + data[start + 1] - 0x80
            if at < body <= end and body - at <= 4:
                stop = body + int.from_bytes(data[at:body])
                if body + 0x80 <= stop <= end:
                    self.tag, self._body, self.end = data[start], body, stop
                    return
        try:
            self.tag, self._body, length = frame(data, start, end)
        except ValueError as odd:
            raise self.error(str(odd)) from None
        if length is None or not minimal(start, self._body, length):
            raise self.error("the length is not in DER")
        if self.tag in _CONSTRUCTED_STRINGS:
            raise self.error("a string in parts is not in DER")
        self.end = self._body + length

    @property
    def path(self) -> str:
        """Names of the fields from the root, joined by dots."""
        above = self._parent.path if self._parent else ""
        return f"{above}.{self.name}" if above else self.name

    @property
    def der(self) -> bytes:
        """The whole element as it came."""
        return self.source.data[self._start : self.end]

    @property
    def contents(self) -> bytes:
        """The element without its tag and length."""
        return self.source.data[self._body : self.end]

    def error(self, why: str) -> MalformedError:
        """Return the error that names this element."""
        return MalformedError(self.source.what, self.path, why)

    def replaced(self, element: bytes) -> bytes:
        """Return the whole input with other bytes here; only the lengths around them change."""
        if self._parent is None:
            return element
        data, above = self.source.data, self._parent
        contents = data[above._body : self._start] + element + data[self.end : above.end]
        return above.replaced(framed(data[above._start : above._start + 1], contents))

    def fields(self) -> Fields:
        """Return the cursor over the elements inside; it checks at exit that all were taken."""
        return Fields(self.source, self, self._body, self.end)

    def only(self, tag: int | None, name: str) -> Element:
        """Return the single element inside, as in an explicit tag or a wrapping string."""
        return self._only(tag, name, self._body)

    def each(self, tag: int | None, name: str) -> Iterator[Element]:
        """Yield all the elements inside, as in ``SEQUENCE OF``."""
        at, end = self._body, self.end
        while at < end:
            element = Element(self.source, self, tag, name, at, end)
            yield element
            at = element.end

    def only_in_bits(self, tag: int, name: str) -> Element:
        """Return the single element that a bit string of whole octets carries."""
        self.bits()
        return self._only(tag, name, self._body + 1)

    def _only(self, tag: int | None, name: str, at: int) -> Element:
        element = Element(self.source, self, tag, name, at, self.end)
        if element.end != self.end:
            raise self.error("an element too many")
        return element

    def integer(self) -> int:
        contents = self.contents
        if not 0 < len(contents) <= _LONGEST_INTEGER:
            raise self.error("an integer of no octets or too many")
        if contents[:1] in (b"\x00", b"\xff") and _padded(contents):
            raise self.error("an integer with an octet too many")
        return int.from_bytes(contents, signed=True)

    def boolean(self) -> bool:
        """Return a boolean; real certificates write true with any octet, as BER lets them."""
        if len(self.contents) != 1:
            raise self.error("not a boolean")
        return self.contents != b"\x00"

    def oid(self) -> str:
        try:
            return _dotted(self.contents)
        except _ODD:
            raise self.error("not an object identifier") from None

    def bits(self) -> bytes:
        """Return a bit string of whole octets."""
        contents = self.contents
        if contents[:1] != b"\x00":
            raise self.error("a bit string that is not of whole octets")
        return contents[1:]

    def bit_numbers(self) -> frozenset[int]:
        """Return the numbers of the bits that are set, counted from the first."""
        contents = self.contents
        if not contents or len(contents) > 9 or contents[0] > 7:
            raise self.error("not a list of named bits")
        octets = contents[1:]
        return frozenset(
            8 * index + bit
            for index, octet in enumerate(octets)
            for bit in range(8)
            if octet & (0x80 >> bit)
        )

    def text(self) -> str:
        if self.tag not in _ENCODINGS:
            raise self.error("not a character string")
        return self._text_in(_ENCODINGS[self.tag])

    def ia5(self) -> str:
        """Return the text of an implicitly tagged ``IA5String``."""
        return self._text_in("ascii")

    def utf8(self) -> str:
        """Return the text of an implicitly tagged ``UTF8String``."""
        return self._text_in("utf-8")

    def time(self) -> datetime:
        """Return the moment in UTC, of either of the two time types (RFC 5280 §4.1.2.5)."""
        # One moment, one spelling: otherwise two programs may read two moments out of it.
        if not _TIME.fullmatch(self.contents):
            raise self.error("a time without seconds, with a fraction or not in UTC")
        return self._time_as(core.UTCTime if self.tag == UTC_TIME else core.GeneralizedTime)

    def generalized_time(self) -> datetime:
        """Return the moment of an implicitly tagged ``GeneralizedTime``."""
        return self._time_as(core.GeneralizedTime)

    def _text_in(self, encoding: str) -> str:
        try:
            return self.contents.decode(encoding)
        except ValueError:
            raise self.error("characters outside the string's alphabet") from None

    def _time_as(self, kind: Any) -> datetime:
        contents = self.contents
        digits = contents[:-1]
        if kind is core.UTCTime:
            digits = (b"20" if digits[:2] < b"50" else b"19") + digits
        try:
            if len(digits) == 14 and digits.isdigit() and contents.endswith(b"Z"):
                text = digits.decode()
                return datetime.fromisoformat(f"{text[:8]}T{text[8:]}Z")
            # Fractions, zones and whatever else BER lets time stamps write.
            moment = kind(contents=contents).native
            if isinstance(moment, datetime) and moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except _ODD:
            pass
        raise self.error("not a moment of time with a zone")


def _padded(contents: bytes) -> bool:
    """Tell whether an integer has a leading octet that says nothing (X.690 §8.3.2)."""
    return len(contents) > 1 and (contents[0] == 0xFF) == (contents[1] >= 0x80)


def remembered(size: int) -> Callable[[Callable[[Element], T]], Callable[[Element], T]]:
    """Let a reader return what it returned for the same octets before.

    The same names, algorithms and authorities come with every file. It is safe because a reader
    has nothing but the octets of its element to go by and returns what nobody can change; only
    what was read to its end is kept, and the budget is charged as if it were read again.

    Args:
        size: How many values are kept. When there are more, all are forgotten: with strangers only
            the time is lost that was saved before, and threads need no lock.
    """

    def remembering(read: Callable[[Element], T]) -> Callable[[Element], T]:
        known: dict[bytes, tuple[T, int]] = {}

        @wraps(read)
        def recalled(element: Element) -> T:
            octets, source = element.der, element.source
            if found := known.get(octets):
                value, cost = found
                source.charge(cost)
                return value
            before = source.left
            value = read(element)
            if len(octets) <= _LONGEST_REMEMBERED:
                if len(known) >= size:
                    known.clear()
                known[octets] = value, before - source.left
            return value

        return recalled

    return remembering


class Fields:
    """A cursor over the elements inside another one.

    As a context manager it raises `MalformedError` at exit when something was left untaken.
    """

    __slots__ = ("_at", "_end", "_parent", "_source")

    def __init__(self, source: Input, parent: Element, start: int, end: int) -> None:
        self._source, self._parent, self._at, self._end = source, parent, start, end

    def __bool__(self) -> bool:
        return self._at < self._end

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None and self._at < self._end:
            raise self._parent.error("an element too many")

    def peek(self) -> int | None:
        """Return the tag of the next element, if it is of one octet; ``None`` at the end."""
        return self._source.data[self._at] if self._at < self._end else None

    def maybe(self, tag: int, name: str) -> Element | None:
        """Take the next element if it has the tag."""
        at = self._at
        if at >= self._end or self._source.data[at] != tag:
            return None
        return self.take(tag, name)

    def take(self, tag: int | None, name: str) -> Element:
        """Take the next element; ``None`` stands for any tag.

        Raises:
            MalformedError: There is none, or it has another tag.
        """
        element = Element(self._source, self._parent, tag, name, self._at, self._end)
        self._at = element.end
        return element

    def skip(self) -> None:
        """Take all that follows without looking."""
        while self:
            self.take(None, "rest")

    def one_of(self, tags: tuple[int, ...], name: str) -> Element:
        """Take the next element, which must have one of the tags."""
        element = self.take(None, name)
        if element.tag not in tags:
            raise element.error("another type was expected")
        return element

    def oid(self, name: str) -> str:
        return self.take(OID, name).oid()

    def integer(self, name: str) -> int:
        return self.take(INTEGER, name).integer()

    def octets(self, name: str) -> bytes:
        return self.take(OCTET_STRING, name).contents

    def sequence(self, name: str) -> Element:
        return self.take(SEQUENCE, name)

    def time(self, name: str) -> datetime:
        return self.one_of(TIMES, name).time()

    def text(self, name: str) -> str:
        return self.take(None, name).text()


def open_der(what: str, data: bytes, limits: Limits, tag: int | None = SEQUENCE) -> Element:
    """Open an input that must be exactly one DER element.

    Args:
        what: What it is meant to be, for the error text.
        data: The input.
        limits: How much work it may cost.
        tag: The tag it must have; ``None`` for any.

    Raises:
        MalformedError: It is something else, or octets follow it.
        BudgetExceeded: It is longer than allowed.
    """
    source = Input(what, data, limits)
    root = Element(source, None, tag, "", 0, len(data))
    if root.end != len(data):
        raise root.error("octets follow the end")
    return root


@lru_cache(maxsize=1024)
def _dotted(contents: bytes) -> str:
    if not contents or len(contents) > _LONGEST_OID or contents[-1] & 0x80:
        raise ValueError
    return str(core.ObjectIdentifier(contents=contents).dotted)
