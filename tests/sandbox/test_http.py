from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from medsign.sandbox import Fault, FaultKind

pytest.importorskip("uvicorn", reason="needs the extra `sandbox`")


@pytest.fixture
def live(sandbox) -> Iterator[httpx.Client]:
    from medsign.sandbox.http import server

    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    uvicorn = server(sandbox, port=0)
    thread = threading.Thread(target=uvicorn.run, daemon=True)
    thread.start()
    while not uvicorn.started:
        time.sleep(0.01)
    port = uvicorn.servers[0].sockets[0].getsockname()[1]
    token = sandbox.endpoint("post").token
    with httpx.Client(
        base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {token}"}, timeout=1
    ) as client:
        yield client
    uvicorn.should_exit = True
    thread.join(30)


def send(live: httpx.Client) -> httpx.Response:
    return live.post(
        "/post/letters", json={"text": "Здравствуйте"}, headers={"Idempotency-Key": "k"}
    )


def test_the_same_handler_answers_over_http(live):
    assert send(live).status_code == 201
    assert live.get("/post/letters", params={"limit": 1}).json() == {
        "items": [{"text": "Здравствуйте"}]
    }


def test_a_second_line_of_a_field_is_not_lost(live):
    two_lines = [("Idempotency-Key", "k"), ("Idempotency-Key", "l")]
    for headers in (two_lines, [("Idempotency-Key", "k, l")]):
        assert live.post("/post/letters", json={"text": "x"}, headers=headers).status_code == 201
    assert len(live.get("/post/letters", params={"limit": 9}).json()["items"]) == 1


@pytest.mark.parametrize(
    "kind, error",
    [
        (FaultKind.TIMEOUT, httpx.ReadTimeout),
        (FaultKind.RESET_AFTER, httpx.RemoteProtocolError),
        (FaultKind.TRUNCATED, httpx.RemoteProtocolError),
    ],
)
def test_faults_strike_on_the_socket(live, sandbox, kind, error):
    sandbox.world.faults.add(Fault(kind=kind, match="post.*"))
    with pytest.raises(error):
        send(live)
    assert send(live).headers["Idempotent-Replay"] == "true"


def test_a_slow_answer_comes_at_last(live, sandbox):
    sandbox.world.faults.add(Fault(kind=FaultKind.SLOW_BODY, seconds=0.05))
    assert send(live).json() == {"text": "Здравствуйте"}
