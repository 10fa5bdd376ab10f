"""The card itself: the reader behind a port, and whose card it is in the clinic."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Protocol

from medsign.clock import Clock
from medsign.ekp.models import CardRecord
from medsign.errors import InvalidIdentifier, MalformedError, UsageError, VersionConflict
from medsign.identifiers import CardUid
from medsign.status import EventLog, NewEvent

GET_UID: Final = bytes.fromhex("FFCA000000")
"""APDU that asks a PC/SC reader for the UID of the card on it (PC/SC part 3, 3.2.2.1.3)."""


def uid_of(answer: bytes) -> CardUid:
    """Read the reader's answer to `GET_UID`: the UID, then the status word 9000.

    Raises:
        MalformedError: The status word says no, or what came is no UID.

    Example:
        >>> uid_of(bytes.fromhex("04A1B2C3D4E5F69000")).value
        '04A1B2C3D4E5F6'
    """
    uid, status_word = answer[:-2], answer[-2:]
    if status_word != b"\x90\x00":
        raise MalformedError("answer of the card reader", "SW", "the reader refused")
    try:
        return CardUid(uid.hex())
    except InvalidIdentifier as error:
        raise MalformedError("answer of the card reader", "UID", error.reason) from None


class CardReader(Protocol):
    """A reader with a card on it.

    The library of the cards (``ekpmed.dll``) is licensed and for Windows only, so a deployment
    brings the adapter: `read_uid` is its ``GetID``, `read_person` its ``GetPersData`` with
    ``GetMainDocument`` after ``Authorization``, `read_photo` its ``GetPhoto``. Methods block; they
    are called in a worker thread.

    Every method raises `medsign.errors.Unavailable` when there is no reader or no card on it, and
    `medsign.errors.MalformedError` when the card answers nonsense.
    """

    def read_uid(self) -> CardUid:
        """Return the Mifare UID."""
        ...

    def read_person(self) -> CardRecord:
        """Return what the card tells of its holder."""
        ...

    def read_photo(self) -> bytes | None:
        """Return the holder's photo, ``None`` when the card has none."""
        ...


class Way(StrEnum):
    """A way to tell a workplace whose card it is."""

    CARD = "Поднести карту или вставить в считыватель"
    QR = "Сканировать QR-код"
    NUMBER = "Ввести номер карты вручную"


def ways_of(system: str, release: str) -> frozenset[Way]:
    """Return the ways that work on an operating system (F249, F257).

    Args:
        system: As `platform.system` names it.
        release: As `platform.release` names it.

    Example:
        >>> Way.CARD in ways_of("Windows", "10"), Way.CARD in ways_of("Linux", "6.1")
        (True, False)
    """
    if system == "Windows" and release != "XP":
        return frozenset(Way)
    return frozenset(Way) - {Way.CARD}


class CardBindings:
    """Whose card is whose in the clinic: one card has one owner and one owner has one card.

    Accounts of staff sign in by their card (F242, F287, F292); cards of patients lead to their
    medical records (F293).

    Args:
        log: Where bindings are kept.
        clock: Where time is taken from.
        kind: What owners are: bindings of other kinds are apart.

    Example:
        >>> from medsign.clock import SystemClock
        >>> from medsign.store import MemoryStore
        >>> staff = CardBindings(MemoryStore(), SystemClock())
        >>> staff.bind(CardUid("04A1B2C3D4E5F6"), "doctor-7")
        True
        >>> staff.owner(CardUid("04:A1:B2:C3:D4:E5:F6"))
        'doctor-7'
    """

    def __init__(self, log: EventLog, clock: Clock, *, kind: str = "account") -> None:
        self._log = log
        self._clock = clock
        self._stream = f"ekp/cards/{kind}"

    def bind(self, uid: CardUid, owner: str) -> bool:
        """Bind a card to an owner; false when it was bound so before.

        Args:
            uid: The card.
            owner: Opaque id of an account or a medical record.

        Raises:
            UsageError: The card has another owner, or the owner another card.
        """
        while True:
            owners, version = self._read()
            if owners.get(uid.value) == owner:
                return False
            if uid.value in owners:
                raise UsageError(
                    "the card is bound to another owner; release it first",
                    "Эта карта уже закреплена за другим человеком. Сначала открепите её.",
                )
            if owner in owners.values():
                raise UsageError(
                    "the owner has another card; release it first",
                    "За этим человеком уже закреплена другая карта. Сначала открепите её.",
                )
            if self._write(version, "bound", {"card": uid.value, "owner": owner}):
                return True

    def release(self, uid: CardUid) -> bool:
        """Take a card from its owner; false when it had none."""
        while True:
            owners, version = self._read()
            if uid.value not in owners:
                return False
            if self._write(version, "released", {"card": uid.value}):
                return True

    def owner(self, uid: CardUid) -> str | None:
        """Return whose card it is: the first step of signing in by card (F287)."""
        return self._read()[0].get(uid.value)

    def card(self, owner: str) -> CardUid | None:
        """Return the card of an owner."""
        found = (card for card, whose in self._read()[0].items() if whose == owner)
        return next(map(CardUid, found), None)

    def _read(self) -> tuple[dict[str, str], int]:
        owners: dict[str, str] = {}
        events = self._log.load(self._stream)
        for event in events:
            card = str(event.data["card"])
            if event.kind == "bound":
                owners[card] = str(event.data["owner"])
            else:
                owners.pop(card, None)
        return owners, len(events)

    def _write(self, version: int, kind: str, data: dict[str, str]) -> bool:
        try:
            self._log.append(self._stream, version, [NewEvent(kind, self._clock.now(), data)])
        except VersionConflict:
            return False  # somebody else was first: judge anew
        return True
