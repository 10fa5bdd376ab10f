"""JSON by the one door: strict, typed, in both directions.

cattrs coerces silently by default (``'false'`` becomes ``True``, ``3.9`` becomes ``3``), which
in a status report would be a wrong verdict. Here every primitive must already have its type.
Python's ``snake_case`` fields are ``camelCase`` on the wire; a field may state another wire name
with ``metadata={"wire": "…"}``. Unknown members of an object are ignored, so that a service may
grow. Octets travel as base64, moments as RFC 3339 with an offset, identifiers as their digits;
a file stands for its octets and is read while it is sent.
"""

from __future__ import annotations

import base64
import binascii
import json
import types
from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import attrs
from cattrs import ClassValidationError, Converter, IterableValidationError, transform_error
from cattrs.cols import (
    is_mapping,
    is_sequence,
    list_structure_factory,
)
from cattrs.gen import (
    make_dict_structure_fn,
    make_dict_unstructure_fn,
    make_mapping_structure_fn,  # pyright: ignore[reportUnknownVariableType] - an untyped default
    override,
)

from medsign.clock import aware
from medsign.codec.pieces import CHUNK, Pieces
from medsign.errors import BudgetExceeded, InvalidIdentifier, MalformedError
from medsign.identifiers import Identifier

T = TypeVar("T")

MAX_BYTES = 32 * 1024 * 1024

# A lone surrogate cannot be written in UTF-8, so no text that is sent holds this one.
_HOLE = "\ud800"


def decode(kind: type[T], data: bytes, *, what: str = "JSON", max_bytes: int = MAX_BYTES) -> T:
    """Read a value of the given type from JSON text in UTF-8.

    Args:
        kind: An attrs class, or a type made of them: ``tuple[Document, ...]``.
        data: The JSON text.
        what: How an error names the whole.
        max_bytes: The size above which nothing is parsed.

    Raises:
        MalformedError: Not JSON, or not of this type; ``where`` is a path like ``$.items[2].id``.
        BudgetExceeded: Longer than ``max_bytes``.

    Example:
        >>> decode(dict[str, int], b'{"pages": 3}')
        {'pages': 3}
    """
    if len(data) > max_bytes:
        raise BudgetExceeded(what, max_bytes)
    try:
        plain = json.loads(data, object_pairs_hook=_once_each, parse_constant=_refuse)
    except (ValueError, RecursionError):
        # Without its cause: that one carries the whole document.
        raise MalformedError(what, "$", "not JSON in UTF-8") from None
    return structure(kind, plain, what=what)


def encode(value: object) -> bytes:
    """Write a value as compact JSON text in UTF-8.

    Example:
        >>> encode({"pages": 3})
        b'{"pages":3}'
    """
    return b"".join(_parts(value, _base64))


def stream(value: object) -> bytes | Pieces:
    """Write a value like `encode`, reading large files that are in it only when they are needed.

    Returns:
        The octets, or what yields them as often as it is asked, where files make them many.

    Raises:
        UsageError: A file cannot be read.
    """
    parts = _parts(value, lambda octets: octets if isinstance(octets, Path) else _base64(octets))
    whole = [part for part in parts if isinstance(part, bytes)]
    if len(whole) == len(parts):
        return b"".join(whole)
    pieces = Pieces(parts)
    # A message is read twice, to be digested and to be sent: once is enough for a short one.
    return pieces if len(pieces) > CHUNK else b"".join(pieces)


def _parts(value: object, fill: Callable[[Any], T]) -> list[bytes | T]:
    """Return the text in pieces, octets apart: `json` would look at each letter of base64."""
    holes: list[T] = []

    def dig(octets: Any) -> str:
        holes.append(fill(octets))
        return _HOLE

    plain = _SPARING.unstructure(value)
    text = json.dumps(plain, default=dig, ensure_ascii=False, separators=(",", ":"))
    first, *rest = (piece.encode() for piece in text.split(_HOLE))
    pairs = zip(holes, rest, strict=True)
    return [first, *(part for pair in pairs for part in pair)]


def structure(kind: type[T], plain: Any, *, what: str = "JSON") -> T:
    """Build a value of the given type from parsed JSON; errors as in `decode`."""
    try:
        return _CONVERTER.structure(plain, kind)
    except (ClassValidationError, IterableValidationError) as error:
        where, why = _first_fault(error)
        raise MalformedError(what, where, why) from None
    except (_WrongTypeError, ValueError, TypeError, KeyError) as error:
        raise MalformedError(what, "$", _reason(error)) from None


def unstructure(value: object) -> Any:
    """Return the value as parsed JSON: dicts, lists, strings, numbers."""
    return _CONVERTER.unstructure(value)


def _once_each(members: list[tuple[str, Any]]) -> dict[str, Any]:
    # Of two members of one name one reader takes the first, another the last (RFC 8259 §4).
    found = dict(members)
    if len(found) != len(members):
        raise ValueError
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(constant)  # NaN and Infinity are not JSON


class _WrongTypeError(Exception):
    """The value is of another JSON type than the contract says."""

    def __str__(self) -> str:
        return f"must be {self.args[0]}"


def _reason(error: BaseException) -> str:
    match error:
        case _WrongTypeError() | InvalidIdentifier():
            return str(error)
        case KeyError():
            return "required member is missing"
        case _:
            return "has a value that the contract does not allow"


def _first_fault(error: BaseExceptionGroup[BaseException]) -> tuple[str, str]:
    path = str(transform_error(error, format_exception=lambda exc, _: _reason(exc))[0])
    why, _, where = path.rpartition(" @ ")
    return where, why


def _strict(kind: type[Any], name: str) -> Callable[[Any, Any], Any]:
    def hook(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise _WrongTypeError(name)
        return value

    return hook


def _number(value: Any, _: Any) -> float:
    if type(value) not in (int, float):
        raise _WrongTypeError("a number")
    return float(value)


def _text(value: Any) -> str:
    if type(value) is not str:
        raise _WrongTypeError("a string")
    return value


def _moment(value: Any, _: Any) -> datetime:
    try:
        return aware(datetime.fromisoformat(_text(value)))
    except ValueError:
        raise _WrongTypeError("a date-time with an offset (RFC 3339)") from None


def _day(value: Any, _: Any) -> date:
    try:
        return date.fromisoformat(_text(value))
    except ValueError:
        raise _WrongTypeError("a date (YYYY-MM-DD)") from None


def _octets(value: Any, _: Any) -> bytes:
    try:
        return base64.b64decode(_text(value), validate=True)
    except binascii.Error:
        raise _WrongTypeError("base64") from None


def wire_name(field: attrs.Attribute[Any]) -> str:
    """Return how a field of a class is called in JSON."""
    head, *rest = field.name.split("_")
    return str(field.metadata.get("wire", head + "".join(word.capitalize() for word in rest)))


def _wire_names(kind: type[Any]) -> dict[str, Any]:
    return {field.name: override(rename=wire_name(field)) for field in attrs.fields(kind)}


def _only_object(build: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def hook(value: Any, as_kind: Any) -> Any:
        if not isinstance(value, Mapping):
            raise _WrongTypeError("an object")
        return build(value, as_kind)

    return hook


def _only_list(build: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def hook(value: Any, as_kind: Any) -> Any:
        if not isinstance(value, list):
            raise _WrongTypeError("an array")
        return build(value, as_kind)

    return hook


def _string(value: Any, kind: Any) -> Any:
    # cattrs dispatches by class: an enumeration of strings comes here too.
    return _text(value) if kind is str else _member(value, kind)


def _member(value: Any, kind: Any) -> Any:
    try:
        return kind(value)
    except ValueError:
        raise _WrongTypeError("one of the listed values") from None


def _identifier(value: Any, kind: Any) -> Any:
    return kind(_text(value))


def _value(identifier: Identifier) -> str:
    return identifier.value


def _base64(octets: bytes | Path) -> bytes:
    return b"".join(Pieces([octets])) if isinstance(octets, Path) else base64.b64encode(octets)


def _as_text(octets: bytes | Path) -> str:
    return _base64(octets).decode()


def _as_it_is(octets: T) -> T:
    return octets


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _is_tuple(kind: Any) -> bool:
    return get_origin(kind) is tuple


def _is_identifier(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Identifier)


def _make_converter(octets: Callable[[Any], Any]) -> Converter:
    converter = Converter()

    def attrs_hook(kind: Any) -> Any:
        return _only_object(make_dict_structure_fn(kind, converter, **_wire_names(kind)))

    def mapping_hook(kind: Any) -> Any:
        return _only_object(make_mapping_structure_fn(kind, converter))

    def list_hook(kind: Any) -> Any:
        return _only_list(list_structure_factory(kind, converter))

    def tuple_hook(kind: Any) -> Any:
        as_list: Any = types.GenericAlias(list, get_args(kind)[:1])
        build = converter.get_structure_hook(as_list)

        def hook(value: Any, _: Any) -> tuple[Any, ...]:
            return tuple(build(value, as_list))

        return hook

    def to_object(kind: Any) -> Any:
        return make_dict_unstructure_fn(
            kind, converter, _cattrs_omit_if_default=True, **_wire_names(kind)
        )

    converter.register_structure_hook(int, _strict(int, "an integer"))
    converter.register_structure_hook(bool, _strict(bool, "true or false"))
    converter.register_structure_hook(str, _string)
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(datetime, _moment)
    converter.register_structure_hook(date, _day)
    converter.register_structure_hook(bytes, _octets)
    converter.register_structure_hook(bytes | Path, _octets)
    converter.register_structure_hook_factory(attrs.has, attrs_hook)
    converter.register_structure_hook_factory(is_mapping, mapping_hook)
    converter.register_structure_hook_factory(is_sequence, list_hook)
    converter.register_structure_hook_factory(_is_tuple, tuple_hook)
    # Last registered wins: an enumeration of strings is a string, an identifier an attrs class.
    converter.register_structure_hook_func(_is_enum, _member)
    converter.register_structure_hook_func(_is_identifier, _identifier)

    converter.register_unstructure_hook(datetime, datetime.isoformat)
    converter.register_unstructure_hook(date, date.isoformat)
    converter.register_unstructure_hook(bytes, octets)
    converter.register_unstructure_hook(bytes | Path, octets)
    converter.register_unstructure_hook_factory(attrs.has, to_object)
    converter.register_unstructure_hook_func(_is_identifier, _value)
    return converter


_CONVERTER = _make_converter(_as_text)
# Leaves octets to whoever writes the text.
_SPARING = _make_converter(_as_it_is)
