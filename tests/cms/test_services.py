"""What goes along to the services of the settings, and what does not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import anyio
import attrs
import httpx
import pytest

from medsign.cms import DEFAULT, Evidence, sign
from medsign.cms.client import AsyncPki
from medsign.cms.client import Pki as PkiService
from medsign.cms.context import PkiContext
from medsign.cms.services import gathered
from medsign.errors import MedsignError, NotAuthentic
from medsign.exchange import AsyncDriver, Driver, RetryPolicy
from medsign.pki.fetch import FollowUrls
from medsign.pki.issuing import ROOT_CA, issue_root, subject_name
from medsign.sandbox import Sandbox
from medsign.sandbox.pki import Authority, Pki
from medsign.signers import Gateway, SoftwareKey
from medsign.transport import PasswordGrant, Token, UrlGuard, new_async_client, new_client

NOON = datetime(2026, 7, 1, 9, tzinfo=UTC)
OWN = "https://pki.clinic.test"


@pytest.mark.parametrize(
    "url, fields",
    [
        (f"{OWN}/lists/ca.crl", {"authorization", "x-clinic"}),
        ("http://pki.clinic.test/lists/ca.crl", set()),
        ("https://pki.clinic.test:8443/lists/ca.crl", set()),
        ("http://crl.authority.test/ca.crl", set()),
    ],
)
def test_the_token_of_the_clinic_goes_to_its_own_host_alone(url, fields):
    seen: list[set[str]] = []

    def serve(request: httpx.Request) -> httpx.Response:
        seen.append(set(request.headers) & {"authorization", "x-clinic"})
        return httpx.Response(404)

    context = PkiContext(
        service="pki",
        base_url=OWN,
        auth=Token("Bearer", "secret"),
        headers={"X-Clinic": "999"},
        crl_urls=(url,),
    )
    with httpx.Client(transport=httpx.MockTransport(serve)) as http:
        Driver(http).run(gathered(context, Evidence(signature=b""), DEFAULT, NOON))
    assert seen == [fields]


@attrs.define
class Host:
    """A web server of the loopback that notes what it is told of the clinic."""

    status: int = 404
    location: str = ""
    asked: list[str] = attrs.field(factory=list[str])
    told: set[str] = attrs.field(factory=set[str])
    url: str = ""


CLINIC = {"authorization", "x-clinic", "x-api-key", "cookie", "signature", "signature-input"}


@pytest.fixture
def hosts() -> Iterator[tuple[Host, Host]]:
    """Return the clinic's own host and a foreign one."""
    own, foreign = Host(), Host()
    servers = [serving(own), serving(foreign)]
    yield own, foreign
    for server in servers:
        server.shutdown()
        server.server_close()


def serving(host: Host) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host.asked.append(self.path)
            host.told |= CLINIC & {name.lower() for name in self.headers}
            self.rfile.read(int(self.headers.get("content-length", "0")))
            self.send_response(host.status)
            self.send_header("Content-Length", "0")
            if host.location:
                self.send_header("Location", host.location)
            self.end_headers()

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    host.url = f"http://127.0.0.1:{server.server_port}"
    return server


def blocking(context: PkiContext, method: str, *args: Any) -> None:
    with new_client() as http, suppress(MedsignError):
        getattr(PkiService(context, Driver(http)), method)(*args)


def awaiting(context: PkiContext, method: str, *args: Any) -> None:
    async def ask() -> None:
        async with new_async_client() as http:
            with suppress(MedsignError):
                await getattr(AsyncPki(context, AsyncDriver(http)), method)(*args)

    anyio.run(ask)


Ask = Callable[..., None]
in_both_colours = pytest.mark.parametrize("ask", [blocking, awaiting])


def own_settings(own: Host, **settings: Any) -> PkiContext:
    return PkiContext(
        service="pki",
        base_url=own.url,
        auth=Token("Bearer", "secret"),
        headers={"X-Clinic": "999"},
        policy=RetryPolicy(attempts=1, total=10, timeout=5),
        **settings,
    )


def a_certificate():
    key = SoftwareKey.generate()
    subject = subject_name(organization="Тестовая клиника")
    return key.certified(issue_root(ROOT_CA, subject=subject, signer=key, not_before=NOON))


CERTIFICATE = a_certificate().certificate
QUESTIONS = {
    "ocsp": ("ocsp_url", ("status", CERTIFICATE, CERTIFICATE)),
    "tsp": ("tsp_url", ("timestamp", b"document")),
}


@in_both_colours
@pytest.mark.parametrize("setting, question", QUESTIONS.values(), ids=QUESTIONS.keys())
def test_a_foreign_service_is_told_nothing_of_the_clinic(
    hosts: tuple[Host, Host], ask: Ask, setting: str, question: Any
) -> None:
    own, foreign = hosts
    ask(own_settings(own, **{setting: f"{foreign.url}/service"}), *question)
    assert (foreign.asked, foreign.told, own.asked) == (["/service"], set(), [])


@in_both_colours
@pytest.mark.parametrize("setting, question", QUESTIONS.values(), ids=QUESTIONS.keys())
def test_the_own_service_gets_the_credentials_meant_for_it(
    hosts: tuple[Host, Host], ask: Ask, setting: str, question: Any
) -> None:
    own, _ = hosts
    ask(own_settings(own, **{setting: f"{own.url}/service"}), *question)
    assert (own.asked, own.told) == (["/service"], {"authorization", "x-clinic"})


@in_both_colours
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("setting, question", QUESTIONS.values(), ids=QUESTIONS.keys())
def test_a_redirect_of_the_own_service_leads_nowhere(
    hosts: tuple[Host, Host], ask: Ask, status: int, setting: str, question: Any
) -> None:
    own, foreign = hosts
    own.status, own.location = status, f"{foreign.url}/elsewhere"
    ask(own_settings(own, **{setting: f"{own.url}/service"}), *question)
    assert (own.asked, foreign.asked) == (["/service"], [])


@in_both_colours
@pytest.mark.parametrize("status", [404, 302])
def test_hosts_that_certificates_name_are_told_nothing_of_the_clinic(
    hosts: tuple[Host, Host], ask: Ask, status: int
) -> None:
    own, foreign = hosts
    foreign.status, foreign.location = status, f"{own.url}/inside" if status == 302 else ""
    port = httpx.URL(foreign.url).port
    guard = UrlGuard(ports=[port], networks=["127.0.0.0/8"], resolve=lambda *_: ["127.0.0.1"])
    with Sandbox(base_url=f"http://pki.test:{port}") as world:
        authorities = world.world.part(Pki)
        doctor = authorities.enrol(Authority.FNS, surname="Тестов", given_names="Иван Ильич")
        settings = own_settings(own, trust=authorities.trust, follow=FollowUrls(guard=guard))
        signature = sign(b"document", doctor, at=world.clock.now())
        ask(settings, "verify", signature, b"document")
        ask(settings, "status", doctor.certificate, authorities.authority(Authority.FNS))
    assert foreign.asked
    assert (foreign.told, own.asked) == (set(), [])


def test_a_password_for_the_own_service_is_not_even_drawn_for_a_foreign_one(
    hosts: tuple[Host, Host],
) -> None:
    own, foreign = hosts
    grant = PasswordGrant(url=f"{own.url}/token", username="doctor", password="correct horse")
    settings = attrs.evolve(own_settings(own, tsp_url=f"{foreign.url}/tsp"), auth=grant)
    blocking(settings, "timestamp", b"document")
    assert (own.asked, foreign.asked) == ([], ["/tsp"])


def test_a_foreign_service_gets_no_signature_of_the_clinic_and_owes_none(
    hosts: tuple[Host, Host],
) -> None:
    own, foreign = hosts
    system = a_certificate()
    gateway = Gateway(signer=system, certificate=system.certificate)
    for url, told in ((foreign.url, set()), (own.url, CLINIC - {"x-api-key", "cookie"})):
        settings = gateway.guard(own_settings(own, tsp_url=f"{url}/tsp"))
        with new_client() as http, pytest.raises(MedsignError) as refused:
            PkiService(settings, Driver(http)).timestamp(b"document")
        host = foreign if url == foreign.url else own
        assert (host.told, isinstance(refused.value, NotAuthentic)) == (told, host is own)
