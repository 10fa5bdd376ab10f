"""Powers: free text, codes of the unified classifier and limits on them.

The classifier is versioned data of the state (ЕСНСИ); the user supplies it and refreshes it, the
library ships none.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Self

import attrs

from medsign.errors import MalformedError, UsageError
from medsign.mchd.model import Exercise, Limit, MachinePower, Powers, PowersKind

ALL_POWERS = "Все полномочия"
LIMITED_GROUP = "Полномочия, к которым применимы ограничения"
CERTIFICATE_LIMIT = "LIM_16"
_CERTIFICATE_LIMIT_NAME = "Сертификат электронной подписи представителя"
_WHAT = "powers classifier"


@attrs.frozen(kw_only=True)
class ClassifiedPower:
    """One row of the classifier.

    Attributes:
        group: Group of the classifier; only one of the groups takes limits.
        revoked: First day on which the power exists no more, or ``None``.
    """

    code: str
    name: str
    group: str = ""
    mnemonic: str | None = None
    revoked: date | None = None


@attrs.frozen(kw_only=True)
class ClassifiedLimit:
    """A kind of limit.

    Attributes:
        listed: Whether the value is a code from the list of values rather than free text.
        values: Names of the listed values by code.
    """

    code: str
    name: str
    listed: bool
    values: Mapping[str, str] = attrs.field(factory=dict[str, str])


@attrs.frozen(kw_only=True)
class PowersClassifier:
    """The unified classifier of powers of one date.

    Attributes:
        version: Date or number by which the user knows the data.
        powers: Powers by code.
        limits: Kinds of limits by code.
    """

    version: str
    powers: Mapping[str, ClassifiedPower] = attrs.field(repr=False)
    limits: Mapping[str, ClassifiedLimit] = attrs.field(repr=False)

    @classmethod
    def from_csv(
        cls, powers: bytes, *, version: str, limits: bytes = b"", limit_values: bytes = b""
    ) -> Self:
        r"""Read the classifier from CSV files in UTF-8, separated by commas or semicolons.

        Args:
            powers: Columns ``code``, ``name`` and, when known, ``group``, ``mnemonics``,
                ``revoked``.
            version: Date or number by which the user knows the data.
            limits: ЕСНСИ classifier 11366: ``CODE``, ``NAME``, ``SPR_VALUE`` (Да or Нет).
            limit_values: ЕСНСИ classifier 11367: ``CODE`` of the limit, ``CODE_VALUE``,
                ``NAME_VALUE``.

        Raises:
            MalformedError: Not such a table.

        Example:
            >>> data = "code,name\nEGISZ_LK_01,Подача заявок".encode()
            >>> PowersClassifier.from_csv(data, version="2025-08-27").power("EGISZ_LK_01").name
            'Подача заявок'
        """
        values: dict[str, dict[str, str]] = {}
        for row in _rows(limit_values, "code", "code_value", "name_value"):
            values.setdefault(row["code"], {})[row["code_value"]] = row["name_value"]
        return cls(
            version=version,
            powers={
                row["code"]: ClassifiedPower(
                    code=row["code"],
                    name=row["name"],
                    group=row.get("group", ""),
                    mnemonic=row.get("mnemonics") or None,
                    revoked=_day(row.get("revoked", "")),
                )
                for row in _rows(powers, "code", "name")
            },
            limits={
                row["code"]: ClassifiedLimit(
                    code=row["code"],
                    name=row["name"],
                    listed=row["spr_value"].casefold() == "да",
                    values=values.get(row["code"], {}),
                )
                for row in _rows(limits, "code", "name", "spr_value")
            },
        )

    def power(self, code: str) -> ClassifiedPower:
        """Return a power by its code.

        Raises:
            UsageError: The classifier has no such power.
        """
        try:
            return self.powers[code]
        except KeyError:
            raise UsageError(
                f"the classifier {self.version} has no power {code!r}",
                f"В классификаторе полномочий (версия {self.version}) нет кода «{code}». "
                "Проверьте код или обновите классификатор.",
            ) from None

    def limit(self, code: str, value: str) -> Limit:
        """Return a limit with its value checked against the list, when it has one.

        Args:
            code: For instance ``LIM_03``.
            value: A code of the list for a listed limit, free text otherwise.

        Raises:
            UsageError: The classifier has no such limit or no such value of it.
        """
        kind = self.limits.get(code)
        if kind is None:
            raise UsageError(
                f"the classifier {self.version} has no limit {code!r}",
                f"В классификаторе полномочий (версия {self.version}) нет ограничения «{code}». "
                "Проверьте код или обновите классификатор.",
            )
        if not kind.listed:
            return Limit(ordinal=1, code=code, name=kind.name, value_text=value)
        if value not in kind.values:
            raise UsageError(
                f"limit {code!r} has no such value in the classifier {self.version}",
                f"Для ограничения «{kind.name}» выберите значение из списка классификатора.",
            )
        return Limit(
            ordinal=1, code=code, name=kind.name, value_name=kind.values[value], value_code=value
        )

    def machine_power(self, code: str, limits: Iterable[Limit] = ()) -> MachinePower:
        """Return a power for a document, its limits numbered from one.

        Raises:
            UsageError: No such power, or the power takes no limits.
        """
        power = self.power(code)
        numbered = tuple(
            attrs.evolve(limit, ordinal=place) for place, limit in enumerate(limits, 1)
        )
        if numbered and power.group not in {"", LIMITED_GROUP}:
            raise UsageError(
                f"the power {code!r} takes no limits",
                f"Полномочие «{power.name}» даётся без ограничений. Уберите их.",
            )
        return MachinePower(
            code=power.code, name=power.name, mnemonic=power.mnemonic, limits=numbered
        )


def text_powers(text: str = ALL_POWERS, *, exercise: Exercise = Exercise.ALONE) -> Powers:
    """Return powers given in words.

    Example:
        >>> text_powers().text
        'Все полномочия'
    """
    return Powers(kind=PowersKind.TEXT, exercise=exercise, text=text)


def machine_powers(
    powers: Iterable[MachinePower], *, exercise: Exercise = Exercise.ALONE
) -> Powers:
    """Return powers given by codes of the classifier."""
    return Powers(kind=PowersKind.MACHINE, exercise=exercise, machine=tuple(powers))


def certificate_limit(serial_number: int) -> Limit:
    """Return the limit to one certificate of the representative (LIM_16).

    Args:
        serial_number: Serial number of the certificate; it is written as hexadecimal octets.

    Example:
        >>> certificate_limit(0xABC).value_text
        '0ABC'
    """
    octets = serial_number.to_bytes((serial_number.bit_length() + 7) // 8 or 1, "big")
    return Limit(
        ordinal=1,
        code=CERTIFICATE_LIMIT,
        name=_CERTIFICATE_LIMIT_NAME,
        value_text=octets.hex().upper(),
    )


def limited_serial(limit: Limit) -> int | None:
    """Return the serial number that LIM_16 names; people write it with spaces, colons and zeros.

    Example:
        >>> limited_serial(attrs.evolve(certificate_limit(0xABC), value_text="00:0a bc"))
        2748
    """
    try:
        return int(re.sub(r"[\s:]", "", limit.value_text or ""), 16)
    except ValueError:
        return None


def _rows(data: bytes, *needed: str) -> list[dict[str, str]]:
    if not data:
        return []
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MalformedError(_WHAT, "", "not UTF-8") from None
    header = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if ";" in header else ",")
    rows: list[dict[str, str]] = []
    try:
        for row in reader:
            cells = {
                str(name).strip().casefold(): " ".join(str(cell or "").split())
                for name, cell in row.items()
            }
            if missing := [name for name in needed if not cells.get(name)]:
                raise MalformedError(_WHAT, f"line {reader.line_num}", f"no {', '.join(missing)}")
            rows.append(cells)
    except csv.Error:
        raise MalformedError(_WHAT, f"line {reader.line_num}", "not a CSV row") from None
    return rows


def _day(text: str) -> date | None:
    if not text:
        return None
    for shape in ("%d.%m.%Y", "%Y-%m-%d", "%Y%m%d"):
        try:
            return datetime.strptime(text, shape).date()  # noqa: DTZ007 - a day has no time zone
        except ValueError:
            continue
    raise MalformedError(_WHAT, "revoked", "not a date")
