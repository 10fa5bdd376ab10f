"""What a revocation list says about a certificate (RFC 5280 §6.3)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from medsign.codec.asn1 import Certificate, RevocationList, oids
from medsign.gost import Provider
from medsign.pki.claims import Claim, EvidencePolicy, age_problems
from medsign.pki.problems import Problem, ProblemCode
from medsign.pki.signatures import verify_signature

_PROCESSED = frozenset({oids.ISSUING_DISTRIBUTION_POINT, oids.DELTA_CRL_INDICATOR})


def claim_of_crl(
    crl: RevocationList,
    certificate: Certificate,
    issuer: Certificate,
    *,
    at: datetime,
    now: datetime,
    policy: EvidencePolicy,
    provider: Provider | None = None,
) -> Claim | None:
    """Return what a list says, ``None`` when it is of another issuer, or of another of its keys.

    Authorities in Russia keep a list for each of their keys. An indirect list, signed by somebody
    else for the issuer, counts as one of another issuer.

    Args:
        crl: The list.
        certificate: The certificate asked about.
        issuer: Its issuer.
        at: The moment asked about; aware.
        now: The moment of asking; aware.
        policy: What is fresh.
        provider: Who computes; by default `medsign.gost.default_provider`.
    """
    if not crl.issuer.matches(issuer.subject) or _is_of_another_key(crl, issuer):
        return None
    entry = crl.find(certificate.serial_number, certificate.issuer)
    lifted = entry is not None and entry.reason == "removeFromCRL"
    listed = entry if entry and not lifted else None
    unfit = [*_scope_problems(crl, certificate)]
    unfit += age_problems(
        crl.this_update, crl.next_update, crl.fingerprint, at=at, now=now, policy=policy
    )
    if crl.this_update > certificate.not_after:
        unfit.append(Problem(ProblemCode.AFTER_EXPIRY, crl.fingerprint))
    return Claim(
        source="crl",
        fingerprint=crl.fingerprint,
        status="revoked" if listed else "good",
        this_update=crl.this_update,
        next_update=crl.next_update,
        revoked_at=listed.revocation_date if listed else None,
        reason=listed.reason if listed else None,
        invalidity_date=listed.invalidity_date if listed else None,
        forged=tuple(_origin_problems(crl, issuer, provider)),
        unfit=tuple(unfit),
    )


def _is_of_another_key(crl: RevocationList, issuer: Certificate) -> bool:
    own, hint = issuer.subject_key_identifier, crl.authority_key_identifier
    named = hint.key_identifier if hint else None
    return own is not None and named is not None and own != named


def _origin_problems(
    crl: RevocationList, issuer: Certificate, provider: Provider | None
) -> Iterator[Problem]:
    if issuer.key_usage is not None and "cRLSign" not in issuer.key_usage:
        yield Problem(ProblemCode.KEY_USAGE, issuer.fingerprint, "cRLSign")
    if crl.signature_algorithm != crl.tbs_signature_algorithm:
        yield Problem(ProblemCode.ALGORITHM_MISMATCH, crl.fingerprint)
    check = verify_signature(
        issuer.public_key, crl.signature_algorithm, crl.tbs_der, crl.signature, provider=provider
    )
    if code := check.problem(ProblemCode.EVIDENCE_SIGNATURE):
        yield Problem(code, crl.fingerprint)


def _scope_problems(crl: RevocationList, certificate: Certificate) -> Iterator[Problem]:
    def out(detail: str) -> Problem:
        return Problem(ProblemCode.OUT_OF_SCOPE, crl.fingerprint, detail)

    if crl.is_delta:
        yield out("a delta list says nothing about what is not in it")
    for extension in crl.extensions:
        if extension.critical and extension.oid not in _PROCESSED:
            yield out(f"the critical extension {extension.oid} is not processed")
    for entry in crl.entries:
        for extension in entry.extensions:
            if extension.critical and extension.oid != oids.CERTIFICATE_ISSUER:
                yield out(f"the critical entry extension {extension.oid} is not processed")
                return
    point = crl.issuing_distribution_point
    if point is None:
        return
    is_ca = certificate.basic_constraints is not None and certificate.basic_constraints.ca
    if (
        (point.only_user_certificates and is_ca)
        or (point.only_ca_certificates and not is_ca)
        or point.only_attribute_certificates
    ):
        yield out("it is about certificates of another kind")
    if point.only_reasons is not None:
        yield out("it covers some reasons only")
    places = {name for each in certificate.crl_distribution_points for name in each.names}
    if point.relative_name is not None or (point.names and places.isdisjoint(point.names)):
        yield out("it is of another distribution point")
