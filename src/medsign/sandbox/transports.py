"""The sandbox as an httpx transport: requests reach it with no network in between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta

import httpx

from medsign.sandbox.desk import Delivery
from medsign.sandbox.faults import Fault, FaultKind
from medsign.sandbox.routing import Reply, Request
from medsign.sandbox.world import MovableClock
from medsign.signers.gateway import target_of

Deliver = Callable[[Request], Delivery]


class SandboxTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """For `httpx.Client` and `httpx.AsyncClient`.

    Args:
        deliver: The front desk.
        clock: The world's clock, moved by answers that drip.
    """

    def __init__(self, deliver: Deliver, clock: MovableClock) -> None:
        self._deliver = deliver
        self._clock = clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request, or raise what httpx raises for the staged fault."""
        request.read()
        return _response(self._deliver(_from_httpx(request)), self._clock)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The same for async code."""
        await request.aread()
        return _response(self._deliver(_from_httpx(request)), self._clock)


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The bytes of an answer, cut or dripping as the fault says."""

    def __init__(self, reply: Reply, fault: Fault | None, clock: MovableClock) -> None:
        self._reply = reply
        self._fault = fault
        self._clock = clock

    def __iter__(self) -> Iterator[bytes]:
        kind = self._fault and self._fault.kind
        half = len(self._reply.body) // 2
        yield self._reply.body[:half]
        if kind is FaultKind.TRUNCATED:
            raise httpx.RemoteProtocolError("the answer was cut on purpose")
        if self._fault and kind is FaultKind.SLOW_BODY:
            self._clock.advance(timedelta(seconds=self._fault.seconds))
        yield self._reply.body[half:]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk


def _from_httpx(request: httpx.Request) -> Request:
    return Request(
        method=request.method,
        path=request.url.path,
        query=dict(request.url.params),
        headers=dict(request.headers),
        body=request.content,
        target=target_of(request.url),
    )


def _response(delivery: Delivery, clock: MovableClock) -> httpx.Response:
    reply, fault = delivery.reply, delivery.fault
    if fault and (error := _errors(fault.kind)):
        raise error
    assert reply is not None
    return httpx.Response(
        reply.status, headers=dict(reply.headers), stream=_Body(reply, fault, clock)
    )


def _errors(kind: FaultKind) -> httpx.TransportError | None:
    match kind:
        case FaultKind.CONNECT:
            return httpx.ConnectError("no connection, on purpose")
        case FaultKind.TIMEOUT | FaultKind.TIMEOUT_BEFORE:
            return httpx.ReadTimeout("no answer, on purpose")
        case FaultKind.RESET_BEFORE | FaultKind.RESET_AFTER:
            return httpx.ReadError("the connection broke, on purpose")
        case _:
            return None
