"""Hooks for events: several at once, broken ones, and the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from typing import Any

import attrs
import httpx
import pytest

from medsign.clock import ManualClock
from medsign.errors import OutcomeUnknown
from medsign.exchange import (
    Context,
    Driver,
    Event,
    Follower,
    OutcomeNotRecorded,
    RequestFailed,
    RequestSent,
    ResponseReceived,
    RetryScheduled,
    Service,
    all_of,
    log_events,
    operation,
)
from medsign.sandbox import Fault, FaultKind, Sandbox
from medsign.status import Journal, State, StateChanged, StatusModel, Tracker
from medsign.store import MemoryStore

Perform = Callable[[Any], Any]

ABOUT: dict[str, Any] = {"service": "sep", "operation": "send", "attempt": 1}
SENT = RequestSent(**ABOUT, method="POST", size=7)


def create(context: Context, text: str, key: str | None = None) -> Any:
    return context.create("create", context.request("POST", "letters", body={"text": text}), key)


class Broken(RuntimeError):
    pass


def broken(event: Event) -> None:
    raise Broken("999-999-999 99")


@pytest.mark.parametrize("fault", [None, FaultKind.RESET_AFTER, FaultKind.RESET_BEFORE])
def test_a_broken_hook_loses_no_outcome(
    perform: Perform,
    context: Context,
    sandbox: Sandbox,
    sent: Callable[[], int],
    fault: FaultKind | None,
):
    if fault:
        sandbox.world.faults.add(Fault(kind=fault, match="post.create"))
    context = attrs.evolve(context, emit=broken)
    assert perform(create(context, "здравствуйте", "k-1")).status == 201
    assert sent() == 1
    assert list(context.ledger.unfinished()) == []


def test_a_broken_hook_does_not_hide_an_unknown_outcome(
    perform: Perform, context: Context, sandbox: Sandbox
):
    sandbox.world.faults.add(Fault(kind=FaultKind.TIMEOUT, match="*", times=99))
    with pytest.raises(OutcomeUnknown):
        perform(create(attrs.evolve(context, emit=broken), "здравствуйте"))


def test_a_broken_hook_is_told_of_once_and_without_its_words(caplog: pytest.LogCaptureFixture):
    hook = all_of(broken)
    for _ in range(3):
        hook(SENT)
    assert caplog.messages == ["a hook for events fails: Broken"]


def test_a_hook_may_still_stop_the_program():
    def stop(event: Event) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        all_of(stop)(SENT)


def test_a_broken_hook_keeps_no_event_from_the_others():
    seen: list[Event] = []
    all_of(broken, seen.append, broken)(SENT)
    assert seen == [SENT]


def test_hooks_combined_twice_are_called_once_each():
    seen: list[Event] = []
    inner = all_of(seen.append)
    both = all_of(inner, broken)
    assert all_of(both) is both
    both(SENT)
    assert seen == [SENT]


@attrs.frozen
class Diary:
    """A hook that goes along and writes down where it was."""

    name: str
    lines: list[str]

    def __call__(self, event: Event) -> None:
        self.lines.append(f"{self.name} sees {type(event).__name__}")

    def follow(self, operation: str, flow: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        self.lines.append(f"{self.name} begins {operation}")
        try:
            return (yield from flow)
        finally:
            self.lines.append(f"{self.name} ends")


def test_hooks_that_follow_an_operation_stand_around_it_in_their_order(
    context: Context, sandbox: Sandbox
):
    def greet(context: Context) -> Any:
        return create(context, "здравствуйте")

    class Post(Service):
        greet_all = operation(greet)

    lines: list[str] = []
    hooks = all_of(Diary("a", lines), lines.append, all_of(Diary("b", lines)))
    with httpx.Client(transport=sandbox.transport()) as http:
        Post(attrs.evolve(context, emit=hooks), Driver(http, clock=sandbox.clock)).greet_all()
    told = [line for line in lines if isinstance(line, str)]
    assert told[:2] == ["a begins post.greet_all", "b begins post.greet_all"]
    assert told[-2:] == ["b ends", "a ends"]
    assert isinstance(hooks, Follower)


def test_a_hook_that_only_listens_follows_nothing():
    flow = iter(())
    assert all_of(broken).follow("sep.send", flow) is flow  # type: ignore[arg-type]


LEVELS = [
    (SENT, logging.DEBUG),
    (
        ResponseReceived(**ABOUT, status=201, seconds=0.5, size=2, request_id="r-1"),
        logging.INFO,
    ),
    (
        ResponseReceived(**ABOUT, status=422, seconds=0.5, size=2, request_id=None),
        logging.WARNING,
    ),
    (RetryScheduled(**ABOUT, seconds=1.0, reason="MS-TIMEOUT"), logging.INFO),
    (
        RequestFailed(**ABOUT, seconds=1.0, code="MS-CONNECT", outcome_known=True),
        logging.WARNING,
    ),
    (
        RequestFailed(**ABOUT, seconds=20.0, code="MS-TIMEOUT", outcome_known=False),
        logging.ERROR,
    ),
    (OutcomeNotRecorded(service="sep", operation="send", code="MS-STORE"), logging.WARNING),
]


@pytest.mark.req("F115")
@pytest.mark.parametrize("event, level", LEVELS, ids=lambda each: type(each).__name__)
def test_an_event_is_logged_by_what_it_means_with_its_fields(
    caplog: pytest.LogCaptureFixture, event: Event, level: int
):
    caplog.set_level(logging.DEBUG)
    log_events(logging.getLogger("clinic"))(event)
    [record] = caplog.records
    assert (record.name, record.levelno) == ("clinic", level)
    assert record.medsign == {"event": type(event).__name__, **attrs.asdict(event)}  # type: ignore[attr-defined]
    assert record.getMessage().startswith(("sep.send #1: ", "sep.send: "))


def test_a_change_of_state_is_logged_without_the_id_and_the_remark(
    caplog: pytest.LogCaptureFixture, sandbox: Sandbox
):
    caplog.set_level(logging.INFO)
    changes: list[StateChanged] = []
    model = StatusModel(
        name="letter",
        states=[State("draft", "Черновик"), State("sent", "Отправлено", terminal=True)],
        initial="draft",
        transitions={"draft": {"send": "sent"}},
    )
    clock = ManualClock(sandbox.clock.now())
    tracker = Tracker(
        model, Journal(MemoryStore()), "Тестова-9999", clock, on_change=changes.append
    )
    tracker.fire("send", who="registrar-3")
    log_events(logging.getLogger("clinic"))(changes[0])
    [record] = caplog.records
    assert record.getMessage() == "letter: draft → sent"
    assert "9999" not in repr(vars(record))


def test_nothing_is_formatted_for_a_log_that_does_not_listen(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.ERROR)
    log_events(logging.getLogger("clinic"))(SENT)
    assert caplog.records == []


def test_a_session_with_faults_is_seen_in_the_log(
    perform: Perform, context: Context, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "clinic")
    sandbox.world.faults.add(Fault(kind=FaultKind.RESET_AFTER, match="post.list"))
    listening = attrs.evolve(context, emit=log_events(logging.getLogger("clinic")))
    perform(listening.fetch("list", listening.request("GET", "letters")))
    told = [record.medsign["event"] for record in caplog.records if record.name == "clinic"]  # type: ignore[attr-defined]
    assert told == ["RequestFailed", "RetryScheduled", "ResponseReceived"]
