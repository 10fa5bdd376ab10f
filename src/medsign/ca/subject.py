"""The name in a certificate, and when a certificate may be renewed without a visit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from medsign.ca.models import ApplicantKind, Subject
from medsign.codec.asn1 import Certificate, Name, oids
from medsign.errors import InvalidDocument
from medsign.pki.issuing import subject_name
from medsign.pki.profile import FNS_OGRN
from medsign.status import Labelled

_MIXED = re.compile("[A-Za-zÀ-ɏ][Ѐ-ӿ]|[Ѐ-ӿ][A-Za-zÀ-ɏ]")


class RenewalObstacle(Labelled):
    """Why a certificate does not identify its owner for a renewal (F021)."""

    NOT_VALID = "not_valid", "сертификат сейчас не действует"
    OTHER_AUTHORITY = "other_authority", "для руководителя и ИП нужен сертификат УЦ ФНС"
    DATA_CHANGED = "data_changed", "сведения в сертификате и в заявке различаются"


def certificate_subject(applicant: ApplicantKind, subject: Subject) -> Name:
    """Return the name that the certificate of an applicant carries (приказ ФСБ 795).

    A head's certificate names the organisation, the position and both ИНН; a natural person's
    has none of them.

    Raises:
        InvalidDocument: Data that the kind of applicant needs are missing, or the person's name is.
    """
    if missing := tuple(_missing(applicant, subject)):
        raise InvalidDocument("заявка на сертификат", missing)
    values: dict[str, str | None] = {
        "surname": subject.surname,
        "given_names": " ".join((subject.given_name, subject.patronymic or "")).strip(),
        "inn": subject.inn.value,
        "snils": subject.snils.value,
        "region": subject.region,
        "locality": subject.locality,
        "email": subject.email,
    }
    organisation = subject.organisation
    if applicant is ApplicantKind.HEAD and organisation:
        values |= {
            "common_name": organisation.name,
            "organization": organisation.name,
            "inn_legal": organisation.inn.value,
            "ogrn": organisation.ogrn.value,
            "street": organisation.street,
            "position": subject.position,
        }
    if applicant is ApplicantKind.ENTREPRENEUR and subject.ogrnip:
        values["ogrnip"] = subject.ogrnip.value
    return subject_name(**{field: value for field, value in values.items() if value})


def differing(one: Name, other: Name) -> tuple[str, ...]:
    """Return the attribute types in which two names differ, whatever their order.

    Example:
        >>> one = subject_name(surname="Тестова", given_names="Анна")
        >>> differing(one, subject_name(surname="Тестова", given_names="Яна"))
        ('2.5.4.3', '2.5.4.42')
    """
    types = {each.oid for each in (*one.attributes, *other.attributes)}
    return tuple(sorted(oid for oid in types if set(one.all(oid)) != set(other.all(oid))))


def renewal_obstacles(
    applicant: ApplicantKind, subject: Subject, certificate: Certificate, at: datetime
) -> tuple[RenewalObstacle, ...]:
    """Return why a certificate may not identify its owner for a renewal; empty when it may.

    Remote renewal is allowed only by a valid certificate whose data stay unchanged (F021), and a
    head renews only by a certificate of УЦ ФНС (F018). Revocation is not judged here.

    Args:
        applicant: For whom the new certificate is.
        subject: Data for the new certificate.
        certificate: The present certificate.
        at: The moment of judging, aware.
    """
    return tuple(_obstacles(applicant, subject, certificate, at))


def _obstacles(
    applicant: ApplicantKind, subject: Subject, certificate: Certificate, at: datetime
) -> Iterator[RenewalObstacle]:
    if not certificate.not_before <= at <= certificate.not_after:
        yield RenewalObstacle.NOT_VALID
    if applicant is not ApplicantKind.WORKER and certificate.issuer.get(oids.OGRN) != FNS_OGRN:
        yield RenewalObstacle.OTHER_AUTHORITY
    if differing(certificate_subject(applicant, subject), certificate.subject):
        yield RenewalObstacle.DATA_CHANGED


def mixed_alphabets(subject: Subject) -> tuple[str, ...]:
    """Return the fields that mix Cyrillic and Latin letters in one word: show them to staff.

    Such a name looks right, but the certificate then names somebody whom no register has. It is
    no error: foreign names are written as their documents have them.

    Returns:
        Paths of the fields, such as ``subject.surname``.
    """
    return tuple(
        f"subject.{field}"
        for field in ("surname", "given_name", "patronymic")
        if _MIXED.search(getattr(subject, field) or "")
    )


def _missing(applicant: ApplicantKind, subject: Subject) -> Iterator[tuple[str, str]]:
    if not subject.surname.strip():
        yield "subject.surname", "не указана фамилия"
    if not subject.given_name.strip():
        yield "subject.given_name", "не указано имя"
    if applicant is ApplicantKind.HEAD:
        if subject.organisation is None:
            yield "subject.organisation", "не указана организация руководителя"
        if not subject.position:
            yield "subject.position", "не указана должность руководителя"
    if applicant is ApplicantKind.ENTREPRENEUR and subject.ogrnip is None:
        yield "subject.ogrnip", "не указан ОГРНИП"
