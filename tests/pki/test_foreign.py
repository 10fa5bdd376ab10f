"""Chains of RSA and of elliptic curves of other countries, which an extra verifies."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import pytest

from medsign.codec.asn1 import AlgorithmIdentifier, decode_certificate, decode_spki, der, oids
from medsign.codec.asn1.pss import MGF1, PssParameters, decode_pss_parameters
from medsign.errors import MalformedError, Unavailable
from medsign.pki.foreign import RSA_PSS, remedy, scheme_of, verify_foreign
from medsign.pki.path import build_path
from medsign.pki.problems import ProblemCode
from medsign.pki.signatures import SignatureCheck, verify_signature
from medsign.pki.trust import TrustStore

x509 = pytest.importorskip("cryptography.x509", reason="needs the extra: pip install medsign[rsa]")
hashes = pytest.importorskip("cryptography.hazmat.primitives.hashes")
asymmetric = pytest.importorskip("cryptography.hazmat.primitives.asymmetric")
serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
from cryptography.hazmat.primitives.asymmetric import (  # noqa: E402
    ec,
    ed448,
    ed25519,
    padding,
    rsa,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
RSA = AlgorithmIdentifier("1.2.840.113549.1.1.11", b"\x05\x00")
KEYS = {
    "RSA": lambda: (rsa.generate_private_key(65537, 2048), hashes.SHA256()),
    "P-256": lambda: (ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()),
    "P-521": lambda: (ec.generate_private_key(ec.SECP521R1()), hashes.SHA512()),
    "Ed25519": lambda: (ed25519.Ed25519PrivateKey.generate(), None),
    "Ed448": lambda: (ed448.Ed448PrivateKey.generate(), None),
}


def issued(name, key, issuer, signing, hashing, *, ca):
    named = [
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, each)]) for each in (name, issuer)
    ]
    made = (
        x509.CertificateBuilder()
        .subject_name(named[0])
        .issuer_name(named[1])
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(signing, hashing)
    )
    return decode_certificate(made.public_bytes(serialization.Encoding.DER))


def chain(key, hashing):
    root = issued("Root", key, "Root", key, hashing, ca=True)
    return issued("Owner", key, "Root", key, hashing, ca=False), root


def codes(owner, root):
    facts = build_path(owner, TrustStore([root]), at=NOW)
    return {(each.code, each.detail) for each in facts.problems}


@pytest.mark.parametrize("kind", KEYS)
def test_a_chain_of_another_country_is_verified(kind, flipped):
    owner, root = chain(*KEYS[kind]())
    assert codes(owner, root) == set()
    assert (ProblemCode.ISSUER_SIGNATURE, "") in codes(flipped(owner), root)


def test_weak_keys_and_digests_are_not_supported():
    weak = chain(rsa.generate_private_key(65537, 1024), hashes.SHA256())
    assert (ProblemCode.ALGORITHM_UNSUPPORTED, "") in codes(*weak)
    small = chain(ec.generate_private_key(ec.SECP224R1()), hashes.SHA256())
    assert (ProblemCode.ALGORITHM_UNSUPPORTED, "") in codes(*small)
    _, root = chain(*KEYS["RSA"]())
    sha1 = AlgorithmIdentifier("1.2.840.113549.1.1.5", b"\x05\x00")
    assert verify_signature(root.public_key, sha1, b"", b"") is SignatureCheck.UNSUPPORTED


def test_a_key_of_another_kind_than_the_algorithm_is_refused():
    _, root = chain(*KEYS["P-256"]())
    assert verify_signature(root.public_key, RSA, b"", b"") is SignatureCheck.UNSUPPORTED


def test_a_key_of_ours_verifies_nothing_foreign(authority):
    key = authority.root.certificate.public_key
    assert verify_signature(key, RSA, b"", b"") is not SignatureCheck.VALID


def test_what_to_install_is_told_when_the_extra_is_missing(monkeypatch):
    owner, root = chain(*KEYS["RSA"]())
    for name in [each for each in sys.modules if each.split(".")[0] == "cryptography"]:
        monkeypatch.setitem(sys.modules, name, None)
    assert "medsign[rsa]" in remedy(RSA)
    with pytest.raises(Unavailable, match=r"medsign\[rsa\]"):
        verify_foreign(root.public_key, RSA, b"", b"")
    unsupported = (ProblemCode.ALGORITHM_UNSUPPORTED, "pip install 'medsign[rsa]'")
    assert unsupported in codes(owner, root)


SIGNED = b"to be signed"


@pytest.fixture(scope="module")
def rsa_key():
    return rsa.generate_private_key(65537, 2048)


def spki(key, parameters=None):
    """Return the key; with parameters as one that is for PSS alone."""
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    plain = decode_spki(key.public_key().public_bytes(encoding, form))
    if parameters is None:
        return plain
    algorithm = der.sequence(der.oid(RSA_PSS), parameters)
    return decode_spki(der.sequence(algorithm, der.bits(plain.octets)))


NULL = der.null()


def parameters(
    hashing=oids.SHA256,
    mask=oids.SHA256,
    salt=32,
    trailer=None,
    generation=MGF1,
    beside_hash=NULL,
    beside_mask=NULL,
):
    inner = der.sequence(der.oid(mask), beside_mask)
    return der.sequence(
        der.explicit(0, der.sequence(der.oid(hashing), beside_hash)),
        der.explicit(1, der.sequence(der.oid(generation), inner)),
        der.explicit(2, der.integer(salt)),
        None if trailer is None else der.explicit(3, der.integer(trailer)),
    )


def pss(key, salt=32, hashing=hashes.SHA256, mask=hashes.SHA256):
    return key.sign(SIGNED, padding.PSS(padding.MGF1(mask()), salt), hashing())


def check(key, algorithm_parameters, value):
    algorithm = AlgorithmIdentifier(RSA_PSS, algorithm_parameters)
    return verify_signature(key, algorithm, SIGNED, value)


@pytest.mark.parametrize("salt", [0, 20, 32, 100])
def test_pss_verifies_with_the_salt_that_it_names(rsa_key, salt):
    value = pss(rsa_key, salt)
    assert check(spki(rsa_key), parameters(salt=salt), value) is SignatureCheck.VALID
    other = check(spki(rsa_key), parameters(salt=salt + 1), value)
    assert other is SignatureCheck.INVALID


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, SignatureCheck.VALID),
        ({"trailer": 1}, SignatureCheck.VALID),
        ({"trailer": 2}, SignatureCheck.UNSUPPORTED),
        ({"mask": oids.SHA512}, SignatureCheck.UNSUPPORTED),
        ({"mask": oids.SHA1}, SignatureCheck.UNSUPPORTED),
        ({"hashing": oids.SHA1, "mask": oids.SHA1}, SignatureCheck.UNSUPPORTED),
        ({"hashing": oids.SHA512, "mask": oids.SHA512}, SignatureCheck.INVALID),
        ({"hashing": oids.STREEBOG_256, "mask": oids.STREEBOG_256}, SignatureCheck.UNSUPPORTED),
        ({"generation": "1.2.3.4"}, SignatureCheck.UNSUPPORTED),
        ({"salt": -1}, SignatureCheck.UNSUPPORTED),
        ({"salt": 1 << 40}, SignatureCheck.UNSUPPORTED),
    ],
    ids=str,
)
def test_parameters_of_pss_are_checked(rsa_key, changes, expected):
    assert check(spki(rsa_key), parameters(**changes), pss(rsa_key)) is expected


def test_pss_without_parameters_is_not_supported(rsa_key):
    for nothing in (None, der.null(), b"\x30\x00", b"\x30"):
        assert check(spki(rsa_key), nothing, pss(rsa_key)) is SignatureCheck.UNSUPPORTED


def test_absent_parameters_are_those_of_the_standard():
    assert decode_pss_parameters(b"\x30\x00") == PssParameters()
    assert decode_pss_parameters(parameters(salt=7)).salt_length == 7


@pytest.mark.parametrize("data", [b"", b"\x30", der.null(), der.sequence(der.integer(1))])
def test_what_is_no_parameters_is_malformed(data):
    with pytest.raises(MalformedError):
        decode_pss_parameters(data)


@pytest.mark.parametrize("name", ["beside_hash", "beside_mask"])
def test_a_digest_inside_has_no_parameters_but_null(name):
    assert decode_pss_parameters(parameters(**{name: None})) == decode_pss_parameters(parameters())
    with pytest.raises(MalformedError, match="parameters"):
        decode_pss_parameters(parameters(**{name: b"\x04\x00"}))


def test_a_key_for_pss_alone_does_nothing_else(rsa_key):
    value = rsa_key.sign(SIGNED, padding.PKCS1v15(), hashes.SHA256())
    assert verify_signature(spki(rsa_key), RSA, SIGNED, value) is SignatureCheck.VALID
    for limited in (spki(rsa_key, b""), spki(rsa_key, parameters())):
        assert verify_signature(limited, RSA, SIGNED, value) is SignatureCheck.UNSUPPORTED


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ({}, SignatureCheck.VALID),
        ({"salt": 20}, SignatureCheck.VALID),
        ({"salt": 33}, SignatureCheck.UNSUPPORTED),
        ({"hashing": oids.SHA512, "mask": oids.SHA512}, SignatureCheck.UNSUPPORTED),
    ],
    ids=str,
)
def test_a_key_for_pss_alone_may_ask_for_more(rsa_key, limit, expected):
    assert check(spki(rsa_key, parameters(**limit)), parameters(), pss(rsa_key)) is expected


def test_a_chain_signed_with_pss_is_verified(rsa_key, flipped):
    key = rsa_key
    made = []
    for name, ca in (("Owner", False), ("Root", True)):
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Root")]))
            .public_key(key.public_key())
            .serial_number(7)
            .not_valid_before(NOW - DAY)
            .not_valid_after(NOW + DAY)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        padded = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        certificate = builder.sign(key, hashes.SHA256(), rsa_padding=padded)
        made.append(decode_certificate(certificate.public_bytes(serialization.Encoding.DER)))
    owner, root = made
    assert codes(owner, root) == set()
    assert (ProblemCode.ISSUER_SIGNATURE, "") in codes(flipped(owner), root)


def test_sha1_is_checked_only_for_those_who_judge_it_themselves(rsa_key):
    value = rsa_key.sign(SIGNED, padding.PKCS1v15(), hashes.SHA1())
    sha1 = AlgorithmIdentifier("1.2.840.113549.1.1.5", der.null())
    assert verify_signature(spki(rsa_key), sha1, SIGNED, value) is SignatureCheck.UNSUPPORTED
    weak = verify_signature(spki(rsa_key), sha1, SIGNED, value, weak=True)
    assert weak is SignatureCheck.VALID
    assert scheme_of(sha1).is_weak


def test_the_algorithm_of_the_key_takes_the_digest_named_beside_it(rsa_key):
    value = rsa_key.sign(SIGNED, padding.PKCS1v15(), hashes.SHA384())
    bare = AlgorithmIdentifier("1.2.840.113549.1.1.1", der.null())
    found = [
        verify_signature(spki(rsa_key), bare, SIGNED, value, digest_oid=each)
        for each in (oids.SHA384, oids.SHA256, oids.STREEBOG_256, "")
    ]
    no, unknown = SignatureCheck.INVALID, SignatureCheck.UNSUPPORTED
    assert found == [SignatureCheck.VALID, no, unknown, unknown]
