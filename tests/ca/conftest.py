from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import anyio
import attrs
import httpx
import pytest
from tests.persons import ANNA

from medsign.ca import (
    ApplicantKind,
    AsyncCa,
    Ca,
    DocumentKind,
    NewRequest,
    Organisation,
    Subject,
    ca_context,
    certificate_subject,
)
from medsign.clock import ManualClock
from medsign.exchange import AsyncDriver, Context, Driver
from medsign.identifiers import InnLegal, Ogrn, Ogrnip
from medsign.pki.issuing import make_request
from medsign.sandbox import Sandbox
from medsign.sandbox.ca import CaService
from medsign.sandbox.ocsp_tsp import OcspService, TspService
from medsign.sandbox.pki import Pki
from medsign.signers import SoftwareKey

NOON = datetime(2026, 7, 1, 9, tzinfo=UTC)
SCAN = b"%PDF-1.7 test"
CLINIC = Organisation(
    name="ООО «Тестовая клиника»",
    ogrn=Ogrn.complete("999000000001"),
    inn=InnLegal.complete("999900000"),
    street="ул. Примерная, д. 1",
)


def make_order(
    subject: Subject = ANNA,
    applicant: ApplicantKind = ApplicantKind.WORKER,
    key: SoftwareKey | None = None,
    **changes: Any,
) -> NewRequest:
    name = certificate_subject(applicant, subject)
    pkcs10 = make_request(name, key or SoftwareKey.generate()).der
    new = NewRequest(applicant=applicant, subject=subject, pkcs10=pkcs10)
    return attrs.evolve(new, **changes)


class AsyncAsBlocking:
    """The async client, each call in an event loop of its own: one test for both colours."""

    def __init__(self, sandbox: Sandbox, context: Context, backend: str) -> None:
        self._sandbox = sandbox
        self._context = context
        self._backend = backend

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            clock, sleep = self._sandbox.clock, self._sandbox.async_sleep
            async with httpx.AsyncClient(transport=self._sandbox.async_transport()) as http:
                driver = AsyncDriver(http, clock=clock, sleep=sleep)
                result = getattr(AsyncCa(self._context, driver), name)(*args, **kwargs)
                if hasattr(result, "__aiter__"):
                    return iter([each async for each in result])
                return await result

        return lambda *args, **kwargs: anyio.run(
            partial(call, *args, **kwargs), backend=self._backend
        )


@pytest.fixture
def anna() -> Subject:
    return ANNA


@pytest.fixture
def head() -> Subject:
    return attrs.evolve(ANNA, organisation=CLINIC, position="Главный врач")


@pytest.fixture
def trader() -> Subject:
    return attrs.evolve(ANNA, ogrnip=Ogrnip.complete("99900000000001"))


@pytest.fixture
def files() -> dict[DocumentKind, bytes]:
    return {DocumentKind.PASSPORT: SCAN, DocumentKind.STATEMENT: SCAN}


@pytest.fixture
def order() -> Callable[..., NewRequest]:
    return make_order


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    services = [CaService, OcspService, TspService]
    with Sandbox(services, clock=ManualClock(NOON)) as sandbox:
        yield sandbox


@pytest.fixture
def pki(sandbox: Sandbox) -> Pki:
    return sandbox.world.part(Pki)


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(transport=sandbox.transport()) as client:
        yield client


@pytest.fixture
def context(sandbox: Sandbox) -> Context:
    endpoint = sandbox.endpoint("ca")
    return ca_context(base_url=endpoint.url, token=endpoint.token, clock=sandbox.clock)


@pytest.fixture(params=["blocking", "asyncio", "trio"])
def ca(request, sandbox: Sandbox, http: httpx.Client, context: Context) -> Any:
    if request.param == "blocking":
        return Ca(context, Driver(http, clock=sandbox.clock, sleep=sandbox.sleep))
    return AsyncAsBlocking(sandbox, context, request.param)


@pytest.fixture
def office(http, sandbox):
    """Do what people do at the УЦ: `office("visit", request_id)`."""

    def act(action: str, request_id: str) -> httpx.Response:
        return http.post(f"{sandbox.base_url}/ca/office/requests/{request_id}/{action}")

    return act
