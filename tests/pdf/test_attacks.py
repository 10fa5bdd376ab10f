"""Forged PDFs: a bit, a later revision, and the three classes of attacks on signed PDF.

USF (universal signature forgery), ISA (incremental saving attack) and SWA (signature wrapping
attack) are those of Mladenov and others, "1 Trillion Dollar Refund" (CCS 2019).
"""

from __future__ import annotations

import contextlib
import logging
import re

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cms.conftest import DAY, START

from medsign import cms
from medsign.errors import BudgetExceeded, MalformedError
from medsign.pdf import Change, PdfField, read_pdf_signatures, sign_pdf, verify_pdf
from medsign.pdf import read as reading
from medsign.pki.accredited import (
    ACTIVE,
    AccreditationStatus,
    AccreditedCa,
    AccreditedList,
    Snapshot,
)

from .conftest import LATER, PAGE, SIGNED, revised

Sub = cms.SubIndication
OTHER_TEXT = b"<< /Length 17 >>\nstream\n9 9 m 0 50 l S   \nendstream"


@pytest.fixture(autouse=True)
def quiet():
    """PyHanko logs what it suspects, with a traceback."""
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)


@pytest.fixture
def judged(evidence):
    def verdict(document: bytes, **changed):
        return verify_pdf(evidence(document), at=LATER, **changed)

    return verdict


def failed(report) -> set[str]:
    return {each.code for signer in report.signers for each in signer.failures(cms.Level.FAIL)}


def test_one_changed_bit_is_noticed(signed, judged):
    at = signed.index(b"99 99 l")
    changed = signed[:at] + bytes((signed[at] ^ 1,)) + signed[at + 1 :]
    report = judged(changed)
    assert report.sub_indication is Sub.HASH_FAILURE
    assert failed(report) == {"CONTENT_INTACT"}


def test_a_changed_value_is_noticed(signed, judged):
    (found,) = read_pdf_signatures(signed)
    value = cms.signature_value(found.signature).hex().encode()
    other = b"%02x" % (int(value[:2], 16) ^ 1)
    assert judged(signed.replace(value, other + value[2:])).sub_indication is Sub.SIG_CRYPTO_FAILURE


def test_a_page_changed_by_a_later_revision_is_noticed(signed, judged):
    changed = revised(signed, {4: OTHER_TEXT})
    (found,) = read_pdf_signatures(changed)
    assert (found.is_whole, found.change, found.covers_file) == (True, Change.ANY, False)
    assert found.revision == signed
    report = judged(changed)
    assert report.indication is cms.Indication.TOTAL_FAILED
    assert failed(report) == {"PDF_UNCHANGED"}
    assert any("содержание документа" in line for line in report.explain_trust())


def test_a_policy_may_take_a_later_revision_as_a_warning(signed, judged):
    lenient = cms.Policy(name="drafts", levels={"PDF_UNCHANGED": cms.Level.WARN})
    report = judged(revised(signed, {4: OTHER_TEXT}), policy=lenient)
    assert report.passed
    silent = cms.Policy(name="drafts", levels={"PDF_UNCHANGED": cms.Level.IGNORE})
    (signer,) = judged(revised(signed, {4: OTHER_TEXT}), policy=silent).signers
    assert "PDF_UNCHANGED" not in {each.code for each in signer.findings}


def test_octets_after_the_last_revision_are_noticed(signed, judged):
    for added in (b"\n", b"%%EOF\n", b"4 0 obj\n" + OTHER_TEXT + b"\nendobj\n%%EOF\n"):
        assert judged(signed + added).sub_indication is Sub.FORMAT_FAILURE


@pytest.mark.parametrize("xref", [True, False])
def test_incremental_saving_without_a_table_is_noticed(signed, judged, xref):
    body = b"4 0 obj\n" + OTHER_TEXT + b"\nendobj\n"
    end = b"xref\ntrailer\n<< /Root 1 0 R >>\n" if xref else b""
    report = judged(signed + body + end + b"startxref\n%d\n%%%%EOF\n" % (len(signed) + len(body)))
    assert not report.passed


@pytest.fixture
def listed(authority, evidence):
    """Return `listed(document)`: evidence with a list in which the authority is accredited."""
    status = AccreditationStatus(ACTIVE, START - 900 * DAY)
    ca = AccreditedCa(
        name="Тестовый УЦ",
        ogrn=None,
        number=None,
        statuses=(status,),
        certificates=(authority.root.certificate,),
    )
    known = AccreditedList([Snapshot(version="1", made_at=LATER, authorities=(ca,))])
    return lambda document: attrs.evolve(evidence(document), accredited=known)


def test_a_signature_under_a_changed_page_is_not_called_qualified(signed, listed):
    def qualification(document: bytes):
        return verify_pdf(listed(document), at=LATER).signers[0].qualification

    assert qualification(signed) is cms.Qualification.QUALIFIED
    assert qualification(revised(signed, {4: OTHER_TEXT})) is cms.Qualification.UNKNOWN


@pytest.fixture
def sloppy(page, signer):
    """Return two signatures under a file whose first table is numbered wrongly."""
    odd = page.replace(b"xref\n0 1\n", b"xref\n1 1\n", 1)
    return sign_pdf(sign_pdf(odd, signer, at=SIGNED), signer, at=SIGNED)


def test_what_cannot_be_compared_is_neither_accepted_nor_refused(sloppy, judged):
    former, latter = read_pdf_signatures(sloppy)
    assert (former.change, latter.change) == (Change.UNKNOWN, Change.NONE)
    report = judged(sloppy)
    assert report.sub_indication is Sub.GENERIC
    assert failed(report) == {"PDF_COMPARED"}
    first, second = report.signers
    assert first.indication is cms.Indication.INDETERMINATE
    assert second.passed


def test_what_is_proved_bad_stays_so_where_nothing_can_be_compared(sloppy, judged):
    at = sloppy.index(b"99 99 l")
    report = judged(sloppy[:at] + bytes((sloppy[at] ^ 1,)) + sloppy[at + 1 :])
    assert report.sub_indication is Sub.HASH_FAILURE
    assert {each.sub_indication for each in report.signers} == {Sub.HASH_FAILURE}


def with_range(signed: bytes, numbers: str) -> bytes:
    kept = re.search(rb"/ByteRange (\[.*?\] *)", signed)
    assert kept
    filled = numbers.encode().ljust(len(kept[1]))
    return signed[: kept.start(1)] + filled + signed[kept.end(1) :]


@pytest.mark.parametrize(
    "numbers",
    [
        *("[]", "null", "[0]", "[0 -1 -1 -1]", "[0 10 20]", "[0 (a) 5 6]"),
        *("[0 0 0 0]", "[0 99999999 99999999 99999999]", "[5 4 3 2]", "[0 9 9 9 9 9]"),
    ],
)
def test_forging_the_range_out_of_existence_is_noticed(signed, judged, numbers):
    assert not judged(with_range(signed, numbers)).passed


@pytest.mark.parametrize("value", [b"null", b"<>", b"<00>", b"(\\000)", b"99 0 R", b"/Name"])
def test_forging_the_value_out_of_existence_is_noticed(signed, judged, value):
    kept = re.search(rb"<[0-9a-f]{9999,}>", signed)
    assert kept
    forged = signed[: kept.start()] + value.ljust(len(kept[0])) + signed[kept.end() :]
    report = judged(forged)
    assert report.sub_indication is Sub.FORMAT_FAILURE


def test_a_document_without_its_field_is_not_signed(signed, judged):
    stripped = revised(signed, {1: PAGE[1]})
    assert read_pdf_signatures(stripped) == ()
    assert judged(stripped).sub_indication is Sub.FORMAT_FAILURE


def wrapped(signed: bytes) -> bytes:
    """Move the second signed part to the end; put a page and a table that names it in between.

    The signed part ends with the offset of its own table, so the forged one is put just there.
    """
    (found,) = read_pdf_signatures(signed)
    _, length, second, rest = found.byte_range
    at = int(re.findall(rb"startxref\s+(\d+)", signed)[-1])
    table = signed[at : signed.index(b"startxref", at)]

    def between(moved: int) -> bytes:
        entry = b"/ByteRange [0 %d %d %d] /Type /Sig /SubFilter /ETSI.CAdES.detached >>\nendobj\n"
        entry %= (length, moved, rest)
        body = entry + b"4 0 obj\n%b\nendobj\n" % OTHER_TEXT
        listed = b"xref\n4 1\n%010d 00000 n \n" % (second + len(entry))
        return body.ljust(at - second) + table.replace(b"xref\n", listed, 1)

    return signed[:second] + between(second + len(between(0))) + signed[second:]


def test_a_wrapped_signature_is_noticed(signed, judged, evidence):
    forged = wrapped(signed)
    (found,) = read_pdf_signatures(forged)
    # The octets that are named are those that were signed: digests alone would not notice.
    assert found.content == read_pdf_signatures(signed)[0].content
    assert cms.verify(
        attrs.evolve(evidence(found.signature), content=found.content), at=LATER
    ).passed
    assert not found.is_whole
    report = judged(forged)
    assert report.sub_indication is Sub.FORMAT_FAILURE
    assert "PDF_COVERED" in failed(report)


@pytest.mark.parametrize("wider", [(1, 0), (0, 1), (0, -1), (-1, 0), (2, 2)])
def test_the_gap_must_be_the_value_and_nothing_else(signed, judged, wider):
    (found,) = read_pdf_signatures(signed)
    _, length, second, rest = found.byte_range
    before, after = wider
    numbers = f"[0 {length - before} {second + after} {rest - after}]"
    assert {"PDF_COVERED", "CONTENT_INTACT"} <= failed(judged(with_range(signed, numbers)))


def test_a_range_that_begins_late_is_noticed(signed, judged):
    (found,) = read_pdf_signatures(signed)
    _, length, second, rest = found.byte_range
    report = judged(with_range(signed, f"[9 {length - 9} {second} {rest}]"))
    assert "PDF_COVERED" in failed(report)


def test_a_signature_put_over_by_a_later_revision_covers_nothing(signed, judged):
    entry = re.search(rb"(\d+) 0 obj\n(<<\s*/Contents .*?>>)\nendobj", signed, flags=re.DOTALL)
    assert entry
    again = revised(signed, {4: OTHER_TEXT, int(entry[1]): entry[2]})
    assert failed(judged(again)) >= {"PDF_COVERED"}


def test_the_former_signature_shows_what_came_between(signed, signer, judged):
    changed = sign_pdf(revised(signed, {4: OTHER_TEXT}), signer, at=SIGNED)
    first, second = judged(changed).signers
    assert [each.code for each in first.failures(cms.Level.FAIL)] == ["PDF_UNCHANGED"]
    assert second.passed
    assert not judged(changed).passed


def test_a_signature_that_allows_nothing_fails_by_a_further_one(page, signer, judged, monkeypatch):
    closed = sign_pdf(page, signer, at=SIGNED, field=PdfField(allows=Change.EVIDENCE))
    assert judged(closed).passed
    monkeypatch.setattr("medsign.pdf.sign.read_pdf_signatures", lambda _: ())
    both = sign_pdf(closed, signer, at=SIGNED, field=PdfField(name="Signature2"))
    assert failed(judged(both)) == {"PDF_UNCHANGED"}


def test_two_signers_in_one_field_are_refused(page, signer, authority):
    from medsign.pdf import prepare_pdf

    ready = prepare_pdf(page, signer.certificate, at=SIGNED)
    one = cms.finish(ready.prepared, signer.sign_digest(ready.digest))
    two = cms.sign(ready.content, authority.issue(), at=SIGNED, beside=one)
    start, end = ready.place
    filled = b"<" + two.hex().encode().ljust(end - start - 2, b"0") + b">"
    with pytest.raises(MalformedError):
        read_pdf_signatures(ready.document[:start] + filled + ready.document[end:])


def test_what_follows_the_value_in_its_place_must_be_zeros(signed):
    at = signed.index(b"00>")
    with pytest.raises(MalformedError, match="octets follow"):
        read_pdf_signatures(signed[: at + 1] + b"1" + signed[at + 2 :])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"/ETSI.CAdES.detached", b"/ETSI.CAdES.detacheX"),
        (b"/Root 1 0 R", b"/Root 3 0 R"),
        (b"/Kids [3 0 R]", b"/Kids [2 0 R]"),
    ],
)
def test_nonsense_is_a_report(signed, judged, old, new):
    assert not judged(signed.replace(old, new)).passed


def test_work_is_bounded(page, signed, monkeypatch):
    monkeypatch.setattr(reading, "MAX_REVISIONS", 1)
    with pytest.raises(BudgetExceeded, match="revisions"):
        read_pdf_signatures(signed)
    monkeypatch.setattr("medsign.pdf.foreign.MAX_BYTES", 99)
    with pytest.raises(BudgetExceeded, match="octets"):
        read_pdf_signatures(page)


@settings(max_examples=60)
@given(
    cut=st.tuples(st.integers(0, 1 << 16), st.integers(0, 40)),
    put=st.sampled_from(
        [
            b"",
            b"\0",
            b"<<",
            b">>",
            b"[[[[",
            b"obj",
            b"0 0 R",
            b"1 0 R",
            b"/Prev 9",
            b"-1",
            b"9" * 30,
        ]
    ),
)
def test_a_mutated_document_is_facts_or_one_of_two_errors(signed, evidence, cut, put):
    value = re.search(rb"0{9999,}", signed)
    assert value
    start, length = cut
    start %= len(signed) - len(value[0])
    start += len(value[0]) if start > value.start() else 0
    mutated = signed[:start] + put + signed[start + length :]
    with contextlib.suppress(MalformedError, BudgetExceeded):
        read_pdf_signatures(mutated)
    report = verify_pdf(evidence(mutated), at=LATER)
    assert not report.passed or mutated == signed


def test_a_tree_of_fields_that_grows_without_end_is_not_walked(monkeypatch):
    monkeypatch.setattr("medsign.pdf.bounded.MAX_STEPS", 5000)
    tree = {
        number: b"<< /T (a) /Kids [%d 0 R %d 0 R] >>" % ((number + 1,) * 2)
        for number in range(5, 60)
    }
    form = b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R] >> >>"
    document = revised(b"%PDF-1.7\n", {**PAGE, 1: form, **tree, 60: b"<< /T (z) /FT /Sig >>"})
    with pytest.raises(BudgetExceeded, match="looked at"):
        read_pdf_signatures(document.replace(b"/Size 9 ", b"/Size 99"))
