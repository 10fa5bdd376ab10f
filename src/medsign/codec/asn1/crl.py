"""Certificate revocation lists (RFC 5280 5)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from medsign.codec.asn1 import der, oids
from medsign.codec.asn1.door import (
    ENUMERATED,
    INTEGER,
    SEQUENCE,
    TIMES,
    Element,
    Limits,
    constructed,
    context,
    open_der,
)
from medsign.codec.asn1.encoded import Encoded
from medsign.codec.asn1.extensions import (
    AuthorityKeyIdentifier,
    DistributionPoint,
    Extension,
    read_authority_key_identifier,
    read_distribution_point_name,
    read_distribution_points,
    read_extension_elements,
    read_reasons,
)
from medsign.codec.asn1.keys import AlgorithmIdentifier, encode_algorithm, read_algorithm
from medsign.codec.asn1.names import GeneralName, Name, read_general_names, read_name
from medsign.codec.asn1.x509 import encode_extension, read_signed

CRL_LIMITS = Limits(max_bytes=1 << 26, max_elements=8_000_000)

#: Names of ``CRLReason`` by number (RFC 5280 5.3.1); 7 was never given.
REASONS = {
    0: "unspecified",
    1: "keyCompromise",
    2: "cACompromise",
    3: "affiliationChanged",
    4: "superseded",
    5: "cessationOfOperation",
    6: "certificateHold",
    8: "removeFromCRL",
    9: "privilegeWithdrawn",
    10: "aACompromise",
}


@attrs.frozen(kw_only=True)
class RevokedEntry:
    """One line of a revocation list.

    Attributes:
        serial_number: Serial number of the certificate.
        revocation_date: Since when it is revoked, UTC.
        reason: A value of `REASONS`, ``None`` when the authority gives none.
        invalidity_date: Since when the key was probably in bad hands.
        certificate_issuer: Whose certificate it is, in a list by another issuer; the rule that it
            holds for the lines below too has already been applied.
        extensions: All the extensions as they came.
    """

    serial_number: int
    revocation_date: datetime
    reason: str | None = None
    invalidity_date: datetime | None = None
    certificate_issuer: Name | None = None
    extensions: tuple[Extension, ...] = ()


@attrs.frozen(kw_only=True)
class IssuingDistributionPoint:
    """What a revocation list covers (RFC 5280 5.2.5)."""

    names: tuple[GeneralName, ...] = ()
    relative_name: bytes | None = None
    only_user_certificates: bool = False
    only_ca_certificates: bool = False
    only_reasons: frozenset[str] | None = None
    indirect: bool = False
    only_attribute_certificates: bool = False


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RevocationList(Encoded):
    """A certificate revocation list, fully read.

    Attributes:
        der: The whole list.
        tbs_der: The part that is signed.
        version: 1 or 2.
        issuer: Who signed it.
        this_update: When it was made, UTC.
        next_update: When the next one comes at the latest; ``None`` when it does not say.
        entries: Revoked certificates in order.
        signature_algorithm: The algorithm beside the signature.
        tbs_signature_algorithm: The algorithm under the signature; it must be the same.
        signature: The signature; for GOST s‖r, big-endian.
        extensions: All the extensions as they came.
        crl_number: Number of the list.
        base_crl_number: For a delta list, the number of the full list it adds to.
        issuing_distribution_point: What the list covers; ``None`` for everything of the issuer.
        authority_key_identifier: Which key signed.
        freshest_crl: Where delta lists are.
    """

    der: bytes
    tbs_der: bytes
    version: int
    issuer: Name
    this_update: datetime
    next_update: datetime | None
    entries: tuple[RevokedEntry, ...]
    signature_algorithm: AlgorithmIdentifier
    tbs_signature_algorithm: AlgorithmIdentifier
    signature: bytes
    extensions: tuple[Extension, ...] = ()
    crl_number: int | None = None
    base_crl_number: int | None = None
    issuing_distribution_point: IssuingDistributionPoint | None = None
    authority_key_identifier: AuthorityKeyIdentifier | None = None
    freshest_crl: tuple[DistributionPoint, ...] = ()

    @property
    def is_delta(self) -> bool:
        """Whether it only lists what changed since another list."""
        return self.base_crl_number is not None

    def find(self, serial_number: int, issuer: Name | None = None) -> RevokedEntry | None:
        """Return the last line about a certificate.

        Args:
            serial_number: Serial number of the certificate.
            issuer: Its issuer; when omitted, the issuer of the list.
        """
        issuer = issuer or self.issuer
        for entry in reversed(self.entries):
            if entry.serial_number == serial_number and issuer.matches(
                entry.certificate_issuer or self.issuer
            ):
                return entry
        return None


def read_crl(element: Element) -> RevocationList:
    """Read a ``CertificateList``."""
    tbs, algorithm, signature = read_signed(element, "tbsCertList")
    with tbs.fields() as fields:
        version = fields.maybe(INTEGER, "version")
        tbs_algorithm = read_algorithm(fields.sequence("signature"))
        issuer = read_name(fields.sequence("issuer"))
        this_update = fields.time("thisUpdate")
        next_update = fields.time("nextUpdate") if fields.peek() in TIMES else None
        revoked = fields.maybe(SEQUENCE, "revokedCertificates")
        wrapped = fields.maybe(constructed(0), "crlExtensions")
    found = read_extension_elements(wrapped.only(SEQUENCE, "list")) if wrapped else {}

    def value(oid: str) -> Element | None:
        return found[oid][1] if oid in found else None

    number, base = value(oids.CRL_NUMBER), value(oids.DELTA_CRL_INDICATOR)
    covered = value(oids.ISSUING_DISTRIBUTION_POINT)
    key, freshest = value(oids.AUTHORITY_KEY_IDENTIFIER), value(oids.FRESHEST_CRL)
    return RevocationList(
        der=element.der,
        tbs_der=tbs.der,
        version=version.integer() + 1 if version else 1,
        issuer=issuer,
        this_update=this_update,
        next_update=next_update,
        entries=_read_entries(revoked) if revoked else (),
        signature_algorithm=algorithm,
        tbs_signature_algorithm=tbs_algorithm,
        signature=signature,
        extensions=tuple(extension for extension, _ in found.values()),
        crl_number=number.only(INTEGER, "number").integer() if number else None,
        base_crl_number=base.only(INTEGER, "number").integer() if base else None,
        issuing_distribution_point=_read_issuing_point(covered) if covered else None,
        authority_key_identifier=read_authority_key_identifier(key) if key else None,
        freshest_crl=read_distribution_points(freshest) if freshest else (),
    )


def decode_crl(data: bytes, limits: Limits = CRL_LIMITS) -> RevocationList:
    """Decode a certificate revocation list in DER.

    Raises:
        MalformedError: It is something else.
        BudgetExceeded: It is too large.
    """
    return read_crl(open_der("revocation list", data, limits))


def encode_crl_tbs(
    *,
    issuer: Name,
    this_update: datetime,
    next_update: datetime | None,
    entries: Iterable[RevokedEntry],
    signature_algorithm: AlgorithmIdentifier,
    extensions: Iterable[Extension] = (),
) -> bytes:
    """Encode the part of a revocation list that is signed (version 2); join with `assemble_signed`.

    Of an entry the serial number, the dates, the reason and the certificate issuer are written;
    its ``extensions`` are not looked at.

    Raises:
        UsageError: A moment has no time zone.
    """
    return der.sequence(
        der.integer(1),
        encode_algorithm(signature_algorithm),
        issuer.der,
        der.time(this_update),
        der.time(next_update) if next_update else None,
        der.optional_sequence(map(_entry, entries)),
        der.explicit(0, der.optional_sequence(map(encode_extension, extensions))),
    )


def reason_number(reason: str) -> int:
    """Return the number of a reason of `REASONS`."""
    return next(number for number, name in REASONS.items() if name == reason)


def read_reason(element: Element) -> str:
    """Read a ``CRLReason``."""
    reason = REASONS.get(element.integer())
    if reason is None:
        raise element.error("an unknown reason")
    return reason


def _read_entries(element: Element) -> tuple[RevokedEntry, ...]:
    entries: list[RevokedEntry] = []
    issuer: Name | None = None
    for each in element.each(SEQUENCE, "revokedCertificate"):
        with each.fields() as fields:
            serial = fields.integer("userCertificate")
            date = fields.time("revocationDate")
            listed = fields.maybe(SEQUENCE, "crlEntryExtensions")
        reason = invalidity = None
        extensions: list[Extension] = []
        for oid, (extension, value) in read_extension_elements(listed).items() if listed else ():
            extensions.append(extension)
            if oid == oids.CRL_REASON:
                reason = read_reason(value.only(ENUMERATED, "reason"))
            elif oid == oids.INVALIDITY_DATE:
                with value.fields() as fields:
                    invalidity = fields.time("invalidityDate")
            elif oid == oids.CERTIFICATE_ISSUER:
                issuer = (
                    _directory_name(read_general_names(value.only(SEQUENCE, "names"))) or issuer
                )
        entries.append(
            RevokedEntry(
                serial_number=serial,
                revocation_date=date,
                reason=reason,
                invalidity_date=invalidity,
                certificate_issuer=issuer,
                extensions=tuple(extensions),
            )
        )
    return tuple(entries)


def _directory_name(names: tuple[GeneralName, ...]) -> Name | None:
    return next((each.value for each in names if isinstance(each.value, Name)), None)


def _read_issuing_point(value: Element) -> IssuingDistributionPoint:
    with value.only(SEQUENCE, "issuingDistributionPoint").fields() as fields:
        name = fields.maybe(constructed(0), "distributionPoint")
        users = fields.maybe(context(1), "onlyContainsUserCerts")
        authorities = fields.maybe(context(2), "onlyContainsCACerts")
        reasons = fields.maybe(context(3), "onlySomeReasons")
        indirect = fields.maybe(context(4), "indirectCRL")
        attributes = fields.maybe(context(5), "onlyContainsAttributeCerts")
    names, relative = read_distribution_point_name(name) if name else ((), None)
    return IssuingDistributionPoint(
        names=names,
        relative_name=relative,
        only_user_certificates=users is not None and users.boolean(),
        only_ca_certificates=authorities is not None and authorities.boolean(),
        only_reasons=read_reasons(reasons) if reasons else None,
        indirect=indirect is not None and indirect.boolean(),
        only_attribute_certificates=attributes is not None and attributes.boolean(),
    )


def _entry(entry: RevokedEntry) -> bytes:
    found: list[Extension] = []
    if entry.reason is not None:
        found.append(Extension(oids.CRL_REASON, False, der.enumerated(reason_number(entry.reason))))
    if entry.invalidity_date is not None:
        date = der.generalized_time(entry.invalidity_date)
        found.append(Extension(oids.INVALIDITY_DATE, False, date))
    if entry.certificate_issuer is not None:
        names = der.sequence(der.tlv(constructed(4), entry.certificate_issuer.der))
        found.append(Extension(oids.CERTIFICATE_ISSUER, True, names))
    return der.sequence(
        der.integer(entry.serial_number),
        der.time(entry.revocation_date),
        der.optional_sequence(map(encode_extension, found)),
    )
