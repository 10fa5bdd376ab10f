"""The registry of powers of attorney as the sandbox plays it: a node of ФНС's.

What is handed in is really judged: the detached signature over the exact octets, the chain of the
signer's certificate at the world's clock, signer against principal, the document against its
rules. A signature that does not hold is refused at once; what the registers would find is found
after `DELAY`, and told in the chronology.
"""

from __future__ import annotations

import io
import re
import zipfile
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

import attrs

from medsign import mchd
from medsign.ca.models import Authority
from medsign.clock import MOSCOW, first_moment_of, last_moment_of
from medsign.cms import QUALIFIED, Evidence, Report, verify
from medsign.codec import json
from medsign.codec.asn1 import decode_crl, decode_signed_data, to_binary
from medsign.errors import MalformedError
from medsign.mchd.model import Grant, PowerOfAttorney, Principal, Revocability
from medsign.mchd.registry import PublicStatus, Receipt, Requisites, Transaction
from medsign.sandbox.pki import Pki
from medsign.sandbox.routing import JSON_TYPE, Call, Problem, Reply, Route, Service
from medsign.sandbox.shelf import Drawer
from medsign.sandbox.world import World

DELAY = timedelta(seconds=1)
"""How long the registry thinks."""

LOGINS = {"clinic": "clinic-test-password"}
TOKEN_LIFETIME = timedelta(hours=1)
_FORM = "multipart/form-data"
_BELOW = "/poar-webapp/integration/poa"


@attrs.frozen(repr=False)
class Login:
    """A password grant, in the spelling of the registry."""

    username: str
    password: str
    grant_type: str = attrs.field(metadata={"wire": "grant_type"})


@attrs.frozen
class Refusal:
    """A refusal as the registry words it."""

    title: str
    detail: str


@attrs.frozen(kw_only=True)
class Reason:
    """Why a registration was refused."""

    code: str
    text: str


@attrs.frozen(kw_only=True)
class Record:
    """A power of attorney as it was handed in, and what was decided on it."""

    transaction: str
    received: datetime
    issued: date
    valid_until: date
    document: bytes = attrs.field(repr=False)
    signature: bytes = attrs.field(repr=False)
    reasons: tuple[Reason, ...] = ()
    revocation: str | None = None
    revoked: datetime | None = None

    def timeline(self) -> Iterator[tuple[mchd.PoaState, datetime]]:
        """Yield the states from first to last with the instants at which they begin."""
        decided = self.received + DELAY
        yield mchd.PoaState.PROCESSING, self.received
        if self.reasons:
            yield mchd.PoaState.REJECTED, decided
            return
        over = last_moment_of(self.valid_until) + timedelta(microseconds=1)
        days = (decided, first_moment_of(self.issued), over)
        for at in sorted({max(decided, day) for day in days}):
            if self.revoked is None or at < self.revoked:
                yield mchd.state_at(self, at), at
        if self.revoked is not None:
            yield mchd.PoaState.REVOKED, self.revoked


class MchdRegistry(Service):
    """A node of the distributed registry."""

    name: ClassVar[str] = "mchd"
    base: ClassVar[str] = "/mchd"
    title: ClassVar[str] = "Реестр МЧД"
    refusal: ClassVar[type[Any] | None] = Refusal

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._pki = world.part(Pki)

    def routes(self) -> Sequence[Route[Any]]:
        """Return the operations."""
        return (
            Route(
                method="POST",
                path="/vst-oauth2/oauth/token",
                operation="mchd.token",
                handler=self._token,
                accepts=Login,
                public=True,
                refusals=(401,),
                summary="Получить токен по паролю",
            ),
            Route(
                method="GET",
                path=f"{_BELOW}/generate-number",
                operation="mchd.number",
                handler=lambda call: {"poaNumber": call.world.new_id()},
                summary="Получить номер для новой доверенности",
            ),
            Route(
                method="POST",
                path=_BELOW,
                operation="mchd.register",
                handler=self._register,
                accepts=bytes,
                consumes=_FORM,
                returns=Receipt,
                refusals=(400, 409),
                summary="Передать доверенность на регистрацию",
            ),
            Route(
                method="POST",
                path=f"{_BELOW}/revoke",
                operation="mchd.revoke",
                handler=self._revoke,
                accepts=bytes,
                consumes=_FORM,
                returns=Receipt,
                refusals=(400, 404, 409),
                summary="Отозвать доверенность",
            ),
            Route(
                method="GET",
                path=f"{_BELOW}/{{transaction}}/status",
                operation="mchd.transaction",
                handler=self._transaction,
                returns=Transaction,
                refusals=(404,),
                summary="Ход регистрации или отзыва",
            ),
            Route(
                method="GET",
                path=f"{_BELOW}/{{number}}/public",
                operation="mchd.public",
                handler=self._public,
                returns=PublicStatus,
                refusals=(404,),
                summary="Общедоступные сведения о доверенности",
            ),
            Route(
                method="GET",
                path=f"{_BELOW}/chronology",
                operation="mchd.chronology",
                handler=self._chronology,
                refusals=(404,),
                summary="История доверенности",
            ),
            Route(
                method="GET",
                path=f"{_BELOW}/{{number}}/{{issuer}}/zip",
                operation="mchd.download",
                handler=self._download,
                returns=bytes,
                produces="application/zip",
                refusals=(404,),
                summary="Скачать доверенность с подписью",
            ),
        )

    def refuse(self, problem: Problem, request_id: str) -> Reply:  # noqa: ARG002 - not told here
        """Return a refusal as the registry words it: a title and perhaps a detail."""
        said = Refusal(problem.title_ru, problem.detail or problem.title)
        return Reply(
            problem.status, {"Content-Type": JSON_TYPE, **problem.headers}, json.encode(said)
        )

    def about(self) -> Mapping[str, Any]:
        """Return the logins; they open nothing but this sandbox."""
        return {"logins": LOGINS}

    def _records(self) -> Drawer[Record]:
        return self.world.drawer("mchd.records", Record)

    def _numbers(self) -> Drawer[str]:
        return self.world.drawer("mchd.transactions", str)

    def _token(self, call: Call[Login]) -> dict[str, object]:
        login = call.body
        if login.grant_type != "password" or LOGINS.get(login.username) != login.password:
            raise Problem(401, "login-unknown", "Bad credentials", "Неверный логин или пароль")
        token = self.world.tokens.issue(self.name, login.username, lifetime=TOKEN_LIFETIME)
        return {"access_token": token, "expires_in": int(TOKEN_LIFETIME.total_seconds())}

    def _register(self, call: Call[bytes]) -> Receipt:
        form = _Form.of(call)
        document, signature = form.file("poa"), form.signature()
        report = self._verified(document, signature)
        poa = mchd.decode(document)
        number = poa.terms.number
        self._refuse_duplicate(number, document, signature)
        reasons = tuple(self._reasons(form.names["poa"], document, poa, report))
        transaction = self.world.new_id()
        self._numbers().put(transaction, number)
        self._records().put(
            number,
            Record(
                transaction=transaction,
                received=self.world.clock.now(),
                issued=poa.terms.issued,
                valid_until=poa.terms.valid_until,
                document=document,
                signature=signature,
                reasons=reasons,
            ),
        )
        return Receipt(number=number, transaction=transaction)

    def _refuse_duplicate(self, number: str, document: bytes, signature: bytes) -> None:
        there = self._records().get(number)
        if there is None or self._state(there)[0] is mchd.PoaState.REJECTED:
            return
        if there.document != document:
            said = "Номер доверенности уже занят"
        elif there.signature != signature:
            said = "Доверенность уже передана с другой подписью"
        else:
            said = "Доверенность с таким содержанием и подписью уже передана"
        raise Problem(409, "poa-conflict", "The number is taken", said)

    def _revoke(self, call: Call[bytes]) -> Receipt:
        form = _Form.of(call)
        document, signature = form.file("poaRevoke"), form.signature()
        report = self._verified(document, signature)
        application = mchd.decode_revocation(document).content
        number = application.application.number
        record = self._record(number)
        poa = mchd.decode(record.document)
        if self._state(record)[0] not in (mchd.PoaState.CREATED, mchd.PoaState.ACTIVE):
            raise Problem(409, "poa-not-in-force", "Not in force", "Доверенность не действует")
        if record.revocation is not None:
            raise Problem(409, "poa-revoking", "Under way", "Отзыв уже передан")
        if poa.terms.revocability is Revocability.IRREVOCABLE:
            raise Problem(409, "poa-irrevocable", "Irrevocable", "Доверенность безотзывная")
        own = mchd.revocation(poa, application.application.reason).content
        if application.applicant != own.applicant:
            raise Problem(
                400, "applicant-differs", "Not the principal", "Заявитель не является доверителем"
            )
        if not _signed_by(_principals(poa)[:1], report):
            raise Problem(
                400, "signer-differs", "Not the principal", "Заявление подписал не доверитель"
            )
        transaction = self.world.new_id()
        self._numbers().put(transaction, number)
        revoked = self.world.clock.now() + DELAY
        self._records().put(number, attrs.evolve(record, revocation=transaction, revoked=revoked))
        return Receipt(number=number, transaction=transaction)

    def _verified(self, document: bytes, signature: bytes) -> Report:
        try:
            attached = decode_signed_data(signature).content is not None
        except MalformedError:
            attached = True
        if attached:
            raise _bad_signature("нужна открепленная подпись CMS")
        lists = (self._pki.crl(issuer) for issuer in ("root", *Authority))
        report = verify(
            Evidence(
                signature=signature,
                content=document,
                trust=self._pki.trust,
                certificates=self._pki.intermediates,
                crls=tuple(decode_crl(der) for der in lists if der),
                accredited=self._pki.accredited,
            ),
            policy=QUALIFIED,
            at=self.world.clock.now(),
        )
        if not report.passed:
            raise _bad_signature(" ".join(report.explain_trust()))
        return report

    def _reasons(
        self, name: str, document: bytes, poa: PowerOfAttorney, report: Report
    ) -> Iterator[Reason]:
        for finding in mchd.validate(document, file_name=name):
            if finding.severity is mchd.Severity.ERROR:
                yield Reason(code=finding.code, text=f"{finding.message} ({finding.path})")
        if poa.terms.valid_until < self.world.clock.now().astimezone(MOSCOW).date():
            yield Reason(code="dates.expired", text="срок действия доверенности истёк")
        if not _principals(poa):
            yield Reason(code="kind", text="передоверие этот реестр не принимает")
        elif not _signed_by(_principals(poa), report):
            yield Reason(code="signer", text="сертификат подписи не принадлежит доверителю")

    def _transaction(self, call: Call[None]) -> Transaction:
        transaction = call["transaction"]
        record = self._records().get(self._numbers().get(transaction) or "")
        if record is None:
            raise Problem(404, "transaction-unknown", "No such transaction", "Нет такой операции")
        said = mchd.TransactionState.SUCCESS
        if transaction == record.revocation:
            decided = record.revoked
        else:
            decided = record.received + DELAY
            # An earlier registration of the number was refused, or it could not have been repeated.
            if record.reasons or transaction != record.transaction:
                said = mchd.TransactionState.FAILURE
        if decided is None or self.world.clock.now() < decided:
            said = mchd.TransactionState.PENDING
        return Transaction(id=transaction, said=said)

    def _public(self, call: Call[None]) -> PublicStatus:
        record = self._record(call["number"])
        state, since = self._state(record)
        return PublicStatus(
            number=call["number"],
            said=state,
            starts=record.issued.isoformat(),
            ends=record.valid_until.isoformat(),
            changed=since.isoformat(),
            created=record.received.isoformat(),
        )

    def _chronology(self, call: Call[None]) -> dict[str, object]:
        query = call.request.query
        record = self._entrusted(
            query.get("poaNumber", ""),
            query.get("issuerInn", ""),
            query.get("representativeInn", ""),
        )
        changes = [
            {"code": state, "dateTime": at.isoformat(), "txId": record.transaction}
            for state, at in self._so_far(record)
        ]
        refused = changes[-1]["code"] == mchd.PoaState.REJECTED
        return {
            "number": query["poaNumber"],
            "formatVersion": "EMCHD_1",
            "actualStatus": changes[-1],
            "statusHistory": changes,
            "events": [_refusal(record)] if refused else [],
        }

    def _download(self, call: Call[None]) -> bytes | Reply:
        representative = call.request.query.get("representativeInn", "")
        record = self._entrusted(call["number"], call["issuer"], representative)
        if self._state(record)[0] is mchd.PoaState.PROCESSING:
            return Reply.of({"reqStatus": mchd.TransactionState.PENDING})
        name = f"{mchd.decode(record.document).file_id}.xml"
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
            files.writestr(name, record.document)
            files.writestr(f"{name}.sig", b64encode(record.signature))
        return archive.getvalue()

    def _record(self, number: str) -> Record:
        record = self._records().get(number)
        if record is None:
            raise _not_found()
        return record

    def _entrusted(self, number: str, issuer: str, representative: str) -> Record:
        """Return a record to whoever knows all three requisites of it."""
        record = self._record(number)
        asked = Requisites(number=number, issuer_inn=issuer, representative_inn=representative)
        if Requisites.of(mchd.decode(record.document)) != asked:
            raise _not_found()
        return record

    def _so_far(self, record: Record) -> list[tuple[mchd.PoaState, datetime]]:
        now = self.world.clock.now()
        return [change for change in record.timeline() if change[1] <= now]

    def _state(self, record: Record) -> tuple[mchd.PoaState, datetime]:
        return self._so_far(record)[-1]


@attrs.frozen
class _Form:
    """The parts of a multipart form, as octets."""

    parts: dict[str, bytes] = attrs.field(repr=False)
    names: dict[str, str]

    @classmethod
    def of(cls, call: Call[bytes]) -> _Form:
        found = re.search(r'boundary="?([^";]+)', call.request.headers.get("content-type", ""))
        if found is None:
            raise _missing("boundary")
        parts: dict[str, bytes] = {}
        names: dict[str, str] = {}
        for part in (b"\r\n" + call.body).split(b"\r\n--" + found[1].encode())[1:-1]:
            head, _, content = part.partition(b"\r\n\r\n")
            fields = dict(
                re.findall(r'\b(name|filename)="([^"]*)"', head.decode("utf-8", "replace"))
            )
            name = fields.get("name", "")
            parts[name], names[name] = content, fields.get("filename", "")
        return cls(parts, names)

    def file(self, name: str) -> bytes:
        if name not in self.parts:
            raise _missing(name)
        return self.parts[name]

    def signature(self) -> bytes:
        try:
            return to_binary(b64decode(self.file("signature"), validate=True))
        except ValueError:
            raise _bad_signature("нужен base64 в одну строку") from None


def _principals(poa: PowerOfAttorney) -> tuple[Principal, ...]:
    return poa.content.principals if isinstance(poa.content, Grant) else ()


def _signed_by(principals: Sequence[Principal], report: Report) -> bool:
    """Whether each of the principals is among the signers."""
    holders = [signer.holder for signer in report.signers if signer.holder]
    return all(
        any(
            mchd.matches(principal, holder).verdict is mchd.MatchVerdict.MATCHES
            for holder in holders
        )
        for principal in principals
    )


def _refusal(record: Record) -> dict[str, object]:
    errors = [
        {
            "DICTIONARY_CODE": reason.code,
            "IRD_KOFO_NAME": "Песочница",
            "IRD_ERROR_NAME": reason.text,
        }
        for reason in record.reasons
    ]
    return {
        "id": record.transaction,
        "type": "POA_IRD_REJECTED",
        "tx": record.transaction,
        "attributes": {"IRD_ERRORS": errors},
    }


def _missing(part: str) -> Problem:
    return Problem(400, "part-missing", f"No {part}", "Нет части запроса", detail=part)


def _bad_signature(why: str) -> Problem:
    said = "Подпись доверенности недействительна"
    return Problem(400, "signature-invalid", "Invalid signature", said, detail=why)


def _not_found() -> Problem:
    return Problem(404, "poa-not-found", "No such power of attorney", "Доверенность не найдена")
