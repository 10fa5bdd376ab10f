"""Rounds of the watch: each threshold is told once, whatever restarts between."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import timedelta

import attrs

from medsign.clock import Clock
from medsign.errors import VersionConflict
from medsign.store import NewEvent, Store
from medsign.watch.expiry import THRESHOLDS, Expiry, Watched, expiring
from medsign.watch.notices import Notice, notice

_log = logging.getLogger(__name__)

Notifier = Callable[[Notice], None]
"""Delivers a notice: a letter, a message of the МИС. Raises when it was not delivered."""


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

    A notice is written down after it was delivered: a crash in between repeats it, and never
    loses it. When several thresholds have passed since the last round, only the nearest to the
    end is told.

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
            version, told = self._memory(expiry.watched)
            if told is not None and told <= expiry.threshold:
                continue
            message = self._word(expiry)
            try:
                self._notify(message)
            except Exception as error:  # noqa: BLE001  # one dead mailbox must not silence the rest
                _log.error("a notice was not delivered: %s", type(error).__name__)
                failed.append(message)
            else:
                self._remember(expiry, version)
                sent.append(message)
        return Round(sent=tuple(sent), failed=tuple(failed))

    def _memory(self, watched: Watched) -> tuple[int, timedelta | None]:
        """Return the version of the memory and the nearest threshold told for this very end."""
        events = self._store.load(_stream(watched))
        told = [
            timedelta(seconds=float(str(event.data["threshold"])))
            for event in events
            if event.data["ends_at"] == watched.ends_at.isoformat()
        ]
        return len(events), min(told, default=None)

    def _remember(self, expiry: Expiry, version: int) -> None:
        told = NewEvent(
            "told",
            self._clock.now(),
            {
                "ends_at": expiry.watched.ends_at.isoformat(),
                "threshold": expiry.threshold.total_seconds(),
            },
        )
        # On a conflict another process has told the same at the same time.
        with suppress(VersionConflict):
            self._store.append(_stream(expiry.watched), version, [told])


def _stream(watched: Watched) -> str:
    return f"watch/{watched.kind}/{watched.id}"
