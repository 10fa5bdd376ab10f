"""Which providers this machine has, and how one is chosen among them."""

from __future__ import annotations

import functools
import importlib
import warnings
from collections.abc import Iterator

import attrs

from medsign.errors import Unavailable, UsageError
from medsign.gost.keys import PrivateKey, PublicKey
from medsign.gost.params import PARAM_SETS, DigestAlgorithm, ParamSet
from medsign.gost.provider import Hasher, Provider
from medsign.gost.selftest import self_test

# The order of preference. nettle comes first: its manual promises signatures whose time does not
# tell the key, and it shares nothing with the `ssl` of the host. gost-engine multiplies points by
# code generated for that, and computes the rest with OpenSSL's ordinary numbers. Python's integers
# can promise nothing.
_CLASSES = {
    "nettle": "medsign.gost.native.nettle:NettleProvider",
    "openssl": "medsign.gost.native.openssl:OpenSslProvider",
    "gostprov": "medsign.gost.native.openssl:GostprovProvider",
    "libgcrypt": "medsign.gost.native.gcrypt:GcryptProvider",
    "portable": "medsign.gost.portable:PortableProvider",
}
PROVIDERS = tuple(_CLASSES)
"""Names of all providers, the preferred first."""


class ProviderRefused(RuntimeWarning):
    """A provider is installed but computes wrong, and is not used."""


@attrs.frozen(kw_only=True)
class ProviderReport:
    """What a provider can do on this machine.

    Attributes:
        name: One of `PROVIDERS`.
        ok: It is installed and has passed its self-test.
        reason: Why not, or an empty string.
        install: What to install, or an empty string.
        digests: The digests that it makes.
        param_sets: The parameter sets on which it signs and verifies.
    """

    name: str
    ok: bool
    reason: str = ""
    install: str = ""
    digests: tuple[DigestAlgorithm, ...] = ()
    param_sets: tuple[ParamSet, ...] = ()


def provider_reports() -> tuple[ProviderReport, ...]:
    """Load and test every provider, and tell the outcome in the order of preference.

    Example:
        >>> [report.ok for report in provider_reports() if report.name == "portable"]
        [True]
    """
    return tuple(_report(name) for name in PROVIDERS)


def choose(*names: str) -> Provider:
    """Return the provider of this name, or one that asks those of these names in turn.

    Each must be there: who pins a provider doesn't want another one behind its back.

    Args:
        names: Of `PROVIDERS`. Of several, the first one hashes, and the first one that knows a
            curve signs and verifies on it.

    Raises:
        UsageError: No name is given, or one that nobody has.
        Unavailable: A provider is missing, or failed its self-test.

    Example:
        >>> choose("portable").name
        'portable'
    """
    if not names or not set(names) <= set(PROVIDERS):
        raise UsageError(f"the GOST providers are {', '.join(PROVIDERS)}")
    providers = [_provider(name) for name in names]
    return providers[0] if len(names) == 1 else FirstAvailable(names)


class FirstAvailable:
    """A `Provider` that leaves each task to the first of some that can do it.

    Args:
        names: Of `PROVIDERS`, the preferred first. Those that are not available are passed over,
            but for the last one.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self.name = ", ".join(names)
        self._names = names
        # lru_cache holds no Python lock, so a fork can't copy a locked one.
        self._who_knows = functools.lru_cache(maxsize=64)(self._first_that_knows)
        self._somebody_knows = functools.lru_cache(maxsize=64)(self._supports)
        self._who_hashes = functools.cache(lambda: next(self._available()))

    def supports(self, params: ParamSet) -> bool:
        """Tell whether any of them knows this curve."""
        return self._somebody_knows(params)

    def hasher(self, algorithm: DigestAlgorithm) -> Hasher:
        """Return a new hasher."""
        return self._who_hashes().hasher(algorithm)

    def hash(self, algorithm: DigestAlgorithm, data: bytes) -> bytes:
        """Return the digest of octets that are all at hand."""
        return self._who_hashes().hash(algorithm, data)

    def generate(self, params: ParamSet) -> PrivateKey:
        """Return a new private key."""
        return self._who_knows(params).generate(params)

    def sign(self, key: PrivateKey, digest: bytes) -> bytes:
        """Sign a digest; see `Provider.sign`."""
        return self._who_knows(key.params).sign(key, digest)

    def verify(self, key: PublicKey, digest: bytes, signature: bytes) -> bool:
        """Tell whether a signature is good; see `Provider.verify`."""
        return self._who_knows(key.params).verify(key, digest, signature)

    def _supports(self, params: ParamSet) -> bool:
        return any(provider.supports(params) for provider in self._available())

    def _first_that_knows(self, params: ParamSet) -> Provider:
        for provider in self._available():
            if provider.supports(params):
                return provider
        raise UsageError(f"the providers {self.name} do not know {params.name}")

    def _available(self) -> Iterator[Provider]:
        *preferred, last = self._names
        yield from (
            found for name in preferred if not isinstance(found := _found(name), Unavailable)
        )
        yield _provider(last)


def _provider(name: str) -> Provider:
    found = _found(name)
    if isinstance(found, Unavailable):
        # A new one each time, because a raised one gathers tracebacks.
        raise Unavailable(found.what, found.install)
    return found


def _report(name: str) -> ProviderReport:
    found = _found(name)
    if isinstance(found, Unavailable):
        return ProviderReport(name=name, ok=False, reason=found.what, install=found.install)
    return ProviderReport(
        name=name,
        ok=True,
        digests=tuple(DigestAlgorithm),
        param_sets=tuple(filter(found.supports, PARAM_SETS)),
    )


# A machine doesn't change under a process. Two threads may load one provider twice, harmlessly;
# there is no lock that a fork could copy.
@functools.cache
def _found(name: str) -> Provider | Unavailable:
    """Load and test a provider, or tell what is wrong with it."""
    module, _, kind = _CLASSES[name].partition(":")
    try:
        provider: Provider = getattr(importlib.import_module(module), kind)()
    except Unavailable as error:
        return Unavailable(error.what, error.install)
    except Exception as error:  # noqa: BLE001  # an odd library must not take Python's own down
        return Unavailable(f"the GOST provider {name} ({error!r})", "a sound build of it")
    try:
        # Python's arithmetic is the same for all curves, and its tables take a while.
        self_test(provider, every_curve=name != "portable")
    except Unavailable as error:
        warnings.warn(str(error), ProviderRefused, stacklevel=2)
        return Unavailable(error.what, error.install)
    return provider
