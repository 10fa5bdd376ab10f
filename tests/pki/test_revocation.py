"""Revocation: what lists and answers say, and when they are not believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.codec.asn1 import (
    Extension,
    GeneralName,
    IssuingDistributionPoint,
    RevokedEntry,
    SingleResponse,
    decode_basic_ocsp_response,
    decode_crl,
    decode_ocsp_request,
    decode_ocsp_response,
    oids,
)
from medsign.codec.asn1 import extension_values as ext
from medsign.errors import Unavailable
from medsign.pki.claims import Claim, EvidencePolicy
from medsign.pki.issuing import (
    OCSP_SERVICE,
    QUALIFIED,
    ROOT_CA,
    SUBORDINATE_CA,
    issue_crl,
    issue_root,
    subject_name,
)
from medsign.pki.ocsp import ocsp_cert_id, ocsp_request, ocsp_response
from medsign.pki.problems import Problem, ProblemCode
from medsign.pki.revocation import RevocationEvidence, check_revocation, decide_revocation
from medsign.signers import SoftwareKey

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NONCE = b"0123456789abcdef"


@pytest.fixture
def crl(authority, now):
    """Return `crl(reason=…)`: a list of the authority, with the person on it if there is one."""

    def make(reason=None, *, since=-2 * HOUR, made=-HOUR, next_update=DAY, issuer=None, **options):
        entry = RevokedEntry(
            serial_number=authority.person.certificate.serial_number,
            revocation_date=now + since,
            reason=reason,
        )
        return issue_crl(
            issuer or authority.ca,
            number=1,
            this_update=now + made,
            next_update=next_update and now + next_update,
            entries=[entry] if reason else (),
            **options,
        )

    return make


@pytest.fixture
def answer(authority, now):
    """Return `answer(status)`: an answer of the authority's service about the person."""

    def make(
        status="good",
        *,
        signer=None,
        made=-HOUR,
        next_update=DAY,
        produced=timedelta(0),
        since=-2 * HOUR,
        reason=None,
        hash_oid=oids.SHA1,
        nonce=None,
        about=None,
        **options,
    ):
        single = SingleResponse(
            cert_id=about
            or ocsp_cert_id(authority.person.certificate, authority.ca.certificate, hash_oid),
            status=status,
            this_update=now + made,
            next_update=next_update and now + next_update,
            revoked_at=now + since if status == "revoked" else None,
            reason=reason,
            **options,
        )
        signed = ocsp_response(
            [single], signer or authority.responder, produced_at=now + produced, nonce=nonce
        )
        return decode_ocsp_response(signed).basic

    return make


@pytest.fixture
def check(authority, now):
    """Return `check(*evidence)`: the facts about the person."""

    def checked(*evidence, at=now, certificate=authority.person.certificate, **options):
        lists = tuple(each for each in evidence if hasattr(each, "entries"))
        answers = tuple(each for each in evidence if not hasattr(each, "entries"))
        return check_revocation(
            certificate,
            authority.ca.certificate,
            RevocationEvidence(crls=lists, responses=answers),
            at=at,
            **options,
        )

    return checked


def codes(facts):
    return {problem.code for problem in facts.problems}


def test_without_evidence_the_status_is_unknown(check):
    facts = check()
    assert (facts.status, facts.source, codes(facts)) == (
        "unknown",
        None,
        {ProblemCode.NO_EVIDENCE},
    )


def test_a_fresh_list_without_the_certificate_says_good(check, crl, now):
    facts = check(crl())
    assert (facts.status, facts.source, facts.evidence_time) == ("good", "crl", now - HOUR)
    assert not facts.problems


NEVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("kind", ["crl", "answer"])
def test_evidence_with_no_end_says_good(request, check, now, kind):
    made = request.getfixturevalue(kind)
    assert check(made(next_update=NEVER - now)).status == "good"


@pytest.mark.parametrize("kind", ["crl", "answer"])
def test_evidence_from_the_end_of_the_calendar_is_from_the_future(request, check, now, kind):
    made = request.getfixturevalue(kind)(made=NEVER - now, next_update=None)
    assert ProblemCode.FROM_THE_FUTURE in codes(check(made))


def test_a_list_with_the_certificate_says_revoked(check, crl, now):
    facts = check(crl("keyCompromise"))
    assert (facts.status, facts.reason, facts.revoked_at) == (
        "revoked",
        "keyCompromise",
        now - 2 * HOUR,
    )
    assert codes(facts) == {ProblemCode.REVOKED}


def test_a_revocation_after_the_moment_does_not_count_but_is_told(check, crl, now):
    facts = check(crl("keyCompromise"), at=now - 3 * HOUR, now=now)
    assert (facts.status, facts.revoked_at) == ("good", now - 2 * HOUR)


def test_a_stale_list_does_not_say_good(check, crl):
    facts = check(crl(next_update=-10 * timedelta(minutes=1)))
    assert (facts.status, codes(facts)) == ("unknown", {ProblemCode.STALE})


def test_a_stale_list_still_says_revoked(check, crl):
    assert check(crl("superseded", next_update=-HOUR / 2)).status == "revoked"


def test_a_list_without_the_next_update_grows_old(check, crl):
    stale = crl(made=-2 * DAY, next_update=None)
    assert codes(check(stale)) == {ProblemCode.STALE}
    assert check(stale, policy=EvidencePolicy(max_age=3 * DAY)).status == "good"


def test_a_list_from_the_future_is_not_believed(check, crl, now):
    future = crl(made=HOUR)
    assert codes(check(future)) == {ProblemCode.FROM_THE_FUTURE}
    assert check(future, now=now + HOUR).status == "good"


def test_a_list_made_after_the_expiry_does_not_say_good(authority, crl, now):
    old = authority.certify(attrs.evolve(QUALIFIED, lifetime=DAY), not_before=now - 2 * DAY)
    facts = check_revocation(
        old.certificate,
        authority.ca.certificate,
        RevocationEvidence(crls=(crl(),)),
        at=now - DAY - HOUR,
        now=now,
    )
    assert (facts.status, codes(facts)) == ("unknown", {ProblemCode.AFTER_EXPIRY})


def test_a_changed_list_is_not_believed(check, crl):
    good, bad = crl(), crl("keyCompromise")
    for each in (good, bad):
        changed = decode_crl(each.der[:-1] + bytes((each.der[-1] ^ 1,)))
        facts = check(changed)
        assert (facts.status, codes(facts)) == ("unknown", {ProblemCode.EVIDENCE_SIGNATURE})


def test_a_list_of_another_issuer_says_nothing(check, crl, authority):
    facts = check(crl("keyCompromise", issuer=authority.root))
    assert codes(facts) == {ProblemCode.NO_EVIDENCE}


def test_a_list_by_another_key_of_the_issuer_says_nothing(check, crl, authority, now):
    key = SoftwareKey.generate()
    namesake = key.certified(
        issue_root(ROOT_CA, subject=authority.ca.certificate.subject, signer=key, not_before=now)
    )
    assert codes(check(crl("keyCompromise", issuer=namesake))) == {ProblemCode.NO_EVIDENCE}


def test_a_list_by_a_key_that_may_not_sign_lists_is_not_believed(authority, crl, now):
    template = attrs.evolve(SUBORDINATE_CA, key_usage=("keyCertSign",))
    ca = authority.certify(template, issuer=authority.root)
    person = authority.certify(QUALIFIED, issuer=ca)
    facts = check_revocation(
        person.certificate, ca.certificate, RevocationEvidence(crls=(crl(issuer=ca),)), at=now
    )
    assert codes(facts) == {ProblemCode.KEY_USAGE}


@pytest.mark.parametrize(
    "point",
    [
        IssuingDistributionPoint(only_ca_certificates=True),
        IssuingDistributionPoint(only_attribute_certificates=True),
        IssuingDistributionPoint(only_reasons=frozenset({"keyCompromise"})),
    ],
)
def test_a_list_about_others_does_not_say_good(check, crl, point):
    facts = check(crl(extensions=[ext.issuing_distribution_point(point)]))
    assert codes(facts) == {ProblemCode.OUT_OF_SCOPE}


def test_a_list_about_owners_says_good_of_an_owner(check, crl):
    point = IssuingDistributionPoint(only_user_certificates=True)
    assert check(crl(extensions=[ext.issuing_distribution_point(point)])).status == "good"


@pytest.mark.parametrize(
    "extension",
    [ext.delta_crl_indicator(0), Extension("1.2.643.100.999", critical=True, value=b"\x05\x00")],
    ids=["delta", "unknown critical"],
)
def test_a_partial_list_says_revoked_and_never_good(check, crl, extension):
    assert codes(check(crl(extensions=[extension]))) == {ProblemCode.OUT_OF_SCOPE}
    assert check(crl("keyCompromise", extensions=[extension])).status == "revoked"


@pytest.mark.parametrize("hash_oid", [oids.SHA1, oids.STREEBOG_256, oids.STREEBOG_512])
def test_an_answer_is_found_by_any_known_digest(check, answer, hash_oid):
    facts = check(answer(hash_oid=hash_oid))
    assert (facts.status, facts.source) == ("good", "ocsp")


def test_the_request_names_the_certificate_and_the_nonce(authority):
    certificate, issuer = authority.person.certificate, authority.ca.certificate
    request = decode_ocsp_request(
        ocsp_request(certificate, issuer, NONCE, hash_oid=oids.STREEBOG_256)
    )
    assert request.items == (ocsp_cert_id(certificate, issuer, oids.STREEBOG_256),)
    assert request.nonce == NONCE


def test_a_request_by_an_unknown_digest_is_refused(authority):
    with pytest.raises(Unavailable):
        ocsp_request(
            authority.person.certificate, authority.ca.certificate, hash_oid=oids.GOST_DIGEST_94
        )


def test_the_issuer_itself_may_answer(check, answer, authority):
    assert check(answer(signer=authority.ca)).status == "good"


def test_an_answer_says_since_when_and_why_it_is_revoked(check, answer, now):
    facts = check(answer("revoked", reason="cessationOfOperation"))
    assert (facts.status, facts.reason, facts.revoked_at) == (
        "revoked",
        "cessationOfOperation",
        now - 2 * HOUR,
    )


def test_an_unknown_certificate_is_not_good(check, answer):
    facts = check(answer("unknown"))
    assert (facts.status, codes(facts)) == ("unknown", {ProblemCode.UNKNOWN_STATUS})


def test_an_answer_about_another_certificate_says_nothing(check, answer, authority):
    other = ocsp_cert_id(authority.tsa.certificate, authority.ca.certificate)
    assert codes(check(answer(about=other))) == {ProblemCode.NO_EVIDENCE}


def test_an_answer_about_a_namesake_of_the_issuer_says_nothing(check, answer, authority):
    other = ocsp_cert_id(authority.person.certificate, authority.root.certificate)
    assert codes(check(answer(about=other))) == {ProblemCode.NO_EVIDENCE}


def test_a_stale_answer_does_not_say_good_but_says_revoked(check, answer):
    assert codes(check(answer(next_update=-HOUR / 2))) == {ProblemCode.STALE}
    assert check(answer("revoked", next_update=-HOUR / 2)).status == "revoked"


def test_an_answer_from_the_future_is_not_believed(check, answer):
    assert codes(check(answer(made=HOUR, produced=HOUR))) == {ProblemCode.FROM_THE_FUTURE}


def test_a_changed_answer_is_not_believed(check, answer):
    genuine = answer()
    at = genuine.der.index(genuine.signature)
    der = bytearray(genuine.der)
    der[at] ^= 1
    facts = check(decode_basic_ocsp_response(bytes(der)))
    assert codes(facts) == {ProblemCode.EVIDENCE_SIGNATURE}


def test_a_nonce_must_be_repeated(check, answer):
    assert check(answer(nonce=NONCE), nonce=NONCE).status == "good"
    assert codes(check(answer(nonce=NONCE[::-1]), nonce=NONCE)) == {ProblemCode.NONCE_MISMATCH}
    assert codes(check(answer(), nonce=NONCE)) == {ProblemCode.NONCE_MISSING}


def test_a_service_may_be_let_off_the_nonce_but_not_contradict_it(check, answer):
    policy = EvidencePolicy(nonce_required=False)
    assert check(answer(), nonce=NONCE, policy=policy).status == "good"
    contradicting = check(answer(nonce=NONCE[::-1]), nonce=NONCE, policy=policy)
    assert codes(contradicting) == {ProblemCode.NONCE_MISMATCH}


def test_a_service_without_the_purpose_is_refused(check, answer, authority):
    facts = check(answer(signer=authority.person))
    assert codes(facts) == {ProblemCode.RESPONDER_REFUSED}


def test_a_service_of_another_authority_is_refused_unless_it_is_trusted(check, answer, authority):
    foreign = authority.certify(OCSP_SERVICE, issuer=authority.root)
    assert codes(check(answer(signer=foreign))) == {ProblemCode.RESPONDER_REFUSED}
    assert check(answer(signer=foreign), responders=[foreign.certificate]).status == "good"


def test_a_service_whose_certificate_says_the_right_name_only_is_refused(check, answer, authority):
    key = SoftwareKey.generate()
    forged = key.certified(
        issue_root(
            attrs.evolve(ROOT_CA, purposes=(oids.OCSP_SIGNING,)),
            subject=authority.ca.certificate.subject,
            signer=key,
            not_before=authority.ca.certificate.not_before,
        )
    )
    assert ProblemCode.RESPONDER_REFUSED in codes(check(answer("revoked", signer=forged)))


def test_an_expired_service_is_refused(check, answer, authority, now):
    short = attrs.evolve(OCSP_SERVICE, lifetime=DAY)
    expired = authority.certify(short, not_before=now - 2 * DAY)
    assert codes(check(answer(signer=expired))) == {ProblemCode.EXPIRED}


def test_a_revoked_service_is_refused(check, answer, crl, authority, now):
    entry = RevokedEntry(
        serial_number=authority.responder.certificate.serial_number, revocation_date=now - DAY
    )
    without_owner = issue_crl(
        authority.ca,
        number=2,
        this_update=now - 3 * DAY,
        next_update=now - 2 * DAY,
        entries=[entry],
    )
    facts = check(answer(), without_owner)
    assert facts.status == "unknown"
    assert ProblemCode.RESPONDER_REFUSED in codes(facts)


@pytest.mark.parametrize(
    "reason, since, status",
    [
        ("superseded", HOUR, "good"),
        ("superseded", timedelta(0), "unknown"),
        ("superseded", -HOUR, "unknown"),
        ("keyCompromise", HOUR, "unknown"),
        (None, HOUR, "unknown"),
    ],
)
def test_what_a_service_said_before_its_key_was_retired_stays_good(
    check, answer, authority, now, reason, since, status
):
    entry = RevokedEntry(
        serial_number=authority.responder.certificate.serial_number,
        revocation_date=now - 20 * HOUR + since,
        reason=reason,
    )
    about_service = issue_crl(
        authority.ca,
        number=2,
        this_update=now - 3 * HOUR,
        next_update=now - 2 * HOUR,
        entries=[entry],
    )
    said = answer(made=-21 * HOUR, produced=-20 * HOUR)
    assert check(said, about_service).status == status


def test_a_service_that_an_answer_calls_revoked_is_refused(check, answer, authority):
    own, issuer = authority.responder.certificate, authority.ca.certificate
    about_service = answer(
        "revoked", signer=authority.ca, about=ocsp_cert_id(own, issuer), reason="keyCompromise"
    )
    assert ProblemCode.RESPONDER_REFUSED in codes(check(answer(), about_service))
    cleared = answer(signer=authority.ca, about=ocsp_cert_id(own, issuer))
    assert check(answer(), cleared).status == "good"


def test_a_crowd_of_answers_never_says_good(check, answer):
    policy = EvidencePolicy(max_statements=2)
    few = [answer(made=-number * HOUR) for number in (1, 2)]
    assert check(*few, policy=policy).status == "good"
    crowd = [*few, answer("revoked", reason="superseded")]
    assert codes(check(*crowd, policy=policy)) == {ProblemCode.BUDGET_EXCEEDED}


@pytest.mark.parametrize(
    "oid, critical, status",
    [
        (oids.CRYPTOPRO_INSTANT_REVOCATION, True, "good"),
        (oids.CRYPTOPRO_EXPIRED_KEY_STATUS, False, "good"),
        (oids.CRYPTOPRO_EXPIRED_KEY_STATUS, True, "unknown"),
        ("1.2.643.100.999", True, "unknown"),
    ],
)
def test_an_answer_with_a_critical_extension_that_is_not_processed_does_not_say_good(
    check, answer, oid, critical, status
):
    extension = Extension(oid, critical=critical, value=b"\x05\x00")
    for changed in (
        attrs.evolve(answer(), extensions=(extension,)),
        attrs.evolve(
            (given := answer()),
            single_responses=(attrs.evolve(given.single_responses[0], extensions=(extension,)),),
        ),
    ):
        facts = check(changed)
        assert facts.status == status
        assert (codes(facts) == {ProblemCode.EVIDENCE_EXTENSION}) == (status == "unknown")


def test_one_word_of_revocation_outweighs_any_number_of_good_ones(check, crl, answer):
    assert check(answer(), crl(), crl("keyCompromise", made=-5 * DAY)).status == "revoked"


def test_a_suspension_gives_way_to_newer_good_evidence(check, crl, answer):
    hold = crl("certificateHold", since=-3 * DAY, made=-3 * DAY, next_update=-2 * DAY)
    assert check(hold).status == "revoked"
    assert check(hold, crl()).status == "good"
    assert check(hold, answer()).status == "good"


def test_a_suspension_stands_at_a_moment_before_the_good_evidence(check, crl, now):
    hold = crl("certificateHold", since=-3 * DAY, made=-3 * DAY, next_update=-2 * DAY)
    assert check(hold, crl(), at=now - 2 * DAY, now=now).status == "revoked"


def test_a_certificate_taken_off_a_list_is_not_revoked_by_it(check, crl):
    assert check(crl("removeFromCRL")).status == "good"


@given(
    made=st.lists(
        st.tuples(
            st.sampled_from(["good", "revoked", "unknown"]), st.integers(-9, 9), st.booleans()
        ),
        max_size=5,
    )
)
def test_only_genuine_claims_decide_and_revocation_always_wins(now, made):
    forged = (Problem(ProblemCode.EVIDENCE_SIGNATURE),)
    claims = tuple(
        Claim(
            source="crl",
            fingerprint=str(number),
            status=status,
            this_update=now + days * DAY,
            next_update=None,
            revoked_at=now + days * DAY if status == "revoked" else None,
            forged=() if genuine else forged,
        )
        for number, (status, days, genuine) in enumerate(made)
    )
    genuine = {(status, days <= 0) for status, days, is_genuine in made if is_genuine}
    said = {status for status, _ in genuine}
    expected = "unknown"
    if ("revoked", True) in genuine:
        expected = "revoked"
    elif said & {"good", "revoked"}:
        expected = "good"
    assert decide_revocation(claims, at=now).status == expected


def test_no_claim_shows_personal_data(check, answer):
    assert "Тестова" not in repr(check(answer()))


def test_evidence_is_added_up(crl, answer):
    both = RevocationEvidence(crls=(crl(),)) | RevocationEvidence(responses=(answer(),))
    assert (len(both.crls), len(both.responses)) == (1, 1)


def test_an_old_certificate_of_the_service_does_not_hide_the_new_one(check, authority, now):
    subject = subject_name(organization="Служба с двумя сертификатами")
    old, new = (authority.certify(OCSP_SERVICE, subject=subject) for _ in range(2))
    cert_id = ocsp_cert_id(authority.person.certificate, authority.ca.certificate)
    status = SingleResponse(
        cert_id=cert_id, status="good", this_update=now - HOUR, next_update=now + DAY
    )
    signed = ocsp_response([status], new, produced_at=now, by_name=True)
    bare = attrs.evolve(decode_ocsp_response(signed).basic, certificates=())
    facts = check(bare, candidates=[old.certificate, new.certificate])
    assert facts.status == "good"
    assert facts.claim.responder == new.certificate


def test_the_service_is_found_among_the_certificates_at_hand(check, answer, authority):
    genuine = answer()
    bare = attrs.evolve(genuine, certificates=())
    assert codes(check(bare)) == {ProblemCode.NO_RESPONDER}
    assert check(bare, candidates=[authority.responder.certificate]).status == "good"


def test_a_revocation_counts_from_its_very_moment(check, crl, now):
    since = now - 2 * HOUR
    assert check(crl("superseded"), at=since, now=now).status == "revoked"
    earlier = since - timedelta(seconds=1)
    assert check(crl("superseded"), at=earlier, now=now).status == "good"


def test_the_two_names_of_the_algorithm_of_a_list_must_agree(check, crl):
    genuine = crl()
    other = attrs.evolve(genuine.signature_algorithm, oid=oids.GOST_SIGNATURE_512)
    changed = attrs.evolve(genuine, tbs_signature_algorithm=other)
    assert codes(check(changed)) == {ProblemCode.ALGORITHM_MISMATCH}


def test_a_list_of_another_distribution_point_does_not_say_good(authority, crl, now):
    here, there = (GeneralName("uri", f"http://ca.test.invalid/{n}.crl") for n in range(2))
    person = authority.certify(attrs.evolve(QUALIFIED, crl_urls=(here.value,)))

    def status(place):
        point = ext.issuing_distribution_point(IssuingDistributionPoint(names=(place,)))
        evidence = RevocationEvidence(crls=(crl(extensions=[point]),))
        return check_revocation(
            person.certificate, authority.ca.certificate, evidence, at=now
        ).status

    assert (status(here), status(there)) == ("good", "unknown")


def test_a_list_with_a_line_that_cannot_be_read_does_not_say_good(check, crl, now):
    unknown = Extension("1.2.643.100.999", critical=True, value=b"\x05\x00")
    line = RevokedEntry(serial_number=1, revocation_date=now, extensions=(unknown,))
    assert codes(check(attrs.evolve(crl(), entries=(line,)))) == {ProblemCode.OUT_OF_SCOPE}


def test_a_service_may_not_answer_before_its_certificate(check, answer, authority, now):
    early = authority.certify(OCSP_SERVICE, not_before=now + HOUR)
    assert codes(check(answer(signer=early))) == {ProblemCode.NOT_YET_VALID}


def test_a_service_must_be_allowed_to_sign(check, answer, authority):
    template = attrs.evolve(OCSP_SERVICE, key_usage=("keyAgreement",))
    assert codes(check(answer(signer=authority.certify(template)))) == {ProblemCode.KEY_USAGE}


def test_an_answer_signed_in_the_future_is_not_believed(check, answer):
    assert codes(check(answer(produced=HOUR))) == {ProblemCode.FROM_THE_FUTURE}


def test_a_service_of_a_namesake_key_under_another_name_is_refused(check, answer, authority):
    other = authority.certify(
        SUBORDINATE_CA,
        issuer=authority.root,
        subject=subject_name(organization="Другой УЦ"),
        key=authority.ca,
    )
    responder = authority.certify(OCSP_SERVICE, issuer=other)
    assert codes(check(answer(signer=responder))) == {ProblemCode.RESPONDER_REFUSED}


def test_an_answer_after_the_expiry_says_good_only_with_an_archive(authority, answer, now):
    short = attrs.evolve(QUALIFIED, lifetime=DAY)
    old = authority.certify(short, not_before=now - 2 * DAY).certificate

    def status(**options):
        about = ocsp_cert_id(old, authority.ca.certificate)
        evidence = RevocationEvidence(responses=(answer(about=about, **options),))
        at = old.not_after - HOUR
        return check_revocation(old, authority.ca.certificate, evidence, at=at, now=now)

    assert codes(status()) == {ProblemCode.AFTER_EXPIRY}
    assert status(archive_cutoff=now - 9 * DAY).status == "good"
    assert codes(status(archive_cutoff=now - HOUR)) == {ProblemCode.AFTER_EXPIRY}


@pytest.mark.parametrize("kind", ["answer", "list"])
def test_evidence_that_ends_before_it_begins_does_not_say_good(check, answer, crl, now, kind):
    made, ends = -timedelta(hours=1), -timedelta(hours=2)
    if kind == "answer":
        evidence = answer(made=made, next_update=ends)
    else:
        evidence = crl(made=made, next_update=ends)
    before = now - timedelta(hours=3)
    facts = check(evidence, at=before, now=now)
    assert facts.status == "unknown"
    assert ProblemCode.STALE in codes(facts)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (None, "good"),
        (ProblemCode.FROM_THE_FUTURE, "good"),
        (ProblemCode.OUT_OF_SCOPE, "unknown"),  # for other reasons it may be revoked already
        (ProblemCode.BUDGET_EXCEEDED, "unknown"),  # and so it may be in what was not weighed
        (ProblemCode.EVIDENCE_EXTENSION, "unknown"),
    ],
)
def test_a_later_revocation_shows_good_before_only_where_nothing_is_left_open(now, code, expected):
    claim = Claim(
        source="crl",
        fingerprint="later",
        status="revoked",
        this_update=now + DAY,
        next_update=now + 2 * DAY,
        revoked_at=now + timedelta(hours=1),
        unfit=(Problem(code, "later"),) if code else (),
    )
    facts = decide_revocation((claim,), at=now)
    assert (facts.status, facts.revoked_at) == (expected, claim.revoked_at)


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["good", "revoked"], ("revoked", "keyCompromise")),
        (["revoked", "good"], ("revoked", "keyCompromise")),
        (["good", "unknown"], ("unknown", None)),
    ],
)
def test_of_several_statements_in_one_answer_the_gravest_counts(
    authority, check, now, statuses, expected
):
    own, issuer = authority.person.certificate, authority.ca.certificate
    singles = [
        SingleResponse(
            cert_id=ocsp_cert_id(own, issuer, hash_oid),
            status=status,
            this_update=now - HOUR,
            revoked_at=now - HOUR if status == "revoked" else None,
            reason="keyCompromise" if status == "revoked" else None,
        )
        for status, hash_oid in zip(statuses, (oids.SHA1, oids.STREEBOG_256), strict=True)
    ]
    both = decode_ocsp_response(ocsp_response(singles, authority.responder, produced_at=now))
    facts = check(both.basic)
    assert (facts.status, facts.reason) == expected


def test_a_final_revocation_goes_before_a_suspension_in_the_same_answer(authority, check, now):
    own, issuer = authority.person.certificate, authority.ca.certificate
    singles = [
        SingleResponse(
            cert_id=ocsp_cert_id(own, issuer),
            status="revoked",
            this_update=now - 3 * HOUR,
            revoked_at=now - since * HOUR,
            reason=reason,
        )
        for reason, since in (("certificateHold", 9), ("keyCompromise", 4))
    ]
    both = decode_ocsp_response(ocsp_response(singles, authority.responder, produced_at=now))
    assert check(both.basic).reason == "keyCompromise"
