"""Revocation lists, OCSP and time stamps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.codec import asn1
from medsign.codec.asn1 import der, oids
from medsign.codec.asn1 import extension_values as ext
from medsign.codec.asn1.crl import REASONS
from medsign.codec.asn1.ocsp import RESPONSE_STATUSES
from medsign.codec.asn1.tsp import FAILURES, STATUSES

ALGORITHM = asn1.AlgorithmIdentifier(oids.GOST_SIGNATURE_512)
ISSUER = asn1.make_name([(oids.COMMON_NAME, "Тестовый УЦ")])
OTHER = asn1.make_name([(oids.COMMON_NAME, "Другой УЦ")])
START = datetime(2026, 1, 1, tzinfo=UTC)
moments = st.datetimes(datetime(1950, 1, 1), datetime(9999, 12, 31)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
maybe_moments = st.one_of(st.none(), moments)
reasons = st.one_of(st.none(), st.sampled_from(sorted(REASONS.values())))
serials = st.integers(1, 2**159)
entries = st.builds(
    asn1.RevokedEntry,
    serial_number=serials,
    revocation_date=moments,
    reason=reasons,
    invalidity_date=maybe_moments,
)
cert_ids = st.builds(
    asn1.CertId,
    hash_oid=st.sampled_from([oids.SHA1, oids.STREEBOG_256]),
    issuer_name_hash=st.binary(max_size=32),
    issuer_key_hash=st.binary(max_size=32),
    serial_number=serials,
)
singles = st.one_of(
    st.builds(
        asn1.SingleResponse,
        cert_id=cert_ids,
        status=st.sampled_from(["good", "unknown"]),
        this_update=moments,
        next_update=maybe_moments,
        archive_cutoff=maybe_moments,
    ),
    st.builds(
        asn1.SingleResponse,
        cert_id=cert_ids,
        status=st.just("revoked"),
        this_update=moments,
        revoked_at=moments,
        reason=reasons,
    ),
)


def crl_of(entries_, *extensions):
    tbs = asn1.encode_crl_tbs(
        issuer=ISSUER,
        this_update=START,
        next_update=None,
        entries=entries_,
        signature_algorithm=ALGORITHM,
        extensions=extensions,
    )
    return asn1.decode_crl(asn1.assemble_signed(tbs, ALGORITHM, bytes(128)))


def without_bytes(entry):
    return attrs.evolve(entry, extensions=())


@given(st.lists(entries, max_size=5))
def test_the_entries_of_a_list_come_back(listed):
    assert [without_bytes(each) for each in crl_of(listed).entries] == listed


def test_a_list_is_read_with_its_extensions(crl):
    read = asn1.decode_crl(crl)
    assert (read.version, read.crl_number, read.is_delta) == (2, 9, False)
    assert read.next_update == datetime(2027, 3, 27, 9, tzinfo=UTC)
    point = read.issuing_distribution_point
    assert point is not None
    assert point.only_user_certificates
    assert not point.indirect
    assert point.only_reasons == {"keyCompromise"}


def test_a_delta_list_names_its_base():
    read = crl_of([], ext.crl_number(8), ext.delta_crl_indicator(7))
    assert (read.base_crl_number, read.is_delta) == (7, True)


def test_a_revoked_certificate_is_found_by_its_number():
    read = crl_of([asn1.RevokedEntry(serial_number=5, revocation_date=START)])
    assert read.find(5) is read.entries[0]
    assert read.find(6) is None
    assert read.find(5, OTHER) is None


def test_an_issuer_in_an_indirect_list_holds_for_the_lines_below():
    lines = [
        asn1.RevokedEntry(serial_number=1, revocation_date=START),
        asn1.RevokedEntry(serial_number=2, revocation_date=START, certificate_issuer=OTHER),
        asn1.RevokedEntry(serial_number=3, revocation_date=START),
    ]
    read = crl_of(lines)
    assert read.find(1) is not None
    assert read.find(3) is None
    assert read.find(3, OTHER) is read.entries[2]


@given(st.lists(cert_ids, min_size=1, max_size=3), st.one_of(st.none(), st.binary(max_size=32)))
def test_an_ocsp_request_comes_back(items, nonce):
    read = asn1.decode_ocsp_request(asn1.encode_ocsp_request(items, nonce))
    assert (read.items, read.nonce) == (tuple(items), nonce)


@given(
    st.one_of(st.just(ISSUER), st.binary(min_size=20, max_size=20)),
    moments,
    st.lists(singles, max_size=3),
    st.one_of(st.none(), st.binary(max_size=32)),
)
def test_an_ocsp_answer_comes_back(responder, produced_at, listed, nonce):
    data = asn1.encode_ocsp_response_data(
        responder=responder, produced_at=produced_at, single_responses=listed, nonce=nonce
    )
    read = asn1.decode_ocsp_response(asn1.assemble_ocsp_response(data, ALGORITHM, bytes(128)))
    assert read.status == "successful"
    assert read.basic is not None
    assert read.basic.tbs_der == data
    assert (read.basic.responder, read.basic.produced_at) == (responder, produced_at)
    assert [without_bytes(each) for each in read.basic.single_responses] == listed
    assert read.basic.nonce == nonce


def test_certificates_come_along_with_an_answer(ocsp_response, certificate):
    basic = asn1.decode_ocsp_response(ocsp_response).basic
    assert basic is not None
    assert [each.der for each in basic.certificates] == [certificate]


@pytest.mark.parametrize("status", sorted(set(RESPONSE_STATUSES.values()) - {"successful"}))
def test_a_refusal_comes_back_even_that_of_cryptopro(status):
    assert asn1.decode_ocsp_response(asn1.encode_ocsp_error(status)).status == status


def test_a_refusal_never_seen_before_is_kept_as_its_number():
    assert asn1.decode_ocsp_response(der.sequence(der.enumerated(99))).status == "99"


@given(
    st.binary(min_size=32, max_size=32),
    st.one_of(st.none(), st.just("1.2.643.2.2.38.4")),
    st.one_of(st.none(), st.integers(0, 2**128)),
    st.booleans(),
)
def test_a_time_stamp_request_comes_back(digest, policy, nonce, cert_req):
    imprint = asn1.MessageImprint(asn1.AlgorithmIdentifier(oids.STREEBOG_256), digest)
    read = asn1.decode_timestamp_request(
        asn1.encode_timestamp_request(imprint, policy=policy, nonce=nonce, cert_req=cert_req)
    )
    assert (read.imprint, read.policy, read.nonce, read.cert_req) == (
        imprint,
        policy,
        nonce,
        cert_req,
    )


@given(
    st.datetimes(datetime(1950, 1, 1)),  # noqa: DTZ001
    st.one_of(st.none(), st.timedeltas(timedelta(0), timedelta(days=10))),
    st.booleans(),
)
def test_a_time_stamp_comes_back_to_the_microsecond(gen_time, accuracy, ordering):
    gen_time = gen_time.replace(tzinfo=UTC)
    imprint = asn1.MessageImprint(asn1.AlgorithmIdentifier(oids.STREEBOG_512), bytes(64))
    read = asn1.decode_tst_info(
        asn1.encode_tst_info(
            policy="1.2.643.2.2.38.4",
            imprint=imprint,
            serial_number=1,
            gen_time=gen_time,
            accuracy=accuracy,
            ordering=ordering,
        )
    )
    assert (read.gen_time, read.accuracy, read.ordering) == (gen_time, accuracy, ordering)


@given(
    st.sampled_from(STATUSES),
    st.one_of(st.none(), st.just("Указанный хеш-алгоритм не поддерживается")),
    st.one_of(st.none(), st.sampled_from(sorted(FAILURES.values()))),
)
def test_a_refusal_of_a_time_stamp_comes_back(status, text, failure):
    read = asn1.decode_timestamp_response(
        asn1.encode_timestamp_response(status=status, text=text, failure=failure)
    )
    assert read.status == status
    assert read.status_text == ((text,) if text else ())
    assert read.failure == ({failure} if failure else frozenset())
    assert read.token is None


def test_the_token_of_a_response_holds_the_time_stamp(specimens, tst_info):
    read = asn1.decode_timestamp_response(specimens["time stamp response"].der)
    assert read.token is not None
    assert read.token.content_type == oids.TST_INFO
    assert read.token.content == tst_info
