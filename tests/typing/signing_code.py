"""Signing, its log, the links to services and their watching as a vendor's type checkers see them.

Checked by `nox -s types`, never run. A line that must be refused carries the precise code of mypy
and the rule of pyright.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import ssl
from datetime import datetime
from pathlib import Path
from typing import assert_type

import httpx

from medsign import AsyncMedSign, Config, Endpoint, MedSign, Report, SoftwareSigner
from medsign.cms import Evidence
from medsign.codec.asn1 import Certificate
from medsign.exchange import Event, ResponseReceived, all_of
from medsign.pdf import (
    Change,
    PdfField,
    PdfSignature,
    PreparedPdf,
    prepare_pdf,
    read_pdf_signatures,
    sign_pdf,
    verify_pdf,
)
from medsign.pki.fetch import FollowUrls
from medsign.recording import Har, Recorder, Replay
from medsign.signers import (
    AuditedSigner,
    AuditEntry,
    AuditHead,
    AuditLog,
    AuditReport,
    Gateway,
    Pkcs11Signer,
    Signer,
)
from medsign.store import SqliteStore
from medsign.telemetry import Telemetry
from medsign.transport import Credentials, PasswordGrant, UrlGuard
from medsign.transport.tls import GostGateway, GostTls, Suite


class Vault:
    def secret(self, name: str) -> str:
        return name


class Drawer:
    def secret(self, name: str) -> bytes:
        return name.encode()


def links(config: Config) -> None:
    tls = GostTls(trust=Path("roots.pem"), suites=(Suite.KUZNYECHIK,))
    assert_type(tls.context(), ssl.SSLContext)
    assert_type(tls.transport(), httpx.HTTPTransport)
    local = GostGateway("http://127.0.0.1:8443", hosts=["ca.test"])
    Endpoint(url="https://ca.test", tls=tls)
    Endpoint(url="https://ca.test", tls=local)
    with MedSign(config, transport=tls.transport()), MedSign(config, transport=local.transport()):
        pass

    GostTls(Path("roots.pem"))  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    GostTls(trust="roots.pem", crls="lists.pem")
    GostTls(trust=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MedSign(config, transport=tls)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MedSign(config, transport=tls.async_transport())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def links_async(config: Config, tls: GostTls) -> None:
    async with AsyncMedSign(config, transport=tls.async_transport()):
        pass
    AsyncMedSign(config, transport=tls.transport())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def guarded(config: Config, system: Signer, certificate: Certificate) -> None:
    gateway = Gateway(signer=system, certificate=certificate)
    follow = FollowUrls(guard=UrlGuard(hosts=(".nalog.test",)), sources=("crl",))
    vault: Credentials = Vault()
    for window in (
        MedSign(config, gateway=gateway, follow=follow, credentials=vault),
        AsyncMedSign(config, gateway=gateway, follow=follow, credentials=Vault()),
    ):
        assert_type(window.clock.now(), datetime)
    PasswordGrant(url="", username="", password=lambda: "secret", client_id="mis")

    MedSign(config, credentials=Drawer())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    FollowUrls(sources=("aia",))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Gateway(system)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def logged(signer: SoftwareSigner | Pkcs11Signer, window: MedSign) -> None:
    log = AuditLog(SqliteStore("medsign.db"))
    audited: Signer = AuditedSigner(signer, log, who="account-17")
    assert_type(window.pki.sign(b"text", audited), bytes)
    assert_type(log.entries(), tuple[AuditEntry, ...])
    assert_type(log.head, AuditHead)
    assert_type(log.check(log.head), AuditReport)
    assert_type(log.check().intact, bool)

    AuditedSigner(signer, log)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def papers(pdf: bytes, signer: Signer, window: MedSign, evidence: Evidence, now: datetime) -> None:
    signed = sign_pdf(
        pdf,
        signer,
        at=now,
        field=PdfField(reason="Выписной эпикриз", allows=Change.EVIDENCE),
        timestamp=lambda value: window.pki.timestamp(value).response,
    )
    assert_type(signed, bytes)
    assert_type(read_pdf_signatures(signed), tuple[PdfSignature, ...])
    assert_type(verify_pdf(evidence, at=now), Report)
    assert_type(prepare_pdf(pdf, signer.certificate, at=now), PreparedPdf)

    sign_pdf(pdf, signer)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    verify_pdf(signed, at=now)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def observed(config: Config) -> None:
    def count(event: Event) -> None:
        if isinstance(event, ResponseReceived):
            assert_type(event.status, int)

    recorder = Recorder(httpx.HTTPTransport())
    assert_type(recorder.har(), Har)
    with MedSign(config, transport=recorder, on_event=all_of(Telemetry(), count)):
        recorder.save(Path("exchange.har"))
    with MedSign(config, transport=Replay(Har.load(Path("exchange.har"))), on_event=count):
        pass


async def observed_async(config: Config) -> None:
    recorder = Recorder(httpx.AsyncHTTPTransport())
    async with AsyncMedSign(config, transport=recorder, on_event=Telemetry()):
        pass
    async with AsyncMedSign(config, transport=Replay(recorder.har())):
        pass
