"""The verdict as data: for a program, for staff, and for the file beside the document."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

import attrs

from medsign.cms import html
from medsign.cms.messages import (
    MESSAGES,
    NON_QUALIFYING,
    Indication,
    Message,
    Qualification,
    SubIndication,
)
from medsign.cms.policy import Level
from medsign.codec import json
from medsign.pki.profile import Holder

Proof = Literal["claim", "time stamp", "verification"]
_AS_OF: dict[Proof, str] = {
    "claim": "на время, которое указал подписавший",
    "time stamp": "по штампу времени",
    "verification": "на время проверки",
}


@attrs.frozen(kw_only=True)
class Exhibit:
    """What a check looked at.

    Attributes:
        certificate: SHA-256 of a certificate, hexadecimal.
        source: SHA-256 of a list, an answer or a stamp, hexadecimal.
        path: SHA-256 of each certificate of a chain, hexadecimal, the signer's first.
        moment: The moment that decided.
        detail: More, in Russian, without personal data.
    """

    certificate: str | None = None
    source: str | None = None
    path: tuple[str, ...] = ()
    moment: datetime | None = None
    detail: str = ""


@attrs.frozen(kw_only=True)
class Finding:
    """One check and what came out.

    Attributes:
        code: Which check of `medsign.cms.messages.MESSAGES`.
        passed: Whether it came out well.
        severity: How serious a failure is under the policy.
        evidence: What was looked at.

    Example:
        >>> Finding(code="CONTENT_INTACT", passed=True, severity=Level.FAIL).text_ru
        'Документ не изменён после подписания? Да.'
    """

    code: str
    passed: bool
    severity: Level
    evidence: Exhibit = Exhibit()

    @property
    def message(self) -> Message:
        """The words of the check."""
        return MESSAGES[self.code]

    @property
    def text_ru(self) -> str:
        """What came out, in Russian."""
        return f"{self.message.question_ru} Да." if self.passed else self.message.answer_ru

    @property
    def text_en(self) -> str:
        """What came out, in English."""
        return f"{self.message.question_en} Yes." if self.passed else self.message.answer_en


@attrs.frozen(kw_only=True)
class ProofOfExistence:
    """That a signature existed at a moment, and what says so.

    Attributes:
        at: The moment.
        by: A trusted time stamp; the verification itself, for the signature lies before us; or the
            signer's claim, which proves nothing to anybody else.
        source: SHA-256 of the time stamp, hexadecimal.
    """

    at: datetime
    by: Proof
    source: str | None = None


@attrs.frozen(kw_only=True)
class SignatureReport:
    """The verdict on one signature.

    Attributes:
        indication: Passed, failed or not proved.
        sub_indication: Why it did not pass.
        proved_at: The earliest moment at which the signature is proved to have existed.
        proved_by: What proves it.
        claimed_at: When it was made by the signer's own word.
        holder: Who signed; personal data.
        certificate: SHA-256 of the signer's certificate, hexadecimal.
        name: Common name in that certificate; may be personal data.
        qualification: Whether it is a qualified signature (63-ФЗ, ст. 5); unknown without a list
            of accredited authorities, and while the signature itself is not accepted.
        tool_classes: Classes of the signing tool that the chain confirms, such as ``КС1``.
        findings: All the checks in order, the passed ones too.
        countersigners: Verdicts on the signatures of others on this one. They do not touch the
            verdict on this one: whoever has the file can add a bad one.
    """

    indication: Indication
    sub_indication: SubIndication | None = None
    proved_at: datetime
    proved_by: Proof
    claimed_at: datetime | None = None
    holder: Holder | None = attrs.field(default=None, repr=False)
    certificate: str | None = None
    name: str = attrs.field(default="", repr=False)
    qualification: Qualification = Qualification.UNKNOWN
    tool_classes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    countersigners: tuple[SignatureReport, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the signature is accepted."""
        return self.indication is Indication.TOTAL_PASSED

    def failures(self, *severities: Level) -> Iterator[Finding]:
        """Yield failed checks of the given severities."""
        return (each for each in self.findings if not each.passed and each.severity in severities)

    @property
    def qualification_ru(self) -> str:
        """Whether the signature is a qualified one and why not, as a sentence for staff."""
        if self.qualification is Qualification.QUALIFIED:
            classes = f", класс средства подписи {', '.join(self.tool_classes)}"
            return f"Подпись квалифицированная{classes if self.tool_classes else ''}."
        failed = (each for each in self.findings if not each.passed)
        if self.qualification is Qualification.NON_QUALIFIED:
            reasons = [each.text_ru for each in failed if each.code in NON_QUALIFYING]
            return " ".join(("Подпись неквалифицированная.", *reasons))
        unknown = [each.text_ru for each in failed if each.code == "ACCREDITATION_KNOWN"]
        reason = unknown or ["Сама подпись не принята безусловно."]
        return " ".join(("Квалифицированная ли подпись, не установлено.", *reason))


@attrs.frozen(kw_only=True)
class Report:
    """The verdict on a signed message: every signature in it must pass.

    Attributes:
        indication: The worst of the signatures.
        sub_indication: Why it did not pass.
        signers: Verdicts on the signatures, in the order of the file.
        findings: Checks of the file as a whole.
        policy: Name of the policy.
        policy_digest: SHA-256 of the policy, hexadecimal.
        fingerprint: SHA-256 of the file with the signature, hexadecimal.
        at: The moment of the verdict.
    """

    indication: Indication
    sub_indication: SubIndication | None = None
    signers: tuple[SignatureReport, ...] = ()
    findings: tuple[Finding, ...] = ()
    policy: str
    policy_digest: str
    fingerprint: str
    at: datetime

    @property
    def passed(self) -> bool:
        """Whether the message is accepted."""
        return self.indication is Indication.TOTAL_PASSED

    def explain_trust(self) -> tuple[str, ...]:
        """Return lines for staff: whether the signature is trusted, why not, and what to do."""
        lines = [f"{self.indication.russian}."]
        for finding in self.findings:
            if not finding.passed:
                lines += [finding.text_ru, f"Что делать: {finding.message.advice_ru}"]
        for number, signer in enumerate(self.signers, 1):
            lines += _explained(signer, f"Подпись {number}: " if len(self.signers) > 1 else "")
            for other, countersigner in enumerate(signer.countersigners, 1):
                name = f"Заверяющая подпись {other} к подписи {number}"
                lines.append(f"{name}: {countersigner.indication.russian}.")
                lines += _explained(countersigner, f"{name}: ")
        return tuple(lines)

    def to_json(self) -> bytes:
        """Return the report as JSON in UTF-8, with the texts of the findings, holders included."""
        return json.encode(
            {
                "indication": self.indication,
                "subIndication": self.sub_indication,
                "at": self.at,
                "policy": {"name": self.policy, "sha256": self.policy_digest},
                "signature": {"sha256": self.fingerprint},
                "findings": [_finding(each) for each in self.findings],
                "signers": [_signer(each) for each in self.signers],
            }
        )

    def to_html(self) -> str:
        """Return the report as one page in Russian with nothing to load, fit for print."""
        return html.page(self)


def _signer(signer: SignatureReport) -> dict[str, object]:
    bare = attrs.evolve(signer, findings=(), countersigners=())
    plain: dict[str, object] = json.unstructure(bare)
    return plain | {
        "qualification": signer.qualification,
        "qualificationRu": signer.qualification_ru,
        "findings": [_finding(each) for each in signer.findings],
        "countersigners": [_signer(each) for each in signer.countersigners],
    }


def _finding(finding: Finding) -> dict[str, object]:
    plain: dict[str, object] = json.unstructure(finding)
    return plain | {"textRu": finding.text_ru, "textEn": finding.text_en}


def _explained(signer: SignatureReport, prefix: str) -> Iterator[str]:
    for finding in signer.failures(Level.FAIL):
        detail = f" ({finding.evidence.detail})" if finding.evidence.detail else ""
        yield f"{prefix}{finding.text_ru}{detail}"
        yield f"Что делать: {finding.message.advice_ru}"
    for finding in signer.failures(Level.WARN):
        yield f"{prefix}Предупреждение: {finding.text_ru}"
    if signer.passed:
        yield f"{prefix}все проверки пройдены {_AS_OF[signer.proved_by]}."
    yield f"{prefix}{signer.qualification_ru}"
