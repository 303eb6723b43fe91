"""One response, put together from its events."""

from __future__ import annotations

import pytest

from antiphon_providers.errors import Malformed, Refused, Unavailable
from antiphon_providers.interfaces import Said, Sound, Spent, SpokenPiece, ToolUse, Used
from antiphon_providers.openai_realtime_reply import Answer
from antiphon_providers.openai_realtime_wire import (
    CallDone,
    Details,
    Event,
    OutputItem,
    OutputItemAdded,
    Response,
    ResponseDone,
    SoundDelta,
    SpokenDelta,
    Usage,
    WrittenDelta,
)


def taken(*events: Event) -> list[SpokenPiece]:
    """All that they add."""
    answer = Answer()
    return [piece for event in events for piece in answer.take(event)]


def done(status: str = "completed", reason: str | None = None) -> ResponseDone:
    """Its end."""
    return ResponseDone(Response("r", status, Details(reason), None))


def test_sound_is_whole_samples_whatever_it_comes_in() -> None:
    """Half a sample waits for its other half; empty pieces are none."""
    pieces = taken(
        SoundDelta("r", "i", "AQID"),
        SoundDelta("r", "i", ""),
        SpokenDelta("r", "i", ""),
        SoundDelta("r", "i", "BA=="),
        done(),
    )
    assert pieces == [Sound(b"\1\2", 0), Sound(b"\3\4", 0), Sound(b"", 0, ends=True)]


@pytest.mark.parametrize("delta", ["!", "AQ", "A\u00e9==", "A A="])
def test_sound_that_is_no_base64_is_malformed(delta: str) -> None:
    """Wrong characters, wrong lengths."""
    with pytest.raises(Malformed, match="no base64"):
        taken(SoundDelta("r", "i", delta))


def test_calls_count_when_the_response_has_ended_well() -> None:
    """Their names may have come before; arguments may be none at all."""
    named = OutputItemAdded("r", OutputItem("i", "function_call", "look"))
    call = CallDone("r", "i", "call_1", "", None)
    assert taken(named, call) == []
    assert taken(named, call, done()) == [Used(ToolUse("call_1", "look", {}))]
    assert taken(named, call, call, done()) == [Used(ToolUse("call_1", "look", {}))]
    with pytest.raises(Unavailable, match="broken off"):
        taken(named, call, done("cancelled", "turn_detected"))


@pytest.mark.parametrize("arguments", ["[]", "7", '{"a"', "[" * 50_000, "null"])
def test_arguments_that_are_no_object_are_malformed(arguments: str) -> None:
    """And the tool is named."""
    with pytest.raises(Malformed, match="tool 'look'"):
        taken(CallDone("r", "i", "call_1", arguments, "look"), done())


def test_what_it_cost_is_told_where_it_is_told() -> None:
    """Some of it, or nothing."""
    said = SpokenDelta("r", "i", "Hi.")
    assert taken(said, ResponseDone(Response("r", usage=Usage(7, None, None)))) == [
        Said("Hi."),
        Spent(7, 0, 0),
    ]
    assert taken(said, done()) == [Said("Hi.")]


def test_an_end_may_be_none() -> None:
    """Filtered, broken off, empty; white space says nothing."""
    with pytest.raises(Refused, match="content filter"):
        taken(SpokenDelta("r", "i", "Hi."), done("incomplete", "content_filter"))
    with pytest.raises(Malformed, match="empty"):
        taken(WrittenDelta("r", "i", " \n"), done())
    assert taken(WrittenDelta("r", "i", "Hi."), done("incomplete", "max_output_tokens"))


async def test_news_are_told_in_order_and_errors_raised() -> None:
    """Whoever takes them waits for them."""
    answer = Answer()
    answer.tell(done())
    answer.tell(Unavailable("gone"))
    assert await answer.news() == done()
    with pytest.raises(Unavailable, match="gone"):
        await answer.news()
