"""The training day over GOST TLS, from one process to another."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys

import httpx
import pytest

from medsign.sandbox import Sandbox
from medsign.sandbox.tls import root_pem

pytestmark = pytest.mark.interop


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root.pem"


@pytest.fixture
def protected(serve, gost_engine, root):
    with serve("--gost-tls", "--ca", root) as url:
        yield url


@pytest.mark.req("F118", "F126")
def test_the_day_runs_over_gost_tls(protected, root, run, tmp_path):
    result = run("demo", "--url", protected, "--ca", root, "--out", tmp_path / "day")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "day" / "report.json").is_file()


def test_a_client_without_gost_is_refused(protected, root):
    context = ssl.create_default_context(cafile=root)
    context.set_ciphers("ECDHE+AESGCM")  # Debian's Python offers all that its OpenSSL has
    with httpx.Client(verify=context) as http, pytest.raises(httpx.ConnectError):
        http.get(protected)


def test_the_root_of_another_sandbox_is_refused_in_russian(protected, run, tmp_path):
    other = tmp_path / "other.pem"
    with Sandbox() as sandbox:
        other.write_bytes(root_pem(sandbox))
    result = run("demo", "--url", protected, "--ca", other, "--out", tmp_path / "day")
    assert result.exit_code == 69
    assert "MS-TLS-UNTRUSTED" in result.stderr
    assert "Traceback" not in result.output


def test_a_root_that_cannot_be_written_is_wrong_usage(run, gost_engine, tmp_path):
    result = run("sandbox", "--port", 0, "--gost-tls", "--ca", tmp_path)
    assert result.exit_code == 64


def ways(run):
    found = json.loads(run("selfcheck", "--json").stdout)["abilities"]
    return {each["key"]: each for each in found if each["key"].startswith("tls.gost.")}


def test_selfcheck_tells_which_way_the_machine_has(run, gost_engine):
    found = ways(run)
    assert found.keys() == {"tls.gost.python", "tls.gost.system", "tls.gost.gateway"}
    assert found["tls.gost.system"]["there"]


def test_selfcheck_names_the_package_of_a_missing_engine():
    code = "from medsign.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "selfcheck"],
        env={**os.environ, "OPENSSL_ENGINES": os.devnull, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=True,
    )
    lines = [line for line in done.stdout.decode().splitlines() if "способ" in line]
    assert "нет" in lines[0]
    assert "libengine-gost-openssl" in lines[0]
    assert "нет" in lines[1]
    assert "libengine-gost-openssl" in lines[1]
