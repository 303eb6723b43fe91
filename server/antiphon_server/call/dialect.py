"""What a session asks of the wire it is spoken over: one small interface a dialect fills."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from antiphon_providers.interfaces import ToolUse
from antiphon_server.call.timeline import Timed
from antiphon_server.conversation.heard import TimedWord
from antiphon_server.conversation.vocabulary import Ending, Failure, Trigger


class Frame(Struct, frozen=True):
    """A text frame. One with a number is committed: it reaches the client, over whatever
    socket, and the numbers of a session count up from 1 without a gap.
    """

    text: str
    seq: int = 0
    taken: Callable[[], None] | None = None
    """Called once the client's side has taken it."""


class Socket(Protocol):
    """A connected client."""

    async def receive(self) -> str | bytes | None:
        """The next frame; None once the client is gone."""
        ...

    def mark(self, passed: Callable[[], None]) -> bool:
        """Calls ``passed`` once the client's side has taken all that was sent so far; False
        where that cannot be known.
        """
        ...

    def push(self, frame: str) -> bool:
        """Sends a text frame where nothing is in its way; False: ``send`` it."""
        ...

    async def send(self, frame: str) -> None:
        """Sends a text frame; returns when it is taken. Raises ``ConnectionError``."""
        ...

    async def close(self, code: int) -> None:
        """Closes with a code; harmless when closed already."""
        ...


class Dialect(Protocol):
    """Conversation vocabulary to frames; each method gives the frames to send, in order."""

    def speech_started(self) -> list[Frame]:
        """The user began to speak, or an interruption was accepted."""
        ...

    def words(self, item: str, text: str) -> list[Frame]:
        """What the user said so far, under the name of the utterance."""
        ...

    def speech_stopped(self) -> list[Frame]:
        """The user's turn is over."""
        ...

    def user_said(self, item: str, text: str) -> list[Frame]:
        """The words of the user's turn, under the name of the utterance."""
        ...

    def item(self) -> str:
        """The wire's name of the user's current utterance."""
        ...

    def new_item(self) -> str:
        """A name for an item that is not spoken of on the wire."""
        ...

    def names_of(self, reply: int) -> tuple[str, str]:
        """The wire's names of a reply that has started, and of its item."""
        ...

    def reply_started(self, reply: int, trigger: Trigger) -> list[Frame]:
        """A reply begins; all that follows carries its number."""
        ...

    def audio(self, reply: int, raw: bytes) -> str:
        """A piece of the reply's audio, in the call's output encoding."""
        ...

    def agent_words(self, reply: int, words: list[TimedWord], *, last: bool) -> list[Frame]:
        """Words of the reply with their times; `last`: no more will come."""
        ...

    def agent_text(self, reply: int, words: list[str], *, last: bool) -> list[Frame]:
        """Words of a reply that is text; `last`: no more will come."""
        ...

    def reply_ended(self, reply: int, text: str, *, interrupted: bool) -> list[Frame]:
        """The reply is over; `text` is what was heard of it."""
        ...

    def reply_failed(self, reply: int, failure: Failure) -> list[Frame]:
        """The reply broke off."""
        ...

    def tool_call(self, use: ToolUse) -> list[Frame]:
        """The model calls a tool of the client."""
        ...

    def turn_timed(self, reply: int, timed: Timed) -> list[Frame]:
        """How many milliseconds each stage took, and which provider served it."""
        ...

    def again(self, frame: Frame) -> Frame:
        """A frame that may not have arrived, as it is sent once more."""
        ...

    def returned(self) -> list[Frame]:
        """The client is back on a new socket: its first frames."""
        ...

    def taken_over(self) -> tuple[str, int]:
        """What the old socket is told when the client is back on a new one, and the close code."""
        ...

    def goodbye(
        self, ending: Ending, seconds: float, audio_seconds: float
    ) -> tuple[list[Frame], int]:
        """The last frames, and the close code."""
        ...
