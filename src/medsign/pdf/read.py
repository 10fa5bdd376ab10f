"""Signatures of a PDF as facts: what each covers, and what came after it (ISO 32000-2 12.8).

The structure is read by pyHanko, and so is the difference between revisions. What a signature
leaves out is measured here, octet by octet: it must be its own value and nothing else.
"""

from __future__ import annotations

import enum
from binascii import unhexlify
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any, cast

import attrs

from medsign.codec.asn1 import decode_signed_data
from medsign.codec.asn1.ber import to_der
from medsign.codec.asn1.cms import CMS_LIMITS
from medsign.errors import BudgetExceeded, MalformedError
from medsign.pdf.foreign import WHAT, reading

MAX_SIGNATURES = 32
MAX_REVISIONS = 128
_SUB_FILTERS = {"/ETSI.CAdES.detached", "/adbe.pkcs7.detached", "/ETSI.RFC3161"}


class Change(enum.IntEnum):
    """How far a PDF was changed; each level holds the former ones (ISO 32000-2 12.8.2.2).

    What is unknown may be anything: the revisions could not be compared.
    """

    NONE = 0
    EVIDENCE = 1
    FORMS = 2
    NOTES = 3
    ANY = 4
    UNKNOWN = 5

    @property
    def russian(self) -> str:
        """What was changed, for staff."""
        return _CHANGES[self]


_CHANGES = {
    Change.NONE: "ничего",
    Change.EVIDENCE: "доказательства для хранения",
    Change.FORMS: "поля форм или другие подписи",
    Change.NOTES: "примечания",
    Change.ANY: "содержание документа, или дописано то, что не входит ни в одну редакцию",
    Change.UNKNOWN: "неизвестно что: сравнить редакции не удалось",
}


@attrs.frozen(kw_only=True)
class PdfSignature:
    """One signature of a PDF, not judged.

    Attributes:
        document: The whole file.
        field: Full name of the field.
        byte_range: Offset and length of the part before the value and of the part after it.
        signature: DER of the CMS message.
        is_time_stamp: Whether it is a time stamp of the document and nobody's signature.
        signed_at: When, by the signer's own word in the PDF.
        reason: Why, in the signer's words; may be personal data.
        is_whole: Whether it leaves out nothing of its revision but its own value.
        change: The gravest change that came after it.
        allowed: The gravest change that it allows; a signature that does not say allows notes.
    """

    document: bytes = attrs.field(repr=False)
    field: str
    byte_range: tuple[int, int, int, int]
    signature: bytes = attrs.field(repr=False)
    is_time_stamp: bool
    signed_at: datetime | None
    reason: str | None = attrs.field(repr=False)
    is_whole: bool
    change: Change
    allowed: Change

    @property
    def content(self) -> bytes:
        """The octets that are signed: the revision without the value."""
        first, length, second, rest = self.byte_range
        return self.document[first : first + length] + self.document[second : second + rest]

    @property
    def revision(self) -> bytes:
        """The document as it was signed, a PDF of its own."""
        return self.document[: sum(self.byte_range[2:])]

    @property
    def covers_file(self) -> bool:
        """Whether nothing came after it."""
        return self.is_whole and sum(self.byte_range[2:]) == len(self.document)


def read_pdf_signatures(document: bytes) -> tuple[PdfSignature, ...]:
    """Read the signatures of a PDF in the order of signing; empty when there are none.

    Files that break the rules of PDF are read too, as viewers do. What came after a signature is
    not compared in them and stays unknown.

    Raises:
        MalformedError: No PDF, an encrypted one, or a signature in it that cannot be read or that
            is of a kind long out of use.
        BudgetExceeded: It is too large, or has too many signatures or revisions.
        Unavailable: The extra ``pdf`` is not installed.

    Example:
        >>> read_pdf_signatures(b"%PDF-1.7")
        Traceback (most recent call last):
        medsign.errors.MalformedError: malformed PDF: cannot be read (PdfReadError)
    """
    try:
        return _signatures(document, strict=True)
    except MalformedError:
        return _signatures(document, strict=False)


def _signatures(document: bytes, *, strict: bool) -> tuple[PdfSignature, ...]:
    with reading(document):
        from pyhanko.sign.fields import enumerate_sig_fields
        from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

        from medsign.pdf.bounded import BoundedReader

        reader = BoundedReader(document, strict=strict)
        # Tables of two kinds at once are read by each viewer in its own way.
        strict = strict and not reader.xrefs.hybrid_xrefs_present
        if reader.encrypted:
            raise MalformedError(WHAT, "trailer", "encrypted")
        if reader.total_revisions > MAX_REVISIONS:
            raise BudgetExceeded("revisions of a PDF", MAX_REVISIONS)
        filled = cast("Iterator[Any]", enumerate_sig_fields(reader, filled_status=True))
        fields = list(islice(filled, MAX_SIGNATURES + 1))
        if len(fields) > MAX_SIGNATURES:
            raise BudgetExceeded("signatures of a PDF", MAX_SIGNATURES)
        found = [EmbeddedPdfSignature(reader, field, name) for name, _, field in fields]
        found.sort(key=lambda each: each.signed_revision)
        return tuple(_signature(document, each, strict=strict) for each in found)


def _signature(document: bytes, found: Any, *, strict: bool) -> PdfSignature:
    """Return one signature; found is pyHanko's `EmbeddedPdfSignature`."""
    entry = found.sig_object
    kind, reason, level = entry.get("/SubFilter"), entry.get("/Reason"), found.docmdp_level
    if kind not in _SUB_FILTERS:
        raise MalformedError(WHAT, "SubFilter", "a signature of an unknown kind")
    byte_range = _byte_range(found.byte_range, len(document))
    message = decode_signed_data(to_der("signature", found.pkcs7_content, CMS_LIMITS, padded=True))
    if len(message.signers) != 1:
        raise MalformedError(WHAT, "Contents", "exactly one signature is needed")
    is_whole = _is_whole(document, byte_range, found)
    covers_file = is_whole and sum(byte_range[2:]) == len(document)
    return PdfSignature(
        document=document,
        field=found.field_name,
        byte_range=byte_range,
        signature=message.der,
        is_time_stamp=kind == "/ETSI.RFC3161",
        signed_at=_moment(entry.get("/M")),
        reason=str(reason) if isinstance(reason, str) else None,
        is_whole=is_whole,
        change=Change.NONE if covers_file else _change(found) if strict else Change.UNKNOWN,
        allowed=Change.NOTES if level is None else Change(level.value),
    )


def _byte_range(listed: Iterable[object], size: int) -> tuple[int, int, int, int]:
    match [int(each) for each in listed if isinstance(each, int) and each >= 0]:
        case [first, length, second, rest] if first + length <= second <= second + rest <= size:
            return first, length, second, rest
        case _:
            raise MalformedError(WHAT, "ByteRange", "not two parts of the file in order")


def _is_whole(document: bytes, byte_range: tuple[int, int, int, int], found: Any) -> bool:
    from pyhanko.sign.validation.status import SignatureCoverageLevel

    first, length, second, _ = byte_range
    gap = document[length:second]
    try:
        own = unhexlify(gap[1:-1]) == found.pkcs7_content
    except ValueError:
        own = False
    bounded = first == 0 and gap[:1] + gap[-1:] == b"<>"
    # The rest of the rule: the signature is of the revision that brought it, not of an older one.
    enough = found.evaluate_signature_coverage() >= SignatureCoverageLevel.ENTIRE_REVISION
    return bool(own and bounded and enough)


def _change(found: Any) -> Change:
    from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, DiffResult

    # Octets that belong to no revision are read by one viewer and not by another.
    if found.signed_revision + 1 == found.reader.total_revisions:
        return Change.ANY
    found.coverage = found.evaluate_signature_coverage()
    result = found.evaluate_modifications(DEFAULT_DIFF_POLICY)
    if not isinstance(result, DiffResult):
        return Change.ANY
    return Change(result.modification_level.value)


def _moment(text: object) -> datetime | None:
    """Return the moment of a signature; one without a time zone is none."""
    from pyhanko.pdf_utils.generic import parse_pdf_date
    from pyhanko.pdf_utils.misc import PdfReadError

    try:
        moment = parse_pdf_date(text, strict=False) if isinstance(text, str) else None
    except (PdfReadError, ValueError, OverflowError):
        return None
    return moment if moment and moment.tzinfo else None
