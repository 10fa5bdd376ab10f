"""GOST TLS on loopback: handshake and keep-alive request as ratios to TLS 1.2 ECDHE P-256.

Run: `python benchmarks/gost_tls.py [rounds]`; needs `openssl` and libengine-gost-openssl. Client
and server are Python in two processes. In each round every candidate makes one connection and
then some requests on another one, in random order; the quickest of the rounds are compared, for
what is slower waited for somebody else. Goals: with a 256-bit key a handshake takes at most 4
times that of P-256, and so does a request.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import httpx

from medsign.codec.asn1 import oids, pem_encode
from medsign.codec.asn1.extension_values import subject_alternative_name
from medsign.codec.asn1.names import GeneralName
from medsign.pki import private_key_info
from medsign.pki.issuing import QUALIFIED, ROOT_CA, issue_certificate, issue_root, subject_name
from medsign.signers import SoftwareKey, SoftwareSigner
from medsign.transport.tls import GostTls, Suite, Way, way_reports

GOAL_256 = 4.0
REQUESTS = 5
BASE = "ECDHE P-256, AES-128-GCM"
_CURVES = {
    "256": "id-GostR3410-2001-CryptoPro-A-ParamSet",
    "512": "id-tc26-gost-3410-2012-512-paramSetA",
}
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + bytes(100)


@attrs.frozen
class Candidate:
    """Two contexts that understand each other."""

    client: ssl.SSLContext
    server: ssl.SSLContext


def gost(curve: str, suite: Suite, way: Way, *, mutual: bool = False) -> Candidate:
    now = datetime.now(UTC)
    name = subject_name(organization="Сервер замеров (тестовый)", inn_legal="9999000013")
    root_key = SoftwareKey.generate(_CURVES[curve])
    root = root_key.certified(issue_root(ROOT_CA, subject=name, signer=root_key, not_before=now))

    def pem(purpose: str) -> bytes:
        key = SoftwareKey.generate(_CURVES[curve])
        template = attrs.evolve(
            QUALIFIED,
            lifetime=timedelta(days=1),
            purposes=(purpose,),
            others=(subject_alternative_name(GeneralName("dns", "localhost")),),
        )
        own = issue_certificate(
            template, subject=name, key=key.public_key, issuer=root, not_before=now
        )
        return pem_encode("PRIVATE KEY", private_key_info(key.key)) + certificate_pem(
            key.certified(own)
        )

    trust = certificate_pem(root)
    server = GostTls(
        certificate=pem(oids.SERVER_AUTH), suites=(suite,), way=way, trust=trust if mutual else b""
    )
    own = pem(oids.CLIENT_AUTH) if mutual else b""
    client = GostTls(trust=trust, certificate=own, suites=(suite,), way=way)
    return Candidate(client.context(), server.server_context())


def certificate_pem(signer: SoftwareSigner) -> bytes:
    return pem_encode("CERTIFICATE", signer.certificate.der)


def p256() -> Candidate:
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = Path(folder, "key"), Path(folder, "certificate")
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"),
                *("ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-addext"),
                *("subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate),
            ],
            check=True,
            capture_output=True,
        )
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(certificate, key)
        client = ssl.create_default_context(cafile=str(certificate))
    for context in (server, client):
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    return Candidate(client, server)


def serve(context: ssl.SSLContext) -> tuple[int, int]:
    """Serve in a child; return its number and the port."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=64)
    port: int = listening.getsockname()[1]
    child = os.fork()
    if not child:
        while True:
            taken, _ = listening.accept()
            threading.Thread(target=answer, args=(context, taken), daemon=True).start()
    listening.close()
    return child, port


def answer(context: ssl.SSLContext, taken: socket.socket) -> None:
    taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with context.wrap_socket(taken, server_side=True) as connection:
        while connection.recv(65536):
            connection.sendall(_ANSWER)


def measured(context: ssl.SSLContext, port: int) -> tuple[float, float]:
    """Return the seconds of a handshake and of a request on a kept connection."""
    with socket.create_connection(("127.0.0.1", port)) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        handshake = timed(lambda: context.wrap_socket(plain, server_hostname="localhost").close())
    url = f"https://localhost:{port}/"
    with httpx.Client(verify=context, trust_env=False) as http:
        http.get(url)
        return handshake, min(timed(lambda: http.get(url)) for _ in range(REQUESTS))


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def candidates() -> Iterator[tuple[str, Candidate]]:
    yield BASE, p256()
    ways = [report.way for report in way_reports() if report.works]
    for way in ways:
        for suite in (Suite.KUZNYECHIK, Suite.MAGMA, Suite.GOST_28147):
            yield f"{way}: {suite.name.lower()}, key 256", gost("256", suite, way)
        yield f"{way}: kuznyechik, key 512", gost("512", Suite.KUZNYECHIK, way)
        mutual = gost("256", Suite.KUZNYECHIK, way, mutual=True)
        yield f"{way}: kuznyechik, key 256, mutual", mutual


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    measures: dict[str, list[tuple[float, float]]] = {}
    serving = {name: (each.client, *serve(each.server)) for name, each in candidates()}
    try:
        for _ in range(rounds):
            for name in random.sample(sorted(serving), len(serving)):
                context, _, port = serving[name]
                measures.setdefault(name, []).append(measured(context, port))
    finally:
        for _, child, _ in serving.values():
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    best = {name: list(map(min, zip(*measures[name], strict=True))) for name in serving}
    base, failed = best[BASE], 0
    print(f"{'':40}{'handshake':>18}{'request':>18}")
    for name, quickest in best.items():
        ratios = [own / other for own, other in zip(quickest, base, strict=True)]
        shown = (
            f"{own * 1000:8.2f} ms{ratio:6.1f}x"
            for own, ratio in zip(quickest, ratios, strict=True)
        )
        missed = name.endswith("key 256") and max(ratios) > GOAL_256
        failed += missed
        print(f"{name:40}{''.join(shown)}{'  goal missed' if missed else ''}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
