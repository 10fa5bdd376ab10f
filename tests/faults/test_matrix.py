"""Every fault × every operation × every colour.

Whatever happens on the wire: nothing is created twice, no outcome is lost, the error is typed, the
deadline is kept, and no text shows a secret.
"""

from __future__ import annotations

import shutil
import ssl
import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import anyio
import attrs
import httpx
import pytest
import tenacity

from medsign.errors import MedsignError, OutcomeUnknown
from medsign.exchange import AsyncDriver, Context, Driver, RetryPolicy, Service
from medsign.sandbox import Sandbox
from medsign.sandbox.world import RunningClock
from medsign.store import MemoryStore
from medsign.transport import new_async_client, new_client
from tests.faults import server
from tests.faults.operations import (
    ROWS,
    SECRETS,
    Founded,
    Kind,
    Prepared,
    context_of,
    operations,
)
from tests.faults.server import Exchange, Server
from tests.faults.table import FAULTS, Fault

TLS = ssl.create_default_context()  # made once: it takes longer than all the rest
COLOURS = ("sync", "asyncio", "trio")
MODES = ("once", "always")
POLICY = RetryPolicy(backoff=tenacity.wait_fixed(0.01), total=1.5, timeout=0.3)
MARGIN = 1.5
_OPERATIONS = tuple(operations())
_IDS = [f"{service.__name__}.{name}" for service, name in _OPERATIONS]


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Founded:
    return Founded.under(tmp_path_factory.mktemp("worlds"))


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Server]:
    """A host that nobody configured: whatever it gets was sent by mistake."""
    with Server(server.refuse_all) as host:
        yield host
        assert host.seen == []


@attrs.frozen
class Case:
    """One operation in a world of its own, behind the server that misbehaves."""

    service: type[Service]
    name: str
    prepared: Prepared
    fault: Fault
    mode: str
    colour: str
    file: Path
    elsewhere: str

    def problems(self) -> list[str]:
        """Return what is wrong with how the operation went."""
        shutil.copy(self.prepared.file, self.file)
        clock = RunningClock()
        clock.set(self.prepared.now)
        struck: list[str] = []

        def choose(exchange: Exchange) -> server.Act:
            token = exchange.target.endswith("oauth/token")
            if (self.mode == "once" and (struck or token)) or (token and self.fault.slow):
                return server.well
            struck.append(exchange.target)
            return self.fault.act

        with (
            Server(choose, self.elsewhere, clock) as front,
            Sandbox(path=self.file, clock=clock, base_url=front.url) as sandbox,
        ):
            front.deliver = sandbox.deliver
            context = context_of(
                self.service,
                sandbox,
                self.prepared.call.login,
                clock=clock,
                store=MemoryStore(),
                policy=POLICY,
            )
            before = records(sandbox)
            began = clock.monotonic()
            first = attempt(partial(self.call, sandbox, context))
            seconds = clock.monotonic() - began
            found = [*self.judge(first, before, records(sandbox), seconds)]
            if self.prepared.kind is not Kind.UNKEYED:
                front.choose = lambda _: server.well
                second = attempt(partial(self.call, sandbox, context))
                if isinstance(second, BaseException):
                    found.append(f"the repeat failed: {second!r}")
                if records(sandbox) != (wanted := self.clean(sandbox)):
                    found.append(f"{records(sandbox)} instead of {wanted}")
                if unfinished := [*context.ledger.unfinished()]:
                    found.append(f"left open: {unfinished}")
        return found

    def judge(
        self, first: object, before: dict[str, int], after: dict[str, int], seconds: float
    ) -> Iterator[str]:
        kind = self.prepared.kind
        if isinstance(first, BaseException):
            if not isinstance(first, MedsignError):
                yield f"a foreign error: {''.join(traceback.format_exception(first))}"
            else:
                text = "".join([*traceback.format_exception(first), first.diagnostics()])
                if shown := [secret for secret in SECRETS if secret in text]:
                    yield f"the error shows {shown}: {text}"
            if kind is Kind.CREATES and not isinstance(first, OutcomeUnknown) and before != after:
                yield f"{first!r} hides what was done"
        if kind in (Kind.READS, Kind.CREATES, Kind.UNKEYED) and seconds > POLICY.total + MARGIN:
            yield f"it took {seconds:.2f} s"
        if kind is Kind.UNKEYED and not self.fault.twice:
            most = {name: number + 1 for name, number in before.items()}
            if any(number > most.get(name, 1) for name, number in after.items()):
                yield f"{after} after {before}"
        if self.mode == "once" and kind in (Kind.READS, Kind.CREATES):
            end = self.fault.reads if kind is Kind.READS else self.fault.creates
            if end is None and isinstance(first, BaseException):
                yield f"it should have succeeded: {first!r}"
            if end is not None and isinstance(first, BaseException) and not isinstance(first, end):
                yield f"{first!r} instead of {end.__name__}"

    def call(self, sandbox: Sandbox, context: Context) -> Any:
        """Call the operation in its colour; waits pass at once."""
        arguments = self.prepared.call.arguments
        keyed = "key" in attrs_of(self.service, self.name)
        options = {"key": "press-1"} if keyed else {}
        if self.colour == "sync":
            with new_client(httpx.HTTPTransport(verify=TLS)) as http:
                driver = Driver(http, clock=context.clock, sleep=sandbox.sleep)
                result = getattr(self.service(context, driver), self.name)(*arguments, **options)
                return list(result) if hasattr(result, "__next__") else result

        async def run() -> Any:
            module = sys.modules[self.service.__module__]
            async with new_async_client(httpx.AsyncHTTPTransport(verify=TLS)) as http:
                driver = AsyncDriver(http, clock=context.clock, sleep=sandbox.async_sleep)
                service = getattr(module, f"Async{self.service.__name__}")(context, driver)
                result = getattr(service, self.name)(*arguments, **options)
                if hasattr(result, "__anext__"):
                    return [item async for item in result]
                return await result

        return anyio.run(run, backend=self.colour)

    def clean(self, sandbox: Sandbox) -> dict[str, int]:
        """Return the records that one call without faults leaves behind."""
        key = (self.service, self.name)
        return CLEAN[key]


CLEAN: dict[tuple[type[Service], str], dict[str, int]] = {}


def attempt(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except BaseException as error:  # noqa: BLE001 - it is what is judged
        return error


def records(sandbox: Sandbox) -> dict[str, int]:
    """Count what the world remembers, drawer by drawer; tokens may be drawn anew."""
    rows = sandbox._shelf._db.execute("SELECT drawer, count(*) FROM document GROUP BY drawer")
    return {drawer: number for drawer, number in rows if drawer not in {"tokens"}}


def attrs_of(service: type[Service], name: str) -> set[str]:
    flow = getattr(service, name).flow
    return set(
        flow.__code__.co_varnames[: flow.__code__.co_argcount + flow.__code__.co_kwonlyargcount]
    )


def test_every_operation_of_every_service_has_a_row() -> None:
    assert set(_OPERATIONS) == set(ROWS)


@pytest.mark.parametrize("service, name", _OPERATIONS, ids=_IDS)
def test_an_operation_survives_every_fault_in_every_colour(
    service: type[Service], name: str, founded: Founded, elsewhere: Server, tmp_path: Path
) -> None:
    prepared = founded.prepare(service, name)

    def case(number: int, fault: Fault, mode: str, colour: str) -> Case:
        file = tmp_path / f"{number}.db"
        return Case(service, name, prepared, fault, mode, colour, file, elsewhere.url)

    clean = case(0, Fault(server.well), "once", "sync")
    CLEAN[service, name] = {}
    clean.problems()
    with Sandbox(path=clean.file) as sandbox:
        CLEAN[service, name] = records(sandbox)
    chosen = [
        (title, mode, colour)
        for index, (title, mode) in enumerate(product(FAULTS, MODES))
        for colour in (COLOURS if mode == "once" else [COLOURS[index % 3]])
    ]
    cases = [case(n, FAULTS[title], *rest) for n, (title, *rest) in enumerate(chosen, 1)]
    with ThreadPoolExecutor(8) as pool:
        problems = pool.map(Case.problems, cases)
    found = {
        ", ".join(which): wrong for which, wrong in zip(chosen, problems, strict=True) if wrong
    }
    assert not found, "\n".join(f"{which}: {wrong}" for which, wrong in found.items())
