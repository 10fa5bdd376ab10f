"""The invented people and papers of the training day."""

from __future__ import annotations

from datetime import date
from typing import Final

import attrs

from medsign.ca import Organisation, Passport, Subject
from medsign.identifiers import Inn, InnLegal, Ogrn, Phone, Snils
from medsign.mchd.model import IdentityDocument
from medsign.sep import Patient

DOCTOR: Final = Subject(
    surname="Тестов",
    given_name="Пётр",
    patronymic="Сергеевич",
    birth_date=date(1985, 3, 14),
    snils=Snils.complete("999000002"),
    inn=Inn.complete("9999000002"),
    passport=Passport(
        series="9999", number="000002", issued=date(2010, 4, 1), issuer_code="999-001"
    ),
    region="78 г. Санкт-Петербург",
    locality="Санкт-Петербург",
)
HEAD: Final = attrs.evolve(
    DOCTOR,
    surname="Образцова",
    given_name="Мария",
    patronymic="Ивановна",
    birth_date=date(1975, 9, 2),
    snils=Snils.complete("999000003"),
    inn=Inn.complete("9999000003"),
    passport=attrs.evolve(DOCTOR.passport, number="000003"),
    position="Главный врач",
    organisation=Organisation(
        name="ООО «Тестовая клиника»",
        ogrn=Ogrn.complete("999000000001"),
        inn=InnLegal.complete("999900000"),
        street="ул. Примерная, д. 1",
    ),
)
KPP: Final = "999901001"
"""Of the clinic; no certificate tells it."""

ADDRESS: Final = "г. Санкт-Петербург, ул. Примерная, д. 1"
"""Of the clinic, from ЕГРЮЛ."""

DOCTOR_PASSPORT: Final = IdentityDocument(
    kind="21",
    number=f"99 99 {DOCTOR.passport.number}",
    issued=DOCTOR.passport.issued,
    issuer="Отдел выдачи примеров",
    issuer_code=DOCTOR.passport.issuer_code,
)
PHONE: Final = Phone("+79990000001")
PATIENT: Final = Patient(
    id="2156792",
    surname="Примерова",
    given_name="Анна",
    patronymic="Петровна",
    birth_date=date(1990, 5, 17),
    snils=Snils.complete("999000001"),
    phone=PHONE,
)
CONSENT: Final = (
    "СОГЛАСИЕ НА ТЕЛЕМЕДИЦИНСКУЮ КОНСУЛЬТАЦИЮ",
    "",
    f"Пациент: {PATIENT.full_name}",
    "Даю согласие на консультацию с применением телемедицинских технологий.",
    "",
    "Учебный документ: юридической силы не имеет.",
)
PROTOCOL: Final = (
    "ПРОТОКОЛ КОНСУЛЬТАЦИИ",
    "",
    f"Пациент: {PATIENT.full_name}",
    f"Врач: {DOCTOR.surname} {DOCTOR.given_name} {DOCTOR.patronymic}",
    "Жалоб нет. Рекомендован плановый осмотр через год.",
    "",
    "Учебный документ: юридической силы не имеет.",
)
EPICRISIS: Final = (
    "ВЫПИСНОЙ ЭПИКРИЗ",
    "",
    f"Пациент: {PATIENT.full_name}",
    "Состояние удовлетворительное.",
    "",
    "Учебный документ: юридической силы не имеет.",
)
