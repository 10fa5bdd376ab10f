"""The one window: every service of a clinic's signatures behind one object, in two colours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Generic, Self, TypeVar

import anyio
import anyio.to_thread
import attrs
import httpx

from medsign.ca import AsyncCa, Ca, ca_context
from medsign.clock import Clock, SystemClock
from medsign.clock import sleep as pause
from medsign.cms.client import AsyncPki, Pki
from medsign.cms.context import PkiContext
from medsign.codec.asn1 import Certificate
from medsign.config import Config
from medsign.ekp import AsyncEkp, Ekp, ekp_context
from medsign.errors import ConfigError
from medsign.exchange import AsyncDriver, Context, Driver, EventHook, all_of
from medsign.gosuslugi import Blocking, Gosuslugi
from medsign.mchd import AsyncMchd, Mchd
from medsign.mchd.registry import NODE, RegistryContext
from medsign.pki.accredited import AccreditedList
from medsign.pki.fetch import FollowUrls
from medsign.pki.profile import holder_of
from medsign.pki.trust import TrustStore
from medsign.sep import AsyncSep, Sep, sep_context
from medsign.signers import Gateway
from medsign.status import Calendar
from medsign.store import MemoryStore, SqliteStore, Store
from medsign.transport import Credentials, PasswordGrant, Secret, new_async_client, new_client
from medsign.watch import THRESHOLDS, Expiry, Notice, Notifier, Watch, Watched, notice

S = TypeVar("S")
Http = TypeVar("Http")
Transport = TypeVar("Transport")
Sleep = TypeVar("Sleep")
AnyDriver = TypeVar("AnyDriver")


class _Window(Generic[Http, Transport, Sleep, AnyDriver]):
    """What both colours share: all but who sends and who waits."""

    def __init__(
        self,
        config: Config,
        *,
        trust: TrustStore | None = None,
        intermediates: Iterable[Certificate] = (),
        http: Http | None = None,
        transport: Transport | None = None,
        store: Store | None = None,
        clock: Clock | None = None,
        on_event: EventHook | None = None,
        credentials: Credentials | None = None,
        gateway: Gateway | None = None,
        accredited: AccreditedList | None = None,
        follow: FollowUrls | None = None,
        calendar: Calendar | None = None,
        blocking: Blocking | None = None,
        sleep: Sleep | None = None,
    ) -> None:
        if http is not None and transport is not None:
            raise ConfigError("a window has a client or a transport of yours, not both")
        if http is not None or transport is not None:
            _refuse_to_pass_over_tls(config)
        self.config = config
        self.clock = clock or SystemClock()
        self.gosuslugi = Gosuslugi(clock=self.clock, calendar=calendar, blocking=blocking)
        self._trust = trust or TrustStore()
        self._intermediates = tuple(intermediates)
        self._on_event = on_event or all_of()
        self._credentials = credentials
        self._gateway = gateway
        self._accredited = accredited
        self._follow = follow
        self._services: dict[str, Any] = {}
        self._own_http: Http | None = None
        if http is None:
            http = self._own_http = self._connected(transport)
        self._driver = self._driven(http, sleep)
        # Opened last: nobody would close it if something above were refused.
        self._own_store: Store | None = None
        if store is None:
            store = self._own_store = SqliteStore(config.store) if config.store else MemoryStore()
        self.store = store

    def watch(
        self,
        notify: Notifier,
        *,
        thresholds: Sequence[timedelta] = THRESHOLDS,
        word: Callable[[Expiry], Notice] = notice,
    ) -> Watch:
        """Return the watch over terms, which remembers in the store what it has told.

        Args:
            notify: Called with each notice.
            thresholds: How long before the end each warning is due.
            word: Makes the message; the default speaks Russian to the clinic.
        """
        return Watch(self.store, notify, self.clock, thresholds=thresholds, word=word)

    def _connected(self, transport: Transport | None) -> Http:
        raise NotImplementedError

    def _driven(self, http: Http, sleep: Sleep | None) -> AnyDriver:
        raise NotImplementedError

    def _only(self, service: str, kind: Callable[[Context, AnyDriver], S]) -> S:
        """Return a service, the same one each time: two would keep two rate limits."""
        if service not in self._services:
            context = self._pki_context() if service == "pki" else self._context(service)
            # Decides between threads that ask first at once, without a lock that a fork may copy.
            self._services.setdefault(service, kind(context, self._driver))
        found: S = self._services[service]
        return found

    def _context(self, service: str) -> Context:
        end, policy = self.config.endpoint(service), self.config.policy
        secret: Secret = end.token or end.password
        if end.credential:
            if self._credentials is None:
                raise ConfigError("no vault is given to look it up in", f"[{service}] credential")
            secret = partial(self._credentials.secret, end.credential)
        match service:
            case "ca":
                context = ca_context(base_url=end.url, token=secret, policy=policy)
            case "sep":
                context = sep_context(
                    base_url=end.url, token=secret, organization=end.organization, policy=policy
                )
            case "ekp":
                # Its own policy: a registry with a queue before it waits less than the others.
                context = ekp_context(base_url=end.url, token=secret)
            case _:
                if not (end.login and secret):
                    raise ConfigError("the registry wants a login and a password", f"[{service}]")
                base = httpx.URL(end.url.rstrip("/") + "/")
                grant = PasswordGrant(
                    url=base.join(NODE.token),
                    username=end.login,
                    password=secret,
                    as_json=True,
                    clock=self.clock,
                )
                context = RegistryContext(service=service, base_url=base, auth=grant, policy=policy)
        context = attrs.evolve(
            context,
            auth=context.auth if secret else None,
            clock=self.clock,
            store=self.store,
            owner=self.config.owner or context.owner,
            emit=self._on_event,
            limit=end.limit,
        )
        return self._gateway.guard(context) if self._gateway else context

    def _pki_context(self) -> PkiContext:
        # Not by the gateway: these services belong to authorities, and sign what they answer.
        services = self.config.services
        ocsp, tsp = services.get("ocsp"), services.get("tsp")
        return PkiContext(
            service="pki",
            # Both services are addressed in full; nothing is relative to a base.
            base_url="https://pki.invalid",
            ocsp_url=ocsp.url if ocsp else None,
            tsp_url=tsp.url if tsp else None,
            crl_urls=self.config.crls,
            trust=self._trust,
            intermediates=self._intermediates,
            accredited=self._accredited,
            follow=self._follow,
            clock=self.clock,
            store=self.store,
            emit=self._on_event,
            policy=self.config.policy,
        )


class MedSign(_Window[httpx.Client, httpx.BaseTransport, Callable[[float], None], Driver]):
    """Everything a clinic does with signatures, for blocking code.

    Args:
        config: Where the services are.
        trust: Whom to trust when signatures are verified; by default nobody.
        intermediates: Certificates of authorities at hand.
        http: A client to send with; it is not closed.
        transport: Where requests go instead of the network; it is closed with the window.
        store: Where journals are kept; it is not closed. By default that of the settings.
        clock: Where time is taken from.
        on_event: Called with each event of the traffic; it must not block, and what it raises is
            only logged. A `medsign.exchange.Follower` goes along with operations, too.
        credentials: The vault in which endpoints name their secrets.
        gateway: How requests to services are signed, where a gateway wants it.
        accredited: The list of accredited authorities; without it no signature is known to be
            a qualified one.
        follow: Whether evidence is fetched from where certificates say; by default it is not.
        calendar: Days off that the Government has moved, for the terms of `gosuslugi`.
        blocking: When repeated errors close the doctor's cabinet; by default never.
        sleep: How to let seconds pass; by default they pass.

    Raises:
        ConfigError: Settings contradict each other. A service that is not set, or not in full,
            is refused when it is asked for.
        StoreError: The journal of the settings cannot be opened.

    Attributes:
        ca: Certification authority.
        mchd: Registry of powers of attorney.
        sep: Patients' signatures.
        ekp: Petersburg card.
        gosuslugi: Rules of the doctor's cabinet on Госуслуги; they do no I/O.
        pki: Status of certificates, time stamps, signing and verifying.

    Example:
        >>> from medsign.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.connect() as window:
        ...     list(window.ca.certificates())
        []
    """

    def _connected(self, transport: httpx.BaseTransport | None) -> httpx.Client:
        links = self.config.links.items()
        ways = {place: link.transport() if link else None for place, link in links}
        return new_client(transport, ways)

    def _driven(self, http: httpx.Client, sleep: Callable[[float], None] | None) -> Driver:
        return Driver(http, clock=self.clock, sleep=sleep or pause)

    @property
    def ca(self) -> Ca:
        """Certificates: request, identification, issue, installation, revocation."""
        return self._only("ca", Ca)

    @property
    def mchd(self) -> Mchd:
        """Powers of attorney: registration, status, download, revocation."""
        return self._only("mchd", Mchd)

    @property
    def sep(self) -> Sep:
        """Documents that patients sign by phone."""
        return self._only("sep", Sep)

    @property
    def ekp(self) -> Ekp:
        """People known by the Единая карта петербуржца."""
        return self._only("ekp", Ekp)

    @property
    def pki(self) -> Pki:
        """Status of certificates, time stamps, signing and verifying."""
        return self._only("pki", Pki)

    def close(self) -> None:
        """Close what this window opened itself."""
        try:
            if self._own_http:
                self._own_http.close()
        finally:
            if self._own_store:
                self._own_store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncMedSign(
    _Window[
        httpx.AsyncClient,
        httpx.AsyncBaseTransport,
        Callable[[float], Awaitable[None]],
        AsyncDriver,
    ]
):
    """Everything a clinic does with signatures, for asyncio and trio; otherwise as `MedSign`.

    Example:
        >>> import anyio
        >>> from medsign.sandbox import Sandbox
        >>> async def count_certificates() -> int:
        ...     with Sandbox() as sandbox:
        ...         async with sandbox.async_connect() as window:
        ...             return len([one async for one in window.ca.certificates()])
        >>> anyio.run(count_certificates)
        0
    """

    def _connected(self, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
        links = self.config.links.items()
        ways = {place: link.async_transport() if link else None for place, link in links}
        return new_async_client(transport, ways)

    def _driven(
        self, http: httpx.AsyncClient, sleep: Callable[[float], Awaitable[None]] | None
    ) -> AsyncDriver:
        return AsyncDriver(http, clock=self.clock, sleep=sleep or anyio.sleep)

    @property
    def ca(self) -> AsyncCa:
        """Certificates: request, identification, issue, installation, revocation."""
        return self._only("ca", AsyncCa)

    @property
    def mchd(self) -> AsyncMchd:
        """Powers of attorney: registration, status, download, revocation."""
        return self._only("mchd", AsyncMchd)

    @property
    def sep(self) -> AsyncSep:
        """Documents that patients sign by phone."""
        return self._only("sep", AsyncSep)

    @property
    def ekp(self) -> AsyncEkp:
        """People known by the Единая карта петербуржца."""
        return self._only("ekp", AsyncEkp)

    @property
    def pki(self) -> AsyncPki:
        """Status of certificates, time stamps, signing and verifying."""
        return self._only("pki", AsyncPki)

    async def aclose(self) -> None:
        """Close what this window opened itself, whether or not it is cancelled."""
        try:
            if self._own_http:
                await self._own_http.aclose()
        finally:
            if self._own_store:
                with anyio.CancelScope(shield=True):
                    # It waits for whoever is writing.
                    await anyio.to_thread.run_sync(self._own_store.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _refuse_to_pass_over_tls(config: Config) -> None:
    for service, end in config.services.items():
        if end.tls:
            # What was to be encrypted by GOST would leave by whatever that way speaks.
            raise ConfigError(
                "requests would pass it over by the client or transport that is given",
                f"[{service}.tls]",
            )


def watched(certificate: Certificate, label: str = "") -> Watched:
    """Return a certificate as something to watch: its own term and that of its key (F106).

    Args:
        certificate: The certificate.
        label: How notices call it; by default the surname in it, personal data.
    """
    period = certificate.private_key_usage_period
    return Watched(
        kind="certificate",
        id=certificate.fingerprint,
        valid_until=certificate.not_after,
        key_until=period.not_after if period else None,
        label=label or holder_of(certificate).surname or "",
    )
