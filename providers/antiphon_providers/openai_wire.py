"""What is asked of an OpenAI-compatible endpoint, and what its errors mean.

Source: the OpenAI API reference, "Create chat completion". Errors are understood in the forms
of OpenAI, vLLM, Ollama, FastAPI and the gateways: an object, a text, or either in ``error``.
"""

from __future__ import annotations

from typing import Any

import msgspec

from antiphon_providers.errors import ProviderError, Refused, Unavailable
from antiphon_providers.interfaces import Message, Prompt, ToolSpec, ToolUse

_NO_PARAMETERS = {"type": "object", "properties": {}}
_WORTH_ANOTHER_TRY = {408, 409, 425, 429}
_FIRST_SERVER_ERROR = 500
_MAX_WORDS_OF_SERVER = 500

# --- request -----------------------------------------------------------------------------


def messages_of(prompt: Prompt) -> list[dict[str, Any]]:
    """The prompt's messages in OpenAI's form."""
    return [_message(message) for message in prompt.messages]


def tools_of(prompt: Prompt) -> list[dict[str, Any]]:
    """The prompt's tools in OpenAI's form."""
    return [{"type": "function", "function": _function(tool)} for tool in prompt.tools]


def _message(message: Message) -> dict[str, Any]:
    entry: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.role == "tool":
        entry["tool_call_id"] = message.call_id or ""
        if message.is_error:
            entry["content"] = f"Error: {message.content}"
    if message.tool_uses:
        entry["content"] = message.content or None
        entry["tool_calls"] = [_tool_call(use) for use in message.tool_uses]
    return entry


def _tool_call(use: ToolUse) -> dict[str, Any]:
    arguments = msgspec.json.encode(use.arguments).decode()
    function = {"name": use.name, "arguments": arguments}
    return {"id": use.call_id, "type": "function", "function": function}


def _function(tool: ToolSpec) -> dict[str, Any]:
    function = {"name": tool.name, "parameters": tool.parameters or _NO_PARAMETERS}
    return {**function, "description": tool.description} if tool.description else function


# --- errors ------------------------------------------------------------------------------


def error_of(status: int, body: bytes) -> ProviderError:
    """What an answer with an error status means, in the server's words as far as it has some."""
    try:
        said = msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        said = body.decode(errors="replace").strip()
    return error_told(status, said)


def error_inside(body: bytes) -> ProviderError | None:
    """The error object in a body whose status said that all is well; None without one."""
    try:
        said = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return error_told(None, said) if said.get("error") else None


def error_told(status: int | None, said: Any) -> ProviderError:
    """The error that a server's object or text tells; ``said`` may be any JSON.

    In a stream there is no ``status``; some servers put one into ``code``.
    """
    said = said.get("error", said) if isinstance(said, dict) else said
    fields = said if isinstance(said, dict) else {"message": said}
    words = fields.get("message") or fields.get("detail") or fields.get("error") or ""
    code = fields.get("code") or fields.get("type")
    param = fields.get("param")
    if status is None and isinstance(code, int) and not isinstance(code, bool):
        status = code
    refused = (
        status is not None and status < _FIRST_SERVER_ERROR and status not in _WORTH_ANOTHER_TRY
    )
    kind = Refused if refused else Unavailable
    return kind(
        f"the language model answered {status or 'an error'}"
        + (f": {str(words)[:_MAX_WORDS_OF_SERVER]}" if words else ""),
        status_code=status,
        provider_code=None if code is None else str(code),
        provider_param=None if param is None else str(param),
    )
