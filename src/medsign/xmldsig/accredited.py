"""The list of accredited authorities, read only from octets that the ministry has signed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import pairwise

import attrs

from medsign.clock import aware
from medsign.codec.asn1 import Certificate, oids
from medsign.errors import MalformedError
from medsign.gost import Provider
from medsign.pki.accredited import MAX_BYTES, AccreditedList
from medsign.pki.path import build_path
from medsign.pki.revocation import RevocationEvidence, check_revocation
from medsign.pki.trust import TrustStore
from medsign.xmldsig.facts import XmlSignatureFacts
from medsign.xmldsig.verify import verify

MINISTRY_OGRN = "1047702026701"
"""ОГРН of Минцифры России, which keeps the list."""

_WHAT = "list of accredited authorities"


def accredited_list(
    document: bytes,
    trust: TrustStore,
    *,
    at: datetime,
    ogrn: str = MINISTRY_OGRN,
    intermediates: Iterable[Certificate] = (),
    evidence: RevocationEvidence | None = None,
    provider: Provider | None = None,
) -> AccreditedList:
    """Read a list of accredited authorities whose signature is good, and only what it covers.

    A list without such a signature is refused; `AccreditedList.unsafe_from_bytes` reads it anyway.

    Args:
        document: The XML as the site gives it.
        trust: Whom to trust to name the signer: the head authority, or the signer's certificate.
        at: The moment for which the signer's chain must be valid, usually that of the download;
            aware.
        ogrn: ОГРН that the signer's certificate must name, unless it is trusted by itself: under
            the head authority everybody has a certificate.
        intermediates: Certificates of authorities at hand.
        evidence: Revocation lists and OCSP answers about the signer's chain. What they revoke is
            refused; that they are missing is not.
        provider: Who computes; by default `medsign.gost.default_provider`.

    Returns:
        The list of one day, with `Snapshot.signed_by`; join those of other days by ``|``.

    Raises:
        MalformedError: It is no such list, or none of its signatures is good; the reasons follow.
        BudgetExceeded: It is too large.
        UsageError: The moment has no time zone.

    Example:
        >>> from datetime import UTC
        >>> accredited_list(b"<list/>", TrustStore(), at=datetime(2026, 1, 1, tzinfo=UTC))
        Traceback (most recent call last):
        ...
        medsign.errors.MalformedError: malformed XML signature at document: there is no signature
    """
    at, pool = aware(at), tuple(intermediates)
    refused: list[str] = []
    for facts in verify(document, provider=provider, max_bytes=MAX_BYTES):
        why = tuple(_objections(facts, trust, at, ogrn, pool, evidence, provider))
        if not why and facts.certificate is not None:
            (snapshot,) = AccreditedList.unsafe_from_bytes(*_whole(facts)).snapshots
            signed_by = facts.certificate.fingerprint
            return AccreditedList([attrs.evolve(snapshot, signed_by=signed_by)])
        refused += why
    raise MalformedError(_WHAT, "Signature", "; ".join(dict.fromkeys(refused)))


def _objections(
    facts: XmlSignatureFacts,
    trust: TrustStore,
    at: datetime,
    ogrn: str,
    pool: tuple[Certificate, ...],
    evidence: RevocationEvidence | None,
    provider: Provider | None,
) -> Iterator[str]:
    """Yield why a signature does not speak for the ministry."""
    if facts.problem is not None:
        yield facts.problem.value
    yield from (each.problem.value for each in facts.references if each.problem is not None)
    if not _whole(facts):
        yield "the signature is not over the whole list"
    if (certificate := facts.certificate) is None:
        return
    if certificate not in trust and certificate.subject.get(oids.OGRN) != ogrn:
        yield "the signer has another ОГРН"
    usage = certificate.key_usage
    if usage is not None and usage.isdisjoint({"digitalSignature", "nonRepudiation"}):
        yield "the key is not for signatures"
    path = build_path(certificate, trust, pool, at=at, provider=provider)
    yield from (each.code.value for each in path.problems)
    if path.anchor is None or evidence is None:
        return
    for subject, issuer in pairwise(path.chain):
        status = check_revocation(
            subject,
            issuer,
            evidence,
            at=at,
            candidates=pool,
            trust=TrustStore([path.anchor]),
            provider=provider,
        ).status
        if status == "revoked":
            yield "a certificate of the signer's chain is revoked"


def _whole(facts: XmlSignatureFacts) -> list[bytes]:
    """Return the list as it was signed; XAdES signs properties of its own as well."""
    return [each.octets for each in facts.references if each.octets and each.path == "."][:1]
