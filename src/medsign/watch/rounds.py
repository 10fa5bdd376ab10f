"""Rounds of the watch: each threshold is told once, whoever else goes round."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from math import inf

import attrs

from medsign.clock import Clock
from medsign.errors import VersionConflict
from medsign.store import NewEvent, Store, StoredEvent
from medsign.watch.expiry import THRESHOLDS, Expiry, Watched, expiring
from medsign.watch.notices import Notice, notice

_log = logging.getLogger(__name__)

Notifier = Callable[[Notice], None]
"""Delivers a notice: a letter, a message of the МИС. Raises when it was not delivered."""

CLAIM = timedelta(minutes=10)
"""How long one round may deliver a notice before another takes it for crashed."""


class _Memory(StrEnum):
    CLAIMED = "claimed"
    TOLD = "told"
    FAILED = "failed"


@attrs.frozen(kw_only=True)
class Round:
    """What one round has done.

    Attributes:
        sent: Notices delivered now.
        failed: Notices that the notifier could not deliver; the next round tries again.
    """

    sent: tuple[Notice, ...]
    failed: tuple[Notice, ...]


class Watch:
    """Tells the clinic about each passed threshold once.

    Before a notice is delivered the round claims it, so that of two rounds at once one delivers.
    What was not delivered is tried again by the next round. A crash during the delivery leaves the
    claim behind: nobody knows whether the notice went out, and a round after `CLAIM` repeats it.
    When several thresholds have passed since the last round, only the nearest to the end is told.

    Args:
        store: Remembers what was told, by opaque ids and dates only.
        notify: Delivers a notice.
        clock: Where time is taken from.
        thresholds: How long before the end each warning is due.
        word: Makes the message; the default speaks Russian to the clinic.
    """

    def __init__(
        self,
        store: Store,
        notify: Notifier,
        clock: Clock,
        *,
        thresholds: Sequence[timedelta] = THRESHOLDS,
        word: Callable[[Expiry], Notice] = notice,
    ) -> None:
        self._store = store
        self._notify = notify
        self._clock = clock
        self._thresholds = thresholds
        self._word = word

    def check(self, items: Iterable[Watched]) -> Round:
        """Go round once; call it at least daily from the scheduler of the МИС.

        Raises:
            StoreError: The memory of the watch cannot be read or written.
        """
        sent: list[Notice] = []
        failed: list[Notice] = []
        for expiry in expiring(items, self._clock.now(), self._thresholds):
            events = self._store.load(_stream(expiry.watched))
            if self._is_dealt_with(expiry, events):
                continue
            message = self._word(expiry)
            try:
                self._append(_Memory.CLAIMED, expiry, len(events))
            except VersionConflict:  # another round was first
                continue
            try:
                self._notify(message)
            except Exception as error:  # noqa: BLE001  # one dead mailbox must not silence the rest
                _log.error("a notice was not delivered: %s", type(error).__name__)
                self._remember(_Memory.FAILED, expiry)
                failed.append(message)
            else:
                self._remember(_Memory.TOLD, expiry)
                sent.append(message)
        return Round(sent=tuple(sent), failed=tuple(failed))

    def _is_dealt_with(self, expiry: Expiry, events: Sequence[StoredEvent]) -> bool:
        """Tell whether this threshold or a nearer one was told, or somebody tells it right now."""
        ends_at = expiry.watched.ends_at.isoformat()
        known = [event for event in events if event.data["ends_at"] == ends_at]
        if not known:
            return False
        told = (float(str(e.data["threshold"])) for e in known if e.kind == _Memory.TOLD)
        if min(told, default=inf) <= expiry.threshold.total_seconds():
            return True
        # Both ways: a clock set back must not make a claim last for ever.
        fresh = abs(self._clock.now() - known[-1].at) < CLAIM
        return fresh and known[-1].kind == _Memory.CLAIMED

    def _append(self, what: _Memory, expiry: Expiry, version: int) -> None:
        event = NewEvent(
            what,
            self._clock.now(),
            {
                "ends_at": expiry.watched.ends_at.isoformat(),
                "threshold": expiry.threshold.total_seconds(),
            },
        )
        self._store.append(_stream(expiry.watched), version, [event])

    def _remember(self, what: _Memory, expiry: Expiry) -> None:
        while True:
            with suppress(VersionConflict):
                return self._append(what, expiry, len(self._store.load(_stream(expiry.watched))))


def _stream(watched: Watched) -> str:
    return f"watch/{watched.kind}/{watched.id}"
