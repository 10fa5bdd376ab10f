"""One signature of a message: content, attributes, reference and value must agree."""

from __future__ import annotations

import attrs
import pytest

from medsign.codec.asn1 import (
    AlgorithmIdentifier,
    Attribute,
    GeneralName,
    decode_signed_data,
    der,
    encode_signed_attributes,
    encode_signed_data,
    oids,
)
from medsign.gost import DigestAlgorithm, digest
from medsign.pki.issuing import QUALIFIED
from medsign.pki.problems import ProblemCode
from medsign.pki.signatures import SignatureCheck, hash_octets
from medsign.pki.signed import certificate_reference, check_signer, make_signer_info, refers_to
from medsign.pki.signing import sign

CONTENT = "Тестовый документ".encode()


@pytest.fixture
def message(authority):
    """Return `message(**changes)`: a message of the person, its signature changed."""

    def make(
        *, signer=authority.person, content=CONTENT, detached=False, certified=True, **changes
    ):
        info = make_signer_info(
            signer,
            content_type=oids.DATA,
            content_digest=digest(signer.digest_algorithm, content),
        )
        return decode_signed_data(
            encode_signed_data(
                [attrs.evolve(info, **changes)],
                content=None if detached else content,
                certificates=[signer.certificate.der] if certified else [],
            )
        )

    return make


def check(message, content=None, **options):
    return check_signer(message, message.signers[0], content, **options)


def codes(facts):
    assert facts.is_intact == (not facts.problems)
    return {problem.code for problem in facts.problems}


def test_a_good_signature_is_intact(message, authority):
    facts = check(message())
    assert facts.is_intact
    assert facts.signature is SignatureCheck.VALID
    assert facts.certificate == authority.person.certificate


def test_a_detached_signature_needs_the_content_or_its_digest(message, authority):
    detached = message(detached=True)
    hashed = {oids.STREEBOG_256: digest(DigestAlgorithm.STREEBOG_256, CONTENT)}
    assert check(detached, CONTENT).is_intact
    assert check(detached, hashed).is_intact
    assert codes(check(detached)) == {ProblemCode.CONTENT_MISSING}
    assert codes(check(detached, {})) == {ProblemCode.CONTENT_MISSING}


def test_changed_content_is_told_from_a_changed_signature(message):
    detached = message(detached=True)
    facts = check(detached, CONTENT + b"!")
    assert codes(facts) == {ProblemCode.DIGEST_MISMATCH}
    assert facts.signature is SignatureCheck.VALID
    assert codes(check(message(signature=bytes(64)))) == {ProblemCode.SIGNATURE_INVALID}


def test_the_type_of_the_content_is_signed(message, authority):
    other = encode_signed_attributes(
        content_type=oids.TST_INFO,
        message_digest=digest(DigestAlgorithm.STREEBOG_256, CONTENT),
        signing_certificate=certificate_reference(authority.person.certificate, oids.STREEBOG_256),
    )
    changed = message(signed_attributes_der=other, signature=sign(authority.person, other))
    assert codes(check(changed)) == {ProblemCode.CONTENT_TYPE_MISMATCH}


def test_without_attributes_the_content_itself_is_signed(message, authority):
    bare = message(signed_attributes_der=None, signature=sign(authority.person, CONTENT))
    assert check(bare).is_intact
    assert codes(check(bare, b"other")) == {ProblemCode.SIGNATURE_INVALID}


@pytest.mark.parametrize("oid", [oids.GOST_KEY_256, oids.GOST_SIGNATURE_256])
def test_the_algorithm_may_be_named_by_the_key_or_by_the_signature(message, oid):
    assert check(message(signature_algorithm=AlgorithmIdentifier(oid))).is_intact


def test_an_algorithm_of_another_length_is_a_mismatch(message):
    longer = message(signature_algorithm=AlgorithmIdentifier(oids.GOST_SIGNATURE_512))
    assert codes(check(longer)) == {
        ProblemCode.ALGORITHM_MISMATCH,
        ProblemCode.SIGNATURE_INVALID,
    }


def test_a_foreign_algorithm_is_unsupported_and_not_bad(message):
    foreign = message(signature_algorithm=AlgorithmIdentifier("1.2.840.10040.4.3"))
    facts = check(foreign)
    assert facts.signature is SignatureCheck.UNSUPPORTED
    assert codes(facts) == {ProblemCode.ALGORITHM_UNSUPPORTED}
    assert not any(problem.code.conclusive for problem in facts.problems)


def test_the_signer_is_found_among_the_candidates(message, authority):
    bare = message(certified=False)
    assert codes(check(bare)) == {ProblemCode.SIGNER_UNKNOWN}
    everybody = [authority.ca.certificate, authority.person.certificate]
    assert check(bare, candidates=everybody).is_intact


def test_the_signer_may_be_named_by_the_key_identifier(message, authority):
    identifier = authority.person.certificate.subject_key_identifier
    assert check(message(version=3, sid=identifier)).is_intact


def test_a_planted_certificate_does_not_hide_the_real_one(message, authority):
    real = authority.person.certificate
    planted = attrs.evolve(authority.tsa.certificate, serial_number=real.serial_number)
    facts = check(message(certified=False), candidates=[planted, real])
    assert facts.certificate == real
    assert facts.is_intact


def test_a_reference_to_another_certificate_of_the_key_is_a_mismatch(message, authority):
    renewed = authority.certify(QUALIFIED, key=authority.person)
    signed = message(signer=renewed)
    own = authority.person.certificate
    sid = attrs.evolve(signed.signers[0].sid, serial_number=own.serial_number)
    changed = message(signer=renewed, sid=sid, certified=False)
    assert codes(check(changed, candidates=[own])) == {ProblemCode.SIGNING_CERTIFICATE_MISMATCH}


@pytest.fixture
def twice_named(message, authority):
    """Return `twice_named(certificate, reference)`: named by SHA-1 and by a reference as well."""

    def make(older, newer):
        digest_of_older = der.octets(hash_octets(oids.SHA1, older.der))
        old = der.sequence(der.sequence(der.sequence(digest_of_older)))
        attributes = encode_signed_attributes(
            content_type=oids.DATA,
            message_digest=digest(DigestAlgorithm.STREEBOG_256, CONTENT),
            signing_certificate=newer,
            others=[Attribute(oids.SIGNING_CERTIFICATE, (old,))],
        )
        return message(
            signed_attributes_der=attributes, signature=sign(authority.person, attributes)
        )

    return make


@pytest.mark.parametrize("named", [("person", "ca"), ("ca", "person")])
def test_each_signed_reference_must_name_the_signer(twice_named, authority, named):
    older, newer = (getattr(authority, each).certificate for each in named)
    changed = twice_named(older, certificate_reference(newer, oids.STREEBOG_256))
    assert codes(check(changed)) == {ProblemCode.SIGNING_CERTIFICATE_MISMATCH}


def test_a_second_reference_by_an_unknown_digest_must_not_name_another(twice_named, authority):
    own = authority.person.certificate
    unknown = attrs.evolve(
        certificate_reference(own, oids.STREEBOG_256), hash_oid=oids.GOST_DIGEST_94
    )
    another = attrs.evolve(unknown, serial_number=1)
    assert check(twice_named(own, unknown)).is_intact
    assert codes(check(twice_named(own, another))) == {ProblemCode.SIGNING_CERTIFICATE_MISMATCH}


@pytest.mark.parametrize("oid", [oids.SHA1, oids.SHA256, oids.STREEBOG_256, oids.STREEBOG_512])
def test_a_reference_fits_its_certificate_only(authority, oid):
    reference = certificate_reference(authority.person.certificate, oid)
    assert refers_to(reference, authority.person.certificate)
    assert not refers_to(reference, authority.tsa.certificate)
    assert not refers_to(attrs.evolve(reference, serial_number=1), authority.person.certificate)
    assert reference.digest == hash_octets(oid, authority.person.certificate.der)


def test_a_reference_by_an_unknown_digest_fits_nothing(authority):
    reference = certificate_reference(authority.person.certificate, oids.SHA1)
    unknown = attrs.evolve(reference, hash_oid=oids.GOST_DIGEST_94)
    assert not refers_to(unknown, authority.person.certificate)


def test_content_of_another_type_needs_signed_attributes(message, authority):
    bare = message(signed_attributes_der=None, signature=sign(authority.person, CONTENT))
    typed = attrs.evolve(bare, content_type=oids.TST_INFO)
    assert codes(check(typed)) == {ProblemCode.CONTENT_TYPE_MISMATCH}


def test_a_reference_names_the_issuer_too(authority):
    reference = certificate_reference(authority.person.certificate, oids.STREEBOG_256)
    elsewhere = (GeneralName("directory", authority.root.certificate.subject),)
    other = attrs.evolve(reference, issuer=elsewhere)
    assert not refers_to(other, authority.person.certificate)
