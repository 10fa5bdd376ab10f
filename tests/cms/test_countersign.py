"""Signatures on signatures: made, judged and reported."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from medsign import cms
from medsign.codec import asn1
from medsign.codec.asn1 import oids
from medsign.errors import UsageError

from .conftest import CONTENT, DAY, SIGNED, TC26_512_A, new_key

LATER = SIGNED + timedelta(hours=1)


@pytest.fixture(scope="module", params=[None, TC26_512_A], ids=["256", "512"])
def chief(request, authority):
    return authority.issue(curve=request.param) if request.param else authority.issue()


@pytest.fixture(scope="module")
def confirmed(stamped, chief):
    return cms.countersign(stamped, chief, at=SIGNED + timedelta(minutes=5))


def judged(authority, signature):
    given = cms.Evidence(
        signature=signature,
        content=CONTENT,
        trust=authority.trust,
        crls=(authority.crl(SIGNED - DAY),),
    )
    return cms.verify(given, at=LATER)


def test_a_countersignature_is_judged_with_the_signature(authority, confirmed, chief):
    report = judged(authority, confirmed)
    assert report.passed, report.explain_trust()
    (other,) = report.signers[0].countersigners
    assert other.passed, report.explain_trust()
    assert other.certificate == chief.certificate.fingerprint
    assert other.claimed_at == SIGNED + timedelta(minutes=5)


def test_a_countersignature_names_no_type_of_content(confirmed, stamped):
    after = asn1.decode_signed_data(confirmed)
    (value,) = after.signers[0].unsigned_values(oids.COUNTERSIGNATURE)
    assert bytes.fromhex("06092a864886f70d010903") not in value
    (before,) = asn1.decode_signed_data(stamped).signers
    assert after.signers[0].unsigned_attributes[:-1] == before.unsigned_attributes
    assert after.signers[0].signature == before.signature


def test_a_countersignature_of_another_signature_is_not_good(authority, confirmed, signer):
    (value,) = asn1.decode_signed_data(confirmed).signers[0].unsigned_values(oids.COUNTERSIGNATURE)
    another = cms.sign(CONTENT, signer, at=SIGNED, chain=[])
    moved = asn1.add_unsigned_attribute(another, 0, asn1.Attribute(oids.COUNTERSIGNATURE, (value,)))
    report = judged(authority, moved)
    assert report.passed
    (other,) = report.signers[0].countersigners
    assert other.sub_indication is cms.SubIndication.HASH_FAILURE


def test_a_countersigner_whom_nobody_vouches_for_is_reported_only(authority, stamped, confirmed):
    stranger = attrs.evolve(new_key(), owned=authority.stamper.certificate)
    report = judged(authority, cms.countersign(stamped, stranger, at=SIGNED))
    assert report.passed
    (other,) = report.signers[0].countersigners
    assert other.sub_indication is cms.SubIndication.SIG_CRYPTO_FAILURE
    assert any("Заверяющая подпись 1 к подписи 1" in each for each in report.explain_trust())


def test_what_cannot_be_read_is_no_countersignature(authority, stamped):
    junk = asn1.Attribute(oids.COUNTERSIGNATURE, (b"\x05\x00",))
    report = judged(authority, asn1.add_unsigned_attribute(stamped, 0, junk))
    assert report.passed
    assert report.signers[0].countersigners == ()


def test_a_countersignature_stands_in_every_report(authority, confirmed):
    report = judged(authority, confirmed)
    assert b'"countersigners":[{' in report.to_json().replace(b" ", b"").replace(b"\n", b"")
    assert "Заверяющая подпись 1 к подписи 1" in report.to_html()


def test_facts_about_countersignatures_are_stored(authority, confirmed):
    given = cms.Evidence(signature=confirmed, content=CONTENT, trust=authority.trust)
    facts = cms.collect(given, at=LATER)
    assert len(facts.signatures[0].countersignatures) == 1
    assert cms.Facts.from_json(facts.to_json()) == facts


def test_there_must_be_a_signature_to_confirm(stamped, chief):
    with pytest.raises(UsageError, match="number 1"):
        cms.countersign(stamped, chief, at=SIGNED, signer_index=1)


def test_the_certificate_is_sent_along_where_there_was_none(authority, signer, chief):
    (info,) = asn1.decode_signed_data(cms.sign(CONTENT, signer, at=SIGNED)).signers
    bare = asn1.encode_signed_data([info], content=None)
    confirmed = cms.countersign(bare, chief, at=SIGNED)
    assert asn1.decode_signed_data(confirmed).certificates == (chief.certificate,)
