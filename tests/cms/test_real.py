"""Signatures that others made, each judged at its own time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest

from medsign import cms
from medsign.codec import asn1
from medsign.gost import DigestAlgorithm
from medsign.pki.trust import TrustStore, read_certificates

from .test_extend import ADDED

PADES = "pades_cryptopro_test"
PDF = f"{PADES}/25_cades_a_cam.pdf"
SUMMER = datetime(2024, 7, 16, tzinfo=UTC)
#: Signatures over content that was too large to keep.
BY_DIGEST = [
    "05_acrob_BES_1",
    "09_cam_CADEST_1",
    "11_cam_CADEST_singers_free_area_plus_signedCADEST_2",
    "14_acrob_CADES_XLT1_1",
]
OFFLINE = cms.Policy(name="unsafe-offline", revocation=cms.UnsafeNoRevocation())


@pytest.fixture(scope="module")
def certificates(shared_data):
    return tuple(
        each
        for path in sorted((shared_data / "real/01_certs").rglob("*"))
        if path.suffix in {".cer", ".pem"}
        for each in read_certificates(path.read_bytes())
    )


@pytest.fixture(scope="module")
def trust(certificates):
    return TrustStore(each for each in certificates if each.is_self_issued)


@pytest.fixture(scope="module")
def crls(shared_data):
    return tuple(
        asn1.decode_crl(asn1.to_binary(path.read_bytes()))
        for path in sorted((shared_data / "real/02_crl").glob("*.crl"))
    )


@pytest.fixture(scope="module")
def evidence(shared_data, certificates, trust, crls):
    def gather(name: str, content: cms.Content | None = None) -> cms.Evidence:
        return cms.Evidence(
            signature=(shared_data / "real/03_cms" / name).read_bytes(),
            content=content,
            trust=trust,
            certificates=certificates,
            crls=crls,
        )

    return gather


def judged(evidence: cms.Evidence, policy: cms.Policy = cms.DEFAULT) -> cms.Report:
    (signer,) = asn1.decode_signed_data(asn1.to_binary(evidence.signature)).signers
    assert signer.signing_time is not None
    return cms.verify(evidence, policy=policy, at=signer.signing_time + timedelta(minutes=5))


def covered(pdf: Path) -> bytes:
    """Return what a PDF signature covers: the file without the hole for the signature."""
    data = pdf.read_bytes()
    found = re.search(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)", data)
    assert found is not None
    first, size, second, rest = map(int, found.groups())
    return data[first : first + size] + data[second : second + rest]


def its_own_digest(evidence: cms.Evidence) -> cms.Evidence:
    (signer,) = asn1.decode_signed_data(evidence.signature).signers
    assert signer.message_digest is not None
    algorithm = DigestAlgorithm.from_oid(signer.digest_algorithm.oid)
    return attrs.evolve(evidence, content=cms.ContentDigest(algorithm, signer.message_digest))


def test_a_real_cades_a_of_cryptopro_passes_with_all_it_carries(shared_data, evidence):
    pdf = shared_data / "real/03_cms" / PADES / "25_cades_a_cam.pdf"
    report = judged(evidence(f"{PADES}/25_cades_a_cam.p7s", covered(pdf)), cms.WITH_STAMP)
    assert report.passed, report.explain_trust()
    assert report.signers[0].proved_by == "time stamp"


def test_a_real_cades_x_long_of_cryptopro_passes(evidence):
    report = judged(its_own_digest(evidence(f"{PADES}/14_acrob_CADES_XLT1_1.p7s")), cms.WITH_STAMP)
    assert report.passed, report.explain_trust()


@pytest.mark.parametrize(
    ("name", "form"),
    [("14_acrob_CADES_XLT1_1", cms.Form.X_LONG_TYPE_1), ("25_cades_a_cam", cms.Form.A)],
)
def test_the_real_stamp_on_references_is_good(evidence, name, form):
    given = evidence(f"{PADES}/{name}.p7s")
    assert cms.form_of(given.signature) is form
    (facts,) = cms.collect(given, at=SUMMER).signatures
    (stamp,) = (each for each in facts.stamps if each.layer == "evidence")
    assert stamp.problems == ()


def test_a_real_lasting_signature_carries_what_ours_do(evidence):
    given = evidence(f"{PADES}/14_acrob_CADES_XLT1_1.p7s")
    (signer,) = asn1.decode_signed_data(asn1.to_binary(given.signature)).signers
    assert {each.oid for each in signer.unsigned_attributes} == ADDED


def test_the_real_archive_stamp_is_good_on_its_document_only(shared_data, evidence):
    name, content = f"{PADES}/25_cades_a_cam.p7s", covered(shared_data / "real/03_cms" / PDF)

    def problems(content: bytes) -> list[bool]:
        (facts,) = cms.collect(evidence(name, content), at=SUMMER).signatures
        return [bool(each.problems) for each in facts.stamps]

    assert problems(content) == [False, False, False]
    assert problems(content + b"!") == [False, False, True]


@pytest.mark.parametrize("name", BY_DIGEST)
def test_real_signatures_of_cryptopro_hold(evidence, name):
    report = judged(its_own_digest(evidence(f"{PADES}/{name}.p7s")), OFFLINE)
    assert report.passed, report.explain_trust()


def test_a_real_bes_lacks_only_evidence_of_status(shared_data, evidence):
    content = shared_data / "real/03_cms" / PADES / "01_bes_okular.content"
    given = evidence(f"{PADES}/01_bes_okular.p7s", content)
    assert judged(given, OFFLINE).passed
    assert judged(given).sub_indication is cms.SubIndication.TRY_LATER


def test_a_changed_pdf_is_noticed(shared_data, evidence):
    pdf = shared_data / "real/03_cms" / PADES / "25_cades_a_cam.pdf"
    content = bytearray(covered(pdf))
    content[len(content) // 2] ^= 1
    report = judged(evidence(f"{PADES}/25_cades_a_cam.p7s", bytes(content)))
    assert report.sub_indication is cms.SubIndication.HASH_FAILURE


@pytest.mark.parametrize(
    ("name", "is_sound"),
    [
        ("tc26/signed_a111.pem", True),
        ("tc26/signed_a121.pem", False),  # no signed attributes
        ("other/pygost_tc26_signed_512_attrs.p7m", True),
        ("other/pygost_tc26_signed_256_noattrs.p7m", False),
        ("other/cryptoarm_file1_attached.sig", True),
    ],
)
def test_attached_samples_are_intact(evidence, name, is_sound):
    (signature,) = cms.collect(evidence(name), at=SUMMER).signatures
    assert signature.content_intact
    assert signature.signature_valid
    assert signature.signed_attributes is is_sound
    assert signature.header_sound


def test_a_detached_sample_of_bouncy_castle_is_intact(shared_data, evidence):
    content = shared_data / "real/03_cms/other/bc_detached.content"
    (signature,) = cms.collect(evidence("other/bc_detached.p7s", content), at=SUMMER).signatures
    assert (signature.content_intact, signature.signature_valid) == (True, True)


def test_gost_2001_is_beyond_us_and_said_so(evidence):
    report = cms.verify(evidence("other/bc_gost2001_attached.p7m"), at=SUMMER)
    assert report.sub_indication is cms.SubIndication.CRYPTO_CONSTRAINTS_FAILURE
