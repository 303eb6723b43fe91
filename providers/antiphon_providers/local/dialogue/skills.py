"""All skills in the order in which they are tried, and the reply they add up to."""

from __future__ import annotations

import msgspec

from antiphon_providers.local.dialogue.arithmetic import calculated
from antiphon_providers.local.dialogue.conversation import Answer, Conversation, Skill
from antiphon_providers.local.dialogue.fallback import corrected, echoed, unheard
from antiphon_providers.local.dialogue.instructions import instructed
from antiphon_providers.local.dialogue.knowledge import informed
from antiphon_providers.local.dialogue.memory import remembered
from antiphon_providers.local.dialogue.persona import introduced, opener
from antiphon_providers.local.dialogue.recital import chanced, recited
from antiphon_providers.local.dialogue.results import reported
from antiphon_providers.local.dialogue.small_talk import agreed, chatted, helped, repeated
from antiphon_providers.local.dialogue.today import dated
from antiphon_providers.local.dialogue.tool_requests import standing
from antiphon_providers.local.dialogue.tools import offered, operated, reminder

KNOWING: tuple[Skill, ...] = (
    introduced,
    calculated,
    dated,
    recited,
    chanced,
    remembered,
    repeated,
    helped,
    chatted,
    informed,
    agreed,
)
"""What is answered from the conversation alone."""


def answered(conversation: Conversation) -> Answer:
    """The reply the conversation asks for; never an empty one."""
    if conversation.instruction is not None:
        if answer := instructed(conversation, KNOWING):
            return answer
        notes = (*conversation.notes, conversation.instruction)
        conversation = msgspec.structs.replace(conversation, notes=notes, instruction=None)
    if answer := reported(conversation):
        return answer
    if conversation.utterance is None:
        return Answer(opener(conversation))
    return unheard(conversation) or _to_utterance(conversation)


def _to_utterance(conversation: Conversation) -> Answer:
    """The answer to what the caller said."""
    state = standing(conversation)
    if answer := operated(conversation, state):
        return answer
    if meant := corrected(conversation):
        again = answered(meant)
        return again if again.uses else Answer(f"Sorry. {again.text}")
    known = next((answer for skill in KNOWING if (answer := skill(conversation))), None)
    answer = known or offered(state) or echoed(conversation)
    open_question = reminder(state)
    return Answer(f"{answer.text} {open_question}".strip(), answer.uses)
