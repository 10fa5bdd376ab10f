"""СЭП as the sandbox plays it: the МИС on one side, the patient's browser on the other.

The patient really has to open the link, press «Подписать» and enter the code that the outbox of
the world holds. Wrong codes are counted, links and codes grow old.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar

import attrs

from medsign.ca.models import Authority
from medsign.cms import sign
from medsign.codec import json
from medsign.errors import MalformedError
from medsign.gost import DigestAlgorithm, digest
from medsign.pki.keys import private_key_info
from medsign.sandbox import sep_pages as pages
from medsign.sandbox.paper import text_of, with_pages
from medsign.sandbox.pki import Pki
from medsign.sandbox.routing import Call, Problem, Reply, Route, Service
from medsign.sandbox.shelf import Drawer
from medsign.sandbox.world import World
from medsign.sep import (
    CHANNELS,
    SEP_STATUS,
    Document,
    DocumentRow,
    DocumentState,
    Evidence,
    Package,
    SignedDocument,
    check,
)
from medsign.sep.operations import ORGANIZATION
from medsign.signers import SoftwareSigner, load_signer

CLINIC_ID = "sandbox-clinic-1"
LINK_LIFETIME = timedelta(days=3)
CODE_LIFETIME = timedelta(minutes=5)
ATTEMPTS = 3
"""Wrong entries after which a code is void."""
CODES = 5
"""Codes that one link may send."""


@attrs.frozen(kw_only=True)
class Code:
    """An additional code that went to the signer."""

    id: str
    digits: str = attrs.field(repr=False)
    sent_at: datetime
    wrong: int = 0


@attrs.frozen(kw_only=True)
class Link:
    """The signer's way to a document."""

    token: str = attrs.field(repr=False)
    sent_at: datetime
    opened_at: datetime | None = None
    codes: int = 0
    code: Code | None = None


@attrs.frozen(kw_only=True)
class Record:
    """A document in СЭП."""

    organization: str
    package: Package
    row: DocumentRow
    link: Link | None = None
    outcome: SignedDocument | None = None

    @property
    def document(self) -> Document:
        """The one document of the package."""
        return self.package.documents[0]


_Step = Callable[[Record, Link, Call[None]], Reply]


@attrs.frozen(kw_only=True)
class _Key:
    key: bytes = attrs.field(repr=False)
    certificate: bytes


class SepService(Service):
    """Remote signing by patients.

    Args:
        world: What it lives in.
        dispatch_on_poll: Whether the link goes out at the first «Получить», as the source may be
            read; otherwise right after «Отправить».
    """

    name: ClassVar[str] = "sep"
    base: ClassVar[str] = "/sep/api"
    title: ClassVar[str] = "СЭП: подписание документов пациентами"
    scheme: ClassVar[str] = "N3"

    def __init__(self, world: World, *, dispatch_on_poll: bool = True) -> None:
        super().__init__(world)
        self._dispatch_on_poll = dispatch_on_poll
        self._pki = world.part(Pki)

    @property
    def records(self) -> Drawer[Record]:
        """Documents by number."""
        return self.world.drawer("sep.documents", Record)

    @property
    def _links(self) -> Drawer[str]:
        return self.world.drawer("sep.links", str)

    def about(self) -> Mapping[str, Any]:
        """Return the identifier of the МО."""
        return {"organization": CLINIC_ID}

    def routes(self) -> Sequence[Route[Any]]:
        """Return the operations."""
        page = partial(Route[None], public=True, produces=pages.HTML, refusals=(404, 410))
        return (
            Route(
                method="POST",
                path="/documents",
                operation="sep.document.send",
                handler=self._accept,
                accepts=Package,
                returns=DocumentRow,
                status=201,
                creating=True,
                summary="Отправить документ на подпись",
                refusals=(403, 409, 422),
            ),
            Route(
                method="GET",
                path="/documents",
                operation="sep.document.list",
                handler=self._list,
                returns=DocumentRow,
                listing=True,
                summary="Документы МО",
            ),
            Route(
                method="GET",
                path="/documents/{number}",
                operation="sep.document.status",
                handler=self._status,
                returns=DocumentRow,
                summary="Получить статус документа",
                refusals=(404,),
            ),
            Route(
                method="GET",
                path="/documents/{number}/signed",
                operation="sep.document.signed",
                handler=self._signed,
                returns=SignedDocument,
                summary="Подписанный документ",
                refusals=(404, 409),
            ),
            page(
                method="GET",
                path="/sign/{token}",
                operation="sep.patient.open",
                handler=partial(self._visit, self._open),
                summary="Страница пациента: текст документа",
            ),
            page(
                method="POST",
                path="/sign/{token}",
                operation="sep.patient.sign",
                handler=partial(self._visit, self._send_code),
                summary="Страница пациента: «Подписать»",
            ),
            page(
                method="POST",
                path="/sign/{token}/code",
                operation="sep.patient.confirm",
                handler=partial(self._visit, self._confirm),
                summary="Страница пациента: код подтверждения",
            ),
            Route(
                method="GET",
                path="/sign/{token}/document.pdf",
                operation="sep.patient.document",
                handler=partial(self._visit, self._document),
                public=True,
                produces="application/pdf",
                summary="Страница пациента: документ",
                refusals=(404, 410),
            ),
        )

    # --- the МИС's side

    def _organization(self, call: Call[Any]) -> str:
        claimed = call.request.headers.get(ORGANIZATION.lower(), "")
        if claimed != CLINIC_ID:
            raise Problem(
                403, "organization-unknown", "Unknown organisation", "Идентификатор МО неизвестен"
            )
        return claimed

    def _accept(self, call: Call[Package]) -> DocumentRow:
        organization, package = self._organization(call), call.body
        now = self.world.clock.now()
        if len(package.documents) != 1:
            raise Problem(
                422, "one-document", "Send one document at a time", "Нужен ровно один документ"
            )
        document = package.documents[0]
        check(package, document, now, adult=0)  # who may sign alone, the clinic decides
        if package.channel not in CHANNELS:
            raise Problem(422, "channel-unknown", "Unknown channel", "Канал не подключён")
        try:
            text_of(document.pdf)
            with_pages(document.pdf, [""])
        except MalformedError:
            raise Problem(
                422, "document-not-pdf", "The document is no sound PDF", "Файл PDF повреждён"
            ) from None
        origin = f"{organization}\n{package.id}\n{document.id}"
        sent = self.world.drawer("sep.sent", str)
        if sent.get(origin):
            raise Problem(409, "document-exists", "Sent before", "Документ уже отправлен")
        row = DocumentRow(
            number=self.world.new_id(),
            document=document.id,
            package=package.id,
            name=document.name,
            status=SEP_STATUS.state(DocumentState.CREATED).label,
            added_at=document.added_at,
            sent_at=now,
        )
        record = Record(organization=organization, package=package, row=row)
        self.records.put(row.number, record)
        sent.put(origin, row.number)
        if not self._dispatch_on_poll:
            self._dispatch(record)
        return row

    def _list(self, call: Call[None]) -> Iterator[tuple[str, DocumentRow]]:
        organization, package = self._organization(call), call.request.query.get("package")
        return (
            (number, record.row)
            for number, record in self.records.items()
            if record.organization == organization and package in {None, record.package.id}
        )

    def _status(self, call: Call[None]) -> DocumentRow:
        record = self._find(call)
        if record.link is None:
            record = self._dispatch(record)
        return record.row

    def _signed(self, call: Call[None]) -> SignedDocument:
        outcome = self._find(call).outcome
        if outcome is None:
            raise Problem(409, "document-not-signed", "Not signed yet", "Документ ещё не подписан")
        return outcome

    def _find(self, call: Call[None]) -> Record:
        organization = self._organization(call)
        record = self.records.get(call["number"])
        if record is None or record.organization != organization:
            raise Problem(404, "document-not-found", "No such document", "Документ не найден")
        return record

    def _dispatch(self, record: Record) -> Record:
        link = Link(token=self.world.entropy(24).hex(), sent_at=self.world.clock.now())
        self._links.put(link.token, record.row.number)
        address = self.world.base_url + self._address(link)
        self._tell(record, f"Вам направлен документ на подпись: {address}")
        return self._keep(
            attrs.evolve(record, row=_moved(record.row, DocumentState.DISPATCHED), link=link)
        )

    def _tell(self, record: Record, text: str) -> None:
        phone = record.package.recipient.phone
        assert phone is not None  # `check` has refused packages without one
        self.world.send(record.package.channel, phone.value, text)

    def _keep(self, record: Record) -> Record:
        self.records.put(record.row.number, record)
        return record

    # --- the patient's side; a page is never a `Problem`, for a refusal must keep the count

    def _visit(self, step: _Step, call: Call[None]) -> Reply:
        number = self._links.get(call["token"])
        record = self.records.get(number) if number else None
        if record is None or record.link is None:
            return pages.unknown_link()
        if record.outcome is None and self._older(record.link.sent_at, LINK_LIFETIME):
            return pages.old_link()
        return step(record, record.link, call)

    def _open(self, record: Record, link: Link, _: Call[None]) -> Reply:
        if record.outcome:
            return self._done(record, record.outcome, link)
        opened = link.opened_at or self.world.clock.now()
        self._keep(attrs.evolve(record, link=attrs.evolve(link, opened_at=opened)))
        return pages.document(self._address(link), record.row.name, record.document.pdf)

    def _document(self, record: Record, _: Link, __: Call[None]) -> Reply:
        content = record.outcome.content if record.outcome else record.document.pdf
        return Reply.of(content, media="application/pdf")

    def _send_code(self, record: Record, link: Link, call: Call[None]) -> Reply:
        # Nobody signs what was not shown, and nobody signs twice.
        if record.outcome or link.opened_at is None:
            return self._open(record, link, call)
        if link.codes >= CODES:
            return pages.too_many_codes()
        code = Code(
            id=self.world.new_id(),
            digits=self.world.new_code(),
            sent_at=self.world.clock.now(),
        )
        self._tell(record, f"Код для подписания документа: {code.digits}")
        link = attrs.evolve(link, code=code, codes=link.codes + 1)
        self._keep(attrs.evolve(record, link=link))
        return pages.code(self._address(link), "Мы отправили вам код подтверждения.")

    def _confirm(self, record: Record, link: Link, call: Call[None]) -> Reply:
        code, address = link.code, self._address(link)
        if record.outcome:
            return self._done(record, record.outcome, link)
        if code is None or link.opened_at is None:
            return pages.no_code(address, "Сначала запросите код.")
        if code.wrong < ATTEMPTS and not self._older(code.sent_at, CODE_LIFETIME):
            entered = call.request.form().get("code", "").strip()
            if hmac.compare_digest(entered.encode(), code.digits.encode()):
                return self._done(record, self._sign(record, link.opened_at, code), link)
            code = attrs.evolve(code, wrong=code.wrong + 1)
            self._keep(attrs.evolve(record, link=attrs.evolve(link, code=code)))
            if left := ATTEMPTS - code.wrong:
                return pages.code(
                    address,
                    f"Неверный код. Осталось попыток: {left}.",
                    HTTPStatus.UNPROCESSABLE_ENTITY,
                )
        return pages.no_code(address, "Код больше не действует, запросите новый.")

    def _done(self, record: Record, outcome: SignedDocument, link: Link) -> Reply:
        return pages.signed(self._address(link), record.row.name, outcome)

    def _address(self, link: Link) -> str:
        return f"{self.base}/sign/{link.token}"

    def _older(self, moment: datetime, lifetime: timedelta) -> bool:
        return self.world.clock.now() >= moment + lifetime

    def _sign(self, record: Record, opened_at: datetime, code: Code) -> SignedDocument:
        now, original = self.world.clock.now(), record.document.pdf
        evidence = Evidence(
            document_digest=digest(DigestAlgorithm.STREEBOG_256, original).hex(),
            signer="representative" if record.package.representative else "patient",
            channel=record.package.channel,
            opened_at=opened_at,
            code_sent_at=code.sent_at,
            code_id=code.id,
            signed_at=now,
        )
        stamp = pages.stamp(record.package, evidence)
        content = with_pages(original, stamp, {"evidence.json": json.encode(evidence)})
        signature = sign(content, self._operator(), at=now, chain=self._pki.intermediates)
        outcome = SignedDocument(content=content, signature=signature, evidence=evidence)
        row = attrs.evolve(_moved(record.row, DocumentState.SIGNED), signed_at=now)
        self._keep(attrs.evolve(record, row=row, outcome=outcome))
        return outcome

    def _operator(self) -> SoftwareSigner:
        drawer = self.world.drawer("sep.operator", _Key)
        held = drawer.get("key")
        signer = load_signer(held.key, held.certificate) if held else None
        if signer is None or signer.certificate.not_after <= self.world.clock.now():
            signer = self._pki.enrol(
                Authority.COMMERCIAL,
                organization="Оператор СЭП (тестовый)",
                inn_legal="9999000052",
                ogrn="9999999999946",
                region="78 г. Санкт-Петербург",
                locality="Санкт-Петербург",
            )
            key = private_key_info(signer.key)
            drawer.put("key", _Key(key=key, certificate=signer.certificate.der))
        return signer


def _moved(row: DocumentRow, state: DocumentState) -> DocumentRow:
    return attrs.evolve(row, status=SEP_STATUS.state(state).label)
