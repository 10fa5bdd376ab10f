"""``medsign mchd validate``: what the registry would refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from medsign.cli.terminal import ExitCode, console, print_json, read
from medsign.codec import json
from medsign.mchd import RELAXED, STRICT, Severity
from medsign.mchd import validate as findings_of

app = typer.Typer(help="Machine-readable powers of attorney (МЧД).", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep the group a group, however few commands it has."""


@app.command()
def validate(
    file: Annotated[
        Path, typer.Argument(help="XML of the unified format 003.", exists=True, dir_okay=False)
    ],
    *,
    strict: Annotated[
        bool, typer.Option(help="Demand the representative's passport, as rules of 2025 did.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> int:
    """Check a power of attorney as the registry would, its file name included.

    Each finding has a path and no value of the document. Exit codes: 0 nothing to refuse it for,
    1 there are errors, 64 wrong usage.
    """
    found = findings_of(read(file), file_name=file.name, profile=STRICT if strict else RELAXED)
    errors = sum(each.severity is Severity.ERROR for each in found)
    if as_json:
        print_json({"valid": not errors, "findings": [json.unstructure(each) for each in found]})
    else:
        screen = console()
        for each in found:
            word = "[red]Ошибка[/]" if each.severity is Severity.ERROR else "[yellow]Внимание[/]"
            screen.print(f"{word}: {escape(each.message)}")
            screen.print(f"  {escape(each.path or 'файл целиком')} [dim]{escape(each.code)}[/]")
        total = f"ошибок {errors}, предупреждений {len(found) - errors}"
        screen.print(f"Замечаний нет: {escape(file.name)}" if not found else f"Итого: {total}")
    return ExitCode.FAILED if errors else ExitCode.PASSED
