"""The speaker's side of barge-in."""

import threading

import pytest

from antiphon.events import (
    Dropped,
    ReplyAudio,
    ReplyDone,
    ReplyStarted,
    SpeechStarted,
    UserTranscript,
)
from antiphon.playback import SILENT_BYTE, Playback
from antiphon_protocol.audio import ENCODINGS, PCM, PCMU


def _audio(reply_id: str, samples: bytes) -> ReplyAudio:
    return ReplyAudio(reply_id, samples, 0.0)


def test_sound_is_read_in_order_and_filled_up_with_silence() -> None:
    """A device is given exactly what it asks for, across the borders of pieces."""
    playback = Playback()
    playback.hear(_audio("r", b"\x01\x01\x02\x02"))
    playback.hear(_audio("r", b"\x03\x03"))
    assert playback.read(2) == b"\x01\x01"
    assert playback.read(8) == b"\x02\x02\x03\x03\0\0\0\0"
    assert playback.read(0) == b""


@pytest.mark.parametrize("name", sorted(ENCODINGS))
def test_silence_is_what_the_encoding_calls_silence(name: str) -> None:
    """G.711's zero byte would be a loud click."""
    playback = Playback(ENCODINGS[name])
    assert playback.read(3) == bytes([SILENT_BYTE[name]] * 3)


def test_speech_drops_what_is_buffered_and_mutes_its_reply() -> None:
    """Also sound of that reply that was on its way; the next reply is heard."""
    playback = Playback()
    playback.hear(ReplyStarted(reply_id="a", item_id="m"))
    playback.hear(_audio("a", bytes([1] * 96)))
    playback.read(48)
    playback.hear(SpeechStarted())
    playback.hear(_audio("a", b"\x01\x01"))
    assert playback.buffered_ms == 0
    playback.hear(_audio("b", b"\x02\x02"))
    assert playback.read(2) == b"\x02\x02"


def test_a_reply_that_has_begun_without_sound_is_muted_too() -> None:
    """Speech between reply.started and its first sound means that reply."""
    playback = Playback()
    playback.hear(ReplyStarted(reply_id="a", item_id="m"))
    playback.hear(SpeechStarted())
    playback.hear(_audio("a", b"\x01\x01"))
    assert playback.buffered_ms == 0


def test_a_line_that_drops_falls_silent_at_once() -> None:
    """What is buffered belongs to a reply that nobody goes on with."""
    playback = Playback()
    playback.hear(_audio("a", bytes([1] * 96)))
    playback.hear(Dropped(1006))
    playback.hear(_audio("a", b"\x01\x01"))
    assert playback.buffered_ms == 0


def test_an_interrupted_reply_is_dropped_and_a_completed_one_plays_on() -> None:
    """reply.done of a completed reply comes before its sound has been played."""
    playback = Playback()
    playback.hear(_audio("a", b"\x01\x01\x01\x01"))
    playback.read(2)
    playback.hear(ReplyDone(reply_id="a", status="completed"))
    playback.hear(_audio("b", b"\x02\x02"))
    playback.hear(ReplyDone(reply_id="b", status="interrupted"))
    assert playback.read(4) == b"\x01\x01\0\0"


@pytest.mark.parametrize("status", ["completed", "interrupted"])
def test_sound_after_the_end_of_its_reply_is_ignored(status: str) -> None:
    """Whatever the end was."""
    playback = Playback()
    playback.hear(
        ReplyDone(reply_id="a", status="completed" if status[0] == "c" else "interrupted")
    )
    playback.hear(_audio("a", b"\x01\x01"))
    assert playback.buffered_ms == 0


def test_it_knows_how_much_of_a_reply_was_played() -> None:
    """In milliseconds of its encoding; silence that filled up does not count."""
    playback = Playback()
    assert playback.played_ms() == 0
    playback.hear(_audio("a", bytes(PCM.size(30))))
    playback.read(PCM.size(20))
    assert playback.buffered_ms == pytest.approx(10)
    assert playback.played_ms() == pytest.approx(20)
    playback.read(PCM.size(20))
    assert playback.played_ms("a") == pytest.approx(30)
    assert playback.played_ms("b") == 0
    playback.hear(_audio("b", bytes(PCM.size(10))))
    playback.read(PCM.size(5))
    assert playback.played_ms() == pytest.approx(5)


def test_flushing_says_how_much_was_dropped() -> None:
    """In milliseconds."""
    playback = Playback(PCMU)
    playback.push("a", bytes(PCMU.size(40)))
    playback.read(PCMU.size(10))
    assert playback.flush() == pytest.approx(30)
    assert playback.flush() == 0


def test_events_that_are_not_about_sound_change_nothing() -> None:
    """All events may be given to it."""
    playback = Playback()
    playback.push("a", b"\x01\x01")
    playback.hear(UserTranscript(item_id="m", text="Hm."))
    assert playback.read(2) == b"\x01\x01"


def test_another_thread_may_read_while_sound_comes() -> None:
    """Nothing is lost, doubled or torn."""
    playback = Playback()
    sound = bytes(range(1, 251)) * 40
    heard = bytearray()

    def device() -> None:
        while len(heard) < len(sound):
            heard.extend(playback.read(7).rstrip(b"\0"))

    thread = threading.Thread(target=device)
    thread.start()
    for start in range(0, len(sound), 100):
        playback.push("a", sound[start : start + 100])
    thread.join(60)
    assert bytes(heard) == sound
