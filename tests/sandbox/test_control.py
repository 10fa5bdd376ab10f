from __future__ import annotations


def test_time_is_set_and_moved(http, sandbox):
    root = sandbox.base_url + "/_sandbox/clock"
    assert http.get(root).json() == {"now": "2026-07-01T09:00:00+00:00"}
    http.put(root, json={"now": "2026-08-01T12:00:00+03:00"})
    moved = http.post(root + "/advance", json={"seconds": 90})
    assert moved.json() == {"now": "2026-08-01T09:01:30+00:00"}
    assert sandbox.clock.now().isoformat() == "2026-08-01T09:01:30+00:00"


def test_time_does_not_go_back_by_advancing(http, sandbox):
    refused = http.post(sandbox.base_url + "/_sandbox/clock/advance", json={"seconds": -1})
    assert refused.status_code == 422


def test_a_fault_is_planned_listed_and_cleared(http, sandbox):
    root = sandbox.base_url + "/_sandbox/faults"
    assert http.post(root, json={"kind": "status", "match": "post.*", "status": 500}).is_success
    assert http.get("/letters").status_code == 500
    http.post(root, json={"kind": "timeout", "times": 2})
    assert http.get(root).json()["items"] == [{"kind": "timeout", "times": 2}]
    assert http.delete(root).status_code == 204
    assert http.get("/letters").is_success


def test_a_fault_strikes_no_lever_of_the_tester(http, sandbox):
    http.post(sandbox.base_url + "/_sandbox/faults", json={"kind": "timeout", "match": "*"})
    assert http.get(sandbox.base_url + "/_sandbox/faults").json()["items"]


def test_what_was_sent_to_people_is_in_the_outbox(http, sandbox):
    sandbox.world.send("sms", "+79990000000", "Код 123456")
    (message,) = http.get(sandbox.base_url + "/_sandbox/outbox").json()["items"]
    assert (message["channel"], message["text"]) == ("sms", "Код 123456")


def test_the_world_tells_addresses_and_tokens(http, sandbox):
    services = http.get(sandbox.base_url + "/_sandbox/world").json()["services"]
    assert services["post"] == {
        "title": "Почта",
        "url": "https://sandbox.medsign.test/post",
        "scheme": "Bearer",
        "tokens": [sandbox.endpoint("post").token],
    }
