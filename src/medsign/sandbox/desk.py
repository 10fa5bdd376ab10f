"""The front desk: one request handler for all services, with the contract they share.

What every service of the house has in common stands here once: the door (tokens), the body's
type, ``Idempotency-Key``, pages, problem details, ``X-Request-Id`` and faults.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

import attrs

from medsign.codec import json
from medsign.errors import (
    BudgetExceeded,
    IllegalTransition,
    InvalidDocument,
    MalformedError,
    MedsignError,
)
from medsign.sandbox.faults import Fault, FaultKind
from medsign.sandbox.gateway import SandboxGateway
from medsign.sandbox.routing import Call, Problem, Reply, Request, Route, Service
from medsign.sandbox.world import World

MAX_PAGE = 100


_REFUSALS: Mapping[type[MedsignError], tuple[int, str, str, str]] = {
    BudgetExceeded: (413, "too-large", "The request is too large", "Слишком большой запрос"),
    IllegalTransition: (
        409,
        "illegal-transition",
        "Not allowed in the present state",
        "Действие невозможно в текущем состоянии",
    ),
    InvalidDocument: (
        422,
        "document-invalid",
        "The document breaks its rules",
        "Документ заполнен неверно",
    ),
    MalformedError: (
        400,
        "malformed-request",
        "The request is malformed",
        "Запрос составлен неверно",
    ),
    MedsignError: (
        422,
        "request-refused",
        "The request makes no sense",
        "Запрос составлен неверно",
    ),
}


@attrs.frozen
class Delivery:
    """What became of a request.

    Attributes:
        reply: The answer, or ``None`` when the request was not carried out and gets none.
        fault: What happens on the way, or ``None``.
    """

    reply: Reply | None
    fault: Fault | None = None


@attrs.frozen(kw_only=True)
class Operation:
    """A creating call that was carried out: what was asked and what was answered."""

    fingerprint: str
    status: int
    headers: dict[str, str]
    body: bytes = attrs.field(repr=False)

    def replay(self) -> Reply:
        """Return the original reply, marked as a replay."""
        return Reply(self.status, {**self.headers, "Idempotent-Replay": "true"}, self.body)


@attrs.frozen
class _Place:
    """Where a request belongs."""

    service: Service
    route: Route[Any]
    parameters: dict[str, str]


class FrontDesk:
    """Receives requests one at a time and gives them to services.

    Args:
        world: The world of the services.
        services: Who answers below which path.
        gateway: Who checks signed requests.
    """

    def __init__(
        self, world: World, services: Iterable[Service], *, gateway: SandboxGateway
    ) -> None:
        self._gateway = gateway
        self._world = world
        self._lock = threading.RLock()
        self.services = tuple(services)
        self.routes = {service: routes_of(service) for service in self.services}

    def deliver(self, request: Request) -> Delivery:
        """Carry out a request and say what a client gets of it, faults included."""
        with self._lock:
            request_id = request.headers.get("x-request-id") or self._world.new_id()
            believed = False
            service = self._service(request.path)
            refuse = service.refuse if service else Problem.reply
            try:
                place = self._place(service, request)
                believed = self._admit(place, request)
                fault = self._fault(place, request)
                if fault and not fault.kind.carried_out:
                    if fault.kind is not FaultKind.STATUS:
                        return Delivery(None, fault)
                    raise _staged(fault)
                with self._world.shelf.transaction():
                    reply = _named(self._carry_out(place, request), request_id)
            except Problem as problem:
                fault, reply = None, _named(refuse(problem, request_id), request_id)
            except MedsignError as error:
                fault, reply = None, _named(refuse(_as_problem(error), request_id), request_id)
            return Delivery(self._gateway.sign(reply, request) if believed else reply, fault)

    def _admit(self, place: _Place, request: Request) -> bool:
        # Kept even when the request itself is refused: a nonce is spent by being seen.
        with self._world.shelf.transaction():
            open_to_all = place.service.steady or place.route.public
            return self._gateway.admit(request, open_to_all=open_to_all)

    def _service(self, path: str) -> Service | None:
        return next(
            (s for s in self.services if path == s.base or path.startswith(f"{s.base}/")), None
        )

    def _place(self, service: Service | None, request: Request) -> _Place:
        if service:
            below = request.path.removeprefix(service.base)
            matches = [
                (r, found) for r in self.routes[service] if (found := r.pattern.fullmatch(below))
            ]
            for route, found in matches:
                if route.method == request.method:
                    return _Place(service, route, found.groupdict())
            if matches:
                allowed = ", ".join(sorted({route.method for route, _ in matches}))
                raise Problem(
                    405,
                    "method-not-allowed",
                    "Method not allowed",
                    "Метод не поддерживается",
                    headers={"Allow": allowed},
                )
        raise Problem(404, "path-not-found", "No such path", "Нет такого адреса")

    def _fault(self, place: _Place, request: Request) -> Fault | None:
        if place.service.steady:
            return None
        return self._world.faults.strike(place.route.operation, request.path)

    def _carry_out(self, place: _Place, request: Request) -> Reply:
        caller = "" if place.route.public else self._authorise(place.service, request)
        if place.route.creating:
            return self._once(place, request, caller)
        return self._perform(place, request, caller)

    def _authorise(self, service: Service, request: Request) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme == service.scheme and (owner := self._world.tokens.owner(service.name, token)):
            return owner
        if scheme == service.scheme and self._world.tokens.known_elsewhere(service.name, token):
            raise Problem(403, "forbidden", "The token is of another service", "Нет доступа")
        raise Problem(
            401,
            "unauthorised",
            "Unknown token",
            "Токен не указан или неизвестен",
            headers={"WWW-Authenticate": service.scheme},
        )

    def _once(self, place: _Place, request: Request, caller: str) -> Reply:
        key = request.headers.get("idempotency-key")
        if not key:
            raise Problem(
                400,
                "idempotency-key-missing",
                "Idempotency-Key is required",
                "Не указан ключ операции",
            )
        done = self._world.drawer(f"operations.{place.service.name}", Operation)
        fingerprint = hashlib.sha256(
            b"\n".join([request.method.encode(), request.path.encode(), request.body])
        ).hexdigest()
        if known := done.get(_under(caller, key)):
            if known.fingerprint != fingerprint:
                raise Problem(
                    409,
                    "idempotency-key-reused",
                    "The key was used for another request",
                    "Ключ операции уже использован для другого запроса",
                )
            return known.replay()
        reply = self._perform(place, request, caller)
        # Only what was carried out is kept: a refusal changed nothing, so a repeat is judged anew.
        if reply.status < 300:
            operation = Operation(
                fingerprint=fingerprint,
                status=reply.status,
                headers=dict(reply.headers),
                body=reply.body,
            )
            done.put(_under(caller, key), operation)
        return reply

    def _perform(self, place: _Place, request: Request, caller: str) -> Reply:
        route = place.route
        call = Call(
            request=request,
            world=self._world,
            parameters=place.parameters,
            body=_body(route, request),
            caller=caller,
        )
        result = route.handler(call)
        if isinstance(result, Reply):
            return result
        if route.listing:
            result = _page(list(result), request)
        return Reply.of(result, route.status, route.produces)


def routes_of(service: Service) -> Sequence[Route[Any]]:
    """Return the operations of a service, with the question of what became of a creating call."""
    own = service.routes()
    if not any(route.creating for route in own):
        return own
    return (
        *own,
        Route(
            method="GET",
            path="/operations/{key}",
            operation=f"{service.name}.operation",
            handler=partial(_recall, service.name),
            summary="Исходный ответ на создающий запрос",
            refusals=(404,),
        ),
    )


def _under(caller: str, key: str) -> str:
    # Both may hold spaces, and neither a line end: no clinic meets the operations of another.
    return f"{caller}\n{key}"


def _recall(service: str, call: Call[None]) -> Reply:
    done = call.world.drawer(f"operations.{service}", Operation)
    if operation := done.get(_under(call.caller, call["key"])):
        return operation.replay()
    raise Problem(
        404,
        "operation-not-found",
        "No operation was carried out under this key",
        "Операция с таким ключом не выполнялась",
    )


def _body(route: Route[Any], request: Request) -> Any:
    if route.accepts is None:
        return None
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != route.consumes:
        raise Problem(
            415,
            "media-type-unsupported",
            f"Content-Type must be {route.consumes}",
            "Неверный тип содержимого запроса",
        )
    if route.accepts is bytes:
        return request.body
    return json.decode(route.accepts, request.body, what="request body")


def _page(items: Sequence[tuple[str, object]], request: Request) -> dict[str, object]:
    bad = Problem(400, "page-invalid", "Unknown cursor or bad limit", "Неверные параметры страницы")
    cursor = request.query.get("cursor")
    try:
        limit = min(int(request.query.get("limit", MAX_PAGE)), MAX_PAGE)
        start = 0 if cursor is None else [key for key, _ in items].index(cursor) + 1
    except ValueError:
        raise bad from None
    if limit < 1:
        raise bad
    page = list(islice(items, start, start + limit))
    more = start + limit < len(items)
    return {
        "items": [item for _, item in page],
        **({"nextCursor": page[-1][0]} if more else {}),
    }


def _named(reply: Reply, request_id: str) -> Reply:
    return attrs.evolve(reply, headers={**reply.headers, "X-Request-Id": request_id})


def _staged(fault: Fault) -> Problem:
    wait = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return Problem(
        fault.status, "staged-fault", "A fault on purpose", "Учебный отказ", headers=wait
    )


def _as_problem(error: MedsignError) -> Problem:
    told = next(told for kind, told in _REFUSALS.items() if isinstance(error, kind))
    # What is too large is not worth a word on where.
    detail = None if isinstance(error, BudgetExceeded) else str(error)
    return Problem(*told, detail=detail)
