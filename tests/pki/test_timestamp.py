"""Time stamps: a stamp proves nothing unless every check holds."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from medsign.codec.asn1 import (
    Extension,
    GeneralName,
    MessageImprint,
    decode_signed_data,
    decode_timestamp_request,
    decode_timestamp_response,
    encode_signed_attributes,
    encode_signed_data,
    encode_timestamp_response,
    encode_tst_info,
    oids,
)
from medsign.codec.asn1 import extension_values as ext
from medsign.codec.asn1.keys import AlgorithmIdentifier
from medsign.gost import DigestAlgorithm, digest
from medsign.pki.issuing import QUALIFIED, TIMESTAMP_SERVICE, subject_name
from medsign.pki.problems import ProblemCode
from medsign.pki.signed import make_signer_info
from medsign.pki.signing import sign
from medsign.pki.timestamp import (
    check_timestamp,
    check_timestamp_response,
    message_imprint,
    timestamp_request,
    timestamp_response,
)
from medsign.pki.trust import TrustStore

DATA = b"value of a signature"
POLICY = "1.2.643.2.2.38.4"
DAY = timedelta(days=1)


def ask(data=DATA, *, nonce=7, policy=None, cert_req=True):
    request = timestamp_request(
        message_imprint(data), nonce=nonce, policy=policy, cert_req=cert_req
    )
    return decode_timestamp_request(request)


@pytest.fixture
def stamp(authority, now):
    """Return `stamp(request)`: what the service answers."""

    def stamped(request=None, *, signer=None, gen_time=now):
        answer = timestamp_response(
            request or ask(),
            signer or authority.tsa,
            policy=POLICY,
            serial_number=1,
            gen_time=gen_time,
        )
        return decode_timestamp_response(answer)

    return stamped


@pytest.fixture
def check(authority):
    """Return `check(response, request)`: the facts."""

    def checked(response, request=None, trust=authority.trust):
        return check_timestamp_response(
            response, request or ask(), trust, intermediates=[authority.ca.certificate]
        )

    return checked


def codes(facts):
    assert facts.is_valid == (not facts.problems)
    return {problem.code for problem in facts.problems}


def test_a_stamp_proves_a_moment(stamp, check, authority, now):
    facts = check(stamp())
    assert facts.is_valid
    assert facts.gen_time == now
    assert facts.certificate == authority.tsa.certificate
    assert facts.path.anchor == authority.root.certificate


def test_a_stamp_is_checked_against_the_data_themselves(stamp, authority):
    def check(data):
        return check_timestamp(
            stamp().token, data, authority.trust, intermediates=[authority.ca.certificate]
        )

    assert check(DATA).is_valid
    assert codes(check(DATA + b"!")) == {ProblemCode.IMPRINT_MISMATCH}


def test_a_stamp_on_other_data_is_refused(stamp, check):
    assert codes(check(stamp(ask(b"other")))) == {ProblemCode.IMPRINT_MISMATCH}


def test_a_digest_by_another_algorithm_is_another_imprint(stamp, check):
    octets = digest(DigestAlgorithm.STREEBOG_256, DATA)
    renamed = MessageImprint(AlgorithmIdentifier(oids.SHA256), octets)
    request = decode_timestamp_request(timestamp_request(renamed, nonce=7))
    assert codes(check(stamp(), request)) == {ProblemCode.IMPRINT_MISMATCH}


def test_a_stamp_for_another_request_is_refused(stamp, check):
    assert codes(check(stamp(ask(nonce=8)))) == {ProblemCode.NONCE_MISMATCH}
    assert codes(check(stamp(ask(nonce=None)))) == {ProblemCode.NONCE_MISSING}


def test_a_stamp_by_another_policy_is_refused(stamp, check):
    assert codes(check(stamp(), ask(policy="1.2.3"))) == {ProblemCode.POLICY_MISMATCH}
    assert check(stamp(), ask(policy=POLICY)).is_valid


def test_a_refusal_is_told_with_its_reason(check):
    refusal = encode_timestamp_response(status="rejection", failure="badAlg")
    facts = check(decode_timestamp_response(refusal))
    assert codes(facts) == {ProblemCode.NOT_GRANTED}
    assert facts.problems[0].detail == "rejection badAlg"


def test_a_changed_stamp_is_refused(stamp, check):
    response = stamp()
    signature = response.token.signers[0].signature
    changed = response.der.replace(signature, bytes((signature[0] ^ 1,)) + signature[1:])
    assert codes(check(decode_timestamp_response(changed))) == {ProblemCode.SIGNATURE_INVALID}


def test_a_stamp_with_changed_content_is_refused(stamp, check):
    response = stamp()
    content = response.token.content
    forged = content.replace(b"\x02\x01\x01", b"\x02\x01\x02")
    changed = response.der.replace(content, forged)
    assert ProblemCode.DIGEST_MISMATCH in codes(check(decode_timestamp_response(changed)))


@pytest.mark.parametrize(
    "template",
    [
        QUALIFIED,
        attrs.evolve(TIMESTAMP_SERVICE, purposes_critical=False),
        attrs.evolve(TIMESTAMP_SERVICE, purposes=(oids.TIME_STAMPING, oids.CLIENT_AUTH)),
        attrs.evolve(TIMESTAMP_SERVICE, purposes=()),
    ],
    ids=["an owner", "not critical", "not alone", "no purpose"],
)
def test_a_service_must_have_the_sole_critical_purpose(stamp, check, authority, template):
    signer = authority.certify(template)
    assert codes(check(stamp(signer=signer))) == {ProblemCode.PURPOSE}


def test_a_service_must_be_allowed_to_sign(stamp, check, authority):
    template = attrs.evolve(TIMESTAMP_SERVICE, key_usage=("keyAgreement",))
    assert codes(check(stamp(signer=authority.certify(template)))) == {ProblemCode.KEY_USAGE}


def test_a_service_must_be_trusted(stamp, check):
    assert codes(check(stamp(), trust=TrustStore())) == {ProblemCode.NO_ANCHOR}


def test_the_chain_of_the_service_is_checked_for_the_time_of_the_stamp(stamp, check, authority):
    later = authority.tsa.certificate.not_after + DAY
    assert codes(check(stamp(gen_time=later))) == {ProblemCode.EXPIRED}


def test_a_stamp_without_a_certificate_needs_one_at_hand(stamp, check, authority):
    request = ask(cert_req=False)
    response = stamp(request)
    assert codes(check(response, request)) == {ProblemCode.SIGNER_UNKNOWN}
    at_hand = [authority.ca.certificate, authority.tsa.certificate]
    assert check_timestamp(response.token, DATA, authority.trust, intermediates=at_hand).is_valid


def test_a_stamp_that_refers_to_another_certificate_is_refused(stamp, check, authority, now):
    content = stamp().token.content
    renewed = authority.certify(TIMESTAMP_SERVICE, key=authority.tsa)
    info = make_signer_info(
        renewed,
        content_type=oids.TST_INFO,
        content_digest=digest(renewed.digest_algorithm, content),
        signing_time=now,
    )
    own = authority.tsa.certificate
    info = attrs.evolve(
        info, sid=attrs.evolve(info.sid, serial_number=own.serial_number, issuer=own.issuer)
    )
    token = encode_signed_data(
        [info], content=content, content_type=oids.TST_INFO, certificates=[own.der]
    )
    response = decode_timestamp_response(encode_timestamp_response(token))
    assert codes(check(response)) == {ProblemCode.SIGNING_CERTIFICATE_MISMATCH}


def test_a_signature_that_is_no_stamp_is_refused(authority):
    info = make_signer_info(
        authority.tsa,
        content_type=oids.DATA,
        content_digest=digest(authority.tsa.digest_algorithm, DATA),
    )
    token = decode_signed_data(encode_signed_data([info], content=DATA))
    facts = check_timestamp(token, DATA, authority.trust)
    assert [each.code for each in facts.problems] == [ProblemCode.NOT_A_TIMESTAMP]


@pytest.mark.parametrize(
    "imprint, policy, failure",
    [
        (MessageImprint(AlgorithmIdentifier(oids.SHA256), bytes(32)), None, "badAlg"),
        (MessageImprint(AlgorithmIdentifier(oids.STREEBOG_256), b"1"), None, "badDataFormat"),
        (message_imprint(DATA), "1.2.3", "unacceptedPolicy"),
    ],
)
def test_the_service_says_why_it_does_not_stamp(stamp, imprint, policy, failure):
    request = decode_timestamp_request(timestamp_request(imprint, nonce=1, policy=policy))
    response = stamp(request)
    assert (response.token, response.failure) == (None, {failure})


def test_a_stamp_shows_no_data_of_the_owner(stamp, check):
    assert "Служба" not in repr(check(stamp()))


def test_a_stamp_must_refer_to_the_certificate_of_its_service(stamp, check, authority):
    content = stamp().token.content
    attributes = encode_signed_attributes(
        content_type=oids.TST_INFO,
        message_digest=digest(authority.tsa.digest_algorithm, content),
    )
    info = attrs.evolve(
        stamp().token.signers[0],
        signed_attributes_der=attributes,
        signature=sign(authority.tsa, attributes),
    )
    assert codes(check(response_of([info], content, authority))) == {
        ProblemCode.NO_SIGNING_CERTIFICATE
    }


def test_a_stamp_has_one_signature(stamp, check, authority):
    token = stamp().token
    facts = check(response_of([*token.signers] * 2, token.content, authority))
    assert [each.code for each in facts.problems] == [ProblemCode.NOT_A_TIMESTAMP]


def test_the_service_refuses_an_extension_that_it_does_not_know(stamp):
    unknown = Extension("1.2.643.100.999", critical=False, value=b"\x05\x00")
    response = stamp(attrs.evolve(ask(), extensions=(unknown,)))
    assert response.failure == {"unacceptedExtension"}


def named_stamp(authority, now, tsa, owner=None):
    """Return a stamp that calls its service by a name."""
    owner = owner or authority.tsa
    content = encode_tst_info(
        policy=POLICY, imprint=ask().imprint, serial_number=1, gen_time=now, nonce=7, tsa=tsa
    )
    info = make_signer_info(
        owner,
        content_type=oids.TST_INFO,
        content_digest=digest(owner.digest_algorithm, content),
        signing_time=now,
    )
    token = encode_signed_data(
        [info], content=content, content_type=oids.TST_INFO, certificates=[owner.certificate.der]
    )
    return decode_timestamp_response(encode_timestamp_response(token))


def test_a_stamp_may_call_its_service_by_the_name_in_its_certificate(check, authority, now):
    own = GeneralName("directory", authority.tsa.certificate.subject)
    assert check(named_stamp(authority, now, own)).is_valid


def test_a_stamp_may_call_its_service_by_another_name_of_it(check, authority, now):
    names = (
        GeneralName("dns", "tsa.test"),
        GeneralName("directory", subject_name(organization="Служба")),
    )
    others = (ext.subject_alternative_name(*names),)
    owner = authority.certify(attrs.evolve(TIMESTAMP_SERVICE, others=others), key=authority.tsa)
    for name in names:
        assert check(named_stamp(authority, now, name, owner)).is_valid


@pytest.mark.parametrize(
    "name",
    [
        GeneralName("directory", subject_name(organization="Другая служба")),
        GeneralName("dns", "tsa.test"),
    ],
)
def test_a_stamp_that_calls_its_service_by_a_foreign_name_is_refused(check, authority, now, name):
    facts = check(named_stamp(authority, now, name))
    assert codes(facts) == {ProblemCode.SIGNING_CERTIFICATE_MISMATCH}


def response_of(signers, content, authority):
    token = encode_signed_data(
        signers,
        content=content,
        content_type=oids.TST_INFO,
        certificates=[authority.tsa.certificate.der],
    )
    return decode_timestamp_response(encode_timestamp_response(token))
