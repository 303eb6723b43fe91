"""Scenes with speech: what a microphone and a loudspeaker would have heard."""

from __future__ import annotations

import array
import asyncio

from conformance import g711
from conformance.dialogue import LONG, LOOK_UP, SPOKEN, ask, scripted
from conformance.model import Calls, Says, Script, calling, saying
from conformance.speech import (
    BYTES_PER_MS,
    likeness,
    microphone,
    spoken_by,
    users_speech,
    users_words,
)
from conformance.stage import Scene, Trace, traced
from conformance.target import Target
from conformance.wire import Call

SPEECHES_AT_ONCE = 2
"""Recognition takes a processor; more at once would be heard too late on two cores."""

LIKE = 0.6
"""Of the words: recognition differs between servers, and is not what is tested."""
ATTEMPTS = 2

TURN_SECONDS = 40.0
ANSWER = "It will be fine."

_places: dict[str, asyncio.Semaphore] = {}


def _place(target: Target) -> asyncio.Semaphore:
    return _places.setdefault(target.url, asyncio.Semaphore(SPEECHES_AT_ONCE))


async def the_turn(call: Call) -> None:
    """Waits until the user was heard and answered."""
    await call.next("transcript.user", seconds=TURN_SECONDS)
    await call.next("reply.done", seconds=TURN_SECONDS)


async def heard_well(target: Target, play: Scene) -> Trace:
    """A scene, played again if the words were not understood.

    Recognition is not what is tested, and on a busy machine even a microphone may stutter.
    """
    for _ in range(ATTEMPTS):
        trace = await play(target)
        if likeness(users_words(target), words_heard(trace)) >= LIKE:
            break
    return trace


def words_heard(trace: Trace) -> str:
    """All that was transcribed of the user."""
    return " ".join(event["text"] for event in trace.seen("transcript.user"))


async def user_turn(target: Target) -> Trace:
    """The user says a sentence and the agent answers; the microphone is on all the time."""
    return await heard_well(target, _user_turn)


async def _user_turn(target: Target) -> Trace:
    speech, script = await users_speech(target), target.scripts.add(saying(ANSWER))
    async with _place(target), scripted(target, script) as call, microphone(call) as mic:
        mic.say(speech)
        await the_turn(call)
        return traced(call, asked=script.asked)


async def silence(target: Target) -> Trace:
    """Three seconds of a microphone in a silent room."""
    async with scripted(target, saying(ANSWER)) as call, microphone(call):
        await call.quiet(3.0)
        return traced(call)


async def in_pieces(target: Target, size: int) -> Trace:
    """A sentence in pieces of so many bytes, in real time, then nothing more at all."""
    return await heard_well(target, lambda target: _in_pieces(target, size))


async def _in_pieces(target: Target, size: int) -> Trace:
    speech = await users_speech(target)
    async with _place(target), scripted(target, saying(ANSWER)) as call:
        loop = asyncio.get_running_loop()
        start = loop.time()
        for at in range(0, len(speech), size):
            await call.say(speech[at : at + size])
            await asyncio.sleep(start + (at + size) / BYTES_PER_MS / 1000 - loop.time())
        await the_turn(call)
        return traced(call)


async def small_pieces(target: Target) -> Trace:
    """Of 256 bytes: the AudioWorklet frames of the official starter."""
    return await in_pieces(target, 256)


async def large_pieces(target: Target) -> Trace:
    """Of 8160 bytes, 170 ms: the largest that a known client sends (ScriptProcessor)."""
    return await in_pieces(target, 8160)


async def huge_pieces(target: Target) -> Trace:
    """Of 24,000 bytes: half a second each."""
    return await in_pieces(target, 24_000)


async def odd_pieces(target: Target) -> Trace:
    """Of 961 bytes: every other one begins inside a sample."""
    return await in_pieces(target, 961)


async def in_a_burst(target: Target) -> Trace:
    """A whole sentence at three times real time, then silence: live raised nothing."""
    return await heard_well(target, _in_a_burst)


async def _in_a_burst(target: Target) -> Trace:
    speech = (await users_speech(target)) + b"\0" * 1500 * BYTES_PER_MS
    async with _place(target), scripted(target, saying(ANSWER)) as call:
        for at in range(0, len(speech), 4800):
            await call.say(speech[at : at + 4800])
            await asyncio.sleep(0.1 / 3)
        await the_turn(call)
        return traced(call)


async def by_telephone(target: Target) -> Trace:
    """A sentence in μ-law at 8 kHz, 20 ms a frame; the answer in μ-law."""
    return await heard_well(target, _by_telephone)


async def _by_telephone(target: Target) -> Trace:
    samples = array.array("h", await users_speech(target))
    narrow = array.array("h", (sum(samples[at : at + 3]) // 3 for at in range(0, len(samples), 3)))
    sound = g711.encode(narrow.tobytes()) + b"\xff" * 16_000
    law = {"format": {"encoding": "audio/pcmu"}}
    async with (
        _place(target),
        scripted(target, saying(ANSWER), input=law, output=law) as call,
    ):
        for at in range(0, len(sound), 160):
            await call.say(sound[at : at + 160])
            await asyncio.sleep(0.02)
        await the_turn(call)
        return traced(call)


async def barge_in(target: Target) -> Trace:
    """The user cuts into a long greeting and is then answered."""
    speech, script = await users_speech(target), target.scripts.add(saying(ANSWER))
    async with (
        _place(target),
        scripted(target, script, greeting=LONG) as call,
        microphone(call) as mic,
    ):
        await call.until(lambda _: len(call.audio()) > 2000 * BYTES_PER_MS, "two seconds of audio")
        mic.say(speech)
        await call.next("reply.done", seconds=TURN_SECONDS)
        heard = len(call.audio()) / BYTES_PER_MS
        await the_turn(call)
        return traced(call, asked=script.asked, heard=heard)


async def resumed_turn(target: Target) -> Trace:
    """The user goes on speaking after their turn was ended, before the answer is audible."""
    speech, script = await users_speech(target), target.scripts.add(saying(ANSWER, after=4.0))
    async with _place(target), scripted(target, script) as call, microphone(call) as mic:
        mic.say(speech)
        await call.next("reply.started", seconds=TURN_SECONDS)
        mic.say(speech)
        await call.next("transcript.agent", seconds=TURN_SECONDS)
        await call.next("reply.done", seconds=TURN_SECONDS)
        return traced(call, asked=script.asked)


async def back_channel(target: Target) -> Trace:
    """The user agrees into a greeting, with a word that recognisers know."""
    hum = await spoken_by(target, "Yeah.")
    greeting = f"{SPOKEN} {SPOKEN} {SPOKEN}"
    async with (
        _place(target),
        scripted(target, saying(ANSWER), greeting=greeting) as call,
        microphone(call) as mic,
    ):
        await call.until(lambda _: len(call.audio()) > 1500 * BYTES_PER_MS, "audio")
        mic.say(hum)
        done = await call.next("reply.done", seconds=TURN_SECONDS)
        return traced(call, greeting=greeting, status=done["status"])


async def not_interruptible(target: Target) -> Trace:
    """The user speaks into a greeting of a session without barge-in."""
    return await _spoken_over(target, {"interrupt_response": False})


async def protected_greeting(target: Target) -> Trace:
    """The user speaks into a greeting that is protected."""
    return await _spoken_over(target, {"uninterruptible_turns": ["greeting"]})


async def _spoken_over(target: Target, turn_detection: dict[str, object]) -> Trace:
    speech = await users_speech(target)
    greeting = f"{SPOKEN} {SPOKEN}"
    async with (
        _place(target),
        scripted(
            target,
            saying(ANSWER),
            greeting=greeting,
            input={"turn_detection": turn_detection},
        ) as call,
        microphone(call) as mic,
    ):
        await call.next("reply.audio")
        mic.say(speech[: 2500 * BYTES_PER_MS])
        done = await call.next("reply.done", seconds=TURN_SECONDS)
        return traced(call, greeting=greeting, status=done["status"])


async def spoken_to_while_held(target: Target) -> Trace:
    """The user speaks while a tool is in hold mode; its result comes afterwards."""
    speech, tool = await users_speech(target), {**LOOK_UP, "execution_mode": "hold"}
    script = calling("look_up", {"word": "seven"}, "It is a number.")
    async with (
        _place(target),
        scripted(target, script, tools=[tool]) as call,
        microphone(call) as mic,
    ):
        await ask(call, "Please look up seven.")
        event = await call.next("tool.call")
        mic.say(speech)
        await mic.said()
        await call.quiet(4.0)
        held = len(call.events)
        await call.send("tool.result", call_id=event["call_id"], result="{}")
        await call.next("transcript.user", seconds=TURN_SECONDS)
        await call.next("reply.done", seconds=TURN_SECONDS)
        return traced(call, held=held)


async def annotated_session(target: Target) -> Trace:
    """Appendix A: greeting, question, tool, long answer, interruption, end."""
    speech = await users_speech(target)
    word = target.speech_text.split()[0].strip(".,") if target.speech_text else "weather"

    def rule(asked: object) -> Says | Calls:
        assert hasattr(asked, "steps")
        return Says(LONG) if asked.steps else Calls((("look_up", {"word": word}),))

    async with (
        _place(target),
        scripted(target, Script(rule), greeting="Hi.", tools=[LOOK_UP]) as call,
        microphone(call) as mic,
    ):
        await call.next("reply.done")
        mic.say(speech)
        event = await call.next("tool.call", seconds=TURN_SECONDS)
        await call.send(
            "tool.result", call_id=event["call_id"], result='{"ok":true}', is_error=False
        )
        await call.next("reply.done", seconds=TURN_SECONDS)
        answer = await call.next("reply.started", seconds=TURN_SECONDS)
        await call.until(
            lambda _: len(call.audio(answer["reply_id"])) > 1500 * BYTES_PER_MS, "answer's audio"
        )
        mic.say(speech)
        await call.next("reply.done", status="interrupted", seconds=TURN_SECONDS)
        mic.hush()
        await call.send("session.end")
        await call.next("session.ended")
        await call.closed()
        return traced(call, word=word)
