"""Every example of the README, the documentation and the examples folder runs."""

from __future__ import annotations

import importlib
import inspect
import re
import runpy
from pathlib import Path

import pytest

import medsign
from medsign.exchange import Service

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SCRIPTS = sorted((ROOT / "examples").glob("*.py"))
ROOMS = sorted(
    init.parent.name
    for init in (ROOT / "src" / "medsign").glob("*/__init__.py")
    if "__all__" in init.read_text(encoding="utf-8")
)
DOCTEST = re.compile(r"^\s*(?:>>>|\.\.\.) .*", flags=re.MULTILINE)
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


def shown() -> str:
    """Return all code that is shown and run: pages, programs, examples in docstrings."""
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")]
    return "\n".join(
        [
            *map(program, PAGES),
            *(script.read_text(encoding="utf-8") for script in SCRIPTS),
            *(line for text in sources for line in DOCTEST.findall(text)),
        ]
    )


@pytest.mark.req("F060", "F062")
def test_every_public_name_has_an_example_that_runs():
    words = set(re.findall(r"\w+", shown()))
    assert sorted(set(medsign.__all__) - words) == []


# Types of results are shown by what returns them.
@pytest.mark.req("F060", "F062")
@pytest.mark.parametrize("room", ROOMS)
def test_every_public_function_and_service_of_a_room_has_an_example_that_runs(room: str):
    module = importlib.import_module(f"medsign.{room}")
    words = set(re.findall(r"\w+", shown()))
    bare = [
        name
        for name in module.__all__
        if (thing := getattr(module, name))
        and (inspect.isfunction(thing) or (isinstance(thing, type) and issubclass(thing, Service)))
        and name not in words
        and f"window.{name.lower()}." not in shown()
    ]
    assert bare == []
