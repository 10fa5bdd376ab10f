"""A clinic with a sandbox СЭП, by blocking and by async code, and a patient with a browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import anyio
import attrs
import httpx
import pytest

from medsign.clock import ManualClock
from medsign.exchange import AsyncDriver, Driver
from medsign.identifiers import Phone, Snils
from medsign.sandbox import Sandbox
from medsign.sandbox.paper import new_pdf
from medsign.sandbox.sep import CLINIC_ID, SepService
from medsign.sep import (
    AsyncSep,
    Document,
    Package,
    Patient,
    Representative,
    Sep,
    Source,
    SourceKind,
    sep_context,
)

NOON = datetime(2026, 6, 25, 9, tzinfo=UTC)
CONSENT = new_pdf(["Согласие на <b>телемедицинскую</b> консультацию", "Форма KAV.0049"])


@pytest.fixture
def patient() -> Patient:
    return Patient(
        id="2156792",
        surname="Тестова",
        given_name="Анна",
        patronymic="Петровна",
        birth_date=date(1990, 5, 17),
        snils=Snils("99900000115"),
        phone=Phone("+79990000001"),
    )


@pytest.fixture
def mother() -> Representative:
    return Representative(
        surname="Образцова",
        given_name="Мария",
        birth_date=date(1985, 3, 8),
        phone=Phone("+79990000002"),
        relation="мать",
    )


@pytest.fixture
def document() -> Callable[..., Document]:
    """Return `document(number, **changes)`: a document with which nothing is wrong."""
    return _document


def _document(number: str, **changes: Any) -> Document:
    usual = Document(
        id=number,
        name="ИДС на проведение телемедицинской консультации",
        form_code="KAV.0049",
        content=CONSENT,
        added_at=datetime(2026, 6, 25, 7, 29, 19, tzinfo=UTC),
    )
    return attrs.evolve(usual, **changes)


@pytest.fixture
def package(patient: Patient) -> Package:
    return Package(
        id="p1",
        source=Source(kind=SourceKind.TALON, number="107200", created_at=NOON),
        patient=patient,
        channel="МАХ",
        documents=tuple(map(_document, ("d1", "d2", "d3"))),
    )


class AsyncClinic:
    """Async code seen by a test: each call runs in an event loop of its own."""

    def __init__(self, service: AsyncSep) -> None:
        self._service = service

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._service, name)

        async def collected(*args: Any, **kwargs: Any) -> Any:
            result = method(*args, **kwargs)
            if hasattr(result, "__aiter__"):
                return [item async for item in result]
            return await result

        return lambda *args, **kwargs: anyio.run(partial(collected, *args, **kwargs))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def sandbox(clock: ManualClock) -> Iterator[Sandbox]:
    with Sandbox([SepService], clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def clinic_of() -> Callable[..., Any]:
    """Return `clinic_of(sandbox, colour, **settings)`: a client of the sandbox's СЭП."""
    return _clinic_of


def _clinic_of(sandbox: Sandbox, colour: str = "sync", **changes: Any) -> Any:
    endpoint = sandbox.endpoint("sep")
    settings = {
        "token": endpoint.token,
        "organization": CLINIC_ID,
        "base_url": endpoint.url,
        "clock": sandbox.clock,
    }
    context = sep_context(**{**settings, **changes})
    if colour == "sync":
        http = httpx.Client(transport=sandbox.transport())
        return Sep(context, Driver(http, clock=sandbox.clock, sleep=sandbox.sleep))
    async_http = httpx.AsyncClient(transport=sandbox.async_transport())
    driver = AsyncDriver(async_http, clock=sandbox.clock, sleep=sandbox.async_sleep)
    return AsyncClinic(AsyncSep(context, driver))


@pytest.fixture(params=["sync", "async"])
def clinic(sandbox: Sandbox, request: pytest.FixtureRequest) -> Any:
    return _clinic_of(sandbox, request.param)


class Browser:
    """The patient's browser: it has no token of the clinic, only what was sent to the phone."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._http = httpx.Client(transport=sandbox.transport())

    @property
    def link(self) -> str:
        texts = [message.text for message in self._sandbox.world.outbox()]
        return re.findall(r"https://\S+/sign/\w+", " ".join(texts))[-1]

    @property
    def code(self) -> str:
        return re.findall(r"\b\d{6}\b", self._sandbox.world.outbox()[-1].text)[-1]

    def open(self) -> httpx.Response:
        return self._http.get(self.link)

    def press_sign(self) -> httpx.Response:
        return self._http.post(self.link)

    def enter(self, code: str) -> httpx.Response:
        return self._http.post(f"{self.link}/code", data={"code": code})

    def enter_wrong(self) -> httpx.Response:
        return self.enter(f"{(int(self.code) + 1) % 10**6:06}")

    def download(self) -> httpx.Response:
        return self._http.get(f"{self.link}/document.pdf")

    def sign(self) -> httpx.Response:
        self.open()
        self.press_sign()
        return self.enter(self.code)


@pytest.fixture
def browser(sandbox: Sandbox) -> Browser:
    return Browser(sandbox)
