from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.errors import UsageError
from medsign.sandbox import Shelf

NAMES = st.text(max_size=5)


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with closing(Shelf()) as one:
        yield one


@given(st.lists(st.tuples(NAMES, st.integers())))
def test_a_drawer_is_a_dictionary_in_order_of_first_putting(puts):
    expected: dict[str, int] = {}
    with closing(Shelf()) as shelf:
        drawer = shelf.drawer("numbers", int)
        for key, value in puts:
            drawer.put(key, value)
            expected[key] = value
        assert list(drawer.items()) == list(expected.items())
        assert all(drawer.get(key) == value for key, value in expected.items())


def test_drawers_do_not_mix(shelf):
    shelf.drawer("a", int).put("x", 1)
    assert shelf.drawer("b", int).get("x") is None


def test_a_removed_document_is_gone(shelf):
    drawer = shelf.drawer("numbers", int)
    drawer.put("x", 1)
    drawer.remove("x")
    drawer.remove("never there")
    assert list(drawer.values()) == []


def test_what_fails_in_a_transaction_leaves_nothing(shelf):
    drawer = shelf.drawer("numbers", int)
    drawer.put("x", 1)

    def fail() -> None:
        with shelf.transaction():
            drawer.put("x", 2)
            drawer.put("y", 3)
            raise UsageError("on purpose")

    with pytest.raises(UsageError):
        fail()
    assert list(drawer.items()) == [("x", 1)]
