"""One reply of Anthropic's Messages API, put together from its stream.

Source: Anthropic's pages "Streaming Messages" and "Handling stop reasons" (2026-11-22). Events
and blocks of other types may be added at any time and are left alone, as the vendor asks.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct, field

from antiphon_providers.anthropic_wire import error_told
from antiphon_providers.errors import Malformed, Refused, Unavailable
from antiphon_providers.interfaces import Said, Spent, ToolUse, Used

_REFUSAL = "refusal"
_CUT = {"max_tokens", "model_context_window_exceeded"}


class _Usage(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None


class _Message(Struct):
    usage: _Usage | None = None


class _Block(Struct):
    type: str = ""
    text: str = ""
    id: str = ""
    name: str = ""
    input: dict[str, Any] = field(default_factory=dict)


class _Delta(Struct):
    type: str = ""
    text: str = ""
    partial_json: str = ""
    stop_reason: str | None = None


class _Event(Struct):
    type: str
    index: int = 0
    message: _Message | None = None
    content_block: _Block | None = None
    delta: _Delta | None = None
    usage: _Usage | None = None
    error: Any = None


class _PartialUse(Struct):
    """A tool call that is still being written; ``json`` are the pieces of its arguments."""

    block: _Block
    json: list[str] = field(default_factory=list)


class Assembly:
    """One reply, put together from the data of its stream's events.

    ``steps`` counts what brought the reply forward: text, a piece of a tool call, its end. A
    ping and the model's thoughts are not said and are no step.
    """

    def __init__(self) -> None:
        self.steps = 0
        self.done = False
        self._stop: str | None = None
        self._usage = _Usage()
        self._counted = False
        self._uses: dict[int, _PartialUse] = {}
        self._spoke = False

    def take(self, data: str) -> list[Said]:
        """The text that an event adds.

        Raises ``Malformed`` for what is no event, and what an ``error`` event tells.
        """
        try:
            event = msgspec.json.decode(data.encode(), type=_Event)
        except (msgspec.MsgspecError, ValueError, RecursionError) as wrong:
            raise Malformed(f"the stream has something that is no event: {wrong}") from wrong
        if event.type == "error":
            raise error_told({"error": event.error})
        self._count(event.message.usage if event.message else event.usage)
        if event.type == "content_block_start" and event.content_block:
            return self._begin(event.index, event.content_block)
        if event.type == "content_block_delta" and event.delta:
            return self._extend(event.index, event.delta)
        if event.type == "message_delta" and event.delta and event.delta.stop_reason:
            self._stop = event.delta.stop_reason
            self.steps += 1
        self.done = self.done or event.type == "message_stop"
        return []

    def finish(self) -> list[Used | Spent]:
        """The reply's tool calls and cost; called when the stream has ended.

        Raises ``Refused`` if the model's safety stopped it, ``Unavailable`` if it ended too
        early, ``Malformed`` for a tool call that is none and for a reply with nothing in it.
        """
        if self._stop == _REFUSAL:
            raise Refused("the model refused to reply", provider_code=_REFUSAL)
        if not self.done and self._stop is None:
            raise Unavailable("the stream ended before the reply did")
        pieces: list[Used | Spent] = [Used(self._whole(use)) for use in self._uses.values()]
        if not self._spoke and not pieces:
            raise Malformed(
                "the reply is empty: neither words nor a tool call", provider_code=self._stop
            )
        if self._counted:
            pieces.append(self._spent())
        return pieces

    def _begin(self, index: int, block: _Block) -> list[Said]:
        if block.type == "tool_use":
            self._uses[index] = _PartialUse(block)
            self.steps += 1
        return self._say(block.text) if block.type == "text" else []

    def _extend(self, index: int, delta: _Delta) -> list[Said]:
        if delta.type == "input_json_delta" and index in self._uses:
            self._uses[index].json.append(delta.partial_json)
            self.steps += 1
        return self._say(delta.text) if delta.type == "text_delta" else []

    def _say(self, text: str) -> list[Said]:
        if not text:
            return []
        self.steps += 1
        self._spoke = self._spoke or not text.isspace()
        return [Said(text)]

    def _count(self, usage: _Usage | None) -> None:
        """Later counts are of the whole reply and take the place of earlier ones."""
        if usage is None:
            return
        self._counted = True
        for name in _Usage.__struct_fields__:
            if (count := getattr(usage, name)) is not None:
                setattr(self._usage, name, count)

    def _spent(self) -> Spent:
        """``input_tokens`` are only those that were neither read from the cache nor put there."""
        usage = self._usage
        cached = usage.cache_read_input_tokens or 0
        fresh = (usage.input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
        return Spent(fresh + cached, usage.output_tokens or 0, cached)

    def _whole(self, use: _PartialUse) -> ToolUse:
        block = use.block
        if not block.name or not block.id:
            raise Malformed("a tool call has no name or no id")
        text = "".join(use.json).strip()
        if not text:
            return ToolUse(block.id, block.name, block.input)
        try:
            arguments = msgspec.json.decode(text, type=dict[str, Any])
        except (msgspec.MsgspecError, ValueError, RecursionError) as wrong:
            cut = " (cut off by the token limit)" if self._stop in _CUT else ""
            raise Malformed(
                f"the arguments for tool '{block.name}' are no JSON object{cut}: {wrong}",
                provider_code=self._stop,
            ) from wrong
        return ToolUse(block.id, block.name, arguments)
