"""Code lists of the unified format 003.

The schema gives bare values; their meanings come from software that works with the registry.
A meaning that no good source confirms says so in its label.
"""

from __future__ import annotations

from enum import StrEnum

from medsign.status import Labelled


class Code(Labelled):
    """A code with its meaning; the label is the meaning, in Russian."""


class FormatVersion(Code):
    """ВерсФорм."""

    EMCHD_1 = "EMCHD_1", "единый формат 003"


class PrincipalKind(Code):
    """ТипДоверит."""

    ORGANIZATION = "1", "юридическое лицо"
    FOREIGN_ORGANIZATION = "2", "иностранное юридическое лицо"
    SOLE_TRADER = "3", "индивидуальный предприниматель"
    PERSON = "4", "физическое лицо"


class RepresentativeKind(Code):
    """ТипПред; the same values are ТипПерПолн."""

    ORGANIZATION = "1", "юридическое лицо"
    SOLE_TRADER = "2", "индивидуальный предприниматель"
    PERSON = "3", "физическое лицо"
    BRANCH = "4", "филиал (обособленное подразделение) юридического лица"
    FOREIGN_BRANCH = (
        "5",
        "филиал (аккредитованное представительство) иностранного юридического лица",
    )


class Revocability(Code):
    """ВидДовер."""

    REVOCABLE = "1", "обычная"
    IRREVOCABLE = "2", "безотзывная"


class Redelegation(Code):
    """ПрПередов: whether the representative may delegate further."""

    FORBIDDEN = "1", "без права передоверия"
    ONCE = "2", "однократное передоверие"
    REPEATED = "3", "с правом последующего передоверия"


class PowersAfterRedelegation(Code):
    """ПрУтрПолн: what is left to a representative who delegated."""

    KEPT = "1", "не утрачиваются"
    LOST = "2", "утрачиваются"


class Exercise(Code):
    """ПрСовмПолн and ПолнЮЛ: alone or only together with the others."""

    ALONE = "1", "индивидуально"
    TOGETHER = "2", "совместно"


class PowersKind(Code):
    """ТипПолн."""

    TEXT = "0", "текстовое"
    MACHINE = "1", "машиночитаемое"


class Sex(Code):
    """Пол."""

    MALE = "1", "мужской"
    FEMALE = "2", "женский"


class CitizenshipKind(Code):
    """ПрГражд."""

    RUSSIAN = "1", "гражданин Российской Федерации"
    FOREIGN = "2", "иностранный гражданин"
    STATELESS = "3", "лицо без гражданства"


class NotaryPartyStatus(Code):
    """СтУчНД."""

    RUSSIAN_CITIZEN = "101", "гражданин Российской Федерации"
    FOREIGN_CITIZEN = "102", "иностранное физическое лицо"
    SOLE_TRADER = "299", "индивидуальный предприниматель"
    ORGANIZATION = "301", "российская организация"
    FOREIGN_ORGANIZATION = "303", "иностранная организация"
    OTHER = "399", "прочие"


class IrrevocableRedelegation(Code):
    """ПрПерБезДов; the meaning of the values is not published."""

    ONE = "1", "значение 1"
    TWO = "2", "значение 2"


class RevocationCondition(Code):
    """УслОтзыва; the meaning of the values is not published."""

    ONE = "1", "значение 1"
    TWO = "2", "значение 2"


class ParentOrder(Code):
    """ПрДовер: the place of a parent in the chain of delegation."""

    FIRST = "1", "первоначальная"
    LATER = "2", "последующая"


class ParentForm(Code):
    """ФормДовер; sources disagree on the wording."""

    ELECTRONIC = "1", "электронная (значение 1)"
    PAPER = "2", "бумажная (значение 2)"


class Ancestry(Code):
    """ПрНалПередов: what the delegating person holds."""

    FROM_FIRST = "0", "передоверие на основании первоначальной доверенности"
    FROM_REDELEGATED = "1", "передоверие на основании доверенности, выданной в порядке передоверия"


class IdentityKind(StrEnum):
    """КодВидДок: kinds that the rules of the format mention; the list itself is open."""

    RUSSIAN_PASSPORT = "21"
    TRAVEL_PASSPORT = "22"
    FOREIGN_PASSPORT = "10"
    RESIDENCE_PERMIT = "12"
