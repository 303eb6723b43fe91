"""One short, real request to a provider: does it answer, how fast, and what can it do?

``check`` starts the provider, asks it once as a call would, and closes it. Times are seconds of
``time.perf_counter``; what was learned is a list of named findings for people and programs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

from msgspec import Struct, field

from antiphon_providers.errors import Malformed, ProviderError, TooSlow
from antiphon_providers.interfaces import (
    HEARING_RATE,
    ConversationOptions,
    HearingOptions,
    Message,
    Prompt,
    Recognised,
    Said,
    Sound,
    SpeechStream,
    Spent,
    ToolSpec,
    Used,
    VoiceOptions,
)
from antiphon_providers.registry import Stage
from antiphon_server.call.writing import closing

PATIENCE_SECONDS = 30.0
"""For the start, and again for each question."""
SENTENCES = ("The kettle is on.", "It will be ready in three minutes.")
VOICE = "ivy"
"""A voice of the protocol's catalogue."""
PIECE_MS = 50
_PIECE_BYTES = HEARING_RATE * 2 * PIECE_MS // 1000
_TOOL = ToolSpec(
    "note_colour",
    "Notes the caller's favourite colour.",
    {"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]},
)


class Finding(Struct, frozen=True):
    """Something that was learned: a time in ms, a number or words."""

    name: str
    value: float | str | bool
    unit: str = ""


class Report(Struct):
    """What a check learned; ``failure`` tells why it could not learn more."""

    stage: str
    provider: str
    findings: list[Finding] = field(default_factory=list)
    failure: str | None = None
    code: str | None = None

    def took(self, name: str, since: float) -> None:
        """How long something took, in ms."""
        self.findings.append(Finding(name, round(1000 * (time.perf_counter() - since), 1), "ms"))

    def learned(self, name: str, value: float | str | bool, unit: str = "") -> None:
        """Something else."""
        self.findings.append(Finding(name, value, unit))


async def check(stage: Stage, provider: Any, speech: bytes | None) -> Report:
    """Asks ``provider`` once. ``speech`` is PCM at ``HEARING_RATE`` in which somebody speaks, for
    those that hear; None where there is none.
    """
    report = Report(stage, provider.name)
    questions: dict[str, Callable[[], Awaitable[None]]] = {
        "language_model": lambda: _write(provider, report),
        "text_to_speech": lambda: _speak(provider, report),
        "speech_to_speech": lambda: _converse(provider, report, speech),
        "speech_to_text": lambda: _hear(provider, report, speech),
        "turn_model": lambda: _judge(provider, report, speech),
        "voice_activity": lambda: _notice(provider, report, speech),
    }
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            begun = time.perf_counter()
            await provider.start()
            report.took("start", begun)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await questions[stage]()
    except ProviderError as failure:
        report.failure, report.code = failure.message, failure.code
    except TimeoutError:
        report.failure = f"nothing came of it within {PATIENCE_SECONDS:.0f} s"
        report.code = TooSlow.code
    finally:
        await provider.close()
    return report


async def _write(model: Any, report: Report) -> None:
    ask = Message(role="user", content="Say in one short sentence what a kettle is for.")
    begun = time.perf_counter()
    text, spent = "", None
    async with aclosing(closing(model.reply(Prompt((ask,), conversation="check")))) as pieces:
        async for piece in pieces:
            if isinstance(piece, Said) and piece.text:
                if not text:
                    report.took("first token", begun)
                text += piece.text
            elif isinstance(piece, Spent):
                spent = piece
    report.took("whole reply", begun)
    if not text.strip():
        raise Malformed("the language model said nothing")
    report.learned("said", text.strip())
    if spent is not None:
        report.learned("tokens", spent.prompt_tokens + spent.completion_tokens)
    report.learned("calls tools", await _calls_tools(model))


async def _calls_tools(model: Any) -> bool:
    """Whether it calls a tool that it is told to call; one that refuses tools does not."""
    system = Message(role="system", content="Call note_colour with the colour that you are told.")
    user = Message(role="user", content="My favourite colour is green. Note my favourite colour.")
    prompt = Prompt((system, user), (_TOOL,), conversation="check-tools")
    try:
        async with aclosing(closing(model.reply(prompt))) as pieces:
            return any([isinstance(piece, Used) async for piece in pieces])
    except ProviderError:
        return False


async def _speak(voice: Any, report: Report) -> None:
    async def sentences() -> AsyncIterator[str]:
        for sentence in SENTENCES:
            yield sentence

    begun = time.perf_counter()
    heard, ended, timed = 0, 0, False
    async with aclosing(closing(voice.speak(sentences(), VoiceOptions(VOICE)))) as sounds:
        async for sound in sounds:
            if sound.pcm and not heard:
                report.took("first audio", begun)
            heard += len(sound.pcm)
            ended += sound.ends
            timed = timed or bool(sound.words)
    if not heard:
        raise Malformed("text-to-speech made no sound")
    taken, seconds = time.perf_counter() - begun, heard / 2 / voice.rate
    report.took("both sentences", begun)
    report.learned("audio", round(seconds, 2), "s")
    report.learned("faster than real time", round(seconds / taken, 1), "times")
    report.learned("sample rate", voice.rate, "Hz")
    report.learned("tells word times", timed)
    if ended != len(SENTENCES):
        raise Malformed(f"text-to-speech ended {ended} of {len(SENTENCES)} sentences")


async def _hear(recogniser: Any, report: Report, speech: bytes | None) -> None:
    begun = time.perf_counter()
    async with recogniser.open(HearingOptions()) as stream:
        report.took("open", begun)
        await _understand(stream, report, speech)


async def _understand(stream: SpeechStream, report: Report, speech: bytes | None) -> str:
    """What it made of the speech."""
    results: asyncio.Queue[Recognised] = asyncio.Queue()
    listening = asyncio.create_task(_listen(stream, results))
    try:
        for at in range(0, len(speech or b""), _PIECE_BYTES):
            stream.feed((speech or b"")[at : at + _PIECE_BYTES])
            await asyncio.sleep(PIECE_MS / 1000)
        flushed = time.perf_counter()
        stream.flush()
        partials = 0
        while not (result := await _next(results, listening)).flushed:
            partials += 1
        report.took("final words after the pause", flushed)
    finally:
        listening.cancel()
    report.learned("gives partial words", partials > 0)
    if result.turn_over is not None:
        report.learned("judges the end of a turn", round(result.turn_over, 2))
    if speech is None:
        report.learned("heard", "silence only: install antiphon[local] to speak to it")
    elif result.text:
        report.learned("heard", result.text)
    else:
        raise Malformed("it understood nothing of clear speech")
    return result.text


async def _converse(model: Any, report: Report, speech: bytes | None) -> None:
    """Says something to it, and hears out its answer."""
    begun = time.perf_counter()
    async with model.open(ConversationOptions(voice=VoiceOptions(VOICE))) as conversation:
        report.took("open", begun)
        heard = await _understand(conversation, report, speech)
        asked = Message(role="user", content=heard or "Say in one short sentence who you are.")
        begun = time.perf_counter()
        text, audio = "", 0
        prompt = Prompt((asked,), conversation="check")
        async with aclosing(closing(conversation.reply(prompt))) as pieces:
            async for piece in pieces:
                if isinstance(piece, Said):
                    text += piece.text
                elif isinstance(piece, Sound) and piece.pcm:
                    if not audio:
                        report.took("first audio", begun)
                    audio += len(piece.pcm)
                elif isinstance(piece, Spent):
                    report.learned("tokens", piece.prompt_tokens + piece.completion_tokens)
    if not audio:
        raise Malformed("speech-to-speech made no sound")
    report.took("whole reply", begun)
    report.learned("said", text.strip())
    report.learned("audio", round(audio / 2 / model.rate, 2), "s")
    report.learned("sample rate", model.rate, "Hz")


async def _listen(stream: SpeechStream, results: asyncio.Queue[Recognised]) -> None:
    async for result in stream:
        results.put_nowait(result)


async def _next(results: asyncio.Queue[Recognised], listening: asyncio.Task[None]) -> Recognised:
    """The next result; raises what ended the listening, if that comes first."""
    getting = asyncio.ensure_future(results.get())
    await asyncio.wait({getting, listening}, return_when=asyncio.FIRST_COMPLETED)
    if getting.done():
        return getting.result()
    getting.cancel()
    listening.result()
    raise Malformed("speech-to-text ended before it answered")


async def _judge(model: Any, report: Report, speech: bytes | None) -> None:
    begun = time.perf_counter()
    probability = await model.judge((speech or b"") + bytes(HEARING_RATE // 5 * 2))
    report.took("verdict", begun)
    report.learned("the turn is over", round(probability, 2))


async def _notice(activity: Any, report: Report, speech: bytes | None) -> None:
    probabilities: list[float] = []
    pcm = speech or bytes(HEARING_RATE * 2)
    window = HEARING_RATE * 2 * activity.window_ms // 1000
    whole = len(pcm) // window
    done = asyncio.Event()

    def sink(probability: float) -> None:
        probabilities.append(probability)
        if len(probabilities) == whole:
            done.set()

    begun = time.perf_counter()
    stream = activity.open(sink)
    stream.feed(pcm[: whole * window])
    await done.wait()
    stream.close()
    report.learned("a window", activity.window_ms, "ms")
    report.took(f"{whole} windows", begun)
    report.learned("most likely speech", round(max(probabilities), 2))
