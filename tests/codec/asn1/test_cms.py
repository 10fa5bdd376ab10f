from __future__ import annotations

from datetime import UTC, datetime

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.codec import asn1
from medsign.codec.asn1 import der, oids
from medsign.codec.asn1.door import Limits
from medsign.errors import BudgetExceeded, MalformedError, UsageError

STAMP = asn1.Attribute(oids.SIGNATURE_TIME_STAMP, (der.sequence(der.null()),))


def indefinite(element: bytes) -> bytes:
    """Rewrite every constructed element of our own DER with an indefinite length."""
    header = 2 if element[1] < 0x80 else 2 + (element[1] & 0x7F)
    contents = element[header:]
    if not element[0] & 0x20:
        return element
    parts, at = [], 0
    while at < len(contents):
        size, start = contents[at + 1], at + 2
        if size >= 0x80:
            start += size & 0x7F
            size = int.from_bytes(contents[at + 2 : start])
        parts.append(indefinite(contents[at : start + size]))
        at = start + size
    return element[:1] + b"\x80" + b"".join(parts) + b"\0\0"


def test_a_signature_is_read_in_full(signed_data, certificate, crl, signer):
    read = asn1.decode_signed_data(signed_data)
    assert read.content == "Согласие".encode()
    assert read.content_type == oids.DATA
    assert [each.der for each in read.certificates] == [certificate]
    assert [each.der for each in read.crls] == [crl]
    (info,) = read.signers
    assert info.sid == signer.sid
    assert info.signature == signer.signature
    assert info.signature_algorithm.oid == oids.GOST_KEY_256
    assert info.content_type == oids.DATA
    assert info.message_digest == bytes(32)
    assert info.signing_time == datetime(2026, 1, 1, 9, tzinfo=UTC)
    (reference,) = info.signing_certificates
    assert (reference.hash_oid, reference.serial_number) == (oids.STREEBOG_256, 0x1234_5678_9ABC)


def test_the_signed_attributes_are_given_back_as_they_were_hashed(signed_data, signer):
    (info,) = asn1.decode_signed_data(signed_data).signers
    assert info.signed_attributes_der == signer.signed_attributes_der
    assert info.signed_attributes_der is not None
    assert info.signed_attributes_der[0] == 0x31


def test_a_detached_signature_has_no_content(signer):
    read = asn1.decode_signed_data(asn1.encode_signed_data([signer], content=None))
    assert read.content is None


def test_an_empty_content_is_not_an_absent_one(signer):
    read = asn1.decode_signed_data(asn1.encode_signed_data([signer], content=b""))
    assert read.content == b""


def test_a_signature_without_attributes_signs_the_content_itself(signer):
    bare = attrs.evolve(signer, signed_attributes_der=None)
    (info,) = asn1.decode_signed_data(asn1.encode_signed_data([bare], content=b"1")).signers
    assert info.signed_attributes_der is None
    assert info.signed_attributes == ()


def test_a_signer_may_be_named_by_the_key(signer):
    by_key = attrs.evolve(signer, version=3, sid=bytes(20))
    read = asn1.decode_signed_data(asn1.encode_signed_data([by_key], content=None))
    assert read.version == 3
    assert read.signers[0].sid == bytes(20)


def test_ber_with_indefinite_lengths_is_the_same_signature(signed_data):
    assert asn1.decode_signed_data(indefinite(signed_data)) == asn1.decode_signed_data(signed_data)


def test_content_in_pieces_is_joined(signer):
    whole = asn1.encode_signed_data([signer], content=b"ab")
    pieces = indefinite(whole).replace(
        b"\xa0\x80" + der.octets(b"ab"), b"\xa0\x80\x24\x80\x04\x01a\x04\x01b\0\0"
    )
    assert asn1.decode_signed_data(pieces).content == b"ab"


def test_an_attribute_is_added_without_disturbing_the_rest(signed_data, signer):
    stamped = asn1.add_unsigned_attribute(signed_data, 0, STAMP)
    twice = asn1.add_unsigned_attribute(stamped, 0, STAMP)
    before, after = asn1.decode_signed_data(signed_data), asn1.decode_signed_data(twice)
    assert after.signers[0].unsigned_attributes == (STAMP, STAMP)
    assert after.signers[0].time_stamp_tokens == STAMP.values * 2
    assert attrs.evolve(after.signers[0], unsigned_attributes=()) == before.signers[0]
    assert after.certificates == before.certificates
    assert twice.endswith(signed_data[-64:] + twice[twice.rindex(b"\xa1") :])


@given(st.integers(-3, 3))
def test_only_a_signature_that_exists_gets_an_attribute(signed_data, index):
    if index == 0:
        assert asn1.add_unsigned_attribute(signed_data, index, STAMP) != signed_data
    else:
        with pytest.raises(UsageError):
            asn1.add_unsigned_attribute(signed_data, index, STAMP)


def test_the_second_signature_gets_the_attribute(signer):
    other = attrs.evolve(signer, signature=bytes(64))
    two = asn1.encode_signed_data([signer, other], content=None)
    read = asn1.decode_signed_data(asn1.add_unsigned_attribute(two, 1, STAMP))
    assert [len(each.unsigned_attributes) for each in read.signers] == [0, 1]


def test_the_same_signed_attribute_twice_is_malformed(signer):
    double = asn1.encode_signed_attributes(
        content_type=oids.DATA,
        message_digest=bytes(32),
        others=[asn1.Attribute(oids.MESSAGE_DIGEST, (der.octets(bytes(31)),))],
    )
    bad = attrs.evolve(signer, signed_attributes_der=double)
    with pytest.raises(MalformedError, match="twice"):
        asn1.decode_signed_data(asn1.encode_signed_data([bad], content=None))


def test_encrypted_data_is_not_signed_data():
    other = der.sequence(der.oid("1.2.840.113549.1.7.3"), der.tlv(0xA0, der.null()))
    with pytest.raises(MalformedError, match="not signed data"):
        asn1.decode_signed_data(other)


def test_a_large_signature_is_over_the_budget(signed_data):
    with pytest.raises(BudgetExceeded):
        asn1.decode_signed_data(signed_data, Limits(max_bytes=100))


def test_a_signature_shows_no_document(signed_data):
    read = asn1.decode_signed_data(signed_data)
    assert "Согласие" not in repr(read)
    assert "Тестова" not in repr(read) + repr(read.signers)


@pytest.mark.parametrize(
    ("oid", "value"),
    [
        (oids.CONTENT_TYPE, der.implicit(0, der.oid(oids.DATA))),
        (oids.MESSAGE_DIGEST, b"\x0c\x20" + b"0" * 32),
        (oids.SIGNING_TIME, b"\x0c\x0f20260101090000Z"),
        (oids.SIGNING_CERTIFICATE, der.set_of([der.sequence()])),
        (oids.SIGNING_CERTIFICATE_V2, der.set_of([der.sequence()])),
    ],
)
def test_a_signed_attribute_under_another_type_is_malformed(signer, oid, value):
    attribute = der.sequence(der.oid(oid), der.set_of([value]))
    bad = attrs.evolve(signer, signed_attributes_der=der.set_of([attribute]))
    with pytest.raises(MalformedError, match="another type"):
        asn1.decode_signed_data(asn1.encode_signed_data([bad], content=None))


def test_data_that_is_no_octet_string_is_malformed(signer):
    data = asn1.encode_signed_data([signer], content=b"text")
    with pytest.raises(MalformedError, match="another type"):
        asn1.decode_signed_data(data.replace(b"\x04\x04text", b"\x0c\x04text"))
