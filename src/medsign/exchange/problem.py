"""A refusal becomes a typed error (RFC 9457 problem details)."""

from __future__ import annotations

from typing import Any

import attrs

from medsign.clock import Clock
from medsign.codec import json
from medsign.errors import ApiError, BudgetExceeded, MalformedError
from medsign.exchange.effects import Answer
from medsign.exchange.redaction import redact
from medsign.exchange.retry import retry_after

_TEXTS = 64 * 1024


@attrs.frozen
class _Problem:
    """The members that medsign reads; `error` is the code of a token service (RFC 6749 §5.2)."""

    code: str | None = None
    error: str | None = None
    title: str | None = None
    title_ru: str | None = None
    request_id: str | None = None


def refusal(answer: Answer, clock: Clock) -> ApiError:
    """Return the error that a non-2xx answer means.

    The texts of the service are redacted: some services quote personal data back. The `detail`
    member is not read at all, for that is where they do it.
    """
    problem = _read(answer)
    return ApiError(
        answer.status,
        redact(problem.code or problem.error or f"http-{answer.status}", 80),
        redact(problem.title or "the service gave no reason"),
        request_id=request_id(answer) or _shown(problem.request_id),
        retry_after=retry_after(answer.headers.get("retry-after"), clock),
        russian_title=redact(problem.title_ru) if problem.title_ru else None,
    )


def request_id(answer: Answer) -> str | None:
    """Return the service's identifier of the exchange, to quote to its support."""
    return _shown(answer.headers.get("x-request-id"))


def _shown(said: str | None) -> str | None:
    return redact(said, 80) if said else None


def _read(answer: Answer) -> _Problem:
    try:
        body = json.decode(dict[str, Any], answer.body, max_bytes=_TEXTS)
        return json.structure(_Problem, {k: v for k, v in body.items() if isinstance(v, str)})
    except (MalformedError, BudgetExceeded):
        return _Problem()
