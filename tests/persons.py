"""The synthetic persons of the tests: nobody has numbers that begin so."""

from __future__ import annotations

from datetime import date

from medsign.ca import Passport, Subject
from medsign.codec.asn1 import oids
from medsign.identifiers import Inn, Phone, Snils

ANNA = Subject(
    surname="Тестова",
    given_name="Анна",
    patronymic="Петровна",
    birth_date=date(1990, 1, 1),
    snils=Snils.complete("999000001"),
    inn=Inn.complete("9999000001"),
    passport=Passport(
        series="9999", number="000001", issued=date(2010, 1, 1), issuer_code="999-001"
    ),
    region="78 г. Санкт-Петербург",
    locality="Санкт-Петербург",
    email="test@example.com",
    phone=Phone("+79990000001"),
)
# The same as the name in a certificate, by object identifier.
ANNA_NAME = {
    oids.SURNAME: "Тестова",
    oids.GIVEN_NAME: "Анна Петровна",
    oids.COMMON_NAME: "Тестова Анна Петровна",
    oids.SNILS: ANNA.snils.value,
    oids.INN: ANNA.inn.value,
    oids.COUNTRY: "RU",
}
# Whom the sandbox certifies: the head of a clinic and one of its doctors.
HEAD = {
    "surname": "Тестова",
    "given_names": "Анна Петровна",
    "inn": ANNA.inn.value,
    "snils": ANNA.snils.value,
    "inn_legal": "9999000006",
    "ogrn": "9999990000000",
    "organization": "ООО «Пример»",
    "position": "Главный врач",
    "region": "78 г. Санкт-Петербург",
    "locality": "г. Санкт-Петербург",
}
DOCTOR = {
    "surname": "Образцов",
    "given_names": "Пётр Тестович",
    "inn": "999900000234",
    "snils": "99900000216",
    "region": "78 г. Санкт-Петербург",
}
