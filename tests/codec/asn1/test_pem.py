"""PEM that nobody finished."""

from __future__ import annotations

from time import perf_counter

import pytest

from medsign.codec.asn1 import pem_decode, pem_encode
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
