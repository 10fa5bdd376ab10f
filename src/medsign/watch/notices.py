"""The Russian texts that the clinic reads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

import attrs

from medsign.clock import MOSCOW, last_moment_of
from medsign.watch.expiry import Expiry, Level


@attrs.frozen
class Wording:
    """How notices speak of one kind of thing.

    Args:
        name: Its name in the nominative, capitalised.
        ended: The verb of its end in the past, agreeing with the name.
        advice: What to do before the end, a sentence.
        too_late: What to do after it, a sentence.
    """

    name: str
    ended: str
    advice: str
    too_late: str


WORDINGS: Mapping[str, Wording] = MappingProxyType(
    {
        "certificate": Wording(
            "Сертификат электронной подписи",
            "истёк",
            "Оформите перевыпуск, пока заявку можно подписать действующим сертификатом.",
            "Подписывать им больше нельзя: оформите новый сертификат.",
        ),
        "power_of_attorney": Wording(
            "Машиночитаемая доверенность",
            "истекла",
            "Оформите новую МЧД: без неё нельзя подписывать документы от имени организации.",
            "Подписывать документы от имени организации больше нельзя: оформите новую МЧД.",
        ),
    }
)
_KEY = Wording(
    "Ключ электронной подписи",
    "истёк",
    "После этого срока подписывать нельзя, хотя сертификат ещё действует. "
    "Оформите новый сертификат.",
    "Подписывать им больше нельзя: оформите новый сертификат.",
)
_OTHER = Wording(
    "Документ", "истёк", "Продлите его или оформите новый.", "Оформите новый документ."
)


@attrs.frozen(kw_only=True)
class Notice:
    """A message for the clinic.

    Attributes:
        expiry: What it is about.
        subject: One line without the label, fit for the subject of a letter.
        text: The whole message; holds the label that the caller gave and no other personal data.
    """

    expiry: Expiry
    subject: str
    text: str = attrs.field(repr=False)


def notice(expiry: Expiry, wordings: Mapping[str, Wording] = WORDINGS) -> Notice:
    """Return the message about an expiry.

    Example:
        >>> from datetime import date
        >>> from medsign.watch import Watched, expiring
        >>> permit = Watched.power_of_attorney("0dae", date(2026, 12, 31), "доверенность № 5")
        >>> [found] = expiring([permit], datetime(2026, 12, 29, 10, tzinfo=MOSCOW))
        >>> notice(found).subject
        'Машиночитаемая доверенность: срок истекает через 2 дня'
    """
    watched = expiry.watched
    wording = _KEY if watched.key_ends_first else wordings.get(watched.kind, _OTHER)
    label = f" («{watched.label}»)" if watched.label else ""
    moment = _moment(watched.ends_at)
    if expiry.level is Level.EXPIRED:
        subject = f"{wording.name}: срок истёк"
        text = f"{wording.name}{label} {wording.ended} {moment}. {wording.too_late}"
    else:
        subject = f"{wording.name}: срок истекает {_when(expiry.days_left)}"
        text = f"{wording.name}{label} действует до {moment}. {wording.advice}"
    return Notice(expiry=expiry, subject=subject, text=text)


def _moment(moment: datetime) -> str:
    local = moment.astimezone(MOSCOW)
    whole_day = moment == last_moment_of(local.date())
    return f"{local:%d.%m.%Y}" if whole_day else f"{local:%d.%m.%Y %H:%M} (МСК)"


def _when(days: int) -> str:
    return "сегодня" if days == 0 else f"через {days} {_plural(days, 'день', 'дня', 'дней')}"


def _plural(number: int, one: str, few: str, many: str) -> str:
    if number % 100 in range(11, 15):
        return many
    return {1: one, 2: few, 3: few, 4: few}.get(number % 10, many)
