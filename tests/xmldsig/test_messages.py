"""WS-Security messages: several signers, the МЧД link, and what an attacker may try."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.codec.xml import canonical, parse
from medsign.errors import BudgetExceeded, MalformedError, UsageError
from medsign.identifiers import PowerOfAttorneyNumber
from medsign.xmldsig import (
    PowerOfAttorneyLink,
    XmlProblem,
    commission_actor,
    doctor_actor,
    organisation_actor,
    sign_message,
    verify,
)

from .conftest import CRYPTOPRO_A, TC26_512_A, enrol

LIST, OGRN = "999000000001", "1999900000000"
ROW, PERIOD, CHECKED = f"ELN_{LIST}", f"ELN_{LIST}_3_doc", f"ELN_{LIST}_3_vk"
CLINIC, DOCTOR = organisation_actor(OGRN, LIST), doctor_actor(LIST, 3)
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
MESSAGE = f"""<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:wsu="{WSU}"
 xmlns:unused="urn:unused">
 <soapenv:Body>
  <row wsu:Id="{ROW}" xmlns="http://www.fss.ru/integration/types/eln/mo/v01">
   <lnCode>{LIST}</lnCode>
   <full wsu:Id="{CHECKED}">
    <period wsu:Id="{PERIOD}"><from day="1">2026-02-01</from></period></full>
  </row>
 </soapenv:Body>
</soapenv:Envelope>""".encode()
NUMBER = PowerOfAttorneyNumber("0dae3f95-5F28-4b9c-8e4e-9d4f6b7f0a01")


@pytest.fixture(scope="module")
def signed(doctor) -> bytes:
    return sign_message(MESSAGE, PERIOD, DOCTOR, doctor, power_of_attorney=NUMBER)


def only(message: bytes):
    (facts,) = verify(message)
    return facts


def changed(message: bytes, old: str, new: str) -> bytes:
    assert old.encode() in message
    return message.replace(old.encode(), new.encode(), 1)


@pytest.mark.parametrize("curve", [CRYPTOPRO_A, TC26_512_A])
def test_what_was_signed_verifies(curve):
    signer = enrol(curve)
    facts = only(sign_message(MESSAGE, ROW, CLINIC, signer))
    assert facts.is_intact
    assert facts.actor == CLINIC
    assert facts.certificate == signer.certificate
    assert facts.algorithm.endswith("-512" if curve == TC26_512_A else "-256")


def test_the_signed_element_is_handed_out(signed):
    facts = only(signed)
    (octets,) = facts.signed
    assert parse(octets).findtext("{*}from") == "2026-02-01"
    assert facts.references[0].path.endswith("period")


@pytest.mark.req("F012", "F284")
def test_organisation_doctor_and_commission_sign_one_message(doctor, clinic):
    message = sign_message(MESSAGE, PERIOD, DOCTOR, doctor)
    message = sign_message(message, CHECKED, commission_actor(LIST, 3), enrol())
    message = sign_message(message, ROW, CLINIC, clinic)
    facts = verify(message)
    assert [each.is_intact for each in facts] == [True] * 3
    assert [each.actor for each in facts] == [DOCTOR, commission_actor(LIST, 3), CLINIC]


def test_one_actor_signs_once(signed, doctor):
    with pytest.raises(UsageError):
        sign_message(signed, PERIOD, DOCTOR, doctor)


def test_a_missing_header_is_made_before_the_body(signed):
    header, body = (str(child.tag) for child in parse(signed))
    assert (header.rpartition("}")[2], body.rpartition("}")[2]) == ("Header", "Body")


def test_the_certificate_is_named_by_the_actor(signed):
    token = parse(signed).find(".//{*}BinarySecurityToken")
    reference = parse(signed).find(".//{*}SecurityTokenReference/{*}Reference")
    assert token.get(f"{{{WSU}}}Id") == DOCTOR
    assert reference.get("URI") == f"#{DOCTOR}"


def test_one_transform_is_used(signed):
    (transform,) = parse(signed).iter("{*}Transform")
    assert transform.get("Algorithm") == "http://www.w3.org/2001/10/xml-exc-c14n#"


def test_the_power_of_attorney_is_linked_but_not_signed(signed):
    assert only(signed).power_of_attorney == PowerOfAttorneyLink(NUMBER, is_signed=False)
    signature = parse(signed).find(".//{*}Signature")
    assert str(signature[-1].tag).endswith("}object")
    link = signature[-1].find("{urn:ru:fss:integration:types:signature:v01}authority/")
    assert link.tag == "{urn:ru:fss:integration:types:mchd:v01}powerOfAttorneyLink"


def test_another_power_of_attorney_does_not_break_the_signature(signed):
    other = changed(signed, NUMBER.value, NUMBER.value.upper())
    assert only(other).is_intact
    assert only(other).power_of_attorney.number.value == NUMBER.value.upper()


@given(st.data())
def test_any_changed_character_of_the_signed_element_is_noticed(signed, data):
    start, end = signed.index(b"<period"), signed.index(b"</period>")
    place = data.draw(st.integers(start, end - 1))
    byte = data.draw(st.integers(0x61, 0x7A).filter(lambda byte: byte != signed[place]))
    try:
        facts = only(signed[:place] + bytes([byte]) + signed[place + 1 :])
    except MalformedError:
        return
    assert not facts.is_intact
    assert facts.signed == ()


@pytest.mark.parametrize("element", ["DigestValue", "SignatureValue"])
@given(st.integers(0, 60))
def test_any_changed_character_of_the_values_is_noticed(signed, element, place):
    match = re.search(rf"<ds:{element}>([^<]+)<".encode(), signed)
    text = bytearray(match[1])
    place %= len(text) - 3  # the last characters of base64 carry padding
    text[place] = ord("A") if text[place] != ord("A") else ord("B")
    facts = only(signed.replace(match[1], bytes(text)))
    assert facts.problem is XmlProblem.SIGNATURE_INVALID
    assert facts.signed == ()


def test_a_change_elsewhere_in_the_message_is_not_of_this_signature(signed):
    assert only(changed(signed, f"<lnCode>{LIST}", "<lnCode>9")).is_intact


def test_a_certificate_of_another_key_does_not_verify(signed):
    token = parse(signed).findtext(".//{*}BinarySecurityToken")
    other = parse(sign_message(MESSAGE, PERIOD, DOCTOR, enrol())).findtext(
        ".//{*}BinarySecurityToken"
    )
    assert only(changed(signed, token, other)).problem is XmlProblem.SIGNATURE_INVALID


def test_wrapping_by_a_second_element_with_the_identifier_is_refused(signed):
    forged = f'<x Id="{PERIOD}"><from>2026-03-01</from></x>'
    with pytest.raises(MalformedError, match="several elements"):
        verify(changed(signed, "<soapenv:Body>", f"<soapenv:Body>{forged}"))


def test_wrapping_by_moving_the_element_shows_where_it_stands_now(signed):
    period = re.search(rb"<period.*</period>", signed)[0]
    forged = period.replace(b"2026-02-01", b"2026-03-01").replace(
        f'wsu:Id="{PERIOD}"'.encode(), b""
    )
    moved = signed.replace(period, forged).replace(
        b"<soapenv:Header>",
        b'<soapenv:Header><hide xmlns="http://www.fss.ru/integration/types/eln/mo/v01">'
        + period
        + b"</hide>",
    )
    facts = only(moved)
    assert "Header" in facts.references[0].path
    assert b"2026-03-01" not in b"".join(facts.signed)


def test_a_token_with_a_doubled_identifier_is_refused(signed):
    with pytest.raises(MalformedError, match="several elements"):
        verify(changed(signed, "<soapenv:Body>", f'<soapenv:Body wsu:Id="{DOCTOR}">'))


def test_a_reference_to_nothing_is_refused(signed):
    with pytest.raises(MalformedError, match="no element"):
        verify(changed(signed, f'wsu:Id="{PERIOD}"', ""))


@pytest.mark.parametrize(
    "transform",
    [
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
        "http://www.w3.org/TR/1999/REC-xpath-19991116",
        "urn://smev-gov-ru/xmldsig/transform",
        "",
    ],
)
def test_a_transform_off_the_list_is_not_run(signed, transform):
    c14n = '<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>'
    facts = only(changed(signed, c14n, f'<ds:Transform Algorithm="{transform}"/>'))
    assert facts.references[0].problem is XmlProblem.TRANSFORM_UNSUPPORTED
    assert not facts.is_intact


def test_an_external_reference_is_not_fetched(signed):
    facts = only(changed(signed, f'URI="#{PERIOD}"', 'URI="http://127.0.0.1:1/a.xml"'))
    assert facts.references[0].problem is XmlProblem.EXTERNAL_REFERENCE
    assert not facts.is_intact


@pytest.mark.parametrize(
    "legacy",
    [
        "http://www.w3.org/2001/04/xmldsig-more#gostr34102001-gostr3411",
        "urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34102001-gostr3411",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    ],
)
def test_an_algorithm_that_may_not_be_used_is_not_checked(signed, legacy):
    ours = "urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34102012-gostr34112012-256"
    facts = only(changed(signed, ours, legacy))
    assert facts.problem is XmlProblem.ALGORITHM_UNSUPPORTED
    assert facts.algorithm == legacy


def test_two_references_to_one_element_are_refused(signed):
    reference = re.search(rb"<ds:Reference .*?</ds:Reference>", signed, re.DOTALL)[0]
    with pytest.raises(MalformedError, match="two to one"):
        verify(signed.replace(reference, reference * 2))


def test_a_signature_without_references_is_refused(signed):
    reference = re.search(rb"<ds:Reference .*?</ds:Reference>", signed, re.DOTALL)[0]
    with pytest.raises(MalformedError, match="no reference"):
        verify(signed.replace(reference, b""))


def test_a_message_without_signatures_is_refused_and_not_called_good():
    with pytest.raises(MalformedError, match="no signature"):
        verify(MESSAGE)


def test_too_many_signatures_are_not_looked_at():
    many = b'<a xmlns:ds="http://www.w3.org/2000/09/xmldsig#">' + b"<ds:Signature/>" * 65 + b"</a>"
    with pytest.raises(BudgetExceeded):
        verify(many)


def test_references_to_much_of_the_document_are_not_all_computed():
    algorithms = "http://www.w3.org/2000/09/xmldsig#enveloped-signature", EXC
    transforms = "".join(f'<Transform Algorithm="{each}"/>' for each in algorithms)
    reference = (
        '<Reference URI="#i{}"><Transforms>' + transforms + "</Transforms><DigestMethod Algorithm="
        '"urn:ietf:params:xml:ns:cpxmlsec:algorithms:gostr34112012-256"/><DigestValue/></Reference>'
    )
    info = "<SignedInfo><SignatureMethod/>" + "".join(map(reference.format, range(16)))
    nested = "".join(f'<e Id="i{each}">' for each in range(16))
    signature = (
        f'<Signature xmlns="http://www.w3.org/2000/09/xmldsig#">{info}</SignedInfo></Signature>'
    )
    with pytest.raises(BudgetExceeded, match="octets"):
        verify((nested + "x" * 400_000 + 8 * signature + "</e>" * 16).encode())


def test_a_large_document_is_not_looked_at():
    with pytest.raises(BudgetExceeded, match="size"):
        verify(b"<a>" + b"x" * (4 * 1024 * 1024) + b"</a>")


def test_a_doctype_is_refused(signed):
    with pytest.raises(MalformedError):
        verify(signed.replace(b"?>", b"?><!DOCTYPE a>", 1))


def test_a_missing_certificate_is_a_fact(signed):
    key_info = re.search(rb"<ds:KeyInfo>.*</ds:KeyInfo>", signed, re.DOTALL)[0]
    facts = only(signed.replace(key_info, b""))
    assert (facts.certificate, facts.problem) == (None, XmlProblem.CERTIFICATE_ABSENT)
    assert facts.signed == ()


def test_only_soap_messages_are_signed_this_way(doctor):
    with pytest.raises(MalformedError):
        sign_message(b'<a Id="x"/>', "x", DOCTOR, doctor)


def test_the_element_to_sign_must_be_there(doctor):
    with pytest.raises(MalformedError, match="no element"):
        sign_message(MESSAGE, "ELN_1", DOCTOR, doctor)


def test_facts_show_no_signed_data(signed):
    assert "2026-02-01" not in repr(only(signed))


@pytest.mark.parametrize("wrong", ["", "1a", "٣"])
def test_a_sick_list_has_a_number_of_digits(wrong):
    with pytest.raises(UsageError):
        doctor_actor(wrong, 1)


def test_the_canonical_form_is_that_of_the_message(signed):
    period = parse(MESSAGE).find(".//{*}period")
    assert only(signed).signed == (canonical(period),)
