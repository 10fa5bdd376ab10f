"""How requests to the registry are authorised: a password becomes a token for an hour."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from datetime import timedelta

import attrs
import httpx

from medsign.clock import Clock, SystemClock
from medsign.codec import json
from medsign.errors import MalformedError, UnexpectedAnswer
from medsign.exchange import Answer
from medsign.exchange.problem import refusal

_TOKEN_BYTES = 64 * 1024
Exchange = Generator[httpx.Request, httpx.Response, None]


@attrs.frozen(repr=False)
class _Grant:
    access_token: str = attrs.field(metadata={"wire": "access_token"})
    expires_in: float | None = attrs.field(default=None, metadata={"wire": "expires_in"})


@attrs.define(eq=False)
class PasswordGrant(httpx.Auth):
    """The registry's door: ``grant_type`` ``password`` for a Bearer token (mchd.md §7.1).

    One token serves every request until its end. When the registry forgets it earlier and answers
    401, a new one is asked for once.

    Args:
        url: Where tokens are given out, absolute.
        username: Login of the operator.
        password: The secret.
        header: The field that carries the token.
        lifetime: How long a token is used when the registry does not say.
        clock: Where time is taken from.

    Example:
        >>> PasswordGrant("https://registry.test/vst-oauth2/oauth/token", "clinic", "secret")
        PasswordGrant(url=URL('https://registry.test/vst-oauth2/oauth/token'))
    """

    url: httpx.URL = attrs.field(converter=httpx.URL)
    username: str = attrs.field(repr=False)
    password: str = attrs.field(repr=False)
    header: str = attrs.field(default="Authorization", repr=False, kw_only=True)
    lifetime: timedelta = attrs.field(default=timedelta(hours=1), repr=False, kw_only=True)
    clock: Clock = attrs.field(factory=SystemClock, repr=False, kw_only=True)
    _token: str | None = attrs.field(default=None, init=False, repr=False)
    _until: float = attrs.field(default=0.0, init=False, repr=False)

    def auth_flow(self, request: httpx.Request) -> Exchange:
        """Ask for a token where there is none, and once more when it is refused."""
        known = self._token is not None and self.clock.monotonic() < self._until
        if not known:
            yield from self._renew(request)
        response = yield self._signed(request)
        if known and response.status_code == 401:
            yield from self._renew(request)
            yield self._signed(request)

    # httpx reads answers for an auth flow all or none; only the token's may be read here, because
    # the size of the others is bounded elsewhere.
    def sync_auth_flow(self, request: httpx.Request) -> Exchange:
        """Drive `auth_flow` for a blocking client."""
        flow = self.auth_flow(request)
        asked = next(flow, None)
        while asked is not None:
            response = yield asked
            if asked is not request:
                response.read()
            asked = _next(flow, response)

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Drive `auth_flow` for an asynchronous client."""
        flow = self.auth_flow(request)
        asked = next(flow, None)
        while asked is not None:
            response = yield asked
            if asked is not request:
                await response.aread()
            asked = _next(flow, response)

    def _signed(self, request: httpx.Request) -> httpx.Request:
        request.headers[self.header] = f"Bearer {self._token}"
        return request

    def _renew(self, request: httpx.Request) -> Exchange:
        login = {"username": self.username, "password": self.password, "grant_type": "password"}
        response = yield httpx.Request(
            "POST",
            self.url,
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            content=json.encode(login),
            extensions={"timeout": request.extensions.get("timeout", {})},
        )
        answer = Answer(response.status_code, response.headers, response.content)
        if not answer.succeeded:
            raise refusal(answer, self.clock)
        try:
            grant = json.decode(_Grant, answer.body, what="token", max_bytes=_TOKEN_BYTES)
        except MalformedError as error:
            raise UnexpectedAnswer(f"mchd: {error}") from error
        seconds = grant.expires_in or self.lifetime.total_seconds()
        self._token, self._until = grant.access_token, self.clock.monotonic() + seconds


def _next(flow: Exchange, response: httpx.Response) -> httpx.Request | None:
    try:
        return flow.send(response)
    except StopIteration:
        return None
