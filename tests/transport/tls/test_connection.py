"""How a connection behaves: names, what it says first, ends, big writes, threads of blame."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import attrs
import httpx
import pytest

from medsign.codec.asn1 import extension_values as ext
from medsign.codec.asn1 import oids
from medsign.codec.asn1.names import GeneralName
from medsign.errors import PeerMisnamed, PeerUntrusted, TlsRefused, UsageError
from medsign.pki.issuing import QUALIFIED, issue_certificate, subject_name
from medsign.signers import SoftwareKey
from medsign.transport.tls import GostTls, Peer, Way

from .conftest import DAY, HOST, NOW, Ca, Identity, usable

pytestmark = pytest.mark.interop
MEBIBYTE = 1 << 20


@pytest.fixture
def server(ca: Ca) -> Identity:
    return ca.server()


@pytest.fixture
def system_way(gost_engine) -> Way:
    return usable(Way.SYSTEM)


def buffers(
    tls: GostTls, server: Identity, host: str = HOST
) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Return both ends of a connection after their handshake."""
    there, here = ssl.MemoryBIO(), ssl.MemoryBIO()
    serving = GostTls(certificate=server.certificate, key=server.key, way=tls.way)
    ends = (
        tls.context().wrap_bio(here, there, server_hostname=host),
        serving.server_context().wrap_bio(there, here, server_side=True),
    )
    left = set(ends)
    while left:
        for end in ends:
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
                left.discard(end)
    return ends


@contextmanager
def connected(
    tls: GostTls, server: Identity, serve: Callable[[ssl.SSLSocket], object]
) -> Iterator[ssl.SSLSocket]:
    """Give a connection to a server that runs `serve` in a thread."""
    serving = GostTls(certificate=server.certificate, key=server.key, way=tls.way).server_context()
    ours, theirs = socket.socketpair()
    theirs.settimeout(20)

    def run() -> None:
        with theirs, serving.wrap_socket(theirs, server_side=True) as connection:
            serve(connection)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ours.settimeout(10)
    with ours, tls.context().wrap_socket(ours, server_hostname=HOST) as connection:
        yield connection
    thread.join(20)
    assert not thread.is_alive()


# Names


def named(ca: Ca, *names: GeneralName, **subject: str) -> Identity:
    key = SoftwareKey.generate(ca.root.public_key.params)
    template = attrs.evolve(
        QUALIFIED,
        purposes=(oids.SERVER_AUTH,),
        lifetime=30 * DAY,
        others=(ext.subject_alternative_name(*names),) if names else (),
    )
    certificate = issue_certificate(
        template,
        subject=subject_name(**(subject or {"common_name": "ООО «Тестовая клиника»"})),
        key=key.public_key,
        issuer=ca.root,
        not_before=NOW - DAY,
    )
    return Identity(key.certified(certificate))


def dns(*names: str) -> tuple[GeneralName, ...]:
    return tuple(GeneralName("dns", name) for name in names)


LOOPBACK_6 = GeneralName("ip", bytes(15) + b"\1")


@pytest.mark.parametrize(
    "host, names",
    [
        ("ca.clinic.test", dns("CA.Clinic.test")),
        ("ca.clinic.test", dns("*.clinic.test")),
        ("::1", (LOOPBACK_6,)),
        ("уц.test", dns("xn--s1ag.test")),
    ],
)
def test_a_peer_is_known_by_its_name(way, ca, host, names):
    client, _ = buffers(GostTls(trust=ca.trust, way=way), named(ca, *names), host)
    assert client.cipher()


def test_a_certificate_without_other_names_may_say_its_host_as_common_name(way, ca):
    old = named(ca, common_name="ca.clinic.test")
    assert buffers(GostTls(trust=ca.trust, way=way), old, "ca.clinic.test")


@pytest.mark.parametrize(
    "host, names, subject",
    [
        ("a.ca.clinic.test", dns("*.clinic.test"), {}),
        ("clinic.test", dns("*.clinic.test"), {}),
        ("ca.clinic.test", dns("c*.clinic.test"), {}),
        ("ca.clinic.test", dns("*"), {}),
        ("127.0.0.1", dns("127.0.0.1"), {}),
        ("127.0.0.1", (LOOPBACK_6,), {}),
        ("127.0.0.1", (), {"common_name": "127.0.0.1"}),
        ("ca.clinic.test", dns("other.test"), {"common_name": "ca.clinic.test"}),
    ],
)
def test_a_peer_with_a_similar_name_is_another(way, ca, host, names, subject):
    with pytest.raises(PeerMisnamed):
        buffers(GostTls(trust=ca.trust, way=way), named(ca, *names, **subject), host)


# The first message


def hello(tls: GostTls, host: str = HOST) -> dict[int, bytes]:
    """Return the extensions of a ClientHello by their numbers (RFC 5246 §7.4.1.2)."""
    outgoing = ssl.MemoryBIO()
    connection = tls.context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=host)
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()
    rest = outgoing.read()[5 + 4 + 2 + 32 :]
    for size in (1, 2, 1):  # session, suites, compression
        rest = rest[size + int.from_bytes(rest[:size]) :]
    found, rest = {}, rest[2:]
    while rest:
        end = 4 + int.from_bytes(rest[2:4])
        found[int.from_bytes(rest[:2])] = rest[4:end]
        rest = rest[end:]
    return found


SERVER_NAME, STATUS_REQUEST, SESSION_TICKET = 0, 5, 35


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_address_in_digits_is_not_said_as_a_name(way, ca, host):
    assert SERVER_NAME not in hello(GostTls(trust=ca.trust, way=way), host)


def test_a_name_in_russian_is_said_as_idna_has_it(way, ca):
    said = hello(GostTls(trust=ca.trust, way=way), "Клиника.test")[SERVER_NAME]
    assert said.endswith(b"xn--80apagcdp.test")


def test_no_session_is_kept_to_be_resumed(way, ca):
    assert SESSION_TICKET not in hello(GostTls(trust=ca.trust, way=way))


def test_an_ocsp_answer_is_asked_for_only_by_who_checks_it(system_way, ca):
    tls = GostTls(trust=ca.trust, way=system_way)
    assert STATUS_REQUEST not in hello(tls)
    assert STATUS_REQUEST in hello(attrs.evolve(tls, check=lambda _: None))


def test_who_resumes_a_session_all_the_same_is_not_let_past_the_check(
    python_way, ca, server, s_server
):
    context = GostTls(trust=ca.trust, check=lambda _: None, way=python_way).context()
    context.options &= ~ssl.OP_NO_TICKET  # as a careless program does

    def connect(url: str, **more: Any) -> ssl.SSLSession | None:
        plain = socket.create_connection(("127.0.0.1", httpx.URL(url).port), timeout=10)
        with plain, context.wrap_socket(plain, server_hostname=HOST, **more) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            while connection.recv(65536):
                pass
            session = connection.session
            connection.unwrap()  # without a goodbye OpenSSL's server forgets it
            return session

    with s_server(server) as url:
        session = connect(url)
        assert session
        with pytest.raises(PeerUntrusted, match="resumed"):
            connect(url, session=session)


# Ends


def test_after_the_end_there_is_nothing_however_often_it_is_read(way, ca, server):
    with connected(
        GostTls(trust=ca.trust, way=way), server, lambda connection: connection.unwrap()
    ) as connection:
        assert [connection.recv(10) for _ in range(3)] == [b""] * 3
        connection.unwrap()


def test_a_connection_that_is_closed_frees_its_memory_at_once(system_way, ca, server):
    gc.disable()
    try:
        with connected(
            GostTls(trust=ca.trust, way=system_way), server, lambda each: each.recv(1)
        ) as connection:
            held = weakref.ref(connection._sslobj)
            connection.close()
            assert held() is None
    finally:
        gc.enable()


def test_who_leaves_without_a_word_is_told_by_that_and_not_by_the_pipe(system_way, ca, server):
    """OpenSSL wants to send an alert then, which nobody takes any more."""
    ours, theirs = socket.socketpair()
    serving = GostTls(certificate=server.certificate, key=server.key, way=system_way)

    def leave() -> None:
        with theirs, serving.server_context().wrap_socket(theirs, server_side=True):
            pass

    thread = threading.Thread(target=leave, daemon=True)
    thread.start()
    context = GostTls(trust=ca.trust, way=system_way).context()
    with ours, context.wrap_socket(ours, server_hostname=HOST) as connection:
        thread.join(10)
        with pytest.raises(ssl.SSLEOFError):
            connection.recv(1)


# What goes through


@pytest.mark.parametrize("size", [MEBIBYTE, MEBIBYTE + 1, 3 * MEBIBYTE])
def test_buffers_take_a_big_write_whole(way, ca, server, size):
    """anyio does not ask how much was taken."""
    client, serving = buffers(GostTls(trust=ca.trust, way=way), server)
    data = os.urandom(size)
    assert client.write(data) == size
    came = bytearray()
    while len(came) < size:
        came += serving.read(65536)
    assert came == data


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_every_kind_of_octets_is_written(way, ca, server, kind):
    client, serving = buffers(GostTls(trust=ca.trust, way=way), server)
    assert client.write(kind(b"octets")) == 6
    assert serving.read(100) == b"octets"


def test_a_peer_that_does_not_read_trips_the_timeout_of_writing(way, ca, server):
    read = threading.Event()
    before = time.monotonic()
    with connected(GostTls(trust=ca.trust, way=way), server, lambda _: read.wait(20)) as connection:
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):
            connection.sendall(bytes(16 * MEBIBYTE))
        read.set()
    assert time.monotonic() - before < 10


def test_streams_of_asyncio_speak_on_both_sides(way, ca, server):
    """Not through httpx: another way to drive the same buffers."""
    data = os.urandom(3 * MEBIBYTE)
    serving = GostTls(certificate=server.certificate, key=server.key, way=way).server_context()
    asking = GostTls(trust=ca.trust, way=way).context()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while octets := await reader.read(65536):
            writer.write(octets)
            await writer.drain()
        writer.close()

    async def scene() -> bytes:
        async with await asyncio.start_server(echo, "127.0.0.1", 0, ssl=serving) as listening:
            port = listening.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=asking, server_hostname=HOST
            )
            writer.write(data)
            came = await reader.readexactly(len(data))
            writer.close()
            await writer.wait_closed()
            return came

    assert asyncio.run(scene()) == data


def test_a_child_of_a_fork_leaves_the_connection_of_its_parent_alone(way, ca, server):
    def echo(connection: ssl.SSLSocket) -> None:
        while octets := connection.recv(100):
            connection.sendall(octets)

    with connected(GostTls(trust=ca.trust, way=way), server, echo) as connection:
        connection.sendall(b"before")
        assert connection.recv(100) == b"before"
        child = os.fork()
        if not child:
            connection.close()
            gc.collect()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        connection.sendall(b"after")
        assert connection.recv(100) == b"after"


# Whose errors are whose


def test_nothing_is_left_in_the_queue_of_openssl(way, ca, server):
    """What is left there, an ordinary connection of this thread would take for its own failure."""
    crypto = ctypes.PyDLL("libcrypto.so.3")
    crypto.ERR_peek_error.restype = ctypes.c_ulong
    tls = GostTls(trust=ca.trust, certificate=server.certificate, key=server.key, way=way)
    buffers(tls, server)
    assert not crypto.ERR_peek_error()
    with pytest.raises(TlsRefused):
        buffers(tls, named(ca, *dns("other.test")))
    assert not crypto.ERR_peek_error()


def test_a_socket_that_does_not_block_is_refused_before_it_loses_octets(system_way, ca):
    context = GostTls(trust=ca.trust, way=system_way).context()
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with (
        theirs,
        context.wrap_socket(
            ours, server_hostname=HOST, do_handshake_on_connect=False
        ) as connection,
        pytest.raises(ValueError, match="blocking"),
    ):
        connection.do_handshake()


def test_a_certificate_loaded_past_the_settings_is_refused_and_not_forgotten(
    system_way, ca, tmp_path
):
    context = GostTls(trust=ca.trust, way=system_way).context()
    with pytest.raises(UsageError):
        context.load_cert_chain(tmp_path / "clinic.pem")


def test_a_certificate_that_cannot_be_read_is_not_trusted(
    way, openssl, s_server, ca, server, tmp_path, ask_in_colour
):
    key, certificate = tmp_path / "odd.key", tmp_path / "odd.crt"
    openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-keyout", key, "-out", certificate, "-subj", "/CN=localhost"),
        *("-addext", "subjectAltName=DNS:localhost", "-addext", "authorityInfoAccess=DER:0500"),
    )
    seen: list[Peer] = []
    tls = GostTls(trust=certificate, allow_other_suites=True, check=seen.append, way=way)
    with (
        s_server(server, "-cert", str(certificate), "-key", str(key)) as url,
        pytest.raises(PeerUntrusted, match="cannot be read"),
    ):
        ask_in_colour(tls, url)
    assert not seen
