"""A small service of the sandbox, and a driver of each colour to reach it with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import anyio
import attrs
import httpx
import pytest
import tenacity

from medsign.exchange import AsyncDriver, Context, Driver, Event, RetryPolicy
from medsign.sandbox import Call, Problem, Route, Sandbox, Service
from medsign.store import MemoryStore
from medsign.transport import Token


@attrs.frozen
class Letter:
    text: str


class Post(Service):
    """Letters by number."""

    name, base, title = "post", "/post", "Почта"

    def routes(self) -> tuple[Route[Any], ...]:
        return (
            Route(
                method="POST",
                path="/letters",
                operation="post.create",
                handler=self._create,
                accepts=Letter,
                returns=Letter,
                status=201,
                creating=True,
                summary="Отправить письмо",
            ),
            Route(
                method="GET",
                path="/letters/{id}",
                operation="post.get",
                handler=self._get,
                returns=Letter,
                summary="Письмо",
                refusals=(404,),
            ),
            Route(
                method="GET",
                path="/letters",
                operation="post.list",
                handler=lambda call: self.letters().items(),
                returns=Letter,
                listing=True,
                summary="Все письма",
            ),
        )

    def letters(self) -> Any:
        return self.world.drawer("post.letters", Letter)

    def _create(self, call: Call[Letter]) -> Letter:
        if call.body.text == "spam":
            raise Problem(422, "letter-refused", "No spam", "Письмо отклонено")
        self.letters().put(self.world.new_id(), call.body)
        return call.body

    def _get(self, call: Call[None]) -> Letter:
        if letter := self.letters().get(call["id"]):
            found: Letter = letter
            return found
        raise Problem(404, "letter-not-found", "No such letter", "Письмо не найдено")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox([Post]) as world:
        yield world


@pytest.fixture
def sent(sandbox: Sandbox) -> Callable[[], int]:
    """How many letters the service has."""
    return lambda: len(list(sandbox.service(Post).letters().items()))


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def context(sandbox: Sandbox, events: list[Event]) -> Context:
    post = sandbox.endpoint("post")
    return Context(
        service="post",
        base_url=post.url,
        auth=Token("Bearer", post.token),
        clock=sandbox.clock,
        store=MemoryStore(),
        policy=RetryPolicy(backoff=tenacity.wait_fixed(1)),
        emit=events.append,
    )


@pytest.fixture(params=["sync", "asyncio", "trio"])
def perform(request: pytest.FixtureRequest, sandbox: Sandbox) -> Callable[[Any], Any]:
    """Perform a flow in one colour against the sandbox; waits move its clock."""

    async def in_async(flow: Any) -> Any:
        async with httpx.AsyncClient(transport=sandbox.async_transport()) as http:
            driver = AsyncDriver(http, clock=sandbox.clock, sleep=sandbox.async_sleep)
            return await driver.run(flow)

    def in_sync(flow: Any) -> Any:
        with httpx.Client(transport=sandbox.transport()) as http:
            return Driver(http, clock=sandbox.clock, sleep=sandbox.sleep).run(flow)

    if request.param == "sync":
        return in_sync
    return lambda flow: anyio.run(in_async, flow, backend=request.param)
