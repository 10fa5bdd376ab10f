"""The УЦ of the sandbox is as strict as one in life: one certificate per key, each step in turn."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from medsign.ca import Authority, Correction, RequestState, Scenario, certificate_subject
from medsign.errors import ApiError
from medsign.sandbox.ca_case import ISSUING_TIME
from medsign.signers import SoftwareKey


@pytest.fixture
def paid(ca, office, order, files):
    """Return `paid(new) -> id`: a request that the УЦ has begun to issue on."""

    def make(new):
        request = ca.wait(ca.apply(new, files).id)
        ca.identify(request.id, Scenario.AT_CA)
        office("visit", request.id)
        assert office("payment", request.id).json()["state"] == RequestState.ISSUING
        return request.id

    return make


def refused(call, *args, **kwargs) -> str:
    with pytest.raises(ApiError) as error:
        call(*args, **kwargs)
    return error.value.problem


def test_however_often_requests_are_listed_one_certificate_is_issued(ca, paid, order, sandbox):
    number = paid(order())
    sandbox.clock.advance(ISSUING_TIME)
    listed = [next(iter(ca.requests())).serial_number for _ in range(3)]
    [certificate] = ca.certificates()
    assert listed == [certificate.serial_number] * 3
    assert ca.get(number).serial_number == certificate.serial_number


def test_a_certificate_begins_when_it_was_issued_and_not_when_somebody_asked(
    ca, paid, order, sandbox
):
    number = paid(order())
    began = sandbox.clock.now() + ISSUING_TIME
    sandbox.clock.advance(timedelta(days=3))
    assert ca.get(number).state == RequestState.ISSUED
    assert ca.download(number).not_before == began


def test_a_draft_is_not_paid_for(ca, office, order):
    answer = office("payment", ca.create(order()).id)
    assert (answer.status_code, answer.json()["code"]) == (409, "illegal-transition")


def test_a_key_of_an_open_request_is_not_taken_for_another(ca, order):
    key = SoftwareKey.generate()
    first = ca.create(order(key=key))
    assert refused(ca.create, order(key=key)) == "key-in-use"
    ca.cancel(first.id)
    assert ca.create(order(key=key)).state == RequestState.DRAFT


def test_a_corrected_request_brings_no_key_of_another(ca, order, files, anna):
    key = SoftwareKey.generate()
    ca.create(order(key=key))
    bad = attrs.evolve(anna, passport=attrs.evolve(anna.passport, number="000666"))
    own = SoftwareKey.generate()
    request = ca.wait(ca.apply(order(bad, key=own), files).id)
    for borrowed, said in ((key, "key-in-use"), (own, None)):
        new = order(key=borrowed)
        correction = Correction(subject=new.subject, pkcs10=new.pkcs10)
        if said:
            assert refused(ca.correct, request.id, correction) == said
        else:
            assert ca.correct(request.id, correction).state == RequestState.SMEV_FAILED


def test_a_key_that_was_certified_elsewhere_meanwhile_gets_no_second_certificate(
    ca, paid, order, pki, sandbox
):
    key = SoftwareKey.generate()
    new = order(key=key)
    number = paid(new)
    name = certificate_subject(new.applicant, new.subject)
    pki.issue(Authority.COMMERCIAL, name, key.public_key)
    sandbox.clock.advance(ISSUING_TIME)
    request = ca.get(number)
    assert (request.state, request.serial_number) == (RequestState.REJECTED, None)
    assert request.reason == "На этот ключ уже выпущен сертификат"


@pytest.mark.parametrize(
    ("scenario", "action", "code"),
    [
        (Scenario.EPGU, "visit", "identification-differs"),
        (Scenario.AT_CA, "epgu", "identification-differs"),
        (None, "visit", "identification-not-begun"),
    ],
)
def test_nobody_is_identified_in_a_way_that_was_not_chosen(
    ca, office, order, files, scenario, action, code
):
    request = ca.wait(ca.apply(order(), files).id)
    if scenario:
        ca.identify(request.id, scenario)
    answer = office(action, request.id)
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert ca.get(request.id).state == RequestState.IDENTIFICATION


def test_a_visit_identifies_once(ca, office, order, paid):
    assert office("visit", paid(order())).json()["code"] == "illegal-transition"


def test_the_certificate_is_known_by_its_number_in_every_spelling(ca, paid, order, sandbox):
    paid(order())
    sandbox.clock.advance(ISSUING_TIME + timedelta(minutes=5))
    ca.wait(next(iter(ca.requests())).id)
    number = next(iter(ca.certificates())).serial_number
    pairs = ":".join(number.zfill(32)[n : n + 2] for n in range(0, 32, 2))
    for spelling in (number.upper(), f"00{number}", pairs, pairs.replace(":", " ")):
        assert ca.certificate(spelling).serial_number == number
    for nonsense in ("", "0", "номер"):
        assert refused(ca.certificate, nonsense) == "certificate-not-found"
