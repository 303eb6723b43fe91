"""The REST API as an OpenAPI 3.1 document, made from its operations and their types."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from antiphon_protocol import __version__
from antiphon_protocol.json_schema import Schema, markdown
from antiphon_protocol.rest import ErrorBody
from antiphon_server.rest.answers import encoded
from antiphon_server.rest.errors import (
    Broken,
    Forbidden,
    IdempotencyKeyReuse,
    Invalid,
    InvalidRequest,
    MissingAuthorization,
    RestError,
    TooLarge,
    TooSlow,
    Unavailable,
    UnknownKey,
)
from antiphon_server.rest.openapi_examples import EXAMPLES
from antiphon_server.rest.openapi_schemas import REF, components
from antiphon_server.rest.operations import Operation, Parameter

PATH = "/v1/openapi.json"

_NAME = re.compile(r"\{(\w+)\}")
ALWAYS: tuple[type[RestError], ...] = (Broken, Unavailable)
"""What every operation may answer."""
WITH_A_KEY: tuple[type[RestError], ...] = (MissingAuthorization, UnknownKey, Forbidden)
"""What every one that needs a key may answer."""
WITH_A_BODY: tuple[type[RestError], ...] = (InvalidRequest, TooSlow, TooLarge, Invalid)
"""What every one that takes a body may answer."""
_ABOUT = """\
The resources of an Antiphon server: tokens, agents, sessions, webhooks, usage. Errors are in one
envelope, `ErrorBody`; lists are newest first and go on at `response_metadata.next_cursor`. A
server without keys, in development, needs no credential."""
_REQUEST_ID = {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}


def itself(operations: tuple[Operation, ...]) -> Operation:
    """The operation that serves the document of these operations and itself."""

    async def get(_request: Request) -> Response:
        return encoded(body, 200)

    served = Operation(
        method="GET", path=PATH, handler=get, tag="About", public=True,
        summary="Read this document", media=("application/json",),
    )  # fmt: skip
    body = msgspec.json.encode(document((*operations, served)))
    return served


def document(operations: Iterable[Operation]) -> Schema:
    """The document. Every schema in it is a JSON Schema 2020-12."""
    every = tuple(operations)
    paths: dict[str, Schema] = {}
    for operation in every:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    taken = {operation.takes for operation in every if operation.takes is not None}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Antiphon", "version": __version__, "description": _ABOUT},
        "security": [{"key": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in every)],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key in `Authorization`, with or without `Bearer`.",
                }
            },
            "headers": {
                "X-Request-Id": {
                    "description": "Names this request in the server's log.",
                    "schema": {"type": "string"},
                }
            },
            "schemas": components(taken, {ErrorBody, *_answered(every)}),
        },
    }


def errors_of(operation: Operation) -> dict[int, tuple[type[RestError], ...]]:
    """The errors in the envelope that an operation may answer, by status."""
    kinds = [*operation.errors, *ALWAYS]
    if not operation.public and not operation.refusals:
        kinds += WITH_A_KEY
    if operation.takes is not None:
        kinds += WITH_A_BODY
    by_status: dict[int, tuple[type[RestError], ...]] = {}
    for kind in sorted(dict.fromkeys(kinds), key=lambda kind: (kind.status, kind.code)):
        by_status[kind.status] = (*by_status.get(kind.status, ()), kind)
    return by_status


def operation_id(operation: Operation) -> str:
    """A name for generated clients: ``get_agents_agent_id``."""
    words = re.findall(r"\w+", operation.path.removeprefix("/v1"))
    return "_".join([operation.method.lower(), *words]).replace("openapi_json", "openapi")


def is_idempotent(operation: Operation) -> bool:
    """Whether it takes an ``Idempotency-Key``."""
    return IdempotencyKeyReuse in operation.errors


def _answered(operations: Iterable[Operation]) -> Iterator[type[Struct]]:
    for operation in operations:
        if operation.answers is not None:
            yield operation.answers
        yield from (kind for _, kind in operation.refusals)


def _described(operation: Operation) -> Schema:
    described: Schema = {
        "operationId": operation_id(operation),
        "summary": operation.summary,
        "tags": [operation.tag],
    }
    if operation.public:
        described["security"] = []
    parameters = [*map(_in_path, _NAME.findall(operation.path)), *map(_in_query, operation.query)]
    if is_idempotent(operation):
        parameters.append(_idempotency_key())
    if parameters:
        described["parameters"] = parameters
    if operation.takes is not None:
        fields = msgspec.structs.fields(operation.takes)
        required = any(field.required for field in fields)
        content = _content(operation.takes)
        if operation.takes_null:
            body = content["application/json"]
            body["schema"] = {"anyOf": [body["schema"], {"type": "null"}]}
        described["requestBody"] = {"required": required, "content": content}
    described["responses"] = dict(sorted(_responses(operation).items()))
    return described


def _in_path(name: str) -> Schema:
    schema = {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(parameter: Parameter) -> Schema:
    (schema,), _ = msgspec.json.schema_components([parameter.kind])
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": markdown(parameter.description),
        "schema": schema,
    }


def _idempotency_key() -> Schema:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "The same request under the same key is carried out once in 24 hours.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    }


def _responses(operation: Operation) -> dict[str, Schema]:
    responses: dict[str, Schema] = {}
    for status in (operation.status, *operation.other_statuses):
        content: Schema = {media: {"schema": _free(media)} for media in operation.media}
        if operation.answers is not None:
            content = _content(operation.answers)
        responses[str(status)] = _response(HTTPStatus(status).phrase, content)
    for status, kinds in errors_of(operation).items():
        codes = dict.fromkeys(f"`{kind.code}`" for kind in kinds)
        content = _content(ErrorBody) if status == Invalid.status else _plain(ErrorBody)
        responses[str(status)] = _response(", ".join(codes), content)
    for status, kind in operation.refusals:
        responses[str(status)] = _response(HTTPStatus(status).phrase, _plain(kind))
    return responses


def _response(description: str, content: Schema) -> Schema:
    response = {"description": description, "headers": _REQUEST_ID}
    return {**response, "content": content} if content else response


def _content(kind: type[Struct]) -> Schema:
    content = _plain(kind)
    if kind in EXAMPLES:
        content["application/json"]["example"] = EXAMPLES[kind]
    return content


def _plain(kind: type[Struct]) -> Schema:
    """Without an example."""
    return {"application/json": {"schema": {"$ref": REF.format(name=kind.__name__)}}}


def _free(media: str) -> Schema:
    # Bytes have no JSON Schema (OpenAPI 3.1, section 4.8.14).
    return {"type": "object"} if media == "application/json" else {}
