"""GOST cryptography: Streebog and GOST R 34.10-2012 behind one `Provider` port."""

from medsign.gost.default import default_provider, digest, digest_file
from medsign.gost.keys import PrivateKey, PublicKey
from medsign.gost.params import PARAM_SETS, DigestAlgorithm, ParamSet, param_set
from medsign.gost.portable import PortableProvider
from medsign.gost.provider import Hasher, Provider
from medsign.gost.providers import (
    PROVIDERS,
    ProviderRefused,
    ProviderReport,
    choose,
    provider_reports,
)
from medsign.gost.selftest import self_test

__all__ = [
    "PARAM_SETS",
    "PROVIDERS",
    "DigestAlgorithm",
    "Hasher",
    "ParamSet",
    "PortableProvider",
    "PrivateKey",
    "Provider",
    "ProviderRefused",
    "ProviderReport",
    "PublicKey",
    "choose",
    "default_provider",
    "digest",
    "digest_file",
    "param_set",
    "provider_reports",
    "self_test",
]
