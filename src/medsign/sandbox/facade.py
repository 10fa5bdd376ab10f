"""`Sandbox`: the whole fake world in one object."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import attrs
import httpx

from medsign import signers
from medsign.ca.models import Authority
from medsign.client import AsyncMedSign, MedSign
from medsign.config import Config
from medsign.errors import UsageError
from medsign.sandbox.catalogue import SERVICES
from medsign.sandbox.control import Control
from medsign.sandbox.desk import Delivery, FrontDesk
from medsign.sandbox.gateway import SandboxGateway
from medsign.sandbox.openapi import Description
from medsign.sandbox.pki import Pki
from medsign.sandbox.remote import Remote
from medsign.sandbox.routing import Request, Service
from medsign.sandbox.shelf import Shelf
from medsign.sandbox.transports import SandboxTransport
from medsign.sandbox.world import MovableClock, RunningClock, World

S = TypeVar("S", bound=Service)
W = TypeVar("W")
P = ParamSpec("P")

BASE_URL = "https://sandbox.medsign.test"
CLINIC = "Тестовая клиника"


@attrs.frozen
class Endpoint:
    """What a client of one service has to know.

    Attributes:
        url: Base URL without a final slash.
        token: The clinic's token.
    """

    url: str
    token: str = attrs.field(repr=False)


def _with_settings_of(
    _window: Callable[Concatenate[Config, P], W],
) -> Callable[[Callable[..., W]], Callable[Concatenate[Sandbox, P], W]]:
    """Tell type checkers that a method takes what the window takes; the world fills in the rest."""
    return lambda method: method


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
        shelf = Shelf(path)
        with ExitStack() as own:
            own.callback(shelf.close)
            self.world = World(clock=self.clock, shelf=shelf, entropy=entropy, base_url=base_url)
            self.services = tuple(make(self.world) for make in services)
            for service in self.services:
                if not self.world.tokens.of(service.name):
                    self.world.tokens.issue(service.name, CLINIC)
            description = Description(self.world, self.services)
            control = Control(self.world, self.services)
            gateway = SandboxGateway(self.world, required=signed_requests)
            everybody = (*self.services, control, description)
            self._desk = FrontDesk(self.world, everybody, gateway=gateway)
            self._own = own.pop_all()

    def deliver(self, request: Request) -> Delivery:
        """Carry out one request; the handler behind every way in."""
        return self._desk.deliver(request)

    def transport(self) -> SandboxTransport:
        """Return a transport for `httpx.Client` and `httpx.AsyncClient`."""
        return SandboxTransport(self.deliver, self.clock)

    async_transport = transport

    def endpoint(self, service: str) -> Endpoint:
        """Return URL and token of a service by its name: ``sandbox.endpoint("ca").url``.

        Raises:
            UsageError: The sandbox has no such service.
        """
        for one in self.services:
            if one.name == service:
                return Endpoint(self.base_url + one.base, self.world.tokens.of(service)[0])
        raise UsageError(f"this sandbox has no service {service!r}")

    def service(self, kind: type[S]) -> S:
        """Return a service by its class.

        Raises:
            UsageError: The sandbox has no such service.
        """
        for one in self.services:
            if isinstance(one, kind):
                return one
        raise UsageError(f"this sandbox has no {kind.__name__}")

    def gateway(self) -> signers.Gateway:
        """Return how a clinic signs its requests: a new key of its system, and whom to believe."""
        pki = self.world.part(Pki)
        system = pki.enrol(Authority.COMMERCIAL, common_name="МИС", organization=CLINIC)
        return signers.Gateway(signer=system, certificate=pki.gateway.certificate, clock=self.clock)

    def http(self) -> httpx.Client:
        """Return a client that reaches the world without a network; whoever calls closes it."""
        return httpx.Client(transport=self.transport(), base_url=self.base_url)

    @_with_settings_of(MedSign)
    def connect(self, **settings: Any) -> MedSign:
        """Return a window over this world: its services, its trust, its time.

        Args:
            settings: Further settings of `MedSign`; waits pass at once unless ``sleep`` is given.
        """
        return MedSign(**self._window({"sleep": self.sleep, **settings}))

    @_with_settings_of(AsyncMedSign)
    def async_connect(self, **settings: Any) -> AsyncMedSign:
        """Return the window for async code; otherwise as `connect`."""
        return AsyncMedSign(**self._window({"sleep": self.async_sleep, **settings}))

    def _window(self, given: dict[str, Any]) -> dict[str, Any]:
        with self.http() as http:
            remote = Remote(http)
            return {
                "config": remote.config(),
                "trust": remote.trust(),
                "intermediates": remote.intermediates(),
                "clock": self.clock,
                "transport": None if "http" in given else self.transport(),
                **given,
            }

    def sleep(self, seconds: float) -> None:
        """Let the world's time pass at once: give it to a `Driver` as its ``sleep``."""
        self.clock.advance(timedelta(seconds=seconds))

    async def async_sleep(self, seconds: float) -> None:
        """Let the world's time pass at once: give it to an `AsyncDriver` as its ``sleep``."""
        self.sleep(seconds)

    def close(self) -> None:
        """Close the file of the world."""
        self._own.close()

    def __enter__(self) -> Self:
        """Return the sandbox itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()
