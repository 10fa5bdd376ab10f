"""Signatures inside PDF files: PAdES made, read, verified (ETSI EN 319 142-1, ISO 32000-2 12.8).

pyHanko, the extra ``pdf``, reads and writes the PDF; the signatures are those of `medsign.cms`.
"""

from medsign.pdf.read import Change, PdfSignature, read_pdf_signatures
from medsign.pdf.sign import PdfField, PreparedPdf, prepare_pdf, sign_pdf
from medsign.pdf.verify import verify_pdf

__all__ = [
    "Change",
    "PdfField",
    "PdfSignature",
    "PreparedPdf",
    "prepare_pdf",
    "read_pdf_signatures",
    "sign_pdf",
    "verify_pdf",
]
