"""Where the training day takes place: a sandbox, in this process or elsewhere, and its people."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import attrs
import httpx

from medsign import MedSign
from medsign.clock import SystemClock
from medsign.codec.asn1 import Certificate
from medsign.errors import UnexpectedAnswer
from medsign.identifiers import CardUid, Phone
from medsign.sandbox import RunningClock, Sandbox
from medsign.sandbox.remote import Remote
from medsign.transport import new_client
from medsign.transport.tls import GostTls

HEAD_START = timedelta(minutes=10)
ISSUERS = ("root", "fns", "commercial")
_LINK = re.compile(r"\S+/sign/\w+")
_CODE = re.compile(r"\b\d{6}\b")


class WorldClock(SystemClock):
    """The time of a sandbox: what it issues may be valid only then.

    Args:
        remote: The sandbox.
    """

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def now(self) -> datetime:
        """Return the present moment of the sandbox's world."""
        return self._remote.now()


@attrs.frozen
class Town:
    """What people do and no software can: come to the УЦ, pay, read an SMS, let years pass."""

    _http: httpx.Client
    _remote: Remote

    def show_passport(self, request_id: str) -> None:
        """Come to the office of the УЦ in person."""
        self._remote.post(f"/ca/office/requests/{request_id}/visit")

    def pay(self, request_id: str) -> None:
        """Pay the bill of the УЦ."""
        self._remote.post(f"/ca/office/requests/{request_id}/payment")

    def take_a_card(self) -> CardUid:
        """Put somebody's Единая карта петербуржца on the reader and return its UID."""
        return CardUid(self._remote.about("ekp")["cards"][0]["uid"])

    def sign_on_the_phone(self, phone: Phone) -> None:
        """Open the link that was sent to the phone, press «Подписать», enter the code."""
        page = httpx.URL(self._last(phone, _LINK)).path
        self._visit("GET", page)
        self._visit("POST", page)
        self._visit("POST", f"{page}/code", data={"code": self._last(phone, _CODE)})

    @contextmanager
    def ago(self, past: timedelta) -> Generator[None, None, None]:
        """Let something happen in the past; afterwards it is today again."""
        today = self._remote.now()
        self._remote.set(today - past)
        try:
            yield
        finally:
            self._remote.set(today)

    def let_pass(self, seconds: float) -> None:
        """Let time pass at once."""
        self._remote.advance(seconds)

    def revocation_list(self, issuer: str) -> bytes:
        """Return the list of an authority as it publishes it, DER."""
        return self._visit("GET", f"/ca/crl/{issuer}.crl").content

    def _last(self, phone: Phone, pattern: re.Pattern[str]) -> str:
        found = [
            match[0]
            for message in self._remote.outbox()
            if message["to"] == phone.value and (match := pattern.search(message["text"]))
        ]
        if not found:
            raise UnexpectedAnswer("sandbox: no such message was sent")
        return found[-1]

    def _visit(self, method: str, path: str, **request: Any) -> httpx.Response:
        page = self._http.request(method, path, **request)
        if not page.is_success:
            raise UnexpectedAnswer(f"the sandbox refused with status {page.status_code}")
        return page


@attrs.frozen(kw_only=True)
class Scene:
    """A window on a sandbox.

    Attributes:
        window: What the software of the clinic uses.
        town: The people around it.
        root: The root of the sandbox.
        authorities: The authorities below it.
    """

    window: MedSign
    town: Town
    root: Certificate
    authorities: tuple[Certificate, ...]

    def issuer_of(self, certificate: Certificate) -> Certificate:
        """Return the authority that issued a certificate of this sandbox."""
        return next(one for one in self.authorities if one.subject.matches(certificate.issuer))


@contextmanager
def scene(url: str | None = None, *, tls: GostTls | None = None) -> Generator[Scene, None, None]:
    """Open a window on a sandbox; waits pass at once, for its clock can be moved.

    Args:
        url: A sandbox that runs already; without it a new one lives as long as the scene.
        tls: How to reach it by GOST TLS.

    Raises:
        ConnectFailed: There is no sandbox at the address.
    """
    with _door(url, tls) as http:
        remote = Remote(http)
        trust = remote.trust()
        (root,) = trust.anchors
        authorities = remote.intermediates()
        town = Town(http, remote)
        window = MedSign(
            remote.config(),
            trust=trust,
            intermediates=authorities,
            http=http,
            clock=WorldClock(remote),
            sleep=town.let_pass,
        )
        with window:
            yield Scene(window=window, town=town, root=root, authorities=authorities)


@contextmanager
def _door(url: str | None, tls: GostTls | None) -> Generator[httpx.Client, None, None]:
    if url is not None:
        with new_client(tls.transport() if tls else None) as http:
            http.base_url = httpx.URL(url)
            yield http
    else:
        clock = RunningClock()
        # Waits pass at once, and what is issued must not seem to come from the future afterwards.
        clock.set(clock.now() - HEAD_START)
        with Sandbox(clock=clock) as sandbox, sandbox.http() as http:
            yield http
