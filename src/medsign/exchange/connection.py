"""What each new connection is taught: to keep a deadline, and to tell when an answer is too early.

A time-out bounds the silence between two octets, so a peer that drips an answer, or sends one
informational answer after the other, holds a thread for as long as it likes. Here the time-out of
a request knows the deadline, and the connection asks it anew before each octet it waits for.

What follows an answer on a kept connection is read as the next answer: octets of a careless proxy,
or of somebody else's exchange, would become the outcome of a call. Here a connection knows what
has come since the last request left.
"""

from __future__ import annotations

import selectors
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing, suppress
from typing import Any, Final, Self

import httpx

from medsign.clock import Clock
from medsign.errors import ConnectionLost

_PIECE: Final = 64 * 1024
_CONNECTED: Final = ("connect_tcp.complete", "connect_unix_socket.complete", "start_tls.complete")
_STATUS: Final = slice(9, 12)
"""Where the status stands in the first line of an answer (RFC 9112 §4)."""


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


class Timely(httpx.Auth):
    """An auth flow whose requests keep their deadlines, and get no answer that was there before.

    Args:
        auth: The flow, or ``None`` for the request as it is.

    Attributes:
        begun: Whether the request itself was handed over; until then only tokens were asked for.
    """

    def __init__(self, auth: httpx.Auth | None) -> None:
        self._auth = auth or httpx.Auth()
        self.begun = False

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Run the flow for a blocking client."""
        with closing(self._auth.sync_auth_flow(request)) as flow, suppress(StopIteration):
            asked = next(flow)
            while True:
                asked.extensions.setdefault("trace", _teach)
                response = yield self._about_to_send(asked, request)
                asked = flow.send(self._timely(response))

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Run the flow for an asynchronous client."""
        async with aclosing(self._auth.async_auth_flow(request)) as flow:
            with suppress(StopAsyncIteration):
                asked = await anext(flow)
                while True:
                    asked.extensions.setdefault("trace", _async_teach)
                    response = yield self._about_to_send(asked, request)
                    asked = await flow.asend(self._timely(response))

    def _about_to_send(self, asked: httpx.Request, request: httpx.Request) -> httpx.Request:
        self.begun = self.begun or asked.url == request.url
        return asked

    def _timely(self, response: httpx.Response) -> httpx.Response:
        """Return a response that came after its request.

        Raises:
            ConnectionLost: It, or the beginning of it, was there before.
        """
        heard = getattr(response.extensions.get("network_stream"), "heard", None)
        # On HTTP/2 answers to several requests come with one read.
        if heard is not None and response.http_version != "HTTP/2":
            first = heard[_STATUS]
            if first != b"%d" % response.status_code and not first.startswith(b"1"):
                raise ConnectionLost("the answer was there before the request was sent")
        # What is refused for want of a token was not done.
        self.begun = self.begun and response.status_code != 401
        return response


def _teach(event: str, about: dict[str, Any]) -> None:
    """Teach a new connection of a blocking client; a trace function of httpcore.

    A connection outlives the request that opened it, but every request brings its own time-out.
    """
    _shorten(event, about)
    if not event.endswith(_CONNECTED):
        return
    stream = about["return_value"]
    read, write = stream.read, stream.write

    def heeding_read(max_bytes: int, timeout: float | None = None) -> bytes:
        octets: bytes = read(max_bytes, _left(timeout))
        stream.heard += octets[: _STATUS.stop - len(stream.heard)]
        return octets

    def heeding_write(buffer: bytes, timeout: float | None = None) -> None:
        stream.heard = b""
        for start in range(0, len(buffer), _PIECE):
            write(buffer[start : start + _PIECE], _left(timeout))

    stream.heard, stream.read, stream.write = b"", heeding_read, heeding_write


async def _async_teach(event: str, about: dict[str, Any]) -> None:
    """Teach a new connection of an async client; to read and write it can be cancelled."""
    _shorten(event, about)
    if not event.endswith(_CONNECTED):
        return
    stream = about["return_value"]
    read, write = stream.read, stream.write

    async def heard_read(*args: Any, **kwargs: Any) -> bytes:
        octets: bytes = await read(*args, **kwargs)
        stream.heard += octets[: _STATUS.stop - len(stream.heard)]
        return octets

    async def heard_write(*args: Any, **kwargs: Any) -> None:
        stream.heard = b""
        await write(*args, **kwargs)

    stream.heard, stream.read, stream.write = b"", heard_read, heard_write
    _look_quickly(stream)


def _shorten(event: str, about: dict[str, Any]) -> None:
    """Give a step of connecting the time that the steps before it have left."""
    if event.endswith(".started") and isinstance(timeout := about.get("timeout"), Until):
        # httpcore calls with these very arguments next.
        try:
            about["timeout"] = timeout.left
        except TimeoutError:
            raise httpx.ConnectTimeout("no time was left to connect") from None


def _look_quickly(stream: Any) -> None:
    """Make it cheap to ask whether a connection was closed meanwhile.

    For each request the pool asks all idle connections, and asyncio's answer begins with looking
    up the peer's address: with a dozen of them that took as long as the request itself.
    """
    tell, line = stream.get_extra_info, stream.get_extra_info("socket")
    if line is None:
        return
    selector = getattr(selectors, "PollSelector", selectors.SelectSelector)()
    selector.register(line, selectors.EVENT_READ)

    def extra_info(name: str) -> Any:
        return bool(selector.select(0)) if name == "is_readable" else tell(name)

    stream.get_extra_info = extra_info


def _left(timeout: float | None) -> float | None:
    return timeout.left if isinstance(timeout, Until) else timeout
