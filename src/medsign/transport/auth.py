"""Ways to authorise a request, as httpx auth flows; no secret shows in a repr."""

from __future__ import annotations

from collections.abc import Generator

import attrs
import httpx


@attrs.frozen
class Token(httpx.Auth):
    """A token in the ``Authorization`` field: ``Bearer …``, or ``N3 …`` for N3.Health.

    Args:
        scheme: The word before the token.
        token: The secret.

    Example:
        >>> Token("N3", "d19f9083-0000-4000-8000-000000000000")
        Token(scheme='N3')
    """

    scheme: str
    token: str = attrs.field(repr=False)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the field to the request."""
        request.headers["Authorization"] = f"{self.scheme} {self.token}"
        yield request
