from __future__ import annotations

from datetime import datetime, timedelta

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medsign import cms
from medsign.codec import asn1
from medsign.codec.asn1 import oids
from medsign.errors import MalformedError, UsageError
from medsign.gost import DigestAlgorithm, digest
from medsign.pki.signed import refers_to

from .conftest import CONTENT, SIGNED, TC26_256_A, TC26_512_A, new_key


@pytest.mark.req("F011")
def test_a_signature_has_the_attributes_of_cades_bes(detached, signer):
    message = asn1.decode_signed_data(detached)
    (info,) = message.signers
    assert message.content is None
    assert info.content_type == oids.DATA
    assert info.message_digest == digest(DigestAlgorithm.STREEBOG_256, CONTENT)
    assert info.signing_time == SIGNED
    (reference,) = info.signing_certificates
    assert refers_to(reference, signer.certificate)
    assert reference.hash_oid == oids.STREEBOG_256
    assert reference.serial_number == signer.certificate.serial_number


@pytest.mark.parametrize(
    ("curve", "key", "hashing"),
    [
        (TC26_256_A, oids.GOST_KEY_256, oids.STREEBOG_256),
        (TC26_512_A, oids.GOST_KEY_512, oids.STREEBOG_512),
    ],
)
def test_algorithms_are_those_of_the_key(authority, curve, key, hashing):
    signature = cms.sign(CONTENT, authority.issue(curve=curve), at=SIGNED)
    (info,) = asn1.decode_signed_data(signature).signers
    assert info.signature_algorithm.oid == key
    assert info.digest_algorithm.oid == hashing


def test_an_attached_signature_holds_the_content(signer):
    signature = cms.sign(CONTENT, signer, at=SIGNED, detached=False)
    assert asn1.decode_signed_data(signature).content == CONTENT


@pytest.mark.req("F074")
def test_a_file_can_be_attached(signer, tmp_path):
    file = tmp_path / "consent.txt"
    file.write_bytes(CONTENT)
    signature = cms.sign(file, signer, at=SIGNED, detached=False)
    assert asn1.decode_signed_data(signature).content == CONTENT


def test_a_digest_stands_for_the_content(signer, detached):
    hashed = cms.ContentDigest(
        DigestAlgorithm.STREEBOG_256, digest(DigestAlgorithm.STREEBOG_256, CONTENT)
    )
    prepared = cms.prepare(hashed, signer.certificate, at=SIGNED)
    assert prepared.attributes == cms.prepare(CONTENT, signer.certificate, at=SIGNED).attributes


def test_a_digest_cannot_be_attached(signer):
    hashed = cms.ContentDigest(DigestAlgorithm.STREEBOG_256, bytes(32))
    with pytest.raises(UsageError, match="attached"):
        cms.sign(hashed, signer, at=SIGNED, detached=False)


def test_a_digest_of_the_other_length_is_refused(signer):
    hashed = cms.ContentDigest(DigestAlgorithm.STREEBOG_512, bytes(64))
    with pytest.raises(UsageError, match="STREEBOG_256"):
        cms.sign(hashed, signer, at=SIGNED)


def test_a_digest_has_the_length_of_its_algorithm():
    with pytest.raises(UsageError, match="32 octets"):
        cms.ContentDigest(DigestAlgorithm.STREEBOG_256, bytes(31))


def test_a_naive_moment_is_refused(signer):
    with pytest.raises(UsageError):
        cms.sign(CONTENT, signer, at=datetime(2026, 1, 1))  # noqa: DTZ001


@settings(max_examples=10)
@given(content=st.binary(max_size=100), is_detached=st.booleans())
def test_a_prepared_signature_outlives_the_process(content, is_detached, signer):
    prepared = cms.prepare(content, signer.certificate, at=SIGNED, detached=is_detached)
    again = cms.Prepared.from_json(prepared.to_json())
    assert again == prepared
    signature = cms.finish(again, signer.sign_digest(again.digest))
    assert asn1.decode_signed_data(signature).content == (None if is_detached else content)


def test_a_value_by_another_key_is_refused(signer):
    prepared = cms.prepare(CONTENT, signer.certificate, at=SIGNED)
    with pytest.raises(UsageError, match="key of the certificate"):
        cms.finish(prepared, new_key().sign_digest(prepared.digest))


def test_the_chain_travels_along_once(authority, signer):
    signature = cms.sign(
        CONTENT, signer, at=SIGNED, chain=[authority.root.certificate, signer.certificate]
    )
    sent = asn1.decode_signed_data(signature).certificates
    assert set(sent) == {signer.certificate, authority.root.certificate}
    assert len(sent) == 2


def test_a_further_signature_leaves_the_others_as_they_were(stamped, authority):
    before = asn1.decode_signed_data(stamped).signers
    both = asn1.decode_signed_data(
        cms.sign(CONTENT, authority.issue(curve=TC26_512_A), at=SIGNED, beside=stamped)
    )
    assert len(both.signers) == 2
    assert before[0] in both.signers
    assert {each.oid for each in both.digest_algorithms} == {
        oids.STREEBOG_256,
        oids.STREEBOG_512,
    }


def test_a_further_signature_keeps_the_content_attached(signer, authority):
    attached = cms.sign(CONTENT, signer, at=SIGNED, detached=False)
    both = cms.sign(CONTENT, authority.issue(), at=SIGNED, beside=attached)
    assert asn1.decode_signed_data(both).content == CONTENT


def test_a_further_signature_of_another_content_is_refused(signer, authority):
    attached = cms.sign(CONTENT, signer, at=SIGNED, detached=False)
    with pytest.raises(UsageError, match="another content"):
        cms.sign(CONTENT + b"!", authority.issue(), at=SIGNED, beside=attached)


def test_a_detached_message_of_another_content_takes_no_signature_beside(detached, authority):
    with pytest.raises(UsageError, match="another content"):
        cms.sign(CONTENT + b"!", authority.issue(), at=SIGNED, beside=detached)


def test_a_detached_message_by_digests_of_another_length_cannot_be_compared(detached, authority):
    longer = authority.issue(curve=TC26_512_A)
    both = cms.sign(CONTENT, longer, at=SIGNED, beside=detached)
    assert len(asn1.decode_signed_data(both).signers) == 2


def test_a_stamp_is_taken_bare_or_in_the_response(detached, authority):
    response = authority.stamp(cms.signature_value(detached), SIGNED)
    token = asn1.decode_timestamp_response(response).token
    assert token is not None
    stamped = cms.add_timestamp(detached, response)
    assert stamped == cms.add_timestamp(detached, token.der)
    assert asn1.decode_signed_data(stamped).signers[0].time_stamp_tokens == (token.der,)


def test_the_second_signature_gets_its_stamp(detached, authority):
    both = cms.sign(CONTENT, authority.issue(), at=SIGNED, beside=detached)
    response = authority.stamp(cms.signature_value(both, 1), SIGNED)
    stamped = asn1.decode_signed_data(cms.add_timestamp(both, response, signer_index=1))
    assert [len(each.time_stamp_tokens) for each in stamped.signers] == [0, 1]


def test_a_stamp_on_something_else_is_refused(detached, authority):
    with pytest.raises(UsageError, match="another signature"):
        cms.add_timestamp(detached, authority.stamp(b"something else", SIGNED))


def test_a_refusal_of_the_service_is_no_stamp(detached):
    refusal = asn1.encode_timestamp_response(status="rejection", failure="badAlg")
    with pytest.raises(UsageError, match="rejection"):
        cms.add_timestamp(detached, refusal)


def test_a_signature_is_no_stamp(detached):
    with pytest.raises(MalformedError, match="time stamp"):
        cms.add_timestamp(detached, detached)


@pytest.mark.parametrize("index", [-1, 1])
def test_there_is_no_value_of_a_signature_that_is_not_there(detached, index):
    with pytest.raises(UsageError, match=str(index)):
        cms.signature_value(detached, index)


def test_a_prepared_signature_shows_no_content(signer):
    prepared = cms.prepare(CONTENT, signer.certificate, at=SIGNED, detached=False)
    assert "Согласие" not in repr(prepared)
    assert CONTENT.hex()[:20] not in repr(prepared)


def test_the_claimed_time_is_in_whole_seconds(signer):
    signature = cms.sign(CONTENT, signer, at=SIGNED + timedelta(microseconds=5))
    assert asn1.decode_signed_data(signature).signers[0].signing_time == SIGNED


def test_octets_of_a_second_message_are_no_signature(signer):
    with pytest.raises(MalformedError):
        cms.sign(CONTENT, signer, at=SIGNED, beside=b"not a signature")


def test_a_prepared_signature_of_another_document_is_another(signer):
    one = cms.prepare(CONTENT, signer.certificate, at=SIGNED)
    other = cms.prepare(CONTENT + b" ", signer.certificate, at=SIGNED)
    assert attrs.evolve(one, attributes=other.attributes) == other
    assert one.digest != other.digest
