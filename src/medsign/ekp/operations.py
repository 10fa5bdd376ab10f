"""Identification by card, once for both colours: the web service first, the card second.

The protocol of the web service is not published, so this contract is our own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import attrs

from medsign.ekp.cards import CardReader
from medsign.ekp.models import CardKey, CardRecord, Person, QrCode, ServiceRecord, Source, merge
from medsign.errors import (
    ApiError,
    BudgetExceeded,
    DeadlineExceeded,
    MedsignError,
    TransportError,
    UnexpectedAnswer,
    UsageError,
)
from medsign.exchange import Context, Flow, do
from medsign.identifiers import CardNumber, CardUid

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Lookup:
    """The question to the web service; exactly one of its members is given."""

    uid: CardUid | None = None
    number: CardNumber | None = None
    qr: str | None = attrs.field(default=None, repr=False)

    @classmethod
    def by(cls, key: CardKey) -> Lookup:
        """Return the question about a card."""
        match key:
            case CardUid():
                return cls(uid=key)
            case CardNumber():
                return cls(number=key)
            case QrCode(text):
                return cls(qr=text)


def identify(context: Context, key: CardKey, *, card: CardReader | None = None) -> Flow[Person]:
    """Return the holder of a card.

    The card is read only when no answer came: a refusal is an answer (F261-F264), a broken server
    or the page of a proxy in its place is none.

    Args:
        key: The card's UID, its number as a person typed it, or its QR code.
        card: The reader with the same card, or ``None`` where there is none: on Linux only the
            web service is left (F257). Whether a QR code is of the card on the reader cannot be
            checked, so the caller vouches for it.

    Raises:
        ApiError: The web service does not know the card, or is broken and there is no reader.
        TransportError: No answer came, and there is no reader.
        UnexpectedAnswer: The answer cannot be read, and there is no reader.
        UsageError: On the reader lies another card.
    """
    # A POST, because the key leads to a person and must not stand in a URL.
    request = context.request("POST", "lookups", body=Lookup.by(key))
    try:
        answer = yield from context.fetch("identify", request)
        return merge(context.read(ServiceRecord, answer))
    except MedsignError as error:
        if card is None or _is_answer(error):
            raise
    return merge(card=(yield from do(partial(_read, card, key))))


def identify_card(context: Context, card: CardReader, *, photo: bool = False) -> Flow[Person]:
    """Return the holder of the card on a reader.

    Args:
        card: The reader.
        photo: Whether to take the photo from the card; the web service has none (F281).

    Raises:
        ApiError: The web service does not know the card.
        Unavailable: There is no reader, or no card on it.
        UsageError: Another card lies there now: the next person has come.
    """
    uid = yield from do(card.read_uid)
    person = yield from identify(context, uid, card=card)
    if not photo or not (picture := (yield from do(partial(_of, card, uid, card.read_photo)))):
        return person
    sources = {**person.sources, "photo": Source.CARD}
    return attrs.evolve(person, photo=picture, sources=sources)


def _is_answer(error: MedsignError) -> bool:
    match error:
        case ApiError(status=status):
            return status < 500 and status not in {408, 429}
        case TransportError() | DeadlineExceeded() | UnexpectedAnswer() | BudgetExceeded():
            return False
        case _:
            return True


def _read(card: CardReader, key: CardKey) -> CardRecord:
    if isinstance(key, CardUid):
        return _of(card, key, card.read_person)
    record = card.read_person()
    if isinstance(key, CardNumber) and record.card_number != key:
        raise _another_card()
    return record


def _of(card: CardReader, uid: CardUid, read: Callable[[], T]) -> T:
    """Read from a card that lies there before and after: the wrong patient is worse than none."""
    before, found, after = card.read_uid(), read(), card.read_uid()
    if not before == after == uid:
        raise _another_card()
    return found


def _another_card() -> UsageError:
    return UsageError(
        "the card on the reader is another one",
        "На считывателе лежит другая карта. Приложите ту, по которой ищете, и повторите.",
    )
