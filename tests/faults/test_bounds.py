"""What a peer may send at most, and how long it may take, whatever it does."""

from __future__ import annotations

import math
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any

import attrs
import httpcore
import httpx
import pytest
from tests.faults import server
from tests.faults.flows import COLOURS, create, fetch, perform
from tests.faults.server import Act, Exchange, Server

from medsign.clock import SystemClock
from medsign.errors import (
    ApiError,
    BudgetExceeded,
    MedsignError,
    OutcomeUnknown,
    TimedOut,
    UnexpectedAnswer,
)
from medsign.exchange import Answer, Context, Driver, Flow
from medsign.exchange.ledger import CallState
from medsign.exchange.retry import retry_after
from medsign.sandbox.routing import Reply
from medsign.sandbox.world import RunningClock
from medsign.store import MemoryStore
from medsign.transport import Token

MIB = 1024 * 1024
# trio, and only it, tells of httpx's generators over the body of a request that could not be sent.
pytestmark = pytest.mark.filterwarnings(
    r"ignore:Exception ignored in. <async_generator object ByteStream\.__aiter__ "
    ":pytest.PytestUnraisableExceptionWarning"
)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(
    "act",
    [
        server.too_long,
        server.endless,
        server.gzip_bomb,
        partial(server.gzip_bomb, times=3),
        server.large_head,
        server.many_fields,
        server.endless_trailers,
    ],
)
def test_no_answer_takes_more_memory_than_its_bound(
    front: Server, context: Context, act: Act, colour: str
) -> None:
    front.choose = lambda _: act
    server.bomb()
    flow = fetch(attrs.evolve(context, max_bytes=MIB))
    tracemalloc.start()
    try:
        with pytest.raises(MedsignError):
            perform(flow, colour)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * MIB


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(
    "act", [server.drip_the_head, server.drip_the_body, server.informed_without_end]
)
def test_a_peer_that_drips_is_given_up_at_the_deadline(
    front: Server, context: Context, act: Act, colour: str
) -> None:
    front.choose = lambda _: act
    clock = SystemClock()
    began = clock.monotonic()
    with pytest.raises(TimedOut):
        perform(fetch(context), colour)
    assert 0.9 < clock.monotonic() - began < 3.0


@pytest.mark.parametrize("colour", COLOURS)
def test_a_connection_that_is_kept_heeds_the_deadline_of_its_next_request(
    front: Server, context: Context, colour: str
) -> None:
    def choose(_: Exchange) -> Act:
        return server.well if len(front.seen) == 1 else server.informed_without_end

    def twice() -> Flow[Answer]:
        yield from fetch(context)
        return (yield from fetch(context))

    front.choose = choose
    with pytest.raises(TimedOut):
        perform(twice(), colour)
    assert len(front.seen) == 2


def test_each_step_of_connecting_gets_the_time_that_the_ones_before_it_left(
    context: Context,
) -> None:
    clock = RunningClock()
    timeouts: list[float | None] = []

    class Line(httpcore.MockStream):
        def start_tls(self, *_: Any, timeout: float | None = None, **__: Any) -> Line:
            timeouts.append(timeout)
            return self

    class Slow(httpcore.MockBackend):
        def connect_tcp(self, *_: Any, timeout: float | None = None, **__: Any) -> Line:
            timeouts.append(timeout)
            clock.advance(timedelta(seconds=0.7))
            return Line([b"HTTP/1.1 204 No Content\r\n\r\n"])

    transport = httpx.HTTPTransport()
    transport._pool = httpcore.ConnectionPool(network_backend=Slow([]))
    secure = attrs.evolve(context, base_url="https://localhost", clock=clock)
    with httpx.Client(transport=transport) as http:
        assert Driver(http, clock=clock).run(fetch(secure)).status == 204
    first, second = (seconds or math.inf for seconds in timeouts)
    assert first <= 0.5
    assert second <= 0.3


@pytest.mark.parametrize("colour", COLOURS)
def test_a_peer_that_reads_nothing_is_given_up(
    front: Server, context: Context, colour: str
) -> None:
    front.choose = lambda _: Exchange.stall_unread
    request = context.request("POST", "letters", content=bytes(32 * MIB))
    with pytest.raises(MedsignError):
        perform(context.fetch("put", request), colour)


TWO_LOOPS = """
import sys
import anyio, httpx
from medsign.exchange import AsyncDriver, Context, RetryPolicy

context = Context(service="post", base_url=sys.argv[1], policy=RetryPolicy(attempts=1))
driver = AsyncDriver(httpx.AsyncClient())
for backend in sys.argv[2:]:
    flow = context.fetch("get", context.request("GET", "letters/7"))
    anyio.run(driver.run, flow, backend=backend)
"""


@pytest.mark.parametrize("first", ["asyncio", "trio"])
def test_a_window_in_a_second_event_loop_is_told_where_its_connections_are(
    front: Server, first: str
) -> None:
    # In a process of its own, because the first loop leaves its connection unclosed.
    command = [sys.executable, "-c", TWO_LOOPS, front.url, first, "asyncio"]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    assert "ConnectionLost: this window has connections of another event loop" in ran.stderr


def test_documents_have_a_bound_of_their_own(front: Server, context: Context) -> None:
    small = attrs.evolve(context, max_bytes=2, max_document_bytes=100)
    with pytest.raises(BudgetExceeded):
        perform(fetch(small))
    assert perform(fetch(small.roomy)).body == b'{"id": "7"}'


def test_a_page_that_some_proxy_put_in_the_place_of_the_answer_loses_no_outcome(
    front: Server, context: Context
) -> None:
    front.choose = lambda _: server.another_page
    context = attrs.evolve(context, store=MemoryStore())
    with pytest.raises(OutcomeUnknown):
        perform(create(context))
    assert [call.key for call in context.ledger.unfinished()] == ["k"]
    front.choose = lambda _: server.well
    assert perform(create(context)).status == 200


def test_asking_for_the_outcome_takes_no_longer_than_the_call_may(
    front: Server, context: Context
) -> None:
    front.choose = lambda _: server.stall_done
    policy = attrs.evolve(context.policy, attempts=4, total=1.2, timeout=1.0)
    clock = SystemClock()
    began = clock.monotonic()
    with pytest.raises(OutcomeUnknown):
        perform(create(attrs.evolve(context, policy=policy)))
    assert clock.monotonic() - began < 2.0


def test_a_conflict_after_a_lost_answer_may_be_with_the_own_call(
    front: Server, context: Context
) -> None:
    """A service may answer 409 while it still does the first of two equal calls."""
    acts = iter([server.close_done, _absent, lambda e: e.refuse(409), server.well])
    front.choose = lambda _: next(acts)
    policy = attrs.evolve(context.policy, attempts=3, total=20.0, timeout=5.0)
    assert perform(create(attrs.evolve(context, policy=policy))).status == 200


def _absent(exchange: Exchange) -> None:
    exchange.read()
    exchange.answer(Reply(404, {}, b'{"code": "operation-not-found"}'))
    exchange.keep = True


def test_two_presses_that_find_the_outcome_at_once_both_have_it(context: Context) -> None:
    """Both ask, both learn that the call was done, and both write it down."""
    list(_walk(create(context), stop=1))
    ledger = context.ledger

    class Late(MemoryStore):
        def load(self, stream: str) -> Any:
            found = inner.load(stream)
            if found[-1].kind == CallState.UNKNOWN:
                ledger.close("k", CallState.ANSWERED)
            return found

        def append(self, *arguments: Any, **options: Any) -> Any:
            return inner.append(*arguments, **options)

    inner = context.store
    attrs.evolve(ledger, store=Late()).close("k", CallState.ANSWERED)
    assert list(ledger.unfinished()) == []


def _walk(flow: Flow[Any], stop: int) -> Iterator[Any]:
    effect = next(flow)
    for _ in range(stop):
        yield effect
        effect = flow.send(effect.work())
    flow.close()


@pytest.mark.parametrize("colour", COLOURS)
def test_no_error_quotes_the_answer_that_it_could_not_read(
    front: Server, context: Context, colour: str
) -> None:
    name = "Тестова Анна Петровна"
    broken = f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{name}\r\n".encode()
    front.choose = lambda _: partial(server.raw, broken)
    with pytest.raises(MedsignError) as caught:
        perform(fetch(context), colour)
    error: BaseException | None = caught.value
    while error is not None:
        assert name not in str(error)
        assert repr(name.encode())[2:-1] not in str(error)
        error = error.__cause__


def test_a_list_whose_pages_never_end_is_refused(front: Server, context: Context) -> None:
    page = Reply(200, {}, b'{"items": [1], "nextCursor": "a"}')
    front.deliver = lambda _: server.Delivery(page)
    with httpx.Client() as http, pytest.raises(UnexpectedAnswer, match="same page"):
        list(Driver(http).iterate(context.pages("list", "letters", int, {})))


def test_no_redirect_carries_the_token_to_another_host(front: Server, context: Context) -> None:
    with Server() as elsewhere:
        front.elsewhere = elsewhere.url
        front.choose = lambda _: partial(server.redirect, 307)
        with pytest.raises(UnexpectedAnswer):
            perform(fetch(attrs.evolve(context, auth=Token("Bearer", "secret"))))
        assert (elsewhere.seen, front.tokens) == ([], ["Bearer secret"])


@pytest.mark.parametrize(
    "field", ["Mon, 01 Jan 99999999999 00:00:00 GMT", "9" * 400, "-1", "", "٣", "soon\x00"]
)
def test_no_retry_after_breaks_the_call(field: str) -> None:
    seconds = retry_after(field, SystemClock())
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_in_both_forms_is_a_floor_for_the_wait(
    front: Server, context: Context, form: str
) -> None:
    waits: list[float] = []

    def busy(exchange: Exchange) -> None:
        later = format_datetime(front.clock.now() + 5 * server.SECOND, usegmt=True)
        exchange.refuse(429, Retry_After="5" if form == "seconds" else later)

    front.choose = lambda _: busy if len(front.seen) == 1 else server.well
    policy = attrs.evolve(context.policy, attempts=2, total=30.0)
    with httpx.Client() as http:
        driver = Driver(http, sleep=waits.append)
        driver.run(fetch(attrs.evolve(context, policy=policy)))
    [wait] = waits
    assert 3.5 <= wait <= 5.0


def test_an_answer_that_is_refused_is_typed(front: Server, context: Context) -> None:
    front.choose = lambda _: lambda exchange: exchange.refuse(409)
    with pytest.raises(ApiError) as refused:
        perform(fetch(context))
    assert (refused.value.status, refused.value.problem) == (409, "staged")
