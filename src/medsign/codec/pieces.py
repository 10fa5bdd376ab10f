"""A text that holds files as base64, read anew in every pass and never whole in memory."""

from __future__ import annotations

from binascii import b2a_base64, crc32
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import attrs

from medsign.errors import ContentChanged, UsageError

CHUNK: Final = 384 * 1024
"""Octets that are read at once: a multiple of three, so that pieces of base64 join."""


class Pieces:
    """Octets known in advance and contents of files as base64, in their order.

    Every pass opens the files anew, so a request may be sent again. A pass ends with an error
    before its last octets when a file is not what it was in the first pass: a receiver who was
    promised a length then knows that the message is not complete.

    Args:
        parts: Octets as they are, and paths of files to be encoded.

    Raises:
        UsageError: A file cannot be read.
        ContentChanged: While iterating: a file has changed since.
    """

    def __init__(self, parts: Sequence[bytes | Path]) -> None:
        self._parts = [_File(part) if isinstance(part, Path) else part for part in parts]

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __iter__(self) -> Iterator[bytes]:
        pending = b""
        for part in self._parts:
            for piece in (part,) if isinstance(part, bytes) else part:
                pending += piece
                if len(pending) >= CHUNK:
                    yield pending
                    pending = b""
        yield pending


@attrs.define(eq=False, init=False)
class _File:
    """A file as base64. Its name may be that of a person and is in no text."""

    path: Path = attrs.field(repr=False)
    size: int
    checksum: int | None

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checksum = None
        try:
            self.size = path.stat().st_size
        except OSError as error:
            raise _unreadable(error) from None

    def __len__(self) -> int:
        return (self.size + 2) // 3 * 4

    def __iter__(self) -> Iterator[bytes]:
        checksum = 0
        # One octet beyond the end is asked for, to notice a file that has grown.
        for offset in range(0, self.size + 1, CHUNK):
            chunk = self._read(offset)
            if offset + len(chunk) != min(offset + CHUNK, self.size):
                raise ContentChanged
            checksum = crc32(chunk, checksum)
            yield b2a_base64(chunk, newline=False)
        if self.checksum not in (None, checksum):
            raise ContentChanged
        self.checksum = checksum

    def _read(self, offset: int) -> bytes:
        # Opened for each chunk: a pass that somebody gives up leaves nothing open.
        try:
            with self.path.open("rb", buffering=0) as file:
                file.seek(offset)
                # Not more than is there: room for a whole chunk costs more than the reading.
                return file.read(min(CHUNK, self.size + 1 - offset))
        except OSError as error:
            raise _unreadable(error) from None


def _unreadable(error: OSError) -> UsageError:
    return UsageError(
        f"a file to be sent cannot be read ({type(error).__name__})",
        "Файл не читается. Проверьте, что он на месте и открыт для чтения.",
    )
