"""Whether a document signed by a representative binds his principal: four answers.

The registry and the signatures are asked first; what comes out is judged by a pure function, so
that the same evidence gives the same report years later.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

import attrs

from medsign.cms import Indication, Policy, Qualification, Report, SignatureReport
from medsign.errors import UsageError
from medsign.mchd.archive import PoaPackage
from medsign.mchd.file import decode
from medsign.mchd.findings import Finding, Severity
from medsign.mchd.matching import MatchVerdict, Party, acting, certifies, is_organization, matches
from medsign.mchd.model import (
    Exercise,
    Grant,
    MachinePower,
    PowerOfAttorney,
    PowersKind,
    Principal,
)
from medsign.mchd.powers import ALL_POWERS, CERTIFICATE_LIMIT, limited_serial
from medsign.mchd.registry import Chronology, PublicStatus, StatusChange
from medsign.mchd.status import PoaState, state_at
from medsign.status import State

Verify: TypeAlias = Callable[[bytes, bytes], Report]
"""How a detached signature (first) over a content (second) is verified."""


class Answer(StrEnum):
    """One of three answers, best first."""

    YES = "yes"
    MANUAL = "manual"
    NO = "no"

    @property
    def russian(self) -> str:
        """The answer for staff."""
        return _ANSWERS[self]


_ANSWERS = {
    Answer.YES: "Подтверждено",
    Answer.MANUAL: "Нужна проверка человеком",
    Answer.NO: "Не подтверждено",
}
_BY_SEVERITY = {Severity.WARNING: Answer.MANUAL, Severity.ERROR: Answer.NO}
_ORDER = list(Answer)


@attrs.frozen
class Part:
    """One of the four results.

    Attributes:
        findings: What speaks against it; an error refutes, a warning asks for a person.
        notes: What staff should know although it changes no answer, in Russian.

    Example:
        >>> Part(()).answer.russian
        'Подтверждено'
    """

    findings: tuple[Finding, ...] = attrs.field(converter=tuple[Finding, ...])
    notes: tuple[str, ...] = attrs.field(default=(), converter=tuple[str, ...])

    @property
    def answer(self) -> Answer:
        """The answer that the findings give."""
        return _worst(_BY_SEVERITY[finding.severity] for finding in self.findings)


@attrs.frozen(kw_only=True)
class RepresentationReport:
    """Four separate results on a document signed under a power of attorney.

    Attributes:
        document: The signature on the document (ПроверкаДокумента).
        representative: Whether who signed is the representative (ПроверкаПодписанта).
        powers: Whether he has the powers (ПроверкаПолномочий).
        power_of_attorney: The power of attorney itself: signature, term, registry
            (ПроверкаДоверенности).
    """

    document: Part
    representative: Part
    powers: Part
    power_of_attorney: Part

    @property
    def answer(self) -> Answer:
        """The worst of the four."""
        parts = (self.document, self.representative, self.powers, self.power_of_attorney)
        return _worst(part.answer for part in parts)


@attrs.frozen(kw_only=True)
class Representation:
    """What there is to judge a representation by.

    Attributes:
        poa: The power of attorney.
        poa_reports: Verdicts on its signatures.
        document: Verdict on the signature of the document.
        powers: Codes of the classifier, all of which the document needs.
        status: What the registry says; ``None`` when it did not answer.
        history: The registry's history, wanted when the power of attorney is revoked.
        listed: False when the registry said that it has no such number.
        refused: Code of the registry's refusal to answer, if it refused.

    Raises:
        UsageError: The status or the history is that of another power of attorney.
    """

    poa: PowerOfAttorney
    poa_reports: tuple[Report, ...]
    document: Report
    powers: frozenset[str] = frozenset()
    status: PublicStatus | None = None
    history: Chronology | None = None
    listed: bool = True
    refused: str = ""

    def __attrs_post_init__(self) -> None:
        told = {each.number for each in (self.status, self.history) if each}
        if told - {self.poa.terms.number}:
            raise UsageError("the registry's words are about another power of attorney")

    @classmethod
    def of(
        cls, package: PoaPackage, document: Report, verify: Verify, powers: Collection[str] = ()
    ) -> Representation:
        """Verify the signatures of a power of attorney over its exact octets.

        Raises:
            MalformedError: The file is no power of attorney of the format 003.
        """
        return cls(
            poa=decode(package.document),
            poa_reports=tuple(verify(each, package.document) for each in package.signatures),
            document=document,
            powers=frozenset(powers),
        )


def judge(case: Representation) -> RepresentationReport:
    """Return the four results; a pure function of its argument."""
    return RepresentationReport(
        document=Part(_signature(case.document), _notes([case.document])),
        representative=Part(_representative(case)),
        powers=Part(_powers(case)),
        power_of_attorney=Part(_power_of_attorney(case), _notes(case.poa_reports)),
    )


def _worst(answers: Iterable[Answer]) -> Answer:
    return max(answers, key=_ORDER.index, default=Answer.YES)


def _error(code: str, message: str) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, path="", message=message)


def _warning(code: str, message: str) -> Finding:
    return Finding(code=code, severity=Severity.WARNING, path="", message=message)


def _signature(report: Report) -> Iterator[Finding]:
    if not report.passed:
        surely = report.indication is Indication.TOTAL_FAILED
        yield (_error if surely else _warning)("signature", " ".join(report.explain_trust()))
    elif _is_unsafe(report):
        said = f"подпись проверена по ослабленным правилам ({report.policy}), нужны обычные"
        yield _warning("signature.unsafe", said)
    # A power of attorney and what is signed under it need a qualified one: 63-ФЗ ст. 17.2, 17.5.
    for signer in report.signers:
        if signer.qualification is Qualification.NON_QUALIFIED:
            yield _error("signature.unqualified", signer.qualification_ru)


def _notes(reports: Iterable[Report]) -> Iterable[str]:
    """Return what is not known for want of a list of accredited authorities, each thing once."""
    accepted = [report for report in reports if report.passed and not _is_unsafe(report)]
    signers = [signer for report in accepted for signer in report.signers]
    unknown = [each for each in signers if each.qualification is Qualification.UNKNOWN]
    return dict.fromkeys(signer.qualification_ru for signer in unknown)


def _is_unsafe(report: Report) -> bool:
    return Policy(name=report.policy).is_unsafe


def _representative(case: Representation) -> Iterator[Finding]:
    content, signers = case.poa.content, case.document.signers
    found = [_best_match(each, signers) for each in content.representatives]
    jointly = content.powers.exercise is Exercise.TOGETHER
    order = list(MatchVerdict)
    match (max if jointly else min)(found, key=order.index):
        case MatchVerdict.DIFFERS:
            said = "не все представители подписали" if jointly else "подписал не представитель"
            yield _error("representative.differs", said)
        case MatchVerdict.UNDECIDED:
            yield _warning(
                "representative.undecided",
                "сведений сертификата недостаточно, чтобы узнать представителя",
            )
        case MatchVerdict.MATCHES:
            if not all(_is_among(content.representatives, signer) for signer in signers):
                yield _warning("representative.others", "документ подписан и другими лицами")


def _is_among(parties: Iterable[Party], signer: SignatureReport) -> bool:
    return any(_best_match(each, (signer,)) is MatchVerdict.MATCHES for each in parties)


def _best_match(party: Party, signers: Sequence[SignatureReport]) -> MatchVerdict:
    verdicts = [matches(party, signer.holder).verdict for signer in signers if signer.holder]
    return min(verdicts, key=list(MatchVerdict).index, default=MatchVerdict.UNDECIDED)


def _powers(case: Representation) -> Iterator[Finding]:
    powers = case.poa.content.powers
    if powers.kind is PowersKind.TEXT:
        if (powers.text or "").strip().casefold() != ALL_POWERS.casefold():
            yield _warning("powers.text", "полномочия даны текстом, прочитайте его")
        return
    if not case.powers:
        yield _warning("powers.unasked", "не указано, какое полномочие нужно для документа")
    for code in sorted(case.powers):
        given = [power for power in powers.machine if power.code == code]
        if not given:
            yield _error("powers.missing", f"нет полномочия {code}")
            continue
        found = [Part(_limits(power, case.document.signers)) for power in given]
        yield from min(found, key=lambda each: _ORDER.index(each.answer)).findings
        if len({power.limits for power in given}) > 1:
            said = f"полномочие {code} дано несколько раз с разными ограничениями"
            yield _warning("powers.repeated", said)


def _limits(power: MachinePower, signers: Sequence[SignatureReport]) -> Iterator[Finding]:
    for limit in power.limits:
        if limit.code != CERTIFICATE_LIMIT:
            said = f"полномочие {power.code} ограничено ({limit.code}), сравните с документом"
            yield _warning("powers.limited", said)
            continue
        numbers = {signer.holder.serial_number for signer in signers if signer.holder}
        if (limited := limited_serial(limit)) is None:
            said = f"полномочие {power.code} дано для сертификата, номер которого не прочитать"
            yield _warning("powers.limited", said)
        elif limited not in numbers:
            said = f"полномочие {power.code} дано для другого сертификата"
            yield _error("powers.certificate", said)


def _power_of_attorney(case: Representation) -> Iterator[Finding]:
    for report in case.poa_reports:
        yield from _signature(report)
    yield from _principals(case)
    yield from _dated_back(case)
    yield from _term(case)
    yield from _registry(case)


def _principals(case: Representation) -> Iterator[Finding]:
    content = case.poa.content
    if not isinstance(content, Grant):
        yield _warning("poa.delegated", "передоверие: проверьте всю цепочку доверенностей")
        return
    signers = _givers(case)
    if not signers:
        yield _error("poa.unsigned", "доверенность не подписана")
    elif content.notarization:
        holders = [signer.holder for signer in signers if signer.holder]
        if not any(certifies(content.notarization, holder) for holder in holders):
            said = "доверенность нотариальная: узнайте, подписал ли её названный в ней нотариус"
            yield _warning("poa.notary", said)
    else:
        for principal in content.principals:
            yield from _signed_for(principal, signers)


def _givers(case: Representation) -> list[SignatureReport]:
    return [signer for report in case.poa_reports for signer in report.signers]


def _signed_for(principal: Principal, signers: Sequence[SignatureReport]) -> Iterator[Finding]:
    order = list(MatchVerdict).index
    found = [[_best_match(each, signers) for each in group] for group in acting(principal)]
    if any(set(group) == {MatchVerdict.MATCHES} for group in found):
        return
    verdicts = (verdict for group in found for verdict in group)
    match min(verdicts, key=order, default=MatchVerdict.UNDECIDED):
        case MatchVerdict.MATCHES:
            said = "руководители действуют совместно, а подписали не все: достаточно ли этого?"
            yield _warning("poa.joint", said)
        case MatchVerdict.UNDECIDED if _is_personal(principal, signers):
            said = "от имени организации подписывают сертификатом с её ИНН, а в этом его нет"
            yield _warning("poa.personal", said)
        case MatchVerdict.UNDECIDED:
            said = "сведений сертификата недостаточно, чтобы узнать доверителя"
            yield _warning("poa.signer_undecided", said)
        case MatchVerdict.DIFFERS:
            yield _error("poa.signer", "доверенность подписал не доверитель")


def _is_personal(principal: Principal, signers: Sequence[SignatureReport]) -> bool:
    """Tell whether who may act for an organisation signed with a certificate of his own."""
    holders = [signer.holder for signer in signers if signer.holder]
    return is_organization(principal) and any(
        not holder.inn_legal and matches(principal, holder).verdict is MatchVerdict.UNDECIDED
        for holder in holders
    )


def _dated_back(case: Representation) -> Iterator[Finding]:
    # It may bind from a day before it was made only if the principal approves of what was done.
    known = [_earliest(signer) for signer in _givers(case)]
    if case.status and case.status.received:
        known.append(case.status.received)
    if any(_earliest(signer) < max(known) for signer in case.document.signers if known):
        said = "доверенность подписана или зарегистрирована позже документа: одобрен ли он?"
        yield _warning("poa.later", said)


def _earliest(signer: SignatureReport) -> datetime:
    return min(signer.proved_at, signer.claimed_at or signer.proved_at)


def _term(case: Representation) -> Iterator[Finding]:
    for signer in case.document.signers:
        if _in_term(case, signer.proved_at):
            continue
        if signer.claimed_at and _in_term(case, signer.claimed_at):
            said = "срок доверенности подтверждает лишь время, указанное подписавшим"
            yield _warning("poa.term_unproved", said)
        else:
            yield _error("poa.term", "документ подписан не в срок действия доверенности")


def _in_term(case: Representation, moment: datetime) -> bool:
    """Tell whether neither the document nor the registry puts a moment outside the term."""
    if state_at(case.poa.terms, moment) is not PoaState.ACTIVE:
        return False
    told = case.status
    if told is None:
        return True
    over = told.since if _is_in(told, PoaState.EXPIRED) else None
    return not (
        (told.valid_from and moment < told.valid_from)
        or (told.valid_until and told.valid_until < moment)
        or (over and over <= moment)
    )


def _is_in(told: PublicStatus | StatusChange, state: PoaState) -> bool:
    return isinstance(told.state, State) and told.state.code == state


def _registry(case: Representation) -> Iterator[Finding]:
    if not case.listed:
        yield _error("registry.absent", "в реестре нет доверенности с таким номером")
        return
    if case.refused:
        said = f"реестр отказался отвечать (код {case.refused}): проверьте вход и права"
        yield _warning("registry.refused", said)
        return
    if case.status is None:
        yield _warning("registry.silent", "реестр не ответил, спросите его позже")
        return
    if _revocations(case):
        yield from _revoked(case)
    state = case.status.state
    match state.code if isinstance(state, State) else None:
        case PoaState.ACTIVE | PoaState.EXPIRED | PoaState.REVOKED:
            pass
        case None:
            yield _warning("registry.unknown", state.label)
        case _:
            yield _error("registry.state", f"состояние в реестре: «{state.label}»")


def _revoked(case: Representation) -> Iterator[Finding]:
    since = min((each.at for each in _revocations(case) if each.at), default=None)
    for signer in case.document.signers:
        if since is None:
            yield _warning("registry.revoked", "доверенность отозвана, время отзыва неизвестно")
        elif signer.proved_at < since:
            continue
        elif signer.claimed_at and signer.claimed_at < since:
            said = "доверенность отозвана; что подписано раньше, известно лишь со слов подписавшего"
            yield _warning("registry.revoked_unproved", said)
        else:
            yield _error("registry.revoked", "доверенность отозвана до подписания документа")


def _revocations(case: Representation) -> list[StatusChange]:
    """Return where the registry says revoked: its history may know what its status does not."""
    said = [*case.history.changes, case.history.current] if case.history else []
    if case.status:
        said.append(StatusChange(said=case.status.said, at=case.status.since))
    return [each for each in said if _is_in(each, PoaState.REVOKED)]
