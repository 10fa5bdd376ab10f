"""Streebog by libgcrypt, which systemd and GnuPG bring along."""

from __future__ import annotations

import ctypes

from medsign.gost.native.base import DigestProvider, NativeHasher
from medsign.gost.native.library import INT, POINTER, SIZE, TEXT, Handle, open_library
from medsign.gost.params import DigestAlgorithm

INSTALL = "libgcrypt20 (Debian, Ubuntu)"
_DISABLE_SECURE_MEMORY, _FINISH, _IS_FINISHED = 37, 38, 39
_PROTOTYPES = {
    "gcry_check_version": (TEXT, TEXT),
    "gcry_control": (INT, INT, INT),
    "gcry_md_map_name": (INT, TEXT),
    "gcry_md_open": (INT, POINTER, INT, INT),
    "gcry_md_copy": (INT, POINTER, POINTER),
    "gcry_md_write": (None, POINTER, POINTER, SIZE),
    "gcry_md_read": (POINTER, POINTER, INT),
    "gcry_md_close": (None, POINTER),
    "gcry_md_hash_buffer": (None, INT, POINTER, POINTER, SIZE),
}


class GcryptProvider(DigestProvider):
    """Streebog only.

    Raises:
        Unavailable: The library is missing.
    """

    name = "libgcrypt"

    def __init__(self) -> None:
        self._library = library = open_library("libgcrypt.so.20", INSTALL, _PROTOTYPES)
        library.gcry_check_version(None)
        # The library is one for the whole process: what the application has set up stays.
        if not library.gcry_control(_IS_FINISHED, 0):
            library.gcry_control(_DISABLE_SECURE_MEMORY, 0)
            library.gcry_control(_FINISH, 0)

    def hasher(self, algorithm: DigestAlgorithm) -> GcryptHasher:
        """Return a new hasher."""
        pointer = POINTER()
        self._library.gcry_md_open(ctypes.byref(pointer), self._number(algorithm), 0)
        return GcryptHasher(algorithm, self._library, pointer)

    def hash(self, algorithm: DigestAlgorithm, data: bytes) -> bytes:
        """Return the digest of octets that are all at hand."""
        answer = (ctypes.c_char * algorithm.size)()
        self._library.gcry_md_hash_buffer(self._number(algorithm), answer, data, len(data))
        return answer.raw

    def _number(self, algorithm: DigestAlgorithm) -> int:
        number: int = self._library.gcry_md_map_name(b"STRIBOG%d" % (8 * algorithm.size))
        return number


class GcryptHasher(NativeHasher):
    """A running Streebog of libgcrypt."""

    def __init__(
        self, algorithm: DigestAlgorithm, library: ctypes.CDLL, pointer: ctypes.c_void_p
    ) -> None:
        super().__init__(algorithm)
        self._library = library
        self._state = Handle(pointer.value, library.gcry_md_close)

    def _absorb(self, piece: bytes) -> None:
        self._library.gcry_md_write(self._state, piece, len(piece))

    def _twin(self) -> GcryptHasher:
        pointer = POINTER()
        self._library.gcry_md_copy(ctypes.byref(pointer), self._state)
        return GcryptHasher(self.algorithm, self._library, pointer)

    def _result(self) -> bytes:
        twin = self._twin()
        return ctypes.string_at(self._library.gcry_md_read(twin._state, 0), self.algorithm.size)
