"""The tester's hand on a sandbox, in this process or in another one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx

from medsign.codec import json
from medsign.codec.asn1 import Certificate, decode_certificate
from medsign.config import SERVICES, Config, Endpoint, used_by
from medsign.errors import ConnectFailed, UnexpectedAnswer
from medsign.pki.trust import TrustStore


class Remote:
    """Reads what a client has to know about a sandbox, and turns its knobs.

    Args:
        http: A client whose base URL is the sandbox; it is not closed.

    Raises:
        ConnectFailed: There is no sandbox.

    Example:
        >>> from medsign.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.http() as http:
        ...     remote = Remote(http)
        ...     sorted(remote.config().services)
        ['ca', 'ekp', 'mchd', 'ocsp', 'sep', 'tsp']
    """

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._services: dict[str, Any] = self._get("/_sandbox/world")["services"]

    def config(self) -> Config:
        """Return the settings with which `MedSign` reaches its services."""
        return Config(
            services={
                name: _endpoint(name, of) for name, of in self._services.items() if name in SERVICES
            },
            crls=tuple(self._services["ca"]["crlUrls"]),
        )

    def trust(self) -> TrustStore:
        """Return the root of the sandbox; trust it nowhere else."""
        return TrustStore([self._certificate(self._services["ca"]["rootUrl"])])

    def intermediates(self) -> tuple[Certificate, ...]:
        """Return the certificates of the authorities below the root."""
        return tuple(self._certificate(url) for url in self._services["ca"]["issuerUrls"])

    def about(self, service: str) -> dict[str, Any]:
        """Return what a service tells a tester: sample cards, bad numbers, logins."""
        about: dict[str, Any] = self._services[service]
        return about

    def outbox(self) -> list[dict[str, Any]]:
        """Return the messages that were sent to people, SMS codes among them."""
        page = self._get("/_sandbox/outbox")
        messages: list[dict[str, Any]] = page["items"]
        while cursor := page.get("nextCursor"):
            page = self._get(f"/_sandbox/outbox?cursor={cursor}")
            messages += page["items"]
        return messages

    def now(self) -> datetime:
        """Return the time of the sandbox's world."""
        return json.structure(datetime, self._get("/_sandbox/clock")["now"])

    def set(self, now: datetime) -> None:
        """Set the world's time."""
        _read(self._http.put("/_sandbox/clock", **_json({"now": now})))

    def advance(self, seconds: float) -> None:
        """Move the world's time forward."""
        self.post("/_sandbox/clock/advance", {"seconds": seconds})

    def post(self, path: str, body: object = None) -> dict[str, Any]:
        """Do something in the world that a client cannot do: pay, sign as a patient.

        Raises:
            UnexpectedAnswer: The sandbox refused.
        """
        return _read(self._http.post(path, **_json(body)))

    def _get(self, path: str) -> dict[str, Any]:
        try:
            return _read(self._http.get(path))
        except httpx.TransportError as error:
            why = str(error) or type(error).__name__
            raise ConnectFailed(f"no sandbox answers at this address: {why}") from error

    def _certificate(self, url: str) -> Certificate:
        return decode_certificate(_done(self._http.get(httpx.URL(url).path)).content)


def _endpoint(service: str, about: dict[str, Any]) -> Endpoint:
    logins: dict[str, str] = about.get("logins", {})
    login, password = next(iter(logins.items()), ("", ""))
    tokens: list[str] = about["tokens"]
    known: dict[str, Any] = {
        "token": tokens[0] if tokens else "",
        "login": login,
        "password": password,
        "organization": about.get("organization", ""),
    }
    return Endpoint(
        url=about["url"], **{key: known[key] for key in known.keys() & used_by(service)}
    )


def _json(body: object) -> dict[str, Any]:
    if body is None:
        return {}
    return {"content": json.encode(body), "headers": {"Content-Type": "application/json"}}


def _read(response: httpx.Response) -> dict[str, Any]:
    content = _done(response).content
    return json.decode(dict[str, Any], content) if content else {}


def _done(response: httpx.Response) -> httpx.Response:
    if not response.is_success:
        raise UnexpectedAnswer(f"the sandbox refused with status {response.status_code}")
    return response
