"""What is said when nothing better is known: what was heard, and a way on."""

from __future__ import annotations

import re

import msgspec

from antiphon_providers.interfaces import Message
from antiphon_providers.local.dialogue.choosing import phrase
from antiphon_providers.local.dialogue.conversation import Answer, Conversation, varied
from antiphon_providers.local.dialogue.words import clean, words

_MOST_WORDS = 8
_QUESTION = re.compile(r"(?:what|when|where|who|why|how|which|is|are|do|does|can|could|will|would)")
_CORRECTED = re.compile(
    r"^(?:(?:no|nope|sorry|wait|actually|hang on)\b[ ,.!]*)*(?:i said|i meant|i mean"
    r"|i asked(?: you)?|what i said was|what i meant was)"
    r"\b[ ,:]*(?P<what>.+)$", re.IGNORECASE
)  # fmt: skip


def unheard(conversation: Conversation) -> Answer | None:
    """An utterance without a word in it."""
    utterance = conversation.utterance
    if utterance is None or words(utterance):
        return None
    return Answer(varied(conversation, (
        "Sorry, I didn't catch that.", "I didn't hear that. Could you say it again?",
    )))  # fmt: skip


def corrected(conversation: Conversation) -> Conversation | None:
    """The conversation as it is once ``no, I said …`` is taken for what was meant."""
    found = _CORRECTED.match(conversation.utterance or "")
    if not found or not words(found["what"]):
        return None
    meant = Message(role="user", content=found["what"].strip(" '\""))
    return msgspec.structs.replace(conversation, turns=(*conversation.turns[:-1], meant))


def echoed(conversation: Conversation) -> Answer:
    """Repeats what was heard and says how to go on; a different way each turn."""
    heard = _beginning(conversation.utterance or "")
    on = _way_on(conversation)
    if _QUESTION.match(next(iter(words(conversation.utterance or "")), "")):
        return Answer(varied(conversation, (
            f"You asked: {heard}. I don't know that one. {on}",
            f"I heard: {heard}. I'm a small demo agent and have no answer to that. {on}",
            f"{heard}: that's beyond me, I'm afraid. {on}",
            f"I'd like to know that too: {heard}. {on}",
        )))  # fmt: skip
    return Answer(varied(conversation, (
        f"I heard: {heard}. I'm a small demo agent, so I can't do much with that. {on}",
        f"You said: {heard}. Is that right? {on}",
        f"I understood: {heard}. What should I do about it? {on}",
        f"{heard}, you said. That's new to me. {on}",
    )))  # fmt: skip


def _beginning(utterance: str) -> str:
    """The first words, quoted, so that a long story is not read back."""
    said = clean(utterance).rstrip(" .?!,;:").replace('"', "").split()
    kept = " ".join(word[:24] for word in said[:_MOST_WORDS]).rstrip(" .,;:")
    return f'"{kept}{"…" if len(said) > _MOST_WORDS else ""}"'


def _way_on(conversation: Conversation) -> str:
    if conversation.tools:
        one = conversation.tools[len(conversation.heard) % len(conversation.tools)]
        return f"I can {phrase(one)}, if you like."
    return varied(conversation, (
        "Try asking me the time, or a sum.", "Ask me what I can do.",
        "You can tell me something to remember.",
    ))  # fmt: skip
