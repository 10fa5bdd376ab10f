"""The bench of GOST-limbo: keys, certificates and answers that are the same at each run."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import attrs

from medsign.codec.asn1 import (
    AlgorithmIdentifier,
    AuthorityKeyIdentifier,
    BasicConstraints,
    Certificate,
    Extension,
    GostKeyInfo,
    Name,
    decode_certificate,
    decode_spki,
    der,
    encode_spki,
    make_name,
    oids,
    pem_encode,
)
from medsign.codec.asn1 import extension_values as ext
from medsign.codec.asn1.keys import encode_algorithm
from medsign.codec.asn1.x509 import encode_extension
from medsign.errors import MalformedError
from medsign.gost import DigestAlgorithm, PrivateKey, digest, param_set
from medsign.gost.portable import PortableProvider
from medsign.pki import public_key_info
from medsign.signers import SoftwareKey

# In the past, so that programs which cannot be told the time agree that it has come.
AT = datetime(2025, 6, 1, 12, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
START, END = AT - 30 * DAY, AT + 30 * DAY

SHORT, LONG = "1.2.643.2.2.35.1", "1.2.643.7.1.2.1.2.1"
TC26_A, TC26_512_C = "1.2.643.7.1.2.1.1.1", "1.2.643.7.1.2.1.2.3"

_PROVIDER = PortableProvider(deterministic=True)
Sign = Callable[[bytes], bytes]


@cache
def key(label: str, curve: str = SHORT) -> SoftwareKey:
    """Return the key of a label: a number that anybody can compute."""
    params = param_set(curve)
    seed = hashlib.sha512(f"GOST-limbo {curve} {label}".encode()).digest()
    value = int.from_bytes(seed + hashlib.sha512(seed).digest()) % (params.q - 1) + 1
    return SoftwareKey(PrivateKey(params, value), provider=_PROVIDER)


def signer(owner: SoftwareKey) -> Sign:
    return lambda data: owner.sign_digest(digest(owner.digest_algorithm, data))


def algorithm_of(owner: SoftwareKey) -> AlgorithmIdentifier:
    long = owner.digest_algorithm is DigestAlgorithm.STREEBOG_512
    return AlgorithmIdentifier(oids.GOST_SIGNATURE_512 if long else oids.GOST_SIGNATURE_256)


def named(common_name: str, *others: tuple[str, str]) -> Name:
    return make_name([*others, (oids.COMMON_NAME, common_name)])


def identifier(spki: bytes) -> bytes:
    """The usual identifier of a key, RFC 5280 §4.2.1.2 (1)."""
    try:
        octets = decode_spki(spki).octets
    except MalformedError:  # a key that is broken on purpose needs some identifier too
        octets = spki
    return hashlib.sha1(octets, usedforsecurity=False).digest()


@attrs.frozen(eq=False)
class Party:
    """Somebody with a name and a key, and the certificate issued for both."""

    name: Name
    key: SoftwareKey
    der: bytes
    spki: bytes

    @property
    def certificate(self) -> Certificate:
        return decode_certificate(self.der)

    @property
    def signing(self):
        """The party as a signer of answers and stamps."""
        return self.key.certified(self.certificate)

    def patched(self, old: bytes, new: bytes) -> Party:
        """The certificate with octets changed after signing."""
        assert self.der.count(old) == 1, self.der.count(old)
        return attrs.evolve(self, der=self.der.replace(old, new))

    def flipped(self, offset: int, bit: int = 1) -> Party:
        changed = bytearray(self.der)
        changed[offset] ^= bit
        return attrs.evolve(self, der=bytes(changed))


_DEFAULT: Any = object()


def certify(
    name: Name | str,
    owner: SoftwareKey,
    issuer: Party | None = None,
    *,
    ca: bool = False,
    constraints: BasicConstraints | None = _DEFAULT,
    usage: Sequence[str] | None = _DEFAULT,
    authority: AuthorityKeyIdentifier | None = _DEFAULT,
    key_identifier: bytes | None = _DEFAULT,
    extra: Iterable[Extension] = (),
    start: datetime = START,
    end: datetime = END,
    validity: bytes | None = None,
    serial: int | bytes | None = None,
    version: int = 3,
    issuer_name: Name | None = None,
    spki: bytes | None = None,
    inner: AlgorithmIdentifier | None = None,
    outer: AlgorithmIdentifier | None = None,
    sign: Sign | None = None,
    reshape: Callable[[bytes], bytes] = bytes,
) -> Party:
    """Issue a certificate in which any part may be as it should not.

    Args:
        name: Of the owner.
        owner: Whose key.
        issuer: Who signs; by default the owner.
        ca: Whether the usual extensions are those of an authority.
        reshape: Changes the signature.
    """
    name = named(name) if isinstance(name, str) else name
    spki = spki or public_key_info(owner.public_key)
    signing = issuer.key if issuer else owner
    if constraints is _DEFAULT:
        constraints = BasicConstraints(ca=True) if ca else None
    if usage is _DEFAULT:
        usage = ("keyCertSign", "cRLSign") if ca else ("digitalSignature", "nonRepudiation")
    if key_identifier is _DEFAULT:
        key_identifier = identifier(spki)
    if authority is _DEFAULT:
        authority = AuthorityKeyIdentifier(identifier(issuer.spki)) if issuer else None
    extensions = [
        *([ext.basic_constraints(constraints)] if constraints else ()),
        *([ext.key_usage(*usage)] if usage is not None else ()),
        *([ext.subject_key_identifier(key_identifier)] if key_identifier else ()),
        *([ext.authority_key_identifier(authority)] if authority else ()),
        *extra,
    ]
    listed = der.optional_sequence(map(encode_extension, extensions))
    algorithm = inner or algorithm_of(signing)
    rest = der.sequence(
        encode_algorithm(algorithm),
        (issuer_name or (issuer.name if issuer else name)).der,
        validity or der.sequence(der.time(start), der.time(end)),
        name.der,
        spki,
        der.explicit(3, listed) if version == 3 else None,
    )
    if serial is None:
        serial = int.from_bytes(hashlib.sha256(rest).digest()[:8]) >> 1 | 1 << 62
    tbs = der.sequence(
        der.explicit(0, der.integer(version - 1)) if version > 1 else None,
        der.tlv(0x02, serial) if isinstance(serial, bytes) else der.integer(serial),
        rest[len(rest) - _content_size(rest) :],
    )
    signature = reshape((sign or signer(signing))(tbs))
    whole = der.sequence(tbs, encode_algorithm(outer or algorithm), der.bits(signature))
    return Party(name, owner, whole, spki)


def _content_size(element: bytes) -> int:
    first = element[1]
    return len(element) - 2 - (first & 0x7F if first & 0x80 else 0)


ROOT = certify("Limbo root", key("root"), ca=True)
CA = certify("Limbo authority", key("authority"), ROOT, ca=True)
LEAF = certify("Limbo leaf", key("leaf"), CA)


def leaf(issuer: Party = CA, **options: Any) -> Party:
    return certify(options.pop("name", "Limbo leaf"), key("leaf"), issuer, **options)


def sub(label: str, issuer: Party = ROOT, **options: Any) -> Party:
    name = options.pop("name", f"Limbo {label}")
    owner = options.pop("owner", None) or key(label)
    return certify(name, owner, issuer, ca=options.pop("ca", True), **options)


def bad_point(curve: str, x: int, y: int, *, digest_oid: str | None = None) -> bytes:
    """Return a SubjectPublicKeyInfo with any two numbers for a point."""
    params = param_set(curve)
    point = x.to_bytes(params.size, "little") + y.to_bytes(params.size, "little")
    oid = oids.GOST_KEY_256 if params.size == 32 else oids.GOST_KEY_512
    legacy = params.digest.oid if curve.startswith("1.2.643.2.2.") else None
    return encode_spki(GostKeyInfo(oid, curve, digest_oid or legacy, point))


def forge(curve: str, order: int) -> Sign:
    """Return who signs without a private key, for a public point of so small an order.

    C = z1·P + z2·Q is z1·P whenever the order divides z2, and z1 is the forger's choice.
    """
    params = param_set(curve)

    def sign(data: bytes) -> bytes:
        e = params.signed_number(digest(params.digest, data))
        for number in range(2, 1000):
            r = PrivateKey(params, number).public_key().x % params.q
            if -r * pow(e, -1, params.q) % params.q % order == 0:
                s = number * e % params.q
                return s.to_bytes(params.size) + r.to_bytes(params.size)
        raise AssertionError("no multiple among a thousand")

    return sign


def small_point(curve: str, order: int) -> tuple[int, int]:
    """Return a point of order 2 or 4 of a curve whose cofactor is 4."""
    params = param_set(curve)
    p, a = params.p, params.a

    def add(left, right):
        if left is None or right is None:
            return left or right
        (x1, y1), (x2, y2) = left, right
        if x1 == x2 and (y1 + y2) % p == 0:
            return None
        slope = (
            (3 * x1 * x1 + a) * pow(2 * y1, -1, p)
            if left == right
            else (y2 - y1) * pow(x2 - x1, -1, p)
        )
        x = (slope * slope - x1 - x2) % p
        return x, (slope * (x1 - x) - y1) % p

    for x in range(2, 1000):
        square = (x**3 + a * x + params.b) % p
        y = pow(square, (p + 1) // 4, p)
        if y * y % p != square:
            continue
        found = None
        for bit in f"{params.q:b}":
            found = add(found, found)
            found = add(found, (x, y)) if bit == "1" else found
        if found and order == (2 if found[1] == 0 else 4):
            return found
    raise AssertionError("no such point near the origin")


def pem(certificate: Party | bytes) -> str:
    data = certificate.der if isinstance(certificate, Party) else certificate
    return pem_encode("CERTIFICATE", data).decode()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@attrs.frozen(kw_only=True)
class Case:
    """A case; see the schema."""

    id: str
    kind: str
    description: str
    clause: str
    expected: str
    features: tuple[str, ...] = ()
    trusted: tuple[Party, ...] = (ROOT,)
    intermediates: tuple[Party, ...] = (CA,)
    peer: Party | None = LEAF
    at: datetime = AT
    policies: dict[str, Any] | None = None
    ocsp: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    nonce: bytes | None = None
    request: bytes | None = None
    response: bytes | None = None
    notes: str = ""

    def as_json(self) -> dict[str, Any]:
        found = {
            "id": self.id,
            "kind": self.kind,
            "features": list(self.features),
            "description": self.description,
            "clause": self.clause,
            "trusted": [pem(each) for each in self.trusted],
            "intermediates": [pem(each) for each in self.intermediates],
            "peer": pem(self.peer) if self.peer else None,
            "validation_time": self.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "expected": self.expected,
            "notes": self.notes,
        }
        optional = {
            "policies": self.policies,
            "ocsp_responses": [b64(each) for each in self.ocsp],
            "crls": [pem_encode("X509 CRL", each).decode() for each in self.crls],
            "nonce": self.nonce.hex() if self.nonce else None,
            "timestamp_request": b64(self.request) if self.request else None,
            "timestamp_response": b64(self.response) if self.response else None,
        }
        return found | {name: value for name, value in optional.items() if value}


Cases = Iterator[Case]


def path(
    id: str,
    peer: Party,
    expected: str,
    clause: str,
    description: str,
    *intermediates: Party,
    **options: Any,
) -> Case:
    """A case of a chain; without intermediates there is the usual authority."""
    return Case(
        id=f"path::{id}",
        kind="path",
        description=description,
        clause=clause,
        expected=expected,
        peer=peer,
        intermediates=intermediates or options.pop("pool", (CA,)),
        **options,
    )


GOOD, BAD, OPEN = "SUCCESS", "FAILURE", "INDETERMINATE"
