"""Sentences about the caller turned into sentences to the caller: ``they`` becomes ``you``."""

from __future__ import annotations

import re

from antiphon_providers.local.dialogue.words import clean, sentence

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
    if opening == "for":
        return _asking(f"may I have {_possessed(rest)}")
    if opening == "about":
        return _asking(f"what can you tell me about {_possessed(rest)}")
    if opening in {"whether", "if"}:
        return _asking(_inverted(rest) or f"can you tell me whether {rest}")
    if opening == "to":
        return _asking(f"could you {rest}, please")
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


def _question_with_word(told: str) -> str:
    noun = r"(?P<noun>(?: [\w'-]+){0,4}?)"
    helped = re.fullmatch(
        rf"(?i)(?P<word>{_QUESTION_WORDS}){noun} (?P<who>you|I) (?P<aux>{_AUXILIARY}"
        rf"|am) ?(?P<rest>.*)",
        told,
    ) or re.fullmatch(
        rf"(?i)(?P<word>{_QUESTION_WORDS})(?P<noun>) (?P<who>your .+|the .+) (?P<aux>is|are"
        rf"|was)(?P<rest>)",
        told,
    )
    if helped:
        return f"{helped['word']}{helped['noun']} {helped['aux']} {helped['who']} {helped['rest']}".strip()
    plain_verb = re.fullmatch(rf"(?i)(?P<word>{_QUESTION_WORDS}){noun} you (?P<rest>.+)", told)
    if plain_verb:
        return f"{plain_verb['word']}{plain_verb['noun']} do you {plain_verb['rest']}"
    return told if re.match(rf"(?i){_QUESTION_WORDS} (is|are|was|do|does|did|can|will|would)\b", told) else (
        f"can you tell me {told}")  # fmt: skip
