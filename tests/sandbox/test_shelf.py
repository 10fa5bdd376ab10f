from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.errors import StoreError, UsageError
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


def test_a_file_that_cannot_be_opened_is_a_typed_error(tmp_path):
    with pytest.raises(StoreError, match="unable to open"):
        Shelf(tmp_path / "no-such-folder" / "world.db")


def test_another_file_is_refused_and_left_as_it_is(tmp_path):
    file = tmp_path / "letter.txt"
    file.write_text("Уважаемая Анна Петровна! " * 100)
    before = file.read_bytes()
    with pytest.raises(StoreError, match="not a database"):
        Shelf(file)
    assert file.read_bytes() == before


def test_a_closed_shelf_says_so(shelf):
    shelf.close()
    with pytest.raises(StoreError, match="closed"):
        shelf.drawer("letters", int).get("17")
