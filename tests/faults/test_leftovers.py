"""What came before a request was sent is never taken for its answer."""

from __future__ import annotations

from types import SimpleNamespace

import attrs
import httpx
import pytest
from tests.faults import server
from tests.faults.flows import COLOURS, fetch, perform
from tests.faults.server import Act, Exchange, Server

from medsign.errors import ConnectionLost
from medsign.exchange import Answer, Context, Driver, Flow
from medsign.sandbox.routing import Reply
from medsign.transport import PasswordGrant

TOKEN = Reply(200, {"Content-Type": "application/json"}, b'{"access_token": "a", "expires_in": 9}')


@pytest.fixture(autouse=True)
def first_is_doubled(front: Server) -> None:
    def choose(_: Exchange) -> Act:
        return server.surplus if len(front.seen) == 1 else server.well

    front.choose = choose


def two(context: Context) -> Flow[Answer]:
    yield from fetch(context)
    return (yield from fetch(context))


@pytest.mark.parametrize("colour", COLOURS)
def test_an_answer_that_was_there_before_its_request_is_refused(
    context: Context, colour: str
) -> None:
    with pytest.raises(ConnectionLost, match="before the request"):
        perform(two(context), colour)


@pytest.mark.parametrize("colour", COLOURS)
def test_the_request_is_repeated_on_a_new_connection(context: Context, colour: str) -> None:
    patient = attrs.evolve(context, policy=attrs.evolve(context.policy, attempts=2))
    assert perform(two(patient), colour).body == b'{"id": "7"}'


@pytest.mark.parametrize("colour", COLOURS)
def test_what_follows_the_answer_with_a_token_is_refused(
    front: Server, context: Context, colour: str
) -> None:
    front.deliver = lambda _: server.Delivery(TOKEN)
    grant = PasswordGrant(url=f"{front.url}/token", username="u", password="p")
    context = attrs.evolve(context, auth=grant)
    with pytest.raises(ConnectionLost, match="before the request"):
        perform(fetch(context), colour)


@pytest.mark.parametrize("colour", COLOURS)
def test_an_answer_whose_beginning_was_there_before_its_request_is_refused(
    front: Server, context: Context, colour: str
) -> None:
    acts = iter([server.half_surplus, lambda exchange: exchange.refuse(403)])
    front.choose = lambda _: next(acts)
    with pytest.raises(ConnectionLost, match="before the request"):
        perform(two(context), colour)


def test_on_http_2_one_read_may_bring_several_answers(context: Context) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        stream = SimpleNamespace(heard=b"")
        about = {"http_version": b"HTTP/2", "network_stream": stream}
        return httpx.Response(200, content=b"{}", extensions=about)

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        assert Driver(http).run(fetch(context)).body == b"{}"
