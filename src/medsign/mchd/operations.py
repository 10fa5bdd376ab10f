"""Conversations with the registry of powers of attorney, each written once for both colours.

The interface is that of a node of the distributed registry (m4d.nalog.gov.ru), as БСП of 1С calls
it. Queries carry ИНН of both parties in the URL; nothing else of the document stands there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import timedelta
from functools import partial
from typing import TypeVar
from urllib.parse import quote

import attrs

from medsign.cms import Report
from medsign.errors import (
    ApiError,
    DeadlineExceeded,
    MalformedError,
    OutcomeUnknown,
    TransportError,
    UnexpectedAnswer,
    UsageError,
)
from medsign.exchange import Answer, CallState, Context, Flow, Repeat, Wait, do
from medsign.exchange.retry import may_repeat
from medsign.mchd.archive import PoaPackage, upload
from medsign.mchd.file import decode
from medsign.mchd.model import PowerOfAttorney
from medsign.mchd.registry import (
    NODE,
    Chronology,
    ChronologyAnswer,
    PublicStatus,
    Receipt,
    RegistryContext,
    RegistryPaths,
    Rejection,
    Requisites,
    Status,
    Transaction,
)
from medsign.mchd.representation import Representation, RepresentationReport, Verify, judge
from medsign.mchd.revoke import decode_revocation
from medsign.mchd.status import POA_STATUS, PoaState, TransactionState
from medsign.status import Journal, State, Tracker

T = TypeVar("T")
EVERY = timedelta(seconds=5)
WITHIN = timedelta(minutes=10)
_SOON = timedelta(seconds=1)
_PATIENCE = timedelta(minutes=1)
_REGISTRY = "registry"
# Beside a result that stands, a question that failed teaches nothing and spoils nothing.
_NOTHING_LEARNED = (
    ApiError,
    DeadlineExceeded,
    MalformedError,
    TransportError,
    UnexpectedAnswer,
    UsageError,
)
_DECISIONS: dict[str, TransactionState] = {
    state: state for state in (TransactionState.SUCCESS, TransactionState.FAILURE)
}


@attrs.frozen(kw_only=True)
class Registration:
    """How a registration ended.

    Attributes:
        number: НомДовер.
        state: State of `POA_STATUS`, or a status never seen before.
        rejections: Why the registry refused, if it did.
    """

    number: str
    state: Status
    rejections: tuple[Rejection, ...] = ()

    @property
    def registered(self) -> bool:
        """Whether the power of attorney stands in the registry."""
        return _code(self.state) not in ("", PoaState.PROCESSING, PoaState.REJECTED)


@attrs.frozen
class _NewNumber:
    poa_number: str


def generate_number(context: Context) -> Flow[str]:
    """Return a number for a new power of attorney, drawn by the registry."""
    request = context.request("GET", _paths(context).number)
    answer = yield from context.fetch("generate_number", request)
    return context.read(_NewNumber, answer).poa_number


def register(context: Context, document: bytes, signature: bytes) -> Flow[Receipt]:
    """Hand in a signed power of attorney (F022, F108).

    A second call with the same files registers nothing: when an answer was lost, the registry is
    asked first what stands under the number, and what it keeps there is compared with this
    document as soon as it has decided; the same octets are a success. So it is when the registry
    says that the number is taken.

    Args:
        document: The XML file, exactly as it was signed.
        signature: Detached CMS over it: DER, PEM or base64.

    Returns:
        What to ask for the decision by; see `settled`.

    Raises:
        MalformedError: Not a power of attorney of the format 003.
        ApiError: The registry refused; 409 when the number is taken by another document.
        OutcomeUnknown: No answer came, and the registry could not be asked either or has not
            decided yet; call again with the same files.
    """
    poa = decode(document)
    number = poa.terms.number
    body, media = upload("poa", f"{poa.file_id}.xml", document, signature)
    request = context.request("POST", _paths(context).register, content=body, content_type=media)
    key = _key(number, body)
    others: list[str] = []

    def known(asking: Context, _: str) -> Flow[Answer | None]:
        # What is under way or refused shows no document: it is ours only if we were answered once.
        doubtful = yield from do(partial(_in_doubt, context, key))
        within = min(_PATIENCE, timedelta(seconds=asking.policy.total))
        under_way = (PoaState.PROCESSING,) if doubtful else ()
        found = yield from _unless_absent(_changed(asking, number, *under_way, within=within))
        if found is None:
            return None
        answer, code = found
        if code in under_way:
            raise DeadlineExceeded(f"mchd.register: no decision in {within.total_seconds():g} s")
        if code in (PoaState.PROCESSING, PoaState.REJECTED):
            return None if doubtful else answer
        kept = yield from download(asking, Requisites.of(poa))
        if kept.document == document:
            return answer
        others.append(number)
        return None

    def same(asking: Context, _: str) -> Flow[Answer | None]:
        try:
            return (yield from known(asking, key))
        except _NOTHING_LEARNED:
            return None

    try:
        answer = yield from context.create(
            "register", request, key, kind=Receipt, resolve=known, reconcile=same
        )
    except OutcomeUnknown:
        if not others:
            raise
        # Where another document stands under the number, this one does not: that is no doubt.
        yield from do(partial(context.ledger.close, key, CallState.REFUSED))
        raise ApiError(
            409,
            "number-taken",
            "another document has this number",
            russian_title="под этим номером зарегистрирована другая доверенность",
        ) from None
    receipt = context.read(Receipt, answer)
    _expect(receipt.number or number, number)
    return attrs.evolve(receipt, number=number)


def revoke(context: Context, application: bytes, signature: bytes) -> Flow[Receipt]:
    """Hand in a signed application to revoke; see `medsign.mchd.revocation`.

    Args:
        application: The XML file, exactly as it was signed by the principal.
        signature: Detached CMS over it: DER, PEM or base64.

    Raises:
        MalformedError: Not an application to revoke.
        ApiError: The registry refused.
        OutcomeUnknown: No answer came, and the registry could not be asked either.
    """
    number = decode_revocation(application).content.application.number
    body, media = upload("poaRevoke", "revoke.xml", application, signature)
    request = context.request("POST", _paths(context).revoke, content=body, content_type=media)

    doubts: list[str] = []

    def known(asking: Context, key: str) -> Flow[Answer | None]:
        doubts.append(key)
        return (yield from _revoked(asking, number))

    def own(asking: Context, _: str) -> Flow[Answer | None]:
        # Without a lost answer before it, the conflict is with somebody else's application.
        return (yield from _revoked(asking, number, within=_PATIENCE)) if doubts else None

    answer = yield from context.create(
        "revoke",
        request,
        _key(number, body),
        kind=Receipt,
        resolve=known,
        reconcile=own,
    )
    return attrs.evolve(context.read(Receipt, answer), number=number)


def transaction(context: Context, transaction_id: str) -> Flow[Transaction]:
    """Return how far a registration or a revocation is.

    Raises:
        UnexpectedAnswer: The answer is about another transaction.
    """
    path = _filled(_paths(context).transaction, transaction=transaction_id)
    answer = yield from context.fetch("transaction", context.request("GET", path))
    told = context.read(Transaction, answer)
    _expect(told.id, transaction_id)
    return told


def status(context: Context, number: str) -> Flow[PublicStatus]:
    """Return what the registry tells about a number.

    Args:
        number: НомДовер in the letter case of the registration: the registry tells cases apart.

    Raises:
        ApiError: 404 when the registry has no such number.
        UnexpectedAnswer: The answer is about another number.
    """
    return (yield from _asked(context, number))[1]


def follow(context: Context, number: str) -> Flow[Tracker]:
    """Ask for the status, write it into the journal and return the tracker with the history.

    A status that is unknown or does not fit is written down as doubtful and moves nothing.
    """
    told = yield from status(context, number)
    return (yield from do(partial(_observed, context, told)))


def chronology(context: Context, requisites: Requisites) -> Flow[Chronology]:
    """Return the history of a power of attorney, with the reasons of a refusal.

    Raises:
        UnexpectedAnswer: The answer is about another number.
    """
    path = _filled(_paths(context).chronology, **_names(requisites))
    answer = yield from context.fetch("chronology", context.request("GET", path))
    history = context.read(ChronologyAnswer, answer).typed()
    _expect(history.number, requisites.number)
    return history


def download(context: Context, requisites: Requisites) -> Flow[PoaPackage]:
    """Return a power of attorney with its signatures as the registry keeps them.

    Raises:
        MalformedError: What came is no such archive; a registry that is not ready sends JSON.
        BudgetExceeded: The archive is too large.
    """
    path = _filled(_paths(context).download, **_names(requisites))
    request = context.request("GET", path, headers={"Accept": "application/zip"})
    answer = yield from context.roomy.fetch("download", request)
    return PoaPackage.from_zip(answer.body)


def settled(
    context: Context, receipt: Receipt, *, every: timedelta = EVERY, within: timedelta = WITHIN
) -> Flow[TransactionState]:
    """Wait until the registry has decided.

    Args:
        receipt: Of a registration or a revocation.
        every: The wait between questions.
        within: How long to wait at most.

    Returns:
        ``SUCCESS`` or ``FAILURE``.

    Raises:
        DeadlineExceeded: There is no decision yet, or its word is not known; ask again later with
            the same receipt.
    """
    deadline = context.clock.monotonic() + within.total_seconds()
    while True:
        decision = yield from _decision(context, receipt)
        if decision is not None:
            return decision
        if context.clock.monotonic() + every.total_seconds() > deadline:
            raise DeadlineExceeded(f"mchd.settled: no decision in {within.total_seconds():g} s")
        yield Wait(every.total_seconds())


def submit_and_wait(
    context: Context,
    document: bytes,
    signature: bytes,
    *,
    every: timedelta = EVERY,
    within: timedelta = WITHIN,
) -> Flow[Registration]:
    """Hand in a signed power of attorney and wait for the decision: `register` and `settled`.

    Returns:
        The state in the registry; when it refused, its reasons.
    """
    poa = decode(document)
    number = poa.terms.number
    receipt = yield from register(context, document, signature)
    decision = yield from settled(context, receipt, every=every, within=within)
    if decision is TransactionState.FAILURE:
        history = yield from _known_history(context, poa)
        return Registration(
            number=number,
            state=POA_STATUS.state(PoaState.REJECTED),
            rejections=history.rejections if history else (),
        )
    if receipt.transaction is None:
        # Now that it is decided, the registry shows whose document it took.
        yield from register(context, document, signature)
    told = yield from status(context, number)
    return Registration(number=number, state=told.state)


def check(
    context: Context,
    package: PoaPackage,
    document: Report,
    verify: Verify,
    *,
    powers: Collection[str] = (),
) -> Flow[RepresentationReport]:
    """Tell whether a document signed by a representative binds his principal (F026).

    A registry that does not answer makes the power of attorney undecided, never good.

    Args:
        package: The power of attorney with its signatures.
        document: The verdict on the signature of the document.
        verify: How to verify a detached signature over a content, with the caller's trust,
            revocation evidence and policy.
        powers: Codes of the classifier, all of which the document needs.

    Raises:
        MalformedError: The file is no power of attorney of the format 003.
    """
    case = yield from do(partial(Representation.of, package, document, verify, powers))
    try:
        told = yield from status(context, case.poa.terms.number)
    except ApiError as error:
        final = error.status != 404 and not may_repeat(error, Repeat.SAFE)
        case = attrs.evolve(
            case, listed=error.status != 404, refused=error.problem if final else ""
        )
    except _NOTHING_LEARNED:
        pass
    else:
        revoked = _code(told.state) == PoaState.REVOKED
        history = (yield from _known_history(context, case.poa)) if revoked else None
        case = attrs.evolve(case, status=told, history=history)
    return judge(case)


def tracker(context: Context, number: str) -> Tracker:
    """Return the tracker of a power of attorney; it reads the journal and asks nobody."""
    return Tracker(
        POA_STATUS, Journal(context.store), number, context.clock, on_change=context.emit
    )


def _paths(context: Context) -> RegistryPaths:
    return context.paths if isinstance(context, RegistryContext) else NODE


def _filled(path: str, **values: str) -> str:
    return path.format(**{name: quote(value, safe="") for name, value in values.items()})


def _names(requisites: Requisites) -> dict[str, str]:
    return {
        "number": requisites.number,
        "issuer": requisites.issuer_inn,
        "representative": requisites.representative_inn,
    }


def _key(number: str, body: bytes) -> str:
    # A corrected document may keep the number of the refused one: that is another call.
    return f"{number}.{hashlib.sha256(body).hexdigest()[:16]}"


def _asked(context: Context, number: str) -> Flow[tuple[Answer, PublicStatus]]:
    path = _filled(_paths(context).status, number=number)
    answer = yield from context.fetch("status", context.request("GET", path))
    told = context.read(PublicStatus, answer)
    _expect(told.number, number)
    return answer, told


def _expect(told: str, asked: str) -> None:
    if told != asked:
        raise UnexpectedAnswer("mchd: the registry answered about another number")


def _changed(
    context: Context, number: str, *states: PoaState, within: timedelta
) -> Flow[tuple[Answer, str]]:
    """Return what is said of a number once it has left the states; the registry takes its time.

    With the answer comes the code of the state, empty for a word that is not known.
    """
    deadline = context.clock.monotonic() + within.total_seconds()
    pause = _SOON
    while True:
        answer, told = yield from _asked(context, number)
        code = _code(told.state)
        if code not in states or context.clock.monotonic() + pause.total_seconds() > deadline:
            return answer, code
        yield Wait(pause.total_seconds())
        pause = min(2 * pause, EVERY)


def _unless_absent(asked: Flow[T]) -> Flow[T | None]:
    try:
        return (yield from asked)
    except ApiError as error:
        if error.status == 404:
            return None
        raise


def _in_doubt(context: Context, key: str) -> bool:
    return any(call.key == key for call in context.ledger.unfinished())


def _revoked(
    context: Context, number: str, *, within: timedelta = timedelta(0)
) -> Flow[Answer | None]:
    """Return what the registry says of a number once it is revoked."""
    in_force = (PoaState.CREATED, PoaState.ACTIVE)
    found = yield from _unless_absent(_changed(context, number, *in_force, within=within))
    return found[0] if found and found[1] == PoaState.REVOKED else None


def _known_history(context: Context, poa: PowerOfAttorney) -> Flow[Chronology | None]:
    try:
        return (yield from chronology(context, Requisites.of(poa)))
    except _NOTHING_LEARNED:
        return None


def _decision(context: Context, receipt: Receipt) -> Flow[TransactionState | None]:
    if receipt.transaction is not None:
        asked = yield from transaction(context, receipt.transaction)
        return _DECISIONS.get(_code(asked.state))
    told = yield from status(context, receipt.number or "")
    code = _code(told.state)
    if code == PoaState.REJECTED:
        return TransactionState.FAILURE
    return None if code in ("", PoaState.PROCESSING) else TransactionState.SUCCESS


def _code(status: Status) -> str:
    return status.code if isinstance(status, State) else ""


def _observed(context: Context, told: PublicStatus) -> Tracker:
    found = tracker(context, told.number)
    found.observe(told.said, who=_REGISTRY, said_at=told.since)
    return found
