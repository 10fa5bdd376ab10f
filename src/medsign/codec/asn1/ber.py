"""BER to DER, as far as CMS needs it (RFC 5652 lets the outer layers be BER).

Indefinite and over-long lengths are rewritten and constructed strings are joined. What is DER
already stays octet for octet, so that signatures inside still fit. The order of a ``SET OF`` is
kept too: signers who write attributes out of order also hash them out of order.
"""

from __future__ import annotations

from medsign.codec.asn1.door import Limits, frame, framed, minimal
from medsign.errors import BudgetExceeded, MalformedError

_CONSTRUCTED = 0x20
_STRING_TAGS = frozenset(
    {0x03, 0x04, 0x0C, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1A, 0x1B, 0x1C, 0x1E}
)
_BIT_STRING = 0x03


def to_der(what: str, data: bytes, limits: Limits, *, padded: bool = False) -> bytes:
    """Return the same element in DER.

    Args:
        what: What the element is meant to be, for the error text.
        data: Exactly one element in BER.
        limits: How much work it may cost.
        padded: Whether zeros may follow, as in the place that a PDF keeps for a signature.

    Raises:
        MalformedError: It is no BER, or octets follow it.
        BudgetExceeded: It is too long, too deep or has too many elements.

    Example:
        >>> to_der("example", bytes.fromhex("2480 0401aa 0401bb 0000"), Limits()).hex()
        '0402aabb'
    """
    if len(data) > limits.max_bytes:
        raise BudgetExceeded(f"{what}: octets", limits.max_bytes)
    rewriter = _Rewriter(what, data, limits)
    element, end = rewriter.element(0, len(data), 0)
    if data[end:].strip(b"\0" if padded else b""):
        raise rewriter.error(end, "octets follow the end")
    return element


class _Rewriter:
    def __init__(self, what: str, data: bytes, limits: Limits) -> None:
        self.what, self.data, self.limits, self.seen = what, data, limits, 0

    def error(self, at: int, why: str) -> MalformedError:
        return MalformedError(self.what, f"octet {at}", why)

    def element(self, start: int, end: int, depth: int) -> tuple[bytes, int]:
        """Return the element at an offset in DER, and the offset after it."""
        self.seen += 1
        if depth > self.limits.max_depth:
            raise BudgetExceeded(f"{self.what}: depth", self.limits.max_depth)
        if self.seen > self.limits.max_elements:
            raise BudgetExceeded(f"{self.what}: elements", self.limits.max_elements)
        try:
            tag, body, length = frame(self.data, start, end)
        except ValueError as odd:
            raise self.error(start, str(odd)) from None
        first = self.data[start]
        if not first & _CONSTRUCTED:
            if length is None:
                raise self.error(start, "an indefinite length of a primitive element")
            stop = body + length
            if minimal(start, body, length) or first & 0x1F == 0x1F:
                return self.data[start:stop], stop
            return framed(self.data[start : start + 1], self.data[body:stop]), stop
        parts, stop = self._parts(body, None if length is None else body + length, end, depth)
        if tag & ~_CONSTRUCTED in _STRING_TAGS and tag < 0x40:
            return self._joined(start, tag & ~_CONSTRUCTED, parts), stop
        identifier = self.data[start : start + (1 if tag < 0x100 else (tag.bit_length() + 7) // 8)]
        return framed(identifier, b"".join(parts)), stop

    def _parts(self, at: int, stop: int | None, end: int, depth: int) -> tuple[list[bytes], int]:
        parts: list[bytes] = []
        while at != stop:
            if stop is None and self.data[at : at + 2] == b"\0\0" and at + 2 <= end:
                return parts, at + 2
            part, at = self.element(at, end if stop is None else stop, depth + 1)
            parts.append(part)
        return parts, at

    def _joined(self, start: int, tag: int, parts: list[bytes]) -> bytes:
        contents: list[bytes] = []
        for index, part in enumerate(parts):
            if part[0] != tag:
                raise self.error(start, "a string with a part of another type")
            _, body, _ = frame(part, 0, len(part))
            if tag == _BIT_STRING:
                unused = part[body : body + 1]
                if not unused or (unused != b"\0" and index + 1 < len(parts)):
                    raise self.error(start, "a bit string with a broken part")
                contents.append(part[body + 1 :])
                if index + 1 == len(parts):
                    contents.insert(0, unused)
            else:
                contents.append(part[body:])
        if tag == _BIT_STRING and not parts:
            raise self.error(start, "a bit string of no parts")
        return framed(bytes((tag,)), b"".join(contents))
