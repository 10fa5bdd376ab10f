"""PFX of CryptoPro's own make: real files, files of OpenSSL, and files of a writer in this test."""

from __future__ import annotations

import secrets
import warnings
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medsign.codec.asn1 import der, oids, pem_encode, pkcs12
from medsign.codec.asn1.pkcs12 import (
    CertificateBag,
    ElderScheme,
    Encrypted,
    KeyBag,
    Pfx,
    PfxMac,
)
from medsign.errors import BudgetExceeded, InvalidKey, MalformedError, MedsignError, Unavailable
from medsign.gost.ciphers import Gost28147, cfb_encrypt, gost94, kdf_tree
from medsign.gost.ciphers.magma import CRYPTOPRO_A
from medsign.pki.issuing import ROOT_CA, issue_root, subject_name
from medsign.pki.keys import private_key_info
from medsign.signers import SoftwareKey, SoftwareSigner, legacy_pfx, load_key, load_pfx
from medsign.signers.legacy_pfx_ciphers import cbc_decrypt, rc2_40, triple_des

PASSWORD = "пароль врача"
SHA1 = "1.3.14.3.2.26"
ITERATIONS = 3


def enrolled(curve: str) -> SoftwareSigner:
    key, since = SoftwareKey.generate(curve), datetime(2026, 1, 1, tzinfo=UTC)
    name = subject_name(organization="Тест")
    return key.certified(issue_root(ROOT_CA, subject=name, signer=key, not_before=since))


@pytest.fixture(scope="module", params=["1.2.643.2.2.36.0", "1.2.643.7.1.2.1.2.1"])
def signer(request) -> SoftwareSigner:
    return enrolled(request.param)


def exported(signer: SoftwareSigner, password: str, algorithm: str | None = None) -> Encrypted:
    """Export a key as CryptoPro CSP does."""
    salt, ukm = secrets.token_bytes(16), secrets.token_bytes(8)
    key = password.encode("utf-16-le")
    for number in range(1, ITERATIONS + 1):
        key = gost94(key + salt + number.to_bytes(2))
    scalar = signer.key.to_octets()
    cipher = Gost28147(kdf_tree(key, bytes.fromhex("26bdb878"), ukm, 1)[0], CRYPTOPRO_A)
    wrapped = b"".join(cipher.encrypt(scalar[at : at + 8]) for at in range(0, len(scalar), 8))
    use = der.sequence(der.oid(signer.key.params.oid), der.oid("1.2.643.7.1.1.2.2"))
    parameters = der.tlv(0xA0, der.bits(b"\xa0"), der.tlv(0xA0, der.oid("1.2.643.7.1.1.6.1"), use))
    cek = der.sequence(der.octets(wrapped), der.octets(cipher.mac(ukm, scalar)))
    value = der.sequence(der.octets(ukm), cek, parameters)
    blob = bytes(16) + der.sequence(value, der.octets(bytes(4)))
    oid = algorithm or {32: oids.GOST_KEY_256, 64: oids.GOST_KEY_512}[len(scalar)]
    info = der.sequence(der.integer(0), der.sequence(der.oid(oid), der.null()), der.octets(blob))
    scheme = ElderScheme(pkcs12.CRYPTOPRO, salt, ITERATIONS)
    return Encrypted(scheme, cfb_encrypt(key, salt[:8], info, CRYPTOPRO_A))


def sealed(parts, password: str, digest: str = SHA1) -> bytes:
    safe = pkcs12.encode_safe(parts)
    mac = PfxMac(digest_oid=digest, value=b"", salt=b"salt" * 5, iterations=ITERATIONS)
    mac = attrs.evolve(mac, value=next(legacy_pfx.macs(mac, safe, password)))
    return pkcs12.encode_pfx(Pfx(safe, mac))


def file(signer: SoftwareSigner, password: str, key: Encrypted | None = None) -> bytes:
    bags = [KeyBag(key or exported(signer, password)), CertificateBag(signer.certificate.der)]
    return sealed([pkcs12.encode_bags(bags, key_id=b"1")], password)


@pytest.mark.parametrize("name", ["2012_256", "2012_512"])
def test_real_files_of_cryptopro_are_opened(shared_data: Path, name):
    path = shared_data / "real" / "09_pfx_keys" / f"cryptopro_corefx_{name}.pfx"
    signer, chain = load_pfx(path.read_bytes(), "")
    assert chain == ()
    digest = bytes(signer.digest_algorithm.size)
    assert signer.provider.verify(signer.public_key, digest, signer.sign_digest(digest))


def test_a_real_key_of_2001_says_that_it_is_one(shared_data: Path):
    path = shared_data / "real" / "09_pfx_keys" / "cryptopro_corefx_2001.pfx"
    with pytest.raises(Unavailable, match=r"1\.2\.643\.2\.2\.19"):
        load_pfx(path.read_bytes(), "")


@pytest.mark.parametrize("password", [PASSWORD, "", "p"])
def test_an_exported_key_is_opened_with_its_password(signer, password):
    loaded, _ = load_pfx(file(signer, password), password)
    assert (loaded.certificate, loaded.public_key) == (signer.certificate, signer.public_key)


def test_another_password_is_refused_by_the_file_and_by_the_key(signer):
    for key_password in ("another", ""):
        with pytest.raises(InvalidKey):
            load_pfx(file(signer, PASSWORD, exported(signer, key_password)), PASSWORD)
    with pytest.raises(InvalidKey):
        load_pfx(file(signer, PASSWORD), "another")


def test_a_key_by_itself_is_opened_too(signer):
    hidden = pkcs12.encode_encrypted_key(exported(signer, PASSWORD))
    assert load_key(hidden, PASSWORD).public_key == signer.public_key


@given(at=st.integers(0, 10**6), octet=st.integers(1, 255))
@settings(max_examples=40)
def test_a_damaged_key_is_refused(at, octet):
    key = exported(signer := enrolled("1.2.643.2.2.36.0"), PASSWORD)
    spoilt = bytearray(key.octets)
    spoilt[at % len(spoilt)] ^= octet
    try:
        loaded, _ = load_pfx(file(signer, PASSWORD, Encrypted(key.scheme, bytes(spoilt))), PASSWORD)
    except MedsignError:
        return
    assert loaded.public_key == signer.public_key  # where nothing depends on it


def test_a_key_of_another_algorithm_is_named(signer):
    key = exported(signer, PASSWORD, algorithm=oids.GOST_KEY_2001)
    with pytest.raises(Unavailable, match="2012 only"):
        load_pfx(file(signer, PASSWORD, key), PASSWORD)


def test_a_hostile_count_of_iterations_costs_nothing(signer):
    for oid in (pkcs12.CRYPTOPRO, pkcs12.TRIPLE_DES, pkcs12.RC2_40):
        key = Encrypted(ElderScheme(oid, b"saltsalt", 2**31), bytes(64))
        started = perf_counter()
        with pytest.raises(BudgetExceeded):
            load_pfx(file(signer, PASSWORD, key), PASSWORD)
        assert perf_counter() - started < 1
    mac = PfxMac(digest_oid=SHA1, value=bytes(20), salt=b"salt", iterations=2**31)
    with pytest.raises(BudgetExceeded):
        load_pfx(pkcs12.encode_pfx(Pfx(b"", mac)), PASSWORD)


def test_a_salt_of_megabytes_is_refused(signer):
    key = Encrypted(ElderScheme(pkcs12.CRYPTOPRO, bytes(1000), 1), bytes(64))
    with pytest.raises(MalformedError, match="salt"):
        load_pfx(file(signer, PASSWORD, key), PASSWORD)


def test_the_code_may_be_made_with_the_longer_sha_too(signer):
    bags = [KeyBag(private_key_info(signer.key)), CertificateBag(signer.certificate.der)]
    parts = [pkcs12.encode_bags(bags, key_id=b"1")]
    whole = sealed(parts, PASSWORD, digest="2.16.840.1.101.3.4.2.1")
    assert load_pfx(whole, PASSWORD)[0].public_key == signer.public_key


@pytest.mark.interop
@pytest.mark.parametrize("scheme", ["PBE-SHA1-3DES", "PBE-SHA1-RC2-40"])
@pytest.mark.parametrize("password", [PASSWORD, ""])
def test_certificates_that_openssl_hid_are_read(openssl, tmp_path: Path, signer, scheme, password):
    key, own, made = (tmp_path / name for name in ("key.pem", "own.pem", "file.p12"))
    key.write_bytes(pem_encode("PRIVATE KEY", private_key_info(signer.key)))
    own.write_bytes(pem_encode("CERTIFICATE", signer.certificate.der))
    openssl(
        *("pkcs12", "-export", "-legacy", "-inkey", key, "-in", own, "-out", made),
        *("-keypbe", "NONE", "-certpbe", scheme, "-macalg", "sha1", "-passout", f"pass:{password}"),
    )
    loaded, _ = load_pfx(made.read_bytes(), password)
    assert loaded.certificate == signer.certificate


@given(key=st.binary(min_size=24, max_size=24), block=st.binary(min_size=8, max_size=8))
def test_triple_des_is_that_of_another_library(key, block):
    ciphers = pytest.importorskip("cryptography.hazmat.primitives.ciphers")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        triple = pytest.importorskip("cryptography.hazmat.decrepit.ciphers.algorithms").TripleDES
        encryptor = ciphers.Cipher(triple(key), ciphers.modes.ECB()).encryptor()
    assert triple_des(key)(encryptor.update(block)) == block


@pytest.mark.parametrize("data", [b"", bytes(7), bytes(8), bytes(12)])
def test_blocks_without_their_padding_are_refused(data):
    with pytest.raises(InvalidKey):
        cbc_decrypt(rc2_40(bytes(5)), bytes(8), data)
