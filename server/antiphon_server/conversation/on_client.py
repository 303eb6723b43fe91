"""What the client asks for: to open, to end, a reply, no reply."""

from __future__ import annotations

from msgspec.structs import replace

from antiphon_server.conversation.manners import Manners
from antiphon_server.conversation.moves import (
    ALIVE,
    Rules,
    Step,
    abandon,
    close,
    into,
    listen,
    settle,
    start,
)
from antiphon_server.conversation.on_reply import over_waiting
from antiphon_server.conversation.on_voice import accept, yield_floor
from antiphon_server.conversation.states import (
    Contested,
    Doubtful,
    Listening,
    Over,
    Pausing,
    Quiet,
    Speaking,
    State,
    Thinking,
    Waiting,
    Wish,
)
from antiphon_server.conversation.vocabulary import (
    DropUtterance,
    EndRequested,
    HangUp,
    ReplyCancelled,
    ReplyRequested,
    SessionFailed,
    SessionOpened,
    TellSpeechStarted,
)

RULES: Rules = {}
when = into(RULES)


@when(Quiet, sees=SessionOpened)
def _opened(state: Quiet, event: SessionOpened, manners: Manners) -> Step:
    return start(state.books, "greeting", manners) if event.greets else (state, ())


@when(*ALIVE, sees=EndRequested)
def _ended(state: State, _event: EndRequested, _manners: Manners) -> Step:
    return Over(state.books), (HangUp("client_ended"),)


@when(*ALIVE, sees=SessionFailed)
def _failed(state: State, _event: SessionFailed, _manners: Manners) -> Step:
    return Over(state.books), (HangUp("failed"),)


@when(Quiet, sees=ReplyRequested)
def _requested(state: Quiet, event: ReplyRequested, manners: Manners) -> Step:
    books = replace(state.books, wish=Wish(event.instructions))
    return start(books, "reply_create", manners)


@when(Listening, Pausing, sees=ReplyRequested)
def _requested_while_listening(
    state: Listening | Pausing, event: ReplyRequested, _manners: Manners
) -> Step:
    """The user has the floor; the reply to the turn carries the instructions."""
    return replace(state, books=replace(state.books, wish=Wish(event.instructions))), ()


@when(Thinking, Speaking, sees=ReplyRequested)
def _requested_instead(state: Thinking | Speaking, event: ReplyRequested, manners: Manners) -> Step:
    """Replaces the reply (protocol section 9, row 9)."""
    books = replace(abandon(state.books, state.reply), wish=Wish(event.instructions))
    following, commands = start(books, "reply_create", manners)
    return replace(following, voice=state.voice), (*close(state, interrupted=True), *commands)


@when(Waiting, sees=ReplyRequested)
def _requested_while_waiting(state: Waiting, event: ReplyRequested, manners: Manners) -> Step:
    books = replace(state.books, wish=Wish(event.instructions))
    following, commands = start(books, "reply_create", manners)
    return following, (*close(state, interrupted=False), *commands)


@when(Contested, sees=ReplyRequested)
def _requested_in_contest(state: Contested, event: ReplyRequested, manners: Manners) -> Step:
    """The old reply goes, the user is heard out, the new reply answers both."""
    books = replace(state.books, wish=Wish(event.instructions))
    return accept(replace(state, books=books), manners)


@when(Doubtful, sees=ReplyRequested)
def _requested_in_doubt(state: Doubtful, event: ReplyRequested, manners: Manners) -> Step:
    books = replace(state.books, wish=Wish(event.instructions))
    return yield_floor(replace(state, books=books), manners)


@when(Thinking, Speaking, sees=ReplyCancelled)
def _cancelled(state: Thinking | Speaking, event: ReplyCancelled, manners: Manners) -> Step:
    if event.reply != state.reply:
        return state, ()
    closing = close(state, interrupted=True)
    books = abandon(state.books, state.reply)
    if state.voice:
        following, commands = listen(books, "", manners)
        return following, (*closing, DropUtterance(), TellSpeechStarted(), *commands)
    after, commands = settle(books, manners)
    return after, (*closing, *commands)


@when(Contested, sees=ReplyCancelled)
def _cancelled_in_contest(state: Contested, event: ReplyCancelled, manners: Manners) -> Step:
    return accept(state, manners) if event.reply == state.reply else (state, ())


@when(Doubtful, sees=ReplyCancelled)
def _cancelled_in_doubt(state: Doubtful, event: ReplyCancelled, manners: Manners) -> Step:
    return yield_floor(state, manners) if event.reply == state.reply else (state, ())


@when(Waiting, sees=ReplyCancelled)
def _cancelled_while_waiting(state: Waiting, event: ReplyCancelled, manners: Manners) -> Step:
    return over_waiting(state, manners) if event.reply == state.reply else (state, ())
