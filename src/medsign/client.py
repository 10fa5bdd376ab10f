"""The one window: every service of a clinic's signatures behind one object, in two colours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack, ExitStack
from functools import cached_property, partial
from types import TracebackType
from typing import Any, Self, TypeVar

import anyio
import httpx

from medsign.ca import AsyncCa, Ca, ca_context
from medsign.clock import Clock, SystemClock, sleep
from medsign.cms.client import AsyncPki, Pki
from medsign.cms.operations import PkiContext
from medsign.codec.asn1 import Certificate
from medsign.config import Config, Endpoint
from medsign.ekp import AsyncEkp, Ekp, ekp_context
from medsign.errors import ConfigError
from medsign.exchange import AsyncDriver, Context, Driver, EventHook
from medsign.exchange.events import ignore
from medsign.gosuslugi import Gosuslugi
from medsign.mchd import AsyncMchd, Mchd
from medsign.mchd.registry import NODE, RegistryContext
from medsign.pki.accredited import AccreditedList
from medsign.pki.fetch import FollowUrls
from medsign.pki.profile import holder_of
from medsign.pki.trust import TrustStore
from medsign.sep import AsyncSep, Sep, sep_context
from medsign.signers import Gateway
from medsign.store import MemoryStore, SqliteStore, Store
from medsign.transport import (
    Credentials,
    PasswordGrant,
    Secret,
    new_async_client,
    new_client,
)
from medsign.watch import Notifier, Watch, Watched

C = TypeVar("C", bound=Context)


class _Window:
    """What both colours share: the settings of each service."""

    def __init__(
        self,
        config: Config,
        *,
        trust: TrustStore,
        intermediates: Iterable[Certificate],
        store: Store | None,
        clock: Clock | None,
        on_event: EventHook,
        credentials: Credentials | None,
        gateway: Gateway | None,
        accredited: AccreditedList | None,
        follow: FollowUrls | None,
        own: ExitStack | AsyncExitStack,
    ) -> None:
        self.config = config
        self.clock = clock or SystemClock()
        if store is None:
            store = SqliteStore(config.store) if config.store else MemoryStore()
            own.callback(store.close)
        self.store = store
        self._trust = trust
        self._intermediates = tuple(intermediates)
        self._on_event = on_event
        self._credentials = credentials
        self._gateway = gateway
        self._accredited = accredited
        self._follow = follow

    @cached_property
    def gosuslugi(self) -> Gosuslugi:
        """The rules of the doctor's cabinet on Госуслуги; they do no I/O."""
        return Gosuslugi(clock=self.clock)

    def watch(self, notify: Notifier, **settings: Any) -> Watch:
        """Return the watch over terms, which remembers in the store what it has told.

        Args:
            notify: Called with each notice.
            settings: Further settings of `Watch`.
        """
        return Watch(self.store, notify, self.clock, **settings)

    def _shared(self, service: str) -> dict[str, Any]:
        return {
            "clock": self.clock,
            "store": self.store,
            "emit": self._on_event,
            "limit": self.config.endpoint(service).limit,
        }

    def _secret(self, end: Endpoint, text: str) -> Secret:
        if not end.credential:
            return text
        if self._credentials is None:
            raise ConfigError(f"{end.url}: its secret is in a vault, and no vault is given")
        return partial(self._credentials.secret, end.credential)

    def _guarded(self, context: C) -> C:
        return self._gateway.guard(context) if self._gateway else context

    def _ca_context(self) -> Context:
        end = self.config.endpoint("ca")
        return self._guarded(
            ca_context(
                base_url=end.url,
                token=self._secret(end, end.token),
                policy=self.config.policy,
                **self._shared("ca"),
            )
        )

    def _sep_context(self) -> Context:
        end = self.config.endpoint("sep")
        return self._guarded(
            sep_context(
                base_url=end.url,
                token=self._secret(end, end.token),
                organization=end.organization,
                policy=self.config.policy,
                **self._shared("sep"),
            )
        )

    def _ekp_context(self) -> Context:
        # Its own policy: a registry with a queue before it does not wait as long as the others.
        end = self.config.endpoint("ekp")
        return ekp_context(
            base_url=end.url, token=self._secret(end, end.token), **self._shared("ekp")
        )

    def _mchd_context(self) -> Context:
        end = self.config.endpoint("mchd")
        base = httpx.URL(end.url.rstrip("/") + "/")
        grant = PasswordGrant(
            url=base.join(NODE.token),
            username=end.login,
            password=self._secret(end, end.password),
            as_json=True,
            clock=self.clock,
        )
        return self._guarded(
            RegistryContext(
                service="mchd",
                base_url=base,
                auth=grant,
                policy=self.config.policy,
                **self._shared("mchd"),
            )
        )

    def _pki_context(self) -> PkiContext:
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


class MedSign(_Window):
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
        sleep: How to let seconds pass.

    Attributes:
        ca: Certification authority.
        mchd: Registry of powers of attorney.
        sep: Patients' signatures.
        ekp: Petersburg card.
        gosuslugi: Rules of the doctor's cabinet.
        pki: Status of certificates, time stamps, signing and verifying.

    Example:
        >>> from medsign.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.connect() as window:
        ...     list(window.ca.certificates())
        []
    """

    def __init__(
        self,
        config: Config,
        *,
        trust: TrustStore | None = None,
        intermediates: Iterable[Certificate] = (),
        http: httpx.Client | None = None,
        transport: httpx.BaseTransport | None = None,
        store: Store | None = None,
        clock: Clock | None = None,
        on_event: EventHook = ignore,
        credentials: Credentials | None = None,
        gateway: Gateway | None = None,
        accredited: AccreditedList | None = None,
        follow: FollowUrls | None = None,
        sleep: Callable[[float], None] = sleep,
    ) -> None:
        self._own = ExitStack()
        super().__init__(
            config,
            trust=trust or TrustStore(),
            intermediates=intermediates,
            store=store,
            clock=clock,
            on_event=on_event,
            credentials=credentials,
            gateway=gateway,
            accredited=accredited,
            follow=follow,
            own=self._own,
        )
        if http is None:
            links = {} if transport else config.gost_links
            mounts = {place: link.transport() for place, link in links.items()}
            http = self._own.enter_context(new_client(transport, mounts))
        self._driver = Driver(http, clock=self.clock, sleep=sleep)

    @cached_property
    def ca(self) -> Ca:
        """Certificates: request, identification, issue, installation, revocation."""
        return Ca(self._ca_context(), self._driver)

    @cached_property
    def mchd(self) -> Mchd:
        """Powers of attorney: registration, status, download, revocation."""
        return Mchd(self._mchd_context(), self._driver)

    @cached_property
    def sep(self) -> Sep:
        """Documents that patients sign by phone."""
        return Sep(self._sep_context(), self._driver)

    @cached_property
    def ekp(self) -> Ekp:
        """People known by the Единая карта петербуржца."""
        return Ekp(self._ekp_context(), self._driver)

    @cached_property
    def pki(self) -> Pki:
        """Status of certificates, time stamps, signing and verifying."""
        return Pki(self._pki_context(), self._driver)

    def close(self) -> None:
        """Close what this window opened itself."""
        self._own.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class AsyncMedSign(_Window):
    """Everything a clinic does with signatures, for asyncio and trio; the same as `MedSign`.

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
        sleep: How to let seconds pass.

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

    def __init__(
        self,
        config: Config,
        *,
        trust: TrustStore | None = None,
        intermediates: Iterable[Certificate] = (),
        http: httpx.AsyncClient | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        store: Store | None = None,
        clock: Clock | None = None,
        on_event: EventHook = ignore,
        credentials: Credentials | None = None,
        gateway: Gateway | None = None,
        accredited: AccreditedList | None = None,
        follow: FollowUrls | None = None,
        sleep: Callable[[float], Any] = anyio.sleep,
    ) -> None:
        self._own = AsyncExitStack()
        super().__init__(
            config,
            trust=trust or TrustStore(),
            intermediates=intermediates,
            store=store,
            clock=clock,
            on_event=on_event,
            credentials=credentials,
            gateway=gateway,
            accredited=accredited,
            follow=follow,
            own=self._own,
        )
        if http is None:
            links = {} if transport else config.gost_links
            mounts = {place: link.async_transport() for place, link in links.items()}
            http = new_async_client(transport, mounts)
            self._own.push_async_callback(http.aclose)
        self._driver = AsyncDriver(http, clock=self.clock, sleep=sleep)

    @cached_property
    def ca(self) -> AsyncCa:
        """Certificates: request, identification, issue, installation, revocation."""
        return AsyncCa(self._ca_context(), self._driver)

    @cached_property
    def mchd(self) -> AsyncMchd:
        """Powers of attorney: registration, status, download, revocation."""
        return AsyncMchd(self._mchd_context(), self._driver)

    @cached_property
    def sep(self) -> AsyncSep:
        """Documents that patients sign by phone."""
        return AsyncSep(self._sep_context(), self._driver)

    @cached_property
    def ekp(self) -> AsyncEkp:
        """People known by the Единая карта петербуржца."""
        return AsyncEkp(self._ekp_context(), self._driver)

    @cached_property
    def pki(self) -> AsyncPki:
        """Status of certificates, time stamps, signing and verifying."""
        return AsyncPki(self._pki_context(), self._driver)

    async def aclose(self) -> None:
        """Close what this window opened itself."""
        await self._own.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


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
