"""Agents with something in every place."""

from __future__ import annotations

from datetime import UTC, datetime

from antiphon_protocol.rest_agents import (
    AgentBody,
    AgentTool,
    Capture,
    DtmfCollectionProfile,
    Header,
    HttpCall,
    Model,
    PreConnect,
    VoiceChoice,
)
from antiphon_protocol.session_config import (
    AudioFormat,
    InputConfig,
    OutputConfig,
    ResponseInstructions,
    SessionUpdateSwitch,
)
from antiphon_server.store.bound_agents import AgentSecrets

SET_AT = datetime(2026, 1, 2, 3, 4, 5, 678_900, UTC)

PLAIN = AgentBody(name="Plain", system_prompt="Be brief.", voice=VoiceChoice("anna"))

CLIENT_TOOL = AgentTool(
    id="tool_1",
    name="look_up",
    description="Looks up.",
    parameters={"type": "object", "properties": {"n": {"type": "string"}}},
    timeout_seconds=30,
    execution_mode="hold",
    response_instructions=ResponseInstructions("Good.", "Bad."),
    session_update=SessionUpdateSwitch(enabled=False),
)
SERVER_TOOL = AgentTool(
    id="tool_2",
    name="order",
    http=HttpCall(
        "https://tools.example/order",
        "PUT",
        (Header("Authorization", SET_AT), Header("X-Trace", SET_AT)),
    ),
)
KEYPAD_TOOL = AgentTool(
    id="tool_3",
    name="pay",
    dtmf_collected_arguments=(
        DtmfCollectionProfile("pin", 4, 6, "Your PIN, please.", sensitive=True),
    ),
)

FULL = AgentBody(
    name="Full \U0001f916",
    system_prompt="Say \x00 and ü.",
    voice=VoiceChoice("vera"),
    greeting="Hello.",
    input=InputConfig(keyterms=("Antiphon",), transcription_mode="min_latency"),
    output=OutputConfig(voice="vera", format=AudioFormat("audio/pcmu", 8000), volume=50),
    tools=(CLIENT_TOOL, SERVER_TOOL),
    pre_connect_requests=(
        PreConnect(
            HttpCall("https://tools.example/before", "POST", (Header("X-Key", SET_AT),)),
            sends=("caller_number",),
            returns=(Capture("tier", "customer.tier", "none"),),
            timeout_ms=250,
            allow_overrides=("greeting",),
        ),
    ),
    outbound_trunk_id="trunk",
    caller_id="+4930123456",
    llm=(
        Model("https://models.example/v1", "large", "low"),
        Model("http://10.0.0.1:8000/v1", "small"),
    ),
    platform_tools_enabled=False,
)
SECRETS = AgentSecrets(
    tools={"order": {"authorization": "Bearer canary-1", "x-trace": "canary-2"}},
    pre_connect=({"x-key": "canary-3"},),
    llm=("canary-4", None),
)
CANARY = "canary"
