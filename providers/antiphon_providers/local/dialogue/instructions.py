"""What ``reply.create`` asks for: short imperatives, carried out as the speech acts they name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

from antiphon_providers.interfaces import Message
from antiphon_providers.local.dialogue.conversation import Answer, Conversation, Skill, varied
from antiphon_providers.local.dialogue.knowledge import about
from antiphon_providers.local.dialogue.memory import memory_of
from antiphon_providers.local.dialogue.persona import opener, persona_of
from antiphon_providers.local.dialogue.recital import spelled
from antiphon_providers.local.dialogue.rephrasing import CALLER, asked, to_caller
from antiphon_providers.local.dialogue.small_talk import JOKES
from antiphon_providers.local.dialogue.tools import instructed_use
from antiphon_providers.local.dialogue.words import clean, listed, sentence, sentences, shortened

MOST_ACTS = 4
_WHO = rf"(?:{CALLER}|them|him|her|everyone|[A-Z][\w'-]+(?: [A-Z][\w'-]+)?)"
_LEAD = re.compile(
    r"^(?:(?:please|now|then|next|first|finally|also|and|just|briefly|politely|proactively"
    r"|warmly|kindly|gently"
    r"|you (?:should|must|need to|can)|your (?:task|job) is to)\b[ ,:]*)+", re.IGNORECASE
)  # fmt: skip
_QUOTED = re.compile(
    (
        r"\b(?:say|tell|reads?|read out|repeat|announce|greet|ask|answer|reply"
        r"|respond)\b[^\"]{0,80}\"(?P<text>[^\"]+)\""
    ),
    re.IGNORECASE,
)
_NEXT_ACT = re.compile(
    r"(?i),?\s+(?:and|then|and then)\s+(?=(?:ask|tell|say|greet|offer|thank|apologi[sz]e"
    r"|confirm|wish|remind|let|introduce"
    r"|summari[sz]e|explain|welcome)\b)"
)
_STYLE = re.compile(
    r"(?i)(?:be|keep|use|speak|do not|don't|never|always|make it|make sure|in (?:a|one|the)"
    r"|limit|stay|avoid|no more"
    r"|sound|remember that you|only|write|one sentence|short)\b.*"
)
_GO_ON = re.compile(
    r"(?i)(?:respond|answer|reply|continue|go on|proceed|follow up|start|begin|help)\b.*"
)

Act = Callable[[Conversation, re.Match[str]], str]


def instructed(conversation: Conversation, skills: Sequence[Skill]) -> Answer | None:
    """Does what the instruction says; None where it says nothing that can be done at once, and
    there is something else to be answered. ``skills`` help with what is no speech act
    (``count to five``).
    """
    text = re.sub(r"[“”„]", '"', clean(conversation.instruction or "", 4_000))
    if not text or conversation.instruction is None:
        return Answer(opener(conversation)) if _nothing_else(conversation) else None
    if quoted := [found["text"].strip() for found in _QUOTED.finditer(text)][:MOST_ACTS]:
        return Answer(" ".join(quoted))
    parts = [part for one in sentences(text) for part in _NEXT_ACT.split(one)]
    imperatives = [_LEAD.sub("", part).strip() for part in parts[:12]]
    said = [done for part in imperatives if (done := _done(conversation, part)) is not None]
    if any(said):
        return Answer(" ".join(list(filter(None, said))[:MOST_ACTS]))
    if (use := instructed_use(conversation, text)) is not None:
        return use
    if not _nothing_else(conversation):
        return None
    return _by_skill(conversation, imperatives, skills) or Answer(_paraphrased(conversation, text))


def _nothing_else(conversation: Conversation) -> bool:
    return conversation.utterance is None and not conversation.results


def _by_skill(
    conversation: Conversation, imperatives: Sequence[str], skills: Sequence[Skill]
) -> Answer | None:
    """What a skill makes of the instruction, as if the caller had said it."""
    for part in imperatives:
        spoken = msgspec.structs.replace(
            conversation, turns=(*conversation.turns, Message(role="user", content=part)), tools=()
        )
        for skill in skills if part else ():
            if answer := skill(spoken):
                return answer
    return None


def _paraphrased(conversation: Conversation, text: str) -> str:
    """Something sensible to say where an instruction was not understood."""
    text = _LEAD.sub("", text)
    if _GO_ON.fullmatch(text) or _STYLE.fullmatch(text):
        return opener(conversation)
    return sentence(shortened(to_caller(text), 280)) or opener(conversation)


def _done(conversation: Conversation, imperative: str) -> str | None:
    """The speech act's words; empty for a remark on style, None where it is no speech act."""
    told = imperative.rstrip(" .!")
    for pattern, act in _ACTS:
        if found := pattern.fullmatch(told):
            return act(conversation, found)
    return "" if _STYLE.fullmatch(told) else None


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


_ACTS: tuple[tuple[re.Pattern[str], Act], ...] = tuple(
    (re.compile(rf"(?i:{pattern})" if "[A-Z]" not in pattern else pattern), act)
    for pattern, act in (
        ((rf"(?:[Ss]ay|[Tt]ell {_WHO}|[Rr]ead(?: out)?|[Rr]epeat|[Aa]nnounce)"
         r"(?: exactly| this| the following| verbatim| word for word"
         r"| aloud)*\s*:\s*(?P<what>.+)"), _verbatim),
        ((
            rf"[Ss]ay (?P<word>hello|hi|goodbye|bye|good morning|good afternoon|good evening"
            rf"|good night|welcome)(?: again)?"
         rf"(?: to)?(?: (?P<who>{_WHO}))?(?:,? (?:named|called"
         rf"|whose name is) (?P<name>[A-Z][\w'-]+))?(?: by name| warmly| politely)?"), _greeting),
        ((
            rf"(?:[Gg]reet|[Ww]elcome)(?: (?P<who>{_WHO}))?(?:,? (?:named|called"
            rf"|whose name is) (?P<name>[A-Z][\w'-]+))?"
         r"(?P<place> back| to [^,]+)?(?: (?:by name|warmly|politely|in |with |briefly|friendly"
         r"|as ).*)?"), _greeting),
        (r"(?:end|close|finish) the (?:call|conversation).*|say your goodbyes",
         lambda _conversation, _found: "Goodbye, and take care!"),
        ((
            rf"(?:[Tt]ell|[Ii]nform|[Nn]otify|[Rr]emind|[Ll]et|[Aa]dvise|[Aa]ssure|[Ww]arn"
            rf"|[Ee]xplain to) {_WHO}(?: know)? that (?P<what>.+)"
            ), _that),
        ((
            r"(?:say|mention|explain|announce|state|confirm|point out|add"
            r"|note) that (?P<what>.+)"
            ), _that),
        (rf"(?:[Tt]ell|[Rr]emind|[Ii]nvite|[Ii]nstruct|[Aa]dvise) {_WHO} to (?P<what>.+)", _to),
        (rf"(?:[Tt]ell|[Ss]ay)(?: {_WHO})?(?: a| another| me a)?(?: short| good| funny)? joke.*",
         lambda conversation, _found: varied(conversation, JOKES)),
        ((
            rf"(?:[Tt]ell|[Ii]nform|[Rr]emind|[Ll]et|[Tt]alk to) {_WHO}(?: know)? (?:about|of"
            rf"|what|when|where|how|which|who) (?P<what>.+)"
            ), _about),
        ((
            rf"(?:[Tt]ell|[Gg]ive|[Rr]ead) {_WHO} (?P<what>(?:the|our|your) (?:(?!\b(?:is|are"
            rf"|was|were|has|have|will|can)\b).)+)"
            ), _about),
        (r"(?:explain|describe|talk about|mention) (?P<what>.+)", _about),
        (rf"(?:[Tt]ell|[Ii]nform|[Ll]et|[Rr]emind) {_WHO}(?: know)? (?P<what>.+)", _that),
        ((
            rf"(?:[Aa]sk|[Ii]nquire)(?: {_WHO}(?= ))? (?P<what>(?:for|about|whether|if|to|what"
            rf"|which|how|when|where|who|why)\b.+)"
            ), _ask),
        (rf"[Aa]sk (?:{_WHO} )?(?P<what>.+)", _ask),
        (rf"[Aa]pologi[sz]e(?: to {_WHO})?(?: (?P<for>for|about|that) ?(?P<what>.+))?", _sorry),
        (rf"[Tt]hank(?: (?P<who>{_WHO}))?(?: for (?P<what>.+))?", _thanks),
        (r"(?:summari[sz]e|recap|sum up).*|give (?:a|the) summary.*", _summary),
        (r"spell(?: out)?(?: the (?:word|name))? (?P<what>.+)",
         lambda _conversation, found: f"{found['what']}: {spelled(found['what'])}."),
        (r"confirm (?P<what>.+)", lambda _conversation, found: asked(f"about {found['what']}").replace(
            "What can you tell me about", "Can you confirm")),
        (rf"[Oo]ffer(?: {_WHO})?(?: your)? (?:help|assistance|to help).*",
         lambda _conversation, _found: "Is there anything I can help you with?"),
        (rf"[Oo]ffer(?: {_WHO})?(?: to)? (?P<what>.+)",
         lambda _conversation, found: f"Would you like {to_caller(found['what'])}?"),
        (rf"[Ww]ish {_WHO} (?P<what>.+)",
         lambda _conversation, found: sentence(f"I wish you {to_caller(found['what'])}")),
        (r"introduce yourself.*", lambda conversation, _found: persona_of(conversation.rules).introduction),
        (r"say something (?:nice|kind|friendly|encouraging|funny).*",
         lambda _conversation, _found: "It's good to talk with you."),
        (r"(?:say|repeat|read|announce) (?P<what>.+)", _verbatim),
    )
)  # fmt: skip
