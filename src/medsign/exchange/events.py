"""What passes on the wire, as events for logs, metrics and a traffic monitor (F114, F115, F123).

No event holds a body, a query, a header value or personal data: the path's variable parts may be
numbers of documents, so an event names the operation and not the URL.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import attrs

from medsign.status import StateChanged


@attrs.frozen(kw_only=True)
class RequestSent:
    """A request is about to leave.

    Attributes:
        service: Which service, for instance ``sep``.
        operation: Which operation of it, for instance ``send``.
        method: HTTP method.
        attempt: 1 for the first time.
        size: Octets of the body.
    """

    service: str
    operation: str
    method: str
    attempt: int
    size: int


@attrs.frozen(kw_only=True)
class ResponseReceived:
    """A complete answer came.

    Attributes:
        status: HTTP status code.
        seconds: From the request's start to the answer's end.
        size: Octets of the decoded body.
        request_id: The service's identifier of the exchange, or ``None``.
    """

    service: str
    operation: str
    attempt: int
    status: int
    seconds: float
    size: int
    request_id: str | None


@attrs.frozen(kw_only=True)
class RequestFailed:
    """No complete answer came.

    Attributes:
        code: Code of the error, for instance ``MS-TIMEOUT``.
        outcome_known: False when the peer may have done what it was asked.
    """

    service: str
    operation: str
    attempt: int
    seconds: float
    code: str
    outcome_known: bool


@attrs.frozen(kw_only=True)
class RetryScheduled:
    """The same request will be sent again.

    Attributes:
        attempt: The attempt to come.
        seconds: The wait before it.
        reason: Code of the error that made it necessary.
    """

    service: str
    operation: str
    attempt: int
    seconds: float
    reason: str


@attrs.frozen(kw_only=True)
class OutcomeNotRecorded:
    """The service has answered, and the journal did not take that in; the answer is not lost.

    The call is listed as unfinished, and the next use of its key asks the service once more.

    Attributes:
        code: Code of the journal's error.
    """

    service: str
    operation: str
    code: str


Event: TypeAlias = (
    RequestSent
    | ResponseReceived
    | RequestFailed
    | RetryScheduled
    | OutcomeNotRecorded
    | StateChanged
)
EventHook: TypeAlias = Callable[[Event], None]
