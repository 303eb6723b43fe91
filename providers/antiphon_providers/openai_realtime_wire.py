"""OpenAI's Realtime API over WebSocket: the events that we send and read.

Source: OpenAI's API reference, "Realtime", client events and server events (GA), the guides
"Realtime API with WebSocket" and "Realtime transcription", and the ``openai`` SDK 3.54,
``types/realtime`` (2026-11-22). Each event is a text frame, a JSON object with a ``type``; those
of types that are not read here are left alone. Audio is base64 in them, int16 mono PCM at
24 kHz.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

RATE = 24_000
"""Samples per second, of all audio both ways."""

PCM = {"type": "audio/pcm", "rate": RATE}

# --- what we send ------------------------------------------------------------------------


class Sent(Struct, frozen=True, omit_defaults=True, tag_field="type"):
    """Any event of ours. An error names the ``event_id`` of that which it is about."""


class UpdateSession(Sent, frozen=True, omit_defaults=True, tag="session.update"):
    """What is not named stays as it is."""

    session: dict[str, Any]
    event_id: str | UnsetType = UNSET


class Append(Sent, frozen=True, omit_defaults=True, tag="input_audio_buffer.append"):
    """Audio in base64. It is not confirmed."""

    audio: str


class Commit(Sent, frozen=True, omit_defaults=True, tag="input_audio_buffer.commit"):
    """What was appended becomes an item; less than 100 ms is refused."""

    event_id: str


class CreateItem(Sent, frozen=True, omit_defaults=True, tag="conversation.item.create"):
    """An item after another, at the beginning (``root``) or, by default, at the end."""

    item: dict[str, Any]
    event_id: str
    previous_item_id: str | UnsetType = UNSET


class DeleteItem(Sent, frozen=True, omit_defaults=True, tag="conversation.item.delete"):
    """Takes an item out of the conversation."""

    item_id: str
    event_id: str


class CreateResponse(Sent, frozen=True, omit_defaults=True, tag="response.create"):
    """Answer now; one response at a time."""

    event_id: str


class CancelResponse(Sent, frozen=True, omit_defaults=True, tag="response.cancel"):
    """Answered with ``response.done``, or an error where there is no response any more."""

    event_id: str
    response_id: str | UnsetType = UNSET


# --- what we read ------------------------------------------------------------------------


class Trouble(Struct, frozen=True):
    """An error, in the vendor's words."""

    message: str = ""
    type: str | None = None
    code: str | None = None
    param: str | None = None
    event_id: str | None = None


class _Session(Struct, frozen=True):
    expires_at: float | None = None


class SessionCreated(Struct, frozen=True):
    """The first event of all; ``expires_at`` is seconds since 1970."""

    session: _Session = _Session()


class SessionUpdated(Struct, frozen=True):
    """An update was accepted."""

    session: _Session = _Session()


class Committed(Struct, frozen=True):
    """The oldest commit that was not answered yet made this item; some servers do not say which,
    and tell with its words.
    """

    item_id: str = ""


class HeardDelta(Struct, frozen=True):
    """More words of an item, perhaps before it is committed."""

    item_id: str
    delta: str | None = None


class HeardAll(Struct, frozen=True):
    """All words of an item; those of several may come in another order."""

    item_id: str
    transcript: str


class HeardNothing(Struct, frozen=True):
    """The words of an item could not be found."""

    item_id: str
    error: Trouble = Trouble()


class Details(Struct, frozen=True):
    """Why a response ended."""

    reason: str | None = None
    error: Trouble | None = None


class _InputDetails(Struct, frozen=True):
    cached_tokens: int | None = None


class Usage(Struct, frozen=True):
    """Tokens, of text and of audio together."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    input_token_details: _InputDetails | None = None


class Response(Struct, frozen=True):
    """A response; ``status`` is in_progress, completed, cancelled, failed or incomplete."""

    id: str
    status: str = "completed"
    status_details: Details | None = None
    usage: Usage | None = None


class ResponseCreated(Struct, frozen=True):
    """A response begins."""

    response: Response


class ResponseDone(Struct, frozen=True):
    """A response ended, well or not."""

    response: Response


class OutputItem(Struct, frozen=True):
    """An item that a response writes."""

    id: str
    type: str
    name: str | None = None


class OutputItemAdded(Struct, frozen=True):
    """It is in the conversation from now on."""

    response_id: str
    item: OutputItem


class Delta(Struct, frozen=True):
    """More of what a response says."""

    response_id: str
    item_id: str
    delta: str


class SpokenDelta(Delta, frozen=True):
    """Words, of which there is sound."""


class WrittenDelta(Delta, frozen=True):
    """Words, of which there is none."""


class SoundDelta(Delta, frozen=True):
    """Sound, in base64."""


class CallDone(Struct, frozen=True):
    """A tool is called; ``arguments`` is JSON."""

    response_id: str
    item_id: str
    call_id: str
    arguments: str
    name: str | None = None


class Failed(Struct, frozen=True):
    """Something went wrong; the session goes on, as long as it is not closed."""

    error: Trouble = field(default_factory=Trouble)


Event = (
    SessionCreated | SessionUpdated | Committed | HeardDelta | HeardAll | HeardNothing
    | ResponseCreated | ResponseDone | OutputItemAdded | SpokenDelta | WrittenDelta | SoundDelta
    | CallDone | Failed
)  # fmt: skip
_TRANSCRIPTION = "conversation.item.input_audio_transcription"
_KINDS: dict[str, type[Event]] = {
    "session.created": SessionCreated,
    "session.updated": SessionUpdated,
    "input_audio_buffer.committed": Committed,
    f"{_TRANSCRIPTION}.delta": HeardDelta,
    f"{_TRANSCRIPTION}.completed": HeardAll,
    f"{_TRANSCRIPTION}.failed": HeardNothing,
    "response.created": ResponseCreated,
    "response.done": ResponseDone,
    "response.output_item.added": OutputItemAdded,
    "response.output_audio_transcript.delta": SpokenDelta,
    "response.output_text.delta": WrittenDelta,
    "response.output_audio.delta": SoundDelta,
    "response.function_call_arguments.done": CallDone,
    "error": Failed,
}
_DECODERS = {kind: msgspec.json.Decoder(type=event) for kind, event in _KINDS.items()}


class _Head(Struct):
    type: str


_HEADS = msgspec.json.Decoder(type=_Head)


def read(message: str | bytes) -> Event | None:
    """The event; None for one of a type that is not read. Raises ``ValueError`` for what is none,
    and ``RecursionError``.
    """
    decoder = _DECODERS.get(_HEADS.decode(message).type)
    return None if decoder is None else decoder.decode(message)


def written(event: Sent) -> str:
    """The text of an event."""
    return msgspec.json.encode(event).decode()
