"""The certification authorities of the world: root, two issuing УЦ, OCSP, time stamps.

All keys are GOST R 34.10-2012; certificates have the profile of приказ ФСБ 795. They are marked as
made for tests and chain to a root that nobody trusts outside a test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

import attrs

from medsign.ca.models import Authority
from medsign.ca.status import CERTIFICATE_STATUS, CertificateState
from medsign.codec.asn1 import (
    CertId,
    Certificate,
    Name,
    RevokedEntry,
    SingleResponse,
    decode_certificate,
    decode_ocsp_request,
    decode_timestamp_request,
    encode_ocsp_error,
    encode_timestamp_response,
    oids,
)
from medsign.errors import MalformedError, Unavailable, UsageError
from medsign.gost import PublicKey
from medsign.pki.accredited import (
    ACTIVE,
    AccreditationStatus,
    AccreditedCa,
    AccreditedList,
    Snapshot,
)
from medsign.pki.issuing import (
    OCSP_SERVICE,
    QUALIFIED,
    ROOT_CA,
    SUBORDINATE_CA,
    TIMESTAMP_SERVICE,
    CertificateTemplate,
    issue_certificate,
    issue_crl,
    issue_root,
    random_serial,
    subject_name,
)
from medsign.pki.keys import private_key_info
from medsign.pki.ocsp import ocsp_response
from medsign.pki.profile import FNS_OGRN
from medsign.pki.signatures import hash_octets
from medsign.pki.timestamp import timestamp_response
from medsign.pki.trust import TrustStore
from medsign.sandbox.world import World
from medsign.signers import SoftwareKey, SoftwareSigner, load_signer

TSP_POLICY: Final = "1.3.6.1.4.1.99999.1"
CRL_LIFETIME: Final = timedelta(hours=12)
_LONG = timedelta(days=3650)
_ROOT = "root"
_TSA = "tsa"
_GATEWAY = "gateway"
_ISSUERS: Mapping[str, Authority | None] = MappingProxyType(
    {_ROOT: None, **{str(authority): authority for authority in Authority}}
)


@attrs.frozen(kw_only=True)
class _Held:
    """A service's key and certificate, as they are kept."""

    key: bytes = attrs.field(repr=False)
    certificate: bytes


@attrs.frozen(kw_only=True)
class Issued:
    """A certificate in the register of an authority.

    Attributes:
        der: The certificate.
        authority: Who issued it.
        request_id: On which request; empty when it was made by `Pki.enrol`.
        owner: Which client of the УЦ asked for it.
        state: ``active``, ``hold`` or ``revoked``; expiry follows from the clock.
        changed_at: Since when it is held or revoked.
        reason: Why, a value of `medsign.codec.asn1.crl.REASONS`.
    """

    der: bytes
    authority: Authority
    request_id: str = ""
    owner: str = ""
    state: CertificateState = CertificateState.ACTIVE
    changed_at: datetime | None = None
    reason: str | None = None

    @property
    def certificate(self) -> Certificate:
        """The certificate, read."""
        return decode_certificate(self.der)

    def state_at(self, moment: datetime) -> CertificateState:
        """Return the state that it has at a moment not before `changed_at`."""
        over = moment > self.certificate.not_after and self.state is not CertificateState.REVOKED
        return CertificateState.EXPIRED if over else self.state


class Pki:
    """Keys and registers of the authorities; get it by ``world.part(Pki)``.

    Args:
        world: The world; keys and registers are kept on its shelf.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._held = world.drawer("pki.keys", _Held)
        self._register = world.drawer("pki.certificates", Issued)
        self._numbers = world.drawer("pki.numbers", int)
        self._signers: dict[str, SoftwareSigner] = {}
        if self._held.get(_ROOT) is None:
            self._found()

    @property
    def root(self) -> Certificate:
        """The trust anchor of the world."""
        return self._signer(_ROOT).certificate

    @property
    def trust(self) -> TrustStore:
        """What a client of the world trusts."""
        return TrustStore([self.root])

    def authority(self, authority: Authority) -> Certificate:
        """Return the certificate of an issuing authority."""
        return self._signer(authority).certificate

    @property
    def intermediates(self) -> tuple[Certificate, ...]:
        """The certificates of both issuing authorities."""
        return tuple(map(self.authority, Authority))

    @property
    def accredited(self) -> AccreditedList:
        """The list of accredited authorities: both issuing ones, ever since they exist."""
        authorities = tuple(
            AccreditedCa(
                name=each.subject.get(oids.ORGANIZATION) or "",
                ogrn=each.subject.get(oids.OGRN),
                number=None,
                statuses=(AccreditationStatus(ACTIVE, each.not_before),),
                certificates=(each,),
            )
            for each in self.intermediates
        )
        now = self._world.clock.now()
        return AccreditedList([Snapshot(version="1", made_at=now, authorities=authorities)])

    def issue(
        self,
        authority: Authority,
        subject: Name,
        key: PublicKey,
        *,
        template: CertificateTemplate = QUALIFIED,
        identification_kind: int = 0,
        request_id: str = "",
        owner: str = "",
        at: datetime | None = None,
    ) -> Certificate:
        """Issue a certificate and enter it in the register.

        Args:
            authority: Who issues.
            subject: Whose it is.
            key: The owner's key.
            template: What it holds; addresses of OCSP, CRL and issuer are added.
            identification_kind: How the owner was identified.
            request_id: On which request.
            owner: Which client of the УЦ asked for it.
            at: The moment of issue, where nobody looked at it; now by default.
        """
        template = attrs.evolve(template, identification_kind=identification_kind)
        at = at or self._world.clock.now()
        certificate = self._issue(authority, template, subject, key, at)
        issued = Issued(
            der=certificate.der, authority=authority, request_id=request_id, owner=owner
        )
        self._register.put(serial(certificate), issued)
        return certificate

    def enrol(self, authority: Authority, **subject: str) -> SoftwareSigner:
        """Return a new key with its qualified certificate, without any request.

        Args:
            authority: Who issues.
            subject: As `medsign.pki.issuing.subject_name` takes it.
        """
        key = SoftwareKey.generate()
        return key.certified(self.issue(authority, subject_name(**subject), key.public_key))

    def find(self, serial_number: str) -> Issued | None:
        """Return a certificate of the register by its serial number in hexadecimal."""
        return self._register.get(serial_number)

    def issued(self) -> Iterator[tuple[str, Issued]]:
        """Yield serial numbers and certificates of the register, oldest first."""
        return self._register.items()

    def change(self, serial_number: str, event: str, reason: str | None = None) -> Issued:
        """Hold, unhold or revoke a certificate, as `CERTIFICATE_STATUS` allows.

        Raises:
            IllegalTransition: Its state does not allow the event.
            UsageError: There is no such certificate.
        """
        issued = self._register.get(serial_number)
        if issued is None:
            raise UsageError("the register has no such certificate")
        now = self._world.clock.now()
        state = CertificateState(CERTIFICATE_STATUS.apply(issued.state_at(now), event))
        active = state is CertificateState.ACTIVE
        changed = attrs.evolve(
            issued,
            state=state,
            changed_at=None if active else now,
            reason=None if active else reason,
        )
        self._register.put(serial_number, changed)
        return changed

    @property
    def gateway(self) -> SoftwareSigner:
        """The key that signs the answers of the gateway."""
        return self._signer(_GATEWAY)

    def of_fingerprint(self, fingerprint: str) -> Issued | None:
        """Return the register's entry of a certificate by its SHA-256."""
        found = (each for _, each in self.issued() if each.certificate.fingerprint == fingerprint)
        return next(found, None)

    def trusted(self, certificate: Certificate) -> Issued | None:
        """Return the register's entry of this very certificate, ``None`` when it has none."""
        issued = self._register.get(serial(certificate))
        return issued if issued and issued.der == certificate.der else None

    def crl(self, issuer: str) -> bytes | None:
        """Return DER of a new revocation list of an authority or the root, or ``None``."""
        if issuer not in _ISSUERS:
            return None
        now = self._world.clock.now()
        entries = [
            RevokedEntry(
                serial_number=int(number, 16),
                revocation_date=issued.changed_at,
                reason=issued.reason,
            )
            for number, issued in self._register.items()
            if issued.authority is _ISSUERS[issuer] and issued.changed_at
        ]
        return issue_crl(
            self._signer(issuer),
            number=self._next("crl"),
            this_update=now,
            next_update=now + CRL_LIFETIME,
            entries=entries,
        ).der

    def certificate_of(self, issuer: str) -> bytes | None:
        """Return DER of the certificate of an authority, the root or the gateway, or ``None``."""
        if issuer not in {*_ISSUERS, _GATEWAY}:
            return None
        return self._signer(issuer).certificate.der

    def answer_ocsp(self, request: bytes) -> bytes:
        """Return DER of the answer of the OCSP service (RFC 6960)."""
        try:
            asked = decode_ocsp_request(request)
        except MalformedError:
            return encode_ocsp_error("malformedRequest")
        issuers = {self._issuer_of(item) for item in asked.items}
        authority = issuers.pop() if len(issuers) == 1 else None
        if authority is None:  # one answer has one signature, so it is about one issuer
            return encode_ocsp_error("unauthorized")
        now = self._world.clock.now()
        return ocsp_response(
            [self._status(item, authority, now) for item in asked.items],
            self._signer(_responder(authority)),
            produced_at=now,
            nonce=asked.nonce,
        )

    def answer_timestamp(self, request: bytes) -> bytes:
        """Return DER of the answer of the time stamp service (RFC 3161)."""
        try:
            asked = decode_timestamp_request(request)
        except MalformedError:
            return encode_timestamp_response(status="rejection", failure="badDataFormat")
        return timestamp_response(
            asked,
            self._signer(_TSA),
            policy=TSP_POLICY,
            serial_number=self._next("stamp"),
            gen_time=self._world.clock.now(),
        )

    def _issuer_of(self, item: CertId) -> Authority | None:
        for authority in Authority:
            certificate = self.authority(authority)
            try:
                name = hash_octets(item.hash_oid, certificate.subject.der)
                key = hash_octets(item.hash_oid, certificate.public_key.octets)
            except Unavailable:
                return None
            if (name, key) == (item.issuer_name_hash, item.issuer_key_hash):
                return authority
        return None

    def _status(self, item: CertId, authority: Authority, now: datetime) -> SingleResponse:
        issued = self._register.get(f"{item.serial_number:x}")
        if issued is None or issued.authority is not authority:
            return SingleResponse(cert_id=item, status="unknown", this_update=now)
        return SingleResponse(
            cert_id=item,
            status="revoked" if issued.changed_at else "good",
            this_update=now,
            revoked_at=issued.changed_at,
            reason=issued.reason,
            # The register forgets nothing, so an answer on an expired certificate counts.
            archive_cutoff=self.authority(authority).not_before,
        )

    def _found(self) -> None:
        """Make the keys and certificates of the authorities and their services."""
        since = self._world.clock.now() - 2 * timedelta(days=365)
        root = SoftwareKey.generate()
        name = _office("Корневой УЦ (тестовый)", "9999000013", "9999999999913")
        self._keep(_ROOT, root, issue_root(ROOT_CA, subject=name, signer=root, not_before=since))
        names = {
            Authority.FNS: _office("УЦ ФНС (тестовый)", "9999000020", FNS_OGRN),
            Authority.COMMERCIAL: _office(
                "Аккредитованный УЦ (тестовый)", "9999000038", "9999999999924"
            ),
        }
        for authority, subject in names.items():
            key = SoftwareKey.generate()
            self._keep(
                authority, key, self._issue(_ROOT, SUBORDINATE_CA, subject, key.public_key, since)
            )
            self._hire(_responder(authority), authority, OCSP_SERVICE, "Служба OCSP", since)
        self._hire(_TSA, Authority.COMMERCIAL, TIMESTAMP_SERVICE, "Служба штампов времени", since)
        self._hire(_GATEWAY, Authority.COMMERCIAL, QUALIFIED, "Шлюз", since)

    def _hire(
        self,
        name: str,
        authority: Authority,
        template: CertificateTemplate,
        title: str,
        since: datetime,
    ) -> None:
        key = SoftwareKey.generate()
        template = attrs.evolve(template, lifetime=_LONG, key_period=_LONG)
        office = _office(f"{title} ({authority.label})", "9999000045", "9999999999935")
        certificate = self._issue(authority, template, office, key.public_key, since)
        self._register.put(serial(certificate), Issued(der=certificate.der, authority=authority))
        self._keep(name, key, certificate)

    def _issue(
        self,
        issuer: str,
        template: CertificateTemplate,
        subject: Name,
        key: PublicKey,
        not_before: datetime,
    ) -> Certificate:
        places = f"{self._world.base_url}/ca"
        template = attrs.evolve(
            template,
            ocsp_urls=() if issuer == _ROOT else (f"{self._world.base_url}/ocsp",),
            issuer_urls=(f"{places}/aia/{issuer}.cer",),
            crl_urls=(f"{places}/crl/{issuer}.crl",),
        )
        return issue_certificate(
            template,
            subject=subject,
            key=key,
            issuer=self._signer(issuer),
            not_before=not_before,
            serial_number=random_serial(self._world.entropy),
        )

    def _keep(self, name: str, key: SoftwareKey, certificate: Certificate) -> None:
        self._held.put(name, _Held(key=private_key_info(key.key), certificate=certificate.der))

    def _signer(self, name: str) -> SoftwareSigner:
        if name not in self._signers:
            held = self._held.get(name)
            assert held is not None
            self._signers[name] = load_signer(held.key, held.certificate)
        return self._signers[name]

    def _next(self, counter: str) -> int:
        number = (self._numbers.get(counter) or 0) + 1
        self._numbers.put(counter, number)
        return number


def serial(certificate: Certificate) -> str:
    """Return the serial number of a certificate in hexadecimal, as registers write it."""
    return f"{certificate.serial_number:x}"


def _responder(authority: Authority) -> str:
    return f"ocsp.{authority.value}"


def _office(name: str, inn_legal: str, ogrn: str) -> Name:
    return subject_name(
        organization=name,
        inn_legal=inn_legal,
        ogrn=ogrn,
        region="78 г. Санкт-Петербург",
        locality="Санкт-Петербург",
    )
