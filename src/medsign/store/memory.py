"""A store that forgets: for tests, the sandbox and work that need not survive."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Self

from medsign.errors import StoreError
from medsign.status.journal import NewEvent, StoredEvent
from medsign.store.forks import ProcessLock
from medsign.store.port import Row, check_version, rows_to_append, stored_event


class MemoryStore:
    """Streams in a dictionary, with every promise of a store but durability.

    Example:
        >>> from datetime import UTC, datetime
        >>> store = MemoryStore()
        >>> noon = datetime(2026, 6, 25, 12, tzinfo=UTC)
        >>> store.append("letter/17", 0, [NewEvent("sent", noon, {"pages": 2})])
        1
        >>> [event.kind for event in store.load("letter/17")]
        ['sent']
        >>> list(store.streams("letter/"))
        ['letter/17']
    """

    def __init__(self) -> None:
        self._lock = ProcessLock()
        self._streams: dict[str, list[Row]] | None = {}

    def append(
        self,
        stream: str,
        expected_version: int,
        events: Sequence[NewEvent],
        *,
        durable: bool = True,  # noqa: ARG002 - nothing is, here
    ) -> int:
        """Add events to the end of a stream, all or none, and return its new version."""
        rows = rows_to_append(stream, events)
        with self._lock:
            streams = self._open()
            check_version(stream, expected_version, len(streams.get(stream, ())))
            # In one step each: the child of a fork must not find a stream with no events.
            if stream in streams:
                streams[stream].extend(rows)
            elif rows:
                streams[stream] = [*rows]
            return expected_version + len(rows)

    def load(self, stream: str, after: int = 0, limit: int | None = None) -> Sequence[StoredEvent]:
        """Return the events of a stream whose version is greater than `after`, in order."""
        first = max(after, 0)
        with self._lock:
            rows = self._open().get(stream, [])[first : None if limit is None else first + limit]
        return tuple(
            stored_event(stream, version, row) for version, row in enumerate(rows, start=first + 1)
        )

    def newest(self, prefix: str = "", *, but: Collection[str] = ()) -> Iterator[StoredEvent]:
        """Yield the newest event of each stream whose name starts with a prefix, in their order."""
        with self._lock:
            found = sorted(
                (name, len(rows), rows[-1])
                for name, rows in self._open().items()
                if name.startswith(prefix) and rows[-1].kind not in but
            )
        return (stored_event(*each) for each in found)

    def streams(self, prefix: str = "", after: str = "") -> Iterator[str]:
        """Yield the names of streams that start with a prefix, in code point order."""
        with self._lock:
            names = sorted(self._open())
        return (name for name in names if name.startswith(prefix) and name > after)

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._streams = None

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def _open(self) -> dict[str, list[Row]]:
        if self._streams is None:
            raise StoreError("the store is closed")
        return self._streams
