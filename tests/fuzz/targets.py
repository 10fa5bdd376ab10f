"""What is fuzzed: every door through which bytes come in, with seeds of our own making.

One sentence holds for all of them: bytes in, a frozen object or `MalformedError` or
`BudgetExceeded` out, within the budget.
"""

from __future__ import annotations

import base64
import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import attrs

from medsign import cms, mchd, xmldsig
from medsign.codec import asn1
from medsign.codec import json as json_codec
from medsign.codec.asn1 import pkcs12
from medsign.codec.asn1.door import framed
from medsign.codec.asn1.pkcs12 import Pfx, PfxMac
from medsign.codec.xml import parse
from medsign.errors import (
    BudgetExceeded,
    InvalidKey,
    MalformedError,
    MedsignError,
    Unavailable,
    UsageError,
)
from medsign.gost import PrivateKey, param_set
from medsign.gost.portable import PortableProvider
from medsign.identifiers import PowerOfAttorneyNumber
from medsign.pdf import read_pdf_signatures, sign_pdf, verify_pdf
from medsign.pki import (
    QUALIFIED,
    AccreditedList,
    TrustStore,
    issue_root,
    make_request,
    ocsp_request,
    private_key_info,
    subject_name,
)
from medsign.pki.fetch import read_issuers
from medsign.signers import (
    SigningSession,
    SoftwareKey,
    SoftwareSigner,
    load_key,
    load_pfx,
    load_signed_pfx,
    save_key,
    save_pfx,
    save_signed_pfx,
)
from medsign.signers.passwords import Password

HERE = Path(__file__).parent
LIMBO = HERE.parent / "limbo" / "gost-limbo.json"
FOUND = HERE / "corpus" / "found"
PASSWORD = "password"
PERIOD = "ELN_999000000001_3_doc"
DOCTOR = xmldsig.doctor_actor("999000000001", 3)
NUMBER = PowerOfAttorneyNumber("0dae3f95-5F28-4b9c-8e4e-9d4f6b7f0a01")
MOMENT = datetime(2025, 6, 1, 12, tzinfo=UTC)


REFUSALS = (MalformedError, BudgetExceeded)


@attrs.frozen
class Target:
    """A door.

    Attributes:
        read: Takes bytes.
        kind: Which of the seeds it is made for.
        refusals: What it may raise.
    """

    read: Callable[[bytes], object]
    kind: str
    refusals: tuple[type[MedsignError], ...] = REFUSALS


@attrs.frozen(kw_only=True)
class Line:
    """A line of a row."""

    code: str
    cost: int


@attrs.frozen(kw_only=True)
class Row:
    """A record with all the kinds of values that services send."""

    number: str
    created_at: datetime
    day: date | None = None
    urgent: bool = False
    share: float = 0.0
    content: bytes = attrs.field(default=b"", repr=False)
    lines: tuple[Line, ...] = ()
    labels: tuple[str, ...] = ()


def verify(data: bytes) -> object:
    """Verify a signature that trusts what it may: nothing is refused by an exception."""
    trusted = TrustStore([asn1.decode_certificate(each) for each in seeds()["certificate"][:1]])
    return cms.verify(cms.Evidence(signature=data, content=b"document", trust=trusted), at=MOMENT)


def pfx_certificates(data: bytes) -> object:
    """Open a PFX with its password."""
    signer, chain = load_pfx(data, PASSWORD, max_iterations=10)
    return signer.certificate, chain


def sealed_pfx(safe: bytes) -> object:
    """Open a PFX of somebody who knows the password and spoils what is under the code."""
    mac = PfxMac(digest_oid="1.2.643.7.1.1.2.2", value=b"", salt=b"saltsalt", iterations=1)
    mac = attrs.evolve(mac, value=Password(PASSWORD).mac(mac, safe))
    return pfx_certificates(pkcs12.encode_pfx(Pfx(safe, mac)))


def signed_pfx(data: bytes) -> object:
    """Open a PFX that was sent to the owner of the key."""
    opened = load_signed_pfx(data, key())
    return opened.signer.certificate, opened.chain, opened.sender


def sent_pfx(safe: bytes) -> object:
    """Open a PFX of a sender who signs what he spoilt."""
    return signed_pfx(pkcs12.encode_signed_pfx(cms.sign(safe, signer(), at=MOMENT, detached=False)))


def pdf_report(data: bytes) -> object:
    """Verify the signatures of a PDF."""
    return verify_pdf(cms.Evidence(signature=data), at=MOMENT)


def hidden_key(data: bytes) -> object:
    """Open a key with its password."""
    return load_key(data, PASSWORD, max_iterations=10).public_key.x


def signed_message(data: bytes) -> object:
    """Sign whatever somebody sends."""
    return xmldsig.sign_message(data, PERIOD, DOCTOR, signer())


def signed_document(data: bytes) -> object:
    """Sign whatever somebody sends."""
    return xmldsig.sign_enveloped(data, signer())


def trusted_by(data: bytes) -> object:
    """Read anchors; their order says nothing."""
    return TrustStore.from_bytes(data).anchors


KEY_REFUSALS = (*REFUSALS, InvalidKey, Unavailable)
TARGETS = {
    "certificate": Target(asn1.decode_certificate, "certificate"),
    "request": Target(asn1.decode_request, "request"),
    "crl": Target(asn1.decode_crl, "crl"),
    "ocsp_request": Target(asn1.decode_ocsp_request, "ocsp_request"),
    "ocsp_response": Target(asn1.decode_ocsp_response, "ocsp_response"),
    "basic_ocsp_response": Target(asn1.decode_basic_ocsp_response, "basic_ocsp_response"),
    "timestamp_request": Target(asn1.decode_timestamp_request, "timestamp_request"),
    "timestamp_response": Target(asn1.decode_timestamp_response, "timestamp_response"),
    "tst_info": Target(asn1.decode_tst_info, "tst_info"),
    "signed_data": Target(asn1.decode_signed_data, "signed_data"),
    "name": Target(asn1.decode_name, "name"),
    "spki": Target(asn1.decode_spki, "spki"),
    "private_key": Target(asn1.decode_private_key, "private_key"),
    "encrypted_key": Target(pkcs12.decode_encrypted_key, "encrypted_key"),
    "pfx": Target(pkcs12.decode_pfx, "pfx"),
    "safe": Target(pkcs12.decode_safe, "pfx"),
    "bags": Target(pkcs12.decode_bags, "pfx"),
    "exported_key": Target(pkcs12.decode_exported_key, "exported_key"),
    "certificate_references": Target(asn1.decode_certificate_references, "certificate"),
    "certificate_values": Target(asn1.decode_certificate_values, "certificate_values"),
    "revocation_references": Target(asn1.decode_revocation_references, "ocsp_response"),
    "revocation_values": Target(asn1.decode_revocation_values, "revocation_values"),
    "recognise": Target(asn1.recognise, "signed_data"),
    "xml": Target(lambda data: parse(data) is not None, "power_of_attorney"),
    "power_of_attorney": Target(mchd.decode, "power_of_attorney"),
    "revocation": Target(mchd.decode_revocation, "revocation"),
    "json": Target(lambda data: json_codec.decode(Row, data), "json"),
    "json_list": Target(lambda data: json_codec.decode(tuple[Row, ...], data), "json_list"),
    "verify": Target(verify, "signed_data"),
    "pfx_with_password": Target(pfx_certificates, "pfx", KEY_REFUSALS),
    "sealed_pfx": Target(sealed_pfx, "safe", KEY_REFUSALS),
    "signed_pfx": Target(signed_pfx, "signed_pfx", KEY_REFUSALS),
    "sent_pfx": Target(sent_pfx, "sent_safe", KEY_REFUSALS),
    "key_with_password": Target(hidden_key, "encrypted_key", KEY_REFUSALS),
    "trust": Target(trusted_by, "pem"),
    "accredited": Target(AccreditedList.unsafe_from_bytes, "accredited"),
    "xml_signatures": Target(xmldsig.verify, "signed_document"),
    "soap_signatures": Target(xmldsig.verify, "signed_message"),
    "soap_to_sign": Target(signed_message, "message", (*REFUSALS, UsageError)),
    "xml_to_sign": Target(signed_document, "message"),
    "poa_findings": Target(mchd.validate, "power_of_attorney"),
    "poa_package": Target(mchd.PoaPackage.from_zip, "poa_package"),
    "pdf": Target(read_pdf_signatures, "pdf"),
    "pdf_report": Target(pdf_report, "pdf"),
    "issuers": Target(read_issuers, "certificate"),
    "policy": Target(cms.read_policy, "policy", (*REFUSALS, UsageError)),
    "facts": Target(cms.Facts.from_json, "facts"),
    "prepared": Target(cms.Prepared.from_json, "prepared"),
    "signing_session": Target(SigningSession.from_json, "signing_session"),
}


@cache
def key() -> SoftwareKey:
    """Return a key whose nonces are derived, so that the seeds are the same at each run."""
    return SoftwareKey(
        PrivateKey(param_set("1.2.643.2.2.35.1"), 0xFEED),
        provider=PortableProvider(deterministic=True),
    )


@cache
def signer() -> SoftwareSigner:
    """Return the key with a certificate."""
    subject = subject_name(surname="Тестова")
    made = issue_root(QUALIFIED, subject=subject, signer=key(), not_before=MOMENT, serial_number=7)
    return key().certified(made)


def signed_pdf_file() -> bytes:
    """Return a signed page; without pyHanko a page."""
    page = (HERE / "corpus" / "page.pdf").read_bytes()
    try:
        return sign_pdf(page, signer(), at=MOMENT)
    except Unavailable:
        return page


@cache
def seeds() -> dict[str, tuple[bytes, ...]]:
    """Return good artefacts of each kind; the same at each run."""
    cases = json.loads(LIMBO.read_text(encoding="utf-8"))["cases"]
    certificates = dict.fromkeys(
        der
        for case in cases
        if case["expected"] == "SUCCESS" and case["peer"]
        for _, der in asn1.pem_decode("".join((case["peer"], *case["trusted"])).encode())
    )
    lists = [
        der
        for case in cases
        if case["expected"] != "INDETERMINATE"
        for each in case.get("crls", ())
        for _, der in asn1.pem_decode(each.encode())
    ]

    def listed(name: str) -> list[bytes]:
        found = (
            each
            for case in cases
            if case["expected"] == "SUCCESS" and name in case
            for each in ([case[name]] if isinstance(case[name], str) else case[name])
        )
        return [base64.b64decode(each) for each in found]

    answers = listed("ocsp_responses")
    basics = [found.der for each in answers if (found := asn1.decode_ocsp_response(each).basic)]
    stamps = listed("timestamp_response")
    tokens = [found for each in stamps if (found := asn1.decode_timestamp_response(each).token)]
    first, second = (asn1.decode_certificate(each) for each in list(certificates)[:2])
    line = Line(code="A01.30.009", cost=150_000)
    row = Row(
        number="15", created_at=MOMENT, day=MOMENT.date(), content=b"%PDF", lines=(line, line)
    )
    signature = cms.sign(b"document", signer(), at=MOMENT)
    pfx = save_pfx(signer(), PASSWORD, iterations=1, random=bytes)
    sent = save_signed_pfx(
        signer(), signer().certificate, signer(), at=MOMENT, random=lambda size: b"\1" * size
    )
    cryptopro = (HERE / "corpus" / "cryptopro.pfx").read_bytes()
    bags = [pkcs12.KeyBag(private_key_info(key().key)), pkcs12.CertificateBag(first.der)]
    bags.append(pkcs12.CertificateBag(signer().certificate.der))
    open_bags = pkcs12.encode_bags(bags, key_id=b"1")
    session = SigningSession.prepare(
        {"consent": b"document"}, signer().certificate, at=MOMENT, lasts=timedelta(hours=1)
    )
    with zipfile.ZipFile(zipped := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (("a.xml", b"<a/>"), ("a.sig", signature)):
            archive.writestr(zipfile.ZipInfo(name), content)
    chosen: dict[str, list[bytes]] = {
        "certificate": list(certificates)[:12],
        "request": [make_request(subject_name(surname="Тестова"), key()).der],
        "crl": lists[:8],
        "ocsp_request": [ocsp_request(first, second, bytes(16))],
        "ocsp_response": answers[:8],
        "basic_ocsp_response": basics[:8],
        "timestamp_request": listed("timestamp_request")[:4],
        "timestamp_response": stamps[:6],
        "tst_info": [each.content for each in tokens[:6] if each.content],
        "signed_data": [
            *(each.der for each in tokens[:6]),
            signature,
            cms.sign(b"document", signer(), at=MOMENT, detached=False),
        ],
        "pfx": [pfx, cryptopro],
        "signed_pfx": [sent],
        "sent_safe": [
            asn1.decode_signed_data(pkcs12.decode_signed_pfx(sent) or b"").content or b""
        ],
        "exported_key": [(HERE / "corpus" / "exported-key.der").read_bytes()],
        "safe": [
            pkcs12.decode_pfx(pfx).safe,
            pkcs12.decode_pfx(cryptopro).safe,
            pkcs12.encode_safe([open_bags]),
        ],
        "encrypted_key": [save_key(key(), PASSWORD, iterations=1, random=bytes)],
        "pem": [asn1.pem_encode("CERTIFICATE", each) for each in list(certificates)[:2]],
        "signed_document": [
            xmldsig.sign_enveloped((HERE / "corpus" / name).read_bytes(), signer())
            for name in ("power-of-attorney.xml", "revocation.xml")
        ],
        "message": [(HERE / "corpus" / "message.xml").read_bytes()],
        "signed_message": [
            xmldsig.sign_message(
                (HERE / "corpus" / "message.xml").read_bytes(),
                PERIOD,
                DOCTOR,
                signer(),
                power_of_attorney=NUMBER,
            )
        ],
        "accredited": [
            (HERE / "corpus" / "accredited.xml")
            .read_bytes()
            .replace(b"CERTIFICATE", base64.b64encode(signer().certificate.der))
        ],
        "poa_package": [zipped.getvalue()],
        "pdf": [signed_pdf_file(), (HERE / "corpus" / "page.pdf").read_bytes()],
        "policy": [
            b'{"name": "ward", "revocation": {"anyOf": [{"crl": {"maxAge": 86400}}, {"ocsp": {}}]}}'
        ],
        "facts": [
            cms.collect(
                cms.Evidence(signature=signature, content=b"document"), at=MOMENT
            ).to_json(),
        ],
        "prepared": [session.documents[0].prepared.to_json()],
        "signing_session": [session.to_json()],
        "name": [first.subject.der, second.issuer.der],
        "spki": [each.public_key.der for each in (first, second)],
        "private_key": [private_key_info(key().key)],
        "certificate_values": [asn1.encode_certificate_values([first.der, second.der])],
        "revocation_values": [
            asn1.encode_revocation_values(crls=lists[:1], ocsp_responses=basics[:1])
        ],
        "power_of_attorney": [(HERE / "corpus" / "power-of-attorney.xml").read_bytes()],
        "revocation": [(HERE / "corpus" / "revocation.xml").read_bytes()],
        "json": [json_codec.encode(row)],
        "json_list": [json_codec.encode((row, row))],
    }
    return {kind: tuple(found) for kind, found in chosen.items()}


def is_frozen(value: object) -> bool:
    """Tell whether nothing in a value can be changed: plain data, or frozen attrs all the way."""
    if isinstance(value, tuple | frozenset):
        return all(map(is_frozen, value))
    if not attrs.has(type(value)):
        return not isinstance(value, list | dict | set | bytearray)
    try:
        setattr(value, attrs.fields(type(value))[0].name, None)
    except attrs.exceptions.FrozenInstanceError:
        return all(
            is_frozen(getattr(value, field.name))
            for field in attrs.fields(type(value))
            if hasattr(value, field.name)
        )
    return False


def refused(target: Target, data: bytes) -> bool:
    """Hold the invariant against some bytes and tell whether they were refused.

    Anything else than these errors goes through to the caller.
    """
    try:
        found = target.read(data)
    except target.refusals:
        return True
    assert is_frozen(found), type(found)
    return False


def sequence(contents: bytes) -> bytes:
    """Return a SEQUENCE."""
    return framed(b"\x30", contents)


# Each costs little to send and much to a reader without bounds; no door may take any of them.
BOMBS = {
    "lengths without an end": b"\x30\x80" * 100_000,
    "nested sequences": b"".join(framed(b"\x30", bytes(2**16 - n)) for n in (1, 2)) * 3,
    "a length of exabytes": b"\x30\x88" + b"\x7f" * 8 + b"\x00" * 100,
    "a tag without an end": b"\x3f" + b"\xff" * 100_000,
    "a wide sequence": sequence(sequence(b"") * 200_000),
    "a wide set": sequence(framed(b"\x31", b"\x05\x00" * 100_000)),
    "a long identifier": sequence(framed(b"\x06", b"\x2a" + b"\xff" * 100_000 + b"\x01")),
    "a huge integer": sequence(framed(b"\x02", b"\x7f" * 200_000)),
    "open brackets": b"[" * 100_000,
    "objects in objects": b'{"a":' * 100_000,
    "a number of many digits": b"9" * 100_000,
    "open elements": b"<a>" * 100_000,
    "deep elements": b"<a>" * 5_000 + b"</a>" * 5_000,
    "many attributes": b"<a %s/>" % b" ".join(b'a%d=""' % n for n in range(50_000)),
    "many namespaces": b"<a %s/>"
    % b" ".join(b'xmlns:n%d="urn:%d"' % (n, n) for n in range(20_000)),
    "laughing entities": b'<!DOCTYPE a [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
    + b"]><a>&a11;</a>",
    "a file as an entity": b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>',
    "a prolog of comments": b"<!---->" * 100_000 + b"<!DOCTYPE a><a/>",
    "lines of PEM": b"-----BEGIN CERTIFICATE-----\n" * 30_000,
}


def _many_parts(name: bytes) -> bytes:
    parts = _elements(name[2 + (name[1] & 0x7F if name[1] & 0x80 else 0) :])
    assert parts
    return sequence(parts[0] * 100_000)


def _iterated_key(data: bytes) -> bytes:
    hidden = pkcs12.decode_encrypted_key(data)
    assert hidden
    return pkcs12.encode_encrypted_key(
        attrs.evolve(hidden, scheme=attrs.evolve(hidden.scheme, iterations=2**31))
    )


def _iterated_pfx(data: bytes) -> bytes:
    pfx = pkcs12.decode_pfx(data)
    assert pfx.mac
    return pkcs12.encode_pfx(attrs.evolve(pfx, mac=attrs.evolve(pfx.mac, iterations=2**31)))


def _repeated(element: str, times: int) -> Callable[[bytes], bytes]:
    def plant(data: bytes) -> bytes:
        start = data.index(f"<{element}".encode())
        end = data.index(f"</{element}>".encode()) + len(f"</{element}>".encode())
        return data[:end] + data[start:end] * times + data[end:]

    return plant


def _long_namespace(data: bytes) -> bytes:
    """Make each of many elements repeat the long name of its namespace in canonical form."""
    children = b'<b xmlns:long="urn:%s">%s</b>' % (b"x" * 100_000, b"<long:b/>" * 9_000)
    end = data.rindex(b"</", 0, data.index(b"<ds:Signature") if b"<ds:Sig" in data else None)
    return data[:end] + children + data[end:]


# What each door is given: a good artefact in which one thing grew.
PLANTED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "a name of many parts": ("name", _many_parts),
    "a key of many iterations": ("key_with_password", _iterated_key),
    "a file of many iterations": ("pfx_with_password", _iterated_pfx),
    "many signatures": ("xml_signatures", _repeated("ds:Signature", 1_000)),
    "many references": ("soap_signatures", _repeated("ds:Reference", 5_000)),
    "a namespace in a signed document": ("xml_signatures", _long_namespace),
    "a namespace in a document to sign": ("xml_to_sign", _long_namespace),
    "many authorities": ("accredited", _repeated("УдостоверяющийЦентр", 1_000)),
}

_NASTY = (
    *(b"\x00", b"\xff", b"\x80", b"\x30\x80", b"\x84\xff\xff\xff\xff", b"\x1f\xff\xff\x7f"),
    *(b"<!DOCTYPE a [", b"&lt;", b"&#0;", b"<!--", b"]]>", b"\xef\xbb\xbf", b"xmlns:a=''"),
    *(b"null", b"1e999", b"[" * 5000, b'"\\ud800"', b"NaN", b"-0", b"{}", b"9" * 5000),
)


def mutated(data: bytes, randomness: random.Random, guests: tuple[bytes, ...] = ()) -> bytes:
    """Return the bytes after an accident: of single octets, of pieces, or of whole elements."""
    guest = randomness.choice(guests or (data,))
    match randomness.randrange(3):
        case 0:
            changed = bytearray(data)
            for _ in range(randomness.randint(1, 3)):
                changed[randomness.randrange(len(changed))] = randomness.choice(
                    (0, 1, 0x7F, 0x80, 0xFF, randomness.randrange(256))
                )
            return bytes(changed)
        case 1:
            at = randomness.randrange(len(data) + 1)
            until = min(len(data), at + randomness.choice((0, 1, 4, 30, 400)))
            start = randomness.randrange(len(guest) + 1)
            pieces = (b"", data[at:until] * 2, guest[start : start + 80], *_NASTY)
            return data[:at] + randomness.choice(pieces) + data[until:]
        case _:
            return _transplanted(data, guest, randomness)


def _elements(data: bytes) -> list[bytes] | None:
    """Return the DER elements that follow each other, ``None`` when it is something else."""
    found, at = [], 0
    while at < len(data):
        if at + 2 > len(data):
            return None
        octets = data[at + 1] & 0x7F if data[at + 1] & 0x80 else 0
        length = int.from_bytes(data[at + 2 : at + 2 + octets]) if octets else data[at + 1]
        end = at + 2 + octets + length
        if end > len(data) or octets > 4 or data[at + 1] == 0x80:
            return None
        found.append(data[at:end])
        at = end
    return found or None


def _transplanted(data: bytes, guest: bytes, randomness: random.Random) -> bytes:
    """Change one element somewhere inside, and make the lengths around it fit again."""
    parts = _elements(data)
    if parts is None:
        return guest if randomness.random() < 0.1 else randomness.choice((b"", *_NASTY, data[::-1]))
    at = randomness.randrange(len(parts))
    whole = parts[at]
    head = 2 + (whole[1] & 0x7F if whole[1] & 0x80 else 0)
    skip = whole[0] == 3  # the number of unused bits stands before what a bit string may hold
    inside = whole[head + skip :]
    if inside and _elements(inside) and randomness.random() < 0.85:
        inside = whole[head : head + skip] + _transplanted(inside, guest, randomness)
        parts[at] = framed(whole[:1], inside)
    else:
        donors = _elements(guest[4:]) or [guest]
        parts[at : at + 1] = randomness.choice(
            (
                [],
                [whole, whole],
                [randomness.choice(donors)],
                [whole, randomness.choice(donors)],
                [bytes((randomness.randrange(256),)) + whole[1:]],
                [framed(whole[:1], randomness.randbytes(randomness.choice((0, 1, 9, 300))))],
                [framed(whole[:1], b"")],
            )
        )
        randomness.shuffle(parts) if randomness.random() < 0.1 else None
    return b"".join(parts)


def corpus(kind: str, count: int) -> Iterator[tuple[int, bytes]]:
    """Yield mutated seeds with the number that makes each of them again."""
    found = seeds()
    guests = tuple(each for several in found.values() for each in several)
    for number in range(count):
        randomness = random.Random(f"{kind} {number}")
        yield number, mutated(randomness.choice(found[kind]), randomness, guests)


def found(door: str) -> Iterator[tuple[str, bytes]]:
    """Yield what was once found at a door, with its name."""
    for path in sorted(FOUND.glob(f"{door}--*")):
        yield path.name, path.read_bytes()
