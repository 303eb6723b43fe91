"""Examples in the docs."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Struct

from antiphon_protocol import codec, ranges
from antiphon_protocol.audio import PCM
from antiphon_protocol.voice_agent import (
    ReplyAudio,
    ReplyDone,
    ReplyStarted,
    SendAudio,
    TurnTimeline,
)
from antiphon_server.call.timeline import STAGES
from wire_examples import A_SESSION, OTHERS, examples_of
from wire_model import CLIENT_MESSAGES, SERVER_MESSAGES


@pytest.mark.parametrize("kind", CLIENT_MESSAGES, ids=lambda kind: kind.__name__)
def test_every_client_message_has_examples_that_decode_to_it(kind: type[Struct]) -> None:
    """The codec reads what the docs show."""
    assert examples_of(kind)
    for example in examples_of(kind):
        message = codec.decode_client(msgspec.json.encode(example))
        assert type(message) is kind
        ranges.check(message)


@pytest.mark.parametrize("kind", SERVER_MESSAGES, ids=lambda kind: kind.__name__)
def test_every_server_message_has_examples_that_decode_to_it(kind: type[Struct]) -> None:
    """The codec reads what the docs show."""
    assert examples_of(kind)
    for example in examples_of(kind):
        message = codec.decode_server(msgspec.json.encode(example))
        assert type(message) is kind
        ranges.check(message)


def test_the_session_keeps_the_rules_of_the_protocol() -> None:
    """Timestamps do not go back; each reply starts once and is done once (section 4.12)."""
    messages = [step.message for step in A_SESSION]
    times = [step.message.timestamp for step in A_SESSION if not step.from_client]  # type: ignore[union-attr]
    started = [message.reply_id for message in messages if isinstance(message, ReplyStarted)]
    done = [message.reply_id for message in messages if isinstance(message, ReplyDone)]
    assert times == sorted(times)
    assert started == done
    assert len(set(started)) == len(started)


def test_the_stages_of_the_timeline_are_those_the_server_measures() -> None:
    """Names that nobody sends would mislead."""
    (timeline,) = examples_of(TurnTimeline)
    assert set(timeline["stages"]) <= set(STAGES)


def test_the_audio_of_the_examples_is_audio() -> None:
    """Whole samples in strict base64."""
    for message in [*(step.message for step in A_SESSION), *OTHERS]:
        if isinstance(message, SendAudio | ReplyAudio):
            text = message.audio if isinstance(message, SendAudio) else message.data
            assert len(codec.decode_base64(text)) % PCM.bytes_per_sample == 0
