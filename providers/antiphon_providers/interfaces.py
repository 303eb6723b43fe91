"""What the server asks of each stage; a provider is any object of one of these shapes.

Common rules, which the suites in ``antiphon_providers.contract`` check for each:

- A provider serves many calls at once; what belongs to one call lives in the stream it opens.
- ``start`` does all loading, so that a call starts without loading anything; ``close`` undoes
  it. Both may be called once.
- Nothing here blocks the event loop: a method that is not ``async`` returns at once.
- Cancelling an iteration is the interruption: the provider stops work within 20 ms.
- Failures are those of ``antiphon_providers.errors``, never a library's own.
- PCM is int16 little-endian mono; ``HEARING_RATE`` samples per second on the way in, the
  provider's own ``rate`` on the way out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, Literal, Protocol

from msgspec import Meta, Struct, field

HEARING_RATE = 16_000
"""Samples per second of all audio a provider hears."""

# --- any provider ------------------------------------------------------------------------


class Provider(Protocol):
    """What all providers share."""

    @property
    def name(self) -> str:
        """As in settings, logs and metric labels."""
        ...

    async def start(self) -> None:
        """Loads and connects what all calls share. Raises ``ProviderError``."""
        ...

    async def close(self) -> None:
        """Releases it; running streams end."""
        ...


# --- voice activity ----------------------------------------------------------------------


class VoiceStream(Protocol):
    """One call's voice activity."""

    def feed(self, pcm: bytes) -> None:
        """Takes the next audio, any length; each full window is reported to the sink."""
        ...

    def close(self) -> None:
        """Ends the stream; the sink is not called again."""
        ...


class VoiceActivity(Provider, Protocol):
    """How likely it is that somebody speaks, window by window."""

    @property
    def window_ms(self) -> int:
        """Milliseconds of audio behind one probability."""
        ...

    def open(self, sink: Callable[[float], None]) -> VoiceStream:
        """A stream that calls ``sink`` on the event loop with each window's probability (0 to
        1), in order, one for each window fed.
        """
        ...


# --- turn detection ----------------------------------------------------------------------


class TurnModel(Provider, Protocol):
    """Whether the speaker has finished, from how it sounded."""

    async def judge(self, pcm: bytes) -> float:
        """Probability (0 to 1) that the turn is over; ``pcm`` is its end, at most 8 s, with
        the silence that followed. Asked once per pause.
        """
        ...


# --- speech to text ----------------------------------------------------------------------


class HearingOptions(Struct, frozen=True):
    """What a recogniser may know before it hears anything."""

    keyterms: tuple[str, ...] = ()
    prompt: str | None = None
    language_codes: tuple[str, ...] = ()
    partials: Annotated[
        bool, Meta(description="Whether words are wanted while they are spoken.")
    ] = True
    pause_ms: Annotated[
        int | None,
        Meta(description="Silence after which a finished-sounding turn is over, in ms."),
    ] = None
    longest_pause_ms: Annotated[
        int | None, Meta(description="Silence after which any turn is over, in ms.")
    ] = None


class Recognised(Struct, frozen=True):
    """Words of the current segment: the audio fed since the last answered ``flush``.

    ``text`` is the whole segment so far, not an increment. ``flushed`` is True in exactly one
    result for each ``flush``, the last of its segment; the next result begins a new segment.
    ``turn_over`` is the vendor's own verdict, the probability (0 to 1) that the speaker's turn
    is over; None from one that has no opinion.
    """

    text: str
    flushed: bool = False
    turn_over: float | None = None


class SpeechStream(Protocol):
    """One call's recogniser. ``feed`` and ``flush`` never block; results are iterated."""

    def feed(self, pcm: bytes) -> None:
        """Takes speech as it is spoken, at ``HEARING_RATE``."""
        ...

    def flush(self) -> None:
        """The speaker paused: say the final words of all that was fed since the last flush.

        Always answered by one result with ``flushed=True``, whose text is empty where nothing
        was understood.
        """
        ...

    def __aiter__(self) -> AsyncIterator[Recognised]:
        """Results in order, until the stream is closed. Raises ``ProviderError``."""
        ...


class SpeechToText(Provider, Protocol):
    """Speech to words, streaming."""

    def open(self, options: HearingOptions) -> AbstractAsyncContextManager[SpeechStream]:
        """A recogniser for one call; leaving the context ends it. Raises ``ProviderError``."""
        ...


# --- language model ----------------------------------------------------------------------


class ToolUse(Struct, frozen=True):
    """A call of a tool, as the model made it."""

    call_id: str
    name: str
    arguments: dict[str, Any]


class Message(Struct, frozen=True, kw_only=True):
    """One entry of the conversation, in the shape language models expect."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    tool_uses: tuple[ToolUse, ...] = ()
    call_id: Annotated[str | None, Meta(description="Which call a `tool` message answers.")] = None
    is_error: bool = False


class ToolSpec(Struct, frozen=True):
    """A tool the model may call; ``parameters`` is the JSON Schema of its arguments."""

    name: str
    description: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)


class Prompt(Struct, frozen=True):
    """All that a model is told for one reply.

    ``messages`` begins with the system prompt where there is one; ``instructions`` of a
    ``reply.create`` come as its last system message. ``conversation`` is the same for all
    replies of one call, so that a model may keep what it learned (or a server its cache).
    """

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    conversation: str = ""


class Said(Struct, frozen=True):
    """The next piece of the reply's text; white space is part of it."""

    text: str


class Used(Struct, frozen=True):
    """The model calls a tool, arguments complete."""

    use: ToolUse


class Spent(Struct, frozen=True):
    """What the reply cost, in tokens. ``cached_tokens`` are those of the prompt that the vendor
    had in its cache.
    """

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0


class Chosen(Struct, frozen=True):
    """Who writes what follows, where several could have: said before it, and again at a switch.

    ``provider`` and ``model`` as in settings; ``reason`` in a few words for the timeline.
    """

    provider: str
    model: str = ""
    reason: str = ""


Piece = Said | Used | Spent | Chosen
"""What a language model's reply is made of."""


class LanguageModel(Provider, Protocol):
    """Conversation in, words and tool calls out, streaming."""

    def reply(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """The reply as it is written. Raises ``ProviderError``."""
        ...


# --- text to speech ----------------------------------------------------------------------


class VoiceOptions(Struct, frozen=True):
    """Which voice to speak with: a name of the protocol's catalogue (section 3.4).

    ``conversation`` is the same for all replies of one call, as in ``Prompt``, so that a call
    which another provider took over keeps the voice that it has now.
    """

    voice: str
    conversation: str = ""


class Word(Struct, frozen=True):
    """A spoken word; milliseconds from the start of its sentence's audio."""

    text: str
    start_ms: int
    end_ms: int


class Sound(Struct, frozen=True):
    """The next audio of a reply.

    ``sentence`` counts the sentences taken from the input, from 0; ``ends`` is True in the
    last sound of each sentence (whose PCM may be empty). ``words`` are those whose times the
    provider now knows; a provider that knows none leaves it empty and they are estimated.
    """

    pcm: bytes
    sentence: int
    ends: bool = False
    words: tuple[Word, ...] = ()


class TextToSpeech(Provider, Protocol):
    """Sentences to sound, streaming at both ends."""

    @property
    def rate(self) -> int:
        """Samples per second of all its PCM."""
        ...

    def speak(self, sentences: AsyncIterator[str], options: VoiceOptions) -> AsyncIterator[Sound]:
        """The sentences' sound, in order; the first sound comes before the last sentence is
        known. Raises ``ProviderError``.
        """
        ...


# --- speech to speech --------------------------------------------------------------------


class ConversationOptions(Struct, frozen=True):
    """What a model that hears and speaks may know before it does either."""

    hearing: HearingOptions = HearingOptions()
    voice: VoiceOptions | None = None


SpokenPiece = Said | Used | Spent | Sound
"""What a spoken reply is made of: what it says, as text, and its sound, in any interleaving.

Each ``Sound`` has ``sentence`` 0, and the last one ``ends``; the text of the whole reply is what
all ``Said`` say together. Where the vendor gives word times they are counted from the start of
the reply's audio.
"""


class SpokenConversation(SpeechStream, Protocol):
    """One call's model that hears and speaks.

    As a recogniser it is fed, flushed and iterated: its results are the transcripts of what it
    heard. When the speaker's turn is over is the server's to decide, as with any recogniser.
    """

    def reply(self, prompt: Prompt) -> AsyncIterator[SpokenPiece]:
        """The answer to what was heard, as it is spoken; one at a time.

        ``prompt`` is what was really said so far, cut to what was heard: where the vendor's own
        memory differs from it, it is brought in line first. What was heard as audio is answered
        as audio. Cancelling the iteration stops the model. Raises ``ProviderError``.
        """
        ...


class SpeechToSpeech(Provider, Protocol):
    """Speech in, speech out: one model for a whole turn."""

    @property
    def rate(self) -> int:
        """Samples per second of all its PCM."""
        ...

    def open(self, options: ConversationOptions) -> AbstractAsyncContextManager[SpokenConversation]:
        """The model for one call; leaving the context ends it. Raises ``ProviderError``."""
        ...
