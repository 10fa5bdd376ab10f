"""Signing in to services: each scheme, in both colours, with secrets that never show."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import parse_qs

import anyio
import anyio.lowlevel
import attrs
import httpx
import pytest

from medsign import Config, Endpoint, MedSign
from medsign.clock import ManualClock
from medsign.errors import BudgetExceeded, ConfigError, SignInRefused, UnexpectedAnswer
from medsign.transport import (
    ApiKey,
    Authorisation,
    CertificateCodeGrant,
    PasswordGrant,
    RefreshGrant,
    Token,
    new_async_client,
    new_client,
)

TOKEN_URL = "https://dss.test/STS/oauth/token"
SECRETS = ("correct horse", "refresh-0", "refresh-1", "access-1", "key-of-the-clinic")


@attrs.define
class Service:
    """A token service and a service that wants its tokens, as RFC 6749 describes them."""

    refreshable: bool = False
    seconds: float | None = 300
    asked: list[str] = attrs.field(factory=list[str])
    bodies: list[dict[str, str]] = attrs.field(factory=list[dict[str, str]])
    good: set[str] = attrs.field(factory=set[str])
    spent: set[str] = attrs.field(factory=set[str])
    lock: threading.Lock = attrs.field(factory=threading.Lock)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        with self.lock:
            path = request.url.path.rsplit("/", 1)[-1]
            self.asked.append(path)
            match path:
                case "token":
                    return self.token(request)
                case "certificate":
                    location = "urn:ietf:wg:oauth:2.0:oob:auto?code=code-1"
                    return httpx.Response(302, headers={"Location": location})
                case _:
                    scheme, _, token = request.headers["Authorization"].partition(" ")
                    accepted = scheme == "Bearer" and token in self.good
                    return httpx.Response(200 if accepted else 401)

    def token(self, request: httpx.Request) -> httpx.Response:
        assert request.url.query == b""
        body = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        self.bodies.append(body)
        proof = body.get("password") or body.get("code") or body.get("refresh_token")
        if proof not in {"correct horse", "code-1", *(f"refresh-{n}" for n in range(9))}:
            return httpx.Response(400, json={"error": "invalid_grant"})
        if "refresh_token" in body:
            if proof in self.spent:
                return httpx.Response(400, json={"error": "invalid_grant"})
            self.spent.add(str(proof))
        number = len(self.bodies)
        self.good = {f"access-{number}"}
        refresh = {"refresh_token": f"refresh-{number}"} if self.refreshable else {}
        expires = {} if self.seconds is None else {"expires_in": self.seconds}
        return httpx.Response(
            200,
            json={"access_token": f"access-{number}", "token_type": "Bearer"} | expires | refresh,
        )


Get = Callable[[httpx.MockTransport, httpx.Auth], int]


def blocking(transport: httpx.MockTransport, auth: httpx.Auth) -> int:
    with new_client(transport) as http:
        return http.get("https://dss.test/SignServer/rest/api/policy", auth=auth).status_code


def on(backend: str) -> Get:
    def awaiting(transport: httpx.MockTransport, auth: httpx.Auth) -> int:
        async def get() -> int:
            async with new_async_client(transport) as http:
                url = "https://dss.test/SignServer/rest/api/policy"
                return (await http.get(url, auth=auth)).status_code

        return anyio.run(get, backend=backend)

    return awaiting


@pytest.fixture(params=[blocking, on("asyncio"), on("trio")], ids=["sync", "asyncio", "trio"])
def get(request) -> Get:
    return request.param


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 7, 1, 9, tzinfo=UTC))


def password_grant(clock, **changes):
    settings = {"username": "doctor", "password": "correct horse", "client_id": "mis"}
    resource = "urn:cryptopro:dss:signserver:SignServer"
    return PasswordGrant(url=TOKEN_URL, resource=resource, clock=clock, **(settings | changes))


@pytest.mark.req("F078")
def test_dss_takes_login_and_password_in_a_form(get, clock):
    service = Service()
    assert get(httpx.MockTransport(service), password_grant(clock)) == 200
    assert service.bodies == [
        {
            "grant_type": "password",
            "username": "doctor",
            "password": "correct horse",
            "client_id": "mis",
            "resource": "urn:cryptopro:dss:signserver:SignServer",
        }
    ]


def test_one_token_serves_until_its_end(get, clock):
    service, auth = Service(seconds=300), password_grant(clock)
    transport = httpx.MockTransport(service)
    assert [get(transport, auth), get(transport, auth)] == [200, 200]
    assert service.asked == ["token", "policy", "policy"]
    clock.advance(timedelta(seconds=300))
    assert get(transport, auth) == 200
    assert service.asked[3:] == ["token", "policy"]


def test_a_token_that_is_over_at_once_serves_one_request(get, clock):
    service, auth = Service(seconds=0), password_grant(clock)
    transport = httpx.MockTransport(service)
    assert [get(transport, auth), get(transport, auth)] == [200, 200]
    assert service.asked == ["token", "policy"] * 2


def test_a_token_forgotten_by_the_service_is_renewed_once(get, clock):
    service, auth = Service(), password_grant(clock)
    transport = httpx.MockTransport(service)
    get(transport, auth)
    service.good.clear()
    assert get(transport, auth) == 200
    assert service.asked[2:] == ["policy", "token", "policy"]


@pytest.mark.req("F078")
def test_a_refresh_token_is_used_before_the_password(get, clock):
    service, auth = Service(refreshable=True), password_grant(clock)
    transport = httpx.MockTransport(service)
    get(transport, auth)
    clock.advance(timedelta(hours=1))
    assert get(transport, auth) == 200
    assert [body["grant_type"] for body in service.bodies] == ["password", "refresh_token"]


def test_a_refused_refresh_token_falls_back_on_the_password(get, clock):
    service, auth = Service(refreshable=True), password_grant(clock)
    transport = httpx.MockTransport(service)
    get(transport, auth)
    service.spent.add("refresh-1")
    clock.advance(timedelta(hours=1))
    assert get(transport, auth) == 200
    kinds = [body["grant_type"] for body in service.bodies]
    assert kinds == ["password", "refresh_token", "password"]


def test_a_rotated_refresh_token_is_handed_to_its_keeper(get, clock):
    kept: list[str] = []
    service = Service(refreshable=True)
    auth = RefreshGrant(url=TOKEN_URL, refresh_token="refresh-0", keep=kept.append, clock=clock)
    transport = httpx.MockTransport(service)
    assert get(transport, auth) == 200
    clock.advance(timedelta(hours=1))
    assert get(transport, auth) == 200
    assert kept == ["refresh-1", "refresh-2"]


@pytest.mark.req("F078")
def test_a_certificate_buys_a_code_and_the_code_a_token(get, clock):
    service = Service()
    auth = CertificateCodeGrant(
        url=TOKEN_URL,
        authorize_url="https://dss.test:4430/STS/oauth/authorize/certificate",
        client_id="mis",
        clock=clock,
    )
    assert get(httpx.MockTransport(service), auth) == 200
    assert service.asked == ["certificate", "token", "policy"]
    assert service.bodies[0]["grant_type"] == "authorization_code"
    assert service.bodies[0]["code"] == "code-1"


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.test/?code=code-1",
        "https://evil.test/?error=access_denied",
        "urn:ietf:wg:oauth:2.0:oob:auto",
    ],
)
def test_a_code_that_does_not_come_to_our_address_is_not_used(get, clock, location):
    answer = httpx.Response(302, headers={"Location": location})
    auth = CertificateCodeGrant(url=TOKEN_URL, authorize_url=TOKEN_URL, clock=clock)
    with pytest.raises(UnexpectedAnswer):
        get(httpx.MockTransport(lambda _: answer), auth)


def test_a_refusal_in_the_place_of_a_code_says_its_reason(get, clock):
    location = "urn:ietf:wg:oauth:2.0:oob:auto?error=access_denied"
    answer = httpx.Response(302, headers={"Location": location})
    auth = CertificateCodeGrant(url=TOKEN_URL, authorize_url=TOKEN_URL, clock=clock)
    with pytest.raises(SignInRefused) as refused:
        get(httpx.MockTransport(lambda _: answer), auth)
    assert refused.value.problem == "access_denied"


def test_a_refusal_of_the_token_service_says_its_code(get, clock):
    with pytest.raises(SignInRefused) as refused:
        get(httpx.MockTransport(Service()), password_grant(clock, password="wrong"))
    assert (refused.value.status, refused.value.problem) == (400, "invalid_grant")
    assert "логин и пароль не подходят" in refused.value.diagnostics()


@pytest.mark.parametrize(
    "answer, problem",
    [
        (
            {"json": {"error": "invalid_client", "error_description": "user doctor"}},
            "invalid_client",
        ),
        ({"json": {"error": 7}}, "http-401"),
        ({"json": {"error": "correct horse is not the password of doctor"}}, "http-401"),
        ({"json": {"error": "invalid_grant", "title": "no doctor"}}, "http-401"),
        ({"json": {"error": "invalid_grant", "titleRu": "нет doctor"}}, "http-401"),
        ({"json": {"error": "invalid_grant", "requestId": "doctor-17"}}, "http-401"),
        ({"json": ["error"]}, "http-401"),
        ({"text": "<html>doctor</html>"}, "http-401"),
        ({"content": b"\xff"}, "http-401"),
    ],
)
def test_whatever_body_a_refusal_has_it_is_typed_and_quotes_nothing(get, clock, answer, problem):
    service = httpx.MockTransport(lambda _: httpx.Response(401, **answer))
    with pytest.raises(SignInRefused) as refused:
        get(service, password_grant(clock))
    assert refused.value.problem == problem
    shown = "".join(traceback.format_exception(refused.value)) + refused.value.diagnostics()
    assert not [secret for secret in ("doctor", "correct horse") if secret in shown]


@pytest.mark.parametrize(
    "body",
    [
        '{"access_token": {"correct horse": 1}}',
        '{"access_token": "correct horse", "expires_in": "doctor"}',
        '{"access_token": "correct horse", "token_type": "doctor"}',
        '{"access_token": "correct horse\\n"}',
        '{"correct horse": "doctor"}',
        "correct horse, doctor",
    ],
)
def test_an_answer_that_is_no_token_is_not_quoted(get, clock, body):
    service = httpx.MockTransport(lambda _: httpx.Response(200, text=body))
    with pytest.raises(UnexpectedAnswer) as refused:
        get(service, password_grant(clock))
    shown = "".join(traceback.format_exception(refused.value)) + refused.value.diagnostics()
    assert not [secret for secret in ("doctor", "correct horse") if secret in shown]


def test_the_words_of_a_token_service_that_quote_nothing_are_passed_on(get, clock):
    words = {"code": "account-locked", "title": "Locked", "titleRu": "Вход закрыт до утра"}
    service = httpx.MockTransport(lambda _: httpx.Response(403, json=words))
    with pytest.raises(SignInRefused, match="403 account-locked: Locked") as refused:
        get(service, password_grant(clock))
    assert "Вход закрыт до утра (код account-locked)" in refused.value.diagnostics()


def test_a_login_that_is_part_of_a_word_is_not_quoted_by_that_word(get, clock):
    with pytest.raises(SignInRefused) as refused:
        get(httpx.MockTransport(Service()), password_grant(clock, username="d", password="wrong"))
    assert refused.value.problem == "invalid_grant"


def test_a_token_service_that_is_busy_says_when_to_come_again(get, clock):
    busy = httpx.Response(503, headers={"Retry-After": "7"})
    with pytest.raises(SignInRefused) as refused:
        get(httpx.MockTransport(lambda _: busy), password_grant(clock))
    assert refused.value.retry_after == 7
    assert "служба входа отказала (код http-503)" in refused.value.diagnostics()


def test_a_refused_password_is_not_tried_again_at_once_lest_the_account_be_locked(get, clock):
    service, auth = Service(), password_grant(clock, password="wrong")
    for _ in range(5):
        with pytest.raises(SignInRefused) as refused:
            get(httpx.MockTransport(service), auth)
        assert refused.value.problem == "invalid_grant"
    assert service.asked == ["token"]
    clock.advance(timedelta(minutes=1))
    with pytest.raises(SignInRefused):
        get(httpx.MockTransport(service), auth)
    assert service.asked == ["token", "token"]


def test_another_password_out_of_the_vault_is_tried_at_once(get, clock):
    passwords = iter(["wrong", "correct horse"])
    service, auth = Service(), password_grant(clock, password=lambda: next(passwords))
    with pytest.raises(SignInRefused):
        get(httpx.MockTransport(service), auth)
    assert get(httpx.MockTransport(service), auth) == 200


def test_a_busy_token_service_is_asked_again_at_once(get, clock):
    answers = iter([503, 200])

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("token"):
            return httpx.Response(next(answers), json={"access_token": "access"})
        return httpx.Response(200)

    auth = password_grant(clock)
    with pytest.raises(SignInRefused):
        get(httpx.MockTransport(answer), auth)
    assert get(httpx.MockTransport(answer), auth) == 200


def test_a_refused_refresh_token_is_not_shown_twice(get, clock):
    service = Service(spent={"refresh-0"})
    auth = RefreshGrant(url=TOKEN_URL, refresh_token="refresh-0", clock=clock)
    for _ in range(2):
        with pytest.raises(SignInRefused):
            get(httpx.MockTransport(service), auth)
    assert len(service.bodies) == 1


def test_a_refresh_token_that_another_process_renewed_is_found_in_the_vault(get, clock):
    kept = ["refresh-0"]
    service = Service(refreshable=True)
    here, there = (
        RefreshGrant(url=TOKEN_URL, refresh_token=lambda: kept[-1], keep=kept.append, clock=clock)
        for _ in range(2)
    )
    transport = httpx.MockTransport(service)
    assert get(transport, here) == 200
    assert get(transport, there) == 200
    clock.advance(timedelta(hours=1))
    assert get(transport, here) == 200
    assert kept == ["refresh-0", "refresh-1", "refresh-2", "refresh-4"]


def test_a_refresh_token_stays_where_no_new_one_comes(get, clock):
    service = Service(refreshable=True)
    auth = RefreshGrant(url=TOKEN_URL, refresh_token="refresh-0", clock=clock)
    transport = httpx.MockTransport(service)
    get(transport, auth)
    service.refreshable = False
    for _ in range(2):
        service.spent.discard("refresh-1")
        clock.advance(timedelta(hours=1))
        assert get(transport, auth) == 200
    assert [body["refresh_token"] for body in service.bodies[1:]] == ["refresh-1"] * 2


def test_a_token_is_at_hand_though_its_successor_could_not_be_kept(get, clock):
    def keep(_: str) -> None:
        raise ConfigError("the vault is shut")

    service = Service(refreshable=True)
    auth = RefreshGrant(url=TOKEN_URL, refresh_token="refresh-0", keep=keep, clock=clock)
    transport = httpx.MockTransport(service)
    with pytest.raises(ConfigError):
        get(transport, auth)
    assert get(transport, auth) == 200
    assert service.asked == ["token", "policy"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_slow_keeper_does_not_stop_the_loop(clock, backend):
    threads: list[int] = []
    auth = RefreshGrant(
        url=TOKEN_URL,
        refresh_token="refresh-0",
        keep=lambda _: threads.append(threading.get_ident()),
        clock=clock,
    )
    assert on(backend)(httpx.MockTransport(Service(refreshable=True)), auth) == 200
    assert len(threads) == 1
    assert threads != [threading.get_ident()]


@pytest.mark.parametrize("kind, good", [("Bearer", True), ("bearer", True), ("mac", False)])
def test_a_token_of_another_type_is_not_used_as_a_bearer_token(get, clock, kind, good):
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"access_token": "access", "token_type": kind})

    if good:
        assert get(httpx.MockTransport(answer), password_grant(clock)) == 200
    else:
        with pytest.raises(UnexpectedAnswer, match="another type"):
            get(httpx.MockTransport(answer), password_grant(clock))


def test_a_token_with_no_text_is_an_unexpected_answer(get, clock):
    answer = httpx.MockTransport(lambda _: httpx.Response(200, json={"access_token": ""}))
    with pytest.raises(UnexpectedAnswer):
        get(answer, password_grant(clock))


def test_a_token_is_renewed_a_little_before_its_end(get, clock):
    service, auth = Service(seconds=300), password_grant(clock)
    transport = httpx.MockTransport(service)
    get(transport, auth)
    clock.advance(timedelta(seconds=269))
    get(transport, auth)
    assert service.asked.count("token") == 1
    clock.advance(timedelta(seconds=1))
    get(transport, auth)
    assert service.asked.count("token") == 2


def test_the_time_of_a_token_begins_when_it_is_asked_for(get, clock):
    service, auth = Service(seconds=300), password_grant(clock)

    def slow(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("token"):
            clock.advance(timedelta(seconds=200))
        return service(request)

    get(httpx.MockTransport(slow), auth)
    clock.advance(timedelta(seconds=70))
    get(httpx.MockTransport(slow), auth)
    assert service.asked.count("token") == 2


def test_a_service_that_takes_no_token_is_asked_twice_and_no_more(get, clock):
    service, auth = Service(), password_grant(clock)
    get(httpx.MockTransport(service), auth)
    asked: list[str] = []

    def deaf(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path.rsplit("/", 1)[-1])
        return service(request) if asked[-1] == "token" else httpx.Response(401)

    assert get(httpx.MockTransport(deaf), auth) == 401
    assert asked == ["policy", "token", "policy"]
    for _ in range(5):
        assert get(httpx.MockTransport(deaf), auth) == 401
    assert asked.count("token") == 1
    clock.advance(timedelta(minutes=1))
    assert get(httpx.MockTransport(deaf), auth) == 401
    assert asked.count("token") == 2


def test_one_place_that_takes_no_token_does_not_keep_the_others_from_a_new_one(get, clock):
    service, auth = Service(), password_grant(clock)

    def deaf(request: httpx.Request) -> httpx.Response:
        return service(request) if "token" in request.url.path else httpx.Response(401)

    assert get(httpx.MockTransport(deaf), auth) == 401
    clock.advance(timedelta(minutes=1))
    service.good.clear()
    assert get(httpx.MockTransport(service), auth) == 200


def test_two_programs_that_take_each_others_sessions_away_both_go_on(get, clock):
    service = Service()
    here, there = password_grant(clock), password_grant(clock)
    for _ in range(5):
        assert get(httpx.MockTransport(service), here) == 200
        assert get(httpx.MockTransport(service), there) == 200


@pytest.mark.parametrize(
    "text", ["", "key\n", " key", "ключ", "k\0", "line\r\nX-Role: owner"], ids=ascii
)
@pytest.mark.parametrize("kind", [partial(Token, "N3"), partial(ApiKey, "X-API-Key")])
def test_a_secret_that_fits_into_no_field_is_refused_without_being_quoted(get, kind, text):
    answer = httpx.MockTransport(lambda _: httpx.Response(200))
    with pytest.raises(ConfigError) as refused:
        get(answer, kind(text))
    shown = "".join(traceback.format_exception(refused.value))
    assert not text.strip() or text.strip() not in str(refused.value)
    assert "Illegal header" not in shown


def test_a_vault_that_fails_is_a_fault_of_the_settings_and_nothing_is_sent(get):
    def vault() -> str:
        raise OSError("no route to the vault")

    seen: list[httpx.Request] = []
    with pytest.raises(ConfigError, match="OSError"):
        get(
            httpx.MockTransport(lambda r: seen.append(r) or httpx.Response(200)), Token("N3", vault)
        )
    assert seen == []


@pytest.mark.parametrize("given", [None, b"secret", ""])
def test_a_vault_that_gives_no_text_is_told_as_such_without_the_secret(get, given):
    with pytest.raises(ConfigError, match=type(given).__name__) as refused:
        get(httpx.MockTransport(lambda _: httpx.Response(200)), Token("N3", lambda: given))
    assert "secret'" not in str(refused.value)


def test_an_error_that_the_vault_typed_itself_comes_out_as_it_is(get):
    def vault() -> str:
        raise ConfigError("no secret of this name")

    with pytest.raises(ConfigError, match="of this name"):
        get(httpx.MockTransport(lambda _: httpx.Response(200)), Token("N3", vault))


def test_a_token_that_is_no_token_is_an_unexpected_answer(get, clock):
    answer = httpx.MockTransport(lambda _: httpx.Response(200, json={"access_token": 1}))
    with pytest.raises(UnexpectedAnswer):
        get(answer, password_grant(clock))


@pytest.mark.parametrize("status", [200, 401], ids=["of a token", "of a refusal"])
def test_an_endless_answer_is_cut_off(get, clock, status):
    class Endless(httpx.SyncByteStream, httpx.AsyncByteStream):
        closed = False

        def __iter__(self):
            while not self.closed:
                yield b"x" * 4096

        async def __aiter__(self):
            for chunk in self:
                yield chunk

        async def aclose(self):
            self.closed = True

    service, auth = Service(), password_grant(clock)
    get(httpx.MockTransport(service), auth)

    def answer(request: httpx.Request) -> httpx.Response:
        if status == 401 or request.url.path.endswith("token"):
            return httpx.Response(status, stream=Endless())
        return httpx.Response(401)

    with pytest.raises(BudgetExceeded):
        get(httpx.MockTransport(answer), auth)


def test_a_packed_token_is_refused_before_it_is_unpacked(get, clock):
    packed = httpx.Response(
        200, headers={"Content-Encoding": "gzip, gzip"}, stream=httpx.ByteStream(b"bomb")
    )
    with pytest.raises(UnexpectedAnswer):
        get(httpx.MockTransport(lambda _: packed), password_grant(clock))


def test_threads_share_one_renewal(clock):
    service = Service(refreshable=True)
    auth = RefreshGrant(url=TOKEN_URL, refresh_token="refresh-0", clock=clock)
    transport = httpx.MockTransport(service)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: blocking(transport, auth), range(32)))
    assert answers == [200] * 32
    assert service.asked.count("token") == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_tasks_share_one_renewal(clock, backend):
    service = Service(refreshable=True)
    auth = RefreshGrant(url=TOKEN_URL, refresh_token="refresh-0", clock=clock)

    async def slow(request: httpx.Request) -> httpx.Response:
        await anyio.lowlevel.checkpoint()
        return service(request)

    async def crowd() -> None:
        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(slow), auth=auth) as http,
            anyio.create_task_group() as tasks,
        ):
            for _ in range(16):
                tasks.start_soon(http.get, "https://dss.test/policy")

    anyio.run(crowd, backend=backend)
    assert service.asked.count("token") == 1


@pytest.mark.req("F193")
@pytest.mark.parametrize(
    "auth, header, value",
    [
        (Token("N3", "key-of-the-clinic"), "Authorization", "N3 key-of-the-clinic"),
        (ApiKey("X-API-Key", "key-of-the-clinic"), "X-API-Key", "key-of-the-clinic"),
    ],
    ids=["N3 token", "API key"],
)
def test_a_fixed_secret_goes_into_its_field(get, auth, header, value):
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers[header])
        return httpx.Response(200)

    get(httpx.MockTransport(answer), auth)
    assert seen == [value]


def test_a_secret_is_fetched_at_each_use_so_that_rotation_is_seen(get):
    tokens = iter(["monday", "tuesday"])
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Authorization"])
        return httpx.Response(200)

    auth = Token("Bearer", lambda: next(tokens))
    get(httpx.MockTransport(answer), auth)
    get(httpx.MockTransport(answer), auth)
    assert seen == ["Bearer monday", "Bearer tuesday"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_slow_vault_does_not_stop_the_loop(backend):
    threads: list[int] = []

    def vault() -> str:
        threads.append(threading.get_ident())
        return "secret"

    on(backend)(httpx.MockTransport(lambda _: httpx.Response(200)), Token("Bearer", vault))
    assert threads != [threading.get_ident()]


class Vault:
    """The vault of a vendor."""

    def secret(self, name: str) -> str:
        return f"secret of {name}"


def test_an_endpoint_names_its_secret_in_the_vault():
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Authorization"])
        return httpx.Response(200, json={"items": []})

    config = Config(services={"ca": Endpoint(url="https://ca.test", credential="ca/token")})
    with MedSign(config, transport=httpx.MockTransport(answer), credentials=Vault()) as window:
        assert list(window.ca.certificates()) == []
    assert seen == ["Bearer secret of ca/token"]


def test_a_named_secret_without_a_vault_is_refused_when_the_service_is_used():
    config = Config(services={"ca": Endpoint(url="https://ca.test", credential="ca/token")})
    with MedSign(config) as window, pytest.raises(ConfigError, match="vault"):
        window.ca.certificates()


def test_no_secret_shows(get, clock):
    auths: list[Authorisation] = [
        password_grant(clock),
        RefreshGrant(url=TOKEN_URL, refresh_token="refresh-0", clock=clock),
        Token("N3", "key-of-the-clinic"),
        ApiKey("X-API-Key", "key-of-the-clinic"),
    ]
    for auth in auths[:2]:
        get(httpx.MockTransport(Service(refreshable=True)), auth)
    assert not [secret for secret in SECRETS for auth in auths if secret in repr(auth)]
