from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.codec import asn1
from medsign.codec.asn1 import oids

NAME = asn1.make_name([(oids.COMMON_NAME, "Тестовый УЦ")])
START = datetime(2026, 1, 1, tzinfo=UTC)
digests = st.binary(min_size=20, max_size=64)
hashes = st.sampled_from([oids.SHA1, oids.STREEBOG_256])
certificate_references = st.one_of(
    st.builds(asn1.EssCertId, hash_oid=hashes, digest=digests),
    st.builds(
        asn1.EssCertId,
        hash_oid=hashes,
        digest=digests,
        issuer=st.just((asn1.GeneralName("directory", NAME),)),
        serial_number=st.integers(1, 2**159),
    ),
)
crl_references = st.one_of(
    st.builds(asn1.CrlReference, hash_oid=hashes, digest=digests),
    st.builds(
        asn1.CrlReference,
        hash_oid=hashes,
        digest=digests,
        issuer=st.just(NAME),
        issued_at=st.just(START),
        number=st.one_of(st.none(), st.integers(0, 2**64)),
    ),
)
responders = st.one_of(st.just(NAME), st.binary(min_size=20, max_size=20))
ocsp_references = st.one_of(
    st.builds(asn1.OcspReference, responder=responders, produced_at=st.just(START)),
    st.builds(
        asn1.OcspReference,
        responder=responders,
        produced_at=st.just(START),
        hash_oid=hashes,
        digest=digests,
    ),
)
revocation_references = st.builds(
    asn1.RevocationReferences,
    crls=st.lists(crl_references, max_size=2).map(tuple),
    ocsp_responses=st.lists(ocsp_references, max_size=2).map(tuple),
)


@given(st.lists(certificate_references, max_size=3).map(tuple))
def test_certificate_references_come_back(references):
    data = asn1.encode_certificate_references(references)
    assert asn1.decode_certificate_references(data) == references


@given(st.lists(revocation_references, max_size=3).map(tuple))
def test_revocation_references_come_back(references):
    data = asn1.encode_revocation_references(references)
    assert asn1.decode_revocation_references(data) == references


def test_values_come_back(certificate, crl, ocsp_response):
    basic = asn1.decode_ocsp_response(ocsp_response).basic
    assert basic is not None
    certificates = asn1.decode_certificate_values(asn1.encode_certificate_values([certificate]))
    assert [each.der for each in certificates] == [certificate]
    values = asn1.decode_revocation_values(asn1.encode_revocation_values([crl], [basic.der]))
    assert [each.der for each in values.crls] == [crl]
    assert values.ocsp_responses == (basic,)


def test_the_evidence_of_a_real_long_term_signature_is_read(shared_data: Path):
    path = shared_data / "real/03_cms/pades_cryptopro_test/14_acrob_CADES_XLT1_1.p7s"
    if not path.is_file():
        pytest.skip("no real long-term signature among the public samples")
    (signer,) = asn1.decode_signed_data(asn1.to_binary(path.read_bytes())).signers
    (certificates,) = signer.unsigned_values(oids.CERTIFICATE_VALUES)
    (revocations,) = signer.unsigned_values(oids.REVOCATION_VALUES)
    (certificate_refs,) = signer.unsigned_values(oids.CERTIFICATE_REFS)
    (revocation_refs,) = signer.unsigned_values(oids.REVOCATION_REFS)
    assert asn1.decode_certificate_values(certificates)
    assert asn1.decode_revocation_values(revocations).ocsp_responses
    read = asn1.decode_certificate_references(certificate_refs)
    assert asn1.encode_certificate_references(read) == certificate_refs
    statuses = asn1.decode_revocation_references(revocation_refs)
    assert asn1.encode_revocation_references(statuses) == revocation_refs
