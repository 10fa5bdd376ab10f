"""An invented clinic whose people sign XML."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from medsign.codec.xml import Node, canonical, parse, serialize
from medsign.gost import digest
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


def resigned(
    signed: bytes,
    signer: SoftwareSigner,
    change: Callable[[Node], bytes],
    canonical_info: Callable[[Node], bytes] = canonical,
) -> bytes:
    """Sign anew, as another program would: `change` edits the tree and returns what is digested."""
    root, algorithm = parse(signed), signer.digest_algorithm
    signature = next(root.iter("{*}Signature"))
    hashed = digest(algorithm, change(root))
    next(signature.iter("{*}DigestValue")).text = b64encode(hashed).decode()
    info = canonical_info(signature.find("{*}SignedInfo"))
    value = signer.sign_digest(digest(algorithm, info))
    signature.find("{*}SignatureValue").text = b64encode(value).decode()
    return serialize(root, indent=False)


@pytest.fixture(scope="session")
def doctor() -> SoftwareSigner:
    return enrol()


@pytest.fixture(scope="session")
def clinic() -> SoftwareSigner:
    return enrol(TC26_512_A, "Клиникина")
