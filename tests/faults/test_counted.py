"""Ten thousand calls under faults drawn at random: each done once, none lost, none doubled."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import anyio
import attrs
import httpx
import pytest
import tenacity
from tests.faults import server
from tests.faults.server import Exchange, Server
from tests.faults.table import FAULTS

from medsign.errors import MedsignError, OutcomeUnknown, VersionConflict
from medsign.exchange import Answer, AsyncDriver, Context, Driver, Flow, RetryPolicy
from medsign.sandbox.routing import Reply
from medsign.store import MemoryStore

POLICY = RetryPolicy(backoff=tenacity.wait_fixed(0), attempts=3, total=20.0, timeout=2.0)
SEED = 20261122


@attrs.frozen
class Letter:
    id: str


class Desk:
    """A service that remembers how often each call was carried out, by its key."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()

    def handle(self, method: str, path: str, key: str) -> tuple[int, bytes]:
        if method == "POST":
            if not self.done[key]:
                self.done[key] += 1
            return 201, b'{"id": "1"}'
        if self.done[path.rpartition("/")[2]]:
            return 201, b'{"id": "1"}'
        return 404, b'{"code": "operation-not-found"}'


class Wire(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A network in the process; one request of three meets a fault."""

    def __init__(self, desk: Desk, chance: random.Random) -> None:
        self.desk = desk
        self.chance = chance

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        draw = self.chance.random()
        if draw < 0.08:
            raise httpx.ConnectError("no connection")
        if draw < 0.16:
            raise self.chance.choice([httpx.ReadTimeout, httpx.ReadError])("not done")
        if draw < 0.18:
            return httpx.Response(self.chance.choice([429, 502, 503, 504]))
        key = request.headers.get("idempotency-key", "")
        status, body = self.desk.handle(request.method, request.url.path, key)
        if draw < 0.26:
            raise self.chance.choice([httpx.ReadTimeout, httpx.ReadError])("done")
        if draw < 0.30:
            return httpx.Response(502)
        if draw < 0.34:
            return httpx.Response(200, text="<html>Log in</html>")
        if draw < 0.36:
            self.desk.handle(request.method, request.url.path, key)
        return httpx.Response(status, content=body)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await anyio.lowlevel.checkpoint()
        return self.handle_request(request)


def create(context: Context, key: str) -> Flow[Answer]:
    request = context.request("POST", "letters", body={"number": key})
    return context.create("create", request, key, kind=Letter)


def new_context(base_url: str = "https://post.test") -> Context:
    return Context(service="post", base_url=base_url, store=MemoryStore(), policy=POLICY)


def pressed_until_known(keys: list[str], outcome: dict[str, str]) -> Iterator[str]:
    """Yield the calls of which the caller knows no good end, again and again."""
    for _ in range(40):
        yield from (key for key in keys if outcome.get(key) != "done")


def balance(context: Context, desk: Desk, keys: list[str], outcome: dict[str, str]) -> None:
    assert set(desk.done) == set(keys)
    assert set(desk.done.values()) == {1}
    assert all(outcome[key] == "done" for key in keys)
    assert list(context.ledger.unfinished()) == []


@pytest.mark.parametrize("colour", ["sync", "asyncio"])
def test_five_thousand_calls_under_random_faults_are_each_done_once(colour: str) -> None:
    desk, context = Desk(), new_context()
    wire = Wire(desk, random.Random(SEED))
    keys = [f"k{number}" for number in range(5000)]
    outcome: dict[str, str] = {}

    def note(key: str, error: MedsignError | None) -> None:
        if error is None or outcome.get(key) == "done":
            outcome[key] = "done"  # two tasks may press the same button at once
        elif isinstance(error, OutcomeUnknown):
            outcome[key] = "unknown"
        elif not isinstance(error, VersionConflict):
            outcome[key] = "refused"
            assert not desk.done[key], f"{error!r} hides what was done"

    def in_sync() -> None:
        with httpx.Client(transport=wire) as http:
            driver = Driver(http, sleep=lambda _: None)
            for key in pressed_until_known(keys, outcome):
                try:
                    driver.run(create(context, key))
                except MedsignError as error:
                    note(key, error)
                else:
                    note(key, None)

    async def in_async() -> None:
        async with httpx.AsyncClient(transport=wire) as http:
            driver = AsyncDriver(http, sleep=lambda _: anyio.lowlevel.checkpoint())
            waiting = pressed_until_known(keys, outcome)

            async def press() -> None:
                for key in waiting:
                    try:
                        await driver.run(create(context, key))
                    except MedsignError as error:
                        note(key, error)
                    else:
                        note(key, None)

            async with anyio.create_task_group() as tasks:
                for _ in range(8):
                    tasks.start_soon(press)

    if colour == "sync":
        in_sync()
    else:
        anyio.run(in_async, backend=colour)
    balance(context, desk, keys, outcome)


def test_three_hundred_calls_over_a_bad_line_are_each_done_once() -> None:
    chance, desk = random.Random(SEED), Desk()
    acts = [fault.act for fault in FAULTS.values() if not fault.slow]

    def choose(_: Exchange) -> server.Act:
        return chance.choice(acts) if chance.random() < 0.4 else server.well

    def deliver(request: server.Request) -> server.Delivery:
        key = request.headers.get("idempotency-key", "")
        status, body = desk.handle(request.method, request.path, key)
        return server.Delivery(Reply(status, {"Content-Type": "application/json"}, body))

    keys = [f"k{number}" for number in range(300)]
    outcome: dict[str, str] = {}
    with Server(choose) as front, httpx.Client() as http:
        front.deliver = deliver
        context = new_context(front.url)
        driver = Driver(http, sleep=lambda _: None)
        for key in pressed_until_known(keys, outcome):
            assert outcome.get(key) != "hidden"
            try:
                driver.run(create(context, key))
                outcome[key] = "done"
            except MedsignError as error:
                hidden = desk.done[key] and not isinstance(error, OutcomeUnknown)
                outcome[key] = "hidden" if hidden else "open"
    balance(context, desk, keys, outcome)
