"""The second way: the system's libssl by ctypes, behind the face of an `ssl.SSLContext`.

`ssl` builds its sockets and objects around a connection that the context makes (``_wrap_socket``
and ``_wrap_bio``). Here the context makes one that encrypts by the system's libssl, so httpx,
anyio, trio and asyncio work with it as with any other context, and the checks of
`medsign.transport.tls.checks` stand where they stand for the first way.
"""

from __future__ import annotations

import ctypes
import ipaddress
import select
import socket
import ssl
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, Final, Protocol

import attrs

from medsign.clock import SystemClock
from medsign.gost.native.library import POINTER, Handle
from medsign.transport.tls.checks import SettledContext
from medsign.transport.tls.libssl import LibSsl
from medsign.transport.tls.settings import GostTls, blocks

# openssl/ssl.h, bio.h and x509_vfy.h
_SET_SESSION_CACHE, _SET_HOST_NAME, _ADD_CHAIN_CERTIFICATE = 44, 55, 89
_SET_MIN_VERSION, _SET_MAX_VERSION, _TLS_1_2 = 123, 124, 0x0303
_SET_STATUS_REQUEST, _OCSP, _GET_OCSP_ANSWER = 65, 1, 70
_LEGACY_SERVER_CONNECT, _NO_TICKET, _NO_RENEGOTIATION = 0x4, 0x4000, 0x40000000
_VERIFY_PEER, _FAIL_IF_NO_CERTIFICATE = 0x1, 0x2
_NONE, _WANT_READ, _ZERO_RETURN = 0, 2, 6
_CRL_CHECK, _CRL_CHECK_ALL = 0x4, 0x8
_NO_PARTIAL_WILDCARDS = 0x4
_SET_EOF_RETURN = 130
_RECORD: Final = 16384  # octets, the most that a record of TLS holds
_PIECE: Final = 64 * _RECORD  # octets that are encrypted at once


def new_context(tls: GostTls, *, server_side: bool) -> SystemContext:
    """Return a new context.

    Raises:
        Unavailable: OpenSSL 3 or gost-engine is missing in the system.
        ConfigError: The certificates, lists or the key cannot be used.
    """
    lib = LibSsl()
    # For whoever looks: nothing of this half but its kind and its `check_hostname` has an effect.
    context = SystemContext(ssl.PROTOCOL_TLS_SERVER if server_side else ssl.PROTOCOL_TLS_CLIENT)
    context.lib, context.native = lib, _native_context(lib, tls, server_side=server_side)
    return context


def _native_context(lib: LibSsl, tls: GostTls, *, server_side: bool) -> Handle:
    method = lib.ssl.TLS_server_method if server_side else lib.ssl.TLS_client_method
    native = Handle(lib.ssl.SSL_CTX_new(method()), lib.ssl.SSL_CTX_free)
    for bound in (_SET_MIN_VERSION, _SET_MAX_VERSION):
        lib.done(lib.ssl.SSL_CTX_ctrl(native, bound, _TLS_1_2, None))
    lib.ssl.SSL_CTX_ctrl(native, _SET_SESSION_CACHE, 0, None)
    renegotiation = _LEGACY_SERVER_CONNECT if tls.legacy_renegotiation else _NO_RENEGOTIATION
    lib.ssl.SSL_CTX_set_options(native, _NO_TICKET | renegotiation)
    lib.done(lib.ssl.SSL_CTX_set_cipher_list(native, tls.offered.encode()))
    store = lib.ssl.SSL_CTX_get_cert_store(native)
    if tls.trust:
        lib.ssl.SSL_CTX_set_verify(native, _VERIFY_PEER | _FAIL_IF_NO_CERTIFICATE, None)
        for der in blocks(tls.trust, "CERTIFICATE", "trust"):
            root = lib.certificate(der)
            lib.done(lib.crypto.X509_STORE_add_cert(store, root))
            if server_side:
                lib.done(lib.ssl.SSL_CTX_add_client_CA(native, root))
    if tls.crls:
        lib.done(lib.crypto.X509_STORE_set_flags(store, _CRL_CHECK | _CRL_CHECK_ALL))
        for der in blocks(tls.lists, "X509 CRL", "crls"):
            lib.done(lib.crypto.X509_STORE_add_crl(store, lib.crl(der)))
    if tls.certificate:
        chain = blocks(tls.certificate, "CERTIFICATE", "certificate")
        own, *above = map(lib.certificate, chain)
        lib.done(lib.ssl.SSL_CTX_use_certificate(native, own))
        for authority in above:
            # 1: the context takes a reference of its own.
            lib.done(lib.ssl.SSL_CTX_ctrl(native, _ADD_CHAIN_CERTIFICATE, 1, authority))
        key = lib.private_key(tls.private_key, tls.password)
        lib.done(lib.ssl.SSL_CTX_use_PrivateKey(native, key))
        lib.done(lib.ssl.SSL_CTX_check_private_key(native))
    return native


class SystemContext(SettledContext):
    """A context whose connections are those of the system's libssl.

    Attributes:
        lib: The libraries.
        native: The SSL_CTX.
    """

    lib: LibSsl
    native: Handle

    def _wrap_socket(
        self,
        sock: ssl.SSLSocket,
        server_side: bool,  # noqa: FBT001 - the order of `ssl`
        server_hostname: str | None = None,
        **_: Any,
    ) -> Connection:
        return Connection(self, _Socket(weakref.ref(sock)), server_side, server_hostname)

    def _wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool,  # noqa: FBT001
        server_hostname: str | None = None,
        **_: Any,
    ) -> Connection:
        return Connection(self, _Buffers(incoming, outgoing), server_side, server_hostname)


class _Wire(Protocol):
    """Where encrypted octets come from and go to."""

    def received(self) -> Iterator[bytes]:
        """Yield what comes during one call of the reader, nothing at the end.

        Raises:
            ssl.SSLWantReadError: Nothing has come yet.
            TimeoutError: The call has lasted too long.
        """
        ...

    def send(self, data: bytes) -> None: ...


@attrs.frozen
class _Buffers:
    _incoming: ssl.MemoryBIO
    _outgoing: ssl.MemoryBIO

    def received(self) -> Iterator[bytes]:
        while (data := self._incoming.read()) or self._incoming.eof:
            yield data
        raise ssl.SSLWantReadError(ssl.SSL_ERROR_WANT_READ, "more octets are needed")

    def send(self, data: bytes) -> None:
        self._outgoing.write(data)


@attrs.frozen
class _Socket:
    # The socket holds the connection, and a cycle would keep both open until collected.
    _held: weakref.ref[ssl.SSLSocket]

    def received(self) -> Iterator[bytes]:
        sock, clock = self._here(), SystemClock()
        patience = sock.gettimeout()
        end = clock.monotonic() + (patience or 0)
        ready = select.poll()
        ready.register(sock, select.POLLIN)
        while True:
            # A peer that drips an octet at a time would never trip the time-out of a socket.
            if patience and not ready.poll(max(0, end - clock.monotonic()) * 1000):
                raise TimeoutError("nothing complete came in time")
            yield socket.socket.recv(sock, 2 * _RECORD)

    def send(self, data: bytes) -> None:
        socket.socket.sendall(self._here(), data)

    def _here(self) -> ssl.SSLSocket:
        found = self._held()
        assert found is not None, "the connection is used through its socket"
        if found.gettimeout() == 0:
            # A record that goes out by halves would have to be kept; event loops use buffers.
            raise ValueError("this way of GOST TLS takes blocking sockets, or wrap_bio")
        return found


@attrs.frozen
class _Certificate:
    der: bytes

    def public_bytes(self, _: int) -> bytes:
        return self.der


class Connection:
    """A TLS connection between clear octets and a wire, with the methods that `ssl` calls."""

    session = None
    session_reused = False

    def __init__(
        self,
        context: SystemContext,
        wire: _Wire,
        server_side: bool,  # noqa: FBT001 - the order of `ssl`
        server_hostname: str | None,
    ) -> None:
        self.context = context
        self.server_side = server_side
        self.server_hostname = server_hostname
        self._wire = wire
        self._lib = lib = context.lib
        # Calls release the GIL, and two threads in one SSL would break its memory.
        self._lock, self._sending = threading.Lock(), threading.Lock()
        self._ended = False
        self._ssl = Handle(lib.ssl.SSL_new(context.native), lib.ssl.SSL_free)
        self._received, self._to_send = (
            lib.crypto.BIO_new(lib.crypto.BIO_s_mem()) for _ in range(2)
        )
        lib.ssl.SSL_set_bio(self._ssl, self._received, self._to_send)  # it owns them now
        if server_side:
            lib.ssl.SSL_set_accept_state(self._ssl)
        else:
            lib.ssl.SSL_set_connect_state(self._ssl)
            self._expect(server_hostname or "")
            if context.check:
                lib.done(lib.ssl.SSL_ctrl(self._ssl, _SET_STATUS_REQUEST, _OCSP, None))

    def _expect(self, host: str) -> None:
        if not host or host.startswith("."):
            # OpenSSL would check no name for the one, and any name below it for the other.
            raise ValueError("a host name is needed, without a leading dot")
        lib, name = self._lib, host.encode("ascii")
        expected = lib.ssl.SSL_get0_param(self._ssl)
        try:
            ipaddress.ip_address(host)
        except ValueError:
            lib.crypto.X509_VERIFY_PARAM_set_hostflags(expected, _NO_PARTIAL_WILDCARDS)
            lib.done(lib.crypto.X509_VERIFY_PARAM_set1_host(expected, name, len(name)))
            lib.done(lib.ssl.SSL_ctrl(self._ssl, _SET_HOST_NAME, 0, name))
        else:
            lib.done(lib.crypto.X509_VERIFY_PARAM_set1_ip_asc(expected, name))

    def do_handshake(self) -> None:
        self._drive(self._lib.ssl.SSL_do_handshake)

    def read(self, length: int, buffer: Any = None) -> bytes | int:
        size = min(length, _RECORD)
        clear = ctypes.create_string_buffer(size)
        try:
            count = self._drive(self._lib.ssl.SSL_read, clear, size) if size else 0
        except ssl.SSLZeroReturnError:
            count = 0
        if buffer is None:
            return ctypes.string_at(clear, count)
        memoryview(buffer).cast("B")[:count] = clear.raw[:count]
        return count

    def write(self, data: bytes | bytearray | memoryview) -> int:
        # All of it: anyio does not ask how much was taken.
        with memoryview(data).cast("B") as octets:
            for start in range(0, len(octets), _PIECE):
                piece = bytes(octets[start : start + _PIECE])
                self._drive(self._lib.ssl.SSL_write, piece, len(piece))
            return len(octets)

    def shutdown(self) -> None:
        said_by_both, _ = self._once(self._lib.ssl.SSL_shutdown)
        if not said_by_both:
            self._drive(self._lib.ssl.SSL_shutdown)

    def pending(self) -> int:
        with self._lock:
            return int(self._lib.ssl.SSL_pending(self._ssl))

    def cipher(self) -> tuple[str, str, int] | None:
        used = self._lib.ssl.SSL_get_current_cipher(self._ssl)
        if not used:
            return None
        name: bytes = self._lib.ssl.SSL_CIPHER_get_name(used)
        return name.decode(), self.version(), self._lib.ssl.SSL_CIPHER_get_bits(used, None)

    def version(self) -> str:
        name: bytes = self._lib.ssl.SSL_get_version(self._ssl)
        return name.decode()

    def compression(self) -> None:
        return None

    def selected_alpn_protocol(self) -> None:
        return None  # none is offered: HTTP/1.1 it is

    def getpeercert(self, binary_form: bool = False) -> bytes | dict[str, Any] | None:  # noqa: FBT001, FBT002
        found = self._lib.ssl.SSL_get0_peer_certificate(self._ssl)
        if not found:
            return None
        return self._lib.der_of(found) if binary_form else {}  # `ssl` decodes files only

    def get_verified_chain(self) -> list[_Certificate]:
        chain = self._lib.ssl.SSL_get0_verified_chain(self._ssl)
        return [_Certificate(self._lib.der_of(each)) for each in self._lib.each(chain)]

    @property
    def stapled(self) -> bytes:
        """The OCSPResponse that came with the handshake (RFC 6066 §8); empty when none did."""
        answer = POINTER()
        size = self._lib.ssl.SSL_ctrl(self._ssl, _GET_OCSP_ANSWER, 0, ctypes.byref(answer))
        return ctypes.string_at(answer, size) if size > 0 else b""

    def _drive(self, call: Callable[..., int], *arguments: Any) -> int:
        """Repeat a call until it has what it needs from the wire."""
        received = self._wire.received()
        while True:
            result, status = self._once(call, *arguments)
            if status != _WANT_READ:
                return result
            self._feed(next(received))

    def _once(self, call: Callable[..., int], *arguments: Any) -> tuple[int, int]:
        """Make a call, send the records it made, return its result and OpenSSL's status of it."""
        lib, shutdown = self._lib, self._lib.ssl.SSL_shutdown
        with ExitStack() as until_sent:
            with self._lock:
                lib.crypto.ERR_clear_error()
                result = call(self._ssl, *arguments)
                status = lib.ssl.SSL_get_error(self._ssl, result)
                # 0 of SSL_shutdown: the peer has not said goodbye yet, and no status says that.
                expected = status in {_NONE, _WANT_READ} or (call is shutdown and not result)
                failure = None if expected else self._failure(status)
                records = self._made()
                if records:
                    # Taken before the other lock is left, so records go in their order; a reader
                    # makes none and never waits for a writer whose peer does not read.
                    until_sent.enter_context(self._sending)
            if records:
                try:
                    self._wire.send(records)
                except OSError:
                    if not failure:  # else this was to tell a peer that may be gone
                        raise
        if failure:
            raise failure
        return result, status

    def _made(self) -> bytes:
        size = self._lib.crypto.BIO_ctrl_pending(self._to_send)
        octets = ctypes.create_string_buffer(size)
        self._lib.crypto.BIO_read(self._to_send, octets, size)
        return octets.raw

    def _feed(self, data: bytes) -> None:
        with self._lock:
            if data:
                self._lib.crypto.BIO_write(self._received, data, len(data))
            else:
                self._ended = True
                self._lib.crypto.BIO_ctrl(self._received, _SET_EOF_RETURN, 0, None)

    def _failure(self, status: int) -> ssl.SSLError:
        lib, reason = self._lib, self._lib.reason()
        if status == _ZERO_RETURN:
            kind, number = ssl.SSLZeroReturnError, ssl.SSL_ERROR_ZERO_RETURN
            return lib.error(kind, number, "the peer has said goodbye")
        if self._ended:
            return lib.error(ssl.SSLEOFError, ssl.SSL_ERROR_EOF, "the peer ended without a word")
        if verdict := lib.ssl.SSL_get_verify_result(self._ssl):
            error = ssl.SSLCertVerificationError(ssl.SSL_ERROR_SSL, reason)
            error.verify_code = verdict
            error.verify_message = lib.crypto.X509_verify_cert_error_string(verdict).decode()
            return error
        return lib.error(ssl.SSLError, ssl.SSL_ERROR_SSL, reason)
