"""Every operation of every service, awaited on asyncio and on Trio."""

from __future__ import annotations

import ast
import shutil
import sys
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from tests.faults.operations import Founded, Prepared, context_of, operations, records

from medsign.exchange import AsyncDriver, Context, Service
from medsign.sandbox import Sandbox
from medsign.sandbox.world import RunningClock

SOURCE = Path(__file__).resolve().parents[2] / "src" / "medsign"
OPERATIONS = tuple(operations())


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Founded:
    return Founded.under(tmp_path_factory.mktemp("worlds"))


@pytest.mark.parametrize(
    "service, name", OPERATIONS, ids=[f"{service.__name__}.{name}" for service, name in OPERATIONS]
)
def test_an_operation_does_the_same_on_both_loops(
    service: type[Service], name: str, founded: Founded, tmp_path: Path
) -> None:
    prepared = founded.prepare(service, name)
    for backend in ("asyncio", "trio"):
        file = Path(shutil.copy(prepared.file, tmp_path / f"{backend}.db"))
        run_once(prepared, file, backend)
        assert records(file) == prepared.left


def run_once(prepared: Prepared, file: Path, backend: str) -> None:
    clock = RunningClock()
    clock.set(prepared.now)

    async def run(sandbox: Sandbox, context: Context) -> Any:
        kind = getattr(
            sys.modules[prepared.service.__module__], f"Async{prepared.service.__name__}"
        )
        async with httpx.AsyncClient(transport=sandbox.async_transport()) as http:
            driver = AsyncDriver(http, clock=clock, sleep=sandbox.async_sleep)
            result = getattr(kind(context, driver), prepared.name)(*prepared.call.arguments)
            return [each async for each in result] if hasattr(result, "__anext__") else await result

    with Sandbox(path=file, clock=clock) as sandbox:
        context = context_of(prepared.service, sandbox, prepared.call.login, clock=clock)
        anyio.run(run, sandbox, context, backend=backend)


def test_no_module_asks_for_one_loop() -> None:
    """What imports asyncio or trio works on one of them only; `anyio` serves both."""
    wrong = [
        f"{module.relative_to(SOURCE)}:{node.lineno}"
        for module in sorted(SOURCE.rglob("*.py"))
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        for names in [
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        ]
        if {name.split(".")[0] for name in names} & {"asyncio", "trio", "sniffio"}
    ]
    assert wrong == []
