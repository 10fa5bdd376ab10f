"""Машиночитаемая доверенность (МЧД) of the unified format 003, ``EMCHD_1`` (F022, F023).

`issue` makes a document from a `Draft`, `encode` gives the bytes to sign, `validate` says what the
registry would refuse, `matches` tells whether a certificate belongs to a party. `Mchd` and
`AsyncMchd` talk to the registry.
"""

from __future__ import annotations

from medsign.mchd.archive import PoaPackage
from medsign.mchd.client import AsyncMchd, Mchd
from medsign.mchd.file import decode, encode, file_id, new_number, tax_file_id
from medsign.mchd.fill import (
    Draft,
    Holder,
    MissingField,
    OrganizationDraft,
    PersonDraft,
    PrincipalDraft,
    RepresentativeDraft,
    issue,
    principal_from,
    representative_from,
)
from medsign.mchd.findings import RELAXED, STRICT, Finding, Profile, Severity
from medsign.mchd.matching import MatchResult, MatchVerdict, matches
from medsign.mchd.model import PowerOfAttorney
from medsign.mchd.operations import Registration
from medsign.mchd.powers import (
    PowersClassifier,
    certificate_limit,
    machine_powers,
    text_powers,
)
from medsign.mchd.registry import (
    GATEWAY,
    NODE,
    Chronology,
    PublicStatus,
    Receipt,
    RegistryContext,
    RegistryPaths,
    Rejection,
    Requisites,
    StatusChange,
    Transaction,
)
from medsign.mchd.representation import (
    Answer,
    Part,
    Representation,
    RepresentationReport,
    Verify,
    judge,
)
from medsign.mchd.revoke import Revocation, decode_revocation, encode_revocation, revocation
from medsign.mchd.status import (
    POA_STATUS,
    TRANSACTION_STATUS,
    PoaState,
    TransactionState,
    state_at,
)
from medsign.mchd.validation import validate

__all__ = [
    "GATEWAY",
    "NODE",
    "POA_STATUS",
    "RELAXED",
    "STRICT",
    "TRANSACTION_STATUS",
    "Answer",
    "AsyncMchd",
    "Chronology",
    "Draft",
    "Finding",
    "Holder",
    "MatchResult",
    "MatchVerdict",
    "Mchd",
    "MissingField",
    "OrganizationDraft",
    "Part",
    "PersonDraft",
    "PoaPackage",
    "PoaState",
    "PowerOfAttorney",
    "PowersClassifier",
    "PrincipalDraft",
    "Profile",
    "PublicStatus",
    "Receipt",
    "Registration",
    "RegistryContext",
    "RegistryPaths",
    "Rejection",
    "Representation",
    "RepresentationReport",
    "RepresentativeDraft",
    "Requisites",
    "Revocation",
    "Severity",
    "StatusChange",
    "Transaction",
    "TransactionState",
    "Verify",
    "certificate_limit",
    "decode",
    "decode_revocation",
    "encode",
    "encode_revocation",
    "file_id",
    "issue",
    "judge",
    "machine_powers",
    "matches",
    "new_number",
    "principal_from",
    "representative_from",
    "revocation",
    "state_at",
    "tax_file_id",
    "text_powers",
    "validate",
]
