"""A reader of PDF that counts its steps; to be imported only where pyHanko is known to be there."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader

from medsign.errors import BudgetExceeded

MAX_STEPS = 200_000


class BoundedReader(PdfFileReader):
    """pyHanko's reader with a bound: a tree of a few objects can have more leaves than atoms exist.

    Args:
        document: The PDF.
        strict: Whether to refuse what breaks the rules of PDF.
    """

    def __init__(self, document: bytes, *, strict: bool) -> None:
        self._steps = 0
        self._revisions: dict[int, HistoricalResolver] = {}
        base: Any = super()
        base.__init__(BytesIO(document), strict=strict)

    def step(self) -> None:
        """Count one look at an object.

        Raises:
            BudgetExceeded: There were too many.
        """
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise BudgetExceeded("objects of a PDF looked at", MAX_STEPS)

    def get_object(self, *arguments: Any, **options: Any) -> Any:
        self.step()
        base: Any = super()
        return base.get_object(*arguments, **options)

    def get_historical_resolver(self, revision: int) -> HistoricalResolver:
        if revision not in self._revisions:
            self._revisions[revision] = _BoundedResolver(self, revision)
        return self._revisions[revision]


class _BoundedResolver(HistoricalResolver):
    """An older revision, whose objects count as well."""

    reader: BoundedReader

    def get_object(self, *arguments: Any, **options: Any) -> Any:
        self.reader.step()
        base: Any = super()
        return base.get_object(*arguments, **options)
