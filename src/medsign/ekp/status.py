"""The lookup of a holder and the presence of staff, as tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

import attrs

from medsign.clock import MOSCOW, aware
from medsign.status import State, StatusModel


class LookupState(StrEnum):
    """Where the identification of a holder stands."""

    IDENTIFYING = "IDENTIFYING"
    ASKING_SERVICE = "ASKING_SERVICE"
    READING_CARD = "READING_CARD"
    FROM_SERVICE = "FROM_SERVICE"
    FROM_CARD = "FROM_CARD"
    REFUSED = "REFUSED"


LOOKUP_STATUS = StatusModel(
    name="ekp_lookup",
    states=[
        State(LookupState.IDENTIFYING, "Чтение Mifare UID или номера карты"),
        State(LookupState.ASKING_SERVICE, "Обращение в веб-сервис ЕКП"),
        State(LookupState.READING_CARD, "Чтение данных непосредственно с карты"),
        State(LookupState.FROM_SERVICE, "Данные из сервиса", terminal=True, success=True),
        State(LookupState.FROM_CARD, "Данные с карты", terminal=True, success=True),
        State(LookupState.REFUSED, "Карта не найдена", terminal=True),
    ],
    initial=LookupState.IDENTIFYING,
    transitions={
        LookupState.IDENTIFYING: {"ask": LookupState.ASKING_SERVICE},
        LookupState.ASKING_SERVICE: {
            "answer": LookupState.FROM_SERVICE,
            "refuse": LookupState.REFUSED,
            "no_answer": LookupState.READING_CARD,
        },
        LookupState.READING_CARD: {"read": LookupState.FROM_CARD},
    },
    events={
        "ask": "обратиться в веб-сервис",
        "answer": "ответ получен",
        "refuse": "получен отказ",
        "no_answer": "ответа нет",
        "read": "прочитать карту",
    },
)
"""Identification as the source draws it (F261-F264). What a refusal means, it does not say: here
it ends the lookup, because the card of somebody unknown proves nothing."""


class Presence(StrEnum):
    """Whether a member of staff is at work today."""

    NOT_ENTERED = "NOT_ENTERED"
    PRESENT = "PRESENT"
    LEFT = "LEFT"


PRESENCE_STATUS = StatusModel(
    name="ekp_presence",
    states=[
        State(Presence.NOT_ENTERED, "Врач еще не заходил сегодня на территорию МО"),
        State(Presence.PRESENT, "Врач на территории МО"),
        State(Presence.LEFT, "Врач покинул территорию МО"),
    ],
    initial=Presence.NOT_ENTERED,
    transitions={
        Presence.NOT_ENTERED: {"enter": Presence.PRESENT},
        Presence.PRESENT: {"leave": Presence.LEFT, "new_day": Presence.NOT_ENTERED},
        Presence.LEFT: {"enter": Presence.PRESENT, "new_day": Presence.NOT_ENTERED},
    },
    events={"enter": "войти", "leave": "выйти", "new_day": "начать новый день"},
)
"""Presence of staff by the passages of their cards (F289-F291)."""

PRESENCE_COLOURS: Mapping[Presence, str] = MappingProxyType(
    {Presence.NOT_ENTERED: "gray", Presence.PRESENT: "green", Presence.LEFT: "orange"}
)
"""Marks for workplaces (F292), CSS names; the source asks for colours and names none."""


@attrs.frozen
class Passage:
    """A card at a turnstile.

    Attributes:
        at: When, aware.
        inwards: Whether the holder came in.
    """

    at: datetime = attrs.field(converter=aware)
    inwards: bool


def presence(passages: Iterable[Passage], at: datetime) -> Presence:
    """Return the presence that the passages of the day, Moscow time, add up to.

    Args:
        passages: Passages of one person, in any order.
        at: The moment to judge at.

    Example:
        >>> morning = datetime(2026, 6, 25, 8, tzinfo=MOSCOW)
        >>> PRESENCE_STATUS.state(presence([Passage(morning, inwards=True)], morning)).label
        'Врач на территории МО'
    """
    today = aware(at).astimezone(MOSCOW).date()
    passed = [
        passage
        for passage in passages
        if passage.at <= at and passage.at.astimezone(MOSCOW).date() == today
    ]
    if not passed:
        return Presence.NOT_ENTERED
    last = max(passed, key=lambda passage: passage.at)
    return Presence.PRESENT if last.inwards else Presence.LEFT
