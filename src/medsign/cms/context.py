"""The settings of the services that prove things about certificates and signatures."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from typing import Self

import attrs
import httpx

from medsign.codec.asn1 import Certificate
from medsign.exchange import Context
from medsign.gost import Provider
from medsign.pki.accredited import AccreditedList
from medsign.pki.cache import EvidenceCache
from medsign.pki.fetch import Fetcher, FollowUrls
from medsign.pki.trust import TrustStore


def _urls(addresses: Iterable[str | httpx.URL]) -> tuple[httpx.URL, ...]:
    return tuple(map(httpx.URL, addresses))


@attrs.frozen(kw_only=True)
class PkiContext(Context):
    """Settings of the services that prove things about certificates and signatures.

    What is the clinic's own, `auth` and `headers` and `judge`, goes to the origin of `base_url` and
    nowhere else (see `toward`). A service of time stamps that wants a password is that base.

    Attributes:
        trust: Whom to trust; by default nobody.
        intermediates: Certificates of authorities at hand.
        ocsp_url: Where to ask for the status of certificates, or ``None``.
        tsp_url: Where time stamps are given, or ``None``.
        crl_urls: Where revocation lists are; roots publish one and answer no OCSP.
        accredited: The list of accredited authorities, for whether signatures are qualified ones.
        follow: How far addresses in certificates are followed for what is missing; by default not
            at all, because whoever made a certificate chose the addresses in it.
        cache: Where what came from such addresses is kept while it is valid.
        provider: Who computes; by default `medsign.gost.default_provider`.
        entropy: Source of nonces.
    """

    trust: TrustStore = attrs.field(factory=TrustStore, repr=False)
    intermediates: tuple[Certificate, ...] = attrs.field(default=(), repr=False)
    ocsp_url: httpx.URL | None = attrs.field(
        default=None, converter=attrs.converters.optional(httpx.URL)
    )
    tsp_url: httpx.URL | None = attrs.field(
        default=None, converter=attrs.converters.optional(httpx.URL)
    )
    crl_urls: tuple[httpx.URL, ...] = attrs.field(default=(), converter=_urls)
    accredited: AccreditedList | None = attrs.field(default=None, repr=False)
    follow: FollowUrls | None = None
    cache: EvidenceCache = attrs.field(factory=EvidenceCache, repr=False)
    provider: Provider | None = attrs.field(default=None, repr=False)
    entropy: Callable[[int], bytes] = attrs.field(default=secrets.token_bytes, repr=False)

    def toward(self, url: httpx.URL) -> Self:
        """Return the settings for one address: to foreign origins nothing of the clinic goes.

        Services of status and of time belong to authorities, and whoever runs one, or listens to
        it over plain HTTP, would have the credentials that open the clinic's own service.
        """
        own = self.base_url
        if (url.scheme, url.netloc) == (own.scheme, own.netloc):
            return self
        return attrs.evolve(self, auth=None, headers={}, judge=None)

    def fetcher(self, at_hand: Iterable[Certificate]) -> Fetcher | None:
        """Return what follows addresses for one verification, ``None`` when that is off."""
        if self.follow is None:
            return None
        return Fetcher(
            context=self,
            follow=self.follow,
            cache=self.cache,
            entropy=self.entropy,
            trust=self.trust,
            pool=[*at_hand],
            provider=self.provider,
        )
