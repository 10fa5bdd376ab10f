"""`Sandbox`: the whole fake world in one object."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import attrs
import httpx

from medsign import signers
from medsign.ca.models import Authority
from medsign.client import AsyncMedSign, MedSign
from medsign.sandbox.catalogue import SERVICES
from medsign.sandbox.control import Control
from medsign.sandbox.desk import Delivery, FrontDesk
from medsign.sandbox.gateway import Gateway
from medsign.sandbox.openapi import Description
from medsign.sandbox.pki import Pki
from medsign.sandbox.remote import Remote
from medsign.sandbox.routing import Request, Service
from medsign.sandbox.shelf import Shelf
from medsign.sandbox.transports import AsyncSandboxTransport, SandboxTransport
from medsign.sandbox.world import MovableClock, RunningClock, World

S = TypeVar("S", bound=Service)

BASE_URL = "https://sandbox.medsign.test"
CLINIC = "Тестовая клиника"


@attrs.frozen
class Endpoint:
    """What a client of one service has to know.

    Attributes:
        url: Base URL without a final slash.
        token: The clinic's token; empty when the service gives out tokens itself.
    """

    url: str
    token: str = attrs.field(repr=False)


class Sandbox:
    """A stand-in for all remote systems, with one world behind them.

    Args:
        services: What to stand in for; each is a `Service` class. Everything by default.
        clock: The world's clock; by default it runs with the machine's and can be moved.
        path: File in which the world survives a restart, or ``None``.
        entropy: Source of random octets.
        base_url: How clients address it.
        signed_requests: Whether services refuse requests that are not signed (F127).

    Example:
        >>> import httpx
        >>> with Sandbox(services=[]) as sandbox:
        ...     with httpx.Client(transport=sandbox.transport(), base_url=sandbox.base_url) as http:
        ...         http.get("/_sandbox/world").json()
        {'services': {}}
    """

    def __init__(
        self,
        services: Iterable[Callable[[World], Service]] = SERVICES,
        *,
        clock: MovableClock | None = None,
        path: Path | None = None,
        entropy: Callable[[int], bytes] = os.urandom,
        base_url: str = BASE_URL,
        signed_requests: bool = False,
    ) -> None:
        self.clock = clock or RunningClock()
        self.base_url = base_url
        self._shelf = Shelf(path)
        self.world = World(clock=self.clock, shelf=self._shelf, entropy=entropy, base_url=base_url)
        self.services = tuple(make(self.world) for make in services)
        for service in self.services:
            if not self.world.tokens.of(service.name):
                self.world.tokens.issue(service.name, CLINIC)
        description = Description(self.world, self.services)
        control = Control(self.world, self.services)
        self._gateway = Gateway(self.world, required=signed_requests)
        self._desk = FrontDesk(
            self.world, (*self.services, control, description), gateway=self._gateway
        )

    def deliver(self, request: Request) -> Delivery:
        """Carry out one request; the handler behind every way in."""
        return self._desk.deliver(request)

    def transport(self) -> SandboxTransport:
        """Return a transport for `httpx.Client`."""
        return SandboxTransport(self.deliver, self.clock)

    def async_transport(self) -> AsyncSandboxTransport:
        """Return a transport for `httpx.AsyncClient`."""
        return AsyncSandboxTransport(self.deliver, self.clock)

    def endpoint(self, service: str) -> Endpoint:
        """Return URL and token of a service by its name: ``sandbox.endpoint("ca").url``."""
        found = next(one for one in self.services if one.name == service)
        return Endpoint(self.base_url + found.base, self.world.tokens.of(service)[0])

    def service(self, kind: type[S]) -> S:
        """Return a service by its class."""
        return next(one for one in self.services if isinstance(one, kind))

    def gateway(self) -> signers.Gateway:
        """Return how a clinic signs its requests: a new key of its system, and whom to believe."""
        pki = self.world.part(Pki)
        system = pki.enrol(Authority.COMMERCIAL, common_name="МИС", organization=CLINIC)
        return signers.Gateway(signer=system, certificate=pki.gateway.certificate, clock=self.clock)

    def http(self) -> httpx.Client:
        """Return a client that reaches the world without a network; whoever calls closes it."""
        return httpx.Client(transport=self.transport(), base_url=self.base_url)

    def connect(self, **settings: Any) -> MedSign:
        """Return a window over this world: its services, its trust, its time.

        Args:
            settings: Further settings of `MedSign`; waits pass at once unless ``sleep`` is given.
        """
        own = {"sleep": self.sleep, "transport": self.transport()}
        return MedSign(**self._window(**own | settings))

    def async_connect(self, **settings: Any) -> AsyncMedSign:
        """Return the window for async code; otherwise as `connect`."""
        own = {"sleep": self.async_sleep, "transport": self.async_transport()}
        return AsyncMedSign(**self._window(**own | settings))

    def _window(self, **settings: Any) -> dict[str, Any]:
        with self.http() as http:
            remote = Remote(http)
            return {
                "config": remote.config(),
                "trust": remote.trust(),
                "intermediates": remote.intermediates(),
                "clock": self.clock,
                **settings,
            }

    def sleep(self, seconds: float) -> None:
        """Let the world's time pass at once: give it to a `Driver` as its ``sleep``."""
        self.clock.advance(timedelta(seconds=seconds))

    async def async_sleep(self, seconds: float) -> None:
        """Let the world's time pass at once: give it to an `AsyncDriver` as its ``sleep``."""
        self.sleep(seconds)

    def close(self) -> None:
        """Close the file of the world."""
        self._shelf.close()

    def __enter__(self) -> Self:
        """Return the sandbox itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()
