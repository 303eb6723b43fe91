"""A stream's events become one reply, and broken ones none."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_providers.anthropic_assembly import Assembly
from antiphon_providers.errors import Malformed, ProviderError
from antiphon_providers.interfaces import Said, ToolUse, Used

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
NAMES = st.sampled_from(["type", "index", "delta", "content_block", "message", "usage", "error"])


def take(reply: Assembly, kind: str, **fields: Any) -> list[Said]:
    """One event."""
    return reply.take(msgspec.json.encode({"type": kind, **fields}).decode())


def called(*pieces: str, name: str = "f", stop: str = "tool_use") -> Assembly:
    """A reply that calls a tool."""
    reply = Assembly()
    block = {"type": "tool_use", "id": "t", "name": name, "input": {}}
    take(reply, "content_block_start", index=0, content_block=block)
    for piece in pieces:
        delta = {"type": "input_json_delta", "partial_json": piece}
        take(reply, "content_block_delta", index=0, delta=delta)
    take(reply, "message_delta", delta={"stop_reason": stop})
    return reply


def test_pings_thoughts_and_novelties_are_no_steps() -> None:
    """They keep nobody patient."""
    reply = Assembly()
    thought = {"type": "thinking_delta", "thinking": "hm"}
    assert take(reply, "ping") == take(reply, "novelty", x=1) == []
    assert take(reply, "content_block_delta", index=0, delta=thought) == []
    assert reply.steps == 0


def test_a_call_is_whole_at_the_end() -> None:
    """Its arguments are put together from their pieces."""
    assert called('{"x"', ":1}").finish() == [Used(ToolUse("t", "f", {"x": 1}))]


@pytest.mark.parametrize("pieces", [("{",), ("[]",), ("[" * 100_000,)])
def test_arguments_that_are_no_object_are_malformed(pieces: tuple[str, ...]) -> None:
    """Where the token limit cut them, it says so."""
    with pytest.raises(Malformed, match="no JSON object"):
        called(*pieces).finish()
    with pytest.raises(Malformed, match="token limit"):
        called(*pieces, stop="max_tokens").finish()
    with pytest.raises(Malformed, match="no name"):
        called("{}", name="").finish()


@given(st.lists(st.dictionaries(NAMES, JSON) | JSON))
def test_any_events_give_a_reply_or_one_of_our_errors(events: list[Any]) -> None:
    """Nothing else is ever raised."""
    reply = Assembly()
    try:
        for event in events:
            reply.take(msgspec.json.encode(event).decode())
        reply.finish()
    except ProviderError:
        pass
