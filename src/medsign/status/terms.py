"""Terms counted in working days, as offices and Госуслуги state them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import attrs

from medsign.clock import MOSCOW, last_moment_of
from medsign.errors import UsageError

FIXED_HOLIDAYS = frozenset(
    [*((1, day) for day in range(1, 9)), (2, 23), (3, 8), (5, 1), (5, 9), (6, 12), (11, 4)]
)
"""Month and day of the holidays of Трудовой кодекс, article 112."""


@attrs.frozen
class Calendar:
    """Which days are worked: Monday to Friday but for holidays.

    A holiday on a weekend moves that day off to the next working day by itself, but for those of
    January (Трудовой кодекс, article 112, part 2). What the Government moves otherwise, once a
    year, is data of the deployment.

    Args:
        holidays: Days off besides those.
        workdays: Days that are worked all the same.

    Example:
        >>> monday = date(2026, 3, 9)  # after Sunday the 8th
        >>> Calendar().is_working(monday), Calendar(workdays=frozenset({monday})).is_working(monday)
        (False, True)
    """

    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()

    def is_working(self, day: date) -> bool:
        """Tell whether offices work on a day."""
        off = day in self.holidays or _is_weekend(day) or _is_holiday(day) or _is_moved_off(day)
        return day in self.workdays or not off


def _is_moved_off(day: date) -> bool:
    # What a deployment knows is not looked at: its list may well name the moved day, too.
    while _is_weekend(day := day - timedelta(days=1)) or _is_holiday(day):
        if _is_weekend(day) and _is_holiday(day) and day.month != 1:
            return True
    return False


def _is_weekend(day: date) -> bool:
    return day.isoweekday() > 5


def _is_holiday(day: date) -> bool:
    return (day.month, day.day) in FIXED_HOLIDAYS


PLAIN_CALENDAR = Calendar()


@attrs.frozen
class WorkingDays:
    """A term of whole working days; it starts on the day after the event.

    Example:
        >>> friday = datetime(2026, 6, 26, 12, tzinfo=MOSCOW)
        >>> WorkingDays(1).due(friday).astimezone(MOSCOW).date().isoformat()
        '2026-06-29'
    """

    days: int

    def __attrs_post_init__(self) -> None:
        if self.days < 1:
            raise UsageError("a term has at least one working day")

    def due(self, since: datetime, calendar: Calendar = PLAIN_CALENDAR) -> datetime:
        """Return the last moment of the term: the end of its last day in Moscow, in UTC."""
        day, left = since.astimezone(MOSCOW).date(), self.days
        while left:
            day += timedelta(days=1)
            left -= calendar.is_working(day)
        return last_moment_of(day)


Term = timedelta | WorkingDays
"""How long a state may last."""


def due(term: Term, since: datetime, calendar: Calendar = PLAIN_CALENDAR) -> datetime:
    """Return the moment at which a term is over."""
    return term.due(since, calendar) if isinstance(term, WorkingDays) else since + term
