"""The user's side: a voice, a pause, words, a verdict; an interruption or not."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.manners import Manners
from antiphon_server.conversation.states import (
    Books,
    Contested,
    Doubtful,
    Listening,
    Pausing,
    Quiet,
    Speaking,
    State,
    Thinking,
    Wish,
)
from server.conversation.scenes import (
    BOOKS,
    CALLING,
    CONTESTED,
    DOUBTFUL,
    MANNERS,
    QUIET,
    SPEAKING,
    THINKING,
    WAITING,
    happens,
    timers,
)

PROTECTED = Manners(greeting_interruptible=False)
DEAF_TO_VOICE = Manners(interruptible=False)


def heard(text: str) -> v.WordsHeard:
    """Final words."""
    return v.WordsHeard(text, settled=True)


# --- the floor is free ---------------------------------------------------------------------


def test_a_voice_in_quiet_is_told_at_once_and_has_a_longest_time() -> None:
    """While the agent is silent, speech has started with the voice (section 4.8)."""
    assert happens(QUIET, v.VoiceStarted()) == (Listening(), [v.TellSpeechStarted()])
    assert timers(QUIET, v.VoiceStarted()) == {"utterance": MANNERS.utterance_ms}


def test_words_are_told_as_they_grow_and_not_twice() -> None:
    """A delta is the whole of it so far; an unchanged one says nothing (section 4.12)."""
    state, commands = happens(
        Listening(), v.WordsHeard("what"), v.WordsHeard("what"), v.WordsHeard("what time")
    )
    assert state == Listening(words="what time")
    assert commands == [v.TellWords("what"), v.TellWords("what time")]


def test_a_pause_asks_once_and_waits_for_the_first_milestone_after_it() -> None:
    """Final words and the verdict are asked for; 200 ms of silence have passed already."""
    state, commands = happens(Listening(words="what time"), v.VoiceStopped())
    assert state == Pausing(words="what time", waited_ms=200)
    assert commands == [v.AskIfDone()]
    assert timers(Listening(), v.VoiceStopped()) == {"silence": 600}


def test_a_voice_in_the_pause_continues_the_utterance() -> None:
    """Its words stay, its judgement goes, and its longest time runs on."""
    state, commands = happens(
        Pausing(words="what", settled=True, judged=True, waited_ms=200), v.VoiceStarted()
    )
    assert (state, commands) == (Listening(words="what"), [])
    assert timers(Pausing(), v.VoiceStarted()) == {"silence": None, "words": None}


TURN = [
    v.TellSpeechStopped(),
    v.TakeTurn("what time is it"),
    v.StartReply(1, "user_speech"),
]
FINISHED: State = Pausing(words="what time is it", waited_ms=200)


@pytest.mark.parametrize(
    "events",
    [
        (heard("what time is it"), v.TurnJudged(0.9)),
        (v.TurnJudged(0.9), heard("what time is it")),
        (v.TurnJudged(0.9), v.WordsHeard("what time is"), heard("what time is it")),
    ],
)
def test_final_words_and_a_sure_verdict_end_the_turn_in_either_order(
    events: tuple[v.Event, ...],
) -> None:
    """Speech stops, the turn is told, the reply starts, in this order (section 4.4)."""
    state, commands = happens(FINISHED, *events)
    assert state == Thinking(BOOKS, 1)
    assert [c for c in commands if not isinstance(c, v.TellWords)] == TURN


def test_the_end_of_a_turn_stops_all_that_timed_it() -> None:
    """And nothing but the reply's first sound is waited for."""
    assert timers(FINISHED, heard("what time is it"), v.TurnJudged(0.9)) == {
        "silence": None,
        "words": None,
        "utterance": None,
        "first_sound": MANNERS.first_sound_ms,
    }


@pytest.mark.parametrize(
    "events", [(v.TurnJudged(0.9),), (heard("what time is it"),), (v.WordsHeard("what time"),)]
)
def test_one_of_the_two_is_not_enough(events: tuple[v.Event, ...]) -> None:
    """Words that are not final, or a sound that nobody judged, end no turn that soon."""
    state, commands = happens(FINISHED, *events)
    assert isinstance(state, Pausing)
    assert v.TellSpeechStopped() not in commands


def test_words_that_change_in_the_pause_are_the_ones_that_count() -> None:
    """The final words replace what was understood before, and are told before the turn."""
    state, commands = happens(FINISHED, v.TurnJudged(0.9), heard("what time was it?"))
    assert isinstance(state, Thinking)
    assert commands[:3] == [
        v.TellWords("what time was it?"),
        v.TellSpeechStopped(),
        v.TakeTurn("what time was it?"),
    ]


def test_words_that_hang_after_they_changed_need_more_silence() -> None:
    """A verdict weighed with the words as they are now, not as they were."""
    state, _ = happens(FINISHED, v.TurnJudged(0.9), heard("what time is it and"))
    assert isinstance(state, Pausing)


def test_an_unsure_verdict_needs_more_silence() -> None:
    """At 0.1 the turn has not ended at 200 ms."""
    state, _ = happens(FINISHED, heard("what time is it"), v.TurnJudged(0.1))
    assert isinstance(state, Pausing)


def test_a_voice_without_words_is_dropped() -> None:
    """A cough: speech stops, nobody's turn is taken, nobody answers."""
    pausing = Pausing(judged=True, verdict=0.9, waited_ms=1000)
    state, commands = happens(pausing, heard("..."))
    assert state == Quiet()
    assert commands == [v.TellWords("..."), v.TellSpeechStopped(), v.DropUtterance()]


def test_a_recogniser_that_fails_leaves_what_was_understood() -> None:
    """In speech and in a pause alike; with no words there is no turn."""
    for state in (Listening(words="what time is it"), Pausing(words="what time is it")):
        following, commands = happens(state, v.HearingFailed())
        assert (following, commands) == (Thinking(BOOKS, 1), TURN)
    for state in (Listening(), Pausing(settled=True)):
        following, commands = happens(state, v.HearingFailed())
        assert following == Quiet()
        assert commands == [v.TellSpeechStopped(), v.DropUtterance()]


def test_a_recogniser_that_fails_in_a_pause_is_apologised_for() -> None:
    """Where it owes all words: the user has spoken, and must not be left in silence."""
    following, commands = happens(Pausing(), v.HearingFailed())
    assert following == Thinking(Books(replies=1), 1, apologises=True)
    apology = v.StartReply(1, "user_speech", apologises=True)
    assert commands == [v.TellSpeechStopped(), v.DropUtterance(), apology]


# --- before the reply sounds ---------------------------------------------------------------


def test_a_voice_before_the_reply_sounds_drops_it_and_owes_its_answer() -> None:
    """Speech starts, then the reply ends unheard, as in a barge-in (section 4.8)."""
    state, commands = happens(THINKING, v.VoiceStarted())
    assert state == Listening(Books(replies=1, owed="user_speech"))
    assert commands == [v.TellSpeechStarted(), v.EndReply(1, interrupted=True)]


def test_a_cough_before_the_reply_sounds_does_not_cost_the_answer() -> None:
    """The reply starts again, under a new number, once the cough has turned out to be one."""
    cough = (v.VoiceStarted(), v.VoiceStopped(), heard(""), v.TurnJudged(0.9))
    state, commands = happens(THINKING, *cough, *(v.WaitOver("silence"),) * 3)
    assert state == Thinking(Books(replies=2), 2)
    assert commands[-3:] == [
        v.TellSpeechStopped(),
        v.DropUtterance(),
        v.StartReply(2, "user_speech"),
    ]


def test_going_on_before_the_reply_sounds_gets_one_reply_to_both() -> None:
    """The second half is a turn of its own; what was owed is owed no longer."""
    events = (v.VoiceStarted(), v.VoiceStopped(), heard("and the date?"), v.TurnJudged(0.9))
    state, commands = happens(THINKING, *events)
    assert state == Thinking(Books(replies=2), 2)
    assert commands[-2:] == [v.TakeTurn("and the date?"), v.StartReply(2, "user_speech")]


def test_the_instructions_of_a_dropped_reply_are_kept() -> None:
    """They are for the reply that takes its place."""
    thinking = Thinking(BOOKS, 1, "reply_create", instructions="be brief")
    state, _ = happens(thinking, v.VoiceStarted())
    assert state.books == Books(replies=1, owed="reply_create", wish=Wish("be brief"))
    state, commands = happens(state, v.HearingFailed())
    assert commands[-1] == v.StartReply(2, "reply_create", "be brief")
    assert state.books == Books(replies=2)


@pytest.mark.parametrize(
    ("manners", "trigger"), [(PROTECTED, "greeting"), (DEAF_TO_VOICE, "user_speech")]
)
def test_a_voice_during_a_protected_reply_changes_nothing(
    manners: Manners, trigger: v.Trigger
) -> None:
    """Nothing is told, and what was said is dropped (section 4.8)."""
    for state in (Thinking(BOOKS, 1, trigger), Speaking(BOOKS, 1, trigger)):
        during, commands = happens(state, v.VoiceStarted(), manners=manners)
        assert (during, commands) == (replace(state, voice=True), [])
        after, commands = happens(during, v.VoiceStopped(), manners=manners)
        assert (after, commands) == (state, [v.DropUtterance()])
        assert happens(state, v.VoiceStopped(), manners=manners) == (state, [])


def test_only_the_greeting_is_protected_by_the_protection_of_greetings() -> None:
    """Every other reply can be interrupted."""
    state, _ = happens(SPEAKING, v.VoiceStarted(), manners=PROTECTED)
    assert isinstance(state, Contested)


def test_a_voice_closes_a_reply_that_only_waits_for_tools() -> None:
    """It had been heard to its end: it is completed, and then speech starts."""
    state, commands = happens(WAITING, v.VoiceStarted())
    assert state == Listening(CALLING)
    assert commands == [v.EndReply(1, interrupted=False), v.TellSpeechStarted()]


# --- over the reply ------------------------------------------------------------------------


def test_a_voice_over_the_reply_must_last_before_it_interrupts() -> None:
    """Until then nothing is told, because speech starts only with an interruption."""
    assert happens(SPEAKING, v.VoiceStarted()) == (CONTESTED, [])
    assert timers(SPEAKING, v.VoiceStarted()) == {"insist": MANNERS.insist_ms}


def test_where_no_insistence_is_asked_for_any_voice_interrupts() -> None:
    """At once, in the order of a barge-in."""
    state, commands = happens(SPEAKING, v.VoiceStarted(), manners=Manners(insist_ms=0))
    assert state == Listening(BOOKS)
    assert commands == [v.TellSpeechStarted(), v.EndReply(1, interrupted=True)]


def test_a_short_voice_leaves_the_reply_going_while_its_words_are_awaited() -> None:
    """Its words so far are kept, for the case that no others come."""
    state, commands = happens(CONTESTED, v.WordsHeard("yes"), v.VoiceStopped())
    assert (state, commands) == (Doubtful(BOOKS, 1, words="yes"), [v.AskIfDone()])
    assert timers(CONTESTED, v.VoiceStopped()) == {"insist": None, "words": MANNERS.words_ms}


@pytest.mark.parametrize("text", ["", "uh-huh", "Oh, okay."])
def test_a_back_channel_does_not_interrupt(text: str) -> None:
    """Nor does a cough; the reply goes on and nothing was told (section 4.8)."""
    assert happens(DOUBTFUL, heard(text)) == (SPEAKING, [v.DropUtterance()])
    assert timers(DOUBTFUL, heard(text)) == {"words": None}


def test_a_short_word_that_means_something_interrupts() -> None:
    """In the order of section 4.8; its pause is already running."""
    state, commands = happens(DOUBTFUL, heard("stop"))
    assert state == Pausing(BOOKS, "stop", settled=True, waited_ms=200)
    assert commands == [
        v.TellSpeechStarted(),
        v.EndReply(1, interrupted=True),
        v.TellWords("stop"),
    ]


def test_a_short_word_with_its_verdict_becomes_a_turn_at_once() -> None:
    """The verdict may come before the words."""
    state, commands = happens(DOUBTFUL, v.TurnJudged(0.9), heard("stop"))
    assert state == Thinking(Books(replies=2), 2)
    assert commands[-3:] == [
        v.TellSpeechStopped(),
        v.TakeTurn("stop"),
        v.StartReply(2, "user_speech"),
    ]


def test_words_that_are_not_final_leave_it_open() -> None:
    """They decide only where no others come."""
    assert happens(DOUBTFUL, v.WordsHeard("stop")) == (replace(DOUBTFUL, words="stop"), [])


def test_a_recogniser_that_fails_in_doubt_leaves_the_words_to_decide() -> None:
    """Without any the reply goes on; "stop" stops it although no other word will come."""
    assert happens(DOUBTFUL, v.HearingFailed()) == (SPEAKING, [v.DropUtterance()])
    state, commands = happens(replace(DOUBTFUL, words="stop"), v.HearingFailed())
    assert state == Pausing(BOOKS, "stop", settled=True, waited_ms=200)
    assert commands[1] == v.EndReply(1, interrupted=True)


def test_a_second_short_voice_starts_over() -> None:
    """Where the first one may have been a cough."""
    assert happens(DOUBTFUL, v.VoiceStarted()) == (CONTESTED, [])
    assert timers(DOUBTFUL, v.VoiceStarted()) == {"words": None, "insist": MANNERS.insist_ms}


def test_a_second_short_voice_after_real_words_interrupts() -> None:
    """Else one who says "stop ... stop ... stop" to a slow recogniser would be talked over."""
    state, commands = happens(replace(DOUBTFUL, words="stop"), v.VoiceStarted())
    assert state == Listening(BOOKS, "stop")
    assert commands == [
        v.TellSpeechStarted(),
        v.EndReply(1, interrupted=True),
        v.TellWords("stop"),
    ]


def test_words_in_a_contest_wait_for_the_voice_to_last() -> None:
    """Partial words may still become something else."""
    assert happens(CONTESTED, v.WordsHeard("stop")) == (replace(CONTESTED, words="stop"), [])


def test_real_words_after_the_voice_has_lasted_interrupt_at_once() -> None:
    """They are the proof that was awaited."""
    insisted = replace(CONTESTED, words="yes", insisted=True)
    state, commands = happens(insisted, v.WordsHeard("yes but wait"))
    assert state == Listening(BOOKS, "yes but wait")
    assert commands[-1] == v.TellWords("yes but wait")
    assert happens(insisted, v.WordsHeard("yes yes"))[1] == []


def test_settled_words_of_the_burst_before_interrupt_at_once() -> None:
    """They would have interrupted in doubt, had the voice not come back before them."""
    state, commands = happens(CONTESTED, heard("stop"))
    assert state == Listening(BOOKS, "stop")
    assert commands[1] == v.EndReply(1, interrupted=True)
    assert happens(CONTESTED, heard("uh-huh")) == (replace(CONTESTED, words="uh-huh"), [])


def test_a_recogniser_that_fails_in_a_contest_leaves_the_voice_to_decide() -> None:
    """A voice is still on: the user gets the floor."""
    state, commands = happens(CONTESTED, v.HearingFailed())
    assert state == Listening(BOOKS)
    assert commands == [v.TellSpeechStarted(), v.EndReply(1, interrupted=True)]


def test_an_interruption_ends_all_timers_of_the_reply() -> None:
    """And starts that of the utterance."""
    assert timers(CONTESTED, v.HearingFailed()) == {
        "first_sound": None,
        "reply": None,
        "grace": None,
        "insist": None,
        "utterance": MANNERS.utterance_ms,
    }
