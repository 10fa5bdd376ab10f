from __future__ import annotations

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.codec.asn1 import decode_name, der, make_name
from medsign.codec.asn1.ber import to_der
from medsign.codec.asn1.door import Limits, open_der
from medsign.codec.asn1.names import read_name
from medsign.errors import BudgetExceeded, MalformedError, UsageError

LIMITS = Limits()
oids_ = st.builds(
    lambda first, second, rest: ".".join(map(str, (first, second, *rest))),
    st.integers(0, 2),
    st.integers(0, 39),
    st.lists(st.integers(0, 2**40), max_size=8),
)


@given(st.integers(-(2**200), 2**200))
def test_an_integer_comes_back(value):
    assert open_der("test", der.integer(value), LIMITS, tag=2).integer() == value


@given(oids_)
def test_an_object_identifier_comes_back(dotted):
    assert open_der("test", der.oid(dotted), LIMITS, tag=6).oid() == dotted


@given(st.sets(st.integers(0, 20)))
def test_named_bits_come_back(numbers):
    assert open_der("test", der.named_bits(numbers), LIMITS, tag=3).bit_numbers() == numbers


@given(st.text(max_size=200))
def test_text_comes_back(value):
    assert open_der("test", der.text(value), LIMITS, tag=None).text() == value


@given(st.datetimes().filter(lambda moment: moment.year >= 1000))
def test_a_moment_comes_back_in_whole_seconds(moment):
    moment = moment.replace(tzinfo=UTC)
    assert open_der("test", der.time(moment), LIMITS, tag=None).time() == moment.replace(
        microsecond=0
    )


def test_a_cyrillic_number_is_refused_by_the_writer():
    with pytest.raises(UsageError):
        der.text("Ф", der.PRINTABLE + 3)


@pytest.mark.parametrize(
    "hexadecimal",
    [
        "",
        "30",
        "3081",
        "308100",  # a length in more octets than needed
        "3080 0000",  # an indefinite length
        "3002 0500 00",  # octets after the end
        "30 88 ffffffffffffffff",
        "1f ffffffffffff 00",
        "0500",  # another type
    ],
)
def test_what_is_not_one_der_sequence_is_malformed(hexadecimal):
    with pytest.raises(MalformedError):
        open_der("test", bytes.fromhex(hexadecimal), LIMITS)


def test_an_input_over_the_limit_costs_nothing():
    with pytest.raises(BudgetExceeded):
        open_der("test", bytes(11), Limits(max_bytes=10))


def test_too_many_elements_are_over_the_budget():
    many = der.sequence(*[der.null()] * 100)
    with pytest.raises(BudgetExceeded):
        list(open_der("test", many, Limits(max_elements=50)).each(None, "element"))


def test_an_error_names_the_field_and_not_the_value():
    data = der.sequence(der.sequence(der.text("Тестова Анна Петровна")))
    with pytest.raises(MalformedError) as caught:
        open_der("test", data, LIMITS).only(0x30, "outer").only(None, "inner").time()
    assert caught.value.where == "outer.inner"
    assert "Тестова" not in str(caught.value)


def test_an_element_too_many_is_malformed():
    with pytest.raises(MalformedError, match="too many"):
        open_der("test", der.sequence(der.null(), der.null()), LIMITS).only(5, "null")


@pytest.mark.parametrize(
    "ber, expected",
    [
        ("3080 0500 0000", "3002 0500"),
        ("3082 0002 0500", "3002 0500"),
        ("2480 0401aa 2480 0401bb 0000 0000", "0402aabb"),
        ("2309 030200aa 030304bbb0", "030404aabbb0"),
        ("a080 2480 0401aa 0000 0000", "a003 0401aa"),
        ("3006 0201 05 0201 06", "3006 0201 05 0201 06"),
    ],
)
def test_ber_becomes_der(ber, expected):
    assert to_der("test", bytes.fromhex(ber), LIMITS) == bytes.fromhex(expected)


@pytest.mark.parametrize(
    "ber",
    [
        "3080",
        "3080 0500",
        "0480 0000",
        "2403 0201 05",
        "2300",
        "3000 00",
        "0000 00",
    ],
)
def test_broken_ber_is_malformed(ber):
    with pytest.raises(MalformedError):
        to_der("test", bytes.fromhex(ber), LIMITS)


def test_ber_of_endless_depth_is_over_the_budget():
    with pytest.raises(BudgetExceeded):
        to_der("test", b"\x30\x80" * 100_000, LIMITS)


@given(st.binary(max_size=200))
def test_any_bytes_are_der_malformed_or_over_the_budget(data):
    try:
        normal = to_der("test", data, LIMITS)
    except (MalformedError, BudgetExceeded):
        return
    assert to_der("test", normal, LIMITS) == normal


def test_a_string_in_parts_is_not_der():
    parts = bytes.fromhex("2406 0401aa 0401bb")
    with pytest.raises(MalformedError, match="in parts"):
        open_der("test", parts, LIMITS, tag=None)
    assert open_der("test", to_der("test", parts, LIMITS), LIMITS, tag=4).contents == b"\xaa\xbb"


def test_what_was_read_before_costs_as_much_of_the_budget():
    many = der.sequence(*(make_name([("2.5.4.3", "Тестовый УЦ")]).der for _ in range(10)))

    def names(max_elements):
        root = open_der("test", many, Limits(max_elements=max_elements))
        return [read_name(each) for each in root.each(None, "name")]

    assert len(names(51)) == 10
    with pytest.raises(BudgetExceeded):
        names(50)


def test_what_could_not_be_read_is_not_remembered():
    for _ in range(2):
        with pytest.raises(MalformedError, match="type is missing"):
            decode_name(der.sequence(der.set_of([der.sequence()])))
