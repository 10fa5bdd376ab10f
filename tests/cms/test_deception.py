"""What somebody who has the file, another certificate or a stolen key may try."""

from __future__ import annotations

import attrs
import pytest

from medsign import cms, pdf
from medsign.codec.asn1 import (
    AlgorithmIdentifier,
    IssuerAndSerial,
    SignerInfo,
    decode_signed_data,
    decode_timestamp_response,
    der,
    encode_signed_attributes,
    encode_signed_data,
    oids,
)
from medsign.codec.asn1.door import SEQUENCE, SET, Limits, open_der
from medsign.gost import DigestAlgorithm
from medsign.pki import issuing
from medsign.pki.signed import certificate_reference
from medsign.pki.signing import sign, signature_algorithm

from .conftest import CONTENT, HOUR, SIGNED

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
