"""Time is a parameter: the only module that reads the machine's clocks."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Protocol

from medsign.errors import UsageError

sleep = time.sleep
"""How a blocking driver lets seconds pass, unless it is given another way."""

# Moscow has kept UTC+3 all year since 26.10.2014 (Federal Law 248-ФЗ); a fixed offset needs no
# time zone database on the clinic's Windows machines.
MOSCOW = timezone(timedelta(hours=3), "MSK")


class Clock(Protocol):
    """Where a component takes time from."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for deadlines."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds."""
        return time.monotonic()


class ManualClock:
    """A clock that stands still until it is moved; for tests and the sandbox.

    Example:
        >>> from datetime import UTC, datetime, timedelta
        >>> clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
        >>> clock.advance(timedelta(days=1))
        >>> clock.now().isoformat()
        '2026-01-02T00:00:00+00:00'
    """

    def __init__(self, now: datetime) -> None:
        self._now = aware(now)
        self._monotonic = 0.0

    def now(self) -> datetime:
        """Return the moment the clock was set to."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds the clock was moved forward in all."""
        return self._monotonic

    def advance(self, step: timedelta) -> None:
        """Move forward; both clocks move.

        Raises:
            UsageError: The step is negative; use `set` to go back.
        """
        if step < timedelta(0):
            raise UsageError("a clock advances forwards; use set() to go back")
        self._now += step
        self._monotonic += step.total_seconds()

    def set(self, now: datetime) -> None:
        """Set the wall clock, forwards or back; monotonic seconds do not move."""
        self._now = aware(now)


def aware(moment: datetime) -> datetime:
    """Return the moment in UTC.

    Raises:
        UsageError: The moment is naive, so nobody knows which instant it means.
    """
    if moment.tzinfo is None:
        raise UsageError("a datetime without a time zone means no certain instant")
    return moment.astimezone(UTC)


def by_moscow_time(moment: datetime) -> str:
    """Return a moment in words for staff.

    Example:
        >>> by_moscow_time(datetime(2026, 1, 1, tzinfo=UTC))
        '01.01.2026 03:00:00 (МСК)'
    """
    try:
        local = moment.astimezone(MOSCOW)
    except OverflowError:  # the last hours of the calendar, by which certificates mean "never"
        return f"{moment:%d.%m.%Y %H:%M:%S} (UTC)"
    return f"{local:%d.%m.%Y %H:%M:%S} (МСК)"


def compare_age(years: int, since: date, on: date) -> int:
    """Compare the time between two days with whole years.

    Returns:
        Less than zero before the anniversary, zero on its day, more after it. 29 February has its
        anniversary in a common year between 28 February and 1 March, on no day.

    Example:
        >>> [compare_age(18, date(2008, 6, 25), date(2026, 6, day)) for day in (24, 25, 26)]
        [-1, 0, 1]
    """
    anniversary = (since.year + years, since.month, since.day)
    today = (on.year, on.month, on.day)
    return (anniversary < today) - (anniversary > today)


def last_moment_of(day: date) -> datetime:
    """Return the last instant of a day in Moscow, in UTC.

    A power of attorney is valid to the end of its last day, Moscow time.

    Example:
        >>> last_moment_of(date(2026, 12, 31)).isoformat()
        '2026-12-31T20:59:59.999999+00:00'
    """
    return datetime(day.year, day.month, day.day, 23, 59, 59, 999999, MOSCOW).astimezone(UTC)


def first_moment_of(day: date) -> datetime:
    """Return the first instant of a day in Moscow, in UTC.

    Example:
        >>> first_moment_of(date(2026, 1, 1)).isoformat()
        '2025-12-31T21:00:00+00:00'
    """
    return datetime(day.year, day.month, day.day, tzinfo=MOSCOW).astimezone(UTC)
