"""Reading and creating calls through every fault, in both colours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
import tenacity

from medsign.errors import (
    ApiError,
    BudgetExceeded,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    OutcomeUnknown,
    TimedOut,
    UnexpectedAnswer,
    UsageError,
)
from medsign.exchange import (
    Answer,
    Context,
    Do,
    Effect,
    Event,
    Flow,
    RequestFailed,
    RequestSent,
    ResponseReceived,
    RetryScheduled,
    Send,
)
from medsign.sandbox import Fault, FaultKind, Sandbox
from medsign.transport import Token

Perform = Callable[[Flow[Any]], Any]
Sent = Callable[[], int]

NO_ANSWER = (FaultKind.TIMEOUT, FaultKind.RESET_AFTER, FaultKind.TRUNCATED)
NOT_DONE = (FaultKind.TIMEOUT_BEFORE, FaultKind.RESET_BEFORE)


def create(context: Context, text: str = "здравствуйте", key: str | None = None) -> Flow[Answer]:
    return context.create("create", context.request("POST", "letters", body={"text": text}), key)


def letters(context: Context) -> Flow[Answer]:
    return context.fetch("list", context.request("GET", "letters"))


@pytest.mark.parametrize("kind", [*NO_ANSWER, *NOT_DONE, FaultKind.CONNECT])
def test_a_read_is_repeated_after_any_lost_answer(
    perform: Perform, context: Context, sandbox: Sandbox, kind: FaultKind
) -> None:
    sandbox.world.faults.add(Fault(kind=kind, match="post.list", times=2))
    assert perform(letters(context)).status == 200


@pytest.mark.parametrize("kind", NO_ANSWER)
def test_a_creating_call_with_no_answer_is_asked_for_and_not_sent_again(
    perform: Perform,
    context: Context,
    sandbox: Sandbox,
    sent: Sent,
    events: list[Event],
    kind: FaultKind,
) -> None:
    sandbox.world.faults.add(Fault(kind=kind, match="post.create"))
    assert perform(create(context)).status == 201
    assert sent() == 1
    posts = [event for event in events if isinstance(event, RequestSent) and event.method == "POST"]
    assert len(posts) == 1


@pytest.mark.parametrize("kind", NOT_DONE)
def test_a_creating_call_that_never_arrived_is_sent_again_under_its_key(
    perform: Perform, context: Context, sandbox: Sandbox, sent: Sent, kind: FaultKind
) -> None:
    sandbox.world.faults.add(Fault(kind=kind, match="post.create"))
    assert perform(create(context)).status == 201
    assert sent() == 1


def test_a_creating_call_ends_as_unknown_when_nobody_can_be_asked(
    perform: Perform, context: Context, sandbox: Sandbox, sent: Sent
) -> None:
    sandbox.world.faults.add(Fault(kind=FaultKind.TIMEOUT, match="post.create"))
    sandbox.world.faults.add(Fault(kind=FaultKind.CONNECT, match="*", times=99))
    with pytest.raises(OutcomeUnknown) as unknown:
        perform(create(context, key="k-1"))
    assert unknown.value.key == "k-1"
    assert [call.key for call in context.ledger.unfinished()] == ["k-1"]

    sandbox.world.faults.clear()
    assert perform(create(context, key="k-1")).status == 201
    assert sent() == 1
    assert list(context.ledger.unfinished()) == []


def test_a_repeat_that_cannot_leave_does_not_settle_what_became_of_the_first(
    perform: Perform, context: Context, sandbox: Sandbox, sent: Sent
) -> None:
    sandbox.world.faults.add(Fault(kind=FaultKind.TIMEOUT_BEFORE, match="post.create"))
    sandbox.world.faults.add(Fault(kind=FaultKind.CONNECT, match="post.create", times=99))
    with pytest.raises(OutcomeUnknown):
        perform(create(context, key="k-1"))
    assert [call.key for call in context.ledger.unfinished()] == ["k-1"]

    sandbox.world.faults.clear()
    assert perform(create(context, key="k-1")).status == 201
    assert sent() == 1


def test_a_second_press_of_the_button_creates_nothing(
    perform: Perform, context: Context, sent: Sent
) -> None:
    first = perform(create(context, key="order-7"))
    second = perform(create(context, key="order-7"))
    assert (first.body, sent()) == (second.body, 1)


@pytest.mark.parametrize("key", ["17#1", "17?1", "17/../17", "17/2026-К", "17 1", "17%231"])
def test_a_number_of_a_document_is_a_key_whatever_signs_it_has(
    perform: Perform, context: Context, sandbox: Sandbox, sent: Sent, key: str
) -> None:
    other = perform(create(context, "другое", key="17"))
    sandbox.world.faults.add(Fault(kind=FaultKind.TIMEOUT, match="post.create"))
    assert perform(create(context, key=key)).body != other.body
    assert perform(create(context, key=key)).body != other.body
    assert sent() == 2


def test_what_was_done_is_not_done_again_when_the_service_has_forgotten_it(
    perform: Perform, context: Context, sent: Sent
) -> None:
    def forgotten(_: Context, key: str) -> Flow[Answer | None]:
        return None
        yield

    perform(create(context, key="k"))
    request = context.request("POST", "letters", body={"text": "здравствуйте"})
    with pytest.raises(OutcomeUnknown):
        perform(context.create("create", request, "k", resolve=forgotten))
    assert sent() == 1


def test_a_key_of_another_request_is_refused_before_anything_is_sent(
    perform: Perform, context: Context, events: list[Event]
) -> None:
    perform(create(context, key="k"))
    events.clear()
    with pytest.raises(UsageError, match="another request"):
        perform(create(context, "другое письмо", key="k"))
    assert events == []


def test_the_key_is_in_the_journal_before_the_first_byte_leaves(context: Context) -> None:
    flow = create(context, key="k")
    writing = next(flow)
    assert isinstance(writing, Do)
    sending = flow.send(writing.work())
    assert isinstance(sending, Send)
    assert [call.key for call in context.ledger.unfinished()] == ["k"]


def test_a_process_killed_between_sending_and_the_answer_asks_first(
    perform: Perform, context: Context, sent: Sent
) -> None:
    dying = create(context, key="k")
    sending = dying.send(next(dying).work())
    perform(_only(sending))  # the request arrives, the process dies before it reads the answer
    dying.close()

    assert perform(create(context, key="k")).status == 201
    assert sent() == 1


def _only(effect: Effect) -> Flow[None]:
    yield effect


def test_a_refused_creating_call_may_be_made_again(
    perform: Perform, context: Context, sandbox: Sandbox, sent: Sent
) -> None:
    sandbox.world.faults.add(Fault(kind=FaultKind.STATUS, match="post.create", status=403))
    with pytest.raises(ApiError):
        perform(create(context, key="k"))
    assert list(context.ledger.unfinished()) == []
    assert perform(create(context, key="k")).status == 201
    assert sent() == 1


def test_retry_after_is_a_floor_for_the_wait(
    perform: Perform, context: Context, sandbox: Sandbox, events: list[Event]
) -> None:
    sandbox.world.faults.add(
        Fault(kind=FaultKind.STATUS, match="post.create", status=429, retry_after=30)
    )
    began = sandbox.clock.monotonic()
    assert perform(create(context)).status == 201
    assert sandbox.clock.monotonic() - began >= 30
    assert [event.seconds for event in events if isinstance(event, RetryScheduled)] == [30]


def test_a_longer_retry_after_than_the_time_left_fails_at_once(
    perform: Perform, context: Context, sandbox: Sandbox
) -> None:
    sandbox.world.faults.add(
        Fault(kind=FaultKind.STATUS, match="post.list", status=503, retry_after=3600)
    )
    began = sandbox.clock.monotonic()
    with pytest.raises(ApiError) as refused:
        perform(letters(context))
    assert refused.value.retry_after == 3600
    assert sandbox.clock.monotonic() - began < 5


def test_a_conflict_is_never_retried(
    perform: Perform, context: Context, sandbox: Sandbox, events: list[Event]
) -> None:
    sandbox.world.faults.add(Fault(kind=FaultKind.STATUS, match="post.list", status=409, times=9))
    with pytest.raises(ApiError) as refused:
        perform(letters(context))
    assert refused.value.status == 409
    assert sum(isinstance(event, RequestSent) for event in events) == 1


def test_attempts_are_bounded(
    perform: Perform, context: Context, sandbox: Sandbox, events: list[Event]
) -> None:
    sandbox.world.faults.add(Fault(kind=FaultKind.RESET_AFTER, match="post.list", times=99))
    with pytest.raises(ConnectionLost):
        perform(letters(context))
    assert sum(isinstance(event, RequestSent) for event in events) == context.policy.attempts


def test_the_total_time_is_bounded(perform: Perform, context: Context, sandbox: Sandbox) -> None:
    policy = attrs.evolve(context.policy, attempts=99, backoff=tenacity.wait_fixed(40))
    patient = attrs.evolve(context, policy=policy)
    sandbox.world.faults.add(Fault(kind=FaultKind.TIMEOUT, match="post.list", times=99))
    began = sandbox.clock.monotonic()
    with pytest.raises((TimedOut, DeadlineExceeded)):
        perform(letters(patient))
    assert sandbox.clock.monotonic() - began <= policy.total


def test_an_answer_that_drips_past_the_deadline_is_given_up(
    perform: Perform, context: Context, sandbox: Sandbox
) -> None:
    policy = attrs.evolve(context.policy, attempts=1)
    sandbox.world.faults.add(Fault(kind=FaultKind.SLOW_BODY, match="post.list", seconds=500))
    with pytest.raises(TimedOut):
        perform(letters(attrs.evolve(context, policy=policy)))


def test_an_answer_larger_than_allowed_is_given_up(perform: Perform, context: Context) -> None:
    with pytest.raises(BudgetExceeded):
        perform(letters(attrs.evolve(context, max_bytes=5)))


def test_no_connection_says_that_nothing_was_sent(
    perform: Perform, context: Context, sandbox: Sandbox, sent: Sent
) -> None:
    sandbox.world.faults.add(Fault(kind=FaultKind.CONNECT, times=99))
    with pytest.raises(ConnectFailed):
        perform(create(context, key="k"))
    assert list(context.ledger.unfinished()) == []
    assert sent() == 0


def test_a_refusal_becomes_a_typed_error_with_the_service_words(
    perform: Perform, context: Context
) -> None:
    with pytest.raises(ApiError) as refused:
        perform(context.fetch("get", context.request("GET", "letters/none")))
    error = refused.value
    assert (error.status, error.problem) == (404, "letter-not-found")
    assert error.request_id
    assert "Письмо не найдено" in error.diagnostics()


def test_a_wrong_token_is_a_refusal_and_is_not_retried(
    perform: Perform, context: Context, events: list[Event]
) -> None:
    with pytest.raises(ApiError) as refused:
        perform(letters(attrs.evolve(context, auth=Token("Bearer", "wrong"))))
    assert refused.value.status == 401
    assert sum(isinstance(event, RequestSent) for event in events) == 1


def test_an_answer_outside_the_contract_says_where(perform: Perform, context: Context) -> None:
    @attrs.frozen
    class Page:
        total: int

    def flow() -> Flow[Page]:
        return context.read(Page, (yield from letters(context)))

    with pytest.raises(UnexpectedAnswer, match=r"\$\.total"):
        perform(flow())


def test_events_tell_the_traffic_and_no_content(
    perform: Perform, context: Context, events: list[Event], sandbox: Sandbox
) -> None:
    sandbox.world.faults.add(Fault(kind=FaultKind.RESET_BEFORE, match="post.create"))
    perform(create(context, "тайна пациента"))
    kinds = [type(event) for event in events]
    assert kinds[:3] == [RequestSent, RequestFailed, RetryScheduled]
    assert kinds[-1] is ResponseReceived
    assert "тайна" not in repr(events)
