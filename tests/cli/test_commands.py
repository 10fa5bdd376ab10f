"""The other commands: sandbox, inspect, mchd validate, selfcheck, and a missing extra."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from importlib.metadata import metadata

import httpx
import pytest

from medsign.pki import make_request, message_imprint, ocsp_request, timestamp_request
from medsign.pki.issuing import subject_name


def said(result) -> dict:
    return json.loads(result.stdout)


@pytest.mark.req("F063", "F179")
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_sandbox_says_how_to_connect_and_stops_when_asked(serve, ending):
    with serve(ends_with=ending) as url:
        world = httpx.get(f"{url}/_sandbox/world").json()
    assert world["services"]["ca"]["url"] == f"{url}/ca"


def test_the_world_survives_a_restart_in_its_file(serve, tmp_path):
    roots = []
    for _ in range(2):
        with serve("--store", tmp_path / "world.db") as url:
            roots.append(httpx.get(f"{url}/ca/aia/root.cer").content)
    assert roots[0] == roots[1]


def test_a_port_in_use_is_wrong_usage(serve, run):
    with serve() as url:
        result = run("sandbox", "--port", url.rpartition(":")[2])
    assert result.exit_code == 64


def test_a_request_and_the_questions_to_services_are_recognised(run, desk):
    doctor = desk.doctor
    files = {
        "request": make_request(subject_name(surname="Тестова"), doctor).der,
        "ocsp-request": ocsp_request(doctor.certificate, desk.pki.intermediates[1]),
        "tsp-request": timestamp_request(message_imprint(b"stamped"), nonce=7),
        "tsp-response": desk.pki.answer_timestamp(
            timestamp_request(message_imprint(b"stamped"), nonce=7)
        ),
        "crl": desk.pki.crl("root"),
        "certificate": doctor.certificate.der,
    }
    kinds = {
        kind: said(run("inspect", desk.file(kind, content), "--json"))["kind"]
        for kind, content in files.items()
    }
    assert kinds == {kind: kind for kind in files}


def test_a_certificate_is_shown_to_people(run, desk):
    shown = run("inspect", desk.folder / "doctor.pem").stdout
    assert shown.startswith("Сертификат\n")
    assert "СНИЛС: 99900000115" in shown
    assert "Класс средства ЭП: КС2" in shown


def test_of_a_private_key_nothing_but_its_kind_is_shown(run, desk):
    told = said(run("inspect", desk.folder / "key.pem", "--json"))
    assert set(told) == {"kind", "algorithm"}
    assert told["kind"] == "private-key"


def test_a_time_stamp_and_a_power_of_attorney_are_shown(run, evening):
    stamp = said(run("inspect", evening / "evidence/protocol.tst", "--json"))
    assert stamp["kind"] == "time-stamp"
    (poa,) = evening.glob("mchd/*.xml")
    told = said(run("inspect", poa, "--json"))
    assert (told["kind"], told["errors"]) == ("mchd", 0)
    assert f"_{told['number']}.xml" in poa.name


@pytest.mark.parametrize("content", [b"", b"noise", b"<a/>", b"\x30\x80", bytes(99)])
def test_what_nobody_knows_is_bad_data(run, tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    result = run("inspect", path)
    assert result.exit_code == 65
    assert "MS-MALFORMED" in result.stderr


def test_a_text_is_nothing_known(run, tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text("Не сертификат и не подпись", encoding="utf-8")
    told = run("inspect", path)
    assert told.exit_code == 65
    assert "нет ничего известного" in told.stderr
    assert "nothing known" in told.stderr


def test_signatures_inside_a_pdf_are_counted(run, evening):
    told = run("inspect", evening / "documents/epicrisis.pdf")
    assert told.stdout.splitlines() == [
        "PDF",
        "  Подписей внутри: 1",
        "  Проверить их: medsign verify",
    ]


@pytest.fixture
def poa(evening, tmp_path):
    (file,) = evening.glob("mchd/*.xml")
    path = tmp_path / file.name
    path.write_bytes(file.read_bytes())
    return path


def test_a_good_power_of_attorney_has_no_findings(run, poa):
    assert run("mchd", "validate", poa).exit_code == 0
    told = said(run("mchd", "validate", poa, "--json"))
    assert told == {"valid": True, "findings": []}


def test_each_finding_has_a_path_and_no_value(run, poa):
    text = poa.read_text(encoding="utf-8")
    start = text.index('СНИЛС="') + len('СНИЛС="')
    wrong = text[start : start + 12] + "00"
    poa.write_text(text[:start] + wrong + text[start + 14 :], encoding="utf-8")
    result = run("mchd", "validate", poa, "--json")
    assert result.exit_code == 1
    (finding,) = said(result)["findings"]
    assert finding["path"].endswith("/@СНИЛС")
    assert finding["code"] == "checksum.snils"
    assert wrong not in result.output
    shown = run("mchd", "validate", poa)
    assert (shown.exit_code, "Ошибка" in shown.stdout) == (1, True)


def test_a_file_that_is_no_xml_is_an_error_found(run, tmp_path):
    path = tmp_path / "x.xml"
    path.write_bytes(b"noise")
    told = run("mchd", "validate", path, "--json")
    assert (told.exit_code, said(told)["valid"]) == (1, False)


def test_the_name_of_the_file_is_checked_too(run, poa):
    moved = poa.rename(poa.with_name("renamed.xml"))
    told = said(run("mchd", "validate", moved, "--json"))
    assert [each["code"] for each in told["findings"]] == ["file.name"]


def test_the_machine_is_described(run):
    result = run("selfcheck", "--json")
    assert result.exit_code == 0
    found = {each["key"]: each for each in said(result)["abilities"]}
    assert found["portable"]["there"]
    assert found["extra.cli"]["there"]
    assert {"python", "ssl", "ssl.shared", "openssl", "engine.gost", "gostprov"} <= found.keys()
    assert all(each["install"] for each in found.values() if not each["there"])
    assert "medsign работает." in run("selfcheck").stdout


def test_every_extra_is_told_of(run):
    extras = set(metadata("medsign").get_all("Provides-Extra")) - {"all"}
    told = {each["key"] for each in said(run("selfcheck", "--json"))["abilities"]}
    assert {f"extra.{name}" for name in extras} <= told


def test_without_openssl_the_machine_is_told_what_to_install(run, monkeypatch):
    monkeypatch.setenv("PATH", "")
    shown = run("selfcheck").stdout
    assert "установить: apt install openssl" in shown
    assert "libengine-gost-openssl" in shown


def test_the_environment_s_secrets_are_not_shown(run, monkeypatch):
    monkeypatch.setenv("MEDSIGN_SEP_TOKEN", "d19f9083-secret")
    assert "d19f9083" not in run("selfcheck", "--json").output


def test_without_arguments_there_is_help_and_64(run):
    result = run()
    assert result.exit_code == 64
    assert "verify" in result.output


def test_an_unknown_command_is_wrong_usage(run):
    assert run("frobnicate").exit_code == 64


def test_a_missing_extra_says_what_to_install():
    code = "import sys; sys.modules['typer'] = None\nfrom medsign.cli import main\nmain()\n"
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 69
    assert "pip install 'medsign[cli]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_console_without_unicode_is_no_reason_to_die():
    done = subprocess.run(
        [sys.executable, "-c", "from medsign.cli import main; main()", "selfcheck"],
        capture_output=True,
        env={"PYTHONIOENCODING": "cp1251", "PATH": ""},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "medsign работает." in done.stdout.decode("cp1251")
