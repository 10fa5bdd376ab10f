"""What every room's tests share: data beside the repository, programs of the system, Hypothesis."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, Protocol

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

settings.register_profile("dev", max_examples=40, deadline=None)
settings.register_profile(
    "ci",
    max_examples=100,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

# `init = 1` and `default_algorithms` let `openssl cms` and `req` find the engine by themselves; the
# file is named in the environment of the child only, the system's configuration stays as it is.
GOST_CONFIG = """\
openssl_conf = conf
[conf]
engines = engines
[engines]
gost = gost
[gost]
engine_id = gost
default_algorithms = ALL
init = 1
[req]
distinguished_name = dn
[dn]
"""


class OpenSSL(Protocol):
    """How a test runs `openssl` with GOST; the arguments are those after the program's name."""

    def __call__(
        self, *arguments: str | Path, input: bytes | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[bytes]: ...


def missing(reason: str) -> NoReturn:
    """Skip the test, or fail it where the interop job promised that everything is installed."""
    if os.environ.get("MEDSIGN_INTEROP") == "require":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of public samples: MEDSIGN_SHARED_DATA, or ../shared/data."""
    folder = Path(os.environ.get("MEDSIGN_SHARED_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("no public samples: set MEDSIGN_SHARED_DATA, or put them into ../shared/data")
    return folder


@pytest.fixture(scope="session")
def program() -> Callable[[str, str], str]:
    """Return `program(name, package)`: the path of a program, or a skip that names its package."""

    def find(name: str, package: str) -> str:
        return shutil.which(name) or missing(f"needs `{name}` of the Debian package {package}")

    return find


@pytest.fixture(scope="session")
def gost_engine(
    tmp_path_factory: pytest.TempPathFactory, program: Callable[[str, str], str]
) -> Path:
    """Return an OPENSSL_CONF under which OpenSSL has the GOST engine."""
    binary = program("openssl", "openssl")
    config = tmp_path_factory.mktemp("openssl") / "gost.cnf"
    config.write_text(GOST_CONFIG)
    probe = subprocess.run(
        [binary, "dgst", "-md_gost12_256"],
        input=b"",
        capture_output=True,
        env={**os.environ, "OPENSSL_CONF": str(config)},
        check=False,
    )
    if probe.returncode:
        missing("needs the GOST engine of the Debian package libengine-gost-openssl")
    return config


@pytest.fixture(scope="session")
def openssl(gost_engine: Path, program: Callable[[str, str], str]) -> OpenSSL:
    """Return `openssl(*arguments, input=None, check=True)`, the system's OpenSSL with GOST."""
    binary = program("openssl", "openssl")
    environment = {**os.environ, "OPENSSL_CONF": str(gost_engine)}

    def run(
        *arguments: str | Path, input: bytes | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(
            [binary, *map(str, arguments)],
            input=input,
            capture_output=True,
            env=environment,
            timeout=60,
            check=False,
        )
        if check and done.returncode:
            pytest.fail(f"openssl {arguments[0]} failed: {done.stderr.decode(errors='replace')}")
        return done

    return run
