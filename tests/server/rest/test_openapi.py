"""The OpenAPI document: valid, whole, and what the server does."""

from __future__ import annotations

import json
from typing import Any

import pytest
import schemathesis
from jsonschema import Draft202012Validator
from starlette.requests import Request
from starlette.responses import Response

from antiphon_protocol import __version__
from antiphon_server.rest import openapi
from antiphon_server.rest.api import Api
from antiphon_server.rest.errors import IdempotencyKeyReuse
from antiphon_server.rest.operations import Operation
from rest_model import document, operations
from server.rest.rest_client import ask

OPERATIONS = [(path, method) for path, found in document()["paths"].items() for method in found]


def _described(path: str, method: str) -> Any:
    return document()["paths"][path][method]


async def _nothing(_request: Request) -> Response:
    return Response()


def test_the_document_is_valid_openapi() -> None:
    """By the schema of OpenAPI 3.1 that schemathesis has."""
    loaded = schemathesis.openapi.from_dict(document())
    loaded.validate()
    assert document()["openapi"] == "3.1.0"
    assert document()["info"]["version"] == __version__


@pytest.mark.parametrize("name", document()["components"]["schemas"])
def test_every_type_is_a_valid_json_schema(name: str) -> None:
    """2020-12, as OpenAPI 3.1 wants it, with a description."""
    schema = document()["components"]["schemas"][name]
    Draft202012Validator.check_schema(schema)
    assert schema["description"]


def test_every_operation_is_there_once() -> None:
    """Under a name of its own, for generated clients."""
    names = [_described(path, method)["operationId"] for path, method in OPERATIONS]
    assert len(set(names)) == len(names) == len(operations())
    assert {"post_agents", "get_agents_agent_id", "get_openapi"} <= set(names)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_an_operation_says_what_it_takes_and_answers(path: str, method: str) -> None:
    """Its names in the path, its success, our own failure, and who may not."""
    described = _described(path, method)
    in_path = {one["name"] for one in described.get("parameters", []) if one["in"] == "path"}
    assert in_path == {part[1:-1] for part in path.split("/") if part.startswith("{")}
    statuses = set(described["responses"])
    assert {"500", "503"} <= statuses
    assert statuses & {"200", "201", "204"}
    is_public = described.get("security") == []
    assert ("401" in statuses) == (not is_public and path != "/v1/token")
    if "requestBody" in described:
        assert {"400", "408", "413", "422"} <= statuses


def test_what_needs_no_key_is_two_addresses() -> None:
    """A signed link is one; the document itself has no secret."""
    found = {path for path, method in OPERATIONS if _described(path, method).get("security") == []}
    assert found == {"/v1/artifacts/{session_id}/{kind}", openapi.PATH}


def test_the_older_token_has_errors_of_its_own() -> None:
    """In FastAPI's shape (section 1.4), but for those that are not its own."""
    responses = _described("/v1/token", "get")["responses"]
    bodies = {
        status: response["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]
        for status, response in responses.items()
    }
    refused = dict.fromkeys(("403", "404", "422", "429"), "TokenRefused")
    assert bodies == {"200": "Token", "500": "ErrorBody", "503": "ErrorBody", **refused}


def test_a_body_that_may_be_absent_is_not_required() -> None:
    """Nor one of which every field may be."""
    assert not _described("/v1/tokens", "post")["requestBody"]["required"]
    content = _described("/v1/tokens", "post")["requestBody"]["content"]["application/json"]
    assert content["schema"]["anyOf"][1] == {"type": "null"}
    assert _described("/v1/agents", "post")["requestBody"]["required"]


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_an_example_is_one(path: str, method: str) -> None:
    """Of a body that is taken, and of an answer."""
    described = _described(path, method)
    contents = [described.get("requestBody", {}).get("content", {})]
    contents += [response.get("content", {}) for response in described["responses"].values()]
    for body in (one["application/json"] for one in contents if "application/json" in one):
        if "example" in body:
            schema = {**body["schema"], "components": document()["components"]}
            Draft202012Validator(schema).validate(body["example"])


def test_what_may_be_sent_again_takes_a_key_for_it() -> None:
    """Where something is created that another such request would create again."""
    taking = {
        (path, method)
        for path, method in OPERATIONS
        for one in _described(path, method).get("parameters", [])
        if one["name"] == "Idempotency-Key"
    }
    assert taking == {("/v1/agents", "post"), ("/v1/webhook-subscriptions", "post")}
    plain = Operation(method="POST", path="/x", handler=_nothing, summary="", tag="")
    assert not openapi.is_idempotent(plain)
    marked = Operation(
        method="POST",
        path="/x",
        handler=_nothing,
        summary="",
        tag="",
        errors=(IdempotencyKeyReuse,),
    )
    assert openapi.is_idempotent(marked)


async def test_the_server_serves_the_document_to_anybody() -> None:
    """The same that is committed; it describes its own address too."""
    got = await ask(Api(operations()), f"GET {openapi.PATH}", authorization=None)
    assert (got.status, got.headers["content-type"]) == (200, "application/json")
    assert got.body == json.loads(json.dumps(document()))
    assert openapi.PATH in got.body["paths"]


def test_errors_are_told_by_status() -> None:
    """One status may have several codes."""
    (create,) = (one for one in operations() if (one.method, one.path) == ("POST", "/v1/agents"))
    codes = {
        status: [kind.code for kind in kinds] for status, kinds in openapi.errors_of(create).items()
    }
    assert codes[400] == ["idempotency_key_invalid", "invalid_request"]
    assert codes[401] == ["missing_authorization", "unauthorized"]
    assert codes[422] == ["idempotency_key_reuse", "validation_error"]
