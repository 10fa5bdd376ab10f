from __future__ import annotations

import re
import sqlite3
from datetime import timedelta
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.errors import IllegalTransition, UsageError
from medsign.status import State, StatusModel, UnknownStatus, WorkingDays, fold

LETTER = StatusModel(
    name="letter",
    states=[
        State("draft", "Черновик"),
        State("sent", "Отправлено", deadline=WorkingDays(3), aliases=("Направлено в МАХ",)),
        State("returned", "Возвращено"),
        State("read", "Прочитано", terminal=True, success=True),
    ],
    initial="draft",
    transitions={
        "draft": {"send": "sent"},
        "sent": {"bounce": "returned", "open": "read"},
        "returned": {"send": "sent"},
    },
    events={"send": "Отправить", "bounce": "Вернуть", "open": "Открыть"},
)
EDGES = {(a, e): b for a, exits in LETTER.transitions.items() for e, b in exits.items()}


def model(states="ab", terminal="", initial="a", transitions=None, **more):
    return StatusModel(
        name="sample",
        states=[State(code, code.upper() * 3, terminal=code in terminal) for code in states],
        initial=initial,
        transitions={"a": {"go": "b"}} if transitions is None else transitions,
        **more,
    )


@given(st.sampled_from(sorted(LETTER.states)), st.sampled_from([*LETTER.events, "dance"]))
def test_an_event_leads_where_the_table_says_or_nowhere(state, event):
    if (state, event) in EDGES:
        assert LETTER.apply(state, event) == EDGES[state, event]
        assert event in LETTER.allowed(state)
    else:
        with pytest.raises(IllegalTransition) as refused:
            LETTER.apply(state, event)
        assert set(refused.value.allowed) == LETTER.allowed(state)


def test_staff_read_a_refusal_without_codes():
    with pytest.raises(IllegalTransition) as refused:
        LETTER.apply("draft", "open")
    said = refused.value.diagnostics()
    assert "«Открыть»" in said
    assert "«Черновик»" in said
    assert "«Отправить»" in said
    assert not re.search("[a-z]", said)
    assert "'open'" in str(refused.value)


def test_a_model_without_names_of_events_is_refused_by_their_codes():
    lamp = StatusModel(name="lamp", states=[State("on", "Горит")], initial="on", transitions={})
    with pytest.raises(IllegalTransition) as refused:
        lamp.apply("on", "dim")
    assert refused.value.diagnostics() == (
        "Действие «dim» невозможно: состояние сейчас «Горит». Возможные действия: нет. "
        "(код MS-TRANSITION)"
    )


@pytest.mark.parametrize(
    "arguments, fault",
    [
        ({"initial": "z"}, "state 'z' is not defined"),
        ({"transitions": {"a": {"go": "z"}}}, "state 'z' is not defined"),
        ({"transitions": {"a": {"go": "b"}, "z": {}}}, "state 'z' is not defined"),
        ({"terminal": "a"}, "'a' is terminal and has an exit"),
        ({"states": "abc"}, "state 'c' is unreachable"),
        ({"initial": "b"}, "state 'a' is unreachable"),
        ({"events": {"go": "Идти", "run": "Бежать"}}, "event 'run' is not used"),
        ({"events": {"run": "Бежать"}}, "event 'go' is not named"),
        ({"transitions": {"a": {"go on": "b"}}}, "'go on' is not an identifier"),
        ({"states": "aab"}, "two states of one code"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(arguments, fault):
    with pytest.raises(UsageError, match=re.escape(fault)):
        model(**arguments)


def test_a_label_that_could_mean_two_states_is_refused():
    with pytest.raises(UsageError, match="names two states"):
        LETTER.extend(labels={"returned": "ОТПРАВЛЕНО"})


def test_a_question_about_a_state_outside_the_model_is_refused():
    with pytest.raises(UsageError, match="no state"):
        LETTER.allowed("lost")


def test_codes_may_be_members_of_an_enum():
    class Code(StrEnum):
        NEW = "new"
        OLD = "old"

    aged = StatusModel(
        name="thing",
        states=[State(Code.NEW, "Новый"), State(Code.OLD, "Старый", terminal=True)],
        initial=Code.NEW,
        transitions={Code.NEW: {"age": Code.OLD}},
    )
    assert aged.apply(Code.NEW, "age") == Code.OLD
    assert aged.sql_check("s") == "CHECK (s IN ('new', 'old'))"


def test_a_model_cannot_be_changed():
    with pytest.raises(TypeError):
        LETTER.transitions["draft"]["dance"] = "read"
    with pytest.raises(TypeError):
        LETTER.states["lost"] = State("lost", "Потеряно")
    with pytest.raises(AttributeError):
        LETTER.initial = "read"


@pytest.mark.req("F122", "F064", "F121")
def test_a_vendor_adds_states_events_labels_and_deadlines_and_ours_stays():
    before = (dict(LETTER.states), {s: dict(e) for s, e in LETTER.transitions.items()})
    mine = LETTER.extend(
        states=[State("lost", "Утеряно", terminal=True)],
        transitions={"sent": {"lose": "lost"}},
        events={"lose": "Потерять"},
        labels={"returned": "Возвращено отправителю"},
        deadlines={"returned": timedelta(days=1)},
    )
    assert mine.apply("sent", "lose") == "lost"
    assert mine.apply("sent", "open") == "read"
    assert mine.state("returned") == State(
        "returned", "Возвращено отправителю", deadline=timedelta(days=1)
    )
    assert (dict(LETTER.states), {s: dict(e) for s, e in LETTER.transitions.items()}) == before
    with pytest.raises(IllegalTransition):
        LETTER.apply("sent", "lose")


@pytest.mark.req("F122")
def test_a_vendor_may_open_a_terminal_state_by_replacing_it():
    mine = LETTER.extend(
        states=[State("read", "Прочитано"), State("archived", "В архиве", terminal=True)],
        transitions={"read": {"archive": "archived"}},
        events={"archive": "Сдать в архив"},
    )
    assert mine.apply("read", "archive") == "archived"


def test_an_extension_is_checked_like_any_table():
    with pytest.raises(UsageError, match="unreachable"):
        LETTER.extend(states=[State("lost", "Утеряно")])
    with pytest.raises(UsageError, match="no state 'lost'"):
        LETTER.extend(labels={"lost": "Утеряно"})


def test_an_empty_extension_is_an_equal_model():
    assert LETTER.extend() == LETTER


@pytest.mark.parametrize(
    "text",
    ["sent", "Отправлено", "  отправлено ", "ОТПРАВЛЕНО", "направлено  в MAX", "Oтпpaвлeнo"],
)
def test_a_remote_text_is_recognised_by_code_label_or_alias(text):
    assert LETTER.recognise(text) == LETTER.state("sent")


@given(st.text())
def test_any_remote_text_is_a_state_or_kept_as_unknown(text):
    status = LETTER.recognise(text)
    if isinstance(status, UnknownStatus):
        assert status.raw == text
        assert not status.terminal
        assert not status.success
    else:
        assert fold(text) in map(fold, [status.code, status.label, *status.aliases])


def test_an_unknown_status_keeps_its_text_out_of_logs():
    status = LETTER.recognise("Отозвано Тестовой А. П.")
    assert "Тестовой" not in repr(status)
    assert "Тестовой" in status.label


@given(st.text())
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)


def test_the_shortest_path_is_found():
    assert LETTER.path("draft", "read") == ("send", "open")
    assert LETTER.path("returned", "read") == ("send", "open")
    assert LETTER.path("read", "draft") is None
    assert LETTER.path("read", "read") == ()


def test_both_diagrams_show_every_edge_once_with_its_russian_name():
    mermaid, graphviz = LETTER.to_mermaid(), LETTER.to_graphviz()
    assert mermaid.count(" : ") == graphviz.count(" -> ") == len(EDGES)
    assert 'state "Отправлено" as s1' in mermaid
    assert "s0 --> s1 : Отправить" in mermaid
    assert "s3 --> [*]" in mermaid
    assert '"draft" -> "sent" [label="Отправить"]' in graphviz


def test_quotes_in_a_label_do_not_break_a_diagram():
    odd = LETTER.extend(labels={"sent": 'Статус "Создан"'})
    assert 'state "Статус #quot;Создан#quot;" as s1' in odd.to_mermaid()
    assert r'label="Статус \"Создан\""' in odd.to_graphviz()


def test_the_sql_constraint_lets_in_the_codes_and_nothing_else():
    db = sqlite3.connect(":memory:")
    db.execute(f"CREATE TABLE letters (status TEXT {LETTER.sql_check('status')})")
    db.executemany("INSERT INTO letters VALUES (?)", [(code,) for code in LETTER.states])
    with pytest.raises(sqlite3.IntegrityError):
        db.execute("INSERT INTO letters VALUES ('lost')")
    db.close()


def test_a_column_name_cannot_carry_sql():
    with pytest.raises(UsageError):
        LETTER.sql_check("status) --")
