"""ЕКП for blocking and for async code."""

from __future__ import annotations

from typing import Any

import httpx
import tenacity

from medsign.ekp import operations
from medsign.exchange import AsyncService, Context, RetryPolicy, Service, operation
from medsign.transport import Secret, Token

EMTS_HOST = "10.128.66.207"
"""The server of ЕКП in the closed network ЕМТС; each workplace needs access to it (F253)."""

QUICK = RetryPolicy(attempts=2, backoff=tenacity.wait_fixed(0.5), total=8.0, timeout=3.0)
"""Patience of a registry with a queue before it: after it the card is read.

The source gives no time-out; a deployment may give its own policy.
"""


def ekp_context(
    *, base_url: str | httpx.URL, token: Secret, policy: RetryPolicy = QUICK, **settings: Any
) -> Context:
    """Return the settings of ЕКП.

    Args:
        base_url: Address of the web service.
        token: The clinic's token.
        policy: How long to wait for the web service.
        settings: Further settings of `Context`.
    """
    return Context(
        service="ekp", base_url=base_url, auth=Token("Bearer", token), policy=policy, **settings
    )


class _EkpOperations:
    identify = operation(operations.identify)
    identify_card = operation(operations.identify_card)


class Ekp(_EkpOperations, Service):
    """Patients and staff are known by the Единая карта петербуржца."""


class AsyncEkp(_EkpOperations, AsyncService):
    """Patients and staff are known by the Единая карта петербуржца, for async code."""
