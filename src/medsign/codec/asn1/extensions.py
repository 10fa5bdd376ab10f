"""Extensions of certificates and requests (RFC 5280 4.2, приказ ФСБ 795).

`Extended` holds the extensions both as they came and as values. One table says which extension
fills which field; an extension that is not in the table stays as bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import attrs

from medsign.codec.asn1 import oids
from medsign.codec.asn1.door import (
    BIT_STRING,
    BOOLEAN,
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    Element,
    constructed,
    context,
    remembered,
)
from medsign.codec.asn1.names import GeneralName, read_general_name, read_general_names

KEY_USAGES = (
    "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
    "keyCertSign", "cRLSign", "encipherOnly", "decipherOnly",
)  # fmt: skip
#: Bits of ``ReasonFlags`` (RFC 5280 4.2.1.13).
REASON_FLAGS = (
    "unused", "keyCompromise", "cACompromise", "affiliationChanged", "superseded",
    "cessationOfOperation", "certificateHold", "privilegeWithdrawn", "aACompromise",
)  # fmt: skip


@attrs.frozen
class Extension:
    """An extension as it came.

    Attributes:
        oid: What it is.
        critical: Whether a reader that does not know it must refuse the whole.
        value: Contents of the wrapping octet string.
    """

    oid: str
    critical: bool
    value: bytes = attrs.field(repr=False)


@attrs.frozen
class BasicConstraints:
    """Whether the key signs certificates, and how many authorities may follow below."""

    ca: bool = False
    path_length: int | None = None


@attrs.frozen
class AuthorityKeyIdentifier:
    """Which key signed: by identifier, or by the issuer's issuer and serial number."""

    key_identifier: bytes | None = None
    issuer: tuple[GeneralName, ...] = ()
    serial_number: int | None = None


@attrs.frozen(kw_only=True)
class DistributionPoint:
    """A place where revocation lists are (RFC 5280 4.2.1.13).

    Attributes:
        names: Full names of the place; the ``uri`` ones are in `urls`.
        relative_name: DER of the name relative to the issuer, which nobody uses.
        reasons: The reasons that the lists there cover; ``None`` for all of them.
        crl_issuer: Who signs the lists when it is not the issuer of the certificate.
    """

    names: tuple[GeneralName, ...] = ()
    relative_name: bytes | None = None
    reasons: frozenset[str] | None = None
    crl_issuer: tuple[GeneralName, ...] = ()

    @property
    def urls(self) -> tuple[str, ...]:
        """Addresses of the lists, in order. They come from outside: treat them as hostile."""
        return _urls(self.names)


@attrs.frozen
class PolicyInformation:
    """A certificate policy; qualifiers are pairs of a type and DER."""

    oid: str
    qualifiers: tuple[tuple[str, bytes], ...] = ()


@attrs.frozen
class PrivateKeyUsagePeriod:
    """When the private key may sign, UTC."""

    not_before: datetime | None = None
    not_after: datetime | None = None


@attrs.frozen
class IssuerSignTool:
    """The tools of the authority (приказ ФСБ 795, extension 1.2.643.100.112).

    Attributes:
        sign_tool: Средство электронной подписи.
        ca_tool: Средство удостоверяющего центра.
        sign_tool_certificate: Реквизиты заключения на средство электронной подписи.
        ca_tool_certificate: Реквизиты заключения на средство удостоверяющего центра.
    """

    sign_tool: str
    ca_tool: str
    sign_tool_certificate: str
    ca_tool_certificate: str


@attrs.frozen
class NameConstraints:
    """Which names the certificates below may have.

    A subtree with a minimum or a maximum is refused at decoding, as RFC 5280 4.2.1.10 lets.
    """

    permitted: tuple[GeneralName, ...] = ()
    excluded: tuple[GeneralName, ...] = ()


@attrs.frozen
class PolicyConstraints:
    """After how many certificates a policy is required and mappings are forbidden."""

    require_explicit_policy: int | None = None
    inhibit_policy_mapping: int | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Extended:
    """The extensions of a certificate or of a request for one, as values.

    A field is ``None`` (or empty) when the extension is absent.

    Attributes:
        extensions: All the extensions as they came, in order.
        key_usage: Names of `KEY_USAGES`.
        extended_key_usage: Object identifiers of purposes.
        basic_constraints: Whether it is an authority.
        subject_key_identifier: Identifier of the key.
        authority_key_identifier: Identifier of the issuer's key.
        crl_distribution_points: Where revocation lists are.
        freshest_crl: Where delta lists are.
        authority_information: Pairs of an access method and a place; see also `ocsp_urls` and
            `ca_issuer_urls`.
        policies: Certificate policies, for instance the class of the signature tool.
        policy_mappings: Pairs of issuer's and subject's policies.
        policy_constraints: When policies are required.
        inhibit_any_policy: After how many certificates ``anyPolicy`` is void.
        private_key_usage_period: When the private key may sign.
        subject_sign_tool: Средство электронной подписи владельца (1.2.643.100.111).
        issuer_sign_tool: Средства издателя (1.2.643.100.112).
        identification_kind: How the owner was identified (1.2.643.100.114): 0 in person, 1 by a
            valid signature, 2 by a biometric passport, 3 by ЕСИА and ЕБС.
        subject_alternative_names: Other names of the subject.
        name_constraints: Names allowed below.
        ocsp_no_check: Whether the OCSP responder's own status need not be checked.
    """

    extensions: tuple[Extension, ...] = ()
    key_usage: frozenset[str] | None = None
    extended_key_usage: tuple[str, ...] | None = None
    basic_constraints: BasicConstraints | None = None
    subject_key_identifier: bytes | None = None
    authority_key_identifier: AuthorityKeyIdentifier | None = None
    crl_distribution_points: tuple[DistributionPoint, ...] = ()
    freshest_crl: tuple[DistributionPoint, ...] = ()
    authority_information: tuple[tuple[str, GeneralName], ...] = ()
    policies: tuple[PolicyInformation, ...] = ()
    policy_mappings: tuple[tuple[str, str], ...] = ()
    policy_constraints: PolicyConstraints | None = None
    inhibit_any_policy: int | None = None
    private_key_usage_period: PrivateKeyUsagePeriod | None = None
    subject_sign_tool: str | None = None
    issuer_sign_tool: IssuerSignTool | None = None
    identification_kind: int | None = None
    subject_alternative_names: tuple[GeneralName, ...] = ()
    name_constraints: NameConstraints | None = None
    ocsp_no_check: bool = False

    @property
    def ocsp_urls(self) -> tuple[str, ...]:
        """Where the status is asked; hostile like every address in a certificate."""
        return self._access(oids.ACCESS_OCSP)

    @property
    def ca_issuer_urls(self) -> tuple[str, ...]:
        """Where the issuer's certificate is; hostile like every address in a certificate."""
        return self._access(oids.ACCESS_CA_ISSUERS)

    def _access(self, wanted: str) -> tuple[str, ...]:
        return _urls(place for method, place in self.authority_information if method == wanted)

    def extension(self, oid: str) -> Extension | None:
        """Return an extension as it came, ``None`` when there is none."""
        return next((each for each in self.extensions if each.oid == oid), None)


def read_extension_elements(element: Element) -> dict[str, tuple[Extension, Element]]:
    """Read ``Extensions``, each with the element of its octet string.

    Raises:
        MalformedError: An extension is there twice.
    """
    found: dict[str, tuple[Extension, Element]] = {}
    for each in element.each(SEQUENCE, "extension"):
        extension, value = _read_extension(each)
        if extension.oid in found:
            raise each.error("the same extension twice")
        found[extension.oid] = extension, value
    return found


def read_extensions(element: Element | None) -> tuple[Extension, ...]:
    """Read ``Extensions`` as they came; an absent field is no extensions."""
    if element is None:
        return ()
    return tuple(extension for extension, _ in read_extension_elements(element).values())


def read_extended(element: Element | None) -> dict[str, Any]:
    """Read the ``Extensions`` of a certificate or request into the fields of `Extended`."""
    extensions: dict[str, Extension] = {}
    values: dict[str, Any] = {}
    for each in element.each(SEQUENCE, "extension") if element else ():
        extension, field, value = _read_value(each)
        if extension.oid in extensions:
            raise each.error("the same extension twice")
        extensions[extension.oid] = extension
        if field:
            values[field] = value
    return {"extensions": tuple(extensions.values()), **values}


def read_distribution_point_name(element: Element) -> tuple[tuple[GeneralName, ...], bytes | None]:
    """Read a ``DistributionPointName`` out of its explicit tag: full names, or a relative one."""
    with element.fields() as fields:
        if full := fields.maybe(constructed(0), "fullName"):
            return read_general_names(full), None
        return (), fields.take(constructed(1), "nameRelativeToCRLIssuer").der


def read_reasons(element: Element) -> frozenset[str]:
    """Read ``ReasonFlags``."""
    return _named(element, REASON_FLAGS)


def read_authority_key_identifier(value: Element) -> AuthorityKeyIdentifier:
    """Read an ``AuthorityKeyIdentifier`` out of its octet string."""
    with value.only(SEQUENCE, "authorityKeyIdentifier").fields() as fields:
        key = fields.maybe(context(0), "keyIdentifier")
        issuer = fields.maybe(constructed(1), "authorityCertIssuer")
        serial = fields.maybe(context(2), "authorityCertSerialNumber")
    return AuthorityKeyIdentifier(
        key.contents if key else None,
        read_general_names(issuer) if issuer else (),
        serial.integer() if serial else None,
    )


def read_distribution_points(value: Element) -> tuple[DistributionPoint, ...]:
    """Read ``CRLDistributionPoints`` out of their octet string."""
    points: list[DistributionPoint] = []
    for each in value.only(SEQUENCE, "points").each(SEQUENCE, "point"):
        with each.fields() as fields:
            name = fields.maybe(constructed(0), "distributionPoint")
            reasons = fields.maybe(context(1), "reasons")
            issuer = fields.maybe(constructed(2), "cRLIssuer")
        names, relative = read_distribution_point_name(name) if name else ((), None)
        points.append(
            DistributionPoint(
                names=names,
                relative_name=relative,
                reasons=read_reasons(reasons) if reasons else None,
                crl_issuer=read_general_names(issuer) if issuer else (),
            )
        )
    return tuple(points)


def _read_extension(element: Element) -> tuple[Extension, Element]:
    with element.fields() as fields:
        oid = fields.oid("extnID")
        critical = fields.maybe(BOOLEAN, "critical")
        value = fields.take(OCTET_STRING, oids.describe(oid))
    return Extension(oid, critical is not None and critical.boolean(), value.contents), value


@remembered(512)
def _read_value(element: Element) -> tuple[Extension, str, object]:
    """Read an extension, the field of `Extended` that it fills, if any, and the value for it."""
    extension, value = _read_extension(element)
    if extension.oid not in _FIELDS:
        return extension, "", None
    field, read = _FIELDS[extension.oid]
    return extension, field, read(value)


def _named(element: Element, names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(names[number] for number in element.bit_numbers() if number < len(names))


def _urls(names: Iterable[GeneralName]) -> tuple[str, ...]:
    return tuple(each.value for each in names if each.kind == "uri" and isinstance(each.value, str))


def _read_basic_constraints(value: Element) -> BasicConstraints:
    with value.only(SEQUENCE, "basicConstraints").fields() as fields:
        ca = fields.maybe(BOOLEAN, "cA")
        length = fields.maybe(INTEGER, "pathLenConstraint")
    if length and length.integer() < 0:
        raise length.error("a negative length")
    return BasicConstraints(ca is not None and ca.boolean(), length.integer() if length else None)


def _read_access(value: Element) -> tuple[tuple[str, GeneralName], ...]:
    access: list[tuple[str, GeneralName]] = []
    for each in value.only(SEQUENCE, "accessDescriptions").each(SEQUENCE, "accessDescription"):
        with each.fields() as fields:
            method = fields.oid("accessMethod")
            access.append((method, read_general_name(fields.take(None, "accessLocation"))))
    return tuple(access)


def _read_purposes(value: Element) -> tuple[str, ...]:
    return tuple(each.oid() for each in value.only(SEQUENCE, "purposes").each(OID, "purpose"))


def _read_policies(value: Element) -> tuple[PolicyInformation, ...]:
    policies: list[PolicyInformation] = []
    for each in value.only(SEQUENCE, "policies").each(SEQUENCE, "policy"):
        with each.fields() as fields:
            oid = fields.oid("policyIdentifier")
            listed = fields.maybe(SEQUENCE, "policyQualifiers")
        qualifiers = listed.each(SEQUENCE, "qualifier") if listed else ()
        policies.append(PolicyInformation(oid, tuple(map(_read_qualifier, qualifiers))))
    return tuple(policies)


def _read_qualifier(element: Element) -> tuple[str, bytes]:
    with element.fields() as fields:
        return fields.oid("policyQualifierId"), fields.take(None, "qualifier").der


def _read_mappings(value: Element) -> tuple[tuple[str, str], ...]:
    mappings: list[tuple[str, str]] = []
    for each in value.only(SEQUENCE, "mappings").each(SEQUENCE, "mapping"):
        with each.fields() as fields:
            mappings.append((fields.oid("issuerDomainPolicy"), fields.oid("subjectDomainPolicy")))
    return tuple(mappings)


def _read_policy_constraints(value: Element) -> PolicyConstraints:
    with value.only(SEQUENCE, "policyConstraints").fields() as fields:
        required = fields.maybe(context(0), "requireExplicitPolicy")
        inhibited = fields.maybe(context(1), "inhibitPolicyMapping")
    return PolicyConstraints(
        required.integer() if required else None, inhibited.integer() if inhibited else None
    )


def _read_usage_period(value: Element) -> PrivateKeyUsagePeriod:
    with value.only(SEQUENCE, "privateKeyUsagePeriod").fields() as fields:
        before = fields.maybe(context(0), "notBefore")
        after = fields.maybe(context(1), "notAfter")
    return PrivateKeyUsagePeriod(
        before.generalized_time() if before else None, after.generalized_time() if after else None
    )


def _read_issuer_sign_tool(value: Element) -> IssuerSignTool:
    with value.only(SEQUENCE, "issuerSignTool").fields() as fields:
        return IssuerSignTool(
            fields.text("signTool"),
            fields.text("cATool"),
            fields.text("signToolCert"),
            fields.text("cAToolCert"),
        )


def _read_name_constraints(value: Element) -> NameConstraints:
    with value.only(SEQUENCE, "nameConstraints").fields() as fields:
        permitted = fields.maybe(constructed(0), "permittedSubtrees")
        excluded = fields.maybe(constructed(1), "excludedSubtrees")
    return NameConstraints(_read_subtrees(permitted), _read_subtrees(excluded))


def _read_subtrees(element: Element | None) -> tuple[GeneralName, ...]:
    bases: list[GeneralName] = []
    for each in element.each(SEQUENCE, "subtree") if element else ():
        with each.fields() as fields:
            bases.append(read_general_name(fields.take(None, "base")))
    return tuple(bases)


# Which extension fills which field of `Extended`.
_FIELDS: Mapping[str, tuple[str, Callable[[Element], object]]] = MappingProxyType(
    {
        oids.KEY_USAGE: (
            "key_usage",
            lambda value: _named(value.only(BIT_STRING, "keyUsage"), KEY_USAGES),
        ),
        oids.EXTENDED_KEY_USAGE: ("extended_key_usage", _read_purposes),
        oids.BASIC_CONSTRAINTS: ("basic_constraints", _read_basic_constraints),
        oids.SUBJECT_KEY_IDENTIFIER: (
            "subject_key_identifier",
            lambda value: value.only(OCTET_STRING, "keyIdentifier").contents,
        ),
        oids.AUTHORITY_KEY_IDENTIFIER: ("authority_key_identifier", read_authority_key_identifier),
        oids.CRL_DISTRIBUTION_POINTS: ("crl_distribution_points", read_distribution_points),
        oids.FRESHEST_CRL: ("freshest_crl", read_distribution_points),
        oids.AUTHORITY_INFORMATION_ACCESS: ("authority_information", _read_access),
        oids.CERTIFICATE_POLICIES: ("policies", _read_policies),
        oids.POLICY_MAPPINGS: ("policy_mappings", _read_mappings),
        oids.POLICY_CONSTRAINTS: ("policy_constraints", _read_policy_constraints),
        oids.INHIBIT_ANY_POLICY: (
            "inhibit_any_policy",
            lambda value: value.only(INTEGER, "skipCerts").integer(),
        ),
        oids.PRIVATE_KEY_USAGE_PERIOD: ("private_key_usage_period", _read_usage_period),
        oids.SUBJECT_SIGN_TOOL: (
            "subject_sign_tool",
            lambda value: value.only(None, "text").text(),
        ),
        oids.ISSUER_SIGN_TOOL: ("issuer_sign_tool", _read_issuer_sign_tool),
        oids.IDENTIFICATION_KIND: (
            "identification_kind",
            lambda value: value.only(INTEGER, "identificationKind").integer(),
        ),
        oids.SUBJECT_ALTERNATIVE_NAME: (
            "subject_alternative_names",
            lambda value: read_general_names(value.only(SEQUENCE, "names")),
        ),
        oids.NAME_CONSTRAINTS: ("name_constraints", _read_name_constraints),
        # its presence is all it says, and a real responder leaves out the NULL inside
        oids.OCSP_NO_CHECK: ("ocsp_no_check", lambda _: True),
    }
)
