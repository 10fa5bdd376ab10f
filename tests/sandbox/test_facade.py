"""The whole fake world in one object: both colours, and what it has not."""

from __future__ import annotations

from pathlib import Path

import anyio
import httpx
import pytest

from medsign.errors import StoreError, UsageError
from medsign.sandbox import Sandbox, World
from medsign.sandbox.ekp import EkpService
from medsign.sandbox.sep import SepService


def test_one_transport_serves_both_colours():
    async def status(transport: httpx.AsyncBaseTransport) -> int:
        async with httpx.AsyncClient(transport=transport) as http:
            return (await http.get("https://sandbox.medsign.test/openapi.json")).status_code

    with Sandbox([]) as sandbox:
        transport = sandbox.transport()
        with httpx.Client(transport=transport) as http:
            assert http.get(f"{sandbox.base_url}/openapi.json").status_code == 200
        assert anyio.run(status, transport) == 200


def test_a_window_over_the_world_may_send_by_a_client_of_ones_own():
    with (
        Sandbox() as sandbox,
        sandbox.http() as http,
        sandbox.connect(http=http) as window,
    ):
        assert list(window.ca.certificates()) == []


def test_a_service_that_is_not_there_is_named():
    with Sandbox([EkpService]) as sandbox:
        with pytest.raises(UsageError, match="'sep'"):
            sandbox.endpoint("sep")
        with pytest.raises(UsageError, match="SepService"):
            sandbox.service(SepService)


def test_a_world_that_is_not_made_closes_its_file(tmp_path: Path):
    worlds: list[World] = []

    def broken(world: World) -> EkpService:
        worlds.append(world)
        raise NotImplementedError

    with pytest.raises(NotImplementedError):
        Sandbox([broken], path=tmp_path / "world.db")
    with pytest.raises(StoreError, match="closed"):
        worlds[0].tokens.of("ekp")
