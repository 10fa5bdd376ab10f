"""Talking to the registry, in both colours, through a stand-in that judges what it is given."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import httpx
import pytest
from tests.persons import HEAD

from medsign import cms, mchd
from medsign.ca.models import Authority
from medsign.clock import ManualClock
from medsign.errors import (
    ApiError,
    DeadlineExceeded,
    MalformedError,
    OutcomeUnknown,
    UnexpectedAnswer,
    UsageError,
)
from medsign.exchange import Context, Driver
from medsign.mchd.model import Irrevocable, Revocability
from medsign.mchd.model.codes import IrrevocableRedelegation, RevocationCondition
from medsign.mchd.registry import Requisites
from medsign.pki import issuing
from medsign.sandbox import Drawer, Fault, FaultKind, Sandbox
from medsign.sandbox.mchd import DELAY, LOGINS, Record
from medsign.sandbox.pki import Pki, serial
from medsign.signers import SoftwareKey

NOON = datetime(2026, 3, 2, 9, tzinfo=UTC)
TERMS = Irrevocable(redelegation=IrrevocableRedelegation.ONE, condition=RevocationCondition.ONE)


@pytest.fixture
def requisites(poa: mchd.PowerOfAttorney) -> Requisites:
    return Requisites.of(poa)


@pytest.fixture
def registered(registry: Any, document: bytes, signature: bytes) -> mchd.Registration:
    return registry.submit_and_wait(document, signature)


def records(sandbox: Sandbox) -> list[Record]:
    return list(sandbox.world.drawer("mchd.records", Record).values())


def empty(drawer: Drawer[Any]) -> None:
    for pair in drawer.items():
        drawer.remove(pair[0])


def transactions(sandbox: Sandbox) -> int:
    return len(list(sandbox.world.drawer("mchd.transactions", str).items()))


@pytest.mark.req("F022", "F108", "F421")
def test_a_signed_power_of_attorney_is_registered_and_in_force(registered):
    assert registered.registered
    assert registered.state.code == mchd.PoaState.ACTIVE


def test_the_registry_keeps_the_exact_octets(sandbox, registered, document, signature):
    [record] = records(sandbox)
    assert (record.document, record.signature) == (document, signature)


def test_the_registry_draws_a_number(registry):
    assert len(registry.generate_number()) == 36


def test_a_decision_takes_time_and_the_status_says_so(registry, sandbox, document, signature):
    receipt = registry.register(document, signature)
    assert registry.transaction(receipt.transaction).state.code == mchd.TransactionState.PENDING
    assert registry.status(receipt.number).state.code == mchd.PoaState.PROCESSING
    sandbox.clock.advance(DELAY)
    assert registry.transaction(receipt.transaction).state.code == mchd.TransactionState.SUCCESS


def test_waiting_ends_at_its_deadline(registry, document, signature):
    receipt = registry.register(document, signature)
    with pytest.raises(DeadlineExceeded):
        registry.settled(receipt, every=timedelta(seconds=2), within=DELAY / 2)
    assert registry.settled(receipt) is mchd.TransactionState.SUCCESS


@pytest.mark.parametrize("kind", [FaultKind.TIMEOUT, FaultKind.RESET_AFTER, FaultKind.TRUNCATED])
def test_a_lost_answer_is_asked_for_and_nothing_is_registered_twice(
    registry, sandbox, document, signature, kind
):
    sandbox.world.faults.add(Fault(kind=kind, match="mchd.register"))
    receipt = registry.register(document, signature)
    assert receipt == mchd.Receipt(number=receipt.number, transaction=None)
    assert transactions(sandbox) == 1
    assert registry.settled(receipt) is mchd.TransactionState.SUCCESS


def test_a_lost_request_is_sent_again_after_asking(registry, sandbox, document, signature):
    sandbox.world.faults.add(Fault(kind=FaultKind.TIMEOUT_BEFORE, match="mchd.register"))
    assert registry.register(document, signature).transaction is not None
    assert transactions(sandbox) == 1


def submit(registry: Any, people: Any, draft: mchd.Draft) -> mchd.Registration:
    document = mchd.encode(mchd.issue(draft))
    return registry.submit_and_wait(document, cms.sign(document, people.head, at=NOON))


@pytest.fixture
def others(draft: mchd.Draft) -> mchd.Draft:
    """A draft of another document under the same number."""
    return attrs.evolve(draft, internal_number="2")


@pytest.mark.parametrize("decided", [True, False])
def test_a_lost_request_is_not_mixed_up_with_another_document_of_its_number(
    registry, context, sandbox, document, signature, people, others, poa, decided
):
    (registry.submit_and_wait if decided else registry.register)(document, signature)
    sandbox.world.faults.add(Fault(kind=FaultKind.TIMEOUT_BEFORE, match="mchd.register"))
    for _ in range(2):
        with pytest.raises(ApiError) as refused:
            submit(registry, people, others)
        assert refused.value.status == 409
    assert registry.download(Requisites.of(poa)).document == document
    assert list(context.ledger.unfinished()) == []


def test_a_lost_request_with_a_corrected_document_is_sent_again(registry, sandbox, draft, people):
    expired = attrs.evolve(draft, issued=date(2025, 1, 1), valid_until=date(2026, 1, 1))
    assert submit(registry, people, expired).state.code == mchd.PoaState.REJECTED
    sandbox.world.faults.add(Fault(kind=FaultKind.TIMEOUT_BEFORE, match="mchd.register"))
    assert submit(registry, people, draft).state.code == mchd.PoaState.ACTIVE


def test_a_second_press_after_a_refusal_tells_it_again(registry, sandbox, draft, people):
    expired = attrs.evolve(draft, issued=date(2025, 1, 1), valid_until=date(2026, 1, 1))
    document = mchd.encode(mchd.issue(expired))
    files = (document, cms.sign(document, people.head, at=NOON))
    first = registry.submit_and_wait(*files)
    assert not first.registered
    assert registry.submit_and_wait(*files) == first
    assert transactions(sandbox) == 1
    corrected = mchd.encode(mchd.issue(draft))
    registry.register(corrected, cms.sign(corrected, people.head, at=NOON))
    with pytest.raises(ApiError) as refused:
        registry.submit_and_wait(*files)
    assert refused.value.problem == "number-taken"


def test_while_the_registry_has_not_decided_nobody_knows_whose_document_it_took(
    context, sandbox, document, signature, poa
):
    told = {"status": "PROCESSING", "poaNumber": poa.terms.number}
    sandbox.world.faults.add(Fault(kind=FaultKind.TIMEOUT, match="mchd.register"))
    slow = answering(context, sandbox, public=told)
    with pytest.raises(OutcomeUnknown):
        slow.register(document, signature)
    quick = answering(context, sandbox)
    assert quick.register(document, signature).number == poa.terms.number
    assert transactions(sandbox) == 1
    assert list(context.ledger.unfinished()) == []


def test_a_call_that_died_halfway_is_finished_by_repeating_it(
    registry, context, sandbox, document, signature
):
    sandbox.world.faults.add(Fault(kind=FaultKind.TIMEOUT, match="mchd.register"))
    sandbox.world.faults.add(Fault(kind=FaultKind.TIMEOUT_BEFORE, match="mchd.public", times=9))
    with pytest.raises(OutcomeUnknown):
        registry.register(document, signature)
    [unfinished] = context.ledger.unfinished()
    assert unfinished.operation == "mchd.register"
    sandbox.world.faults.clear()
    assert registry.submit_and_wait(document, signature).registered
    assert transactions(sandbox) == 1
    assert list(context.ledger.unfinished()) == []


@pytest.mark.req("F171")
def test_a_process_killed_between_sending_and_reading_resumes_from_its_journal(
    context, sandbox, document, signature
):
    class Killed(BaseException):
        pass

    def dying(request: httpx.Request) -> httpx.Response:
        answer = sandbox.transport().handle_request(request)
        if request.method == "POST" and request.url.path.endswith("/poa"):
            raise Killed
        return answer

    with httpx.Client(transport=httpx.MockTransport(dying)) as http, pytest.raises(Killed):
        mchd.Mchd(context, Driver(http, clock=sandbox.clock)).register(document, signature)
    with httpx.Client(transport=sandbox.transport()) as http:
        again = mchd.Mchd(context, Driver(http, clock=sandbox.clock, sleep=sandbox.sleep))
        assert again.submit_and_wait(document, signature).registered
    assert transactions(sandbox) == 1


@pytest.mark.req("F408")
def test_a_second_press_of_the_button_registers_nothing(registry, sandbox, document, signature):
    first = registry.register(document, signature)
    at = sandbox.clock.now()
    assert registry.register(document, signature).number == first.number
    assert sandbox.clock.now() == at
    assert transactions(sandbox) == 1


def test_the_same_document_signed_anew_is_found_registered(
    registry, sandbox, registered, document, people
):
    anew = cms.sign(document, people.head, at=NOON + timedelta(minutes=1))
    assert registry.register(document, anew).transaction is None
    assert transactions(sandbox) == 1


def test_who_signs_anew_while_the_registry_decides_waits_for_it(
    registry, sandbox, document, signature, people
):
    registry.register(document, signature)
    anew = cms.sign(document, people.head, at=NOON + timedelta(minutes=1))
    assert registry.register(document, anew).transaction is None
    assert transactions(sandbox) == 1


def test_nothing_is_given_out_before_the_decision(
    registry, sandbox, document, signature, requisites
):
    registry.register(document, signature)
    with pytest.raises(MalformedError):
        registry.download(requisites)
    sandbox.clock.advance(DELAY)
    assert registry.download(requisites).document == document


def test_a_number_taken_by_another_document_is_a_conflict(registry, registered, draft, people):
    other = mchd.encode(mchd.issue(attrs.evolve(draft, internal_number="2")))
    with pytest.raises(ApiError) as refused:
        registry.register(other, cms.sign(other, people.head, at=NOON))
    assert refused.value.status == 409
    assert refused.value.title == "Номер доверенности уже занят"


def test_a_signature_over_other_octets_is_refused(registry, sandbox, document, people):
    with pytest.raises(ApiError) as refused:
        registry.register(document, cms.sign(document + b"\n", people.head, at=NOON))
    assert refused.value.status == 400
    assert records(sandbox) == []


def test_an_attached_signature_is_refused(registry, document, people):
    with pytest.raises(ApiError):
        registry.register(document, cms.sign(document, people.head, at=NOON, detached=False))


def test_a_signature_of_an_unknown_authority_is_refused(registry, document):
    with Sandbox([], clock=ManualClock(NOON)) as elsewhere:
        stranger = elsewhere.world.part(Pki).enrol(Authority.FNS, **HEAD)
    with pytest.raises(ApiError) as refused:
        registry.register(document, cms.sign(document, stranger, at=NOON))
    assert refused.value.title == "Подпись доверенности недействительна"


def test_a_revoked_certificate_registers_nothing(registry, people, document, signature):
    people.pki.change(serial(people.head.certificate), "revoke", "keyCompromise")
    with pytest.raises(ApiError):
        registry.register(document, signature)


def test_a_certificate_that_is_not_qualified_registers_nothing(registry, people, document):
    key = SoftwareKey.generate()
    plain = attrs.evolve(issuing.QUALIFIED, subject_sign_tool=None)
    name = issuing.subject_name(**HEAD)
    certificate = people.pki.issue(Authority.FNS, name, key.public_key, template=plain)
    with pytest.raises(ApiError):
        registry.register(document, cms.sign(document, key.certified(certificate), at=NOON))


def test_who_signs_must_be_the_principal(registry, document, people):
    ended = registry.submit_and_wait(document, cms.sign(document, people.doctor, at=NOON))
    assert not ended.registered
    assert [reason.code for reason in ended.rejections] == ["signer"]
    assert "не принадлежит доверителю" in ended.rejections[0].text


def test_a_document_that_breaks_a_rule_is_rejected_with_reasons(registry, poa, people):
    document = mchd.encode(attrs.evolve(poa, flags="10000000"))
    ended = registry.submit_and_wait(document, cms.sign(document, people.head, at=NOON))
    assert ended.state.code == mchd.PoaState.REJECTED
    assert ended.rejections


def test_an_expired_power_of_attorney_is_rejected(registry, draft, people):
    old = attrs.evolve(draft, issued=date(2026, 1, 1), valid_until=date(2026, 3, 1))
    document = mchd.encode(mchd.issue(old))
    ended = registry.submit_and_wait(document, cms.sign(document, people.head, at=NOON))
    assert [reason.code for reason in ended.rejections] == ["dates.expired"]


def test_a_corrected_document_keeps_the_number_of_the_rejected_one(
    registry, document, signature, people
):
    assert not registry.submit_and_wait(
        document, cms.sign(document, people.doctor, at=NOON)
    ).registered
    assert registry.submit_and_wait(document, signature).registered


def test_a_refused_transaction_stays_refused(registry, document, signature, people):
    first = registry.register(document, cms.sign(document, people.doctor, at=NOON))
    assert registry.settled(first) is mchd.TransactionState.FAILURE
    assert registry.submit_and_wait(document, signature).registered
    assert registry.settled(first) is mchd.TransactionState.FAILURE


def test_the_registry_tells_letter_cases_of_a_number_apart(registry, registered):
    assert registry.status(registered.number)
    with pytest.raises(ApiError) as refused:
        registry.status(registered.number.lower())
    assert refused.value.status == 404


def test_the_last_day_counts_to_its_end_in_moscow(registry, sandbox, registered):
    told = registry.status(registered.number)
    assert told.valid_until == datetime(2027, 2, 28, 20, 59, 59, 999999, tzinfo=UTC)
    sandbox.clock.advance(told.valid_until - sandbox.clock.now())
    assert registry.status(registered.number).state.code == mchd.PoaState.ACTIVE
    sandbox.clock.advance(timedelta(microseconds=1))
    assert registry.status(registered.number).state.code == mchd.PoaState.EXPIRED


def test_before_its_first_day_a_power_of_attorney_is_only_created(registry, draft, people):
    later = mchd.encode(mchd.issue(attrs.evolve(draft, issued=date(2026, 4, 1))))
    ended = registry.submit_and_wait(later, cms.sign(later, people.head, at=NOON))
    assert ended.registered
    assert ended.state.code == mchd.PoaState.CREATED


def test_the_chronology_lists_the_states(registry, registered, requisites):
    history = registry.chronology(requisites)
    assert [change.state.code for change in history.changes] == ["PROCESSING", "ACTIVE"]
    assert history.current.at == history.changes[0].at + DELAY


def test_what_was_revoked_does_not_expire(registry, sandbox, registered, requisites, poa, people):
    registry.settled(registry.revoke(*revoking(poa, people.head)))
    sandbox.clock.advance(timedelta(days=400))
    history = registry.chronology(requisites)
    states = [change.state.code for change in history.changes]
    assert states == ["PROCESSING", "ACTIVE", "REVOKED"]


@pytest.mark.parametrize("field", ["issuer_inn", "representative_inn"])
def test_full_data_need_all_three_requisites(registry, registered, requisites, field):
    for ask in (registry.chronology, registry.download):
        with pytest.raises(ApiError) as refused:
            ask(attrs.evolve(requisites, **{field: "999900000999"}))
        assert refused.value.status == 404


def test_what_is_downloaded_is_what_was_signed(
    registry, registered, requisites, document, signature
):
    package = registry.download(requisites)
    assert (package.document, package.signatures) == (document, (signature,))


def revoking(poa: mchd.PowerOfAttorney, signer: Any) -> tuple[bytes, bytes]:
    application = mchd.encode_revocation(mchd.revocation(poa, "Работник уволен"))
    return application, cms.sign(application, signer, at=NOON)


def test_the_principal_revokes(registry, registered, poa, people):
    receipt = registry.revoke(*revoking(poa, people.head))
    assert registry.status(poa.terms.number).state.code == mchd.PoaState.ACTIVE
    assert registry.settled(receipt) is mchd.TransactionState.SUCCESS
    assert registry.status(poa.terms.number).state.code == mchd.PoaState.REVOKED


def test_nobody_else_revokes(registry, registered, poa, people):
    with pytest.raises(ApiError):
        registry.revoke(*revoking(poa, people.doctor))
    assert registry.status(poa.terms.number).state.code == mchd.PoaState.ACTIVE


def test_a_revocation_of_an_unknown_number_is_refused(registry, poa, people):
    with pytest.raises(ApiError) as refused:
        registry.revoke(*revoking(poa, people.head))
    assert refused.value.status == 404


def test_what_is_revoked_is_not_revoked_again(registry, registered, poa, people):
    registry.settled(registry.revoke(*revoking(poa, people.head)))
    application = mchd.encode_revocation(mchd.revocation(poa, "Ещё раз"))
    with pytest.raises(ApiError) as refused:
        registry.revoke(application, cms.sign(application, people.head, at=NOON))
    assert refused.value.title == "Доверенность не действует"


def test_an_applicant_other_than_the_principal_is_refused(registry, registered, poa, people):
    own = mchd.revocation(poa, "Работник уволен")
    organization = own.content.applicant.principal.organization
    other = mchd.encode_revocation(
        attrs.evolve(
            own,
            content=attrs.evolve(
                own.content,
                applicant=attrs.evolve(
                    own.content.applicant,
                    principal=attrs.evolve(
                        own.content.applicant.principal,
                        organization=attrs.evolve(organization, kpp="999902001"),
                    ),
                ),
            ),
        )
    )
    with pytest.raises(ApiError) as refused:
        registry.revoke(other, cms.sign(other, people.head, at=NOON))
    assert refused.value.title == "Заявитель не является доверителем"


def test_an_irrevocable_power_of_attorney_stays(registry, draft, people):
    poa = mchd.issue(draft)
    grant = poa.document.grant
    terms = attrs.evolve(grant.terms, revocability=Revocability.IRREVOCABLE, irrevocable=TERMS)
    poa = attrs.evolve(
        poa, document=attrs.evolve(poa.document, grant=attrs.evolve(grant, terms=terms))
    )
    document = mchd.encode(poa)
    ended = registry.submit_and_wait(document, cms.sign(document, people.head, at=NOON))
    assert ended.registered
    with pytest.raises(ApiError) as refused:
        registry.revoke(*revoking(poa, people.head))
    assert refused.value.title == "Доверенность безотзывная"


def post(sandbox: Sandbox, **files: tuple[str, bytes]) -> httpx.Response:
    endpoint = sandbox.endpoint("mchd")
    with httpx.Client(transport=sandbox.transport()) as http:
        return http.post(
            f"{endpoint.url}/{mchd.NODE.register}",
            headers={"Authorization": f"Bearer {endpoint.token}"},
            files=files or {"other": b""},
        )


def test_the_registry_names_what_a_repeat_conflicts_with(sandbox, document, people, poa):
    name = f"{poa.file_id}.xml"
    signatures = [
        b64encode(cms.sign(document, people.head, at=NOON - timedelta(minutes=ago)))
        for ago in range(2)
    ]

    def send(index: int) -> httpx.Response:
        return post(sandbox, poa=(name, document), signature=("a.sig", signatures[index]))

    assert send(0).status_code == 200
    titles = [send(index).json()["title"] for index in (0, 1)]
    assert titles == [
        "Доверенность с таким содержанием и подписью уже передана",
        "Доверенность уже передана с другой подписью",
    ]


def test_a_file_of_another_name_is_rejected(sandbox, document, signature):
    files = {"poa": ("other.xml", document), "signature": ("a.sig", b64encode(signature))}
    assert post(sandbox, **files).status_code == 200
    [record] = records(sandbox)
    assert [reason.code for reason in record.reasons] == ["file.name"]


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"poa": b"<a/>"},
        {"signature": b"MAA="},
        {"poa": b"<a/>", "signature": b"MA\nA="},
        {"poa": b"<a/>", "signature": b"%%%"},
        {"poa": b"<a/>", "signature": b"MAA="},
    ],
)
def test_a_form_that_the_registry_cannot_read_is_refused(sandbox, parts):
    answer = post(sandbox, **{name: (f"{name}.bin", content) for name, content in parts.items()})
    assert answer.status_code == 400
    assert set(answer.json()) == {"title", "detail"}


@pytest.mark.parametrize("kind", [FaultKind.TIMEOUT, FaultKind.TIMEOUT_BEFORE])
def test_a_revocation_whose_answer_was_lost_is_done_once(
    registry, sandbox, registered, poa, people, kind
):
    sandbox.world.faults.add(Fault(kind=kind, match="mchd.revoke"))
    receipt = registry.revoke(*revoking(poa, people.head))
    assert registry.settled(receipt) is mchd.TransactionState.SUCCESS
    assert registry.status(poa.terms.number).state.code == mchd.PoaState.REVOKED
    assert transactions(sandbox) == 2
    assert list(registry.context.ledger.unfinished()) == []


def test_a_second_press_after_a_revocation_finds_it_done(registry, registered, poa, people):
    documents = revoking(poa, people.head)
    registry.settled(registry.revoke(*documents))
    assert registry.revoke(*documents) == mchd.Receipt(number=poa.terms.number)


def test_a_conflict_without_any_doubt_is_told_at_once(registry, sandbox, registered, poa, people):
    registry.revoke(*revoking(poa, people.head))
    other = mchd.encode_revocation(mchd.revocation(poa, "Ещё раз"))
    before = sandbox.clock.now()
    with pytest.raises(ApiError) as refused:
        registry.revoke(other, cms.sign(other, people.head, at=NOON))
    assert refused.value.title == "Отзыв уже передан"
    assert sandbox.clock.now() == before


def test_the_journal_follows_the_registry(registry, sandbox, registered, poa, people):
    registry.follow(registered.number)
    registry.settled(registry.revoke(*revoking(poa, people.head)))
    tracker = registry.follow(registered.number)
    assert tracker.state.code == mchd.PoaState.REVOKED
    assert [entry.after for entry in tracker.history] == ["ACTIVE", "REVOKED"]


def test_the_journal_follows_a_corrected_document_under_the_old_number(registry, draft, people):
    expired = attrs.evolve(draft, issued=date(2025, 1, 1), valid_until=date(2026, 1, 1))
    submit(registry, people, expired)
    assert registry.follow(draft.number).state.code == mchd.PoaState.REJECTED
    submit(registry, people, draft)
    tracker = registry.follow(draft.number)
    assert tracker.state.code == mchd.PoaState.ACTIVE
    assert tracker.doubt is None


def test_the_sandbox_keeps_the_dates_that_the_terms_give(sandbox, registered, poa):
    [record] = records(sandbox)
    for state, at in list(record.timeline())[1:]:
        assert state is mchd.state_at(poa.terms, at)
        assert state is not mchd.state_at(poa.terms, at - timedelta(microseconds=1)) or (
            at == record.received + DELAY
        )


def answering(context: Context, sandbox: Sandbox, **answers: Any) -> mchd.Mchd:
    """Return a client of a registry that answers JSON by the last word of the path."""

    def answer(request: httpx.Request) -> httpx.Response:
        word = request.url.path.rsplit("/", 1)[-1]
        if word in answers:
            return httpx.Response(200, json=answers[word])
        return sandbox.transport().handle_request(request)

    http = httpx.Client(transport=httpx.MockTransport(answer))
    return mchd.Mchd(context, Driver(http, clock=sandbox.clock, sleep=sandbox.sleep))


def test_an_unknown_status_is_kept_and_moves_nothing(context, sandbox):
    told = {"status": "SUSPENDED", "poaNumber": "0a"}
    registry = answering(context, sandbox, public=told)
    assert registry.status("0a").said == "SUSPENDED"
    assert registry.status("0a").state.label == "Неизвестный статус: «SUSPENDED»"
    tracker = registry.follow("0a")
    assert tracker.state.code == mchd.PoaState.PROCESSING
    assert tracker.doubt is not None


@pytest.mark.parametrize("ask", ["status", "follow"])
def test_a_status_of_another_number_is_not_believed(context, sandbox, ask):
    told = {"status": "ACTIVE", "poaNumber": "0b"}
    with pytest.raises(UnexpectedAnswer):
        getattr(answering(context, sandbox, public=told), ask)("0a")


def test_a_document_is_not_taken_for_registered_by_the_status_of_another_number(
    context, sandbox, document, signature
):
    told = {"status": "ACTIVE", "poaNumber": "0b"}
    sandbox.world.faults.add(Fault(kind=FaultKind.TIMEOUT, match="mchd.register"))
    with pytest.raises(OutcomeUnknown):
        answering(context, sandbox, public=told).register(document, signature)


def test_a_history_of_another_number_is_not_believed(context, sandbox, requisites):
    told = {"number": "0b", "actualStatus": {"code": "ACTIVE"}}
    with pytest.raises(UnexpectedAnswer):
        answering(context, sandbox, chronology=told).chronology(requisites)


@pytest.mark.parametrize("ask", ["transaction", "settled"])
def test_a_decision_on_another_transaction_is_not_believed(context, sandbox, ask):
    registry = answering(context, sandbox, status={"status": "SUCCESS", "txId": "8"})
    what = {"transaction": "7", "settled": mchd.Receipt(number="0a", transaction="7")}
    with pytest.raises(UnexpectedAnswer):
        getattr(registry, ask)(what[ask])


def test_an_unknown_word_about_a_transaction_is_no_decision(context, sandbox):
    registry = answering(context, sandbox, status={"status": "QUEUED", "txId": "7"})
    with pytest.raises(DeadlineExceeded):
        registry.settled(mchd.Receipt(number="0a", transaction="7"))


def test_a_status_survives_a_date_in_an_unknown_form(context, sandbox):
    told = {"status": "ACTIVE", "poaNumber": "0a", "endDate": "31.12.2026"}
    status = answering(context, sandbox, public=told).status("0a")
    assert status.state.success
    assert status.valid_until is None


@pytest.mark.parametrize(
    "said", ["2026-12-31", "2026-12-31T00:00:00", "2026-12-30T21:00Z", "2026-12-31T00:00+03:00"]
)
def test_first_and_last_day_are_days_of_moscow_however_it_is_written(said):
    told = mchd.PublicStatus(number="0a", said="ACTIVE", ends=said)
    assert told.valid_until == datetime(2026, 12, 31, 20, 59, 59, 999999, tzinfo=UTC)
    begun = mchd.PublicStatus(number="0a", said="ACTIVE", starts=said)
    assert begun.valid_from == datetime(2026, 12, 30, 21, tzinfo=UTC)


def test_a_moment_without_a_zone_is_no_instant(context, sandbox):
    told = {"status": "ACTIVE", "poaNumber": "0a", "statusDate": "2026-03-02T09:00:00"}
    assert answering(context, sandbox, public=told).status("0a").since is None


def test_only_a_refusal_among_the_events_gives_reasons(context, sandbox, requisites):
    errors = {"IRD_ERRORS": [{"IRD_ERROR_NAME": "нет в ЕГРЮЛ", "DICTIONARY_CODE": "17"}]}
    told = {
        "number": requisites.number,
        "actualStatus": {"code": "REJECTED"},
        "events": [
            {"type": "POA_CREATED", "attributes": errors},
            {"type": "POA_IRD_REJECTED", "attributes": errors},
        ],
    }
    history = answering(context, sandbox, chronology=told).chronology(requisites)
    assert history.rejections == (mchd.Rejection(code="17", text="нет в ЕГРЮЛ"),)


def test_a_receipt_for_another_number_is_not_believed(context, sandbox, document, signature):
    registry = answering(context, sandbox, poa={"poaNumber": "0a", "txId": "7"})
    with pytest.raises(UnexpectedAnswer):
        registry.register(document, signature)


def test_a_registry_that_is_not_ready_gives_no_archive(context, sandbox, requisites):
    registry = answering(context, sandbox, zip={"reqStatus": "PENDING"})
    with pytest.raises(MalformedError):
        registry.download(requisites)


def test_requisites_need_both_numbers(draft):
    [representative] = draft.representatives
    nameless = attrs.evolve(representative, person=attrs.evolve(representative.person, inn=None))
    with pytest.raises(UsageError):
        Requisites.of(mchd.issue(attrs.evolve(draft, representatives=(nameless,))))


def test_a_gateway_is_reached_by_its_own_paths(context, sandbox):
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(200, json={"status": "ACTIVE", "poaNumber": "0a"})

    gateway = mchd.RegistryContext(
        service="mchd", base_url="https://gate.test/api", paths=mchd.GATEWAY, clock=sandbox.clock
    )
    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        mchd.Mchd(gateway, Driver(http, clock=sandbox.clock)).status("0a")
    assert [url.raw_path for url in asked] == [b"/api/poaopen?poaNumber=0a"]


class TestAccess:
    def counting(self, sandbox: Sandbox, context: Context) -> tuple[mchd.Mchd, list[str]]:
        asked: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request.url.path.rsplit("/", 1)[-1])
            return sandbox.transport().handle_request(request)

        http = httpx.Client(transport=httpx.MockTransport(answer))
        return mchd.Mchd(context, Driver(http, clock=sandbox.clock, sleep=sandbox.sleep)), asked

    def test_a_token_serves_for_its_lifetime(self, sandbox, context):
        registry, asked = self.counting(sandbox, context)
        registry.generate_number()
        sandbox.clock.advance(timedelta(minutes=59))
        registry.generate_number()
        assert asked == ["token", "generate-number", "generate-number"]
        sandbox.clock.advance(timedelta(minutes=1))
        registry.generate_number()
        assert asked[3:] == ["token", "generate-number"]

    def test_a_token_that_the_registry_forgot_is_renewed_once(self, sandbox, context):
        registry, asked = self.counting(sandbox, context)
        registry.generate_number()
        empty(sandbox.world.tokens._drawer)
        registry.generate_number()
        assert asked[2:] == ["generate-number", "token", "generate-number"]

    def test_a_new_token_that_is_refused_is_not_asked_for_again(self, context, sandbox):
        asked: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request)
            token = request.url.path.endswith("token")
            return httpx.Response(200 if token else 401, json={"access_token": "t"})

        with httpx.Client(transport=httpx.MockTransport(answer)) as http, pytest.raises(ApiError):
            mchd.Mchd(context, Driver(http, clock=sandbox.clock)).generate_number()
        assert len(asked) == 2
        assert asked[0].extensions["timeout"] == asked[1].extensions["timeout"]
        assert asked[0].extensions["timeout"]["read"]

    def test_the_registry_may_give_a_token_a_shorter_life(self, context, sandbox):
        asked: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request.url.path.rsplit("/", 1)[-1])
            token = {"access_token": "t", "expires_in": 60, "poaNumber": "0a"}
            return httpx.Response(200, json=token)

        with httpx.Client(transport=httpx.MockTransport(answer)) as http:
            registry = mchd.Mchd(context, Driver(http, clock=sandbox.clock))
            registry.generate_number()
            sandbox.clock.advance(timedelta(seconds=60))
            registry.generate_number()
        assert asked == ["token", "generate-number"] * 2

    def test_only_the_password_grant_is_known(self, sandbox):
        login = {"username": "clinic", "password": LOGINS["clinic"], "grant_type": "implicit"}
        with httpx.Client(transport=sandbox.transport()) as http:
            url = f"{sandbox.endpoint('mchd').url}/{mchd.NODE.token}"
            assert http.post(url, json=login).status_code == 401

    def test_an_unknown_login_is_refused_in_the_words_of_the_registry(self, registry, context):
        context.auth.password = "wrong"
        with pytest.raises(ApiError) as refused:
            registry.generate_number()
        assert refused.value.status == 401
        assert refused.value.title == "Неверный логин или пароль"

    def test_no_secret_shows(self, registry, context):
        registry.generate_number()
        shown = repr(context.auth) + repr(context)
        assert LOGINS["clinic"] not in shown
        assert context.auth._grant.access_token not in shown
