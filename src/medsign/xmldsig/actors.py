"""Actors of the electronic sick list (ЭЛН): whose signature a WS-Security header carries.

The URIs are those seen in working clients of СФР, not in a published rule; the signed elements
carry the identifiers ``ELN_<number>``, ``ELN_<number>_<part>_doc`` and ``ELN_<number>_<part>_vk``.
"""

from __future__ import annotations

from medsign.errors import UsageError
from medsign.identifiers import Ogrn

_ACTOR = "http://eln.fss.ru/actor"


def organisation_actor(ogrn: Ogrn | str, sick_list: str | None = None) -> str:
    """Return the actor of a medical organisation.

    Args:
        ogrn: ОГРН of the organisation.
        sick_list: Number of the sick list that is signed; ``None`` signs a request about many.

    Raises:
        InvalidIdentifier: The ОГРН is wrong.
        UsageError: The number is not made of digits.

    Example:
        >>> organisation_actor("1999900000000", "999000000001")
        'http://eln.fss.ru/actor/mo/1999900000000/ELN_999000000001'
    """
    number = ogrn if isinstance(ogrn, Ogrn) else Ogrn(ogrn)
    suffix = f"/ELN_{_digits(sick_list)}" if sick_list is not None else ""
    return f"{_ACTOR}/mo/{number.value}{suffix}"


def doctor_actor(sick_list: str, part: int) -> str:
    """Return the actor of a doctor.

    Args:
        sick_list: Number of the sick list.
        part: 1 for a breach of the regime, 2 for the result, from 3 on the treatment periods.

    Raises:
        UsageError: The number is not made of digits, or there is no such part.

    Example:
        >>> doctor_actor("999000000001", 3)
        'http://eln.fss.ru/actor/doc/999000000001_3_doc'
    """
    return f"{_ACTOR}/doc/{_digits(sick_list)}_{_part(part)}_doc"


def commission_actor(sick_list: str, part: int) -> str:
    """Return the actor of the chairman of the medical commission (ВК); see `doctor_actor`.

    Example:
        >>> commission_actor("999000000001", 3)
        'http://eln.fss.ru/actor/doc/999000000001_3_vk'
    """
    return f"{_ACTOR}/doc/{_digits(sick_list)}_{_part(part)}_vk"


def _digits(sick_list: str) -> str:
    if not (sick_list.isascii() and sick_list.isdigit()):
        raise UsageError(
            "the number of a sick list is made of digits",
            "Номер листка нетрудоспособности пишется только цифрами. Исправьте его.",
        )
    return sick_list


def _part(part: int) -> int:
    if part < 1:
        raise UsageError("parts of a sick list are counted from 1")
    return part
