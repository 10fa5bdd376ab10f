"""Fetching by the addresses in certificates, against a small net of strange services."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import timedelta
from typing import Any

import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.clock import ManualClock
from medsign.codec.asn1 import (
    DistributionPoint,
    Extension,
    GeneralName,
    SingleResponse,
    decode_ocsp_request,
    encode_ocsp_error,
    encode_signed_data,
    oids,
    pem_encode,
)
from medsign.codec.asn1 import extension_values as ext
from medsign.errors import (
    BudgetExceeded,
    MalformedError,
    StoreError,
    UnexpectedAnswer,
    VersionConflict,
)
from medsign.exchange import Context, Driver
from medsign.pki.cache import DAY, EvidenceCache, Failure
from medsign.pki.fetch import (
    OCSP_DIGESTS,
    Fetcher,
    FollowUrls,
    ask_ocsp,
    read_issuers,
    remembered_first,
)
from medsign.pki.issuing import QUALIFIED, issue_crl
from medsign.pki.ocsp import ocsp_response
from medsign.store import MemoryStore
from medsign.store.sqlite import SqliteStore
from medsign.transport import UrlGuard

HOUR = timedelta(hours=1)
OCSP, CRL, AIA = "http://ocsp.test/", "http://crl.test/ca.crl", "http://aia.test/ca.cer"


@attrs.define
class Net:
    """Services by address, and what they were asked."""

    authority: Any
    now: Any
    places: dict[str, Callable[[bytes], bytes]] = attrs.field(factory=dict)
    asked: list[str] = attrs.field(factory=list)
    bodies: list[bytes] = attrs.field(factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        url = f"http://{request.headers['host']}{request.url.path}"
        self.asked.append(url)
        self.bodies.append(request.content)
        if url not in self.places:
            raise httpx.ConnectError("nobody is there")
        return httpx.Response(200, content=self.places[url](request.content))

    def responder(
        self, *, knows: tuple[str, ...] = OCSP_DIGESTS, status: str = "good", **said: Any
    ) -> Callable[[bytes], bytes]:
        """Return a service that knows certificates by some digests only."""
        said = {"this_update": self.now, "next_update": self.now + HOUR, **said}
        nonce = said.pop("nonce", None)
        otherwise = said.pop("otherwise", encode_ocsp_error("unauthorized"))
        signer = said.pop("signer", self.authority.responder)

        def answer(question: bytes) -> bytes:
            asked = decode_ocsp_request(question)
            (item,) = asked.items
            if item.hash_oid not in knows:
                if isinstance(otherwise, bytes):
                    return otherwise
                single = SingleResponse(cert_id=item, status=otherwise, this_update=self.now)
                return ocsp_response([single], signer, produced_at=self.now, nonce=asked.nonce)
            return ocsp_response(
                [SingleResponse(cert_id=item, status=status, **said)],
                signer,
                produced_at=self.now,
                nonce=asked.nonce if nonce is None else nonce or None,
            )

        return answer


@pytest.fixture
def net(authority, now) -> Net:
    return Net(authority, now)


@pytest.fixture
def clock(now) -> ManualClock:
    return ManualClock(now)


@pytest.fixture
def certificate(authority):
    template = attrs.evolve(QUALIFIED, ocsp_urls=(OCSP,), crl_urls=(CRL,), issuer_urls=(AIA,))
    return authority.certify(template).certificate


@pytest.fixture
def cache() -> EvidenceCache:
    return EvidenceCache()


@pytest.fixture
def run(net: Net, clock: ManualClock) -> Callable[[Any], Any]:
    def perform(flow: Any) -> Any:
        with httpx.Client(transport=httpx.MockTransport(net.answer)) as http:
            return Driver(http, clock=clock).run(flow)

    return perform


@pytest.fixture
def fetcher(authority, clock: ManualClock, cache: EvidenceCache) -> Callable[..., Fetcher]:
    def make(**bounds: Any) -> Fetcher:
        return Fetcher(
            context=Context(service="pki", base_url="https://pki.invalid", clock=clock),
            follow=FollowUrls(guard=UrlGuard(resolve=lambda *_: ["93.184.216.34"]), **bounds),
            cache=cache,
            entropy=lambda size: b"\x07" * size,
            trust=authority.trust,
        )

    return make


@pytest.fixture
def status(run, fetcher, authority, certificate) -> Callable[..., tuple[Any, Fetcher]]:
    """Fetch the status of the certificate by one kind of source."""

    def ask(source: str, **bounds: Any) -> tuple[Any, Fetcher]:
        hunt = fetcher(**bounds)
        issuer = authority.ca.certificate
        run(hunt.status(certificate, issuer, source))
        return hunt.weigh(certificate, issuer), hunt

    return ask


@pytest.mark.parametrize("known", OCSP_DIGESTS)
@pytest.mark.parametrize("otherwise", [encode_ocsp_error("unauthorized"), "unknown"])
def test_a_service_is_asked_by_another_digest_until_it_knows_the_certificate(
    net: Net, status, known: str, otherwise: Any
) -> None:
    net.places[OCSP] = net.responder(knows=(known,), otherwise=otherwise)
    facts, _ = status("ocsp")
    assert facts.status == "good"
    assert len(net.asked) == OCSP_DIGESTS.index(known) + 1


def test_the_digest_that_was_understood_is_the_first_next_time(net: Net, status, clock) -> None:
    net.places[OCSP] = net.responder(knows=(oids.STREEBOG_512,), next_update=None)
    status("ocsp")
    clock.advance(timedelta(minutes=6))
    net.asked.clear()
    net.bodies.clear()
    assert status("ocsp")[0].status == "good"
    assert [decode_ocsp_request(each).items[0].hash_oid for each in net.bodies] == [
        oids.STREEBOG_512
    ]


def test_a_certificate_that_is_unknown_by_every_digest_is_unknown(net: Net, status) -> None:
    net.places[OCSP] = net.responder(status="unknown")
    facts, hunt = status("ocsp")
    assert facts.status == "unknown"
    assert len(net.asked) == len(OCSP_DIGESTS)
    assert hunt.responses


@pytest.mark.parametrize("word", ["tryLater", "internalError", "sigRequired"])
def test_a_service_in_trouble_is_not_asked_by_other_digests(net: Net, status, word: str) -> None:
    net.places[OCSP] = lambda _: encode_ocsp_error(word)
    _, hunt = status("ocsp")
    assert len(net.asked) == 1
    assert [each.code for each in hunt.unfetched] == ["MS-ANSWER"]


def test_a_status_of_cryptopro_that_the_standard_does_not_have_is_no_answer(
    run, authority, certificate
) -> None:
    def post(_: bytes) -> Any:
        yield from ()
        return attrs.make_class("Said", ["body"])(bytes.fromhex("30030a0108"))

    asking = ask_ocsp(post, certificate, authority.ca.certificate, entropy=bytes)
    with pytest.raises(UnexpectedAnswer, match="answered badCRL"):
        run(asking)


def test_a_remembered_word_that_is_no_digest_is_ignored() -> None:
    assert remembered_first("nonsense", OCSP_DIGESTS) == OCSP_DIGESTS
    assert remembered_first(None, OCSP_DIGESTS) == OCSP_DIGESTS
    assert remembered_first(oids.SHA256, OCSP_DIGESTS)[0] == oids.SHA256


def test_an_answer_to_another_question_is_refused_and_not_kept(net: Net, status) -> None:
    net.places[OCSP] = net.responder(nonce=b"\x08" * 16)
    for _ in range(2):
        facts, hunt = status("ocsp")
        assert facts.status == "unknown"
        assert hunt.responses == []
        assert [each.code for each in hunt.unfetched] == ["MS-ANSWER"]


def test_an_answer_prepared_beforehand_repeats_no_number_and_counts(net: Net, status) -> None:
    net.places[OCSP] = net.responder(nonce=b"")
    assert status("ocsp")[0].status == "good"


def test_a_revocation_counts_whomever_it_was_told_to(net: Net, status, now) -> None:
    net.places[OCSP] = net.responder(status="revoked", revoked_at=now, nonce=b"\x08" * 16)
    assert status("ocsp")[0].status == "revoked"


def test_a_forged_answer_is_refused_and_a_genuine_one_is_taken_later(
    net: Net, status, authority, clock
) -> None:
    net.places[OCSP] = net.responder(signer=authority.person)
    facts, hunt = status("ocsp")
    assert (facts.status, hunt.responses) == ("unknown", [])
    net.places[OCSP] = net.responder()
    clock.advance(timedelta(minutes=6))
    assert status("ocsp")[0].status == "good"


def test_an_answer_about_somebody_else_is_refused(net: Net, status, authority, now) -> None:
    def about_another(question: bytes) -> bytes:
        (item,) = decode_ocsp_request(question).items
        other = attrs.evolve(item, serial_number=item.serial_number + 1)
        single = SingleResponse(cert_id=other, status="good", this_update=now)
        return ocsp_response([single], authority.responder, produced_at=now)

    net.places[OCSP] = about_another
    assert [each.code for each in status("ocsp")[1].unfetched] == ["MS-ANSWER"]


@pytest.mark.parametrize("body", [b"", b"<html>", b"\x30\x80", b"\x30\x03\x0a\x01\x00"])
@pytest.mark.parametrize("source", ["ocsp", "crl"])
def test_octets_that_are_nothing_of_the_kind_are_noted_and_nothing_is_raised(
    net: Net, status, body: bytes, source: str
) -> None:
    net.places[OCSP] = net.places[CRL] = lambda _: body
    facts, hunt = status(source)
    assert facts.status == "unknown"
    assert hunt.unfetched[0].code in {"MS-ANSWER", "MS-MALFORMED"}


def test_an_answer_is_kept_until_newer_information_comes(net: Net, status, clock) -> None:
    net.places[OCSP] = net.responder()
    status("ocsp")
    clock.advance(HOUR - timedelta(seconds=1))
    status("ocsp")
    assert len(net.asked) == 1
    clock.advance(timedelta(seconds=1))
    status("ocsp")
    assert len(net.asked) == 2


def full_list(authority, now, *extensions: Extension, number: int = 1, **terms: Any) -> bytes:
    terms = {"this_update": now, "next_update": now + 12 * HOUR, **terms}
    return issue_crl(authority.ca, number=number, extensions=extensions, **terms).der


@pytest.mark.parametrize("form", [bytes, lambda der: pem_encode("X509 CRL", der)])
def test_a_list_is_read_in_either_form(net: Net, status, authority, now, form) -> None:
    net.places[CRL] = lambda _: form(full_list(authority, now))
    assert status("crl")[0].status == "good"


def test_a_list_by_another_authority_is_refused(net: Net, status, authority, now) -> None:
    terms = {"this_update": now, "next_update": now + HOUR}
    net.places[CRL] = lambda _: issue_crl(authority.root, number=1, **terms).der
    facts, hunt = status("crl")
    assert (facts.status, hunt.crls) == ("unknown", [])


def test_a_list_is_kept_for_a_day_at_most(net: Net, status, authority, now, clock) -> None:
    net.places[CRL] = lambda _: full_list(authority, now, next_update=now + 30 * DAY)
    status("crl")
    clock.advance(DAY - timedelta(seconds=1))
    status("crl")
    assert len(net.asked) == 1
    clock.advance(timedelta(seconds=2))
    status("crl")
    assert len(net.asked) == 2


def test_a_stale_list_is_not_kept_in_place_of_a_fresh_one(
    net: Net, status, authority, now, clock
) -> None:
    net.places[CRL] = lambda _: full_list(
        authority, now, this_update=now - 2 * DAY, next_update=now - DAY
    )
    assert status("crl")[0].status == "unknown"
    net.places[CRL] = lambda _: full_list(authority, now)
    clock.advance(timedelta(minutes=6))
    assert status("crl")[0].status == "good"


def test_the_second_address_of_a_place_is_asked_when_the_first_is_dead(
    net: Net, run, fetcher, authority, now
) -> None:
    point = DistributionPoint(
        names=tuple(GeneralName("uri", f"http://{each}.test/ca.crl") for each in "abcd")
    )
    owner = authority.certify(
        attrs.evolve(QUALIFIED, others=(ext.crl_distribution_points(point),))
    ).certificate
    net.places["http://c.test/ca.crl"] = lambda _: full_list(authority, now)
    hunt = fetcher(max_urls=2)
    run(hunt.status(owner, authority.ca.certificate, "crl"))
    assert net.asked == ["http://a.test/ca.crl", "http://b.test/ca.crl"]
    hunt = fetcher(max_urls=3)
    run(hunt.status(owner, authority.ca.certificate, "crl"))
    assert hunt.weigh(owner, authority.ca.certificate).status == "good"


def test_only_so_many_places_of_a_certificate_are_looked_at(
    net: Net, run, fetcher, authority
) -> None:
    places = [f"http://p{each}.test/ca.crl" for each in range(50)]
    owner = authority.certify(
        attrs.evolve(
            QUALIFIED,
            crl_urls=tuple(places),
            ocsp_urls=tuple(places),
            issuer_urls=tuple(places),
        )
    ).certificate
    hunt = fetcher(max_urls=2, max_fetches=99)
    run(hunt.status(owner, authority.ca.certificate, "crl"))
    assert net.asked == places[:2]
    run(hunt.status(owner, authority.ca.certificate, "ocsp"))
    run(hunt.issuers(owner))
    assert set(net.asked) == set(places[:2])


def test_changes_since_a_list_are_fetched_from_where_it_says(
    net: Net, status, authority, now, certificate
) -> None:
    from medsign.codec.asn1 import RevokedEntry, der

    place = DistributionPoint(names=(GeneralName("uri", "http://crl.test/delta.crl"),))
    value = ext.crl_distribution_points(place)
    freshest = attrs.evolve(value, oid=oids.FRESHEST_CRL)
    delta_of = Extension(oids.DELTA_CRL_INDICATOR, True, der.integer(1))
    net.places[CRL] = lambda _: full_list(authority, now - HOUR, freshest)
    gone = RevokedEntry(
        serial_number=certificate.serial_number, revocation_date=now, reason="keyCompromise"
    )
    net.places["http://crl.test/delta.crl"] = lambda _: full_list(
        authority, now, delta_of, number=2, entries=[gone]
    )
    assert status("crl")[0].status == "revoked"
    assert net.asked == [CRL, "http://crl.test/delta.crl"]


@pytest.mark.parametrize(
    "form",
    [
        lambda ca: ca.der,
        lambda ca: pem_encode("CERTIFICATE", ca.der),
        lambda ca: encode_signed_data((), content=None, certificates=(ca.der,)),
        lambda ca: pem_encode(
            "PKCS7", encode_signed_data((), content=None, certificates=(ca.der,))
        ),
    ],
    ids=["der", "pem", "p7c", "pem-p7c"],
)
def test_an_issuer_is_read_in_every_form_that_is_used(
    net: Net, run, fetcher, authority, certificate, form
) -> None:
    net.places[AIA] = lambda _: form(authority.ca.certificate)
    hunt = fetcher()
    assert run(hunt.issuers(certificate)) == (authority.ca.certificate,)
    assert hunt.pool == hunt.fetched == [authority.ca.certificate]


def test_of_many_certificates_at_one_place_only_so_many_are_read(authority) -> None:
    assert len(read_issuers(pem_encode("CERTIFICATE", authority.ca.certificate.der) * 99)) == 16


def test_octets_that_are_no_certificates_are_malformed() -> None:
    with pytest.raises(MalformedError):
        read_issuers(b"<html>")


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_octets_are_certificates_or_malformed(data: bytes) -> None:
    try:
        found = read_issuers(data)
    except (MalformedError, BudgetExceeded):
        return
    assert isinstance(found, tuple)


@pytest.mark.parametrize("head", [b"-----BEGIN CERTIFICATE-----", b"-----BEGIN PKCS7-----"])
@given(body=st.binary(max_size=100))
def test_any_octets_after_a_head_are_certificates_or_malformed(head: bytes, body: bytes) -> None:
    with suppress(MalformedError, BudgetExceeded):
        assert isinstance(read_issuers(head + b"\n" + body), tuple)


@pytest.mark.parametrize(("source", "bound"), [("ocsp", "max_bytes"), ("crl", "max_list_bytes")])
def test_an_answer_over_its_bound_is_noted(net: Net, status, source: str, bound: str) -> None:
    net.places[OCSP] = net.places[CRL] = lambda _: bytes(101)
    _, hunt = status(source, **{bound: 100})
    assert [each.code for each in hunt.unfetched] == ["MS-BUDGET"]


def test_somebody_else_s_certificate_is_no_issuer_and_does_not_spoil_the_address(
    net: Net, run, fetcher, authority, certificate, flipped
) -> None:
    net.places[AIA] = lambda _: authority.ca.certificate.der
    forged = flipped(certificate)
    hunt = fetcher()
    assert run(hunt.issuers(forged)) == ()
    assert [each.code for each in hunt.unfetched] == ["MS-ANSWER"]
    assert run(fetcher().issuers(certificate)) == (authority.ca.certificate,)


def test_a_dead_address_is_asked_once_for_all_certificates(
    net: Net, run, fetcher, authority, certificate
) -> None:
    template = attrs.evolve(QUALIFIED, issuer_urls=(AIA,))
    other = authority.certify(template).certificate
    for each in (certificate, other, certificate):
        hunt = fetcher()
        run(hunt.issuers(each))
        assert [(one.code, one.host) for one in hunt.unfetched] == [("MS-CONNECT", "aia.test")]
    assert net.asked == [AIA]


def test_an_address_that_was_given_too_little_time_is_not_taken_for_dead(
    net: Net, run, fetcher, authority, certificate, clock
) -> None:
    slow = "http://slow.test/ca.cer"
    greedy = authority.certify(attrs.evolve(QUALIFIED, issuer_urls=(slow, AIA))).certificate

    def take(seconds: float) -> Callable[[bytes], bytes]:
        def answer(_: bytes) -> bytes:
            clock.advance(timedelta(seconds=seconds))
            raise httpx.ReadTimeout("")

        return answer

    net.places |= {slow: take(29.9), AIA: take(0.1)}
    run(fetcher().issuers(greedy))
    net.places[AIA] = lambda _: authority.ca.certificate.der
    assert run(fetcher().issuers(certificate)) == (authority.ca.certificate,)


def test_no_time_is_left_when_the_requests_before_took_it(
    net: Net, run, fetcher, certificate, authority, clock
) -> None:
    def slow(_: bytes) -> bytes:
        clock.advance(timedelta(seconds=31))
        return b""

    net.places[AIA] = slow
    hunt = fetcher()
    run(hunt.issuers(certificate))
    run(hunt.status(certificate, authority.ca.certificate, "crl"))
    assert net.asked == [AIA]
    assert hunt.unfetched[-1].code == "MS-BUDGET"


def test_other_digests_count_as_requests_too(net: Net, status) -> None:
    net.places[OCSP] = net.responder(knows=())
    _, hunt = status("ocsp", max_fetches=2)
    assert len(net.asked) == 2
    assert [each.code for each in hunt.unfetched] == ["MS-BUDGET"]


def test_an_address_that_is_refused_is_noted_with_its_host_only(
    run, fetcher, authority, net: Net
) -> None:
    template = attrs.evolve(QUALIFIED, issuer_urls=("ldap://user:word@ca.test/cn=ca",))
    hunt = fetcher()
    run(hunt.issuers(authority.certify(template).certificate))
    (missed,) = hunt.unfetched
    assert (missed.code, missed.host) == ("MS-ADDRESS", "ca.test")
    assert "word" not in repr(missed)


@pytest.fixture(params=["memory", "sqlite", "own"])
def kept(request, tmp_path):
    """Return a cache over each kind of store, and the store itself."""
    if request.param == "own":
        yield EvidenceCache()
        return
    store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "cache.db")
    yield EvidenceCache(store)
    store.close()


def test_an_entry_is_there_until_its_term(kept: EvidenceCache, now) -> None:
    assert kept.find("a", now=now) is None
    kept.keep("a", b"\x00body", now=now, until=now + HOUR)
    assert kept.find("a", now=now) == b"\x00body"
    assert kept.find("b", now=now) is None
    assert kept.find("a", now=now + HOUR) is None


def test_a_newer_entry_replaces_the_older(kept: EvidenceCache, now) -> None:
    kept.fail("a", Failure(code="MS-CONNECT", reason="Нет связи"), now=now)
    assert kept.find("a", now=now) == Failure(code="MS-CONNECT", reason="Нет связи")
    kept.keep("a", b"body", now=now, until=now + HOUR)
    assert kept.find("a", now=now) == b"body"


def test_an_entry_outlives_midnight_but_not_a_day(kept: EvidenceCache, now) -> None:
    late = now.replace(hour=23, minute=59)
    kept.keep("a", b"body", now=late, until=late + 9 * DAY)
    assert kept.find("a", now=late + 23 * HOUR) == b"body"
    assert kept.find("a", now=late + DAY) is None


def test_a_failure_and_what_has_no_term_are_kept_briefly(kept: EvidenceCache, now) -> None:
    kept.fail("a", Failure(code="MS-TIMEOUT", reason=""), now=now)
    kept.keep("b", b"body", now=now, until=None)
    later = now + timedelta(minutes=5)
    assert kept.find("a", now=later) is kept.find("b", now=later) is None


def test_a_term_that_is_over_keeps_nothing(kept: EvidenceCache, now) -> None:
    kept.keep("a", b"body", now=now, until=now)
    assert kept.find("a", now=now) is None


def test_a_clock_that_went_back_finds_nothing_from_its_future(kept: EvidenceCache, now) -> None:
    kept.keep("a", b"body", now=now, until=now + HOUR)
    assert kept.find("a", now=now - timedelta(seconds=1)) is None


def test_an_entry_that_was_changed_in_the_store_is_none(now) -> None:
    class Tampered(MemoryStore):
        def load(self, stream: str, after: int = 0) -> Any:
            found = super().load(stream, after)
            if not stream.startswith("fetched-body/"):
                return found
            return tuple(attrs.evolve(each, data={"base64": "aGVsbG8="}) for each in found)

    cache = EvidenceCache(Tampered())
    cache.keep("a", b"body", now=now, until=now + HOUR)
    assert cache.find("a", now=now) is None


@pytest.mark.parametrize("until", ["whenever", "2099-01-01T00:00:00", 5])
def test_a_term_that_was_changed_in_the_store_is_none(now, until) -> None:
    class Tampered(MemoryStore):
        def load(self, stream: str, after: int = 0) -> Any:
            found = super().load(stream, after)
            return tuple(attrs.evolve(each, data={**each.data, "until": until}) for each in found)

    cache = EvidenceCache(Tampered())
    cache.keep("a", b"body", now=now, until=now + HOUR)
    assert cache.find("a", now=now) is None


@pytest.mark.parametrize("trouble", [StoreError("full"), VersionConflict("s", 0, 1)])
def test_a_store_in_trouble_or_taken_by_a_rival_only_costs_a_request(now, trouble) -> None:
    class Broken(MemoryStore):
        def append(self, *_: Any, **__: Any) -> int:
            raise trouble

    cache = EvidenceCache(Broken())
    cache.keep("a", b"body", now=now, until=now + HOUR)
    cache.fail("b", Failure(code="MS-CONNECT", reason=""), now=now)
    assert cache.find("a", now=now) is None


def test_a_closed_store_only_costs_a_request(now) -> None:
    store = MemoryStore()
    store.close()
    assert EvidenceCache(store).find("a", now=now) is None


def test_rivals_do_no_harm(tmp_path, now) -> None:
    with closing(SqliteStore(tmp_path / "cache.db")) as store:
        caches = [EvidenceCache(store) for _ in range(4)]

        def fill(cache: EvidenceCache) -> None:
            for each in range(10):
                cache.keep(f"key {each}", b"body" * each, now=now, until=now + HOUR)

        threads = [threading.Thread(target=fill, args=(each,)) for each in caches]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        for each in range(10):
            assert caches[0].find(f"key {each}", now=now) == b"body" * each


def test_one_thing_too_large_to_keep_drives_nothing_out(now) -> None:
    cache = EvidenceCache(max_bytes=3000)
    cache.keep("small", b"list", now=now, until=now + HOUR)
    cache.keep("large", bytes(9000), now=now, until=now + HOUR)
    assert cache.find("small", now=now) == b"list"
    assert cache.find("large", now=now) is None


def test_a_memory_that_is_full_begins_anew(now) -> None:
    cache = EvidenceCache(max_bytes=3000)
    for each in range(50):
        cache.keep(str(each), bytes([each]) * 900, now=now, until=now + HOUR)
    assert cache.find("49", now=now) == bytes([49]) * 900
    assert cache.find("0", now=now) is None


def test_into_a_store_of_the_caller_only_so_much_is_put(now) -> None:
    store = MemoryStore()
    cache = EvidenceCache(store, max_bytes=3000)
    for each in range(50):
        cache.keep(str(each), bytes([each]) * 900, now=now, until=now + HOUR)
    assert cache.find("0", now=now) == bytes(900)
    assert len(list(store.streams("fetched-body/"))) == 2


def test_what_is_larger_than_the_cache_is_not_kept(now) -> None:
    cache = EvidenceCache(max_bytes=3000)
    cache.keep("a", bytes(4000), now=now, until=now + HOUR)
    assert cache.find("a", now=now) is None


def test_a_word_about_a_service_is_remembered_for_a_day(kept: EvidenceCache, now) -> None:
    assert kept.recall("digest", now=now) is None
    kept.remember("digest", oids.SHA256, now=now)
    assert kept.recall("digest", now=now + 23 * HOUR) == oids.SHA256
    assert kept.recall("digest", now=now + DAY) is None
