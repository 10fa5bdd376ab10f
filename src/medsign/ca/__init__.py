"""Certification authorities: requests for certificates, their states, renewal, revocation.

A clinic applies for a certificate of an employee, the authority checks documents and data, the
employee is identified, the certificate is issued and installed::

    key = SoftwareKey.generate()
    pkcs10 = make_request(certificate_subject(ApplicantKind.WORKER, subject), key).der
    new = NewRequest(applicant=ApplicantKind.WORKER, subject=subject, pkcs10=pkcs10)
    request = ca.apply(new, {DocumentKind.PASSPORT: scan, DocumentKind.STATEMENT: statement})
    request = ca.wait(request.id)
    request = ca.identify(request.id, Scenario.AT_CA)

The states are tables: `REQUEST_STATUS`, `CHECK_STATUS`, `CERTIFICATE_STATUS`, `ESIA_STATUS`.
"""

from medsign.ca.client import AsyncCa, Ca, ca_context
from medsign.ca.models import (
    CHECKS,
    REQUIRED_DOCUMENTS,
    SCENARIOS,
    ApplicantKind,
    Authority,
    Carrier,
    CertificateKind,
    CertificateRequest,
    Check,
    CheckKind,
    Correction,
    DocumentKind,
    Identification,
    Invoice,
    IssuedCertificate,
    NewRequest,
    Organisation,
    Passport,
    RevocationReason,
    Scenario,
    Subject,
)
from medsign.ca.operations import Batch, Order
from medsign.ca.status import (
    CERTIFICATE_STATUS,
    CHECK_STATUS,
    ESIA_STATUS,
    REQUEST_STATUS,
    CertificateState,
    CheckState,
    EsiaState,
    RequestState,
)
from medsign.ca.subject import RenewalObstacle, certificate_subject, renewal_obstacles

__all__ = [
    "CERTIFICATE_STATUS",
    "CHECKS",
    "CHECK_STATUS",
    "ESIA_STATUS",
    "REQUEST_STATUS",
    "REQUIRED_DOCUMENTS",
    "SCENARIOS",
    "ApplicantKind",
    "AsyncCa",
    "Authority",
    "Batch",
    "Ca",
    "Carrier",
    "CertificateKind",
    "CertificateRequest",
    "CertificateState",
    "Check",
    "CheckKind",
    "CheckState",
    "Correction",
    "DocumentKind",
    "EsiaState",
    "Identification",
    "Invoice",
    "IssuedCertificate",
    "NewRequest",
    "Order",
    "Organisation",
    "Passport",
    "RenewalObstacle",
    "RequestState",
    "RevocationReason",
    "Scenario",
    "Subject",
    "ca_context",
    "certificate_subject",
    "renewal_obstacles",
]
