from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta

import anyio
import httpx
import pytest

from medsign.clock import ManualClock
from medsign.sandbox import Fault, FaultKind, RunningClock, Sandbox

LETTER = {"text": "Здравствуйте"}


def send(http: httpx.Client, key: str = "k1", letter: object = LETTER) -> httpx.Response:
    return http.post("/letters", json=letter, headers={"Idempotency-Key": key})


def stored(sandbox: Sandbox) -> int:
    return len(list(sandbox.services[0].letters().items()))


def test_the_same_key_and_body_replay_the_original_reply(http, sandbox):
    first, again = send(http), send(http)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Idempotent-Replay"] == "true"
    assert "Idempotent-Replay" not in first.headers
    assert stored(sandbox) == 1


def test_the_same_key_with_another_body_is_refused(http, sandbox):
    send(http)
    refused = send(http, letter={"text": "Другое"})
    assert (refused.status_code, refused.json()["code"]) == (409, "idempotency-key-reused")
    assert stored(sandbox) == 1


def test_a_creating_call_without_a_key_is_refused(http):
    refused = http.post("/letters", json=LETTER)
    assert (refused.status_code, refused.json()["code"]) == (400, "idempotency-key-missing")


def test_an_operation_tells_its_original_reply(http):
    sent = send(http, "k7")
    told = http.get("/operations/k7")
    assert (told.status_code, told.content) == (sent.status_code, sent.content)


def test_an_operation_never_carried_out_is_not_found(http):
    send(http, "bad", {"text": 1})
    told = http.get("/operations/bad")
    assert (told.status_code, told.json()["code"]) == (404, "operation-not-found")


def test_a_refusal_leaves_no_trace(http, sandbox):
    refused = send(http, letter={"text": "Толстое", "pages": 10})
    assert (refused.status_code, refused.headers["Content-Type"]) == (
        422,
        "application/problem+json",
    )
    assert refused.json()["titleRu"] == "Слишком много страниц"
    assert stored(sandbox) == 0


def test_every_reply_names_its_request(http):
    assert send(http).headers["X-Request-Id"]
    refused = http.get("/nowhere", headers={"X-Request-Id": "mine"})
    assert refused.headers["X-Request-Id"] == refused.json()["requestId"] == "mine"


@pytest.mark.parametrize(
    "headers, status",
    [
        ({"Authorization": "Bearer nobody"}, 401),
        ({"Authorization": ""}, 401),
        ({"Authorization": "N3 nobody"}, 401),
    ],
)
def test_an_unknown_token_is_refused(http, headers, status):
    assert http.get("/letters", headers=headers).status_code == status


def test_a_token_of_another_service_is_forbidden(http, sandbox):
    token = sandbox.endpoint("telegraph").token
    refused = http.get("/letters", headers={"Authorization": f"Bearer {token}"})
    assert refused.status_code == 403


def test_a_service_has_its_own_scheme(http, sandbox):
    url, token = sandbox.endpoint("telegraph").url, sandbox.endpoint("telegraph").token
    assert http.get(url + "/letters", headers={"Authorization": f"N3 {token}"}).is_success
    refused = http.get(url + "/letters", headers={"Authorization": f"Bearer {token}"})
    assert refused.headers["WWW-Authenticate"] == "N3"


def test_no_clinic_meets_the_operations_of_another(http, sandbox):
    for owner, key in (("Клиника", "17 18"), ("Клиника 17", "18")):
        token = sandbox.world.tokens.issue("post", owner)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        sent = http.post("/letters", json={"text": owner}, headers=headers)
        assert sent.json()["text"] == owner


def test_pages_join_into_the_whole_listing(http):
    for number in range(5):
        send(http, f"k{number}", {"text": str(number)})
    texts, query = [], {"limit": "2"}
    while True:
        page = http.get("/letters", params=query).json()
        texts += [letter["text"] for letter in page["items"]]
        if "nextCursor" not in page:
            break
        query["cursor"] = page["nextCursor"]
    assert texts == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("query", [{"cursor": "nobody"}, {"limit": "0"}, {"limit": "x"}])
def test_a_page_that_cannot_be_is_refused(http, query):
    assert http.get("/letters", params=query).json()["code"] == "page-invalid"


def test_a_wrong_method_is_told_the_right_ones(http):
    refused = http.delete("/letters")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, POST")


def test_a_body_of_another_type_is_refused(http):
    refused = http.post("/letters", content=b"x", headers={"Idempotency-Key": "k"})
    assert refused.status_code == 415
    assert send(http, letter={"text": 1}).json()["code"] == "malformed-request"


@pytest.mark.parametrize(
    "kind, error, carried_out",
    [
        (FaultKind.CONNECT, httpx.ConnectError, False),
        (FaultKind.TIMEOUT_BEFORE, httpx.ReadTimeout, False),
        (FaultKind.TIMEOUT, httpx.ReadTimeout, True),
        (FaultKind.RESET_BEFORE, httpx.ReadError, False),
        (FaultKind.RESET_AFTER, httpx.ReadError, True),
        (FaultKind.TRUNCATED, httpx.RemoteProtocolError, True),
    ],
)
def test_a_fault_strikes_before_or_after_the_work(http, sandbox, kind, error, carried_out):
    sandbox.world.faults.add(Fault(kind=kind, match="post.letter.create"))
    with pytest.raises(error):
        send(http)
    assert stored(sandbox) == carried_out
    assert send(http).headers.get("Idempotent-Replay") == ("true" if carried_out else None)


def test_a_staged_status_says_when_to_come_again(http, sandbox):
    fault = Fault(kind=FaultKind.STATUS, match="/post/*", status=429, retry_after=3, times=2)
    sandbox.world.faults.add(fault)
    statuses = [send(http).status_code for _ in range(3)]
    assert statuses == [429, 429, 201]


def test_a_dripping_answer_moves_the_world_s_time(http, sandbox):
    sandbox.world.faults.add(Fault(kind=FaultKind.SLOW_BODY, seconds=30))
    assert send(http).json() == LETTER
    assert sandbox.clock.monotonic() == 30


def test_both_colours_reach_the_same_world(http, sandbox):
    async def listed() -> int:
        endpoint = sandbox.endpoint("post")
        async with httpx.AsyncClient(
            transport=sandbox.async_transport(),
            headers={"Authorization": f"Bearer {endpoint.token}"},
        ) as client:
            return len((await client.get(endpoint.url + "/letters")).json()["items"])

    send(http)
    assert anyio.run(listed) == 1


def test_the_world_survives_a_restart(tmp_path):
    from medsign.sandbox import Shelf

    path = tmp_path / "world.sqlite"
    for pages in (1, 2):
        with Sandbox([], path=path) as sandbox:
            drawer = sandbox.world.drawer("pages", int)
            assert drawer.get("x") == (None if pages == 1 else 1)
            drawer.put("x", pages)
    with closing(Shelf(path)) as shelf:
        assert shelf.drawer("pages", int).get("x") == 2


def test_rival_threads_with_one_key_create_one_thing(http, sandbox):
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: send(http), range(16)))
    assert {reply.status_code for reply in replies} == {201}
    assert stored(sandbox) == 1


def test_a_token_expires_by_the_clock(http, sandbox):
    token = sandbox.world.tokens.issue("post", "МИС", lifetime=timedelta(minutes=5))
    headers = {"Authorization": f"Bearer {token}"}
    assert http.get("/letters", headers=headers).is_success
    sandbox.clock.advance(timedelta(minutes=5))
    assert http.get("/letters", headers=headers).status_code == 401


def test_a_running_clock_runs_on_from_where_it_was_set():
    base = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    clock = RunningClock(base)
    clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    base.advance(timedelta(hours=1))
    assert clock.now() == datetime(2030, 1, 1, 1, tzinfo=UTC)
    assert clock.monotonic() == 3600


def test_a_path_of_no_service_is_not_found(http, sandbox):
    refused = http.get(sandbox.base_url + "/nowhere")
    assert (refused.status_code, refused.json()["code"]) == (404, "path-not-found")


def test_a_page_that_ends_with_the_listing_is_the_last(http):
    for number in range(2):
        send(http, f"k{number}", {"text": str(number)})
    first = http.get("/letters", params={"limit": "1"}).json()
    assert [letter["text"] for letter in first["items"]] == ["0"]
    assert "nextCursor" not in http.get("/letters", params={"limit": "2"}).json()


@pytest.mark.parametrize("wait, header", [(3, "3"), (None, None)])
def test_a_staged_refusal_carries_its_wait(http, sandbox, wait, header):
    sandbox.world.faults.add(Fault(kind=FaultKind.STATUS, status=429, retry_after=wait))
    assert http.get("/letters").headers.get("Retry-After") == header
