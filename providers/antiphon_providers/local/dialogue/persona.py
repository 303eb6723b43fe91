"""Who the agent is, from the system prompt; and what it is, always."""

from __future__ import annotations

import re

from msgspec import Struct

from antiphon_providers.local.dialogue.conversation import Answer, Conversation, varied
from antiphon_providers.local.dialogue.words import core, sentences

NATURE = "Antiphon's built-in demo agent, a small rule-based program, not a language model"
"""What the agent says it is when it is asked."""

_OPENING = re.compile(
    r"(?:you are|you're|act as|pretend to be|your role is|i want you to be|this is) (?P<who>.+)",
    re.IGNORECASE,
)
_YOUR_NAME = re.compile(
    r"\b(?:[Yy]our name is|[Yy]ou are called|[Yy]ou're called|[Yy]ou are named|named|called"
    r"|goes by) (?P<name>[A-Z][\w'-]+)"
)
_NAME = re.compile(
    r"(?P<name>[A-Z][\w'-]+(?: [A-Z][\w'-]+)?)(?=$|[,.;:!]| from | at | of | and | the | \()"
)
_ROLE = re.compile(r"\b(?P<role>(?:the|an?|our) (?:[\w'&-]+ ?){1,14})", re.IGNORECASE)
_ROLE_END = re.compile(
    r"\b(?:who|that|which|named|called|and you|and your|with|whose|answering|helping|speaking"
    r"|designed|here)\b"
    r"|[,.;:!(]|\band (?:help|answer|speak|take)"
)
_WHO = re.compile(
    r"(?:so |and )*(?:who are you|what is your name|who am i (?:speaking|talking) (?:to|with)"
    r"|who is this"
    r"|who is (?:speaking|there|that)|introduce yourself|do you have a name"
    r"|can you tell me your name"
    r"|tell me (?:your name|who you are|about yourself)|what should i call you|what are you called"
    r"|what do you do|where do you work|which (?:company|hotel|business"
    r"|restaurant) is this)(?: again)?"
)
_WHAT = re.compile(
    r"(?:so |and |but |wait )*(?:what are you|are you (?:a |an |some kind of )?(?:real|human"
    r"|person|robot|bot|machine|ai|"
    r"computer|language model|llm|chat ?gpt|alive|real person|program|demo|recording|human being).*"
    r"|(?:am i|are we) (?:talking|speaking) (?:to|with) (?:a |an )?(?:human|person|robot"
    r"|machine|computer|bot|ai|"
    r"real person).*|(?:which|what) (?:language )?model (?:are you|do you use|is this).*"
    r"|who (?:made|built|created) you"
    r"|how do you work|is this (?:a )?(?:recording|robot|bot|ai|machine|real person|human))"
)


class Persona(Struct, frozen=True):
    """The name and role the system prompt gives; empty where it gives none."""

    name: str = ""
    role: str = ""

    @property
    def introduction(self) -> str:
        """``I'm Ada, the receptionist of Blue Door Hotel.``"""
        if self.name and self.role:
            return f"I'm {self.name}, {self.role}."
        return f"I'm {self.name or self.role or NATURE}."


def is_persona(told: str) -> bool:
    """Whether a sentence of a prompt says who the agent is."""
    return _OPENING.match(told) is not None and not told.lower().startswith("this is")


def persona_of(rules: str) -> Persona:
    """Name and role from ``You are Ada, the receptionist of …`` and its variants."""
    name = role = ""
    for told in sentences(rules[:4_000])[:30]:
        opening = _OPENING.match(told)
        if opening and not role:
            who = opening["who"]
            found = _NAME.match(who)
            name = name or (found["name"] if found else "")
            role = _role_in(who[found.end() :] if found else who)
        named = _YOUR_NAME.search(told)
        if named and not name and (opening or named[0][:3].lower() == "you"):
            name = named["name"]
    return Persona(name, role)


def _role_in(who: str) -> str:
    found = _ROLE.search(who.strip(" ,")) if who else None
    if not found or found.start() > 1:
        return ""
    end = _ROLE_END.search(found["role"])
    return (found["role"][: end.start()] if end else found["role"]).strip()


def introduced(conversation: Conversation) -> Answer | None:
    """Says who, and when asked what, it is."""
    told = core(conversation.utterance or "")
    persona = persona_of(conversation.rules)
    if _WHAT.fullmatch(told):
        return Answer(varied(conversation, (
            f"I'm {NATURE}.", f"I'm a program: {NATURE}.",
        )) + (f" Here I'm {persona.name}." if persona.name else ""))  # fmt: skip
    if _WHO.fullmatch(told):
        return Answer(persona.introduction)
    return None


def opener(conversation: Conversation) -> str:
    """The first words of a conversation that the agent begins, or goes on with."""
    persona = persona_of(conversation.rules)
    who = (
        f" {persona.introduction}"
        if persona.name or persona.role
        else " I'm Antiphon's demo agent."
    )
    if not conversation.last_said:
        return f"Hello!{who} How can I help you?"
    return varied(
        conversation,
        (
            "What can I do for you?",
            "I'm here. How can I help?",
            "Is there something I can help with?",
        ),
    )
