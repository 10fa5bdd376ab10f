"""Answers of OCSP services and revocation lists: good, revoked, or not to be relied upon."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import attrs
from bench import (
    AT,
    BAD,
    CA,
    DAY,
    END,
    GOOD,
    HOUR,
    LEAF,
    OPEN,
    ROOT,
    START,
    Case,
    Cases,
    Party,
    algorithm_of,
    certify,
    key,
    leaf,
    path,
    signer,
    sub,
)

from medsign.codec.asn1 import (
    AuthorityKeyIdentifier,
    CertId,
    DistributionPoint,
    Extension,
    GeneralName,
    IssuingDistributionPoint,
    RevokedEntry,
    SingleResponse,
    assemble_ocsp_response,
    assemble_signed,
    der,
    encode_crl_tbs,
    encode_ocsp_error,
    encode_ocsp_response_data,
    oids,
)
from medsign.codec.asn1 import extension_values as ext
from medsign.pki import hash_octets, key_identifier, ocsp_cert_id

UNKNOWN = "1.3.6.1.4.1.55555.7"
CHARGED = ext.extended_key_usage(oids.OCSP_SIGNING)
RESPONDER = certify("Limbo responder", key("responder"), CA, extra=(CHARGED, ext.ocsp_no_check()))


def cases() -> Cases:
    yield from contents()
    yield from names_of_certificates()
    yield from nonces()
    yield from responders()
    yield from lists()
    yield from scopes()


def single(peer: Party = LEAF, issuer: Party = CA, hash_oid: str = oids.SHA1, **options: Any):
    cert_id = options.pop("cert_id", None)
    cert_id = cert_id or ocsp_cert_id(peer.certificate, issuer.certificate, hash_oid)
    given = {"status": "good", "this_update": AT - HOUR, "next_update": None} | options
    return SingleResponse(cert_id=cert_id, **given)


def answer(
    *singles: SingleResponse,
    by: Party = RESPONDER,
    produced_at: datetime = AT - HOUR,
    by_name: bool = True,
    sent: Iterable[Party] | None = None,
    flip: bool = False,
    responder: Any = None,
    **options: Any,
) -> bytes:
    data = encode_ocsp_response_data(
        responder=responder
        or (by.name if by_name else hash_octets(oids.SHA1, by.certificate.public_key.octets)),
        produced_at=produced_at,
        single_responses=singles or (single(),),
        **options,
    )
    signature = bytearray(signer(by.key)(data))
    signature[-1] ^= flip
    sent = (by,) if sent is None else sent
    return assemble_ocsp_response(
        data, algorithm_of(by.key), bytes(signature), [each.der for each in sent]
    )


def ocsp(
    label: str, expected: str, clause: str, text: str, *answers: bytes, **options: Any
) -> Case:
    made = path(label, options.pop("peer", LEAF), expected, clause, text, **options)
    return attrs.evolve(made, id=f"ocsp::{label}", kind="ocsp", ocsp=answers)


def contents() -> Cases:
    rule = "RFC 6960 §2.2, §3.2"
    revoked = {"status": "revoked", "revoked_at": AT - DAY}
    yield ocsp("good", GOOD, rule, "The certificate is good.", answer())
    for reason in ("keyCompromise", "superseded", "certificateHold", None):
        yield ocsp(
            f"revoked::{reason or 'without-reason'}",
            BAD,
            rule,
            f"The certificate was revoked a day ago; reason: {reason}.",
            answer(single(**revoked, reason=reason)),
        )
    yield ocsp(
        "revoked::later",
        GOOD,
        "RFC 6960 §2.2; ETSI EN 319 102-1 §5.2.6",
        "The certificate was revoked after the moment asked about; the answer is newer.",
        answer(single(status="revoked", revoked_at=AT + HOUR, this_update=AT - HOUR)),
        features=("status-at-a-moment",),
        notes="revocationTime lies after the moment: at that moment it was good.",
    )
    yield ocsp(
        "unknown",
        OPEN,
        rule,
        "The service does not know the certificate.",
        answer(single(status="unknown")),
    )
    yield ocsp(
        "stale::next-update",
        OPEN,
        "RFC 6960 §4.2.2.1",
        "nextUpdate was two days ago.",
        answer(single(this_update=AT - 4 * DAY, next_update=AT - 2 * DAY)),
        features=("age",),
    )
    yield ocsp(
        "stale::old",
        OPEN,
        "RFC 6960 §4.2.2.1",
        "There is no nextUpdate and thisUpdate was ten days ago.",
        answer(single(this_update=AT - 10 * DAY), produced_at=AT - 10 * DAY),
        features=("age",),
        notes="How old is too old is the relying party's choice; ten days is for anybody.",
    )
    yield ocsp(
        "future::this-update",
        OPEN,
        "RFC 6960 §4.2.2.1",
        "thisUpdate is in two days.",
        answer(single(this_update=AT + 2 * DAY)),
        features=("age",),
    )
    yield ocsp(
        "future::produced",
        OPEN,
        "RFC 6960 §2.4",
        "producedAt is in two days.",
        answer(produced_at=AT + 2 * DAY),
        features=("age",),
    )
    yield ocsp(
        "next-update",
        GOOD,
        "RFC 6960 §4.2.2.1",
        "nextUpdate is in an hour.",
        answer(single(next_update=AT + HOUR)),
        features=("age",),
    )
    yield ocsp(
        "status::try-later",
        OPEN,
        "RFC 6960 §2.3",
        "The service says tryLater.",
        encode_ocsp_error("tryLater"),
    )
    yield ocsp(
        "status::unauthorized",
        OPEN,
        "RFC 6960 §2.3",
        "The service says unauthorized.",
        encode_ocsp_error("unauthorized"),
    )
    yield ocsp(
        "flipped",
        OPEN,
        "RFC 6960 §3.2 (2)",
        "A bit of the signature is flipped.",
        answer(flip=True),
    )
    yield ocsp(
        "revoked-and-flipped",
        OPEN,
        "RFC 6960 §3.2 (2)",
        "A revocation whose signature is broken proves nothing.",
        answer(single(**revoked), flip=True),
    )
    yield ocsp(
        "trailing",
        OPEN,
        "X.690 §8",
        "An octet after the end.",
        answer() + b"\0",
        features=("strict-der",),
    )
    yield ocsp(
        "good-and-revoked",
        BAD,
        rule,
        "One answer says good, another revoked.",
        answer(),
        answer(single(**revoked)),
    )
    other = leaf(name="Another leaf")
    yield ocsp(
        "several",
        GOOD,
        "RFC 6960 §4.2.2.3",
        "An answer about two certificates.",
        answer(single(other, **revoked), single()),
    )
    yield ocsp("none", OPEN, rule, "There is no answer.")


def names_of_certificates() -> Cases:
    rule = "RFC 6960 §3.2 (1), §4.1.1"
    for label, oid in (
        ("sha1", oids.SHA1),
        ("sha256", oids.SHA256),
        ("sha512", oids.SHA512),
        ("streebog-256", "1.2.643.7.1.1.2.2"),
        ("streebog-512", "1.2.643.7.1.1.2.3"),
    ):
        yield ocsp(
            f"cert-id::{label}",
            GOOD,
            rule,
            f"CertID is hashed by {label}.",
            answer(single(hash_oid=oid)),
        )
        yield ocsp(
            f"cert-id::{label}-revoked",
            BAD,
            rule,
            f"CertID is hashed by {label}; the certificate is revoked.",
            answer(single(hash_oid=oid, status="revoked", revoked_at=AT - DAY)),
        )
    right = ocsp_cert_id(LEAF.certificate, CA.certificate)
    for label, changed in (
        ("serial", attrs.evolve(right, serial_number=right.serial_number + 1)),
        ("key-hash", attrs.evolve(right, issuer_key_hash=bytes(20))),
        ("name-hash", attrs.evolve(right, issuer_name_hash=bytes(20))),
        ("hash-unknown", attrs.evolve(right, hash_oid="1.3.6.1.4.1.55555.3")),
        ("hash-named-wrong", attrs.evolve(right, hash_oid=oids.SHA256)),
    ):
        assert isinstance(changed, CertId)
        yield ocsp(
            f"cert-id::wrong-{label}",
            OPEN,
            rule,
            f"CertID is of another certificate: {label}.",
            answer(single(cert_id=changed)),
        )


def nonces() -> Cases:
    rule, nonce = "RFC 8954 §2; RFC 6960 §4.4.1", bytes(range(16))
    for label, sent, expected, text in (
        ("equal", nonce, GOOD, "repeats the nonce"),
        ("other", bytes(16), OPEN, "has another nonce"),
        ("longer", nonce + b"\0", OPEN, "has a nonce one octet longer"),
        ("missing", None, OPEN, "has no nonce"),
    ):
        yield ocsp(
            f"nonce::{label}",
            expected,
            rule,
            f"The answer {text}.",
            answer(nonce=sent),
            nonce=nonce,
            features=("nonce",),
        )
    yield ocsp(
        "nonce::not-asked",
        GOOD,
        rule,
        "The answer has a nonce and nobody asked for one.",
        answer(nonce=nonce),
        features=("nonce",),
    )


def responders() -> Cases:
    rule = "RFC 6960 §4.2.2.2"

    def by(label: str, expected: str, text: str, who: Party, **options: Any) -> Case:
        extra = {name: options.pop(name) for name in ("pool", "trusted") if name in options}
        return ocsp(f"responder::{label}", expected, rule, text, answer(by=who, **options), **extra)

    def charged(owner: str = "responder", issuer: Party = CA, **options: Any) -> Party:
        given = {"extra": (CHARGED, ext.ocsp_no_check())} | options
        return certify("Limbo responder", key(owner), issuer, **given)

    yield by(
        "delegated-by-key",
        GOOD,
        "A charged service names itself by its key.",
        RESPONDER,
        by_name=False,
    )
    yield by("issuer-itself", GOOD, "The issuer itself answers.", CA)
    yield by("issuer-itself-by-key", GOOD, "The issuer itself answers.", CA, by_name=False, sent=())
    yield by("without-purpose", OPEN, "The service has no purpose OCSPSigning.", charged(extra=()))
    wrong = (ext.extended_key_usage(oids.CLIENT_AUTH), ext.ocsp_no_check())
    yield by("other-purpose", OPEN, "The service has another purpose.", charged(extra=wrong))
    both = (ext.extended_key_usage(oids.CLIENT_AUTH, oids.OCSP_SIGNING), ext.ocsp_no_check())
    yield by("two-purposes", GOOD, "The service has two purposes.", charged(extra=both))
    yield by(
        "of-the-root",
        OPEN,
        "The root charged the service and not the issuer.",
        charged(issuer=ROOT),
    )
    sibling = sub("sibling")
    yield by(
        "of-a-sibling",
        OPEN,
        "Another authority charged the service.",
        charged(issuer=sibling),
        pool=(CA, sibling),
    )
    yield by("self-signed", OPEN, "The service charged itself.", charged(issuer=None))
    yield by("the-peer", OPEN, "The certificate in question answers for itself.", LEAF)
    yield by(
        "key-usage",
        OPEN,
        "The service may not sign: keyUsage keyEncipherment.",
        charged(usage=("keyEncipherment",)),
    )
    yield by("no-key-usage", GOOD, "The service has no keyUsage.", charged(usage=None))
    yield by("expired", OPEN, "The service had expired when it answered.", charged(end=AT - DAY))
    yield by(
        "not-yet-valid",
        OPEN,
        "The service was not valid yet when it answered.",
        charged(start=AT + DAY),
    )
    yield by(
        "forged-certificate",
        OPEN,
        "The signature of the service's certificate is broken.",
        charged().flipped(-1),
    )
    yield by(
        "certificate-absent", OPEN, "The service's certificate is not at hand.", RESPONDER, sent=()
    )
    yield by(
        "certificate-at-hand",
        GOOD,
        "The service's certificate is at hand, not sent.",
        RESPONDER,
        sent=(),
        pool=(CA, RESPONDER),
    )
    yield by(
        "other-name",
        OPEN,
        "The answer names somebody else than signed.",
        RESPONDER,
        responder=LEAF.name,
    )
    yield by(
        "other-key",
        OPEN,
        "The answer names another key than signed.",
        RESPONDER,
        responder=bytes(20),
    )
    yield by(
        "namesake",
        OPEN,
        "A namesake of the service with a key of its own signed.",
        charged("thief", certify("Limbo authority", key("thief"), ca=True)),
    )
    yield by("root-answers", OPEN, "The root answers for the authority below it.", ROOT)
    long_one = certify(
        "Limbo responder",
        key("responder", "1.2.643.7.1.2.1.2.1"),
        CA,
        extra=(CHARGED, ext.ocsp_no_check()),
    )
    yield by("of-512-bits", GOOD, "The service's key has 512 bits.", long_one)
    yield by(
        "many-certificates",
        GOOD,
        "Five certificates come along, one of them counts.",
        RESPONDER,
        sent=(LEAF, CA, ROOT, sibling, RESPONDER),
    )


def crl(
    *entries: RevokedEntry,
    by: Party = CA,
    this_update: datetime = AT - HOUR,
    next_update: datetime | None = AT + DAY,
    number: int = 1,
    extra: Iterable[Extension] = (),
    authority: bytes | None = None,
    flip: bool = False,
    issuer: Any = None,
    lines: bytes | None = None,
) -> bytes:
    hint = authority or key_identifier(by.key.public_key)
    algorithm = algorithm_of(by.key)
    tbs = encode_crl_tbs(
        issuer=issuer or by.name,
        this_update=this_update,
        next_update=next_update,
        entries=entries,
        signature_algorithm=algorithm,
        extensions=(
            ext.authority_key_identifier(AuthorityKeyIdentifier(hint)),
            ext.crl_number(number),
            *extra,
        ),
    )
    signature = bytearray(signer(by.key)(tbs))
    signature[-1] ^= flip
    return assemble_signed(tbs, algorithm, bytes(signature))


def line(peer: Party = LEAF, when: datetime = AT - DAY, **options: Any) -> RevokedEntry:
    return RevokedEntry(
        serial_number=peer.certificate.serial_number, revocation_date=when, **options
    )


def listed(label: str, expected: str, clause: str, text: str, *crls: bytes, **options: Any) -> Case:
    made = path(label, options.pop("peer", LEAF), expected, clause, text, **options)
    return attrs.evolve(made, id=f"crl::{label}", kind="crl", crls=crls)


def lists() -> Cases:
    rule = "RFC 5280 §6.3.3"
    yield listed("good", GOOD, rule, "The list is empty.", crl())
    yield listed(
        "others",
        GOOD,
        rule,
        "The list names another certificate.",
        crl(line(leaf(name="Another leaf"))),
    )
    for reason in ("keyCompromise", "cessationOfOperation", "certificateHold", None):
        yield listed(
            f"revoked::{reason or 'without-reason'}",
            BAD,
            rule,
            f"The certificate is listed; reason: {reason}.",
            crl(line(reason=reason)),
        )
    yield listed(
        "revoked::later",
        GOOD,
        "RFC 5280 §5.1.2.6; ETSI EN 319 102-1 §5.2.6",
        "The certificate was revoked after the moment asked about.",
        crl(line(when=AT + HOUR)),
        features=("status-at-a-moment",),
    )
    yield listed(
        "removed",
        GOOD,
        "RFC 5280 §5.3.1",
        "A suspension was taken back.",
        crl(line(reason="removeFromCRL")),
        features=("remove-from-crl",),
    )
    yield listed("none", OPEN, rule, "There is no list.")
    yield listed(
        "stale",
        OPEN,
        "RFC 5280 §6.3.3 (a)(1)",
        "nextUpdate was two days ago.",
        crl(this_update=AT - 9 * DAY, next_update=AT - 2 * DAY),
    )
    yield listed(
        "stale-and-revoked",
        BAD,
        "RFC 5280 §6.3.3",
        "nextUpdate was two days ago; the certificate is listed, and revocations do not grow old.",
        crl(
            line(),
            this_update=AT - 9 * DAY,
            next_update=AT - 2 * DAY,
        ),
        features=("age",),
    )
    yield listed(
        "future",
        OPEN,
        "RFC 5280 §5.1.2.4",
        "thisUpdate is in two days.",
        crl(this_update=AT + 2 * DAY, next_update=AT + 9 * DAY),
    )
    yield listed(
        "no-next-update",
        OPEN,
        "RFC 5280 §5.1.2.5",
        "There is no nextUpdate, which RFC 5280 demands, and the list is ten days old.",
        crl(this_update=AT - 10 * DAY, next_update=None),
        features=("age",),
    )
    yield listed(
        "flipped", OPEN, "RFC 5280 §6.3.3 (g)", "A bit of the signature is flipped.", crl(flip=True)
    )
    yield listed(
        "revoked-and-flipped",
        OPEN,
        "RFC 5280 §6.3.3 (g)",
        "The certificate is on a list whose signature is broken.",
        crl(line(), flip=True),
    )
    yield listed(
        "of-the-root", OPEN, "RFC 5280 §6.3.3 (b)", "The list is of the root.", crl(by=ROOT)
    )
    yield listed(
        "of-a-sibling",
        OPEN,
        "RFC 5280 §6.3.3 (b)",
        "The list is of another authority.",
        crl(by=sub("sibling")),
        pool=(CA, sub("sibling")),
    )
    yield listed(
        "of-a-thief",
        OPEN,
        "RFC 5280 §6.3.3 (f)",
        "Somebody signed a list in the name of the issuer.",
        crl(by=LEAF, issuer=CA.name),
    )
    mute = certify("Limbo mute", key("mute"), ROOT, ca=True, usage=("keyCertSign",))
    yield listed(
        "key-usage",
        OPEN,
        "RFC 5280 §6.3.3 (f)",
        "keyUsage of the issuer lacks cRLSign.",
        crl(by=mute),
        peer=leaf(mute),
        pool=(mute,),
    )
    yield listed(
        "old-and-new",
        BAD,
        rule,
        "An old list is empty, a new one names it.",
        crl(this_update=AT - 2 * HOUR),
        crl(line(), number=2),
    )
    yield listed(
        "hold-lifted",
        GOOD,
        "RFC 5280 §5.3.1",
        "An older list suspends the certificate, a newer one does not name it.",
        crl(line(reason="certificateHold"), this_update=AT - 2 * HOUR),
        crl(number=2),
        features=("several-lists",),
    )
    yield listed(
        "trailing",
        OPEN,
        "X.690 §8",
        "An octet after the end.",
        crl() + b"\0",
        features=("strict-der",),
    )
    yield listed(
        "duplicate-extension",
        OPEN,
        "RFC 5280 §4.2, §5.2",
        "cRLNumber twice.",
        crl(extra=(ext.crl_number(1),)),
    )


def scopes() -> Cases:
    rule = "RFC 5280 §5.2.5, §6.3.3 (b)(2)"

    def scope(
        label: str,
        expected: str,
        text: str,
        point: IssuingDistributionPoint,
        *entries: RevokedEntry,
        **options: Any,
    ) -> Case:
        made = crl(
            *entries, extra=(ext.issuing_distribution_point(point),), by=options.pop("by", CA)
        )
        return listed(f"scope::{label}", expected, rule, text, made, **options)

    yield scope(
        "users",
        GOOD,
        "A list of users' certificates, the peer is one.",
        IssuingDistributionPoint(only_user_certificates=True),
    )
    yield scope(
        "authorities",
        OPEN,
        "A list of authorities' certificates, the peer is none.",
        IssuingDistributionPoint(only_ca_certificates=True),
    )
    yield scope(
        "authorities-of-an-authority",
        GOOD,
        "A list of authorities, the peer is one.",
        IssuingDistributionPoint(only_ca_certificates=True),
        peer=CA,
        pool=(CA,),
        by=ROOT,
    )
    yield scope(
        "users-of-an-authority",
        OPEN,
        "A list of users, the peer is an authority.",
        IssuingDistributionPoint(only_user_certificates=True),
        peer=CA,
        pool=(CA,),
        by=ROOT,
    )
    yield scope(
        "attributes",
        OPEN,
        "A list of attribute certificates.",
        IssuingDistributionPoint(only_attribute_certificates=True),
    )
    some = frozenset({"keyCompromise"})
    yield scope(
        "some-reasons",
        OPEN,
        "A list of some reasons only.",
        IssuingDistributionPoint(only_reasons=some),
    )
    yield scope(
        "some-reasons-revoked",
        BAD,
        "A list of some reasons that names the peer.",
        IssuingDistributionPoint(only_reasons=some),
        line(reason="keyCompromise"),
    )
    here, there = (GeneralName("uri", f"http://crl.test.invalid/{each}") for each in "ab")
    pointed = leaf(extra=(ext.crl_distribution_points(DistributionPoint(names=(here,))),))
    yield scope(
        "its-point",
        GOOD,
        "The list is of the point that the certificate names.",
        IssuingDistributionPoint(names=(here,)),
        peer=pointed,
    )
    yield scope(
        "another-point",
        OPEN,
        "The list is of another distribution point.",
        IssuingDistributionPoint(names=(there,)),
        peer=pointed,
    )
    for critical, expected in ((True, OPEN), (False, GOOD)):
        word = "critical" if critical else "plain"
        unknown = Extension(UNKNOWN, critical, der.null())
        yield listed(
            f"extension::{word}",
            expected,
            "RFC 5280 §5.2",
            f"The list has an unknown {word} extension.",
            crl(extra=(unknown,)),
        )
    yield listed(
        "extension::critical-revoked",
        BAD,
        "RFC 5280 §5.2",
        "The list has an unknown "
        "critical extension and names the peer: such a list may still be used to reject.",
        crl(line(), extra=(Extension(UNKNOWN, True, der.null()),)),
        features=("critical-list",),
    )
    delta = ext.delta_crl_indicator(1)
    yield listed(
        "delta::alone",
        OPEN,
        "RFC 5280 §5.2.4",
        "Only a list of changes is at hand.",
        crl(number=2, extra=(delta,)),
        features=("delta",),
    )
    yield listed(
        "delta::adds",
        BAD,
        "RFC 5280 §5.2.4",
        "The list of changes names the peer.",
        crl(this_update=AT - 2 * HOUR),
        crl(line(), number=2, extra=(delta,)),
        features=("delta",),
    )
    yield listed(
        "delta::removes",
        GOOD,
        "RFC 5280 §5.2.4, §5.3.1",
        "The list of changes takes the suspension back.",
        crl(line(reason="certificateHold"), this_update=AT - 2 * HOUR),
        crl(line(reason="removeFromCRL"), number=2, extra=(delta,)),
        features=("delta",),
    )
    assert START < AT < END
