"""Validation of a power of attorney in layers, each with paths and Russian messages.

Layers: well-formed XML, structure, an official schema when the user has one, conditional rules,
check digits, dates, name of the file. A layer that depends on a broken one is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from medsign.clock import MOSCOW, aware
from medsign.codec.xml import Located, Node, Schema, Text, bind, parse, walk
from medsign.errors import BudgetExceeded, InvalidIdentifier, MalformedError
from medsign.identifiers import Identifier, Inn, InnLegal, Ogrn, Ogrnip, Snils
from medsign.mchd.file import FILE_ID, NAMESPACE, ROOT, TAX_FILE_ID
from medsign.mchd.findings import RELAXED, Finding, Profile, Severity
from medsign.mchd.model import Delegation, MachinePower, PersonDetails, PowerOfAttorney
from medsign.mchd.model import lexical as lex
from medsign.mchd.powers import PowersClassifier
from medsign.mchd.rules import RULES

_CHECKED: dict[Text, type[Identifier]] = {
    lex.INN_PERSON: Inn,
    lex.INN_LEGAL: InnLegal,
    lex.OGRN: Ogrn,
    lex.OGRNIP: Ogrnip,
    lex.SNILS: Snils,
}
_DECLARATION = re.compile(
    rb"""(?:\xef\xbb\xbf)?<\?xml\s*version\s*=\s*"1\.0"\s*encoding\s*=\s*"utf-8"\s*\?>\s*?\r?\n""",
    re.IGNORECASE,
)


def validate(
    data: bytes,
    *,
    file_name: str | None = None,
    at: datetime | None = None,
    profile: Profile = RELAXED,
    classifier: PowersClassifier | None = None,
    schema: Schema | None = None,
) -> tuple[Finding, ...]:
    """Check a power of attorney of the unified format 003 as the registry would.

    Args:
        data: The file, exactly as it was signed.
        file_name: Its name with extension, to check the name too.
        at: An instant at which the document should be in force.
        profile: How disputed rules are read.
        classifier: Powers, to check codes and their dates of revocation.
        schema: The official XSD, when the user has it.

    Returns:
        The findings; none of severity ``error`` means that the document can be registered as far
        as this is known without the registry.

    Example:
        >>> [finding.code for finding in validate(b"<a/>")]
        ['file.declaration', 'structure.missing']
    """
    found = tuple(_layers(data, file_name, at, classifier, schema))
    weighed = ((finding, profile.severity(finding.code, finding.severity)) for finding in found)
    return tuple(
        Finding(code=finding.code, severity=severity, path=finding.path, message=finding.message)
        for finding, severity in weighed
        if severity is not None
    )


def _layers(
    data: bytes,
    file_name: str | None,
    at: datetime | None,
    classifier: PowersClassifier | None,
    schema: Schema | None,
) -> Iterator[Finding]:
    try:
        root = parse(data, what=ROOT)
    except MalformedError as error:
        yield _error("xml.malformed", "", f"файл не является правильным XML ({error.where})")
        return
    except BudgetExceeded as error:
        yield _error("xml.budget", "", error.russian)
        return
    if not _DECLARATION.match(data):
        expected = '<?xml version="1.0" encoding="UTF-8"?>'
        yield _warning("file.declaration", "", f"первая строка должна быть {expected}")
    if schema is not None:
        yield from _schema(schema, root)
    poa, violations = bind(PowerOfAttorney, root, ROOT, namespace=NAMESPACE)
    for fault in violations:
        yield _error(f"structure.{fault.code}", fault.path, fault.message)
    if poa is None:
        return
    everything = tuple(walk(poa, ROOT))
    yield from _rules(everything, poa)
    yield from _check_digits(everything)
    yield from _dates(everything, poa, at)
    yield from _file(poa, file_name)
    if classifier is not None:
        yield from _classified(everything, poa, classifier)


def _error(code: str, path: str, message: str) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, path=path, message=message)


def _warning(code: str, path: str, message: str) -> Finding:
    return Finding(code=code, severity=Severity.WARNING, path=path, message=message)


def _schema(schema: Schema, root: Node) -> Iterator[Finding]:
    for line, rule in schema.violations(root):
        yield _error(f"schema.{rule.casefold()}", "", f"не соответствует схеме, строка {line}")


def _rules(everything: tuple[Located, ...], poa: PowerOfAttorney) -> Iterator[Finding]:
    for here in everything:
        for rule in RULES:
            if isinstance(here.value, rule.on):
                yield from rule.findings(here, poa)


def _check_digits(everything: tuple[Located, ...]) -> Iterator[Finding]:
    for here in everything:
        rule = here.field.rule if here.field else None
        identifier = _CHECKED.get(rule) if isinstance(rule, Text) else None
        if identifier is None:
            continue
        try:
            identifier(here.value)
        except InvalidIdentifier as error:
            message = f"{error.kind}: {error.reason}"
            yield _error(f"checksum.{identifier.__name__.casefold()}", here.path, message)


def _dates(
    everything: tuple[Located, ...], poa: PowerOfAttorney, at: datetime | None
) -> Iterator[Finding]:
    terms = poa.terms
    place = next(here.path for here in everything if here.value is terms)
    issued, until = f"{place}/@ДатаВыдДовер", f"{place}/@СрокДейст"
    if terms.valid_until < terms.issued:
        yield _error("dates.order", until, "срок действия заканчивается раньше даты выдачи")
    if isinstance(poa.content, Delegation):
        for parent in filter(None, (poa.content.first, poa.content.parent)):
            if terms.issued < parent.issued:
                yield _error("dates.parent", issued, "передоверие выдано раньше, чем доверенность")
            if terms.valid_until > parent.valid_until:
                yield _error(
                    "dates.parent", until, "передоверие действует дольше, чем доверенность"
                )
    for here in everything:
        if isinstance(here.value, PersonDetails):
            born = here.value.birth_date
            if born is not None and born >= terms.issued:
                path = f"{here.path}/@ДатаРожд"
                yield _error(
                    "dates.birth", path, "дата рождения не раньше даты выдачи доверенности"
                )
    if at is not None:
        today = aware(at).astimezone(MOSCOW).date()
        if today < terms.issued:
            yield _warning("dates.early", issued, "доверенность ещё не действует")
        if today > terms.valid_until:
            yield _warning("dates.expired", until, "срок действия доверенности истёк")


def _file(poa: PowerOfAttorney, file_name: str | None) -> Iterator[Finding]:
    names = [("@ИдФайл", poa.file_id, FILE_ID)]
    if poa.tax_file_id is not None:
        names.append(("@ИдФайлНО", poa.tax_file_id, TAX_FILE_ID))
    for attribute, name, shape in names:
        path = f"{ROOT}/{attribute}"
        match = shape.fullmatch(name)
        if match is None:
            yield _error("file.id", path, "идентификатор файла составлен не по правилам")
        elif match["number"] != poa.terms.number:
            same = match["number"].casefold() == poa.terms.number.casefold()
            weight = _warning if same else _error
            wrong = "регистром букв" if same else "номером"
            message = f"идентификатор файла отличается от единого регистрационного номера {wrong}"
            yield weight("file.number", path, message)
    if file_name is not None:
        stem, _, extension = file_name.rpartition(".")
        if extension.casefold() != "xml" or stem not in {poa.file_id, poa.tax_file_id}:
            yield _error("file.name", "", "имя файла не совпадает с его идентификатором")


def _classified(
    everything: tuple[Located, ...], poa: PowerOfAttorney, classifier: PowersClassifier
) -> Iterator[Finding]:
    for here in everything:
        if not isinstance(here.value, MachinePower):
            continue
        path = f"{here.path}/@КодПолн"
        power = classifier.powers.get(here.value.code)
        if power is None:
            message = f"кода полномочия нет в классификаторе версии {classifier.version}"
            yield _warning("powers.unknown", path, message)
        elif power.revoked is not None and power.revoked < poa.terms.valid_until:
            message = "полномочие исключено из классификатора раньше, чем закончится срок действия"
            yield _error("powers.revoked", path, message)
