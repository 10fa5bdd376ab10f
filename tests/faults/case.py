"""One operation behind one fault in one colour, and what must hold of it whatever happens."""

from __future__ import annotations

import shutil
import ssl
import sys
import traceback
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any

import anyio
import attrs
import httpx
import tenacity
from tests.faults import server
from tests.faults.operations import SECRETS, Kind, Prepared, context_of, records
from tests.faults.server import Exchange, Server
from tests.faults.table import Fault

from medsign.errors import MalformedError, MedsignError, OutcomeUnknown, UnexpectedAnswer
from medsign.exchange import AsyncDriver, Context, Driver, RetryPolicy
from medsign.sandbox import Sandbox
from medsign.sandbox.world import RunningClock
from medsign.store import MemoryStore
from medsign.transport import new_async_client, new_client

TLS = ssl.create_default_context()  # made once: it takes longer than all the rest
POLICY = RetryPolicy(backoff=tenacity.wait_fixed(0.01), total=3.0, timeout=0.4)
MARGIN = 1.5


@attrs.frozen
class Case:
    """One operation in a world of its own, behind the server that misbehaves.

    Attributes:
        prepared: The operation and its world.
        fault: What goes wrong.
        mode: ``once``: with the first request; ``always``: with all of them.
        colour: Of the client.
        file: Where the world is copied to.
        elsewhere: Where redirects lead.
    """

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

        front = Server(choose, self.elsewhere, clock)
        with Sandbox(path=self.file, clock=clock, base_url=front.url) as sandbox, front:
            front.deliver = sandbox.deliver
            context = context_of(
                self.prepared.service,
                sandbox,
                self.prepared.call.login,
                clock=clock,
                store=MemoryStore(),
                policy=POLICY,
                max_document_bytes=8 * 1024 * 1024,  # a busy machine sends no 64 in 3 seconds
            )
            before = records(self.file)
            began = clock.monotonic()
            first = attempt(partial(self.call, sandbox, context))
            seconds = clock.monotonic() - began
            found = [*self.judge(first, before, records(self.file), seconds)]
            if self.prepared.kind is not Kind.UNKEYED:
                front.choose = lambda _: server.well
                if isinstance(first, BaseException) or self.prepared.kind is not Kind.READS:
                    found += self.repeated(sandbox, context)
                if (left := records(self.file)) != self.prepared.left:
                    found.append(f"{left} instead of {self.prepared.left}")
                if unfinished := [*context.ledger.unfinished()]:
                    found.append(f"left open: {unfinished}")
        return found

    def repeated(self, sandbox: Sandbox, context: Context) -> Iterator[str]:
        sandbox.clock.advance(timedelta(minutes=1))  # by then registries have decided
        second = attempt(partial(self.call, sandbox, context))
        if isinstance(second, BaseException):
            yield f"the repeat failed: {second!r}"
        elif failures := getattr(second, "failures", None):
            yield f"the repeat failed in part: {failures}"

    def judge(
        self, first: object, before: dict[str, int], after: dict[str, int], seconds: float
    ) -> Iterator[str]:
        kind = self.prepared.kind
        if isinstance(first, BaseException):
            if not isinstance(first, MedsignError):
                yield f"a foreign error: {traceback.format_exception(first)[-3:]}"
            else:
                text = "".join([*traceback.format_exception(first), first.diagnostics()])
                if shown := [secret for secret in SECRETS if secret in text]:
                    yield f"the error shows {shown}: {text}"
            if kind is Kind.CREATES and not isinstance(first, OutcomeUnknown) and before != after:
                yield f"{first!r} hides what was done"
        if (
            kind in (Kind.READS, Kind.CREATES, Kind.UNKEYED)
            and seconds > POLICY.total + MARGIN + self.prepared.patience
        ):
            yield f"it took {seconds:.2f} s"
        if kind is Kind.UNKEYED and not self.fault.twice:
            most = {name: number + 1 for name, number in before.items()}
            if any(number > most.get(name, 1) for name, number in after.items()):
                yield f"{after} after {before}"
        if self.mode == "once" and kind in (Kind.READS, Kind.CREATES):
            end = self.fault.reads if kind is Kind.READS else self.fault.creates
            if end is None and isinstance(first, BaseException):
                yield f"it should have succeeded: {first!r}"
            ends = (end, MalformedError) if end is UnexpectedAnswer else end
            if ends and isinstance(first, BaseException) and not isinstance(first, ends):
                yield f"{first!r} instead of {end}"

    def call(self, sandbox: Sandbox, context: Context) -> Any:
        """Call the operation in its colour; waits pass at once."""
        arguments = self.prepared.call.arguments
        flow = getattr(self.prepared.service, self.prepared.name).flow
        key = signature(flow).parameters.get("key")
        keyed = key is not None and key.kind is key.KEYWORD_ONLY
        options = {"key": "press-1"} if keyed else {}
        if self.colour == "sync":
            with new_client(httpx.HTTPTransport(verify=TLS)) as http:
                driver = Driver(http, clock=context.clock, sleep=sandbox.sleep)
                result = getattr(self.prepared.service(context, driver), self.prepared.name)(
                    *arguments, **options
                )
                return list(result) if hasattr(result, "__next__") else result

        async def run() -> Any:
            module = sys.modules[self.prepared.service.__module__]
            async with new_async_client(httpx.AsyncHTTPTransport(verify=TLS)) as http:
                driver = AsyncDriver(http, clock=context.clock, sleep=sandbox.async_sleep)
                service = getattr(module, f"Async{self.prepared.service.__name__}")(context, driver)
                result = getattr(service, self.prepared.name)(*arguments, **options)
                if hasattr(result, "__anext__"):
                    return [item async for item in result]
                return await result

        return anyio.run(run, backend=self.colour)


def attempt(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except BaseException as error:  # noqa: BLE001 - it is what is judged
        return error
