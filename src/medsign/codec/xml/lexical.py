"""What a text in an attribute or an element may be: the simple types of XML Schema in use.

Each rule turns text into a value and back. A refused text raises `LexicalError` whose Russian text
never holds the value.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, TypeVar

import attrs

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

_XML_SPACE = " \t\r\n"


class LexicalError(ValueError):
    """A text that the rule refuses.

    Args:
        code: ``length``, ``pattern``, ``enumeration``, ``type`` or ``range``.
        russian: What is expected, in Russian.
    """

    def __init__(self, code: str, russian: str) -> None:
        super().__init__(code)
        self.code = code
        self.russian = russian


class Lexical(Generic[T]):
    """A simple type."""

    @property
    def title(self) -> str:
        """A short description in Russian."""
        raise NotImplementedError

    def parse(self, text: str) -> T:
        """Turn text into a value, or raise `LexicalError`."""
        raise NotImplementedError

    def format(self, value: T) -> str:
        """Turn a value into text."""
        raise NotImplementedError


@attrs.frozen
class Text(Lexical[str]):
    """``xs:string`` with bounds on length in characters and an optional pattern.

    Example:
        >>> Text(4, 4, r"[0-9]{4}").parse("7801")
        '7801'
    """

    low: int = 0
    high: int | None = None
    pattern: str | None = None
    hint: str = ""

    @property
    def title(self) -> str:
        if self.hint:
            return self.hint
        if self.high is None:
            return "текст"
        return f"текст, {self.high}" if self.low == self.high else f"текст, {self.low}–{self.high}"

    def parse(self, text: str) -> str:
        if len(text) < self.low or (self.high is not None and len(text) > self.high):
            raise LexicalError("length", f"недопустимая длина; ожидается: {self.title}")
        if self.pattern is not None and not re.fullmatch(self.pattern, text):
            raise LexicalError("pattern", f"не соответствует шаблону; ожидается: {self.title}")
        return text

    def format(self, value: str) -> str:
        return value


@attrs.frozen
class AnyDate(Lexical[date]):
    """``xs:date`` without a time zone and without spaces around it: a whole day.

    XML Schema allows both, but a day of another zone is not a day of Moscow, and checkers built on
    libxml2 refuse a space after a date.
    """

    earliest: date = date.min
    latest: date = date.max

    @property
    def title(self) -> str:
        return "дата ГГГГ-ММ-ДД"

    def parse(self, text: str) -> date:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise LexicalError("type", f"ожидается {self.title}")
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise LexicalError("type", "такой даты нет в календаре") from None
        if not self.earliest <= day <= self.latest:
            bounds = f"от {self.earliest.isoformat()} до {self.latest.isoformat()}"
            raise LexicalError("range", f"ожидается дата {bounds}")
        return day

    def format(self, value: date) -> str:
        return value.isoformat()


@attrs.frozen
class Integer(Lexical[int]):
    """``xs:integer`` with bounds on its value and number of significant digits."""

    digits: int
    low: int | None = None

    @property
    def title(self) -> str:
        return f"целое число, не более {self.digits} цифр"

    def parse(self, text: str) -> int:
        text = text.strip(_XML_SPACE)
        if not re.fullmatch(r"[+-]?[0-9]+", text):
            raise LexicalError("type", f"ожидается {self.title}")
        if len(text.lstrip("+-").lstrip("0")) > self.digits:
            raise LexicalError("range", f"ожидается {self.title}")
        if self.low is not None and int(text) < self.low:
            raise LexicalError("range", f"ожидается число не меньше {self.low}")
        return int(text)

    def format(self, value: int) -> str:
        return str(value)


@attrs.frozen
class Number(Lexical[Decimal]):
    """``xs:decimal`` with bounds on significant digits and digits after the point."""

    digits: int
    fraction: int

    @property
    def title(self) -> str:
        return f"число, не более {self.digits} цифр, из них {self.fraction} после точки"

    def parse(self, text: str) -> Decimal:
        text = text.strip(_XML_SPACE)
        if not re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)", text):
            raise LexicalError("type", f"ожидается {self.title}")
        whole, _, fraction = text.lstrip("+-").partition(".")
        fraction = fraction.rstrip("0")
        if len(fraction) > self.fraction or len(whole.lstrip("0") + fraction) > self.digits:
            raise LexicalError("range", f"ожидается {self.title}")
        return Decimal(text)

    def format(self, value: Decimal) -> str:
        return format(value, "f")


@attrs.frozen
class Flag(Lexical[bool]):
    """``0`` or ``1`` written as a string."""

    @property
    def title(self) -> str:
        return "0 или 1"

    def parse(self, text: str) -> bool:
        if text not in {"0", "1"}:
            raise LexicalError("enumeration", f"ожидается {self.title}")
        return text == "1"

    def format(self, value: bool) -> str:  # noqa: FBT001 - the value of the field itself
        return "1" if value else "0"


@attrs.frozen
class OneOf(Lexical[E]):
    """An enumeration: one of the values of a `StrEnum`."""

    codes: type[E]

    @property
    def title(self) -> str:
        return "одно из: " + ", ".join(self.codes)

    def parse(self, text: str) -> E:
        try:
            return self.codes(text)
        except ValueError:
            raise LexicalError("enumeration", f"ожидается {self.title}") from None

    def format(self, value: E) -> str:
        return value.value


def default_rule(kind: Any) -> Lexical[Any]:
    """Return the rule that a Python type implies when a field names none."""
    if isinstance(kind, type):
        if issubclass(kind, StrEnum):
            return OneOf(kind)
        if kind in _IMPLIED:
            return _IMPLIED[kind]
    raise TypeError(f"no lexical rule for {kind!r}: name one in the field")


_IMPLIED: dict[type, Lexical[Any]] = {str: Text(), date: AnyDate(), bool: Flag()}
