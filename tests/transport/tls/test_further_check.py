"""The further check of a peer: who waits for it, for how long, and what it learns from the peer."""

from __future__ import annotations

import random
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NoReturn

import anyio
import attrs
import httpx
import pytest

from medsign.codec.asn1 import BasicOcspResponse, Certificate, SingleResponse, decode_ocsp_response
from medsign.errors import (
    ConnectFailed,
    ConnectionLost,
    PeerExpired,
    PeerRevoked,
    PeerUntrusted,
    TimedOut,
)
from medsign.exchange import AsyncDriver, Driver
from medsign.exchange.effects import Answer, Flow, Send
from medsign.pki import RevocationEvidence, check_revocation
from medsign.pki.ocsp import ocsp_cert_id, ocsp_request, ocsp_response
from medsign.transport.tls import GostTls, Peer, Way, status_check
from medsign.transport.tls.checks import CheckedObject

from .conftest import HOST, NOW, Ca, Identity, usable

pytestmark = pytest.mark.interop
BACKENDS = ["asyncio", "trio"]
TODAY = timedelta()


@pytest.fixture
def server(ca: Ca) -> Identity:
    return ca.server()


def answer(
    ca: Ca, about: Identity, status: str = "good", *, made: timedelta = timedelta()
) -> bytes:
    """Return DER of what the authority's OCSP service says."""
    single = SingleResponse(
        cert_id=ocsp_cert_id(about.signer.certificate, ca.root.certificate),
        status=status,
        this_update=NOW + made,
        next_update=NOW + made + timedelta(hours=1),
        revoked_at=NOW - timedelta(days=1) if status == "revoked" else None,
    )
    return ocsp_response([single], ca.root, produced_at=NOW + made)


def judged(one: Certificate, issuer: Certificate, said: BasicOcspResponse):
    return check_revocation(one, issuer, RevocationEvidence(responses=(said,)), at=NOW).status


@contextmanager
def responding(body: bytes, delay: float) -> Iterator[Callable[[Certificate, Certificate], str]]:
    """Give what asks a real OCSP service that is slow, and judges its answer."""

    class Responder(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(delay)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Responder) as service:
        thread = threading.Thread(target=service.serve_forever, args=(0.05,), daemon=True)
        thread.start()

        def ask(one: Certificate, issuer: Certificate) -> str:
            url = f"http://127.0.0.1:{service.server_port}/"
            got = httpx.post(url, content=ocsp_request(one, issuer), timeout=10, trust_env=False)
            return judged(one, issuer, decode_ocsp_response(got.content).basic)

        yield ask
        service.shutdown()
        thread.join(10)


@pytest.fixture
def served(way, server) -> Iterator[tuple[str, list[bytes]]]:
    """Return the URL of a server that takes one connection, and what has come through it."""
    context = GostTls(certificate=server.certificate, key=server.key, way=way).server_context()
    came: list[bytes] = []

    def serve() -> None:
        taken, _ = listening.accept()
        taken.settimeout(20)
        # On a busy machine whoever has little time leaves in the middle of the handshake.
        with suppress(OSError), context.wrap_socket(taken, server_side=True) as connection:
            while not came or came[-1]:
                came.append(connection.recv(65536))
                head, blank, body = b"".join(came).rpartition(b"\r\n\r\n")
                size = int((re.findall(rb"Content-Length: (\d+)", head) or [0])[-1])
                if came[-1] and blank and len(body) == size:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://{HOST}:{listening.getsockname()[1]}/", came
        thread.join(20)
        assert not thread.is_alive()


def _ask(tls: GostTls, url: str, times: int, patience: httpx.Timeout) -> list[int]:
    with httpx.Client(transport=tls.transport(), timeout=patience) as http:
        return [http.get(url).status_code for _ in range(times)]


async def _ask_async(tls: GostTls, url: str, times: int, patience: httpx.Timeout) -> list[int]:
    async with httpx.AsyncClient(transport=tls.async_transport(), timeout=patience) as http:
        return [(await http.get(url)).status_code for _ in range(times)]


ASKS = {"sync": _ask} | {each: partial(anyio.run, _ask_async, backend=each) for each in BACKENDS}


@pytest.fixture(params=ASKS)
def ask_times(request: pytest.FixtureRequest):
    """Return `ask_times(tls, url, times, patience)` in each colour."""
    return ASKS[request.param]


@pytest.fixture
def endless() -> Iterator[Callable[[Peer], object]]:
    """Return a check that ends with the test only."""
    released = threading.Event()
    yield lambda _: released.wait(30)
    released.set()


# Who waits


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_event_loop_goes_on_while_the_ocsp_service_is_slow(way, backend, ca, server, s_server):
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = time.monotonic()
            await anyio.sleep(0.01)
            longest = max(longest, time.monotonic() - before)

    async def scene(tls: GostTls, url: str) -> int:
        async with (
            httpx.AsyncClient(transport=tls.async_transport(), timeout=10) as http,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(watch)
            got = await http.get(url)
            tasks.cancel_scope.cancel()
        return got.status_code

    with s_server(server) as url, responding(answer(ca, server), 1.5) as ask:
        tls = GostTls(trust=ca.trust, check=status_check(ask), way=way)
        assert anyio.run(scene, tls, url, backend=backend) == 200
    assert longest < 1.2


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("checked", [False, True])
def test_a_long_body_is_encrypted_piece_by_piece(way, checked, backend, ca, served, monkeypatch):
    """In one go it would stop the loop for as long as GOST suites take."""
    sizes: list[int] = []
    write = CheckedObject.write

    def noted(self: CheckedObject, data: bytes) -> int:
        sizes.append(len(data))
        return write(self, data)

    async def scene(tls: GostTls) -> None:
        async with httpx.AsyncClient(transport=tls.async_transport(), timeout=20) as http:
            await http.post(url, content=body)

    monkeypatch.setattr(CheckedObject, "write", noted)
    url, came = served
    body = random.Random(7).randbytes(3_000_000)
    anyio.run(
        scene,
        GostTls(trust=ca.trust, check=(lambda _: None) if checked else None, way=way),
        backend=backend,
    )
    assert max(sizes) == 64 * 1024
    assert b"".join(came).endswith(body)


@pytest.mark.parametrize("backend", BACKENDS)
def test_whoever_waits_for_a_check_can_be_cancelled(way, backend, ca, endless, served):
    async def scene(tls: GostTls, url: str) -> float:
        async with httpx.AsyncClient(transport=tls.async_transport(), timeout=30) as http:
            before = time.monotonic()
            with anyio.move_on_after(0.3):
                await http.get(url)
            return time.monotonic() - before

    url, came = served
    tls = GostTls(trust=ca.trust, check=endless, way=way)
    assert anyio.run(scene, tls, url, backend=backend) < 5
    assert not any(came)


def test_a_check_takes_no_longer_than_connecting_may(way, ca, endless, served, ask_times):
    url, came = served
    tls = GostTls(trust=ca.trust, check=endless, way=way)
    before = time.monotonic()
    with pytest.raises(httpx.ConnectTimeout):
        ask_times(tls, url, 1, httpx.Timeout(30, connect=0.3))
    assert time.monotonic() - before < 5
    assert not any(came)


def _call(url: str) -> Flow[Answer]:
    request = httpx.Request("GET", url, extensions={"timeout": httpx.Timeout(30).as_dict()})
    return (yield Send(request=request, deadline=time.monotonic() + 0.7, max_bytes=100_000))


def _drive(tls: GostTls, url: str) -> Answer:
    with httpx.Client(transport=tls.transport()) as http:
        return Driver(http).run(_call(url))


async def _drive_async(tls: GostTls, url: str) -> Answer:
    async with httpx.AsyncClient(transport=tls.async_transport()) as http:
        return await AsyncDriver(http).run(_call(url))


DRIVES = {"sync": _drive} | {
    each: partial(anyio.run, _drive_async, backend=each) for each in BACKENDS
}


@pytest.mark.parametrize("colour", DRIVES)
def test_a_slow_check_ends_at_the_deadline_of_the_call(way, colour, ca, endless, served):
    url, came = served
    before = time.monotonic()
    with pytest.raises(ConnectFailed):  # nothing was sent
        DRIVES[colour](GostTls(trust=ca.trust, check=endless, way=way), url)
    assert time.monotonic() - before < 5
    assert not any(came)


def test_a_kept_connection_is_checked_once(way, ca, served, ask_times):
    seen: list[Peer] = []
    tls = GostTls(trust=ca.trust, check=seen.append, way=way)
    assert ask_times(tls, served[0], 3, httpx.Timeout(10)) == [200] * 3
    assert len(seen) == 1


def test_a_check_left_for_later_is_run_by_the_first_octet(way, ca, served):
    """Whoever promised to run it and did not must not open the way."""

    def refuse(_: Peer) -> NoReturn:
        raise PeerRevoked("for the test")

    async def scene(context: ssl.SSLContext, url: str) -> None:
        async with httpx.AsyncClient(verify=context) as http:
            await http.get(url)

    context = GostTls(trust=ca.trust, check=refuse, way=way).context()
    context.check_later = True
    url, came = served
    with pytest.raises(PeerRevoked):
        anyio.run(scene, context, url)
    assert not any(came)


@pytest.mark.parametrize(
    "failure",
    [ConnectionLost("no"), TimedOut("no"), httpx.ReadTimeout("no"), OSError("no"), TimeoutError()],
    ids=lambda each: type(each).__name__,
)
def test_a_check_that_finds_nothing_out_refuses_the_peer_and_not_the_request(
    way, failure, ca, served, ask_times
):
    def fail(_: Peer) -> NoReturn:
        raise failure

    url, came = served
    with pytest.raises(PeerUntrusted) as refused:
        ask_times(GostTls(trust=ca.trust, check=fail, way=way), url, 1, httpx.Timeout(10))
    assert not refused.value.sent
    assert not any(came)


def test_a_service_of_statuses_that_is_refused_itself_is_not_taken_for_the_peer(
    way, ca, served, ask_times
):
    def ask(*_: Certificate) -> NoReturn:
        raise PeerExpired("that of the service")

    url, _ = served
    tls = GostTls(trust=ca.trust, check=status_check(ask), way=way)
    with pytest.raises(PeerUntrusted):
        ask_times(tls, url, 1, httpx.Timeout(10))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_trace_function_of_the_caller_is_still_told(way, backend, ca, served):
    told: list[str] = []

    async def trace(event: str, _: object) -> None:
        told.append(event)

    async def scene(tls: GostTls, url: str) -> None:
        async with httpx.AsyncClient(transport=tls.async_transport()) as http:
            request = http.build_request("GET", url, extensions={"trace": trace})
            for _ in range(2):
                await http.send(request)
            assert request.extensions["trace"] is trace

    tls = GostTls(trust=ca.trust, check=lambda _: None, way=way)
    anyio.run(scene, tls, served[0], backend=backend)
    assert told.count("connection.start_tls.complete") == 1


# What the peer brings


@pytest.fixture
def stapling(s_server, tmp_path):
    """Return `stapling(identity, answer)`: OpenSSL's server that brings an OCSP answer."""

    def serve(identity: Identity, brought: bytes):
        file = tmp_path / "answer.der"
        file.write_bytes(brought)
        return s_server(identity, "-status_file", str(file))

    return serve


def silent(*_: Certificate) -> NoReturn:
    raise ConnectionLost("nobody is to be asked")


@pytest.fixture
def system_way(gost_engine) -> Way:
    return usable(Way.SYSTEM)


def stapled(ca: Ca, way: Way, ask: Callable[..., str] = silent) -> GostTls:
    return GostTls(trust=ca.trust, check=status_check(ask, stapled=judged), way=way)


def test_an_answer_that_the_peer_brings_saves_asking(
    system_way, ca, server, stapling, ask_in_colour
):
    with stapling(server, answer(ca, server)) as url:
        assert ask_in_colour(stapled(ca, system_way), url).status_code == 200


def test_gnutls_brings_one_too(system_way, ca, server, gnutls, ask, tmp_path):
    file = tmp_path / "answer.der"
    file.write_bytes(answer(ca, server))
    with gnutls(server, "--disable-client-cert", "--ocsp-response", str(file)) as url:
        assert ask(stapled(ca, system_way), url).status_code == 200


def test_a_revocation_that_the_peer_brings_refuses_it(
    system_way, ca, server, stapling, ask_in_colour
):
    with stapling(server, answer(ca, server, "revoked")) as url, pytest.raises(PeerRevoked):
        ask_in_colour(stapled(ca, system_way, lambda *_: "good"), url)


USELESS: dict[str, Callable[[Ca, Identity], bytes]] = {
    "about another": lambda ca, own: answer(ca, ca.server()),
    "old": lambda ca, own: answer(ca, own, made=timedelta(days=-9)),
    "of another authority": lambda ca, own: answer(
        attrs.evolve(ca, root=Ca.on(ca.root.public_key.params.name).root), own
    ),
    "unknown": lambda ca, own: answer(ca, own, "unknown"),
    "no answer": lambda ca, own: b"\x30\x03\x0a\x01\x03",  # tryLater
}


@pytest.mark.parametrize("case", USELESS)
def test_when_the_answer_brought_is_no_help_the_service_is_asked(
    system_way, case, ca, server, stapling, ask
):
    asked: list[Certificate] = []

    def status(one: Certificate, _: Certificate) -> str:
        asked.append(one)
        return "good"

    with stapling(server, USELESS[case](ca, server)) as url:
        assert ask(stapled(ca, system_way, status), url).status_code == 200
    assert asked == [server.signer.certificate]


def test_no_answer_is_asked_for_without_a_check(system_way, ca, server, stapling):
    with (
        stapling(server, answer(ca, server)) as url,
        socket.create_connection(("127.0.0.1", httpx.URL(url).port), timeout=10) as plain,
        GostTls(trust=ca.trust, way=system_way)
        .context()
        .wrap_socket(plain, server_hostname=HOST) as connection,
    ):
        assert connection._sslobj.stapled == b""


def test_the_way_of_python_brings_none(python_way, ca, server, stapling, ask):
    seen: list[Peer] = []
    with stapling(server, answer(ca, server)) as url:
        ask(GostTls(trust=ca.trust, check=seen.append, way=python_way), url)
    assert seen[0].stapled is None
