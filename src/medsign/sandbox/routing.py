"""What a service of the sandbox is made of: requests, replies, routes, refusals."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar
from urllib.parse import parse_qsl

import attrs

from medsign.codec import json
from medsign.sandbox.world import World

B = TypeVar("B")

JSON_TYPE = "application/json"


def _lower_names(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@attrs.frozen(kw_only=True)
class Request:
    """An HTTP request as it reached the sandbox.

    Attributes:
        method: In capital letters.
        path: Decoded path from the root of the sandbox, for instance ``/ca/requests``.
        query: Query parameters; of several values of one name the last.
        headers: Header fields by lower-case name.
        body: The whole body; may hold personal data.
        target: The absolute URL as the client wrote it.
    """

    method: str
    path: str
    query: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    headers: Mapping[str, str] = attrs.field(
        factory=dict[str, str], converter=_lower_names, repr=False
    )
    body: bytes = attrs.field(default=b"", repr=False)
    target: str = attrs.field(default="", repr=False)

    def form(self) -> dict[str, str]:
        """Return the fields of an ``application/x-www-form-urlencoded`` body."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@attrs.frozen
class Reply:
    """An HTTP reply before faults touch it; names of header fields are free in letter case."""

    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    body: bytes = attrs.field(default=b"", repr=False)

    @classmethod
    def of(cls, value: object, status: int = 200, media: str = JSON_TYPE) -> Reply:
        """Return a reply with a value: octets as they are, ``None`` empty, the rest as JSON."""
        match value:
            case None:
                return cls(status)
            case bytes():
                return cls(status, {"Content-Type": media}, value)
            case _:
                return cls(status, {"Content-Type": media}, json.encode(value))


class Problem(Exception):
    """A refusal, told to the client as RFC 9457 problem details.

    Raise it in a handler: nothing that the handler changed is kept.

    Args:
        status: HTTP status.
        code: Stable code for programs: ``document-missing``.
        title: Short English text without personal data.
        title_ru: The same for staff, in Russian.
        detail: Particulars of this occurrence, without personal data.
        headers: Header fields to add, for instance ``Retry-After``.
    """

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        title_ru: str,
        *,
        detail: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.title = title
        self.title_ru = title_ru
        self.detail = detail
        self.headers = headers or {}

    def reply(self, request_id: str) -> Reply:
        """Return the refusal in the house's form."""
        body = {
            "type": f"urn:medsign:problem:{self.code}",
            "title": self.title,
            "titleRu": self.title_ru,
            "status": self.status,
            "code": self.code,
            "requestId": request_id,
            **({"detail": self.detail} if self.detail else {}),
        }
        return Reply(
            self.status,
            {"Content-Type": "application/problem+json", **self.headers},
            json.encode(body),
        )


@attrs.frozen(kw_only=True)
class Call(Generic[B]):
    """A request that has found its route and passed its door.

    Attributes:
        request: As it came.
        world: The sandbox's world.
        parameters: Path parameters by name.
        body: The body, read as the route's `accepts` says; ``None`` for a route without one.
        caller: Owner of the token, or an empty string on a public route.
    """

    request: Request
    world: World
    parameters: Mapping[str, str]
    body: B = attrs.field(repr=False)
    caller: str = ""

    def __getitem__(self, parameter: str) -> str:
        return self.parameters[parameter]


@attrs.frozen(kw_only=True)
class Route(Generic[B]):
    """One operation of a service.

    Args:
        method: HTTP method.
        path: Below the service's base, with parameters in braces: ``/requests/{id}``.
        operation: Unique id of the operation, with the service's name: ``ca.request.create``.
        handler: What carries it out. It returns a value for the body (an attrs class, octets, a
            dict, ``None``), or a whole `Reply`, or for a `listing` pairs of a key and an element.
        summary: One line for the documentation, in Russian.
        accepts: Type of the body: a type for `medsign.codec.json`, or `bytes` for raw octets.
        returns: Type of the reply's body, for the documentation; of an element for a `listing`.
        status: HTTP status of success.
        creating: The caller must send ``Idempotency-Key``.
        listing: The core cuts pages by ``?cursor=&limit=``.
        public: No token is asked for.
        consumes: Media type of the request's body.
        produces: Media type of the reply's body.
        refusals: Statuses of refusals that the operation has beside those that all have.
    """

    method: str
    path: str
    operation: str
    handler: Callable[[Call[B]], Any]
    summary: str
    accepts: type[B] | None = None
    returns: Any = None
    status: int = 200
    creating: bool = False
    listing: bool = False
    public: bool = False
    consumes: str = JSON_TYPE
    produces: str = JSON_TYPE
    refusals: tuple[int, ...] = ()
    pattern: re.Pattern[str] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        parts = re.split(r"\{(\w+)\}", self.path)
        pattern = "".join(
            f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part)
            for index, part in enumerate(parts)
        )
        object.__setattr__(self, "pattern", re.compile(pattern))

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the path's parameters, in order."""
        return tuple(self.pattern.groupindex)


class Service:
    """A remote system that the sandbox stands in for; subclass it.

    Attributes:
        name: The name of its tokens and the tag of its operations: ``ca``.
        base: Path of its root: ``/ca``.
        title: Name for people, in Russian.
        scheme: Scheme of ``Authorization``: ``Bearer``, ``N3``.
        steady: No fault strikes it.
        refusal: Type of its refusals' JSON body where it has a form of its own; ``None`` for the
            problem details of RFC 9457.

    Args:
        world: What the service lives in.
    """

    name: ClassVar[str]
    base: ClassVar[str]
    title: ClassVar[str]
    scheme: ClassVar[str] = "Bearer"
    steady: ClassVar[bool] = False
    refusal: ClassVar[type[Any] | None] = None

    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self) -> Sequence[Route[Any]]:
        """Return the operations."""
        raise NotImplementedError

    def refuse(self, problem: Problem, request_id: str) -> Reply:
        """Return a refusal in the service's own form; the house's form unless overridden."""
        return problem.reply(request_id)

    def about(self) -> Mapping[str, Any]:
        """Return what a tester should know of the service: links, sample persons, as JSON."""
        return {}
