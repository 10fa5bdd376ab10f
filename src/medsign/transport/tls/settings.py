"""How to open GOST TLS connections: whom to trust, who we are, which suites."""

from __future__ import annotations

import ssl
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import httpx

from medsign.codec.asn1 import pem_decode
from medsign.errors import ConfigError, MalformedError, Unavailable
from medsign.transport.plain import LIMITS
from medsign.transport.tls.checks import CheckedContext, PeerCheck
from medsign.transport.tls.renewing import RenewingContext
from medsign.transport.tls.suites import OTHERS, USUAL, Suite
from medsign.transport.tls.unblocking import UnblockingTransport


class Way(StrEnum):
    """Whose OpenSSL speaks GOST.

    Attributes:
        PYTHON: The one that `ssl` is linked to, with gost-engine.
        SYSTEM: The libssl of the system with gost-engine, by ctypes; for a Python whose own
            OpenSSL cannot.
    """

    PYTHON = "python"
    SYSTEM = "system"


def octets(source: bytes | str | Path, where: str = "") -> bytes:
    """Return PEM, read from its file at once.

    Args:
        source: PEM or the path of its file.
        where: The setting that names the file.

    Raises:
        ConfigError: The file cannot be read.
    """
    if isinstance(source, bytes):
        return source
    try:
        return Path(source).read_bytes()
    except OSError as error:
        place = f"{where} {source}".lstrip()
        raise ConfigError(f"cannot be read ({type(error).__name__})", place) from None


def _text(_: object, __: object, value: Any) -> None:
    if not isinstance(value, str):
        raise ConfigError("is no text", "password")


def _readable(source: bytes | str | Path) -> bytes | Path:
    octets(source)
    return Path(source) if isinstance(source, str) else source


@attrs.frozen(kw_only=True)
class GostTls:
    """GOST TLS 1.2 for httpx and everything else that takes an `ssl.SSLContext`.

    No OPENSSL_CONF is needed. The chain, the host name, the suite and, where lists or a check are
    given, the revocation are checked in every handshake of a client; what is refused raises a
    `TlsRefused` before any octet of a request is sent. PEM is given as octets or as a path, which
    is read at once; the file of lists is read anew when it has changed.

    Args:
        trust: PEM of the roots to trust; a server trusts with it those who issue to its clients,
            and without it asks for no client certificate.
        certificate: PEM of one's own certificate, then those of the authorities below the root.
        key: PEM of its key, plain or encrypted; by default looked for beside the certificate.
        password: Of an encrypted key.
        crls: PEM of revocation lists. When given, every authority of a chain must have one.
        suites: What to offer, best first.
        allow_other_suites: Whether a peer without GOST is accepted too, by ECDHE and AES-GCM or
            ChaCha20.
        legacy_renegotiation: Whether to speak to old servers without RFC 5746, and to those that
            negotiate anew to ask for the client's certificate; then checks other than the chain
            and the host name have been done for the first handshake only.
        check: A further check of the server; servers make none of their clients.
        way: Whose OpenSSL to use; by default the first that works.

    Raises:
        ConfigError: A file cannot be read, no suite is to be offered, or a key has no certificate.

    Example:
        >>> GostTls(trust=Path("no-such-roots.pem"))
        Traceback (most recent call last):
        medsign.errors.ConfigError: no-such-roots.pem: cannot be read (FileNotFoundError)
    """

    trust: bytes = attrs.field(default=b"", converter=octets, repr=False)
    certificate: bytes = attrs.field(default=b"", converter=octets, repr=False)
    key: bytes = attrs.field(default=b"", converter=octets, repr=False)
    password: str = attrs.field(default="", validator=_text, repr=False)
    crls: bytes | Path = attrs.field(default=b"", converter=_readable, repr=False)
    suites: tuple[Suite, ...] = USUAL
    allow_other_suites: bool = False
    legacy_renegotiation: bool = False
    check: PeerCheck | None = None
    way: Way | None = None

    def __attrs_post_init__(self) -> None:
        if not self.suites:
            raise ConfigError("GOST TLS: no suite is offered")
        if self.key and not self.certificate:
            raise ConfigError("a key without its certificate shows nobody who we are", "key")

    def context(self) -> ssl.SSLContext:
        """Return a new context for clients: ``httpx.Client(verify=tls.context())``.

        Raises:
            Unavailable: Nothing on this machine speaks GOST TLS; the text says what to install.
            ConfigError: Nobody is trusted, or what is given is no PEM or does not fit together.
        """
        return self._checked()

    def server_context(self) -> ssl.SSLContext:
        """Return a new context for servers: asyncio, uvicorn, ``wrap_socket``.

        Raises:
            Unavailable: As for `context`.
            ConfigError: There is no certificate, what is given is no PEM, or there is a further
                check, which only clients make.
        """
        if not self.certificate:
            raise ConfigError("GOST TLS: a server needs a certificate")
        if self.check:
            raise ConfigError("GOST TLS: a server makes no further check of its clients")
        return open_context(self, server_side=True)

    def transport(self) -> httpx.HTTPTransport:
        """Return a new transport for `httpx.Client` and `medsign.MedSign`."""
        return httpx.HTTPTransport(verify=self.context(), trust_env=False, limits=LIMITS)

    def async_transport(self) -> httpx.AsyncHTTPTransport:
        """Return a new transport for `httpx.AsyncClient` and `medsign.AsyncMedSign`."""
        return UnblockingTransport(self._checked(), LIMITS)

    def _checked(self) -> CheckedContext:
        if not self.trust:
            raise ConfigError("GOST TLS: no root is trusted")
        make = partial(open_context, self, server_side=False)
        return RenewingContext.of(make, self.crls) if isinstance(self.crls, Path) else make()

    @property
    def lists(self) -> bytes:
        """PEM of the revocation lists as they are now."""
        return octets(self.crls)

    @property
    def private_key(self) -> bytes:
        """PEM with the private key.

        Raises:
            ConfigError: There is none.
        """
        where = "key" if self.key else "certificate"
        pem = self.key or self.certificate
        if not any(label.endswith("PRIVATE KEY") for label, _ in _pem(pem, where)):
            raise ConfigError("holds no PEM block of a private key", where)
        return pem

    @property
    def offered(self) -> str:
        """The suites as OpenSSL takes them."""
        return ":".join((*self.suites, *(OTHERS if self.allow_other_suites else ())))


def open_context(tls: GostTls, *, server_side: bool) -> CheckedContext:
    """Return a new context by the way that is set, or by the first that works.

    Raises:
        Unavailable: There is no way.
        ConfigError: What is given cannot be used.
    """
    if tls.way is None:
        try:
            return open_context(attrs.evolve(tls, way=Way.PYTHON), server_side=server_side)
        except Unavailable:
            return open_context(attrs.evolve(tls, way=Way.SYSTEM), server_side=server_side)
    # Each is loaded only where it is needed, and both know `GostTls`.
    if tls.way is Way.PYTHON:
        from medsign.transport.tls.python import new_context
    else:
        from medsign.transport.tls.system import new_context
    context = new_context(tls, server_side=server_side)
    context.suites = frozenset(() if tls.allow_other_suites else tls.suites)
    context.check = tls.check
    return context


def blocks(pem: bytes, label: str, where: str) -> list[bytes]:
    """Return the DER of the blocks with a label, such as ``CERTIFICATE`` or ``X509 CRL``.

    Args:
        pem: The text.
        label: What is looked for.
        where: The setting.

    Raises:
        ConfigError: There is none.
    """
    found = [der for name, der in _pem(pem, where) if name == label]
    if not found:
        raise ConfigError(f"holds no PEM block {label}", where)
    return found


def _pem(pem: bytes, where: str) -> list[tuple[str, bytes]]:
    try:
        return list(pem_decode(pem)) if pem else []
    except MalformedError as error:
        raise ConfigError(f"is no PEM: {error.why}", where) from None
