"""The gateway before the services: it checks signed requests and signs what it answers to them."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import attrs

from medsign.ca.status import CertificateState
from medsign.codec.asn1 import Certificate
from medsign.errors import NotAuthentic
from medsign.sandbox.pki import Pki
from medsign.sandbox.routing import Problem, Reply, Request
from medsign.sandbox.world import World
from medsign.signers.gateway import SKEW, HttpMessage, sign_message, verify_message
from medsign.signers.nonces import NonceMemory

_RUSSIAN = {
    "missing": "Запрос не подписан",
    "time": "Часы отправителя расходятся с часами шлюза",
    "key": "Сертификат подписи запроса не действует",
    "replay": "Запрос с этой подписью уже был",
}


class SandboxGateway:
    """Whose requests come in, and in whose name answers go out.

    Args:
        world: The world.
        required: Whether an unsigned request is refused; a signed one is checked in any case.
    """

    def __init__(self, world: World, *, required: bool) -> None:
        self.required = required
        self._world = world
        self._pki = world.part(Pki)
        self._nonces = NonceMemory()
        self._seen = world.clock.now()

    def admit(self, request: Request, *, open_to_all: bool) -> bool:
        """Let a request in; an unsigned one where that is allowed.

        Args:
            request: As it came.
            open_to_all: Whether its place is one that needs no signature.

        Returns:
            Whether it is signed, so that its one answer must be signed as well.

        Raises:
            Problem: The signature is missing, does not hold, is old or was here before.
        """
        needed = self.required and not open_to_all
        if not needed and "signature-input" not in request.headers:
            return False
        now = self._world.clock.now()
        if self._seen - now > 2 * SKEW:  # a tester has set it back: it never was so late
            self._nonces = NonceMemory()
        self._seen = now
        try:
            self._nonces.spend(verify_message(_message(request), self._client, at=now))
        except NotAuthentic as error:
            title = _RUSSIAN.get(error.reason, "Подпись запроса неверна")
            raise Problem(401, f"signature-{error.reason}", str(error), title) from error
        return True

    def sign(self, reply: Reply, request: Request) -> Reply:
        """Return the reply to a request that was let in by its signature, signed.

        A refusal by the service is signed too: otherwise anybody on the way could refuse. What was
        not let in gets no signed answer: whoever sends a request once more, or spoils a copy of
        it, could pass the refusal off as the answer to the one that was carried out.
        """
        headers = {name.lower(): value for name, value in reply.headers.items()}
        message = HttpMessage(
            status=reply.status, headers=headers, body=reply.body, request=_message(request)
        )
        nonce = urlsafe_b64encode(self._world.entropy(16)).decode()
        now = self._world.clock.now()
        fields = sign_message(message, self._pki.gateway, at=now, nonce=nonce)
        return attrs.evolve(reply, headers={**headers, **fields})

    def _client(self, key_id: str) -> Certificate | None:
        issued = self._pki.of_fingerprint(key_id)
        active = issued and issued.state_at(self._world.clock.now()) is CertificateState.ACTIVE
        return issued.certificate if issued and active else None


def _message(request: Request) -> HttpMessage:
    return HttpMessage(
        method=request.method, target=request.target, headers=request.headers, body=request.body
    )
