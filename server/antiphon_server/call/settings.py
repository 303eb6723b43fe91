"""What one call is configured to be, in the server's own terms, whatever wire it came over."""

from __future__ import annotations

from msgspec import Struct

from antiphon_protocol.audio import PCM, Encoding
from antiphon_providers.interfaces import HearingOptions, ToolSpec, VoiceOptions
from antiphon_server.conversation.manners import Manners


class CallTool(Struct, frozen=True):
    """A tool of the call: what the model is told, and how long an answer may take."""

    spec: ToolSpec
    timeout_ms: int = 120_000
    success_note: str | None = None
    error_note: str | None = None


class CallSettings(Struct, frozen=True):
    """The effective configuration of a call."""

    system_prompt: str = ""
    greeting: str | None = None
    manners: Manners = Manners()
    vad_threshold: float = 0.5
    hearing: HearingOptions = HearingOptions()
    voice_focus: bool = False
    voice: VoiceOptions = VoiceOptions("anna")
    volume: float | None = None
    input: Encoding = PCM
    output: Encoding = PCM
    tools: tuple[CallTool, ...] = ()
