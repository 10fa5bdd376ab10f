"""Ways to authorise a request, as httpx auth flows; no secret shows in a repr."""

from __future__ import annotations

import re
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any, Final, TypeAlias, cast

import anyio
import anyio.to_thread
import attrs
import httpx

from medsign.errors import BudgetExceeded, ConfigError
from medsign.exchange import Do
from medsign.exchange.connection import Until
from medsign.exchange.drivers import drop, refuse_packed
from medsign.transport.credentials import Secret, reveal

FIELD_TEXT: Final = re.compile("[!-~](?:[ -~]*[!-~])?")
"""What a secret may be to go into a field as it is (RFC 9110 §5.5)."""

_ANSWER_BYTES: Final = 64 * 1024
_GLANCE: Final = 0.01


@attrs.frozen
class Alone:
    """Until the request itself is sent, no other flow with the same lock goes on from here."""

    lock: threading.Lock


Step: TypeAlias = httpx.Request | Do[Any] | Alone
Steps: TypeAlias = Generator[Step, Any, None]


@attrs.define(eq=False)
class Authorisation(httpx.Auth):
    """A flow that is written once and runs in both colours.

    A subclass yields what it needs: `Do` to fetch a secret, `Alone` before it renews what all
    requests share, requests of its own and, last, the request that is to be authorised. It may be
    shared by threads, by event loops and by both colours.
    """

    @property
    def field(self) -> str:
        """The field that its secret goes in; signatures of requests cover it."""
        return "Authorization"

    def steps(self, request: httpx.Request) -> Steps:
        """Yield the steps that authorise a request."""
        raise NotImplementedError

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Run the steps for a blocking client."""
        steps = self.steps(request)
        move = partial(next, steps, None)
        with ExitStack() as alone:
            while (step := move()) is not None:
                match step:
                    case Do(work):
                        move = partial(_send, steps, work())
                    case Alone(lock):
                        if not lock.acquire(timeout=_patience(request)):
                            raise _still_signing_in(request)
                        alone.callback(lock.release)
                        move = partial(_send, steps, None)
                    case _ if step is request:
                        alone.close()
                        move = partial(_judge, steps, (yield step))
                    case _:
                        response = _bound((yield step))
                        response.read()
                        move = partial(_send, steps, response)

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Run the steps for an asynchronous client."""
        steps = self.steps(request)
        move = partial(next, steps, None)
        with ExitStack() as alone:
            while (step := move()) is not None:
                match step:
                    case Do(work):
                        move = partial(_send, steps, await anyio.to_thread.run_sync(work))
                    case Alone(lock):
                        # A lock of anyio is of one event loop; others may hold this one.
                        with anyio.move_on_after(_patience(request)) as waiting:
                            while not lock.acquire(blocking=False):  # noqa: ASYNC110
                                await anyio.sleep(_GLANCE)
                        if waiting.cancelled_caught:
                            raise _still_signing_in(request)
                        alone.callback(lock.release)
                        move = partial(_send, steps, None)
                    case _ if step is request:
                        alone.close()
                        move = partial(_judge, steps, (yield step))
                    case _:
                        response = _bound((yield step))
                        await response.aread()
                        move = partial(_send, steps, response)


@attrs.define(eq=False)
class Token(Authorisation):
    """A token in the ``Authorization`` field: ``Bearer …``, or ``N3 …`` for N3.Health.

    Args:
        scheme: The word before the token.
        token: The secret.

    Example:
        >>> Token("N3", "d19f9083-0000-4000-8000-000000000000")
        Token(scheme='N3')
    """

    scheme: str
    token: Secret = attrs.field(repr=False)

    def steps(self, request: httpx.Request) -> Steps:
        """Add the field to the request."""
        request.headers["Authorization"] = f"{self.scheme} {(yield from fitting(self.token))}"
        yield request


@attrs.define(eq=False)
class ApiKey(Authorisation):
    """A key in a field of its own, as simple services want it.

    Args:
        header: Name of the field.
        key: The secret.

    Example:
        >>> ApiKey("X-API-Key", "8c1f")
        ApiKey(header='X-API-Key')
    """

    header: str
    key: Secret = attrs.field(repr=False)

    @property
    def field(self) -> str:
        """The field of the key."""
        return self.header

    def steps(self, request: httpx.Request) -> Steps:
        """Add the field to the request."""
        request.headers[self.header] = yield from fitting(self.key)
        yield request


def secret(source: Secret) -> Generator[Step, Any, str]:
    """Yield the step that fetches a secret, where one is needed, and return its text."""
    if isinstance(source, str):
        return source
    text: str = yield Do(partial(reveal, source))
    return text


def fitting(source: Secret) -> Generator[Step, Any, str]:
    """Yield as `secret` does and return a text that fits into a field.

    Raises:
        ConfigError: It does not.
    """
    text = yield from secret(source)
    # The error of the HTTP library would quote it.
    if not FIELD_TEXT.fullmatch(text):
        raise ConfigError(
            "a secret is empty or is no text for a field of HTTP: it may end with a line feed"
        )
    return text


def _patience(request: httpx.Request) -> float:
    """Return the seconds to wait while another request signs in."""
    seconds: float | None = request.extensions.get("timeout", {}).get("pool")
    if isinstance(seconds, Until):
        return seconds.left
    return threading.TIMEOUT_MAX if seconds is None else seconds


def _still_signing_in(request: httpx.Request) -> httpx.PoolTimeout:
    return httpx.PoolTimeout("another request is still signing in", request=request)


def _send(steps: Steps, answer: object) -> Step | None:
    try:
        return steps.send(answer)
    except StopIteration:
        return None


def _judge(steps: Steps, response: httpx.Response) -> Step | None:
    # httpx reads to its end an answer after which a flow goes on; nobody else bounds that one.
    step = _send(steps, response)
    if step is not None:
        _bound(response)
    return step


def _bound(response: httpx.Response) -> httpx.Response:
    refuse_packed(response)
    response.stream = _Bounded(response.stream)
    return response


@attrs.frozen
class _Bounded(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that ends with an error where it grows too long."""

    stream: httpx.SyncByteStream | httpx.AsyncByteStream

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in cast(httpx.SyncByteStream, self.stream):
            size = _grown(size, chunk)
            yield chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        chunks = aiter(cast(httpx.AsyncByteStream, self.stream))
        async for chunk in chunks:
            try:
                size = _grown(size, chunk)
            except BudgetExceeded:
                await drop(self.aclose, chunks)
                raise
            yield chunk

    def close(self) -> None:
        cast(httpx.SyncByteStream, self.stream).close()

    async def aclose(self) -> None:
        await cast(httpx.AsyncByteStream, self.stream).aclose()


def _grown(size: int, chunk: bytes) -> int:
    size += len(chunk)
    if size > _ANSWER_BYTES:
        raise BudgetExceeded("answer to a sign-in", _ANSWER_BYTES)
    return size
