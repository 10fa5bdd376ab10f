"""The training day: what the software of a clinic does with medsign from morning to evening.

It uses public names only and is written to be copied from. Whatever only people can do is in
`medsign.cli.scene.Town`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias
from uuid import uuid4

import attrs

from medsign import MedSign, Report, SoftwareKey, SoftwareSigner, mchd, watched
from medsign.ca import (
    REQUIRED_DOCUMENTS,
    ApplicantKind,
    Carrier,
    NewRequest,
    RequestState,
    Scenario,
    Subject,
    certificate_subject,
)
from medsign.cli import people
from medsign.cli.scene import Scene, Town
from medsign.clock import MOSCOW
from medsign.cms import Evidence
from medsign.cms.operations import TimeStamp, Verification
from medsign.codec.asn1 import Certificate
from medsign.errors import UnexpectedAnswer
from medsign.gosuslugi import Document as KitDocument
from medsign.gosuslugi import DocumentKind, KitReport, file_name
from medsign.pdf import read_pdf_signatures, sign_pdf, verify_pdf
from medsign.pki import TrustStore, holder_of, make_request
from medsign.sandbox.paper import new_pdf
from medsign.sep import SMS, Document, Package, Source, SourceKind
from medsign.signers import AuditedSigner, AuditLog, Signer
from medsign.watch import Notice, Watched

Tell: TypeAlias = Callable[[str], None]
"""Shows staff what has been done, in Russian."""

NEARLY_A_YEAR = timedelta(days=345)
_SCAN = b"%PDF-1.7 scan"


@attrs.frozen(kw_only=True)
class Signed:
    """A document with its signature and the verdict on it.

    Attributes:
        name: Name of its file.
        content: The exact octets that are signed.
        signature: Detached CMS, DER.
        verification: The verdict.
    """

    name: str
    content: bytes = attrs.field(repr=False)
    signature: bytes = attrs.field(repr=False)
    verification: Verification


@attrs.frozen(kw_only=True)
class SignedPdf:
    """A document with its signature inside.

    Attributes:
        content: The whole file.
        part: The octets of it that are signed.
        signature: The CMS in it, DER.
        report: The verdict.
    """

    content: bytes = attrs.field(repr=False)
    part: bytes = attrs.field(repr=False)
    signature: bytes = attrs.field(repr=False)
    report: Report


@attrs.frozen(kw_only=True)
class Day:
    """What is there in the evening.

    Attributes:
        head: Certificate of the head.
        doctor: Certificate of the doctor.
        statuses: OCSP answers on both, DER, by name.
        poa: The power of attorney.
        consent: The patient's consent with the operator's signature.
        stamp: Time stamp on the consent.
        protocol: The doctor's protocol.
        spoilt: The protocol with one bit flipped.
        refusal: The verdict on it.
        epicrisis: A discharge summary signed inside.
        representation: Whether the protocol binds the clinic.
        notices: What ends soon.
    """

    head: Certificate
    doctor: Certificate
    statuses: dict[str, bytes]
    poa: Signed
    consent: Signed
    stamp: TimeStamp
    protocol: Signed
    spoilt: bytes = attrs.field(repr=False)
    refusal: Report
    epicrisis: SignedPdf
    representation: mchd.RepresentationReport
    notices: tuple[Notice, ...]


def clinic_day(scene: Scene, tell: Tell) -> Day:
    """Live the day through.

    Args:
        scene: A sandbox.
        tell: Called after each step.

    Raises:
        MedsignError: A step failed.
    """
    window, town = scene.window, scene.town
    with town.ago(NEARLY_A_YEAR):
        head = get_certificate(window, town, ApplicantKind.HEAD, people.HEAD)
    tell("У главного врача уже есть сертификат УЦ ФНС")
    doctor = get_certificate(window, town, ApplicantKind.WORKER, people.DOCTOR)
    tell("Врач получил сертификат: проверки СМЭВ, визит, оплата, выпуск, установка")
    statuses = {
        name: window.pki.status(person.certificate, scene.issuer_of(person.certificate)).response
        for name, person in (("head", head), ("doctor", doctor))
    }
    tell("Служба OCSP ответила: оба сертификата действуют")

    poa = issue_power_of_attorney(window, head, doctor.certificate)
    tell("МЧД заполнена из сертификатов, подписана главным врачом и зарегистрирована")

    kit = doctor_kit(window)
    tell(f"Комплект документов врача для Госуслуг: {'принят' if kit.accepted else 'неполон'}")

    patient = window.ekp.identify(town.take_a_card())
    tell(f"Пациент узнан по ЕКП, сведений получено: {len(patient.sources)}")
    consent = get_consent(window, town)
    tell("Пациент подписал согласие по ссылке и коду, подписанный PDF получен")
    stamp = window.pki.timestamp(consent.content)
    tell("Служба штампов времени заверила, когда согласие получено")

    log = AuditLog(window.store, clock=window.clock)
    pen = AuditedSigner(doctor, log, who="doctor-1")
    content = new_pdf(people.PROTOCOL)
    protocol = verified(window, "protocol.pdf", content, window.pki.sign(content, pen))
    tell("Врач подписал протокол: отсоединённая подпись CAdES-T")
    for document in (poa, consent, protocol):
        tell(f"Проверено: {document.name}: {document.verification.report.indication.russian}")
    spoilt = content[:-1] + bytes([content[-1] ^ 1])
    refusal = window.pki.verify(protocol.signature, spoilt).report
    tell(f"Протокол с одним изменённым битом: {refusal.indication.russian}")
    epicrisis = sign_inside(scene, new_pdf(people.EPICRISIS), pen)
    tell(f"Эпикриз, подписанный внутри PDF (PAdES-T): {epicrisis.report.indication.russian}")
    state = "цел" if log.check().intact else "нарушен"
    tell(f"Журнал подписания {state}, записей: {log.head.number}")

    representation = represent(window, poa, protocol)
    tell(f"Врач действовал от имени клиники: {representation.answer.russian}")
    for note in dict.fromkeys(
        (*representation.document.notes, *representation.power_of_attorney.notes)
    ):
        tell(note)

    notices = look_at_terms(window, head.certificate, doctor.certificate, poa)
    for notice in notices:
        tell(notice.text)
    return Day(
        head=head.certificate,
        doctor=doctor.certificate,
        statuses=statuses,
        poa=poa,
        consent=consent,
        stamp=stamp,
        protocol=protocol,
        spoilt=spoilt,
        refusal=refusal,
        epicrisis=epicrisis,
        representation=representation,
        notices=notices,
    )


def get_certificate(
    window: MedSign, town: Town, applicant: ApplicantKind, subject: Subject
) -> SoftwareSigner:
    """Apply for a certificate, be identified, pay, install."""
    key = SoftwareKey.generate()
    pkcs10 = make_request(certificate_subject(applicant, subject), key).der
    request = window.ca.apply(
        NewRequest(applicant=applicant, subject=subject, pkcs10=pkcs10),
        dict.fromkeys(REQUIRED_DOCUMENTS[applicant], _SCAN),
    )
    request = window.ca.wait(request.id)
    window.ca.identify(request.id, Scenario.AT_CA)
    town.show_passport(request.id)
    if window.ca.get(request.id).state == RequestState.PAYMENT:
        town.pay(request.id)
    request = window.ca.wait(request.id)
    certificate = window.ca.download(request.id)
    window.ca.install(request.id, Carrier.TOKEN)
    return key.certified(certificate)


def issue_power_of_attorney(window: MedSign, head: SoftwareSigner, doctor: Certificate) -> Signed:
    """Fill a МЧД from two certificates, add what certificates never tell, sign, register."""
    principal = mchd.principal_from(holder_of(head.certificate))
    representative = mchd.representative_from(holder_of(doctor))
    today = window.clock.now().astimezone(MOSCOW).date()
    poa = mchd.issue(
        mchd.Draft(
            principals=(
                attrs.evolve(
                    principal,
                    organization=attrs.evolve(
                        principal.organization, kpp=people.KPP, address=people.ADDRESS
                    ),
                ),
            ),
            representatives=(
                attrs.evolve(
                    representative,
                    person=attrs.evolve(
                        representative.person,
                        birth_date=people.DOCTOR.birth_date,
                        identity=people.DOCTOR_PASSPORT,
                    ),
                ),
            ),
            number=window.mchd.generate_number(),
            internal_number="1",
            issued=today,
            valid_until=today + timedelta(days=364),
            powers=mchd.text_powers(),
        )
    )
    document = mchd.encode(poa)
    signature = window.pki.sign(document, head)
    registration = window.mchd.submit_and_wait(document, signature)
    if not registration.registered:
        raise UnexpectedAnswer("mchd: the registry refused the power of attorney of the demo")
    return verified(window, f"{poa.file_id}.xml", document, signature)


def doctor_kit(window: MedSign) -> KitReport:
    """Check the doctor's documents for the cabinet on Госуслуги before they are uploaded."""
    names = {
        DocumentKind.DIPLOMA: "Диплом",
        DocumentKind.ADVANCED_TRAINING: "Удостоверение",
        DocumentKind.APPOINTMENT_ORDER: "Приказ",
    }
    doctor = people.DOCTOR
    return window.gosuslugi.check_kit(
        [
            KitDocument(
                kind=kind,
                file_name=file_name(doctor.surname, doctor.given_name, name, ".pdf"),
                content=new_pdf([name]),
            )
            for kind, name in names.items()
        ],
        "faq_doctor_status",
    )


def get_consent(window: MedSign, town: Town) -> Signed:
    """Send a consent to the patient, who signs it on the phone, and fetch what came of it."""
    now = window.clock.now()
    document = Document(
        id=str(uuid4()),
        name="Согласие на телемедицинскую консультацию",
        form_code="KAV.0049",
        content=new_pdf(people.CONSENT),
        added_at=now,
    )
    package = Package(
        id=str(uuid4()),
        source=Source(kind=SourceKind.TALON, number="107200", created_at=now),
        patient=people.PATIENT,
        channel=SMS,
        documents=(document,),
    )
    number = window.sep.send(package, document).number
    window.sep.status(number)  # «Получить»: only now the link goes to the patient
    town.sign_on_the_phone(people.PHONE)
    window.sep.wait_signed(number)
    answer = window.sep.signed(number)
    if not answer.is_about(document.content):
        raise UnexpectedAnswer("sep: another document was signed")
    return verified(window, "consent.pdf", answer.content, answer.signature)


def verified(window: MedSign, name: str, content: bytes, signature: bytes) -> Signed:
    """Verify a signature; what OCSP must say is asked on the way."""
    verification = window.pki.verify(signature, content)
    return Signed(name=name, content=content, signature=signature, verification=verification)


def sign_inside(scene: Scene, document: bytes, signer: Signer) -> SignedPdf:
    """Put a signature with a time stamp into a PDF and verify it as its reader will."""
    window = scene.window
    content = sign_pdf(
        document,
        signer,
        at=window.clock.now(),
        timestamp=lambda value: window.pki.timestamp(value).response,
        chain=scene.authorities,
    )
    (inside,) = read_pdf_signatures(content)
    asked = window.pki.verify(inside.signature, inside.content)
    evidence = Evidence(
        signature=content, trust=TrustStore([scene.root]), certificates=scene.authorities
    ).with_fetched(crls=asked.crls, ocsp_responses=asked.ocsp_responses)
    return SignedPdf(
        content=content,
        part=inside.content,
        signature=inside.signature,
        report=verify_pdf(evidence, at=window.clock.now()),
    )


def represent(window: MedSign, poa: Signed, document: Signed) -> mchd.RepresentationReport:
    """Ask whether the signed document binds the clinic: the four checks of a МЧД."""
    kept = window.mchd.download(mchd.Requisites.of(mchd.decode(poa.content)))
    return window.mchd.check(
        kept,
        document.verification.report,
        lambda signature, content: window.pki.verify(signature, content).report,
    )


def look_at_terms(
    window: MedSign, head: Certificate, doctor: Certificate, poa: Signed
) -> tuple[Notice, ...]:
    """Return what ends soon; a МИС does this once a day."""
    terms = mchd.decode(poa.content).terms
    watch = window.watch(lambda _: None)
    return watch.check(
        (
            watched(head),
            watched(doctor),
            Watched.power_of_attorney(terms.number, terms.valid_until),
        )
    ).sent
