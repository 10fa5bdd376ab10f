"""One exchange on its way: copied while it passes, written down when it has ended."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final, cast

import attrs
import httpx

from medsign.clock import Clock
from medsign.codec import json
from medsign.exchange import redact, redact_headers
from medsign.recording.har import (
    UNKNOWN,
    Content,
    Entry,
    Field,
    HarRequest,
    HarResponse,
    PostData,
    Timings,
)
from medsign.recording.masks import Masks

_LEFT_OUT: Final = "left out"
_PIECE: Final = 4096


@attrs.frozen(kw_only=True)
class Manner:
    """How exchanges are written down.

    Attributes:
        clock: Where time is taken from.
        masks: How values are masked.
        max_body: Octets of a body above which it is left out.
        unsafe_bodies: Whether bodies are written as they are.
    """

    clock: Clock
    masks: Masks
    max_body: int
    unsafe_bodies: bool

    def text(self, content: bytes, media: str, *, refused: bool = False) -> str | None:
        """Return a body as text, or ``None`` where it must be left out."""
        if not content:
            return ""
        if self.unsafe_bodies:
            try:
                return content.decode()
            except UnicodeDecodeError:
                return None
        try:
            return self.masks.body(content, media, refused=refused)
        except Exception:  # noqa: BLE001 - whatever a stranger has sent, the recording is readable
            return None


@attrs.define(kw_only=True)
class Passed:
    """An exchange that has ended.

    Its bodies are masked when somebody asks for the entry: that takes a second for some megabytes,
    which no event loop should have to spare.

    Attributes:
        size: Octets that it takes in memory.
    """

    _outline: Entry = attrs.field(alias="outline")
    _sent: bytes | None = attrs.field(alias="sent", repr=False)
    _came: bytes | None = attrs.field(alias="came", repr=False)
    size: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        bodies = len(self._sent or b"") + len(self._came or b"")
        self.size = len(json.encode(self._outline)) + bodies

    def entry(self, manner: Manner) -> Entry:
        """Write the exchange down and forget its bodies; not for two threads at once."""
        request, response = self._outline.request, self._outline.response
        if request.post_data and self._sent is not None:
            post = request.post_data
            text = manner.text(self._sent, post.mime_type)
            if text is not None:
                request = attrs.evolve(request, post_data=attrs.evolve(post, text=text, comment=""))
        if self._came is not None:
            content = response.content
            text = manner.text(self._came, content.mime_type, refused=response.status >= 400)
            if text is not None:
                content = attrs.evolve(content, text=text, comment="")
            elif manner.unsafe_bodies:
                text = b64encode(self._came).decode()
                content = attrs.evolve(content, text=text, encoding="base64", comment="")
            response = attrs.evolve(response, content=content)
        self._outline = attrs.evolve(self._outline, request=request, response=response)
        self._sent = self._came = None
        return self._outline


class Passing:
    """One request and what becomes of it.

    Args:
        request: What leaves.
        manner: How it is written down.
        keep: Called once at the end, with ``None`` when nothing could be kept.
    """

    def __init__(
        self, request: httpx.Request, manner: Manner, keep: Callable[[Passed | None], None]
    ) -> None:
        self._request = request
        self._manner = manner
        self._keep = keep
        self._started = manner.clock.now()
        self._began = self._answered = manner.clock.monotonic()
        self._response: httpx.Response | None = None
        self._came: _Copy | bytes = b""
        self._ended = False
        self._sent: _Copy | bytes
        try:
            self._sent = request.content
        except httpx.RequestNotRead:
            self._sent = request.stream = _Copy(request.stream, manner.max_body)

    def answered(self, response: httpx.Response) -> httpx.Response:
        """Go on with the answer, whose body is still to come."""
        self._answered = self._manner.clock.monotonic()
        self._restore()
        self._response = response
        try:
            self._came = response.content  # some transports have read it; nobody closes that one
        except httpx.ResponseNotRead:
            self._came = response.stream = _Copy(response.stream, self._manner.max_body, self.end)
        else:
            self.end()
        return response

    def end(self, error: BaseException | None = None) -> None:
        """Keep the exchange; how it ended first is how it ended."""
        if self._ended:
            return
        self._ended = True
        self._restore()
        try:
            passed = self._passed(error)
        except Exception:  # noqa: BLE001 - whatever a stranger has sent, the traffic goes on
            passed = None
        self._keep(passed)

    def _restore(self) -> None:
        # The same request may be sent again, through this recorder or another.
        if isinstance(self._sent, _Copy):
            self._request.stream = self._sent.stream

    def _passed(self, error: BaseException | None) -> Passed:
        now = self._manner.clock.monotonic()
        answered = self._answered if self._response else now
        wait, receive = 1000 * (answered - self._began), 1000 * (now - answered)
        limit = self._manner.max_body
        (sent, request), (came, response) = _of(self._sent, limit), _of(self._came, limit)
        if response and self._response and isinstance(self._came, _Copy):
            response = _decoded(response, self._response.headers, limit)
        outline = Entry(
            started_date_time=self._started,
            time=wait + receive,
            request=self._har_request(sent),
            response=self._har_response(came, response, error),
            cache={},
            timings=Timings(send=0, wait=wait, receive=receive),
        )
        return Passed(outline=outline, sent=request, came=response)

    def _har_request(self, size: int) -> HarRequest:
        request = self._request
        url = self._manner.masks.url(request.url)
        media = request.headers.get("content-type", "")
        return HarRequest(
            method=request.method,
            url=url,
            http_version=_version(self._response),
            cookies=(),
            headers=_fields(request.headers),
            query_string=tuple(Field(*each) for each in httpx.URL(url).params.multi_items()),
            post_data=PostData(media, "", (), _LEFT_OUT) if size else None,
            headers_size=UNKNOWN,
            body_size=size,
        )

    def _har_response(
        self, size: int, content: bytes | None, error: BaseException | None
    ) -> HarResponse:
        response = self._response
        status = response.status_code if response else 0
        headers = response.headers if response else httpx.Headers()
        return HarResponse(
            status=status,
            status_text=httpx.codes.get_reason_phrase(status),
            http_version=_version(response),
            cookies=(),
            headers=_fields(headers),
            content=Content(
                size=size if content is None else len(content),
                mime_type=redact(headers.get("content-type", "")),
                comment=_LEFT_OUT if size else "",
            ),
            redirect_url="",
            headers_size=UNKNOWN,
            body_size=size,
            error=type(error).__name__ if error else None,
        )


class _Copy(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that is copied while it passes, as far as there is room."""

    def __init__(
        self,
        stream: httpx.SyncByteStream | httpx.AsyncByteStream,
        limit: int,
        ended: Callable[[BaseException | None], None] = lambda _: None,
    ) -> None:
        self.stream = stream
        self.size = 0
        self._limit = limit
        self._ended = ended
        self._content = bytearray()
        self._whole = False

    @property
    def content(self) -> bytes | None:
        """The copy, or ``None`` when the body is too long for one or did not pass to its end."""
        return bytes(self._content) if self._whole and self.size <= self._limit else None

    def add(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self.size <= self._limit:
            self._content += chunk
        else:
            self._content.clear()

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in cast(httpx.SyncByteStream, self.stream):
                self.add(chunk)
                yield chunk
        except Exception as error:
            self._ended(error)
            raise
        self._whole = True
        self._ended(None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in cast(httpx.AsyncByteStream, self.stream):
                self.add(chunk)
                yield chunk
        except Exception as error:
            self._ended(error)
            raise
        self._whole = True
        self._ended(None)

    def close(self) -> None:
        self._ended(httpx.StreamClosed())
        cast(httpx.SyncByteStream, self.stream).close()

    async def aclose(self) -> None:
        self._ended(httpx.StreamClosed())
        await cast(httpx.AsyncByteStream, self.stream).aclose()


def _of(body: _Copy | bytes, limit: int) -> tuple[int, bytes | None]:
    if isinstance(body, _Copy):
        return body.size, body.content
    return len(body), body if len(body) <= limit else None


def _decoded(content: bytes, headers: httpx.Headers, limit: int) -> bytes | None:
    """Undo a content coding in small pieces: few octets may stand for very many."""
    coding = {"content-encoding": headers.get("content-encoding", "identity")}
    pieces = (content[at : at + _PIECE] for at in range(0, len(content), _PIECE))
    decoded = bytearray()
    for chunk in httpx.Response(200, headers=coding, content=pieces).iter_bytes():
        decoded += chunk
        if len(decoded) > limit:
            return None
    return bytes(decoded)


def _fields(headers: httpx.Headers) -> tuple[Field, ...]:
    return tuple(Field(name, value) for name, value in redact_headers(headers).items())


def _version(response: httpx.Response | None) -> str:
    return response.http_version if response else "unknown"
