"""Signatures made to last: what is added, what it proves, and what is refused."""

from __future__ import annotations

from datetime import timedelta

import anyio
import attrs
import pytest

from medsign import cms
from medsign.codec import asn1
from medsign.codec.asn1 import oids
from medsign.errors import UsageError
from medsign.pki import issuing
from medsign.pki.signatures import hash_octets
from medsign.pki.signed import refers_to
from medsign.sandbox import Sandbox
from medsign.sandbox.pki import Authority, Pki

from .conftest import CONTENT, DAY, SIGNED, TC26_512_A, new_key

NOW = SIGNED + timedelta(minutes=10)
STAMPED_AGAIN = NOW + timedelta(minutes=1)
LATER = NOW + timedelta(hours=1)
ADDED = {
    oids.SIGNATURE_TIME_STAMP,
    oids.CERTIFICATE_REFS,
    oids.REVOCATION_REFS,
    oids.CERTIFICATE_VALUES,
    oids.REVOCATION_VALUES,
    oids.ESC_TIME_STAMP,
}


@pytest.fixture(scope="module")
def evidence(authority, signer, stamped):
    given = cms.Evidence(
        signature=stamped,
        content=CONTENT,
        trust=authority.trust,
        crls=(authority.crl(SIGNED + timedelta(minutes=5)),),
    )
    answer = authority.ocsp(signer.certificate, SIGNED + timedelta(minutes=5))
    return given.with_fetched(ocsp_responses=[answer])


@pytest.fixture(scope="module")
def referring(evidence):
    """Return CAdES-C."""
    return cms.add_references(evidence, at=NOW)


@pytest.fixture(scope="module")
def long(evidence, referring):
    """Return CAdES-X Long."""
    return cms.add_values(attrs.evolve(evidence, signature=referring), at=NOW)


@pytest.fixture(scope="module")
def lasting(long, authority):
    """Return CAdES-X Long Type 1."""
    token = authority.stamp(cms.evidence_value(long), STAMPED_AGAIN)
    return cms.add_evidence_timestamp(long, token)


@pytest.fixture(scope="module")
def archived(lasting, authority):
    """Return CAdES-A."""
    token = authority.stamp(cms.archive_value(lasting, CONTENT), STAMPED_AGAIN)
    return cms.add_archive_timestamp(lasting, token, CONTENT)


def info(signature, index=0):
    return asn1.decode_signed_data(signature).signers[index]


def alone(authority, signature):
    return cms.Evidence(signature=signature, content=CONTENT, trust=authority.trust)


def test_each_step_is_one_form_higher(detached, stamped, referring, long, lasting, archived):
    steps = (detached, stamped, referring, long, lasting, archived)
    assert tuple(map(cms.form_of, steps)) == tuple(cms.Form)


def test_nothing_but_unsigned_attributes_is_added(stamped, lasting):
    before, after = asn1.decode_signed_data(stamped), asn1.decode_signed_data(lasting)
    (old,), (new,) = before.signers, after.signers
    assert new.unsigned_attributes[:1] == old.unsigned_attributes
    assert attrs.evolve(new, unsigned_attributes=()) == attrs.evolve(old, unsigned_attributes=())
    assert after.certificates == before.certificates
    assert {each.oid for each in new.unsigned_attributes} == ADDED


def test_references_name_the_issuer_and_the_status_of_the_signer(referring, authority, evidence):
    (value,) = info(referring).unsigned_values(oids.CERTIFICATE_REFS)
    (root,) = asn1.decode_certificate_references(value)
    assert refers_to(root, authority.root.certificate)
    (value,) = info(referring).unsigned_values(oids.REVOCATION_REFS)
    own, of_root = asn1.decode_revocation_references(value)
    assert of_root == asn1.RevocationReferences()
    (answer,) = own.ocsp_responses
    assert answer.digest == hash_octets(oids.STREEBOG_256, evidence.ocsp_responses[0].der)
    assert own.crls == ()


def test_without_an_answer_the_list_is_named(evidence):
    with_list = cms.add_references(attrs.evolve(evidence, ocsp_responses=()), at=NOW)
    (value,) = info(with_list).unsigned_values(oids.REVOCATION_REFS)
    own, _ = asn1.decode_revocation_references(value)
    (reference,) = own.crls
    (crl,) = evidence.crls
    assert (reference.number, reference.issued_at) == (crl.crl_number, crl.this_update)
    assert reference.digest == hash_octets(oids.STREEBOG_256, crl.der)


def test_values_hold_what_the_stamp_rests_on_too(long, authority, signer):
    (value,) = info(long).unsigned_values(oids.CERTIFICATE_VALUES)
    assert set(asn1.decode_certificate_values(value)) == {
        signer.certificate,
        authority.root.certificate,
        authority.stamper.certificate,
    }
    (value,) = info(long).unsigned_values(oids.REVOCATION_VALUES)
    values = asn1.decode_revocation_values(value)
    assert (len(values.crls), len(values.ocsp_responses)) == (1, 1)


@pytest.mark.parametrize("form", ["long", "lasting", "archived"])
def test_it_is_judged_with_nothing_but_the_root(form, authority, request):
    report = cms.verify(
        alone(authority, request.getfixturevalue(form)), policy=cms.WITH_STAMP, at=LATER
    )
    assert report.passed, report.explain_trust()


def test_the_same_signature_without_values_is_not_proved(authority, referring):
    report = cms.verify(alone(authority, referring), at=LATER)
    assert report.sub_indication is cms.SubIndication.TRY_LATER


def test_the_second_stamp_outlives_the_service_of_the_first(authority, stamped, long):
    service = authority._issued(
        new_key(),
        attrs.evolve(issuing.TIMESTAMP_SERVICE, lifetime=3650 * DAY),
        issuing.subject_name(organization="Вторая служба штампов"),
        SIGNED - DAY,
    )
    token = authority.stamp(cms.evidence_value(long), STAMPED_AGAIN, service)
    lasting = cms.add_evidence_timestamp(long, token)
    at = SIGNED + 3 * DAY
    leaked = authority.stamper.certificate, at - 2 * DAY
    revoked = authority.crl(at - DAY, leaked, reason="keyCompromise")

    def judged(signature):
        given = attrs.evolve(alone(authority, signature), crls=(revoked,))
        return cms.verify(given, policy=cms.WITH_STAMP, at=at)

    assert judged(stamped).sub_indication is cms.SubIndication.NO_POE
    assert judged(long).sub_indication is cms.SubIndication.NO_POE
    report = judged(lasting)
    assert report.passed, report.explain_trust()
    assert report.signers[0].proved_at == SIGNED + timedelta(minutes=1, seconds=1)


def test_a_second_stamp_on_something_else_proves_nothing(authority, long):
    token = asn1.decode_timestamp_response(authority.stamp(b"something else", NOW)).token
    attribute = asn1.Attribute(oids.ESC_TIME_STAMP, (token.der,))
    planted = asn1.add_unsigned_attribute(long, 0, attribute)
    (facts,) = cms.collect(alone(authority, planted), at=LATER).signatures
    inner, outer = facts.stamps
    assert (inner.layer, outer.layer) == ("signature", "evidence")
    assert (bool(inner.problems), bool(outer.problems)) == (False, True)


def test_references_changed_after_the_second_stamp_are_noticed(authority, lasting):
    added = asn1.Attribute(oids.REVOCATION_REFS, (asn1.encode_revocation_references([]),))
    changed = asn1.add_unsigned_attribute(lasting, 0, added)
    (facts,) = cms.collect(alone(authority, changed), at=LATER).signatures
    assert [bool(each.problems) for each in facts.stamps] == [False, True]


def test_facts_with_a_second_stamp_are_stored(authority, lasting):
    facts = cms.collect(alone(authority, lasting), at=LATER)
    assert cms.Facts.from_json(facts.to_json()) == facts


def test_an_archive_stamp_outlives_the_services_of_both_stamps(authority, lasting):
    service = authority._issued(
        new_key(),
        attrs.evolve(issuing.TIMESTAMP_SERVICE, lifetime=3650 * DAY),
        issuing.subject_name(organization="Служба штампов архива"),
        SIGNED - DAY,
    )
    token = authority.stamp(cms.archive_value(lasting, CONTENT), LATER, service)
    archived = cms.add_archive_timestamp(lasting, token, CONTENT)
    at = SIGNED + 3 * DAY
    leaked = authority.stamper.certificate, at - 2 * DAY
    revoked = authority.crl(at - DAY, leaked, reason="keyCompromise")

    def judged(signature):
        given = attrs.evolve(alone(authority, signature), crls=(revoked,))
        return cms.verify(given, policy=cms.WITH_STAMP, at=at)

    assert judged(lasting).sub_indication is cms.SubIndication.NO_POE
    report = judged(archived)
    assert report.passed, report.explain_trust()
    assert report.signers[0].proved_at == SIGNED + timedelta(minutes=1, seconds=1)


def test_an_archive_stamp_leaves_what_was_there(lasting, archived):
    before, after = info(lasting), info(archived)
    assert after.unsigned_attributes[:-1] == before.unsigned_attributes
    (token,) = after.unsigned_values(oids.ARCHIVE_TIME_STAMP_V3)
    (index,) = info(token).unsigned_values(oids.ARCHIVE_HASH_INDEX_V3)
    assert index in cms.archive_value(lasting, CONTENT)


def archive_is_good(authority, signature, content=CONTENT):
    given = attrs.evolve(alone(authority, signature), content=content)
    (facts,) = cms.collect(given, at=LATER).signatures
    (stamp,) = (each for each in facts.stamps if each.layer == "archive")
    return not stamp.problems


def test_an_archive_stamp_is_on_one_document(authority, archived):
    assert archive_is_good(authority, archived)
    assert not archive_is_good(authority, archived, CONTENT + b"!")
    assert not archive_is_good(authority, archived, None)


def test_what_an_archive_stamp_lists_must_stay(authority, archived):
    message = asn1.decode_signed_data(archived)
    (signer,) = message.signers
    for lost in signer.unsigned_attributes[:-1]:
        rest = tuple(each for each in signer.unsigned_attributes if each != lost)
        shorter = asn1.encode_signed_data(
            [attrs.evolve(signer, unsigned_attributes=rest)],
            content=None,
            certificates=[each.der for each in message.certificates],
        )
        assert not archive_is_good(authority, shorter)


def test_what_is_added_later_does_no_harm_unless_it_is_a_stamp(authority, archived, stamped):
    other = asn1.Attribute("1.2.643.999", (b"\x05\x00",))
    assert archive_is_good(authority, asn1.add_unsigned_attribute(archived, 0, other))
    stamp = asn1.Attribute(oids.SIGNATURE_TIME_STAMP, (b"\x05\x00",))
    assert not archive_is_good(authority, asn1.add_unsigned_attribute(archived, 0, stamp))


def test_an_archive_needs_all_evidence_and_the_document(long, lasting):
    with pytest.raises(UsageError, match="evidence"):
        cms.archive_value(long, CONTENT)
    with pytest.raises(UsageError, match="content"):
        cms.archive_value(lasting)


def test_a_document_that_is_not_at_hand_hinders_nothing(evidence, referring):
    assert cms.add_references(attrs.evolve(evidence, content=None), at=NOW) == referring


def test_a_changed_document_is_not_extended(evidence):
    with pytest.raises(UsageError, match="CONTENT_INTACT"):
        cms.add_references(attrs.evolve(evidence, content=CONTENT + b"!"), at=NOW)


def test_a_signature_without_evidence_of_status_is_not_extended(evidence):
    with pytest.raises(UsageError, match="REVOCATION_KNOWN"):
        cms.add_references(attrs.evolve(evidence, crls=(), ocsp_responses=()), at=NOW)


def test_each_step_needs_the_one_before(evidence, detached, stamped, lasting, authority):
    with pytest.raises(UsageError, match="must be T and is BES"):
        cms.add_references(attrs.evolve(evidence, signature=detached), at=NOW)
    with pytest.raises(UsageError, match="must be C and is T"):
        cms.add_values(evidence, at=NOW)
    with pytest.raises(UsageError, match="references"):
        cms.evidence_value(stamped)
    with pytest.raises(UsageError, match="must be T"):
        cms.add_references(attrs.evolve(evidence, signature=lasting), at=NOW)


def test_what_is_named_must_be_at_hand(authority, referring):
    only_another = attrs.evolve(alone(authority, referring), crls=(authority.crl(NOW),))
    with pytest.raises(UsageError, match="not at hand"):
        cms.add_values(only_another, at=NOW)


def test_a_second_stamp_must_be_on_the_references(authority, long):
    with pytest.raises(UsageError, match="another signature"):
        cms.add_evidence_timestamp(long, authority.stamp(cms.signature_value(long), NOW))


def test_of_two_signatures_of_different_lengths_one_is_extended(evidence, authority, stamped):
    both = cms.sign(CONTENT, authority.issue(curve=TC26_512_A), at=SIGNED, beside=stamped)
    first, second = sorted((0, 1), key=lambda index: cms.form_of(both, index), reverse=True)
    token = authority.stamp(cms.signature_value(both, second), SIGNED + timedelta(minutes=2))
    both = cms.add_timestamp(both, token, signer_index=second)
    given = attrs.evolve(evidence, signature=both)
    longer = cms.add_references(given, at=NOW, signer_index=second)
    longer = cms.add_values(attrs.evolve(given, signature=longer), at=NOW, signer_index=second)
    assert cms.form_of(longer, second) is cms.Form.X_LONG
    assert info(longer, first) == info(both, first)
    report = cms.verify(attrs.evolve(given, signature=longer), policy=cms.WITH_STAMP, at=LATER)
    assert report.passed, report.explain_trust()
    (value,) = info(longer, second).unsigned_values(oids.CERTIFICATE_REFS)
    (root,) = asn1.decode_certificate_references(value)
    assert root.hash_oid == oids.STREEBOG_512


@pytest.fixture(scope="module")
def successor(authority):
    """Return a time stamp service that outlives the first one."""
    lasting = attrs.evolve(issuing.TIMESTAMP_SERVICE, lifetime=3650 * DAY)
    name = issuing.subject_name(organization="Служба штампов архива")
    return authority._issued(new_key(), lasting, name, SIGNED - DAY)


@pytest.fixture(scope="module")
def renewed(evidence, archived, authority, successor):
    """Return CAdES-A whose archive stamp is stamped again by a service that lasts."""
    held = cms.add_archive_values(attrs.evolve(evidence, signature=archived), at=LATER)
    token = authority.stamp(cms.archive_value(held, CONTENT), LATER, successor)
    return cms.add_archive_timestamp(held, token, CONTENT)


def test_a_renewed_archive_outlives_the_service_of_its_first_stamp(authority, archived, renewed):
    at = SIGNED + 3 * DAY
    leaked = authority.stamper.certificate, at - 2 * DAY
    revoked = authority.crl(at - DAY, leaked, reason="keyCompromise")

    def judged(signature):
        given = attrs.evolve(alone(authority, signature), crls=(revoked,))
        return cms.verify(given, policy=cms.WITH_STAMP, at=at)

    assert judged(archived).sub_indication is cms.SubIndication.NO_POE
    report = judged(renewed)
    assert report.passed, report.explain_trust()
    trusted = [each for each in report.signers[0].findings if each.code == "STAMP_TRUSTED"]
    assert [each.passed for each in trusted] == [True] * 4


def test_an_archive_stamp_holds_its_evidence_before_it_is_covered(evidence, archived, renewed):
    old, new = info(renewed).unsigned_values(oids.ARCHIVE_TIME_STAMP_V3)
    (values,) = info(old).unsigned_values(oids.CERTIFICATE_VALUES)
    (service, _) = asn1.decode_certificate_values(values)
    assert service == asn1.decode_signed_data(old).certificates[0]
    (index,) = info(new).unsigned_values(oids.ARCHIVE_HASH_INDEX_V3)
    covered = asn1.der.oid(oids.ARCHIVE_TIME_STAMP_V3) + old
    assert hash_octets(oids.STREEBOG_256, covered) in index
    given = attrs.evolve(evidence, signature=archived)
    once = cms.add_archive_values(given, at=LATER)
    assert cms.add_archive_values(attrs.evolve(given, signature=once), at=LATER) == once


def test_an_archive_stamp_that_leaves_out_the_former_one_is_none(authority, archived, successor):
    value = cms.archive_value(archived, CONTENT)
    token = authority.stamp(value, LATER, successor)
    alone_there = asn1.decode_signed_data(archived)
    (signer,) = alone_there.signers
    (first,) = signer.unsigned_values(oids.ARCHIVE_TIME_STAMP_V3)
    second = cms.add_archive_timestamp(archived, token, CONTENT)
    (_, later) = info(second).unsigned_values(oids.ARCHIVE_TIME_STAMP_V3)
    # The former stamp is put there after the later one, with a moment before it.
    swapped = asn1.replace_unsigned_value(second, 0, first, forged_twin(first))
    (facts,) = cms.collect(alone(authority, swapped), at=SIGNED + DAY).signatures
    problems = [bool(each.problems) for each in facts.stamps if each.layer == "archive"]
    assert later in info(swapped).unsigned_values(oids.ARCHIVE_TIME_STAMP_V3)
    assert problems[1]


def forged_twin(token):
    """Return the same time stamp in other octets, as one that was never covered."""
    return asn1.add_unsigned_attribute(token, 0, asn1.Attribute("1.2.643.999", (b"\x05\x00",)))


def test_an_archive_stamp_of_the_older_kind_is_told_of_and_not_judged(authority, archived):
    token = asn1.Attribute(oids.ARCHIVE_TIME_STAMP_V2, (info(archived).time_stamp_tokens[0],))
    older = asn1.add_unsigned_attribute(archived, 0, token)
    report = cms.verify(alone(authority, older), policy=cms.WITH_STAMP, at=LATER)
    assert report.passed, report.explain_trust()
    (told,) = (each for each in report.signers[0].findings if each.code == "EVIDENCE_JUDGED")
    assert (told.passed, told.severity) == (False, cms.Level.INFORM)
    assert told.evidence.detail == "Архивный штамп времени, версия 2"


def test_a_bad_archive_stamp_gets_no_evidence(evidence, lasting, authority, successor):
    stranger = new_key()
    bad = attrs.evolve(stranger, owned=successor.certificate)
    token = authority.stamp(cms.archive_value(lasting, CONTENT), STAMPED_AGAIN, bad)
    archived = cms.add_archive_timestamp(lasting, token, CONTENT)
    with pytest.raises(UsageError, match="archive time stamp is not good"):
        cms.add_archive_values(attrs.evolve(evidence, signature=archived), at=LATER)


def test_evidence_of_the_archive_needs_an_archive(evidence, lasting):
    with pytest.raises(UsageError, match="must be A"):
        cms.add_archive_values(attrs.evolve(evidence, signature=lasting), at=LATER)


def test_only_a_value_that_is_there_is_replaced(lasting):
    with pytest.raises(UsageError, match="no such unsigned attribute"):
        asn1.replace_unsigned_value(lasting, 0, b"\x05\x00", b"\x05\x00")
    with pytest.raises(UsageError, match="number 7"):
        asn1.replace_unsigned_value(lasting, 7, b"\x05\x00", b"\x05\x00")


@pytest.fixture
def sandbox():
    with Sandbox() as world:
        yield world


@pytest.fixture
def doctor(sandbox):
    return sandbox.world.part(Pki).enrol(
        Authority.COMMERCIAL,
        common_name="Тестов Иван Ильич",
        surname="Тестов",
        given_names="Иван Ильич",
    )


@pytest.mark.parametrize("form", list(cms.Form)[1:])
def test_services_give_all_that_a_form_needs(sandbox, doctor, form):
    with sandbox.connect() as window:
        signature = window.pki.sign(CONTENT, doctor, stamped=False)
        longer = window.pki.extend(signature, CONTENT, form=form)
        assert cms.form_of(longer) is form
        assert window.pki.extend(longer, CONTENT, form=form) == longer
        assert window.pki.verify(longer, CONTENT, policy=cms.WITH_STAMP).report.passed


def test_a_lasting_signature_needs_no_service_to_be_verified(sandbox, doctor):
    with sandbox.connect() as window:
        lasting = window.pki.extend(window.pki.sign(CONTENT, doctor), CONTENT)
        sandbox.clock.advance(timedelta(minutes=1))
        asked = window.pki.verify(lasting, CONTENT, policy=cms.WITH_STAMP, ask=False)
    assert asked.report.passed, asked.report.explain_trust()


def test_the_async_window_extends_too(sandbox, doctor):
    async def main():
        async with sandbox.async_connect() as window:
            return await window.pki.extend(await window.pki.sign(CONTENT, doctor), CONTENT)

    assert cms.form_of(anyio.run(main)) is cms.Form.X_LONG_TYPE_1
