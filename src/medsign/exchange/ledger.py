"""Idempotency keys, written down before the first byte leaves.

One stream of the store per service, owner and key. Its last event says what is known of the call::

    sending ──► answered     a 2xx came: the call was done
       │  └───► refused      the service said no: nothing was done
       └──────► (nothing)    the process died or no answer came: the outcome is unknown

Only the opening event is waited for until it is on the disk. A power cut may take the closing one,
and the call is unknown again: the next use of its key asks the service, as after a crash.

The journal holds no answer and no document, only a digest of the request: what was created is
asked of the service, and personal data stay there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from enum import StrEnum
from urllib.parse import quote

import attrs
import httpx

from medsign.clock import Clock
from medsign.errors import StoreError, UsageError, VersionConflict
from medsign.exchange.body import content_of
from medsign.status import NewEvent, StoredEvent
from medsign.store import Store

_JUST_OPENED = 1


class CallState(StrEnum):
    """What is known of a call under a key."""

    NEW = "new"
    UNKNOWN = "sending"
    ANSWERED = "answered"
    REFUSED = "refused"


_ENDED = (CallState.ANSWERED, CallState.REFUSED)


@attrs.frozen
class Unfinished:
    """A call of which nobody knows whether it was done.

    Attributes:
        operation: For instance ``sep.send``.
        key: Its idempotency key.
    """

    operation: str
    key: str


@attrs.frozen
class Ledger:
    """The calls of one service for one owner that create something, by idempotency key.

    Attributes:
        store: Where they are written down.
        clock: Where time is taken from.
        service: Name of the service.
        owner: Whose calls they are; the same key of somebody else is another call.
    """

    store: Store
    clock: Clock
    service: str
    owner: str = ""

    def open(
        self, operation: str, key: str, request: httpx.Request, identity: bytes | None = None
    ) -> CallState:
        """Write down that a request is about to be sent and return what was known before.

        Args:
            operation: For instance ``sep.send``.
            key: Its idempotency key.
            request: What will be sent.
            identity: What is compared with the earlier call in the place of the body.

        Raises:
            UsageError: The key was used for another request.
            VersionConflict: Another process sends again under a refused key right now.
        """
        digest = _digest(request, identity)
        data = {"operation": operation, "request": digest}
        event = NewEvent(CallState.UNKNOWN, self.clock.now(), data)
        stream = self._prefix + key
        # A key is nearly always new: to try costs less than to look.
        with suppress(VersionConflict):
            self.store.append(stream, 0, [event])
            return CallState.NEW
        events = self.store.load(stream)
        if any(event.data.get("request", digest) != digest for event in events):
            raise UsageError(
                f"idempotency key {key} was already used for another request",
                "Под этим номером уже отправлен запрос с другими данными. "
                "Если данные исправлены, оформите его заново под новым номером.",
            )
        known = _state(events)
        if known is CallState.REFUSED:
            self.store.append(stream, len(events), [event])
        return known

    def close(self, key: str, state: CallState) -> None:
        """Write down how a call ended, without waiting for the disk."""
        event = NewEvent(state, self.clock.now())
        stream = self._prefix + key
        with suppress(VersionConflict):
            self.store.append(stream, _JUST_OPENED, [event], durable=False)
            return
        while (events := self.store.load(stream)) and _state(events) is not state:
            # Somebody else may close the same call now: that is no reason to lose its outcome.
            with suppress(VersionConflict):
                self.store.append(stream, len(events), [event], durable=False)

    def unfinished(self) -> Iterator[Unfinished]:
        """Yield the calls whose outcome is unknown, for instance after a crash."""
        for last in self.store.newest(self._prefix, but=_ENDED):
            match _state([last]), last.data:
                case CallState.UNKNOWN, {"operation": str(operation)}:
                    yield Unfinished(operation, last.stream.removeprefix(self._prefix))
                case _:
                    raise _damaged()

    @property
    def _prefix(self) -> str:
        return f"call/{self.service}/{quote(self.owner, safe='')}/"


def _state(events: Sequence[StoredEvent]) -> CallState:
    try:
        return CallState(events[-1].kind)
    except (IndexError, ValueError):
        raise _damaged() from None


def _damaged() -> StoreError:
    return StoreError("what the journal has of a call is damaged")


def _digest(request: httpx.Request, identity: bytes | None) -> str:
    # Only a digest of the body is kept: it may be a patient's document. The host is left out, so
    # that a service may move.
    content = content_of(request) if identity is None else identity
    digest = hashlib.sha256(f"{request.method} {request.url.raw_path.decode()}\n".encode())
    for piece in (content,) if isinstance(content, bytes) else content:
        digest.update(piece)
    return digest.hexdigest()
