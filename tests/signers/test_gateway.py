"""Signed requests and answers: what is signed, who checks it, and what is refused."""

from __future__ import annotations

import threading
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import anyio
import attrs
import httpx
import pytest
from http_message_signatures import (
    ContentDigest,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    HTTPSignatureKeyResolver,
    InvalidSignature,
)
from hypothesis import given
from hypothesis import strategies as st

from medsign.clock import ManualClock
from medsign.codec.fields import Item, decode_dictionary, encode_dictionary, encode_member
from medsign.errors import ApiError, NotAuthentic, OutcomeUnknown, UsageError
from medsign.exchange import Context, Driver
from medsign.gost import digest
from medsign.pki.issuing import ROOT_CA, issue_root, subject_name
from medsign.pki.keys import public_key
from medsign.pki.signing import sign
from medsign.sandbox import Sandbox
from medsign.signers import (
    HttpMessage,
    RequestSignature,
    SoftwareKey,
    sign_message,
    verify_message,
)
from medsign.signers.gateway import COVERED
from medsign.transport import ApiKey, RefreshGrant

NOON = datetime(2026, 7, 1, 9, tzinfo=UTC)
CURVES = {"256": "1.2.643.2.2.35.1", "512": "1.2.643.7.1.2.1.2.1"}


def a_signer(curve=CURVES["256"]):
    key = SoftwareKey.generate(curve)
    subject = subject_name(organization="Тестовая клиника")
    root = issue_root(ROOT_CA, subject=subject, signer=key, not_before=NOON - timedelta(days=1))
    return key.certified(root)


@pytest.fixture(scope="module", params=CURVES.values(), ids=CURVES.keys())
def signer(request):
    return a_signer(request.param)


SIGNER = a_signer()


def a_request(**changes):
    headers = {
        "content-type": "application/json",
        "idempotency-key": "document-17",
        "authorization": "N3 token",
    }
    parts = {
        "method": "POST",
        "target": "https://gateway.test/sep/documents?mode=1",
        "headers": headers,
        "body": b'{"id":17}',
    }
    return HttpMessage(**(parts | changes))


def signed(message, signer, nonce="n-1", at=NOON):
    fields = sign_message(message, signer, at=at, nonce=nonce)
    return attrs.evolve(message, headers={**message.headers, **fields})


PREPARED = signed(a_request(), SIGNER)
OTHER = signed(a_request(), SIGNER, nonce="n-2")


def check(message, signer, at=NOON):
    own = signer.certificate
    return verify_message(message, lambda key: own if key == own.fingerprint else None, at=at)


@pytest.mark.req("F127")
def test_what_is_signed_verifies(signer):
    found = check(signed(a_request(), signer), signer)
    assert (found.nonce, found.created) == ("n-1", NOON)
    assert found.key_id == signer.certificate.fingerprint


def changed(message, **headers):
    return attrs.evolve(message, headers={**message.headers, **headers})


def without(message, *names):
    headers = {name: value for name, value in message.headers.items() if name not in names}
    return attrs.evolve(message, headers=headers)


@pytest.mark.parametrize(
    "tamper, reason",
    [
        (lambda m: attrs.evolve(m, method="DELETE"), "value"),
        (lambda m: attrs.evolve(m, target="https://gateway.test/sep/documents?mode=2"), "value"),
        (lambda m: attrs.evolve(m, target="https://other.test/sep/documents?mode=1"), "value"),
        (lambda m: attrs.evolve(m, body=b'{"id":18}'), "digest"),
        (lambda m: changed(m, **{"idempotency-key": "document-18"}), "value"),
        (lambda m: changed(m, authorization="N3 other"), "value"),
        (lambda m: changed(m, **{"content-type": "text/plain"}), "value"),
        (lambda m: without(m, "idempotency-key"), "coverage"),
        (lambda m: without(m, "signature"), "missing"),
        (lambda m: without(m, "signature-input"), "missing"),
        (lambda m: without(m, "content-digest"), "missing"),
        (lambda m: changed(m, signature="medsign=:AAAA:"), "value"),
        (lambda m: changed(m, signature="other=:AAAA:"), "missing"),
        (lambda m: changed(m, signature="medsign=1"), "value"),
        (lambda m: changed(m, signature="medsign=("), "malformed"),
        (lambda m: changed(m, signature="medsign=:AA==:, medsign=:AA==:"), "malformed"),
        (lambda m: changed(m, **{"signature-input": 'medsign=("@method")'}), "coverage"),
        (lambda m: changed(m, date="yesterday"), "malformed"),
        (lambda m: changed(m, date="Wed, 01 Jul 2026 10:00:00 GMT"), "time"),
        (lambda m: changed(m, date="Wed, 01 Jul 2026 09:00:00 -0000"), "malformed"),
        (lambda m: without(m, "date"), "malformed"),
        (lambda m: changed(m, **{"content-type": "text/тест"}), "malformed"),
    ],
)
def test_whatever_is_changed_is_refused(tamper, reason):
    signer = a_signer()
    with pytest.raises(NotAuthentic) as refused:
        check(tamper(signed(a_request(), signer)), signer)
    assert refused.value.reason == reason


def test_a_component_put_in_on_the_way_is_not_covered_and_so_refused(signer):
    bare = a_request(headers={"content-type": "application/json"})
    message = changed(signed(bare, signer), authorization="N3 stolen")
    with pytest.raises(NotAuthentic, match="authorization"):
        check(message, signer)


@pytest.mark.parametrize("minutes, good", [(-6, False), (-5, True), (5, True), (6, False)])
def test_clocks_may_differ_by_five_minutes(signer, minutes, good):
    message = signed(a_request(), signer)
    if good:
        check(message, signer, NOON + timedelta(minutes=minutes))
    else:
        with pytest.raises(NotAuthentic) as refused:
            check(message, signer, NOON + timedelta(minutes=minutes))
        assert refused.value.reason == "time"


@pytest.mark.parametrize(
    "parameters, again, reason",
    [
        ({"expires": NOON - timedelta(seconds=1)}, (), "time"),
        ({"expires": "tomorrow"}, (), "malformed"),
        ({"alg": "rsa-v1_5-sha256"}, (), "malformed"),
        ({}, (Item("date"),), "malformed"),
    ],
)
def test_what_a_signer_says_of_the_signature_itself_is_heeded(parameters, again, reason):
    message = signed(a_request(), SIGNER)
    said = {k: int(v.timestamp()) if isinstance(v, datetime) else v for k, v in parameters.items()}
    covered = covered_by(message)
    covered = attrs.evolve(
        covered, items=covered.items + again, parameters={**covered.parameters, **said}
    )
    with pytest.raises(NotAuthentic) as refused:
        check(resigned(message, covered), SIGNER)
    assert refused.value.reason == reason


def test_a_key_that_no_signature_can_hold_is_refused_before_anything_is_sent(signer):
    with pytest.raises(UsageError, match="ASCII"):
        signed(a_request(headers={"idempotency-key": "направление-17"}), signer)


def test_a_certificate_that_may_not_sign_is_refused(signer):
    with pytest.raises(NotAuthentic) as refused:
        check(signed(a_request(), signer), a_signer())
    assert refused.value.reason == "key"


def test_an_answer_is_bound_to_its_request(signer):
    request = signed(a_request(), signer)
    answer = signed(HttpMessage(status=201, headers={}, body=b"{}", request=request), signer)
    check(answer, signer)
    other = signed(a_request(), signer, nonce="n-2")
    with pytest.raises(NotAuthentic) as refused:
        check(attrs.evolve(answer, request=other), signer)
    assert refused.value.reason == "value"


@pytest.mark.parametrize(
    "tamper",
    [
        lambda m: attrs.evolve(m, method="PUT"),
        lambda m: attrs.evolve(m, target="https://gateway.test/sep/documents?mode=2"),
        lambda m: changed(
            m, **{"signature-input": m.headers["signature-input"].replace("n-1", "n-2")}
        ),
        lambda m: changed(m, signature=OTHER.headers["signature"]),
    ],
    ids=["method", "target", "nonce", "signature"],
)
def test_each_part_that_binds_an_answer_to_its_request_does_so_alone(tamper):
    answer = signed(HttpMessage(status=201, headers={}, body=b"{}", request=PREPARED), SIGNER)
    check(answer, SIGNER)
    with pytest.raises(NotAuthentic) as refused:
        check(attrs.evolve(answer, request=tamper(PREPARED)), SIGNER)
    assert refused.value.reason == "value"


def resigned(message, covered, signer=None):
    """Sign other components than ours, as a signer may who does not know our minimum."""
    signer = signer or SIGNER
    lines = [f"{encode_member(each)}: {message.value(each)}" for each in covered.items]
    base = "\n".join([*lines, f'"@signature-params": {encode_member(covered)}'])
    value = sign(signer, base.encode("ascii"))
    fields = {"signature-input": covered, "signature": Item(value)}
    return changed(message, **{k: encode_dictionary({"medsign": v}) for k, v in fields.items()})


def covered_by(message):
    return decode_dictionary(message.headers["signature-input"], "signature-input")["medsign"]


def all_headers():
    return {name: f"value of {name}" for name in COVERED}


@pytest.mark.parametrize("left_out", ["@method", "@target-uri", "date", "content-digest", *COVERED])
def test_a_request_that_leaves_one_required_part_unsigned_is_refused(left_out):
    message = signed(a_request(headers=all_headers()), SIGNER)
    check(message, SIGNER)
    covered = covered_by(message)
    fewer = tuple(each for each in covered.items if each.value != left_out)
    assert len(fewer) == len(covered.items) - 1
    with pytest.raises(NotAuthentic) as refused:
        check(resigned(message, attrs.evolve(covered, items=fewer)), SIGNER)
    assert (refused.value.reason, left_out in str(refused.value)) == ("coverage", True)


ANSWER_PARTS = [
    Item("@status"),
    Item("@method", {"req": True}),
    Item("@target-uri", {"req": True}),
    Item("signature-input", {"req": True, "key": "medsign"}),
    Item("signature", {"req": True, "key": "medsign"}),
    Item("date"),
    Item("content-digest"),
    Item("content-type"),
]


@pytest.mark.parametrize("left_out", ANSWER_PARTS, ids=encode_member)
def test_an_answer_that_leaves_one_required_part_unsigned_is_refused(left_out):
    headers = {"content-type": "application/json"}
    answer = signed(HttpMessage(status=201, headers=headers, request=PREPARED), SIGNER)
    covered = covered_by(answer)
    assert sorted(covered.items, key=str) == sorted(ANSWER_PARTS, key=str)
    fewer = tuple(each for each in covered.items if each != left_out)
    with pytest.raises(NotAuthentic) as refused:
        check(resigned(answer, attrs.evolve(covered, items=fewer)), SIGNER)
    assert refused.value.reason == "coverage"


@pytest.mark.parametrize("field", COVERED)
def test_a_field_that_is_put_in_on_the_way_is_refused(field):
    message = changed(signed(a_request(headers={}), SIGNER), **{field: "put in"})
    with pytest.raises(NotAuthentic) as refused:
        check(message, SIGNER)
    assert refused.value.reason == "coverage"


@given(
    st.dictionaries(
        st.sampled_from(COVERED), st.text(st.characters(min_codepoint=32, max_codepoint=126))
    ),
    st.sampled_from(COVERED),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8),
)
def test_no_field_can_be_put_in_changed_or_taken_out_unseen(headers, field, value):
    message = signed(a_request(headers=headers), SIGNER)
    check(message, SIGNER)
    # Blanks around a value are none of it.
    if headers.get(field, "").strip(" ") != value:
        with pytest.raises(NotAuthentic):
            check(changed(message, **{field: value}), SIGNER)
    if field in headers:
        with pytest.raises(NotAuthentic):
            check(without(message, field), SIGNER)


def test_names_of_fields_in_capitals_are_the_same_fields():
    message = signed(a_request(headers={"Authorization": "N3 token"}), SIGNER)
    assert Item("authorization") in covered_by(message).items
    stolen = {**signed(a_request(headers={}), SIGNER).headers, "AUTHORIZATION": "N3 stolen"}
    with pytest.raises(NotAuthentic) as refused:
        check(a_request(headers=stolen), SIGNER)
    assert refused.value.reason == "coverage"


def test_a_field_whose_name_only_the_service_knows_is_signed_and_required_on_request():
    message = a_request(headers={"x-clinic-key": "secret"})
    fields = sign_message(message, SIGNER, at=NOON, nonce="n-1", also=["X-Clinic-Key"])
    ours = changed(message, **fields)
    for good, also in ((ours, ["X-Clinic-Key"]), (signed(message, SIGNER), [])):
        verify_message(good, lambda _: SIGNER.certificate, at=NOON, also=also)
    with pytest.raises(NotAuthentic) as refused:
        verify_message(
            signed(message, SIGNER), lambda _: SIGNER.certificate, at=NOON, also=["x-clinic-key"]
        )
    assert refused.value.reason == "coverage"


def test_the_key_that_another_scheme_puts_in_is_signed_under_whatever_name():
    seen = []

    def answer(request):
        seen.append(request)
        return httpx.Response(200)

    inner = ApiKey("X-Clinic-Key", "secret")
    auth = RequestSignature(signer=SIGNER, inner=inner, also=("X-Ward",), clock=ManualClock(NOON))
    with httpx.Client(transport=httpx.MockTransport(answer), auth=auth) as http:
        http.get("https://gateway.test/ca", headers={"X-Ward": "17"})
    message = HttpMessage.of_request(seen[0])
    verify_message(message, lambda _: SIGNER.certificate, at=NOON, also=["X-Clinic-Key", "X-Ward"])


def test_a_field_with_no_value_is_signed_as_such():
    message = signed(a_request(headers={"content-type": ""}), SIGNER)
    check(message, SIGNER)
    with pytest.raises(NotAuthentic):
        check(changed(message, **{"content-type": "text/plain"}), SIGNER)


@pytest.mark.parametrize("sign_of_trouble", ["\n", "\r", "\0", "\x7f", "\x1b"])
def test_a_value_that_could_begin_a_line_of_its_own_is_refused_by_both_sides(sign_of_trouble):
    value = f'application/json{sign_of_trouble}"@method": GET'
    with pytest.raises(UsageError):
        signed(a_request(headers={"content-type": value}), SIGNER)
    with pytest.raises(NotAuthentic) as refused:
        check(changed(PREPARED, **{"content-type": value}), SIGNER)
    assert refused.value.reason == "malformed"


@pytest.mark.parametrize(
    "component",
    [
        Item("date", {"req": True}),
        Item("date", {"req": False, "sf": True}),
        Item("date", {"req": 1}),
        Item("date", {"sf": True}),
        Item("date", {"key": "x"}),
        Item("content-digest", {"key": "sha-256"}),
        Item("content-digest", {"key": 1}),
        Item("@query"),
        Item("@status"),
        Item("x-missing"),
        Item(b"date"),
        Item(True),
    ],
    ids=encode_member,
)
def test_a_component_that_the_message_does_not_have_is_refused(component):
    covered = covered_by(PREPARED)
    more = attrs.evolve(covered, items=(*covered.items, component))
    message = changed(PREPARED, **{"signature-input": encode_dictionary({"medsign": more})})
    with pytest.raises(NotAuthentic) as refused:
        check(message, SIGNER)
    assert refused.value.reason in {"coverage", "malformed"}


def test_a_list_of_components_that_would_take_long_to_read_is_refused_unread():
    covered = covered_by(PREPARED)
    rubbish = tuple(Item("date", {f"p{number}": True}) for number in range(60))
    more = attrs.evolve(covered, items=(*covered.items, *rubbish))
    message = changed(PREPARED, **{"signature-input": encode_dictionary({"medsign": more})})
    with pytest.raises(NotAuthentic, match="more components") as refused:
        check(message, SIGNER)
    assert refused.value.reason == "malformed"


def test_one_component_in_two_spellings_is_listed_twice():
    answer = signed(HttpMessage(status=200, headers={}, request=PREPARED), SIGNER)
    covered = covered_by(answer)
    again = Item("signature", {"key": "medsign", "req": True})
    message = resigned(answer, attrs.evolve(covered, items=(*covered.items, again)))
    with pytest.raises(NotAuthentic, match="twice"):
        check(message, SIGNER)


@pytest.mark.parametrize(
    "moment, good",
    [
        (SIGNER.certificate.not_before - timedelta(minutes=5), True),
        (SIGNER.certificate.not_before - timedelta(minutes=5, seconds=1), False),
        (SIGNER.certificate.not_after, True),
        (SIGNER.certificate.not_after + timedelta(seconds=1), False),
    ],
    ids=["by a slow clock", "before", "to the end", "after"],
)
def test_a_certificate_signs_only_while_it_is_valid(moment, good):
    message = signed(a_request(), SIGNER, at=moment)
    if good:
        check(message, SIGNER, moment)
    else:
        with pytest.raises(NotAuthentic) as refused:
            check(message, SIGNER, moment)
        assert refused.value.reason == "key"


def test_a_moment_without_a_time_zone_is_refused_by_both_sides():
    naive = datetime(2026, 7, 1, 9)  # noqa: DTZ001 - what the test is about
    with pytest.raises(UsageError):
        signed(a_request(), SIGNER, at=naive)
    with pytest.raises(UsageError):
        check(PREPARED, SIGNER, naive)


def test_a_nonce_that_no_field_can_hold_is_refused_without_being_quoted():
    with pytest.raises(UsageError) as refused:
        signed(a_request(), SIGNER, nonce="число-17")
    assert "число" not in str(refused.value)


@given(
    st.text(st.characters(max_codepoint=255), max_size=80),
    st.sampled_from(["signature", "signature-input", "content-digest"]),
)
def test_any_text_in_a_field_is_refused_with_a_reason(text, field):
    message = changed(PREPARED, **{field: text})
    with pytest.raises(NotAuthentic):
        check(message, SIGNER)


# A stranger as judge: a library that knows RFC 9421 and has never heard of GOST.


def algorithm_of(signer):
    class Gost(HTTPSignatureAlgorithm):
        algorithm_id = "gost-by-certificate"

        def __init__(self, public_key=None, private_key=None, password=None):
            self.key = public_key or private_key

        def sign(self, message):
            return self.key.sign_digest(digest(self.key.digest_algorithm, message))

        def verify(self, signature, message):
            key = public_key(self.key.certificate.public_key)
            hashed = digest(self.key.digest_algorithm, message)
            if not signer.provider.verify(key, hashed, signature):
                raise InvalidSignature

    return Gost


class Keys(HTTPSignatureKeyResolver):
    def __init__(self, signer):
        self.signer = signer

    def resolve_public_key(self, key_id):
        assert key_id == self.signer.certificate.fingerprint
        return self.signer

    resolve_private_key = resolve_public_key


class AnyDigest(HTTPMessageSigner):
    class content_digest_class(ContentDigest):  # noqa: N801 - the judge's own name
        @classmethod
        def prepare(cls, *_, **__):
            """The judge knows no digest but SHA-2; ours is in the message."""


class Timeless(HTTPMessageVerifier):
    def validate_created_and_expires(self, sig_input, max_age=None):
        """The judge has no clock but the machine's."""


def plain(message):
    return SimpleNamespace(method=message.method, url=message.target, headers=dict(message.headers))


def test_another_implementation_of_rfc_9421_accepts_our_signature(signer):
    judge = Timeless(signature_algorithm=algorithm_of(signer), key_resolver=Keys(signer))
    message = signed(a_request(), signer)
    (result,) = judge.verify(plain(message), expect_tag="medsign")
    assert set(result.covered_components) >= {'"@method"', '"@target-uri"', '"date"'}
    spoilt = attrs.evolve(message, method="PUT")
    with pytest.raises(InvalidSignature):
        judge.verify(plain(spoilt), expect_tag="medsign")


def test_we_accept_the_signature_of_another_implementation(signer):
    name = f"streebog-{signer.digest_algorithm.size * 8}"

    body = b'{"id":17}'
    hashed = b64encode(digest(signer.digest_algorithm, body)).decode()
    message = changed(
        a_request(),
        date="Wed, 01 Jul 2026 09:00:00 GMT",
        **{"content-digest": f"{name}=:{hashed}:"},
    )
    theirs = plain(message)
    AnyDigest(signature_algorithm=algorithm_of(signer), key_resolver=Keys(signer)).sign(
        theirs,
        use_existing_digest=True,
        tag="medsign",
        key_id=signer.certificate.fingerprint,
        created=NOON,
        nonce="theirs",
        label="medsign",
        include_alg=False,
        covered_component_ids=(
            *("idempotency-key", "@target-uri", "date", "authorization", "content-digest"),
            *("@method", "content-type"),
        ),
    )
    received = {name.lower(): value for name, value in theirs.headers.items()}
    assert check(attrs.evolve(message, headers=received), signer).nonce == "theirs"


def plain_answer(answer):
    return SimpleNamespace(
        status_code=answer.status, headers=dict(answer.headers), request=plain(answer.request)
    )


def test_another_implementation_of_rfc_9421_binds_our_answer_to_its_request(signer):
    judge = Timeless(signature_algorithm=algorithm_of(signer), key_resolver=Keys(signer))
    request = signed(a_request(), signer)
    headers = {"content-type": "application/json"}
    answer = signed(HttpMessage(status=201, headers=headers, request=request), signer)
    (result,) = judge.verify(plain_answer(answer), expect_tag="medsign")
    assert '"signature";req;key="medsign"' in result.covered_components
    for other in (
        attrs.evolve(request, method="PUT"),
        attrs.evolve(request, target="https://gateway.test/sep/documents"),
        signed(a_request(), signer, nonce="n-2"),
    ):
        with pytest.raises(InvalidSignature):
            judge.verify(plain_answer(attrs.evolve(answer, request=other)), expect_tag="medsign")


def test_we_accept_an_answer_that_another_implementation_has_bound(signer):
    request = signed(a_request(), signer)
    name = f"streebog-{signer.digest_algorithm.size * 8}"
    hashed = b64encode(digest(signer.digest_algorithm, b"{}")).decode()
    headers = {"date": "Wed, 01 Jul 2026 09:00:00 GMT", "content-digest": f"{name}=:{hashed}:"}
    theirs = plain_answer(HttpMessage(status=200, headers=headers, request=request))
    AnyDigest(signature_algorithm=algorithm_of(signer), key_resolver=Keys(signer)).sign(
        theirs,
        use_existing_digest=True,
        tag="medsign",
        key_id=signer.certificate.fingerprint,
        created=NOON,
        nonce="theirs",
        label="medsign",
        include_alg=False,
        covered_component_ids=(
            *('"signature";key="medsign";req', '"signature-input";req;key="medsign"'),
            *('"@target-uri";req', '"@method";req', "@status", "content-digest", "date"),
        ),
    )
    received = {name.lower(): value for name, value in theirs.headers.items()}
    message = HttpMessage(status=200, headers=received, body=b"{}", request=request)
    assert check(message, signer).nonce == "theirs"


# Over the sandbox, which checks as the gateway would.


@pytest.fixture
def sandbox():
    with Sandbox(clock=ManualClock(NOON), signed_requests=True) as sandbox:
        yield sandbox


@pytest.mark.req("F127")
def test_the_window_signs_for_a_gateway_that_wants_it(sandbox):
    with sandbox.connect(gateway=sandbox.gateway()) as window:
        assert list(window.ca.certificates()) == []
        assert len(window.mchd.generate_number()) == 36


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_asynchronous_window_signs_too(sandbox, backend):
    async def ask() -> list[object]:
        async with sandbox.async_connect(gateway=sandbox.gateway()) as window:
            return [each async for each in window.ca.certificates()]

    assert anyio.run(ask, backend=backend) == []


def refusal_of(window):
    with pytest.raises(ApiError) as refused:
        list(window.ca.certificates())
    return refused.value.problem


def test_a_token_is_renewed_once_for_signed_and_unsigned_services_alike():
    grant = RefreshGrant(
        url="https://id.test/token", refresh_token="refresh-0", clock=ManualClock(NOON)
    )
    signing = RequestSignature(signer=SIGNER, inner=grant, clock=ManualClock(NOON))
    asked, never = threading.Event(), threading.Event()
    drawn = []

    def answer(request):
        if request.url.path == "/token":
            drawn.append(request)
            asked.set()
            never.wait(0.2)  # the other one comes meanwhile
            return httpx.Response(200, json={"access_token": "access"})
        return httpx.Response(200)

    def get(auth):
        with httpx.Client(transport=httpx.MockTransport(answer), auth=auth) as http:
            return http.get("https://api.test/persons").status_code

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(get, grant)
        assert asked.wait(10)
        assert (get(signing), first.result(10)) == (200, 200)
    assert len(drawn) == 1


def test_an_unsigned_request_is_refused(sandbox):
    with sandbox.connect() as window:
        assert refusal_of(window) == "signature-missing"


def test_a_certificate_that_is_revoked_signs_no_more(sandbox):
    from medsign.sandbox.pki import Pki, serial

    gateway = attrs.evolve(sandbox.gateway(), certificate=None)
    with sandbox.connect(gateway=gateway) as window:
        list(window.ca.certificates())
        sandbox.world.part(Pki).change(serial(gateway.signer.certificate), "revoke")
        assert refusal_of(window) == "signature-key"


def test_a_wrong_clock_is_told_as_such(sandbox):
    late = ManualClock(NOON - timedelta(minutes=6))
    gateway = attrs.evolve(sandbox.gateway(), certificate=None, clock=late)
    with sandbox.connect(gateway=gateway) as window:
        assert refusal_of(window) == "signature-time"


def test_a_refusal_before_the_services_hints_at_clock_and_certificate(sandbox):
    late = ManualClock(NOON - timedelta(minutes=6))
    gateway = attrs.evolve(sandbox.gateway(), clock=late)
    with (
        sandbox.connect(gateway=gateway) as window,
        pytest.raises(NotAuthentic, match="unsigned 401") as refused,
    ):
        list(window.ca.certificates())
    assert refused.value.reason == "missing"


class Tap(httpx.BaseTransport):
    """What stands between a clinic and its gateway."""

    def __init__(self, inner, meddle=lambda response: response):
        self.inner = inner
        self.meddle = meddle
        self.seen = []

    def handle_request(self, request):
        # A copy: a repeat puts new fields into the same request.
        copy = httpx.Request(
            request.method, request.url, headers=request.headers, content=request.read()
        )
        self.seen.append(copy)
        return self.meddle(self.inner.handle_request(request))


def test_a_recorded_request_cannot_be_sent_again(sandbox):
    tap = Tap(sandbox.transport())
    with sandbox.connect(gateway=sandbox.gateway(), transport=tap) as window:
        list(window.ca.certificates())
    again = sandbox.transport().handle_request(tap.seen[-1])
    assert again.status_code == 401
    assert b"signature-replay" in again.read()


def replayed(request):
    return request


def spoilt(request):
    headers = {**request.headers, "content-digest": "streebog-256=:AAAA:"}
    return httpx.Request(request.method, request.url, headers=headers, content=request.content)


def stripped(request):
    headers = {k: v for k, v in request.headers.items() if k != "signature-input"}
    return httpx.Request(request.method, request.url, headers=headers, content=request.content)


def aimed_at_an_open_place(request):
    url = request.url.copy_with(path="/openapi.json")
    return httpx.Request("GET", url, headers=request.headers)


@pytest.mark.parametrize("copy", [replayed, spoilt, stripped, aimed_at_an_open_place])
def test_what_was_not_let_in_gets_no_answer_that_another_request_could_get(sandbox, copy):
    tap = Tap(sandbox.transport())
    with sandbox.connect(gateway=sandbox.gateway(), transport=tap) as window:
        list(window.ca.certificates())
    answer = sandbox.transport().handle_request(copy(tap.seen[-1]))
    assert "signature" not in answer.headers


def test_the_organisation_that_a_request_speaks_for_is_signed(signer):
    message = signed(a_request(headers={"n3-organization": "1.2.643.2.69.1.2.999"}), signer)
    with pytest.raises(NotAuthentic) as refused:
        check(changed(message, **{"n3-organization": "1.2.643.2.69.1.2.1"}), signer)
    assert refused.value.reason == "value"


def test_a_repeat_after_a_fault_is_signed_anew(sandbox):
    from medsign.sandbox.faults import Fault, FaultKind

    tap = Tap(sandbox.transport())
    with sandbox.connect(gateway=sandbox.gateway(), transport=tap) as window:
        sandbox.world.faults.add(Fault(kind=FaultKind.STATUS, match="ca.*", status=503))
        assert list(window.ca.certificates()) == []
    nonces = {
        request.headers["signature-input"] for request in tap.seen if "/ca/" in request.url.path
    }
    assert len(nonces) == 2


def forged(response):
    response.read()
    body = response.content.replace(b'"items":[]', b'"items":[ ]')
    return httpx.Response(response.status_code, headers=response.headers, content=body)


def unsigned(response):
    headers = {k: v for k, v in response.headers.items() if not k.startswith("signature")}
    return httpx.Response(response.status_code, headers=headers, content=response.read())


@pytest.mark.parametrize("meddle", [forged, unsigned])
def test_an_answer_that_the_gateway_did_not_sign_is_not_believed(sandbox, meddle):
    tap = Tap(sandbox.transport(), meddle)
    gateway = sandbox.gateway()
    with sandbox.connect(gateway=gateway, transport=tap) as window, pytest.raises(NotAuthentic):
        list(window.ca.certificates())


def test_a_good_answer_to_an_earlier_request_is_not_believed(sandbox):
    kept = []

    def swap(response):
        kept.append((response.status_code, dict(response.headers), response.read()))
        status, headers, body = kept[0]
        return httpx.Response(status, headers=headers, content=body)

    tap = Tap(sandbox.transport(), swap)
    with sandbox.connect(gateway=sandbox.gateway(), transport=tap) as window:
        assert list(window.ca.certificates()) == []
        with pytest.raises(NotAuthentic) as refused:
            list(window.ca.certificates())
    assert refused.value.reason == "value"


def test_after_a_forged_answer_to_a_creating_call_the_outcome_is_unknown(sandbox):
    tap = Tap(sandbox.transport(), lambda _: httpx.Response(422, json={"code": "forged"}))
    context = Context(service="ca", base_url="https://ca.test", clock=sandbox.clock)
    context = sandbox.gateway().guard(context)
    flow = context.create("create", context.request("POST", "requests", body={}))
    with httpx.Client(transport=tap) as http, pytest.raises(OutcomeUnknown):
        Driver(http, clock=sandbox.clock, sleep=sandbox.sleep).run(flow)
    assert tap.seen[0].headers["idempotency-key"]


@pytest.mark.parametrize("change", ["before", "after"])
def test_while_the_gateway_changes_its_certificate_both_are_believed(sandbox, change):
    gateway = sandbox.gateway()
    other = a_signer().certificate
    now, then = (gateway.certificate, other) if change == "before" else (other, gateway.certificate)
    changing = attrs.evolve(gateway, certificate=now, successor=then)
    with sandbox.connect(gateway=changing) as window:
        assert list(window.ca.certificates()) == []


def test_answers_are_believed_unsigned_only_where_no_certificate_is_given(sandbox):
    tap = Tap(sandbox.transport(), unsigned)
    gateway = attrs.evolve(sandbox.gateway(), certificate=None)
    with sandbox.connect(gateway=gateway, transport=tap) as window:
        assert list(window.ca.certificates()) == []
