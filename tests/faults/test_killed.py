"""A process killed between "sent" and "answered" goes on after its restart."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import httpx
from tests.faults import server
from tests.faults.server import Exchange, Server

from medsign.exchange import Context, Driver
from medsign.sandbox.routing import Reply
from medsign.store import SqliteStore

PROGRAM = """
import sys
from pathlib import Path

import httpx

from medsign.exchange import Context, Driver
from medsign.store import SqliteStore

url, journal = sys.argv[1:]
store = SqliteStore(Path(journal))
with httpx.Client() as http:
    context = Context(service="post", base_url=url, store=store)
    request = context.request("POST", "letters", body={"text": "письмо"})
    Driver(http).run(context.create("create", request, "order-7"))
"""


def test_a_killed_process_resumes_from_its_journal_without_a_second_request(tmp_path: Path) -> None:
    done: list[str] = []
    arrived = threading.Event()

    def deliver(request: server.Request) -> server.Delivery:
        if request.method == "POST":
            done.append(request.headers["idempotency-key"])
        known = request.method == "POST" or request.path.rpartition("/")[2] in done
        body = b'{"id": "7"}' if known else b'{"code": "operation-not-found"}'
        return server.Delivery(Reply(201 if known else 404, {}, body))

    def keep_silent(exchange: Exchange) -> None:
        exchange.carry_out()
        arrived.set()
        exchange.stall()

    journal = tmp_path / "journal.db"
    with Server(lambda _: keep_silent) as front:
        front.deliver = deliver
        child = subprocess.Popen([sys.executable, "-c", PROGRAM, front.url, str(journal)])
        try:
            assert arrived.wait(30)
        finally:
            child.kill()  # SIGKILL: nothing in the child runs any more
            child.wait()
        front.choose = lambda _: server.well

        with closing(SqliteStore(journal)) as store, httpx.Client() as http:
            context = Context(service="post", base_url=front.url, store=store)
            [unfinished] = context.ledger.unfinished()
            assert (unfinished.operation, unfinished.key) == ("post.create", "order-7")
            request = context.request("POST", "letters", body={"text": "письмо"})
            answer = Driver(http).run(context.create("create", request, "order-7"))
            assert answer.body == b'{"id": "7"}'
            assert list(context.ledger.unfinished()) == []

    assert done == ["order-7"]
    assert front.seen == [("POST", "/letters"), ("GET", "/operations/order-7")]
