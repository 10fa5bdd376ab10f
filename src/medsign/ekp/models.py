"""Who holds a card: what the web service tells, what the card tells, and both together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import attrs

from medsign.clock import compare_age
from medsign.errors import UnexpectedAnswer
from medsign.identifiers import CardNumber, CardUid, OmsNumber, Snils
from medsign.status import fold


class Source(StrEnum):
    """Where a field came from."""

    SERVICE = "service"
    CARD = "card"


class Sex(StrEnum):
    """Sex of the holder."""

    MALE = "М"
    FEMALE = "Ж"


@attrs.frozen
class QrCode:
    """The text of a card's QR code as the scanner gave it; its format is not public.

    Attributes:
        text: It leads to a person, so it stays out of the repr.
    """

    text: str = attrs.field(repr=False)


CardKey = CardUid | CardNumber | QrCode
"""By what a card is known: its UID, its 16 digits, its QR code."""


@attrs.frozen(kw_only=True, repr=False)
class Holder:
    """What both the web service and the card tell (F265-F271, F275-F277).

    Neither names the insurer of the policy (F280).
    """

    surname: str
    given_name: str
    patronymic: str | None = None
    birth_date: date
    sex: Sex | None = None
    birth_place: str | None = None
    snils: Snils | None = None
    passport_series: str | None = None
    passport_number: str | None = None
    passport_issued_on: date | None = None
    oms: OmsNumber | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"


@attrs.frozen(kw_only=True, repr=False)
class ServiceRecord(Holder):
    """What only the web service tells besides (F270-F274).

    Addresses are plain text without a link to КЛАДР or ЕИС.ОМС (F282).
    """

    passport_issuer: str | None = None
    oms_issued_on: date | None = None
    mobile_phone: str | None = None
    city_phone: str | None = None
    registration_address: str | None = None
    living_address: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class CardRecord(Holder):
    """What only the card tells besides (F278, F279): its number, and maybe a photo."""

    card_number: CardNumber | None = None
    photo: bytes | None = None


@attrs.frozen(kw_only=True, repr=False)
class Person(ServiceRecord):
    """The holder of a card; the card does not replace the documents, it duplicates them (F238).

    Attributes:
        card_number: The number on the card.
        photo: Picture of the holder; the web service never sends it (F281).
        sources: For each field that is known, where it came from.
    """

    card_number: CardNumber | None = None
    photo: bytes | None = None
    sources: Mapping[str, Source] = attrs.field(
        factory=dict[str, Source], converter=MappingProxyType[str, Source]
    )


def merge(service: ServiceRecord | None = None, card: CardRecord | None = None) -> Person:
    """Join what is known of one holder; what the web service tells goes before the card.

    One СНИЛС is one person; where one of the two has none, birth date, surname, given name and sex
    decide.

    Raises:
        UnexpectedAnswer: The two tell of different people, or nothing was given.

    Example:
        >>> born = date(1990, 5, 17)
        >>> person = merge(card=CardRecord(surname="Тестова", given_name="Анна", birth_date=born))
        >>> person.sources["surname"]
        <Source.CARD: 'card'>
    """
    if service and card and not _same(service, card):
        raise UnexpectedAnswer("ekp: the card and the web service tell of different people")
    values: dict[str, Any] = {}
    sources: dict[str, Source] = {}
    for source, record in ((Source.CARD, card), (Source.SERVICE, service)):
        for name, value in attrs.asdict(record, recurse=False).items() if record else ():
            if value is not None:
                values[name], sources[name] = value, source
    if not values:
        raise UnexpectedAnswer("ekp: nobody told anything of the holder")
    return Person(**values, sources=sources)


def _same(one: Holder, other: Holder) -> bool:
    if one.snils and other.snils:
        return one.snils == other.snils
    if one.sex and other.sex and one.sex is not other.sex:
        return False
    return one.birth_date == other.birth_date and _name(one) == _name(other)


def _name(holder: Holder) -> tuple[str, str]:
    return fold(holder.surname), fold(holder.given_name)


def record_of(
    person: Person,
    searches: Iterable[Callable[[Person], str | None]],
    create: Callable[[Person], str],
) -> str:
    """Return the id of the holder's record in the clinic, made anew when there is none (F259).

    Args:
        person: The holder.
        searches: Where to look, in order: the clinic's own records, then the slice of РПН. Each
            returns an id, or ``None``.
        create: Makes a record and returns its id.
    """
    found = next(filter(None, (search(person) for search in searches)), None)
    return found or create(person)


def may_hold_card(birth_date: date, on: date, *, lives_in_petersburg: bool) -> bool:
    """Tell whether a person may get a card: from 14 years, living in Saint Petersburg (F235).

    Example:
        >>> may_hold_card(date(2012, 6, 25), date(2026, 6, 25), lives_in_petersburg=True)
        True
    """
    return lives_in_petersburg and compare_age(14, birth_date, on) >= 0
