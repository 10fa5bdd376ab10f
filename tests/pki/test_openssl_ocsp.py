"""The answers on which OpenSSL tests its own OCSP, as the cases of pyHanko list them."""

from __future__ import annotations

import json
import os
from base64 import b64decode
from datetime import datetime
from pathlib import Path

import pytest

from medsign.codec.asn1 import decode_ocsp_response
from medsign.pki import foreign
from medsign.pki.path import build_path
from medsign.pki.revocation import RevocationEvidence, check_revocation
from medsign.pki.trust import TrustStore, read_certificates

pytest.importorskip("cryptography", reason="the answers are of RSA: pip install medsign[rsa]")

SHARED = os.environ.get("MEDSIGN_SHARED_DATA")
SUITE = (
    (Path(SHARED) if SHARED else Path(__file__).resolve().parents[3] / "shared" / "data")
    / "real"
    / "10_pki_suites"
    / "openssl-ocsp"
)


def cases():
    file = SUITE / "openssl-ocsp.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []


@pytest.fixture(autouse=True)
def suite(shared_data, monkeypatch):
    if not (shared_data / "real" / "10_pki_suites" / "openssl-ocsp").is_dir():
        pytest.skip("no answers of OpenSSL's tests among the public samples")
    # they are of 2012: SHA-1 is believed here and nowhere else
    monkeypatch.setattr(foreign.Scheme, "is_weak", False)


def certificate(name):
    return next(iter(read_certificates((SUITE / name).read_bytes())))


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["name"])
def test_the_verdict_is_that_of_openssl(case):
    at = datetime.fromisoformat(case["moment"])
    others = [certificate(name) for name in case.get("other_certs", ())]
    trust = TrustStore([certificate(case["root"])])
    path = build_path(certificate(case["cert"]), trust, others, at=at)
    assert path.is_valid, path.problems
    answers = [
        decode_ocsp_response(b64decode((SUITE / name).read_bytes())).basic for name in case["ocsps"]
    ]
    # where there is one answer, it is about the owner, and nobody asked about the authority
    statuses = [
        check_revocation(
            each, path.issuer_of(each), RevocationEvidence(responses=tuple(answers)), at=at
        ).status
        for each in path.chain[: len(answers)]
    ]
    assert all(each == "good" for each in statuses) == ("error" not in case)


def test_the_suite_is_whole():
    assert len(cases()) == 29
