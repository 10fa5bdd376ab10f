"""``medsign audit``: whether the log of signing operations is whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

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
    it shows a tail that was cut off. The file is only read. Exit codes: 0 whole, 1 not whole or no
    such log, 64 wrong usage, 69 no journal.
    """
    kept = [_head(text) for text in head or ()]
    with SqliteStore(store, read_only=True) as opened:
        report = AuditLog(opened, stream).check(*kept)
    whole = report.intact and bool(report.head.number)
    if as_json:
        print_json({"intact": whole, "report": report})
    else:
        for line in _lines(report, stream):
            console().print(line)
    return ExitCode.PASSED if whole else ExitCode.FAILED


def _lines(report: AuditReport, stream: str) -> Iterator[str]:
    yield f"Записей, прошедших проверку: {report.head.number}"
    if report.head.number:
        yield f"Последняя: {report.head.number}:{report.head.seal}"
    if report.unfinished:
        yield f"Операции без исхода: {', '.join(map(str, report.unfinished))}"
    if report.broken_at:
        yield f"[red]Цепочка нарушена на записи {report.broken_at}[/]"
    if report.missing:
        yield f"[red]Записи {report.missing.number}, сохранённой отдельно, в журнале нет[/]"
    if report.intact and report.head.number:
        yield "[green]Журнал цел[/]"
    elif report.intact:
        yield f"[red]Записей с именем журнала «{escape(stream)}» в файле нет: проверять нечего[/]"


def _head(text: str) -> AuditHead:
    number, _, seal = text.partition(":")
    if not number.isdecimal() or not seal:
        raise UsageError(
            "a head is written NUMBER:SEAL", "Голова журнала пишется как НОМЕР:ПЕЧАТЬ."
        )
    return AuditHead(int(number), seal)
