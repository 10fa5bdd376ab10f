"""PEM that nobody finished, and PEM that is only quoted."""

from __future__ import annotations

from time import perf_counter

import pytest

from medsign.codec.asn1 import (
    encode_signed_data,
    pem_decode,
    pem_encode,
    to_binary,
)
from medsign.errors import MalformedError


def test_beginnings_without_an_end_are_refused_in_no_time():
    started = perf_counter()
    with pytest.raises(MalformedError):
        pem_decode(b"-----BEGIN CERTIFICATE-----\n" * 30_000)
    assert perf_counter() - started < 1


def test_a_block_after_an_unfinished_one_and_one_with_headers_are_read():
    headed = b"-----BEGIN X-----\nProc-Type: 4,CLEAR\n\nMAA=\n-----END X-----\n"
    data = b"-----BEGIN CMS-----\nMAA=\n" + pem_encode("CMS", b"0") + headed
    assert pem_decode(data) == [("CMS", b"0"), ("X", b"0\0")]


def test_base64_that_ends_in_much_white_space_and_noise_is_told_apart_in_no_time():
    noise = b"M" + b" " * 300_000 + b"!"
    started = perf_counter()
    assert to_binary(noise) == noise
    assert perf_counter() - started < 1


@pytest.mark.parametrize("lengthy", [0, 40, 200, 70_000])
def test_a_message_whose_content_quotes_a_block_is_read_as_itself(lengthy):
    quoted = pem_encode("CMS", encode_signed_data((), content=b"harmless", certificates=()))
    content = b"PAY 1000000\n" + b" " * lengthy + quoted
    message = encode_signed_data((), content=content, certificates=())
    assert to_binary(message) == message


def test_a_message_of_indefinite_length_that_quotes_a_block_is_read_as_itself():
    der = encode_signed_data((), content=pem_encode("CMS", b"0"), certificates=())
    ber = b"\x30\x80" + der[2 + (der[1] & 0x7F) * (der[1] > 0x80) :] + b"\0\0"
    assert to_binary(ber) == ber


def test_a_message_with_a_block_written_after_it_is_not_the_block():
    data = encode_signed_data((), content=b"", certificates=()) + pem_encode("CMS", b"0")
    assert to_binary(data) == data


def test_a_block_after_text_that_begins_as_der_does_is_read():
    assert to_binary(b"01.03.2026, 12:00\r\n\tCMS:\r\n" + pem_encode("CMS", b"0")) == b"0"
