"""Verifying with only the root trusted: what is missing is fetched, in every colour."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import anyio
import attrs
import httpx
import pytest

from medsign.cms import (
    DEFAULT,
    UNSAFE_INTEGRITY,
    WITH_STAMP,
    Form,
    Indication,
    SubIndication,
    sign,
)
from medsign.cms.client import AsyncPki
from medsign.cms.client import Pki as PkiService
from medsign.cms.context import PkiContext
from medsign.cms.gather import explained
from medsign.cms.operations import Verification, verify_document
from medsign.codec.asn1 import decode_ocsp_response
from medsign.errors import ConfigError, UnexpectedAnswer
from medsign.exchange import AsyncDriver, Driver, Event, RequestSent
from medsign.pki.cache import EvidenceCache
from medsign.pki.fetch import FollowUrls
from medsign.sandbox import Fault, FaultKind, Sandbox
from medsign.sandbox.pki import Authority, Pki
from medsign.signers import SoftwareSigner
from medsign.transport import UrlGuard, new_async_client, new_client

DOCUMENT = "Протокол осмотра".encode()
MINUTE = timedelta(minutes=1)
# The world in process has no network: any public number leads to it.
FOLLOW = FollowUrls(guard=UrlGuard(resolve=lambda *_: ["93.184.216.34"]))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as world:
        yield world


@pytest.fixture
def doctor(sandbox: Sandbox) -> SoftwareSigner:
    return sandbox.world.part(Pki).enrol(
        Authority.COMMERCIAL, surname="Тестов", given_names="Иван Ильич"
    )


@pytest.fixture
def signature(sandbox: Sandbox, doctor: SoftwareSigner) -> bytes:
    """Return a signature that brings along nothing but the certificate of its signer."""
    return sign(DOCUMENT, doctor, at=sandbox.clock.now())


@pytest.fixture
def asked() -> list[str]:
    """Return the operations that were sent, filled by `context`."""
    return []


@pytest.fixture
def context(sandbox: Sandbox, asked: list[str]) -> PkiContext:
    def note(event: Event) -> None:
        if isinstance(event, RequestSent):
            asked.append(event.operation)

    return PkiContext(
        service="pki",
        base_url="https://pki.invalid",
        trust=sandbox.world.part(Pki).trust,
        clock=sandbox.clock,
        emit=note,
        follow=FOLLOW,
    )


@pytest.fixture
def call(sandbox: Sandbox) -> Callable[..., Any]:
    """Call an operation of the service in the blocking colour."""

    def run(context: PkiContext, name: str, *args: Any, **options: Any) -> Any:
        with httpx.Client(transport=sandbox.transport()) as http:
            driver = Driver(http, clock=sandbox.clock, sleep=sandbox.sleep)
            return getattr(PkiService(context, driver), name)(*args, **options)

    return run


def why(verification: Verification, code: str = "REVOCATION_KNOWN") -> str:
    (signer,) = verification.report.signers
    failed = [each for each in signer.findings if each.code == code and not each.passed]
    return " ".join(each.evidence.detail for each in failed)


@pytest.mark.parametrize("colour", ["blocking", "asyncio", "trio"])
def test_with_only_the_root_trusted_everything_else_is_fetched(
    sandbox: Sandbox, signature: bytes, context: PkiContext, asked: list[str], colour: str
) -> None:
    async def in_async() -> Verification:
        async with httpx.AsyncClient(transport=sandbox.async_transport()) as http:
            return await AsyncPki(context, AsyncDriver(http)).verify(signature, DOCUMENT)

    if colour == "blocking":
        with httpx.Client(transport=sandbox.transport()) as http:
            found = PkiService(context, Driver(http)).verify(signature, DOCUMENT)
    else:
        found = anyio.run(in_async, backend=colour)
    assert found.report.passed
    # the issuer, its status by the list of the root, and the signer's by OCSP
    assert sorted(asked) == ["crl", "issuer", "ocsp"]
    assert len(found.certificates) == len(found.crls) == len(found.ocsp_responses) == 1
    assert found.unfetched == ()


def test_nothing_is_followed_unless_that_was_asked_for(
    signature: bytes, context: PkiContext, asked: list[str], call: Callable[..., Any]
) -> None:
    assert PkiContext(service="pki", base_url="https://pki.invalid").follow is None
    found = call(attrs.evolve(context, follow=None), "verify", signature, DOCUMENT)
    assert found.report.sub_indication is SubIndication.NO_CERTIFICATE_CHAIN_FOUND
    assert asked == []


def test_nothing_is_followed_for_a_verification_that_must_not_ask(
    signature: bytes, context: PkiContext, asked: list[str], call: Callable[..., Any]
) -> None:
    assert not call(context, "verify", signature, DOCUMENT, ask=False).report.passed
    assert asked == []


def test_what_was_fetched_once_serves_until_its_term(
    sandbox: Sandbox,
    signature: bytes,
    context: PkiContext,
    asked: list[str],
    call: Callable[..., Any],
) -> None:
    for _ in range(3):
        assert call(context, "verify", signature, DOCUMENT).report.passed
    assert len(asked) == 3
    sandbox.clock.advance(timedelta(hours=13))  # the list was good for twelve hours
    assert call(context, "verify", signature, DOCUMENT).report.passed
    assert sorted(asked[3:]) == ["crl", "ocsp"]


def test_what_was_fetched_is_enough_to_verify_again_without_a_network(
    signature: bytes, context: PkiContext, asked: list[str], call: Callable[..., Any]
) -> None:
    found = call(context, "verify", signature, DOCUMENT)
    asked.clear()
    from medsign.codec.asn1 import decode_crl

    again = call(
        attrs.evolve(context, cache=EvidenceCache()),
        "verify",
        signature,
        DOCUMENT,
        certificates=found.certificates,
        crls=map(decode_crl, found.crls),
        ocsp_responses=found.ocsp_responses,
    )
    assert again.report.passed
    assert asked == []


def test_evidence_in_the_signature_is_not_fetched_again(
    sandbox: Sandbox,
    doctor: SoftwareSigner,
    context: PkiContext,
    asked: list[str],
    call: Callable[..., Any],
) -> None:
    with sandbox.connect() as window:
        longer = window.pki.extend(window.pki.sign(DOCUMENT, doctor), DOCUMENT)
    assert call(context, "verify", longer, DOCUMENT, policy=WITH_STAMP).report.passed
    assert asked == []


def test_a_list_serves_when_the_service_is_down_and_the_failure_is_told(
    sandbox: Sandbox,
    signature: bytes,
    context: PkiContext,
    asked: list[str],
    call: Callable[..., Any],
) -> None:
    sandbox.world.faults.add(Fault(kind=FaultKind.CONNECT, match="/ocsp*", times=99))
    found = call(context, "verify", signature, DOCUMENT)
    assert found.report.passed
    (missed,) = found.unfetched
    assert (missed.wanted, missed.code) == ("ocsp", "MS-CONNECT")
    assert missed.host == "sandbox.medsign.test"
    assert sorted(asked) == ["crl", "crl", "issuer", "ocsp"]


def test_the_order_of_sources_is_the_caller_s(
    signature: bytes, context: PkiContext, asked: list[str], call: Callable[..., Any]
) -> None:
    lists_only = attrs.evolve(context, follow=attrs.evolve(FOLLOW, sources=("crl",)))
    assert call(lists_only, "verify", signature, DOCUMENT).report.passed
    assert sorted(asked) == ["crl", "crl", "issuer"]


@pytest.mark.parametrize("kind", [FaultKind.CONNECT, FaultKind.TIMEOUT, FaultKind.STATUS])
def test_when_nothing_comes_the_report_says_why_and_nothing_is_raised(
    sandbox: Sandbox,
    signature: bytes,
    context: PkiContext,
    call: Callable[..., Any],
    kind: FaultKind,
) -> None:
    for match in ("/ocsp*", "/ca/crl/*"):
        sandbox.world.faults.add(Fault(kind=kind, match=match, times=99))
    found = call(context, "verify", signature, DOCUMENT)
    assert found.report.indication is Indication.INDETERMINATE
    assert found.report.sub_indication is SubIndication.TRY_LATER
    assert "не удалось получить: sandbox.medsign.test: " in why(found)
    assert any("не удалось получить" in line for line in found.report.explain_trust())
    assert {each.wanted for each in found.unfetched} == {"ocsp", "crl"}


def test_an_issuer_that_does_not_come_is_told_at_the_broken_chain(
    sandbox: Sandbox, signature: bytes, context: PkiContext, call: Callable[..., Any]
) -> None:
    sandbox.world.faults.add(Fault(kind=FaultKind.CONNECT, match="/ca/aia/*", times=99))
    found = call(context, "verify", signature, DOCUMENT)
    assert found.report.sub_indication is SubIndication.NO_CERTIFICATE_CHAIN_FOUND
    assert "не удалось получить" in why(found, "CHAIN_FOUND")


def test_an_address_inside_the_clinic_is_refused_and_told(
    signature: bytes, context: PkiContext, asked: list[str], call: Callable[..., Any]
) -> None:
    inside = FollowUrls(guard=UrlGuard(resolve=lambda *_: ["10.0.0.1"]))
    found = call(attrs.evolve(context, follow=inside), "verify", signature, DOCUMENT)
    assert [each.code for each in found.unfetched] == ["MS-ADDRESS"]
    assert "не прошёл проверку безопасности" in why(found, "CHAIN_FOUND")
    assert asked == []


def test_a_failure_is_not_asked_for_again_at_once(
    sandbox: Sandbox,
    signature: bytes,
    context: PkiContext,
    asked: list[str],
    call: Callable[..., Any],
) -> None:
    sandbox.world.faults.add(Fault(kind=FaultKind.CONNECT, match="/ca/aia/*", times=1))
    call(context, "verify", signature, DOCUMENT)
    assert why(call(context, "verify", signature, DOCUMENT), "CHAIN_FOUND")
    assert asked == ["issuer"]
    sandbox.clock.advance(6 * MINUTE)
    assert call(context, "verify", signature, DOCUMENT).report.passed


@pytest.mark.parametrize("bound", [{"max_fetches": 1}, {"max_fetches": 2}, {"total_seconds": 0.0}])
def test_one_verification_asks_only_so_often_and_so_long(
    signature: bytes,
    context: PkiContext,
    asked: list[str],
    call: Callable[..., Any],
    bound: dict[str, Any],
) -> None:
    tight = attrs.evolve(context, follow=attrs.evolve(FOLLOW, **bound))
    found = call(tight, "verify", signature, DOCUMENT)
    assert not found.report.passed
    assert len(asked) == bound.get("max_fetches", 0)
    assert "MS-BUDGET" in {each.code for each in found.unfetched}
    # it was not the fault of the addresses: they are not remembered as bad
    assert call(context, "verify", signature, DOCUMENT).report.passed


def test_a_revocation_is_found_where_the_certificate_says(
    sandbox: Sandbox,
    doctor: SoftwareSigner,
    signature: bytes,
    context: PkiContext,
    call: Callable[..., Any],
) -> None:
    sandbox.clock.advance(MINUTE)
    number = f"{doctor.certificate.serial_number:x}"
    sandbox.world.part(Pki).change(number, "revoke", "keyCompromise")
    sandbox.clock.advance(MINUTE)
    report = call(context, "verify", signature, DOCUMENT).report
    assert report.sub_indication in {SubIndication.REVOKED, SubIndication.REVOKED_NO_POE}


@pytest.mark.parametrize("content", [DOCUMENT + b"!", b""])
def test_nothing_is_asked_for_a_signature_that_is_bad_anyway(
    signature: bytes,
    context: PkiContext,
    asked: list[str],
    call: Callable[..., Any],
    content: bytes,
) -> None:
    report = call(context, "verify", signature, content).report
    assert report.indication is Indication.TOTAL_FAILED
    assert asked == []


def test_nothing_is_asked_for_a_file_that_is_no_signature(
    context: PkiContext, asked: list[str], call: Callable[..., Any]
) -> None:
    report = call(context, "verify", b"no signature", DOCUMENT).report
    assert report.sub_indication is SubIndication.FORMAT_FAILURE
    assert asked == []


def test_a_policy_that_does_without_trust_asks_nobody(
    signature: bytes, context: PkiContext, asked: list[str], call: Callable[..., Any]
) -> None:
    assert call(context, "verify", signature, DOCUMENT, policy=UNSAFE_INTEGRITY).report.passed
    assert asked == []


def test_certificates_that_a_file_is_stuffed_with_lead_nowhere(
    sandbox: Sandbox,
    doctor: SoftwareSigner,
    context: PkiContext,
    asked: list[str],
    call: Callable[..., Any],
) -> None:
    authorities = sandbox.world.part(Pki)
    strays = [
        authorities.enrol(Authority.FNS, surname="Тестов", given_names=str(each)).certificate
        for each in range(10)
    ]
    stuffed = sign(DOCUMENT, doctor, at=sandbox.clock.now(), chain=strays)
    assert call(context, "verify", stuffed, DOCUMENT).report.passed
    assert sorted(asked) == ["crl", "issuer", "ocsp"]


def test_a_chain_to_a_root_that_nobody_trusts_ends(
    sandbox: Sandbox,
    signature: bytes,
    context: PkiContext,
    asked: list[str],
    call: Callable[..., Any],
) -> None:
    with Sandbox() as other:
        strangers = attrs.evolve(context, trust=other.world.part(Pki).trust)
    report = call(strangers, "verify", signature, DOCUMENT).report
    assert report.sub_indication is SubIndication.NO_CERTIFICATE_CHAIN_FOUND
    assert asked == ["issuer", "issuer"]  # the authority and the root, and nobody's status


def test_for_a_moment_in_the_past_no_status_is_asked_that_would_not_count(
    sandbox: Sandbox,
    signature: bytes,
    context: PkiContext,
    asked: list[str],
    call: Callable[..., Any],
) -> None:
    signed = sandbox.clock.now()
    sandbox.clock.advance(timedelta(days=1))
    assert not call(context, "verify", signature, DOCUMENT, at=signed).report.passed
    assert asked == ["issuer"]


def test_an_old_signature_with_a_stamp_is_judged_by_what_is_fetched_today(
    sandbox: Sandbox, doctor: SoftwareSigner, context: PkiContext, call: Callable[..., Any]
) -> None:
    with sandbox.connect() as window:
        stamped = window.pki.sign(DOCUMENT, doctor)
    sandbox.clock.advance(timedelta(days=30))
    found = call(context, "verify", stamped, DOCUMENT, policy=WITH_STAMP)
    assert found.report.passed
    assert found.report.signers[0].proved_by == "time stamp"


@pytest.mark.req("F137")
def test_a_status_is_asked_where_the_certificate_says(
    sandbox: Sandbox, doctor: SoftwareSigner, context: PkiContext, call: Callable[..., Any]
) -> None:
    issuer = sandbox.world.part(Pki).authority(Authority.COMMERCIAL)
    found = call(context, "status", doctor.certificate, issuer)
    assert found.facts.status == "good"
    assert decode_ocsp_response(found.response).basic


def test_a_status_is_read_from_the_list_when_the_service_is_down(
    sandbox: Sandbox, doctor: SoftwareSigner, context: PkiContext, call: Callable[..., Any]
) -> None:
    sandbox.world.faults.add(Fault(kind=FaultKind.CONNECT, match="/ocsp*", times=99))
    issuer = sandbox.world.part(Pki).authority(Authority.COMMERCIAL)
    found = call(context, "status", doctor.certificate, issuer)
    assert (found.facts.status, found.facts.source, found.response) == ("good", "crl", b"")
    assert len(found.crls) == 1


def test_a_status_that_cannot_be_had_is_unknown_and_says_why(
    sandbox: Sandbox, doctor: SoftwareSigner, context: PkiContext, call: Callable[..., Any]
) -> None:
    for match in ("/ocsp*", "/ca/crl/*"):
        sandbox.world.faults.add(Fault(kind=FaultKind.CONNECT, match=match, times=99))
    issuer = sandbox.world.part(Pki).authority(Authority.COMMERCIAL)
    found = call(context, "status", doctor.certificate, issuer)
    assert found.facts.status == "unknown"
    assert [each.wanted for each in found.unfetched] == ["ocsp", "crl"]


def test_without_a_service_and_without_following_no_status_can_be_asked(
    sandbox: Sandbox, doctor: SoftwareSigner, context: PkiContext, call: Callable[..., Any]
) -> None:
    issuer = sandbox.world.part(Pki).authority(Authority.COMMERCIAL)
    with pytest.raises(ConfigError):
        call(attrs.evolve(context, follow=None), "status", doctor.certificate, issuer)


def test_the_chain_of_a_time_stamp_is_completed(
    sandbox: Sandbox, context: PkiContext, asked: list[str], call: Callable[..., Any]
) -> None:
    with_tsp = attrs.evolve(context, tsp_url=sandbox.base_url + "/tsp")
    with pytest.raises(UnexpectedAnswer, match="no_anchor"):
        call(attrs.evolve(with_tsp, follow=None), "timestamp", b"value")
    asked.clear()
    assert call(with_tsp, "timestamp", b"value").facts.is_valid
    assert asked == ["timestamp", "issuer"]


def test_a_signature_is_made_to_last_with_what_its_certificates_lead_to(
    sandbox: Sandbox, signature: bytes, context: PkiContext, call: Callable[..., Any]
) -> None:
    with_tsp = attrs.evolve(context, tsp_url=sandbox.base_url + "/tsp")
    longer = call(with_tsp, "extend", signature, DOCUMENT, form=Form.X_LONG_TYPE_1)
    alone = attrs.evolve(context, follow=None)
    assert call(alone, "verify", longer, DOCUMENT, policy=WITH_STAMP).report.passed


def test_a_service_of_the_settings_that_fails_is_told_too(
    sandbox: Sandbox, signature: bytes, context: PkiContext, call: Callable[..., Any]
) -> None:
    authorities = sandbox.world.part(Pki)
    own = attrs.evolve(
        context,
        follow=None,
        intermediates=authorities.intermediates,
        ocsp_url=sandbox.base_url + "/ocsp",
        crl_urls=(sandbox.base_url + "/ca/crl/none.crl",),
    )
    sandbox.world.faults.add(Fault(kind=FaultKind.CONNECT, match="/ocsp*", times=99))
    found = call(own, "verify", signature, DOCUMENT)
    assert {each.wanted for each in found.unfetched} == {"ocsp", "crl"}
    assert "не удалось получить: sandbox.medsign.test: " in why(found)


def test_a_report_with_nothing_unfetched_stays_as_it_is(
    signature: bytes, context: PkiContext, call: Callable[..., Any]
) -> None:
    report = call(context, "verify", signature, DOCUMENT).report
    assert explained(report, ()) is report


def test_a_flow_of_verifying_needs_no_network_to_be_walked_through(
    context: PkiContext, signature: bytes
) -> None:
    flow = verify_document(context, signature, DOCUMENT, policy=DEFAULT)
    kinds = {type(next(flow)).__name__}
    flow.close()
    assert kinds == {"Do"}


@pytest.fixture
def served() -> Iterator[Sandbox]:
    """Return a world behind a real socket, whose certificates name that socket."""
    pytest.importorskip("uvicorn", reason="needs the extra `sandbox`")
    from medsign.sandbox.http import server

    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Sandbox(base_url=f"http://pki.test:{port}") as world:
        uvicorn = server(world, port=port)
        thread = threading.Thread(target=uvicorn.run, daemon=True)
        thread.start()
        while not uvicorn.started:
            assert thread.is_alive()
        yield world
        uvicorn.should_exit = True
        thread.join(30)


def loopback(world: Sandbox) -> FollowUrls:
    port = httpx.URL(world.base_url).port or 80
    return FollowUrls(
        guard=UrlGuard(ports=[port], networks=["127.0.0.0/8"], resolve=lambda *_: ["127.0.0.1"])
    )


@pytest.mark.parametrize("colour", ["blocking", "asyncio"])
def test_over_http_the_root_alone_leads_to_the_verdict(served: Sandbox, colour: str) -> None:
    authorities = served.world.part(Pki)
    doctor = authorities.enrol(Authority.FNS, surname="Тестов", given_names="Иван Ильич")
    signature = sign(DOCUMENT, doctor, at=served.clock.now())
    context = PkiContext(
        service="pki",
        base_url="https://pki.invalid",
        trust=authorities.trust,
        follow=loopback(served),
    )

    async def in_async() -> Verification:
        async with new_async_client() as http:
            return await AsyncPki(context, AsyncDriver(http)).verify(signature, DOCUMENT)

    if colour == "blocking":
        with new_client() as http:
            found = PkiService(context, Driver(http)).verify(signature, DOCUMENT)
    else:
        found = anyio.run(in_async)
    assert found.report.passed
    assert (len(found.certificates), len(found.crls), len(found.ocsp_responses)) == (1, 1, 1)


def test_over_http_the_loopback_is_not_asked_without_being_allowed(served: Sandbox) -> None:
    authorities = served.world.part(Pki)
    doctor = authorities.enrol(Authority.FNS, surname="Тестов", given_names="Иван Ильич")
    follow = loopback(served)
    context = PkiContext(
        service="pki",
        base_url="https://pki.invalid",
        trust=authorities.trust,
        follow=attrs.evolve(follow, guard=attrs.evolve(follow.guard, networks=())),
    )
    with new_client() as http:
        signature = sign(DOCUMENT, doctor, at=served.clock.now())
        found = PkiService(context, Driver(http)).verify(signature, DOCUMENT)
    assert [each.code for each in found.unfetched] == ["MS-ADDRESS"]
