"""PEM that nobody finished."""

from __future__ import annotations

from time import perf_counter

import pytest

from medsign.codec.asn1 import pem_decode, pem_encode, to_binary
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
