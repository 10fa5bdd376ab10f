"""Cards in the clinic: readers, workplaces, whose card is whose, who is at work."""

from __future__ import annotations

import json
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.clock import MOSCOW, ManualClock
from medsign.ekp import (
    EMTS_HOST,
    GET_UID,
    PRESENCE_COLOURS,
    PRESENCE_STATUS,
    CardBindings,
    CardReader,
    Passage,
    Presence,
    Way,
    ekp_context,
    may_hold_card,
    presence,
    uid_of,
    ways_of,
)
from medsign.errors import MalformedError, UsageError
from medsign.identifiers import CardUid
from medsign.sandbox.ekp import SandboxCard
from medsign.store import MemoryStore, SqliteStore

CLOCK = ManualClock(datetime(2026, 6, 25, 9, tzinfo=UTC))
ANNA, PYOTR = CardUid("04A1B2C3D4E5F6"), CardUid("04FFEEDDCCBBAA")


@pytest.mark.req("F245", "F261")
@given(st.binary(min_size=10, max_size=10).filter(any), st.sampled_from([4, 7, 10]))
def test_a_uid_is_read_from_the_answer_of_a_reader(octets: bytes, size: int):
    octets = max(octets[:size], octets[-size:])
    assert uid_of(octets + b"\x90\x00") == CardUid(octets.hex(":"))


@pytest.mark.parametrize(
    "answer", ["", "9000", "6300", "01020304050607", "01020304059000", "000000009000"]
)
def test_what_is_no_uid_is_refused(answer: str):
    with pytest.raises(MalformedError):
        uid_of(bytes.fromhex(answer))


def test_the_question_to_the_reader_is_the_one_of_pcsc():
    assert GET_UID == b"\xff\xca\x00\x00\x00"


@pytest.mark.req("F249", "F257")
@pytest.mark.parametrize(
    ("system", "release", "reads"),
    [
        *[("Windows", release, True) for release in ("7", "8", "10")],
        ("Windows", "XP", False),
        ("Linux", "6.1", False),
    ],
)
def test_a_card_is_read_on_windows_only(system: str, release: str, reads: bool):
    ways = ways_of(system, release)
    assert (Way.CARD in ways) == reads
    assert {Way.QR, Way.NUMBER} <= ways


@pytest.mark.req("F253")
def test_the_address_in_the_closed_network_is_a_setting():
    context = ekp_context(base_url=f"https://{EMTS_HOST}/ekp", token="t0ken")
    assert context.base_url.host == "10.128.66.207"
    assert "t0ken" not in repr(context)


def test_the_card_of_the_sandbox_keeps_the_port(card: SandboxCard):
    reader: CardReader = card
    assert reader.read_uid() == ANNA
    assert reader.read_person().snils == card.issued.holder.snils


@pytest.mark.req("F235")
@pytest.mark.parametrize(("on", "may"), [(date(2026, 6, 24), False), (date(2026, 6, 25), True)])
def test_a_card_is_given_from_the_day_of_fourteen_years(on: date, may: bool):
    born = date(2012, 6, 25)
    assert may_hold_card(born, on, lives_in_petersburg=True) == may
    assert not may_hold_card(born, on, lives_in_petersburg=False)


@pytest.fixture
def bindings() -> CardBindings:
    return CardBindings(MemoryStore(), CLOCK)


@pytest.mark.req("F242", "F287", "F292", "F293")
def test_a_bound_card_leads_to_its_owner(bindings: CardBindings):
    assert bindings.bind(ANNA, "doctor-1")
    assert bindings.owner(ANNA) == "doctor-1"
    assert bindings.card("doctor-1") == ANNA
    assert bindings.owner(PYOTR) is None
    assert bindings.card("doctor-2") is None


def test_binding_again_changes_nothing(bindings: CardBindings):
    bindings.bind(ANNA, "doctor-1")
    assert not bindings.bind(ANNA, "doctor-1")


def test_a_card_has_one_owner_and_an_owner_one_card(bindings: CardBindings):
    bindings.bind(ANNA, "doctor-1")
    with pytest.raises(UsageError, match="another owner"):
        bindings.bind(ANNA, "doctor-2")
    with pytest.raises(UsageError, match="another card"):
        bindings.bind(PYOTR, "doctor-1")


def test_a_released_card_may_be_bound_anew(bindings: CardBindings):
    bindings.bind(ANNA, "doctor-1")
    assert bindings.release(ANNA)
    assert not bindings.release(ANNA)
    assert bindings.bind(ANNA, "doctor-2")
    assert bindings.bind(PYOTR, "doctor-1")


@pytest.mark.req("F293")
def test_cards_of_patients_and_staff_are_apart():
    log = MemoryStore()
    staff, patients = (CardBindings(log, CLOCK, kind=kind) for kind in ("account", "patient"))
    staff.bind(ANNA, "doctor-1")
    assert patients.bind(ANNA, "record-9")
    assert staff.owner(ANNA) == "doctor-1"


def test_of_two_desks_at_once_one_binds_the_card(tmp_path: Path):
    path, start, won = tmp_path / "cards.db", threading.Barrier(2), []

    def desk(owner: str) -> None:
        store = SqliteStore(path)
        start.wait()
        try:
            won.append(CardBindings(store, CLOCK).bind(ANNA, owner))
        except UsageError:
            won.append(False)
        finally:
            store.close()

    SqliteStore(path).close()
    desks = [threading.Thread(target=desk, args=(owner,)) for owner in ("doctor-1", "doctor-2")]
    for thread in desks:
        thread.start()
    for thread in desks:
        thread.join()
    assert sorted(won) == [False, True]


@pytest.mark.req("F289", "F290", "F291")
def test_labels_are_those_of_the_source(shared_data: Path):
    table = json.loads((shared_data / "wire_enums.json").read_text(encoding="utf-8"))
    labels = [state.label for state in PRESENCE_STATUS.states.values()]
    assert labels == table["ekp_presence_from_seed"]["values"]


@pytest.mark.req("F292")
def test_every_presence_has_its_colour():
    assert set(PRESENCE_COLOURS) == set(Presence)
    assert len(set(PRESENCE_COLOURS.values())) == 3


MORNING = datetime(2026, 6, 25, 8, tzinfo=MOSCOW)
HOUR = timedelta(hours=1)


@pytest.mark.req("F289", "F290", "F291", "F450")
@pytest.mark.parametrize(
    ("passages", "expected"),
    [
        ([], Presence.NOT_ENTERED),
        ([(0, True)], Presence.PRESENT),
        ([(0, True), (4, False)], Presence.LEFT),
        ([(4, False), (5, True), (0, True)], Presence.PRESENT),
        ([(-9, True)], Presence.NOT_ENTERED),
        ([(20, True)], Presence.NOT_ENTERED),
    ],
)
def test_presence_follows_from_the_passages_of_the_day(
    passages: list[tuple[int, bool]], expected: Presence
):
    made = [Passage(MORNING + hours * HOUR, inwards=inwards) for hours, inwards in passages]
    assert presence(made, MORNING + 10 * HOUR) is expected


@pytest.mark.req("F289", "F290", "F291")
@given(st.lists(st.booleans(), max_size=8))
def test_presence_agrees_with_its_table(turns: list[bool]):
    state, made = PRESENCE_STATUS.initial, []
    for number, inwards in enumerate(turns):
        event = "enter" if inwards else "leave"
        if event in PRESENCE_STATUS.allowed(state):
            state = PRESENCE_STATUS.apply(state, event)
            made.append(Passage(MORNING + number * HOUR, inwards=inwards))
    assert presence(made, MORNING + 9 * HOUR) == state
