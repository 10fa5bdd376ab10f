from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import attrs
import pytest

from medsign import cms
from medsign.cms.messages import MESSAGES
from medsign.pki.profile import Holder

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOLDER = Holder(kind="person", surname="Тестова", given_name="Анна", snils="99900000188")


_QUALIFYING = {"ACCREDITATION_KNOWN"}


def make_report(*failed: str, passed: tuple[str, ...] = ("CONTENT_INTACT",), name="Тестова Анна"):
    findings = tuple(
        cms.Finding(code=code, passed=code in passed, severity=cms.DEFAULT.level(code))
        for code in (*passed, *failed)
    )
    sub = MESSAGES[failed[0]].sub_indication if failed else None
    indication = sub.indication if sub else cms.Indication.TOTAL_PASSED
    signer = cms.SignatureReport(
        indication=indication,
        sub_indication=sub,
        proved_at=AT,
        proved_by="verification",
        claimed_at=AT - timedelta(hours=1),
        holder=HOLDER,
        certificate="ab" * 32,
        name=name,
        findings=findings,
    )
    return cms.Report(
        indication=indication,
        sub_indication=sub,
        signers=(signer,),
        policy="default",
        policy_digest=cms.DEFAULT.digest,
        fingerprint="cd" * 32,
        at=AT,
    )


class Tags(HTMLParser):
    """Collect tags and attributes, and complain about what is not closed."""

    def __init__(self):
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict]] = []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in {"br", "meta"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parsed(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    tags.close()
    assert tags.open == []
    return tags


@pytest.mark.parametrize("code", MESSAGES)
def test_each_check_has_words_in_both_languages(code):
    words = attrs.asdict(MESSAGES[code])
    for field in ("question_ru", "answer_ru", "advice_ru"):
        assert re.search("[а-яё]", words[field])
        assert words[field][-1] == ("?" if field == "question_ru" else ".")
    for field in ("question_en", "answer_en"):
        assert words[field].isascii()


@pytest.mark.parametrize("code", MESSAGES)
def test_each_failure_is_explained_with_advice(code):
    lines = make_report(code, passed=()).explain_trust()
    level = cms.DEFAULT.level(code)
    own = lines[-1] if code in _QUALIFYING else ""  # whether it is qualified is always said
    said = any(MESSAGES[code].answer_ru in line for line in lines if line != own)
    assert said is (level in {cms.Level.FAIL, cms.Level.WARN})
    assert (f"Что делать: {MESSAGES[code].advice_ru}" in lines) is (level is cms.Level.FAIL)


def test_a_passed_signature_is_explained_too():
    lines = make_report().explain_trust()
    assert lines[0] == "Подпись действительна."
    assert "все проверки пройдены" in lines[1]


def test_several_signatures_are_numbered():
    report = make_report("CHAIN_FOUND")
    report = attrs.evolve(report, signers=report.signers * 2)
    lines = report.explain_trust()
    assert any(line.startswith("Подпись 1: Цепочка") for line in lines)
    assert any(line.startswith("Подпись 2: Цепочка") for line in lines)


def test_the_verdict_is_a_word_a_program_can_switch_on():
    plain = json.loads(make_report("CERTIFICATE_NOT_REVOKED").to_json())
    assert plain["indication"] == "INDETERMINATE"
    assert plain["subIndication"] == "REVOKED_NO_POE"
    assert plain["policy"] == {"name": "default", "sha256": cms.DEFAULT.digest}
    good, bad = plain["signers"][0]["findings"]
    assert (good["code"], good["passed"]) == ("CONTENT_INTACT", True)
    assert bad["code"] == "CERTIFICATE_NOT_REVOKED"
    assert bad["textRu"].startswith("Сертификат отозван")
    assert bad["textEn"].startswith("The certificate is revoked")


def test_the_page_is_whole_and_loads_nothing():
    page = make_report("CHAIN_FOUND").to_html()
    tags = parsed(page)
    assert page.startswith("<!DOCTYPE html>")
    assert ("html", {"lang": "ru"}) in tags.seen
    assert {tag for tag, _ in tags.seen}.isdisjoint({"script", "img", "link", "iframe", "a"})
    assert not any({"src", "href"} & attributes.keys() for _, attributes in tags.seen)
    assert "url(" not in page
    assert "@media print" in page


def test_the_page_says_who_signed_what_is_wrong_and_what_to_do():
    page = make_report("CHAIN_FOUND").to_html()
    message = MESSAGES["CHAIN_FOUND"]
    for words in (
        "Тестова",
        "99900000188",
        "Действительность подписи не подтверждена",
        message.answer_ru,
        message.advice_ru,
        "01.03.2026 15:00:00 (МСК)",
        "INDETERMINATE / NO_CERTIFICATE_CHAIN_FOUND",
    ):
        assert words in page


def test_a_name_cannot_write_into_the_page():
    evil = "<script>alert(1)</script>\"'&"
    page = make_report(name=evil).to_html()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    parsed(page)


def test_facts_from_a_file_cannot_write_into_the_page():
    evil = "<script>alert(1)</script>"
    report = make_report("CHAIN_FOUND")
    (signer,) = report.signers
    exhibit = cms.Exhibit(certificate=evil, source=evil, path=(evil,), detail=evil)
    findings = [attrs.evolve(each, evidence=exhibit) for each in signer.findings]
    page = attrs.evolve(
        report,
        signers=(attrs.evolve(signer, findings=findings, certificate=evil),),
        policy=evil,
        policy_digest=evil,
        fingerprint=evil,
    ).to_html()
    assert "<script>" not in page
    parsed(page)


def test_a_damaged_file_gives_a_page_too():
    report = cms.verify(cms.Evidence(signature=b"<b>not a signature</b>"), at=AT)
    page = report.to_html()
    parsed(page)
    assert "Подпись недействительна" in page


def test_no_repr_shows_who_signed():
    shown = repr(make_report())
    assert "Тестова" not in shown
    assert "99900000188" not in shown
