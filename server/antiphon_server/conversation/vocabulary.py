"""What happened (events, in the past tense) and what to do (commands, in the imperative).

Events come in through ``session.notice``; commands go out through its ``_perform``. Both are
plain structs, so that a journal can hold them and a test can compare them. A reply is known by
its number, counted from 1 in each session; a tool call by its ``call_id``.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Trigger = Literal["greeting", "user_speech", "tool_result", "reply_create"]
Ending = Literal["client_ended", "client_left", "expired", "failed"]


class Failure(Struct, frozen=True):
    """Why a reply failed, in the words of ``reply.error`` (protocol section 2.2)."""

    code: str
    message: str
    retryable: bool = True
    status_code: int | None = None
    provider_code: str | None = None
    provider_param: str | None = None


# --- events: what happened ---------------------------------------------------------------


class Event(Struct, frozen=True, tag=True):
    """Something happened."""


class SessionOpened(Event, frozen=True):
    """The first update was accepted; ``greets`` where there is a greeting to say."""

    greets: bool


class VoiceStarted(Event, frozen=True):
    """Somebody began to speak into the microphone."""


class VoiceStopped(Event, frozen=True):
    """The voice fell silent, for as long as ``Manners.pause_ms``."""


class WordsHeard(Event, frozen=True):
    """What the recogniser makes of the utterance so far, the whole of it.

    ``settled``: all audio up to the pause that was last asked about is in it.
    """

    text: str
    settled: bool = False


class TurnJudged(Event, frozen=True):
    """How likely it is that the user has finished (0 to 1); None where nobody can tell."""

    probability: float | None


class HearingFailed(Event, frozen=True):
    """The recogniser broke off; it is being opened again."""


class ReplySounded(Event, frozen=True):
    """The first audio of a reply was sent."""

    reply: int


class ToolUsed(Event, frozen=True):
    """The model called a tool in a reply; with ``hold`` the conversation waits for the result."""

    reply: int
    call_id: str
    timeout_ms: int
    hold: bool = False


class ToolRefused(Event, frozen=True):
    """The model called a tool as it may not; nobody was told of it but the model."""

    reply: int


class ReplyFinished(Event, frozen=True):
    """The model has said all, and all of it has been played."""

    reply: int


class ReplyTroubled(Event, frozen=True):
    """The reply could not be written; what it says instead is an apology."""

    reply: int
    failure: Failure


class ReplyFailed(Event, frozen=True):
    """The reply broke off."""

    reply: int
    failure: Failure


class ReplyRequested(Event, frozen=True):
    """The client asked for a reply (``reply.create``)."""

    instructions: str | None = None


class ReplyCancelled(Event, frozen=True):
    """The client stopped a reply (``reply.cancel``)."""

    reply: int


class ToolAnswered(Event, frozen=True):
    """A tool call has its result."""

    call_id: str


class WaitOver(Event, frozen=True):
    """The time asked for by ``Wait`` has passed."""

    timer: str


class EndRequested(Event, frozen=True):
    """The client ended the session."""


class ClientDropped(Event, frozen=True):
    """The socket is gone; the client may come back on another one."""


class ClientReturned(Event, frozen=True):
    """The client is back on a new socket, and was told that the session is ready."""


class SessionFailed(Event, frozen=True):
    """Something the session cannot do without is lost for good."""


# --- commands: what to do ----------------------------------------------------------------


class Command(Struct, frozen=True, tag=True):
    """Something to do, now."""


class Wait(Command, frozen=True):
    """Give notice (``WaitOver``) in ``ms``; replaces a running timer of that name."""

    timer: str
    ms: int


class StopWaiting(Command, frozen=True):
    """Give no notice; a timer that does not run is ignored."""

    timer: str


class TellSpeechStarted(Command, frozen=True):
    """Tell the client that the user speaks."""


class TellWords(Command, frozen=True):
    """Tell the client what was heard so far."""

    text: str


class TellSpeechStopped(Command, frozen=True):
    """Tell the client that the user's turn is over."""


class AskIfDone(Command, frozen=True):
    """Ask the recogniser for its final words and the turn model for its verdict."""


class TakeTurn(Command, frozen=True):
    """The utterance is a turn: remember it, tell it, begin a new one."""

    text: str


class DropUtterance(Command, frozen=True):
    """The utterance is nothing: forget it, begin a new one."""


class StartReply(Command, frozen=True):
    """Tell the client that a reply starts, and start it.

    ``instructions`` are for this reply only; without ``tools`` the model may call none. One that
    ``apologises`` says that the user was not understood, and asks no model.
    """

    reply: int
    trigger: Trigger
    instructions: str | None = None
    tools: bool = True
    apologises: bool = False


class EndReply(Command, frozen=True):
    """Stop the reply if it still runs; remember and tell what was heard of it; tell its end."""

    reply: int
    interrupted: bool


class TellReplyFailed(Command, frozen=True):
    """Tell the client why the reply broke off."""

    reply: int
    failure: Failure


class TellToolCall(Command, frozen=True):
    """Tell the client to run a tool."""

    reply: int
    call_id: str


class WithholdTranscripts(Command, frozen=True):
    """Tell no words of the user until ``ReleaseTranscripts``, but keep them."""


class ReleaseTranscripts(Command, frozen=True):
    """Tell what was withheld, and withhold no more."""


class TimeOutTool(Command, frozen=True):
    """Record that a tool call got no result in time."""

    call_id: str


class HangUp(Command, frozen=True):
    """End everything and close the socket."""

    ending: Ending


EVENTS: tuple[type[Event], ...] = tuple(Event.__subclasses__())
COMMANDS: tuple[type[Command], ...] = tuple(Command.__subclasses__())
