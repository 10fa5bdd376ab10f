"""Levers of the world under ``/_sandbox``: time, faults, tokens, what was sent to people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import attrs

from medsign.sandbox.faults import Fault
from medsign.sandbox.routing import Call, Problem, Route, Service
from medsign.sandbox.world import Message, World


@attrs.frozen
class Moment:
    """The world's time."""

    now: datetime


@attrs.frozen
class Step:
    """How far to move time, in seconds."""

    seconds: float


class Control(Service):
    """The tester's service; it needs no token and no fault strikes it.

    Args:
        world: The world it moves.
        services: The services it tells about.
    """

    name: ClassVar[str] = "sandbox"
    base: ClassVar[str] = "/_sandbox"
    title: ClassVar[str] = "Управление песочницей"
    steady: ClassVar[bool] = True

    def __init__(self, world: World, services: Sequence[Service]) -> None:
        super().__init__(world)
        self._services = services

    def routes(self) -> Sequence[Route[Any]]:
        """Return the operations."""
        return (
            Route(
                method="GET",
                path="/clock",
                operation="sandbox.clock.get",
                public=True,
                handler=self._moment,
                returns=Moment,
                summary="Текущее время песочницы",
            ),
            Route(
                method="PUT",
                path="/clock",
                operation="sandbox.clock.set",
                public=True,
                handler=self._set,
                accepts=Moment,
                returns=Moment,
                summary="Установить время",
            ),
            Route(
                method="POST",
                path="/clock/advance",
                operation="sandbox.clock.advance",
                handler=self._advance,
                accepts=Step,
                returns=Moment,
                public=True,
                summary="Перевести время вперёд",
            ),
            Route(
                method="GET",
                path="/faults",
                operation="sandbox.fault.list",
                public=True,
                handler=self._faults,
                returns=Fault,
                listing=True,
                summary="План отказов",
            ),
            Route(
                method="POST",
                path="/faults",
                operation="sandbox.fault.add",
                public=True,
                handler=self._add_fault,
                accepts=Fault,
                returns=Fault,
                status=201,
                summary="Запланировать отказ",
            ),
            Route(
                method="DELETE",
                path="/faults",
                operation="sandbox.fault.clear",
                public=True,
                handler=self._clear_faults,
                status=204,
                summary="Очистить план отказов",
            ),
            Route(
                method="GET",
                path="/outbox",
                operation="sandbox.outbox",
                public=True,
                handler=self._outbox,
                returns=Message,
                listing=True,
                summary="Сообщения, отправленные людям",
            ),
            Route(
                method="GET",
                path="/world",
                operation="sandbox.world",
                public=True,
                handler=self._world,
                summary="Адреса, токены и подсказки служб",
            ),
        )

    def _moment(self, _: Call[None]) -> Moment:
        return Moment(self.world.clock.now())

    def _set(self, call: Call[Moment]) -> Moment:
        self.world.clock.set(call.body.now)
        return Moment(self.world.clock.now())

    def _advance(self, call: Call[Step]) -> Moment:
        self.world.clock.advance(timedelta(seconds=call.body.seconds))
        return Moment(self.world.clock.now())

    def _faults(self, _: Call[None]) -> Sequence[tuple[str, Fault]]:
        return [(str(number), fault) for number, fault in enumerate(self.world.faults.planned())]

    def _add_fault(self, call: Call[Fault]) -> Fault:
        if call.body.times < 1:
            raise Problem(422, "fault-invalid", "times must be positive", "Неверное число отказов")
        self.world.faults.add(call.body)
        return call.body

    def _clear_faults(self, _: Call[None]) -> None:
        self.world.faults.clear()

    def _outbox(self, _: Call[None]) -> Sequence[tuple[str, Message]]:
        return [(str(number), message) for number, message in enumerate(self.world.outbox())]

    def _world(self, _: Call[None]) -> dict[str, Any]:
        return {
            "services": {
                service.name: {
                    "title": service.title,
                    "url": self.world.base_url + service.base,
                    "scheme": service.scheme,
                    "tokens": list(self.world.tokens.of(service.name)),
                    **service.about(),
                }
                for service in self._services
            }
        }
