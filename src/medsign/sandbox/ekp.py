"""ЕКП as the sandbox plays it: the web service, and cards to lay on a reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

import attrs

from medsign.ekp import CardRecord, Holder, Lookup, QrCode, ServiceRecord, Sex
from medsign.gost import DigestAlgorithm, digest
from medsign.identifiers import CardNumber, CardUid, OmsNumber, Snils
from medsign.sandbox.routing import Call, Problem, Route, Service
from medsign.sandbox.shelf import Drawer
from medsign.sandbox.world import World


@attrs.frozen(kw_only=True)
class IssuedCard:
    """A card that the sandbox has issued."""

    number: CardNumber
    uid: CardUid
    holder: ServiceRecord
    photo: bytes | None = attrs.field(default=None, repr=False)

    @property
    def qr(self) -> QrCode:
        """Its QR code, in a format of the sandbox's own: version, number, check."""
        start = f"EKP1 {self.number.digits}"
        check = digest(DigestAlgorithm.STREEBOG_256, start.encode()).hex()[:8]
        return QrCode(f"{start} {check}")


@attrs.frozen
class SandboxCard:
    """A card on a reader, for the port `medsign.ekp.CardReader`; it needs no network.

    Args:
        issued: Which card it is.
    """

    issued: IssuedCard

    def read_uid(self) -> CardUid:
        """Return the Mifare UID."""
        return self.issued.uid

    def read_person(self) -> CardRecord:
        """Return what the card tells: less than the web service does."""
        holder = attrs.asdict(self.issued.holder, recurse=False)
        shared = {field.name: holder[field.name] for field in attrs.fields(Holder)}
        return CardRecord(**shared, card_number=self.issued.number)

    def read_photo(self) -> bytes | None:
        """Return the photo, if the card has one."""
        return self.issued.photo


class EkpService(Service):
    """The web service of the closed network, with a few cards issued."""

    name: ClassVar[str] = "ekp"
    base: ClassVar[str] = "/ekp"
    title: ClassVar[str] = "Единая карта петербуржца"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        if not any(self.cards.items()):
            for card in _SAMPLES:
                self.cards.put(card.number.digits, card)

    @property
    def cards(self) -> Drawer[IssuedCard]:
        """Cards by number."""
        return self.world.drawer("ekp.cards", IssuedCard)

    def about(self) -> Mapping[str, Any]:
        """Return the keys of the cards: the people are invented."""
        return {
            "cards": [
                {"number": card.number.digits, "uid": card.uid.value, "qr": card.qr.text}
                for card in self.cards.values()
            ]
        }

    def routes(self) -> Sequence[Route[Any]]:
        """Return the operations."""
        return (
            Route(
                method="POST",
                path="/lookups",
                operation="ekp.lookup",
                handler=self._lookup,
                accepts=Lookup,
                returns=ServiceRecord,
                summary="Держатель карты по UID, номеру или QR-коду",
                refusals=(404, 422),
            ),
        )

    def _lookup(self, call: Call[Lookup]) -> ServiceRecord:
        asked = [value for value in attrs.astuple(call.body, recurse=False) if value is not None]
        if len(asked) != 1:
            raise Problem(422, "key-ambiguous", "Give one key", "Укажите одно: UID, номер или QR")
        for card in self.cards.values():
            if asked[0] in {card.uid, card.number, card.qr.text}:
                return card.holder
        raise Problem(404, "card-unknown", "No such card", "Карта не найдена")


_SAMPLES = (
    IssuedCard(
        number=CardNumber("9999000000000004"),
        uid=CardUid("04A1B2C3D4E5F6"),
        photo=b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\xff\xd9",
        holder=ServiceRecord(
            surname="Тестова",
            given_name="Анна",
            patronymic="Петровна",
            birth_date=date(1990, 5, 17),
            sex=Sex.FEMALE,
            birth_place="г. Примерск",
            snils=Snils("99900000115"),
            passport_series="9999",
            passport_number="000001",
            passport_issued_on=date(2010, 6, 1),
            passport_issuer="Отдел выдачи примеров",
            oms=OmsNumber("9999000000000001"),
            oms_issued_on=date(2012, 1, 9),
            mobile_phone="+79990000001",
            city_phone="(812) 000-00-01",
            registration_address="Санкт-Петербург, ул. Примерная, д. 1, кв. 1",
            living_address="Санкт-Петербург, ул. Образцовая, д. 2",
        ),
    ),
    IssuedCard(
        number=CardNumber("9999000000000012"),
        uid=CardUid("04FFEEDDCCBBAA"),
        holder=ServiceRecord(
            surname="Образцов",
            given_name="Пётр",
            birth_date=date(2010, 2, 28),
            sex=Sex.MALE,
            snils=Snils("99900000216"),
        ),
    ),
)
