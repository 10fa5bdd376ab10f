"""States of a power of attorney in the registry and of a registration, as tables."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from medsign.clock import MOSCOW, aware
from medsign.mchd.model import Terms
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
        State(PoaState.REJECTED, "Отказано в регистрации", terminal=True, aliases=("invalid",)),
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
        PoaState.CREATED: {"activate": PoaState.ACTIVE, "revoke": PoaState.REVOKED},
        PoaState.ACTIVE: {"expire": PoaState.EXPIRED, "revoke": PoaState.REVOKED},
    },
    events={
        "register": "зарегистрировать до начала срока",
        "activate": "начать срок действия",
        "reject": "отказать в регистрации",
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


def state_at(terms: Terms, moment: datetime) -> PoaState:
    """Return the state that the dates give to a registered power of attorney.

    Both the first and the last day count wholly, Moscow time. Revocation is not in the dates.

    Args:
        terms: Terms of the power of attorney.
        moment: An aware instant.
    """
    today = aware(moment).astimezone(MOSCOW).date()
    if today < terms.issued:
        return PoaState.CREATED
    return PoaState.ACTIVE if today <= terms.valid_until else PoaState.EXPIRED
