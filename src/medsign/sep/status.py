"""The way of a document through СЭП, and the channels by which patients get it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from medsign.status import State, StatusModel, fold


class DocumentState(StrEnum):
    """State of a document in СЭП."""

    FORMED = "FORMED"
    CREATED = "CREATED"
    DISPATCHED = "DISPATCHED"
    SIGNED = "SIGNED"


SEP_STATUS = StatusModel(
    name="sep_document",
    states=[
        State(DocumentState.FORMED, ""),
        State(DocumentState.CREATED, "Создан"),
        State(DocumentState.DISPATCHED, "Документ направлен конкретному получателю"),
        State(DocumentState.SIGNED, "Получатель подписал документ", terminal=True, success=True),
    ],
    initial=DocumentState.FORMED,
    transitions={
        DocumentState.FORMED: {"send": DocumentState.CREATED},
        DocumentState.CREATED: {"dispatch": DocumentState.DISPATCHED},
        DocumentState.DISPATCHED: {"sign": DocumentState.SIGNED},
    },
    events={
        "send": "Отправить",
        "dispatch": "направить получателю",
        "sign": "подписать",
    },
)
"""What the source shows and no more (F224-F226, F231): it has neither refusal nor expiry, so a
text such as «Отозван» is kept as unknown. Before «Отправить» the status is empty."""

MILA = "Mila"
SMS = "СМС"
MAX = "MAX"
CHANNELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {MILA: ("личный кабинет Mila",), SMS: ("SMS", "СМС-код"), MAX: ("мессенджер MAX",)}
)
"""Known channels with their other spellings (F186)."""

_CANONICAL = {
    fold(text): name for name, spellings in CHANNELS.items() for text in (name, *spellings)
}


def channel(text: str) -> str:
    """Return the known channel that a text means, or the text itself: new ones may come.

    The source writes both MAX in Latin and МАХ in Cyrillic letters, and once «mta», which nobody
    explains.

    Example:
        >>> channel("МАХ") == MAX, channel("sms") == SMS, channel("mta")
        (True, True, 'mta')
    """
    return _CANONICAL.get(fold(text), text.strip())
