"""A row for every operation of every service: how to come to where it may be called."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from enum import Enum, auto
from pathlib import Path
from typing import Any

import attrs
from tests.persons import ANNA, ANNA_NAME, DOCTOR, HEAD

from medsign import MedSign, cms, mchd
from medsign.ca import (
    ApplicantKind,
    Ca,
    Carrier,
    CertificateRequest,
    Correction,
    DocumentKind,
    NewRequest,
    Order,
    Scenario,
    ca_context,
    certificate_subject,
)
from medsign.ca.cryptopro import CryptoProPortal, NameField, Registration, portal_context
from medsign.ca.models import Authority
from medsign.clock import MOSCOW
from medsign.cms.client import Pki
from medsign.cms.context import PkiContext
from medsign.codec.asn1 import make_name
from medsign.ekp import Ekp, ekp_context
from medsign.exchange import Context, Driver, Service, listing, operation
from medsign.identifiers import Phone
from medsign.mchd import NODE, Mchd
from medsign.mchd.model import IdentityDocument
from medsign.mchd.registry import RegistryContext
from medsign.pki import make_request
from medsign.sandbox import Sandbox
from medsign.sandbox.ekp import EkpService, SandboxCard
from medsign.sandbox.mchd import LOGINS
from medsign.sandbox.paper import new_pdf
from medsign.sandbox.pki import Pki as World
from medsign.sandbox.sep import CLINIC_ID
from medsign.sandbox.world import RunningClock
from medsign.sep import SMS, Document, Package, Patient, Sep, Source, SourceKind, sep_context
from medsign.signers import SoftwareKey, SoftwareSigner
from medsign.transport import PasswordGrant

SERVICES: tuple[type[Service], ...] = (Ca, CryptoProPortal, Sep, Ekp, Mchd, Pki)
DOCUMENT = "Протокол осмотра".encode()
SECRETS = (
    *("Тестова", "Образцов", "99900000115", "999900000160", "9990000001", "9999 000001"),
    *(ANNA.snils.value, ANNA.inn.value, "999900000234", LOGINS["clinic"], "Протокол", "%PDF"),
)


class Kind(Enum):
    """What a repeat of an operation means.

    Attributes:
        READS: It changes nothing, or sets something to a value.
        CREATES: It creates, under a key.
        UNKEYED: It creates, and the service knows no keys.
        SEVERAL: It is made of other operations, each with a row of its own.
        REPORTS: What it could not learn stands in its result.
    """

    READS = auto()
    CREATES = auto()
    UNKEYED = auto()
    SEVERAL = auto()
    REPORTS = auto()


@attrs.frozen
class Stage:
    """The world in which an operation is prepared, and a window to it without faults."""

    sandbox: Sandbox
    window: MedSign
    signer: SoftwareSigner
    head: SoftwareSigner
    doctor: SoftwareSigner

    def office(self, action: str, request: CertificateRequest) -> None:
        with self.sandbox.http() as http:
            http.post(f"/ca/office/requests/{request.id}/{action}").raise_for_status()

    def portal(self, login: Registration | None = None) -> CryptoProPortal:
        context = portal_context(
            base_url=f"{self.sandbox.base_url}/ui/api",
            token=login.token if login else "",
            password=login.password if login else "",
            clock=self.sandbox.clock,
        )
        return CryptoProPortal(context, Driver(self.sandbox.http(), clock=self.sandbox.clock))


@attrs.frozen
class Call:
    """The arguments of an operation, and who calls it where that is not the clinic."""

    arguments: tuple[Any, ...] = ()
    login: Registration | None = None


@attrs.frozen
class Row:
    kind: Kind
    prepare: Callable[[Stage], Call]
    patience: float = 0.0


def operations() -> Iterator[tuple[type[Service], str]]:
    """Yield the operations of all services that ask somebody, by their declarations."""
    for service in SERVICES:
        for name in sorted({*dir(service)} - {*dir(Service)}):
            if isinstance(getattr(service, name), operation | listing):
                yield service, name


def after(_: object) -> Call:
    """Return the call of an operation without arguments, once something is there to be listed."""
    return Call()


def new_order() -> NewRequest:
    subject = certificate_subject(ApplicantKind.WORKER, ANNA)
    pkcs10 = make_request(subject, SoftwareKey.generate()).der
    return NewRequest(applicant=ApplicantKind.WORKER, subject=ANNA, pkcs10=pkcs10)


FILES = dict.fromkeys((DocumentKind.PASSPORT, DocumentKind.STATEMENT), b"%PDF-1.7 test")


def draft(stage: Stage) -> CertificateRequest:
    return stage.window.ca.create(new_order())


def filled(stage: Stage) -> CertificateRequest:
    request = draft(stage)
    for kind, scan in FILES.items():
        request = stage.window.ca.upload(request.id, kind, scan)
    return request


def checked(stage: Stage) -> CertificateRequest:
    return stage.window.ca.wait(stage.window.ca.apply(new_order(), FILES).id)


def issued(stage: Stage) -> CertificateRequest:
    ca, request = stage.window.ca, checked(stage)
    ca.identify(request.id, Scenario.AT_CA)
    stage.office("visit", request)
    stage.office("payment", request)
    return ca.wait(request.id)


def serial_number(stage: Stage) -> str:
    issued(stage)
    return list(stage.window.ca.certificates())[-1].serial_number


def to_correct(stage: Stage) -> Call:
    bad = attrs.evolve(ANNA, passport=attrs.evolve(ANNA.passport, number="000666"))
    wrong = attrs.evolve(new_order(), subject=bad)
    request = stage.window.ca.wait(stage.window.ca.apply(wrong, FILES).id)
    return Call((request.id, Correction(subject=ANNA, pkcs10=new_order().pkcs10)))


def to_identify(stage: Stage) -> Call:
    new = new_order()
    request = stage.window.ca.wait(stage.window.ca.apply(new, FILES).id)
    first = stage.window.ca.apply(attrs.evolve(new_order(), subject=ANNA), FILES)
    stage.window.ca.wait(first.id)
    return Call((request.id, new, stage.signer))


def held(stage: Stage) -> str:
    number = serial_number(stage)
    stage.window.ca.hold(number)
    return number


def package(stage: Stage, count: int = 1) -> Package:
    now = stage.sandbox.clock.now()
    return Package(
        id="p1",
        source=Source(kind=SourceKind.TALON, number="107200", created_at=now),
        patient=Patient(
            id="2156792",
            surname="Тестова",
            given_name="Анна",
            birth_date=date(1985, 3, 8),
            phone=Phone("+79990000001"),
        ),
        channel=SMS,
        documents=tuple(
            Document(
                id=f"d{number}",
                name="Согласие",
                form_code="KAV.0049",
                content=new_pdf(["Согласие"]),
                added_at=now,
            )
            for number in range(count)
        ),
    )


def to_send(stage: Stage) -> Call:
    one = package(stage)
    return Call((one, one.documents[0]))


def sent(stage: Stage) -> str:
    one = package(stage)
    return stage.window.sep.send(one, one.documents[0]).number


def signed(stage: Stage) -> str:
    number = sent(stage)
    with stage.sandbox.http() as http:
        stage.window.sep.status(number)
        texts = " ".join(message.text for message in stage.sandbox.world.outbox())
        link = re.findall(r"https://\S+/sign/\w+", texts)[-1]
        http.get(link)
        http.post(link)
        code = re.findall(r"\b\d{6}\b", stage.sandbox.world.outbox()[-1].text)[-1]
        http.post(f"{link}/code", data={"code": code})
    return number


def document(stage: Stage) -> tuple[bytes, bytes]:
    principal = mchd.principal_from(_holder(HEAD))
    representative = mchd.representative_from(_holder(DOCTOR))
    passport = IdentityDocument(
        kind="21",
        number="99 99 000001",
        issued=date(2010, 1, 1),
        issuer="Отдел выдачи примеров",
        issuer_code="999-001",
    )
    organization = attrs.evolve(
        principal.organization, kpp="999901001", address="ул. Примерная, д. 1"
    )
    person = attrs.evolve(representative.person, birth_date=date(1990, 5, 17), identity=passport)
    today = stage.sandbox.clock.now().astimezone(MOSCOW).date()
    poa = mchd.issue(
        mchd.Draft(
            principals=(attrs.evolve(principal, organization=organization),),
            representatives=(attrs.evolve(representative, person=person),),
            number="0ABCdef0-0000-4000-8000-00000000000f",
            internal_number="1",
            issued=today,
            valid_until=today + timedelta(days=300),
            powers=mchd.text_powers(),
        )
    )
    octets = mchd.encode(poa)
    return octets, cms.sign(octets, stage.head, at=stage.sandbox.clock.now())


@attrs.frozen(kw_only=True)
class _Holder:
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


def _holder(of: dict[str, str]) -> _Holder:
    given, patronymic = of["given_names"].split()
    return _Holder(
        kind="legal_entity" if "ogrn" in of else "person",
        given_name=given,
        patronymic=patronymic,
        region_code="78",
        **{
            k: of[k]
            for k in ("surname", "inn", "snils", "inn_legal", "ogrn", "organization", "position")
            if k in of
        },
    )


def registered(stage: Stage) -> mchd.PowerOfAttorney:
    octets, signature = document(stage)
    stage.window.mchd.submit_and_wait(octets, signature)
    return mchd.decode(octets)


def requisites(stage: Stage) -> Call:
    return Call((mchd.Requisites.of(registered(stage)),))


def number(stage: Stage) -> Call:
    return Call((registered(stage).terms.number,))


def receipt(stage: Stage) -> mchd.Receipt:
    return stage.window.mchd.register(*document(stage))


def to_revoke(stage: Stage) -> Call:
    application = mchd.encode_revocation(mchd.revocation(registered(stage), "Увольнение"))
    return Call((application, cms.sign(application, stage.head, at=stage.sandbox.clock.now())))


def to_check(stage: Stage) -> Call:
    stage_trust = stage.sandbox.world.part(World).trust
    octets, signature = document(stage)
    stage.window.mchd.submit_and_wait(octets, signature)
    package = stage.window.mchd.download(mchd.Requisites.of(mchd.decode(octets)))
    now = stage.sandbox.clock.now()

    def verify(content: bytes, signature: bytes) -> Any:
        evidence = cms.Evidence(signature=signature, content=content, trust=stage_trust)
        return cms.verify(evidence, at=now)

    report = verify(DOCUMENT, cms.sign(DOCUMENT, stage.doctor, at=now))
    return Call((package, report, verify))


def user(stage: Stage) -> Registration:
    anonymous = stage.portal()
    login = anonymous.register("qualified", fields(stage), ANNA_NAME)
    stage.sandbox.clock.advance(timedelta(seconds=10))
    return login


def fields(stage: Stage) -> tuple[NameField, ...]:
    return stage.portal().name_fields("qualified")


def pkcs10() -> bytes:
    return make_request(make_name(ANNA_NAME.items()), SoftwareKey.generate()).der


def key_request(stage: Stage) -> Call:
    login = user(stage)
    number = stage.portal(login).send_key(pkcs10()).id
    stage.sandbox.clock.advance(timedelta(minutes=1))
    return Call((number,), login)


def signature(stage: Stage) -> bytes:
    return cms.sign(DOCUMENT, stage.signer, at=stage.sandbox.clock.now())


def to_renew(stage: Stage) -> Call:
    archived = stage.window.pki.extend(signature(stage), DOCUMENT, form=cms.Form.A)
    stage.sandbox.clock.advance(timedelta(minutes=5))
    return Call((archived, DOCUMENT))


def pair(stage: Stage) -> Call:
    pki = stage.sandbox.world.part(World)
    owner = stage.signer.certificate
    [issuer] = [one for one in pki.intermediates if one.subject.matches(owner.issuer)]
    return Call((owner, issuer))


def card(stage: Stage) -> SandboxCard:
    return SandboxCard(next(stage.sandbox.service(EkpService).cards.values()))


def _reads(prepare: Callable[[Stage], Call]) -> Row:
    return Row(Kind.READS, prepare)


def _creates(prepare: Callable[[Stage], Call]) -> Row:
    return Row(Kind.CREATES, prepare)


def _several(prepare: Callable[[Stage], Call]) -> Row:
    return Row(Kind.SEVERAL, prepare)


def _reports(prepare: Callable[[Stage], Call]) -> Row:
    return Row(Kind.REPORTS, prepare)


_SCAN = (DocumentKind.PASSPORT, b"%PDF-1.7 test")

ROWS: dict[tuple[type[Service], str], Row] = {
    (Ca, "create"): _creates(lambda _: Call((new_order(),))),
    (Ca, "upload"): _reads(lambda stage: Call((draft(stage).id, *_SCAN))),
    (Ca, "correct"): _reads(to_correct),
    (Ca, "submit"): _creates(lambda stage: Call((filled(stage).id,))),
    (Ca, "apply"): _several(lambda _: Call((new_order(), FILES))),
    (Ca, "apply_all"): _several(
        lambda _: Call(([Order(key=k, new=new_order(), documents=FILES) for k in "ab"],))
    ),
    (Ca, "identify"): _creates(lambda stage: Call((checked(stage).id, Scenario.AT_CA))),
    (Ca, "identify_by_certificate"): _several(to_identify),
    (Ca, "get"): _reads(lambda stage: Call((draft(stage).id,))),
    (Ca, "requests"): _reads(lambda stage: after(draft(stage))),
    (Ca, "wait"): _reads(lambda stage: Call((checked(stage).id,))),
    (Ca, "download"): _reads(lambda stage: Call((issued(stage).id,))),
    (Ca, "install"): _creates(lambda stage: Call((issued(stage).id, Carrier.TOKEN))),
    (Ca, "cancel"): _creates(lambda stage: Call((draft(stage).id,))),
    (Ca, "certificates"): _reads(lambda stage: after(issued(stage))),
    (Ca, "certificate"): _reads(lambda stage: Call((serial_number(stage),))),
    (Ca, "revoke"): _creates(lambda stage: Call((serial_number(stage),))),
    (Ca, "hold"): _creates(lambda stage: Call((serial_number(stage),))),
    (Ca, "unhold"): _creates(lambda stage: Call((held(stage),))),
    (CryptoProPortal, "name_fields"): _reads(lambda _: Call(("qualified",))),
    (CryptoProPortal, "register"): Row(
        Kind.UNKEYED, lambda stage: Call(("qualified", fields(stage), ANNA_NAME))
    ),
    (CryptoProPortal, "registration"): _reads(lambda stage: Call(("qualified",), user(stage))),
    (CryptoProPortal, "profile"): _reads(lambda stage: Call((), user(stage))),
    (CryptoProPortal, "templates"): _reads(lambda stage: Call(("qualified",), user(stage))),
    (CryptoProPortal, "send_key"): Row(Kind.UNKEYED, lambda stage: Call((pkcs10(),), user(stage))),
    (CryptoProPortal, "key_request"): _reads(key_request),
    (CryptoProPortal, "download"): _reads(key_request),
    (CryptoProPortal, "acknowledge"): _reads(key_request),
    (Sep, "send"): _creates(to_send),
    (Sep, "send_all"): _several(lambda stage: Call((package(stage, 2),))),
    (Sep, "status"): _reads(lambda stage: Call((sent(stage),))),
    (Sep, "status_all"): _several(lambda stage: Call(([sent(stage)],))),
    (Sep, "wait_signed"): _reads(lambda stage: Call((signed(stage),))),
    (Sep, "documents"): _reads(lambda stage: after(sent(stage))),
    (Sep, "signed"): _reads(lambda stage: Call((signed(stage),))),
    (Ekp, "identify"): _reads(lambda stage: Call((card(stage).read_uid(),))),
    (Ekp, "identify_card"): _several(lambda stage: Call((card(stage),))),
    (Mchd, "generate_number"): _reads(lambda _: Call()),
    (Mchd, "register"): _creates(lambda stage: Call(document(stage))),
    (Mchd, "transaction"): _reads(lambda stage: Call((receipt(stage).transaction,))),
    (Mchd, "settled"): _several(lambda stage: Call((receipt(stage),))),
    (Mchd, "submit_and_wait"): _several(lambda stage: Call(document(stage))),
    (Mchd, "status"): _reads(number),
    (Mchd, "follow"): _reads(number),
    (Mchd, "chronology"): _reads(requisites),
    (Mchd, "download"): _reads(requisites),
    (Mchd, "revoke"): Row(Kind.CREATES, to_revoke, patience=60.0),
    (Mchd, "check"): _reports(to_check),
    (Pki, "status"): _reads(pair),
    (Pki, "timestamp"): _reads(lambda _: Call((DOCUMENT,))),
    (Pki, "sign"): _several(lambda stage: Call((DOCUMENT, stage.signer))),
    (Pki, "verify"): _reports(lambda stage: Call((signature(stage), DOCUMENT))),
    (Pki, "extend"): _several(lambda stage: Call((signature(stage), DOCUMENT))),
    (Pki, "countersign"): _several(lambda stage: Call((signature(stage), stage.signer))),
    (Pki, "renew"): _several(to_renew),
}


@attrs.frozen
class Prepared:
    """An operation ready to be called in any number of copies of one world.

    Attributes:
        service: Whose it is.
        name: Its name.
        file: The world.
        call: The arguments.
        kind: What a repeat means.
        now: When the world was made.
        left: The records that one call without faults leaves behind.
        patience: Seconds that it waits on its own account.
    """

    service: type[Service]
    name: str
    file: Path
    call: Call
    kind: Kind
    now: datetime
    left: dict[str, int]
    patience: float


@attrs.frozen
class Founded:
    """A world with its authorities and people, made once because keys take time."""

    folder: Path
    signer: SoftwareSigner
    head: SoftwareSigner
    doctor: SoftwareSigner

    @classmethod
    def under(cls, folder: Path) -> Founded:
        with Sandbox(path=folder / "world.db") as sandbox:
            pki = sandbox.world.part(World)
            names = {"surname": "Тестова", "given_names": "Анна Петровна"}
            return cls(
                folder,
                pki.enrol(
                    Authority.COMMERCIAL,
                    snils=ANNA.snils.value,
                    inn=ANNA.inn.value,
                    region=ANNA.region,
                    locality=ANNA.locality,
                    email=ANNA.email,
                    **names,
                ),
                pki.enrol(Authority.FNS, **HEAD),
                pki.enrol(Authority.COMMERCIAL, **DOCTOR),
            )

    def prepare(self, service: type[Service], name: str) -> Prepared:
        row = ROWS[service, name]
        file = self.folder / f"{service.__name__}.{name}.db"
        shutil.copy(self.folder / "world.db", file)
        with Sandbox(path=file) as sandbox, sandbox.connect() as window:
            stage = Stage(sandbox, window, self.signer, self.head, self.doctor)
            call, now = row.prepare(stage), sandbox.clock.now()
        after = shutil.copy(file, f"{file}.after")
        clock = RunningClock()
        clock.set(now)
        with Sandbox(path=Path(after), clock=clock) as sandbox, sandbox.http() as http:
            context = context_of(service, sandbox, call.login, clock=clock)
            driver = Driver(http, clock=clock, sleep=sandbox.sleep)
            result = getattr(service(context, driver), name)(*call.arguments)
            if isinstance(result, Iterator):
                list(result)
        return Prepared(
            service, name, file, call, row.kind, now, records(Path(after)), row.patience
        )


def records(file: Path) -> dict[str, int]:
    """Count what a world remembers, drawer by drawer; tokens may be drawn anew."""
    with closing(sqlite3.connect(file)) as world:
        rows = world.execute("SELECT drawer, count(*) FROM document GROUP BY drawer")
        return {drawer: number for drawer, number in rows if drawer != "tokens"}


def context_of(
    service: type[Service], sandbox: Sandbox, login: Registration | None, **shared: Any
) -> Context:
    """Return the settings with which a service reaches a sandbox."""

    def end(name: str) -> dict[str, Any]:
        found = sandbox.endpoint(name)
        return {"base_url": found.url, "token": found.token}

    pki = sandbox.world.part(World)
    if service is Ca:
        return ca_context(**end("ca"), **shared)
    if service is Sep:
        return sep_context(**end("sep"), organization=CLINIC_ID, **shared)
    if service is Ekp:
        return ekp_context(**end("ekp"), **shared)
    if service is CryptoProPortal:
        token, password = (login.token, login.password) if login else ("", "")
        url = f"{sandbox.base_url}/ui/api"
        return portal_context(base_url=url, token=token, password=password, **shared)
    if service is Mchd:
        url = sandbox.endpoint("mchd").url
        grant = PasswordGrant(
            url=f"{url}/{NODE.token}",
            username="clinic",
            password=LOGINS["clinic"],
            as_json=True,
            clock=sandbox.clock,
        )
        return RegistryContext(service="mchd", base_url=url, auth=grant, **shared)
    return PkiContext(
        service="pki",
        base_url="https://pki.invalid",
        ocsp_url=sandbox.endpoint("ocsp").url,
        tsp_url=sandbox.endpoint("tsp").url,
        crl_urls=(f"{sandbox.base_url}/ca/crl/root.crl",),
        trust=pki.trust,
        intermediates=pki.intermediates,
        **shared,
    )
