"""What is checked in every handshake, whoever drives it: sockets, asyncio or trio.

httpx, anyio, trio and `http.client` make each connection by ``wrap_socket`` or ``wrap_bio`` of a
context and end its handshake by ``do_handshake``. There the checks stand, so no connection goes
around them, and the errors of `ssl` become those of medsign.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final, Literal

import attrs

from medsign.codec.asn1 import Certificate, decode_certificate
from medsign.errors import (
    MedsignError,
    PeerExpired,
    PeerMisnamed,
    PeerRevoked,
    PeerUntrusted,
    SuiteRefused,
    TlsRefused,
)

# X509_V_ERR_… of openssl/x509_vfy.h
_BY_VERIFY_CODE: Final = {
    9: PeerExpired,
    10: PeerExpired,
    23: PeerRevoked,
    62: PeerMisnamed,
    64: PeerMisnamed,
}
_DER: Final = 2  # ENCODING_DER of _ssl


@attrs.frozen(kw_only=True)
class Peer:
    """The other side of a connection whose chain, host name and suite are already accepted.

    Attributes:
        host: The host name that was asked for.
        suite: The name that OpenSSL gives the negotiated suite.
        chain: The verified chain, from the peer's certificate to the root.
    """

    host: str
    suite: str
    chain: tuple[Certificate, ...]


PeerCheck = Callable[[Peer], None]
"""A further check of the peer, which raises a `TlsRefused`.

It runs inside the handshake and blocks it, in asynchronous programs the event loop too.
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
        try:
            with _checked(self):
                super().do_handshake(block)
        except (OSError, ValueError):
            raise  # `ssl` closes the socket after these, and only these
        except BaseException:
            self.close()
            raise


class CheckedObject(ssl.SSLObject):
    """A connection over buffers, which an event loop moves."""

    accepted = False

    def do_handshake(self) -> None:
        with _checked(self):
            super().do_handshake()

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
    """

    sslsocket_class = CheckedSocket
    sslobject_class = CheckedObject
    suites: frozenset[str] = frozenset()
    check: PeerCheck | None = None


@contextmanager
def _checked(connection: CheckedSocket | CheckedObject) -> Generator[None, None, None]:
    if connection.context.check_hostname and not connection.server_hostname:
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
    if not connection.server_side:
        _judge(connection)
    connection.accepted = True


def _accept(connection: CheckedSocket | CheckedObject) -> None:
    # Without this, `ssl` has not begun or has ended, and there is nothing to check.
    encrypted = getattr(connection, "_sslobj") is not None  # noqa: B009
    if encrypted and not connection.accepted:
        connection.do_handshake()


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
    return TlsRefused(f"the TLS handshake failed ({error.reason or type(error).__name__})")


def _judge(connection: CheckedSocket | CheckedObject) -> None:
    context, cipher = connection.context, connection.cipher()
    assert isinstance(context, CheckedContext)
    assert cipher
    suite = cipher[0]
    if context.suites and suite not in context.suites:
        raise SuiteRefused(f"the suite {suite} is not GOST")
    if context.check:
        # Public only since Python 3.13.
        low: Any = getattr(connection, "_sslobj")  # noqa: B009
        context.check(
            Peer(
                host=connection.server_hostname or "",
                suite=suite,
                chain=tuple(
                    decode_certificate(each.public_bytes(_DER)) for each in low.get_verified_chain()
                ),
            )
        )


def status_check(
    status: Callable[[Certificate, Certificate], Literal["good", "revoked", "unknown"]],
) -> PeerCheck:
    """Return a check of the peer's own certificate by whoever knows statuses, an OCSP service say.

    Args:
        status: Tells the status of a certificate and its issuer, for instance
            ``lambda one, issuer: window.pki.status(one, issuer).facts.status``.

    Returns:
        What refuses a revoked certificate as `PeerRevoked`, and one of unknown status, or whose
        status cannot be asked, as `PeerUntrusted`.
    """

    def check(peer: Peer) -> None:
        certificate, issuer = peer.chain[0], peer.chain[1 if len(peer.chain) > 1 else 0]
        try:
            found = status(certificate, issuer)
        except MedsignError as error:
            # As it is, it would seem to be about the request, which has not been sent.
            raise PeerUntrusted("nobody told the status of the peer's certificate") from error
        if found == "revoked":
            raise PeerRevoked("the certificate of the peer is refused: revoked")
        if found != "good":
            raise PeerUntrusted("the certificate of the peer is refused: unknown status")

    return check
