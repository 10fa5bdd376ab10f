"""What the commands share: exit codes, the console, JSON, files."""

from __future__ import annotations

import sys
from enum import IntEnum
from pathlib import Path

import typer
from rich.console import Console

from medsign.cms import Indication
from medsign.codec import json
from medsign.errors import MalformedError, MedsignError, UsageError


class ExitCode(IntEnum):
    """How a command ended; from 64 on the numbers are those of sysexits.h."""

    PASSED = 0
    FAILED = 1
    INDETERMINATE = 2
    USAGE = 64
    BAD_DATA = 65
    UNAVAILABLE = 69
    INTERRUPTED = 130

    @classmethod
    def of(cls, outcome: Indication | MedsignError) -> ExitCode:
        """Return the code of a verdict or of an error."""
        match outcome:
            case Indication.TOTAL_PASSED:
                return cls.PASSED
            case Indication.TOTAL_FAILED:
                return cls.FAILED
            case Indication.INDETERMINATE:
                return cls.INDETERMINATE
            case UsageError():
                return cls.USAGE
            case MalformedError():
                return cls.BAD_DATA
            case _:
                return cls.UNAVAILABLE


def console(*, stderr: bool = False) -> Console:
    """Return a console that colours and wraps only on a terminal."""
    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def print_json(value: object) -> None:
    """Print a value as JSON in UTF-8, whatever the code page of the console."""
    sys.stdout.flush()
    typer.get_binary_stream("stdout").write(json.encode(value) + b"\n")


def read(path: Path) -> bytes:
    """Return the octets of a file.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"cannot read a file: {type(error).__name__}",
            "Файл не читается. Проверьте, что он на месте и доступен.",
        ) from None
