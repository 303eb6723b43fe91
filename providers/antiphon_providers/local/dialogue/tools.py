"""Tools by voice: chosen, filled by asking, called."""

from __future__ import annotations

import secrets

from antiphon_providers.interfaces import ToolSpec, ToolUse
from antiphon_providers.local.dialogue.choosing import phrase
from antiphon_providers.local.dialogue.conversation import Answer, Conversation, varied
from antiphon_providers.local.dialogue.fields import expected, question
from antiphon_providers.local.dialogue.schema import objection
from antiphon_providers.local.dialogue.tool_requests import (
    Replay,
    Request,
    Standing,
    offer,
)
from antiphon_providers.local.dialogue.words import clean, listed, sentence


def operated(conversation: Conversation, state: Standing) -> Answer | None:
    """Opens, fills, drops or calls what the caller clearly asks for."""
    if state.move == "ask" and state.request:
        return Answer(_asking(conversation, state, state.request))
    if state.move == "call" and state.called:
        return _calling(conversation, state.called)
    if state.move == "drop":
        dropped = listed([phrase(tool) for tool in state.offered], "or")
        return Answer(f"All right, I won't {dropped}. What else can I do?")
    if state.move == "obstacle":
        return _cannot(state.offered[0], state.complaint or "details")
    if state.move == "offer" and state.clear:
        return Answer(offer(state.offered, state.clear))
    return None


def offered(state: Standing) -> Answer | None:
    """Asks about a tool that may have been meant, where nothing else could be said."""
    return Answer(offer(state.offered, state.clear)) if state.move == "offer" else None


def instructed_use(conversation: Conversation, instruction: str) -> Answer | None:
    """A tool that an instruction asks for, with values from what the caller said only."""
    replay = Replay(conversation)
    wanted = replay.meant(instruction)
    if not wanted.clear:
        return None
    told = ". ".join(conversation.heard[-3:])
    return operated(conversation, replay.open(wanted.tools[0], told, len(conversation.heard)))


def reminder(state: Standing) -> str:
    """The question that is still open after something else was said; empty where there is none."""
    asked = state.request.missing if state.request and state.move == "aside" else None
    return question(asked) if asked else ""


def _asking(conversation: Conversation, state: Standing, request: Request) -> str:
    field = request.missing
    if field is None:
        return ""
    asked = question(field)
    if state.complaint:
        wanted = state.complaint if state.complaint != "an answer" else expected(field)
        return varied(conversation, (
            f"Sorry, I need {wanted}. {asked}",
            f"I'm afraid that doesn't fit. It should be {wanted}. {asked}",
        )) if not state.complaint.startswith("it to") else f"I need {wanted}. {asked}"  # fmt: skip
    if state.fresh:
        return f"{varied(conversation, ('Sure.', 'Of course.', 'Gladly.'))} {asked}"
    return f"{varied(conversation, ('Thank you.', 'Got it.', 'Good.'))} {asked}"


def _calling(conversation: Conversation, request: Request) -> Answer:
    """Calls the tool; what does not pass its schema, or is being called already, is not."""
    arguments = request.arguments
    if wrong := objection(arguments, request.tool.parameters):
        return _cannot(request.tool, wrong)
    if _waiting(conversation, request.tool.name, arguments):
        return Answer("I'm still waiting for that. One moment, please.")
    call_id = f"chatcmpl-tool-{secrets.token_hex(8)}"
    return Answer(uses=(ToolUse(call_id, request.tool.name, arguments),))


def _cannot(tool: ToolSpec, obstacle: str) -> Answer:
    return Answer(
        f"I'm sorry, I can't {phrase(tool)} by voice. "
        + sentence(f"It needs {clean(obstacle, 80)}, and I have no way to take that")
    )


def _waiting(conversation: Conversation, name: str, arguments: dict[str, object]) -> bool:
    """Whether the same call was made and has no result yet."""
    answered = {turn.call_id for turn in conversation.turns if turn.role == "tool"}
    return any(
        use.name == name and use.arguments == arguments and use.call_id not in answered
        for turn in conversation.turns
        for use in turn.tool_uses
    )
