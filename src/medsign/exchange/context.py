"""What every operation of one service shares, and how it is sent."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Self, TypeAlias, TypeVar
from urllib.parse import quote

import attrs
import httpx

from medsign.clock import Clock, SystemClock
from medsign.codec import json
from medsign.codec.pieces import Pieces
from medsign.errors import (
    ApiError,
    DeadlineExceeded,
    MalformedError,
    MedsignError,
    OutcomeUnknown,
    SignInRefused,
    StoreError,
    TransportError,
    UnexpectedAnswer,
)
from medsign.exchange.body import Streamed
from medsign.exchange.effects import Answer, Flow, Item, Listing, Send, Wait, do, send
from medsign.exchange.events import (
    OutcomeNotRecorded,
    RequestFailed,
    RequestSent,
    ResponseReceived,
    RetryScheduled,
)
from medsign.exchange.hooks import CompositeHook, all_of
from medsign.exchange.ledger import CallState, Ledger
from medsign.exchange.limits import RateLimit
from medsign.exchange.problem import refusal, request_id
from medsign.exchange.redaction import QuietURL
from medsign.exchange.retry import Repeat, RetryPolicy, may_repeat, outcome_unknown
from medsign.store import MemoryStore, Store

T = TypeVar("T")


def _directory(url: str | httpx.URL) -> httpx.URL:
    url = httpx.URL(url)
    return url if url.path.endswith("/") else url.copy_with(path=f"{url.path}/")


def _new_key() -> str:
    return str(uuid.uuid4())


@attrs.frozen(kw_only=True)
class Context:
    """The settings of one service and the ways to send a request to it.

    Attributes:
        service: Short name, for instance ``sep``; it stands in events and errors.
        base_url: Where the service is; relative paths of operations are joined to it.
        auth: How its requests are authorised.
        clock: Where time is taken from.
        owner: Whose calls these are where several share a journal, for instance the identifier of
            the МО: a key is unique within a service and an owner.
        store: Where idempotency keys are written down; by default in memory, which does not
            survive the process.
        policy: How patient the client is.
        limit: The service's rate limit, or ``None``.
        emit: Called with each event; it must not block, and what it raises is only logged. A
            `Follower` goes along with operations, too.
        headers: Fields of every request.
        new_key: Makes idempotency keys.
        max_bytes: Size above which an answer is refused, in octets.
        max_document_bytes: The same for answers that carry whole documents; see `roomy`.
        judge: Called with each request and its answer before the answer is believed, or ``None``;
            it raises `NotAuthentic`, and the outcome is then unknown.
    """

    service: str
    base_url: httpx.URL = attrs.field(converter=_directory)
    auth: httpx.Auth | None = attrs.field(default=None, repr=False)
    clock: Clock = attrs.field(factory=SystemClock, repr=False)
    owner: str = ""
    store: Store = attrs.field(factory=MemoryStore, repr=False)
    policy: RetryPolicy = attrs.field(factory=RetryPolicy, repr=False)
    limit: RateLimit | None = attrs.field(default=None, repr=False)
    emit: CompositeHook = attrs.field(factory=all_of, converter=all_of, repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    new_key: Callable[[], str] = attrs.field(default=_new_key, repr=False)
    max_bytes: int = 4 * 1024 * 1024
    max_document_bytes: int = 64 * 1024 * 1024
    judge: Callable[[httpx.Request, Answer], None] | None = attrs.field(default=None, repr=False)

    @property
    def ledger(self) -> Ledger:
        """The calls that create something, by idempotency key."""
        return Ledger(self.store, self.clock, self.service, self.owner)

    @property
    def roomy(self) -> Self:
        """The same settings for answers that carry whole documents, archives or lists."""
        return attrs.evolve(self, max_bytes=self.max_document_bytes)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        content: bytes | None = None,
        content_type: str = "application/json",
        query: Mapping[str, str | int | None] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Request:
        """Build a request.

        Args:
            method: HTTP method.
            path: Relative to the base URL, without a leading slash. Never put personal data here
                or into the query: URLs stand in the logs of every proxy on the way.
            body: A value to send as JSON, instead of `content`; files in it are read while they
                leave.
            content: The octets to send, of the given type.
            content_type: Type of `content`.
            query: Query parameters; those that are ``None`` are left out.
            headers: Further fields.
        """
        payload = json.stream(body) if body is not None else content
        # Unpacking what a peer has packed would need bounds of its own, for little gain.
        plain = {"Accept": "application/json", "Accept-Encoding": "identity"}
        fields = {**plain, **self.headers, **(headers or {})}
        if payload is not None:
            fields["Content-Type"] = content_type
        parameters = {name: value for name, value in (query or {}).items() if value is not None}
        url = self.base_url.join(path)
        if parameters:
            url = url.copy_merge_params(parameters)
        if isinstance(payload, Pieces):
            fields |= {"Host": url.netloc.decode("ascii"), "Content-Length": str(len(payload))}
            request = httpx.Request(method, url, headers=fields, stream=Streamed(payload))
        else:
            request = httpx.Request(method, url, headers=fields, content=payload)
        request.url = QuietURL(request.url)
        return request

    def fetch(
        self, operation: str, request: httpx.Request, *, repeat: Repeat = Repeat.SAFE
    ) -> Flow[Answer]:
        """Send a request that creates nothing, as patiently as the policy says.

        Returns:
            The 2xx answer.

        Raises:
            ApiError: The service refused, and a repeat would not help.
            TransportError: No answer came in any attempt.
            DeadlineExceeded: The time was over before an attempt could begin.
        """
        return self._attempts(self._effort(operation), request, repeat)

    def create(
        self,
        operation: str,
        request: httpx.Request | Callable[[], httpx.Request],
        key: str | None = None,
        *,
        kind: type[Any] | None = None,
        resolve: Resolve | None = None,
        reconcile: Resolve | None = None,
        identity: bytes | None = None,
    ) -> Flow[Answer]:
        """Send a request that creates something: once, whatever happens on the way.

        The key is stored before the first byte leaves. When no answer comes, the service is asked
        what became of the call; only when it says that it never saw it, is it sent again, under
        the same key. A call repeated by the caller under a used key asks first, too.

        An answer outside the contract is no answer: a page that some proxy put in its place, or one
        that was cut, says nothing of what the service did.

        Args:
            operation: Name of the operation.
            request: What to send, or what builds it: large ones are built off the event loop.
            key: The idempotency key; give your own (for instance the number of your document) to
                make a second press of the button harmless. It is unique within a service and an
                owner.
            kind: What the answer is to be read as.
            resolve: How to ask for the outcome, with the settings for the time that is left; by
                default ``GET operations/{key}``.
            reconcile: How to learn that a conflict (409) is with this very call, where the service
                knows no keys: what it has of the call, or ``None``.
            identity: What makes two requests the same call, where their octets differ each time:
                a GOST signature does, of the same statement, too.

        Raises:
            OutcomeUnknown: No answer came and the service could not be asked either.
            ApiError: The service refused; nothing was created.
            UsageError: The key was used for another request.
        """
        key = key or self.new_key()
        name = f"{self.service}.{operation}"
        effort = self._effort(operation)
        request, known = yield from do(partial(self._begin, name, key, request, identity))
        ask = partial(self._resolved, name, key, resolve or _asking(operation), kind, effort)
        doubtful = known in (CallState.UNKNOWN, CallState.ANSWERED)
        while True:
            if doubtful and (found := (yield from ask())):
                yield from self._close(operation, key, CallState.ANSWERED)
                return found
            if known is CallState.ANSWERED:
                # It was done once; a service that has forgotten it must not do it again.
                raise OutcomeUnknown(name, key)
            try:
                answer = yield from self._attempts(effort, request, Repeat.KEYED)
                self._legible(kind, answer)
            except MedsignError as error:
                # After a lost answer the conflict may be with our own call, still being done.
                own = doubtful and _is_conflict(error)
                if reconcile and _is_conflict(error):
                    if found := (yield from reconcile(self, key)):
                        yield from self._close(operation, key, CallState.ANSWERED)
                        return found
                    if own:
                        raise OutcomeUnknown(name, key) from error
                # A repeat that never left says nothing of the first call, still on its way perhaps.
                unsent = isinstance(error, SignInRefused) or not isinstance(error, ApiError)
                silent = doubtful and unsent
                if not (own or silent or outcome_unknown(error)):
                    yield from self._close(operation, key, CallState.REFUSED)
                    raise
                if not (yield from self._again(effort, error)):
                    raise OutcomeUnknown(name, key) from error
                doubtful = True
            else:
                yield from self._close(operation, key, CallState.ANSWERED)
                return answer

    def _close(self, operation: str, key: str, state: CallState) -> Flow[None]:
        try:
            yield from do(partial(self.ledger.close, key, state))
        except StoreError as error:
            # The record only saves a question later; what the service has said must not be lost.
            self.emit(
                OutcomeNotRecorded(service=self.service, operation=operation, code=error.code)
            )

    def _begin(
        self,
        name: str,
        key: str,
        request: httpx.Request | Callable[[], httpx.Request],
        identity: bytes | None,
    ) -> tuple[httpx.Request, CallState]:
        if not isinstance(request, httpx.Request):
            request = request()
        request.headers["Idempotency-Key"] = _on_the_wire(key)
        return request, self.ledger.open(name, key, request, identity)

    def pages(
        self, operation: str, path: str, kind: type[T], query: Mapping[str, str | int | None]
    ) -> Listing[T]:
        """Yield the items of a paginated collection, one page of it at a time.

        The page is ``{"items": […], "nextCursor": "…"}``; the last one has no cursor.
        """
        cursor: str | None = None
        while True:
            request = self.request("GET", path, query={**query, "cursor": cursor})
            answer = yield from self.fetch(operation, request)
            page = self.read(_Page, answer)
            for item in page.items:
                yield Item(self._typed(partial(json.structure, kind, item)))
            if page.next_cursor is None:
                return
            if page.next_cursor == cursor:
                raise UnexpectedAnswer(f"{self.service}: the next page is the same page")
            cursor = page.next_cursor

    def read(self, kind: type[T], answer: Answer) -> T:
        """Return the typed value that an answer carries as JSON.

        Raises:
            UnexpectedAnswer: The answer is not what the contract says; the text says where.
        """
        return self._typed(partial(json.decode, kind, answer.body, max_bytes=self.max_bytes))

    def _typed(self, decode: Callable[[], T]) -> T:
        try:
            return decode()
        except MalformedError as error:
            raise UnexpectedAnswer(f"{self.service}: {error}") from error

    def _effort(self, operation: str) -> _Effort:
        return _Effort(operation, self.clock.monotonic() + self.policy.total)

    def _attempts(self, effort: _Effort, request: httpx.Request, repeat: Repeat) -> Flow[Answer]:
        while True:
            try:
                return (yield from self._attempt(effort, request))
            except (ApiError, TransportError) as error:
                if not may_repeat(error, repeat) or not (yield from self._again(effort, error)):
                    raise

    def _attempt(self, effort: _Effort, request: httpx.Request) -> Flow[Answer]:
        if self.limit and not (yield from self.limit.turn(self.clock, effort.deadline)):
            raise DeadlineExceeded(
                f"{self.service}.{effort.operation}: the service's rate limit leaves no turn in "
                f"{self.policy.total:g} s"
            )
        effort.attempt += 1
        began = self.clock.monotonic()
        if began >= effort.deadline:
            raise DeadlineExceeded(
                f"{self.service}.{effort.operation}: {self.policy.total:g} s are over"
            )
        silence = min(self.policy.timeout, effort.deadline - began)
        request.extensions["timeout"] = httpx.Timeout(silence).as_dict()
        about: dict[str, Any] = {
            "service": self.service,
            "operation": effort.operation,
            "attempt": effort.attempt,
        }
        self.emit(
            RequestSent(
                **about, method=request.method, size=int(request.headers.get("Content-Length", "0"))
            )
        )
        try:
            answer = yield from send(
                Send(
                    request=request,
                    auth=self.auth,
                    deadline=effort.deadline,
                    max_bytes=self.max_bytes,
                )
            )
            if self.judge:
                yield from do(partial(self.judge, request, answer))
        except MedsignError as error:
            seconds = self.clock.monotonic() - began
            known = not outcome_unknown(error)
            self.emit(RequestFailed(**about, seconds=seconds, code=error.code, outcome_known=known))
            raise
        self.emit(
            ResponseReceived(
                **about,
                status=answer.status,
                seconds=self.clock.monotonic() - began,
                size=len(answer.body),
                request_id=request_id(answer),
            )
        )
        if answer.succeeded:
            return answer
        if answer.status < 400:
            # A redirect would carry the document and the token to another address.
            raise UnexpectedAnswer(f"{self.service}: status {answer.status} is not followed")
        raise refusal(answer, self.clock)

    def _again(self, effort: _Effort, error: MedsignError) -> Flow[bool]:
        """Wait before a repeat; false when the policy has no attempt or no time left for one."""
        seconds = self.policy.wait(effort.attempt, error)
        late = self.clock.monotonic() + seconds >= effort.deadline
        if late or effort.attempt >= self.policy.attempts:
            return False
        self.emit(
            RetryScheduled(
                service=self.service,
                operation=effort.operation,
                attempt=effort.attempt + 1,
                seconds=seconds,
                reason=error.code,
            )
        )
        yield Wait(seconds)
        return True

    def _resolved(
        self, name: str, key: str, resolve: Resolve, kind: type[Any] | None, effort: _Effort
    ) -> Flow[Answer | None]:
        left = attrs.evolve(self.policy, total=max(0.0, effort.deadline - self.clock.monotonic()))
        try:
            found = yield from resolve(attrs.evolve(self, policy=left), key)
            if found:
                self._legible(kind, found)
        except MedsignError as error:
            raise OutcomeUnknown(name, key) from error
        return found

    def _legible(self, kind: type[Any] | None, answer: Answer) -> None:
        if kind is not None:
            self.read(kind, answer)


@attrs.define
class _Effort:
    """What one operation may still take: repeats after a refusal and after a lost answer alike."""

    operation: str
    deadline: float
    attempt: int = 0


Resolve: TypeAlias = Callable[[Context, str], Flow[Answer | None]]


def _asking(operation: str) -> Resolve:
    def ask(context: Context, key: str) -> Flow[Answer | None]:
        request = context.request("GET", f"operations/{quote(_on_the_wire(key), safe='')}")
        try:
            return (yield from context.fetch(f"{operation}.outcome", request))
        except ApiError as error:
            if error.status == 404 and error.problem == "operation-not-found":
                return None
            raise

    return ask


def _on_the_wire(key: str) -> str:
    # Numbers of documents have letters and signs that no header takes and no path keeps.
    return quote(key, safe="")


def _is_conflict(error: MedsignError) -> bool:
    return isinstance(error, ApiError) and error.status == 409


@attrs.frozen
class _Page:
    items: list[Any]
    next_cursor: str | None = None
