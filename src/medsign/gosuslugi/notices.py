"""What the clinic tells a doctor: stages of the verification, coming appointments."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from string import Template
from types import MappingProxyType

import attrs

from medsign.clock import MOSCOW, aware
from medsign.gosuslugi.status import VERIFICATION_STATUS, Stage
from medsign.status import Calendar, State
from medsign.status.terms import due as term_end

APPOINTMENT_NOTICE = timedelta(hours=24)
"""How long before an appointment the doctor is told (F376)."""

TEMPLATES: Mapping[str, Template] = MappingProxyType(
    {
        Stage.RECEIVED: Template("«$stage». Ничего делать не нужно.$wait"),
        Stage.CHECKING: Template("«$stage». Ничего делать не нужно.$wait"),
        Stage.VERIFIED: Template("«$stage». Статус врача активен, можно войти в личный кабинет."),
        Stage.CLARIFICATION: Template(
            "«$stage». Исправьте документы и отправьте их снова: $upload_url$faults"
        ),
    }
)
"""Texts by stage; fields: ``$stage``, ``$wait``, ``$upload_url``, ``$faults`` (F365-F369)."""


@attrs.frozen(kw_only=True)
class StageNotice:
    """A message about the stage of the verification.

    Attributes:
        stage: The stage, one of `VERIFICATION_STATUS`.
        text: The whole message, in Russian.
        next_by: By when the next stage is due, if a term is set.
    """

    stage: State
    text: str
    next_by: datetime | None


def stage_notice(
    stage: Stage,
    since: datetime,
    *,
    upload_url: str,
    faults: Iterable[str] = (),
    templates: Mapping[str, Template] = TEMPLATES,
    calendar: Calendar | None = None,
) -> StageNotice:
    """Return what to tell a doctor right after a change of stage.

    Args:
        stage: The new stage.
        since: When it began.
        upload_url: Address of the upload form, told when something must be corrected.
        faults: What must be corrected, in Russian (F342).
        templates: The texts; a deployment may bring its own.
        calendar: Days off.

    Example:
        >>> began = datetime(2026, 6, 26, 12, tzinfo=MOSCOW)
        >>> print(stage_notice(Stage.RECEIVED, began, upload_url="https://lk.test/docs").text)
        «Документы получены». Ничего делать не нужно. Следующий статус — не позднее 29.06.2026.
    """
    state = VERIFICATION_STATUS.state(stage)
    next_by = None
    if state.deadline:
        next_by = term_end(state.deadline, aware(since), calendar or Calendar())
    wait = (
        f" Следующий статус — не позднее {next_by.astimezone(MOSCOW):%d.%m.%Y}." if next_by else ""
    )
    listed = "; ".join(faults)
    text = templates[stage].substitute(
        stage=state.label,
        wait=wait,
        upload_url=upload_url,
        faults=f". Замечания: {listed}" if listed else "",
    )
    return StageNotice(stage=state, text=text, next_by=next_by)


@attrs.frozen(kw_only=True)
class Appointment:
    """An appointment of a patient with the doctor.

    Attributes:
        id: Opaque id of the appointment.
        starts_at: Its beginning, aware.
    """

    id: str
    starts_at: datetime = attrs.field(converter=aware)


def appointments_to_announce(
    appointments: Iterable[Appointment], at: datetime, *, told: Collection[str] = ()
) -> tuple[Appointment, ...]:
    """Return the appointments to tell the doctor about now, the nearest first.

    An appointment is told from 24 hours before its beginning until it begins, once: a round that
    came late still tells it.

    Args:
        appointments: All that are planned.
        at: The present moment.
        told: Ids that were told before.
    """
    now = aware(at)
    due = (
        appointment
        for appointment in appointments
        if appointment.id not in told
        and timedelta(0) < appointment.starts_at - now <= APPOINTMENT_NOTICE
    )
    return tuple(sorted(due, key=lambda appointment: appointment.starts_at))
