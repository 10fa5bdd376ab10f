"""Planted secrets: a clinic lives through good and bad hours, and somebody reads all it leaves.

Distinctive data of a person, tokens, passwords, keys and documents go into every service. Logs of
all libraries, events, objects, errors with their causes, and URLs must not show them.
"""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote

import anyio
import attrs
import httpx
import pytest

pytest.importorskip("pypdf", reason="needs the extra `sandbox`")
pytest.importorskip("opentelemetry.sdk", reason="needs opentelemetry-sdk")

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

from medsign import (
    AsyncMedSign,
    Config,
    Endpoint,
    MedSign,
    MedsignError,
    SoftwareKey,
    TrustStore,
    cms,
    mchd,
    watched,
)
from medsign.ca import (
    ApplicantKind,
    Correction,
    DocumentKind,
    NewRequest,
    Order,
    Passport,
    Scenario,
    Subject,
    certificate_subject,
)
from medsign.ca.cryptopro import CryptoProPortal, portal_context
from medsign.codec import json as door
from medsign.codec.asn1 import oids, pem_encode, recognise
from medsign.ekp import CardRecord, QrCode, ServiceRecord
from medsign.exchange import Driver, all_of, log_events
from medsign.gosuslugi import Document as KitDocument
from medsign.gosuslugi import DocumentKind as KitKind
from medsign.identifiers import CardNumber, CardUid, Identifier, Inn, Phone, Snils
from medsign.pki import holder_of, make_request, private_key_info
from medsign.recording import Recorder
from medsign.sandbox import Fault, FaultKind, Sandbox
from medsign.sandbox.ekp import EkpService, IssuedCard, SandboxCard
from medsign.sandbox.paper import new_pdf
from medsign.sandbox.remote import Remote
from medsign.sep import (
    Document,
    IdentityFlag,
    Package,
    Patient,
    PrintForm,
    Representative,
    Source,
    SourceKind,
)
from medsign.signers import load_key, load_signer
from medsign.telemetry import Telemetry

BORN = date(1987, 11, 23)
SURNAME, GIVEN_NAME, PATRONYMIC = "Тайновская", "Изольда", "Пафнутьевна"
SNILS, INN = Snils.complete("999777331"), Inn.complete("9997773331")
CLINIC_INN = "9999000006"
PHONE, EMAIL = Phone("+79997773311"), "tainovskaya@planted.test"
SERIES, NUMBER = "9977", "777331"
STREET = "Потайной переулок"
DIAGNOSIS = "Diagnosis-Potainoy-77"
CARD, QR = CardNumber("9997773311223344"), "EKP1 planted-qr-77"
TOKENS = {name: f"planted-token-of-{name}-77" for name in ("ca", "sep", "ekp")}
PASSWORD = "planted-password-77"
KEY = SoftwareKey.generate()
SCAN = f"%PDF-1.7 {DIAGNOSIS}".encode()

PLANTED = {
    "surname": SURNAME,
    "given name": GIVEN_NAME,
    "patronymic": PATRONYMIC,
    "СНИЛС": SNILS.value,
    "СНИЛС as printed": SNILS.formatted,
    "ИНН": INN.value,
    "ИНН of the clinic": CLINIC_INN,
    "phone": PHONE.value,
    "phone, ten digits": PHONE.value[2:],
    "phone as printed": PHONE.formatted,
    "e-mail": EMAIL,
    "passport": SERIES + NUMBER,
    "passport as printed": f"{SERIES} {NUMBER}",
    "passport as forms have it": f"99 77 {NUMBER}",
    "address": STREET,
    "document": DIAGNOSIS,
    "card": CARD.value,
    "card as printed": CARD.formatted,
    "QR code": QR,
    "password": PASSWORD,
    "key in hexadecimal": f"{KEY.key.value:064x}",
    "key in hexadecimal, little-endian": KEY.key.value.to_bytes(32, "little").hex(),
    "key in decimal": str(KEY.key.value),
    **{f"token of {name}": token for name, token in TOKENS.items()},
}


def disguises(text: str) -> set[str]:
    """Return the forms in which a text may stand in a log."""
    return {
        text.casefold(),
        quote(text).casefold(),
        repr(text.encode())[2:-1].casefold(),
        json.dumps(text)[1:-1].casefold(),
    }


def found_in(texts: Iterable[str]) -> dict[str, str]:
    """Return what was planted and seen, each with the first text that shows it."""
    wanted = {name: disguises(text) for name, text in PLANTED.items()}
    found: dict[str, str] = {}
    for text in texts:
        folded = text.casefold()
        for name, forms in wanted.items():
            if name not in found and any(form in folded for form in forms):
                found[name] = text[:2000]
    return found


class Spans(SpanProcessor):
    """What goes to the system that keeps traces."""

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    def on_end(self, span: ReadableSpan) -> None:
        self.texts.append(span.to_json())


class Ear(logging.Handler):
    """Somebody who reads everything: texts by the place where they were seen."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))
        self.heard: dict[str, list[str]] = defaultdict(list)
        self.wire: list[str] = []
        self.refusals: set[str] = set()
        tracers = TracerProvider(shutdown_on_exit=False)
        tracers.add_span_processor(Spans(self.heard["spans"]))
        log = log_events(logging.getLogger("clinic"))
        self.watching = all_of(self.event, log, Telemetry(tracers))

    def emit(self, record: logging.LogRecord) -> None:
        self.heard["logs"] += [self.format(record), repr(record.args), repr(vars(record))]

    def event(self, event: object) -> None:
        self.heard["events"] += [repr(event), str(event)]

    def record(self, recorder: Recorder) -> None:
        """Read what a recording holds, one exchange at a time."""
        self.heard["recordings"] += [
            door.encode(entry).decode() for entry in recorder.har().log.entries
        ]

    def look(self, value: object) -> None:
        """Print an object, and the objects inside it that somebody may print alone."""
        if isinstance(value, str | bytes | dict):
            return  # plain values that the caller asked for by name are the caller's
        self.heard["objects"] += [repr(value), str(value)]
        if isinstance(value, MedsignError):
            self.hear_error(value)
        elif isinstance(value, tuple | list | set | frozenset):
            for each in value:
                self.look(each)
        elif attrs.has(type(value)) and not isinstance(value, Identifier):
            for field in attrs.fields(type(value)):
                inside = getattr(value, field.name)
                if attrs.has(type(inside)) or isinstance(inside, tuple | list):
                    self.look([each for each in _members(inside) if not _is_plain(each)])

    def hear_error(self, error: BaseException | None) -> None:
        while error is not None:
            self.heard["errors"] += [str(error), *traceback.format_exception(error)]
            inside = [repr(error), repr(error.args), repr(vars(error))]
            if isinstance(error, MedsignError):
                self.heard["errors"] += [error.diagnostics(), *inside]
                self.refusals.add(type(error).__name__)
            else:
                self.heard["causes"] += inside
            shown = None if error.__suppress_context__ else error.__context__
            error = error.__cause__ or shown

    def attempt(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Do something and read what came of it, result or error."""
        try:
            result = call(*args, **kwargs)
            result = list(result) if isinstance(result, Iterator) else result
        except (MedsignError, TypeError, ValueError) as error:
            self.hear_error(error)
            return None
        self.look(result)
        return result


def _members(value: Any) -> list[Any]:
    return list(value) if isinstance(value, tuple | list) else [value]


def _is_plain(value: object) -> bool:
    return isinstance(value, str | bytes | int | float | date | dict | None)


@attrs.frozen
class Tap(httpx.BaseTransport):
    """A transport that shows to the ear what goes by."""

    ear: Ear
    under: httpx.BaseTransport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = request.read().decode("utf-8", "replace")
        self.ear.wire += [body, repr(request.headers.raw)]
        self.ear.heard["urls"] += [str(request.url), repr(request.url), repr(request)]
        self.ear.heard["urls on the wire"].append(request.url.raw_path.decode())
        return self.under.handle_request(request)

    def close(self) -> None:
        self.under.close()


SUBJECT = Subject(
    surname=SURNAME,
    given_name=GIVEN_NAME,
    patronymic=PATRONYMIC,
    birth_date=BORN,
    snils=SNILS,
    inn=INN,
    passport=Passport(series=SERIES, number=NUMBER, issued=date(2010, 4, 1), issuer_code="999-001"),
    region="78 г. Санкт-Петербург",
    locality=STREET,
    email=EMAIL,
    phone=PHONE,
)
FILES = {DocumentKind.PASSPORT: SCAN, DocumentKind.STATEMENT: SCAN}
PATIENT = Patient(
    id="77",
    surname=SURNAME,
    given_name=GIVEN_NAME,
    patronymic=PATRONYMIC,
    birth_date=BORN,
    snils=SNILS,
    inn=INN,
    phone=PHONE,
    email=EMAIL,
    identity=f"паспорт {SERIES} {NUMBER}",
    registration_address=STREET,
)
HOLDER = ServiceRecord(
    surname=SURNAME,
    given_name=GIVEN_NAME,
    patronymic=PATRONYMIC,
    birth_date=BORN,
    snils=SNILS,
    passport_series=SERIES,
    passport_number=NUMBER,
    mobile_phone=PHONE.value,
    living_address=STREET,
)


def an_order(key: SoftwareKey | None = None, subject: Subject = SUBJECT) -> NewRequest:
    name = certificate_subject(ApplicantKind.WORKER, subject)
    pkcs10 = make_request(name, key or SoftwareKey.generate()).der
    return NewRequest(applicant=ApplicantKind.WORKER, subject=subject, pkcs10=pkcs10)


def a_document(number: str, **changes: Any) -> Document:
    usual = Document(
        id=number,
        name="Согласие на консультацию",
        form_code="KAV.0049",
        content=new_pdf([f"{SURNAME} {DIAGNOSIS}"]) + f"\n%{DIAGNOSIS}\n".encode(),
        added_at=datetime(2026, 6, 1, tzinfo=UTC),
    )
    return attrs.evolve(usual, **changes)


def a_package(*documents: Document, **changes: Any) -> Package:
    usual = Package(
        id="p77",
        source=Source(
            kind=SourceKind.TALON, number="1", created_at=datetime(2026, 6, 1, tzinfo=UTC)
        ),
        patient=PATIENT,
        channel="СМС",
        documents=documents,
    )
    return attrs.evolve(usual, **changes)


def settings_of(sandbox: Sandbox, **wrong: Any) -> dict[str, Any]:
    """Return settings of a window with the planted tokens."""
    with sandbox.http() as http:
        remote = Remote(http)
        services = dict(remote.config().services)
        for name, token in TOKENS.items():
            services[name] = attrs.evolve(services[name], token=token, **wrong.get(name, {}))
        services["mchd"] = attrs.evolve(services["mchd"], **wrong.get("mchd", {}))
        config = attrs.evolve(remote.config(), services=services)
        return {
            "config": config,
            "trust": remote.trust(),
            "intermediates": remote.intermediates(),
            "clock": sandbox.clock,
        }


@contextmanager
def a_sandbox(base_url: str = "https://sandbox.medsign.test") -> Iterator[Sandbox]:
    with Sandbox(base_url=base_url) as sandbox:
        for name, token in TOKENS.items():
            sandbox.world.tokens.issue(name, "Тестовая клиника", token=token)
        card = IssuedCard(number=CARD, uid=CardUid("04A1B2C3D4E577"), holder=HOLDER)
        sandbox.service(EkpService).cards.put(CARD.digits, card)
        yield sandbox


# --- the hours


def good_hours(ear: Ear, window: MedSign, town: httpx.Client) -> None:
    do = ear.attempt
    new = an_order(KEY)
    ear.look((new, SUBJECT, PATIENT, HOLDER, KEY, KEY.key))
    request = do(window.ca.apply, new, FILES)
    request = do(window.ca.wait, request.id)
    do(window.ca.identify, request.id, Scenario.AT_CA)
    town.post(f"/ca/office/requests/{request.id}/visit")
    town.post(f"/ca/office/requests/{request.id}/payment")
    do(window.ca.wait, request.id)
    doctor = KEY.certified(do(window.ca.download, request.id))
    ear.look(doctor)
    do(window.ca.requests)
    do(window.ca.certificates)
    again = an_order()
    renewal = do(window.ca.wait, do(window.ca.apply, again, FILES).id)
    do(window.ca.identify_by_certificate, renewal.id, again, doctor)

    content = DIAGNOSIS.encode()
    signature = do(window.pki.sign, content, doctor)
    verified = do(window.pki.verify, signature, content)
    do(window.pki.verify, signature, content + b"!")
    do(window.pki.timestamp, content)
    do(recognise, signature)
    do(cms.prepare, content, doctor.certificate, at=window.clock.now(), detached=False)
    for line in verified.report.explain_trust():
        ear.heard["objects"].append(line)
    ear.look(window.watch(lambda _: None).check([watched(doctor.certificate)]))

    sent = do(window.sep.send, a_package(a_document("d1")), a_document("d1"))
    do(window.sep.status, sent.number)
    do(window.sep.documents)

    do(window.ekp.identify, CARD)
    do(window.ekp.identify, QrCode(QR))
    register_mchd(ear, window, doctor)


def register_mchd(ear: Ear, window: MedSign, signer: Any) -> None:
    do = ear.attempt
    holder = holder_of(signer.certificate)
    head = mchd.principal_from(
        attrs.evolve(
            holder,
            kind="legal_entity",
            inn_legal=CLINIC_INN,
            ogrn="9999990000000",
            organization="ООО «Пример»",
            position="Главный врач",
        )
    )
    doctor = mchd.representative_from(holder)
    draft = mchd.Draft(
        principals=(
            attrs.evolve(
                head, organization=attrs.evolve(head.organization, kpp="999901001", address=STREET)
            ),
        ),
        representatives=(
            attrs.evolve(doctor, person=attrs.evolve(doctor.person, birth_date=BORN)),
        ),
        number=do(window.mchd.generate_number) or mchd.new_number(),
        internal_number="1",
        issued=window.clock.now().date(),
        valid_until=window.clock.now().date() + timedelta(days=99),
        powers=mchd.text_powers(),
    )
    ear.look(draft)
    ear.look(draft.missing)
    broken = attrs.evolve(
        draft,
        representatives=(
            attrs.evolve(
                doctor, person=attrs.evolve(doctor.person, snils=f"{SNILS.formatted[:-2]}00")
            ),
        ),
    )
    do(mchd.issue, broken)
    poa = do(mchd.issue, draft)
    document = mchd.encode(poa)
    do(mchd.decode, document)
    do(mchd.decode, document.replace(b"<", b"<<", 3))
    do(mchd.decode, document.replace("СНИЛС".encode(), "СНИЛСЪ".encode()))
    do(mchd.validate, document.replace(SNILS.formatted.encode(), PHONE.value.encode()))
    signature = window.pki.sign(document, signer)
    # The worker is no head, so the registry refuses; the questions carry both ИНН all the same.
    do(window.mchd.submit_and_wait, document, signature)
    requisites = mchd.Requisites.of(poa)
    ear.look(requisites)
    do(window.mchd.status, poa.terms.number)
    do(window.mchd.chronology, requisites)
    do(window.mchd.download, requisites)
    do(window.mchd.register, document, b"noise")
    do(window.mchd.follow, poa.terms.number)


def bad_data(ear: Ear, window: MedSign, sandbox: Sandbox) -> None:
    """Mistakes that the library finds itself or a service refuses."""
    do = ear.attempt
    for make, text in (
        (Snils, SNILS.value[:-2] + "00"),
        (Snils, SNILS.value + "7"),
        (Inn, INN.value[:-1] + "x"),
        (Phone, PHONE.value + "1" * 9),
        (CardNumber, CARD.value + "1"),
    ):
        do(make, text)
    other = attrs.evolve(SUBJECT, snils=Snils.complete("999777332"))
    request = do(window.ca.create, an_order())
    do(window.ca.create, attrs.evolve(an_order(subject=other), subject=SUBJECT))
    do(window.ca.create, attrs.evolve(an_order(), pkcs10=b"noise"))
    do(window.ca.create, an_order(KEY))
    do(window.ca.submit, request.id)
    do(window.ca.download, request.id)
    do(window.ca.identify, request.id, Scenario.EBS)
    do(window.ca.correct, request.id, Correction(subject=other, pkcs10=an_order().pkcs10))
    do(window.ca.apply_all, [Order(key="o1", new=an_order(), documents={})])
    do(Passport, series=SERIES + "1", number=NUMBER, issued=BORN, issuer_code="999-001")

    patients = (
        attrs.evolve(PATIENT, phone=None),
        attrs.evolve(PATIENT, birth_date=date(2020, 1, 1)),
        attrs.evolve(PATIENT, flags=(IdentityFlag.ANONYMOUS,)),
    )
    for patient in patients:
        do(window.sep.send, a_package(a_document("d2"), patient=patient), a_document("d2"))
    child = Representative(
        surname=SURNAME, given_name=GIVEN_NAME, birth_date=date(2020, 1, 1), relation="мать"
    )
    noise = a_document("d3", content=DIAGNOSIS.encode())
    do(window.sep.send, a_package(noise, representative=child), noise)
    torn = a_document("d4", content=SCAN)
    do(window.sep.send_all, a_package(torn))
    changed = a_document("d1", name=f"{SURNAME}: {DIAGNOSIS}")
    ear.look(attrs.evolve(changed, name=""))
    do(window.sep.send, a_package(a_document("d1"), id="p78"), a_document("d1"), key="k1")
    do(window.sep.send, a_package(a_document("d5"), id="p79"), a_document("d5"), key="k1")
    do(window.sep.signed, "unknown")
    do(recognise, SCAN * 10**7)
    do(PrintForm(code="KAV.0049", name="Согласие").document, "1", SCAN, window.clock.now())

    do(window.ekp.identify, CardNumber("9999999999999999"))
    do(window.ekp.identify, QrCode(QR + "?"))
    mine = IssuedCard(number=CARD, uid=CardUid("04A1B2C3D4E577"), holder=HOLDER)
    ear.look((mine, mine.holder, SandboxCard(mine).read_person()))
    with_fault = Fault(kind=FaultKind.CONNECT, match="ekp.*", times=9)
    sandbox.world.faults.add(with_fault)
    do(window.ekp.identify, CARD, card=SandboxCard(mine))
    do(window.ekp.identify, CardUid("04FFEEDDCCBB77"), card=SandboxCard(mine))
    sandbox.world.faults.clear()

    do(window.gosuslugi.check_form, {"surname": SURNAME, "snils": SNILS.value[:-1], "phone": "1"})
    kit = KitDocument(
        kind=next(iter(KitKind)), file_name=f"{SURNAME}_{GIVEN_NAME}.txt", content=SCAN
    )
    ear.look(kit)
    do(window.gosuslugi.check_kit, [kit])


def bad_files(ear: Ear, trust: TrustStore) -> None:
    """Damaged keys and JSON."""
    do = ear.attempt
    info = private_key_info(KEY.key)
    for damaged in (info[:-3], info + b"1", pem_encode("PRIVATE KEY", info)[:-40], info[::-1]):
        do(load_key, damaged)
        do(recognise, damaged)
    do(load_signer, info, next(iter(trust.anchors)).der)
    do(load_key, info, PASSWORD)
    ear.look(load_key(info))

    for plain in (
        {"surname": SURNAME, "givenName": 7, "birthDate": PHONE.value},
        {"surname": [SURNAME], "givenName": {"x": SNILS.value}, "birthDate": "1987-11-23"},
        {"surname": SURNAME, "givenName": GIVEN_NAME, "birthDate": DIAGNOSIS, "snils": "1"},
    ):
        text = json.dumps(plain, ensure_ascii=False).encode()
        for kind in (Patient, ServiceRecord, CardRecord, Subject):
            do(door.decode, kind, text)
        do(door.decode, Patient, text[:-9])
        do(door.decode, Patient, text.replace(b":", b"", 1))
        do(door.decode, Patient, text + b"\xff")


def bad_settings(ear: Ear, folder: Any) -> None:
    do = ear.attempt
    for number, text in enumerate(
        (
            f'[sep]\nurl = "https://sep.test"\ntoken = {TOKENS["sep"]}',
            f'[sep]\nurl = "https://sep.test"\ntoken = ["{TOKENS["sep"]}"]',
            f'[sep]\ntoken = "{TOKENS["sep"]}"\n',
            f'[mchd]\nurl = "https://m.test"\npassword = "{PASSWORD}"\nsecret = "{PASSWORD}"',
            f'[sep]\nurl = "https://sep.test"\ntoken = "{TOKENS["sep"]} {SURNAME}"',
        )
    ):
        path = folder / f"{number}.toml"
        path.write_text(text, encoding="utf-8")
        config = do(Config.from_toml, path)
        if config is not None:
            with MedSign(config) as window:
                do(lambda opened: opened.sep, window)
                ear.look(window)
    (folder / "cp1251.toml").write_bytes(f'sep = "{TOKENS["sep"]} {SURNAME}"'.encode("cp1251"))
    do(Config.from_toml, folder / "cp1251.toml")
    do(Config.from_env, {"MEDSIGN_SEP_TOKEN": TOKENS["sep"], "MEDSIGN_SEP_X": PASSWORD})
    ear.look(Config(services={"mchd": Endpoint(url="https://m.test", password=PASSWORD)}))


def bad_network(ear: Ear, sandbox: Sandbox, window: MedSign, kinds: Iterable[FaultKind]) -> None:
    do, faults = ear.attempt, sandbox.world.faults
    for kind in kinds:
        for status in (500, 429, 403) if kind is FaultKind.STATUS else (500,):
            for number in range(4):
                faults.clear()
                faults.add(Fault(kind=kind, times=99, status=status))
                match number:
                    case 0:
                        do(window.ca.create, an_order())
                    case 1:
                        document = a_document(f"{kind}-{status}")
                        do(window.sep.send, a_package(document), document)
                    case 2:
                        do(window.ekp.identify, CARD)
                    case _:
                        do(window.mchd.status, "0a000000-0000-4000-8000-000000000001")
    faults.clear()
    for service in (window.ca, window.sep, window.ekp, window.mchd):
        ear.look(service)
        ear.look(service.context)
        do(service.unfinished)


def strangers(ear: Ear, sandbox: Sandbox, tap: Callable[[], httpx.BaseTransport]) -> None:
    """Wrong tokens and passwords."""
    wrong: dict[str, Any] = {"mchd": {"password": PASSWORD, "login": EMAIL}}
    wrong |= {name: {"token": f"{TOKENS[name]}-wrong"} for name in TOKENS}
    settings = settings_of(sandbox)
    services = dict(settings["config"].services)
    for name, change in wrong.items():
        services[name] = attrs.evolve(services[name], **change)
    settings["config"] = attrs.evolve(settings["config"], services=services)
    with (
        httpx.Client(transport=tap()) as http,
        MedSign(**settings, http=http, on_event=ear.watching, sleep=sandbox.sleep) as window,
    ):
        ear.look(window.config)
        ear.attempt(window.ca.create, an_order())
        ear.attempt(window.sep.send, a_package(a_document("d9")), a_document("d9"))
        ear.attempt(window.ekp.identify, CARD)
        ear.attempt(window.mchd.generate_number)
        ear.look(window.mchd.context)


def the_portal(ear: Ear, sandbox: Sandbox, tap: Callable[[], httpx.BaseTransport]) -> None:
    do = ear.attempt
    values = {
        oids.SURNAME: SURNAME,
        oids.GIVEN_NAME: f"{GIVEN_NAME} {PATRONYMIC}",
        oids.COMMON_NAME: f"{SURNAME} {GIVEN_NAME} {PATRONYMIC}",
        oids.SNILS: SNILS.value,
        oids.INN: INN.value,
        oids.COUNTRY: "RU",
    }
    with httpx.Client(transport=tap()) as http:
        driver = Driver(http, clock=sandbox.clock, sleep=sandbox.sleep)
        url = f"{sandbox.base_url}/ui/api"
        settings = {"clock": sandbox.clock, "emit": ear.watching}
        portal = CryptoProPortal(portal_context(base_url=url, **settings), driver)
        fields = do(portal.name_fields, "qualified")
        do(portal.register, "qualified", fields, values | {oids.SNILS: SNILS.value[:-1]})
        done = do(portal.register, "qualified", fields, values, email=EMAIL, key_phrase=PASSWORD)
        for password in (done.password, PASSWORD):
            context = portal_context(base_url=url, token=done.token, password=password, **settings)
            ear.look(context)
            user = CryptoProPortal(context, driver)
            sandbox.sleep(20)
            do(user.profile)
            do(user.send_key, an_order().pkcs10)
        ear.heard["secret of the portal"].append(done.password)


async def async_hours(ear: Ear, sandbox: Sandbox) -> None:
    transport = sandbox.async_transport()
    async with (
        httpx.AsyncClient(transport=transport) as http,
        AsyncMedSign(
            **settings_of(sandbox), http=http, on_event=ear.watching, sleep=sandbox.async_sleep
        ) as window,
    ):
        ear.look(window)
        for kind in (None, FaultKind.TIMEOUT, FaultKind.TRUNCATED, FaultKind.CONNECT):
            sandbox.world.faults.clear()
            if kind:
                sandbox.world.faults.add(Fault(kind=kind, times=99))
            for make in (
                lambda: window.ca.create(an_order()),
                lambda: window.ekp.identify(CARD),
                lambda: window.sep.send(a_package(a_document("a1")), a_document("a1")),
            ):
                try:
                    ear.look(await make())
                except MedsignError as error:
                    ear.hear_error(error)
        sandbox.world.faults.clear()


@contextmanager
def on_a_socket() -> Iterator[Sandbox]:
    """A sandbox behind a real socket, so that httpcore has something to log."""
    from medsign.sandbox.http import server

    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        sandbox = stack.enter_context(a_sandbox(url))
        uvicorn = server(sandbox)
        thread = threading.Thread(target=uvicorn.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        stack.callback(thread.join)
        stack.callback(setattr, uvicorn, "should_exit", True)
        while not uvicorn.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield sandbox


@pytest.fixture(scope="module")
def ear(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ear]:
    ear = Ear()
    root = logging.getLogger()
    level = root.level
    root.addHandler(ear)
    root.setLevel(logging.DEBUG)
    try:
        with a_sandbox() as sandbox, sandbox.http() as town:
            recorder = Recorder(sandbox.transport(), clock=sandbox.clock)

            def tap() -> httpx.BaseTransport:
                return Tap(ear, recorder)

            settings = settings_of(sandbox)
            ear.look(settings["config"])
            with (
                httpx.Client(transport=tap()) as http,
                MedSign(
                    **settings, http=http, on_event=ear.watching, sleep=sandbox.sleep
                ) as window,
            ):
                ear.look(window)
                good_hours(ear, window, town)
                bad_data(ear, window, sandbox)
                bad_files(ear, settings["trust"])
                bad_network(ear, sandbox, window, FaultKind)
            strangers(ear, sandbox, tap)
            the_portal(ear, sandbox, tap)
            anyio.run(async_hours, ear, sandbox)
            ear.record(recorder)
        bad_settings(ear, tmp_path_factory.mktemp("settings"))
        with on_a_socket() as sandbox, sandbox.http() as town:
            transport = Tap(ear, httpx.HTTPTransport())
            with (
                httpx.Client(transport=transport, timeout=5) as http,
                MedSign(
                    **settings_of(sandbox), http=http, on_event=ear.watching, sleep=sandbox.sleep
                ) as window,
            ):
                good_hours(ear, window, town)
                kinds = (FaultKind.STATUS, FaultKind.TRUNCATED, FaultKind.RESET_AFTER)
                bad_network(ear, sandbox, window, kinds)
        yield ear
    finally:
        root.removeHandler(ear)
        root.setLevel(level)


@pytest.mark.parametrize(
    "place",
    [
        *("logs", "events", "objects", "errors", "urls", "causes"),
        *("recordings", "spans"),
    ],
)
def test_nothing_planted_is_seen_in(ear: Ear, place: str):
    assert ear.heard[place]
    assert found_in(ear.heard[place]) == {}


def test_only_the_registry_of_mchd_is_asked_by_inn(ear: Ear):
    """No interface of it finds a document without; the other addresses say nothing of anybody."""
    asked = [target for target in ear.heard["urls on the wire"] if found_in([target])]
    assert found_in(asked).keys() == {"ИНН", "ИНН of the clinic"}
    assert {httpx.URL(each).path.rpartition("/")[2] for each in asked} == {"chronology", "zip"}


def test_what_was_planted_went_over_the_wire(ear: Ear):
    """Otherwise the silence of the logs would prove nothing."""
    sent = found_in(ear.wire)
    unsent = {name for name in PLANTED if name.startswith(("key", "document"))}
    unsent |= {"СНИЛС as printed", "phone, ten digits", "phone as printed", "card as printed"}
    unsent |= {"passport", "passport as printed", "passport as forms have it"}
    assert PLANTED.keys() - sent.keys() <= unsent


def test_httpx_and_httpcore_were_listened_to(ear: Ear):
    assert {text.partition(" ")[0].partition(".")[0] for text in ear.heard["logs"][::3]} >= {
        "httpx",
        "httpcore",
    }


def test_every_kind_of_refusal_was_provoked(ear: Ear):
    assert ear.refusals >= {
        "ApiError",
        "BudgetExceeded",
        "ConfigError",
        "ConnectFailed",
        "InvalidDocument",
        "InvalidIdentifier",
        "InvalidKey",
        "MalformedError",
        "OutcomeUnknown",
        "TimedOut",
        "UsageError",
    }
