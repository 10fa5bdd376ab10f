"""Structured fields: what the grammar has, what signatures meet of it, and nothing else."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.codec.fields import (
    MAX_BYTES,
    InnerList,
    Item,
    decode_dictionary,
    encode_dictionary,
)
from medsign.errors import BudgetExceeded, MalformedError, UsageError

keys = st.from_regex(r"[a-z*][a-z0-9_\-.*]{0,8}", fullmatch=True)
texts = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
values = st.one_of(
    st.booleans(), st.integers(-(10**15) + 1, 10**15 - 1), texts, st.binary(max_size=12)
)
parameters = st.dictionaries(keys, values, max_size=3)
items = st.builds(Item, values, parameters)
lists = st.builds(InnerList, st.lists(items, max_size=3).map(tuple), parameters)


@given(st.dictionaries(keys, items | lists, min_size=1, max_size=4))
def test_what_is_written_is_read_as_the_same(members):
    assert decode_dictionary(encode_dictionary(members), "field") == members


@pytest.mark.parametrize(
    "text, members",
    [
        ("", {}),
        ("  ", {}),
        ("a", {"a": Item(True)}),
        ("a=?0", {"a": Item(False)}),
        ("a=-12", {"a": Item(-12)}),
        ("a=-0", {"a": Item(0)}),
        ("a=::", {"a": Item(b"")}),
        ('a="say \\"x\\""', {"a": Item('say "x"')}),
        ("a=1 \t, \tb=2", {"a": Item(1), "b": Item(2)}),
        ("a=( 1  2 );p", {"a": InnerList((Item(1), Item(2)), {"p": True})}),
        ("a=1; p", {"a": Item(1, {"p": True})}),
        ("a=1,*b-._=2", {"a": Item(1), "*b-._": Item(2)}),
    ],
)
def test_every_way_of_the_grammar_is_read(text, members):
    assert decode_dictionary(text, "field") == members


@pytest.mark.parametrize(
    "text",
    [
        *("a=1,", ",a=1", "a=1,,b=2", "a=1 b=2", "a=1;", "a=1;;p", "a=1\t;p", "a =1", "a= 1"),
        *("A=1", "1a=1", "a=", "=1", "é=1", "a=é"),
        *("a=(1", "a=1)", "a=((1))", "a=(1,2)", "a=(1\t2)", 'a=("x""y")'),
        *('a="x', "a='x'", 'a="\\n"', 'a="\t"', 'a="é"'),
        *("a=?2", "a=?", "a=--1", "a=+1", "a=1000000000000000"),
        *("a=:YQ=", "a=:Y===:", "a=:YQ==YQ==:", "a=:YQ-_:", "a=: YQ==:"),
        *("\ta=1", "a=1\n", "a=1\0"),
        *("a=1, a=2", "a=1;p=1;p=2", "a=(1;p;p)"),
    ],
    ids=ascii,
)
def test_what_the_grammar_does_not_have_is_refused_without_being_quoted(text):
    with pytest.raises(MalformedError) as refused:
        decode_dictionary(text, "field")
    assert str(refused.value) == "malformed field at $: not a dictionary of structured fields"


@pytest.mark.parametrize("text", ["a=token", "a=1.5", "a=@1659578233", 'a=%"f%c3%bc"'])
def test_a_type_that_signatures_do_not_use_is_refused(text):
    with pytest.raises(MalformedError):
        decode_dictionary(text, "field")


def test_a_field_that_is_too_long_is_refused_unread():
    text = "a=" + "1" * MAX_BYTES
    with pytest.raises(BudgetExceeded):
        decode_dictionary(text, "field")


@given(st.text(string.ascii_letters + '=:;,()"\\?* 01\t', max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        members = decode_dictionary(text, "field")
    except MalformedError:
        return
    if members:
        assert decode_dictionary(encode_dictionary(members), "field") == members


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"A": Item(1)},
        {"": Item(1)},
        {"a": Item("число")},
        {"a": Item("line\nfeed")},
        {"a": Item(10**15)},
        {"a": Item(1, {"P": True})},
        {"a": InnerList((Item("\x7f"),))},
    ],
    ids=ascii,
)
def test_what_no_field_can_hold_is_not_written(members):
    with pytest.raises(UsageError):
        encode_dictionary(members)
