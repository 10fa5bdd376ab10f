"""The wall around pyHanko: it is an extra, and whatever it throws at hostile bytes stays here."""

from __future__ import annotations

import importlib.util
from collections.abc import Generator
from contextlib import contextmanager

from medsign.errors import BudgetExceeded, MalformedError, MedsignError, MissingExtra

MAX_BYTES = 128 * 1024 * 1024
WHAT = "PDF"


@contextmanager
def reading(document: bytes) -> Generator[None]:
    """Let nothing out but errors of this library while pyHanko works on a document.

    Raises:
        Unavailable: The extra ``pdf`` is not installed.
        BudgetExceeded: The document is too large, or its streams swell beyond measure.
        MalformedError: Anything else that went wrong.
    """
    if importlib.util.find_spec("pyhanko") is None:
        raise MissingExtra("PDF", "pdf")
    from pyhanko.pdf_utils.misc import PdfDecodeLimitError

    if len(document) > MAX_BYTES:
        raise BudgetExceeded("octets of a PDF", MAX_BYTES)
    try:
        yield
    except MedsignError:
        raise
    except PdfDecodeLimitError:
        raise BudgetExceeded("PDF streams when unpacked", MAX_BYTES) from None
    except Exception as error:  # noqa: BLE001 - a parser of that size promises no list of its errors
        # Without its cause: that one may quote the document.
        raise MalformedError(WHAT, "", f"cannot be read ({type(error).__name__})") from None
