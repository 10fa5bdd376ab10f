"""Signing in two phases: the session is stored, resumed elsewhere and takes only its own values."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.cms import ContentDigest
from medsign.codec.asn1 import decode_signed_data
from medsign.errors import IllegalTransition, MalformedError, UsageError
from medsign.gost import DigestAlgorithm, digest
from medsign.pki.issuing import ROOT_CA, issue_root, subject_name
from medsign.pki.keys import private_key_info
from medsign.signers import (
    SESSION_STATUS,
    SessionState,
    SigningSession,
    SoftwareKey,
    load_key,
)

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
CONTENTS = {"consent": "Согласие".encode(), "plan": "План лечения".encode()}

# What another process does: it reads the session, signs and writes the session back.
ELSEWHERE = """
import sys
from datetime import datetime, timedelta
from pathlib import Path
from medsign.signers import SigningSession, load_key

folder = Path(sys.argv[1])
session = SigningSession.from_json((folder / "session.json").read_bytes())
key = load_key((folder / "key.p8").read_bytes())
values = {name: key.sign_digest(digest) for name, digest in session.digests.items()}
at = session.created + timedelta(minutes=5)
(folder / "session.json").write_bytes(session.accept(values, at=at).to_json())
"""


@pytest.fixture(scope="module")
def signer():
    key = SoftwareKey.generate()
    certificate = issue_root(
        ROOT_CA, subject=subject_name(organization="Тест"), signer=key, not_before=NOW
    )
    return key.certified(certificate)


@pytest.fixture(scope="module")
def session(signer) -> SigningSession:
    return SigningSession.prepare(CONTENTS, signer.certificate, at=NOW, lasts=HOUR)


def values_of(key: SoftwareKey, session: SigningSession) -> dict[str, bytes]:
    return {name: key.sign_digest(digest) for name, digest in session.digests.items()}


def test_values_become_signatures_of_the_documents(session, signer):
    signed = session.sent("17", at=NOW).accept(values_of(signer, session), at=NOW)
    assert signed.state is SessionState.SIGNED
    assert signed.digests == {}
    for name, content in CONTENTS.items():
        (info,) = decode_signed_data(signed.signatures[name]).signers
        assert info.message_digest == digest(DigestAlgorithm.STREEBOG_256, content)
        assert info.signing_time == NOW


def test_a_session_is_resumed_and_finished_in_another_process(session, signer, tmp_path: Path):
    (tmp_path / "session.json").write_bytes(session.sent("17", at=NOW).to_json())
    (tmp_path / "key.p8").write_bytes(private_key_info(signer.key))
    subprocess.run([sys.executable, "-c", ELSEWHERE, tmp_path], check=True)
    finished = SigningSession.from_json((tmp_path / "session.json").read_bytes())
    assert finished.state is SessionState.SIGNED
    assert finished.reference == "17"
    assert finished.signatures.keys() == CONTENTS.keys()
    assert load_key((tmp_path / "key.p8").read_bytes()).public_key == signer.public_key


@pytest.mark.interop
def test_openssl_verifies_what_a_session_signed(openssl, session, signer, tmp_path: Path):
    signed = session.accept(values_of(signer, session), at=NOW)
    content, signature = tmp_path / "content", tmp_path / "content.p7s"
    content.write_bytes(CONTENTS["plan"])
    signature.write_bytes(signed.signatures["plan"])
    done = openssl(
        *("cms", "-verify", "-noverify", "-binary", "-inform", "DER"),
        *("-in", signature, "-content", content),
    )
    assert done.stdout == CONTENTS["plan"]


def test_the_values_may_come_one_by_one(session, signer):
    values = values_of(signer, session)
    half = session.sent("17", at=NOW).accept({"plan": values["plan"]}, at=NOW)
    assert half.state is SessionState.SENT
    assert half.digests.keys() == {"consent"}
    assert half.accept({"consent": values["consent"]}, at=NOW).state is SessionState.SIGNED


def test_an_answer_that_comes_twice_changes_nothing(session, signer):
    signed = session.accept(values_of(signer, session), at=NOW)
    assert signed.accept(values_of(signer, session), at=NOW) == signed
    half = session.accept({"plan": signer.sign_digest(session.digests["plan"])}, at=NOW)
    again = half.accept({"plan": signer.sign_digest(session.digests["plan"])}, at=NOW)
    assert again == half


def test_a_value_by_another_key_is_refused(session):
    with pytest.raises(UsageError, match="key of the certificate"):
        session.accept(values_of(SoftwareKey.generate(), session), at=NOW)


def test_values_of_two_documents_cannot_be_swapped(session, signer):
    values = values_of(signer, session)
    with pytest.raises(UsageError):
        session.accept({"consent": values["plan"], "plan": values["consent"]}, at=NOW)


def test_one_bad_value_among_many_leaves_the_session_as_it_was(session, signer):
    values = values_of(signer, session) | {"plan": bytes(64)}
    before = session.to_json()
    with pytest.raises(UsageError):
        session.accept(values, at=NOW)
    assert session.to_json() == before


def test_a_value_for_an_unknown_document_is_refused(session):
    with pytest.raises(UsageError, match="no documents"):
        session.accept({"other": bytes(64)}, at=NOW)


def test_values_that_come_at_the_last_moment_are_in_time(session, signer):
    in_time = session.expires - timedelta(microseconds=1)
    assert session.accept(values_of(signer, session), at=in_time).state is SessionState.SIGNED


def test_values_that_come_too_late_are_refused(session, signer):
    with pytest.raises(IllegalTransition):
        session.accept(values_of(signer, session), at=session.expires)


def test_an_open_session_expires_and_a_signed_one_does_not(session, signer):
    later = NOW + 2 * HOUR
    assert session.state_at(later) is SessionState.EXPIRED
    signed = session.accept(values_of(signer, session), at=NOW)
    assert signed.state_at(later) is SessionState.SIGNED


@pytest.mark.parametrize(
    "step",
    [
        lambda session: session.sent("18", at=NOW),
        lambda session: session.refused(at=NOW),
        lambda session: session.cancelled(at=NOW),
    ],
)
def test_a_signed_session_stays_signed(session, signer, step):
    signed = session.accept(values_of(signer, session), at=NOW)
    with pytest.raises(IllegalTransition):
        step(signed)


@pytest.mark.parametrize("end", ["refused", "cancelled"])
def test_a_session_that_is_over_takes_no_values(session, signer, end):
    over = getattr(session.sent("17", at=NOW), end)(at=NOW)
    assert SESSION_STATUS.state(over.state).terminal
    with pytest.raises(IllegalTransition):
        over.accept(values_of(signer, session), at=NOW)


def test_only_a_session_that_was_sent_can_be_refused(session):
    with pytest.raises(IllegalTransition):
        session.refused(at=NOW)


def test_a_session_is_sent_once(session):
    with pytest.raises(IllegalTransition):
        session.sent("17", at=NOW).sent("18", at=NOW)


@given(
    names=st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=3, unique=True),
    reference=st.none() | st.text(max_size=10),
)
def test_a_session_is_read_as_it_was_written(signer, names, reference):
    content = ContentDigest(DigestAlgorithm.STREEBOG_256, bytes(32))
    session = SigningSession.prepare(
        dict.fromkeys(names, content), signer.certificate, at=NOW, lasts=HOUR
    )
    if reference is not None:
        session = session.sent(reference, at=NOW)
    assert SigningSession.from_json(session.to_json()) == session


def test_a_session_that_claims_to_be_signed_and_is_not_is_refused(session):
    claims = json.loads(session.to_json()) | {"state": "SIGNED"}
    with pytest.raises(MalformedError):
        SigningSession.from_json(json.dumps(claims).encode())


def test_a_session_of_nothing_is_refused(signer):
    with pytest.raises(UsageError):
        SigningSession.prepare({}, signer.certificate, at=NOW, lasts=HOUR)


def test_two_documents_of_one_name_are_refused(session):
    plain = json.loads(session.to_json())
    plain["documents"][0]["name"] = plain["documents"][1]["name"]
    with pytest.raises(MalformedError):
        SigningSession.from_json(json.dumps(plain).encode())


def test_a_session_shows_no_personal_data(session):
    assert "Тест" not in repr(session)
    assert session.documents[0].prepared.certificate.hex() not in repr(session)
