"""What every store promises.

`medsign.testing.store_conformance` holds the promises as tests; run them on a store of your own.
Stores are synchronous: drivers call them in a worker thread.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, Self, cast

import attrs

from medsign.errors import StoreError, UsageError, VersionConflict
from medsign.status.journal import JSON, EventLog, NewEvent


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
        UsageError: The stream has no printable name, or the data are not JSON.
    """
    if not stream or not stream.isprintable():
        raise UsageError("a stream needs a printable name")
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


def from_json(text: str) -> Mapping[str, JSON]:
    """Return the data of a stored event.

    Raises:
        StoreError: The stored text was damaged.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise StoreError("stored event data are damaged") from None
    if not isinstance(data, dict):
        raise StoreError("stored event data are damaged")
    return cast("dict[str, JSON]", data)


def _to_json(data: Mapping[str, JSON]) -> str:
    try:
        text = json.dumps(dict(data), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        text.encode()  # a lone surrogate is a string of Python but not of JSON
    except (TypeError, ValueError, RecursionError):
        raise UsageError(
            "event data must be JSON: maps with text keys, lists, text, finite numbers"
        ) from None
    return text
