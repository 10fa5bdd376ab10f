"""Ordinary TLS that is refused in the handshake, on a real socket."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator

import anyio
import httpx
import pytest

from medsign.errors import ConnectFailed, PeerUntrusted, TlsRefused
from medsign.exchange import AsyncDriver, Driver
from medsign.exchange.effects import Answer, Flow, Send

HANDSHAKE_FAILURE = bytes.fromhex("15 0303 0002 02 28")


@pytest.fixture
def refusing() -> Iterator[str]:
    """Return the address of a server that shares no suite, as one of GOST only does."""

    def serve() -> None:
        taken, _ = listening.accept()
        with taken:
            taken.settimeout(10)
            taken.recv(65536)
            taken.sendall(HANDSHAKE_FAILURE)
            taken.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}/"
        thread.join(10)


@pytest.fixture
def unknown(openssl, tmp_path) -> Iterator[str]:
    """Return the address of a server whose certificate nobody trusts."""
    key, certificate = tmp_path / "server.key", tmp_path / "server.crt"
    openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-keyout", key, "-out", certificate, "-subj", "/CN=localhost"),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def serve() -> None:
        taken, _ = listening.accept()
        with taken, pytest.raises(ssl.SSLError):
            context.wrap_socket(taken, server_side=True).recv(1)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}/"
        thread.join(10)


def question(url: str) -> Flow[Answer]:
    return (yield Send(request=httpx.Request("GET", url), deadline=1e9, max_bytes=100))


def judged(error: TlsRefused) -> None:
    assert type(error) is TlsRefused
    assert "HANDSHAKE_FAILURE" in str(error)
    assert "GostTls" in str(error)
    assert "ГОСТ TLS" in error.diagnostics()


def test_a_refused_handshake_points_to_gost_tls(refusing):
    with httpx.Client() as http, pytest.raises(TlsRefused) as refused:
        Driver(http).run(question(refusing))
    judged(refused.value)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_refused_handshake_points_to_gost_tls_in_async_code_too(refusing, backend):
    async def main() -> None:
        async with httpx.AsyncClient() as http:
            await AsyncDriver(http).run(question(refusing))

    with pytest.raises(TlsRefused) as refused:
        anyio.run(main, backend=backend)
    judged(refused.value)


@pytest.mark.interop
def test_a_certificate_that_nobody_trusts_is_no_matter_of_gost(unknown):
    with httpx.Client() as http, pytest.raises(PeerUntrusted, match="self-signed certificate"):
        Driver(http).run(question(unknown))


def test_a_closed_port_is_no_refusal_even_while_one_is_handled():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/"
    with httpx.Client() as http:
        try:
            ssl.create_default_context().load_verify_locations(cadata="no certificate")
        except ssl.SSLError:
            with pytest.raises(ConnectFailed) as failed:
                Driver(http).run(question(url))
    assert type(failed.value) is ConnectFailed
