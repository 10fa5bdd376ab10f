"""The transport for event loops, which go on while it is busy.

A new connection is checked in a thread, and a long body is encrypted piece by piece: GOST suites
take a second for some twenty megabytes.
"""

from __future__ import annotations

import math
from typing import Any

import anyio
import anyio.to_thread
import httpx

from medsign.transport.tls.checks import CheckedContext, CheckedObject, further_check

_PIECE = 64 * 1024


class UnblockingTransport(httpx.AsyncHTTPTransport):
    """A transport that awaits the further check of each connection, and writes in pieces.

    Args:
        context: For its connections.
        limits: How many of them.
    """

    def __init__(self, context: CheckedContext, limits: httpx.Limits) -> None:
        context.check_later = True
        super().__init__(verify=context, trust_env=False, limits=limits)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; handshake and check together last no longer than connecting may."""
        given = request.extensions.get("trace")
        end = math.inf

        async def trace(event: str, about: dict[str, Any]) -> None:
            nonlocal end
            if given:
                await given(event, about)
            if event.endswith("start_tls.started"):
                patience = about["timeout"]
                end = math.inf if patience is None else anyio.current_time() + patience
            elif event.endswith("start_tls.complete"):
                await _settle(about["return_value"], end)
                _write_in_pieces(about["return_value"])

        return await super().handle_async_request(
            # The caller's own may be sent again, and would be traced twice.
            httpx.Request(
                request.method,
                request.url,
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "trace": trace},
            )
        )


async def _settle(stream: Any, end: float) -> None:
    connection: CheckedObject = stream.get_extra_info("ssl_object")
    try:
        if check := further_check(connection):
            with anyio.fail_after(end - anyio.current_time()):
                await anyio.to_thread.run_sync(check, abandon_on_cancel=True)
        connection.accepted = True
    except BaseException as error:
        # Nobody else knows this connection yet.
        with anyio.CancelScope(shield=True):
            await stream.aclose()
        if isinstance(error, TimeoutError):
            raise httpx.ConnectTimeout("the check of the peer took too long") from None
        raise


def _write_in_pieces(stream: Any) -> None:
    write = stream.write

    async def in_pieces(buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        for start in range(0, len(buffer), _PIECE):
            await write(buffer[start : start + _PIECE], timeout)

    stream.write = in_pieces
