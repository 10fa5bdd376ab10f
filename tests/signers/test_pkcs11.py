"""Keys on tokens, with a PKCS#11 module of ours: those of Debian have no GOST keys."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import anyio
import attrs
import pkcs11
import pytest

from medsign import cms
from medsign.clock import SystemClock
from medsign.codec.asn1 import der, pem_encode
from medsign.errors import InvalidKey, TokenError, TokenProblem, Unavailable, UsageError
from medsign.gost import PARAM_SETS
from medsign.pki import issuing
from medsign.pki.trust import TrustStore
from medsign.sandbox import Sandbox
from medsign.sandbox.pki import Authority, Pki
from medsign.signers import Pkcs11Token, Signer, SigningSession, SoftwareKey, SoftwareSigner

pytestmark = pytest.mark.interop
NOW = SystemClock().now().replace(microsecond=0)
PIN = "12345678"
CONTENT = "Протокол осмотра".encode()
CURVE_256, CURVE_512 = "1.2.643.7.1.2.1.1.1", "1.2.643.7.1.2.1.2.1"


@pytest.fixture(scope="session")
def module(compiled: Callable[[str], Path]) -> Path:
    """Return the library of the tokens."""
    return compiled("gost_token")


@attrs.frozen
class Device:
    """A token as the module reads it from its folder."""

    folder: Path

    @classmethod
    def made(cls, folder: Path, serial: str = "0042") -> Device:
        folder.mkdir(parents=True)
        (folder / "serial").write_text(serial)
        (folder / "pin").write_text(PIN)
        return cls(folder)

    def put(self, key: SoftwareKey, label: str = "") -> None:
        params, number = key.key.params, len(list(self.folder.glob("*.key")))
        numbers = (params.p, params.a, params.b, params.q, params.x, params.y, key.key.value)
        (self.folder / f"{number}.key").write_text("\n".join(f"{each:x}" for each in numbers))
        (self.folder / f"{number}.point").write_bytes(key.public_key.to_octets())
        (self.folder / f"{number}.curve").write_bytes(der.oid(params.oid))
        (self.folder / f"{number}.label").write_text(label)
        if isinstance(key, SoftwareSigner):
            (self.folder / f"{number}.cer").write_bytes(key.certificate.der)

    def turn(self, name: str, on: bool = True) -> None:
        (self.folder / name).touch() if on else (self.folder / name).unlink()

    @property
    def failures(self) -> int:
        return int((self.folder / "failures").read_text())


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Device:
    """Return the only token, still empty."""
    monkeypatch.setenv("GOST_TOKENS", str(tmp_path / "tokens"))
    return Device.made(tmp_path / "tokens" / "0")


def rooted(key: SoftwareKey) -> SoftwareSigner:
    subject = issuing.subject_name(organization="Тестовый УЦ")
    return key.certified(
        issuing.issue_root(
            issuing.ROOT_CA, subject=subject, signer=key, not_before=NOW - timedelta(days=1)
        )
    )


ROOT = rooted(SoftwareKey.generate())


def issued(curve: str = CURVE_256) -> SoftwareSigner:
    key = SoftwareKey.generate(curve)
    subject = issuing.subject_name(
        surname="Тестова", given_names="Анна Петровна", inn="999999999999", snils="99999999999"
    )
    certificate = issuing.issue_certificate(
        issuing.QUALIFIED,
        subject=subject,
        key=key.public_key,
        issuer=ROOT,
        not_before=NOW - timedelta(hours=1),
    )
    return key.certified(certificate)


@pytest.fixture
def doctor(device) -> SoftwareSigner:
    """Return the owner of the only key on the token."""
    doctor = issued()
    device.put(doctor, "doctor")
    return doctor


@pytest.fixture
def token(module, device):
    with Pkcs11Token(module, pin=PIN) as token:
        yield token


def refusal(call: Callable[[], object]) -> TokenProblem:
    with pytest.raises(TokenError) as caught:
        call()
    assert PIN not in f"{caught.value!r} {caught.value.diagnostics()}"
    return caught.value.problem


def test_the_module_is_as_strict_as_tokens_are(module, device, doctor):
    private = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY}
    (slot,) = pkcs11.lib(str(module)).get_slots(token_present=True)
    opened = slot.get_token().open()
    assert list(opened.get_objects(private)) == []
    with slot.get_token().open(user_pin=PIN):  # for all sessions of the process
        (key,) = opened.get_objects(private)
        with pytest.raises(pkcs11.AttributeSensitive):
            key[pkcs11.Attribute.VALUE]
        with pytest.raises(pkcs11.MechanismInvalid):
            key.sign(bytes(32), mechanism=pkcs11.Mechanism.SHA256_RSA_PKCS)
    with pytest.raises(pkcs11.UserNotLoggedIn):
        key.sign(bytes(32), mechanism=pkcs11.Mechanism.GOSTR3410)
    opened.close()


def test_a_token_without_a_free_session_is_told(module, doctor, token):
    (slot,) = pkcs11.lib(str(module)).get_slots(token_present=True)
    taken = [slot.get_token().open() for _ in range(4)]
    with pytest.raises(TokenError, match="SessionCount"):
        token.signer()
    for session in taken:
        session.close()
    assert token.signer()


@pytest.mark.parametrize("params", PARAM_SETS, ids=lambda params: params.oid)
def test_a_key_of_each_curve_signs(token, device, params):
    device.put(key := SoftwareKey.generate(params))
    signer = token.key()
    digest = bytes(range(params.size))
    assert signer.public_key.to_octets() == key.public_key.to_octets()
    assert key.provider.verify(key.public_key, digest, signer.sign_digest(digest))


@pytest.mark.parametrize("curve", [CURVE_256, CURVE_512])
def test_we_and_openssl_accept_a_signature_by_a_token(openssl, token, device, tmp_path, curve):
    device.put(doctor := issued(curve))
    signer: Signer = token.signer()
    assert signer.certificate == doctor.certificate
    signature = cms.sign(CONTENT, signer, at=NOW)

    crl = issuing.issue_crl(
        ROOT, number=1, this_update=NOW - timedelta(hours=1), next_update=NOW + timedelta(days=1)
    )
    evidence = cms.Evidence(
        signature=signature,
        content=CONTENT,
        trust=TrustStore([ROOT.certificate]),
        crls=(crl,),
    )
    assert cms.verify(evidence, at=NOW).passed

    files = {"signature": signature, "content": CONTENT}
    files["root.pem"] = pem_encode("CERTIFICATE", ROOT.certificate.der)
    for name, octets in files.items():
        (tmp_path / name).write_bytes(octets)
    verified = openssl(
        *("cms", "-verify", "-cades", "-binary", "-inform", "DER", "-purpose", "any"),
        *("-in", tmp_path / "signature", "-content", tmp_path / "content"),
        *("-CAfile", tmp_path / "root.pem"),
    )
    assert verified.stdout == CONTENT


def test_a_key_without_a_certificate_signs_the_request_for_one(openssl, token, device, tmp_path):
    device.put(SoftwareKey.generate(CURVE_512))
    request = issuing.make_request(issuing.subject_name(surname="Тестова"), token.key())
    (tmp_path / "request").write_bytes(request.der)
    openssl("req", "-verify", "-noout", "-inform", "DER", "-in", tmp_path / "request")


@pytest.fixture
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def enrolled(sandbox, device):
    doctor = sandbox.world.part(Pki).enrol(
        Authority.COMMERCIAL,
        surname="Тестова",
        given_names="Анна Петровна",
        inn="999900000160",
        snils="99900000115",
    )
    device.put(doctor)


@pytest.mark.req("F072", "F241", "F283")
def test_the_window_signs_with_a_token(sandbox, enrolled, token):
    with sandbox.connect() as window:
        signature = window.pki.sign(CONTENT, token.signer())
        assert window.pki.verify(signature, CONTENT).report.passed


@pytest.mark.req("F098")
def test_a_web_page_gets_a_document_signed_by_a_token_at_the_doctor_s_desk(
    sandbox, enrolled, token
):
    signer, now = token.signer(), sandbox.clock.now()
    session = SigningSession.prepare(
        {"plan": CONTENT}, signer.certificate, at=now, lasts=timedelta(hours=1)
    )
    shown = session.sent("page-17", at=now)
    values = {name: signer.sign_digest(digest) for name, digest in shown.digests.items()}
    signed = shown.accept(values, at=now)
    with sandbox.connect() as window:
        assert window.pki.verify(signed.signatures["plan"], CONTENT).report.passed


def test_the_async_window_signs_with_a_token_in_its_worker_threads(sandbox, enrolled, token):
    signer = token.signer()

    async def main() -> list[bool]:
        results = []
        async with sandbox.async_connect() as window:

            async def one() -> None:
                signature = await window.pki.sign(CONTENT, signer)
                results.append((await window.pki.verify(signature, CONTENT)).report.passed)

            async with anyio.create_task_group() as group:
                for _ in range(5):
                    group.start_soon(one)
        return results

    assert anyio.run(main) == [True] * 5


def test_threads_share_one_session(doctor, token):
    signer = token.signer()
    started = threading.Barrier(4)

    def sign(number: int) -> bool:
        started.wait()
        digests = [bytes([number, turn] * 16) for turn in range(10)]
        values = [(digest, signer.sign_digest(digest)) for digest in digests]
        return all(doctor.provider.verify(doctor.public_key, *pair) for pair in values)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(sign, range(4)))


def test_threads_use_several_tokens_under_one_lock(module, device, doctor):
    Device.made(device.folder.with_name("1"), "0043").put(issued(CURVE_512))
    lock = threading.RLock()

    def sign(serial: str) -> set[int]:
        with Pkcs11Token(module, pin=PIN, serial=serial, lock=lock) as token:
            signer = token.signer()
            size = signer.digest_algorithm.size
            return {len(signer.sign_digest(bytes([turn] * size))) for turn in range(10)}

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(sign, ["0042", "0043"])) == [{64}, {128}]


def test_who_closes_a_token_leaves_no_session_behind(module, doctor):
    for _ in range(10):  # the token allows four
        with Pkcs11Token(module, pin=PIN) as token:
            token.signer().sign_digest(bytes(32))


def test_a_closed_token_opens_again_when_it_is_needed(doctor, token):
    signer = token.signer()
    token.close()
    assert len(signer.sign_digest(bytes(32))) == 64


def test_two_objects_of_one_token_get_along(module, doctor, token):
    signer = token.signer()
    for _ in range(10):
        with Pkcs11Token(module, pin=lambda: pytest.fail("the process is logged in")) as another:
            assert len(another.signer().sign_digest(bytes(32))) == 64
    assert len(signer.sign_digest(bytes(32))) == 64


def test_a_login_while_the_pin_is_typed_is_enough(module, doctor, token):
    def typed() -> str:
        token.signer()
        return PIN

    with Pkcs11Token(module, pin=typed) as slow:
        assert len(slow.signer().sign_digest(bytes(32))) == 64


@pytest.mark.parametrize("sought", [None, "doctor"], ids=["found before", "sought anew"])
def test_a_login_that_another_object_ends_is_repeated(module, doctor, token, sought):
    with Pkcs11Token(module, pin=PIN) as first:
        first.signer()
        signer = token.signer()
    assert len((token.signer(label=sought) if sought else signer).sign_digest(bytes(32))) == 64


def test_a_wrong_pin_is_told_and_not_sent_again(module, device, doctor):
    with Pkcs11Token(module, pin="0000") as token:
        assert refusal(token.signer) is TokenProblem.PIN_WRONG
        assert refusal(token.signer) is TokenProblem.PIN_WRONG
    assert device.failures == 1


def test_nobody_is_asked_for_the_pin_of_a_locked_token(module, device, doctor):
    (device.folder / "failures").write_text("3")
    with Pkcs11Token(module, pin=lambda: pytest.fail("asked")) as token:
        for _ in range(6):  # more often than there are sessions
            assert refusal(token.signer) is TokenProblem.PIN_LOCKED


def test_the_last_try_and_the_lock_are_told(module, device, doctor):
    typed = iter(["1111", "2222", "2222", "3333"])
    with Pkcs11Token(module, pin=lambda: next(typed)) as token:
        problems = [refusal(token.signer) for _ in range(4)]
    assert problems == [
        TokenProblem.PIN_WRONG,
        TokenProblem.PIN_LAST_TRY,
        TokenProblem.PIN_LAST_TRY,
        TokenProblem.PIN_LOCKED,
    ]


def test_a_pin_of_half_a_character_is_refused_and_not_kept_in_the_error(module, doctor):
    with Pkcs11Token(module, pin="secret\ud800") as token, pytest.raises(UsageError) as caught:
        token.signer()
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_right_pin_after_a_wrong_one_opens_the_token(module, device, doctor):
    typed = iter(["1111", PIN])
    with Pkcs11Token(module, pin=lambda: next(typed)) as token:
        assert refusal(token.signer) is TokenProblem.PIN_WRONG
        assert token.signer().certificate == doctor.certificate
    assert device.failures == 0


def test_a_token_without_a_keypad_is_told_to_have_none(module, doctor):
    with Pkcs11Token(module, pin=None) as token:
        assert refusal(token.signer) is TokenProblem.FAILED


def test_a_token_that_is_not_plugged_in_is_told(device, token):
    device.turn("removed")
    assert refusal(token.signer) is TokenProblem.ABSENT


def test_a_token_taken_out_is_told_and_works_when_it_is_back(device, doctor, token):
    signer = token.signer()
    device.turn("removed")
    assert refusal(lambda: signer.sign_digest(bytes(32))) is TokenProblem.ABSENT
    device.turn("removed", on=False)
    assert len(signer.sign_digest(bytes(32))) == 64


def test_a_token_taken_out_and_put_back_unnoticed_works_on(device, doctor, token):
    signer = token.signer()
    device.turn("removed")
    with pytest.raises(TokenError):
        Pkcs11Token(token.module, pin=PIN).key()  # who looks at it is somebody else
    device.turn("removed", on=False)
    assert len(signer.sign_digest(bytes(32))) == 64


@pytest.mark.parametrize("errors, works", [(1, True), (2, False)])
def test_after_an_error_of_the_device_it_is_asked_once_more(device, doctor, token, errors, works):
    signer = token.signer()
    (device.folder / "broken").write_text(str(errors))
    if works:
        assert len(signer.sign_digest(bytes(32))) == 64
    else:
        assert refusal(lambda: signer.sign_digest(bytes(32))) is TokenProblem.FAILED


def test_of_several_tokens_one_is_named_by_its_serial(module, device, doctor):
    chief = issued()
    Device.made(device.folder.with_name("1"), "0043").put(chief)
    with Pkcs11Token(module, pin=PIN) as token:
        assert refusal(token.signer) is TokenProblem.SEVERAL_TOKENS
    with Pkcs11Token(module, pin=PIN, serial="0043") as token:
        assert token.signer().certificate == chief.certificate
    with Pkcs11Token(module, pin=PIN, serial="0044") as token:
        assert refusal(token.signer) is TokenProblem.ABSENT


def test_of_several_keys_one_is_named_by_its_label_or_identifier(device, doctor, token):
    chief = issued(CURVE_512)
    device.put(chief, "заведующая")
    assert refusal(token.signer) is TokenProblem.SEVERAL_KEYS
    assert token.signer(label="заведующая").certificate == chief.certificate
    assert token.signer(key_id=b"\x01").certificate == doctor.certificate
    assert refusal(lambda: token.signer(label="doctor", key_id=b"\x02")) is TokenProblem.NO_KEY


def test_who_asks_for_a_wrong_key_is_not_asked_for_the_pin_again(module, doctor):
    typed = iter([PIN])
    with Pkcs11Token(module, pin=lambda: next(typed)) as token:
        token.signer()
        assert refusal(lambda: token.signer(label="nobody")) is TokenProblem.NO_KEY


def test_a_token_without_keys_is_told(token):
    assert refusal(token.signer) is TokenProblem.NO_KEY
    assert refusal(token.key) is TokenProblem.NO_KEY


def test_a_certificate_that_is_not_on_the_token_is_given_to_it(device, token):
    doctor = issued()
    device.put(SoftwareKey(doctor.key))
    assert refusal(token.signer) is TokenProblem.NO_CERTIFICATE
    signer = token.signer(certificate=doctor.certificate)
    assert len(signer.sign_digest(bytes(32))) == 64


def test_the_certificate_of_another_key_is_refused(doctor, token):
    with pytest.raises(InvalidKey, match="another key"):
        token.signer(certificate=issued().certificate)


def test_without_a_public_key_the_first_signature_tells_a_wrong_certificate(device, doctor, token):
    (device.folder / "0.point").unlink()
    assert len(token.signer().sign_digest(bytes(32))) == 64
    with pytest.raises(InvalidKey, match="another key"):
        token.signer(certificate=issued().certificate).sign_digest(bytes(32))
    assert refusal(token.key) is TokenProblem.NO_KEY


def test_a_value_with_its_halves_swapped_never_leaves(device, doctor, token):
    device.turn("swapped")
    with pytest.raises(InvalidKey, match="orders octets"):
        token.signer().sign_digest(bytes(32))


def test_a_digest_of_another_length_is_refused(doctor, token):
    with pytest.raises(UsageError):
        token.signer().sign_digest(bytes(64))


FORK = """
import os, sys
from medsign.errors import TokenError
from medsign.signers import Pkcs11Token

def signs(token):
    try:
        return str(len(token.signer().sign_digest(bytes(32))))
    except TokenError as error:
        return error.problem.name

def told(name, *tokens):
    print(name, *map(signs, tokens), flush=True)

with Pkcs11Token(sys.argv[1], pin=sys.argv[2]) as token:
    told("parent", token)
    if not (child := os.fork()):
        token.close()
        with Pkcs11Token(sys.argv[1], pin=sys.argv[2]) as own:
            told("child", token, own, own)
        os._exit(0)
    os.waitpid(child, 0)
    told("parent", token)
"""


def test_a_forked_child_opens_the_token_for_itself(module, doctor):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORK, module, PIN],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["parent 64", "child FORKED 64 64", "parent 64"]


def test_a_library_that_is_missing_is_told(tmp_path):
    with Pkcs11Token(tmp_path / "none.so", pin=PIN) as token, pytest.raises(Unavailable):
        token.signer()


def test_the_extra_that_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with (
        Pkcs11Token(tmp_path / "none.so", pin=PIN) as token,
        pytest.raises(Unavailable, match=r"medsign\[pkcs11\]"),
    ):
        token.key()


@pytest.mark.parametrize("problem", TokenProblem)
def test_each_problem_is_told_to_staff_in_russian(problem):
    text = TokenError(problem, "detail").diagnostics()
    assert text.endswith("(код MS-TOKEN)")
    assert "detail" not in text


def test_neither_the_pin_nor_a_key_is_shown(doctor, token):
    signer = token.signer()
    assert PIN not in f"{token!r} {signer!r}"
    assert f"{doctor.key.value:x}" not in f"{token!r} {signer!r}"
