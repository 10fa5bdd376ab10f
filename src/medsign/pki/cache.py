"""What was fetched is not fetched again while it is valid."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

import attrs

from medsign.clock import aware
from medsign.errors import StoreError
from medsign.status.journal import JSON, NewEvent, StoredEvent
from medsign.store import MemoryStore, Store

DAY = timedelta(days=1)


@attrs.frozen(kw_only=True)
class Failure:
    """An address that gave nothing a moment ago: the code and the text of the error."""

    code: str
    reason: str


class EvidenceCache:
    """Fetched certificates, lists and answers, each up to the end of its own validity.

    What is kept stands under its own digest, so an entry that was changed is none, and whoever
    uses it checks its signature anyway. Two writers do no harm: the second finds the entry of the
    first. A store that fails only costs another request.

    Args:
        store: Where to keep it. Stores forget nothing, so give the cache one of its own, whose
            file can be deleted at any time. By default a memory that begins anew when it is full.
        max_bytes: How much is kept; in a store of the caller's nothing more is put after that.
        max_age: The longest term of an entry, a day at most, whatever it promises itself.
        brief: How long failures stand, and evidence with no term of its own.

    Example:
        >>> from datetime import UTC
        >>> cache, noon = EvidenceCache(), datetime(2026, 6, 25, 12, tzinfo=UTC)
        >>> cache.keep("http://crl.test/ca.crl", b"list", now=noon, until=noon + DAY / 2)
        >>> cache.find("http://crl.test/ca.crl", now=noon)
        b'list'
        >>> cache.find("http://crl.test/ca.crl", now=noon + DAY / 2) is None
        True
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        max_bytes: int = 64 * 1024 * 1024,
        max_age: timedelta = DAY,
        brief: timedelta = timedelta(minutes=5),
    ) -> None:
        self._store = store or MemoryStore()
        self._own = store is None
        self._max_bytes = max_bytes
        self._max_age = min(max_age, DAY)
        self._brief = brief
        self._lock = threading.Lock()
        self._used = 0

    def find(self, key: str, *, now: datetime) -> bytes | Failure | None:
        """Return what is kept under a key, or how it failed, ``None`` for neither."""
        match self._last(key, now):
            case {"sha256": str(digest)}:
                return self._body(digest)
            case {"code": str(code), "reason": str(reason)}:
                return Failure(code=code, reason=reason)
            case _:
                return None

    def keep(self, key: str, body: bytes, *, now: datetime, until: datetime | None) -> None:
        """Keep octets up to a moment; without one, briefly."""
        digest = hashlib.sha256(body).hexdigest()
        if not self._has_room(len(body) * 4 // 3):
            return
        stream = _of_body(digest)
        with suppress(StoreError):
            if not self._store.load(stream):
                text = base64.b64encode(body).decode("ascii")
                self._put(stream, 0, "body", now, {"base64": text})
        self._note(key, now, until, {"sha256": digest})

    def fail(self, key: str, failure: Failure, *, now: datetime) -> None:
        """Remember for a short while that nothing came."""
        self._note(key, now, None, {"code": failure.code, "reason": failure.reason})

    def remember(self, key: str, word: str, *, now: datetime) -> None:
        """Remember a word about a service, for instance which digest it understands."""
        if self.recall(key, now=now) != word:
            self._note(key, now, now + self._max_age, {"word": word})

    def recall(self, key: str, *, now: datetime) -> str | None:
        """Return the word that was remembered."""
        match self._last(key, now):
            case {"word": str(word)}:
                return word
            case _:
                return None

    def _last(self, key: str, now: datetime) -> Mapping[str, JSON] | None:
        """Return the newest note whose term is not over."""
        with suppress(StoreError):
            for day in (now, now - DAY):
                for note in reversed(self._store.load(_of_key(key, day))):
                    return note.data if self._holds(note, now) else None
        return None

    def _holds(self, note: StoredEvent, now: datetime) -> bool:
        until = note.data.get("until")
        with suppress(ValueError):  # not a moment, or one without a time zone
            return isinstance(until, str) and note.at <= now < aware(datetime.fromisoformat(until))
        return False

    def _note(self, key: str, now: datetime, until: datetime | None, data: dict[str, JSON]) -> None:
        until = min(until or now + self._brief, now + self._max_age)
        stream = _of_key(key, now)
        if until > now and self._has_room(256):
            with suppress(StoreError):  # a rival's note is as good
                version = len(self._store.load(stream))
                self._put(stream, version, "note", now, {**data, "until": until.isoformat()})

    def _put(
        self, stream: str, version: int, kind: str, now: datetime, data: dict[str, JSON]
    ) -> None:
        self._store.append(stream, version, [NewEvent(kind, now, data)])

    def _body(self, digest: str) -> bytes | None:
        with suppress(StoreError, ValueError):
            for event in self._store.load(_of_body(digest)):
                body = base64.b64decode(str(event.data.get("base64")), validate=True)
                if hashlib.sha256(body).hexdigest() == digest:
                    return body
        return None

    def _has_room(self, size: int) -> bool:
        with self._lock:
            if self._own and size <= self._max_bytes < self._used + size:
                self._store, self._used = MemoryStore(), 0
            if fits := self._used + size <= self._max_bytes:
                self._used += size
            return fits


def _of_key(key: str, day: datetime) -> str:
    """Name the notes of one day: those of older days are over, and are not even read."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"fetched/{digest}/{day:%Y-%m-%d}"


def _of_body(digest: str) -> str:
    return f"fetched-body/{digest}"
