"""The protocol's tables: identifiers, events, the configuration's echo, codes, ranges.

Each table names the section of the protocol that it was copied from.
"""

from __future__ import annotations

from typing import Any

from conformance.shapes import (
    Shape,
    a_list,
    an_object,
    boolean,
    integer,
    list_of,
    null,
    nullable,
    number,
    one_of,
    pattern,
    record,
    text,
)

# §2, identifier shapes.
SESSION_ID = pattern(r"sess_[0-9a-f]{32}")
REPLY_ID = pattern(r"resp_[0-9a-f]{32}")
ITEM_ID = pattern(r"msg_[0-9a-f]{32}")
CALL_ID = pattern(r"chatcmpl-tool-[0-9a-f]{16}|call_\S+")
AGENT_ID = pattern(r"agent_[0-9a-f]{32}")
TOOL_ID = pattern(r"tool_[0-9a-f]{32}")

# §5.1.
CODES = (
    "unauthorized",
    "agent_not_found",
    "agent_id_not_first",
    "invalid_value",
    "invalid_format",
    "invalid_audio",
    "immutable_field",
    "invalid_config",
    "invalid_webhook",
    "audio_rate_violation",
    "at_capacity",
    "concurrency_exceeded",
    "internal_error",
    "session_not_found",
    "session_forbidden",
    "session_expired",
)

# §2.2: the fields of every server event, beside `type` and `timestamp`.
EVENTS: dict[str, dict[str, Shape]] = {
    "session.ready": {
        "session_id": SESSION_ID,
        "expires_at": integer,
        "resume_token": text,
        "config": an_object,
    },
    "session.updated": {"config": an_object},
    "session.ended": {
        "session_duration_seconds": number,
        "audio_duration_seconds": nullable(number),
    },
    "session.error": {"code": one_of(*CODES), "message": text},
    "input.speech.started": {},
    "input.speech.stopped": {},
    "transcript.user.delta": {"item_id": ITEM_ID, "text": text},
    "transcript.user": {"item_id": ITEM_ID, "text": text},
    "reply.started": {"reply_id": REPLY_ID, "item_id": ITEM_ID},
    "reply.audio": {"reply_id": REPLY_ID, "data": text},
    "transcript.agent.delta": {
        "reply_id": REPLY_ID,
        "item_id": ITEM_ID,
        "delta": text,
        "start_ms": nullable(integer),
        "end_ms": nullable(integer),
    },
    "transcript.agent": {
        "reply_id": REPLY_ID,
        "item_id": ITEM_ID,
        "text": text,
        "interrupted": boolean,
    },
    "reply.done": {"reply_id": REPLY_ID, "status": one_of("completed", "interrupted")},
    "tool.call": {"call_id": CALL_ID, "name": text, "arguments": an_object},
    "reply.error": {"reply_id": REPLY_ID, "code": text, "message": text, "retryable": boolean},
}

# §2.3: the effective configuration of a session that set nothing.
FORMAT = record(encoding=one_of("audio/pcm"), sample_rate=one_of(24000))
UNSET_CONFIG: dict[str, Shape] = {
    "id": SESSION_ID,
    "system_prompt": one_of(""),
    "greeting": null,
    "input.type": one_of("audio"),
    "input.format": FORMAT,
    "input.turn_detection": null,
    "input.keyterms": null,
    "input.transcription_mode": null,
    "input.continuous_partials": null,
    "input.transcription_prompt": null,
    "input.language_codes": null,
    "input.voice_focus": null,
    "input.voice_focus_threshold": null,
    "output.type": one_of("audio"),
    "output.voice": text,
    "output.format": FORMAT,
    "output.volume": null,
    "tools": one_of([]),
    "llm": one_of([]),
    "pre_connect_requests": one_of([]),
}

# §2.3: one entry of `tools` when only the name was set.
UNSET_TOOL: dict[str, Shape] = {
    "type": one_of("function"),
    "name": text,
    "description": text,
    "parameters": an_object,
    "timeout_seconds": Shape("the number 120", lambda value: number.holds(value) and value == 120),
    "execution_mode": one_of("interactive"),
    "http": null,
    "response_instructions": null,
    "deployment_id": null,
    "session_update": null,
    "image_tag": null,
}

# §2.3: `turn_detection` when an empty object was set.
UNSET_TURN_DETECTION: dict[str, Shape] = {
    "type": nullable(one_of("semantic_vad", "server_vad")),
    "vad_threshold": one_of(0.5),
    "min_silence": one_of(1000),
    "max_silence": one_of(3000),
    "interrupt_response": one_of(True),
    "interruption_delay": null,
    "uninterruptible_turns": one_of([]),
}

# §3.4.
_VOICES = (
    "alba anna charles estelle eve george giovanni iris jane jean juergen lola mary michael "
    "paul rafael reid vera"
)
VOICES = tuple(_VOICES.split())
_FORMER_VOICES = (
    "ivy james tyler winter bella david kyle helen martha river emma victor eleanor arjun dmitri "
    "pierre giulia luca lucia mateo diego sam mia jack sophie oliver ethan mei lukas lena mina "
    "joon ren hana claire dawn josh grace pete autumn"
)
FORMER_VOICES = tuple(_FORMER_VOICES.split())

# §3.1.
_LANGUAGES = "en es de fr pt it tr nl sv no da fi hi vi ar he ja zh"
LANGUAGES = _LANGUAGES.split()

# §3.1, §4.10: each with the values before and after.
MUTABLE: dict[str, Any] = {
    "system_prompt": "Be brief.",
    "input.turn_detection": {"min_silence": 700, "max_silence": 2100},
    "input.keyterms": ["Antiphon", "barge-in"],
    "input.transcription_mode": "min_latency",
    "input.transcription_prompt": "A call about ships.",
    "input.language_codes": ["en", "es"],
    "input.voice_focus": "far-field",
    "input.voice_focus_threshold": 0.25,
    "output.volume": 40,
    "tools": [{"type": "function", "name": "look_up", "description": "Looks up."}],
}
IMMUTABLE: dict[str, Any] = {
    "greeting": "Another greeting.",
    "output.voice": "vera",
    "output.format": {"encoding": "audio/pcmu"},
}

# Appendix B: values at both ends of each range, and values just beyond. (A `max_silence` below
# its range is also not above `min_silence`, which is another fault.)
RANGES: dict[str, tuple[list[Any], list[Any]]] = {
    "input.keyterms": ([[], ["a"] * 100], [["a"] * 101]),
    "input.transcription_prompt": (["", "p" * 1750], ["p" * 1751]),
    "input.turn_detection.vad_threshold": ([0, 0.15, 1], [-0.01, 1.01]),
    "input.turn_detection.min_silence": ([50, 320, 2999], [49, 10001]),
    "input.turn_detection.max_silence": ([1001, 10000], [10001]),
    "input.turn_detection.interruption_delay": ([0, 1000], [-1, 1001]),
    "input.voice_focus_threshold": ([0, 1], [-0.01, 1.01]),
    "output.volume": ([0, 100], [-1, 101]),
}
TOOL_RANGES: dict[str, tuple[list[Any], list[Any]]] = {
    "timeout_seconds": ([1, 300], [0, 301]),
    "response_instructions.success": (["s" * 500], ["s" * 501]),
    "response_instructions.error": (["e" * 500], ["e" * 501]),
}

# §6.1.
ERROR_ENVELOPE: dict[str, Shape] = {
    "code": text,
    "message": text,
    "param": nullable(text),
    "request_id": text,
    "errors": nullable(list_of(record(message=text, param=nullable(text)))),
}

# §6.1, list answers.
PAGE: dict[str, Shape] = {"has_more": boolean, "response_metadata.next_cursor": text}

# §6.2.
AGENT: dict[str, Shape] = {
    "id": AGENT_ID,
    "name": text,
    "system_prompt": text,
    "voice.voice_id": text,
    "greeting": nullable(text),
    "input.type": one_of("audio"),
    "input.format": FORMAT,
    "input.turn_detection": null,
    "input.keyterms": null,
    "output.type": one_of("audio"),
    "output.format": FORMAT,
    "output.volume": null,
    "tools": a_list,
    "pre_connect_requests": a_list,
    "transfer_targets": a_list,
    "outbound_trunk_id": null,
    "caller_id": null,
    "llm": a_list,
    "created_at": text,
    "updated_at": text,
}


def nested(path: str, value: Any) -> dict[str, Any]:
    """The object that has the value under a path with dots."""
    for key in reversed(path.split(".")):
        value = {key: value}
    result: dict[str, Any] = value
    return result


def at(config: dict[str, Any], path: str) -> Any:
    """What an object has under a path with dots."""
    value: Any = config
    for key in path.split("."):
        value = value[key]
    return value
