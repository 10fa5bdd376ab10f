"""What СЭП would refuse, found before anything is sent; and the print forms of the МИС."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import attrs

from medsign.clock import MOSCOW, aware
from medsign.errors import InvalidDocument, UsageError
from medsign.sep.models import Document, IdentityFlag, Package, Patient
from medsign.status import fold

FORM_CODE = re.compile(r"[A-ZА-Я/]+\.[0-9]{4}")
"""Code of a print form: letters of either alphabet (F203), ``MAA.0260``, ``ИКА.0208``."""

ADULT = 18
"""Whole years from which a patient signs alone.

Consents to treatment may be signed from 15 (323-ФЗ, article 54); which documents those are, a
clinic decides by giving another number.
"""


_NAMELESS = {IdentityFlag.ANONYMOUS, IdentityFlag.UNKNOWN}


@attrs.frozen(kw_only=True)
class PrintForm:
    """A print form of the МИС with its settings (F202-F205, F432, F433).

    Attributes:
        code: Its code; two forms may have the same.
        name: Its name.
        to_pdf: Setting «Передавать в PDF».
        pdf_type: «Тип PDF», chosen from a list, for instance «бухгалтерские».
        pdf_target: «Передавать PDF в», chosen from a list; no source shows its values.
    """

    code: str
    name: str
    to_pdf: bool = False
    pdf_type: str | None = None
    pdf_target: str | None = None

    def document(self, number: str, content: bytes | Path, added_at: datetime) -> Document:
        """Return the printed form as a document to sign.

        Raises:
            UsageError: The form is not set up to be passed on as PDF.
        """
        if not self.to_pdf or not self.pdf_type:
            raise UsageError(
                f"print form {self.code}: «Передавать в PDF» is off or has no type",
                f"Печатная форма {self.code} не передаётся на подпись: включите в её настройках "
                "«Передавать в PDF» и выберите «Тип PDF».",
            )
        return Document(
            id=number,
            name=self.name,
            form_code=self.code,
            content=content,
            added_at=aware(added_at),
            pdf_type=self.pdf_type,
            pdf_target=self.pdf_target,
        )


def find_forms(forms: Iterable[PrintForm], text: str) -> tuple[PrintForm, ...]:
    """Return the forms whose name or code holds a text (F430).

    Letters that look alike are alike, because codes are written in both alphabets.

    Example:
        >>> forms = [PrintForm(code="KAV.0661", name="Договор на оказание платных мед услуг")]
        >>> [form.code for form in find_forms(forms, "кav")]
        ['KAV.0661']
    """
    sought = fold(text)
    return tuple(form for form in forms if sought in fold(form.name) or sought in fold(form.code))


def check(package: Package, document: Document, at: datetime, *, adult: int = ADULT) -> None:
    """Refuse what cannot be signed, before it leaves the clinic.

    Args:
        package: The package.
        document: The document of it that is to be sent.
        at: The present moment.
        adult: Age in whole years below which a representative signs.

    Raises:
        InvalidDocument: Every fault, by its path.
    """
    if faults := [*_about_people(package, at, adult), *_about_document(package, document)]:
        raise InvalidDocument("пакет СЭП", faults)


def _about_people(package: Package, at: datetime, adult: int) -> Iterator[tuple[str, str]]:
    today = aware(at).astimezone(MOSCOW).date()
    patient = package.patient
    yield from _about_identity(patient)
    if package.representative is None and patient.is_under(adult, today):
        dateless = IdentityFlag.DATE_UNKNOWN in patient.flags
        who = "пациента с неизвестной датой рождения" if dateless else "несовершеннолетнего"
        yield "representative", f"за {who} подписывает представитель"
    if package.representative and package.representative.is_under(ADULT, today):
        yield "representative.birthDate", "представитель несовершеннолетний"
    if package.recipient.phone is None:
        role = "representative" if package.representative else "patient"
        yield f"{role}.phone", "нет телефона для кода подтверждения"


def _about_identity(patient: Patient) -> Iterator[tuple[str, str]]:
    if _NAMELESS & set(patient.flags):
        yield "patient.flags", "анонимный или неизвестный пациент не может подписать документ"
        return
    if not patient.surname.strip():
        yield "patient.surname", "не указана фамилия"
    if not patient.given_name.strip() and IdentityFlag.WHOLE_NAME not in patient.flags:
        yield "patient.givenName", "не указано имя"
    if patient.identity and IdentityFlag.NO_DOCUMENT in patient.flags:
        yield "patient.identity", "документ указан, хотя отмечено, что его нет"


def _about_document(package: Package, document: Document) -> Iterator[tuple[str, str]]:
    if document not in package.documents:
        yield "documents", "документа нет в пакете"
    try:
        if not document.begins_with(b"%PDF-"):
            yield "document.content", "это не PDF"
    except OSError:
        yield "document.content", "файл не читается"
    if not document.name.strip():
        yield "document.name", "нет наименования"
    if not FORM_CODE.fullmatch(document.form_code):
        yield "document.formCode", "код печатной формы не вида KAV.0049"
