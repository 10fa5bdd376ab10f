"""What a request carries when it is read while it leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator

import anyio.to_thread
import attrs
import httpx

from medsign.codec.pieces import Pieces


@attrs.frozen(eq=False)
class Streamed(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that every attempt reads anew, in either colour."""

    pieces: Pieces = attrs.field(repr=False)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.pieces)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _OffTheLoop(iter(self.pieces), len(self.pieces))


@attrs.define(eq=False)
class _OffTheLoop:
    """Reads in a worker thread. No generator: httpx leaves those open when it is cancelled."""

    pieces: Iterator[bytes]
    left: int

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self.left:
            raise StopAsyncIteration
        piece = await anyio.to_thread.run_sync(next, self.pieces)
        self.left -= len(piece)
        return piece


def content_of(request: httpx.Request) -> bytes | Iterable[bytes]:
    """Return what a request carries: whole, or what yields it in pieces as often as needed.

    Example:
        >>> content_of(httpx.Request("POST", "https://sep.test/documents", content=b"{}"))
        b'{}'
    """
    return request.stream.pieces if isinstance(request.stream, Streamed) else request.read()
