"""``step``: the one owner of turn-taking.

Total: every event is legal in every state; one that means nothing there changes nothing.
Deterministic: state, event and manners decide alone. Whatever carries the number of a reply
that is not the current one is stale and is ignored here, and nowhere else.

Source: voice agent protocol, section 4; the order of what the client is told is that of 4.12.
"""

from __future__ import annotations

from antiphon_server.conversation import on_client, on_drop, on_reply, on_time, on_voice
from antiphon_server.conversation.manners import Manners
from antiphon_server.conversation.moves import SESSION, Rules, Step
from antiphon_server.conversation.states import Quiet, State
from antiphon_server.conversation.vocabulary import Event, Wait

RULES: Rules = {
    **on_client.RULES,
    **on_drop.RULES,
    **on_voice.RULES,
    **on_reply.RULES,
    **on_time.RULES,
}
"""What each state makes of each event it cares about."""


def step(state: State, event: Event, manners: Manners) -> Step:
    """The state after the event, and what to do, in order."""
    rule = RULES.get((type(state), type(event)))
    return (state, ()) if rule is None else rule(state, event, manners)


def begin(manners: Manners) -> Step:
    """The state of a call that has just been accepted, and what to do."""
    return Quiet(), (Wait(SESSION, manners.session_ms),)
