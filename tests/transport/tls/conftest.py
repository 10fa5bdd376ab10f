"""Authorities, certificates and the servers of OpenSSL and GnuTLS, on free local ports."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import anyio
import attrs
import httpx
import pytest

from medsign.codec.asn1 import Certificate, RevokedEntry, oids, pem_encode
from medsign.codec.asn1 import extension_values as ext
from medsign.codec.asn1.names import GeneralName
from medsign.pki import private_key_info
from medsign.pki.issuing import (
    QUALIFIED,
    ROOT_CA,
    issue_certificate,
    issue_crl,
    issue_root,
    subject_name,
)
from medsign.signers import SoftwareKey, SoftwareSigner
from medsign.transport.tls import GostTls, Way, way_reports

# OpenSSL judges by the machine's clock.
NOW = datetime.now(UTC)
DAY = timedelta(days=1)
HOST = "localhost"


def pem(*certificates: Certificate) -> bytes:
    return b"".join(pem_encode("CERTIFICATE", each.der) for each in certificates)


@attrs.frozen
class Identity:
    """A certificate and its key as the programs want them."""

    signer: SoftwareSigner

    @property
    def certificate(self) -> bytes:
        return pem(self.signer.certificate)

    @property
    def key(self) -> bytes:
        return pem_encode("PRIVATE KEY", private_key_info(self.signer.key))

    def files(self, folder: Path) -> tuple[str, str]:
        certificate, key = folder / f"{id(self)}.crt", folder / f"{id(self)}.key"
        certificate.write_bytes(self.certificate)
        key.write_bytes(self.key)
        return str(certificate), str(key)


@attrs.frozen
class Ca:
    """A root that issues certificates of hosts and of clients."""

    root: SoftwareSigner

    @classmethod
    def on(cls, curve: str) -> Ca:
        key = SoftwareKey.generate(curve)
        name = subject_name(organization="Корневой УЦ (тестовый)", inn_legal="9999000013")
        root = issue_root(ROOT_CA, subject=name, signer=key, not_before=NOW - 700 * DAY)
        return cls(key.certified(root))

    def issue(
        self,
        *hosts: str,
        purpose: str = oids.SERVER_AUTH,
        not_before: datetime = NOW - DAY,
        lifetime: timedelta = 30 * DAY,
    ) -> Identity:
        names = [
            GeneralName("ip", ip_address(host).packed)
            if host[:1].isdigit()
            else GeneralName("dns", host)
            for host in hosts
        ]
        key = SoftwareKey.generate(self.root.public_key.params)
        certificate = issue_certificate(
            attrs.evolve(
                QUALIFIED,
                purposes=(purpose,),
                lifetime=lifetime,
                others=(ext.subject_alternative_name(*names),) if names else (),
            ),
            subject=subject_name(organization="ООО «Тестовая клиника»", inn_legal="9999000020"),
            key=key.public_key,
            issuer=self.root,
            not_before=not_before,
        )
        return Identity(key.certified(certificate))

    def server(self) -> Identity:
        return self.issue(HOST, "127.0.0.1")

    def client(self) -> Identity:
        return self.issue(purpose=oids.CLIENT_AUTH)

    @property
    def trust(self) -> bytes:
        return pem(self.root.certificate)

    def crl(self, *revoked: Identity, next_update: datetime = NOW + DAY) -> bytes:
        entries = [
            RevokedEntry(
                serial_number=each.signer.certificate.serial_number,
                revocation_date=NOW - DAY,
                reason="keyCompromise",
            )
            for each in revoked
        ]
        der = issue_crl(
            self.root, number=1, this_update=NOW - DAY, next_update=next_update, entries=entries
        ).der
        return pem_encode("X509 CRL", der)


CURVES = {
    "256-CryptoPro-A": "id-GostR3410-2001-CryptoPro-A-ParamSet",
    "256-tc26-A": "id-tc26-gost-3410-2012-256-paramSetA",
    "512-tc26-A": "id-tc26-gost-3410-2012-512-paramSetA",
}


@pytest.fixture(scope="session")
def authorities() -> dict[str, Ca]:
    """Return a root for each kind of key."""
    return {name: Ca.on(curve) for name, curve in CURVES.items()}


@pytest.fixture(scope="session")
def ca(authorities: dict[str, Ca]) -> Ca:
    return authorities["256-CryptoPro-A"]


Serve = Callable[..., AbstractContextManager[str]]


@contextmanager
def running(*command: str, environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **(environment or {})},
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def _listening(
    binary: str, engine: Path, folder: Path, identity: Identity, *options: str
) -> Generator[tuple[subprocess.Popen, int], None, None]:
    certificate, key = identity.files(folder)
    with running(
        *(binary, "s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", key),
        *options,
        environment={"OPENSSL_CONF": str(engine)},
    ) as process:
        said = ""
        while not (port := re.search(r"ACCEPT 127.0.0.1:(\d+)", said)):
            line = process.stdout.readline()
            assert line, said
            said += line
        yield process, int(port[1])


@pytest.fixture
def typed_server(gost_engine: Path, program, tmp_path: Path):
    """Return `typed_server(identity)`: a context with OpenSSL's server at a keyboard, its port."""
    return partial(_listening, program("openssl", "openssl"), gost_engine, tmp_path)


@pytest.fixture
def s_server(typed_server) -> Serve:
    """Return `s_server(identity, *options)`: a context with the URL of OpenSSL's server."""

    @contextmanager
    def serving(identity: Identity, *options: str) -> Generator[str, None, None]:
        with typed_server(identity, "-www", *options) as (_, port):
            yield f"https://{HOST}:{port}/"

    return serving


@contextmanager
def _gnutls(
    binary: str, folder: Path, identity: Identity, *options: str, priority: str = ""
) -> Generator[str, None, None]:
    certificate, key = identity.files(folder)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with running(
        *(binary, "--http", "--port", str(port), "--x509certfile", certificate),
        *("--x509keyfile", key, "--priority", f"NORMAL:-VERS-ALL:+VERS-TLS1.2:+GOST{priority}"),
        *options,
    ) as process:
        line = "…"
        while "listening" not in line:
            line = process.stdout.readline()
            assert line
        yield f"https://{HOST}:{port}/"


@pytest.fixture
def gnutls(program, tmp_path: Path) -> Serve:
    """Return `gnutls(identity, *options)`: a context with the URL of GnuTLS's server."""
    return partial(_gnutls, program("gnutls-serv", "gnutls-bin"), tmp_path)


def usable(way: Way) -> Way:
    for report in way_reports():
        if report.way is way and not report.works:
            pytest.skip(f"{report.reason} is missing: {report.install}")
    return way


@pytest.fixture(params=Way)
def way(request: pytest.FixtureRequest, gost_engine: Path) -> Way:
    """Each way in turn; one that this machine does not have is skipped with its reason."""
    return usable(request.param)


@pytest.fixture
def python_way(gost_engine: Path) -> Way:
    """The way through `ssl`, for what can be done to its contexts only."""
    return usable(Way.PYTHON)


Ask = Callable[[GostTls, str], httpx.Response]


def _ask(tls: GostTls, url: str) -> httpx.Response:
    with httpx.Client(transport=tls.transport(), timeout=10) as http:
        return http.get(url)


async def _ask_async(tls: GostTls, url: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=tls.async_transport(), timeout=10) as http:
        return await http.get(url)


COLOURS: dict[str, Ask] = {
    "sync": _ask,
    "asyncio": lambda tls, url: anyio.run(_ask_async, tls, url, backend="asyncio"),
    "trio": lambda tls, url: anyio.run(_ask_async, tls, url, backend="trio"),
}


@pytest.fixture
def ask() -> Ask:
    """Return `ask(tls, url)`, the blocking colour."""
    return _ask


@pytest.fixture(params=COLOURS)
def ask_in_colour(request: pytest.FixtureRequest) -> Ask:
    """Return `ask(tls, url)` in each colour."""
    return COLOURS[request.param]
