"""How a conversation is put into messages of the wire: ids, numbers, stamps, spaces."""

from __future__ import annotations

import json
import time
from itertools import pairwise

import msgspec
import pytest

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_providers.interfaces import ToolUse
from antiphon_server.call.dialect import Frame
from antiphon_server.call.timeline import Timed
from antiphon_server.conversation.heard import TimedWord
from antiphon_server.conversation.vocabulary import Ending, Failure
from antiphon_server.dialects.wording import COMMITTED, Terms, Wording

FAILURE = Failure("llm_provider_error", "no", False, 401, "bad_key", "api_key")


@pytest.fixture
def wording() -> Wording:
    """That of a session whose first reply has started."""
    made = Wording("sess_1", Terms())
    made.reply_started(1, "greeting")
    return made


def read(frames: list[Frame]) -> list[wire.FromServer]:
    """Frames as a client reads them."""
    found = [codec.decode_server(frame.text) for frame in frames]
    assert None not in found
    return [message for message in found if message is not None]


def test_each_end_has_its_words_and_its_code(wording: Wording) -> None:
    """Section 4.11: ended 1000, expired 1008, failed 1011, each with ``session.ended`` last."""
    expected: dict[Ending, tuple[list[str], int]] = {
        "client_ended": (["session.ended"], 1000),
        "expired": (["session.error", "session.ended"], 1008),
        "failed": (["session.error", "session.ended"], 1011),
        "client_left": (["session.error", "session.ended"], 1011),
    }
    for ending, (tags, code) in expected.items():
        frames, told = wording.goodbye(ending, 1.23456, 0.5)
        messages = read(frames)
        assert [m.__struct_config__.tag for m in messages] == tags, ending
        assert told == code
        ended = messages[-1]
        assert isinstance(ended, wire.SessionEnded)
        assert ended.session_duration_seconds == 1.235
        assert ended.audio_duration_seconds == 0.5
        assert all(frame.seq == 0 for frame in frames)


def test_whoever_is_replaced_is_told_so_for_good(wording: Wording) -> None:
    """With a code that no client takes for a lost socket, or two would fight for one session."""
    text, code = wording.taken_over()
    error = codec.decode_server(text)
    assert isinstance(error, wire.SessionError)
    assert (error.code, error.session_id, code) == ("session_forbidden", "sess_1", 1008)


def test_events_that_outlive_a_socket_are_numbered(wording: Wording) -> None:
    """From 1, without a gap; all others have no number at all, not even on the wire."""
    frames = [
        *wording.speech_started(),
        *wording.words(wording.item(), "hello"),
        *wording.speech_stopped(),
        *wording.user_said(wording.item(), "hello"),
        *wording.agent_words(1, [TimedWord("Hi.", 0, 100)], last=True),
        *wording.agent_text(1, ["Hi."], last=True),
        *wording.tool_call(ToolUse("call_1", "f", {})),
        *wording.reply_failed(1, FAILURE),
        *wording.reply_ended(1, "Hi.", interrupted=False),
        *wording.frames(wire.SessionError(code="x", message="y")),
    ]
    kinds = [
        (frame.seq, type(message)) for frame, message in zip(frames, read(frames), strict=True)
    ]
    numbered = [kind for seq, kind in kinds if seq]
    assert [seq for seq, _ in kinds if seq] == list(range(2, 9))
    assert {wire.ReplyStarted, *numbered} == set(COMMITTED)
    for frame in frames:
        told = json.loads(frame.text)
        assert ("seq" in told) == (frame.seq > 0)
        assert told.get("seq", 0) == frame.seq


def test_an_event_that_is_told_again_is_the_same_with_a_new_stamp(wording: Wording) -> None:
    """The stamps of a socket never run backwards; all else is what it was."""
    use = ToolUse("call_1", "f", {"a": [1, {"b": None}], "c": "“ü”"})
    (first,) = wording.tool_call(use)
    wording.speech_started()
    again = wording.again(first)
    assert again.seq == first.seq
    before, after = json.loads(first.text), json.loads(again.text)
    assert after.pop("timestamp") >= before.pop("timestamp")
    assert after == before


def test_stamps_never_run_backwards(wording: Wording, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the wall clock does."""
    now = [2_000_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    stamps = []
    for step in (0.0, 1.0, -3600.0, 5.0):
        now[0] += step
        stamps += [message.timestamp for message in read(wording.speech_started())]
    assert all(one <= other for one, other in pairwise(stamps))
    assert stamps[-1] == stamps[1]


def test_an_utterance_has_one_item(wording: Wording) -> None:
    """From its start; an item that is not spoken of has a name of its own."""
    wording.speech_started()
    item = wording.item()
    assert item == wording.item() != wording.new_item()
    wording.speech_started()
    assert wording.item() != item


def test_a_reply_is_known_by_its_id_while_it_is_the_newest(wording: Wording) -> None:
    """An older one can no longer be cancelled."""
    old, _ = wording.names_of(1)
    assert wording.number_of(old) == 1
    wording.reply_started(2, "user_speech")
    new, _ = wording.names_of(2)
    assert (wording.number_of(old), wording.number_of(new)) == (None, 2)
    assert wording.number_of("resp_unheard_of") is None


def test_words_have_a_trailing_space_but_for_the_last(wording: Wording) -> None:
    """Section 9, row 14: spoken or written; those that are written have no times."""
    spoken = [TimedWord("Hi", 0, 100), TimedWord("you.", 100, 300)]
    for last in (False, True):
        end = "you." if last else "you. "
        for frames in (
            wording.agent_words(1, spoken, last=last),
            wording.agent_text(1, ["Hi", "you."], last=last),
        ):
            deltas = [m for m in read(frames) if isinstance(m, wire.AgentTranscriptDelta)]
            assert [delta.delta for delta in deltas] == ["Hi ", end]
    written = read(wording.agent_text(1, ["Hi"], last=True))
    timed = read(wording.agent_words(1, spoken[:1], last=True))
    for (delta,), times in ((written, (None, None)), (timed, (0, 100))):
        assert isinstance(delta, wire.AgentTranscriptDelta)
        assert (delta.start_ms, delta.end_ms) == times
    assert wording.agent_text(1, [], last=True) == []


def test_a_word_that_is_said_twice_is_the_last_only_once(wording: Wording) -> None:
    """It is the place that counts."""
    deltas = read(wording.agent_text(1, ["no", "no"], last=True))
    assert [m.delta for m in deltas if isinstance(m, wire.AgentTranscriptDelta)] == ["no ", "no"]


def test_a_reply_that_nobody_heard_has_no_transcript(wording: Wording) -> None:
    """Only its end (section 9, row 12)."""
    (done,) = read(wording.reply_ended(1, "", interrupted=True))
    assert isinstance(done, wire.ReplyDone)
    assert done.status == "interrupted"
    said, done = read(wording.reply_ended(1, "Hi.", interrupted=False))
    assert isinstance(said, wire.AgentTranscript)
    assert isinstance(done, wire.ReplyDone)
    assert (said.text, said.interrupted, done.status) == ("Hi.", False, "completed")
    assert (said.reply_id, said.item_id) == wording.names_of(1)


def test_a_failure_is_told_with_all_that_the_provider_said(wording: Wording) -> None:
    """``reply.error`` carries the vendor's own status, code and parameter (section 2.2)."""
    (error,) = read(wording.reply_failed(1, FAILURE))
    assert isinstance(error, wire.ReplyError)
    told = (error.status_code, error.provider_code, error.provider_param, error.retryable)
    assert told == (401, "bad_key", "api_key", False)


def test_arguments_are_told_twice_to_clients_of_earlier_generations() -> None:
    """``args`` is a copy, for who reads nothing else (section 9, row 27); others get none."""
    for arguments in ({"a": [1, {"b": None}]}, {}):
        use = ToolUse("call_1", "f", arguments)
        (frame,) = Wording("sess_1", Terms(repeats_arguments=True)).tool_call(use)
        told = json.loads(frame.text)
        assert told["args"] == told["arguments"] == arguments
        (frame,) = Wording("sess_1", Terms()).tool_call(use)
        assert "args" not in json.loads(frame.text)


def test_the_timeline_is_for_who_asked() -> None:
    """It is no event of the hosted service, and is not told again."""
    for asked in (False, True):
        wording = Wording("sess_1", Terms(tells_timeline=asked))
        wording.reply_started(1, "greeting")
        frames = wording.turn_timed(
            1, Timed("greeting", {"response": 1.5}, {"language_model": "x"}, {})
        )
        assert len(frames) == asked
        assert all(frame.seq == 0 for frame in frames)


def test_audio_is_spliced_into_a_frame_of_the_reply(wording: Wording) -> None:
    """As any JSON reader reads it."""
    told = msgspec.json.decode(wording.audio(1, b"\x00\x01"))
    assert (told["type"], told["data"]) == ("reply.audio", "AAE=")
    assert told["reply_id"] == wording.names_of(1)[0]
    assert "seq" not in told
