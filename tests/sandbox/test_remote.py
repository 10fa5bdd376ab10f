"""The tester's hand: what it reads of a sandbox, and what it says when the sandbox refuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from medsign.errors import ConnectFailed, UnexpectedAnswer
from medsign.sandbox import Fault, FaultKind, Sandbox
from medsign.sandbox.remote import Remote


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as world:
        yield world


@pytest.fixture
def remote(sandbox: Sandbox) -> Iterator[Remote]:
    with sandbox.http() as http:
        yield Remote(http)


def test_the_clock_of_the_world_is_set_and_moved(sandbox: Sandbox, remote: Remote) -> None:
    remote.set(datetime(2030, 1, 1, tzinfo=UTC))
    remote.advance(3600)
    assert timedelta(0) <= remote.now() - datetime(2030, 1, 1, 1, tzinfo=UTC) < timedelta(minutes=1)
    assert sandbox.clock.now().year == 2030


def test_every_message_is_read_however_many(sandbox: Sandbox, remote: Remote) -> None:
    for number in range(230):
        sandbox.world.send("sms", "+79990000001", str(number))
    assert [message["text"] for message in remote.outbox()] == [str(n) for n in range(230)]


def test_a_refusal_is_told_as_such(sandbox: Sandbox, remote: Remote) -> None:
    sandbox.world.faults.add(Fault(kind=FaultKind.STATUS, match="/ca/aia/*", status=503))
    with pytest.raises(UnexpectedAnswer, match="503"):
        remote.trust()


def test_an_address_without_a_sandbox_is_told_as_such() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody listens")

    with (
        httpx.Client(transport=httpx.MockTransport(refuse), base_url="http://127.0.0.1:9") as http,
        pytest.raises(ConnectFailed),
    ):
        Remote(http)
