"""Which ways of GOST TLS this machine has."""

from __future__ import annotations

import attrs

from medsign.errors import Unavailable
from medsign.transport.tls.settings import GostTls, Way, open_context


@attrs.frozen(kw_only=True)
class WayReport:
    """Whether a way works on this machine.

    Attributes:
        way: The way.
        reason: Why not; empty when it works.
        install: What would bring it; empty when it works.
    """

    way: Way
    reason: str = ""
    install: str = ""

    @property
    def works(self) -> bool:
        """Whether connections can be opened this way."""
        return not self.reason


def way_reports() -> tuple[WayReport, ...]:
    """Try each way; connections are opened by the first that works.

    Example:
        >>> [report.way.value for report in way_reports()]
        ['python', 'system']
    """
    return tuple(map(_tried, Way))


def _tried(way: Way) -> WayReport:
    try:
        open_context(GostTls(way=way), server_side=False)
    except Unavailable as missing:
        return WayReport(way=way, reason=missing.what, install=missing.install)
    return WayReport(way=way)
