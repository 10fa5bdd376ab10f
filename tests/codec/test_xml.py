"""The door for XML and the binder of classes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.codec.xml import (
    AnyDate,
    Attribute,
    Branch,
    Element,
    Integer,
    LexicalError,
    Number,
    Text,
    Violation,
    bind,
    build,
    canonical,
    describe,
    locate,
    parse,
    read,
    serialize,
    walk,
)
from medsign.codec.xml.binding import Located
from medsign.errors import BudgetExceeded, MalformedError, UsageError

NAMESPACE = "urn:example:letter"


class Mood(StrEnum):
    GOOD = "1"
    BAD = "2"


WAY = Branch(required=True)


@attrs.frozen(kw_only=True)
class Line:
    number: Annotated[int, Attribute("Номер", "Номер строки", Integer(3, 1))]
    sum: Annotated[Decimal | None, Attribute("Сумма", "Сумма", Number(5, 2))] = None


@attrs.frozen(kw_only=True)
class Letter:
    mood: Annotated[Mood, Attribute("Настр", "Настроение")]
    day: Annotated[date | None, Attribute("Дата", "Дата письма")] = None
    urgent: Annotated[bool | None, Attribute("Срочно", "Срочное")] = None
    greeting: Annotated[str | None, Element("Привет", "Приветствие", Text(1, 20))] = None
    lines: Annotated[tuple[Line, ...], Element("Строка", "Строка письма", at_least=1)]
    by_mail: Annotated[str | None, Element("Почтой", "Почтой", branch=WAY)] = None
    by_hand: Annotated[str | None, Element("Лично", "Лично", branch=WAY)] = None


XML_TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
    | st.sampled_from("\t\n\r"),
    max_size=20,
)
LINES = st.builds(
    Line,
    number=st.integers(1, 999),
    sum=st.none() | st.decimals("-999.99", "999.99", places=2),
)
LETTERS = st.builds(
    Letter,
    mood=st.sampled_from(Mood),
    day=st.none() | st.dates(),
    urgent=st.none() | st.booleans(),
    greeting=st.none() | XML_TEXT.filter(bool),
    lines=st.lists(LINES, min_size=1, max_size=3).map(tuple),
    by_mail=XML_TEXT,
)


def violations(text: str) -> list[tuple[str, str]]:
    _, found = bind(Letter, parse(text.encode()), "Письмо")
    return [(fault.code, fault.path) for fault in found]


@given(LETTERS)
def test_what_is_written_is_read_back(letter: Letter):
    data = serialize(build(letter, "Письмо", namespace=NAMESPACE))
    assert read(Letter, parse(data), "Письмо", namespace=NAMESPACE) == letter


@pytest.mark.parametrize(
    "text, expected",
    [
        ('<Письмо Настр="1"><Строка Номер="1"/><Лично/></Письмо>', []),
        ('<Письмо><Строка Номер="1"/><Лично/></Письмо>', [("missing", "Письмо/@Настр")]),
        (
            '<Письмо Настр="3"><Строка Номер="1"/><Лично/></Письмо>',
            [("enumeration", "Письмо/@Настр")],
        ),
        ('<Письмо Настр="1"><Лично/></Письмо>', [("missing", "Письмо/Строка")]),
        ('<Письмо Настр="1"><Строка Номер="1"/></Письмо>', [("choice", "Письмо")]),
        (
            '<Письмо Настр="1"><Строка Номер="1"/><Почтой/><Лично/></Письмо>',
            [("choice", "Письмо")],
        ),
        (
            '<Письмо Настр="1"><Строка Номер="1"/><Строка Номер="x"/><Лично/></Письмо>',
            [("type", "Письмо/Строка[2]/@Номер")],
        ),
        (
            '<Письмо Настр="1"><Строка Номер="1"/><Привет>а</Привет><Лично/></Письмо>',
            [("order", "Письмо/Привет")],
        ),
        (
            '<Письмо Настр="1"><Строка Номер="1"/><Лично/><Лично/></Письмо>',
            [("repeated", "Письмо/Лично")],
        ),
        (
            '<Письмо Настр="1" Цвет="2"><Строка Номер="1"/><Лично/></Письмо>',
            [("unexpected", "Письмо/@Цвет")],
        ),
        (
            '<Письмо Настр="1"><Строка Номер="1"/><Лично/><Гость/></Письмо>',
            [("unexpected", "Письмо/Гость")],
        ),
        (
            '<Письмо Настр="1">слово<Строка Номер="1"/><Лично/></Письмо>',
            [("text", "Письмо")],
        ),
        (
            '<Письмо Настр="1"><Привет></Привет><Строка Номер="1"/><Лично/></Письмо>',
            [("length", "Письмо/Привет")],
        ),
        (
            '<Письмо Настр="1"><Привет>а<Лично/></Привет><Строка Номер="1"/><Лично/></Письмо>',
            [("unexpected", "Письмо/Привет/Лично")],
        ),
        ("<Записка/>", [("missing", "Письмо")]),
    ],
)
def test_each_breach_of_the_structure_is_named_with_its_path(text: str, expected: list[object]):
    assert violations(text) == expected


def test_comments_and_schema_locations_break_nothing():
    text = (
        '<Письмо Настр="1" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
        ' i:noNamespaceSchemaLocation="a.xsd"><!-- я --><Строка Номер="1"/><?p i?>'
        "<Лично>а<!-- б -->в</Лично></Письмо>"
    )
    assert read(Letter, parse(text.encode()), "Письмо").by_hand == "ав"


def test_a_violation_tells_the_line_and_not_the_value():
    text = '<Письмо Настр="1">\n<Строка Номер="секрет"/><Лично/></Письмо>'
    _, found = bind(Letter, parse(text.encode()), "Письмо")
    assert found == (
        Violation(
            code="type",
            path="Письмо/Строка[1]/@Номер",
            line=2,
            message="«Номер строки»: ожидается целое число, не более 3 цифр",
        ),
    )


def test_reading_stops_at_the_first_breach():
    with pytest.raises(MalformedError) as caught:
        read(Letter, parse("<Письмо/>".encode()), "Письмо")
    assert caught.value.where == "Письмо/@Настр"


def test_another_namespace_is_another_document():
    root = parse('<Письмо Настр="1"><Строка Номер="1"/><Лично/></Письмо>'.encode())
    letter, _ = bind(Letter, root, "Письмо", namespace=NAMESPACE)
    assert letter is None


def test_a_character_that_xml_cannot_carry_is_refused_without_quoting_it():
    letter = Letter(mood=Mood.GOOD, lines=(Line(number=1),), by_mail="тайна\x00")
    with pytest.raises(UsageError) as caught:
        build(letter, "Письмо")
    assert str(caught.value) == "Письмо/Почтой: a character that XML cannot carry"


@pytest.mark.parametrize(
    "data",
    [
        b"<!DOCTYPE a><a/>",
        b'\xef\xbb\xbf<?xml version="1.0"?><!-- x --><!doctype a [<!ENTITY b "c">]><a>&b;</a>',
        b"<a>&undefined;</a>",
        b"<a",
        b"",
        b"<a>\xff</a>",
        b'<?xml version="1.0" encoding="utf-16"?><a/>',
        b'<?xml version="1.0" encoding="no-such"?><a/>',
        "<a/>".encode("utf-16"),
        b"<a/><b/>",
    ],
)
def test_what_is_not_plain_xml_is_malformed(data: bytes):
    with pytest.raises(MalformedError):
        parse(data)


def test_a_doctype_in_the_text_of_an_element_is_only_text():
    assert parse(b"<a><![CDATA[<!DOCTYPE html>]]></a>").text == "<!DOCTYPE html>"


@pytest.mark.parametrize(
    "data",
    [b"<a>" * 65 + b"</a>" * 65, b"<a>" * 5000 + b"</a>" * 5000, b"<a>" + b" " * 17_000_000],
)
def test_a_document_too_deep_or_too_large_is_not_read(data: bytes):
    with pytest.raises(BudgetExceeded):
        parse(data)


@given(
    st.binary(max_size=200) | st.text(alphabet="<>&;!?-DOCTYPE a=\"'/", max_size=80).map(str.encode)
)
def test_hostile_bytes_are_read_or_refused(data: bytes):
    try:
        parse(data)
    except (MalformedError, BudgetExceeded):
        pass
    else:
        assert data.strip()


def test_windows_1251_and_a_byte_order_mark_are_understood():
    declared = '<?xml version="1.0" encoding="windows-1251"?><а>я</а>'.encode("cp1251")
    assert parse(declared).text == "я"
    assert parse("\ufeff<а>я</а>".encode()).text == "я"


def test_exclusive_canonical_form_drops_unused_namespaces_and_keeps_listed_ones():
    node = parse(b'<q:a xmlns:q="urn:q" xmlns:u="urn:u"><b/>tail</q:a>')[0]
    assert canonical(node) == b"<b></b>"
    assert canonical(node, prefixes=["u"]) == b'<b xmlns:u="urn:u"></b>'
    assert canonical(node, exclusive=False) == b'<b xmlns:q="urn:q" xmlns:u="urn:u"></b>'


@pytest.mark.parametrize("pattern", ['a{}=">"', "a{} = ''", 'xmlns:a{}="urn:{}"'])
def test_an_element_of_too_many_attributes_is_not_read(pattern: str):
    def element(count: int) -> bytes:
        named = " ".join(pattern.replace("{}", str(number)) for number in range(count))
        return f"<!-- ' --><r><a {named}>".encode() + b'"=' * 2000 + b"</a></r>"

    assert parse(element(1000)).tag == "r"
    with pytest.raises(BudgetExceeded, match="attributes"):
        parse(element(1001))


def test_a_long_name_of_a_namespace_is_not_repeated_without_end():
    bomb = b'<a xmlns:n="urn:' + b"x" * 100_000 + b'">' + b"<n:b/>" * 9_000 + b"</a>"
    with pytest.raises(BudgetExceeded, match="canonical form"):
        canonical(parse(bomb))


def test_inclusive_canonical_form_takes_over_xml_attributes_and_leaves_the_tree_as_it_was():
    root = parse(b'<a xml:lang="ru" xml:space="default"><b xml:space="preserve" n="1"/></a>')
    form = b'<b n="1" xml:lang="ru" xml:space="preserve"></b>'
    assert canonical(root[0], exclusive=False) == form
    assert canonical(root[0]) == b'<b n="1" xml:space="preserve"></b>'


def test_a_route_leads_to_values_and_to_the_places_of_absent_ones():
    letter = Letter(mood=Mood.GOOD, lines=(Line(number=1), Line(number=2, sum=Decimal(3))))
    sums = locate(Located("Письмо", letter), "lines.sum")
    assert [(found.path, found.value) for found in sums] == [
        ("Письмо/Строка[1]/@Сумма", None),
        ("Письмо/Строка[2]/@Сумма", Decimal(3)),
    ]


def test_a_walk_meets_parents_before_children():
    letter = Letter(mood=Mood.GOOD, lines=(Line(number=7),), by_hand="")
    assert [here.path for here in walk(letter, "П")] == [
        "П",
        "П/@Настр",
        "П/Строка[1]",
        "П/Строка[1]/@Номер",
        "П/Лично",
    ]


def test_the_table_is_its_own_documentation():
    rows = {row.path: row for row in describe(Letter, "Письмо")}
    row = rows["Письмо/Строка/@Номер"]
    assert (row.label, row.low, row.kind) == ("Номер строки", 1, "целое число, не более 3 цифр")
    assert rows["Письмо/Строка"].repeated


@pytest.mark.parametrize(
    "rule, text",
    [
        (AnyDate(), "2026-02-30"),
        (AnyDate(), "2026-01-01Z"),
        (AnyDate(), "20260101"),
        (AnyDate(), "2026-01-01 "),
        (AnyDate(date(2000, 1, 1)), "1999-12-31"),
        (Integer(3, 1), "1000"),
        (Integer(3, 1), "0"),
        (Integer(3), "1.0"),
        (Number(5, 2), "1.234"),
        (Number(5, 2), "123456"),
        (Number(5, 2), "1e3"),
        (Text(2, 3), "ы"),
        (Text(1, 3), "ыыыы"),
        (Text(pattern="[0-9]"), "١"),
    ],
)
def test_a_text_outside_its_simple_type_is_refused(rule: Text, text: str):
    with pytest.raises(LexicalError) as caught:
        rule.parse(text)
    assert text not in caught.value.russian


@pytest.mark.parametrize(
    "rule, text, value",
    [
        (AnyDate(), "2028-02-29", date(2028, 2, 29)),
        (Integer(3, 1), " +007 ", 7),
        (Number(5, 2), "00123.4500", Decimal("123.45")),
        (Number(5, 2), ".5", Decimal("0.5")),
    ],
)
def test_spellings_that_xml_schema_allows_are_understood(rule: Integer, text: str, value: object):
    assert rule.parse(text) == value
