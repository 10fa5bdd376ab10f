"""The client and the sandbox with a real socket between them."""

from __future__ import annotations

import threading
import time

import httpx
import pytest

from medsign.ca import Ca, RequestState, Scenario, ca_context
from medsign.exchange import Driver
from medsign.signers import SoftwareKey

pytest.importorskip("uvicorn", reason="needs the extra `sandbox`")


@pytest.fixture
def url(sandbox):
    from medsign.sandbox.http import server

    uvicorn = server(sandbox, port=0)
    thread = threading.Thread(target=uvicorn.run, daemon=True)
    thread.start()
    while not uvicorn.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{uvicorn.servers[0].sockets[0].getsockname()[1]}"
    uvicorn.should_exit = True
    thread.join(30)


@pytest.mark.req("F063", "F113")
def test_a_certificate_is_issued_over_http(url, order, files):
    with httpx.Client(base_url=url) as http:
        world = http.get("/_sandbox/world").json()["services"]["ca"]
        context = ca_context(base_url=f"{url}/ca", token=world["tokens"][0])

        def sleep(seconds: float) -> None:
            http.post("/_sandbox/clock/advance", json={"seconds": seconds})

        ca = Ca(context, Driver(http, sleep=sleep))
        key = SoftwareKey.generate()
        request = ca.wait(ca.apply(order(key=key), files).id)
        ca.identify(request.id, Scenario.EPGU)
        for action in ("epgu", "payment"):
            http.post(f"/ca/office/requests/{request.id}/{action}").raise_for_status()
        request = ca.wait(request.id)
        assert request.state == RequestState.ISSUED
        assert key.certified(ca.download(request.id)).certificate.identification_kind == 3
