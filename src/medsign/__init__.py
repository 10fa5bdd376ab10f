"""medsign: one window over certificates, powers of attorney and signatures of a clinic.

    from medsign import Config, MedSign

The names below are imported when they are first used, so that ``import medsign`` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medsign.client import AsyncMedSign as AsyncMedSign
    from medsign.client import MedSign as MedSign
    from medsign.client import watched as watched
    from medsign.cms import Indication as Indication
    from medsign.cms import Report as Report
    from medsign.config import Config as Config
    from medsign.config import Endpoint as Endpoint
    from medsign.errors import ApiError as ApiError
    from medsign.errors import MalformedError as MalformedError
    from medsign.errors import MedsignError as MedsignError
    from medsign.errors import OutcomeUnknown as OutcomeUnknown
    from medsign.errors import TransportError as TransportError
    from medsign.errors import UsageError as UsageError
    from medsign.pki.trust import TrustStore as TrustStore
    from medsign.signers import SoftwareKey as SoftwareKey
    from medsign.signers import SoftwareSigner as SoftwareSigner

_HOMES = {
    "ApiError": "medsign.errors",
    "AsyncMedSign": "medsign.client",
    "Config": "medsign.config",
    "Endpoint": "medsign.config",
    "Indication": "medsign.cms",
    "MalformedError": "medsign.errors",
    "MedSign": "medsign.client",
    "MedsignError": "medsign.errors",
    "OutcomeUnknown": "medsign.errors",
    "Report": "medsign.cms",
    "SoftwareKey": "medsign.signers",
    "SoftwareSigner": "medsign.signers",
    "TransportError": "medsign.errors",
    "TrustStore": "medsign.pki.trust",
    "UsageError": "medsign.errors",
    "watched": "medsign.client",
}

__all__ = [
    "ApiError",
    "AsyncMedSign",
    "Config",
    "Endpoint",
    "Indication",
    "MalformedError",
    "MedSign",
    "MedsignError",
    "OutcomeUnknown",
    "Report",
    "SoftwareKey",
    "SoftwareSigner",
    "TransportError",
    "TrustStore",
    "UsageError",
    "watched",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("medsign")
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module 'medsign' has no attribute {name!r}") from None
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
