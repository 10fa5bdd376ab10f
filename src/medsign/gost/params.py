"""Parameter sets of GOST R 34.10-2012: the curves that certificates name by OID.

Values: RFC 7836 appendix A (256-A and the 512-bit sets), RFC 4357 §11.4 (CryptoPro; RFC 9215
appendix C gives the same curves their tc26 names), GOST R 34.10-2012 appendix A (the examples).
"""

from __future__ import annotations

import enum
import functools

import attrs

from medsign.errors import UsageError

Octets = bytes | bytearray | memoryview


class DigestAlgorithm(enum.Enum):
    """Streebog, GOST R 34.11-2012 (RFC 6986), in its two lengths.

    Attributes:
        oid: The identifier in an AlgorithmIdentifier (RFC 9215 §3).
        size: Octets of a digest.
    """

    STREEBOG_256 = ("1.2.643.7.1.1.2.2", 32)
    STREEBOG_512 = ("1.2.643.7.1.1.2.3", 64)

    def __init__(self, oid: str, size: int) -> None:
        self.oid = oid
        self.size = size

    # That of enumerations is written in Python, and short messages would feel it.
    __hash__ = object.__hash__

    @classmethod
    def from_oid(cls, oid: str) -> DigestAlgorithm:
        """Return the algorithm that an OID names.

        Raises:
            UsageError: The OID names no Streebog.

        Example:
            >>> DigestAlgorithm.from_oid("1.2.643.7.1.1.2.2").size
            32
        """
        for algorithm in cls:
            if algorithm.oid == oid:
                return algorithm
        raise UsageError(f"{oid} is not a digest algorithm of GOST R 34.11-2012")


@attrs.frozen(kw_only=True, cache_hash=True)
class ParamSet:
    """A curve y² = x³ + ax + b over the field of p elements, and a point of prime order q on it.

    Attributes:
        name: The name of the standard, for instance ``id-tc26-gost-3410-2012-256-paramSetA``.
        oid: The identifier in the parameters of a public key.
        p: The field's modulus.
        q: The order of the base point; private keys and signatures are taken modulo q.
        a: Coefficient, in [0, p); -3 may be given as such.
        b: Coefficient.
        x: Abscissa of the base point.
        y: Ordinate of the base point.
        cofactor: Order of the whole curve divided by q.
        e: Coefficient of the twisted Edwards form eu² + v² = 1 + du²v², or ``None``.
        d: The other coefficient of that form, or ``None``.
    """

    name: str
    oid: str
    p: int = attrs.field(repr=False)
    q: int = attrs.field(repr=False)
    a: int = attrs.field(repr=False)
    b: int = attrs.field(repr=False)
    x: int = attrs.field(repr=False)
    y: int = attrs.field(repr=False)
    cofactor: int = attrs.field(default=1, repr=False)
    e: int | None = attrs.field(default=None, repr=False)
    d: int | None = attrs.field(default=None, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "a", self.a % self.p)

    @functools.cached_property
    def size(self) -> int:
        """Octets of a coordinate and of half a signature: 32 or 64."""
        return (self.p.bit_length() + 7) // 8

    @functools.cached_property
    def digest(self) -> DigestAlgorithm:
        """The hash that the standard pairs with this length of key."""
        return DigestAlgorithm.STREEBOG_256 if self.size == 32 else DigestAlgorithm.STREEBOG_512

    @property
    def numbers(self) -> tuple[int, ...]:
        """What makes a set the same curve and base point as another one of another name."""
        return self.p, self.a, self.b, self.x, self.y, self.q

    def signed_number(self, digest: bytes) -> int:
        """Return e of GOST R 34.10-2012 §6.1: the digest, little-endian, modulo q, never zero.

        Raises:
            UsageError: The digest has another length than `digest` makes.
        """
        if len(digest) != self.digest.size:
            raise UsageError(f"{self.name} signs digests of {self.digest.size} octets")
        return int.from_bytes(digest, "little") % self.q or 1


def _int(*digits: str) -> int:
    return int("".join(digits), 16)


def _renamed(params: ParamSet, letter: str, oid: str) -> ParamSet:
    return attrs.evolve(params, name=f"id-GostR3410-2001-CryptoPro-{letter}-ParamSet", oid=oid)


_TC26_256_A = ParamSet(
    name="id-tc26-gost-3410-2012-256-paramSetA",
    oid="1.2.643.7.1.2.1.1.1",
    p=_int("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFD97"),
    q=_int("400000000000000000000000000000000FD8CDDFC87B6635C115AF556C360C67"),
    a=_int("C2173F1513981673AF4892C23035A27CE25E2013BF95AA33B22C656F277E7335"),
    b=_int("295F9BAE7428ED9CCC20E7C359A9D41A22FCCD9108E17BF7BA9337A6F8AE9513"),
    x=_int("91E38443A5E82C0D880923425712B2BB658B9196932E02C78B2582FE742DAA28"),
    y=_int("32879423AB1A0375895786C4BB46E9565FDE0B5344766740AF268ADB32322E5C"),
    cofactor=4,
    e=1,
    d=_int("0605F6B7C183FA81578BC39CFAD518132B9DF62897009AF7E522C32D6DC7BFFB"),
)
_TC26_256_B = ParamSet(
    name="id-tc26-gost-3410-2012-256-paramSetB",
    oid="1.2.643.7.1.2.1.1.2",
    p=_int("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFD97"),
    q=_int("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF6C611070995AD10045841B09B761B893"),
    a=-3,
    b=166,
    x=1,
    y=_int("8D91E471E0989CDA27DF505A453F2B7635294F2DDF23E3B122ACC99C9E9F1E14"),
)
_TC26_256_C = ParamSet(
    name="id-tc26-gost-3410-2012-256-paramSetC",
    oid="1.2.643.7.1.2.1.1.3",
    p=_int("8000000000000000000000000000000000000000000000000000000000000C99"),
    q=_int("800000000000000000000000000000015F700CFFF1A624E5E497161BCC8A198F"),
    a=-3,
    b=_int("3E1AF419A269A5F866A7D3C25C3DF80AE979259373FF2B182F49D4CE7E1BBC8B"),
    x=1,
    y=_int("3FA8124359F96680B83D1C3EB2C070E5C545C9858D03ECFB744BF8D717717EFC"),
)
_TC26_256_D = ParamSet(
    name="id-tc26-gost-3410-2012-256-paramSetD",
    oid="1.2.643.7.1.2.1.1.4",
    p=_int("9B9F605F5A858107AB1EC85E6B41C8AACF846E86789051D37998F7B9022D759B"),
    q=_int("9B9F605F5A858107AB1EC85E6B41C8AA582CA3511EDDFB74F02F3A6598980BB9"),
    a=-3,
    b=32858,
    x=0,
    y=_int("41ECE55743711A8C3CBF3783CD08C0EE4D4DC440D4641A8F366E550DFDB3BB67"),
)
_TC26_512_A = ParamSet(
    name="id-tc26-gost-3410-2012-512-paramSetA",
    oid="1.2.643.7.1.2.1.2.1",
    p=_int(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFDC7"
    ),
    q=_int(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        "27E69532F48D89116FF22B8D4E0560609B4B38ABFAD2B85DCACDB1411F10B275"
    ),
    a=-3,
    b=_int(
        "E8C2505DEDFC86DDC1BD0B2B6667F1DA34B82574761CB0E879BD081CFD0B6265"
        "EE3CB090F30D27614CB4574010DA90DD862EF9D4EBEE4761503190785A71C760"
    ),
    x=3,
    y=_int(
        "7503CFE87A836AE3A61B8816E25450E6CE5E1C93ACF1ABC1778064FDCBEFA921"
        "DF1626BE4FD036E93D75E6A50E3A41E98028FE5FC235F5B889A589CB5215F2A4"
    ),
)
_TC26_512_B = ParamSet(
    name="id-tc26-gost-3410-2012-512-paramSetB",
    oid="1.2.643.7.1.2.1.2.2",
    p=_int(
        "8000000000000000000000000000000000000000000000000000000000000000"
        "000000000000000000000000000000000000000000000000000000000000006F"
    ),
    q=_int(
        "8000000000000000000000000000000000000000000000000000000000000001"
        "49A1EC142565A545ACFDB77BD9D40CFA8B996712101BEA0EC6346C54374F25BD"
    ),
    a=-3,
    b=_int(
        "687D1B459DC841457E3E06CF6F5E2517B97C7D614AF138BCBF85DC806C4B289F"
        "3E965D2DB1416D217F8B276FAD1AB69C50F78BEE1FA3106EFB8CCBC7C5140116"
    ),
    x=2,
    y=_int(
        "1A8F7EDA389B094C2C071E3647A8940F3C123B697578C213BE6DD9E6C8EC7335"
        "DCB228FD1EDF4A39152CBCAAF8C0398828041055F94CEEEC7E21340780FE41BD"
    ),
)
_TC26_512_C = ParamSet(
    name="id-tc26-gost-3410-2012-512-paramSetC",
    oid="1.2.643.7.1.2.1.2.3",
    p=_int(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFDC7"
    ),
    q=_int(
        "3FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        "C98CDBA46506AB004C33A9FF5147502CC8EDA9E7A769A12694623CEF47F023ED"
    ),
    a=_int(
        "DC9203E514A721875485A529D2C722FB187BC8980EB866644DE41C68E1430645"
        "46E861C0E2C9EDD92ADE71F46FCF50FF2AD97F951FDA9F2A2EB6546F39689BD3"
    ),
    b=_int(
        "B4C4EE28CEBC6C2C8AC12952CF37F16AC7EFB6A9F69F4B57FFDA2E4F0DE5ADE0"
        "38CBC2FFF719D2C18DE0284B8BFEF3B52B8CC7A5F5BF0A3C8D2319A5312557E1"
    ),
    x=_int(
        "E2E31EDFC23DE7BDEBE241CE593EF5DE2295B7A9CBAEF021D385F7074CEA043A"
        "A27272A7AE602BF2A7B9033DB9ED3610C6FB85487EAE97AAC5BC7928C1950148"
    ),
    y=_int(
        "F5CE40D95B5EB899ABBCCFF5911CB8577939804D6527378B8C108C3D2090FF9B"
        "E18E2D33E3021ED2EF32D85822423B6304F726AA854BAE07D0396E9A9ADDC40F"
    ),
    cofactor=4,
    e=1,
    d=_int(
        "9E4F5D8C017D8D9F13A5CF3CDF5BFE4DAB402D54198E31EBDE28A0621050439C"
        "A6B39E0A515C06B304E2CE43E79E369E91A0CFC2BC2A22B4CA302DBB33EE7550"
    ),
)
EXAMPLE_256 = ParamSet(
    name="id-GostR3410-2001-TestParamSet",
    oid="1.2.643.2.2.35.0",
    p=_int("8000000000000000000000000000000000000000000000000000000000000431"),
    q=_int("8000000000000000000000000000000150FE8A1892976154C59CFC193ACCF5B3"),
    a=7,
    b=_int("5FBFF498AA938CE739B8E022FBAFEF40563F6E6A3472FC2A514C0CE9DAE23B7E"),
    x=2,
    y=_int("08E2A8A0E65147D4BD6316030E16D19C85C97F0A9CA267122B96ABBCEA7E8FC8"),
)
EXAMPLE_512 = ParamSet(
    name="id-tc26-gost-3410-2012-512-paramSetTest",
    oid="1.2.643.7.1.2.1.2.0",
    p=_int(
        "4531ACD1FE0023C7550D267B6B2FEE80922B14B2FFB90F04D4EB7C09B5D2D15D"
        "F1D852741AF4704A0458047E80E4546D35B8336FAC224DD81664BBF528BE6373"
    ),
    q=_int(
        "4531ACD1FE0023C7550D267B6B2FEE80922B14B2FFB90F04D4EB7C09B5D2D15D"
        "A82F2D7ECB1DBAC719905C5EECC423F1D86E25EDBE23C595D644AAF187E6E6DF"
    ),
    a=7,
    b=_int(
        "1CFF0806A31116DA29D8CFA54E57EB748BC5F377E49400FDD788B649ECA1AC43"
        "61834013B2AD7322480A89CA58E0CF74BC9E540C2ADD6897FAD0A3084F302ADC"
    ),
    x=_int(
        "24D19CC64572EE30F396BF6EBBFD7A6C5213B3B3D7057CC825F91093A68CD762"
        "FD60611262CD838DC6B60AA7EEE804E28BC849977FAC33B4B530F1B120248A9A"
    ),
    y=_int(
        "2BB312A43BD2CE6E0D020613C857ACDDCFBF061E91E5F2C3F32447C259F39B2C"
        "83AB156D77F1496BF7EB3351E1EE4E43DC1A18B91B24640B6DBB92CB1ADD371E"
    ),
)


PARAM_SETS = (
    _TC26_256_A,
    _TC26_256_B,
    _TC26_256_C,
    _TC26_256_D,
    _renamed(_TC26_256_B, "A", "1.2.643.2.2.35.1"),
    _renamed(_TC26_256_C, "B", "1.2.643.2.2.35.2"),
    _renamed(_TC26_256_D, "C", "1.2.643.2.2.35.3"),
    _renamed(_TC26_256_B, "XchA", "1.2.643.2.2.36.0"),
    _renamed(_TC26_256_D, "XchB", "1.2.643.2.2.36.1"),
    _TC26_512_A,
    _TC26_512_B,
    _TC26_512_C,
)

# The example sets stay out: they must not be used outside of testing (RFC 9215 §4.2).
_NAMED = {name: params for params in PARAM_SETS for name in (params.oid, params.name)}


def param_set(oid_or_name: str) -> ParamSet:
    """Return the parameter set with this OID or name.

    Raises:
        UsageError: No set for real keys has this OID or name.

    Example:
        >>> param_set("1.2.643.2.2.35.1").name
        'id-GostR3410-2001-CryptoPro-A-ParamSet'
    """
    try:
        return _NAMED[oid_or_name]
    except KeyError:
        raise UsageError(f"{oid_or_name} is not a parameter set of GOST R 34.10-2012") from None
