"""OpenSSL as a stranger: our canonical octets, its digest; our value, its verdict."""

from __future__ import annotations

from base64 import b64decode

import pytest

from medsign.codec import asn1
from medsign.codec.xml import canonical, parse
from medsign.xmldsig import sign_enveloped, verify

from .conftest import CRYPTOPRO_A, TC26_512_A, enrol

pytestmark = pytest.mark.interop
DOCUMENT = '<приказ xmlns="urn:example"><пункт n="1">один</пункт></приказ>'.encode()
sizes = pytest.mark.parametrize(("curve", "size"), [(CRYPTOPRO_A, 256), (TC26_512_A, 512)])


def text(signed: bytes, name: str) -> bytes:
    return b64decode(parse(signed).findtext(f".//{{*}}{name}"))


@sizes
def test_openssl_computes_the_same_digest(openssl, curve, size):
    signed = sign_enveloped(DOCUMENT, enrol(curve))
    ((octets,),) = (facts.signed for facts in verify(signed))
    done = openssl("dgst", f"-md_gost12_{size}", "-binary", input=octets)
    assert done.stdout == text(signed, "DigestValue")


@sizes
def test_openssl_accepts_the_value(openssl, curve, size, tmp_path):
    signer = enrol(curve)
    signed = sign_enveloped(DOCUMENT, signer)
    info = canonical(parse(signed).find(".//{*}SignedInfo"))
    certificate = tmp_path / "certificate.pem"
    certificate.write_bytes(asn1.pem_encode("CERTIFICATE", signer.certificate.der))
    key, value = tmp_path / "key.pem", tmp_path / "value"
    key.write_bytes(openssl("x509", "-in", certificate, "-noout", "-pubkey").stdout)
    value.write_bytes(text(signed, "SignatureValue"))
    verdict = ("dgst", f"-md_gost12_{size}", "-verify", key, "-signature", value)
    assert b"Verified OK" in openssl(*verdict, input=info).stdout
    assert openssl(*verdict, input=info + b" ", check=False).returncode != 0
