"""Hooks for events: to the log, several at once, and none that can harm an operation."""

from __future__ import annotations

import logging
from collections.abc import Generator
from typing import Any, Protocol, TypeVar, runtime_checkable

import attrs

from medsign.exchange.events import (
    Event,
    EventHook,
    OutcomeNotRecorded,
    RequestFailed,
    RequestSent,
    ResponseReceived,
    RetryScheduled,
)
from medsign.status import StateChanged
from medsign.status.tracker import notify

T = TypeVar("T")


@runtime_checkable
class Follower(Protocol):
    """A hook that also goes along with operations, from their first effect to their end."""

    def __call__(self, event: Event) -> None:
        """Take notice of an event."""
        ...

    def follow(self, operation: str, flow: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        """Return a flow that does what the given one does, and is watched meanwhile.

        The flow returned is the operation itself: what it raises comes out of it.

        Args:
            operation: Service and operation, for instance ``sep.send``.
            flow: What is about to be performed.
        """
        ...


@attrs.define(eq=False)
class CompositeHook:
    """Several hooks as one; what one of them raises on an event harms nobody.

    A broken hook must not turn a call that was answered into one that failed. Its first failure is
    told to the logger ``medsign``, the others are dropped.

    Args:
        hooks: Each is called with each event, in this order.
    """

    hooks: tuple[EventHook, ...]
    _broken: list[EventHook] = attrs.field(factory=list[EventHook], init=False)

    def __call__(self, event: Event) -> None:
        """Call each hook."""
        for hook in self.hooks:
            known = hook in self._broken
            if not notify(hook, event, log=not known) and not known:
                self._broken.append(hook)

    def follow(self, operation: str, flow: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        """Let those hooks go along that want to, the first one outermost."""
        for hook in reversed(self.hooks):
            if isinstance(hook, Follower):
                flow = hook.follow(operation, flow)
        return flow


def all_of(*hooks: EventHook) -> CompositeHook:
    """Return a hook that calls several; one that fails does not keep the event from the others.

    Without any, nobody is told. One that this function returned before is returned as it is.

    Example:
        >>> seen, counted = [], []
        >>> hook = all_of(seen.append, counted.append)
        >>> hook(RequestSent(service="sep", operation="send", method="POST", attempt=1, size=2))
        >>> len(seen), len(counted)
        (1, 1)
    """
    if len(hooks) == 1 and isinstance(hooks[0], CompositeHook):
        return hooks[0]
    return CompositeHook(hooks)


def log_events(logger: logging.Logger) -> EventHook:
    """Return a hook that writes each event to a log.

    ``DEBUG`` for what leaves, ``INFO`` for what succeeds or is tried again, ``WARNING`` for
    refusals, broken connections and a journal that did not take an answer in, ``ERROR`` where
    nobody knows what became of a request. The fields stand in the record as ``medsign``, a
    dictionary, for handlers that write JSON; none of them holds personal data, and an entity is
    named by its model only.

    Args:
        logger: Where to write.

    Example:
        >>> import logging
        >>> hook = log_events(logging.getLogger("clinic.wire"))
        >>> hook(RequestSent(service="sep", operation="send", method="POST", attempt=1, size=2))
    """

    def write(event: Event) -> None:
        level, text = _line(event)
        if logger.isEnabledFor(level):
            logger.log(level, text, extra={"medsign": _fields(event)})

    return write


def _line(event: Event) -> tuple[int, str]:
    match event:
        case RequestSent():
            return logging.DEBUG, f"{_call(event)}: {event.method}, {event.size} octets"
        case ResponseReceived(status=status, seconds=seconds):
            level = logging.INFO if status < 400 else logging.WARNING
            return level, f"{_call(event)}: {status} after {seconds:.3f} s"
        case RequestFailed(code=code, seconds=seconds, outcome_known=known):
            level, doubt = (logging.WARNING, "") if known else (logging.ERROR, ", outcome unknown")
            return level, f"{_call(event)}: {code} after {seconds:.3f} s{doubt}"
        case RetryScheduled(seconds=seconds, reason=reason):
            return logging.INFO, f"{_call(event)}: in {seconds:.3f} s, because of {reason}"
        case OutcomeNotRecorded(service=service, operation=operation, code=code):
            return logging.WARNING, f"{service}.{operation}: answered, and not recorded ({code})"
        case StateChanged(model=model, before=before, after=after):
            return logging.INFO, f"{model}: {before.code} → {after.code}"


def _call(event: RequestSent | ResponseReceived | RequestFailed | RetryScheduled) -> str:
    return f"{event.service}.{event.operation} #{event.attempt}"


def _fields(event: Event) -> dict[str, Any]:
    name = {"event": type(event).__name__}
    if isinstance(event, StateChanged):
        # Ids and remarks of entities are the clinic's own; some of them tell who the patient is.
        states = {"before": event.before.code, "after": event.after.code}
        return name | {"model": event.model} | states
    return name | attrs.asdict(event)
