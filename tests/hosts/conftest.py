"""A sandbox behind a real socket, for hosts that run in other threads and processes."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from medsign.sandbox import Sandbox
from medsign.sandbox.http import server
from medsign.sandbox.sep import CLINIC_ID

# What every program of these tests begins with: the settings, and a package for a patient.
PRELUDE = """
import os, sys
from datetime import UTC, date, datetime
from medsign import AsyncMedSign, Config, MedSign
from medsign.identifiers import Phone
from medsign.sandbox.paper import new_pdf
from medsign.sep import SMS, Document, Package, Patient, Source, SourceKind

CONFIG = Config.from_env()
NOW = datetime(2026, 6, 25, 9, tzinfo=UTC)
PDF = new_pdf(["Согласие", "Форма KAV.0049"])

def package(number):
    document = Document(
        id=f"d{number}", name="Согласие", form_code="KAV.0049", content=PDF, added_at=NOW
    )
    patient = Patient(
        id="1", surname="Тестова", given_name="Анна", birth_date=date(1990, 5, 17),
        phone=Phone("+79990000001"),
    )
    source = Source(kind=SourceKind.TALON, number="1", created_at=NOW)
    return Package(
        id=f"p{number}", source=source, patient=patient, channel=SMS, documents=(document,)
    )

def send(window, number):
    one = package(number)
    return window.sep.send(one, one.documents[0])
"""

RunProgram = Callable[..., str]


@pytest.fixture(scope="session")
def live() -> Iterator[Sandbox]:
    """A sandbox that other processes reach; its `base_url` is where."""
    with Sandbox() as sandbox:
        uvicorn = server(sandbox, port=0)
        thread = threading.Thread(target=uvicorn.run, daemon=True)
        thread.start()
        while not uvicorn.started:
            assert thread.is_alive()
            time.sleep(0.01)
        port = uvicorn.servers[0].sockets[0].getsockname()[1]
        sandbox.base_url = f"http://127.0.0.1:{port}"
        yield sandbox
        uvicorn.should_exit = True
        thread.join(30)


@pytest.fixture
def environment(live: Sandbox, tmp_path: Path) -> dict[str, str]:
    """The settings of a clinic of that sandbox, as environment variables."""
    end = live.endpoint("sep")
    return {
        "MEDSIGN_SEP_URL": end.url,
        "MEDSIGN_SEP_TOKEN": end.token,
        "MEDSIGN_SEP_ORGANIZATION": CLINIC_ID,
        "MEDSIGN_STORE": str(tmp_path / "journal.db"),
    }


@pytest.fixture
def run_program(environment: dict[str, str], tmp_path: Path) -> RunProgram:
    """Return `run_program(text)`: run a program in which a warning is an error; its output."""

    def run(text: str) -> str:
        file = tmp_path / "program.py"
        file.write_text(PRELUDE + textwrap.dedent(text), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", str(file)],
            env=os.environ | environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "Warning" not in done.stderr, done.stderr
        return done.stdout

    return run
