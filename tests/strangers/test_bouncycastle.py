"""BouncyCastle as judge, by the program Judge.java; what it makes, we verify."""

from __future__ import annotations

from pathlib import Path

import pytest

from medsign import cms
from medsign.clock import SystemClock
from medsign.codec.asn1 import (
    decode_certificate,
    decode_crl,
    decode_ocsp_response,
    decode_request,
    decode_timestamp_request,
    decode_timestamp_response,
)
from medsign.gost import param_set
from medsign.pki import (
    RevocationEvidence,
    TrustStore,
    build_path,
    check_request,
    check_revocation,
    check_timestamp_response,
    make_request,
    private_key_info,
    public_key,
    subject_name,
)
from medsign.signers import load_key
from medsign.xmldsig import sign_enveloped, sign_message
from medsign.xmldsig import verify as verify_xml

from .conftest import CURVES, NONCE, NOW, Workshop, every

pytestmark = pytest.mark.interop
CONTENT = "Протокол осмотра".encode()


def cert(shop: Workshop, signer) -> Path:
    return shop.file(signer.certificate.der)


def spoilt(shop: Workshop, data: bytes) -> Path:
    return shop.file(data[:-1] + bytes((data[-1] ^ 1,)))


@every
def test_it_verifies_our_certificate_and_path(bouncy_castle, workshop, name):
    shop = workshop(name)
    owner, root = cert(shop, shop.owner), cert(shop, shop.root)
    assert bouncy_castle("certificate", owner, root) == "yes"
    assert bouncy_castle("certificate", root, root) == "yes"
    assert bouncy_castle("chain", owner, root) == "yes"
    forged = spoilt(shop, shop.owner.certificate.der)
    assert bouncy_castle("certificate", forged, root) == "no"
    assert bouncy_castle("chain", forged, root).startswith("no")


@every
def test_it_verifies_our_request(bouncy_castle, workshop, name):
    shop = workshop(name)
    request = make_request(subject_name(organization="Owner"), shop.owner).der
    assert bouncy_castle("request", shop.file(request)) == "yes"
    assert bouncy_castle("request", spoilt(shop, request)) == "no"


@every
def test_it_verifies_our_revocation_list(bouncy_castle, workshop, name):
    shop = workshop(name)
    root = cert(shop, shop.root)
    listed, other = (each.certificate.serial_number for each in (shop.owner, shop.tsa))
    assert bouncy_castle("list", shop.file(shop.crl()), root, str(listed)) == "yes revoked"
    assert bouncy_castle("list", shop.file(shop.crl()), root, str(other)) == "yes good"
    assert bouncy_castle("list", spoilt(shop, shop.crl()), root, str(listed)) == "no revoked"


@every
@pytest.mark.parametrize("by_name", [True, False])
def test_it_verifies_our_ocsp_answer(bouncy_castle, workshop, name, by_name):
    shop = workshop(name)
    answer = shop.file(shop.ocsp_answer(by_name=by_name))
    assert bouncy_castle("answer", answer, cert(shop, shop.root)) == "yes good"


@every
def test_it_verifies_our_time_stamp(bouncy_castle, workshop, name):
    shop = workshop(name)
    stamp, asked = shop.file(shop.stamp(CONTENT)), shop.file(shop.stamp_request(CONTENT))
    assert bouncy_castle("stamp", stamp, asked, cert(shop, shop.tsa)) == "yes"
    other = shop.file(shop.stamp_request(CONTENT + b"!"))
    assert bouncy_castle("stamp", stamp, other, cert(shop, shop.tsa)).startswith("no")


@every
def test_it_verifies_our_signatures(bouncy_castle, workshop, name):
    shop = workshop(name)
    content, other = shop.file(CONTENT), shop.file(CONTENT + b"!")
    attached = cms.sign(CONTENT, shop.owner, at=NOW, detached=False)
    assert bouncy_castle("signature", shop.file(attached)) == "yes 1"
    detached = cms.sign(CONTENT, shop.owner, at=NOW)
    assert bouncy_castle("signature", shop.file(detached), content) == "yes 1"
    assert bouncy_castle("signature", shop.file(detached), other).startswith("no")
    assert bouncy_castle("signature", spoilt(shop, detached), content) == "no 0"
    both = cms.sign(CONTENT, shop.tsa, at=NOW, beside=detached)
    assert bouncy_castle("signature", shop.file(both), content) == "yes 2"


@every
def test_it_reads_our_private_key(bouncy_castle, workshop, name):
    shop = workshop(name)
    shown = bouncy_castle("public", shop.file(private_key_info(shop.owner.key)))
    assert shown == f"yes {shop.owner.public_key.to_octets().hex()}"


@pytest.fixture(params=CURVES)
def theirs(request, bouncy_castle, tmp_path) -> tuple[str, Path]:
    """Return a parameter set, and a folder with a key and a certificate of BouncyCastle."""
    files = (tmp_path / "key", tmp_path / "root")
    assert bouncy_castle("make-root", CURVES[request.param][1], *files) == "yes"
    return request.param, tmp_path


def test_we_read_its_key_and_certificate(theirs):
    name, folder = theirs
    root = decode_certificate((folder / "root").read_bytes())
    key = load_key((folder / "key").read_bytes())
    assert key.key.params is param_set(CURVES[name][1])
    assert key.public_key == public_key(root.public_key)
    facts = build_path(root, TrustStore([root]), at=NOW)
    assert facts.is_valid, facts.problems
    # an anchor's own signature is not looked at in a path
    alone = build_path(root, TrustStore(), [root], at=NOW)
    assert "issuer.signature" not in {each.code.value for each in alone.problems}


def test_we_verify_its_request(bouncy_castle, theirs):
    _, folder = theirs
    assert bouncy_castle("make-request", folder / "key", folder / "root", folder / "made") == "yes"
    assert check_request(decode_request((folder / "made").read_bytes()))


@every
def test_we_verify_its_revocation_list(bouncy_castle, workshop, name):
    shop = workshop(name)
    key, made = shop.file(private_key_info(shop.root.key)), shop.folder / "list"
    number = str(shop.owner.certificate.serial_number)
    assert bouncy_castle("make-list", key, cert(shop, shop.root), number, made) == "yes"
    crl = decode_crl(made.read_bytes())
    for owner, said in ((shop.owner, "revoked"), (shop.tsa, "good")):
        evidence = RevocationEvidence(crls=(crl,))
        facts = check_revocation(owner.certificate, shop.root.certificate, evidence, at=NOW)
        assert (facts.status, facts.claims[0].problems) == (said, ())


@every
def test_we_verify_its_ocsp_answer(bouncy_castle, workshop, name):
    shop = workshop(name)
    key, made = shop.file(private_key_info(shop.responder.key)), shop.folder / "answered"
    asked = shop.file(shop.ocsp_request())
    assert bouncy_castle("make-answer", key, cert(shop, shop.responder), asked, made) == "yes"
    basic = decode_ocsp_response(made.read_bytes()).basic
    assert basic
    facts = check_revocation(
        shop.owner.certificate,
        shop.root.certificate,
        RevocationEvidence(responses=(basic,)),
        at=basic.produced_at,
        nonce=NONCE,
    )
    assert (facts.status, facts.reason) == ("revoked", "keyCompromise")
    assert not facts.claims[0].problems


@every
def test_we_verify_its_time_stamp(bouncy_castle, workshop, name):
    shop = workshop(name)
    key, made = shop.file(private_key_info(shop.tsa.key)), shop.folder / "stamped"
    asked = shop.stamp_request(CONTENT)
    service = cert(shop, shop.tsa)
    assert bouncy_castle("make-stamp", key, service, shop.file(asked), made) == "yes"
    facts = check_timestamp_response(
        decode_timestamp_response(made.read_bytes()), decode_timestamp_request(asked), shop.trust
    )
    assert facts.is_valid, facts.problems


@every
@pytest.mark.parametrize("attached", [True, False])
def test_we_verify_its_signature(bouncy_castle, workshop, name, attached):
    shop = workshop(name)
    key, made = shop.file(private_key_info(shop.owner.key)), shop.folder / "signed"
    files = (key, cert(shop, shop.owner), shop.file(CONTENT), made)
    assert bouncy_castle("make-signature", *files, str(attached).lower()) == "yes"

    def facts(content: bytes | None):
        given = cms.Evidence(signature=made.read_bytes(), content=content, trust=shop.trust)
        (signature,) = cms.collect(given, at=SystemClock().now()).signatures
        return signature.content_intact, signature.signature_valid

    assert facts(None if attached else CONTENT) == (True, True)
    if not attached:
        assert facts(CONTENT + b"!") == (False, True)


XML = """<?xml version="1.0"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:u="urn:u" xmlns:not="urn:x">
 <s:Body z="1" a="&quot;2&#10;"><row Id="r1" u:day='3' xmlns="urn:row"><!-- draft -->
  <u:one/><two xmlns=""><![CDATA[<текст>]]></two> &amp; &gt; &#13;</row></s:Body>
</s:Envelope>""".encode()


@every
@pytest.mark.parametrize("form", ["document", "element", "message"])
def test_it_verifies_our_xml_by_the_canonical_form_of_java(bouncy_castle, workshop, name, form):
    shop = workshop(name)
    match form:
        case "document":
            signed = sign_enveloped(XML, shop.owner)
        case "element":
            signed = sign_enveloped(XML, shop.owner, element_id="r1")
        case _:
            signed = sign_message(XML, "r1", "urn:actor", shop.owner)
    assert bouncy_castle("xml", shop.file(signed)) == "yes"
    changed = signed.replace("текст".encode(), "тексты".encode())
    assert bouncy_castle("xml", shop.file(changed)) == "no"


@every
def test_we_verify_its_xml(bouncy_castle, workshop, name):
    shop = workshop(name)
    ours, made = shop.file(sign_enveloped(XML, shop.owner)), shop.folder / "made.xml"
    key = shop.file(private_key_info(shop.owner.key))
    assert bouncy_castle("make-xml", ours, key, made) == "yes"
    signed = made.read_bytes()
    assert "ещё".encode() in signed
    assert [each.is_intact for each in verify_xml(signed)] == [True]
    other = signed.replace("ещё".encode(), "еще".encode())
    assert [each.is_intact for each in verify_xml(other)] == [False]
