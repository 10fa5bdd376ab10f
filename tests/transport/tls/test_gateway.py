"""A gateway in the program's place: stunnel, a socket file, and one elsewhere that is pinned."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import anyio
import httpx
import pytest

from medsign.codec.asn1 import decode_certificate, pem_decode
from medsign.config import Config
from medsign.errors import ConfigError, ConnectFailed, PeerUntrusted
from medsign.transport.tls import GostGateway

from .conftest import running

PIN = "sha256//" + base64.b64encode(bytes(32)).decode()


class Mirror(BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        told = {"path": self.path, "host": self.headers["Host"], "body": body.decode()}
        answer = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def address_string(self) -> str:
        return "local"  # a socket file has no address

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def answering(listening: socket.socket, context: ssl.SSLContext | None = None) -> Iterator[None]:
    server = HTTPServer(("", 0), Mirror, bind_and_activate=False)
    server.socket.close()
    server.socket = context.wrap_socket(listening, server_side=True) if context else listening
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(30)
        server.server_close()


def ask(gateway: GostGateway, url: str = "https://ca.test/requests?page=2") -> dict[str, str]:
    with httpx.Client(transport=gateway.transport()) as http:
        return http.post(url, content="заявка").json()


async def ask_async(gateway: GostGateway, url: str) -> dict[str, str]:
    async with httpx.AsyncClient(transport=gateway.async_transport()) as http:
        return (await http.post(url, content="заявка")).json()


TOLD = {"path": "/requests?page=2", "host": "ca.test", "body": "заявка"}


@pytest.fixture
def local() -> Iterator[GostGateway]:
    with socket.create_server(("127.0.0.1", 0)) as listening, answering(listening):
        port = listening.getsockname()[1]
        yield GostGateway(f"http://127.0.0.1:{port}", hosts=["CA.test"])


def test_a_request_arrives_at_a_local_gateway_as_it_is(local):
    assert ask(local) == TOLD


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_asynchronous_request_does_too(local, backend):
    assert anyio.run(ask_async, local, "https://ca.test/requests?page=2", backend=backend) == TOLD


def test_a_request_arrives_by_a_socket_file(tmp_path):
    path = tmp_path / "gost.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        with answering(listening):
            assert ask(GostGateway(f"unix:{path}", hosts=["ca.test"])) == TOLD


@pytest.mark.parametrize(
    "url",
    [
        "https://other.test/",
        "http://ca.test/",
        "https://ca.test.evil/",
        "https://ca.test:8443/",
        "https://ca.test:80/",
    ],
)
def test_a_request_to_somebody_else_does_not_leave(local, url):
    with pytest.raises(ConfigError):
        ask(local, url)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1", "unix:/no/such/gost.sock", "https://127.0.0.1:1"]
)
@pytest.mark.parametrize("colour", ["sync", "asyncio", "trio"])
# httpcore does not close a socket file that it could not connect to.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_a_gateway_that_is_not_there_is_told_apart_from_the_service(address, colour):
    gateway = GostGateway(address, hosts=["ca.test"], pin=PIN if "s:" in address else "")
    asked = ask if colour == "sync" else partial(anyio.run, ask_async, backend=colour)
    with pytest.raises(ConnectFailed, match="gateway"):
        asked(gateway, "https://ca.test/")


@pytest.mark.parametrize(
    "host, url",
    [
        ("ca.test", "https://ca.test:443/"),
        ("ca.test:443", "https://ca.test/"),
        ("CA.test:8443", "https://ca.test:8443/"),
        ("[::1]:8443", "https://[::1]:8443/"),
        ("уц.рф", "https://xn--s1ag.xn--p1ai/"),
    ],
)
def test_a_service_is_known_by_its_host_and_port(host, url):
    gateway = GostGateway("unix:/run/gost.sock", hosts=[host])
    arrived = gateway.redirected(httpx.Request("GET", url))
    assert arrived.url == "http://localhost/"
    assert arrived.headers["Host"] == httpx.URL(url).netloc.decode()


def test_two_services_of_one_host_have_a_gateway_each():
    by_port = {
        "https://ca.test": GostGateway("http://127.0.0.1:8443", hosts=["ca.test"]),
        "https://ca.test:9000": GostGateway("http://127.0.0.1:9000", hosts=["ca.test:9000"]),
    }
    for url, own in by_port.items():
        assert own.redirected(httpx.Request("GET", url))
        for other in set(by_port.values()) - {own}:
            with pytest.raises(ConfigError):
                other.redirected(httpx.Request("GET", url))


def test_the_port_of_a_service_in_the_settings_is_meant(tmp_path):
    file = tmp_path / "medsign.toml"
    file.write_text(
        "[mchd]\nurl = 'https://mchd.test:9000/api'\ntls.gateway = 'http://127.0.0.1:1'"
    )
    (link,) = Config.from_toml(file).links.values()
    assert isinstance(link, GostGateway)
    assert link.hosts == {"mchd.test:9000"}


@pytest.mark.parametrize(
    "host", ["", "https://ca.test", "ca.test/", "user@ca.test", "ca.test:port", "ca.test?q", "::1"]
)
def test_what_is_no_host_is_refused_as_one(host):
    with pytest.raises(ConfigError):
        GostGateway("http://127.0.0.1:8443", hosts=[host])


@pytest.fixture
def elsewhere(openssl, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Return the address of a gateway with an ordinary certificate, and the pin of its key."""
    key, certificate = tmp_path / "gateway.key", tmp_path / "gateway.crt"
    openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-keyout", key, "-out", certificate, "-subj", "/CN=gateway"),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    spki = decode_certificate(pem_decode(certificate.read_bytes())[0][1]).public_key.der
    pin = "sha256//" + base64.b64encode(hashlib.sha256(spki).digest()).decode()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"https://127.0.0.1:{listening.getsockname()[1]}"
        with answering(listening, context):
            yield address, pin


@pytest.mark.interop
def test_a_gateway_elsewhere_is_known_by_its_key(elsewhere):
    address, pin = elsewhere
    assert ask(GostGateway(address, hosts=["ca.test"], pin=pin)) == TOLD


@pytest.mark.interop
def test_a_gateway_with_another_key_gets_nothing(elsewhere):
    address, _ = elsewhere
    with pytest.raises(PeerUntrusted):
        ask(GostGateway(address, hosts=["ca.test"], pin=PIN))


@pytest.mark.parametrize(
    "address, hosts, pin",
    [
        ("http://10.0.0.7:8443", ["ca.test"], ""),
        ("http://gateway.test", ["ca.test"], PIN),
        ("https://gateway.test", ["ca.test"], ""),
        ("https://gateway.test", ["ca.test"], "sha256//AAAA"),
        ("https://gateway.test", ["ca.test"], PIN.removeprefix("sha256//")),
        ("ftp://127.0.0.1", ["ca.test"], ""),
        ("http://127.0.0.1:port", ["ca.test"], ""),
        ("http://127.0.0.1:8443", [], ""),
        ("http://127.0.0.1:8443/path", ["ca.test"], ""),
    ],
)
def test_a_gateway_that_anybody_could_be_is_refused(address, hosts, pin):
    with pytest.raises(ConfigError):
        GostGateway(address, hosts=hosts, pin=pin)


def test_a_single_host_is_no_set_of_letters():
    assert GostGateway("http://127.0.0.1:8443", hosts="ca.test").hosts == {"ca.test"}


STUNNEL = """\
foreground = yes
pid =
engine = gost
engineDefault = ALL
[ca]
client = yes
accept = 127.0.0.1:{accept}
connect = 127.0.0.1:{connect}
sslVersionMax = TLSv1.2
ciphers = GOST2012-KUZNYECHIK-KUZNYECHIKOMAC
verifyChain = yes
checkHost = localhost
CAfile = {roots}
"""


@contextmanager
def stunnel(binary: str, folder: Path, trust: bytes, url: str) -> Iterator[GostGateway]:
    (folder / "roots.pem").write_bytes(trust)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = folder / "stunnel.conf"
    (connect,) = re.findall(r":(\d+)/", url)
    configuration.write_text(
        STUNNEL.format(accept=port, connect=connect, roots=folder / "roots.pem")
    )
    with running(binary, str(configuration)) as process:
        said = process.stdout.readline()
        while "Configuration successful" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        yield GostGateway(f"http://127.0.0.1:{port}", hosts=["localhost"])


@pytest.mark.interop
def test_stunnel_speaks_gost_in_our_place(program, gost_engine, ca, s_server, tmp_path):
    binary = program("stunnel", "stunnel4")
    with (
        s_server(ca.server()) as url,
        stunnel(binary, tmp_path, ca.trust, url) as gateway,
        httpx.Client(transport=gateway.transport()) as http,
    ):
        answer = http.get("https://localhost/")
    assert "Cipher is GOST2012-KUZNYECHIK-KUZNYECHIKOMAC" in answer.text


@pytest.mark.interop
def test_what_stunnel_refuses_is_no_answer(program, gost_engine, ca, s_server, tmp_path):
    binary = program("stunnel", "stunnel4")
    with (
        s_server(ca.issue("other.test")) as url,
        stunnel(binary, tmp_path, ca.trust, url) as gateway,
        httpx.Client(transport=gateway.transport()) as http,
        pytest.raises(httpx.TransportError),
    ):
        http.get("https://localhost/")
