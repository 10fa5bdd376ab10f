"""Who signs after whom is a table that each organisation writes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign import cms
from medsign.clock import ManualClock
from medsign.errors import IllegalTransition, UsageError
from medsign.sandbox import Sandbox
from medsign.sandbox.pki import Authority, Pki
from medsign.status import Journal, Tracker, signing_route
from medsign.store import MemoryStore

NOW = datetime(2026, 6, 26, 9, tzinfo=UTC)
WARD = {"doctor": "Лечащий врач", "head": "Заведующий отделением", "chief": "Главный врач"}


def follow(roles):
    return Tracker(
        signing_route("discharge", roles), Journal(MemoryStore()), "17", ManualClock(NOW)
    )


@pytest.mark.req("F174")
def test_each_organisation_has_its_own_route():
    ward, cabinet = follow(WARD), follow({"doctor": "Врач"})
    cabinet.fire("sign_doctor", who="account-1")
    ward.fire("sign_doctor", who="account-1")
    assert (cabinet.state.label, ward.state.label) == (
        "Подписан",
        "Ожидает подписи: Заведующий отделением",
    )


@pytest.mark.req("F174")
@given(st.permutations(list(WARD)))
def test_nobody_signs_out_of_turn(order):
    document, expected = follow(WARD), list(WARD)
    for role in order:
        if role == expected[0]:
            document.fire(f"sign_{role}", who=role)
            del expected[0]
        else:
            with pytest.raises(IllegalTransition):
                document.fire(f"sign_{role}", who=role)
    assert document.state.success == (order == list(WARD))


@pytest.mark.req("F174")
def test_the_file_holds_the_signature_of_everyone_on_the_route():
    content = "Выписной эпикриз".encode()
    document, signature = follow(WARD), None
    with Sandbox() as sandbox:
        people = {
            role: sandbox.world.part(Pki).enrol(Authority.COMMERCIAL, common_name=role)
            for role in WARD
        }
        for role, signer in people.items():
            signature = cms.sign(content, signer, at=sandbox.clock.now(), beside=signature)
            document.fire(f"sign_{role}", who=role)
        with sandbox.connect() as window:
            report = window.pki.verify(signature, content).report
    assert document.state.success
    assert report.passed, report.explain_trust()
    assert {each.certificate for each in report.signers} == {
        signer.certificate.fingerprint for signer in people.values()
    }
    assert [entry.who for entry in document.history] == list(WARD)


@pytest.mark.parametrize("signed", [0, 1, 2])
def test_a_refusal_ends_the_route_at_any_step(signed):
    document = follow(WARD)
    for role in list(WARD)[:signed]:
        document.fire(f"sign_{role}", who=role)
    document.fire("refuse", who="account-1")
    assert document.state.terminal
    assert not document.state.success


@pytest.mark.parametrize("roles", [{}, {"главный врач": "Главный врач"}])
def test_a_route_of_nobody_is_refused(roles):
    with pytest.raises(UsageError):
        signing_route("discharge", roles)
