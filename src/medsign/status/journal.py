"""The history of a process: an append-only stream of what was done and what was said.

This module also states what a journal needs from a store (`EventLog`); the room `medsign.store`
above it has the stores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeAlias

import attrs

from medsign.clock import aware
from medsign.errors import StoreError

JSON: TypeAlias = bool | int | float | str | Sequence["JSON"] | Mapping[str, "JSON"] | None
"""What may be stored as the data of an event."""


@attrs.frozen
class NewEvent:
    """An event to append.

    Args:
        kind: What happened, a word for programs.
        at: When, aware.
        data: Particulars; may hold personal data, so they stay out of the repr.
    """

    kind: str
    at: datetime = attrs.field(converter=aware)
    data: Mapping[str, JSON] = attrs.field(factory=dict[str, JSON], repr=False)


@attrs.frozen(kw_only=True)
class StoredEvent:
    """An event as a store returns it; versions of a stream start at 1."""

    stream: str
    version: int
    kind: str
    at: datetime
    data: Mapping[str, JSON] = attrs.field(repr=False)


class EventLog(Protocol):
    """What a journal needs of a store."""

    def append(self, stream: str, expected_version: int, events: Sequence[NewEvent]) -> int:
        """Add events to the end of a stream, all or none, and return its new version.

        Raises:
            VersionConflict: The stream is not at the expected version (0 for a new stream).
            StoreError: The store failed; nothing was added.
        """
        ...

    def load(self, stream: str, after: int = 0) -> Sequence[StoredEvent]:
        """Return the events of a stream whose version is greater than `after`, in order."""
        ...


@attrs.frozen(kw_only=True)
class Entry:
    """One line of a history.

    Attributes:
        at: When it was written down.
        who: Who did or said it: an account or a system, an opaque id, never a person's name.
        before: Code of the state before.
        after: Code of the state after; the same when nothing moved.
        event: The event that was fired, or ``None`` when a remote status was observed.
        said: The remote status text as it came, or ``None`` when an event was fired.
        said_at: When the remote system says it happened, or ``None``.
        doubtful: The remote status is unknown or no path of the table leads to it, so the state
            was left as it was; somebody should look.
        evidence: What proves it, for instance digests and numbers of answers.
    """

    at: datetime
    who: str
    before: str
    after: str
    event: str | None = None
    said: str | None = attrs.field(default=None, repr=False)
    said_at: datetime | None = None
    doubtful: bool = False
    evidence: Mapping[str, JSON] = attrs.field(factory=dict[str, JSON], repr=False)

    @property
    def moment(self) -> datetime:
        """When it happened, as far as anybody has said."""
        return self.said_at or self.at

    @property
    def enters(self) -> bool:
        """Whether a state begins here: it changed, or an event led back into it."""
        return self.event is not None or self.before != self.after


class Journal:
    """A typed view of the streams of a store: reads and writes entries.

    Args:
        log: The store.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def read(self, stream: str, after: int = 0) -> tuple[Entry, ...]:
        """Return the entries of a stream beyond a version, oldest first.

        Raises:
            StoreError: The stream holds something that is not an entry.
        """
        return tuple(_entry(event) for event in self._log.load(stream, after))

    def write(self, stream: str, expected_version: int, entry: Entry) -> int:
        """Append an entry and return the new version of the stream.

        Raises:
            VersionConflict: Somebody else wrote first.
        """
        data = attrs.asdict(entry, recurse=False, filter=lambda field, _: field.name != "at")
        data["said_at"] = entry.said_at and entry.said_at.isoformat()
        kind = "observed" if entry.event is None else "fired"
        return self._log.append(stream, expected_version, [NewEvent(kind, entry.at, data)])


def _entry(event: StoredEvent) -> Entry:
    data: dict[str, Any] = dict(event.data)
    try:
        data["said_at"] = data["said_at"] and datetime.fromisoformat(data["said_at"])
        return Entry(at=event.at, **data)
    except (KeyError, TypeError, ValueError):
        raise StoreError(
            f"stream {event.stream!r}, version {event.version}: not an entry of a journal"
        ) from None
