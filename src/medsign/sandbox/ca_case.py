"""A request for a certificate in the hands of the УЦ: what it does by itself as time goes by."""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime, timedelta
from typing import Any, Final

import attrs

from medsign.ca.models import (
    REQUIRED_DOCUMENTS,
    Authority,
    CertificateKind,
    CertificateRequest,
    DocumentKind,
    Invoice,
    NewRequest,
    Scenario,
)
from medsign.ca.status import REQUEST_STATUS, CheckState, EsiaState, RequestState
from medsign.ca.subject import certificate_subject, differing
from medsign.codec.asn1 import CertificateRequest as KeyRequest
from medsign.codec.asn1 import decode_request, describe
from medsign.gost import DigestAlgorithm, digest
from medsign.pki.issuing import QUALIFIED, check_request
from medsign.pki.keys import public_key
from medsign.sandbox.pki import Pki, serial
from medsign.sandbox.routing import Problem
from medsign.sandbox.smev import checks_at, finished_at

DOCUMENTS_TIME: Final = timedelta(seconds=10)
ISSUING_TIME: Final = timedelta(seconds=10)
ESIA_TIME: Final = timedelta(minutes=1)
PRICE_KOPECKS: Final = 250_000

_IDENTIFICATION_KINDS = {
    Scenario.AT_CA: 0,
    Scenario.PARTNER: 0,
    Scenario.BY_CERTIFICATE: 1,
    Scenario.EPGU: 3,
}
_UNQUALIFIED = attrs.evolve(QUALIFIED, policies=())


@attrs.frozen(kw_only=True)
class Case:
    """A request with what the УЦ knows beside it.

    Attributes:
        request: As the client sees it.
        new: The data and the key's request.
        owner: Which client of the УЦ it belongs to.
        readable: Documents received, and whether their files can be read.
        until: When the present stage is over by itself, or ``None``.
    """

    request: CertificateRequest
    new: NewRequest = attrs.field(repr=False)
    owner: str
    readable: dict[DocumentKind, bool] = attrs.field(factory=dict[DocumentKind, bool])
    until: datetime | None = None

    @property
    def state(self) -> RequestState:
        """Where it stands."""
        return RequestState(self.request.state)

    def moved(
        self, event: str, at: datetime, *, until: datetime | None = None, **changes: Any
    ) -> Case:
        """Return the case after an event.

        Args:
            event: An event of `REQUEST_STATUS`.
            at: When.
            until: When the new stage is over by itself.
            changes: Fields of the request to change.

        Raises:
            IllegalTransition: The state does not allow the event.
        """
        state = REQUEST_STATUS.apply(self.state, event)
        changes = {"reason": None, **changes}
        request = attrs.evolve(self.request, state=state, changed_at=at, **changes)
        return attrs.evolve(self, request=request, until=until)

    @property
    def is_open(self) -> bool:
        """Whether its key may still get a certificate."""
        state = REQUEST_STATUS.state(self.state)
        return not (state.terminal or state.success)

    def with_request(self, **changes: Any) -> Case:
        """Return the case with fields of the request changed and no event."""
        return attrs.evolve(self, request=attrs.evolve(self.request, **changes))


def opened(new: NewRequest, *, number: str, owner: str, at: datetime) -> Case:
    """Return a new case, or refuse: the key and the data must be those of the request.

    Raises:
        Problem: The key's request is not signed by the key, or names somebody else.
    """
    check_key_request(new)
    required = REQUIRED_DOCUMENTS[new.applicant]
    return Case(
        new=new,
        owner=owner,
        request=CertificateRequest(
            id=number,
            applicant=new.applicant,
            authority=new.applicant.authority,
            state=RequestState.DRAFT,
            created_at=at,
            changed_at=at,
            statement=statement(number, new),
            missing=required,
            checks=checks_at(new, None),
        ),
    )


def statement(number: str, new: NewRequest) -> str:
    """Return the text that identification by certificate signs; it binds the key."""
    hashed = digest(DigestAlgorithm.STREEBOG_256, new.pkcs10).hex()
    return f"Заявление на выпуск сертификата. Заявка {number}. Запрос на сертификат: {hashed}"


def check_key_request(new: NewRequest) -> KeyRequest:
    """Return the key's request, or refuse it.

    Raises:
        Problem: It is not signed by its key, or its subject is not that of the data.
    """
    asked = decode_request(new.pkcs10)
    if not check_request(asked):
        raise Problem(
            422,
            "key-request-invalid",
            "The PKCS#10 is not signed by its own key",
            "Запрос на сертификат не подписан своим ключом",
        )
    if types := differing(asked.subject, certificate_subject(new.applicant, new.subject)):
        listed = ", ".join(map(describe, types))
        raise Problem(
            422,
            "subject-differs",
            f"The subject of the PKCS#10 differs from the data: {listed}",
            f"Запрос на сертификат и данные заявки различаются: {listed}",
        )
    return asked


def received(case: Case, kind: DocumentKind, content: bytes, at: datetime) -> Case:
    """Return the case with a document added or replaced.

    Raises:
        Problem: Documents are not taken in the present state.
    """
    if "submit" not in REQUEST_STATUS.allowed(case.state):
        raise Problem(
            409,
            "documents-closed",
            "Documents are not taken in the present state",
            "На этом этапе документы не принимаются",
        )
    readable = {
        **case.readable,
        kind: content.startswith((b"%PDF-", b"\xff\xd8\xff", b"\x89PNG")),
    }
    documents = tuple(readable)
    missing = tuple(k for k in REQUIRED_DOCUMENTS[case.new.applicant] if k not in readable)
    changed = case.with_request(documents=documents, missing=missing, changed_at=at)
    return attrs.evolve(changed, readable=readable)


def submitted(case: Case, at: datetime) -> Case:
    """Return the case sent to be checked.

    Raises:
        Problem: A required document is missing.
    """
    REQUEST_STATUS.apply(case.state, "submit")
    if case.request.missing:
        codes = ", ".join(case.request.missing)
        labels = ", ".join(kind.label for kind in case.request.missing)
        raise Problem(
            422,
            "document-missing",
            f"Documents missing: {codes}",
            f"Не приложены документы: {labels}",
        )
    return case.moved("submit", at, until=at + DOCUMENTS_TIME, checks=checks_at(case.new, None))


def advanced(case: Case, now: datetime, pki: Pki) -> Case:
    """Return the case as it stands now: the УЦ works while nobody asks."""
    while case.until and now >= case.until:
        case = _step(case, case.until, pki)
    if case.state is RequestState.SMEV_CHECK:
        case = case.with_request(checks=checks_at(case.new, now - case.request.changed_at))
    return case


def _step(case: Case, at: datetime, pki: Pki) -> Case:
    match case.state:
        case RequestState.DOCUMENTS_CHECK if bad := [
            k for k, ok in case.readable.items() if not ok
        ]:
            labels = ", ".join(kind.label for kind in bad)
            return case.moved("return_documents", at, reason=f"Файл не читается: {labels}")
        case RequestState.DOCUMENTS_CHECK:
            return case.moved("accept_documents", at, until=finished_at(case.new, at))
        case RequestState.SMEV_CHECK:
            checks = checks_at(case.new, at - case.request.changed_at)
            if any(check.state != CheckState.PASSED for check in checks):
                return case.moved(
                    "refute_data", at, checks=checks, reason="Сведения не подтверждены в СМЭВ"
                )
            return case.moved("confirm_data", at, checks=checks)
        case RequestState.ISSUING:
            return _issued(case, at, pki)
        case _:  # the certificate is out: what is awaited is ЕСИА
            return attrs.evolve(case.with_request(esia=EsiaState.SUCCEEDED), until=None)


def _issued(case: Case, at: datetime, pki: Pki) -> Case:
    asked = check_key_request(case.new)
    if has_certificate(asked.public_key.octets, pki):
        return case.moved("reject", at, reason="На этот ключ уже выпущен сертификат")
    identification = case.request.identification
    assert identification is not None
    qualified = case.new.certificate is CertificateKind.QUALIFIED
    certificate = pki.issue(
        case.request.authority,
        asked.subject,
        public_key(asked.public_key),
        template=QUALIFIED if qualified else _UNQUALIFIED,
        identification_kind=_IDENTIFICATION_KINDS[identification.scenario],
        request_id=case.request.id,
        owner=case.owner,
        at=at,
    )
    return case.moved(
        "issue",
        at,
        until=at + ESIA_TIME if qualified else None,
        serial_number=serial(certificate),
        esia=EsiaState.VALIDATING if qualified else None,
    )


def has_certificate(key: bytes, pki: Pki) -> bool:
    """Tell whether a key has a certificate in the register, whoever asked for it."""
    return any(issued.certificate.public_key.octets == key for _, issued in pki.issued())


def came(case: Case, at: datetime, *, ways: Container[Scenario]) -> Case:
    """Return the case of an applicant who has done what his way of identification demands.

    Raises:
        Problem: He has chosen none, or another one.
    """
    chosen = case.request.identification
    if chosen is None:
        raise Problem(
            409,
            "identification-not-begun",
            "No way of identification is chosen",
            "Способ идентификации не выбран",
        )
    if chosen.scenario not in ways:
        raise Problem(
            409,
            "identification-differs",
            "Another way of identification is chosen",
            "Выбран другой способ идентификации",
        )
    return identified(case, at)


def identified(case: Case, at: datetime) -> Case:
    """Return the case of an applicant whose identity is confirmed.

    УЦ ФНС issues free of charge; a commercial УЦ sends a bill first.
    """
    assert case.request.identification is not None
    confirmed = attrs.evolve(case.request.identification, confirmed_at=at, instructions=None)
    if case.request.authority is Authority.FNS:
        until = at + ISSUING_TIME
        return case.moved("issue_free", at, until=until, identification=confirmed)
    invoice = Invoice(number=f"СЧ-{case.request.id[:8]}", kopecks=PRICE_KOPECKS, issued_at=at)
    return case.moved("bill", at, identification=confirmed, invoice=invoice)


def paid(case: Case, at: datetime) -> Case:
    """Return the case of a paid bill, with its closing document."""
    issuing = case.moved("pay", at, until=at + ISSUING_TIME)
    assert case.request.invoice is not None  # whoever has to pay, has a bill
    invoice = attrs.evolve(
        case.request.invoice, paid_at=at, closing_document=f"УПД-{case.request.id[:8]}"
    )
    return issuing.with_request(invoice=invoice)
