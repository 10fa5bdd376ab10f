"""Key files under a password: encrypted PKCS#8 (RFC 5958, RFC 8018) and PFX (RFC 7292).

Only structures: what is encrypted stays so. The GOST parameters are those of RFC 9337 and 9548 and
of the elder files with ГОСТ 28147-89 (RFC 4357); the PFX of CryptoPro's own make is read as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import attrs

from medsign.codec.asn1 import der, oids
from medsign.codec.asn1.ber import to_der
from medsign.codec.asn1.door import (
    BIT_STRING,
    INTEGER,
    NULL,
    OCTET_STRING,
    OID,
    SEQUENCE,
    SET,
    Element,
    Fields,
    Limits,
    constructed,
    context,
    open_der,
)
from medsign.codec.asn1.envelope import Envelope, encode_envelope, read_envelope
from medsign.codec.asn1.keys import AlgorithmIdentifier, read_algorithm

# A hundred certificates; Python decrypts that much in a few seconds.
PFX_LIMITS = Limits(max_bytes=1 << 18)

_PBES2 = "1.2.840.113549.1.5.13"
_PBKDF2 = "1.2.840.113549.1.5.12"
_ENVELOPED_DATA = "1.2.840.113549.1.7.3"
_ENCRYPTED_DATA = "1.2.840.113549.1.7.6"
_BAGS = "1.2.840.113549.1.12.10.1."
_KEY_BAG, _SHROUDED_BAG, _CERTIFICATE_BAG = (_BAGS + kind for kind in "123")
_X509_CERTIFICATE = "1.2.840.113549.1.9.22.1"
_FRIENDLY_NAME = "1.2.840.113549.1.9.20"
_LOCAL_KEY_ID = "1.2.840.113549.1.9.21"
_BMP = 0x1E
_EXPORTED = "key exported by CryptoPro"
_BLOB_HEADER = 16
_LONGEST_SALT = 64

KUZNYECHIK_CTR_ACPKM = "1.2.643.7.1.1.5.2.1"
KUZNYECHIK_CTR_ACPKM_OMAC = "1.2.643.7.1.1.5.2.2"
MAGMA_CTR_ACPKM = "1.2.643.7.1.1.5.1.1"
MAGMA_CTR_ACPKM_OMAC = "1.2.643.7.1.1.5.1.2"
GOST_28147 = "1.2.643.2.2.21"
TRIPLE_DES = "1.2.840.113549.1.12.1.3"
RC2_40 = "1.2.840.113549.1.12.1.6"
CRYPTOPRO = "1.2.840.113549.1.12.1.80"
HMAC_SHA1 = "1.2.840.113549.2.7"
HMAC_SHA256 = "1.2.840.113549.2.9"
HMAC_STREEBOG_256 = "1.2.643.7.1.1.4.1"
HMAC_STREEBOG_512 = "1.2.643.7.1.1.4.2"


@attrs.frozen(kw_only=True)
class PasswordScheme:
    """How a password hides something (PBES2 with PBKDF2).

    Attributes:
        salt: Of PBKDF2.
        iterations: Of PBKDF2; whatever the file says, so bound it before use.
        prf_oid: The function inside PBKDF2, such as `HMAC_STREEBOG_512`.
        cipher_oid: The encryption, such as `KUZNYECHIK_CTR_ACPKM`.
        nonce: The ``ukm`` of RFC 9337 §7.3, or the initial vector of ГОСТ 28147-89.
        substitution_oid: The substitution of ГОСТ 28147-89; ``None`` for the others.
    """

    salt: bytes
    iterations: int
    prf_oid: str
    cipher_oid: str
    nonce: bytes
    substitution_oid: str | None = None


@attrs.frozen
class ElderScheme:
    """How a password hides something without PBES2 (RFC 7292 appendix C).

    Attributes:
        oid: `TRIPLE_DES`, `RC2_40`, or what CryptoPro hides keys with, `CRYPTOPRO`.
        salt: Of the key.
        iterations: Of the key; whatever the file says, so bound it before use.
    """

    oid: str
    salt: bytes
    iterations: int


Scheme: TypeAlias = PasswordScheme | ElderScheme | AlgorithmIdentifier


@attrs.frozen
class Encrypted:
    """Something under a password.

    Attributes:
        scheme: How it is hidden; the bare algorithm when that is neither PBES2 with PBKDF2 nor an
            elder one, or when its parameters are none of GOST.
        octets: The hidden octets.
    """

    scheme: Scheme
    octets: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class ExportedKey:
    """A private key as CryptoPro exports it: wrapped (RFC 4357 §6.3).

    Attributes:
        algorithm_oid: The algorithm of the key.
        param_set_oid: The curve.
        digest_oid: The digest, ``None`` when the key leaves it to the algorithm.
        ukm: What makes the wrapping key of the common one, 8 octets.
        wrapped: The scalar, little-endian, under the wrapping key.
        code: The imitation insert of the scalar, 4 octets.
    """

    algorithm_oid: str
    param_set_oid: str
    digest_oid: str | None
    ukm: bytes
    wrapped: bytes = attrs.field(repr=False)
    code: bytes


@attrs.frozen(kw_only=True)
class PfxMac:
    """What proves that a PFX is whole.

    Attributes:
        digest_oid: The digest of the HMAC.
        value: The code.
        salt: Of the key.
        iterations: Of the key; bound it before use.
    """

    digest_oid: str
    value: bytes
    salt: bytes
    iterations: int


@attrs.frozen
class Pfx:
    """A PFX file.

    Attributes:
        safe: The octets under the code; see `decode_safe`.
        mac: The code; ``None`` when there is none.
    """

    safe: bytes = attrs.field(repr=False)
    mac: PfxMac | None


@attrs.frozen
class KeyBag:
    """A key: DER of PKCS#8, or the same under a password."""

    key: bytes | Encrypted = attrs.field(repr=False)


@attrs.frozen
class CertificateBag:
    """DER of a certificate."""

    certificate: bytes = attrs.field(repr=False)


Bag: TypeAlias = KeyBag | CertificateBag


def decode_encrypted_key(data: bytes, limits: Limits = PFX_LIMITS) -> Encrypted | None:
    """Decode an encrypted PKCS#8 key; ``None`` when the key begins as an unencrypted one does.

    Raises:
        MalformedError: It is neither.
        BudgetExceeded: It is too large.

    Example:
        >>> scheme = AlgorithmIdentifier("1.2.3")
        >>> decode_encrypted_key(encode_encrypted_key(Encrypted(scheme, b"..."))).scheme.oid
        '1.2.3'
    """
    with open_der("private key", data, limits).fields() as fields:
        if fields.peek() == INTEGER:
            fields.skip()
            return None
        return _read_encrypted(fields)


def encode_encrypted_key(encrypted: Encrypted) -> bytes:
    """Encode an encrypted PKCS#8 key."""
    return der.sequence(_algorithm(encrypted.scheme), der.octets(encrypted.octets))


def decode_pfx(data: bytes, limits: Limits = PFX_LIMITS) -> Pfx:
    """Decode the outer layer of a PFX file; it may be BER.

    Raises:
        MalformedError: It is no PFX, or one with a signature instead of a code.
        BudgetExceeded: It is too large.
    """
    with open_der("PFX", to_der("PFX", data, limits), limits).fields() as fields:
        fields.integer("version")
        safe = fields.sequence("authSafe")
        mac = fields.maybe(SEQUENCE, "macData")
    return Pfx(_read_data(safe), _read_mac(mac) if mac else None)


def decode_signed_pfx(data: bytes, limits: Limits = PFX_LIMITS) -> bytes | None:
    """Return the signature of a PFX that has one instead of a code, in DER; its content is a safe.

    Raises:
        MalformedError: It is no PFX.
        BudgetExceeded: It is too large.
    """
    with open_der("PFX", to_der("PFX", data, limits), limits).fields() as fields:
        fields.integer("version")
        safe = fields.sequence("authSafe")
        fields.skip()
    with safe.fields() as fields:
        signed = fields.oid("contentType") == oids.SIGNED_DATA
        fields.skip()
    return safe.der if signed else None


def decode_safe(
    data: bytes, limits: Limits = PFX_LIMITS
) -> tuple[bytes | Encrypted | Envelope, ...]:
    """Decode a safe: its parts, open, under a password or for an owner; see `decode_bags`.

    Raises:
        MalformedError: It is something else.
        BudgetExceeded: It is too large.
    """
    root = open_der("PFX", to_der("PFX", data, limits), limits)
    return tuple(_read_part(part) for part in root.each(SEQUENCE, "ContentInfo"))


def decode_bags(data: bytes, limits: Limits = PFX_LIMITS) -> tuple[Bag, ...]:
    """Decode the open octets of a part: its keys and certificates; other bags are left out.

    Raises:
        MalformedError: It is something else.
        BudgetExceeded: It is too large.
    """
    root = open_der("PFX", to_der("PFX", data, limits), limits)
    read = (_read_bag(bag) for bag in root.each(SEQUENCE, "SafeBag"))
    return tuple(bag for bag in read if bag)


def decode_exported_key(data: bytes, limits: Limits = PFX_LIMITS) -> ExportedKey:
    """Decode what `CRYPTOPRO` hides: PKCS#8 around a key blob of Windows.

    Sixteen octets of a header, which say again what follows, stand before the wrapped key.

    Raises:
        MalformedError: It is something else.
        BudgetExceeded: It is too large.
    """
    with open_der(_EXPORTED, data, limits).fields() as fields:
        fields.integer("version")
        algorithm = read_algorithm(fields.sequence("privateKeyAlgorithm"))
        blob = fields.octets("privateKey")
        fields.skip()  # attributes
    with open_der(_EXPORTED, blob[_BLOB_HEADER:], limits).fields() as fields:
        exported = fields.sequence("exported")
        fields.octets("mac")  # of the octets of `exported`; the key has a code of its own
    with exported.fields() as fields:
        ukm = fields.octets("ukm")
        with fields.sequence("cek").fields() as inner:
            wrapped, code = inner.octets("enc"), inner.octets("mac")
        with fields.take(constructed(0), "parameters").fields() as inner:
            inner.take(BIT_STRING, "flags")
            algorithm_of_use = inner.take(constructed(0), "privateKeyParameters")
    with algorithm_of_use.fields() as fields:
        fields.oid("algorithm")  # of the agreement of keys
        parameters = fields.sequence("parameters")
    with parameters.fields() as fields:
        param_set = fields.oid("publicKeyParamSet")
        digest = fields.maybe(OID, "digestParamSet")
    if len(ukm) != 8 or len(code) != 4 or len(wrapped) not in {32, 64}:
        raise exported.error("a wrapped key of the wrong length")
    return ExportedKey(
        algorithm_oid=algorithm.oid,
        param_set_oid=param_set,
        digest_oid=digest.oid() if digest else None,
        ukm=ukm,
        wrapped=wrapped,
        code=code,
    )


def encode_bags(bags: Iterable[Bag], *, key_id: bytes, name: str | None = None) -> bytes:
    """Encode keys and certificates.

    Args:
        bags: The bags.
        key_id: What binds a key to its certificate: it is written beside each key and beside the
            first certificate.
        name: How programs show the key to people.
    """
    bound = der.set_of(
        der.sequence(der.oid(oid), der.set_of([value]))
        for oid, value in (
            (_LOCAL_KEY_ID, der.octets(key_id)),
            (_FRIENDLY_NAME, der.text(name, _BMP) if name is not None else None),
        )
        if value
    )
    beside_certificate: bytes | None = bound
    encoded: list[bytes] = []
    for bag in bags:
        if isinstance(bag, KeyBag):
            oid, value = _key_value(bag)
            beside: bytes | None = bound
        else:
            inner = der.explicit(0, der.octets(bag.certificate))
            oid, value = _CERTIFICATE_BAG, der.sequence(der.oid(_X509_CERTIFICATE), inner)
            beside, beside_certificate = beside_certificate, None
        encoded.append(der.sequence(der.oid(oid), der.explicit(0, value), beside))
    return der.sequence(*encoded)


def encode_safe(parts: Iterable[bytes | Encrypted | Envelope]) -> bytes:
    """Encode the parts of a PFX: what `decode_safe` reads."""
    return der.sequence(*(_part(part) for part in parts))


def encode_signed_pfx(signed: bytes) -> bytes:
    """Encode a PFX with a signature instead of a code: what `decode_signed_pfx` reads."""
    return der.sequence(der.integer(3), signed)


def encode_pfx(pfx: Pfx) -> bytes:
    """Encode the outer layer of a PFX file.

    Example:
        >>> decode_pfx(encode_pfx(Pfx(encode_safe([]), None)))
        Pfx(mac=None)
    """
    return der.sequence(der.integer(3), _part(pfx.safe), _mac(pfx.mac) if pfx.mac else None)


def _read_data(info: Element) -> bytes:
    with info.fields() as fields:
        if fields.oid("contentType") != oids.DATA:
            raise info.error("neither open data nor data under a password")
        return fields.take(constructed(0), "content").only(OCTET_STRING, "data").contents


def _read_mac(element: Element) -> PfxMac:
    with element.fields() as fields:
        info = fields.sequence("mac")
        salt = fields.octets("macSalt")
        iterations = fields.maybe(INTEGER, "iterations")
    with info.fields() as fields:
        algorithm = read_algorithm(fields.sequence("digestAlgorithm"))
        value = fields.octets("digest")
    return PfxMac(
        digest_oid=algorithm.oid,
        value=value,
        salt=salt,
        iterations=_positive(iterations) if iterations else 1,
    )


def _read_part(info: Element) -> bytes | Encrypted | Envelope:
    with info.fields() as fields:
        kind = fields.oid("contentType")
        if kind == _ENVELOPED_DATA:
            return read_envelope(fields.take(constructed(0), "content").only(SEQUENCE, "data"))
        if kind != _ENCRYPTED_DATA:
            fields.skip()
            return _read_data(info)
        data = fields.take(constructed(0), "content").only(SEQUENCE, "EncryptedData")
    with data.fields() as fields:
        fields.integer("version")
        content = fields.sequence("encryptedContentInfo")
        fields.skip()  # unprotected attributes
    with content.fields() as fields:
        fields.oid("contentType")
        return _read_encrypted(fields, context(0))


def _read_encrypted(fields: Fields, tag: int = OCTET_STRING) -> Encrypted:
    scheme = _read_scheme(fields.sequence("encryptionAlgorithm"))
    if pieces := fields.maybe(constructed(0), "encrypted"):  # BER, which an implicit tag hides
        return Encrypted(
            scheme, b"".join(piece.contents for piece in pieces.each(OCTET_STRING, "piece"))
        )
    return Encrypted(scheme, fields.take(tag, "encrypted").contents)


def _read_scheme(element: Element) -> Scheme:
    algorithm = read_algorithm(element)
    if algorithm.oid != _PBES2 and algorithm.oid not in _ELDER:
        return algorithm
    with element.fields() as fields:
        fields.oid("algorithm")
        parameters = fields.sequence("parameters")
    if algorithm.oid in _ELDER:
        with parameters.fields() as fields:
            salt = fields.octets("salt")
            if len(salt) > _LONGEST_SALT:  # CryptoPro hashes it again in each iteration
                raise parameters.error("a salt of too many octets")
            return ElderScheme(algorithm.oid, salt, _positive(fields.take(INTEGER, "iterations")))
    with parameters.fields() as fields:
        derivation = fields.sequence("keyDerivationFunc")
        cipher = fields.sequence("encryptionScheme")
    with cipher.fields() as fields:
        cipher_oid = fields.oid("algorithm")
        if cipher_oid not in _CIPHERS:
            fields.skip()
            return AlgorithmIdentifier(cipher_oid)
        with fields.sequence("parameters").fields() as inner:
            nonce = inner.octets("nonce")
            substitution = inner.maybe(OID, "encryptionParamSet")
    with derivation.fields() as fields:
        if (oid := fields.oid("algorithm")) != _PBKDF2:
            fields.skip()
            return AlgorithmIdentifier(oid)
        parameters = fields.sequence("parameters")
    with parameters.fields() as fields:
        salt = fields.octets("salt")
        iterations = _positive(fields.take(INTEGER, "iterationCount"))
        fields.maybe(INTEGER, "keyLength")
        prf = fields.maybe(SEQUENCE, "prf")
    return PasswordScheme(
        salt=salt,
        iterations=iterations,
        prf_oid=_read_prf(prf) if prf else HMAC_SHA1,
        cipher_oid=cipher_oid,
        nonce=nonce,
        substitution_oid=substitution.oid() if substitution else None,
    )


def _read_prf(element: Element) -> str:
    with element.fields() as fields:
        oid = fields.oid("algorithm")
        fields.maybe(NULL, "parameters")
    return oid


def _positive(element: Element) -> int:
    number = element.integer()
    if number < 1:
        raise element.error("not a positive number")
    return number


def _read_bag(element: Element) -> Bag | None:
    with element.fields() as fields:
        oid = fields.oid("bagId")
        value = fields.take(constructed(0), "bagValue")
        fields.maybe(SET, "bagAttributes")
    if oid == _KEY_BAG:
        return KeyBag(value.only(SEQUENCE, "PrivateKeyInfo").der)
    if oid == _SHROUDED_BAG:
        with value.only(SEQUENCE, "EncryptedPrivateKeyInfo").fields() as fields:
            return KeyBag(_read_encrypted(fields))
    if oid != _CERTIFICATE_BAG:
        return None
    with value.only(SEQUENCE, "CertBag").fields() as fields:
        kind = fields.oid("certId")
        certificate = fields.take(constructed(0), "certValue")
    if kind != _X509_CERTIFICATE:
        return None
    return CertificateBag(certificate.only(OCTET_STRING, "certificate").contents)


def _algorithm(scheme: Scheme) -> bytes:
    if isinstance(scheme, AlgorithmIdentifier):
        return der.sequence(der.oid(scheme.oid), scheme.parameters)
    if isinstance(scheme, ElderScheme):
        parameters = der.sequence(der.octets(scheme.salt), der.integer(scheme.iterations))
        return der.sequence(der.oid(scheme.oid), parameters)
    derivation = der.sequence(
        der.octets(scheme.salt),
        der.integer(scheme.iterations),
        der.sequence(der.oid(scheme.prf_oid), der.null()),
    )
    substitution = der.oid(scheme.substitution_oid) if scheme.substitution_oid else None
    cipher = der.sequence(der.octets(scheme.nonce), substitution)
    return der.sequence(
        der.oid(_PBES2),
        der.sequence(
            der.sequence(der.oid(_PBKDF2), derivation),
            der.sequence(der.oid(scheme.cipher_oid), cipher),
        ),
    )


def _key_value(bag: KeyBag) -> tuple[str, bytes]:
    if isinstance(bag.key, bytes):
        return _KEY_BAG, bag.key
    return _SHROUDED_BAG, encode_encrypted_key(bag.key)


def _mac(mac: PfxMac) -> bytes:
    algorithm = der.sequence(der.oid(mac.digest_oid), der.null())
    return der.sequence(
        der.sequence(algorithm, der.octets(mac.value)),
        der.octets(mac.salt),
        der.integer(mac.iterations),
    )


def _part(part: bytes | Encrypted | Envelope) -> bytes:
    if isinstance(part, Envelope):
        return der.sequence(der.oid(_ENVELOPED_DATA), der.explicit(0, encode_envelope(part)))
    if isinstance(part, bytes):
        return der.sequence(der.oid(oids.DATA), der.explicit(0, der.octets(part)))
    hidden = der.sequence(
        der.oid(oids.DATA), _algorithm(part.scheme), der.implicit(0, der.octets(part.octets))
    )
    data = der.sequence(der.integer(0), hidden)
    return der.sequence(der.oid(_ENCRYPTED_DATA), der.explicit(0, data))


_CIPHERS = frozenset(
    {
        KUZNYECHIK_CTR_ACPKM,
        KUZNYECHIK_CTR_ACPKM_OMAC,
        MAGMA_CTR_ACPKM,
        MAGMA_CTR_ACPKM_OMAC,
        GOST_28147,
    }
)
_ELDER = frozenset({TRIPLE_DES, RC2_40, CRYPTOPRO})
