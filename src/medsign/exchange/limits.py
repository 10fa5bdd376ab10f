"""A client-side rate limit, so that a clinic is never the one who is banned."""

from __future__ import annotations

import threading
from collections import deque
from heapq import heappop, heappush
from typing import Final

from medsign.clock import Clock
from medsign.errors import ConfigError
from medsign.exchange.effects import Flow, Wait

# Clocks count microseconds: to wait for less would be to wait for nothing, again and again.
_TICK: Final = 1e-6


class RateLimit:
    """Spreads requests so that no window holds more than allowed, without busy waiting.

    Slots are given out in order and evenly spaced: a caller learns at once how long to wait, and
    sleeps once. One limit may be shared by threads and by tasks of either colour; each process
    has its own. (The federal СНИЛС service of N3 allows 50 a minute.)

    Args:
        requests: How many requests in a window.
        seconds: Length of the window.

    Example:
        >>> from datetime import UTC, datetime
        >>> from medsign.clock import ManualClock
        >>> clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
        >>> limit = RateLimit(2, 60.0)
        >>> callers = [limit.turn(clock, until=600.0) for _ in range(3)]
        >>> [next(caller, "at once") for caller in callers]
        ['at once', Wait(seconds=30.0), Wait(seconds=60.0)]
    """

    def __init__(self, requests: int, seconds: float) -> None:
        if requests < 1 or seconds <= 0:
            raise ConfigError("a rate limit needs requests ≥ 1 and seconds > 0")
        self._interval = seconds / requests
        self._seconds = seconds
        self._due = float("-inf")
        self._free: list[float] = []
        self._left: deque[float] = deque(maxlen=requests)
        self._lock = threading.Lock()

    def turn(self, clock: Clock, until: float) -> Flow[bool]:
        """Wait for a slot of one's own; who gives up leaves it to others.

        Args:
            clock: Where time is taken from.
            until: Monotonic seconds; a slot that comes later is not waited for.

        Returns:
            Whether the request may leave now.
        """
        with self._lock:
            slot = self._take(clock.monotonic())
        left = False
        try:
            while slot < until:
                delay = slot - clock.monotonic()
                if delay < _TICK:
                    delay = self._leave(clock)
                    left = not delay
                if left:
                    break
                yield Wait(delay)
            return left
        finally:
            if not left:
                with self._lock:
                    heappush(self._free, slot)

    def _take(self, now: float) -> float:
        while self._free:
            if (slot := heappop(self._free)) >= now:
                return slot
        slot = max(self._due, now)
        self._due = slot + self._interval
        return slot

    def _leave(self, clock: Clock) -> float:
        """Note that a request leaves; or return the seconds that it must wait yet.

        Whoever wakes late is followed more closely by the next: only what has really left tells
        how full the window is.
        """
        with self._lock:
            now = clock.monotonic()
            full = len(self._left) == self._left.maxlen
            if full and (delay := self._left[0] + self._seconds - now) >= _TICK:
                return delay
            self._left.append(now)
            return 0.0
