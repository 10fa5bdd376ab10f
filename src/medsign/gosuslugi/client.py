"""The rules of the doctor's cabinet as one service among the others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from medsign.clock import Clock, SystemClock
from medsign.gosuslugi.findings import Finding
from medsign.gosuslugi.forms import REGISTRATION_FORM, Blocking, FormField, check_form
from medsign.gosuslugi.kits import Document, KitProfile, KitReport, check_kit
from medsign.gosuslugi.notices import (
    Appointment,
    StageNotice,
    appointments_to_announce,
    stage_notice,
)
from medsign.gosuslugi.signatures import Action, SignatureLevel, check_signature
from medsign.gosuslugi.status import Stage, application_due, licence_due
from medsign.status import Calendar


class Gosuslugi:
    """What the portal would refuse, told before anything is sent.

    The cabinet has no public API, so nothing here does I/O and the same object serves sync and
    async callers.

    Args:
        clock: Where the present moment is taken from.
        calendar: Days off, for terms in working days.
        blocking: When repeated errors close the cabinet; ``None`` for never.

    Example:
        >>> Gosuslugi().check_kit([], "faq_doctor_status").accepted
        False
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        calendar: Calendar | None = None,
        blocking: Blocking | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._calendar = calendar or Calendar()
        self._blocking = blocking

    def check_kit(
        self, documents: Iterable[Document], profile: KitProfile | str = "registration"
    ) -> KitReport:
        """Judge a kit of documents as of now; see `medsign.gosuslugi.check_kit`."""
        return check_kit(documents, profile, self._clock.now())

    def check_form(
        self, values: Mapping[str, str], fields: Iterable[FormField] = REGISTRATION_FORM
    ) -> tuple[Finding, ...]:
        """Return everything wrong with a filled form."""
        return check_form(values, fields)

    def check_signature(self, action: Action, level: SignatureLevel) -> Finding | None:
        """Tell what hinders an action that is signed with a level, if anything does."""
        return check_signature(action, level)

    def blocked_until(self, errors: Iterable[datetime]) -> datetime | None:
        """Return when a cabinet closed by repeated errors opens, or ``None`` when it is open."""
        if self._blocking is None:
            return None
        return self._blocking.blocked_until(errors, self._clock.now())

    def application_due(self, received: datetime, *, inaccurate: bool = False) -> datetime:
        """Return by when a cabinet must be open."""
        return application_due(received, inaccurate=inaccurate, calendar=self._calendar)

    def licence_due(self, received: datetime, *, express: str | None = None) -> datetime | None:
        """Return by when an application for a licence must be decided on, if a term is stated."""
        return licence_due(received, express=express, calendar=self._calendar)

    def stage_notice(
        self, stage: Stage, since: datetime, *, upload_url: str, faults: Iterable[str] = ()
    ) -> StageNotice:
        """Return what to tell a doctor right after a change of stage."""
        return stage_notice(
            stage, since, upload_url=upload_url, faults=faults, calendar=self._calendar
        )

    def appointments_to_announce(
        self, appointments: Iterable[Appointment], *, told: Collection[str] = ()
    ) -> tuple[Appointment, ...]:
        """Return the appointments to tell the doctor about now, the nearest first."""
        return appointments_to_announce(appointments, self._clock.now(), told=told)
