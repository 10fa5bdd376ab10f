"""Which signatures were seen already: the part of RFC 9421 that needs a memory (§7.2.2).

Time is cut into spans twice as long as clocks may differ, and each span has a store of its own:
what was signed now falls into the newest span or the one before it. A store is given up as a
whole, so the memory is bounded by what arrives in three spans, over stores that delete nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from math import ceil
from pathlib import Path
from typing import Final, Self

from medsign.errors import NotAuthentic, StoreError, UsageError, VersionConflict
from medsign.signers.gateway import SKEW, SignedBy
from medsign.status.journal import NewEvent
from medsign.store import MemoryStore, SqliteStore, Store

_KEPT: Final = 3  # one more than is needed: the clocks of processes may be set while they run
_FILE: Final = re.compile(r"nonces-(\d+)s-(-?\d+)\.db(?:-wal|-shm)?")


class NonceMemory:
    """Lets each signature of a request in once; safe between threads, processes and forks.

    A nonce is on the disk when `spend` returns: a power cut lets no recorded request in again.
    That takes as long as the disk does, so asynchronous code spends in a worker thread.

    Args:
        folder: Where processes of one machine share their memory: a folder of its own, made when
            it is missing, on a local disk. Without it the memory is of this process, and one that
            is started anew takes for new what was sent within the last minutes.
        skew: What `medsign.signers.verify_message` is given as such, or more; the same in all
            processes that share a folder.

    Raises:
        StoreError: The folder cannot be made or read.
        UsageError: It is in use with another skew, or the skew is under a second.

    Example:
        >>> from datetime import UTC, datetime
        >>> memory = NonceMemory()
        >>> noon = datetime(2026, 7, 1, 9, tzinfo=UTC)
        >>> seen = SignedBy(key_id="ab" * 32, nonce="7c0e", created=noon)
        >>> memory.spend(seen)
        >>> memory.spend(seen)
        Traceback (most recent call last):
        medsign.errors.NotAuthentic: replay: a request with this signature has been here
    """

    def __init__(
        self, folder: str | os.PathLike[str] | None = None, *, skew: timedelta = SKEW
    ) -> None:
        if skew < timedelta(seconds=1):
            raise UsageError("clocks differ at least by the time that a request takes")
        self._folder = None if folder is None else Path(folder).absolute()
        self._span = 2 * ceil(skew.total_seconds())
        self._stores: dict[int, Store] = {}
        self._closed = False
        if self._folder:
            with _as_store_error():
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            tuple(self._files())

    def spend(self, signed: SignedBy) -> None:
        """Remember the nonce of a request whose signature holds.

        Only what was verified is remembered; otherwise anybody could spend the nonces of others.

        Raises:
            NotAuthentic: It was spent before (``replay``), or is too old to be known (``time``).
            StoreError: It could not be remembered; do not let the request in.
        """
        span = int(signed.created.timestamp() // self._span)
        # No lock: a fork could happen while it is held, and it would stay so in the child.
        store = self._stores.get(span) or self._opened(span)
        name = hashlib.sha256(f"{signed.key_id} {signed.nonce}".encode()).hexdigest()
        try:
            store.append(name, 0, [NewEvent("spent", signed.created)])
        except VersionConflict:
            raise NotAuthentic("replay", "a request with this signature has been here") from None

    def close(self) -> None:
        """Close what is open; a closed memory raises `StoreError`."""
        self._closed = True
        for span in tuple(self._stores):
            self._stores.pop(span).close()

    def __enter__(self) -> Self:
        """Return the memory itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def _opened(self, span: int) -> Store:
        if self._closed:  # not one that would begin anew
            raise StoreError("the memory of nonces is closed")
        opened = self._open(span)
        store = self._stores.setdefault(span, opened)
        if store is not opened:  # another thread was quicker
            opened.close()
        self._forget()
        if span not in self._stores:
            raise NotAuthentic("time", "so old that nobody knows any more whether it was here")
        return store

    def _open(self, span: int) -> Store:
        if not self._folder:
            return MemoryStore()
        return SqliteStore(self._folder / f"nonces-{self._span}s-{span}.db")

    def _forget(self) -> None:
        files = tuple(self._files())
        # Never by the clock of this process: set back, it would know less than it did.
        oldest = max((*tuple(self._stores), *(span for span, _ in files)), default=0) - _KEPT + 1
        for span in tuple(self._stores):
            if span < oldest and (store := self._stores.pop(span, None)):
                store.close()
        for span, file in files:
            if span < oldest:
                with suppress(OSError):  # Windows keeps what another process has open
                    file.unlink(missing_ok=True)

    def _files(self) -> Iterator[tuple[int, Path]]:
        with _as_store_error():
            for file in self._folder.iterdir() if self._folder else ():
                if found := _FILE.fullmatch(file.name):
                    if int(found[1]) != self._span:
                        raise UsageError("the folder of nonces is in use with another skew")
                    yield int(found[2]), file


@contextmanager
def _as_store_error() -> Generator[None, None, None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"the folder of nonces: {type(error).__name__}") from error
