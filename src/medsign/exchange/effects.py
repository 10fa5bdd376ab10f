"""What a flow may ask of the outside world, and nothing more.

A remote operation is a generator: it yields effects and returns a typed value. It holds all the
logic (retries, polling, pages, fallback) and does no I/O itself, so one text serves the sync and
the async client, and a test may run it with neither network nor clock.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Generic, TypeAlias, TypeVar

import attrs
import httpx

T = TypeVar("T")


@attrs.frozen
class Answer:
    """A complete answer, read to its end within the bounds.

    Attributes:
        status: HTTP status code.
        headers: Header fields, names in any letter case.
        body: The decoded content; may hold personal data.
    """

    status: int
    headers: httpx.Headers = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)

    @property
    def succeeded(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300


@attrs.frozen(kw_only=True)
class Send:
    """Send a request and read the whole answer.

    Attributes:
        request: What to send.
        auth: How to authorise it.
        deadline: Monotonic seconds after which reading stops with `TimedOut`.
        max_bytes: Size of the decoded body above which reading stops with `BudgetExceeded`.
    """

    request: httpx.Request
    auth: httpx.Auth | None = attrs.field(default=None, repr=False)
    deadline: float
    max_bytes: int


@attrs.frozen
class Wait:
    """Let time pass, in seconds."""

    seconds: float


@attrs.frozen
class Do(Generic[T]):
    """Do local work that may block: write the journal, hash, sign."""

    work: Callable[[], T]


@attrs.frozen
class Item(Generic[T]):
    """Hand one element of a listing to the caller."""

    value: T


Effect: TypeAlias = Send | Wait | Do[Any]
Flow: TypeAlias = Generator[Effect, Any, T]
Listing: TypeAlias = Generator[Effect | Item[T], Any, None]


def send(effect: Send) -> Flow[Answer]:
    """Yield the effect and return its answer, with the type the checker needs."""
    answer: Answer = yield effect
    return answer


def do(work: Callable[[], T]) -> Flow[T]:
    """Run blocking work off the event loop and return its result."""
    result: T = yield Do(work)
    return result
