"""Identification by card, once for both colours: the web service first, the card second.

The protocol of the web service is not published, so this contract is our own.
"""

from __future__ import annotations

import attrs

from medsign.ekp.cards import CardReader
from medsign.ekp.models import CardKey, CardRecord, Person, QrCode, ServiceRecord, Source, merge
from medsign.errors import DeadlineExceeded, TransportError, UsageError
from medsign.exchange import Context, Flow, do
from medsign.identifiers import CardNumber, CardUid


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

    The card is read only when no answer came: a refusal is an answer (F261-F264).

    Args:
        key: The card's UID, its number as a person typed it, or its QR code.
        card: The reader with the same card, or ``None`` where there is none: on Linux only the
            web service is left (F257). Whether a QR code is of the card on the reader cannot be
            checked, so the caller vouches for it.

    Raises:
        ApiError: The web service does not know the card.
        TransportError: No answer came, and there is no reader.
        UsageError: On the reader lies another card.
    """
    # A POST, because the key leads to a person and must not stand in a URL.
    request = context.request("POST", "lookups", body=Lookup.by(key))
    try:
        answer = yield from context.fetch("identify", request)
    except (TransportError, DeadlineExceeded):
        if card is None:
            raise
        return merge(card=(yield from do(lambda: _read(card, key))))
    return merge(context.read(ServiceRecord, answer))


def identify_card(context: Context, card: CardReader, *, photo: bool = False) -> Flow[Person]:
    """Return the holder of the card on a reader.

    Args:
        card: The reader.
        photo: Whether to take the photo from the card; the web service has none (F281).

    Raises:
        ApiError: The web service does not know the card.
        Unavailable: There is no reader, or no card on it.
    """
    uid = yield from do(card.read_uid)
    person = yield from identify(context, uid, card=card)
    if not photo or not (picture := (yield from do(card.read_photo))):
        return person
    sources = {**person.sources, "photo": Source.CARD}
    return attrs.evolve(person, photo=picture, sources=sources)


def _read(card: CardReader, key: CardKey) -> CardRecord:
    record = card.read_person()
    # The wrong patient is worse than none.
    if (isinstance(key, CardUid) and card.read_uid() != key) or (
        isinstance(key, CardNumber) and record.card_number != key
    ):
        raise UsageError(
            "the card on the reader is another one",
            "На считывателе лежит другая карта. Приложите ту, по которой ищете, и повторите.",
        )
    return record
