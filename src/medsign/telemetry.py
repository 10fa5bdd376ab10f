"""Traces and metrics by OpenTelemetry, with the extra ``otel`` (F114, F123).

A `Telemetry` is a hook: give it to a window as ``on_event``. It goes along with each operation,
because an operation is a generator and can be wrapped by another one: the same lines serve both
colours and leave nothing behind in a thread or task.

::

    sep.send                    INTERNAL, the operation; its parent is the caller's span
    ├── POST                    CLIENT, one for each time a request leaves
    ├── GET                     CLIENT, the question what became of it
    └── POST                    CLIENT, http.request.resend_count = 1

Names follow the semantic conventions of HTTP, stable since 1.23. No path, query, header or body is
told: a path may hold the number of a patient's document.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast
from weakref import WeakKeyDictionary

import httpx

from medsign.clock import Clock, SystemClock
from medsign.errors import MedsignError, MissingExtra
from medsign.exchange import Answer, Do, Event, Item, OutcomeNotRecorded, RetryScheduled, Send
from medsign.status import StateChanged

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

T = TypeVar("T")
Attributes = dict[str, str | float]

_NAME: Final = "medsign"
_SCHEMA: Final = "https://opentelemetry.io/schemas/1.23.1"
# What the convention advises for seconds of HTTP; operations wait for people, too.
_HTTP_BUCKETS: Final = (
    *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25),
    *(0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
)
_OPERATION_BUCKETS: Final = (*_HTTP_BUCKETS[3:], 30.0, 60.0, 120.0, 300.0)
_PORTS: Final = {"http": 80, "https": 443}


class Telemetry:
    """Spans and durations of operations and of the requests they send.

    ``traceparent`` is put into each request; it is no part of what `medsign.signers.Gateway`
    signs. Baggage is not sent: the caller may keep anything there.

    Args:
        tracer_provider: Where spans go; by default the process's own.
        meter_provider: Where durations go; by default the process's own.
        clock: Where durations are measured.
        propagate: Whether services are told of the trace.

    Raises:
        Unavailable: The extra ``otel`` is not installed.

    Example:
        >>> from medsign.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.connect(on_event=Telemetry()) as window:
        ...     list(window.ca.certificates())
        []
    """

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        *,
        clock: Clock | None = None,
        propagate: bool = True,
    ) -> None:
        try:
            from opentelemetry import metrics, trace
        except ImportError:
            raise MissingExtra("OpenTelemetry", "otel") from None
        self._tracer = trace.get_tracer(_NAME, None, tracer_provider, _SCHEMA)
        meter = metrics.get_meter(_NAME, "", meter_provider, _SCHEMA)
        self._requests = meter.create_histogram(
            "http.client.request.duration",
            unit="s",
            description="Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=_HTTP_BUCKETS,
        )
        self._operations = meter.create_histogram(
            "medsign.operation.duration",
            unit="s",
            description="Duration of operations with all their attempts.",
            explicit_bucket_boundaries_advisory=_OPERATION_BUCKETS,
        )
        self._clock = clock or SystemClock()
        self._propagate = propagate

    def __call__(self, event: Event) -> None:
        """Note a repeat, a change of state or a failed journal in the span of its operation."""
        from opentelemetry.trace import get_current_span

        match event:
            case RetryScheduled(reason=reason, seconds=seconds):
                about: Attributes = {"medsign.retry.reason": reason, "medsign.retry.delay": seconds}
                get_current_span().add_event("medsign.retry", about)
            case StateChanged(model=model, before=before, after=after):
                states = {"medsign.state.before": before.code, "medsign.state.after": after.code}
                get_current_span().add_event("medsign.state", {"medsign.model": model, **states})
            case OutcomeNotRecorded(code=code):
                get_current_span().add_event("medsign.not_recorded", {"medsign.error": code})
            case _:
                pass  # `follow` sees requests, and when they end

    def follow(self, operation: str, flow: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        """Wrap the flow of an operation into its span, its requests into theirs."""
        sent: WeakKeyDictionary[httpx.Request, int] = WeakKeyDictionary()
        with self._operation(operation) as context:
            step: Callable[[], Any] = partial(next, flow)
            while True:
                try:
                    effect = _within(context, step)
                except StopIteration as done:
                    result: T = done.value
                    return result
                try:
                    match effect:
                        case Send(request=request):
                            resends = sent.get(request, 0)
                            sent[request] = resends + 1
                            with self._request(request, context, resends) as answered:
                                answer = yield effect
                                answered(answer)
                        case Do(work):
                            answer = yield Do(partial(_within, context, work))
                        case _:
                            answer = yield effect
                except GeneratorExit:
                    flow.close()
                    if isinstance(effect, Item):
                        # Whoever has read enough has not failed; a listing returns nothing.
                        return cast(T, None)
                    raise
                except BaseException as error:  # noqa: BLE001 - the flow decides
                    step = partial(flow.throw, error)
                else:
                    step = partial(flow.send, answer)

    @contextmanager
    def _operation(self, operation: str) -> Generator[Context, None, None]:
        from opentelemetry.trace import set_span_in_context

        about: Attributes = {"medsign.operation": operation}
        span = self._tracer.start_span(operation, attributes=about)
        began = self._clock.monotonic()
        try:
            yield set_span_in_context(span)
        except BaseException as error:
            _fail(span, about, error)
            raise
        finally:
            self._operations.record(self._clock.monotonic() - began, about)
            span.end()

    @contextmanager
    def _request(
        self, request: httpx.Request, context: Context, resends: int
    ) -> Generator[Callable[[Answer], None], None, None]:
        from opentelemetry.trace import SpanKind, set_span_in_context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        url = request.url
        about: Attributes = {
            "http.request.method": request.method,
            "server.address": url.host,
            "server.port": url.port or _PORTS.get(url.scheme, 0),
            "url.scheme": url.scheme,
        }
        more: Attributes = {"http.request.resend_count": resends} if resends else {}
        # The convention requires the attribute and says what to write instead of what is secret.
        more["url.full"] = f"{url.scheme}://{url.netloc.decode('ascii')}/REDACTED"
        span = self._tracer.start_span(
            request.method, context, kind=SpanKind.CLIENT, attributes=about | more
        )
        inside = set_span_in_context(span, context)
        if self._propagate:
            TraceContextTextMapPropagator().inject(request.headers, inside)

        def answered(answer: Answer) -> None:
            about["http.response.status_code"] = answer.status
            span.set_attribute("http.response.status_code", answer.status)
            if answer.status >= 400:
                _fail(span, about, str(answer.status))

        began = self._clock.monotonic()
        try:
            yield answered
        except BaseException as error:
            _fail(span, about, error)
            raise
        finally:
            self._requests.record(self._clock.monotonic() - began, about, inside)
            span.end()


def _within(context: Context, work: Callable[[], T]) -> T:
    """Do some work with a context as the current one; it may be in another thread."""
    from opentelemetry.context import attach, detach

    token = attach(context)
    try:
        return work()
    finally:
        detach(token)


def _fail(span: Span, about: Attributes, error: BaseException | str) -> None:
    # Neither text nor trace of the error: those of causes were written by others.
    from opentelemetry.trace import StatusCode

    match error:
        case str():
            kind = error
        case MedsignError():
            kind = error.code
        case GeneratorExit():
            kind = "cancelled"
        case _:
            kind = type(error).__qualname__
    about["error.type"] = kind
    span.set_attribute("error.type", kind)
    span.set_status(StatusCode.ERROR)
