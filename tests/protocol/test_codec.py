"""Bytes to messages and back."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pybase64
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from antiphon_protocol import codec
from antiphon_protocol.audio import PCM
from antiphon_protocol.errors import InvalidAudio, InvalidFormat
from antiphon_protocol.session_config import SessionUpdate
from antiphon_protocol.voice_agent import (
    EndSession,
    GiveToolResult,
    ReplyAudio,
    SendAudio,
    ToolCall,
    UpdateSession,
)
from protocol.wire_strategies import CLIENT_MESSAGES, JSON_VALUES, SERVER_MESSAGES, TEXT

NOT_JSON = "Invalid JSON format."
NO_MESSAGE = "Invalid message format: a message is a JSON object with a string 'type'"

# Spellings that JSON forbids, or that break decoders which nearly follow it.
TRAPS = [
    "NaN", "Infinity", "-Infinity", "1e400", "-1e400", "9" * 5000, "-0", "01", "+1", ".5", "1.",
    '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\x41"', '"', "'a'", "[", "{", "]", "}",
    "[" * 3000, "[" * 3000 + "]" * 3000, '{"a":' * 3000, "null", "true", "nul", "{}", "[]", '""',
    "18446744073709551616", "1e999999999", "\ufeff", "\u2028", "\ud800", ",", ":", "//x", "\\",
    '{"type":"session.end"}', '{"type":"session.end","type":7}', '"type"',
]  # fmt: skip


def _refusal(frame: str | bytes) -> str:
    with pytest.raises(InvalidFormat) as refused:
        codec.decode_client(frame)
    return refused.value.message


def _survives(frame: str | bytes) -> None:
    """A frame is a message, which can be encoded and read again, or ``InvalidFormat``."""
    for decode in (codec.decode_client, codec.decode_server):
        try:
            message = decode(frame)
        except InvalidFormat as refused:
            codec.encode(GiveToolResult("c", refused.message))  # It can be said on the wire.
            continue
        if message is not None:
            assert decode(codec.encode(message)) == message


# --- what is said about a bad frame --------------------------------------------------------


@pytest.mark.parametrize("frame", ["", " ", "{", "nonsense", '{"type":}', "\x00", b"\xff", b"\xef"])
def test_what_is_not_json_is_refused_with_the_hosted_text(frame: str | bytes) -> None:
    """Section 2.1."""
    assert _refusal(frame) == NOT_JSON


@pytest.mark.parametrize("frame", ["[]", "7", "null", '"session.end"', "{}", '{"type":7}'])
def test_json_without_a_string_type_is_no_message(frame: str) -> None:
    """Nothing can be said about its type."""
    assert _refusal(frame) == NO_MESSAGE


@pytest.mark.parametrize("kind", ["session.start", "", "Session.End", "reply.audio", "x" * 200])
def test_an_unknown_type_is_named(kind: str) -> None:
    """Section 2.1; the server's own types are unknown from a client."""
    assert _refusal(json.dumps({"type": kind})) == f"Unknown message type: {kind}"


def test_a_huge_unknown_type_is_cut() -> None:
    """The answer to a megabyte is not a megabyte."""
    assert _refusal(json.dumps({"type": "x" * 1_000_000})) == f"Unknown message type: {'x' * 200}"


@pytest.mark.parametrize(
    "message",
    [
        {"type": "session.resume"},
        {"type": "session.resume", "session_id": 7},
        {"type": "input.audio"},
        {"type": "input.audio", "audio": None},
        {"type": "input.audio", "data": "AAAA"},
        {"type": "tool.result", "call_id": "c"},
        {"type": "tool.result", "call_id": "c", "result": {"ok": True}},
        {"type": "tool.result", "call_id": "c", "result": "r", "is_error": "no"},
        {"type": "reply.create", "instructions": 7},
        {"type": "reply.cancel"},
        {"type": "conversation.message", "role": "assistant", "content": "x"},
        {"type": "conversation.message", "role": "user"},
        {"type": "session.update", "session": 7},
    ],
    ids=str,
)
def test_a_missing_or_mistyped_field_is_refused_with_the_hosted_text(message: Any) -> None:
    """Section 2.1."""
    expected = f"Invalid message format for type '{message['type']}'"
    assert _refusal(json.dumps(message)) == expected


def test_extra_fields_are_ignored() -> None:
    """Section 2.1: on every message; a session under another name is one with no session."""
    assert codec.decode_client('{"type":"session.end","when":"now"}') == EndSession()
    assert codec.decode_client('{"type":"session.update","config":{}}') == UpdateSession()


def test_null_stands_for_a_default() -> None:
    """Section 9, row 18."""
    message = codec.decode_client(
        '{"type":"tool.result","call_id":"c","result":"r","is_error":null}'
    )
    assert isinstance(message, GiveToolResult)
    assert not message.is_error
    assert codec.decode_client('{"type":"session.update","session":null}') == UpdateSession()


def test_a_whole_number_with_a_fraction_of_zero_is_an_integer() -> None:
    """What ``json.dumps(0.5 * 1000)`` makes of milliseconds."""
    turns = {"min_silence": 0.5 * 1000, "max_silence": 2e3, "vad_threshold": 1.0}
    same = {"min_silence": 500, "max_silence": 2000, "vad_threshold": 1}
    message, expected = (
        codec.decode_client(
            json.dumps({"type": "session.update", "session": {"input": {"turn_detection": one}}})
        )
        for one in (turns, same)
    )
    assert message == expected


@pytest.mark.parametrize("number", ["500.5", "1e300", "-1e400", '"500"', "true", "[500.0]"])
def test_what_is_no_whole_number_is_refused_where_one_is_needed(number: str) -> None:
    """Fractions, other types, and numbers no float has exactly."""
    turns = f'{{"turn_detection":{{"min_silence":{number}}}}}'
    frame = f'{{"type":"session.update","session":{{"input":{turns}}}}}'
    assert _refusal(frame) == "Invalid message format for type 'session.update'"


def test_a_duplicate_key_counts_once() -> None:
    """JSON leaves open which one; what matters is that it is one of them."""
    message = codec.decode_client('{"type":"reply.cancel","reply_id":"a","reply_id":"b"}')
    assert message.reply_id in {"a", "b"}  # type: ignore[union-attr]
    _survives('{"type":"session.end","type":"reply.cancel"}')


# --- what a client reads -------------------------------------------------------------------


def test_a_server_message_of_an_unknown_type_is_none() -> None:
    """A client ignores what a later version adds."""
    assert codec.decode_server('{"type":"reply.content_part.started","timestamp":1.0}') is None


@pytest.mark.parametrize("frame", ["", "{}", "[]", '{"type":null}', '{"type":' + "9" * 4000 + "}"])
def test_what_is_no_server_message_at_all_is_refused(frame: str) -> None:
    """Not None: None is for messages."""
    with pytest.raises(InvalidFormat):
        codec.decode_server(frame)


def test_a_known_server_message_of_the_wrong_shape_is_refused() -> None:
    """A reply of no status must not pass for one that is unknown."""
    with pytest.raises(InvalidFormat, match=r"^Invalid message format for type 'reply.done'$"):
        codec.decode_server('{"type":"reply.done","reply_id":"resp_1"}')


def test_a_missing_timestamp_is_tolerated() -> None:
    """Section 9, row 29: clients treat it as optional."""
    message = codec.decode_server('{"type":"input.speech.started"}')
    assert message is not None
    assert message.timestamp == 0.0


# --- there and back ------------------------------------------------------------------------


@given(message=CLIENT_MESSAGES)
def test_every_client_message_survives_the_wire(message: Any) -> None:
    """decode(encode(m)) == m, with absent, null and every other value."""
    assert codec.decode_client(codec.encode(message)) == message


@given(message=SERVER_MESSAGES)
def test_every_server_message_survives_the_wire(message: Any) -> None:
    """decode(encode(m)) == m."""
    assert codec.decode_server(codec.encode(message)) == message


@given(message=SERVER_MESSAGES)
def test_a_server_message_has_every_field_on_the_wire(message: Any) -> None:
    """Third-party clients drop an event that lacks one (section 2.2); only what is for former
    addresses is left out elsewhere, and the extension by which events are counted.
    """
    sent = json.loads(codec.encode(message))
    given = {name for name in message.__struct_fields__ if getattr(message, name) is not UNSET}
    assert set(sent) == {"type", *given}
    assert set(message.__struct_fields__) - given <= {"args", "seq"}


@given(
    reply_id=TEXT,
    samples=st.binary(max_size=2000),
    timestamp=st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 2**40),
)
def test_a_spliced_audio_frame_is_the_one_the_encoder_makes(
    reply_id: str, samples: bytes, timestamp: float
) -> None:
    """Byte for byte, whatever the id and the time."""
    message = ReplyAudio(
        timestamp=float(timestamp),
        reply_id=reply_id,
        data=pybase64.b64encode_as_string(samples),
    )
    assert codec.encode_reply_audio(reply_id, samples, timestamp) == codec.encode(message)


def test_an_audio_frame_without_a_time_is_of_now() -> None:
    """Wall time, for the wire asks for a timestamp."""
    frames = [codec.encode_reply_audio("resp_1", bytes(480)) for _ in range(2)]
    first, second = (codec.decode_server(frame) for frame in frames)
    assert first is not None
    assert second is not None
    assert 1_700_000_000 < first.timestamp <= second.timestamp


@given(samples=st.binary(max_size=2000))
def test_a_spliced_microphone_frame_is_the_one_the_encoder_makes(samples: bytes) -> None:
    """Byte for byte, and the samples come back out."""
    frame = codec.encode_input_audio(samples)
    message = SendAudio(audio=pybase64.b64encode_as_string(samples))
    assert frame == codec.encode(message)
    assert codec.decode_base64(message.audio) == samples


def test_ten_minutes_of_audio_in_one_frame_decode() -> None:
    """Any size: how much is too much is the server's rule, not the codec's."""
    frame = codec.encode_input_audio(bytes(PCM.size(600_000)))
    message = codec.decode_client(frame)
    assert isinstance(message, SendAudio)
    assert len(codec.decode_base64(message.audio)) == PCM.size(600_000)


@pytest.mark.parametrize(
    "text",
    ["A", "AA", "AAA", "AA=A", "A===", "AAAA AAAA", "AAA\n", "__-_", "é", "\ud800", "RIFF\x00"],
)
def test_base64_that_is_not_strict_is_refused(text: str) -> None:
    """Section 2.1: standard alphabet, padded, nothing else."""
    with pytest.raises(InvalidAudio, match=r"^Invalid audio data$"):
        codec.decode_base64(text)


def test_base64_of_an_encoder_that_breaks_lines_is_taken() -> None:
    """76 characters a line, as MIME has it, with either kind of line break."""
    samples = bytes(range(250))
    text = base64.encodebytes(samples).decode()
    assert "\n" in text
    assert codec.decode_base64(text) == samples
    assert codec.decode_base64(text.replace("\n", "\r\n")) == samples


@given(text=st.text(max_size=50))
def test_any_text_is_base64_or_invalid_audio(text: str) -> None:
    """No other error comes out."""
    try:
        samples = codec.decode_base64(text)
    except InvalidAudio:
        return
    unbroken = text.replace("\n", "").replace("\r", "")
    assert pybase64.b64encode_as_string(samples) == unbroken or unbroken.endswith("=")


# --- nothing else comes out ----------------------------------------------------------------


def _nested(levels: int) -> str:
    return '{"type":"session.update","session":{"llm":' + "[" * levels + "]" * levels + "}}"


def test_nesting_is_limited_where_json_passes_through() -> None:
    """The message, the session and what is inside it count; one level more is a shape error."""
    deepest = codec.MAX_NESTING - 2  # The message and its session are two.
    message = codec.decode_client(_nested(deepest))
    assert isinstance(message, UpdateSession)
    assert isinstance(message.session, SessionUpdate)
    _survives(_nested(deepest))
    assert _refusal(_nested(deepest + 1)) == "Invalid message format for type 'session.update'"


def test_deep_arguments_of_a_tool_call_are_refused_as_well() -> None:
    """What a client decoded it must be able to write to its log."""
    arguments: dict[str, Any] = {}
    for _ in range(codec.MAX_NESTING):
        arguments = {"a": arguments}
    frame = codec.encode(ToolCall(call_id="c", name="f", arguments=arguments))
    with pytest.raises(InvalidFormat, match=r"^Invalid message format for type 'tool.call'$"):
        codec.decode_server(frame)


@pytest.mark.parametrize("levels", [100, 990, 1000, 5000, 1_000_000])
@pytest.mark.parametrize(
    "start", ["[", '{"a":', '{"type":', '{"type":"session.end","x":', '{"type":"tool.call","a":']
)
def test_no_depth_of_nesting_breaks_the_decoder(start: str, levels: int) -> None:
    """Deeper than the interpreter's recursion limit, closed or cut off."""
    _survives(start * levels)
    _survives(start + "[" * levels + "]" * levels + ("]" if start == "[" else "}"))


@settings(max_examples=300)
@given(frame=st.binary(max_size=200) | st.text(max_size=200))
def test_no_bytes_and_no_text_break_the_decoder(frame: bytes | str) -> None:
    """Including lone surrogates and bytes that are not UTF-8."""
    _survives(frame)


@settings(max_examples=200)
@given(value=JSON_VALUES)
def test_no_json_breaks_the_decoder(value: Any) -> None:
    """Valid JSON that is no message."""
    _survives(msgspec.json.encode(value))


@settings(max_examples=300)
@given(message=CLIENT_MESSAGES | SERVER_MESSAGES, data=st.data())
def test_no_edit_of_a_valid_frame_breaks_the_decoder(message: Any, data: st.DataObject) -> None:
    """A piece of a valid frame cut out and a trap of JSON put in its place, a few times over."""
    frame = codec.encode(message)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(frame)))
        end = data.draw(st.integers(start, min(len(frame), start + 12)))
        frame = frame[:start] + data.draw(st.sampled_from(["", *TRAPS])) + frame[end:]
    _survives(frame)
    _survives(frame.encode("utf-8", "surrogatepass"))


@settings(max_examples=300)
@given(message=CLIENT_MESSAGES | SERVER_MESSAGES, data=st.data())
def test_no_wrong_value_in_a_valid_frame_breaks_the_decoder(
    message: Any, data: st.DataObject
) -> None:
    """One value anywhere in the message replaced by another or by a trap, or its key doubled."""
    tree = json.loads(codec.encode(message))
    holder: Any = tree
    key: Any = data.draw(st.sampled_from(list(tree)))
    while isinstance(holder[key], dict | list) and holder[key] and data.draw(st.booleans()):
        holder = holder[key]
        key = data.draw(st.sampled_from(list(holder) if isinstance(holder, dict) else [0]))
    holder[key] = "@here@"
    replacement = data.draw(
        st.sampled_from(TRAPS) | JSON_VALUES.map(lambda value: msgspec.json.encode(value).decode())
    )
    doubled = '1,"type":"session.end","session":' if data.draw(st.booleans()) else ""
    _survives(json.dumps(tree).replace('"@here@"', doubled + replacement))
