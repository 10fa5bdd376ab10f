"""Every real file is read by the door it is for, and judged as OpenSSL judged it.

The other tests take from the samples what they need; this one sees to it that none is forgotten.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from medsign import mchd
from medsign.codec import asn1
from medsign.codec.asn1 import pkcs12
from medsign.codec.xml import parse
from medsign.errors import MalformedError
from medsign.pki import (
    SignatureCheck,
    TrustStore,
    build_path,
    read_certificates,
    verify_signature,
)

Door = Callable[[bytes], object]


def binary(decode: Door) -> Door:
    return lambda data: decode(asn1.to_binary(data))


def encrypted_key(data: bytes) -> object:
    found = pkcs12.decode_encrypted_key(asn1.to_binary(data))
    if found is None:
        raise MalformedError("encrypted key", "", "it is an open one")
    return found


def ocsp(data: bytes) -> object:
    """Read an answer; those of OpenSSL's own tests are in base64 without a frame."""
    return asn1.decode_ocsp_response(data if data[:1] == b"\x30" else b64decode(data))


CERTIFICATE, KEY = binary(asn1.decode_certificate), binary(asn1.decode_private_key)
SIGNATURE = binary(asn1.decode_signed_data)
# The first pattern that fits a file names its door.
DOORS: dict[str, Door] = {
    "01_certs/accredited_ca_gost2012.pem": lambda data: list(read_certificates(data)),
    "01_certs/*/*": CERTIFICATE,
    "02_crl/*.crl": binary(asn1.decode_crl),
    "03_cms/*.p7?": SIGNATURE,
    "03_cms/*.sig": SIGNATURE,
    "03_cms/tc26/signed_*.pem": SIGNATURE,
    "03_cms/*_key.pem": KEY,
    "03_cms/*_cert.pem": CERTIFICATE,
    "03_cms/*.cer": CERTIFICATE,
    "04_ocsp/*.ors": ocsp,
    "04_ocsp/basic/*.basic.der": asn1.decode_basic_ocsp_response,
    "04_ocsp/responders/*.cer": CERTIFICATE,
    "05_tsp/*.token.der": SIGNATURE,
    "05_tsp/*.tsr": asn1.decode_timestamp_response,
    "07_mchd/*.xml": parse,
    "08_vectors/pyasn1_alt_modules/rfc44*_signed.der": SIGNATURE,
    "08_vectors/pyasn1_alt_modules/rfc4357_1_signed.der": SIGNATURE,
    "08_vectors/pyasn1_alt_modules/rfc4491_*_cert.der": CERTIFICATE,
    "08_vectors/pyasn1_alt_modules/rfc9215_*.der": CERTIFICATE,
    "08_vectors/pyasn1_alt_modules/rfc9548_1_sample.der": CERTIFICATE,
    "08_vectors/x509_rfc9215/*.cer": CERTIFICATE,
    "09_pfx_keys/*-enc.p8": encrypted_key,
    "09_pfx_keys/*.p8": KEY,
    "09_pfx_keys/*.p8.txt": KEY,
    "09_pfx_keys/*.p12": pkcs12.decode_pfx,
    "09_pfx_keys/*.pfx": pkcs12.decode_pfx,
    "10_pki_suites/nist_pkits/certs/*": CERTIFICATE,
    "10_pki_suites/nist_pkits/crls/*": binary(asn1.decode_crl),
    "10_pki_suites/openssl-ocsp/*.ors": ocsp,
    "10_pki_suites/openssl-ocsp/*.pem": lambda data: list(read_certificates(data)),
    "10_pki_suites/pyhanko*/*.attr.crt": asn1.recognise,
    "10_pki_suites/pyhanko*/keys/*.key.pem": asn1.recognise,
    "10_pki_suites/pyhanko*.crt": CERTIFICATE,
    "10_pki_suites/pyhanko*/many-certs.pem": lambda data: list(read_certificates(data)),
    "10_pki_suites/pyhanko*.cert.pem": CERTIFICATE,
    "10_pki_suites/pyhanko*/with-ldap-urls.der": CERTIFICATE,
    "10_pki_suites/pyhanko*.crl": binary(asn1.decode_crl),
    "10_pki_suites/pyhanko*.ors": ocsp,
    "10_pki_suites/pyhanko*/ocsp-resp-*.der": ocsp,
    "10_pki_suites/pyhanko*.p7b*": SIGNATURE,
    "11_tls/*.cer": CERTIFICATE,
}
NO_ENVELOPES = "medsign signs and does not encrypt documents"
# Files without a door, and why.
ASIDE = {
    "MANIFEST.md": "says what the others are",
    "01_certs/accredited_ca_index.tsv": "a list of the certificates in the bundle",
    "03_cms/tc26/encrypted_*.pem": NO_ENVELOPES,
    "03_cms/tc26/encryption_key.hex": NO_ENVELOPES,
    "03_cms/tc26/text_decrypted.plain": NO_ENVELOPES,
    "03_cms/tc26/hashed_*.pem": "a digest is no signature",
    "03_cms/*.content": "what is signed",
    "03_cms/*.pdf": "what is signed, with the signature inside: tests/cms/test_real.py",
    "05_tsp/*.data.bin": "what is stamped",
    "08_vectors/pyasn1_alt_modules/rfc*_key*.der": NO_ENVELOPES,
    "08_vectors/pyasn1_alt_modules/rfc9337_1_sample.der": NO_ENVELOPES,
    "08_vectors/pyasn1_alt_modules/rfc9189_*.der": "messages of TLS",
    "08_vectors/rfc/*.txt": "texts of standards",
    "08_vectors/core_vectors.json": "numbers: tests/gost",
    "08_vectors/pygost_tests/gost3413.json": "numbers: tests/gost/ciphers",
    "08_vectors/pygost_tests/gost341194.json": "numbers: tests/gost/ciphers",
    "08_vectors/pygost_tests/*.json": "the files in them stand elsewhere here; the numbers are in "
    "core_vectors.json, or of what medsign does not have (VKO, MGM, wrapping of keys)",
    "08_vectors/botan/gost_3410_*.vec": "of one curve for tests, by an OID that no file names",
    "08_vectors/botan/gost.vec": "the hash of 1994 with the substitution of its own tests",
    "08_vectors/botan/*.vec": "numbers: tests/gost and test_vectors.py",
    "08_vectors/rustcrypto/*.blb": "numbers: test_vectors.py",
    "08_vectors/gost_engine_etalon/*": "numbers: tests/gost",
    "10_pki_suites/*.json": "the cases of the suites",
    "10_pki_suites/*/readme.md": "says what the suite is",
    "10_pki_suites/*LICENSE*": "the licence of the suites",
    "11_tls/*.json": "messages of TLS; the certificates in them are files of their own",
}
GARBLED = "NIST garbled the signature: its bits are no whole octets"
OF_2001 = "GOST R 34.10-2001 may not sign since 2020"
FRACTION = "producedAt has a fraction of a second, which RFC 5280 §4.1.2.5.2 forbids"
# Files at which the door stays shut, and why.
REFUSED = {
    "09_pfx_keys/gnutls_key-gost01*.p8": OF_2001,
    "09_pfx_keys/tc26_pfx_4_line538.p12": "signed, not under a password: OpenSSL refuses it too",
    "10_pki_suites/nist_pkits/certs/BadSignedCACert.crt": GARBLED,
    "10_pki_suites/nist_pkits/certs/InvalidDSASignatureTest6EE.crt": GARBLED,
    "10_pki_suites/nist_pkits/crls/BadCRLSignatureCACRL.crl": GARBLED,
    "10_pki_suites/pyhanko*/*.attr.crt": "attributes without a key are certified so (RFC 5755)",
    "10_pki_suites/pyhanko*/keys/*.key.pem": "medsign signs with keys of GOST only",
    "10_pki_suites/pyhanko*/ocsp-resp-*.der": FRACTION,
}


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Path:
    folder = shared_data / "real"
    if not folder.is_dir():
        pytest.skip("no real samples among the public ones")
    return folder


@pytest.fixture(scope="module")
def files(real: Path) -> dict[str, Path]:
    return {
        path.relative_to(real).as_posix(): path
        for path in sorted(real.rglob("*"))
        if path.is_file()
    }


def fitting(name: str, patterns: dict[str, object]) -> str | None:
    return next((each for each in patterns if fnmatchcase(name, each)), None)


def test_every_file_has_a_door_or_a_reason(files):
    both = {**DOORS, **ASIDE}
    assert [name for name in files if fitting(name, both) is None] == []
    assert [each for each in both if not any(fnmatchcase(name, each) for name in files)] == []


def test_every_door_opens_but_for_those_files_that_must_not(files):
    shut = {}
    for name, path in files.items():
        door = fitting(name, DOORS)
        if door is None:
            continue
        try:
            DOORS[door](path.read_bytes())
        except MalformedError as error:
            shut[name] = error
    assert {name: each for name, each in shut.items() if not fitting(name, REFUSED)} == {}
    assert [each for each in REFUSED if not any(fnmatchcase(name, each) for name in shut)] == []


def test_nothing_was_lost(files):
    def count(pattern: str) -> int:
        return sum(fnmatchcase(name, pattern) for name in files)

    assert count("10_pki_suites/nist_pkits/certs/*") == 405
    assert count("10_pki_suites/nist_pkits/crls/*") == 173
    assert count("10_pki_suites/openssl-ocsp/*.ors") == 36
    bundle = files["01_certs/accredited_ca_gost2012.pem"].read_bytes()
    assert len(list(read_certificates(bundle))) == 1128


@pytest.fixture(scope="module")
def everybody(files) -> list[asn1.Certificate]:
    folders = ("01_certs/*.cer", "01_certs/*.pem", "04_ocsp/responders/*")
    return [
        certificate
        for name, path in files.items()
        if any(fnmatchcase(name, each) for each in folders)
        for certificate in read_certificates(path.read_bytes())
    ]


# Certificates on which OpenSSL said something else than medsign, and why.
DISAGREEMENTS = {
    "01_certs/cryptopro_test/cp_test_user_ivanov_gost2001_2019.cer": OF_2001,
    "01_certs/roots/minkomsvyaz_sub_gost2001_2018.cer": OF_2001,
    "01_certs/other_test/inovus_fnsi_test_2018.cer": "it issued itself and is an anchor here",
}


def test_every_certificate_is_judged_as_openssl_judged_it(real, files, everybody):
    """The table of the manifest: a name, and whether `openssl verify` built a chain for it."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (real / "MANIFEST.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| 01_certs/")
    ]
    told = {
        row[0]: row[5].startswith("OK")
        for row in rows
        if len(row) == 6 and row[5].startswith(("OK", "error"))
    }
    trust = TrustStore(each for each in everybody if each.is_self_issued)
    odd = set()
    judged = 0
    for name, is_good in told.items():
        if name not in files:
            continue
        certificate = asn1.decode_certificate(asn1.to_binary(files[name].read_bytes()))
        at = certificate.not_before + (certificate.not_after - certificate.not_before) * 0.05
        facts = build_path(certificate, trust, everybody, at=at)
        judged += 1
        odd |= {name} if facts.is_valid is not is_good else set()
    assert odd == set(DISAGREEMENTS)
    assert judged >= 60


def test_every_ocsp_answer_is_signed_by_its_service(files, everybody):
    """OpenSSL said "Response verify OK" to each of them; some carry no certificate."""
    checked = 0
    for name, path in files.items():
        if not fnmatchcase(name, "04_ocsp/*.ors"):
            continue
        basic = asn1.decode_ocsp_response(path.read_bytes()).basic
        assert basic
        assert SignatureCheck.VALID in {
            verify_signature(
                each.public_key, basic.signature_algorithm, basic.tbs_der, basic.signature
            )
            for each in (*basic.certificates, *everybody)
            if "1.3.6.1.5.5.7.3.9" in (each.extended_key_usage or ())
        }, name
        checked += 1
    assert checked == 8


def test_the_certificates_of_the_handshakes_are_whole(files):
    """RFC 9189 and 9367: each verifies itself, but for the one whose authority is not printed."""
    verdicts = {}
    for name, path in files.items():
        if fnmatchcase(name, "11_tls/*.cer"):
            each = asn1.decode_certificate(path.read_bytes())
            verdicts[name] = verify_signature(
                each.public_key, each.signature_algorithm, each.tbs_der, each.signature
            )
            section = name.partition("_A_")[0] + "_A_" + "_".join(name.split("_")[2:5])
            records = next(
                (files[one] for one in files if one == f"{section}_wire_records.json"), None
            )
            assert records is None or each.der.hex() in records.read_text()
    foreign = {name for name, said in verdicts.items() if said is not SignatureCheck.VALID}
    assert foreign == {"11_tls/rfc9189_A_2_2_server_cert.cer"}
    assert len(verdicts) == 5


def test_no_spoilt_power_of_attorney_passes(files):
    names = [name for name in files if fnmatchcase(name, "07_mchd/redacted_invalid/*.xml")]
    assert len(names) == 9
    for name in names:
        assert mchd.validate(files[name].read_bytes()) != (), name
