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
            context.load_verify_locations(cadata=b"".join(blocks(tls.trust, "CERTIFICATE")))
        if tls.crls:
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
            with _as_file(_pem("X509 CRL", tls.lists)) as path:
                context.load_verify_locations(path)
        if tls.certificate:
            with _as_file(tls.certificate) as chain, _as_file(tls.key or tls.certificate) as key:
                # Without any password OpenSSL would ask for one on the terminal.
                context.load_cert_chain(chain, key, tls.password)
    except (ssl.SSLError, ValueError) as error:
        why = getattr(error, "reason", "") or type(error).__name__
        raise ConfigError(f"GOST TLS: what is given cannot be used ({why})") from None
    return context


def _pem(label: str, pem: bytes) -> bytes:
    """Return the blocks with this label alone: `ssl` skips others without a word."""
    return b"".join(pem_encode(label, der) for der in blocks(pem, label))


@contextmanager
def _as_file(content: bytes) -> Generator[str, None, None]:
    """Show octets as a file, which is what `ssl` takes, but one that is on no disk."""
    with open(os.memfd_create("medsign"), "wb") as file:  # noqa: PTH123 - there is no path
        file.write(content)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"
