from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.clock import ManualClock
from medsign.errors import IllegalTransition, StoreError, UsageError, VersionConflict
from medsign.status import Calendar, Journal, NewEvent, State, StatusModel, Tracker, WorkingDays
from medsign.store import MemoryStore

FRIDAY = datetime(2026, 6, 26, 9, tzinfo=UTC)
CABINET = StatusModel(
    name="cabinet",
    states=[
        State("received", "Документы получены", deadline=WorkingDays(1)),
        State("checking", "Проверка в процессе", deadline=WorkingDays(3)),
        State("unclear", "Требуется уточнение", deadline=timedelta(days=10)),
        State("done", "Верификация завершена", terminal=True, success=True),
    ],
    initial="received",
    transitions={
        "received": {"check": "checking"},
        "checking": {"doubt": "unclear", "finish": "done", "remind": "checking"},
        "unclear": {"resubmit": "received"},
    },
)


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def clock():
    return ManualClock(FRIDAY)


@pytest.fixture
def tracker(store, clock):
    return Tracker(CABINET, Journal(store), "17", clock)


def another(tracker, store, clock, **more):
    return Tracker(CABINET, Journal(store), tracker.entity, clock, **more)


def test_an_entity_without_history_is_in_the_initial_state(tracker):
    assert tracker.state == CABINET.state("received")
    assert tracker.history == ()
    assert tracker.due is None


def test_an_event_moves_the_state_and_is_written_down(tracker, clock):
    clock.advance(timedelta(hours=1))
    entry = tracker.fire("check", who="registrar-3", evidence={"digest": "ab"})
    assert tracker.state.code == "checking"
    assert tracker.history == (entry,)
    assert (entry.before, entry.after, entry.who) == ("received", "checking", "registrar-3")
    assert entry.at == FRIDAY + timedelta(hours=1)
    assert entry.evidence == {"digest": "ab"}


@pytest.mark.req("F366")
def test_the_history_is_read_back_as_it_was_written(tracker, store, clock):
    tracker.fire("check", who="registrar-3", evidence={"pages": [1, 2]})
    tracker.observe("Верификация завершена", who="gosuslugi", said_at=FRIDAY - timedelta(hours=2))
    tracker.observe("Неслыханно", who="gosuslugi")
    again = another(tracker, store, clock)
    assert again.history == tracker.history
    assert again.state == tracker.state
    assert again.due == tracker.due


def test_an_illegal_event_changes_nothing(tracker, store):
    tracker.fire("check", who="registrar-3")
    before = store.load("cabinet/17")
    with pytest.raises(IllegalTransition) as refused:
        tracker.fire("resubmit", who="registrar-3")
    assert refused.value.allowed == ("doubt", "finish", "remind")
    assert store.load("cabinet/17") == before
    assert tracker.state.code == "checking"


def test_the_second_of_two_writers_is_told_and_sees_the_true_state(tracker, store, clock):
    slow = another(tracker, store, clock)
    tracker.fire("check", who="registrar-3")
    with pytest.raises(VersionConflict):
        slow.fire("check", who="registrar-4")
    assert slow.state.code == "checking"
    assert slow.history == tracker.history


def test_refresh_reads_what_others_have_written(tracker, store, clock):
    idle = another(tracker, store, clock)
    tracker.fire("check", who="registrar-3")
    idle.refresh()
    assert idle.history == tracker.history


@pytest.mark.req("F232")
def test_a_remote_status_is_taken_over_with_its_provenance(tracker, clock):
    said_at = FRIDAY - timedelta(days=1)
    entry = tracker.observe("проверка  в процессе", who="gosuslugi", said_at=said_at)
    assert tracker.state.code == "checking"
    assert (entry.who, entry.said, entry.said_at, entry.at) == (
        "gosuslugi",
        "проверка  в процессе",
        said_at,
        FRIDAY,
    )
    assert entry.event is None
    assert not entry.doubtful


def test_a_remote_status_may_skip_states_that_nobody_asked_about(tracker):
    tracker.observe("Верификация завершена", who="gosuslugi")
    assert tracker.state.success
    assert tracker.doubt is None


def test_a_remote_status_to_which_no_path_leads_is_only_written_down(tracker):
    tracker.observe("Верификация завершена", who="gosuslugi")
    entry = tracker.observe("Документы получены", who="gosuslugi")
    assert entry.doubtful
    assert tracker.doubt == entry
    assert tracker.state.code == "done"


def test_an_unheard_of_remote_status_is_kept_and_moves_nothing(tracker):
    entry = tracker.observe("Заявление отклонено", who="gosuslugi")
    assert tracker.doubt == entry
    assert entry.said == "Заявление отклонено"
    assert tracker.state.code == "received"
    assert not tracker.state.terminal


def test_a_doubt_ends_when_the_remote_system_says_something_known(tracker):
    tracker.observe("Неслыханно", who="gosuslugi")
    tracker.observe("Проверка в процессе", who="gosuslugi")
    assert tracker.doubt is None


@pytest.mark.parametrize("text", ["Документы получены", "Проверка в процессе", "Неслыханно"])
def test_hearing_the_same_again_writes_nothing(tracker, text):
    first = tracker.observe(text, who="gosuslugi")
    assert tracker.observe(text, who="gosuslugi") == first
    assert tracker.history == (first,)


def test_a_remote_status_is_judged_against_what_others_wrote_meanwhile(tracker, store, clock):
    slow = another(tracker, store, clock)
    tracker.fire("check", who="registrar-3")
    entry = slow.observe("Требуется уточнение", who="gosuslugi")
    assert (entry.before, entry.after) == ("checking", "unclear")


def test_each_change_is_told_once_after_it_is_written(tracker, store, clock):
    told = []

    def on_change(change):
        assert store.load("cabinet/17")[-1].data["after"] == change.after.code
        told.append((change.entity, change.before.code, change.after.code))

    watched = another(tracker, store, clock, on_change=on_change)
    watched.observe("Документы получены", who="gosuslugi")
    watched.fire("check", who="registrar-3")
    watched.fire("remind", who="registrar-3")
    watched.observe("Неслыханно", who="gosuslugi")
    watched.observe("Верификация завершена", who="gosuslugi")
    assert told == [("17", "received", "checking"), ("17", "checking", "done")]


def test_a_failing_hook_is_logged_and_the_change_stands(tracker, store, clock, caplog):
    def on_change(change):
        raise RuntimeError("Тестова Анна Петровна")

    watched = another(tracker, store, clock, on_change=on_change)
    with caplog.at_level(logging.ERROR):
        watched.fire("check", who="registrar-3")
    assert watched.state.code == "checking"
    assert "RuntimeError" in caplog.text
    assert "Тестова" not in caplog.text


@pytest.mark.req("F355")
def test_a_state_is_overdue_after_its_working_days(tracker, clock):
    tracker.observe("Документы получены", who="gosuslugi")
    assert tracker.due == datetime(2026, 6, 29, 20, 59, 59, 999999, tzinfo=UTC)
    assert not tracker.overdue(tracker.due)
    assert tracker.overdue(tracker.due + timedelta(microseconds=1))
    clock.advance(timedelta(days=5))
    assert tracker.overdue()


def test_days_off_of_the_calendar_move_the_deadline(tracker, store, clock):
    calendar = Calendar(holidays=frozenset({datetime(2026, 6, 29, tzinfo=UTC).date()}))
    patient = another(tracker, store, clock, calendar=calendar)
    patient.observe("Документы получены", who="gosuslugi")
    assert patient.due == datetime(2026, 6, 30, 20, 59, 59, 999999, tzinfo=UTC)


def test_a_term_runs_from_the_moment_the_remote_system_names(tracker):
    said_at = FRIDAY - timedelta(days=1)
    tracker.observe("Требуется уточнение", who="gosuslugi", said_at=said_at)
    assert tracker.due == said_at + timedelta(days=10)


def test_hearing_of_the_present_state_does_not_restart_its_term(tracker, clock):
    tracker.fire("check", who="registrar-3")
    due = tracker.due
    clock.advance(timedelta(days=2))
    tracker.observe("Проверка в процессе", who="gosuslugi")
    assert tracker.due == due


def test_an_event_that_leads_back_into_a_state_restarts_its_term(tracker, clock):
    tracker.fire("check", who="registrar-3")
    clock.advance(timedelta(days=7))
    tracker.fire("remind", who="registrar-3")
    assert tracker.since == clock.now()


def test_a_doubtful_first_word_starts_no_term(tracker):
    tracker.observe("Неслыханно", who="gosuslugi")
    assert tracker.since is None
    assert not tracker.overdue()


def test_a_state_without_a_deadline_is_never_overdue(tracker, clock):
    tracker.observe("Верификация завершена", who="gosuslugi")
    clock.advance(timedelta(days=1000))
    assert not tracker.overdue()


def test_remote_texts_and_evidence_stay_out_of_the_repr(tracker):
    tracker.observe("Отказано Тестовой", who="gosuslugi", evidence={"name": "Тестова"})
    assert "Тестов" not in repr(tracker.history)


def test_a_journal_of_a_model_with_more_states_is_refused(tracker, store, clock):
    mine = CABINET.extend(
        states=[State("lost", "Утеряно", terminal=True)], transitions={"checking": {"lose": "lost"}}
    )
    theirs = Tracker(mine, Journal(store), "17", clock)
    theirs.fire("check", who="registrar-3")
    theirs.fire("lose", who="registrar-3")
    tracker.refresh()
    with pytest.raises(UsageError, match="no state 'lost'"):
        _ = tracker.state


def test_a_stream_that_is_no_journal_is_refused_without_quoting_it(store, clock):
    store.append("cabinet/17", 0, [NewEvent("note", FRIDAY, {"name": "Тестова"})])
    with pytest.raises(StoreError) as refused:
        Tracker(CABINET, Journal(store), "17", clock)
    assert "Тестова" not in str(refused.value)


actions = st.lists(
    st.one_of(
        st.tuples(st.just("fire"), st.sampled_from(["check", "doubt", "finish", "resubmit"])),
        st.tuples(
            st.just("observe"),
            st.sampled_from([*(s.label for s in CABINET.states.values()), "Неслыханно"]),
        ),
    ),
    max_size=12,
)


@given(actions)
def test_the_state_is_the_fold_of_the_journal_whatever_happens(steps):
    store, clock = MemoryStore(), ManualClock(FRIDAY)
    tracker = Tracker(CABINET, Journal(store), "17", clock)
    for kind, word in steps:
        clock.advance(timedelta(minutes=1))
        before = tracker.history
        try:
            getattr(tracker, kind)(word, who="someone")
        except IllegalTransition:
            assert tracker.history == before
        assert Tracker(CABINET, Journal(store), "17", clock).history == tracker.history
    for entry in tracker.history:
        assert CABINET.path(entry.before, entry.after) is not None
