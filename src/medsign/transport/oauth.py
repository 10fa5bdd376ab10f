"""OAuth 2.0 (RFC 6749) as the services of the field speak it, CryptoPro DSS first.

One token serves all requests until shortly before its end. A service that forgets it earlier
answers 401, and one renewal is tried. Parameters go in the body and never in the query: URLs stand
in logs.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

import attrs
import httpx

from medsign.clock import Clock, SystemClock
from medsign.codec import json
from medsign.errors import MalformedError, SignInRefused, UnexpectedAnswer
from medsign.exchange import Answer, Do
from medsign.exchange.problem import refusal
from medsign.exchange.redaction import redact
from medsign.transport.auth import FIELD_TEXT, Alone, Authorisation, Step, Steps, secret
from medsign.transport.credentials import Secret
from medsign.transport.plain import OUT_OF_BAND

_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"
_SPARE: Final = 30.0
"""Seconds that a request may be on its way with a token, at most a tenth of the token's time."""
_REFUSED: Final = frozenset({400, 401, 403})
_PAUSE: Final = 60.0
"""Seconds in which what was refused is not tried again: services lock accounts."""


@attrs.frozen(repr=False)
class Grant:
    """What a token endpoint gives (RFC 6749 §5.1)."""

    access_token: str = attrs.field(metadata={"wire": "access_token"})
    expires_in: float | None = attrs.field(default=None, metadata={"wire": "expires_in"})
    refresh_token: str | None = attrs.field(default=None, metadata={"wire": "refresh_token"})
    token_type: str = attrs.field(default="Bearer", metadata={"wire": "token_type"})


@attrs.frozen(repr=False)
class _Refusal:
    """A secret that was refused, until when it is not tried again, and what the service said."""

    proof: str
    until: float
    status: int
    problem: str


Granting: TypeAlias = Generator[Step, Any, Grant]


@attrs.define(eq=False, kw_only=True)
class Bearer(Authorisation):
    """A Bearer token that is drawn, kept until its end and renewed; a grant says how it is drawn.

    A password or refresh token that was refused is not tried again for a minute, whoever asks; nor
    is a token drawn anew for that long in the place of one that was refused when it was new.

    Args:
        url: Where tokens are given out, absolute.
        client_id: The program's name at the service, or empty where it has none.
        resource: What the token is to open: ``urn:cryptopro:dss:signserver:SignServer``.
        header: The field that carries the token.
        as_json: Ask with a JSON body instead of the form of RFC 6749, as the МЧД registry does.
        lifetime: How long a token is used when the service does not say.
        clock: Where time is taken from.
    """

    url: httpx.URL = attrs.field(converter=httpx.URL)
    client_id: str = ""
    resource: str = ""
    header: str = attrs.field(default="Authorization", repr=False)
    as_json: bool = attrs.field(default=False, repr=False)
    lifetime: timedelta = attrs.field(default=timedelta(hours=1), repr=False)
    clock: Clock = attrs.field(factory=SystemClock, repr=False)
    _locks: dict[int, threading.Lock] = attrs.field(
        factory=dict[int, threading.Lock], init=False, repr=False
    )
    _grant: Grant | None = attrs.field(default=None, init=False, repr=False)
    _until: float = attrs.field(default=0.0, init=False, repr=False)
    _refusal: _Refusal | None = attrs.field(default=None, init=False, repr=False)
    _vain: tuple[Grant | None, float] = attrs.field(default=(None, 0.0), init=False, repr=False)

    @property
    def field(self) -> str:
        """The field that carries the token."""
        return self.header

    def grant(self, request: httpx.Request) -> Granting:
        """Yield the steps that draw a grant, for the sake of a request that waits for it."""
        raise NotImplementedError

    def steps(self, request: httpx.Request) -> Steps:
        """Authorise with the token at hand, with a new one where there is none or it is refused."""
        known = self._valid()
        grant = known or (yield from self._renewed(request))
        response = yield self._authorised(request, grant)
        if known and response.status_code == 401 and not self._in_vain(known):
            known, grant = None, (yield from self._renewed(request, instead_of=known))
            response = yield self._authorised(request, grant)
        # A token that was drawn a moment ago and is refused will not get better by drawing again.
        if not known and response.status_code == 401:
            self._vain = grant, self.clock.monotonic() + _PAUSE

    def _in_vain(self, grant: Grant) -> bool:
        refused, until = self._vain
        return grant is refused and self.clock.monotonic() < until

    def _valid(self) -> Grant | None:
        return self._grant if self.clock.monotonic() < self._until else None

    def _renewed(self, request: httpx.Request, instead_of: Grant | None = None) -> Granting:
        # Two renewals at once would spend one refresh token twice, which services take for theft.
        # A lock of each process: one that is held during a fork stays so in the child.
        yield Alone(self._locks.setdefault(os.getpid(), threading.Lock()))
        valid = self._valid()
        if valid and valid is not instead_of:
            return valid
        # A token ages from when it was made, not from when the answer has come.
        asked = self.clock.monotonic()
        grant = (yield from self._refreshed(request)) or (yield from self.grant(request))
        told = grant.expires_in
        seconds = self.lifetime.total_seconds() if told is None else told
        self._grant, self._until = grant, asked + seconds - min(_SPARE, seconds / 10)
        return grant

    def _refreshed(self, request: httpx.Request) -> Generator[Step, Any, Grant | None]:
        token = self._grant and self._grant.refresh_token
        if not token:
            return None
        try:
            grant = yield from self._exchanged(request, token)
        except SignInRefused as error:
            if error.status not in _REFUSED:
                raise
            self._grant = None
            return None
        # Without a new one the old one stays good (RFC 6749 §6).
        return attrs.evolve(grant, refresh_token=grant.refresh_token or token)

    def _exchanged(self, request: httpx.Request, token: str) -> Granting:
        fields = {"grant_type": "refresh_token", "refresh_token": token}
        return (yield from self._asked(request, fields, proof=token))

    def _asked(self, request: httpx.Request, fields: Mapping[str, str], *, proof: str) -> Granting:
        known = self._refusal
        if known and known.proof == proof and self.clock.monotonic() < known.until:
            raise SignInRefused(
                known.status, known.problem, "refused a moment ago, so it was not tried again"
            )
        fields = {**fields, "client_id": self.client_id, "resource": self.resource}
        filled = {name: value for name, value in fields.items() if value}
        response = yield httpx.Request(
            "POST",
            self.url,
            headers={"Content-Type": _JSON if self.as_json else _FORM, "Accept": _JSON},
            content=json.encode(filled) if self.as_json else urlencode(filled).encode(),
            extensions={"timeout": request.extensions.get("timeout", {})},
        )
        answer = Answer(response.status_code, response.headers, response.content)
        if not answer.succeeded:
            known_to_all = {"grant_type", "client_id", "resource"}
            refused = self._refused(answer, [v for k, v in filled.items() if k not in known_to_all])
            if refused.status in _REFUSED:
                until = self.clock.monotonic() + _PAUSE
                self._refusal = _Refusal(proof, until, refused.status, refused.problem)
            raise refused
        return self._read(answer)

    def _read(self, answer: Answer) -> Grant:
        try:
            grant = json.decode(Grant, answer.body, what="token", max_bytes=len(answer.body))
        except MalformedError as error:
            raise UnexpectedAnswer(f"{self.url.host}: {error}") from error
        if grant.token_type.lower() != "bearer":
            raise UnexpectedAnswer(f"{self.url.host}: a token of another type than Bearer")
        texts = (grant.access_token, grant.refresh_token or grant.access_token)
        if not all(map(FIELD_TEXT.fullmatch, texts)):
            raise UnexpectedAnswer(f"{self.url.host}: a token is no text for a field of HTTP")
        return grant

    def _refused(self, answer: Answer, told: Iterable[str] = ()) -> SignInRefused:
        found = refusal(answer, self.clock)
        words = f"{found.problem} {found.title} {found.russian_title} {found.request_id}"
        # Whoever was given a login and a password may quote them back.
        if any(re.search(rf"(?<!\w){re.escape(each)}(?!\w)", words) for each in told):
            problem, after = f"http-{found.status}", found.retry_after
            return SignInRefused(found.status, problem, "no token was given", retry_after=after)
        return SignInRefused(
            found.status,
            found.problem,
            found.title,
            request_id=found.request_id,
            retry_after=found.retry_after,
            russian_title=found.russian_title,
        )

    def _authorised(self, request: httpx.Request, grant: Grant) -> httpx.Request:
        request.headers[self.header] = f"Bearer {grant.access_token}"
        return request


@attrs.define(eq=False, kw_only=True)
class PasswordGrant(Bearer):
    """A login and a password for a token (RFC 6749 §4.3): DSS, and the registry of МЧД.

    Args:
        username: Login.
        password: The secret.

    Example:
        >>> PasswordGrant(url="https://dss.test/STS/oauth/token", username="d", password="secret")
        PasswordGrant(url=URL('https://dss.test/STS/oauth/token'), client_id='', resource='')
    """

    username: str = attrs.field(repr=False)
    password: Secret = attrs.field(repr=False)

    def grant(self, request: httpx.Request) -> Granting:
        """Ask with login and password."""
        password = yield from secret(self.password)
        fields = {"username": self.username, "password": password, "grant_type": "password"}
        return (yield from self._asked(request, fields, proof=password))


@attrs.define(eq=False, kw_only=True)
class RefreshGrant(Bearer):
    """A refresh token that somebody was given at a sign-in in a browser (RFC 6749 §6).

    Args:
        refresh_token: The secret; processes that share it read it from where `keep` puts it.
        keep: Called with the next refresh token where the service gives a new one each time;
            without it the one that has been stored outside is spent. It may block; asynchronous
            code calls it in a worker thread. What it raises comes out of the request.

    Example:
        >>> RefreshGrant(url="https://id.test/token", client_id="mis", refresh_token="secret")
        RefreshGrant(url=URL('https://id.test/token'), client_id='mis', resource='')
    """

    refresh_token: Secret = attrs.field(repr=False)
    keep: Callable[[str], None] | None = attrs.field(default=None, repr=False)
    _kept: str | None = attrs.field(default=None, init=False, repr=False)

    def grant(self, request: httpx.Request) -> Granting:
        """Ask with the refresh token."""
        token = yield from secret(self.refresh_token)
        return (yield from self._exchanged(request, token))

    def _renewed(self, request: httpx.Request, instead_of: Grant | None = None) -> Granting:
        # The new token is at hand before it is kept: it must not be lost where that fails.
        grant = yield from super()._renewed(request, instead_of)
        token = grant.refresh_token
        if self.keep and token and token != self._kept:
            yield Do(partial(self.keep, token))
            self._kept = token
        return grant


@attrs.define(eq=False, kw_only=True)
class CertificateCodeGrant(Bearer):
    """The authorisation code that DSS gives to the owner of a client certificate.

    The client that sends the requests must present the certificate (mutual TLS) and be one of
    `new_client`: the code comes in a redirect to a ``urn:``, which is read and not followed.

    Args:
        authorize_url: ``https://<host>/<sts>/oauth/authorize/certificate``.
        redirect_uri: The address registered for the client; by default that of programs, which
            have no page of their own.
        scope: What the client asks for.

    Example:
        >>> CertificateCodeGrant(
        ...     url="https://dss.test/token",
        ...     authorize_url="https://dss.test:4430/STS/oauth/authorize/certificate",
        ...     client_id="mis",
        ... )
        CertificateCodeGrant(url=URL('https://dss.test/token'), client_id='mis', resource='')
    """

    authorize_url: httpx.URL = attrs.field(converter=httpx.URL, repr=False)
    redirect_uri: str = attrs.field(default="urn:ietf:wg:oauth:2.0:oob:auto", repr=False)
    scope: str = attrs.field(default="dss", repr=False)

    def grant(self, request: httpx.Request) -> Granting:
        """Ask for a code, then for the token that it buys."""
        parameters = {
            "client_id": self.client_id,
            "response_type": "code",
            "scope": self.scope,
            "redirect_uri": self.redirect_uri,
            "resource": self.resource,
        }
        response = yield httpx.Request(
            "GET",
            self.authorize_url.copy_merge_params({k: v for k, v in parameters.items() if v}),
            extensions={"timeout": request.extensions.get("timeout", {})},
        )
        code = self._code(response)
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
        }
        return (yield from self._asked(request, fields, proof=code))

    def _code(self, response: httpx.Response) -> str:
        answer = Answer(response.status_code, response.headers, response.content)
        if answer.status >= 400:
            raise self._refused(answer)
        headers = response.headers
        where, _, query = headers.get(OUT_OF_BAND, headers.get("location", "")).partition("?")
        said = httpx.QueryParams(query)
        # A code in an address that is not ours is a code meant for somebody else.
        ours = where == self.redirect_uri
        if ours and "error" in said:  # RFC 6749 §4.1.2.1
            problem = redact(said["error"], 80)
            raise SignInRefused(answer.status, problem, "the service gave no code")
        if not ours or "code" not in said:
            raise UnexpectedAnswer(f"{self.authorize_url.host}: no code came back")
        code: str = said["code"]
        return code
