"""Where the world keeps its state: JSON documents in named drawers, in memory or in one file."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

import attrs

from medsign.codec import json
from medsign.errors import StoreError

T = TypeVar("T")


class _Database(sqlite3.Connection):
    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        with _typed():
            return super().execute(*arguments)


@contextmanager
def _typed() -> Generator[None, None, None]:
    try:
        yield
    except sqlite3.Error as error:
        # Without the path: it may name a person's folder.
        raise StoreError(f"the file of the sandbox cannot be used: {error}") from error


class Shelf:
    """Drawers of documents; what one transaction changes is kept as a whole or not at all.

    Args:
        path: A file that outlives the process, or ``None`` for a shelf that forgets.

    Raises:
        StoreError: The file cannot be used, or the shelf is closed.

    Example:
        >>> letters = Shelf().drawer("letters", dict[str, int])
        >>> letters.put("17", {"pages": 2})
        >>> letters.get("17")
        {'pages': 2}
        >>> letters.get("18") is None
        True
    """

    def __init__(self, path: Path | None = None) -> None:
        # One writer at a time: the sandbox holds its lock around every request.
        with _typed():
            self._db = sqlite3.connect(
                path or ":memory:",
                isolation_level=None,
                check_same_thread=False,
                factory=_Database,
            )
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS document (number INTEGER PRIMARY KEY AUTOINCREMENT,"
            " drawer TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (drawer, key))"
        )

    def drawer(self, name: str, kind: type[T]) -> Drawer[T]:
        """Return the drawer of this name, whose documents are all of one type."""
        return Drawer(self._db, name, kind)

    @contextmanager
    def transaction(self) -> Generator[None, None, None]:
        """Undo every change made inside when an exception leaves the block."""
        self._db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._db.close()


@attrs.frozen
class Drawer(Generic[T]):
    """Documents of one type by key, in the order in which they were first put.

    Made by `Shelf.drawer`. A document is an attrs class or plain JSON; it goes through
    `medsign.codec.json`, so what is read back is equal and typed.
    """

    _db: sqlite3.Connection
    name: str
    kind: type[T]

    def get(self, key: str) -> T | None:
        """Return a document, or ``None``."""
        row = self._db.execute(
            "SELECT value FROM document WHERE drawer = ? AND key = ?", (self.name, key)
        ).fetchone()
        return row and json.decode(self.kind, row[0].encode(), what=self.name)

    def put(self, key: str, document: T) -> None:
        """Put a document, or replace the one of this key."""
        self._db.execute(
            "INSERT INTO document (drawer, key, value) VALUES (?, ?, ?)"
            " ON CONFLICT (drawer, key) DO UPDATE SET value = excluded.value",
            (self.name, key, json.encode(document).decode()),
        )

    def remove(self, key: str) -> None:
        """Remove a document, if there is one."""
        self._db.execute("DELETE FROM document WHERE drawer = ? AND key = ?", (self.name, key))

    def items(self) -> Iterator[tuple[str, T]]:
        """Yield keys and documents, oldest first."""
        rows = self._db.execute(
            "SELECT key, value FROM document WHERE drawer = ? ORDER BY number", (self.name,)
        ).fetchall()
        for key, value in rows:
            yield key, json.decode(self.kind, value.encode(), what=self.name)

    def values(self) -> Iterator[T]:
        """Yield documents, oldest first."""
        return (document for _, document in self.items())
