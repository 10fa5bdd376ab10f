"""Chains of RSA and of elliptic curves of other countries, which an extra verifies."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import pytest

from medsign.codec.asn1 import AlgorithmIdentifier, decode_certificate
from medsign.errors import Unavailable
from medsign.pki.foreign import remedy, verify_foreign
from medsign.pki.path import build_path
from medsign.pki.problems import ProblemCode
from medsign.pki.signatures import SignatureCheck, verify_signature
from medsign.pki.trust import TrustStore

x509 = pytest.importorskip("cryptography.x509", reason="needs the extra: pip install medsign[rsa]")
hashes = pytest.importorskip("cryptography.hazmat.primitives.hashes")
asymmetric = pytest.importorskip("cryptography.hazmat.primitives.asymmetric")
serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa  # noqa: E402

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
