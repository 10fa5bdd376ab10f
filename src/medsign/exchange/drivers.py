"""The two drivers that perform effects: one blocks, one awaits."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import suppress
from functools import partial
from ssl import (
    SSLCertVerificationError,
    SSLEOFError,
    SSLError,
    SSLSyscallError,
    SSLZeroReturnError,
)
from types import TracebackType
from typing import Any, Final, TypeVar, cast

import anyio
import anyio.lowlevel
import anyio.to_thread
import attrs
import httpx

from medsign.clock import Clock, SystemClock, sleep
from medsign.errors import (
    BudgetExceeded,
    ConnectFailed,
    ConnectionLost,
    MedsignError,
    PeerUntrusted,
    SignInFailed,
    TimedOut,
    TlsRefused,
    UnexpectedAnswer,
    UsageError,
)
from medsign.exchange.connection import Timely, Until
from medsign.exchange.effects import Answer, Do, Effect, Flow, Item, Listing, Send, Wait
from medsign.exchange.retry import outcome_unknown

T = TypeVar("T")
_Step = Callable[[], Any]
_QUOTING: Final = (httpx.RemoteProtocolError, httpx.LocalProtocolError, httpx.DecodingError)
_GRACE: Final = 0.05
"""Seconds after a deadline: httpx's own time-outs come first and tell what was waited for."""


class Driver:
    """Runs flows and blocks until they end.

    Args:
        http: The client to send with. It is used, never closed: who constructs, closes.
        clock: Where deadlines are measured.
        sleep: How to let seconds pass.
    """

    def __init__(
        self,
        http: httpx.Client,
        *,
        clock: Clock | None = None,
        sleep: Callable[[float], None] = sleep,
    ) -> None:
        self._http = http
        self._clock = clock or SystemClock()
        self._sleep = sleep
        self._home = os.getpid()

    def run(self, flow: Flow[T]) -> T:
        """Perform a flow to its end and return its value."""
        _usable(self._http, self._home)
        step: _Step = partial(next, flow)
        try:
            while True:
                step = self._perform(step(), flow)
        except StopIteration as done:
            result: T = done.value
            return result
        finally:
            flow.close()

    def iterate(self, listing: Listing[T]) -> Iterator[T]:
        """Perform a listing as far as the caller takes its elements."""
        _usable(self._http, self._home)
        step: _Step = partial(next, listing)
        try:
            while True:
                effect = step()
                if isinstance(effect, Item):
                    yield cast(Item[T], effect).value
                    step = partial(next, listing)
                else:
                    step = self._perform(effect, listing)
        except StopIteration:
            return
        finally:
            listing.close()

    def _perform(self, effect: Effect, flow: Generator[Any, Any, Any]) -> _Step:
        try:
            match effect:
                case Send():
                    return partial(flow.send, self._send(effect))
                case Wait(seconds):
                    self._sleep(seconds)
                    return partial(flow.send, None)
                case Do(work):
                    return partial(flow.send, work())
        except Exception as error:  # noqa: BLE001 - the flow decides; what it lets pass comes out
            return partial(flow.throw, error)

    def _send(self, effect: Send) -> Answer:
        auth = Timely(effect.auth)
        with _Typed(auth):
            response = self._http.send(
                _urged(effect, self._clock), auth=auth, stream=True, follow_redirects=False
            )
            body = _Body(effect, self._clock)
            try:
                refuse_packed(response)
                for chunk in response.iter_bytes():
                    body.add(chunk)
            finally:
                response.close()
            return body.answer(response)


class AsyncDriver:
    """Runs flows on asyncio or trio, by anyio.

    Args:
        http: The client to send with. It is used, never closed: who constructs, closes.
        clock: Where deadlines are measured.
        sleep: How to let seconds pass.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        clock: Clock | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._http = http
        self._clock = clock or SystemClock()
        self._sleep = sleep
        self._home = os.getpid()
        self._loop: object = None

    async def run(self, flow: Flow[T]) -> T:
        """Perform a flow to its end and return its value.

        Cancelling is safe: what was about to be sent is in the journal before its first byte, and
        a journal write that has begun is finished.
        """
        _usable(self._http, self._home)
        step: _Step = partial(next, flow)
        try:
            while True:
                try:
                    effect = step()
                except StopIteration as done:
                    result: T = done.value
                    return result
                step = await self._perform(effect, flow)
        finally:
            flow.close()

    async def iterate(self, listing: Listing[T]) -> AsyncIterator[T]:
        """Perform a listing as far as the caller takes its elements."""
        _usable(self._http, self._home)
        step: _Step = partial(next, listing)
        try:
            while True:
                try:
                    effect = step()
                except StopIteration:
                    return
                if isinstance(effect, Item):
                    yield cast(Item[T], effect).value
                    step = partial(next, listing)
                else:
                    step = await self._perform(effect, listing)
        finally:
            listing.close()

    async def _perform(self, effect: Effect, flow: Generator[Any, Any, Any]) -> _Step:
        try:
            match effect:
                case Send():
                    return partial(flow.send, await self._in_one_loop(effect))
                case Wait(seconds):
                    await self._sleep(seconds)
                    return partial(flow.send, None)
                case Do(work):
                    return partial(flow.send, await anyio.to_thread.run_sync(work))
        except Exception as error:  # noqa: BLE001 - as in the blocking driver
            return partial(flow.throw, error)

    async def _in_one_loop(self, effect: Send) -> Answer:
        here = anyio.lowlevel.current_token()
        self._loop = self._loop or here
        try:
            return await self._send(effect)
        except RuntimeError as error:
            if self._loop == here:
                raise
            # Nobody is woken by a connection that waits in a loop which has ended.
            raise ConnectionLost(
                "this window has connections of another event loop: open one in each"
            ) from error

    async def _send(self, effect: Send) -> Answer:
        auth = Timely(effect.auth)
        left = effect.deadline - self._clock.monotonic()
        with _Typed(auth), anyio.fail_after(max(left, 0.0) + _GRACE):
            response = await self._http.send(
                _urged(effect, self._clock), auth=auth, stream=True, follow_redirects=False
            )
            body = _Body(effect, self._clock)
            chunks = response.aiter_bytes()
            try:
                refuse_packed(response)
                async for chunk in chunks:
                    body.add(chunk)
            finally:
                await drop(response.aclose, chunks)
            return body.answer(response)


def _urged(effect: Send, clock: Clock) -> httpx.Request:
    """Return the request, its time-outs aware of the deadline."""
    extensions = effect.request.extensions
    extensions["timeout"] = {
        phase: Until.of(seconds, effect.deadline, clock)
        for phase, seconds in extensions.get("timeout", {}).items()
    }
    return effect.request


def _usable(http: httpx.Client | httpx.AsyncClient, home: int) -> None:
    if http.is_closed:
        raise UsageError("this window is closed")
    # Two processes that write to one connection spoil each other's requests, and a lock that was
    # held during the fork is never released.
    if os.getpid() != home:
        raise UsageError("this window was opened before a fork: open one in each process")


async def drop(close: Callable[[], Awaitable[None]], chunks: AsyncIterator[bytes]) -> None:
    """Give up a body that may be half read.

    httpx's nested generators would be left to the garbage collector, which asyncio and trio warn
    of; on the closed connection they end at once, so nobody has to be let wait for it.
    """
    with (
        anyio.CancelScope(shield=True),
        suppress(httpx.HTTPError, httpx.StreamError, anyio.ClosedResourceError),
    ):
        await close()
        async for _ in chunks:
            pass


def refuse_packed(response: httpx.Response) -> None:
    """Refuse a compressed answer before a byte of it is unpacked; none is ever asked for.

    A few kilobytes, packed several times over, unpack to gigabytes in one step, before any count
    of bytes could stop them.

    Raises:
        UnexpectedAnswer: It is compressed.
    """
    if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnexpectedAnswer("the answer is compressed though that was not asked for")


class _Body:
    """Collects an answer's body within its bounds of size and time."""

    def __init__(self, effect: Send, clock: Clock) -> None:
        self._effect = effect
        self._clock = clock
        self._content = bytearray()

    def add(self, chunk: bytes) -> None:
        self._content += chunk
        if len(self._content) > self._effect.max_bytes:
            raise BudgetExceeded("answer body", self._effect.max_bytes)
        # A peer that drips one byte a second never trips a read time-out; the deadline does.
        if self._clock.monotonic() > self._effect.deadline:
            raise TimedOut("the answer was still coming at the deadline")

    def answer(self, response: httpx.Response) -> Answer:
        return Answer(response.status_code, response.headers, bytes(self._content))


@attrs.frozen
class _Typed:
    """Turns httpx's errors into the tree of medsign, without the URL in the text."""

    auth: Timely

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        found = _typed(error)
        if not found:
            return
        # Some texts quote the answer, and with it perhaps a patient; or a field with its token.
        cause = None if isinstance(error, _QUOTING) else error
        if not self.auth.begun and outcome_unknown(found):
            unsent = SignInFailed(f"the request was not sent: {found}")
            raise unsent from (cause and found)
        if found is not error:
            raise found from cause


def _typed(error: BaseException | None) -> MedsignError | None:  # noqa: PLR0911 - a table
    name = type(error).__name__
    match error:
        case MedsignError():
            return error
        case TimeoutError():
            return TimedOut("no complete answer at the deadline")
        case httpx.UnsupportedProtocol() | httpx.InvalidURL() | httpx.LocalProtocolError():
            return UsageError(f"the request cannot be sent ({name})")
        case httpx.ConnectError() if refusal := _refused_handshake(error):
            return refusal
        case httpx.ConnectError() | httpx.ProxyError():
            return ConnectFailed(f"no connection was made ({_reason(error)})")
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return ConnectFailed(f"no connection was made in time ({name})")
        case httpx.TimeoutException():
            return TimedOut(f"no answer in time ({name})")
        # What breaks TLS after the handshake, httpx lets through as it is on asyncio.
        case httpx.RequestError() | httpx.StreamError() | SSLError():
            return ConnectionLost(f"the connection broke before the answer was complete ({name})")
        case _:
            return None


def _reason(error: BaseException) -> str:
    """Return what the system said, which tells a wrong name from a closed port."""
    for root in _of_the_system(error):
        if root.errno:
            # asyncio has words of its own; errors of name resolution have numbers of their own.
            return os.strerror(root.errno) if root.errno > 0 else str(root.strerror)
    return type(error).__name__


def _of_the_system(error: BaseException) -> Iterator[OSError]:
    """Yield the system's errors: the reason first, what the caller is handling perhaps last."""
    behind: BaseException | None = error
    while behind:
        match behind:
            case BaseExceptionGroup(exceptions=[BaseException() as behind, *_]):
                continue
            case OSError():
                yield behind
            case _:
                pass
        behind = behind.__cause__ or behind.__context__


def _refused_handshake(error: BaseException) -> TlsRefused | None:
    """Return what ordinary TLS refused, if it was that and not a broken line."""
    match root := next(_of_the_system(error), None):
        case SSLEOFError() | SSLZeroReturnError() | SSLSyscallError():
            return None
        case SSLCertVerificationError():
            return PeerUntrusted(f"the certificate of the peer is refused: {root.verify_message}")
        case SSLError():
            return TlsRefused(
                f"the TLS handshake failed ({root.reason or type(root).__name__}); "
                "a service that speaks GOST TLS only is reached by medsign.transport.tls.GostTls"
            )
        case _:
            return None
