"""The history of visits."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.gosuslugi import Visit, VisitStatus, VisitType, select_visits, visits_to_csv

NOON = datetime(2026, 6, 25, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HISTORY = [
    Visit(at=NOON - number * DAY, type=kind, status=status, patient=str(number))
    for number, (kind, status) in enumerate(product(VisitType, VisitStatus))
]


@pytest.mark.req("F374")
def test_the_history_is_chronological():
    assert [visit.patient for visit in select_visits(HISTORY)] == ["5", "4", "3", "2", "1", "0"]


@pytest.mark.req("F375")
def test_several_filters_hold_at_once():
    found = select_visits(
        HISTORY,
        since=date(2026, 6, 21),
        until=date(2026, 6, 24),
        statuses={VisitStatus.DONE},
        types={VisitType.PROCEDURE, VisitType.PREVENTION},
    )
    assert [(visit.type, visit.status) for visit in found] == [
        (VisitType.PREVENTION, VisitStatus.DONE),
        (VisitType.PROCEDURE, VisitStatus.DONE),
    ]


@pytest.mark.req("F375")
def test_a_day_is_a_day_in_moscow():
    late = Visit(
        at=datetime(2026, 6, 24, 21, tzinfo=UTC),
        type=VisitType.CONSULTATION,
        status=VisitStatus.DONE,
        patient="1",
    )
    assert select_visits([late], since=date(2026, 6, 25)) == (late,)
    assert select_visits([late], until=date(2026, 6, 24)) == ()


@pytest.mark.req("F375")
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_the_export_can_be_read_back(patient: str):
    visit = Visit(
        at=NOON, type=VisitType.CONSULTATION, status=VisitStatus.IN_PROGRESS, patient=patient
    )
    text = visits_to_csv([visit]).decode("utf-8-sig")
    [header, row] = csv.reader(text.splitlines(keepends=True), delimiter=";")
    assert header == ["Дата", "Время", "Тип услуги", "Статус", "Пациент"]
    assert row[:4] == ["2026-06-25", "15:00", "консультация", "в процессе"]
    assert row[4].removeprefix("'") == patient.removeprefix("'")


@pytest.mark.parametrize("patient", ["=1+1", "+7", "-1", "@SUM"])
def test_no_cell_of_the_export_is_a_formula(patient: str):
    visit = Visit(at=NOON, type=VisitType.CONSULTATION, status=VisitStatus.DONE, patient=patient)
    assert visits_to_csv([visit]).decode("utf-8-sig").rstrip().endswith(f";'{patient}")


def test_patients_are_not_shown():
    assert "4711" not in repr(
        Visit(at=NOON, type=VisitType.PROCEDURE, status=VisitStatus.DONE, patient="4711")
    )
