"""What each new connection is taught: to keep a deadline, and to tell when an answer is too early.

A time-out bounds the silence between two octets, so a peer that drips an answer, or sends one
informational answer after the other, holds a thread for as long as it likes. Here the time-out of
a request knows the deadline, and the connection asks it anew before each octet it waits for.

What follows an answer on a kept connection is read as the next answer: octets of a careless proxy,
or of somebody else's exchange, would become the outcome of a call. Here a connection knows whether
anything has come since the last request left.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import aclosing, closing, suppress
from typing import Any, Self

import httpx

from medsign.clock import Clock
from medsign.errors import ConnectionLost

_PIECE = 64 * 1024
_CONNECTED = ("connect_tcp.complete", "connect_unix_socket.complete", "start_tls.complete")


class Until(float):
    """A time-out in seconds that shrinks as a deadline comes near."""

    _clock: Clock
    _deadline: float

    @classmethod
    def of(cls, timeout: float, deadline: float, clock: Clock) -> Self:
        """Return the time-out for a request with a deadline in monotonic seconds of a clock."""
        until = cls(timeout)
        until._clock, until._deadline = clock, deadline
        return until

    @property
    def left(self) -> float:
        """Seconds to wait now.

        Raises:
            TimeoutError: None is left.
        """
        left = min(self, self._deadline - self._clock.monotonic())
        if left <= 0:
            raise TimeoutError
        return left


def watch(event: str, about: dict[str, Any]) -> None:
    """Teach a new connection of a blocking client; a trace function of httpcore.

    A connection outlives the request that opened it, but every request brings its own time-out.
    """
    if event.endswith(".started") and isinstance(given := about.get("timeout"), Until):
        # httpcore calls with these arguments next: each step gets what the ones before it left.
        about["timeout"] = given.left
    if not event.endswith(_CONNECTED):
        return
    stream = about["return_value"]
    read, write = stream.read, stream.write

    def heeding_read(max_bytes: int, timeout: float | None = None) -> bytes:
        octets: bytes = read(max_bytes, _left(timeout))
        stream.heard = True
        return octets

    def heeding_write(buffer: bytes, timeout: float | None = None) -> None:
        stream.heard = False
        for start in range(0, len(buffer), _PIECE):
            write(buffer[start : start + _PIECE], _left(timeout))

    stream.read, stream.write = heeding_read, heeding_write


async def async_watch(event: str, about: Mapping[str, Any]) -> None:
    """Teach a new connection of an async client; deadlines need nothing: waiting is cancelled."""
    if not event.endswith(_CONNECTED):
        return
    stream = about["return_value"]
    read, write = stream.read, stream.write

    async def heard_read(*args: Any, **kwargs: Any) -> bytes:
        octets: bytes = await read(*args, **kwargs)
        stream.heard = True
        return octets

    async def heard_write(*args: Any, **kwargs: Any) -> None:
        stream.heard = False
        await write(*args, **kwargs)

    stream.read, stream.write = heard_read, heard_write


class Watched(httpx.Auth):
    """An auth flow all of whose requests open connections that are taught, and get timely answers.

    Args:
        auth: The flow, or ``None`` for the request as it is.
    """

    def __init__(self, auth: httpx.Auth | None) -> None:
        self._auth = auth or httpx.Auth()

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Run the flow for a blocking client."""
        with closing(self._auth.sync_auth_flow(request)) as flow, suppress(StopIteration):
            asked = next(flow)
            while True:
                asked.extensions.setdefault("trace", watch)
                asked = flow.send(_timely((yield asked)))

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Run the flow for an asynchronous client."""
        async with aclosing(self._auth.async_auth_flow(request)) as flow:
            with suppress(StopAsyncIteration):
                asked = await anext(flow)
                while True:
                    asked.extensions.setdefault("trace", async_watch)
                    asked = await flow.asend(_timely((yield asked)))


def _timely(response: httpx.Response) -> httpx.Response:
    """Return a response that came after its request.

    Raises:
        ConnectionLost: No octet has come since the request was sent.
    """
    stream = response.extensions.get("network_stream")
    # On HTTP/2 answers to several requests come with one read.
    if response.http_version != "HTTP/2" and not getattr(stream, "heard", True):
        raise ConnectionLost("the answer was there before the request was sent")
    return response


def _left(timeout: float | None) -> float | None:
    return timeout.left if isinstance(timeout, Until) else timeout
