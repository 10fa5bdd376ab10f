"""Rules of the unified format 003 that its schema does not state, as two tables.

`REQUIRED` says which fields a kind of party, a flag or a code makes mandatory; `REFUSED` says
which combinations make no sense. Both are read by `medsign.mchd.validation`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import attrs

from medsign.codec.xml import Located, locate
from medsign.mchd.file import TAX_FORM
from medsign.mchd.findings import Finding, Severity
from medsign.mchd.model import (
    Address,
    Ancestry,
    CitizenshipKind,
    Delegation,
    Delegator,
    Document,
    Executive,
    IdentityDocument,
    IdentityKind,
    ManagingCompany,
    OrganizationPrincipal,
    ParentPrincipal,
    PersonDetails,
    PowerOfAttorney,
    Powers,
    PowersKind,
    Principal,
    Redelegation,
    Representative,
    RepresentativeKind,
    Revocability,
    Terms,
)

Condition: TypeAlias = Callable[[Any, PowerOfAttorney], bool]
"""Takes the object that the rule is about and the whole document."""


def _always(_node: object, _poa: PowerOfAttorney) -> bool:
    return True


def _for_tax(_node: object, poa: PowerOfAttorney) -> bool:
    return poa.for_tax


@attrs.frozen(kw_only=True)
class Required:
    """Fields that must be there when the condition holds.

    Args:
        code: Last part of the code of the finding.
        on: The class that the rule is about.
        fields: Dotted routes from an object of the class; parts above the last that are absent
            are the business of another rule.
        when: The condition.
        severity: Usual severity.
    """

    code: str
    on: type
    fields: tuple[str, ...]
    when: Condition = _always
    severity: Severity = Severity.ERROR

    def findings(self, here: Located, poa: PowerOfAttorney) -> Iterator[Finding]:
        """Yield a finding for each absent field of an object of the class."""
        if not self.when(here.value, poa):
            return
        for route in self.fields:
            for found in locate(here, route):
                if found.value is None and found.field is not None:
                    yield Finding(
                        code=f"rule.{self.code}",
                        severity=self.severity,
                        path=found.path,
                        message=f"не указано: «{found.field.label}»",
                    )


@attrs.frozen(kw_only=True)
class Refused:
    """A combination that must not be.

    Args:
        code: Last part of the code of the finding.
        on: The class that the rule is about.
        when: The condition that is wrong.
        at: Dotted route to the field to blame, or empty for the object itself.
        message: What is wrong, in Russian.
        severity: Usual severity.
    """

    code: str
    on: type
    when: Condition
    at: str = ""
    message: str
    severity: Severity = Severity.ERROR

    def findings(self, here: Located, poa: PowerOfAttorney) -> Iterator[Finding]:
        """Yield a finding when an object of the class is wrong."""
        if self.when(here.value, poa):
            blamed = locate(here, self.at) if self.at else ()
            yield Finding(
                code=f"rule.{self.code}",
                severity=self.severity,
                path=blamed[0].path if blamed else here.path,
                message=self.message,
            )


def _present(party: Any) -> set[str]:
    return {name for name, value in attrs.asdict(party, recurse=False).items() if value is not None}


def _kind_mismatch(node: Any, _poa: PowerOfAttorney) -> bool:
    return _present(node.party) != {node.kind.name.lower()}


def _identity(node: Representative) -> IdentityDocument | None:
    holder = node.party.person or node.party.sole_trader
    return holder.details.identity if holder else None


def _identity_of_kind(*kinds: IdentityKind) -> Condition:
    def condition(node: Representative, _poa: PowerOfAttorney) -> bool:
        identity = _identity(node)
        return identity is not None and identity.kind in kinds

    return condition


def _issued_in_russia(node: Representative, _poa: PowerOfAttorney) -> bool:
    identity = _identity(node)
    return identity is not None and identity.kind != IdentityKind.FOREIGN_PASSPORT


def _same_person_twice(node: OrganizationPrincipal, _poa: PowerOfAttorney) -> bool:
    people = [each.person for each in node.executives if each.person is not None]
    return any(person in people[:place] for place, person in enumerate(people))


_DETAILS = ("party.person.details", "party.sole_trader.details")
_ORGANIZATION_NUMBERS = ("organization.inn", "organization.ogrn", "organization.address")

REQUIRED: tuple[Required, ...] = (
    Required(code="organization", on=OrganizationPrincipal, fields=_ORGANIZATION_NUMBERS),
    Required(
        code="executive",
        on=Executive,
        fields=("person.inn", "person.snils"),
    ),
    Required(
        code="executive_position",
        on=OrganizationPrincipal,
        fields=("executives.person.position",),
        when=lambda node, _: node.led_by_person,
    ),
    Required(
        code="managing_company",
        on=ManagingCompany,
        fields=(*_ORGANIZATION_NUMBERS, "people.snils"),
    ),
    Required(
        code="representative_organization",
        on=Representative,
        fields=("party.organization.inn", "party.organization.ogrn"),
    ),
    Required(
        code="representative",
        on=Representative,
        fields=(
            "party.person.inn",
            "party.person.snils",
            *(f"{details}.birth_date" for details in _DETAILS),
        ),
    ),
    Required(
        code="identity",
        on=Representative,
        fields=tuple(f"{details}.identity" for details in _DETAILS),
        severity=Severity.WARNING,
    ),
    Required(
        code="identity_issuer",
        on=Representative,
        fields=tuple(
            f"{details}.identity.{field}"
            for details in _DETAILS
            for field in ("issuer", "issuer_code")
        ),
        when=_issued_in_russia,
        severity=Severity.WARNING,
    ),
    Required(
        code="identity_expiry",
        on=Representative,
        fields=tuple(f"{details}.identity.expires" for details in _DETAILS),
        when=_identity_of_kind(IdentityKind.TRAVEL_PASSPORT),
    ),
    Required(
        code="powers_text",
        on=Powers,
        fields=("text",),
        when=lambda node, _: node.kind is PowersKind.TEXT,
    ),
    Required(
        code="powers_machine",
        on=Powers,
        fields=("machine",),
        when=lambda node, _: node.kind is PowersKind.MACHINE,
    ),
    Required(
        code="irrevocable",
        on=Terms,
        fields=("irrevocable",),
        when=lambda node, _: node.revocability is Revocability.IRREVOCABLE,
        severity=Severity.WARNING,
    ),
    Required(
        code="parent",
        on=Delegation,
        fields=("parent",),
        when=lambda node, _: node.ancestry is Ancestry.FROM_REDELEGATED,
    ),
    Required(
        code="notary",
        on=Delegation,
        fields=("notarization",),
        when=lambda node, _: (
            not {each.kind for each in node.delegators}
            & {
                RepresentativeKind.ORGANIZATION,
                RepresentativeKind.BRANCH,
                RepresentativeKind.FOREIGN_BRANCH,
            }
        ),
    ),
    Required(code="tax_file_id", on=PowerOfAttorney, fields=("tax_file_id",), when=_for_tax),
    Required(code="tax_form", on=Document, fields=("form_code",), when=_for_tax),
    Required(code="tax_office", on=Terms, fields=("tax_office",), when=_for_tax),
    Required(
        code="tax_citizenship",
        on=PersonDetails,
        fields=("citizenship_kind",),
        when=_for_tax,
    ),
    Required(
        code="citizenship",
        on=PersonDetails,
        fields=("citizenship",),
        when=lambda node, _: node.citizenship_kind is CitizenshipKind.FOREIGN,
    ),
)

_KIND = "сведения о лице не соответствуют указанному типу"

REFUSED: tuple[Refused, ...] = (
    *(
        Refused(code="party", on=on, when=_kind_mismatch, at="party", message=_KIND)
        for on in (Principal, Representative, Delegator, ParentPrincipal)
    ),
    Refused(
        code="executive",
        on=OrganizationPrincipal,
        when=lambda node, _: node.led_by_person and not any(e.person for e in node.executives),
        at="executives.person",
        message="ЕИОФЛ равно 1, но не указано физическое лицо без доверенности",
    ),
    Refused(
        code="executive",
        on=OrganizationPrincipal,
        when=lambda node, _: node.led_by_company and not any(e.company for e in node.executives),
        at="executives.company",
        message="ЕИОУК равно 1, но не указана управляющая компания",
    ),
    Refused(
        code="executive",
        on=OrganizationPrincipal,
        when=lambda node, _: (
            node.led_by_sole_trader and not any(e.sole_trader for e in node.executives)
        ),
        at="executives.sole_trader",
        message="ЕИОИП равно 1, но не указан индивидуальный предприниматель",
    ),
    Refused(
        code="executive_kind",
        on=OrganizationPrincipal,
        when=lambda node, _: (
            not (node.led_by_company or node.led_by_person or node.led_by_sole_trader)
        ),
        message="не указано, кто выступает единоличным исполнительным органом",
        severity=Severity.WARNING,
    ),
    Refused(
        code="executive_twice",
        on=OrganizationPrincipal,
        when=_same_person_twice,
        at="executives",
        message="одно и то же лицо без доверенности указано дважды",
        severity=Severity.WARNING,
    ),
    Refused(
        code="address",
        on=Address,
        when=lambda node, _: node.text is None and node.fias is None,
        at="text",
        message="не указано: «Адрес в Российской Федерации»",
    ),
    Refused(
        code="passport_number",
        on=IdentityDocument,
        when=lambda node, _: (
            node.kind == IdentityKind.RUSSIAN_PASSPORT
            and not re.fullmatch(r"[0-9]{2} [0-9]{2} [0-9]{6}", node.number)
        ),
        at="number",
        message="серия и номер паспорта гражданина РФ записываются как «00 00 000000»",
    ),
    Refused(
        code="passport_issuer_code",
        on=IdentityDocument,
        when=lambda node, _: (
            node.kind == IdentityKind.RUSSIAN_PASSPORT
            and node.issuer_code is not None
            and not re.fullmatch(r"[0-9]{3}-[0-9]{3}", node.issuer_code)
        ),
        at="issuer_code",
        message="код подразделения записывается как «000-000»",
    ),
    Refused(
        code="powers_mixed",
        on=Powers,
        when=lambda node, _: (
            bool(node.machine) if node.kind is PowersKind.TEXT else node.text is not None
        ),
        at="kind",
        message="указаны полномочия не того типа, который назван в «Тип полномочия»",
        severity=Severity.WARNING,
    ),
    Refused(
        code="limit_order",
        on=Powers,
        when=lambda node, _: any(
            [limit.ordinal for limit in power.limits] != list(range(1, len(power.limits) + 1))
            for power in node.machine
        ),
        at="machine",
        message="ограничения полномочия нумеруются подряд с единицы",
        severity=Severity.WARNING,
    ),
    Refused(
        code="after_redelegation",
        on=Powers,
        when=lambda node, poa: (
            node.after_redelegation is not None and poa.terms.redelegation is Redelegation.FORBIDDEN
        ),
        at="after_redelegation",
        message="признак утраты полномочий указывается, только если передоверие разрешено",
        severity=Severity.WARNING,
    ),
    Refused(
        code="parent",
        on=Delegation,
        when=lambda node, _: node.ancestry is Ancestry.FROM_FIRST and node.parent is not None,
        at="parent",
        message="передоверие на основании первоначальной доверенности не имеет промежуточной",
        severity=Severity.WARNING,
    ),
    Refused(
        code="flags",
        on=PowerOfAttorney,
        when=lambda node, _: "1" in node.flags[:1] + node.flags[4:],
        at="flags",
        message="первый и последние четыре флага должны быть равны 0",
    ),
    Refused(
        code="notarization",
        on=PowerOfAttorney,
        when=lambda node, _: node.notarial and node.content.notarization is None,
        at="flags",
        message="указан флаг нотариальной доверенности, но нет нотариального удостоверения",
        severity=Severity.WARNING,
    ),
    Refused(
        code="tax_form",
        on=Document,
        when=lambda node, poa: poa.for_tax and node.form_code not in {None, TAX_FORM},
        at="form_code",
        message=f"для налогового органа код формы по КНД равен {TAX_FORM}",
    ),
)

RULES: tuple[Required | Refused, ...] = (*REQUIRED, *REFUSED)
