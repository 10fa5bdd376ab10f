"""``medsign inspect``: what a file is and says."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from medsign.cli.facts import Value, describe_file
from medsign.cli.terminal import ExitCode, console, print_json, read
from medsign.clock import by_moscow_time


def inspect(
    file: Annotated[Path, typer.Argument(help="Any file.", exists=True, dir_okay=False)],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> int:
    """Show what a file is: certificate, request, CRL, OCSP, time stamp, CMS, МЧД, PDF.

    It is recognised by content; DER may be in PEM or base64. Nothing is verified; personal data
    in the file are shown. Exit code 65: nothing known.
    """
    found = describe_file(read(file))
    if as_json:
        facts = {fact.key: fact.value for fact in found.facts if fact.value not in (None, ())}
        print_json({"kind": found.kind, **facts})
        return ExitCode.PASSED
    screen = console()
    screen.print(f"[bold]{escape(found.title)}[/]")
    for fact in found.facts:
        if lines := _lines(fact.value):
            first, *others = lines
            screen.print(f"  {escape(fact.label)}: {escape(first)}".rstrip())
            for line in others:
                screen.print(f"    {escape(line)}")
    return ExitCode.PASSED


def _lines(value: Value) -> list[str]:
    match value:
        case None | ():
            return []
        case tuple():
            return ["", *value]
        case bool():
            return ["да" if value else "нет"]
        case datetime():
            return [by_moscow_time(value)]
        case _:
            return [str(value)]
