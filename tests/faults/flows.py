"""Two calls of that service, and how to make them in each colour."""

from __future__ import annotations

from typing import Any

import anyio
import httpx

from medsign.exchange import Answer, AsyncDriver, Context, Driver, Flow

COLOURS = ("sync", "asyncio", "trio")


def perform(flow: Flow[Any], colour: str = "sync") -> Any:
    async def in_async() -> Any:
        async with httpx.AsyncClient() as http:
            return await AsyncDriver(http).run(flow)

    if colour != "sync":
        return anyio.run(in_async, backend=colour)
    with httpx.Client() as http:
        return Driver(http).run(flow)


def fetch(context: Context) -> Flow[Answer]:
    return context.fetch("get", context.request("GET", "letters/7"))


def create(context: Context, key: str = "k") -> Flow[Answer]:
    request = context.request("POST", "letters", body={"text": "a"})
    return context.create("create", request, key, kind=dict[str, str])
