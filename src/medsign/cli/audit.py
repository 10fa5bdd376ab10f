"""``medsign audit``: whether the log of signing operations is whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from medsign.cli.terminal import ExitCode, console, print_json
from medsign.errors import UsageError
from medsign.signers import AuditHead, AuditLog, AuditReport
from medsign.store import SqliteStore


def audit(
    store: Annotated[Path, typer.Argument(help="The journal file.", exists=True, dir_okay=False)],
    *,
    stream: Annotated[str, typer.Option(help="Name of the log in the journal.")] = "audit",
    head: Annotated[
        list[str] | None,
        typer.Option(help="An entry kept elsewhere, NUMBER:SEAL; may be given several times."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> int:
    """Check the log of signing operations: was an entry changed, dropped or inserted?

    Keep the printed head where the log's keeper does not reach and give it to the next check: only
    it shows a tail that was cut off. Exit codes: 0 whole, 1 not whole, 64 wrong usage.
    """
    kept = [_head(text) for text in head or ()]
    with closing(SqliteStore(store)) as opened:
        report = AuditLog(opened, stream).check(*kept)
    if as_json:
        print_json({"intact": report.intact, "report": report})
    else:
        for line in _lines(report):
            console().print(line)
    return ExitCode.PASSED if report.intact else ExitCode.FAILED


def _lines(report: AuditReport) -> Iterator[str]:
    yield f"Записей, прошедших проверку: {report.head.number}"
    yield f"Последняя: {report.head.number}:{report.head.seal}"
    if report.unfinished:
        yield f"Операции без исхода: {', '.join(map(str, report.unfinished))}"
    if report.broken_at:
        yield f"[red]Цепочка нарушена на записи {report.broken_at}[/]"
    if report.missing:
        yield f"[red]Записи {report.missing.number}, сохранённой отдельно, в журнале нет[/]"
    if report.intact:
        yield "[green]Журнал цел[/]"


def _head(text: str) -> AuditHead:
    number, _, seal = text.partition(":")
    if not number.isdecimal() or not seal:
        raise UsageError("a head is written NUMBER:SEAL")
    return AuditHead(int(number), seal)
