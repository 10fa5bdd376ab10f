"""Opening and closing what is under a password (RFC 9337), within a budget.

Files of elder kinds are opened too (see `medsign.signers.legacy_pfx`), and never written.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import TypeVar

import attrs

from medsign.codec.asn1 import pkcs12
from medsign.codec.asn1.pkcs12 import ElderScheme, Encrypted, PasswordScheme, PfxMac, Scheme
from medsign.errors import BudgetExceeded, MalformedError, Unavailable, UsageError, WrongPassword
from medsign.gost import DigestAlgorithm, Provider
from medsign.gost.ciphers import (
    BlockCipher,
    Hmac,
    Kuznyechik,
    Magma,
    cfb_decrypt,
    cfb_encrypt,
    ctr_acpkm,
    kdf_tree,
    omac,
    pbkdf2,
)
from medsign.gost.ciphers.magma import TC26_Z
from medsign.signers import legacy_pfx

T = TypeVar("T")
Random = Callable[[int], bytes]

ITERATIONS = 2048
"""How often a new file hashes its password: a second and a half of pure Python each time."""
MAX_ITERATIONS = 50_000
"""How often all of one file may ask for it; a hostile file asks for 2³¹."""

_PRF = {
    pkcs12.HMAC_STREEBOG_256: DigestAlgorithm.STREEBOG_256,
    pkcs12.HMAC_STREEBOG_512: DigestAlgorithm.STREEBOG_512,
}
_MAC = {digest.oid: digest for digest in DigestAlgorithm}


class KeyCipher(StrEnum):
    """What hides a key under a password; the values are object identifiers.

    A key file by itself notices every change only with OMAC; a PFX has its own code.
    """

    KUZNYECHIK = pkcs12.KUZNYECHIK_CTR_ACPKM
    KUZNYECHIK_OMAC = pkcs12.KUZNYECHIK_CTR_ACPKM_OMAC
    MAGMA = pkcs12.MAGMA_CTR_ACPKM
    MAGMA_OMAC = pkcs12.MAGMA_CTR_ACPKM_OMAC
    GOST_28147 = pkcs12.GOST_28147


_CTR: dict[KeyCipher, type[BlockCipher]] = {
    KeyCipher.KUZNYECHIK: Kuznyechik,
    KeyCipher.KUZNYECHIK_OMAC: Kuznyechik,
    KeyCipher.MAGMA: Magma,
    KeyCipher.MAGMA_OMAC: Magma,
}
_WITH_OMAC = {KeyCipher.KUZNYECHIK_OMAC, KeyCipher.MAGMA_OMAC}
# The engine of OpenSSL changes keys after fewer octets than Р 1323565.1.025-2019 says.
_ENGINE_SECTIONS = {KeyCipher.KUZNYECHIK: 4096, KeyCipher.MAGMA: 1024}


@attrs.define
class Password:
    """A password at work on one file; it stops when the file asks for too much.

    Args:
        text: The password.
        left: How many iterations of PBKDF2 it may still cost.
        provider: Who hashes.

    Raises:
        UsageError: The password holds half a character.
        BudgetExceeded: By any method: the file asks for more iterations than are left.
    """

    text: str = attrs.field(repr=False)
    left: int = MAX_ITERATIONS
    provider: Provider | None = attrs.field(default=None, repr=False)
    _limit: int = attrs.field(init=False)
    _octets: bytes = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._limit = self.left
        try:
            self._octets = self.text.encode()
        except UnicodeEncodeError:  # it would carry the password along
            raise UsageError(
                "the password is no Unicode text",
                "В пароле недопустимый знак. Введите его ещё раз.",
            ) from None

    def open(self, hidden: bytes | Encrypted, read: Callable[[bytes], T]) -> T:
        """Return what was hidden, as the decoder reads it; open octets need no password.

        Raises:
            WrongPassword: The password is wrong or the octets are damaged.
            MalformedError: Open octets are not what the decoder expects.
            Unavailable: It is hidden by something that is none of GOST.
        """
        if isinstance(hidden, bytes):
            return read(hidden)
        for plain in self._plain(hidden.scheme, hidden.octets):
            try:
                return read(plain)
            except MalformedError:
                continue  # without OMAC a wrong key gives noise
        raise WrongPassword

    def close(
        self, octets: bytes, cipher: KeyCipher, *, iterations: int, random: Random
    ) -> Encrypted:
        """Hide octets.

        Raises:
            UsageError: The number of iterations is not positive.
        """
        if iterations < 1:
            raise UsageError("a password is hashed at least once")
        block_cipher = _CTR.get(cipher)
        scheme = PasswordScheme(
            salt=random(32),
            iterations=iterations,
            prf_oid=pkcs12.HMAC_STREEBOG_512,
            cipher_oid=cipher,
            nonce=random(8 + block_cipher.block_size // 2 if block_cipher else 8),
            substitution_oid=None if block_cipher else TC26_Z,
        )
        key = self._key(scheme)
        if block_cipher is None:
            return Encrypted(scheme, cfb_encrypt(key, scheme.nonce, octets))
        key, mac_key, iv = self._keys(cipher, key, scheme.nonce)
        if cipher in _WITH_OMAC:
            octets += omac(block_cipher(mac_key), octets)
        return Encrypted(scheme, ctr_acpkm(block_cipher, key, iv, octets))

    def mac(self, mac: PfxMac, safe: bytes) -> bytes:
        """Return the code of a PFX (RFC 9548 §3): the key is the last 32 of 96 octets.

        Raises:
            Unavailable: Its digest is not Streebog.
        """
        algorithm = _MAC.get(mac.digest_oid)
        if algorithm is None:
            raise Unavailable(f"PFX under {mac.digest_oid} (GOST only (RFC 9548))")
        key = self._derived(mac.salt, mac.iterations, algorithm, slice(64, 96))
        return Hmac(key, algorithm, provider=self.provider)(safe)

    def check(self, mac: PfxMac, safe: bytes) -> None:
        """Check the code of a PFX.

        Raises:
            WrongPassword: The password is wrong or the file is damaged.
            Unavailable: Its digest is neither Streebog nor one of SHA that PKCS#12 began with.
        """
        if mac.digest_oid in legacy_pfx.DIGESTS:
            self._spend(mac.iterations)
            codes = list(legacy_pfx.macs(mac, safe, self.text))
        else:
            codes = [self.mac(mac, safe)]
        if not any(secrets.compare_digest(code, mac.value) for code in codes):
            raise WrongPassword

    def _plain(self, scheme: Scheme, octets: bytes) -> Iterator[bytes]:
        """Yield what may have been hidden, the likeliest first."""
        if isinstance(scheme, ElderScheme):
            self._spend(scheme.iterations)
            yield from legacy_pfx.plain(scheme, octets, self.text, self.provider)
            return
        if not isinstance(scheme, PasswordScheme):
            raise Unavailable(f"key files under {scheme.oid} (GOST only (RFC 9337))")
        key, cipher = self._key(scheme), KeyCipher(scheme.cipher_oid)
        if cipher is KeyCipher.GOST_28147:
            if scheme.substitution_oid != TC26_Z or len(scheme.nonce) != 8:
                raise Unavailable("this substitution of ГОСТ 28147-89 (TC26 Z only)")
            yield cfb_decrypt(key, scheme.nonce, octets)
            return
        block_cipher = _CTR[cipher]
        key, mac_key, iv = self._keys(cipher, key, scheme.nonce)
        plain = ctr_acpkm(block_cipher, key, iv, octets)
        if cipher not in _WITH_OMAC:
            yield plain
            if len(octets) > (section := _ENGINE_SECTIONS[cipher]):
                yield ctr_acpkm(block_cipher, key, iv, octets, section=section)
            return
        size = block_cipher.block_size
        plain, code = plain[:-size], plain[-size:]
        if secrets.compare_digest(omac(block_cipher(mac_key), plain), code):
            yield plain

    def _key(self, scheme: PasswordScheme) -> bytes:
        if scheme.prf_oid == pkcs12.HMAC_SHA256:  # OpenSSL writes it beside the new ciphers
            self._spend(scheme.iterations)
            return hashlib.pbkdf2_hmac("sha256", self._octets, scheme.salt, scheme.iterations)
        algorithm = _PRF.get(scheme.prf_oid)
        if algorithm is None:
            raise Unavailable(f"PBKDF2 with {scheme.prf_oid} (Streebog only (RFC 9337))")
        return self._derived(scheme.salt, scheme.iterations, algorithm, slice(0, 32))

    def _keys(self, cipher: KeyCipher, key: bytes, ukm: bytes) -> tuple[bytes, bytes, bytes]:
        """Return the keys of encryption and of the code and the initial vector (RFC 9337 §5)."""
        half = _CTR[cipher].block_size // 2
        iv, seed = ukm[:half], ukm[half:]
        if len(seed) != 8:
            raise WrongPassword
        if cipher not in _WITH_OMAC:
            return key, b"", iv
        encryption, code = kdf_tree(key, b"kdf tree", seed, 2, provider=self.provider)
        return encryption, code, iv

    def _derived(
        self, salt: bytes, iterations: int, algorithm: DigestAlgorithm, octets: slice
    ) -> bytes:
        self._spend(iterations)
        return pbkdf2(
            self._octets,
            salt,
            iterations,
            octets=octets,
            algorithm=algorithm,
            provider=self.provider,
        )

    def _spend(self, iterations: int) -> None:
        if iterations > self.left:
            raise BudgetExceeded("iterations of the password", self._limit)
        self.left -= iterations
