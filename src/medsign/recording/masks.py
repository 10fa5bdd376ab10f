"""Values of a recording give way to others of the same kind, equal ones to equal ones.

A mask is made with a key that nobody keeps, so a СНИЛС cannot be found by trying them all. What a
value and its mask have in common is their shape; replay finds the recorded request by it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from base64 import b64encode
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from enum import Enum
from functools import partial
from typing import Any, Final, cast
from urllib.parse import parse_qsl, quote, unquote, urlencode
from uuid import UUID

import attrs
import httpx

from medsign.codec import json
from medsign.errors import InvalidIdentifier, MalformedError
from medsign.exchange import redact
from medsign.exchange.redaction import MASK
from medsign.identifiers import Inn, InnLegal, Ogrn, Ogrnip, Snils

_ANYTHING: Final[Any] = Any
_LONGEST: Final = 200
_SMALL: Final = 1000
_TRIES: Final = 32
_CYRILLIC: Final = "абвгдежзиклмнопрстуфхцчшщэюя"
# What an error says anyway, cleaned in the same way (see `medsign.exchange.problem`).
_OF_PROBLEMS: Final = ("code", "error", "title", "titleRu")
_SECONDS: Final = frozenset({"expires_in", "expiresIn"})
_PLAIN_NAME: Final = re.compile(r"(?:[A-Za-z_][A-Za-z._-]{0,40}\d{0,2})?", re.ASCII)
# Words as programmers choose them; a token made of letters changes its case too often for one.
_WORD: Final = r"(?:[A-Z]{1,5}|[A-Z]?[a-z]{1,24}(?:[A-Z][a-z]{2,24}){0,4})"
_ROUTE: Final = re.compile(rf"(?:{_WORD}(?:[._-]{_WORD}){{0,4}}\d{{0,2}})?", re.ASCII)
_IDENTIFIERS: Final = {
    10: (InnLegal, "9999"),
    11: (Snils, "999"),
    12: (Inn, "9999"),
    13: (Ogrn, "9"),
    15: (Ogrnip, "3"),
}


class Kind(Enum):
    """What a text is, as far as its look tells; tried in this order."""

    EMPTY = re.compile(r"\s*")
    UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
    MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d[\d:.,Z+-]{0,24}", re.ASCII)
    DAY = re.compile(r"\d{4}-\d\d-\d\d|\d\d\.\d\d\.\d{4}", re.ASCII)
    FEW_DIGITS = re.compile(r"\D?(?:\d[\s.]?){1,3}", re.ASCII)
    NUMBER = re.compile(r"\+?\d[\d\s()./-]{0,40}", re.ASCII)
    OCTETS = re.compile(r"[A-Za-z0-9+/_=\r\n-]{64,}")
    TEXT = re.compile(r".*", re.DOTALL)


def kind_of(text: str) -> Kind:
    """Return what a text looks like.

    Example:
        >>> [kind_of(text).name for text in ("999-999-999 89", "1985-03-08", "Тестова")]
        ['NUMBER', 'DAY', 'TEXT']
    """
    return next(kind for kind in Kind if kind.value.fullmatch(text))


@attrs.frozen
class Masks:
    """The masks of one recording.

    Args:
        words: Texts that are shown as they are: the words of the contracts.
        key: What masks are made with; keep it nowhere.

    Example:
        >>> masks = Masks(key=bytes(32))
        >>> masks.text("999-999-999 89") == masks.text("999-999-999 89") != "999-999-999 89"
        True
    """

    words: frozenset[str] = frozenset()
    key: bytes = attrs.field(factory=lambda: secrets.token_bytes(32), repr=False)

    def text(self, text: str) -> str:
        """Return a text of the same kind and letter case, that tells nothing of the given one."""
        kind = kind_of(text)
        if text in self.words or kind in (Kind.EMPTY, Kind.FEW_DIGITS):
            return text
        match kind:
            case Kind.UUID:
                made = self._uuid(text)
            case Kind.MOMENT:
                # Systems write dates of birth as midnights; other moments are those of the work.
                made = self._day(text[:10]) + text[10:] if text[14:16] == "00" else text
            case Kind.DAY:
                made = self._day(text)
            case Kind.NUMBER:
                made = self._number(text)
            case Kind.OCTETS:
                made = b64encode(self._octets(text, 48)).decode()
            case _:
                tries = (self._letters(text[:_LONGEST], nth) for nth in range(_TRIES))
                # A short one may hit a word by chance, or every time where all letters are words.
                made = next((each for each in tries if each not in self.words), MASK)
        return made

    def number(self, value: float) -> float:
        """Return a number with as many digits; small round ones count things and stay."""
        if _counts(value):
            return value
        return type(value)(self._number(str(max(int(abs(value)), _SMALL))))

    def plain(self, plain: Any) -> Any:
        """Return parsed JSON with each value masked."""
        return _rewritten(plain, self.text, self.number)

    def body(self, content: bytes, media_type: str, *, refused: bool = False) -> str | None:
        """Return a body with its structure kept and its values masked.

        Args:
            content: JSON or a form; other bodies cannot be masked.
            media_type: What it says it is.
            refused: Whether it tells why a request was refused.

        Returns:
            The text, or ``None`` for a body that must be left out.
        """
        plain = parsed(content, media_type)
        match plain:
            case None:
                return None
            case Form(pairs):
                return urlencode([(self.name(name), self.text(value)) for name, value in pairs])
            case _:
                masked = self.plain(plain)
        if refused and isinstance(plain, dict):
            said = cast("dict[str, Any]", plain)
            masked |= {
                name: redact(said[name]) for name in _OF_PROBLEMS if isinstance(said.get(name), str)
            }
        return json.encode(masked).decode()

    def url(self, url: httpx.URL) -> str:
        """Return an address whose variable parts and query are masked."""
        origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
        query = urlencode([(self.name(name), self.text(value)) for name, value in _query(url)])
        path = _path(url, self.text)
        return f"{origin}{path}?{query}" if query else f"{origin}{path}"

    def name(self, name: str) -> str:
        """Return the name of a member, masked where it looks like somebody's data."""
        return _name(name, self.text)

    def _octets(self, text: str, size: int) -> bytes:
        seed = hmac.digest(self.key, text.encode("utf-8", "surrogatepass"), "sha256")
        return hashlib.shake_256(seed).digest(size)

    def _uuid(self, text: str) -> str:
        made = UUID(bytes=self._octets(text.lower(), 16), version=4)
        return str(made).upper() if text == text.upper() else str(made)

    def _day(self, text: str) -> str:
        form = "%d.%m.%Y" if text[2] == "." else "%Y-%m-%d"
        year = max(int(text[-4:] if text[2] == "." else text[:4]), 1000)
        days = int.from_bytes(self._octets(text, 4)) % 365
        return (date(year, 1, 1) + timedelta(days=days)).strftime(form)

    def _number(self, text: str) -> str:
        digits = iter(self._digits(re.sub(r"\D", "", text), phone=text.startswith("+")))
        return re.sub(r"\d", lambda _: next(digits), text)

    def _digits(self, digits: str, *, phone: bool) -> str:
        made = "".join(str(octet % 10) for octet in self._octets(digits, len(digits)))
        if phone:
            return "7999" + made[4:]
        identifier, start = _IDENTIFIERS.get(len(digits), (None, ""))
        if identifier:
            try:
                identifier(digits)
                return identifier.complete(
                    start + made[len(start) : -identifier.check_length]
                ).value
            except InvalidIdentifier:
                pass
        return ("0" if digits.startswith("0") else "9") + made[1:]

    def _letters(self, text: str, nth: int) -> str:
        return re.sub(r"\w+", partial(self._word, nth), text)

    def _word(self, nth: int, found: re.Match[str]) -> str:
        word = found[0]
        return "".join(map(_like, word, self._octets("\0" * nth + word.casefold(), len(word))))


@attrs.frozen
class Form:
    """A body of type ``application/x-www-form-urlencoded``."""

    pairs: tuple[tuple[str, str], ...]


def parsed(content: bytes, media_type: str) -> Any:
    """Return what JSON or a form holds, or ``None`` for other bodies and broken ones."""
    bare = media_type.partition(";")[0].strip().lower()
    try:
        if bare == "application/json" or bare.endswith("+json"):
            return json.decode(_ANYTHING, content)
        if bare == "application/x-www-form-urlencoded":
            return Form(tuple(parse_qsl(content.decode("ascii"), keep_blank_values=True)))
    except (MalformedError, ValueError):
        pass
    return None


@attrs.frozen
class Shape:
    """What a request and its masked copy have in common.

    Attributes:
        target: Method, path and query; the host is left out, so that a recording of one system
            can stand for another.
        body: JSON or a form, or ``None`` where it cannot be compared.
    """

    target: str
    body: str | None

    def covers(self, other: Shape) -> bool:
        """Tell whether a request of the other shape may be the one that was recorded so."""
        return self.target == other.target and self.body in (None, other.body)


def shape_of(request: httpx.Request, content: bytes, words: frozenset[str]) -> Shape:
    """Return the shape of a request.

    Args:
        request: Its method, address and content type.
        content: Its body.
        words: Texts that are not masked.
    """

    def text(text: str) -> str:
        kind = kind_of(text)
        if text in words or kind in (Kind.EMPTY, Kind.FEW_DIGITS):
            return f"={text}"
        if kind in (Kind.NUMBER, Kind.TEXT):
            return "".join(map(_class, text[:_LONGEST]))
        return kind.name

    def number(value: float) -> str:
        return f"={value}" if _counts(value) else "NUMBER"

    def named(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        return sorted((_name(name, text), text(value)) for name, value in pairs)

    plain = parsed(content, request.headers.get("content-type", ""))
    shape = named(plain.pairs) if isinstance(plain, Form) else _rewritten(plain, text, number)
    query = json.encode(named(_query(request.url))).decode()
    return Shape(
        f"{request.method} {_path(request.url, text)} {query}",
        None if plain is None else json.encode(shape).decode(),
    )


def _rewritten(plain: Any, text: Callable[[str], str], number: Callable[[float], Any]) -> Any:
    match plain:
        case str():
            return text(plain)
        case bool() | None:
            return plain
        case int() | float():
            return number(plain)
        case dict():
            members = cast("dict[str, Any]", plain)
            return {
                _name(name, text): value
                if name in _SECONDS and isinstance(value, int)
                else _rewritten(value, text, number)
                for name, value in members.items()
            }
        case _:
            return [_rewritten(each, text, number) for each in plain]


def _name(name: str, text: Callable[[str], str]) -> str:
    return name if _PLAIN_NAME.fullmatch(name) else text(name)


def _path(url: httpx.URL, text: Callable[[str], str]) -> str:
    path = url.raw_path.decode("ascii").partition("?")[0]
    return "/".join(
        each if _ROUTE.fullmatch(each) else quote(text(unquote(each)), safe="")
        for each in path.split("/")
    )


def _query(url: httpx.URL) -> list[tuple[str, str]]:
    return parse_qsl(url.query.decode("ascii"), keep_blank_values=True)


def _counts(number: float) -> bool:
    return abs(number) < _SMALL and round(number, 2) == number


def _like(letter: str, octet: int) -> str:
    if letter.isnumeric():
        # Digits of other scripts stay of another one, so that the kind of the text stays.
        return chr(ord("0" if letter.isascii() else "٠") + octet % 10)
    if not letter.isalpha():
        return letter
    alphabet = string.ascii_lowercase if letter.isascii() else _CYRILLIC
    made = alphabet[octet % len(alphabet)]
    return made.upper() if letter.isupper() else made


def _class(letter: str) -> str:
    if letter.isnumeric():
        return "9" if letter.isascii() else "٩"
    if not letter.isalpha():
        return letter
    small = "a" if letter.isascii() else "я"
    return small.upper() if letter.isupper() else small
