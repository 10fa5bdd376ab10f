"""GnuTLS (certtool, ocsptool) as judge, for the parameter sets that its library Nettle has."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from medsign import cms
from medsign.clock import SystemClock
from medsign.codec.asn1 import (
    decode_certificate,
    decode_crl,
    decode_ocsp_request,
    decode_request,
    pem_encode,
    to_binary,
)
from medsign.gost import param_set
from medsign.pki import TrustStore, build_path, check_request, make_request, subject_name
from medsign.pki.keys import public_key
from medsign.pki.revocation import RevocationEvidence, check_revocation
from medsign.signers import load_key

from .conftest import CURVES, NOW

pytestmark = pytest.mark.interop
# To the others GnuTLS 3.7 says "The curve is unsupported"; the name and the type are its own.
KNOWN = {
    "A": ("gost12-256", "CryptoPro-A"),
    "XA": ("gost12-256", "CryptoPro-XchA"),
    "TCB": ("gost12-256", "TC26-256-B"),
    "512A": ("gost12-512", "TC26-512-A"),
}
known = pytest.mark.parametrize("name", KNOWN)
CONTENT = "Протокол осмотра".encode()
Tool = Callable[..., subprocess.CompletedProcess[bytes]]
TEMPLATE = """\
cn = "GnuTLS"
ca
cert_signing_key
crl_signing_key
expiration_days = 30
crl_next_update = 9
crl_number = 5
"""


@pytest.fixture(scope="session")
def gnutls(program: Callable[[str, str], str]) -> Tool:
    """Return `gnutls(name, *arguments, check=True)`, which runs a tool of GnuTLS."""

    def run(name: str, *arguments: str | Path, check: bool = True) -> object:
        done = subprocess.run(
            [program(name, "gnutls-bin"), *map(str, arguments)],
            capture_output=True,
            timeout=60,
            check=False,
        )
        if check and done.returncode:
            pytest.fail(f"{name} failed: {(done.stdout + done.stderr).decode(errors='replace')}")
        return done

    return run


@known
def test_it_verifies_our_certificate_and_no_changed_one(gnutls: Tool, workshop, name):
    shop = workshop(name)
    root = shop.certificate(shop.root)
    trusting = ("--verify", "--load-ca-certificate", root, "--infile")
    assert b"Output: Verified" in gnutls("certtool", *trusting, shop.certificate(shop.owner)).stdout
    changed = bytearray(shop.owner.certificate.der)
    changed[-1] ^= 1
    forged = shop.file(pem_encode("CERTIFICATE", bytes(changed)))
    assert gnutls("certtool", *trusting, forged, check=False).returncode


@known
def test_it_verifies_our_chain(gnutls: Tool, workshop, name):
    shop = workshop(name)
    both = (shop.certificate(each).read_bytes() for each in (shop.owner, shop.root))
    done = gnutls("certtool", "--verify-chain", "--infile", shop.file(b"".join(both)))
    assert b"Chain verification output: Verified" in done.stdout


@known
def test_it_verifies_our_request(gnutls: Tool, workshop, name):
    shop = workshop(name)
    request = make_request(subject_name(organization="Owner"), shop.owner)
    done = gnutls("certtool", "--crq-info", "--inder", "--infile", shop.file(request.der))
    assert b"Self signature: verified" in done.stdout + done.stderr


@known
def test_it_verifies_our_revocation_list(gnutls: Tool, workshop, name):
    shop = workshop(name)
    crl = shop.file(pem_encode("X509 CRL", shop.crl()))
    trusting = ("--load-ca-certificate", shop.certificate(shop.root), "--infile", crl)
    assert b"Verified" in gnutls("certtool", "--verify-crl", *trusting).stdout
    shown = gnutls("certtool", "--crl-info", "--infile", crl).stdout.lower()
    assert f"{shop.owner.certificate.serial_number:x}".encode() in shown


@known
@pytest.mark.parametrize("by_name", [True, False])
def test_it_verifies_our_ocsp_answer(gnutls: Tool, workshop, name, by_name):
    shop = workshop(name)
    answer = shop.ocsp_answer(by_name=by_name)
    trusting = ("--verify-response", "--load-trust", shop.certificate(shop.root), "--load-response")
    done = gnutls("ocsptool", *trusting, shop.file(answer))
    assert b"Verifying OCSP Response: Success" in done.stdout + done.stderr
    # inside the response data, which is what is signed
    forged = shop.file(answer.replace(b"20", b"21", 1))
    assert b"Response: Success" not in gnutls("ocsptool", *trusting, forged, check=False).stdout


@known
@pytest.mark.parametrize("detached", [True, False])
def test_it_verifies_our_signature(gnutls: Tool, workshop, name, detached):
    shop = workshop(name)
    signature = shop.file(cms.sign(CONTENT, shop.owner, at=NOW, detached=detached))
    trusting = ("--inder", "--infile", signature, "--load-ca-certificate")
    verify = ("--p7-verify", *trusting, shop.certificate(shop.root))
    content = ("--load-data", shop.file(CONTENT)) if detached else ()
    done = gnutls("certtool", *verify, *content)
    assert b"Signature status: ok" in done.stdout + done.stderr
    if detached:
        other = ("--load-data", shop.file(CONTENT + b"!"))
        assert gnutls("certtool", *verify, *other, check=False).returncode


@known
def test_it_reads_our_private_key(gnutls: Tool, workshop, name):
    shop = workshop(name)
    done = gnutls("certtool", "--key-info", "--infile", shop.key(shop.owner))
    assert KNOWN[name][1].encode() in done.stdout


@pytest.fixture(params=KNOWN)
def theirs(request: pytest.FixtureRequest, gnutls: Tool, tmp_path: Path) -> tuple[str, Path]:
    """Return a parameter set and a folder with a root, an owner, a request and a list of GnuTLS."""
    kind, curve = KNOWN[request.param]
    template = tmp_path / "template"
    template.write_text(TEMPLATE)

    def make(what: str, output: str, *options: str | Path) -> Path:
        path = tmp_path / output
        gnutls("certtool", what, "--template", template, "--no-text", "--outfile", path, *options)
        return path

    ca = make("--generate-privkey", "ca", "--key-type", kind, "--curve", curve)
    key = make("--generate-privkey", "key", "--key-type", kind, "--curve", curve)
    root = make("--generate-self-signed", "root", "--load-privkey", ca)
    issuing = ("--load-ca-certificate", root, "--load-ca-privkey", ca)
    template.write_text('cn = "Owner"\nsigning_key\nexpiration_days = 9\nserial = 77\n')
    crq = make("--generate-request", "request", "--load-privkey", key)
    owner = make("--generate-certificate", "owner", "--load-request", crq, *issuing)
    template.write_text(TEMPLATE)
    make("--generate-crl", "crl", "--load-certificate", owner, *issuing)
    return request.param, tmp_path


def read(folder: Path, name: str) -> bytes:
    return to_binary((folder / name).read_bytes())


def test_we_read_its_private_key(theirs):
    name, folder = theirs
    key = load_key((folder / "key").read_bytes())
    assert key.key.params is param_set(CURVES[name][1])
    owner = decode_certificate(read(folder, "owner"))
    assert key.public_key == public_key(owner.public_key)


def test_we_verify_its_chain_and_request(theirs):
    _, folder = theirs
    root, owner = (decode_certificate(read(folder, each)) for each in ("root", "owner"))
    facts = build_path(owner, TrustStore([root]), at=owner.not_before)
    assert facts.is_valid, facts.problems
    assert check_request(decode_request(read(folder, "request")))


def test_we_verify_its_revocation_list(theirs):
    _, folder = theirs
    root, owner = (decode_certificate(read(folder, each)) for each in ("root", "owner"))
    crl = decode_crl(read(folder, "crl"))
    evidence = RevocationEvidence(crls=(crl,))
    facts = check_revocation(owner, root, evidence, at=crl.this_update + timedelta(seconds=1))
    assert (facts.status, facts.claims[0].problems) == ("revoked", ())


@pytest.mark.parametrize("how", ["--p7-sign", "--p7-detached-sign"])
@pytest.mark.parametrize("timed", [True, False])
def test_we_verify_its_signature(gnutls: Tool, theirs, how, timed):
    _, folder = theirs
    (folder / "content").write_bytes(CONTENT)
    signed = ("--load-certificate", folder / "owner", "--load-privkey", folder / "key")
    gnutls(
        *("certtool", how, *(["--p7-time"] if timed else []), *signed),
        *("--infile", folder / "content", "--outder", "--outfile", folder / "p7"),
    )
    given = cms.Evidence(
        signature=(folder / "p7").read_bytes(),
        content=CONTENT if how == "--p7-detached-sign" else None,
        trust=TrustStore([decode_certificate(read(folder, "root"))]),
    )
    (facts,) = cms.collect(given, at=SystemClock().now()).signatures
    assert (facts.content_intact, facts.signature_valid) == (True, True)


def test_we_read_its_question_about_a_status(gnutls: Tool, theirs):
    _, folder = theirs
    asked = ("--load-issuer", folder / "root", "--load-cert", folder / "owner")
    gnutls("ocsptool", "--generate-request", *asked, "--outfile", folder / "asked")
    asked = decode_ocsp_request((folder / "asked").read_bytes())
    assert [each.serial_number for each in asked.items] == [77]
