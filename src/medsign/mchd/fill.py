"""Filling a power of attorney from certificates, and an explicit list of what they cannot give.

A certificate holds names, ИНН, СНИЛС, the organisation, ОГРН and the position, and never the birth
date, КПП, passport, powers or dates. A draft says at any moment what is `missing`; `issue` refuses
until nothing mandatory is (F176, F177).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from operator import attrgetter
from typing import Protocol

import attrs

from medsign.codec.xml import describe
from medsign.errors import InvalidDocument, UsageError
from medsign.identifiers import Snils
from medsign.mchd.file import ROOT, STATUS_PAGE, encode, file_id
from medsign.mchd.findings import RELAXED, Profile, Severity
from medsign.mchd.model import (
    Address,
    CitizenshipKind,
    Document,
    Executive,
    Exercise,
    FullName,
    Grant,
    IdentityDocument,
    Organization,
    OrganizationPrincipal,
    Person,
    PersonDetails,
    PersonPrincipal,
    PowerOfAttorney,
    Powers,
    Principal,
    PrincipalKind,
    PrincipalParty,
    Redelegation,
    Representative,
    RepresentativeKind,
    RepresentativeParty,
    Revocability,
    SoleTrader,
    Terms,
)
from medsign.mchd.validation import validate
from medsign.pki.profile import looks_like_patronymic


class Holder(Protocol):
    """What a certificate says about its holder; numbers are digits without separators."""

    @property
    def kind(self) -> str:
        """``person``, ``sole_trader``, ``legal_entity`` or ``impersonal``."""
        ...

    @property
    def surname(self) -> str | None: ...
    @property
    def given_name(self) -> str | None: ...
    @property
    def patronymic(self) -> str | None: ...
    @property
    def inn(self) -> str | None: ...
    @property
    def snils(self) -> str | None: ...
    @property
    def inn_legal(self) -> str | None: ...
    @property
    def ogrn(self) -> str | None: ...
    @property
    def ogrnip(self) -> str | None: ...
    @property
    def organization(self) -> str | None: ...
    @property
    def position(self) -> str | None: ...
    @property
    def email(self) -> str | None: ...
    @property
    def region_code(self) -> str | None: ...


@attrs.frozen(kw_only=True)
class MissingField:
    """A field that is still to be asked for.

    Attributes:
        path: Path below the party or the document.
        label_ru: Name of the field in the words of the format.
        why: Why a certificate does not answer it, in Russian.
        mandatory: Whether the document cannot be issued without it.
    """

    path: str
    label_ru: str
    why: str
    mandatory: bool = True


NOT_IN_CERTIFICATE = "в сертификате этих сведений не бывает, спросите у владельца"
FROM_REGISTER = "в сертификате этих сведений не бывает, возьмите из ЕГРЮЛ"
ADDRESS_MAY_DIFFER = "адрес в сертификате может отличаться от адреса в ЕГРЮЛ"
ABSENT_HERE = "в этом сертификате поле не заполнено"
DECIDED_BY_PRINCIPAL = "решает доверитель"
CHECK_PATRONYMIC = (
    "в сертификате имя и отчество стоят в одном поле: проверьте отчество, оно похоже на второе имя"
)
DISPUTED = "по ранним правилам реестра обязательно, по поздним нет"


@attrs.frozen
class _Need:
    route: str
    path: str
    why: str
    mandatory: bool = True


@attrs.frozen(kw_only=True, repr=False)
class PersonDraft:
    """A natural person as far as known; the fields are those of `Person` and `PersonDetails`."""

    surname: str | None = None
    given_name: str | None = None
    patronymic: str | None = None
    inn: str | None = None
    snils: str | None = None
    position: str | None = None
    birth_date: date | None = None
    email: str | None = None
    citizenship_kind: CitizenshipKind | None = None
    citizenship: str | None = None
    identity: IdentityDocument | None = None

    @property
    def certain_patronymic(self) -> str | None:
        """The patronymic, empty when there is none; ``None`` when it may be a second name."""
        if self.patronymic and not looks_like_patronymic(self.patronymic):
            return None
        return self.patronymic or ""

    def details(self) -> PersonDetails:
        """Return the part that all kinds of parties share."""
        return PersonDetails(
            citizenship_kind=self.citizenship_kind,
            citizenship=self.citizenship,
            birth_date=self.birth_date,
            email=self.email,
            name=FullName(
                surname=self.surname or "",
                given_name=self.given_name or "",
                patronymic=self.patronymic,
            ),
            identity=self.identity,
        )

    def person(self) -> Person:
        """Return the person of the format."""
        return Person(
            inn=self.inn, snils=self.snils, position=self.position, details=self.details()
        )

    def sole_trader(self, ogrnip: str | None) -> SoleTrader:
        """Return the person as a sole trader."""
        return SoleTrader(
            ogrnip=ogrnip or "",
            inn=self.inn or "",
            snils=self.snils or "",
            details=self.details(),
        )


@attrs.frozen(kw_only=True, repr=False)
class OrganizationDraft:
    """A Russian organisation as far as known."""

    name: str | None = None
    inn: str | None = None
    ogrn: str | None = None
    kpp: str | None = None
    region: str | None = None
    address: str | None = None

    def organization(self) -> Organization:
        """Return the organisation of the format."""
        return Organization(
            name=self.name or "",
            inn=self.inn,
            kpp=self.kpp or "",
            ogrn=self.ogrn,
            address=Address(region=self.region or "", text=self.address),
        )


def _person_needs(base: str) -> tuple[_Need, ...]:
    return (
        _Need("person.surname", f"{base}/СведФЛ/ФИО/@Фамилия", ABSENT_HERE),
        _Need("person.given_name", f"{base}/СведФЛ/ФИО/@Имя", ABSENT_HERE),
        _Need(
            "person.certain_patronymic",
            f"{base}/СведФЛ/ФИО/@Отчество",
            CHECK_PATRONYMIC,
            mandatory=False,
        ),
        _Need("person.inn", f"{base}/@ИННФЛ", ABSENT_HERE),
        _Need("person.snils", f"{base}/@СНИЛС", ABSENT_HERE),
    )


def _representative_needs(base: str) -> tuple[_Need, ...]:
    return (
        *_person_needs(base),
        _Need("person.birth_date", f"{base}/СведФЛ/@ДатаРожд", NOT_IN_CERTIFICATE),
        _Need("person.identity", f"{base}/СведФЛ/УдЛичнФЛ", DISPUTED, mandatory=False),
    )


_HEAD = "Доверит/РосОргДовер/ЛицоБезДов/СвФЛ"
_ORGANIZATION = "Доверит/РосОргДовер/СвРосОрг"
_PRINCIPAL_NEEDS: dict[PrincipalKind, tuple[_Need, ...]] = {
    PrincipalKind.ORGANIZATION: (
        _Need("organization.name", f"{_ORGANIZATION}/@НаимОрг", ABSENT_HERE),
        _Need("organization.inn", f"{_ORGANIZATION}/@ИННЮЛ", ABSENT_HERE),
        _Need("organization.kpp", f"{_ORGANIZATION}/@КПП", FROM_REGISTER),
        _Need("organization.ogrn", f"{_ORGANIZATION}/@ОГРН", ABSENT_HERE),
        _Need("organization.region", f"{_ORGANIZATION}/АдрРег/@Регион", ABSENT_HERE),
        _Need("organization.address", f"{_ORGANIZATION}/АдрРег/АдрРФ", ADDRESS_MAY_DIFFER),
        *_person_needs(_HEAD),
        _Need("person.position", f"{_HEAD}/@Должность", ABSENT_HERE),
    ),
    PrincipalKind.SOLE_TRADER: (
        _Need("ogrnip", "Доверит/ИПДовер/@ОГРНИП", ABSENT_HERE),
        *_person_needs("Доверит/ИПДовер"),
    ),
    PrincipalKind.PERSON: _person_needs("Доверит/ФЛДовер"),
}
_REPRESENTATIVE_NEEDS: dict[RepresentativeKind, tuple[_Need, ...]] = {
    RepresentativeKind.SOLE_TRADER: (
        _Need("ogrnip", "Пред/СведИП/@ОГРНИП", ABSENT_HERE),
        *_representative_needs("Пред/СведИП"),
    ),
    RepresentativeKind.PERSON: _representative_needs("Пред/СведФизЛ"),
}
_DRAFT_NEEDS = (
    _Need("number", "СвДов/@НомДовер", "выдаёт реестр или создаётся как GUID"),
    _Need("internal_number", "СвДов/@ВнНомДовер", DECIDED_BY_PRINCIPAL),
    _Need("issued", "СвДов/@ДатаВыдДовер", DECIDED_BY_PRINCIPAL),
    _Need(
        "valid_until",
        "СвДов/@СрокДейст",
        "срок доверенности не связан со сроком сертификата, решает доверитель",
    ),
    _Need("powers", "СвПолн", DECIDED_BY_PRINCIPAL),
)


def _missing(draft: object, needs: tuple[_Need, ...], root: type) -> Iterator[MissingField]:
    labels = _labels(root)
    for need in needs:
        if attrgetter(need.route)(draft) is None:
            yield MissingField(
                path=need.path,
                label_ru=labels[need.path],
                why=need.why,
                mandatory=need.mandatory,
            )


@cache
def _labels(root: type) -> dict[str, str]:
    return {row.path.partition("/")[2]: row.label for row in describe(root, "")}


@attrs.frozen(kw_only=True, repr=False)
class RepresentativeDraft:
    """A representative as far as known: complete it with `attrs.evolve`.

    Attributes:
        kind: A person or a sole trader; other kinds are written as `Representative` directly.
    """

    kind: RepresentativeKind
    person: PersonDraft
    ogrnip: str | None = None

    @property
    def missing(self) -> tuple[MissingField, ...]:
        """What is still to be asked for; paths begin below ``СвУпПред``."""
        return tuple(_missing(self, _REPRESENTATIVE_NEEDS[self.kind], Representative))

    def build(self) -> Representative:
        """Return the representative of the format; absent values stay empty."""
        if self.kind is RepresentativeKind.SOLE_TRADER:
            party = RepresentativeParty(sole_trader=self.person.sole_trader(self.ogrnip))
        else:
            party = RepresentativeParty(person=self.person.person())
        return Representative(kind=self.kind, party=party)


@attrs.frozen(kw_only=True, repr=False)
class PrincipalDraft:
    """A principal as far as known: complete it with `attrs.evolve`.

    Attributes:
        kind: An organisation, a sole trader or a person.
        person: The principal, or the head of the organisation who acts alone.
    """

    kind: PrincipalKind
    person: PersonDraft
    organization: OrganizationDraft = OrganizationDraft()
    ogrnip: str | None = None

    @property
    def missing(self) -> tuple[MissingField, ...]:
        """What is still to be asked for; paths begin below ``СвДоверит``."""
        return tuple(_missing(self, _PRINCIPAL_NEEDS[self.kind], Principal))

    def build(self) -> Principal:
        """Return the principal of the format; absent values stay empty."""
        if self.kind is PrincipalKind.SOLE_TRADER:
            party = PrincipalParty(sole_trader=self.person.sole_trader(self.ogrnip))
        elif self.kind is PrincipalKind.PERSON:
            person = PersonPrincipal(
                inn=self.person.inn, snils=self.person.snils or "", details=self.person.details()
            )
            party = PrincipalParty(person=person)
        else:
            head = Executive(exercise=Exercise.ALONE, person=self.person.person())
            party = PrincipalParty(
                organization=OrganizationPrincipal(
                    led_by_company=False,
                    led_by_person=True,
                    led_by_sole_trader=False,
                    organization=self.organization.organization(),
                    executives=(head,),
                )
            )
        return Principal(kind=self.kind, party=party)


def representative_from(holder: Holder) -> RepresentativeDraft:
    """Fill a representative from the certificate with which he will sign (F176).

    A certificate of an organisation's head fills the person: his organisation does not become
    the representative.

    Raises:
        UsageError: An impersonal certificate, which cannot belong to a representative.
    """
    trader = holder.kind == "sole_trader"
    return RepresentativeDraft(
        kind=RepresentativeKind.SOLE_TRADER if trader else RepresentativeKind.PERSON,
        person=_person(holder),
        ogrnip=holder.ogrnip if trader else None,
    )


def principal_from(holder: Holder) -> PrincipalDraft:
    """Fill a principal from the certificate of the head, the sole trader or the person (F176).

    Raises:
        UsageError: An impersonal certificate, which names nobody who could act.
    """
    kinds = {
        "legal_entity": PrincipalKind.ORGANIZATION,
        "sole_trader": PrincipalKind.SOLE_TRADER,
        "person": PrincipalKind.PERSON,
    }
    person = _person(holder)
    return PrincipalDraft(
        kind=kinds[holder.kind],
        person=person,
        organization=OrganizationDraft(
            name=holder.organization,
            inn=holder.inn_legal,
            ogrn=holder.ogrn,
            region=holder.region_code,
        ),
        ogrnip=holder.ogrnip,
    )


def _person(holder: Holder) -> PersonDraft:
    if holder.kind == "impersonal":
        raise UsageError(
            "an impersonal certificate names no person",
            "Сертификат обезличенный, в нём нет человека. Выберите сертификат сотрудника.",
        )
    return PersonDraft(
        surname=holder.surname,
        given_name=holder.given_name,
        patronymic=holder.patronymic,
        inn=holder.inn,
        snils=Snils(holder.snils).formatted if holder.snils else None,
        position=holder.position,
        email=holder.email,
    )


@attrs.frozen(kw_only=True)
class Draft:
    """A power of attorney in the making.

    Args:
        principals: Who gives the power.
        representatives: Who gets it.
        number: НомДовер, from the registry or `new_number`; its letter case is kept.
        internal_number: ВнНомДовер.
        issued: First day, Moscow time.
        valid_until: Last day, which counts to its end, Moscow time.
        powers: What the representatives may do.
    """

    principals: tuple[PrincipalDraft, ...]
    representatives: tuple[RepresentativeDraft, ...]
    number: str | None = None
    internal_number: str | None = None
    issued: date | None = None
    valid_until: date | None = None
    powers: Powers | None = None
    redelegation: Redelegation = Redelegation.FORBIDDEN
    revocability: Revocability = Revocability.REVOCABLE

    @property
    def missing(self) -> tuple[MissingField, ...]:
        """What is still to be asked for, with paths from the root."""
        root = f"{ROOT}/Документ/Довер"
        parties: list[tuple[str, RepresentativeDraft | PrincipalDraft]] = [
            *((f"СвДоверит[{n}]", party) for n, party in enumerate(self.principals, 1)),
            *((f"СвУпПред[{n}]", party) for n, party in enumerate(self.representatives, 1)),
        ]
        return (
            *(
                attrs.evolve(field, path=f"{root}/{field.path}")
                for field in _missing(self, _DRAFT_NEEDS, Grant)
            ),
            *(
                attrs.evolve(field, path=f"{root}/{step}/{field.path}")
                for step, party in parties
                for field in party.missing
            ),
        )


def issue(draft: Draft, *, profile: Profile = RELAXED) -> PowerOfAttorney:
    """Turn a draft into a power of attorney that is ready to be encoded and signed.

    Args:
        draft: The draft, completed by the user.
        profile: How disputed rules are read, see `validate`.

    Raises:
        InvalidDocument: A mandatory field is missing or a value breaks a rule; all of them are
            listed.
    """
    problems = [
        (field.path, f"не указано: «{field.label_ru}»")
        for field in draft.missing
        if field.mandatory
    ]
    if (
        problems
        or draft.number is None
        or draft.internal_number is None
        or draft.issued is None
        or draft.valid_until is None
        or draft.powers is None
    ):
        raise InvalidDocument(ROOT, problems)
    poa = PowerOfAttorney(
        file_id=file_id(draft.issued, draft.number),
        document=Document(
            grant=Grant(
                terms=Terms(
                    revocability=draft.revocability,
                    redelegation=draft.redelegation,
                    internal_number=draft.internal_number,
                    number=draft.number,
                    issued=draft.issued,
                    valid_until=draft.valid_until,
                    system=STATUS_PAGE + draft.number,
                ),
                principals=tuple(party.build() for party in draft.principals),
                representatives=tuple(party.build() for party in draft.representatives),
                powers=draft.powers,
            )
        ),
    )
    refused = [
        (finding.path, finding.message)
        for finding in validate(encode(poa), profile=profile)
        if finding.severity is Severity.ERROR
    ]
    if refused:
        raise InvalidDocument(ROOT, refused)
    return poa
