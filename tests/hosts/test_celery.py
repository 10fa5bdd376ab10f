"""A Celery worker with a prefork pool: one window per process of the pool."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from tests.hosts.conftest import PRELUDE

pytest.importorskip("celery", reason="needs celery of the group `test`")

TASKS = """
from celery import Celery
from celery.signals import worker_process_init, worker_process_shutdown

HERE = os.getcwd()
app = Celery("clinic", broker="filesystem://", backend=f"file://{HERE}/results")
app.conf.broker_transport_options = {
    "data_folder_in": f"{HERE}/queue", "data_folder_out": f"{HERE}/queue",
    "control_folder": f"{HERE}/control",
}
app.conf.worker_hijack_root_logger = False
windows = []

@worker_process_init.connect
def open_window(**_):
    windows.append(MedSign(CONFIG))

@worker_process_shutdown.connect
def close_window(**_):
    windows.pop().close()

early = MedSign(CONFIG)  # a mistake that is made: opened when the module is imported

@app.task
def send_one(number):
    return os.getpid(), send(windows[0], number).number

@app.task
def send_too_early(number):
    return send(early, number).number
"""

PRODUCER = """
import time
from clinic import app, send_one, send_too_early

jobs = [send_one.delay(f"celery{number % 5}") for number in range(20)]
numbers = [job.get(timeout=30)[1] for job in jobs]
error = send_too_early.delay("x").get(timeout=30, propagate=False)
print(len(set(numbers)), type(error).__name__, error)
app.control.shutdown()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.req("F059")
def test_a_prefork_worker_sends_each_document_once(
    environment: dict[str, str], tmp_path: Path
) -> None:
    for folder in ("queue", "control", "results"):
        (tmp_path / folder).mkdir()
    (tmp_path / "clinic.py").write_text(PRELUDE + TASKS, encoding="utf-8")
    (tmp_path / "producer.py").write_text(textwrap.dedent(PRODUCER), encoding="utf-8")
    settings = os.environ | environment | {"PYTHONPATH": str(tmp_path)}
    worker = subprocess.Popen(
        [
            *(sys.executable, "-m", "celery", "-A", "clinic", "worker", "-P", "prefork"),
            *("-c", "2", "--without-gossip", "--without-mingle", "--without-heartbeat"),
            *("-l", "WARNING"),
        ],
        cwd=tmp_path,
        env=settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        produced = subprocess.run(
            [sys.executable, "producer.py"],
            cwd=tmp_path,
            env=settings,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        worker.terminate()
        told, _ = worker.communicate(timeout=30)
    assert produced.returncode == 0, produced.stderr + told
    assert produced.stdout == (
        "5 UsageError this window was opened before a fork: open one in each process\n"
    )
    assert "ResourceWarning" not in told
