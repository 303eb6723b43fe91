"""What a session asks of the wire it is spoken over: one small interface a dialect fills."""

from __future__ import annotations

from typing import Protocol

from antiphon_providers.interfaces import ToolUse
from antiphon_server.conversation.heard import TimedWord
from antiphon_server.conversation.vocabulary import Ending, Failure, Trigger


class Socket(Protocol):
    """A connected client."""

    async def receive(self) -> str | bytes | None:
        """The next frame; None once the client is gone."""
        ...

    async def send(self, frame: str) -> None:
        """Sends a text frame; returns when it is taken. Raises ``ConnectionError``."""
        ...

    async def close(self, code: int) -> None:
        """Closes with a code; harmless when closed already."""
        ...


class Dialect(Protocol):
    """Conversation vocabulary to frames; each method gives the frames to send, in order."""

    def speech_started(self) -> list[str]:
        """The user began to speak, or an interruption was accepted."""
        ...

    def words(self, text: str) -> list[str]:
        """What the user said so far."""
        ...

    def speech_stopped(self) -> list[str]:
        """The user's turn is over."""
        ...

    def user_said(self, text: str) -> list[str]:
        """The words of the user's turn."""
        ...

    def reply_started(self, reply: int, trigger: Trigger) -> list[str]:
        """A reply begins; all that follows carries its number."""
        ...

    def audio(self, reply: int, raw: bytes) -> str:
        """A piece of the reply's audio, in the call's output encoding."""
        ...

    def agent_words(self, reply: int, words: list[TimedWord], *, last: bool) -> list[str]:
        """Words of the reply with their times; `last`: no more will come."""
        ...

    def reply_ended(self, reply: int, text: str, *, interrupted: bool) -> list[str]:
        """The reply is over; `text` is what was heard of it."""
        ...

    def reply_failed(self, reply: int, failure: Failure) -> list[str]:
        """The reply broke off."""
        ...

    def tool_call(self, use: ToolUse) -> list[str]:
        """The model calls a tool of the client."""
        ...

    def turn_timed(
        self, reply: int, trigger: Trigger, stages: dict[str, float], providers: dict[str, str]
    ) -> list[str]:
        """How many milliseconds each stage took, and which provider served it."""
        ...

    def goodbye(
        self, ending: Ending, seconds: float, audio_seconds: float
    ) -> tuple[list[str], int]:
        """The last frames, and the close code."""
        ...
