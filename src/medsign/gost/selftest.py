"""A known-answer test that a provider passes before it is trusted."""

from __future__ import annotations

from collections.abc import Iterator

from medsign.errors import Unavailable
from medsign.gost.keys import PrivateKey
from medsign.gost.params import EXAMPLE_256, EXAMPLE_512, DigestAlgorithm
from medsign.gost.provider import Provider

_M1 = b"012345678901234567890123456789012345678901234567890123456789012"
_M2 = "Се ветри, Стрибожи внуци, веютъ с моря стрелами на храбрыя плъкы Игоревы".encode("cp1251")
# Digests: RFC 6986 §10, and a message on whose checksum a carry runs through all 64 octets, which
# several libraries of good name once got wrong.
_DIGESTS = (
    (
        _M1,
        "9d151eefd8590b89daa6ba6cb74af9275dd051026bb149a452fd84e5e57b5500",
        (
            "1b54d01a4af5b9d5cc3d86d68d285462b19abc2475222f35c085122be4ba1ffa"
            "00ad30f8767b3a82384c6574f024c311e2a481332b08ef7f41797891c1646f48"
        ),
    ),
    (
        _M2,
        "9dd2fe4e90409e5da87f53976d7405b0c0cac628fc669a741d50063c557e8f50",
        (
            "1e88e62226bfca6f9994f1f2d51569e0daf8475a3b0fe61a5300eee46d961376"
            "035fe83549ada2b8620fcd7c496ce5b33f0cb9dddc2b6460143b03dabac9fb28"
        ),
    ),
    (
        b"\xff" * 96,
        "cec87784e5b15bb20e1717ff8e940c9ef9a156401f31546f48a4314ad9f34606",
        (
            "692092ec5efe6b17b82aa02fcde733f180f0d7737665894450f9db87f15bc895"
            "acac60d39a3a031415695229fffa337eab288aad13242cb9df05d8d9133489e6"
        ),
    ),
)
# Signatures: GOST R 34.10-2012 appendix A (A.1 is RFC 7091 §7): curve, key, e and s‖r, big-endian.
_SIGNATURES = (
    (
        EXAMPLE_256,
        "7a929ade789bb9be10ed359dd39a72c11b60961f49397eee1d19ce9891ec3b28",
        "2dfbc1b372d89a1188c09c52e0eec61fce52032ab1022e8e67ece6672b043ee5",
        (
            "01456c64ba4642a1653c235a98a60249bcd6d3f746b631df928014f6c5bf9c40"
            "41aa28d2f1ab148280cd9ed56feda41974053554a42767b83ad043fd39dc0493"
        ),
    ),
    (
        EXAMPLE_512,
        (
            "0ba6048aadae241ba40936d47756d7c93091a0e8514669700ee7508e508b1020"
            "72e8123b2200a0563322dad2827e2714a2636b7bfd18aadfc62967821fa18dd4"
        ),
        (
            "3754f3cfacc9e0615c4f4a7c4d8dab531b09b6f9c170c533a71d147035b0c591"
            "7184ee536593f4414339976c647c5d5a407adedb1d560c4fc6777d2972075b8c"
        ),
        (
            "1081b394696ffe8e6585e7a9362d26b6325f56778aadbc081c0bfbe933d52ff5"
            "823ce288e8c4f362526080df7f70ce406a6eeb1f56919cb92a9853bde73e5b4a"
            "2f86fa60a081091a23dd795e1e3c689ee512a3c82ee0dcc2643c78eea8fcacd3"
            "5492558486b20f1c9ec197c90699850260c93bcbcd9c5c3317e19344e173ae36"
        ),
    ),
)


def self_test(provider: Provider) -> None:
    """Compare a provider with published answers, and its signatures with its own judgement.

    An implementation that computes wrong must not sign, even once: a faulty signature may give
    the key away.

    Raises:
        Unavailable: An answer is wrong; the text says which.
    """
    for failure in _failures(provider):
        raise Unavailable(
            f"the GOST provider {provider.name} (self-test: {failure})", "a sound build of it"
        )


def _failures(provider: Provider) -> Iterator[str]:
    for message, *answers in _DIGESTS:
        for algorithm, answer in zip(DigestAlgorithm, answers, strict=True):
            hasher = provider.hasher(algorithm)
            hasher.update(message[:65])
            hasher.update(message[65:])
            if hasher.digest().hex() != answer:
                yield f"{algorithm.name} of {len(message)} octets"
    for params, secret, e, signature in _SIGNATURES:
        if provider.supports(params):
            key = PrivateKey(params, int(secret, 16))
            digest = bytes.fromhex(e)[::-1]
            for candidate in (bytes.fromhex(signature), provider.sign(key, digest)):
                if not provider.verify(key.public_key(), digest, candidate):
                    yield f"a good signature on {params.name} refused"
                if provider.verify(key.public_key(), digest[::-1], candidate):
                    yield f"a bad signature on {params.name} accepted"
