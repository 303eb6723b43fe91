"""What the model is told, against what is on record by then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from antiphon_providers.interfaces import Message, Prompt
from antiphon_server.call.records import (
    AgentSaid,
    AnyRecord,
    Reconfigured,
    Started,
    ToolCalled,
    ToolReturned,
    UserSaid,
)
from antiphon_server.conversation.memory import PENDING

Hold = Callable[..., bool]


class ModelView:
    """One prompt. ``before`` are the records that it must know, ``until_now`` those it may know:
    what comes in the same instant may come after the prompt was made.
    """

    def __init__(
        self, prompt: Prompt, before: list[AnyRecord], until_now: list[AnyRecord], hold: Hold
    ) -> None:
        self._prompt = prompt
        self._before = before
        self._until_now = until_now
        self._hold = hold

    def check(self) -> None:
        """Everything that the model sees is on record, and the other way round."""
        self._check_text("user", _user_text)
        self._check_text("assistant", _agent_text)
        self._check_calls()
        self._check_results()
        self._check_config()

    def _check_text(self, role: str, text_of: Callable[[list[AnyRecord]], str]) -> None:
        said = (message for message in self._prompt.messages if message.role == role)
        seen = " ".join(message.content for message in said if message.content)
        most = text_of(self._until_now)
        same = seen.startswith(text_of(self._before)) and most.startswith(seen)
        self._hold(same, "the model sees what is on record", role, seen, most)

    def _check_calls(self) -> None:
        uses = [use.call_id for message in self._prompt.messages for use in message.tool_uses]
        self._hold(len(uses) == len(set(uses)), "the model sees a call once", uses)
        for record in self._before:
            if isinstance(record, ToolCalled | ToolReturned):
                self._hold(record.call_id in uses, "the model sees every call", record)

    def _check_results(self) -> None:
        late, early = _results(self._until_now), _results(self._before)
        for message in self._prompt.messages:
            if message.role == "tool" and message.call_id is not None:
                pending = message.content == PENDING and message.call_id not in early
                same = message.content == late.get(message.call_id)
                self._hold(pending or same, "the model sees the result of record", message)

    def _check_config(self) -> None:
        """The system prompt is that of the newest update, and so are the tools."""
        configs = [*_configs(self._before)[-1:], *_configs(self._until_now)[-1:]]
        seen = next(message.content for message in self._prompt.messages if _is_system(message))
        known = [config["system_prompt"] for config in configs]
        self._hold(seen in known, "the model has the newest prompt", seen, known)
        tools = [tool.name for tool in self._prompt.tools]
        offered = [[tool["name"] for tool in config["tools"]] for config in configs]
        # A model that has called too many in a row is offered none.
        self._hold(not tools or tools in offered, "the model has the newest tools", tools, offered)


def _is_system(message: Message) -> bool:
    return message.role == "system"


def _results(kept: list[AnyRecord]) -> dict[str, str]:
    return {record.call_id: record.result for record in kept if isinstance(record, ToolReturned)}


def _configs(kept: list[AnyRecord]) -> list[dict[str, Any]]:
    return [record.config for record in kept if isinstance(record, Started | Reconfigured)]


def _user_text(kept: list[AnyRecord]) -> str:
    return " ".join(said.text for said in kept if isinstance(said, UserSaid))


def _agent_text(kept: list[AnyRecord]) -> str:
    return " ".join(said.text for said in kept if isinstance(said, AgentSaid) and said.text)
