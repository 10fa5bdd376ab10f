"""Keys in files under a password: ours, the public samples and those of OpenSSL."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.codec.asn1 import pem_encode, pkcs12
from medsign.codec.asn1.pkcs12 import KeyBag, Pfx, PfxMac
from medsign.errors import (
    BudgetExceeded,
    InvalidKey,
    MalformedError,
    MedsignError,
    Unavailable,
    UsageError,
    WrongPassword,
)
from medsign.gost import PortableProvider
from medsign.pki.issuing import ROOT_CA, issue_root, subject_name
from medsign.pki.keys import private_key_info
from medsign.signers import (
    KeyCipher,
    SoftwareKey,
    load_key,
    load_pfx,
    load_signer,
    save_key,
    save_pfx,
)
from medsign.signers.passwords import Password

PASSWORD = "пароль врача"
SAMPLE_PASSWORD = "Пароль для PFX"


def certified(key: SoftwareKey, name: str = "Тест"):
    return issue_root(
        ROOT_CA,
        subject=subject_name(organization=name),
        signer=key,
        not_before=datetime(2026, 1, 1, tzinfo=UTC),
    )


@pytest.fixture(scope="module")
def signer():
    key = SoftwareKey.generate()
    return key.certified(certified(key))


@pytest.fixture(scope="module")
def long_chain():
    """Certificates of more octets than any cipher hides under one key of OpenSSL."""
    return tuple(certified(SoftwareKey.generate(), "Тест " + "х" * 150) for _ in range(12))


@pytest.mark.parametrize("cipher", KeyCipher)
def test_a_key_is_read_as_it_was_written(signer, cipher):
    file = save_key(signer, PASSWORD, cipher=cipher, iterations=2)
    assert load_key(file, PASSWORD).public_key == signer.public_key


def test_a_key_of_512_bits_is_read_from_pem():
    key = SoftwareKey.generate("1.2.643.7.1.2.1.2.1")
    file = pem_encode("ENCRYPTED PRIVATE KEY", save_key(key, PASSWORD, iterations=2))
    assert load_key(file, PASSWORD).public_key == key.public_key


@pytest.mark.parametrize("cipher", KeyCipher)
def test_a_pfx_is_read_as_it_was_written(signer, long_chain, cipher):
    file = save_pfx(signer, PASSWORD, chain=long_chain, cipher=cipher, iterations=2, name="Ключ")
    loaded, chain = load_pfx(file, PASSWORD)
    assert (loaded.certificate, loaded.public_key) == (signer.certificate, signer.public_key)
    assert chain == long_chain


def test_two_files_of_one_key_have_nothing_hidden_in_common(signer):
    files = [pkcs12.decode_encrypted_key(save_key(signer, "x", iterations=2)) for _ in range(2)]
    assert files[0] is not None
    assert files[1] is not None
    assert files[0].scheme != files[1].scheme
    assert files[0].octets != files[1].octets


@pytest.mark.parametrize("cipher", KeyCipher)
def test_a_wrong_password_and_a_damaged_file_look_the_same(signer, cipher):
    file = save_key(signer, PASSWORD, cipher=cipher, iterations=2)
    damaged = file[:-20] + bytes([file[-20] ^ 0xFF]) + file[-19:]
    texts = set()
    for octets, password in ((file, "другой"), (file, ""), (damaged, PASSWORD)):
        if octets is damaged and "OMAC" not in cipher.name:
            continue  # nothing but OMAC notices every change
        with pytest.raises(WrongPassword) as caught:
            load_key(octets, password)
        texts.add((str(caught.value), caught.value.diagnostics()))
    ((_, told),) = texts
    assert "Неверный пароль или повреждённый файл" in told


def test_a_pfx_with_one_octet_changed_is_refused_like_a_wrong_password(signer):
    file = save_pfx(signer, PASSWORD, iterations=2)
    texts = set()
    damaged = file.replace(pkcs12.decode_pfx(file).safe[-40:], bytes(40))
    assert damaged != file
    for octets, password in ((file, "другой"), (damaged, PASSWORD)):
        with pytest.raises(WrongPassword) as caught:
            load_pfx(octets, password)
        texts.add(str(caught.value))
    assert len(texts) == 1


def test_an_encrypted_key_without_a_password_is_refused(signer):
    with pytest.raises(UsageError, match="password"):
        load_key(save_key(signer, PASSWORD, iterations=2))


def test_an_open_key_needs_no_password(signer):
    file = private_key_info(signer.key)
    assert load_key(file, PASSWORD).public_key == signer.public_key


def test_a_hostile_count_of_iterations_costs_nothing(signer):
    mac = PfxMac(digest_oid="1.2.643.7.1.1.2.3", value=bytes(64), salt=b"salt", iterations=2**31)
    started = perf_counter()
    with pytest.raises(BudgetExceeded):
        load_pfx(pkcs12.encode_pfx(Pfx(b"", mac)), PASSWORD)
    assert perf_counter() - started < 1


def test_the_budget_is_for_the_whole_file(signer):
    file = save_pfx(signer, PASSWORD, iterations=10)
    assert load_pfx(file, PASSWORD, max_iterations=30)[0].public_key == signer.public_key
    with pytest.raises(BudgetExceeded):
        load_pfx(file, PASSWORD, max_iterations=29)


def test_a_key_file_has_a_budget_too(signer):
    with pytest.raises(BudgetExceeded):
        load_key(save_key(signer, PASSWORD, iterations=11), PASSWORD, max_iterations=10)


def sealed(safe: bytes) -> bytes:
    mac = PfxMac(digest_oid="1.2.643.7.1.1.2.2", value=b"", salt=b"saltsalt", iterations=1)
    mac = attrs.evolve(mac, value=Password(PASSWORD).mac(mac, safe))
    return pkcs12.encode_pfx(Pfx(safe, mac))


@given(data=st.data())
def test_who_knows_the_password_makes_nothing_explode(signer, data):
    """Each part of the file is spoilt under a code that fits."""
    own = pkcs12.CertificateBag(signer.certificate.der)
    bags = pkcs12.encode_bags([KeyBag(private_key_info(signer.key)), own], key_id=b"1")
    spoilt = bytearray(pkcs12.encode_safe([bags]))
    for _ in range(data.draw(st.integers(1, 3))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    try:
        load_pfx(sealed(bytes(spoilt)), PASSWORD)
    except MedsignError:
        return
    assert load_pfx(sealed(bytes(spoilt)), PASSWORD)[0].certificate


def test_a_signer_is_loaded_from_a_key_under_a_password_and_a_certificate(signer):
    loaded = load_signer(save_key(signer, PASSWORD, iterations=2), signer.certificate.der, PASSWORD)
    assert loaded.public_key == signer.public_key


def test_a_password_of_half_a_character_is_refused_and_not_shown(signer):
    with pytest.raises(UsageError) as caught:
        save_key(signer, "secret\ud800")
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("iterations", [0, -1])
def test_a_password_is_hashed_at_least_once(signer, iterations):
    with pytest.raises(UsageError):
        save_pfx(signer, PASSWORD, iterations=iterations)


def test_open_parts_and_the_shorter_digest_are_read(signer):
    bags = [KeyBag(private_key_info(signer.key)), pkcs12.CertificateBag(signer.certificate.der)]
    file = sealed(pkcs12.encode_safe([pkcs12.encode_bags(bags, key_id=b"1")]))
    assert load_pfx(file, PASSWORD)[0].public_key == signer.public_key


def test_a_key_without_its_certificate_is_refused(signer):
    other = certified(SoftwareKey.generate())
    bags = [KeyBag(private_key_info(signer.key)), pkcs12.CertificateBag(other.der)]
    with pytest.raises(InvalidKey, match="certificate"):
        load_pfx(sealed(pkcs12.encode_safe([pkcs12.encode_bags(bags, key_id=b"1")])), PASSWORD)


def test_a_pfx_that_nothing_protects_is_refused():
    with pytest.raises(InvalidKey, match="proves"):
        load_pfx(pkcs12.encode_pfx(Pfx(pkcs12.encode_safe([]), None)), PASSWORD)


def test_what_is_no_pfx_is_refused():
    with pytest.raises(MalformedError):
        load_pfx(b"no file", PASSWORD)


def test_a_file_of_foreign_algorithms_says_what_is_missing(signer):
    foreign = pkcs12.Encrypted(pkcs12.AlgorithmIdentifier("1.2.840.113549.1.12.1.4"), b"...")
    with pytest.raises(Unavailable, match=r"1\.2\.840\.113549\.1\.12\.1\.4"):
        load_key(pkcs12.encode_encrypted_key(foreign), PASSWORD)


def test_the_provider_is_kept(signer):
    provider = PortableProvider()
    file = save_pfx(signer, PASSWORD, iterations=1)
    assert load_pfx(file, PASSWORD, provider=provider)[0].provider is provider


@pytest.mark.parametrize(
    "name",
    ["tc26_pfx_1_line76.p12", "tc26_pfx_2_line261.p12", "tc26_pfx_3_line367.p12"],
)
def test_the_public_samples_are_opened(shared_data: Path, name):
    file = (shared_data / "real" / "09_pfx_keys" / name).read_bytes()
    signer, chain = load_pfx(file, SAMPLE_PASSWORD)
    assert chain == ()
    digest = bytes(signer.digest_algorithm.size)
    assert signer.provider.verify(signer.public_key, digest, signer.sign_digest(digest))


def test_the_encrypted_and_the_open_sample_are_one_key(shared_data: Path):
    folder = shared_data / "real" / "09_pfx_keys"
    hidden = load_key((folder / "gnutls_key-gost12-256-2-enc.p8").read_bytes(), SAMPLE_PASSWORD)
    known = load_key((folder / "gnutls_key-gost12-256-2.p8").read_bytes())
    assert hidden.public_key == known.public_key


@pytest.mark.interop
@pytest.mark.parametrize("cipher", [KeyCipher.KUZNYECHIK, KeyCipher.MAGMA, KeyCipher.GOST_28147])
def test_openssl_opens_our_keys_and_files(openssl, tmp_path: Path, signer, cipher):
    key, file = tmp_path / "key.p8", tmp_path / "file.pfx"
    key.write_bytes(save_key(signer, PASSWORD, cipher=cipher, iterations=2))
    file.write_bytes(save_pfx(signer, PASSWORD, cipher=cipher, iterations=2))
    opened = openssl("pkey", "-inform", "DER", "-in", key, "-passin", f"pass:{PASSWORD}").stdout
    assert load_key(opened).public_key == signer.public_key
    printed = openssl("pkcs12", "-in", file, "-passin", f"pass:{PASSWORD}", "-nodes").stdout
    assert load_key(printed[printed.index(b"-----BEGIN PRIVATE") :]).public_key == signer.public_key
    assert printed.count(b"BEGIN CERTIFICATE") == 1


@pytest.mark.interop
def test_openssl_opens_a_long_chain_under_the_old_cipher(openssl, tmp_path, signer, long_chain):
    file = tmp_path / "file.pfx"
    file.write_bytes(
        save_pfx(signer, "x", chain=long_chain, cipher=KeyCipher.GOST_28147, iterations=2)
    )
    printed = openssl("pkcs12", "-in", file, "-passin", "pass:x", "-nokeys").stdout
    assert printed.count(b"BEGIN CERTIFICATE") == 1 + len(long_chain)


@pytest.mark.interop
@pytest.mark.parametrize("name", ["gost89", "kuznyechik-ctr-acpkm", "magma-ctr-acpkm"])
@pytest.mark.parametrize("chained", [False, True])
def test_files_of_openssl_are_opened(openssl, tmp_path, signer, long_chain, name, chained):
    key, own, others = tmp_path / "key.pem", tmp_path / "own.pem", tmp_path / "others.pem"
    key.write_bytes(pem_encode("PRIVATE KEY", private_key_info(signer.key)))
    own.write_bytes(pem_encode("CERTIFICATE", signer.certificate.der))
    others.write_bytes(b"".join(pem_encode("CERTIFICATE", each.der) for each in long_chain))
    more = ["-certfile", others] if chained else []
    openssl(
        *("pkcs12", "-export", "-inkey", key, "-in", own, *more, "-out", tmp_path / "file.p12"),
        *("-keypbe", name, "-certpbe", name, "-macalg", "md_gost12_512", "-iter", "2"),
        *("-passout", f"pass:{PASSWORD}"),
    )
    loaded, chain = load_pfx((tmp_path / "file.p12").read_bytes(), PASSWORD)
    assert loaded.certificate == signer.certificate
    assert set(chain) == (set(long_chain) if chained else set())


@pytest.mark.interop
def test_a_key_encrypted_by_openssl_is_opened(openssl, tmp_path: Path, signer):
    key = tmp_path / "key.pem"
    key.write_bytes(pem_encode("PRIVATE KEY", private_key_info(signer.key)))
    hidden = openssl(
        *(
            "pkcs8",
            "-topk8",
            "-in",
            key,
            "-v2",
            "gost89",
            "-v2prf",
            "id-tc26-hmac-gost-3411-2012-512",
        ),
        *("-iter", "2", "-passout", f"pass:{PASSWORD}"),
    ).stdout
    assert load_key(hidden, PASSWORD).public_key == signer.public_key
