"""A key that stays with the program `openssl`: a real program, real files, a real engine."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from medsign import cms
from medsign.codec.asn1 import decode_signed_data, pem_encode
from medsign.errors import InvalidKey, TimedOut, Unavailable, UsageError
from medsign.pki.issuing import ROOT_CA, issue_root, subject_name
from medsign.pki.keys import private_key_info
from medsign.pki.signing import Signer
from medsign.signers import KeyCipher, OpenSslSigner, SoftwareKey, save_key

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


@pytest.mark.interop
@pytest.mark.parametrize("curve", ["1.2.643.7.1.2.1.1.1", "1.2.643.7.1.2.1.2.1"])
def test_a_document_is_signed_by_a_key_in_a_file(gost_engine, tmp_path: Path, curve):
    key = SoftwareKey.generate(curve)
    path = tmp_path / "key.pem"
    path.write_bytes(pem_encode("PRIVATE KEY", private_key_info(key.key)))
    signer: Signer = OpenSslSigner(key=path, certificate=certified(key), config=gost_engine)
    (info,) = decode_signed_data(cms.sign(b"document", signer, at=NOW)).signers
    assert len(info.signature) == 2 * key.digest_algorithm.size


@pytest.mark.interop
def test_the_file_may_be_under_a_password(gost_engine, key, certificate, tmp_path: Path):
    path = tmp_path / "key.pem"
    hidden = save_key(key, PASSWORD, cipher=KeyCipher.KUZNYECHIK, iterations=2)
    path.write_bytes(pem_encode("ENCRYPTED PRIVATE KEY", hidden))
    signer = OpenSslSigner(key=path, certificate=certificate, password=PASSWORD, config=gost_engine)
    digest = bytes(32)
    assert key.provider.verify(key.public_key, digest, signer.sign_digest(digest))
    wrong = OpenSslSigner(key=path, certificate=certificate, password="x", config=gost_engine)
    with pytest.raises(InvalidKey) as caught:
        wrong.sign_digest(digest)
    assert str(tmp_path) not in str(caught.value)


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
