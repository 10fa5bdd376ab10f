"""Policies as files."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from medsign import cms
from medsign.cms import read_policy
from medsign.errors import BudgetExceeded, MalformedError, UsageError


def written(**members) -> bytes:
    return json.dumps({"name": "ward", **members}).encode()


def test_a_file_says_the_same_as_the_program():
    by_program = cms.Policy(
        name="ward",
        levels={"STAMP_PRESENT": cms.Level.FAIL},
        revocation=cms.AnyOf((cms.Ocsp(), cms.AllOf((cms.Crl(timedelta(days=1)),)))),
        algorithms={
            "1.2.643.7.1.1.1.1": None,
            "1.2.643.7.1.1.1.2": datetime(2030, 1, 1, tzinfo=UTC),
        },
        clock_skew=timedelta(minutes=1),
        stamp_at_its_own_time=True,
    )
    by_file = read_policy(
        written(
            levels={"STAMP_PRESENT": "fail"},
            revocation={"anyOf": [{"ocsp": {}}, {"allOf": [{"crl": {"maxAge": 86400}}]}]},
            algorithms={"1.2.643.7.1.1.1.1": None, "1.2.643.7.1.1.1.2": "2030-01-01T00:00:00Z"},
            clockSkew=60,
            stampAtItsOwnTime=True,
        )
    )
    assert by_file == by_program
    assert by_file.digest == by_program.digest


def test_what_is_left_out_is_as_usual():
    assert read_policy(written()) == cms.Policy(name="ward")


@pytest.mark.parametrize(
    "members",
    [
        {"level": {"STAMP_PRESENT": "fail"}},
        {"levels": {"STAMP_PRESENT": "FAIL"}},
        {"clockSkew": "60"},
        {"clockSkew": 1e300},
        {"revocation": {"ocsp": None}},
        {"revocation": {"anyOf": None}},
        {"clockSkew": float("nan")},
        {"revocation": {"crl": {"maxAge": 10**40}}},
        {"revocation": {}},
        {"revocation": {"ocsp": {}, "crl": {}}},
        {"revocation": {"ocsp": {"age": 5}}},
        {"revocation": {"ocsp": 5}},
        {"revocation": {"anyOf": {"ocsp": {}}}},
        {"revocation": {"none": {}}},
        {"algorithms": {"1.2.643.7.1.1.1.1": "2030-01-01"}},
    ],
)
def test_a_slip_of_the_pen_is_refused(members):
    with pytest.raises(MalformedError, match="malformed policy"):
        read_policy(written(**members))


def test_a_file_without_a_name_or_out_of_bounds_is_refused():
    with pytest.raises(MalformedError):
        read_policy(b"{}")
    with pytest.raises(BudgetExceeded):
        read_policy(b" " * (2 << 20))
    deep = {"ocsp": {}}
    for _ in range(20):
        deep = {"anyOf": [deep]}
    with pytest.raises(MalformedError):
        read_policy(written(revocation=deep))


def test_a_file_cannot_say_more_than_a_program():
    with pytest.raises(UsageError, match="no policy can lower"):
        read_policy(written(levels={"SIGNATURE_INTACT": "warn"}))
    with pytest.raises(UsageError, match="unsafe"):
        read_policy(written(levels={"CHAIN_FOUND": "ignore"}))
