"""СЭП for blocking and for async code."""

from __future__ import annotations

from typing import Any

import httpx

from medsign.errors import ConfigError
from medsign.exchange import AsyncService, Context, Service, listing, operation
from medsign.sep import operations
from medsign.transport import Secret, Token

TEST_URL = "https://b2b-demo.n3health.ru/sep/api"
"""«Адрес сервиса КЭП» of the test contour (F191)."""
PRODUCTION_URL = "https://b2b.n3health.ru/sep/api"
"""The same of the production contour (F192)."""


def sep_context(
    *,
    token: Secret,
    organization: str,
    base_url: str | httpx.URL = PRODUCTION_URL,
    **settings: Any,
) -> Context:
    """Return the settings of СЭП.

    Args:
        token: «Авторизационный токен МИС КЭП», given by Элнетмед.
        organization: «Идентификатор МО для КЭП»; opaque, for both GUID and OID occur.
        base_url: «Адрес сервиса КЭП».
        settings: Further settings of `Context`.

    Raises:
        ConfigError: The token or the identifier is empty or cannot stand in a header.

    Example:
        >>> context = sep_context(token="d19f9083", organization="1.2.643.2.69.1.2.999")
        >>> context.base_url.host, "d19f9083" in repr(context)
        ('b2b.n3health.ru', False)
    """
    for name, value in (("token", token), ("organization", organization)):
        if callable(value):
            continue  # what a vault gives is seen when it is asked
        if not value or not value.isascii() or not value.isprintable() or " " in value:
            raise ConfigError(
                f"sep: {name} is empty or has characters that no header takes; "
                "Элнетмед gives it after the contract on СЭП is signed"
            )
    headers = {**settings.pop("headers", {}), operations.ORGANIZATION: organization}
    return Context(
        service="sep",
        base_url=base_url,
        auth=Token("N3", token),
        owner=organization,
        headers=headers,
        **settings,
    )


class _SepOperations:
    send = operation(operations.send)
    send_all = operation(operations.send_all)
    status = operation(operations.status)
    status_all = operation(operations.status_all)
    wait_signed = operation(operations.wait_signed)
    documents = listing(operations.documents)
    signed = operation(operations.signed)


class Sep(_SepOperations, Service):
    """Patients sign documents remotely (СЭП of N3.Health)."""


class AsyncSep(_SepOperations, AsyncService):
    """Patients sign documents remotely (СЭП of N3.Health), for async code."""
