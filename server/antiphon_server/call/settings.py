"""What one call is configured to be, in the server's own terms, whatever wire it came over."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from antiphon_protocol.audio import PCM, Encoding
from antiphon_providers.interfaces import HearingOptions, LanguageModel, ToolSpec, VoiceOptions
from antiphon_server.arguments.check import Arguments
from antiphon_server.arguments.grounding import Extent
from antiphon_server.call.http_tools import HttpTarget
from antiphon_server.conversation.manners import Manners


class CallTool(Struct, frozen=True):
    """A tool of the call: what the model is told, and how long an answer may take."""

    spec: ToolSpec
    timeout_ms: int = 120_000
    hold: bool = False
    """The conversation waits for the result."""
    http: HttpTarget | None = None
    """Where the server runs it itself."""
    success_note: str | None = None
    error_note: str | None = None
    arguments: Arguments | None = None
    """What its arguments must be."""


class CallSettings(Struct, frozen=True):
    """The effective configuration of a call."""

    system_prompt: str = ""
    greeting: str | None = None
    manners: Manners = Manners()
    vad_threshold: float = 0.5
    hearing: HearingOptions = HearingOptions()
    voice_focus: bool = False
    input_text: bool = False
    """The client sends no audio."""
    output_text: bool = False
    """The client wants none."""
    voice: VoiceOptions = VoiceOptions("anna")
    volume: float | None = None
    input: Encoding = PCM
    output: Encoding = PCM
    tools: tuple[CallTool, ...] = ()
    grounding: Extent = "identifiers"
    """Which arguments of tool calls must have been said by somebody."""
    language_model: LanguageModel | None = None
    """The call's own; None: the node's."""

    @property
    def converses(self) -> bool:
        """Whether a model that hears and speaks may serve it: a call in speech, both ways, that
        has no language model of its own.
        """
        return not (self.input_text or self.output_text) and self.language_model is None

    def tool(self, name: str) -> CallTool | None:
        """The tool of that name."""
        return next((tool for tool in self.tools if tool.spec.name == name), None)

    def notes_on(self, outcomes: Iterable[tuple[str, bool]]) -> list[str]:
        """What the client wants said about these outcomes of tools, each once.

        An outcome is a tool's name and whether it failed (``response_instructions``, protocol
        section 3.3).
        """
        tools = {tool.spec.name: tool for tool in self.tools}
        notes = [
            tools[name].error_note if failed else tools[name].success_note
            for name, failed in outcomes
            if name in tools
        ]
        return list(dict.fromkeys(note for note in notes if note))
