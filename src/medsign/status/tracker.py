"""One entity on its way through a status model."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

import attrs

from medsign.clock import Clock, aware
from medsign.errors import VersionConflict
from medsign.status.journal import JSON, Entry, Journal
from medsign.status.model import State, StatusModel
from medsign.status.terms import PLAIN_CALENDAR, Calendar, due

E = TypeVar("E")
_log = logging.getLogger("medsign")


@attrs.frozen(kw_only=True)
class StateChanged:
    """Told to `on_change` after a new state is in the journal.

    Attributes:
        model: Name of the status model.
        entity: Id of the entity.
        before: The state it left.
        after: The state it entered.
        entry: The line of the journal that says so.
    """

    model: str
    entity: str
    before: State
    after: State
    entry: Entry


class Tracker:
    """The state of one entity, kept in a journal.

    A tracker works on what it has read: when another process has moved the entity meanwhile,
    `fire` raises `VersionConflict`, changes nothing and reads anew, so that a person can decide
    on the true state. A tracker serves one thread.

    Args:
        model: The table.
        journal: Where the history is kept.
        entity: Id of the entity, opaque: it becomes part of a stream name.
        clock: Where time is taken from.
        on_change: Called after each change of state, for monitoring. It cannot undo the change:
            when it raises, that is logged and the change stands.
        calendar: Days off, for deadlines in working days.

    Example:
        >>> from datetime import UTC
        >>> from medsign.clock import ManualClock
        >>> from medsign.store import MemoryStore
        >>> model = StatusModel(
        ...     name="letter",
        ...     states=[State("draft", "Черновик"), State("sent", "Отправлено", terminal=True)],
        ...     initial="draft",
        ...     transitions={"draft": {"send": "sent"}},
        ... )
        >>> clock = ManualClock(datetime(2026, 6, 25, tzinfo=UTC))
        >>> tracker = Tracker(model, Journal(MemoryStore()), "17", clock)
        >>> tracker.fire("send", who="registrar-3").after
        'sent'
        >>> tracker.state.label
        'Отправлено'
    """

    def __init__(
        self,
        model: StatusModel,
        journal: Journal,
        entity: str,
        clock: Clock,
        *,
        on_change: Callable[[StateChanged], None] | None = None,
        calendar: Calendar = PLAIN_CALENDAR,
    ) -> None:
        self.model = model
        self.entity = entity
        self._journal = journal
        self._stream = f"{model.name}/{entity}"
        self._clock = clock
        self._on_change = on_change
        self._calendar = calendar
        self._entries: tuple[Entry, ...] = ()
        self.refresh()

    def refresh(self) -> None:
        """Read what others have written since."""
        self._entries += self._journal.read(self._stream, after=len(self._entries))

    @property
    def history(self) -> tuple[Entry, ...]:
        """All entries read so far, oldest first."""
        return self._entries

    @property
    def state(self) -> State:
        """The present state.

        Raises:
            UsageError: The journal was written with a model that had more states.
        """
        return self.model.state(self._entries[-1].after if self._entries else self.model.initial)

    @property
    def allowed(self) -> frozenset[str]:
        """The events that the present state allows."""
        return self.model.allowed(self.state.code)

    @property
    def doubt(self) -> Entry | None:
        """The last remote status if it did not fit the table, else ``None``."""
        return self._entries[-1] if self._entries and self._entries[-1].doubtful else None

    @property
    def since(self) -> datetime | None:
        """When the present state began, or ``None`` when nobody has said."""
        begun = None
        for entry in self._entries:
            if entry.enters or (begun is None and not entry.doubtful):
                begun = entry.moment
        return begun

    @property
    def due(self) -> datetime | None:
        """When the present state should be over, or ``None`` without a deadline or a start."""
        term, since = self.state.deadline, self.since
        return due(term, since, self._calendar) if term and since else None

    def overdue(self, now: datetime | None = None) -> bool:
        """Tell whether the present state has lasted longer than its deadline.

        Args:
            now: The moment to judge at; the clock's when left out.
        """
        return self.due is not None and aware(now or self._clock.now()) > self.due

    def fire(self, event: str, *, who: str, evidence: Mapping[str, JSON] | None = None) -> Entry:
        """Apply an event.

        Args:
            event: What was done.
            who: Who did it: an opaque id, never a person's name.
            evidence: What proves it.

        Raises:
            IllegalTransition: The present state does not allow the event; nothing has changed.
            VersionConflict: Another writer was first; nothing has changed, the state is read anew.
        """
        before = self.state.code
        return self._write(
            Entry(
                at=self._clock.now(),
                who=who,
                before=before,
                after=self.model.apply(before, event),
                event=str(event),
                evidence=evidence or {},
            )
        )

    def observe(
        self,
        text: str,
        *,
        who: str,
        said_at: datetime | None = None,
        evidence: Mapping[str, JSON] | None = None,
    ) -> Entry:
        """Take over the status that a remote system states.

        Intermediate states may be skipped, because a remote system is asked only now and then.
        A text that is unknown, or a state to which no path leads, is written down as doubtful
        and the state stays. Hearing the same again writes nothing.

        Args:
            text: The status as the remote system wrote it.
            who: Which system said so.
            said_at: When the change happened, if the system tells.
            evidence: What proves it.
        """
        while True:
            before = self.state.code
            said = self.model.recognise(text)
            fits = isinstance(said, State) and self.model.path(before, said.code) is not None
            entry = Entry(
                at=self._clock.now(),
                who=who,
                before=before,
                after=said.code if isinstance(said, State) and fits else before,
                said=text,
                said_at=said_at and aware(said_at),
                doubtful=not fits,
                evidence=evidence or {},
            )
            last = self._entries[-1] if self._entries else None
            if last and (last.said, last.after, last.who) == (text, entry.after, who):
                return last
            try:
                return self._write(entry)
            except VersionConflict:
                continue  # a fact stays a fact: judge it against what others wrote

    def _write(self, entry: Entry) -> Entry:
        try:
            self._journal.write(self._stream, len(self._entries), entry)
        except VersionConflict:
            self.refresh()
            raise
        self._entries += (entry,)
        if self._on_change and entry.before != entry.after:
            self._tell(self._on_change, entry)
        return entry

    def _tell(self, on_change: Callable[[StateChanged], None], entry: Entry) -> None:
        states = self.model.states
        change = StateChanged(
            model=self.model.name,
            entity=self.entity,
            before=states[entry.before],
            after=states[entry.after],
            entry=entry,
        )
        notify(on_change, change)


def notify(hook: Callable[[E], None], event: E, *, log: bool = True) -> bool:
    """Call a hook with an event: what it raises harms nobody, for the event has happened.

    Args:
        hook: What to call.
        event: What it is told.
        log: Whether the type of what it raises is told to the logger ``medsign``.

    Returns:
        Whether the hook took the event.
    """
    try:
        hook(event)
    except Exception as error:  # noqa: BLE001 - monitoring must not undo what was done
        if log:
            _log.error("a hook for events fails: %s", type(error).__name__)
        return False
    return True
