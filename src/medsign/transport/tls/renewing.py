"""A context that follows the file of its revocation lists.

Lists live for days and programs for months: one that had read its lists at its start would refuse
every peer as soon as their term is over.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from medsign.errors import MedsignError
from medsign.transport.tls.checks import CheckedContext, SettledContext


class RenewingContext(SettledContext):
    """A context whose new connections are those of another one, made anew as a file changes."""

    _make: Callable[[], CheckedContext]
    _file: Path
    _lock: threading.Lock
    _version: object
    _made: CheckedContext
    _protocols: Sequence[str] = ()

    @classmethod
    def of(cls, make: Callable[[], CheckedContext], file: Path) -> RenewingContext:
        """Return a context.

        Args:
            make: Reads the file and makes a context.
            file: What is looked at before each connection.
        """
        context = cls(ssl.PROTOCOL_TLS_CLIENT)
        context._make, context._file, context._lock = make, file, threading.Lock()
        context._version, context._made = _version(file), make()
        return context

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """Set what HTTP clients offer."""
        self._protocols = tuple(alpn_protocols)

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        """Begin a connection over a socket."""
        return self._now().wrap_socket(*args, **kwargs)

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """Begin a connection over buffers."""
        return self._now().wrap_bio(*args, **kwargs)

    def _now(self) -> CheckedContext:
        with self._lock:
            version = _version(self._file)
            if version not in {None, self._version}:
                with suppress(MedsignError):  # half written, perhaps: the old lists still do
                    self._made, self._version = self._make(), version
            self._made.check_later = self.check_later
            self._made.set_alpn_protocols(self._protocols)
            return self._made


def _version(file: Path) -> tuple[int, ...] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
