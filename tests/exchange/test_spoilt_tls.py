"""Ordinary TLS that breaks after the handshake, on a real socket."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator

import anyio
import httpx
import pytest

from medsign.errors import ConnectionLost
from medsign.exchange import AsyncDriver, Driver
from medsign.exchange.effects import Answer, Flow, Send

pytestmark = pytest.mark.interop


@pytest.fixture
def spoiling(openssl, tmp_path) -> Iterator[tuple[str, ssl.SSLContext]]:
    """Return the address of a server that spoils its answer, and how to trust it."""
    key, certificate = tmp_path / "server.key", tmp_path / "server.crt"
    openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-keyout", key, "-out", certificate, "-subj", "/CN=localhost"),
        *("-addext", "subjectAltName=DNS:localhost"),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def serve() -> None:
        taken, _ = listening.accept()
        taken.settimeout(10)
        with context.wrap_socket(taken, server_side=True) as connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
            socket.socket.sendall(connection, b"\x17\x03\x03\x00\x20" + bytes(32))
            socket.socket.recv(connection, 1)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        trusting = ssl.create_default_context(cafile=str(certificate))
        yield f"https://localhost:{listening.getsockname()[1]}/", trusting
        thread.join(10)
        assert not thread.is_alive()


def question(url: str) -> Flow[Answer]:
    return (yield Send(request=httpx.Request("GET", url), deadline=1e9, max_bytes=100))


def test_an_answer_that_is_spoilt_on_the_way_is_a_lost_connection(spoiling):
    url, trusting = spoiling
    with httpx.Client(verify=trusting) as http, pytest.raises(ConnectionLost):
        Driver(http).run(question(url))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_it_is_one_in_asynchronous_programs_too(spoiling, backend):
    url, trusting = spoiling

    async def ask() -> None:
        async with httpx.AsyncClient(verify=trusting) as http:
            with pytest.raises(ConnectionLost):
                await AsyncDriver(http).run(question(url))

    anyio.run(ask, backend=backend)
