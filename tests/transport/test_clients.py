"""Clients that medsign opens: no surprise from the environment, no secret in a repr."""

from __future__ import annotations

import httpx
import pytest

from medsign.transport import Token, new_async_client, new_client


@pytest.mark.req("F193")
def test_a_token_goes_into_the_header_as_n3_wants_it() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Authorization"])
        return httpx.Response(200)

    with new_client(httpx.MockTransport(answer)) as http:
        http.get("https://b2b.test", auth=Token("N3", "d19f9083"))
    assert seen == ["N3 d19f9083"]


def test_a_token_does_not_show() -> None:
    assert "d19f9083" not in repr(Token("N3", "d19f9083"))


@pytest.mark.parametrize("make", [new_client, new_async_client])
def test_no_variable_of_the_environment_switches_behaviour(
    make: type[httpx.Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    assert make().trust_env is False


def test_a_redirect_is_not_followed() -> None:
    moved = httpx.MockTransport(
        lambda _: httpx.Response(302, headers={"Location": "https://elsewhere.test"})
    )
    with new_client(moved) as http:
        assert http.post("https://b2b.test", content=b"x").status_code == 302
