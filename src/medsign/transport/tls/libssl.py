"""The functions of the system's libssl and libcrypto that a TLS connection needs."""

from __future__ import annotations

import ctypes
import ssl
from collections.abc import Iterator
from typing import Any, Final

from medsign.errors import ConfigError
from medsign.gost.native.library import INT, POINTER, SIZE, TEXT, Handle, open_library
from medsign.transport.tls.engine import load

_LONG = ctypes.c_long
_ULONG = ctypes.c_ulong
_PACKAGE = "apt install libssl3"
_LIBSSL, _LIBCRYPTO = "libssl.so.3", "libcrypto.so.3"
_SSL: Final[dict[str, tuple[Any, ...]]] = {
    "TLS_client_method": (POINTER,),
    "TLS_server_method": (POINTER,),
    "SSL_CTX_new": (POINTER, POINTER),
    "SSL_CTX_free": (None, POINTER),
    "SSL_CTX_ctrl": (_LONG, POINTER, INT, _LONG, POINTER),
    "SSL_CTX_set_options": (ctypes.c_uint64, POINTER, ctypes.c_uint64),
    "SSL_CTX_set_cipher_list": (INT, POINTER, TEXT),
    "SSL_CTX_set_verify": (None, POINTER, INT, POINTER),
    "SSL_CTX_get_cert_store": (POINTER, POINTER),
    "SSL_CTX_use_certificate": (INT, POINTER, POINTER),
    "SSL_CTX_use_PrivateKey": (INT, POINTER, POINTER),
    "SSL_CTX_check_private_key": (INT, POINTER),
    "SSL_CTX_add_client_CA": (INT, POINTER, POINTER),
    "SSL_new": (POINTER, POINTER),
    "SSL_free": (None, POINTER),
    "SSL_set_bio": (None, POINTER, POINTER, POINTER),
    "SSL_set_connect_state": (None, POINTER),
    "SSL_set_accept_state": (None, POINTER),
    "SSL_get0_param": (POINTER, POINTER),
    "SSL_ctrl": (_LONG, POINTER, INT, _LONG, POINTER),
    "SSL_do_handshake": (INT, POINTER),
    "SSL_read": (INT, POINTER, POINTER, INT),
    "SSL_write": (INT, POINTER, TEXT, INT),
    "SSL_shutdown": (INT, POINTER),
    "SSL_pending": (INT, POINTER),
    "SSL_get_error": (INT, POINTER, INT),
    "SSL_get_verify_result": (_LONG, POINTER),
    "SSL_get_version": (TEXT, POINTER),
    "SSL_get_current_cipher": (POINTER, POINTER),
    "SSL_CIPHER_get_name": (TEXT, POINTER),
    "SSL_CIPHER_get_bits": (INT, POINTER, POINTER),
    "SSL_get0_peer_certificate": (POINTER, POINTER),
    "SSL_get0_verified_chain": (POINTER, POINTER),
}
_CRYPTO: Final[dict[str, tuple[Any, ...]]] = {
    "BIO_s_mem": (POINTER,),
    "BIO_new": (POINTER, POINTER),
    "BIO_new_mem_buf": (POINTER, TEXT, INT),
    "BIO_free": (INT, POINTER),
    "BIO_read": (INT, POINTER, POINTER, INT),
    "BIO_write": (INT, POINTER, TEXT, INT),
    "BIO_ctrl": (_LONG, POINTER, INT, _LONG, POINTER),
    "BIO_ctrl_pending": (SIZE, POINTER),
    "d2i_X509": (POINTER, POINTER, POINTER, _LONG),
    "i2d_X509": (INT, POINTER, POINTER),
    "X509_free": (None, POINTER),
    "d2i_X509_CRL": (POINTER, POINTER, POINTER, _LONG),
    "X509_CRL_free": (None, POINTER),
    "X509_STORE_add_cert": (INT, POINTER, POINTER),
    "X509_STORE_add_crl": (INT, POINTER, POINTER),
    "X509_STORE_set_flags": (INT, POINTER, _ULONG),
    "X509_VERIFY_PARAM_set_hostflags": (None, POINTER, ctypes.c_uint),
    "X509_VERIFY_PARAM_set1_host": (INT, POINTER, TEXT, SIZE),
    "X509_VERIFY_PARAM_set1_ip_asc": (INT, POINTER, TEXT),
    "X509_verify_cert_error_string": (TEXT, _LONG),
    "PEM_read_bio_PrivateKey": (POINTER, POINTER, POINTER, POINTER, TEXT),
    "EVP_PKEY_free": (None, POINTER),
    "OPENSSL_sk_num": (INT, POINTER),
    "OPENSSL_sk_value": (POINTER, POINTER, INT),
    "ERR_get_error": (_ULONG,),
    "ERR_clear_error": (None,),
    "ERR_reason_error_string": (TEXT, _ULONG),
}


class LibSsl:
    """The system's OpenSSL 3 with gost-engine.

    Attributes:
        ssl: libssl.
        crypto: Its libcrypto.

    Raises:
        Unavailable: OpenSSL 3 or the engine is missing.
    """

    def __init__(self) -> None:
        load(_LIBCRYPTO, (3,))
        self.ssl = open_library(_LIBSSL, _PACKAGE, _SSL)
        self.crypto = open_library(_LIBCRYPTO, _PACKAGE, _CRYPTO)

    def certificate(self, der: bytes) -> Handle:
        """Return an X509 of its DER."""
        return self._read("X509", der)

    def crl(self, der: bytes) -> Handle:
        """Return an X509_CRL of its DER."""
        return self._read("X509_CRL", der)

    def private_key(self, pem: bytes, password: str) -> Handle:
        """Return an EVP_PKEY of the first key in PEM."""
        crypto = self.crypto
        memory = Handle(crypto.BIO_new_mem_buf(pem, len(pem)), crypto.BIO_free)
        # Without any password OpenSSL would ask for one on the terminal.
        key = crypto.PEM_read_bio_PrivateKey(memory, None, None, password.encode())
        self.done(key)
        return Handle(key, crypto.EVP_PKEY_free)

    def der_of(self, certificate: int) -> bytes:
        """Return the DER of an X509."""
        size: int = self.crypto.i2d_X509(certificate, None)
        buffer = ctypes.create_string_buffer(size)
        self.crypto.i2d_X509(certificate, ctypes.byref(POINTER(ctypes.addressof(buffer))))
        return buffer.raw

    def each(self, stack: int | None) -> Iterator[int]:
        """Yield the elements of a STACK_OF."""
        for index in range(self.crypto.OPENSSL_sk_num(stack)):
            yield self.crypto.OPENSSL_sk_value(stack, index)

    def reason(self) -> str:
        """Return why the last call of this thread failed, and forget it."""
        code = self.crypto.ERR_get_error()
        self.crypto.ERR_clear_error()
        text: bytes | None = self.crypto.ERR_reason_error_string(code)
        return (text or b"unknown error").decode()

    def done(self, result: int | None) -> None:
        """Raise `ConfigError` for what a setter of OpenSSL did not take."""
        if not result or result < 0:
            raise ConfigError(f"GOST TLS: what is given cannot be used ({self.reason()})")

    def error(self, kind: type[ssl.SSLError], number: int, reason: str) -> ssl.SSLError:
        """Return an error with the attributes that `ssl` gives its own."""
        error = kind(number, reason)
        error.library, error.reason = "SSL", reason
        return error

    def _read(self, kind: str, der: bytes) -> Handle:
        octets = ctypes.create_string_buffer(der, len(der))
        place = POINTER(ctypes.addressof(octets))
        read = getattr(self.crypto, f"d2i_{kind}")(None, ctypes.byref(place), len(der))
        self.done(read)
        return Handle(read, getattr(self.crypto, f"{kind}_free"))
