"""The web portal of КриптоПро УЦ 2.0: a registration desk before the commercial УЦ of the world.

Folder ``qualified`` issues for УКЭП, ``unqualified`` for УНЭП. The operator accepts by himself
after a while; a tester may reject under ``/ui/office``.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, ClassVar, Final

import attrs

from medsign.ca.cryptopro import (
    PORTAL_STATUS,
    KeyRequest,
    KeyRequestAnswer,
    NameField,
    NameFields,
    NewUser,
    PortalState,
    Profile,
    Registration,
    RegistrationAnswer,
    StatusChange,
    name_problems,
)
from medsign.ca.models import Authority
from medsign.ca.subject import differing
from medsign.codec.asn1 import decode_request, describe, make_name, oids
from medsign.pki.issuing import QUALIFIED, check_request
from medsign.pki.keys import public_key
from medsign.sandbox.ca_case import has_certificate
from medsign.sandbox.pki import Pki, serial
from medsign.sandbox.routing import Call, Problem, Route, Service
from medsign.sandbox.world import World

STEP: Final = timedelta(seconds=10)
"""How long each stage takes."""

FOLDERS = MappingProxyType(
    {"qualified": QUALIFIED, "unqualified": attrs.evolve(QUALIFIED, policies=())}
)

FIELDS = (
    NameField(oid=oids.SURNAME, name="SN", localized_name="Фамилия", required=True),
    NameField(oid=oids.GIVEN_NAME, name="G", localized_name="Имя и отчество", required=True),
    NameField(oid=oids.COMMON_NAME, name="CN", localized_name="Общее имя", required=True),
    NameField(oid=oids.SNILS, name="SNILS", localized_name="СНИЛС", required=True),
    NameField(oid=oids.INN, name="INN", localized_name="ИНН", required=True),
    NameField(
        oid=oids.COUNTRY, name="C", localized_name="Страна", default="RU", fixed=True, required=True
    ),
    NameField(
        oid=oids.STATE,
        name="S",
        localized_name="Регион",
        values=("78 г. Санкт-Петербург", "47 Ленинградская область"),
        only_listed=True,
    ),
    NameField(oid=oids.EMAIL, name="E", localized_name="Электронная почта"),
)


@attrs.frozen(kw_only=True)
class _User:
    folder: str
    attributes: dict[str, str] = attrs.field(repr=False)
    registered_at: datetime


@attrs.frozen(kw_only=True)
class _Sent:
    """A request of a key; `state` is the one at `since`, from where time moves it on."""

    user: str
    pkcs10: bytes = attrs.field(repr=False)
    state: PortalState = PortalState.QUEUED
    since: datetime
    serial_number: str | None = None

    @property
    def key(self) -> bytes:
        return decode_request(self.pkcs10).public_key.octets


_NEXT = {
    PortalState.QUEUED: "accept",
    PortalState.ACCEPTED: "send",
    PortalState.PENDING: "complete",
}


class CryptoProService(Service):
    """Registration of users and requests of their keys."""

    name: ClassVar[str] = "cryptopro"
    base: ClassVar[str] = "/ui"
    title: ClassVar[str] = "Портал КриптоПро УЦ 2.0"
    scheme: ClassVar[str] = "Basic"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._pki = world.part(Pki)
        self._users = world.drawer("cryptopro.users", _User)
        self._requests = world.drawer("cryptopro.requests", _Sent)

    def routes(self) -> Sequence[Route[Any]]:
        """Return the operations."""
        one = "/api/certrequest/{id}"
        return (
            Route(
                method="GET",
                path="/api/{folder}/userattr",
                operation="cryptopro.fields",
                handler=self._fields,
                returns=NameFields,
                public=True,
                refusals=(404,),
                summary="Поля имени пользователя",
            ),
            Route(
                method="POST",
                path="/api/{folder}/regrequest",
                operation="cryptopro.register",
                handler=self._register,
                accepts=NewUser,
                returns=RegistrationAnswer,
                public=True,
                refusals=(404, 422),
                summary="Зарегистрировать пользователя",
            ),
            Route(
                method="GET",
                path="/api/{folder}/regrequest",
                operation="cryptopro.registration",
                handler=self._registration,
                returns=RegistrationAnswer,
                summary="Состояние регистрации",
            ),
            Route(
                method="GET",
                path="/api/regrequest/profile",
                operation="cryptopro.profile",
                handler=self._profile,
                returns=Profile,
                summary="Имя пользователя",
            ),
            Route(
                method="GET",
                path="/api/{folder}/certtemplate",
                operation="cryptopro.templates",
                handler=self._templates,
                summary="Шаблоны сертификатов",
            ),
            Route(
                method="POST",
                path="/api/certrequest",
                operation="cryptopro.request.send",
                handler=self._send,
                accepts=bytes,
                consumes="application/octet-stream",
                returns=KeyRequestAnswer,
                refusals=(409, 422),
                summary="Запросить сертификат",
            ),
            Route(
                method="GET",
                path=one,
                operation="cryptopro.request.get",
                handler=self._get,
                returns=KeyRequestAnswer,
                refusals=(404,),
                summary="Состояние запроса",
            ),
            Route(
                method="GET",
                path=f"{one}/rawcert",
                operation="cryptopro.request.certificate",
                handler=self._rawcert,
                produces="application/octet-stream",
                returns=bytes,
                refusals=(404, 409),
                summary="Сертификат",
            ),
            Route(
                method="POST",
                path=one,
                operation="cryptopro.request.acknowledge",
                handler=self._acknowledge,
                accepts=StatusChange,
                returns=KeyRequestAnswer,
                refusals=(404, 409, 422),
                summary="Подтвердить установку",
            ),
            Route(
                method="POST",
                path="/office/certrequest/{id}/rejection",
                operation="cryptopro.office.reject",
                handler=self._reject,
                public=True,
                returns=KeyRequestAnswer,
                refusals=(404, 409),
                summary="Оператор отклонил запрос",
            ),
        )

    def _fields(self, call: Call[None]) -> NameFields:
        self._folder(call["folder"])
        return NameFields(fields=FIELDS)

    def _register(self, call: Call[NewUser]) -> RegistrationAnswer:
        self._folder(call["folder"])
        values = {oid: value for pair in call.body.attributes for oid, value in pair.items()}
        if problems := tuple(name_problems(FIELDS, values)):
            titles = {field.oid: field.localized_name for field in FIELDS}
            listed = "; ".join(f"{titles.get(oid, oid)}: {why}" for oid, why in problems)
            raise Problem(
                422,
                "attribute-invalid",
                "Attributes of the name break the rules of the folder",
                f"Имя не соответствует правилам папки. {listed}",
            )
        number, token, password = self.world.new_id(), self.world.new_code(8), self.world.new_id()
        user = _User(folder=call["folder"], attributes=values, registered_at=self.world.clock.now())
        self._users.put(number, user)
        credentials = base64.b64encode(f"{token}:{password}".encode()).decode()
        self.world.tokens.issue(self.name, number, token=credentials)
        return RegistrationAnswer(
            Registration(id=number, state=PortalState.QUEUED, token=token, password=password)
        )

    def _registration(self, call: Call[None]) -> RegistrationAnswer:
        return RegistrationAnswer(
            Registration(id=call.caller, state=self._registration_state(self._user(call)))
        )

    def _profile(self, call: Call[None]) -> Profile:
        return Profile(tuple({oid: value} for oid, value in self._user(call).attributes.items()))

    def _templates(self, call: Call[None]) -> dict[str, Any]:
        template = self._folder(call["folder"])
        return {"Template": [{"Name": call["folder"], "ExtendedKeyUsage": list(template.purposes)}]}

    def _send(self, call: Call[bytes]) -> KeyRequestAnswer:
        user = self._user(call)
        if self._registration_state(user) is PortalState.QUEUED:
            raise Problem(
                409,
                "registration-queued",
                "The registration is not accepted yet",
                "Регистрация ещё не принята оператором",
            )
        asked = decode_request(call.body)
        if not check_request(asked):
            raise Problem(
                422,
                "key-request-invalid",
                "The PKCS#10 is not signed by its own key",
                "Запрос на сертификат не подписан своим ключом",
            )
        if types := differing(asked.subject, make_name(user.attributes.items())):
            listed = ", ".join(map(describe, types))
            raise Problem(
                422,
                "subject-differs",
                f"The subject differs from the profile: {listed}",
                f"Имя в запросе отличается от профиля: {listed}",
            )
        self._refuse_used_key(asked.public_key.octets)
        number = self.world.new_id()
        sent = _Sent(user=call.caller, pkcs10=call.body, since=self.world.clock.now())
        self._requests.put(number, sent)
        return _answer(number, sent)

    def _get(self, call: Call[None]) -> KeyRequestAnswer:
        return _answer(call["id"], self._own(call))

    def _rawcert(self, call: Call[None]) -> bytes:
        issued = self._pki.find(self._own(call).serial_number or "")
        if issued is None:
            raise Problem(
                409,
                "certificate-not-ready",
                "The certificate is not issued yet",
                "Сертификат ещё не выпущен",
            )
        return issued.der

    def _acknowledge(self, call: Call[StatusChange]) -> KeyRequestAnswer:
        if call.body.state != PortalState.ACKNOWLEDGED:
            raise Problem(422, "status-invalid", "Only K may be set", "Можно установить только K")
        sent = self._own(call)
        if sent.state is not PortalState.ACKNOWLEDGED:
            sent = self._moved(call["id"], sent, "acknowledge", self.world.clock.now())
        return _answer(call["id"], sent)

    def _reject(self, call: Call[None]) -> KeyRequestAnswer:
        sent = self._now(call["id"])
        return _answer(call["id"], self._moved(call["id"], sent, "reject", self.world.clock.now()))

    def _refuse_used_key(self, key: bytes) -> None:
        asked = (sent for sent in self._requests.values() if sent.state in _NEXT)
        if has_certificate(key, self._pki) or any(sent.key == key for sent in asked):
            raise Problem(
                422,
                "key-reused",
                "The key has a certificate or an open request",
                "Для этого ключа сертификат уже выпущен или запрошен",
            )

    def _folder(self, name: str) -> Any:
        if name not in FOLDERS:
            raise Problem(404, "folder-not-found", "No such folder", "Нет такой папки")
        return FOLDERS[name]

    def _user(self, call: Call[Any]) -> _User:
        user = self._users.get(call.caller)
        if user is None:
            raise Problem(403, "forbidden", "Not a registered user", "Нет доступа")
        return user

    def _registration_state(self, user: _User) -> PortalState:
        accepted = self.world.clock.now() >= user.registered_at + STEP
        return PortalState.ACCEPTED if accepted else PortalState.QUEUED

    def _own(self, call: Call[Any]) -> _Sent:
        sent = self._now(call["id"])
        if sent.user != call.caller:
            raise _not_found()
        return sent

    def _now(self, number: str) -> _Sent:
        """Return a request as it stands now: each stage takes a `STEP`."""
        sent = self._requests.get(number)
        if sent is None:
            raise _not_found()
        while sent.state in _NEXT and self.world.clock.now() >= sent.since + STEP:
            sent = self._moved(number, sent, _NEXT[sent.state], sent.since + STEP)
        return sent

    def _moved(self, number: str, sent: _Sent, event: str, at: datetime) -> _Sent:
        if event == "complete" and has_certificate(sent.key, self._pki):
            event = "deny"  # it got one elsewhere meanwhile
        state = PortalState(PORTAL_STATUS.apply(sent.state, event))
        moved = attrs.evolve(sent, state=state, since=at)
        if event == "complete":
            moved = attrs.evolve(moved, serial_number=self._issue(number, sent, at))
        self._requests.put(number, moved)
        return moved

    def _issue(self, number: str, sent: _Sent, at: datetime) -> str:
        user = self._users.get(sent.user)
        assert user is not None
        asked = decode_request(sent.pkcs10)
        certificate = self._pki.issue(
            Authority.COMMERCIAL,
            asked.subject,
            public_key(asked.public_key),
            template=FOLDERS[user.folder],
            request_id=number,
            owner=sent.user,
            at=at,
        )
        return serial(certificate)


def _answer(number: str, sent: _Sent) -> KeyRequestAnswer:
    return KeyRequestAnswer(KeyRequest(id=number, state=sent.state))


def _not_found() -> Problem:
    return Problem(404, "request-not-found", "No such request", "Запрос не найден")
