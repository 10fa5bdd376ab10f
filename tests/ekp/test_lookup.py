"""Identification by card in both colours: who is asked, when, and what each of them knows."""

from __future__ import annotations

from typing import Any

import attrs
import httpx
import pytest

from medsign.ekp import (
    LOOKUP_STATUS,
    CardRecord,
    Ekp,
    Holder,
    Lookup,
    LookupState,
    Person,
    QrCode,
    ServiceRecord,
    Sex,
    Source,
    ekp_context,
    merge,
    record_of,
)
from medsign.errors import ApiError, TransportError, UnexpectedAnswer, UsageError
from medsign.exchange import Driver
from medsign.identifiers import CardNumber, CardUid, Snils
from medsign.sandbox import Call, Fault, FaultKind, Sandbox
from medsign.sandbox.ekp import EkpService, IssuedCard, SandboxCard

NO_ANSWER = [
    FaultKind.CONNECT,
    FaultKind.TIMEOUT_BEFORE,
    FaultKind.TIMEOUT,
    FaultKind.RESET_AFTER,
    FaultKind.TRUNCATED,
]
KEYS = {
    "uid": lambda issued: issued.uid,
    "number": lambda issued: issued.number,
    "qr": lambda issued: issued.qr,
}


def fail(sandbox: Sandbox, kind: FaultKind = FaultKind.CONNECT, times: int = 99) -> None:
    sandbox.world.faults.add(Fault(kind=kind, match="ekp.lookup", times=times))


@pytest.mark.req("F240", "F246", "F247", "F258", "F260", "F261", "F262", "F263")
@pytest.mark.parametrize("key", KEYS)
def test_a_holder_is_found_by_every_key(desk: Any, issued: IssuedCard, key: str):
    person = desk.identify(KEYS[key](issued))
    assert person.surname == issued.holder.surname
    assert set(person.sources.values()) == {Source.SERVICE}


@pytest.mark.req("F265", "F266", "F267", "F268", "F269", "F270", "F271", "F272", "F273", "F274")
@pytest.mark.parametrize("field", [field.name for field in attrs.fields(ServiceRecord)])
def test_the_service_tells_its_fields(desk: Any, issued: IssuedCard, field: str):
    person = desk.identify_card(SandboxCard(issued))
    assert getattr(person, field) == getattr(issued.holder, field) is not None
    assert person.sources[field] is Source.SERVICE


@pytest.mark.req("F264", "F275", "F276", "F277", "F278")
@pytest.mark.parametrize("field", [field.name for field in attrs.fields(Holder)])
def test_without_an_answer_the_card_tells_its_fields(
    desk: Any, card: SandboxCard, sandbox: Sandbox, field: str
):
    fail(sandbox)
    person = desk.identify_card(card)
    assert getattr(person, field) == getattr(card.issued.holder, field)
    assert person.sources[field] is Source.CARD
    assert person.card_number == card.issued.number


@pytest.mark.req("F276", "F277", "F282")
def test_the_card_knows_less(desk: Any, card: SandboxCard, sandbox: Sandbox):
    fail(sandbox)
    person = desk.identify_card(card)
    for unknown in (
        *("passport_issuer", "oms_issued_on", "mobile_phone", "city_phone"),
        *("registration_address", "living_address"),
    ):
        assert getattr(person, unknown) is None
        assert unknown not in person.sources


@pytest.mark.req("F264")
@pytest.mark.parametrize("kind", NO_ANSWER)
def test_no_answer_of_any_kind_leads_to_the_card(
    desk: Any, card: SandboxCard, sandbox: Sandbox, kind: FaultKind
):
    fail(sandbox, kind)
    assert desk.identify_card(card).sources["snils"] is Source.CARD


@pytest.mark.req("F264")
def test_a_queue_does_not_wait_long_for_the_service(desk: Any, card: SandboxCard, sandbox: Sandbox):
    fail(sandbox)
    began = sandbox.clock.monotonic()
    desk.identify_card(card)
    assert sandbox.clock.monotonic() - began < 10


def test_one_lost_answer_is_no_silence(desk: Any, card: SandboxCard, sandbox: Sandbox):
    fail(sandbox, FaultKind.TIMEOUT, times=1)
    assert desk.identify_card(card).sources["snils"] is Source.SERVICE


@pytest.mark.req("F262", "F263")
def test_a_refusal_is_an_answer_and_the_card_is_not_read(desk: Any, card: SandboxCard):
    stranger = SandboxCard(attrs.evolve(card.issued, uid=CardUid("0400000000000F")))
    with pytest.raises(ApiError) as refused:
        desk.identify_card(stranger)
    assert (refused.value.status, refused.value.problem) == (404, "card-unknown")


@pytest.mark.req("F257")
@pytest.mark.parametrize("key", ["number", "qr"])
def test_without_a_reader_no_answer_is_an_error(
    desk: Any, issued: IssuedCard, sandbox: Sandbox, key: str
):
    fail(sandbox)
    with pytest.raises(TransportError):
        desk.identify(KEYS[key](issued))


@pytest.mark.req("F264")
@pytest.mark.parametrize("key", KEYS)
def test_a_key_read_elsewhere_leads_to_the_same_card(
    desk: Any, card: SandboxCard, sandbox: Sandbox, key: str
):
    fail(sandbox)
    person = desk.identify(KEYS[key](card.issued), card=card)
    assert person.sources["surname"] is Source.CARD


@pytest.mark.parametrize("key", [CardUid("04FFEEDDCCBBAA"), CardNumber("9999000000000012")])
def test_another_card_on_the_reader_is_not_taken(
    desk: Any, card: SandboxCard, sandbox: Sandbox, key: Any
):
    fail(sandbox)
    with pytest.raises(UsageError, match="another one"):
        desk.identify(key, card=card)


@pytest.mark.req("F279", "F281")
@pytest.mark.parametrize("silent", [False, True])
def test_a_photo_comes_from_the_card_only(
    desk: Any, card: SandboxCard, sandbox: Sandbox, silent: bool
):
    if silent:
        fail(sandbox)
    assert desk.identify_card(card).photo is None
    person = desk.identify_card(card, photo=True)
    assert person.photo == card.issued.photo
    assert person.sources["photo"] is Source.CARD
    assert person.sources["surname"] is (Source.CARD if silent else Source.SERVICE)


@pytest.mark.req("F279")
def test_a_card_may_have_no_photo(desk: Any, card: SandboxCard):
    bare = SandboxCard(attrs.evolve(card.issued, photo=None))
    person = desk.identify_card(bare, photo=True)
    assert person.photo is None
    assert "photo" not in person.sources


@pytest.mark.req("F280", "F281", "F282")
def test_neither_names_the_insurer_and_addresses_are_text():
    names = {field.name for field in attrs.fields(Person)}
    assert not {name for name in names if "insur" in name}
    assert "photo" not in attrs.fields_dict(ServiceRecord)
    assert not {field.name for field in attrs.fields(CardRecord) if "address" in field.name}
    assert attrs.fields(ServiceRecord).registration_address.type == str | None


def test_what_the_service_tells_goes_before_the_card(issued: IssuedCard, card: SandboxCard):
    moved = attrs.evolve(card.read_person(), birth_place="г. Старый")
    person = merge(issued.holder, moved)
    assert person.birth_place == "г. Примерск"
    assert person.sources["card_number"] is Source.CARD


@pytest.mark.parametrize("changes", [{"snils": Snils("99900000216")}, {"snils": None}])
def test_two_people_are_never_joined(
    issued: IssuedCard, card: SandboxCard, changes: dict[str, Any]
):
    born = issued.holder.birth_date.replace(year=1991)
    other = attrs.evolve(card.read_person(), **changes, birth_date=born)
    with pytest.raises(UnexpectedAnswer):
        merge(issued.holder, other)


@pytest.mark.req("F259")
@pytest.mark.parametrize(
    ("clinic", "rpn", "expected"),
    [("own-1", "rpn-1", "own-1"), (None, "rpn-1", "rpn-1"), (None, None, "new-1")],
)
def test_a_record_is_found_in_the_clinic_then_in_rpn_and_else_made(
    issued: IssuedCard, clinic: str | None, rpn: str | None, expected: str
):
    made: list[str] = []

    def create(person: Person) -> str:
        made.append(person.surname)
        return "new-1"

    searches = [lambda _: clinic, lambda _: rpn]
    assert record_of(merge(issued.holder), searches, create) == expected
    assert len(made) == (expected == "new-1")


def test_nothing_joined_is_nobody():
    with pytest.raises(UnexpectedAnswer):
        merge()


@pytest.mark.parametrize("text", ["EKP1 9999000000000004 00000000", "9999000000000004", ""])
def test_a_forged_qr_code_is_refused(desk: Any, text: str):
    with pytest.raises(ApiError) as refused:
        desk.identify(QrCode(text))
    assert refused.value.problem == "card-unknown"


@pytest.mark.req("F261", "F262", "F263", "F264")
@pytest.mark.parametrize(
    ("events", "end"),
    [
        (["ask", "answer"], LookupState.FROM_SERVICE),
        (["ask", "refuse"], LookupState.REFUSED),
        (["ask", "no_answer", "read"], LookupState.FROM_CARD),
    ],
)
def test_the_lookup_is_a_table(events: list[str], end: LookupState):
    state = LOOKUP_STATUS.initial
    for event in events:
        state = LOOKUP_STATUS.apply(state, event)
    assert state == end
    assert LOOKUP_STATUS.state(state).terminal


def test_the_key_stays_out_of_the_url_and_the_person_out_of_texts(
    desk: Any, card: SandboxCard, sandbox: Sandbox
):
    seen: list[str] = []
    strike = sandbox.world.faults.strike
    sandbox.world.faults.strike = lambda operation, path: (  # type: ignore[method-assign]
        seen.append(path) or strike(operation, path)
    )
    person = desk.identify_card(card, photo=True)
    assert seen == ["/ekp/lookups"]
    with pytest.raises(ApiError) as refused:
        desk.identify(CardNumber("9999000000000020"))
    shown = f"{person!r} {card!r} {card.read_person()!r} {card.issued.qr!r} {refused.value}"
    for secret in ("Тестова", "99900000115", "999900000000", "Примерная", "A1B2C3", "000001"):
        assert secret not in shown


class Broken(EkpService):
    """A web service that has changed its contract."""

    def _lookup(self, call: Call[Lookup]) -> Any:
        return {"surname": 5}


@pytest.mark.req("F264")
def test_an_answer_that_breaks_the_contract_is_no_answer(card: SandboxCard):
    with Sandbox([Broken]) as sandbox, httpx.Client(transport=sandbox.transport()) as http:
        endpoint = sandbox.endpoint("ekp")
        context = ekp_context(base_url=endpoint.url, token=endpoint.token, clock=sandbox.clock)
        ekp = Ekp(context, Driver(http))
        assert ekp.identify_card(card).sources["surname"] is Source.CARD
        with pytest.raises(UnexpectedAnswer, match="surname"):
            ekp.identify(card.issued.uid)


@pytest.mark.req("F264")
@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_broken_server_leads_to_the_card(
    desk: Any, card: SandboxCard, sandbox: Sandbox, status: int
):
    sandbox.world.faults.add(
        Fault(kind=FaultKind.STATUS, match="ekp.lookup", status=status, times=99)
    )
    assert desk.identify_card(card).sources["snils"] is Source.CARD
    with pytest.raises(ApiError):
        desk.identify(card.issued.number)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_any_refusal_is_an_answer(desk: Any, card: SandboxCard, sandbox: Sandbox, status: int):
    sandbox.world.faults.add(
        Fault(kind=FaultKind.STATUS, match="ekp.lookup", status=status, times=99)
    )
    with pytest.raises(ApiError) as refused:
        desk.identify_card(card)
    assert refused.value.status == status


@pytest.mark.req("F264")
def test_the_page_of_a_proxy_leads_to_the_card(card: SandboxCard, sandbox: Sandbox):
    page = httpx.MockTransport(lambda _: httpx.Response(200, html="<html>Вход в сеть</html>"))
    with httpx.Client(transport=page) as http:
        context = ekp_context(base_url="https://ekp.test", token="t", clock=sandbox.clock)
        ekp = Ekp(context, Driver(http, clock=sandbox.clock, sleep=sandbox.sleep))
        assert ekp.identify_card(card).sources["surname"] is Source.CARD
        with pytest.raises(UnexpectedAnswer):
            ekp.identify(card.issued.number)


class Hasty:
    """A reader on which the next patient lays a card while this one is being read."""

    def __init__(self, mine: SandboxCard, other: SandboxCard, looks: int) -> None:
        self._mine, self._other, self._looks = mine, other, looks

    def read_uid(self) -> CardUid:
        self._looks -= 1
        return (self._mine if self._looks >= 0 else self._other).read_uid()

    def read_person(self) -> CardRecord:
        return (self._mine if self._looks > 0 else self._other).read_person()

    def read_photo(self) -> bytes | None:
        return b"photo of the next patient"


@pytest.mark.parametrize("looks", [1, 2])
@pytest.mark.parametrize("silent", [False, True])
def test_a_photo_of_the_next_patient_is_not_taken(
    desk: Any, card: SandboxCard, sandbox: Sandbox, silent: bool, looks: int
):
    other = SandboxCard(list(sandbox.service(EkpService).cards.values())[1])
    if silent:
        fail(sandbox)
    with pytest.raises(UsageError, match="another one"):
        desk.identify_card(Hasty(card, other, looks), photo=True)


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"surname": "ТЕСТОВА "}, True),
        ({"sex": None}, True),
        ({"surname": "Образцова"}, False),
        ({"given_name": "Яна"}, False),
        ({"sex": Sex.MALE}, False),
    ],
)
def test_without_snils_name_and_sex_decide_who_is_who(
    issued: IssuedCard, card: SandboxCard, changes: dict[str, Any], same: bool
):
    assert (issued.holder.surname, issued.holder.sex) == ("Тестова", Sex.FEMALE)
    told = attrs.evolve(card.read_person(), snils=None, **changes)
    if same:
        assert merge(issued.holder, told).card_number == issued.number
    else:
        with pytest.raises(UnexpectedAnswer):
            merge(issued.holder, told)


def test_the_service_is_told_exactly_one_key(sandbox: Sandbox):
    endpoint = sandbox.endpoint("ekp")
    with httpx.Client(transport=sandbox.transport()) as http:
        answer = http.post(
            f"{endpoint.url}/lookups",
            json={},
            headers={"Authorization": f"Bearer {endpoint.token}"},
        )
    assert (answer.status_code, answer.json()["code"]) == (422, "key-ambiguous")
