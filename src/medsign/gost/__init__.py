"""GOST cryptography: Streebog and GOST R 34.10-2012 behind one `Provider` port."""

from medsign.gost.default import default_provider, digest, digest_file
from medsign.gost.keys import PrivateKey, PublicKey
from medsign.gost.params import PARAM_SETS, DigestAlgorithm, ParamSet, param_set
from medsign.gost.portable import PortableProvider
from medsign.gost.provider import Hasher, Provider
from medsign.gost.selftest import self_test

__all__ = [
    "PARAM_SETS",
    "DigestAlgorithm",
    "Hasher",
    "ParamSet",
    "PortableProvider",
    "PrivateKey",
    "Provider",
    "PublicKey",
    "default_provider",
    "digest",
    "digest_file",
    "param_set",
    "self_test",
]
