"""A certification authority for blocking and for async code."""

from __future__ import annotations

from typing import Any

import httpx

from medsign.ca import operations
from medsign.exchange import AsyncService, Context, Service, listing, operation
from medsign.transport import Secret, Token


def ca_context(*, base_url: str | httpx.URL, token: Secret, **settings: Any) -> Context:
    """Return the settings of an authority.

    Args:
        base_url: Address of its API.
        token: The clinic's token.
        settings: Further settings of `Context`.

    Example:
        >>> ca_context(base_url="https://ca.test/api", token="d19f9083").service
        'ca'
    """
    return Context(service="ca", base_url=base_url, auth=Token("Bearer", token), **settings)


class _CaOperations:
    create = operation(operations.create)
    upload = operation(operations.upload)
    correct = operation(operations.correct)
    submit = operation(operations.submit)
    apply = operation(operations.apply)
    apply_all = operation(operations.apply_all)
    identify = operation(operations.identify)
    identify_by_certificate = operation(operations.identify_by_certificate)
    get = operation(operations.get)
    requests = listing(operations.requests)
    wait = operation(operations.wait)
    download = operation(operations.download)
    install = operation(operations.install)
    cancel = operation(operations.cancel)
    certificates = listing(operations.certificates)
    certificate = operation(operations.certificate)
    revoke = operation(operations.revoke)
    hold = operation(operations.hold)
    unhold = operation(operations.unhold)


class Ca(_CaOperations, Service):
    """Certificates from a certification authority: request, identification, issue, revocation."""


class AsyncCa(_CaOperations, AsyncService):
    """Certificates from a certification authority, for async code; otherwise as `Ca`."""
