"""Every service of the sandbox; a new one adds its line here."""

from __future__ import annotations

from collections.abc import Callable

from medsign.sandbox.ca import CaService
from medsign.sandbox.cryptopro import CryptoProService
from medsign.sandbox.ekp import EkpService
from medsign.sandbox.mchd import MchdRegistry
from medsign.sandbox.ocsp_tsp import OcspService, TspService
from medsign.sandbox.routing import Service
from medsign.sandbox.sep import SepService
from medsign.sandbox.world import World

SERVICES: tuple[Callable[[World], Service], ...] = (
    CaService,
    CryptoProService,
    OcspService,
    TspService,
    MchdRegistry,
    SepService,
    EkpService,
)
