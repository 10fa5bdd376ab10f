"""What every store promises.

`medsign.testing.store_conformance` holds the promises as tests; run them on a store of your own.
Stores are synchronous: drivers call them in a worker thread.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, Self, cast

import attrs

from medsign.clock import aware
from medsign.errors import StoreError, UsageError, VersionConflict
from medsign.status.journal import JSON, EventLog, NewEvent, StoredEvent


class Store(EventLog, Protocol):
    """An append-only event store with optimistic locking.

    Safe to share between threads.
    """

    def append(
        self,
        stream: str,
        expected_version: int,
        events: Sequence[NewEvent],
        *,
        durable: bool = True,
    ) -> int:
        """Add events to the end of a stream, all or none, and return its new version.

        Args:
            stream: Its name.
            expected_version: Where the caller thinks the stream is; 0 for a new one.
            events: What to add.
            durable: Whether to wait until the events are on the disk. Without, they are seen by
                everybody at once and outlive the process, but a power cut may take them, and
                never what came before them; they are on the disk with the next durable append to
                any stream at the latest.

        Raises:
            VersionConflict: The stream is not at the expected version.
            StoreError: The store failed; nothing was added.
        """
        ...

    def load(self, stream: str, after: int = 0, limit: int | None = None) -> Sequence[StoredEvent]:
        """Return the events of a stream whose version is greater than `after`, in order.

        Args:
            stream: Its name.
            after: The last version that is known already.
            limit: How many to return at most; ``None`` for all.

        Raises:
            StoreError: The store failed, or one of the events is damaged.
        """
        ...

    def newest(self, prefix: str = "", *, but: Collection[str] = ()) -> Iterator[StoredEvent]:
        """Yield the newest event of each stream whose name starts with a prefix, in their order.

        Args:
            prefix: Beginning of the names; the stream that it names in full comes first.
            but: Kinds that are of no interest; a stream that ends so costs next to nothing.
        """
        ...

    def streams(self, prefix: str = "", after: str = "") -> Iterator[str]:
        """Yield the names of streams that start with a prefix, in code point order.

        Args:
            prefix: Beginning of the names.
            after: Only names greater than this one: the last name seen, to go on later.
        """
        ...

    def close(self) -> None:
        """Release what the store holds; a closed store raises `StoreError`."""
        ...

    def __enter__(self) -> Self:
        """Return the store itself."""
        ...

    def __exit__(self, *_: object) -> None:
        """Close it."""
        ...


@attrs.frozen
class Row:
    """An event as stores keep it: text only, so that no caller can reach in and change it."""

    kind: str
    at: str
    data: str = attrs.field(repr=False)


def rows_to_append(stream: str, events: Sequence[NewEvent]) -> tuple[Row, ...]:
    """Check what a caller asks to store and return it as text.

    Raises:
        UsageError: The stream has no printable name, a kind is no text, or the data are not JSON.
    """
    if not stream or not stream.isprintable():
        raise UsageError("a stream needs a printable name")
    for event in events:
        _check_kind(event.kind)
    return tuple(
        Row(event.kind, event.at.isoformat(timespec="microseconds"), _to_json(event.data))
        for event in events
    )


def check_version(stream: str, expected: int, actual: int) -> None:
    """Refuse to append unless the stream is where the caller thinks it is.

    Raises:
        VersionConflict: It is not.
    """
    if expected != actual:
        raise VersionConflict(stream, expected, actual)


def stored_event(stream: str, version: int, row: Row) -> StoredEvent:
    """Return an event as it was appended.

    Raises:
        StoreError: What was stored of it was damaged.
    """
    try:
        _check_kind(row.kind)
        at, data = aware(datetime.fromisoformat(row.at)), json.loads(row.data)
        if isinstance(data, dict):
            said = cast("dict[str, JSON]", data)
            return StoredEvent(stream=stream, version=version, kind=row.kind, at=at, data=said)
    except (TypeError, ValueError, OverflowError, RecursionError):
        pass
    raise StoreError(f"stored event {version} is damaged")


def _check_kind(kind: Any) -> None:
    try:
        kind.encode()
    except (AttributeError, UnicodeEncodeError):
        raise UsageError("the kind of an event must be text") from None


def _to_json(data: Mapping[str, JSON]) -> str:
    try:
        text = json.dumps(dict(data), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        text.encode()  # a lone surrogate is a string of Python but not of JSON
        _check_keys(data)
    except (TypeError, ValueError, RecursionError):
        raise UsageError(
            "event data must be JSON: maps with text keys, lists, text, finite numbers"
        ) from None
    return text


def _check_keys(value: Any) -> None:
    if isinstance(value, Mapping):
        for key, each in value.items():  # pyright: ignore[reportUnknownVariableType]
            if not isinstance(key, str):
                raise TypeError("json.dumps turns other keys into text without a word")
            _check_keys(each)
    elif isinstance(value, list | tuple):
        for each in value:  # pyright: ignore[reportUnknownVariableType]
            _check_keys(each)
