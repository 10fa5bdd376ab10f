"""Whether a certificate belongs to a party of a power of attorney."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TypeAlias

import attrs

from medsign.mchd.fill import Holder
from medsign.mchd.model import (
    Executive,
    Exercise,
    FullName,
    Notarization,
    Organization,
    Person,
    PersonPrincipal,
    Principal,
    Representative,
    SoleTrader,
)
from medsign.pki.profile import FNS_OGRN

Party: TypeAlias = Principal | Representative


class MatchVerdict(StrEnum):
    """What the comparison shows, best first."""

    MATCHES = "matches"
    UNDECIDED = "undecided"
    DIFFERS = "differs"


@attrs.frozen(kw_only=True)
class MatchResult:
    """The comparison of a party with a certificate.

    Attributes:
        verdict: Undecided means that a person has to look: data needed for the rule are absent.
        rule: The row of the matching table that the kind of the certificate chose.
        differing: Names of fields that differ, without values.
        absent: Names of fields that one of the sides does not have.
    """

    verdict: MatchVerdict
    rule: str
    differing: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


@attrs.frozen(kw_only=True, repr=False)
class _Identity:
    inn: str | None = None
    snils: str | None = None
    inn_legal: str | None = None
    ogrn: str | None = None
    ogrnip: str | None = None
    full_name: str | None = None


_LABELS = {
    "inn": "ИННФЛ",
    "snils": "СНИЛС",
    "inn_legal": "ИННЮЛ",
    "ogrn": "ОГРН",
    "ogrnip": "ОГРНИП",
    "full_name": "ФИО",
}
_RULES = {
    "ИП": ("ogrnip", "inn"),
    "ЮЛ": ("inn_legal", "ogrn", "inn", "snils"),
    "нотариус": ("full_name",),
    "ФЛ": ("inn", "snils"),
}


def matches(party: Party, holder: Holder, *, issuer_ogrn: str | None = None) -> MatchResult:
    """Compare a principal or a representative with the holder of a certificate.

    Args:
        party: The party; of an organisation's executives the best match counts.
        holder: What the certificate says.
        issuer_ogrn: ОГРН of the certificate's issuer; tells a notary's certificate of ФНС.

    Returns:
        The verdict with the names of differing and absent fields.
    """
    rule = _rule(party, holder, issuer_ogrn)
    theirs = _Identity(
        inn=_digits(holder.inn),
        snils=_digits(holder.snils),
        inn_legal=_digits(holder.inn_legal),
        ogrn=_digits(holder.ogrn),
        ogrnip=_digits(holder.ogrnip),
        full_name=_spelled(holder.surname, holder.given_name, holder.patronymic),
    )
    results = [_compare(rule, ours, theirs) for ours in _identities(party)]
    best_first = list(MatchVerdict)
    return min(
        results,
        key=lambda result: best_first.index(result.verdict),
        default=MatchResult(verdict=MatchVerdict.UNDECIDED, rule=rule),
    )


def is_organization(party: Party) -> bool:
    """Tell whether a principal is an organisation, Russian or foreign."""
    if isinstance(party, Representative):
        return False
    return bool(party.party.organization or party.party.foreign_organization)


def acting(principal: Principal) -> tuple[tuple[Principal, ...], ...]:
    """Return who may act for a principal: executives who do it together stand together (ПолнЮЛ)."""
    organization = principal.party.organization
    if organization is None:
        return ((principal,),)

    def through(executive: Executive) -> Principal:
        alone = attrs.evolve(organization, executives=(executive,))
        return attrs.evolve(principal, party=attrs.evolve(principal.party, organization=alone))

    alone, together = list[tuple[Principal, ...]](), list[Principal]()
    for executive in organization.executives:
        one = through(executive)
        if executive.exercise is Exercise.TOGETHER:
            together.append(one)
        else:
            alone.append((one,))
    return (*alone, tuple(together)) if together else tuple(alone)


def certifies(notarization: Notarization, holder: Holder) -> bool:
    """Tell whether the holder is the notary who certified, or who acted in his stead.

    A notary's certificate has no number that the document gives, too: names are compared.
    """
    named = (notarization.notary, notarization.acting_notary)
    name = _spelled(holder.surname, holder.given_name, holder.patronymic)
    is_notary = "нотариус" in (holder.position or "").casefold()
    return is_notary and name in {_full(each.name) for each in named if each}


def _rule(party: Party, holder: Holder, issuer_ogrn: str | None) -> str:
    # Whatever certificate its head has, an organisation signs with its own (63-ФЗ ст. 17.2 ч. 1).
    if is_organization(party):
        return "ЮЛ"
    if holder.ogrnip:
        return "ИП"
    if holder.inn_legal:
        return "ЮЛ"
    if issuer_ogrn == FNS_OGRN and holder.position:
        return "нотариус"
    return "ФЛ"


def _compare(rule: str, ours: _Identity, theirs: _Identity) -> MatchResult:
    differing: list[str] = []
    absent: list[str] = []
    for field in _RULES[rule]:
        left, right = getattr(ours, field), getattr(theirs, field)
        if not left or not right:
            absent.append(field)
        elif left != right:
            differing.append(field)
    tolerated = _tolerated(absent) if rule == "ЮЛ" else set[str]()
    verdict = MatchVerdict.MATCHES
    if differing:
        verdict = MatchVerdict.DIFFERS
    elif set(absent) - tolerated:
        verdict = MatchVerdict.UNDECIDED
    return MatchResult(
        verdict=verdict,
        rule=rule,
        differing=tuple(_LABELS[field] for field in differing),
        absent=tuple(_LABELS[field] for field in absent),
    )


def _tolerated(absent: list[str]) -> set[str]:
    """A certificate of an organisation may lack ОГРН and one of its head's two numbers."""
    return {"ogrn", "snils"} if "inn" not in absent else {"ogrn", "inn"}


def _identities(party: Party) -> Iterator[_Identity]:
    inside = party.party
    if inside.sole_trader is not None:
        yield _trader(inside.sole_trader)
    if inside.person is not None:
        yield _person(inside.person)
    if isinstance(party, Representative):
        for organization in (party.party.organization, party.party.branch):
            if organization is not None:
                yield _Identity(inn_legal=organization.inn, ogrn=organization.ogrn)
        if party.party.foreign_branch is not None:
            yield _Identity(inn_legal=party.party.foreign_branch.inn)
        return
    if party.party.organization is not None:
        for executive in party.party.organization.executives:
            yield from _executive(executive, party.party.organization.organization)
    if party.party.foreign_organization is not None:
        foreign = party.party.foreign_organization
        for head in foreign.heads:
            yield attrs.evolve(_person(head), inn_legal=foreign.organization.inn)


def _executive(executive: Executive, organization: Organization) -> Iterator[_Identity]:
    if executive.person is not None:
        yield _of(organization, executive.person)
    if executive.company is not None:
        for person in executive.company.people:
            yield _of(executive.company.organization, person)
    if executive.sole_trader is not None:
        trader = _trader(executive.sole_trader)
        yield attrs.evolve(trader, inn_legal=organization.inn, ogrn=organization.ogrn)


def _of(organization: Organization, person: Person) -> _Identity:
    return attrs.evolve(_person(person), inn_legal=organization.inn, ogrn=organization.ogrn)


def _person(person: Person | PersonPrincipal) -> _Identity:
    return _Identity(
        inn=person.inn, snils=_digits(person.snils), full_name=_full(person.details.name)
    )


def _trader(trader: SoleTrader) -> _Identity:
    return _Identity(
        inn=trader.inn,
        snils=_digits(trader.snils),
        ogrnip=trader.ogrnip,
        full_name=_full(trader.details.name),
    )


def _full(name: FullName) -> str | None:
    return _spelled(name.surname, name.given_name, name.patronymic)


def _digits(number: str | None) -> str | None:
    return "".join(filter(str.isdigit, number)) if number else None


def _spelled(*parts: str | None) -> str | None:
    return " ".join(" ".join(filter(None, parts)).split()).casefold().replace("ё", "е") or None
