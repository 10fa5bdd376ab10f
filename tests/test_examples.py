"""Every example of the README, the documentation and the examples folder runs."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

import medsign

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SCRIPTS = sorted((ROOT / "examples").glob("*.py"))
BLOCK = re.compile(r"^```python\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)


def program(page: Path) -> str:
    """Return the page as a program: its Python blocks on their own lines, so tracebacks fit."""
    text = page.read_text(encoding="utf-8")
    lines = [""] * (text.count("\n") + 1)
    for block in BLOCK.finditer(text):
        first = text.count("\n", 0, block.start(1))
        for number, line in enumerate(block[1].splitlines()):
            lines[first + number] = line
    return "\n".join(lines)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if program(page).strip()], ids=lambda page: page.name
)
def test_the_examples_of_a_page_run_from_top_to_bottom(page: Path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(program(page), str(page), "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_an_example_program_runs(script: Path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(script), run_name="__main__")


@pytest.mark.req("F060", "F062")
def test_every_public_name_has_an_example_that_runs():
    shown = "\n".join(
        [*map(program, PAGES), *(script.read_text(encoding="utf-8") for script in SCRIPTS)]
    )
    bare = [
        name
        for name in getattr(medsign, "__all__", [])
        if not name.startswith("_")
        and not re.search(rf"\b{name}\b", shown)
        and ">>>" not in (getattr(medsign, name).__doc__ or "")
    ]
    assert bare == []
