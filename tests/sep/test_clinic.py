"""What the clinic does on the tab «28. СЭП», in both colours, against the sandbox."""

from __future__ import annotations

import inspect
from datetime import timedelta
from functools import partial
from typing import Any

import attrs
import pytest

from medsign.clock import ManualClock
from medsign.errors import (
    ApiError,
    ConfigError,
    InvalidDocument,
    OutcomeUnknown,
    UnexpectedAnswer,
    UsageError,
)
from medsign.exchange import CallState
from medsign.sandbox import Fault, FaultKind, Sandbox
from medsign.sandbox.paper import new_pdf
from medsign.sandbox.sep import CLINIC_ID, SepService
from medsign.sep import (
    PRODUCTION_URL,
    TEST_URL,
    AsyncSep,
    DocumentState,
    Package,
    Sep,
    SourceKind,
    sep_context,
)
from medsign.status import UnknownStatus
from medsign.store import MemoryStore


@pytest.mark.req("F215", "F225")
def test_a_sent_document_is_created(clinic: Any, package: Package):
    row = clinic.send(package, package.documents[0])
    assert row.status == "Создан"
    assert row.state.code == DocumentState.CREATED


@pytest.mark.req("F185", "F187", "F207", "F208", "F443", "F444")
@pytest.mark.parametrize("kind", SourceKind)
def test_documents_of_each_source_can_be_sent(clinic: Any, package: Package, kind: SourceKind):
    package = attrs.evolve(package, source=attrs.evolve(package.source, kind=kind))
    assert clinic.send(package, package.documents[0]).status == "Создан"


@pytest.mark.req("F216", "F226", "F227", "F231", "F232")
def test_the_clinic_learns_each_status_by_asking(clinic: Any, package: Package, browser: Any):
    number = clinic.send(package, package.documents[0]).number
    assert clinic.status(number).status == "Документ направлен конкретному получателю"
    browser.sign()
    row = clinic.status(number)
    assert row.status == "Получатель подписал документ"
    assert row.state.success


@pytest.mark.req("F226", "F227")
def test_the_link_goes_out_at_the_first_question(clinic: Any, package: Package, sandbox: Sandbox):
    number = clinic.send(package, package.documents[0]).number
    assert sandbox.world.outbox() == ()
    for _ in range(2):
        clinic.status(number)
    [message] = sandbox.world.outbox()
    assert (message.channel, message.to) == ("MAX", "+79990000001")


@pytest.mark.req("F188")
def test_a_service_may_send_the_link_at_once(clock: ManualClock, package: Package, clinic_of: Any):
    with Sandbox([partial(SepService, dispatch_on_poll=False)], clock=clock) as sandbox:
        clinic_of(sandbox).send(package, package.documents[0])
        assert len(sandbox.world.outbox()) == 1


@pytest.mark.req("F219", "F220", "F221", "F222", "F223", "F224")
def test_the_row_shows_what_the_tab_shows(
    clinic: Any, package: Package, browser: Any, clock: ManualClock
):
    number = clinic.send(package, package.documents[0]).number
    name, added, sent, signed, status = clinic.status(number).cells()
    assert name == package.documents[0].name
    assert (added, sent, signed) == ("25.06.2026 10:29:19", "25.06.2026 12:00:00", "")
    clock.advance(timedelta(minutes=1, seconds=5))
    browser.sign()
    assert clinic.status(number).cells()[3:] == (
        "25.06.2026 12:01:05",
        "Получатель подписал документ",
    )
    assert status == "Документ направлен конкретному получателю"


@pytest.mark.req("F217", "F449")
def test_all_documents_are_sent_by_one_press(clinic: Any, package: Package):
    batch = clinic.send_all(package)
    assert batch.complete
    assert [row.document for row in batch] == ["d1", "d2", "d3"]


@pytest.mark.req("F217")
def test_one_bad_document_does_not_stop_the_others(clinic: Any, package: Package, document: Any):
    torn = document("d2", content=b"%PDF-1.7\n?")
    mixed = attrs.evolve(
        package,
        documents=(package.documents[0], torn, document("x", content=b"GIF89a"), document("d4")),
    )
    batch = clinic.send_all(mixed)
    assert [row.document for row in batch.rows] == ["d1", "d4"]
    assert [(failure.id, type(failure.error)) for failure in batch.failures] == [
        ("d2", ApiError),
        ("x", InvalidDocument),
    ]
    assert batch.failures[0].error.problem == "document-not-pdf"


@pytest.mark.req("F213")
def test_a_clinic_decides_from_what_age_a_patient_signs_alone(clinic: Any, package: Package):
    born = package.patient.birth_date.replace(year=2010)
    young = attrs.evolve(package, patient=attrs.evolve(package.patient, birth_date=born))
    assert {type(failure.error) for failure in clinic.send_all(young).failures} == {InvalidDocument}
    assert clinic.send_all(young, adult=15).complete


@pytest.mark.req("F218")
def test_the_status_of_all_documents_is_asked_by_one_press(clinic: Any, package: Package):
    numbers = [row.number for row in clinic.send_all(package)]
    batch = clinic.status_all([*numbers, "unknown"])
    assert {row.status for row in batch} == {"Документ направлен конкретному получателю"}
    [failure] = batch.failures
    assert (failure.id, failure.error.problem) == ("unknown", "document-not-found")


@pytest.mark.req("F217", "F171")
def test_a_repeated_press_sends_only_what_is_missing(
    clinic: Any, package: Package, sandbox: Sandbox
):
    sandbox.world.faults.add(Fault(kind=FaultKind.CONNECT, match="sep.document.send", times=100))
    assert len(clinic.send_all(package).failures) == 3
    sandbox.world.faults.clear()
    first = clinic.send_all(package)
    assert first.complete
    assert clinic.send_all(package) == first
    assert len(list(clinic.documents())) == 3


@pytest.mark.req("F406", "F408")
@pytest.mark.parametrize("kind", [FaultKind.TIMEOUT, FaultKind.RESET_AFTER, FaultKind.TRUNCATED])
def test_a_lost_answer_leaves_one_document(
    clinic: Any, package: Package, sandbox: Sandbox, kind: FaultKind
):
    sandbox.world.faults.add(Fault(kind=kind, match="sep.document.send"))
    clinic.send(package, package.documents[0])
    assert len(list(clinic.documents())) == 1


def test_an_unknown_outcome_is_told_and_resolved_by_the_same_call(
    package: Package, sandbox: Sandbox, clinic_of: Any
):
    store = MemoryStore()
    clinic = clinic_of(sandbox, store=store)
    sandbox.world.faults.add(Fault(kind=FaultKind.TIMEOUT, match="sep.document.send"))
    sandbox.world.faults.add(Fault(kind=FaultKind.CONNECT, match="sep.operation", times=9))
    with pytest.raises(OutcomeUnknown):
        clinic.send(package, package.documents[0])
    [open_call] = clinic.unfinished()
    assert open_call.operation == "sep.send"
    sandbox.world.faults.clear()
    restarted = clinic_of(sandbox, store=store)
    restarted.send(package, package.documents[0])
    assert restarted.unfinished() == []
    assert len(list(restarted.documents())) == 1


def test_another_document_under_a_used_number_is_refused(
    clinic: Any, package: Package, document: Any
):
    clinic.send(package, package.documents[0])
    other = document("d1", content=new_pdf(["Другой документ"]))
    with pytest.raises(UsageError, match="another request"):
        clinic.send(attrs.evolve(package, documents=(other,)), other)


def test_a_slash_in_a_number_makes_no_two_documents_one(
    clinic: Any, package: Package, document: Any
):
    numbers = [("17/2026", "1"), ("17", "2026/1"), ("17%2F2026", "1")]
    for number, of_document in numbers:
        one = attrs.evolve(package, id=number, documents=(document(of_document),))
        assert clinic.send(one, one.documents[0]).package == number
    assert len(list(clinic.documents())) == len(numbers)


def test_the_service_refuses_a_second_copy_under_another_key(clinic: Any, package: Package):
    clinic.send(package, package.documents[0])
    with pytest.raises(ApiError) as refused:
        clinic.send(package, package.documents[0], key="another")
    assert (refused.value.status, refused.value.problem) == (409, "document-exists")


@pytest.mark.req("F193", "F195", "F197")
@pytest.mark.parametrize(
    ("settings", "status"), [({"token": "stranger"}, 401), ({"organization": "other"}, 403)]
)
def test_a_stranger_is_refused(
    sandbox: Sandbox, package: Package, clinic_of: Any, settings: dict[str, str], status: int
):
    clinic = clinic_of(sandbox, **settings)
    with pytest.raises(ApiError) as refused:
        clinic.send(package, package.documents[0])
    assert refused.value.status == status


def test_a_channel_that_nobody_connected_is_refused(clinic: Any, package: Package):
    package = attrs.evolve(package, channel="mta")
    with pytest.raises(ApiError) as refused:
        clinic.send(package, package.documents[0])
    assert refused.value.problem == "channel-unknown"
    assert "Канал не подключён" in refused.value.diagnostics()


def test_the_list_is_cut_into_pages_and_filtered_by_package(
    clinic: Any, package: Package, document: Any, sandbox: Sandbox
):
    many = attrs.evolve(package, documents=tuple(document(f"d{n:03}") for n in range(103)))
    assert clinic.send_all(many).complete
    other = attrs.evolve(package, id="p2")
    clinic.send_all(other)
    assert [row.document for row in clinic.documents(package="p1")] == [
        f"d{n:03}" for n in range(103)
    ]
    assert len(list(clinic.documents())) == 106
    assert {row.package for row in clinic.documents(package="p2")} == {"p2"}


@pytest.mark.req("F231")
def test_a_status_never_seen_is_kept_and_is_neither_good_nor_final(
    clinic: Any, package: Package, sandbox: Sandbox
):
    number = clinic.send(package, package.documents[0]).number
    clinic.status(number)
    records = sandbox.service(SepService).records
    record = records.get(number)
    records.put(number, attrs.evolve(record, row=attrs.evolve(record.row, status="Отозван")))
    row = clinic.status(number)
    assert row.status == "Отозван"
    assert isinstance(row.state, UnknownStatus)
    assert not row.state.terminal


def test_waiting_ends_with_the_signature(
    clinic: Any, package: Package, browser: Any, clock: ManualClock
):
    number = clinic.send(package, package.documents[0]).number
    began = clock.now()
    assert not clinic.wait_signed(number, every=30, at_most=90).state.terminal
    assert clock.now() - began == timedelta(seconds=90)
    browser.sign()
    assert clinic.wait_signed(number).state.success


@pytest.mark.req("F190", "F191", "F192")
def test_contours_are_addresses():
    assert TEST_URL == "https://b2b-demo.n3health.ru/sep/api"
    assert PRODUCTION_URL == "https://b2b.n3health.ru/sep/api"
    context = sep_context(token="t", organization="o", base_url=TEST_URL)
    request = context.request("GET", "documents")
    assert request.url == f"{TEST_URL}/documents"


@pytest.mark.req("F193")
def test_clinics_that_share_a_journal_do_not_meet_each_others_keys():
    store = MemoryStore()
    first, second = (
        sep_context(token="d19f9083", organization=organization, store=store)
        for organization in ("1.2.643.2.69.1.2.1", "1.2.643.2.69.1.2.2")
    )
    request = first.request("POST", "documents", body={"id": "17"})
    first.ledger.open("sep.send", "17", request)
    assert second.ledger.open("sep.send", "17", request) is CallState.NEW


def test_the_token_travels_as_n3_says_and_is_not_shown():
    context = sep_context(token="5ecret", organization=CLINIC_ID)
    request = context.request("GET", "documents")
    next(context.auth.sync_auth_flow(request))
    assert request.headers["Authorization"] == "N3 5ecret"
    assert "5ecret" not in repr(context)


@pytest.mark.req("F195", "F198", "F199")
@pytest.mark.parametrize(
    "organization", ["d19f9083-4f3a-4b7a-9d42-1e4edfe7d2", "1.2.643.2.69.1.2.999"]
)
def test_the_identifier_of_the_clinic_is_opaque(organization: str):
    context = sep_context(token="t", organization=organization)
    assert context.request("GET", "x").headers["N3-Organization"] == organization


@pytest.mark.req("F194")
@pytest.mark.parametrize("bad", ["", "два", "a b", "a\r\nb"])
def test_settings_that_no_header_takes_are_refused(bad: str):
    with pytest.raises(ConfigError) as refused:
        sep_context(token=bad, organization="o")
    assert "Элнетмед" in str(refused.value)
    assert not bad or bad not in str(refused.value)


@pytest.mark.parametrize(
    "name", ["send", "send_all", "status", "status_all", "documents", "signed"]
)
def test_both_colours_have_the_same_signature_and_docstring(name: str):
    sync, other = (getattr(kind(None, None), name) for kind in (Sep, AsyncSep))
    assert inspect.signature(sync) == inspect.signature(other)
    assert inspect.getdoc(sync) == inspect.getdoc(other)


@pytest.mark.req("F233")
def test_what_is_not_signed_cannot_be_fetched(clinic: Any, package: Package):
    number = clinic.send(package, package.documents[0]).number
    with pytest.raises(ApiError) as refused:
        clinic.signed(number)
    assert refused.value.problem == "document-not-signed"


def test_a_signed_document_that_is_no_pdf_is_not_taken(
    clinic: Any, package: Package, browser: Any, sandbox: Sandbox
):
    number = clinic.send(package, package.documents[0]).number
    clinic.status(number)
    browser.sign()
    records = sandbox.service(SepService).records
    record = records.get(number)
    spoilt = attrs.evolve(record.outcome, content=b"<html>")
    records.put(number, attrs.evolve(record, outcome=spoilt))
    with pytest.raises(UnexpectedAnswer):
        clinic.signed(number)


def test_personal_data_stay_out_of_texts(
    sandbox: Sandbox, package: Package, clinic_of: Any, browser: Any
):
    events: list[Any] = []
    clinic = clinic_of(sandbox, emit=events.append)
    row = clinic.send(package, package.documents[0])
    clinic.status(row.number)
    browser.sign()
    errors = [pytest.raises(InvalidDocument), pytest.raises(ApiError)]
    with errors[0] as minor:
        child = attrs.evolve(package.patient, birth_date=package.documents[0].added_at.date())
        clinic.send(attrs.evolve(package, patient=child), package.documents[0])
    with errors[1] as refused:
        clinic.send(attrs.evolve(package, channel="новый"), package.documents[1])
    texts = " ".join(
        [
            *(repr(thing) for thing in (package, row, clinic.signed(row.number), *events)),
            *(f"{e.value} {e.value!r} {e.value.diagnostics()}" for e in (minor, refused)),
            repr(sandbox.service(SepService).records.get(row.number)),
            *(repr(message) for message in sandbox.world.outbox()),
        ]
    )
    for secret in (
        "Тестова",
        "Анна",
        "99900000115",
        "999-000",
        "79990000001",
        "2156792",
        browser.code,
    ):
        assert secret not in texts
