"""The verdict as a pure function: facts in, report out, no cryptography."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign import cms
from medsign.cms.facts import SIGNATURE_POLICY
from medsign.cms.messages import MESSAGES
from medsign.codec.asn1 import oids
from medsign.errors import UsageError
from medsign.pki.problems import Problem, ProblemCode

Sub = cms.SubIndication
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
GOLDEN = Path(__file__).parent / "golden" / "facts.json"


def good(at=AT - DAY, source="crl"):
    return cms.StatusFacts(
        status="good",
        source=source,
        fingerprint="c0" * 32,
        this_update=at,
        next_update=at + 7 * DAY,
    )


def revoked(since, at=AT - DAY, reason="superseded"):
    return attrs.evolve(good(at), status="revoked", revoked_at=since, reason=reason)


def certificate(print_="aa", statuses=(), start=AT - 100 * DAY, end=AT + 100 * DAY):
    return cms.CertificateFacts(
        fingerprint=print_ * 32,
        serial_number=print_,
        not_before=start,
        not_after=end,
        algorithm=oids.GOST_SIGNATURE_256,
        statuses=tuple(statuses),
    )


ROOT = certificate("ff", start=AT - 4000 * DAY, end=AT + 4000 * DAY)
CHAIN = cms.ChainFacts(certificates=(certificate(statuses=[good()]), ROOT), anchored=True)
STAMP = cms.StampFacts(
    fingerprint="55" * 32,
    stamped_at=AT - DAY,
    not_later_than=AT - DAY + timedelta(seconds=1),
    header_sound=True,
    chain=cms.ChainFacts(
        certificates=(certificate("dd", statuses=[good()], end=AT + 2000 * DAY), ROOT),
        anchored=True,
    ),
)


def of_service(**changes):
    """Return the stamp with another certificate of its service."""
    service, *above = STAMP.chain.certificates
    changed = (attrs.evolve(service, **changes), *above)
    return attrs.evolve(STAMP, chain=attrs.evolve(STAMP.chain, certificates=changed))


SIGNATURE = cms.SignatureFacts(
    algorithms=(oids.STREEBOG_256, oids.GOST_KEY_256),
    content_present=True,
    signed_attributes=True,
    header_sound=True,
    content_intact=True,
    signature_valid=True,
    certificate_reference="match",
    claimed_at=AT - DAY,
    chain=CHAIN,
)


def facts(**changes):
    return cms.Facts(fingerprint="00" * 32, signatures=(attrs.evolve(SIGNATURE, **changes),))


def with_signer(**changes):
    return chain(attrs.evolve(CHAIN.certificates[0], **changes), ROOT)


def chain(*certificates, **changes):
    return facts(chain=attrs.evolve(CHAIN, certificates=certificates, **changes))


def with_authority(**changes):
    authority = attrs.evolve(certificate("bb", statuses=[good()]), **changes)
    return chain(CHAIN.certificates[0], authority, ROOT)


LISTED = cms.AccreditationFacts(
    at=CHAIN.certificates[0].not_before,
    as_of=AT - DAY,
    source="1a" * 32,
    authority="Тестовый УЦ",
    status="Действует",
    accredited=True,
)
ENDED = attrs.evolve(LISTED, status="Прекращена", accredited=False)
QUALIFIED_FACTS = {
    "tool_classes": ("КС1", "КС2"),
    "accredited_at_issue": LISTED,
    "accredited_at_signing": (attrs.evolve(LISTED, at=AT),),
}
BROKEN_RULE = Problem(ProblemCode.KEY_USAGE, "aa" * 32)
EXPIRED = AT - timedelta(hours=1)
#: The facts, the sub-indication of the verdict, and the policy where it is not the default one.
CASES = {
    "nothing is wrong": (facts(), None),
    "not a signature": (cms.Facts(fingerprint="00" * 32, malformed="why"), Sub.FORMAT_FAILURE),
    "no signatures": (cms.Facts(fingerprint="00" * 32), Sub.FORMAT_FAILURE),
    "content changed": (facts(content_intact=False), Sub.HASH_FAILURE),
    "value wrong": (facts(signature_valid=False), Sub.SIG_CRYPTO_FAILURE),
    "changed and also untrusted": (
        facts(content_intact=False, chain=attrs.evolve(CHAIN, anchored=False)),
        Sub.HASH_FAILURE,
    ),
    "no certificate": (
        facts(chain=None, signature_valid=None),
        Sub.NO_SIGNING_CERTIFICATE_FOUND,
    ),
    "another certificate": (
        facts(certificate_reference="mismatch"),
        Sub.NO_SIGNING_CERTIFICATE_FOUND,
    ),
    "no content": (
        facts(content_present=False, content_intact=None),
        Sub.SIGNED_DATA_NOT_FOUND,
    ),
    "content of an unknown digest": (
        facts(content_intact=None),
        Sub.CRYPTO_CONSTRAINTS_FAILURE,
    ),
    "unknown algorithm": (facts(signature_valid=None), Sub.CRYPTO_CONSTRAINTS_FAILURE),
    "forbidden algorithm": (
        facts(algorithms=(oids.GOST_DIGEST_94,)),
        Sub.CRYPTO_CONSTRAINTS_FAILURE,
    ),
    "forbidden algorithm of an authority": (
        with_signer(algorithm=oids.GOST_SIGNATURE_2001),
        Sub.CRYPTO_CONSTRAINTS_FAILURE,
    ),
    "algorithm of the past": (
        facts(),
        Sub.CRYPTO_CONSTRAINTS_FAILURE_NO_POE,
        cms.Policy(
            name="strict",
            algorithms={**cms.DEFAULT.algorithms, oids.STREEBOG_256: AT - timedelta(hours=1)},
        ),
    ),
    "algorithm of the past, stamped": (
        facts(stamps=(STAMP,)),
        None,
        cms.Policy(
            name="strict",
            algorithms={**cms.DEFAULT.algorithms, oids.STREEBOG_256: AT - timedelta(hours=1)},
        ),
    ),
    "no signed attributes": (facts(signed_attributes=False), Sub.SIG_CONSTRAINTS_FAILURE),
    "contradiction inside": (
        facts(problems=(Problem(ProblemCode.CONTENT_TYPE_MISMATCH),)),
        Sub.SIG_CONSTRAINTS_FAILURE,
    ),
    "header changed": (facts(header_sound=False), Sub.SIG_CONSTRAINTS_FAILURE),
    "rules that nobody read": (facts(unjudged=(SIGNATURE_POLICY,)), None),
    "rules that must be read": (
        facts(unjudged=(SIGNATURE_POLICY,)),
        Sub.SIGNATURE_POLICY_NOT_AVAILABLE,
        cms.Policy(name="rules", levels={"SIGNATURE_POLICY": cms.Level.FAIL}),
    ),
    "no reference to the certificate": (facts(certificate_reference="absent"), None),
    "no root": (
        facts(chain=attrs.evolve(CHAIN, anchored=False)),
        Sub.NO_CERTIFICATE_CHAIN_FOUND,
    ),
    "broken rule": (
        facts(chain=attrs.evolve(CHAIN, problems=(BROKEN_RULE,))),
        Sub.CHAIN_CONSTRAINTS_FAILURE,
    ),
    "not a qualified certificate": (facts(profile=("profile.tool_class",)), None),
    "not a qualified certificate where one is required": (
        facts(profile=("profile.tool_class",)),
        Sub.CHAIN_CONSTRAINTS_FAILURE,
        cms.QUALIFIED,
    ),
    "qualified where that is required": (facts(**QUALIFIED_FACTS), None, cms.QUALIFIED),
    "an authority that was not accredited": (
        facts(**QUALIFIED_FACTS | {"accredited_at_issue": ENDED}),
        Sub.CHAIN_CONSTRAINTS_FAILURE,
        cms.QUALIFIED,
    ),
    "an authority whose accreditation ended later": (
        facts(**QUALIFIED_FACTS | {"accredited_at_signing": (ENDED,)}),
        None,
        cms.QUALIFIED,
    ),
    "no list of accredited authorities": (facts(), Sub.GENERIC, cms.QUALIFIED),
    "a list older than the certificate": (
        facts(
            **QUALIFIED_FACTS | {"accredited_at_issue": attrs.evolve(LISTED, as_of=LISTED.at - DAY)}
        ),
        Sub.GENERIC,
        cms.QUALIFIED,
    ),
    "no class of the tool": (facts(**QUALIFIED_FACTS | {"tool_classes": ()}), None, cms.QUALIFIED),
    "not yet valid": (with_signer(not_before=AT + DAY), Sub.NOT_YET_VALID),
    "claimed before it was valid": (
        with_signer(not_before=AT - timedelta(hours=1)),
        Sub.SIG_CONSTRAINTS_FAILURE,
    ),
    "expired by the signer's own word": (with_signer(not_after=AT - 2 * DAY), Sub.EXPIRED),
    "expired since": (with_signer(not_after=EXPIRED), Sub.OUT_OF_BOUNDS_NO_POE),
    "expired after the stamp": (
        facts(chain=with_signer(not_after=EXPIRED).signatures[0].chain, stamps=(STAMP,)),
        None,
    ),
    "authority expired": (with_authority(not_after=EXPIRED), Sub.OUT_OF_BOUNDS_NO_POE),
    "revoked by the signer's own word": (
        with_signer(statuses=(revoked(AT - 2 * DAY),)),
        Sub.REVOKED,
    ),
    "revoked since": (with_signer(statuses=(revoked(EXPIRED, AT),)), Sub.REVOKED_NO_POE),
    "revoked after the stamp": (
        facts(
            chain=with_signer(statuses=(revoked(EXPIRED, AT),)).signatures[0].chain,
            stamps=(STAMP,),
        ),
        None,
    ),
    "authority revoked": (
        with_authority(statuses=(revoked(EXPIRED, AT),)),
        Sub.REVOKED_CA_NO_POE,
    ),
    "a hold that was lifted": (
        with_signer(
            statuses=(
                revoked(AT - 9 * DAY, AT - 8 * DAY, reason="certificateHold"),
                good(AT - timedelta(days=2)),
            )
        ),
        None,
    ),
    "no evidence of status": (with_signer(statuses=()), Sub.TRY_LATER),
    "no evidence of status of an authority": (with_authority(statuses=()), Sub.TRY_LATER),
    "stale evidence": (with_signer(statuses=(good(AT - 30 * DAY),)), Sub.TRY_LATER),
    "evidence from the future": (with_signer(statuses=(good(AT + DAY),)), Sub.TRY_LATER),
    "unsafe without evidence": (
        with_signer(statuses=()),
        None,
        cms.Policy(name="unsafe-offline", revocation=cms.UnsafeNoRevocation()),
    ),
    "both kinds of evidence required": (
        facts(),
        Sub.TRY_LATER,
        cms.Policy(name="both", revocation=cms.AllOf((cms.Ocsp(), cms.Crl()))),
    ),
    "both kinds of evidence given": (
        with_signer(statuses=(good(), good(source="ocsp"))),
        None,
        cms.Policy(name="both", revocation=cms.AllOf((cms.Ocsp(), cms.Crl()))),
    ),
    "younger evidence required": (
        facts(),
        Sub.TRY_LATER,
        cms.Policy(name="young", revocation=cms.Crl(max_age=timedelta(hours=2))),
    ),
    "no requirement is no way to pass": (
        facts(),
        Sub.TRY_LATER,
        cms.Policy(name="empty", revocation=cms.AllOf(())),
    ),
    "no alternative is no way to pass": (
        facts(),
        Sub.TRY_LATER,
        cms.Policy(name="empty", revocation=cms.AnyOf(())),
    ),
    "stamp before the claim": (
        facts(claimed_at=AT, stamps=(STAMP,)),
        Sub.TIMESTAMP_ORDER_FAILURE,
    ),
    "a fast clock beyond the end of the certificate, stamped within": (
        facts(
            chain=with_signer(not_after=AT - timedelta(hours=1)).signatures[0].chain,
            claimed_at=AT,
            stamps=(STAMP,),
        ),
        Sub.TIMESTAMP_ORDER_FAILURE,
    ),
    "a fast clock beyond a revocation, stamped before it": (
        facts(
            chain=with_signer(statuses=(revoked(EXPIRED, AT),)).signatures[0].chain,
            claimed_at=AT,
            stamps=(STAMP,),
        ),
        Sub.TIMESTAMP_ORDER_FAILURE,
    ),
    "a slow clock before the certificate, stamped within": (
        facts(claimed_at=AT - 1000 * DAY, stamps=(STAMP,)),
        Sub.SIG_CONSTRAINTS_FAILURE,
    ),
    "a slow clock where only integrity is asked": (
        facts(claimed_at=AT - 1000 * DAY),
        None,
        cms.UNSAFE_INTEGRITY,
    ),
    "a stamp before the certificate": (
        facts(
            chain=with_signer(not_before=AT - timedelta(hours=1)).signatures[0].chain,
            claimed_at=None,
            stamps=(STAMP,),
        ),
        Sub.NOT_YET_VALID,
    ),
    "a stamp before its service began": (
        facts(stamps=(of_service(not_before=AT - timedelta(hours=1)),)),
        Sub.NO_POE,
        cms.WITH_STAMP,
    ),
    "a service retired after the stamp": (
        facts(stamps=(of_service(statuses=(revoked(EXPIRED, AT),)),)),
        None,
        cms.WITH_STAMP,
    ),
    "a service retired before the stamp": (
        facts(stamps=(of_service(statuses=(revoked(AT - 2 * DAY, AT),)),)),
        Sub.NO_POE,
        cms.WITH_STAMP,
    ),
    "a service in bad hands after the stamp": (
        facts(stamps=(of_service(statuses=(revoked(EXPIRED, AT, "keyCompromise"),)),)),
        Sub.NO_POE,
        cms.WITH_STAMP,
    ),
    "a service retired and in bad hands": (
        facts(
            stamps=(
                of_service(statuses=(revoked(EXPIRED, AT), revoked(EXPIRED, AT, "keyCompromise"))),
            )
        ),
        Sub.NO_POE,
        cms.WITH_STAMP,
    ),
    "stamp required": (facts(), Sub.NO_POE, cms.WITH_STAMP),
    "stamp given": (facts(stamps=(STAMP,)), None, cms.WITH_STAMP),
    "stamp on something else": (
        facts(stamps=(attrs.evolve(STAMP, problems=(Problem(ProblemCode.IMPRINT_MISMATCH),)),)),
        Sub.NO_POE,
        cms.WITH_STAMP,
    ),
    "stamp with a changed header": (
        facts(stamps=(attrs.evolve(STAMP, header_sound=False),)),
        Sub.NO_POE,
        cms.WITH_STAMP,
    ),
    "stamp of nobody": (
        facts(stamps=(attrs.evolve(STAMP, chain=None),)),
        Sub.NO_POE,
        cms.WITH_STAMP,
    ),
    "stamp from the future": (
        facts(stamps=(attrs.evolve(STAMP, stamped_at=AT + DAY, not_later_than=AT + DAY),)),
        Sub.NO_POE,
        cms.WITH_STAMP,
    ),
    "unreadable stamp": (
        facts(stamps=(cms.StampFacts(fingerprint="55" * 32),)),
        Sub.NO_POE,
        cms.WITH_STAMP,
    ),
    "damaged stamp must not be there": (
        facts(stamps=(cms.StampFacts(fingerprint="55" * 32),)),
        Sub.GENERIC,
        cms.Policy(name="no damage", levels={"STAMP_TRUSTED": cms.Level.FAIL}),
    ),
}


def decided(case):
    what, expected, *policy = case
    return cms.decide(what, policy[0] if policy else cms.DEFAULT, at=AT), expected


@pytest.mark.parametrize("name", CASES)
def test_each_case_has_its_verdict(name):
    report, expected = decided(CASES[name])
    assert report.sub_indication is expected
    assert report.passed is (expected is None)


@pytest.mark.parametrize("name", CASES)
def test_stored_facts_are_decided_alike(name):
    what, _, *policy = CASES[name]
    again = cms.Facts.from_json(what.to_json())
    assert again == what
    assert cms.decide(again, *policy, at=AT) == decided(CASES[name])[0]


def test_facts_stored_by_an_earlier_release_are_decided_as_then():
    stored = cms.Facts.from_json(GOLDEN.read_bytes())
    report = cms.decide(stored, cms.WITH_STAMP, at=AT)
    assert report.passed
    assert report.signers[0].holder is not None
    assert report.signers[0].holder.surname == "Тестова"
    assert cms.decide(stored, at=AT + 4000 * DAY).sub_indication is Sub.OUT_OF_BOUNDS_NO_POE


def test_every_sub_indication_has_a_case():
    assert {case[1] for case in CASES.values()} == {None, *Sub}


def test_every_check_fails_in_some_case():
    failed = {
        finding.code
        for case in CASES.values()
        for report in [decided(case)[0]]
        for finding in (*report.findings, *(f for each in report.signers for f in each.findings))
        if not finding.passed
    }
    elsewhere = {"PDF_COVERED", "PDF_UNCHANGED", "PDF_COMPARED"}
    assert MESSAGES.keys() - failed == {"KEY_IN_TIME", *elsewhere}


def test_a_key_used_after_its_period_is_worth_a_warning():
    report = cms.decide(facts(key_until=AT - 2 * DAY), at=AT)
    assert report.passed
    assert [each.code for each in report.signers[0].failures(cms.Level.WARN)] == ["KEY_IN_TIME"]


def test_an_expired_service_of_stamps_proves_nothing_by_default():
    service, root = STAMP.chain.certificates
    old = attrs.evolve(
        STAMP,
        chain=attrs.evolve(
            STAMP.chain, certificates=(attrs.evolve(service, not_after=EXPIRED), root)
        ),
    )
    lenient = cms.Policy(name="archive", stamp_at_its_own_time=True)
    assert cms.decide(facts(stamps=(old,)), at=AT).signers[0].proved_by == "verification"
    assert cms.decide(facts(stamps=(old,)), lenient, at=AT).signers[0].proved_by == "time stamp"


def test_the_earliest_stamp_counts():
    later = attrs.evolve(STAMP, stamped_at=AT, not_later_than=AT)
    report = cms.decide(facts(stamps=(later, STAMP)), at=AT)
    assert report.signers[0].proved_at == STAMP.not_later_than


@pytest.mark.parametrize(
    ("shift", "by"),
    [(timedelta(days=400), "verification"), (timedelta(minutes=4), "time stamp")],
    ids=["inexact", "ahead"],
)
def test_a_stamp_proves_nothing_later_than_the_verdict(shift, by):
    late = attrs.evolve(STAMP, not_later_than=AT + shift)
    what = facts(chain=with_signer(not_after=AT).signatures[0].chain, stamps=(late,))
    report = cms.decide(what, at=AT)
    assert report.passed
    assert (report.signers[0].proved_at, report.signers[0].proved_by) == (AT, by)
    (signature,) = what.signatures
    assert all(each.at <= AT for each in cms.proofs_of_existence(signature, at=AT))


@pytest.mark.req("F381")
def test_a_document_for_the_state_service_needs_a_qualified_certificate():
    plain = facts(profile=("profile.tool_class",))
    assert not cms.decide(plain, cms.QUALIFIED, at=AT).passed
    assert cms.decide(facts(**QUALIFIED_FACTS), cms.QUALIFIED, at=AT).passed


KINDS = {
    "all is well": ({}, cms.Qualification.QUALIFIED),
    "the form is another": ({"profile": ("profile.tool_class",)}, cms.Qualification.NON_QUALIFIED),
    "not accredited": ({"accredited_at_issue": ENDED}, cms.Qualification.NON_QUALIFIED),
    "no list": ({"accredited_at_issue": None}, cms.Qualification.UNKNOWN),
    "an old list": (
        {"accredited_at_issue": attrs.evolve(LISTED, as_of=LISTED.at - DAY)},
        cms.Qualification.UNKNOWN,
    ),
    "an old list that does not know the authority": (
        {"accredited_at_issue": attrs.evolve(ENDED, as_of=LISTED.at - DAY)},
        cms.Qualification.UNKNOWN,
    ),
    "changed content": ({"content_intact": False}, cms.Qualification.UNKNOWN),
    "nobody trusted": ({"chain": attrs.evolve(CHAIN, anchored=False)}, cms.Qualification.UNKNOWN),
}


@pytest.mark.parametrize("policy", [cms.DEFAULT, cms.QUALIFIED])
@pytest.mark.parametrize("name", KINDS)
def test_a_signature_is_called_qualified_only_when_all_is_known_and_well(name, policy):
    changes, expected = KINDS[name]
    (signer,) = cms.decide(facts(**QUALIFIED_FACTS | changes), policy, at=AT).signers
    assert signer.qualification is expected
    assert signer.qualification_ru in "\n".join(
        cms.decide(facts(**QUALIFIED_FACTS | changes), policy, at=AT).explain_trust()
    )


def test_a_list_made_on_the_moment_of_issue_is_new_enough():
    same = attrs.evolve(LISTED, as_of=LISTED.at)
    (signer,) = cms.decide(facts(**QUALIFIED_FACTS | {"accredited_at_issue": same}), at=AT).signers
    assert signer.qualification is cms.Qualification.QUALIFIED


def test_a_policy_without_trust_calls_nothing_qualified():
    report = cms.decide(facts(**QUALIFIED_FACTS), cms.UNSAFE_INTEGRITY, at=AT)
    assert report.passed
    assert report.signers[0].qualification is cms.Qualification.UNKNOWN


def test_what_the_list_says_stands_as_evidence_in_the_finding():
    what = facts(**QUALIFIED_FACTS | {"accredited_at_issue": ENDED})
    (signer,) = cms.decide(what, at=AT).signers
    (finding,) = [each for each in signer.findings if each.code == "ACCREDITED"]
    evidence = finding.evidence
    assert (evidence.source, evidence.moment) == (ENDED.source, ENDED.at)
    assert evidence.certificate == ROOT.fingerprint
    assert evidence.detail == "Тестовый УЦ: Прекращена"


def test_the_worst_signature_names_the_verdict():
    three = cms.Facts(
        fingerprint="00" * 32,
        signatures=(
            SIGNATURE,
            attrs.evolve(SIGNATURE, content_intact=False),
            attrs.evolve(SIGNATURE, chain=attrs.evolve(CHAIN, anchored=False)),
        ),
    )
    report = cms.decide(three, at=AT)
    assert report.sub_indication is Sub.HASH_FAILURE
    assert [each.passed for each in report.signers] == [True, False, False]


def test_the_moment_must_be_aware():
    with pytest.raises(UsageError):
        cms.decide(facts(), at=AT.replace(tzinfo=None))


@given(
    hours=st.integers(-2000, 2000),
    expiry=st.integers(-2000, 2000),
    revocation=st.none() | st.integers(-2000, 2000),
)
def test_nothing_passes_outside_validity_or_after_revocation(hours, expiry, revocation):
    hour = timedelta(hours=1)
    at = AT + hours * hour
    statuses = [good(at)]
    if revocation is not None:
        statuses = [revoked(AT + revocation * hour, at)]
    what = with_signer(not_after=AT + expiry * hour, statuses=tuple(statuses))
    report = cms.decide(what, at=at)
    if hours > expiry or (revocation is not None and revocation <= hours):
        assert not report.passed


def test_the_accreditation_that_counts_is_that_at_the_proved_time():
    moments = (
        attrs.evolve(LISTED, at=STAMP.stamped_at),
        attrs.evolve(ENDED, at=AT),
    )
    changes = QUALIFIED_FACTS | {"accredited_at_signing": moments}
    for stamps, expected in (((STAMP,), True), ((), False)):
        (signer,) = cms.decide(facts(**changes, stamps=stamps), at=AT).signers
        (finding,) = [each for each in signer.findings if each.code == "ACCREDITED_AT_SIGNING"]
        assert finding.passed is expected


def test_findings_about_a_chain_show_it():
    broken = facts(chain=attrs.evolve(CHAIN, problems=(BROKEN_RULE,)))
    (signer,) = cms.decide(broken, at=AT).signers
    found = {each.code: each.evidence for each in signer.findings}
    path = tuple(each.fingerprint for each in CHAIN.certificates)
    assert found["CHAIN_FOUND"].path == found["CHAIN_RULES"].path == path
    assert found["CHAIN_RULES"].certificate == BROKEN_RULE.subject


def test_a_stamp_by_an_algorithm_that_is_not_allowed_proves_nothing():
    used = attrs.evolve(STAMP, algorithms=(oids.SHA256, "1.2.840.113549.1.1.1"))
    report = cms.decide(facts(stamps=(used,)), at=AT)
    assert report.signers[0].proved_by == "verification"
    stamped = cms.decide(facts(stamps=(used,)), cms.INTERNATIONAL, at=AT)
    assert stamped.signers[0].proved_by == "time stamp"
