"""A synthetic clinic, its head and its doctor."""

from __future__ import annotations

from datetime import date

import attrs
import pytest

from medsign import mchd
from medsign.mchd.model import IdentityDocument


@attrs.frozen(kw_only=True)
class Certificate:
    """The part of a certificate that a power of attorney needs."""

    kind: str
    surname: str | None = None
    given_name: str | None = None
    patronymic: str | None = None
    inn: str | None = None
    snils: str | None = None
    inn_legal: str | None = None
    ogrn: str | None = None
    ogrnip: str | None = None
    organization: str | None = None
    position: str | None = None
    email: str | None = None
    region_code: str | None = None


@pytest.fixture
def head() -> Certificate:
    return Certificate(
        kind="legal_entity",
        surname="Тестова",
        given_name="Анна",
        patronymic="Петровна",
        inn="999900000160",
        snils="99900000115",
        inn_legal="9999000006",
        ogrn="9999990000000",
        organization="ООО «Пример»",
        position="Главный врач",
        region_code="78",
    )


@pytest.fixture
def doctor() -> Certificate:
    return Certificate(
        kind="person",
        surname="Образцов",
        given_name="Пётр",
        patronymic="Тестович",
        inn="999900000234",
        snils="99900000216",
        email="doctor@clinic.test",
    )


PASSPORT = IdentityDocument(
    kind="21",
    number="99 99 000001",
    issued=date(2010, 1, 1),
    issuer="Отдел выдачи примеров",
    issuer_code="999-001",
)


@pytest.fixture
def draft(head: Certificate, doctor: Certificate) -> mchd.Draft:
    """A draft in which nothing is missing."""
    principal = mchd.principal_from(head)
    representative = mchd.representative_from(doctor)
    return mchd.Draft(
        principals=(
            attrs.evolve(
                principal,
                organization=attrs.evolve(
                    principal.organization, kpp="999901001", address="ул. Примерная, д. 1"
                ),
            ),
        ),
        representatives=(
            attrs.evolve(
                representative,
                person=attrs.evolve(
                    representative.person, birth_date=date(1990, 5, 17), identity=PASSPORT
                ),
            ),
        ),
        number="0ABCdef0-0000-4000-8000-00000000000f",
        internal_number="1",
        issued=date(2026, 3, 1),
        valid_until=date(2027, 2, 28),
        powers=mchd.text_powers(),
    )


@pytest.fixture
def poa(draft: mchd.Draft) -> mchd.PowerOfAttorney:
    return mchd.issue(draft)


@pytest.fixture
def document(poa: mchd.PowerOfAttorney) -> bytes:
    return mchd.encode(poa)
