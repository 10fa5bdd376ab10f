"""How medsign talks to a remote system: flows of effects, and the two drivers that perform them.

A room of a remote system writes each operation once, as a generator::

    def status(context: Context, document_id: str) -> Flow[DocumentStatus]:
        '''Return the document's status.'''
        request = context.request("GET", f"documents/{document_id}")
        answer = yield from context.fetch("status", request)
        return context.read(DocumentStatus, answer)

    def send(context: Context, document: Document, *, key: str | None = None) -> Flow[Receipt]:
        '''Send a document; a second call with the same key sends nothing.'''
        request = context.request("POST", "documents", body=document)
        answer = yield from context.create("send", request, key, kind=Receipt)
        return context.read(Receipt, answer)

and declares it in its client, from where both colours have it with the same types::

    class _SepOperations:
        status = operation(operations.status)
        send = operation(operations.send)
        documents = listing(operations.documents)

    class Sep(_SepOperations, Service): ...
    class AsyncSep(_SepOperations, AsyncService): ...
"""

from medsign.exchange.context import Context
from medsign.exchange.drivers import AsyncDriver, Driver
from medsign.exchange.effects import Answer, Do, Effect, Flow, Item, Listing, Send, Wait, do
from medsign.exchange.events import (
    Event,
    EventHook,
    OutcomeNotRecorded,
    RequestFailed,
    RequestSent,
    ResponseReceived,
    RetryScheduled,
)
from medsign.exchange.hooks import Follower, all_of, log_events
from medsign.exchange.ledger import CallState, Ledger, Unfinished
from medsign.exchange.limits import RateLimit
from medsign.exchange.operation import AsyncService, Service, listing, operation
from medsign.exchange.redaction import redact, redact_headers
from medsign.exchange.retry import Repeat, RetryPolicy

__all__ = [
    "Answer",
    "AsyncDriver",
    "AsyncService",
    "CallState",
    "Context",
    "Do",
    "Driver",
    "Effect",
    "Event",
    "EventHook",
    "Flow",
    "Follower",
    "Item",
    "Ledger",
    "Listing",
    "OutcomeNotRecorded",
    "RateLimit",
    "Repeat",
    "RequestFailed",
    "RequestSent",
    "ResponseReceived",
    "RetryPolicy",
    "RetryScheduled",
    "Send",
    "Service",
    "Unfinished",
    "Wait",
    "all_of",
    "do",
    "listing",
    "log_events",
    "operation",
    "redact",
    "redact_headers",
]
