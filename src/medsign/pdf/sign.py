"""Signing of PDF: PAdES baseline B and T (ETSI EN 319 142-1), with no picture on a page.

The document is written once with an empty place for the signature; all around that place is
signed. What comes into the place is a signature of `medsign.cms`, and whoever has made it and
stamped it, here or far away, today or tomorrow, only has to `PreparedPdf.embed` it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import count
from typing import Any

import attrs

from medsign.clock import aware
from medsign.cms import Prepared, add_timestamp, finish, prepare, signature_value
from medsign.codec import json
from medsign.codec.asn1 import Certificate, decode_signed_data
from medsign.errors import UsageError
from medsign.gost import Provider
from medsign.pdf.foreign import MAX_BYTES, reading
from medsign.pdf.read import Change, read_pdf_signatures
from medsign.pki.signing import Signer


@attrs.frozen(kw_only=True)
class PdfField:
    """What a PDF says about a signature beside it.

    Attributes:
        name: Name of the field; an empty field of that name is filled, else a new one is made.
            By default ``Signature1`` or the next free number.
        reason: Why the document is signed; part of the document that everybody can read.
        location: Where it is signed.
        allows: What may be changed later without harm to the signature; makes it a certifying
            one, which must be the first. By default nothing is said, and forms may be filled in
            and signatures added.
        room: Octets kept for the signature. With evidence for years (CAdES-X Long and above) it
            takes up to 64 KiB.

    Raises:
        UsageError: No signature can allow that, or there is no room.
    """

    name: str | None = None
    reason: str | None = attrs.field(default=None, repr=False)
    location: str | None = None
    allows: Change | None = None
    room: int = 16 * 1024

    def __attrs_post_init__(self) -> None:
        if self.allows not in {None, Change.EVIDENCE, Change.FORMS, Change.NOTES}:
            raise UsageError("a signature allows evidence, forms or notes")
        if not 0 < self.room <= 16 * 1024 * 1024:
            raise UsageError("a signature needs some room")


@attrs.frozen(kw_only=True)
class PreparedPdf:
    """A PDF that only lacks its signature.

    Attributes:
        document: The whole file, zeros in place of the signature.
        place: Offsets of the first octet that is not signed and of the first that is again.
        prepared: The signature that only lacks its value; its digest is what the key signs.
    """

    document: bytes = attrs.field(repr=False)
    place: tuple[int, int]
    prepared: Prepared

    @property
    def digest(self) -> bytes:
        """What the key has to sign: 32 or 64 octets, as the hash gives them."""
        return self.prepared.digest

    @property
    def content(self) -> bytes:
        """The octets that are signed: all but the place."""
        start, end = self.place
        return self.document[:start] + self.document[end:]

    def embed(self, signature: bytes) -> bytes:
        """Return the signed PDF.

        Args:
            signature: DER of the CMS message: what `medsign.cms.finish` made of ``prepared``,
                with a time stamp and evidence if they are wanted.

        Raises:
            UsageError: It is a signature of something else, or takes more room than was kept.
            MalformedError: It is no signature.
        """
        signed = [each.signed_attributes_der for each in decode_signed_data(signature).signers]
        if signed != [self.prepared.attributes]:
            raise UsageError("the signature is not the one that was prepared for the document")
        (start, end), value = self.place, signature.hex().encode()
        room = end - start - 2
        if len(value) > room:
            raise UsageError(f"the signature takes {len(signature)} octets of {room // 2}")
        filled = b"<" + value.ljust(room, b"0") + b">"
        return self.document[:start] + filled + self.document[end:]

    def to_json(self) -> bytes:
        """Return everything as JSON in UTF-8, the document included."""
        return json.encode(self)

    @classmethod
    def from_json(cls, data: bytes) -> PreparedPdf:
        """Read what `to_json` wrote.

        Raises:
            MalformedError: It is not such JSON.
            BudgetExceeded: It is too large.
        """
        return json.decode(cls, data, what="prepared PDF", max_bytes=2 * MAX_BYTES)


def prepare_pdf(
    document: bytes,
    certificate: Certificate,
    *,
    at: datetime,
    field: PdfField | None = None,
    chain: Iterable[Certificate] = (),
    provider: Provider | None = None,
) -> PreparedPdf:
    """Do all of the signing of a PDF but the signature itself.

    The document stays octet for octet, the signature comes after it; so signatures that are there
    already stay good.

    Args:
        document: The PDF.
        certificate: The signer's certificate.
        at: When, by the signer's clock; aware. It is written into the PDF and not into the CMS
            message, as PAdES has it.
        field: What is said about the signature.
        chain: Further certificates to send along, the root not among them.
        provider: Who hashes; by default `medsign.gost.default_provider`.

    Raises:
        UsageError: The moment has no time zone, the field is taken, or a former signature allows
            no further one.
        MalformedError: No PDF, or an encrypted one.
        BudgetExceeded: It is too large.
        Unavailable: The extra ``pdf`` is not installed, or the key of the certificate is not one
            of GOST R 34.10-2012.
    """
    field, moment = field or PdfField(), aware(at)
    former = read_pdf_signatures(document)
    if any(each.allowed < Change.FORMS for each in former):
        raise UsageError(
            "a signature of this document allows no further one",
            "Подпись в документе запрещает добавлять новые. Подпишите исходный документ.",
        )
    if former and field.allows is not None:
        raise UsageError("only the first signature of a document can say what it allows")
    if field.name in (taken := {each.field for each in former}):
        raise UsageError(
            "the field holds a signature already",
            "В этом поле документа уже стоит подпись. Выберите другое.",
        )
    name = field.name or next(
        free for number in count(1) if (free := f"Signature{number}") not in taken
    )
    with reading(document):
        written, place = _with_place(document, name, field, moment)
    start, end = place
    return PreparedPdf(
        document=written,
        place=place,
        prepared=prepare(
            written[:start] + written[end:], certificate, at=None, chain=chain, provider=provider
        ),
    )


def sign_pdf(
    document: bytes,
    signer: Signer,
    *,
    at: datetime,
    field: PdfField | None = None,
    timestamp: Callable[[bytes], bytes] | None = None,
    chain: Iterable[Certificate] = (),
    provider: Provider | None = None,
) -> bytes:
    """Sign a PDF: PAdES-B-B, or PAdES-B-T with a time stamp; see `prepare_pdf` for the rest.

    Args:
        timestamp: Who stamps octets with the time; returns the token or the response of the
            service. By default there is no time stamp.

    Returns:
        The signed PDF: the document and an incremental update.

    Raises:
        UsageError: As `prepare_pdf`, or the value is not by the key of the certificate.
    """
    ready = prepare_pdf(
        document, signer.certificate, at=at, field=field, chain=chain, provider=provider
    )
    signature = finish(ready.prepared, signer.sign_digest(ready.digest), provider=provider)
    if timestamp is not None:
        token = timestamp(signature_value(signature))
        signature = add_timestamp(signature, token, provider=provider)
    return ready.embed(signature)


def _with_place(
    document: bytes, name: str, field: PdfField, at: datetime
) -> tuple[bytes, tuple[int, int]]:
    """Write a document with an empty signature, and tell where it is."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
    from pyhanko.sign.signers.cms_embedder import (
        PdfCMSEmbedder,
        SigIOSetup,
        SigMDPSetup,
        SigObjSetup,
    )
    from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
    from pyhanko.sign.signers.pdf_byterange import SignatureObject

    from medsign.pdf.bounded import BoundedReader

    writer: Any = IncrementalPdfFileWriter.from_reader(BoundedReader(document, strict=False))
    # It would put its own name and the clock of this machine into the document.
    writer._update_meta = lambda: None
    if writer.output_version < (2, 0):
        writer.register_extension(ESIC_EXTENSION_1)
    embedder: Any = PdfCMSEmbedder(SigFieldSpec(sig_field_name=name))
    steps = embedder.write_cms(name, writer)
    next(steps)
    entry = SignatureObject(
        timestamp=at,
        subfilter=SigSeedSubFilter.PADES,
        reason=field.reason,
        location=field.location,
        bytes_reserved=2 * field.room,
    )
    limits = None
    if field.allows is not None:
        permission = MDPPerm(field.allows.value)
        limits = SigMDPSetup(md_algorithm="sha256", certify=True, docmdp_perms=permission)
    steps.send(SigObjSetup(sig_placeholder=entry, mdp_setup=limits))
    # pyHanko knows no GOST: the digest that it computes is of no use and is thrown away.
    kept, output = steps.send(SigIOSetup(md_algorithm="sha256"))
    return output.getvalue(), (kept.reserved_region_start, kept.reserved_region_end)
