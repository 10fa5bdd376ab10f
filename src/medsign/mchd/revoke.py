"""The application to revoke a power of attorney: a small document of its own, signed detached.

Known from software that sends it to the registry; the official schema is not published.
"""

from __future__ import annotations

from typing import Annotated

import attrs

from medsign.codec.xml import Attribute, Branch, Element, Text, bind, build, parse, read, serialize
from medsign.errors import InvalidDocument, UsageError
from medsign.mchd.model import Grant, PowerOfAttorney
from medsign.mchd.model import lexical as lex

_ROOT = "Файл"
_WHAT = "заявление об отзыве доверенности"
_APPLICANT = Branch(required=True)


@attrs.frozen(kw_only=True, repr=False)
class RevokingOrganization:
    """РосОргДовер."""

    name: Annotated[str, Attribute("НаимОрг", "Наименование юридического лица", lex.TEXT_1000)]
    inn: Annotated[str, Attribute("ИННЮЛ", "ИНН юридического лица", lex.INN_LEGAL)]
    kpp: Annotated[str, Attribute("КПП", "КПП юридического лица", lex.KPP)]
    ogrn: Annotated[str, Attribute("ОГРН", "ОГРН", lex.OGRN)]


@attrs.frozen(kw_only=True, repr=False)
class RevokingSoleTrader:
    """ИПДовер."""

    name: Annotated[
        str,
        Attribute("НаимИП", "Наименование индивидуального предпринимателя", lex.TEXT_1000),
    ]
    inn: Annotated[str, Attribute("ИННФЛ", "ИНН индивидуального предпринимателя", lex.INN_PERSON)]
    ogrnip: Annotated[str, Attribute("ОГРНИП", "ОГРНИП", lex.OGRNIP)]


@attrs.frozen(kw_only=True, repr=False)
class RevokingPrincipal:
    """СвДоверит."""

    organization: Annotated[
        RevokingOrganization | None,
        Element("РосОргДовер", "Сведения о юридическом лице", branch=_APPLICANT),
    ] = None
    sole_trader: Annotated[
        RevokingSoleTrader | None,
        Element("ИПДовер", "Сведения об индивидуальном предпринимателе", branch=_APPLICANT),
    ] = None


@attrs.frozen(kw_only=True, repr=False)
class Applicant:
    """СвЗаявит."""

    principal: Annotated[RevokingPrincipal, Element("СвДоверит", "Сведения о доверителе")]


@attrs.frozen(kw_only=True)
class Application:
    """СвЗаяв."""

    number: Annotated[
        str, Attribute("НомДовер", "Единый регистрационный номер доверенности", lex.GUID)
    ]
    reason: Annotated[str, Attribute("ПричОтз", "Причина отзыва доверенности", Text(1, 500))] = (
        attrs.field(repr=False)
    )


@attrs.frozen(kw_only=True)
class RevocationContent:
    """Документ."""

    application: Annotated[Application, Element("СвЗаяв", "Сведения о заявлении")]
    applicant: Annotated[Applicant, Element("СвЗаявит", "Сведения о заявителе")]


@attrs.frozen(kw_only=True)
class Revocation:
    """Файл: the application to revoke, format 001."""

    version: Annotated[str, Attribute("ВерсФорм", "Версия формата", Text(3, 3, "001"))] = "001"
    content: Annotated[RevocationContent, Element("Документ", "Заявление об отзыве")]


def revocation(poa: PowerOfAttorney, reason: str) -> Revocation:
    """Return the application by which the first principal revokes his power of attorney.

    Args:
        poa: The registered power of attorney.
        reason: Why, 1 to 500 characters.

    Raises:
        UsageError: A delegated power of attorney, or a principal of a kind for which no format of
            the application is known: a person or a foreign organisation.
    """
    if not isinstance(poa.content, Grant):
        raise UsageError(
            "no format is known to revoke a delegated power of attorney",
            "Доверенность, выданную в порядке передоверия, программа отозвать не может. "
            "Отзовите её там, где она оформлена.",
        )
    party = poa.content.principals[0].party
    if party.organization is not None:
        own = party.organization.organization
        principal = RevokingPrincipal(
            organization=RevokingOrganization(
                name=own.name, inn=own.inn or "", kpp=own.kpp, ogrn=own.ogrn or ""
            )
        )
    elif party.sole_trader is not None:
        trader = party.sole_trader
        full = trader.details.name
        spelled = " ".join(filter(None, (full.surname, full.given_name, full.patronymic)))
        principal = RevokingPrincipal(
            sole_trader=RevokingSoleTrader(
                name=trader.name or f"Индивидуальный предприниматель {spelled}",
                inn=trader.inn,
                ogrnip=trader.ogrnip,
            )
        )
    else:
        raise UsageError(
            "no format is known for a revocation by this kind of principal",
            "Программа отзывает доверенности только российских организаций и ИП. "
            "Отзовите эту там, где она оформлена.",
        )
    return Revocation(
        content=RevocationContent(
            application=Application(number=poa.terms.number, reason=reason),
            applicant=Applicant(principal=principal),
        )
    )


def encode_revocation(document: Revocation) -> bytes:
    """Write the application as the file to sign, in windows-1251.

    Raises:
        InvalidDocument: A value breaks the structure.
    """
    root = build(document, _ROOT)
    _, violations = bind(Revocation, root, _ROOT)
    if violations:
        raise InvalidDocument(_WHAT, ((fault.path, fault.message) for fault in violations))
    return serialize(root, encoding="windows-1251")


def decode_revocation(data: bytes) -> Revocation:
    """Read an application to revoke.

    Raises:
        MalformedError: Not such a document.
    """
    return read(Revocation, parse(data, what=_WHAT), _ROOT)
