"""A deadline for blocking sockets.

A time-out bounds the silence between two octets, so a peer that drips an answer, or sends one
informational answer after the other, holds a thread for as long as it likes. Here the time-out of
a request knows the deadline, and the connection asks it anew before each octet it waits for.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import closing, suppress
from typing import Any, Self

import httpx

from medsign.clock import Clock

_PIECE = 64 * 1024


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


def watch(event: str, about: Mapping[str, Any]) -> None:
    """Make each new connection heed `Until`; a trace function of httpcore.

    A connection outlives the request that opened it, but every request brings its own time-out.
    """
    if not event.endswith(
        ("connect_tcp.complete", "connect_unix_socket.complete", "start_tls.complete")
    ):
        return
    stream = about["return_value"]
    read, write = stream.read, stream.write

    def heeding_read(max_bytes: int, timeout: float | None = None) -> bytes:
        octets: bytes = read(max_bytes, _left(timeout))
        return octets

    def heeding_write(buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PIECE):
            write(buffer[start : start + _PIECE], _left(timeout))

    stream.read, stream.write = heeding_read, heeding_write


class Watched(httpx.Auth):
    """A blocking auth flow whose own requests open connections that are watched, too."""

    def __init__(self, auth: httpx.Auth) -> None:
        self._auth = auth

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Run the flow."""
        flow = self._auth.sync_auth_flow(request)
        with closing(flow), suppress(StopIteration):
            asked = next(flow)
            while True:
                asked.extensions.setdefault("trace", watch)
                asked = flow.send((yield asked))


def _left(timeout: float | None) -> float | None:
    return timeout.left if isinstance(timeout, Until) else timeout
