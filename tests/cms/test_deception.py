"""What somebody who has the file, another certificate or a stolen key may try."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from medsign import cms, pdf
from medsign.cms.covered import hash_index, under_archive_stamp, under_evidence_stamp
from medsign.cms.facts import COMMITMENT, SIGNATURE_POLICY
from medsign.cms.sign import stamp_on
from medsign.codec.asn1 import (
    AlgorithmIdentifier,
    Attribute,
    IssuerAndSerial,
    RevokedEntry,
    SignerInfo,
    add_unsigned_attribute,
    decode_signed_data,
    decode_timestamp_response,
    der,
    encode_signed_attributes,
    encode_signed_data,
    extension_values,
    oids,
)
from medsign.codec.asn1.crl import IssuingDistributionPoint
from medsign.codec.asn1.door import SEQUENCE, SET, Limits, open_der
from medsign.gost import DigestAlgorithm, digest
from medsign.pki import issuing
from medsign.pki.signed import certificate_reference, make_signer_info
from medsign.pki.signing import sign, signature_algorithm
from medsign.pki.trust import TrustStore

from .conftest import CONTENT, DAY, HOUR, SIGNED, START, make_authority, new_key

LATER = SIGNED + HOUR
Sub = cms.SubIndication


@pytest.fixture(scope="module")
def verified(authority):
    def verified(
        signature, content=CONTENT, *, policy=cms.DEFAULT, at=LATER, by=cms.verify, **given
    ):
        known = {"trust": authority.trust, "crls": (authority.crl(at),)} | given
        evidence = cms.Evidence(signature=signature, content=content, **known)
        return by(evidence, policy=policy, at=at)

    return verified


@pytest.fixture(scope="module")
def swapped(detached, signer):
    """Return the signature with another content put inside."""
    (info,) = decode_signed_data(detached).signers
    return encode_signed_data([info], content=b"EVIL", certificates=[signer.certificate.der])


CONTENTS = {
    "octets": lambda _: CONTENT,
    "a file": lambda file: file,
    "a digest": lambda _: cms.ContentDigest.of(DigestAlgorithm.STREEBOG_256, [CONTENT]),
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_another_content_inside_is_seen_though_the_true_one_lies_beside(
    verified, swapped, tmp_path, kind
):
    file = tmp_path / "consent.txt"
    file.write_bytes(CONTENT)
    report = verified(swapped, CONTENTS[kind](file))
    assert report.sub_indication is Sub.HASH_FAILURE


@pytest.mark.parametrize("kind", CONTENTS)
def test_the_same_content_may_lie_inside_and_beside(verified, signer, tmp_path, kind):
    file = tmp_path / "consent.txt"
    file.write_bytes(CONTENT)
    attached = cms.sign(CONTENT, signer, at=SIGNED, detached=False)
    assert verified(attached, CONTENTS[kind](file)).passed


SERVER = attrs.evolve(issuing.QUALIFIED, purposes=(oids.SERVER_AUTH,), purposes_critical=True)


@pytest.mark.parametrize("template", [issuing.TIMESTAMP_SERVICE, issuing.OCSP_SERVICE, SERVER])
@pytest.mark.parametrize("policy", [cms.DEFAULT, cms.QUALIFIED])
def test_the_certificate_of_a_service_signs_no_document(verified, authority, template, policy):
    report = verified(
        cms.sign(CONTENT, authority.issue(template), at=SIGNED), policy=policy, at=LATER
    )
    assert report.sub_indication is Sub.CHAIN_CONSTRAINTS_FAILURE
    assert report.signers[0].qualification is not cms.Qualification.QUALIFIED


def test_a_purpose_of_a_service_besides_that_of_a_person_does_no_harm(verified, authority):
    both = (oids.EMAIL_PROTECTION, oids.SERVER_AUTH)
    owner = authority.issue(attrs.evolve(issuing.QUALIFIED, purposes=both))
    assert verified(cms.sign(CONTENT, owner, at=SIGNED)).passed


def test_a_time_stamp_is_no_signed_document(verified, authority):
    token = decode_timestamp_response(authority.stamp(b"x", SIGNED)).token
    report = verified(token.der, None)
    assert report.sub_indication is Sub.FORMAT_FAILURE
    assert "штамп времени" in report.signers[0].findings[0].evidence.detail


def test_a_signature_that_names_no_digest_is_malformed_and_proves_no_change(verified, signer):
    whole = encode_signed_attributes(
        content_type=oids.DATA,
        message_digest=bytes(32),
        signing_certificate=certificate_reference(signer.certificate, oids.STREEBOG_256),
    )
    listed = [each.der for each in open_der("attributes", whole, Limits(), SET).each(SEQUENCE, "")]
    rest = der.set_of(each for each in listed if der.oid(oids.MESSAGE_DIGEST) not in each)
    owner = signer.certificate
    info = SignerInfo(
        version=1,
        sid=IssuerAndSerial(owner.issuer, owner.serial_number),
        digest_algorithm=AlgorithmIdentifier(oids.STREEBOG_256),
        signature_algorithm=signature_algorithm(signer),
        signature=sign(signer, rest),
        signed_attributes_der=rest,
    )
    report = verified(encode_signed_data([info], content=None, certificates=[owner.der]))
    assert report.sub_indication is Sub.FORMAT_FAILURE
    assert "изменён" not in " ".join(report.explain_trust())


def test_another_content_inside_is_seen_in_a_pdf_too(verified, signer):
    pytest.importorskip("pyhanko", reason="needs the extra `pdf`")
    from tests.pdf.conftest import PAGE, revised

    signed = pdf.sign_pdf(revised(b"%PDF-1.7\n", PAGE), signer, at=SIGNED)
    (place,) = pdf.read_pdf_signatures(signed)
    (info,) = decode_signed_data(place.signature).signers
    evil = encode_signed_data([info], content=b"EVIL", certificates=[signer.certificate.der])
    _, end, start, _ = place.byte_range
    value = evil.hex().encode().ljust(start - end - 2, b"0")
    for document, expected in (
        (signed, None),
        (signed[:end] + b"<" + value + b">" + signed[start:], Sub.HASH_FAILURE),
    ):
        report = verified(document, None, by=pdf.verify_pdf)
        assert report.sub_indication is expected


MINUTE = timedelta(minutes=1)
STAMPED, SEALED = SIGNED + MINUTE, SIGNED + DAY
LEAKED, TODAY = SIGNED + 10 * DAY, SIGNED + 20 * DAY


@pytest.fixture(scope="module")
def below(authority):
    """Return an authority below the root."""
    key = new_key()
    certificate = issuing.issue_certificate(
        issuing.SUBORDINATE_CA,
        subject=issuing.subject_name(organization="Второй УЦ"),
        key=key.public_key,
        issuer=authority.root,
        not_before=START,
    )
    return attrs.evolve(authority, root=attrs.evolve(key, owned=certificate))


@pytest.fixture(scope="module")
def client(below):
    return below.issue()


@pytest.fixture(scope="module")
def long(authority, below, client):
    """Return CAdES-X Long by a client of the authority below."""
    signed = cms.sign(CONTENT, client, at=SIGNED, chain=[below.root.certificate])
    stamped = cms.add_timestamp(signed, authority.stamp(cms.signature_value(signed), STAMPED))
    evidence = cms.Evidence(
        signature=stamped,
        content=CONTENT,
        trust=authority.trust,
        crls=(authority.crl(STAMPED), below.crl(STAMPED)),
    )
    referring = cms.add_references(evidence, at=LATER)
    return cms.add_values(attrs.evolve(evidence, signature=referring), at=LATER)


@pytest.fixture(scope="module")
def bare(long):
    """Return the same with its time stamp and no evidence."""
    (info,) = decode_signed_data(long).signers
    (token,) = info.time_stamp_tokens
    return signature_with(long, Attribute(oids.SIGNATURE_TIME_STAMP, (token,)))


def signature_with(signature, *attributes):
    message = decode_signed_data(signature)
    (info,) = message.signers
    kept = attrs.evolve(info, unsigned_attributes=attributes)
    return encode_signed_data(
        [kept], content=None, certificates=[each.der for each in message.certificates]
    )


@pytest.fixture(scope="module")
def after_the_leak(verified, authority, below):
    def judged(signature, *crls, reason="cACompromise", answers=()):
        revoked = authority.crl(TODAY, (below.root.certificate, LEAKED), reason=reason)
        return verified(signature, at=TODAY + HOUR, crls=(revoked, *crls), by=with_answers(answers))

    return judged


def with_answers(answers):
    def verify(evidence, **how):
        return cms.verify(evidence.with_fetched(ocsp_responses=answers), **how)

    return verify


@pytest.mark.parametrize("made", [TODAY, LEAKED - DAY, STAMPED], ids=["after", "before", "then"])
def test_what_a_leaked_key_of_an_authority_says_proves_nothing(after_the_leak, below, bare, made):
    report = after_the_leak(bare, below.crl(made))
    assert report.sub_indication is Sub.TRY_LATER
    assert "удостоверяющий центр отозван" in " ".join(report.explain_trust())


def test_a_leaked_key_answers_no_better_by_ocsp(after_the_leak, below, client, bare):
    answer = below.ocsp(client.certificate, TODAY)
    assert after_the_leak(bare, answers=[answer]).sub_indication is Sub.TRY_LATER


def test_a_leaked_key_cannot_put_off_a_revocation(after_the_leak, below, client, bare):
    later = below.crl(TODAY, (client.certificate, SIGNED + DAY))
    assert after_the_leak(bare, later).sub_indication is Sub.TRY_LATER


def test_what_a_retired_authority_said_stays_good(after_the_leak, below, bare):
    assert after_the_leak(bare, below.crl(STAMPED), reason="cessationOfOperation").passed


def under_evidence(signature, authority, moment):
    """Return a signature with a time stamp on its references."""
    (info,) = decode_signed_data(signature).signers
    value = under_evidence_stamp(info)
    token = stamp_on(value, authority.stamp(value, moment))
    return add_unsigned_attribute(signature, 0, Attribute(oids.ESC_TIME_STAMP, (token,)))


def under_archive(signature, authority, moment, hash_oid=oids.STREEBOG_256):
    """Return a signature with an archive time stamp."""
    message = decode_signed_data(signature)
    (info,) = message.signers
    index = hash_index(message, info, hash_oid)
    value = under_archive_stamp(message, info, digest(DigestAlgorithm.STREEBOG_256, CONTENT), index)
    token = stamp_on(value, authority.stamp(value, moment))
    token = add_unsigned_attribute(token, 0, Attribute(oids.ARCHIVE_HASH_INDEX_V3, (index,)))
    return add_unsigned_attribute(signature, 0, Attribute(oids.ARCHIVE_TIME_STAMP_V3, (token,)))


@pytest.mark.parametrize("under_stamp", [under_evidence, under_archive])
def test_a_time_stamp_before_the_leak_keeps_the_word_of_an_authority(
    after_the_leak, authority, long, under_stamp
):
    assert after_the_leak(long).sub_indication is Sub.TRY_LATER
    for moment, passed in ((SEALED, True), (LEAKED, False)):
        report = after_the_leak(under_stamp(long, authority, moment))
        assert report.passed is passed, report.explain_trust()


@pytest.mark.parametrize("under_stamp", [under_evidence, under_archive])
def test_a_time_stamp_keeps_no_word_that_it_does_not_cover(
    after_the_leak, authority, below, long, bare, under_stamp
):
    sealed = under_stamp(bare, authority, SEALED)
    assert after_the_leak(sealed, below.crl(STAMPED)).sub_indication is Sub.TRY_LATER
    (info,) = decode_signed_data(long).signers
    (values,) = info.unsigned_values(oids.REVOCATION_VALUES)
    added = add_unsigned_attribute(sealed, 0, Attribute(oids.REVOCATION_VALUES, (values,)))
    assert after_the_leak(added).sub_indication is Sub.TRY_LATER


@pytest.mark.parametrize("under_stamp", [under_evidence, under_archive])
def test_a_time_stamp_keeps_what_the_former_one_holds(
    after_the_leak, authority, long, bare, under_stamp
):
    """CryptoPro puts evidence into the time stamp on the signature."""
    (info,) = decode_signed_data(long).signers
    values = Attribute(oids.REVOCATION_VALUES, info.unsigned_values(oids.REVOCATION_VALUES))
    full = add_unsigned_attribute(info.time_stamp_tokens[0], 0, values)
    held = signature_with(bare, Attribute(oids.SIGNATURE_TIME_STAMP, (full,)))
    assert not after_the_leak(held).passed
    assert after_the_leak(under_stamp(held, authority, SEALED)).passed


def test_an_archive_stamp_keeps_the_lists_beside_the_signature(
    after_the_leak, authority, below, bare
):
    def beside(signature, *crls):
        own = decode_signed_data(signature)
        certificates = [each.der for each in own.certificates]
        lists = [each.der for each in crls]
        return encode_signed_data(own.signers, content=None, certificates=certificates, crls=lists)

    true, late = below.crl(STAMPED), below.crl(TODAY)
    sealed = under_archive(beside(bare, true), authority, SEALED)
    assert after_the_leak(sealed).passed
    assert not after_the_leak(beside(sealed, true, late)).passed


def test_a_list_for_some_reasons_does_not_tell_of_what_was_before(
    verified, authority, signer, stamped
):
    moment = SIGNED + 10 * DAY
    partial = issuing.issue_crl(
        authority.root,
        number=3,
        this_update=moment,
        next_update=moment + 7 * DAY,
        entries=[
            RevokedEntry(
                serial_number=signer.certificate.serial_number,
                revocation_date=SIGNED + 5 * DAY,
                reason="affiliationChanged",
            )
        ],
        extensions=[
            extension_values.issuing_distribution_point(
                IssuingDistributionPoint(only_reasons=frozenset({"affiliationChanged"}))
            )
        ],
    )
    service = authority.ocsp(authority.stamper.certificate, moment)
    report = verified(stamped, at=moment + HOUR, crls=(partial,), by=with_answers([service]))
    assert report.sub_indication is Sub.TRY_LATER
    whole = authority.crl(moment, (signer.certificate, SIGNED + 5 * DAY))
    assert verified(stamped, at=moment + HOUR, crls=(whole,)).passed


def test_an_archive_stamp_by_a_weak_index_proves_nothing(verified, authority, stamped):
    archived = under_archive(stamped, authority, SIGNED + 5 * MINUTE, oids.SHA1)
    (signature,) = verified(archived).signers
    trusted = [each.passed for each in signature.findings if each.code == "STAMP_TRUSTED"]
    assert trusted == [True, False]


def test_a_stamp_of_a_stranger_does_not_move_the_search_for_a_chain(verified, authority):
    """The name of the authority had a root of its own, which has expired since."""
    key, name = new_key(), issuing.subject_name(organization="Второй УЦ")
    brief = attrs.evolve(issuing.ROOT_CA, lifetime=300 * DAY)
    former = issuing.issue_root(brief, subject=name, signer=key, not_before=START - 280 * DAY)
    crossed = issuing.issue_certificate(
        issuing.SUBORDINATE_CA,
        subject=name,
        key=key.public_key,
        issuer=authority.root,
        not_before=START - 10 * DAY,
    )
    other = attrs.evolve(authority, root=attrs.evolve(key, owned=crossed))
    signed = cms.sign(CONTENT, other.issue(), at=SIGNED)
    answer = make_authority().stamp(b"something else", START - 100 * DAY)
    token = decode_timestamp_response(answer).token.der
    spoiled = add_unsigned_attribute(signed, 0, Attribute(oids.SIGNATURE_TIME_STAMP, (token,)))
    given = {
        "trust": authority.trust | TrustStore([former]),
        "certificates": (crossed,),
        "crls": (authority.crl(LATER), other.crl(LATER)),
    }
    assert verified(signed, **given).passed
    assert verified(spoiled, **given).passed


POLICY = der.sequence(
    der.oid("1.2.643.999.1"),
    der.sequence(der.sequence(der.oid(oids.STREEBOG_256)), der.octets(bytes(32))),
)
RECEIPT = der.sequence(der.oid("1.2.840.113549.1.9.16.6.2"))
RESTRICTIONS = {
    "rules": (SIGNATURE_POLICY, POLICY, ["SIGNATURE_POLICY"], "Правила подписи"),
    "a receipt": (COMMITMENT, RECEIPT, [], "Что означает подпись"),
}


def restricted(signer, oid, value):
    info = make_signer_info(
        signer,
        content_type=oids.DATA,
        content_digest=digest(signer.digest_algorithm, CONTENT),
        signing_time=SIGNED,
        others=[Attribute(oid, (value,))],
    )
    return encode_signed_data([info], content=None, certificates=[signer.certificate.der])


@pytest.mark.parametrize("name", RESTRICTIONS)
def test_what_restricts_a_signature_and_was_not_read_is_told(verified, signer, name):
    oid, value, warned, detail = RESTRICTIONS[name]
    report = verified(restricted(signer, oid, value))
    assert report.passed
    (signature,) = report.signers
    assert [each.code for each in signature.failures(cms.Level.WARN)] == warned
    (told,) = (each for each in signature.findings if each.code == "EVIDENCE_JUDGED")
    assert told.evidence.detail == detail


def test_rules_that_are_only_implied_restrict_nothing(verified, signer):
    report = verified(restricted(signer, SIGNATURE_POLICY, der.null()))
    assert not {"SIGNATURE_POLICY", "EVIDENCE_JUDGED"} & {
        each.code for each in report.signers[0].findings
    }
