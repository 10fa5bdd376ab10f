"""Which level of signature an action in the cabinet needs (F320-F326)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType

from medsign.gosuslugi.findings import Finding


class SignatureLevel(IntEnum):
    """Kinds of signature; a greater one satisfies wherever a lesser one is asked.

    The source tells «усиленная» from «квалифицированная»; in the words of 63-ФЗ the former is at
    least УНЭП.
    """

    SIMPLE = 1
    ENHANCED = 2
    QUALIFIED = 3

    @property
    def label(self) -> str:
        """The name in the source."""
        return ("простая", "усиленная", "квалифицированная")[self - 1]


class Action(StrEnum):
    """What a doctor does in the cabinet, named after the source."""

    INTERNAL_QUERY = "внутренние справочные запросы"
    SERVICE_NOTICE = "служебные уведомления"
    MEDICAL_ACT = "подписание медицинских актов"
    ANALYTICS = "просмотр аналитических отчетов"
    PROFILE_SETTINGS = "настройка профиля"
    PRESCRIPTION = "выдача рецептов"
    REFERRAL = "оформление направлений"
    OFFICIAL_DOCUMENT = "оформление официальных документов"
    PATIENT_DATA = "доступ к персональным данным пациентов"


REQUIRED_LEVEL: Mapping[Action, SignatureLevel] = MappingProxyType(
    {
        Action.INTERNAL_QUERY: SignatureLevel.SIMPLE,
        Action.SERVICE_NOTICE: SignatureLevel.SIMPLE,
        Action.MEDICAL_ACT: SignatureLevel.ENHANCED,
        Action.ANALYTICS: SignatureLevel.ENHANCED,
        Action.PROFILE_SETTINGS: SignatureLevel.ENHANCED,
        Action.PRESCRIPTION: SignatureLevel.QUALIFIED,
        Action.REFERRAL: SignatureLevel.QUALIFIED,
        Action.OFFICIAL_DOCUMENT: SignatureLevel.QUALIFIED,
        Action.PATIENT_DATA: SignatureLevel.QUALIFIED,
    }
)


def check_signature(action: Action, level: SignatureLevel) -> Finding | None:
    """Tell what hinders an action that is signed with a level, if anything does.

    Example:
        >>> check_signature(Action.ANALYTICS, SignatureLevel.QUALIFIED) is None
        True
        >>> print(check_signature(Action.PRESCRIPTION, SignatureLevel.ENHANCED).message)
        Нужна квалифицированная электронная подпись
    """
    needed = REQUIRED_LEVEL[action]
    if level >= needed:
        return None
    return Finding(
        code="signature.level",
        path=action.value,
        message=f"Нужна {needed.label} электронная подпись",
    )
