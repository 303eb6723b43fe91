"""An agent as a session runs it: its configuration, and where its tools and models are.

Source: voice agent protocol, sections 2.3 (the echo), 3.1 and 3.3.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

import msgspec
from msgspec import UNSET, Struct, field

from antiphon_protocol.rest_agents import AgentBody, AgentTool, HttpCall, Model, PreConnect
from antiphon_protocol.session_config import HttpTool, SessionConfig, Tool
from antiphon_server.call.http_tools import HttpTarget
from antiphon_server.call.models import ModelTarget
from antiphon_server.dialects.tool_checks import keypad_only
from antiphon_server.stages.offered import ProviderTarget


class AgentSecrets(Struct, frozen=True):
    """What is never shown: values of headers by their name in small letters, and keys."""

    tools: dict[str, dict[str, str]] = field(default_factory=dict)
    """By the tool's name."""
    pre_connect: tuple[dict[str, str], ...] = ()
    """By position in ``pre_connect_requests``."""
    llm: tuple[str | None, ...] = ()
    """By position in ``llm``; None: a model that needs no key."""
    providers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By stage, and by position in its list; empty for the server's own."""

    def __repr__(self) -> str:
        """Without any."""
        return "AgentSecrets(…)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []


class BoundAgent(Struct, frozen=True):
    """An agent with its secrets open. ``config`` is what a client may see; its ``id`` is empty."""

    config: SessionConfig
    http: dict[str, HttpTarget]
    """The tools that the server calls, by name."""
    models: tuple[ModelTarget, ...]
    """In the order in which they are asked; none: the server's own."""
    providers: dict[str, tuple[ProviderTarget, ...]] = {}
    """Who serves, by stage (``stt``, ...), in order of preference; none: the server's own."""


def bound(body: AgentBody, kept: AgentSecrets) -> BoundAgent:
    """Raises ``InvalidValue`` for an agent that cannot run on a WebSocket."""
    _check_keypad(body.tools)
    targets = {
        tool.name: _target(tool.http, kept.tools.get(tool.name, {}))
        for tool in body.tools
        if tool.http is not None
    }
    models = tuple(
        ModelTarget(model.base_url, model.model, key or "", model.reasoning_effort)
        for model, key in zip_longest(body.llm, kept.llm[: len(body.llm)])
    )
    return BoundAgent(_config(body), targets, models, _providers(body, kept))


def _providers(body: AgentBody, kept: AgentSecrets) -> dict[str, tuple[ProviderTarget, ...]]:
    if body.providers is UNSET:
        return {}
    return {
        stage: tuple(
            ProviderTarget(one.name, msgspec.json.encode(one.options, order="sorted").decode(), key)
            for one, key in zip(chosen, kept.providers.get(stage, ()), strict=True)
        )
        for stage in body.providers.__struct_fields__
        if (chosen := getattr(body.providers, stage))
    }


def _check_keypad(tools: tuple[AgentTool, ...]) -> None:
    for index, tool in enumerate(tools):
        if tool.dtmf_collected_arguments:
            argument = tool.dtmf_collected_arguments[0].parameter_name
            raise keypad_only(tool.name, argument, f"tools[{index}]")


def _target(call: HttpCall, values: dict[str, str]) -> HttpTarget:
    headers = ((header.name, values.get(header.name.lower(), "")) for header in call.headers)
    return HttpTarget(call.url, call.http_method, tuple(headers))


def _config(body: AgentBody) -> SessionConfig:
    return SessionConfig(
        id="",
        system_prompt=body.system_prompt,
        greeting=body.greeting,
        input=body.input,
        output=body.output,
        tools=tuple(map(_tool, body.tools)),
        llm=tuple(map(_model, body.llm)),
        pre_connect_requests=tuple(map(_request, body.pre_connect_requests)),
    )


def _tool(tool: AgentTool) -> Tool:
    return Tool(
        name=tool.name,
        description=tool.description,
        parameters=tool.parameters,
        timeout_seconds=tool.timeout_seconds,
        execution_mode=tool.execution_mode,
        http=None if tool.http is None else HttpTool(tool.http.url, tool.http.http_method),
        response_instructions=tool.response_instructions,
        session_update=tool.session_update,
    )


def _model(model: Model) -> dict[str, Any]:
    """The hosted service's names for a key that is never shown."""
    shown = {
        "base_url": model.base_url,
        "model": model.model,
        "api_key_ciphertext": "",
        "api_key_encrypted_data_key": "",
        "api_key_kms_key_id": "",
    }
    effort = model.reasoning_effort
    return shown if effort is None else {**shown, "reasoning_effort": effort}


def _request(request: PreConnect) -> dict[str, Any]:
    http = HttpTool(request.http.url, request.http.http_method)
    return {
        "http": msgspec.to_builtins(http),
        "sends": list(request.sends),
        "returns": [msgspec.to_builtins(capture) for capture in request.returns],
        "timeout_ms": request.timeout_ms,
        "allow_overrides": list(request.allow_overrides),
        "on_failure": "continue",
    }
