"""States of a request, a check and a certificate, as tables.

A vendor adds states of his own without touching these:

    >>> model = REQUEST_STATUS.extend(
    ...     states=[State("courier", "Передана курьеру")],
    ...     transitions={"issued": {"dispatch": "courier"}, "courier": {"install": "installed"}},
    ...     events={"dispatch": "передать курьеру"},
    ... )
    >>> model.apply("issued", "dispatch")
    'courier'
    >>> REQUEST_STATUS.recognise("validationError").label
    'Сведения не подтверждены'
"""

from __future__ import annotations

from enum import StrEnum

from medsign.status import State, StatusModel


class RequestState(StrEnum):
    """State of a request for a certificate."""

    DRAFT = "draft"
    DOCUMENTS_CHECK = "documents_check"
    DOCUMENTS_CORRECTION = "documents_correction"
    SMEV_CHECK = "smev_check"
    SMEV_FAILED = "smev_failed"
    IDENTIFICATION = "identification"
    PAYMENT = "payment"
    ISSUING = "issuing"
    ISSUED = "issued"
    INSTALLED = "installed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    ERROR = "error"


_S = RequestState

REQUEST_STATUS = StatusModel(
    name="certificate_request",
    # The one-letter aliases are the states of КриптоПро УЦ 2.0, as its web portal gives them.
    states=[
        State(_S.DRAFT, "Черновик"),
        State(_S.DOCUMENTS_CHECK, "Проверка документов", aliases=("Q",)),
        State(_S.DOCUMENTS_CORRECTION, "Требуется исправить документы"),
        State(_S.SMEV_CHECK, "Проверка сведений в СМЭВ", aliases=("validating",)),
        State(_S.SMEV_FAILED, "Сведения не подтверждены", aliases=("validationError",)),
        State(_S.IDENTIFICATION, "Идентификация", aliases=("A",)),
        State(_S.PAYMENT, "Ожидается оплата"),
        State(_S.ISSUING, "Выпускается", aliases=("P",)),
        State(_S.ISSUED, "Сертификат выпущен", success=True, aliases=("C",)),
        State(_S.INSTALLED, "Сертификат установлен", terminal=True, success=True, aliases=("K",)),
        State(_S.REJECTED, "Отклонена", terminal=True, aliases=("R", "D")),
        State(_S.CANCELLED, "Отменена", terminal=True),
        State(_S.ERROR, "Ошибка", terminal=True, aliases=("E",)),
    ],
    initial=_S.DRAFT,
    transitions={
        _S.DRAFT: {"submit": _S.DOCUMENTS_CHECK, "cancel": _S.CANCELLED},
        _S.DOCUMENTS_CHECK: {
            "accept_documents": _S.SMEV_CHECK,
            "return_documents": _S.DOCUMENTS_CORRECTION,
            "reject": _S.REJECTED,
            "cancel": _S.CANCELLED,
            "fail": _S.ERROR,
        },
        _S.DOCUMENTS_CORRECTION: {"submit": _S.DOCUMENTS_CHECK, "cancel": _S.CANCELLED},
        _S.SMEV_CHECK: {
            "confirm_data": _S.IDENTIFICATION,
            "refute_data": _S.SMEV_FAILED,
            "cancel": _S.CANCELLED,
            "fail": _S.ERROR,
        },
        _S.SMEV_FAILED: {
            "submit": _S.DOCUMENTS_CHECK,
            "reject": _S.REJECTED,
            "cancel": _S.CANCELLED,
        },
        _S.IDENTIFICATION: {
            "bill": _S.PAYMENT,
            "issue_free": _S.ISSUING,
            "reject": _S.REJECTED,
            "cancel": _S.CANCELLED,
        },
        _S.PAYMENT: {"pay": _S.ISSUING, "cancel": _S.CANCELLED},
        _S.ISSUING: {"issue": _S.ISSUED, "reject": _S.REJECTED, "fail": _S.ERROR},
        _S.ISSUED: {"install": _S.INSTALLED},
    },
    events={
        "submit": "отправить на проверку",
        "accept_documents": "принять документы",
        "return_documents": "вернуть документы",
        "confirm_data": "подтвердить сведения",
        "refute_data": "не подтвердить сведения",
        "bill": "идентифицировать и выставить счёт",
        "issue_free": "идентифицировать без оплаты",
        "pay": "оплатить",
        "issue": "выпустить",
        "install": "установить",
        "reject": "отклонить",
        "cancel": "отменить",
        "fail": "сообщить об ошибке",
    },
)
"""The way of a request for a certificate (F100, F122)."""


class CertificateState(StrEnum):
    """State of an issued certificate."""

    ACTIVE = "active"
    HOLD = "hold"
    REVOKED = "revoked"
    EXPIRED = "expired"


_C = CertificateState

CERTIFICATE_STATUS = StatusModel(
    name="certificate",
    states=[
        State(_C.ACTIVE, "Действует", success=True, aliases=("Valid",)),
        State(_C.HOLD, "Приостановлен"),
        State(_C.REVOKED, "Отозван", terminal=True, aliases=("Revoke",)),
        State(_C.EXPIRED, "Истёк", terminal=True),
    ],
    initial=_C.ACTIVE,
    transitions={
        _C.ACTIVE: {"hold": _C.HOLD, "revoke": _C.REVOKED, "expire": _C.EXPIRED},
        _C.HOLD: {"unhold": _C.ACTIVE, "revoke": _C.REVOKED, "expire": _C.EXPIRED},
    },
    events={
        "hold": "приостановить",
        "unhold": "возобновить",
        "revoke": "отозвать",
        "expire": "окончить срок действия",
    },
)
"""The life of a certificate."""


class CheckState(StrEnum):
    """State of a check through СМЭВ."""

    NOT_STARTED = "not_started"
    QUEUED = "queued"
    PROCESSING = "processing"
    PASSED = "passed"
    FAILED = "failed"
    NO_DATA = "no_data"
    ERROR = "error"


_V = CheckState

CHECK_STATUS = StatusModel(
    name="smev_check",
    states=[
        State(_V.NOT_STARTED, "Не начата"),
        State(_V.QUEUED, "В очереди", aliases=("requestIsQueued",)),
        State(_V.PROCESSING, "Выполняется", aliases=("underProcessing",)),
        State(_V.PASSED, "Пройдена", terminal=True, success=True),
        State(_V.FAILED, "Не пройдена", terminal=True),
        State(_V.NO_DATA, "Нет сведений", terminal=True),
        State(_V.ERROR, "Ошибка", terminal=True, aliases=("FAILURE",)),
    ],
    initial=_V.NOT_STARTED,
    transitions={
        _V.NOT_STARTED: {"queue": _V.QUEUED},
        _V.QUEUED: {"start": _V.PROCESSING, "break": _V.ERROR},
        _V.PROCESSING: {
            "pass": _V.PASSED,
            "refute": _V.FAILED,
            "find_nothing": _V.NO_DATA,
            "break": _V.ERROR,
        },
    },
    events={
        "queue": "поставить в очередь",
        "start": "начать",
        "pass": "подтвердить",
        "refute": "опровергнуть",
        "find_nothing": "не найти сведений",
        "break": "прервать",
    },
)
"""A check of data in a state system (F128-F132)."""


class EsiaState(StrEnum):
    """State of the registration of a certificate in ЕСИА."""

    VALIDATING = "VALIDATING"
    VALIDATION_FAILED = "VALIDATION_FAILED"
    CONFIRMATION_FAILED = "CONFIRMATION_FAILED"
    SUCCEEDED = "SUCCEEDED"
    FAULT = "FAULT"


_E = EsiaState

ESIA_STATUS = StatusModel(
    name="esia_registration",
    states=[
        State(_E.VALIDATING, "Проверяется"),
        State(_E.VALIDATION_FAILED, "Проверка не пройдена", terminal=True),
        State(_E.CONFIRMATION_FAILED, "Не подтверждена", terminal=True),
        State(_E.SUCCEEDED, "Зарегистрирован", terminal=True, success=True),
        State(_E.FAULT, "Ошибка", terminal=True),
    ],
    initial=_E.VALIDATING,
    transitions={
        _E.VALIDATING: {
            "succeed": _E.SUCCEEDED,
            "refuse": _E.VALIDATION_FAILED,
            "dispute": _E.CONFIRMATION_FAILED,
            "break": _E.FAULT,
        }
    },
    events={
        "succeed": "зарегистрировать",
        "refuse": "отказать",
        "dispute": "не подтвердить",
        "break": "прервать",
    },
)
"""Registration of a certificate in ЕСИА; the codes are those of the official schema (F133)."""
