"""The document: a grant or a delegation of power, and the root around it."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import attrs

from medsign.codec.xml import AnyDate, Attribute, Branch, Element, Text
from medsign.mchd.model import lexical as lex
from medsign.mchd.model.codes import (
    Ancestry,
    FormatVersion,
    NotaryPartyStatus,
    ParentForm,
    ParentOrder,
    PrincipalKind,
    RepresentativeKind,
)
from medsign.mchd.model.parties import (
    ForeignOrganization,
    ForeignPrincipal,
    Organization,
    OrganizationPrincipal,
    Person,
    PersonDetails,
    PersonPrincipal,
    Principal,
    Representative,
    SoleTrader,
)
from medsign.mchd.model.terms import (
    ACTING_NOTARY,
    NOTARY,
    ActingNotary,
    Notarization,
    Notary,
    Powers,
    Terms,
)

_POWERS = Element("СвПолн", "Сведения о полномочиях представителя (представителей)")
_NOTARIZATION = Element("СвНотУд", "Сведения о нотариальном удостоверении")


@attrs.frozen(kw_only=True)
class Grant:
    """Довер: a power of attorney given by its principal."""

    terms: Annotated[Terms, Element("СвДов", "Сведения о доверенности")]
    principals: Annotated[
        tuple[Principal, ...],
        Element("СвДоверит", "Сведения о доверителе (доверителях)", at_least=1),
    ]
    representatives: Annotated[
        tuple[Representative, ...],
        Element("СвУпПред", "Сведения о представителе (представителях)", at_least=1),
    ]
    powers: Annotated[Powers, _POWERS]
    notarization: Annotated[Notarization | None, _NOTARIZATION] = None


@attrs.frozen(kw_only=True, repr=False)
class ParentPrincipalParty:
    """ДоверитПерв."""

    organization: Annotated[
        Organization | None, Element("РосОргДовер", "Сведения о юридическом лице")
    ] = None
    foreign_organization: Annotated[
        ForeignOrganization | None,
        Element("ИнОргДовер", "Сведения об иностранном юридическом лице"),
    ] = None
    sole_trader: Annotated[
        SoleTrader | None,
        Element("ИПДовер", "Сведения об индивидуальном предпринимателе"),
    ] = None
    person: Annotated[PersonPrincipal | None, Element("ФЛДовер", "Сведения о физическом лице")] = (
        None
    )


@attrs.frozen(kw_only=True, repr=False)
class ParentPrincipal:
    """СвДоверПерв."""

    kind: Annotated[PrincipalKind, Attribute("ТипДоверит", "Тип доверителя")]
    party: Annotated[
        ParentPrincipalParty,
        Element("ДоверитПерв", "Сведения о доверителе первоначальной доверенности"),
    ]


_CENTURIES = AnyDate(date(1900, 1, 1), date(2100, 12, 31))


@attrs.frozen(kw_only=True)
class Parent:
    """СвПервДоверТип: the first power of attorney of a chain, or the one delegated from."""

    order: Annotated[ParentOrder, Attribute("ПрДовер", "Признак доверенности")]
    form: Annotated[ParentForm, Attribute("ФормДовер", "Форма доверенности")]
    issued: Annotated[
        date, Attribute("ДатаВыдДовер", "Дата совершения (выдачи) доверенности", _CENTURIES)
    ]
    valid_until: Annotated[date, Attribute("СрокДейст", "Срок действия доверенности", _CENTURIES)]
    first_internal_number: Annotated[
        str | None,
        Attribute("ВнНомДоверПерв", "Внутренний номер первоначальной доверенности", lex.TEXT_50),
    ] = None
    parent_internal_number: Annotated[
        str | None,
        Attribute(
            "ВнНомДоверN",
            "Внутренний номер доверенности, на основании которой осуществляется передоверие",
            lex.TEXT_50,
        ),
    ] = None
    first_number: Annotated[
        str | None,
        Attribute(
            "НомДоверПерв",
            "Единый регистрационный номер первоначальной доверенности",
            lex.GUID,
        ),
    ] = None
    parent_number: Annotated[
        str | None,
        Attribute(
            "НомДоверN",
            "Единый регистрационный номер доверенности, на основании которой "
            "осуществляется передоверие",
            lex.GUID,
        ),
    ] = None
    first_notary_register_number: Annotated[
        str | None,
        Attribute(
            "НомРНДПерв",
            "Номер первоначальной доверенности в реестре нотариальных действий",
            Text(1, 28),
        ),
    ] = None
    parent_notary_register_number: Annotated[
        str | None,
        Attribute(
            "НомРНДN",
            "Номер доверенности, на основании которой осуществляется передоверие, "
            "в реестре нотариальных действий",
            Text(1, 28),
        ),
    ] = None
    principals: Annotated[
        tuple[ParentPrincipal, ...],
        Element("СвДоверПерв", "Сведения о доверителе (доверителях) первоначальной доверенности"),
    ] = ()
    notary: Annotated[Notary | None, NOTARY] = None
    acting_notary: Annotated[ActingNotary | None, ACTING_NOTARY] = None


@attrs.frozen(kw_only=True, repr=False)
class DelegatingPerson:
    """ФЛПерПолн."""

    notary_status: Annotated[
        NotaryPartyStatus | None,
        Attribute("СтУчНД", "Статус участника нотариального действия"),
    ] = None
    signed_by_proxy: Annotated[
        bool | None, Attribute("ПрНалРук", "Признак наличия рукоприкладчика")
    ] = None
    inn: Annotated[str, Attribute("ИННФЛ", "ИНН физического лица", lex.INN_PERSON)]
    snils: Annotated[str, Attribute("СНИЛС", "СНИЛС", lex.SNILS)]
    proxy: Annotated[Person | None, Element("СведРукоп", "Сведения о рукоприкладчике")] = None
    details: Annotated[PersonDetails, Element("СведФЛ", "Сведения о физическом лице")]


@attrs.frozen(kw_only=True, repr=False)
class DelegatingBranch:
    """ФилПерПолн."""

    branch: Annotated[
        Organization,
        Element("СвФил", "Сведения о филиале (обособленном подразделении) юридического лица"),
    ]
    head: Annotated[
        Person, Element("СвРукФил", "Сведения о руководителе филиала юридического лица")
    ]


@attrs.frozen(kw_only=True, repr=False)
class DelegatorParty:
    """ПередПолн: the one alternative that the kind of the delegator names."""

    organization: Annotated[
        OrganizationPrincipal | None, Element("РосОргПерПолн", "Сведения о юридическом лице")
    ] = None
    sole_trader: Annotated[
        SoleTrader | None,
        Element("ИППерПолн", "Сведения об индивидуальном предпринимателе"),
    ] = None
    person: Annotated[
        DelegatingPerson | None, Element("ФЛПерПолн", "Сведения о физическом лице")
    ] = None
    branch: Annotated[
        DelegatingBranch | None,
        Element("ФилПерПолн", "Сведения о филиале (обособленном подразделении) юридического лица"),
    ] = None
    foreign_branch: Annotated[
        ForeignPrincipal | None,
        Element("ИнПерПолн", "Сведения о филиале иностранного юридического лица"),
    ] = None


@attrs.frozen(kw_only=True, repr=False)
class Delegator:
    """СвПередПолн."""

    kind: Annotated[RepresentativeKind, Attribute("ТипПерПолн", "Тип лица, передавшего полномочия")]
    party: Annotated[DelegatorParty, Element("ПередПолн", "Сведения о лице, передавшем полномочия")]


@attrs.frozen(kw_only=True)
class Delegation:
    """Передов: a power of attorney given by a representative of another one."""

    ancestry: Annotated[
        Ancestry,
        Attribute("ПрНалПередов", "Признак наличия доверенности, выданной в порядке передоверия"),
    ]
    first: Annotated[Parent, Element("СвПервДовер", "Сведения о первоначальной доверенности")]
    parent: Annotated[
        Parent | None,
        Element(
            "СвПередов",
            "Сведения о доверенности, на основании которой осуществляется передоверие",
        ),
    ] = None
    terms: Annotated[Terms, Element("СвПереДовер", "Сведения о доверенности")]
    delegators: Annotated[
        tuple[Delegator, ...],
        Element(
            "СвПередПолн",
            "Сведения о лице (лицах), передавшем (передавших) полномочия",
            at_least=1,
        ),
    ]
    representatives: Annotated[
        tuple[Representative, ...],
        Element(
            "СвПолучПолн",
            "Сведения о лице (лицах), получившем (получивших) полномочия",
            at_least=1,
        ),
    ]
    powers: Annotated[Powers, _POWERS]
    notarization: Annotated[Notarization | None, _NOTARIZATION] = None


_DOCUMENT = Branch(required=True)


@attrs.frozen(kw_only=True)
class Document:
    """Документ."""

    form_code: Annotated[str | None, Attribute("КНД", "Код формы по КНД", Text(7, 7))] = None
    grant: Annotated[Grant | None, Element("Довер", "Доверенность", branch=_DOCUMENT)] = None
    delegation: Annotated[
        Delegation | None, Element("Передов", "Передоверие", branch=_DOCUMENT)
    ] = None


@attrs.frozen(kw_only=True)
class PowerOfAttorney:
    """Доверенность: the root of the unified format 003 (``EMCHD_1``)."""

    format_version: Annotated[FormatVersion, Attribute("ВерсФорм", "Версия формата")] = (
        FormatVersion.EMCHD_1
    )
    flags: Annotated[str, Attribute("ПрЭлФорм", "Флаг обязательности элементов", lex.FLAGS)] = (
        "00000000"
    )
    file_id: Annotated[str, Attribute("ИдФайл", "Идентификатор файла", lex.TEXT_255)]
    tax_file_id: Annotated[
        str | None,
        Attribute(
            "ИдФайлНО",
            "Идентификатор файла для представления интересов в налоговом органе",
            lex.TEXT_255,
        ),
    ] = None
    esia_id: Annotated[
        str | None, Attribute("OID", "Внешний идентификатор объекта ЕСИА", lex.TEXT_255)
    ] = None
    other: Annotated[str | None, Element("ИнСвед", "Иные сведения", Text(1, 5000))] = None
    document: Annotated[Document, Element("Документ", "Состав и структура документа")]

    @property
    def content(self) -> Grant | Delegation:
        """The grant or the delegation, whichever the document holds."""
        content = self.document.grant or self.document.delegation
        assert content is not None, "the format requires one of the two"
        return content

    @property
    def terms(self) -> Terms:
        """Number and dates of this power of attorney."""
        return self.content.terms

    @property
    def representatives(self) -> tuple[Representative, ...]:
        """Who may act."""
        return self.content.representatives

    @property
    def powers(self) -> Powers:
        """What they may do."""
        return self.content.powers

    @property
    def for_tax(self) -> bool:
        """Whether the fourth flag says that the document goes to the tax service."""
        return self.flags[3:4] == "1"

    @property
    def notarial(self) -> bool:
        """Whether the third flag says that a notary takes part."""
        return self.flags[2:3] == "1"
