"""What selfcheck says about the OpenSSL of Python: shared with the system, or built in."""

from __future__ import annotations

import _ssl
import ctypes
import json
import subprocess
import sys

import pytest

pytest.importorskip("typer", reason="needs the extra `cli`")

from medsign.cli.selfcheck import imports_openssl, maps_openssl

SSL = "7fc8466a6000-7fc8466b8000 r--p 00000000 fe:00 29753    /opt/py/lib-dynload/_ssl.so\n"
CRYPTO = "7fc846000000-7fc8460c5000 r--p 00000000 fe:00 5595156    "


@pytest.mark.parametrize(
    "file",
    [
        "/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
        "/usr/lib/libcrypto.so.1.1",
        "/opt/py/lib/libcrypto-81d66ed9.so.3",
        "/usr/lib/libcrypto.so.3 (deleted)",  # after an upgrade of the system
    ],
)
def test_a_libcrypto_of_its_own_file_is_shared(file):
    assert maps_openssl(f"{SSL}{CRYPTO}{file}\n{SSL}")


@pytest.mark.parametrize(
    "file",
    [
        "/opt/libcrypto.so.3/bin/python3",
        "/opt/py/_ssl.so",
        "/usr/lib/mylibcrypto.so.3",
        "[heap]",
        "/usr/lib/libcryptsetup.so.12",
    ],
)
def test_other_files_are_no_libcrypto(file):
    assert not maps_openssl(f"{SSL}{CRYPTO}{file}\n{SSL}")


@pytest.mark.parametrize(
    "content, shared",
    [
        (b"\0libssl-3.dll\0libcrypto-3.dll\0", True),
        (b"\0libcrypto-1_1-x64.dll\0", True),
        (b"\0/opt/homebrew/opt/openssl@3/lib/libcrypto.3.dylib\0", True),
        (b"\0libssl.so.3\0libcrypto.so.3\0", True),
        (b"\0the text libcrypto and nothing more\0", False),
        (b"", False),
    ],
)
def test_an_extension_that_asks_for_a_libcrypto_has_a_shared_one(content, shared):
    assert imports_openssl(content) is shared


def shares(run) -> bool:
    found = json.loads(run("selfcheck", "--json").stdout)["abilities"]
    return next(each["there"] for each in found if each["key"] == "ssl.shared")


@pytest.mark.parametrize("executable", [sys.executable, ""], ids=["program", "embedded"])
def test_what_is_told_is_what_the_linker_says(executable, run, program, monkeypatch):
    file = getattr(_ssl, "__file__", None) or sys.executable
    needed = subprocess.run(
        [program("ldd", "libc-bin"), file], capture_output=True, text=True, check=True
    )
    monkeypatch.setattr(sys, "executable", executable)
    assert shares(run) is ("libcrypto" in needed.stdout)


def test_a_libcrypto_that_somebody_else_has_loaded_is_not_python_s(run, monkeypatch, tmp_path):
    """As on a Python with OpenSSL inside, in a process that has opened the system's."""
    try:
        ctypes.CDLL("libcrypto.so.3")
    except OSError:
        pytest.skip("no libcrypto.so.3: apt install libssl3")
    static = tmp_path / "python"
    static.write_text(f"#!/bin/sh\necho '{SSL}'\n")
    static.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(static))
    assert not shares(run)
