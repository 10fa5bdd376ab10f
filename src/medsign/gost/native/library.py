"""Shared libraries of the system: found by name, called with declared types."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from typing import Any

from medsign.errors import Unavailable

POINTER = ctypes.c_void_p
SIZE = ctypes.c_size_t
INT = ctypes.c_int
TEXT = ctypes.c_char_p


def open_library(
    soname: str,
    package: str,
    prototypes: Mapping[str, tuple[Any, ...]],
    *,
    releases_gil: bool = True,
) -> ctypes.CDLL:
    """Open a library and declare the functions that will be called.

    The handle is this caller's own, so other users of the library keep their declarations.

    Args:
        soname: With the number of the ABI, such as ``libnettle.so.8``: another ABI is another
            library.
        package: What to install, for the error.
        prototypes: By name, the type of the result and those of the arguments.
        releases_gil: Whether other threads go on during calls through this handle.

    Raises:
        Unavailable: The library, or one of the functions in it, is missing.
    """
    try:
        library = (ctypes.CDLL if releases_gil else ctypes.PyDLL)(soname)
        for name, (result, *arguments) in prototypes.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise Unavailable(f"{soname} ({error})", package) from error
    return library


class Handle:
    """A native object that is released together with this one; ctypes takes it as a pointer.

    Args:
        pointer: From the library; ``None`` if it could not make the object.
        release: What frees it.

    Raises:
        MemoryError: There is no object.
    """

    def __init__(self, pointer: int | None, release: Callable[[int], object]) -> None:
        self._release = release
        self._as_parameter_ = pointer
        if not pointer:
            raise MemoryError("a native library made no object")

    def __del__(self) -> None:
        if self._as_parameter_:
            self._release(self._as_parameter_)
