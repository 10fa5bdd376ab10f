"""The JSON door: strict in, exact out."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.codec import json
from medsign.errors import BudgetExceeded, MalformedError
from medsign.identifiers import Snils


class Colour(StrEnum):
    RED = "red"


@attrs.frozen
class Page:
    page_number: int
    text: str = ""


@attrs.frozen(kw_only=True)
class Book:
    pages: tuple[Page, ...] = ()
    colour: Colour = Colour.RED
    sold: bool = False
    weight: float = 0.0
    cover: bytes = b""
    printed: datetime | None = None
    day: date | None = None
    author: Snils | None = None
    notes: dict[str, str] = attrs.field(factory=dict)
    tags: list[str] = attrs.field(factory=list)
    token: str = attrs.field(default="", metadata={"wire": "access_token"})


BOOKS = st.builds(
    Book,
    pages=st.lists(st.builds(Page, st.integers(), st.text())).map(tuple),
    sold=st.booleans(),
    weight=st.floats(allow_nan=False, allow_infinity=False),
    cover=st.binary(),
    printed=st.none() | st.datetimes(timezones=st.just(timezone(timedelta(hours=3)))),
    day=st.none() | st.dates(),
    author=st.none() | st.just(Snils.complete("999000001")),
    notes=st.dictionaries(st.text(), st.text()),
    tags=st.lists(st.text()),
    token=st.text(),
)


@given(BOOKS)
def test_decoding_undoes_encoding(book: Book) -> None:
    assert json.decode(Book, json.encode(book)) == book


def test_names_are_camel_case_on_the_wire_unless_a_field_says_otherwise() -> None:
    assert json.encode(Page(1)) == b'{"pageNumber":1}'
    assert json.encode(Book(token="t")) == b'{"access_token":"t"}'


def test_an_identifier_travels_as_its_digits() -> None:
    snils = Snils.complete("999000001")
    assert json.encode({"snils": snils}) == f'{{"snils":"{snils.value}"}}'.encode()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"pages": [{"pageNumber": "1"}]}', "$.pages[0].page_number"),
        ('{"pages": [{"pageNumber": true}]}', "$.pages[0].page_number"),
        ('{"pages": [{"pageNumber": 3.0}]}', "$.pages[0].page_number"),
        ('{"pages": [{}]}', "$.pages[0].page_number"),
        ('{"pages": {}}', "$.pages"),
        ('{"pages": "abc"}', "$.pages"),
        ('{"tags": [null]}', "$.tags[0]"),
        ('{"tags": "abc"}', "$.tags"),
        ('{"notes": []}', "$.notes"),
        ('{"notes": {"a": 1}}', "$.notes['a']"),
        ('{"colour": "blue"}', "$.colour"),
        ('{"sold": "false"}', "$.sold"),
        ('{"sold": 0}', "$.sold"),
        ('{"weight": "1"}', "$.weight"),
        ('{"weight": true}', "$.weight"),
        ('{"cover": "*"}', "$.cover"),
        ('{"printed": "2026-01-01T00:00:00"}', "$.printed"),
        ('{"printed": "завтра"}', "$.printed"),
        ('{"day": "01.02.2026"}', "$.day"),
        ('{"author": "99900000100"}', "$.author"),
        ("[]", "$"),
        ("null", "$"),
        ("{", "$"),
        ("", "$"),
        ("[" * 100_000, "$"),
    ],
)
def test_nothing_is_coerced_and_the_error_says_where(text: str, where: str) -> None:
    with pytest.raises(MalformedError) as error:
        json.decode(Book, text.encode())
    assert error.value.where == where


@given(st.binary(max_size=200))
def test_any_octets_give_a_value_or_a_malformed_error(data: bytes) -> None:
    with suppress(MalformedError):
        assert isinstance(json.decode(Book, data), Book)


def test_an_error_does_not_quote_the_value() -> None:
    with pytest.raises(MalformedError) as error:
        json.decode(Page, '{"pageNumber": "Тестова"}'.encode())
    assert "Тестова" not in str(error.value)


@pytest.mark.parametrize("text", [b'{"weight":NaN}', b'{"weight":-Infinity}'])
def test_what_json_does_not_have_is_refused(text: bytes) -> None:
    with pytest.raises(MalformedError):
        json.decode(Book, text)


def test_a_member_that_stands_twice_is_refused_because_readers_differ() -> None:
    with pytest.raises(MalformedError):
        json.decode(dict[str, int], b'{"limit":1,"limit":9}')


@pytest.mark.parametrize("text", [b"[]", b"null", b'"a"', b"1"])
def test_an_object_is_demanded_every_time_it_is(text: bytes) -> None:
    for _ in range(2):  # the second time from the cache of the converter
        with pytest.raises(MalformedError):
            json.decode(dict[str, Any], text)


def test_unknown_members_are_ignored_because_services_grow() -> None:
    assert json.decode(Page, b'{"pageNumber": 1, "new": {}}') == Page(1)


def test_a_text_over_the_bound_is_not_parsed() -> None:
    with pytest.raises(BudgetExceeded):
        json.decode(Page, b" " * 11, max_bytes=10)
