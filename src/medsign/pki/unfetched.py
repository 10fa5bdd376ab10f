"""What could not be had from an address in a certificate, as plain data."""

from __future__ import annotations

from typing import Literal

import attrs

Wanted = Literal["issuer", "ocsp", "crl"]


@attrs.frozen(kw_only=True)
class Unfetched:
    """An address that gave nothing of use.

    Attributes:
        wanted: What was looked for there.
        certificate: SHA-256 of the certificate that names the address, hexadecimal.
        host: The host; empty when the address names none.
        code: What went wrong: the code of an error of `medsign.errors`.
        reason: The same for staff, in Russian.

    Example:
        >>> Unfetched(wanted="crl", certificate="00" * 32, host="crl.test", code="MS-CONNECT",
        ...           reason="Не удалось подключиться.").text_ru
        'crl.test: Не удалось подключиться.'
    """

    wanted: Wanted
    certificate: str
    host: str
    code: str
    reason: str

    @property
    def text_ru(self) -> str:
        """Where and why, for staff."""
        return f"{self.host or 'адрес'}: {self.reason}"
