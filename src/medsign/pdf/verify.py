"""The verdict on a signed PDF: the verdicts on its signatures, and what only a PDF can hide."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import TypeVar

import attrs

from medsign.cms import (
    DEFAULT,
    Evidence,
    Exhibit,
    Facts,
    Finding,
    Indication,
    Level,
    Policy,
    Qualification,
    Report,
    SignatureReport,
    collect,
    decide,
)
from medsign.errors import BudgetExceeded, MalformedError
from medsign.gost import Provider
from medsign.pdf.read import Change, PdfSignature, read_pdf_signatures

V = TypeVar("V", Report, SignatureReport)


def verify_pdf(
    evidence: Evidence,
    *,
    policy: Policy = DEFAULT,
    at: datetime,
    provider: Provider | None = None,
) -> Report:
    """Verify all signatures of a PDF; each of them must pass.

    The signing time that a PDF names counts as claimed by the signer. Time stamps of the document
    (``DocTimeStamp``) are nobody's signatures and are not judged.

    Args:
        evidence: The PDF as the file with the signature, and what there is to judge it by.
        policy: What is required.
        at: The moment of the verdict; aware.
        provider: Who computes; by default `medsign.gost.default_provider`.

    Returns:
        The report, its signers in the order of signing. A file that is no PDF, or that has no
        signature, is a report too.

    Raises:
        Unavailable: The extra ``pdf`` is not installed.
        UsageError: The moment has no time zone.

    Example:
        >>> from datetime import UTC, datetime
        >>> new_year = datetime(2026, 1, 1, tzinfo=UTC)
        >>> verify_pdf(Evidence(signature=b"%PDF-1.7"), at=new_year).sub_indication.value
        'FORMAT_FAILURE'
    """
    fingerprint = hashlib.sha256(evidence.signature).hexdigest()
    try:
        found = read_pdf_signatures(evidence.signature)
    except (MalformedError, BudgetExceeded) as error:
        broken = Facts(fingerprint=fingerprint, malformed=error.diagnostics())
        return decide(broken, policy, at=at)
    found = tuple(each for each in found if not each.is_time_stamp)
    facts = [
        collect(
            attrs.evolve(evidence, signature=each.signature, content=each.content),
            at=at,
            provider=provider,
        )
        for each in found
    ]
    whole = Facts(
        fingerprint=fingerprint,
        signatures=tuple(
            attrs.evolve(one, claimed_at=one.claimed_at or place.signed_at)
            for place, each in zip(found, facts, strict=True)
            for one in each.signatures
        ),
    )
    report = decide(whole, policy, at=at)
    checks = [tuple(_findings(each, policy)) for each in found]
    signers = tuple(
        _judged(signer, added) for added, signer in zip(checks, report.signers, strict=True)
    )
    return _named(attrs.evolve(report, signers=signers), chain.from_iterable(checks))


def _findings(place: PdfSignature, policy: Policy) -> Iterator[Finding]:
    later = f"после подписания изменено: {place.change.russian}" if place.change else ""
    checks = {"PDF_COVERED": (place.is_whole, "")}
    if place.change is Change.UNKNOWN:
        checks["PDF_COMPARED"] = (False, "")
    else:
        checks["PDF_UNCHANGED"] = (place.change <= place.allowed, later)
    for code, (passed, detail) in checks.items():
        level = policy.level(code)
        if passed or level is not Level.IGNORE:
            exhibit = Exhibit(moment=place.signed_at, detail=detail)
            yield Finding(code=code, passed=passed, severity=level, evidence=exhibit)


def _judged(signer: SignatureReport, added: tuple[Finding, ...]) -> SignatureReport:
    """Add the checks of the PDF; what fails them is not called a qualified signature."""
    report = _named(attrs.evolve(signer, findings=(*added, *signer.findings)), added)
    doubtful = signer.qualification is Qualification.QUALIFIED and not report.passed
    return attrs.evolve(report, qualification=Qualification.UNKNOWN) if doubtful else report


def _named(verdict: V, findings: Iterable[Finding]) -> V:
    """Name a verdict after the gravest failed check of the PDF, unless it is graver itself."""
    failed = [each for each in findings if not each.passed and each.severity is Level.FAIL]
    reasons = [each.message.sub_indication for each in failed]
    for indication in (Indication.TOTAL_FAILED, Indication.INDETERMINATE):
        for reason in reasons:
            if reason.indication is indication:
                return attrs.evolve(verdict, indication=indication, sub_indication=reason)
        if verdict.indication is indication:
            break
    return verdict
