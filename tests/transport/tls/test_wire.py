"""What is on the wire: our first message, and the recorded server of RFC 9189."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import pytest

from medsign.codec.asn1 import pem_encode
from medsign.errors import PeerExpired, PeerUntrusted
from medsign.transport.tls import GostTls, Suite

from .conftest import HOST

# RFC 9189 §8 and what OpenSSL has for private use; SCSV of RFC 5746 beside them.
NUMBERS = {
    Suite.KUZNYECHIK: "c100",
    Suite.MAGMA: "c101",
    Suite.GOST_28147: "c102",
    Suite.GOST_28147_LEGACY: "ff85",
    Suite.GOST_2001: "0081",
}
SECURE_RENEGOTIATION = "00ff"


def hello(tls: GostTls, host: str = HOST) -> tuple[ssl.MemoryBIO, ssl.SSLObject, bytes]:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = tls.context().wrap_bio(incoming, outgoing, server_hostname=host)
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()
    return incoming, connection, outgoing.read()


def offered(first: bytes) -> list[str]:
    """Return the suites of a ClientHello in their order (RFC 5246 §7.4.1.2)."""
    after_session = 5 + 4 + 2 + 32 + 1 + first[5 + 4 + 2 + 32]
    size = int.from_bytes(first[after_session : after_session + 2])
    suites = first[after_session + 2 : after_session + 2 + size].hex()
    return [suites[at : at + 4] for at in range(0, len(suites), 4)]


@pytest.mark.parametrize("suites", [tuple(Suite), (Suite.MAGMA, Suite.GOST_28147), None])
def test_only_the_suites_that_are_set_are_offered_best_first_in_tls_1_2(way, ca, suites):
    tls = GostTls(trust=ca.trust, way=way)
    if suites:
        tls = GostTls(trust=ca.trust, suites=suites, way=way)
    _, _, first = hello(tls)
    assert first[9:11] == b"\x03\x03"
    assert offered(first) == [*(NUMBERS[each] for each in tls.suites), SECURE_RENEGOTIATION]


@pytest.fixture
def recorded(shared_data: Path) -> tuple[bytes, bytes]:
    """Return what the server of RFC 9189 A.1.3.1 sends first, and its certificate as PEM."""
    folder = shared_data / "real" / "11_tls"
    if not folder.is_dir():
        pytest.skip("no examples of RFC 9189 among the public samples")
    records = json.loads((folder / "rfc9189_A_1_3_1_wire_records.json").read_text())["records"]
    last = [each["from"] for each in records].index("client", 1)
    flight = b"".join(bytes.fromhex(each["hex"]) for each in records[1:last])
    certificate = (folder / "rfc9189_A_1_3_1_server_cert.cer").read_bytes()
    return flight, pem_encode("CERTIFICATE", certificate)


def test_the_recorded_server_is_read_up_to_its_certificate(way, ca, recorded):
    flight, own = recorded
    # It vouches for itself until 2021; nobody else does.
    for trust, reason in ((own, PeerExpired), (ca.trust, PeerUntrusted)):
        incoming, connection, _ = hello(GostTls(trust=trust, way=way), "test_selfsigned_cert")
        incoming.write(flight)
        with pytest.raises(reason):
            connection.do_handshake()
