"""Recorded over a real socket: what the network does to streams and connections."""

from __future__ import annotations

import gzip
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import anyio
import httpx
import pytest

from medsign.recording import Recorder, Replay

PIECES = [b'{"text": "', *[b"x" * 1000] * 100, b'"}']


class Talker(BaseHTTPRequestHandler):
    """Tells how much came, packed; hangs up in the middle where asked to."""

    protocol_version = "HTTP/1.1"
    connections: set[Any]

    def do_POST(self) -> None:
        self.connections.add(self.client_address)
        size = 0
        while length := int(self.rfile.readline(), 16):
            size += len(self.rfile.read(length))
            self.rfile.readline()
        self.rfile.readline()
        body = gzip.compress(b'{"size": %d, "state": "SIGNED"}' % size)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Encoding", "gzip")
        cut = self.path == "/cut"
        self.send_header("Content-Length", str(len(body) + 100 * cut))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = cut

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def url() -> Iterator[str]:
    Talker.connections = set()
    with ThreadingHTTPServer(("127.0.0.1", 0), Talker) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join(30)


async def in_async(transport: Any, *urls: str) -> list[Any]:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in PIECES:
            yield piece

    async with httpx.AsyncClient(transport=transport) as http:
        return [await _told(http.post(url, content=pieces(), headers=JSON)) for url in urls]


async def _told(answer: Any) -> Any:
    try:
        return (await answer).json()
    except httpx.TransportError as error:
        return type(error)


def in_sync(transport: Any, *urls: str) -> list[Any]:
    told: list[Any] = []
    with httpx.Client(transport=transport) as http:
        for url in urls:
            try:
                told.append(http.post(url, content=iter(PIECES), headers=JSON).json())
            except httpx.TransportError as error:
                told.append(type(error))
    return told


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("backend", ["sync", "asyncio", "trio"])
def test_streams_pass_unhindered_and_connections_are_kept(url: str, backend: str):
    def run(transport: Any) -> list[Any]:
        urls = (f"{url}/a", f"{url}/b", f"{url}/cut")
        if backend == "sync":
            return in_sync(transport, *urls)
        return anyio.run(in_async, transport, *urls, backend=backend)

    network = httpx.HTTPTransport() if backend == "sync" else httpx.AsyncHTTPTransport()
    recorder = Recorder(network)
    told = run(recorder)
    size = sum(map(len, PIECES))
    assert told == [{"size": size, "state": "SIGNED"}] * 2 + [httpx.RemoteProtocolError]
    assert len(Talker.connections) == 1
    entries = recorder.har().log.entries
    assert [entry.request.body_size for entry in entries] == [size] * 3
    assert entries[2].response.error == "RemoteProtocolError"
    replayed = run(Replay(recorder.har()))
    # A size is a number of somebody's, so it is masked; states are words of a contract.
    assert [each["state"] for each in replayed[:2]] == ["SIGNED", "SIGNED"]
    assert replayed[2] is httpx.RemoteProtocolError
