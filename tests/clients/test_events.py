"""Frames as events."""

import pytest

from antiphon.events import ReplyAudio, SpeechStarted, UnknownEvent, event_of
from antiphon_protocol import codec
from antiphon_protocol.errors import InvalidAudio, InvalidFormat


def test_sound_arrives_as_bytes_with_the_time_it_came() -> None:
    """reply.audio is decoded once, where it is received."""
    frame = codec.encode_reply_audio("resp_1", b"\x01\x02\x03\x04", 5.5)
    assert event_of(frame, 2.0) == ReplyAudio("resp_1", b"\x01\x02\x03\x04", 2.0, 5.5)


def test_other_messages_are_the_protocols_own() -> None:
    """What needs no decoding is passed on as it is."""
    assert event_of('{"type":"input.speech.started","timestamp":1.5}', 0.0) == SpeechStarted(
        timestamp=1.5
    )


def test_an_unknown_type_keeps_everything_it_said() -> None:
    """A newer server is not lost on an older client."""
    event = event_of('{"type":"reply.sung","melody":[1,2]}', 0.0)
    assert event == UnknownEvent("reply.sung", {"type": "reply.sung", "melody": [1, 2]})


@pytest.mark.parametrize("frame", ["", "{", "[]", '{"type":7}', '{"type":"reply.done"}', b"\xff"])
def test_what_is_no_message_is_invalid_format(frame: str | bytes) -> None:
    """Nothing else is raised for a bad frame."""
    with pytest.raises(InvalidFormat):
        event_of(frame, 0.0)


def test_sound_that_is_not_base64_is_invalid_audio() -> None:
    """It is told from a broken message."""
    with pytest.raises(InvalidAudio):
        event_of('{"type":"reply.audio","reply_id":"r","data":"!"}', 0.0)
