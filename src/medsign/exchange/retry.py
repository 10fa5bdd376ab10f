"""When the same request may be sent again, as data."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from math import inf
from typing import Any

import attrs
import tenacity
from tenacity.wait import wait_base

from medsign.clock import Clock
from medsign.errors import (
    ApiError,
    BudgetExceeded,
    ConfigError,
    MedsignError,
    TlsRefused,
    TransportError,
    UnexpectedAnswer,
)

# 409 is absent on purpose: it means "done already" or "refused", and never "try again".
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_NOT_ACCEPTED = frozenset({425, 429, 503})


def _seconds(_: object, field: attrs.Attribute[float], value: Any) -> None:
    if not (isinstance(value, int | float) and 0 <= value < inf):
        raise ConfigError(f"{field.name} must be seconds, 0 or more")


def _times(_: object, field: attrs.Attribute[int], value: Any) -> None:
    if not isinstance(value, int) or value < 1:
        raise ConfigError(f"{field.name} must be a whole number, 1 or more")


class Repeat(Enum):
    """What a repeat of an operation would do to the remote system.

    Attributes:
        SAFE: It reads, or it sets something to a value: a repeat changes nothing.
        KEYED: It creates, under an idempotency key: a repeat is recognised by the key.
        NEVER: It creates with no key: a repeat would do it twice.
    """

    SAFE = "safe"
    KEYED = "keyed"
    NEVER = "never"


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How patient the client is; attempts and waits follow tenacity's strategies.

    Attributes:
        attempts: How often a request is sent at most, whatever the reason of each repeat.
        backoff: The wait before each repeat; a service's ``Retry-After`` is a floor for it.
        total: Seconds an operation may take in all; nothing is sent after them.
        timeout: Seconds of silence that one attempt bears.
    """

    attempts: int = attrs.field(default=4, validator=_times)
    backoff: wait_base = attrs.field(
        factory=lambda: tenacity.wait_random_exponential(multiplier=0.5, max=20.0)
    )
    total: float = attrs.field(default=90.0, validator=_seconds)
    timeout: float = attrs.field(default=20.0, validator=_seconds)

    def wait(self, attempt: int, error: MedsignError) -> float:
        """Return the seconds to wait after the given attempt failed with the error."""
        state = tenacity.RetryCallState(tenacity.Retrying(), None, (), {})
        state.attempt_number = attempt
        floor = error.retry_after if isinstance(error, ApiError) else None
        return max(self.backoff(state), floor or 0.0)


def may_repeat(error: MedsignError, repeat: Repeat) -> bool:
    """Tell whether the same request may be sent again after the error.

    An operation that must not be repeated is repeated only when it certainly was not done.
    """
    match error:
        case TlsRefused():
            return False  # nobody's handshake gets better by itself
        case TransportError():
            return not error.sent or repeat is Repeat.SAFE
        case ApiError(status=status):
            allowed = _PASSING if repeat is Repeat.SAFE else _NOT_ACCEPTED
            return status in allowed and not (repeat is Repeat.NEVER and status == 503)
        case _:
            return False


def outcome_unknown(error: MedsignError) -> bool:
    """Tell whether the peer may have done what it was asked although no good answer came."""
    match error:
        case TransportError():
            return error.sent
        case ApiError(status=status):
            return status >= 500 and status not in _NOT_ACCEPTED
        case UnexpectedAnswer() | BudgetExceeded():
            return True
        case _:
            return False


def retry_after(value: str | None, clock: Clock) -> float | None:
    """Read a ``Retry-After`` field (RFC 9110 §10.2.3): seconds or an HTTP date.

    Example:
        >>> from medsign.clock import SystemClock
        >>> retry_after("120", SystemClock())
        120.0
    """
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        moment: datetime = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        return None
    return max(0.0, (moment - clock.now()).total_seconds())
