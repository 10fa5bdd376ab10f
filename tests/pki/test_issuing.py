"""Issuing: what is written is what was asked for."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.codec.asn1 import (
    Attribute,
    BasicConstraints,
    RevokedEntry,
    decode_request,
    oids,
)
from medsign.codec.asn1 import extension_values as ext
from medsign.codec.asn1.names import NameAttribute
from medsign.errors import UsageError
from medsign.pki.issuing import (
    QUALIFIED,
    ROOT_CA,
    check_request,
    issue_certificate,
    issue_crl,
    issue_root,
    key_identifier,
    make_request,
    random_serial,
    subject_name,
)
from medsign.pki.keys import public_key
from medsign.signers import SoftwareKey

DAY = timedelta(days=1)


@given(octets=st.binary(min_size=16, max_size=16))
def test_a_serial_number_is_positive_and_of_16_octets(octets):
    serial = random_serial(lambda size: octets[:size])
    assert serial > 0
    assert serial.bit_length() == 127


def test_serial_numbers_differ():
    assert len({random_serial() for _ in range(100)}) == 100


def test_a_serial_number_keeps_126_random_bits():
    assert random_serial(lambda size: b"\xff" * size) == 2**127 - 1
    assert random_serial(bytes) == 2**126


def test_a_certificate_holds_what_the_template_says(authority, now):
    template = attrs.evolve(
        QUALIFIED,
        ocsp_urls=("http://ocsp.test.invalid",),
        issuer_urls=("http://ca.test.invalid/ca.cer",),
        crl_urls=("http://ca.test.invalid/ca.crl",),
    )
    key = SoftwareKey.generate()
    subject = subject_name(surname="Тестов", given_names="Пётр")
    certificate = issue_certificate(
        template,
        subject=subject,
        key=key.public_key,
        issuer=authority.ca,
        not_before=now,
        serial_number=42,
    )
    assert (certificate.serial_number, certificate.subject) == (42, subject)
    assert certificate.issuer == authority.ca.certificate.subject
    assert (certificate.not_before, certificate.not_after) == (now, now + template.lifetime)
    assert public_key(certificate.public_key) == key.public_key
    assert certificate.key_usage == set(template.key_usage)
    assert certificate.extended_key_usage == template.purposes
    assert certificate.subject_key_identifier == key_identifier(key.public_key)
    hint = certificate.authority_key_identifier
    assert hint.key_identifier == authority.ca.certificate.subject_key_identifier
    assert tuple(policy.oid for policy in certificate.policies) == template.policies
    assert certificate.private_key_usage_period.not_after == now + template.key_period
    assert certificate.subject_sign_tool == template.subject_sign_tool
    assert certificate.issuer_sign_tool == template.issuer_sign_tool
    assert certificate.identification_kind == 0
    assert certificate.ocsp_urls == template.ocsp_urls
    assert certificate.ca_issuer_urls == template.issuer_urls
    assert certificate.crl_distribution_points[0].urls == template.crl_urls


def test_a_root_is_its_own_issuer(now):
    key = SoftwareKey.generate("1.2.643.7.1.2.1.2.1")
    root = issue_root(
        ROOT_CA, subject=subject_name(organization="Корень"), signer=key, not_before=now
    )
    assert root.is_self_issued
    assert root.basic_constraints == BasicConstraints(ca=True)
    assert root.signature_algorithm.oid == oids.GOST_SIGNATURE_512
    assert root.signature_algorithm.parameters is None


def test_a_moment_without_a_time_zone_is_refused(authority, now):
    with pytest.raises(UsageError):
        issue_certificate(
            QUALIFIED,
            subject=subject_name(surname="Тестов"),
            key=authority.person.public_key,
            issuer=authority.ca,
            not_before=now.replace(tzinfo=None),
        )


def test_a_request_proves_that_its_maker_has_the_key():
    key = SoftwareKey.generate()
    wanted = ext.key_usage("digitalSignature")
    note = Attribute("1.2.840.113549.1.9.7", (b"\x0c\x01x",))
    request = make_request(
        subject_name(surname="Тестов"), key, extensions=[wanted], attributes=[note]
    )
    assert check_request(request)
    assert request.extensions == (wanted,)
    assert note in request.attributes
    assert public_key(request.public_key) == key.public_key


def test_a_request_with_the_key_of_somebody_else_is_found_out(authority):
    request = make_request(subject_name(surname="Тестов"), authority.person)
    stolen = attrs.evolve(request, public_key=authority.tsa.certificate.public_key)
    assert not check_request(stolen)


def test_a_changed_request_is_found_out():
    request = make_request(subject_name(surname="Тестов"), SoftwareKey.generate())
    changed = decode_request(request.der.replace("Тестов".encode(), "Честов".encode()))
    assert not check_request(changed)


def test_a_list_holds_what_was_revoked(authority, now):
    entry = RevokedEntry(serial_number=7, revocation_date=now - DAY, reason="superseded")
    crl = issue_crl(authority.ca, number=3, this_update=now, next_update=now + DAY, entries=[entry])
    found = crl.find(7)
    assert (found.revocation_date, found.reason) == (now - DAY, "superseded")
    assert (crl.crl_number, crl.this_update, crl.next_update) == (3, now, now + DAY)
    hint = crl.authority_key_identifier
    assert hint.key_identifier == authority.ca.certificate.subject_key_identifier


def test_numbers_in_a_name_are_numeric_strings():
    name = subject_name(surname="Тестов", inn="999900000097", snils="99900000115")
    tags = {each.oid: each.tag for each in name.attributes}
    assert tags[oids.INN] == tags[oids.SNILS] == NameAttribute.of(oids.INN, "1").tag == 18


def test_a_name_without_a_common_name_gets_one():
    assert subject_name(surname="Тестов", given_names="Пётр").get(oids.COMMON_NAME) == "Тестов Пётр"
    assert subject_name(organization="ООО «Тест»").get(oids.COMMON_NAME) == "ООО «Тест»"


def test_an_unknown_attribute_of_a_name_is_refused_without_its_value():
    with pytest.raises(UsageError) as caught:
        subject_name(passport="4000 000001")
    assert "passport" in str(caught.value)
    assert "4000" not in str(caught.value)
