"""`medsign verify`: exit codes, JSON, and signatures that OpenSSL made."""

from __future__ import annotations

import json
from datetime import timedelta
from io import BytesIO

import pytest

from medsign import cms
from medsign.clock import SystemClock


@pytest.fixture
def signature(desk):
    at = desk.doctor.certificate.not_before + timedelta(seconds=1)
    made = cms.sign(desk.folder / "document", desk.doctor, at=at)
    return desk.file("document.sig", made)


@pytest.fixture
def verify(desk, signature, run):
    """Return `verify(*options)`: about the document of the desk, with all its evidence."""
    content = desk.folder / "document"
    return lambda *options: run("verify", signature, "--content", content, *desk.trusted, *options)


def test_a_good_signature_passes(verify):
    result = verify()
    assert result.exit_code == 0, result.output
    assert "Подпись действительна" in result.stdout
    assert "Тестова Анна Петровна" in result.stdout


def test_a_changed_document_fails(verify, desk):
    desk.file("document", b"another")
    result = verify("--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert (told["indication"], told["subindication"]) == ("TOTAL-FAILED", "HASH_FAILURE")
    failed = [e for e in told["findings"] if not e["passed"] and e["severity"] == "fail"]
    assert [(each["code"], each["signature"]) for each in failed] == [("CONTENT_INTACT", 1)]


def test_without_trust_nothing_is_proved(run, desk, signature):
    result = run("verify", signature, "--content", desk.folder / "document", "--json")
    assert result.exit_code == 2
    told = json.loads(result.stdout)
    assert told["indication"] == "INDETERMINATE"
    assert told["subindication"] == "NO_CERTIFICATE_CHAIN_FOUND"


def test_what_is_no_signature_fails(verify, desk, signature):
    signature.write_bytes(b"noise")
    result = verify("--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["subindication"] == "FORMAT_FAILURE"


def test_the_moment_of_the_verdict_can_be_chosen(verify):
    late = SystemClock().now() + timedelta(days=800)
    assert verify("--at", late.isoformat()).exit_code == 2


def test_a_saved_ocsp_answer_replaces_the_list_of_the_issuer(evening, run):
    def told(*evidence):
        return run(
            *("verify", evening / "documents/protocol.pdf.sig"),
            *("--content", evening / "documents/protocol.pdf"),
            *("--trust", evening / "certificates/authorities.pem"),
            *evidence,
            "--json",
        )

    assert told().exit_code == 2
    answers = [part for path in sorted(evening.glob("evidence/*.ors")) for part in ("--ocsp", path)]
    assert told(*answers).exit_code == 0


@pytest.mark.parametrize(
    "options",
    [
        ("--at", "tomorrow"),
        ("--at", "2026-07-01T12:00:00"),
        ("--offline", "--ocsp-url", "http://127.0.0.1:9/ocsp"),
        ("--no-such-option",),
        ("--crl", "no-such-file"),
    ],
)
def test_wrong_usage_is_64(verify, options):
    result = verify(*options)
    assert result.exit_code == 64
    assert result.stdout == ""
    assert result.stderr


def test_a_missing_signature_file_is_wrong_usage(run, tmp_path):
    assert run("verify", tmp_path / "nothing").exit_code == 64


def test_a_policy_is_read_from_a_file(verify, desk):
    strict = b'{"name": "stamped", "levels": {"STAMP_PRESENT": "fail"}}'
    result = verify("--policy", desk.file("policy.json", strict), "--json")
    assert result.exit_code == 2
    told = json.loads(result.stdout)
    assert (told["policy"]["name"], told["subindication"]) == ("stamped", "NO_POE")


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        (b'{"name": "ward", "level": {}}', 65),
        (b'{"name": "ward", "levels": {"SIGNATURE_INTACT": "warn"}}', 64),
    ],
)
def test_a_policy_that_makes_no_sense_is_no_verdict(verify, desk, policy, code):
    assert verify("--policy", desk.file("policy.json", policy)).exit_code == code


@pytest.fixture
def signed_pdf(desk):
    pytest.importorskip("pyhanko", reason="needs the extra `pdf`")
    pypdf = pytest.importorskip("pypdf", reason="needs the extra `sandbox`")
    from medsign.pdf import sign_pdf

    page, writer = BytesIO(), pypdf.PdfWriter()
    writer.add_blank_page(99, 99)
    writer.write(page)
    at = desk.doctor.certificate.not_before + timedelta(seconds=1)
    return desk.file("signed.pdf", sign_pdf(page.getvalue(), desk.doctor, at=at))


def test_a_pdf_with_a_signature_inside_is_verified(run, desk, signed_pdf):
    result = run("verify", signed_pdf, *desk.trusted)
    assert result.exit_code == 0, result.output
    assert "Тестова Анна Петровна" in result.stdout
    signed_pdf.write_bytes(signed_pdf.read_bytes() + b"more")
    result = run("verify", signed_pdf, *desk.trusted, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["subindication"] == "FORMAT_FAILURE"


def test_a_pdf_is_its_own_content(run, desk, signed_pdf):
    assert run("verify", signed_pdf, "--content", signed_pdf, *desk.trusted).exit_code == 64


@pytest.mark.parametrize("option", ["--trust", "--cert", "--crl", "--ocsp"])
def test_damaged_evidence_is_bad_data_and_no_verdict(verify, desk, option):
    result = verify(option, desk.file("damaged", b"noise"))
    assert result.exit_code == 65
    assert "MS-MALFORMED" in result.stderr


def test_a_silent_ocsp_service_is_no_evidence(run, desk, signature):
    result = run(
        *("verify", signature, "--content", desk.folder / "document"),
        *("--trust", desk.file("root.pem", desk.pki.root.der)),
        *("--cert", desk.file("ca.pem", desk.pki.intermediates[1].der)),
        *("--ocsp-url", "http://127.0.0.1:9/ocsp"),
    )
    assert result.exit_code == 2
    assert "ответ OCSP" in result.stdout


def test_an_ocsp_service_is_asked_when_it_is_named(serve, run, tmp_path):
    with serve() as url:
        assert run("demo", "--url", url, "--out", tmp_path).exit_code == 0
        question = (
            *("verify", tmp_path / "documents/protocol.pdf.sig"),
            *("--content", tmp_path / "documents/protocol.pdf"),
            *("--trust", tmp_path / "certificates/root.pem"),
            *("--cert", tmp_path / "certificates/authorities.pem"),
            *("--crl", tmp_path / "evidence/root.crl"),
            # Waits pass at once in the sandbox, so its clock is ahead of this machine's.
            *("--at", (SystemClock().now() + timedelta(hours=1)).isoformat()),
        )
        assert run(*question).exit_code == 2
        assert run(*question, "--ocsp-url", f"{url}/ocsp").exit_code == 0


@pytest.mark.interop
@pytest.mark.parametrize("options", [(), ("-nodetach",), ("-cades",)])
def test_a_signature_of_openssl_passes(openssl, desk, run, options):
    made = openssl(
        *("cms", "-sign", "-binary", "-outform", "DER", "-md", "md_gost12_256", *options),
        *("-in", desk.folder / "document", "-signer", desk.folder / "doctor.pem"),
        *("-inkey", desk.folder / "key.pem"),
    ).stdout
    content = () if "-nodetach" in options else ("--content", desk.folder / "document")
    path = desk.file("openssl.sig", made)
    at = (SystemClock().now() + timedelta(seconds=1)).isoformat()
    assert run("verify", path, *content, *desk.trusted, "--at", at).exit_code == 0
    path.write_bytes(made[:-1] + bytes([made[-1] ^ 1]))
    assert run("verify", path, *content, *desk.trusted, "--at", at).exit_code == 1
