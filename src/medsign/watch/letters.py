"""Notices as letters, for whoever reads mail and not the МИС."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from medsign.clock import MOSCOW, aware
from medsign.errors import UsageError
from medsign.watch.notices import Notice


def letter(notice: Notice, *, sender: str, to: Sequence[str], at: datetime) -> EmailMessage:
    """Return a notice as a letter that `smtplib` sends (F168, F169).

    The label of the watched thing stands in the text only, as subjects are shown on locked screens.

    Args:
        notice: What is told.
        sender: Address of the clinic.
        to: Addresses of the owner of the certificate, of his manager, or of both.
        at: Date of the letter, aware; written in Moscow time.

    Raises:
        UsageError: Nobody is to get it, or an address holds a line break.

    Example:
        >>> from datetime import date
        >>> from medsign.watch import Watched, expiring, notice
        >>> now = datetime(2026, 12, 29, 10, tzinfo=MOSCOW)
        >>> permit = Watched.power_of_attorney("0dae", date(2026, 12, 31), "доверенность № 5")
        >>> [found] = expiring([permit], now)
        >>> sent = letter(notice(found), sender="mis@clinic.test", to=["hr@clinic.test"], at=now)
        >>> print(sent["Subject"])
        Машиночитаемая доверенность: срок истекает через 2 дня
    """
    if not to:
        raise UsageError("a letter needs an address", "У письма нет адресата. Укажите его.")
    message = EmailMessage()
    try:
        message["From"], message["To"] = sender, ", ".join(to)
    except ValueError:
        raise UsageError(
            "an address of a letter holds a line break",
            "В адресе письма есть перенос строки. Исправьте адрес.",
        ) from None
    message["Subject"] = notice.subject
    message["Date"] = format_datetime(aware(at).astimezone(MOSCOW))
    message.set_content(f"{notice.text}\n")
    return message
