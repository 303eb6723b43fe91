"""Agents as they are written and read."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec import UNSET, Struct

from antiphon_protocol import rest_agents
from antiphon_protocol.rest_agents import (
    Agent,
    AgentBody,
    AgentChange,
    AgentCreate,
    AgentTool,
    Header,
    HeaderChange,
    HttpCall,
    Model,
    ModelChange,
    VoiceChoice,
)
from antiphon_protocol.session_config import DEFAULT_VOICE

STRUCTS = [
    kind
    for _, kind in inspect.getmembers(rest_agents, inspect.isclass)
    if issubclass(kind, Struct) and kind.__module__ == rest_agents.__name__
]
NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize("kind", STRUCTS, ids=lambda kind: kind.__name__)
def test_every_type_and_field_says_what_it_means(kind: type[Struct]) -> None:
    """The reference page is made of it."""
    _, structs = msgspec.json.schema_components([kind])
    schema = structs[kind.__name__]
    assert schema["description"] == (kind.__doc__ or "").strip()
    assert all(value.get("description") for value in schema["properties"].values())


def test_creating_and_changing_are_about_the_same_fields() -> None:
    """What may be set may be changed; only a new agent must have anything."""
    assert AgentCreate.__struct_fields__ == AgentChange.__struct_fields__
    must = [known.name for known in msgspec.structs.fields(AgentCreate) if known.required]
    assert must == ["name", "system_prompt", "voice"]
    assert not any(known.required for known in msgspec.structs.fields(AgentChange))


def test_what_an_agent_may_have_none_of_can_be_cleared() -> None:
    """There, absence and null are two things."""
    clearable = {
        known.name for known in msgspec.structs.fields(AgentChange) if known.default is UNSET
    }
    nullable = {known.name for known in msgspec.structs.fields(AgentBody) if known.default is None}
    assert clearable == nullable == {"greeting", "outbound_trunk_id", "caller_id"}


def test_every_field_that_is_written_is_read() -> None:
    """Beside what the server decides."""
    assert set(AgentCreate.__struct_fields__) == set(AgentBody.__struct_fields__)
    ours = set(Agent.__struct_fields__) - set(AgentBody.__struct_fields__)
    assert ours == {"id", "created_at", "updated_at"}


@pytest.mark.parametrize(
    ("written", "read"), [(HeaderChange, Header), (ModelChange, Model)], ids=["header", "model"]
)
def test_no_secret_can_be_read(written: type[Struct], read: type[Struct]) -> None:
    """What is read has no place for it."""
    secret = {"value", "remove", "api_key"}
    assert set(written.__struct_fields__) & secret
    assert not set(read.__struct_fields__) & secret


@pytest.mark.parametrize(
    "change",
    [HeaderChange("X-Key", "canary"), ModelChange("https://x/canary", "m", "canary")],
    ids=["header", "model"],
)
def test_a_secret_on_its_way_in_is_not_shown(change: Any) -> None:
    """It may stand in a traceback."""
    assert "canary" not in f"{change!r} {change.__rich_repr__()}"


def test_an_agent_is_written_and_read_back() -> None:
    """Times with their zone."""
    header = Header("X-Key", NOW)
    tool = AgentTool(id="tool_1", name="f", http=HttpCall("https://x", "GET", (header,)))
    agent = Agent(
        id="agent_1",
        name="n",
        system_prompt="p",
        voice=VoiceChoice(DEFAULT_VOICE),
        tools=(tool,),
        created_at=NOW,
        updated_at=NOW,
    )
    raw = msgspec.json.encode(agent)
    assert b'"created_at":"2026-01-02T00:00:00Z"' in raw
    assert msgspec.json.decode(raw, type=Agent) == agent
