from __future__ import annotations

import gc
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from medsign.errors import StoreError, VersionConflict
from medsign.store import NewEvent, SqliteStore, file, sqlite
from medsign.store.port import rows_to_append

NOON = datetime(2026, 6, 25, 12, tzinfo=UTC)
NOTE = NewEvent("note", NOON, {"text": "Проверено"})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.db"


@pytest.fixture
def filled(path):
    with closing(SqliteStore(path)) as store:
        for number in range(40):
            store.append(f"letter/{number}", 0, [NOTE] * 20)
    return path


def by_hand(path, *statements):
    with closing(sqlite3.connect(path)) as db, db:
        for statement in statements:
            db.execute(statement)


def test_a_file_of_schema_1_is_migrated_with_all_its_events(path):
    row = "VALUES ('letter/17', {}, 'note', '2026-06-25T12:00:00.000000+00:00', '{{\"n\":{}}}')"
    by_hand(
        path,
        """CREATE TABLE events (
            stream TEXT NOT NULL, version INTEGER NOT NULL, kind TEXT NOT NULL, at TEXT NOT NULL,
            data TEXT NOT NULL, PRIMARY KEY (stream, version)
        ) WITHOUT ROWID""",
        f"INSERT INTO events {row.format(1, 10)}",
        f"INSERT INTO events {row.format(2, 20)}",
        "PRAGMA user_version = 1",
    )
    with closing(SqliteStore(path)) as store:
        assert [(e.version, e.at, e.data) for e in store.load("letter/17")] == [
            (1, NOON, {"n": 10}),
            (2, NOON, {"n": 20}),
        ]
        assert list(store.streams()) == ["letter/17"]
        assert store.append("letter/17", 2, [NOTE]) == 3


def test_a_migrated_file_has_the_schema_of_a_new_one(tmp_path):
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    by_hand(old, *file.LADDER[0], "PRAGMA user_version = 1")
    schemas = []
    for path in (old, new):
        SqliteStore(path).close()
        with closing(sqlite3.connect(path)) as db:
            schemas.append(
                (
                    db.execute(
                        "SELECT type, name, sql FROM sqlite_master ORDER BY name"
                    ).fetchall(),
                    db.execute("PRAGMA user_version").fetchall(),
                )
            )
    assert schemas[0] == schemas[1]


def test_a_failed_migration_leaves_the_old_file(path, monkeypatch):
    by_hand(path, *file.LADDER[0], "PRAGMA user_version = 1")
    monkeypatch.setattr(file, "LADDER", (*file.LADDER, ("DROP TABLE events", "NONSENSE")))
    with pytest.raises(StoreError):
        SqliteStore(path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
        assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("events",)]


def test_a_file_of_a_newer_schema_is_refused(path):
    by_hand(path, "PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="schema 99"):
        SqliteStore(path)


def test_a_database_of_another_program_is_refused(path):
    by_hand(path, "CREATE TABLE patients (name TEXT)")
    with pytest.raises(StoreError, match="another program"):
        SqliteStore(path)


def test_a_file_that_is_no_database_is_refused(path):
    path.write_bytes(b"%PDF-1.7 " * 500)
    with pytest.raises(StoreError):
        SqliteStore(path)


def test_a_damaged_page_is_an_error_and_never_a_wrong_answer(filled):
    content = bytearray(filled.read_bytes())
    content[8192:] = b"\xa5" * (len(content) - 8192)
    filled.write_bytes(content)

    def read_all():
        with closing(SqliteStore(filled)) as store:
            return [len(store.load(f"letter/{number}")) for number in range(40)]

    with pytest.raises(StoreError):
        read_all()


@pytest.mark.parametrize("data", ["{", "[]", '"text"'])
def test_damaged_event_data_are_an_error_that_does_not_quote_them(filled, data):
    row = (
        f"INSERT INTO events VALUES ('letter/0', 21, 'note', '2026-06-25T00:00:00+00:00', '{data}')"
    )
    by_hand(filled, row)
    with closing(SqliteStore(filled)) as store, pytest.raises(StoreError) as refused:
        store.load("letter/0")
    assert data not in str(refused.value)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "'yesterday'"),
        ("at", "'2026-06-25T12:00:00'"),
        ("at", "'0001-01-01T00:00:00+14:00'"),
        ("at", "x'00'"),
        ("kind", "x'00'"),
        ("data", "x'ff'"),
    ],
)
def test_any_damaged_part_of_an_event_is_an_error_that_says_which_event(filled, column, value):
    row = {"at": "'2026-06-25T00:00:00+00:00'", "kind": "'note'", "data": "'{}'", column: value}
    by_hand(
        filled,
        f"INSERT INTO events VALUES ('letter/0', 21, {row['kind']}, {row['at']}, {row['data']})",
    )
    with closing(SqliteStore(filled)) as store:
        assert len(store.load("letter/0", limit=20)) == 20
        with pytest.raises(StoreError, match="event 21"):
            store.load("letter/0")


def test_text_that_is_no_utf_8_is_an_error_that_does_not_quote_it(filled):
    text = f"CAST(x'{b'Testova'.hex()}ff' AS TEXT)"
    row = f"'letter/0', 21, 'note', '2026-06-25T00:00:00+00:00', {text}"
    by_hand(filled, f"INSERT INTO events VALUES ({row})")
    with closing(SqliteStore(filled)) as store, pytest.raises(StoreError) as refused:
        store.load("letter/0")
    assert "Testova" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_missing_folder_is_an_error_that_does_not_quote_the_path(tmp_path):
    with pytest.raises(StoreError) as refused:
        SqliteStore(tmp_path / "missing" / "journal.db")
    assert "missing" not in str(refused.value)
    assert "журнал" in refused.value.diagnostics()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file modes")
def test_a_new_file_is_readable_by_its_owner_only(path):
    SqliteStore(path).close()
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("statement", ["DELETE FROM events", "UPDATE events SET kind = 'x'"])
def test_even_other_programs_cannot_rewrite_history(filled, statement):
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        by_hand(filled, statement)


def test_a_busy_file_is_an_error_after_the_time_out(path):
    with (
        closing(SqliteStore(path, busy_timeout=0.05)) as store,
        closing(sqlite3.connect(path, isolation_level=None)) as writer,
    ):
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            store.append("s", 0, [NOTE])
        assert list(store.load("s")) == []
        writer.execute("ROLLBACK")
        assert store.append("s", 0, [NOTE]) == 1


def test_a_busy_file_is_waited_for_once_for_all_who_write_together(path):
    with (
        closing(SqliteStore(path, busy_timeout=0.3)) as store,
        closing(sqlite3.connect(path, isolation_level=None)) as writer,
    ):
        writer.execute("BEGIN IMMEDIATE")

        def refused(number):
            with pytest.raises(StoreError, match="locked") as error:
                store.append(f"s{number}", 0, [NOTE])
            return error.value

        began = time.monotonic()
        with ThreadPoolExecutor(12) as pool:
            errors = set(pool.map(refused, range(12)))
        assert time.monotonic() - began < 2.5
        assert len(errors) == 12  # a traceback belongs to one thread
        writer.execute("ROLLBACK")


def test_a_broken_stream_harms_none_that_is_written_with_it(path):
    with closing(SqliteStore(path)) as store:
        store.append("broken", 0, [NOTE, NOTE])
        by_hand(path, "UPDATE streams SET version = 1 WHERE name = 'broken'")
        rows = rows_to_append("s", [NOTE])
        appends = [
            sqlite._Append(*what, rows, True) for what in (("a", 0), ("broken", 1), ("b", 0))
        ]
        store._write(appends)
        assert [type(each.error) for each in appends] == [type(None), StoreError, type(None)]
        assert len(store.load("broken")) == 2
        assert list(store.streams()) == ["a", "b", "broken"]


@pytest.mark.skipif(os.name == "nt", reason="Windows sets no bounds to files")
def test_a_full_disk_takes_nothing_that_was_acknowledged_and_leaves_the_store_usable(path):
    program = """
import resource, signal, sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from medsign.errors import StoreError
from medsign.store import NewEvent, SqliteStore
note = NewEvent("note", datetime(2026, 6, 25, tzinfo=UTC), {"text": "x" * 3000})
store = SqliteStore(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, most))

def append(number):
    try:
        return store.append(f"s{number:03}", 0, [note, note]) and f"s{number:03}"
    except StoreError:
        return None

with ThreadPoolExecutor(8) as pool:
    kept = [name for name in pool.map(append, range(100)) if name]
assert 0 < len(kept) < 100, kept
assert list(store.streams()) == kept
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
assert append(999) == "s999"
store.close()
with SqliteStore(sys.argv[1]) as again:
    assert [(each.stream, each.version) for each in again.newest()] == [
        (name, 2) for name in [*kept, "s999"]
    ]
"""
    subprocess.run([sys.executable, "-c", program, path], check=True, timeout=60)


def test_one_large_event_leaves_no_large_log_for_ever(path):
    with closing(SqliteStore(path)) as store:
        store.append("s", 0, [NewEvent("large", NOON, {"text": "x" * 40_000_000})])
        assert log_of(path).stat().st_size > 40_000_000
        for version in range(1, 4):
            store.append("s", version, [NOTE])
        assert log_of(path).stat().st_size < 20_000_000


def test_a_file_that_is_there_is_never_opened_beside_sqlite(path, monkeypatch):
    SqliteStore(path).close()
    opened = []
    monkeypatch.setattr(os, "utime", lambda *_, **__: 1 / 0)
    with monkeypatch.context() as patch:
        really = os.open
        patch.setattr(os, "open", lambda *given: opened.append(given[1]) or really(*given))
        SqliteStore(path).close()
    assert all(flags & os.O_EXCL for flags in opened)


def test_an_interrupted_append_leaves_the_store_usable(path, monkeypatch):
    with closing(SqliteStore(path)) as store:

        def interrupted(*_):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(sqlite, "check_version", interrupted)
            with pytest.raises(KeyboardInterrupt):
                store.append("s", 0, [NOTE])
        assert store.append("s", 0, [NOTE]) == 1


def test_a_long_listing_is_read_page_by_page(filled, monkeypatch):
    monkeypatch.setattr(sqlite, "_PAGE", 7)
    with closing(SqliteStore(filled)) as store:
        assert list(store.streams("letter/")) == sorted(f"letter/{n}" for n in range(40))


def test_many_processes_may_open_a_new_file_at_once(path):
    program = """
import sys
from medsign.store import SqliteStore
print("ready", flush=True)
sys.stdin.readline()
SqliteStore(sys.argv[1]).close()
"""
    children = [
        subprocess.Popen(
            [sys.executable, "-c", program, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(6)
    ]
    for child in children:
        child.stdout.readline()
    for child in children:
        child.stdin.write(b"\n")
        child.stdin.flush()
    for child in children:
        child.communicate()
    assert [child.returncode for child in children] == [0] * 6


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_store_goes_on_working_on_both_sides_of_a_fork(path):
    program = """
import os, sys, threading, warnings
from datetime import UTC, datetime
from medsign.store import NewEvent, SqliteStore
note = NewEvent("note", datetime(2026, 6, 25, tzinfo=UTC))
store = SqliteStore(sys.argv[1])
done = threading.Event()

def read():
    while not done.is_set():
        store.load("s")

readers = [threading.Thread(target=read) for _ in range(4)]
for reader in readers:
    reader.start()
warnings.simplefilter("ignore", DeprecationWarning)  # of forks with threads, from 3.12 on
for version in range(0, 40, 2):
    store.append("s", version, [note])
    child = os.fork()
    if child == 0:
        store.append("s", version + 1, [note])
        store.close()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
done.set()
for reader in readers:
    reader.join()
assert len(store.load("s")) == 40
store.close()
"""
    subprocess.run([sys.executable, "-c", program, path], check=True, timeout=60)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_what_a_child_appends_stays_when_its_parent_has_closed_the_file(path):
    program = """
import os, subprocess, sys, warnings
from datetime import UTC, datetime
from medsign.store import NewEvent, SqliteStore
warnings.simplefilter("ignore", DeprecationWarning)
note = NewEvent("note", datetime(2026, 6, 25, tzinfo=UTC))
store = SqliteStore(sys.argv[1])
store.append("parent", 0, [note])
store.load("parent")
halfway, go_on = os.pipe(), os.pipe()
if os.fork() == 0:
    store.append("child", 0, [note])
    os.write(halfway[1], b".")
    os.read(go_on[0], 1)
    for version in range(1, 9):
        store.append("child", version, [note])
    os._exit(0)
os.read(halfway[0], 1)
store.close()
subprocess.run([sys.executable, "-c", sys.argv[2], sys.argv[1]], check=True)
os.write(go_on[1], b".")
assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
"""
    other = """
import sys
from datetime import UTC, datetime
from medsign.store import NewEvent, SqliteStore
with SqliteStore(sys.argv[1]) as store:
    store.append("other", 0, [NewEvent("note", datetime(2026, 6, 25, tzinfo=UTC))])
"""
    subprocess.run([sys.executable, "-c", program, path, other], check=True, timeout=60)
    with closing(SqliteStore(path)) as store:
        assert [(each.stream, each.version) for each in store.newest()] == [
            ("child", 9),
            ("other", 1),
            ("parent", 1),
        ]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_threads_may_fork_at_once_while_others_write_and_open(path):
    program = """
import os, signal, sys, threading, warnings
from datetime import UTC, datetime
from medsign.store import NewEvent, SqliteStore
warnings.simplefilter("ignore", DeprecationWarning)
sys.setswitchinterval(1e-5)
note = NewEvent("note", datetime(2026, 6, 25, tzinfo=UTC))
store = SqliteStore(sys.argv[1])
codes, written, done = [], [], threading.Event()

def fork_on(number):
    for time in range(15):
        if (child := os.fork()) == 0:
            signal.alarm(30)
            store.append(f"child/{number}/{time}", 0, [note])
            os._exit(0)
        codes.append(os.waitpid(child, 0)[1])

def write(number):
    while not done.is_set():
        name = f"parent/{number}/{len(written)}"
        store.append(name, 0, [note])
        written.append(name)

def open_anew(number):
    while not done.is_set():
        with SqliteStore(sys.argv[1]) as other:
            other.load("s")

forkers = [threading.Thread(target=fork_on, args=[number]) for number in range(3)]
others = [threading.Thread(target=what, args=[number]) for what in (write, open_anew)
          for number in range(2)]
for thread in forkers + others:
    thread.start()
for thread in forkers:
    thread.join()
done.set()
for thread in others:
    thread.join()
assert codes == [0] * 45, codes
assert len(list(store.streams("child/"))) == 45
assert list(store.streams("parent/")) == sorted(written)
"""
    subprocess.run([sys.executable, "-c", program, path], check=True, timeout=60)


def test_a_store_that_is_gone_leaves_nothing_behind(path, monkeypatch):
    SqliteStore(path).close()
    hooks = []
    monkeypatch.setattr(os, "register_at_fork", lambda **given: hooks.append(given), raising=False)
    store = SqliteStore(path)
    store.close()
    gone = weakref.ref(store._sessions)
    del store
    gc.collect()
    assert gone() is None
    assert hooks == []


def test_threads_that_write_at_once_share_a_turn_of_the_disk(path):
    with closing(SqliteStore(path)) as store, ThreadPoolExecutor(32) as pool:
        commits = Commits(store)
        streams = [f"s{number}" for number in range(400)]
        assert list(pool.map(lambda stream: store.append(stream, 0, [NOTE]), streams)) == [1] * 400
        assert list(store.streams()) == sorted(streams)
    assert commits.count < 200


def test_an_append_that_is_refused_harms_none_that_it_was_written_with(path):
    with closing(SqliteStore(path)) as store, ThreadPoolExecutor(32) as pool:

        def append(number: int) -> bool:
            try:
                return store.append(f"s{number}", number % 2, [NOTE]) == 1
            except VersionConflict:
                return False

        assert list(pool.map(append, range(100))) == [True, False] * 50
        assert len(list(store.streams())) == 50


@pytest.fixture
def cut(path, tmp_path):
    """What the disk holds after a power cut that took the log beyond a length."""

    def cut(length: int) -> SqliteStore:
        after = tmp_path / f"after-{length}.db"
        after.write_bytes(path.read_bytes())
        after.with_name(f"{after.name}-wal").write_bytes(log_of(path).read_bytes()[:length])
        return SqliteStore(after)

    return cut


def log_of(path):
    return path.with_name(f"{path.name}-wal")


def test_a_power_cut_takes_only_what_nobody_waited_for(path, cut):
    with SqliteStore(path) as store:
        store.append("s", 0, [NOTE])
        on_disk = log_of(path).stat().st_size
        store.append("s", 1, [NOTE], durable=False)
        store.append("t", 0, [NOTE], durable=False)
        written = log_of(path).stat().st_size
        found = []
        for length in [*range(on_disk, written, 512), written]:
            with cut(length) as after:
                found.append((len(after.load("s")), len(after.load("t"))))
                assert after.append("u", 0, [NOTE]) == 1
    assert found == sorted(found)
    assert set(found) == {(1, 0), (2, 0), (2, 1)}


@pytest.mark.parametrize(
    ("durable", "level"), [([True], "FULL"), ([False], "NORMAL"), ([False, True, False], "FULL")]
)
def test_what_is_written_together_waits_for_the_disk_if_any_of_it_must(path, durable, level):
    with SqliteStore(path) as store:
        commits = Commits(store)
        store._write(
            [
                sqlite._Append(f"s{number}", 0, rows_to_append("s", [NOTE]), must)
                for number, must in enumerate(durable)
            ]
        )
        assert commits.levels == [level]
        assert len(list(store.streams())) == len(durable)


def test_a_durable_append_after_others_waits_for_the_disk_again(path):
    with SqliteStore(path) as store:
        commits = Commits(store)
        for version, durable in enumerate([True, False, False, True]):
            store.append("s", version, [NOTE], durable=durable)
    assert commits.levels == ["FULL", "NORMAL", "NORMAL", "FULL"]


class Commits:
    """The transactions of a store by SQLite's own trace: how many, and how they were forced."""

    def __init__(self, store: SqliteStore) -> None:
        self.count = 0
        self.levels: list[str] = []
        connection = store._sessions.here.writing.connection
        assert connection is not None
        connection.set_trace_callback(self._note)

    def _note(self, statement: str) -> None:
        self.count += statement == "COMMIT"
        if statement.startswith("PRAGMA synchronous"):
            self.levels.append(statement.rpartition(" ")[2])


class TestReadOnly:
    """A journal as evidence: what is read stays as it is."""

    def test_everything_is_read_and_nothing_is_changed(self, filled):
        before = content_of(filled.parent)
        with SqliteStore(filled, read_only=True) as store:
            assert len(store.load("letter/7")) == 20
            assert len(list(store.streams())) == len(list(store.newest("letter/"))) == 40
            with pytest.raises(StoreError, match="reading only"):
                store.append("letter/7", 20, [NOTE])
        with pytest.raises(StoreError, match="closed"):
            store.load("letter/7")
        assert content_of(filled.parent) == before

    def test_what_stands_in_the_log_only_is_read_too(self, path, tmp_path):
        with SqliteStore(path) as live:
            live.append("s", 0, [NOTE])
            copy = tmp_path / "copy"
            copy.mkdir()
            for each in (path, log_of(path)):
                shutil.copy(each, copy)
        before = content_of(copy)
        with SqliteStore(copy / path.name, read_only=True) as store:
            assert len(store.load("s")) == 1
        after = content_of(copy)
        assert {name: after[name] for name in before} == before

    def test_a_writer_is_neither_held_up_nor_missed(self, path):
        with SqliteStore(path) as live, SqliteStore(path, read_only=True) as store:
            for version in range(3):
                live.append("s", version, [NOTE])
                assert len(store.load("s")) == version + 1
        with SqliteStore(path, read_only=True) as store:
            done = threading.Event()

            def write():
                for version in range(3, 40):
                    with SqliteStore(path) as brief:  # the log comes and goes each time
                        brief.append("s", version, [NOTE])
                done.set()

            writer = threading.Thread(target=write)
            writer.start()
            found, refused = [], []
            while not done.is_set():
                try:
                    found.append([each.version for each in store.load("s")])
                except StoreError as error:
                    refused.append(error)
            writer.join()
            assert all("each time" in str(error) for error in refused)
            assert all(versions == list(range(1, len(versions) + 1)) for versions in found)
            assert len(store.load("s")) == 40

    @pytest.mark.skipif(os.name == "nt", reason="folders have no such permissions there")
    def test_a_folder_that_cannot_be_written_is_read(self, filled):
        with tempfile.TemporaryDirectory() as name, ExitStack() as again:
            copied = Path(shutil.copy(filled, name))
            Path(name).chmod(0o555)
            again.callback(Path(name).chmod, 0o755)
            copied.chmod(0o444)
            if os.geteuid() == 0:  # who may write everywhere
                os.seteuid(65534)
                again.callback(os.seteuid, 0)
            with SqliteStore(copied, read_only=True) as store:
                assert len(store.load("letter/7")) == 20

    @pytest.mark.skipif(os.name == "nt", reason="there is no way there to have SQLite refuse")
    def test_a_log_that_cannot_be_indexed_is_an_error_that_says_what_to_do(
        self, filled, monkeypatch
    ):
        log_of(filled).write_bytes(bytes(32))
        really = sqlite3.connect

        def on_a_read_only_medium(name, **how):
            return really(f"{name}&vfs=unix-none", **how)

        monkeypatch.setattr(sqlite3, "connect", on_a_read_only_medium)
        with pytest.raises(StoreError, match="copy both elsewhere"):
            SqliteStore(filled, read_only=True)

    @pytest.mark.parametrize("content", [b"", b"%PDF-1.7 " * 500])
    def test_a_file_without_a_journal_is_refused_and_stays(self, path, content):
        path.write_bytes(content)
        with pytest.raises(StoreError):
            SqliteStore(path, read_only=True)
        assert content_of(path.parent) == {path.name: content}

    def test_a_missing_file_is_refused_and_not_made(self, path):
        with pytest.raises(StoreError):
            SqliteStore(path, read_only=True)
        assert not path.exists()

    def test_an_older_journal_is_refused_and_not_migrated(self, path):
        by_hand(path, *file.LADDER[0], "PRAGMA user_version = 1")
        with pytest.raises(StoreError, match="schema 1"):
            SqliteStore(path, read_only=True)


def content_of(folder):
    return {each.name: each.read_bytes() for each in folder.iterdir()}
