"""The log of signing operations: complete, and whoever tampers with it is found out."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign import cms
from medsign.cli.app import app
from medsign.clock import ManualClock
from medsign.codec.asn1 import decode_signed_data
from medsign.errors import StoreError, Unavailable, UsageError
from medsign.gost import DigestAlgorithm, digest
from medsign.pki.issuing import ROOT_CA, issue_root, subject_name
from medsign.signers import (
    AuditedSigner,
    AuditHead,
    AuditLog,
    SoftwareKey,
    SoftwareSigner,
    audit,
)
from medsign.status.journal import NewEvent
from medsign.store import MemoryStore, SqliteStore

NOON = datetime(2026, 7, 1, 9, tzinfo=UTC)
FINGERPRINT = "ab" * 32


def a_log(store=None):
    return AuditLog(store or MemoryStore(), clock=ManualClock(NOON))


def sign_something(log, what=b"protocol", *, error=""):
    value = digest(DigestAlgorithm.STREEBOG_256, what)
    number = log.begin(who="account-17", certificate=FINGERPRINT, digest=value)
    log.end(number, signature=b"" if error else bytes(64), error=error)
    return number


@pytest.fixture(scope="module")
def signer():
    key = SoftwareKey.generate()
    subject = subject_name(organization="Тестовая клиника")
    return key.certified(issue_root(ROOT_CA, subject=subject, signer=key, not_before=NOON))


class Broken(SoftwareSigner):
    """A signer whose token was pulled out."""

    def sign_digest(self, digest):
        raise Unavailable("токен", "insert it")


def test_every_signature_of_an_audited_signer_stands_in_the_log(signer):
    log = a_log()
    audited = AuditedSigner(signer, log, who="account-17")
    signature = cms.sign(b"protocol", audited, at=NOON)
    begun, signed = log.entries()
    assert signed.certificate == signer.certificate.fingerprint
    value = decode_signed_data(signature).signers[0].signature
    assert signed.result == digest(DigestAlgorithm.STREEBOG_256, value).hex()
    assert begun.digest == signed.digest
    assert "account-17" not in repr(audited)


def test_a_key_that_fails_leaves_its_error_in_the_log(signer):
    log = a_log()
    broken = Broken(signer.key, signer.certificate)
    with pytest.raises(Unavailable):
        AuditedSigner(broken, log, who="account-17").sign_digest(bytes(32))
    assert [entry.result for entry in log.entries()] == ["", Unavailable.code]


def test_nothing_is_signed_that_cannot_be_written_down(signer):
    store = MemoryStore()
    store.close()
    signed = []

    class Watched(SoftwareSigner):
        def sign_digest(self, digest):
            signed.append(digest)
            return super().sign_digest(digest)

    watched = Watched(signer.key, signer.certificate)
    with pytest.raises(StoreError):
        AuditedSigner(watched, a_log(store), who="w").sign_digest(bytes(32))
    assert signed == []


def test_an_operation_is_written_down_before_and_after():
    log = a_log()
    sign_something(log)
    begun, signed = log.entries()
    assert [begun.outcome, signed.outcome] == ["begun", "signed"]
    assert signed.who == "account-17"
    assert signed.certificate == FINGERPRINT
    assert signed.digest == digest(DigestAlgorithm.STREEBOG_256, b"protocol").hex()
    assert signed.at == NOON
    assert signed.operation == begun.number == 1


def test_a_failure_is_written_down_with_the_code_of_its_error():
    log = a_log()
    sign_something(log, error="MS-TOKEN")
    assert [entry.result for entry in log.entries()] == ["", "MS-TOKEN"]


def test_an_operation_that_never_ended_is_named():
    log = a_log()
    sign_something(log)
    log.begin(who="account-17", certificate=FINGERPRINT, digest=bytes(32))
    report = log.check()
    assert report.intact
    assert report.unfinished == (3,)


def test_an_operation_may_end_in_another_process(tmp_path):
    with_store = SqliteStore(tmp_path / "journal.db")
    number = a_log(with_store).begin(who="w", certificate=FINGERPRINT, digest=bytes(32))
    with_store.close()
    again = SqliteStore(tmp_path / "journal.db")
    a_log(again).end(number, signature=bytes(64))
    assert a_log(again).check().unfinished == ()
    again.close()


@pytest.mark.parametrize("number", [2, 7])
def test_what_never_began_cannot_end(number):
    log = a_log()
    sign_something(log)
    with pytest.raises(UsageError):
        log.end(number, signature=bytes(64))


def test_an_operation_ends_once():
    log = a_log()
    number = sign_something(log)
    with pytest.raises(UsageError):
        log.end(number, error="MS-TOKEN")


class Overtaken(MemoryStore):
    """A store to which somebody else writes just before we do."""

    rival = None

    def append(self, *event):
        if rival := self.rival:
            self.rival = None
            rival()
        return super().append(*event)


def test_an_operation_that_another_process_ends_meanwhile_ends_once():
    store = Overtaken()
    log, other = a_log(store), a_log(store)
    number = log.begin(who="account-17", certificate=FINGERPRINT, digest=bytes(32))
    store.rival = lambda: other.end(number, error="MS-TOKEN")
    with pytest.raises(UsageError, match="has ended"):
        log.end(number, signature=bytes(64))
    assert [each.outcome for each in log.entries()] == ["begun", "failed"]


def test_an_operation_ends_with_a_signature_or_an_error():
    log = a_log()
    number = log.begin(who="w", certificate=FINGERPRINT, digest=bytes(32))
    with pytest.raises(UsageError):
        log.end(number)


@pytest.fixture
def journal(tmp_path):
    path = tmp_path / "journal.db"
    store = SqliteStore(path)
    log = a_log(store)
    for what in (b"one", b"two", b"three"):
        sign_something(log, what)
    head = log.head
    store.close()
    return path, head


def edit(path, statement, *values):
    with sqlite3.connect(path) as db:
        # The store refuses this; one who has the file does not ask the store.
        db.execute("drop trigger if exists events_are_facts")
        db.execute("drop trigger if exists events_stay")
        assert db.execute(statement, values).rowcount == 1
    db.close()


def checked(path, *heads):
    store = SqliteStore(path)
    report = AuditLog(store).check(*heads)
    store.close()
    return report


def test_a_whole_log_is_intact(journal):
    path, head = journal
    report = checked(path, head)
    assert report.intact
    assert report.head == head


@pytest.mark.parametrize(
    "column, value",
    [
        ("kind", "failed"),
        ("at", "2026-07-02T09:00:00.000000+00:00"),
        ("data", '{"operation":3,"who":"somebody","certificate":"","digest":"","result":""}'),
        ("data", "{}"),
    ],
)
def test_a_changed_entry_breaks_the_chain_where_it_stands(journal, column, value):
    path, _ = journal
    edit(path, f"update events set {column} = ? where stream = 'audit' and version = 4", value)
    report = checked(path)
    assert not report.intact
    assert report.broken_at == 4


def test_two_swapped_entries_break_the_chain(journal):
    path, _ = journal
    for before, after in ((3, 99), (5, 3), (99, 5)):
        edit(path, "update events set version = ? where version = ?", after, before)
    assert checked(path).broken_at == 3


def test_a_dropped_entry_breaks_the_chain(journal):
    path, _ = journal
    edit(path, "delete from events where version = 2")
    assert checked(path).broken_at == 2


def test_a_tail_that_was_cut_off_is_seen_by_the_head_that_was_kept(journal):
    path, head = journal
    edit(path, "delete from events where version = 6")
    assert checked(path).intact
    report = checked(path, head)
    assert not report.intact
    assert report.missing == head


def test_a_chain_that_was_reckoned_anew_is_seen_by_the_head_that_was_kept(journal):
    _, head = journal
    other = a_log()
    for what in (b"one", b"other", b"three"):
        sign_something(other, what)
    assert other.check().intact
    assert other.check(head).missing == head


def test_nothing_is_written_to_a_log_whose_tail_was_cut_off(journal):
    path, _ = journal
    store = SqliteStore(path)
    log = a_log(store)
    sign_something(log, b"four")
    edit(path, "delete from events where version = 8")
    edit(path, "update streams set version = 7")
    with pytest.raises(StoreError, match="shorter"):
        sign_something(log, b"five")
    store.close()


def test_nothing_is_written_to_a_log_that_was_reckoned_anew():
    store, other = MemoryStore(), MemoryStore()
    log = a_log(store)
    sign_something(log, b"one")
    sign_something(a_log(other), b"another")
    log.store = other
    for write in (lambda: sign_something(log), lambda: log.head):
        with pytest.raises(StoreError, match="another one"):
            write()


def test_a_log_whose_newest_events_are_gone_is_written_to_by_no_process(journal):
    path, _ = journal
    edit(path, "delete from events where version = 6")
    with SqliteStore(path) as store, pytest.raises(StoreError, match="shorter"):
        sign_something(a_log(store))


class Narrow(MemoryStore):
    """A store of which nobody may ask much at once."""

    most = 0

    def load(self, stream, after=0, limit=None):
        loaded = super().load(stream, after, limit)
        self.most = max(self.most, len(loaded))
        return loaded


def test_a_long_log_is_never_held_whole(monkeypatch):
    monkeypatch.setattr(audit, "_PAGE", 4)
    store = Narrow()
    log = a_log(store)
    heads = []
    for _ in range(8):
        sign_something(log)
        heads.append(log.head)
    first = log.begin(who="account-17", certificate=FINGERPRINT, digest=bytes(32))
    sign_something(log)
    again = a_log(store)
    again.end(first, error="MS-TOKEN")
    report = again.check(*heads)
    assert (report.intact, report.head.number, report.unfinished) == (True, 20, ())
    assert again.check(*heads, gone := AuditHead(3, "ab" * 32)).missing == gone
    assert store.most <= 4
    assert [entry.number for entry in log.entries(2, limit=3)] == [3, 4, 5]


def test_a_check_ends_though_others_write_faster(monkeypatch):
    monkeypatch.setattr(audit, "_PAGE", 1)

    class Busy(MemoryStore):
        def load(self, stream, after=0, limit=None):
            found = super().load(stream, after, limit)
            if limit == 1 and not writing:
                writing.append(True)
                sign_something(rival)
                writing.clear()
            return found

    writing = [True]
    store = Busy()
    log, rival = a_log(store), a_log(store)
    sign_something(log)
    writing.clear()
    report = log.check()
    assert (report.intact, report.head.number) == (True, 2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("kept_in", ["a file", "memory"])
def test_a_forked_child_logs_though_a_thread_of_its_parent_was_logging(tmp_path, kept_in):
    program = """
import os, signal, sys, threading, time, warnings
from medsign.signers import AuditLog
from medsign.store import MemoryStore, SqliteStore
warnings.simplefilter("ignore", DeprecationWarning)
sys.setswitchinterval(1e-5)
log = AuditLog(SqliteStore(sys.argv[1]) if sys.argv[2] == "a file" else MemoryStore())
what = {"who": "w", "certificate": "ab" * 32, "digest": bytes(32)}
log.begin(**what)
stop = threading.Event()

def write():
    while not stop.is_set():
        log.begin(**what)

busy = threading.Thread(target=write)
busy.start()
codes = []
for _ in range(6):
    time.sleep(0.02)
    if (child := os.fork()) == 0:
        signal.alarm(20)
        log.begin(**what)
        os._exit(0)
    codes.append(os.waitpid(child, 0)[1])
stop.set()
busy.join()
assert codes == [0] * 6, codes
assert log.check().intact
"""
    command = [sys.executable, "-c", program, tmp_path / "journal.db", kept_in]
    subprocess.run(command, check=True, timeout=150)


@pytest.mark.parametrize("seal", ["zz", "ab", ""])
def test_nothing_is_written_after_a_seal_that_is_none(seal):
    store = MemoryStore()
    said = {"operation": 1, "who": "", "certificate": "", "digest": "", "result": "", "seal": seal}
    store.append("audit", 0, [NewEvent("begun", NOON, said)])
    with pytest.raises(StoreError, match="damaged"):
        sign_something(a_log(store))


def test_threads_write_one_chain():
    log = a_log()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: sign_something(log), range(32)))
    report = log.check()
    assert report.intact
    assert (report.head.number, report.unfinished) == (64, ())


TEN_OPERATIONS = """
import sys
from medsign.signers import AuditLog
from medsign.store import SqliteStore

log = AuditLog(SqliteStore(sys.argv[1]))
for _ in range(10):
    number = log.begin(who="w", certificate="ab" * 32, digest=bytes(32))
    log.end(number, signature=bytes(64))
log.store.close()
"""


def test_processes_write_one_chain(tmp_path):
    path = tmp_path / "journal.db"
    SqliteStore(path).close()
    command = [sys.executable, "-c", TEN_OPERATIONS, str(path)]
    rivals = [subprocess.Popen(command) for _ in range(3)]
    assert [rival.wait(60) for rival in rivals] == [0, 0, 0]
    report = checked(path)
    assert report.intact
    assert (report.head.number, report.unfinished) == (60, ())


@given(st.lists(st.sampled_from([b"one", b"two"]), min_size=1, max_size=6), st.data())
def test_any_single_changed_entry_is_found(contents, data):
    store = MemoryStore()
    log = a_log(store)
    for content in contents:
        sign_something(log, content)
    entries = store.load("audit")
    victim = data.draw(st.sampled_from(entries))
    name = data.draw(
        st.sampled_from(["who", "certificate", "digest", "result", "operation", "seal"])
    )
    forged = {**victim.data, name: 5 if name == "operation" else f"{victim.data[name]}x"}
    if name == "operation" and victim.data[name] == 5:
        forged[name] = 6
    other = MemoryStore()
    for number, event in enumerate(entries):
        said = forged if event is victim else event.data
        other.append("audit", number, [NewEvent(event.kind, event.at, said)])
    assert a_log(other).check().broken_at == victim.version


def test_the_command_prints_the_head_and_takes_it_back(journal, capsys):
    path, head = journal
    assert app(["audit", str(path)], standalone_mode=False) == 0
    printed = f"{head.number}:{head.seal}"
    assert printed in capsys.readouterr().out
    assert app(["audit", str(path), "--head", printed], standalone_mode=False) == 0
    edit(path, "delete from events where version = 6")
    assert app(["audit", str(path), "--head", printed], standalone_mode=False) == 1


def test_the_command_says_it_in_json(journal, capsysbinary):
    path, _ = journal
    edit(path, "update events set kind = 'failed' where version = 4")
    assert app(["audit", str(path), "--json"], standalone_mode=False) == 1
    said = json.loads(capsysbinary.readouterr().out)
    assert said["intact"] is False
    assert said["report"]["brokenAt"] == 4


def test_the_command_refuses_a_head_that_is_none(journal):
    path, _ = journal
    assert app(["audit", str(path), "--head", "seven"], standalone_mode=False) == 64
