"""The default store: one SQLite file, shared by the threads and processes of one machine."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import attrs

from medsign.errors import StoreError, VersionConflict
from medsign.status.journal import NewEvent, StoredEvent
from medsign.store.port import Row, check_version, from_json, rows_to_append

_LADDER: tuple[tuple[str, ...], ...] = (
    # Step n leads from schema n to schema n + 1; a step, once released, never changes.
    (
        """CREATE TABLE events (
            stream TEXT NOT NULL, version INTEGER NOT NULL, kind TEXT NOT NULL, at TEXT NOT NULL,
            data TEXT NOT NULL, PRIMARY KEY (stream, version)
        ) WITHOUT ROWID""",
    ),
    # A table of streams makes listing as fast as there are streams, not events; triggers keep
    # the journal append-only whoever opens the file.
    (
        "CREATE TABLE streams (name TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID",
        "INSERT INTO streams SELECT stream, max(version) FROM events GROUP BY stream",
        "ALTER TABLE events RENAME TO events_1",
        """CREATE TABLE events (
            stream TEXT NOT NULL REFERENCES streams (name), version INTEGER NOT NULL,
            kind TEXT NOT NULL, at TEXT NOT NULL, data TEXT NOT NULL,
            PRIMARY KEY (stream, version)
        ) WITHOUT ROWID""",
        "INSERT INTO events SELECT stream, version, kind, at, data FROM events_1",
        "DROP TABLE events_1",
        """CREATE TRIGGER events_are_facts BEFORE UPDATE ON events
            BEGIN SELECT raise(ABORT, 'events are append-only'); END""",
        """CREATE TRIGGER events_stay BEFORE DELETE ON events
            BEGIN SELECT raise(ABORT, 'events are append-only'); END""",
    ),
)
_SET_VERSION = """INSERT INTO streams VALUES (?, ?)
    ON CONFLICT (name) DO UPDATE SET version = excluded.version"""
_PAGE = 500


class SqliteStore:
    """Streams in a SQLite file: durable, and safe between threads, processes and forks.

    A write is on the disk when `append` returns, unless the caller need not wait (write-ahead log,
    ``synchronous=FULL`` or ``NORMAL``); threads that write at once share one turn of the disk, and
    nobody waits for it to read. The file must be on a local disk: SQLite's locks do not work on
    network shares.

    Args:
        path: The file; it is made, readable by its owner only, when missing.
        busy_timeout: Seconds to wait while another process writes.

    Raises:
        StoreError: The file cannot be opened, is damaged, is another program's, or was written by
            a newer medsign.

    Example:
        >>> import tempfile
        >>> from datetime import UTC
        >>> folder = tempfile.TemporaryDirectory()
        >>> with SqliteStore(Path(folder.name) / "journal.db") as store:
        ...     store.append("letter/17", 0, [NewEvent("sent", datetime(2026, 6, 25, tzinfo=UTC))])
        1
        >>> folder.cleanup()
    """

    def __init__(self, path: str | os.PathLike[str], *, busy_timeout: float = 30.0) -> None:
        self._path = Path(path).absolute()
        self._busy_timeout = busy_timeout
        self._closed = False
        self._sessions: dict[tuple[int, str], _Session] = {}
        self._stand_still_at_forks()
        try:
            with self._transaction() as db:
                _migrate(db)
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
        session = self._session("writing")
        session.waiting.append(mine)
        with session.lock:
            if not mine.done:
                # While one batch is on its way to the disk, the next one gathers: what many
                # threads append at once costs one turn of the disk.
                batch = session.gathered()
                self._write(batch if mine in batch else [mine, *batch])
        if mine.error:
            raise mine.error
        return mine.version

    def load(self, stream: str, after: int = 0) -> Sequence[StoredEvent]:
        """Return the events of a stream whose version is greater than `after`, in order."""
        query = """SELECT version, kind, at, data FROM events
            WHERE stream = ? AND version > ? ORDER BY version"""
        return tuple(
            StoredEvent(
                stream=stream,
                version=version,
                kind=kind,
                at=datetime.fromisoformat(at),
                data=from_json(data),
            )
            for version, kind, at, data in self._read(query, stream, after)
        )

    def streams(self, prefix: str = "", after: str = "") -> Iterator[str]:
        """Yield the names of streams that start with a prefix, in code point order."""
        query = """SELECT name FROM streams WHERE name > ?1 AND name >= ?2
            AND substr(name, 1, length(?2)) = ?2 ORDER BY name LIMIT ?3"""
        while page := self._read(query, after, prefix, _PAGE):
            yield from (name for (name,) in page)
            (after,) = page[-1]

    def close(self) -> None:
        """Close the file; a closed store raises `StoreError`."""
        self._closed = True
        for session in self._own_sessions():
            with session.lock:
                if session.connection:
                    session.connection.close()
                session.connection = None

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def _stand_still_at_forks(self) -> None:
        # A lock of SQLite's own that a thread holds during a fork is never released in the child,
        # and SQLite has many: no thread may be inside of it at that moment.
        held: list[threading.Lock] = []
        known = weakref.ref(self)

        def hold() -> None:
            store = known()
            for session in store._own_sessions() if store else ():
                session.lock.acquire()
                held.append(session.lock)

        def release() -> None:
            while held:
                held.pop().release()

        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=hold, after_in_parent=release, after_in_child=release)

    def _own_sessions(self) -> list[_Session]:
        """Return the connections of this process."""
        return [
            session
            for (process, _), session in tuple(self._sessions.items())
            if process == os.getpid()
        ]

    def _write(self, batch: Sequence[_Append]) -> None:
        try:
            with self._transaction(durable=any(each.durable for each in batch)) as db:
                for each in batch:
                    each.error = each.write(db)
        except Exception as error:  # noqa: BLE001 - raised in the thread that asked for it
            if len(batch) == 1:
                batch[0].error = error
            else:
                # One of them is to blame, the others must not suffer.
                for each in batch:
                    self._write([each])
        for each in batch:
            each.done = True

    def _read(self, query: str, *arguments: object) -> list[Any]:
        session = self._session("reading")
        with session.lock, self._connection(session) as db:
            return db.execute(query, arguments).fetchall()

    @contextmanager
    def _transaction(self, *, durable: bool = True) -> Generator[sqlite3.Connection, None, None]:
        """Give the writing connection to whoever holds its lock."""
        with self._connection(self._session("writing")) as db:
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
        with _sqlite_errors_as_store_errors():
            if self._closed:
                raise StoreError("the store is closed")
            if session.connection is None:
                session.connection = _connect(self._path, self._busy_timeout)
            yield session.connection

    def _session(self, use: str) -> _Session:
        # A connection must not cross a fork: each process has its own, and a child keeps its
        # parent's unused, because closing it could disturb the parent's locks.
        return self._sessions.setdefault((os.getpid(), use), _Session())


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

    def write(self, db: sqlite3.Connection) -> VersionConflict | None:
        found = db.execute("SELECT version FROM streams WHERE name = ?", [self.stream]).fetchone()
        try:
            check_version(self.stream, self.expected, found[0] if found else 0)
        except VersionConflict as error:
            return error
        if self.rows:
            db.execute(_SET_VERSION, [self.stream, self.version])
            db.executemany(
                "INSERT INTO events VALUES (?, ?, ?, ?, ?)",
                [
                    (self.stream, version, row.kind, row.at, row.data)
                    for version, row in enumerate(self.rows, start=self.expected + 1)
                ],
            )
        return None


@attrs.define(eq=False)
class _Session:
    """One connection of one process, and who waits to write by it."""

    lock: threading.Lock = attrs.field(factory=threading.Lock)
    connection: sqlite3.Connection | None = None
    waiting: deque[_Append] = attrs.field(factory=deque[_Append])

    def gathered(self) -> list[_Append]:
        return [self.waiting.popleft() for _ in range(len(self.waiting))]


@contextmanager
def _sqlite_errors_as_store_errors() -> Generator[None, None, None]:
    try:
        yield
    except (sqlite3.Error, OSError, OverflowError) as error:
        raise StoreError(f"SQLite: {error}") from error


def _connect(path: Path, busy_timeout: float) -> sqlite3.Connection:
    path.touch(mode=0o600)  # SQLite would let everybody read a file it makes
    db = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None, check_same_thread=False)
    try:
        _switch_to_wal(db)
        db.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        db.close()
        raise
    return db


def _switch_to_wal(db: sqlite3.Connection) -> None:
    # The switch does not wait for another process that is switching the same new file; an
    # immediate transaction does, and after it there is nothing left to switch.
    for _ in range(10):
        with suppress(sqlite3.OperationalError):
            db.execute("PRAGMA journal_mode = WAL")
            return
        db.execute("BEGIN IMMEDIATE")
        db.execute("ROLLBACK")
    db.execute("PRAGMA journal_mode = WAL")


def _migrate(db: sqlite3.Connection) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if not 0 <= version <= len(_LADDER):
        raise StoreError(f"the file has schema {version}; this medsign knows up to {len(_LADDER)}")
    if version == 0 and db.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise StoreError("the file is a database of another program")
    for step in _LADDER[version:]:
        for statement in step:
            db.execute(statement)
    db.execute(f"PRAGMA user_version = {len(_LADDER)}")
