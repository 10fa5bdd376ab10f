"""People, organisations and their addresses in the unified format 003."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import attrs

from medsign.codec.xml import Attribute, Branch, Element, Text
from medsign.mchd.model import lexical as lex
from medsign.mchd.model.codes import (
    CitizenshipKind,
    Exercise,
    NotaryPartyStatus,
    PrincipalKind,
    RepresentativeKind,
    Sex,
)

_STATUS = Attribute("СтУчНД", "Статус участника нотариального действия")
_PHONE = Attribute("КонтактТлф", "Контактный телефон", lex.PHONE)
_EMAIL = Attribute("АдрЭлПочт", "Адрес электронной почты", lex.EMAIL)
_PERSON_INN = Attribute("ИННФЛ", "ИНН физического лица", lex.INN_PERSON)
_SNILS = Attribute("СНИЛС", "СНИЛС", lex.SNILS)


@attrs.frozen(kw_only=True, repr=False)
class FullName:
    """ФИО."""

    surname: Annotated[str, Attribute("Фамилия", "Фамилия", lex.NAME)]
    given_name: Annotated[str, Attribute("Имя", "Имя", lex.NAME)]
    patronymic: Annotated[str | None, Attribute("Отчество", "Отчество", lex.NAME)] = None


_ADDRESS_TEXT = Branch(required=False)


@attrs.frozen(kw_only=True, repr=False)
class Address:
    """АдрТип: an address in the Russian Federation, as text or by ФИАС."""

    region: Annotated[str, Attribute("Регион", "Субъект Российской Федерации", lex.REGION)]
    fias_id: Annotated[
        str | None, Attribute("ИдФИАС", "Идентификатор адреса по ФИАС", lex.GUID)
    ] = None
    text: Annotated[
        str | None,
        Element("АдрРФ", "Адрес в Российской Федерации", lex.TEXT_1000, branch=_ADDRESS_TEXT),
    ] = None
    fias: Annotated[
        str | None,
        Element(
            "ФИАСАдрРФ", "ФИАС адрес в Российской Федерации", lex.TEXT_1000, branch=_ADDRESS_TEXT
        ),
    ] = None


@attrs.frozen(kw_only=True, repr=False)
class IdentityDocument:
    """УдЛичнФЛ."""

    kind: Annotated[str, Attribute("КодВидДок", "Код вида документа", lex.IDENTITY_KIND)]
    number: Annotated[str, Attribute("СерНомДок", "Серия и номер документа", Text(1, 25))]
    issued: Annotated[date, Attribute("ДатаДок", "Дата выдачи документа")]
    issuer: Annotated[
        str | None,
        Attribute("ВыдДок", "Наименование органа, выдавшего документ", Text(1, 4000)),
    ] = None
    issuer_code: Annotated[
        str | None,
        Attribute("КодВыдДок", "Код подразделения органа, выдавшего документ", Text(7, 7)),
    ] = None
    expires: Annotated[
        date | None,
        Element("expDate", "Дата истечения срока действия документа, удостоверяющего личность"),
    ] = None


@attrs.frozen(kw_only=True, repr=False)
class PersonDetails:
    """СведФЛТип."""

    sex: Annotated[Sex | None, Attribute("Пол", "Пол физического лица")] = None
    citizenship_kind: Annotated[
        CitizenshipKind | None, Attribute("ПрГражд", "Признак наличия гражданства")
    ] = None
    population_register: Annotated[
        str | None,
        Attribute("НомЕРН", "Номер записи единого регистра населения", lex.POPULATION_REGISTER),
    ] = None
    birth_date: Annotated[date | None, Attribute("ДатаРожд", "Дата рождения")] = None
    birth_place: Annotated[str | None, Attribute("МестоРожд", "Место рождения", Text(1, 250))] = (
        None
    )
    citizenship: Annotated[str | None, Attribute("Гражданство", "Гражданство", lex.COUNTRY)] = None
    phone: Annotated[str | None, _PHONE] = None
    email: Annotated[str | None, _EMAIL] = None
    name: Annotated[FullName, Element("ФИО", "ФИО")]
    residence: Annotated[Address | None, Element("АдрМЖ", "Адрес места жительства")] = None
    identity: Annotated[
        IdentityDocument | None,
        Element("УдЛичнФЛ", "Сведения о документе, удостоверяющем личность физического лица"),
    ] = None


@attrs.frozen(kw_only=True, repr=False)
class AuthorityDocument:
    """ДокПдтвТип: the document that proves the authority of a person."""

    name: Annotated[
        str | None, Attribute("НаимДокПдтв", "Наименование документа", Text(1, 120))
    ] = None
    issued: Annotated[date | None, Attribute("ДатаВыд", "Дата выдачи документа")] = None
    issuer: Annotated[
        str | None,
        Attribute("КемВыд", "Наименование органа, выдавшего документ", lex.TEXT_1000),
    ] = None
    certification: Annotated[
        str | None, Attribute("СвУдДок", "Сведения об удостоверении документа", lex.TEXT_1000)
    ] = None


_AUTHORITY = Element("ДокПдтв", "Документ, подтверждающий полномочия лица")
_DETAILS = Element("СведФЛ", "Сведения о физическом лице")


@attrs.frozen(kw_only=True, repr=False)
class Person:
    """СвФЛТип."""

    notary_status: Annotated[NotaryPartyStatus | None, _STATUS] = None
    inn: Annotated[str | None, _PERSON_INN] = None
    snils: Annotated[str | None, _SNILS] = None
    position: Annotated[str | None, Attribute("Должность", "Должность", lex.TEXT_255)] = None
    authority: Annotated[AuthorityDocument | None, _AUTHORITY] = None
    details: Annotated[PersonDetails, _DETAILS]


@attrs.frozen(kw_only=True, repr=False)
class SoleTrader:
    """СведИПТип."""

    notary_status: Annotated[NotaryPartyStatus | None, _STATUS] = None
    name: Annotated[
        str | None,
        Attribute("НаимИП", "Наименование индивидуального предпринимателя", lex.TEXT_1000),
    ] = None
    ogrnip: Annotated[str, Attribute("ОГРНИП", "ОГРНИП", lex.OGRNIP)]
    inn: Annotated[str, Attribute("ИННФЛ", "ИНН индивидуального предпринимателя", lex.INN_PERSON)]
    snils: Annotated[str, _SNILS]
    authority: Annotated[AuthorityDocument | None, _AUTHORITY] = None
    details: Annotated[PersonDetails, _DETAILS]


@attrs.frozen(kw_only=True, repr=False)
class Organization:
    """СвОргТип: a Russian organisation or its branch."""

    notary_status: Annotated[NotaryPartyStatus | None, _STATUS] = None
    name: Annotated[str, Attribute("НаимОрг", "Наименование юридического лица", lex.TEXT_1000)]
    inn: Annotated[str | None, Attribute("ИННЮЛ", "ИНН юридического лица", lex.INN_LEGAL)] = None
    kpp: Annotated[str, Attribute("КПП", "КПП юридического лица", lex.KPP)]
    ogrn: Annotated[str | None, Attribute("ОГРН", "ОГРН", lex.OGRN)] = None
    branch_number: Annotated[
        str | None,
        Attribute(
            "РегНомер",
            "Регистрационный номер филиала (обособленного подразделения)",
            Text(1, 80),
        ),
    ] = None
    charter: Annotated[
        str | None,
        Attribute("НаимУчрДок", "Наименование учредительного документа", lex.TEXT_1000),
    ] = None
    phone: Annotated[str | None, _PHONE] = None
    email: Annotated[str | None, _EMAIL] = None
    authority: Annotated[AuthorityDocument | None, _AUTHORITY] = None
    address: Annotated[Address | None, Element("АдрРег", "Адрес юридического лица")] = None


@attrs.frozen(kw_only=True, repr=False)
class ForeignOrganization:
    """СвИнОргТип."""

    notary_status: Annotated[NotaryPartyStatus | None, _STATUS] = None
    name: Annotated[
        str, Attribute("НаимИО", "Наименование иностранного юридического лица", lex.TEXT_1000)
    ]
    inn: Annotated[
        str | None, Attribute("ИННЮЛ", "ИНН иностранного юридического лица", lex.INN_LEGAL)
    ] = None
    kpp: Annotated[str | None, Attribute("КПП", "КПП филиала", lex.KPP)] = None
    accreditation: Annotated[
        str | None, Attribute("НЗА", "Номер записи об аккредитации", Text(11, 11))
    ] = None
    country: Annotated[
        str | None, Attribute("СтрРег", "Страна регистрации (инкорпорации)", lex.COUNTRY)
    ] = None
    registrar: Annotated[
        str | None,
        Attribute("НаимРегОрг", "Наименование регистрирующего органа", lex.TEXT_255),
    ] = None
    registration_number: Annotated[
        str | None,
        Attribute(
            "РегНомер",
            "Регистрационный номер в стране регистрации (инкорпорации)",
            Text(1, 80),
        ),
    ] = None
    taxpayer_code: Annotated[
        str | None,
        Attribute("КодНПРег", "Код налогоплательщика в стране регистрации", Text(1, 80)),
    ] = None
    phone: Annotated[str | None, _PHONE] = None
    email: Annotated[str | None, _EMAIL] = None
    home_address: Annotated[
        str | None,
        Attribute("АдрСтрРег", "Адрес в государстве регистрации", lex.TEXT_1000),
    ] = None
    address: Annotated[
        Address | None,
        Element("АдрМНФакт", "Адрес (место нахождения) на территории Российской Федерации"),
    ] = None


@attrs.frozen(kw_only=True, repr=False)
class ManagingCompany:
    """СВЮЛ: a managing company that acts as the sole executive."""

    organization: Annotated[Organization, Element("СвЮЛЕИО", "Сведения о юридическом лице")]
    people: Annotated[
        tuple[Person, ...],
        Element("СвФЛ", "Лица, действующие без доверенности", at_least=1),
    ]


@attrs.frozen(kw_only=True, repr=False)
class Executive:
    """ЛицоБезДовТип: who acts without a power of attorney."""

    exercise: Annotated[
        Exercise, Attribute("ПолнЮЛ", "Вид полномочий единоличного исполнительного органа")
    ]
    company: Annotated[
        ManagingCompany | None, Element("СВЮЛ", "Сведения об управляющей компании")
    ] = None
    person: Annotated[
        Person | None,
        Element("СвФЛ", "Сведения о единоличном исполнительном органе - физическом лице"),
    ] = None
    sole_trader: Annotated[
        SoleTrader | None,
        Element(
            "СвИП",
            "Сведения о единоличном исполнительном органе - индивидуальном предпринимателе",
        ),
    ] = None


@attrs.frozen(kw_only=True, repr=False)
class OrganizationPrincipal:
    """РосОргДоверТип: a Russian organisation and who acts for it."""

    led_by_company: Annotated[
        bool,
        Attribute("ЕИОУК", "Единоличным исполнительным органом выступает управляющая компания"),
    ]
    led_by_person: Annotated[
        bool,
        Attribute("ЕИОФЛ", "Единоличным исполнительным органом выступает физическое лицо"),
    ]
    led_by_sole_trader: Annotated[
        bool,
        Attribute(
            "ЕИОИП", "Единоличным исполнительным органом выступает индивидуальный предприниматель"
        ),
    ]
    organization: Annotated[Organization, Element("СвРосОрг", "Сведения о юридическом лице")]
    executives: Annotated[
        tuple[Executive, ...],
        Element(
            "ЛицоБезДов",
            "Сведения о лице, действующем от имени юридического лица без доверенности",
            at_least=1,
        ),
    ]


@attrs.frozen(kw_only=True, repr=False)
class ForeignPrincipal:
    """ИнОргДоверТип: a foreign organisation and its heads."""

    organization: Annotated[
        ForeignOrganization, Element("СвИнОрг", "Сведения об иностранном юридическом лице")
    ]
    heads: Annotated[tuple[Person, ...], Element("СвРукОП", "Сведения о руководителе", at_least=1)]


@attrs.frozen(kw_only=True, repr=False)
class PersonPrincipal:
    """ФЛДоверТип: a natural person as principal."""

    notary_status: Annotated[NotaryPartyStatus | None, _STATUS] = None
    capable: Annotated[
        bool | None,
        Attribute("ПрДеесп", "Признак наличия полной гражданской дееспособности доверителя"),
    ] = None
    signed_by_proxy: Annotated[
        bool | None, Attribute("ПрНалРук", "Признак наличия рукоприкладчика")
    ] = None
    incapacity_document: Annotated[
        str | None,
        Attribute(
            "ДокНедеесп", "Документ, подтверждающий недееспособность доверителя", lex.TEXT_255
        ),
    ] = None
    inn: Annotated[str | None, _PERSON_INN] = None
    snils: Annotated[str, _SNILS]
    details: Annotated[PersonDetails, _DETAILS]
    legal_representative: Annotated[
        Executive | None,
        Element("СвЗакПредРук", "Сведения о законном представителе или рукоприкладчике"),
    ] = None


@attrs.frozen(kw_only=True, repr=False)
class PrincipalParty:
    """Доверит: the one alternative that the kind of the principal names."""

    organization: Annotated[
        OrganizationPrincipal | None, Element("РосОргДовер", "Сведения о юридическом лице")
    ] = None
    foreign_organization: Annotated[
        ForeignPrincipal | None,
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
class Principal:
    """СвДоверит."""

    kind: Annotated[PrincipalKind, Attribute("ТипДоверит", "Тип доверителя")]
    party: Annotated[PrincipalParty, Element("Доверит", "Сведения о доверителе")]


@attrs.frozen(kw_only=True, repr=False)
class RepresentativeParty:
    """Пред: the one alternative that the kind of the representative names."""

    organization: Annotated[
        Organization | None, Element("СведОрг", "Сведения о юридическом лице")
    ] = None
    sole_trader: Annotated[
        SoleTrader | None, Element("СведИП", "Сведения об индивидуальном предпринимателе")
    ] = None
    person: Annotated[Person | None, Element("СведФизЛ", "Сведения о физическом лице")] = None
    branch: Annotated[
        Organization | None,
        Element("СведФилиал", "Сведения о филиале (обособленном подразделении) юридического лица"),
    ] = None
    foreign_branch: Annotated[
        ForeignOrganization | None,
        Element("СведИО", "Сведения о филиале иностранного юридического лица"),
    ] = None


@attrs.frozen(kw_only=True, repr=False)
class Representative:
    """СвУпПредТип."""

    kind: Annotated[RepresentativeKind, Attribute("ТипПред", "Тип представителя")]
    party: Annotated[RepresentativeParty, Element("Пред", "Сведения о представителе")]
