"""Personal data and secrets are taken out of every text that may reach a log."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import httpx

MASK: Final = "***"

# Cyrillic with the letters of the peoples of Russia and its neighbours.
_CAPITAL: Final = "[ЁІЇЄА-ЯҐҒҖҚҢҮҰҺӘӨ]"
_SMALL: Final = "[ёіїєа-яґғҗқңүұһәө]"
_LETTER: Final = "[\u0400-\u052f]"
# Words that a sentence begins with before it names somebody: they stay to be read.
_NOBODY: Final = (
    "(?i:пациент|представител|врач|граждан|заявител|сотрудник|владел|доверител|пользовател|клиент|"
    "сертификат|документ|доверенност|подпис|заявк|запрос)"
)
_NAME: Final = rf"\b(?!{_NOBODY}){_CAPITAL}{_LETTER}+(?:-{_CAPITAL}{_LETTER}+)?\b"
_PATRONYMIC: Final = (
    rf"\b{_CAPITAL}{_LETTER}+"
    r"(?i:ич(?:а|у|[оеё]м|е)?|(?:[еоё]в|ич)н(?:а|ы|е|у|ой|ою)|\s?(?:оглы|[кқг]ызы|[уұ]улу|[уұ]лы))\b"
)
# Not in capitals throughout: «ПРОВЕРКА ДОКУМЕНТОВ» has the same endings.
_SURNAME: Final = (
    rf"\b(?!{_NOBODY}){_CAPITAL}{_SMALL}+"
    r"(?:(?:[оеё]в|[иы]н)(?:а|у|е|ы|ой|ым)?|енко|чук|юк|ян|дзе|швили)\b"
)
_PLAIN: Final = rf"\b(?!{_NOBODY}){_CAPITAL}{_SMALL}+(?:-{_CAPITAL}{_SMALL}+)?\b"
# The commonest, without their endings.
_GIVEN: Final = rf"""\b(?={_CAPITAL})(?i:
    Александр|Алексе|Ал[её]н|Алин|Алис|Анастаси|Анатоли|Ангелин|Андре|Анн|Антон(?:ин)?|Арсени|
    Арт[её]м|Артур|Ахмед|Богдан|Борис|Вадим|Валентин|Валери|Варвар|Васили|Вероник|Виктори?|Витали|
    Владимир|Владислав|Вячеслав|Галин|Геннади|Георги|Григори|Дани{{1,2}}л|Дарь|Денис|Дмитри|Евгени|
    Екатерин|Елен|Елизавет|Захар|Иван|Игор|Ильдар|Ильи?|Ирин|Кирилл|Константин|Ксени|Ларис|Леонид|
    Людмил|Магомед|Максим|Марат|Маргарит|Мари|Марин|Михаил|Мухаммад|Надежд|Натал[иь]|Никит|Никола|
    Оксан|Олег|Ольг|Паве?л|П[её]тр|Полин|Раис|Ринат|Роман|Руслан|Рустам|Светлан|Сем[её]н|Серге|
    Соф[иь]|Станислав|Степан|Тамар|Татьян|Тимофе|Тимур|Ф[её]дор|Эдуард|Юли|Юри|Ярослав
)(?i:[а-яё]|[оеё][йм]|ье|ью)?\b"""
_INITIALS: Final = rf"\b{_CAPITAL}\.\s?{_CAPITAL}\."
# What a remote system may quote back at us: numbers of people, mail addresses, tokens, Russian
# names. Better to mask a harmless number than to let a СНИЛС into a ticket.
_PERSONAL: Final = re.compile(
    rf"""
    (?P<harmless>\b[0-9a-fA-F]{{8}}(?:-[0-9a-fA-F]{{4}}){{3}}-[0-9a-fA-F]{{12}}\b
        | \b(?!\d{{32}})[0-9a-fA-F]{{32}}\b)
    | (?i:N3|Bearer|Basic)\s+\S+
    | \beyJ[\w-]+\.[\w-]+\.[\w-]*       # RFC 7519
    | [\w.+-]{{1,64}}@[\w-]+\.[\w.-]+    # RFC 5321, 4.5.3.1.1
    | \+?\d(?:[\s()№-]{{0,3}}\d){{9,}}   # СНИЛС, ИНН, phone, passport
    | \b(?i:рожд{_LETTER}*|birth\w*)\W{{1,4}}(?:\d{{1,4}}[./-]){{2}}\d{{2,4}}
    | (?:{_NAME}\s+){{1,2}}(?:{_PATRONYMIC}|{_GIVEN})(?:\s+{_NAME}){{0,2}}
    | (?:{_PATRONYMIC}|{_GIVEN})(?:\s+{_NAME}){{1,3}}
    | {_SURNAME}\s+{_PLAIN} | {_PLAIN}\s+{_SURNAME}
    | {_NAME}\s+{_INITIALS}
    | {_INITIALS}\s?{_NAME}
    """,
    re.VERBOSE,
)
# As long as what a cut may leave of one of them, so that half of it passes for nobody's.
_LONGEST: Final = 100
_OPEN_HEADERS: Final = frozenset(
    {"accept", "content-length", "content-type", "date", "retry-after", "x-request-id"}
)


def redact(text: str, limit: int = 300) -> str:
    """Return the text without personal data and secrets, cut to a length.

    However long the text, the work is bounded: what lies far behind the cut is not looked at.

    Example:
        >>> redact("Пациент Тестова Анна Петровна, СНИЛС 999-999-999 89, не найден")
        'Пациент ***, СНИЛС ***, не найден'
    """
    near = text[: 4 * limit + _LONGEST]
    clean = _PERSONAL.sub(lambda found: found["harmless"] or MASK, near)
    if len(near) < len(text):
        clean = clean[:-_LONGEST]
    elif len(clean) <= limit:
        return clean
    return f"{clean[:limit]}…"


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return header fields with every value masked that is not known to be harmless.

    Those that are, are redacted still: they are the peer's words.

    Example:
        >>> redact_headers({"Authorization": "N3 secret", "Content-Type": "application/json"})
        {'Authorization': '***', 'Content-Type': 'application/json'}
    """
    return {
        name: redact(value) if name.lower() in _OPEN_HEADERS else MASK
        for name, value in headers.items()
    }


class QuietURL(httpx.URL):
    """A URL whose text shows nothing behind the host.

    httpx writes the text of every URL to its log at level INFO, and some registries take numbers
    of organisations and people in the path or query. The wire gets the whole URL.

    Example:
        >>> str(QuietURL("https://registry.test/poa/7700000000?issuerInn=7700000000"))
        'https://registry.test/***'
    """

    def __str__(self) -> str:
        """Return the URL with its path and query masked."""
        return f"{self.scheme}://{self.netloc.decode('ascii')}/{MASK}"

    def __repr__(self) -> str:
        return f"QuietURL({str(self)!r})"

    # httpx compares texts.
    def __eq__(self, other: object) -> bool:
        return httpx.URL(self) == other

    def __hash__(self) -> int:
        return hash(httpx.URL(self))
