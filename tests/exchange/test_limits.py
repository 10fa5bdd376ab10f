"""The rate limit under many callers of both colours, by a clock that stands until all sleep."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import accumulate

import anyio
import anyio.to_thread
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.clock import ManualClock
from medsign.errors import ConfigError, DeadlineExceeded
from medsign.exchange import AsyncDriver, Context, Driver, RateLimit, RetryPolicy, Wait

NOON = datetime(2026, 6, 25, 9, tzinfo=UTC)
WINDOW = 60.0
ALLOWED = 50


class Stage:
    """Moves its clock to the next awakening, once every caller sleeps or is done."""

    def __init__(self, callers: int) -> None:
        self.clock = ManualClock(NOON)
        self.left: list[float] = []
        self.naps = 0
        self._awake = callers
        self._alarms: list[tuple[float, threading.Event]] = []
        self._changed = threading.Condition()

    def sleep(self, seconds: float) -> None:
        alarm = threading.Event()
        with self._changed:
            self.naps += 1
            self._awake -= 1
            self._alarms.append((self.clock.monotonic() + seconds, alarm))
            self._changed.notify_all()
        assert alarm.wait(30)

    async def async_sleep(self, seconds: float) -> None:
        await anyio.to_thread.run_sync(self.sleep, seconds, limiter=anyio.CapacityLimiter(1))

    def done(self) -> None:
        with self._changed:
            self._awake -= 1
            self._changed.notify_all()

    def play(self) -> None:
        with self._changed:
            while True:
                assert self._changed.wait_for(lambda: not self._awake, 30)
                if not self._alarms:
                    return
                self._alarms.sort(key=lambda alarm: alarm[0])
                due, alarm = self._alarms.pop(0)
                self.clock.advance(timedelta(seconds=max(0.0, due - self.clock.monotonic())))
                self._awake += 1
                alarm.set()

    def answer(self, _: httpx.Request) -> httpx.Response:
        self.left.append(self.clock.monotonic())
        return httpx.Response(200, content=b"{}")


def fullest(left: list[float], window: float = WINDOW) -> int:
    """Return how many left in the fullest window, but for what rounding of clocks makes of it."""
    return max(sum(begin <= each < begin + window - 1e-4 for each in left) for begin in left)


@given(
    requests=st.integers(1, 5),
    window=st.floats(0.5, 120),
    # In windows: the pause before each caller, by how much it oversleeps; and whether it waits.
    callers=st.lists(
        st.tuples(st.floats(0, 0.4), st.sampled_from([0.0, 0.0, 0.3, 1.5]), st.integers(0, 3)),
        min_size=15,
        max_size=40,
    ),
)
def test_no_window_holds_more_than_the_limit_whoever_comes_wakes_late_or_gives_up(
    requests: int, window: float, callers: list[tuple[float, float, int]]
):
    clock, limit = ManualClock(NOON), RateLimit(requests, window)
    coming = accumulate(pause * window for pause, _, _ in callers)
    agenda = [
        (clock.monotonic() + at, nth, limit.turn(clock, 1e9)) for nth, at in enumerate(coming)
    ]
    left: list[float] = []
    while agenda:
        at, nth, turn = heappop(agenda)
        clock.advance(timedelta(seconds=max(0.0, at - clock.monotonic())))
        _, late, patient = callers[nth]
        pause = next(turn, None)
        if pause is None:
            left.append(clock.monotonic())
        elif patient:
            assert isinstance(pause, Wait)
            heappush(agenda, (clock.monotonic() + pause.seconds + late * window, nth, turn))
        else:
            turn.close()
    assert len(left) >= sum(patient > 0 for _, _, patient in callers)
    assert fullest(left, window) <= requests


@pytest.mark.parametrize(("requests", "seconds"), [(0, 60.0), (1, 0.0)])
def test_a_rate_limit_that_means_nothing_is_refused(requests: int, seconds: float):
    with pytest.raises(ConfigError):
        RateLimit(requests, seconds)


def test_two_hundred_callers_of_both_colours_keep_one_limit():
    half = 100
    stage = Stage(2 * half)
    context = Context(
        service="snils",
        base_url="https://snils.test",
        clock=stage.clock,
        limit=RateLimit(ALLOWED, WINDOW),
        policy=RetryPolicy(total=1e6, timeout=1e6),
    )
    line = httpx.MockTransport(stage.answer)

    def flow():
        return context.fetch("check", context.request("GET", "x"))

    def blocking() -> None:
        with httpx.Client(transport=line) as http:
            Driver(http, clock=stage.clock, sleep=stage.sleep).run(flow())
        stage.done()

    async def asynchronous() -> None:
        async with httpx.AsyncClient(transport=line) as http:
            driver = AsyncDriver(http, clock=stage.clock, sleep=stage.async_sleep)

            async def one() -> None:
                await driver.run(flow())
                stage.done()

            async with anyio.create_task_group() as group:
                for _ in range(half):
                    group.start_soon(one)

    with ThreadPoolExecutor(half + 1) as pool:
        runs = [pool.submit(blocking) for _ in range(half)] + [pool.submit(anyio.run, asynchronous)]
        stage.play()
        assert [run.result() for run in runs] == [None] * (half + 1)
    assert len(stage.left) == 2 * half
    assert fullest(stage.left) <= ALLOWED
    # As fast as allowed, and each caller woke for its own slot and no other time.
    assert max(stage.left) == pytest.approx((2 * half - 1) * WINDOW / ALLOWED)
    assert stage.naps < 2 * half + 10


async def paused(limit: RateLimit, clock: ManualClock, sleep: Callable[[float], Awaitable[None]]):
    async with httpx.AsyncClient() as http:
        driver = AsyncDriver(http, clock=clock, sleep=sleep)
        return await driver.run(limit.turn(clock, 1e9))


def waits(limit: RateLimit, clock: ManualClock, until: float = 1e9) -> float:
    """Return for how long a caller is told to wait, who then stays in the queue."""
    flow = limit.turn(clock, until)
    QUEUE.append(flow)
    try:
        effect = next(flow)
    except StopIteration as done:
        return 0.0 if done.value else -1.0
    assert isinstance(effect, Wait)
    return effect.seconds


# A flow that nobody holds is closed, and gives its slot back.
QUEUE: list[object] = []


def test_who_came_first_goes_first():
    clock, limit = ManualClock(NOON), RateLimit(6, WINDOW)
    assert [waits(limit, clock) for _ in range(4)] == [0.0, 10.0, 20.0, 30.0]


def test_who_wakes_late_is_not_followed_too_closely():
    clock, limit = ManualClock(NOON), RateLimit(2, WINDOW)
    late = limit.turn(clock, 1e9)
    assert waits(limit, clock) == 0.0
    assert next(late) == Wait(30.0)
    third = limit.turn(clock, 1e9)
    assert next(third) == Wait(60.0)
    fourth = limit.turn(clock, 1e9)
    assert next(fourth) == Wait(90.0)
    clock.advance(timedelta(seconds=59))
    with pytest.raises(StopIteration):
        next(late)
    clock.advance(timedelta(seconds=1))
    with pytest.raises(StopIteration):
        next(third)
    clock.advance(timedelta(seconds=30))
    # At 59 and 60 two have left: the window is full until 119.
    assert next(fourth) == Wait(29.0)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_caller_who_is_cancelled_gives_its_slot_back(backend: str):
    clock, limit = ManualClock(NOON), RateLimit(6, WINDOW)

    async def run() -> None:
        assert waits(limit, clock) == 0.0
        async with anyio.create_task_group() as group:
            group.start_soon(paused, limit, clock, anyio.sleep)
            await anyio.sleep(0.01)
            assert waits(limit, clock) == 20.0
            group.cancel_scope.cancel()

    anyio.run(run, backend=backend)
    assert waits(limit, clock) == 10.0
    assert waits(limit, clock) == 30.0


def test_a_slot_after_the_deadline_is_not_waited_for_and_stays_free():
    clock, limit = ManualClock(NOON), RateLimit(6, WINDOW)
    assert waits(limit, clock) == 0.0
    assert waits(limit, clock, until=10.0) == -1.0
    assert waits(limit, clock) == 10.0


def test_an_operation_whose_slot_comes_too_late_says_so_at_once():
    clock, limit = ManualClock(NOON), RateLimit(1, WINDOW)
    policy = RetryPolicy(total=59.0)
    context = Context(
        service="x", base_url="https://x.test", clock=clock, limit=limit, policy=policy
    )
    naps: list[float] = []
    line = httpx.MockTransport(lambda _: httpx.Response(200))
    with httpx.Client(transport=line) as http:
        driver = Driver(http, clock=clock, sleep=naps.append)
        driver.run(context.fetch("get", context.request("GET", "x")))
        with pytest.raises(DeadlineExceeded):
            driver.run(context.fetch("get", context.request("GET", "x")))
    assert naps == []


def test_waiting_costs_no_processor_time():
    program = """
import anyio, anyio.to_thread, httpx, threading, time
from medsign.clock import SystemClock
from medsign.exchange import AsyncDriver, Driver, RateLimit
limit, clock = RateLimit(20, 1.0), SystemClock()

http, async_http = httpx.Client(), httpx.AsyncClient()

def blocking():
    Driver(http).run(limit.turn(clock, 1e12))

async def tasks():
    async with anyio.create_task_group() as group:
        for _ in range(14):
            group.start_soon(AsyncDriver(async_http).run, limit.turn(clock, 1e12))

threads = [threading.Thread(target=blocking) for _ in range(14)]
threads.append(threading.Thread(target=anyio.run, args=(tasks,)))
for thread in threads:
    thread.start()
time.sleep(0.6)
busy = time.process_time()
time.sleep(0.6)
assert time.process_time() - busy < 0.06, time.process_time() - busy
for thread in threads:
    thread.join()
http.close()
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=30)
