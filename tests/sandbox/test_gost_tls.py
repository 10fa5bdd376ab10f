"""The sandbox over GOST TLS, and its OCSP service that knows about its own certificate."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import attrs
import httpx
import pytest

pytest.importorskip("uvicorn", reason="needs the extra `sandbox`")

from medsign import AsyncMedSign, Config, MedSign
from medsign.codec.asn1 import decode_certificate, pem_decode
from medsign.config import Endpoint
from medsign.errors import PeerRevoked
from medsign.sandbox import Sandbox
from medsign.sandbox.pki import Pki, serial
from medsign.sandbox.tls import gost_server, gost_tls, root_pem
from medsign.transport.tls import GostTls, Suite, Way, status_check, way_reports

pytestmark = pytest.mark.interop


@pytest.fixture(params=Way)
def way(request: pytest.FixtureRequest, gost_engine) -> Way:
    for report in way_reports():
        if report.way is request.param and not report.works:
            pytest.skip(f"{report.reason} is missing: {report.install}")
    return request.param


@contextmanager
def served(sandbox: Sandbox, tls: GostTls) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = gost_server(sandbox, tls)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


@pytest.mark.parametrize("suite", [Suite.KUZNYECHIK, Suite.MAGMA, Suite.GOST_28147])
def test_each_way_serves_and_asks(way, suite):
    with Sandbox() as sandbox:
        tls = attrs.evolve(gost_tls(sandbox, "127.0.0.1"), way=way)
        client = GostTls(trust=root_pem(sandbox), suites=(suite,), way=way)
        with served(sandbox, tls) as url, httpx.Client(transport=client.transport()) as http:
            described = [http.get(f"{url}/openapi.json") for _ in range(3)]
    assert {each.status_code for each in described} == {200}
    assert len(described[0].content) > 20_000


async def count_certificates(config: Config) -> int:
    async with AsyncMedSign(config) as window:
        return len([one async for one in window.ca.certificates()])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_asynchronous_window_works_through_it(way, backend):
    with Sandbox() as sandbox:
        server = attrs.evolve(gost_tls(sandbox, "127.0.0.1"), way=way)
        client = GostTls(trust=root_pem(sandbox), way=way)
        ca = sandbox.endpoint("ca")
        with served(sandbox, server) as url:
            end = Endpoint(url=f"{url}{httpx.URL(ca.url).path}", token=ca.token, tls=client)
            found = anyio.run(count_certificates, Config(services={"ca": end}), backend=backend)
    assert found == 0


def test_the_window_reads_its_way_from_the_settings(gost_engine, tmp_path):
    with Sandbox() as sandbox:
        (tmp_path / "root.pem").write_bytes(root_pem(sandbox))
        ca = sandbox.endpoint("ca")
        with served(sandbox, gost_tls(sandbox, "127.0.0.1")) as url:
            file = tmp_path / "medsign.toml"
            file.write_text(
                f"[ca]\nurl = '{url}{httpx.URL(ca.url).path}'\ntoken = '{ca.token}'\n"
                "[ca.tls]\ntrust = 'root.pem'\n"
            )
            with MedSign(Config.from_toml(file)) as window:
                assert list(window.ca.certificates()) == []


@pytest.mark.req("F137")
def test_a_revoked_host_is_refused_by_the_word_of_the_ocsp_service(way):
    with Sandbox() as sandbox, sandbox.connect() as window:
        server = attrs.evolve(gost_tls(sandbox, "127.0.0.1"), way=way)
        client = GostTls(
            trust=root_pem(sandbox),
            check=status_check(lambda one, issuer: window.pki.status(one, issuer).facts.status),
            way=way,
        )
        with served(sandbox, server) as url:
            with httpx.Client(transport=client.transport()) as http:
                assert http.get(f"{url}/_sandbox/world").status_code == 200
            own = decode_certificate(pem_decode(server.certificate)[0][1])
            sandbox.world.part(Pki).change(serial(own), "revoke", "keyCompromise")
            with httpx.Client(transport=client.transport()) as http, pytest.raises(PeerRevoked):
                http.get(f"{url}/_sandbox/world")


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_asynchronous_window_asks_the_ocsp_service_too(way, backend):
    with Sandbox() as sandbox, sandbox.connect() as window:
        server = attrs.evolve(gost_tls(sandbox, "127.0.0.1"), way=way)
        client = GostTls(
            trust=root_pem(sandbox),
            check=status_check(lambda one, issuer: window.pki.status(one, issuer).facts.status),
            way=way,
        )
        ca = sandbox.endpoint("ca")
        with served(sandbox, server) as url:
            end = Endpoint(url=f"{url}{httpx.URL(ca.url).path}", token=ca.token, tls=client)
            config = Config(services={"ca": end})
            assert anyio.run(count_certificates, config, backend=backend) == 0
            own = decode_certificate(pem_decode(server.certificate)[0][1])
            sandbox.world.part(Pki).change(serial(own), "revoke", "keyCompromise")
            with pytest.raises(PeerRevoked):
                anyio.run(count_certificates, config, backend=backend)
