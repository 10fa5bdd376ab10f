"""The key in memory: it signs, it knows its certificate, and it shows nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from medsign.codec.asn1 import decode_spki, pem_encode
from medsign.errors import InvalidKey, MalformedError, UsageError
from medsign.gost import PARAM_SETS, DigestAlgorithm, PortableProvider
from medsign.pki.issuing import ROOT_CA, issue_root, subject_name
from medsign.pki.keys import private_key_info, public_key_info
from medsign.pki.signatures import verify_signature
from medsign.pki.signing import sign, signature_algorithm
from medsign.signers import DigestSigner, Signer, SoftwareKey, load_key, load_signer


def certified(key: SoftwareKey):
    return issue_root(
        ROOT_CA,
        subject=subject_name(organization="Тест"),
        signer=key,
        not_before=datetime(2026, 1, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize("params", PARAM_SETS, ids=lambda params: params.oid)
def test_each_curve_signs(params):
    key: DigestSigner = SoftwareKey.generate(params)
    spki = decode_spki(public_key_info(key.public_key))
    assert verify_signature(spki, signature_algorithm(key), b"message", sign(key, b"message"))


def test_the_digest_goes_with_the_length_of_the_key():
    assert SoftwareKey.generate().digest_algorithm is DigestAlgorithm.STREEBOG_256
    longer = SoftwareKey.generate("1.2.643.7.1.2.1.2.1")
    assert longer.digest_algorithm is DigestAlgorithm.STREEBOG_512


def test_a_digest_of_another_length_is_refused():
    with pytest.raises(UsageError):
        SoftwareKey.generate().sign_digest(bytes(64))


def test_an_unknown_curve_is_refused():
    with pytest.raises(UsageError):
        SoftwareKey.generate("1.2.3")


def test_a_key_and_its_certificate_make_a_signer():
    key = SoftwareKey.generate()
    signer: Signer = key.certified(certified(key))
    assert signer.certificate.subject.get("2.5.4.10") == "Тест"
    assert signer.public_key == key.public_key


def test_the_certificate_of_another_key_is_refused():
    key = SoftwareKey.generate()
    with pytest.raises(InvalidKey):
        SoftwareKey.generate().certified(certified(key))


@pytest.mark.parametrize("as_pem", [True, False])
def test_a_key_is_loaded_from_pem_and_der(as_pem):
    key = SoftwareKey.generate()
    der = private_key_info(key.key)
    loaded = load_key(pem_encode("PRIVATE KEY", der) if as_pem else der)
    assert loaded.public_key == key.public_key


def test_a_signer_is_loaded_from_two_files():
    key = SoftwareKey.generate()
    certificate = certified(key)
    provider = PortableProvider()
    signer = load_signer(
        pem_encode("PRIVATE KEY", private_key_info(key.key)),
        pem_encode("CERTIFICATE", certificate.der),
        provider=provider,
    )
    assert signer.certificate == certificate
    assert signer.provider is provider


def test_what_is_no_key_is_refused():
    with pytest.raises(MalformedError):
        load_key(b"no key")


def test_a_key_shows_nothing():
    key = SoftwareKey.generate()
    shown = f"{key!r} {key.certified(certified(key))!r} {key.key!r}"
    assert str(key.key.value) not in shown
    assert f"{key.key.value:x}" not in shown
