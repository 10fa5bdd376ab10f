"""Addresses that strangers wrote, and what must hold before one of them is asked.

A certificate names places where its issuer, its status and its lists are. Whoever made the
certificate chose them, so asking there means letting a stranger send requests from inside the
clinic's network. The guard looks at the address, resolves the name once, and the connection goes
to the very number that was looked at: a name that answers otherwise the second time is not asked
a second time.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TypeVar

import attrs
import httpx

from medsign.errors import AddressRefused, ConnectFailed
from medsign.exchange import Answer, Context, Flow, RetryPolicy, do
from medsign.exchange.redaction import QuietURL

T = TypeVar("T")
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Iterable[str]]

_HOST = re.compile(r"[a-z0-9._:-]{1,253}")
_PORTS = {"http": 80, "https": 443}
# IANA special-purpose registries. Of IPv6 only 2000::/3 is given out to the public; ::ffff:a.b.c.d,
# 64:ff9b::/96 and the other ways to write an IPv4 address in IPv6 lie outside of it or are named.
_NOT_PUBLIC: tuple[Network, ...] = tuple(
    map(
        ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
            *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24"),
            *("192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
            *("224.0.0.0/4", "240.0.0.0/4"),
            *("::/3", "4000::/2", "8000::/1", "2001::/23", "2001:db8::/32", "2002::/16"),
            "3fff::/20",
        ),
    )
)


def _look_up(host: str, port: int) -> Iterator[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return (str(address[0]) for *_, address in found)


def _any_of(values: Iterable[T]) -> frozenset[T]:
    return frozenset(values)


def _networks(written: Iterable[str | Network]) -> tuple[Network, ...]:
    return tuple(map(ip_network, written))


@attrs.frozen(kw_only=True)
class UrlGuard:
    """Which addresses out of foreign data may be asked at all.

    Attributes:
        schemes: What is spoken; others than ``http`` and ``https`` cannot be.
        ports: To which ports.
        hosts: Only these hosts, or with a leading dot all below a domain; empty for any.
        networks: Networks that may be asked though they are not public, for instance that of an
            authority behind the clinic's own tunnel.
        max_length: Characters in an address.
        max_addresses: Numbers of a host that are tried one after another.
        resolve: How the numbers of a host are found; it may block.

    Example:
        >>> UrlGuard().admit("http://crl.example.org/ca.crl").host
        'crl.example.org'
        >>> UrlGuard().admit("ldap://crl.example.org/cn=ca")
        Traceback (most recent call last):
        medsign.errors.AddressRefused: crl.example.org: the scheme is not allowed
    """

    schemes: frozenset[str] = attrs.field(default=frozenset(_PORTS), converter=_any_of)
    ports: frozenset[int] = attrs.field(default=frozenset({80, 443}), converter=_any_of)
    hosts: tuple[str, ...] = attrs.field(default=(), converter=tuple[str, ...])
    networks: tuple[Network, ...] = attrs.field(default=(), converter=_networks)
    max_length: int = 2048
    max_addresses: int = 3
    resolve: Resolve = attrs.field(default=_look_up, repr=False)

    def admit(self, url: str) -> httpx.URL:
        """Return an address in normal form when its words are in order; nothing is asked yet.

        Raises:
            AddressRefused: They are not.
        """
        host = host_of(url)
        if not host or len(url) > self.max_length:
            raise AddressRefused("", "it is no address, names no host, or is too long")
        target = httpx.URL(url)
        if target.scheme not in self.schemes & _PORTS.keys():
            raise AddressRefused(host, "the scheme is not allowed")
        if target.userinfo:
            raise AddressRefused(host, "it carries a user name")
        if _port(target) not in self.ports:
            raise AddressRefused(host, "the port is not allowed")
        if self.hosts and not any(_covers(each, host) for each in self.hosts):
            raise AddressRefused(host, "the host is not on the list")
        return target

    def addresses(self, target: httpx.URL) -> tuple[str, ...]:
        """Return the numbers of a host that may be connected to; this blocks.

        Raises:
            AddressRefused: The host has none but forbidden ones.
            ConnectFailed: The host has none at all.
        """
        host = target.raw_host.decode("ascii")
        try:
            found = tuple(dict.fromkeys(self.resolve(host, _port(target))))
        except (OSError, UnicodeError):
            raise ConnectFailed("the name of the host was not found") from None
        if not found:
            raise ConnectFailed("the name of the host was not found")
        allowed = tuple(filter(self._is_allowed, found))
        if not allowed:
            raise AddressRefused(host, "it is in a network that is not public")
        return allowed[: self.max_addresses]

    def _is_allowed(self, address: str) -> bool:
        try:
            number = ip_address(address)
        except ValueError:
            return False
        return any(number in each for each in self.networks) or not any(
            number in each for each in _NOT_PUBLIC
        )


def host_of(url: str) -> str:
    """Return the host that an address names, in the form of IDNA; empty when it names none.

    Example:
        >>> host_of("http://почта.рф/crl"), host_of("ca.crl")
        ('xn--80a1acny.xn--p1ai', '')
    """
    if not url.isprintable() or " " in url or "\\" in url:
        return ""
    try:
        host = httpx.URL(url).raw_host.decode("ascii").rstrip(".")
    except (httpx.InvalidURL, ValueError):
        return ""
    return host if _HOST.fullmatch(host) else ""


def guarded(
    context: Context,
    operation: str,
    guard: UrlGuard,
    url: str,
    *,
    method: str = "GET",
    content: bytes | None = None,
    content_type: str = "",
    accept: str = "*/*",
    seconds: float = 10.0,
    max_bytes: int,
) -> Flow[Answer]:
    """Ask at an address that a stranger wrote.

    Nothing of the clinic goes along: no token, no field of the service's own, no cookie. The answer
    is read up to its bounds as it stands on the wire; a redirect is not followed, a compressed
    answer is refused before a byte of it is unpacked.

    Args:
        context: Whose clock and events are used.
        operation: Name for events.
        guard: What may be asked.
        url: The address.
        method: HTTP method.
        content: What to send.
        content_type: Type of `content`.
        accept: Types of answers that are understood; the body decides.
        seconds: How long it may take once the host's numbers are known.
        max_bytes: Size above which the answer is refused.

    Raises:
        AddressRefused: The guard says no.
        ApiError: The host answered with an error.
        TransportError: It did not answer.
        DeadlineExceeded: The time is over.
        BudgetExceeded: The answer is too large.
        UnexpectedAnswer: It is a redirect, or compressed.
    """
    target = guard.admit(url)
    numbers = yield from do(partial(guard.addresses, target))
    deadline = context.clock.monotonic() + seconds
    fields = {"Accept": accept, "Accept-Encoding": "identity", "Connection": "close"}
    if content is not None:
        fields["Content-Type"] = content_type

    def ask(number: str) -> Flow[Answer]:
        left = max(0.0, deadline - context.clock.monotonic())
        stranger = attrs.evolve(
            context,
            auth=None,
            headers={},
            judge=None,
            limit=None,
            policy=RetryPolicy(attempts=1, total=left, timeout=left),
            max_bytes=max_bytes,
        )
        return stranger.fetch(operation, _to(number, target, method, fields, content))

    *others, last = numbers
    for number in others:
        try:
            return (yield from ask(number))
        except ConnectFailed:
            continue
    return (yield from ask(last))


def _to(
    number: str, target: httpx.URL, method: str, fields: dict[str, str], content: bytes | None
) -> httpx.Request:
    """Return a request that connects to a number and names the host in words."""
    host = target.raw_host.decode("ascii")
    request = httpx.Request(
        method,
        target.copy_with(host=number),
        headers={"Host": target.netloc.decode("ascii"), **fields},
        content=content,
        # the certificate of the host is still checked against its name
        extensions={"sni_hostname": host} if target.scheme == "https" else {},
    )
    request.url = QuietURL(request.url)
    return request


def _port(target: httpx.URL) -> int:
    return _PORTS[target.scheme] if target.port is None else target.port


def _covers(rule: str, host: str) -> bool:
    rule = rule.lower()
    return host.endswith(rule) if rule.startswith(".") else host == rule
