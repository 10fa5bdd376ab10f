"""The parts of an exchange, each alone: declaration, listing, limits, retries, redaction."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from time import perf_counter
from uuid import UUID

import anyio
import httpx
import pytest
import tenacity
from hypothesis import given
from hypothesis import strategies as st

from medsign.clock import ManualClock
from medsign.errors import (
    ApiError,
    ConnectFailed,
    ConnectionLost,
    MedsignError,
    PeerExpired,
    TimedOut,
    UnexpectedAnswer,
)
from medsign.exchange import (
    Answer,
    AsyncDriver,
    AsyncService,
    Context,
    Do,
    Driver,
    Event,
    Flow,
    Listing,
    Repeat,
    RequestSent,
    RetryPolicy,
    Service,
    listing,
    operation,
    redact,
    redact_headers,
)
from medsign.exchange.problem import refusal
from medsign.exchange.retry import may_repeat, outcome_unknown, retry_after
from medsign.sandbox import Sandbox

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def write(context: Context, text: str, *, copies: int = 1) -> Flow[int]:
    """Send a letter and return the status."""
    request = context.request("POST", "letters", body={"text": text * copies})
    return (yield from context.create("create", request)).status


def texts(context: Context, *, page: int) -> Listing[dict[str, str]]:
    """Yield the letters."""
    yield from context.pages("list", "letters", dict[str, str], {"limit": page})


class Letters:
    write = operation(write)
    texts = listing(texts)


class SyncLetters(Letters, Service): ...


class AsyncLetters(Letters, AsyncService): ...


@pytest.fixture
def blocking(context: Context, sandbox: Sandbox) -> Iterator[SyncLetters]:
    with httpx.Client(transport=sandbox.transport()) as http:
        yield SyncLetters(context, Driver(http, clock=sandbox.clock, sleep=sandbox.sleep))


def test_an_operation_is_a_method_of_the_blocking_service(blocking: SyncLetters) -> None:
    assert blocking.write("да", copies=2) == 201


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_operation_is_a_coroutine_of_the_async_service(
    context: Context, sandbox: Sandbox, backend: str
) -> None:
    async def main() -> tuple[int, list[dict[str, str]]]:
        async with httpx.AsyncClient(transport=sandbox.async_transport()) as http:
            service = AsyncLetters(context, AsyncDriver(http, clock=sandbox.clock))
            status = await service.write("да")
            return status, [text async for text in service.texts(page=1)]

    assert anyio.run(main, backend=backend) == (201, [{"text": "да"}])


@pytest.mark.parametrize("kind", [SyncLetters, AsyncLetters])
def test_both_colours_show_the_flow_name_signature_and_docstring(
    kind: type[SyncLetters], context: Context
) -> None:
    method = kind(context, None).write  # type: ignore[arg-type]
    assert method.__name__ == "write"
    assert method.__doc__ == "Send a letter and return the status."
    assert list(inspect.signature(method).parameters) == ["text", "copies"]


def test_a_declaration_shows_itself_on_the_class() -> None:
    assert isinstance(SyncLetters.write, operation)
    assert isinstance(SyncLetters.texts, listing)


@pytest.mark.parametrize("count", [0, 1, 4, 7])
@pytest.mark.parametrize("page", [1, 3, 4, 100])
def test_a_listing_yields_every_element_once_whatever_the_page(
    blocking: SyncLetters, count: int, page: int
) -> None:
    for number in range(count):
        blocking.write(str(number))
    assert [text["text"] for text in blocking.texts(page=page)] == [
        str(number) for number in range(count)
    ]


def test_a_listing_asks_only_as_far_as_it_is_read(
    blocking: SyncLetters, events: list[Event]
) -> None:
    for number in range(3):
        blocking.write(str(number))
    events.clear()
    assert next(blocking.texts(page=1)) == {"text": "0"}
    assert sum(isinstance(event, RequestSent) for event in events) == 1


@pytest.mark.parametrize(
    ("error", "safe", "keyed", "never"),
    [
        (ConnectFailed("x"), True, True, True),
        (PeerExpired("x"), False, False, False),
        (TimedOut("x"), True, False, False),
        (ConnectionLost("x"), True, False, False),
        (ApiError(429, "slow-down", "x"), True, True, True),
        (ApiError(503, "busy", "x"), True, True, False),
        (ApiError(500, "oops", "x"), True, False, False),
        (ApiError(409, "conflict", "x"), False, False, False),
        (ApiError(422, "invalid", "x"), False, False, False),
    ],
)
def test_the_retry_table(error: MedsignError, safe: bool, keyed: bool, never: bool) -> None:
    answers = [may_repeat(error, kind) for kind in (Repeat.SAFE, Repeat.KEYED, Repeat.NEVER)]
    assert answers == [safe, keyed, never]


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_server_error_after_a_creating_call_leaves_the_outcome_open(status: int) -> None:
    assert outcome_unknown(ApiError(status, "oops", "x"))


@given(attempt=st.integers(1, 8), floor=st.floats(0, 1000))
def test_a_wait_is_never_shorter_than_retry_after(attempt: int, floor: float) -> None:
    assert RetryPolicy().wait(attempt, ApiError(429, "x", "x", retry_after=floor)) >= floor


def test_waits_follow_the_strategy_of_tenacity() -> None:
    policy = RetryPolicy(backoff=tenacity.wait_exponential(multiplier=1))
    assert [policy.wait(attempt, TimedOut("x")) for attempt in (1, 2, 3)] == [1, 2, 4]


@pytest.mark.parametrize(
    ("field", "seconds"),
    [
        ("0", 0.0),
        ("90", 90.0),
        ("Wed, 01 Jul 2026 12:01:00 GMT", 60.0),
        ("Wed, 01 Jul 2026 11:00:00 GMT", 0.0),
        ("-5", None),
        ("завтра", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_both_forms(field: str | None, seconds: float | None) -> None:
    assert retry_after(field, ManualClock(NOON)) == seconds


@pytest.mark.parametrize(
    "secret",
    [
        "999-999-999 89",
        "99999999989",
        "+7 (999) 123-45-67",
        "99 99 123456",
        "anna@example.test",
        "Тестова Анна Петровна",
        "ТЕСТОВА АННА ПЕТРОВНА",
        "Тестовой Анны Петровны",
        "Тестову-Образцову Петру Ильичу",
        "Анна Петровна",
        "Анна Петровна Тестова",
        "Тестов Пётр Кузьмич",
        "Тестовым Петром Лукичом",
        "Пётр Ильич Тестов",
        "Мамедов Тест Ахмед оглы",
        "Әбдиева Тест Нұрланқызы",
        "Тестова Анна",
        "ТЕСТОВА АННА",
        "Анна Тестова-Образцова",
        "Ли Анна",
        "Образцов Ли",
        "Тестов А. Б.",
        "ТЕСТОВ А.Б.",
        "А. Б. Тестов",
        "99 99 № 123456",
        "Bearer abc.def",
        "bearer abc.def",
        "N3 d19f9083-0000",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiI5OTkifQ.",
    ],
)
def test_personal_data_are_taken_out_of_a_text(secret: str) -> None:
    assert redact(f"Ошибка у {secret} — нет доступа") == "Ошибка у *** — нет доступа"


@pytest.mark.parametrize(
    "text",
    [
        "Сертификат Главного Врача не найден",
        "Министерство Здравоохранения Российской Федерации",
        "Единая Карта Петербуржца: Личный Кабинет",
        "Причина СМЭВ и Реестр МЧД",
        "ОШИБКА ПРОВЕРКИ ДОКУМЕНТОВ",
        "trace 16050cfa4f3a0ae6104992000000001b",
        "РЕЕСТР НЕДОСТУПЕН, ПОВТОРИТЕ ЗАПРОС",
        "request 4f3c1a52-1234-4567-8901-234567890123",
        "Form KAV.0049, Талон на прием 107200",
    ],
)
def test_what_names_nobody_is_left_for_those_who_look_for_the_fault(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("who", ["Пациент", "Представитель", "Врач"])
def test_who_it_was_is_told_without_the_name(who: str) -> None:
    assert redact(f"{who} Тестова Анна не найден") == f"{who} *** не найден"


def test_a_date_of_birth_is_masked_and_another_date_is_not() -> None:
    assert redact("дата рождения 17.05.1990") == "дата ***"
    assert redact("birthDate: 1990-05-17") == "***"
    assert redact("Сертификат истёк 17.05.2026") == "Сертификат истёк 17.05.2026"


@given(st.uuids())
def test_the_identifier_of_a_request_comes_whole_to_support(identifier: UUID) -> None:
    for spelled in (str(identifier), str(identifier).upper()):
        assert redact(spelled, 80) == spelled


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=400))
def test_redaction_is_bounded_and_done_once(text: str) -> None:
    clean = redact(text)
    assert len(clean) <= 301
    assert redact(clean) == clean or len(text) > 300


@pytest.mark.parametrize(
    "piece", ["a", "a.", "1 ", "Аа ", "А-", "a@", "N3 ", " ", "Аич ", "Анна-", "рожд"]
)
def test_redaction_of_a_long_text_takes_no_time(piece: str) -> None:
    long = f"{piece * 100_000}{'а' * 100_000}"
    began = perf_counter()
    assert len(redact(long)) <= 301
    assert redact(long[:60_000], 60_000)
    assert perf_counter() - began < 0.5


@given(st.integers(0, 2000), st.sampled_from(["999-999-999 89", "Тестова Анна Петровна"]))
def test_a_cut_shows_no_half_of_what_is_masked(before: int, secret: str) -> None:
    # Numbers shrink to masks, so that what is far behind would come into sight.
    for pad in (", ", "999-999-999 89, "):
        clean = redact(pad * (before // len(pad)) + secret + "," + pad * 1000)
        assert not re.search(r"[0-9А-я]", clean)


def test_the_text_of_a_request_shows_its_host_and_its_address_stays_whole(
    caplog: pytest.LogCaptureFixture,
) -> None:
    context = Context(service="x", base_url="https://user:word@x.test:8443")
    request = context.request("GET", "poa/999900000160", query={"inn": "999900000234"})
    caplog.set_level(logging.INFO)
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as http:
        http.send(request)
    [line] = caplog.messages
    assert line == 'HTTP Request: GET https://x.test:8443/*** "HTTP/1.1 200 OK"'
    assert request.url == "https://user:word@x.test:8443/poa/999900000160?inn=999900000234"
    assert request.url != context.request("GET", "poa/999900000160").url
    assert len({request.url, httpx.URL(request.url)}) == 1


def test_only_harmless_header_fields_are_shown() -> None:
    given = {"authorization": "N3 x", "X-Patient": "y", "Date": "today"}
    given["X-Request-Id"] = "of 99999999989"
    shown = {"authorization": "***", "X-Patient": "***", "Date": "today", "X-Request-Id": "of ***"}
    assert redact_headers(given) == shown


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"code": 5}', b'{"title": null}'])
def test_a_refusal_without_problem_details_is_still_typed(body: bytes) -> None:
    error = refusal(Answer(500, httpx.Headers(), body), ManualClock(NOON))
    assert (error.status, error.problem) == (500, "http-500")


def test_what_a_service_quotes_back_is_redacted() -> None:
    body = (
        '{"code": "x", "title": "no such person 999-999-999 89", "detail": "Анна",'
        ' "requestId": "of 999-999-999 89"}'
    ).encode()
    error = refusal(Answer(404, httpx.Headers(), body), ManualClock(NOON))
    assert error.request_id == "of ***"
    assert "999" not in str(error)
    assert "Анна" not in str(error)


def test_an_error_of_local_work_reaches_the_flow() -> None:
    def flow() -> Flow[str]:
        try:
            yield Do(lambda: 1 // 0)
        except ZeroDivisionError:
            return "caught"
        return "missed"

    with httpx.Client() as http:
        assert Driver(http).run(flow()) == "caught"


def test_cancelling_leaves_the_call_in_the_journal_and_a_repeat_asks_first(
    context: Context, sandbox: Sandbox
) -> None:
    class Stalling(httpx.AsyncBaseTransport):
        """Carries the request out and never brings the answer."""

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await sandbox.async_transport().handle_async_request(request)
            await anyio.sleep_forever()
            raise AssertionError

    def call() -> Flow[Answer]:
        request = context.request("POST", "letters", body={"text": "да"})
        return context.create("create", request, "k")

    async def main() -> None:
        async with httpx.AsyncClient(transport=Stalling()) as http:
            with anyio.move_on_after(0.05):
                await AsyncDriver(http).run(call())

    anyio.run(main)
    assert [one.key for one in context.ledger.unfinished()] == ["k"]
    with httpx.Client(transport=sandbox.transport()) as http:
        assert Driver(http, clock=sandbox.clock).run(call()).status == 201
        shown = Driver(http, clock=sandbox.clock).run(
            context.fetch("list", context.request("GET", "letters"))
        )
    assert shown.body.count(b"text") == 1


@pytest.mark.parametrize("backend", ["sync", "asyncio", "trio"])
def test_a_packed_answer_is_told_as_such_in_every_colour(backend: str) -> None:
    packed = httpx.MockTransport(
        lambda _: httpx.Response(
            200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"bomb")
        )
    )
    context = Context(service="x", base_url="https://x.test", policy=RetryPolicy(attempts=1))

    def flow() -> Flow[Answer]:
        return context.fetch("read", context.request("GET", "thing"))

    async def ask() -> None:
        async with httpx.AsyncClient(transport=packed) as http:
            await AsyncDriver(http).run(flow())

    def ask_at_once() -> None:
        with httpx.Client(transport=packed) as http:
            Driver(http).run(flow())

    with pytest.raises(UnexpectedAnswer, match="compress"):
        ask_at_once() if backend == "sync" else anyio.run(ask, backend=backend)
