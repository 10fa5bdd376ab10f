"""Octets after an answer on a kept connection are never taken for the next answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import anyio
import httpx
import pytest

from medsign.errors import ConnectionLost
from medsign.exchange import AsyncDriver, Context, Driver, RetryPolicy

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"


class Chatterer:
    """A server that answers each request, and the first one twice."""

    def __init__(self) -> None:
        self.requests = 0
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.listening.settimeout(10)
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(10)
            while head := connection.recv(65536):
                assert head.endswith(b"\r\n\r\n")
                self.requests += 1
                body = b"no. %d" % self.requests
                surplus = ANSWER + b"ghost" if self.requests == 1 else b""
                connection.sendall(ANSWER + body + surplus)


@pytest.fixture
def chatterer() -> Iterator[Chatterer]:
    server = Chatterer()
    yield server
    server.listening.close()


def two_answers(url: str, colour: str, attempts: int) -> list[bytes]:
    context = Context(service="x", base_url=url, policy=RetryPolicy(attempts=attempts, total=5))

    def flow():
        return context.fetch("read", context.request("GET", "thing"))

    async def ask() -> list[bytes]:
        async with httpx.AsyncClient() as http:
            driver = AsyncDriver(http)
            return [(await driver.run(flow())).body for _ in range(2)]

    if colour == "sync":
        with httpx.Client() as http:
            driver = Driver(http)
            return [driver.run(flow()).body for _ in range(2)]
    return anyio.run(ask, backend=colour)


@pytest.mark.parametrize("colour", ["sync", "asyncio", "trio"])
def test_an_answer_that_was_there_before_its_request_is_none(chatterer, colour):
    with pytest.raises(ConnectionLost, match="before the request"):
        two_answers(chatterer.url, colour, attempts=1)


@pytest.mark.parametrize("colour", ["sync", "asyncio", "trio"])
def test_the_call_is_repeated_on_a_new_connection(chatterer, colour):
    assert two_answers(chatterer.url, colour, attempts=2)[0] == b"no. 1"
    assert b"ghost" not in two_answers(chatterer.url, colour, attempts=2)
