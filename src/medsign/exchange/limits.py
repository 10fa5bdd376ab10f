"""A client-side rate limit, so that a clinic is never the one who is banned."""

from __future__ import annotations

import threading

from medsign.clock import Clock
from medsign.errors import ConfigError


class RateLimit:
    """Spreads requests so that no window holds more than allowed, without busy waiting.

    Slots are given out in order and evenly spaced: a caller learns at once how long to wait.
    (The federal СНИЛС service of N3 allows 50 a minute.)

    Args:
        requests: How many requests in a window.
        seconds: Length of the window.
        burst: How many may leave at once after a quiet time.

    Example:
        >>> from datetime import UTC, datetime
        >>> from medsign.clock import ManualClock
        >>> clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
        >>> limit = RateLimit(2, 60.0)
        >>> [limit.reserve(clock) for _ in range(3)]
        [0.0, 30.0, 60.0]
    """

    def __init__(self, requests: int, seconds: float, *, burst: int = 1) -> None:
        if requests < 1 or seconds <= 0 or not 1 <= burst <= requests:
            raise ConfigError("a rate limit needs requests ≥ 1, seconds > 0, 1 ≤ burst ≤ requests")
        # A burst and the slots after it share the window, so the slots are spaced for the rest.
        self._interval = seconds / (requests - burst + 1)
        self._ahead = (burst - 1) * self._interval
        self._due = float("-inf")
        self._lock = threading.Lock()

    def reserve(self, clock: Clock) -> float:
        """Take the next slot and return the seconds to wait for it."""
        with self._lock:
            now = clock.monotonic()
            due = max(self._due, now)
            self._due = due + self._interval
            return max(0.0, due - self._ahead - now)
