"""PEM and bare base64 around DER (RFC 7468)."""

from __future__ import annotations

import base64
import binascii
import re

from medsign.errors import MalformedError

# Nothing is looked at twice: a beginning without its end must not be sought to the end of the data.
# The outer star is not possessive: CPython 3.11.2 finds nothing where such ones are nested.
_BLOCK = re.compile(
    rb"-----BEGIN ([A-Z0-9 ]{1,64})-----[ \t]*+\r?\n([^-]*+(?:-(?!----)[^-]*+)*)-----END \1-----"
)
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]++={0,2}\s*")
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def pem_decode(data: bytes) -> list[tuple[str, bytes]]:
    """Return the label and the DER of each block, in order; text between blocks is skipped.

    Raises:
        MalformedError: There is no block, or one holds no base64.

    Example:
        >>> pem_decode(pem_encode("CERTIFICATE", b"0"))
        [('CERTIFICATE', b'0')]
    """
    blocks = [(label.decode(), _base64(body)) for label, body in _BLOCK.findall(data)]
    if not blocks:
        raise MalformedError("PEM", "", "no block")
    return blocks


def pem_encode(label: str, data: bytes) -> bytes:
    """Return one block with lines of 64 characters.

    Args:
        label: For instance ``CERTIFICATE``, ``PRIVATE KEY``, ``CMS``, ``X509 CRL``.
        data: DER.
    """
    text = base64.b64encode(data)
    lines = b"".join(text[at : at + 64] + b"\n" for at in range(0, len(text), 64))
    name = label.encode()
    return b"-----BEGIN " + name + b"-----\n" + lines + b"-----END " + name + b"-----\n"


def is_pem(data: bytes) -> bool:
    """Tell whether data is text up to its first block (RFC 7468 §2).

    DER may quote a block, of a stranger perhaps, and is not that block. What `recognise` knows has
    a tag or a number among its first octets that no text has.

    Example:
        >>> block = pem_encode("CMS", b"0")
        >>> is_pem(block), is_pem(bytes((0x04, len(block))) + block)
        (True, False)
    """
    begin = data.find(b"-----BEGIN ")
    return begin >= 0 and not _NO_TEXT.search(data, 0, begin)


def to_binary(data: bytes) -> bytes:
    """Return the DER of what may be DER, PEM (the first block) or bare base64; see `is_pem`.

    Example:
        >>> to_binary(b"MAA=").hex()
        '3000'
    """
    text = data.removeprefix(b"\xef\xbb\xbf")
    if is_pem(text):
        return pem_decode(text)[0][1]
    return _base64(text) if text[:1] == b"M" and _BASE64.fullmatch(text) else data


def _base64(text: bytes) -> bytes:
    # RFC 1421 headers, which old tools write before the body, end with an empty line.
    if b":" in text:
        text = re.split(rb"\r?\n\r?\n", text, maxsplit=1)[-1]
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except binascii.Error:
        raise MalformedError("PEM", "", "not base64") from None
