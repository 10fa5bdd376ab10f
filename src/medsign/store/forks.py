"""Threads and forks: what a thread holds while another one forks is never let go in the child."""

from __future__ import annotations

import functools
import os
import threading
from contextlib import AbstractContextManager, ExitStack
from typing import Protocol
from weakref import WeakSet


class ProcessLock:
    """A lock of each process: the child of a fork finds its own open, whoever held its parent's.

    Example:
        >>> lock = ProcessLock()
        >>> with lock:
        ...     pass
    """

    def __init__(self) -> None:
        self._locks: dict[int, threading.Lock] = {}

    def __enter__(self) -> None:
        """Wait for the turn among the threads of this process."""
        self._locks.setdefault(os.getpid(), threading.Lock()).acquire()

    def __exit__(self, *_: object) -> None:
        """Let the next thread have its turn."""
        self._locks[os.getpid()].release()


class Restless(Protocol):
    """What must not cross a fork while a thread is at work in it."""

    def standing_still(self) -> AbstractContextManager[None]:
        """Keep every thread out of it from before a fork until after, on both sides."""
        ...


def stand_still_at_forks(one: Restless) -> None:
    """Have something stand still at each fork of this process, for as long as it lives."""
    _crowd().add(one)


class _Crowd:
    """All that stands still at forks: hooks of forks stay for ever, so it has them once."""

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._all: WeakSet[Restless] = WeakSet()
        self._still = ExitStack()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._halt,
                after_in_parent=self._go_on,
                after_in_child=self._go_on,
            )

    def add(self, one: Restless) -> None:
        with self._gate:
            self._all.add(one)

    def _halt(self) -> None:
        self._still.enter_context(self._gate)
        for one in self._all:
            self._still.enter_context(one.standing_still())

    def _go_on(self) -> None:
        # Taken away before the gate opens: the next thread that forks begins a list of its own.
        self._still.pop_all().close()


@functools.cache  # two threads may make two at once: both have their hooks, so nothing is lost
def _crowd() -> _Crowd:
    return _Crowd()
