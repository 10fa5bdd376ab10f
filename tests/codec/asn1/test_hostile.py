"""Whatever comes, a decoder returns an object, or says malformed, or says too much."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.codec import asn1
from medsign.codec.asn1 import der
from medsign.errors import BudgetExceeded, MalformedError

KINDS = (
    "certificate",
    "request",
    "crl",
    "OCSP request",
    "OCSP response",
    "time stamp request",
    "time stamp response",
    "time stamp",
    "signed data",
    "public key",
    "private key",
)


def refused(decode, data: bytes) -> bool:
    try:
        repr(decode(data))
    except (MalformedError, BudgetExceeded):
        return True
    return False


def test_every_kind_has_a_specimen(specimens):
    assert set(specimens) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_specimen_is_accepted_and_recognised(specimens, kind):
    specimen = specimens[kind]
    read = specimen.decode(specimen.der)
    assert type(asn1.recognise(specimen.der)) is type(read)
    assert asn1.recognise(specimen.der) == read


@pytest.mark.parametrize("kind", KINDS)
def test_a_specimen_cut_short_anywhere_is_refused(specimens, kind):
    specimen = specimens[kind]
    for size in range(len(specimen.der)):
        assert refused(specimen.decode, specimen.der[:size]), size


@pytest.mark.parametrize("kind", KINDS)
def test_a_specimen_with_octets_after_it_is_refused(specimens, kind):
    assert refused(specimens[kind].decode, specimens[kind].der + b"\0")


@pytest.mark.parametrize("kind", KINDS)
def test_flipped_bits_give_an_object_or_a_refusal(specimens, kind):
    specimen, dice = specimens[kind], random.Random(20260101)
    for _ in range(1500):
        data = bytearray(specimen.der)
        for _ in range(dice.randint(1, 3)):
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        refused(specimen.decode, bytes(data))


@pytest.mark.parametrize("kind", KINDS)
def test_each_octet_at_its_extremes_gives_an_object_or_a_refusal(specimens, kind):
    specimen = specimens[kind]
    for at in range(len(specimen.der)):
        for octet in (0x00, 0x7F, 0x80, 0xFF):
            refused(specimen.decode, specimen.der[:at] + bytes((octet,)) + specimen.der[at + 1 :])


@pytest.mark.parametrize("tag", [b"\x30\x80", b"\xa0\x80", b"\x24\x80", b"\x31\x80"])
@pytest.mark.parametrize("kind", KINDS)
def test_endless_nesting_is_refused(specimens, kind, tag):
    assert refused(specimens[kind].decode, tag * 200_000)


@pytest.mark.parametrize("kind", KINDS)
def test_definite_deep_nesting_is_refused(specimens, kind):
    data = b""
    for _ in range(500):
        data = der.sequence(data)
    assert refused(specimens[kind].decode, data)


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_run_of_tiny_elements_is_refused(specimens, kind):
    assert refused(specimens[kind].decode, der.sequence(b"\x30\x00" * 500_000))


@given(st.data())
def test_pieces_of_one_structure_inside_another_give_an_object_or_a_refusal(specimens, data):
    host = specimens[data.draw(st.sampled_from(KINDS))]
    guest = specimens[data.draw(st.sampled_from(KINDS))].der
    at = data.draw(st.integers(0, len(host.der)))
    until = data.draw(st.integers(at, len(host.der)))
    start = data.draw(st.integers(0, len(guest)))
    size = data.draw(st.integers(0, 300))
    refused(host.decode, host.der[:at] + guest[start : start + size] + host.der[until:])


@given(st.binary(max_size=400))
def test_any_bytes_at_all_are_recognised_or_refused(data):
    refused(asn1.recognise, data)
    refused(asn1.recognise, b"-----BEGIN CERTIFICATE-----\n" + data)
