"""Documents that lie in files: sent as they are read, in every attempt anew."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import attrs
import httpx
import pytest

from medsign.codec import json
from medsign.codec.pieces import CHUNK
from medsign.errors import ContentChanged, InvalidDocument, UsageError
from medsign.exchange import AsyncDriver, Driver, RetryPolicy
from medsign.sandbox import Sandbox
from medsign.sandbox.paper import new_pdf
from medsign.sep import AsyncSep, Document, DocumentRow, Package, Sep, sep_context
from medsign.store import MemoryStore

ADDED = datetime(2026, 6, 25, tzinfo=UTC)
PDF = new_pdf(["Согласие на обработку данных", "Форма KAV.0049"])
LONG = PDF + bytes(CHUNK)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Тестова Анна.pdf"
    path.write_bytes(PDF)
    return path


@pytest.fixture
def long_file(file: Path) -> Path:
    """A file that is too long to be read at once."""
    file.write_bytes(LONG)
    return file


@pytest.fixture
def packed(package: Package, document: Callable[..., Document]) -> Callable[..., Any]:
    """Return `packed(content)`: a package of one document, and the document."""

    def pack(content: bytes | Path) -> tuple[Package, Document]:
        one = document("d1", content=content)
        return attrs.evolve(package, documents=(one,)), one

    return pack


class Line(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Takes bodies off the wire and answers as each `answer` says."""

    def __init__(self, *answers: Callable[[], httpx.Response]) -> None:
        self.bodies: list[bytes] = []
        self.lengths: list[str] = []
        self._answers = iter(answers)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._begin(request)
        assert isinstance(request.stream, httpx.SyncByteStream)
        for chunk in request.stream:
            self.bodies[-1] += chunk
        return next(self._answers)()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._begin(request)
        assert isinstance(request.stream, httpx.AsyncByteStream)
        async for chunk in request.stream:
            self.bodies[-1] += chunk
        return next(self._answers)()

    def _begin(self, request: httpx.Request) -> None:
        self.lengths.append(request.headers.get("Content-Length", "0"))
        self.bodies.append(b"")


def taken() -> httpx.Response:
    row = DocumentRow(
        number="1", document="d1", package="p1", name="x", status="Создан", added_at=ADDED
    )
    return httpx.Response(201, content=json.encode(row))


def busy() -> httpx.Response:
    return httpx.Response(503)


@pytest.fixture(params=["sync", "asyncio", "trio"])
def send(request: pytest.FixtureRequest) -> Callable[..., DocumentRow]:
    """Return `send(line, package, document)` in each colour, on each loop."""

    def blocking(line: Line, *what: Any) -> DocumentRow:
        with httpx.Client(transport=line) as http:
            return Sep(_context(), Driver(http, sleep=lambda _: None)).send(*what)

    def asynchronous(line: Line, *what: Any) -> DocumentRow:
        async def run() -> DocumentRow:
            async with httpx.AsyncClient(transport=line) as http:
                return await AsyncSep(_context(), AsyncDriver(http)).send(*what)

        return anyio.run(run, backend=request.param)

    return blocking if request.param == "sync" else asynchronous


def _context(**settings: Any) -> Any:
    policy = RetryPolicy(backoff=lambda _: 0.0)
    return sep_context(token="t", organization="o", policy=policy, **settings)


@pytest.mark.parametrize("octets", [PDF, LONG], ids=["short", "long"])
def test_a_file_goes_out_as_the_same_octets_as_its_content(send, packed, file, octets):
    file.write_bytes(octets)
    lines = Line(taken), Line(taken)
    for line, content in zip(lines, (octets, file), strict=True):
        send(line, *packed(content))
    assert lines[0].bodies == lines[1].bodies
    assert lines[0].lengths == lines[1].lengths == [str(len(lines[0].bodies[0]))]


def test_a_repeat_reads_the_file_anew(send, packed, long_file):
    line = Line(busy, taken)
    send(line, *packed(long_file))
    assert line.bodies[0] == line.bodies[1]


def test_a_short_file_is_read_once_and_repeated_as_it_was(send, packed, file):
    def busy_meanwhile() -> httpx.Response:
        file.unlink()
        return busy()

    line = Line(busy_meanwhile, taken)
    send(line, *packed(file))
    assert line.bodies[0] == line.bodies[1]


@pytest.mark.parametrize("now", [LONG[:-1] + b"!", LONG + b"!", LONG[:-1], b""])
def test_a_file_that_changes_between_attempts_is_not_sent_to_its_end(send, packed, long_file, now):
    def busy_meanwhile() -> httpx.Response:
        long_file.write_bytes(now)
        return busy()

    line = Line(busy_meanwhile, taken)
    with pytest.raises(ContentChanged):
        send(line, *packed(long_file))
    whole, broken = line.bodies
    assert len(broken) < len(whole) == int(line.lengths[1])


def test_a_file_that_is_gone_between_attempts_is_told_without_its_name(send, packed, long_file):
    def busy_meanwhile() -> httpx.Response:
        long_file.unlink()
        return busy()

    with pytest.raises(UsageError, match="cannot be read") as caught:
        send(Line(busy_meanwhile, taken), *packed(long_file))
    assert "Тестова" not in str(caught.value)


def test_a_missing_file_is_found_before_anything_is_sent(send, packed, tmp_path):
    line = Line(taken)
    with pytest.raises(InvalidDocument) as caught:
        send(line, *packed(tmp_path / "none.pdf"))
    assert ("document.content", "файл не читается") in caught.value.problems
    assert line.bodies == []


def test_a_file_and_its_content_are_the_same_request_to_the_journal(packed, file):
    line, store = Line(taken, taken), MemoryStore()
    with httpx.Client(transport=line) as http:
        sep = Sep(_context(store=store), Driver(http))
        sep.send(*packed(PDF), key="k")
        assert sep.send(*packed(file), key="k").number == "1"
        file.write_bytes(PDF[:-1] + b"!")
        with pytest.raises(UsageError, match="already used"):
            sep.send(*packed(file), key="k")


class Sink(httpx.BaseTransport):
    """Throws away what is sent."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        self.size = sum(map(len, request.stream))
        return taken()


def test_a_large_file_takes_little_memory(packed, tmp_path):
    large, size = tmp_path / "large.pdf", 40_000_000
    with large.open("wb") as stream:
        stream.write(b"%PDF-1.7")
        stream.truncate(size)
    what, sink = packed(large), Sink()
    with httpx.Client(transport=sink) as http:
        sep = Sep(_context(), Driver(http))
        tracemalloc.start()
        sep.send(*what)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert sink.size > size * 4 // 3
    assert peak < 5_000_000


def test_a_gateway_takes_a_signed_request_with_a_file(packed, file):
    with (
        Sandbox(signed_requests=True) as sandbox,
        sandbox.connect(gateway=sandbox.gateway()) as window,
    ):
        package, document = packed(file)
        assert window.sep.send(package, document).document == "d1"


def test_what_was_signed_is_compared_with_a_file(clinic, browser, packed, file):
    number = clinic.send(*packed(file)).number
    clinic.status(number)
    browser.sign()
    signed = clinic.signed(number)
    assert signed.is_about(file)
    assert signed.is_about(PDF)
    file.write_bytes(b"%PDF-other")
    assert not signed.is_about(file)
