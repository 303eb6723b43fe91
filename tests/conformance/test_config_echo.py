"""The effective configuration that ``session.updated`` and ``session.ready`` echo (§2.3)."""

from __future__ import annotations

from typing import Any

import pytest

from conformance import spec
from conformance.dialogue import LOOK_UP
from conformance.shapes import misfits
from conformance.target import Target
from conformance.wire import opened, ready


@pytest.mark.parametrize("path", spec.UNSET_CONFIG)
async def test_every_key_is_there_when_nothing_was_set(target: Target, path: str) -> None:
    """§2.3: all keys are present, with their value when unset."""
    async with opened(target) as call:
        await call.update()
        for kind in ("session.updated", "session.ready"):
            event = await call.next(kind)
            assert misfits(event["config"], {path: spec.UNSET_CONFIG[path]}) == []


async def test_both_events_echo_the_same_with_the_session_id(target: Target) -> None:
    """§2.3: ``config.id`` is the session's id, in both events."""
    async with opened(target) as call:
        await call.update(system_prompt="P")
        updated = await call.next("session.updated")
        event = await call.next("session.ready")
        assert updated["config"] == event["config"]
        assert event["config"]["id"] == event["session_id"]


@pytest.mark.parametrize("side", ["input", "output"])
@pytest.mark.parametrize(
    ("encoding", "rate"), [("audio/pcm", 24000), ("audio/pcmu", 8000), ("audio/pcma", 8000)]
)
async def test_formats_echo_their_rate(target: Target, side: str, encoding: str, rate: int) -> None:
    """§2.3, §7.1: PCM is 24000, both laws are 8000; input and output are independent."""
    async with opened(target) as call:
        config = (await ready(call, **{side: {"format": {"encoding": encoding}}}))["config"]
        assert config[side]["format"] == {"encoding": encoding, "sample_rate": rate}
        other = {"input": "output", "output": "input"}[side]
        assert config[other]["format"] == {"encoding": "audio/pcm", "sample_rate": 24000}


async def test_an_empty_turn_detection_echoes_its_defaults(target: Target) -> None:
    """§2.3, §3.2: null when unset; an object, even an empty one, is echoed whole."""
    async with opened(target) as call:
        config = (await ready(call, input={"turn_detection": {}}))["config"]
        assert misfits(config["input"]["turn_detection"], spec.UNSET_TURN_DETECTION) == []


@pytest.mark.parametrize("key", spec.UNSET_TOOL)
async def test_a_tool_is_echoed_with_all_keys(target: Target, key: str) -> None:
    """§2.3: every entry of ``tools`` has all keys, ``timeout_seconds`` 120 among them."""
    async with opened(target) as call:
        (tool,) = (await ready(call, tools=[{"type": "function", "name": "f"}]))["config"]["tools"]
        assert misfits(tool, {key: spec.UNSET_TOOL[key]}) == []


WHOLE: dict[str, Any] = {
    "system_prompt": "You are brief.",
    "greeting": "",
    "input": {
        "type": "audio",
        "format": {"encoding": "audio/pcm", "sample_rate": 24000},
        "turn_detection": {
            "vad_threshold": 0.4,
            "min_silence": 600,
            "max_silence": 2000,
            "interrupt_response": False,
            "interruption_delay": 100,
            "uninterruptible_turns": ["greeting"],
        },
        "keyterms": ["Antiphon"],
        "transcription_mode": "max_accuracy",
        "transcription_prompt": "A call about ships.",
        "language_codes": ["en"],
        "voice_focus": "near-field",
        "voice_focus_threshold": 0.7,
    },
    "output": {"type": "audio", "voice": "vera", "volume": 80},
    "tools": [
        {
            **LOOK_UP,
            "timeout_seconds": 30,
            "execution_mode": "hold",
            "response_instructions": {"success": "Be glad.", "error": "Be sorry."},
        }
    ],
}


async def test_what_was_set_is_echoed_as_it_was_set(target: Target) -> None:
    """§2.3, §3: every settable field comes back with its value."""
    async with opened(target) as call:
        config = (await ready(call, **WHOLE))["config"]
    assert _differences(WHOLE, config) == []


def _differences(sent: Any, echoed: Any, path: str = "") -> list[str]:
    """Where the echo lacks or changes what was sent; what it adds is fine."""
    if isinstance(sent, dict) and isinstance(echoed, dict):
        return [
            difference
            for key, value in sent.items()
            for difference in _differences(value, echoed.get(key), f"{path}.{key}")
        ]
    if isinstance(sent, list) and isinstance(echoed, list) and len(sent) == len(echoed):
        pairs = enumerate(zip(sent, echoed, strict=True))
        return [wrong for at, (a, b) in pairs for wrong in _differences(a, b, f"{path}[{at}]")]
    return [] if sent == echoed else [f"{path}: sent {sent!r}, echoed {echoed!r}"]
