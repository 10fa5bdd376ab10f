"""Structures of key files under a password: what is written is read, hostile octets are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.codec.asn1 import AlgorithmIdentifier, der, oids
from medsign.codec.asn1.door import Limits, open_der
from medsign.codec.asn1.pkcs12 import (
    CRYPTOPRO,
    GOST_28147,
    HMAC_SHA1,
    HMAC_STREEBOG_512,
    KUZNYECHIK_CTR_ACPKM_OMAC,
    CertificateBag,
    ElderScheme,
    Encrypted,
    KeyBag,
    PasswordScheme,
    Pfx,
    PfxMac,
    decode_bags,
    decode_encrypted_key,
    decode_exported_key,
    decode_pfx,
    decode_safe,
    decode_signed_pfx,
    encode_bags,
    encode_encrypted_key,
    encode_pfx,
    encode_safe,
)
from medsign.errors import BudgetExceeded, MalformedError

SCHEME = PasswordScheme(
    salt=bytes(32),
    iterations=2000,
    prf_oid=HMAC_STREEBOG_512,
    cipher_oid=KUZNYECHIK_CTR_ACPKM_OMAC,
    nonce=bytes(16),
)
OLD_SCHEME = PasswordScheme(
    salt=bytes(8),
    iterations=1,
    prf_oid=HMAC_STREEBOG_512,
    cipher_oid=GOST_28147,
    nonce=bytes(8),
    substitution_oid="1.2.643.7.1.2.5.1.1",
)
MAC = PfxMac(digest_oid=oids.STREEBOG_512, value=bytes(64), salt=bytes(8), iterations=7)
KEY = der.sequence(der.integer(0))

ELDER_SCHEME = ElderScheme(CRYPTOPRO, bytes(16), 2000)
schemes = st.sampled_from(
    [SCHEME, OLD_SCHEME, ELDER_SCHEME, AlgorithmIdentifier("1.2.3", der.null())]
)
hidden = st.builds(Encrypted, schemes, st.binary(max_size=40))


@given(hidden)
def test_an_encrypted_key_is_read_as_it_was_written(encrypted):
    assert decode_encrypted_key(encode_encrypted_key(encrypted)) == encrypted


@pytest.mark.parametrize("sizes", [(8, 32, 4), (8, 64, 4), (7, 32, 4), (8, 33, 4), (8, 32, 8)])
def test_an_exported_key_has_parts_of_known_lengths(sizes):
    ukm, wrapped, code = map(bytes, sizes)
    use = der.tlv(0xA0, der.oid("1.2.3"), der.sequence(der.oid("1.2.4")))
    value = der.sequence(
        der.octets(ukm),
        der.sequence(der.octets(wrapped), der.octets(code)),
        der.tlv(0xA0, der.bits(b"\xa0"), use),
    )
    blob = der.octets(bytes(16) + der.sequence(value, der.octets(bytes(4))))
    algorithm = der.sequence(der.oid(oids.GOST_KEY_256), der.null())
    data = der.sequence(der.integer(0), algorithm, blob)
    if sizes in {(8, 32, 4), (8, 64, 4)}:
        read = decode_exported_key(data)
        assert (read.ukm, read.wrapped, read.code) == (ukm, wrapped, code)
        assert (read.param_set_oid, read.digest_oid) == ("1.2.4", None)
    else:
        with pytest.raises(MalformedError, match="length"):
            decode_exported_key(data)


def test_a_file_under_a_code_has_no_signature():
    assert decode_signed_pfx(encode_pfx(Pfx(encode_safe([]), MAC))) is None


def test_an_open_key_is_not_taken_for_an_encrypted_one():
    assert (
        decode_encrypted_key(der.sequence(der.integer(0), der.sequence(), der.octets(b""))) is None
    )


@given(st.lists(st.one_of(st.binary(max_size=40), hidden), max_size=3))
def test_the_parts_of_a_pfx_are_read_as_they_were_written(parts):
    assert decode_safe(encode_safe(parts)) == tuple(parts)


@given(
    st.lists(
        st.one_of(
            st.builds(KeyBag, hidden),
            st.just(KeyBag(KEY)),
            st.builds(CertificateBag, st.binary(max_size=40)),
        ),
        max_size=3,
    ),
    st.none() | st.just("ключ врача"),
)
def test_bags_are_read_as_they_were_written(bags, name):
    assert decode_bags(encode_bags(bags, key_id=b"1", name=name)) == tuple(bags)


@pytest.mark.parametrize("mac", [MAC, None])
def test_the_outer_layer_is_read_as_it_was_written(mac):
    pfx = Pfx(encode_safe([b"part"]), mac)
    assert decode_pfx(encode_pfx(pfx)) == pfx


def test_a_pfx_may_be_in_ber():
    pfx = encode_pfx(Pfx(encode_safe([]), MAC))
    body = pfx[3:] if pfx[1] == 0x81 else pfx[2:]
    assert decode_pfx(b"\x30\x80" + body + b"\0\0") == decode_pfx(pfx)


def test_hidden_octets_may_come_in_pieces():
    whole = encode_safe([Encrypted(SCHEME, b"hidden")])
    pieces = der.tlv(0xA0, der.octets(b"hid"), der.octets(b"den"))
    content = open_der("test", whole, Limits()).only(0x30, "ContentInfo")
    with content.fields() as fields:
        fields.oid("contentType")
        data = fields.take(0xA0, "content").only(0x30, "EncryptedData")
    with data.fields() as fields:
        fields.integer("version")
        with fields.sequence("encryptedContentInfo").fields() as inner:
            inner.oid("contentType")
            inner.sequence("contentEncryptionAlgorithm")
            hidden = inner.take(0x80, "encryptedContent")
    assert decode_safe(hidden.replaced(pieces)) == decode_safe(whole)


def test_a_bag_of_another_kind_is_left_out():
    bag = der.sequence(der.oid("1.2.3"), der.tlv(0xA0, der.null()))
    assert decode_bags(der.sequence(bag)) == ()


def test_a_pfx_under_a_signature_is_refused():
    signed = der.sequence(der.oid(oids.SIGNED_DATA), der.tlv(0xA0, der.sequence()))
    with pytest.raises(MalformedError, match="authSafe"):
        decode_pfx(der.sequence(der.integer(3), signed))


def test_a_missing_function_of_pbkdf2_is_the_default_of_the_standard():
    parameters = der.sequence(der.octets(b"salt"), der.integer(1))
    cipher = der.sequence(der.oid(KUZNYECHIK_CTR_ACPKM_OMAC), der.sequence(der.octets(bytes(16))))
    pbes2 = der.sequence(
        der.oid("1.2.840.113549.1.5.13"),
        der.sequence(der.sequence(der.oid("1.2.840.113549.1.5.12"), parameters), cipher),
    )
    encrypted = decode_encrypted_key(der.sequence(pbes2, der.octets(b"")))
    assert encrypted
    assert isinstance(encrypted.scheme, PasswordScheme)
    assert encrypted.scheme.prf_oid == HMAC_SHA1


@pytest.mark.parametrize("iterations", [0, -1])
def test_a_count_of_iterations_below_one_is_refused(iterations):
    pfx = encode_pfx(
        Pfx(b"", PfxMac(digest_oid=oids.STREEBOG_512, value=b"", salt=b"", iterations=iterations))
    )
    with pytest.raises(MalformedError, match="iterations"):
        decode_pfx(pfx)


@given(st.data())
def test_spoilt_octets_are_refused_or_read_and_never_explode(data):
    decoder, whole = data.draw(
        st.sampled_from(
            [
                (decode_pfx, encode_pfx(Pfx(b"safe", MAC))),
                (decode_safe, encode_safe([Encrypted(SCHEME, b"hidden"), b"open"])),
                (decode_bags, encode_bags([KeyBag(KEY), CertificateBag(b"...")], key_id=b"1")),
                (decode_encrypted_key, encode_encrypted_key(Encrypted(OLD_SCHEME, b"hidden"))),
            ]
        )
    )
    at = data.draw(st.integers(0, len(whole) - 1))
    spoilt = whole[:at] + bytes([data.draw(st.integers(0, 255))]) + whole[at + 1 :]
    try:
        decoder(spoilt)
    except (MalformedError, BudgetExceeded):
        return
    decoder(spoilt)
