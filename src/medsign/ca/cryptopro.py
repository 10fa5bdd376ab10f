"""КриптоПро УЦ 2.0: the user's REST of its web portal (F109, F110).

A user registers in a folder of the УЦ and gets a temporary token with a password; an operator
accepts the registration; then requests of keys (PKCS#10) are sent, and certificates fetched. The
portal knows no idempotency keys: a call that creates something is never repeated by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any
from urllib.parse import quote

import attrs
import httpx

from medsign.codec.asn1 import Certificate, decode_certificate, oids
from medsign.errors import (
    InvalidDocument,
    InvalidIdentifier,
    MalformedError,
    UnexpectedAnswer,
)
from medsign.exchange import AsyncService, Context, Flow, Repeat, Service, operation
from medsign.identifiers import Identifier, Inn, Ogrn, Ogrnip, Snils
from medsign.status import State, StatusModel, UnknownStatus


class PortalState(StrEnum):
    """State of a registration or of a key's request, the letter of the portal."""

    QUEUED = "Q"
    ACCEPTED = "A"
    REJECTED = "R"
    PENDING = "P"
    DENIED = "D"
    COMPLETE = "C"
    ERROR = "E"
    ACKNOWLEDGED = "K"


_P = PortalState

PORTAL_STATUS = StatusModel(
    name="cryptopro_request",
    states=[
        State(_P.QUEUED, "В очереди"),
        State(_P.ACCEPTED, "Принят оператором"),
        State(_P.REJECTED, "Отклонён оператором", terminal=True),
        State(_P.PENDING, "Обрабатывается в ЦС"),
        State(_P.DENIED, "Отклонён ЦС", terminal=True),
        State(_P.COMPLETE, "Выполнен", success=True),
        State(_P.ERROR, "Ошибка", terminal=True),
        State(_P.ACKNOWLEDGED, "Установка подтверждена", terminal=True, success=True),
    ],
    initial=_P.QUEUED,
    transitions={
        _P.QUEUED: {"accept": _P.ACCEPTED, "reject": _P.REJECTED, "fail": _P.ERROR},
        _P.ACCEPTED: {"send": _P.PENDING, "fail": _P.ERROR},
        _P.PENDING: {"complete": _P.COMPLETE, "deny": _P.DENIED, "fail": _P.ERROR},
        _P.COMPLETE: {"acknowledge": _P.ACKNOWLEDGED},
    },
    events={
        "accept": "принять",
        "reject": "отклонить оператором",
        "send": "передать в ЦС",
        "complete": "выполнить",
        "deny": "отклонить в ЦС",
        "acknowledge": "подтвердить установку",
        "fail": "сообщить об ошибке",
    },
)
"""The letters are public; the edges are read from their meanings."""

_IDENTIFIERS: Mapping[str, type[Identifier]] = {
    oids.INN: Inn,
    oids.OGRN: Ogrn,
    oids.OGRNIP: Ogrnip,
    oids.SNILS: Snils,
}


def _wire(name: str) -> dict[str, str]:
    return {"wire": name}


@attrs.frozen(kw_only=True)
class NameField:
    """One attribute of a user's name, as the folder wants it.

    Attributes:
        oid: Type of the attribute.
        name: Its technical name.
        localized_name: Its name for people.
        values: Values to choose from.
        default: Value to begin with.
        only_listed: No value but one of `values` is taken.
        fixed: The default value may not be changed.
        required: It may not be empty.
    """

    oid: str = attrs.field(metadata=_wire("Oid"))
    name: str = attrs.field(metadata=_wire("Name"))
    localized_name: str = attrs.field(metadata=_wire("LocalizedName"), default="")
    values: tuple[str, ...] = attrs.field(metadata=_wire("SettingsValues"), default=())
    default: str | None = attrs.field(metadata=_wire("DefaultValue"), default=None)
    only_listed: bool = attrs.field(metadata=_wire("ProhibitAnyValue"), default=False)
    fixed: bool = attrs.field(metadata=_wire("ProhibitChange"), default=False)
    required: bool = attrs.field(metadata=_wire("ProhibitEmpty"), default=False)


@attrs.frozen(kw_only=True)
class NameFields:
    """The attributes of a user's name in a folder."""

    fields: tuple[NameField, ...] = attrs.field(metadata=_wire("RDN"))


@attrs.frozen(kw_only=True)
class NewUser:
    """A user to register.

    Attributes:
        attributes: Values by attribute type, each in an object of its own.
        email: Address for notices.
        key_phrase: What the user tells an operator by telephone.
        comment: For the operator.
        description: For the operator.
    """

    attributes: tuple[dict[str, str], ...] = attrs.field(metadata=_wire("OidArray"), repr=False)
    email: str = attrs.field(metadata=_wire("Email"), default="", repr=False)
    key_phrase: str = attrs.field(metadata=_wire("KeyPhrase"), default="", repr=False)
    comment: str = attrs.field(metadata=_wire("Comment"), default="", repr=False)
    description: str = attrs.field(metadata=_wire("Description"), default="", repr=False)


@attrs.frozen(kw_only=True)
class Registration:
    """A registration of a user; token and password come once, when it is made.

    Attributes:
        id: Its number.
        state: Where it stands, the portal's letter.
        token: Name for `portal_context`.
        password: Secret for it.
    """

    id: str = attrs.field(metadata=_wire("RegRequestId"), default="")
    state: str = attrs.field(metadata=_wire("Status"))
    token: str = attrs.field(metadata=_wire("Token"), default="", repr=False)
    password: str = attrs.field(metadata=_wire("Password"), default="", repr=False)

    @property
    def status(self) -> State | UnknownStatus:
        """Where it stands, by `PORTAL_STATUS`."""
        return PORTAL_STATUS.recognise(self.state)


@attrs.frozen(kw_only=True)
class KeyRequest:
    """A request of a key for a certificate."""

    id: str = attrs.field(metadata=_wire("CertRequestId"), default="")
    state: str = attrs.field(metadata=_wire("Status"))

    @property
    def status(self) -> State | UnknownStatus:
        """Where it stands, by `PORTAL_STATUS`."""
        return PORTAL_STATUS.recognise(self.state)


@attrs.frozen
class RegistrationAnswer:
    """How the portal wraps a registration."""

    registration: Registration = attrs.field(metadata=_wire("RegRequest"))


@attrs.frozen
class KeyRequestAnswer:
    """How the portal wraps a request of a key."""

    request: KeyRequest = attrs.field(metadata=_wire("CertRequest"))


@attrs.frozen
class Profile:
    """The name that the УЦ has entered for the user; personal data, so no repr shows it."""

    attributes: tuple[dict[str, str], ...] = attrs.field(metadata=_wire("Profile"), repr=False)

    @property
    def name(self) -> dict[str, str]:
        """Values by attribute type; the requests of keys must have exactly these."""
        return {oid: value for pair in self.attributes for oid, value in pair.items()}


@attrs.frozen
class StatusChange:
    """The letter to which the user moves a request."""

    state: str = attrs.field(metadata=_wire("Status"))


def portal_context(
    *, base_url: str | httpx.URL, token: str = "", password: str = "", **settings: Any
) -> Context:
    """Return the settings of a portal.

    Args:
        base_url: ``https://<host>/ui/api``; with a client certificate ``https://<host>/ui/2/api``.
        token: From `Registration`; without it only `name_fields` and `register` are answered.
        password: From `Registration`.
        settings: Further settings of `Context`.
    """
    auth = httpx.BasicAuth(token, password) if token else None
    return Context(service="cryptopro", base_url=base_url, auth=auth, **settings)


def name_fields(context: Context, folder: str) -> Flow[tuple[NameField, ...]]:
    """Ask which attributes a user's name has in a folder."""
    answer = yield from context.fetch(
        "name_fields", context.request("GET", f"{_segment(folder)}/userattr")
    )
    return context.read(NameFields, answer).fields


def register(
    context: Context,
    folder: str,
    fields: Sequence[NameField],
    values: Mapping[str, str],
    *,
    email: str = "",
    key_phrase: str = "",
) -> Flow[Registration]:
    """Register a user (F135).

    Args:
        folder: Folder of the УЦ.
        fields: From `name_fields`; the values are checked by them before anything is sent.
        values: Values by attribute type; those that may not be changed can be left out.
        email: Address for notices.
        key_phrase: What the user tells an operator by telephone.

    Raises:
        InvalidDocument: A value breaks a rule of its field.
        TransportError: No answer came; the call is not repeated, for it might register twice.
    """
    fixed = {field.oid: field.default for field in fields if field.fixed and field.default}
    name = fixed | dict(values)
    if problems := tuple(name_problems(fields, name)):
        raise InvalidDocument("регистрация в УЦ", problems)
    user = NewUser(
        attributes=tuple({oid: value} for oid, value in name.items()),
        email=email,
        key_phrase=key_phrase,
    )
    request = context.request("POST", f"{_segment(folder)}/regrequest", body=user)
    answer = yield from context.fetch("register", request, repeat=Repeat.NEVER)
    return context.read(RegistrationAnswer, answer).registration


def registration(context: Context, folder: str) -> Flow[Registration]:
    """Ask where the registration stands."""
    request = context.request("GET", f"{_segment(folder)}/regrequest")
    answer = yield from context.fetch("registration", request)
    return context.read(RegistrationAnswer, answer).registration


def profile(context: Context) -> Flow[Profile]:
    """Fetch the name that the УЦ has entered for the user."""
    request = context.request("GET", "regrequest/profile", query={"type": "json"})
    answer = yield from context.fetch("profile", request)
    return context.read(Profile, answer)


def templates(context: Context, folder: str) -> Flow[dict[str, Any]]:
    """Fetch the certificate templates of a folder, as the portal writes them."""
    answer = yield from context.fetch(
        "templates", context.request("GET", f"{_segment(folder)}/certtemplate")
    )
    return context.read(dict[str, Any], answer)


def send_key(context: Context, pkcs10: bytes) -> Flow[KeyRequest]:
    """Ask for a certificate of a key (F136).

    Args:
        pkcs10: Request of the key (PKCS#10), DER.

    Raises:
        TransportError: No answer came; the call is not repeated.
    """
    request = context.request(
        "POST", "certrequest", content=pkcs10, content_type="application/octet-stream"
    )
    answer = yield from context.fetch("send_key", request, repeat=Repeat.NEVER)
    return context.read(KeyRequestAnswer, answer).request


def key_request(context: Context, request_id: str) -> Flow[KeyRequest]:
    """Ask where a request of a key stands."""
    request = context.request("GET", f"certrequest/{_segment(request_id)}")
    answer = yield from context.fetch("key_request", request)
    return context.read(KeyRequestAnswer, answer).request


def download(context: Context, request_id: str) -> Flow[Certificate]:
    """Fetch the issued certificate (F153).

    Raises:
        UnexpectedAnswer: What came is no certificate.
    """
    request = context.request("GET", f"certrequest/{_segment(request_id)}/rawcert")
    answer = yield from context.fetch("download", request)
    try:
        return decode_certificate(answer.body)
    except MalformedError as error:
        raise UnexpectedAnswer(f"{context.service}: {error}") from error


def acknowledge(context: Context, request_id: str) -> Flow[KeyRequest]:
    """Tell that the certificate is installed: the letter K. A repeat changes nothing."""
    body = StatusChange(_P.ACKNOWLEDGED)
    request = context.request("POST", f"certrequest/{_segment(request_id)}", body=body)
    answer = yield from context.fetch("acknowledge", request)
    return context.read(KeyRequestAnswer, answer).request


def _segment(text: str) -> str:
    return quote(text, safe="")


def name_problems(
    fields: Sequence[NameField], values: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a user's name, in Russian, by attribute type.

    Args:
        fields: The rules of the folder.
        values: Values by attribute type.
    """
    known = {field.oid for field in fields}
    for oid in sorted(values.keys() - known):
        yield oid, "такого поля в этой папке нет"
    for field in fields:
        value = values.get(field.oid, "")
        if not value:
            if field.required:
                yield field.oid, "поле обязательно"
        elif field.fixed and value != field.default:
            yield field.oid, "значение нельзя изменить"
        elif field.only_listed and value not in field.values:
            yield field.oid, "значения нет в списке"
        elif field.oid in _IDENTIFIERS:
            try:
                _IDENTIFIERS[field.oid](value)
            except InvalidIdentifier as error:
                yield field.oid, error.reason


class _PortalOperations:
    name_fields = operation(name_fields)
    register = operation(register)
    registration = operation(registration)
    profile = operation(profile)
    templates = operation(templates)
    send_key = operation(send_key)
    key_request = operation(key_request)
    download = operation(download)
    acknowledge = operation(acknowledge)


class CryptoProPortal(_PortalOperations, Service):
    """The web portal of КриптоПро УЦ 2.0."""


class AsyncCryptoProPortal(_PortalOperations, AsyncService):
    """The web portal of КриптоПро УЦ 2.0, for async code."""
