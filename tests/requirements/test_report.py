"""The traceability report: it must not flatter."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tool():
    path = ROOT / "tools" / "requirements_report.py"
    spec = importlib.util.spec_from_file_location("requirements_report", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def table(tool, shared_data: Path):
    return {
        row.id: row for row in tool.read_table(shared_data.parent / "reference/requirements.tsv")
    }


def test_a_range_names_both_its_ends(tool):
    assert tool.expand(["F007", "F098-F100"]) == ["F007", "F098", "F099", "F100"]


def test_marks_are_read_from_tests_classes_and_files(tool, tmp_path: Path):
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_one.py").write_text(
        'pytestmark = [pytest.mark.req("F001")]\n\n\n'
        '@pytest.mark.req("F002", "F003")\nclass TestRoom:\n    pass\n',
        encoding="utf-8",
    )
    assert tool.read_marks(tests) == {
        "F001": ["tests/test_one.py:1"],
        "F002": ["tests/test_one.py:4"],
        "F003": ["tests/test_one.py:4"],
    }


def test_a_row_is_counted_once_and_the_test_wins_over_the_scope_file(tool):
    rows = [tool.Row(f"F00{number}", "CA", "feature") for number in (1, 2, 3, 4)]
    text = tool.report(rows, {"F001": ["a"], "F002": ["b"]}, {"F002": "why", "F003": "why"})
    assert "All: 4 rows, 2 covered, 1 not covered, 1 not an SDK's work" in text
    assert "F002" in text.split("to be taken out")[1]


def test_every_mark_and_every_scope_row_is_in_the_table(tool, table):
    named = tool.read_marks(ROOT / "tests").keys() | tool.read_scope(tool.SCOPE).keys()
    assert named - table.keys() == set()


def test_a_scope_row_has_a_reason(tool):
    assert all(len(reason) > 20 for reason in tool.read_scope(tool.SCOPE).values())


def test_what_a_test_shows_is_not_called_out_of_scope(tool):
    marks, scope = tool.read_marks(ROOT / "tests"), tool.read_scope(tool.SCOPE)
    assert marks.keys() & scope.keys() == set()
