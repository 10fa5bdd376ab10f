from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.codec.asn1 import (
    AlgorithmIdentifier,
    GostKeyInfo,
    PrivateKeyInfo,
    decode_private_key,
    decode_spki,
    der,
    encode_private_key,
    encode_spki,
    oids,
)
from medsign.codec.asn1.keys import GOST_KEY_OCTETS, encode_algorithm
from medsign.errors import MalformedError

CURVE = "1.2.643.7.1.2.1.1.1"
digests = st.sampled_from([None, oids.STREEBOG_256])


@st.composite
def public_keys(draw):
    algorithm = draw(st.sampled_from(sorted(GOST_KEY_OCTETS)))
    size = 2 * GOST_KEY_OCTETS[algorithm]
    return GostKeyInfo(
        algorithm, CURVE, draw(digests), draw(st.binary(min_size=size, max_size=size))
    )


@st.composite
def private_keys(draw):
    algorithm = draw(st.sampled_from(sorted(GOST_KEY_OCTETS)))
    scalars = st.integers(1, 256 ** GOST_KEY_OCTETS[algorithm] - 1)
    masks = tuple(draw(st.lists(scalars, max_size=2)))
    return PrivateKeyInfo(algorithm, CURVE, draw(digests), draw(scalars), masks)


@given(public_keys())
def test_a_public_key_comes_back(key):
    assert decode_spki(encode_spki(key)).gost == key


@given(private_keys())
def test_a_private_key_comes_back(key):
    assert decode_private_key(encode_private_key(key)) == key


@pytest.mark.parametrize(
    "inner",
    [
        (5).to_bytes(32, "little"),
        der.octets((5).to_bytes(32, "little")),
        der.integer(5),
    ],
    ids=["bare", "octet string", "integer"],
)
def test_each_known_form_of_a_scalar_is_read(inner):
    algorithm = encode_algorithm(
        AlgorithmIdentifier(oids.GOST_KEY_256, der.sequence(der.oid(CURVE)))
    )
    key = decode_private_key(der.sequence(der.integer(0), algorithm, der.octets(inner)))
    assert (key.secret, key.masks, key.digest_oid) == (5, (), None)


def test_a_private_key_never_shows_its_secret():
    key = PrivateKeyInfo(oids.GOST_KEY_256, CURVE, None, 31_337, (424_242,))
    assert "31337" not in repr(key)
    assert "424242" not in repr(key)


def test_a_point_of_the_wrong_length_is_malformed():
    with pytest.raises(MalformedError, match="length"):
        decode_spki(encode_spki(GostKeyInfo(oids.GOST_KEY_512, CURVE, None, bytes(64))))


def test_a_key_of_another_algorithm_is_no_gost_key():
    algorithm = encode_algorithm(AlgorithmIdentifier("1.2.840.113549.1.1.1", der.null()))
    read = decode_spki(der.sequence(algorithm, der.bits(b"\x30\x00")))
    assert read.gost is None
    assert read.octets == b"\x30\x00"


def test_a_private_key_of_another_algorithm_is_refused():
    algorithm = encode_algorithm(AlgorithmIdentifier("1.2.840.113549.1.1.1", der.null()))
    with pytest.raises(MalformedError, match="not a GOST"):
        decode_private_key(der.sequence(der.integer(0), algorithm, der.octets(bytes(32))))
