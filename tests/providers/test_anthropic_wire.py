"""Prompts become what the Messages API takes."""

from __future__ import annotations

from typing import Any

from antiphon_providers.anthropic_wire import (
    CALL_BEGINS,
    GO_ON,
    NO_RESULT,
    error_of,
    error_told,
    messages_of,
    system_of,
    tools_of,
)
from antiphon_providers.errors import Refused, Unavailable
from antiphon_providers.interfaces import Message, Prompt, ToolSpec, ToolUse


def text(words: str) -> dict[str, str]:
    """A block of text."""
    return {"type": "text", "text": words}


def test_system_messages_go_to_the_top() -> None:
    """All of them; only the first is cached, for instructions change with each reply."""
    said = [Message(role="system", content=words) for words in ("You are kind.", " ", "Be brief.")]
    prompt = Prompt(tuple(said))
    kept = {**text("You are kind."), "cache_control": {"type": "ephemeral"}}
    assert system_of(prompt, cache=True) == [kept, text("Be brief.")]
    assert system_of(prompt, cache=False) == [text("You are kind."), text("Be brief.")]
    assert messages_of(prompt) == [{"role": "user", "content": [text(CALL_BEGINS)]}]


def test_a_user_begins_and_ends_and_roles_alternate() -> None:
    """What the conversation lacks for it is said in brackets."""
    one, two = Message(role="assistant", content="One."), Message(role="assistant", content="Two.")
    assert messages_of(Prompt((one, two))) == [
        {"role": "user", "content": [text(CALL_BEGINS)]},
        {"role": "assistant", "content": [text("One."), text("Two.")]},
        {"role": "user", "content": [text(GO_ON)]},
    ]


def test_each_call_is_answered_in_the_next_message() -> None:
    """Late results are brought forward, missing ones said to be missing, stray ones are words."""
    uses = (ToolUse("a.1", "f", {"x": 1}), ToolUse("b", "g", {}), ToolUse("c", "h", {}))
    messages = (
        Message(role="user", content="Do."),
        Message(role="assistant", tool_uses=uses),
        Message(role="tool", content="broken", call_id="b", is_error=True),
        Message(role="user", content="Well?"),
        Message(role="tool", content="good", call_id="a.1"),
        Message(role="tool", content="stray", call_id="z"),
    )
    _, calls, answers = messages_of(Prompt(messages))
    assert calls["content"][0] == {"type": "tool_use", "id": "a_1", "name": "f", "input": {"x": 1}}
    result = {"type": "tool_result"}
    assert answers["content"] == [
        {**result, "tool_use_id": "a_1", "content": "good"},
        {**result, "tool_use_id": "b", "content": "broken", "is_error": True},
        {**result, "tool_use_id": "c", "content": NO_RESULT, "is_error": True},
        text("Well?"),
        text("stray"),
    ]


def test_tools_have_a_schema_of_an_object() -> None:
    """Also those without parameters."""
    (tool,) = tools_of(Prompt((), (ToolSpec("f"),)), cache=False)
    assert tool == {"name": "f", "input_schema": {"type": "object"}}


def test_errors_are_understood_by_status_and_by_type() -> None:
    """Within a stream the type stands for the status; what is unknown may be tried again."""
    body = b'{"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}}'
    limited = error_of(429, body)
    assert isinstance(limited, Unavailable)
    assert (limited.provider_code, limited.status_code) == ("rate_limit_error", 429)
    assert limited.message.endswith("slow down")
    told = error_told({"error": {"type": "permission_error", "message": "no"}})
    assert isinstance(told, Refused)
    assert told.status_code == 403
    strange: tuple[Any, ...] = (None, 7, "words", [], {"error": None}, {"error": {"type": 7}})
    for said in strange:
        assert isinstance(error_told(said), Unavailable)
