"""Confirming and renewing with services at hand."""

from __future__ import annotations

from datetime import datetime, timedelta

import anyio
import pytest

from medsign import cms
from medsign.clock import MOSCOW, ManualClock
from medsign.codec import asn1
from medsign.codec.asn1 import oids
from medsign.errors import UsageError
from medsign.sandbox import Sandbox
from medsign.sandbox.pki import Authority, Pki

from .conftest import CONTENT


@pytest.fixture
def sandbox():
    # A clock that runs may pass into the next second between a signature and what is said of it.
    with Sandbox(clock=ManualClock(datetime(2026, 6, 25, 12, tzinfo=MOSCOW))) as world:
        yield world


@pytest.fixture
def doctor(sandbox):
    return sandbox.world.part(Pki).enrol(
        Authority.COMMERCIAL,
        common_name="Тестов Иван Ильич",
        surname="Тестов",
        given_names="Иван Ильич",
    )


def archive_stamps(signature):
    (signer,) = asn1.decode_signed_data(signature).signers
    return signer.unsigned_values(oids.ARCHIVE_TIME_STAMP_V3)


def test_a_chief_confirms_what_a_doctor_signed(sandbox, doctor):
    with sandbox.connect() as window:
        signature = window.pki.sign(CONTENT, doctor)
        confirmed = window.pki.countersign(signature, doctor)
        (signer,) = window.pki.verify(confirmed, CONTENT).report.signers
    assert [each.passed for each in signer.countersigners] == [True]
    assert signer.countersigners[0].claimed_at == sandbox.clock.now()


def test_an_archive_is_renewed_with_what_services_say(sandbox, doctor):
    with sandbox.connect() as window:
        signed = window.pki.sign(CONTENT, doctor)
        archived = window.pki.extend(signed, CONTENT, form=cms.Form.A)
        sandbox.clock.advance(timedelta(minutes=5))
        renewed = window.pki.renew(archived, CONTENT)
        sandbox.clock.advance(timedelta(minutes=1))
        asked = window.pki.verify(renewed, CONTENT, policy=cms.WITH_STAMP, ask=False)
    assert asked.report.passed, asked.report.explain_trust()
    assert (len(archive_stamps(archived)), len(archive_stamps(renewed))) == (1, 2)


def test_only_an_archive_is_renewed(sandbox, doctor):
    with sandbox.connect() as window:
        signed = window.pki.sign(CONTENT, doctor)
        with pytest.raises(UsageError, match="must be A"):
            window.pki.renew(signed, CONTENT)


def test_the_async_window_confirms_and_renews_too(sandbox, doctor):
    async def main():
        async with sandbox.async_connect() as window:
            signed = await window.pki.sign(CONTENT, doctor)
            archived = await window.pki.extend(signed, CONTENT, form=cms.Form.A)
            renewed = await window.pki.renew(archived, CONTENT)
            return await window.pki.countersign(renewed, doctor)

    assert len(archive_stamps(anyio.run(main))) == 2
