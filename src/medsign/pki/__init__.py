"""Certificates: keys, the Russian profile, chains, revocation, time stamps and issuing.

Everything here is a pure function of bytes at hand; only `medsign.pki.fetch` asks a network, and
only when told to. What is checked becomes facts with problems; a bad chain or stamp is never an
exception.
"""

from medsign.pki.accredited import Accreditation, AccreditedList, qualification_problems
from medsign.pki.claims import Claim, EvidencePolicy
from medsign.pki.issuing import (
    OCSP_SERVICE,
    QUALIFIED,
    ROOT_CA,
    SUBORDINATE_CA,
    TIMESTAMP_SERVICE,
    CertificateTemplate,
    check_request,
    issue_certificate,
    issue_crl,
    issue_root,
    key_identifier,
    make_request,
    random_serial,
    subject_name,
)
from medsign.pki.keys import private_key, private_key_info, public_key, public_key_info
from medsign.pki.ocsp import ocsp_cert_id, ocsp_request, ocsp_response
from medsign.pki.path import LinkFacts, PathBudget, PathFacts, build_path
from medsign.pki.policies import PolicyRules
from medsign.pki.problems import Problem, ProblemCode
from medsign.pki.profile import (
    Holder,
    ProfileRule,
    holder_of,
    holder_of_name,
    is_qualified_profile,
    profile_findings,
    tool_class,
)
from medsign.pki.revocation import RevocationEvidence, RevocationFacts, check_revocation
from medsign.pki.signatures import (
    SignatureCheck,
    hash_octets,
    verify_digest,
    verify_signature,
)
from medsign.pki.signed import (
    SignerFacts,
    certificate_reference,
    check_signer,
    find_signer_certificate,
    make_signer_info,
    refers_to,
)
from medsign.pki.signing import DigestSigner, Signer, sign, signature_algorithm
from medsign.pki.timestamp import (
    TimestampFacts,
    check_timestamp,
    check_timestamp_response,
    message_imprint,
    timestamp_request,
    timestamp_response,
)
from medsign.pki.trust import TrustStore, read_certificates

__all__ = [
    "OCSP_SERVICE",
    "QUALIFIED",
    "ROOT_CA",
    "SUBORDINATE_CA",
    "TIMESTAMP_SERVICE",
    "Accreditation",
    "AccreditedList",
    "CertificateTemplate",
    "Claim",
    "DigestSigner",
    "EvidencePolicy",
    "Holder",
    "LinkFacts",
    "PathBudget",
    "PathFacts",
    "PolicyRules",
    "Problem",
    "ProblemCode",
    "ProfileRule",
    "RevocationEvidence",
    "RevocationFacts",
    "SignatureCheck",
    "Signer",
    "SignerFacts",
    "TimestampFacts",
    "TrustStore",
    "build_path",
    "certificate_reference",
    "check_request",
    "check_revocation",
    "check_signer",
    "check_timestamp",
    "check_timestamp_response",
    "find_signer_certificate",
    "hash_octets",
    "holder_of",
    "holder_of_name",
    "is_qualified_profile",
    "issue_certificate",
    "issue_crl",
    "issue_root",
    "key_identifier",
    "make_request",
    "make_signer_info",
    "message_imprint",
    "ocsp_cert_id",
    "ocsp_request",
    "ocsp_response",
    "private_key",
    "private_key_info",
    "profile_findings",
    "public_key",
    "public_key_info",
    "qualification_problems",
    "random_serial",
    "read_certificates",
    "refers_to",
    "sign",
    "signature_algorithm",
    "subject_name",
    "timestamp_request",
    "timestamp_response",
    "tool_class",
    "verify_digest",
    "verify_signature",
]
