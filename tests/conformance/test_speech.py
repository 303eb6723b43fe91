"""What the user says: turns, transcripts, interruptions (§4.4, §4.6, §4.8, §7.2)."""

from __future__ import annotations

import pytest

from conformance import scenes
from conformance.dialogue import LONG
from conformance.scenes import ANSWER, LIKE, words_heard
from conformance.speech import likeness, users_words
from conformance.stage import Trace, shows
from conformance.target import Target

pytestmark = pytest.mark.needs("callback-url")

STREAMED = ("reply.audio", "transcript.agent.delta", "transcript.user.delta")
USER_TURN = ["input.speech.started", "input.speech.stopped", "transcript.user"]
REPLY = ["reply.started", "transcript.agent", "reply.done"]


@shows(scenes.user_turn)
def test_a_plain_turn_in_order(trace: Trace) -> None:
    """§4.4, §4.12: speech started, stopped, transcript, then the reply; started before deltas."""
    kinds = trace.kinds("reply.audio", "transcript.agent.delta")[2:]
    assert kinds[0] == "input.speech.started"
    stopped = kinds.index("input.speech.stopped")
    assert set(kinds[1:stopped]) == {"transcript.user.delta"}
    assert kinds[stopped:] == [*USER_TURN[1:], *REPLY]


@shows(scenes.user_turn)
def test_the_users_deltas_are_cumulative(trace: Trace) -> None:
    """§2.2: each replaces the one before, so the last holds most of the final words."""
    deltas, (final,) = trace.seen("transcript.user.delta"), trace.seen("transcript.user")
    assert deltas
    assert likeness(final["text"], deltas[-1]["text"]) >= LIKE
    assert {delta["item_id"] for delta in deltas} == {final["item_id"]}


@shows(scenes.user_turn)
def test_the_final_transcript_is_what_was_said(trace: Trace, target: Target) -> None:
    """§2.2: with capitals and punctuation."""
    (final,) = trace.seen("transcript.user")
    assert likeness(users_words(target), final["text"]) >= LIKE
    assert final["text"][0].isupper()
    assert final["text"][-1] in ".?!"


@shows(scenes.user_turn)
def test_the_reply_opens_with_the_end_of_the_turn(trace: Trace) -> None:
    """§4.4: steps 3 to 5 arrive together (live within 3 ms; here half a second is allowed)."""
    (stopped,) = trace.seen("input.speech.stopped")
    (started,) = trace.seen("reply.started")
    assert trace.arrival(started) - trace.arrival(stopped) < 0.5


@shows(scenes.user_turn)
def test_the_model_hears_what_was_transcribed(trace: Trace) -> None:
    """§4.4: the transcript is the user's message."""
    (final,) = trace.seen("transcript.user")
    assert final["text"] in " ".join(trace.notes["asked"][-1].said_by("user"))
    assert trace.seen("transcript.agent")[0]["text"] == ANSWER


@shows(scenes.silence)
def test_silence_is_no_speech(trace: Trace) -> None:
    """§4.3, §7.2: a continuous stream of silence gives no event."""
    assert trace.kinds() == ["session.updated", "session.ready"]


@shows(scenes.small_pieces)
def test_small_pieces_are_heard_and_gaps_end_a_turn(trace: Trace, target: Target) -> None:
    """§7.2: 5.3 ms a frame; endpointing works although no frames arrive after the words."""
    _heard(trace, target)


@shows(scenes.large_pieces)
def test_large_pieces_are_heard(trace: Trace, target: Target) -> None:
    """§7.2: 170 ms a frame, as browsers' ScriptProcessor gives."""
    _heard(trace, target)


@pytest.mark.recommended
@shows(scenes.huge_pieces)
def test_huge_pieces_are_heard(trace: Trace, target: Target) -> None:
    """§7.2: any chunk size is accepted; half a second a frame is more than known clients send."""
    _heard(trace, target)


@pytest.mark.recommended
@shows(scenes.odd_pieces)
def test_odd_pieces_are_put_together(trace: Trace, target: Target) -> None:
    """§7.2: the half sample is kept for the next frame."""
    _heard(trace, target)


@shows(scenes.in_a_burst)
def test_a_burst_is_tolerated(trace: Trace, target: Target) -> None:
    """§7.2, §5.1: several seconds at three times real time raise no ``audio_rate_violation``."""
    _heard(trace, target)


@shows(scenes.by_telephone)
def test_mu_law_is_heard_and_answered(trace: Trace, target: Target) -> None:
    """§7.1, §7.4: both directions ``audio/pcmu``, as a telephone bridge does."""
    _heard(trace, target)
    assert trace.seen("reply.audio")


def _heard(trace: Trace, target: Target) -> None:
    assert trace.seen("session.error") == []
    assert likeness(users_words(target), words_heard(trace)) >= LIKE


@shows(scenes.barge_in)
def test_an_interruption_in_order(trace: Trace) -> None:
    """§4.8, §9 row 22: speech started, the cut transcript, done; together and in this order."""
    kinds = trace.kinds("reply.audio", "transcript.agent.delta", "transcript.user.delta")
    cut = ["input.speech.started", "transcript.agent", "reply.done"]
    assert kinds[2:6] == ["reply.started", *cut]
    started = trace.seen("input.speech.started")[0]
    done = trace.seen("reply.done")[0]
    between = trace.events[trace.index(started) : trace.index(done) + 1]
    assert [event["type"] for event in between] == cut
    assert done["status"] == "interrupted"
    assert trace.arrival(done) - trace.arrival(started) < 0.1


@shows(scenes.barge_in)
def test_the_cut_transcript_ends_with_what_was_spoken(trace: Trace) -> None:
    """§2.2, §4.8: the words so far, no more than the audio that was sent could hold."""
    text = trace.seen("transcript.agent")[0]["text"]
    assert text
    assert LONG.startswith(text.rstrip(" ,."))
    assert len(text) < len(LONG) * 0.8


@shows(scenes.barge_in)
def test_no_audio_follows_an_interruption(trace: Trace) -> None:
    """§4.8: nothing of the old reply after its ``reply.done``."""
    done = trace.seen("reply.done")[0]
    later = trace.events[trace.index(done) + 1 :]
    assert [one for one in later if one.get("reply_id") == done["reply_id"]] == []


@shows(scenes.barge_in)
def test_the_interrupting_turn_is_answered(trace: Trace) -> None:
    """§4.8: the normal turn continues: deltas, stopped, transcript, reply."""
    done = trace.seen("reply.done")[0]
    after = [event["type"] for event in trace.events[trace.index(done) + 1 :]]
    continued = [kind for kind in after if kind not in STREAMED]
    assert continued[:3] == [*USER_TURN[1:], "reply.started"]
    assert continued[-1] == "reply.done"


@shows(scenes.barge_in)
def test_the_model_knows_only_what_was_heard(trace: Trace) -> None:
    """§4.8: its memory of the cut reply ends where the transcript ends."""
    told = trace.notes["asked"][-1].said_by("assistant")[0]
    assert LONG not in told
    assert told.split()[:4] == LONG.split()[:4]


@pytest.mark.recommended
@shows(scenes.resumed_turn)
def test_a_turn_that_goes_on_is_answered_once(trace: Trace) -> None:
    """§4.4, §9 row 13: the answer that was not audible yet is never told; both parts count."""
    (spoken,) = trace.seen("transcript.agent")
    assert (spoken["text"], spoken["interrupted"]) == (ANSWER, False)
    audible = {event["reply_id"] for event in trace.seen("reply.audio")}
    assert audible == {spoken["reply_id"]}
    told = " ".join(trace.notes["asked"][-1].said_by("user"))
    assert all(event["text"] in told for event in trace.seen("transcript.user"))


@pytest.mark.recommended
@shows(scenes.back_channel)
def test_a_back_channel_is_no_interruption(trace: Trace) -> None:
    """§4.8: ``yeah`` produces nothing; the greeting is spoken to its end."""
    _spoken_to_its_end(trace)


@shows(scenes.not_interruptible)
def test_without_barge_in_the_greeting_is_spoken_to_its_end(trace: Trace) -> None:
    """§4.3, §4.8, §9 row 34: ``interrupt_response`` false."""
    _spoken_to_its_end(trace)


@shows(scenes.protected_greeting)
def test_a_protected_greeting_is_spoken_to_its_end(trace: Trace) -> None:
    """§3.2, §4.3, §4.8: ``uninterruptible_turns`` contains ``greeting``."""
    _spoken_to_its_end(trace)


def _spoken_to_its_end(trace: Trace) -> None:
    assert trace.notes["status"] == "completed"
    assert trace.seen("transcript.agent")[0]["text"] == trace.notes["greeting"]
    done = trace.seen("reply.done")[0]
    assert [
        one["type"]
        for one in trace.events[: trace.index(done)]
        if one["type"].startswith(("input.", "transcript.user"))
    ] == []


@shows(scenes.spoken_to_while_held)
def test_transcripts_are_withheld_while_a_tool_holds(trace: Trace) -> None:
    """§4.6, §9 row 37: no transcript and no reply during the hold; flushed when it ends."""
    held, after = trace.events[: trace.notes["held"]], trace.events[trace.notes["held"] :]
    withheld = {"transcript.user", "transcript.user.delta"}
    assert [one["type"] for one in held if one["type"] in withheld] == []
    assert len([one for one in held if one["type"] == "reply.started"]) == 1
    assert [one["type"] for one in after if one["type"] == "transcript.user"]
