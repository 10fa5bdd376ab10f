"""Contents larger than the memory: files and streams are signed and verified piece by piece."""

from __future__ import annotations

import tracemalloc

import pytest

from medsign import cms
from medsign.gost import default_provider

from .conftest import SIGNED, TC26_512_A

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Return a sparse file: of 64 MiB, or of 4 where only Python hashes."""
    size = 4 if default_provider().name == "portable" else 64
    file = tmp_path_factory.mktemp("large") / "archive.bin"
    with file.open("wb") as stream:
        stream.truncate(size * MIB)
    return file


@pytest.fixture
def evidence(authority, signer):
    def gathered(signature, content):
        answer = authority.ocsp(signer.certificate, SIGNED)
        return cms.Evidence(
            signature=signature, content=content, trust=authority.trust
        ).with_fetched(ocsp_responses=[answer])

    return gathered


def peak(work) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_file(large, signer, evidence):
    def work():
        signature = cms.sign(large, signer, at=SIGNED)
        assert cms.verify(evidence(signature, large), at=SIGNED).passed

    work()
    assert peak(work) < 2 * MIB


def test_a_stream_that_is_read_once_is_signed_and_verified(authority, signer, evidence):
    def pieces():
        return (bytes([number]) * 1000 for number in range(50))

    whole = b"".join(pieces())
    content = cms.ContentDigest.of(signer.digest_algorithm, pieces())
    signature = cms.sign(content, signer, at=SIGNED)
    assert cms.verify(evidence(signature, whole), at=SIGNED).passed
    assert cms.verify(evidence(signature, content), at=SIGNED).passed
    other = cms.ContentDigest.of(authority.issue(curve=TC26_512_A).digest_algorithm, pieces())
    report = cms.verify(evidence(signature, other), at=SIGNED)
    assert report.sub_indication is cms.SubIndication.SIGNED_DATA_NOT_FOUND
