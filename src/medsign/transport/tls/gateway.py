"""The third way: a gateway such as stunnel or nginx speaks GOST TLS in this program's place.

It has the roots of trust, the client's key and the checks of the peer, so whoever talks to it has
to be sure that it is the one: it is on this machine, or its key is known.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ssl
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

import attrs
import httpx

from medsign.errors import ConfigError, ConnectFailed, PeerUntrusted
from medsign.transport.plain import LIMITS
from medsign.transport.tls.checks import CheckedContext, Peer

_PIN = "sha256//"
_UNIX = "unix:"


def _places(hosts: Iterable[str]) -> frozenset[str]:
    # A single one would be taken for its letters.
    return frozenset(map(_place, (hosts,) if isinstance(hosts, str) else hosts))


def _place(written: str) -> str:
    """Return a host, with its port unless that is 443, as requests name it."""
    try:
        url = httpx.URL(f"https://{written}")
    except httpx.InvalidURL:
        url = httpx.URL()
    place = url.netloc.decode("ascii")
    if not place or url != httpx.URL(f"https://{place}"):
        raise ConfigError("a host behind a GOST gateway is written as host or host:port")
    return place


@attrs.frozen
class GostGateway:
    """A gateway and the hosts that requests reach through it.

    A request to ``https://host/…`` goes to the gateway with its path, its ``Host`` and its body as
    they are; one to any other host or port is refused, because the gateway would carry it, token
    and all, to a peer that it was not meant for.

    Args:
        address: ``http://127.0.0.1:8443`` or ``unix:/run/gost.sock`` on this machine, or
            ``https://gateway.clinic`` elsewhere.
        hosts: The hosts behind it, ``ca.test`` or with a port other than 443 ``ca.test:8443``. A
            gateway such as stunnel leads to one port; to another of the same host leads another.
        pin: Of a gateway elsewhere: ``sha256//`` and base64 of the SHA-256 of its public key
            (SubjectPublicKeyInfo, as curl takes it). Its certificate may be any.

    Raises:
        ConfigError: A gateway without TLS is not on this machine, one with TLS has no pin, or
            something is not written as it should be.

    Example:
        >>> GostGateway("http://127.0.0.1:8443", hosts=["ca.test"])
        GostGateway(address='http://127.0.0.1:8443', hosts=frozenset({'ca.test'}), pin='')
        >>> GostGateway("http://10.0.0.7:8443", hosts=["ca.test"])
        Traceback (most recent call last):
        medsign.errors.ConfigError: a GOST gateway without TLS has to be on this machine
    """

    address: str
    hosts: frozenset[str] = attrs.field(kw_only=True, converter=_places)
    pin: str = attrs.field(default="", kw_only=True)

    def __attrs_post_init__(self) -> None:
        if not self.hosts:
            raise ConfigError("a GOST gateway leads to no host")
        if self._socket_file:
            return
        if self._url.path not in {"", "/"}:
            raise ConfigError("the address of a GOST gateway has no path: requests bring theirs")
        if self._url.scheme == "https":
            _key_digest(self.pin)
        elif self._url.scheme != "http":
            raise ConfigError("the address of a GOST gateway is http:, https: or unix:")
        elif not _is_local(self._url.host):
            raise ConfigError("a GOST gateway without TLS has to be on this machine")

    def transport(self) -> httpx.BaseTransport:
        """Return a new transport for `httpx.Client` and `medsign.MedSign`."""
        return _Transport(self, httpx.HTTPTransport(**self._options()))

    def async_transport(self) -> httpx.AsyncBaseTransport:
        """Return a new transport for `httpx.AsyncClient` and `medsign.AsyncMedSign`."""
        return _AsyncTransport(self, httpx.AsyncHTTPTransport(**self._options()))

    def redirected(self, request: httpx.Request) -> httpx.Request:
        """Return the request as the gateway gets it.

        Raises:
            ConfigError: The gateway does not lead to the host and port, or the address is not
                ``https``.
        """
        if request.url.scheme != "https" or request.url.netloc.decode("ascii") not in self.hosts:
            raise ConfigError("the GOST gateway does not lead to the host and port of the request")
        gate = self._url
        return httpx.Request(
            request.method,
            request.url.copy_with(scheme=gate.scheme, host=gate.host, port=gate.port),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )

    @property
    def _socket_file(self) -> str:
        return self.address.removeprefix(_UNIX) if self.address.startswith(_UNIX) else ""

    @property
    def _url(self) -> httpx.URL:
        try:
            return httpx.URL("http://localhost" if self._socket_file else self.address)
        except httpx.InvalidURL:
            raise ConfigError("the address of a GOST gateway is no URL") from None

    def _options(self) -> dict[str, Any]:
        return {
            "uds": self._socket_file or None,
            "verify": _pinned(_key_digest(self.pin)) if self.pin else True,
            "trust_env": False,
            "limits": LIMITS,
        }


@attrs.frozen
class _Transport(httpx.BaseTransport):
    _gateway: GostGateway
    _inner: httpx.HTTPTransport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with _told_apart():
            return self._inner.handle_request(self._gateway.redirected(request))

    def close(self) -> None:
        self._inner.close()


@attrs.frozen
class _AsyncTransport(httpx.AsyncBaseTransport):
    _gateway: GostGateway
    _inner: httpx.AsyncHTTPTransport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        with _told_apart():
            return await self._inner.handle_async_request(self._gateway.redirected(request))

    async def aclose(self) -> None:
        await self._inner.aclose()


@contextmanager
def _told_apart() -> Generator[None, None, None]:
    """Say that the gateway is not there: as it is, the error would seem to be about the service."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise ConnectFailed(f"the GOST gateway was not reached ({type(error).__name__})") from error


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _key_digest(pin: str) -> bytes:
    try:
        digest = base64.b64decode(pin.removeprefix(_PIN), validate=True)
    except binascii.Error:
        digest = b""
    if not pin.startswith(_PIN) or len(digest) != hashlib.sha256().digest_size:
        raise ConfigError("a GOST gateway elsewhere needs a pin: sha256// and base64 of 32 octets")
    return digest


def _pinned(expected: bytes) -> ssl.SSLContext:
    def check(peer: Peer) -> None:
        if hashlib.sha256(peer.chain[0].public_key.der).digest() != expected:
            raise PeerUntrusted("the key of the GOST gateway is not the pinned one")

    context = CheckedContext(ssl.PROTOCOL_TLS_CLIENT)
    # Who knows the key needs no authority to vouch for it, nor a name.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.check = check
    return context
