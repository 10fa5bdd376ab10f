"""Real certificates, lists, answers, stamps and signatures; asn1crypto's schemas as the judge."""

from __future__ import annotations

from pathlib import Path

import asn1crypto.cms
import asn1crypto.core
import asn1crypto.crl
import asn1crypto.ocsp
import asn1crypto.x509
import pytest

from medsign.codec import asn1
from medsign.codec.asn1 import oids
from medsign.errors import MalformedError


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Path:
    folder = shared_data / "real"
    if not folder.is_dir():
        pytest.skip("no real samples among the public ones")
    return folder


def binaries(folder: Path, pattern: str) -> list[bytes]:
    return [asn1.to_binary(path.read_bytes()) for path in sorted(folder.glob(pattern))]


def test_every_accredited_authority_is_read_as_the_judge_reads_it(real):
    bundle = asn1.pem_decode((real / "01_certs" / "accredited_ca_gost2012.pem").read_bytes())
    assert len(bundle) >= 1100
    for _, data in bundle:
        read = asn1.decode_certificate(data)
        tbs = asn1crypto.x509.Certificate.load(data)["tbs_certificate"]
        assert read.tbs_der == asn1crypto.core.Sequence.load(data)[0].dump()
        assert read.serial_number == tbs["serial_number"].native
        assert read.not_before == tbs["validity"]["not_before"].native
        assert read.not_after == tbs["validity"]["not_after"].native
        assert [each.value for each in read.subject.attributes] == [
            pair["value"].native for rdn in tbs["subject"].chosen for pair in rdn
        ]
        assert [each.oid for each in read.extensions] == [
            each["extn_id"].dotted for each in tbs["extensions"]
        ]
        key = read.public_key.gost
        assert key is not None
        assert asn1.decode_spki(asn1.encode_spki(key)).gost == key
        assert asn1.encode_name(read.subject.rdns) == read.subject.der
        assert read.basic_constraints is not None
        assert read.basic_constraints.ca


@pytest.mark.parametrize("folder", ["chains", "cryptopro_test", "other_test", "roots"])
def test_every_single_certificate_is_read(real, folder):
    found = binaries(real / "01_certs" / folder, "*")
    assert found
    for data in found:
        assert asn1.decode_certificate(data).der == data


def test_every_list_is_read_as_the_judge_reads_it(real):
    found = binaries(real / "02_crl", "*.crl")
    assert len(found) >= 7
    for data in found:
        read = asn1.decode_crl(data)
        judged = asn1crypto.crl.CertificateList.load(data)["tbs_cert_list"]
        assert read.tbs_der == judged.dump()
        assert read.next_update == judged["next_update"].native
        assert [each.serial_number for each in read.entries] == [
            each["user_certificate"].native for each in judged["revoked_certificates"] or ()
        ]


def test_every_signature_is_read_as_the_judge_reads_it(real):
    found = [
        data
        for pattern in ("*/*.p7s", "*/*.p7m", "*/*.p7b", "*/*.sig", "tc26/signed_*.pem")
        for data in binaries(real / "03_cms", pattern)
    ]
    assert len(found) >= 17
    for data in found:
        read = asn1.decode_signed_data(data)
        judged = asn1crypto.cms.ContentInfo.load(read.der)["content"]
        assert read.content == judged["encap_content_info"]["content"].native
        assert len(read.certificates) == len(judged["certificates"])
        for info, other in zip(read.signers, judged["signer_infos"], strict=True):
            assert info.signature == other["signature"].native
            if info.signed_attributes_der:
                assert info.signed_attributes_der == other["signed_attrs"].untag().dump()
            for token in info.time_stamp_tokens:
                stamp = asn1.decode_signed_data(token)
                assert stamp.content is not None
                assert asn1.decode_tst_info(stamp.content).imprint.digest


def test_every_ocsp_answer_is_read_as_the_judge_reads_it(real):
    found = binaries(real / "04_ocsp", "*.ors")
    assert len(found) >= 8
    for data in found:
        basic = asn1.decode_ocsp_response(data).basic
        assert basic is not None
        judged = asn1crypto.ocsp.OCSPResponse.load(data).basic_ocsp_response
        assert basic.tbs_der == judged["tbs_response_data"].dump()
        assert basic.produced_at == judged["tbs_response_data"]["produced_at"].native
        for single, other in zip(
            basic.single_responses, judged["tbs_response_data"]["responses"], strict=True
        ):
            assert single.status == other["cert_status"].name
            assert single.cert_id.serial_number == other["cert_id"]["serial_number"].native
            assert single.this_update == other["this_update"].native
        assert asn1.decode_basic_ocsp_response(basic.der) == basic


def test_every_time_stamp_is_read(real):
    responses, tokens = binaries(real / "05_tsp", "*.tsr"), binaries(real / "05_tsp", "*.token.der")
    assert len(responses) == len(tokens) >= 13
    for response, token in zip(responses, tokens, strict=True):
        read = asn1.decode_timestamp_response(response)
        assert (read.status, read.token) == ("granted", asn1.decode_signed_data(token))
        assert read.token is not None
        assert read.token.content is not None
        stamp = asn1.decode_tst_info(read.token.content)
        assert stamp.imprint.algorithm.oid == oids.STREEBOG_256


def test_every_key_of_the_standards_committee_is_read(real):
    keys = [asn1.decode_private_key(data) for data in binaries(real / "03_cms/tc26", "*_key.pem")]
    assert len(keys) >= 5
    assert all(key.secret and not key.masks for key in keys)


def test_a_masked_key_is_read_with_its_mask(real):
    path = real / "09_pfx_keys" / "gnutls_key-gost12-256-2.p8"
    key = asn1.decode_private_key(asn1.to_binary(path.read_bytes()))
    assert len(key.masks) == 1


@pytest.mark.parametrize(
    "kind, decode", [("certs", asn1.decode_certificate), ("crls", asn1.decode_crl)]
)
def test_the_nist_suite_is_read_but_for_its_garbled_signatures(real, kind, decode):
    refused = []
    for path in sorted((real / "10_pki_suites" / "nist_pkits" / kind).iterdir()):
        try:
            decode(asn1.to_binary(path.read_bytes()))
        except MalformedError as error:
            refused.append(error.where)
    assert len(refused) <= 2
    assert set(refused) <= {"signature"}
