"""How requests leave the house: the httpx clients and the ways to authorise a request."""

from medsign.transport.auth import Token
from medsign.transport.plain import new_async_client, new_client

__all__ = ["Token", "new_async_client", "new_client"]
