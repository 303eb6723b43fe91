"""What the caller said about themselves, found again in their own words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from antiphon_providers.local.dialogue.conversation import Answer, Conversation, varied
from antiphon_providers.local.dialogue.words import (
    STOP_WORDS,
    clean,
    content,
    core,
    listed,
    plain,
    sentence,
    shortened,
    table,
    words,
)

_NOT_NAMES = frozenset(
    table("""fine good well great okay ok sorry here back ready done sure not just very so looking
    calling trying going happy sad tired a an the in at on from hungry interested afraid glad
    your my one it that this""")
)
_NAME = r"(?P<name>[^\W\d_][\w'-]*(?: [^\W\d_][\w'-]*)?)"
_NAMED = (
    re.compile(rf"\b(?:my name is|my name's|call me|name is)\s+{_NAME}", re.IGNORECASE),
    re.compile(r"\b(?:[Ii]'m|[Ii] am|[Tt]his is)\s+(?P<name>[A-Z][\w'-]+(?: [A-Z][\w'-]+)?)"),
)
_FACT = re.compile(
    r"(?:^|\b(?:that|and|but|actually|no|sorry) )(?:my|the|our) "
    r"(?P<what>[a-z' ]{2,40}?) (?:is|are) (?P<value>.+)$"
)
_REMEMBER = re.compile(
    r"(?:can you |could you |would you )?(?:remember|note down|write down|make a note|keep in mind)"
    r"(?: that)?[:,]? (?P<fact>.+)"
)
_ASK_ATTRIBUTE = re.compile(
    r"(?:do you (?:know|remember)|can you tell me|tell me|remind me)?\s*"
    r"(?:what|where|when|who) (?:is|are|was|were) (?:my|the|our) (?P<what>[a-z0-9' ]{2,60})"
    r"|(?:do you (?:know|remember)|tell me|remind me of|what was that about) (?:my|the|our) "
    r"(?P<other>[a-z0-9' ]{2,60})"
)
_ASK_NAME = re.compile(r"(?:do you (?:know|remember) )?(?:what is )?my name(?: is)?|who am i"
                       r"|do you (?:know|remember) who i am|(?:can you )?say my name")  # fmt: skip
_ASK_ALL = re.compile(
    r"(?:so )?what (?:did|have) i (?:tell|told|say|said|ask"
    r"|asked)(?: to)?(?: you)?(?: to remember)?"
    r"(?: so far| before| about me)?|what do you (?:remember|know)(?: about me)?"
)
_SWITCHED = {
    "my": "your", "mine": "yours", "i": "you", "me": "you", "myself": "yourself", "am": "are",
    "our": "your", "your": "my", "you": "I",
}  # fmt: skip


class Memory(Struct, frozen=True):
    """The caller's name and facts; a later one takes the place of an earlier one."""

    name: str | None
    facts: dict[str, str]
    notes: tuple[str, ...]


def memory_of(heard: Sequence[str]) -> Memory:
    """All that the utterances say, questions excepted."""
    name, facts, notes = None, dict[str, str](), list[str]()
    for text in heard:
        name = name_in(text) or name
        if fact := fact_in(text):
            facts[fact[0]] = fact[1]
        if noted := _REMEMBER.fullmatch(core(text)):
            notes.append(noted["fact"])
    return Memory(name, facts, tuple(dict.fromkeys(notes)))


def name_in(text: str) -> str | None:
    """The name by which the caller introduces themselves."""
    for pattern in _NAMED:
        found = pattern.search(clean(text))
        if not found or re.match(r"(what|who|do you|is)\b", core(text)):
            continue
        parts = found["name"].split()
        if parts[0].lower() in _NOT_NAMES:
            continue
        kept = [parts[0], *(p for p in parts[1:] if p[0].isupper() and p.lower() not in STOP_WORDS)]
        return " ".join(part[0].upper() + part[1:] for part in kept)
    return None


def fact_in(text: str) -> tuple[str, str] | None:
    """``my favourite colour is green`` as its two halves."""
    told = core(text)
    if re.match(r"(what|who|where|when|how|why|is|are|do|does|can|could|tell)\b", told):
        return None
    found = _FACT.search(told)
    if not found or found["what"] == "name" or len(found["value"]) > 200:  # noqa: PLR2004
        return None
    if (
        not told.startswith(("my ", "our ", "remember", "actually", "no "))
        and "remember" not in told
    ):
        return None
    return found["what"].strip(), as_said(found["value"], text)


def as_said(part: str, text: str) -> str:
    """The part as the recogniser wrote it, with its capitals."""
    spaced = r"[\W_]+".join(re.escape(word) for word in part.split())
    found = re.search(rf"\b{spaced}", clean(text), re.IGNORECASE)
    return found[0].strip(" ,.") if found else part


def switched(text: str) -> str:
    """The caller's words from the agent's side: ``my`` becomes ``your``."""
    return " ".join(_SWITCHED.get(word.lower(), word) for word in text.split())


def remembered(conversation: Conversation) -> Answer | None:
    """Answers questions about what the caller said, and takes note of new facts."""
    if not conversation.utterance:
        return None
    told = core(conversation.utterance)
    before = memory_of(conversation.heard[:-1])
    if _ASK_NAME.fullmatch(told):
        known = f"Your name is {before.name}." if before.name else ""
        return Answer(known or "I don't know your name yet. What is it?")
    if _ASK_ALL.fullmatch(told):
        return Answer(_everything(conversation, before))
    if asked := _ASK_ATTRIBUTE.fullmatch(told):
        return _attribute(asked["what"] or asked["other"], before, told)
    return _noted(conversation, told)


def _attribute(what: str, memory: Memory, told: str) -> Answer | None:
    wanted = set(content(what)) or set(words(what))
    for known, value in reversed(memory.facts.items()):
        if wanted and wanted == (set(content(known)) or set(words(known))):
            return Answer(f"You said your {known} is {value}." if "my" in told.split()
                          else f"You said the {known} is {value}.")  # fmt: skip
    for note in reversed(memory.notes):
        if wanted and wanted <= set(content(note)):
            return Answer(sentence(f"You told me that {switched(note)}"))
    if f"my {what}" in told:
        return Answer(f"I don't know your {what} yet. You can tell me.")
    return None


def _everything(conversation: Conversation, memory: Memory) -> str:
    parts = [f"your name is {memory.name}"] if memory.name else []
    parts += [f"your {what} is {value}" for what, value in list(memory.facts.items())[-4:]
              if not any(what in note for note in memory.notes)]  # fmt: skip
    parts += [switched(note) for note in memory.notes[-3:]]
    if parts:
        return shortened(f"You told me that {listed(parts)}.", 300)
    if len(conversation.heard) > 1:
        return f'The last thing you told me was: "{shortened(conversation.heard[-2], 80)}".'
    return "You haven't told me anything yet."


def _noted(conversation: Conversation, told: str) -> Answer | None:
    utterance = conversation.utterance or ""
    if note := _REMEMBER.fullmatch(told):
        return Answer(sentence(f"I'll remember that {switched(as_said(note['fact'], utterance))}"))
    name = name_in(utterance)
    if name and len(words(utterance)) <= len(name.split()) + 8:
        asked_before = plain(name) in plain(conversation.last_said)
        return Answer(varied(conversation, (
            f"Nice to meet you, {name}. What can I do for you?",
            f"Hello, {name}. How can I help?",
        )) if not asked_before else f"Thank you, {name}.")  # fmt: skip
    if fact := fact_in(utterance):
        return Answer(f"Got it. Your {fact[0]} is {fact[1]}.")
    return None
