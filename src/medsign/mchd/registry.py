"""What the registry says and what it is asked by: values, with the JSON of the wire behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, TypeAlias, cast

import attrs

from medsign.clock import MOSCOW, aware, first_moment_of, last_moment_of
from medsign.errors import UsageError
from medsign.exchange import Context
from medsign.mchd.model import (
    DelegatingBranch,
    DelegatingPerson,
    ForeignOrganization,
    ForeignPrincipal,
    Grant,
    Organization,
    OrganizationPrincipal,
    Person,
    PersonPrincipal,
    PowerOfAttorney,
    SoleTrader,
)
from medsign.mchd.status import POA_STATUS, TRANSACTION_STATUS
from medsign.status import State, UnknownStatus

Status: TypeAlias = State | UnknownStatus


@attrs.frozen(kw_only=True)
class RegistryPaths:
    """Where the operations of a registry are, relative to its base URL.

    ``{number}``, ``{issuer}``, ``{representative}`` and ``{transaction}`` are filled in.
    """

    token: str = "vst-oauth2/oauth/token"  # noqa: S105 - a path
    number: str = "poar-webapp/integration/poa/generate-number"
    register: str = "poar-webapp/integration/poa"
    transaction: str = "poar-webapp/integration/poa/{transaction}/status"
    status: str = "poar-webapp/integration/poa/{number}/public"
    chronology: str = (
        "poar-webapp/integration/poa/chronology"
        "?poaNumber={number}&issuerInn={issuer}&representativeInn={representative}"
    )
    download: str = (
        "poar-webapp/integration/poa/{number}/{issuer}/zip?representativeInn={representative}"
    )
    revoke: str = "poar-webapp/integration/poa/revoke"


NODE = RegistryPaths()
"""A node of the registry, reached with an operator's login (m4d.nalog.gov.ru)."""

GATEWAY = RegistryPaths(
    token="token",  # noqa: S106 - a path
    number="number",
    register="poa",
    transaction="transactions?txId={transaction}",
    status="poaopen?poaNumber={number}",
    chronology=(
        "poachron?poaNumber={number}&issuerInn={issuer}&representativeInn={representative}"
    ),
    download="poazip?poaNumber={number}&issuerInn={issuer}&representativeInn={representative}",
    revoke="poacancel",
)
"""The gateway of 1С; its tokens travel in the field ``authorizationtoken``.

The paths are known from software, most names of the query's parameters are not: they are those of
the node. Where the gateway wants others, give a `RegistryPaths` of your own.
"""


@attrs.frozen(kw_only=True)
class RegistryContext(Context):
    """The settings of a registry that is not a plain node.

    Attributes:
        paths: Where its operations are.
    """

    paths: RegistryPaths = NODE


@attrs.frozen(kw_only=True)
class Requisites:
    """The three things that the registry asks before it shows more than the bare status.

    Attributes:
        number: НомДовер, in the letter case of the registration.
        issuer_inn: ИНН of the principal.
        representative_inn: ИНН of the representative.
    """

    number: str
    issuer_inn: str = attrs.field(repr=False)
    representative_inn: str = attrs.field(repr=False)

    @classmethod
    def of(cls, poa: PowerOfAttorney) -> Requisites:
        """Return the requisites of a document, by its first principal and representative.

        Raises:
            UsageError: One of them has no ИНН.
        """
        content = poa.content
        givers = content.principals if isinstance(content, Grant) else content.delegators
        issuer = _inn(givers[0].party)
        representative = _inn(content.representatives[0].party)
        if not issuer or not representative:
            raise UsageError(
                "the registry finds a power of attorney by ИНН of both its parties",
                "В доверенности нет ИНН доверителя или представителя, "
                "а реестр находит её только по обоим.",
            )
        return cls(number=poa.terms.number, issuer_inn=issuer, representative_inn=representative)


def _inn(choice: attrs.AttrsInstance) -> str | None:
    """Return ИНН of the one alternative that is there."""
    for field in attrs.fields(type(choice)):
        match getattr(choice, field.name):
            case OrganizationPrincipal(organization=own) | ForeignPrincipal(organization=own):
                return own.inn
            case DelegatingBranch(branch=own):
                return own.inn
            case (
                Organization(inn=inn)
                | ForeignOrganization(inn=inn)
                | SoleTrader(inn=inn)
                | Person(inn=inn)
                | PersonPrincipal(inn=inn)
                | DelegatingPerson(inn=inn)
            ):
                return inn
            case _:
                continue
    return None


@attrs.frozen(kw_only=True)
class Receipt:
    """That the registry took a document in; what it decides comes later.

    Attributes:
        number: НомДовер, or ``None`` for a revocation.
        transaction: What to ask for the decision by. ``None`` when the answer was lost and the
            registry, asked again, already knew the document.
    """

    number: str | None = attrs.field(default=None, metadata={"wire": "poaNumber"})
    transaction: str | None = attrs.field(default=None, metadata={"wire": "txId"})

    def __attrs_post_init__(self) -> None:
        # On the wire every field may be missing, and an empty object must not pass for a receipt.
        if not self.number and not self.transaction:
            raise UsageError("a receipt has a number or a transaction")


@attrs.frozen(kw_only=True)
class Transaction:
    """How far a registration or a revocation is.

    Attributes:
        id: Number of the transaction.
        said: The status as the registry wrote it.
    """

    id: str = attrs.field(metadata={"wire": "txId"})
    said: str = attrs.field(metadata={"wire": "status"}, repr=False)

    @property
    def state(self) -> Status:
        """The state of `TRANSACTION_STATUS`; a status never seen before is kept.

        Example:
            >>> Transaction(id="7", said="PENDING").state.label
            'Выполняется'
        """
        return TRANSACTION_STATUS.recognise(self.said)


@attrs.frozen(kw_only=True)
class PublicStatus:
    """What the registry tells anybody who knows the number.

    Attributes:
        number: НомДовер.
        said: The status as the registry wrote it.
        starts: First day, as the registry wrote it.
        ends: Last day, as the registry wrote it.
        changed: When the status began, as the registry wrote it.
        created: When the registry first had it, as the registry wrote it.
    """

    number: str = attrs.field(metadata={"wire": "poaNumber"})
    said: str = attrs.field(metadata={"wire": "status"}, repr=False)
    starts: str | None = attrs.field(default=None, metadata={"wire": "startDate"})
    ends: str | None = attrs.field(default=None, metadata={"wire": "endDate"})
    changed: str | None = attrs.field(default=None, metadata={"wire": "statusDate"})
    created: str | None = attrs.field(default=None, metadata={"wire": "createdDate"})

    @property
    def state(self) -> Status:
        """The state of `POA_STATUS`; a status never seen before is kept.

        Example:
            >>> PublicStatus(number="0a", said="ACTIVE").state.label
            'Действует'
        """
        return POA_STATUS.recognise(self.said)

    @property
    def valid_from(self) -> datetime | None:
        """The first moment of validity: the beginning of the first day in Moscow."""
        day = _day(self.starts)
        return first_moment_of(day) if day else None

    @property
    def valid_until(self) -> datetime | None:
        """The last moment of validity: the end of the last day in Moscow."""
        day = _day(self.ends)
        return last_moment_of(day) if day else None

    @property
    def since(self) -> datetime | None:
        """When the status began, if the registry gave an instant."""
        return _instant(self.changed)

    @property
    def received(self) -> datetime | None:
        """When the registry first had it, if it gave an instant."""
        return _instant(self.created)


@attrs.frozen(kw_only=True)
class StatusChange:
    """One line of the registry's history.

    Attributes:
        said: The status as the registry wrote it.
        at: When it began, or ``None`` when the registry gave no instant.
    """

    said: str = attrs.field(repr=False)
    at: datetime | None = None

    @property
    def state(self) -> Status:
        """The state of `POA_STATUS`; a status never seen before is kept."""
        return POA_STATUS.recognise(self.said)


@attrs.frozen(kw_only=True)
class Rejection:
    """One reason of a refusal (event ``POA_IRD_REJECTED``).

    Attributes:
        code: Code in the registry's dictionary of errors.
        source: Which register found it (``IRD_KOFO_NAME``).
        text: The reason in the registry's words; may quote personal data.
    """

    code: str = ""
    source: str = ""
    text: str = attrs.field(default="", repr=False)


@attrs.frozen(kw_only=True)
class Chronology:
    """The history of a power of attorney.

    Attributes:
        number: НомДовер.
        current: The present status.
        changes: All statuses, in the registry's order.
        rejections: Why it was refused, if it was.
    """

    number: str
    current: StatusChange
    changes: tuple[StatusChange, ...] = ()
    rejections: tuple[Rejection, ...] = ()


@attrs.frozen(kw_only=True)
class _Change:
    code: str
    date_time: str | None = None

    def typed(self) -> StatusChange:
        return StatusChange(said=self.code, at=_instant(self.date_time))


@attrs.frozen(kw_only=True, repr=False)
class _Event:
    type: str
    attributes: Any = None


@attrs.frozen(kw_only=True, repr=False)
class ChronologyAnswer:
    """A chronology as it stands on the wire."""

    number: str
    actual_status: _Change
    status_history: tuple[_Change, ...] = ()
    events: tuple[_Event, ...] = ()

    def typed(self) -> Chronology:
        """Return the history, its refusals found wherever the event's attributes hold them."""
        refused = (event for event in self.events if event.type == "POA_IRD_REJECTED")
        return Chronology(
            number=self.number,
            current=self.actual_status.typed(),
            changes=tuple(change.typed() for change in self.status_history),
            rejections=tuple(reason for event in refused for reason in _reasons(event.attributes)),
        )


def _reasons(value: object) -> Iterator[Rejection]:
    if isinstance(value, Mapping):
        members = cast(Mapping[str, object], value)
        if "IRD_ERROR_NAME" in members:
            yield Rejection(
                code=str(members.get("DICTIONARY_CODE", "")),
                source=str(members.get("IRD_KOFO_NAME", "")),
                text=str(members["IRD_ERROR_NAME"]),
            )
        value = list(members.values())
    if isinstance(value, list):
        for inside in cast(list[object], value):
            yield from _reasons(inside)


# The form of dates is not published: one that is not ISO 8601 is no reason to lose a status.
def _day(text: str | None) -> date | None:
    if moment := _instant(text):
        return moment.astimezone(MOSCOW).date()
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        return None


def _instant(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return aware(moment) if moment.tzinfo else None
