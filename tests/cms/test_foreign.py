"""Signatures and stamps of other countries, as OpenSSL makes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medsign import cms
from medsign.clock import SystemClock
from medsign.codec import asn1
from medsign.codec.asn1 import oids
from medsign.pki.problems import ProblemCode
from medsign.pki.timestamp import check_timestamp
from medsign.pki.trust import TrustStore

from .conftest import DAY, make_authority

x509 = pytest.importorskip("cryptography.x509", reason="needs the extra: pip install medsign[rsa]")
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: E402

NOW = SystemClock().now().replace(microsecond=0)
CONTENT = "Выписка для зарубежной клиники".encode()
Sub = cms.SubIndication
KEYS = {
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "EC": lambda: ec.generate_private_key(ec.SECP256R1()),
}
PSS = ("-keyopt", "rsa_padding_mode:pss")
SIGNING = {
    "RSA SHA-256": ("RSA", ("-md", "sha256")),
    "RSA SHA-512": ("RSA", ("-md", "sha512")),
    "RSA without attributes": ("RSA", ("-md", "sha256", "-noattr")),
    "PSS": ("RSA", ("-md", "sha256", *PSS)),
    "PSS SHA-384, salt of 20": ("RSA", ("-md", "sha384", *PSS, "-keyopt", "rsa_pss_saltlen:20")),
    "ECDSA SHA-256": ("EC", ("-md", "sha256")),
    "ECDSA SHA-384": ("EC", ("-md", "sha384")),
    "by key identifier": ("EC", ("-md", "sha256", "-keyid")),
}


@attrs.frozen
class Office:
    """A root abroad with people and services below it, and files of them for OpenSSL."""

    key: object
    folder: object

    @classmethod
    def found(cls, kind, folder):
        office = cls(KEYS[kind](), folder)
        office.issue("root", office.key, x509.BasicConstraints(ca=True, path_length=None))
        return office

    def issue(self, name, key, *extensions):
        named = [
            x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, each)])
            for each in (name, "root")
        ]
        builder = (
            x509.CertificateBuilder()
            .subject_name(named[0])
            .issuer_name(named[1])
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - 10 * DAY)
            .not_valid_after(NOW + 300 * DAY)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        )
        for each in extensions:
            builder = builder.add_extension(each, critical=True)
        der = builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
        self.file(f"{name}.pem", asn1.pem_encode("CERTIFICATE", der))
        self.file(
            f"{name}.key",
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )
        return asn1.decode_certificate(der)

    def file(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    @property
    def root(self):
        ((_, der),) = asn1.pem_decode((self.folder / "root.pem").read_bytes())
        return asn1.decode_certificate(der)

    def crl(self):
        made = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "root")]))
            .last_update(NOW - DAY)
            .next_update(NOW + 7 * DAY)
            .sign(self.key, hashes.SHA256())
        )
        return asn1.decode_crl(made.public_bytes(serialization.Encoding.DER))

    def evidence(self, signature, content=CONTENT):
        return cms.Evidence(
            signature=signature,
            content=content,
            trust=TrustStore([self.root]),
            crls=(self.crl(),),
        )


@pytest.fixture(scope="module")
def offices(tmp_path_factory):
    made = {kind: Office.found(kind, tmp_path_factory.mktemp(kind)) for kind in KEYS}
    for kind, office in made.items():
        office.issue("doctor", KEYS[kind]())
        office.issue(
            "tsa",
            KEYS[kind](),
            x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.TIME_STAMPING]),
        )
        office.file("content", CONTENT)
    return made


def signed_by_openssl(openssl, office, *options):
    return openssl(
        *("cms", "-sign", "-binary", "-outform", "DER", "-in", office.folder / "content"),
        *("-signer", office.folder / "doctor.pem", "-inkey", office.folder / "doctor.key"),
        *options,
    ).stdout


def verdict(evidence, policy=cms.INTERNATIONAL):
    report = cms.verify(evidence, policy=policy, at=SystemClock().now() + timedelta(seconds=1))
    return report.sub_indication


LENIENT = cms.Policy(
    name="unsafe-attributes",
    algorithms=cms.INTERNATIONAL.algorithms,
    levels={"SIGNED_ATTRIBUTES": cms.Level.WARN},
)


@pytest.mark.interop
@pytest.mark.parametrize(
    ("name", "form"),
    [
        (name, form)
        for name in SIGNING
        for form in ((), ("-nodetach",), ("-cades",))
        if not ("-noattr" in SIGNING[name][1] and "-cades" in form)  # CAdES is in the attributes
    ],
)
def test_we_accept_a_foreign_signature_of_openssl(openssl, offices, name, form):
    kind, options = SIGNING[name]
    signature = signed_by_openssl(openssl, offices[kind], *options, *form)
    evidence = offices[kind].evidence(signature, None if "-nodetach" in form else CONTENT)
    policy = LENIENT if "-noattr" in options else cms.INTERNATIONAL
    report = cms.verify(evidence, policy=policy, at=SystemClock().now() + timedelta(seconds=1))
    assert report.passed, report.explain_trust()
    assert verdict(evidence, cms.DEFAULT) is Sub.CRYPTO_CONSTRAINTS_FAILURE
    spoilt = signature[:-1] + bytes((signature[-1] ^ 1,))
    assert verdict(attrs.evolve(evidence, signature=spoilt), policy) is Sub.SIG_CRYPTO_FAILURE
    if "-nodetach" not in form:
        other = attrs.evolve(evidence, content=CONTENT + b" ")
        assert verdict(other, policy) in {Sub.HASH_FAILURE, Sub.SIG_CRYPTO_FAILURE}


@pytest.mark.interop
@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_a_reference_of_either_version_names_the_certificate(openssl, offices, digest):
    signature = signed_by_openssl(openssl, offices["RSA"], "-md", digest, "-cades")
    (signer,) = asn1.decode_signed_data(signature).signers
    assert signer.signing_certificates[0].hash_oid == {"sha1": oids.SHA1}.get(digest, oids.SHA256)
    facts = cms.collect(offices["RSA"].evidence(signature), at=NOW)
    assert facts.signatures[0].certificate_reference == "match"


@pytest.mark.interop
@pytest.mark.parametrize("kind", KEYS)
def test_sha1_counts_only_as_long_as_the_policy_lets_it(openssl, offices, kind):
    evidence = offices[kind].evidence(signed_by_openssl(openssl, offices[kind], "-md", "sha1"))
    assert verdict(evidence) is Sub.CRYPTO_CONSTRAINTS_FAILURE_NO_POE
    tomorrow = {oid: end and NOW + DAY for oid, end in cms.INTERNATIONAL.algorithms.items()}
    assert verdict(evidence, cms.Policy(name="of old", algorithms=tomorrow)) is None
    warning = cms.Policy(
        name="unsafe-old-digests",
        algorithms=cms.INTERNATIONAL.algorithms,
        levels={"ALGORITHM_IN_TIME": cms.Level.WARN},
    )
    assert verdict(evidence, warning) is None


@pytest.mark.interop
def test_a_file_is_hashed_by_a_foreign_digest_too(openssl, offices):
    office = offices["RSA"]
    evidence = office.evidence(signed_by_openssl(openssl, office, "-md", "sha256"))
    assert verdict(attrs.evolve(evidence, content=office.folder / "content")) is None
    other = office.file("other", CONTENT + b"!")
    assert verdict(attrs.evolve(evidence, content=other)) is Sub.HASH_FAILURE


@pytest.mark.interop
@settings(max_examples=60)
@given(data=st.data())
def test_a_flipped_bit_of_a_foreign_signature_never_passes(data, openssl, offices, pss_signature):
    bit = data.draw(st.integers(0, 8 * len(pss_signature) - 1))
    spoilt = bytearray(pss_signature)
    spoilt[bit // 8] ^= 1 << bit % 8
    assert verdict(offices["RSA"].evidence(bytes(spoilt))) is not None


@pytest.fixture(scope="module")
def pss_signature(openssl, offices):
    return signed_by_openssl(openssl, offices["RSA"], "-md", "sha256", "-cades", *PSS)


TSA = """
[tsa]
default_tsa = t
[t]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
certs = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = {digest}
default_policy = 1.2.3.4.1
digests = sha1, sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = {reference}
"""


def stamped_by_openssl(
    openssl, office, data, *, digest="sha256", reference="sha256", imprint="-sha256"
):
    office.file("serial", b"01\n")
    text = TSA.format(folder=office.folder, digest=digest, reference=reference)
    config = office.file("tsa.cnf", text.encode())
    query = openssl(
        *("ts", "-query", "-data", office.file("stamped", data), imprint, "-cert", "-no_nonce"),
        *("-out", office.folder / "q.tsq"),
    )
    assert query.returncode == 0
    return openssl(
        *("ts", "-reply", "-config", config, "-queryfile", office.folder / "q.tsq"),
    ).stdout


@pytest.fixture(scope="module")
def at_home():
    authority = make_authority()
    doctor = authority.issue(not_before=NOW - DAY)
    return authority, doctor, cms.sign(CONTENT, doctor, at=NOW)


def mixed(at_home, office, signature):
    authority, _, _ = at_home
    return cms.Evidence(
        signature=signature,
        content=CONTENT,
        trust=authority.trust | TrustStore([office.root]),
        crls=(authority.crl(NOW - DAY), office.crl()),
    )


WITH_STAMP = attrs.evolve(
    cms.INTERNATIONAL, name="stamped", levels={"STAMP_PRESENT": cms.Level.FAIL}
)


@pytest.mark.interop
@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("reference", ["sha1", "sha256"])
def test_a_signature_of_ours_may_have_a_stamp_of_theirs(openssl, offices, at_home, kind, reference):
    office, (_, _, signature) = offices[kind], at_home
    value = cms.signature_value(signature)
    answer = stamped_by_openssl(openssl, office, value, reference=reference)
    evidence = mixed(at_home, office, cms.add_timestamp(signature, answer))
    assert verdict(evidence, WITH_STAMP) is None
    # By the usual policy only GOST counts, and so the stamp proves nothing.
    assert verdict(evidence, cms.WITH_STAMP) is Sub.NO_POE
    assert verdict(evidence, cms.DEFAULT) is None


@pytest.mark.interop
@pytest.mark.parametrize("how", [{"digest": "sha1"}, {"imprint": "-sha1"}], ids=str)
def test_a_stamp_with_sha1_proves_nothing(openssl, offices, at_home, how):
    office, (_, _, signature) = offices["RSA"], at_home
    answer = stamped_by_openssl(openssl, office, cms.signature_value(signature), **how)
    evidence = mixed(at_home, office, cms.add_timestamp(signature, answer))
    assert verdict(evidence, WITH_STAMP) is Sub.NO_POE
    token = asn1.decode_timestamp_response(answer).token
    facts = check_timestamp(token, cms.signature_value(signature), evidence.trust)
    assert {each.code for each in facts.problems} == {ProblemCode.ALGORITHM_WEAK}
    old = attrs.evolve(WITH_STAMP, algorithms=dict.fromkeys(WITH_STAMP.algorithms))
    assert verdict(evidence, old) is None


def test_ed25519_signs_with_sha512(offices):
    office, key = offices["EC"], ed25519.Ed25519PrivateKey.generate()
    certificate = office.issue("edwards", key)
    attributes = asn1.encode_signed_attributes(
        content_type=oids.DATA,
        message_digest=hash_of(CONTENT),
        signing_time=NOW,
        signing_certificate=None,
    )
    info = asn1.SignerInfo(
        version=1,
        sid=asn1.IssuerAndSerial(certificate.issuer, certificate.serial_number),
        digest_algorithm=asn1.AlgorithmIdentifier(oids.SHA512),
        signature_algorithm=asn1.AlgorithmIdentifier("1.3.101.112"),
        signature=key.sign(attributes),
        signed_attributes_der=attributes,
    )
    signature = asn1.encode_signed_data([info], content=None, certificates=[certificate.der])
    assert verdict(office.evidence(signature)) is None


def hash_of(data):
    digest = hashes.Hash(hashes.SHA512())
    digest.update(data)
    return digest.finalize()


def test_the_end_of_sha1_is_the_beginning_of_2014():
    ends = {end for end in cms.INTERNATIONAL.algorithms.values() if end}
    assert ends == {datetime(2014, 1, 1, tzinfo=UTC)}
    assert cms.INTERNATIONAL.algorithms[oids.SHA1] in ends
    assert cms.INTERNATIONAL.algorithms[oids.SHA256] is None
