"""The requests, certificates and lists of RFC 9215 appendix D, read and verified."""

from __future__ import annotations

import re
from pathlib import Path

import attrs
import pytest

from medsign.codec import asn1
from medsign.gost import PortableProvider, PrivateKey, PublicKey, digest, param_set
from medsign.gost.params import EXAMPLE_256, EXAMPLE_512, DigestAlgorithm, ParamSet
from medsign.pki import public_key_info
from medsign.pki.signatures import SignatureCheck, verify_signature


@attrs.frozen
class Example:
    key: PrivateKey
    public: PublicKey
    artefacts: dict[str, bytes]


CURVES = {"D.1": EXAMPLE_256, "D.2": param_set("1.2.643.7.1.2.1.1.1"), "D.3": EXAMPLE_512}
SHORTER, LONGER = DigestAlgorithm.STREEBOG_256, DigestAlgorithm.STREEBOG_512


@pytest.fixture(params=CURVES)
def example(request, shared_data: Path) -> Example:
    """Return an example; the curves of D.1 and D.3 are for examples only."""
    text = (shared_data / "real" / "08_vectors" / "rfc" / "rfc9215.txt").read_text("utf-8")
    section, params = request.param, CURVES[request.param]
    text = text[text.index(f"\n{section}. ") :]
    ends = re.search(r"\n(?:D\.[23]|Appendix E)\. ", text[5:])
    text = text[: ends.start() + 5 if ends else None]
    blocks = asn1.pem_decode(re.sub(r"^ +", "", text, flags=re.MULTILINE).encode())
    key = PrivateKey(params, number(text, "d"))
    return Example(key, PublicKey(params, number(text, "x"), number(text, "y")), dict(blocks))


def number(text: str, name: str) -> int:
    found = re.search(rf"\b{name} = 0x((?:[0-9A-F]+\\*\s+)+)", text)
    assert found
    return int(re.sub(r"[\\\s]", "", found[1]), 16)


def signs(params: ParamSet, public: PublicKey, signed: bytes, value: bytes) -> bool:
    algorithm = SHORTER if params.size == 32 else LONGER
    return PortableProvider().verify(public, digest(algorithm, signed), value)


def test_the_private_key_has_the_public_one(example):
    assert example.key.public_key() == example.public


def test_the_certificate_is_read_and_signed_by_its_own_key(example):
    certificate = asn1.decode_certificate(example.artefacts["CERTIFICATE"])
    info = certificate.public_key.gost
    assert info
    assert (info.point, info.param_set_oid) == (
        example.public.to_octets(),
        example.key.params.oid,
    )
    assert certificate.basic_constraints
    assert signs(example.key.params, example.public, certificate.tbs_der, certificate.signature)


def test_the_request_is_read_and_signed_by_its_own_key(example):
    request = asn1.decode_request(example.artefacts["CERTIFICATE REQUEST"])
    assert request.public_key.gost
    assert request.public_key.gost.point == example.public.to_octets()
    assert signs(example.key.params, example.public, request.info_der, request.signature)


def test_the_list_is_read_and_signed_by_the_key(example):
    revoked = asn1.decode_crl(example.artefacts["X509 CRL"])
    assert revoked.entries == ()
    assert signs(example.key.params, example.public, revoked.tbs_der, revoked.signature)


def test_a_key_for_real_use_is_written_as_the_example_is(shared_data: Path, request):
    text = (shared_data / "real" / "08_vectors" / "rfc" / "rfc9215.txt").read_text("utf-8")
    second = re.sub(r"^ +", "", text[text.index("\nD.2.2. ") :], flags=re.MULTILINE)
    certificate = asn1.decode_certificate(asn1.pem_decode(second.encode())[0][1])
    key = PublicKey.from_octets(CURVES["D.2"], certificate.public_key.gost.point)
    assert public_key_info(key) == certificate.public_key.der
    check = verify_signature(
        certificate.public_key,
        certificate.signature_algorithm,
        certificate.tbs_der,
        certificate.signature,
    )
    assert check is SignatureCheck.VALID
