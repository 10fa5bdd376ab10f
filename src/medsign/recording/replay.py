"""A transport that answers from a recording, with neither network nor the remote system."""

from __future__ import annotations

import threading
from base64 import b64decode
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager, suppress

import httpx

from medsign import errors
from medsign.errors import MalformedError, NotRecorded
from medsign.recording.har import Entry, Har
from medsign.recording.masks import Shape, shape_of
from medsign.recording.words import contract_words

# Of the rest, values were masked, or they describe a coding that the recorded text no longer has.
_KEPT = frozenset({"content-type", "date", "retry-after", "x-request-id"})


class Replay(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers each request as it was answered when it was recorded; in either colour.

    A request is found by its method, path, query and body, as far as masks left them; values need
    not be the same, only of the same kind and length. Each entry answers once. Connections that
    broke break again.

    Args:
        har: The recording.
        in_order: Whether requests must come in the order of the recording.
        words: Texts that the recorder did not mask.

    Raises:
        MalformedError: It holds a request that nobody can send.

    Example:
        >>> from medsign.recording import Recorder
        >>> from medsign.sandbox import Sandbox
        >>> with Sandbox() as sandbox:
        ...     recorder = Recorder(sandbox.transport())
        ...     with sandbox.connect(transport=recorder) as window:
        ...         first = list(window.ca.certificates())
        ...     with sandbox.connect(transport=Replay(recorder.har())) as window:
        ...         first == list(window.ca.certificates())
        True
    """

    def __init__(
        self, har: Har, *, in_order: bool = False, words: frozenset[str] | None = None
    ) -> None:
        self._words = contract_words() if words is None else words
        self._in_order = in_order
        with _legible():
            self._left = [(self._recorded(entry), entry) for entry in har.log.entries]
        self._lock = threading.Lock()

    @property
    def left(self) -> int:
        """How many recorded exchanges nobody has asked for yet."""
        return len(self._left)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request.

        Raises:
            NotRecorded: The recording has no such request, or its answer was left out.
            MalformedError: The recorded answer is one that nobody can give.
            httpx.TransportError: So the recorded request ended.
        """
        return _answer(self._take(shape_of(request, request.read(), self._words)))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request; errors as in `handle_request`."""
        return _answer(self._take(shape_of(request, await request.aread(), self._words)))

    def _recorded(self, entry: Entry) -> Shape:
        sent = entry.request
        media = {"content-type": sent.post_data.mime_type} if sent.post_data else {}
        content = sent.post_data.text.encode() if sent.post_data else b""
        return shape_of(httpx.Request(sent.method, sent.url, headers=media), content, self._words)

    def _take(self, wanted: Shape) -> Entry:
        with self._lock:
            candidates = self._left[:1] if self._in_order else self._left
            for place, (shape, entry) in enumerate(candidates):
                if shape.covers(wanted):
                    del self._left[place]
                    return entry
        raise NotRecorded(f"the recording has no {wanted.target} here")


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A recorded body, and the error with which it broke."""

    def __init__(self, content: bytes, error: Exception | None) -> None:
        self._content = content
        self._error = error

    def __iter__(self) -> Iterator[bytes]:
        yield self._content
        if self._error:
            raise self._error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk


def _answer(entry: Entry) -> httpx.Response:
    response, content = entry.response, entry.response.content
    error = _error(response.error) if response.error else None
    if not response.status:
        raise error or NotRecorded("the recorded request was never answered")
    if content.text is None and content.size and error is None:
        raise NotRecorded("the body of the recorded answer was left out")
    text = content.text or ""
    headers = [(each.name, each.value) for each in response.headers if each.name.lower() in _KEPT]
    with _legible():
        body = b64decode(text) if content.encoding == "base64" else text.encode()
        return httpx.Response(response.status, headers=headers, stream=_Body(body, error))


@contextmanager
def _legible() -> Generator[None, None, None]:
    """Tell of an archive that another program wrote, or somebody's editor."""
    try:
        yield
    except (ValueError, httpx.InvalidURL):
        raise MalformedError("HAR", "log.entries", "it cannot be sent or given so") from None


def _error(name: str) -> Exception:
    for home, family in ((httpx, httpx.TransportError), (errors, errors.TransportError)):
        kind = getattr(home, name, None)
        if isinstance(kind, type) and issubclass(kind, family):
            with suppress(TypeError):  # one that wants more than a text is not raised by transports
                return kind("as recorded")
    return NotRecorded(f"the recorded request ended with {name}")
