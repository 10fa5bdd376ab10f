"""A key that stays with the program `openssl`: a real program, real files, a real engine."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from medsign import cms
from medsign.codec.asn1 import pem_encode
from medsign.errors import InvalidKey, TimedOut, Unavailable, UsageError
from medsign.gost import PARAM_SETS
from medsign.pki.issuing import ROOT_CA, issue_root, make_request, subject_name
from medsign.pki.keys import private_key_info
from medsign.pki.signing import Signer
from medsign.signers import KeyCipher, OpenSslSigner, SoftwareKey, load_key, save_key

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PASSWORD = "пароль врача"


def certified(key: SoftwareKey):
    return issue_root(
        ROOT_CA, subject=subject_name(organization="Тест"), signer=key, not_before=NOW
    )


@pytest.fixture(scope="module")
def key():
    return SoftwareKey.generate()


@pytest.fixture(scope="module")
def certificate(key):
    return certified(key)


@pytest.fixture
def file(key, tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    path.write_bytes(pem_encode("PRIVATE KEY", private_key_info(key.key)))
    return path


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, bytes], Path]:
    def file(name: str, octets: bytes) -> Path:
        (tmp_path / name).write_bytes(octets)
        return tmp_path / name

    return file


def good(signer: OpenSslSigner) -> bool:
    digest = bytes(range(signer.digest_algorithm.size))
    return signer.provider.verify(signer.public_key, digest, signer.sign_digest(digest))


@pytest.mark.interop
@pytest.mark.parametrize("params", PARAM_SETS, ids=lambda params: params.oid)
def test_a_key_of_ours_on_each_curve_signs(gost_engine, write, params):
    key = SoftwareKey.generate(params)
    path = write("key.pem", pem_encode("PRIVATE KEY", private_key_info(key.key)))
    signer = OpenSslSigner(key=path, certificate=certified(key), config=gost_engine)
    assert signer.public_key == key.public_key
    assert good(signer)


@pytest.mark.interop
@pytest.mark.parametrize(
    "algorithm, name",
    [("gost2012_256", name) for name in ("A", "B", "C", "XA", "XB", "TCA", "TCB", "TCC", "TCD")]
    + [("gost2012_512", name) for name in ("A", "B", "C")],
)
def test_a_key_of_openssl_on_each_curve_signs(openssl, gost_engine, tmp_path, algorithm, name):
    path = tmp_path / "key.pem"
    openssl("genpkey", "-algorithm", algorithm, "-pkeyopt", f"paramset:{name}", "-out", path)
    certificate = certified(load_key(path.read_bytes()))
    assert good(OpenSslSigner(key=path, certificate=certificate, config=gost_engine))


@pytest.mark.interop
@pytest.mark.parametrize("curve", ["1.2.643.7.1.2.1.1.1", "1.2.643.7.1.2.1.2.1"])
def test_openssl_accepts_a_document_signed_by_a_key_in_a_file(
    openssl, gost_engine, write, tmp_path, curve
):
    key = SoftwareKey.generate(curve)
    certificate = certified(key)
    path = write("key.pem", pem_encode("PRIVATE KEY", private_key_info(key.key)))
    signer: Signer = OpenSslSigner(key=path, certificate=certificate, config=gost_engine)
    write("signature", cms.sign(b"document", signer, at=NOW))
    write("content", b"document")
    write("root.pem", pem_encode("CERTIFICATE", certificate.der))
    verified = openssl(
        *("cms", "-verify", "-cades", "-binary", "-inform", "DER", "-purpose", "any"),
        *("-attime", str(int(NOW.timestamp())), "-CAfile", tmp_path / "root.pem"),
        *("-in", tmp_path / "signature", "-content", tmp_path / "content"),
    )
    assert verified.stdout == b"document"


@pytest.mark.interop
def test_a_key_in_a_file_signs_a_request_for_a_certificate(
    openssl, gost_engine, file, certificate, write
):
    signer = OpenSslSigner(key=file, certificate=certificate, config=gost_engine)
    request = write("request", make_request(subject_name(surname="Тестова"), signer).der)
    openssl("req", "-verify", "-noout", "-inform", "DER", "-in", request)


@pytest.mark.interop
@pytest.mark.parametrize("cipher", [KeyCipher.KUZNYECHIK, KeyCipher.MAGMA])
def test_a_file_of_ours_may_be_under_a_password(gost_engine, key, certificate, write, cipher):
    hidden = save_key(key, PASSWORD, cipher=cipher, iterations=2)
    path = write("key.pem", pem_encode("ENCRYPTED PRIVATE KEY", hidden))
    signer = OpenSslSigner(key=path, certificate=certificate, password=PASSWORD, config=gost_engine)
    assert good(signer)


@pytest.mark.interop
@pytest.mark.parametrize("cipher", ["aes256", "gost89", "kuznyechik-ctr-acpkm"])
def test_a_file_of_openssl_may_be_under_a_password(
    openssl, gost_engine, file, certificate, tmp_path, cipher
):
    hidden = tmp_path / "hidden.pem"
    openssl(
        *("pkcs8", "-topk8", "-v2", cipher, "-passout", f"pass:{PASSWORD}"),
        *("-in", file, "-out", hidden),
    )
    signer = OpenSslSigner(
        key=hidden, certificate=certificate, password=PASSWORD, config=gost_engine
    )
    assert good(signer)


@pytest.mark.interop
def test_a_wrong_password_is_refused_and_shows_neither_itself_nor_the_file(
    gost_engine, key, certificate, write, tmp_path
):
    hidden = save_key(key, PASSWORD, iterations=2, cipher=KeyCipher.KUZNYECHIK)
    path = write("key.pem", pem_encode("ENCRYPTED PRIVATE KEY", hidden))
    wrong = OpenSslSigner(key=path, certificate=certificate, password="wr0ng", config=gost_engine)
    with pytest.raises(InvalidKey, match="could not sign") as caught:
        wrong.sign_digest(bytes(32))
    assert str(tmp_path) not in str(caught.value)
    assert "wr0ng" not in str(caught.value)


@pytest.mark.interop
def test_the_key_may_be_der_a_pfx_or_a_uri(gost_engine, openssl, key, certificate, file, write):
    pfx = file.with_name("key.p12")
    openssl(
        *("pkcs12", "-export", "-inkey", file, "-out", pfx, "-passout", f"pass:{PASSWORD}"),
        *("-in", write("cert.pem", pem_encode("CERTIFICATE", certificate.der))),
    )
    for name in (write("key.der", private_key_info(key.key)), pfx, file.as_uri()):
        assert good(
            OpenSslSigner(key=name, certificate=certificate, password=PASSWORD, config=gost_engine)
        )


@pytest.fixture
def engine_key(compiled, openssl, file, tmp_path, monkeypatch) -> Callable[..., OpenSslSigner]:
    """Return who makes signers by a key that an engine holds under the PIN 1234."""
    openssl(
        *("pkcs8", "-topk8", "-v2", "aes256", "-passout", "pass:1234"),
        *("-in", file, "-out", tmp_path / "doctor.pem"),
    )
    monkeypatch.setenv("KEY_ENGINE", str(tmp_path))
    return partial(OpenSslSigner, engine=str(compiled("key_engine")))


@pytest.mark.interop
def test_an_engine_signs_with_the_key_that_it_holds_under_a_pin(
    gost_engine, engine_key, certificate
):
    signer = engine_key(key="doctor", certificate=certificate, password="1234", config=gost_engine)
    assert good(signer)


@pytest.mark.interop
@pytest.mark.parametrize("name, pin", [("doctor", "4321"), ("nobody", "1234")])
def test_an_engine_that_gives_no_key_is_told_without_its_pin(
    gost_engine, engine_key, certificate, tmp_path, name, pin
):
    signer = engine_key(key=name, certificate=certificate, password=pin, config=gost_engine)
    with pytest.raises(InvalidKey, match="failed loading private key") as caught:
        signer.sign_digest(bytes(32))
    assert pin not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.interop
def test_the_engine_of_gost_itself_holds_no_keys(gost_engine, file, certificate):
    signer = OpenSslSigner(key=file, certificate=certificate, engine="gost", config=gost_engine)
    with pytest.raises(InvalidKey, match="no load function"):
        signer.sign_digest(bytes(32))


@pytest.mark.interop
def test_an_openssl_without_gost_is_told(program, file, certificate, write):
    program("openssl", "openssl")
    bare = write("bare.cnf", b"")
    with pytest.raises(InvalidKey, match="unsupported"):
        OpenSslSigner(key=file, certificate=certificate, config=bare).sign_digest(bytes(32))


@pytest.mark.interop
def test_a_file_that_is_missing_is_told_without_its_name(gost_engine, certificate, tmp_path):
    signer = OpenSslSigner(key=tmp_path / "none.pem", certificate=certificate, config=gost_engine)
    with pytest.raises(InvalidKey, match="No such file") as caught:
        signer.sign_digest(bytes(32))
    assert "none.pem" not in str(caught.value)


def test_a_password_of_half_a_character_is_refused_and_not_shown(file, certificate):
    signer = OpenSslSigner(key=file, certificate=certificate, password="secret\ud800")
    with pytest.raises(UsageError) as caught:
        signer.sign_digest(bytes(32))
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.interop
def test_the_key_of_another_certificate_is_noticed(gost_engine, file):
    other = certified(SoftwareKey.generate())
    with pytest.raises(InvalidKey, match="another key"):
        OpenSslSigner(key=file, certificate=other, config=gost_engine).sign_digest(bytes(32))


@pytest.mark.interop
def test_an_engine_that_is_missing_is_named_as_the_reason(gost_engine, certificate):
    signer = OpenSslSigner(
        key="pkcs11:object=x", certificate=certificate, engine="absent", config=gost_engine
    )
    with pytest.raises(InvalidKey, match="no such engine"):
        signer.sign_digest(bytes(32))


def test_a_program_that_is_missing_is_named(file, certificate):
    signer = OpenSslSigner(key=file, certificate=certificate, program="no-such-openssl")
    with pytest.raises(Unavailable, match="no-such-openssl"):
        signer.sign_digest(bytes(32))


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for a slow token is a shell script")
def test_a_token_that_does_not_answer_is_given_up(file, certificate, tmp_path: Path):
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 30\n")
    slow.chmod(0o700)
    signer = OpenSslSigner(key=file, certificate=certificate, program=str(slow), timeout=0.2)
    with pytest.raises(TimedOut):
        signer.sign_digest(bytes(32))


def test_a_digest_of_another_length_is_refused(file, certificate):
    with pytest.raises(UsageError):
        OpenSslSigner(key=file, certificate=certificate).sign_digest(bytes(64))


def test_neither_the_password_nor_the_key_is_shown(certificate):
    signer = OpenSslSigner(
        key="pkcs11:pin-value=1234", certificate=certificate, password="secret", engine="rtengine"
    )
    assert "1234" not in repr(signer)
    assert "secret" not in repr(signer)
