"""The socket as an AsyncAPI 3.0 document, from the server's point of view."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Struct

from antiphon_protocol import __version__
from antiphon_server.settings import Settings
from wire_examples import examples_of
from wire_model import (
    CLIENT_MESSAGES,
    SERVER_MESSAGES,
    Schema,
    definitions,
    summary,
    tag,
)

PATH = "docs/reference/voice_agent.asyncapi.json"

_SECURITY = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "`Authorization: Bearer CREDENTIAL`.",
    },
    "header": {
        "type": "httpApiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Authorization: CREDENTIAL`, without a scheme.",
    },
    "query": {
        "type": "httpApiKey",
        "in": "query",
        "name": "token",
        "description": "`?token=CREDENTIAL`, the only way for a browser.",
    },
}

_DESCRIPTION = """\
One WebSocket carries a spoken conversation: the client sends microphone audio, the server
sends the agent's voice, both as JSON text frames.

A credential is an API key, a temporary token or a resume token, in any of the three places.
The upgrade always succeeds; a wrong credential is answered with `session.error` of code
`unauthorized` and close code 1008. With a good one the server says nothing until the first
`session.update` or `session.resume`.
"""


def outputs() -> dict[str, str]:
    """The AsyncAPI file."""
    return {PATH: json.dumps(document(), indent=2, ensure_ascii=False) + "\n"}


def document() -> dict[str, Any]:
    """The whole document."""
    names = [kind.__name__ for kind in (*CLIENT_MESSAGES, *SERVER_MESSAGES)]
    return {
        "asyncapi": "3.0.0",
        "id": "urn:antiphon:voice-agent",
        "info": _info(),
        "defaultContentType": "application/json",
        "servers": {"here": _server()},
        "channels": {"voiceAgent": _channel(names)},
        "operations": {
            "receiveFromClient": _operation("receive", "What a client may send.", CLIENT_MESSAGES),
            "sendToClient": _operation("send", "What the server may send.", SERVER_MESSAGES),
        },
        "components": {
            "securitySchemes": _SECURITY,
            "messages": {
                kind.__name__: _message(kind) for kind in (*CLIENT_MESSAGES, *SERVER_MESSAGES)
            },
            "schemas": {name: _as_asyncapi(value) for name, value in definitions().items()},
        },
    }


def _info() -> dict[str, Any]:
    return {
        "title": "Antiphon voice agent",
        "version": __version__,
        "description": _DESCRIPTION,
        "license": {
            "name": "Apache-2.0",
            "url": "https://www.apache.org/licenses/LICENSE-2.0",
        },
        "tags": [{"name": "voice"}],
    }


def _server() -> dict[str, Any]:
    return {
        "host": "{host}",
        "protocol": "ws",
        "description": "A server of your own; `wss` behind TLS.",
        "variables": {
            "host": {
                "default": f"localhost:{Settings().port}",
                "description": "Where the server listens.",
            }
        },
        "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in _SECURITY],
    }


def _channel(names: list[str]) -> dict[str, Any]:
    return {
        "address": "/v1/ws",
        "title": "Voice agent",
        "description": "JSON text frames in both directions; binary frames are refused.",
        "servers": [{"$ref": "#/servers/here"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "ws": {
                "method": "GET",
                "query": {
                    "type": "object",
                    "properties": {
                        "token": {"type": "string", "description": "A credential."},
                        "timeline": {
                            "type": "string",
                            "enum": ["1"],
                            "description": "Asks for `turn.timeline` messages, an extension.",
                        },
                    },
                },
                "headers": {
                    "type": "object",
                    "properties": {
                        "Authorization": {
                            "type": "string",
                            "description": "A credential, with or without `Bearer`.",
                        }
                    },
                },
                "bindingVersion": "0.1.0",
            }
        },
    }


def _operation(action: str, text: str, kinds: tuple[type[Struct], ...]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/voiceAgent"},
        "summary": text,
        "messages": [{"$ref": f"#/channels/voiceAgent/messages/{kind.__name__}"} for kind in kinds],
    }


def _message(kind: type[Struct]) -> dict[str, Any]:
    schema = definitions()[kind.__name__]
    return {
        "name": tag(kind),
        "title": kind.__name__,
        "summary": summary(schema),
        "description": schema["description"],
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
        "examples": [
            {"name": f"{tag(kind)} {number}", "payload": payload}
            for number, payload in enumerate(examples_of(kind), start=1)
        ],
    }


def _as_asyncapi(schema: Any) -> Any:
    """The schema in AsyncAPI's dialect, a superset of draft 7: there a ``$ref`` stands alone."""
    if isinstance(schema, list):
        return [_as_asyncapi(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    changed: Schema = {key: _as_asyncapi(value) for key, value in schema.items()}
    if isinstance(ref := changed.pop("$ref", None), str):
        target = {"$ref": ref.replace("#/$defs/", "#/components/schemas/")}
        return {"allOf": [target], **changed} if changed else target
    return changed
