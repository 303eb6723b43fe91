"""What a caller hears, and when it could be heard."""

import pytest

from antiphon.ear import Ear
from antiphon.events import (
    AgentTranscript,
    ReplyAudio,
    ReplyDone,
    ReplyError,
    ReplyStarted,
    SpeechStarted,
    TurnTimeline,
    UserTranscript,
)
from antiphon.sound import encode
from antiphon_protocol.audio import PCMU
from clients.fake_agent import silence, tone


def _audio(samples: bytes, at: float, reply_id: str = "r") -> ReplyAudio:
    return ReplyAudio(reply_id, samples, at)


def test_silence_at_the_beginning_is_not_an_answer() -> None:
    """The first audible sample counts, where a player would have played it."""
    ear = Ear()
    ear.hear(ReplyStarted(reply_id="r", item_id="m"), 10.0)
    ear.hear(_audio(silence(200), 10.0), 10.0)
    assert ear.replies[0].audible_at is None
    # Sent ahead of its time: the silence before it is still playing.
    ear.hear(_audio(silence(50) + tone(100), 10.1), 10.1)
    assert ear.replies[0].audible_at == pytest.approx(10.25, abs=0.001)
    assert ear.plays_until == pytest.approx(10.35)
    assert ear.replies[0].started_at == 10.0


def test_after_a_gap_sound_is_played_when_it_comes() -> None:
    """A player that ran dry does not wait."""
    ear = Ear()
    ear.hear(_audio(silence(20), 1.0), 1.0)
    ear.hear(_audio(tone(20), 5.0), 5.0)
    assert ear.replies[0].audible_at == pytest.approx(5.0, abs=0.001)


def test_g711_is_heard_at_its_own_rate() -> None:
    """Eight samples are a millisecond."""
    ear = Ear(PCMU, keeps_sound=True)
    ear.hear(_audio(encode(silence(100) + tone(100), PCMU), 1.0), 1.0)
    assert ear.replies[0].audible_at == pytest.approx(1.1, abs=0.005)
    assert ear.plays_until == pytest.approx(1.2, abs=0.001)
    assert len(ear.replies[0].pcm) == pytest.approx(2 * 1600, abs=8)


def test_an_interruption_drops_what_was_not_played() -> None:
    """Sound that would have been audible later never was."""
    ear = Ear()
    ear.hear(_audio(silence(500) + tone(500), 1.0), 1.0)
    ear.hear(SpeechStarted(), 1.2)
    ear.hear(ReplyDone(reply_id="r", status="interrupted"), 1.2)
    (reply,) = ear.replies
    assert reply.audible_at is None
    assert reply.interrupted
    assert reply.unheard_ms == pytest.approx(800)
    assert ear.plays_until == 1.2
    assert ear.speech_started_at == [1.2]


def test_a_completed_reply_is_played_to_its_end() -> None:
    """reply.done may come long before."""
    ear = Ear()
    ear.hear(_audio(tone(500), 1.0), 1.0)
    ear.hear(ReplyDone(reply_id="r", status="completed"), 1.0)
    assert ear.plays_until == pytest.approx(1.5)
    assert ear.replies[0].over
    assert not ear.replies[0].interrupted


def test_sound_after_the_end_of_its_reply_is_counted_and_not_heard() -> None:
    """It is the server's fault, and it moves no clock but that of the last sound."""
    ear = Ear()
    ear.hear(ReplyDone(reply_id="r", status="interrupted"), 1.0)
    ear.hear(_audio(tone(20), 1.3), 1.3)
    (reply,) = ear.replies
    assert reply.late_pieces == 1
    assert reply.last_audio_at == 1.3
    assert reply.audible_at is None
    assert ear.plays_until == 0


def test_words_failures_and_times_belong_to_their_reply() -> None:
    """Events find the reply by its id, also without reply.started."""
    ear = Ear()
    timeline = TurnTimeline(reply_id="b", trigger="greeting", stages={}, providers={})
    ear.hear(ReplyError(reply_id="a", code="x", message="y", retryable=True), 1.0)
    ear.hear(AgentTranscript(reply_id="b", item_id="m", text="Hi.", interrupted=False), 2.0)
    ear.hear(timeline, 2.0)
    ear.hear(UserTranscript(item_id="m", text="Hm."), 3.0)
    failed, spoke = ear.replies
    assert failed.error == "x: y"
    assert failed.gave_something
    assert spoke.text == "Hi."
    assert spoke.timeline is timeline
    assert not spoke.gave_something
    assert ear.transcripts == [(3.0, "Hm.")]


def test_sound_is_kept_only_where_it_is_asked_for() -> None:
    """A long measurement does not fill the memory."""
    ear = Ear()
    ear.hear(_audio(tone(20), 1.0), 1.0)
    assert ear.replies[0].pcm == b""
