"""Signatures made to last: CAdES-C, X Long, X Long Type 1 and A (ETSI EN 319 122-1).

A signature is judged before it is extended, and each step adds one or two unsigned attributes;
every other octet stays.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from itertools import chain, islice
from typing import TypeVar

import attrs

from medsign.cms.collect import MAX_CARRIED, Carried, carried, collect, only
from medsign.cms.content import Content, digest_of
from medsign.cms.covered import hash_index, under_archive_stamp, under_evidence_stamp
from medsign.cms.decide import decide
from medsign.cms.evidence import Evidence
from medsign.cms.facts import CertificateFacts, StampFacts
from medsign.cms.policy import WITH_STAMP, Level, Policy
from medsign.cms.sign import signer_of, stamp_on
from medsign.codec.asn1 import (
    Attribute,
    BasicOcspResponse,
    Certificate,
    CrlReference,
    EssCertId,
    OcspReference,
    RevocationList,
    RevocationReferences,
    SignerInfo,
    add_unsigned_attribute,
    decode_certificate_references,
    decode_revocation_references,
    decode_signed_data,
    encode_certificate_references,
    encode_certificate_values,
    encode_revocation_references,
    encode_revocation_values,
    oids,
    replace_unsigned_value,
    to_binary,
)
from medsign.errors import UsageError
from medsign.gost import DigestAlgorithm, Provider
from medsign.pki.signatures import hash_octets
from medsign.pki.signed import certificate_reference

T = TypeVar("T")


class Form(enum.IntEnum):
    """How much a signature carries to be judged by; each form holds all of the former ones."""

    BES = 1
    T = 2
    C = 3
    X_LONG = 4
    X_LONG_TYPE_1 = 5
    A = 6


_ATTRIBUTES = {
    Form.T: (oids.SIGNATURE_TIME_STAMP,),
    Form.C: (oids.CERTIFICATE_REFS, oids.REVOCATION_REFS),
    Form.X_LONG: (oids.CERTIFICATE_VALUES, oids.REVOCATION_VALUES),
    Form.X_LONG_TYPE_1: (oids.ESC_TIME_STAMP,),
    Form.A: (oids.ARCHIVE_TIME_STAMP_V3,),
}


def form_of(signature: bytes, signer_index: int = 0) -> Form:
    """Return the form of a signature, by what it carries; whether that is good is not looked at.

    Raises:
        MalformedError: It is no signed message.
        UsageError: There is no such signature in it.
    """
    signer, form = signer_of(signature, signer_index), Form.BES
    for higher, attributes in _ATTRIBUTES.items():
        if not all(map(signer.unsigned_values, attributes)):
            break
        form = higher
    return form


def add_references(
    evidence: Evidence,
    *,
    at: datetime,
    signer_index: int = 0,
    policy: Policy = WITH_STAMP,
    provider: Provider | None = None,
) -> bytes:
    """Name in a signature all that proves it good: CAdES-T becomes CAdES-C.

    Args:
        evidence: The signature and what there is to judge it by. The content of a detached one
            may be left out; then it is not compared.
        at: Now; aware.
        signer_index: Which of the signatures.
        policy: What the signature must satisfy; what fails today will not become better.
        provider: Who computes; by default `medsign.gost.default_provider`.

    Returns:
        DER of the longer signature.

    Raises:
        UsageError: The signature does not satisfy the policy, is no CAdES-T or more than that, or
            is not there.
        MalformedError: The evidence is of no signed message.
    """
    signature, signer = _at_form(Form.T, evidence, signer_index)
    (own, *authorities), _ = _proofs(evidence, signer_index, policy, at=at, provider=provider)
    known = {own.certificate, *(each.certificate for each in authorities)}
    came_along = (each for proof in (own, *authorities) for each in proof.responders)
    others = [*authorities, *(Proof(each) for each in _unique(came_along) if each not in known)]
    hashing = signer.digest_algorithm.oid
    certificates = encode_certificate_references(
        certificate_reference(each.certificate, hashing, provider=provider) for each in others
    )
    revocation = encode_revocation_references(
        each.references(hashing, provider) for each in (own, *others)
    )
    return _with(
        signature,
        signer_index,
        {oids.CERTIFICATE_REFS: certificates, oids.REVOCATION_REFS: revocation},
    )


def add_values(
    evidence: Evidence,
    *,
    at: datetime,
    signer_index: int = 0,
    policy: Policy = WITH_STAMP,
    provider: Provider | None = None,
) -> bytes:
    """Put all that the references name into a signature: CAdES-C becomes CAdES-X Long.

    What the time stamp rests on goes in too, so that the whole can be judged without a network.

    Args:
        evidence: The signature and what there is to judge it by, as in `add_references`.
        at: Now; aware.
        signer_index: Which of the signatures.
        policy: What the signature must satisfy.
        provider: Who computes; by default `medsign.gost.default_provider`.

    Returns:
        DER of the longer signature.

    Raises:
        UsageError: The signature does not satisfy the policy, is no CAdES-C or more than that, or
            something that it refers to is not at hand.
        MalformedError: The evidence is of no signed message.
    """
    signature, signer = _at_form(Form.C, evidence, signer_index)
    own, stamps = _proofs(evidence, signer_index, policy, at=at, provider=provider)
    named = _named(signer, _at_hand(evidence), provider)
    proofs = chain(own, *stamps.values())
    things = _unique(
        (own[0].certificate, *named, *(each for proof in proofs for each in proof.things))
    )
    return _with(signature, signer_index, _values(things))


def evidence_value(signature: bytes, signer_index: int = 0) -> bytes:
    """Return the octets that a time stamp on a signature with its references must cover.

    Raises:
        MalformedError: It is no signed message.
        UsageError: There is no such signature, or it is no CAdES-C.
    """
    if form_of(signature, signer_index) < Form.C:
        raise UsageError("only a signature with a time stamp and references is stamped so")
    return under_evidence_stamp(signer_of(signature, signer_index))


def add_evidence_timestamp(
    signature: bytes, token: bytes, *, signer_index: int = 0, provider: Provider | None = None
) -> bytes:
    """Add a time stamp on the references: CAdES-X Long becomes CAdES-X Long Type 1.

    It proves that the first stamp existed while its service could be trusted.

    Args:
        signature: DER or BER of the signed message.
        token: The time stamp token on `evidence_value`, or the whole response of the service.
        signer_index: Which of the signatures.
        provider: Who computes; by default `medsign.gost.default_provider`.

    Raises:
        MalformedError: One of the two is something else.
        UsageError: The signature is no CAdES-C, the response holds no stamp, the stamp is on
            something else, or there is no such signature.
        Unavailable: The digest algorithm of the stamp is not known.
    """
    stamp = stamp_on(evidence_value(signature, signer_index), token, provider=provider)
    return _with(signature, signer_index, {oids.ESC_TIME_STAMP: stamp})


def archive_value(
    signature: bytes,
    content: Content | None = None,
    *,
    signer_index: int = 0,
    provider: Provider | None = None,
) -> bytes:
    """Return the octets that an archive time stamp must cover, to be hashed by Streebog-256.

    Args:
        signature: DER or BER of the signed message.
        content: The document, for a detached signature: octets, a file or its Streebog-256 digest.
        signer_index: Which of the signatures.
        provider: Who computes; by default `medsign.gost.default_provider`.

    Raises:
        MalformedError: It is no signed message.
        UsageError: The signature is no CAdES-X Long Type 1 or is not there, or the content is
            missing.
    """
    if form_of(signature, signer_index) < Form.X_LONG_TYPE_1:
        raise UsageError("only a signature with all its evidence goes into the archive")
    message = decode_signed_data(signature)
    whole = message.content if content is None else content
    hashing = DigestAlgorithm.STREEBOG_256
    hashed = None if whole is None else digest_of(whole, hashing, provider=provider)
    if hashed is None:
        raise UsageError("the content, or its Streebog-256 digest, is needed")
    signer = message.signers[signer_index]
    index = hash_index(message, signer, hashing.oid, provider=provider)
    return under_archive_stamp(message, signer, hashed, index)


def add_archive_timestamp(
    signature: bytes,
    token: bytes,
    content: Content | None = None,
    *,
    signer_index: int = 0,
    provider: Provider | None = None,
) -> bytes:
    """Add an archive time stamp, version 3, on all that is there: CAdES-A.

    Args:
        signature: DER or BER of the signed message.
        token: The time stamp token on `archive_value`, or the whole response of the service.
        content: The document, for a detached signature.
        signer_index: Which of the signatures.
        provider: Who computes; by default `medsign.gost.default_provider`.

    Raises:
        MalformedError: One of the two is something else.
        UsageError: As for `archive_value`; or the response holds no stamp, or a stamp on
            something else.
        Unavailable: The digest algorithm of the stamp is not known.
    """
    value = archive_value(signature, content, signer_index=signer_index, provider=provider)
    stamp = stamp_on(value, token, provider=provider)
    message = decode_signed_data(signature)
    index = hash_index(message, message.signers[signer_index], oids.STREEBOG_256, provider=provider)
    stamp = _with(stamp, 0, {oids.ARCHIVE_HASH_INDEX_V3: index})
    return _with(signature, signer_index, {oids.ARCHIVE_TIME_STAMP_V3: stamp})


def add_archive_values(
    evidence: Evidence,
    *,
    at: datetime,
    signer_index: int = 0,
    policy: Policy = WITH_STAMP,
    provider: Provider | None = None,
) -> bytes:
    """Put all that proves the newest archive time stamp good into that stamp.

    It comes before a further `add_archive_timestamp`, which then covers it, and while the service
    of the stamp can still be trusted.

    Args:
        evidence: The signature and what there is to judge it by.
        at: Now; aware.
        signer_index: Which of the signatures.
        policy: What the signature must satisfy.
        provider: Who computes; by default `medsign.gost.default_provider`.

    Returns:
        DER of the longer signature; the same one when the stamp holds its evidence already.

    Raises:
        UsageError: The signature does not satisfy the policy, is no CAdES-A or is not there, or
            its archive time stamp is not good.
        MalformedError: The evidence is of no signed message.
    """
    signature, signer = _at_form(Form.A, evidence, signer_index)
    _, stamps = _proofs(evidence, signer_index, policy, at=at, provider=provider)
    archive = [each for each in stamps if each.layer == "archive" and each.stamped_at]
    if not archive:
        raise UsageError(
            "the archive time stamp is not good",
            "Архивный штамп времени не прошёл проверку. Подпись не продлена.",
        )
    newest = max(archive, key=lambda each: each.stamped_at or at)
    tokens = signer.unsigned_values(oids.ARCHIVE_TIME_STAMP_V3)
    (token,) = (each for each in tokens if sha256(each).hexdigest() == newest.fingerprint)
    if signer_of(token, 0).unsigned_values(oids.CERTIFICATE_VALUES):
        return signature
    things = _unique(thing for proof in stamps[newest] for thing in proof.things)
    return replace_unsigned_value(signature, signer_index, token, _with(token, 0, _values(things)))


@attrs.frozen
class Proof:
    """A certificate with the lists and answers that show that it was good."""

    certificate: Certificate
    crls: tuple[RevocationList, ...] = ()
    answers: tuple[BasicOcspResponse, ...] = ()

    @property
    def responders(self) -> Iterator[Certificate]:
        """Certificates that came along with the answers."""
        return (each for answer in self.answers for each in answer.certificates)

    @property
    def things(self) -> tuple[Carried, ...]:
        """All of it."""
        return (self.certificate, *self.responders, *self.crls, *self.answers)

    def references(self, hash_oid: str, provider: Provider | None) -> RevocationReferences:
        """Return what names the lists and the answers."""
        return RevocationReferences(
            crls=tuple(
                CrlReference(
                    hash_oid=hash_oid,
                    digest=hash_octets(hash_oid, each.der, provider=provider),
                    issuer=each.issuer,
                    issued_at=each.this_update,
                    number=each.crl_number,
                )
                for each in self.crls
            ),
            ocsp_responses=tuple(
                OcspReference(
                    responder=each.responder,
                    produced_at=each.produced_at,
                    hash_oid=hash_oid,
                    digest=hash_octets(hash_oid, each.der, provider=provider),
                )
                for each in self.answers
            ),
        )


def _at_form(form: Form, evidence: Evidence, signer_index: int) -> tuple[bytes, SignerInfo]:
    signature = to_binary(evidence.signature)
    if (found := form_of(signature, signer_index)) is not form:
        raise UsageError(f"the signature must be {form.name} and is {found.name}")
    return signature, signer_of(signature, signer_index)


def _proofs(
    evidence: Evidence, index: int, policy: Policy, *, at: datetime, provider: Provider | None
) -> tuple[list[Proof], dict[StampFacts, list[Proof]]]:
    """Return what the verdict on a signature rests on, and those on its good time stamps."""
    facts = collect(evidence, at=at, provider=provider)
    report, signature = decide(facts, policy, at=at).signers[index], facts.signatures[index]
    # Evidence added to a bad signature would only look like a proof.
    broken = {each.code for each in report.failures(Level.FAIL)} - {"CONTENT_PRESENT"}
    if broken or signature.chain is None:
        raise UsageError(
            f"the signature is not good: {', '.join(sorted(broken))}",
            "Подпись не прошла проверку. Продлить можно только действительную.",
        )
    at_hand = {each.fingerprint: each for each in _at_hand(evidence)}
    own = [_proof(each, at_hand, policy, report.proved_at) for each in signature.chain.certificates]
    checks = (each for each in report.findings if each.code == "STAMP_TRUSTED" and each.passed)
    trusted = {each.evidence.source for each in checks}
    stamps = {
        stamp: [_proof(each, at_hand, policy, at) for each in stamp.chain.certificates]
        for stamp in signature.stamps
        if stamp.chain and stamp.fingerprint in trusted
    }
    return own, stamps


def _values(things: Iterable[Carried]) -> dict[str, bytes]:
    things = tuple(things)
    return {
        oids.CERTIFICATE_VALUES: encode_certificate_values(
            each.der for each in only(Certificate, things)
        ),
        oids.REVOCATION_VALUES: encode_revocation_values(
            (each.der for each in only(RevocationList, things)),
            (each.der for each in only(BasicOcspResponse, things)),
        ),
    }


def _proof(
    certificate: CertificateFacts, at_hand: dict[str, Carried], policy: Policy, moment: datetime
) -> Proof:
    good = [each for each in certificate.statuses if each.status == "good"]
    # An answer speaks of one certificate, a list of a million; the newest is the best.
    good.sort(key=lambda each: (each.source == "ocsp", each.this_update), reverse=True)
    enough = (
        good[:size]
        for size in range(len(good) + 1)
        if policy.revocation.met_by(tuple(good[:size]), moment)
    )
    chosen = [at_hand[each.fingerprint] for each in next(enough, certificate.statuses)]
    (subject,) = only(Certificate, [at_hand[certificate.fingerprint]])
    return Proof(subject, only(RevocationList, chosen), only(BasicOcspResponse, chosen))


def _at_hand(evidence: Evidence) -> list[Carried]:
    message = decode_signed_data(to_binary(evidence.signature))
    things = (
        *islice(carried(message), MAX_CARRIED),
        *evidence.certificates,
        *evidence.trust.anchors,
        *evidence.crls,
        *evidence.ocsp_responses,
    )
    answers = only(BasicOcspResponse, things)
    return [*things, *(each for answer in answers for each in answer.certificates)]


def _named(
    signer: SignerInfo, at_hand: Iterable[Carried], provider: Provider | None
) -> Iterator[Carried]:
    """Yield what the references of a signature name."""
    certificates = signer.unsigned_values(oids.CERTIFICATE_REFS)
    revocation = signer.unsigned_values(oids.REVOCATION_REFS)
    proofs = [proof for each in revocation for proof in decode_revocation_references(each)]
    references: list[EssCertId | CrlReference | OcspReference] = [
        *(one for each in certificates for one in decode_certificate_references(each)),
        *(one for proof in proofs for one in proof.crls),
        *(one for proof in proofs for one in proof.ocsp_responses),
    ]
    things = _unique(at_hand)
    by_digest = {
        (oid, hash_octets(oid, each.der, provider=provider)): each
        for oid in {each.hash_oid for each in references if each.hash_oid}
        for each in things
    }
    for each in references:
        if (each.hash_oid, each.digest) not in by_digest:
            raise UsageError(
                "something that the signature refers to is not at hand",
                "Не хватает сертификата или сведений об отзыве, на которые ссылается подпись.",
            )
        yield by_digest[each.hash_oid or "", each.digest or b""]


def _with(signature: bytes, signer_index: int, values: dict[str, bytes]) -> bytes:
    for oid, value in values.items():
        attribute = Attribute(oid, (value,))
        signature = add_unsigned_attribute(signature, signer_index, attribute)
    return signature


def _unique(things: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(things))
