"""The fake world that all services share: time, state, tokens, chance, the mail it sent."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar
from uuid import UUID

import attrs

from medsign.clock import Clock, SystemClock
from medsign.sandbox.faults import Faults
from medsign.sandbox.shelf import Drawer, Shelf

T = TypeVar("T")


class MovableClock(Clock, Protocol):
    """A clock that can be set and moved, like `medsign.clock.ManualClock`."""

    def advance(self, step: timedelta) -> None:
        """Move forward."""
        ...

    def set(self, now: datetime) -> None:
        """Set the wall clock, forwards or back."""
        ...


class RunningClock:
    """A clock that runs with another one, some time away from it.

    Args:
        base: The clock it runs with.

    Example:
        >>> from medsign.clock import MOSCOW
        >>> clock = RunningClock()
        >>> clock.set(datetime(2030, 1, 1, tzinfo=MOSCOW))
        >>> clock.now().isoformat(timespec="minutes")
        '2029-12-31T21:00+00:00'
    """

    def __init__(self, base: Clock | None = None) -> None:
        self._base = base or SystemClock()
        self._ahead = self._skipped = timedelta(0)

    def now(self) -> datetime:
        """Return the present moment of the world."""
        return self._base.now() + self._ahead

    def monotonic(self) -> float:
        """Return seconds that include those skipped."""
        return self._base.monotonic() + self._skipped.total_seconds()

    def advance(self, step: timedelta) -> None:
        """Skip some time."""
        self._ahead += step
        self._skipped += step

    def set(self, now: datetime) -> None:
        """Set the wall clock; it runs on from there."""
        self._ahead = now - self._base.now()


@attrs.frozen
class _Token:
    owner: str
    expires_at: datetime | None = None


@attrs.frozen
class Tokens:
    """Who may call which service."""

    _drawer: Drawer[_Token]
    _world: World

    def issue(
        self,
        service: str,
        owner: str,
        *,
        lifetime: timedelta | None = None,
        token: str | None = None,
    ) -> str:
        """Return a new token of a service; without a lifetime it never expires."""
        token = token or self._world.new_id()
        expires_at = self._world.clock.now() + lifetime if lifetime else None
        self._drawer.put(f"{service} {token}", _Token(owner, expires_at))
        return token

    def owner(self, service: str, token: str) -> str | None:
        """Return whose valid token of the service it is, or ``None``."""
        found = self._drawer.get(f"{service} {token}")
        if found is None or (found.expires_at and self._world.clock.now() >= found.expires_at):
            return None
        return found.owner

    def known_elsewhere(self, service: str, token: str) -> bool:
        """Return whether it is a token of another service."""
        pairs = (key.partition(" ") for key, _ in self._drawer.items())
        return any(name != service and known == token for name, _, known in pairs)

    def of(self, service: str) -> tuple[str, ...]:
        """Return the tokens of a service, oldest first."""
        pairs = (key.partition(" ") for key, _ in self._drawer.items())
        return tuple(token for name, _, token in pairs if name == service)


@attrs.frozen(kw_only=True)
class Message:
    """What the world sent to a person: an SMS with a code, a link in a messenger."""

    channel: str
    to: str = attrs.field(repr=False)
    text: str = attrs.field(repr=False)
    at: datetime


class World:
    """State, time and chance of the sandbox.

    Args:
        clock: The world's clock.
        shelf: Where state is kept.
        entropy: Source of random octets.
        base_url: Root of the sandbox as clients address it, without a final slash.
    """

    def __init__(
        self,
        *,
        clock: MovableClock,
        shelf: Shelf,
        entropy: Callable[[int], bytes] = os.urandom,
        base_url: str,
    ) -> None:
        self.clock = clock
        self.shelf = shelf
        self.entropy = entropy
        self.base_url = base_url
        self.faults = Faults()
        self._parts: dict[Callable[[World], Any], Any] = {}
        self.tokens = Tokens(shelf.drawer("tokens", _Token), self)
        self._outbox = shelf.drawer("outbox", Message)

    def new_id(self) -> str:
        """Return a random identifier, a UUID in text."""
        return str(UUID(bytes=self.entropy(16), version=4))

    def new_code(self, digits: int = 6) -> str:
        """Return a random code of decimal digits, as an SMS carries it."""
        return f"{int.from_bytes(self.entropy(16)) % 10**digits:0{digits}}"

    def drawer(self, name: str, kind: type[T]) -> Drawer[T]:
        """Return a drawer of the state: ``world.drawer("ca.requests", RequestRecord)``."""
        return self.shelf.drawer(name, kind)

    def part(self, make: Callable[[World], T]) -> T:
        """Return what services share, one for the world: ``world.part(Pki)``.

        Ask for it in the constructor of a service: what is made during a request is undone when
        the request is refused.
        """
        if make not in self._parts:
            self._parts[make] = make(self)
        part: T = self._parts[make]
        return part

    def send(self, channel: str, to: str, text: str) -> None:
        """Send a message to a person; a tester finds it in `outbox`."""
        message = Message(channel=channel, to=to, text=text, at=self.clock.now())
        self._outbox.put(self.new_id(), message)

    def outbox(self) -> tuple[Message, ...]:
        """Return every message sent, oldest first."""
        return tuple(self._outbox.values())
