"""The default store: one SQLite file, shared by the threads and processes of one machine."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from copy import copy
from pathlib import Path
from typing import Any, Self

import attrs

from medsign.errors import StoreError
from medsign.status.journal import NewEvent, StoredEvent
from medsign.store.file import connect, migrate, read_untouched, sqlite_errors_as_store_errors
from medsign.store.forks import stand_still_at_forks
from medsign.store.port import Row, check_version, rows_to_append, stored_event

_SET_VERSION = """INSERT INTO streams VALUES (?, ?)
    ON CONFLICT (name) DO UPDATE SET version = excluded.version"""
_EVENTS = """SELECT version, kind, at, data FROM events
    WHERE stream = ? AND version > ? ORDER BY version LIMIT ?"""
_NAMES = """SELECT name FROM streams WHERE name > ?1 AND name >= ?2
    AND substr(name, 1, length(?2)) = ?2 ORDER BY name LIMIT ?3"""
_NEWEST = f"""SELECT name, version, kind, at, data FROM ({_NAMES}) LEFT JOIN events
    ON stream = name AND version = (SELECT max(version) FROM events WHERE stream = name)
    AND kind NOT IN (SELECT value FROM json_each(?4))
    ORDER BY name"""  # noqa: S608 - of constants
_PAGE = 500


class SqliteStore:
    """Streams in a SQLite file: durable, and safe between threads, processes and forks.

    A write is on the disk when `append` returns, unless the caller need not wait (write-ahead log,
    ``synchronous=FULL`` or ``NORMAL``); threads that write at once share one turn of the disk, and
    nobody waits for it to read. A fork waits for whoever reads or writes just then. The file must
    be on a local disk: SQLite's locks do not work on network shares.

    Args:
        path: The file; it is made, readable by its owner only, when missing.
        busy_timeout: Seconds to wait while another process writes.
        read_only: Whether the file is evidence: it is not changed, appending is refused, and of a
            journal that nobody has open not even a helper file appears, so that it may lie on a
            read-only medium.

    Raises:
        StoreError: The file cannot be opened, is damaged, is another program's, or was written by
            a newer medsign; a file to be read only is missing, holds no journal or one of an older
            medsign.

    Example:
        >>> import tempfile
        >>> from datetime import UTC, datetime
        >>> folder = tempfile.TemporaryDirectory()
        >>> with SqliteStore(Path(folder.name) / "journal.db") as store:
        ...     store.append("letter/17", 0, [NewEvent("sent", datetime(2026, 6, 25, tzinfo=UTC))])
        1
        >>> folder.cleanup()
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        busy_timeout: float = 30.0,
        read_only: bool = False,
    ) -> None:
        self._path = Path(path).absolute()
        self._busy_timeout = busy_timeout
        self._read_only = read_only
        self._closed = False
        self._sessions = _Sessions()
        try:
            if read_only:
                self._read("SELECT 1")
            else:
                with self._sessions.here.writing.lock, self._transaction() as db:
                    migrate(db)
        except BaseException:
            self.close()
            raise

    def append(
        self,
        stream: str,
        expected_version: int,
        events: Sequence[NewEvent],
        *,
        durable: bool = True,
    ) -> int:
        """Add events to the end of a stream, all or none, and return its new version."""
        mine = _Append(stream, expected_version, rows_to_append(stream, events), durable)
        if self._read_only:
            raise StoreError("the journal was opened for reading only")
        session = self._sessions.here.writing
        session.waiting.append(mine)
        with session.lock:
            if not mine.done:
                # While one batch is on its way to the disk, the next one gathers: what many
                # threads append at once costs one turn of the disk.
                batch = session.gathered()
                self._write(batch if mine in batch else [mine, *batch])
        if mine.error:
            # Those who were written together share one error, and a traceback belongs to one.
            raise copy(mine.error) from mine.error.__cause__
        return mine.version

    def load(self, stream: str, after: int = 0, limit: int | None = None) -> Sequence[StoredEvent]:
        """Return the events of a stream whose version is greater than `after`, in order."""
        rows = self._read(_EVENTS, stream, after, -1 if limit is None else limit)
        return tuple(stored_event(stream, version, Row(*row)) for version, *row in rows)

    def newest(self, prefix: str = "", *, but: Collection[str] = ()) -> Iterator[StoredEvent]:
        """Yield the newest event of each stream whose name starts with a prefix, in their order."""
        for stream, version, *row in self._pages(_NEWEST, prefix, "", json.dumps([*but])):
            if version is not None:
                yield stored_event(stream, version, Row(*row))

    def streams(self, prefix: str = "", after: str = "") -> Iterator[str]:
        """Yield the names of streams that start with a prefix, in code point order."""
        for (name,) in self._pages(_NAMES, prefix, after):
            yield name

    def close(self) -> None:
        """Close the file; a closed store raises `StoreError`."""
        self._closed = True
        with self._sessions.standing_still():
            pass

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def _write(self, batch: Sequence[_Append]) -> None:
        try:
            with self._transaction(durable=any(each.durable for each in batch)) as db:
                for each in batch:
                    each.write(db)
        except Exception as error:  # noqa: BLE001 - raised in the threads that asked for it
            for each in batch:
                each.error = each.error or error
        for each in batch:
            each.done = True

    def _pages(self, query: str, prefix: str, after: str, *more: object) -> Iterator[Any]:
        while page := self._read(query, after, prefix, _PAGE, *more):
            yield from page
            after = page[-1][0]

    def _read(self, query: str, *arguments: object) -> list[Any]:
        if self._read_only:
            with self._typed():
                return read_untouched(self._path, self._busy_timeout, query, arguments)
        session = self._sessions.here.reading
        with session.lock, self._connection(session) as db:
            return db.execute(query, arguments).fetchall()

    @contextmanager
    def _transaction(self, *, durable: bool = True) -> Generator[sqlite3.Connection, None, None]:
        """Give the writing connection to whoever holds its lock."""
        with self._connection(self._sessions.here.writing) as db:
            # FULL forces the log to the disk at the commit, and with it all that NORMAL left there.
            db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            try:
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")

    @contextmanager
    def _connection(self, session: _Session) -> Generator[sqlite3.Connection, None, None]:
        with self._typed():
            if session.connection is None:
                session.connection = connect(self._path, self._busy_timeout)
            yield session.connection

    @contextmanager
    def _typed(self) -> Generator[None, None, None]:
        if self._closed:
            raise StoreError("the store is closed")
        with sqlite_errors_as_store_errors():
            yield


@attrs.define(eq=False)
class _Append:
    """Events that wait to be written."""

    stream: str
    expected: int
    rows: Sequence[Row]
    durable: bool
    done: bool = False
    error: Exception | None = None

    @property
    def version(self) -> int:
        return self.expected + len(self.rows)

    def write(self, db: sqlite3.Connection) -> None:
        db.execute("SAVEPOINT one")
        try:
            with sqlite_errors_as_store_errors():
                self._insert(db)
        except Exception as error:
            if not db.in_transaction:
                raise  # the disk is full, for instance: SQLite has given up all of them
            self.error = error  # its own, and none that it is written with must suffer
            db.execute("ROLLBACK TO one")
        db.execute("RELEASE one")

    def _insert(self, db: sqlite3.Connection) -> None:
        found = db.execute("SELECT version FROM streams WHERE name = ?", [self.stream]).fetchone()
        check_version(self.stream, self.expected, found[0] if found else 0)
        if self.rows:
            db.execute(_SET_VERSION, [self.stream, self.version])
            db.executemany(
                "INSERT INTO events VALUES (?, ?, ?, ?, ?)",
                [
                    (self.stream, version, row.kind, row.at, row.data)
                    for version, row in enumerate(self.rows, start=self.expected + 1)
                ],
            )


@attrs.define(eq=False)
class _Session:
    """One connection, and who waits to write by it."""

    lock: threading.Lock = attrs.field(factory=threading.Lock)
    connection: sqlite3.Connection | None = None
    waiting: deque[_Append] = attrs.field(factory=deque[_Append])

    def gathered(self) -> list[_Append]:
        return [self.waiting.popleft() for _ in range(len(self.waiting))]

    def disconnect(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None


@attrs.frozen(eq=False)
class _Pair:
    """The sessions of one process: nobody who reads waits for the disk."""

    writing: _Session = attrs.field(factory=_Session)
    reading: _Session = attrs.field(factory=_Session)


class _Sessions:
    """The sessions of a store, by process; no connection crosses a fork.

    SQLite knows the locks of a process by the file, not by the connection. A child that inherits
    an open file believes that it holds its parent's locks: when the parent closes the file, SQLite
    takes the log away from under the child, and what the child appends is lost.
    """

    def __init__(self) -> None:
        self._by_process = {os.getpid(): _Pair()}
        stand_still_at_forks(self)

    @property
    def here(self) -> _Pair:
        process = os.getpid()
        return self._by_process.get(process) or self._by_process.setdefault(process, _Pair())

    @contextmanager
    def standing_still(self) -> Generator[None, None, None]:
        # Nor may a thread be inside of SQLite then: it has locks of its own.
        with ExitStack() as locks:
            for session in (self.here.writing, self.here.reading):
                locks.enter_context(session.lock)
                session.disconnect()
            yield
