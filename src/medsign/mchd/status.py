"""States of a power of attorney in the registry and of a registration, as tables."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from medsign.clock import MOSCOW, aware
from medsign.status import State, StatusModel


class PoaState(StrEnum):
    """State of a power of attorney in the registry."""

    PROCESSING = "PROCESSING"
    CREATED = "CREATED"
    ACTIVE = "ACTIVE"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"


POA_STATUS = StatusModel(
    name="mchd",
    states=[
        State(PoaState.PROCESSING, "На регистрации"),
        State(PoaState.CREATED, "Зарегистрирована, срок действия не наступил"),
        State(PoaState.ACTIVE, "Действует", success=True, aliases=("valid",)),
        State(PoaState.REJECTED, "Отказано в регистрации", aliases=("invalid",)),
        State(PoaState.EXPIRED, "Срок действия истёк", terminal=True, aliases=("poaIsExpired",)),
        State(PoaState.REVOKED, "Отозвана", terminal=True, aliases=("poaWasRevoked",)),
    ],
    initial=PoaState.PROCESSING,
    transitions={
        PoaState.PROCESSING: {
            "register": PoaState.CREATED,
            "activate": PoaState.ACTIVE,
            "reject": PoaState.REJECTED,
        },
        # A corrected document keeps the number of the refused one.
        PoaState.REJECTED: {"resubmit": PoaState.PROCESSING},
        PoaState.CREATED: {"activate": PoaState.ACTIVE, "revoke": PoaState.REVOKED},
        PoaState.ACTIVE: {"expire": PoaState.EXPIRED, "revoke": PoaState.REVOKED},
    },
    events={
        "register": "зарегистрировать до начала срока",
        "activate": "начать срок действия",
        "reject": "отказать в регистрации",
        "resubmit": "передать исправленную",
        "expire": "окончить срок действия",
        "revoke": "отозвать",
    },
)
"""The life of a power of attorney in the registry (Реестр МЧД ФНС)."""


class TransactionState(StrEnum):
    """State of a registration or a revocation that the registry carries out."""

    PENDING = "PENDING"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"


TRANSACTION_STATUS = StatusModel(
    name="mchd_transaction",
    states=[
        State(TransactionState.PENDING, "Выполняется"),
        State(TransactionState.SUCCESS, "Выполнено", terminal=True, success=True),
        State(TransactionState.FAILURE, "Отклонено", terminal=True),
    ],
    initial=TransactionState.PENDING,
    transitions={
        TransactionState.PENDING: {
            "succeed": TransactionState.SUCCESS,
            "fail": TransactionState.FAILURE,
        }
    },
    events={"succeed": "выполнить", "fail": "отклонить"},
)
"""The asynchronous part of a registration or a revocation."""


class Dated(Protocol):
    """What has the dates of a power of attorney: its terms, for one."""

    @property
    def issued(self) -> date:
        """The first day."""
        ...

    @property
    def valid_until(self) -> date:
        """The last day."""
        ...


def state_at(terms: Dated, moment: datetime) -> PoaState:
    """Return the state that the dates give to a registered power of attorney.

    Both the first and the last day count wholly, Moscow time. Revocation is not in the dates.

    Args:
        terms: What has its dates.
        moment: An aware instant.
    """
    today = aware(moment).astimezone(MOSCOW).date()
    if today < terms.issued:
        return PoaState.CREATED
    return PoaState.ACTIVE if today <= terms.valid_until else PoaState.EXPIRED
