from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from medsign import cms
from medsign.cms.messages import MESSAGES
from medsign.cms.policy import _INVIOLABLE, _PERILOUS
from medsign.errors import UsageError


@pytest.mark.parametrize("code", sorted(_INVIOLABLE))
@pytest.mark.parametrize("name", ["house", "unsafe-house"])
def test_no_policy_does_without_integrity(code, name):
    with pytest.raises(UsageError, match=code):
        cms.Policy(name=name, levels={code: cms.Level.WARN})


@pytest.mark.parametrize("code", [c for c in MESSAGES if c.startswith(_PERILOUS)])
def test_a_policy_that_trusts_blindly_says_so_in_its_name(code):
    if code in _INVIOLABLE or cms.DEFAULT.level(code) is not cms.Level.FAIL:
        return
    with pytest.raises(UsageError, match="unsafe"):
        cms.Policy(name="house", levels={code: cms.Level.IGNORE})
    assert cms.Policy(name="unsafe-house", levels={code: cms.Level.IGNORE})


@attrs.frozen
class Careless:
    """A requirement of somebody's own that asks for nothing."""

    def met_by(self, good, moment):
        return True


def test_a_requirement_that_some_evidence_must_meet_is_safe():
    both = cms.AllOf((cms.Crl(), cms.UnsafeNoRevocation()))
    assert not both.met_by((), datetime(2026, 1, 1, tzinfo=UTC))
    assert cms.Policy(name="house", revocation=both).revocation is both


def test_a_policy_without_revocation_says_so_in_its_name():
    for requirement in (
        cms.UnsafeNoRevocation(),
        cms.AnyOf((cms.Crl(), cms.UnsafeNoRevocation())),
        cms.AllOf((cms.UnsafeNoRevocation(),)),
        cms.AllOf((cms.AnyOf((cms.Ocsp(), cms.UnsafeNoRevocation())),)),
        Careless(),
    ):
        with pytest.raises(UsageError, match="unsafe"):
            cms.Policy(name="house", revocation=requirement)


def test_an_unknown_check_is_refused():
    with pytest.raises(UsageError, match="SIGNATURE_PRETTY"):
        cms.Policy(name="house", levels={"SIGNATURE_PRETTY": cms.Level.FAIL})


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"levels": {"STAMP_PRESENT": cms.Level.WARN}},
        {"revocation": cms.Crl()},
        {"revocation": cms.Ocsp()},
        {"revocation": cms.AllOf((cms.Ocsp(), cms.Crl()))},
        {"revocation": cms.AnyOf((cms.Ocsp(), cms.Crl(timedelta(days=1))))},
        {"algorithms": {**cms.DEFAULT.algorithms, "1.2.3": datetime(2026, 1, 1, tzinfo=UTC)}},
        {"clock_skew": timedelta(minutes=1)},
        {"stamp_at_its_own_time": True},
    ],
)
def test_every_change_changes_the_digest(change):
    assert attrs.evolve(cms.DEFAULT, **change).digest != cms.DEFAULT.digest


def test_the_digest_is_of_the_contents():
    assert cms.Policy(name="default").digest == cms.DEFAULT.digest
    assert len(cms.DEFAULT.digest) == 64


def test_a_policy_cannot_be_changed_afterwards():
    levels = {"STAMP_PRESENT": cms.Level.WARN}
    policy = cms.Policy(name="house", levels=levels)
    levels["STAMP_PRESENT"] = cms.Level.IGNORE
    with pytest.raises(TypeError):
        policy.algorithms["1.2.3"] = None
    assert policy.level("STAMP_PRESENT") is cms.Level.WARN
