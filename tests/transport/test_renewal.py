"""A token that many share is renewed by one of them, and nobody is left waiting."""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import anyio
import anyio.to_thread
import attrs
import httpx
import pytest

from medsign.clock import ManualClock
from medsign.errors import UnexpectedAnswer
from medsign.transport import RefreshGrant

NOON = datetime(2026, 7, 1, 9, tzinfo=UTC)
TOKEN_URL = "https://id.test/token"
API_URL = "https://api.test/persons"


@attrs.define
class Issuer:
    """Gives each refresh token's successor once; holds the first answer until told to go on."""

    go_on: threading.Event = attrs.field(factory=threading.Event)
    asked: threading.Event = attrs.field(factory=threading.Event)
    given: int = 0

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/token":
            return httpx.Response(200)
        assert f"refresh_token=refresh-{self.given}&" in request.content.decode()
        self.given += 1
        token = {"access_token": "access", "refresh_token": f"refresh-{self.given}"}
        return httpx.Response(200, json=token)

    async def answer_late(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            self.asked.set()
            await anyio.to_thread.run_sync(self.go_on.wait, abandon_on_cancel=True)
        return self.answer(request)


def a_grant() -> RefreshGrant:
    return RefreshGrant(
        url=TOKEN_URL, client_id="mis", refresh_token="refresh-0", clock=ManualClock(NOON)
    )


@pytest.mark.parametrize("other", ["asyncio", "trio", "blocking"])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_event_loops_and_colours_share_one_renewal(backend, other):
    issuer, grant = Issuer(), a_grant()

    async def get() -> int:
        transport = httpx.MockTransport(issuer.answer_late)
        async with httpx.AsyncClient(transport=transport, auth=grant) as http:
            with anyio.fail_after(10):
                return (await http.get(API_URL)).status_code

    def get_blocking() -> int:
        with httpx.Client(transport=httpx.MockTransport(issuer.answer), auth=grant) as http:
            return http.get(API_URL).status_code

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(anyio.run, get, backend=backend)
        assert issuer.asked.wait(10)
        second = (
            pool.submit(get_blocking)
            if other == "blocking"
            else pool.submit(anyio.run, get, backend=other)
        )
        issuer.go_on.set()
        assert (first.result(10), second.result(10)) == (200, 200)
    assert issuer.given == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_renewal_that_is_cancelled_lets_the_next_one_go_on(backend):
    issuer, grant = Issuer(), a_grant()

    async def story() -> int:
        transport = httpx.MockTransport(issuer.answer_late)
        async with httpx.AsyncClient(transport=transport, auth=grant) as http:
            with anyio.move_on_after(0.05) as given_up:
                await http.get(API_URL)
            assert given_up.cancelled_caught
            issuer.go_on.set()
            with anyio.fail_after(10):
                return (await http.get(API_URL)).status_code

    assert anyio.run(story, backend=backend) == 200
    assert issuer.given == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_renewal_whose_connection_breaks_lets_the_next_one_go_on(backend):
    issuer, grant = Issuer(), a_grant()
    broken = iter([httpx.ReadError("gone")])

    def answer(request: httpx.Request) -> httpx.Response:
        for error in broken:
            raise error
        return issuer.answer(request)

    async def story() -> int:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer), auth=grant) as http:
            with pytest.raises(httpx.ReadError):
                await http.get(API_URL)
            with anyio.fail_after(10):
                return (await http.get(API_URL)).status_code

    assert anyio.run(story, backend=backend) == 200


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_renews_though_its_parent_was_renewing_during_the_fork():
    issuer, grant = Issuer(), a_grant()

    def get_blocking(issuer: Issuer) -> int:
        transport = httpx.MockTransport(issuer.answer)
        with httpx.Client(transport=transport, auth=grant, timeout=5) as http:
            return http.get(API_URL).status_code

    async def get() -> int:
        transport = httpx.MockTransport(issuer.answer_late)
        async with httpx.AsyncClient(transport=transport, auth=grant, timeout=10) as http:
            return (await http.get(API_URL)).status_code

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(anyio.run, get)
        try:
            assert issuer.asked.wait(10)
            child = os.fork()
            if child == 0:
                try:
                    os._exit(0 if get_blocking(Issuer()) == 200 else 1)
                finally:
                    os._exit(2)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        finally:
            issuer.go_on.set()
        assert first.result(10) == 200


@pytest.mark.parametrize("waiting", ["blocking", "asyncio", "trio"])
def test_nobody_waits_for_the_sign_in_of_another_longer_than_for_a_connection(waiting):
    issuer, grant = Issuer(), a_grant()

    async def get(patience: float) -> int:
        transport = httpx.MockTransport(issuer.answer_late)
        async with httpx.AsyncClient(transport=transport, auth=grant, timeout=patience) as http:
            return (await http.get(API_URL)).status_code

    def get_blocking() -> int:
        transport = httpx.MockTransport(issuer.answer)
        with httpx.Client(transport=transport, auth=grant, timeout=0.05) as http:
            return http.get(API_URL).status_code

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(anyio.run, get, 10)
        try:
            assert issuer.asked.wait(10)
            with pytest.raises(httpx.PoolTimeout):
                get_blocking() if waiting == "blocking" else anyio.run(get, 0.05, backend=waiting)
        finally:
            issuer.go_on.set()
        assert first.result(10) == 200
    assert issuer.given == 1


@pytest.mark.parametrize("token", ["access\nX-Role: owner", "доступ", "\ud800", "\x7f", " access"])
@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
def test_a_token_that_could_write_into_a_request_is_an_unexpected_answer(name, token):
    answer = json.dumps({"access_token": "access", name: token})

    def serve(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=answer)

    with (
        httpx.Client(transport=httpx.MockTransport(serve), auth=a_grant()) as http,
        pytest.raises(UnexpectedAnswer, match="a token is no text"),
    ):
        http.get(API_URL)
