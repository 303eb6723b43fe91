"""Who has the floor: one type for each phase of a call, holding only what exists in it.

    Quiet ──▶ Listening ◀─▶ Pausing ──▶ Thinking ──▶ Speaking ──▶ Quiet
                                                     │  ▲
                                                     ▼  │
                                                  Contested ◀─▶ Doubtful ──▶ Pausing
    Speaking ──▶ Waiting (for tools) ──▶ Thinking
    any ──▶ Detached (from its client) ──▶ Quiet, Pausing or Thinking            any ──▶ Over

The table in ``docs/reference/conversation.md`` is made by asking ``machine.step`` about each
state and each event.
"""

from __future__ import annotations

from msgspec import Struct, field

from antiphon_server.conversation.vocabulary import Trigger


class Wish(Struct, frozen=True):
    """A reply the client asked for while the user had the floor."""

    instructions: str | None = None


class Call(Struct, frozen=True):
    """A tool call without a result."""

    call_id: str
    reply: int
    abandoned: bool = False
    """Its reply was interrupted: a client may drop the result (protocol section 4.5). One that
    comes all the same is spoken of, but silence is not.
    """
    hold: bool = False
    """The conversation waits for the result (protocol section 4.6)."""


class Books(Struct, frozen=True):
    """What is true whoever has the floor."""

    replies: int = 0
    """Numbers given to replies so far; the last one is the newest reply's."""
    calls: tuple[Call, ...] = ()
    """Unanswered tool calls: they outlive the reply that made them."""
    owed: Trigger | None = None
    """What was said, or came, that no reply has answered yet."""
    wish: Wish | None = None
    steps: int = 0
    """Replies in a row that answered nothing but tool results."""
    refused: bool = False
    """A tool call was refused, and no reply has asked the user yet for what is missing."""

    @property
    def held(self) -> bool:
        """Whether what is owed must wait for a result."""
        return any(call.hold for call in self.calls)


class State(Struct, frozen=True, tag=True):
    """A phase of the call."""

    books: Books = field(default_factory=Books)


class Quiet(State, frozen=True):
    """Nobody speaks and nothing is under way; the user or the client will begin."""


class Listening(State, frozen=True):
    """The user speaks. Ends with the voice, or when the longest utterance is reached."""

    words: str = ""


class Pausing(State, frozen=True):
    """The user fell silent; three answers are awaited: the final words, the turn model's
    verdict, and more silence. The first combination that is enough ends the turn.
    """

    words: str = ""
    settled: bool = False
    """The words are final."""
    judged: bool = False
    verdict: float | None = None
    waited_ms: int = 0
    """The milestone of silence that has passed."""


class Thinking(State, frozen=True):
    """A reply was started and has not sounded. It must sound, finish or fail in time."""

    reply: int = 0
    trigger: Trigger = "user_speech"
    voice: bool = False
    """There is a voice that does not count, because this reply may not be interrupted."""
    instructions: str | None = None
    """Kept until it sounds: a reply dropped before that is owed with its instructions."""
    asks: bool = False
    """It asks for what a refused tool call lacked."""
    apologises: bool = False
    """It says that nothing was understood: nobody who does not hear it is owed anything."""


class Speaking(State, frozen=True):
    """A reply sounds, and the user listens."""

    reply: int = 0
    trigger: Trigger = "user_speech"
    voice: bool = False
    """As in ``Thinking``."""
    asks: bool = False
    """As in ``Thinking``."""


class Contested(State, frozen=True):
    """A reply sounds and the user speaks: an interruption, or only a sign of listening?"""

    reply: int = 0
    trigger: Trigger = "user_speech"
    words: str = ""
    insisted: bool = False
    """The voice has lasted as long as an interruption needs."""


class Doubtful(State, frozen=True):
    """A reply sounds and the user spoke over it, briefly: what were the words?"""

    reply: int = 0
    trigger: Trigger = "user_speech"
    words: str = ""
    """Not final; what there is where the final ones never come."""
    judged: bool = False
    verdict: float | None = None


class Waiting(State, frozen=True):
    """A reply has been heard to its end and stays open for the results of its tool calls."""

    reply: int = 0


class Detached(State, frozen=True):
    """The socket is gone. Ends with the client's return, or with the time for it."""

    words: str = ""
    """Of the utterance that was cut off."""
    unsettled: bool = False
    """Its final words are still awaited."""


class Over(State, frozen=True):
    """The call has ended; nothing follows."""


STATES: tuple[type[State], ...] = tuple(State.__subclasses__())
