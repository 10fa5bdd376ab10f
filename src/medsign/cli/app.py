"""The commands under one name, and how their errors end."""

from __future__ import annotations

import sys
from typing import Any, cast

import typer
from rich.markup import escape
from typer.core import TyperGroup

from medsign.cli import mchd
from medsign.cli.audit import audit
from medsign.cli.demo import demo
from medsign.cli.inspect import inspect
from medsign.cli.sandbox import sandbox
from medsign.cli.selfcheck import selfcheck
from medsign.cli.terminal import ExitCode, console
from medsign.cli.verify import verify
from medsign.errors import MedsignError

# The error of every wrong command line. Newer typer carries click inside, older typer imports it:
# this name is right in both.
_UsageMistake = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])


class Command(TyperGroup):
    """A group whose errors become messages and exit codes, never tracebacks."""

    def main(self, *arguments: Any, **settings: Any) -> Any:
        """Run a command line.

        Returns:
            The exit code, when called with ``standalone_mode=False``; otherwise the process ends
            with it.
        """
        standalone = settings.pop("standalone_mode", True)
        code = self._code(*arguments, **settings | {"standalone_mode": False})
        if standalone:
            sys.exit(code)
        return code

    def _code(self, *arguments: Any, **settings: Any) -> int:
        try:
            return super().main(*arguments, **settings) or ExitCode.PASSED
        except MedsignError as error:
            screen = console(stderr=True)
            screen.print(f"[red]{escape(error.diagnostics())}[/]")
            screen.print(f"[dim]{escape(str(error))}[/]")
            return ExitCode.of(error)
        except _UsageMistake as mistake:
            mistake.show()
            return ExitCode.USAGE
        except typer.Abort:
            return ExitCode.INTERRUPTED


app = typer.Typer(
    name="medsign",
    cls=Command,
    help="GOST signatures, certificates and powers of attorney for medical software.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (demo, sandbox, verify, inspect, audit, selfcheck):
    app.command()(command)
app.add_typer(mchd.app, name="mchd")
