"""A model that hears and speaks as it is told to: scripted recogniser, model and voice in one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal, TypeVar

from msgspec import Meta, Struct, structs

from antiphon_providers.interfaces import (
    ConversationOptions,
    Piece,
    Prompt,
    Recognised,
    Said,
    Sound,
    Spent,
    SpokenPiece,
    Used,
    VoiceOptions,
)
from antiphon_providers.scripted.desk import Closed, Desk, Fault, Stream
from antiphon_providers.scripted.language_model import (
    LanguageModelScript,
    ScriptedLanguageModel,
    said,
)
from antiphon_providers.scripted.speech_to_text import (
    ScriptedSpeechStream,
    ScriptedSpeechToText,
    SpeechToTextScript,
)
from antiphon_providers.scripted.text_to_speech import ScriptedTextToSpeech, TextToSpeechScript

_REMEMBERED = 100

_AT_ONCE = {"first_sound_ms": 0, "real_time_factor": 0}
"""Of the voice: a reply waits by itself."""

_Part = TypeVar("_Part", bound=Struct)


class SpeechToSpeechScript(Struct, frozen=True, forbid_unknown_fields=True):
    """How the scripted model that hears and speaks behaves."""

    utterances: Annotated[
        str, Meta(description="What the segments of a call say in turn, separated by |.")
    ] = "hello there"
    after_last: Annotated[
        Literal["cycle", "last", "nothing"], Meta(description="When they are used up.")
    ] = "cycle"
    mode: Annotated[
        Literal["told", "echo"],
        Meta(description="`echo`: hears the number in the sound, and sounds it in its answer."),
    ] = "told"
    ms_per_word: Annotated[float, Meta(gt=0, description="Audible milliseconds a word.")] = 300
    partial_every_ms: Annotated[
        float, Meta(ge=0, description="Milliseconds of audio between partial results; 0: none.")
    ] = 200
    final_ms: Annotated[float, Meta(ge=0, description="Milliseconds from flush to words.")] = 0
    replies: Annotated[
        str, Meta(description="Replies in turn, separated by |, over and over; empty: an echo.")
    ] = ""
    tool: Annotated[
        str, Meta(description="Tool called when the user spoke last and the prompt offers it.")
    ] = ""
    tool_arguments: Annotated[str, Meta(description="JSON object given to the tool.")] = "{}"
    rate: Annotated[int, Meta(ge=8000, le=48000, description="Samples per second.")] = 24_000
    ms_per_character: Annotated[float, Meta(gt=0, description="Of speech.")] = 60
    chunk_ms: Annotated[int, Meta(ge=5, le=5000, description="Of speech in one sound.")] = 40
    first_sound_ms: Annotated[
        float, Meta(ge=0, description="Milliseconds from being asked to the first sound.")
    ] = 0
    real_time_factor: Annotated[
        float, Meta(ge=0, description="Time taken for a second of speech, in seconds.")
    ] = 0
    word_times: Annotated[bool, Meta(description="Whether it says when each word is.")] = False
    hearing_fault: Annotated[
        str, Meta(description="See `Fault.parse`; of conversations, counts their transcripts.")
    ] = ""
    fault: Annotated[str, Meta(description="See `Fault.parse`; of replies, counts pieces.")] = ""

    def __post_init__(self) -> None:
        Fault.parse(self.fault)
        Fault.parse(self.hearing_fault)
        _part(self, LanguageModelScript)


class ScriptedSpeechToSpeech:
    """Hears, answers and hums as the other twins do.

    The words of an answer come just before the sound in which they begin. ``hear``, ``answer``
    and ``sing`` in the constructor replace what those twins would do. ``desk`` is that of the
    conversations, ``replies`` that of the replies; the options of the last conversations are in
    ``asked``, the prompts of the last replies in ``prompts``.
    """

    Options = SpeechToSpeechScript
    name = "scripted"

    def __init__(
        self,
        options: SpeechToSpeechScript | None = None,
        *,
        hear: Callable[[bytes], str] | None = None,
        answer: Callable[[Prompt], Iterable[Piece]] | None = None,
        sing: Callable[[str], bytes] | None = None,
    ) -> None:
        self.options = script = options or SpeechToSpeechScript()
        self.rate = script.rate
        hearing = _part(script, SpeechToTextScript, fault=script.hearing_fault)
        mode = "echo" if script.mode == "echo" else "hum"
        voice = _part(script, TextToSpeechScript, mode=mode, word_times=True, fault="", **_AT_ONCE)
        self._hearing = ScriptedSpeechToText(hearing, hear=hear)
        self._model = ScriptedLanguageModel(
            _part(script, LanguageModelScript, fault=""), answer=answer
        )
        self._voice = ScriptedTextToSpeech(voice, sing=sing)
        self.desk = self._hearing.desk
        self.replies = Desk(self.name, Fault.parse(script.fault))
        self.asked: deque[ConversationOptions] = deque(maxlen=_REMEMBERED)
        self.prompts = self._model.prompts

    async def start(self) -> None:
        """There is nothing to load."""

    async def close(self) -> None:
        """Running conversations and replies end."""
        self.replies.shut()
        await self._hearing.close()

    @asynccontextmanager
    async def open(self, options: ConversationOptions) -> AsyncIterator[ScriptedConversation]:
        """The model for one call, whose first segment says the first utterance."""
        self.asked.append(options)
        async with self._hearing.open(options.hearing) as stream:
            conversation = ScriptedConversation(self, stream, options.voice or VoiceOptions(""))
            try:
                yield conversation
            finally:
                conversation.close()

    async def answer(self, prompt: Prompt, voice: VoiceOptions) -> list[SpokenPiece]:
        """All of a reply's pieces, at once."""
        written = [piece async for piece in self._model.reply(prompt)]
        text = "".join(piece.text for piece in written if isinstance(piece, Said))
        words = deque(said(text))
        pieces: list[SpokenPiece] = []
        async for sound in self._voice.speak(_whole(text), voice):
            begun = len(words) if sound.ends else len(sound.words)
            pieces += [words.popleft() for _ in range(begun)]
            pieces.append(sound if self.options.word_times else structs.replace(sound, words=()))
        return [*pieces, *(piece for piece in written if isinstance(piece, (Used, Spent)))]


class ScriptedConversation:
    """One call's model that hears and speaks."""

    def __init__(
        self, owner: ScriptedSpeechToSpeech, hearing: ScriptedSpeechStream, voice: VoiceOptions
    ) -> None:
        self._owner = owner
        self._hearing = hearing
        self._voice = voice
        self._replies: set[Stream] = set()
        self._is_open = True

    def feed(self, pcm: bytes) -> None:
        """Takes int16 mono PCM at 16 kHz."""
        self._hearing.feed(pcm)

    def flush(self) -> None:
        """Says the segment's words after the final delay."""
        self._hearing.flush()

    def __aiter__(self) -> AsyncIterator[Recognised]:
        """What was heard, each when it is due."""
        return aiter(self._hearing)

    def close(self) -> None:
        """Replies end."""
        self._is_open = False
        for stream in self._replies:
            stream.shut()

    async def reply(self, prompt: Prompt) -> AsyncGenerator[SpokenPiece, None]:
        """The answer to the prompt's last message, whose words are those that were heard."""
        script = self._owner.options
        due = asyncio.get_running_loop().time() + script.first_sound_ms / 1000
        with self._owner.replies.stream() as stream:
            self._replies.add(stream)
            if not self._is_open:
                stream.shut()
            try:
                await stream.open()
                for piece in () if stream.empty else await self._owner.answer(prompt, self._voice):
                    await stream.result(due)
                    yield piece
                    if isinstance(piece, Sound):
                        seconds = len(piece.pcm) / 2 / script.rate
                        due += seconds * script.real_time_factor
                # An empty answer takes its time too, and a fault may come after the last piece.
                await stream.result(due if stream.results == 0 else 0)
            except Closed:
                return
            finally:
                self._replies.discard(stream)


def _part(script: SpeechToSpeechScript, kind: type[_Part], **others: Any) -> _Part:
    """How one of the three behaves, by what it has in common with all."""
    common = set(kind.__struct_fields__).intersection(script.__struct_fields__)
    return kind(**{**{name: getattr(script, name) for name in common}, **others})


async def _whole(text: str) -> AsyncIterator[str]:
    if text:
        yield text
