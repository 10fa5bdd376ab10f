"""An invented authority, its people and its services."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from medsign import cms
from medsign.codec.asn1 import (
    Certificate,
    RevokedEntry,
    SingleResponse,
    decode_timestamp_request,
)
from medsign.gost import (
    DigestAlgorithm,
    PrivateKey,
    PublicKey,
    default_provider,
    param_set,
)
from medsign.pki import issuing
from medsign.pki.ocsp import ocsp_cert_id, ocsp_response
from medsign.pki.timestamp import message_imprint, timestamp_request, timestamp_response
from medsign.pki.trust import TrustStore

START = datetime(2026, 1, 1, tzinfo=UTC)
SIGNED = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
CONTENT = "Согласие на медицинское вмешательство".encode()
CRYPTOPRO_A = "1.2.643.2.2.35.1"
TC26_256_A = "1.2.643.7.1.2.1.1.1"
TC26_512_A = "1.2.643.7.1.2.1.2.1"


@attrs.frozen
class KeySigner:
    """A key in memory with its certificate."""

    key: PrivateKey
    owned: Certificate | None = None

    @property
    def public_key(self) -> PublicKey:
        return self.key.public_key()

    @property
    def digest_algorithm(self) -> DigestAlgorithm:
        return self.key.params.digest

    @property
    def certificate(self) -> Certificate:
        assert self.owned is not None
        return self.owned

    def sign_digest(self, digest: bytes) -> bytes:
        return default_provider().sign(self.key, digest)


def new_key(curve: str = CRYPTOPRO_A) -> KeySigner:
    return KeySigner(default_provider().generate(param_set(curve)))


@attrs.frozen
class Authority:
    """A root that issues to people and services, and answers for them."""

    root: KeySigner
    stamper: KeySigner

    @property
    def trust(self) -> TrustStore:
        return TrustStore([self.root.certificate])

    def issue(
        self,
        template: issuing.CertificateTemplate = issuing.QUALIFIED,
        curve: str = CRYPTOPRO_A,
        not_before: datetime = START,
    ) -> KeySigner:
        owner = new_key(curve)
        subject = issuing.subject_name(
            surname="Тестова", given_names="Анна Петровна", inn="999999999999", snils="99999999999"
        )
        return self._issued(owner, template, subject, not_before)

    def _issued(self, owner, template, subject, not_before):
        certificate = issuing.issue_certificate(
            template,
            subject=subject,
            key=owner.public_key,
            issuer=self.root,
            not_before=not_before,
        )
        return attrs.evolve(owner, owned=certificate)

    def crl(self, at: datetime, *revoked: tuple[Certificate, datetime], reason="superseded"):
        return issuing.issue_crl(
            self.root,
            number=1,
            this_update=at,
            next_update=at + 7 * DAY,
            entries=[
                RevokedEntry(
                    serial_number=each.serial_number, revocation_date=moment, reason=reason
                )
                for each, moment in revoked
            ],
        )

    def ocsp(self, certificate: Certificate, at: datetime) -> bytes:
        single = SingleResponse(
            cert_id=ocsp_cert_id(certificate, self.root.certificate),
            status="good",
            this_update=at,
            next_update=at + HOUR,
        )
        return ocsp_response([single], self.root, produced_at=at)

    def stamp(self, data: bytes, at: datetime, stamper: KeySigner | None = None) -> bytes:
        request = decode_timestamp_request(timestamp_request(message_imprint(data), nonce=7))
        return timestamp_response(
            request,
            stamper or self.stamper,
            policy="1.2.643.2.2.38.4",
            serial_number=1,
            gen_time=at,
        )


def make_authority(curve: str = CRYPTOPRO_A) -> Authority:
    root = new_key(curve)
    certificate = issuing.issue_root(
        issuing.ROOT_CA,
        subject=issuing.subject_name(organization="Тестовый УЦ"),
        signer=root,
        not_before=START - 400 * DAY,
    )
    authority = Authority(attrs.evolve(root, owned=certificate), root)
    lasting = attrs.evolve(issuing.TIMESTAMP_SERVICE, lifetime=3650 * DAY)
    stamper = authority._issued(
        new_key(curve), lasting, issuing.subject_name(organization="Служба штампов"), START
    )
    return attrs.evolve(authority, stamper=stamper)


@pytest.fixture(scope="session")
def authority() -> Authority:
    return make_authority()


@pytest.fixture(scope="session")
def signer(authority: Authority) -> KeySigner:
    return authority.issue()


@pytest.fixture(scope="session")
def detached(signer: KeySigner) -> bytes:
    return cms.sign(CONTENT, signer, at=SIGNED)


@pytest.fixture(scope="session")
def stamped(detached: bytes, authority: Authority) -> bytes:
    """Return CAdES-T, stamped a minute after the signing."""
    response = authority.stamp(cms.signature_value(detached), SIGNED + timedelta(minutes=1))
    return cms.add_timestamp(detached, response)
