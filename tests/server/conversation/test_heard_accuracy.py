"""How exactly the transcript of an interrupted reply ends where the voice did.

On the real path: a session in virtual time, real voices, a client that plays what it is sent
and cancels at a random moment. The truth is the voices' own word times.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter

import pytest

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_protocol.audio import PCM
from antiphon_providers.interfaces import Said, Sound
from recorded_voice import CHUNK_MS, RecordedVoice, Recording, recordings
from server.call.scripted_call import Caller, Stages, calling
from server.call.spoken_twin import SpokenTwin, Step
from virtual_time import run

POINTS = 200
FACTORS = (0.0, 0.3, 0.6)
"""Seconds that the voice takes for a second of speech."""


@pytest.fixture(scope="module")
def spoken() -> list[Recording]:
    """Real speech with its true word times."""
    made = asyncio.run(recordings())
    assert all(len(piece.words) == len(piece.text.split()) for one in made for piece in one.pieces)
    return made


def played_ms(caller: Caller, now: float) -> float:
    """What a player that never pauses of its own accord has played by now."""
    plays_until = played = 0.0
    for when, message in caller.line.received:
        if isinstance(message, wire.ReplyAudio):
            ms = PCM.ms(len(codec.decode_base64(message.data)))
            plays_until = max(plays_until, when) + ms / 1000
            played += ms
    return played - max(0.0, plays_until - now) * 1000


async def words_of_error(recording: Recording, stages: Stages, at_ms: float, **session: str) -> int:
    """Words in the transcript more (or, negative, fewer) than were out when it was cut."""
    async with calling(stages, **session) as caller:  # type: ignore[arg-type]
        if not session.get("greeting"):
            caller.tell(wire.CreateReply())
        started = await caller.until(wire.ReplyStarted)
        await caller.until(wire.ReplyAudio)
        await asyncio.sleep(at_ms / 1000)
        out = recording.words_out(played_ms(caller, asyncio.get_running_loop().time()))
        caller.tell(wire.CancelReply(started.reply_id))
        await caller.until(wire.ReplyDone)
        said = caller.heard(wire.AgentTranscript)
    text = said[-1].text if said else ""
    assert recording.text.startswith(text)
    return len(text.split()) - out


def errors(spoken: list[Recording], *, word_times: bool) -> Counter[int]:
    """How often there were so many words of error."""
    chance = random.Random(20)  # noqa: S311 - a seed, so that every run is the same
    found: Counter[int] = Counter()
    for _ in range(POINTS):
        recording = chance.choice(spoken)
        voice = RecordedVoice(
            recording, word_times=word_times, real_time_factor=chance.choice(FACTORS)
        )
        at_ms = chance.uniform(0, recording.ms - 100)
        stages = Stages(tts=voice)
        found[run(words_of_error(recording, stages, at_ms, greeting=recording.text))] += 1
    shown = "  ".join(f"{error:+d}: {found[error]}" for error in sorted(found))
    sys.stdout.write(f"\n  {'timed' if word_times else 'estimated'}  {shown}\n")
    return found


def test_with_the_voices_word_times_at_most_one_word_is_wrong(spoken: list[Recording]) -> None:
    """At 200 random moments of real speech."""
    assert max(map(abs, errors(spoken, word_times=True))) <= 1


def test_without_word_times_at_most_two_words_are_wrong(spoken: list[Recording]) -> None:
    """At 200 random moments; nine in ten are within one."""
    found = errors(spoken, word_times=False)
    assert max(map(abs, found)) <= 2
    assert sum(found[error] for error in (-1, 0, 1)) >= 0.9 * POINTS


def beside(recording: Recording, ahead_ms: float, factor: float) -> list[Step]:
    """A recording as a model speaks it: each word so long before the sound in which it begins."""
    words: list[tuple[float, str]] = []
    pcm = b""
    for piece in recording.pieces:
        begins_ms = len(pcm) / 2 * 1000 / recording.rate
        words += [(begins_ms + word.start_ms, f"{word.text} ") for word in piece.words]
        pcm += piece.pcm
    size = recording.rate * CHUNK_MS // 1000 * 2
    steps: list[Step] = []
    for number, at in enumerate(range(0, len(pcm), size), 1):
        known = [word for when, word in words if when < number * CHUNK_MS + ahead_ms]
        steps += [Said(word) for word in known]
        del words[: len(known)]
        steps += [CHUNK_MS / 1000 * factor, Sound(pcm[at : at + size], 0)]
    return steps


@pytest.mark.parametrize("ahead_ms", [0, 500, 100_000])
def test_of_a_text_beside_its_sound_nearly_all_is_within_two_words(
    spoken: list[Recording], ahead_ms: float
) -> None:
    """As a model that speaks by itself tells it, without any word's time, about ten to fifteen
    seconds of it: in more than nine of ten cuts, never more than four.
    """
    chance = random.Random(20)  # noqa: S311 - a seed, so that every run is the same
    found: Counter[int] = Counter()
    for _ in range(POINTS):
        recording = chance.choice(spoken)
        model = SpokenTwin(beside(recording, ahead_ms, chance.choice(FACTORS)))
        model.rate = recording.rate
        at_ms = chance.uniform(0, recording.ms - 100)
        stages = Stages(s2s=model)
        found[run(words_of_error(recording, stages, at_ms, system_prompt="p"))] += 1
    shown = "  ".join(f"{error:+d}: {found[error]}" for error in sorted(found))
    sys.stdout.write(f"\n  beside  {shown}\n")
    assert max(map(abs, found)) <= 4
    assert sum(found[error] for error in range(-2, 3)) >= 0.92 * POINTS
    assert sum(found[error] for error in (-1, 0, 1)) >= 0.85 * POINTS
