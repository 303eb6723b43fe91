"""Limits, checked."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from antiphon_protocol import ranges
from antiphon_protocol.errors import InvalidValue
from antiphon_protocol.session_config import (
    HttpTool,
    InputConfig,
    InputUpdate,
    OutputConfig,
    ResponseInstructions,
    SessionConfig,
    SessionUpdate,
    Tool,
    ToolUpdate,
    TurnDetection,
    TurnDetectionUpdate,
    Webhook,
)


def _config(**parts: Any) -> SessionConfig:
    return SessionConfig(id="sess_1", **parts)


def _listening(turn_detection: TurnDetection) -> SessionConfig:
    return _config(input=InputConfig(turn_detection=turn_detection))


def _with_tool(tool: Tool) -> SessionConfig:
    return _config(tools=(Tool(name="fine"), tool))


Build = Callable[[Any], Struct]

LOW_HIGH: list[tuple[Build, str, int, int]] = [
    (lambda x: _listening(TurnDetection(vad_threshold=x)), "vad_threshold", 0, 1),
    (lambda x: _listening(TurnDetection(min_silence=x)), "min_silence", 50, 10_000),
    (lambda x: _listening(TurnDetection(max_silence=x)), "max_silence", 50, 10_000),
    (lambda x: _listening(TurnDetection(interruption_delay=x)), "interruption_delay", 0, 1000),
    (lambda x: _config(input=InputConfig(voice_focus_threshold=x)), "voice_focus_threshold", 0, 1),
    (lambda x: _config(output=OutputConfig(volume=x)), "output.volume", 0, 100),
    (lambda x: _with_tool(Tool(name="f", timeout_seconds=x)), "tools[1].timeout_seconds", 1, 300),
]

SIZES: list[tuple[Build, str, int]] = [
    (lambda n: _config(input=InputConfig(keyterms=("word",) * n)), "input.keyterms", 100),
    (
        lambda n: _config(input=InputConfig(transcription_prompt="x" * n)),
        "transcription_prompt",
        1750,
    ),
    (
        lambda n: _with_tool(Tool(name="f", response_instructions=ResponseInstructions("x" * n))),
        "tools[1].response_instructions.success",
        500,
    ),
    (
        lambda n: _with_tool(
            Tool(name="f", response_instructions=ResponseInstructions(error="x" * n))
        ),
        "tools[1].response_instructions.error",
        500,
    ),
    (lambda n: _with_tool(Tool(name="f", http=HttpTool("u" * n))), "tools[1].http.url", 2048),
    (lambda n: SessionConfig(id="s", llm=({},) * n), "llm", 4),
    (lambda n: SessionConfig(id="s", pre_connect_requests=({},) * n), "pre_connect_requests", 2),
    (lambda n: Webhook("u" * n, ("session.started",)), "url", 2048),
    (lambda n: Webhook("u", ("session.started",), "x" * n), "secret", 256),
]


def _refused_path(value: Struct) -> str:
    with pytest.raises(InvalidValue) as refused:
        ranges.check(value)
    assert refused.value.param is not None
    assert f"'{refused.value.param}' must be " in refused.value.message
    return refused.value.param


@pytest.mark.parametrize(("build", "path", "low", "high"), LOW_HIGH, ids=lambda it: str(it)[:25])
def test_both_ends_of_a_range_belong_to_it(build: Build, path: str, low: int, high: int) -> None:
    """Appendix B gives the ends; a step beyond either is refused with the field's path."""
    ranges.check(build(low))
    ranges.check(build(high))
    assert _refused_path(build(low - 1)).endswith(path)
    assert _refused_path(build(high + 1)).endswith(path)


@pytest.mark.parametrize(("build", "path", "most"), SIZES, ids=lambda it: str(it)[:25])
def test_the_longest_allowed_text_and_list_pass_and_one_more_does_not(
    build: Build, path: str, most: int
) -> None:
    """Appendix B gives the sizes."""
    ranges.check(build(most))
    assert _refused_path(build(most + 1)).endswith(path)


def test_a_secret_too_short_and_no_events_are_refused() -> None:
    """The lower limits of section 6.5."""
    assert _refused_path(Webhook("u", ("session.started",), "x" * 31)) == "secret"
    assert _refused_path(Webhook("u", ())) == "events"


def test_nan_is_out_of_every_range() -> None:
    """No comparison with NaN holds."""
    assert _refused_path(OutputConfig(volume=math.nan)) == "volume"


def test_a_number_beyond_64_bits_is_only_out_of_range() -> None:
    """The decoder lets it through; the range does not."""
    assert _refused_path(TurnDetection(min_silence=10**30)) == "min_silence"


def test_an_update_is_checked_like_the_configuration() -> None:
    """The same limits hold for what a client sends; absent and null keys break none."""
    update = SessionUpdate(
        input=InputUpdate(turn_detection=TurnDetectionUpdate(min_silence=49, max_silence=None))
    )
    assert _refused_path(update) == "input.turn_detection.min_silence"
    tools = SessionUpdate(tools=(ToolUpdate("f", "function", timeout_seconds=301),), input=None)
    assert _refused_path(tools) == "tools[0].timeout_seconds"
    ranges.check(SessionUpdate())


def test_a_path_can_begin_somewhere_else() -> None:
    """A struct that was converted on its own is named by where it came from."""
    with pytest.raises(InvalidValue) as refused:
        ranges.check(OutputConfig(volume=-1), "output.")
    assert refused.value.param == "output.volume"


@given(volume=st.none() | st.floats())
def test_a_volume_passes_exactly_if_it_is_in_range(volume: float | None) -> None:
    """Checked against the rule written the other way round."""
    try:
        ranges.check(OutputConfig(volume=volume))
    except InvalidValue:
        assert volume is not None
        assert not 0 <= volume <= 100
    else:
        assert volume is None or 0 <= volume <= 100
