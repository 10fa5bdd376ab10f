"""Numbers that name people, organisations, cards and powers of attorney.

Each type accepts the spellings people use (spaces, dashes), refuses what breaks the rule of its
issuer, keeps one canonical `value` and prints the official spelling as `formatted`. Numbers that
lead to a person are masked in ``str()`` and ``repr()``: only `value`, `digits` and `formatted`
reveal them, so a log line cannot leak one by accident.

Sources of the rules: ИНН and КПП, order of ФНС ЕД-7-14/559@ of 26.06.2025; ОГРН and ОГРНИП, order
of Минфин 165н of 30.10.2017; СНИЛС, order of СФР 2018 of 11.10.2023; patterns of МЧД, EMCHD_1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar, Self

import attrs

from medsign.errors import InvalidIdentifier

_SEPARATORS = re.compile(r"[\s\-‐‑‒–—−]+")


@attrs.frozen(init=False, repr=False)
class Identifier:
    """What all identifiers share; use one of the concrete types.

    Args:
        text: The identifier as a person or a system wrote it.

    Attributes:
        value: The canonical spelling, the one to send and to compare.

    Raises:
        InvalidIdentifier: The text breaks the rule of the type. The error never holds the text.
    """

    kind: ClassVar[str]
    shape: ClassVar[str]
    """What a correct value looks like, in Russian."""
    pattern: ClassVar[re.Pattern[str]]
    personal: ClassVar[bool] = True

    value: str

    def __init__(self, text: str) -> None:
        value = self._canonical(text)
        if not self.pattern.fullmatch(value):
            raise InvalidIdentifier(self.kind, f"нужно {self.shape}")
        if fault := self._fault(value):
            raise InvalidIdentifier(self.kind, fault)
        object.__setattr__(self, "value", value)

    @classmethod
    def _canonical(cls, text: str) -> str:
        return _SEPARATORS.sub("", text)

    @classmethod
    def _fault(cls, value: str) -> str | None:
        """Return what is wrong with a value of the right shape, in Russian."""
        return None if value.strip("0") else "состоит из одних нулей"

    @property
    def formatted(self) -> str:
        """The spelling used in documents; personal data when the type is personal."""
        return self.value

    def __str__(self) -> str:
        return "***" if self.personal else self.formatted

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'***' if self.personal else repr(self.formatted)})"


class _Number(Identifier):
    """An identifier made of digits only."""

    @property
    def digits(self) -> str:
        """The digits without separators."""
        return self.value


class _Checked(_Number):
    """A number whose last digits follow from the digits before them."""

    check_length: ClassVar[int] = 1

    @classmethod
    def check_digits(cls, body: str) -> str:
        """Return the check digits of the digits that precede them."""
        raise NotImplementedError

    @classmethod
    def complete(cls, body: str) -> Self:
        """Return the identifier that starts with these digits; for tests and sandboxes.

        Args:
            body: All digits but the check digits.

        Raises:
            InvalidIdentifier: The digits cannot start such a number.
        """
        body = cls._canonical(body)
        try:
            check = cls.check_digits(body)
        except ValueError:
            raise InvalidIdentifier(cls.kind, "контрольные цифры не вычислить") from None
        return cls(body + check)

    @classmethod
    def _fault(cls, value: str) -> str | None:
        body, check = value[: -cls.check_length], value[-cls.check_length :]
        return super()._fault(value) or cls._check_fault(body, check)

    @classmethod
    def _check_fault(cls, body: str, check: str) -> str | None:
        return None if cls.check_digits(body) == check else "контрольные цифры не сходятся"


class Snils(_Checked):
    """СНИЛС, insurance number of a person: 11 digits, printed ``ddd-ddd-ddd dd``.

    Numbers up to 001-001-998 were issued before check digits existed and are not checked.

    Example:
        >>> snils = Snils("999 000 001-15")
        >>> snils.digits, snils.formatted
        ('99900000115', '999-000-001 15')
        >>> snils
        Snils(***)
    """

    kind = "СНИЛС"
    shape = "11 цифр"
    pattern = re.compile(r"[0-9]{11}")
    check_length = 2
    _LAST_UNCHECKED = 1_001_998

    @classmethod
    def check_digits(cls, body: str) -> str:
        return f"{_weighted(body, range(9, 0, -1)) % 101 % 100:02d}"

    @classmethod
    def _check_fault(cls, body: str, check: str) -> str | None:
        return None if int(body) <= cls._LAST_UNCHECKED else super()._check_fault(body, check)

    @property
    def formatted(self) -> str:
        d = self.value
        return f"{d[:3]}-{d[3:6]}-{d[6:9]} {d[9:]}"


class Inn(_Checked):
    """ИНН of a person: 12 digits. One that starts with 00 belongs to an organisation.

    Example:
        >>> Inn("9999 0000 0160").value
        '999900000160'
        >>> Inn("007707083893")
        Traceback (most recent call last):
            ...
        medsign.errors.InvalidIdentifier: ИНН: начинается с 00, это не ИНН физического лица
    """

    kind = "ИНН"
    shape = "12 цифр"
    pattern = re.compile(r"[0-9]{12}")
    check_length = 2

    @classmethod
    def check_digits(cls, body: str) -> str:
        tenth = str(_weighted(body, (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10)
        return tenth + str(_weighted(body + tenth, (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10)

    @classmethod
    def _fault(cls, value: str) -> str | None:
        if value.startswith("00"):
            return "начинается с 00, это не ИНН физического лица"
        return super()._fault(value)


class InnLegal(_Checked):
    """ИНН of an organisation: 10 digits, the first two not both zero.

    Example:
        >>> InnLegal.complete("999900000")
        InnLegal('9999000006')
    """

    kind = "ИНН организации"
    shape = "10 цифр, первые две не 00"
    pattern = re.compile(r"(?!00)[0-9]{10}")
    personal = False

    @classmethod
    def check_digits(cls, body: str) -> str:
        return str(_weighted(body, (2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10)


class Ogrn(_Checked):
    """ОГРН, registration number of an organisation: 13 digits."""

    kind = "ОГРН"
    shape = "13 цифр"
    pattern = re.compile(r"[0-9]{13}")
    personal = False

    @classmethod
    def check_digits(cls, body: str) -> str:
        return str(int(body) % 11 % 10)


class Ogrnip(_Checked):
    """ОГРНИП, registration number of a sole trader, who is a person: 15 digits."""

    kind = "ОГРНИП"
    shape = "15 цифр"
    pattern = re.compile(r"[0-9]{15}")

    @classmethod
    def check_digits(cls, body: str) -> str:
        return str(int(body) % 13 % 10)


class Kpp(Identifier):
    """КПП, tax registration reason code of an organisation: 9 characters, no check digit.

    Example:
        >>> Kpp("9999 01 001").value
        '999901001'
    """

    kind = "КПП"
    shape = "4 цифры (первые две не 00), 2 цифры или заглавные латинские буквы, 3 цифры"
    pattern = re.compile(r"(?!00)[0-9]{4}[0-9A-Z]{2}[0-9]{3}")
    personal = False


class CardNumber(_Number):
    """Number of the Единая карта петербуржца: 16 digits (F278).

    Example:
        >>> CardNumber("9999 0000 0000 0004").passes_luhn
        True
    """

    kind = "номер карты"
    shape = "16 цифр"
    pattern = re.compile(r"[0-9]{16}")

    @property
    def passes_luhn(self) -> bool:
        """Whether the Luhn sum is right: a hint of a typing error, never a ground to refuse.

        No source says that ЕКП numbers follow Luhn; only bank card numbers are known to.
        """
        doubled = (sum(divmod(2 * int(d), 10)) for d in self.value[-2::-2])
        return (sum(doubled) + sum(map(int, self.value[-1::-2]))) % 10 == 0

    @property
    def formatted(self) -> str:
        return " ".join(self.value[i : i + 4] for i in range(0, 16, 4))


class CardUid(Identifier):
    """UID of a contactless card: 4, 7 or 10 bytes in hexadecimal (ISO/IEC 14443-3).

    Example:
        >>> CardUid("04:a1-b2 c3d4e5f6") == CardUid("04A1B2C3D4E5F6")
        True
    """

    kind = "UID карты"
    shape = "8, 14 или 20 цифр и латинских букв от A до F"
    pattern = re.compile(r"[0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20}")

    @classmethod
    def _canonical(cls, text: str) -> str:
        return super()._canonical(text).replace(":", "").upper()


class PowerOfAttorneyNumber(Identifier):
    """Number of a МЧД: a GUID whose letter case matters.

    The registry of ФНС searches case-sensitively, so the spelling used at registration is kept
    and two spellings are two numbers.

    Example:
        >>> number = "0dae3f95-5f28-4b9c-8e4e-9d4f6b7f0a01"
        >>> PowerOfAttorneyNumber(number) == PowerOfAttorneyNumber(number.upper())
        False
    """

    kind = "номер МЧД"
    shape = "GUID вида xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
    pattern = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
    personal = False

    @classmethod
    def _canonical(cls, text: str) -> str:
        return text.strip()


class Phone(Identifier):
    """Russian telephone number; the value is ``+7`` and ten digits.

    Example:
        >>> Phone("8 (999) 000-00-01").formatted
        '+7(999)0000001'
    """

    kind = "телефон"
    shape = "+7 и ещё 10 цифр"
    pattern = re.compile(r"\+7[0-9]{10}")

    @classmethod
    def _canonical(cls, text: str) -> str:
        bare = re.sub(r"[().]", "", super()._canonical(text))
        return re.sub(r"^[78](?=[0-9]{10}$)", "+7", bare)

    @property
    def digits(self) -> str:
        """The eleven digits, the first is 7."""
        return self.value[1:]

    @property
    def formatted(self) -> str:
        """The spelling of the ЕСИА schemas."""
        return f"+7({self.value[2:5]}){self.value[5:]}"


class OmsNumber(_Number):
    """ЕНП, number of an ОМС policy: 16 digits (F435).

    The algorithm of its last digit was found in no open source, so it is not checked.
    """

    kind = "номер полиса ОМС"
    shape = "16 цифр"
    pattern = re.compile(r"[0-9]{16}")


def _weighted(digits: str, weights: Iterable[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
