"""The first way: the OpenSSL of Python itself, with gost-engine loaded into it."""

from __future__ import annotations

import os
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from medsign.codec.asn1 import pem_encode
from medsign.errors import ConfigError, Unavailable
from medsign.transport.tls.checks import CheckedContext
from medsign.transport.tls.engine import SYSTEM_PYTHON, load_for_python
from medsign.transport.tls.settings import GostTls, blocks

# Named in `ssl` since Python 3.12.
_LEGACY_SERVER_CONNECT: Final = 0x4


def new_context(tls: GostTls, *, server_side: bool) -> CheckedContext:
    """Return a new context.

    Raises:
        Unavailable: See `load_for_python`.
        ConfigError: The certificates, lists or the key cannot be used.
    """
    load_for_python()
    # A context knows the suites that its libcrypto had when it was made.
    context = CheckedContext(ssl.PROTOCOL_TLS_SERVER if server_side else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    # Who resumes a session does not show a certificate, and so is not asked whether it is revoked.
    context.options |= ssl.OP_NO_TICKET
    context.options |= (
        _LEGACY_SERVER_CONNECT if tls.legacy_renegotiation else ssl.OP_NO_RENEGOTIATION
    )
    try:
        context.set_ciphers(tls.offered)
    except ssl.SSLError:
        # The engine went into a libcrypto that `ssl` does not use.
        raise Unavailable("GOST suites in the OpenSSL of this Python", SYSTEM_PYTHON) from None
    try:
        if tls.trust:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(
                cadata=b"".join(blocks(tls.trust, "CERTIFICATE", "trust"))
            )
        if tls.crls:
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
            lists = blocks(tls.lists, "X509 CRL", "crls")
            # The lists alone: `ssl` skips other blocks without a word.
            with _as_file(b"".join(pem_encode("X509 CRL", der) for der in lists)) as path:
                context.load_verify_locations(path)
        if tls.certificate:
            blocks(tls.certificate, "CERTIFICATE", "certificate")
            with _as_file(tls.certificate) as chain, _as_file(tls.private_key) as key:
                # Without any password OpenSSL would ask for one on the terminal.
                context.load_cert_chain(chain, key, tls.password)
    except ConfigError:
        raise
    except (ssl.SSLError, ValueError) as error:
        # OpenSSL has no word for a password that does not open a key.
        why = getattr(error, "reason", "") or "the key does not open: a wrong password, or damage"
        raise ConfigError(f"GOST TLS: what is given cannot be used ({why})") from None
    return context


@contextmanager
def _as_file(content: bytes) -> Generator[str, None, None]:
    """Show octets as a file, which is what `ssl` takes, but one that is on no disk."""
    with open(os.memfd_create("medsign"), "wb") as file:  # noqa: PTH123 - there is no path
        file.write(content)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"
