"""A synthetic clinic, its head and its doctor."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import anyio
import attrs
import httpx
import pytest
import tenacity
from tests.persons import DOCTOR, HEAD

from medsign import cms, mchd
from medsign.ca.models import Authority
from medsign.clock import ManualClock
from medsign.exchange import AsyncDriver, Context, Driver, RetryPolicy
from medsign.mchd import AsyncMchd, Mchd
from medsign.mchd.model import IdentityDocument
from medsign.mchd.registry import NODE
from medsign.sandbox import Sandbox
from medsign.sandbox.mchd import LOGINS, MchdRegistry
from medsign.sandbox.pki import Pki
from medsign.signers import SoftwareSigner
from medsign.transport import PasswordGrant


@attrs.frozen(kw_only=True)
class Certificate:
    """The part of a certificate that a power of attorney needs."""

    kind: str
    surname: str | None = None
    given_name: str | None = None
    patronymic: str | None = None
    inn: str | None = None
    snils: str | None = None
    inn_legal: str | None = None
    ogrn: str | None = None
    ogrnip: str | None = None
    organization: str | None = None
    position: str | None = None
    email: str | None = None
    region_code: str | None = None


@pytest.fixture
def head() -> Certificate:
    return Certificate(
        kind="legal_entity",
        surname="Тестова",
        given_name="Анна",
        patronymic="Петровна",
        inn="999900000160",
        snils="99900000115",
        inn_legal="9999000006",
        ogrn="9999990000000",
        organization="ООО «Пример»",
        position="Главный врач",
        region_code="78",
    )


@pytest.fixture
def doctor() -> Certificate:
    return Certificate(
        kind="person",
        surname="Образцов",
        given_name="Пётр",
        patronymic="Тестович",
        inn="999900000234",
        snils="99900000216",
        email="doctor@clinic.test",
    )


PASSPORT = IdentityDocument(
    kind="21",
    number="99 99 000001",
    issued=date(2010, 1, 1),
    issuer="Отдел выдачи примеров",
    issuer_code="999-001",
)


@pytest.fixture
def draft(head: Certificate, doctor: Certificate) -> mchd.Draft:
    """A draft in which nothing is missing."""
    principal = mchd.principal_from(head)
    representative = mchd.representative_from(doctor)
    return mchd.Draft(
        principals=(
            attrs.evolve(
                principal,
                organization=attrs.evolve(
                    principal.organization, kpp="999901001", address="ул. Примерная, д. 1"
                ),
            ),
        ),
        representatives=(
            attrs.evolve(
                representative,
                person=attrs.evolve(
                    representative.person, birth_date=date(1990, 5, 17), identity=PASSPORT
                ),
            ),
        ),
        number="0ABCdef0-0000-4000-8000-00000000000f",
        internal_number="1",
        issued=date(2026, 3, 1),
        valid_until=date(2027, 2, 28),
        powers=mchd.text_powers(),
    )


@pytest.fixture
def poa(draft: mchd.Draft) -> mchd.PowerOfAttorney:
    return mchd.issue(draft)


@pytest.fixture
def document(poa: mchd.PowerOfAttorney) -> bytes:
    return mchd.encode(poa)


NOON = datetime(2026, 3, 2, 9, tzinfo=UTC)


@attrs.frozen
class People:
    """Keys of the synthetic clinic, certified in the sandbox's world."""

    pki: Pki
    head: SoftwareSigner
    doctor: SoftwareSigner


@attrs.frozen
class Founded:
    """A world with its authorities and people in it, made once because keys take time."""

    file: Path
    head: SoftwareSigner
    doctor: SoftwareSigner


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Founded:
    file = tmp_path_factory.mktemp("world") / "world.db"
    with Sandbox([MchdRegistry], clock=ManualClock(NOON), path=file) as sandbox:
        pki = sandbox.world.part(Pki)
        head, doctor = (
            pki.enrol(Authority.FNS, **HEAD),
            pki.enrol(Authority.COMMERCIAL, **DOCTOR),
        )
    return Founded(file, head, doctor)


@pytest.fixture
def sandbox(founded: Founded, tmp_path: Path) -> Iterator[Sandbox]:
    own = shutil.copy(founded.file, tmp_path)
    with Sandbox([MchdRegistry], clock=ManualClock(NOON), path=own) as sandbox:
        yield sandbox


@pytest.fixture
def people(sandbox: Sandbox, founded: Founded) -> People:
    return People(sandbox.world.part(Pki), founded.head, founded.doctor)


@pytest.fixture
def context(sandbox: Sandbox) -> Context:
    url = sandbox.endpoint("mchd").url
    return Context(
        service="mchd",
        base_url=url,
        auth=PasswordGrant(
            url=f"{url}/{NODE.token}",
            username="clinic",
            password=LOGINS["clinic"],
            as_json=True,
            clock=sandbox.clock,
        ),
        clock=sandbox.clock,
        policy=RetryPolicy(backoff=tenacity.wait_fixed(1)),
    )


@attrs.frozen
class InOneGo:
    """The asynchronous client behind blocking calls, so that one test serves both colours."""

    context: Context
    sandbox: Sandbox
    backend: str

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            async def talk() -> Any:
                transport = self.sandbox.async_transport()
                async with httpx.AsyncClient(transport=transport) as http:
                    driver = AsyncDriver(
                        http, clock=self.sandbox.clock, sleep=self.sandbox.async_sleep
                    )
                    return await getattr(AsyncMchd(self.context, driver), name)(*args, **options)

            return anyio.run(talk, backend=self.backend)

        return call


@pytest.fixture(params=["sync", "asyncio", "trio"])
def registry(request: pytest.FixtureRequest, context: Context, sandbox: Sandbox) -> Iterator[Any]:
    if request.param != "sync":
        yield InOneGo(context, sandbox, request.param)
        return
    with httpx.Client(transport=sandbox.transport()) as http:
        yield Mchd(context, Driver(http, clock=sandbox.clock, sleep=sandbox.sleep))


@pytest.fixture
def signature(people: People, document: bytes) -> bytes:
    return cms.sign(document, people.head, at=NOON)
