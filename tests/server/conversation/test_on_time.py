"""What happens when something that had to happen did not."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from antiphon_server.conversation import on_time
from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.states import (
    Books,
    Call,
    Listening,
    Over,
    Pausing,
    Quiet,
    Speaking,
    State,
    Thinking,
    Wish,
)
from server.conversation.scenes import (
    ALIVE,
    BOOKS,
    CALLING,
    CONTESTED,
    DOUBTFUL,
    MANNERS,
    SPEAKING,
    THINKING,
    WAITING,
    happens,
    play,
    timers,
)

SILENCE = v.WaitOver("silence")
DONE = v.EndReply(1, interrupted=False)


@pytest.mark.parametrize("state", ALIVE)
def test_a_session_expires_whatever_happens(state: State) -> None:
    """After its longest time (section 4.11)."""
    assert play(state, v.WaitOver("session")) == (Over(state.books), [v.HangUp("expired")])


@pytest.mark.parametrize("state", ALIVE)
def test_a_timer_that_belongs_to_another_state_changes_nothing(state: State) -> None:
    """One may expire in the moment in which it is stopped."""
    expected = {name for kind, name in on_time._DEADLINES if kind is type(state)}
    for name in ("utterance", "silence", "words", "insist", "first_sound", "reply", "grace"):
        if name not in expected:
            assert play(state, v.WaitOver(name)) == (state, [])


def test_silence_passes_one_milestone_at_a_time() -> None:
    """After 200 ms of pause come 800, 900 and 1,000 ms; then only the words are awaited."""
    state: State = Pausing(waited_ms=200)
    waits: list[dict[str, int | None]] = []
    for _ in range(3):
        waits.append(timers(state, SILENCE))
        state, _ = happens(state, SILENCE)
    assert waits == [{"silence": 100}, {"silence": 100}, {"words": MANNERS.words_ms}]
    assert state == Pausing(waited_ms=1000)
    assert play(state, SILENCE) == (state, [])


@pytest.mark.parametrize(
    ("words", "verdict", "milestones"),
    [
        ("tell me more", 0.9, 0),
        ("tell me more and", 0.9, 1),
        ("tell me more", 0.1, 2),
        ("tell me more and", 0.1, 3),
        ("tell me more", None, 1),
        ("tell me more and", None, 2),
    ],
)
def test_a_turn_ends_with_the_silence_that_it_needs(
    words: str, verdict: float | None, milestones: int
) -> None:
    """Sure and complete: 200 ms; hanging: 800; unsure: 900; unsure and hanging: 1,000."""
    state: State = Pausing(words=words, waited_ms=200)
    state, _ = happens(state, v.WordsHeard(words, settled=True), v.TurnJudged(verdict))
    for _ in range(milestones):
        assert isinstance(state, Pausing)
        state, _ = happens(state, SILENCE)
    assert isinstance(state, Thinking)


def test_after_the_longest_silence_nobody_waits_for_the_verdict() -> None:
    """The last milestone is enough for any turn."""
    state, _ = happens(Pausing(words="yes", settled=True, waited_ms=900), SILENCE)
    assert isinstance(state, Thinking)


def test_words_that_never_settle_end_the_turn_as_they_are() -> None:
    """Where there are none the agent says that it did not understand."""
    _, commands = happens(Pausing(words="tell me", waited_ms=1000), v.WaitOver("words"))
    assert commands[:2] == [v.TellSpeechStopped(), v.TakeTurn("tell me")]
    state, commands = happens(Pausing(waited_ms=1000), v.WaitOver("words"))
    assert state == Thinking(Books(replies=1), 1, apologises=True)
    apology = v.StartReply(1, "user_speech", apologises=True)
    assert commands == [v.TellSpeechStopped(), v.DropUtterance(), apology]


def test_nobody_apologises_where_something_else_is_to_be_said() -> None:
    """A reply that is owed says enough; so does one that waits for a tool's result."""
    for books, last in (
        (Books(owed="tool_result"), v.StartReply(1, "tool_result")),
        (Books(wish=Wish("be brief")), v.StartReply(1, "reply_create", "be brief")),
    ):
        _, commands = happens(Pausing(books, waited_ms=1000), v.WaitOver("words"))
        assert commands[-1] == last


def test_an_apology_that_nobody_heard_is_not_owed() -> None:
    """The user went on speaking: there is nothing to answer but that."""
    state, _ = happens(Pausing(waited_ms=1000), v.WaitOver("words"))
    state, _ = happens(state, v.VoiceStarted())
    assert state == Listening(Books(replies=1))


def test_the_longest_utterance_becomes_a_turn_as_soon_as_its_words_are_final() -> None:
    """The voice is still on, so that no silence can be awaited."""
    state, commands = happens(Listening(words="and so"), v.WaitOver("utterance"))
    assert commands == [v.AskIfDone()]
    assert timers(Listening(), v.WaitOver("utterance")) == {
        "words": MANNERS.words_ms,
        "utterance": MANNERS.utterance_ms,
    }
    _, commands = happens(state, v.WordsHeard("and so on and", settled=True))
    assert v.TakeTurn("and so on and") in commands


def test_pauses_do_not_make_an_utterance_endless() -> None:
    """Its time runs on in them; when it is over only the words are awaited."""
    pausing = Pausing(words="well", waited_ms=200)
    state, commands = happens(pausing, v.WaitOver("utterance"))
    assert (state, commands) == (replace(pausing, waited_ms=1000), [])
    assert timers(pausing, v.WaitOver("utterance")) == {
        "silence": None,
        "words": MANNERS.words_ms,
        "utterance": MANNERS.utterance_ms,
    }
    settled = replace(pausing, settled=True)
    assert v.TakeTurn("well") in happens(settled, v.WaitOver("utterance"))[1]


# --- over the reply ------------------------------------------------------------------------


def test_words_that_last_interrupt() -> None:
    """The voice went on as long as an interruption needs, and said something."""
    state, commands = happens(replace(CONTESTED, words="stop that"), v.WaitOver("insist"))
    assert state == Listening(BOOKS, "stop that")
    assert commands[:2] == [v.TellSpeechStarted(), v.EndReply(1, interrupted=True)]
    assert commands[2:] == [v.TellWords("stop that")]


@pytest.mark.parametrize("words", ["", "uh-huh"])
def test_a_voice_without_more_words_must_be_proved(words: str) -> None:
    """A slow "uh-huh", or a noise, gets a little longer, and no longer than that."""
    saying = replace(CONTESTED, words=words)
    state, commands = happens(saying, v.WaitOver("insist"))
    assert (state, commands) == (replace(saying, insisted=True), [])
    assert timers(saying, v.WaitOver("insist")) == {"insist": MANNERS.proof_ms}
    state, commands = happens(state, v.WaitOver("insist"))
    assert state == Listening(BOOKS, words)
    assert commands[1] == v.EndReply(1, interrupted=True)


def test_words_that_never_come_leave_the_reply_going() -> None:
    """A cough over a slow recogniser."""
    assert happens(DOUBTFUL, v.WaitOver("words")) == (SPEAKING, [v.DropUtterance()])


def test_words_that_never_settle_interrupt_as_they_are() -> None:
    """One who said "stop" to a recogniser that hangs has said it."""
    state, commands = happens(replace(DOUBTFUL, words="stop"), v.WaitOver("words"))
    assert state == Pausing(BOOKS, "stop", settled=True, waited_ms=MANNERS.pause_ms)
    assert commands[1] == v.EndReply(1, interrupted=True)


def test_silence_about_the_tools_of_an_interrupted_reply_starts_nothing() -> None:
    """The client may have dropped the result, so that no answer is owed for its absence."""
    calling = replace(SPEAKING, books=replace(BOOKS, calls=(Call("a", 1),)))
    listening, _ = happens(
        calling, v.VoiceStarted(), v.WordsHeard("stop that"), v.WaitOver("insist")
    )
    assert listening.books.calls == (Call("a", 1, abandoned=True),)
    quiet = Quiet(listening.books)
    state, commands = happens(quiet, v.WaitOver("tool:a"))
    assert state == Quiet(BOOKS)
    assert commands == [v.TimeOutTool("a")]


def test_a_late_result_of_an_interrupted_reply_is_still_spoken_of() -> None:
    """A client that sends it wants it known."""
    quiet = Quiet(replace(BOOKS, calls=(Call("a", 1, abandoned=True),)))
    _, commands = happens(quiet, v.ToolAnswered("a"))
    assert commands == [v.StartReply(2, "tool_result")]


# --- replies and tools ---------------------------------------------------------------------


def test_a_reply_that_makes_no_sound_fails() -> None:
    """It is told as an error, and then completed."""
    state, commands = happens(THINKING, v.WaitOver("first_sound"))
    assert state == Quiet(BOOKS)
    assert isinstance(commands[0], v.TellReplyFailed)
    assert commands[0].failure.code == "reply_timeout"
    assert commands[1:] == [DONE]


@pytest.mark.parametrize("state", [SPEAKING, CONTESTED, DOUBTFUL])
def test_a_reply_that_does_not_end_is_cut(state: State) -> None:
    """Whether the user listens or speaks over it."""
    following, commands = happens(state, v.WaitOver("reply"))
    assert not isinstance(following, Speaking)
    assert isinstance(commands[0], v.TellReplyFailed)
    assert commands[0].failure.code == "reply_too_long"
    assert commands[1] == DONE


def test_a_reply_is_not_held_open_for_a_slow_tool() -> None:
    """It is done after a moment, and the result is still awaited."""
    assert happens(WAITING, v.WaitOver("grace")) == (Quiet(CALLING), [DONE])


def test_a_tool_that_never_answers_is_answered_for() -> None:
    """The time-out is its result, of which the agent speaks (section 4.5)."""
    state, commands = happens(Quiet(CALLING), v.WaitOver("tool:a"))
    assert state == Thinking(Books(replies=2, steps=1), 2, "tool_result")
    assert commands == [v.TimeOutTool("a"), v.StartReply(2, "tool_result")]
    assert happens(state, v.ToolAnswered("a")) == (state, [])


def test_the_time_out_of_an_answered_tool_changes_nothing() -> None:
    """It may expire in the moment in which the result comes."""
    assert play(SPEAKING, v.WaitOver("tool:a")) == (SPEAKING, [])
