"""The commands under one name, and how their errors end."""

from __future__ import annotations

import sys
from typing import Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

from medsign.cli.demo import demo
from medsign.cli.terminal import ExitCode, console
from medsign.errors import MedsignError

# typer >= 0.20 carries click inside, older ones import it; both derive this one from UsageError.
_UsageMistake = typer.BadParameter.__mro__[1]


class Command(TyperGroup):
    """A group whose errors become messages and exit codes, never tracebacks."""

    def main(self, *arguments: Any, standalone_mode: bool = True, **settings: Any) -> Any:
        """Run a command line.

        Returns:
            The exit code, when not standalone; otherwise the process ends with it.
        """
        code = self._code(*arguments, **settings)
        if standalone_mode:
            sys.exit(code)
        return code

    def _code(self, *arguments: Any, **settings: Any) -> int:
        try:
            return super().main(*arguments, standalone_mode=False, **settings) or ExitCode.PASSED
        except MedsignError as error:
            screen = console(stderr=True)
            screen.print(f"[red]{escape(error.diagnostics())}[/]")
            screen.print(f"[dim]{escape(str(error))}[/]")
            return ExitCode.of(error)
        except typer.Abort:
            return ExitCode.INTERRUPTED
        except _UsageMistake as mistake:
            mistake.show()  # type: ignore[attr-defined]
            return ExitCode.USAGE


app = typer.Typer(
    name="medsign",
    cls=Command,
    help="GOST signatures, certificates and powers of attorney for medical software.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo)


@app.callback()
def _group() -> None:
    """Keep the group a group, however few commands it has."""
