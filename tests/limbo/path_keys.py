"""Chains whose keys, signatures, algorithms, moments or encodings are as they should not be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from bench import (
    AT,
    BAD,
    CA,
    END,
    GOOD,
    HOUR,
    LEAF,
    LONG,
    ROOT,
    SECOND,
    SHORT,
    START,
    TC26_512_C,
    TC26_A,
    Cases,
    bad_point,
    certify,
    forge,
    key,
    leaf,
    path,
    small_point,
    sub,
)

from medsign.codec.asn1 import AlgorithmIdentifier, Extension, GostKeyInfo, der, encode_spki, oids
from medsign.gost.params import PARAM_SETS, ParamSet, param_set

SIGNATURE = "GOST R 34.10-2012 §6.2; RFC 9215 §2"
POINT = "GOST R 34.10-2012 §5.2; RFC 7091 §5.2"
TIME = "RFC 5280 §6.1.3 (a)(2)"


def cases() -> Cases:
    yield path("basic::good", LEAF, GOOD, "RFC 5280 §6.1", "Root, authority, leaf.")
    yield path("basic::root-alone", ROOT, GOOD, "RFC 5280 §6.1", "The anchor itself.", pool=())
    yield path(
        "basic::no-intermediate", LEAF, BAD, "RFC 5280 §6.1", "The authority is missing.", pool=()
    )
    yield path(
        "basic::no-anchor",
        LEAF,
        BAD,
        "RFC 5280 §6.1.1 (d)",
        "Nobody is trusted.",
        CA,
        ROOT,
        trusted=(),
    )
    yield path(
        "basic::anchor-in-the-middle",
        LEAF,
        GOOD,
        "RFC 5280 §6.1.1 (d)",
        "The authority is the anchor and the root is not at hand.",
        pool=(),
        trusted=(CA,),
        notes="OpenSSL needs -partial_chain for it.",
    )
    yield path(
        "basic::root-not-trusted",
        LEAF,
        BAD,
        "RFC 5280 §6.1.1 (d)",
        "The chain is whole and ends in a self-signed certificate that nobody trusts.",
        CA,
        ROOT,
        trusted=(certify("Another root", key("another root"), ca=True),),
    )
    yield path(
        "basic::wrong-order",
        LEAF,
        GOOD,
        "RFC 5280 §6.1",
        "The order and the company of the intermediates do not matter.",
        LEAF,
        ROOT,
        CA,
        CA,
    )
    yield from curves()
    yield from points()
    yield from values()
    yield from flips()
    yield from algorithms()
    yield from moments()
    yield from encodings()


def curves() -> Cases:
    for params in PARAM_SETS:
        label, curve = params.name.removeprefix("id-"), params.oid
        root = certify(f"Root {label}", key("root", curve), ca=True)
        good = leaf(root)
        text = f"The authority's key is on {params.name} ({curve})"
        yield path(
            f"curve::{label}",
            good,
            GOOD,
            "RFC 9215 §4.2, appendix B",
            text + ".",
            pool=(),
            trusted=(root,),
        )
        yield path(
            f"curve::{label}::flipped",
            good.flipped(-1),
            BAD,
            SIGNATURE,
            text + "; the last bit of the signature is flipped.",
            pool=(),
            trusted=(root,),
        )
    long_root = certify("Long root", key("root", LONG), ca=True)
    short_sub = certify("Short authority", key("authority"), long_root, ca=True)
    yield path(
        "curve::256-under-512",
        leaf(short_sub),
        GOOD,
        "RFC 9215 §2",
        "A root of 512 bits above an authority of 256.",
        short_sub,
        trusted=(long_root,),
    )
    long_sub = certify("Long authority", key("authority", LONG), ROOT, ca=True)
    yield path(
        "curve::512-under-256",
        leaf(long_sub),
        GOOD,
        "RFC 9215 §2",
        "A root of 256 bits above an authority of 512.",
        long_sub,
    )


def points() -> Cases:
    for params in PARAM_SETS:
        label, curve = params.name.removeprefix("id-"), params.oid
        spki = bad_point(curve, 5, 0)
        authority = sub("off the curve", owner=key("root", curve), spki=spki)
        yield path(
            f"point::off-curve::{label}",
            leaf(authority, sign=forge(curve, 2)),
            BAD,
            POINT,
            f"The authority's point is not on {params.name} and its double is infinity: who adds "
            "points without looking accepts the forged signature of the leaf.",
            authority,
        )
    for curve, order in ((TC26_A, 2), (TC26_A, 4), (TC26_512_C, 2), (TC26_512_C, 4)):
        try:
            x, y = small_point(curve, order)
        except AssertionError:
            continue
        authority = sub("small", owner=key("root", curve), spki=bad_point(curve, x, y))
        label = param_set(curve).name.removeprefix("id-")
        yield path(
            f"point::order-{order}::{label}",
            leaf(authority, sign=forge(curve, order)),
            BAD,
            POINT,
            f"The authority's point is on the curve and of order {order}, not q: the signature of "
            "the leaf was forged without a private key.",
            authority,
        )
    params = param_set(SHORT)
    own = key("authority").public_key
    for label, x, y, text in (
        ("x-beyond-p", own.x + params.p, own.y, "x is p larger than it should be"),
        ("zero", 0, 0, "both coordinates are zero"),
        ("negated", own.x, params.p - own.y, "the point is the opposite of the signer's"),
    ):
        if x >= 1 << 256:
            continue
        authority = sub("strange point", owner=key("authority"), spki=bad_point(SHORT, x, y))
        yield path(
            f"point::{label}",
            leaf(authority),
            BAD,
            POINT,
            f"Of the authority's key {text}.",
            authority,
        )
    for label, cut in (("short", slice(None, -1)), ("empty", slice(0))):
        point = own.to_octets()[cut]
        spki = encode_spki(GostKeyInfo(oids.GOST_KEY_256, SHORT, params.digest.oid, point))
        authority = sub("cut", owner=key("authority"), spki=spki)
        yield path(
            f"point::{label}",
            leaf(authority),
            BAD,
            "RFC 9215 §4.3",
            f"The authority's point has {len(point)} octets.",
            authority,
        )


def values() -> Cases:
    for label, curve in (("256", SHORT), ("512", LONG), ("256-cofactor-4", TC26_A)):
        root = certify(f"Root {label}", key("root", curve), ca=True)
        for change, reshape in reshapings(param_set(curve)).items():
            yield path(
                f"signature::{label}::{change}",
                leaf(root, reshape=reshape),
                BAD,
                SIGNATURE,
                f"The value of the leaf's signature is changed: {change}.",
                pool=(),
                trusted=(root,),
            )


def reshapings(params: ParamSet) -> dict[str, Callable[[bytes], bytes]]:
    q, size = params.q, params.size

    def s(signature: bytes) -> int:
        return int.from_bytes(signature[:size])

    def r(signature: bytes) -> int:
        return int.from_bytes(signature[size:])

    def joined(s: int, r: int) -> bytes:
        return s.to_bytes(size) + r.to_bytes(size)

    changes: dict[str, Callable[[bytes], bytes]] = {
        "s-zero": lambda each: joined(0, r(each)),
        "r-zero": lambda each: joined(s(each), 0),
        "both-zero": lambda each: bytes(len(each)),
        "s-is-q": lambda each: joined(q, r(each)),
        "r-is-q": lambda each: joined(s(each), q),
        "all-ones": lambda each: b"\xff" * len(each),
        "s-negated": lambda each: joined(q - s(each), r(each)),
        "halves-swapped": lambda each: joined(r(each), s(each)),
        "little-endian": lambda each: each[::-1],
        "one-octet-short": lambda each: each[:-1],
        "one-octet-long": lambda each: each + b"\0",
        "empty": lambda each: b"",
    }
    if 2 * q < 1 << 8 * size:
        changes["s-plus-q"] = lambda each: joined(s(each) + q, r(each))
        changes["r-plus-q"] = lambda each: joined(s(each), r(each) + q)
    return changes


def flips() -> Cases:
    for label, offset in (("s-first", -64), ("s-last", -33), ("r-first", -32), ("r-last", -1)):
        yield path(
            f"flip::leaf-{label}",
            LEAF.flipped(offset),
            BAD,
            SIGNATURE,
            "One bit of the leaf's signature is flipped.",
        )
        yield path(
            f"flip::authority-{label}",
            LEAF,
            BAD,
            SIGNATURE,
            "One bit of the authority's signature is flipped.",
            CA.flipped(offset),
        )
    yield path(
        "flip::leaf-name",
        LEAF.patched(b"Limbo leaf", b"Limbo Leaf"),
        BAD,
        "RFC 5280 §6.1.3 (a)(1)",
        "One letter of the leaf's name is changed after signing.",
    )
    yield path(
        "flip::authority-name",
        LEAF,
        BAD,
        "RFC 5280 §6.1.3 (a)(1)",
        "The case of a letter of the authority's name is changed after signing.",
        CA.patched(b"Limbo authority", b"Limbo Authority"),
    )
    yield path(
        "flip::anchor",
        LEAF,
        GOOD,
        "RFC 5280 §6.1.1 (d)",
        "The anchor's own signature is broken; it is no part of the validation.",
        trusted=(ROOT.flipped(-1),),
    )
    stranger = certify("Limbo authority", key("stranger"), ROOT, ca=True)
    yield path(
        "flip::namesake",
        leaf(sign=lambda tbs: bytes(64)),
        BAD,
        SIGNATURE,
        "The right name of the issuer and no signature at all.",
    )
    yield path(
        "flip::wrong-key",
        LEAF,
        BAD,
        SIGNATURE,
        "The only authority of this name at hand has another key.",
        stranger,
    )


def algorithms() -> Cases:
    rule, other = "RFC 5280 §4.1.1.2", AlgorithmIdentifier(oids.GOST_SIGNATURE_512)
    yield path(
        "algorithm::outer-differs",
        leaf(outer=other),
        BAD,
        rule,
        "The signature is named as of 512 bits outside the signed part.",
    )
    yield path(
        "algorithm::inner-differs",
        leaf(inner=other, outer=AlgorithmIdentifier(oids.GOST_SIGNATURE_256)),
        BAD,
        rule,
        "The signature is named as of 512 bits inside the signed part only.",
    )
    yield path(
        "algorithm::512-with-256-key",
        leaf(inner=other),
        BAD,
        "RFC 9215 §2",
        "A signature of 512 bits is announced and the key has 256.",
    )
    long_root = certify("Long root", key("root", LONG), ca=True)
    yield path(
        "algorithm::256-with-512-key",
        leaf(long_root, inner=AlgorithmIdentifier(oids.GOST_SIGNATURE_256)),
        BAD,
        "RFC 9215 §2",
        "A signature of 256 bits is announced and the key has 512.",
        pool=(),
        trusted=(long_root,),
    )
    for label, oid in (("unknown", "1.3.6.1.4.1.55555.9"), ("gost-2001", "1.2.643.2.2.3")):
        yield path(
            f"algorithm::{label}",
            leaf(inner=AlgorithmIdentifier(oid)),
            BAD,
            "RFC 5280 §6.1.3 (a)(1)",
            f"The leaf is signed by the algorithm {oid}.",
        )
    params = param_set(SHORT)
    for label, algorithm, curve, text in (
        ("key-oid-512", oids.GOST_KEY_512, SHORT, "the OID of 512 bits with a curve of 256"),
        ("curve-512", oids.GOST_KEY_256, LONG, "the OID of 256 bits with a curve of 512"),
        ("curve-unknown", oids.GOST_KEY_256, "1.2.643.7.1.2.1.1.99", "a curve nobody knows"),
        ("curve-of-another", oids.GOST_KEY_256, "1.2.643.2.2.35.2", "a curve it is not on"),
        ("curve-test", oids.GOST_KEY_256, "1.2.643.2.2.35.0", "the curve of examples, for tests"),
    ):
        octets = key("authority").public_key.to_octets()
        spki = encode_spki(GostKeyInfo(algorithm, curve, params.digest.oid, octets))
        authority = sub("wrong curve", owner=key("authority"), spki=spki)
        yield path(
            f"algorithm::{label}",
            leaf(authority),
            BAD,
            "RFC 9215 §4.2",
            f"The authority's key names {text}.",
            authority,
        )


def moments() -> Cases:
    for label, who in (("leaf", 0), ("authority", 1)):
        for moment, text, expected in (
            (START, "at notBefore", GOOD),
            (START - SECOND, "one second before notBefore", BAD),
            (END, "at notAfter", GOOD),
            (END + SECOND, "one second after notAfter", BAD),
        ):
            wide = {"start": START - HOUR, "end": END + HOUR}
            authority = sub("bounded", **({} if who else wide))
            peer = leaf(authority, **(wide if who else {}))
            root = certify("Limbo root", key("root"), ca=True, **wide)
            yield path(
                f"validity::{label}::{text.replace(' ', '-')}",
                peer,
                expected,
                TIME,
                f"The moment is {text} of the {label}.",
                authority,
                trusted=(root,),
                at=moment,
            )
    for moment, text in ((START - SECOND, "not-yet-valid"), (END + SECOND, "expired")):
        wide = {"start": START - HOUR, "end": END + HOUR}
        authority = sub("bounded", **wide)
        yield path(
            f"validity::root::{text}",
            leaf(authority, **wide),
            BAD,
            "63-ФЗ ст. 13; RFC 5280 §6.1.1 (d) leaves it open",
            "The anchor is outside its validity.",
            authority,
            at=moment,
            features=("anchor-validity",),
            notes="RFC 5280 does not ask the validity of an anchor; OpenSSL does, and so must "
            "whoever decides on qualified certificates.",
        )
    yield path(
        "validity::inverted",
        leaf(start=END, end=START),
        BAD,
        TIME,
        "notBefore is later than notAfter.",
    )
    yield path(
        "validity::one-second",
        leaf(start=AT, end=AT),
        GOOD,
        "RFC 5280 §4.1.2.5",
        "notBefore is notAfter is the moment: both bounds belong to the validity.",
    )
    yield path(
        "validity::longer-than-issuer",
        leaf(end=datetime(2040, 1, 1, tzinfo=UTC)),
        GOOD,
        "RFC 5280 §6.1.3",
        "The leaf outlives its issuer: validities need not be nested.",
    )
    for label, end in (
        ("utc-2049", datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("generalized-2050", datetime(2050, 1, 1, tzinfo=UTC)),
        ("no-end", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ):
        yield path(
            f"validity::{label}",
            leaf(end=end),
            GOOD,
            "RFC 5280 §4.1.2.5",
            f"notAfter is {end:%Y-%m-%d}.",
        )
    yield path(
        "validity::utc-1950",
        leaf(start=datetime(1950, 1, 1, tzinfo=UTC)),
        GOOD,
        "RFC 5280 §4.1.2.5.1",
        "UTCTime 50 is 1950.",
    )
    first, last = der.time(START), der.time(END)
    for label, validity, text in (
        ("utc-without-seconds", der.sequence(der.tlv(0x17, b"2505010000Z"), last), "no seconds"),
        ("utc-with-offset", der.sequence(der.tlv(0x17, b"250501000000+0300"), last), "an offset"),
        ("month-13", der.sequence(der.tlv(0x17, b"251301000000Z"), last), "a month 13"),
        ("no-end-field", der.sequence(first), "no notAfter"),
        ("fraction", der.sequence(der.tlv(0x18, b"20250501000000.5Z"), last), "a fraction"),
        ("text", der.sequence(der.text("20250501"), last), "a string"),
    ):
        yield path(
            f"validity::{label}",
            leaf(validity=validity),
            BAD,
            "RFC 5280 §4.1.2.5",
            f"The validity holds {text}.",
        )


def encodings() -> Cases:
    rule = "RFC 5280 §4.1; X.690 §10-11"
    for label, peer, text in (
        ("trailing", LEAF.der + b"\0", "an octet after the end"),
        ("cut", LEAF.der[:-1], "its last octet cut off"),
        ("indefinite", b"\x30\x80" + LEAF.der[4:] + b"\0\0", "an indefinite length"),
        ("long-length", b"\x30\x83\0" + LEAF.der[2:], "a length in too many octets"),
        ("empty-sequence", b"\x30\0", "nothing in it"),
    ):
        changed = leaf()
        object.__setattr__(changed, "der", peer)
        yield path(f"encoding::{label}", changed, BAD, rule, f"The leaf has {text}.")
    for label, options, clause, text in (
        ("version-4", {"version": 4}, "RFC 5280 §4.1.2.1", "the version 4"),
        ("serial-padded", {"serial": b"\0\0\x05"}, "X.690 §8.3.2", "a padded serial number"),
        ("serial-empty", {"serial": b""}, "X.690 §8.3.1", "a serial number of no octets"),
    ):
        yield path(f"encoding::{label}", leaf(**options), BAD, clause, f"The leaf has {text}.")
    repeated = Extension(oids.KEY_USAGE, critical=True, value=bytes.fromhex("030206c0"))
    own = "1.3.6.1.4.1.55555.1"
    for label, extra in (
        ("key-usage", (repeated,)),
        ("unknown", (Extension(own, False, der.null()), Extension(own, False, der.null()))),
    ):
        yield path(
            f"duplicate-extension::leaf-{label}",
            leaf(extra=extra),
            BAD,
            "RFC 5280 §4.2",
            "The same extension twice in the leaf.",
        )
        authority = sub("repeating", extra=extra)
        yield path(
            f"duplicate-extension::authority-{label}",
            leaf(authority),
            BAD,
            "RFC 5280 §4.2",
            "The same extension twice in the authority.",
            authority,
        )
