"""What becomes of a stored agent when it is written: checked, merged, its secrets set aside.

Pure: an agent and a change in, the new agent out, or ``Invalid`` and nothing changed. What a
session's configuration may be is ``dialects.session_update``'s to say, for both.
Source: voice agent protocol, section 6.2.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from typing import TypeVar

from msgspec import UNSET, Struct, UnsetType

from antiphon_protocol.errors import ProtocolError
from antiphon_protocol.rest import Fault
from antiphon_protocol.rest_agents import (
    AgentBody,
    AgentChange,
    AgentCreate,
    AgentTool,
    AgentToolChange,
    HttpCall,
    Model,
    ModelChange,
    VoiceChoice,
)
from antiphon_protocol.session_config import (
    DEFAULT_VOICE,
    InputConfig,
    OutputConfig,
    OutputUpdate,
    SessionConfig,
    SessionUpdate,
    Tool,
    ToolUpdate,
)
from antiphon_server.dialects.session_update import apply
from antiphon_server.rest.agent_providers import check_against_models, providers_of
from antiphon_server.rest.agent_requests import requests_of, written
from antiphon_server.rest.errors import Invalid
from antiphon_server.rest.shapes import Place
from antiphon_server.store.bound_agents import AgentSecrets

_PLATFORM = "aai_"
"""How the names of the platform's own tools begin (section 3.3)."""
_Value = TypeVar("_Value")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


class Terms(Struct, frozen=True):
    """What a merge depends on beside the agent: a setting, and the time."""

    former_voices: bool
    now: datetime


def change_of(create: AgentCreate) -> AgentChange:
    """A new agent is a change of one that has nothing."""
    return AgentChange(**{name: getattr(create, name) for name in create.__struct_fields__})


def blank() -> AgentBody:
    """An agent that has nothing."""
    return AgentBody(name="", system_prompt="", voice=VoiceChoice(DEFAULT_VOICE))


def merged(
    body: AgentBody, kept: AgentSecrets, change: AgentChange, terms: Terms
) -> tuple[AgentBody, AgentSecrets]:
    """The agent after the change. Raises ``Invalid``."""
    config = _configured(body, change, terms)
    tools, of_tools = _tools(body, kept, change, config, terms)
    requests, of_requests = body.pre_connect_requests, kept.pre_connect
    if change.pre_connect_requests is not None:
        before = tuple(zip(requests, of_requests, strict=True))
        requests, of_requests = requests_of(change.pre_connect_requests, before, terms.now)
    models, of_models = _models(body, kept, change.llm)
    providers, of_providers = providers_of(change.providers, body.providers, kept.providers)
    check_against_models(providers, has_models=bool(models))
    after = AgentBody(
        name=body.name if change.name is None else change.name,
        system_prompt=config.system_prompt,
        voice=VoiceChoice(config.output.voice),
        greeting=config.greeting,
        input=config.input,
        output=config.output,
        tools=tools,
        pre_connect_requests=requests,
        transfer_targets=_given(change.transfer_targets, body.transfer_targets),
        outbound_trunk_id=_set(change.outbound_trunk_id, body.outbound_trunk_id),
        caller_id=_set(change.caller_id, body.caller_id),
        llm=models,
        platform_tools_enabled=_given(change.platform_tools_enabled, body.platform_tools_enabled),
        providers=providers,
    )
    _check_targets(after)
    return after, AgentSecrets(of_tools, of_requests, of_models, of_providers)


def _given(new: _Value | None, old: _Value) -> _Value:
    return old if new is None else new


def _set(new: str | UnsetType | None, old: str | None) -> str | None:
    return old if isinstance(new, UnsetType) else new


# --- what a session is configured with -----------------------------------------------------


def _configured(body: AgentBody, change: AgentChange, terms: Terms) -> SessionConfig:
    """``input`` and ``output`` are replaced as a whole, so they begin with their defaults."""
    voice = body.voice.voice_id
    current = SessionConfig(
        id="",
        system_prompt=body.system_prompt,
        greeting=_set(change.greeting, body.greeting),
        input=body.input if change.input is None else InputConfig(),
        output=body.output if change.output is None else OutputConfig(voice=voice),
    )
    update = SessionUpdate(
        system_prompt=UNSET if change.system_prompt is None else change.system_prompt,
        input=UNSET if change.input is None else change.input,
        output=_output(change),
        tools=UNSET if change.tools is None else tuple(map(_declared, change.tools)),
    )
    try:
        return apply(current, update, first=True, former_voices=terms.former_voices)
    except ProtocolError as error:
        raise _invalid(error) from None


def _output(change: AgentChange) -> OutputUpdate:
    voice = UNSET if change.voice is None else change.voice.voice_id
    if change.output is None:
        return OutputUpdate(voice=voice)
    asked = change.output
    return OutputUpdate(type=asked.type, voice=voice, format=asked.format, volume=asked.volume)


def _declared(tool: AgentToolChange) -> ToolUpdate:
    """As a session declares it; its keypad is no matter until a session has to have one."""
    return ToolUpdate(
        name=tool.name,
        type="function",
        description=tool.description,
        parameters=tool.parameters,
        timeout_seconds=tool.timeout_seconds,
        execution_mode=tool.execution_mode,
        response_instructions=tool.response_instructions,
        session_update=tool.session_update,
    )


def _invalid(error: ProtocolError) -> Invalid:
    """The same mistake in the words of the REST API, where the voice has a place of its own."""
    path = "voice" if error.param == "output.voice" else error.param or ""
    steps = (int(index) if index else name for name, index in _STEP.findall(path))
    told = error.message.removeprefix("Internal service error: ")
    return Invalid((Fault("value_error", ("body", *steps), told, None),))


# --- tools ---------------------------------------------------------------------------------


def _tools(
    body: AgentBody,
    kept: AgentSecrets,
    change: AgentChange,
    config: SessionConfig,
    terms: Terms,
) -> tuple[tuple[AgentTool, ...], dict[str, dict[str, str]]]:
    """A tool stays the same one, with its id and its headers' values, while its name does."""
    if change.tools is None:
        return body.tools, kept.tools
    before = {tool.name: tool for tool in body.tools}
    tools: list[AgentTool] = []
    values: dict[str, dict[str, str]] = {}
    for index, (asked, tool) in enumerate(zip(change.tools, config.tools, strict=True)):
        place: Place = ("body", "tools", index)
        if tool.name.startswith(_PLATFORM):
            told = f"Names that begin with {_PLATFORM} are the platform's, which has no such tool"
            raise Invalid((Fault("value_error", (*place, "name"), told, None),))
        old = before.get(tool.name)
        http = None
        if asked.http is not None:
            stored = (old.http if old else None, kept.tools.get(tool.name, {}))
            http, of_tool = written(asked.http, stored, (*place, "http"), terms.now)
            values |= {tool.name: of_tool} if of_tool else {}
        tools.append(_tool(asked, tool, http, old.id if old else _tool_id()))
    return tuple(tools), values


def _tool(asked: AgentToolChange, tool: Tool, http: HttpCall | None, tool_id: str) -> AgentTool:
    return AgentTool(
        id=tool_id,
        name=tool.name,
        description=tool.description,
        parameters=tool.parameters,
        timeout_seconds=int(tool.timeout_seconds),
        execution_mode=tool.execution_mode,
        response_instructions=tool.response_instructions,
        dtmf_collected_arguments=asked.dtmf_collected_arguments or (),
        http=http,
        session_update=tool.session_update,
    )


def _tool_id() -> str:
    return f"tool_{secrets.token_hex(16)}"


# --- models and telephones -----------------------------------------------------------------


def _models(
    body: AgentBody, kept: AgentSecrets, asked: tuple[ModelChange, ...] | None
) -> tuple[tuple[Model, ...], tuple[str | None, ...]]:
    """A key is kept for the address it was given for and goes to no other."""
    if asked is None:
        return body.llm, kept.llm
    before = list(zip(body.llm, kept.llm, strict=True))
    models: list[Model] = []
    keys: list[str | None] = []
    for model in asked:
        same = [stored for stored in before if stored[0].base_url == model.base_url]
        same.sort(key=lambda stored: stored[0].model != model.model)
        old, key = same[0] if same else (None, None)
        effort = model.reasoning_effort
        if effort is None and old is not None:
            effort = old.reasoning_effort
        models.append(Model(model.base_url, model.model, effort or None))
        keys.append(key if model.api_key is None else model.api_key)
    return tuple(models), tuple(keys)


def _check_targets(body: AgentBody) -> None:
    for index, target in enumerate(body.transfer_targets):
        needed = "phone_number" if target.kind == "human" else "agent_id"
        if not getattr(target, needed):
            place: Place = ("body", "transfer_targets", index, needed)
            told = f"A target of kind '{target.kind}' needs it"
            raise Invalid((Fault("value_error", place, told, None),))
        if target.kind == "human" and not body.outbound_trunk_id:
            told = "Required when a transfer target is human"
            raise Invalid((Fault("value_error", ("body", "outbound_trunk_id"), told, None),))
