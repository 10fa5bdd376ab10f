"""The one window: both colours reach every service, and who constructs, closes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import attrs
import httpx
import pytest

from medsign import AsyncMedSign, Config, Endpoint, MedSign, watched
from medsign.ca import ca_context
from medsign.clock import SystemClock
from medsign.cms import WITH_STAMP, Indication, SubIndication
from medsign.cms.client import AsyncPki
from medsign.cms.client import Pki as PkiService
from medsign.errors import ConfigError, StoreError, TransportError, UnexpectedAnswer, UsageError
from medsign.exchange import Context, Event, RequestSent
from medsign.identifiers import CardNumber
from medsign.sandbox import Fault, FaultKind, Sandbox
from medsign.sandbox.pki import Authority, Pki
from medsign.sandbox.remote import Remote
from medsign.signers import SoftwareSigner
from medsign.store import MemoryStore
from medsign.transport.tls import GostGateway
from medsign.watch import Notice

DOCUMENT = "Протокол осмотра".encode()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as world:
        yield world


@pytest.fixture
def doctor(sandbox: Sandbox) -> SoftwareSigner:
    return sandbox.world.part(Pki).enrol(
        Authority.COMMERCIAL,
        common_name="Тестов Иван Ильич",
        surname="Тестов",
        given_names="Иван Ильич",
    )


@pytest.mark.req("F053", "F055", "F068", "F175", "F178", "F423", "F006")
def test_every_service_is_reached_through_one_window(sandbox: Sandbox) -> None:
    with sandbox.connect() as window:
        assert list(window.ca.certificates()) == []
        assert window.mchd.generate_number()
        assert list(window.sep.documents()) == []
        assert not window.gosuslugi.check_kit([], "registration").accepted
        assert window.ekp.context.service == "ekp"


@pytest.mark.req("F011", "F137", "F152")
def test_a_document_is_signed_with_a_stamp_and_verified_with_fetched_status(
    sandbox: Sandbox, doctor: SoftwareSigner
) -> None:
    with sandbox.connect() as window:
        signature = window.pki.sign(DOCUMENT, doctor)
        verification = window.pki.verify(signature, DOCUMENT, policy=WITH_STAMP)
    assert verification.report.passed
    assert verification.report.signers[0].proved_by == "time stamp"
    assert verification.ocsp_responses


@pytest.mark.req("F059")
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_async_window_does_the_same(
    sandbox: Sandbox, doctor: SoftwareSigner, backend: str
) -> None:
    async def day() -> bool:
        async with sandbox.async_connect() as window:
            signature = await window.pki.sign(DOCUMENT, doctor)
            verification = await window.pki.verify(signature, DOCUMENT, policy=WITH_STAMP)
            assert [one async for one in window.sep.documents()] == []
            return verification.report.passed

    assert anyio.run(day, backend=backend)


@pytest.mark.req("F455")
def test_a_changed_document_is_refused(sandbox: Sandbox, doctor: SoftwareSigner) -> None:
    with sandbox.connect() as window:
        signature = window.pki.sign(DOCUMENT, doctor)
        report = window.pki.verify(signature, DOCUMENT + b"!").report
    assert report.indication is Indication.TOTAL_FAILED


@pytest.mark.req("F150")
def test_a_revoked_certificate_is_noticed_at_once(sandbox: Sandbox, doctor: SoftwareSigner) -> None:
    authorities = sandbox.world.part(Pki)
    with sandbox.connect() as window:
        signature = window.pki.sign(DOCUMENT, doctor, stamped=False)
        assert window.pki.verify(signature, DOCUMENT).report.passed
        sandbox.clock.advance(timedelta(minutes=1))
        authorities.change(f"{doctor.certificate.serial_number:x}", "revoke", "keyCompromise")
        sandbox.clock.advance(timedelta(minutes=1))
        report = window.pki.verify(signature, DOCUMENT).report
    assert not report.passed
    assert report.sub_indication in {SubIndication.REVOKED, SubIndication.REVOKED_NO_POE}


def test_nobody_is_trusted_by_default(sandbox: Sandbox, doctor: SoftwareSigner) -> None:
    with sandbox.connect() as window:
        signature = window.pki.sign(DOCUMENT, doctor, stamped=False)
        config = window.config
    with MedSign(config, transport=sandbox.transport()) as stranger:
        report = stranger.pki.verify(signature, DOCUMENT).report
    assert report.sub_indication is SubIndication.NO_CERTIFICATE_CHAIN_FOUND


def test_no_certificate_decides_whom_we_ask(sandbox: Sandbox, doctor: SoftwareSigner) -> None:
    asked: list[Event] = []
    with sandbox.connect() as window:
        signature = window.pki.sign(DOCUMENT, doctor, stamped=False)
        services = {name: end for name, end in window.config.services.items() if name != "ocsp"}
    with MedSign(
        Config(services=services), transport=sandbox.transport(), on_event=asked.append
    ) as silent:
        silent.pki.verify(signature, DOCUMENT)
    assert doctor.certificate.ocsp_urls
    assert asked == []


@pytest.mark.parametrize("kind", [FaultKind.STATUS, FaultKind.TRUNCATED])
def test_a_time_stamp_service_in_trouble_is_asked_again(
    sandbox: Sandbox, doctor: SoftwareSigner, kind: FaultKind
) -> None:
    sandbox.world.faults.add(Fault(kind=kind, match="/tsp*"))
    with sandbox.connect() as window:
        assert window.pki.sign(DOCUMENT, doctor)


def test_an_answer_that_is_no_ocsp_answer_is_named(
    sandbox: Sandbox, doctor: SoftwareSigner
) -> None:
    garbage = httpx.MockTransport(lambda _: httpx.Response(200, content=b"<html>"))
    config = Config(services={"ocsp": Endpoint(url="https://ocsp.test")})
    with (
        MedSign(config, transport=garbage) as window,
        pytest.raises(UnexpectedAnswer, match="ocsp"),
    ):
        window.pki.status(doctor.certificate, sandbox.world.part(Pki).intermediates[0])


def test_a_status_that_cannot_be_had_leaves_the_verdict_open(
    sandbox: Sandbox, doctor: SoftwareSigner
) -> None:
    with sandbox.connect() as window:
        signature = window.pki.sign(DOCUMENT, doctor)
        sandbox.world.faults.add(Fault(kind=FaultKind.CONNECT, match="/ocsp*", times=99))
        report = window.pki.verify(signature, DOCUMENT).report
    assert report.indication is Indication.INDETERMINATE
    assert report.sub_indication is SubIndication.TRY_LATER


def test_a_stamp_without_a_service_is_refused_before_anything_is_signed(
    doctor: SoftwareSigner,
) -> None:
    with MedSign(Config()) as window, pytest.raises(ConfigError):
        window.pki.sign(DOCUMENT, doctor)


@pytest.mark.req("F120")
def test_a_service_that_is_down_leaves_the_others_at_work(sandbox: Sandbox) -> None:
    with sandbox.connect() as window:
        sandbox.world.faults.add(Fault(kind=FaultKind.CONNECT, match="ca.*", times=99))
        with pytest.raises(TransportError):
            list(window.ca.certificates())
        assert window.mchd.generate_number()
        assert list(window.sep.documents()) == []


@pytest.mark.req("F114", "F123")
def test_events_of_all_services_come_to_one_hook(sandbox: Sandbox) -> None:
    events: list[Event] = []
    with sandbox.connect(on_event=events.append) as window:
        list(window.ca.certificates())
        list(window.sep.documents())
    services = [event.service for event in events if isinstance(event, RequestSent)]
    assert services == ["ca", "sep"]


@pytest.mark.req("F066", "F103", "F106", "F180", "F404")
def test_an_expiring_certificate_is_noticed_once(sandbox: Sandbox, doctor: SoftwareSigner) -> None:
    notices: list[Notice] = []
    sandbox.clock.set(doctor.certificate.not_after - timedelta(days=5))
    with sandbox.connect() as window:
        watch = window.watch(notices.append)
        watch.check([watched(doctor.certificate)])
        watch.check([watched(doctor.certificate)])
    assert len(notices) == 1


class Closing(httpx.MockTransport):
    closed = False

    def __init__(self) -> None:
        super().__init__(lambda _: httpx.Response(404))

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


@pytest.mark.req("F059")
def test_requests_to_each_service_are_signed_for_the_gateway() -> None:
    with (
        Sandbox(signed_requests=True) as sandbox,
        sandbox.connect(gateway=sandbox.gateway()) as window,
        sandbox.http() as http,
    ):
        card = CardNumber(Remote(http).about("ekp")["cards"][0]["number"])
        assert list(window.ca.certificates()) == []
        assert list(window.sep.documents()) == []
        assert window.mchd.generate_number()
        assert window.ekp.identify(card).surname


GOST = Endpoint(url="https://a.test", tls=GostGateway("http://127.0.0.1:1", hosts=["a.test"]))


def test_a_window_that_is_not_opened_leaves_no_journal_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    monkeypatch.setattr("medsign.client.SqliteStore", opened.append)
    other = attrs.evolve(GOST, tls=GostGateway("http://127.0.0.1:2", hosts=["a.test"]))
    config = Config(services={"ca": GOST, "sep": other}, store=tmp_path / "journal.db")
    for window in (MedSign, AsyncMedSign):
        with pytest.raises(ConfigError, match="same address"):
            window(config)
    assert opened == []


def test_a_client_of_ones_own_does_not_pass_gost_tls_over() -> None:
    config = Config(services={"ca": Endpoint(url="https://b.test"), "sep": GOST})
    with httpx.Client() as http:
        for way in ({"http": http}, {"transport": Closing()}):
            for window in (MedSign, AsyncMedSign):
                with pytest.raises(ConfigError, match=r"^\[sep\.tls\]: "):
                    window(config, **way)


def test_a_client_and_a_transport_do_not_go_together() -> None:
    with httpx.Client() as http, pytest.raises(ConfigError, match="not both"):
        MedSign(Config(), http=http, transport=Closing())


def test_a_service_that_needs_no_token_is_sent_none() -> None:
    seen: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200, json={"items": []})

    config = Config(services={"ca": Endpoint(url="https://ca.test")})
    with MedSign(config, transport=httpx.MockTransport(answer)) as window:
        list(window.ca.certificates())
    assert "authorization" not in seen[0]


def test_threads_that_ask_first_at_once_get_one_service(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = threading.Barrier(4)

    def slowly(**settings: Any) -> Context:
        with suppress(threading.BrokenBarrierError):
            begin.wait(0.5)
        return ca_context(**settings)

    monkeypatch.setattr("medsign.client.ca_context", slowly)
    config = Config(services={"ca": Endpoint(url="https://ca.test", requests_per_minute=60)})
    with MedSign(config) as window, ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: window.ca, range(4)))
    assert len({id(service) for service in found}) == 1
    assert len({id(service.context.limit) for service in found}) == 1


@pytest.mark.parametrize("known", [{}, {"login": "doctor"}, {"password": "p"}])
def test_a_registry_is_not_asked_without_a_sign_in(known: dict[str, str]) -> None:
    config = Config(services={"mchd": Endpoint(url="https://mchd.test", **known)})
    with MedSign(config) as window, pytest.raises(ConfigError, match=r"^\[mchd\]: "):
        _ = window.mchd


def test_a_service_is_made_once_and_a_wrong_one_is_refused_each_time() -> None:
    config = Config(services={"sep": Endpoint(url="https://sep.test", token="t")})
    with MedSign(config) as window:
        assert window.pki is window.pki
        for _ in range(2):
            with pytest.raises(ConfigError, match="organization"):
                _ = window.sep


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_journal_is_closed_off_the_event_loop_though_it_is_cancelled(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    class Journal(MemoryStore):
        def close(self) -> None:
            threads.append(threading.get_ident())

    monkeypatch.setattr("medsign.client.MemoryStore", Journal)

    async def main() -> None:
        window = AsyncMedSign(Config())
        with anyio.CancelScope() as scope:
            scope.cancel()
            await window.aclose()

    anyio.run(main, backend=backend)
    assert len(threads) == 1
    assert threads != [threading.get_ident()]


def test_a_window_is_closed_twice_in_vain_and_refuses_what_comes_after() -> None:
    config = Config(services={"ca": Endpoint(url="https://ca.test")})
    with MedSign(config) as window:
        window.close()
    with window, pytest.raises(UsageError, match="closed"):
        list(window.ca.certificates())


def test_the_journal_is_closed_though_the_transport_fails_to(tmp_path: Path) -> None:
    class Stuck(Closing):
        def close(self) -> None:
            raise BrokenPipeError

    window = MedSign(Config(store=tmp_path / "journal.db"), transport=Stuck())
    with pytest.raises(BrokenPipeError):
        window.close()
    with pytest.raises(StoreError, match="closed"):
        window.store.load("s")


def test_a_given_client_and_store_are_not_closed() -> None:
    store, transport = MemoryStore(), Closing()
    with httpx.Client(transport=transport) as http:
        MedSign(Config(), http=http, store=store).close()
        assert not http.is_closed
    assert list(store.streams()) == []


def test_what_a_window_opened_it_closes(tmp_path: Path) -> None:
    transport = Closing()
    window = MedSign(Config(store=tmp_path / "journal.db"), transport=transport)
    window.close()
    assert transport.closed

    async def main() -> None:
        async with AsyncMedSign(Config(), transport=(other := Closing())):
            pass
        assert other.closed

    anyio.run(main)


def test_calls_left_open_by_a_dead_process_are_found_by_the_next(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    file = tmp_path / "journal.db"
    with sandbox.connect() as window:
        config = window.config
    settings = Config(services=config.services, store=file)
    with MedSign(settings, transport=sandbox.transport(), clock=SystemClock()) as first:
        request = first.sep.context.request("POST", "documents", body={})
        first.sep.context.ledger.open("sep.send", "k-1", request)
    with MedSign(settings, transport=sandbox.transport()) as second:
        assert [call.key for call in second.sep.unfinished()] == ["k-1"]
        assert second.ca.unfinished() == []


def test_the_pki_service_is_declared_once_for_both_colours() -> None:
    assert AsyncPki.sign.flow is PkiService.sign.flow
