"""What is asked of Anthropic's Messages API, and what its errors mean.

Source: Anthropic's pages "Create a Message", "Tool use", "Prompt caching" and "Errors", and the
``anthropic`` SDK 2.12 (2026-11-22).
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from antiphon_providers.errors import ProviderError, Refused, Unavailable
from antiphon_providers.interfaces import Message, Prompt, ToolUse
from antiphon_providers.vendor_words import words_in, words_of

CALL_BEGINS = "(The call begins.)"
"""Said for the user where the assistant speaks first: a conversation must begin with a user."""

GO_ON = "(Please go on.)"
"""Said for the user where the assistant spoke last: the models take nobody's words for theirs."""

NO_RESULT = "(No result.)"
"""Of a call that was never answered: the API wants an answer to each."""

_EPHEMERAL = {"type": "ephemeral"}
_NOT_IN_ID = re.compile(r"[^a-zA-Z0-9_-]")
_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_WORTH_ANOTHER_TRY = {408, 409, 425, 429}
_FIRST_SERVER_ERROR = 500

Block = dict[str, Any]

# --- request -----------------------------------------------------------------------------


def system_of(prompt: Prompt, *, cache: bool) -> list[Block]:
    """The system messages as top-level blocks; the first is the same for a whole call, so the
    cache ends with it.
    """
    said = (message.content for message in prompt.messages if message.role == "system")
    blocks: list[Block] = [{"type": "text", "text": text} for text in said if text.strip()]
    if cache and blocks:
        blocks[0]["cache_control"] = _EPHEMERAL
    return blocks


def tools_of(prompt: Prompt, *, cache: bool) -> list[Block]:
    """The tools; the last ends what of them is cached."""
    tools: list[Block] = []
    for tool in prompt.tools:
        schema = {"type": "object", **tool.parameters}
        entry: Block = {"name": tool.name, "input_schema": schema}
        tools.append({**entry, "description": tool.description} if tool.description else entry)
    if cache and tools:
        tools[-1]["cache_control"] = _EPHEMERAL
    return tools


def messages_of(prompt: Prompt) -> list[Block]:
    """The conversation as the API takes it: roles in turn, the user's first and last.

    Each call of a tool is answered in the very next message, before anything else in it,
    wherever its result stands in the prompt.
    """
    results = {
        message.call_id or "": message for message in prompt.messages if message.role == "tool"
    }
    turns: list[Block] = []
    called: set[str] = set()
    for message in prompt.messages:
        if message.role == "assistant":
            uses = [use for use in message.tool_uses if use.call_id not in called]
            called.update(use.call_id for use in uses)
            _add(turns, "assistant", [*_text(message.content), *map(_tool_use, uses)])
            _add(turns, "user", [_tool_result(use, results.get(use.call_id)) for use in uses])
        elif message.role == "user" or (message.role == "tool" and message.call_id not in called):
            _add(turns, "user", _text(message.content))
    if turns and turns[0]["role"] == "assistant":
        turns.insert(0, {"role": "user", "content": _text(CALL_BEGINS)})
    if not turns or turns[-1]["role"] == "assistant":
        turns.append({"role": "user", "content": _text(GO_ON if turns else CALL_BEGINS)})
    return turns


def _add(turns: list[Block], role: str, blocks: list[Block]) -> None:
    """Adds to the last turn where it has the same role, for roles must alternate."""
    if not blocks:
        return
    if turns and turns[-1]["role"] == role:
        turns[-1]["content"] += blocks
    else:
        turns.append({"role": role, "content": blocks})


def _text(text: str) -> list[Block]:
    """A block without words is refused."""
    return [{"type": "text", "text": text}] if text.strip() else []


def _tool_use(use: ToolUse) -> Block:
    return {"type": "tool_use", "id": _id(use), "name": use.name, "input": use.arguments}


def _tool_result(use: ToolUse, result: Message | None) -> Block:
    block: Block = {"type": "tool_result", "tool_use_id": _id(use)}
    block["content"] = result.content if result else NO_RESULT
    if result is None or result.is_error:
        block["is_error"] = True
    return block


def _id(use: ToolUse) -> str:
    return _NOT_IN_ID.sub("_", use.call_id) or "_"


# --- errors ------------------------------------------------------------------------------


def error_of(status: int, body: bytes) -> ProviderError:
    """What an answer with an error status means, in Anthropic's words as far as it has some."""
    try:
        inner = msgspec.json.decode(body, type=dict[str, Any]).get("error")
    except (msgspec.MsgspecError, ValueError, RecursionError):
        inner = None
    # The outer type is "error" for all of them.
    words, code = words_in(inner) if isinstance(inner, dict) else words_of(body)
    return _error(status, words, code)


def error_told(said: Any) -> ProviderError:
    """What an ``error`` event within a stream tells; its type stands for a status."""
    inner = said.get("error", said) if isinstance(said, dict) else said
    words, _ = words_in(inner)
    code = inner.get("type") if isinstance(inner, dict) else None
    return _error(_STATUS.get(str(code)), words, None if code is None else str(code))


def _error(status: int | None, words: str, code: str | None) -> ProviderError:
    refused = (
        status is not None and status < _FIRST_SERVER_ERROR and status not in _WORTH_ANOTHER_TRY
    )
    kind = Refused if refused else Unavailable
    said = f"the language model answered {status or 'an error'}" + (f": {words}" if words else "")
    return kind(said, status_code=status, provider_code=code)
