"""OpenSSL with the GOST engine as judge: it reads what we write, and we check what it signs."""

from __future__ import annotations

from pathlib import Path

import pytest

from medsign.codec.asn1 import (
    decode_certificate,
    decode_crl,
    decode_ocsp_response,
    decode_request,
    decode_spki,
    decode_timestamp_request,
    decode_timestamp_response,
    pem_encode,
    to_binary,
)
from medsign.gost import param_set
from medsign.pki.issuing import check_request, make_request, subject_name
from medsign.pki.keys import private_key_info, public_key, public_key_info
from medsign.pki.path import build_path
from medsign.pki.revocation import RevocationEvidence, check_revocation
from medsign.pki.timestamp import check_timestamp_response
from medsign.pki.trust import TrustStore
from medsign.signers import SoftwareKey, load_key

from .conftest import CURVES, DAY, NONCE, NOW, digest_of, every

pytestmark = pytest.mark.interop


@every
def test_openssl_reads_our_private_key_and_computes_the_same_public_one(openssl, name):
    key = SoftwareKey.generate(CURVES[name][1])
    done = openssl(
        *("pkey", "-inform", "DER", "-pubout", "-outform", "DER"), input=private_key_info(key.key)
    )
    assert public_key(decode_spki(done.stdout)) == key.public_key


@every
def test_we_read_the_private_key_of_openssl_and_compute_the_same_public_one(openssl, name):
    algorithm, curve = CURVES[name]
    made = openssl(
        *("genpkey", "-algorithm", algorithm, "-pkeyopt", f"paramset:{name.removeprefix('512')}")
    )
    key = load_key(made.stdout)
    shown = openssl("pkey", "-pubout", "-outform", "DER", input=made.stdout)
    assert key.key.params is param_set(curve)
    assert key.public_key == public_key(decode_spki(shown.stdout))


@pytest.mark.parametrize("name", [name for name in CURVES if name not in {"512A", "512B"}])
def test_our_public_key_has_the_octets_of_openssl(openssl, name):
    # for 512-A and -B the engine names the digest, which RFC 9215 4.2 says to leave out
    key = SoftwareKey.generate(CURVES[name][1])
    shown = openssl(
        *("pkey", "-inform", "DER", "-pubout", "-outform", "DER"), input=private_key_info(key.key)
    )
    assert public_key_info(key.public_key) == shown.stdout


@every
def test_openssl_verifies_our_certificates(openssl, workshop, name):
    shop = workshop(name)
    root, owner = shop.certificate(shop.root), shop.certificate(shop.owner)
    done = openssl("verify", "-x509_strict", "-check_ss_sig", "-CAfile", root, owner)
    assert done.stdout.endswith(b"OK\n")


@every
def test_openssl_verifies_our_request(openssl, workshop, name):
    shop = workshop(name)
    request = make_request(subject_name(organization="Owner"), shop.owner)
    done = openssl("req", "-inform", "DER", "-verify", "-noout", input=request.der)
    assert b"verif" in done.stdout + done.stderr


@every
def test_openssl_verifies_our_revocation_list(openssl, workshop, name):
    shop = workshop(name)
    pem = shop.file(pem_encode("X509 CRL", shop.crl()))
    root, owner = shop.certificate(shop.root), shop.certificate(shop.owner)
    checked = openssl("crl", "-in", pem, "-CAfile", root, "-noout")
    assert b"verify OK" in checked.stderr + checked.stdout
    refused = openssl(
        *("verify", "-crl_check", "-CRLfile", pem, "-CAfile", root, owner), check=False
    )
    assert b"certificate revoked" in refused.stderr + refused.stdout


@every
@pytest.mark.parametrize("by_name", [True, False])
def test_openssl_verifies_our_ocsp_answer(openssl, workshop, name, by_name):
    shop = workshop(name)
    saved, root = shop.file(shop.ocsp_answer(by_name=by_name)), shop.certificate(shop.root)
    asked = shop.file(shop.ocsp_request())
    of_request = openssl("ocsp", "-reqin", asked, "-respin", saved, "-CAfile", root)
    assert b"Response verify OK" in of_request.stderr
    # given a certificate, `openssl ocsp` makes its own request, whose nonce is another
    of_owner = openssl(
        *("ocsp", "-no_nonce", "-respin", saved, "-CAfile", root),
        *("-issuer", root, "-cert", shop.certificate(shop.owner)),
    )
    assert b": good" in of_owner.stdout


@every
def test_openssl_verifies_our_time_stamp(openssl, workshop, name):
    shop = workshop(name)
    data = b"data to be stamped"
    answer, asked = shop.file(shop.stamp(data)), shop.file(shop.stamp_request(data))
    root = shop.certificate(shop.root)
    openssl("ts", "-verify", "-queryfile", asked, "-in", answer, "-CAfile", root)
    openssl("ts", "-verify", "-data", shop.file(data), "-in", answer, "-CAfile", root)


@every
def test_we_verify_a_certificate_and_a_request_of_openssl(openssl, name, tmp_path):
    algorithm, _ = CURVES[name]
    key = tmp_path / "key.pem"
    key.write_bytes(
        openssl(
            *("genpkey", "-algorithm", algorithm),
            *("-pkeyopt", f"paramset:{name.removeprefix('512')}"),
        ).stdout
    )
    request = openssl("req", "-new", "-key", key, "-subj", "/CN=Owner", "-outform", "DER")
    assert check_request(decode_request(request.stdout))
    root = openssl(
        *("req", "-x509", "-new", "-key", key, "-subj", "/CN=Root", "-days", "9"),
        *("-addext", "basicConstraints=critical,CA:TRUE", "-outform", "DER"),
    )
    certificate = decode_certificate(root.stdout)
    issued = openssl(
        *("x509", "-req", "-inform", "DER", "-days", "9", "-CAkey", key, "-outform", "DER"),
        *("-CA", _write(tmp_path / "ca.pem", pem_encode("CERTIFICATE", root.stdout))),
        *("-set_serial", "0x1234"),
        input=request.stdout,
    )
    owner = decode_certificate(issued.stdout)
    facts = build_path(owner, TrustStore([certificate]), at=owner.not_before)
    assert facts.is_valid, facts.problems


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@every
def test_we_verify_an_ocsp_answer_of_openssl(openssl, workshop, name):
    shop = workshop(name)
    serial = f"{shop.owner.certificate.serial_number:X}"
    until = (NOW + 300 * DAY).strftime("%y%m%d%H%M%SZ")
    since = (NOW - DAY).strftime("%y%m%d%H%M%SZ")
    index = shop.file(f"R\t{until}\t{since},keyCompromise\t{serial}\tunknown\t/CN=x\n".encode())
    answer = shop.folder / "answer.der"
    openssl(
        *("ocsp", "-index", index, "-reqin", shop.file(shop.ocsp_request()), "-respout", answer),
        *("-CA", shop.certificate(shop.root), "-rsigner", shop.certificate(shop.responder)),
        *("-rkey", shop.key(shop.responder), "-ndays", "1"),
        *("-rmd", digest_of(name)),
    )
    basic = decode_ocsp_response(answer.read_bytes()).basic
    assert basic
    facts = check_revocation(
        shop.owner.certificate,
        shop.root.certificate,
        RevocationEvidence(responses=(basic,)),
        at=basic.produced_at,
        nonce=NONCE,
    )
    assert (facts.status, facts.reason) == ("revoked", "keyCompromise")
    assert not facts.claims[0].problems


@every
def test_we_verify_a_time_stamp_of_openssl(openssl, workshop, name):
    shop = workshop(name)
    digest = digest_of(name)
    config = shop.file(
        "\n".join(
            [
                "[tsa]",
                f"dir = {shop.folder}",
                f"serial = {shop.folder}/serial",
                f"signer_cert = {shop.certificate(shop.tsa)}",
                f"signer_key = {shop.key(shop.tsa)}",
                f"signer_digest = {digest}",
                f"certs = {shop.certificate(shop.root)}",
                "default_policy = 1.2.3.4",
                f"digests = {digest}",
                "ess_cert_id_alg = sha256",
            ]
        ).encode()
    )
    request = shop.stamp_request(b"data")
    answer = shop.folder / "stamp.tsr"
    openssl(
        *("ts", "-reply", "-config", config, "-section", "tsa"),
        *("-queryfile", shop.file(request), "-out", answer),
    )
    facts = check_timestamp_response(
        decode_timestamp_response(answer.read_bytes()),
        decode_timestamp_request(request),
        shop.trust,
    )
    assert facts.is_valid, facts.problems


@every
def test_we_verify_a_revocation_list_of_openssl(openssl, workshop, name):
    shop = workshop(name)
    index = shop.file(b"")
    number = shop.file(b"01\n")
    digest = digest_of(name)
    config = shop.file(
        "\n".join(
            [
                *("[ca]", "default_ca = own", "[own]"),
                *(f"database = {index}", f"crlnumber = {number}", f"default_md = {digest}"),
            ]
        ).encode()
    )
    made = openssl(
        *("ca", "-config", config, "-gencrl", "-crldays", "3"),
        *("-cert", shop.certificate(shop.root), "-keyfile", shop.key(shop.root)),
    )
    crl = decode_crl(to_binary(made.stdout))
    facts = check_revocation(
        shop.owner.certificate,
        shop.root.certificate,
        RevocationEvidence(crls=(crl,)),
        at=crl.this_update,
    )
    assert facts.status == "good"
