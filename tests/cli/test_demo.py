"""The training day: it runs, it leaves everything a sceptic needs, and OpenSSL believes it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

EXPECTED = [
    "CHECK.md",
    "certificates/doctor.pem",
    "certificates/head.pem",
    "certificates/ocsp.pem",
    "certificates/root.pem",
    "certificates/tsa.pem",
    "documents/consent.pdf",
    "documents/consent.pdf.sig",
    "documents/epicrisis.pdf",
    "documents/protocol.pdf",
    "documents/protocol.pdf.sig",
    "evidence/consent.tsr",
    "evidence/doctor.ors",
    "evidence/root.crl",
    "openssl-gost.cnf",
    "report.html",
    "report.json",
]


def commands(folder: Path, program: str) -> list[list[str]]:
    text = (folder / "CHECK.md").read_text(encoding="utf-8")
    return [shlex.split(line)[1:] for line in re.findall(rf"^{program} .*", text, re.MULTILINE)]


@pytest.fixture
def copy(evening, tmp_path) -> Path:
    return shutil.copytree(evening, tmp_path / "copy")


@pytest.fixture
def sceptic(gost_engine, program):
    """Return `sceptic(folder, arguments) -> bool`: whether OpenSSL accepts."""
    binary = program("openssl", "openssl")

    def accepts(folder: Path, arguments: list[str]) -> bool:
        done = subprocess.run(
            [binary, *arguments],
            cwd=folder,
            capture_output=True,
            env={**os.environ, "OPENSSL_CONF": "openssl-gost.cnf"},
            timeout=60,
            check=False,
        )
        said = done.stdout + done.stderr
        if arguments[0] == "ocsp":
            # OpenSSL ends well also when the status is bad.
            return done.returncode == 0 and b": good" in said and b"Response verify OK" in said
        return done.returncode == 0

    return accepts


@pytest.mark.req("F063", "F176", "F178")
def test_the_day_leaves_its_artefacts(evening):
    assert [name for name in EXPECTED if not (evening / name).is_file()] == []
    (poa,) = (evening / "mchd").glob("ON_EMCHD_*.xml")
    assert poa.with_name(f"{poa.name}.sig").is_file()


def test_no_private_key_is_left_behind(evening, run):
    kinds = set()
    for path in evening.rglob("*"):
        if path.is_file():
            assert b"PRIVATE KEY" not in path.read_bytes()
            shown = run("inspect", path, "--json")
            kinds |= {json.loads(shown.stdout)["kind"]} if shown.exit_code == 0 else set()
    assert {"certificate", "crl", "cms", "ocsp-response", "tsp-response", "mchd"} <= kinds
    assert "private-key" not in kinds


def test_the_report_says_that_the_protocol_passed(evening):
    report = json.loads((evening / "report.json").read_text(encoding="utf-8"))
    assert report["indication"] == "TOTAL-PASSED"
    assert report["signers"][0]["provedBy"] == "time stamp"
    assert "Подпись действительна" in (evening / "report.html").read_text(encoding="utf-8")


def test_the_head_s_certificate_is_reported_to_expire(evening):
    assert "действует до" in (evening / "reports" / "notices.txt").read_text(encoding="utf-8")


def test_all_four_results_of_the_power_of_attorney_are_clean(evening):
    results = json.loads((evening / "reports" / "representation.json").read_text(encoding="utf-8"))
    assert results.keys() == {"document", "representative", "powers", "powerOfAttorney"}
    assert [result["findings"] for result in results.values()] == [[]] * 4


def test_the_own_commands_of_the_instructions_pass(copy, run, monkeypatch):
    monkeypatch.chdir(copy)
    lines = commands(copy, "medsign")
    assert [line[1] for line in lines] == ["documents/protocol.pdf.sig", "documents/epicrisis.pdf"]
    results = [run(*line) for line in lines]
    assert [result.exit_code for result in results] == [0, 0], results[1].output


@pytest.mark.interop
def test_openssl_agrees_with_every_line_of_the_instructions(copy, sceptic):
    lines = commands(copy, "openssl")
    assert [sceptic(copy, line) for line in lines] == [True] * (len(lines) - 1) + [False]


@pytest.mark.interop
@pytest.mark.parametrize("number", range(9))
def test_openssl_refuses_a_flipped_bit_in_what_a_line_judges(copy, sceptic, number):
    line = commands(copy, "openssl")[number]
    judged = {"cms": "-content", "ts": "-data", "ocsp": "-respin"}.get(line[0])
    path = copy / (line[line.index(judged) + 1] if judged else line[-1])
    content = bytearray(path.read_bytes())
    content[-60 if path.suffix == ".pem" else len(content) // 2] ^= 1
    path.write_bytes(content)
    assert not sceptic(copy, line)


@pytest.mark.req("F063", "F179")
def test_the_day_runs_against_a_sandbox_of_another_process(serve, run, tmp_path):
    with serve() as url:
        results = [run("demo", "--url", url, "--out", tmp_path / str(day)) for day in range(2)]
    assert [result.exit_code for result in results] == [0, 0], results[1].output
    assert (tmp_path / "1" / "report.json").is_file()


def test_no_sandbox_at_the_address_is_told_in_russian(run, tmp_path):
    result = run("demo", "--url", "http://127.0.0.1:9", "--out", tmp_path)
    assert result.exit_code == 69
    assert "MS-CONNECT" in result.stderr
    assert "Traceback" not in result.output


def test_ordinary_tls_to_a_sandbox_of_gost_tls_says_what_to_pass(run, tmp_path):
    told = run("demo", "--url", "https://127.0.0.1:9", "--out", tmp_path)
    assert told.exit_code == 69
    assert "--ca" in told.stderr


def test_a_root_without_an_address_is_wrong_usage(run, tmp_path):
    told = run("demo", "--ca", tmp_path / "root.pem", "--out", tmp_path)
    assert told.exit_code == 64
    assert "--url" in told.stderr


def test_an_address_without_a_scheme_is_told_as_such(run, tmp_path):
    told = run("demo", "--url", "nohost", "--out", tmp_path)
    assert told.exit_code == 69
    assert "protocol" in told.stderr


def test_a_folder_that_cannot_be_written_is_wrong_usage(run, tmp_path):
    (tmp_path / "file").write_text("")
    assert run("demo", "--out", tmp_path / "file").exit_code == 64
    assert run("demo", "--out", tmp_path / "file" / "below").exit_code == 64
