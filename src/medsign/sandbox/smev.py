"""What state systems answer to the УЦ of the world: by a table of bad data, after some time.

A client never asks СМЭВ itself; the УЦ does and shows the results. Every number here starts
with 999 and belongs to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from medsign.ca.models import CHECKS, Check, CheckKind, NewRequest, Subject
from medsign.ca.status import CheckState
from medsign.identifiers import Inn, Ogrn, Ogrnip, Snils

QUEUE: Final = timedelta(seconds=5)
WORK: Final = timedelta(seconds=10)

_Verdict = tuple[CheckState, str | None]
_PASSED: Final[_Verdict] = (CheckState.PASSED, None)

BAD_DATA: Mapping[CheckKind, Mapping[str, _Verdict]] = MappingProxyType(
    {
        CheckKind.PASSPORT: {
            "9999000666": (CheckState.FAILED, "Паспорт числится недействительным"),
            "9999000404": (CheckState.NO_DATA, "Сведений о паспорте нет"),
            "9999000500": (CheckState.ERROR, "Ведомство не ответило"),
        },
        CheckKind.SNILS: {
            Snils.complete("999000666").value: (
                CheckState.FAILED,
                "СНИЛС не соответствует сведениям о лице",
            ),
        },
        CheckKind.INN: {
            Inn.complete("9999000666").value: (
                CheckState.FAILED,
                "ИНН не соответствует сведениям о лице",
            ),
        },
        CheckKind.EGRUL: {
            Ogrn.complete("999000000666").value: (
                CheckState.FAILED,
                "Организация прекратила деятельность",
            ),
            Ogrn.complete("999000000404").value: (CheckState.NO_DATA, "Организации нет в ЕГРЮЛ"),
        },
        CheckKind.EGRIP: {
            Ogrnip.complete("99900000000666").value: (
                CheckState.FAILED,
                "Предприниматель прекратил деятельность",
            ),
        },
    }
)
"""Numbers that do not pass, by check; all others do."""


def checks_at(new: NewRequest, elapsed: timedelta | None) -> tuple[Check, ...]:
    """Return the checks of a request.

    Args:
        new: The request.
        elapsed: How long they have been going on; ``None`` when they have not begun.
    """
    kinds = CHECKS[new.applicant]
    return tuple(_check(kind, order, new.subject, elapsed) for order, kind in enumerate(kinds, 1))


def finished_at(new: NewRequest, begun: datetime) -> datetime:
    """Return the moment when the last check will be over."""
    return begun + QUEUE + WORK * len(CHECKS[new.applicant])


def _check(kind: CheckKind, order: int, subject: Subject, elapsed: timedelta | None) -> Check:
    if elapsed is None:
        return Check(kind=kind, state=CheckState.NOT_STARTED)
    if elapsed < QUEUE:
        return Check(kind=kind, state=CheckState.QUEUED)
    if elapsed < QUEUE + WORK * order:
        return Check(kind=kind, state=CheckState.PROCESSING)
    state, reason = BAD_DATA[kind].get(_number(kind, subject), _PASSED)
    return Check(kind=kind, state=state, reason=reason)


def _number(kind: CheckKind, subject: Subject) -> str:
    match kind:
        case CheckKind.PASSPORT:
            return subject.passport.series + subject.passport.number
        case CheckKind.SNILS:
            return subject.snils.value
        case CheckKind.INN:
            return subject.inn.value
        case CheckKind.EGRUL:
            return subject.organisation.ogrn.value if subject.organisation else ""
        case CheckKind.EGRIP:
            return subject.ogrnip.value if subject.ogrnip else ""
