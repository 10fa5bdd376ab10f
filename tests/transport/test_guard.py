"""Addresses that strangers wrote: every bound of the guard, over real sockets where it matters."""

from __future__ import annotations

import gzip
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import anyio
import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.clock import ManualClock, SystemClock
from medsign.errors import (
    AddressRefused,
    ApiError,
    BudgetExceeded,
    ConnectFailed,
    DeadlineExceeded,
    NotAuthentic,
    TimedOut,
    TransportError,
    UnexpectedAnswer,
)
from medsign.exchange import Answer, AsyncDriver, Context, Driver, Event
from medsign.transport import UrlGuard, new_async_client, new_client
from medsign.transport.guard import guarded, host_of

PUBLIC = "93.184.216.34"
BODY = b"a list"


@attrs.define
class Place:
    """A web server on the loopback that remembers what it was asked."""

    answer: Callable[[BaseHTTPRequestHandler], None] = attrs.field(
        default=lambda handler: reply(handler, BODY)
    )
    seen: list[tuple[str, dict[str, str]]] = attrs.field(factory=list)
    port: int = 0

    def url(self, host: str = "pki.test", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}/ca.crl"


def reply(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def place() -> Iterator[Place]:
    yield from serving(Place())


def serving(place: Place, tls: ssl.SSLContext | None = None) -> Iterator[Place]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
            try:
                place.answer(self)
            except OSError:
                self.close_connection = True

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            return None

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            return None

    with Server(("127.0.0.1", 0), Handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        place.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield place
        server.shutdown()
        thread.join()


def guard(place: Place, *numbers: str, **settings: Any) -> UrlGuard:
    """Return a guard that lets the loopback through, as a clinic may let its own network."""
    found = numbers or ("127.0.0.1",)
    return UrlGuard(
        ports={place.port}, networks=["127.0.0.0/8"], resolve=lambda *_: found, **settings
    )


def only_the_gateway(request: httpx.Request, answer: Answer) -> None:
    """Judge answers as a clinic behind a gateway does; a stranger signs nothing."""
    raise NotAuthentic("missing", "not signed")


@pytest.fixture(params=["blocking", "asyncio", "trio"])
def ask(request: pytest.FixtureRequest) -> Callable[..., bytes]:
    def run(
        url: str, guard: UrlGuard, *, events: list[Event] | None = None, **bounds: Any
    ) -> bytes:
        context = Context(
            service="pki",
            base_url="https://pki.invalid",
            auth=httpx.BasicAuth("clinic", "secret"),
            headers={"X-Clinic": "999"},
            judge=only_the_gateway,
            emit=(events if events is not None else []).append,
        )
        flow = guarded(context, "crl", guard, url, **{"max_bytes": 1000, **bounds})
        if request.param == "blocking":
            with new_client() as http:
                http.headers["Authorization"] = "Bearer secret"
                http.cookies.set("session", "secret")
                return Driver(http).run(flow).body

        async def main() -> bytes:
            async with new_async_client() as http:
                http.headers["Authorization"] = "Bearer secret"
                http.cookies.set("session", "secret")
                return (await AsyncDriver(http).run(flow)).body

        return anyio.run(main, backend=request.param)

    return run


@pytest.mark.parametrize(
    "url",
    [
        "ldap://ca.test/cn=ca",
        "file:///etc/passwd",
        "ftp://ca.test/ca.crl",
        "gopher://ca.test:80/_GET",
        "data:text/plain,x",
        "//ca.test/ca.crl",
        "ca.crl",
        "",
        "http://",
        "http:///ca.crl",
        "http://user@ca.test/",
        "http://user:word@ca.test/",
        "http://ca.test:22/",
        "http://ca.test:0/",
        "http://ca.test:8080/",
        "http://ca.test:99999/",
        "http://ca.test\\@10.0.0.1/",
        "http://ca.test/\r\nHost: x",
        "http://ca .test/",
        "http://ca%2etest/",
        "http://[::1",
        "http://" + "a" * 300 + ".test/",
        "http://ca.test/" + "a" * 2048,
    ],
)
def test_an_address_whose_words_are_out_of_order_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        UrlGuard().admit(url)


def test_a_host_in_russian_letters_is_asked_for_in_ascii() -> None:
    assert UrlGuard().admit("HTTP://УЦ.РФ/ca.crl").raw_host == "уц.рф".encode("idna")


def test_only_the_hosts_on_the_list_are_asked_and_not_those_that_end_alike() -> None:
    picky = UrlGuard(hosts=("crl.ca.test", ".nalog.test"))
    assert picky.admit("http://CRL.ca.test./x").host
    assert picky.admit("http://pki.nalog.test/x").host
    for stranger in ("ca.test", "evilnalog.test", "crl.ca.test.evil.test", "nalog.test"):
        with pytest.raises(AddressRefused, match="not on the list"):
            picky.admit(f"http://{stranger}/x")


def test_a_port_that_was_allowed_is_asked() -> None:
    assert UrlGuard(ports={8080}).admit("http://ca.test:8080/").port == 8080


def test_a_guard_can_do_without_plain_http() -> None:
    with pytest.raises(AddressRefused, match="scheme"):
        UrlGuard(schemes={"https"}).admit("http://ca.test/")


def test_a_scheme_that_nobody_speaks_cannot_be_allowed() -> None:
    with pytest.raises(AddressRefused, match="scheme"):
        UrlGuard(schemes={"ftp"}, ports={21}).admit("ftp://ca.test/")


@pytest.mark.parametrize(
    "number",
    [
        *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.8.8.8", "169.254.169.254"),
        *("172.16.0.1", "172.31.255.255", "192.168.1.1", "192.0.2.1", "198.18.0.1"),
        *("224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "192.88.99.1"),
        *("::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::8.8.8.8", "fe80::1", "fe80::1%2"),
        *("fc00::1", "fd12::1", "ff02::1", "fec0::1", "64:ff9b::a00:1", "64:ff9b:1::1"),
        *("2002:7f00:1::1", "2001::1", "2001:db8::1", "100::1", "3fff::1", "5f00::1"),
        *("nonsense", ""),
    ],
)
def test_a_number_that_is_not_public_is_refused(number: str) -> None:
    strict = UrlGuard(resolve=lambda *_: [number])
    with pytest.raises(AddressRefused, match="not public"):
        strict.addresses(strict.admit("http://ca.test/"))


@pytest.mark.parametrize("number", [PUBLIC, "172.32.0.1", "100.128.0.1", "2a02:6b8::1"])
def test_a_public_number_is_let_through(number: str) -> None:
    open_ = UrlGuard(resolve=lambda *_: [number])
    assert open_.addresses(open_.admit("http://ca.test/")) == (number,)


@given(st.ip_addresses())
def test_whatever_the_standard_library_calls_not_global_is_refused(
    number: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    strict = UrlGuard(resolve=lambda *_: [str(number)])
    try:
        strict.addresses(httpx.URL("http://ca.test/"))
    except AddressRefused:
        return
    assert number.is_global
    assert not number.is_multicast


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1", "[::1]"])
def test_no_other_way_to_write_the_loopback_gets_through(host: str) -> None:
    strict = UrlGuard()
    with pytest.raises((AddressRefused, ConnectFailed)):
        strict.addresses(strict.admit(f"http://{host}/"))


def test_of_mixed_numbers_only_the_public_ones_are_left_and_not_too_many() -> None:
    several = ["10.0.0.1", PUBLIC, "::1", "8.8.8.8", "8.8.4.4", PUBLIC, "9.9.9.9"]
    mixed = UrlGuard(resolve=lambda *_: several, max_addresses=2)
    assert mixed.addresses(mixed.admit("http://ca.test/")) == (PUBLIC, "8.8.8.8")


@pytest.mark.parametrize("failure", [OSError, UnicodeError, None])
def test_a_name_that_is_not_found_is_no_connection(failure: type[Exception] | None) -> None:
    def resolve(*_: object) -> list[str]:
        if failure:
            raise failure
        return []

    lost = UrlGuard(resolve=resolve)
    with pytest.raises(ConnectFailed):
        lost.addresses(lost.admit("http://ca.test/"))


def test_the_loopback_is_asked_only_when_it_was_allowed(place: Place, ask: Any) -> None:
    closed = attrs.evolve(guard(place), networks=())
    with pytest.raises(AddressRefused, match="not public"):
        ask(place.url(), closed)
    assert place.seen == []
    assert ask(place.url(), guard(place)) == BODY
    assert place.seen[0][1]["host"] == f"pki.test:{place.port}"


def test_a_name_that_changes_its_mind_is_looked_up_once() -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]])
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(200, content=BODY)

    fickle = UrlGuard(resolve=lambda *_: next(answers))
    context = Context(service="pki", base_url="https://pki.invalid")
    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        Driver(http).run(guarded(context, "crl", fickle, "http://ca.test/", max_bytes=99))
        assert asked == [PUBLIC]
        with pytest.raises(AddressRefused):
            Driver(http).run(guarded(context, "crl", fickle, "http://ca.test/", max_bytes=99))
    assert asked == [PUBLIC]


def test_the_connection_goes_to_the_number_that_was_looked_at(place: Place, ask: Any) -> None:
    # nobody on this machine knows the name, so only the number can have led there
    assert ask(place.url("no-such-host.invalid"), guard(place)) == BODY


def test_a_number_that_is_dead_gives_way_to_the_next(place: Place, ask: Any) -> None:
    assert ask(place.url(), guard(place, "127.0.0.2", "127.0.0.1")) == BODY
    with pytest.raises(ConnectFailed):
        ask(place.url(), guard(place, "127.0.0.2", "127.0.0.3"))


def test_all_numbers_of_a_host_share_one_span_of_time() -> None:
    clock = ManualClock(datetime(2026, 6, 25, tzinfo=UTC))
    allowed: list[float] = []

    def silent(request: httpx.Request) -> httpx.Response:
        allowed.append(request.extensions["timeout"]["connect"])
        clock.advance(timedelta(seconds=4))
        raise httpx.ConnectTimeout("")

    numbers = [f"93.184.216.{last}" for last in range(34, 40)]
    guard = UrlGuard(resolve=lambda *_: numbers)
    context = Context(service="pki", base_url="https://pki.test", clock=clock)
    asked = guarded(context, "crl", guard, "http://ca.test/crl", seconds=10.0, max_bytes=10)
    with (
        httpx.Client(transport=httpx.MockTransport(silent)) as http,
        pytest.raises((ConnectFailed, DeadlineExceeded)),
    ):
        Driver(http, clock=clock).run(asked)
    assert allowed == [10.0, 6.0, 2.0]


def test_nothing_of_the_clinic_goes_along(place: Place, ask: Any) -> None:
    ask(place.url(), guard(place))
    fields = place.seen[0][1]
    assert fields.keys() == {"host", "accept", "accept-encoding", "connection"}
    assert fields["accept-encoding"] == "identity"


def test_a_redirect_is_not_followed(place: Place, ask: Any) -> None:
    place.answer = lambda handler: reply(handler, b"", 302, Location="http://127.0.0.1/secret")
    with pytest.raises(UnexpectedAnswer, match="302"):
        ask(place.url(), guard(place))
    assert len(place.seen) == 1


def test_an_answer_that_is_too_large_is_given_up(place: Place, ask: Any) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * 4096)

    place.answer = endless
    with pytest.raises(BudgetExceeded):
        ask(place.url(), guard(place), max_bytes=10_000)


@pytest.mark.parametrize("layers", [1, 3])
def test_a_compressed_answer_is_refused_before_it_is_unpacked(
    place: Place, ask: Any, layers: int
) -> None:
    bomb = b"\0" * 10_000_000
    for _ in range(layers):
        bomb = gzip.compress(bomb)
    coding = ", ".join(["gzip"] * layers)
    place.answer = lambda handler: reply(handler, bomb, Content_Encoding=coding)
    with pytest.raises(UnexpectedAnswer, match="compressed"):
        ask(place.url(), guard(place), max_bytes=100_000_000)


def test_an_answer_that_drips_is_given_up_in_time(place: Place, ask: Any) -> None:
    enough = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not enough.wait(0.05):
            handler.wfile.write(b"x")

    place.answer = drip
    try:
        with pytest.raises(TimedOut):
            ask(place.url(), guard(place), seconds=0.3)
    finally:
        enough.set()


def drip_head(handler: BaseHTTPRequestHandler, enough: threading.Event) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not enough.wait(0.05):
        handler.wfile.write(b"x")


def test_a_head_that_drips_is_cut_in_time(place: Place, ask: Any) -> None:
    enough = threading.Event()
    place.answer = partial(drip_head, enough=enough)
    began = SystemClock().monotonic()
    try:
        with pytest.raises(TransportError):
            ask(place.url(), guard(place), seconds=0.3)
    finally:
        enough.set()
    assert SystemClock().monotonic() - began < 5


def test_a_silent_host_is_given_up_in_time_and_not_asked_again(place: Place, ask: Any) -> None:
    enough = threading.Event()
    place.answer = lambda _: enough.wait(5) and None
    try:
        with pytest.raises(TimedOut):
            ask(place.url(), guard(place), seconds=0.2)
    finally:
        enough.set()
    assert len(place.seen) == 1


def test_a_refusal_of_the_host_is_typed_and_not_repeated(place: Place, ask: Any) -> None:
    place.answer = lambda handler: reply(handler, b"", 503)
    with pytest.raises(ApiError):
        ask(place.url(), guard(place))
    assert len(place.seen) == 1


def test_a_question_is_posted_with_its_type(place: Place, ask: Any) -> None:
    ask(place.url(), guard(place), method="POST", content=b"?", content_type="application/x")
    assert place.seen[0][1]["content-type"] == "application/x"


def test_requests_are_told_like_all_others_and_without_the_address(place: Place, ask: Any) -> None:
    events: list[Event] = []
    ask(place.url(), guard(place), events=events)
    assert [type(each).__name__ for each in events] == ["RequestSent", "ResponseReceived"]
    assert "pki.test" not in repr(events)


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return contexts of a server called ``pki.test`` and of a client that trusts it."""
    x509 = pytest.importorskip("cryptography.x509", reason="cryptography is not installed")
    from datetime import UTC, datetime

    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pki.test")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2099, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("pki.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    file = tmp_path_factory.mktemp("tls") / "pki.pem"
    file.write_bytes(
        pem
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    client = ssl.create_default_context(cadata=pem.decode())
    return server, client


def test_over_tls_the_certificate_must_be_of_the_host_and_not_of_the_number(
    identity: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    server, client = identity
    context = Context(service="pki", base_url="https://pki.invalid")
    for place in serving(Place(), server):
        with httpx.Client(verify=client, trust_env=False) as http:

            def fetch(
                host: str, place: Place = place, http: httpx.Client = http, seconds: float = 5
            ) -> bytes:
                url = place.url(host, "https")
                flow = guarded(context, "crl", guard(place), url, max_bytes=99, seconds=seconds)
                return Driver(http).run(flow).body

            assert fetch("pki.test") == BODY
            enough = threading.Event()
            place.answer = partial(drip_head, enough=enough)
            with pytest.raises(TransportError):
                fetch("pki.test", seconds=0.3)
            enough.set()
            with pytest.raises(ConnectFailed):
                fetch("other.test")


@given(st.text())
def test_any_text_names_a_host_or_none(text: str) -> None:
    assert host_of(text).isascii()
