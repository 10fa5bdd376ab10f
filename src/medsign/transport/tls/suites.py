"""The GOST cipher suites of TLS 1.2."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Suite(StrEnum):
    """A suite by the name that OpenSSL gives it; its number in the handshake is in brackets.

    Attributes:
        KUZNYECHIK: Kuznyechik CTR with OMAC, RFC 9189 (C1,00).
        MAGMA: Magma CTR with OMAC, RFC 9189 (C1,01).
        GOST_28147: GOST 28147-89 CNT with IMIT, RFC 9189 (C1,02); all that GnuTLS has.
        GOST_28147_LEGACY: The same under the number that old servers know (FF,85).
        GOST_2001: GOST 28147-89 with keys of GOST R 34.10-2001 (00,81), which must not be issued
            since 2019; never offered by default.
    """

    KUZNYECHIK = "GOST2012-KUZNYECHIK-KUZNYECHIKOMAC"
    MAGMA = "GOST2012-MAGMA-MAGMAOMAC"
    GOST_28147 = "IANA-GOST2012-GOST8912-GOST8912"
    GOST_28147_LEGACY = "LEGACY-GOST2012-GOST8912-GOST8912"
    GOST_2001 = "GOST2001-GOST89-GOST89"


USUAL: Final = (Suite.KUZNYECHIK, Suite.MAGMA, Suite.GOST_28147, Suite.GOST_28147_LEGACY)
"""What is offered by default, best first."""

OTHERS: Final = ("ECDHE+AESGCM", "ECDHE+CHACHA20")
"""What else is offered where suites beside GOST are allowed."""
