from __future__ import annotations

from calendar import isleap
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.clock import (
    MOSCOW,
    ManualClock,
    SystemClock,
    aware,
    by_moscow_time,
    compare_age,
    first_moment_of,
    last_moment_of,
)
from medsign.errors import UsageError

NOON = datetime(2026, 6, 25, 12, tzinfo=UTC)
days = st.dates(date(1990, 1, 1), date(2100, 1, 1))


def test_a_naive_moment_is_refused():
    with pytest.raises(UsageError):
        aware(NOON.replace(tzinfo=None))


@given(st.datetimes(timezones=st.sampled_from([UTC, MOSCOW, timezone(timedelta(hours=-7))])))
def test_an_aware_moment_stays_the_same_instant_in_utc(moment):
    try:
        result = aware(moment)
    except OverflowError:  # the edge of the calendar has no neighbour day
        return
    assert result == moment
    assert result.tzinfo is UTC


@given(days)
def test_a_moscow_day_lasts_24_hours_and_touches_the_next(day):
    assert last_moment_of(day) + timedelta(microseconds=1) == first_moment_of(day) + timedelta(1)
    assert first_moment_of(day + timedelta(1)) == first_moment_of(day) + timedelta(1)


@given(days)
def test_both_ends_of_a_moscow_day_belong_to_it(day):
    assert first_moment_of(day).astimezone(MOSCOW).date() == day
    assert last_moment_of(day).astimezone(MOSCOW).date() == day


def test_a_manual_clock_stands_still():
    clock = ManualClock(NOON)
    assert clock.now() == clock.now() == NOON


def test_advancing_moves_both_clocks():
    clock = ManualClock(NOON)
    clock.advance(timedelta(minutes=2))
    assert clock.now() == NOON + timedelta(minutes=2)
    assert clock.monotonic() == 120


def test_a_manual_clock_does_not_advance_backwards():
    clock = ManualClock(NOON)
    with pytest.raises(UsageError):
        clock.advance(timedelta(seconds=-1))
    assert clock.now() == NOON


def test_setting_the_wall_clock_back_leaves_monotonic_seconds():
    clock = ManualClock(NOON)
    clock.advance(timedelta(hours=1))
    clock.set(NOON - timedelta(days=1))
    assert clock.now() == NOON - timedelta(days=1)
    assert clock.monotonic() == 3600


@pytest.mark.parametrize(
    "moment, words",
    [
        (NOON, "25.06.2026 15:00:00 (МСК)"),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), "31.12.9999 23:59:59 (UTC)"),
    ],
)
def test_every_moment_of_the_calendar_can_be_told(moment, words):
    assert by_moscow_time(moment) == words


def test_the_system_clock_is_aware_and_monotonic():
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)), st.integers(0, 120))
def test_an_age_is_compared_by_the_calendar_day(since, years):
    leap_only = (since.month, since.day) == (2, 29) and not isleap(since.year + years)
    if leap_only:
        year = since.year + years
        assert compare_age(years, since, date(year, 2, 28)) == -1
        assert compare_age(years, since, date(year, 3, 1)) == 1
    else:
        day = since.replace(year=since.year + years)
        assert [compare_age(years, since, day + timedelta(n)) for n in (-1, 0, 1)] == [-1, 0, 1]
