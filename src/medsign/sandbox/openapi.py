"""OpenAPI 3.1 made from the routes, so that the contract has one source."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

import attrs

from medsign.codec.json import wire_name
from medsign.identifiers import Identifier
from medsign.sandbox.desk import routes_of
from medsign.sandbox.routing import JSON_TYPE, Call, Route, Service
from medsign.sandbox.world import World

Schema = dict[str, Any]

PROBLEM: Schema = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "code", "requestId"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "titleRu": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "requestId": {"type": "string"},
    },
}
_PRIMITIVES: Mapping[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    bytes: {"type": "string", "contentEncoding": "base64"},
    bytes | Path: {"type": "string", "contentEncoding": "base64"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
}


class Description(Service):
    """The service that describes all others.

    Args:
        world: The world.
        services: The services to describe.
    """

    name: ClassVar[str] = "openapi"
    base: ClassVar[str] = "/openapi.json"
    title: ClassVar[str] = "Описание API"
    steady: ClassVar[bool] = True

    def __init__(self, world: World, services: Sequence[Service]) -> None:
        super().__init__(world)
        self._services = services

    def routes(self) -> Sequence[Route[Any]]:
        """Return the operations."""
        return (
            Route(
                method="GET",
                path="",
                operation="openapi",
                handler=self._describe,
                public=True,
                summary="Описание OpenAPI 3.1",
            ),
        )

    def _describe(self, _: Call[None]) -> Schema:
        return describe(self._services, self.world.base_url)


def describe(services: Sequence[Service], base_url: str) -> Schema:
    """Return the OpenAPI 3.1 document of services."""
    schemas = _Schemas()
    paths: dict[str, Schema] = {}
    for service in services:
        for route in routes_of(service):
            path = paths.setdefault(service.base + route.path, {})
            path[route.method.lower()] = _operation(service, route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Песочница medsign", "version": "1"},
        "servers": [{"url": base_url}],
        "tags": [{"name": s.name, "description": s.title} for s in services],
        "paths": paths,
        "components": {
            "schemas": {"Problem": PROBLEM, **schemas.named},
            "securitySchemes": {s.name: _security(s) for s in services},
        },
    }


def _security(service: Service) -> Schema:
    if service.scheme == "Bearer":
        return {"type": "http", "scheme": "bearer"}
    return {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": f"{service.scheme} <token>",
    }


def _operation(service: Service, route: Route[Any], schemas: _Schemas) -> Schema:
    refusals = {*route.refusals, *(() if route.public else (401, 403))}
    refusals |= {400, 415} if route.accepts else set()
    refusals |= {409} if route.creating else set()
    parameters: list[Schema] = [_parameter(name, "path") for name in route.parameters]
    if route.creating:
        parameters.append(_parameter("Idempotency-Key", "header"))
    if route.listing:
        parameters += [_parameter("cursor", "query"), _parameter("limit", "query", "integer")]
    operation: Schema = {
        "operationId": route.operation,
        "summary": route.summary,
        "tags": [service.name],
        "parameters": parameters,
        "responses": {
            str(route.status): {"description": "Успех", **_content(route, schemas)},
            **{
                str(status): {
                    "description": "Отказ",
                    "content": _refusal(service, schemas),
                }
                for status in sorted(refusals)
            },
        },
        "security": [] if route.public else [{service.name: []}],
    }
    if route.accepts:
        operation["requestBody"] = {
            "required": True,
            "content": {route.consumes: {"schema": _body_schema(route.accepts, schemas)}},
        }
    return operation


def _refusal(service: Service, schemas: _Schemas) -> Schema:
    if service.refusal:
        return {JSON_TYPE: {"schema": schemas.of(service.refusal)}}
    return {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def _parameter(name: str, place: str, kind: str = "string") -> Schema:
    return {"name": name, "in": place, "required": place != "query", "schema": {"type": kind}}


def _content(route: Route[Any], schemas: _Schemas) -> Schema:
    if route.returns is None and route.produces == JSON_TYPE:
        return {}
    schema = _body_schema(route.returns or bytes, schemas)
    if route.listing:
        schema = {
            "type": "object",
            "required": ["items"],
            "properties": {
                "items": {"type": "array", "items": schema},
                "nextCursor": {"type": "string"},
            },
        }
    return {"content": {route.produces: {"schema": schema}}}


def _body_schema(kind: Any, schemas: _Schemas) -> Schema:
    return {"type": "string", "format": "binary"} if kind is bytes else schemas.of(kind)


class _Schemas:
    """JSON schemas of Python types; attrs classes are named once and referred to."""

    def __init__(self) -> None:
        self.named: dict[str, Schema] = {}
        self._kinds: dict[str, type[Any]] = {}

    def of(self, kind: Any) -> Schema:
        if kind in _PRIMITIVES:
            return _PRIMITIVES[kind]
        origin, arguments = get_origin(kind), get_args(kind)
        if origin in {types.UnionType, Union}:
            return self._union(arguments)
        if origin in {tuple, list, Sequence}:
            return {"type": "array", "items": self.of(arguments[0])}
        if origin in {dict, Mapping}:
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        if origin is Literal:
            return {"enum": list(arguments)}
        return self._class(kind)

    def _union(self, options: tuple[Any, ...]) -> Schema:
        present = [self.of(option) for option in options if option is not type(None)]
        nothing: list[Schema] = [{"type": "null"}] if type(None) in options else []
        whole = [*present, *nothing]
        return whole[0] if len(whole) == 1 else {"anyOf": whole}

    def _class(self, kind: Any) -> Schema:
        if not inspect.isclass(kind):
            return {}
        if issubclass(kind, Identifier):
            return {"type": "string", "title": kind.__name__}
        if issubclass(kind, Enum):
            return {"type": "string", "enum": [member.value for member in kind]}
        return self._object(kind) if attrs.has(kind) else {}

    def _object(self, kind: type[attrs.AttrsInstance]) -> Schema:
        name = kind.__name__
        if self._kinds.setdefault(name, kind) is not kind:
            name = kind.__module__.rpartition(".")[2].capitalize() + name
        if name not in self.named:
            self.named[name] = {}  # a class may refer to itself
            hints = get_type_hints(kind)
            fields = attrs.fields(kind)
            self.named[name] = {
                "type": "object",
                "description": (kind.__doc__ or "").partition("\n")[0],
                "properties": {wire_name(field): self.of(hints[field.name]) for field in fields},
                "required": [wire_name(f) for f in fields if f.default is attrs.NOTHING],
            }
        return {"$ref": f"#/components/schemas/{name}"}
