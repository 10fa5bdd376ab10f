"""An authority of medsign with everybody it certified, as files for programs of strangers."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.conftest import missing

from medsign.codec.asn1 import (
    RevokedEntry,
    SingleResponse,
    decode_ocsp_request,
    decode_timestamp_request,
    pem_encode,
)
from medsign.pki.issuing import (
    OCSP_SERVICE,
    QUALIFIED,
    ROOT_CA,
    TIMESTAMP_SERVICE,
    issue_certificate,
    issue_crl,
    issue_root,
    subject_name,
)
from medsign.pki.keys import private_key_info
from medsign.pki.ocsp import ocsp_cert_id, ocsp_request, ocsp_response
from medsign.pki.timestamp import message_imprint, timestamp_request, timestamp_response
from medsign.pki.trust import TrustStore
from medsign.signers import SoftwareKey, SoftwareSigner

# Every parameter set that gost-engine knows: the engine's algorithm, and the OID.
CURVES = {
    "A": ("gost2012_256", "1.2.643.2.2.35.1"),
    "B": ("gost2012_256", "1.2.643.2.2.35.2"),
    "C": ("gost2012_256", "1.2.643.2.2.35.3"),
    "XA": ("gost2012_256", "1.2.643.2.2.36.0"),
    "XB": ("gost2012_256", "1.2.643.2.2.36.1"),
    "TCA": ("gost2012_256", "1.2.643.7.1.2.1.1.1"),
    "TCB": ("gost2012_256", "1.2.643.7.1.2.1.1.2"),
    "TCC": ("gost2012_256", "1.2.643.7.1.2.1.1.3"),
    "TCD": ("gost2012_256", "1.2.643.7.1.2.1.1.4"),
    "512A": ("gost2012_512", "1.2.643.7.1.2.1.2.1"),
    "512B": ("gost2012_512", "1.2.643.7.1.2.1.2.2"),
    "512C": ("gost2012_512", "1.2.643.7.1.2.1.2.3"),
}
every = pytest.mark.parametrize("name", CURVES)
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
NONCE = b"0123456789abcdef"
JARS = [Path("/usr/share/java") / f"{name}.jar" for name in ("bcprov", "bcutil", "bcpkix")]
NEEDED = "BouncyCastle 1.80 or later: libbcpkix-java, in Debian since 13"
Ask = Callable[..., str]


def digest_of(name: str) -> str:
    return CURVES[name][0].replace("gost2012", "md_gost12")


class Workshop:
    """A root, an owner and two services, what they make, and a folder for it."""

    def __init__(self, folder: Path, curve: str) -> None:
        self.folder = folder
        self._numbers = itertools.count()
        key = SoftwareKey.generate(curve)
        start = NOW - 30 * DAY
        self.root = key.certified(
            issue_root(
                ROOT_CA, subject=subject_name(organization="Root"), signer=key, not_before=start
            )
        )
        self.trust = TrustStore([self.root.certificate])

        def certify(template, name) -> SoftwareSigner:
            own = SoftwareKey.generate(curve)
            certificate = issue_certificate(
                template,
                subject=subject_name(organization=name),
                key=own.public_key,
                issuer=self.root,
                not_before=start,
            )
            return own.certified(certificate)

        self.owner = certify(QUALIFIED, "Owner")
        self.tsa = certify(TIMESTAMP_SERVICE, "TSA")
        self.responder = certify(OCSP_SERVICE, "OCSP")

    def file(self, data: bytes) -> Path:
        path = self.folder / str(next(self._numbers))
        path.write_bytes(data)
        return path

    def certificate(self, signer: SoftwareSigner) -> Path:
        return self.file(pem_encode("CERTIFICATE", signer.certificate.der))

    def key(self, signer: SoftwareKey) -> Path:
        return self.file(pem_encode("PRIVATE KEY", private_key_info(signer.key)))

    def crl(self) -> bytes:
        """Return a list on which the owner stands."""
        entry = RevokedEntry(
            serial_number=self.owner.certificate.serial_number,
            revocation_date=NOW - DAY,
            reason="keyCompromise",
        )
        issued = issue_crl(
            self.root, number=1, this_update=NOW - DAY, next_update=NOW + DAY, entries=[entry]
        )
        return issued.der

    def ocsp_request(self) -> bytes:
        return ocsp_request(self.owner.certificate, self.root.certificate, NONCE)

    def ocsp_answer(self, *, by_name: bool = True) -> bytes:
        """Return the answer to that request: the owner is good."""
        status = SingleResponse(
            cert_id=ocsp_cert_id(self.owner.certificate, self.root.certificate),
            status="good",
            this_update=NOW - timedelta(minutes=1),
            next_update=NOW + DAY,
        )
        return ocsp_response(
            [status],
            self.responder,
            produced_at=NOW,
            nonce=decode_ocsp_request(self.ocsp_request()).nonce,
            by_name=by_name,
        )

    def stamp_request(self, data: bytes) -> bytes:
        return timestamp_request(message_imprint(data, self.tsa.digest_algorithm), nonce=77)

    def stamp(self, data: bytes) -> bytes:
        return timestamp_response(
            decode_timestamp_request(self.stamp_request(data)),
            self.tsa,
            policy="1.2.643.2.2.38.4",
            serial_number=1,
            gen_time=NOW,
        )


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Workshop]:
    made: dict[str, Workshop] = {}

    def make(name: str) -> Workshop:
        if name not in made:
            made[name] = Workshop(tmp_path_factory.mktemp(name), CURVES[name][1])
        return made[name]

    return make


@pytest.fixture(scope="session")
def bouncy_castle(program: Callable[[str, str], str], tmp_path_factory) -> Iterator[Ask]:
    """Yield `ask(verb, *arguments)`, which returns what the judge says."""
    if not all(jar.is_file() for jar in JARS):
        missing(f"needs {NEEDED}")
    classes = tmp_path_factory.mktemp("classes")
    path = ":".join(map(str, JARS))
    javac = program("javac", "openjdk-17-jdk-headless")
    source = Path(__file__).with_name("Judge.java")
    subprocess.run([javac, "-nowarn", "-d", classes, "-cp", path, source], check=True)
    with subprocess.Popen(
        [program("java", "openjdk-17-jre-headless"), "-cp", f"{classes}:{path}", "Judge"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout

        def ask(verb: str, *arguments: str | Path) -> str:
            process.stdin.write("\t".join(map(str, (verb, *arguments))) + "\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        version = ask("version").rpartition("v")[2]
        if tuple(map(int, version.split("."))) < (1, 80):
            missing(f"needs {NEEDED}; here is {version}")
        yield ask
        process.stdin.close()
