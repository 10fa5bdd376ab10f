"""A workplace with the sandbox's ЕКП, by blocking and by async code, and cards to lay on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import anyio
import httpx
import pytest

from medsign.clock import ManualClock
from medsign.ekp import AsyncEkp, Ekp, ekp_context
from medsign.exchange import AsyncDriver, Driver
from medsign.sandbox import Sandbox
from medsign.sandbox.ekp import EkpService, IssuedCard, SandboxCard


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    clock = ManualClock(datetime(2026, 6, 25, 9, tzinfo=UTC))
    with Sandbox([EkpService], clock=clock) as sandbox:
        yield sandbox


class AsyncDesk:
    """Async code seen by a test: each call runs in an event loop of its own."""

    def __init__(self, service: AsyncEkp) -> None:
        self._service = service

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._service, name)
        return lambda *args, **kwargs: anyio.run(partial(method, *args, **kwargs))


@pytest.fixture(params=["sync", "async"])
def desk(sandbox: Sandbox, request: pytest.FixtureRequest) -> Any:
    endpoint = sandbox.endpoint("ekp")
    context = ekp_context(base_url=endpoint.url, token=endpoint.token, clock=sandbox.clock)
    if request.param == "sync":
        http = httpx.Client(transport=sandbox.transport())
        return Ekp(context, Driver(http, clock=sandbox.clock, sleep=sandbox.sleep))
    async_http = httpx.AsyncClient(transport=sandbox.async_transport())
    driver = AsyncDriver(async_http, clock=sandbox.clock, sleep=sandbox.async_sleep)
    return AsyncDesk(AsyncEkp(context, driver))


@pytest.fixture
def issued(sandbox: Sandbox) -> IssuedCard:
    """The sandbox's first card: everything is known of its holder."""
    return next(sandbox.service(EkpService).cards.values())


@pytest.fixture
def card(issued: IssuedCard) -> SandboxCard:
    return SandboxCard(issued)
