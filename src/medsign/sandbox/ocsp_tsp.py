"""The services that vouch: OCSP and time stamps, each at its own path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from medsign.sandbox.pki import Pki
from medsign.sandbox.routing import Call, Route, Service
from medsign.sandbox.world import World


class _Vouching(Service):
    """Answers DER with DER, to everybody; the answer is signed.

    Attributes:
        operation: The name of its one operation.
        summary: What it does, in Russian.
        media: Types of the question and of the answer.
    """

    operation: ClassVar[str]
    summary: ClassVar[str]
    media: ClassVar[tuple[str, str]]

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._pki = world.part(Pki)

    def routes(self) -> Sequence[Route[Any]]:
        """Return the operations."""
        asked, answered = self.media
        return (
            Route(
                method="POST",
                path="",
                operation=self.operation,
                handler=self.answer,
                accepts=bytes,
                public=True,
                consumes=asked,
                produces=answered,
                summary=self.summary,
            ),
        )

    def answer(self, call: Call[bytes]) -> bytes:
        """Return DER of the answer."""
        raise NotImplementedError


class OcspService(_Vouching):
    """Status of certificates on line (RFC 6960)."""

    name, base, title = "ocsp", "/ocsp", "Служба OCSP"
    operation, summary = "ocsp.ask", "Статус сертификатов"
    media = ("application/ocsp-request", "application/ocsp-response")

    def answer(self, call: Call[bytes]) -> bytes:
        return self._pki.answer_ocsp(call.body)


class TspService(_Vouching):
    """Time stamps (RFC 3161)."""

    name, base, title = "tsp", "/tsp", "Служба штампов времени"
    operation, summary = "tsp.stamp", "Штамп времени"
    media = ("application/timestamp-query", "application/timestamp-reply")

    def answer(self, call: Call[bytes]) -> bytes:
        return self._pki.answer_timestamp(call.body)
