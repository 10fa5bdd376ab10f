"""PDF on the sandbox's desk: read the text of a document, make one, add a page to it.

Courier is in every viewer but has no Cyrillic letters there, and no library that medsign may use
brings a font with them. So the sandbox draws its own thirty-three, with straight strokes.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterable, Mapping

from medsign.errors import MalformedError, MissingExtra

try:
    from pypdf import PdfReader, PdfWriter
    from pypdf.errors import PyPdfError
    from pypdf.generic import (
        ArrayObject,
        ContentStream,
        DecodedStreamObject,
        DictionaryObject,
        FloatObject,
        NameObject,
        NumberObject,
        PdfObject,
    )
except ModuleNotFoundError:
    raise MissingExtra("the sandbox", "sandbox") from None

_COLUMNS = 76
_ROWS = 52
# What pypdf lets out when a file breaks its assumptions.
_FAULTS = (
    PyPdfError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    RecursionError,
    TypeError,
    ValueError,
)

# Strokes as points on a grid of 5 columns and 8 rows, from below: "002640" goes (0,0) (2,6) (4,0).
_STROKES = {
    "А": "002640 1232",
    "Б": "4606003041423303",
    "В": "00063645443303 3342413000",
    "Г": "000646",
    "Д": "00014140 1114263631",
    "Е": "46060040 0333",
    "Ё": "46060040 0333 1717 3737",
    "Ж": "2026 062300 462340",
    "З": "05163645443313 334241301001",
    "И": "06004640",
    "Й": "06004640 1737",
    "К": "0006 460340",
    "Л": "0011264640",
    "М": "0006234640",
    "Н": "0006 4640 0343",
    "О": "103041453616050110",
    "П": "00064640",
    "Р": "00063645443303",
    "С": "4130100105163645",
    "Т": "0646 2026",
    "У": "0623 461000",
    "Ф": "2026 153544433212030415",
    "Х": "0046 0640",
    "Ц": "06014140 4641",
    "Ч": "06041343 4640",
    "Ш": "06004046 2026",
    "Щ": "06014140 2621 4641",
    "Ъ": "0616103041423313",
    "Ы": "06002031322303 4640",
    "Ь": "06003041423303",
    "Э": "0516364541301001 2343",
    "Ю": "0006 0313 203041453626151120",
    "Я": "40461605041343 2300",
    "№": "00062026 3444433334 3242",
}
_WIDTH = 600
_RUNS = re.compile(r"(?P<drawn>[А-ЯЁа-яё№]+)|[^А-ЯЁа-яё№]+")


def new_pdf(lines: Iterable[str]) -> bytes:
    """Return a PDF with lines of Russian text, as many pages as they need.

    Example:
        >>> text_of(new_pdf(["Согласие № 1, форма KAV.0049"])).strip()
        'Согласие № 1, форма KAV.0049'
    """
    writer = PdfWriter()
    _add_pages(writer, lines)
    return _written(writer)


def with_pages(
    original: bytes, lines: Iterable[str], attachments: Mapping[str, bytes] | None = None
) -> bytes:
    """Return the PDF with further pages and attached files.

    It is an incremental update: the result begins with the octets of the original.

    Raises:
        MalformedError: The original is no PDF that can be added to.
    """
    try:
        writer = PdfWriter(io.BytesIO(original), incremental=True)
        _add_pages(writer, lines)
        for name, content in (attachments or {}).items():
            writer.add_attachment(name, content)
        return _written(writer)
    except _FAULTS as fault:
        raise MalformedError("PDF", "", "cannot be added to") from fault


def text_of(pdf: bytes) -> str:
    """Return the text of a PDF, page after page.

    Raises:
        MalformedError: It is no PDF, has no pages, or is encrypted.
    """
    try:
        reader = PdfReader(io.BytesIO(pdf), strict=True)
        if reader.is_encrypted or not reader.pages:
            raise MalformedError("PDF", "", "it is encrypted or has no pages")
        return "\n".join(page.extract_text() for page in reader.pages)
    except _FAULTS as fault:
        raise MalformedError("PDF", "", "it cannot be read") from fault


def _add_pages(writer: PdfWriter, lines: Iterable[str]) -> None:
    rows = [row for line in lines for row in textwrap.wrap(line, _COLUMNS) or [""]]
    fonts = _dictionary(F1=_courier(), F2=_drawn_font(writer))
    for first in range(0, len(rows), _ROWS):
        page = writer.add_blank_page(width=595, height=842)
        page[NameObject("/Resources")] = _dictionary(Font=fonts)
        content = ContentStream(None, writer)
        shown = "".join(map(_shown, rows[first : first + _ROWS]))
        content.set_data(f"BT 14 TL 40 790 Td\n{shown}ET\n".encode())
        page.replace_contents(content)


def _shown(row: str) -> str:
    runs = (
        f"/{'F2' if run['drawn'] else 'F1'} 11 Tf <{run[0].encode('cp1251', 'replace').hex()}> Tj"
        for run in _RUNS.finditer(row)
    )
    return " ".join((*runs, "T*\n"))


def _courier() -> DictionaryObject:
    return _dictionary(
        Type=NameObject("/Font"),
        Subtype=NameObject("/Type1"),
        BaseFont=NameObject("/Courier"),
        Encoding=NameObject("/WinAnsiEncoding"),
    )


def _drawn_font(writer: PdfWriter) -> DictionaryObject:
    """Return a Type 3 font (ISO 32000-1, 9.6.5) coded as cp1251; small letters are capitals."""
    letters = dict.fromkeys(_STROKES, 1.0) | {
        letter.lower(): 0.75 for letter in _STROKES if letter.isalpha()
    }
    glyphs: dict[str, PdfObject] = {}
    differences: list[PdfObject] = []
    for letter, scale in letters.items():
        name = f"uni{ord(letter):04X}"
        glyphs[name] = _stream(writer, _glyph(_STROKES[letter.upper()], scale))
        differences += [NumberObject(letter.encode("cp1251")[0]), NameObject(f"/{name}")]
    return _dictionary(
        Type=NameObject("/Font"),
        Subtype=NameObject("/Type3"),
        FontBBox=_numbers(0, 0, _WIDTH, 800),
        FontMatrix=_numbers(0.001, 0, 0, 0.001, 0, 0),
        CharProcs=_dictionary(**glyphs),
        Encoding=_dictionary(Type=NameObject("/Encoding"), Differences=ArrayObject(differences)),
        FirstChar=NumberObject(0),
        LastChar=NumberObject(255),
        Widths=_numbers(*[_WIDTH] * 256),
        Resources=DictionaryObject(),
        ToUnicode=_stream(writer, _to_unicode(letters)),
    )


def _glyph(strokes: str, scale: float) -> bytes:
    left = (_WIDTH - 420 * scale) / 2
    paths: list[str] = []
    for stroke in strokes.split():
        points = [
            f"{left + 105 * scale * int(x):g} {95 * scale * int(y):g}"
            for x, y in zip(stroke[::2], stroke[1::2], strict=True)
        ]
        paths.append(" l ".join([f"{points[0]} m {points[1]}", *points[2:]]) + " l")
    return f"{_WIDTH} 0 d0 55 w 1 J 1 j {' '.join(paths)} S".encode()


def _to_unicode(letters: Iterable[str]) -> bytes:
    pairs = [f"<{letter.encode('cp1251').hex()}> <{ord(letter):04x}>" for letter in letters]
    return "\n".join(
        (
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
            "/CMapName /Drawn def /CMapType 2 def",
            "1 begincodespacerange <00> <ff> endcodespacerange",
            f"{len(pairs)} beginbfchar",
            *pairs,
            "endbfchar endcmap CMapName currentdict /CMap defineresource pop end end",
        )
    ).encode()


def _stream(writer: PdfWriter, data: bytes) -> PdfObject:
    stream = DecodedStreamObject()
    stream.set_data(data)
    # A stream is never a direct object, and pypdf has no public way to add one.
    return writer._add_object(stream)  # pyright: ignore[reportPrivateUsage]


def _dictionary(**entries: PdfObject) -> DictionaryObject:
    return DictionaryObject({NameObject(f"/{name}"): value for name, value in entries.items()})


def _numbers(*values: float) -> ArrayObject:
    return ArrayObject(map(FloatObject, values))


def _written(writer: PdfWriter) -> bytes:
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()
