from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.codec import asn1
from medsign.codec.asn1 import extension_values as ext
from medsign.codec.asn1 import oids
from medsign.codec.asn1.extensions import KEY_USAGES, REASON_FLAGS
from medsign.errors import MalformedError

ALGORITHM = asn1.AlgorithmIdentifier(oids.GOST_SIGNATURE_256)
moments = st.datetimes(datetime(1950, 1, 1), datetime(9999, 12, 31)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
uris = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
uri_names = st.lists(st.builds(asn1.GeneralName, st.just("uri"), uris), min_size=1, max_size=3)


def certificate_with(spki: bytes, *extensions: asn1.Extension) -> asn1.Certificate:
    name = asn1.make_name([(oids.COMMON_NAME, "Тестовый УЦ")])
    tbs = asn1.encode_certificate_tbs(
        serial_number=1,
        issuer=name,
        subject=name,
        not_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_after=datetime(2055, 1, 1, tzinfo=UTC),
        public_key=spki,
        signature_algorithm=ALGORITHM,
        extensions=extensions,
    )
    return asn1.decode_certificate(asn1.assemble_signed(tbs, ALGORITHM, bytes(64)))


def test_a_qualified_certificate_is_read_in_full(certificate, qualified_extensions):
    read = asn1.decode_certificate(certificate)
    assert read.version == 3
    assert read.serial_number == 0x1234_5678_9ABC
    assert read.issuer.get(oids.COMMON_NAME) == "Тестовый УЦ"
    assert read.subject.get(oids.SNILS) == "99999999999"
    assert read.not_before == datetime(2026, 1, 1, 9, tzinfo=UTC)
    assert read.extensions == tuple(qualified_extensions)
    assert read.key_usage == {"digitalSignature", "nonRepudiation", "keyEncipherment"}
    assert read.extended_key_usage == (oids.CLIENT_AUTH, oids.EMAIL_PROTECTION)
    assert read.ocsp_urls == ("http://ocsp.example.test/",)
    assert read.ca_issuer_urls == ("http://ca.example.test/ca.cer",)
    assert [point.urls for point in read.crl_distribution_points] == [
        ("http://crl.example.test/ca.crl",)
    ]
    assert [policy.oid for policy in read.policies] == [oids.POLICY_KC1, oids.POLICY_KC2]
    assert read.identification_kind == 0
    assert read.subject_sign_tool == "СКЗИ «Пример» 1.0"
    assert read.issuer_sign_tool is not None
    assert read.issuer_sign_tool.ca_tool_certificate == "СФ/000-0002"
    assert read.authority_key_identifier == asn1.AuthorityKeyIdentifier(bytes(range(20)), (), 77)
    assert read.signature == bytes(range(64))
    assert read.tbs_der in certificate


def test_the_key_of_a_certificate_is_a_point(certificate):
    key = asn1.decode_certificate(certificate).public_key
    assert key.gost is not None
    assert key.gost.point == bytes(range(64))
    assert asn1.encode_spki(key.gost) == key.der


def test_certificates_are_equal_by_their_bytes(certificate):
    one, other = asn1.decode_certificate(certificate), asn1.decode_certificate(bytes(certificate))
    assert one == other
    assert len({one, other}) == 1


def test_a_certificate_shows_no_personal_data(certificate):
    shown = repr(asn1.decode_certificate(certificate))
    assert "Тестова" not in shown
    assert "9999" not in shown


def test_the_same_extension_twice_is_malformed(spki):
    with pytest.raises(MalformedError, match="twice"):
        certificate_with(spki, ext.identification_kind(0), ext.identification_kind(1))


@given(st.sets(st.sampled_from(KEY_USAGES), min_size=1))
def test_key_usages_come_back(spki, usages):
    assert certificate_with(spki, ext.key_usage(*usages)).key_usage == usages


@given(st.builds(asn1.BasicConstraints, st.booleans(), st.one_of(st.none(), st.integers(0, 300))))
def test_basic_constraints_come_back(spki, constraints):
    read = certificate_with(spki, ext.basic_constraints(constraints))
    assert read.basic_constraints == constraints


@given(
    st.builds(
        asn1.DistributionPoint,
        names=uri_names.map(tuple),
        reasons=st.one_of(st.none(), st.frozensets(st.sampled_from(REASON_FLAGS), min_size=1)),
        crl_issuer=st.one_of(st.just(()), uri_names.map(tuple)),
    )
)
def test_distribution_points_come_back(spki, point):
    read = certificate_with(spki, ext.crl_distribution_points(point))
    assert read.crl_distribution_points == (point,)


@given(st.one_of(st.none(), moments), st.one_of(st.none(), moments))
def test_a_private_key_usage_period_comes_back(spki, start, end):
    period = asn1.PrivateKeyUsagePeriod(start, end)
    read = certificate_with(spki, ext.private_key_usage_period(period))
    assert read.private_key_usage_period == period


@given(uri_names.map(tuple), st.one_of(st.just(()), uri_names.map(tuple)))
def test_name_constraints_come_back(spki, permitted, excluded):
    constraints = asn1.NameConstraints(permitted, excluded)
    assert certificate_with(spki, ext.name_constraints(constraints)).name_constraints == constraints


@given(st.one_of(st.none(), st.integers(0, 9)), st.one_of(st.none(), st.integers(0, 9)))
def test_policy_constraints_come_back(spki, required, inhibited):
    constraints = asn1.PolicyConstraints(required, inhibited)
    read = certificate_with(spki, ext.policy_constraints(constraints))
    assert read.policy_constraints == constraints


def test_other_names_and_no_check_come_back(spki):
    name = asn1.GeneralName("dns", "ocsp.example.test")
    read = certificate_with(spki, ext.subject_alternative_name(name), ext.ocsp_no_check())
    assert read.subject_alternative_names == (name,)
    assert read.ocsp_no_check


def test_an_unknown_critical_extension_is_kept_as_bytes(spki):
    unknown = asn1.Extension("1.2.643.99.1", critical=True, value=b"\xff")
    assert certificate_with(spki, unknown).extension("1.2.643.99.1") == unknown


def test_a_certificate_without_extensions_has_none(spki):
    read = certificate_with(spki)
    assert read.extensions == ()
    assert read.key_usage is None
    assert read.is_self_issued


def test_a_date_after_2049_comes_back(spki):
    assert certificate_with(spki).not_after == datetime(2055, 1, 1, tzinfo=UTC)


def test_a_request_is_read_with_what_it_asks_for(request_der):
    read = asn1.decode_request(request_der)
    assert read.key_usage == {"digitalSignature"}
    assert read.subject_sign_tool == "СКЗИ «Пример»"
    assert [each.oid for each in read.attributes] == [oids.EXTENSION_REQUEST]
    assert read.info_der in request_der
