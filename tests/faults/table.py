"""The faults, and what an operation comes to when one strikes its first request."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime
from functools import partial
from typing import TypeAlias

import attrs
from tests.faults import server
from tests.faults.server import Act, Exchange

from medsign.errors import (
    ApiError,
    BudgetExceeded,
    MedsignError,
    OutcomeUnknown,
    TimedOut,
    UnexpectedAnswer,
)

End: TypeAlias = type[MedsignError] | None
"""``None``: the operation succeeds in spite of the fault."""


@attrs.frozen
class Fault:
    """A fault.

    Attributes:
        act: What the server does.
        reads: The end of an operation that only reads, when the fault strikes once.
        creates: The same of one that creates under a key.
        slow: Whether it takes real time, because something waits for what does not come.
        twice: Whether the sandbox gets the request twice.
    """

    act: Act
    reads: End = None
    creates: End = None
    slow: bool = attrs.field(default=False, kw_only=True)
    twice: bool = attrs.field(default=False, kw_only=True)


def _busy(status: int, after: str | timedelta) -> Act:
    def act(exchange: Exchange) -> None:
        moment = "" if isinstance(after, str) else exchange.server.clock.now() + after
        text = format_datetime(moment, usegmt=True) if moment else after
        exchange.refuse(status, Retry_After=text)

    return act


def _says(status: int) -> Act:
    return lambda exchange: exchange.refuse(status)


def _bytes(text: bytes) -> Act:
    return partial(server.raw, text)


def _body(content: bytes) -> Act:
    return partial(server.other_body, content)


FAULTS: dict[str, Fault] = {
    "reset before the body": Fault(server.reset_before_the_body),
    "reset, not done": Fault(server.reset_undone),
    "reset, done": Fault(server.reset_done),
    "closed, not done": Fault(server.close_undone),
    "closed, done": Fault(server.close_done),
    "stall, not done": Fault(server.stall_undone, slow=True),
    "stall, done": Fault(server.stall_done, slow=True),
    "stall in the head": Fault(server.stall_in_the_head, slow=True),
    "stall in the body": Fault(server.stall_in_the_body, slow=True),
    "dripping head": Fault(server.drip_the_head, TimedOut, OutcomeUnknown, slow=True),
    "dripping body": Fault(server.drip_the_body, TimedOut, OutcomeUnknown, slow=True),
    "informed without end": Fault(server.informed_without_end, TimedOut, OutcomeUnknown, slow=True),
    "cut by length": Fault(server.cut_by_length),
    "cut by chunk": Fault(server.cut_by_chunk),
    "too long": Fault(server.too_long, BudgetExceeded),
    "endless": Fault(server.endless, BudgetExceeded),
    "packed": Fault(server.gzip_bomb, UnexpectedAnswer),
    "packed twice": Fault(partial(server.gzip_bomb, times=2), UnexpectedAnswer),
    "falsely packed": Fault(server.false_gzip, UnexpectedAnswer),
    "another page": Fault(server.another_page, UnexpectedAnswer),
    "broken JSON": Fault(_body(b'{"id": "7'), UnexpectedAnswer),
    "JSON of another shape": Fault(_body(b'[{"unknown": 1}]'), UnexpectedAnswer),
    "deep JSON": Fault(_body(b"[" * 200_000), UnexpectedAnswer),
    "no UTF-8": Fault(_body(b'{"id": "\xff\xfe"}'), UnexpectedAnswer),
    "empty body": Fault(_body(b""), UnexpectedAnswer),
    "no content": Fault(server.no_content, UnexpectedAnswer),
    "no status": Fault(_bytes(b"HTTP/1.1 OK\r\n\r\n")),
    "another protocol": Fault(_bytes(b"SSH-2.0-OpenSSH_9.2\r\n")),
    "broken field": Fault(_bytes(b"HTTP/1.1 200 OK\r\nX Y: 1\r\nno colon\r\n\r\n{}")),
    "two lengths": Fault(
        _bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x")
    ),
    "large head": Fault(server.large_head),
    "endless fields": Fault(server.many_fields),
    "endless trailers": Fault(server.endless_trailers),
    "switched protocol": Fault(
        _bytes(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
        UnexpectedAnswer,
    ),
    "redirect 302": Fault(partial(server.redirect, 302), UnexpectedAnswer),
    "redirect 303": Fault(partial(server.redirect, 303), UnexpectedAnswer),
    "redirect 307": Fault(partial(server.redirect, 307), UnexpectedAnswer),
    "429, seconds": Fault(_busy(429, "1")),
    "429, date": Fault(_busy(429, timedelta(seconds=1))),
    "503, seconds": Fault(_busy(503, "1")),
    "503, date": Fault(_busy(503, timedelta(seconds=1))),
    "503, a date beyond all calendars": Fault(_busy(503, "Mon, 01 Jan 99999999999 00:00:00 GMT")),
    "503, tomorrow": Fault(_busy(503, "86400"), ApiError, ApiError),
    "500": Fault(_says(500)),
    "502": Fault(_says(502)),
    "504": Fault(_says(504)),
    "502, done": Fault(partial(server.error_done, 502)),
    "408": Fault(_says(408), None, ApiError),
    "409": Fault(_says(409), ApiError, ApiError),
    "delivered twice": Fault(server.twice, twice=True),
    "early answer": Fault(server.early),
    "closed while idle": Fault(server.hang_up_idle),
    "informed": Fault(server.informed),
    "junk after the answer": Fault(server.junk_after),
}
