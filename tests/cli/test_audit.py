"""The check of a log as evidence: nothing of it is touched, and nothing is called whole unread."""

from __future__ import annotations

import json

import pytest

from medsign.cli.app import app
from medsign.signers import AuditLog
from medsign.store import SqliteStore


@pytest.fixture
def journal(tmp_path):
    path = tmp_path / "evidence" / "journal.db"
    path.parent.mkdir()
    with SqliteStore(path) as store:
        log = AuditLog(store)
        log.end(
            log.begin(who="account-17", certificate="ab" * 32, digest=bytes(32)),
            signature=bytes(64),
        )
    return path


def audit(*arguments):
    return app(["audit", *map(str, arguments)], standalone_mode=False)


def content_of(folder):
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def test_the_check_leaves_the_evidence_as_it_was(journal, capsys):
    before = content_of(journal.parent)
    assert audit(journal) == 0
    assert "Журнал цел" in capsys.readouterr().out
    assert content_of(journal.parent) == before


def test_an_empty_file_is_no_journal_and_stays_empty(tmp_path, capsys):
    path = tmp_path / "journal.db"
    path.touch()
    assert audit(path) == 69
    shown = capsys.readouterr()
    assert "Журнал цел" not in shown.out
    assert "no journal" in shown.err
    assert content_of(tmp_path) == {"journal.db": b""}


def test_a_missing_file_is_wrong_usage_and_is_not_made(tmp_path):
    assert audit(tmp_path / "journal.db") == 64
    assert content_of(tmp_path) == {}


@pytest.mark.parametrize("stream", ["audti", "aud", "audit/2", "[red]"])
def test_a_log_that_is_not_there_is_not_whole(journal, capsys, stream):
    assert audit(journal, "--stream", stream) == 1
    shown = capsys.readouterr().out
    assert f"«{stream}» в файле нет" in shown
    assert "Журнал цел" not in shown


def test_a_log_that_is_not_there_is_not_whole_in_json_either(journal, capsysbinary):
    assert audit(journal, "--stream", "audti", "--json") == 1
    assert json.loads(capsysbinary.readouterr().out)["intact"] is False


def test_a_log_that_was_emptied_is_told_by_its_kept_head(journal, capsys):
    with SqliteStore(journal) as store:
        head = AuditLog(store).head
    assert audit(journal, "--stream", "other", "--head", f"{head.number}:{head.seal}") == 1
    assert "Записи 2, сохранённой отдельно, в журнале нет" in capsys.readouterr().out


def test_a_journal_in_use_is_checked_with_its_newest_entries(journal, capsys):
    with SqliteStore(journal) as store:
        AuditLog(store).begin(who="account-17", certificate="ab" * 32, digest=bytes(32))
        assert audit(journal) == 0
    assert "Операции без исхода: 3" in capsys.readouterr().out
