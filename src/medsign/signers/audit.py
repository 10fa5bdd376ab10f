"""The audit log of signing: who, which digest, with which certificate, when, how it ended.

It is a stream of a store, and each entry carries a seal: the Streebog-256 of the seal before it
and of the entry itself. Whoever changes, drops, inserts or reorders entries breaks the chain. One
who holds the store may cut its tail or reckon the whole chain anew, so keep the newest seal where
he does not reach: in a report on paper, in another system, in a time stamp.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import attrs

from medsign.clock import Clock, SystemClock
from medsign.codec import json
from medsign.codec.asn1 import Certificate
from medsign.errors import MalformedError, MedsignError, StoreError, UsageError, VersionConflict
from medsign.gost import DigestAlgorithm, Provider, PublicKey, digest
from medsign.pki.signing import Signer
from medsign.status.journal import NewEvent, StoredEvent
from medsign.store import Store
from medsign.store.forks import ProcessLock

NO_SEAL: Final = "0" * 64
"""What stands before the first entry."""

_SEAL: Final = re.compile("[0-9a-f]{64}")
_PAGE: Final = 500
_OTHER: Final = "the audit log is shorter than it was, or another one"


class Outcome(StrEnum):
    """What an entry says of a signing operation."""

    BEGUN = "begun"
    SIGNED = "signed"
    FAILED = "failed"


@attrs.frozen(kw_only=True)
class AuditEntry:
    """One line of the log.

    Attributes:
        number: Its place, from 1.
        outcome: What happened.
        at: When, aware.
        who: Who signed: an account, an opaque id, never a person's name.
        certificate: SHA-256 fingerprint of the signer's certificate, hexadecimal.
        digest: What was signed: the digest that went to the key, hexadecimal.
        operation: Number of the entry that began this operation; its own number there.
        result: Streebog-256 of the signature value, hexadecimal, or the code of the error.
        seal: The chain up to this entry, hexadecimal.
    """

    number: int
    outcome: Outcome
    at: datetime
    who: str
    certificate: str
    digest: str
    operation: int
    result: str
    seal: str


@attrs.frozen
class AuditHead:
    """The newest entry of a log, to be kept where the log's keeper does not reach.

    Attributes:
        number: Its number; 0 for an empty log.
        seal: Its seal.
    """

    number: int = 0
    seal: str = NO_SEAL


@attrs.frozen(kw_only=True)
class AuditReport:
    """What the check of a log found.

    Attributes:
        head: The newest entry.
        broken_at: Number of the first entry whose seal is wrong, or ``None``.
        missing: The head that was kept elsewhere and is not in the log, or ``None``.
        unfinished: Numbers of operations with no outcome: under way, or the process died.
    """

    head: AuditHead
    broken_at: int | None = None
    missing: AuditHead | None = None
    unfinished: tuple[int, ...] = ()

    @property
    def intact(self) -> bool:
        """Whether nothing was changed, dropped, inserted or reordered."""
        return self.broken_at is None and self.missing is None


@attrs.define(eq=False)
class AuditLog:
    """The log of one clinic; safe to share between threads, processes and forks.

    Args:
        store: Where it is kept; it is not closed.
        stream: Its name there.
        clock: Where time is taken from.
        provider: Who computes the seals.

    Example:
        >>> from medsign.signers import SoftwareKey
        >>> from medsign.store import MemoryStore
        >>> log = AuditLog(MemoryStore())
        >>> number = log.begin(who="account-17", certificate="ab" * 32, digest=bytes(32))
        >>> log.end(number, signature=bytes(64))
        >>> log.check().intact, len(log.entries())
        (True, 2)
    """

    store: Store = attrs.field(repr=False)
    stream: str = "audit"
    clock: Clock = attrs.field(factory=SystemClock, repr=False, kw_only=True)
    provider: Provider | None = attrs.field(default=None, repr=False, kw_only=True)
    _head: AuditHead = attrs.field(factory=AuditHead, init=False, repr=False)
    _lock: ProcessLock = attrs.field(factory=ProcessLock, init=False, repr=False)

    def begin(self, *, who: str, certificate: Certificate | str, digest: bytes) -> int:
        """Write down that a key is about to sign, before it does.

        Returns:
            The number of the operation, for `end`; it may be called in another process.

        Raises:
            StoreError: Nothing was written; do not sign.
        """
        shown = certificate if isinstance(certificate, str) else certificate.fingerprint
        what = {"who": who, "certificate": shown, "digest": digest.hex(), "result": ""}
        return self._append(Outcome.BEGUN, lambda: what)

    def end(self, operation: int, *, signature: bytes = b"", error: str = "") -> None:
        """Write down how an operation ended.

        Args:
            operation: What `begin` returned.
            signature: The signature value; its digest is kept.
            error: Code of the error, where there is no signature.

        Raises:
            UsageError: No such operation began, or it has ended, or neither outcome is given.
        """
        if bool(signature) == bool(error):
            raise UsageError("an operation ends with a signature or with an error")
        result = self._digest(signature).hex() if signature else error
        outcome = Outcome.SIGNED if signature else Outcome.FAILED
        self._append(outcome, lambda: {**self._begun(operation), "result": result})

    def entries(self, after: int = 0, limit: int | None = None) -> tuple[AuditEntry, ...]:
        """Return the entries whose number is greater than `after`, as they stand.

        Args:
            after: The last number that is known already.
            limit: How many to return at most; ``None`` for all.

        Raises:
            StoreError: One of them is no entry of a log; `check` says which.
        """
        return tuple(map(_entry, self.store.load(self.stream, after, limit)))

    @property
    def head(self) -> AuditHead:
        """The newest entry, to be kept elsewhere.

        Raises:
            StoreError: The log is shorter than it was, or another one.
        """
        with self._lock:
            return self._newest()

    def check(self, *kept: AuditHead) -> AuditReport:
        """Reckon the whole chain anew, as far as it goes now, a page at a time.

        Args:
            kept: Heads that were kept elsewhere; they show a tail that was cut off, and a chain
                that was reckoned anew by somebody who holds the store.
        """
        head = AuditHead()
        unmet = set(kept) - {head}
        open_operations: dict[int, None] = {}
        last = self._last()
        for stored in self._pages(until=last.version if last else 0):
            try:
                entry = _entry(stored)
            except StoreError:
                return AuditReport(head=head, broken_at=head.number + 1)
            following = AuditHead(head.number + 1, self._seal(head.seal, stored))
            if following != AuditHead(entry.number, entry.seal):
                return AuditReport(head=head, broken_at=following.number)
            head = following
            unmet.discard(head)
            if entry.outcome is Outcome.BEGUN:
                open_operations[entry.operation] = None
            else:
                open_operations.pop(entry.operation, None)
        missing = next((each for each in kept if each in unmet), None)
        return AuditReport(head=head, missing=missing, unfinished=tuple(open_operations))

    def _begun(self, operation: int) -> dict[str, Any]:
        entries = map(_entry, self._pages(after=operation - 1))
        story = [each for each in entries if each.operation == operation]
        if [each.outcome for each in story] != [Outcome.BEGUN]:
            raise UsageError(f"operation {operation} was never begun, or has ended")
        told = attrs.asdict(story[0])
        return {name: told[name] for name in ("who", "certificate", "digest", "operation")}

    def _append(self, outcome: Outcome, what: Callable[[], Mapping[str, Any]]) -> int:
        with self._lock:
            while True:
                head = self._newest()
                number = head.number + 1
                # Asked anew each time: a quicker process may have ended the operation.
                event = NewEvent(outcome, self.clock.now(), {"operation": number, **what()})
                seal = self._seal(head.seal, event)
                event = attrs.evolve(event, data={**event.data, "seal": seal})
                try:
                    self.store.append(self.stream, head.number, [event])
                except VersionConflict:
                    if self._newest() == head:  # nobody was quicker, so something is gone
                        raise StoreError(_OTHER) from None
                    continue  # another process was quicker; its entry stands before ours
                self._head = AuditHead(number, seal)
                return number

    def _newest(self) -> AuditHead:
        stored = self._last()
        found = AuditHead(stored.version, _entry(stored).seal) if stored else AuditHead()
        if found != self._head and found.number <= self._head.number:
            raise StoreError(_OTHER)
        self._head = found
        return found

    def _last(self) -> StoredEvent | None:
        stored = next(self.store.newest(self.stream), None)
        return stored if stored and stored.stream == self.stream else None

    def _pages(self, after: int = 0, until: int | None = None) -> Iterator[StoredEvent]:
        while page := self.store.load(self.stream, after, _PAGE):
            for stored in page:
                after = stored.version
                if until is not None and after > until:  # others may write faster than we reckon
                    return
                yield stored

    def _seal(self, before: str, event: NewEvent | StoredEvent) -> str:
        said = {name: value for name, value in sorted(event.data.items()) if name != "seal"}
        line = {"at": event.at.astimezone(UTC).isoformat(), "outcome": event.kind, "said": said}
        return self._digest(bytes.fromhex(before) + json.encode(line)).hex()

    def _digest(self, data: bytes) -> bytes:
        return digest(DigestAlgorithm.STREEBOG_256, data, provider=self.provider)


@attrs.frozen(eq=False)
class AuditedSigner:
    """A signer each of whose operations stands in a log, those that fail too.

    The entry is written before the key signs: a process that dies in between leaves an operation
    with no outcome, not a signature that nobody knows of.

    Args:
        signer: The key with its certificate.
        log: Where to write.
        who: Who signs: an account, an opaque id, never a person's name.
    """

    signer: Signer
    log: AuditLog
    who: str = attrs.field(repr=False)

    @property
    def certificate(self) -> Certificate:
        """The certificate of the key."""
        return self.signer.certificate

    @property
    def public_key(self) -> PublicKey:
        """The key that verifies what this one signs."""
        return self.signer.public_key

    @property
    def digest_algorithm(self) -> DigestAlgorithm:
        """The digest that goes with the key."""
        return self.signer.digest_algorithm

    def sign_digest(self, digest: bytes) -> bytes:
        """Sign a digest and write down who did, before and after."""
        number = self.log.begin(who=self.who, certificate=self.certificate, digest=digest)
        try:
            signature = self.signer.sign_digest(digest)
        except BaseException as error:
            code = error.code if isinstance(error, MedsignError) else type(error).__name__
            self.log.end(number, error=code)
            raise
        self.log.end(number, signature=signature)
        return signature


def _entry(stored: StoredEvent) -> AuditEntry:
    try:
        entry = json.structure(
            AuditEntry,
            {
                **stored.data,
                "number": stored.version,
                "outcome": stored.kind,
                "at": stored.at.isoformat(),
            },
        )
    except MalformedError as error:
        raise StoreError(f"audit entry {stored.version} is damaged: {error}") from None
    if not _SEAL.fullmatch(entry.seal):
        raise StoreError(f"audit entry {stored.version} is damaged: its seal is none")
    return entry
