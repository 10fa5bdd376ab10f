"""A small authority with everybody it needs, made once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from medsign.codec.asn1 import Certificate, Name, decode_certificate
from medsign.pki.issuing import (
    OCSP_SERVICE,
    QUALIFIED,
    ROOT_CA,
    SUBORDINATE_CA,
    TIMESTAMP_SERVICE,
    CertificateTemplate,
    issue_certificate,
    issue_root,
    subject_name,
)
from medsign.pki.trust import TrustStore
from medsign.signers import SoftwareKey, SoftwareSigner

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@attrs.frozen(kw_only=True)
class Authority:
    """A root, an authority below it, and whom it certified."""

    root: SoftwareSigner
    ca: SoftwareSigner
    person: SoftwareSigner
    tsa: SoftwareSigner
    responder: SoftwareSigner

    @property
    def trust(self) -> TrustStore:
        return TrustStore([self.root.certificate])

    def certify(
        self,
        template: CertificateTemplate,
        *,
        issuer: SoftwareSigner | None = None,
        subject: Name | None = None,
        key: SoftwareKey | None = None,
        not_before: datetime = NOW - DAY,
    ) -> SoftwareSigner:
        return certify(template, issuer or self.ca, subject or PERSON, key, not_before)


PERSON = subject_name(
    surname="Тестова",
    given_names="Анна Петровна",
    inn="999900000097",
    snils="99900000115",
    email="anna@test.invalid",
    region="78 г. Санкт-Петербург",
)


def organization(name: str) -> Name:
    return subject_name(organization=name, inn_legal="9999000006", ogrn="1999900000000")


def certify(
    template: CertificateTemplate,
    issuer: SoftwareSigner,
    subject: Name,
    key: SoftwareKey | None = None,
    not_before: datetime = NOW - DAY,
) -> SoftwareSigner:
    key = key or SoftwareKey.generate(issuer.public_key.params)
    certificate = issue_certificate(
        template, subject=subject, key=key.public_key, issuer=issuer, not_before=not_before
    )
    return key.certified(certificate)


def make_authority(curve: str) -> Authority:
    root_key = SoftwareKey.generate(curve)
    start = NOW - 400 * DAY
    root = root_key.certified(
        issue_root(
            ROOT_CA,
            subject=organization("Тестовый головной УЦ"),
            signer=root_key,
            not_before=start,
        )
    )
    ca = certify(SUBORDINATE_CA, root, organization("Тестовый УЦ"), not_before=start)
    return Authority(
        root=root,
        ca=ca,
        person=certify(QUALIFIED, ca, PERSON),
        tsa=certify(TIMESTAMP_SERVICE, ca, organization("Служба штампов")),
        responder=certify(OCSP_SERVICE, ca, organization("Служба статусов")),
    )


@pytest.fixture(scope="session")
def authority() -> Authority:
    return make_authority("1.2.643.2.2.35.1")


@pytest.fixture(scope="session")
def now() -> datetime:
    """Return a moment at which everything of the authority is valid."""
    return NOW


@pytest.fixture(scope="session")
def flipped():
    """Return `flipped(certificate)`: the certificate with the last bit of its signature changed."""

    def flip(certificate: Certificate) -> Certificate:
        return decode_certificate(certificate.der[:-1] + bytes((certificate.der[-1] ^ 1,)))

    return flip
