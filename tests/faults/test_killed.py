"""A call whose process was killed, or whose machine lost its power, is never made twice."""

from __future__ import annotations

import subprocess
import sys
import threading
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
print("closed", flush=True)
sys.stdin.readline()
"""


class Post:
    """A service that does what it is asked under a key, and remembers the key."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def deliver(self, request: server.Request) -> server.Delivery:
        if request.method == "POST":
            self.done.append(request.headers["idempotency-key"])
        known = request.method == "POST" or request.path.rpartition("/")[2] in self.done
        body = b'{"id": "7"}' if known else b'{"code": "operation-not-found"}'
        return server.Delivery(Reply(201 if known else 404, {}, body))


def send(front: Server, store: SqliteStore) -> bytes:
    with httpx.Client() as http:
        context = Context(service="post", base_url=front.url, store=store)
        request = context.request("POST", "letters", body={"text": "письмо"})
        return Driver(http).run(context.create("create", request, "order-7")).body


def unfinished(store: SqliteStore) -> list[tuple[str, str]]:
    calls = Context(service="post", base_url="https://post.test", store=store).ledger.unfinished()
    return [(call.operation, call.key) for call in calls]


def test_a_killed_process_resumes_from_its_journal_without_a_second_request(tmp_path: Path) -> None:
    post = Post()
    arrived = threading.Event()

    def keep_silent(exchange: Exchange) -> None:
        exchange.carry_out()
        arrived.set()
        exchange.stall()

    journal = tmp_path / "journal.db"
    with Server(lambda _: keep_silent) as front:
        front.deliver = post.deliver
        child = subprocess.Popen([sys.executable, "-c", PROGRAM, front.url, str(journal)])
        try:
            assert arrived.wait(30)
        finally:
            child.kill()  # SIGKILL: nothing in the child runs any more
            child.wait()
        front.choose = lambda _: server.well

        with SqliteStore(journal) as store:
            assert unfinished(store) == [("post.create", "order-7")]
            assert send(front, store) == b'{"id": "7"}'
            assert unfinished(store) == []

    assert post.done == ["order-7"]
    assert front.seen == [("POST", "/letters"), ("GET", "/operations/order-7")]


def test_a_process_killed_right_after_its_call_has_lost_nothing(tmp_path: Path) -> None:
    post = Post()
    journal = tmp_path / "journal.db"
    with Server(lambda _: server.well) as front:
        front.deliver = post.deliver
        with subprocess.Popen(
            [sys.executable, "-c", PROGRAM, front.url, str(journal)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as child:
            assert child.stdout
            said = child.stdout.readline()
            child.kill()
    assert said == b"closed\n"
    with SqliteStore(journal) as store:
        assert unfinished(store) == []


def test_a_call_whose_outcome_a_power_cut_took_is_asked_for_and_not_made_again(
    tmp_path: Path,
) -> None:
    post = Post()
    journal, after = tmp_path / "journal.db", tmp_path / "after.db"
    log = tmp_path / "journal.db-wal"
    on_disk: list[int] = []

    def deliver(request: server.Request) -> server.Delivery:
        if request.method == "POST":
            on_disk.append(log.stat().st_size)
        return post.deliver(request)

    with Server(lambda _: server.well) as front:
        front.deliver = deliver
        with SqliteStore(journal) as store:
            send(front, store)
            assert unfinished(store) == []
            after.write_bytes(journal.read_bytes())
            (tmp_path / "after.db-wal").write_bytes(log.read_bytes()[: on_disk[0]])

        with SqliteStore(after) as store:
            assert unfinished(store) == [("post.create", "order-7")]
            assert send(front, store) == b'{"id": "7"}'
            assert unfinished(store) == []

    assert post.done == ["order-7"]
    assert front.seen == [("POST", "/letters"), ("GET", "/operations/order-7")]
