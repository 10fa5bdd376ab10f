"""What ends soon: a pure question about dates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Self

import attrs

from medsign.clock import MOSCOW, aware, last_moment_of
from medsign.errors import UsageError

THRESHOLDS = (timedelta(days=30), timedelta(days=14), timedelta(days=7), timedelta(days=1))
"""When to warn, before the end. The sources say «заранее» and give no number."""


@attrs.frozen(kw_only=True)
class Watched:
    """Something with a last moment of validity.

    Args:
        kind: ``certificate``, ``power_of_attorney`` or a kind of the caller's own.
        id: An opaque id: a thumbprint, a number of a МЧД; never a person's name or СНИЛС.
        valid_until: The last moment of validity, aware.
        key_until: The last moment at which the private key may sign, if limited (extension
            privateKeyUsagePeriod, RFC 3280 section 4.2.1.4); often earlier than `valid_until`.
        label: How people call it, for the text of notices; may be personal data.
    """

    kind: str
    id: str
    valid_until: datetime = attrs.field(converter=aware)
    key_until: datetime | None = attrs.field(
        default=None, converter=attrs.converters.optional(aware)
    )
    label: str = attrs.field(default="", repr=False)

    @classmethod
    def power_of_attorney(cls, number: str, last_day: date, label: str = "") -> Self:
        """Return a МЧД, which is valid to the end of its last day in Moscow.

        Example:
            >>> Watched.power_of_attorney("0dae", date(2026, 12, 31)).ends_at.isoformat()
            '2026-12-31T20:59:59.999999+00:00'
        """
        until = last_moment_of(last_day)
        return cls(kind="power_of_attorney", id=number, valid_until=until, label=label)

    @property
    def key_ends_first(self) -> bool:
        """Whether signing becomes impossible while the certificate is still valid."""
        return self.key_until is not None and self.key_until < self.valid_until

    @property
    def ends_at(self) -> datetime:
        """The last moment at which it serves its purpose."""
        return min(self.valid_until, self.key_until or self.valid_until)


class Level(StrEnum):
    """How pressing an expiry is."""

    SOON = "soon"
    URGENT = "urgent"
    """The last threshold is passed."""
    EXPIRED = "expired"


@attrs.frozen(kw_only=True)
class Expiry:
    """That something ends soon or has ended.

    Attributes:
        watched: What ends.
        threshold: The smallest threshold that is passed; zero when the end is passed.
        level: How pressing it is.
        days_left: Calendar days in Moscow from today to the last day; negative after it.
    """

    watched: Watched
    threshold: timedelta
    level: Level
    days_left: int


def expiring(
    items: Iterable[Watched], now: datetime, thresholds: Sequence[timedelta] = THRESHOLDS
) -> list[Expiry]:
    """Return what has ended or ends within the largest threshold, soonest first.

    Args:
        items: What is watched.
        now: The moment to judge at, aware.
        thresholds: How long before the end each warning is due; in any order.

    Raises:
        UsageError: There are no thresholds, or one is not positive.

    Example:
        >>> permit = Watched.power_of_attorney("0dae", date(2026, 12, 31))
        >>> [found] = expiring([permit], datetime(2026, 12, 25, tzinfo=MOSCOW))
        >>> found.level.value, found.threshold.days, found.days_left
        ('soon', 7, 6)
    """
    steps = sorted(thresholds)
    if not steps or steps[0] <= timedelta(0):
        raise UsageError("thresholds are positive, and there is at least one")
    now = aware(now)
    found = (_judge(item, now, steps) for item in items)
    return sorted(filter(None, found), key=lambda expiry: expiry.watched.ends_at)


def _judge(item: Watched, now: datetime, steps: Sequence[timedelta]) -> Expiry | None:
    left = item.ends_at - now
    if left < timedelta(0):
        threshold, level = timedelta(0), Level.EXPIRED
    else:
        passed = [step for step in steps if left <= step]
        if not passed:
            return None
        threshold = passed[0]
        level = Level.URGENT if threshold == steps[0] else Level.SOON
    days_left = item.ends_at.astimezone(MOSCOW).date() - now.astimezone(MOSCOW).date()
    return Expiry(watched=item, threshold=threshold, level=level, days_left=days_left.days)
