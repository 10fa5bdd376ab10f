"""A day of a clinic in one file: certificate, МЧД, a patient's consent, a protocol, verification.

Run it: ``python clinic_day.py``. Everything remote is a sandbox in this process; with real
settings only the first lines of `main` change. ``medsign demo`` shows the same with files to keep.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from uuid import uuid4

import attrs
import httpx

from medsign import MedSign, SoftwareKey, SoftwareSigner, mchd, watched
from medsign.ca import (
    REQUIRED_DOCUMENTS,
    ApplicantKind,
    Carrier,
    NewRequest,
    Organisation,
    Passport,
    RequestState,
    Scenario,
    Subject,
    certificate_subject,
)
from medsign.clock import MOSCOW
from medsign.codec.asn1 import Certificate
from medsign.identifiers import Inn, InnLegal, Ogrn, Phone, Snils
from medsign.pki import holder_of, make_request
from medsign.sandbox import Sandbox
from medsign.sandbox.paper import new_pdf
from medsign.sandbox.remote import Remote
from medsign.sep import SMS, Document, Package, Patient, SignedDocument, Source, SourceKind

DOCTOR = Subject(
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
HEAD = attrs.evolve(
    DOCTOR,
    surname="Образцова",
    given_name="Мария",
    patronymic="Ивановна",
    snils=Snils.complete("999000003"),
    inn=Inn.complete("9999000003"),
    position="Главный врач",
    organisation=Organisation(
        name="ООО «Тестовая клиника»",
        ogrn=Ogrn.complete("999000000001"),
        inn=InnLegal.complete("999900000"),
        street="ул. Примерная, д. 1",
    ),
)
PATIENT = Patient(
    id="2156792",
    surname="Примерова",
    given_name="Анна",
    birth_date=date(1990, 5, 17),
    phone=Phone("+79990000001"),
)


def main() -> None:
    """Live the day through."""
    with Sandbox() as sandbox, sandbox.http() as town, sandbox.connect() as window:
        head = get_certificate(window, town, ApplicantKind.HEAD, HEAD)
        sandbox.clock.advance(timedelta(days=345))
        doctor = get_certificate(window, town, ApplicantKind.WORKER, DOCTOR)
        print("Сертификат врача действует до", f"{doctor.certificate.not_after:%d.%m.%Y}")

        number = authorise(window, head, doctor.certificate)
        print("МЧД:", window.mchd.status(number).state.label)

        consent = get_consent(window, town)
        verdict = window.pki.verify(consent.signature, consent.content)
        print("Согласие пациента:", verdict.report.indication.russian)

        protocol = new_pdf(["Протокол консультации", "Жалоб нет."])
        signature = window.pki.sign(protocol, doctor)
        verdict = window.pki.verify(signature, protocol)
        print("Протокол:", *verdict.report.explain_trust())
        spoilt = window.pki.verify(signature, protocol + b"!")
        print("Изменённый протокол:", spoilt.report.indication.russian)

        watch = window.watch(lambda notice: print(notice.subject))
        watch.check(map(watched, (head.certificate, doctor.certificate)))


def get_certificate(
    window: MedSign, town: httpx.Client, applicant: ApplicantKind, subject: Subject
) -> SoftwareSigner:
    """Apply, be identified at the office, pay where it costs, install."""
    key = SoftwareKey.generate()
    pkcs10 = make_request(certificate_subject(applicant, subject), key).der
    request = window.ca.apply(
        NewRequest(applicant=applicant, subject=subject, pkcs10=pkcs10),
        dict.fromkeys(REQUIRED_DOCUMENTS[applicant], b"%PDF-1.7 scan"),
    )
    request = window.ca.wait(request.id)
    window.ca.identify(request.id, Scenario.AT_CA)
    town.post(f"/ca/office/requests/{request.id}/visit")
    if window.ca.get(request.id).state == RequestState.PAYMENT:
        town.post(f"/ca/office/requests/{request.id}/payment")
    request = window.ca.wait(request.id)
    certificate = window.ca.download(request.id)
    window.ca.install(request.id, Carrier.TOKEN)
    return key.certified(certificate)


def authorise(window: MedSign, head: SoftwareSigner, doctor: Certificate) -> str:
    """Issue a МЧД from two certificates and register it; return its number."""
    principal = mchd.principal_from(holder_of(head.certificate))
    representative = mchd.representative_from(holder_of(doctor))
    today = window.clock.now().astimezone(MOSCOW).date()
    draft = mchd.Draft(
        principals=(principal,),
        representatives=(representative,),
        number=window.mchd.generate_number(),
        internal_number="1",
        issued=today,
        valid_until=today + timedelta(days=364),
        powers=mchd.text_powers(),
    )
    for field in draft.missing:
        print(f"  спросить: «{field.label_ru}» ({field.why})")
    clinic = attrs.evolve(
        principal.organization, kpp="999901001", address="г. Санкт-Петербург, ул. Примерная, д. 1"
    )
    person = attrs.evolve(representative.person, birth_date=DOCTOR.birth_date)
    draft = attrs.evolve(
        draft,
        principals=(attrs.evolve(principal, organization=clinic),),
        representatives=(attrs.evolve(representative, person=person),),
    )
    document = mchd.encode(mchd.issue(draft))
    registration = window.mchd.submit_and_wait(document, window.pki.sign(document, head))
    assert registration.registered, registration.rejections
    return registration.number


def get_consent(window: MedSign, town: httpx.Client) -> SignedDocument:
    """Send a consent to the patient, who signs it on the phone, and fetch what came of it."""
    now = window.clock.now()
    document = Document(
        id=str(uuid4()),
        name="Согласие на телемедицинскую консультацию",
        form_code="KAV.0049",
        content=new_pdf(["Согласие на телемедицинскую консультацию"]),
        added_at=now,
    )
    package = Package(
        id=str(uuid4()),
        source=Source(kind=SourceKind.TALON, number="107200", created_at=now),
        patient=PATIENT,
        channel=SMS,
        documents=(document,),
    )
    number = window.sep.send(package, document).number
    window.sep.status(number)  # «Получить»: the link goes to the patient
    sign_on_the_phone(town)
    window.sep.wait_signed(number)
    return window.sep.signed(number)


def sign_on_the_phone(town: httpx.Client) -> None:
    """Do what the patient does: open the link, press «Подписать», enter the code."""
    page = re.findall(r"\S+/sign/\w+", Remote(town).outbox()[-1]["text"])[0]
    town.get(page)
    town.post(page)
    code = re.findall(r"\d{6}", Remote(town).outbox()[-1]["text"])[0]
    town.post(f"{page}/code", data={"code": code})


if __name__ == "__main__":
    main()
