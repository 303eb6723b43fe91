"""What ``reply.create`` asks for: short imperatives, carried out as the speech acts they name."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from antiphon_providers.interfaces import Message
from antiphon_providers.local.dialogue.conversation import Answer, Conversation, Skill
from antiphon_providers.local.dialogue.persona import opener
from antiphon_providers.local.dialogue.rephrasing import to_caller
from antiphon_providers.local.dialogue.speech_acts import spoken_act
from antiphon_providers.local.dialogue.tools import instructed_use
from antiphon_providers.local.dialogue.words import clean, sentence, sentences, shortened

LONGEST_SPEECH = 1_200
"""Characters said because an instruction wants them said: more than a minute."""
MOST_ACTS = 4
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


def instructed(conversation: Conversation, skills: Sequence[Skill]) -> Answer | None:
    """Does what the instruction says; None where it says nothing that can be done at once, and
    there is something else to be answered. ``skills`` help with what is no speech act
    (``count to five``).
    """
    text = re.sub(r"[“”„]", '"', clean(conversation.instruction or "", 4_000))
    if not text or conversation.instruction is None:
        return Answer(opener(conversation)) if _nothing_else(conversation) else None
    if quoted := [found["text"].strip() for found in _QUOTED.finditer(text)][:MOST_ACTS]:
        return Answer(shortened(" ".join(quoted), LONGEST_SPEECH))
    parts = [part for one in sentences(text) for part in _NEXT_ACT.split(one)]
    imperatives = [_LEAD.sub("", part).strip() for part in parts[:12]]
    said = [done for part in imperatives if (done := _done(conversation, part)) is not None]
    if any(said):
        return Answer(shortened(" ".join(list(filter(None, said))[:MOST_ACTS]), LONGEST_SPEECH))
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
    words = spoken_act(conversation, imperative.rstrip(" .!"))
    return "" if words is None and _STYLE.fullmatch(imperative) else words
