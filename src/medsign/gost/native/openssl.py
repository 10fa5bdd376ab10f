"""GOST by the system's OpenSSL 3 with the modules of gost-engine.

The library may be the very one that `ssl` uses. So nothing is made a default of the process: what
the engine registers of itself at loading is taken back, and each call names it. A host that has no
GOST in its `ssl` and `hashlib` still has none afterwards, and one that has keeps it.
"""

from __future__ import annotations

import ctypes
import functools
import weakref
from collections.abc import Iterator
from typing import Any

from medsign.errors import Unavailable
from medsign.gost.keys import PrivateKey, PublicKey
from medsign.gost.native.base import DigestProvider, NativeHasher, NativeProvider
from medsign.gost.native.library import INT, POINTER, SIZE, TEXT, Handle, open_library
from medsign.gost.params import EXAMPLE_256, EXAMPLE_512, PARAM_SETS, DigestAlgorithm, ParamSet

INSTALL = "libengine-gost-openssl (Debian 12, Ubuntu)"
_SONAME = "libcrypto.so.3"
_KEYS = 32  # public keys kept parsed
_SETS = frozenset({*PARAM_SETS, EXAMPLE_256, EXAMPLE_512})
_KEY_TYPES = {32: b"1.2.643.7.1.1.1.1", 64: b"1.2.643.7.1.1.1.2"}
_NAMES = {algorithm: b"md_gost12_%d" % (8 * algorithm.size) for algorithm in DigestAlgorithm}

_HASHING: dict[str, tuple[Any, ...]] = {
    "ERR_clear_error": (None,),
    "EVP_MD_CTX_new": (POINTER,),
    "EVP_MD_CTX_free": (None, POINTER),
    "EVP_MD_CTX_copy_ex": (INT, POINTER, POINTER),
    "EVP_DigestInit_ex": (INT, POINTER, POINTER, POINTER),
    "EVP_DigestUpdate": (INT, POINTER, POINTER, SIZE),
    "EVP_DigestFinal_ex": (INT, POINTER, POINTER, POINTER),
    "EVP_Digest": (INT, POINTER, SIZE, POINTER, POINTER, POINTER, POINTER),
}
_PROVIDER: dict[str, tuple[Any, ...]] = {
    "OSSL_LIB_CTX_new": (POINTER,),
    "OSSL_PROVIDER_load": (POINTER, POINTER, TEXT),
    "EVP_MD_fetch": (POINTER, POINTER, TEXT, TEXT),
}
_ENGINE: dict[str, tuple[Any, ...]] = {
    "ENGINE_get_first": (POINTER,),
    "ENGINE_get_next": (POINTER, POINTER),
    "ENGINE_get_id": (TEXT, POINTER),
    "ENGINE_init": (INT, POINTER),
    "ENGINE_unregister_ciphers": (None, POINTER),
    "ENGINE_unregister_digests": (None, POINTER),
    "ENGINE_unregister_pkey_meths": (None, POINTER),
    "ENGINE_register_pkey_asn1_meths": (INT, POINTER),
    "ENGINE_get_digest": (POINTER, POINTER, INT),
    "OBJ_txt2nid": (INT, TEXT),
    "BN_bin2bn": (POINTER, TEXT, INT, POINTER),
    "BN_clear_free": (None, POINTER),
    "EC_GROUP_new_curve_GFp": (POINTER, POINTER, POINTER, POINTER, POINTER),
    "EC_GROUP_set_generator": (INT, POINTER, POINTER, POINTER, POINTER),
    "EC_GROUP_set_curve_name": (None, POINTER, INT),
    "EC_GROUP_free": (None, POINTER),
    "EC_POINT_new": (POINTER, POINTER),
    "EC_POINT_set_affine_coordinates": (INT, POINTER, POINTER, POINTER, POINTER, POINTER),
    "EC_POINT_free": (None, POINTER),
    "EC_KEY_new": (POINTER,),
    "EC_KEY_set_group": (INT, POINTER, POINTER),
    "EC_KEY_set_private_key": (INT, POINTER, POINTER),
    "EC_KEY_set_public_key": (INT, POINTER, POINTER),
    "EVP_PKEY_new": (POINTER,),
    "EVP_PKEY_assign": (INT, POINTER, INT, POINTER),
    "EVP_PKEY_free": (None, POINTER),
    "EVP_PKEY_CTX_new": (POINTER, POINTER, POINTER),
    "EVP_PKEY_CTX_free": (None, POINTER),
    "EVP_PKEY_sign_init": (INT, POINTER),
    "EVP_PKEY_sign": (INT, POINTER, POINTER, POINTER, POINTER, SIZE),
    "EVP_PKEY_verify_init": (INT, POINTER),
    "EVP_PKEY_verify": (INT, POINTER, POINTER, SIZE, POINTER, SIZE),
}


class OpenSslProvider(NativeProvider):
    """Everything by gost-engine: Streebog and all curves.

    A private key that has signed is kept in OpenSSL, ready to sign again, as long as its
    `PrivateKey` lives, because to build it costs as much as a third of a signature. With the object
    it is zeroed there.

    Raises:
        Unavailable: OpenSSL 3 or the engine is missing; OpenSSL 4 has no engines.
    """

    name = "openssl"

    def __init__(self) -> None:
        self._crypto = open_library(_SONAME, INSTALL, _HASHING | _ENGINE)
        self._engine = _load_engine(self._crypto)
        self._digests = {
            algorithm: self._crypto.ENGINE_get_digest(self._engine, self._number(name))
            for algorithm, name in _NAMES.items()
        }
        self._types = {size: self._number(oid) for size, oid in _KEY_TYPES.items()}
        # lru_cache holds no Python lock, so a fork can't copy a locked one.
        self._group_of = functools.lru_cache(maxsize=None)(self._group)
        self._idle: weakref.WeakKeyDictionary[PrivateKey, list[Handle]]
        self._idle = weakref.WeakKeyDictionary()
        self._public = functools.lru_cache(maxsize=_KEYS)(self._public_key)

    def supports(self, params: ParamSet) -> bool:
        """Tell whether the engine has this set: all named ones and the examples."""
        # A set of the same OID and other numbers must not reach the code written for that OID.
        return params in _SETS

    def hasher(self, algorithm: DigestAlgorithm) -> EvpHasher:
        """Return a new hasher."""
        return EvpHasher.of(self._crypto, algorithm, self._digests[algorithm], self._engine)

    def hash(self, algorithm: DigestAlgorithm, data: bytes) -> bytes:
        """Return the digest of octets that are all at hand."""
        return _hashed(self._crypto, algorithm, data, self._digests[algorithm], self._engine)

    def _sign(self, key: PrivateKey, e: bytes) -> bytes:
        crypto, size = self._crypto, 2 * key.params.size
        idle = self._idle.get(key)
        if idle is None:
            idle = self._idle.setdefault(key, [])
        # A context serves one thread at a time: who finds none makes another one.
        try:
            context = idle.pop()
        except IndexError:
            context = self._signing(key)
        signature, length = (ctypes.c_char * size)(), SIZE(size)
        _done(crypto, crypto.EVP_PKEY_sign(context, signature, ctypes.byref(length), e, len(e)))
        idle.append(context)
        return signature.raw

    def _verify(self, key: PublicKey, e: bytes, signature: bytes) -> bool:
        crypto = self._crypto
        context = crypto.EVP_PKEY_CTX_new(self._public(key), self._engine)
        try:
            _done(crypto, crypto.EVP_PKEY_verify_init(context))
            good: int = crypto.EVP_PKEY_verify(context, signature, len(signature), e, len(e))
        finally:
            crypto.EVP_PKEY_CTX_free(context)
        if good != 1:
            # What is left in the queue of this thread, `ssl` would take for an error of its own.
            crypto.ERR_clear_error()
        return good == 1

    def _empty_key(self, params: ParamSet) -> tuple[Handle, int]:
        """Return an EVP_PKEY and the EC_KEY in it, which it owns, with the curve set."""
        crypto = self._crypto
        pkey = Handle(crypto.EVP_PKEY_new(), crypto.EVP_PKEY_free)
        ec = crypto.EC_KEY_new()
        _done(crypto, crypto.EVP_PKEY_assign(pkey, self._types[params.size], ec))
        _done(crypto, crypto.EC_KEY_set_group(ec, self._group_of(params)))
        return pkey, ec

    def _signing(self, key: PrivateKey) -> Handle:
        """Return an EVP_PKEY_CTX ready to sign; the key in it lives as long as it does."""
        crypto = self._crypto
        pkey, ec = self._empty_key(key.params)
        _done(crypto, crypto.EC_KEY_set_private_key(ec, self._big(key.value)))
        context = Handle(crypto.EVP_PKEY_CTX_new(pkey, self._engine), crypto.EVP_PKEY_CTX_free)
        _done(crypto, crypto.EVP_PKEY_sign_init(context))
        return context

    def _public_key(self, key: PublicKey) -> Handle:
        pkey, ec = self._empty_key(key.params)
        point = self._point(self._group_of(key.params), key.x, key.y)
        _done(self._crypto, self._crypto.EC_KEY_set_public_key(ec, point))
        return pkey

    def _group(self, params: ParamSet) -> Handle:
        crypto = self._crypto
        field = (self._big(number) for number in (params.p, params.a, params.b))
        group = Handle(crypto.EC_GROUP_new_curve_GFp(*field, None), crypto.EC_GROUP_free)
        base = self._point(group, params.x, params.y)
        order, cofactor = self._big(params.q), self._big(params.cofactor)
        _done(crypto, crypto.EC_GROUP_set_generator(group, base, order, cofactor))
        # By the name the engine finds its own code for the curve.
        crypto.EC_GROUP_set_curve_name(group, self._number(params.oid.encode()))
        return group

    def _point(self, group: Handle, x: int, y: int) -> Handle:
        crypto = self._crypto
        point = Handle(crypto.EC_POINT_new(group), crypto.EC_POINT_free)
        place = self._big(x), self._big(y)
        _done(crypto, crypto.EC_POINT_set_affine_coordinates(group, point, *place, None))
        return point

    def _big(self, number: int) -> Handle:
        octets = number.to_bytes(64, "big")
        return Handle(self._crypto.BN_bin2bn(octets, len(octets), None), self._crypto.BN_clear_free)

    def _number(self, name: bytes) -> int:
        number: int = _done(self._crypto, self._crypto.OBJ_txt2nid(name))
        return number


class GostprovProvider(DigestProvider):
    """Streebog by gostprov, the OpenSSL provider beside the engine, in a context of its own.

    It works where OpenSSL is built without engines. That of Debian 12 does not sign.

    Raises:
        Unavailable: OpenSSL 3 or the module is missing.
    """

    name = "gostprov"

    def __init__(self) -> None:
        self._crypto = crypto = open_library(_SONAME, INSTALL, _HASHING | _PROVIDER)
        context = crypto.OSSL_LIB_CTX_new()
        if not crypto.OSSL_PROVIDER_load(context, b"gostprov"):
            crypto.ERR_clear_error()
            raise Unavailable("the module gostprov of OpenSSL", INSTALL)
        self._digests = {
            algorithm: _done(crypto, crypto.EVP_MD_fetch(context, name, None))
            for algorithm, name in _NAMES.items()
        }

    def hasher(self, algorithm: DigestAlgorithm) -> EvpHasher:
        """Return a new hasher."""
        return EvpHasher.of(self._crypto, algorithm, self._digests[algorithm], None)

    def hash(self, algorithm: DigestAlgorithm, data: bytes) -> bytes:
        """Return the digest of octets that are all at hand."""
        return _hashed(self._crypto, algorithm, data, self._digests[algorithm], None)


class EvpHasher(NativeHasher):
    """A running Streebog of OpenSSL."""

    def __init__(self, algorithm: DigestAlgorithm, crypto: ctypes.CDLL) -> None:
        super().__init__(algorithm)
        self._crypto = crypto
        self._state = Handle(crypto.EVP_MD_CTX_new(), crypto.EVP_MD_CTX_free)

    @classmethod
    def of(
        cls, crypto: ctypes.CDLL, algorithm: DigestAlgorithm, method: int, engine: int | None
    ) -> EvpHasher:
        """Return a new hasher of an EVP_MD."""
        hasher = cls(algorithm, crypto)
        _done(crypto, crypto.EVP_DigestInit_ex(hasher._state, method, engine))
        return hasher

    def _absorb(self, piece: bytes) -> None:
        _done(self._crypto, self._crypto.EVP_DigestUpdate(self._state, piece, len(piece)))

    def _twin(self) -> EvpHasher:
        twin = EvpHasher(self.algorithm, self._crypto)
        _done(self._crypto, self._crypto.EVP_MD_CTX_copy_ex(twin._state, self._state))
        return twin

    def _result(self) -> bytes:
        answer = (ctypes.c_char * self.algorithm.size)()
        _done(self._crypto, self._crypto.EVP_DigestFinal_ex(self._twin()._state, answer, None))
        return answer.raw


def _hashed(
    crypto: ctypes.CDLL, algorithm: DigestAlgorithm, data: bytes, method: int, engine: int | None
) -> bytes:
    answer = (ctypes.c_char * algorithm.size)()
    _done(crypto, crypto.EVP_Digest(data, len(data), answer, None, method, engine))
    return answer.raw


def _load_engine(crypto: ctypes.CDLL) -> int:
    # The engine can be loaded once in a process, so host and provider share it by OpenSSL's list.
    found_before = b"gost" in _listed_engines(crypto)
    # Of two threads that load it at once the second would fail: this call keeps the GIL. A lock
    # could be copied by a fork while it is held.
    by_id = ctypes.PyDLL(_SONAME).ENGINE_by_id
    by_id.restype, by_id.argtypes = POINTER, [TEXT]
    engine: int | None = by_id(b"gost")
    if not (engine and crypto.ENGINE_init(engine)):
        crypto.ERR_clear_error()
        raise Unavailable("the engine gost of OpenSSL", INSTALL)
    if not found_before:
        # Loading makes the engine the one for GOST in this process; that is for the host to say.
        crypto.ENGINE_unregister_ciphers(engine)
        crypto.ENGINE_unregister_digests(engine)
        crypto.ENGINE_unregister_pkey_meths(engine)
    # EVP_PKEY_assign takes no engine and looks the type of a key up here. That alone lets nobody
    # parse, sign or negotiate anything.
    _done(crypto, crypto.ENGINE_register_pkey_asn1_meths(engine))
    return engine


def _listed_engines(crypto: ctypes.CDLL) -> Iterator[bytes]:
    engine = crypto.ENGINE_get_first()
    while engine:
        yield crypto.ENGINE_get_id(engine)
        engine = crypto.ENGINE_get_next(engine)


def _done(crypto: ctypes.CDLL, result: Any) -> Any:
    """Return the result of a call that must not fail."""
    if result is None or result <= 0:
        crypto.ERR_clear_error()
        raise Unavailable("a function of OpenSSL that should work", INSTALL)
    return result
