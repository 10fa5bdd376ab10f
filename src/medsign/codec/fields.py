"""Structured fields of HTTP (RFC 9651): the dictionaries that signatures and digests travel in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, cast

import attrs

from medsign.errors import BudgetExceeded, MalformedError, MissingExtra, UsageError

Bare: TypeAlias = bool | int | str | bytes
MAX_BYTES = 16 * 1024


@attrs.frozen
class Item:
    """A value with its parameters."""

    value: Bare
    parameters: Mapping[str, Bare] = attrs.field(factory=dict[str, Bare])


@attrs.frozen
class InnerList:
    """A list of items with parameters of its own."""

    items: tuple[Item, ...]
    parameters: Mapping[str, Bare] = attrs.field(factory=dict[str, Bare])


Member: TypeAlias = Item | InnerList


def decode_dictionary(text: str, what: str) -> dict[str, Member]:
    """Read a dictionary (RFC 9651 §3.2).

    Args:
        text: The value of the field; lines of one name joined by commas.
        what: Name of the field, for errors.

    Raises:
        MalformedError: Not a dictionary, a member twice, or a value of a type not met here.
        BudgetExceeded: Longer than ``MAX_BYTES``.
        Unavailable: The extra ``gateway`` is not installed.

    Example:
        >>> decode_dictionary("a=1;b", "field")
        {'a': Item(value=1, parameters={'b': True})}
    """
    http_sf = _library()
    if len(text) > MAX_BYTES:
        raise BudgetExceeded(what, MAX_BYTES)

    def refuse_twice(key: str, _: str) -> None:
        raise ValueError(key)

    try:
        parsed: dict[str, Any] = http_sf.parse(
            text.encode("ascii"), tltype="dictionary", on_duplicate_key=refuse_twice
        )
        return {name: _member(value) for name, value in parsed.items()}
    except (ValueError, OverflowError):
        raise MalformedError(what, "$", "not a dictionary of structured fields") from None


def encode_dictionary(members: Mapping[str, Member]) -> str:
    """Write a dictionary.

    Raises:
        UsageError: A key or a value that the grammar does not have (RFC 9651 §4.1).
        Unavailable: The extra ``gateway`` is not installed.

    Example:
        >>> encode_dictionary({"sig": Item(b"abc"), "list": InnerList((Item("x"),), {"n": 1})})
        'sig=:YWJj:, list=("x");n=1'
    """
    http_sf = _library()
    try:
        text: str = http_sf.ser({name: _plain(member) for name, member in members.items()})
    except ValueError:  # its text may quote the value
        raise UsageError("no dictionary of structured fields can hold this") from None
    return text


def encode_member(member: Member) -> str:
    """Write one member, as it stands after its name.

    Example:
        >>> encode_member(InnerList((Item("date"), Item("sig", {"req": True})), {"created": 1}))
        '("date" "sig";req);created=1'
    """
    return encode_dictionary({"a": member}).removeprefix("a=")


def _library() -> Any:
    try:
        import http_sf
    except ModuleNotFoundError:
        raise MissingExtra("the signing of HTTP messages", "gateway") from None
    return http_sf


def _member(parsed: tuple[Any, dict[str, Any]]) -> Member:
    value, parameters = parsed
    if isinstance(value, list):
        items = tuple(cast(Item, _member(each)) for each in cast("list[tuple[Any, Any]]", value))
        return InnerList(items, _parameters(parameters))
    return Item(_bare(value), _parameters(parameters))


def _parameters(parsed: dict[str, Any]) -> dict[str, Bare]:
    return {name: _bare(value) for name, value in parsed.items()}


def _bare(value: Any) -> Bare:
    if type(value) in {bool, int, str, bytes}:
        return cast(Bare, value)
    raise ValueError("dates, decimals, tokens and display strings are not met in these fields")


def _plain(member: Member) -> tuple[Any, dict[str, Bare]]:
    if isinstance(member, InnerList):
        return [_plain(each) for each in member.items], dict(member.parameters)
    return member.value, dict(member.parameters)
