"""PFX that is signed and hidden for the owner of a key: the public sample and our own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medsign.cms.sign import sign
from medsign.codec.asn1 import AlgorithmIdentifier, decode_signed_data, pkcs12
from medsign.codec.asn1.envelope import Envelope, with_nonce
from medsign.errors import (
    BudgetExceeded,
    InvalidKey,
    MalformedError,
    MedsignError,
    Unavailable,
    UsageError,
)
from medsign.gost import PrivateKey, param_set
from medsign.pki.issuing import ROOT_CA, issue_root, subject_name
from medsign.signers import (
    SoftwareKey,
    SoftwareSigner,
    load_pfx,
    load_signed_pfx,
    save_pfx,
    save_signed_pfx,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TC26_256_A, TC26_512_A = "1.2.643.7.1.2.1.1.1", "1.2.643.7.1.2.1.2.1"
# The recipient's key of the example in RFC 9548, appendix A.
RECIPIENT = bytes.fromhex("ceb7bf8ce54ababd2f1c7b197e421086f5e4518ccaf1c3ab4b11bcf21fdcc80d")


def enrolled(name: str, curve: str = TC26_256_A) -> SoftwareSigner:
    key, subject = SoftwareKey.generate(curve), subject_name(organization=name)
    return key.certified(issue_root(ROOT_CA, subject=subject, signer=key, not_before=NOW))


@pytest.fixture(scope="module")
def clinic() -> SoftwareSigner:
    return enrolled("Клиника")


@pytest.fixture(scope="module")
def doctor() -> SoftwareSigner:
    return enrolled("Врач")


@pytest.fixture(scope="module")
def moved() -> SoftwareSigner:
    """Return the key that is sent: of the other length."""
    return enrolled("Ключ", TC26_512_A)


@pytest.fixture(scope="module")
def file(moved, doctor, clinic) -> bytes:
    return save_signed_pfx(moved, doctor.certificate, clinic, at=NOW, chain=[clinic.certificate])


def changed(file: bytes, sender: SoftwareSigner, change) -> bytes:
    """Change the hidden part and sign again, as its sender could."""
    signed = decode_signed_data(pkcs12.decode_signed_pfx(file) or b"")
    parts = pkcs12.decode_safe(signed.content or b"")
    safe = pkcs12.encode_safe(
        [change(each) if isinstance(each, Envelope) else each for each in parts]
    )
    return pkcs12.encode_signed_pfx(sign(safe, sender, at=NOW, detached=False))


def test_the_public_sample_is_opened_by_its_recipient(shared_data: Path):
    path = shared_data / "real" / "09_pfx_keys" / "tc26_pfx_4_line538.p12"
    recipient = SoftwareKey(PrivateKey.from_octets(param_set(TC26_256_A), RECIPIENT))
    opened = load_signed_pfx(path.read_bytes(), recipient)
    digest = bytes(64)
    value = opened.signer.sign_digest(digest)
    assert opened.signer.provider.verify(opened.signer.public_key, digest, value)
    assert opened.sender.serial_number == 0x018CBA82


@pytest.mark.parametrize("curve", ["1.2.643.2.2.35.1", TC26_256_A, TC26_512_A])
def test_a_file_is_opened_as_it_was_written(moved, curve):
    clinic, doctor = enrolled("Клиника", curve), enrolled("Врач", curve)
    file = save_signed_pfx(moved, doctor.certificate, clinic, at=NOW, chain=[clinic.certificate])
    opened = load_signed_pfx(file, doctor)
    assert opened.signer.certificate == moved.certificate
    assert opened.signer.public_key == moved.public_key
    assert (opened.chain, opened.sender) == ((clinic.certificate,), clinic.certificate)


def test_another_owner_opens_nothing_and_neither_does_the_sender(file, clinic, moved):
    for stranger in (enrolled("Чужой"), moved, clinic):
        with pytest.raises(InvalidKey, match="another key"):
            load_signed_pfx(file, stranger)


def test_keys_on_two_curves_agree_on_nothing(moved, clinic):
    with pytest.raises(UsageError):
        save_signed_pfx(clinic, moved.certificate, clinic, at=NOW)


@given(at=st.integers(0, 10**6), octet=st.integers(1, 255))
@settings(max_examples=60)
def test_a_changed_file_is_refused(file, doctor, at, octet):
    damaged = bytearray(file)
    damaged[at % len(damaged)] ^= octet
    try:
        opened = load_signed_pfx(bytes(damaged), doctor)
    except MedsignError:
        return
    # the certificates beside the signature are not signed
    assert opened.signer.public_key == load_signed_pfx(file, doctor).signer.public_key


@given(at=st.integers(0, 10**6), octet=st.integers(1, 255))
@settings(max_examples=60)
def test_a_sender_who_spoils_what_he_signs_makes_nothing_explode(file, doctor, clinic, at, octet):
    signed = decode_signed_data(pkcs12.decode_signed_pfx(file) or b"")
    spoilt = bytearray(signed.content or b"")
    spoilt[at % len(spoilt)] ^= octet
    again = pkcs12.encode_signed_pfx(sign(bytes(spoilt), clinic, at=NOW, detached=False))
    try:
        assert load_signed_pfx(again, doctor).signer
    except (InvalidKey, MalformedError, Unavailable, BudgetExceeded):
        return


def test_many_recipients_are_too_many(file, doctor, clinic):
    many = changed(file, clinic, lambda part: attrs.evolve(part, recipients=part.recipients * 1000))
    started = perf_counter()
    with pytest.raises(BudgetExceeded):
        load_signed_pfx(many, doctor)
    assert perf_counter() - started < 2


def test_a_short_nonce_opens_nothing(file, doctor, clinic):
    short = with_nonce(pkcs12.KUZNYECHIK_CTR_ACPKM, b"1234")
    with pytest.raises(InvalidKey):
        load_signed_pfx(
            changed(file, clinic, lambda part: attrs.evolve(part, algorithm=short)), doctor
        )


def test_foreign_ciphers_are_named(file, doctor, clinic):
    foreign = AlgorithmIdentifier("2.16.840.1.101.3.4.1.2")

    def wrapped(part: Envelope) -> Envelope:
        ways = tuple(attrs.evolve(each, algorithm=foreign) for each in part.recipients)
        return attrs.evolve(part, recipients=ways)

    for change in (lambda part: attrs.evolve(part, algorithm=foreign), wrapped):
        with pytest.raises(Unavailable, match=r"2\.16\.840"):
            load_signed_pfx(changed(file, clinic, change), doctor)


def test_each_kind_of_file_has_its_own_way_to_be_opened(file, doctor, clinic):
    with pytest.raises(InvalidKey, match="load_signed_pfx"):
        load_pfx(file, "password")
    with pytest.raises(MalformedError, match="not signed"):
        load_signed_pfx(save_pfx(clinic, "password", iterations=1), doctor)
