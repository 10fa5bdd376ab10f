"""Where the services are and how to sign in to them; read from a file or the environment on demand.

Nothing is read by itself: `Config.from_toml` and `Config.from_env` are calls that somebody makes.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import attrs
import httpx

from medsign.errors import ConfigError
from medsign.exchange import RateLimit, RetryPolicy
from medsign.transport.tls import GostGateway, GostTls
from medsign.transport.tls.settings import octets

GostLink: TypeAlias = GostTls | GostGateway
"""What leads to a service by GOST TLS: this program itself, or a gateway in its place."""

# Which settings each service uses: the others would be ignored, so they are refused.
_PLACE: Final = frozenset({"url", "tls"})
_SIGN_IN: Final = _PLACE | {"credential", "requests_per_minute"}
_USES: Final[Mapping[str, frozenset[str]]] = {
    "ca": _SIGN_IN | {"token"},
    "ocsp": _PLACE,
    "tsp": _PLACE,
    "sep": _SIGN_IN | {"token", "organization"},
    "mchd": _SIGN_IN | {"login", "password"},
    "ekp": _SIGN_IN | {"token"},
}
SERVICES: Final = tuple(_USES)
_PREFIX: Final = "MEDSIGN_"
_TLS_FILES: Final = ("trust", "certificate", "key", "crls")
_TLS_KINDS: Final[Mapping[str, type]] = {
    **dict.fromkeys((*_TLS_FILES, "password"), str),
    **dict.fromkeys(("allow_other_suites", "legacy_renegotiation"), bool),
}
_GATEWAY_KINDS: Final[Mapping[str, type]] = {"gateway": str, "pin": str}


def used_by(service: str) -> frozenset[str]:
    """Return the names of the settings that a service uses.

    Raises:
        ConfigError: There is no such service.
    """
    try:
        return _USES[service]
    except KeyError:
        known = ", ".join(SERVICES)
        raise ConfigError(f"no such service; known: {known}", f"[{service}]") from None


def _check_url(url: str, where: str) -> None:
    # The address itself stays out of the text: it may hold a login and a password.
    try:
        parsed = httpx.URL(url)
        host = re.fullmatch(r"[\w.:-]+", parsed.host)
    except (httpx.InvalidURL, UnicodeError):
        raise ConfigError("no URL", where) from None
    if parsed.scheme not in {"https", "http"} or not host or (parsed.port or 0) > 65535:
        raise ConfigError("a URL begins with https:// or http:// and names a host", where)
    if parsed.userinfo:
        raise ConfigError("a URL holds no login and no password: they are settings", where)


@attrs.frozen(kw_only=True)
class Endpoint:
    """One remote service.

    Raises:
        ConfigError: A setting is wrong, or contradicts another one.

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
        for name in ("token", "organization"):
            if not re.fullmatch("[!-~]*", getattr(self, name)):
                raise ConfigError("holds spaces or letters that no field of HTTP takes", name)
        if self.credential and (self.token or self.password):
            raise ConfigError("a secret is in the vault or in the settings, not both", "credential")
        rate = self.requests_per_minute
        # Not by `isinstance`: to Python `True` is a number, too.
        if rate is not None and (type(rate) is not int or rate < 1):
            raise ConfigError("not a whole number above 0", "requests_per_minute")

    @property
    def limit(self) -> RateLimit | None:
        """A new rate limit, or ``None``."""
        return RateLimit(self.requests_per_minute, 60.0) if self.requests_per_minute else None


_ENDPOINT_KINDS: Final[Mapping[str, type]] = {
    **dict.fromkeys((field.name for field in attrs.fields(Endpoint)), str),
    "requests_per_minute": int,
    "tls": dict,
}
_KINDS: Final[Mapping[str, type]] = {
    "store": str,
    "owner": str,
    "crls": list,
    **dict.fromkeys(SERVICES, dict),
}


@attrs.frozen(kw_only=True)
class Config:
    """Settings of the whole window; a service that is not set is refused when it is used.

    Raises:
        ConfigError: There is no such service, or it has no use for a setting.

    Attributes:
        services: Endpoints by service: ``ca``, ``ocsp``, ``tsp``, ``sep``, ``mchd``, ``ekp``.
        policy: How patient operations are.
        crls: Addresses of revocation lists to fetch for verifications.
        store: File of the journal, or ``None`` for memory, which forgets with the process.
        owner: Whose window this is where several clinics share a journal: keys of calls are unique
            within an owner. СЭП takes its ``organization`` when this is empty.

    Example:
        >>> config = Config(services={"sep": Endpoint(url="https://b2b.n3health.ru/sep/api")})
        >>> config.endpoint("sep").url
        'https://b2b.n3health.ru/sep/api'
    """

    services: Mapping[str, Endpoint] = attrs.field(factory=dict[str, Endpoint])
    policy: RetryPolicy = attrs.field(factory=RetryPolicy)
    crls: tuple[str, ...] = ()
    store: Path | None = None
    owner: str = ""

    def __attrs_post_init__(self) -> None:
        for service, end in self.services.items():
            used = used_by(service)
            for name in _ENDPOINT_KINDS:
                if name not in used and getattr(end, name):
                    raise ConfigError("the service has no use for it", f"[{service}] {name}")
            url = httpx.URL(end.url)
            if service not in {"ocsp", "tsp"} and (url.query or url.fragment):
                # Paths are joined to it, and these would be lost.
                raise ConfigError("the address of a service ends with its path", f"[{service}] url")
        for address in self.crls:
            _check_url(address, "crls")

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
    def links(self) -> dict[str, GostLink | None]:
        """How services are reached, by their addresses: by GOST TLS, or ``None`` for ordinary TLS.

        Raises:
            ConfigError: Two services at one address would be reached in different ways.
        """
        links: dict[str, GostLink | None] = {}
        for service, end in self.services.items():
            # All of them: to httpx an address without a port is every port of its host.
            url = httpx.URL(end.url)
            address = f"{url.scheme}://{url.netloc.decode('ascii')}"
            if links.setdefault(address, end.tls) != end.tls:
                # One of them would speak with the certificate of the other.
                raise ConfigError(
                    "another service at the same address is reached in another way",
                    f"[{service}.tls]",
                )
        return links

    @classmethod
    def from_toml(cls, path: str | os.PathLike[str]) -> Config:
        """Read a TOML file: a table per service, ``store`` and ``crls`` at the top.

        ::

            store = "medsign.db"
            owner = "clinic-7"                    # only where clinics share a journal
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
        path = Path(path)
        try:
            table = tomllib.loads(path.read_text("utf-8-sig"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            # Without its cause: that one may carry the file, tokens and all.
            line = re.search(r"line \d+, column \d+", str(error))
            why = f"{type(error).__name__}, {line[0]}" if line else type(error).__name__
            raise ConfigError(f"cannot be read ({why})", str(path)) from None
        with _inside(str(path)):
            return cls._of(table, path.parent)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Config:
        """Read ``MEDSIGN_<SERVICE>_<KEY>``, ``MEDSIGN_STORE``, ``…_OWNER`` and ``…_CRLS`` (spaces).

        Args:
            environ: The variables; those of the process by default.

        Raises:
            ConfigError: An unknown service or key.

        Example:
            >>> Config.from_env({"MEDSIGN_EKP_URL": "https://ekp.test"}).endpoint("ekp").url
            'https://ekp.test'
        """
        environ = os.environ if environ is None else environ
        tables: dict[str, Any] = {}
        for variable, value in environ.items():
            service, _, key = variable.removeprefix(_PREFIX).lower().partition("_")
            # Others make such names, too: Kubernetes does, for a service that is called so.
            ours = service in SERVICES or key in _ENDPOINT_KINDS
            if variable.startswith(_PREFIX) and ours:
                number = key == "requests_per_minute" and value.isdecimal()
                tables.setdefault(service, {})[key] = int(value) if number else value
        for name in ("store", "owner"):
            if given := environ.get(f"{_PREFIX}{name.upper()}"):
                tables.setdefault(name, given)
        tables.setdefault("crls", environ.get(f"{_PREFIX}CRLS", "").split())
        return cls._of(tables, Path())

    @classmethod
    def _of(cls, tables: object, folder: Path) -> Config:
        table = _table(tables, _KINDS)
        crls: list[object] = table.pop("crls", [])
        store, owner = table.pop("store", None), table.pop("owner", "")
        if not all(isinstance(url, str) for url in crls):
            raise ConfigError("not a list of str", "crls")
        if store == "":
            raise ConfigError("empty", "store")
        return cls(
            services={service: _endpoint(service, keys, folder) for service, keys in table.items()},
            crls=tuple(cast("list[str]", crls)),
            store=folder / store if store else None,
            owner=owner,
        )


@contextmanager
def _inside(place: str) -> Generator[None, None, None]:
    """Say in which file and which table a wrong setting stands."""
    try:
        yield
    except ConfigError as error:
        why = str(error).removeprefix(f"{error.where}: ")
        raise ConfigError(why, f"{place} {error.where}".rstrip()) from None


def _table(keys: object, kinds: Mapping[str, type]) -> dict[str, Any]:
    """Return a table, all of whose keys are known and of their kinds."""
    if not isinstance(keys, dict):
        raise ConfigError("not a table")
    table = dict(cast("dict[str, Any]", keys))
    for name, value in table.items():
        if name not in kinds:
            raise ConfigError(f"no such setting; known: {', '.join(kinds)}", name)
        if type(value) is not kinds[name]:
            raise ConfigError(f"of another kind than {kinds[name].__name__}", name)
    return table


def _endpoint(service: str, keys: object, folder: Path) -> Endpoint:
    with _inside(f"[{service}]"):
        table = _table(keys, _ENDPOINT_KINDS)
        if "url" not in table:
            raise ConfigError("missing", "url")
        tls = table.pop("tls", None)
        end = Endpoint(**table)
    if tls is None:
        return end
    with _inside(f"[{service}.tls]"):
        link = _gost_link(tls, end.url, folder)
    with _inside(f"[{service}]"):
        return attrs.evolve(end, tls=link)


def _gost_link(keys: Mapping[str, Any], url: str, folder: Path) -> GostLink:
    if "gateway" in keys:
        table = _table(keys, _GATEWAY_KINDS)
        behind = httpx.URL(url).netloc.decode("ascii")
        return GostGateway(table.pop("gateway"), hosts=[behind], **table)
    table = _table(keys, _TLS_KINDS)
    paths = {name: folder / table.pop(name) for name in _TLS_FILES if name in table}
    files: dict[str, Any] = {name: octets(path, name) for name, path in paths.items()}
    if "crls" in paths:
        files["crls"] = paths["crls"]  # the file is followed as it changes
    return GostTls(**files, **table)
