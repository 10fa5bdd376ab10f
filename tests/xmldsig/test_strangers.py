"""Forms of signatures that we do not make but others do."""

from __future__ import annotations

from base64 import b64encode

import pytest

from medsign.codec.xml import Node, canonical, parse
from medsign.xmldsig import XmlProblem, sign_message, verify

from .conftest import resigned

EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
LINK = "urn:ru:fss:integration:types:mchd:v01"
MESSAGE = """<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:u="urn:u"
 xml:lang="ru"><s:Body><row Id="r1"><!--черновик--><u:day/>один</row></s:Body></s:Envelope>"""


@pytest.fixture(scope="module")
def message(doctor) -> bytes:
    return sign_message(MESSAGE.encode(), "r1", "urn:actor", doctor)


def row(root: Node) -> Node:
    return next(root.iter("row"))


def only(message: bytes):
    (facts,) = verify(message)
    return facts


@pytest.mark.parametrize(
    ("name", "exclusive"),
    [(f"{EXC}WithComments", True), (INCLUSIVE, False), (f"{INCLUSIVE}#WithComments", False)],
)
def test_each_canonical_form_is_read_and_comments_are_never_selected(
    message, doctor, name, exclusive
):
    def change(root: Node) -> bytes:
        next(root.iter("{*}Transform")).set("Algorithm", name)
        return canonical(row(root), exclusive=exclusive)

    facts = only(resigned(message, doctor, change))
    assert facts.is_intact
    assert b"<!--" not in facts.signed[0]
    assert (b"xml:lang" in facts.signed[0]) is not exclusive


def test_without_transforms_the_form_is_inclusive(message, doctor):
    def change(root: Node) -> bytes:
        listed = next(root.iter("{*}Transforms"))
        listed.getparent().remove(listed)
        return canonical(row(root), exclusive=False)

    assert only(resigned(message, doctor, change)).is_intact


def test_listed_prefixes_stay_in_the_exclusive_form(message, doctor):
    def change(root: Node) -> bytes:
        transform = next(root.iter("{*}Transform"))
        listed = transform.makeelement(f"{{{EXC}}}InclusiveNamespaces", PrefixList="s")
        transform.append(listed)
        return canonical(row(root), prefixes=["s"])

    facts = only(resigned(message, doctor, change))
    assert facts.is_intact
    assert b"xmlns:s=" in facts.signed[0]


def test_the_signed_info_may_be_canonicalised_inclusively(message, doctor):
    def change(root: Node) -> bytes:
        next(root.iter("{*}CanonicalizationMethod")).set("Algorithm", INCLUSIVE)
        return canonical(row(root))

    signed = resigned(message, doctor, change, lambda info: canonical(info, exclusive=False))
    assert only(signed).is_intact


def test_two_canonicalisations_in_a_row_are_refused(message, doctor):
    def change(root: Node) -> bytes:
        transform = next(root.iter("{*}Transform"))
        transform.addnext(transform.makeelement(transform.tag, Algorithm=INCLUSIVE))
        return canonical(row(root))

    facts = only(resigned(message, doctor, change))
    assert facts.problem is None
    assert facts.references[0].problem is XmlProblem.TRANSFORM_UNSUPPORTED


def test_a_signed_link_to_a_power_of_attorney_is_called_signed(message, doctor):
    def change(root: Node) -> bytes:
        signature = next(root.iter("{*}Signature"))
        holder = signature.makeelement("{http://www.w3.org/2000/09/xmldsig#}Object", Id="link")
        link = holder.makeelement(f"{{{LINK}}}powerOfAttorneyLink")
        number = link.makeelement(f"{{{LINK}}}uuid")
        number.text = "0dae3f95-5f28-4b9c-8e4e-9d4f6b7f0a01"
        link.append(number)
        holder.append(link)
        signature.append(holder)
        next(root.iter("{*}Reference")).set("URI", "#link")
        return canonical(holder)

    assert only(resigned(message, doctor, change)).power_of_attorney.is_signed


def test_a_certificate_that_is_none_is_a_fact(message):
    token = parse(message).findtext(".//{*}BinarySecurityToken").encode()
    facts = only(message.replace(token, b64encode(b"not a certificate")))
    assert (facts.certificate, facts.problem) == (None, XmlProblem.CERTIFICATE_UNREADABLE)
