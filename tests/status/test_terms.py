from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.clock import MOSCOW, last_moment_of
from medsign.errors import UsageError
from medsign.status import Calendar, WorkingDays

moments = st.integers(0, 15 * 365 * 86400).map(
    lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
terms = st.integers(1, 30)


def due_day(days, since, calendar=None):
    term = WorkingDays(days)
    return (term.due(since, calendar) if calendar else term.due(since)).astimezone(MOSCOW).date()


@pytest.mark.req("F355")
def test_one_working_day_from_a_friday_ends_on_monday():
    assert due_day(1, datetime(2026, 6, 26, 15, tzinfo=MOSCOW)) == date(2026, 6, 29)


def test_the_new_year_holidays_are_not_counted():
    assert due_day(1, datetime(2025, 12, 31, 12, tzinfo=MOSCOW)) == date(2026, 1, 9)


def test_the_day_is_a_moscow_day():
    late = datetime(2026, 6, 25, 21, 30, tzinfo=UTC)  # already Friday in Moscow
    assert due_day(1, late) == date(2026, 6, 29)


def test_a_moved_day_off_prolongs_the_term():
    calendar = Calendar(holidays=frozenset({date(2026, 6, 29)}))
    assert due_day(1, datetime(2026, 6, 26, tzinfo=MOSCOW), calendar) == date(2026, 6, 30)


@pytest.mark.parametrize(
    ("friday", "ends"),
    [
        (date(2026, 3, 6), date(2026, 3, 10)),  # the 8th is a Sunday
        (date(2026, 5, 8), date(2026, 5, 12)),  # the 9th is a Saturday
        (date(2021, 6, 11), date(2021, 6, 15)),
        (date(2023, 11, 3), date(2023, 11, 7)),
    ],
)
def test_a_holiday_on_a_weekend_moves_its_day_off_by_law(friday, ends):
    assert due_day(1, datetime.combine(friday, time(12), MOSCOW)) == ends


def test_the_days_of_january_on_weekends_move_by_decree_only():
    assert Calendar().is_working(date(2026, 1, 9))


def test_a_calendar_that_names_the_moved_day_does_not_move_it_further():
    calendar = Calendar(holidays=frozenset({date(2026, 3, 9)}))
    assert due_day(1, datetime(2026, 3, 6, 12, tzinfo=MOSCOW), calendar) == date(2026, 3, 10)


def test_a_decree_may_move_the_day_off_elsewhere():
    calendar = Calendar(
        workdays=frozenset({date(2025, 3, 10)}), holidays=frozenset({date(2025, 6, 13)})
    )
    assert due_day(1, datetime(2025, 3, 7, 12, tzinfo=MOSCOW), calendar) == date(2025, 3, 10)
    assert due_day(1, datetime(2025, 3, 10, 12, tzinfo=MOSCOW), calendar) == date(2025, 3, 11)


def test_a_worked_saturday_shortens_the_term():
    calendar = Calendar(workdays=frozenset({date(2026, 6, 27)}))
    assert due_day(1, datetime(2026, 6, 26, tzinfo=MOSCOW), calendar) == date(2026, 6, 27)


@pytest.mark.parametrize("days", [0, -1])
def test_a_term_without_days_is_refused(days):
    with pytest.raises(UsageError):
        WorkingDays(days)


@given(terms, moments)
def test_a_term_ends_with_a_working_day_and_holds_exactly_its_days(days, since):
    calendar = Calendar()
    start, end = since.astimezone(MOSCOW).date(), due_day(days, since)
    span = [start + timedelta(days=n + 1) for n in range((end - start).days)]
    assert calendar.is_working(end)
    assert sum(map(calendar.is_working, span)) == days
    assert WorkingDays(days).due(since) == last_moment_of(end)


@given(terms, moments, st.timedeltas(timedelta(0), timedelta(days=40)))
def test_a_later_start_never_ends_earlier(days, since, later):
    assert WorkingDays(days).due(since) <= WorkingDays(days).due(since + later)
