"""The doctor's cabinet at Госуслуги: its stated rules, as pure functions (F296-F402).

The cabinet has no public API. What can be known beforehand is: which documents and files it
refuses, which fields, which level of signature an action needs, how long each stage may last.
"""

from __future__ import annotations

from medsign.gosuslugi.client import Gosuslugi
from medsign.gosuslugi.findings import Finding
from medsign.gosuslugi.forms import (
    EXAMINATION_FORM,
    ORDER_FORM,
    REFERRAL_FORM,
    REGISTRATION_FORM,
    SICK_LEAVE_FORM,
    TREATMENT_FORM,
    Blocking,
    FormField,
    check_form,
    sick_leave_days,
)
from medsign.gosuslugi.journal import Visit, VisitStatus, VisitType, select_visits, visits_to_csv
from medsign.gosuslugi.kits import (
    MAX_FILE_BYTES,
    PROFILES,
    Document,
    DocumentKind,
    FileFormat,
    KitProfile,
    KitReport,
    Requirement,
    check_kit,
    file_name,
)
from medsign.gosuslugi.notices import (
    APPOINTMENT_NOTICE,
    TEMPLATES,
    Appointment,
    StageNotice,
    appointments_to_announce,
    stage_notice,
)
from medsign.gosuslugi.signatures import REQUIRED_LEVEL, Action, SignatureLevel, check_signature
from medsign.gosuslugi.status import (
    APPLICATION_STATUS,
    PRESCRIPTION_STATUS,
    UPLOAD_STATUS,
    VERIFICATION_STATUS,
    ApplicationStep,
    PrescriptionStage,
    Stage,
    UploadState,
    application_due,
    licence_due,
)

__all__ = [
    "APPLICATION_STATUS",
    "APPOINTMENT_NOTICE",
    "EXAMINATION_FORM",
    "MAX_FILE_BYTES",
    "ORDER_FORM",
    "PRESCRIPTION_STATUS",
    "PROFILES",
    "REFERRAL_FORM",
    "REGISTRATION_FORM",
    "REQUIRED_LEVEL",
    "SICK_LEAVE_FORM",
    "TEMPLATES",
    "TREATMENT_FORM",
    "UPLOAD_STATUS",
    "VERIFICATION_STATUS",
    "Action",
    "ApplicationStep",
    "Appointment",
    "Blocking",
    "Document",
    "DocumentKind",
    "FileFormat",
    "Finding",
    "FormField",
    "Gosuslugi",
    "KitProfile",
    "KitReport",
    "PrescriptionStage",
    "Requirement",
    "SignatureLevel",
    "Stage",
    "StageNotice",
    "UploadState",
    "Visit",
    "VisitStatus",
    "VisitType",
    "application_due",
    "appointments_to_announce",
    "check_form",
    "check_kit",
    "check_signature",
    "file_name",
    "licence_due",
    "select_visits",
    "sick_leave_days",
    "stage_notice",
    "visits_to_csv",
]
