"""The registry of powers of attorney, blocking and asynchronous."""

from __future__ import annotations

from medsign.exchange import AsyncService, Service, operation
from medsign.mchd import operations
from medsign.status import Tracker


class _RegistryOperations:
    generate_number = operation(operations.generate_number)
    register = operation(operations.register)
    transaction = operation(operations.transaction)
    settled = operation(operations.settled)
    submit_and_wait = operation(operations.submit_and_wait)
    status = operation(operations.status)
    follow = operation(operations.follow)
    chronology = operation(operations.chronology)
    download = operation(operations.download)
    revoke = operation(operations.revoke)
    check = operation(operations.check)


class Mchd(_RegistryOperations, Service):
    """The registry of powers of attorney for blocking code (F108).

    Example:
        >>> import httpx
        >>> from medsign.exchange import Context, Driver
        >>> from medsign.mchd import NODE
        >>> from medsign.sandbox import Sandbox
        >>> from medsign.sandbox.mchd import LOGINS, MchdRegistry
        >>> from medsign.transport import PasswordGrant
        >>> with Sandbox([MchdRegistry]) as sandbox:
        ...     url = sandbox.endpoint("mchd").url
        ...     grant = PasswordGrant(
        ...         url=f"{url}/{NODE.token}",
        ...         username="clinic",
        ...         password=LOGINS["clinic"],
        ...         as_json=True,
        ...     )
        ...     with httpx.Client(transport=sandbox.transport()) as http:
        ...         context = Context(service="mchd", base_url=url, auth=grant)
        ...         len(Mchd(context, Driver(http)).generate_number())
        36
    """

    def tracker(self, number: str) -> Tracker:
        """Return the tracker of a power of attorney; it reads the journal and asks nobody."""
        return operations.tracker(self.context, number)


class AsyncMchd(_RegistryOperations, AsyncService):
    """The registry of powers of attorney for asyncio and trio; the same as `Mchd`."""

    def tracker(self, number: str) -> Tracker:
        """Return the tracker of a power of attorney; it reads the journal and asks nobody."""
        return operations.tracker(self.context, number)
