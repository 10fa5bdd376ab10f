"""What is known of a call that failed: never left, refused, done, or nobody knows."""

from __future__ import annotations

import math
import socket
import traceback
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import anyio
import attrs
import httpx
import pytest
import tenacity

from medsign.errors import (
    ApiError,
    ConfigError,
    ConnectFailed,
    ContentChanged,
    DeadlineExceeded,
    MedsignError,
    OutcomeUnknown,
    SignInFailed,
    StoreError,
    UsageError,
)
from medsign.exchange import (
    Answer,
    AsyncDriver,
    Context,
    Driver,
    Event,
    Flow,
    OutcomeNotRecorded,
    RateLimit,
    RequestSent,
    RetryPolicy,
)
from medsign.sandbox import Fault, FaultKind, Sandbox
from medsign.status import NewEvent
from medsign.store import MemoryStore
from medsign.transport import PasswordGrant

Handler = Callable[[httpx.Request], httpx.Response]
Perform = Callable[[Flow[Any]], Any]
COLOURS = ("sync", "asyncio", "trio")


def create(context: Context, key: str = "k") -> Flow[Answer]:
    return context.create("create", context.request("POST", "letters", body={"text": "a"}), key)


def through(service: Handler | httpx.BaseTransport | None, flow: Flow[Any], colour: str) -> Any:
    """Perform a flow against a service that is one function, a transport, or out on the network."""
    transport: Any = service
    if callable(service):
        transport = httpx.MockTransport(service)

    async def in_async() -> Any:
        async with httpx.AsyncClient(transport=transport) as http:
            return await AsyncDriver(http, sleep=_no_sleep).run(flow)

    if colour != "sync":
        return anyio.run(in_async, backend=colour)
    with httpx.Client(transport=transport) as http:
        return Driver(http, sleep=lambda _: None).run(flow)


async def _no_sleep(_: float) -> None:
    await anyio.lowlevel.checkpoint()


def remote(**settings: Any) -> Context:
    policy = RetryPolicy(attempts=2, backoff=tenacity.wait_fixed(0))
    given = {"base_url": "https://x.test", "policy": policy, **settings}
    return Context(service="x", **given)


def silent(_: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("")


def broken(_: httpx.Request) -> httpx.Response:
    return httpx.Response(500)


def page(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, html="<h1>Log in to use the network</h1>")


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("sign_in", [silent, broken, page])
def test_a_call_whose_sign_in_failed_was_not_sent(sign_in: Handler, colour: str) -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return sign_in(request)

    grant = PasswordGrant(url="https://id.test/token", username="u", password="p")
    context = remote(auth=grant)
    with pytest.raises(MedsignError) as failed:
        through(handler, create(context), colour)
    assert isinstance(failed.value, SignInFailed | ApiError)
    assert set(asked) == {"/token"}
    assert list(context.ledger.unfinished()) == []


@pytest.mark.parametrize("colour", COLOURS)
def test_a_renewal_that_fails_after_a_401_leaves_nothing_in_doubt(colour: str) -> None:
    tokens = iter(['{"access_token": "old"}', ""])

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path != "/token":
            return httpx.Response(200 if request.method == "GET" else 401, json={})
        return httpx.Response(200, text=next(tokens))

    grant = PasswordGrant(url="https://id.test/token", username="u", password="p")
    context = remote(auth=grant, policy=RetryPolicy(attempts=1))
    through(handler, context.fetch("get", context.request("GET", "letters")), colour)
    with pytest.raises(SignInFailed):
        through(handler, create(context), colour)
    assert list(context.ledger.unfinished()) == []


@pytest.mark.parametrize("colour", COLOURS)
def test_a_call_that_found_no_free_connection_was_not_sent(colour: str) -> None:
    class Full(httpx.BaseTransport, httpx.AsyncBaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            raise httpx.PoolTimeout("")

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await anyio.sleep(request.extensions["timeout"]["pool"])
            raise httpx.PoolTimeout("")

    context = remote(policy=RetryPolicy(attempts=1, total=0.2, timeout=5.0))
    with pytest.raises(ConnectFailed):
        through(Full(), create(context), colour)
    assert list(context.ledger.unfinished()) == []


def test_a_request_is_sent_as_often_as_the_policy_says_whatever_each_repeat_is_for() -> None:
    events: list[Event] = []

    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(404, json={"code": "operation-not-found"})
        if len([one for one in events if isinstance(one, RequestSent)]) % 2:
            return httpx.Response(503)
        raise httpx.ReadError("")

    policy = RetryPolicy(attempts=4, backoff=tenacity.wait_fixed(0))
    with pytest.raises(OutcomeUnknown):
        through(handler, create(remote(policy=policy, emit=events.append)), "sync")
    posts = [one for one in events if isinstance(one, RequestSent) and one.method == "POST"]
    assert [one.attempt for one in posts] == [1, 2, 3, 4]


def test_an_error_of_the_own_side_does_not_settle_what_became_of_the_first_request() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(404, json={"code": "operation-not-found"})
        if "again" in request.extensions:
            raise ContentChanged
        request.extensions["again"] = True
        raise httpx.ReadError("")

    context = remote()
    with pytest.raises(OutcomeUnknown) as unknown:
        through(handler, create(context), "sync")
    assert isinstance(unknown.value.__cause__, ContentChanged)
    assert [call.key for call in context.ledger.unfinished()] == ["k"]


class Full(MemoryStore):
    """A journal that takes only what opens a call: its disk is full by then."""

    def append(
        self,
        stream: str,
        expected_version: int,
        events: Sequence[NewEvent],
        *,
        durable: bool = True,
    ) -> int:
        if not durable:
            raise StoreError("the disk is full")
        return super().append(stream, expected_version, events)


def test_an_answer_is_not_lost_when_the_journal_cannot_take_it_in(
    perform: Perform, context: Context, events: list[Event]
) -> None:
    context = attrs.evolve(context, store=Full())
    assert perform(create(context)).status == 201
    assert events[-1] == OutcomeNotRecorded(service="post", operation="create", code="MS-STORE")
    assert [call.key for call in context.ledger.unfinished()] == ["k"]


def test_a_refusal_is_not_hidden_when_the_journal_cannot_take_it_in(context: Context) -> None:
    context = attrs.evolve(context, store=Full(), base_url="https://x.test")
    with pytest.raises(ApiError):
        through(lambda _: httpx.Response(422), create(context), "sync")


def test_a_key_is_unique_within_a_service_and_an_owner(
    perform: Perform, context: Context, sandbox: Sandbox
) -> None:
    first = attrs.evolve(context, owner="1.2.643.2.69.1.2.1")
    others = [attrs.evolve(first, owner="1.2.643.2.69.1.2.2"), attrs.evolve(first, service="y")]
    sandbox.world.faults.add(Fault(kind=FaultKind.TIMEOUT, match="post.create"))
    sandbox.world.faults.add(Fault(kind=FaultKind.CONNECT, match="*", times=99))
    with pytest.raises(OutcomeUnknown):
        perform(create(first))
    assert [call.key for call in first.ledger.unfinished()] == ["k"]
    for other in others:
        assert list(other.ledger.unfinished()) == []
        request = other.request("POST", "letters", body={"text": "something else"})
        other.ledger.open("post.create", "k", request)


@pytest.mark.parametrize("kind", ["zzz", "", "sending"])
def test_a_damaged_record_of_a_call_is_an_error_of_the_journal(kind: str) -> None:
    context = remote()
    at = context.clock.now()
    context.store.append("call/x//k", 0, [NewEvent(kind, at, {})])
    with pytest.raises(StoreError, match="damaged"):
        list(context.ledger.unfinished())


@pytest.mark.parametrize("colour", COLOURS)
def test_no_error_quotes_a_field_with_a_token(colour: str) -> None:
    class Raw(httpx.Auth):
        def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:
            request.headers["Authorization"] = "Bearer tok-secret\n"
            yield request

    with socket.create_server(("127.0.0.1", 0)) as listening:
        context = remote(auth=Raw(), base_url=f"http://127.0.0.1:{listening.getsockname()[1]}")
        with pytest.raises(UsageError) as failed:
            through(None, context.fetch("get", context.request("GET", "letters")), colour)
    assert "tok-secret" not in "".join(traceback.format_exception(failed.value))


def test_a_closed_window_refuses_before_anything_is_written_down() -> None:
    context = remote()
    http = httpx.Client()
    http.close()
    with pytest.raises(UsageError, match="closed"):
        Driver(http).run(create(context))
    assert list(context.store.streams()) == []


@pytest.mark.parametrize("colour", COLOURS)
def test_an_error_of_connecting_tells_what_the_system_said(colour: str) -> None:
    context = remote(base_url="http://127.0.0.1:1", policy=RetryPolicy(attempts=1))
    with pytest.raises(ConnectFailed, match="refused"):
        through(None, context.fetch("get", context.request("GET", "letters")), colour)


def test_no_turn_in_time_is_told_as_such(context: Context, perform: Perform) -> None:
    limited = attrs.evolve(context, limit=RateLimit(1, 60))
    perform(limited.fetch("list", limited.request("GET", "letters")))
    hasty = attrs.evolve(limited, policy=RetryPolicy(total=1.0))
    with pytest.raises(DeadlineExceeded, match="rate limit"):
        perform(hasty.fetch("list", hasty.request("GET", "letters")))


def test_time_that_the_journal_takes_is_time_of_the_operation(
    context: Context, sandbox: Sandbox, perform: Perform, sent: Callable[[], int]
) -> None:
    class Slow(MemoryStore):
        def append(self, *arguments: Any, **options: Any) -> int:
            sandbox.clock.advance(timedelta(seconds=100))
            return super().append(*arguments, **options)

    with pytest.raises(DeadlineExceeded):
        perform(create(attrs.evolve(context, store=Slow())))
    assert sent() == 0


@pytest.mark.parametrize("number", [0, -1, 1.5, "4", None])
def test_a_policy_without_a_single_attempt_is_refused(number: Any) -> None:
    with pytest.raises(ConfigError, match="attempts"):
        RetryPolicy(attempts=number)


@pytest.mark.parametrize("name", ["total", "timeout"])
@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf, "30", None])
def test_a_policy_without_a_measurable_end_is_refused(name: str, seconds: Any) -> None:
    with pytest.raises(ConfigError, match=name):
        RetryPolicy(**{name: seconds})
