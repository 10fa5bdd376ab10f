"""What tests of keys in devices share: parts in C, compiled once."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def compiled(
    tmp_path_factory: pytest.TempPathFactory, program: Callable[[str, str], str]
) -> Callable[[str], Path]:
    """Return `compiled(name)`: the library made of a C file of this folder and libcrypto."""
    compiler = program("gcc", "gcc")
    folder = tmp_path_factory.mktemp("compiled")

    def library_of(name: str) -> Path:
        library = folder / f"{name}.so"
        done = subprocess.run(
            [
                *(compiler, "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror"),
                *("-Wno-cast-function-type", "-O1", "-fPIC", "-shared", "-o", library),
                *(Path(__file__).with_name(f"{name}.c"), "-lcrypto"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            for header, package in (("openssl/bn.h", "libssl-dev"), ("stdio.h", "libc6-dev")):
                if f"{header}: No such file" in done.stderr:
                    program(header, package)
            pytest.fail(done.stderr)
        return library

    return library_of
