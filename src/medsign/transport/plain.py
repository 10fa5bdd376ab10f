"""The httpx clients that medsign opens when it is given none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import httpx

OUT_OF_BAND: Final = "X-Out-Of-Band"
"""Where the `Location` of a redirect to a ``urn:`` is moved; httpx takes such a one for broken."""

# A clinic's line is slow and its gateway old: few connections, kept for long. All that may be open
# may be idle, too: httpcore takes away idle ones above the bound from threads about to use them.
LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=20, keepalive_expiry=30)


def new_client(
    transport: httpx.BaseTransport | None = None,
    mounts: Mapping[str, httpx.BaseTransport | None] | None = None,
) -> httpx.Client:
    """Open a client; whoever calls this closes it.

    Args:
        transport: Where requests go instead of the network, for instance a sandbox.
        mounts: Where requests to some addresses go, by httpx's patterns of them; ``None`` for
            where all others go.
    """
    hooks = {"response": [_set_aside]}
    return httpx.Client(transport=transport, mounts=mounts, event_hooks=hooks, **_options())


def new_async_client(
    transport: httpx.AsyncBaseTransport | None = None,
    mounts: Mapping[str, httpx.AsyncBaseTransport | None] | None = None,
) -> httpx.AsyncClient:
    """Open a client for asyncio and trio; otherwise as `new_client`."""
    hooks = {"response": [_async_set_aside]}
    return httpx.AsyncClient(transport=transport, mounts=mounts, event_hooks=hooks, **_options())


def _options() -> dict[str, Any]:
    return {
        "limits": LIMITS,
        # A proxy or a trust store set by an environment variable would switch behaviour silently.
        "trust_env": False,
        # A redirect would carry documents and tokens to an address nobody configured.
        "follow_redirects": False,
    }


def _set_aside(response: httpx.Response) -> None:
    if response.headers.get("location", "").startswith("urn:"):
        response.headers[OUT_OF_BAND] = response.headers.pop("location")


async def _async_set_aside(response: httpx.Response) -> None:
    _set_aside(response)
