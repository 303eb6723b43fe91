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
from recorded_voice import RecordedVoice, Recording, recordings
from server.call.scripted_call import Caller, Stages, calling
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


async def words_of_error(recording: Recording, voice: RecordedVoice, at_ms: float) -> int:
    """Words in the transcript more (or, negative, fewer) than were out when it was cut."""
    async with calling(Stages(tts=voice), greeting=recording.text) as caller:
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
        found[run(words_of_error(recording, voice, at_ms))] += 1
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
