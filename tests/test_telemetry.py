"""Spans and metrics of operations, in both colours."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import anyio.lowlevel
import attrs
import httpx
import pytest
import tenacity

pytest.importorskip("opentelemetry.sdk", reason="needs opentelemetry-sdk")

from opentelemetry import baggage, context, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv.attributes import (
    error_attributes,
    http_attributes,
    server_attributes,
    url_attributes,
)
from opentelemetry.semconv.metrics import http_metrics
from opentelemetry.trace import SpanKind, StatusCode

from medsign.errors import ApiError, OutcomeUnknown, StoreError
from medsign.exchange import (
    Answer,
    AsyncDriver,
    AsyncService,
    Context,
    Driver,
    Flow,
    Listing,
    RetryPolicy,
    Service,
    all_of,
    do,
    listing,
    operation,
)
from medsign.sandbox import Fault, FaultKind, Sandbox
from medsign.status import Journal, State, StatusModel, Tracker
from medsign.store import MemoryStore
from medsign.telemetry import Telemetry

Call = Callable[[Callable[[Any], Any]], Any]


def send(context: Context, text: str) -> Flow[Answer]:
    """Send a letter."""
    request = context.request("POST", "documents", body={"text": text}, query={"who": text})
    return (yield from context.create("send", request))


def read(context: Context) -> Flow[Answer]:
    """Read a page."""
    return (yield from context.fetch("read", context.request("GET", "documents")))


def work(context: Context) -> Flow[tuple[int, int]]:
    """Do some work elsewhere and tell in which span and thread."""
    return (
        yield from do(
            lambda: (trace.get_current_span().get_span_context().span_id, threading.get_ident())
        )
    )


def numbers(context: Context) -> Listing[Any]:
    """Yield documents."""
    yield from context.pages("numbers", "documents", dict[str, Any], {})


LETTER = StatusModel(
    name="letter",
    states=[State("draft", "Черновик"), State("sent", "Отправлено", terminal=True)],
    initial="draft",
    transitions={"draft": {"send": "sent"}},
)


def move(context: Context) -> Flow[None]:
    """Move a letter on."""
    tracker = Tracker(LETTER, Journal(context.store), "9999", context.clock, on_change=context.emit)
    yield from do(lambda: tracker.fire("send", who="registrar-3"))


class FullStore(MemoryStore):
    """A journal that takes in that a call begins and not how it ends."""

    def append(self, stream: str, expected_version: int, *rest: Any, **more: Any) -> int:
        if expected_version:
            raise StoreError("no space")
        return super().append(stream, expected_version, *rest, **more)


class _Operations:
    send = operation(send)
    move = operation(move)
    read = operation(read)
    work = operation(work)
    numbers = listing(numbers)


class Post(_Operations, Service): ...


class AsyncPost(_Operations, AsyncService): ...


class Balance(SpanProcessor):
    """How many spans have begun and not ended."""

    def __init__(self) -> None:
        self.open = 0
        self._lock = threading.Lock()

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        with self._lock:
            self.open += 1

    def on_end(self, span: ReadableSpan) -> None:
        with self._lock:
            self.open -= 1


@attrs.define
class Wire:
    """A service that answers what it is told to, and what it saw."""

    answers: list[int | Exception] = attrs.field(factory=list)
    seen: list[httpx.Headers] = attrs.field(factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request.headers.copy())
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer, json={"items": [{"id": "1"}, {"id": "2"}]})


@attrs.define
class Traced:
    """A service with telemetry, called in one colour."""

    colour: str
    wire: Wire
    exporter: InMemorySpanExporter
    balance: Balance
    tracer: Any
    reader: InMemoryMetricReader
    context: Context

    def call(self, use: Callable[[Any], Any]) -> Any:
        if self.colour == "sync":
            with httpx.Client(transport=httpx.MockTransport(self.wire)) as http:
                return use(Post(self.context, Driver(http, sleep=lambda _: None)))
        return anyio.run(self._call, use, backend=self.colour)

    async def _call(self, use: Callable[[Any], Any]) -> Any:
        async def at_once(_: float) -> None:
            await anyio.lowlevel.checkpoint()

        async with httpx.AsyncClient(transport=httpx.MockTransport(self.wire)) as http:
            return await use(AsyncPost(self.context, AsyncDriver(http, sleep=at_once)))

    def spans(self) -> list[ReadableSpan]:
        """Return the ended spans in the order of their beginning."""
        assert self.balance.open == 0
        return sorted(self.exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    def points(self, name: str) -> list[Any]:
        data = self.reader.get_metrics_data()
        return [
            point
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]


@pytest.fixture(params=["sync", "asyncio", "trio"])
def traced(request: pytest.FixtureRequest) -> Iterator[Traced]:
    exporter, balance = InMemorySpanExporter(), Balance()
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(balance)
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    reader = InMemoryMetricReader()
    meters = MeterProvider([reader], shutdown_on_exit=False)
    service = Context(
        service="post",
        base_url="https://post.test/clinic-17",
        emit=Telemetry(tracers, meters),
        policy=RetryPolicy(backoff=tenacity.wait_fixed(1)),
    )
    yield Traced(
        colour=request.param,
        wire=Wire(),
        exporter=exporter,
        balance=balance,
        tracer=tracers.get_tracer("test"),
        reader=reader,
        context=service,
    )
    tracers.shutdown()
    meters.shutdown()


@pytest.mark.req("F114", "F123")
def test_a_request_is_a_client_span_within_that_of_its_operation(traced: Traced):
    traced.call(lambda post: post.read())
    outer, inner = traced.spans()
    assert (outer.name, outer.kind) == ("post.read", SpanKind.INTERNAL)
    assert (inner.name, inner.kind) == ("GET", SpanKind.CLIENT)
    assert inner.parent is not None
    assert outer.context is not None
    assert inner.parent.span_id == outer.context.span_id
    assert dict(inner.attributes or {}) == {
        "http.request.method": "GET",
        "server.address": "post.test",
        "server.port": 443,
        "url.scheme": "https",
        "url.full": "https://post.test/REDACTED",
        "http.response.status_code": 200,
    }
    assert {inner.status.status_code, outer.status.status_code} == {StatusCode.UNSET}


def test_names_are_stable_ones_of_the_semantic_conventions(traced: Traced):
    """The constants of the conventions' own package are the judge."""
    stable = {
        value
        for module in (error_attributes, http_attributes, server_attributes, url_attributes)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str)
    }
    traced.wire.answers += [503, httpx.ReadTimeout("late")]
    traced.call(lambda post: post.read())
    told = [span for span in traced.spans() if span.kind is SpanKind.CLIENT]
    used = {name for span in told for name in span.attributes or {}}
    assert used <= stable
    assert len(used) == 8
    assert traced.points(http_metrics.HTTP_CLIENT_REQUEST_DURATION)


def test_the_callers_span_is_the_parent_of_an_operation(traced: Traced):
    with traced.tracer.start_as_current_span("page") as page:
        traced.call(lambda post: post.read())
    [operation] = [span for span in traced.spans() if span.name == "post.read"]
    assert operation.parent is not None
    assert operation.parent.span_id == page.get_span_context().span_id


def test_a_repeated_request_counts_its_resends(traced: Traced):
    traced.wire.answers += [503, httpx.ReadTimeout("late"), 200]
    traced.call(lambda post: post.read())
    outer, *attempts = traced.spans()
    told = [dict(span.attributes or {}) for span in attempts]
    assert [each.get("http.request.resend_count") for each in told] == [None, 1, 2]
    assert [each.get("http.response.status_code") for each in told] == [503, None, 200]
    assert [each.get("error.type") for each in told] == ["503", "MS-TIMEOUT", None]
    assert [span.status.status_code for span in attempts] == [
        *(StatusCode.ERROR, StatusCode.ERROR, StatusCode.UNSET),
    ]
    assert [(event.name, dict(event.attributes or {})) for event in outer.events] == [
        ("medsign.retry", {"medsign.retry.reason": "MS-API", "medsign.retry.delay": 1.0}),
        ("medsign.retry", {"medsign.retry.reason": "MS-TIMEOUT", "medsign.retry.delay": 1.0}),
    ]
    assert outer.status.status_code is StatusCode.UNSET


def test_the_question_after_a_lost_answer_is_a_request_of_the_same_operation(traced: Traced):
    traced.wire.answers += [httpx.ReadError("cut"), 200]
    traced.call(lambda post: post.send("здравствуйте"))
    outer, lost, question = traced.spans()
    assert [outer.name, lost.name, question.name] == ["post.send", "POST", "GET"]
    assert "http.request.resend_count" not in (question.attributes or {})


@pytest.mark.parametrize(
    "answers, kind, error",
    [([422], ApiError, "MS-API"), ([httpx.ReadError("cut")] * 9, OutcomeUnknown, "MS-UNKNOWN")],
)
def test_a_failed_operation_says_by_which_error(
    traced: Traced, answers: list[Any], kind: type[Exception], error: str
):
    traced.wire.answers += answers
    with pytest.raises(kind):
        traced.call(lambda post: post.send("здравствуйте"))
    outer = traced.spans()[0]
    assert outer.status.status_code is StatusCode.ERROR
    assert (outer.attributes or {})["error.type"] == error
    assert list(outer.events) == [] or {event.name for event in outer.events} == {"medsign.retry"}


def test_no_path_query_body_or_text_of_an_error_is_told(traced: Traced):
    traced.wire.answers += [httpx.ReadError("Тестова 999-999-999 99"), 404]
    with pytest.raises((ApiError, OutcomeUnknown)):
        traced.call(lambda post: post.send("Тестова"))
    told = "".join(span.to_json() for span in traced.spans())
    for secret in ("Тестова", "\\u0422\\u0435", "9999", "documents", "clinic-17", "%D0"):
        assert secret not in told


def test_a_service_is_told_of_the_span_of_its_request(traced: Traced):
    traced.wire.answers += [503]
    traced.call(lambda post: post.read())
    _, *attempts = traced.spans()
    told = [headers["traceparent"].rpartition("-")[0] for headers in traced.wire.seen]
    assert told == ["00-{:032x}-{:016x}".format(*ids_of(span)) for span in attempts]


def ids_of(span: ReadableSpan) -> tuple[int, int]:
    assert span.context is not None
    return span.context.trace_id, span.context.span_id


def test_baggage_of_the_caller_stays_at_home(traced: Traced):
    token = context.attach(baggage.set_baggage("patient", "Тестова"))
    try:
        traced.call(lambda post: post.read())
    finally:
        context.detach(token)
    assert "baggage" not in traced.wire.seen[0]


def test_a_service_is_told_nothing_where_nobody_wants_that(traced: Traced):
    quiet = attrs.evolve(traced.context, emit=Telemetry(propagate=False))
    attrs.evolve(traced, context=quiet).call(lambda post: post.read())
    assert "traceparent" not in traced.wire.seen[0]


def test_work_in_another_thread_is_done_within_the_span(traced: Traced):
    span_id, thread = traced.call(lambda post: post.work())
    [operation] = traced.spans()
    assert operation.context is not None
    assert span_id == operation.context.span_id
    assert (thread == threading.get_ident()) is (traced.colour == "sync")


def test_a_listing_that_is_left_early_has_not_failed(traced: Traced):
    def first(post: Post) -> Any:
        items = post.numbers()
        found = next(items)
        items.close()  # type: ignore[attr-defined]
        return found

    async def async_first(post: AsyncPost) -> Any:
        items = post.numbers()
        found = await anext(items)
        await items.aclose()  # type: ignore[attr-defined]
        return found

    chosen: Any = first if traced.colour == "sync" else async_first
    assert traced.call(chosen) == {"id": "1"}
    assert [span.status.status_code for span in traced.spans()] == [StatusCode.UNSET] * 2
    [whole] = traced.points("medsign.operation.duration")
    assert "error.type" not in whole.attributes


def test_between_the_elements_of_a_listing_the_caller_is_in_his_own_span(traced: Traced):
    async def in_async(post: AsyncPost) -> list[bool]:
        return [trace.get_current_span() is trace.INVALID_SPAN async for _ in post.numbers()]

    def in_sync(post: Post) -> list[bool]:
        return [trace.get_current_span() is trace.INVALID_SPAN for _ in post.numbers()]

    chosen: Any = in_sync if traced.colour == "sync" else in_async
    assert traced.call(chosen) == [True, True]


def test_durations_are_in_seconds_in_the_buckets_of_the_convention(traced: Traced):
    traced.wire.answers += [503]
    traced.call(lambda post: post.read())
    failed, done = sorted(
        traced.points("http.client.request.duration"),
        key=lambda point: -point.attributes["http.response.status_code"],
    )
    assert failed.attributes == {
        "http.request.method": "GET",
        "server.address": "post.test",
        "server.port": 443,
        "url.scheme": "https",
        "http.response.status_code": 503,
        "error.type": "503",
    }
    assert (failed.count, done.count) == (1, 1)
    assert done.explicit_bounds == (
        *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10),
    )
    [whole] = traced.points("medsign.operation.duration")
    assert dict(whole.attributes) == {"medsign.operation": "post.read"}


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize("traced", ["asyncio", "trio"], indirect=True)
def test_a_cancelled_operation_ends_its_spans_as_one_that_failed(traced: Traced, listed: bool):
    async def stall(request: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    async def cancel() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(stall)) as http:
            post = AsyncPost(traced.context, AsyncDriver(http))
            with anyio.move_on_after(0.05):
                await anext(post.numbers()) if listed else await post.read()

    anyio.run(cancel, backend=traced.colour)
    for span in traced.spans():
        assert span.status.status_code is StatusCode.ERROR
        assert (span.attributes or {})["error.type"] == "cancelled"
    [whole] = traced.points("medsign.operation.duration")
    assert whole.attributes["error.type"] == "cancelled"


def test_a_thousand_operations_at_once_leave_no_span_open_and_mix_none(traced: Traced):
    async def all_at_once(post: AsyncPost) -> None:
        async with anyio.create_task_group() as group:
            for _ in range(1000):
                group.start_soon(post.read)

    def in_threads(post: Post) -> None:
        with ThreadPoolExecutor(16) as pool:
            assert len(list(pool.map(lambda _: post.read(), range(1000)))) == 1000

    chosen: Any = in_threads if traced.colour == "sync" else all_at_once
    traced.wire.answers += [503, httpx.ReadError("cut")] * 100
    patient = attrs.evolve(traced.context.policy, attempts=201)
    traced.context = attrs.evolve(traced.context, policy=patient)
    traced.call(chosen)
    spans = traced.spans()
    parents = {ids_of(span) for span in spans if span.kind is SpanKind.INTERNAL}
    for span in spans:
        if span.kind is SpanKind.CLIENT:
            assert span.parent is not None
            assert (span.parent.trace_id, span.parent.span_id) in parents


def test_the_window_takes_it_beside_other_hooks():
    exporter = InMemorySpanExporter()
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    seen: list[Any] = []
    hooks = all_of(seen.append, Telemetry(tracers))
    with Sandbox() as sandbox, sandbox.connect(on_event=hooks) as window:
        sandbox.world.faults.add(Fault(kind=FaultKind.STATUS, match="ca.*", status=503))
        assert list(window.ca.certificates()) == []
    names = [span.name for span in exporter.get_finished_spans()]
    assert names == ["GET", "GET", "ca.certificates"]
    assert len(seen) == 5


def test_requests_that_a_gateway_wants_signed_are_traced_and_accepted():
    exporter = InMemorySpanExporter()
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    with (
        Sandbox(signed_requests=True) as sandbox,
        sandbox.connect(gateway=sandbox.gateway(), on_event=Telemetry(tracers)) as window,
    ):
        assert list(window.ca.certificates()) == []
    assert [span.name for span in exporter.get_finished_spans()] == ["GET", "ca.certificates"]


def test_a_change_of_state_is_noted_in_the_span_without_the_id(traced: Traced):
    traced.call(lambda post: post.move())
    [span] = traced.spans()
    [event] = span.events
    assert (event.name, dict(event.attributes or {})) == (
        "medsign.state",
        {
            "medsign.model": "letter",
            "medsign.state.before": "draft",
            "medsign.state.after": "sent",
        },
    )


def test_an_answer_that_the_journal_did_not_take_in_is_noted_in_the_span(traced: Traced):
    traced.context = attrs.evolve(traced.context, store=FullStore())
    traced.call(lambda post: post.send("здравствуйте"))
    outer = traced.spans()[0]
    [event] = outer.events
    assert (event.name, dict(event.attributes or {})) == (
        "medsign.not_recorded",
        {"medsign.error": "MS-STORE"},
    )
    assert outer.status.status_code is StatusCode.UNSET


def test_what_other_hooks_log_belongs_to_the_span_of_the_operation(traced: Traced):
    seen: list[int] = []

    def hook(_: Any) -> None:
        seen.append(trace.get_current_span().get_span_context().span_id)

    both = all_of(hook, traced.context.emit)
    attrs.evolve(traced, context=attrs.evolve(traced.context, emit=both)).call(
        lambda post: post.read()
    )
    operation = traced.spans()[0]
    assert seen == [ids_of(operation)[1]] * 2


def test_without_the_extra_an_error_names_it():
    code = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from medsign.errors import Unavailable\n"
        "from medsign.telemetry import Telemetry\n"
        "try: Telemetry()\n"
        "except Unavailable as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("install: pip install 'medsign[otel]'")
