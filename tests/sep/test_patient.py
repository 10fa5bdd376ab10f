"""What the patient does in the browser, and what the signature proves afterwards."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any

import attrs
import pytest
from pypdf import PdfReader

from medsign.clock import ManualClock
from medsign.cms import Evidence as CmsEvidence
from medsign.cms import verify
from medsign.codec import json
from medsign.sandbox import Sandbox
from medsign.sandbox.paper import text_of
from medsign.sandbox.pki import Pki
from medsign.sandbox.sep import ATTEMPTS, CODE_LIFETIME, CODES, LINK_LIFETIME
from medsign.sep import Evidence, Package, Representative, SignedDocument, SourceKind

SECOND = timedelta(seconds=1)


@pytest.fixture
def sent(clinic_of: Any, sandbox: Sandbox, package: Package) -> Any:
    """A clinic whose first document is on its way; `number` is its number in СЭП."""
    clinic = clinic_of(sandbox)
    clinic.number = clinic.send(package, package.documents[0]).number
    clinic.status(clinic.number)
    return clinic


@pytest.fixture
def signed(sent: Any, browser: Any) -> SignedDocument:
    browser.sign()
    return sent.signed(sent.number)


@pytest.mark.req("F228", "F189")
def test_the_link_shows_the_text_and_the_button(sent: Any, browser: Any):
    page = browser.open()
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<button>Подписать</button>" in page.text
    assert "консультацию" in page.text


def test_the_text_of_a_document_is_text_and_never_markup(sent: Any, browser: Any):
    page = browser.open()
    assert "&lt;b&gt;телемедицинскую&lt;/b&gt;" in page.text
    assert "<b>" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


@pytest.mark.req("F228")
def test_the_document_itself_can_be_looked_at_before_signing(
    sent: Any, browser: Any, package: Package
):
    assert browser.download().content == package.documents[0].content


@pytest.mark.req("F229")
def test_a_code_is_sent_after_the_button_and_not_before(sent: Any, browser: Any, sandbox: Sandbox):
    browser.open()
    assert len(sandbox.world.outbox()) == 1
    page = browser.press_sign()
    assert 'name="code"' in page.text
    assert len(sandbox.world.outbox()) == 2


def test_nobody_signs_what_was_not_shown(sent: Any, browser: Any, sandbox: Sandbox):
    page = browser.press_sign()
    assert "<button>Подписать</button>" in page.text
    assert len(sandbox.world.outbox()) == 1


@pytest.mark.req("F230")
def test_the_right_code_shows_the_signed_document(sent: Any, browser: Any):
    page = browser.sign()
    assert "Документ подписан" in page.text
    assert "ПРОСТОЙ ЭЛЕКТРОННОЙ ПОДПИСЬЮ" in page.text
    assert browser.open().text == page.text


@pytest.mark.req("F229")
def test_a_wrong_code_is_refused_and_counted(sent: Any, browser: Any):
    browser.open()
    browser.press_sign()
    page = browser.enter_wrong()
    assert page.status_code == 422
    assert f"Осталось попыток: {ATTEMPTS - 1}" in page.text
    assert sent.status(sent.number).signed_at is None


@pytest.mark.req("F229")
def test_after_too_many_wrong_codes_even_the_right_one_is_void(sent: Any, browser: Any):
    browser.open()
    browser.press_sign()
    for _ in range(ATTEMPTS):
        browser.enter_wrong()
    page = browser.enter(browser.code)
    assert page.status_code == 422
    assert "Отправить новый код" in page.text
    browser.press_sign()
    assert "Документ подписан" in browser.enter(browser.code).text


@pytest.mark.parametrize(("age", "works"), [(CODE_LIFETIME - SECOND, True), (CODE_LIFETIME, False)])
def test_a_code_grows_old(sent: Any, browser: Any, clock: ManualClock, age: timedelta, works: bool):
    browser.open()
    browser.press_sign()
    clock.advance(age)
    assert ("Документ подписан" in browser.enter(browser.code).text) == works


def test_an_old_code_is_void_once_a_new_one_was_sent(sent: Any, browser: Any):
    browser.open()
    browser.press_sign()
    old = browser.code
    browser.press_sign()
    if old != browser.code:
        assert browser.enter(old).status_code == 422
    assert "Документ подписан" in browser.enter(browser.code).text


def test_codes_cannot_be_asked_for_without_end(sent: Any, browser: Any):
    browser.open()
    assert [browser.press_sign().status_code for _ in range(CODES + 1)] == [200] * CODES + [429]


def test_no_code_helps_before_one_was_sent(sent: Any, browser: Any):
    browser.open()
    assert browser.enter("").status_code == 422
    assert browser.enter("000000").status_code == 422


@pytest.mark.parametrize(("age", "status"), [(LINK_LIFETIME - SECOND, 200), (LINK_LIFETIME, 410)])
def test_a_link_grows_old(sent: Any, browser: Any, clock: ManualClock, age: timedelta, status: int):
    clock.advance(age)
    assert browser.open().status_code == status
    assert browser.press_sign().status_code == status
    assert browser.download().status_code == status


def test_a_signed_document_stays_readable_by_its_link(sent: Any, browser: Any, clock: ManualClock):
    browser.sign()
    clock.advance(2 * LINK_LIFETIME)
    assert "Документ подписан" in browser.open().text
    assert browser.download().content == sent.signed(sent.number).content


def test_a_link_that_nobody_sent_leads_nowhere(sent: Any, browser: Any, sandbox: Sandbox):
    page = browser._http.get(browser.link[:-1] + ("0" if browser.link[-1] != "0" else "1"))
    assert page.status_code == 404


@pytest.mark.req("F233", "F230")
def test_the_signed_pdf_holds_the_whole_original_and_the_mark(
    signed: SignedDocument, package: Package
):
    original = package.documents[0].content
    assert signed.content.startswith(original)
    mark = text_of(signed.content)
    assert "Тестова Анна Петровна" in mark
    assert signed.evidence.document_digest in mark.replace("\n", "")
    assert signed.is_about(original)
    assert not signed.is_about(original + b"\n")


@pytest.mark.req("F229")
def test_the_evidence_tells_how_the_code_came_and_rides_in_the_pdf(
    signed: SignedDocument, clock: ManualClock
):
    evidence = signed.evidence
    assert evidence.opened_at <= evidence.code_sent_at <= evidence.signed_at == clock.now()
    assert (evidence.signer, evidence.channel) == ("patient", "MAX")
    [attached] = PdfReader(BytesIO(signed.content)).attachments["evidence.json"]
    assert json.decode(Evidence, attached) == evidence


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(SourceKind.TALON, marks=pytest.mark.req("F213")),
        pytest.param(SourceKind.PAID_ORDER, marks=pytest.mark.req("F440")),
    ],
)
def test_for_a_child_the_representative_gets_the_link_and_signs(
    clinic_of: Any,
    sandbox: Sandbox,
    package: Package,
    mother: Representative,
    browser: Any,
    kind: SourceKind,
):
    child = attrs.evolve(package.patient, birth_date=mother.birth_date.replace(year=2013))
    source = attrs.evolve(package.source, kind=kind)
    family = attrs.evolve(package, source=source, patient=child, representative=mother)
    clinic = clinic_of(sandbox)
    number = clinic.send(family, family.documents[0]).number
    clinic.status(number)
    browser.sign()
    assert {message.to for message in sandbox.world.outbox()} == {"+79990000002"}
    signed = clinic.signed(number)
    assert signed.evidence.signer == "representative"
    assert "За пациента: Тестова Анна Петровна (мать)" in text_of(signed.content)


def test_the_operator_vouches_for_the_signed_pdf(
    signed: SignedDocument, sandbox: Sandbox, clock: ManualClock
):
    pki = sandbox.world.part(Pki)
    lists = [pki.crl(issuer) for issuer in ("root", "commercial")]

    def verdict(content: bytes) -> bool:
        evidence = CmsEvidence(
            signature=signed.signature,
            content=content,
            certificates=pki.intermediates,
            trust=pki.trust,
        )
        return verify(evidence.with_fetched(crls=lists), at=clock.now()).passed

    assert verdict(signed.content)
    assert not verdict(signed.content + b" ")
