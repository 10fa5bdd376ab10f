"""The services that vouch: OCSP and time stamps, each at its own path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from medsign.sandbox.pki import Pki
from medsign.sandbox.routing import Call, Route, Service
from medsign.sandbox.world import World


class OcspService(Service):
    """Status of certificates on line (RFC 6960)."""

    name: ClassVar[str] = "ocsp"
    base: ClassVar[str] = "/ocsp"
    title: ClassVar[str] = "Служба OCSP"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._pki = world.part(Pki)

    def routes(self) -> Sequence[Route[Any]]:
        """Return the operations."""
        return (
            Route(
                method="POST",
                path="",
                operation="ocsp.ask",
                handler=self._answer,
                accepts=bytes,
                public=True,
                consumes="application/ocsp-request",
                produces="application/ocsp-response",
                summary="Статус сертификатов",
            ),
        )

    def _answer(self, call: Call[bytes]) -> bytes:
        return self._pki.answer_ocsp(call.body)


class TspService(Service):
    """Time stamps (RFC 3161)."""

    name: ClassVar[str] = "tsp"
    base: ClassVar[str] = "/tsp"
    title: ClassVar[str] = "Служба штампов времени"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._pki = world.part(Pki)

    def routes(self) -> Sequence[Route[Any]]:
        """Return the operations."""
        return (
            Route(
                method="POST",
                path="",
                operation="tsp.stamp",
                handler=self._answer,
                accepts=bytes,
                public=True,
                consumes="application/timestamp-query",
                produces="application/timestamp-reply",
                summary="Штамп времени",
            ),
        )

    def _answer(self, call: Call[bytes]) -> bytes:
        return self._pki.answer_timestamp(call.body)
