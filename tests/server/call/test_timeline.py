"""The stage clock: its stages add up, and each goes where it belongs."""

from __future__ import annotations

import pytest

from antiphon_providers.interfaces import Chosen
from antiphon_server.call import timeline as stages
from antiphon_server.call.timeline import STAGES, Hearing, ReplyClock, Timeline, provider_of
from antiphon_server.observe import metrics
from server.call.scripted_call import sample

PROVIDERS = {
    "voice_activity": "v",
    "turn_detection": "t",
    "speech_to_text": "s",
    "language_model": "m",
    "text_to_speech": "x",
    "speech_to_speech": "both",
}
CRITICAL = (
    stages.ENDPOINTING,
    stages.FIRST_TOKEN,
    stages.FIRST_SENTENCE,
    stages.FIRST_AUDIO,
    stages.SPOKEN_ANSWER,
    stages.OVERHEAD,
)
CASCADE = (
    ("prompted", 1),
    ("first_token", 300),
    ("first_sentence", 90),
    ("speech_asked", 4),
    ("first_sound", 120),
    ("sent", 5),
)
CONVERSED = (("conversed", 2), ("conversed_until", 400))


class Clock:
    """Tells the time it is set to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.seconds


def _turn(
    clock: Clock, timeline: Timeline, marks: tuple[tuple[str, int], ...] = CASCADE
) -> ReplyClock:
    """A turn of which every mark is a different number of milliseconds after the one before."""
    clock.seconds = 1000.207
    timeline.paused(1000.0, 0.003)
    clock.seconds += 0.011
    timeline.settled()
    clock.seconds += 0.013
    timeline.judged()
    clock.seconds += 0.200
    timeline.hearing.timer_late = 0.002
    reply = timeline.reply_started(1, "user_speech")
    for mark, ms in marks:
        clock.seconds += ms / 1000
        setattr(reply, mark, clock.seconds)
    return reply


@pytest.mark.parametrize(
    "marks",
    [
        CASCADE,
        (*CONVERSED, ("first_sound", 0), ("sent", 6)),
        (*CONVERSED, *CASCADE),
        (*CONVERSED, *CASCADE[2:]),
    ],
    ids=["cascade", "spoken", "spoken-failed", "spoken-apology"],
)
def test_the_stages_on_the_critical_path_add_up_to_the_response(
    marks: tuple[tuple[str, int], ...],
) -> None:
    """Endpointing, the providers' times and the server's own share: no gap, nothing twice,
    whoever answered.
    """
    clock = Clock()
    told = _turn(clock, Timeline(clock, PROVIDERS), marks).stages()
    parts = sum(told.get(name, 0.0) for name in CRITICAL)
    assert parts == pytest.approx(told[stages.RESPONSE], abs=0.01)


def test_a_model_that_hears_and_speaks_has_one_stage() -> None:
    """From the prompt to its first audio; the rest is the server's own share."""
    clock = Clock()
    marks = (*CONVERSED, ("first_sound", 0), ("sent", 6))
    told = _turn(clock, Timeline(clock, PROVIDERS), marks).stages()
    assert told[stages.SPOKEN_ANSWER] == pytest.approx(400)
    assert told[stages.OVERHEAD] == pytest.approx(2 + 6 + 2)
    assert stages.FIRST_TOKEN not in told
    assert stages.FIRST_AUDIO not in told


def test_each_stage_is_the_time_between_its_marks() -> None:
    """In milliseconds, beside the critical path too; a late timer is the server's own share."""
    clock = Clock()
    told = _turn(clock, Timeline(clock, PROVIDERS)).stages()
    assert told == {
        stages.ENDPOINTING: pytest.approx(207 + 11 + 13 + 200 - 2),
        stages.VOICE_ACTIVITY: pytest.approx(3),
        stages.SPEECH_TO_TEXT: pytest.approx(11),
        stages.TURN_DETECTION: pytest.approx(24),
        stages.FIRST_TOKEN: pytest.approx(300),
        stages.FIRST_SENTENCE: pytest.approx(90),
        stages.FIRST_AUDIO: pytest.approx(120),
        stages.OVERHEAD: pytest.approx(1 + 4 + 5 + 2),
        stages.RESPONSE: pytest.approx(431 + 520),
    }
    assert list(told) == [name for name in STAGES if name in told]


def test_a_greeting_has_the_stages_of_speech_alone() -> None:
    """No user, no model: from its start to the first audio sent, and it adds up."""
    clock = Clock()
    timeline = Timeline(clock, PROVIDERS)
    reply = timeline.reply_started(1, "greeting")
    for mark, ms in (("first_sentence", 2), ("speech_asked", 3), ("first_sound", 80), ("sent", 5)):
        clock.seconds += ms / 1000
        setattr(reply, mark, clock.seconds)
    assert reply.stages() == {
        stages.FIRST_AUDIO: pytest.approx(80),
        stages.OVERHEAD: pytest.approx(10),
        stages.RESPONSE: pytest.approx(90),
    }


def test_a_turn_at_time_zero_is_a_turn() -> None:
    """A clock may begin anywhere: 0 is a time like any other."""
    reply = ReplyClock(1, "user_speech", started=0.5, hearing=Hearing(speech_ended=0.0), sent=0.7)
    assert reply.stages()[stages.RESPONSE] == pytest.approx(700)


def test_the_marks_of_hearing_are_used_once() -> None:
    """A reply to something else than speech does not take them; the next reply to speech, once
    they are taken, has none.
    """
    clock = Clock()
    timeline = Timeline(clock, PROVIDERS)
    timeline.paused(999.0, 0.0)
    assert timeline.reply_started(1, "tool_result").hearing is None
    taken = timeline.reply_started(2, "user_speech").hearing
    assert taken is not None
    assert taken.speech_ended == 999.0
    assert timeline.reply_started(3, "user_speech").hearing == Hearing()


@pytest.mark.parametrize(
    ("stage", "provider"),
    [
        (stages.VOICE_ACTIVITY, "v"),
        (stages.TURN_DETECTION, "t"),
        (stages.SPEECH_TO_TEXT, "s"),
        (stages.FIRST_TOKEN, "m"),
        (stages.FIRST_SENTENCE, "m"),
        (stages.FIRST_AUDIO, "x"),
        (stages.SPOKEN_ANSWER, "both"),
        (stages.ENDPOINTING, ""),
        (stages.RESPONSE, ""),
    ],
)
def test_each_stage_is_credited_to_its_provider(stage: str, provider: str) -> None:
    """The server's own have none."""
    assert provider_of(stage, PROVIDERS) == provider


def test_what_is_observed_is_what_is_told() -> None:
    """The histograms grow by exactly the milliseconds that the client and the log get."""
    clock = Clock()
    timeline = Timeline(clock, PROVIDERS)
    reply = _turn(clock, timeline)

    def sums() -> dict[str, float]:
        own = {
            stages.OVERHEAD: sample("antiphon_server_overhead_seconds_sum"),
            stages.RESPONSE: sample("antiphon_response_seconds_sum", trigger="user_speech"),
        }
        return own | {
            name: sample(
                "antiphon_stage_seconds_sum", stage=name, provider=provider_of(name, PROVIDERS)
            )
            for name in STAGES
            if name not in own
        }

    before = sums()
    told = timeline.observe(reply)
    grown = {name: 1000 * (value - before[name]) for name, value in sums().items()}
    assert grown == pytest.approx({stages.SPOKEN_ANSWER: 0.0, **told.stages}, abs=0.001)
    assert (told.providers, told.reasons) == (PROVIDERS, {})


def test_stages_are_told_as_the_stretches_they_took() -> None:
    """From which their milliseconds are made; the server's own share is in no one place."""
    clock = Clock()
    timeline = Timeline(clock, PROVIDERS)
    clock.seconds = 998.0
    timeline.voiced()
    reply = _turn(clock, timeline)
    told = reply.stages()
    lasted = {name: 1000 * (end - begin) for name, (begin, end) in reply.spans().items()}
    assert lasted == pytest.approx({name: ms for name, ms in told.items() if name in lasted})
    assert told.keys() - lasted.keys() == {stages.OVERHEAD}
    assert reply.spans()[stages.ENDPOINTING][0] == 1000.0
    assert reply.voice_began == 998.0


def test_a_trace_is_an_example_of_each_bucket_it_fell_into() -> None:
    """Where it is kept; others have none."""
    clock = Clock()
    timeline = Timeline(clock, PROVIDERS)
    timeline.trace_id = "ab" * 16
    timeline.observe(_turn(clock, timeline))
    examples = [
        sample.exemplar.labels["trace_id"]
        for family in metrics.REGISTRY.collect()
        for sample in family.samples
        if sample.exemplar
    ]
    assert examples.count("ab" * 16) >= 7


def test_a_model_that_stood_in_is_credited_with_what_it_did() -> None:
    """Who wrote, and why it was not the one in the settings."""
    clock = Clock()
    timeline = Timeline(clock, PROVIDERS)
    reply = _turn(clock, timeline)
    reply.chosen = Chosen("other", "small", "provider_timeout")
    of = {"stage": stages.FIRST_TOKEN, "provider": "other"}
    before = sample("antiphon_stage_seconds_count", **of)
    told = timeline.observe(reply)
    assert told.providers == {**PROVIDERS, "language_model": "other"}
    assert told.reasons == {"language_model": "provider_timeout"}
    assert sample("antiphon_stage_seconds_count", **of) == before + 1
