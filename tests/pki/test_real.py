"""Certificates, lists, answers and stamps of real authorities, each checked at its own time."""

from __future__ import annotations

from pathlib import Path

import pytest

from medsign.codec.asn1 import (
    decode_certificate_values,
    decode_crl,
    decode_ocsp_response,
    decode_signed_data,
    decode_timestamp_response,
    oids,
    to_binary,
)
from medsign.pki.claims import EvidencePolicy
from medsign.pki.crl import claim_of_crl
from medsign.pki.path import build_path
from medsign.pki.problems import ProblemCode
from medsign.pki.profile import ProfileRule, profile_findings
from medsign.pki.revocation import RevocationEvidence, check_revocation
from medsign.pki.timestamp import check_timestamp
from medsign.pki.trust import TrustStore, read_certificates


def folder_of(*folders: Path):
    return [
        certificate
        for folder in folders
        for file in sorted(folder.iterdir())
        for certificate in read_certificates(file.read_bytes())
    ]


@pytest.fixture(scope="module")
def real(shared_data):
    folder = shared_data / "real"
    if not folder.is_dir():
        pytest.skip("no samples of real authorities among the public samples")
    return folder


@pytest.fixture(scope="module")
def roots(real):
    return folder_of(real / "01_certs" / "roots")


@pytest.fixture(scope="module")
def accredited(real):
    return list(read_certificates((real / "01_certs" / "accredited_ca_gost2012.pem").read_bytes()))


@pytest.fixture(scope="module")
def everybody(real, roots, accredited):
    folders = [real / "01_certs" / name for name in ("chains", "cryptopro_test", "other_test")]
    carried = [
        certificate
        for file in [*(real / "03_cms").rglob("*.p7s"), *(real / "05_tsp").glob("*.token.der")]
        for certificate in carried_by(file.read_bytes())
    ]
    known = roots + accredited + folder_of(*folders, real / "04_ocsp" / "responders")
    return list(dict.fromkeys(known + carried))


def carried_by(message: bytes):
    """Yield the certificates of a message and of the stamps on it, values of evidence included."""
    signed_data = decode_signed_data(message)
    yield from signed_data.certificates
    for signer in signed_data.signers:
        for values in signer.unsigned_values(oids.CERTIFICATE_VALUES):
            yield from decode_certificate_values(values)
        for token in signer.time_stamp_tokens:
            yield from carried_by(token)


@pytest.fixture(scope="module")
def trust(everybody):
    return TrustStore(each for each in everybody if each.is_self_issued)


def test_accredited_authorities_chain_to_the_roots_of_the_ministry(roots, accredited):
    trust = TrustStore(each for each in roots if each.is_self_issued)
    bad = []
    for each in accredited:
        at = each.not_before + (each.not_after - each.not_before) * 0.05
        facts = build_path(each, trust, roots, at=at)
        if not facts.is_valid:
            bad.append((each.fingerprint, facts.problems))
    assert len(accredited) == 1128
    assert bad == []


def test_accredited_authorities_keep_the_profile_but_for_the_period_of_the_key(accredited):
    assert {rule for each in accredited for rule in profile_findings(each)} <= {
        ProfileRule.KEY_PERIOD
    }


def test_a_changed_real_certificate_does_not_chain(roots, accredited, flipped):
    trust = TrustStore(each for each in roots if each.is_self_issued)
    for each in accredited[:20]:
        if each in roots:
            continue
        facts = build_path(flipped(each), trust, roots, at=each.not_before)
        assert ProblemCode.ISSUER_SIGNATURE in {problem.code for problem in facts.problems}


def test_real_stamps_are_valid_at_their_time(real, trust, everybody):
    stamps = sorted((real / "05_tsp").glob("*.tsr"))
    assert stamps
    for file in stamps:
        token = decode_timestamp_response(file.read_bytes()).token
        data = file.with_name(f"{file.stem}.data.bin").read_bytes()
        facts = check_timestamp(token, data, trust, intermediates=everybody)
        assert facts.is_valid, (file.stem, facts.problems)
        other = check_timestamp(token, data + b"!", trust, intermediates=everybody)
        assert ProblemCode.IMPRINT_MISMATCH in {problem.code for problem in other.problems}


def test_real_lists_are_signed_by_their_issuers(real, everybody):
    lists = [decode_crl(to_binary(file.read_bytes())) for file in (real / "02_crl").iterdir()]
    checked = 0
    for crl in lists:
        issuers = [each for each in everybody if each.subject.matches(crl.issuer)]
        claims = [
            claim_of_crl(
                crl,
                each,
                each,
                at=crl.this_update,
                now=crl.this_update,
                policy=EvidencePolicy(),
            )
            for each in issuers
        ]
        genuine = [claim for claim in claims if claim and not claim.forged]
        assert bool(genuine) == bool(issuers)
        checked += bool(genuine)
    assert checked >= 5


def test_real_answers_are_believed_at_their_time(real, everybody):
    checked = 0
    for file in sorted((real / "04_ocsp").glob("*.ors")):
        answer = decode_ocsp_response(file.read_bytes()).basic
        serials = {each.cert_id.serial_number for each in answer.single_responses}
        for certificate in {each for each in everybody if each.serial_number in serials}:
            for issuer in {each for each in everybody if each.subject.matches(certificate.issuer)}:
                facts = check_revocation(
                    certificate,
                    issuer,
                    RevocationEvidence(responses=(answer,)),
                    at=answer.produced_at,
                    candidates=everybody,
                )
                if facts.claims:
                    assert facts.status == "good", (file.name, facts.problems)
                    checked += 1
    assert checked == 6  # the owners of two more are in no sample
