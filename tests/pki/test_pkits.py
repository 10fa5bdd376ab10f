"""The path validation suite of NIST (PKITS 1.0.1), as the cases of pyHanko list it.

Every case is one verdict on a chain and on the status of each certificate below the anchor.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from medsign.codec.asn1 import decode_certificate, decode_crl, oids
from medsign.errors import MalformedError
from medsign.pki.claims import EvidencePolicy
from medsign.pki.path import build_path
from medsign.pki.policies import PolicyRules
from medsign.pki.revocation import RevocationEvidence, check_revocation
from medsign.pki.trust import TrustStore

pytest.importorskip("cryptography", reason="the suite is signed with RSA: pip install medsign[rsa]")

AT = datetime(2022, 5, 1, tzinfo=UTC)
# These authorities have one list for all their keys, as RFC 5280 lets them.
POLICY = EvidencePolicy(lists_by_key=False)
# Cases on which the verdicts differ, and why.
EXCEPTIONS = {
    "40104": "DSA with SHA-1 is not supported: nobody should trust it",
    "40105": "DSA with SHA-1 is not supported: nobody should trust it",
}
SHARED = os.environ.get("MEDSIGN_SHARED_DATA")
SUITE = (
    (Path(SHARED) if SHARED else Path(__file__).resolve().parents[3] / "shared" / "data")
    / "real"
    / "10_pki_suites"
    / "nist_pkits"
)


def cases(name):
    file = SUITE / name
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []


@pytest.fixture(scope="module", autouse=True)
def suite(shared_data):
    folder = shared_data / "real" / "10_pki_suites" / "nist_pkits"
    if not folder.is_dir():
        pytest.skip("no suite of NIST among the public samples")
    return folder


@cache
def certificate(name):
    return decode_certificate((SUITE / "certs" / name).read_bytes())


@cache
def revocation_list(name):
    return decode_crl((SUITE / "crls" / name).read_bytes())


def rules_of(case):
    params = case.get("params", {})
    return PolicyRules(
        acceptable=frozenset(params.get("user_initial_policy_set", [oids.ANY_POLICY])),
        required=params.get("initial_explicit_policy", False),
        mapping_inhibited=params.get("initial_policy_mapping_inhibit", False),
        any_inhibited=params.get("initial_any_policy_inhibit", False),
    )


def path_of(case):
    trust = TrustStore([certificate("TrustAnchorRootCertificate.crt")])
    others = [certificate(name) for name in case.get("other_certs", ())]
    return build_path(certificate(case["cert"]), trust, others, at=AT, rules=rules_of(case)), others


def is_good(case):
    """Return the verdict on a case; what cannot be read is refused."""
    try:
        path, others = path_of(case)
        if not path.is_valid or case.get("revocation") is False:
            return path.is_valid
        names = ["TrustAnchorRootCRL.crl", *case.get("crls", ())]
        evidence = RevocationEvidence(crls=tuple(map(revocation_list, names)))
    except MalformedError:
        return False
    assert path.anchor is not None
    return all(
        check_revocation(
            each,
            path.issuer_of(each),
            evidence,
            at=AT,
            policy=POLICY,
            candidates=[*others, certificate("TrustAnchorRootCertificate.crt")],
            trust=TrustStore([path.anchor]),
        ).status
        == "good"
        for each in path.chain[:-1]
    )


@pytest.mark.parametrize(
    "case", cases("pkits.json"), ids=lambda case: f"{case['id']} {case['name']}"
)
def test_the_verdict_is_that_of_nist(case):
    expected = "error" not in case and case["id"] not in EXCEPTIONS
    assert is_good(case) == expected


@pytest.mark.parametrize("case", cases("pkits-user-notice.json"), ids=lambda case: case["name"])
def test_the_notice_of_the_policy_is_told(case):
    told = b"".join(value for _, value in path_of(case)[0].qualifiers)
    assert case["notice"].encode() in told


def test_the_suite_is_whole():
    assert len(cases("pkits.json")) == 246
    assert len(cases("pkits-user-notice.json")) == 10
