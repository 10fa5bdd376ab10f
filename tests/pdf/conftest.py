"""A page, the authority of the signatures' tests, and what judges by it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from tests.cms.conftest import SIGNED, make_authority

from medsign import cms
from medsign.pdf import PdfField, sign_pdf

pytest.importorskip("pyhanko", reason="needs the extra `pdf`")

STAMPED = SIGNED + timedelta(minutes=1)
LATER = SIGNED + timedelta(hours=1)


PAGE = {
    1: b"<< /Type /Catalog /Pages 2 0 R >>",
    2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R >>",
    4: b"<< /Length 17 >>\nstream\n0 0 m 99 99 l S  \nendstream",
}


def revised(before: bytes, objects: dict[int, bytes]) -> bytes:
    """Return a document with one more revision; the first one comes after its header."""
    body, entries = before, b""
    for number, content in objects.items():
        entries += b"%d 1\n%010d 00000 n \n" % (number, len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    former = re.findall(rb"startxref\s+(\d+)", before)
    previous = b"/Prev %b" % former[-1] if former else b""
    size = max(map(int, re.findall(rb"/Size (\d+)", before)), default=9)
    form = b"xref\n0 1\n0000000000 65535 f \n%btrailer\n<< /Size %d /Root 1 0 R %b >>\n"
    return body + form % (entries, size, previous) + b"startxref\n%d\n%%%%EOF\n" % len(body)


@pytest.fixture(scope="session")
def page() -> bytes:
    """Return a PDF of one page."""
    return revised(b"%PDF-1.7\n", PAGE)


@pytest.fixture(scope="session")
def authority():
    return make_authority()


@pytest.fixture(scope="session")
def signer(authority):
    return authority.issue()


@pytest.fixture(scope="session")
def signed(page, signer) -> bytes:
    """Return PAdES-B-B."""
    return sign_pdf(page, signer, at=SIGNED, field=PdfField(reason="Согласие"))


@pytest.fixture(scope="session")
def stamped(page, signer, authority) -> bytes:
    """Return PAdES-B-T, stamped a minute after the signing."""
    return sign_pdf(
        page, signer, at=SIGNED, timestamp=lambda value: authority.stamp(value, STAMPED)
    )


@pytest.fixture(scope="session")
def evidence(authority, signer):
    """Return `evidence(document)`: a PDF and all there is to judge it by."""

    def gathered(document: bytes) -> cms.Evidence:
        answer = authority.ocsp(signer.certificate, SIGNED + timedelta(minutes=5))
        return cms.Evidence(
            signature=document,
            trust=authority.trust,
            crls=(authority.crl(SIGNED + timedelta(minutes=5)),),
        ).with_fetched(ocsp_responses=[answer])

    return gathered
