"""From a signature to a verdict with real cryptography."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medsign import cms
from medsign.codec import asn1
from medsign.codec.asn1 import oids
from medsign.pki import issuing
from medsign.pki.accredited import AccreditationStatus, AccreditedCa, AccreditedList, Snapshot
from medsign.pki.ocsp import ocsp_cert_id, ocsp_response
from medsign.pki.trust import TrustStore

from .conftest import CONTENT, DAY, SIGNED, TC26_256_A, TC26_512_A, make_authority, new_key

LATER = SIGNED + timedelta(minutes=10)
Sub = cms.SubIndication


@pytest.fixture(scope="module")
def evidence(authority, detached):
    return cms.Evidence(
        signature=detached,
        content=CONTENT,
        trust=authority.trust,
        crls=(authority.crl(SIGNED - DAY),),
    )


@pytest.fixture(scope="module")
def stamped_evidence(evidence, stamped):
    return attrs.evolve(evidence, signature=stamped)


def verdict(evidence, at=LATER, policy=cms.DEFAULT):
    report = cms.verify(evidence, policy=policy, at=at)
    return report.indication, report.sub_indication


PASSED = (cms.Indication.TOTAL_PASSED, None)


def failed(sub):
    return sub.indication, sub


def test_a_fresh_signature_passes(evidence):
    assert verdict(evidence) == PASSED


@pytest.mark.req("F152")
def test_a_stamped_signature_passes(stamped_evidence):
    report = cms.verify(stamped_evidence, policy=cms.WITH_STAMP, at=LATER)
    assert report.passed
    assert report.signers[0].proved_by == "time stamp"


def test_without_a_stamp_the_stricter_policy_is_not_satisfied(evidence):
    assert verdict(evidence, policy=cms.WITH_STAMP) == failed(Sub.NO_POE)


def test_without_revocation_evidence_nothing_is_certain(evidence):
    bare = attrs.evolve(evidence, crls=())
    assert verdict(bare) == failed(Sub.TRY_LATER)


def test_stale_revocation_evidence_is_none(evidence, authority):
    old = attrs.evolve(evidence, crls=(authority.crl(SIGNED - 30 * DAY),))
    assert verdict(old) == failed(Sub.TRY_LATER)


@pytest.mark.req("F137")
def test_an_ocsp_answer_is_enough(evidence, authority, signer):
    answer = authority.ocsp(signer.certificate, SIGNED)
    asked = attrs.evolve(evidence, crls=()).with_fetched(ocsp_responses=[answer])
    assert verdict(asked) == PASSED


def test_fetched_lists_may_be_pem(evidence, authority):
    pem = asn1.pem_encode("X509 CRL", authority.crl(SIGNED).der)
    assert verdict(attrs.evolve(evidence, crls=()).with_fetched(crls=[pem])) == PASSED


def test_nobody_is_trusted_by_default(evidence):
    alone = attrs.evolve(evidence, trust=TrustStore())
    assert verdict(alone) == failed(Sub.NO_CERTIFICATE_CHAIN_FOUND)


def test_a_namesake_authority_is_not_the_authority(evidence):
    assert verdict(attrs.evolve(evidence, trust=make_authority().trust)) == failed(
        Sub.NO_CERTIFICATE_CHAIN_FOUND
    )


def test_a_detached_signature_needs_its_document(evidence):
    assert verdict(attrs.evolve(evidence, content=None)) == failed(Sub.SIGNED_DATA_NOT_FOUND)


def test_another_document_fails(evidence):
    assert verdict(attrs.evolve(evidence, content=CONTENT + b" ")) == failed(Sub.HASH_FAILURE)


def test_a_file_and_a_digest_are_as_good_as_octets(evidence, tmp_path, signer):
    file = tmp_path / "consent.txt"
    file.write_bytes(CONTENT)
    hashed = cms.ContentDigest(
        signer.digest_algorithm, cms.content.digest_of(CONTENT, signer.digest_algorithm)
    )
    assert verdict(attrs.evolve(evidence, content=file)) == PASSED
    assert verdict(attrs.evolve(evidence, content=hashed)) == PASSED


def test_what_is_no_signature_fails_by_its_format(evidence):
    assert verdict(attrs.evolve(evidence, signature=b"%PDF-1.7")) == failed(Sub.FORMAT_FAILURE)


@pytest.mark.req("F385")
def test_an_expired_certificate_without_a_stamp_proves_nothing(evidence, authority, signer):
    after = signer.certificate.not_after + DAY
    fresh = attrs.evolve(evidence, crls=(authority.crl(after),))
    assert verdict(fresh, at=after) == failed(Sub.OUT_OF_BOUNDS_NO_POE)


def test_a_certificate_may_expire_after_the_stamp(stamped_evidence, authority, signer):
    after = signer.certificate.not_after + DAY
    crls = (authority.crl(SIGNED + DAY), authority.crl(after))
    assert verdict(attrs.evolve(stamped_evidence, crls=crls), at=after) == PASSED


def test_a_certificate_may_be_revoked_after_the_stamp(stamped_evidence, authority, signer):
    revoked = authority.crl(SIGNED + 2 * DAY, (signer.certificate, SIGNED + DAY))
    at = SIGNED + 3 * DAY
    assert verdict(attrs.evolve(stamped_evidence, crls=(revoked,)), at=at) == PASSED


@pytest.mark.req("F385")
def test_a_certificate_revoked_before_the_signing_fails(stamped_evidence, authority, signer):
    revoked = authority.crl(SIGNED + DAY, (signer.certificate, SIGNED - DAY))
    at = SIGNED + 2 * DAY
    assert verdict(attrs.evolve(stamped_evidence, crls=(revoked,)), at=at) == failed(Sub.REVOKED)


def test_revoked_after_the_claim_and_before_the_stamp_proves_nothing(
    stamped_evidence, authority, signer
):
    revoked = authority.crl(SIGNED + DAY, (signer.certificate, SIGNED + timedelta(seconds=30)))
    at = SIGNED + 2 * DAY
    assert verdict(attrs.evolve(stamped_evidence, crls=(revoked,)), at=at) == failed(
        Sub.REVOKED_NO_POE
    )


def test_revoked_later_without_a_stamp_proves_nothing(evidence, authority, signer):
    revoked = authority.crl(SIGNED + 2 * DAY, (signer.certificate, SIGNED + DAY))
    at = SIGNED + 3 * DAY
    assert verdict(attrs.evolve(evidence, crls=(revoked,)), at=at) == failed(Sub.REVOKED_NO_POE)


def test_a_stamp_of_a_stranger_is_not_counted(evidence, detached):
    stranger = make_authority()
    token = stranger.stamp(cms.signature_value(detached), SIGNED)
    report = cms.verify(
        attrs.evolve(evidence, signature=cms.add_timestamp(detached, token)), at=LATER
    )
    assert report.signers[0].proved_by == "verification"
    assert [each.code for each in report.signers[0].failures(cms.Level.WARN)] == ["STAMP_TRUSTED"]


def test_a_stamp_on_another_signature_is_not_counted(evidence, authority, detached):
    token = asn1.decode_timestamp_response(authority.stamp(b"another one", SIGNED)).token
    attribute = asn1.Attribute(oids.SIGNATURE_TIME_STAMP, (token.der,))
    signature = asn1.add_unsigned_attribute(detached, 0, attribute)
    evidence = attrs.evolve(evidence, signature=signature)
    assert verdict(evidence, policy=cms.WITH_STAMP) == failed(Sub.NO_POE)


def test_a_stamp_earlier_than_the_claim_is_out_of_order(evidence, authority, detached):
    token = authority.stamp(cms.signature_value(detached), SIGNED - DAY)
    signature = cms.add_timestamp(detached, token)
    assert verdict(attrs.evolve(evidence, signature=signature)) == failed(
        Sub.TIMESTAMP_ORDER_FAILURE
    )


NEVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_a_claim_at_the_end_of_the_calendar_is_judged_like_any_other(evidence, signer):
    signature = cms.sign(CONTENT, signer, at=NEVER)
    report = cms.verify(attrs.evolve(evidence, signature=signature), at=LATER)
    assert report.sub_indication is Sub.EXPIRED
    assert "31.12.9999" in report.to_html()


def test_a_stamp_at_the_end_of_the_calendar_is_from_the_future(evidence, authority, detached):
    token = asn1.decode_timestamp_response(authority.stamp(cms.signature_value(detached), NEVER))
    attribute = asn1.Attribute(oids.SIGNATURE_TIME_STAMP, (token.token.der,))
    signature = asn1.add_unsigned_attribute(detached, 0, attribute)
    report = cms.verify(attrs.evolve(evidence, signature=signature), at=LATER)
    stamped = {each.code: each.passed for each in report.signers[0].findings}
    assert stamped["STAMP_TRUSTED"] is False
    assert "31.12.9999" in report.to_html()


def test_a_list_of_the_end_of_the_calendar_is_no_evidence_yet(evidence, authority):
    crl = issuing.issue_crl(authority.root, number=1, this_update=NEVER, next_update=None)
    assert verdict(attrs.evolve(evidence, crls=(crl,))) == failed(Sub.TRY_LATER)


def test_a_certificate_swapped_for_another_of_the_same_key_is_noticed(
    evidence, authority, signer, detached
):
    twin = issuing.issue_certificate(
        issuing.QUALIFIED,
        subject=signer.certificate.subject,
        key=signer.public_key,
        issuer=authority.root,
        not_before=SIGNED - 2 * DAY,
        serial_number=signer.certificate.serial_number,
    )
    (info,) = asn1.decode_signed_data(detached).signers
    swapped = asn1.encode_signed_data([info], content=None, certificates=[twin.der])
    assert verdict(attrs.evolve(evidence, signature=swapped)) == failed(
        Sub.NO_SIGNING_CERTIFICATE_FOUND
    )


def test_a_signature_without_its_certificate_needs_it_given(evidence, signer, detached):
    (info,) = asn1.decode_signed_data(detached).signers
    bare = attrs.evolve(evidence, signature=asn1.encode_signed_data([info], content=None))
    assert verdict(bare) == failed(Sub.NO_SIGNING_CERTIFICATE_FOUND)
    assert verdict(attrs.evolve(bare, certificates=(signer.certificate,))) == PASSED


def test_attributes_of_a_signature_cannot_be_passed_off_as_its_content(evidence, detached, signer):
    (info,) = asn1.decode_signed_data(detached).signers
    stripped = attrs.evolve(info, signed_attributes_der=None)
    forged = asn1.encode_signed_data(
        [stripped], content=info.signed_attributes_der, certificates=[signer.certificate.der]
    )
    assert verdict(attrs.evolve(evidence, signature=forged, content=None)) == failed(
        Sub.SIG_CONSTRAINTS_FAILURE
    )


def test_an_authority_key_may_not_sign_documents(authority, evidence):
    signature = cms.sign(CONTENT, authority.root, at=SIGNED)
    assert verdict(attrs.evolve(evidence, signature=signature)) == failed(
        Sub.CHAIN_CONSTRAINTS_FAILURE
    )


def test_a_message_without_signatures_fails(evidence):
    empty = asn1.encode_signed_data([], content=CONTENT)
    assert verdict(attrs.evolve(evidence, signature=empty)) == failed(Sub.FORMAT_FAILURE)


def test_too_many_signatures_are_not_looked_at(evidence, detached):
    (info,) = asn1.decode_signed_data(detached).signers
    crowd = asn1.encode_signed_data([info] * 65, content=None)
    assert verdict(attrs.evolve(evidence, signature=crowd)) == failed(Sub.FORMAT_FAILURE)


def test_evidence_may_travel_in_the_signature(evidence, authority, detached):
    values = asn1.encode_revocation_values([authority.crl(SIGNED).der])
    attribute = asn1.Attribute(oids.REVOCATION_VALUES, (values,))
    carrying = asn1.add_unsigned_attribute(detached, 0, attribute)
    assert verdict(attrs.evolve(evidence, signature=carrying, crls=())) == PASSED


def test_forged_evidence_is_no_evidence(evidence, detached, signer):
    forger = make_authority()
    forged = attrs.evolve(evidence, crls=(forger.crl(SIGNED, (signer.certificate, SIGNED - DAY)),))
    assert verdict(forged) == failed(Sub.TRY_LATER)


@pytest.mark.parametrize(
    "oid", [oids.SIGNATURE_TIME_STAMP, oids.CERTIFICATE_VALUES, oids.REVOCATION_VALUES]
)
def test_rubbish_in_unsigned_attributes_brings_nothing(evidence, detached, oid):
    attribute = asn1.Attribute(oid, (b"\x30\x02\x05\x00",))
    littered = asn1.add_unsigned_attribute(detached, 0, attribute)
    assert verdict(attrs.evolve(evidence, signature=littered)) == PASSED


def test_every_signature_must_pass(evidence, authority, detached):
    stranger = make_authority().issue()
    both = cms.sign(CONTENT, stranger, at=SIGNED, beside=detached)
    report = cms.verify(attrs.evolve(evidence, signature=both), at=LATER)
    assert sorted(each.passed for each in report.signers) == [False, True]
    assert not report.passed


def test_two_signatures_of_one_authority_pass(evidence, authority, detached):
    both = cms.sign(CONTENT, authority.issue(), at=SIGNED, beside=detached)
    report = cms.verify(attrs.evolve(evidence, signature=both), at=LATER)
    assert (report.passed, len(report.signers)) == (True, 2)


@pytest.mark.parametrize("curve", [TC26_256_A, TC26_512_A])
@pytest.mark.parametrize("is_detached", [True, False])
def test_every_length_of_key_signs_and_verifies(authority, evidence, curve, is_detached):
    signature = cms.sign(CONTENT, authority.issue(curve=curve), at=SIGNED, detached=is_detached)
    given = CONTENT if is_detached else None
    assert verdict(attrs.evolve(evidence, signature=signature, content=given)) == PASSED


@pytest.mark.req("F409")
def test_one_signature_is_judged_by_the_norm_that_is_named(evidence):
    short = {
        oid: end
        for oid, end in cms.DEFAULT.algorithms.items()
        if oid not in {oids.GOST_KEY_256, oids.GOST_SIGNATURE_256}
    }
    federal, regional = cms.Policy(name="federal"), cms.Policy(name="regional", algorithms=short)
    reports = [cms.verify(evidence, at=LATER, policy=norm) for norm in (federal, regional)]
    assert [(each.policy, each.passed) for each in reports] == [
        ("federal", True),
        ("regional", False),
    ]
    assert reports[0].policy_digest != reports[1].policy_digest


@settings(max_examples=15)
@given(content=st.binary(max_size=300), is_detached=st.booleans())
def test_what_is_signed_verifies(content, is_detached, authority, signer, evidence):
    signature = cms.sign(content, signer, at=SIGNED, detached=is_detached)
    given = content if is_detached else None
    assert verdict(attrs.evolve(evidence, signature=signature, content=given)) == PASSED


@given(data=st.data())
def test_a_flipped_bit_of_the_content_never_passes(data, evidence):
    bit = data.draw(st.integers(0, 8 * len(CONTENT) - 1))
    spoilt = bytearray(CONTENT)
    spoilt[bit // 8] ^= 1 << bit % 8
    assert verdict(attrs.evolve(evidence, content=bytes(spoilt))) == failed(Sub.HASH_FAILURE)


@pytest.fixture(scope="module")
def forms(detached, stamped, signer):
    """Return the three forms of a signature and the policies that they satisfy."""
    attached = cms.sign(CONTENT, signer, at=SIGNED, detached=False)
    return {
        "detached": (detached, CONTENT, cms.DEFAULT),
        "attached": (attached, None, cms.DEFAULT),
        "stamped": (stamped, CONTENT, cms.WITH_STAMP),
    }


@pytest.mark.parametrize("form", ["detached", "attached", "stamped"])
@settings(max_examples=100)
@given(data=st.data())
def test_a_flipped_bit_of_the_signature_never_passes(data, form, forms, evidence):
    signature, content, policy = forms[form]
    bit = data.draw(st.integers(0, 8 * len(signature) - 1))
    spoilt = bytearray(signature)
    spoilt[bit // 8] ^= 1 << bit % 8
    given = attrs.evolve(evidence, signature=bytes(spoilt), content=content)
    assert verdict(given, policy=policy) != PASSED


def test_facts_stored_as_json_give_the_same_verdict(stamped_evidence):
    facts = cms.collect(stamped_evidence, at=LATER)
    again = cms.Facts.from_json(facts.to_json())
    assert again == facts
    assert cms.decide(again, at=LATER) == cms.verify(stamped_evidence, at=LATER)


def test_no_repr_shows_who_signed(stamped_evidence):
    facts = cms.collect(stamped_evidence, at=LATER)
    report = cms.decide(facts, at=LATER)
    shown = repr(facts) + repr(report) + repr(stamped_evidence)
    assert not any(word in shown for word in ("Тестова", "999999999999", "99999999999"))


def listed(*authorities, status="Действует", at=LATER):
    """Return a list of accredited authorities, all of them so since long ago."""
    entries = tuple(
        AccreditedCa(
            name="Тестовый УЦ",
            ogrn=None,
            number=None,
            statuses=(AccreditationStatus(status, SIGNED - 4000 * DAY),),
            certificates=(each.root.certificate,),
        )
        for each in authorities
    )
    snapshot = Snapshot(version="1", made_at=at, authorities=entries, fingerprint="1a" * 32)
    return AccreditedList([snapshot])


@pytest.mark.parametrize(
    ("accredited", "expected"),
    [
        (listed, cms.Qualification.QUALIFIED),
        (lambda each: listed(each, status="Прекращена"), cms.Qualification.NON_QUALIFIED),
        (lambda _: listed(), cms.Qualification.NON_QUALIFIED),
        (lambda _: listed(make_authority()), cms.Qualification.NON_QUALIFIED),
        (lambda each: listed(each, at=SIGNED - 3000 * DAY), cms.Qualification.UNKNOWN),
        (lambda _: None, cms.Qualification.UNKNOWN),
    ],
    ids=["accredited", "ended", "not listed", "a namesake listed", "old list", "no list"],
)
def test_a_signature_is_qualified_by_the_list(evidence, authority, accredited, expected):
    given = attrs.evolve(evidence, accredited=accredited(authority))
    report = cms.verify(given, policy=cms.QUALIFIED, at=LATER)
    (signer,) = report.signers
    assert signer.qualification is expected
    assert report.passed is (expected is cms.Qualification.QUALIFIED)
    assert cms.verify(given, at=LATER).passed
    assert signer.qualification.russian in report.to_html()
    assert json.loads(report.to_json())["signers"][0]["qualification"] == expected.value


def test_the_classes_of_the_tool_are_those_of_the_chain(evidence, authority):
    report = cms.verify(attrs.evolve(evidence, accredited=listed(authority)), at=LATER)
    assert report.signers[0].tool_classes == ("КС1", "КС2")
    assert "Подпись квалифицированная, класс средства подписи КС1, КС2." in report.explain_trust()


def rolled_over(authority):
    """Return the next key of an authority under its old name, certified by the old one."""
    return authority._issued(
        new_key(), issuing.SUBORDINATE_CA, authority.root.certificate.subject, SIGNED - DAY
    )


@pytest.mark.parametrize("stranger_is_trusted", [False, True])
def test_a_list_of_a_namesake_below_another_root_does_not_count(
    evidence, authority, signer, stranger_is_trusted
):
    stranger = make_authority()
    for crl in (stranger.crl(SIGNED), stranger.crl(SIGNED, (signer.certificate, SIGNED - DAY))):
        given = attrs.evolve(
            evidence,
            crls=(crl,),
            certificates=(stranger.root.certificate,),
            trust=authority.trust | (stranger.trust if stranger_is_trusted else TrustStore()),
        )
        assert verdict(given) == failed(Sub.TRY_LATER)


def test_a_revocation_by_the_next_key_of_the_authority_counts(evidence, authority, signer):
    successor = attrs.evolve(authority, root=rolled_over(authority))
    revoking = successor.crl(SIGNED, (signer.certificate, SIGNED - DAY))
    given = attrs.evolve(
        evidence,
        certificates=(successor.root.certificate,),
        crls=(*evidence.crls, revoking),
    )
    assert verdict(given) == failed(Sub.REVOKED)


def test_an_answer_of_a_namesake_below_another_root_does_not_count(evidence, authority, signer):
    stranger = make_authority()
    responder = stranger._issued(
        new_key(),
        issuing.OCSP_SERVICE,
        issuing.subject_name(organization="Служба статусов"),
        SIGNED - DAY,
    )
    single = asn1.SingleResponse(
        cert_id=ocsp_cert_id(signer.certificate, authority.root.certificate),
        status="good",
        this_update=SIGNED,
        next_update=SIGNED + DAY,
    )
    for service in (responder, stranger.root):
        answer = ocsp_response([single], service, produced_at=SIGNED)
        given = attrs.evolve(
            evidence,
            crls=(),
            trust=authority.trust | stranger.trust,
            certificates=(stranger.root.certificate, responder.certificate),
        ).with_fetched(ocsp_responses=[answer])
        assert verdict(given) == failed(Sub.TRY_LATER)
