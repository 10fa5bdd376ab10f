"""Keys in certificates and PKCS#8 files, and signatures checked with them."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.codec.asn1 import (
    AlgorithmIdentifier,
    GostKeyInfo,
    PrivateKeyInfo,
    decode_private_key,
    decode_spki,
    encode_spki,
    oids,
)
from medsign.errors import InvalidKey, Unavailable
from medsign.gost import PARAM_SETS, DigestAlgorithm, PortableProvider, PrivateKey, digest
from medsign.pki.keys import private_key, private_key_info, public_key, public_key_info
from medsign.pki.signatures import (
    SignatureCheck,
    hash_octets,
    verify_digest,
    verify_signature,
)
from medsign.pki.signing import sign, signature_algorithm
from medsign.signers import SoftwareKey

MESSAGE = b"a message"
P256 = "1.2.840.10045.2.1"


@pytest.mark.parametrize("params", PARAM_SETS, ids=lambda params: params.oid)
def test_a_public_key_survives_its_encoding(params):
    key = PrivateKey(params, 12345).public_key()
    assert public_key(decode_spki(public_key_info(key))) == key


@pytest.mark.parametrize("params", PARAM_SETS, ids=lambda params: params.oid)
def test_the_digest_is_named_for_the_curves_of_cryptopro_only(params):
    info = decode_spki(public_key_info(PrivateKey(params, 12345).public_key()))
    named = oids.STREEBOG_256 if params.oid.startswith("1.2.643.2.2.") else None
    assert info.gost.digest_oid == named


@given(value=st.integers(1, 2**250), params=st.sampled_from(PARAM_SETS))
def test_a_private_key_survives_its_encoding(value, params):
    read = private_key(decode_private_key(private_key_info(PrivateKey(params, value))))
    assert (read.params, read.value) == (params, value)


@given(masks=st.lists(st.integers(1, 2**250), max_size=3))
def test_masks_are_taken_off_a_private_key(masks):
    params, value = PARAM_SETS[0], 987654321
    masked = value
    for mask in masks:
        masked = masked * pow(mask, -1, params.q) % params.q
    info = PrivateKeyInfo(oids.GOST_KEY_256, params.oid, None, masked, tuple(masks))
    assert private_key(info).value == value


def test_a_point_off_the_curve_is_no_key():
    info = GostKeyInfo(oids.GOST_KEY_256, PARAM_SETS[0].oid, None, bytes(63) + b"\x01")
    with pytest.raises(InvalidKey):
        public_key(decode_spki(encode_spki(info)))


def test_a_curve_of_another_length_is_refused():
    info = GostKeyInfo(oids.GOST_KEY_256, "1.2.643.7.1.2.1.2.1", None, bytes(64))
    with pytest.raises(InvalidKey):
        public_key(decode_spki(encode_spki(info)))


def test_an_unknown_curve_is_unavailable():
    info = GostKeyInfo(oids.GOST_KEY_256, "1.2.643.2.2.35.0", None, bytes(64))
    with pytest.raises(Unavailable):
        public_key(decode_spki(encode_spki(info)))


def test_no_key_material_is_in_an_error():
    info = PrivateKeyInfo(oids.GOST_KEY_256, PARAM_SETS[0].oid, None, 2**255 + 4242)
    with pytest.raises(InvalidKey) as caught:
        private_key(info)
    assert str(info.secret) not in str(caught.value)


@pytest.fixture(params=["1.2.643.2.2.35.1", "1.2.643.7.1.2.1.1.1", "1.2.643.7.1.2.1.2.3"])
def signed(request):
    """Return a key, the algorithm and a signature of the message."""
    key = SoftwareKey.generate(request.param)
    spki = decode_spki(public_key_info(key.public_key))
    return spki, signature_algorithm(key), sign(key, MESSAGE)


def test_a_good_signature_is_valid_and_true(signed):
    spki, algorithm, signature = signed
    check = verify_signature(spki, algorithm, MESSAGE, signature)
    assert check is SignatureCheck.VALID
    assert check


@given(data=st.data())
def test_a_changed_bit_makes_a_signature_invalid_and_false(data):
    key = SoftwareKey.generate()
    spki = decode_spki(public_key_info(key.public_key))
    signature = bytearray(sign(key, MESSAGE))
    bit = data.draw(st.integers(0, 8 * len(signature) - 1))
    signature[bit // 8] ^= 1 << bit % 8
    check = verify_signature(spki, signature_algorithm(key), MESSAGE, bytes(signature))
    assert check is SignatureCheck.INVALID
    assert not check


def test_another_message_is_not_signed(signed):
    spki, algorithm, signature = signed
    assert not verify_signature(spki, algorithm, MESSAGE + b"!", signature)


def test_the_halves_of_a_signature_are_not_interchangeable(signed):
    spki, algorithm, signature = signed
    half = len(signature) // 2
    assert not verify_signature(spki, algorithm, MESSAGE, signature[half:] + signature[:half])


def test_a_digest_of_another_length_than_the_key_is_invalid(signed):
    spki, algorithm, signature = signed
    other = {oids.GOST_SIGNATURE_256: oids.GOST_SIGNATURE_512}.get(
        algorithm.oid, oids.GOST_SIGNATURE_256
    )
    swapped = verify_signature(spki, AlgorithmIdentifier(other), MESSAGE, signature)
    assert swapped is SignatureCheck.INVALID


def test_a_digest_may_be_given_instead_of_the_message():
    key = SoftwareKey.generate()
    spki = decode_spki(public_key_info(key.public_key))
    hashed = digest(DigestAlgorithm.STREEBOG_256, MESSAGE)
    algorithm, signature = signature_algorithm(key), sign(key, MESSAGE)
    assert verify_digest(spki, algorithm, hashed, signature)
    assert not verify_digest(spki, algorithm, hashed[:-1], signature)


def test_a_foreign_algorithm_is_unsupported(signed):
    spki, _, signature = signed
    ecdsa = AlgorithmIdentifier("1.2.840.10045.4.3.2")
    assert verify_signature(spki, ecdsa, MESSAGE, signature) is SignatureCheck.UNSUPPORTED


def test_a_foreign_key_is_unsupported(signed):
    spki, algorithm, signature = signed
    foreign = attrs.evolve(spki, algorithm=AlgorithmIdentifier(P256), gost=None)
    check = verify_signature(foreign, algorithm, MESSAGE, signature)
    assert check is SignatureCheck.UNSUPPORTED
    assert not check


def test_a_key_that_fails_its_checks_verifies_nothing(signed):
    spki, algorithm, signature = signed
    broken = attrs.evolve(spki, gost=attrs.evolve(spki.gost, point=bytes(len(spki.gost.point))))
    assert verify_signature(broken, algorithm, MESSAGE, signature) is SignatureCheck.INVALID


@pytest.mark.parametrize(
    "oid, size",
    [(oids.SHA1, 20), (oids.SHA256, 32), (oids.STREEBOG_256, 32), (oids.STREEBOG_512, 64)],
)
def test_digests_are_known_by_their_oid(oid, size):
    assert len(hash_octets(oid, MESSAGE)) == size


def test_an_unknown_digest_is_unavailable():
    with pytest.raises(Unavailable):
        hash_octets(oids.GOST_DIGEST_94, MESSAGE)


def test_a_curve_that_the_provider_cannot_do_is_unsupported(signed):
    class Narrow(PortableProvider):
        def supports(self, params):
            return False

    spki, algorithm, signature = signed
    check = verify_signature(spki, algorithm, MESSAGE, signature, provider=Narrow())
    assert check is SignatureCheck.UNSUPPORTED
