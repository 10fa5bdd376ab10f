"""An invented clinic whose people sign XML."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from medsign.pki import issuing
from medsign.signers import SoftwareKey, SoftwareSigner

CRYPTOPRO_A = "1.2.643.2.2.35.1"
TC26_512_A = "1.2.643.7.1.2.1.2.1"
START = datetime(2026, 1, 1, tzinfo=UTC)


def enrol(curve: str = CRYPTOPRO_A, surname: str = "Тестова") -> SoftwareSigner:
    key = SoftwareKey.generate(curve)
    return key.certified(
        issuing.issue_root(
            issuing.ROOT_CA,
            subject=issuing.subject_name(surname=surname, given_names="Анна Петровна"),
            signer=key,
            not_before=START,
        )
    )


@pytest.fixture(scope="session")
def doctor() -> SoftwareSigner:
    return enrol()


@pytest.fixture(scope="session")
def clinic() -> SoftwareSigner:
    return enrol(TC26_512_A, "Клиникина")
