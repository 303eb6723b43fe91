"""Sentences about the caller turned into sentences to the caller: ``they`` becomes ``you``."""

from __future__ import annotations

import re
from collections.abc import Callable

from antiphon_providers.local.dialogue.words import clean, first_match, sentence

CALLER = r"(?:the |our |this )?(?:user|caller|customer|guest|client|person|visitor)"
_CALLER_NAMED = re.compile(
    rf"\b(?:they|them|their|theirs|he|she|him|his|her|{CALLER}(?:'s)?)\b", re.IGNORECASE
)
_AGENT = (
    (r"\byou are\b|\byou're\b", "I am"),
    (r"\b(to|for|with|by|from|at|of|call|help|reach|tell) you\b", r"\1 me"),
    (r"\byourself\b", "myself"),
    (r"\byours\b", "mine"),
    (r"\byour\b", "my"),
    (r"\byou\b", "I"),
)
_SUBJECT = rf"(?:they|he|she|{CALLER})"
_CALLER = (
    (rf"\b{CALLER}'s\b", "your"),
    (rf"\b{_SUBJECT}(?: is| are|'re|'s)\b", "you are"),
    (rf"\b{_SUBJECT} has\b", "you have"),
    (rf"\b{_SUBJECT} was\b", "you were"),
    (rf"\b{_SUBJECT} does\b", "you do"),
    (rf"\b{_SUBJECT} (want|need|like|know|prefer|remember|live|work|say|mean)s\b", r"you \1"),
    (r"\b(?:they|them|him|he|she)\b", "you"),
    (r"\btheirs\b", "yours"),
    (r"\b(?:their|his|her)\b", "your"),
    (rf"\b{CALLER}\b", "you"),
)
_AUXILIARY = "are|were|can|could|will|would|should|may|might|must"
_QUESTION_WORDS = r"(?:what|which|how many|how much|how|when|where|who|why)"


def to_caller(text: str) -> str:
    """The text as said to the caller.

    ``you`` in an instruction means the agent where the caller is spoken of too, or where it is
    what the sentence is about; elsewhere whoever wrote it already spoke to the caller.
    """
    told = clean(text)
    if _CALLER_NAMED.search(told) or re.match(r"(?i)you |your name is", told):
        told = _replaced(told, _AGENT)
    return _replaced(told, _CALLER)


def _replaced(text: str, pairs: tuple[tuple[str, str], ...]) -> str:
    for written, spoken in pairs:
        text = re.sub(written, spoken, text, flags=re.IGNORECASE)
    return text


def asked(text: str) -> str:
    """What an instruction wants asked, as a question: ``for their name`` as ``May I have your
    name?``, ``whether they want tea`` as ``Do you want tea?``.
    """
    told = to_caller(re.sub(r"^how you (can|may|could) ", r"how I \1 ", text)).rstrip(" .")
    if told.endswith("?"):
        return _asking(told)
    opening, _, rest = told.partition(" ")
    opening = opening.lower()
    if opening in {"whether", "if"}:
        return _asking(_inverted(rest) or f"can you tell me whether {rest}")
    if opening in _OPENINGS:
        return _asking(_OPENINGS[opening](rest))
    if re.match(rf"{_QUESTION_WORDS}\b", told, re.IGNORECASE):
        return _asking(_question_with_word(told))
    return _asking(f"may I ask {told}")


def _asking(text: str) -> str:
    return sentence(f"{text.rstrip('?')}?")


def _possessed(noun: str) -> str:
    return (
        noun
        if re.match(r"(?i)(your|the|a|an|my|any|some|more|what|how)\b", noun)
        else f"your {noun}"
    )


def _inverted(clause: str) -> str | None:
    """``you want tea`` as ``do you want tea``, ``the room is fine`` as ``is the room fine``."""
    found = re.match(
        rf"(?i)(you|I|(?:[\w']+ ){{0,3}}?[\w']+) ({_AUXILIARY}|is|was|has|have|am)\b ?(.*)", clause
    )
    if found and not (found[1].lower() == "you" and found[2] == "have"):
        return f"{found[2]} {found[1]} {found[3]}".strip()
    mine = re.match(r"(?i)you (.+)", clause)
    return f"do you {mine[1]}" if mine else None


_OPENINGS: dict[str, Callable[[str], str]] = {
    "for": lambda rest: f"may I have {_possessed(rest)}",
    "about": lambda rest: f"what can you tell me about {_possessed(rest)}",
    "to": lambda rest: f"could you {rest}, please",
}
_WORD = rf"(?i)(?P<word>{_QUESTION_WORDS})"
_NOUN = r"(?P<noun>(?: [\w'-]+){0,4}?)"
_WITH_AUXILIARY = (
    re.compile(rf"{_WORD}{_NOUN} (?P<who>you|I) (?P<aux>{_AUXILIARY}|am) ?(?P<rest>.*)"),
    re.compile(rf"{_WORD}(?P<noun>) (?P<who>(?:your|the) .+) (?P<aux>is|are|was)(?P<rest>)"),
)
_WITH_VERB = re.compile(rf"{_WORD}{_NOUN} you (?P<rest>.+)")
_QUESTION_ALREADY = re.compile(rf"{_WORD} (?:is|are|was|do|does|did|can|will|would)\b.*")


def _question_with_word(told: str) -> str:
    """``what time you would like to come`` as ``what time would you like to come``."""
    if found := first_match(_WITH_AUXILIARY, told):
        parts = (found["word"] + found["noun"], found["aux"], found["who"], found["rest"])
        return " ".join(filter(None, parts))
    if found := _WITH_VERB.fullmatch(told):
        return f"{found['word']}{found['noun']} do you {found['rest']}"
    return told if _QUESTION_ALREADY.fullmatch(told) else f"can you tell me {told}"
