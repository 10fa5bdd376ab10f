"""Signed documents: CAdES made, verified, judged and explained."""

from medsign.cms.collect import collect, verify
from medsign.cms.content import Content, ContentDigest
from medsign.cms.countersign import countersign
from medsign.cms.decide import decide
from medsign.cms.evidence import Evidence
from medsign.cms.existence import judge_at_each_moment, proofs_of_existence
from medsign.cms.extend import (
    Form,
    add_archive_timestamp,
    add_archive_values,
    add_evidence_timestamp,
    add_references,
    add_values,
    archive_value,
    evidence_value,
    form_of,
)
from medsign.cms.facts import (
    AccreditationFacts,
    CertificateFacts,
    ChainFacts,
    Facts,
    SignatureFacts,
    StampFacts,
    StatusFacts,
)
from medsign.cms.messages import Indication, Qualification, SubIndication
from medsign.cms.policy import (
    DEFAULT,
    INTERNATIONAL,
    QUALIFIED,
    UNSAFE_INTEGRITY,
    WITH_STAMP,
    AllOf,
    AnyOf,
    Crl,
    Level,
    Ocsp,
    Policy,
    Requirement,
    UnsafeNoRevocation,
)
from medsign.cms.policy_file import read_policy
from medsign.cms.report import Exhibit, Finding, ProofOfExistence, Report, SignatureReport
from medsign.cms.sign import Prepared, add_timestamp, finish, prepare, sign, signature_value

__all__ = [
    "DEFAULT",
    "INTERNATIONAL",
    "QUALIFIED",
    "UNSAFE_INTEGRITY",
    "WITH_STAMP",
    "AccreditationFacts",
    "AllOf",
    "AnyOf",
    "CertificateFacts",
    "ChainFacts",
    "Content",
    "ContentDigest",
    "Crl",
    "Evidence",
    "Exhibit",
    "Facts",
    "Finding",
    "Form",
    "Indication",
    "Level",
    "Ocsp",
    "Policy",
    "Prepared",
    "ProofOfExistence",
    "Qualification",
    "Report",
    "Requirement",
    "SignatureFacts",
    "SignatureReport",
    "StampFacts",
    "StatusFacts",
    "SubIndication",
    "UnsafeNoRevocation",
    "add_archive_timestamp",
    "add_archive_values",
    "add_evidence_timestamp",
    "add_references",
    "add_timestamp",
    "add_values",
    "archive_value",
    "collect",
    "countersign",
    "decide",
    "evidence_value",
    "finish",
    "form_of",
    "judge_at_each_moment",
    "prepare",
    "proofs_of_existence",
    "read_policy",
    "sign",
    "signature_value",
    "verify",
]
