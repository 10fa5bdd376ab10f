"""Signed PDFs that CryptoPro made, when they are at hand."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from medsign import cms
from medsign.pdf import Change, read_pdf_signatures, verify_pdf


@pytest.fixture(params=["01_bes_okular", "25_cades_a_cam"])
def sample(shared_data, request):
    folder = shared_data / "real" / "03_cms" / "pades_cryptopro_test"
    if not folder.is_dir():
        pytest.skip("no signed PDFs among the public samples")
    return folder / f"{request.param}.pdf"


def test_the_message_and_the_content_are_those_that_others_took_out(sample):
    (found,) = read_pdf_signatures(sample.read_bytes())
    assert found.signature == sample.with_suffix(".p7s").read_bytes()
    assert (found.is_whole, found.covers_file, found.change) == (True, True, Change.NONE)
    content = sample.with_suffix(".content")
    assert not content.exists() or content.read_bytes() == found.content


def test_the_signature_is_good_and_a_changed_octet_is_noticed(sample):
    document = sample.read_bytes()
    at = datetime(2024, 7, 20, tzinfo=UTC)

    def judged(octets: bytes):
        evidence = cms.Evidence(signature=octets)
        return verify_pdf(evidence, policy=cms.UNSAFE_INTEGRITY, at=at)

    report = judged(document)
    assert report.passed, report.explain_trust()
    middle = document.index(b"stream") + 99
    changed = document[:middle] + bytes((document[middle] ^ 1,)) + document[middle + 1 :]
    assert judged(changed).sub_indication is cms.SubIndication.HASH_FAILURE
