"""A signature as of each moment at which it is said to have existed."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.cms import Evidence, SubIndication, add_timestamp, collect, decide, sign
from medsign.cms import signature_value as value_of
from medsign.cms.existence import judge_at_each_moment, proofs_of_existence
from medsign.cms.facts import SignatureFacts
from medsign.errors import UsageError

from .conftest import CONTENT, DAY, HOUR, SIGNED

STAMPED, NOW = SIGNED + HOUR, SIGNED + 2 * DAY


@pytest.fixture(scope="module")
def facts(authority):
    """Return `facts(since, stamped=…)`: those of a signature whose certificate is revoked."""
    signer = authority.issue()
    bare = sign(CONTENT, signer, at=SIGNED)
    stamped = add_timestamp(bare, authority.stamp(value_of(bare), STAMPED))

    def make(since=None, *, with_stamp: bool = True, reason="superseded") -> SignatureFacts:
        revoked = [(signer.certificate, since)] if since else []
        evidence = Evidence(
            signature=stamped if with_stamp else bare,
            content=CONTENT,
            trust=authority.trust,
            certificates=(authority.stamper.certificate,),
            crls=(authority.crl(NOW, *revoked, reason=reason),),
        )
        return collect(evidence, at=NOW).signatures[0]

    return make


def test_a_signature_existed_when_it_says_when_a_stamp_says_and_now(facts) -> None:
    proofs = proofs_of_existence(facts(), at=NOW)
    assert [(each.by, each.at) for each in proofs] == [
        ("claim", SIGNED),
        ("time stamp", STAMPED + timedelta(seconds=1)),
        ("verification", NOW),
    ]
    assert [bool(each.source) for each in proofs] == [False, True, False]


def test_a_good_signature_is_good_at_each_moment(facts) -> None:
    assert [each.passed for each in judge_at_each_moment(facts(), at=NOW).values()] == [True] * 3


@pytest.mark.parametrize(
    ("since", "passed"),
    [
        (SIGNED - HOUR, [False, False, False]),
        (SIGNED + HOUR / 2, [True, False, False]),
        (SIGNED + DAY, [True, True, False]),
    ],
)
def test_a_revocation_speaks_against_the_moments_after_it(facts, since, passed) -> None:
    verdicts = judge_at_each_moment(facts(since), at=NOW)
    assert [each.passed for each in verdicts.values()] == passed
    assert [each.proved_at for each in verdicts.values()] == [each.at for each in verdicts]


def test_what_is_proved_by_no_stamp_may_have_been_made_after_the_revocation(facts) -> None:
    claimed, now = judge_at_each_moment(facts(SIGNED + DAY, with_stamp=False), at=NOW).values()
    assert claimed.passed
    assert (claimed.proved_by, now.proved_by) == ("claim", "verification")
    assert now.sub_indication is SubIndication.REVOKED_NO_POE


def test_a_stamp_that_is_not_trusted_proves_nothing(facts) -> None:
    known = facts()
    (stamp,) = known.stamps
    doubtful = attrs.evolve(known, stamps=(attrs.evolve(stamp, chain=None),))
    assert [each.by for each in proofs_of_existence(doubtful, at=NOW)] == ["claim", "verification"]


def test_the_moment_must_be_aware(facts) -> None:
    with pytest.raises(UsageError):
        proofs_of_existence(facts(), at=NOW.replace(tzinfo=None))


@given(st.integers(min_value=0, max_value=200))
def test_no_verdict_turns_good_again_at_a_later_moment(facts, hours: int) -> None:
    verdicts = judge_at_each_moment(facts(SIGNED - 50 * HOUR + hours * HOUR), at=NOW)
    passed = [each.passed for each in verdicts.values()]
    assert passed == sorted(passed, reverse=True)


def test_the_verdict_at_the_stamp_is_the_one_of_the_report(facts, authority) -> None:
    known = facts(SIGNED + DAY)
    by_stamp = next(
        verdict
        for proof, verdict in judge_at_each_moment(known, at=NOW).items()
        if proof.by == "time stamp"
    )
    from medsign.cms import Facts

    assert decide(Facts(fingerprint="00", signatures=(known,)), at=NOW).signers == (by_stamp,)


def test_the_words_say_whose_word_it_is(facts) -> None:
    from medsign.cms import DEFAULT, Facts, Report

    claimed = next(iter(judge_at_each_moment(facts(), at=NOW).values()))
    whole = decide(Facts(fingerprint="00", signatures=(facts(),)), DEFAULT, at=NOW)
    report: Report = attrs.evolve(whole, signers=(claimed,))
    assert any("указал подписавший" in line for line in report.explain_trust())
    assert "слово подписавшего" in report.to_html()
