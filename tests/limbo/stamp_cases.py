"""Time stamps: what a client has to look at before it believes the time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import attrs
from bench import (
    AT,
    BAD,
    CA,
    DAY,
    GOOD,
    LONG,
    ROOT,
    Case,
    Cases,
    Party,
    algorithm_of,
    certify,
    key,
    path,
    signer,
)

from medsign.codec.asn1 import (
    AlgorithmIdentifier,
    IssuerAndSerial,
    MessageImprint,
    SignerInfo,
    decode_signed_data,
    encode_signed_attributes,
    encode_signed_data,
    encode_timestamp_request,
    encode_timestamp_response,
    encode_tst_info,
    oids,
)
from medsign.codec.asn1 import extension_values as ext
from medsign.gost import DigestAlgorithm, digest
from medsign.pki import certificate_reference, message_imprint

PURPOSE = ext.extended_key_usage(oids.TIME_STAMPING, critical=True)
POLICY, OTHER_POLICY = "1.3.6.1.4.1.55555.2.1", "1.3.6.1.4.1.55555.2.2"
DATA, NONCE = b"the value of a signature", 0x1234567890
LONG_HASH = DigestAlgorithm.STREEBOG_512


def service(owner: str = "tsa", curve: str | None = None, **options: Any) -> Party:
    issuer = options.pop("issuer", CA)
    made = key(owner, curve) if curve else key(owner)
    return certify("Limbo stamps", made, issuer, **{"extra": (PURPOSE,)} | options)


TSA = service()


def token(
    by: Party = TSA,
    *,
    gen_time: datetime = AT,
    imprint: MessageImprint | None = None,
    nonce: int | None = NONCE,
    policy: str = POLICY,
    reference: Party | None = TSA,
    sent: tuple[Party, ...] | None = None,
    content_type: str = oids.TST_INFO,
    flip: bool = False,
    other_content: bool = False,
    signers: int = 1,
    hashing: DigestAlgorithm | None = None,
    reference_hash: str = oids.SHA256,
    attribute_type: str | None = None,
) -> bytes:
    def content(when: datetime) -> bytes:
        return encode_tst_info(
            policy=policy,
            imprint=imprint or message_imprint(DATA),
            serial_number=5,
            gen_time=when,
            accuracy=timedelta(seconds=1),
            nonce=nonce,
        )

    body, hashing = content(gen_time), hashing or by.key.digest_algorithm
    attributes = encode_signed_attributes(
        content_type=attribute_type or content_type,
        message_digest=digest(hashing, body),
        signing_time=gen_time,
        signing_certificate=certificate_reference(reference.certificate, reference_hash)
        if reference
        else None,
    )
    signature = bytearray(signer(by.key)(attributes))
    signature[-1] ^= flip
    certificate = by.certificate
    info = SignerInfo(
        version=1,
        sid=IssuerAndSerial(certificate.issuer, certificate.serial_number),
        digest_algorithm=AlgorithmIdentifier(hashing.oid),
        signature_algorithm=algorithm_of(by.key),
        signature=bytes(signature),
        signed_attributes_der=attributes,
    )
    made = encode_signed_data(
        [info] * signers,
        content=content(gen_time + timedelta(seconds=1)) if other_content else body,
        content_type=content_type,
        certificates=[each.der for each in ((by,) if sent is None else sent)],
    )
    assert decode_signed_data(made)
    return made


def stamp(label: str, expected: str, clause: str, text: str, **options: Any) -> Case:
    case_options = {
        name: options.pop(name)
        for name in ("features", "notes", "pool", "trusted")
        if name in options
    }
    status = options.pop("status", "granted")
    wanted = options.pop("wanted", None)
    requested = options.pop("requested", None) or message_imprint(DATA)
    asked = options.pop("asked", NONCE)
    by = options.pop("by", TSA)
    options.setdefault("reference", by)
    at = options.get("gen_time", AT)
    made = path(label, by, expected, clause, text, **case_options)
    request = encode_timestamp_request(requested, nonce=asked, policy=wanted)
    response = encode_timestamp_response(
        token(by, **options) if status.startswith("granted") else None, status=status
    )
    return attrs.evolve(
        made, id=f"tsp::{label}", kind="tsp", peer=None, at=at, request=request, response=response
    )


def cases() -> Cases:
    yield from contents()
    yield from services()


def contents() -> Cases:
    rule, reply = "RFC 3161 §2.4.2", "RFC 3161 §2.2, §2.4.2"
    yield stamp("good", GOOD, rule, "A stamp on the data asked for.")
    yield stamp(
        "granted-with-mods", GOOD, rule, "The status is grantedWithMods.", status="grantedWithMods"
    )
    yield stamp("rejected", BAD, rule, "The status is rejection.", status="rejection")
    yield stamp("waiting", BAD, rule, "The status is waiting.", status="waiting")
    imprint = message_imprint(b"other data")
    yield stamp("imprint::other-data", BAD, reply, "The stamp is on other data.", imprint=imprint)
    long_one = message_imprint(DATA, LONG_HASH)
    yield stamp(
        "imprint::512",
        GOOD,
        "Р 1323565.1.044-2022",
        "The data are hashed to 512 bits.",
        imprint=long_one,
        requested=long_one,
    )
    yield stamp(
        "imprint::other-hash",
        BAD,
        reply,
        "The data are right and hashed otherwise.",
        imprint=long_one,
    )
    renamed = MessageImprint(AlgorithmIdentifier(oids.SHA256), message_imprint(DATA).digest)
    yield stamp(
        "imprint::other-name",
        BAD,
        reply,
        "The digest is right and named otherwise.",
        imprint=renamed,
    )
    cut = MessageImprint(message_imprint(DATA).algorithm, message_imprint(DATA).digest[:-1])
    yield stamp("imprint::cut", BAD, reply, "The digest is one octet short.", imprint=cut)
    yield stamp("nonce::other", BAD, reply, "The stamp has another nonce.", nonce=NONCE + 1)
    yield stamp("nonce::missing", BAD, reply, "The stamp has no nonce.", nonce=None)
    yield stamp(
        "nonce::not-asked",
        GOOD,
        reply,
        "Neither the request nor the stamp has a nonce.",
        nonce=None,
        asked=None,
    )
    yield stamp("policy::asked", GOOD, reply, "The policy asked for.", wanted=POLICY)
    yield stamp("policy::other", BAD, reply, "Another policy than asked for.", wanted=OTHER_POLICY)
    yield stamp("flipped", BAD, "RFC 5652 §5.6", "A bit of the signature is flipped.", flip=True)
    yield stamp(
        "content",
        BAD,
        "RFC 5652 §5.4",
        "The content was changed after signing.",
        other_content=True,
    )
    yield stamp(
        "content-type",
        BAD,
        "RFC 3161 §2.4.2",
        "The content is called data.",
        content_type=oids.DATA,
    )
    yield stamp(
        "attribute-type",
        BAD,
        "RFC 5652 §11.1",
        "The signed content type is data.",
        attribute_type=oids.DATA,
    )
    yield stamp(
        "two-signers",
        BAD,
        "RFC 3161 §2.4.2",
        "The stamp has two signatures.",
        signers=2,
        features=("two-signers",),
    )
    yield stamp(
        "digest-of-other-length",
        BAD,
        "RFC 9215 §2; RFC 5652 §5.4",
        "The content is hashed to 512 bits, the key has 256.",
        hashing=LONG_HASH,
        features=("digest-length",),
    )


def services() -> Cases:
    purpose, reference = "RFC 3161 §2.3", "RFC 5816 §2.2; RFC 5035 §5"

    def by(label: str, expected: str, clause: str, text: str, who: Party, **options: Any) -> Case:
        return stamp(f"service::{label}", expected, clause, text, by=who, **options)

    yield by("without-purpose", BAD, purpose, "The certificate has no purpose.", service(extra=()))
    plain = ext.extended_key_usage(oids.TIME_STAMPING)
    yield by(
        "purpose-not-critical",
        BAD,
        purpose,
        "The purpose is not critical.",
        service(extra=(plain,)),
    )
    two = ext.extended_key_usage(oids.TIME_STAMPING, oids.CLIENT_AUTH, critical=True)
    yield by("two-purposes", BAD, purpose, "timeStamping is not alone.", service(extra=(two,)))
    other = ext.extended_key_usage(oids.OCSP_SIGNING, critical=True)
    yield by("other-purpose", BAD, purpose, "The purpose is OCSPSigning.", service(extra=(other,)))
    yield by(
        "key-usage",
        BAD,
        "RFC 5280 §4.2.1.3",
        "keyUsage is keyEncipherment.",
        service(usage=("keyEncipherment",)),
    )
    yield by(
        "no-key-usage", GOOD, "RFC 5280 §4.2.1.3", "There is no keyUsage.", service(usage=None)
    )
    yield by(
        "of-512-bits",
        GOOD,
        "Р 1323565.1.044-2022",
        "The service's key has 512 bits.",
        service(curve=LONG),
    )
    yield by(
        "expired",
        BAD,
        "RFC 5280 §6.1.3 (a)(2)",
        "It had expired at the time of the stamp.",
        service(end=AT - DAY),
    )
    yield by(
        "not-yet-valid",
        BAD,
        "RFC 5280 §6.1.3 (a)(2)",
        "It was not valid yet at the time of the stamp.",
        service(start=AT + DAY),
    )
    yield by(
        "early-stamp",
        BAD,
        "RFC 5280 §6.1.3 (a)(2)",
        "The stamp is of a time before the whole chain.",
        TSA,
        gen_time=AT - 90 * DAY,
    )
    yield by(
        "untrusted",
        BAD,
        "RFC 5280 §6.1",
        "Nobody trusts its root.",
        TSA,
        trusted=(certify("Far root", key("far root"), ca=True),),
    )
    thief = service("thief", issuer=None)
    yield by("self-signed", BAD, "RFC 5280 §6.1", "It certified itself.", thief)
    yield by(
        "certificate-at-hand",
        GOOD,
        "RFC 3161 §2.4.1",
        "Its certificate is at hand and not in the stamp.",
        TSA,
        sent=(),
        pool=(CA, TSA),
    )
    yield by(
        "certificate-absent", BAD, "RFC 3161 §2.4.1", "Its certificate is nowhere.", TSA, sent=()
    )
    yield by(
        "chain-sent",
        GOOD,
        "RFC 3161 §2.4.2",
        "The whole chain is in the stamp.",
        TSA,
        sent=(TSA, CA, ROOT),
        pool=(),
    )
    twin = service(serial=TSA.certificate.serial_number, start=AT - 20 * DAY)
    yield by(
        "reference::absent",
        BAD,
        "RFC 3161 §2.4.2; " + reference,
        "The certificate is not referred to by ESSCertID.",
        TSA,
        reference=None,
    )
    yield by(
        "reference::other",
        BAD,
        reference,
        "The reference is to another certificate of the same name, number and key.",
        TSA,
        reference=twin,
    )
    for label, oid in (
        ("sha1", oids.SHA1),
        ("streebog-256", "1.2.643.7.1.1.2.2"),
        ("streebog-512", "1.2.643.7.1.1.2.3"),
    ):
        yield by(
            f"reference::{label}",
            GOOD,
            reference,
            f"The reference is hashed by {label}.",
            TSA,
            reference_hash=oid,
        )
