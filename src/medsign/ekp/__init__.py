"""Единая карта петербуржца (ЕКП): who holds a card (F234-F294).

`Ekp.identify_card` reads the card on a reader and asks the web service; when no answer comes, the
card itself tells. `Ekp.identify` takes a number or a QR code instead.
"""

from __future__ import annotations

from medsign.ekp.cards import GET_UID, CardBindings, CardReader, Way, uid_of, ways_of
from medsign.ekp.client import EMTS_HOST, QUICK, AsyncEkp, Ekp, ekp_context
from medsign.ekp.models import (
    CardKey,
    CardRecord,
    Holder,
    Person,
    QrCode,
    ServiceRecord,
    Sex,
    Source,
    may_hold_card,
    merge,
    record_of,
)
from medsign.ekp.operations import Lookup
from medsign.ekp.status import (
    LOOKUP_STATUS,
    PRESENCE_COLOURS,
    PRESENCE_STATUS,
    LookupState,
    Passage,
    Presence,
    presence,
)

__all__ = [
    "EMTS_HOST",
    "GET_UID",
    "LOOKUP_STATUS",
    "PRESENCE_COLOURS",
    "PRESENCE_STATUS",
    "QUICK",
    "AsyncEkp",
    "CardBindings",
    "CardKey",
    "CardReader",
    "CardRecord",
    "Ekp",
    "Holder",
    "Lookup",
    "LookupState",
    "Passage",
    "Person",
    "Presence",
    "QrCode",
    "ServiceRecord",
    "Sex",
    "Source",
    "Way",
    "ekp_context",
    "may_hold_card",
    "merge",
    "presence",
    "record_of",
    "uid_of",
    "ways_of",
]
