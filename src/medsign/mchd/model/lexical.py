"""Simple types of the unified format 003: lengths and patterns, no checksums."""

from __future__ import annotations

from medsign.codec.xml import Text

_NOT_00 = r"([0-9][1-9]|[1-9][0-9])"

NAME = Text(1, 200)
TEXT_50 = Text(1, 50)
TEXT_255 = Text(1, 255)
TEXT_1000 = Text(1, 1000)
TEXT_2500 = Text(1, 2500)
BLOB = Text(1, 16000)
PHONE = Text(1, 50)
EMAIL = Text(3, 129)

INN_PERSON = Text(12, 12, rf"{_NOT_00}[0-9]{{10}}", "ИНН физического лица, 12 цифр")
INN_LEGAL = Text(10, 10, rf"{_NOT_00}[0-9]{{8}}", "ИНН организации, 10 цифр")
KPP = Text(9, 9, rf"{_NOT_00}[0-9]{{2}}[0-9A-Z]{{2}}[0-9]{{3}}", "КПП, 9 знаков")
OGRN = Text(13, 13, r"[0-9]{13}", "ОГРН, 13 цифр")
OGRNIP = Text(15, 15, r"[0-9]{15}", "ОГРНИП, 15 цифр")
SNILS = Text(14, 14, r"[0-9]{3}-[0-9]{3}-[0-9]{3}[- ][0-9]{2}", "СНИЛС вида 000-000-000 00")
POPULATION_REGISTER = Text(12, 12, r"[0-9]{12}", "номер записи из 12 цифр")

GUID = Text(
    36, 36, "-".join(f"[0-9a-fA-F]{{{size}}}" for size in (8, 4, 4, 4, 12)), "GUID, 36 знаков"
)
TAX_OFFICE = Text(4, 4, r"[0-9]{4}", "код налогового органа, 4 цифры")
COUNTRY = Text(3, 3, r"[0-9]{3}", "код страны по ОКСМ, 3 цифры")
REGION = Text(2, 2, r"[0-9]{2}", "код субъекта Российской Федерации, 2 цифры")
IDENTITY_KIND = Text(2, 2, r"[0-9]{2}", "код вида документа, 2 цифры")
FLAGS = Text(8, 8, r"[01]{8}", "восемь знаков 0 или 1")
