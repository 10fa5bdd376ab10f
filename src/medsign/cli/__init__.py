"""The command ``medsign``: a training day, the sandbox, verification, inspection, self-check.

It needs the extra ``cli``. Help is in English, what the commands print is in Russian, because the
staff of a clinic read it; JSON has no language.
"""

from __future__ import annotations

import sys

from medsign.errors import MissingExtra


def main() -> None:
    """Run the command and leave the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A Russian Windows console has no «✓» in its code page, and must not die of it.
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="replace")
    try:
        from medsign.cli.app import app
    except (ModuleNotFoundError, MissingExtra) as error:
        if isinstance(error, ModuleNotFoundError) and str(error.name).startswith("medsign"):
            raise
        print(MissingExtra("the command line", "cli").diagnostics(), file=sys.stderr)
        sys.exit(69)
    app()
