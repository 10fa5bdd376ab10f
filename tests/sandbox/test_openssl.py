"""OpenSSL judges what the authorities of the sandbox issue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from medsign.ca import Authority
from medsign.codec.asn1 import pem_encode
from medsign.pki.ocsp import ocsp_request
from medsign.pki.timestamp import message_imprint, timestamp_request
from medsign.sandbox import Sandbox
from medsign.sandbox.ca import CaService
from medsign.sandbox.ocsp_tsp import OcspService, TspService
from medsign.sandbox.pki import Pki, serial

pytestmark = pytest.mark.interop

# OpenSSL reads the machine's clock, so the world runs with it.
ANNA = {"surname": "Тестова", "given_names": "Анна Петровна", "inn": "999900000160"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox([CaService, OcspService, TspService]) as sandbox:
        yield sandbox


@pytest.fixture
def pki(sandbox: Sandbox) -> Pki:
    return sandbox.world.part(Pki)


@pytest.fixture
def folder(pki: Pki, tmp_path: Path) -> Path:
    (tmp_path / "root.pem").write_bytes(pem_encode("CERTIFICATE", pki.root.der))
    issuing = pki.authority(Authority.COMMERCIAL)
    (tmp_path / "issuing.pem").write_bytes(pem_encode("CERTIFICATE", issuing.der))
    person = pki.enrol(Authority.COMMERCIAL, **ANNA).certificate
    (tmp_path / "person.pem").write_bytes(pem_encode("CERTIFICATE", person.der))
    chain = (tmp_path / "root.pem").read_bytes() + (tmp_path / "issuing.pem").read_bytes()
    (tmp_path / "chain.pem").write_bytes(chain)
    return tmp_path


def test_openssl_builds_the_chain(openssl, folder):
    done = openssl(
        "verify",
        *("-CAfile", folder / "root.pem"),
        *("-untrusted", folder / "issuing.pem"),
        folder / "person.pem",
    )
    assert b"person.pem: OK" in done.stdout


def test_openssl_finds_a_revoked_certificate_in_the_list(openssl, pki, folder):
    number = serial(pki.enrol(Authority.COMMERCIAL, **ANNA).certificate)
    pki.change(number, "revoke", "keyCompromise")
    (folder / "list.crl").write_bytes(pki.crl("commercial") or b"")
    done = openssl(
        *("crl", "-inform", "DER", "-in", folder / "list.crl", "-noout", "-text"),
        *("-CAfile", folder / "chain.pem"),
    )
    assert b"verify OK" in done.stdout + done.stderr
    assert number.upper().encode() in done.stdout.upper()


def test_openssl_trusts_the_ocsp_answer(openssl, pki, folder):
    from medsign.pki.trust import TrustStore

    (person,) = TrustStore.load(folder / "person.pem").anchors
    question = ocsp_request(person, pki.authority(Authority.COMMERCIAL))
    (folder / "answer").write_bytes(pki.answer_ocsp(question))
    done = openssl(
        *("ocsp", "-respin", folder / "answer", "-CAfile", folder / "chain.pem"),
        *("-issuer", folder / "issuing.pem", "-cert", folder / "person.pem"),
    )
    assert b"Response verify OK" in done.stderr
    assert b"person.pem: good" in done.stdout


def test_openssl_trusts_the_stamp(openssl, pki, folder):
    (folder / "data").write_bytes(b"stamped")
    question = timestamp_request(message_imprint(b"stamped"), nonce=7)
    (folder / "answer").write_bytes(pki.answer_timestamp(question))
    done = openssl(
        *("ts", "-verify", "-in", folder / "answer", "-data", folder / "data"),
        *("-CAfile", folder / "root.pem", "-untrusted", folder / "issuing.pem"),
    )
    assert b"Verification: OK" in done.stdout + done.stderr
