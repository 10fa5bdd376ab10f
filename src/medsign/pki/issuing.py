"""Issuing certificates, requests and revocation lists: for the sandbox, tests and УНЭП.

A template says what a kind of certificate holds; who, when and by whom are arguments.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

import attrs

from medsign.clock import aware
from medsign.codec.asn1 import (
    Attribute,
    AuthorityKeyIdentifier,
    BasicConstraints,
    Certificate,
    CertificateRequest,
    Extension,
    IssuerSignTool,
    Name,
    PrivateKeyUsagePeriod,
    RevocationList,
    RevokedEntry,
    assemble_signed,
    decode_certificate,
    decode_crl,
    decode_request,
    encode_certificate_tbs,
    encode_crl_tbs,
    encode_request_info,
    make_name,
    oids,
)
from medsign.codec.asn1 import extension_values as ext
from medsign.errors import UsageError
from medsign.gost import Provider, PublicKey
from medsign.pki.keys import key_octets, public_key_info
from medsign.pki.signatures import SignatureCheck, hash_octets, verify_signature
from medsign.pki.signing import DigestSigner, Signer, sign, signature_algorithm

_PERSON_FIELDS = (
    ("inn_legal", oids.INN_LEGAL_ENTITY),
    ("snils", oids.SNILS),
    ("ogrn", oids.OGRN),
    ("ogrnip", oids.OGRNIP),
    ("inn", oids.INN),
    ("email", oids.EMAIL),
    ("country", oids.COUNTRY),
    ("region", oids.STATE),
    ("locality", oids.LOCALITY),
    ("street", oids.STREET),
    ("organization", oids.ORGANIZATION),
    ("common_name", oids.COMMON_NAME),
    ("position", oids.TITLE),
    ("given_names", oids.GIVEN_NAME),
    ("surname", oids.SURNAME),
)


def subject_name(*, country: str = "RU", **values: str) -> Name:
    """Make the name of an owner with the attributes of приказ ФСБ 795, in their usual order.

    Args:
        country: ``RU``.
        values: ``surname``, ``given_names`` («Имя Отчество»), ``common_name``, ``inn``,
            ``snils``, ``inn_legal``, ``ogrn``, ``ogrnip``, ``organization``, ``position``,
            ``email``, ``region`` («78 г. Санкт-Петербург»), ``locality``, ``street``. Without a
            common name it is the surname and given names, or else the organisation.

    Raises:
        UsageError: There is no such attribute, or a value does not fit its string type.

    Example:
        >>> subject_name(surname="Тестова", given_names="Анна Петровна").get(oids.COMMON_NAME)
        'Тестова Анна Петровна'
    """
    known = dict(_PERSON_FIELDS)
    if unknown := values.keys() - known.keys():
        raise UsageError(f"no attribute of a subject: {', '.join(sorted(unknown))}")
    full_name = " ".join(values[key] for key in ("surname", "given_names") if key in values)
    given = {"country": country, "common_name": full_name or values.get("organization", "")}
    given |= values
    return make_name((oid, given[field]) for field, oid in _PERSON_FIELDS if given.get(field))


def random_serial(random: Callable[[int], bytes] = secrets.token_bytes) -> int:
    """Return a serial number: positive, 16 octets, 126 bits of them random (RFC 5280 §4.1.2.2).

    Args:
        random: Returns so many random octets.

    Example:
        >>> random_serial(bytes).bit_length()
        127
    """
    return int.from_bytes(random(16)) >> 2 | 1 << 126


@attrs.frozen(kw_only=True)
class CertificateTemplate:
    """What a kind of certificate holds.

    Attributes:
        lifetime: Time of validity.
        key_usage: Names of `medsign.codec.asn1.extensions.KEY_USAGES`.
        purposes: Object identifiers of extended key usage.
        purposes_critical: Whether they are critical; of a time stamp service they must be.
        constraints: Whether it is an authority; ``None`` writes no extension.
        policies: Policies, for instance classes of the signature tool.
        subject_sign_tool: Средство ЭП владельца.
        issuer_sign_tool: Средства ЭП и УЦ издателя.
        identification_kind: How the owner was identified, see `Extended`.
        key_period: How long the private key may sign.
        ocsp_no_check: Whether the status of the certificate need not be asked.
        ocsp_urls: Where the status is asked.
        issuer_urls: Where the issuer's certificate is.
        crl_urls: Where revocation lists are.
        others: Further extensions.
    """

    lifetime: timedelta
    key_usage: tuple[str, ...]
    purposes: tuple[str, ...] = ()
    purposes_critical: bool = False
    constraints: BasicConstraints | None = None
    policies: tuple[str, ...] = ()
    subject_sign_tool: str | None = None
    issuer_sign_tool: IssuerSignTool | None = None
    identification_kind: int | None = None
    key_period: timedelta | None = None
    ocsp_no_check: bool = False
    ocsp_urls: tuple[str, ...] = ()
    issuer_urls: tuple[str, ...] = ()
    crl_urls: tuple[str, ...] = ()
    others: tuple[Extension, ...] = ()

    def extensions(
        self, key_identifier: bytes, issuer_key_identifier: bytes | None, not_before: datetime
    ) -> Iterator[Extension]:
        """Yield the extensions of a certificate.

        Args:
            key_identifier: Identifier of its key.
            issuer_key_identifier: Identifier of the issuer's key, ``None`` for a root.
            not_before: First moment of validity.
        """
        if self.constraints is not None:
            yield ext.basic_constraints(self.constraints)
        yield ext.key_usage(*self.key_usage)
        if self.purposes:
            yield ext.extended_key_usage(*self.purposes, critical=self.purposes_critical)
        yield ext.subject_key_identifier(key_identifier)
        if issuer_key_identifier is not None:
            yield ext.authority_key_identifier(AuthorityKeyIdentifier(issuer_key_identifier))
        if self.policies:
            yield ext.certificate_policies(*self.policies)
        if self.key_period is not None:
            period = PrivateKeyUsagePeriod(not_before, not_before + self.key_period)
            yield ext.private_key_usage_period(period)
        if self.subject_sign_tool is not None:
            yield ext.subject_sign_tool(self.subject_sign_tool)
        if self.issuer_sign_tool is not None:
            yield ext.issuer_sign_tool(self.issuer_sign_tool)
        if self.identification_kind is not None:
            yield ext.identification_kind(self.identification_kind)
        if self.ocsp_no_check:
            yield ext.ocsp_no_check()
        if self.ocsp_urls or self.issuer_urls:
            yield ext.authority_information_access(ocsp=self.ocsp_urls, ca_issuers=self.issuer_urls)
        if self.crl_urls:
            yield ext.crl_distribution_points(*self.crl_urls)
        yield from self.others


_YEAR = timedelta(days=365)
_SIGNATURE_TOOL = "medsign (тестовое средство ЭП)"
_AUTHORITY_TOOLS = IssuerSignTool(
    _SIGNATURE_TOOL,
    "medsign (тестовое средство УЦ)",
    "не сертифицировано, только для испытаний",
    "не сертифицировано, только для испытаний",
)

QUALIFIED = CertificateTemplate(
    lifetime=_YEAR,
    key_usage=("digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment"),
    purposes=(oids.CLIENT_AUTH, oids.EMAIL_PROTECTION),
    policies=(oids.POLICY_KC1, oids.POLICY_KC2),
    subject_sign_tool=_SIGNATURE_TOOL,
    issuer_sign_tool=_AUTHORITY_TOOLS,
    identification_kind=0,
    key_period=_YEAR,
)
"""A person or the head of an organisation: everything a qualified certificate must hold."""

ROOT_CA = CertificateTemplate(
    lifetime=18 * _YEAR,
    key_usage=("keyCertSign", "cRLSign"),
    constraints=BasicConstraints(ca=True),
    policies=(oids.POLICY_KC1, oids.POLICY_KC2),
    subject_sign_tool=_SIGNATURE_TOOL,
    issuer_sign_tool=_AUTHORITY_TOOLS,
)
"""A root; for `issue_root`."""

SUBORDINATE_CA = attrs.evolve(
    ROOT_CA, lifetime=15 * _YEAR, constraints=BasicConstraints(ca=True, path_length=0)
)
"""An authority that issues to owners only."""

TIMESTAMP_SERVICE = attrs.evolve(
    QUALIFIED,
    key_usage=("digitalSignature", "nonRepudiation"),
    purposes=(oids.TIME_STAMPING,),
    purposes_critical=True,
)
"""A time stamp service (RFC 3161 §2.3)."""

OCSP_SERVICE = attrs.evolve(
    QUALIFIED,
    key_usage=("digitalSignature", "nonRepudiation"),
    purposes=(oids.OCSP_SIGNING,),
    ocsp_no_check=True,
)
"""An OCSP service charged by its authority (RFC 6960 §4.2.2.2)."""


def key_identifier(key: PublicKey) -> bytes:
    """Return the usual identifier of a key: SHA-1 of its bit string, 20 octets."""
    return hash_octets(oids.SHA1, key_octets(key))


def issue_certificate(
    template: CertificateTemplate,
    *,
    subject: Name,
    key: PublicKey,
    issuer: Signer,
    not_before: datetime,
    serial_number: int | None = None,
    provider: Provider | None = None,
) -> Certificate:
    """Issue a certificate.

    Args:
        template: What it holds.
        subject: Whose it is; see `subject_name`.
        key: The owner's key.
        issuer: The authority.
        not_before: First moment of validity; aware.
        serial_number: Serial number; by default a random one.
        provider: Who hashes; by default `medsign.gost.default_provider`.

    Raises:
        UsageError: The moment has no time zone.
    """
    authority = issuer.certificate
    return _issue(
        template,
        subject=subject,
        key=key,
        issuer=authority.subject,
        issuer_key_identifier=(
            authority.subject_key_identifier or key_identifier(issuer.public_key)
        ),
        signer=issuer,
        not_before=not_before,
        serial_number=serial_number,
        provider=provider,
    )


def issue_root(
    template: CertificateTemplate,
    *,
    subject: Name,
    signer: DigestSigner,
    not_before: datetime,
    serial_number: int | None = None,
    provider: Provider | None = None,
) -> Certificate:
    """Issue a certificate that its own key signs.

    Args:
        template: What it holds.
        subject: Whose it is.
        signer: Its key.
        not_before: First moment of validity; aware.
        serial_number: Serial number; by default a random one.
        provider: Who hashes; by default `medsign.gost.default_provider`.

    Raises:
        UsageError: The moment has no time zone.
    """
    return _issue(
        template,
        subject=subject,
        key=signer.public_key,
        issuer=subject,
        issuer_key_identifier=None,
        signer=signer,
        not_before=not_before,
        serial_number=serial_number,
        provider=provider,
    )


def make_request(
    subject: Name,
    signer: DigestSigner,
    *,
    extensions: Iterable[Extension] = (),
    attributes: Iterable[Attribute] = (),
    provider: Provider | None = None,
) -> CertificateRequest:
    """Make a request for a certificate (PKCS#10), signed by the key in it.

    Args:
        subject: Whose certificate is wanted.
        signer: The future owner's key.
        extensions: Extensions wanted.
        attributes: Further attributes.
        provider: Who hashes; by default `medsign.gost.default_provider`.

    Example:
        >>> from medsign.signers import SoftwareKey
        >>> request = make_request(subject_name(surname="Тестова"), SoftwareKey.generate())
        >>> bool(check_request(request))
        True
    """
    info = encode_request_info(subject, public_key_info(signer.public_key), extensions, attributes)
    return decode_request(_signed(info, signer, provider))


def check_request(
    request: CertificateRequest, *, provider: Provider | None = None
) -> SignatureCheck:
    """Check that who asks for a certificate has the private key."""
    return verify_signature(
        request.public_key,
        request.signature_algorithm,
        request.info_der,
        request.signature,
        provider=provider,
    )


def issue_crl(
    issuer: Signer,
    *,
    number: int,
    this_update: datetime,
    next_update: datetime | None,
    entries: Iterable[RevokedEntry] = (),
    extensions: Iterable[Extension] = (),
    provider: Provider | None = None,
) -> RevocationList:
    """Issue a revocation list.

    Args:
        issuer: The authority.
        number: Number of the list; it only grows.
        this_update: When it is made; aware.
        next_update: When the next one comes at the latest.
        entries: What is revoked.
        extensions: Further extensions of the list.
        provider: Who hashes; by default `medsign.gost.default_provider`.

    Raises:
        UsageError: A moment has no time zone.
    """
    authority = issuer.certificate
    identifier = authority.subject_key_identifier or key_identifier(issuer.public_key)
    tbs = encode_crl_tbs(
        issuer=authority.subject,
        this_update=this_update,
        next_update=next_update,
        entries=entries,
        signature_algorithm=signature_algorithm(issuer),
        extensions=(
            ext.authority_key_identifier(AuthorityKeyIdentifier(identifier)),
            ext.crl_number(number),
            *extensions,
        ),
    )
    return decode_crl(_signed(tbs, issuer, provider))


def _issue(
    template: CertificateTemplate,
    *,
    subject: Name,
    key: PublicKey,
    issuer: Name,
    issuer_key_identifier: bytes | None,
    signer: DigestSigner,
    not_before: datetime,
    serial_number: int | None,
    provider: Provider | None,
) -> Certificate:
    not_before = aware(not_before)
    extensions = template.extensions(key_identifier(key), issuer_key_identifier, not_before)
    tbs = encode_certificate_tbs(
        serial_number=random_serial() if serial_number is None else serial_number,
        issuer=issuer,
        subject=subject,
        not_before=not_before,
        not_after=not_before + template.lifetime,
        public_key=public_key_info(key),
        signature_algorithm=signature_algorithm(signer),
        extensions=extensions,
    )
    return decode_certificate(_signed(tbs, signer, provider))


def _signed(body: bytes, signer: DigestSigner, provider: Provider | None) -> bytes:
    return assemble_signed(body, signature_algorithm(signer), sign(signer, body, provider=provider))
