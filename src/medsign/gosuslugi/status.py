"""Processes of the doctor's cabinet as tables, with the labels of the source."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from medsign.clock import aware
from medsign.errors import UsageError
from medsign.status import Calendar, State, StatusModel, WorkingDays


class Stage(StrEnum):
    """Stage of the verification of a doctor."""

    RECEIVED = "RECEIVED"
    CHECKING = "CHECKING"
    VERIFIED = "VERIFIED"
    CLARIFICATION = "CLARIFICATION"


VERIFICATION_STATUS = StatusModel(
    name="gosuslugi_verification",
    states=[
        State(Stage.RECEIVED, "Документы получены", deadline=WorkingDays(1)),
        State(Stage.CHECKING, "Проверка в процессе", deadline=WorkingDays(3)),
        State(Stage.VERIFIED, "Верификация завершена", terminal=True, success=True),
        State(Stage.CLARIFICATION, "Требуется уточнение"),
    ],
    initial=Stage.RECEIVED,
    transitions={
        Stage.RECEIVED: {"start_check": Stage.CHECKING},
        Stage.CHECKING: {"confirm": Stage.VERIFIED, "ask": Stage.CLARIFICATION},
        Stage.CLARIFICATION: {"resubmit": Stage.RECEIVED},
    },
    events={
        "start_check": "начать проверку",
        "confirm": "подтвердить статус врача",
        "ask": "запросить уточнение",
        "resubmit": "отправить документы повторно",
    },
)
"""Verification of a doctor (F342, F361-F364). The source has no refusal."""


class UploadState(StrEnum):
    """State of one uploaded document."""

    SENT = "SENT"
    APPROVED = "APPROVED"


UPLOAD_STATUS = StatusModel(
    name="gosuslugi_document",
    states=[
        State(UploadState.SENT, "Отправлено"),
        State(UploadState.APPROVED, "Одобрено", terminal=True, success=True),
    ],
    initial=UploadState.SENT,
    transitions={UploadState.SENT: {"approve": UploadState.APPROVED}},
    events={"approve": "одобрить"},
)
"""One uploaded document (F354). Only «Одобрено» is the source's word."""


class ApplicationStep(StrEnum):
    """Step of opening a cabinet."""

    RECEPTION = "RECEPTION"
    CHECK = "CHECK"
    PREPARATION = "PREPARATION"
    ACTIVATION = "ACTIVATION"
    OPEN = "OPEN"


APPLICATION_STATUS = StatusModel(
    name="gosuslugi_application",
    states=[
        State(ApplicationStep.RECEPTION, "Приём заявки", deadline=WorkingDays(1)),
        State(
            ApplicationStep.CHECK, "Проверка предоставленных документов", deadline=WorkingDays(3)
        ),
        State(
            ApplicationStep.PREPARATION,
            "Техническая подготовка аккаунта и настройка прав доступа",
            deadline=WorkingDays(2),
        ),
        State(
            ApplicationStep.ACTIVATION,
            "Финальное подтверждение и активация личного кабинета",
            deadline=WorkingDays(1),
        ),
        State(ApplicationStep.OPEN, "Личный кабинет открыт", terminal=True, success=True),
    ],
    initial=ApplicationStep.RECEPTION,
    transitions={
        ApplicationStep.RECEPTION: {"accept": ApplicationStep.CHECK},
        ApplicationStep.CHECK: {"pass_check": ApplicationStep.PREPARATION},
        ApplicationStep.PREPARATION: {"prepare": ApplicationStep.ACTIVATION},
        ApplicationStep.ACTIVATION: {"activate": ApplicationStep.OPEN},
    },
    events={
        "accept": "принять заявку",
        "pass_check": "проверить документы",
        "prepare": "подготовить аккаунт",
        "activate": "активировать кабинет",
    },
)
"""Opening of a cabinet; deadlines are the longest terms stated (F355-F358)."""

WHOLE_TERM = WorkingDays(7)
"""Longest term of the whole application (F359)."""

# The source says «до 10 дней» without «рабочих». Calendar days may end before seven working days
# do, and an extension that shortens makes no sense, so working days are meant.
EXTENDED_TERM = WorkingDays(10)
"""The same when something was inaccurate (F360)."""

LICENCE_TERM = WorkingDays(10)
"""Standard term of an application for a licence (F418)."""


def application_due(
    received: datetime, *, inaccurate: bool = False, calendar: Calendar | None = None
) -> datetime:
    """Return by when a cabinet must be open.

    Args:
        received: When the application was made, aware.
        inaccurate: Whether inaccuracies were found in it.
        calendar: Days off.

    Example:
        >>> from medsign.clock import MOSCOW
        >>> due = application_due(datetime(2026, 6, 15, 9, tzinfo=MOSCOW))
        >>> due.astimezone(MOSCOW).date().isoformat()
        '2026-06-24'
    """
    term = EXTENDED_TERM if inaccurate else WHOLE_TERM
    return term.due(aware(received), calendar or Calendar())


def licence_due(
    received: datetime, *, express: str | None = None, calendar: Calendar | None = None
) -> datetime | None:
    """Return by when an application for a licence must be decided on (F418).

    Args:
        received: When it was made, aware.
        express: Why it is urgent, where an express decision is asked for.
        calendar: Days off.

    Returns:
        The end of the standard term; ``None`` for an express one, which has no stated term.

    Raises:
        UsageError: An express decision is asked for without a reason.

    Example:
        >>> from medsign.clock import MOSCOW
        >>> due = licence_due(datetime(2026, 6, 15, 9, tzinfo=MOSCOW))
        >>> due.astimezone(MOSCOW).date().isoformat()
        '2026-06-29'
    """
    if express is None:
        return LICENCE_TERM.due(aware(received), calendar or Calendar())
    if not express.strip():
        raise UsageError(
            "an express decision needs a reason", "Укажите причину ускоренного рассмотрения."
        )
    return None


class PrescriptionStage(StrEnum):
    """Stage of an electronic prescription."""

    ENTERED = "ENTERED"
    CODE_GENERATED = "CODE_GENERATED"
    PATIENT_NOTIFIED = "PATIENT_NOTIFIED"
    CODE_CHECKED = "CODE_CHECKED"
    DISPENSED = "DISPENSED"


PRESCRIPTION_STATUS = StatusModel(
    name="gosuslugi_prescription",
    states=[
        State(PrescriptionStage.ENTERED, "Ввод данных о назначении врачом"),
        State(PrescriptionStage.CODE_GENERATED, "Автоматическая генерация кода"),
        State(PrescriptionStage.PATIENT_NOTIFIED, "Уведомление пациента о готовности рецепта"),
        State(PrescriptionStage.CODE_CHECKED, "Проверка кода в аптеке"),
        State(PrescriptionStage.DISPENSED, "Регистрация выдачи", terminal=True, success=True),
    ],
    initial=PrescriptionStage.ENTERED,
    transitions={
        PrescriptionStage.ENTERED: {"generate_code": PrescriptionStage.CODE_GENERATED},
        PrescriptionStage.CODE_GENERATED: {"notify": PrescriptionStage.PATIENT_NOTIFIED},
        PrescriptionStage.PATIENT_NOTIFIED: {"check_code": PrescriptionStage.CODE_CHECKED},
        PrescriptionStage.CODE_CHECKED: {"dispense": PrescriptionStage.DISPENSED},
    },
    events={
        "generate_code": "сформировать код",
        "notify": "уведомить пациента",
        "check_code": "проверить код",
        "dispense": "зарегистрировать выдачу",
    },
)
"""An electronic prescription (F392): linear, the source has neither expiry nor cancellation."""
