"""Stages, terms in working days and what doctors are told."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from string import Template
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign import AsyncMedSign, Config, MedSign
from medsign.clock import MOSCOW, ManualClock
from medsign.errors import IllegalTransition, UsageError
from medsign.gosuslugi import (
    APPLICATION_STATUS,
    APPOINTMENT_NOTICE,
    PRESCRIPTION_STATUS,
    TEMPLATES,
    UPLOAD_STATUS,
    VERIFICATION_STATUS,
    ApplicationStep,
    Appointment,
    Blocking,
    Gosuslugi,
    Stage,
    UploadState,
    application_due,
    appointments_to_announce,
    stage_notice,
)
from medsign.gosuslugi.status import WHOLE_TERM
from medsign.status import Calendar, Journal, StateChanged, Tracker, UnknownStatus, WorkingDays
from medsign.store import MemoryStore

MONDAY = datetime(2026, 6, 15, 9, tzinfo=MOSCOW)
SECOND = timedelta(seconds=1)
UPLOAD = "https://lk.test/docs"


@pytest.mark.req("F361", "F362", "F363", "F364", "F354")
def test_labels_are_those_of_the_source(shared_data: Path):
    table = json.loads((shared_data / "wire_enums.json").read_text(encoding="utf-8"))
    stated = table["gosuslugi_stage_from_seed"]
    assert {state.label for state in VERIFICATION_STATUS.states.values()} == set(stated["values"])
    assert UPLOAD_STATUS.state(UploadState.APPROVED).label in stated["document"]


@pytest.mark.req("F342", "F361", "F362", "F363", "F364")
def test_a_mismatch_leads_to_clarification_and_back_by_sending_again():
    state: str = VERIFICATION_STATUS.initial
    for event in ("start_check", "ask", "resubmit", "start_check", "confirm"):
        state = VERIFICATION_STATUS.apply(state, event)
    assert VERIFICATION_STATUS.state(state).success


def test_what_is_not_checked_cannot_be_confirmed():
    with pytest.raises(IllegalTransition):
        VERIFICATION_STATUS.apply(Stage.RECEIVED, "confirm")


def test_a_stage_never_seen_is_kept():
    said = VERIFICATION_STATUS.recognise("Отказано")
    assert isinstance(said, UnknownStatus)
    assert not said.success


@pytest.mark.req("F392")
def test_a_prescription_passes_its_stages_in_order():
    path = PRESCRIPTION_STATUS.path(PRESCRIPTION_STATUS.initial, "DISPENSED")
    assert path == ("generate_code", "notify", "check_code", "dispense")


@pytest.mark.req("F355", "F356", "F357", "F358", "F359", "F462")
def test_the_longest_terms_of_the_steps_add_up_to_the_whole():
    terms = [APPLICATION_STATUS.state(step).deadline for step in list(ApplicationStep)[:-1]]
    assert terms == [WorkingDays(1), WorkingDays(3), WorkingDays(2), WorkingDays(1)]
    assert sum(term.days for term in terms) == WHOLE_TERM.days


@pytest.mark.req("F359")
def test_seven_working_days_skip_weekends_and_days_off():
    assert application_due(MONDAY).astimezone(MOSCOW).date() == date(2026, 6, 24)
    off = Calendar(holidays=frozenset({date(2026, 6, 17)}))
    assert application_due(MONDAY, calendar=off).astimezone(MOSCOW).date() == date(2026, 6, 25)


@pytest.mark.req("F360")
@given(st.integers(0, 7000), st.integers(0, 23))
def test_inaccuracies_always_lengthen_the_term(days: int, hours: int):
    received = MONDAY + timedelta(days=days, hours=hours)
    assert application_due(received, inaccurate=True) > application_due(received)


@pytest.mark.req("F359", "F360")
@pytest.mark.parametrize(("inaccurate", "day"), [(False, 24), (True, 29)])
def test_an_application_is_due_in_seven_days_and_an_inaccurate_one_in_ten(
    inaccurate: bool, day: int
):
    due = application_due(MONDAY, inaccurate=inaccurate)
    assert due.astimezone(MOSCOW).date() == date(2026, 6, day)


@pytest.mark.req("F418")
def test_a_licence_is_due_after_ten_working_days():
    off = Calendar(holidays=frozenset({date(2026, 6, 17)}))
    for rules, day in (
        (Gosuslugi(), date(2026, 6, 29)),
        (Gosuslugi(calendar=off), date(2026, 6, 30)),
    ):
        due = rules.licence_due(MONDAY)
        assert due is not None
        assert due.astimezone(MOSCOW).date() == day


@pytest.mark.req("F418")
def test_an_express_licence_needs_a_reason_and_promises_no_day():
    rules = Gosuslugi()
    assert rules.licence_due(MONDAY, express="открытие кабинета в июле") is None
    with pytest.raises(UsageError) as refused:
        rules.licence_due(MONDAY, express=" ")
    assert "причину" in refused.value.diagnostics()


@pytest.mark.req("F365")
@pytest.mark.parametrize("stage", Stage)
def test_a_notice_holds_the_stage_and_the_actions(stage: Stage):
    notice = stage_notice(stage, MONDAY, upload_url=UPLOAD)
    assert notice.text.startswith(f"«{VERIFICATION_STATUS.state(stage).label}»")


@pytest.mark.req("F365")
@pytest.mark.parametrize(
    ("stage", "day"), [(Stage.RECEIVED, "16.06.2026"), (Stage.CHECKING, "18.06.2026")]
)
def test_a_notice_holds_the_time_to_wait_where_a_term_is_set(stage: Stage, day: str):
    assert day in stage_notice(stage, MONDAY, upload_url=UPLOAD).text


@pytest.mark.req("F365")
def test_no_wait_is_promised_where_no_term_is_set():
    notice = stage_notice(Stage.CLARIFICATION, MONDAY, upload_url=UPLOAD)
    assert notice.next_by is None
    assert "не позднее" not in notice.text


@pytest.mark.req("F369", "F342")
def test_clarification_gives_the_link_and_the_concrete_faults():
    notice = stage_notice(
        Stage.CLARIFICATION, MONDAY, upload_url=UPLOAD, faults=["нет печати", "нет СНИЛС"]
    )
    assert UPLOAD in notice.text
    assert "нет печати; нет СНИЛС" in notice.text


@pytest.mark.req("F367")
def test_a_deployment_may_bring_its_own_templates():
    templates = {**TEMPLATES, Stage.VERIFIED: Template("Готово: $stage")}
    notice = stage_notice(Stage.VERIFIED, MONDAY, upload_url=UPLOAD, templates=templates)
    assert notice.text == "Готово: Верификация завершена"


@pytest.mark.req("F366", "F369")
def test_a_change_of_stage_is_written_and_told_at_once():
    told: list[str] = []
    clock = ManualClock(MONDAY)
    service = Gosuslugi(clock=clock)

    def tell(change: StateChanged) -> None:
        stage = Stage(change.after.code)
        told.append(service.stage_notice(stage, change.entry.at, upload_url=UPLOAD).text)

    store = MemoryStore()
    tracker = Tracker(VERIFICATION_STATUS, Journal(store), "doctor-1", clock, on_change=tell)
    tracker.observe("Проверка в процессе", who="cabinet")
    tracker.observe("Верификация завершена", who="cabinet")
    assert [text.split("»")[0] for text in told] == [
        "«Проверка в процессе",
        "«Верификация завершена",
    ]
    again = Tracker(VERIFICATION_STATUS, Journal(store), "doctor-1", clock)
    assert again.state.code == Stage.VERIFIED


@pytest.mark.req("F376")
@pytest.mark.parametrize(
    ("before", "announced"),
    [
        (APPOINTMENT_NOTICE + SECOND, False),
        (APPOINTMENT_NOTICE, True),
        (SECOND, True),
        (timedelta(0), False),
        (-SECOND, False),
    ],
)
def test_an_appointment_is_told_from_24_hours_before_until_it_begins(
    before: timedelta, announced: bool
):
    visit = Appointment(id="a1", starts_at=MONDAY)
    assert appointments_to_announce([visit], MONDAY - before) == ((visit,) if announced else ())


@pytest.mark.req("F376")
def test_an_appointment_is_told_once():
    visits = [Appointment(id=str(n), starts_at=MONDAY + n * SECOND) for n in (3, 1, 2)]
    service = Gosuslugi(clock=ManualClock(MONDAY))
    assert [visit.id for visit in service.appointments_to_announce(visits)] == ["1", "2", "3"]
    assert [v.id for v in service.appointments_to_announce(visits, told={"1", "3"})] == ["2"]


@pytest.mark.parametrize("colour", [MedSign, AsyncMedSign])
def test_a_window_knows_the_days_off_and_when_the_cabinet_closes(colour: type[Any]):
    window = colour(
        Config(),
        clock=ManualClock(MONDAY),
        calendar=Calendar(holidays=frozenset({date(2026, 6, 17)})),
        blocking=Blocking(errors=2, within=SECOND, lasts=2 * SECOND),
    )
    due = window.gosuslugi.application_due(MONDAY)
    assert due.astimezone(MOSCOW).date() == date(2026, 6, 25)
    assert window.gosuslugi.blocked_until([MONDAY, MONDAY]) == MONDAY + 2 * SECOND


def test_the_service_gives_the_same_answers_as_the_rules():
    service = Gosuslugi(calendar=Calendar(holidays=frozenset({date(2026, 6, 17)})))
    assert service.application_due(MONDAY).astimezone(MOSCOW).date() == date(2026, 6, 25)
