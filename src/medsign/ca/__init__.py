"""Certification authorities: requests for certificates, their states, renewal, revocation.

A clinic applies for a certificate of an employee, the authority checks documents and data, the
employee is identified, the certificate is issued and installed. Here the sandbox is the УЦ:

    >>> from datetime import date
    >>> import httpx
    >>> from medsign.exchange import Driver
    >>> from medsign.identifiers import Inn, Snils
    >>> from medsign.pki.issuing import make_request
    >>> from medsign.sandbox import Sandbox
    >>> from medsign.signers import SoftwareKey
    >>> subject = Subject(
    ...     surname="Тестова", given_name="Анна", patronymic="Петровна",
    ...     birth_date=date(1990, 1, 1), snils=Snils.complete("999000001"),
    ...     inn=Inn.complete("9999000001"), region="78 г. Санкт-Петербург",
    ...     locality="Санкт-Петербург",
    ...     passport=Passport(
    ...         series="9999", number="000001", issued=date(2010, 1, 1), issuer_code="999-001"
    ...     ),
    ... )
    >>> key = SoftwareKey.generate()
    >>> name = certificate_subject(ApplicantKind.WORKER, subject)
    >>> new = NewRequest(
    ...     applicant=ApplicantKind.WORKER, subject=subject, pkcs10=make_request(name, key).der
    ... )
    >>> sandbox = Sandbox()
    >>> http = httpx.Client(transport=sandbox.transport())
    >>> settings = ca_context(
    ...     base_url=sandbox.endpoint("ca").url, token=sandbox.endpoint("ca").token,
    ...     clock=sandbox.clock,
    ... )
    >>> ca = Ca(settings, Driver(http, clock=sandbox.clock, sleep=sandbox.sleep))
    >>> scan = b"%PDF-1.7"
    >>> request = ca.apply(
    ...     new, {DocumentKind.PASSPORT: scan, DocumentKind.STATEMENT: scan}, key="application-17"
    ... )
    >>> ca.wait(request.id).status.label
    'Идентификация'
    >>> ca.identify(request.id, Scenario.AT_CA).identification.instructions
    'Придите в офис УЦ с паспортом'
    >>> http.close(); sandbox.close()

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
from medsign.ca.purposes import Purpose
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
from medsign.ca.subject import (
    RenewalObstacle,
    certificate_subject,
    mixed_alphabets,
    renewal_obstacles,
)

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
    "Purpose",
    "RenewalObstacle",
    "RequestState",
    "RevocationReason",
    "Scenario",
    "Subject",
    "ca_context",
    "certificate_subject",
    "mixed_alphabets",
    "renewal_obstacles",
]
