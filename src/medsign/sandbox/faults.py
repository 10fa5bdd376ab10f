"""Faults on purpose: what a network and a tired server do to a client."""

from __future__ import annotations

from enum import StrEnum
from fnmatch import fnmatchcase

import attrs


class FaultKind(StrEnum):
    """What goes wrong, and whether the request was carried out before it."""

    CONNECT = "connect"
    """No connection: the request never arrives."""
    TIMEOUT_BEFORE = "timeout_before"
    """The request is lost and no answer comes."""
    TIMEOUT = "timeout"
    """The request is carried out and no answer comes."""
    RESET_BEFORE = "reset_before"
    """The connection breaks before the request is carried out."""
    RESET_AFTER = "reset_after"
    """The connection breaks after the request was carried out."""
    STATUS = "status"
    """The server answers with an error status and does nothing."""
    TRUNCATED = "truncated"
    """The request is carried out and half of the answer comes."""
    SLOW_BODY = "slow_body"
    """The request is carried out and the answer drips."""

    @property
    def carried_out(self) -> bool:
        """Whether the request was carried out in spite of the fault."""
        return self in _CARRIED_OUT


_CARRIED_OUT = {
    FaultKind.TIMEOUT,
    FaultKind.RESET_AFTER,
    FaultKind.TRUNCATED,
    FaultKind.SLOW_BODY,
}


@attrs.frozen(kw_only=True)
class Fault:
    """One fault of the plan.

    Args:
        kind: What goes wrong.
        match: Operation id or path it strikes, with ``*`` as in file names.
        times: How many requests it strikes before it is used up.
        status: The error status of `FaultKind.STATUS`.
        retry_after: Seconds for ``Retry-After``, or ``None`` for none.
        seconds: How long `FaultKind.SLOW_BODY` drips.

    Example:
        >>> Fault(kind=FaultKind.STATUS, match="sep.*", status=429, retry_after=2).times
        1
    """

    kind: FaultKind
    match: str = "*"
    times: int = 1
    status: int = 503
    retry_after: int | None = None
    seconds: float = 5.0


class Faults:
    """The plan of faults, in order; each request takes the first one that matches."""

    def __init__(self) -> None:
        self._plan: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Put a fault at the end of the plan."""
        self._plan.append(fault)

    def clear(self) -> None:
        """Forget the plan."""
        self._plan.clear()

    def planned(self) -> tuple[Fault, ...]:
        """Return what is still to strike."""
        return tuple(self._plan)

    def strike(self, operation: str, path: str) -> Fault | None:
        """Take the fault for a request out of the plan, or ``None``."""
        for index, fault in enumerate(self._plan):
            if fnmatchcase(operation, fault.match) or fnmatchcase(path, fault.match):
                left = fault.times - 1
                self._plan[index : index + 1] = [attrs.evolve(fault, times=left)] if left else []
                return fault
        return None
