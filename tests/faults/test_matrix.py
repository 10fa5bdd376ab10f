"""Every fault × every operation × every colour.

Whatever happens on the wire: nothing is created twice, no outcome is lost, the error is typed, the
deadline is kept, and no text shows a secret. The whole product takes minutes, so of most operations
each fault is tried in one colour only, the colours take turns, and what only waits is left out: a
deadline is the driver's business and not the operation's. With ``MEDSIGN_FAULTS=all`` in
the environment nothing is left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.faults import server
from tests.faults.case import Case
from tests.faults.operations import ROWS, Founded, operations
from tests.faults.server import Server
from tests.faults.table import FAULTS

from medsign.exchange import Service
from medsign.mchd import Mchd
from medsign.sep import Sep

COLOURS = ("sync", "asyncio", "trio")
WHOLE = {(Sep, "send")}
EVERYTHING = os.environ.get("MEDSIGN_FAULTS") == "all"
_OPERATIONS = tuple(operations())
# trio, and only it, tells of httpx's generators over the body of a request that could not be sent.
pytestmark = pytest.mark.filterwarnings(
    r"ignore:Exception ignored in. <async_generator object ByteStream\.__aiter__ "
    ":pytest.PytestUnraisableExceptionWarning"
)
_IDS = [f"{service.__name__}.{name}" for service, name in _OPERATIONS]


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Founded:
    return Founded.under(tmp_path_factory.mktemp("worlds"))


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Server]:
    """A host that nobody configured: whatever it gets was sent by mistake."""
    with Server(lambda _: server.refuse_all) as host:
        yield host
        assert host.seen == []


def chosen(service: type[Service], name: str) -> Iterator[tuple[str, str, str]]:
    turn = _OPERATIONS.index((service, name))
    for number, fault in enumerate(FAULTS, turn):
        if FAULTS[fault].twice and (service, name) == (Mchd, "revoke"):
            continue  # the registry knows no keys: to its second self an application is refused
        if EVERYTHING or (service, name) in WHOLE:
            yield from ((fault, mode, colour) for mode in ("once", "always") for colour in COLOURS)
        elif not FAULTS[fault].slow:
            yield fault, "once", COLOURS[number % 3]
            if number % 12 == 0:
                yield fault, "always", COLOURS[number % 3]


def test_every_operation_of_every_service_has_a_row() -> None:
    assert set(_OPERATIONS) == set(ROWS)


@pytest.mark.parametrize("service, name", _OPERATIONS, ids=_IDS)
def test_an_operation_survives_every_fault(
    service: type[Service], name: str, founded: Founded, elsewhere: Server, tmp_path: Path
) -> None:
    prepared = founded.prepare(service, name)
    cases = {
        which: Case(
            prepared=prepared,
            fault=FAULTS[which[0]],
            mode=which[1],
            colour=which[2],
            file=tmp_path / f"{number}.db",
            elsewhere=elsewhere.url,
        )
        for number, which in enumerate(chosen(service, name))
    }
    with ThreadPoolExecutor(16) as pool:
        problems = dict(zip(cases, pool.map(Case.problems, cases.values()), strict=True))
    wrong = [f"{', '.join(which)}: {why}" for which, found in problems.items() for why in found]
    assert not wrong, "\n".join(wrong)
