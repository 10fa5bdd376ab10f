"""One suite for both ways and all colours against the servers of OpenSSL and GnuTLS."""

from __future__ import annotations

import os
import resource
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from http.client import HTTPSConnection
from typing import Any, NoReturn

import anyio
import attrs
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medsign.codec.asn1 import Certificate, oids, pem_encode
from medsign.config import Config
from medsign.errors import (
    ClientRefused,
    ConfigError,
    ConnectionLost,
    PeerExpired,
    PeerMisnamed,
    PeerRevoked,
    PeerUntrusted,
    SuiteRefused,
    TlsRefused,
    UsageError,
)
from medsign.exchange import Driver
from medsign.exchange.effects import Send
from medsign.transport.tls import GostTls, Peer, Suite, status_check

from .conftest import CURVES, DAY, HOST, NOW, Ca, Identity

pytestmark = pytest.mark.interop
MUTUAL = ("-Verify", "1", "-verify_return_error", "-CAfile")
PYTHON_ALONE = "ECDHE-ECDSA-AES128-GCM-SHA256"


@pytest.fixture
def server(ca: Ca) -> Identity:
    return ca.server()


def client(ca: Ca, identity: Identity, **settings: Any) -> GostTls:
    return GostTls(trust=ca.trust, certificate=identity.certificate, key=identity.key, **settings)


@pytest.fixture
def p256(openssl, tmp_path) -> tuple[Ca | bytes, tuple[str, ...]]:
    """Return the PEM of a root of P-256 and the options with which OpenSSL's server serves it."""
    key, certificate = tmp_path / "p256.key", tmp_path / "p256.crt"
    openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-keyout", key, "-out", certificate, "-subj", "/CN=localhost"),
        *("-addext", "subjectAltName=DNS:localhost"),
    )
    return certificate.read_bytes(), ("-cert", str(certificate), "-key", str(key))


# What is spoken


@pytest.mark.req("F118", "F126", "F384")
@pytest.mark.parametrize(
    "suite", [Suite.KUZNYECHIK, Suite.MAGMA, Suite.GOST_28147, Suite.GOST_28147_LEGACY]
)
def test_every_suite_is_spoken(way, suite, ca, server, s_server, ask):
    with s_server(server, "-cipher", suite) as url:
        answer = ask(GostTls(trust=ca.trust, way=way), url)
    assert f"Cipher is {suite}" in answer.text


@pytest.mark.parametrize("kind", CURVES)
def test_every_kind_of_key_proves_both_sides(way, kind, authorities, s_server, ask, tmp_path):
    ca = authorities[kind]
    roots = tmp_path / "roots.pem"
    roots.write_bytes(ca.trust)
    with s_server(ca.server(), *MUTUAL, str(roots)) as url:
        assert ask(client(ca, ca.client(), way=way), url).status_code == 200


def test_every_colour_speaks_with_a_certificate_of_the_client(
    way, ca, server, s_server, ask_in_colour, tmp_path
):
    roots = tmp_path / "roots.pem"
    roots.write_bytes(ca.trust)
    with s_server(server, *MUTUAL, str(roots)) as url:
        answer = ask_in_colour(client(ca, ca.client(), way=way), url)
    assert "Client certificate" in answer.text


# gnutls-serv 3.7 knows only C1,02, and of the curves not those of tc26 with 256 bits.
@pytest.mark.parametrize("kind", ["256-CryptoPro-A", "512-tc26-A"])
def test_gnutls_is_spoken_to(way, kind, authorities, gnutls, ask_in_colour):
    ca = authorities[kind]
    with gnutls(ca.server(), "--disable-client-cert") as url:
        assert "GOST28147-TC26Z-CNT" in ask_in_colour(GostTls(trust=ca.trust, way=way), url).text


@pytest.mark.parametrize("kind", ["256-CryptoPro-A", "512-tc26-A"])
def test_gnutls_accepts_the_client_s_certificate(way, kind, authorities, gnutls, ask, tmp_path):
    ca = authorities[kind]
    roots = tmp_path / "roots.pem"
    roots.write_bytes(ca.trust)
    with gnutls(ca.server(), "--require-client-cert", "--x509cafile", str(roots)) as url:
        assert ask(client(ca, ca.client(), way=way), url).status_code == 200


def test_an_address_in_digits_is_checked_against_the_certificate(way, ca, server, s_server, ask):
    tls = GostTls(trust=ca.trust, way=way)
    with s_server(server) as url:
        assert ask(tls, url.replace("localhost", "127.0.0.1")).status_code == 200
    with s_server(ca.issue("localhost")) as url, pytest.raises(PeerMisnamed):
        ask(tls, url.replace("localhost", "127.0.0.1"))


def test_a_list_that_names_nobody_stands_in_nobody_s_way(way, ca, server, s_server, ask):
    with s_server(server) as url:
        assert ask(GostTls(trust=ca.trust, crls=ca.crl(), way=way), url).status_code == 200


def test_other_suites_are_spoken_only_where_that_is_allowed(
    way, ca, server, s_server, p256, ask_in_colour
):
    trust, options = p256
    with s_server(server, *options, "-cipher", PYTHON_ALONE) as url:
        tls = GostTls(trust=trust, allow_other_suites=True, way=way)
        assert PYTHON_ALONE in ask_in_colour(tls, url).text
        with pytest.raises(TlsRefused):
            ask_in_colour(attrs.evolve(tls, allow_other_suites=False), url)


def test_an_old_server_is_spoken_to_only_on_request(way, ca, server, gnutls, ask):
    tls = GostTls(trust=ca.trust, way=way)
    with gnutls(server, "--disable-client-cert", priority=":%DISABLE_SAFE_RENEGOTIATION") as url:
        with pytest.raises(TlsRefused, match="unsafe legacy renegotiation"):
            ask(tls, url)
        assert ask(attrs.evolve(tls, legacy_renegotiation=True), url).status_code == 200


@pytest.mark.parametrize("allowed", [False, True])
def test_a_server_may_negotiate_anew_only_on_request(way, allowed, ca, server, typed_server):
    context = GostTls(trust=ca.trust, legacy_renegotiation=allowed, way=way).context()
    with (
        typed_server(server) as (keyboard, port),
        socket.create_connection(("127.0.0.1", port), timeout=1) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as connection,
    ):
        keyboard.stdin.write("r\n")  # s_server's command to renegotiate
        keyboard.stdin.flush()
        # Silence is good: the handshake is over, and nobody types an answer.
        with pytest.raises(TimeoutError if allowed else ssl.SSLError):
            connection.recv(1)


def test_a_certificate_that_is_asked_for_by_a_second_handshake_is_given(
    way, ca, server, typed_server, ask_in_colour, tmp_path
):
    """As IIS does when only some of its addresses want one."""
    roots = tmp_path / "roots.pem"
    roots.write_bytes(ca.trust)
    tls = client(ca, ca.client(), legacy_renegotiation=True, way=way)
    options = ("-CAfile", str(roots), "-crlf", "-no_resumption_on_reneg")
    with typed_server(server, *options) as (keyboard, port):

        def type_after(sign: str, text: str) -> None:
            while sign not in keyboard.stdout.readline():
                pass
            keyboard.stdin.write(text)
            keyboard.stdin.flush()

        def type_answer() -> None:
            type_after("User-Agent", "R\n")  # s_server's command to ask for a certificate
            type_after("depth=0", "HTTP/1.1 200 OK\nContent-Length: 4\n\nok\n")

        typist = threading.Thread(target=type_answer, daemon=True)
        typist.start()
        assert ask_in_colour(tls, f"https://{HOST}:{port}/").text == "ok\r\n"
        typist.join(10)


def test_http_client_of_the_standard_library_speaks_too(way, ca, server, s_server):
    with s_server(server) as url:
        connection = HTTPSConnection(
            httpx.URL(url).netloc.decode(), context=GostTls(trust=ca.trust, way=way).context()
        )
        connection.request("GET", "/")
        answer = connection.getresponse()
        assert f"Cipher is {Suite.KUZNYECHIK}" in answer.read().decode()
        connection.close()


# What is refused


REFUSED: dict[str, tuple[type[TlsRefused], Callable[[Ca, Identity], tuple[Identity, Any]]]] = {
    "wrong CA": (PeerUntrusted, lambda ca, own: (own, {"trust": another_root().trust})),
    "wrong host": (PeerMisnamed, lambda ca, own: (ca.issue("other.test"), {})),
    "expired": (
        PeerExpired,
        lambda ca, own: (ca.issue(HOST, not_before=NOW - 9 * DAY, lifetime=8 * DAY), {}),
    ),
    "not yet valid": (PeerExpired, lambda ca, own: (ca.issue(HOST, not_before=NOW + DAY), {})),
    "revoked by a list": (PeerRevoked, lambda ca, own: (own, {"crls": ca.crl(own)})),
    "no list of its CA": (PeerUntrusted, lambda ca, own: (own, {"crls": another_root().crl()})),
    "an old list": (
        PeerUntrusted,
        lambda ca, own: (own, {"crls": ca.crl(next_update=NOW - timedelta(hours=1))}),
    ),
    "revoked by OCSP": (
        PeerRevoked,
        lambda ca, own: (own, {"check": status_check(lambda *_: "revoked")}),
    ),
    "unknown to OCSP": (
        PeerUntrusted,
        lambda ca, own: (own, {"check": status_check(lambda *_: "unknown")}),
    ),
    "no OCSP service": (PeerUntrusted, lambda ca, own: (own, {"check": status_check(nobody)})),
    "a certificate of a client": (PeerUntrusted, lambda ca, own: (ca.client(), {})),
    "no common suite": (
        TlsRefused,
        lambda ca, own: (own, {"suites": (Suite.GOST_28147_LEGACY,)}),
    ),
}


def nobody(*_: Certificate) -> NoReturn:
    raise ConnectionLost("no answer")


def another_root() -> Ca:
    return Ca.on(CURVES["256-tc26-A"])


@pytest.mark.parametrize("case", REFUSED)
def test_a_peer_is_refused_for_its_reason(way, case, ca, server, s_server, ask_in_colour):
    kind, scene = REFUSED[case]
    identity, settings = scene(ca, server)
    tls = GostTls(**{"trust": ca.trust, "way": way} | settings)
    with s_server(identity, "-cipher", Suite.KUZNYECHIK) as url, pytest.raises(kind) as caught:
        ask_in_colour(tls, url)
    assert type(caught.value) is kind
    assert not caught.value.sent


# Lists whose file is followed


def outcome(ask: Callable[[], object]) -> type[TlsRefused] | None:
    try:
        ask()
    except TlsRefused as refused:
        return type(refused)
    return None


def test_a_file_of_lists_is_read_anew_when_it_has_changed(way, ca, server, s_server, tmp_path):
    file = tmp_path / "lists.pem"
    file.write_bytes(ca.crl(next_update=NOW - timedelta(hours=1)))
    transport = GostTls(trust=ca.trust, crls=file, way=way).transport()
    with s_server(server) as url, httpx.Client(transport=transport, timeout=10) as http:

        def ask() -> type[TlsRefused] | None:
            return outcome(lambda: http.get(url))

        assert ask() is PeerUntrusted  # its term is over
        file.write_bytes(ca.crl())
        assert ask() is None
        file.write_bytes(ca.crl(server))
        assert ask() is PeerRevoked


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_event_loops_follow_the_file_of_lists_too(way, backend, ca, server, s_server, tmp_path):
    file = tmp_path / "lists.pem"
    file.write_bytes(ca.crl())
    seen: list[Peer] = []

    async def scene(url: str) -> None:
        transport = GostTls(trust=ca.trust, crls=file, check=seen.append, way=way)
        async with httpx.AsyncClient(transport=transport.async_transport(), timeout=10) as http:
            assert (await http.get(url)).status_code == 200
            file.write_bytes(ca.crl(server))
            with pytest.raises(PeerRevoked):
                await http.get(url)

    with s_server(server) as url:
        anyio.run(scene, url, backend=backend)
    assert len(seen) == 1


@pytest.mark.parametrize(
    "spoil", [lambda file: file.write_bytes(b"half"), lambda file: file.unlink()]
)
def test_a_file_of_lists_that_is_spoilt_leaves_those_that_were_read(
    way, spoil, ca, server, s_server, tmp_path
):
    file = tmp_path / "lists.pem"
    file.write_bytes(ca.crl())
    tls = GostTls(trust=ca.trust, crls=file, way=way)
    with s_server(server) as url, httpx.Client(transport=tls.transport(), timeout=10) as http:
        spoil(file)
        assert http.get(url).status_code == 200
        file.write_bytes(ca.crl(server))
        with pytest.raises(PeerRevoked):
            http.get(url)


def test_the_file_of_lists_in_the_settings_is_followed(ca, tmp_path):
    (tmp_path / "roots.pem").write_bytes(ca.trust)
    (tmp_path / "lists.pem").write_bytes(ca.crl())
    file = tmp_path / "medsign.toml"
    file.write_text(
        "[ca]\nurl = 'https://ca.test'\n[ca.tls]\ntrust = 'roots.pem'\ncrls = 'lists.pem'\n"
    )
    link = Config.from_toml(file).endpoint("ca").tls
    assert isinstance(link, GostTls)
    assert link.crls == tmp_path / "lists.pem"


def test_a_context_that_follows_a_file_refuses_a_certificate_past_the_settings(way, ca, tmp_path):
    file = tmp_path / "lists.pem"
    file.write_bytes(ca.crl())
    context = GostTls(trust=ca.trust, crls=file, way=way).context()
    with pytest.raises(UsageError):
        context.load_cert_chain(tmp_path / "clinic.pem")


def test_a_file_of_lists_that_cannot_be_read_is_told_at_once(ca, tmp_path):
    with pytest.raises(ConfigError):
        GostTls(trust=ca.trust, crls=tmp_path / "lists.pem")


def test_gnutls_is_refused_for_a_wrong_authority(way, ca, server, gnutls, ask):
    with gnutls(server, "--disable-client-cert") as url, pytest.raises(PeerUntrusted):
        ask(GostTls(trust=another_root().trust, way=way), url)


@pytest.mark.parametrize("which", ["s_server", "gnutls"])
def test_a_client_without_its_certificate_is_refused_by_the_server(
    way, which, ca, server, request, ask_in_colour, tmp_path
):
    roots = tmp_path / "roots.pem"
    roots.write_bytes(ca.trust)
    serve = request.getfixturevalue(which)
    options = (
        (*MUTUAL, str(roots))
        if which == "s_server"
        else ("--require-client-cert", "--x509cafile", str(roots))
    )
    with serve(server, *options) as url, pytest.raises(TlsRefused):
        ask_in_colour(GostTls(trust=ca.trust, way=way), url)


@pytest.mark.parametrize("case", ["of another authority", "expired", "of a server"])
def test_a_certificate_of_the_client_that_the_server_refuses_is_told_as_such(
    way, case, ca, server, s_server, ask_in_colour, tmp_path
):
    roots = tmp_path / "roots.pem"
    roots.write_bytes(ca.trust)
    own = {
        "of another authority": lambda: another_root().client(),
        "expired": lambda: ca.issue(
            purpose=oids.CLIENT_AUTH, not_before=NOW - 9 * DAY, lifetime=8 * DAY
        ),
        "of a server": ca.server,
    }[case]()
    with s_server(server, *MUTUAL, str(roots)) as url, pytest.raises(ClientRefused) as caught:
        ask_in_colour(client(ca, own, way=way), url)
    assert not caught.value.sent
    assert "не приняла сертификат клиента" in caught.value.diagnostics()


def test_gnutls_refuses_a_certificate_of_the_client_in_the_same_words(
    way, ca, server, gnutls, ask, tmp_path
):
    roots = tmp_path / "roots.pem"
    roots.write_bytes(ca.trust)
    with (
        gnutls(
            server, "--require-client-cert", "--verify-client-cert", "--x509cafile", str(roots)
        ) as url,
        pytest.raises(ClientRefused),
    ):
        ask(client(ca, another_root().client(), way=way), url)


# Numbers and words of RFC 5246 §7.2.
@pytest.mark.parametrize(
    "number, words, kind",
    [
        (40, "handshake failure", TlsRefused),
        (42, "bad certificate", ClientRefused),
        (44, "certificate revoked", ClientRefused),
        (46, "certificate unknown", ClientRefused),
        (48, "unknown ca", ClientRefused),
        (49, "access denied", ClientRefused),
        (70, "protocol version", TlsRefused),
        (71, "insufficient security", TlsRefused),
        (80, "internal error", TlsRefused),
        (112, "unrecognized name", TlsRefused),
    ],
)
def test_an_alert_instead_of_an_answer_is_told_in_the_words_of_the_standard(
    way, ca, number, words, kind
):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = GostTls(trust=ca.trust, way=way).context()
    connection = context.wrap_bio(incoming, outgoing, server_hostname=HOST)
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()
    incoming.write(bytes.fromhex("15 0303 0002 02") + bytes([number]))
    with pytest.raises(TlsRefused, match=f"the peer ended the TLS handshake: {words}$") as refused:
        connection.do_handshake()
    assert type(refused.value) is kind


def test_a_peer_that_speaks_no_tls_at_all_is_a_refusal(way, ca, ask_in_colour):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def speak() -> None:
            taken, _ = listening.accept()
            with taken, suppress(ConnectionResetError):
                taken.recv(65536)
                taken.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                taken.recv(65536)

        thread = threading.Thread(target=speak, daemon=True)
        thread.start()
        with pytest.raises(TlsRefused, match="wrong version number"):
            ask_in_colour(
                GostTls(trust=ca.trust, way=way),
                f"https://localhost:{listening.getsockname()[1]}",
            )
        thread.join(30)


def test_a_suite_that_is_not_gost_is_found_after_the_handshake(
    ca, server, s_server, p256, python_way
):
    trust, options = p256
    context = GostTls(trust=trust, way=python_way).context()
    context.set_ciphers(PYTHON_ALONE)  # as a careless program does
    with (
        s_server(server, *options, "-cipher", PYTHON_ALONE) as url,
        httpx.Client(verify=context) as http,
        pytest.raises(SuiteRefused),
    ):
        http.get(url)


def test_the_driver_lets_the_reason_through(way, ca, s_server):
    transport = GostTls(trust=ca.trust, way=way).transport()
    with s_server(ca.issue("other.test")) as url, httpx.Client(transport=transport) as http:

        def flow():
            yield Send(request=http.build_request("GET", url), deadline=1e9, max_bytes=100)

        with pytest.raises(PeerMisnamed):
            Driver(http).run(flow())


@pytest.mark.parametrize("host", ["", ".localhost", b".localhost", None])
def test_no_connection_is_made_to_nobody_in_particular(way, ca, host):
    context = GostTls(trust=ca.trust, way=way).context()
    with pytest.raises(ValueError):
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=host).do_handshake()


def test_a_check_that_breaks_leaves_no_connection_open(way, ca, server, s_server, ask_in_colour):
    def broken(_: Peer) -> None:
        raise KeyError

    with s_server(server) as url, pytest.raises(KeyError):
        ask_in_colour(GostTls(trust=ca.trust, check=broken, way=way), url)


def test_nothing_is_written_past_the_checks_by_who_calls_no_handshake(way, ca, server, s_server):
    def refuse(_: Peer) -> NoReturn:
        raise SuiteRefused("for the test")

    context = GostTls(trust=ca.trust, check=refuse, way=way).context()
    with (
        s_server(server) as url,
        socket.create_connection(("127.0.0.1", httpx.URL(url).port), timeout=10) as plain,
        context.wrap_socket(
            plain, server_hostname=HOST, do_handshake_on_connect=False
        ) as connection,
        pytest.raises(SuiteRefused),
    ):
        connection.sendall(b"GET / HTTP/1.1")


def test_buffers_are_written_to_after_the_handshake_only(way, ca):
    context = GostTls(trust=ca.trust, way=way).context()
    connection = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=HOST)
    with pytest.raises(ssl.SSLWantReadError):
        connection.write(b"GET / HTTP/1.1")


def test_a_further_check_sees_a_verified_chain(way, ca, server, s_server, ask_in_colour):
    seen: list[Peer] = []
    with s_server(server) as url:
        ask_in_colour(GostTls(trust=ca.trust, check=seen.append, way=way), url)
    assert seen == [
        Peer(
            host="localhost",
            suite=Suite.KUZNYECHIK,
            chain=(server.signer.certificate, ca.root.certificate),
        )
    ]


# What goes through a connection


@pytest.fixture
def echo(way, ca, server):
    """Return the port of a server of `medsign` that sends back the octets it gets."""
    context = GostTls(certificate=server.certificate, key=server.key, way=way).server_context()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            taken, _ = listening.accept()
            taken.settimeout(10)
            with context.wrap_socket(taken, server_side=True) as connection:
                while data := connection.recv(65536):
                    connection.sendall(data)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.parametrize("size", [0, 1, 16384, 16385, 500_001])
def test_octets_arrive_as_they_were_sent(way, size, ca, echo):
    context = GostTls(trust=ca.trust, way=way).context()
    data = os.urandom(size)
    with (
        socket.create_connection(("127.0.0.1", echo), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        sender = threading.Thread(target=connection.sendall, args=(data,), daemon=True)
        sender.start()
        came = bytearray()
        while len(came) < size:
            came += connection.recv(65536)
        sender.join(10)
    assert came == data


@pytest.fixture
def ending(way, ca, server):
    """Return `ending(end)`: a context with the URL of an answer of unknown length, ended so."""
    context = GostTls(certificate=server.certificate, key=server.key, way=way).server_context()

    @contextmanager
    def serving(end: Callable[[ssl.SSLSocket], object]) -> Iterator[str]:
        def serve() -> None:
            taken, _ = listening.accept()
            taken.settimeout(10)
            with context.wrap_socket(taken, server_side=True) as connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nas far as here")
                end(connection)

        with socket.create_server(("127.0.0.1", 0)) as listening:
            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            yield f"https://{HOST}:{listening.getsockname()[1]}/"
            thread.join(10)
            assert not thread.is_alive()

    return serving


def goodbye(connection: ssl.SSLSocket) -> None:
    with suppress(OSError):  # httpx does not say goodbye in return
        connection.unwrap()


def wrong_record(connection: ssl.SSLSocket) -> None:
    socket.socket.sendall(connection, b"\x17\x03\x03\x00\x20" + bytes(32))
    socket.socket.recv(connection, 1)


def test_an_answer_ends_where_the_peer_says_goodbye(way, ca, ending, ask_in_colour):
    with ending(goodbye) as url:
        assert ask_in_colour(GostTls(trust=ca.trust, way=way), url).text == "as far as here"


@pytest.mark.parametrize("end", [ssl.SSLSocket.close, wrong_record])
def test_an_answer_that_is_cut_off_or_spoilt_is_none(way, end, ca, ending, ask_in_colour):
    with ending(end) as url, pytest.raises(httpx.ReadError):
        ask_in_colour(GostTls(trust=ca.trust, way=way), url)


def test_whoever_says_goodbye_first_waits_for_the_other(way, ca, server):
    serving = GostTls(certificate=server.certificate, key=server.key, way=way).server_context()
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    theirs.settimeout(10)

    def serve() -> None:
        with theirs, serving.wrap_socket(theirs, server_side=True) as connection:
            assert connection.recv(10) == b""
            connection.unwrap()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    context = GostTls(trust=ca.trust, way=way).context()
    with ours, context.wrap_socket(ours, server_hostname=HOST) as connection:
        connection.unwrap()
    thread.join(10)
    assert not thread.is_alive()


@given(octets=st.binary(min_size=1, max_size=200), as_record=st.booleans())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rubbish_instead_of_a_handshake_is_refused_or_not_enough(way, ca, octets, as_record):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = GostTls(trust=ca.trust, way=way).context()
    connection = context.wrap_bio(incoming, outgoing, server_hostname=HOST)
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()
    assert outgoing.pending
    # The head of a handshake record lets the rubbish in one layer deeper.
    incoming.write(b"\x16\x03\x03" + len(octets).to_bytes(2) if as_record else b"")
    incoming.write(octets)
    with pytest.raises((TlsRefused, ssl.SSLWantReadError)):
        connection.do_handshake()
    incoming.write_eof()
    with pytest.raises(TlsRefused):
        connection.do_handshake()


def test_closed_connections_leave_no_memory_behind(way, ca, server):
    serving = GostTls(certificate=server.certificate, key=server.key, way=way).server_context()
    asking = GostTls(trust=ca.trust, way=way).context()

    def handshake() -> None:
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        ends = [
            asking.wrap_bio(to_client, to_server, server_hostname=HOST),
            serving.wrap_bio(to_server, to_client, server_side=True),
        ]
        while ends:
            for end in tuple(ends):
                with suppress(ssl.SSLWantReadError):
                    end.do_handshake()
                    ends.remove(end)

    for _ in range(50):
        handshake()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(200):
        handshake()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 2048  # KiB; a connection that is not freed keeps tens of them


def test_a_silent_server_trips_the_timeout(way, ca):
    context = GostTls(trust=ca.trust, way=way).context()
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        socket.create_connection(silent.getsockname(), timeout=0.2) as plain,
        pytest.raises(TimeoutError),
    ):
        context.wrap_socket(plain, server_hostname="localhost")


def test_a_handshake_that_drips_is_given_up_in_time(way, ca):
    context = GostTls(trust=ca.trust, way=way).context()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            taken, _ = listening.accept()
            with taken, suppress(OSError):
                taken.sendall(b"\x16\x03\x03\x20\x00")
                for _ in range(30):
                    time.sleep(0.1)
                    taken.sendall(b"\x00")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        before = time.monotonic()
        with (
            socket.create_connection(listening.getsockname(), timeout=0.3) as plain,
            pytest.raises(TimeoutError),
        ):
            context.wrap_socket(plain, server_hostname=HOST)
        assert time.monotonic() - before < 2
        thread.join(10)


def test_a_goodbye_in_the_handshake_is_a_refusal(way, ca):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = (
        GostTls(trust=ca.trust, way=way)
        .context()
        .wrap_bio(incoming, outgoing, server_hostname=HOST)
    )
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()
    incoming.write(b"\x15\x03\x03\x00\x02\x01\x00")  # the alert close_notify
    with pytest.raises(TlsRefused):
        connection.do_handshake()


def test_a_server_that_hangs_up_in_the_handshake_is_a_refusal(way, ca, ask_in_colour):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            taken, _ = listening.accept()
            taken.recv(65536)
            taken.close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        with pytest.raises(TlsRefused):
            ask_in_colour(
                GostTls(trust=ca.trust, way=way),
                f"https://localhost:{listening.getsockname()[1]}",
            )
        thread.join(30)


# What is given


@pytest.mark.parametrize("cipher", ["aes-256-cbc", "aes-128-cbc"])
def test_an_encrypted_key_is_opened_by_its_password(
    way, cipher, ca, server, s_server, openssl, ask, tmp_path
):
    identity = ca.client()
    key = openssl(
        *("pkcs8", "-topk8", "-v2", cipher, "-passout", "pass:тайна"), input=identity.key
    ).stdout
    roots = tmp_path / "roots.pem"
    roots.write_bytes(ca.trust)
    tls = GostTls(trust=ca.trust, certificate=identity.certificate, key=key, way=way)
    with s_server(server, *MUTUAL, str(roots)) as url:
        assert ask(attrs.evolve(tls, password="тайна"), url).status_code == 200
    for wrong in ("", "другая"):
        with pytest.raises(ConfigError):
            attrs.evolve(tls, password=wrong).context()


def test_files_are_taken_as_well_and_the_key_may_stand_beside_its_certificate(
    way, ca, server, s_server, ask, tmp_path
):
    roots, whole = tmp_path / "roots.pem", tmp_path / "client.pem"
    roots.write_bytes(ca.trust)
    identity = ca.client()
    whole.write_bytes(identity.key + identity.certificate)
    with s_server(server, *MUTUAL, str(roots)) as url:
        assert ask(GostTls(trust=roots, certificate=whole, way=way), url).status_code == 200


def test_what_opens_no_connection_is_told_before_any(way, ca):
    with pytest.raises(ConfigError, match="no root"):
        GostTls(way=way).context()
    with pytest.raises(ConfigError, match="no suite"):
        GostTls(trust=ca.trust, suites=())
    with pytest.raises(ConfigError, match="needs a certificate"):
        GostTls(trust=ca.trust, way=way).server_context()


def test_a_server_does_not_promise_a_check_that_it_would_not_make(way, server):
    tls = GostTls(certificate=server.certificate, key=server.key, check=lambda _: None, way=way)
    with pytest.raises(ConfigError, match="check"):
        tls.server_context()


def test_an_empty_certificate_is_refused_as_a_setting(way):
    empty = pem_encode("CERTIFICATE", b"")
    with pytest.raises(ConfigError) as refused:
        GostTls(trust=empty, way=way).context()
    assert "None" not in str(refused.value)


def test_no_secret_shows(ca):
    tls = client(ca, ca.client(), password="tajna")
    assert "tajna" not in repr(tls)
    assert "PRIVATE" not in repr(tls)


# What the process notices


def test_a_connection_is_made_after_a_fork(way, ca, server, s_server, ask):
    tls = GostTls(trust=ca.trust, way=way)
    with s_server(server) as url:
        assert ask(tls, url).status_code == 200
        child = os.fork()
        if not child:
            os._exit(0 if ask(tls, url).status_code == 200 else 1)
        assert os.waitpid(child, 0)[1] == 0


def test_threads_connect_at_once(way, ca, server, s_server, ask):
    tls, answers = GostTls(trust=ca.trust, way=way), []
    with s_server(server) as url:
        threads = [
            threading.Thread(target=lambda: answers.append(ask(tls, url).status_code))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert answers == [200] * 8


def test_ordinary_tls_of_the_process_stays_ordinary(way, ca, server, s_server, p256):
    GostTls(trust=ca.trust, way=way).context()
    trust, options = p256
    context = ssl.create_default_context(cadata=trust.decode())
    with s_server(server, *options) as url, httpx.Client(verify=context) as http:
        assert "TLSv1.3" in http.get(url).text


def test_certificates_in_the_chain_are_fully_read(way, ca, server, s_server, ask):
    def check(peer: Peer) -> None:
        assert all(isinstance(each, Certificate) for each in peer.chain)

    with s_server(server) as url:
        ask(GostTls(trust=ca.trust, check=check, way=way), url)
