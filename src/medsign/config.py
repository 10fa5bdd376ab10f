"""Where the services are and how to sign in to them; read from a file or the environment on demand.

Nothing is read by itself: `Config.from_toml` and `Config.from_env` are calls that somebody makes.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast

import attrs
import httpx

from medsign.errors import ConfigError
from medsign.exchange import RateLimit, RetryPolicy
from medsign.transport.tls import GostGateway, GostTls
from medsign.transport.tls.settings import octets

GostLink: TypeAlias = GostTls | GostGateway
"""What leads to a service by GOST TLS: this program itself, or a gateway in its place."""

SERVICES = ("ca", "ocsp", "tsp", "sep", "mchd", "ekp")
_PREFIX = "MEDSIGN_"
_TLS_FILES = ("trust", "certificate", "key", "crls")
_TLS_KINDS: Mapping[str, type] = {
    **dict.fromkeys((*_TLS_FILES, "password"), str),
    **dict.fromkeys(("allow_other_suites", "legacy_renegotiation"), bool),
}
_GATEWAY_KINDS: Mapping[str, type] = {"gateway": str, "pin": str}


def _check_url(url: str, where: str) -> None:
    # The address itself stays out of the text: it may hold a login and a password.
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise ConfigError("no URL", where) from None
    if parsed.scheme not in {"https", "http"} or not parsed.host:
        raise ConfigError("a URL begins with https:// or http:// and names a host", where)


def _check_service(name: str) -> None:
    if name not in SERVICES:
        raise ConfigError(f"no such service; known: {', '.join(SERVICES)}", f"[{name}]")


@attrs.frozen(kw_only=True)
class Endpoint:
    """One remote service.

    Raises:
        ConfigError: The URL is none of http or https, or it is http in spite of `tls`.

    Attributes:
        url: Base URL.
        token: The secret that opens it; empty when it needs none.
        login: Account, where a token is drawn by login and password.
        password: Its password.
        credential: Name of the token or password in the vault that `MedSign` is given, instead of
            a secret in the settings.
        organization: The clinic's identifier at the service (МО id), an opaque text.
        requests_per_minute: Rate limit to keep, or ``None``.
        tls: How to reach it by GOST TLS; ``None`` for ordinary TLS.
    """

    url: str
    token: str = attrs.field(default="", repr=False)
    login: str = attrs.field(default="", repr=False)
    password: str = attrs.field(default="", repr=False)
    credential: str = ""
    organization: str = ""
    requests_per_minute: int | None = None
    tls: GostLink | None = None

    def __attrs_post_init__(self) -> None:
        _check_url(self.url, "url")
        if self.tls and httpx.URL(self.url).scheme != "https":
            raise ConfigError("a service with settings of GOST TLS has an https:// address", "url")

    @property
    def limit(self) -> RateLimit | None:
        """A new rate limit, or ``None``."""
        return RateLimit(self.requests_per_minute, 60.0) if self.requests_per_minute else None


@attrs.frozen(kw_only=True)
class Config:
    """Settings of the whole window; a service that is not set is refused when it is used.

    Raises:
        ConfigError: There is no such service.

    Attributes:
        services: Endpoints by service: ``ca``, ``ocsp``, ``tsp``, ``sep``, ``mchd``, ``ekp``.
        policy: How patient operations are.
        crls: Addresses of revocation lists to fetch for verifications.
        store: File of the journal, or ``None`` for memory, which forgets with the process.

    Example:
        >>> config = Config(services={"sep": Endpoint(url="https://b2b.n3health.ru/sep/api")})
        >>> config.endpoint("sep").url
        'https://b2b.n3health.ru/sep/api'
    """

    services: Mapping[str, Endpoint] = attrs.field(factory=dict[str, Endpoint])
    policy: RetryPolicy = attrs.field(factory=RetryPolicy)
    crls: tuple[str, ...] = ()
    store: Path | None = None

    def __attrs_post_init__(self) -> None:
        for name in self.services:
            _check_service(name)

    def endpoint(self, service: str) -> Endpoint:
        """Return a service's endpoint.

        Raises:
            ConfigError: It is not set.
        """
        try:
            return self.services[service]
        except KeyError:
            raise ConfigError(f"no endpoint is set for the service {service!r}") from None

    @property
    def gost_links(self) -> dict[str, GostLink]:
        """What leads to services that are reached by GOST TLS, by their addresses.

        Raises:
            ConfigError: Two services at one address would be reached in different ways.
        """
        links: dict[str, GostLink] = {}
        for service, end in self.services.items():
            if end.tls is None:
                continue
            address = f"https://{httpx.URL(end.url).netloc.decode('ascii')}"
            if links.setdefault(address, end.tls) != end.tls:
                # One of them would speak with the certificate of the other.
                raise ConfigError(
                    "another service at the same address has another one", f"[{service}.tls]"
                )
        return links

    @classmethod
    def from_toml(cls, path: Path) -> Config:
        """Read a TOML file: a table per service, ``store`` and ``crls`` at the top.

        ::

            store = "medsign.db"
            crls = ["https://ca.test/root.crl"]
            [sep]
            url = "https://b2b-demo.n3health.ru/sep/api"
            token = "…"
            [sep.tls]                             # only if it speaks GOST TLS; paths as of store
            trust = "roots.pem"
            certificate = "clinic.pem"
            # or: gateway = "http://127.0.0.1:8443"

        Raises:
            ConfigError: No such file, not TOML, or an unknown table or key.
        """
        try:
            table = tomllib.loads(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            # Without its cause: that one may carry the file, tokens and all.
            raise ConfigError(f"cannot be read ({type(error).__name__})", str(path)) from None
        store: object = table.pop("store", None)
        crls: object = table.pop("crls", [])
        if not isinstance(store, str | None):
            raise ConfigError("not a str", "store")
        if not isinstance(crls, list):
            raise ConfigError("not a list of str", "crls")
        return cls(
            services={name: _endpoint(name, keys, path.parent) for name, keys in table.items()},
            crls=tuple(map(str, cast("list[object]", crls))),
            store=path.parent / store if store else None,
        )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Config:
        """Read ``MEDSIGN_<SERVICE>_<KEY>``, ``MEDSIGN_STORE`` and ``MEDSIGN_CRLS`` (with spaces).

        Args:
            environ: The variables; those of the process by default.

        Example:
            >>> Config.from_env({"MEDSIGN_EKP_URL": "https://ekp.test"}).endpoint("ekp").url
            'https://ekp.test'
        """
        environ = os.environ if environ is None else environ
        tables: dict[str, dict[str, Any]] = {}
        for variable, value in environ.items():
            service, _, key = variable.removeprefix(_PREFIX).lower().partition("_")
            if variable.startswith(_PREFIX) and service in SERVICES:
                number = key == "requests_per_minute" and value.isdecimal()
                tables.setdefault(service, {})[key] = int(value) if number else value
        store = environ.get(f"{_PREFIX}STORE")
        return cls(
            services={name: _endpoint(name, keys) for name, keys in tables.items()},
            crls=tuple(environ.get(f"{_PREFIX}CRLS", "").split()),
            store=Path(store) if store else None,
        )


def _endpoint(service: str, keys: object, folder: Path = Path()) -> Endpoint:
    known = {field.name for field in attrs.fields(Endpoint)}
    _check_service(service)
    if not isinstance(keys, dict):
        raise ConfigError("not a table", f"[{service}]")
    table = dict(cast("dict[str, Any]", keys))
    tls = table.pop("tls", None)
    for name, value in table.items():
        kind = int if name == "requests_per_minute" else str
        if name not in known or not isinstance(value, kind):
            raise ConfigError(f"no such setting, or not a {kind.__name__}", f"[{service}] {name}")
    if "url" not in table:
        raise ConfigError("missing", f"[{service}] url")
    _check_url(table["url"], f"[{service}] url")
    link = None if tls is None else _gost_link(f"[{service}.tls]", tls, table["url"], folder)
    return Endpoint(**table, tls=link)


def _gost_link(place: str, keys: object, url: str, folder: Path) -> GostLink:
    if not isinstance(keys, dict):
        raise ConfigError("not a table", place)
    table = dict(cast("dict[str, Any]", keys))
    kinds = _GATEWAY_KINDS if "gateway" in table else _TLS_KINDS
    for name, value in table.items():
        if not isinstance(value, kinds.get(name, ())):
            raise ConfigError("no such setting, or of another kind", f"{place} {name}")
    if "gateway" in table:
        behind = httpx.URL(url).netloc.decode("ascii")
        return GostGateway(table.pop("gateway"), hosts=[behind], **table)
    files: dict[str, Any] = {
        name: octets(folder / table.pop(name), f"{place} {name}")
        for name in _TLS_FILES
        if name in table
    }
    return GostTls(**files, **table)
