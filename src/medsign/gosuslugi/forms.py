"""Fields of the cabinet's forms, checked before the portal refuses them (F332-F402)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta

import attrs

from medsign.clock import aware
from medsign.errors import InvalidIdentifier, UsageError
from medsign.gosuslugi.findings import Finding
from medsign.identifiers import Identifier, Phone, Snils

Rule = Callable[[str], str | None]
"""Takes the value of a field and returns what is wrong, in Russian, or ``None``."""

_ICD10 = re.compile(r"[A-Z][0-9]{2}(\.[0-9]{1,2})?")
_ICD10_IN_CYRILLIC = re.compile(r"[А-Я][0-9]{2}(\.[0-9]{1,2})?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def iso_date(value: str) -> str | None:
    """Ask for a real date as гггг-мм-дд; дд.мм.гггг is the mistake people make (F396).

    Example:
        >>> print(iso_date("25.06.2026"))
        Неверный формат даты
    """
    try:
        well_formed = date.fromisoformat(value).isoformat() == value
    except ValueError:
        well_formed = False
    return None if well_formed else "Неверный формат даты"


def latin(value: str) -> str | None:
    """Refuse Cyrillic letters, also those that look Latin (F395).

    Example:
        >>> print(latin("АВ-12"))
        Допустима только латиница
    """
    cyrillic = any("\u0400" <= character <= "\u052f" for character in value)
    return "Допустима только латиница" if cyrillic else None


def email(value: str) -> str | None:
    """Ask for an address with one @ and a domain."""
    return None if _EMAIL.fullmatch(value) else "Неверный адрес электронной почты"


def identifier(kind: type[Identifier]) -> Rule:
    """Return the rule of an identifier, such as `medsign.identifiers.Snils`."""

    def rule(value: str) -> str | None:
        try:
            kind(value)
        except InvalidIdentifier as error:
            return f"{error.kind}: {error.reason}"
        return None

    return rule


def licence_number(checksum: Callable[[str], bool] | None = None) -> Rule:
    """Return the rule of a licence number (F397).

    Args:
        checksum: Tells whether the check digits are right. The source asks for the control and no
            open source names the algorithm, so the deployment brings it; without one only
            digits are asked for.
    """

    def rule(value: str) -> str | None:
        if not any(character.isdigit() for character in value):
            return "Неверный номер лицензии"
        if checksum and not checksum(value):
            return "Неверная контрольная сумма номера лицензии"
        return None

    return rule


def icd10(exists: Callable[[str], bool] | None = None) -> Rule:
    """Return the rule of a code of МКБ-10 (F399).

    Args:
        exists: Tells whether the reference table in force has the code. Without it only the
            shape is checked.

    Example:
        >>> icd10()("J06.9") is None, icd10({"J06.9"}.__contains__)("J06.8")
        (True, 'Такого кода МКБ нет в справочнике')
    """

    def rule(value: str) -> str | None:
        if not _ICD10.fullmatch(value):
            if _ICD10_IN_CYRILLIC.fullmatch(value):
                return "Неверный формат кода МКБ: первая буква должна быть латинской"
            return "Неверный формат кода МКБ"
        if exists and not exists(value):
            return "Такого кода МКБ нет в справочнике"
        return None

    return rule


@attrs.frozen
class FormField:
    """A field of a form.

    Attributes:
        name: Name for programs.
        label: Name for people, as the source writes it.
        rules: What its value must satisfy; the first rule that is broken is told.
        mandatory: Whether the form is refused without it.
        hint: An input mask or an example to show beside the field (F400).
        not_before: Name of the field with a date that this one must not precede.
    """

    name: str
    label: str
    rules: tuple[Rule, ...] = ()
    mandatory: bool = attrs.field(default=True, kw_only=True)
    hint: str = attrs.field(default="", kw_only=True)
    not_before: str = attrs.field(default="", kw_only=True)


REGISTRATION_FORM = (
    FormField("surname", "Фамилия"),
    FormField("given_name", "Имя"),
    FormField("patronymic", "Отчество", mandatory=False),
    FormField("birth_date", "Дата рождения", (iso_date,), hint="гггг-мм-дд"),
    FormField("birth_place", "Место рождения"),
    FormField("snils", "СНИЛС", (identifier(Snils),), hint="000-000-000 00"),
    FormField("licence", "Номер лицензии", (licence_number(),), hint="Л000-00000-00/00000000"),
    FormField("speciality", "Специализация"),
    FormField("phone", "Контактный телефон", (identifier(Phone),), hint="+7 000 000-00-00"),
    FormField("email", "Адрес электронной почты", (latin, email), hint="name@clinic.ru"),
    FormField("credential", "Профессиональное удостоверение"),
)
"""What a doctor enters to register (F332-F337); отчество is not everyone's."""

TREATMENT_FORM = (
    FormField("drugs", "Препараты"),
    FormField("doses", "Дозировки"),
    FormField("terms", "Сроки приёма"),
)
"""«Форма назначения лечения» (F344)."""

REFERRAL_FORM = (
    FormField("speciality", "Требуемая специализация"),
    FormField("reason", "Причина направления"),
    FormField("terms", "Сроки выполнения"),
)
"""«Форма направления к специалисту» (F345)."""

EXAMINATION_FORM = (
    FormField("date", "Дата", (iso_date,), hint="гггг-мм-дд"),
    FormField("reason", "Причина обращения"),
    FormField("recommendations", "Рекомендации"),
)
"""Направление на обследование (F379)."""

ORDER_FORM = (
    FormField("patient", "Идентификационные данные пациента"),
    FormField("document_type", "Тип документа"),
    FormField("diagnosis", "Диагноз", (icd10(),), hint="J06.9"),
    FormField("purpose", "Цель"),
    FormField("term", "Срок", (iso_date,), hint="гггг-мм-дд"),
)
"""Section «Направления и листы» (F387)."""


SICK_LEAVE_FORM = (
    FormField("patient", "Идентификационные данные пациента"),
    FormField("diagnosis", "Код заболевания", (icd10(),), hint="J06.9"),
    FormField("first_day", "Дата начала", (iso_date,), hint="гггг-мм-дд"),
    FormField("last_day", "Дата окончания", (iso_date,), hint="гггг-мм-дд", not_before="first_day"),
)
"""Больничный лист (F380); the source names the code and the duration, the dates give the latter."""


def sick_leave_days(first: date, last: date) -> int:
    """Return how long a sick leave lasts, in calendar days with both its ends (F380).

    Raises:
        UsageError: It ends before it begins.

    Example:
        >>> sick_leave_days(date(2026, 6, 25), date(2026, 6, 25))
        1
    """
    if last < first:
        raise UsageError(
            "a sick leave does not end before it begins",
            "Дата окончания больничного раньше даты начала. Исправьте даты.",
        )
    return (last - first).days + 1


def check_form(values: Mapping[str, str], fields: Iterable[FormField]) -> tuple[Finding, ...]:
    """Return everything wrong with a filled form, in the order of its fields.

    Args:
        values: What was entered, by name of field.
        fields: The form.

    Example:
        >>> [found] = check_form({"drugs": "…", "doses": " ", "terms": "…"}, TREATMENT_FORM)
        >>> found.path, found.code
        ('Дозировки', 'field.missing')
    """
    form = {field.name: field for field in fields}
    entered = {name: values.get(name, "").strip() for name in form}
    findings = [
        Finding(code="field.unknown", path=name, message="В форме нет такого поля")
        for name in sorted(values.keys() - form.keys())
    ]
    for name, field in form.items():
        if value := entered[name]:
            fault = next((said for rule in field.rules if (said := rule(value))), None)
            earliest = entered.get(field.not_before, "")
            # Dates as гггг-мм-дд are in the order of their texts.
            if not fault and iso_date(earliest) is None and value < earliest:
                fault = f"Дата раньше, чем в поле «{form[field.not_before].label}»"
            if fault:
                findings.append(Finding(code="field.invalid", path=field.label, message=fault))
        elif field.mandatory:
            findings.append(
                Finding(code="field.missing", path=field.label, message="Заполните поле")
            )
    return tuple(findings)


@attrs.frozen(kw_only=True)
class Blocking:
    """When repeated errors close the cabinet for a while (F402).

    The source gives no numbers, so a deployment states its own.

    Args:
        errors: How many errors close it.
        within: The time in which they must have been made.
        lasts: For how long it stays closed, from the error that closed it.
    """

    errors: int
    within: timedelta
    lasts: timedelta

    def __attrs_post_init__(self) -> None:
        if self.errors < 1 or self.within < timedelta(0) or self.lasts <= timedelta(0):
            raise UsageError("blocking needs at least one error, and times that are not negative")

    def blocked_until(self, errors: Iterable[datetime], at: datetime) -> datetime | None:
        """Return when the cabinet opens again, or ``None`` when it is open.

        Args:
            errors: When errors were made, in any order.
            at: The moment to judge at.

        Example:
            >>> from datetime import UTC
            >>> noon = datetime(2026, 6, 25, 12, tzinfo=UTC)
            >>> minute = timedelta(minutes=1)
            >>> blocking = Blocking(errors=3, within=5 * minute, lasts=30 * minute)
            >>> made = [noon, noon + minute, noon + 2 * minute]
            >>> blocking.blocked_until(made, noon + 3 * minute).isoformat()
            '2026-06-25T12:32:00+00:00'
        """
        now = aware(at)
        past = sorted(moment for moment in map(aware, errors) if moment <= now)
        closing = [
            last
            for first, last in zip(past, past[self.errors - 1 :], strict=False)
            if last - first <= self.within
        ]
        opens = closing[-1] + self.lasts if closing else now
        return opens if opens > now else None
