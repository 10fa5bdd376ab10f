from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs
import httpx
import pytest

from medsign.clock import ManualClock
from medsign.sandbox import Call, Problem, Route, Sandbox, Service

NOON = datetime(2026, 7, 1, 9, tzinfo=UTC)


@attrs.frozen
class Letter:
    text: str
    pages: int = 1


class Post(Service):
    name = "post"
    base = "/post"
    title = "Почта"

    def routes(self) -> Sequence[Route[Any]]:
        return (
            Route(
                method="POST",
                path="/letters",
                operation=f"{self.name}.letter.create",
                handler=self._create,
                accepts=Letter,
                returns=Letter,
                status=201,
                creating=True,
                summary="Отправить письмо",
            ),
            Route(
                method="GET",
                path="/letters",
                operation=f"{self.name}.letter.list",
                handler=lambda _: self.letters().items(),
                returns=Letter,
                listing=True,
                summary="Письма",
            ),
        )

    def letters(self):
        return self.world.drawer("letters", Letter)

    def _create(self, call: Call[Letter]) -> Letter:
        self.letters().put(self.world.new_id(), call.body)
        if call.body.pages > 9:
            raise Problem(422, "too-thick", "Too many pages", "Слишком много страниц")
        return call.body


class Telegraph(Post):
    name = "telegraph"
    base = "/telegraph"
    scheme = "N3"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox([Post, Telegraph], clock=ManualClock(NOON)) as sandbox:
        yield sandbox


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    endpoint = sandbox.endpoint("post")
    with httpx.Client(
        transport=sandbox.transport(),
        base_url=endpoint.url,
        headers={"Authorization": f"Bearer {endpoint.token}"},
    ) as client:
        yield client
