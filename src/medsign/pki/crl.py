"""What a revocation list says about a certificate (RFC 5280 §5, §6.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

import attrs

from medsign.codec.asn1 import (
    Certificate,
    DistributionPoint,
    GeneralName,
    Name,
    RevocationList,
    RevokedEntry,
    decode_name,
    der,
    oids,
)
from medsign.codec.asn1.extensions import REASON_FLAGS
from medsign.errors import BudgetExceeded, MalformedError
from medsign.gost import Provider
from medsign.pki.claims import Claim, EvidencePolicy, age_problems
from medsign.pki.problems import Problem, ProblemCode
from medsign.pki.signatures import verify_signature

_PROCESSED = frozenset({oids.ISSUING_DISTRIBUTION_POINT, oids.DELTA_CRL_INDICATOR})
_ALL_REASONS = frozenset(REASON_FLAGS[1:])
# Delta lists whose signatures are tried: any number of them may be at hand.
_MAX_DELTAS = 4

_SET = 0x31  # the tag that a relative name has in a whole one

_Place = tuple[str, object]


def claim_of_crl(
    crl: RevocationList,
    certificate: Certificate,
    issuer: Certificate,
    *,
    at: datetime,
    now: datetime,
    policy: EvidencePolicy,
    signers: Iterable[Certificate] = (),
    deltas: Iterable[RevocationList] = (),
    provider: Provider | None = None,
) -> Claim | None:
    """Return what a list says, ``None`` when it is of another issuer, or of another of its keys.

    Args:
        crl: The list.
        certificate: The certificate asked about.
        issuer: Its issuer.
        at: The moment asked about; aware.
        now: The moment of asking; aware.
        policy: What is fresh.
        signers: Who else may have signed the list: certificates of other keys of the issuer, or
            of those whom the certificate names as the issuer of its lists. The caller vouches for
            them.
        deltas: Lists of what has changed since; those that fit are taken into account.
        provider: Who computes; by default `medsign.gost.default_provider`.
    """
    signer = _signer(crl, (issuer, *signers), provider)
    if signer is None or not is_about(crl, certificate):
        return None
    delta = _newest_delta(crl, deltas, signer, at=at, now=now, policy=policy, provider=provider)
    latest = delta or crl
    listed = _listed(crl, delta, certificate)
    reasons = _reasons(crl, certificate)
    unfit = [*_scope_problems(crl, certificate, reasons)]
    own = signer.public_key == issuer.public_key or not signer.subject.matches(issuer.subject)
    if policy.lists_by_key and not own:
        detail = "it is by another key of the issuer"
        unfit.append(Problem(ProblemCode.OUT_OF_SCOPE, crl.fingerprint, detail))
    unfit += age_problems(
        latest.this_update, latest.next_update, latest.fingerprint, at=at, now=now, policy=policy
    )
    if latest.this_update > certificate.not_after:
        unfit.append(Problem(ProblemCode.AFTER_EXPIRY, crl.fingerprint))
    return Claim(
        source="crl",
        fingerprint=crl.fingerprint,
        status="revoked" if listed else "good",
        this_update=latest.this_update,
        next_update=latest.next_update,
        revoked_at=listed.revocation_date if listed else None,
        reason=listed.reason if listed else None,
        invalidity_date=listed.invalidity_date if listed else None,
        reasons=None if reasons >= _ALL_REASONS else reasons,
        forged=tuple(_origin_problems(crl, signer, provider)),
        unfit=tuple(unfit),
    )


def is_about(crl: RevocationList, certificate: Certificate) -> bool:
    """Tell whether a list may speak of a certificate.

    It is of the certificate's issuer, or an indirect one of somebody whom the certificate names.
    """
    return crl.issuer.matches(certificate.issuer) or any(
        _is_charged(point, crl) for point in certificate.crl_distribution_points
    )


def join_partial(claims: Iterable[Claim]) -> Claim | None:
    """Join lists that cover some reasons each into one statement that covers all of them.

    Only genuine lists count in which nothing is wrong but that they are partial and of which none
    calls the certificate revoked.

    Returns:
        The statement, as old as the oldest list; ``None`` when reasons are left over.
    """
    parts = [
        each
        for each in claims
        if each.reasons and each.status == "good" and not each.forged and len(each.unfit) == 1
    ]
    covered = frozenset[str]().union(*(each.reasons or () for each in parts))
    if not covered >= _ALL_REASONS:
        return None
    oldest = min(parts, key=lambda each: each.this_update)
    return attrs.evolve(oldest, reasons=None, unfit=())


def _signer(
    crl: RevocationList, at_hand: Iterable[Certificate], provider: Provider | None
) -> Certificate | None:
    """Return who signed, the likeliest one when nobody did."""
    named = [
        each
        for each in at_hand
        if each.subject.matches(crl.issuer) and not _is_of_another_key(crl, each)
    ]

    def flaws(each: Certificate) -> int:
        return sum(1 for _ in _origin_problems(crl, each, provider))

    return min(named, key=flaws) if len(named) > 1 else next(iter(named), None)


def _is_of_another_key(crl: RevocationList, issuer: Certificate) -> bool:
    own, hint = issuer.subject_key_identifier, crl.authority_key_identifier
    named = hint.key_identifier if hint else None
    return own is not None and named is not None and own != named


def _origin_problems(
    crl: RevocationList, signer: Certificate, provider: Provider | None
) -> Iterator[Problem]:
    if signer.key_usage is not None and "cRLSign" not in signer.key_usage:
        yield Problem(ProblemCode.KEY_USAGE, signer.fingerprint, "cRLSign")
    if crl.signature_algorithm != crl.tbs_signature_algorithm:
        yield Problem(ProblemCode.ALGORITHM_MISMATCH, crl.fingerprint)
    check = verify_signature(
        signer.public_key, crl.signature_algorithm, crl.tbs_der, crl.signature, provider=provider
    )
    if code := check.problem(ProblemCode.EVIDENCE_SIGNATURE):
        yield Problem(code, crl.fingerprint)


def _listed(
    crl: RevocationList, delta: RevocationList | None, certificate: Certificate
) -> RevokedEntry | None:
    """Return the line that holds; only a suspension can be taken back (RFC 5280 §5.3.1)."""
    line = crl.find(certificate.serial_number, certificate.issuer)
    line = line if line and line.reason != "removeFromCRL" else None
    change = delta.find(certificate.serial_number, certificate.issuer) if delta else None
    if change is None or line is None or line.reason == "certificateHold":
        line = change or line
    return line if line and line.reason != "removeFromCRL" else None


def _newest_delta(
    base: RevocationList,
    deltas: Iterable[RevocationList],
    signer: Certificate,
    *,
    at: datetime,
    now: datetime,
    policy: EvidencePolicy,
    provider: Provider | None,
) -> RevocationList | None:
    """Return the newest list of changes that adds to a full one (RFC 5280 §6.3.3 c, §5.2.4)."""

    def adds(delta: RevocationList) -> bool:
        number, since, known = delta.crl_number, delta.base_crl_number, base.crl_number
        return (
            not base.is_delta
            and number is not None
            and since is not None
            and known is not None
            and since <= known < number
            and delta.issuer.matches(base.issuer)
            and delta.issuing_distribution_point == base.issuing_distribution_point
            and delta.authority_key_identifier == base.authority_key_identifier
            and not any(_unread(delta))
            and not any(
                age_problems(
                    delta.this_update, delta.next_update, "", at=at, now=now, policy=policy
                )
            )
        )

    newest = sorted(filter(adds, deltas), key=lambda each: each.crl_number or 0, reverse=True)
    genuine = (
        each
        for each in islice(newest, _MAX_DELTAS)
        if not any(_origin_problems(each, signer, provider))
    )
    return next(genuine, None)


def _scope_problems(
    crl: RevocationList, certificate: Certificate, reasons: frozenset[str]
) -> Iterator[Problem]:
    def out(detail: str) -> Problem:
        return Problem(ProblemCode.OUT_OF_SCOPE, crl.fingerprint, detail)

    if crl.is_delta:
        yield out("a delta list says nothing about what is not in it")
    for oid in _unread(crl):
        yield out(f"the critical extension {oid} is not processed")
    if not reasons:
        yield out("it is of another distribution point")
    elif not reasons >= _ALL_REASONS:
        yield out("it covers some reasons only")
    point = crl.issuing_distribution_point
    is_ca = certificate.basic_constraints is not None and certificate.basic_constraints.ca
    if point is not None and (
        (point.only_user_certificates and is_ca)
        or (point.only_ca_certificates and not is_ca)
        or point.only_attribute_certificates
    ):
        yield out("it is about certificates of another kind")


def _unread(crl: RevocationList) -> Iterator[str]:
    """Yield the critical extensions that nobody here carries out; of lines only the first."""
    yield from (each.oid for each in crl.extensions if each.critical and each.oid not in _PROCESSED)
    of_lines = (
        each.oid
        for line in crl.entries
        for each in line.extensions
        if each.critical and each.oid != oids.CERTIFICATE_ISSUER
    )
    yield from islice(of_lines, 1)


def _reasons(crl: RevocationList, certificate: Certificate) -> frozenset[str]:
    """Return for which reasons the certificate would be on the list (RFC 5280 §6.3.3 b, d)."""
    issuer = GeneralName("directory", certificate.issuer)
    # a list of the issuer counts though the certificate does not say where it is
    points = (*certificate.crl_distribution_points, DistributionPoint(names=(issuer,)))
    scope = crl.issuing_distribution_point
    listed = scope.only_reasons if scope and scope.only_reasons is not None else _ALL_REASONS
    covered = (
        listed if point.reasons is None else listed & point.reasons
        for point in points
        if _serves(point, crl, certificate)
    )
    return frozenset[str]().union(*covered)


def _serves(point: DistributionPoint, crl: RevocationList, certificate: Certificate) -> bool:
    """Tell whether a list is one of those at a distribution point."""
    if point.crl_issuer:
        if not _is_charged(point, crl):
            return False
    elif not crl.issuer.matches(certificate.issuer):
        return False
    scope = crl.issuing_distribution_point
    places = _places(scope.names, scope.relative_name, crl.issuer) if scope else frozenset[_Place]()
    own = _places(point.names, point.relative_name, crl.issuer)
    return not places or not places.isdisjoint(own or _places(point.crl_issuer, None, crl.issuer))


def _is_charged(point: DistributionPoint, crl: RevocationList) -> bool:
    """Tell whether a point names the author of an indirect list."""
    scope = crl.issuing_distribution_point
    return (
        scope is not None
        and scope.indirect
        and any(
            isinstance(each.value, Name) and each.value.matches(crl.issuer)
            for each in point.crl_issuer
        )
    )


def _places(names: Iterable[GeneralName], relative: bytes | None, base: Name) -> frozenset[_Place]:
    """Return names of a place so that equal ones compare equal."""
    found: set[_Place] = {
        (each.kind, each.value.key() if isinstance(each.value, Name) else each.value)
        for each in names
    }
    if relative is not None:
        try:
            last = decode_name(der.sequence(bytes((_SET,)) + relative[1:]))
        except (MalformedError, BudgetExceeded):
            found.add(("unreadable", relative))
        else:
            found.add(("directory", base.key() + last.key()))
    return frozenset(found)
