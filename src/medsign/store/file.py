"""The file of the default store: its schema, how it is opened, how it is read without a trace."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from medsign.errors import StoreError

LADDER: tuple[tuple[str, ...], ...] = (
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
_LOG_KEPT = 16 * 1024 * 1024  # octets: one large event must not leave a large log for ever
_GLANCES = 5
_NO_INDEX = (
    "beside the file is its log (-wal), and the folder takes no index of it: "
    "copy both elsewhere to read them"
)


@contextmanager
def sqlite_errors_as_store_errors() -> Generator[None, None, None]:
    """Raise `StoreError` for what SQLite and the disk raise, without what the journal holds."""
    try:
        yield
    except sqlite3.Error as error:
        if not hasattr(error, "sqlite_errorcode"):
            # Not SQLite's but Python's own: of text that is no UTF-8 it quotes all.
            raise StoreError(f"SQLite: {type(error).__name__}") from None
        raise StoreError(f"SQLite: {error}") from error
    except OSError as error:
        raise StoreError(f"the journal file: {error.strerror}") from None  # a path may hold a name
    except OverflowError as error:
        raise StoreError(f"SQLite: {error}") from error


def connect(path: Path, busy_timeout: float) -> sqlite3.Connection:
    """Open the file to read and write, and make it when it is missing."""
    with suppress(FileExistsError):
        # SQLite would let everybody read a file it makes. One that is there must not be opened
        # here: closing it would drop the locks of this process's other connections.
        path.touch(mode=0o600, exist_ok=False)
    db = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None, check_same_thread=False)
    try:
        _switch_to_wal(db)
        db.execute(f"PRAGMA journal_size_limit = {_LOG_KEPT}")
        db.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        db.close()
        raise
    return db


def migrate(db: sqlite3.Connection) -> None:
    """Bring the file to the newest schema.

    Raises:
        StoreError: It is another program's, or a newer medsign's.
    """
    version = _version(db)
    for step in LADDER[version:]:
        for statement in step:
            db.execute(statement)
    db.execute(f"PRAGMA user_version = {len(LADDER)}")


def read_untouched(
    path: Path, busy_timeout: float, query: str, arguments: Sequence[object]
) -> list[Any]:
    """Ask a file that must stay as it is, and have no file put beside it if that can be.

    Raises:
        StoreError: It is missing or no journal, has an older schema, or was written to so often
            that nothing could be read.
    """
    for _ in range(_GLANCES):
        # A file with no log is complete: read as one that nobody changes, it needs no helper
        # files, and its folder may be read-only. With a log, SQLite wants an index of it there.
        before = _state(path)
        locked = bool(before[-1])
        how = "mode=ro" if locked else "mode=ro&immutable=1"
        try:
            name = f"{path.as_uri()}?{how}"
            with closing(sqlite3.connect(name, timeout=busy_timeout, uri=True)) as db:
                _require_newest(db)
                rows = db.execute(query, arguments).fetchall()
        except (sqlite3.Error, StoreError) as error:
            if locked and getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_CANTOPEN:
                raise StoreError(_NO_INDEX) from error
            if locked or _state(path) == before:
                raise
        else:
            if locked or _state(path) == before:
                return rows
    raise StoreError("the file was written to each time it was read")


def _require_newest(db: sqlite3.Connection) -> None:
    if (version := _version(db)) != len(LADDER):
        what = f"a journal of schema {version}; open it to write once" if version else "no journal"
        raise StoreError(f"the file holds {what}")


def _state(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, _has_log(path)


def _has_log(path: Path) -> bool:
    with suppress(FileNotFoundError):
        return path.with_name(f"{path.name}-wal").stat().st_size > 0
    return False


def _version(db: sqlite3.Connection) -> int:
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    if not 0 <= version <= len(LADDER):
        raise StoreError(f"the file has schema {version}; this medsign knows up to {len(LADDER)}")
    if version == 0 and db.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise StoreError("the file is a database of another program")
    return version


def _switch_to_wal(db: sqlite3.Connection) -> None:
    # The switch does not wait for another process that is switching the same new file; an
    # immediate transaction does, and after it there is nothing left to switch.
    for _ in range(10):
        with suppress(sqlite3.OperationalError):
            return _keep_log(db)
        db.execute("BEGIN IMMEDIATE")
        db.execute("ROLLBACK")
    return _keep_log(db)


def _keep_log(db: sqlite3.Connection) -> None:
    (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreError("no write-ahead log can be kept where the file is")
