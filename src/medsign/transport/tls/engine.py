"""gost-engine in a libcrypto: found, loaded and made the one for GOST algorithms.

The library is the one that `ssl` is linked to, or the system's. Suites of GOST exist in a
libcrypto only while the engine is its default for GOST, so that is what a program that opens a
GOST connection gets, for the life of its process and of its children. Nothing but GOST changes:
RSA, ECDSA, AES, SHA and random numbers stay with OpenSSL.
"""

from __future__ import annotations

import _ssl
import ctypes
import os
import ssl
import sys
from pathlib import PurePath
from typing import Any, Final

from medsign.errors import Unavailable
from medsign.gost.native.library import INT, POINTER, TEXT

INSTALL: Final = "apt install libengine-gost-openssl (Debian 12, Ubuntu)"
SYSTEM_PYTHON: Final = (
    "Python of the distribution; or libssl3 and libengine-gost-openssl beside this one, "
    "or a local GOST gateway"
)
# Ciphers, digests, methods and ASN.1 of keys; never RSA, EC or RAND (openssl/engine.h).
_GOST_METHODS = 0x0040 | 0x0080 | 0x0200 | 0x0400
_FUNCTIONS: Final[dict[str, tuple[Any, ...]]] = {
    "ENGINE_by_id": (POINTER, TEXT),
    "ENGINE_init": (INT, POINTER),
    "ENGINE_set_default": (INT, POINTER, ctypes.c_uint),
    "ENGINE_finish": (INT, POINTER),
    "ENGINE_free": (INT, POINTER),
    "ERR_clear_error": (None,),
}


def load_for_python() -> None:
    """Load the engine into the OpenSSL of this Python.

    Contexts made before know no GOST suites; those made after do.

    Raises:
        Unavailable: There is no engine, this Python has OpenSSL inside or OpenSSL 4, or the
            system is not Linux; the text tells which.
    """
    # A built-in module has no file: its symbols, if it shows any, are those of the program.
    load(getattr(_ssl, "__file__", None), ssl.OPENSSL_VERSION_INFO)


def load(library: str | None, version: tuple[int, ...]) -> None:
    """Load the engine into the libcrypto that a library is, or is linked to.

    Args:
        library: Path or soname; ``None`` for the program itself.
        version: Version of its OpenSSL.

    Raises:
        Unavailable: As for `load_for_python`.
    """
    if sys.platform != "linux":
        raise Unavailable("gost-engine (only on Linux)", "a GOST gateway")
    if version >= (4,):
        raise Unavailable("GOST TLS by OpenSSL 4, which has no engines,", SYSTEM_PYTHON)
    # PyDLL keeps the GIL: of two threads that load the engine at once, the second would be told
    # that there is none.
    crypto = _open(library)
    engine = crypto.ENGINE_by_id(b"gost")
    loaded = (
        engine
        and crypto.ENGINE_init(engine)
        and crypto.ENGINE_set_default(engine, _GOST_METHODS)
        # The tables of defaults hold the engine from now on; these two give back our own hold.
        and crypto.ENGINE_finish(engine)
        and crypto.ENGINE_free(engine)
    )
    # What is left in the queue of this thread, `ssl` would take for an error of its own.
    crypto.ERR_clear_error()
    if not loaded:
        raise Unavailable("the engine gost of OpenSSL", INSTALL)


def _open(library: str | None) -> ctypes.PyDLL:
    try:
        crypto = ctypes.PyDLL(library)
    except OSError:
        raise Unavailable(f"the library {library}", "apt install libssl3") from None
    own = _file_of(crypto, "OpenSSL_version_num")
    # What the program itself shows, the engine would take for its own.
    shown = _file_of(ctypes.PyDLL(None), "OpenSSL_version_num") or own
    if not all(file.startswith("libcrypto.so") for file in (own, shown)):
        # Where symbols of such a one show all the same, the engine would bring a second libcrypto,
        # and the two would break each other's memory.
        raise Unavailable(
            "GOST TLS by the OpenSSL of this Python, which is built in statically,", SYSTEM_PYTHON
        )
    try:
        for name, (result, *arguments) in _FUNCTIONS.items():
            function = getattr(crypto, name)
            function.restype, function.argtypes = result, arguments
    except AttributeError:
        raise Unavailable(
            "GOST TLS by an OpenSSL that was built without engines", SYSTEM_PYTHON
        ) from None
    return crypto


class _Place(ctypes.Structure):
    """Dl_info of dlfcn.h."""

    _fields_ = (("file", TEXT), ("base", POINTER), ("symbol", TEXT), ("address", POINTER))


def _file_of(library: ctypes.PyDLL, symbol: str) -> str:
    """Return the name of the file in which a symbol stands, empty when there is none."""
    place = _Place()
    if not hasattr(library, symbol):
        return ""
    address = ctypes.cast(getattr(library, symbol), POINTER)
    ctypes.CDLL(None).dladdr(address, ctypes.byref(place))
    return PurePath(os.fsdecode(place.file or b"")).name
