"""Verifications that need not be done again."""

from __future__ import annotations

import functools
from collections.abc import Callable

from medsign.gost.keys import PublicKey
from medsign.gost.provider import Provider


def verify_once(provider: Provider, key: PublicKey, digest: bytes, signature: bytes) -> bool:
    """Tell whether a signature is good, as `Provider.verify` does, if it was not asked just now.

    Two chains lead through one authority, and every document of a day through the same few. The
    outcome is a pure function of key, digest and signature, and all three are compared in full, so
    it can stand for the next time. What one provider found is no answer of another one, and nothing
    that is secret is kept.

    Raises:
        UsageError: The digest has another length, or the curve is not supported.
    """
    return _verified(provider.verify, key, digest, signature)


# lru_cache holds no Python lock, so a fork can't copy a locked one. Each of the outcomes takes less
# than a kilobyte. A bound method is known by the very object that it is bound to, which stays alive
# as long as the outcome does; errors are not kept.
@functools.lru_cache(maxsize=1024)
def _verified(
    verify: Callable[[PublicKey, bytes, bytes], bool],
    key: PublicKey,
    digest: bytes,
    signature: bytes,
) -> bool:
    return verify(key, digest, signature)
