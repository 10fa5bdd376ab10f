"""The history of visits: chronological, filtered, exported (F374, F375)."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable
from datetime import date, datetime
from enum import StrEnum

import attrs

from medsign.clock import MOSCOW, aware


class VisitStatus(StrEnum):
    """How far a visit is."""

    DONE = "завершено"
    IN_PROGRESS = "в процессе"


class VisitType(StrEnum):
    """What a visit is for."""

    CONSULTATION = "консультация"
    PROCEDURE = "процедура"
    PREVENTION = "профилактика"


@attrs.frozen(kw_only=True)
class Visit:
    """A line of the history.

    Attributes:
        at: When, aware.
        type: What for.
        status: How far it is.
        patient: Identifier of the patient; personal data.
    """

    at: datetime = attrs.field(converter=aware)
    type: VisitType
    status: VisitStatus
    patient: str = attrs.field(repr=False)

    @property
    def day(self) -> date:
        """The day of the visit in Moscow."""
        return self.at.astimezone(MOSCOW).date()


def select_visits(
    visits: Iterable[Visit],
    *,
    since: date | None = None,
    until: date | None = None,
    statuses: Collection[VisitStatus] = tuple(VisitStatus),
    types: Collection[VisitType] = tuple(VisitType),
) -> tuple[Visit, ...]:
    """Return the visits that pass every filter, the earliest first.

    Args:
        visits: The history.
        since: First day, Moscow time.
        until: Last day, inclusive.
        statuses: Any of these.
        types: Any of these.
    """
    passed = (
        visit
        for visit in visits
        if (since is None or since <= visit.day)
        and (until is None or visit.day <= until)
        and visit.status in statuses
        and visit.type in types
    )
    return tuple(sorted(passed, key=lambda visit: visit.at))


def visits_to_csv(visits: Iterable[Visit]) -> bytes:
    """Return visits as CSV for a Russian spreadsheet: UTF-8 with a mark, semicolons.

    Example:
        >>> at = datetime(2026, 6, 25, 9, tzinfo=MOSCOW)
        >>> visit = Visit(
        ...     at=at, type=VisitType.PROCEDURE, status=VisitStatus.DONE, patient="17"
        ... )
        >>> print(visits_to_csv([visit]).decode("utf-8-sig").splitlines()[1])
        2026-06-25;09:00;процедура;завершено;17
    """
    table = io.StringIO(newline="")
    writer = csv.writer(table, delimiter=";")
    writer.writerow(("Дата", "Время", "Тип услуги", "Статус", "Пациент"))
    for visit in visits:
        at = visit.at.astimezone(MOSCOW)
        patient = visit.patient
        # A spreadsheet takes a text that begins so for a formula and runs it.
        if patient.startswith(("=", "+", "-", "@", "\t", "\r")):
            patient = f"'{patient}"
        writer.writerow((f"{at:%Y-%m-%d}", f"{at:%H:%M}", visit.type, visit.status, patient))
    return table.getvalue().encode("utf-8-sig")
