"""A transport that writes down what passes through another one, without anybody's data."""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from typing import cast

import httpx

from medsign.clock import Clock, SystemClock
from medsign.recording.har import Har
from medsign.recording.masks import Masks
from medsign.recording.passing import Manner, Passed, Passing
from medsign.recording.words import contract_words


class Recorder(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Records what passes, for a bug report or a test; in either colour.

    Nothing is read ahead: bodies are copied while they pass. Values of JSON and forms are masked,
    other bodies are left out, of header fields and addresses only what is harmless stays. When
    the recording is full, its oldest entries go. What goes wrong in recording harms no request.

    Masking takes about a second for three megabytes, so it waits for `har` or `save`, and until
    then bodies stay in memory as they came: in asynchronous code call these two in a thread, and
    treat an image of the process's memory as personal data.

    Args:
        transport: What sends; closed with the recorder.
        clock: Where time is taken from.
        masks: How values are masked.
        max_bytes: How large the recording may grow in memory.
        max_body: Octets of a body above which it is left out.
        unsafe_bodies: Write bodies down as they are, with everybody's data in them. For synthetic
            persons only: such a file must not leave the house.

    Example:
        >>> from medsign.sandbox import Sandbox
        >>> with Sandbox() as sandbox:
        ...     recorder = Recorder(sandbox.transport())
        ...     with sandbox.connect(transport=recorder) as window:
        ...         list(window.ca.certificates())
        []
        >>> [entry.response.status for entry in recorder.har().log.entries]
        [200]
    """

    def __init__(
        self,
        transport: httpx.BaseTransport | httpx.AsyncBaseTransport,
        *,
        clock: Clock | None = None,
        masks: Masks | None = None,
        max_bytes: int = 32 * 1024 * 1024,
        max_body: int = 8 * 1024 * 1024,
        unsafe_bodies: bool = False,
    ) -> None:
        self._transport = transport
        self._manner = Manner(
            clock=clock or SystemClock(),
            masks=masks or Masks(contract_words()),
            max_body=max_body,
            unsafe_bodies=unsafe_bodies,
        )
        self._max_bytes = max_bytes
        self._kept: deque[Passed] = deque()
        self._size = 0
        self._lost = 0
        self._lock = threading.Lock()
        self._masking = threading.Lock()

    def har(self) -> Har:
        """Return what was recorded so far, in the order in which the exchanges ended."""
        with self._lock:
            kept, lost = tuple(self._kept), self._lost
        with self._masking:
            entries = [passed.entry(self._manner) for passed in kept]
        return Har.of(entries, f"exchanges that are not here: {lost}" if lost else "")

    def save(self, path: Path) -> None:
        """Write what was recorded so far; the file is whole or absent, and its owner's only."""
        self.har().save(path)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request on."""
        passing = Passing(request, self._manner, self._keep)
        try:
            return passing.answered(
                cast(httpx.BaseTransport, self._transport).handle_request(request)
            )
        except BaseException as error:
            passing.end(error)
            raise

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request on."""
        passing = Passing(request, self._manner, self._keep)
        try:
            return passing.answered(
                await cast(httpx.AsyncBaseTransport, self._transport).handle_async_request(request)
            )
        except BaseException as error:
            passing.end(error)
            raise

    def close(self) -> None:
        """Close what sends."""
        cast(httpx.BaseTransport, self._transport).close()

    async def aclose(self) -> None:
        """Close what sends."""
        await cast(httpx.AsyncBaseTransport, self._transport).aclose()

    def _keep(self, passed: Passed | None) -> None:
        with self._lock:
            if passed is None:
                self._lost += 1
                return
            self._kept.append(passed)
            self._size += passed.size
            while self._size > self._max_bytes:
                self._size -= self._kept.popleft().size
                self._lost += 1
