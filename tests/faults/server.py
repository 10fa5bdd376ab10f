"""A server on a real socket that stands before a sandbox and misbehaves as a table says.

It reads HTTP/1.1 by itself, so nothing on the way is nicer to the client than a bare socket is:
connections are reset, answers stall, drip, lie about their length and never end.
"""

from __future__ import annotations

import gzip
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import cache
from types import TracebackType
from typing import Any, Self

import attrs
import httpx

from medsign.clock import Clock, SystemClock
from medsign.sandbox.desk import Delivery
from medsign.sandbox.routing import Reply, Request

Deliver = Callable[[Request], Delivery]
PAUSE = 0.04
"""Seconds between two octets of an answer that drips."""
SECOND = timedelta(seconds=1)
_CHUNK = b"\0" * 65536
_JSON = {"Content-Type": "application/json"}
GHOST = Reply(200, _JSON, b'{"id": "ghost"}')
"""An answer to nobody's request."""


class _Gone(Exception):
    """The client hung up, or the server is being stopped."""


@attrs.define
class Exchange:
    """One request on a connection, as far as it has been read, and ways to maltreat its sender.

    Attributes:
        method: HTTP method.
        target: Path and query.
        headers: By lower-case name.
        keep: Whether the connection serves another request afterwards.
    """

    server: Server
    _socket: socket.socket
    _input: Any
    method: str = ""
    target: str = ""
    headers: dict[str, str] = attrs.field(factory=dict)
    keep: bool = False
    _request: Request | None = None

    def read_head(self) -> bool:
        """Read up to the body; false when there is no further request."""
        first = self._input.readline().decode("latin-1").split()
        if len(first) != 3:
            return False
        self.method, self.target, _ = first
        while line := self._input.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            self.headers[name.lower()] = value.strip()
        return True

    def read(self) -> Request:
        """Read the rest of the request."""
        if self._request is None:
            url = httpx.URL(f"{self.server.url}{self.target}")
            self._request = Request(
                method=self.method,
                path=url.path,
                query=dict(url.params),
                headers=self.headers,
                body=b"".join(self._body()),
                target=str(url),
            )
        return self._request

    def _body(self) -> Iterator[bytes]:
        if "chunked" in self.headers.get("transfer-encoding", ""):
            while size := int(self._input.readline(), 16):
                yield self._input.read(size)
                self._input.readline()
            self._input.readline()
        elif size := int(self.headers.get("content-length", "0")):
            body = self._input.read(size)
            if len(body) < size:
                raise _Gone
            yield body

    def carry_out(self) -> Reply:
        """Let the sandbox do what was asked and return what it says."""
        reply = self.server.deliver(self.read()).reply
        assert reply is not None
        return reply

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def answer(self, reply: Reply, **changes: Any) -> None:
        """Send a reply, its head and its body."""
        self.send(head(attrs.evolve(reply, **changes)) + changes.get("body", reply.body))

    def refuse(self, status: int, **headers: str) -> None:
        """Read the request, do nothing and answer with a status."""
        self.read()
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        text = b'{"code":"staged","title":"\xd0\xa2\xd0\xb5\xd1\x81\xd1\x82"}'
        self.answer(Reply(status, {**_JSON, **fields}, text))
        self.keep = True

    def reset(self) -> None:
        """Break the connection so that the client sees RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def stall(self) -> None:
        """Send nothing more until the client hangs up."""
        with suppress(OSError):
            while self._socket.recv(65536):
                pass

    def stall_unread(self) -> None:
        """Read nothing more, and answer nothing, until the server stops."""
        self.server.stopped.wait()

    def drip(self, data: bytes) -> None:
        for octet in data:
            self.send(bytes([octet]))
            if self.server.stopped.wait(PAUSE):
                raise _Gone


def head(reply: Reply, **fields: str | None) -> bytes:
    """Return the head of an answer; a field may be replaced, or left out as ``None``."""
    given = {"Content-Length": str(len(reply.body)), **reply.headers}
    given |= {name.replace("_", "-"): value for name, value in fields.items() if value}
    dropped = {name.replace("_", "-") for name, value in fields.items() if value is None}
    lines = [f"{name}: {value}" for name, value in given.items() if name not in dropped]
    return "\r\n".join([f"HTTP/1.1 {reply.status} Staged", *lines, "", ""]).encode()


Act = Callable[[Exchange], None]


def well(exchange: Exchange) -> None:
    """Do what was asked and say so."""
    exchange.answer(exchange.carry_out())
    exchange.keep = True


def refuse_all(exchange: Exchange) -> None:
    """Do nothing for anybody."""
    exchange.refuse(500)


class Server:
    """The server; it stops with its ``with`` block.

    Args:
        choose: What happens to a request, by what has been read of it: its head.
        elsewhere: Where redirects lead.
        clock: Of the world, for the dates in answers.

    Attributes:
        seen: Methods and targets of all requests, in order.
        tokens: Whatever came in ``Authorization``.
    """

    deliver: Deliver

    def __init__(
        self,
        choose: Callable[[Exchange], Act] = lambda _: well,
        elsewhere: str = "",
        clock: Clock | None = None,
    ) -> None:
        self.choose = choose
        self.elsewhere = elsewhere
        self.clock = clock or SystemClock()
        self.seen: list[tuple[str, str]] = []
        self.tokens: list[str] = []
        self.stopped = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self._open.add(connection)
                serve = threading.Thread(target=self._serve, args=[connection], daemon=True)
                self._threads.append(serve)
                serve.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream, suppress(OSError, _Gone):
            keep = True
            while keep:
                exchange = Exchange(self, connection, stream)
                if not exchange.read_head():
                    break
                self.seen.append((exchange.method, exchange.target))
                self.tokens += [t for t in [exchange.headers.get("authorization")] if t]
                self.choose(exchange)(exchange)
                keep = exchange.keep
        self._open.discard(connection)

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stopped.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in [*self._open]:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in [*self._threads]:
            thread.join(5)


# What may go wrong. Each takes an exchange whose head has been read, nothing of its body.


def reset_before_the_body(exchange: Exchange) -> None:
    exchange.reset()


def reset_undone(exchange: Exchange) -> None:
    exchange.read()
    exchange.reset()


def reset_done(exchange: Exchange) -> None:
    exchange.carry_out()
    exchange.reset()


def close_undone(exchange: Exchange) -> None:
    exchange.read()


def close_done(exchange: Exchange) -> None:
    exchange.carry_out()


def stall_undone(exchange: Exchange) -> None:
    exchange.read()
    exchange.stall()


def stall_done(exchange: Exchange) -> None:
    exchange.carry_out()
    exchange.stall()


def stall_in_the_head(exchange: Exchange) -> None:
    exchange.send(head(exchange.carry_out())[:20])
    exchange.stall()


def stall_in_the_body(exchange: Exchange) -> None:
    reply = exchange.carry_out()
    exchange.send(head(reply) + reply.body[:1])
    exchange.stall()


def drip_the_head(exchange: Exchange) -> None:
    exchange.drip(head(exchange.carry_out()) * 100)


def drip_the_body(exchange: Exchange) -> None:
    exchange.send(head(exchange.carry_out(), Content_Length="1000"))
    exchange.drip(b" " * 1000)


def cut_by_length(exchange: Exchange) -> None:
    reply = exchange.carry_out()
    exchange.send(head(reply, Content_Length=str(len(reply.body) + 100)) + reply.body)


def cut_by_chunk(exchange: Exchange) -> None:
    reply = exchange.carry_out()
    exchange.send(_chunked(reply) + b"%x\r\n%s\r\n" % (len(reply.body) or 1, reply.body or b" "))


def too_long(exchange: Exchange) -> None:
    exchange.send(head(exchange.carry_out(), Content_Length=str(1 << 40)))
    _without_end(exchange, _CHUNK)


def endless(exchange: Exchange) -> None:
    exchange.send(_chunked(exchange.carry_out()))
    _without_end(exchange, b"%x\r\n%s\r\n" % (len(_CHUNK), _CHUNK))


def gzip_bomb(exchange: Exchange, times: int = 1) -> None:
    body, codings = bomb(), ", ".join(["gzip"] * times)
    for _ in range(times - 1):
        body = gzip.compress(body)
    exchange.answer(exchange.carry_out(), body=body, headers={**_JSON, "Content-Encoding": codings})


def false_gzip(exchange: Exchange) -> None:
    reply = exchange.carry_out()
    exchange.answer(reply, headers={**reply.headers, "Content-Encoding": "gzip"})


def another_page(exchange: Exchange) -> None:
    """Answer as a proxy does that wants somebody to log in."""
    exchange.read()
    page = b"<html><body>Log in to use the network</body></html>"
    exchange.answer(Reply(200, {"Content-Type": "text/html"}, page))


def other_body(content: bytes, exchange: Exchange) -> None:
    reply = exchange.carry_out()
    exchange.answer(reply, body=content, status=reply.status)


def no_content(exchange: Exchange) -> None:
    exchange.carry_out()
    exchange.send(b"HTTP/1.1 204 No Content\r\n\r\n")


def raw(text: bytes, exchange: Exchange) -> None:
    exchange.carry_out()
    exchange.send(text)


def large_head(exchange: Exchange) -> None:
    raw(b"HTTP/1.1 200 OK\r\nX-Bomb: " + b"A" * 400_000, exchange)


def many_fields(exchange: Exchange) -> None:
    exchange.carry_out()
    exchange.send(b"HTTP/1.1 200 OK\r\n")
    _without_end(exchange, b"X-Bomb: A\r\n" * 5000)


def endless_trailers(exchange: Exchange) -> None:
    exchange.send(_chunked(exchange.carry_out()) + b"0\r\n")
    _without_end(exchange, b"X-Bomb: A\r\n" * 5000)


def redirect(number: int, exchange: Exchange) -> None:
    exchange.refuse(number, Location=f"{exchange.server.elsewhere}{exchange.target}")


def twice(exchange: Exchange) -> None:
    """Deliver the request twice, as a proxy does that repeats by itself."""
    exchange.carry_out()
    well(exchange)


def early(exchange: Exchange) -> None:
    """Answer before the body has come, and hang up."""
    exchange.answer(Reply(503, {**_JSON, "Connection": "close"}, b"{}"))


def hang_up_idle(exchange: Exchange) -> None:
    """Promise to keep the connection, and close it."""
    exchange.answer(exchange.carry_out())


def informed(exchange: Exchange) -> None:
    """Send informational answers before the final one."""
    exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    exchange.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
    well(exchange)


def informed_without_end(exchange: Exchange) -> None:
    exchange.carry_out()
    while not exchange.server.stopped.wait(PAUSE):
        exchange.send(b"HTTP/1.1 102 Processing\r\n\r\n")


def junk_after(exchange: Exchange) -> None:
    exchange.answer(exchange.carry_out())
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


def surplus(exchange: Exchange) -> None:
    """Send two answers in one piece, and keep the connection."""
    reply = exchange.carry_out()
    exchange.send(head(reply) + reply.body + head(GHOST) + GHOST.body)
    exchange.keep = True


def half_surplus(exchange: Exchange) -> None:
    """Send an answer and the beginning of another in one piece, and keep the connection."""
    reply = exchange.carry_out()
    exchange.send(head(reply) + reply.body + b"HTTP/1.1 204 No Content\r\nX-Junk: ")
    exchange.keep = True


def error_done(status: int, exchange: Exchange) -> None:
    exchange.carry_out()
    exchange.answer(Reply(status, {"Content-Type": "text/html"}, b"<html>Bad Gateway</html>"))


def _chunked(reply: Reply) -> bytes:
    return head(reply, Content_Length=None, Transfer_Encoding="chunked")


def _without_end(exchange: Exchange, piece: bytes) -> None:
    while not exchange.server.stopped.is_set():
        exchange.send(piece)


@cache
def bomb() -> bytes:
    """Return 64 MiB of nothing, packed to a few kilobytes."""
    return gzip.compress(bytes(64 * 1024 * 1024), compresslevel=1)
