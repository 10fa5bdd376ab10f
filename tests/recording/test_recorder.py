"""A recording holds what passed, and not whose it was; replayed, it gives the same results."""

from __future__ import annotations

import gzip
import json
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import httpx
import pytest

from medsign.clock import ManualClock
from medsign.errors import (
    BudgetExceeded,
    MalformedError,
    MedsignError,
    NotAuthentic,
    NotRecorded,
    OutcomeUnknown,
)
from medsign.exchange import AsyncDriver, Context, Driver
from medsign.identifiers import CardNumber, Phone
from medsign.recording import Har, Masks, Recorder, Replay
from medsign.sandbox import Fault, FaultKind, Sandbox
from medsign.sandbox.paper import new_pdf
from medsign.sep import SMS, Document, Package, Patient, Source, SourceKind

COLOURS = ["sync", "asyncio", "trio"]


@pytest.fixture(params=COLOURS)
def colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as world:
        yield world


def record(sandbox: Sandbox, colour: str, **settings: Any) -> Recorder:
    inner = sandbox.transport() if colour == "sync" else sandbox.async_transport()
    return Recorder(inner, clock=sandbox.clock, **settings)


def a_day(window: Any, now: Any, call: Callable[[Any], Any]) -> list[Any]:
    """Do what a clinic does with one document; return the results and the errors."""
    document = Document(
        id="d1", name="Согласие", form_code="KAV.0049", content=new_pdf(["Согласие"]), added_at=now
    )
    patient = Patient(
        id="2156792",
        surname="Тестова",
        given_name="Ольга",
        birth_date=date(1985, 3, 8),
        phone=Phone("+79990000001"),
    )
    source = Source(kind=SourceKind.TALON, number="107200", created_at=now)
    package = Package(id="p1", source=source, patient=patient, channel=SMS, documents=(document,))
    told: list[Any] = []

    def do(method: Callable[..., Any], *arguments: Any) -> None:
        try:
            told.append(call(method(*arguments)))
        except MedsignError as error:
            told.append(error)

    do(window.sep.send, package, document)
    do(window.sep.status, getattr(told[0], "number", "d1"))
    do(window.sep.signed, "d9")
    do(window.mchd.generate_number)
    do(window.mchd.status, "0a000000-0000-4000-8000-000000000001")
    do(window.ekp.identify, CardNumber("9999999999999999"))
    return told


def told_by(sandbox: Sandbox, colour: str, transport: Any, now: Any) -> list[Any]:
    if colour == "sync":
        with sandbox.connect(transport=transport) as window:
            return a_day(window, now, lambda result: result)
    outcome: list[Any] = []

    async def live() -> None:
        # The blocking text of the day runs in a thread and calls back for each operation.
        async with sandbox.async_connect(transport=transport) as window:

            async def finish(result: Any) -> Any:
                return await result

            outcome.extend(
                await anyio.to_thread.run_sync(
                    lambda: a_day(window, now, lambda result: anyio.from_thread.run(finish, result))
                )
            )

    anyio.run(live, backend=colour)
    return outcome


def looks(told: list[Any]) -> list[Any]:
    """Return what must be the same in a replay: types, states, codes."""
    return [
        (type(each).__name__, getattr(each, "status", None), getattr(each, "problem", None))
        for each in told
    ]


@pytest.mark.req("F123")
@pytest.mark.parametrize("kind", [None, FaultKind.RESET_AFTER, FaultKind.TRUNCATED])
@pytest.mark.parametrize("in_order", [True, False])
def test_a_recorded_session_is_replayed_with_the_same_results_and_errors(
    sandbox: Sandbox, colour: str, kind: FaultKind | None, in_order: bool, tmp_path: Path
):
    now = sandbox.clock.now()
    if kind:
        sandbox.world.faults.add(Fault(kind=kind, match="sep.*", times=2))
    recorder = record(sandbox, colour)
    live = told_by(sandbox, colour, recorder, now)
    assert {type(each).__name__ for each in live} >= {"DocumentRow", "ApiError"}

    recorder.save(tmp_path / "day.har")
    replay = Replay(Har.load(tmp_path / "day.har"), in_order=in_order)
    assert looks(told_by(sandbox, colour, replay, now)) == looks(live)
    assert replay.left == 0


def test_a_session_of_one_colour_is_replayed_in_the_other(sandbox: Sandbox):
    now = sandbox.clock.now()
    recorder = record(sandbox, "sync")
    live = told_by(sandbox, "sync", recorder, now)
    assert looks(told_by(sandbox, "asyncio", Replay(recorder.har()), now)) == looks(live)


def test_an_unknown_outcome_is_replayed_as_one(sandbox: Sandbox):
    now = sandbox.clock.now()
    sandbox.world.faults.add(Fault(kind=FaultKind.TIMEOUT, match="sep.*", times=99))
    recorder = record(sandbox, "sync")
    live = told_by(sandbox, "sync", recorder, now)
    assert isinstance(live[0], OutcomeUnknown)
    assert looks(told_by(sandbox, "sync", Replay(recorder.har()), now)) == looks(live)


def test_nothing_of_the_patient_is_in_the_file(sandbox: Sandbox, colour: str, tmp_path: Path):
    recorder = record(sandbox, colour)
    told_by(sandbox, colour, recorder, sandbox.clock.now())
    recorder.save(tmp_path / "day.har")
    text = (tmp_path / "day.har").read_text("utf-8")
    token = sandbox.endpoint("sep").token
    for secret in ("Тестова", "Ольга", "1985-03-08", "9990000001", "2156792", "JVBER", token):
        assert secret not in text
    assert "Талон на прием" in text


def test_the_file_is_an_archive_of_version_1_2(sandbox: Sandbox, tmp_path: Path):
    recorder = record(sandbox, "sync")
    told_by(sandbox, "sync", recorder, sandbox.clock.now())
    recorder.save(tmp_path / "day.har")
    log = json.loads((tmp_path / "day.har").read_text("utf-8"))["log"]
    assert (log["version"], log["creator"]["name"]) == ("1.2", "medsign")
    for entry in log["entries"]:
        # What the format requires of each entry.
        assert entry.keys() >= {
            "startedDateTime",
            "time",
            "request",
            "response",
            "cache",
            "timings",
        }
        assert entry["request"].keys() >= {
            *("method", "url", "httpVersion", "cookies", "headers", "queryString"),
            *("headersSize", "bodySize"),
        }
        assert entry["response"].keys() >= {
            *("status", "statusText", "httpVersion", "cookies", "headers", "content"),
            *("redirectURL", "headersSize", "bodySize"),
        }
        assert entry["response"]["content"].keys() >= {"size", "mimeType"}
        timings = entry["timings"]
        assert entry["time"] == pytest.approx(sum(timings[each] for each in timings))


def test_a_file_is_its_owners_only_and_replaces_the_old_one_whole(tmp_path: Path):
    path = tmp_path / "day.har"
    path.write_text("old")
    path.chmod(0o644)
    Har.of([]).save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Har.load(path) == Har.of([])
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def fail(_: int) -> None:
        raise OSError("no space")

    path = tmp_path / "day.har"
    path.write_text("old")
    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="no space"):
        Har.of([]).save(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("text", ["", "{}", '{"log": {"version": "1.2"}}', "[1]"])
def test_what_is_no_archive_is_refused(tmp_path: Path, text: str):
    (tmp_path / "x.har").write_text(text)
    with pytest.raises(MalformedError):
        Har.load(tmp_path / "x.har")


# --- bounds and manners of the recorder


def through(recorder: Recorder | Replay, *requests: httpx.Request) -> list[httpx.Response]:
    with httpx.Client(transport=recorder) as http:
        return [http.send(request) for request in requests]


class Raw(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body as it comes from the network."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.pieces)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece


def answering(**answer: Any) -> httpx.MockTransport:
    return httpx.MockTransport(lambda request: httpx.Response(200, **answer))


GET = httpx.Request("GET", "https://a.test/x")


def test_when_it_is_full_the_oldest_entries_go_and_the_file_says_so():
    recorder = Recorder(answering(json={"n": "Тестова"}), max_bytes=3000)
    through(recorder, *(httpx.Request("GET", f"https://a.test/x{n}") for n in range(9)))
    log = recorder.har().log
    assert 0 < len(log.entries) < 9
    assert log.entries[-1].request.url.endswith("/x8")
    assert log.comment == f"exchanges that are not here: {9 - len(log.entries)}"


def test_a_long_body_is_left_out_and_passes_whole():
    recorder = Recorder(answering(json={"text": "x" * 5000}), max_body=1000)
    [response] = through(recorder, GET)
    assert len(response.content) > 5000
    [entry] = recorder.har().log.entries
    assert (entry.response.content.text, entry.response.content.comment) == (None, "left out")
    with pytest.raises(NotRecorded, match="left out"):
        through(Replay(recorder.har()), GET)


def test_a_small_body_that_unpacks_to_a_large_one_is_left_out():
    bomb = gzip.compress(json.dumps("x" * 5_000_000).encode())
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    recorder = Recorder(answering(stream=Raw(bomb), headers=headers), max_body=100_000)
    through(recorder, GET)
    [entry] = recorder.har().log.entries
    assert entry.response.content.text is None


def test_a_long_request_is_left_out_and_an_answer_to_it_found_still():
    recorder = Recorder(answering(json={"ok": True}), max_body=1000)
    request = httpx.Request("POST", "https://a.test/x", json={"text": "x" * 5000})
    through(recorder, request)
    post = recorder.har().log.entries[0].request.post_data
    assert post is not None
    assert (post.text, post.comment) == ("", "left out")
    assert through(Replay(recorder.har()), request)[0].json() == {"ok": True}


def test_a_packed_answer_is_recorded_unpacked():
    packed = gzip.compress(b'{"state": "SIGNED"}')
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    recorder = Recorder(answering(stream=Raw(packed), headers=headers))
    through(recorder, GET)
    assert recorder.har().log.entries[0].response.content.text == '{"state":"SIGNED"}'
    [replayed] = through(Replay(recorder.har()), GET)
    assert replayed.json() == {"state": "SIGNED"}


def test_a_streamed_request_is_not_read_ahead_and_may_be_sent_again():
    seen: list[int] = []

    def chunks() -> Iterator[bytes]:
        for number in range(3):
            seen.append(number)
            yield b"x" * 10

    class Slow(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            assert seen == []
            assert isinstance(request.stream, httpx.SyncByteStream)
            assert len(b"".join(request.stream)) == 30
            return httpx.Response(200)

    request = httpx.Request("POST", "https://a.test/x", content=chunks())
    stream = request.stream
    recorder = Recorder(Slow())
    through(recorder, request)
    assert request.stream is stream
    assert recorder.har().log.entries[0].request.body_size == 30


@pytest.mark.parametrize("body", ["[1e400]", '["\\ud800"]', "[" * 900 + "]" * 900])
def test_a_body_that_cannot_be_masked_is_left_out_of_its_entry(body: str, tmp_path: Path):
    content = httpx.Response(200, text=body, headers={"content-type": "application/json"})
    recorder = Recorder(httpx.MockTransport(lambda _: content))
    through(recorder, GET)
    recorder.save(tmp_path / "x.har")
    [entry] = Har.load(tmp_path / "x.har").log.entries
    assert (entry.response.content.size, entry.response.content.text) == (len(body), None)


def test_an_exchange_that_cannot_be_written_down_harms_nobody_and_is_counted(
    monkeypatch: pytest.MonkeyPatch,
):
    def fail(*_: Any) -> None:
        raise ValueError

    monkeypatch.setattr(Masks, "url", fail)
    recorder = Recorder(answering(json={"a": 1}))
    [response] = through(recorder, GET)
    assert response.json() == {"a": 1}
    assert recorder.har().log.comment == "exchanges that are not here: 1"


def test_what_goes_wrong_in_recording_harms_no_request(monkeypatch: pytest.MonkeyPatch):
    def fail(*_: Any, **__: Any) -> None:
        raise RecursionError

    monkeypatch.setattr("medsign.recording.masks.Masks.body", fail)
    recorder = Recorder(answering(json={"a": 1}))
    [response] = through(recorder, GET)
    assert response.json() == {"a": 1}
    [entry] = recorder.har().log.entries
    assert (entry.response.content.text, entry.response.content.comment) == (None, "left out")


@pytest.mark.parametrize("unsafe", [False, True])
@pytest.mark.parametrize("read", [0, 1])
def test_an_answer_that_nobody_read_to_its_end_is_no_whole_one(read: int, unsafe: bool):
    headers = {"content-type": "application/json"}
    answer = answering(stream=Raw(b'{"text": "', b'long"}'), headers=headers)
    recorder = Recorder(answer, unsafe_bodies=unsafe)
    with (
        httpx.Client(transport=recorder) as http,
        http.stream("GET", "https://a.test/x") as response,
    ):
        pieces = response.iter_raw()
        for _ in range(read):
            next(pieces)
        assert recorder.har().log.entries == ()
    [entry] = recorder.har().log.entries
    assert (entry.response.status, entry.response.error) == (200, "StreamClosed")
    assert entry.response.content.text is None
    assert entry.response.body_size == 10 * read
    with pytest.raises(NotRecorded, match="StreamClosed"):
        through(Replay(recorder.har()), GET)


def test_a_request_that_did_not_leave_to_its_end_is_no_whole_one():
    class Broken(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            assert isinstance(request.stream, httpx.SyncByteStream)
            next(iter(request.stream))
            raise httpx.WriteError("cut")

    recorder = Recorder(Broken(), unsafe_bodies=True)
    with pytest.raises(httpx.WriteError):
        through(recorder, httpx.Request("POST", "https://a.test/x", content=iter([b"[1", b"]"])))
    [entry] = recorder.har().log.entries
    assert entry.request.post_data is not None
    assert (entry.request.post_data.text, entry.request.post_data.comment) == ("", "left out")
    assert entry.request.body_size == 2


@pytest.mark.parametrize("unsafe", [False, True])
def test_an_answer_that_was_too_large_fails_in_a_replay_too(colour: str, unsafe: bool):
    pieces = Raw(b'"', *[b"x" * 1000] * 50, b'"')
    recorder = Recorder(
        answering(stream=pieces, headers={"content-type": "application/json"}), unsafe_bodies=unsafe
    )
    context = Context(service="x", base_url="https://a.test", max_bytes=20_000)

    def read(transport: Any) -> None:
        flow = context.fetch("x", context.request("GET", "x"))
        if colour == "sync":
            with httpx.Client(transport=transport) as http:
                Driver(http).run(flow)
            return

        async def run() -> None:
            async with httpx.AsyncClient(transport=transport) as http:
                await AsyncDriver(http).run(flow)

        anyio.run(run, backend=colour)

    with pytest.raises(BudgetExceeded):
        read(recorder)
    with pytest.raises(NotRecorded, match="StreamClosed"):
        read(Replay(recorder.har()))


def test_nothing_is_masked_while_exchanges_go_on(monkeypatch: pytest.MonkeyPatch):
    masked: list[bytes] = []
    body = Masks.body

    def slow(masks: Masks, content: bytes, *rest: Any, **more: Any) -> str | None:
        masked.append(content)
        return body(masks, content, *rest, **more)

    monkeypatch.setattr(Masks, "body", slow)
    recorder = Recorder(answering(json={"name": "Тестова"}))
    through(recorder, GET)
    assert masked == []
    assert "Тестова" not in repr(vars(recorder))
    assert recorder.har() == recorder.har()
    assert len(masked) == 1
    assert not any(passed._came for passed in recorder._kept)


def test_secrets_of_header_fields_and_queries_are_masked():
    headers = {"Authorization": "Bearer planted", "Cookie": "sid=planted", "X-Request-ID": "r-1"}
    answer = {"Set-Cookie": "sid=planted", "Location": "https://a.test/?code=planted"}
    recorder = Recorder(answering(headers=answer))
    through(recorder, httpx.Request("GET", "https://a.test/x?inn=9997773331", headers=headers))
    text = json.dumps(recorder.har(), default=repr)
    assert "planted" not in text
    assert "9997773331" not in text
    assert "r-1" in text


def test_unsafe_bodies_are_written_as_they_are_and_the_rest_is_masked_still():
    pdf = b"%PDF-1.7\xff"
    recorder = Recorder(
        answering(content=pdf, headers={"content-type": "application/pdf"}), unsafe_bodies=True
    )
    request = httpx.Request(
        "POST", "https://a.test/x", json={"surname": "Тестова"}, headers={"Authorization": "N3 x"}
    )
    through(recorder, request)
    [entry] = recorder.har().log.entries
    assert entry.request.post_data is not None
    assert "Тестова" in entry.request.post_data.text
    assert ("Authorization", "***") in [
        (each.name.title(), each.value) for each in entry.request.headers
    ]
    [replayed] = through(Replay(recorder.har()), request)
    assert replayed.content == pdf


def test_many_threads_record_into_one_file():
    recorder = Recorder(answering(json={"a": 1}))
    with httpx.Client(transport=recorder) as http, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: http.get("https://a.test/x"), range(200)))
    assert len(recorder.har().log.entries) == 200


def test_times_are_those_of_the_clock(sandbox: Sandbox):
    clock = ManualClock(sandbox.clock.now())
    began = clock.now()

    class Dripping(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            clock.advance(timedelta(seconds=2))
            yield b"x"

    def slow(request: httpx.Request) -> httpx.Response:
        clock.advance(timedelta(seconds=1))
        return httpx.Response(200, stream=Dripping())

    recorder = Recorder(httpx.MockTransport(slow), clock=clock)
    through(recorder, GET)
    [entry] = recorder.har().log.entries
    assert entry.started_date_time == began
    assert (entry.timings.wait, entry.timings.receive, entry.time) == (1000, 2000, 3000)


def test_the_time_without_an_answer_is_spent_waiting(sandbox: Sandbox):
    clock = ManualClock(sandbox.clock.now())

    def silent(request: httpx.Request) -> httpx.Response:
        clock.advance(timedelta(seconds=20))
        raise httpx.ReadTimeout("late")

    recorder = Recorder(httpx.MockTransport(silent), clock=clock)
    with pytest.raises(httpx.ReadTimeout):
        through(recorder, GET)
    [entry] = recorder.har().log.entries
    assert (entry.timings.wait, entry.timings.receive) == (20_000, 0)
    assert entry.response.error == "ReadTimeout"


# --- replay


def a_recording(*answers: Any) -> Har:
    told = iter(answers)
    recorder = Recorder(httpx.MockTransport(lambda _: httpx.Response(200, json=next(told))))
    through(recorder, *(GET for _ in answers))
    return recorder.har()


def test_answers_to_equal_requests_come_in_their_order():
    replay = Replay(a_recording({"n": 1}, {"n": 2}))
    assert [each.json()["n"] for each in through(replay, GET, GET)] == [1, 2]


@pytest.mark.parametrize("in_order", [True, False])
def test_a_request_that_was_not_recorded_is_an_error_without_its_data(in_order: bool):
    replay = Replay(a_recording({"n": 1}), in_order=in_order)
    other = httpx.Request("POST", "https://a.test/x?name=Тестова", json={"surname": "Тестова"})
    with pytest.raises(NotRecorded) as refused:
        through(replay, other)
    assert "POST /x" in str(refused.value)
    assert "Тестова" not in str(refused.value)
    assert refused.value.code == "MS-REPLAY"
    assert replay.left == 1


def test_one_request_more_than_was_recorded_is_an_error():
    with pytest.raises(NotRecorded):
        through(Replay(a_recording({"n": 1})), GET, GET)


def test_the_order_of_the_recording_may_be_required():
    recorder = Recorder(answering(json={}))
    first, second = (httpx.Request("GET", f"https://a.test/{path}") for path in ("a", "b"))
    through(recorder, first, second)
    assert len(through(Replay(recorder.har()), second, first)) == 2
    with pytest.raises(NotRecorded):
        through(Replay(recorder.har(), in_order=True), second)


@pytest.mark.parametrize("error", [BudgetExceeded("answer", 7), NotAuthentic("time", "too late")])
def test_an_entry_that_ended_with_what_no_transport_raises_is_told(error: MedsignError):
    def odd(request: httpx.Request) -> httpx.Response:
        raise error

    recorder = Recorder(httpx.MockTransport(odd))
    with pytest.raises(type(error)):
        through(recorder, GET)
    with pytest.raises(NotRecorded, match=type(error).__name__):
        through(Replay(recorder.har()), GET)


@pytest.mark.parametrize(
    "part, value",
    [
        ("request", {"url": "https://a.test/" + "x" * 70_000}),
        ("request", {"postData": {"mimeType": "text/plain", "text": "\ud800", "params": []}}),
        ("request", {"postData": {"mimeType": "\ud800", "text": "", "params": []}}),
        ("response", {"content": {"size": 1, "mimeType": "", "text": "\ud800"}}),
        ("response", {"content": {"size": 1, "mimeType": "", "text": "ы", "encoding": "base64"}}),
        ("response", {"headers": [{"name": "Date", "value": "ы"}]}),
    ],
)
def test_an_archive_of_what_nobody_can_send_is_refused(tmp_path: Path, part: str, value: Any):
    path = tmp_path / "x.har"
    a_recording({}).save(path)
    plain = json.loads(path.read_text("utf-8"))
    plain["log"]["entries"][0][part] |= value
    path.write_text(json.dumps(plain), "utf-8")
    har = Har.load(path)
    with pytest.raises(MalformedError):
        through(Replay(har), GET)


async def _bytes() -> AsyncIterator[bytes]:
    yield b'{"a":'
    yield b"1}"


@pytest.mark.parametrize("backend", COLOURS[1:])
def test_an_async_stream_is_recorded_and_replayed(backend: str):
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"ok": True})

    async def talk(transport: Any) -> Any:
        async with httpx.AsyncClient(transport=transport) as http:
            headers = {"content-type": "application/json"}
            response = await http.post("https://a.test/x", content=_bytes(), headers=headers)
            return response.json()

    recorder = Recorder(httpx.MockTransport(answer))
    assert anyio.run(talk, recorder, backend=backend) == {"ok": True}
    assert anyio.run(talk, Replay(recorder.har()), backend=backend) == {"ok": True}
    post = recorder.har().log.entries[0].request.post_data
    assert post is not None
    assert post.text == '{"a":1}'


@pytest.mark.parametrize("backend", COLOURS[1:])
def test_a_cancelled_exchange_is_written_down_too(backend: str):
    async def stall(request: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    async def cancel(recorder: Recorder) -> None:
        async with httpx.AsyncClient(transport=recorder) as http:
            with anyio.move_on_after(0.05):
                await http.get("https://a.test/x")

    recorder = Recorder(httpx.MockTransport(stall))
    anyio.run(cancel, recorder, backend=backend)
    [entry] = recorder.har().log.entries
    assert entry.response.error in {"CancelledError", "Cancelled"}


@pytest.mark.parametrize("backend", COLOURS[1:])
def test_an_exchange_that_is_cancelled_within_its_answer_is_no_whole_one(backend: str):
    class Stalling(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"{}"
            await anyio.sleep_forever()

    async def cancel(recorder: Recorder) -> None:
        async with httpx.AsyncClient(transport=recorder) as http:
            with anyio.move_on_after(0.05):
                await http.get("https://a.test/x")

    recorder = Recorder(answering(stream=Stalling()))
    anyio.run(cancel, recorder, backend=backend)
    [entry] = recorder.har().log.entries
    assert (entry.response.error, entry.response.content.text) == ("StreamClosed", None)
