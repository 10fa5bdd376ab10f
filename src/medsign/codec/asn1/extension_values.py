"""Writing extensions: everything a Russian qualified certificate and its revocation list carry.

Each function returns an `Extension` with the criticality that RFC 5280 or приказ ФСБ 795 gives it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from medsign.codec.asn1 import der, oids
from medsign.codec.asn1.crl import IssuingDistributionPoint
from medsign.codec.asn1.door import constructed, context
from medsign.codec.asn1.extensions import (
    KEY_USAGES,
    REASON_FLAGS,
    AuthorityKeyIdentifier,
    BasicConstraints,
    DistributionPoint,
    Extension,
    IssuerSignTool,
    NameConstraints,
    PolicyConstraints,
    PolicyInformation,
    PrivateKeyUsagePeriod,
)
from medsign.codec.asn1.names import GeneralName, encode_general_name


def key_usage(*usages: str) -> Extension:
    """Return ``keyUsage``.

    Args:
        usages: Values of `KEY_USAGES`.

    Example:
        >>> key_usage("digitalSignature", "nonRepudiation").value.hex()
        '030206c0'
    """
    return _critical(oids.KEY_USAGE, der.named_bits(map(KEY_USAGES.index, usages)))


def extended_key_usage(*purposes: str, critical: bool = False) -> Extension:
    """Return ``extKeyUsage``; of a time stamp service it must be critical (RFC 3161 2.3)."""
    value = der.sequence(*map(der.oid, purposes))
    return Extension(oids.EXTENDED_KEY_USAGE, critical, value)


def basic_constraints(constraints: BasicConstraints) -> Extension:
    """Return ``basicConstraints``."""
    length = constraints.path_length
    value = der.sequence(
        der.true_or_absent(constraints.ca), None if length is None else der.integer(length)
    )
    return _critical(oids.BASIC_CONSTRAINTS, value)


def subject_key_identifier(identifier: bytes) -> Extension:
    """Return ``subjectKeyIdentifier``."""
    return _plain(oids.SUBJECT_KEY_IDENTIFIER, der.octets(identifier))


def authority_key_identifier(identifier: AuthorityKeyIdentifier) -> Extension:
    """Return ``authorityKeyIdentifier``."""
    key, serial = identifier.key_identifier, identifier.serial_number
    value = der.sequence(
        None if key is None else der.tlv(context(0), key),
        _names(1, identifier.issuer),
        None if serial is None else der.integer(serial, context(2)),
    )
    return _plain(oids.AUTHORITY_KEY_IDENTIFIER, value)


def crl_distribution_points(*points: DistributionPoint | str) -> Extension:
    """Return ``cRLDistributionPoints``; a bare address is a point of its own."""
    return _plain(oids.CRL_DISTRIBUTION_POINTS, der.sequence(*map(_point, points)))


def authority_information_access(
    *, ocsp: Iterable[str] = (), ca_issuers: Iterable[str] = ()
) -> Extension:
    """Return ``authorityInfoAccess``: where the status and the issuer's certificate are."""
    places = [(oids.ACCESS_OCSP, url) for url in ocsp]
    places += [(oids.ACCESS_CA_ISSUERS, url) for url in ca_issuers]
    return _plain(
        oids.AUTHORITY_INFORMATION_ACCESS,
        der.sequence(*(der.sequence(der.oid(method), _url(url)) for method, url in places)),
    )


def certificate_policies(*policies: PolicyInformation | str) -> Extension:
    """Return ``certificatePolicies``, for instance the classes of the owner's signature tool."""
    return _plain(oids.CERTIFICATE_POLICIES, der.sequence(*map(_policy, policies)))


def policy_constraints(constraints: PolicyConstraints) -> Extension:
    """Return ``policyConstraints``."""
    required, inhibited = constraints.require_explicit_policy, constraints.inhibit_policy_mapping
    value = der.sequence(
        None if required is None else der.integer(required, context(0)),
        None if inhibited is None else der.integer(inhibited, context(1)),
    )
    return _critical(oids.POLICY_CONSTRAINTS, value)


def name_constraints(constraints: NameConstraints) -> Extension:
    """Return ``nameConstraints``."""
    value = der.sequence(_subtrees(0, constraints.permitted), _subtrees(1, constraints.excluded))
    return _critical(oids.NAME_CONSTRAINTS, value)


def private_key_usage_period(period: PrivateKeyUsagePeriod) -> Extension:
    """Return ``privateKeyUsagePeriod``."""
    value = der.sequence(_moment(0, period.not_before), _moment(1, period.not_after))
    return _plain(oids.PRIVATE_KEY_USAGE_PERIOD, value)


def subject_alternative_name(*names: GeneralName) -> Extension:
    """Return ``subjectAltName``."""
    return _plain(oids.SUBJECT_ALTERNATIVE_NAME, der.sequence(*map(encode_general_name, names)))


def subject_sign_tool(tool: str) -> Extension:
    """Return ``subjectSignTool``: средство электронной подписи владельца, 1–200 characters."""
    return _plain(oids.SUBJECT_SIGN_TOOL, der.text(tool))


def issuer_sign_tool(tool: IssuerSignTool) -> Extension:
    """Return ``issuerSignTool``: средства электронной подписи и УЦ издателя."""
    texts = (tool.sign_tool, tool.ca_tool, tool.sign_tool_certificate, tool.ca_tool_certificate)
    return _plain(oids.ISSUER_SIGN_TOOL, der.sequence(*map(der.text, texts)))


def identification_kind(kind: int) -> Extension:
    """Return ``identificationKind``; for the numbers see `Extended`."""
    return _plain(oids.IDENTIFICATION_KIND, der.integer(kind))


def ocsp_no_check() -> Extension:
    """Return ``id-pkix-ocsp-nocheck``, for certificates of OCSP services."""
    return _plain(oids.OCSP_NO_CHECK, der.null())


def crl_number(number: int) -> Extension:
    """Return ``cRLNumber``."""
    return _plain(oids.CRL_NUMBER, der.integer(number))


def delta_crl_indicator(base_number: int) -> Extension:
    """Return ``deltaCRLIndicator``: the number of the full list that this one adds to."""
    return _critical(oids.DELTA_CRL_INDICATOR, der.integer(base_number))


def issuing_distribution_point(point: IssuingDistributionPoint) -> Extension:
    """Return ``issuingDistributionPoint``: what a revocation list covers."""
    value = der.sequence(
        _point_name(point.names, point.relative_name),
        der.implicit(1, der.true_or_absent(point.only_user_certificates)),
        der.implicit(2, der.true_or_absent(point.only_ca_certificates)),
        _reasons(3, point.only_reasons),
        der.implicit(4, der.true_or_absent(point.indirect)),
        der.implicit(5, der.true_or_absent(point.only_attribute_certificates)),
    )
    return _critical(oids.ISSUING_DISTRIBUTION_POINT, value)


def _plain(oid: str, value: bytes) -> Extension:
    return Extension(oid, critical=False, value=value)


def _critical(oid: str, value: bytes) -> Extension:
    return Extension(oid, critical=True, value=value)


def _url(url: str) -> bytes:
    return encode_general_name(GeneralName("uri", url))


def _names(number: int, names: tuple[GeneralName, ...]) -> bytes | None:
    return der.tlv(constructed(number), *map(encode_general_name, names)) if names else None


def _subtrees(number: int, bases: tuple[GeneralName, ...]) -> bytes | None:
    if not bases:
        return None
    return der.tlv(
        constructed(number), *(der.sequence(encode_general_name(each)) for each in bases)
    )


def _moment(number: int, moment: datetime | None) -> bytes | None:
    return der.implicit(number, der.generalized_time(moment) if moment else None)


def _reasons(number: int, reasons: frozenset[str] | None) -> bytes | None:
    if reasons is None:
        return None
    return der.implicit(number, der.named_bits(map(REASON_FLAGS.index, reasons)))


def _point_name(names: tuple[GeneralName, ...], relative: bytes | None) -> bytes | None:
    return der.explicit(0, _names(0, names) or relative)


def _point(point: DistributionPoint | str) -> bytes:
    if isinstance(point, str):
        point = DistributionPoint(names=(GeneralName("uri", point),))
    return der.sequence(
        _point_name(point.names, point.relative_name),
        _reasons(1, point.reasons),
        _names(2, point.crl_issuer),
    )


def _policy(policy: PolicyInformation | str) -> bytes:
    if isinstance(policy, str):
        policy = PolicyInformation(policy)
    qualifiers = (der.sequence(der.oid(oid), value) for oid, value in policy.qualifiers)
    return der.sequence(der.oid(policy.oid), der.optional_sequence(qualifiers))
