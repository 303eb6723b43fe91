"""Faults put into the server on purpose, each of which the simulation must find."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec.structs import replace

from antiphon_server.call.chronicle import Chronicle
from antiphon_server.call.ears import Ears
from antiphon_server.call.outbox import Outbox, Playback
from antiphon_server.call.session import Session
from antiphon_server.call.timers import Timers
from antiphon_server.call.tools import ToolLedger
from antiphon_server.conversation import machine
from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.heard import Heard
from antiphon_server.conversation.memory import Memory
from antiphon_server.conversation.states import Books, Detached, Quiet, Speaking
from antiphon_server.dialects.voice_agent import VoiceAgent
from antiphon_server.dialects.wording import Wording
from antiphon_server.edge.calls import Calls
from antiphon_server.edge.node import Room
from antiphon_server.edge.socket import AsgiSocket


class Mutant(NamedTuple):
    """One change: what is called ``name`` in ``where`` becomes what ``made`` makes of it."""

    breaks: str
    where: Any
    name: Any
    made: Callable[[Any], Any]


def _loses_a_kept_frame(drop: Any) -> Any:
    def dropped(outbox: Any) -> None:
        drop(outbox)
        if outbox._messages:
            outbox._messages.popleft()

    return dropped


def _sends_twice(reconnect: Any) -> Any:
    def reconnected(outbox: Any, *args: Any) -> None:
        reconnect(outbox, *args)
        if outbox._messages:
            outbox._messages.append(outbox._messages[-1])

    return reconnected


def _ignores_last_seq(reconnect: Any) -> Any:
    return lambda outbox, first, _last_seq, again: reconnect(outbox, first, None, again)


def _takes_no_marks(_mark: Any) -> Any:
    return lambda _socket, _passed: False


def _skips_reply_done(ended: Any) -> Any:
    return lambda wording, *args, **kwargs: ended(wording, *args, **kwargs)[:-1]


def _tells_before_it_is_durable(tell: Any) -> Any:
    return lambda outbox, frame, _durable=None: tell(outbox, frame)


def _twice(method: Any) -> Any:
    def done(*args: Any, **kwargs: Any) -> Any:
        method(*args, **kwargs)
        return method(*args, **kwargs)

    return done


def _never(_method: Any) -> Any:
    return lambda *_args, **_kwargs: None


def _now_and_then(method: Any) -> Any:
    """Every fifth time it is not done."""
    times = [0]

    def done(*args: Any, **kwargs: Any) -> Any:
        times[0] += 1
        return method(*args, **kwargs) if times[0] % 5 else None

    return done


def _keeps_open(close: Any) -> Any:
    def closed(ledger: Any, returned: Any, outcome: str) -> Any:
        use = ledger._open.get(returned.call_id)
        answered = close(ledger, returned, outcome)
        if use is not None:
            ledger._open[returned.call_id] = use
        return answered

    return closed


def _everybody_holds(_holds: Any) -> Any:
    return lambda _session, _socket: True


def _finds_any(_find: Any) -> Any:
    return lambda calls, session_id, _account, _proven: calls._live[session_id]


def _never_pays(returned: Any) -> Any:
    def rule(state: Any, event: Any, manners: Any) -> Any:
        following, commands = returned(state, event, manners)
        if isinstance(following, Quiet):
            books = replace(following.books, owed="user_speech")
            following = replace(following, books=books)
        return following, commands

    return rule


def _waits_a_little(dropped: Any) -> Any:
    def rule(state: Any, event: Any, manners: Any) -> Any:
        return dropped(state, event, replace(manners, resume_ms=manners.resume_ms // 3))

    return rule


def _is_stuck(finished: Any) -> Any:
    """A reply that has finished while the user listens is not closed now and then."""
    times = [0]

    def rule(state: Any, event: Any, manners: Any) -> Any:
        times[0] += 1
        return finished(state, event, manners) if times[0] % 10 else (state, ())

    return rule


def _is_never(_property: Any) -> Any:
    return property(lambda _self: False)


def _hears_all(_until: Any) -> Any:
    return lambda heard, _played_ms: heard.text


def _cuts_short(until: Any) -> Any:
    return lambda heard, played_ms: until(heard, played_ms / 2)


def _hastens(take: Any) -> Any:
    return lambda playback, now: take(playback, now + 1.0)


def _counts_half(used: Any) -> Any:
    return lambda chronicle, prompt=0, completion=0, characters=0: used(
        chronicle, prompt // 2, completion, characters
    )


MUTANTS = (
    Mutant("a kept frame is lost with its socket", Outbox, "drop", _loses_a_kept_frame),
    Mutant("a frame is sent twice on one socket", Outbox, "reconnect", _sends_twice),
    Mutant("what the client has is sent again", Outbox, "reconnect", _ignores_last_seq),
    Mutant("what was sent counts as taken", AsgiSocket, "mark", _takes_no_marks),
    Mutant("a message is told before it is durable", Outbox, "tell", _tells_before_it_is_durable),
    Mutant("a reply goes on after its end", Outbox, "hush", _never),
    Mutant("sound is sent too early", Playback, "take", _hastens),
    Mutant("reply.done is not told", Wording, "reply_ended", _skips_reply_done),
    Mutant("a transcript is told twice", Wording, "user_said", _twice),
    Mutant("speech.stopped is told without speech", Wording, "speech_started", _now_and_then),
    Mutant("a turn is on record twice", Chronicle, "user_said", _twice),
    Mutant("a turn is not on record", Chronicle, "user_said", _now_and_then),
    Mutant("a reply is not on record", Chronicle, "agent_said", _now_and_then),
    Mutant("a result is not on record", Chronicle, "tool_returned", _now_and_then),
    Mutant("connected time is not counted", Chronicle, "used", _now_and_then),
    Mutant("half of the tokens are counted", Chronicle, "used", _counts_half),
    Mutant("the model forgets a turn", Memory, "user_said", _now_and_then),
    Mutant("the model never sees a result", Memory, "tool_answered", _now_and_then),
    Mutant("the model forgets what it said", Memory, "agent_said", _now_and_then),
    Mutant("a call takes a second result", ToolLedger, "_close", _keeps_open),
    Mutant("what was not played counts as heard", Heard, "until", _hears_all),
    Mutant("what was played does not count", Heard, "until", _cuts_short),
    Mutant("a mistake is told twice", VoiceAgent, "refuse", _twice),
    Mutant("an old socket is still listened to", Session, "holds", _everybody_holds),
    Mutant("a timer is left", Timers, "stop_all", _never),
    Mutant("a stream of a provider is left open", Ears, "close", _never),
    Mutant("an old resume token stays good", Calls, "_forget", _now_and_then),
    Mutant("anybody may resume a session", Calls, "find", _finds_any),
    Mutant("a session keeps its room", Room, "leave", _never),
)
RULES = (
    Mutant("a call gets stuck", machine.RULES, (Speaking, v.ReplyFinished), _is_stuck),
    Mutant(
        "a session is given up too early",
        machine.RULES,
        (Speaking, v.ClientDropped),
        _waits_a_little,
    ),
    Mutant("nobody waits for a result", Books, "held", _is_never),
    Mutant("a debt is never paid", machine.RULES, (Detached, v.ClientReturned), _never_pays),
)
"""Of the conversation."""
