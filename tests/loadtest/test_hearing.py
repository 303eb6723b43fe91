"""What a caller of a load test hears."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_loadtest.hearing import Hearing, size_of, told
from antiphon_loadtest.notes import Notes
from antiphon_protocol import codec
from antiphon_protocol.audio import PCM
from clients.fake_agent import silence, tone


def _hear(hearing: Hearing, now: float, text: str) -> None:
    message = told(text.encode())
    assert message is not None
    hearing.hear(message, now)


def _sound(ms: float, reply: str = "r1") -> str:
    return codec.encode_reply_audio(reply, silence(ms), 1.0)


def _done(status: str = "completed") -> str:
    return f'{{"type":"reply.done","reply_id":"r1","status":"{status}"}}'


@given(samples=st.binary(max_size=300))
def test_the_length_of_sound_follows_from_its_text(samples: bytes) -> None:
    """Without decoding it, for every padding."""
    message = told(codec.encode_reply_audio("r", samples, 1.0).encode())
    assert message is not None
    assert size_of(message.data) == len(samples)


@given(frame=st.one_of(st.binary(max_size=50), st.just(b"[" * 5000), st.just(b'{"type":7}')))
def test_nothing_that_comes_raises(frame: bytes) -> None:
    """What is no message is None."""
    message = told(frame)
    assert message is None or isinstance(message.type, str)


def test_sound_in_time_is_not_late_and_sound_after_a_gap_is() -> None:
    """Late is what comes more than a frame after the last piece was played."""
    notes = Notes()
    hearing = Hearing(PCM, notes)
    _hear(hearing, 1.0, _sound(100))
    assert hearing.sound_at == 1.0
    _hear(hearing, 1.05, _sound(100))
    assert hearing.plays_until == pytest.approx(1.2)
    _hear(hearing, 1.21, _sound(100))
    assert notes.counts["late"] == 0
    _hear(hearing, 1.5, _sound(100))
    assert notes.counts == {"pieces": 4, "late": 1, "gap_ms": 190}


def test_another_reply_after_a_pause_is_not_late() -> None:
    """Nor is what follows an interruption."""
    notes = Notes()
    hearing = Hearing(PCM, notes)
    _hear(hearing, 1.0, _sound(100))
    _hear(hearing, 1.01, _done("interrupted"))
    assert (hearing.replying, hearing.interrupted, hearing.cut_at) == (False, True, 1.01)
    assert hearing.plays_until == 1.01
    _hear(hearing, 9.0, _sound(100, "r2"))
    assert notes.counts["late"] == 0
    assert hearing.sound_at == 9.0


def test_sound_after_the_end_of_its_reply_and_failed_replies_are_errors() -> None:
    """A server must not send it (protocol section 4.8)."""
    notes = Notes()
    hearing = Hearing(PCM, notes)
    _hear(hearing, 1.0, _sound(100))
    _hear(hearing, 1.1, _done())
    _hear(hearing, 1.2, _sound(100))
    _hear(hearing, 2, '{"type":"reply.started","reply_id":"r2"}')
    assert not hearing.gave_something
    _hear(hearing, 2, '{"type":"reply.error","reply_id":"r2","code":"llm_provider_error"}')
    assert hearing.gave_something
    assert notes.errors == {"sound after reply.done": 1, "reply: llm_provider_error": 1}


def test_silence_before_the_answer_does_not_count_when_it_is_looked_at() -> None:
    """With ``audible`` the first sample that can be heard is the answer."""
    hearing = Hearing(PCM, Notes(), audible=True)
    _hear(hearing, 1.0, _sound(100))
    assert hearing.sound_at is None
    _hear(hearing, 1.02, codec.encode_reply_audio("r1", silence(50) + tone(50), 1.0))
    assert hearing.sound_at == pytest.approx(1.15, abs=0.001)


def test_sound_that_is_none_is_an_error() -> None:
    """Not base64, or not even text."""
    notes = Notes()
    hearing = Hearing(PCM, notes, audible=True)
    for data in ("***", 7):
        text = msgspec.json.encode({"type": "reply.audio", "reply_id": "r1", "data": data})
        _hear(hearing, 1.0, text.decode())
    assert notes.errors == {"sound that is not base64": 2}
