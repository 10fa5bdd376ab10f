from __future__ import annotations

import json
import re

import pytest

from medsign.sandbox import Sandbox


@pytest.fixture
def document(http, sandbox):
    return http.get(sandbox.base_url + "/openapi.json").json()


def references(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def operations(document):
    return [op for path in document["paths"].values() for op in path.values()]


@pytest.fixture(params=["two small services", "every service"])
def any_document(request, document):
    if request.param == "two small services":
        return document
    from medsign.sandbox.openapi import describe

    with Sandbox() as whole:
        return json.loads(json.dumps(describe(whole.services, whole.base_url)))


def test_every_reference_leads_somewhere(any_document):
    schemas = any_document["components"]["schemas"]
    lost = {r for r in references(any_document) if r.rpartition("/")[2] not in schemas}
    assert lost == set()


def test_operation_ids_are_unique(any_document):
    ids = [operation["operationId"] for operation in operations(any_document)]
    assert len(ids) == len(set(ids))


def test_every_operation_is_complete(any_document):
    assert any_document["openapi"] == "3.1.0"
    known = any_document["components"]["securitySchemes"]
    for operation in operations(any_document):
        assert operation["summary"]
        assert any(status.startswith("2") for status in operation["responses"])
        assert {name for need in operation["security"] for name in need} <= known.keys()


def test_path_parameters_are_declared(any_document):
    for path, item in any_document["paths"].items():
        for operation in item.values():
            declared = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
            assert declared == set(re.findall(r"{(\w+)}", path))


def test_a_creating_operation_asks_for_a_key(document):
    operation = document["paths"]["/post/letters"]["post"]
    assert [p["name"] for p in operation["parameters"]] == ["Idempotency-Key"]
    assert {"201", "400", "401", "403", "409", "415"} <= operation["responses"].keys()


def test_a_schema_follows_the_class(document):
    assert document["components"]["schemas"]["Letter"]["required"] == ["text"]
    assert document["components"]["schemas"]["Letter"]["properties"] == {
        "text": {"type": "string"},
        "pages": {"type": "integer"},
    }


def test_a_refusal_is_documented_in_the_form_in_which_it_comes():
    from medsign.sandbox.openapi import describe

    with Sandbox() as whole:
        paths = describe(whole.services, whole.base_url)["paths"]
    forms = {
        service: {
            kind
            for path, methods in paths.items()
            if path.startswith(service)
            for operation in methods.values()
            for status, response in operation["responses"].items()
            if int(status) >= 400
            for kind in response["content"]
        }
        for service in ("/mchd", "/ca")
    }
    assert forms == {"/mchd": {"application/json"}, "/ca": {"application/problem+json"}}
