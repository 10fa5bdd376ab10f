"""СЭП: documents go to a patient, the patient signs by a link and a code (F185-F233).

A `Package` is formed out of a document of the МИС, `Sep.send` hands its documents over,
`Sep.status` asks what became of them, `Sep.signed` fetches the signed PDF.
"""

from __future__ import annotations

from medsign.sep.client import PRODUCTION_URL, TEST_URL, AsyncSep, Sep, sep_context
from medsign.sep.models import (
    Batch,
    Document,
    DocumentRow,
    Evidence,
    Failure,
    IdentityFlag,
    InsurancePolicy,
    Package,
    Patient,
    Person,
    Representative,
    ServiceLine,
    Sex,
    SignedDocument,
    Source,
    SourceKind,
)
from medsign.sep.rules import ADULT, FORM_CODE, PrintForm, check, find_forms
from medsign.sep.status import (
    CHANNELS,
    MAX,
    MILA,
    SEP_STATUS,
    SMS,
    DocumentState,
    channel,
)

__all__ = [
    "ADULT",
    "CHANNELS",
    "FORM_CODE",
    "MAX",
    "MILA",
    "PRODUCTION_URL",
    "SEP_STATUS",
    "SMS",
    "TEST_URL",
    "AsyncSep",
    "Batch",
    "Document",
    "DocumentRow",
    "DocumentState",
    "Evidence",
    "Failure",
    "IdentityFlag",
    "InsurancePolicy",
    "Package",
    "Patient",
    "Person",
    "PrintForm",
    "Representative",
    "Sep",
    "ServiceLine",
    "Sex",
    "SignedDocument",
    "Source",
    "SourceKind",
    "channel",
    "check",
    "find_forms",
    "sep_context",
]
