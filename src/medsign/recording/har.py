"""HTTP Archive 1.2: what recordings are written in, and browsers and other tools can show."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import attrs

from medsign.codec import json

UNKNOWN: Final = -1
MAX_BYTES: Final = 256 * 1024 * 1024


@attrs.frozen
class Field:
    """A header field, or a parameter of a query."""

    name: str
    value: str


@attrs.frozen
class PostData:
    """Body of a request.

    Attributes:
        mime_type: What it says it is.
        text: The masked body; empty when it was left out.
        comment: Why it was left out.
    """

    mime_type: str
    text: str
    params: tuple[Field, ...]
    comment: str = ""


@attrs.frozen(kw_only=True)
class Content:
    """Body of an answer, decoded.

    Attributes:
        size: Octets that came.
        mime_type: What it says it is.
        text: The masked body, or ``None`` when it was left out.
        encoding: ``base64`` for octets.
        comment: Why it was left out.
    """

    size: int
    mime_type: str
    text: str | None = None
    encoding: str | None = None
    comment: str = ""


@attrs.frozen(kw_only=True)
class HarRequest:
    """What was sent."""

    method: str
    url: str
    http_version: str
    cookies: tuple[Field, ...]
    headers: tuple[Field, ...]
    query_string: tuple[Field, ...]
    post_data: PostData | None = None
    headers_size: int
    body_size: int


@attrs.frozen(kw_only=True)
class HarResponse:
    """What came back.

    Attributes:
        status: HTTP status code; 0 when there was no answer.
        error: Name of the error with which the connection ended, or ``None``.
    """

    status: int
    status_text: str
    http_version: str
    cookies: tuple[Field, ...]
    headers: tuple[Field, ...]
    content: Content
    redirect_url: str = attrs.field(metadata={"wire": "redirectURL"})
    headers_size: int
    body_size: int
    error: str | None = attrs.field(default=None, metadata={"wire": "_error"})


@attrs.frozen
class Timings:
    """Milliseconds: until the request had left, until the answer began, until it ended."""

    send: float
    wait: float
    receive: float


@attrs.frozen(kw_only=True)
class Entry:
    """One request and what became of it.

    Attributes:
        started_date_time: When it began to leave.
        time: Milliseconds in all.
    """

    started_date_time: datetime
    time: float
    request: HarRequest
    response: HarResponse
    cache: dict[str, Any]
    timings: Timings


@attrs.frozen
class Creator:
    """The program that wrote the file."""

    name: str
    version: str


@attrs.frozen
class Log:
    """A recording."""

    version: str
    creator: Creator
    entries: tuple[Entry, ...]
    comment: str = ""


@attrs.frozen
class Har:
    """A file.

    Example:
        >>> Har.of([]).log.version
        '1.2'
    """

    log: Log

    @classmethod
    def of(cls, entries: Any, comment: str = "") -> Har:
        """Return entries as a file of this program's."""
        return cls(Log("1.2", Creator("medsign", version("medsign")), tuple(entries), comment))

    @classmethod
    def load(cls, path: Path) -> Har:
        """Read a file; one of a browser's, too.

        Raises:
            MalformedError: It is no archive.
            BudgetExceeded: It is longer than 256 MiB.
        """
        return json.decode(cls, path.read_bytes(), what="HAR", max_bytes=MAX_BYTES)

    def save(self, path: Path) -> None:
        """Write a file that only its owner can read; the old one stays until the new is whole."""
        # mkstemp gives the file the rights 0600, and rename keeps them.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(json.encode(self))
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
