"""Stunnel as the server: what stands before many services, and wants certificates of clients."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from medsign.errors import ClientRefused, PeerUntrusted
from medsign.transport.tls import GostTls, Suite

from .conftest import CURVES, Ca, Identity, running

pytestmark = pytest.mark.interop
BODY = bytes(range(256)) * 4096
CONFIGURATION = """\
foreground = yes
pid =
engine = gost
engineDefault = ALL
[service]
accept = 127.0.0.1:{accept}
connect = 127.0.0.1:{connect}
sslVersionMax = TLSv1.2
ciphers = {suite}
cert = {certificate}
key = {key}
CAfile = {roots}
verifyChain = yes
"""


class Service(BaseHTTPRequestHandler):
    """Answers without a length: only a goodbye tells that the answer is whole."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def behind_stunnel(
    binary: str, folder: Path, ca: Ca, suite: Suite, server: Identity
) -> Iterator[str]:
    certificate, key = server.files(folder)
    roots = folder / "roots.pem"
    roots.write_bytes(ca.trust)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with HTTPServer(("127.0.0.1", 0), Service) as service:
        thread = threading.Thread(target=service.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        file = folder / "stunnel.conf"
        file.write_text(
            CONFIGURATION.format(
                accept=port,
                connect=service.server_port,
                suite=suite,
                certificate=certificate,
                key=key,
                roots=roots,
            )
        )
        with running(binary, str(file)) as process:
            said = ""
            while "Configuration successful" not in said:
                line = process.stdout.readline()
                assert line, said
                said += line
            yield f"https://127.0.0.1:{port}/"
        service.shutdown()
        thread.join(10)


@pytest.fixture
def stunnel(program, gost_engine, ca, tmp_path):
    """Return `stunnel(suite)`: a context with the URL of a service behind stunnel."""
    binary = program("stunnel", "stunnel4")
    return lambda suite: behind_stunnel(binary, tmp_path, ca, suite, ca.server())


def client(ca: Ca, identity: Identity, **settings: object) -> GostTls:
    return GostTls(trust=ca.trust, certificate=identity.certificate, key=identity.key, **settings)


@pytest.mark.parametrize("suite", [Suite.KUZNYECHIK, Suite.MAGMA])
def test_a_service_behind_stunnel_answers_whole(way, suite, ca, stunnel, ask_in_colour):
    with stunnel(suite) as url:
        assert ask_in_colour(client(ca, ca.client(), way=way), url).content == BODY


def test_stunnel_says_that_it_does_not_accept_our_certificate(way, ca, stunnel, ask_in_colour):
    foreign = Ca.on(CURVES["256-tc26-A"]).client()
    with stunnel(Suite.KUZNYECHIK) as url, pytest.raises(ClientRefused):
        ask_in_colour(client(ca, foreign, way=way), url)


def test_stunnel_itself_is_refused_for_a_wrong_authority(way, ca, stunnel, ask_in_colour):
    with stunnel(Suite.KUZNYECHIK) as url, pytest.raises(PeerUntrusted):
        ask_in_colour(GostTls(trust=Ca.on(CURVES["256-tc26-A"]).trust, way=way), url)
