"""What a declaration makes of a flow, and what a service knows of its open calls."""

from __future__ import annotations

import inspect
import threading
from datetime import UTC, datetime

import anyio
import httpx
import pytest

from medsign.exchange import (
    AsyncDriver,
    AsyncService,
    Context,
    Driver,
    Flow,
    Item,
    Listing,
    Service,
    Unfinished,
    listing,
    operation,
)
from medsign.exchange.ledger import CallState
from medsign.store import MemoryStore, NewEvent

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def shout(_: Context, text: str, *, times: int = 1) -> Flow[str]:
    """Return the text, louder."""
    return text.upper() * times
    yield


def letters(_: Context, text: str) -> Listing[str]:
    """Yield the letters of a text."""
    for letter in text:
        yield Item(letter)


class Echo:
    shout = operation(shout)
    letters = listing(letters)


class Blocking(Echo, Service):
    pass


class Other(Echo, AsyncService):
    pass


class Watched(MemoryStore):
    """A store that notes in which thread it is asked."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def newest(self, prefix="", *, but=()):
        self.asked.append(threading.get_ident())
        return super().newest(prefix, but=but)

    def load(self, *_):
        raise AssertionError("a finished call was loaded")


def a_context(store):
    return Context(service="echo", base_url="https://echo.test", store=store)


@pytest.fixture
def store():
    store = Watched()
    ledger = a_context(store).ledger
    for key in ("k-1", "k-2"):
        ledger.open("echo.shout", key, httpx.Request("POST", "https://echo.test/x", content=b""))
    ledger.close("k-1", CallState.ANSWERED)
    store.append("call/other//k-3", 0, [NewEvent("sending", NOON, {"operation": "other.do"})])
    return store


def test_a_blocking_service_tells_its_open_calls_without_loading_the_others(store):
    with httpx.Client() as http:
        found = Blocking(a_context(store), Driver(http)).unfinished()
    assert found == [Unfinished("echo.shout", "k-2")]
    assert store.asked == [threading.get_ident()]


def test_an_async_service_asks_for_its_open_calls_off_the_event_loop(store):
    async def ask():
        async with httpx.AsyncClient() as http:
            return await Other(a_context(store), AsyncDriver(http)).unfinished()

    assert anyio.run(ask) == [Unfinished("echo.shout", "k-2")]
    [thread] = store.asked
    assert thread != threading.get_ident()


@pytest.mark.parametrize("kind", [Blocking, Other])
def test_a_method_looks_like_its_flow_less_the_context(kind):
    service = kind(a_context(MemoryStore()), None)
    assert (
        str(inspect.signature(service.shout)) == "(text: 'str', *, times: 'int' = 1) -> 'Flow[str]'"
    )
    assert str(inspect.signature(service.letters)) == "(text: 'str') -> 'Listing[str]'"
    assert service.shout.__doc__ == shout.__doc__
    assert service.letters.__name__ == "letters"
    assert kind.shout.flow is shout


def test_a_signature_is_read_once_and_not_at_each_use(monkeypatch):
    monkeypatch.setattr(inspect.Signature, "replace", lambda *_, **__: 1 / 0)
    with httpx.Client() as http:
        service = Blocking(a_context(MemoryStore()), Driver(http))
        assert service.shout("a", times=2) == "AA"
        assert [*service.letters("ab")] == ["a", "b"]
