"""Proofs about certificates and signatures, for blocking and for async code."""

from __future__ import annotations

from medsign.cms import operations, upkeep
from medsign.exchange import AsyncService, Service, operation


class _PkiOperations:
    status = operation(operations.status)
    timestamp = operation(operations.timestamp)
    sign = operation(operations.sign_document)
    verify = operation(operations.verify_document)
    extend = operation(operations.extend_signature)
    countersign = operation(upkeep.countersign_signature)
    renew = operation(upkeep.renew_archive)


class Pki(_PkiOperations, Service):
    """Certificate status, time stamps, signing and verifying."""


class AsyncPki(_PkiOperations, AsyncService):
    """Certificate status, time stamps, signing and verifying, for async code."""
