"""The server of a simulated call: the real edge, with nothing behind it that needs a disk."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from msgspec.structs import replace

from antiphon_protocol.session_config import HttpTool, SessionConfig, SessionUpdate, Webhook
from antiphon_server.call.http_tools import HttpTarget
from antiphon_server.call.services import Services
from antiphon_server.dialects.session_update import apply
from antiphon_server.dialects.voice_agent import Bound
from antiphon_server.edge.calls import Calls
from antiphon_server.edge.node import Node
from antiphon_server.observe.traces import Sampling, Traces
from antiphon_server.security.keys import Keys
from antiphon_server.security.limits import Limits
from antiphon_server.security.tokens import Tokens
from antiphon_server.settings import Settings
from server.observe.kept_spans import KeptSpans
from simulation.plan import Plan, Setting, ToolPlan

KEY, OTHER_KEY = "the key of the caller", "the key of somebody else"
AGENT = "agent_of_the_caller"
RESUME_S = 30
SETTINGS = Settings(api_keys=(KEY, OTHER_KEY), resume_seconds=RESUME_S)
SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}
GREETING = "g0 g1 g2 g3. g4 g5."


class SimulatedNode(Node):
    """A node whose services are given; the keys, the calls and the limits are the real ones."""

    def __init__(self, plan: Plan, services: Services) -> None:
        clock = asyncio.get_running_loop().time
        self.settings = SETTINGS
        self.keys = Keys(SETTINGS.api_keys, Tokens(clock=clock), clock=clock)
        self.calls = Calls(clock)
        self.ready = True
        self._is_stopping = False
        self._disks = []
        self.spans = KeptSpans()
        self.traces = Traces(self.spans, Sampling(tells_content=True, spreads=True))
        self._limits = Limits(SETTINGS, clock)
        self._sessions = 0
        self._sockets = 0
        self._services = services
        self._setting = plan.setting

    @property
    def services(self) -> Services:
        """Those it was made with."""
        return self._services

    @property
    def rooms(self) -> tuple[int, int]:
        """Sessions and sockets that there are."""
        return self._sessions, self._sockets

    async def bind(self, account: str, agent_id: str) -> Bound | None:
        """The caller's agent."""
        del account
        await asyncio.sleep(0)
        return bound(self._setting) if agent_id == AGENT else None

    async def seal_webhook(self, session_id: str, webhook: Webhook) -> bytes:
        """There are no webhooks."""
        raise NotImplementedError

    async def token(self, key: str, session_seconds: int) -> str:
        """A temporary token."""
        return self.keys.mint(await self.keys.owner(key), session_seconds, 600)


def session_of(setting: Setting) -> dict[str, Any]:
    """The first ``session.update`` of a call that has no stored agent."""
    listening: dict[str, Any] = {
        "type": "text" if setting.input_text else "audio",
        "format": {"encoding": setting.input_encoding},
        "transcription_mode": setting.mode,
    }
    if setting.turn_detection is not None:
        listening["turn_detection"] = setting.turn_detection
    return {
        "system_prompt": "s0",
        **({"greeting": GREETING} if setting.greeting else {}),
        "input": listening,
        "output": {
            "type": "text" if setting.output_text else "audio",
            "format": {"encoding": setting.output_encoding},
        },
        "tools": [tool_of(tool) for tool in setting.tools],
    }


def tool_of(tool: ToolPlan) -> dict[str, Any]:
    """A tool as a client declares it."""
    told: dict[str, Any] = {
        "type": "function",
        "name": tool.name,
        "parameters": SCHEMA,
        "timeout_seconds": tool.timeout_s,
        "execution_mode": "hold" if tool.kind == "hold" else "interactive",
    }
    if tool.noted:
        told["response_instructions"] = {"success": "note ok", "error": "note bad"}
    return told


def bound(setting: Setting) -> Bound:
    """The stored agent of a setting."""
    update = msgspec.convert(session_of(setting), SessionUpdate)
    config = apply(SessionConfig(""), update, first=True, former_voices=True)
    addresses = {
        tool.name: HttpTarget(f"https://tools.example/{tool.name}")
        for tool in setting.tools
        if tool.kind == "http"
    }
    tools = tuple(
        replace(tool, http=HttpTool(addresses[tool.name].url)) if tool.name in addresses else tool
        for tool in config.tools
    )
    return Bound(replace(config, tools=tools), addresses, None)
