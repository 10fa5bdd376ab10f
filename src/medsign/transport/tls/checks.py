"""What is checked in every handshake, whoever drives it: sockets, asyncio or trio.

httpx, anyio, trio and `http.client` make each connection by ``wrap_socket`` or ``wrap_bio`` of a
context and end its handshake by ``do_handshake``. There the checks stand, so no connection goes
around them, and the errors of `ssl` become those of medsign. A further check, which may last (a
question to an OCSP service, say), stands between the handshake and the first octet.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from threading import Thread
from typing import Any, Final, Literal, NoReturn, TypeAlias

import attrs
import httpx

from medsign.clock import SystemClock
from medsign.codec.asn1 import (
    BasicOcspResponse,
    Certificate,
    decode_certificate,
    decode_ocsp_response,
)
from medsign.errors import (
    ClientRefused,
    MedsignError,
    PeerExpired,
    PeerMisnamed,
    PeerRevoked,
    PeerUntrusted,
    SuiteRefused,
    TlsRefused,
    UsageError,
)

Status: TypeAlias = Literal["good", "revoked", "unknown"]

# X509_V_ERR_… of openssl/x509_vfy.h
_BY_VERIFY_CODE: Final = {
    9: PeerExpired,
    10: PeerExpired,
    23: PeerRevoked,
    62: PeerMisnamed,
    64: PeerMisnamed,
}
_ALERT: Final = re.compile(r"^(sslv3|tlsv1\d?|ssl/tls) (alert )?")
# Alerts 42-46, 48, 49 of RFC 5246 §7.2.2 and 116 of RFC 8446 §6.2.
_ABOUT_OUR_CERTIFICATE: Final = frozenset(
    {
        "bad certificate",
        "unsupported certificate",
        "certificate revoked",
        "certificate expired",
        "certificate unknown",
        "unknown ca",
        "access denied",
        "certificate required",
    }
)
_DER: Final = 2  # ENCODING_DER of _ssl
_FAILED: Final = (MedsignError, httpx.HTTPError, OSError)


@attrs.frozen(kw_only=True)
class Peer:
    """The other side of a connection whose chain, host name and suite are already accepted.

    Attributes:
        host: The host name that was asked for.
        suite: The name that OpenSSL gives the negotiated suite.
        chain: The verified chain, from the peer's certificate to the root.
        stapled: The OCSP answer that the peer has brought, not judged yet; ``None`` without one.
    """

    host: str
    suite: str
    chain: tuple[Certificate, ...]
    stapled: BasicOcspResponse | None = None


PeerCheck = Callable[[Peer], None]
"""A further check of the peer, which raises a `TlsRefused`.

Any other error of medsign, httpx or the system in it means that it found nothing out, and the peer
is refused as `PeerUntrusted`. It may block: it runs in a thread of its own, lasts no longer than
connecting may, and one that is given up is left to end by itself. Only where an event loop is given
a bare `GostTls.context` instead of `GostTls.async_transport`, it holds up the loop.
"""


class CheckedSocket(ssl.SSLSocket):
    """A connection over a blocking socket."""

    accepted = False

    # `ssl` lets the first octets drive a handshake that nobody has called, past the checks.

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002 - named so by `ssl`
        _accept(self)
        return super().read(len, buffer)  # pyright: ignore[reportDeprecated]

    def write(self, data: Any) -> int:
        _accept(self)
        return super().write(data)  # pyright: ignore[reportDeprecated]

    def send(self, data: Any, flags: int = 0) -> int:
        _accept(self)
        return super().send(data, flags)

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002
        # Where the end of a connection is the end of an answer, anybody on the way could end it.
        self.suppress_ragged_eofs = self.server_side
        patience, clock = self.gettimeout(), SystemClock()
        begun = clock.monotonic()
        try:
            with _checked(self):
                super().do_handshake(block)
            _settle(self, patience and patience + begun - clock.monotonic())
        except (OSError, ValueError):
            raise  # `ssl` closes the socket after these, and only these
        except BaseException:
            self.close()
            raise


class CheckedObject(ssl.SSLObject):
    """A connection over buffers, which an event loop moves.

    Attributes:
        accepted: Whether every check is passed; before that no octet goes through.
    """

    accepted = False

    def do_handshake(self) -> None:
        with _checked(self):
            super().do_handshake()
        if not _context(self).check_later:
            _settle(self)

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002
        _accept(self)
        with _broken_if_wrong(self):
            return super().read(len, buffer)

    def write(self, data: Any) -> int:
        _accept(self)
        with _broken_if_wrong(self):
            return super().write(data)


class CheckedContext(ssl.SSLContext):
    """A context whose client connections are refused unless they pass every check.

    Attributes:
        suites: Names of the suites that are accepted; empty for all.
        check: A further check, or ``None``.
        check_later: Whether somebody else runs it after the handshake of an event loop; if nobody
            has, the first octet does.
    """

    sslsocket_class = CheckedSocket
    sslobject_class = CheckedObject
    suites: frozenset[str] = frozenset()
    check: PeerCheck | None = None
    check_later = False

    def __init__(self, protocol: int) -> None:
        if protocol == ssl.PROTOCOL_TLS_CLIENT:
            # Some builds of Python set it, and a cut off answer would pass for a complete one.
            self.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF


class SettledContext(CheckedContext):
    """A context whose connections take after `GostTls`, and not after its own methods."""

    def load_cert_chain(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse what would have no effect: a peer would miss the certificate and not say so.

        Raises:
            UsageError: Always.
        """
        raise UsageError("this context takes its certificate from GostTls alone")


@contextmanager
def _checked(connection: CheckedSocket | CheckedObject) -> Generator[None, None, None]:
    context = _context(connection)
    if context.check_hostname and not connection.server_hostname:
        # `ssl` minds that for sockets, and for buffers checks no name at all.
        raise ValueError("a host name is needed to check the peer's")
    try:
        yield
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        raise
    except ssl.SSLError as error:
        if connection.server_side:
            raise  # event loops know what to do with those
        raise refusal(error) from error
    if not connection.server_side and context.suites and _suite(connection) not in context.suites:
        raise SuiteRefused(f"the suite {_suite(connection)} is not GOST")


def further_check(connection: CheckedSocket | CheckedObject) -> Callable[[], None] | None:
    """Return what is still to be checked after a handshake, for any thread to run.

    Raises:
        PeerUntrusted: The certificates of the peer cannot be read.
    """
    check = _context(connection).check
    if check is None or connection.server_side or connection.accepted:
        return None
    return partial(_vet, check, _peer(connection))


def _settle(connection: CheckedSocket | CheckedObject, seconds: float | None = None) -> None:
    if check := further_check(connection):
        _in_time(check, seconds)
    connection.accepted = True


def _accept(connection: CheckedSocket | CheckedObject) -> None:
    # Without this, `ssl` has not begun or has ended, and there is nothing to check.
    encrypted = getattr(connection, "_sslobj") is not None  # noqa: B009
    if encrypted and not connection.accepted:
        connection.do_handshake()
        _settle(connection)


def _vet(check: PeerCheck, peer: Peer) -> None:
    try:
        check(peer)
    except TlsRefused:
        raise
    except _FAILED as error:
        # As it is, it would seem to be about the request, which has not been sent.
        raise PeerUntrusted("the further check of the peer failed") from error


def _in_time(work: Callable[[], None], seconds: float | None) -> None:
    if not seconds:
        work()
        return
    outcome: Future[None] = Future()

    def run() -> None:
        try:
            work()
            outcome.set_result(None)
        except BaseException as error:  # noqa: BLE001 - it comes out where it is waited for
            outcome.set_exception(error)

    Thread(target=copy_context().run, args=(run,), daemon=True).start()
    outcome.result(seconds)


def _context(connection: CheckedSocket | CheckedObject) -> CheckedContext:
    context = connection.context
    assert isinstance(context, CheckedContext)
    return context


def _suite(connection: CheckedSocket | CheckedObject) -> str:
    cipher = connection.cipher()
    assert cipher
    return cipher[0]


def _peer(connection: CheckedSocket | CheckedObject) -> Peer:
    # Public only since Python 3.13.
    low: Any = getattr(connection, "_sslobj")  # noqa: B009
    try:
        chain = tuple(
            decode_certificate(each.public_bytes(_DER)) for each in low.get_verified_chain() or ()
        )
    except MedsignError as error:
        raise PeerUntrusted("the certificate of the peer cannot be read") from error
    if not chain:
        raise PeerUntrusted("a session that is resumed shows no certificate")
    return Peer(
        host=connection.server_hostname or "",
        suite=_suite(connection),
        chain=chain,
        stapled=_answer(getattr(low, "stapled", b"")),  # `ssl` cannot ask for one
    )


def _answer(stapled: bytes) -> BasicOcspResponse | None:
    try:
        return decode_ocsp_response(stapled).basic if stapled else None
    except MedsignError:
        return None  # no worse than none: the service can still be asked


@contextmanager
def _broken_if_wrong(connection: CheckedObject) -> Generator[None, None, None]:
    """Let anyio and trio tell a spoilt or cut off answer as a broken connection.

    A cut off one they would take for complete, and anyio lets other errors through as they are;
    of those of `ssl`, this one alone both take for what it is.
    """
    try:
        yield
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        raise
    except ssl.SSLError as error:
        if connection.server_side:
            raise
        raise ssl.SSLSyscallError(ssl.SSL_ERROR_SYSCALL, "the connection is broken") from error


def refusal(error: ssl.SSLError) -> TlsRefused:
    """Return what an error in a client's handshake means."""
    if isinstance(error, ssl.SSLCertVerificationError):
        kind = _BY_VERIFY_CODE.get(error.verify_code, PeerUntrusted)
        return kind(f"the certificate of the peer is refused: {error.verify_message}")
    # `ssl` gives a name where OpenSSL gives words.
    reason = (error.reason or "unknown error").replace("_", " ").lower()
    alert = _ALERT.sub("", reason)
    if alert == reason:
        return TlsRefused(f"the TLS handshake failed: {reason}")
    kind = ClientRefused if alert in _ABOUT_OUR_CERTIFICATE else TlsRefused
    return kind(f"the peer ended the TLS handshake: {alert}")


def status_check(
    status: Callable[[Certificate, Certificate], Status],
    *,
    stapled: Callable[[Certificate, Certificate, BasicOcspResponse], Status] | None = None,
) -> PeerCheck:
    """Return a check of the peer's own certificate by whoever knows statuses, an OCSP service say.

    Args:
        status: Tells the status of a certificate and its issuer, for instance
            ``lambda one, issuer: window.pki.status(one, issuer).facts.status``.
        stapled: Judges the answer that the peer has brought itself (RFC 6066 §8), which only
            `Way.SYSTEM` can ask for. `status` is asked when there is none, or it is no help.

    Returns:
        What refuses a revoked certificate as `PeerRevoked`, and one of unknown status, or whose
        status cannot be asked, as `PeerUntrusted`.
    """

    def check(peer: Peer) -> None:
        certificate, issuer = peer.chain[0], peer.chain[1 if len(peer.chain) > 1 else 0]
        found: Status = "unknown"
        try:
            if stapled and peer.stapled:
                found = stapled(certificate, issuer, peer.stapled)
            if found == "unknown":
                found = status(certificate, issuer)
        except _FAILED as error:
            # A `TlsRefused` among them: that one is about the peer that was asked.
            raise PeerUntrusted("nobody told the status of the peer's certificate") from error
        if found == "revoked":
            raise PeerRevoked("the certificate of the peer is refused: revoked")
        if found != "good":
            raise PeerUntrusted("the certificate of the peer is refused: unknown status")

    return check
