"""Signatures inside the document that they sign."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from base64 import b64decode, b64encode

import pytest

from medsign.codec.xml import parse, serialize
from medsign.errors import BudgetExceeded, MalformedError
from medsign.xmldsig import XmlProblem, sign_enveloped, verify
from medsign.xmldsig.names import DS, ENVELOPED, EXC_C14N

from .conftest import CRYPTOPRO_A, TC26_512_A, enrol

DOCUMENT = '<приказ n="1"> <!--черновик--><part Id="p1">один</part>\n<part Id="p2"/> конец</приказ>'


def only(document: bytes):
    (facts,) = verify(document)
    return facts


@pytest.mark.parametrize("curve", [CRYPTOPRO_A, TC26_512_A])
@pytest.mark.parametrize("element_id", [None, "p1"])
def test_what_was_signed_verifies(curve, element_id):
    facts = only(sign_enveloped(DOCUMENT.encode(), enrol(curve), element_id=element_id))
    assert facts.is_intact
    assert facts.references[0].element == ("part" if element_id else "приказ")


def test_the_signature_itself_is_not_in_the_signed_octets(doctor):
    (octets,) = only(sign_enveloped(DOCUMENT.encode(), doctor)).signed
    assert octets.decode() == DOCUMENT.replace("<!--черновик-->", "").replace(
        '<part Id="p2"/>', '<part Id="p2"></part>'
    )


@pytest.mark.parametrize(("old", "new"), [('n="1"', 'n="2"'), ("один", "два"), ("конец", "Конец")])
def test_a_change_anywhere_is_noticed(doctor, old, new):
    signed = sign_enveloped(DOCUMENT.encode(), doctor).decode()
    facts = only(signed.replace(old, new).encode())
    assert facts.references[0].problem is XmlProblem.DIGEST_MISMATCH
    assert facts.signed == ()


def accompanied(signed: bytes, *others: bytes, apart: bool = False) -> bytes:
    """Put other certificates before the signer's own, in an X509Data of their own perhaps."""
    root = parse(signed)
    data = next(root.iter(f"{{{DS}}}X509Data"))
    if apart:
        data.addprevious(data.makeelement(f"{{{DS}}}X509Data"))
        data = data.getprevious()
    for number, der in enumerate(others):
        other = data.makeelement(f"{{{DS}}}X509Certificate")
        other.text = b64encode(der).decode()
        data.insert(number, other)
    return serialize(root, indent=False)


@pytest.mark.parametrize("apart", [False, True])
def test_the_certificate_of_the_signer_may_come_after_those_of_authorities(doctor, apart):
    signed = sign_enveloped(DOCUMENT.encode(), doctor)
    others = enrol().certificate.der, enrol(TC26_512_A).certificate.der, b"unreadable"
    facts = only(accompanied(signed, *others, apart=apart))
    assert facts.is_intact
    assert facts.certificate == doctor.certificate


def test_a_value_that_no_listed_key_made_is_a_bad_signature(doctor):
    authority = enrol()
    signed = sign_enveloped(DOCUMENT.encode(), doctor).decode()
    own = b64encode(doctor.certificate.der).decode()
    assert own in signed
    swapped = signed.replace(own, b64encode(enrol().certificate.der).decode()).encode()
    facts = only(accompanied(swapped, authority.certificate.der))
    assert facts.problem is XmlProblem.SIGNATURE_INVALID
    assert facts.certificate == authority.certificate


def test_a_crowd_of_certificates_is_not_tried(doctor):
    signed = sign_enveloped(DOCUMENT.encode(), doctor)
    with pytest.raises(BudgetExceeded, match="certificates"):
        only(accompanied(signed, *[doctor.certificate.der] * 16))


def test_text_put_after_the_signature_is_noticed(doctor):
    signed = sign_enveloped(DOCUMENT.encode(), doctor)
    assert not only(signed.replace(b"</ds:Signature>", b"</ds:Signature>!")).is_intact


def test_two_parts_are_signed_by_two_people(doctor, clinic):
    signed = sign_enveloped(DOCUMENT.encode(), doctor, element_id="p1")
    signed = sign_enveloped(signed, clinic, element_id="p2")
    assert [each.is_intact for each in verify(signed)] == [True, True]


def test_a_document_in_windows_1251_is_signed(doctor):
    declared = '<?xml version="1.0" encoding="windows-1251"?>' + DOCUMENT
    assert only(sign_enveloped(declared.encode("cp1251"), doctor)).is_intact


STYLED = b'<?xml version="1.0"?>\n<?xml-stylesheet href="a.xsl"?>\n<order Id="o"><drug/></order>'


def test_a_document_with_a_style_sheet_is_signed_with_it(doctor):
    signed = sign_enveloped(STYLED, doctor)
    assert b'<?xml-stylesheet href="a.xsl"?>' in signed
    assert only(signed).signed == (
        b'<?xml-stylesheet href="a.xsl"?>\n<order Id="o"><drug></drug></order>',
    )


def test_an_instruction_put_beside_the_signed_root_is_noticed(doctor):
    signed = sign_enveloped(b"<order><drug/></order>", doctor)
    facts = only(signed.replace(b"<order>", b'<?xml-stylesheet href="evil.xsl"?><order>', 1))
    assert facts.references[0].problem is XmlProblem.DIGEST_MISMATCH


def test_a_root_that_is_signed_by_its_identifier_is_signed_alone(doctor):
    facts = only(sign_enveloped(STYLED, doctor, element_id="o"))
    assert facts.signed == (b'<order Id="o"><drug></drug></order>',)


@pytest.mark.parametrize("element_id", [None, "o"])
def test_xmlsec_digests_the_same_octets_of_a_document_with_a_style_sheet(
    doctor, element_id, tmp_path
):
    if (xmlsec := shutil.which("xmlsec1")) is None:
        pytest.skip("the program xmlsec1 is not installed")
    (octets,) = only(sign_enveloped(STYLED, doctor, element_id=element_id)).signed
    document, key = tmp_path / "order.xml", tmp_path / "key"
    document.write_bytes(
        f"""<?xml version="1.0"?><?xml-stylesheet href="a.xsl"?><order Id="o"><drug/>
        <Signature xmlns="{DS}"><SignedInfo><CanonicalizationMethod Algorithm="{EXC_C14N}"/>
        <SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"/>
        <Reference URI="{f"#{element_id}" if element_id else ""}">
        <Transforms><Transform Algorithm="{ENVELOPED}"/><Transform Algorithm="{EXC_C14N}"/>
        </Transforms><DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>
        <DigestValue/></Reference></SignedInfo><SignatureValue/></Signature></order>
        """.replace("<drug/>\n        ", "<drug/>").encode()
    )
    key.write_bytes(b"key of a test")
    # It has no GOST, so it signs otherwise; the octets under the digest are the same.
    command = [xmlsec, "--sign", "--hmackey", key, "--id-attr:Id", "order", document]
    signed = parse(subprocess.run(command, check=True, capture_output=True).stdout)
    value = signed.findtext(f".//{{{DS}}}DigestValue")
    assert b64decode(value) == hashlib.sha256(octets).digest()


def test_a_signature_outside_of_what_it_removes_itself_from_is_refused(doctor):
    signed = sign_enveloped(DOCUMENT.encode(), doctor, element_id="p1")
    signature = re.search(rb"<ds:Signature.*</ds:Signature>", signed, re.DOTALL)[0]
    moved = signed.replace(signature, b"").replace(" конец".encode(), signature)
    with pytest.raises(MalformedError, match="not in what it signs"):
        verify(moved)


def test_other_algorithms_of_canonical_form_are_read(doctor):
    signed = sign_enveloped(DOCUMENT.encode(), doctor)
    exclusive = b'<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>'
    inclusive = exclusive.replace(
        b"http://www.w3.org/2001/10/xml-exc-c14n#",
        b"http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    )
    facts = only(signed.replace(exclusive, inclusive))
    # Without namespaces both forms are equal; the value covered the other name.
    assert facts.references[0].digest_matches
    assert facts.problem is XmlProblem.SIGNATURE_INVALID
