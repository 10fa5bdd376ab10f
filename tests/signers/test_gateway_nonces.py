"""Each signature of a request is let in once, whoever remembers it, and the memory stays small."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.clock import ManualClock
from medsign.errors import NotAuthentic, StoreError, UsageError
from medsign.sandbox import Sandbox
from medsign.signers import NonceMemory, SignedBy
from medsign.signers.gateway import SKEW

NOON = datetime(2026, 7, 1, 9, tzinfo=UTC)
CLINIC = "ab" * 32
moments = st.integers(-7200, 7200).map(lambda seconds: NOON + timedelta(seconds=seconds))
differences = st.integers(-300, 300).map(lambda seconds: timedelta(seconds=seconds))


def seen(nonce="n-1", created=NOON, key_id=CLINIC):
    return SignedBy(key_id=key_id, nonce=nonce, created=created)


def refusal(memory, signed):
    with pytest.raises(NotAuthentic) as refused:
        memory.spend(signed)
    return refused.value.reason


@pytest.fixture(params=["in memory", "on disk"])
def memory(request, tmp_path):
    with NonceMemory(tmp_path / "nonces" if request.param == "on disk" else None) as memory:
        yield memory


@pytest.mark.req("F127")
def test_a_nonce_is_spent_once(memory):
    memory.spend(seen())
    assert refusal(memory, seen()) == "replay"


def test_signers_do_not_spend_each_others_nonces(memory):
    memory.spend(seen())
    memory.spend(seen(key_id="cd" * 32))
    memory.spend(seen("n-2"))


def test_threads_that_send_the_same_request_get_in_once(memory):
    def spend(_):
        try:
            memory.spend(seen())
        except NotAuthentic as error:
            return error.reason
        return "in"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(spend, range(32)))
    assert sorted(answers) == ["in", *["replay"] * 31]


@given(
    st.lists(st.tuples(moments, st.integers(0, 3)), max_size=30),
)
def test_whatever_clocks_do_nothing_gets_in_twice(sent):
    memory, let_in = NonceMemory(), []
    for created, nonce in sent:
        try:
            memory.spend(seen(str(nonce), created))
        except NotAuthentic:
            continue
        let_in.append((created, nonce))
    assert len(set(let_in)) == len(let_in)


@given(st.lists(st.tuples(moments, differences), max_size=30))
def test_what_a_verifier_takes_for_fresh_is_never_too_old_for_the_memory(sent):
    memory = NonceMemory()
    for number, (at, difference) in enumerate(sorted(sent)):
        signed = seen(str(number), at + difference)
        memory.spend(signed)
        assert refusal(memory, signed) == "replay"


@given(moments, differences, differences)
def test_a_replay_is_refused_to_the_last_second_of_the_window(at, first, later):
    memory = NonceMemory()
    signed = seen("replayed", at + first)
    memory.spend(signed)
    # Others move the memory on, as far ahead as they may be while the first is still fresh.
    memory.spend(seen("other", signed.created + SKEW + abs(later)))
    assert refusal(memory, signed) == "replay"


def test_only_the_last_spans_of_time_are_kept_on_disk(tmp_path):
    for minutes in range(0, 300, 3):
        with NonceMemory(tmp_path) as memory:
            memory.spend(seen(created=NOON + timedelta(minutes=minutes), nonce=str(minutes)))
        names = [file.name for file in tmp_path.iterdir()]
        assert len({re.findall(r"\d+", name)[1] for name in names}) <= 3


def test_only_the_last_spans_of_time_are_kept_in_memory():
    memory = NonceMemory()

    def size_after(hours):
        for minutes in range(0, 60 * hours, 3):
            memory.spend(seen(str(minutes), NOON + timedelta(hours=hours, minutes=minutes)))
        return sum(len(list(store.streams())) for store in memory._stores.values())

    assert size_after(1) == size_after(30) <= 3 * (2 * SKEW // timedelta(minutes=3) + 1)


def test_what_is_forgotten_is_too_old_and_not_new(memory):
    memory.spend(seen())
    memory.spend(seen("n-2", NOON + timedelta(hours=1)))
    assert refusal(memory, seen()) == "time"


def test_a_clock_that_is_set_back_lets_nothing_in_again_after_a_restart(tmp_path):
    with NonceMemory(tmp_path) as memory:
        memory.spend(seen())
        memory.spend(seen("n-2", NOON + timedelta(hours=1)))
    with NonceMemory(tmp_path) as memory:
        assert refusal(memory, seen()) == "time"


def test_a_memory_on_disk_outlives_its_process(tmp_path):
    with NonceMemory(tmp_path) as memory:
        memory.spend(seen())
    with NonceMemory(tmp_path) as memory:
        assert refusal(memory, seen()) == "replay"


def test_two_processes_let_each_request_in_once_between_them(tmp_path):
    program = """
import sys
from datetime import UTC, datetime, timedelta
from medsign.errors import NotAuthentic
from medsign.signers import NonceMemory, SignedBy

noon, let_in = datetime(2026, 7, 1, 9, tzinfo=UTC), 0
print("ready", flush=True)
sys.stdin.readline()
with NonceMemory(sys.argv[1]) as memory:
    for number in range(40):
        created = noon + timedelta(seconds=number * 20)
        try:
            memory.spend(SignedBy(key_id="ab", nonce=str(number), created=created))
            let_in += 1
        except NotAuthentic as error:
            assert error.reason == "replay"
print(let_in)
"""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, tmp_path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert sum(int(process.communicate(timeout=60)[0]) for process in processes) == 40


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_knows_what_its_parent_let_in(tmp_path):
    with NonceMemory(tmp_path) as memory:
        memory.spend(seen())
        child = os.fork()
        if child == 0:
            try:
                memory.spend(seen())
            except NotAuthentic as error:
                os._exit(7 if error.reason == "replay" else 1)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_a_closed_memory_lets_nothing_in(memory):
    memory.spend(seen())
    memory.close()
    with pytest.raises(StoreError):
        memory.spend(seen())


def test_a_folder_that_is_gone_lets_nothing_in(tmp_path):
    memory = NonceMemory(tmp_path / "nonces")
    (tmp_path / "nonces").rmdir()
    with pytest.raises(StoreError):
        memory.spend(seen())
    memory.close()


def test_a_folder_is_not_shared_by_those_who_cut_time_otherwise(tmp_path):
    with NonceMemory(tmp_path) as memory:
        memory.spend(seen())
        with pytest.raises(UsageError, match="another skew"):
            NonceMemory(tmp_path, skew=2 * SKEW)


def test_a_folder_that_cannot_be_made_is_told_at_once(tmp_path):
    (tmp_path / "nonces").write_text("")
    with pytest.raises(StoreError, match="FileExistsError"):
        NonceMemory(tmp_path / "nonces")


def test_files_of_others_in_the_folder_stay(tmp_path):
    other = tmp_path / "nonces-of-the-year.db"
    other.write_text("")
    with NonceMemory(tmp_path) as memory:
        memory.spend(seen())
        memory.spend(seen("n-2", NOON + timedelta(hours=1)))
    assert other.exists()


def test_a_window_of_no_width_is_refused():
    with pytest.raises(UsageError):
        NonceMemory(skew=timedelta(0))


def test_nothing_of_the_nonce_shows_on_disk(tmp_path):
    with NonceMemory(tmp_path) as memory:
        memory.spend(seen("nonce-of-a-request"))
        assert not [f for f in tmp_path.iterdir() if b"nonce-of-a-request" in f.read_bytes()]


def test_the_sandbox_still_lets_requests_in_after_its_clock_was_set_back():
    clock = ManualClock(NOON)
    with (
        Sandbox(clock=clock, signed_requests=True) as sandbox,
        sandbox.connect(gateway=sandbox.gateway()) as window,
    ):
        assert list(window.ca.certificates()) == []
        clock.advance(timedelta(days=30))
        assert list(window.ca.certificates()) == []
        clock.set(NOON)
        assert list(window.ca.certificates()) == []


def test_threads_that_open_a_span_at_once_share_one_store(tmp_path):
    barrier = threading.Barrier(8)
    with NonceMemory(tmp_path) as memory, ThreadPoolExecutor(8) as pool:

        def spend(_):
            barrier.wait(10)
            try:
                memory.spend(seen())
            except NotAuthentic:
                return 0
            return 1

        assert sum(pool.map(spend, range(8))) == 1
