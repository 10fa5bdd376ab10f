"""A known-answer test that a provider passes before it is trusted."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from medsign.errors import Unavailable
from medsign.gost.keys import PrivateKey, PublicKey
from medsign.gost.params import EXAMPLE_256, EXAMPLE_512, DigestAlgorithm, ParamSet, param_set
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


@attrs.frozen
class _Known:
    """A key, a digest and a signature that is known to be good; octets as in files."""

    params: ParamSet
    secret: bytes
    digest: bytes
    public: bytes
    signature: bytes


def _example(params: ParamSet, secret: str, e: str, x: str, y: str, signature: str) -> _Known:
    """Return an example as the standard prints it, numbers big-endian."""
    d, digest, public = (bytes.fromhex(number)[::-1] for number in (secret, e, y + x))
    return _Known(params, d, digest, public, bytes.fromhex(signature))


def _made(oid: str, public: str, signature: str) -> _Known:
    params = param_set(oid)
    octets = bytes(range(params.size))
    secret = int.from_bytes(octets, "little") % params.q
    return _Known(
        params,
        secret.to_bytes(params.size, "little"),
        octets,
        bytes.fromhex(public),
        bytes.fromhex(signature),
    )


# GOST R 34.10-2012 appendix A (A.1 is RFC 7091 §7): curve, key, e, public key and s‖r.
_EXAMPLES = (
    _example(
        EXAMPLE_256,
        "7a929ade789bb9be10ed359dd39a72c11b60961f49397eee1d19ce9891ec3b28",
        "2dfbc1b372d89a1188c09c52e0eec61fce52032ab1022e8e67ece6672b043ee5",
        "7f2b49e270db6d90d8595bec458b50c58585ba1d4e9b788f6689dbd8e56fd80b",
        "26f1b489d6701dd185c8413a977b3cbbaf64d1c593d26627dffb101a87ff77da",
        (
            "01456c64ba4642a1653c235a98a60249bcd6d3f746b631df928014f6c5bf9c40"
            "41aa28d2f1ab148280cd9ed56feda41974053554a42767b83ad043fd39dc0493"
        ),
    ),
    _example(
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
            "115dc5bc96760c7b48598d8ab9e740d4c4a85a65be33c1815b5c320c854621dd"
            "5a515856d13314af69bc5b924c8b4ddff75c45415c1d9dd9dd33612cd530efe1"
        ),
        (
            "37c7c90cd40b0f5621dc3ac1b751cfa0e2634fa0503b3d52639f5d7fb72afd61"
            "ea199441d943ffe7f0c70a2759a3cdb84c114e1f9339fdf27f35eca93677beec"
        ),
        (
            "1081b394696ffe8e6585e7a9362d26b6325f56778aadbc081c0bfbe933d52ff5"
            "823ce288e8c4f362526080df7f70ce406a6eeb1f56919cb92a9853bde73e5b4a"
            "2f86fa60a081091a23dd795e1e3c689ee512a3c82ee0dcc2643c78eea8fcacd3"
            "5492558486b20f1c9ec197c90699850260c93bcbcd9c5c3317e19344e173ae36"
        ),
    ),
)
# The key and the digest are the octets 0, 1, 2…; made by the portable provider with a derived nonce
# and found good by gost-engine.
_CURVES = (
    _made(
        "1.2.643.7.1.2.1.1.1",
        (
            "76c3ef40dbcf6e097899a5bc200cd7fa14447d834a7970545423d0afbf62deaf"
            "180080577cd74cea1a12f62a2b9468d1e2eda39ba645c64d1d53e3e8ee5a1d49"
        ),
        (
            "17bcd53e64074deefc27a1ad53b4719ce7b46ed168fbf1b0f516c0ce0e9076e8"
            "2ec5a199ef6f057a680bba2c74a2422e6d1012c5159588ae883b3e1d528d6e98"
        ),
    ),
    _made(
        "1.2.643.7.1.2.1.1.2",
        (
            "69f3201ae9c30d94c3571c2a118f45e70b4cfe0ba12e749355ba639665f1cfae"
            "15aad11482be3cfef214ebcbd81d3f4d6529f49dc0d15a6eedb05cb53c07428f"
        ),
        (
            "e1b85a93ed3b3d6c4b1101e355c342f5d197968ef7c86fe29910ebc56744a5b9"
            "1e5c15a3d31a5ddb3690518bd5ee94b157742cd0895744346c8595893228f204"
        ),
    ),
    _made(
        "1.2.643.7.1.2.1.1.3",
        (
            "3c1edda6d3a3370869501a91a867db231c625f6b8308eedfa47d8b5955983d7a"
            "e9c80c790e252da13d3412e9e90ab85fed1ab64121df5f8489d777d593b9294b"
        ),
        (
            "130b81ae52136e45c36f308c2885831ec44a50433a2106c6d1283bf26d289cc6"
            "4ad41e22ed497cc5c3902ccddc90b3cdf57abfaf29d85fa6a40b3379090b5a0b"
        ),
    ),
    _made(
        "1.2.643.7.1.2.1.1.4",
        (
            "cb41b97c74646bc2151edc109cf47fc1c1fb98d9f93288b3d3bb588773ad3900"
            "842a2d48475dfa98469a2fc67516f0268e48a9d7615b926fe06e027f00a0e50e"
        ),
        (
            "2b85cb224658f63f58849becf9c3019dbd6a19b432808b2c5e92eb3f6156189c"
            "47684e0919add49b3a28a5c12baf89d1be5a62c42f5da5aa4f0c9995618e9d37"
        ),
    ),
    _made(
        "1.2.643.7.1.2.1.2.1",
        (
            "73fc4523345211e94391e4d064eb5e04a46ddab0e30c489909f6b52ae2dbfe58"
            "18f7f3c15ecec295ca3a09a3cbe241c25a710fc7d6725a4e39c172d68d94ba04"
            "296494a7a9142bbeb1ac3440222ce075ae7194f4b53ec7f119762074cd864cbd"
            "24fca620d063dcfb1b03852292be42850f732bb08c806deb948c6e367e55733a"
        ),
        (
            "2f3d3a43df0178bfbdc1cf33674a8ca844251448c5da54c6544c2bdf1f43a638"
            "c859ce4e1499f74a6d847140f87b9d44d3cf20870b08e3970933c4093aeaaf3f"
            "8cfa4713cc498b7f60b3347f660d0f68f48567a26a7ff89fc3416ddbe86cf1e8"
            "1e9b6ba6ee24f1c383be21e324a2304ed25fc99a29086db00321e4b941815b8f"
        ),
    ),
    _made(
        "1.2.643.7.1.2.1.2.2",
        (
            "0f9fe3fb05d9f26652d2c3f59f04696d981a7adbd0b026a0e07845841b0f9742"
            "82007ab15051a2f75a7acdb930bcf09f976fd02d0a41f62be298419614601242"
            "5d59748c96902663daf8b0b6c211940f11543ee54131bfff781682fa17137982"
            "ee932609dab824c8a1a85b5cdf77c9c6abc692cbb026411cf35dd193ebbaea2b"
        ),
        (
            "6fd67544be29c500f4f31ef60de037337f9c05592970f30e3e99288739942b60"
            "7741ae68d25b5258234d946e3959e6d32d5827513eddd9eb4a2df4e64ac90981"
            "15766f4e13f2c7911774e27cc97ad9114277f9558a5c5ed6a0c4e6d9242704a0"
            "345fedbb5ec87a98d3ffe2dee6958f48a59c51cd3196f8afd37862fce6a2e257"
        ),
    ),
    _made(
        "1.2.643.7.1.2.1.2.3",
        (
            "586272ef9f0bf9dcc719b3da5dfff6fad4768d81714befb0cfc709fe7c5523a9"
            "b295f67a4c1db7707e2faf4f7f458fc8d4bd60cfbd8d870ee9a2e28fa5346b2b"
            "db87f93d87b8bc452161b3c1b13d9378baf35ccba49b83921fc21bb580c68376"
            "7e205c6733aae4e16c017f472116a74ac084e43b98dacfe92ddac32fa14641f3"
        ),
        (
            "30892717ee379e33d67715a7433f740f616236868c967f502562c2b14882d4d3"
            "9f4eb3d4c82f1701ea2412f474de5c44fa95563d794029bd92d8fb0a5e2f894c"
            "1ae08b8bb2e3e4d613643b106abf46db2d3a22b147ee6f83488a8db416fcfc34"
            "b7cc086a72259e81c8602d1fbe9f1b2ddbbf3277b5ca096c7b0405964a4a0d80"
        ),
    ),
)


def self_test(provider: Provider, *, every_curve: bool = False) -> None:
    """Compare a provider with published answers, and its signatures with its own judgement.

    An implementation that computes wrong must not sign, even once: a faulty signature may give
    the key away.

    Args:
        provider: Who is tested.
        every_curve: Also try each curve of real keys that it knows. A native library has code of
            its own for each of them; the portable provider has the same for all.

    Raises:
        Unavailable: An answer is wrong; the text says which.
    """
    for failure in _failures(provider, (*_EXAMPLES, *_CURVES) if every_curve else _EXAMPLES):
        raise Unavailable(
            f"the GOST provider {provider.name} (self-test: {failure})", "a sound build of it"
        )


def _failures(provider: Provider, signatures: tuple[_Known, ...]) -> Iterator[str]:
    for message, *answers in _DIGESTS:
        for algorithm, answer in zip(DigestAlgorithm, answers, strict=True):
            hasher = provider.hasher(algorithm)
            hasher.update(message[:65])
            hasher.update(message[65:])
            digests = hasher.digest(), provider.hash(algorithm, message)
            if any(each.hex() != answer for each in digests):
                yield f"{algorithm.name} of {len(message)} octets"
    for known in signatures:
        params, digest = known.params, known.digest
        if provider.supports(params):
            secret = PrivateKey.from_octets(params, known.secret)
            public = PublicKey.from_octets(params, known.public)
            for candidate in (known.signature, provider.sign(secret, digest)):
                if not provider.verify(public, digest, candidate):
                    yield f"a good signature on {params.name} refused"
                if provider.verify(public, digest[::-1], candidate):
                    yield f"a bad signature on {params.name} accepted"
