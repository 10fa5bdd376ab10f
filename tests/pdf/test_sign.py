"""PAdES: what a signed PDF holds, and what strangers say of it."""

from __future__ import annotations

import re
import subprocess
from datetime import timedelta
from io import BytesIO

import pytest
from tests.cms.conftest import TC26_512_A

from medsign import cms
from medsign.codec import asn1
from medsign.codec.asn1 import oids
from medsign.errors import MalformedError, Unavailable, UsageError
from medsign.gost import DigestAlgorithm, digest
from medsign.pdf import (
    Change,
    PdfField,
    PreparedPdf,
    prepare_pdf,
    read_pdf_signatures,
    sign_pdf,
    verify_pdf,
)
from medsign.signers import SessionDocument, SigningSession

from .conftest import LATER, SIGNED, STAMPED


def info(signature):
    (signer,) = asn1.decode_signed_data(signature).signers
    return signer


def test_the_signature_is_pades_baseline_b(signed, signer):
    (found,) = read_pdf_signatures(signed)
    attributes = {each.oid for each in info(found.signature).signed_attributes}
    assert attributes == {oids.CONTENT_TYPE, oids.MESSAGE_DIGEST, oids.SIGNING_CERTIFICATE_V2}
    assert asn1.decode_signed_data(found.signature).content is None
    assert asn1.decode_signed_data(found.signature).certificates == (signer.certificate,)
    assert info(found.signature).message_digest == digest(
        DigestAlgorithm.STREEBOG_256, found.content
    )
    assert b"/SubFilter /ETSI.CAdES.detached" in signed
    assert (found.signed_at, found.reason) == (SIGNED, "Согласие")


def test_the_document_stays_and_all_but_the_value_is_signed(page, signed):
    (found,) = read_pdf_signatures(signed)
    assert signed.startswith(page)
    assert found.is_whole
    assert found.covers_file
    assert found.revision == signed
    before, after = (signed.index(each) for each in (b"/Contents <", b"/ByteRange"))
    gap = re.compile(rb"<[0-9a-f]+>").fullmatch
    first, length, second, rest = found.byte_range
    assert (first, second + rest) == (0, len(signed))
    assert before < length < second < after
    assert gap(signed[length:second])


def test_nothing_of_this_machine_is_written(page, signer):
    one, two = (sign_pdf(page, signer, at=SIGNED) for _ in range(2))
    added = one[len(page) :]
    assert b"/ModDate" not in added
    assert b"/Producer" not in added
    assert len(one) == len(two)


def test_an_unstamped_and_a_stamped_signature_pass(signed, stamped, evidence):
    report = verify_pdf(evidence(signed), at=LATER)
    assert report.passed, report.explain_trust()
    assert report.signers[0].claimed_at == SIGNED
    report = verify_pdf(evidence(stamped), policy=cms.WITH_STAMP, at=LATER)
    assert report.passed, report.explain_trust()
    assert report.signers[0].proved_at == STAMPED + timedelta(seconds=1)


def test_further_signatures_leave_the_former_ones_good(stamped, authority, signer, evidence):
    chief = authority.issue(curve=TC26_512_A)
    both = sign_pdf(stamped, chief, at=SIGNED + timedelta(minutes=2))
    first, second = read_pdf_signatures(both)
    assert (first.field, second.field) == ("Signature1", "Signature2")
    assert first.revision == stamped
    assert (first.change, first.covers_file) == (Change.FORMS, False)
    assert second.covers_file
    given = evidence(both).with_fetched(
        ocsp_responses=[authority.ocsp(chief.certificate, SIGNED + timedelta(minutes=5))]
    )
    report = verify_pdf(given, at=LATER)
    assert report.passed, report.explain_trust()
    (unchanged,) = (each for each in report.signers[0].findings if each.code == "PDF_UNCHANGED")
    assert "другие подписи" in unchanged.evidence.detail


def test_a_far_key_signs_in_a_session_that_is_stored(page, signer, evidence):
    ready = prepare_pdf(page, signer.certificate, at=SIGNED)
    session = SigningSession(
        documents=(SessionDocument("consent", ready.prepared),),
        created=SIGNED,
        expires=LATER,
    )
    kept, waiting = ready.to_json(), session.to_json()
    resumed = SigningSession.from_json(waiting)
    values = {name: signer.sign_digest(digest) for name, digest in resumed.digests.items()}
    done = resumed.accept(values, at=SIGNED)
    signed = PreparedPdf.from_json(kept).embed(done.signatures["consent"])
    assert verify_pdf(evidence(signed), at=LATER).passed


def test_a_longer_form_fits_the_same_place(page, signer, authority, evidence):
    ready = prepare_pdf(page, signer.certificate, at=SIGNED)
    signature = cms.finish(ready.prepared, signer.sign_digest(ready.digest))
    stamp = authority.stamp(cms.signature_value(signature), STAMPED)
    signature = cms.add_timestamp(signature, stamp)
    given = evidence(signature)
    longer = cms.add_references(given, at=LATER)
    assert cms.form_of(longer) is cms.Form.C
    assert verify_pdf(evidence(ready.embed(longer)), policy=cms.WITH_STAMP, at=LATER).passed


def test_only_the_prepared_signature_comes_in(page, signer):
    ready = prepare_pdf(page, signer.certificate, at=SIGNED)
    with pytest.raises(UsageError, match="prepared for the document"):
        ready.embed(cms.sign(page, signer, at=SIGNED))
    with pytest.raises(MalformedError):
        ready.embed(b"not a signature")


def test_a_signature_must_fit(page, signer):
    with pytest.raises(UsageError, match="octets of 100"):
        sign_pdf(page, signer, at=SIGNED, field=PdfField(room=100))
    with pytest.raises(UsageError, match="room"):
        PdfField(room=0)


def test_a_field_is_filled_once(signed, signer):
    with pytest.raises(UsageError, match="already"):
        sign_pdf(signed, signer, at=SIGNED, field=PdfField(name="Signature1"))


def test_an_empty_field_of_the_form_is_filled(page, signer):
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign.fields import SigFieldSpec, append_signature_field

    writer, output = IncrementalPdfFileWriter(BytesIO(page)), BytesIO()
    append_signature_field(writer, SigFieldSpec(sig_field_name="Doctor"))
    writer.write(output)
    signed = sign_pdf(output.getvalue(), signer, at=SIGNED, field=PdfField(name="Doctor"))
    (found,) = read_pdf_signatures(signed)
    assert found.field == "Doctor"
    assert signed.count(b"(Doctor)") == 2  # the field before, and with its value


def test_a_certifying_signature_says_what_it_allows(page, signer):
    closed = sign_pdf(page, signer, at=SIGNED, field=PdfField(allows=Change.EVIDENCE))
    (found,) = read_pdf_signatures(closed)
    assert found.allowed is Change.EVIDENCE
    with pytest.raises(UsageError, match="no further one"):
        sign_pdf(closed, signer, at=SIGNED)
    open_still = sign_pdf(page, signer, at=SIGNED, field=PdfField(allows=Change.FORMS))
    assert len(read_pdf_signatures(sign_pdf(open_still, signer, at=SIGNED))) == 2
    with pytest.raises(UsageError, match="first"):
        sign_pdf(open_still, signer, at=SIGNED, field=PdfField(allows=Change.FORMS))
    for level in (Change.NONE, Change.ANY, Change.UNKNOWN):
        with pytest.raises(UsageError, match="allows"):
            PdfField(allows=level)


def test_only_a_pdf_is_signed(signer):
    with pytest.raises(MalformedError, match="PDF"):
        sign_pdf(b"text", signer, at=SIGNED)


def test_an_encrypted_pdf_is_neither_signed_nor_read(page, signer):
    pypdf = pytest.importorskip("pypdf", reason="needs the extra `sandbox`")
    writer, output = pypdf.PdfWriter(BytesIO(page)), BytesIO()
    writer.encrypt("", algorithm="RC4-128")
    writer.write(output)
    with pytest.raises(MalformedError, match="encrypted"):
        sign_pdf(output.getvalue(), signer, at=SIGNED)


def test_without_the_extra_it_says_what_to_install(page, signer, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(Unavailable, match=r"medsign\[pdf\]"):
        sign_pdf(page, signer, at=SIGNED)


@pytest.mark.interop
def test_openssl_accepts_the_signature_over_the_signed_octets(
    openssl, stamped, authority, tmp_path
):
    (found,) = read_pdf_signatures(stamped)
    (tmp_path / "p7s").write_bytes(found.signature)
    (tmp_path / "content").write_bytes(found.content)
    root = asn1.pem_encode("CERTIFICATE", authority.root.certificate.der)
    (tmp_path / "root.pem").write_bytes(root)
    moment = str(int(SIGNED.timestamp()))
    done = openssl(
        *("cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", "-attime", moment),
        *("-in", tmp_path / "p7s", "-content", tmp_path / "content"),
        *("-CAfile", tmp_path / "root.pem", "-out", tmp_path / "out"),
    )
    assert b"successful" in done.stderr


def test_pyhanko_finds_one_whole_signature(stamped):
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation.status import SignatureCoverageLevel

    (found,) = PdfFileReader(BytesIO(stamped)).embedded_signatures
    assert found.evaluate_signature_coverage() is SignatureCoverageLevel.ENTIRE_FILE
    assert found.self_reported_timestamp == SIGNED
    assert found.docmdp_level is None


@pytest.mark.interop
def test_pdfsig_finds_the_signatures(program, stamped, signer, tmp_path):
    file = tmp_path / "signed.pdf"
    file.write_bytes(sign_pdf(stamped, signer, at=SIGNED))
    binary = program("pdfsig", "poppler-utils")
    said = subprocess.run(
        [binary, "-nocert", file], capture_output=True, text=True, check=False
    ).stdout
    assert said.count("Signature Type: ETSI.CAdES.detached") == 2
    assert said.index("Not total document signed") < said.index("Total document signed")
