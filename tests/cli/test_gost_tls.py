"""The training day over GOST TLS, from one process to another."""

from __future__ import annotations

import ssl

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
