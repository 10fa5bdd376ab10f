"""One small service behind a server that misbehaves as it is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import tenacity
from tests.faults import server
from tests.faults.server import Server

from medsign.exchange import Context, RetryPolicy
from medsign.sandbox.routing import Reply


@pytest.fixture
def front() -> Iterator[Server]:
    with Server() as front:
        reply = Reply(200, {"Content-Type": "application/json"}, b'{"id": "7"}')
        front.deliver = lambda _: server.Delivery(reply)
        yield front


@pytest.fixture
def context(front: Server) -> Context:
    policy = RetryPolicy(attempts=1, backoff=tenacity.wait_fixed(0), total=1.0, timeout=0.5)
    return Context(service="post", base_url=front.url, policy=policy)
