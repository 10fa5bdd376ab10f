"""Terms, powers and notarisation of a power of attorney."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

import attrs

from medsign.codec.xml import Attribute, Branch, Element, Integer, Number, Text
from medsign.mchd.model import lexical as lex
from medsign.mchd.model.codes import (
    Exercise,
    IrrevocableRedelegation,
    PowersAfterRedelegation,
    PowersKind,
    Redelegation,
    Revocability,
    RevocationCondition,
)
from medsign.mchd.model.parties import FullName


@attrs.frozen(kw_only=True)
class Irrevocable:
    """Безотзыв."""

    redelegation: Annotated[
        IrrevocableRedelegation,
        Attribute("ПрПерБезДов", "Признак передоверия безотзывной доверенности"),
    ]
    condition: Annotated[
        RevocationCondition,
        Attribute("УслОтзыва", "Условие отзыва безотзывной доверенности"),
    ]
    description: Annotated[
        str | None,
        Element("ОписУслОт", "Описание условия отзыва безотзывной доверенности", lex.TEXT_1000),
    ] = None


@attrs.frozen(kw_only=True)
class Terms:
    """СвДовТип: number, dates and kind of the power of attorney.

    `number` keeps the letter case of the registration: the registry tells the cases apart.
    `valid_until` counts to the end of that day, Moscow time.
    """

    revocability: Annotated[Revocability, Attribute("ВидДовер", "Вид доверенности")]
    redelegation: Annotated[
        Redelegation, Attribute("ПрПередов", "Признак возможности оформления передоверия")
    ]
    internal_number: Annotated[
        str, Attribute("ВнНомДовер", "Внутренний номер доверенности", lex.TEXT_50)
    ]
    number: Annotated[
        str, Attribute("НомДовер", "Единый регистрационный номер доверенности", lex.GUID)
    ]
    notary_register_number: Annotated[
        str | None,
        Attribute(
            "НомРНДДовер",
            "Регистрационный номер доверенности в реестре нотариальных действий",
            Text(1, 28),
        ),
    ] = None
    extra_id: Annotated[
        str | None,
        Attribute("ДопИдДовер", "Дополнительный идентификатор доверенности", lex.TEXT_50),
    ] = None
    internal_date: Annotated[
        date | None, Attribute("ДатаВнРегДовер", "Дата внутренней регистрации доверенности")
    ] = None
    issued: Annotated[date, Attribute("ДатаВыдДовер", "Дата совершения (выдачи) доверенности")]
    valid_until: Annotated[date, Attribute("СрокДейст", "Срок действия доверенности")]
    tax_office: Annotated[
        str | None,
        Attribute(
            "КодНО", "Код налогового органа, в который представляется доверенность", lex.TAX_OFFICE
        ),
    ] = None
    valid_in_tax_offices: Annotated[
        tuple[str, ...],
        Element(
            "КодНОДейст",
            "Код налогового органа, в отношении которого действует доверенность",
            lex.TAX_OFFICE,
        ),
    ] = ()
    system: Annotated[
        str,
        Element(
            "СведСист",
            "Сведения об информационной системе, предоставляющей информацию о доверенности",
            lex.TEXT_1000,
        ),
    ]
    irrevocable: Annotated[
        Irrevocable | None, Element("Безотзыв", "Сведения о безотзывной доверенности")
    ] = None


_LIMIT_VALUE = Branch(required=True)


@attrs.frozen(kw_only=True)
class Limit:
    """ОгрСвПолн: a limit on a machine-readable power."""

    ordinal: Annotated[int, Attribute("ИдОгр", "Порядковый номер ограничения", Integer(3, 1))]
    code: Annotated[str, Attribute("КодОгр", "Код ограничения", lex.TEXT_255)]
    name: Annotated[str, Attribute("НаимОгр", "Наименование ограничения", lex.TEXT_255)]
    value_name: Annotated[
        str | None,
        Attribute("НаимЗначОгр", "Наименование значения для ограничения", lex.TEXT_255),
    ] = None
    value_code: Annotated[
        str | None,
        Element("КодЗначОгр", "Код значения для ограничения", lex.TEXT_255, branch=_LIMIT_VALUE),
    ] = None
    value_text: Annotated[
        str | None,
        Element(
            "ТексЗначОгр", "Текстовое значение для ограничения", lex.TEXT_255, branch=_LIMIT_VALUE
        ),
    ] = None


@attrs.frozen(kw_only=True)
class MachinePower:
    """МашПолн: a power from the unified classifier."""

    mnemonic: Annotated[str | None, Attribute("МнПолн", "Мнемоника полномочия", Text(6, 255))] = (
        None
    )
    code: Annotated[str, Attribute("КодПолн", "Код полномочия", Text(6, 255))]
    name: Annotated[str, Attribute("НаимПолн", "Наименование полномочия", lex.TEXT_255)]
    limits: Annotated[
        tuple[Limit, ...], Element("ОгрСвПолн", "Сведения об ограничении к полномочию")
    ] = ()


@attrs.frozen(kw_only=True)
class Powers:
    """СвПолнТип."""

    kind: Annotated[PowersKind, Attribute("ТипПолн", "Тип полномочия")]
    exercise: Annotated[
        Exercise, Attribute("ПрСовмПолн", "Признак совместного осуществления полномочий")
    ]
    after_redelegation: Annotated[
        PowersAfterRedelegation | None,
        Attribute("ПрУтрПолн", "Признак утраты полномочий при передоверии"),
    ] = None
    text: Annotated[
        str | None, Element("ТекстПолн", "Текстовое содержание полномочия", Text(1, 10000))
    ] = None
    machine: Annotated[
        tuple[MachinePower, ...],
        Element("МашПолн", "Сведения о машиночитаемом полномочии"),
    ] = ()


@attrs.frozen(kw_only=True, repr=False)
class Notary:
    """СвНотДействТип."""

    position: Annotated[str, Attribute("Должность", "Должность", lex.TEXT_255)]
    register_number: Annotated[
        str, Attribute("РегНомНот", "Регистрационный номер нотариуса в Минюсте", Text(5, 13))
    ]
    name: Annotated[FullName, Element("ФИОНотДейств", "ФИО нотариуса")]


@attrs.frozen(kw_only=True, repr=False)
class ActingNotary:
    """ВриоНотТип."""

    position: Annotated[str, Attribute("Должность", "Должность", lex.TEXT_255)]
    register_number: Annotated[
        str,
        Attribute(
            "РегНомНот",
            "Регистрационный номер лица, сдавшего квалификационный экзамен в Минюсте",
            Text(3, 8),
        ),
    ]
    name: Annotated[FullName, Element("ФИОВриоНот", "ФИО ВРИО нотариуса")]


@attrs.frozen(kw_only=True, repr=False)
class HandwrittenSignature:
    """ПодпРукопис."""

    document_hash: Annotated[str, Element("ХешPDFДок", "Хеш PDF документа", lex.BLOB)]
    image: Annotated[str, Element("ПодпИзобр", "Изображение подписи", lex.BLOB)]
    signature_hash: Annotated[str, Element("ХешПодп", "Хеш подписи", lex.BLOB)]
    signed_at: Annotated[int, Element("ДатаВремПодп", "Дата и время подписи", Integer(10))]
    name: Annotated[FullName, Element("ФИООтв", "ФИО лица, подписавшего доверенность")]


_MONEY = Number(10, 2)
NOTARY = Element("СвНотДейств", "Сведения о нотариусе, совершившем нотариальное действие")
ACTING_NOTARY = Element("ВриоНот", "ВРИО нотариуса")


@attrs.frozen(kw_only=True, repr=False)
class Notarization:
    """СвНотУдТип."""

    place: Annotated[str, Attribute("МестоДовер", "Место совершения доверенности", Text(1, 250))]
    to_principal_epgu: Annotated[
        bool | None,
        Attribute("НапрДокДовЕПГУ", "Направление документа в ЛК доверителя на сайте ЕПГУ"),
    ] = None
    to_representative_epgu: Annotated[
        bool | None,
        Attribute("НапрДокПовЕПГУ", "Направление документа в ЛК поверенного на сайте ЕПГУ"),
    ] = None
    to_applicant_fnp: Annotated[
        bool | None,
        Attribute("НапрДокЗвлФНП", "Направление документа в ЛК заявителя на сайте ФНП"),
    ] = None
    to_representative_fnp: Annotated[
        bool | None,
        Attribute("НапрДокПовФНП", "Направление документа в ЛК поверенного на сайте ФНП"),
    ] = None
    fee: Annotated[
        Decimal,
        Attribute("УплНотДейст", "Сведения об уплате за совершение нотариального действия", _MONEY),
    ]
    discount: Annotated[
        Decimal | None, Attribute("ЛьготаСум", "Предоставленная льгота на сумму", _MONEY)
    ] = None
    delivery: Annotated[
        str | None,
        Attribute("ДрИнфСист", "Способ выдачи электронного нотариального документа", lex.TEXT_255),
    ] = None
    other_delivery: Annotated[
        str | None, Attribute("ДрСпосВыд", "Иной способ выдачи", lex.TEXT_255)
    ] = None
    extra: Annotated[
        str | None, Attribute("ДопСвНотДовер", "Дополнительные сведения", lex.TEXT_2500)
    ] = None
    inscription: Annotated[
        str | None,
        Element("ИнСвУдНадпис", "Иные сведения удостоверительной надписи", lex.TEXT_2500),
    ] = None
    notary: Annotated[Notary, NOTARY]
    signatures: Annotated[
        tuple[HandwrittenSignature, ...],
        Element("ПодпРукопис", "Рукописная подпись", at_least=1),
    ]
    acting_notary: Annotated[ActingNotary | None, ACTING_NOTARY] = None
