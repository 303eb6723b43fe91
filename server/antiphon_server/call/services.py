"""All that a call is served by."""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec import Struct

from antiphon_server.call.ears import Clean, HearingServices
from antiphon_server.call.reply import SpeakingServices


class Services(Struct, frozen=True):
    """The providers of a node, and what else its calls share."""

    hearing: HearingServices
    speaking: SpeakingServices
    audio_lead_ms: float = 200.0
    noise_suppression: Callable[[], Clean] | None = None
    """Makes the noise suppression of one call that asks for voice focus."""
    clock: Callable[[], float] = time.monotonic
    """Seconds. Not ``loop.time``: uvloop's stands still while a callback runs."""

    @property
    def names(self) -> dict[str, str]:
        """The provider of each stage."""
        return {
            "voice_activity": self.hearing.voice_activity.name,
            "turn_detection": self.hearing.turn_model.name,
            "speech_to_text": self.hearing.speech_to_text.name,
            "language_model": self.speaking.language_model.name,
            "text_to_speech": self.speaking.text_to_speech.name,
        }
