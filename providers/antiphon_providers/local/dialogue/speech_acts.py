"""The speech acts an instruction can ask for: a pattern of the imperative, and the words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from antiphon_providers.local.dialogue.conversation import Conversation, varied
from antiphon_providers.local.dialogue.knowledge import about
from antiphon_providers.local.dialogue.memory import memory_of
from antiphon_providers.local.dialogue.persona import persona_of
from antiphon_providers.local.dialogue.recital import spelled
from antiphon_providers.local.dialogue.rephrasing import CALLER, asked, to_caller
from antiphon_providers.local.dialogue.small_talk import JOKES
from antiphon_providers.local.dialogue.words import listed, sentence, shortened

_NAME = r"(?-i:[A-Z])[\w'-]+"
_WHO = rf"(?:{CALLER}|them|him|her|everyone|{_NAME}(?: {_NAME})?)"
_CALLED = rf"(?:,? (?:named|called|whose name is) (?P<name>{_NAME}))?"
_TOPIC = r"about|of|what|when|where|how|which|who"
_ASKED = r"for|about|whether|if|to|what|which|how|when|where|who|why"
_VERB = r"is|are|was|were|has|have|will|can"


class SpeechAct(NamedTuple):
    """An imperative, as a pattern of the whole of it, and what is then said."""

    imperative: re.Pattern[str]
    said: Callable[[Conversation, re.Match[str]], str]


def spoken_act(conversation: Conversation, imperative: str) -> str | None:
    """The words an imperative asks for; None where it is no speech act."""
    for act in ACTS:
        if found := act.imperative.fullmatch(imperative):
            return act.said(conversation, found)
    return None


def _named(who: str | None) -> str:
    """The name of who is spoken to; empty for ``the caller``."""
    if not who or re.fullmatch(rf"(?i)(?:{CALLER}|them|him|her|everyone|back)", who.strip()):
        return ""
    return who.strip()


def _greeting(conversation: Conversation, found: re.Match[str]) -> str:
    groups = found.groupdict()
    name = (
        _named(groups.get("name"))
        or _named(groups.get("who"))
        or memory_of(conversation.heard).name
    )
    word = (groups.get("word") or "hello").capitalize()
    if found[0][:7].lower() == "welcome":
        word = f"Welcome{groups.get('place') or ''}"
    if name:
        return f"{word}, {name}!"
    if conversation.last_said or word != "Hello":
        return f"{word}!"
    persona = persona_of(conversation.rules)
    return f"Hello! {persona.introduction}" if persona.name or persona.role else "Hello there!"


def _that(_conversation: Conversation, found: re.Match[str]) -> str:
    return sentence(to_caller(found["what"]))


def _verbatim(_conversation: Conversation, found: re.Match[str]) -> str:
    return sentence(found["what"].strip(" '"))


def _to(_conversation: Conversation, found: re.Match[str]) -> str:
    return sentence(f"please {to_caller(found['what'])}")


def _about(conversation: Conversation, found: re.Match[str]) -> str:
    told = about(conversation, found["what"])
    return told or f"I don't know much about {to_caller(found['what'])}, but you can ask me."


def _ask(_conversation: Conversation, found: re.Match[str]) -> str:
    return asked(found["what"])


def _sorry(_conversation: Conversation, found: re.Match[str]) -> str:
    reason = to_caller(found["what"] or "")
    return sentence(f"I'm sorry {'about' if found['for'] else ''} {reason}".replace("  ", " "))


def _thanks(_conversation: Conversation, found: re.Match[str]) -> str:
    name = _named(found["who"])
    for_what = f" for {to_caller(found['what'])}" if found["what"] else ""
    return sentence(f"thank you{for_what}{f', {name}' if name else ''}")


def _summary(conversation: Conversation, _found: re.Match[str]) -> str:
    heard = [shortened(text, 60).rstrip(".") for text in conversation.heard if text]
    if not heard:
        return "We haven't talked about anything yet."
    quoted = [f'"{text}"' for text in heard[-3:]]
    return f"So far you said {listed(quoted)}."


def _confirmation(_conversation: Conversation, found: re.Match[str]) -> str:
    return f"Can you confirm {to_caller(found['what'])}?"


def _offer(_conversation: Conversation, found: re.Match[str]) -> str:
    if found["help"]:
        return "Is there anything I can help you with?"
    return f"Would you like {'me to ' if found['act'] else ''}{to_caller(found['what'])}?"


def _wish(_conversation: Conversation, found: re.Match[str]) -> str:
    return sentence(f"I wish you {to_caller(found['what'])}")


def _spelling(_conversation: Conversation, found: re.Match[str]) -> str:
    return f"{found['what'].capitalize()}: {spelled(found['what'])}."


def _introduction(conversation: Conversation, _found: re.Match[str]) -> str:
    return persona_of(conversation.rules).introduction


def _joke(conversation: Conversation, _found: re.Match[str]) -> str:
    return varied(conversation, JOKES)


def _farewell(_conversation: Conversation, _found: re.Match[str]) -> str:
    return "Goodbye, and take care!"


def _kindness(_conversation: Conversation, _found: re.Match[str]) -> str:
    return "It's good to talk with you."


def _act(imperative: str, said: Callable[[Conversation, re.Match[str]], str]) -> SpeechAct:
    return SpeechAct(re.compile(imperative, re.IGNORECASE), said)


ACTS = (
    _act(
        rf"(?:say|tell {_WHO}|read(?: out)?|repeat|announce)"
        r"(?: exactly| this| the following| verbatim| word for word| aloud)*\s*:\s*(?P<what>.+)",
        _verbatim,
    ),
    _act(
        r"say (?P<word>hello|hi|goodbye|bye|good morning|good afternoon|good evening|good night)"
        rf"(?: again)?(?: to)?(?: (?P<who>{_WHO}))?{_CALLED}(?: by name| warmly| politely)?",
        _greeting,
    ),
    _act(
        rf"(?:greet|welcome)(?: (?P<who>{_WHO}))?{_CALLED}(?P<place> back| to [^,]+)?"
        r"(?: (?:by name|warmly|politely|in |with |briefly|friendly|as ).*)?",
        _greeting,
    ),
    _act(r"(?:end|close|finish) the (?:call|conversation).*|say your goodbyes", _farewell),
    _act(
        r"(?:tell|inform|notify|remind|let|advise|assure|warn|explain to) "
        rf"{_WHO}(?: know)? that (?P<what>.+)",
        _that,
    ),
    _act(
        r"(?:say|mention|explain|announce|state|confirm|point out|add|note) that (?P<what>.+)",
        _that,
    ),
    _act(rf"(?:tell|remind|invite|instruct|advise) {_WHO} to (?P<what>.+)", _to),
    _act(
        rf"(?:tell|say)(?: {_WHO})?(?: a| another| me a)?(?: short| good| funny)? joke.*",
        _joke,
    ),
    _act(
        rf"(?:tell|inform|remind|let|talk to) {_WHO}(?: know)? (?:{_TOPIC}) (?P<what>.+)",
        _about,
    ),
    _act(
        rf"(?:tell|give|read) {_WHO} (?P<what>(?:the|our|your) (?:(?!\b(?:{_VERB})\b).)+)",
        _about,
    ),
    _act(r"(?:explain|describe|talk about|mention) (?P<what>.+)", _about),
    _act(rf"(?:tell|inform|let|remind) {_WHO}(?: know)? (?P<what>.+)", _that),
    _act(rf"(?:ask|inquire)(?: {_WHO}(?= ))? (?P<what>(?:{_ASKED})\b.+)", _ask),
    _act(rf"ask (?:{_WHO} )?(?P<what>.+)", _ask),
    _act(
        rf"apologi[sz]e(?: to {_WHO})?(?: (?P<for>for|about|that) ?(?P<what>.+))?",
        _sorry,
    ),
    _act(rf"thank(?: (?P<who>{_WHO}))?(?: for (?P<what>.+))?", _thanks),
    _act(r"(?:summari[sz]e|recap|sum up).*|give (?:a|the) summary.*", _summary),
    _act(r"spell(?: out)?(?: the (?:word|name))? (?P<what>.+)", _spelling),
    _act(r"confirm (?P<what>.+)", _confirmation),
    _act(
        rf"offer(?: {_WHO})?(?: your)?(?: (?P<help>(?:to )?(?:help|assist).*)"
        r"|(?P<act> to)? (?P<what>.+))",
        _offer,
    ),
    _act(rf"wish {_WHO} (?P<what>.+)", _wish),
    _act(r"introduce yourself.*", _introduction),
    _act(r"say something (?:nice|kind|friendly|encouraging|funny).*", _kindness),
    _act(r"(?:say|repeat|read|announce) (?P<what>.+)", _verbatim),
)
"""Tried in this order: the more telling ones first."""
