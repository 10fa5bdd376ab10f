"""Sends to СЭП over loopback against a bare httpx loop that makes the same requests.

Run: `python benchmarks/load.py [documents]`. A lean server in a second process takes the
documents of 200 kB and remembers nothing. For each colour, concurrency and store the documents are
cut into slices; each slice goes out by every sender in changing order, with the same octets, header
fields and connection limits:

- `bare`: an httpx loop that makes each request of its document, ``client.post(url, json=…)``;
- `ready`: the same loop with requests whose octets were made before the watch was started;
- the SDK, which besides checks the package, writes the journal before and after, and reads the
  answer. How long a call waited for the disk is printed beside.

Goal: at least 0.8 of the throughput of `bare`, and memory that does not grow with the number of
documents. The ratio to `ready` is printed for those who keep their requests ready.
"""

from __future__ import annotations

import asyncio
import base64
import json
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, date, datetime
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import anyio
import attrs
import httpx

from medsign import AsyncMedSign, Config, MedSign
from medsign.codec.json import encode
from medsign.config import Endpoint
from medsign.identifiers import Phone
from medsign.sep import SMS, Document, Package, Patient, Source, SourceKind
from medsign.store import MemoryStore, SqliteStore, Store
from medsign.transport import new_async_client, new_client

GOAL = 0.8
SIZE = 200_000
SLICES = 10
FILES = 100
LARGE = 256_000_000
WIDTHS = (1, 16, 64)
NOON = datetime(2026, 6, 25, 9, tzinfo=UTC)
_TOKEN = "00000000-0000-4000-8000-000000000000"
_ROW = {
    "number": "1",
    "document": "d1",
    "package": "p1",
    "name": "Согласие",
    "status": "Создан",
    "addedAt": NOON.isoformat(),
}


class Lean(asyncio.Protocol):
    """An HTTP server that counts octets and always says the same."""

    answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._head = b""
        self._left = 0

    def data_received(self, data: bytes) -> None:
        if not self._left:
            self._head += data
            head, found, rest = self._head.partition(b"\r\n\r\n")
            if not found:
                return
            fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
            length = fields.get(b"content-length", b"0")
            self._head, self._left, data = b"", int(length), rest
        self._left -= len(data)
        if not self._left:
            self._transport.write(self.answer)


def serve(pipe: Connection) -> None:
    body = json.dumps(_ROW).encode()
    Lean.answer = (
        b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Lean, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def server() -> Iterator[str]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}/sep/api"
    finally:
        process.terminate()
        process.join()


@attrs.frozen(kw_only=True)
class Desk:
    """Makes packages of one document, every one different, and the bare requests for them."""

    url: str
    folder: Path | None = None
    """Where the documents lie as files; in memory without one."""
    ready: tuple[bytes, ...] = ()

    def content(self, number: int) -> bytes:
        mark = b"%%PDF-1.7 %08d" % number
        return mark + bytes(SIZE - len(mark))

    def package(self, number: int) -> Package:
        document = Document(
            id=f"d{number}",
            name="Согласие",
            form_code="KAV.0049",
            content=self._file(number) if self.folder else self.content(number),
            added_at=NOON,
        )
        return Package(
            id=f"p{number}",
            source=Source(kind=SourceKind.TALON, number="107200", created_at=NOON),
            patient=Patient(
                id="1",
                surname="Тестова",
                given_name="Анна",
                birth_date=date(1990, 5, 17),
                phone=Phone("+79990000001"),
            ),
            channel=SMS,
            documents=(document,),
        )

    def bare(self, number: int, *, ready: bool) -> dict[str, Any]:
        """Return the arguments of `httpx.Client.post`."""
        headers = {
            "Accept": "application/json",
            "Authorization": f"N3 {_TOKEN}",
            "N3-Organization": "1.2.643.2.69.1.2.999",
            "Idempotency-Key": str(uuid5(NAMESPACE_URL, str(number))),
        }
        request: dict[str, Any] = {"url": f"{self.url}/documents", "headers": headers}
        if ready:
            headers["Content-Type"] = "application/json"
            return request | {"content": self.ready[number % len(self.ready)]}
        content = self._file(number).read_bytes() if self.folder else self.content(number)
        document = {
            "id": f"d{number}",
            "name": "Согласие",
            "formCode": "KAV.0049",
            "content": base64.b64encode(content).decode(),
            "addedAt": NOON.isoformat(),
        }
        body = {
            "id": f"p{number}",
            "source": {
                "kind": "Талон на прием",
                "number": "107200",
                "createdAt": NOON.isoformat(),
            },
            "patient": {
                "surname": "Тестова",
                "givenName": "Анна",
                "birthDate": "1990-05-17",
                "id": "1",
                "phone": "+79990000001",
            },
            "channel": SMS,
            "documents": [document],
        }
        return request | {"json": body}

    def _file(self, number: int) -> Path:
        assert self.folder
        return self.folder / f"{number % FILES}.pdf"


@attrs.frozen
class Result:
    """Seconds by sender, and how much the process grew after the first slices."""

    seconds: dict[str, float]
    grown: float

    def __str__(self) -> str:
        ratio, ready = (self.seconds[one] / self.seconds["sdk"] for one in ("bare", "ready"))
        verdict = "" if ratio >= GOAL else f"  below {GOAL}"
        return f"{ratio:5.2f} of bare, {ready:.2f} of ready, {self.grown:+.1f} MB{verdict}"


class Race:
    """Lets the senders go in turns."""

    def __init__(self, count: int) -> None:
        self.seconds: dict[str, float] = {"bare": 0.0, "ready": 0.0, "sdk": 0.0}
        self._size = count // SLICES
        self._sizes: list[float] = []

    def heats(self) -> Iterator[tuple[str, range]]:
        order = list(self.seconds)
        for index in range(SLICES):
            numbers = range(index * self._size, (index + 1) * self._size)
            for name in order:
                began = time.perf_counter()
                yield name, numbers
                self.seconds[name] += time.perf_counter() - began
            order = [*order[1:], order[0]]
            self._sizes.append(resident())

    @property
    def result(self) -> Result:
        return Result(self.seconds, self._sizes[-1] - self._sizes[SLICES // 3])


def resident() -> float:
    """Return the megabytes that the process holds."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def blocking(desk: Desk, store: Store, count: int, width: int) -> Result:
    race = Race(count)
    with (
        new_client() as http,
        MedSign(settings(desk), store=store) as window,
        ThreadPoolExecutor(width) as pool,
    ):

        def post(number: int, *, ready: bool) -> None:
            # httpcore 1.0.9 may close a connection under a thread that waited for it
            # (encode/httpcore#1110); the SDK asks what became of the request and goes on.
            while True:
                with suppress(httpx.TransportError):
                    http.post(**desk.bare(number, ready=ready)).raise_for_status()
                    return

        bare, ready = partial(post, ready=False), partial(post, ready=True)

        def sdk(number: int) -> None:
            package = desk.package(number)
            window.sep.send(package, package.documents[0])

        senders: dict[str, Callable[[int], None]] = {"bare": bare, "ready": ready, "sdk": sdk}
        for name, numbers in race.heats():
            list(pool.map(senders[name], numbers))
    return race.result


async def asynchronous(desk: Desk, store: Store, count: int, width: int) -> Result:
    race = Race(count)
    async with new_async_client() as http, AsyncMedSign(settings(desk), store=store) as window:

        async def send(name: str, number: int) -> None:
            if name == "sdk":
                package = desk.package(number)
                await window.sep.send(package, package.documents[0])
            else:
                answer = await http.post(**desk.bare(number, ready=name == "ready"))
                answer.raise_for_status()

        async def work(name: str, numbers: Iterator[int]) -> None:
            for number in numbers:
                await send(name, number)

        for name, numbers in race.heats():
            left = iter(numbers)
            async with anyio.create_task_group() as group:
                for _ in range(width):
                    group.start_soon(work, name, left)
    return race.result


def settings(desk: Desk) -> Config:
    end = Endpoint(url=desk.url, token=_TOKEN, organization="1.2.643.2.69.1.2.999")
    return Config(services={"sep": end})


def octets_of_large_file(desk: Desk, folder: Path) -> str:
    """Return what sending one large file takes of memory."""
    large = folder / "large.pdf"
    with large.open("wb") as file:
        file.write(b"%PDF-1.7")
        file.truncate(LARGE)
    package = desk.package(0)
    document = attrs.evolve(package.documents[0], id="large", content=large)
    package = attrs.evolve(package, documents=(document,))
    with MedSign(settings(desk), store=MemoryStore()) as window:
        window.sep.send(desk.package(1), desk.package(1).documents[0])
        tracemalloc.start()
        window.sep.send(package, document)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return f"a file of {LARGE / 1e6:.0f} MB: {peak / 1e6:.1f} MB at most"


class Waiting(SqliteStore):
    """Takes the time of the appends that wait for the disk."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.waits: list[float] = []

    def append(self, *arguments: Any, durable: bool = True) -> int:
        began = time.perf_counter()
        try:
            return super().append(*arguments, durable=durable)
        finally:
            if durable:
                self.waits.append((time.perf_counter() - began) * 1e3)

    def __str__(self) -> str:
        middle, mean = statistics.median(self.waits), statistics.fmean(self.waits)
        return f", disk {middle:.2f} ms (mean {mean:.2f})"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with server() as url, ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        desk = Desk(url=url)
        for number in range(FILES):
            (folder / f"{number}.pdf").write_bytes(desk.content(number))
        desk = attrs.evolve(desk, ready=tuple(made(desk, number) for number in range(FILES)))
        desks = {"memory": desk, "files": attrs.evolve(desk, folder=folder)}
        print(octets_of_large_file(desk, folder))
        for place, keeping in (("memory", "forgets"), ("memory", "SQLite"), ("files", "SQLite")):
            print(f"documents in {place}, journal {keeping}")
            for width in WIDTHS:
                for colour in ("sync", "async"):
                    store: Store = MemoryStore()
                    if keeping == "SQLite":
                        store = Waiting(folder / f"{place}-{width}-{colour}.db")
                    if colour == "sync":
                        result = blocking(desks[place], store, count, width)
                    else:
                        result = anyio.run(asynchronous, desks[place], store, count, width)
                    store.close()
                    waited = store if isinstance(store, Waiting) else ""
                    print(f"  {colour:5} {width:2}: {result}{waited}", flush=True)


def made(desk: Desk, number: int) -> bytes:
    """Return the octets of a request, the same as the SDK's."""
    octets = httpx.Request("POST", **desk.bare(number, ready=False)).content
    assert octets == encode(desk.package(number))
    return octets


if __name__ == "__main__":
    main()
