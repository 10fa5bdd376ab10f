from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.clock import ManualClock
from medsign.store import MemoryStore, NewEvent, SqliteStore
from medsign.watch import Level, Watch, Watched, notice
from medsign.watch.rounds import CLAIM

END = datetime(2026, 12, 31, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
CERTIFICATE = Watched(kind="certificate", id="ab12", valid_until=END, label="Тестова Анна Петровна")


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def clock():
    return ManualClock(END - 40 * DAY)


@pytest.fixture
def inbox():
    return []


@pytest.fixture
def watch(store, inbox, clock):
    return Watch(store, inbox.append, clock)


def thresholds(messages):
    return [message.expiry.threshold.days for message in messages]


@pytest.mark.req("F050", "F103", "F404", "F003")
def test_daily_rounds_tell_each_threshold_once(watch, clock, inbox):
    for _ in range(60):
        watch.check([CERTIFICATE])
        clock.advance(DAY)
    assert thresholds(inbox) == [30, 14, 7, 1, 0]


def test_after_a_long_pause_only_the_nearest_threshold_is_told(watch, clock, inbox):
    clock.set(END - 5 * DAY)
    watch.check([CERTIFICATE])
    watch.check([CERTIFICATE])
    assert thresholds(inbox) == [7]


def test_the_memory_survives_a_restart(tmp_path, clock, inbox):
    clock.set(END - 5 * DAY)
    for _ in range(2):
        store = SqliteStore(tmp_path / "watch.db")
        Watch(store, inbox.append, clock).check([CERTIFICATE])
        store.close()
    assert thresholds(inbox) == [7]


def test_a_renewed_thing_is_watched_anew(watch, clock, inbox):
    clock.set(END - 5 * DAY)
    watch.check([CERTIFICATE])
    renewed = Watched(kind="certificate", id="ab12", valid_until=END + 2 * DAY)
    watch.check([renewed])
    assert thresholds(inbox) == [7, 7]


def test_a_clock_set_back_repeats_nothing(watch, clock, inbox):
    clock.set(END - 5 * DAY)
    watch.check([CERTIFICATE])
    clock.set(END - 20 * DAY)
    watch.check([CERTIFICATE])
    assert thresholds(inbox) == [7]


def test_an_undelivered_notice_is_tried_again_and_does_not_stop_the_others(
    store, clock, inbox, caplog
):
    clock.set(END - 5 * DAY)
    other = Watched(kind="certificate", id="cd34", valid_until=END)

    def deliver(message):
        if message.expiry.watched == CERTIFICATE:
            raise ConnectionError("no route to Тестова Анна Петровна")
        inbox.append(message)

    with caplog.at_level(logging.ERROR):
        first = Watch(store, deliver, clock).check([CERTIFICATE, other])
    assert [len(first.sent), len(first.failed)] == [1, 1]
    assert "ConnectionError" in caplog.text
    assert "Тестова" not in caplog.text
    second = Watch(store, inbox.append, clock).check([CERTIFICATE, other])
    assert [m.expiry.watched for m in second.sent] == [CERTIFICATE]


def test_of_two_rounds_at_once_one_delivers(store, clock, inbox):
    clock.set(END - 5 * DAY)

    def slowly(message):
        Watch(store, inbox.append, clock).check([CERTIFICATE])
        inbox.append(message)

    assert len(Watch(store, slowly, clock).check([CERTIFICATE]).sent) == 1
    assert thresholds(inbox) == [7]
    assert Watch(store, inbox.append, clock).check([CERTIFICATE]).sent == ()


def test_of_two_rounds_that_have_both_looked_one_delivers(store, clock, inbox):
    clock.set(END - 5 * DAY)

    def late(expiry):  # between the look and the claim
        Watch(store, inbox.append, clock).check([CERTIFICATE])
        return notice(expiry)

    assert Watch(store, inbox.append, clock, word=late).check([CERTIFICATE]).sent == ()
    assert thresholds(inbox) == [7]


class Crash(BaseException):
    """The process ends."""


@pytest.mark.parametrize(
    "later", [CLAIM, DAY, -CLAIM], ids=["after the claim", "next day", "clock set back"]
)
def test_a_crash_during_delivery_repeats_the_notice_and_never_loses_it(store, clock, inbox, later):
    clock.set(END - 5 * DAY)

    def crash(message):
        raise Crash

    with pytest.raises(Crash):
        Watch(store, crash, clock).check([CERTIFICATE])
    watch = Watch(store, inbox.append, clock)
    assert watch.check([CERTIFICATE]).sent == ()  # perhaps it is being delivered
    clock.set(clock.now() + later)
    watch.check([CERTIFICATE])
    watch.check([CERTIFICATE])
    assert thresholds(inbox) == [7]


def test_a_delivery_slower_than_its_claim_is_remembered_all_the_same(store, clock, inbox):
    clock.set(END - 5 * DAY)

    def very_slowly(message):
        clock.advance(2 * CLAIM)
        Watch(store, inbox.append, clock).check([CERTIFICATE])

    Watch(store, very_slowly, clock).check([CERTIFICATE])
    assert Watch(store, inbox.append, clock).check([CERTIFICATE]).sent == ()


def test_what_an_older_release_told_is_not_told_again(store, clock, inbox):
    clock.set(END - 5 * DAY)
    told = {"ends_at": END.isoformat(), "threshold": 7 * DAY.total_seconds()}
    store.append("watch/certificate/ab12", 0, [NewEvent("told", clock.now(), told)])
    assert Watch(store, inbox.append, clock).check([CERTIFICATE]).sent == ()


def test_no_personal_data_reach_the_store(watch, store, clock):
    clock.set(END)
    watch.check([CERTIFICATE])
    (name,) = store.streams()
    assert "Тестова" not in name + str([event.data for event in store.load(name)])


@pytest.mark.req("F424")
@given(st.lists(st.timedeltas(timedelta(0), 20 * DAY), max_size=12))
def test_however_rounds_are_spaced_none_repeats_and_the_end_is_told(steps):
    clock, inbox = ManualClock(END - 40 * DAY), []
    watch = Watch(MemoryStore(), inbox.append, clock)
    for step in [*steps, 60 * DAY]:
        clock.advance(step)
        watch.check([CERTIFICATE])
    told = thresholds(inbox)
    assert told == sorted(set(told), reverse=True)
    assert inbox[-1].expiry.level is Level.EXPIRED
