from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.codec import asn1
from medsign.errors import MalformedError

labels = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ", min_size=1, max_size=20).filter(str.strip)


@given(st.lists(st.tuples(labels, st.binary(max_size=200)), min_size=1, max_size=4))
def test_pem_blocks_come_back(blocks):
    text = b"comment\n".join(asn1.pem_encode(label, data) for label, data in blocks)
    assert asn1.pem_decode(text) == blocks


@pytest.mark.parametrize(
    "wrap",
    [
        lambda data: asn1.pem_encode("CERTIFICATE", data),
        lambda data: asn1.pem_encode("CERTIFICATE", data).replace(b"\n", b"\r\n"),
        lambda data: b"\xef\xbb\xbf" + asn1.pem_encode("CERTIFICATE", data),
        lambda data: b"subject: test\n" + asn1.pem_encode("CERTIFICATE", data),
        base64.b64encode,
        base64.encodebytes,
        bytes,
    ],
    ids=["PEM", "CRLF", "BOM", "text before", "base64", "base64 lines", "DER"],
)
def test_a_certificate_is_recognised_in_any_wrapping(certificate, wrap):
    assert asn1.recognise(wrap(certificate)) == asn1.decode_certificate(certificate)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"-----BEGIN CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
        b"%PDF-1.7",
        "Не сертификат".encode(),
    ],
)
def test_what_is_none_of_ours_is_malformed(data):
    with pytest.raises(MalformedError):
        asn1.recognise(data)


def test_the_error_is_of_the_decoder_that_came_farthest(certificate):
    broken = certificate.replace(b"\x03\x55\x1d\x0f", b"\x03\x55\x1d\x0e", 1)
    with pytest.raises(MalformedError) as caught:
        asn1.recognise(broken)
    assert caught.value.what == "certificate"


def test_an_identifier_is_described_in_russian():
    assert asn1.describe("1.2.643.100.111") == "Средство электронной подписи владельца"
