"""The httpx clients that medsign opens when it is given none."""

from __future__ import annotations

from typing import Any

import httpx

# A clinic's line is slow and its gateway old: few connections, kept for long.
_LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=30)


def new_client(transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """Open a client; whoever calls this closes it.

    Args:
        transport: Where requests go instead of the network, for instance a sandbox.
    """
    return httpx.Client(transport=transport, **_options())


def new_async_client(transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """Open a client for asyncio and trio; otherwise as `new_client`."""
    return httpx.AsyncClient(transport=transport, **_options())


def _options() -> dict[str, Any]:
    return {
        "limits": _LIMITS,
        # A proxy or a trust store set by an environment variable would switch behaviour silently.
        "trust_env": False,
        # A redirect would carry documents and tokens to an address nobody configured.
        "follow_redirects": False,
    }
