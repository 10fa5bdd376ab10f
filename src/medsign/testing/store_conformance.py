"""The promises of a store as tests; needs pytest and Hypothesis.

Run them on a store of your own::

    class TestMyStore(DurableStoreConformance):
        @pytest.fixture
        def open_store(self, tmp_path):
            return functools.partial(MyStore, tmp_path / "events")
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from multiprocessing.connection import Connection as Pipe
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,  # pyright: ignore[reportUnknownVariableType]
)

from medsign.errors import StoreError, UsageError, VersionConflict
from medsign.store import MemoryStore, NewEvent, Store

OpenStore = Callable[[], Store]
NOON = datetime(2026, 6, 25, 12, tzinfo=UTC)
BATCH = 3

_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_numbers = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
_json = st.recursive(
    _numbers | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)
_moments = st.integers(-(10**15), 10**15).map(lambda n: NOON + timedelta(microseconds=n))
events = st.builds(NewEvent, _texts, _moments, st.dictionaries(_texts, _json, max_size=3))
"""Any event that a store must keep."""


def event(number: int = 0) -> NewEvent:
    """Return a numbered event."""
    return NewEvent("counted", NOON, {"number": number})


def numbers(store: Store, stream: str) -> list[object]:
    """Return the numbers of the events of a stream."""
    return [stored.data["number"] for stored in store.load(stream)]


class StoreConformance:
    """What every store promises; a subclass gives `open_store`."""

    @pytest.fixture
    def open_store(self) -> OpenStore:
        """Return what opens the store under test; called again, it opens the same data."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, open_store: OpenStore) -> Iterator[Store]:
        """Open the store for one test."""
        with open_store() as store:
            yield store

    def test_an_unknown_stream_is_empty(self, store: Store) -> None:
        """Nobody has to create a stream."""
        assert list(store.load("s")) == []
        assert list(store.streams()) == []

    def test_versions_count_from_one(self, store: Store) -> None:
        """The version of a stream is the number of its events."""
        assert store.append("s", 0, [event(1), event(2)]) == 2
        assert store.append("s", 2, [event(3)]) == 3
        assert [stored.version for stored in store.load("s")] == [1, 2, 3]
        assert numbers(store, "s") == [1, 2, 3]

    def test_streams_do_not_mix(self, store: Store) -> None:
        """Names are compared exactly, letter case included."""
        for number, name in enumerate(["s", "S", "с", "s/1"]):
            store.append(name, 0, [event(number)])
        assert [numbers(store, name) for name in ["s", "S", "с", "s/1"]] == [[0], [1], [2], [3]]

    @pytest.mark.parametrize("expected", [-1, 0, 1, 3])
    def test_an_append_at_another_version_changes_nothing(
        self, store: Store, expected: int
    ) -> None:
        """Whoever decided on an old state must decide anew."""
        store.append("s", 0, [event(1), event(2)])
        with pytest.raises(VersionConflict) as refused:
            store.append("s", expected, [event(3)])
        assert refused.value.actual == 2
        assert numbers(store, "s") == [1, 2]

    def test_all_events_are_appended_or_none(self, store: Store) -> None:
        """A refused event takes its whole batch with it."""
        bad: Any = {"bytes": b""}
        with pytest.raises(UsageError):
            store.append("s", 0, [event(1), NewEvent("bad", NOON, bad)])
        assert list(store.streams()) == []

    def test_an_empty_append_only_checks_the_version(self, store: Store) -> None:
        """No event, no new stream."""
        assert store.append("s", 0, []) == 0
        assert list(store.streams()) == []
        with pytest.raises(VersionConflict):
            store.append("s", 1, [])

    def test_an_append_that_does_not_wait_for_the_disk_is_seen_at_once(self, store: Store) -> None:
        """Only a power cut may tell the difference."""
        assert store.append("s", 0, [event(1)], durable=False) == 1
        assert numbers(store, "s") == [1]
        with pytest.raises(VersionConflict):
            store.append("s", 0, [event(2)], durable=False)
        assert store.append("s", 1, [event(2)]) == 2
        assert list(store.streams()) == ["s"]

    def test_loading_goes_on_after_a_version(self, store: Store) -> None:
        """A reader that knows a beginning asks for the rest only."""
        store.append("s", 0, [event(n) for n in range(5)])
        assert [stored.version for stored in store.load("s", after=3)] == [4, 5]
        assert list(store.load("s", after=5)) == []

    def test_a_long_stream_is_loaded_part_by_part(self, store: Store) -> None:
        """A reader need not hold more than it asked for."""
        store.append("s", 0, [event(n) for n in range(5)])
        assert [stored.version for stored in store.load("s", limit=2)] == [1, 2]
        assert [stored.version for stored in store.load("s", 2, limit=2)] == [3, 4]
        assert [stored.version for stored in store.load("s", 4, limit=2)] == [5]
        assert list(store.load("s", limit=0)) == []

    def test_the_newest_event_of_each_stream_is_told_by_prefix(self, store: Store) -> None:
        """To know how things stand nobody has to load every history."""
        for name in ["b", "a/1", "a", "a/2", "A"]:
            store.append(name, 0, [event(1)])
        store.append("a/1", 1, [event(2), NewEvent("closed", NOON, {"number": 3})])
        assert [(each.stream, each.version) for each in store.newest("a")] == [
            ("a", 1),
            ("a/1", 3),
            ("a/2", 1),
        ]
        assert [each.data["number"] for each in store.newest("a/1")] == [3]
        assert [each.stream for each in store.newest()] == ["A", "a", "a/1", "a/2", "b"]
        assert [each.stream for each in store.newest("a", but=["closed", "lost"])] == ["a", "a/2"]
        assert [each.stream for each in store.newest(but={"counted"})] == ["a/1"]
        assert list(store.newest("c")) == []

    def test_moments_come_back_in_utc_to_the_microsecond(self, store: Store) -> None:
        """An instant is an instant, whatever zone it was written in."""
        moment = datetime(2026, 6, 25, 1, 2, 3, 4, timezone(timedelta(hours=7)))
        store.append("s", 0, [NewEvent("said", moment)])
        (stored,) = store.load("s")
        assert stored.at == moment
        assert stored.at.utcoffset() == timedelta(0)

    def test_streams_are_listed_by_prefix_in_code_point_order(self, store: Store) -> None:
        """Names are plain text: no character of a prefix is a wildcard."""
        names = ["a%", "a%b", "a_", "aБ", "a𐐀", "b", "А"]
        for name in reversed(names):
            store.append(name, 0, [event()])
        assert list(store.streams()) == names
        assert list(store.streams("a%")) == ["a%", "a%b"]
        assert list(store.streams("a", after="a_")) == ["aБ", "a𐐀"]
        assert list(store.streams("c")) == []

    def test_a_listing_does_not_hold_up_writers(self, store: Store) -> None:
        """A slow reader of names may write to what it finds."""
        for name in "abc":
            store.append(name, 0, [event(1)])
        for name in store.streams():
            store.append(name, 1, [event(2)])
        assert numbers(store, "c") == [1, 2]

    def test_stored_data_are_out_of_reach(self, store: Store) -> None:
        """Neither what was given nor what was returned leads into the store."""
        data: dict[str, Any] = {"list": [1]}
        store.append("s", 0, [NewEvent("kept", NOON, data)])
        data["list"].append(2)
        returned: Any = store.load("s")[0].data
        returned["list"].append(3)
        assert store.load("s")[0].data == {"list": [1]}

    @pytest.mark.parametrize("name", ["", "a\x00b", "a\nb", "\ud800"])
    def test_a_stream_without_a_printable_name_is_refused(self, store: Store, name: str) -> None:
        """Not every database can hold such names."""
        with pytest.raises(UsageError):
            store.append(name, 0, [event()])

    @pytest.mark.parametrize(
        "value", [float("nan"), float("inf"), b"", {1}, "\ud800", NOON, [{1: ""}]]
    )
    def test_what_is_not_json_is_refused(self, store: Store, value: Any) -> None:
        """Nothing is coerced in silence."""
        with pytest.raises(UsageError):
            store.append("s", 0, [NewEvent("bad", NOON, {"value": value})])

    @pytest.mark.parametrize("kind", [None, b"bad", "\ud800"])
    def test_a_kind_that_is_no_text_is_refused(self, store: Store, kind: Any) -> None:
        """It is refused before anything is written, whatever else is written meanwhile."""
        with pytest.raises(UsageError):
            store.append("s", 0, [event(), NewEvent(kind, NOON)])
        assert list(store.streams()) == []

    def test_a_closed_store_refuses_and_may_be_closed_again(self, open_store: OpenStore) -> None:
        """An error tells a closed store from an empty one."""
        store = open_store()
        store.close()
        store.close()
        for use in (
            lambda: store.append("s", 0, [event()]),
            lambda: store.load("s"),
            lambda: list(store.streams()),
            lambda: list(store.newest()),
        ):
            with pytest.raises(StoreError):
                use()

    def test_a_store_is_closed_at_the_end_of_its_block(self, open_store: OpenStore) -> None:
        """Also when the block ends by an error, which comes out."""
        with pytest.raises(KeyError), open_store() as store:  # noqa: PT012 - what a block may hold
            assert store.append("s", 0, [event()]) == 1
            raise KeyError
        with pytest.raises(StoreError):
            store.load("s")

    def test_of_many_threads_exactly_one_wins_each_version(self, store: Store) -> None:
        """Optimistic locking holds within a process."""
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)  # a race that can happen should happen here
        try:
            with ThreadPoolExecutor(6) as pool:
                won = list(pool.map(win, [store] * 6, ["s"] * 6, [20] * 6))
        finally:
            sys.setswitchinterval(interval)
        assert sorted(version for versions in won for version in versions) == list(range(1, 121))
        assert len(store.load("s")) == 120

    def test_any_history_is_kept_as_the_memory_store_keeps_it(self, store: Store) -> None:
        """The memory store is the model of all others."""
        examples = iter(range(10**6))

        class Machine(_SameAsMemory):
            def __init__(self) -> None:
                super().__init__(store, f"{next(examples)}/")

        run_state_machine_as_test(
            Machine, settings=settings(max_examples=25, stateful_step_count=15, deadline=None)
        )


class DurableStoreConformance(StoreConformance):
    """What a store on a disk promises besides; `open_store` must be picklable."""

    @pytest.mark.parametrize("durable", [True, False])
    def test_events_survive_closing(self, open_store: OpenStore, *, durable: bool) -> None:
        """What was appended is there after a restart."""
        first = open_store()
        first.append("s", 0, [event(1)], durable=durable)
        first.close()
        second = open_store()
        assert numbers(second, "s") == [1]
        assert second.append("s", 1, [event(2)]) == 2
        second.close()

    @pytest.mark.parametrize("durable", [True, False])
    def test_two_handles_see_each_other(
        self, store: Store, open_store: OpenStore, *, durable: bool
    ) -> None:
        """No handle answers from a cache."""
        other = open_store()
        store.append("s", 0, [event(1)], durable=durable)
        with pytest.raises(VersionConflict):
            other.append("s", 0, [event(2)])
        assert numbers(other, "s") == [1]
        other.close()

    def test_of_many_processes_exactly_one_wins_each_version(self, open_store: OpenStore) -> None:
        """Optimistic locking holds between processes, even those that open a new store at once."""
        pipes = [_in_process(_win_and_tell, open_store, "s", 40)[1] for _ in range(3)]
        for pipe in pipes:
            assert pipe.recv() == "ready"
        for pipe in pipes:
            pipe.send("go")
        won = [pipe.recv() for pipe in pipes]
        assert sorted(version for versions in won for version in versions) == list(range(1, 121))

    @pytest.mark.parametrize("durable", [True, False])
    @pytest.mark.parametrize("acknowledged", [1, 8, 25])
    def test_a_killed_writer_leaves_whole_batches(
        self, open_store: OpenStore, acknowledged: int, *, durable: bool
    ) -> None:
        """Nothing acknowledged is lost, nothing is half-written, and writing goes on."""
        write = partial(_write_until_killed, durable=durable)
        process, pipe = _in_process(write, open_store, "s")
        version = 0
        for _ in range(acknowledged):
            version = pipe.recv()
        process.kill()
        process.join()
        store = open_store()
        found = numbers(store, "s")
        assert len(found) >= version
        assert len(found) % BATCH == 0
        assert found == list(range(len(found)))
        assert store.append("s", len(found), [event()]) == len(found) + 1
        store.close()


def win(store: Store, stream: str, times: int) -> list[int]:
    """Append until it has succeeded so many times; return the versions won."""
    won: list[int] = []
    while len(won) < times:
        try:
            won.append(store.append(stream, len(store.load(stream)), [event()]))
        except VersionConflict:
            continue
    return won


class _SameAsMemory(RuleBasedStateMachine):
    """Two stores are given the same work and must not differ."""

    names = st.sampled_from(["a", "ab", "b"])

    def __init__(self, store: Store, prefix: str) -> None:
        super().__init__()
        self.store, self.prefix = store, prefix
        self.model = MemoryStore()

    @rule(name=names, version=st.none() | st.integers(0, 4), batch=st.lists(events, max_size=3))
    def append(self, name: str, version: int | None, batch: Sequence[NewEvent]) -> None:
        stream = self.prefix + name
        expected = len(self.model.load(stream)) if version is None else version
        assert _outcome(self.store, stream, expected, batch) == _outcome(
            self.model, stream, expected, batch
        )

    @rule(name=names, after=st.integers(-1, 5), limit=st.none() | st.integers(0, 3))
    def load(self, name: str, after: int, limit: int | None) -> None:
        stream = self.prefix + name
        assert list(self.store.load(stream, after, limit)) == list(
            self.model.load(stream, after, limit)
        )

    @invariant()
    def same_streams(self) -> None:
        assert list(self.store.streams(self.prefix)) == list(self.model.streams(self.prefix))
        assert list(self.store.newest(self.prefix)) == list(self.model.newest(self.prefix))


def _outcome(store: Store, stream: str, expected: int, batch: Sequence[NewEvent]) -> object:
    try:
        return store.append(stream, expected, batch)
    except VersionConflict as conflict:
        return type(conflict), conflict.actual


def _in_process(work: Callable[..., None], *arguments: object) -> tuple[Any, Pipe]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _win_and_tell(pipe: Pipe, open_store: OpenStore, stream: str, times: int) -> None:
    pipe.send("ready")
    pipe.recv()
    store = open_store()
    pipe.send(win(store, stream, times))
    store.close()


def _write_until_killed(pipe: Pipe, open_store: OpenStore, stream: str, *, durable: bool) -> None:
    store, version = open_store(), 0
    while True:
        batch = [event(number) for number in range(version, version + BATCH)]
        version = store.append(stream, version, batch, durable=durable)
        pipe.send(version)
