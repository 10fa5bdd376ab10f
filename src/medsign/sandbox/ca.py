"""The УЦ of the world over HTTP: requests for certificates, certificates, lists.

The authority works by itself as time goes by; what people do (a visit, a payment) a tester does
under ``/ca/office``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, TypeVar

import attrs

from medsign.ca.models import (
    Authority,
    CertificateRequest,
    Correction,
    DocumentKind,
    Identify,
    Installed,
    IssuedCertificate,
    NewRequest,
    Revocation,
    Scenario,
    Upload,
)
from medsign.ca.status import REQUEST_STATUS
from medsign.codec.asn1 import decode_request
from medsign.sandbox.ca_case import (
    Case,
    advanced,
    came,
    check_key_request,
    has_certificate,
    opened,
    paid,
    received,
    statement,
    submitted,
)
from medsign.sandbox.ca_identity import begun
from medsign.sandbox.pki import Issued, Pki
from medsign.sandbox.routing import Call, Problem, Reply, Route, Service
from medsign.sandbox.smev import BAD_DATA, checks_at
from medsign.sandbox.world import World

T = TypeVar("T")
Change = Callable[[Case, datetime], Case]


class CaService(Service):
    """Requests for certificates from first data to installation, and what becomes of them."""

    name: ClassVar[str] = "ca"
    base: ClassVar[str] = "/ca"
    title: ClassVar[str] = "Удостоверяющий центр"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._pki = world.part(Pki)
        self._cases = world.drawer("ca.cases", Case)

    def routes(self) -> Sequence[Route[Any]]:
        """Return the operations."""
        return (*self._request_routes(), *self._certificate_routes(), *self._office_routes())

    def about(self) -> dict[str, Any]:
        """Return the numbers that do not pass the checks through СМЭВ."""
        return {
            "rootUrl": f"{self.world.base_url}{self.base}/aia/root.cer",
            "crlUrls": [f"{self.world.base_url}{self.base}/crl/root.crl"],
            "issuerUrls": [
                f"{self.world.base_url}{self.base}/aia/{authority}.cer" for authority in Authority
            ],
            "badData": {kind.value: list(numbers) for kind, numbers in BAD_DATA.items()},
        }

    def _request_routes(self) -> Iterator[Route[Any]]:
        one = "/requests/{id}"
        yield Route(
            method="POST",
            path="/requests",
            operation="ca.request.create",
            handler=self._create,
            accepts=NewRequest,
            returns=CertificateRequest,
            status=201,
            creating=True,
            summary="Создать заявку на сертификат",
            refusals=(422,),
        )
        yield Route(
            method="GET",
            path="/requests",
            operation="ca.request.list",
            handler=self._list,
            returns=CertificateRequest,
            listing=True,
            summary="Заявки на сертификаты",
        )
        yield Route(
            method="GET",
            path=one,
            operation="ca.request.get",
            handler=self._get,
            returns=CertificateRequest,
            summary="Заявка",
            refusals=(404,),
        )
        yield Route(
            method="PUT",
            path=f"{one}/documents/{{kind}}",
            operation="ca.request.upload",
            handler=self._upload,
            accepts=Upload,
            returns=CertificateRequest,
            summary="Приложить документ",
            refusals=(404, 409),
        )
        yield Route(
            method="PUT",
            path=f"{one}/data",
            operation="ca.request.correct",
            handler=self._correct,
            accepts=Correction,
            returns=CertificateRequest,
            summary="Исправить сведения",
            refusals=(404, 409, 422),
        )
        yield Route(
            method="POST",
            path=f"{one}/submission",
            operation="ca.request.submit",
            handler=self._submit,
            returns=CertificateRequest,
            creating=True,
            summary="Отправить на проверку",
            refusals=(404, 422),
        )
        yield Route(
            method="POST",
            path=f"{one}/identification",
            operation="ca.request.identify",
            handler=self._identify,
            accepts=Identify,
            returns=CertificateRequest,
            creating=True,
            summary="Выбрать способ идентификации",
            refusals=(404, 422),
        )
        yield Route(
            method="GET",
            path=f"{one}/certificate",
            operation="ca.request.certificate",
            handler=self._download,
            returns=bytes,
            produces="application/pkix-cert",
            summary="Выпущенный сертификат",
            refusals=(404, 409),
        )
        yield Route(
            method="POST",
            path=f"{one}/installation",
            operation="ca.request.install",
            handler=self._install,
            accepts=Installed,
            returns=CertificateRequest,
            creating=True,
            summary="Подтвердить установку",
            refusals=(404,),
        )
        yield Route(
            method="POST",
            path=f"{one}/cancellation",
            operation="ca.request.cancel",
            handler=self._cancel,
            returns=CertificateRequest,
            creating=True,
            summary="Отменить заявку",
            refusals=(404,),
        )

    def _certificate_routes(self) -> Iterator[Route[Any]]:
        one = "/certificates/{serial}"
        yield Route(
            method="GET",
            path="/certificates",
            operation="ca.certificate.list",
            handler=self._certificates,
            returns=IssuedCertificate,
            listing=True,
            summary="Выпущенные сертификаты",
        )
        yield Route(
            method="GET",
            path=one,
            operation="ca.certificate.get",
            handler=self._certificate,
            returns=IssuedCertificate,
            summary="Сертификат",
            refusals=(404,),
        )
        yield Route(
            method="POST",
            path=f"{one}/revocation",
            operation="ca.certificate.revoke",
            handler=self._revoke,
            accepts=Revocation,
            returns=IssuedCertificate,
            creating=True,
            summary="Отозвать сертификат",
            refusals=(404,),
        )
        yield Route(
            method="POST",
            path=f"{one}/hold",
            operation="ca.certificate.hold",
            handler=self._hold,
            returns=IssuedCertificate,
            creating=True,
            summary="Приостановить сертификат",
            refusals=(404,),
        )
        yield Route(
            method="POST",
            path=f"{one}/release",
            operation="ca.certificate.unhold",
            handler=self._unhold,
            returns=IssuedCertificate,
            creating=True,
            summary="Возобновить сертификат",
            refusals=(404,),
        )
        yield Route(
            method="GET",
            path="/crl/{issuer}.crl",
            operation="ca.crl",
            handler=self._crl,
            returns=bytes,
            produces="application/pkix-crl",
            public=True,
            summary="Список отозванных сертификатов",
            refusals=(404,),
        )
        yield Route(
            method="GET",
            path="/aia/{issuer}.cer",
            operation="ca.issuer",
            handler=self._issuer,
            returns=bytes,
            produces="application/pkix-cert",
            public=True,
            summary="Сертификат издателя",
            refusals=(404,),
        )

    def _office_routes(self) -> Iterator[Route[Any]]:
        yield Route(
            method="POST",
            path="/office/requests/{id}/visit",
            operation="ca.office.visit",
            handler=self._visit,
            returns=CertificateRequest,
            public=True,
            summary="Заявитель пришёл и предъявил паспорт",
            refusals=(404, 409),
        )
        yield Route(
            method="POST",
            path="/office/requests/{id}/epgu",
            operation="ca.office.epgu",
            handler=self._confirm,
            returns=CertificateRequest,
            public=True,
            summary="Заявитель подтвердил личность на Госуслугах",
            refusals=(404, 409),
        )
        yield Route(
            method="POST",
            path="/office/requests/{id}/payment",
            operation="ca.office.payment",
            handler=self._pay,
            returns=CertificateRequest,
            public=True,
            summary="Счёт оплачен",
            refusals=(404, 409),
        )
        yield Route(
            method="POST",
            path="/office/requests/{id}/rejection",
            operation="ca.office.reject",
            handler=self._reject,
            returns=CertificateRequest,
            public=True,
            summary="Оператор отклонил заявку",
            refusals=(404, 409),
        )

    def _create(self, call: Call[NewRequest]) -> CertificateRequest:
        number = self.world.new_id()
        self._refuse_used_key(call.body.pkcs10, number)
        case = opened(call.body, number=number, owner=call.caller, at=self.world.clock.now())
        self._cases.put(number, case)
        return case.request

    def _list(self, call: Call[None]) -> Iterator[tuple[str, CertificateRequest]]:
        for number, case in self._cases.items():
            if case.owner == call.caller:
                yield number, self._now(case).request

    def _get(self, call: Call[None]) -> CertificateRequest:
        return self._change(call, lambda case, _: case)

    def _upload(self, call: Call[Upload]) -> CertificateRequest:
        try:
            kind = DocumentKind(call["kind"])
        except ValueError:
            raise Problem(
                404, "document-kind-unknown", "No such kind of document", "Нет такого документа"
            ) from None
        return self._change(call, lambda case, at: received(case, kind, call.body.content, at))

    def _correct(self, call: Call[Correction]) -> CertificateRequest:
        def corrected(case: Case, at: datetime) -> Case:
            REQUEST_STATUS.apply(case.state, "submit")
            new = attrs.evolve(case.new, subject=call.body.subject, pkcs10=call.body.pkcs10)
            check_key_request(new)
            self._refuse_used_key(new.pkcs10, case.request.id)
            return attrs.evolve(
                case.with_request(
                    statement=statement(case.request.id, new),
                    checks=checks_at(new, None),
                    changed_at=at,
                ),
                new=new,
            )

        return self._change(call, corrected)

    def _submit(self, call: Call[None]) -> CertificateRequest:
        return self._change(call, submitted)

    def _identify(self, call: Call[Identify]) -> CertificateRequest:
        return self._change(call, lambda case, at: begun(case, call.body, at, self._pki))

    def _download(self, call: Call[None]) -> bytes:
        request = self._get(call)
        issued = self._pki.find(request.serial_number or "")
        if issued is None:
            raise Problem(
                409,
                "certificate-not-ready",
                "The certificate is not issued yet",
                "Сертификат ещё не выпущен",
            )
        return issued.der

    def _install(self, call: Call[Installed]) -> CertificateRequest:
        def installed(case: Case, at: datetime) -> Case:
            return case.moved("install", at, until=case.until)

        return self._change(call, installed)

    def _cancel(self, call: Call[None]) -> CertificateRequest:
        return self._change(call, lambda case, at: case.moved("cancel", at))

    def _visit(self, call: Call[None]) -> CertificateRequest:
        return self._change(call, partial(came, ways={Scenario.AT_CA, Scenario.PARTNER}))

    def _confirm(self, call: Call[None]) -> CertificateRequest:
        return self._change(call, partial(came, ways={Scenario.EPGU}))

    def _pay(self, call: Call[None]) -> CertificateRequest:
        return self._change(call, paid)

    def _reject(self, call: Call[None]) -> CertificateRequest:
        return self._change(
            call, lambda case, at: case.moved("reject", at, reason="Отклонено оператором")
        )

    def _certificates(self, call: Call[None]) -> Iterator[tuple[str, IssuedCertificate]]:
        for number, issued in self._pki.issued():
            if issued.owner == call.caller:
                yield number, self._card(number, issued)

    def _certificate(self, call: Call[None]) -> IssuedCertificate:
        return self._card(call["serial"], self._own(call))

    def _revoke(self, call: Call[Revocation]) -> IssuedCertificate:
        return self._changed(call, "revoke", call.body.reason.value)

    def _hold(self, call: Call[None]) -> IssuedCertificate:
        return self._changed(call, "hold", "certificateHold")

    def _unhold(self, call: Call[None]) -> IssuedCertificate:
        return self._changed(call, "unhold")

    def _crl(self, call: Call[None]) -> Reply:
        return self._file(self._pki.crl(call["issuer"]), "application/pkix-crl")

    def _issuer(self, call: Call[None]) -> Reply:
        return self._file(self._pki.certificate_of(call["issuer"]), "application/pkix-cert")

    def _file(self, content: bytes | None, media: str) -> Reply:
        if content is None:
            raise Problem(404, "issuer-not-found", "No such authority", "Нет такого издателя")
        return Reply.of(content, media=media)

    def _now(self, case: Case) -> Case:
        """Return a case as it stands now, and keep it: a certificate is issued once."""
        now = advanced(case, self.world.clock.now(), self._pki)
        if now != case:
            self._cases.put(now.request.id, now)
        return now

    def _refuse_used_key(self, pkcs10: bytes, number: str) -> None:
        """Refuse a key that has a certificate, or that another open request asks one for."""
        key = decode_request(pkcs10).public_key.octets
        if has_certificate(key, self._pki):
            raise Problem(
                422,
                "key-reused",
                "The key already has a certificate",
                "На этот ключ уже выпущен сертификат",
            )
        if any(
            case.is_open and decode_request(case.new.pkcs10).public_key.octets == key
            for other, case in self._cases.items()
            if other != number
        ):
            raise Problem(
                422,
                "key-in-use",
                "Another open request has this key",
                "С этим ключом уже подана другая заявка",
            )

    def _change(self, call: Call[T], change: Change) -> CertificateRequest:
        case = self._cases.get(call["id"])
        public = call.request.path.startswith(f"{self.base}/office/")
        if case is None or not (public or case.owner == call.caller):
            raise Problem(404, "request-not-found", "No such request", "Заявка не найдена")
        case = change(self._now(case), self.world.clock.now())
        self._cases.put(case.request.id, case)
        return case.request

    def _own(self, call: Call[T]) -> Issued:
        issued = self._pki.find(call["serial"])
        if issued is None or issued.owner != call.caller:
            raise Problem(
                404, "certificate-not-found", "No such certificate", "Сертификат не найден"
            )
        return issued

    def _changed(self, call: Call[T], event: str, reason: str | None = None) -> IssuedCertificate:
        self._own(call)
        return self._card(call["serial"], self._pki.change(call["serial"], event, reason))

    def _card(self, number: str, issued: Issued) -> IssuedCertificate:
        certificate = issued.certificate
        return IssuedCertificate(
            serial_number=number,
            authority=issued.authority,
            request_id=issued.request_id,
            state=issued.state_at(self.world.clock.now()),
            not_before=certificate.not_before,
            not_after=certificate.not_after,
            revoked_at=issued.changed_at,
        )
