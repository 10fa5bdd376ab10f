from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest

pytest.importorskip("typer", reason="needs the extra `cli`")

from typer.testing import CliRunner, Result

from medsign.ca import Authority
from medsign.cli.app import app
from medsign.cli.scene import HEAD_START
from medsign.codec.asn1 import pem_encode
from medsign.pki import private_key_info
from medsign.sandbox import RunningClock, Sandbox
from medsign.sandbox.ca import CaService
from medsign.sandbox.pki import Pki
from medsign.signers import SoftwareSigner

MEDSIGN = "from medsign.cli import main; main()"
Run = Callable[..., Result]


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


@pytest.fixture(scope="session")
def run() -> Run:
    """Return `run(*arguments)`: the command line in this process."""
    return invoke


@pytest.fixture(scope="session")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one training day, which tests only read."""
    folder = tmp_path_factory.mktemp("evening") / "day"
    result = invoke("demo", "--out", folder)
    assert result.exit_code == 0, result.output
    return folder


@attrs.frozen
class Desk:
    """A doctor with a key, the world that certified it, and a document on disk."""

    folder: Path
    pki: Pki
    doctor: SoftwareSigner

    def file(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def lists(self) -> Iterator[object]:
        for issuer in ("root", "commercial"):
            yield "--crl"
            yield self.file(f"{issuer}.crl", self.pki.crl(issuer) or b"")

    @property
    def trusted(self) -> tuple[object, ...]:
        """Options with which the doctor's signature can be verified offline."""
        return (
            *("--trust", self.file("root.pem", _pem(self.pki.root.der))),
            *("--cert", self.file("ca.pem", _pem(self.pki.authority(Authority.COMMERCIAL).der))),
            *self.lists(),
            "--offline",
        )


def _pem(der: bytes) -> bytes:
    return pem_encode("CERTIFICATE", der)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock = RunningClock()
    clock.set(clock.now() - HEAD_START)
    with Sandbox([CaService], clock=clock) as sandbox:
        pki = sandbox.world.part(Pki)
        doctor = pki.enrol(
            Authority.COMMERCIAL,
            surname="Тестова",
            given_names="Анна Петровна",
            inn="999900000160",
            snils="99900000115",
        )
        desk = Desk(tmp_path, pki, doctor)
        desk.file("doctor.pem", _pem(doctor.certificate.der))
        desk.file("key.pem", pem_encode("PRIVATE KEY", private_key_info(doctor.key)))
        desk.file("document", "Протокол осмотра".encode())
        yield desk


@pytest.fixture
def serve() -> Callable[..., object]:
    """Return `serve(*options)`: a context with the URL of `medsign sandbox` in a process."""
    return _served


@contextmanager
def _served(*options: object, ends_with: int = signal.SIGTERM) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", MEDSIGN, "sandbox", "--port", "0", *map(str, options)],
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert process.stdout is not None
    with process:
        try:
            yield re.findall(r"https?://\S+", process.stdout.readline())[0]
        finally:
            process.send_signal(ends_with)
        said = process.stdout.read()
        assert process.wait(20) == 0, said
        assert "Песочница остановлена." in said
