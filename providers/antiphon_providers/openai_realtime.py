"""Speech to speech by OpenAI's Realtime API (``/v1/realtime``).

One session a call hears it and answers it; when it answers is the server's to decide, so the
vendor's own turn detection is off. What was said stays with the vendor as speech, and before each
answer its memory is brought in line with the prompt (see ``openai_realtime_memory``)::

    ANTIPHON_S2S=openai-realtime ANTIPHON_S2S_API_KEY=... ANTIPHON_S2S_MODEL=gpt-realtime-2.1

Source: OpenAI's guides "Realtime API with WebSocket" and "Realtime conversations", its API
reference, "Realtime", and the ``openai`` SDK 3.54 (2026-11-22).
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from msgspec import Meta

from antiphon_providers.interfaces import ConversationOptions
from antiphon_providers.observer import SILENT, Observer
from antiphon_providers.openai_realtime_connection import (
    BASE_URL,
    Wire,
    address_of,
    leave_after,
)
from antiphon_providers.openai_realtime_conversation import Patience, RealtimeConversation
from antiphon_providers.openai_realtime_hearing import transcription_of
from antiphon_providers.openai_realtime_wire import PCM, RATE
from antiphon_providers.options import json_object
from antiphon_providers.streams import OpenStreams
from antiphon_providers.vendor_options import BeginMs, FinalMs, VendorOptions, voices_by_name
from antiphon_providers.vendor_socket import connect


class OpenAIRealtimeOptions(VendorOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which model and voice, and how patient to be with it."""

    api_key: Annotated[
        str, Meta(description="Empty: `OPENAI_API_KEY`, at the vendor's own address only.")
    ] = ""
    base_url: Annotated[str, Meta(description="Ends before `/realtime`.")] = BASE_URL
    model: Annotated[str, Meta(min_length=1, description="As the vendor calls it.")] = (
        "gpt-realtime-2.1"
    )
    voice: Annotated[
        str, Meta(min_length=1, description="For callers' voices that `voices` does not name.")
    ] = "marin"
    voices: Annotated[
        str, Meta(description="JSON object: the vendor's voice for each of Antiphon's names.")
    ] = "{}"
    transcription_model: Annotated[
        str, Meta(min_length=1, description="Finds the words of what the caller says.")
    ] = "gpt-transcribe"
    language: Annotated[str, Meta(description="For calls that name none; empty: any.")] = ""
    noise_reduction: Annotated[
        Literal["", "near_field", "far_field"],
        Meta(description="For a headset, or a microphone in the room; empty: none."),
    ] = ""
    extra_session: Annotated[
        str, Meta(description="JSON object of more fields of the session, as they are.")
    ] = "{}"
    begin_ms: BeginMs = 5000
    final_ms: FinalMs = 2000
    first_ms: Annotated[
        int, Meta(ge=1, description="Milliseconds from asking to an answer's first sound.")
    ] = 5000
    progress_ms: Annotated[
        int, Meta(ge=1, description="Milliseconds that an answer may pause once begun.")
    ] = 5000
    cancel_ms: Annotated[
        int, Meta(ge=1, description="Milliseconds that an answer broken off may take to end.")
    ] = 2000

    def __post_init__(self) -> None:
        super().__post_init__()
        json_object(self.extra_session)
        voices_by_name(self.voices)


class OpenAIRealtime:
    """A model that hears and speaks."""

    Options = OpenAIRealtimeOptions
    name = "openai-realtime"
    rate = RATE
    observer: Observer = SILENT

    def __init__(self, options: OpenAIRealtimeOptions | None = None) -> None:
        self.options = options or OpenAIRealtimeOptions()
        self._conversations: OpenStreams[RealtimeConversation] = OpenStreams(self.name, "the model")

    async def start(self) -> None:
        """Opens a session and leaves it, to see that the key and the model are accepted.

        Raises as ``open`` does; after anything but ``Refused`` it can be used all the same.
        """
        self._conversations.start()
        async with self.open(ConversationOptions()):
            pass

    async def close(self) -> None:
        """Ends all conversations."""
        self._conversations.close()

    @asynccontextmanager
    async def open(self, options: ConversationOptions) -> AsyncIterator[RealtimeConversation]:
        """A session for one call.

        Raises ``Refused`` where the vendor does not accept the key or a setting, in its own
        words, ``Unavailable`` where it cannot be reached or serve now, and ``TooSlow`` beyond
        ``connect_ms`` or ``begin_ms``.
        """
        self._conversations.check()
        mine = self.options
        query = {"model": mine.model}
        address = address_of(self.name, mine, query)
        patience = Patience(mine.final_ms, mine.first_ms, mine.progress_ms, mine.cancel_ms)
        async with connect(address, self.observer) as socket:
            wire = Wire(address, socket)
            expires = await wire.begin(session_of(mine, options), mine.begin_ms)
            conversation = RealtimeConversation(wire, patience, partials=options.hearing.partials)
            conversation.leave_after(leave_after(expires - time.time()))
            async with self._conversations.keep(conversation):
                yield conversation


def session_of(mine: OpenAIRealtimeOptions, options: ConversationOptions) -> dict[str, Any]:
    """How a call's session is set up; its instructions and tools come with each prompt."""
    wanted = options.voice.voice if options.voice is not None else ""
    noise = {"type": mine.noise_reduction} if mine.noise_reduction else None
    heard = {
        "format": PCM,
        "noise_reduction": noise,
        "transcription": transcription_of(mine.transcription_model, mine.language, options.hearing),
        "turn_detection": None,
    }
    spoken = {"format": PCM, "voice": voices_by_name(mine.voices).get(wanted, mine.voice)}
    return {
        "type": "realtime",
        "output_modalities": ["audio"],
        "instructions": "",
        "tools": [],
        "audio": {"input": heard, "output": spoken},
        **json_object(mine.extra_session),
    }
