"""OpenSSL with the GOST engine as a stranger: each accepts what the other signed."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from medsign import cms
from medsign.clock import SystemClock
from medsign.codec import asn1
from medsign.pki.keys import private_key_info

from .conftest import CRYPTOPRO_A, DAY, TC26_256_A, TC26_512_A, make_authority

pytestmark = pytest.mark.interop
CONTENT = "Протокол осмотра".encode()
CURVES = {
    "A": CRYPTOPRO_A,
    "B": "1.2.643.2.2.35.2",
    "C": "1.2.643.2.2.35.3",
    "XA": "1.2.643.2.2.36.0",
    "XB": "1.2.643.2.2.36.1",
    "TCA": TC26_256_A,
    "TCB": "1.2.643.7.1.2.1.1.2",
    "TCC": "1.2.643.7.1.2.1.1.3",
    "TCD": "1.2.643.7.1.2.1.1.4",
    "512A": TC26_512_A,
    "512B": "1.2.643.7.1.2.1.2.2",
    "512C": "1.2.643.7.1.2.1.2.3",
}
curves = pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
NOW = SystemClock().now().replace(microsecond=0)


@attrs.frozen
class Desk:
    """Files of an authority and of one person, as OpenSSL takes them."""

    authority: object
    signer: object
    folder: object

    def file(self, name: str, data: bytes):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def evidence(self, signature: bytes, content: bytes | None = CONTENT):
        return cms.Evidence(
            signature=signature,
            content=content,
            trust=self.authority.trust,
            crls=(self.authority.crl(NOW - DAY),),
        )


@pytest.fixture
def desk(curve, tmp_path):
    authority = make_authority(curve)
    signer = authority.issue(curve=curve, not_before=NOW - DAY)
    desk = Desk(authority, signer, tmp_path)
    desk.file("root.pem", asn1.pem_encode("CERTIFICATE", authority.root.certificate.der))
    desk.file("cert.pem", asn1.pem_encode("CERTIFICATE", signer.certificate.der))
    desk.file("key.pem", asn1.pem_encode("PRIVATE KEY", private_key_info(signer.key)))
    desk.file("content", CONTENT)
    return desk


def accepts(openssl, desk, signature: bytes, *detached) -> bool:
    done = openssl(
        *("cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any"),
        *("-in", desk.file("ours.p7s", signature), "-CAfile", desk.folder / "root.pem"),
        *("-out", desk.folder / "out", *detached),
        check=False,
    )
    return done.returncode == 0


@pytest.mark.req("F009", "F015")
@curves
@pytest.mark.parametrize("is_detached", [True, False])
def test_openssl_accepts_our_signature(openssl, desk, is_detached):
    signature = cms.sign(CONTENT, desk.signer, at=NOW, detached=is_detached)
    content = ("-content", desk.folder / "content") if is_detached else ()
    assert accepts(openssl, desk, signature, *content)
    assert (desk.folder / "out").read_bytes() == CONTENT


@curves
def test_openssl_accepts_our_signature_as_cades(openssl, desk):
    signature = cms.sign(CONTENT, desk.signer, at=NOW)
    assert accepts(openssl, desk, signature, "-cades", "-content", desk.folder / "content")


@curves
def test_openssl_accepts_two_signatures_side_by_side(openssl, desk, curve):
    first = cms.sign(CONTENT, desk.signer, at=NOW)
    second = desk.authority.issue(curve=curve, not_before=NOW - DAY)
    both = cms.sign(CONTENT, second, at=NOW, beside=first)
    assert accepts(openssl, desk, both, "-content", desk.folder / "content")


@pytest.mark.parametrize("curve", [TC26_256_A])
def test_openssl_and_we_accept_signatures_of_both_lengths_side_by_side(openssl, desk):
    first = cms.sign(CONTENT, desk.signer, at=NOW)
    second = desk.authority.issue(curve=TC26_512_A, not_before=NOW - DAY)
    both = cms.sign(CONTENT, second, at=NOW, beside=first)
    assert accepts(openssl, desk, both, "-cades", "-content", desk.folder / "content")
    report = cms.verify(desk.evidence(both), at=NOW)
    assert [each.passed for each in report.signers] == [True, True]


@curves
def test_openssl_accepts_a_countersigned_signature(openssl, desk, curve):
    chief = desk.authority.issue(curve=curve, not_before=NOW - DAY)
    confirmed = cms.countersign(cms.sign(CONTENT, desk.signer, at=NOW), chief, at=NOW)
    assert accepts(openssl, desk, confirmed, "-cades", "-content", desk.folder / "content")


@curves
def test_openssl_accepts_a_stamped_signature(openssl, desk):
    signature = cms.sign(CONTENT, desk.signer, at=NOW)
    token = desk.authority.stamp(cms.signature_value(signature), NOW)
    stamped = cms.add_timestamp(signature, token)
    assert accepts(openssl, desk, stamped, "-content", desk.folder / "content")


@curves
def test_openssl_accepts_a_lasting_signature_as_cades(openssl, desk):
    signature = cms.sign(CONTENT, desk.signer, at=NOW)
    stamped = cms.add_timestamp(
        signature, desk.authority.stamp(cms.signature_value(signature), NOW)
    )
    given = desk.evidence(stamped)
    given = attrs.evolve(given, signature=cms.add_references(given, at=NOW))
    long = cms.add_values(given, at=NOW)
    lasting = cms.add_evidence_timestamp(long, desk.authority.stamp(cms.evidence_value(long), NOW))
    archive = desk.authority.stamp(cms.archive_value(lasting, CONTENT), NOW)
    archived = cms.add_archive_timestamp(lasting, archive, CONTENT)
    for each in (lasting, archived):
        assert accepts(openssl, desk, each, "-cades", "-content", desk.folder / "content")


@curves
def test_both_refuse_a_flipped_bit(openssl, desk):
    signature = bytearray(cms.sign(CONTENT, desk.signer, at=NOW))
    signature[-1] ^= 1
    content = ("-content", desk.folder / "content")
    assert not accepts(openssl, desk, bytes(signature), *content)
    report = cms.verify(desk.evidence(bytes(signature)), at=NOW)
    assert report.sub_indication is cms.SubIndication.SIG_CRYPTO_FAILURE


@curves
def test_both_refuse_another_content(openssl, desk):
    signature = cms.sign(CONTENT, desk.signer, at=NOW)
    other = desk.file("other", CONTENT[:-1] + b"!")
    assert not accepts(openssl, desk, signature, "-content", other)
    report = cms.verify(desk.evidence(signature, other), at=NOW)
    assert report.sub_indication is cms.SubIndication.HASH_FAILURE


@curves
@pytest.mark.parametrize("options", [(), ("-nodetach",), ("-cades",), ("-stream", "-nodetach")])
def test_we_accept_a_signature_of_openssl(openssl, desk, curve, options):
    hashing = "md_gost12_512" if ".1.2.1.2." in curve else "md_gost12_256"
    signature = openssl(
        *("cms", "-sign", "-binary", "-outform", "DER", "-md", hashing, *options),
        *("-in", desk.folder / "content", "-signer", desk.folder / "cert.pem"),
        *("-inkey", desk.folder / "key.pem"),
    ).stdout
    content = None if "-nodetach" in options else CONTENT
    at = SystemClock().now() + timedelta(seconds=1)
    report = cms.verify(desk.evidence(signature, content), at=at)
    assert report.passed, report.explain_trust()
    spoilt = signature[:-1] + bytes((signature[-1] ^ 1,))
    if "-stream" not in options:
        assert not cms.verify(desk.evidence(spoilt, content), at=at).passed
