"""The day of `clinic_day.py` in async code: what does not wait for each other goes side by side.

Run it: ``python clinic_day_async.py``. It runs on asyncio; with ``backend="trio"`` on Trio.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

import anyio
import attrs
import httpx

from medsign import AsyncMedSign, SoftwareKey, SoftwareSigner, mchd, watched
from medsign.ca import (
    REQUIRED_DOCUMENTS,
    ApplicantKind,
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

BORN = date(1985, 3, 14)


def person(surname: str, number: int, **more: Any) -> Subject:
    """Make up somebody; numbers that begin with 999 belong to nobody."""
    return Subject(
        surname=surname,
        given_name="Женя",
        birth_date=BORN,
        snils=Snils.complete(f"99900000{number}"),
        inn=Inn.complete(f"999900000{number}"),
        passport=Passport(
            series="9999", number=f"00000{number}", issued=date(2010, 4, 1), issuer_code="999-001"
        ),
        region="78 г. Санкт-Петербург",
        locality="Санкт-Петербург",
        **more,
    )


HEAD = person(
    "Образцова",
    3,
    position="Главный врач",
    organisation=Organisation(
        name="ООО «Тестовая клиника»",
        ogrn=Ogrn.complete("999000000001"),
        inn=InnLegal.complete("999900000"),
        street="ул. Примерная, д. 1",
    ),
)
DOCTORS = [person("Тестов", 2), person("Тестова", 4), person("Примеров", 5)]
PATIENT = Patient(
    id="7", surname="Примерова", given_name="Анна", birth_date=BORN, phone=Phone("+79990000001")
)


async def main() -> None:
    """Live the day through."""
    with Sandbox() as sandbox, sandbox.http() as town:
        async with sandbox.async_connect() as window:
            head = await get_certificate(window, town, ApplicantKind.HEAD, HEAD)
            sandbox.clock.advance(timedelta(days=345))

            async def certify(subject: Subject) -> SoftwareSigner:
                return await get_certificate(window, town, ApplicantKind.WORKER, subject)

            doctors = await side_by_side(certify, DOCTORS)
            print("Сертификатов выпущено сразу:", len(doctors))

            async def authorised(doctor: SoftwareSigner) -> str:
                return await authorise(window, head, doctor.certificate)

            numbers = await side_by_side(authorised, doctors)
            print("МЧД зарегистрировано:", len(numbers))

            consent = await get_consent(window, town)
            verdict = await window.pki.verify(consent.signature, consent.content)
            print("Согласие пациента:", verdict.report.indication.russian)

            async def protocol(doctor: SoftwareSigner) -> str:
                content = new_pdf(["Протокол консультации", "Жалоб нет."])
                signature = await window.pki.sign(content, doctor)
                verdict = await window.pki.verify(signature, content)
                return verdict.report.indication.russian

            print("Протоколы:", *await side_by_side(protocol, doctors), sep="\n  ")

            watch = window.watch(lambda notice: print(notice.subject))
            watch.check(watched(each.certificate) for each in (head, *doctors))


async def side_by_side(act: Callable[[Any], Awaitable[Any]], items: list[Any]) -> list[Any]:
    """Do something with all the items at once; return the results in their order."""
    results: list[Any] = [None] * len(items)

    async def one(place: int) -> None:
        results[place] = await act(items[place])

    async with anyio.create_task_group() as group:
        for place in range(len(items)):
            group.start_soon(one, place)
    return results


async def get_certificate(
    window: AsyncMedSign, town: httpx.Client, applicant: ApplicantKind, subject: Subject
) -> SoftwareSigner:
    """Apply, be identified at the office, pay where it costs."""
    key = SoftwareKey.generate()
    pkcs10 = make_request(certificate_subject(applicant, subject), key).der
    request = await window.ca.apply(
        NewRequest(applicant=applicant, subject=subject, pkcs10=pkcs10),
        dict.fromkeys(REQUIRED_DOCUMENTS[applicant], b"%PDF-1.7 scan"),
    )
    request = await window.ca.wait(request.id)
    await window.ca.identify(request.id, Scenario.AT_CA)
    go_to_office(town, request.id, "visit")
    if (await window.ca.get(request.id)).state == RequestState.PAYMENT:
        go_to_office(town, request.id, "payment")
    request = await window.ca.wait(request.id)
    return key.certified(await window.ca.download(request.id))


async def authorise(window: AsyncMedSign, head: SoftwareSigner, doctor: Certificate) -> str:
    """Issue a МЧД from two certificates and register it; return its number."""
    principal = mchd.principal_from(holder_of(head.certificate))
    representative = mchd.representative_from(holder_of(doctor))
    clinic = attrs.evolve(principal.organization, kpp="999901001", address="ул. Примерная, д. 1")
    today = window.clock.now().astimezone(MOSCOW).date()
    draft = mchd.Draft(
        principals=(attrs.evolve(principal, organization=clinic),),
        representatives=(
            attrs.evolve(
                representative, person=attrs.evolve(representative.person, birth_date=BORN)
            ),
        ),
        number=await window.mchd.generate_number(),
        internal_number="1",
        issued=today,
        valid_until=today + timedelta(days=364),
        powers=mchd.text_powers(),
    )
    document = mchd.encode(mchd.issue(draft))
    signature = await window.pki.sign(document, head)
    return (await window.mchd.submit_and_wait(document, signature)).number


async def get_consent(window: AsyncMedSign, town: httpx.Client) -> SignedDocument:
    """Send a consent to the patient and fetch what came of it."""
    now = window.clock.now()
    name, content = "Согласие на консультацию", new_pdf(["Согласие на консультацию"])
    document = Document(id="1", name=name, form_code="KAV.0049", content=content, added_at=now)
    source = Source(kind=SourceKind.TALON, number="107200", created_at=now)
    package = Package(id="1", source=source, patient=PATIENT, channel=SMS, documents=(document,))
    number = (await window.sep.send(package, document)).number
    await window.sep.status(number)  # «Получить»: the link goes to the patient
    sign_on_the_phone(town)
    await window.sep.wait_signed(number)
    return await window.sep.signed(number)


def go_to_office(town: httpx.Client, request_id: str, action: str) -> None:
    """Do what an applicant does at the УЦ."""
    town.post(f"/ca/office/requests/{request_id}/{action}")


def sign_on_the_phone(town: httpx.Client) -> None:
    """Do what the patient does: open the link, press «Подписать», enter the code."""
    page = re.findall(r"\S+/sign/\w+", Remote(town).outbox()[-1]["text"])[0]
    town.get(page)
    town.post(page)
    code = re.findall(r"\d{6}", Remote(town).outbox()[-1]["text"])[0]
    town.post(f"{page}/code", data={"code": code})


if __name__ == "__main__":
    anyio.run(main)
