"""A vendor's code as the type checkers see it: it is checked by `nox -s types` and never run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import assert_type

from medsign.clock import Clock, ManualClock, SystemClock
from medsign.gost import DigestAlgorithm, PortableProvider, PrivateKey, digest, param_set
from medsign.identifiers import Snils
from medsign.status import State, StatusModel, UnknownStatus


def identifiers(text: str) -> None:
    assert_type(Snils(text).value, str)


def clocks() -> None:
    clocks: list[Clock] = [SystemClock(), ManualClock(datetime(2026, 1, 1, tzinfo=UTC))]
    assert_type(clocks[0].now(), datetime)


def status(model: StatusModel) -> None:
    assert_type(model.states, Mapping[str, State])
    assert_type(model.recognise("текст"), State | UnknownStatus)
    assert_type(model.apply("draft", "send"), str)


def gost(provider: PortableProvider) -> None:
    key = provider.generate(param_set("1.2.643.7.1.2.1.1.1"))
    assert_type(key, PrivateKey)
    assert_type(digest(DigestAlgorithm.STREEBOG_256, b"text"), bytes)
    assert_type(provider.verify(key.public_key(), bytes(32), b""), bool)
