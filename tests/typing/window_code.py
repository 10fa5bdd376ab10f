"""Both windows as the type checkers of a vendor see them: checked by `nox -s types`, never run.

A line that must be refused carries the precise code of mypy and the rule of pyright; both checkers
complain about an ignore that ignores nothing.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, assert_type

from medsign import AsyncMedSign, Config, MedSign, Report, SoftwareKey, SoftwareSigner, watched
from medsign.ca import (
    ApplicantKind,
    Batch,
    CertificateRequest,
    DocumentKind,
    IssuedCertificate,
    NewRequest,
    Order,
    Scenario,
    Subject,
)
from medsign.cms.operations import CertificateStatus, TimeStamp, Verification
from medsign.codec.asn1 import Certificate
from medsign.ekp import CardReader, Person
from medsign.exchange import Unfinished
from medsign.gosuslugi import Action, Blocking, Finding, KitReport, SignatureLevel
from medsign.identifiers import CardNumber
from medsign.mchd import Chronology, PoaPackage, Receipt, Registration, Requisites
from medsign.sandbox import Sandbox
from medsign.sep import Batch as SentBatch
from medsign.sep import Document, DocumentRow, Package, SignedDocument
from medsign.signers import Signer
from medsign.status import Calendar, State, Tracker, UnknownStatus
from medsign.watch import Notice, Round, Watch


def certificates(window: MedSign, new: NewRequest, scans: dict[DocumentKind, bytes]) -> None:
    request = window.ca.apply(new, scans, key="application-17")
    assert_type(request, CertificateRequest)
    assert_type(request.status, State | UnknownStatus)
    assert_type(window.ca.identify(request.id, Scenario.AT_CA), CertificateRequest)
    assert_type(window.ca.download(request.id), Certificate)
    assert_type(window.ca.certificates(), Iterator[IssuedCertificate])
    assert_type(window.ca.apply_all([Order(key="1", new=new, documents=scans)]), Batch)

    window.ca.identify(request.id, "at_ca")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    window.ca.apply(new)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    window.ca.apply(new, scans, "application-17")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    window.ca.issue(new)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


async def certificates_async(window: AsyncMedSign, new: NewRequest) -> None:
    request = await window.ca.apply(new, {}, key="application-17")
    assert_type(request, CertificateRequest)
    assert_type(await window.ca.identify(request.id, Scenario.AT_CA), CertificateRequest)
    assert_type(await window.ca.download(request.id), Certificate)
    assert_type(window.ca.certificates(), AsyncIterator[IssuedCertificate])
    assert_type(await window.ca.apply_all([]), Batch)
    _ = assert_type(window.ca.get(request.id), Coroutine[Any, Any, CertificateRequest])

    _ = window.ca.apply(new, {}).id  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
    for _ in window.ca.certificates():  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
        pass


def signatures(window: MedSign, signer: SoftwareSigner, token: Signer) -> None:
    signature = window.pki.sign(Path("epicrisis.pdf"), token)
    assert_type(signature, bytes)
    verification = window.pki.verify(signature, b"text")
    assert_type(verification, Verification)
    assert_type(verification.report, Report)
    assert_type(verification.report.passed, bool)
    assert_type(window.pki.timestamp(b"text"), TimeStamp)
    assert_type(window.pki.status(signer.certificate, signer.certificate), CertificateStatus)

    window.pki.sign("text", signer)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    window.pki.sign(b"text", SoftwareKey.generate())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def signatures_async(window: AsyncMedSign, signer: SoftwareSigner) -> None:
    assert_type(await window.pki.sign(b"text", signer, stamped=False), bytes)
    assert_type((await window.pki.verify(b"", b"")).report, Report)
    assert_type(await window.pki.timestamp(b"text"), TimeStamp)


def powers_of_attorney(window: MedSign, requisites: Requisites) -> None:
    assert_type(window.mchd.generate_number(), str)
    registration = window.mchd.submit_and_wait(b"document", b"signature")
    assert_type(registration, Registration)
    assert_type(registration.state, State | UnknownStatus)
    assert_type(window.mchd.register(b"document", b"signature"), Receipt)
    assert_type(window.mchd.chronology(requisites), Chronology)
    assert_type(window.mchd.download(requisites), PoaPackage)
    assert_type(window.mchd.tracker("number"), Tracker)


async def powers_of_attorney_async(window: AsyncMedSign, requisites: Requisites) -> None:
    assert_type(await window.mchd.submit_and_wait(b"document", b"signature"), Registration)
    assert_type(await window.mchd.download(requisites), PoaPackage)
    assert_type(await window.mchd.follow("number"), Tracker)
    assert_type(window.mchd.tracker("number"), Tracker)


def patients(window: MedSign, package: Package, document: Document) -> None:
    assert_type(window.sep.send(package, document), DocumentRow)
    assert_type(window.sep.send_all(package), SentBatch)
    assert_type(window.sep.documents(package="p1"), Iterator[DocumentRow])
    assert_type(window.sep.signed("1"), SignedDocument)

    window.sep.status(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def patients_async(window: AsyncMedSign, package: Package, document: Document) -> None:
    assert_type(await window.sep.send(package, document), DocumentRow)
    assert_type(window.sep.documents(), AsyncIterator[DocumentRow])
    assert_type(await window.sep.signed("1"), SignedDocument)


def cards(window: MedSign, number: CardNumber, reader: CardReader) -> None:
    assert_type(window.ekp.identify(number), Person)
    assert_type(window.ekp.identify_card(reader, photo=True), Person)

    window.ekp.identify("9643…")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def cards_async(window: AsyncMedSign, number: CardNumber) -> None:
    assert_type(await window.ekp.identify(number), Person)


def rules(window: MedSign, other: AsyncMedSign, certificate: Certificate) -> None:
    for each in (window, other):
        assert_type(each.gosuslugi.check_kit([], "identity"), KitReport)
        hindrance = each.gosuslugi.check_signature(Action.REFERRAL, SignatureLevel.SIMPLE)
        assert_type(hindrance, Finding | None)
        assert_type(each.clock.now(), datetime)

    def tell(notice: Notice) -> None:
        assert_type(notice.text, str)

    assert_type(window.watch(tell).check([watched(certificate)]), Round)
    assert_type(window.watch(tell, thresholds=[timedelta(days=7)]), Watch)
    window.watch(tell, thresholds=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    window.watch("a mailbox")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def opened(config: Config) -> None:
    with MedSign(config) as window:
        assert_type(window, MedSign)
    MedSign()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with AsyncMedSign(config):  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
        pass


async def opened_async(config: Config) -> None:
    async with AsyncMedSign(config) as window:
        assert_type(window, AsyncMedSign)


def worlds(sandbox: Sandbox) -> None:
    assert_type(sandbox.connect(on_event=print), MedSign)
    assert_type(sandbox.async_connect(transport=sandbox.transport()), AsyncMedSign)
    sandbox.connect(trust="root.pem")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    sandbox.connect(colour="red")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def subjects() -> None:
    Subject(surname="Тестова")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    assert_type(ApplicantKind.WORKER.label, str)


def cabinet() -> None:
    closing = Blocking(errors=3, within=timedelta(minutes=5), lasts=timedelta(minutes=30))
    MedSign(Config(), calendar=Calendar(), blocking=closing)
    AsyncMedSign(Config(), calendar=Calendar(), blocking=closing)
    MedSign(Config(), calendar=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def waiting_calls(window: MedSign) -> None:
    assert_type(window.sep.unfinished(), list[Unfinished])


async def waiting_calls_too(window: AsyncMedSign) -> None:
    assert_type(await window.sep.unfinished(), list[Unfinished])
